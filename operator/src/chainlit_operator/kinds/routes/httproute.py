"""HTTPRoutes of the Gateway API as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import msgspec
from msgspec import field

from chainlit_operator.domain import middlewares, model, rewrites
from chainlit_operator.kinds.shared.fields import MAX_PATHS, SPLIT_REMEDY, TOO_MANY_PATHS
from chainlit_operator.kinds.shared.kind import AnnotatedMeta, RouteKind, route_decoder
from chainlit_operator.kube.codec import Anything, ApiStruct
from chainlit_operator.object_ref import Ref

GATEWAY_REMEDY = "Change the HTTPRoute, or the listener of its Gateway."


class _PathMatch(ApiStruct):
    type: str = "PathPrefix"
    value: str = "/"


class _Match(ApiStruct):
    path: _PathMatch = field(default_factory=_PathMatch)
    method: str = ""
    headers: list[Anything] = field(default_factory=list)
    query_params: list[Anything] = field(default_factory=list)

    def condition(self) -> str:
        """Return the condition beside the path, for a message; empty where there is none."""
        if self.headers:
            return "a header matches"
        if self.query_params:
            return "a query parameter matches"
        return f"the method is {self.method}" if self.method else ""


class _PathModifier(ApiStruct):
    type: str = ""
    replace_prefix_match: str = ""
    replace_full_path: str = ""


class _UrlRewrite(ApiStruct):
    hostname: str = ""
    path: _PathModifier | None = None


class _ExtensionRef(ApiStruct):
    group: str = ""
    kind: str = ""
    name: str = ""


class _Filter(ApiStruct):
    type: str
    url_rewrite: _UrlRewrite | None = None
    extension_ref: _ExtensionRef | None = None


class _BackendRef(ApiStruct):
    name: str
    group: str = ""
    kind: str = "Service"
    namespace: str = ""
    port: int = 0
    weight: int = 1
    filters: list[_Filter] = field(default_factory=list)

    @property
    def transforms(self) -> tuple[rewrites.Transform, ...]:
        """Return the effect of its filters on a path."""
        if any(found.type in ("URLRewrite", "ExtensionRef") for found in self.filters):
            return (rewrites.Unknown("a filter in backendRefs, which implementations treat differently"),)
        return ()

    @property
    def is_service(self) -> bool:
        """Whether it refers to a Service."""
        return self.kind == "Service" and not self.group

    def within(self, namespace: str) -> str:
        """Return the name of a Service by which a path of a route in this namespace names it."""
        return model.backend_name(namespace, Ref("Service", self.namespace or namespace, self.name))

    @property
    def shown(self) -> str:
        """Return kind and name, for a message."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class _Rule(ApiStruct):
    matches: list[_Match] = field(default_factory=lambda: [_Match()])
    filters: list[_Filter] = field(default_factory=list)
    backend_refs: list[_BackendRef] = field(default_factory=list)
    session_persistence: Anything | None = None

    def transforms(self) -> Iterator[rewrites.Transform]:
        """Yield the rewrites of a path, without those of Middlewares."""
        for found in self.filters:
            yield from _transforms(found)
        types = [found.type for found in self.filters]
        if "ExtensionRef" in types and "URLRewrite" in types[types.index("ExtensionRef") :]:
            yield rewrites.Unknown("a URLRewrite filter that comes after an ExtensionRef filter")


class _ParentRef(ApiStruct):
    name: str
    group: str = "gateway.networking.k8s.io"
    kind: str = "Gateway"
    namespace: str = ""
    section_name: str = ""
    port: int = 0

    def within(self, namespace: str) -> _ParentRef:
        """Return the reference with its namespace, by default the route's: a controller may write it or not."""
        return self if self.namespace else msgspec.structs.replace(self, namespace=namespace)


class _Spec(ApiStruct):
    parent_refs: list[_ParentRef] = field(default_factory=list)
    hostnames: list[str] = field(default_factory=list)
    rules: list[_Rule] = field(default_factory=list)


class _Condition(ApiStruct):
    type: str
    status: str
    reason: str = ""
    message: str = ""


