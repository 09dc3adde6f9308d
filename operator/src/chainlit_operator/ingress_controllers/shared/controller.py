"""An ingress controller: the annotations that it reads, and their effect on a route."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.model import AnnotatedRoute, Matching, RoutePath

#: How much of an annotation a message shows, in characters.
SHOWN = 250
#: The path type of Ingresses that each controller matches in its own way.
IMPLEMENTATION_SPECIFIC = "ImplementationSpecific"


class Rules:
    """The meaning of one route's annotations, read once for all of its paths. The defaults change nothing.

    ``is_owner`` says that the controller is known to serve the route, so its ``matching`` is the only one that counts.
    ``middlewares`` are keys of Traefik Middlewares.
    """

    is_owner: bool = False
    is_canary: bool = False
    middlewares: tuple[str, ...] = ()

    def matching(self, path: RoutePath) -> Matching | None:
        """Return how the controller compares the path with a request's; None if the annotations do not change that."""
        return None

    def transforms(self, path: RoutePath) -> Iterable[rewrites.Transform]:
        """Return the rewrites of a path on its way to the Service, in their order."""
        return ()

    def refuses_web_socket(self, path: RoutePath) -> bool:
        """Whether the controller answers WebSocket upgrades at the path with 403."""
        return False


def is_never(_: AnnotatedRoute) -> bool:
    """Recognise no route."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IngressController:
    """A controller.

    ``read`` returns the meaning of a route's annotations, or None where they mean nothing. It is called for routes of
    ``kinds`` that have one of ``annotations``, or an annotation that begins with one of ``prefixes``, or for which
    ``recognises`` is true. ``may_rewrite`` has the annotations whose effect on a path is unknown, each with a test of
    its value: True if the value may change the path.
    """

    read: Callable[[AnnotatedRoute], Rules | None]
    kinds: frozenset[str] = frozenset({"Ingress"})
    annotations: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    recognises: Callable[[AnnotatedRoute], bool] = is_never
    may_rewrite: Mapping[str, Callable[[str], bool]] = field(default_factory=dict)


def means_nothing(_: AnnotatedRoute) -> None:
    """Read nothing. Controllers whose only fact is ``may_rewrite`` use this as ``read``."""


def unclear(key: str, value: str) -> rewrites.Unknown:
    """Return the transform of an annotation whose effect on a path is unknown."""
    return rewrites.Unknown(f"the annotation {key[:SHOWN]}: {value[:SHOWN]}")
