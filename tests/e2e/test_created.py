"""From one resource to a chat: workload and route are created, kept, changed, left to others, and go with it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.chat import ChatError
from tests.e2e.cluster import OPERATOR, Operator, Space, managers
from tests.e2e.demo import QUICK_PROBES, container, workload
from tests.e2e.kube import APPLY_PATCH
from tests.e2e.test_restart import at_rest, everything
from tests.objects import Object, chainlit_app, ingress, path_of, resource, service
from tests.waiting import eventually

KINDS = ("Deployment", "Service", "ServiceAccount", "Ingress", "HTTPRoute")
CREATOR = "chainlit-operator-created"


def created_app(space: Space, path: str = "/chat", **template: Any) -> Object:
    """Return a ChainlitApp that describes workload and Ingress."""
    given = {"image": space.cluster.demo_image, "imagePullPolicy": "IfNotPresent", "probes": QUICK_PROBES}
    return chainlit_app(
        workload={"template": given | template},
        route={"ingress": {"className": "traefik", "host": space.host, "path": path}},
        verification={"intervalSeconds": 10},
    )


def created_objects(space: Space) -> list[str]:
    """Return what has a ChainlitApp for its owner."""
    return [
        f"{kind}/{obj['metadata']['name']}"
        for kind in KINDS
        for obj in space.objects(kind)
        if any(owner["kind"] == "ChainlitApp" for owner in obj["metadata"].get("ownerReferences", []))
    ]


@pytest.mark.xdist_group("operator")
def test_one_resource_is_a_chat_until_it_is_deleted(space: Space, operator: Operator) -> None:
    space.create(created_app(space, resources={"requests": {"cpu": "0.1", "memory": "0.25Gi"}}))
    space.await_answer("/chat")
    space.await_ready()
    assert len(space.objects("ReplicaSet")) == 1, "more than one rollout"
    assert created_objects(space) == ["Deployment/chat", "Service/chat", "ServiceAccount/chat", "Ingress/chat"]
    # Beside the status and Events, each object is written once.
    writes = [w["objectRef"]["resource"] for w in space.cluster.audit(space.name)]
    assert sorted(w for w in writes if w not in ("chainlitapps", "events")) == sorted(
        ("serviceaccounts", "services", "ingresses", "deployments")
    )

    # By hand: what the template has is set back, what it does not have (replicas) is not the operator's.
    space.kubectl("set", "env", "deployment/chat", "CHAINLIT_ROOT_PATH=/wrong")
    space.await_variable("/chat")
    space.patch("Service", {"spec": {"selector": {"app.kubernetes.io/instance": "other"}}})
    eventually(
        lambda: space.get("Service")["spec"]["selector"]["app.kubernetes.io/instance"], lambda found: found == "chat"
    )
    space.kubectl("delete", "ingress", "chat")
    eventually(lambda: space.find("Ingress"))
    space.kubectl("scale", "deployment/chat", "--replicas=0")
    space.patch("ChainlitApp", {"spec": {"route": {"ingress": {"path": "/support"}}}})
    space.await_variable("/support")
    space.await_condition("Ready", "Unknown", "ScaledToZero")
    space.kubectl("scale", "deployment/chat", "--replicas=1")
    space.await_answer("/support")
    space.await_ready()
    with pytest.raises(ChatError, match="404"):
        space.chat("/chat")

    restart_writes_nothing(space, operator)

    space.kubectl("delete", "chainlitapp", "chat")
    eventually(lambda: created_objects(space), lambda found: found == [])


def restart_writes_nothing(space: Space, operator: Operator) -> None:
    former = operator.pods()
    writes, before = at_rest(space)
    operator.stop()
    operator.await_successor(former)
    eventually(lambda: operator.metric("chainlit_operator_verifications_total"))
    eventually(lambda: operator.metric("chainlit_operator_queue_depth") == 0)
    assert everything(space) == before
    assert space.cluster.audit(space.name) == writes


@pytest.mark.slow
def test_template_and_gateway(space: Space) -> None:
    app = created_app(space)
    app["spec"]["route"] = {
        "gateway": {
            "parentRefs": [{"name": "traefik", "namespace": "traefik", "sectionName": "web"}],
            "hostnames": [space.host],
            "path": "/gate",
        }
    }
    space.create(app)
    space.await_answer("/gate")
    space.await_ready()
    assert len(space.objects("ReplicaSet")) == 1
    writes, _ = at_rest(space)
    assert "HTTPRoute/chat" in created_objects(space)
    assert len([w for w in writes if w["objectRef"]["resource"] == "httproutes"]) == 1

    # From the Gateway to an Ingress: the one goes, the other comes.
    asked = {"className": "traefik", "host": space.host, "path": "/gate"}
    space.patch("ChainlitApp", {"spec": {"route": {"gateway": None, "ingress": asked}}})
    eventually(lambda: space.find("HTTPRoute"), lambda found: found is None)
    space.await_answer("/gate")
    space.await_ready()
    assert len(space.objects("ReplicaSet")) == 1


@pytest.mark.slow
def test_ingress_for_a_workload_that_is_there(space: Space) -> None:
    asked = {"className": "traefik", "host": space.host, "path": "/mine"}
    space.create(workload(container(space.cluster.demo_image)), service(), chainlit_app(route={"ingress": asked}))
    space.await_answer("/mine")
    space.await_ready()
    assert created_objects(space) == ["Ingress/chat"]
    space.kubectl("delete", "chainlitapp", "chat")
    eventually(lambda: space.find("Ingress"), lambda found: found is None)
    assert space.variable() == "/mine"


@pytest.mark.slow
def test_created_objects_are_released_to_a_ref(space: Space) -> None:
    space.create(created_app(space))
    space.await_answer("/chat")
    before, pods = space.get("Deployment"), [pod["metadata"]["uid"] for pod in space.pods()]

    app = chainlit_app(route={"ref": {"name": "chat"}})
    app["spec"]["workload"]["template"] = None
    app["spec"]["route"]["ingress"] = None
    space.patch("ChainlitApp", {"spec": app["spec"]})
    eventually(lambda: created_objects(space), lambda found: found == [])
    space.await_ready()
    after = space.get("Deployment")
    assert after["spec"] == before["spec"]
    assert [pod["metadata"]["uid"] for pod in space.pods()] == pods
    assert all(CREATOR not in managers(space.get(kind)) for kind in KINDS[:4])
    assert [e for e in space.objects("Event") if e["reason"] == "Released"]

    # The next owner may apply the whole without a conflict, and it stays when the ChainlitApp goes.
    image = [{"name": "chainlit", "image": "another:1"}]
    body = resource("Deployment", spec={"template": {"spec": {"containers": image}}})
    path = f"{path_of('Deployment', space.name, 'chat')}?fieldManager=helm&dryRun=All"
    space.kube.request("PATCH", path, body, APPLY_PATCH)
    space.kubectl("delete", "chainlitapp", "chat", "--cascade=foreground")
    eventually(lambda: space.find("ChainlitApp"), lambda found: found is None)
    assert space.find("Deployment") and space.find("Service") and space.find("Ingress")


@pytest.mark.slow
def test_taken_name(space: Space) -> None:
    space.create(ingress(space.host, "/theirs"))
    spec = space.get("Ingress")["spec"]
    space.create(created_app(space))
    found = space.await_condition("Ready", "False", "NameTaken")
    assert f"Ingress {space.name}/chat" in found.message
    assert created_objects(space) == []
    assert space.get("Ingress")["spec"] == spec
    assert not {OPERATOR, CREATOR} & managers(space.get("Ingress")).keys()

    space.kubectl("delete", "ingress", "chat")
    space.await_answer("/chat")
    space.await_ready()

    # Whoever deletes it in the foreground has nothing made anew meanwhile.
    space.kubectl("delete", "chainlitapp", "chat", "--cascade=foreground")
    eventually(lambda: created_objects(space), lambda found: found == [])


@pytest.mark.slow
def test_rival_of_a_created_object_is_not_fought_for_ever(space: Space) -> None:
    space.create(created_app(space, replicas=0))
    eventually(lambda: space.find("Deployment"))
    theirs = resource("Service", metadata={"labels": {"app.kubernetes.io/managed-by": "gitops"}})
    for _ in range(5):
        space.kube.apply(theirs, space.name, "gitops-controller")
        if not is_set_back(space):
            break
    found = space.await_condition("Ready", "False", "FieldContested")
    assert "'gitops-controller'" in found.message
    writes = [w for w in space.cluster.audit(space.name) if w["objectRef"]["resource"] == "services"]
    assert len(writes) == 3


def is_set_back(space: Space) -> bool:
    """Wait until either the label is the operator's or the operator has given up."""

    def seen() -> str | None:
        if space.get("Service")["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "chainlit-operator":
            return "set back"
        return "given up" if space.condition("Ready").reason == "FieldContested" else None

    return eventually(seen) == "set back"
