"""The ways in which a user installs a release: Helm, kubectl with install.yaml, and what Argo CD does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.console import run
from tests.cluster.errors import ClusterError
from tests.cluster.kindcluster import KindCluster
from tests.release.home import Home
from tests.release.package import NAMESPACE

#: Each release has the name of its namespace.
OPERATOR, CHAT = NAMESPACE, "chat"
CRD = "chainlitapps.chainlit-operator.dev"
CONTROLLER = ("--server-side", "--force-conflicts", "--field-manager=argocd-controller")


@dataclass(frozen=True)
class Site:
    """A cluster, and the release that is installed there: its home, version and files, and the values of the chat."""

    cluster: KindCluster
    home: Home
    version: str
    install: Path
    values: Path

    def helm(self, verb: str, *arguments: str | Path) -> str:
        """Run helm against the cluster and return what it prints. Raises ClusterError."""
        return run(["helm", verb, f"--kubeconfig={self.cluster.files.kubeconfig}", *arguments], timeout=400)

    def chart(self, name: str) -> list[str]:
        """Return the words that name a chart in the registry to helm."""
        return [f"{self.home.charts}/{name}", f"--version={self.version}", "--plain-http"]

    def render(self, namespace: str, chart: str, *options: str) -> str:
        """Return the objects of a chart; without the pods of `helm test`. Raises ClusterError."""
        return self.helm(
            "template", namespace, *self.chart(chart), f"--namespace={namespace}", "--skip-tests", *options
        )

    def render_chat(self) -> str:
        """Return the objects of the chat. Raises ClusterError."""
        return self.render(CHAT, "chainlit", f"--values={self.values}")

    def kubectl(self, *arguments: str | Path, stdin: str | None = None) -> str:
        """Run kubectl against the cluster and return what it prints. Raises ClusterError."""
        return self.cluster.kubectl(*arguments, stdin=stdin, timeout=320)

    def wait_for_operator(self) -> None:
        """Wait until the operator runs. Raises ClusterError."""
        self.kubectl("wait", "--for=condition=Established", "--timeout=60s", f"crd/{CRD}")
        self.kubectl("--namespace", OPERATOR, "rollout", "status", f"deployment/{OPERATOR}", "--timeout=300s")

    def wait_for_chat(self) -> None:
        """Wait until the operator calls the chat Ready. Raises ClusterError."""
        self.kubectl("--namespace", CHAT, "wait", "--for=condition=Ready", "--timeout=300s", f"chainlitapp/{CHAT}")


@dataclass(frozen=True)
class Way:
    """A way to install, and to remove all that it installed; ``title`` says it in words."""

    title: str
    install: Callable[[Site], None]
    remove: Callable[[Site], None]


def by_helm(site: Site) -> None:
    """Install both charts from the registry, and run `helm test`."""
    options = ["--create-namespace", "--wait", "--timeout=5m"]
    site.helm("install", OPERATOR, *site.chart("chainlit-operator"), f"--namespace={OPERATOR}", *options)
    site.helm("install", CHAT, *site.chart("chainlit"), f"--namespace={CHAT}", f"--values={site.values}", *options)
    site.wait_for_chat()
    site.helm("test", CHAT, f"--namespace={CHAT}")


def remove_by_helm(site: Site) -> None:
    """Uninstall both releases, and remove what Helm keeps: the CRD, and the namespaces."""
    for name in (CHAT, OPERATOR):
        site.helm("uninstall", name, f"--namespace={name}", "--wait", "--timeout=3m")
    site.kubectl("delete", "crd", CRD)
    site.kubectl("delete", "namespace", CHAT, OPERATOR)


def by_kubectl(site: Site) -> None:
    """Apply install.yaml, then the chat as `helm template` prints it."""
    site.kubectl("apply", f"--filename={site.install}")
    site.wait_for_operator()
    site.kubectl("create", "namespace", CHAT)
    site.kubectl("apply", f"--namespace={CHAT}", "--filename=-", stdin=site.render_chat())
    site.wait_for_chat()


def remove_by_kubectl(site: Site) -> None:
    """Delete the chat, then what install.yaml has."""
    site.kubectl("delete", "namespace", CHAT)
    site.kubectl("delete", f"--filename={site.install}")


def as_argo_cd(site: Site) -> None:
    """Apply both charts on the server's side as Argo CD's field manager does, and again: nothing may change."""
    for namespace in (OPERATOR, CHAT):
        site.kubectl("create", "namespace", namespace)
    operator = site.render(OPERATOR, "chainlit-operator")
    sync(site, OPERATOR, operator)
    site.wait_for_operator()
    chat = site.render_chat()
    sync(site, CHAT, chat)
    site.wait_for_chat()
    for namespace, objects in ((OPERATOR, operator), (CHAT, chat)):
        before = marks(site, namespace, objects)
        sync(site, namespace, objects)
        if found := changed(before, marks(site, namespace, objects)):
            raise ClusterError(f"a second sync of an unchanged chart changes {', '.join(found)}")
    site.wait_for_chat()


def remove_as_argo_cd(site: Site) -> None:
    """Delete the chat, then the operator."""
    site.kubectl("delete", "namespace", CHAT)
    site.kubectl("delete", f"--namespace={OPERATOR}", "--filename=-", stdin=site.render(OPERATOR, "chainlit-operator"))
    site.kubectl("delete", "namespace", OPERATOR)


def sync(site: Site, namespace: str, objects: str) -> None:
    """Apply objects as Argo CD does with ServerSideApply. Raises ClusterError."""
    site.kubectl("apply", *CONTROLLER, f"--namespace={namespace}", "--filename=-", stdin=objects)


def marks(site: Site, namespace: str, objects: str) -> dict[str, str]:
    """Return what changes with each object. Raises ClusterError."""
    got = site.kubectl("get", f"--namespace={namespace}", "--filename=-", "--output=json", stdin=objects)
    return {name_of(found): mark(found) for found in json.loads(got)["items"]}


def name_of(found: Mapping[str, Any]) -> str:
    """Return kind and name of an object."""
    return f"{found['kind']} {found['metadata']['name']}"


def mark(found: Mapping[str, Any]) -> str:
    """Return what changes when an object is written: its generation, which has nothing of status, else its version."""
    metadata = found["metadata"]
    return str(metadata.get("generation") or metadata["resourceVersion"])


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the names of the objects that were written in between."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


WAYS = (
    Way("helm install oci://…", by_helm, remove_by_helm),
    Way("kubectl apply -f install.yaml", by_kubectl, remove_by_kubectl),
    Way("helm template and server-side apply, as Argo CD does", as_argo_cd, remove_as_argo_cd),
)
