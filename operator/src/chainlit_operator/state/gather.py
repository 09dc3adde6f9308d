"""Gather: one snapshot of one app, with all that a decision about it reads."""

from __future__ import annotations

from chainlit_operator.domain import claims
from chainlit_operator.domain.desired import manifests
from chainlit_operator.domain.model import App, Snapshot
from chainlit_operator.ingress_controllers.registry import with_controllers
from chainlit_operator.kinds import registry
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import expected
from chainlit_operator.state.indexes import Indexes
from chainlit_operator.state.route_keys import RouteKeys
from chainlit_operator.state.store import Store


def gather(app: App, store: Store, indexes: Indexes, route_keys: RouteKeys) -> Snapshot:
    """Return the snapshot of an app. The objects that it creates are in it as they will be after this reconcile."""
    workload, fault = expected.workload_of(app, store.find)
    wanted = manifests.dependencies(app)
    present = indexes.services_of(workload) if workload is not None else ()
    services = expected.services_of(app, wanted, present, store.find)
    found = tuple(indexes.routes_of(app, services))
    if app.spec.creates_route:
        manifest, route = expected.route_of(app, services, store.find)
        wanted += [manifest] if manifest is not None else []
        found = (route,) if route is not None else ()
    routes = tuple(
        with_controllers(registry.ROUTES[route.ref.kind].compose(route, indexes.dependencies)) for route in found
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
        # Decisions read missing Services only where the app has no Service at all. So all other changes of them need
        # not enqueue the app.
        missing_services=frozenset(ref.name for ref in named if not services and store.service(ref) is None),
        conflicts=tuple(sorted(conflicts, key=lambda c: (c.created, c.ref, c.route, c.path, c.host))),
        manifests=tuple(wanted),
        owned=indexes.owned_by(app),
        taken=tuple(claims.taken_names(app, store.find)),
        template_fault=fault,
        claimed_by="" if claimant is None or claimant.ref == app.ref else claimant.ref.name,
        watched=store.watched,
    )
