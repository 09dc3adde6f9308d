"""Kubernetes' own programs, built from its Go module."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.cluster import cache, golang
from tests.cluster.versions import pinned

MODULE = "k8s.io/kubernetes"
CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
NODE_PROGRAMS = (*CONTROL_PLANE, "kube-proxy", "kubelet", "kubeadm")


def kubectl() -> Path:
    """Return the directory that holds kubectl."""
    return _programs("kubectl", ["kubectl"], pinned().kubernetes)


def kubectl_path() -> Path:
    """Return where kubectl's directory is, or would be."""
    return cache.entry_path("kubectl", _key(["kubectl"], pinned().kubernetes))


def node_programs() -> Path:
    """Return the directory that holds what runs in a node."""
    return _programs("kubernetes", NODE_PROGRAMS, pinned().kubernetes)


def oldest_apiserver() -> Path:
    """Return kube-apiserver of the oldest release that the charts take."""
    return _programs("kubernetes-oldest", ["kube-apiserver"], pinned().kubernetes_oldest) / "kube-apiserver"


def _key(names: Sequence[str], version: str) -> str:
    return cache.key_of([version, *names, *version_flags(version)])


def _programs(entry: str, names: Sequence[str], version: str) -> Path:
    return cache.entry(entry, _key(names, version), lambda into: _build(names, into, version))


def _build(names: Sequence[str], into: Path, version: str) -> None:
    go_mod = Path(golang.module_info(MODULE, version)["GoMod"]).read_text()
    # The module itself replaces its parts by directories which the published module does not have; the same
    # code is published part by part, with the major version 0.
    part = re.sub(r"^v1\.", "v0.", version)
    with tempfile.TemporaryDirectory(prefix="kubernetes-") as work:
        golang.build(
            Path(work),
            into,
            [f"{MODULE}/cmd/{name}" for name in names],
            requires={MODULE: version},
            replaces=dict.fromkeys(golang.staged_modules(go_mod), part),
            directives=re.findall(r"^(?:go|godebug) [^(\n]+$", go_mod, flags=re.MULTILINE),
            ldflags=version_flags(version),
        )


def version_flags(version: str) -> list[str]:
    """Return the linker flags without which kubeadm takes itself for v0.0.0."""
    major, minor = version.removeprefix("v").split(".")[:2]
    values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return [f"-X={package}.{name}={value}" for package in packages for name, value in values.items()]
