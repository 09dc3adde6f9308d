"""VirtualServices of Istio as JSON, as far as a gateway of the mesh serves them.

The facts are those of ``pilot/pkg/networking/core/route/route.go`` and ``gateway.go`` and of ``pilot/pkg/model`` in
Istio's source: its rules are tried in order and the first one that matches counts, and prefixes are compared and
replaced by characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice, product

from msgspec import field

from chainlit_operator.domain import expressions, model, rewrites
from chainlit_operator.domain.model import Matching, Stickiness
from chainlit_operator.domain.paths import is_below
from chainlit_operator.domain.route_paths import METHOD_CONDITION, ORDINARY_CONDITION, prefix_of
from chainlit_operator.domain.route_warnings import Advice, RouteWarning
from chainlit_operator.kinds.shared.fields import MAX_PATHS, SPLIT_REMEDY, TOO_MANY_PATHS
from chainlit_operator.kinds.shared.istio import service_of
from chainlit_operator.kinds.shared.kind import RouteKind, plain_decoder
from chainlit_operator.kube.codec import Anything, ApiStruct, Meta
from chainlit_operator.object_ref import Ref

#: The name for all sidecars in the place of a Gateway.
_MESH = "mesh"
_READER = "istio"
_AFFINITY = model.ControllerAffinity(
    title="Istio",
    readers=frozenset({_READER}),
    default=Stickiness.LOST,
    remedy="Create a DestinationRule with consistentHash by httpCookie, with a ttl, for {service}.",
    reads_elsewhere=True,
)
_NO_GATEWAY = "it names no Gateway in spec.gateways, so it is for requests within the mesh only"
_GATEWAY_REMEDY = "Add the Gateway that serves the host to spec.gateways of the VirtualService."
_NO_HOSTS = "it has no hosts, so another VirtualService delegates to it, and the operator does not follow delegates"
#: The most Gateways of a VirtualService: each of its paths counts at each of them.
MAX_GATEWAYS = 32
_TOO_MANY_GATEWAYS = f"it names more than {MAX_GATEWAYS} Gateways, so the operator does not read it"
#: The most DestinationRules for one Service that are looked at: which of several counts is not known.
MAX_RULES = 8
_DELEGATE_REMEDY = "Route to the app in the VirtualService that delegates to it, or state the URL in spec.route.url."
#: What Envoy calls the host and the method of a request among its headers.
_HOST_HEADERS = frozenset({":authority", "host"})
#: Headers and parameters of requests that a browser sends by itself, in lower case; Socket.IO's own are among them.
_ORDINARY_HEADERS = frozenset(
    {
        *(":authority", ":method", ":path", ":scheme", "accept", "accept-encoding", "accept-language", "connection"),
        *("cookie", "host", "origin", "referer", "upgrade", "user-agent", "x-forwarded-for", "x-forwarded-proto"),
    }
)
_ORDINARY_PREFIXES = ("sec-", "x-envoy-", "x-forwarded-")
_ORDINARY_PARAMETERS = frozenset({"EIO", "transport", "sid", "t"})
#: Seconds between two pings of Chainlit. A long poll is answered then at the latest.
_PING_INTERVAL = 25
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|ns|h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


class _Text(ApiStruct):
    """A StringMatch."""

    exact: str = ""
    prefix: str = ""
    regex: str = ""

    @property
    def is_any(self) -> bool:
        """Whether it says nothing about the value."""
        return not (self.exact or self.prefix or self.regex)

    def __str__(self) -> str:
        return self.exact or (f"{self.prefix}..." if self.prefix else self.regex)


class _Match(ApiStruct):
    uri: _Text = field(default_factory=_Text)
    scheme: _Text | None = None
    method: _Text | None = None
    authority: _Text | None = None
    headers: dict[str, _Text] = field(default_factory=dict)
    without_headers: dict[str, _Text] = field(default_factory=dict)
    query_params: dict[str, _Text] = field(default_factory=dict)
    port: int = 0
    gateways: list[str] = field(default_factory=list)
    source_labels: dict[str, str] = field(default_factory=dict)
    source_namespace: str = ""

    @property
    def path(self) -> str:
        """The path that it compares: without one, all paths."""
        return self.uri.exact or self.uri.prefix or self.uri.regex or "/"

    @property
    def path_type(self) -> str:
        """How it compares the path, in Istio's word."""
        return "exact" if self.uri.exact else "regex" if self.uri.regex and not self.uri.prefix else "prefix"

    def condition(self, served: frozenset[str], namespace: str) -> str:
        """Return the condition beside the path, for a message; empty where there is none.

        ``served`` are the keys of all Gateways of the route, and ``namespace`` is its own. One that a browser does not
        fulfil by itself comes first.
        """
        rare = (name for name in self.headers if not _is_ordinary(name))
        if next(rare, None) is not None:
            return "a header matches"
        if self.query_params and _ORDINARY_PARAMETERS.isdisjoint(self.query_params):
            return "a query parameter matches"
        if not self.gateways and (self.source_labels or self.source_namespace):
            return "the gateway's own pods have certain labels, or a certain namespace"
        return next(self._ordinary(served, namespace), "") or self._method()

    def _ordinary(self, served: frozenset[str], namespace: str) -> Iterator[str]:
        for name in (*self.headers, *self.without_headers):
            yield f"{ORDINARY_CONDITION}has a certain value of the header {name}, or none"
        for name in self.query_params:
            yield f"{ORDINARY_CONDITION}has a certain parameter {name}"
        if self.scheme is not None:
            yield f"{ORDINARY_CONDITION}has the scheme {self.scheme}"
        if self.authority is not None:
            yield f"{ORDINARY_CONDITION}is for the host {self.authority}"
        if self.port:
            yield f"{ORDINARY_CONDITION}arrives at port {self.port} of the Gateway"
        if self.gateways and not served <= {gateway_key(name, namespace) for name in self.gateways}:
            yield f"{ORDINARY_CONDITION}arrives at one of the Gateways {', '.join(self.gateways)}"
        if self.method is not None and not self.method.exact and not self.method.is_any:
            yield f"{ORDINARY_CONDITION}has a method like {self.method}"

    def _method(self) -> str:
        return f"{METHOD_CONDITION}{self.method.exact}" if self.method is not None and self.method.exact else ""

    def is_for(self, served: frozenset[str], namespace: str) -> bool:
        """Return whether it is for one of these Gateways: a match may name some of them."""
        named = {gateway_key(name, namespace) for name in self.gateways}
        return not named or not served.isdisjoint(named)


