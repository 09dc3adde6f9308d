"""haproxy-ingress: an annotation that replaces the matched prefix of the path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.model import (
    AnnotatedRoute,
    RoutePath,
    Stickiness,
)
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations, Found
from chainlit_operator.ingress_controllers.shared.controller import IngressController, Rules

TARGET = "haproxy-ingress.github.io/rewrite-target"


class _Rules(Rules):
    def __init__(self, target: str) -> None:
        self._transforms = (rewrites.ReplacePrefixMatch(target),)

    def transforms(self, path: RoutePath) -> Iterable[rewrites.Transform]:
        return self._transforms


def _read(found: AnnotatedRoute) -> Rules | None:
    target = found.annotations.get(TARGET)
    return _Rules(target) if target else None


_PREFIXES = ("haproxy-ingress.github.io/", "ingress.kubernetes.io/")
AFFINITY, BALANCE = "affinity", "balance-algorithm"


def _settings(annotations: Annotations) -> Iterator[Found]:
    """Yield the settings of an Ingress or a Service."""
    for prefix in _PREFIXES:
        if annotations.get(f"{prefix}{AFFINITY}") == "cookie":
            yield Found(Stickiness.KEPT, f"{prefix}{AFFINITY}")
        if annotations.get(f"{prefix}{BALANCE}", "").startswith("source"):
            yield Found(Stickiness.KEPT, f"{prefix}{BALANCE}")


_AFFINITY = Affinity(
    title="haproxy-ingress",
    # Its ConfigMap may set both for all routes.
    default=Stickiness.UNKNOWN,
    remedy=f"Set the annotation {_PREFIXES[0]}{AFFINITY}: cookie on {{route}}.",
    prefixes=tuple(f"{prefix}{name}" for prefix in _PREFIXES for name in (AFFINITY, BALANCE)),
    on_route=_settings,
    on_service=_settings,
)


CONTROLLER = IngressController(
    annotations=frozenset({TARGET}),
    classes=frozenset({"haproxy"}),
    read=_read,
    affinity=_AFFINITY,
)
