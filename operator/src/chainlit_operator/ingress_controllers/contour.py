"""Contour: paths as expressions, and WebSockets only where an annotation lets them through."""

from __future__ import annotations

from chainlit_operator.domain.model import (
    AnnotatedRoute,
    Attachment,
    Matching,
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
)

SOCKETS = "projectcontour.io/websocket-routes"
CLASS = "projectcontour.io/ingress.class"
_INGRESS_CLASS = "kubernetes.io/ingress.class"
#: The name of its class, unless it is configured otherwise; it reads no IngressClass.
_NAME = "contour"
_ATTACHMENT: Attachment = ingress_class(_NAME)
#: Characters that make a path an expression (``internal/dag/ingress_processor.go`` of v1.33.8).
_REGEX_CHARACTERS = frozenset("^+*[]%")


class _Rules(Rules):
    is_owner = True

    def __init__(self, sockets: str) -> None:
        self._sockets = frozenset(entry.strip() for entry in sockets.split(","))

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
    sockets = found.annotations.get(SOCKETS, "")
    return _Rules(sockets) if sockets or _is_its_own(found) else None


_REMEDY = (
    "Contour has none for an {kind}. Use an HTTPProxy with loadBalancerPolicy strategy Cookie and set "
    "spec.route.affinity to External, or run one pod."
)
_AFFINITY = Affinity(
    title="Contour",
    default=Stickiness.LOST,
    remedy=_REMEDY.format(kind="Ingress"),
    classes=frozenset({_NAME}),
    # As measured with 1.33: it ignores sessionPersistence.
    gateway_classes=frozenset({_NAME}),
    gateway_default=Stickiness.LOST,
    gateway_remedy=_REMEDY.format(kind="HTTPRoute"),
)


CONTROLLER = IngressController(
    annotations=frozenset({SOCKETS, CLASS}), recognises=_is_its_own, read=_read, affinity=_AFFINITY
)
