"""Istio: patterns as paths of Ingresses, and session affinity in a DestinationRule.

The facts are those of ``pilot/pkg/config/kube/ingress`` in its source. A path of type ImplementationSpecific is a
prefix if it ends with ``/*`` or ``.*``, and matches only itself otherwise.
"""

from __future__ import annotations

from dataclasses import replace

from chainlit_operator.domain.model import AnnotatedRoute, Matching, RoutePath, Stickiness
from chainlit_operator.ingress_controllers.shared.affinity import Affinity
from chainlit_operator.ingress_controllers.shared.controller import (
    IMPLEMENTATION_SPECIFIC,
    IngressController,
    Rules,
    without_default,
)


class _Rules(Rules):
    def routed(self, paths: tuple[RoutePath, ...]) -> tuple[RoutePath, ...]:
        """A default backend takes no requests."""
        found = without_default(paths)
        return tuple(_served(path) if path.path_type == IMPLEMENTATION_SPECIFIC else path for path in found)


def _served(path: RoutePath) -> RoutePath:
    """The path with what Istio makes of its text."""
    text = path.path
    if text.endswith((".*", "/*")):
        return replace(path, path=text[:-2] or "/", matching=Matching.PREFIX)
    if text == "*":
        return replace(path, path="/", matching=Matching.PREFIX)
    return replace(path, matching=Matching.EXACT)


def _read(_: AnnotatedRoute) -> Rules:
    return _Rules()


_REMEDY = "Create a DestinationRule with consistentHash by httpCookie for {service}."
_AFFINITY = Affinity(
    title="Istio",
    default=Stickiness.UNKNOWN,
    remedy=_REMEDY,
    gateway_classes=frozenset({"istio"}),
    gateway_remedy=_REMEDY,
)


CONTROLLER = IngressController(read=_read, classes=frozenset({"istio"}), affinity=_AFFINITY)
