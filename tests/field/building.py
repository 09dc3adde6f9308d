"""The form of a set-up, and short ways to write its objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chainlit_operator.kinds import registry
from tests import objects
from tests.objects import Object

NGINX, ALB = "nginx", "alb"
ALB_ANNOTATION, NGINX_ANNOTATION = "alb.ingress.kubernetes.io/", "nginx.ingress.kubernetes.io/"
TRAEFIK_ANNOTATION = "traefik.ingress.kubernetes.io/"
#: Stands for the host and the namespace of a set-up in its objects: all set-ups run at once in one cluster.
HOST, NAMESPACE = "HOST", "NAMESPACE"


@dataclass(frozen=True, slots=True)
class Expected:
    """The result for the app ``chat``.

    ``root`` and ``parent`` are the values of the two variables afterwards; ``""`` also stands for a variable that is
    not set. ``is_written`` says whether the operator writes to the workload, ``url`` is ``status.url``, ``probes`` has
    paths of HTTP probes, ``says`` a text that a condition's message or reason contains, ``not_says`` one that none
    contains, ``conditions`` statuses by type, and ``refused`` a text of the API server's refusal. A field that is None
    or empty is not compared.
    """

    root: str | None = None
    parent: str | None = None
    is_written: bool | None = None
    url: str | None = None
    probes: Mapping[str, str] = field(default_factory=dict)
    says: str = ""
    not_says: str = ""
    conditions: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""


@dataclass(frozen=True, slots=True)
class SetUp:
    """A set-up; ``title`` and ``result`` are its row in the documentation."""

    name: str
    title: str
    result: str
    expected: Expected
    objects: tuple[Object, ...]


def chat(
    *containers: Object, name: str = "chat", kind: str = "Deployment", replicas: int = 1, **container: Any
) -> Object:
    """Return a workload of one container at port 8000 with a readiness probe, or of other containers."""
    own: dict[str, Any] = {"port": 8000, "readinessProbe": objects.http_probe("/health", 8000)} | container
    containers = containers or (objects.container("chat", **own),)
    return objects.workload(*containers, name=name, kind=kind, replicas=replicas)


def path(path: str = "/chat", service: str = "chat", port: int = 80, type_: str = "Prefix") -> Object:
    """Return a path of an Ingress."""
    return objects.ingress_path(path, type_, service, port)


def glob(found: str, service: str = "chat", port: int = 80) -> Object:
    """Return a path whose type is ImplementationSpecific."""
    return path(found, service, port, "ImplementationSpecific")


def ingress(
    *paths: Object,
    name: str = "chat",
    class_: str | None = NGINX,
    host: str = HOST,
    tls: list[Object] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Object:
    """Return an Ingress of the set-up's host, by default at /chat."""
    rules = [objects.ingress_rule(*(paths or (path(),)), host=host)]
    return objects.ingress(name=name, rules=rules, ingress_class=class_, annotations=annotations, tls=tls)


def annotated(*paths: Object, annotations: Mapping[str, str], class_: str = NGINX, name: str = "chat") -> Object:
    """Return an Ingress with annotations."""
    return ingress(*paths, name=name, class_=class_, annotations=annotations)


def service(name: str = "chat", app: str = "chat", ports: Mapping[int, int] | None = None, **more: Any) -> Object:
    """Return a Service with ports, each with its target."""
    listed = [
        {"name": f"p{port}", "port": port, "targetPort": target} for port, target in (ports or {80: 8000}).items()
    ]
    return objects.service(name, app, ports=listed, **more)


def app(**spec: Any) -> Object:
    """Return the ChainlitApp."""
    return objects.chainlit_app(**spec)


def plain(
    name: str, title: str, result: str, expected: Expected, *given: Object, spec: Mapping[str, Any] | None = None
) -> SetUp:
    """Return a set-up; a workload, a Service and a ChainlitApp that are not given are the usual ones."""
    have = {(obj["kind"], obj["metadata"]["name"]) for obj in given}
    workloads = () if any((kind, "chat") in have for kind in registry.WORKLOADS) else (chat(),)
    services = () if ("Service", "chat") in have else (service(),)
    apps = () if ("ChainlitApp", "chat") in have else (app(**(spec or {})),)
    return SetUp(name, title, result, expected, (*workloads, *services, *given, *apps))


def env(**values: str) -> Mapping[str, str]:
    """Return variables of Chainlit by the ends of their names."""
    return {f"CHAINLIT_{name.upper()}": value for name, value in values.items()}


def http_route(namespace: str | None = None) -> Object:
    """Return an HTTPRoute at /chat, in another namespace if one is given."""
    backend = objects.backend_ref() | ({} if namespace is None else {"namespace": NAMESPACE})
    rule = objects.http_rule(objects.path_match(), backends=[backend])
    metadata = None if namespace is None else {"namespace": namespace}
    parents = [objects.gateway_ref("gw", "infra")]
    return objects.http_route(rule, hostnames=[HOST], parents=parents, metadata=metadata)


def virtual_service(*matches: Object, gateways: Sequence[str] | None = ("gw",), **rule: Any) -> Object:
    """Return a VirtualService of the set-up's host with one rule for the Service ``chat``."""
    return objects.virtual_service(objects.istio_rule(*matches, **rule), hosts=[HOST], gateways=gateways)


AT_CHAT, AT_ROOT = Expected(root="/chat", parent=""), Expected(root="", parent="")
STRIPPED = Expected(root="", parent="/chat")
STICKY = {f"{NGINX_ANNOTATION}affinity": "cookie"}
REGEX = {f"{NGINX_ANNOTATION}use-regex": "true"}


def rewritten(target: str) -> dict[str, str]:
    """Return the annotation of ingress-nginx that replaces the whole path."""
    return {f"{NGINX_ANNOTATION}rewrite-target": target}


def two(*names_and_ports: tuple[str, int, str]) -> Object:
    """Return a workload of several containers, given by name, port and the path of the readiness probe."""
    return chat(
        *(
            objects.container(name, port=port, readinessProbe=objects.http_probe(probe, port))
            for name, port, probe in names_and_ports
        )
    )