class _ParentStatus(ApiStruct):
    parent_ref: _ParentRef | None = None
    conditions: list[_Condition] = field(default_factory=list)

    def refusal(self) -> str:
        """Return why this parent does not serve the route; empty if it serves the route or has not answered yet."""
        for condition in self.conditions:
            # ResolvedRefs=False may concern the backend of another rule; the store knows the app's own.
            if condition.type == "Accepted" and condition.status == "False":
                return f"{condition.reason}: {condition.message}"
        return ""


class _Status(ApiStruct):
    parents: list[_ParentStatus] = field(default_factory=list)


class HTTPRoute(ApiStruct):
    """An HTTPRoute (gateway.networking.k8s.io/v1)."""

    metadata: AnnotatedMeta
    spec: _Spec = field(default_factory=_Spec)
    status: _Status = field(default_factory=_Status)

    def to_domain(self) -> model.Route:
        """Return the domain's record of it."""
        refusals = [parent.refusal() for parent in self.status.parents]
        refusal = refusals[0] if refusals and all(refusals) else ""
        found = tuple(islice(self._paths(), MAX_PATHS + 1))
        return model.Route(
            ref=Ref("HTTPRoute", self.metadata.namespace, self.metadata.name),
            resource_version=self.metadata.resource_version,
            created=self.metadata.creation_timestamp or "",
            order=model.RouteOrder.OLDEST,
            paths=found[:MAX_PATHS],
            refusal=refusal if len(found) <= MAX_PATHS else TOO_MANY_PATHS,
            refusal_remedy=SPLIT_REMEDY if len(found) > MAX_PATHS else GATEWAY_REMEDY if refusal else "",
            attachments=tuple(self._attachments()),
            precedence=model.Precedence.LONGEST_SEGMENTS,
            dependencies=tuple(self._dependencies()),
            unsupported_backends=tuple(self._unsupported_backends()),
            affinity=tuple(self._affinity()),
        )

    def _affinity(self) -> Iterator[model.AffinitySetting]:
        """Yield a setting for each Service whose rules all have a ``sessionPersistence``."""
        own = self.metadata.namespace
        rules = [(rule, ref.within(own)) for rule in self.spec.rules for ref in rule.backend_refs]
        kept = {name for _, name in rules} - {name for rule, name in rules if rule.session_persistence is None}
        for name in sorted(kept):
            what = f"sessionPersistence of HTTPRoute {self.metadata.name}"
            yield model.AffinitySetting(model.SESSION_PERSISTENCE, model.Stickiness.KEPT, what, name)

    def _unsupported_backends(self) -> Iterator[str]:
        for ref in {ref.shown: ref for rule in self.spec.rules for ref in rule.backend_refs}.values():
            if not ref.is_service:
                yield ref.shown

    def _gateways(self) -> Iterator[tuple[_ParentRef, str]]:
        """Yield the references to Gateways and their keys, without those that refuse while others accept."""
        namespace = self.metadata.namespace
        answers = [
            (status.parent_ref.within(namespace), status.refusal())
            for status in self.status.parents
            if status.parent_ref is not None
        ]
        refused = [parent for parent, refusal in answers if refusal]
        accepted = [parent for parent, refusal in answers if not refusal]
        for parent in (ref.within(namespace) for ref in self.spec.parent_refs):
            if parent.kind == "Gateway" and (parent in accepted or parent not in refused):
                yield parent, f"{parent.namespace}/{parent.name}"

    def _attachments(self) -> Iterator[model.Attachment]:
        for parent, key in self._gateways():
            yield model.Attachment(f"Gateway {key}", parent.section_name, parent.port)

    def _dependencies(self) -> Iterator[model.Dependency]:
        for key in dict.fromkeys(key for _, key in self._gateways()):
            yield model.Dependency("Gateway", key)
        for rule in self.spec.rules:
            for key in self._middlewares(rule.filters):
                yield model.Dependency("Middleware", key)
        for namespace in dict.fromkeys(ref.namespace for rule in self.spec.rules for ref in rule.backend_refs):
            if namespace not in ("", self.metadata.namespace):
                yield model.Dependency("ReferenceGrant", namespace)

    def _paths(self) -> Iterator[model.RoutePath]:
        namespace = self.metadata.namespace
        for rule in self.spec.rules:
            weighty = [ref for ref in rule.backend_refs if ref.weight > 0]
            backends = [ref for ref in weighty if ref.is_service]
            if not backends or any(found.type == "RequestRedirect" for found in rule.filters):
                backends = [_BackendRef(name="")]
            others = tuple(ref.within(namespace) if ref.is_service else ref.shown for ref in weighty)
            transforms = tuple(rule.transforms())
            middlewares = tuple(self._middlewares(rule.filters))
            for host in self.spec.hostnames or [""]:
                for match in rule.matches or [_Match()]:
                    for ref in backends:
                        yield model.RoutePath(
                            host=host,
                            path=match.path.value,
                            path_type=match.path.type,
                            service=ref.within(namespace),
                            port=ref.port,
                            matching=_MATCHING.get(match.path.type, model.Matching.REGULAR_EXPRESSION),
                            transforms=transforms + ref.transforms if ref.filters else transforms,
                            middlewares=middlewares,
                            condition=match.condition(),
                            others=others,
                        )

    def _middlewares(self, filters: list[_Filter]) -> Iterator[str]:
        for found in filters:
            extension = found.extension_ref
            if extension is not None and (extension.group, extension.kind) == ("traefik.io", "Middleware"):
                yield f"{self.metadata.namespace}-{extension.name}"


