"""Kong Ingress Controller: paths without the prefix that a rule matches, and paths that are expressions."""

from __future__ import annotations

from collections.abc import Iterable

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.model import AnnotatedRoute, Matching, RoutePath
from chainlit_operator.ingress_controllers.shared.controller import (
    IMPLEMENTATION_SPECIFIC,
    IngressController,
    Rules,
)

STRIP = "konghq.com/strip-path"
#: A path of type ImplementationSpecific with this beginning is an expression.
_REGEX_PREFIX = "/~/"


class _Rules(Rules):
    def __init__(self, *, is_stripped: bool) -> None:
        self._transforms = (rewrites.ReplacePrefixMatch("/"),) if is_stripped else ()

    def matching(self, path: RoutePath) -> Matching | None:
        is_expression = path.path_type == IMPLEMENTATION_SPECIFIC and path.path.startswith(_REGEX_PREFIX)
        return Matching.UNKNOWN if is_expression else None

    def transforms(self, path: RoutePath) -> Iterable[rewrites.Transform]:
        return self._transforms


def _has_expressions(found: AnnotatedRoute) -> bool:
    return any(path.path.startswith(_REGEX_PREFIX) for path in found.route.paths)


def _read(found: AnnotatedRoute) -> Rules:
    return _Rules(is_stripped=found.annotations.get(STRIP, "").lower() == "true")


CONTROLLER = IngressController(
    kinds=frozenset({"Ingress", "HTTPRoute"}),
    annotations=frozenset({STRIP}),
    recognises=_has_expressions,
    read=_read,
)