def _is_ordinary(header: str) -> bool:
    return header.lower() in _ORDINARY_HEADERS or header.lower().startswith(_ORDINARY_PREFIXES)


class _Destination(ApiStruct):
    host: str = ""
    subset: str = ""
    port: _Port | None = None


class _Port(ApiStruct):
    number: int = 0


class _HeaderOperations(ApiStruct):
    set: dict[str, str] = field(default_factory=dict)
    add: dict[str, str] = field(default_factory=dict)


class _Headers(ApiStruct):
    request: _HeaderOperations = field(default_factory=_HeaderOperations)

    @property
    def host(self) -> str:
        """The host that the backend gets in the place of the browser's; empty for none."""
        given = (*self.request.set.items(), *self.request.add.items())
        return next((value for name, value in given if name.lower() in _HOST_HEADERS), "")


class _Backend(ApiStruct):
    destination: _Destination = field(default_factory=_Destination)
    weight: int = 0
    headers: _Headers | None = None

    def service(self, namespace: str) -> str:
        """Return the name of the Service by which a path of a route in this namespace names it; empty for none."""
        found = service_of(self.destination.host, namespace)
        if not found or self.destination.subset:
            return ""
        return model.backend_name(namespace, model.backend_ref("", found))

    @property
    def port(self) -> int:
        """The port of the Service."""
        return self.destination.port.number if self.destination.port is not None else model.ONLY_PORT

    @property
    def shown(self) -> str:
        """Return the backend for a message."""
        subset = f"subset {self.destination.subset} of " if self.destination.subset else ""
        return f"{subset}host {self.destination.host}"


