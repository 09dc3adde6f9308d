"""HTTPProxies of Contour as JSON, and the trees that they make by including each other.

The facts are those of Contour v1.33.8: ``internal/dag/httpproxy_processor.go`` has the trees, the routes and what makes
one invalid, ``internal/dag/policy.go`` the load balancing, ``internal/sorter/sorter.go`` the order of paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import msgspec
from msgspec import field

from chainlit_operator.domain import model, path_conditions, rewrites
from chainlit_operator.domain.include_tree import INCLUDE_REMEDY, Include, Proxy, Rule, compose, with_own_paths
from chainlit_operator.domain.path_conditions import Condition, Conditions, Replacement
from chainlit_operator.domain.route_warnings import Advice, RouteWarning
from chainlit_operator.kinds.shared.kind import AnnotatedMeta, RouteKind, plain_decoder
from chainlit_operator.kube.codec import Anything, ApiStruct
from chainlit_operator.object_ref import Ref

#: Contour's class, unless it is configured otherwise. An annotation wins over ``spec.ingressClassName``.
_CLASS = "contour"
_CLASS_ANNOTATIONS = ("projectcontour.io/ingress.class", "kubernetes.io/ingress.class")
#: Errors with which Contour serves the rest of an HTTPProxy: they concern one include, or one Service.
_PARTIAL = frozenset({"IncludeError", "ServiceUnresolvedReference"})
_ORPHANED = "Orphaned"
_HTTP_REMEDY = "Give the chat an HTTPProxy with routes."
#: Seconds between two pings of Chainlit. A long poll is answered then at the latest.
_PING_INTERVAL = 25
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|ns)")
_SECONDS = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_READER = "HTTPProxy"
CONTROLLER = model.ControllerAffinity(
    title="Contour",
    readers=frozenset({_READER}),
    default=model.Stickiness.LOST,
    remedy="Set strategy Cookie in the loadBalancerPolicy of each route of {route} to {service}, or run one pod.",
)


class _Header(ApiStruct, omit_defaults=True):
    name: str = ""
    present: bool = False
    notpresent: bool = False
    contains: str = ""
    notcontains: str = ""
    exact: str = ""
    notexact: str = ""
    regex: str = ""
    ignore_case: bool = False
    treat_missing_as_empty: bool = False


class _Query(ApiStruct, omit_defaults=True):
    name: str = ""
    exact: str = ""
    prefix: str = ""
    suffix: str = ""
    contains: str = ""
    regex: str = ""
    present: bool = False
    ignore_case: bool = False


def _text(found: _Header | _Query | None) -> str:
    """A text that tells a condition from others; empty for none."""
    return msgspec.json.encode(found).decode() if found is not None else ""


class _Match(ApiStruct):
    prefix: str = ""
    exact: str = ""
    regex: str = ""
    header: _Header | None = None
    query_parameter: _Query | None = None

    def to_domain(self) -> Condition:
        """Return the condition."""
        return Condition(
            self.prefix,
            self.exact,
            self.regex,
            header=_text(self.header),
            query=_text(self.query_parameter),
            method=self.header.exact if self.header is not None and self.header.name == ":method" else "",
        )


class _NameValue(ApiStruct):
    name: str = ""


class _Headers(ApiStruct):
    set: list[_NameValue] = field(default_factory=list)

    @property
    def has_host(self) -> bool:
        """Whether the pods get another host than the browser asked."""
        return any(header.name.lower() == "host" for header in self.set)


class _Service(ApiStruct):
    name: str = ""
    port: int = 0
    weight: int = 0
    mirror: bool = False
    request_headers_policy: _Headers = field(default_factory=_Headers)


class _Replacement(ApiStruct):
    prefix: str = ""
    replacement: str = ""


class _PathRewrite(ApiStruct):
    replace_prefix: list[_Replacement] = field(default_factory=list)


class _HashPolicy(ApiStruct):
    hash_source_ip: bool = field(default=False, name="hashSourceIP")
    header_hash_options: Anything | None = None
    query_parameter_hash_options: Anything | None = None


class _LoadBalancing(ApiStruct):
    strategy: str = ""
    request_hash_policies: list[_HashPolicy] = field(default_factory=list)

    def stickiness(self) -> model.Stickiness:
        """Return what it does with the requests of one browser."""
        if self.strategy == "Cookie":
            return model.Stickiness.KEPT
        if self.strategy != "RequestHash" or not self.request_hash_policies:
            return model.Stickiness.LOST
        is_by_address = all(
            policy.hash_source_ip and policy.header_hash_options is None and policy.query_parameter_hash_options is None
            for policy in self.request_hash_policies
        )
        return model.Stickiness.KEPT if is_by_address else model.Stickiness.UNKNOWN


class _Timeouts(ApiStruct):
    response: str = ""
    idle: str = ""

    def warnings(self) -> Iterator[RouteWarning]:
        """Yield a warning for each that ends before Chainlit's ping."""
        for name, value, what in (("idle", self.idle, "idle WebSockets"), ("response", self.response, "long polls")):
            seconds = _seconds(value)
            if 0 < seconds <= _PING_INTERVAL:
                yield Advice(
                    f"timeoutPolicy.{name} of the HTTPProxy is {value}, which ends {what} before Chainlit's ping after "
                    f"{_PING_INTERVAL} s. Set it to 1h."
                )


