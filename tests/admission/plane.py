"""A bare API server with the operator's chart in it: its policies, its roles, and its account to write as."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chainlit_operator.kinds import registry
from tests.bench.controlplane import DRIVER, ControlPlane
from tests.bench.process import Process
from tests.charts import rendering
from tests.e2e.kube import Kube, KubeError
from tests.objects import Object, path_of
from tests.waiting import eventually

#: Where the release is, and who its operator is to the API server.
SYSTEM = "system"
ACCOUNT = f"system:serviceaccount:{SYSTEM}:op-chainlit-operator"
GROUPS = f"system:serviceaccounts,system:serviceaccounts:{SYSTEM}"

#: What a release has for the API server itself: kind → its path, in the order in which it is created.
APIS = {
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
    "ValidatingAdmissionPolicy": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
}
#: Optional kinds that the cluster has. Their rules are not what is tested here.
ESTABLISHED = ("HTTPRoute", "Rollout")


def definition_of(group: str, version: str, kind: str, plural: str) -> Object:
    """Return a CRD of a kind that takes any object. To server-side apply, each list in it is one field."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for tests"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


class Plane:
    """An API server without controllers; ``admin`` may do everything, ``account`` what the operator may."""

    def __init__(self, work: Path) -> None:
        self.control, self.work = ControlPlane(work), work
        self.connections: list[Kube] = []
        with (work / "tokens.csv").open("a") as tokens:
            tokens.write(f'{ACCOUNT}-token,{ACCOUNT},{ACCOUNT},"{GROUPS}"\n')

    def start(self, values: Mapping[str, Any] | None = None) -> None:
        """Start it with a release of the operator's chart. Raises ClusterError."""
        self.control.start()
        self.admin = Kube(str(self.control.kubeconfig(DRIVER)))
        # A colon would end the name of the file.
        self.kubeconfig = self.control.kubeconfig(ACCOUNT).rename(self.work / "account.kubeconfig")
        self.account = Kube(str(self.kubeconfig))
        self.connections = [self.admin, self.account]
        self.admin.ensure_namespace(SYSTEM)
        self.install(values)
        for name in ESTABLISHED:
            kind = registry.WATCHED[name]
            self.establish(definition_of(kind.group, kind.version, kind.kind, kind.plural))

    def install(self, values: Mapping[str, Any] | None = None) -> None:
        """Bring the cluster to what the chart renders with these values; with the defaults, wait until they count."""
        release = rendering.operator(values)
        for kind, path in APIS.items():
            wanted = {place(obj, path): obj for obj in release.all(kind)}
            for where, obj in wanted.items():
                query = "?fieldManager=helm&force=true"
                self.admin.request("PATCH", where + query, obj, "application/apply-patch+yaml")
            if kind == "CustomResourceDefinition":
                for obj in wanted.values():
                    self.established(obj["metadata"]["name"])
            else:
                self._remove(kind, set(wanted))
        if values is None:
            eventually(self.refuses_a_stranger)

    def stop(self) -> None:
        """Stop it."""
        for kube in self.connections:
            kube.close()
        self.control.stop()

    @contextmanager
    def operator(self, *options: str) -> Iterator[Path]:
        """Run the operator as its account, without verification; yields its log."""
        log = self.work / "operator.log"
        log.unlink(missing_ok=True)
        command = [sys.executable, "-m", "chainlit_operator", "run", "--kubeconfig", str(self.kubeconfig)]
        process = Process([*command, "--no-verification", "--listen", "127.0.0.1:0", *options], log)
        try:
            yield log
            process.check()
        finally:
            process.stop()

    def refuses_a_stranger(self) -> bool:
        """Whether roles and policies count by now: a Service that no ChainlitApp describes is refused."""
        ports = [{"name": "http", "port": 80}]
        stranger = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "stranger"}, "spec": {"ports": ports}}
        try:
            self.account.request("POST", f"{path_of('Service', 'default')}?dryRun=All", stranger)
        except KubeError as error:
            return "may create only" in error.message
        return False

    def establish(self, crd: Object) -> None:
        """Create a CRD and wait until it is served."""
        self.admin.request("POST", APIS["CustomResourceDefinition"], crd)
        self.established(crd["metadata"]["name"])

    def established(self, name: str) -> None:
        """Wait until a CRD is served."""

        def conditions() -> dict[str, str]:
            found = json.loads(self.admin.request("GET", f"{APIS['CustomResourceDefinition']}/{name}"))
            return {c["type"]: c["status"] for c in found.get("status", {}).get("conditions") or []}

        eventually(conditions, lambda found: found.get("Established") == "True")

    def _remove(self, kind: str, but: set[str]) -> None:
        """Remove what the release had of a kind with other values."""
        everywhere = APIS[kind].replace("/namespaces/{namespace}", "")
        query = "?labelSelector=app.kubernetes.io/instance%3Dop"
        for obj in json.loads(self.admin.request("GET", everywhere + query))["items"]:
            where = place(obj, APIS[kind])
            if where not in but:
                self.admin.request("DELETE", where)


def place(obj: Object, path: str) -> str:
    """Return the path of an object."""
    metadata = obj["metadata"]
    return f"{path.format(namespace=metadata.get('namespace', ''))}/{metadata['name']}"
