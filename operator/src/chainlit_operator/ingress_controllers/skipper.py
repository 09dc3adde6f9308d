"""Skipper: filters; ``modPath`` and ``setPath`` change the path."""

from __future__ import annotations

from collections.abc import Iterator

from chainlit_operator.domain.model import Stickiness
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations, Found
from chainlit_operator.ingress_controllers.shared.controller import IngressController, means_nothing


def _changes_path(filters: str) -> bool:
    return "Path(" in filters


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
    classes=frozenset({"skipper"}),
    prefixes=(BALANCER,),
    on_route=_on_route,
)


CONTROLLER = IngressController(
    read=means_nothing, may_rewrite={"zalando.org/skipper-filter": _changes_path}, affinity=_AFFINITY
)