class _Rule(ApiStruct):
    conditions: list[_Match] = field(default_factory=list)
    services: list[_Service] = field(default_factory=list)
    enable_websockets: bool = False
    path_rewrite_policy: _PathRewrite = field(default_factory=_PathRewrite)
    request_headers_policy: _Headers = field(default_factory=_Headers)
    load_balancer_policy: _LoadBalancing = field(default_factory=_LoadBalancing)
    timeout_policy: _Timeouts = field(default_factory=_Timeouts)

    def fault(self) -> str:
        """Return why Contour refuses it, as the rest of a sentence; empty if nothing is known to be wrong."""
        block = _conditions(self.conditions)
        is_prefix = path_conditions.joined(block).matching is model.Matching.PREFIX
        if self.path_rewrite_policy.replace_prefix and not is_prefix:
            return "has a pathRewritePolicy for a path that is not a prefix"
        return path_conditions.fault(block)

    def to_domain(self) -> Rule:
        """Return the domain's record of it."""
        # Copies of requests are no share of them.
        services = [service for service in self.services if not service.mirror]
        is_weighted = any(service.weight for service in services)
        hosts = [self.request_headers_policy, *(service.request_headers_policy for service in services)]
        has_host = any(policy.has_host for policy in hosts)
        return Rule(
            conditions=_conditions(self.conditions),
            backends=tuple((each.name, each.port) for each in services if each.weight or not is_weighted) or (("", 0),),
            replacements=tuple(Replacement(x.prefix, x.replacement) for x in self.path_rewrite_policy.replace_prefix),
            transforms=(rewrites.Unknown("a requestHeadersPolicy with Host, to which Chainlit redirects"),)
            if has_host
            else (),
            has_web_sockets=self.enable_websockets,
            warnings=tuple(self.timeout_policy.warnings()),
        )


class _Include(ApiStruct):
    name: str = ""
    namespace: str = ""
    conditions: list[_Match] = field(default_factory=list)


class _Tls(ApiStruct):
    passthrough: bool = False


class _VirtualHost(ApiStruct):
    fqdn: str = ""
    tls: _Tls | None = None


class _TcpProxy(ApiStruct):
    services: list[_Service] = field(default_factory=list)


class _Spec(ApiStruct):
    ingress_class_name: str = ""
    virtualhost: _VirtualHost | None = None
    routes: list[_Rule] = field(default_factory=list)
    includes: list[_Include] = field(default_factory=list)
    tcpproxy: _TcpProxy | None = None


class _Error(ApiStruct):
    type: str = ""
    reason: str = ""
    message: str = ""


class _StatusCondition(ApiStruct):
    type: str = ""
    status: str = ""
    observed_generation: int = 0
    errors: list[_Error] = field(default_factory=list)


class _Status(ApiStruct):
    conditions: list[_StatusCondition] = field(default_factory=list)

    def error(self, generation: int) -> _Error | None:
        """Return why Contour serves nothing of this generation; None if it serves some, or has not answered."""
        for condition in self.conditions:
            is_current = condition.observed_generation == generation
            if condition.type == "Valid" and condition.status == "False" and is_current:
                whole = (each for each in condition.errors if not {each.type, each.reason} & _PARTIAL)
                return next(whole, None)
        return None


