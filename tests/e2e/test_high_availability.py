"""Two replicas: one works, the other takes over, and nothing is written twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.cluster import OPERATOR, OPERATOR_NAMESPACE, Operator, Space
from tests.e2e.manifests import chainlit_app, container, ingress, service, workload
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.xdist_group("operator")


@pytest.fixture
def replicas(operator: Operator) -> Iterator[Operator]:
    """The operator with two replicas, for one test."""
    operator.scale(2)
    yield operator
    operator.scale(1)


def leader(operator: Operator) -> str:
    """Return the name of the pod that holds the Lease; empty for none."""
    lease = operator.kube.get("Lease", OPERATOR_NAMESPACE, OPERATOR)
    return str(lease["spec"].get("holderIdentity") or "")


@pytest.mark.parametrize(
    ("grace", "seconds"),
    # Less than the Lease lasts shows that it was given back; more than that is for the pod to be really dead.
    [pytest.param(None, 10.0, id="ends"), pytest.param(0, 30.0, id="is-killed", marks=pytest.mark.slow)],
)
def test_the_other_one_takes_over(
    space: Space, replicas: Operator, grace: int | None, seconds: float, figure: Callable[[str], None]
) -> None:
    space.create(
        workload(container(space.cluster.demo_image), replicas=0),
        service(),
        ingress(space.host, "/start"),
        chainlit_app(),
    )
    space.await_variable("/start")
    space.await_condition("WebSocketReachable", "Unknown", "ScaledToZero")
    former = leader(replicas)
    assert former in {pod["metadata"]["name"] for pod in replicas.pods()}
    writes = len(space.cluster.audit(space.name))

    started = time.monotonic()
    replicas.kube.delete("Pod", OPERATOR_NAMESPACE, former, grace_seconds=grace)
    eventually(lambda: leader(replicas), lambda now: now not in ("", former), timeout=seconds, every=0.05)
    figure(f"the lead changed hands in {time.monotonic() - started:.1f} s after a {'kill' if grace == 0 else 'stop'}")

    space.move("/end")
    space.await_variable("/end")
    eventually(lambda: space.get("ChainlitApp")["status"]["rootPath"], lambda path: path == "/end")
    written = [request["objectRef"]["resource"] for request in space.cluster.audit(space.name)[writes:]]
    assert sorted(resource for resource in written if resource != "events") == ["chainlitapps", "deployments"]