class _RegexRewrite(ApiStruct):
    match: str = ""
    rewrite: str = ""


class _Rewrite(ApiStruct):
    uri: str = ""
    authority: str = ""
    uri_regex_rewrite: _RegexRewrite | None = None

    def of_path(self, match: _Match) -> Iterator[rewrites.Transform]:
        """Yield what it does to a path that matches."""
        if self.uri_regex_rewrite is not None:
            yield rewrites.RegexRewrite(self.uri_regex_rewrite.match, self.uri_regex_rewrite.rewrite)
        elif self.uri and match.path_type == "prefix":
            yield rewrites.PrefixRewrite(match.path, self.uri)
        elif self.uri:
            yield rewrites.ReplaceFullPath(self.uri)


class _Redirect(ApiStruct):
    uri: str = ""
    prefix_rewrite: str = ""
    authority: str = ""
    scheme: str = ""

    @property
    def is_to_https(self) -> bool:
        """Whether it changes the scheme alone."""
        return self.scheme == "https" and not (self.uri or self.prefix_rewrite or self.authority)


class _Rule(ApiStruct):
    match: list[_Match] = field(default_factory=list)
    route: list[_Backend] = field(default_factory=list)
    redirect: _Redirect | None = None
    direct_response: Anything | None = None
    delegate: Anything | None = None
    rewrite: _Rewrite | None = None
    headers: _Headers | None = None
    timeout: str = ""

    @property
    def backends(self) -> list[_Backend]:
        """The backends that get requests. The weight of a single one has no effect."""
        if self.redirect is not None or self.direct_response is not None:
            return []
        return self.route if len(self.route) == 1 else [backend for backend in self.route if backend.weight > 0]

    def is_before_https(self, match: _Match) -> bool:
        """Return whether it only sends requests by http to https, and leaves others to the rules after it."""
        if self.redirect is None or not self.redirect.is_to_https:
            return False
        proto = next((text for name, text in match.headers.items() if name.lower() == "x-forwarded-proto"), None)
        schemes = [text.exact for text in (match.scheme, proto) if text is not None]
        return "http" in schemes or match.port == 80

    def transforms(self, match: _Match, backend: _Backend, host: str) -> Iterator[rewrites.Transform]:
        """Yield the rewrites of a path on its way to a backend."""
        if self.rewrite is not None:
            yield from self.rewrite.of_path(match)
        given = [self.rewrite.authority] if self.rewrite is not None else []
        given += [headers.host for headers in (self.headers, backend.headers) if headers is not None]
        if any(name and name != host for name in given):
            yield rewrites.Unknown("another host in rewrite.authority or headers, to which Chainlit redirects")

    def warnings(self) -> Iterator[RouteWarning]:
        """Yield what else may fail."""
        seconds = _seconds(self.timeout)
        if seconds is not None and seconds <= _PING_INTERVAL:
            yield Advice(
                f"The timeout {self.timeout} of the VirtualService ends long polls before Chainlit's ping after "
                f"{_PING_INTERVAL} s, and uploads. Remove it, or set it to 1h."
            )


def _seconds(text: str) -> float | None:
    """The seconds of a duration; None where there is none, and for 0, which sets no limit."""
    found = _DURATION.findall(text)
    return sum(float(number) * _SECONDS[unit] for number, unit in found) or None if found else None


class _Spec(ApiStruct):
    hosts: list[str] = field(default_factory=list)
    gateways: list[str] = field(default_factory=list)
    http: list[_Rule] = field(default_factory=list)


