"""Gather: one snapshot of one app, with all that a decision about it reads."""

from __future__ import annotations

from chainlit_operator.domain import claims
from chainlit_operator.domain.model import App, Snapshot, Workload
from chainlit_operator.kinds import registry
from chainlit_operator.object_ref import Ref
from chainlit_operator.state.indexes import Indexes
from chainlit_operator.state.route_keys import RouteKeys
from chainlit_operator.state.store import Store


def gather(
    app: App,
    store: Store,
    indexes: Indexes,
    route_keys: RouteKeys,
    *,
    workload: Workload | None = None,
    contested_by: str = "",
) -> Snapshot:
    """Return the snapshot of an app; ``workload`` stands for the app's own if it is given."""
    workload = workload or store.workload(app.workload)
    services = indexes.services_of(workload) if workload is not None else ()
    routes = tuple(
        registry.ROUTES[route.ref.kind].compose(route, indexes.dependencies)
        for route in indexes.routes_of(app, services)
    )
    named = {Ref("Service", route.ref.namespace, name) for route in routes for name in route.services}
    mine = {service.ref for service in services}
    conflicts = {conflict for route in routes for conflict in route_keys.conflicts(route, mine)}
    claimant = indexes.claimant(app.workload)
    return Snapshot(
        app=app,
        workload=workload,
        services=services,
        routes=routes,
        # Where a Service is there, no decision asks for others that the route names, and no change of them is seen.
        missing_services=frozenset(ref.name for ref in named if not services and store.service(ref) is None),
        conflicts=tuple(sorted(conflicts, key=lambda c: (c.created, c.ref, c.route, c.path, c.host))),
        taken=tuple(claims.taken_names(app, store.find)),
        claimed_by="" if claimant is None or claimant.ref == app.ref else claimant.ref.name,
        contested_by=contested_by,
    )
