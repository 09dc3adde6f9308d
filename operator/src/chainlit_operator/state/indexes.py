"""The indexes: which objects belong together, by references, labels and names."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from chainlit_operator.domain import claims
from chainlit_operator.domain.desired import manifests
from chainlit_operator.domain.desired.drift import OwnedState
from chainlit_operator.domain.model import (
    MAX_INCLUDE_DEPTH,
    App,
    CreatableObject,
    Dependency,
    DependencyObject,
    Labels,
    Route,
    Service,
    WatchedObject,
    Workload,
    backend_ref,
    including,
)
from chainlit_operator.kinds import registry
from chainlit_operator.object_ref import Ref
from chainlit_operator.state.store import Store

K = TypeVar("K")


class Index(Generic[K]):
    """References by key. Most keys have one reference: it is kept without a set, which takes four times the space."""

    def __init__(self) -> None:
        self._buckets: dict[K, Ref | set[Ref]] = {}

    def __getitem__(self, key: K) -> frozenset[Ref] | set[Ref]:
        bucket = self._buckets.get(key)
        if bucket is None:
            return frozenset()
        return bucket if isinstance(bucket, set) else frozenset((bucket,))

    def __len__(self) -> int:
        return len(self._buckets)

    def rarest(self, keys: Iterable[K]) -> K:
        """Return the key with the fewest references: the first key without any, if there is one.

        Raises ValueError for no keys.
        """
        fewest: tuple[int, K] | None = None
        for key in keys:
            bucket = self._buckets.get(key)
            if bucket is None:
                return key
            count = len(bucket) if isinstance(bucket, set) else 1
            if fewest is None or count < fewest[0]:
                fewest = count, key
        if fewest is None:
            raise ValueError("no keys")
        return fewest[1]

    def add(self, key: K, ref: Ref) -> None:
        """File ``ref`` under ``key``."""
        bucket = self._buckets.setdefault(key, ref)
        if isinstance(bucket, set):
            bucket.add(ref)
        elif bucket != ref:
            self._buckets[key] = {bucket, ref}

    def discard(self, key: K, ref: Ref) -> None:
        """Remove ``ref`` from ``key``, if it is there."""
        bucket = self._buckets.get(key)
        if isinstance(bucket, set):
            bucket.discard(ref)
            if bucket:
                return
        elif bucket != ref:
            return
        del self._buckets[key]


PodLabel = tuple[str, tuple[str, str]]
"""A namespace, and a label pair of pods in it."""


class Indexes:
    """The indexes of one store, and the searches that use them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.apps_by_workload: Index[Ref] = Index()
        #: Workloads by their pod source.
        self.workloads_by_source: Index[Ref] = Index()
        self.apps_by_route: Index[Ref] = Index()
        self.apps_by_created: Index[Ref] = Index()
        self.objects_by_owner: Index[Ref] = Index()
        self.routes_by_service: Index[Ref] = Index()
        self.routes_by_dependency: Index[Dependency] = Index()
        #: By the kind of a dependency whose objects may name others of their kind.
        self.routes_with_chains: Index[str] = Index()
        self.objects_by_dependency: Index[Dependency] = Index()
        self._workloads_by_label: Index[PodLabel] = Index()
        self._services_by_label: Index[PodLabel] = Index()
        self._label_of_service: dict[Ref, PodLabel] = {}

    # ------------------------------------------------------------------------------------------------------ filing

    def file(self, obj: App | WatchedObject) -> None:
        """Add an object that the store has now."""
        if isinstance(obj, Service) and obj.selector:
            # The selected pods have every label of the selector, so one label is enough: the one with fewest Services.
            labels = ((obj.ref.namespace, pair) for pair in obj.selector)
            self._label_of_service[obj.ref] = self._services_by_label.rarest(labels)
        for index, key in self._keys(obj):
            index.add(key, obj.ref)

    def unfile(self, obj: App | WatchedObject) -> None:
        """Remove an object that :meth:`file` added."""
        for index, key in self._keys(obj):
            index.discard(key, obj.ref)
        self._label_of_service.pop(obj.ref, None)

    def _keys(self, obj: App | WatchedObject) -> Iterator[tuple[Index[Any], Hashable]]:
        """Yield the keys of an object in each index."""
        namespace = obj.ref.namespace
        if isinstance(obj, CreatableObject) and obj.owned is not None:
            yield self.objects_by_owner, owner_of(namespace, obj.owned)
        if isinstance(obj, App):
            yield from self._keys_of_app(obj)
        elif isinstance(obj, Workload):
            if obj.pod_source is not None:
                yield self.workloads_by_source, obj.pod_source
            for pair in obj.pod_labels:
                yield self._workloads_by_label, (namespace, pair)
        elif isinstance(obj, Service) and obj.ref in self._label_of_service:
            yield self._services_by_label, self._label_of_service[obj.ref]
        elif isinstance(obj, Route):
            yield from self._keys_of_route(obj)
        elif isinstance(obj, DependencyObject):
            yield self.objects_by_dependency, Dependency(obj.ref.kind, obj.key)

    def _keys_of_app(self, app: App) -> Iterator[tuple[Index[Any], Hashable]]:
        yield self.apps_by_workload, app.workload
        if app.route is not None:
            yield self.apps_by_route, app.route
        for ref in manifests.refs(app):
            yield self.apps_by_created, ref

    def _keys_of_route(self, route: Route) -> Iterator[tuple[Index[Any], Hashable]]:
        for name in route.services:
            yield self.routes_by_service, backend_ref(route.ref.namespace, name)
        for dependency in route.dependencies:
            yield self.routes_by_dependency, dependency
            if dependency.kind in registry.CHAINED:
                yield self.routes_with_chains, dependency.kind
        for ref in route.includes:
            yield self.objects_by_dependency, including(ref)

    # --------------------------------------------------------------------------------------------------- searching

    def services_of(self, workload: Workload) -> tuple[Service, ...]:
        """Return the Services that select the workload's pods, by name."""
        namespace, labels = workload.ref.namespace, workload.pod_labels
        refs = {ref for pair in labels for ref in self._services_by_label[(namespace, pair)]}
        found = (self._store.service(ref) for ref in sorted(refs))
        return tuple(service for service in found if service is not None and selects(service.selector, labels))

    def apps_behind(self, service: Service | None) -> set[Ref]:
        """Return the apps whose pods the Service selects; none where ``service`` is None."""
        return {app for workload in self.workloads_behind(service) for app in self.apps_by_workload[workload.ref]}

    def workloads_behind(self, service: Service | None) -> Iterator[Workload]:
        """Yield the workloads whose pods the Service selects, by name; none where ``service`` is None."""
        if service is None or not service.selector:
            return
        label = self._workloads_by_label.rarest((service.ref.namespace, pair) for pair in service.selector)
        for ref in sorted(self._workloads_by_label[label]):
            workload = self._store.workload(ref)
            if workload is not None and selects(service.selector, workload.pod_labels):
                yield workload

    def apps_of_route(self, route: Route) -> set[Ref]:
        """Return the apps that name the route, or whose pods one of its Services selects."""
        apps = set(self.apps_by_route[route.ref])
        for name in route.services:
            apps |= self.apps_behind(self._store.service(backend_ref(route.ref.namespace, name)))
        return apps

    def routes_of(self, app: App, services: Iterable[Service]) -> Iterator[Route]:
        """Yield the route that the app names or, if it names none, those that lead to these Services, by name."""
        refs = {ref for service in services for ref in self.routes_by_service[service.ref]}
        for ref in sorted(refs) if app.route is None else [app.route]:
            route = self._store.route(ref)
            if route is not None:
                yield route

    def included(self, route: Route) -> Iterator[Route]:
        """Yield the routes that a route includes, directly or by others of them, each once and without itself.

        Those that are deeper than MAX_INCLUDE_DEPTH are left out.
        """
        seen, level = {route.ref}, [route]
        for _ in range(MAX_INCLUDE_DEPTH):
            refs = dict.fromkeys(ref for each in level for ref in each.includes if ref not in seen)
            seen.update(refs)
            level = [found for ref in refs if (found := self._store.route(ref)) is not None]
            yield from level

    def composed(self, route: Route) -> Route:
        """Return the route with what other objects know of it."""
        return registry.ROUTES[route.ref.kind].compose(route, self.dependencies)

    def dependencies(self, dependency: Dependency) -> tuple[DependencyObject | Route, ...]:
        """Return the objects with the key of a dependency, or the routes that include a route, by name."""
        found = (self._store.dependency(ref) for ref in sorted(self.objects_by_dependency[dependency]))
        return tuple(obj for obj in found if obj is not None)

    def owned_by(self, app: App) -> tuple[CreatableObject, ...]:
        """Return the objects that the app created, by kind and name."""
        found = (self._store.find(ref) for ref in sorted(self.objects_by_owner[app.ref]))
        return tuple(o for o in found if o is not None and o.owned is not None and o.owned.uid == app.uid)

    def apps_writing(self, workload: Ref) -> set[Ref]:
        """Return the apps that write to the object with the workload's pod template."""
        found = self._store.stored_workload(workload)
        source = workload if found is None else found.written
        return {
            app for ref in (workload, source, *self.workloads_by_source[source]) for app in self.apps_by_workload[ref]
        }

    def claimant(self, workload: Ref) -> App | None:
        """Return the oldest app that writes to the object with the workload's pod template; None where none does."""
        return claims.claimant(self._store.apps[ref] for ref in self.apps_writing(workload))


def owner_of(namespace: str, owned: OwnedState) -> Ref:
    """Return the ChainlitApp that created an object."""
    return Ref("ChainlitApp", namespace, owned.app)


def selects(selector: Labels, labels: Labels) -> bool:
    """Whether a selector matches the labels. An empty one matches all, but a Service without a selector has no pods."""
    return set(selector) <= set(labels)
