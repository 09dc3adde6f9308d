"""Two replicas: one works, the other takes over, and nothing is written twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.cluster import OPERATOR, OPERATOR_NAMESPACE, Operator, Space
from tests.e2e.demo import container, workload
from tests.objects import chainlit_app, ingress, service
from tests.waiting import eventually

#: A silent leader is replaced within the Lease's duration (the chart's default) and one retry period, which is 2 s; a
#: look, a write and the start of the work take a moment.
REPLACED_SECONDS = 15.0 + 2.0 + 3.0
pytestmark = pytest.mark.xdist_group("operator")


@pytest.fixture
def replicas(operator: Operator) -> Iterator[Operator]:
    """The operator with two replicas, for one test."""
    operator.scale(2)
    yield operator
    operator.scale(1)


def leader(operator: Operator) -> str:
    """Return the name of the pod that holds the Lease; empty for none, or one that is gone."""
    lease = operator.kube.get("Lease", OPERATOR_NAMESPACE, OPERATOR)
    holder = str(lease["spec"].get("holderIdentity") or "")
    return holder if holder in {pod["metadata"]["name"] for pod in operator.pods()} else ""


def scaled_down_chat(space: Space) -> None:
    """Make an app without pods, aligned with /start."""
    space.create(
        workload(container(space.cluster.demo_image), replicas=0),
        service(),
        ingress(space.host, "/start"),
        chainlit_app(),
    )
    space.await_variable("/start")
    space.await_condition("WebSocketReachable", "Unknown", "ScaledToZero")


def follow(space: Space) -> None:
    """Move the route; one write to the workload and one of the status must follow."""
    writes = len(space.cluster.audit(space.name))
    space.move("/end")
    space.await_variable("/end")
    eventually(lambda: space.get("ChainlitApp")["status"]["rootPath"], lambda path: path == "/end")
    written = [request["objectRef"]["resource"] for request in space.cluster.audit(space.name)[writes:]]
    assert sorted(resource for resource in written if resource != "events") == ["chainlitapps", "deployments"]


def test_a_leader_that_ends_releases_the_lease(space: Space, replicas: Operator, figure: Callable[[str], None]) -> None:
    scaled_down_chat(space)
    former = leader(replicas)
    assert former

    started = time.monotonic()
    replicas.kube.delete("Pod", OPERATOR_NAMESPACE, former)
    # Less than the Lease lasts shows that it was released.
    eventually(lambda: leader(replicas), lambda now: now not in ("", former), timeout=10.0, every=0.05)
    figure(f"a leader that was stopped had a successor within {time.monotonic() - started:.1f} s")
    follow(space)


@pytest.mark.slow
def test_a_leader_that_is_frozen_is_replaced_and_stands_by_when_it_wakes_up(
    space: Space, replicas: Operator, figure: Callable[[str], None]
) -> None:
    scaled_down_chat(space)
    former = leader(replicas)
    assert former

    started = time.monotonic()
    replicas.signal(former, "STOP")
    try:
        eventually(
            lambda: leader(replicas), lambda now: now not in ("", former), timeout=2 * REPLACED_SECONDS, every=0.05
        )
        took = time.monotonic() - started
        figure(f"a leader that froze had a successor within {took:.1f} s")
        assert took < REPLACED_SECONDS
        space.move("/meanwhile")
        space.await_variable("/meanwhile")
    finally:
        replicas.signal(former, "CONT")

    eventually(lambda: replicas.pod_metric(former, "chainlit_operator_leader") == 0.0)
    follow(space)
