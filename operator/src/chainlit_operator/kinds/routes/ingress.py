"""Ingresses as JSON, with the annotations that change a path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain, islice

from msgspec import Struct, convert, field

from chainlit_operator.domain import middlewares, model, rewrites
from chainlit_operator.ingress_controllers.unknown import (
    F5_REGEX,
    KONG_STRIP,
    MAY_REWRITE,
    SHOWN,
    is_true,
    kong_strips,
    unread,
)
from chainlit_operator.kinds.shared.fields import MAX_PATHS, SPLIT_REMEDY, TOO_MANY_PATHS
from chainlit_operator.kinds.shared.kind import RouteKind, decoding
from chainlit_operator.kube.codec import ApiStruct, Meta
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


_ANNOTATIONS = {
    "class_name": "kubernetes.io/ingress.class",
    "traefik_middlewares": "traefik.ingress.kubernetes.io/router.middlewares",
    "nginx_canary": "nginx.ingress.kubernetes.io/canary",
    "nginx_target": "nginx.ingress.kubernetes.io/rewrite-target",
    "nginx_regex": "nginx.ingress.kubernetes.io/use-regex",
    "f5_rewrites": "nginx.org/rewrites",
    "f5_regex": F5_REGEX,
    "haproxy_ingress_target": "haproxy-ingress.github.io/rewrite-target",
    "haproxy_rewrite": "haproxy.org/path-rewrite",
    "contour_sockets": "projectcontour.io/websocket-routes",
    "contour_class": "projectcontour.io/ingress.class",
}
#: Those of which it is known what they do; of :data:`MAY_REWRITE` and others like them it is not.
_READ = frozenset({*_ANNOTATIONS.values(), KONG_STRIP} - MAY_REWRITE)
_REGEX_CHARACTERS = frozenset("()[]{}*+?^$|\\")
#: What makes Contour read a path as an expression (``internal/dag/ingress_processor.go`` of v1.33.8).
_CONTOUR_REGEX_CHARACTERS = frozenset("^+*[]%")
#: What the AWS Load Balancer Controller does to requests for the Service whose name follows.
_AWS_TRANSFORMS = "alb.ingress.kubernetes.io/transforms."
#: What makes Kong read a path of type ImplementationSpecific as an expression.
_KONG_REGEX_PREFIX = "/~/"
#: A replacement of HAProxy's without functions, and of groups only what the expression's own give.
_HAPROXY_FORMAT = re.compile(r"(?:[A-Za-z0-9/._~-]|\\[1-9])+")


class _Annotations(Struct, rename=_ANNOTATIONS):
    """The annotations of ingress controllers that decide about a path and are understood."""

    class_name: str = ""
    traefik_middlewares: str = ""
    nginx_canary: str = ""
    nginx_target: str = ""
    nginx_regex: str = ""
    f5_rewrites: str = ""
    f5_regex: str = ""
    haproxy_ingress_target: str = ""
    haproxy_rewrite: str = ""
    contour_sockets: str = ""
    contour_class: str = ""

    def is_contours(self, class_name: str) -> bool:
        """Whether Contour serves an Ingress of that class.

        Contour goes by the class's name, ``contour`` unless told otherwise, and reads no IngressClass. Under another
        name its own annotation gives it away.
        """
        return bool(self.contour_sockets) or (self.contour_class or self.class_name or class_name) == "contour"

    def matching(self, path: str, path_type: str, *, is_contours: bool = False) -> model.Matching:
        """How the path is compared. Whether an expression is one depends on the controller, which annotations show."""
        if path_type == "Exact":
            return model.Matching.EXACT
        if is_contours and path_type == "ImplementationSpecific":
            is_plain = _CONTOUR_REGEX_CHARACTERS.isdisjoint(path)
            return model.Matching.PREFIX if is_plain else model.Matching.REGULAR_EXPRESSION
        if path_type == "ImplementationSpecific" and path.startswith(_KONG_REGEX_PREFIX):
            return model.Matching.UNKNOWN
        if path_type != "ImplementationSpecific" or _REGEX_CHARACTERS.isdisjoint(path):
            return model.Matching.PREFIX
        is_read = self.nginx_target or is_true(self.nginx_regex) or self.f5_regex
        return model.Matching.REGULAR_EXPRESSION if is_read else model.Matching.UNKNOWN


class _Rules:
    """What the annotations say, read once for all paths of an Ingress: both may be many, and long."""

    def __init__(self, annotations: _Annotations, found: Mapping[str, str]) -> None:
        self._annotations, self._found, self._is_stripped = annotations, found, kong_strips(found)
        entries = [entry.strip() for entry in annotations.traefik_middlewares.split(",")]
        named = [entry.partition("@") for entry in entries if entry]
        #: Traefik Middlewares of the cluster, as ``namespace-name``.
        self.middlewares = tuple(name for name, _, provider in named if provider == "kubernetescrd")
        elsewhere = (f"{name}@{provider}" for name, _, provider in named if provider != "kubernetescrd")
        unknown = (rewrites.Unknown(f"Traefik middleware {name[:SHOWN]}") for name in elsewhere)
        #: One is enough to say that the path may change.
        self._unknown = tuple(islice(chain(unread(found, _READ), unknown), 1))
        self._sockets = {entry.strip() for entry in annotations.contour_sockets.split(",")}
        self._haproxy_words = annotations.haproxy_rewrite.split()
        self._haproxy_pattern = (
            rewrites.parse_pattern(self._haproxy_words[0]) if len(self._haproxy_words) == 2 else None
        )
        self._f5_targets = _f5_targets(annotations.f5_rewrites)

    def transforms(self, path: str, service: str) -> Iterator[rewrites.Transform]:
        """What becomes of a path on its way to a Service, Traefik's Middlewares aside."""
        annotations = self._annotations
        if annotations.nginx_target and annotations.nginx_target != path:  # which ingress-nginx leaves alone
            yield rewrites.RewriteWholePath(path, annotations.nginx_target)
        if annotations.haproxy_ingress_target:
            yield rewrites.ReplacePrefixMatch(annotations.haproxy_ingress_target)
        if self._is_stripped:
            yield rewrites.ReplacePrefixMatch("/")
        yield from self._haproxy(path)
        target, *others = self._f5_targets.get(service, (None,))
        # NGINX replaces the very text of the path, so one slash too many or too few stays in what is left.
        if others:
            yield rewrites.Unknown(f"the annotation {_ANNOTATIONS['f5_rewrites']} with several rewrites for a Service")
        elif target is not None and path.endswith("/") == target.endswith("/"):
            yield rewrites.ReplacePrefixMatch(target)
        elif target is not None:
            yield rewrites.Unknown(f"the annotation {_ANNOTATIONS['f5_rewrites']} for a path with another end")
        yield from self._unknown
        if "url-rewrite" in self._found.get(f"{_AWS_TRANSFORMS}{service}", ""):
            yield rewrites.Unknown(f"the annotation {_AWS_TRANSFORMS}{service} with a url-rewrite")

    def _haproxy(self, path: str) -> Iterator[rewrites.Transform]:
        """What ``expression replacement`` makes of the whole path; a replacement alone takes the place of any path.

        HAProxy finds the expression anywhere in a path; what it makes of one can be told only where it is found at the
        beginning.
        """
        words, pattern = self._haproxy_words, self._haproxy_pattern
        is_found = pattern is not None and f"{path.rstrip('/')}/".startswith(f"{pattern.prefix}/")
        if len(words) == 1 and "\\" not in words[0]:
            yield rewrites.ReplaceFullPath(words[0])
        elif is_found and _HAPROXY_FORMAT.fullmatch(words[1]):
            yield rewrites.RewriteWholePath(words[0], re.sub(r"\\(\d)", r"${\1}", words[1]))
        elif words:
            told = self._annotations.haproxy_rewrite[:SHOWN]
            yield rewrites.Unknown(f"the annotation {_ANNOTATIONS['haproxy_rewrite']}: {told}")

    def passes_web_socket(self, path: str) -> bool:
        """Whether Contour lets the WebSocket through at a path."""
        return path in self._sockets


