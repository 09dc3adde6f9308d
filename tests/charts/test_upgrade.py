"""The operator's chart from the previous version to this one and back, with its definition, on a bare API server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.bench.controlplane import DRIVER, ControlPlane
from tests.cluster import tools
from tests.cluster.console import run, wait_until
from tests.cluster.errors import ClusterError

from .generated import CHARTS
from .rendering import Object, load
from .test_package import PREVIOUS

CURRENT = CHARTS / "chainlit-operator"
DEFINITION = "crd/chainlitapps.chainlit-operator.dev"
NOW: Object = load((CURRENT / "files/chainlitapps.yaml").read_text(encoding="utf-8"))["spec"]["versions"]
APP = {
    "apiVersion": "chainlit-operator.dev/v1alpha1",
    "kind": "ChainlitApp",
    "metadata": {"name": "chat", "namespace": "default"},
    "spec": {"workload": {"ref": {"name": "chat"}}},
}


class Tools:
    """helm and kubectl against one API server."""

    def __init__(self, kubeconfig: Path, helm: str) -> None:
        self._environment = {"KUBECONFIG": str(kubeconfig)}
        self._helm = helm

    def helm(self, *arguments: str | Path) -> str:
        """Run helm in the operator's namespace. Raises ClusterError."""
        return run([self._helm, "--namespace", "system", *map(str, arguments)], env=self._environment)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl. Raises ClusterError."""
        return run([str(tools.kubectl()), *arguments], env=self._environment, stdin=stdin)

    def definition(self) -> Object:
        """Return the versions of the definition that the API server has."""
        found: Object = json.loads(self.kubectl("get", DEFINITION, "--output=json"))["spec"]["versions"]
        return found

    def apps(self) -> list[str]:
        """Return the names of all ChainlitApps."""
        return self.kubectl("get", "chainlitapps", "--all-namespaces", "--output=name").split()


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    made = ControlPlane(tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.mark.parametrize(
    "helm",
    [
        pytest.param(lambda: "helm", id="helm-4"),
        pytest.param(lambda: str(tools.helm3()), id="helm-3", marks=pytest.mark.slow),
    ],
)
def test_the_definition_is_upgraded_with_the_chart_and_kept(plane: ControlPlane, helm: Callable[[], str]) -> None:
    cluster = Tools(plane.kubeconfig(DRIVER), helm())
    (previous,) = PREVIOUS.glob("chainlit-operator-[0-9]*.tgz")
    cluster.helm("install", "op", previous, "--create-namespace")
    cluster.kubectl("wait", "--for=condition=Established", DEFINITION)
    before = cluster.definition()
    assert before != NOW, "the previous definition is another one, or nothing is shown"
    wait_until(lambda: _served(cluster), seconds=30, what="ChainlitApps to be served", interval=0.2)

    cluster.helm("upgrade", "op", CURRENT)
    assert cluster.definition() == NOW
    cluster.helm("rollback", "op", "1")
    assert cluster.definition() == before
    cluster.helm("upgrade", "op", CURRENT, "--reset-then-reuse-values")
    assert cluster.apps() == ["chainlitapp.chainlit-operator.dev/chat"]

    cluster.helm("uninstall", "op")
    assert not cluster.kubectl("--namespace=system", "get", "deployments,services", "--output=name")
    assert cluster.definition() == NOW
    assert cluster.apps() == ["chainlitapp.chainlit-operator.dev/chat"]

    with pytest.raises(ClusterError, match="ownership"):
        cluster.helm("install", "other", CURRENT)
    cluster.helm("install", "op", CURRENT)
    assert cluster.apps() == ["chainlitapp.chainlit-operator.dev/chat"]


def test_docs_keep_values_in_the_way_that_works() -> None:
    """With --reuse-values alone, values of the previous version are all that there are."""
    texts = [CHARTS.parent / "README.md", *CHARTS.parent.glob("docs/**/*.md")]
    texts += [*CHARTS.glob("*/README.md.gotmpl"), *CHARTS.glob("*/templates/NOTES.txt")]
    told = {text: text.read_text(encoding="utf-8") for text in texts}
    assert any(" --reset-then-reuse-values" in text for text in told.values())
    assert not [text.name for text, found in told.items() if " --reuse-values" in found]


def _served(cluster: Tools) -> bool:
    try:
        cluster.kubectl("apply", "--filename=-", stdin=json.dumps(APP))
    except ClusterError:
        return False
    return True
