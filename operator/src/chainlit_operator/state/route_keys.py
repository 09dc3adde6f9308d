"""The route keys of the whole cluster: which routes get the requests for which paths, and which are in conflict.

An entry is a path of a route at a key, with an app behind the path's Service or with none. The entries at a key are
sorted as the edge prefers them or, where that is not known, by the age of their apps. For each app the first entry that
does not lead to it decides. Later entries do not change its answer. So a change affects few apps, even if thousands
share its keys.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import islice
from typing import NamedTuple

from chainlit_operator.domain import route_conflicts
from chainlit_operator.domain.model import (
    App,
    Attachment,
    Effect,
    Route,
    RouteConflict,
    Service,
    WatchedObject,
    Workload,
    backend_name,
    backend_ref,
    including,
)
from chainlit_operator.domain.paths import RootPaths
from chainlit_operator.domain.place import possible_prefixes, present_values
from chainlit_operator.domain.route_conflicts import (
    NO_APP,
    NO_CLASS,
    Attachments,
    Entry,
    RouteKey,
    is_ingress,
    keys_of_paths,
    may_share_listener,
    share_listener,
)
from chainlit_operator.object_ref import Ref
from chainlit_operator.state.indexes import Indexes
from chainlit_operator.state.places import Places, beginnings
from chainlit_operator.state.store import Store

#: So many expressions with one beginning are run on the requests of an app.
MAX_EXPRESSIONS = 20
#: The entries of all Ingresses that name a class, at one key.
_ANY_CLASS: Attachments = (Attachment("any ingress class"),)
#: In place of an entry point: the entries of a class, at one key, that name entry points.
_ANY_SECTION = "any entry point"


class Entries:
    """Entries by key and by the attachments of their routes, sorted. A key with one entry has no dict and no list."""

    def __init__(self) -> None:
        self._found: dict[RouteKey, Entry | dict[Attachments, list[Entry]]] = {}

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, key: RouteKey) -> bool:
        return key in self._found

    def add(self, key: RouteKey, entry: Entry) -> None:
        """Add an entry; it must not be there yet."""
        found = self._found.setdefault(key, entry)
        if found is entry:
            return
        if isinstance(found, Entry):
            found = self._found[key] = {group: [found] for group in _groups(found)}
        for group in _groups(entry):
            insort(found.setdefault(group, []), entry)

    def discard(self, key: RouteKey, entry: Entry) -> None:
        """Remove an entry, if it is there."""
        found = self._found.get(key, {})
        if found == entry:
            del self._found[key]
        if isinstance(found, Entry):
            return
        for group in _groups(entry):
            entries = found.get(group, [])
            at = bisect_left(entries, entry)
            if entries[at : at + 1] == [entry]:
                del entries[at]
            if not entries:
                found.pop(group, None)
        if len(found) > 3 or any(len(entries) > 1 for entries in found.values()):  # more than the groups of one entry
            return
        left = {entries[0] for entries in found.values()}
        if len(left) == 1:
            self._found[key] = left.pop()

    def groups_beside(self, key: RouteKey, attachments: Attachments) -> Iterator[tuple[Attachments, Sequence[Entry]]]:
        """Yield the groups of entries at a key that share a listener with these attachments, or may share one."""
        groups = self.by_attachments(key)
        if is_ingress(attachments) and attachments != NO_CLASS and not attachments[0].section:
            yield from ((group, groups[group]) for group in (attachments, NO_CLASS) if group in groups)
            groups = {group: entries for group, entries in groups.items() if group[0].section}
        for group, entries in groups.items():
            if share_listener(attachments, group) or may_share_listener(attachments, group):
                yield group, entries

    def by_attachments(self, key: RouteKey) -> Mapping[Attachments, Sequence[Entry]]:
        """Return the entries at a key, grouped by the attachments of their routes; each group is sorted."""
        found = self._found.get(key, {})
        if isinstance(found, Entry):
            return {found.attachments: (found,)}
        return {
            group: entries
            for group, entries in found.items()
            if group is not _ANY_CLASS and group[0].section is not _ANY_SECTION
        }

    def beside(self, key: RouteKey, attachments: Attachments) -> Iterator[tuple[bool, Iterable[Entry]]]:
        """Yield the sorted entries at a key that share a listener with these attachments, and those that may share one.

        The flag is True for the first of the two.
        """
        found = self._found.get(key)
        if found is None:
            return
        if isinstance(found, Entry):
            found = {group: [found] for group in _groups(found)}
        if not is_ingress(attachments):
            lists = [entries for other, entries in found.items() if share_listener(attachments, other)]
            yield True, lists[0] if len(lists) == 1 else heapq.merge(*lists)
            return
        yield True, _of_class(found, attachments)
        yield False, found.get(_ANY_CLASS if attachments == NO_CLASS else NO_CLASS, ())


def _groups(entry: Entry) -> tuple[Attachments, ...]:
    """The groups of an entry."""
    own = entry.attachments
    if not is_ingress(own) or own == NO_CLASS:
        return (own,)
    return (own, _ANY_CLASS, *([_with_sections(own)] if own[0].section else ()))


def _with_sections(attachments: Attachments) -> Attachments:
    """The group of all entries of a class that name entry points."""
    return (attachments[0]._replace(section=_ANY_SECTION),)


def _of_class(found: Mapping[Attachments, Sequence[Entry]], attachments: Attachments) -> Iterable[Entry]:
    """The sorted entries at a key of an ingress class: of its entry points only those that the attachments have too."""
    others = found.get(_with_sections(attachments), ())
    whole = found.get((attachments[0]._replace(section=""),) if attachments[0].section else attachments, ())
    if not others:
        return whole
    return heapq.merge(whole, (entry for entry in others if share_listener(attachments, entry.attachments)))


class Filed(NamedTuple):
    """An entry at its key, with its effect there: None if it only concerns the app's own place below its path.

    ``is_observer`` says that its path can serve an app at the key.
    """

    effect: Effect | None
    key: RouteKey
    entry: Entry
    is_observer: bool


class Link(NamedTuple):
    """A Service, and an app behind it; ``app`` is None where there is none.

    ``places`` are the prefixes at which the app may be, whatever the paths of its routes are. ``mount_path`` is that of
    the app's spec.
    """

    service: Ref
    created: str = ""
    app: Ref | None = None
    places: tuple[str, ...] = ()
    mount_path: str = ""


class RouteKeys:
    """The entries of all routes of a store."""

    def __init__(self, store: Store, indexes: Indexes) -> None:
        self._store, self._indexes = store, indexes
        self.entries = {effect: Entries() for effect in Effect}
        #: The claims of apps. Their apps are in conflict with others' entries.
        self.observers = Entries()
        #: The keys of observers over which a path that is no longer may win.
        self.places = Places()
        #: The routes that others include, composed as their entries have them.
        self._included: dict[Ref, Route] = {}

    # -------------------------------------------------------------------------------------------------- reading

    def conflicts(self, app: App, routes: Iterable[Route], services: Set[Ref]) -> Iterator[RouteConflict]:
        """Yield the conflicts of an app that is behind these Services and is served by these routes.

        Each key of the app has at most one for each effect and for each kind of sharing: the first entry that leads
        elsewhere.
        """
        for (key, _), (mine, route) in self._claims_of(app, routes, services).items():
            for effect, is_shared, other in self._others(key, mine, services):
                found = route_conflicts.conflict(other, effect, mine, is_shared=is_shared, is_sticky=route.is_sticky)
                if found is not None:
                    yield found

    def _others(self, key: RouteKey, mine: Entry, services: Set[Ref]) -> Iterator[tuple[Effect, bool, Entry]]:
        """Yield the first entries at a key of the app that lead elsewhere, and say whether the listener is shared."""
        for effect, entries in self.entries.items():
            for is_shared, at_key in entries.beside(key, mine.attachments) if effect is not Effect.COVER else ():
                other = next((entry for entry in at_key if _service(entry) not in services), None)
                if other is not None:
                    yield effect, is_shared, other
        is_covered = len(self.entries[Effect.COVER]) and route_conflicts.may_be_covered(key, mine.order)
        for beginning in beginnings(key) if is_covered else ():
            for is_shared, found in self._covering(beginning, mine.attachments, key.prefix):
                other = _first_before(found, mine, services)
                if other is not None:
                    yield Effect.COVER, is_shared, other._replace(prefix=key.prefix)

    def _covering(
        self, beginning: RouteKey, attachments: Attachments, place: str
    ) -> Iterator[tuple[bool, Sequence[Entry]]]:
        """Yield the first expressions with a beginning that may take requests of an app at a place."""
        for is_shared, at_key in self.entries[Effect.COVER].beside(beginning, attachments):
            first = islice(at_key, MAX_EXPRESSIONS)
            if found := [entry for entry in first if route_conflicts.may_cover(entry, place)]:
                yield is_shared, found

    def _claims_of(
        self, app: App, routes: Iterable[Route], services: Set[Ref]
    ) -> Mapping[tuple[RouteKey, Attachments], tuple[Entry, Route]]:
        """The entries of an app by which its routes claim keys: of several at one key the one that the edge prefers."""
        found: dict[tuple[RouteKey, Attachments], tuple[Entry, Route]] = {}
        below: list[tuple[RouteKey, Entry, Route]] = []
        places = self._places(app)
        for route in routes:
            names = {backend_name(route.ref.namespace, ref) for ref in services}
            for keys in keys_of_paths(route, names):
                if keys.claimed and route_conflicts.is_whole(route, keys.path):
                    mine = route_conflicts.entry_of(route, keys, app.ref, app.created)
                    for key in keys.claimed:
                        best = found.setdefault((key, route.attachments), (mine, route))
                        if mine < best[0]:
                            found[key, route.attachments] = mine, route
                    below += [
                        (key, mine, route) for key in route_conflicts.keys_below(keys, places, app.spec.mount_path)
                    ]
        for key, mine, route in below:
            found.setdefault((key, route.attachments), (mine, route))
        return found

    # -------------------------------------------------------------------------------------------------- changes

    def update(self, old: App | WatchedObject | None, new: App | WatchedObject | None) -> set[Ref]:
        """Update the entries after a change; returns the other apps whose conflicts differ now.

        The store and the indexes must have the change already.
        """
        removed, added = self._difference(old, new)
        before = set(self._decided(removed))
        for filed in removed:
            if filed.effect is not None:
                self.entries[filed.effect].discard(filed.key, filed.entry)
            if filed.is_observer:
                self._discard_observer(filed.key, filed.entry)
        for filed in added:
            if filed.effect is not None:
                self.entries[filed.effect].add(filed.key, filed.entry)
            if filed.is_observer:
                self._add_observer(filed.key, filed.entry)
        after = set(self._decided(added))
        return {app for app, *_ in before ^ after}

    def _add_observer(self, key: RouteKey, entry: Entry) -> None:
        if key not in self.observers and route_conflicts.may_be_covered(key, entry.order):
            self.places.add(key)
        self.observers.add(key, entry)

    def _discard_observer(self, key: RouteKey, entry: Entry) -> None:
        self.observers.discard(key, entry)
        if key not in self.observers and route_conflicts.may_be_covered(key, entry.order):
            self.places.discard(key)

    def _decided(self, changed: Iterable[Filed]) -> Iterator[tuple[Ref, Effect, bool, Entry]]:
        """Yield each app for which one of these entries decides, with the entry; all of them are filed."""
        by_key: defaultdict[tuple[Effect, RouteKey], set[Entry]] = defaultdict(set)
        for filed in changed:
            if filed.effect is not None:
                by_key[filed.effect, filed.key].add(filed.entry)
        for (effect, key), entries in by_key.items():
            if effect is Effect.COVER:
                yield from self._covered(key)
                continue
            beside = {
                group: observers
                for attachments in {entry.attachments for entry in entries}
                for group, observers in self.observers.groups_beside(key, attachments)
            }
            for attachments, observers in beside.items():
                for is_shared, at_key in self.entries[effect].beside(key, attachments):
                    for app, entry in self._decided_at(observers, at_key, entries):
                        yield app, effect, is_shared, entry

    def _covered(self, beginning: RouteKey) -> Iterator[tuple[Ref, Effect, bool, Entry]]:
        """Yield each app below a beginning that loses requests to an expression, with the first such expression."""
        for key in self.places.beginning_with(beginning):
            for attachments, observers in self.observers.by_attachments(key).items():
                for is_shared, found in self._covering(beginning, attachments, key.prefix):
                    for mine in observers:
                        services = {service.ref for service in self._services_of(mine.app)}
                        other = _first_before(found, mine, services)
                        if other is not None:
                            yield mine.app, Effect.COVER, is_shared, _shown(other._replace(prefix=key.prefix))

    def _services_of(self, ref: Ref) -> Iterable[Service]:
        app = self._store.apps.get(ref)
        workload = self._store.workload(app.workload) if app is not None else None
        return self._indexes.services_of(workload) if workload is not None else ()

    def _decided_at(
        self, observers: Sequence[Entry], at_key: Iterable[Entry], changed: Set[Entry]
    ) -> Iterator[tuple[Ref, Entry]]:
        """Yield each app of ``observers`` for which an entry in ``changed`` is the first of ``at_key`` not its own."""
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
                    apps = {claim.app for claim in observers} - behind
                    shown = _shown(entry)
                    yield from ((app, shown) for app in (apps if undecided is None else apps & undecided))
                undecided = behind if undecided is None else undecided & behind
            if not undecided or not left:
                return

    # ---------------------------------------------------------------------------------------- what has changed

    def _difference(
        self, old: App | WatchedObject | None, new: App | WatchedObject | None
    ) -> tuple[set[Filed], set[Filed]]:
        """Return the entries to remove, and the entries to add."""
        if isinstance(old, Route) or isinstance(new, Route):
            before, after = set[Filed](), set[Filed]()
            for was, now in self._changed_routes(old, new):
                before |= self._of_route(was) if was is not None else set()
                after |= self._of_route(now) if now is not None else set()
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

    def _changed_routes(
        self, old: App | WatchedObject | None, new: App | WatchedObject | None
    ) -> Iterator[tuple[Route | None, Route | None]]:
        """Yield a route before and after its change, and the routes that it includes; each as its entries have it."""
        before, after = old if isinstance(old, Route) else None, new if isinstance(new, Route) else None
        routes = [route for route in (before, after) if route is not None]
        yield self._anew(routes[0].ref, before, after)
        for ref in dict.fromkeys(found.ref for route in routes for found in self._indexes.included(route)):
            yield self._anew(ref, None, self._store.route(ref))

    def _anew(self, ref: Ref, before: Route | None, after: Route | None) -> tuple[Route | None, Route | None]:
        """Return a route as its entries have it, and as they are to have it."""
        before = self._included.pop(ref, before)
        if after is not None and including(ref) in after.dependencies:
            after = self._included[ref] = self._indexes.composed(after)
        return before, after

    def _links_of(self, obj: App | WatchedObject | None) -> set[Link]:
        """Return the links between Services and apps that exist because of this object."""
        if isinstance(obj, App):
            workload = self._store.workload(obj.workload)
            services = self._indexes.services_of(workload) if workload is not None else ()
            return {
                Link(service.ref, obj.created, obj.ref, self._places(obj), obj.spec.mount_path) for service in services
            }
        if isinstance(obj, Workload):
            apps = [self._store.apps[ref] for ref in self._indexes.apps_by_workload[obj.ref]]
            services = self._indexes.services_of(obj) if apps else ()
            return {
                Link(service.ref, app.created, app.ref, possible_prefixes(app, obj), app.spec.mount_path)
                for service in services
                for app in apps
            }
        return self._links(obj.ref, obj) if isinstance(obj, Service) else set()

    def _links(self, ref: Ref, service: Service | None) -> set[Link]:
        apps = (self._store.apps[app] for app in self._indexes.apps_behind(service))
        return {Link(ref, app.created, app.ref, self._places(app), app.spec.mount_path) for app in apps}

    def _places(self, app: App) -> tuple[str, ...]:
        workload = self._store.workload(app.workload)
        return possible_prefixes(app, workload) if workload is not None else ()

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
        routes = ((self._included.get(ref) or self._store.route(ref), found) for ref, found in by_route.items())
        return {filed for route, found in routes if route is not None for filed in _filed(route, found)}


def _filed(route: Route, links: Iterable[Link]) -> Iterator[Filed]:
    """Yield the entries of a route by these links.

    A route may send requests for one key to one Service by thousands of paths. Of those with the same condition only
    the first gets an entry, because the same decision holds for all.
    """
    by_service: defaultdict[str, list[Link]] = defaultdict(list)
    for link in links:
        by_service[backend_name(route.ref.namespace, link.service)].append(link)
    seen: set[tuple[Effect, RouteKey, str, tuple[str, int]]] = set()
    for keys in keys_of_paths(route, by_service.keys()):
        service, is_whole = keys.path.service, route_conflicts.is_whole(route, keys.path)
        for effect, key in route_conflicts.effects(route, keys):
            # Two expressions with one beginning match different requests.
            what = (keys.path.path if effect is Effect.COVER else keys.path.condition), keys.path.priority
            if (effect, key, service, what) not in seen:
                seen.add((effect, key, service, what))
                for _, created, app, places, mount_path in by_service[service]:
                    is_observer = app is not None and is_whole and key in keys.claimed and effect is not Effect.COVER
                    entry = route_conflicts.entry_of(route, keys, app, created)
                    yield Filed(effect, key, entry, is_observer)
                    for below in route_conflicts.keys_below(keys, places, mount_path) if is_observer else ():
                        yield Filed(None, below, entry, True)


def _first_before(found: Iterable[Entry], mine: Entry, services: Set[Ref]) -> Entry | None:
    """The first entry that leads elsewhere, and that the edge tries before an app's; None if there is none."""
    before = (entry for entry in found if route_conflicts.is_tried_before(entry, mine))
    return next((entry for entry in before if _service(entry) not in services), None)


def _shown(entry: Entry) -> Entry:
    """The entry without what no conflict depends on."""
    return entry._replace(service=entry.service if entry.app == NO_APP else "", attachments=())


def _service(entry: Entry) -> Ref:
    return backend_ref(entry.route.namespace, entry.service)


def _is_linked_alike(old: App | WatchedObject | None, new: App | WatchedObject | None) -> bool:
    """Whether a change leaves all links between Services and apps as they are."""
    if isinstance(old, App) and isinstance(new, App):
        return _facts(old) == _facts(new)
    if isinstance(old, Workload) and isinstance(new, Workload):
        return old.pod_labels == new.pod_labels and _values(old) == _values(new)
    return isinstance(old, Service) and isinstance(new, Service) and old.selector == new.selector


def _facts(app: App) -> tuple[object, ...]:
    """What the links of an app depend on."""
    spec, status = app.spec, app.status
    kept = (status.root_path, status.parent_root_path) if status.kept else None
    return app.created, app.workload, spec.url, spec.mount_path, kept


def _values(workload: Workload) -> list[RootPaths | None]:
    """What the places of a workload's apps depend on."""
    return [present_values(container) for container in workload.containers]
