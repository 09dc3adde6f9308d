"""An ingress controller: the annotations that it reads, and their effect on a route."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.expressions import Style
from chainlit_operator.domain.model import (
    AnnotatedRoute,
    Attachment,
    Canary,
    Matching,
    Origin,
    Precedence,
    Route,
    RouteOrder,
    RoutePath,
    WebSocketRefusal,
)
from chainlit_operator.domain.route_warnings import RouteWarning
from chainlit_operator.ingress_controllers.shared.affinity import Affinity

#: How much of an annotation a message shows, in characters.
SHOWN = 250
#: The path type of Ingresses that each controller matches in its own way.
IMPLEMENTATION_SPECIFIC = "ImplementationSpecific"


class Rules:
    """The meaning of one route's annotations, read once for all of its paths. The defaults change nothing.

    ``is_owner`` says that the controller is known to serve the route, so annotations of other controllers mean nothing.
    ``middlewares`` are keys of Traefik Middlewares. ``style`` is how the controller compares expressions. ``order`` is
    how it chooses between this route and others; None where that is not known.
    """

    is_owner: bool = False
    canary: Canary = Canary.NONE
    is_sticky: bool = False
    order: RouteOrder | None = None
    middlewares: tuple[str, ...] = ()
    precedence: Precedence | None = None
    """How the controller chooses between two paths; None for the usual way of the route's kind."""
    style: Style | None = None

    def routed(self, paths: tuple[RoutePath, ...]) -> tuple[RoutePath, ...]:
        """Return the paths as the controller serves them: without those that take no request, on more hosts, to other
        Services, and in its order where the order decides.
        """
        return paths

    def matching(self, path: RoutePath) -> Matching | None:
        """Return how the controller compares the path with a request's; None if the annotations do not change that."""
        return None

    def transforms(self, path: RoutePath) -> Iterable[rewrites.Transform]:
        """Return the rewrites and redirects of a path on its way to the Service, in their order."""
        return ()

    def web_socket_refusal(self, path: RoutePath) -> WebSocketRefusal | None:
        """Return why the controller lets no WebSocket through at the path, and the remedy; None if it lets them."""
        return None

    def refusal(self, route: Route) -> tuple[str, str]:
        """Return why the controller does not serve the route, and what to change; empty if it serves the route."""
        return "", ""

    def attachments(self, route: Route) -> tuple[Attachment, ...]:
        """Return what serves the route: routes with overlapping attachments can take requests from each other."""
        return route.attachments

    def origins(self, route: Route) -> tuple[Origin, ...]:
        """Return where a browser reaches the route; its kind has given it those without annotations."""
        return route.origins

    def changes(self, path: RoutePath) -> bool:
        """Return whether the annotations change how the path is compared, or what arrives of it."""
        is_compared = self.matching(path) not in (None, path.matching)
        return is_compared or bool(self.middlewares) or any(True for _ in self.transforms(path))

    def warnings(self, path: RoutePath) -> tuple[RouteWarning, ...]:
        """Return what else may fail at the path. The condition RouteResolved says it, and Ready stays as it is."""
        return ()


def is_never(_: AnnotatedRoute) -> bool:
    """Recognise no route."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IngressController:
    """A controller.

    ``read`` returns the meaning of a route's annotations, or None where they mean nothing. It is called for routes of
    ``kinds`` and ``own_kinds`` that have one of ``annotations``, or an annotation that begins with one of ``prefixes``
    or ``domains``, or whose class is one of ``classes``, or for which ``recognises`` is true. ``own_kinds`` are kinds
    that no other controller serves, so annotations of others mean nothing there. The controller's file knows all
    annotations with one of ``prefixes``, and may not know some of ``domains``. ``classes`` are usual names of the
    controller's ingress class; no other controller serves a route with such a class. ``may_rewrite`` has the
    annotations whose effect on a path is unknown, each with a test of its value: True if the value may change the path.
    ``affinity`` is where it keeps session affinity. ``of_services`` are the annotations of a Service that warnings
    read; they win over those of the route. ``gateway_warnings`` say what else may fail behind a Gateway of its classes.
    """

    read: Callable[[AnnotatedRoute], Rules | None]
    kinds: frozenset[str] = frozenset({"Ingress"})
    own_kinds: frozenset[str] = frozenset()
    annotations: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    classes: frozenset[str] = frozenset()
    of_services: frozenset[str] = frozenset()
    recognises: Callable[[AnnotatedRoute], bool] = is_never
    may_rewrite: Mapping[str, Callable[[str], bool]] = field(default_factory=dict)
    affinity: Affinity | None = None
    gateway_warnings: tuple[RouteWarning, ...] = ()

    def reads(self, kind: str) -> bool:
        """Return whether it reads the annotations of a kind of route."""
        return kind in self.kinds or kind in self.own_kinds


def without_default(paths: tuple[RoutePath, ...], *, is_for_others: bool = False) -> tuple[RoutePath, ...]:
    """Return the paths without the default backend; with ``is_for_others``, it keeps hosts that no rule names."""
    return tuple(path for path in paths if not path.is_fallback or (is_for_others and not path.host))


def with_https(origins: tuple[Origin, ...], *, is_alone: bool = False) -> tuple[Origin, ...]:
    """Return the origins with one for https on every host; with ``is_alone`` only that one."""
    address = next((origin.address for origin in origins if origin.address), "")
    secure = Origin("", is_secure=True, address=address)
    return (secure,) if is_alone else (secure, *origins)


def means_nothing(_: AnnotatedRoute) -> None:
    """Read nothing. Controllers whose only fact is ``may_rewrite`` use this as ``read``."""


def unclear(key: str, value: str) -> rewrites.Unknown:
    """Return the transform of an annotation whose effect on a path is unknown."""
    return rewrites.Unknown(f"the annotation {key[:SHOWN]}: {value[:SHOWN]}")