_MATCHING = {
    "PathPrefix": model.Matching.PREFIX,
    "Exact": model.Matching.EXACT,
    "RegularExpression": model.Matching.REGULAR_EXPRESSION,
}


def _transforms(found: _Filter) -> Iterator[rewrites.Transform]:
    rewrite, extension = found.url_rewrite, found.extension_ref
    if rewrite is not None and rewrite.hostname:
        yield rewrites.Unknown("a URLRewrite filter with a hostname, to which Chainlit redirects")
    if rewrite is not None and rewrite.path is not None:
        if rewrite.path.type == "ReplacePrefixMatch":
            yield rewrites.ReplacePrefixMatch(rewrite.path.replace_prefix_match)
        else:
            yield rewrites.ReplaceFullPath(rewrite.path.replace_full_path)
    if extension is not None and extension.kind != "Middleware":
        yield rewrites.Unknown(f"an ExtensionRef filter of kind {extension.kind}")


def compose(route: model.Route, find: model.Find) -> model.Route:
    """Return the route with the transforms of its Middlewares, the origins that its Gateways' listeners give, and the
    Services of other namespaces that no ReferenceGrant lets it use.
    """
    gateways = {
        f"Gateway {found.key}": found
        for dependency in route.dependencies
        for found in find(dependency)
        if isinstance(found, model.Gateway)
    }
    origins = [
        model.Origin(
            listener.hostname,
            listener.protocol == "HTTPS",
            listener.port,
            listener.hostname or gateway.address,
            is_deep=True,
        )
        for attachment in route.attachments
        if (gateway := gateways.get(attachment.group)) is not None
        for listener in gateway.listeners
        if attachment.section in ("", listener.name)
        and attachment.port in (0, listener.port)
        and listener.protocol in ("HTTP", "HTTPS")
    ]
    classes = tuple(sorted({gateway.class_name for gateway in gateways.values()}))
    return replace(
        middlewares.compose(route, find),
        origins=tuple(origins),
        gateway_classes=classes,
        ungranted=frozenset(_ungranted(route, find)),
    )


def _ungranted(route: model.Route, find: model.Find) -> Iterator[str]:
    for name in route.services if any(each.kind == "ReferenceGrant" for each in route.dependencies) else ():
        service = model.backend_ref(route.ref.namespace, name)
        if service.namespace != route.ref.namespace:
            grants = find(model.Dependency("ReferenceGrant", service.namespace))
            if not any(isinstance(g, model.ReferenceGrant) and g.allows(route.ref, service) for g in grants):
                yield name


KIND = RouteKind(
    kind="HTTPRoute",
    group="gateway.networking.k8s.io",
    version="v1",
    plural="httproutes",
    decode=route_decoder(HTTPRoute),
    purpose="An HTTPRoute has the path of an app. The operator writes only those that a ChainlitApp describes.",
    is_optional=True,
    is_created=True,
    compose=compose,
    dependencies=("Gateway", "Middleware", "ReferenceGrant"),
)