class VirtualService(ApiStruct):
    """A VirtualService (networking.istio.io/v1)."""

    metadata: Meta
    spec: _Spec = field(default_factory=_Spec)

    def to_domain(self) -> model.Route:
        """Return the domain's record of it."""
        named = dict.fromkeys(self._gateways())
        gateways = tuple(islice(named, MAX_GATEWAYS))
        found = tuple(islice(self._paths(frozenset(gateways)), MAX_PATHS + 1))
        is_delegate = not self.spec.hosts
        refusal, remedy = self._refusal(len(found), len(named))
        return model.Route(
            ref=Ref("VirtualService", self.metadata.namespace, self.metadata.name),
            resource_version=self.metadata.resource_version,
            created=self.metadata.creation_timestamp or "",
            order=model.RouteOrder.OLDEST_FIRST,
            paths=tuple(_reduced(found[:MAX_PATHS])),
            refusal=refusal,
            refusal_remedy=remedy,
            attachments=() if is_delegate else tuple(model.Attachment(f"Istio gateway {key}") for key in gateways),
            precedence=model.Precedence.FIRST_TEXT_MATCH,
            dependencies=tuple(self._dependencies(gateways)),
            unsupported_backends=tuple(self._unsupported_backends()),
            controllers=(_AFFINITY,),
            crosses_namespaces=True,
        )

    def _refusal(self, paths: int, gateways: int) -> tuple[str, str]:
        if paths > MAX_PATHS:
            return TOO_MANY_PATHS, SPLIT_REMEDY
        if gateways > MAX_GATEWAYS:
            return _TOO_MANY_GATEWAYS, SPLIT_REMEDY
        if not self.spec.hosts:
            return _NO_HOSTS, _DELEGATE_REMEDY
        return ("", "") if gateways else (_NO_GATEWAY, _GATEWAY_REMEDY)

    def _gateways(self) -> Iterator[str]:
        for name in self.spec.gateways:
            if name != _MESH:
                yield gateway_key(name, self.metadata.namespace)

    def _dependencies(self, gateways: tuple[str, ...]) -> Iterator[model.Dependency]:
        for key in gateways:
            yield model.Dependency("IstioGateway", key)
        services = {service_of(each.destination.host, self.metadata.namespace) for each in self._backends()}
        for key in sorted(services - {""}):
            yield model.Dependency("DestinationRule", key)

    def _backends(self) -> Iterator[_Backend]:
        for rule in self.spec.http:
            yield from rule.backends

    def _unsupported_backends(self) -> Iterator[str]:
        shown = {each.shown: each.service(self.metadata.namespace) for each in self._backends()}
        yield from (name for name, service in shown.items() if not service)

    def _hosts(self) -> Iterator[str]:
        """Yield the hosts as paths name them. A name without a dot is that of a Service, whatever the domain is."""
        for host in self.spec.hosts or ["*"]:
            if host == "*":
                yield ""
            else:
                yield host.lower() if "." in host else f"{host.lower()}.{self.metadata.namespace}.svc.cluster.local"

    def _paths(self, gateways: frozenset[str]) -> Iterator[model.RoutePath]:
        hosts, namespace = [*self._hosts()], self.metadata.namespace
        for rule in self.spec.http:
            backends = [(each, each.service(namespace)) for each in rule.backends]
            others = tuple(service or each.shown for each, service in backends)
            served = [pair for pair in backends if pair[1]] or [(_Backend(), "")]
            warnings = tuple(rule.warnings())
            for match in rule.match or [_Match()]:
                if not match.is_for(gateways, namespace) or rule.is_before_https(match):
                    continue
                condition = match.condition(gateways, namespace)
                for host, (backend, service) in product(hosts, served):
                    yield model.RoutePath(
                        host=host,
                        path=match.path,
                        path_type=match.path_type,
                        service=service,
                        port=backend.port,
                        matching=_MATCHING[match.path_type],
                        transforms=tuple(rule.transforms(match, backend, host)),
                        condition=condition,
                        others=others,
                        warnings=warnings,
                        styles=(expressions.WHOLE,) if match.path_type == "regex" else expressions.ANY_STYLE,
                    )


_MATCHING = {"prefix": Matching.PREFIX, "exact": Matching.EXACT, "regex": Matching.REGULAR_EXPRESSION}


def gateway_key(name: str, namespace: str) -> str:
    """Return ``namespace/name`` of the Gateway that a VirtualService of a namespace names.

    It may also be named as a host, ``name.namespace.svc.cluster.local``.
    """
    if "/" in name:
        of, _, own = name.partition("/")
        return f"{namespace}/{own}" if of == "." else name
    own, _, rest = name.partition(".")
    return f"{rest.partition('.')[0] or namespace}/{own}"


