"""The store: ChainlitApps and the objects of other kinds, each in the newest version that was seen."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Protocol

from chainlit_operator.domain import pod_sources
from chainlit_operator.domain.model import (
    App,
    CreatableObject,
    DependencyObject,
    Route,
    Service,
    WatchedObject,
    Workload,
)
from chainlit_operator.kube.resource_versions import is_older
from chainlit_operator.object_ref import Ref

#: A new list is stored in slices of this many seconds. Other tasks run between two slices.
SLICE_SECONDS = 0.02


class OnChange(Protocol):
    """The callback after each change, with the object before and after it (None: there is none).

    Both may be equal: then only fields that the comparison ignores have changed, such as the resource version.
    """

    def __call__(self, old: App | WatchedObject | None, new: App | WatchedObject | None, *, quiet: bool) -> None:
        """Handle the change; ``quiet`` says that the operator wrote it itself."""


class Store:
    """Objects by kind and reference, without their relations: the indexes know those."""

    def __init__(self, on_change: OnChange, watched: tuple[str, ...], disabled_kinds: frozenset[str]) -> None:
        self._on_change = on_change
        #: The namespaces whose objects are in the store; empty for all.
        self.watched = watched
        #: The kinds whose objects are not in the store.
        self.disabled_kinds = disabled_kinds
        self.apps: dict[Ref, App] = {}
        self._objects: defaultdict[str, dict[Ref, WatchedObject]] = defaultdict(dict)

    # ----------------------------------------------------------------------------------------------------- writing

    def put_app(self, app: App, *, quiet: bool = False) -> None:
        """Put a ChainlitApp that appeared or changed; a version older than the stored one is ignored."""
        old = self.apps.get(app.ref)
        if old is not None and is_older(app.resource_version, old.resource_version):
            return
        self.apps[app.ref] = app
        self._on_change(old, app, quiet=quiet)

    def remove_app(self, ref: Ref) -> None:
        """Remove a ChainlitApp, if it is there."""
        app = self.apps.pop(ref, None)
        if app is not None:
            self._on_change(app, None, quiet=False)

    def upsert(self, obj: WatchedObject, *, quiet: bool = False) -> None:
        """Put an object that appeared or changed; a version older than the stored one is ignored."""
        objects = self._objects[obj.ref.kind]
        old = objects.get(obj.ref)
        if old is not None and is_older(obj.resource_version, old.resource_version):
            return
        objects[obj.ref] = obj
        self._on_change(old, obj, quiet=quiet)

    def remove(self, obj: WatchedObject) -> None:
        """Remove the object of that reference, if it is there."""
        old = self._objects[obj.ref.kind].pop(obj.ref, None)
        if old is not None:
            self._on_change(old, None, quiet=False)

    def discard(self, ref: Ref) -> None:
        """Remove the object, if it is there: a version of it cannot be decoded."""
        obj = self._objects[ref.kind].get(ref)
        if obj is not None:
            self.remove(obj)

    async def replace(self, kind: str, namespace: str | None, objects: Iterable[WatchedObject]) -> None:
        """Replace all objects of ``kind`` in ``namespace`` (None: in all) by ``objects``, in slices."""
        started = time.monotonic()
        for _ in self._replacing(kind, namespace, objects):
            if time.monotonic() - started > SLICE_SECONDS:
                await asyncio.sleep(0)
                started = time.monotonic()

    def _replacing(self, kind: str, namespace: str | None, objects: Iterable[WatchedObject]) -> Iterator[None]:
        """Replace the objects one by one; yield after each."""
        listed = set()
        for obj in objects:
            listed.add(obj.ref)
            if not self._is_stored(obj):
                self.upsert(obj)
            yield
        stored = self._objects[kind]
        for obj in [o for ref, o in stored.items() if ref not in listed and namespace in (None, ref.namespace)]:
            self.remove(obj)
            yield

    def _is_stored(self, obj: WatchedObject) -> bool:
        """Whether this version of a workload is stored. Its stored ``generation`` is better: it comes from watches."""
        stored = self._objects[obj.ref.kind].get(obj.ref)
        if not isinstance(obj, Workload) or not isinstance(stored, Workload):
            return False
        return (obj.uid, obj.resource_version) == (stored.uid, stored.resource_version)

    # ----------------------------------------------------------------------------------------------------- reading

    def all_of(self, kind: str) -> list[WatchedObject]:
        """Return all objects of a kind."""
        return [*self._objects[kind].values()]

    def workload(self, ref: Ref) -> Workload | None:
        """Return the workload with its pod template, or None."""
        obj = self.stored_workload(ref)
        return self.completed(obj) if obj is not None else None

    def completed(self, workload: Workload) -> Workload:
        """Return a workload with the pod template of its source, if that is in the store."""
        if workload.pod_source is None:
            return workload
        return pod_sources.completed(workload, self.stored_workload(workload.pod_source))

    def stored_workload(self, ref: Ref) -> Workload | None:
        """Return the workload without the template of its pod source, or None."""
        obj = self._objects[ref.kind].get(ref)
        return obj if isinstance(obj, Workload) else None

    def service(self, ref: Ref) -> Service | None:
        """Return the Service, or None."""
        obj = self._objects["Service"].get(ref)
        return obj if isinstance(obj, Service) else None

    def route(self, ref: Ref) -> Route | None:
        """Return the route, or None."""
        obj = self._objects[ref.kind].get(ref)
        return obj if isinstance(obj, Route) else None

    def dependency(self, ref: Ref) -> DependencyObject | Route | None:
        """Return the Gateway, the Middleware or the route, or None."""
        obj = self._objects[ref.kind].get(ref)
        return obj if isinstance(obj, DependencyObject | Route) else None

    def find(self, ref: Ref) -> CreatableObject | None:
        """Return the object of a kind that the operator creates, or None."""
        obj = self._objects[ref.kind].get(ref)
        if isinstance(obj, Workload):
            return self.completed(obj)
        return obj if isinstance(obj, CreatableObject) else None
