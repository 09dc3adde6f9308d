"""haproxy-ingress: an annotation that replaces the matched prefix of the path."""

from __future__ import annotations

from collections.abc import Iterable

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.model import AnnotatedRoute, RoutePath
from chainlit_operator.ingress_controllers.shared.controller import IngressController, Rules

TARGET = "haproxy-ingress.github.io/rewrite-target"


class _Rules(Rules):
    def __init__(self, target: str) -> None:
        self._transforms = (rewrites.ReplacePrefixMatch(target),)

    def transforms(self, path: RoutePath) -> Iterable[rewrites.Transform]:
        return self._transforms


def _read(found: AnnotatedRoute) -> Rules | None:
    target = found.annotations[TARGET]
    return _Rules(target) if target else None


CONTROLLER = IngressController(annotations=frozenset({TARGET}), read=_read)
