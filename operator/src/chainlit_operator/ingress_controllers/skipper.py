"""Skipper: filters, of which ``modPath`` and ``setPath`` change the path, and a redirect to https."""

from __future__ import annotations

from collections.abc import Iterator

from chainlit_operator.domain.model import (
    AnnotatedRoute,
    Origin,
    Route,
    Stickiness,
)
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations, Found
from chainlit_operator.ingress_controllers.shared.controller import IngressController, Rules, with_https
from chainlit_operator.ingress_controllers.shared.values import is_true

REDIRECT = "zalando.org/skipper-ingress-redirect"


class _Rules(Rules):
    def origins(self, route: Route) -> tuple[Origin, ...]:
        return with_https(route.origins)


def _changes_path(filters: str) -> bool:
    return "Path(" in filters


def _read(found: AnnotatedRoute) -> Rules | None:
    return _Rules() if is_true(found.annotations.get(REDIRECT)) else None


BALANCER = "zalando.org/skipper-loadbalancer"


def _on_route(annotations: Annotations) -> Iterator[Found]:
    # It hashes the client's address.
    if annotations.get(BALANCER) == "consistentHash":
        yield Found(Stickiness.KEPT, BALANCER)


_AFFINITY = Affinity(
    title="Skipper",
    # An option of it may set an algorithm for all routes.
    default=Stickiness.UNKNOWN,
    remedy=f"Set the annotation {BALANCER}: consistentHash on {{route}}.",
    prefixes=(BALANCER,),
    on_route=_on_route,
)


CONTROLLER = IngressController(
    annotations=frozenset({REDIRECT}),
    classes=frozenset({"skipper"}),
    read=_read,
    may_rewrite={"zalando.org/skipper-filter": _changes_path},
    affinity=_AFFINITY,
)
