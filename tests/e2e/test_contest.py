"""Somebody who keeps setting the variable back is told of, not fought for ever."""

from __future__ import annotations

import pytest

from tests.e2e.cluster import Space, variable
from tests.e2e.kube import Object
from tests.e2e.manifests import chainlit_app, container, ingress, service, workload
from tests.e2e.waiting import eventually

RIVAL = "gitops-controller"
MOST_TURNS = 8


@pytest.mark.xdist_group("operator")
def test_contest_ends(space: Space) -> None:
    mine = workload(container("app", root_path="/rival"), replicas=0)
    space.kube.apply(mine, space.name, RIVAL)
    space.create(service(), ingress(space.host, "/chat"), chainlit_app())

    turns = 0
    while turns < MOST_TURNS and is_taken_over(space):
        space.kube.apply(mine, space.name, RIVAL)
        turns += 1

    assert 1 <= turns <= 4
    assert len(workload_writes(space)) == turns
    found = space.await_condition("Aligned", "False", "FieldContested")
    assert f"'{RIVAL}'" in found.message
    assert "Deployment" in found.message
    assert space.variable() == "/rival"

    space.move("/elsewhere")

    space.await_condition("Aligned", "True", "Aligned")
    assert space.variable() == "/elsewhere"


def is_taken_over(space: Space) -> bool:
    """Wait until either the variable is the operator's or the operator has given up."""

    def seen() -> str | None:
        deployment = space.get("Deployment")
        if variable(deployment) == "/chat":
            return "taken over"
        condition = space.condition("Aligned")
        return "given up" if condition.reason == "FieldContested" else None

    return eventually(seen) == "taken over"


def workload_writes(space: Space) -> list[Object]:
    """Return the operator's writes to workloads."""
    return [w for w in space.cluster.audit(space.name) if w["objectRef"]["resource"] == "deployments"]
