"""The route keys of the whole cluster: which apps get the requests for which paths, and which of them are in conflict.

An entry is a path of a route at a key, with an app behind the path's Service. The entries at a key are sorted: apps by
age, then paths without an app. For each app the first entry that is in conflict with it decides. Later entries do not
change its answer. So a change affects few apps, even if thousands share its keys.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import takewhile
from typing import NamedTuple

from chainlit_operator.domain.model import (
    App,
    Attachment,
    Route,
    RouteConflict,
    Service,
    WatchedObject,
    Workload,
    backend_name,
    backend_ref,
)
from chainlit_operator.domain.route_conflicts import RouteKey, keys_of_paths, share_listener
from chainlit_operator.object_ref import Ref
from chainlit_operator.state.indexes import Indexes
from chainlit_operator.state.store import Store

Attachments = tuple[Attachment, ...]


class Entry(NamedTuple):
    """A path of a route, and an app behind its Service. The order of the fields is the order of entries at a key."""

    has_no_app: bool
    created: str
    app: Ref | None
    route: Ref
    path: str
    host: str
    prefix: str
    service: str
    attachments: Attachments

    def conflict(self) -> RouteConflict:
        """Return the entry as a conflict of another app; the entry must have an app."""
        assert self.app is not None
        return RouteConflict(self.app, self.created, self.route, self.host, self.path, self.prefix)


class Entries:
    """Entries by key and by the attachments of their routes, sorted. A key with one entry has no dict and no list."""

    def __init__(self) -> None:
        self._found: dict[RouteKey, Entry | dict[Attachments, list[Entry]]] = {}

    def __len__(self) -> int:
        return len(self._found)

    def add(self, key: RouteKey, entry: Entry) -> None:
        """Add an entry; it must not be there yet."""
        found = self._found.setdefault(key, entry)
        if found is entry:
            return
        if isinstance(found, Entry):
            found = self._found[key] = {found.attachments: [found]}
        insort(found.setdefault(entry.attachments, []), entry)

    def discard(self, key: RouteKey, entry: Entry) -> None:
        """Remove an entry, if it is there."""
        found = self._found.get(key, {})
        if found == entry:
            del self._found[key]
        if isinstance(found, Entry):
            return
        entries = found.get(entry.attachments, [])
        at = bisect_left(entries, entry)
        if entries[at : at + 1] != [entry]:
            return
        del entries[at]
        if not entries:
            del found[entry.attachments]
        if len(found) == 1 and len(left := next(iter(found.values()))) == 1:
            self._found[key] = left[0]

    def by_attachments(self, key: RouteKey) -> Mapping[Attachments, Sequence[Entry]]:
        """Return the entries at a key, grouped by the attachments of their routes; each group is sorted."""
        found = self._found.get(key, {})
        return {found.attachments: (found,)} if isinstance(found, Entry) else found

    def in_conflict(self, key: RouteKey, attachments: Attachments) -> Iterable[Entry]:
        """Return the sorted entries at a key that have an app and share a listener with these attachments."""
        lists = [entries for other, entries in self.by_attachments(key).items() if share_listener(attachments, other)]
        merged = lists[0] if len(lists) == 1 else heapq.merge(*lists)
        return takewhile(lambda entry: not entry.has_no_app, merged)


class Filed(NamedTuple):
    """An entry at its key. ``is_claim`` is True if its path claims the key, False if it shadows the key."""

    is_claim: bool
    key: RouteKey
    entry: Entry


class Link(NamedTuple):
    """A Service, and an app behind it; ``app`` is None where there is none."""

    service: Ref
    created: str = ""
    app: Ref | None = None


class RouteKeys:
    """The entries of all routes of a store."""

    def __init__(self, store: Store, indexes: Indexes) -> None:
        self._store, self._indexes = store, indexes
        self.claims, self.shadows = Entries(), Entries()
        self._entries = {True: self.claims, False: self.shadows}

    # -------------------------------------------------------------------------------------------------- reading

    def conflicts(self, route: Route, services: Set[Ref]) -> Iterator[RouteConflict]:
        """Yield the conflicts of an app that is behind these Services and is served by the route.

        Each key of the app has at most two: the first other app at the same path, and the first other app at one of
        Chainlit's own routes below it.
        """
        names = {backend_name(route.ref.namespace, ref) for ref in services}
        for key in {key for keys in keys_of_paths(route, names) for key in keys.claimed}:
            for entries in (self.claims, self.shadows):
                for entry in entries.in_conflict(key, route.attachments):
                    if _service(entry) not in services:
                        yield entry.conflict()
                        break

    # -------------------------------------------------------------------------------------------------- changes

    def update(self, old: App | WatchedObject | None, new: App | WatchedObject | None) -> set[Ref]:
        """Update the entries after a change; returns the other apps whose conflicts differ now.

        The store and the indexes must have the change already.
        """
        removed, added = self._difference(old, new)
        before = set(self._decided(removed))
        for is_claim, key, entry in removed:
            self._entries[is_claim].discard(key, entry)
        for is_claim, key, entry in added:
            self._entries[is_claim].add(key, entry)
        after = set(self._decided(added))
        return {app for app, _ in before ^ after}

    def _decided(self, changed: Iterable[Filed]) -> Iterator[tuple[Ref, RouteConflict]]:
        """Yield each app for which one of these entries decides, with the conflict; all of them are filed."""
        by_key: defaultdict[tuple[bool, RouteKey], set[Entry]] = defaultdict(set)
        for is_claim, key, entry in changed:
            if not entry.has_no_app:
                by_key[is_claim, key].add(entry)
        for (is_claim, key), entries in by_key.items():
            changed_attachments = {entry.attachments for entry in entries}
            for attachments, claims in self.claims.by_attachments(key).items():
                if not any(share_listener(attachments, each) for each in changed_attachments):
                    continue
                at_key = self._entries[is_claim].in_conflict(key, attachments)
                yield from self._decided_at(claims, at_key, entries)

    def _decided_at(
        self, claims: Sequence[Entry], at_key: Iterable[Entry], changed: Set[Entry]
    ) -> Iterator[tuple[Ref, RouteConflict]]:
        """Yield each app of ``claims`` for which an entry in ``changed`` is the first of ``at_key`` not its own."""
        undecided: Set[Ref] | None = None  # all
        passed: set[Ref] = set()
        left = len(changed)
        for entry in at_key:
            service = _service(entry)
            left -= entry in changed
            if service not in passed:  # else all apps that are left are behind that Service
                passed.add(service)
                behind = self._indexes.apps_behind(self._store.service(service))
                if entry in changed:
                    apps = {claim.app for claim in claims if claim.app is not None} - behind
                    conflict = entry.conflict()
                    yield from ((app, conflict) for app in (apps if undecided is None else apps & undecided))
                undecided = behind if undecided is None else undecided & behind
            if not undecided or not left:
                return

    # ---------------------------------------------------------------------------------------- what has changed

    def _difference(
        self, old: App | WatchedObject | None, new: App | WatchedObject | None
    ) -> tuple[set[Filed], set[Filed]]:
        """Return the entries to remove, and the entries to add."""
        if isinstance(old, Route) or isinstance(new, Route):
            before, after = (self._of_route(each) if isinstance(each, Route) else set() for each in (old, new))
        elif _is_linked_alike(old, new):
            return set(), set()
        else:
            old_links, new_links = self._links_of(old), self._links_of(new)
            removed, added = old_links - new_links, new_links - old_links
            for service in {link.service for link in removed | added}:
                # Paths to a Service without an app have entries too.
                has_app = self._indexes.apps_behind(self._store.service(service))
                (removed if has_app else added).add(Link(service))
            before, after = self._of_links(removed), self._of_links(added)
        return before - after, after - before

    def _links_of(self, obj: App | WatchedObject | None) -> set[Link]:
        """Return the links between Services and apps that exist because of this object."""
        if isinstance(obj, App):
            workload = self._store.workload(obj.workload)
            services = self._indexes.services_of(workload) if workload is not None else ()
            return {Link(service.ref, obj.created, obj.ref) for service in services}
        if isinstance(obj, Workload):
            apps = [self._store.apps[ref] for ref in self._indexes.apps_by_workload[obj.ref]]
            services = self._indexes.services_of(obj) if apps else ()
            return {Link(service.ref, app.created, app.ref) for service in services for app in apps}
        return self._links(obj.ref, obj) if isinstance(obj, Service) else set()

    def _links(self, ref: Ref, service: Service | None) -> set[Link]:
        return {Link(ref, self._store.apps[app].created, app) for app in self._indexes.apps_behind(service)}

    def _links_to(self, ref: Ref) -> set[Link]:
        """Return the links of a Service, which need not exist. Without an app, that is one link to no app."""
        return self._links(ref, self._store.service(ref)) or {Link(ref)}

    def _of_route(self, route: Route) -> set[Filed]:
        """Return all entries of a route."""
        services = {backend_ref(route.ref.namespace, path.service) for path in route.paths}
        return set(_filed(route, [link for service in services for link in self._links_to(service)]))

    def _of_links(self, links: Iterable[Link]) -> set[Filed]:
        """Return the entries of all routes by these links."""
        by_route: defaultdict[Ref, list[Link]] = defaultdict(list)
        for link in links:
            for ref in self._indexes.routes_by_service[link.service]:
                by_route[ref].append(link)
        routes = ((self._store.route(ref), found) for ref, found in by_route.items())
        return {filed for route, found in routes if route is not None for filed in _filed(route, found)}


def _filed(route: Route, links: Iterable[Link]) -> Iterator[Filed]:
    """Yield the entries of a route by these links.

    A route may send requests for one key to one Service by thousands of paths. Only the first of them gets an entry,
    because the same decision holds for all.
    """
    by_service: defaultdict[str, list[Link]] = defaultdict(list)
    for link in links:
        by_service[backend_name(route.ref.namespace, link.service)].append(link)
    seen: set[tuple[bool, RouteKey, str]] = set()
    for keys in keys_of_paths(route, by_service.keys()):
        path = keys.path
        fields = (route.ref, path.path, path.host, keys.prefix, path.service, route.attachments)
        for is_claim, key in [*((True, key) for key in keys.claimed), *((False, key) for key in keys.shadowed)]:
            if (is_claim, key, path.service) not in seen:
                seen.add((is_claim, key, path.service))
                for _, created, app in by_service[path.service]:
                    yield Filed(is_claim, key, Entry(app is None, created, app, *fields))


def _service(entry: Entry) -> Ref:
    return backend_ref(entry.route.namespace, entry.service)


def _is_linked_alike(old: App | WatchedObject | None, new: App | WatchedObject | None) -> bool:
    """Whether a change leaves all links between Services and apps as they are."""
    if isinstance(old, App) and isinstance(new, App):
        return (old.created, old.workload) == (new.created, new.workload)
    if isinstance(old, Workload) and isinstance(new, Workload):
        return old.pod_labels == new.pod_labels
    return isinstance(old, Service) and isinstance(new, Service) and old.selector == new.selector