def _reduced(paths: Iterable[model.RoutePath]) -> Iterator[model.RoutePath]:
    """Yield the paths with what the paths before them leave to them.

    People match ``/chat/`` and then ``/chat``. What is left to the second one is ``/chat`` itself: no request below it
    has another path. After ``/chat``, nothing is left to ``/chat/``.
    """
    seen: dict[tuple[str, str, str], str] = {}
    for path in paths:
        if path.matching is not Matching.PREFIX or path.condition or not path.service:
            yield path
            continue
        first = seen.setdefault((path.host, path.service, prefix_of(path)), path.path)
        if first == f"{path.path}/":
            yield replace(path, matching=Matching.EXACT)
        elif first == path.path or path.path != f"{first}/":
            yield path


def compose(route: model.Route, find: model.Find) -> model.Route:
    """Return the route with the origins that the servers of its Gateways give, and what DestinationRules say."""
    origins = [
        model.Origin(
            listener.hostname,
            listener.protocol == "HTTPS",
            listener.port,
            listener.hostname,
            is_deep=True,
        )
        for dependency in route.dependencies
        if dependency.kind == "IstioGateway"
        for gateway in find(dependency)
        if isinstance(gateway, model.Gateway)
        for listener in gateway.listeners
        if listener.namespace in ("", route.ref.namespace)
    ]
    rules = {
        dependency.key: [found for found in find(dependency) if isinstance(found, model.DestinationRule)]
        for dependency in route.dependencies
        if dependency.kind == "DestinationRule"
    }
    return replace(route, origins=tuple(origins), affinity=tuple(dict.fromkeys(_settings(route, rules))))


def _settings(route: model.Route, rules: Mapping[str, list[model.DestinationRule]]) -> Iterator[model.AffinitySetting]:
    """Yield what DestinationRules say of the session affinity of each path's Service."""
    by_backend: dict[tuple[str, int | str], list[tuple[model.DestinationRule, model.Balancing]]] = {}
    for path in route.paths:
        backend = path.service, path.port
        if backend not in by_backend:
            service = model.backend_ref(route.ref.namespace, path.service)
            port = path.port if isinstance(path.port, int) and path.port != model.ONLY_PORT else 0
            named = rules.get(f"{service.namespace}/{service.name}", []) if path.service else []
            spreads = ((rule, spread) for rule in named if (spread := rule.spreads("", port)) is not None)
            by_backend[backend] = [*islice(spreads, MAX_RULES + 1)]
        found = by_backend[backend]
        if not found:
            continue
        # Which of several rules counts depends on the namespace of the gateway's pods.
        stickiness = {_stickiness(spread, path) for _, spread in found}
        what = " and ".join(f"DestinationRule {_named(rule.ref, route.ref)}" for rule, _ in found[:2])
        is_clear = len(stickiness) == 1 and len(found) <= MAX_RULES
        one = stickiness.pop() if is_clear else Stickiness.UNKNOWN
        yield model.AffinitySetting(_READER, one, what, path.service)


def _stickiness(spread: model.Balancing, path: model.RoutePath) -> Stickiness:
    """What an entry does for the requests of a path: a cookie must have a path that they are below."""
    top = spread.cookie_path.rstrip("/")
    is_sent = is_below(prefix_of(path), top)
    stickiness = spread.stickiness or Stickiness.UNKNOWN
    return stickiness if is_sent or stickiness is not Stickiness.KEPT else Stickiness.UNKNOWN


def _named(rule: Ref, route: Ref) -> str:
    return rule.name if rule.namespace == route.namespace else f"{rule.namespace}/{rule.name}"


KIND = RouteKind(
    kind="VirtualService",
    group="networking.istio.io",
    version="v1",
    plural="virtualservices",
    decode=plain_decoder(VirtualService),
    purpose="A VirtualService has the path of an app.",
    is_optional=True,
    compose=compose,
    dependencies=("IstioGateway", "DestinationRule"),
)
