"""Traefik's IngressRoutes as JSON.

Each route of one is a router of Traefik, with a rule, a priority, Middlewares and Services. Facts about them come from
``pkg/provider/kubernetes/crd/kubernetes_http.go`` of Traefik 3.7.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from msgspec import field

from chainlit_operator.domain import hosts, middlewares, model, rewrites
from chainlit_operator.domain.expressions import ANYWHERE
from chainlit_operator.domain.route_paths import AND, MAX_EXPRESSIONS
from chainlit_operator.domain.traefik_matches import Match, matches_of
from chainlit_operator.domain.traefik_rules import SECURE_ENTRY_POINTS, RuleError, priority_of
from chainlit_operator.kinds.shared.fields import MAX_PATHS, SPLIT_REMEDY, TOO_MANY_PATHS
from chainlit_operator.kinds.shared.kind import AnnotatedMeta, RouteKind, plain_decoder
from chainlit_operator.kube.codec import Anything, ApiStruct
from chainlit_operator.object_ref import Ref

#: Traefik's class for routes that name none.
_DEFAULT_CLASS = "traefik"
_CLASS = "kubernetes.io/ingress.class"
#: Between the name of a Middleware or a service and its provider; such names are not those of objects.
_PROVIDER = "@"
_CLUSTER = "@kubernetescrd"
#: How much of a rule a message shows, in characters.
_SHOWN = 80
#: The most characters of all rules of one object.
MAX_RULES = 200_000
_READER = "IngressRoute"
_CONTROLLERS = (
    model.ControllerAffinity(
        "Traefik",
        frozenset({_READER}),
        model.Stickiness.LOST,
        "Set sticky.cookie: {{}} on service {service_name} of {route}.",
    ),
)
_MATCHING = {
    "PathPrefix": model.Matching.PREFIX,
    "Path": model.Matching.EXACT,
    "PathRegexp": model.Matching.REGULAR_EXPRESSION,
}
#: Stands for what a rule that is not read matches, so that messages name the IngressRoute to those who look for it.
_ANYWHERE = Match("", "/", "PathPrefix")
#: Traefik drops a route without Services, unless it is the parent of others.
_PARENT = "another IngressRoute names it in parentRefs"
_ELSEWHERE = "Traefik allows references to other namespaces"


class _MiddlewareRef(ApiStruct):
    name: str
    namespace: str = ""

    def key(self, namespace: str) -> str:
        """Return the key of the Middleware for a route of that namespace; empty for one of another provider."""
        if self.name.endswith(_CLUSTER):
            return self.name.removesuffix(_CLUSTER)
        return "" if _PROVIDER in self.name else f"{self.namespace or namespace}-{self.name}"


class _Sticky(ApiStruct):
    cookie: Anything | None = None


class _Service(ApiStruct):
    name: str
    kind: str = "Service"
    namespace: str = ""
    port: int | str = 0
    weight: int | None = 1
    sticky: _Sticky | None = None
    strategy: str = ""
    native_lb: bool | None = field(default=None, name="nativeLB")
    node_port_lb: bool = field(default=False, name="nodePortLB")
    middlewares: list[_MiddlewareRef] = field(default_factory=list)

    def is_followed(self, namespace: str) -> bool:
        """Whether it is a Service of that namespace. Traefik follows others only where its configuration allows it."""
        is_service = self.kind in ("", "Service") and _PROVIDER not in self.name
        return is_service and not self.is_elsewhere(namespace)

    def is_elsewhere(self, namespace: str) -> bool:
        """Whether it is an object of another namespace."""
        return self.namespace not in ("", namespace) and _PROVIDER not in self.name

    def shown(self, namespace: str) -> str:
        """Return kind and name for a message."""
        name = f"{self.namespace}/{self.name}" if self.is_elsewhere(namespace) else self.name
        return f"{self.kind or 'Service'} {name}{' of another namespace' if self.is_elsewhere(namespace) else ''}"

    def affinity(self, where: str) -> Iterator[model.AffinitySetting]:
        """Yield its settings of session affinity; ``where`` names the route."""
        for is_set, stickiness, what in (
            (self.sticky is not None and self.sticky.cookie is not None, model.Stickiness.KEPT, "sticky.cookie"),
            (self.strategy == "hrw", model.Stickiness.UNKNOWN, "strategy: hrw"),
            (self.native_lb is True, model.Stickiness.SERVICE, "nativeLB"),
            (self.node_port_lb, model.Stickiness.SERVICE, "nodePortLB"),
        ):
            if is_set:
                yield model.AffinitySetting(_READER, stickiness, f"{what} of {where}", self.name)


class _Rule(ApiStruct):
    match: str = ""
    priority: int = 0
    syntax: str = ""
    services: list[_Service] = field(default_factory=list)
    middlewares: list[_MiddlewareRef] = field(default_factory=list)

    @property
    def used(self) -> list[_Service]:
        """The services that get requests: the weight counts only where there are several."""
        if len(self.services) == 1:
            return self.services
        return [service for service in self.services if service.weight is None or service.weight > 0]

    @property
    def middlewares_in_order(self) -> list[_MiddlewareRef]:
        """Its Middlewares, and those of its service; of several services they may differ."""
        return [*self.middlewares, *(self.used[0].middlewares if len(self.used) == 1 else ())]

    def transforms(self) -> Iterator[rewrites.Transform]:
        """Yield the changes of a path that are not in Middlewares of the cluster."""
        for found in self.middlewares_in_order:
            if not found.key("any"):
                yield rewrites.Unknown(f"Traefik middleware {found.name}")
        if len(self.used) > 1 and any(service.middlewares for service in self.used):
            yield rewrites.Unknown("Middlewares of one of several services")


class _ParentRef(ApiStruct):
    name: str = ""


class _Spec(ApiStruct):
    ingress_class_name: str | None = None
    entry_points: list[str] = field(default_factory=list)
    routes: list[_Rule] = field(default_factory=list)
    tls: Anything | None = None
    parent_refs: list[_ParentRef] = field(default_factory=list)


class IngressRoute(ApiStruct):
    """An IngressRoute (traefik.io/v1alpha1)."""

    metadata: AnnotatedMeta
    spec: _Spec = field(default_factory=_Spec)

    def to_domain(self) -> model.Route:
        """Return the domain's record of it."""
        meta = self.metadata
        found, refusal, remedy = self._found()
        return model.Route(
            ref=Ref("IngressRoute", meta.namespace, meta.name),
            resource_version=meta.resource_version,
            created=meta.creation_timestamp or "",
            paths=found,
            attachments=tuple(self._attachments()),
            origins=(model.Origin("", is_secure=self._is_secure()),),
            dependencies=tuple(self._dependencies()),
            refusal=refusal,
            refusal_remedy=remedy,
            unsupported_backends=tuple(self._unsupported_backends()),
            affinity=tuple(self._affinity()),
            controllers=_CONTROLLERS,
        )

    def _attachments(self) -> Iterator[model.Attachment]:
        """Yield its class, once for each entry point that it names; without one it is at all."""
        of_class = model.ingress_class(self._class_name())
        for point in dict.fromkeys(self.spec.entry_points or [""]):
            yield of_class._replace(section=point)

    def _class_name(self) -> str:
        """The class of its Traefik: the field counts where it is set, even if it is empty."""
        stated = self.spec.ingress_class_name
        return (self.metadata.annotations.get(_CLASS, "") if stated is None else stated) or _DEFAULT_CLASS

    def _is_secure(self) -> bool:
        """Whether browsers reach it by https: by TLS of its own, or because its entry points have it."""
        points = self.spec.entry_points
        return self.spec.tls is not None or (bool(points) and SECURE_ENTRY_POINTS.issuperset(points))

    def _found(self) -> tuple[tuple[model.RoutePath, ...], str, str]:
        """Its paths, why it is refused, and the remedy."""
        try:
            if sum(len(rule.match) for rule in self.spec.routes) > MAX_RULES:
                raise RuleError(f"its rules have more than {MAX_RULES:,} characters, so the operator does not read it")
            found = tuple(islice(self._paths(), MAX_PATHS + 1))
        except RuleError as error:
            anywhere = (_path(_ANYWHERE, target) for rule in self.spec.routes for target in self._targets(rule))
            return tuple(islice(anywhere, MAX_PATHS)), str(error), "Correct the match of its routes."
        paths = tuple(path for path in found[:MAX_PATHS] if path is not None)
        if len(found) > MAX_PATHS:
            return paths, TOO_MANY_PATHS, SPLIT_REMEDY
        if len({path.host for path in paths if hosts.is_expression(path.host)}) > MAX_EXPRESSIONS:
            return (
                paths,
                f"it has more than {MAX_EXPRESSIONS} HostRegexp, so the operator does not read it",
                SPLIT_REMEDY,
            )
        if self.spec.parent_refs:
            why = "its parentRefs put its rules below those of another IngressRoute, which the operator does not read"
            return paths, why, "Use one IngressRoute with the whole rules, without parentRefs."
        return paths, "", ""

    def _paths(self) -> Iterator[model.RoutePath | None]:
        """Yield the paths of its rules, None for an alternative of a rule that no request meets. Raises RuleError."""
        for rule in self.spec.routes:
            try:
                matches = matches_of(rule.match, is_old=rule.syntax == "v2")
            except RuleError as error:
                raise RuleError(f"its rule {rule.match[:_SHOWN]!r} {error}") from error
            targets = tuple(self._targets(rule))
            for match in matches:
                for target in targets:
                    yield _path(match, target) if match is not None else None

    def _targets(self, rule: _Rule) -> Iterator[model.RoutePath]:
        """Yield a path for each Service of a rule, or for none, without what the rule matches."""
        own = self.metadata.namespace
        target = model.RoutePath(
            host="",
            path="",
            path_type="",
            service="",
            port=0,
            transforms=tuple(rule.transforms()),
            middlewares=tuple(filter(None, (found.key(own) for found in rule.middlewares_in_order))),
            condition="" if rule.services else _PARENT,
            others=tuple(s.name if s.is_followed(own) else s.shown(own) for s in rule.used),
            priority=priority_of(rule.match, rule.priority),
        )
        followed = [service for service in rule.used if service.is_followed(own)]
        for service in followed:
            yield replace(target, service=service.name, port=service.port)
        if not followed:
            is_elsewhere = any(service.is_elsewhere(own) for service in rule.used)
            yield replace(target, condition=target.condition or (_ELSEWHERE if is_elsewhere else ""))

    def _dependencies(self) -> Iterator[model.Dependency]:
        keys = (found.key(self.metadata.namespace) for rule in self.spec.routes for found in rule.middlewares_in_order)
        for key in dict.fromkeys(filter(None, keys)):
            yield model.Dependency(middlewares.KIND, key)

    def _unsupported_backends(self) -> Iterator[str]:
        own = self.metadata.namespace
        used = [service for rule in self.spec.routes for service in rule.used]
        yield from dict.fromkeys(service.shown(own) for service in used if not service.is_followed(own))

    def _affinity(self) -> Iterator[model.AffinitySetting]:
        """Yield the settings of its Services: of one with several rules only what all of them have.

        Where a rule has several services, Traefik chooses one of them for each request, so none keeps a browser.
        """
        where, own = f"IngressRoute {self.metadata.name}", self.metadata.namespace
        by_name: dict[str, set[model.AffinitySetting]] = {}
        for rule in self.spec.routes:
            for service in rule.used:
                if service.is_followed(own):
                    settings = set(service.affinity(where)) if len(rule.used) == 1 else set()
                    by_name[service.name] = by_name.get(service.name, settings) & settings
        for name in sorted(by_name):
            yield from sorted(by_name[name])


def _path(match: Match, target: model.RoutePath) -> model.RoutePath:
    is_expression = match.path_type == "PathRegexp"
    return replace(
        target,
        host=match.host,
        path=match.path,
        path_type=match.path_type,
        matching=_MATCHING[match.path_type],
        condition=AND.join(filter(None, (target.condition, match.condition))),
        styles=(ANYWHERE,) if is_expression else target.styles,
    )


KIND = RouteKind(
    kind="IngressRoute",
    group="traefik.io",
    version="v1alpha1",
    plural="ingressroutes",
    decode=plain_decoder(IngressRoute),
    purpose="An IngressRoute of Traefik has the path of an app.",
    is_optional=True,
    compose=middlewares.compose,
    dependencies=("Middleware",),
)
