"""Gather: one snapshot of one app, with all that a decision about it reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from itertools import islice

from chainlit_operator.domain import claims, endpoint
from chainlit_operator.domain.desired import manifests
from chainlit_operator.domain.model import App, Companion, Route, Service, Snapshot, Workload, backend_ref
from chainlit_operator.ingress_controllers.registry import with_controllers
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import expected
from chainlit_operator.state.indexes import Indexes
from chainlit_operator.state.login_cookies import LoginCookies
from chainlit_operator.state.route_keys import RouteKeys
from chainlit_operator.state.store import Store

#: How many other workloads behind an app's Services a snapshot has at most. A message names one.
MAX_COMPANIONS = 20


def gather(app: App, store: Store, indexes: Indexes, route_keys: RouteKeys, login_cookies: LoginCookies) -> Snapshot:
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
    routes = tuple(with_controllers(indexes.composed(route)) for route in found)
    routes = tuple(endpoint.with_service_ports(route, services, workload) for route in _usable(app, routes))
    mine = {service.ref for service in services}
    if workload is not None and app.route is None:
        routes = _of_release(workload, routes, mine)
    conflicts = set(route_keys.conflicts(app, routes, mine))
    claimant = indexes.claimant(app.workload)
    return Snapshot(
        app=app,
        workload=workload,
        services=services,
        companions=tuple(islice(_companions(app, services, indexes), MAX_COMPANIONS)),
        routes=routes,
        # Decisions read missing Services only where the app has no Service at all. So all other changes of them need
        # not enqueue the app.
        missing_services=frozenset() if services else frozenset(_missing(app, routes, store)),
        conflicts=tuple(sorted(conflicts, key=lambda c: (c.created, c.route, c.path, c.host, c.effect, str(c.app)))),
        manifests=tuple(wanted),
        owned=indexes.owned_by(app),
        taken=tuple(claims.taken_names(app, store.find)),
        template_fault=fault,
        claimed_by="" if claimant is None or claimant.ref == app.ref else claimant.ref.name,
        same_login=login_cookies.other(app.ref),
        watched=store.watched,
        disabled_kinds=store.disabled_kinds,
    )


def _usable(app: App, routes: tuple[Route, ...]) -> Iterator[Route]:
    """Yield the routes that the app may use: of other namespaces only those that lead to its own.

    Anybody can write a route that names the Service of somebody else. Where no ReferenceGrant allows it, and the app
    does not name it, it counts only if there is no other, and then one is enough for the message.
    """
    namespace = app.ref.namespace
    own = [route for route in routes if route.ref.namespace == namespace]
    elsewhere = [route for route in routes if route not in own and _leads_to(route, route.services, namespace)]
    agreed = [route for route in elsewhere if not route.crosses_namespaces or route.ref == app.route]
    granted = [route for route in agreed if not _leads_to(route, route.ungranted, namespace)]
    return iter(sorted(own + (granted or elsewhere[: not own]), key=lambda route: route.ref))


def _of_release(workload: Workload, routes: tuple[Route, ...], mine: Set[Ref]) -> tuple[Route, ...]:
    """Return the routes that people use: those to a release on trial alone do not count if there are others."""
    trial = {Ref("Service", workload.ref.namespace, name) for name in workload.trial_services}
    if not trial:
        return routes
    used = (
        route
        for route in routes
        if not {backend_ref(route.ref.namespace, name) for name in route.services} & mine <= trial
    )
    return tuple(used) or routes


def _leads_to(route: Route, names: Iterable[str], namespace: str) -> bool:
    """Whether one of these Services of a route is in the namespace."""
    return any(backend_ref(route.ref.namespace, name).namespace == namespace for name in names)


def _missing(app: App, routes: tuple[Route, ...], store: Store) -> Iterator[str]:
    """The names in routes of Services in the app's namespace that do not exist."""
    for route in routes:
        for name in route.services:
            service = backend_ref(route.ref.namespace, name)
            if service.namespace == app.ref.namespace and store.service(service) is None:
                yield name


def _companions(app: App, services: Iterable[Service], indexes: Indexes) -> Iterator[Companion]:
    """Yield the other workloads that have pods behind the Services."""
    for service in services:
        for workload in indexes.workloads_behind(service):
            if workload.ref != app.workload and workload.rollout.desired > 0:
                names = frozenset(name for container in workload.containers for name, _ in container.ports)
                yield Companion(service.ref.name, workload.ref, names, workload.pod_source)
