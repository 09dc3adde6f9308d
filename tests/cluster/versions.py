"""The pinned versions, read from versions.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
FILES = PACKAGE / "files"
REPOSITORY = PACKAGE.parent.parent


@dataclass(frozen=True)
class Versions:
    """Versions of everything that is fetched or built."""

    kind: str
    helm: str
    helm3: str
    kubernetes: str
    kubernetes_oldest: str
    helm_schema: str
    helm_docs: str
    kubeconform: str
    kube_score: str
    kubectl_validate: str
    helm_unittest: str
    yaml_jsonpath: str
    charts_kubernetes: tuple[str, ...]
    prometheus_operator: str
    argo_cd: str
    flux: Mapping[str, str]
    prometheus: str
    actionlint: str
    distribution: str
    crane: str
    cosign: str
    gopher_lua: str
    node_registry: str
    node_suite: str
    etcd: str
    coredns: str
    traefik: str
    traefik_crds: str
    gateway_api: str
    contour: str
    envoy: str
    chainlit: str
    python: str
    python_image: str
    versitygw: str
    oauth2_proxy: str


@cache
def pinned() -> Versions:
    """Return the versions that this checkout uses."""
    data = tomllib.loads((PACKAGE / "versions.toml").read_text())
    return Versions(
        kind=data["tools"]["kind"],
        helm=data["tools"]["helm"],
        helm3=data["tools"]["helm3"],
        kubernetes=data["tools"]["kubernetes"],
        kubernetes_oldest=data["tools"]["kubernetes_oldest"],
        helm_schema=data["charts"]["helm_schema"],
        helm_docs=data["charts"]["helm_docs"],
        kubeconform=data["charts"]["kubeconform"],
        kube_score=data["charts"]["kube_score"],
        kubectl_validate=data["charts"]["kubectl_validate"],
        helm_unittest=data["charts"]["helm_unittest"],
        yaml_jsonpath=data["charts"]["yaml_jsonpath"],
        charts_kubernetes=tuple(data["charts"]["kubernetes"]),
        prometheus_operator=data["charts"]["prometheus_operator"],
        argo_cd=data["charts"]["argo_cd"],
        flux=data["charts"]["flux"],
        prometheus=data["charts"]["prometheus"],
        **data["release"],
        node_registry=data["node"]["registry"],
        node_suite=data["node"]["suite"],
        etcd=data["node"]["etcd"],
        coredns=data["node"]["coredns"],
        traefik=data["ingress"]["traefik"],
        traefik_crds=data["ingress"]["traefik_crds"],
        gateway_api=data["ingress"]["gateway_api"],
        contour=data["ingress"]["contour"],
        envoy=data["ingress"]["envoy"],
        chainlit=data["demo"]["chainlit"],
        python=data["demo"]["python"],
        python_image=data["demo"]["base"],
        **data["servers"],
    )
