"""The cache: all objects known, pruned, with the indexes that tell which apps a change concerns.

Changes that no decision reads (a status counter, an annotation) end here: they are equal to what is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Set
from typing import Generic, TypeVar

from chainlit_operator.domain import field_release, route_conflicts
from chainlit_operator.domain.desired import manifests
from chainlit_operator.domain.desired.drift import OwnedState
from chainlit_operator.domain.model import (
    App,
    CreatableObject,
    Dependency,
    Gateway,
    Labels,
    Middleware,
    Route,
    RouteConflict,
    Service,
    ServiceAccount,
    Snapshot,
    WatchedObject,
    Workload,
)
from chainlit_operator.kinds import registry
from chainlit_operator.kube.resource_versions import is_older
from chainlit_operator.object_ref import Ref
from chainlit_operator.state.route_keys import Backend, Neighbourhood

T = TypeVar("T")
K = TypeVar("K")


class Index(Generic[K]):
    """Objects by some key of theirs. Most keys have one: it is kept as it is, for a set takes four times its space."""

    def __init__(self) -> None:
        self._buckets: dict[K, Ref | set[Ref]] = {}

    def __getitem__(self, key: K) -> frozenset[Ref] | set[Ref]:
        bucket = self._buckets.get(key)
        if bucket is None:
            return frozenset()
        return bucket if isinstance(bucket, set) else frozenset((bucket,))

    def rarest(self, keys: Iterable[K]) -> K:
        """Return the key with the fewest objects, the first with none if there is one; there must be a key."""
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
        """Take ``ref`` from under ``key``, if it is there."""
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


class State:
    """Everything the operator knows.

    ``on_change`` is called with each app that a change concerns, and with each workload that is to be released.
    """

    def __init__(self, on_change: Callable[[Ref], None]) -> None:
        self._on_change = on_change
        self.apps: dict[Ref, App] = {}
        self._objects: defaultdict[str, dict[Ref, WatchedObject]] = defaultdict(dict)
        self._apps_by_workload: Index[Ref] = Index()
        self._apps_by_route: Index[Ref] = Index()
        self._apps_by_created: Index[Ref] = Index()
        self._owned_by_app: Index[Ref] = Index()
        self._workloads_by_label: Index[PodLabel] = Index()
        self._services_by_label: Index[PodLabel] = Index()
        self._routes_by_service: Index[tuple[str, str]] = Index()
        self._label_of_service: dict[Ref, PodLabel] = {}
        self._routes_by_dependency: Index[Dependency] = Index()
        self._routes_with_chains: set[Ref] = set()
        self._dependencies: defaultdict[Dependency, dict[Ref, Gateway | Middleware]] = defaultdict(dict)
        self._is_complete = False
        self._neighbourhood = Neighbourhood()

    # ----------------------------------------------------------------------------------------------------- apps

    def put_app(self, app: App, *, quiet: bool = False) -> None:
        """Take a ChainlitApp that appeared or changed; an older version than the one known is ignored.

        ``quiet`` is for what the caller wrote itself: nobody is told.
        """
        old = self.apps.get(app.ref)
        if old is not None and is_older(app.resource_version, old.resource_version):
            return
        if old is not None:
            self._unfile_app(old)
        self.apps[app.ref] = app
        self._apps_by_workload.add(app.workload, app.ref)
        if app.route is not None:
            self._apps_by_route.add(app.route, app.ref)
        for ref in manifests.refs(app):
            self._apps_by_created.add(ref, app.ref)
        if old != app and not quiet:
            for workload in {app.workload, (old or app).workload}:
                self._notify({app.ref, *self._apps_by_workload[workload]})
                # Another app, also one of the same name, has another age, by which neighbours give way.
                if old is None or (old.uid, old.workload) != (app.uid, app.workload):
                    self._notify(self._beside(self.workload(workload)))
        for workload in {app.workload, (old or app).workload}:
            self._offer(workload)

    def remove_app(self, ref: Ref) -> None:
        """Forget a ChainlitApp; apps that it kept from its workload are told."""
        app = self.apps.pop(ref, None)
        if app is not None:
            self._unfile_app(app)
            self._notify({ref, *self._apps_by_workload[app.workload], *self._beside(self.workload(app.workload))})
            self._offer(app.workload)

    def complete(self) -> None:
        """Say that all apps are known by now: from here on, a workload that none of them claims is released.

        Saying so again, as who takes work over does, offers all such workloads anew.
        """
        self._is_complete = True
        self._offer_all()

    def announce(self) -> None:
        """Tell of every app, and of every workload that is to be released."""
        self._notify(self.apps)
        self._offer_all()

    def _offer_all(self) -> None:
        for kind in registry.WORKLOADS:
            for ref in self._objects[kind]:
                self._offer(ref)

    def to_release(self, ref: Ref) -> Workload | None:
        """Return the workload if it is to be released, else None."""
        workload = self.workload(ref)
        due = self._is_complete and workload is not None and field_release.is_due(workload, self._claimant(ref))
        return workload if due else None

    def _offer(self, ref: Ref) -> None:
        """Have the workload released if that is due; its own reference is the key then."""
        if self.to_release(ref) is not None:
            self._on_change(ref)

    def _unfile_app(self, app: App) -> None:
        self._apps_by_workload.discard(app.workload, app.ref)
        if app.route is not None:
            self._apps_by_route.discard(app.route, app.ref)
        for ref in manifests.refs(app):
            self._apps_by_created.discard(ref, app.ref)

    # -------------------------------------------------------------------------------- foreign objects (the Store)

    def replace(self, kind: str, namespace: str | None, objects: Iterable[WatchedObject]) -> None:
        """Take ``objects`` as all that there are of ``kind`` in ``namespace`` (None: in all)."""
        found = set()
        for obj in objects:
            found.add(obj.ref)
            if not self._is_known(obj):
                self.upsert(obj)
        known = self._objects[kind]
        gone = [o for ref, o in known.items() if ref not in found and namespace in (None, ref.namespace)]
        for obj in gone:
            self.remove(obj)

    def _is_known(self, obj: WatchedObject) -> bool:
        """Whether it is a workload in the very version that is known: of that, a list knows less of its generation."""
        known = self._objects[obj.ref.kind].get(obj.ref)
        if not isinstance(obj, Workload) or not isinstance(known, Workload):
            return False
        return (obj.uid, obj.resource_version) == (known.uid, known.resource_version)

    def upsert(self, obj: WatchedObject, *, quiet: bool = False) -> bool:
        """Take an object that appeared or changed; an older version than the one known is ignored.

        ``quiet`` is for what the caller wrote itself: nobody is told, save the apps beside it of what somebody else has
        changed meanwhile. Returns False for a change that nobody reads.
        """
        known = self._objects[obj.ref.kind]
        old = known.get(obj.ref)
        if old is not None and is_older(obj.resource_version, old.resource_version):
            return False
        if old == obj:
            known[obj.ref] = obj
            self._offer(obj.ref)
            return old.resource_version == obj.resource_version  # then it is the event of our own write
        if old is not None:
            self._unfile(old)
        known[obj.ref] = obj
        self._file(obj)
        self._offer(obj.ref)
        concerned = self._resettled(obj, old)
        if not quiet:
            concerned |= self._concerned(obj) | (self._concerned(old) if old is not None else set())
        self._notify(concerned)
        return True

    def remove(self, obj: WatchedObject) -> None:
        """Forget an object."""
        old = self._objects[obj.ref.kind].pop(obj.ref, None)
        if old is not None:
            self._unfile(old)
            self._notify(self._concerned(old) | self._resettled(old, None))

    def _file(self, obj: WatchedObject) -> None:
        namespace = obj.ref.namespace
        if isinstance(obj, CreatableObject) and obj.owned is not None:
            self._owned_by_app.add(_owner(namespace, obj.owned), obj.ref)
        if isinstance(obj, Workload):
            for pair in obj.pod_labels:
                self._workloads_by_label.add((namespace, pair), obj.ref)
        elif isinstance(obj, Service) and obj.selector:
            # One label of the selector is enough to find it: the one with the fewest Services.
            label = self._services_by_label.rarest((namespace, pair) for pair in obj.selector)
            self._label_of_service[obj.ref] = label
            self._services_by_label.add(label, obj.ref)
        elif isinstance(obj, Route):
            for name in obj.services:
                self._routes_by_service.add((namespace, name), obj.ref)
            self._neighbourhood.add(obj)
            for dependency in obj.dependencies:
                self._routes_by_dependency.add(dependency, obj.ref)
                if dependency.kind in registry.CHAINED:
                    self._routes_with_chains.add(obj.ref)
        elif isinstance(obj, Middleware | Gateway):
            self._dependencies[Dependency(obj.ref.kind, obj.key)][obj.ref] = obj

    def _unfile(self, obj: WatchedObject) -> None:
        namespace = obj.ref.namespace
        if isinstance(obj, CreatableObject) and obj.owned is not None:
            self._owned_by_app.discard(_owner(namespace, obj.owned), obj.ref)
        if isinstance(obj, Workload):
            for pair in obj.pod_labels:
                self._workloads_by_label.discard((namespace, pair), obj.ref)
        elif isinstance(obj, Service) and obj.selector:
            self._services_by_label.discard(self._label_of_service.pop(obj.ref), obj.ref)
        elif isinstance(obj, Route):
            for name in obj.services:
                self._routes_by_service.discard((namespace, name), obj.ref)
            self._neighbourhood.discard(obj)
            for dependency in obj.dependencies:
                self._routes_by_dependency.discard(dependency, obj.ref)
            self._routes_with_chains.discard(obj.ref)
        elif isinstance(obj, Middleware | Gateway):
            dependency = Dependency(obj.ref.kind, obj.key)
            self._dependencies[dependency].pop(obj.ref, None)
            if not self._dependencies[dependency]:
                del self._dependencies[dependency]

    # ------------------------------------------------------------------------------------------- who is concerned

    def _notify(self, refs: Iterable[Ref]) -> None:
        for ref in refs:
            self._on_change(ref)

    def _concerned(self, obj: WatchedObject) -> set[Ref]:
        """The apps whose decision may read ``obj``, or that created it, or have to."""
        creators = set(self._apps_by_created[obj.ref])
        if isinstance(obj, CreatableObject) and obj.owned is not None:
            creators.add(_owner(obj.ref.namespace, obj.owned))
        return creators | self._reading(obj)

    def _reading(self, obj: WatchedObject) -> set[Ref]:
        if isinstance(obj, ServiceAccount):
            return set()
        if isinstance(obj, Workload):
            return set(self._apps_by_workload[obj.ref])
        if isinstance(obj, Route):
            return self._routed(obj) | self._touched(obj, obj.services)
        if isinstance(obj, Middleware | Gateway):
            # A route may reach a Middleware through a chain that it names, and few routes have any.
            is_chained = obj.ref.kind in registry.CHAINED
            named = self._routes_by_dependency[Dependency(obj.ref.kind, obj.key)]
            refs = self._routes_with_chains if is_chained else named
            routes = (self._route(ref) for ref in refs)
            return {app for route in routes if route is not None for app in self._routed(route)}
        apps = self._selected(obj)
        for route in self._routes_by_service[(obj.ref.namespace, obj.ref.name)]:
            apps |= self._apps_by_route[route]
            found = self._route(route)
            apps |= self._touched(found, {obj.ref.name}) if found is not None else set()
        return apps

    def _touched(self, route: Route, services: Set[str]) -> set[Ref]:
        """The apps whose requests depend on what the route sends to those Services."""
        paths = [path for path in route.paths if path.service in services]
        touched = {(b.route.namespace, b.path.service) for b in self._neighbourhood.touched(route, paths)}
        found = (self.service(Ref("Service", namespace, name)) for namespace, name in touched)
        return {app for service in found if service is not None for app in self._selected(service)}

    def _beside(self, workload: Workload | None) -> set[Ref]:
        """The apps whose requests depend on whether the workload is an app's, and behind which Services it is."""
        apps: set[Ref] = set()
        for service in self._services_of(workload) if workload is not None else ():
            for ref in self._routes_by_service[(service.ref.namespace, service.ref.name)]:
                route = self._route(ref)
                apps |= self._touched(route, {service.ref.name}) if route is not None else set()
        return apps

    def _resettled(self, obj: WatchedObject, old: WatchedObject | None) -> set[Ref]:
        """The apps beside a workload of an app that appears, goes, or moves to other Services."""
        if not isinstance(obj, Workload) or not self._apps_by_workload[obj.ref]:
            return set()
        if not isinstance(old, Workload):
            return self._beside(obj)
        return set() if old.pod_labels == obj.pod_labels else self._beside(obj) | self._beside(old)

    def _routed(self, route: Route) -> set[Ref]:
        """The apps that name the route, or whose Services it sends requests to."""
        apps = set(self._apps_by_route[route.ref])
        for name in route.services:
            service = self.service(Ref("Service", route.ref.namespace, name))
            apps |= self._selected(service) if service is not None else set()
        return apps

    def _selected(self, service: Service) -> set[Ref]:
        """The apps of the workloads whose pods the Service selects."""
        if not service.selector:
            return set()
        label = self._workloads_by_label.rarest((service.ref.namespace, pair) for pair in service.selector)
        apps: set[Ref] = set()
        for ref in self._workloads_by_label[label]:
            workload = self.workload(ref)
            if workload is not None and selects(service.selector, workload.pod_labels):
                apps |= self._apps_by_workload[ref]
        return apps

    # ---------------------------------------------------------------------------------------------------- reading

    def workload(self, ref: Ref) -> Workload | None:
        """Return the Deployment or StatefulSet, or None."""
        obj = self._objects[ref.kind].get(ref)
        return obj if isinstance(obj, Workload) else None

    def service(self, ref: Ref) -> Service | None:
        """Return the Service, or None."""
        obj = self._objects["Service"].get(ref)
        return obj if isinstance(obj, Service) else None

    def _route(self, ref: Ref) -> Route | None:
        obj = self._objects[ref.kind].get(ref)
        return obj if isinstance(obj, Route) else None

    def find(self, ref: Ref) -> CreatableObject | None:
        """Return an object of a kind that the operator creates, or None."""
        obj = self._objects[ref.kind].get(ref)
        return obj if isinstance(obj, CreatableObject) else None

    def owned_by(self, app: App) -> tuple[CreatableObject, ...]:
        """Return the objects that the app created, by kind and name."""
        found = (self.find(ref) for ref in sorted(self._owned_by_app[app.ref]))
        return tuple(o for o in found if o is not None and o.owned is not None and o.owned.uid == app.uid)

    def _taken(self, app: App) -> Iterator[Ref]:
        """The objects in the place of those that the app has created, which it did not create."""
        for ref in manifests.refs(app):
            obj = self.find(ref)
            if obj is not None and (obj.owned is None or obj.owned.uid != app.uid):
                yield ref

    def snapshot(self, app: App, contested_by: str = "", *, workload: Workload | None = None) -> Snapshot:
        """Return all that a decision about ``app`` reads; ``workload`` stands for the app's own if it is given."""
        workload = workload or self.workload(app.workload)
        services = self._services_of(workload) if workload is not None else ()
        routes = tuple(
            registry.ROUTES[route.ref.kind].compose(route, self._found) for route in self._routes_of(app, services)
        )
        named = {(route.ref.namespace, name) for route in routes for name in route.services}
        return Snapshot(
            app=app,
            workload=workload,
            services=services,
            routes=routes,
            # Where a Service is there, nobody asks for others that the route names, and so nobody is told of them.
            missing_services=frozenset(
                name
                for namespace, name in (named if not services else ())
                if self.service(Ref("Service", namespace, name)) is None
            ),
            conflicts=self._neighbours(services, routes),
            taken=tuple(self._taken(app)),
            claimed_by=self._claimed_by(app),
            contested_by=contested_by,
        )

    def _neighbours(self, services: tuple[Service, ...], routes: tuple[Route, ...]) -> tuple[RouteConflict, ...]:
        """The apps behind other Services at the places of ours, oldest first."""
        mine = {service.ref for service in services}
        found = {}
        for route in routes:
            names = {ref.name for ref in mine if ref.namespace == route.ref.namespace}
            for backend in self._neighbourhood.around(route, (p for p in route.paths if p.service in names)):
                if backend.service not in mine and self._meets(route, backend):
                    for other in self._behind(backend):
                        key = (route_conflicts.precedence(other), backend.route, backend.path.path, backend.path.host)
                        found[key] = RouteConflict(other.ref, other.created, backend.route, backend.path)
        return tuple(found[key] for key in sorted(found))

    def _meets(self, route: Route, backend: Backend) -> bool:
        other = self._route(backend.route)
        return other is not None and route.shares_listener(other)

    def _behind(self, backend: Backend) -> list[App]:
        service = self.service(backend.service)
        return [self.apps[ref] for ref in self._selected(service)] if service is not None else []

    def _services_of(self, workload: Workload) -> tuple[Service, ...]:
        namespace, labels = workload.ref.namespace, workload.pod_labels
        refs = {ref for pair in labels for ref in self._services_by_label[(namespace, pair)]}
        found = (self.service(ref) for ref in sorted(refs))
        return tuple(service for service in found if service is not None and selects(service.selector, labels))

    def _routes_of(self, app: App, services: tuple[Service, ...]) -> Iterator[Route]:
        if app.route is not None:
            refs = [app.route]
        else:
            refs = sorted({r for s in services for r in self._routes_by_service[(s.ref.namespace, s.ref.name)]})
        for ref in refs:
            route = self._route(ref)
            if route is not None:
                yield route

    def _found(self, dependency: Dependency) -> tuple[Gateway | Middleware, ...]:
        """The objects that take part in routes under that key, by name."""
        objects = self._dependencies.get(dependency, {})
        return tuple(objects[ref] for ref in sorted(objects))

    def _claimed_by(self, app: App) -> str:
        """The name of the oldest app of the same workload, if that is another one."""
        first = self._claimant(app.workload)
        return "" if first is None or first.ref == app.ref else first.ref.name

    def _claimant(self, workload: Ref) -> App | None:
        """The oldest app of a workload: the one that it belongs to."""
        claimants = (self.apps[ref] for ref in self._apps_by_workload[workload] if ref in self.apps)
        return min(claimants, key=lambda app: (app.created, app.ref.name), default=None)


def _owner(namespace: str, owned: OwnedState) -> Ref:
    return Ref("ChainlitApp", namespace, owned.app)


def selects(selector: Labels, labels: Labels) -> bool:
    """Whether a selector that is not empty matches the labels."""
    return bool(selector) and set(selector) <= set(labels)
