"""Any history of changes: snapshots are what a search of all objects finds, and each change of one was enqueued."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.unit.domain.world import NAMESPACE, app, ingress, path, service, workload

from chainlit_operator.domain.model import App, Attachment, Route, RouteConflict, Service, WatchedObject, Workload
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State, affected

NAMES = st.sampled_from(["a", "b", "c"])
LABELS = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["a", "b"]), max_size=2).map(
    lambda labels: tuple(sorted(labels.items()))
)
PATHS = st.tuples(NAMES, st.sampled_from(["/chat", "/chat", "/chat/ws", "/bot"]))
ATTACHMENTS = st.lists(
    st.builds(Attachment, st.sampled_from(["Gateway a", "Gateway b"]), st.sampled_from(["", "web", "inner"])),
    min_size=1,
    max_size=2,
).map(tuple)
Changed = App | WatchedObject | None


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

    @rule(name=NAMES, aimed=NAMES, route=st.none() | NAMES, created=NAMES)
    def put_app(self, name: str, aimed: str, route: str | None, created: str) -> None:
        kind = "Ingress" if route else None
        self.state.put_app(app(name, created=created, workload_name=aimed, route_kind=kind, route_name=route))

    @rule(name=NAMES)
    def remove_app(self, name: str) -> None:
        self.state.remove_app(app(name).ref)

    @rule(name=NAMES, labels=LABELS)
    def put_workload(self, name: str, labels: Any) -> None:
        self._put(workload(ref=Ref("Deployment", NAMESPACE, name), pod_labels=labels))

    @rule(name=NAMES, selector=LABELS)
    def put_service(self, name: str, selector: Any) -> None:
        self._put(service(name, selector=selector))

    @rule(name=NAMES, aimed=st.lists(PATHS, max_size=3))
    def put_ingress(self, name: str, aimed: list[tuple[str, str]]) -> None:
        self._put(ingress(*(path(text, service=target) for target, text in aimed), name=name))

    @rule(name=NAMES, aimed=st.lists(PATHS, max_size=2), attachments=ATTACHMENTS)
    def put_attached(self, name: str, aimed: list[tuple[str, str]], attachments: Any) -> None:
        paths = (path(text, service=target) for target, text in aimed)
        self._put(ingress(*paths, name=name, attachments=attachments))

    @rule(name=NAMES, kind=st.sampled_from(["Deployment", "Service", "Ingress"]))
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
            assert (snap.workload, set(snap.services), set(snap.routes)) == self._search(found)
            assert snap.conflicts == tuple(sorted(self._conflicts(found), key=_order))
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
        assert not len(self.state.route_keys.claims) and not len(self.state.route_keys.shadows)
        assert not any(len(index) for index in vars(self.state.indexes).values() if hasattr(index, "__len__"))

    def _search(self, found: App) -> tuple[Workload | None, set[Service], set[Route]]:
        target = self.objects.get(found.workload)
        labels = set(target.pod_labels) if isinstance(target, Workload) else set()
        services = {
            o for o in self.objects.values() if isinstance(o, Service) and o.selector and set(o.selector) <= labels
        }
        names = {s.ref.name for s in services}
        ingresses = {
            o
            for o in self.objects.values()
            if isinstance(o, Route) and (o.ref == found.route if found.route else o.services & names)
        }
        return (target if isinstance(target, Workload) else None), services, ingresses

    def _conflicts(self, found: App) -> set[RouteConflict]:
        """The first conflict of both kinds at each key, by looking at every path for every other app."""
        mine = {s.ref.name for s in self._search(found)[1]}
        decide = set()
        for route in self._search(found)[2]:
            for group, text in {(a.group, p.path) for a in route.attachments for p in route.paths if p.service in mine}:
                for meeting in (text, "/chat/ws" if text == "/chat" else ""):
                    all_ = set(self._others(group, meeting, route, mine))
                    decide |= {min(all_, key=_order)} if all_ else set()
        return decide

    def _others(self, group: str, text: str, route: Route, mine: set[str]) -> Iterator[RouteConflict]:
        for other in self.state.apps.values():
            theirs = {s.ref.name for s in self._search(other)[1]} - mine
            for each in self.objects.values():
                if (
                    isinstance(each, Route)
                    and any(a.group == group for a in each.attachments)
                    and any(a.overlaps(b) for a in route.attachments for b in each.attachments)
                    and any(p.path == text and p.service in theirs for p in each.paths)
                ):
                    yield RouteConflict(other.ref, other.created, each.ref, "example.com", text, text)


def _order(conflict: RouteConflict) -> tuple[Any, ...]:
    return conflict.created, conflict.ref, conflict.route, conflict.path, conflict.host


TestStateMachine = StateMachine.TestCase
TestStateMachine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
