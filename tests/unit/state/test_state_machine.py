"""Any history of changes: snapshots are what a search of all objects finds, and each change of one was enqueued."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.unit.domain.world import DONE, NAMESPACE, app, container, ingress, path, service, workload

from chainlit_operator.domain import pod_sources
from chainlit_operator.domain.model import (
    App,
    Attachment,
    Canary,
    Effect,
    Matching,
    Route,
    RouteOrder,
    RoutePath,
    Service,
    WatchedObject,
    Workload,
)
from chainlit_operator.ingress_controllers.ingress_nginx import STYLE
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State, affected

NAMES = st.sampled_from(["a", "b", "c"])
WORKLOADS = st.sampled_from(["Deployment", "Deployment", "Rollout"])
LABELS = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["a", "b"]), max_size=2).map(
    lambda labels: tuple(sorted(labels.items()))
)
#: It has no prefix, matches requests at every place, and has more text than the other paths.
EXPRESSION = "/[a-z]+(/.*)?"
#: Service (none has the name x, and a redirect has none), path, and condition.
PATHS = st.tuples(
    st.sampled_from(["a", "b", "c", "x", ""]),
    st.sampled_from(["/chat", "/chat", "/chat/ws", "/bot", "/", EXPRESSION]),
    st.sampled_from(["", "", "", "the method is GET", "a header matches"]),
)
ORDERS = {"": RouteOrder.LONGEST, "nginx": RouteOrder.OLDEST, "traefik": RouteOrder.LONGEST}
AS_EXPRESSION: dict[str, Any] = {"matching": Matching.REGULAR_EXPRESSION, "styles": (STYLE,)}
CANARIES = st.sampled_from([Canary.NONE, Canary.NONE, Canary.NONE, *Canary])
ATTACHMENTS = st.lists(
    st.builds(Attachment, st.sampled_from(["Gateway a", "Gateway b"]), st.sampled_from(["", "web", "inner"])),
    min_size=1,
    max_size=2,
).map(tuple)
Changed = App | WatchedObject | None
Aimed = tuple[str, str, str]
#: What a conflict is known by.
Found = tuple[Effect, Ref, str, Ref | None, str]


class StateMachine(RuleBasedStateMachine):
    """A state, and all objects that were put into it."""

    def __init__(self) -> None:
        super().__init__()
        self.enqueued: set[Ref] = set()
        self.state = State(self.enqueued.add)
        self.objects: dict[Ref, WatchedObject] = {}
        self.seen: dict[Ref, Any] = {}
        #: Apps that were enqueued only for a conflict.
        self.beside: set[Ref] = set()
        self.update = self.state.route_keys.update
        self.state.route_keys.update = self._recorded  # type: ignore[method-assign]

    def _recorded(self, old: Changed, new: Changed) -> set[Ref]:
        found = self.update(old, new)
        changed = [obj for obj in (old, new) if obj is not None]
        self.beside |= found.difference(*(affected.readers(o, self.state, self.state.indexes) for o in changed))
        return found

    @rule(name=NAMES, aimed=NAMES, workload_kind=WORKLOADS, route=st.none() | NAMES, created=NAMES)
    def put_app(self, name: str, aimed: str, workload_kind: str, route: str | None, created: str) -> None:
        kind = "Ingress" if route else None
        named = {"workload_kind": workload_kind, "workload_name": aimed, "route_kind": kind, "route_name": route}
        self.state.put_app(app(name, created=created, **named))

    @rule(name=NAMES)
    def remove_app(self, name: str) -> None:
        self.state.remove_app(app(name).ref)

    @rule(name=NAMES, labels=LABELS, value=st.sampled_from([None, None, "/chat"]))
    def put_workload(self, name: str, labels: Any, value: str | None) -> None:
        self._put(workload(container(value), ref=Ref("Deployment", NAMESPACE, name), pod_labels=labels))

    @rule(name=NAMES, source=st.none() | NAMES, labels=LABELS, desired=st.sampled_from([0, 1]))
    def put_rollout(self, name: str, source: str | None, labels: Any, desired: int) -> None:
        ref, rollout = Ref("Rollout", NAMESPACE, name), replace(DONE, desired=desired)
        if source is None:
            self._put(workload(container(), ref=ref, pod_labels=labels, rollout=rollout))
            return
        fields = {"missing_template": "It is elsewhere.", "pod_source": Ref("Deployment", NAMESPACE, source)}
        self._put(replace(workload(ref=ref, pod_labels=(), rollout=rollout, **fields), containers=()))

    @rule(name=NAMES, selector=LABELS)
    def put_service(self, name: str, selector: Any) -> None:
        self._put(service(name, selector=selector))

    @rule(
        name=NAMES,
        aimed=st.lists(PATHS, max_size=3),
        ingress_class=st.sampled_from([*ORDERS]),
        created=NAMES,
        canary=CANARIES,
    )
    def put_ingress(self, name: str, aimed: list[Aimed], ingress_class: str, **fields: Any) -> None:
        self._put(_route(name, aimed, ingress_class=ingress_class, order=ORDERS[ingress_class], **fields))

    @rule(name=NAMES, aimed=st.lists(PATHS, max_size=2), attachments=ATTACHMENTS, created=NAMES)
    def put_attached(self, name: str, aimed: list[Aimed], **fields: Any) -> None:
        self._put(_route(name, aimed, order=RouteOrder.OLDEST, **fields))

    @rule(name=NAMES, kind=st.sampled_from(["Deployment", "Rollout", "Service", "Ingress"]))
    def remove(self, name: str, kind: str) -> None:
        obj = self.objects.pop(Ref(kind, NAMESPACE, name), None)
        if obj is not None:
            self.state.remove(obj)

    def _put(self, obj: WatchedObject) -> None:
        self.objects[obj.ref] = obj
        self.state.upsert(obj)

    @invariant()
    def snapshots_are_true_and_changes_were_enqueued(self) -> None:
        for ref, found in self.state.apps.items():
            snap = self.state.snapshot(found)
            target, services, routes = self._search(found)
            assert (snap.workload, set(snap.services)) == (target, services)
            assert {_content(route) for route in snap.routes} == {_content(route) for route in routes}
            assert {(c.effect, c.route, c.path, c.app, c.service) for c in snap.conflicts} == self._conflicts(found)
            if self.seen.get(ref) != snap:
                assert ref in self.enqueued
            if ref in self.beside and found.route is None:
                assert self.seen[ref].conflicts != snap.conflicts
            self.seen[ref] = snap
        self.enqueued.clear()
        self.beside.clear()

    def teardown(self) -> None:
        """Nothing is left in the indexes when all objects are gone."""
        for ref in [*self.state.apps]:
            self.state.remove_app(ref)
        for obj in self.objects.values():
            self.state.remove(obj)
        keys = self.state.route_keys
        assert (
            not len(keys.observers)
            and not len(keys.places)
            and not any(len(entries) for entries in keys.entries.values())
        )
        assert not any(len(index) for index in vars(self.state.indexes).values() if hasattr(index, "__len__"))

    def _search(self, found: App) -> tuple[Workload | None, set[Service], set[Route]]:
        target = self._target(found)
        labels = set(target.pod_labels) if target is not None else set()
        services = {
            o for o in self.objects.values() if isinstance(o, Service) and o.selector and set(o.selector) <= labels
        }
        names = {s.ref.name for s in services}
        ingresses = {
            o
            for o in self.objects.values()
            if isinstance(o, Route) and (o.ref == found.route if found.route else o.services & names)
        }
        return target, services, ingresses

    def _target(self, found: App) -> Workload | None:
        """The workload of an app, with the template of its pod source."""
        target = self.objects.get(found.workload)
        if not isinstance(target, Workload) or target.pod_source is None:
            return target if isinstance(target, Workload) else None
        source = self.objects.get(target.pod_source)
        return pod_sources.completed(target, source if isinstance(source, Workload) else None)

    def _conflicts(self, found: App) -> set[Found]:
        """The first entry that leads elsewhere, of each effect at each place, by looking at every path of all routes.

        Those that share a listener for sure, and those that may share one, are two lists.
        """
        mine = {s.ref.name for s in self._search(found)[1]}
        decide = set()
        for route in self._search(found)[2]:
            own = [p for p in route.paths if p.service in mine and not p.condition]
            whole = [p.path for p in own if p.path != EXPRESSION]
            if "/" in whole and self._is_at_chat(found):
                whole.append("/chat")
            for group, text in {(a.group, text) for a in route.attachments for text in whole if not _canary(route)}:
                for effect in Effect:
                    for others in self._others(group, text, route, mine, effect):
                        decide |= {min(others)[-1]} if others else set()
        return decide

    def _is_at_chat(self, found: App) -> bool:
        """Whether the pods say that the app is at /chat, which a route for / offers too."""
        target = self._target(found)
        return target is not None and any(each.root_path is not None for each in target.containers)

    def _others(self, group: str, text: str, mine: Route, services: set[str], effect: Effect) -> Any:
        """The entries that share a listener of the group for sure, and those that may, each with its sort key."""
        sure, possible = [], []
        for route in (o for o in self.objects.values() if isinstance(o, Route)):
            is_sure = any(a.group == group for a in route.attachments) and any(
                a.overlaps(b) for a in mine.attachments for b in route.attachments
            )
            classes = {a.group for a in (*mine.attachments, *route.attachments)}
            is_possible = all("class" in each for each in classes) and len(classes) == 2 and "ingress class " in classes
            for found in route.paths:
                if found.service not in services and effect is _effect(route, found, text):
                    entries = [*self._keyed(route, found, effect)]
                    sure += entries if is_sure else []
                    possible += entries if is_possible else []
        return sure, possible

    def _keyed(self, route: Route, found: RoutePath, effect: Effect) -> Iterator[tuple[Any, ...]]:
        """A path once for each app behind its Service, or once without, after what the edge or the operator prefers."""
        apps = [a for a in self.state.apps.values() if found.service in {s.ref.name for s in self._search(a)[1]}]
        for owner in (*apps, *([] if apps else [None])):
            app_ref = owner.ref if owner is not None else None
            shown = (effect, route.ref, found.path, app_ref, "" if owner is not None else found.service)
            if route.order is RouteOrder.OLDEST:
                rank = -len(EXPRESSION) if effect is Effect.COVER else -bool(found.condition)
                key = (rank, route.created, route.ref)
            else:
                key = (owner is None, *((owner.created, owner.ref) if owner else (route.created, route.ref)))
            yield (*key, route.ref, found.service, str(app_ref), found.condition, shown)


def _route(name: str, aimed: list[Aimed], **fields: Any) -> Route:
    paths = [path(text, service=target, condition=condition) for target, text, condition in aimed]
    read = [replace(p, **AS_EXPRESSION) if p.path == EXPRESSION else p for p in paths]
    return ingress(*read, name=name, **fields)


def _content(route: Route) -> tuple[object, ...]:
    """What a route says itself, without what gathering adds about its controller."""
    return route.ref, route.paths, route.attachments, route.created, route.canary


def _canary(route: Route) -> bool:
    return route.canary is not Canary.NONE


def _effect(route: Route, found: RoutePath, text: str) -> Effect | None:
    """The effect of a path on an app at a place."""
    if found.path == EXPRESSION:
        is_whole = not found.condition and not _canary(route) and "class" in route.attachments[0].group
        return Effect.COVER if is_whole else None
    is_below = text == "/chat" and found.path == "/chat/ws"
    if route.canary is Canary.BY_REQUEST or not (found.path == text or (is_below and not _canary(route))):
        return None
    if _canary(route) or "header" in found.condition:
        return Effect.PART
    return Effect.SHADOW if is_below else Effect.CLAIM


TestStateMachine = StateMachine.TestCase
TestStateMachine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