class HTTPProxy(ApiStruct):
    """An HTTPProxy (projectcontour.io/v1)."""

    metadata: AnnotatedMeta
    spec: _Spec = field(default_factory=_Spec)
    status: _Status = field(default_factory=_Status)

    def to_domain(self) -> Proxy:
        """Return the domain's record of it; that of one without a virtual host has only the ends of its paths."""
        meta, spec = self.metadata, self.spec
        ref, host = Ref("HTTPProxy", meta.namespace, meta.name), spec.virtualhost
        children = tuple(self._children())
        refusal, remedy = self._refusal()
        proxy = Proxy(
            ref=ref,
            resource_version=meta.resource_version,
            created=meta.creation_timestamp or "",
            paths=(),
            precedence=model.Precedence.EXPRESSIONS_FIRST,
            refusal=refusal,
            refusal_remedy=remedy,
            affinity=tuple(self._affinity()),
            controllers=(CONTROLLER,),
            includes=tuple(dict.fromkeys(child.proxy for child in children)),
            rules=tuple(rule.to_domain() for rule in spec.routes) + self._tcp(),
            children=children,
        )
        if host is None:
            return with_own_paths(replace(proxy, dependencies=(model.including(ref),)))
        origin = model.Origin(host.fqdn, is_secure=host.tls is not None)
        proxy = replace(proxy, fqdn=host.fqdn, attachments=(model.ingress_class(self._class()),), origins=(origin,))
        return with_own_paths(proxy)

    def _class(self) -> str:
        annotations = self.metadata.annotations
        named = next((annotations[key] for key in _CLASS_ANNOTATIONS if key in annotations), "")
        return named or self.spec.ingress_class_name or _CLASS

    def _refusal(self) -> tuple[str, str]:
        """Why nothing of it is served, or the operator does not read it, and what to change."""
        error, host = self.status.error(self.metadata.generation), self.spec.virtualhost
        if error is not None and (error.reason != _ORPHANED or host is not None):
            return f"{error.reason}: {error.message}", "Correct the HTTPProxy."
        if error is not None:
            return "no HTTPProxy that Contour serves includes it", INCLUDE_REMEDY
        if host is not None and not host.fqdn:
            return "its virtualhost has no fqdn", "Set virtualhost.fqdn."
        if host is not None and self.spec.tcpproxy is not None:
            return "its tcpproxy passes connections on, so that Contour reads no path", _HTTP_REMEDY
        if host is not None and host.tls is not None and host.tls.passthrough:
            return "its virtualhost passes TLS on, so that Contour reads no path", _HTTP_REMEDY
        faults = ((number, rule.fault()) for number, rule in enumerate(self.spec.routes, 1))
        found = next(((number, fault) for number, fault in faults if fault), None)
        return (f"route {found[0]} {found[1]}", "Correct the HTTPProxy.") if found is not None else ("", "")

    def _children(self) -> Iterator[Include]:
        """Yield its includes without those that Contour leaves out: with another condition on the path than a prefix,
        or with the conditions of an earlier one.
        """
        seen = set()
        for include in self.spec.includes:
            block = _conditions(include.conditions)
            is_prefix = not any(condition.exact or condition.regex for condition in block)
            beside = tuple(sorted(path_conditions.others(block)))
            key = path_conditions.joined(block).path, beside
            if not is_prefix or path_conditions.fault(block) or (key in seen and key != ("/", ())):
                continue
            seen.add(key)
            yield Include(Ref("HTTPProxy", include.namespace or self.metadata.namespace, include.name), block)

    def _tcp(self) -> tuple[Rule, ...]:
        """The Services behind a TCP proxy, so that the refusal of the HTTPProxy is found."""
        proxy = self.spec.tcpproxy
        services = proxy.services if proxy is not None and self.spec.virtualhost is not None else []
        return (Rule((), tuple((each.name, each.port) for each in services)),) if services else ()

    def _affinity(self) -> Iterator[model.AffinitySetting]:
        """Yield a setting for each Service whose routes all have the same ``loadBalancerPolicy`` for affinity."""
        found: dict[str, set[tuple[str, model.Stickiness]]] = {}
        for rule in self.spec.routes:
            policy = rule.load_balancer_policy
            for service in rule.services:
                if not service.mirror:
                    found.setdefault(service.name, set()).add((policy.strategy, policy.stickiness()))
        what = f"loadBalancerPolicy of HTTPProxy {self.metadata.name}"
        for name, settings in sorted(found.items()):
            ((_, stickiness), *more) = settings
            if not more and stickiness is not model.Stickiness.LOST:
                yield model.AffinitySetting(_READER, stickiness, what, name)


def _conditions(matches: list[_Match]) -> Conditions:
    return tuple(match.to_domain() for match in matches)


def _seconds(text: str) -> float:
    """The seconds of a Go duration; 0 for no limit, for the usual one, and for what is no duration."""
    if _PART.sub("", text):
        return 0
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


KIND = RouteKind(
    kind="HTTPProxy",
    group="projectcontour.io",
    version="v1",
    plural="httpproxies",
    decode=plain_decoder(HTTPProxy),
    purpose="An HTTPProxy has the path of an app. The operator never writes one.",
    is_optional=True,
    compose=compose,
    dependencies=("HTTPProxy",),
)
