"""Kong Ingress Controller: paths without the prefix that a rule matches, and paths that are expressions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.model import (
    AnnotatedRoute,
    Matching,
    Origin,
    Route,
    RoutePath,
    Stickiness,
)
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations, Found
from chainlit_operator.ingress_controllers.shared.controller import (
    IMPLEMENTATION_SPECIFIC,
    IngressController,
    Rules,
    with_https,
)
from chainlit_operator.ingress_controllers.shared.values import is_true

STRIP = "konghq.com/strip-path"
#: With commas between them; one without http is redirected or refused there.
PROTOCOLS = "konghq.com/protocols"
#: A path of type ImplementationSpecific with this beginning is an expression.
_REGEX_PREFIX = "/~/"


class _Rules(Rules):
    def __init__(self, *, is_stripped: bool, is_secure: bool) -> None:
        self._transforms = (rewrites.ReplacePrefixMatch("/"),) if is_stripped else ()
        self._is_secure = is_secure

    def origins(self, route: Route) -> tuple[Origin, ...]:
        return with_https(route.origins, is_alone=True) if self._is_secure else route.origins

    def matching(self, path: RoutePath) -> Matching | None:
        is_expression = path.path_type == IMPLEMENTATION_SPECIFIC and path.path.startswith(_REGEX_PREFIX)
        return Matching.UNKNOWN if is_expression else None

    def transforms(self, path: RoutePath) -> Iterable[rewrites.Transform]:
        return self._transforms


def _has_expressions(found: AnnotatedRoute) -> bool:
    return any(path.path.startswith(_REGEX_PREFIX) for path in found.route.paths)


def _read(found: AnnotatedRoute) -> Rules:
    protocols = {protocol.strip() for protocol in found.annotations.get(PROTOCOLS, "").split(",")}
    return _Rules(
        is_stripped=found.annotations.get(STRIP, "").lower() == "true",
        is_secure="https" in protocols and "http" not in protocols,
    )


POLICY = "konghq.com/upstream-policy"
OVERRIDE = "konghq.com/override"
SERVICE_UPSTREAM = "ingress.kubernetes.io/service-upstream"


def _on_route(annotations: Annotations) -> Iterator[Found]:
    if annotations.get(OVERRIDE):
        yield Found(Stickiness.UNKNOWN, OVERRIDE)


def _on_service(annotations: Annotations) -> Iterator[Found]:
    """Yield the settings of a Service. The operator does not read the policy that an annotation names."""
    if is_true(annotations.get(SERVICE_UPSTREAM)):
        yield Found(Stickiness.SERVICE, SERVICE_UPSTREAM)
    for key in (POLICY, OVERRIDE):
        if annotations.get(key):
            yield Found(Stickiness.UNKNOWN, key)


_REMEDY = f"Create a KongUpstreamPolicy that hashes on a cookie, and name it in the annotation {POLICY} on {{service}}."
_AFFINITY = Affinity(
    title="Kong",
    default=Stickiness.LOST,
    remedy=_REMEDY,
    prefixes=(POLICY, OVERRIDE, SERVICE_UPSTREAM),
    on_route=_on_route,
    on_service=_on_service,
    gateway_classes=frozenset({"kong"}),
    gateway_default=Stickiness.LOST,
    gateway_readers=frozenset({"kong"}),
    gateway_remedy=_REMEDY,
)


CONTROLLER = IngressController(
    kinds=frozenset({"Ingress", "HTTPRoute"}),
    annotations=frozenset({PROTOCOLS, STRIP}),
    classes=frozenset({"kong"}),
    recognises=_has_expressions,
    read=_read,
    affinity=_AFFINITY,
)
