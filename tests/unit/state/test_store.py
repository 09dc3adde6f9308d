"""The cache: who is concerned by a change, and that its indexes say the same as a search of everything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.unit.domain.world import NAMESPACE, app, container, ingress, middleware, path, service, workload

from chainlit_operator.domain.model import (
    App,
    Attachment,
    Dependency,
    Gateway,
    Listener,
    Origin,
    Route,
    RoutePath,
    Service,
    WatchedObject,
    Workload,
)
from chainlit_operator.domain.rewrites import Missing, StripPrefix
from chainlit_operator.kube.resource_versions import is_older
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State


class Told(list[str]):
    """Names of the apps that were notified, and a way to read them off."""

    def __call__(self, ref: Ref) -> None:
        self.append(ref.name)

    def read(self) -> set[str]:
        found = set(self)
        self.clear()
        return found


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def cache(told: Told) -> State:
    found = State(told)
    found.put_app(app())
    for obj in (workload(), service(), ingress("/chat")):
        found.upsert(obj)
    told.read()
    return found


def test_snapshot_walks_labels_services_ingresses(cache: State) -> None:
    snap = cache.snapshot(cache.apps[app().ref])
    assert (snap.workload, snap.services, snap.routes) == (workload(), (service(),), (ingress("/chat"),))


@pytest.mark.parametrize(
    "obj",
    [
        workload(container("/x")),
        service(cluster_ip="10.0.0.9"),
        ingress("/other"),
        ingress("/more", name="more"),
        service("second"),
        ingress(path(service="elsewhere")),
    ],
)
def test_change_is_told_to_the_app(cache: State, told: Told, obj: WatchedObject) -> None:
    cache.upsert(obj)
    assert told.read() == {"chat"}


@pytest.mark.parametrize(
    "obj",
    [
        replace(workload(), resource_version="9"),
        workload(replace(container(), owners=(("CHAINLIT_ROOT_PATH", "helm"),))),
        workload(ref=Ref("Deployment", NAMESPACE, "other")),
        workload(ref=Ref("Deployment", "elsewhere", "chat")),
        service("other", selector=(("app", "other"),)),
        service("none", selector=()),
        ingress(path("/x", service="other"), name="other"),
    ],
)
def test_change_that_no_decision_reads_is_told_to_nobody(cache: State, told: Told, obj: WatchedObject) -> None:
    cache.upsert(obj)
    assert told.read() == set()


@pytest.mark.parametrize("obj", [workload(), service(), ingress("/chat")])
def test_deletion_is_told(cache: State, told: Told, obj: WatchedObject) -> None:
    cache.remove(obj)
    assert told.read() == {"chat"}


def test_named_route_and_its_missing_service_are_told(told: Told) -> None:
    cache = State(told)
    cache.put_app(app(route_kind="Ingress", route_name="chat"))
    cache.upsert(workload())
    told.read()
    cache.upsert(ingress("/chat"))
    assert told.read() == {"chat"}
    assert cache.snapshot(cache.apps[app().ref]).missing_services == {"chat"}
    cache.upsert(service(selector=(("app", "other"),)))
    assert told.read() == {"chat"}, "its route names that Service"
    assert cache.snapshot(cache.apps[app().ref]).missing_services == frozenset()


def test_missing_service_of_another_path_is_no_news(cache: State, told: Told) -> None:
    cache.upsert(ingress(path("/chat"), path("/bot", service="other")))
    told.read()
    before = cache.snapshot(cache.apps[app().ref])
    cache.upsert(service("other", selector=()))
    assert told.read() == set()
    assert cache.snapshot(cache.apps[app().ref]) == before


def test_middlewares_that_share_a_key_are_both_known(cache: State) -> None:
    """shop-a of b, and a-b of shop: routes name either in the same way."""
    ours, theirs = middleware("a-b"), replace(middleware("b"), ref=Ref("Middleware", "shop-a", "b"))
    cache.upsert(ingress(path(middlewares=("shop-a-b",))))
    for obj in (ours, theirs):
        cache.upsert(obj)
    key = Dependency("Middleware", "shop-a-b")
    assert set(cache._found(key)) == {ours, theirs}
    cache.remove(theirs)
    assert cache._found(key) == (ours,)
    cache.remove(ours)
    assert not cache._dependencies


def test_change_of_a_middleware_is_told_to_whom_its_routes_serve(cache: State, told: Told) -> None:
    cache.upsert(middleware("strip"))
    assert told.read() == set()
    cache.upsert(ingress(path(middlewares=("shop-all",))))
    cache.upsert(middleware("all", chain=("shop-strip", "shop-all")))
    assert told.read() == {"chat"}
    cache.upsert(middleware("all", chain=("shop-strip",)))
    cache.upsert(middleware("strip", StripPrefix(("/chat",))))
    assert told.read() == {"chat"}
    assert cache.snapshot(cache.apps[app().ref]).routes[0].paths[0].transforms == (StripPrefix(("/chat",)),)
    cache.remove(middleware("strip"))
    assert told.read() == {"chat"}
    assert cache.snapshot(cache.apps[app().ref]).routes[0].paths[0].transforms == (Missing("shop-all"),)


def test_change_of_a_gateway_is_told_to_whom_it_carries(cache: State, told: Told) -> None:
    edge = Gateway(Ref("Gateway", "infra", "edge"), "1", (Listener("web", 80, "HTTP"),))
    cache.upsert(edge)
    assert told.read() == set()
    attached: Any = {"attachments": (Attachment("Gateway infra/edge"),)}
    attached["dependencies"] = (Dependency("Gateway", edge.key),)
    cache.upsert(ingress())
    cache.upsert(replace(ingress("/chat", **attached), ref=Ref("HTTPRoute", NAMESPACE, "chat")))
    told.read()
    cache.upsert(replace(edge, address="192.0.2.1"))
    assert told.read() == {"chat"}
    (route,) = cache.snapshot(cache.apps[app().ref]).routes
    assert route.origins == (Origin("", is_secure=False, port=80, address="192.0.2.1"),)


def test_older_versions_are_ignored(cache: State, told: Told) -> None:
    cache.upsert(replace(workload(container("/new")), resource_version="10"))
    told.read()
    cache.upsert(replace(workload(container("/old")), resource_version="9"))
    assert told.read() == set()
    assert cache.workload(workload().ref) == workload(container("/new"))


def test_quiet_writes_are_known_but_not_told(cache: State, told: Told) -> None:
    cache.upsert(workload(container("/new")), quiet=True)
    cache.put_app(replace(app(), generation=2), quiet=True)
    assert told.read() == set()
    cache.upsert(workload(container("/new")))
    assert told.read() == set(), "the watch tells what is known already"


def test_replace_forgets_what_is_gone_in_its_namespace_only(cache: State, told: Told) -> None:
    far = workload(ref=Ref("Deployment", "elsewhere", "chat"))
    cache.upsert(far)
    cache.replace("Deployment", NAMESPACE, [])
    assert told.read() == {"chat"}
    assert cache.workload(workload().ref) is None and cache.workload(far.ref) == far
    cache.replace("Deployment", None, [workload()])
    assert cache.workload(far.ref) is None and cache.workload(workload().ref) == workload()


def test_the_oldest_app_has_the_workload(cache: State, told: Told) -> None:
    young = app("young", created="2026-02-02T00:00:00Z")
    cache.put_app(young)
    assert cache.snapshot(young).claimed_by == "chat"
    assert cache.snapshot(app()).claimed_by == ""
    told.read()
    cache.remove_app(app().ref)
    assert told.read() == {"chat", "young"}
    assert cache.snapshot(young).claimed_by == ""


def test_app_that_moves_to_another_workload_frees_the_first(cache: State, told: Told) -> None:
    young = app("young", created="2026-02-02T00:00:00Z")
    cache.put_app(young)
    told.read()
    cache.put_app(replace(app(workload_name="other"), generation=2))
    assert told.read() == {"chat", "young"}
    assert cache.snapshot(young).claimed_by == ""


HELD = workload(field_managers=("helm", "chainlit-operator"))
FREE = workload(field_managers=("helm",), resource_version="2")


def test_workload_without_an_app_is_released_once_all_apps_are_known() -> None:
    keys: list[Ref] = []
    cache = State(keys.append)
    cache.upsert(HELD)
    assert keys == [] and cache.to_release(HELD.ref) is None, "its app may still come"
    cache.complete()
    assert keys == [HELD.ref] and cache.to_release(HELD.ref) == HELD
    cache.upsert(FREE)
    assert cache.to_release(HELD.ref) is None


def test_workload_of_a_known_app_is_not_released() -> None:
    keys: list[Ref] = []
    cache = State(keys.append)
    cache.upsert(HELD)
    cache.put_app(app())
    cache.complete()
    cache.upsert(replace(HELD, resource_version="2"))
    assert keys == [app().ref] and cache.to_release(HELD.ref) is None


@pytest.mark.parametrize(
    "leave",
    [
        lambda cache: cache.remove_app(app().ref),
        lambda cache: cache.put_app(replace(app(suspend=True), generation=2)),
        lambda cache: cache.put_app(replace(app(workload_name="other"), generation=2)),
    ],
    ids=["deleted", "suspended", "moved"],
)
def test_workload_that_its_app_leaves_is_released(leave: Any) -> None:
    keys: list[Ref] = []
    cache = State(keys.append)
    cache.upsert(HELD)
    cache.put_app(app())
    cache.complete()
    keys.clear()
    leave(cache)
    assert HELD.ref in keys
    assert cache.to_release(HELD.ref) == HELD


def test_write_that_comes_too_late_is_released_too() -> None:
    """An apply that was under way when its app was suspended brings the entry back."""
    keys: list[Ref] = []
    cache = State(keys.append)
    cache.upsert(FREE)
    cache.put_app(app(suspend=True))
    cache.complete()
    assert HELD.ref not in keys
    cache.upsert(replace(HELD, resource_version="3"), quiet=True)
    assert HELD.ref in keys
    keys.clear()
    cache.upsert(workload(container("/x"), field_managers=HELD.field_managers, resource_version="4"), quiet=True)
    assert keys == [HELD.ref]


def test_only_a_change_that_no_decision_reads_makes_no_difference() -> None:
    cache = State(lambda _: None)
    assert cache.upsert(replace(workload(), resource_version="2"))
    assert not cache.upsert(replace(workload(), resource_version="3")), "a counter, an annotation"
    assert not cache.upsert(replace(workload(container("/x")), resource_version="2")), "it is older"
    cache.upsert(replace(workload(container("/x")), resource_version="4"), quiet=True)
    assert cache.upsert(replace(workload(container("/x")), resource_version="4")), "our own write, told by the watch"


def test_a_list_of_what_is_known_is_no_news_of_its_generation() -> None:
    """What a watch told of a workload, since when it has its template, a list does not."""
    told: list[Ref] = []
    cache = State(told.append)
    cache.put_app(app())
    cache.upsert(replace(workload(), generation=1, resource_version="7"))
    told.clear()
    cache.replace("Deployment", None, [replace(workload(), generation=3, resource_version="7")])
    assert not told and cache.workload(workload().ref) == replace(workload(), generation=1)
    cache.replace("Deployment", None, [replace(workload(), generation=3, resource_version="8")])
    cache.replace("Deployment", None, [replace(workload(), uid="another", generation=3, resource_version="8")])
    assert told == [app().ref] * 2


def test_younger_app_does_not_keep_what_the_oldest_has_suspended() -> None:
    cache = State(lambda _: None)
    cache.upsert(HELD)
    cache.put_app(app(suspend=True))
    cache.put_app(app("young", created="2026-02-02T00:00:00Z"))
    cache.complete()
    assert cache.to_release(HELD.ref) == HELD
    cache.remove_app(app().ref)
    assert cache.to_release(HELD.ref) is None


def settle(cache: State, namespace: str, *paths: RoutePath, **route: Any) -> App:
    """An app with its workload, Service and Ingress in a namespace of its own."""
    found = replace(app(), ref=Ref("ChainlitApp", namespace, "chat"), created=namespace)
    for obj in (workload(), service(), ingress(*paths, **route)):
        cache.upsert(replace(obj, ref=Ref(obj.ref.kind, namespace, "chat")))
    cache.put_app(found)
    return found


def namespaces_of(refs: list[Ref]) -> set[str]:
    found = {ref.namespace for ref in refs}
    refs.clear()
    return found


@pytest.mark.parametrize(
    ("first", "second", "seen"),
    [
        ((path("/chat"), {}), (path("/chat/"), {}), (True, True)),
        ((path("/chat"), {}), (path("/chat/ws"), {}), (True, False)),
        ((path("/chat"), {}), (path("/chat/bot"), {}), (False, False)),
        ((path("/chat"), {}), (path("/chat", host="other.example"), {}), (False, False)),
        ((path("/chat"), {}), (path("/chat", host=""), {}), (False, False)),
        ((path("/chat"), {"ingress_class": "inner"}), (path("/chat"), {"ingress_class": "outer"}), (False, False)),
    ],
)
def test_neighbours_across_namespaces(first: Any, second: Any, seen: tuple[bool, bool]) -> None:
    keys: list[Ref] = []
    cache = State(keys.append)
    one = settle(cache, "one", first[0], **first[1])
    namespaces_of(keys)
    two = settle(cache, "two", second[0], **second[1])
    assert ("one" in namespaces_of(keys)) is seen[0]
    found = [[n.ref for n in cache.snapshot(each).conflicts] for each in (one, two)]
    assert found == [[two.ref] if seen[0] else [], [one.ref] if seen[1] else []]


@pytest.mark.parametrize(
    "leave",
    [
        lambda cache: cache.remove_app(Ref("ChainlitApp", "one", "chat")),
        lambda cache: cache.remove(replace(workload(), ref=Ref("Deployment", "one", "chat"))),
        lambda cache: cache.remove(replace(service(), ref=Ref("Service", "one", "chat"))),
        lambda cache: cache.remove(replace(ingress("/chat"), ref=Ref("Ingress", "one", "chat"))),
        lambda cache: cache.upsert(replace(ingress("/bot"), ref=Ref("Ingress", "one", "chat"))),
        lambda cache: cache.upsert(replace(workload(pod_labels=(("app", "x"),)), ref=Ref("Deployment", "one", "chat"))),
    ],
    ids=["app", "workload", "Service", "Ingress", "path", "labels"],
)
def test_neighbour_that_leaves_is_told(leave: Any) -> None:
    keys: list[Ref] = []
    cache = State(keys.append)
    settle(cache, "one", path("/chat"))
    two = settle(cache, "two", path("/chat"))
    assert [n.ref.namespace for n in cache.snapshot(two).conflicts] == ["one"]
    namespaces_of(keys)
    leave(cache)
    assert "two" in namespaces_of(keys)
    assert cache.snapshot(two).conflicts == ()


def test_thousand_apps_on_one_host_do_not_hear_of_each_other() -> None:
    keys: list[Ref] = []
    cache = State(keys.append)
    for n in range(1000):
        settle(cache, f"n{n}", path(f"/chat/{n}"))
    namespaces_of(keys)
    cache.upsert(replace(ingress("/chat/new"), ref=Ref("Ingress", "n7", "chat")))
    assert namespaces_of(keys) == {"n7"}


def test_app_that_appears_or_turns_to_a_neighbours_place_is_told() -> None:
    keys: list[Ref] = []
    cache = State(keys.append)
    settle(cache, "one", path("/chat"))
    two = settle(cache, "two", path("/chat"))
    cache.remove_app(two.ref)
    namespaces_of(keys)
    cache.put_app(replace(two, spec=app(workload_name="other").spec))
    assert namespaces_of(keys) == {"two"}
    cache.put_app(replace(two, generation=2))
    assert namespaces_of(keys) == {"one", "two"}
    cache.put_app(replace(two, generation=3))
    assert namespaces_of(keys) == {"two"}
    cache.put_app(replace(two, uid="uid-of-another", created="0"))
    assert namespaces_of(keys) == {"one", "two"}, "it is the older one now"


@pytest.mark.parametrize("quiet", [False, True])
def test_pods_that_turn_to_a_neighbours_service_are_told_of(quiet: bool) -> None:
    keys: list[Ref] = []
    cache = State(keys.append)
    one = settle(cache, "one", path("/chat"))
    settle(cache, "two", path("/chat"))
    moved = replace(workload(pod_labels=(("app", "x"),)), ref=Ref("Deployment", "two", "chat"))
    cache.upsert(moved)
    assert cache.snapshot(one).conflicts == ()
    namespaces_of(keys)
    cache.upsert(replace(workload(), ref=moved.ref), quiet=quiet)
    assert "one" in namespaces_of(keys), "also where the answer to our own write shows what somebody else has changed"


def test_listeners_of_one_gateway_are_told_apart() -> None:
    cache = State(lambda _: None)
    apps = []
    for namespace, section in (("one", "web"), ("two", "web"), ("three", "inner")):
        apps.append(settle(cache, namespace, path("/x")))
        cache.remove(replace(ingress(), ref=Ref("Ingress", namespace, "chat")))
        attached = ingress("/chat", attachments=(Attachment("Gateway infra/edge", section),))
        cache.upsert(replace(attached, ref=Ref("HTTPRoute", namespace, "chat")))
    found = [[n.ref.namespace for n in cache.snapshot(each).conflicts] for each in apps]
    assert found == [["two"], ["one"], []]


def test_two_workloads_behind_one_service_are_no_neighbours() -> None:
    """One may be the other's next release."""
    cache = State(lambda _: None)
    one = settle(cache, "one", path("/chat"))
    cache.upsert(workload(ref=Ref("Deployment", "one", "canary")))
    cache.put_app(replace(app("canary", workload_name="canary"), ref=Ref("ChainlitApp", "one", "canary")))
    assert cache.snapshot(one).conflicts == ()


