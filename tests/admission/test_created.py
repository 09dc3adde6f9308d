"""What the policy lets the operator create, change and delete, and that the operator needs no more than that."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator

import pytest

from tests.admission.plane import Plane
from tests.e2e.cluster import variable
from tests.e2e.demo import container, workload
from tests.e2e.kube import KubeError
from tests.objects import Object, chainlit_app, ingress, owner_reference, path_of, resource, service
from tests.waiting import eventually

APP = chainlit_app(
    "made",
    workload={"template": {"image": "demo:1"}},
    route={"ingress": {"host": "a.example", "path": "/made"}},
)
OWNED = {"ownerReferences": [owner_reference("made", "1234")]}
KINDS = ("Deployment", "Service", "ServiceAccount", "Ingress", "HTTPRoute")


def manifest(kind: str, name: str = "made") -> Object:
    """An object of each kind, as somebody else may have made it."""
    made = {
        "Deployment": workload(container("demo:1")),
        "Service": service(),
        "Ingress": ingress("a.example", "/made"),
        "HTTPRoute": resource("HTTPRoute", spec={}),
        "ServiceAccount": resource("ServiceAccount"),
    }[kind]
    made["metadata"] = {"name": name}
    return made


# ------------------------------------------------------------------------------------------- what the operator does


@pytest.fixture(scope="module")
def served(plane: Plane) -> Iterator[str]:
    """A namespace that the operator works in; nothing of what it did was refused."""
    namespace = "served"
    plane.admin.ensure_namespace(namespace)
    with plane.operator("--namespace", namespace) as log:
        yield namespace
    assert "denied request" not in log.read_text() and "orbidden" not in log.read_text(), log.read_text()


def written(plane: Plane, namespace: str, name: str, root_path: str) -> Object:
    return eventually(
        lambda: plane.admin.find("Deployment", namespace, name) or {},
        lambda found: found and variable(found) == root_path,
    )


def test_operator_adopts(plane: Plane, served: str) -> None:
    namespace = served
    for obj in (workload(container("demo")), service(), ingress("a.example", "/chat"), chainlit_app()):
        plane.admin.create(obj, namespace)
    written(plane, namespace, "chat", "/chat")
    move = {"spec": ingress("a.example", "/moved")["spec"]}
    plane.admin.patch("Ingress", namespace, "chat", move)
    written(plane, namespace, "chat", "/moved")
    plane.admin.patch("ChainlitApp", namespace, "chat", {"spec": {"suspend": True}})

    def managers() -> set[str]:
        found = plane.admin.get("Deployment", namespace, "chat")
        return {entry["manager"] for entry in found["metadata"]["managedFields"]}

    eventually(managers, lambda found: "chainlit-operator" not in found)


def test_operator_creates(plane: Plane, served: str) -> None:
    admin, namespace = plane.admin, served
    admin.create(APP, namespace)
    made = written(plane, namespace, "made", "/made")
    # Changed in its ChainlitApp, and by somebody else.
    pod = {"image": "demo:2", "podLabels": {"a": "b"}}
    admin.patch("ChainlitApp", namespace, "made", {"spec": {"workload": {"template": pod}}})
    eventually(lambda: admin.get("Deployment", namespace, "made"), lambda found: "demo:2" in json.dumps(found))
    admin.patch("Service", namespace, "made", {"spec": {"selector": {"app.kubernetes.io/instance": "other"}}})
    eventually(lambda: admin.get("Service", namespace, "made"), lambda found: "other" not in str(found["spec"]))
    # The other kind of route, in whose place nothing stays.
    gateway = {"parentRefs": [{"name": "edge"}], "hostnames": ["a.example"], "path": "/moved"}
    admin.patch("ChainlitApp", namespace, "made", {"spec": {"route": {"ingress": None, "gateway": gateway}}})
    written(plane, namespace, "made", "/moved")
    eventually(lambda: admin.find("Ingress", namespace, "made"), lambda found: found is None)
    # Left to others.
    left = {"spec": {"workload": {"template": None, "ref": {"name": "made"}}}}
    admin.patch("ChainlitApp", namespace, "made", left)
    for kind in ("Deployment", "Service", "ServiceAccount"):
        eventually(
            lambda kind=kind: admin.get(kind, namespace, "made")["metadata"],  # type: ignore[misc]
            lambda found: "ownerReferences" not in found,
        )
    assert admin.get("Deployment", namespace, "made")["metadata"]["uid"] == made["metadata"]["uid"]


def test_null_takes_a_default_away(plane: Plane, served: str) -> None:
    bare = copy.deepcopy(APP)
    bare["metadata"]["name"] = "bare"
    whole = ("resources", "podSecurityContext", "securityContext", "strategy", "lifecycle")
    bare["spec"]["workload"]["template"] |= dict.fromkeys(whole)
    bare["spec"]["route"]["ingress"]["path"] = "/bare"
    plane.admin.create(bare, served)
    made = written(plane, served, "bare", "/bare")
    pod = made["spec"]["template"]["spec"]
    assert pod.get("securityContext", {}) == {}
    (found,) = pod["containers"]
    assert {"securityContext", "lifecycle"}.isdisjoint(found) and not found.get("resources")


# --------------------------------------------------------------------------------------------- what a thief may not


def create(plane: Plane, namespace: str, obj: Object) -> None:
    plane.account.request("POST", f"{path_of(obj['kind'], namespace)}?dryRun=All", obj)


def refused(plane: Plane, namespace: str, obj: Object, named: str) -> None:
    with pytest.raises(KubeError) as error:
        create(plane, namespace, obj)
    assert error.value.code == 403, error.value
    assert "ValidatingAdmissionPolicy" in error.value.message and named in error.value.message, error.value


@pytest.mark.parametrize("kind", KINDS)
def test_created_for_chainlit_apps_only(plane: Plane, namespace: str, kind: str) -> None:
    create(plane, namespace, manifest(kind) | {"metadata": {"name": "made"} | OWNED})
    plural = path_of(kind, "").rpartition("/")[2]
    said = f"only what a ChainlitApp describes, with it as the only owner: {plural} {namespace}/made"
    refused(plane, namespace, manifest(kind), said)
    chat = owner_reference("made", "1234")
    for other in (
        [chat | {"apiVersion": "apps/v1", "kind": "Deployment"}],
        [chat | {"apiVersion": "evil.dev/chainlit-operator.dev"}],
        [{key: value for key, value in chat.items() if key != "controller"}],
        [chat, {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "5"}],
    ):
        refused(plane, namespace, manifest(kind) | {"metadata": {"name": "made", "ownerReferences": other}}, said)
    if kind != "ServiceAccount":
        named = manifest(kind) | {"metadata": {"name": "other"} | OWNED}
        refused(plane, namespace, named, "with the name of their ChainlitApp")


@pytest.mark.parametrize("kind", KINDS)
def test_what_others_made_is_not_touched(plane: Plane, namespace: str, kind: str) -> None:
    plane.admin.create(manifest(kind), namespace)
    with pytest.raises(KubeError, match="may delete only what a ChainlitApp has created"):
        plane.account.delete(kind, namespace, "made")
    with pytest.raises(KubeError, match=r"metadata\.ownerReferences|may change only what a ChainlitApp"):
        plane.account.patch(kind, namespace, "made", {"metadata": OWNED})
    with pytest.raises(KubeError, match=r"metadata\.labels|may change only what a ChainlitApp has created"):
        plane.account.patch(kind, namespace, "made", {"metadata": {"labels": {"a": "b"}}})


def test_what_it_made_stays_its_own(plane: Plane, namespace: str) -> None:
    made = manifest("Deployment") | {"metadata": {"name": "made"} | OWNED}
    plane.admin.create(made, namespace)
    plane.account.patch("Deployment", namespace, "made", {"metadata": {"labels": {"a": "b"}}})
    for owners in (
        [owner_reference("made", "1234"), {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "5"}],
        [owner_reference("made", "5")],
    ):
        with pytest.raises(KubeError, match=r"may not add metadata\.ownerReferences"):
            plane.account.patch("Deployment", namespace, "made", {"metadata": {"ownerReferences": owners}})
    plane.account.delete("Deployment", namespace, "made")


@pytest.mark.parametrize(
    "fields", [{"hostNetwork": True}, {"hostPID": True}, {"hostIPC": True}, {"nodeName": "node-1"}], ids=str
)
def test_pods_have_nothing_of_the_node(plane: Plane, namespace: str, fields: Object) -> None:
    made = manifest("Deployment") | {"metadata": {"name": "made"} | OWNED}
    pod = made["spec"]["template"]["spec"]
    pod |= fields
    refused(plane, namespace, made, "may not set hostNetwork, hostPID, hostIPC or nodeName of a pod")
    plane.admin.create(made, namespace)
    plane.account.patch("Deployment", namespace, "made", {"spec": {"replicas": 2}})
    for name in fields:
        del pod[name]


TOKEN: Object = {"serviceAccountToken": {"path": "token"}}
SETTINGS: Object = {"configMap": {"name": "settings"}}


def volumes(*sources: Object) -> list[Object]:
    """The volume that the container mounts, and one of these sources."""
    return [{"name": "tmp", "emptyDir": {}}, {"name": "mine", "projected": {"sources": list(sources)}}]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        pytest.param({"automountServiceAccountToken": None}, "spec.automountServiceAccountToken to false", id="unset"),
        pytest.param(
            {"automountServiceAccountToken": True}, "spec.automountServiceAccountToken to false", id="mounted"
        ),
        pytest.param({"volumes": volumes(SETTINGS, TOKEN)}, "spec.volumes[mine].projected.sources", id="projected"),
    ],
)
def test_pods_have_no_token(plane: Plane, namespace: str, fields: Object, named: str) -> None:
    made = manifest("Deployment") | {"metadata": {"name": "made"} | OWNED}
    pod = made["spec"]["template"]["spec"]
    pod["serviceAccountName"] = "theirs"
    plane.admin.create(made, namespace)
    change = {"spec": {"template": {"spec": fields}}}
    with pytest.raises(KubeError, match=r"ValidatingAdmissionPolicy.*spec\.workload\.ref") as error:
        plane.account.patch("Deployment", namespace, "made", change)
    assert named in error.value.message
    # What somebody else has given them is let be, and the rest still written.
    plane.admin.patch("Deployment", namespace, "made", change)
    plane.account.patch("Deployment", namespace, "made", {"metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 2}})
    with pytest.raises(KubeError, match=r"ValidatingAdmissionPolicy.*spec\.workload\.ref"):
        plane.account.patch(
            "Deployment", namespace, "made", {"spec": {"template": {"spec": {"nodeSelector": {"a": "b"}}}}}
        )
    pod |= fields
    refused(plane, namespace, made, named)


def test_pods_may_have_what_the_namespace_has(plane: Plane, namespace: str) -> None:
    made = manifest("Deployment") | {"metadata": {"name": "made"} | OWNED}
    made["spec"]["template"]["spec"]["volumes"] = volumes(SETTINGS, {"secret": {"name": "chat"}})
    create(plane, namespace, made)


@pytest.mark.parametrize("fields", [{"externalIPs": ["1.2.3.4"]}, {"type": "ExternalName", "externalName": "a.b"}])
def test_services_lead_to_pods(plane: Plane, namespace: str, fields: Object) -> None:
    made = manifest("Service") | {"metadata": {"name": "made"} | OWNED}
    made["spec"] |= fields
    refused(plane, namespace, made, "may not lead a Service to other addresses")
