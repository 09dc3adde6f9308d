"""The operator ends and comes back: without a word where all is well, without a loss where it is not."""

from __future__ import annotations

import pytest

from tests.e2e.cluster import Operator, Space, managers
from tests.e2e.demo import container, workload
from tests.e2e.kube import KubeError
from tests.objects import NAMESPACED_RESOURCES, Object, chainlit_app, ingress, service
from tests.waiting import eventually

#: Version and managers of objects, by kind and name.
Everything = dict[str, tuple[str, object]]
pytestmark = pytest.mark.xdist_group("operator")


def test_restart_in_an_aligned_namespace_writes_nothing(space: Space, operator: Operator) -> None:
    space.create(
        workload(container(space.cluster.demo_image)),
        service(),
        ingress(space.host, "/chat"),
        chainlit_app(verification={"intervalSeconds": 10}),
    )
    space.await_ready()
    # As one that is blocked has a status too, and nothing else to be said of it.
    space.create(chainlit_app("blocked", workload="none"))
    space.await_condition("Ready", "False", "WorkloadNotFound", "blocked")
    former = operator.pods()
    writes, before = at_rest(space)

    operator.stop()
    operator.await_successor(former)
    # Its own verification of the app, at the interval, proves that it has been through the app.
    eventually(lambda: operator.metric("chainlit_operator_verifications_total"))
    eventually(lambda: operator.metric("chainlit_operator_queue_depth") == 0)

    assert everything(space) == before
    assert space.cluster.audit(space.name) == writes

    # It is at work all the same.
    space.move("/other")
    space.await_variable("/other")


def at_rest(space: Space) -> tuple[list[Object], Everything]:
    """Wait until nothing changes any more; return all writes, Events included, and all that is there.

    It also waits for pods that are ending: their end changes the status of their owners.
    """
    seen: tuple[list[Object], Everything] = ([], {})

    def is_so() -> bool:
        nonlocal seen
        former, seen = seen, (space.cluster.audit(space.name), everything(space))
        return former == seen and len(space.pods()) == len(space.objects("Pod"))

    eventually(is_so, every=1.0)
    return seen


def everything(space: Space) -> Everything:
    """Return version and managers of every object in a namespace, but for what the kubelet tells of its pods."""
    return {
        f"{kind}/{obj['metadata']['name']}": (obj["metadata"]["resourceVersion"], managers(obj))
        for kind in NAMESPACED_RESOURCES
        for obj in present(space, kind)
        if not (kind == "Event" and "kubelet" in managers(obj))
    }


def present(space: Space, kind: str) -> list[Object]:
    """Return all objects of a kind in the namespace; none if the cluster lacks the kind."""
    try:
        return space.objects(kind)
    except KubeError as error:
        if error.code == 404:
            return []
        raise


def test_killed_in_the_middle_of_changes(space: Space, operator: Operator) -> None:
    space.create(
        workload(container(space.cluster.demo_image), replicas=0),
        service(),
        ingress(space.host, "/start"),
        chainlit_app(),
    )
    space.await_variable("/start")
    for turn in range(9):
        space.move(f"/turn/{turn}")
        if turn % 3 == 1:
            operator.kill()
    space.move("/end")
    space.kubectl("scale", "deployment/chat", "--replicas=1")

    space.await_ready()
    space.await_answer("/end")
    assert space.variable() == "/end"
    assert space.get("ChainlitApp")["status"]["rootPath"] == "/end"