def test_apps_of_one_workload_are_no_neighbours() -> None:
    cache = State(lambda _: None)
    one = settle(cache, "one", path("/chat"), path("/chat/ws"))
    cache.put_app(replace(one, ref=Ref("ChainlitApp", "one", "second")))
    assert cache.snapshot(one).conflicts == ()


@pytest.mark.parametrize(
    ("a", "b", "older"), [("9", "10", True), ("10", "9", False), ("7", "7", False), ("x", "9", False)]
)
def test_versions_are_numbers(a: str, b: str, older: bool) -> None:
    assert is_older(a, b) is older


NAMES = st.sampled_from(["a", "b", "c"])
LABELS = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["a", "b"]), max_size=2).map(
    lambda labels: tuple(sorted(labels.items()))
)


class StateMachine(RuleBasedStateMachine):
    """Any history of changes: snapshots are what a search of all objects finds, and changes of them were told."""

    def __init__(self) -> None:
        super().__init__()
        self.told = Told()
        self.cache = State(self.told)
        self.objects: dict[Ref, WatchedObject] = {}
        self.seen: dict[Ref, Any] = {}

    @rule(name=NAMES, aimed=NAMES, route=st.none() | NAMES)
    def put_app(self, name: str, aimed: str, route: str | None) -> None:
        kind = "Ingress" if route else None
        self.cache.put_app(app(name, created=name, workload_name=aimed, route_kind=kind, route_name=route))

    @rule(name=NAMES)
    def remove_app(self, name: str) -> None:
        self.cache.remove_app(app(name).ref)

    @rule(name=NAMES, labels=LABELS)
    def put_workload(self, name: str, labels: Any) -> None:
        self._put(workload(ref=Ref("Deployment", NAMESPACE, name), pod_labels=labels))

    @rule(name=NAMES, selector=LABELS)
    def put_service(self, name: str, selector: Any) -> None:
        self._put(service(name, selector=selector))

    @rule(name=NAMES, aimed=st.lists(st.tuples(NAMES, st.sampled_from(["/chat", "/chat/ws", "/bot"])), max_size=2))
    def put_ingress(self, name: str, aimed: list[tuple[str, str]]) -> None:
        self._put(ingress(*(path(text, service=target) for target, text in aimed), name=name))

    @rule(name=NAMES, kind=st.sampled_from(["Deployment", "Service", "Ingress"]))
    def remove(self, name: str, kind: str) -> None:
        obj = self.objects.pop(Ref(kind, NAMESPACE, name), None)
        if obj is not None:
            self.cache.remove(obj)

    def _put(self, obj: WatchedObject) -> None:
        self.objects[obj.ref] = obj
        self.cache.upsert(obj)

    @invariant()
    def snapshots_are_true_and_changes_were_told(self) -> None:
        told = self.told.read()
        for ref, found in self.cache.apps.items():
            snap = self.cache.snapshot(found)
            assert (snap.workload, set(snap.services), set(snap.routes)) == self._search(found)
            assert {n.ref for n in snap.conflicts} == self._neighbours(found)
            if self.seen.get(ref) != snap:
                assert ref.name in told
            self.seen[ref] = snap

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

    def _neighbours(self, found: App) -> set[Ref]:
        """By looking at every path of every route for every other app."""
        mine = {s.ref.name for s in self._search(found)[1]}
        own = {p.path for r in self._search(found)[2] for p in r.paths if p.service in mine}
        return {
            other.ref
            for other in self.cache.apps.values()
            if other.workload != found.workload
            for route in self.objects.values()
            if isinstance(route, Route)
            for p in route.paths
            if p.service in {s.ref.name for s in self._search(other)[1]} - mine
            and (p.path in own or (p.path == "/chat/ws" and "/chat" in own))
        }


TestStateMachine = StateMachine.TestCase
TestStateMachine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
