"""Cilium: paths of type ImplementationSpecific are expressions for the whole path, and win over prefixes.

So ``/chat`` of that type matches only itself. The facts are those of its documentation.
"""

from __future__ import annotations

from chainlit_operator.domain.expressions import WHOLE, is_plain
from chainlit_operator.domain.model import AnnotatedRoute, Matching, Precedence, RoutePath
from chainlit_operator.ingress_controllers.shared.controller import (
    IMPLEMENTATION_SPECIFIC,
    IngressController,
    Rules,
    without_default,
)

_CLASS = "cilium"


class _Rules(Rules):
    #: An expression wins over a prefix, whatever their lengths are.
    precedence = Precedence.LONGEST_SEGMENTS
    style = WHOLE

    def routed(self, paths: tuple[RoutePath, ...]) -> tuple[RoutePath, ...]:
        """A default backend takes requests for other hosts than those of rules."""
        return without_default(paths, is_for_others=True)

    def matching(self, path: RoutePath) -> Matching | None:
        if path.path_type != IMPLEMENTATION_SPECIFIC:
            return None
        return Matching.REGULAR_EXPRESSION if not is_plain(path.path) else Matching.EXACT


def _read(_: AnnotatedRoute) -> Rules:
    return _Rules()


CONTROLLER = IngressController(read=_read, classes=frozenset({_CLASS}))
