"""Skipper: filters; ``modPath`` and ``setPath`` change the path."""

from __future__ import annotations

from chainlit_operator.ingress_controllers.shared.controller import IngressController, means_nothing


def _changes_path(filters: str) -> bool:
    return "Path(" in filters


CONTROLLER = IngressController(read=means_nothing, may_rewrite={"zalando.org/skipper-filter": _changes_path})
