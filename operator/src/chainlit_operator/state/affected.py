"""The apps that a change affects."""

from __future__ import annotations

from chainlit_operator.domain.model import (
    App,
    CreatableObject,
    Dependency,
    DependencyObject,
    Route,
    Service,
    WatchedObject,
    Workload,
)
from chainlit_operator.object_ref import Ref
from chainlit_operator.state.indexes import Indexes, owner_of
from chainlit_operator.state.store import Store


def readers(obj: App | WatchedObject, store: Store, indexes: Indexes) -> set[Ref]:
    """Return the apps whose snapshot contains the object, or would contain it.

    This leaves out apps with routes at the same keys: ``RouteKeys`` finds those.
    """
    if isinstance(obj, App):
        return {obj.ref, *indexes.apps_writing(obj.workload)}
    apps = set(indexes.apps_by_created[obj.ref])
    if isinstance(obj, CreatableObject) and obj.owned is not None:
        apps.add(owner_of(obj.ref.namespace, obj.owned))
    if isinstance(obj, Workload):
        apps |= indexes.apps_writing(obj.ref) | indexes.apps_writing(obj.written)
    elif isinstance(obj, Service):
        apps |= indexes.apps_behind(obj)
        for ref in indexes.routes_by_service[obj.ref]:
            apps |= indexes.apps_by_route[ref]
    elif isinstance(obj, Route):
        # The paths of an included route depend on the routes that include it.
        for route in (obj, *indexes.included(obj)):
            apps |= indexes.apps_of_route(route)
    elif isinstance(obj, DependencyObject):
        apps |= _served_through(obj, store, indexes)
    return apps


def sharing_pods(old: App | WatchedObject | None, new: App | WatchedObject | None, indexes: Indexes) -> set[Ref]:
    """Return the apps that share a Service with a workload that begins or ends to have pods behind it."""
    before = old if isinstance(old, Workload) else None
    after = new if isinstance(new, Workload) else None
    if _pods_of(before) == _pods_of(after):
        return set()
    workloads = [workload for workload in (before, after) if workload is not None]
    services = [service for workload in workloads for service in indexes.services_of(workload)]
    return {app for service in services for app in indexes.apps_behind(service)}


def _pods_of(workload: Workload | None) -> tuple[object, ...]:
    """What decides whether a Service leads to pods of a workload."""
    if workload is None or workload.rollout.desired == 0:
        return ()
    return workload.pod_labels, *(container.ports for container in workload.containers)


def _served_through(obj: DependencyObject, store: Store, indexes: Indexes) -> set[Ref]:
    """Return the apps with a route in which the object takes part, or may take part."""
    # A Middleware may be in a chain of another one. So each route with chains counts: few routes have any.
    named = indexes.routes_by_dependency[Dependency(obj.ref.kind, obj.key)]
    routes = (store.route(ref) for ref in named | indexes.routes_with_chains[obj.ref.kind])
    return {app for route in routes if route is not None for app in indexes.apps_of_route(route)}
