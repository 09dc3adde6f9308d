"""kind, helm and kubectl in their pinned versions, and for those who ask: Helm 3, what makes and checks the charts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.cluster import cache, golang, kubernetes
from tests.cluster.versions import pinned

PACKAGES = {"kind": "sigs.k8s.io/kind", "helm": "helm.sh/helm/v4/cmd/helm"}
HELM3 = "helm.sh/helm/v3/cmd/helm"
HELM_SCHEMA = "github.com/losisin/helm-values-schema-json/v2"
HELM_DOCS = "github.com/norwoodj/helm-docs"
KUBECONFORM = "github.com/yannh/kubeconform"
KUBE_SCORE = "github.com/zegl/kube-score"
KUBECTL_VALIDATE = "sigs.k8s.io/kubectl-validate"
PROMETHEUS = "github.com/prometheus/prometheus"
HELM_UNITTEST = "github.com/helm-unittest/helm-unittest"
YAML_JSONPATH = "github.com/vmware-labs/yaml-jsonpath"
YAML_JSONPATH_FORK = "github.com/helm-unittest/yaml-jsonpath"
HELM_VERSION = "helm.sh/helm/v4/internal/version.version"  # charts read it as .Capabilities.HelmVersion


def ensure() -> None:
    """Build what is missing. Raises ClusterError."""
    for name in PACKAGES:
        _tool(name)
    kubernetes.kubectl()


def kind() -> Path:
    """Return the kind program."""
    return _tool("kind") / "kind"


def kubectl() -> Path:
    """Return the kubectl program."""
    return kubernetes.kubectl() / "kubectl"


def helm3() -> Path:
    """Return the program of Helm 3, which is not in the search path. Raises ClusterError."""
    version = pinned().helm3
    return (
        cache.entry("helm3", cache.key_of([HELM3, version]), lambda into: golang.install(HELM3, version, into)) / "helm"
    )


def helm_schema() -> Path:
    """Return the program that makes values.schema.json from values.yaml. Raises ClusterError."""
    return from_module("helm-schema", HELM_SCHEMA, HELM_SCHEMA, pinned().helm_schema)


def helm_docs() -> Path:
    """Return the program that makes the README of a chart. Raises ClusterError."""
    return from_module("helm-docs", HELM_DOCS, f"{HELM_DOCS}/cmd/helm-docs", pinned().helm_docs)


def kubeconform() -> Path:
    """Return the program that holds manifests to schemas. Raises ClusterError."""
    return from_module("kubeconform", KUBECONFORM, f"{KUBECONFORM}/cmd/kubeconform", pinned().kubeconform)


def kube_score() -> Path:
    """Return the program that judges how well manifests will run. Raises ClusterError."""
    return from_module("kube-score", KUBE_SCORE, f"{KUBE_SCORE}/cmd/kube-score", pinned().kube_score)


def kubectl_validate() -> Path:
    """Return the program that checks manifests as an API server does, without one. Raises ClusterError."""
    return from_module("kubectl-validate", KUBECTL_VALIDATE, KUBECTL_VALIDATE, pinned().kubectl_validate)


def prometheus() -> Path:
    """Return the program of Prometheus, without its pages and without discovery of clouds. Raises ClusterError."""
    return _of_prometheus("prometheus")


def promtool() -> Path:
    """Return the program that checks and tests the rules of Prometheus. Raises ClusterError."""
    return _of_prometheus("promtool")


def _of_prometheus(name: str) -> Path:
    package = f"{PROMETHEUS}/cmd/{name}"
    return from_module(name, PROMETHEUS, package, pinned().prometheus, tags=["remove_all_sd"])


def helm_unittest() -> Path:
    """Return the program that runs the suites in a chart's `tests`. Raises ClusterError."""
    fork = f"replace {YAML_JSONPATH} => {YAML_JSONPATH_FORK} {pinned().yaml_jsonpath}"
    package = f"{HELM_UNITTEST}/cmd/helm-unittest"
    return from_module("helm-unittest", HELM_UNITTEST, package, pinned().helm_unittest, fork)


def from_module(name: str, module: str, package: str, version: str, *directives: str, tags: Sequence[str] = ()) -> Path:
    """Return a program that is built in a module of our own.

    Not by `go install`: some proxies serve a version but not the list of them, and it obeys no `replace` of the module.
    """
    # As new as our oldest Go: an older module would have Go look at modules that nothing is built from.
    lines = [f"go {golang.OLDEST[0]}.{golang.OLDEST[1]}.0", *directives]

    def build(into: Path) -> None:
        with tempfile.TemporaryDirectory() as work:
            golang.build(Path(work), into, [package], requires={module: version}, directives=lines, tags=tags)

    (program,) = cache.entry(name, cache.key_of([package, version, *lines, *tags]), build).iterdir()
    return program


def directories() -> list[Path]:
    """Return the directories that hold the tools, whether they are built yet or not."""
    found = [cache.entry_path(name, _key(name)) for name in PACKAGES]
    return [*found, kubernetes.kubectl_path()]


def search_path() -> str:
    """Return PATH with the tools in front."""
    ours = [str(directory) for directory in directories()]
    rest = [entry for entry in os.environ.get("PATH", "").split(":") if entry and entry not in ours]
    return ":".join([*ours, *rest])


def _version(name: str) -> str:
    return {"kind": pinned().kind, "helm": pinned().helm}[name]


def _key(name: str) -> str:
    return cache.key_of([PACKAGES[name], _version(name), *_flags(name)])


def _flags(name: str) -> list[str]:
    return [f"-X={HELM_VERSION}={pinned().helm}"] if name == "helm" else []


def _tool(name: str) -> Path:
    return cache.entry(
        name, _key(name), lambda into: golang.install(PACKAGES[name], _version(name), into, _flags(name))
    )
