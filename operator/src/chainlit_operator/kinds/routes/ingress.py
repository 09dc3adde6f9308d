"""Ingresses as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from msgspec import field

from chainlit_operator import ip_addresses
from chainlit_operator.domain import middlewares, model
from chainlit_operator.kinds.shared.fields import MAX_PATHS, SPLIT_REMEDY, TOO_MANY_PATHS
from chainlit_operator.kinds.shared.kind import AnnotatedMeta, RouteKind, route_decoder
from chainlit_operator.kube.codec import ApiStruct
from chainlit_operator.object_ref import Ref


class _Port(ApiStruct):
    name: str = ""
    number: int = 0


class _BackendService(ApiStruct):
    name: str
    port: _Port = field(default_factory=_Port)


class _Backend(ApiStruct):
    service: _BackendService | None = None


class _HttpPath(ApiStruct):
    backend: _Backend
    path: str = ""
    path_type: str = "ImplementationSpecific"


class _Http(ApiStruct):
    paths: list[_HttpPath] = field(default_factory=list)


class _Rule(ApiStruct):
    host: str = ""
    http: _Http = field(default_factory=_Http)


class _Tls(ApiStruct):
    hosts: list[str] = field(default_factory=list)


class _IngressSpec(ApiStruct):
    ingress_class_name: str = ""
    default_backend: _Backend | None = None
    rules: list[_Rule] = field(default_factory=list)
    tls: list[_Tls] = field(default_factory=list)


#: The annotation that named the class before ``spec.ingressClassName``.
_CLASS = "kubernetes.io/ingress.class"
#: With none of these, a path is no expression to any controller.
_REGEX_CHARACTERS = frozenset("()[]{}*+?^$|\\")


def _matching(path: str, path_type: str) -> model.Matching:
    """Return how the path is compared. Whether it is an expression depends on the controller."""
    if path_type == "Exact":
        return model.Matching.EXACT
    is_plain = path_type != "ImplementationSpecific" or _REGEX_CHARACTERS.isdisjoint(path)
    return model.Matching.PREFIX if is_plain else model.Matching.UNKNOWN


class _LoadBalancerAddress(ApiStruct):
    ip: str = ""
    hostname: str = ""


class _LoadBalancer(ApiStruct):
    ingress: list[_LoadBalancerAddress] = field(default_factory=list)


class _IngressStatus(ApiStruct):
    load_balancer: _LoadBalancer = field(default_factory=_LoadBalancer)


class Ingress(ApiStruct):
    """An Ingress."""

    metadata: AnnotatedMeta
    spec: _IngressSpec = field(default_factory=_IngressSpec)
    status: _IngressStatus = field(default_factory=_IngressStatus)

    def to_domain(self) -> model.Route:
        """Return the domain's record of it."""
        meta, spec = self.metadata, self.spec
        entries = [(rule.host, entry) for rule in spec.rules for entry in rule.http.paths]
        found = [_path(host, entry) for host, entry in entries[:MAX_PATHS]]
        found += _fallbacks(spec.default_backend, found) if spec.default_backend is not None else ()
        return model.Route(
            ref=Ref("Ingress", meta.namespace, meta.name),
            resource_version=meta.resource_version,
            created=meta.creation_timestamp or "",
            paths=tuple(found),
            attachments=(model.ingress_class(spec.ingress_class_name or meta.annotations.get(_CLASS, "")),),
            origins=tuple(self._origins()),
            refusal=TOO_MANY_PATHS if len(entries) > MAX_PATHS else "",
            refusal_remedy=SPLIT_REMEDY if len(entries) > MAX_PATHS else "",
        )

    def _origins(self) -> Iterator[model.Origin]:
        """Yield http for all hosts, and https for the hosts that have a certificate."""
        found = next((a.hostname or a.ip for a in self.status.load_balancer.ingress), "")
        address = ip_addresses.in_url(found)
        for host in dict.fromkeys(host for tls in self.spec.tls for host in (tls.hosts or [""])):
            yield model.Origin(host, is_secure=True, address="" if host else address)
        yield model.Origin("", is_secure=False, address=address)


def _fallbacks(backend: _Backend, found: list[model.RoutePath]) -> Iterator[model.RoutePath]:
    """Yield the paths of the default backend: all that no other path takes, on the hosts of the rules and on any host.

    There is none for a Service that has a path of its own: that one says where the Service's app is.
    """
    fallback = replace(_path("", _HttpPath(backend, "/", "Prefix")), is_fallback=True)
    if not found or (fallback.service and all(path.service != fallback.service for path in found)):
        for host in dict.fromkeys([*(path.host for path in found), ""]):
            yield replace(fallback, host=host)


def _path(host: str, entry: _HttpPath) -> model.RoutePath:
    # A resource backend is no Chainlit app, but it takes requests too.
    service, path = entry.backend.service or _BackendService(name=""), entry.path or "/"
    # To every controller an entry without a path is for all of them, whatever it makes of the type of others.
    path_type = entry.path_type if entry.path else "Prefix"
    return model.RoutePath(
        host=host,
        path=path,
        path_type=path_type,
        service=service.name,
        port=service.port.name or service.port.number,
        matching=_matching(path, path_type),
    )


KIND = RouteKind(
    kind="Ingress",
    group="networking.k8s.io",
    version="v1",
    plural="ingresses",
    decode=route_decoder(Ingress),
    purpose="An Ingress has the path of an app. The operator writes only those that a ChainlitApp describes.",
    is_created=True,
    compose=middlewares.compose,
    dependencies=("Middleware",),
)
