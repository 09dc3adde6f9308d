"""The snapshot: all that one decision about one app reads."""

from __future__ import annotations

from dataclasses import dataclass, field

from chainlit_operator.domain.model.app import App
from chainlit_operator.domain.model.route import Gateway, Middleware, Route
from chainlit_operator.domain.model.service import Service, ServiceAccount
from chainlit_operator.domain.model.workload import Workload
from chainlit_operator.object_ref import Ref

WatchedObject = Workload | Service | ServiceAccount | Route | Middleware | Gateway
"""An object that the operator watches. Others own it, unless ``owned`` says that a ChainlitApp created it."""
CreatableObject = Workload | Service | ServiceAccount | Route
"""An object of a kind that the operator can create."""


@dataclass(frozen=True, slots=True)
class RouteConflict:
    """Another app, of another workload, with a path that meets a path of this app in one listener group.

    ``host``, ``path`` and ``prefix`` are of the other app's path: as its route spells them, and in normal form.
    """

    ref: Ref
    created: str
    route: Ref
    host: str
    path: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that one decision about one app reads.

    ``services`` are those of the namespace whose selector matches the workload's pods. ``routes`` are composed: the one
    that the app names or, in discovery, those that send requests to such a Service, by name. ``missing_services`` are
    names that a route refers to without such a Service existing, where ``services`` are none. ``conflicts`` are the
    oldest other apps at the same paths, and at Chainlit's own routes below them, oldest first. ``taken`` are objects in
    the place of those that the app creates, which are not its own. ``claimed_by`` is an older app of the same workload;
    ``contested_by`` the field manager that keeps setting the variable back.
    """

    app: App
    workload: Workload | None
    services: tuple[Service, ...] = ()
    routes: tuple[Route, ...] = ()
    missing_services: frozenset[str] = field(default_factory=frozenset)
    conflicts: tuple[RouteConflict, ...] = ()
    taken: tuple[Ref, ...] = ()
    claimed_by: str = ""
    contested_by: str = ""
