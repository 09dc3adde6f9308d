"""What the operator's roles allow: every resource and verb that the API server knows, and what a thief would try."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from chainlit_operator.kinds import registry
from tests.admission.plane import ACCOUNT, SYSTEM, Plane
from tests.admission.test_created import APP
from tests.charts.rights import WITH_CREATION, WITHOUT_CREATION, Rights
from tests.e2e.cluster import variable
from tests.e2e.demo import container, workload
from tests.e2e.kube import KubeError
from tests.objects import Object, chainlit_app, ingress, service
from tests.waiting import eventually

VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
#: What no list of the API server has.
HIDDEN = {
    ("rbac.authorization.k8s.io", "roles"): ("bind", "escalate"),
    ("rbac.authorization.k8s.io", "clusterroles"): ("bind", "escalate"),
    ("", "users"): ("impersonate",),
    ("", "groups"): ("impersonate",),
    ("", "serviceaccounts"): ("impersonate",),
    ("certificates.k8s.io", "signers"): ("sign", "approve"),
    **{(kind.group, kind.plural): VERBS for kind in registry.WATCHED.values() if kind.is_optional},
}
#: Somebody without a role, but for those that everybody has.
STRANGER = "system:serviceaccount:other:other"
LEASES = {("coordination.k8s.io", "leases"): {"create"}}


def resources(plane: Plane) -> Iterator[tuple[str, str, str]]:
    """Yield group, resource and verb of all that can be asked of this API server."""
    groups = json.loads(plane.admin.request("GET", "/apis"))["groups"]
    versions = ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups)]
    seen = {(group, name, verb) for (group, name), verbs in HIDDEN.items() for verb in verbs}
    for path in versions:
        found = json.loads(plane.admin.request("GET", path))
        group = found["groupVersion"].rpartition("/")[0]
        # Also the verbs that a resource does not have today.
        seen |= {(group, resource["name"], verb) for resource in found["resources"] for verb in VERBS}
    yield from sorted(seen)


def may(plane: Plane, user: str, namespace: str, group: str, name: str, verb: str) -> bool:
    resource, _, subresource = name.partition("/")
    asked = {"group": group, "resource": resource, "subresource": subresource, "verb": verb, "namespace": namespace}
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{user.split(':')[2]}", "system:authenticated"]
    body: Object = {"spec": {"user": user, "groups": groups, "resourceAttributes": asked}}
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    return bool(json.loads(plane.admin.request("POST", path, body))["status"]["allowed"])


def granted(plane: Plane, namespace: str) -> Rights:
    """What the account may do in a namespace that a stranger may not."""
    with ThreadPoolExecutor(8) as pool:
        asked = list(resources(plane))
        assert len(asked) > 500
        answers = pool.map(lambda each: may(plane, ACCOUNT, namespace, *each), asked)
        found: Rights = {}
        for (group, name, verb), is_allowed in zip(asked, answers, strict=True):
            if is_allowed and not may(plane, STRANGER, namespace, group, name, verb):
                found.setdefault((group, name), set()).add(verb)
    return found


@pytest.fixture
def restored(plane: Plane) -> Iterator[Plane]:
    """The API server, with the chart's defaults again afterwards."""
    yield plane
    plane.install()


def test_rights_in_all_namespaces(plane: Plane, namespace: str) -> None:
    assert granted(plane, namespace) == WITH_CREATION
    assert granted(plane, SYSTEM) == WITH_CREATION | LEASES


def test_rights_in_one_namespace(restored: Plane, namespace: str) -> None:
    restored.admin.ensure_namespace("elsewhere")
    restored.install({"watchNamespaces": [namespace], "creation": {"enabled": False}})
    eventually(lambda: granted(restored, namespace), lambda found: found == WITHOUT_CREATION)
    eventually(lambda: granted(restored, "elsewhere"), lambda found: found == {})
    assert granted(restored, SYSTEM) == LEASES


#: method, path, body; all of them by somebody who has the token.
ATTEMPTS: list[tuple[str, str, Object | None]] = [
    ("GET", "/api/v1/namespaces/{namespace}/secrets", None),
    ("GET", "/api/v1/secrets", None),
    ("GET", "/api/v1/namespaces/{namespace}/configmaps/settings", None),
    ("GET", "/api/v1/namespaces", None),
    ("GET", "/api/v1/nodes", None),
    ("GET", "/api/v1/namespaces/{namespace}/pods/chat/log", None),
    ("POST", "/api/v1/namespaces/{namespace}/pods/chat/exec?command=sh", None),
    ("POST", "/api/v1/namespaces/{namespace}/pods", {"metadata": {"name": "a"}}),
    ("POST", "/apis/apps/v1/namespaces/{namespace}/statefulsets", {"metadata": {"name": "a"}}),
    ("POST", "/apis/batch/v1/namespaces/{namespace}/jobs", {"metadata": {"name": "a"}}),
    ("DELETE", "/apis/apps/v1/namespaces/{namespace}/deployments", None),
    ("PUT", "/apis/apps/v1/namespaces/{namespace}/deployments/chat/scale", {"spec": {"replicas": 0}}),
    ("POST", "/api/v1/namespaces/{namespace}/serviceaccounts/admin/token", {"spec": {}}),
    ("POST", "/apis/chainlit-operator.dev/v1alpha1/namespaces/{namespace}/chainlitapps", chainlit_app()),
    ("DELETE", "/apis/chainlit-operator.dev/v1alpha1/namespaces/{namespace}/chainlitapps/chat", None),
    ("POST", "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases", {"metadata": {"name": "a"}}),
    ("DELETE", "/apis/coordination.k8s.io/v1/namespaces/system/leases/op-chainlit-operator", None),
    ("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {"metadata": {"name": "a"}}),
    ("PUT", "/apis/rbac.authorization.k8s.io/v1/clusterroles/op-chainlit-operator", {"rules": []}),
    (
        "DELETE",
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/op-chainlit-operator.system.adopted",
        None,
    ),
    ("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/chainlitapps.chainlit-operator.dev", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ATTEMPTS, ids=lambda each: each if isinstance(each, str) else "")
def test_refused(plane: Plane, namespace: str, method: str, path: str, body: Object | None) -> None:
    with pytest.raises(KubeError, match=rf'^403: .*User "{ACCOUNT}" cannot '):
        plane.account.request(method, path.format(namespace=namespace), body)


def test_app_that_wants_creation_is_told_who_forbids_it(restored: Plane, namespace: str) -> None:
    restored.install({"creation": {"enabled": False}})
    admin = restored.admin
    for obj in (APP, workload(container("demo")), service(), ingress("a.example", "/chat"), chainlit_app()):
        admin.create(obj, namespace)

    def aligned() -> Object:
        conditions = admin.get("ChainlitApp", namespace, "made").get("status", {}).get("conditions", [])
        found: Object = {c["type"]: c for c in conditions}.get("Aligned", {})
        return found

    with restored.operator("--namespace", namespace):
        found = eventually(aligned, lambda found: found.get("reason") == "Forbidden")
        assert found["status"] == "False"
        assert any(f"ServiceAccount may not {verb} " in found["message"] for verb in ("patch", "create"))
        assert "grants it unless rbac.create or creation.enabled is false." in found["message"]
        # Others are served as before.
        eventually(
            lambda: admin.get("Deployment", namespace, "chat"), lambda deployment: variable(deployment) == "/chat"
        )
