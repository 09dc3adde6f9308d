"""The state: who is concerned by a change, and that its indexes say the same as a search of everything."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tests import objects
from tests.records import app_record
from tests.unit.domain.world import NAMESPACE, app, container, ingress, middleware, path, service, workload

from chainlit_operator.domain.desired.drift import OwnedState
from chainlit_operator.domain.model import (
    Attachment,
    Companion,
    Dependency,
    Gateway,
    Listener,
    Origin,
    ServiceAccount,
    WatchedObject,
)
from chainlit_operator.domain.rewrites import Missing, StripPrefix
from chainlit_operator.kube.resource_versions import is_older
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State, store
from chainlit_operator.state.indexes import Index


class Enqueued(list[str]):
    """Names of the apps that were enqueued, and a way to read them off."""

    def __call__(self, ref: Ref) -> None:
        self.append(ref.name)

    def read(self) -> set[str]:
        found = set(self)
        self.clear()
        return found


@pytest.fixture
def enqueued() -> Enqueued:
    return Enqueued()


@pytest.fixture
def state(enqueued: Enqueued) -> State:
    found = State(enqueued)
    found.put_app(app())
    for obj in (workload(), service(), ingress("/chat")):
        found.upsert(obj)
    enqueued.read()
    return found


def test_snapshot_walks_labels_services_ingresses(state: State) -> None:
    snap = state.snapshot(state.apps[app().ref])
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
def test_a_change_enqueues_the_app(state: State, enqueued: Enqueued, obj: WatchedObject) -> None:
    state.upsert(obj)
    assert enqueued.read() == {"chat"}


@pytest.mark.parametrize(("name", "is_read"), [("edge", True), (0, False)])
def test_a_route_that_the_api_server_refuses_is_sent_to_it(state: State, name: Any, is_read: bool) -> None:
    gateway = {"parentRefs": [{"name": name}], "path": "/chat"}
    made = app_record(
        objects.chainlit_app("made", workload={"template": {"image": "chat:1"}}, route={"gateway": gateway})
    )
    state.put_app(made)
    snap = state.snapshot(made)
    assert "HTTPRoute" in [manifest.ref.kind for manifest in snap.manifests]
    assert bool(snap.routes) is is_read


OTHER = workload(ref=Ref("Deployment", NAMESPACE, "other"))


def test_another_workload_behind_the_service_enqueues_the_app(state: State, enqueued: Enqueued) -> None:
    state.upsert(OTHER)
    assert enqueued.read() == {"chat"}
    assert state.snapshot(state.apps[app().ref]).companions == (Companion("chat", OTHER.ref, frozenset({"http"})),)
    for obj in (
        replace(OTHER, rollout=replace(OTHER.rollout, desired=0)),
        OTHER,
        replace(OTHER, containers=(container(ports=()),)),
        replace(OTHER, pod_labels=(("app", "other"),)),
        OTHER,
    ):
        state.upsert(obj)
        assert enqueued.read() == {"chat"}
    state.remove(OTHER)
    assert enqueued.read() == {"chat"}
    assert state.snapshot(state.apps[app().ref]).companions == ()


@pytest.mark.parametrize(
    "obj",
    [
        replace(OTHER, rollout=replace(OTHER.rollout, desired=7, total=7)),
        replace(OTHER, containers=(container("/x"),)),
        replace(OTHER, generation=2),
    ],
)
def test_what_changes_no_pod_behind_the_service_enqueues_nothing(
    state: State, enqueued: Enqueued, obj: WatchedObject
) -> None:
    state.upsert(OTHER)
    enqueued.read()
    state.upsert(obj)
    assert enqueued.read() == set()


def test_companions_are_limited(state: State) -> None:
    for number in range(30):
        state.upsert(workload(ref=Ref("Deployment", NAMESPACE, f"other-{number}")))
    assert len(state.snapshot(state.apps[app().ref]).companions) == 20


@pytest.mark.parametrize(
    "obj",
    [
        replace(workload(), resource_version="9"),
        workload(replace(container(), owners=(("CHAINLIT_ROOT_PATH", "helm"),))),
        workload(ref=Ref("Deployment", NAMESPACE, "other"), pod_labels=(("app", "other"),)),
        workload(ref=Ref("Deployment", "elsewhere", "chat")),
        service("other", selector=(("app", "other"),)),
        service("none", selector=()),
        ingress(path("/x", service="other"), name="other"),
    ],
)
def test_a_change_that_no_decision_reads_enqueues_nothing(state: State, enqueued: Enqueued, obj: WatchedObject) -> None:
    state.upsert(obj)
    assert enqueued.read() == set()


@pytest.mark.parametrize("obj", [workload(), service(), ingress("/chat")])
def test_a_deletion_enqueues_the_app(state: State, enqueued: Enqueued, obj: WatchedObject) -> None:
    state.remove(obj)
    assert enqueued.read() == {"chat"}


def test_a_named_route_and_its_missing_service_enqueue_the_app(enqueued: Enqueued) -> None:
    state = State(enqueued)
    state.put_app(app(route_kind="Ingress", route_name="chat"))
    state.upsert(workload())
    enqueued.read()
    state.upsert(ingress("/chat"))
    assert enqueued.read() == {"chat"}
    assert state.snapshot(state.apps[app().ref]).missing_services == {"chat"}
    state.upsert(service(selector=(("app", "other"),)))
    assert enqueued.read() == {"chat"}, "its route names that Service"
    assert state.snapshot(state.apps[app().ref]).missing_services == frozenset()


def test_a_missing_service_of_another_path_enqueues_nothing(state: State, enqueued: Enqueued) -> None:
    state.upsert(ingress(path("/chat"), path("/bot", service="other")))
    enqueued.read()
    before = state.snapshot(state.apps[app().ref])
    state.upsert(service("other", selector=()))
    assert enqueued.read() == set()
    assert state.snapshot(state.apps[app().ref]) == before


def test_middlewares_that_share_a_key_are_both_known(state: State) -> None:
    """shop-a of b, and a-b of shop: routes name either in the same way."""
    ours, theirs = middleware("a-b"), replace(middleware("b"), ref=Ref("Middleware", "shop-a", "b"))
    state.upsert(ingress(path(middlewares=("shop-a-b",))))
    for obj in (ours, theirs):
        state.upsert(obj)
    key = Dependency("Middleware", "shop-a-b")
    assert set(state.indexes.dependencies(key)) == {ours, theirs}
    state.remove(theirs)
    assert state.indexes.dependencies(key) == (ours,)
    state.remove(ours)
    assert not state.indexes.objects_by_dependency


def test_a_middleware_enqueues_the_apps_of_its_routes(state: State, enqueued: Enqueued) -> None:
    state.upsert(middleware("strip"))
    assert enqueued.read() == set()
    state.upsert(ingress(path(middlewares=("shop-all",))))
    state.upsert(middleware("all", chain=("shop-strip", "shop-all")))
    assert enqueued.read() == {"chat"}
    state.upsert(middleware("all", chain=("shop-strip",)))
    state.upsert(middleware("strip", StripPrefix(("/chat",))))
    assert enqueued.read() == {"chat"}
    assert state.snapshot(state.apps[app().ref]).routes[0].paths[0].transforms == (StripPrefix(("/chat",)),)
    state.remove(middleware("strip"))
    assert enqueued.read() == {"chat"}
    assert state.snapshot(state.apps[app().ref]).routes[0].paths[0].transforms == (Missing("shop-strip"),)


def test_a_snapshot_says_which_namespaces_are_watched(state: State) -> None:
    assert state.snapshot(app()).watched == ()
    assert State(lambda _: None, ("shop", "team")).snapshot(app()).watched == ("shop", "team")


def test_a_gateway_enqueues_the_apps_of_its_routes(state: State, enqueued: Enqueued) -> None:
    edge = Gateway(Ref("Gateway", "infra", "edge"), "1", (Listener("web", 80, "HTTP"),))
    state.upsert(edge)
    assert enqueued.read() == set()
    attached: Any = {"attachments": (Attachment("Gateway infra/edge"),)}
    attached["dependencies"] = (Dependency("Gateway", edge.key),)
    state.upsert(ingress())
    state.upsert(replace(ingress("/chat", **attached), ref=Ref("HTTPRoute", NAMESPACE, "chat")))
    enqueued.read()
    state.upsert(replace(edge, address="192.0.2.1"))
    assert enqueued.read() == {"chat"}
    (route,) = state.snapshot(state.apps[app().ref]).routes
    assert route.origins == (Origin("", is_secure=False, port=80, address="192.0.2.1", is_deep=True),)


def test_older_versions_are_ignored(state: State, enqueued: Enqueued) -> None:
    state.upsert(replace(workload(container("/new")), resource_version="10"))
    enqueued.read()
    state.upsert(replace(workload(container("/old")), resource_version="9"))
    assert enqueued.read() == set()
    assert state.workload(workload().ref) == workload(container("/new"))


def test_quiet_writes_are_stored_and_enqueue_nothing(state: State, enqueued: Enqueued) -> None:
    state.upsert(workload(container("/new")), quiet=True)
    state.put_app(replace(app(), generation=2), quiet=True)
    assert enqueued.read() == set()
    state.upsert(workload(container("/new")))
    assert enqueued.read() == set(), "the watch brings what is stored already"


async def test_replace_forgets_what_is_gone_in_its_namespace_only(state: State, enqueued: Enqueued) -> None:
    far = workload(ref=Ref("Deployment", "elsewhere", "chat"))
    state.upsert(far)
    await state.replace("Deployment", NAMESPACE, [])
    assert enqueued.read() == {"chat"}
    assert state.workload(workload().ref) is None and state.workload(far.ref) == far
    await state.replace("Deployment", None, [workload()])
    assert state.workload(far.ref) is None and state.workload(workload().ref) == workload()


def test_the_oldest_app_has_the_workload(state: State, enqueued: Enqueued) -> None:
    young = app("young", created="2026-02-02T00:00:00Z")
    state.put_app(young)
    assert state.snapshot(young).claimed_by == "chat"
    assert state.snapshot(app()).claimed_by == ""
    enqueued.read()
    state.remove_app(app().ref)
    assert enqueued.read() == {"chat", "young"}
    assert state.snapshot(young).claimed_by == ""


def test_app_that_moves_to_another_workload_frees_the_first(state: State, enqueued: Enqueued) -> None:
    young = app("young", created="2026-02-02T00:00:00Z")
    state.put_app(young)
    enqueued.read()
    state.put_app(replace(app(workload_name="other"), generation=2))
    assert enqueued.read() == {"chat", "young"}
    assert state.snapshot(young).claimed_by == ""


HELD = workload(field_managers=("helm", "chainlit-operator"))
FREE = workload(field_managers=("helm",), resource_version="2")


def test_workload_without_an_app_is_released_once_all_apps_are_known() -> None:
    keys: list[Ref] = []
    state = State(keys.append)
    state.upsert(HELD)
    assert keys == [] and state.to_release(HELD.ref) is None, "its app may still come"
    state.complete()
    assert keys == [HELD.ref] and state.to_release(HELD.ref) == HELD
    state.upsert(FREE)
    assert state.to_release(HELD.ref) is None


def test_workload_of_a_known_app_is_not_released() -> None:
    keys: list[Ref] = []
    state = State(keys.append)
    state.upsert(HELD)
    state.put_app(app())
    state.complete()
    state.upsert(replace(HELD, resource_version="2"))
    assert keys == [app().ref] and state.to_release(HELD.ref) is None


@pytest.mark.parametrize(
    "leave",
    [
        lambda state: state.remove_app(app().ref),
        lambda state: state.put_app(replace(app(suspend=True), generation=2)),
        lambda state: state.put_app(replace(app(workload_name="other"), generation=2)),
    ],
    ids=["deleted", "suspended", "moved"],
)
def test_workload_that_its_app_leaves_is_released(leave: Any) -> None:
    keys: list[Ref] = []
    state = State(keys.append)
    state.upsert(HELD)
    state.put_app(app())
    state.complete()
    keys.clear()
    leave(state)
    assert HELD.ref in keys
    assert state.to_release(HELD.ref) == HELD


def test_write_that_comes_too_late_is_released_too() -> None:
    """An apply that was under way when its app was suspended brings the entry back."""
    keys: list[Ref] = []
    state = State(keys.append)
    state.upsert(FREE)
    state.put_app(app(suspend=True))
    state.complete()
    assert HELD.ref not in keys
    state.upsert(replace(HELD, resource_version="3"), quiet=True)
    assert HELD.ref in keys
    keys.clear()
    state.upsert(workload(container("/x"), field_managers=HELD.field_managers, resource_version="4"), quiet=True)
    assert keys == [HELD.ref]


async def test_a_list_does_not_overwrite_the_generation_that_the_watch_saw() -> None:
    """The watch shows since which generation a workload has its template; a list does not."""
    enqueued: list[Ref] = []
    state = State(enqueued.append)
    state.put_app(app())
    state.upsert(replace(workload(), generation=1, resource_version="7"))
    enqueued.clear()
    await state.replace("Deployment", None, [replace(workload(), generation=3, resource_version="7")])
    assert not enqueued and state.workload(workload().ref) == replace(workload(), generation=1)
    await state.replace("Deployment", None, [replace(workload(), generation=3, resource_version="8")])
    await state.replace("Deployment", None, [replace(workload(), uid="another", generation=3, resource_version="8")])
    assert enqueued == [app().ref] * 2


def test_younger_app_does_not_keep_what_the_oldest_has_suspended() -> None:
    state = State(lambda _: None)
    state.upsert(HELD)
    state.put_app(app(suspend=True))
    state.put_app(app("young", created="2026-02-02T00:00:00Z"))
    state.complete()
    assert state.to_release(HELD.ref) == HELD
    state.remove_app(app().ref)
    assert state.to_release(HELD.ref) is None


def test_workload_in_a_namespace_with_an_unreadable_app_is_not_released() -> None:
    """The app may name it."""
    keys: list[Ref] = []
    state = State(keys.append)
    for namespace in ("shop", "elsewhere"):
        state.upsert(replace(HELD, ref=Ref("Deployment", namespace, "chat")))
    state.mark_unreadable(app().ref)
    state.complete()
    assert keys == [Ref("Deployment", "elsewhere", "chat")] and state.to_release(HELD.ref) is None
    assert state.unreadable == {app().ref}
    keys.clear()
    state.mark_unreadable(app("another").ref, is_unreadable=False)
    assert not keys
    state.mark_unreadable(app().ref, is_unreadable=False)
    assert HELD.ref in keys and state.to_release(HELD.ref) == HELD and not state.unreadable


def test_an_object_that_cannot_be_decoded_any_more_is_discarded(state: State, enqueued: Enqueued) -> None:
    state.discard(service().ref)
    assert enqueued.read() == {"chat"} and state.service(service().ref) is None
    state.discard(service().ref)
    assert enqueued.read() == set()


def owned(found: Any, uid: str = app().uid, name: str = "chat") -> Any:
    return replace(found, owned=OwnedState(app=name, uid=uid, object_uid="uid-of-object", content={}))


def test_objects_that_an_app_created_are_its_own_by_uid(state: State) -> None:
    mine = owned(service())
    for obj in (mine, owned(ingress("/chat"), uid="uid-of-another"), owned(service("other"), name="other")):
        state.upsert(obj)
    assert state.owned_by(app()) == (mine,)
    state.upsert(service())
    assert state.owned_by(app()) == ()


@pytest.mark.parametrize(
    "obj", [owned(ServiceAccount(Ref("ServiceAccount", NAMESPACE, "x"), "1")), owned(service("x", selector=()))]
)
def test_an_object_that_an_app_created_enqueues_it(state: State, enqueued: Enqueued, obj: WatchedObject) -> None:
    state.upsert(obj)
    assert enqueued.read() == {"chat"}
    state.remove(obj)
    assert enqueued.read() == {"chat"}


def test_an_object_with_the_name_of_one_to_create_enqueues_the_app(enqueued: Enqueued) -> None:
    state = State(enqueued)
    state.put_app(app(template={"image": "chat:1"}))
    enqueued.read()
    state.upsert(service(selector=()))
    assert enqueued.read() == {"chat"}
    assert state.snapshot(state.apps[app().ref]).taken == (service().ref,)
    state.upsert(owned(service(selector=())))
    assert enqueued.read() == {"chat"}
    assert state.snapshot(state.apps[app().ref]).taken == ()


def test_rarest_key_of_an_index() -> None:
    index: Index[str] = Index()
    for key, count in (("many", 3), ("one", 1), ("two", 2)):
        for n in range(count):
            index.add(key, Ref("Service", "shop", f"{n}"))
    assert index.rarest(["many", "two"]) == "two"
    assert index.rarest(["two", "one", "many"]) == "one"
    assert index.rarest(["one", "none", "two"]) == "none"
    with pytest.raises(ValueError, match="no keys"):
        index.rarest([])


def test_index_keeps_one_reference_as_it_is() -> None:
    index: Index[str] = Index()
    one, two = Ref("Service", "shop", "one"), Ref("Service", "shop", "two")
    index.discard("key", one)
    index.add("key", one)
    index.add("key", one)
    assert index["key"] == {one} and isinstance(index["key"], frozenset)
    index.discard("key", two)
    index.add("key", two)
    assert index["key"] == {one, two}
    index.discard("key", one)
    assert index["key"] == {two}
    index.discard("key", two)
    assert index["key"] == frozenset() and not len(index)


@pytest.mark.parametrize(
    ("a", "b", "older"), [("9", "10", True), ("10", "9", False), ("7", "7", False), ("x", "9", False)]
)
def test_versions_are_numbers(a: str, b: str, older: bool) -> None:
    assert is_older(a, b) is older


async def test_other_tasks_run_while_a_long_list_replaces_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SLICE_SECONDS", -1.0)
    state = State(lambda _: None)
    listed = [replace(ingress(), ref=Ref("Ingress", f"n{n}", "chat")) for n in range(100)]
    replacing = asyncio.create_task(state.replace("Ingress", None, listed))
    seen = []
    while not replacing.done():
        await asyncio.sleep(0)
        seen.append(len(state.all_of("Ingress")))
    assert len(seen) >= 100 and set(seen) >= set(range(1, 101))
    newer = replace(ingress("/newer"), ref=listed[0].ref, resource_version="9")
    replacing = asyncio.create_task(state.replace("Ingress", None, listed[:50]))
    state.upsert(newer)
    await replacing
    assert {obj.ref for obj in state.all_of("Ingress")} == {obj.ref for obj in listed[:50]}
    assert state.route(newer.ref) == newer, "an older list does not overwrite a newer version"