def _f5_targets(text: str) -> dict[str, dict[str, None]]:
    """The different targets that ``serviceName=chat rewrite=/; serviceName=…`` has for each Service."""
    found: dict[str, dict[str, None]] = {}
    for entry in text.split(";"):
        words = dict(word.partition("=")[::2] for word in entry.split()) if "serviceName=" in entry else {}
        if "serviceName" in words:
            found.setdefault(words["serviceName"], {})[words.get("rewrite", "")] = None
    return found


class _IngressMeta(Meta):
    annotations: dict[str, str] = field(default_factory=dict)


class _LoadBalancerAddress(ApiStruct):
    ip: str = ""
    hostname: str = ""


class _LoadBalancer(ApiStruct):
    ingress: list[_LoadBalancerAddress] = field(default_factory=list)


class _IngressStatus(ApiStruct):
    load_balancer: _LoadBalancer = field(default_factory=_LoadBalancer)


class Ingress(ApiStruct):
    """An Ingress."""

    metadata: _IngressMeta
    spec: _IngressSpec = field(default_factory=_IngressSpec)
    status: _IngressStatus = field(default_factory=_IngressStatus)

    def to_domain(self) -> model.Route:
        """Return the domain's record of it."""
        meta, spec = self.metadata, self.spec
        annotations = convert(meta.annotations, _Annotations)
        rules = _Rules(annotations, meta.annotations)
        entries = [(rule.host, entry) for rule in spec.rules for entry in rule.http.paths]
        found = [self._path(rules, annotations, host, entry) for host, entry in entries[:MAX_PATHS]]
        if spec.default_backend is not None and not found:
            found = [self._path(rules, annotations, "", _HttpPath(spec.default_backend, "/", "Prefix"))]
        return model.Route(
            ref=Ref("Ingress", meta.namespace, meta.name),
            resource_version=meta.resource_version,
            paths=tuple(found),
            attachments=(model.Attachment(f"ingress class {spec.ingress_class_name or annotations.class_name}"),),
            origins=tuple(self._origins()),
            dependencies=tuple(model.Dependency("Middleware", key) for key in rules.middlewares),
            refusal=TOO_MANY_PATHS if len(entries) > MAX_PATHS else "",
            refusal_remedy=SPLIT_REMEDY if len(entries) > MAX_PATHS else "",
            is_canary=is_true(annotations.nginx_canary),
        )

    def _origins(self) -> Iterator[model.Origin]:
        """Http for all hosts, and https for those that have a certificate."""
        found = next((a.hostname or a.ip for a in self.status.load_balancer.ingress), "")
        address = f"[{found}]" if ":" in found else found
        for host in dict.fromkeys(host for tls in self.spec.tls for host in (tls.hosts or [""])):
            yield model.Origin(host, is_secure=True, address="" if host else address)
        yield model.Origin("", is_secure=False, address=address)

    def _path(self, rules: _Rules, annotations: _Annotations, host: str, entry: _HttpPath) -> model.RoutePath:
        # A resource backend is no Chainlit app, but takes requests all the same.
        service, path = entry.backend.service or _BackendService(name=""), entry.path or "/"
        is_contours = annotations.is_contours(self.spec.ingress_class_name)
        return model.RoutePath(
            host=host,
            path=path,
            path_type=entry.path_type,
            service=service.name,
            port=service.port.name or service.port.number,
            matching=annotations.matching(path, entry.path_type, is_contours=is_contours),
            transforms=tuple(rules.transforms(path, service.name)),
            middlewares=rules.middlewares,
            refuses_web_socket=is_contours and not rules.passes_web_socket(path),
        )


KIND = RouteKind(
    kind="Ingress",
    group="networking.k8s.io",
    version="v1",
    plural="ingresses",
    decode=decoding(Ingress),
    purpose="The path of an app is read from its route.",
    is_created=True,
    compose=middlewares.compose,
    dependencies=("Middleware",),
)
