"""The state of the cluster: the store, its indexes, the apps that a change affects, and the snapshot of one app."""

from __future__ import annotations

from collections.abc import Callable

from chainlit_operator.domain import field_release, pod_sources
from chainlit_operator.domain.model import App, CreatableObject, Snapshot, WatchedObject, Workload
from chainlit_operator.kinds import registry
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import affected
from chainlit_operator.state.gather import gather
from chainlit_operator.state.indexes import Indexes
from chainlit_operator.state.login_cookies import LoginCookies
from chainlit_operator.state.route_keys import RouteKeys
from chainlit_operator.state.store import Store


class State(Store):
    """The store with its indexes. It enqueues all that a change affects.

    ``enqueue`` is called with each app whose decision a change may affect, and with each workload to release.
    ``watched`` are the namespaces that the operator watches, empty for all, and ``disabled_kinds`` the kinds that it
    does not read.
    """

    def __init__(
        self,
        enqueue: Callable[[Ref], None],
        watched: tuple[str, ...] = (),
        disabled_kinds: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(self._changed, watched, disabled_kinds)
        self._enqueue = enqueue
        self.indexes = Indexes(self)
        self.route_keys = RouteKeys(self, self.indexes)
        self.login_cookies = LoginCookies(self, self.indexes)
        self._is_complete = False
        self._unreadable: set[Ref] = set()

    @property
    def unreadable(self) -> frozenset[Ref]:
        """The ChainlitApps that exist and cannot be decoded. No workload of their namespaces is released."""
        return frozenset(self._unreadable)

    def mark_unreadable(self, ref: Ref, *, is_unreadable: bool = True) -> None:
        """Note whether a ChainlitApp exists but cannot be decoded: then its workload is unknown."""
        if is_unreadable:
            self._unreadable.add(ref)
        elif ref in self._unreadable:
            self._unreadable.discard(ref)
            self._enqueue_releases()

    def complete(self) -> None:
        """Note that all apps are known: from now on, a workload that none of them names is released.

        Enqueues every such workload. A second call enqueues them again.
        """
        self._is_complete = True
        self._enqueue_releases()

    def enqueue_all(self) -> None:
        """Enqueue every app, and every workload to release. A new leader does this."""
        for ref in self.apps:
            self._enqueue(ref)
        self._enqueue_releases()

    def to_release(self, ref: Ref) -> Workload | None:
        """Return the workload if it is to be released, else None."""
        workload = self.stored_workload(ref)
        is_known = self._is_complete and all(app.namespace != ref.namespace for app in self._unreadable)
        if not is_known or workload is None:
            return None
        return workload if field_release.is_due(workload, self.indexes.claimant(ref)) else None

    def snapshot(self, app: App) -> Snapshot:
        """Return all that a decision about ``app`` reads of the cluster."""
        return gather(app, self, self.indexes, self.route_keys, self.login_cookies)

    def owned_by(self, app: App) -> tuple[CreatableObject, ...]:
        """Return the objects that the app created, by kind and name."""
        return self.indexes.owned_by(app)

    def _changed(self, old: App | WatchedObject | None, new: App | WatchedObject | None, *, quiet: bool) -> None:
        """Update the indexes, and enqueue all that the change affects.

        ``quiet`` is for the operator's own writes: of the apps, it enqueues only those that share a route key.
        """
        before, after = (self.completed(obj) if isinstance(obj, Workload) else obj for obj in (old, new))
        self._update(before, after, quiet=quiet)
        source = next((obj for obj in (old, new) if isinstance(obj, Workload)), None)
        for ref in sorted(self.indexes.workloads_by_source[source.ref]) if source is not None else ():
            user = self.stored_workload(ref)
            if user is not None:
                was, now = (obj if isinstance(obj, Workload) else None for obj in (old, new))
                self._update(pod_sources.completed(user, was), pod_sources.completed(user, now), quiet=quiet)

    def _update(self, old: App | WatchedObject | None, new: App | WatchedObject | None, *, quiet: bool) -> None:
        """Update the indexes after the change of one object, with the pod template of its source if it has one."""
        changed = [obj for obj in (old, new) if obj is not None]
        if old != new:
            if old is not None:
                self.indexes.unfile(old)
            if new is not None:
                self.indexes.file(new)
            apps = self.route_keys.update(old, new) | self.login_cookies.update(old, new)
            for obj in changed if not quiet else ():
                apps |= affected.readers(obj, self, self.indexes)
            apps |= affected.sharing_pods(old, new, self.indexes)
            for ref in apps:
                self._enqueue(ref)
        written = {obj.written for obj in changed if isinstance(obj, Workload)}
        for ref in {obj.workload if isinstance(obj, App) else obj.ref for obj in changed} | written:
            self._enqueue_release(ref)

    def _enqueue_releases(self) -> None:
        for kind in registry.WORKLOADS:
            for workload in self.all_of(kind):
                self._enqueue_release(workload.ref)

    def _enqueue_release(self, ref: Ref) -> None:
        """Enqueue the workload that has the pod template by its own reference, if it is to be released."""
        workload = self.stored_workload(ref)
        if workload is not None and self.to_release(workload.written) is not None:
            self._enqueue(workload.written)
