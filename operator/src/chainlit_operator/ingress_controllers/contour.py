"""Contour: paths as expressions, and WebSockets only where an annotation lets them through."""

from __future__ import annotations

from collections.abc import Mapping

from chainlit_operator.domain.expressions import WHOLE
from chainlit_operator.domain.model import (
    AnnotatedRoute,
    Attachment,
    Matching,
    Origin,
    Route,
    RoutePath,
    Stickiness,
    WebSocketRefusal,
    ingress_class,
)
from chainlit_operator.ingress_controllers.shared.affinity import Affinity
from chainlit_operator.ingress_controllers.shared.controller import (
    IMPLEMENTATION_SPECIFIC,
    IngressController,
    Rules,
    with_https,
    without_default,
)
from chainlit_operator.ingress_controllers.shared.values import is_off, is_true

SOCKETS = "projectcontour.io/websocket-routes"
CLASS = "projectcontour.io/ingress.class"
#: Contour itself redirects to https then, or leaves out the listener for http.
FORCE_SSL, ALLOW_HTTP = "ingress.kubernetes.io/force-ssl-redirect", "kubernetes.io/ingress.allow-http"
_INGRESS_CLASS = "kubernetes.io/ingress.class"
#: The name of its class, unless it is configured otherwise; it reads no IngressClass.
_NAME = "contour"
_ATTACHMENT: Attachment = ingress_class(_NAME)
#: Characters that make a path an expression (``internal/dag/ingress_processor.go`` of v1.33.8).
_REGEX_CHARACTERS = frozenset("^+*[]%")


class _Rules(Rules):
    is_owner = True
    style = WHOLE

    def __init__(self, annotations: Mapping[str, str]) -> None:
        self._sockets = frozenset(entry.strip() for entry in annotations.get(SOCKETS, "").split(","))
        is_closed = is_off(annotations.get(ALLOW_HTTP))
        self._is_secure = is_closed or is_true(annotations.get(FORCE_SSL))

    def origins(self, route: Route) -> tuple[Origin, ...]:
        return with_https(route.origins) if self._is_secure else route.origins

    def routed(self, paths: tuple[RoutePath, ...]) -> tuple[RoutePath, ...]:
        """A default backend takes requests for other hosts than those of rules."""
        return without_default(paths, is_for_others=True)

    def matching(self, path: RoutePath) -> Matching | None:
        if path.path_type != IMPLEMENTATION_SPECIFIC:
            return None
        is_plain = _REGEX_CHARACTERS.isdisjoint(path.path)
        return Matching.PREFIX if is_plain else Matching.REGULAR_EXPRESSION

    def web_socket_refusal(self, path: RoutePath) -> WebSocketRefusal | None:
        if path.path in self._sockets:
            return None
        remedy = f"Add {path.path}, spelt exactly so, to its annotation {SOCKETS} (with commas between several paths)."
        return WebSocketRefusal("Contour", remedy, 403)


def _is_its_own(found: AnnotatedRoute) -> bool:
    """Whether the class of an Ingress is Contour's; annotations win over ``spec.ingressClassName``."""
    annotations = found.annotations
    name = annotations.get(CLASS) or annotations.get(_INGRESS_CLASS)
    return name == _NAME if name else _ATTACHMENT in found.route.attachments


def _read(found: AnnotatedRoute) -> Rules | None:
    # A Contour whose class has another name is recognised by the annotation about WebSockets.
    is_its_own = bool(found.annotations.get(SOCKETS)) or _is_its_own(found)
    return _Rules(found.annotations) if is_its_own else None


_REMEDY = (
    "Contour has none for an {kind}. Use an HTTPProxy with loadBalancerPolicy strategy Cookie in its place, or run one "
    "pod."
)
_AFFINITY = Affinity(
    title="Contour",
    default=Stickiness.LOST,
    remedy=_REMEDY.format(kind="Ingress"),
    # As measured with 1.33: it ignores sessionPersistence.
    gateway_classes=frozenset({_NAME}),
    gateway_default=Stickiness.LOST,
    gateway_remedy=_REMEDY.format(kind="HTTPRoute"),
)


CONTROLLER = IngressController(
    annotations=frozenset({SOCKETS, CLASS}),
    classes=frozenset({_NAME}),
    recognises=_is_its_own,
    read=_read,
    affinity=_AFFINITY,
)
