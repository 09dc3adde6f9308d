"""The route keys: whose conflict decides for an app, and that a change enqueues only apps with another one by that."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from tests.unit.domain.world import app, container, ingress, path, regex, service, workload

from chainlit_operator.domain import route_conflicts
from chainlit_operator.domain.decide import decide
from chainlit_operator.domain.model import (
    App,
    Attachment,
    Canary,
    Effect,
    Precedence,
    RouteOrder,
    RoutePath,
    Service,
    Status,
    WatchedObject,
    Winner,
    ingress_class,
)
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import Unresolved
from chainlit_operator.domain.route_conflicts import Entry, RouteKey, may_cover
from chainlit_operator.ingress_controllers.ingress_nginx import STYLE
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State
from chainlit_operator.state.route_keys import MAX_EXPRESSIONS


def deploy(state: State, namespace: str, *paths: RoutePath, **route: Any) -> App:
    """An app with its workload, Service and Ingress in a namespace of its own."""
    found = replace(app(), ref=Ref("ChainlitApp", namespace, "chat"), created=namespace)
    for obj in (workload(), service(), ingress(*paths, **route)):
        state.upsert(replace(obj, ref=Ref(obj.ref.kind, namespace, "chat")))
    state.put_app(found)
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
def test_conflicts_across_namespaces(first: Any, second: Any, seen: tuple[bool, bool]) -> None:
    keys: list[Ref] = []
    state = State(keys.append)
    one = deploy(state, "one", first[0], **first[1])
    namespaces_of(keys)
    two = deploy(state, "two", second[0], **second[1])
    assert ("one" in namespaces_of(keys)) is seen[0]
    found = [[c.app for c in state.snapshot(each).conflicts] for each in (one, two)]
    assert found == [[two.ref] if seen[0] else [], [one.ref] if seen[1] else []]


@pytest.mark.parametrize(
    "leave",
    [
        lambda state: state.remove_app(Ref("ChainlitApp", "one", "chat")),
        lambda state: state.remove(replace(workload(), ref=Ref("Deployment", "one", "chat"))),
        lambda state: state.remove(replace(service(), ref=Ref("Service", "one", "chat"))),
        lambda state: state.upsert(replace(service(selector=(("app", "x"),)), ref=Ref("Service", "one", "chat"))),
        lambda state: state.remove(replace(ingress("/chat"), ref=Ref("Ingress", "one", "chat"))),
        lambda state: state.upsert(replace(ingress("/bot"), ref=Ref("Ingress", "one", "chat"))),
        lambda state: state.upsert(replace(workload(pod_labels=(("app", "x"),)), ref=Ref("Deployment", "one", "chat"))),
    ],
    ids=["app", "workload", "Service", "selector", "Ingress", "path", "labels"],
)
def test_an_app_in_conflict_that_leaves_enqueues_the_other(leave: Any) -> None:
    keys: list[Ref] = []
    state = State(keys.append)
    deploy(state, "one", path("/chat"))
    two = deploy(state, "two", path("/chat"))
    assert [c.route.namespace for c in state.snapshot(two).conflicts] == ["one"]
    namespaces_of(keys)
    leave(state)
    assert "two" in namespaces_of(keys)
    left = state.route(Ref("Ingress", "one", "chat"))
    is_there = left is not None and left.paths == (path("/chat"),)
    found = state.snapshot(two).conflicts
    assert [(c.app, c.service) for c in found] == ([(None, "chat")] if is_there else []), "the edge knows no app"


def test_thousand_apps_on_one_host_do_not_enqueue_each_other() -> None:
    keys: list[Ref] = []
    state = State(keys.append)
    for n in range(1000):
        deploy(state, f"n{n}", path(f"/chat/{n}"))
    namespaces_of(keys)
    state.upsert(replace(ingress("/chat/new"), ref=Ref("Ingress", "n7", "chat")))
    assert namespaces_of(keys) == {"n7"}


def test_an_app_that_appears_or_moves_to_a_key_enqueues_the_other() -> None:
    keys: list[Ref] = []
    state = State(keys.append)
    deploy(state, "one", path("/chat"))
    two = deploy(state, "two", path("/chat"))
    state.remove_app(two.ref)
    namespaces_of(keys)
    state.put_app(replace(two, spec=app(workload_name="other").spec))
    assert namespaces_of(keys) == {"two"}
    state.put_app(replace(two, generation=2))
    assert namespaces_of(keys) == {"one", "two"}
    state.put_app(replace(two, generation=3))
    assert namespaces_of(keys) == {"two"}
    state.put_app(replace(two, uid="uid-of-another", created="0"))
    assert namespaces_of(keys) == {"one", "two"}, "it is the older one now"


@pytest.mark.parametrize("quiet", [False, True])
def test_pods_that_move_to_a_service_with_a_key_enqueue_the_other(quiet: bool) -> None:
    keys: list[Ref] = []
    state = State(keys.append)
    one = deploy(state, "one", path("/chat"))
    deploy(state, "two", path("/chat"))
    moved = replace(workload(pod_labels=(("app", "x"),)), ref=Ref("Deployment", "two", "chat"))
    state.upsert(moved)
    assert [c.app for c in state.snapshot(one).conflicts] == [None]
    namespaces_of(keys)
    state.upsert(replace(workload(), ref=moved.ref), quiet=quiet)
    assert "one" in namespaces_of(keys), "also where the answer to our own write shows what somebody else has changed"


def test_listeners_of_one_gateway_are_apart() -> None:
    state = State(lambda _: None)
    apps = []
    for namespace, section in (("one", "web"), ("two", "web"), ("three", "inner")):
        apps.append(deploy(state, namespace, path("/x")))
        state.remove(replace(ingress(), ref=Ref("Ingress", namespace, "chat")))
        attached = ingress("/chat", attachments=(Attachment("Gateway infra/edge", section),))
        state.upsert(replace(attached, ref=Ref("HTTPRoute", namespace, "chat")))
    found = [[c.route.namespace for c in state.snapshot(each).conflicts] for each in apps]
    assert found == [["two"], ["one"], []]


def test_two_workloads_behind_one_service_are_not_in_conflict() -> None:
    """One may be the other's next release."""
    state = State(lambda _: None)
    one = deploy(state, "one", path("/chat"))
    state.upsert(workload(ref=Ref("Deployment", "one", "canary")))
    state.put_app(replace(app("canary", workload_name="canary"), ref=Ref("ChainlitApp", "one", "canary")))
    assert state.snapshot(one).conflicts == ()


def test_apps_of_one_workload_are_not_in_conflict() -> None:
    state = State(lambda _: None)
    one = deploy(state, "one", path("/chat"), path("/chat/ws"))
    state.put_app(replace(one, ref=Ref("ChainlitApp", "one", "second")))
    assert state.snapshot(one).conflicts == ()


def ingress_of(namespace: str, *paths: RoutePath, **fields: Any) -> WatchedObject:
    return replace(ingress(*paths, **fields), ref=Ref("Ingress", namespace, "chat"))


def conflicts(state: State, *namespaces: str) -> list[list[str]]:
    """The namespaces of the routes in conflict with each of these apps."""
    apps = [state.apps[Ref("ChainlitApp", namespace, "chat")] for namespace in namespaces]
    return [[c.route.namespace for c in state.snapshot(each).conflicts] for each in apps]


@pytest.fixture
def keys() -> list[Ref]:
    return []


@pytest.fixture
def crowd(keys: list[Ref]) -> State:
    """A thousand apps with one host and path, from the oldest (000) to the youngest (999)."""
    state = State(keys.append)
    for n in range(1000):
        deploy(state, f"{n:03}", path("/chat"))
    keys.clear()
    return state


EVERYONE = {f"{n:03}" for n in range(1000)}


def test_of_a_thousand_apps_on_one_path_the_oldest_other_decides(crowd: State) -> None:
    assert conflicts(crowd, "000", "001", "500", "999") == [["001"], ["000"], ["000"], ["000"]]


@pytest.mark.parametrize(
    ("moving", "affected"), [("999", {"999"}), ("002", {"002"}), ("001", {"000", "001"}), ("000", EVERYONE)]
)
def test_an_app_of_a_thousand_on_one_path_enqueues_those_for_which_it_decides(
    crowd: State, keys: list[Ref], moving: str, affected: set[str]
) -> None:
    crowd.upsert(ingress_of(moving, path("/elsewhere")))
    assert namespaces_of(keys) == affected
    crowd.upsert(ingress_of(moving, path("/chat")))
    assert namespaces_of(keys) == affected


def test_a_change_that_leaves_the_conflict_as_it_is_enqueues_no_other_app(crowd: State, keys: list[Ref]) -> None:
    for n in ("000", "001"):
        crowd.upsert(ingress_of(n, path("/chat", port=8080), address="192.0.2.1"))
        assert namespaces_of(keys) == {n}
        assert conflicts(crowd, "000", "999") == [["001"], ["000"]]


def test_the_first_app_with_a_longer_path_of_chainlit_decides(keys: list[Ref]) -> None:
    state = State(keys.append)
    deploy(state, "chat", path("/chat"))
    for n in range(1000):
        deploy(state, f"{n:03}", path("/chat/ws"))
    keys.clear()
    assert conflicts(state, "chat", "000", "999") == [["000"], ["001"], ["000"]]
    state.upsert(ingress_of("999", path("/chat/login")))
    assert namespaces_of(keys) == {"999"}
    state.upsert(ingress_of("000", path("/other")))
    assert namespaces_of(keys) == {"chat", *EVERYONE} - {"999"}
    assert conflicts(state, "chat", "001", "999") == [["001"], ["002"], []]


def test_two_apps_of_the_oldest_workload_decide_for_others_and_not_for_each_other(keys: list[Ref]) -> None:
    state = State(keys.append)
    first = deploy(state, "a", path("/chat"))
    state.put_app(replace(first, ref=Ref("ChainlitApp", "a", "second")))
    for namespace in ("b", "c"):
        deploy(state, namespace, path("/chat"))
    keys.clear()
    assert conflicts(state, "a", "b", "c") == [["b"], ["a"], ["a"]]
    state.upsert(ingress_of("b", path("/elsewhere")))
    assert set(keys) == {first.ref, Ref("ChainlitApp", "a", "second"), Ref("ChainlitApp", "b", "chat")}


def test_of_a_thousand_routes_without_an_app_the_first_decides(keys: list[Ref]) -> None:
    state = State(keys.append)
    one = deploy(state, "one", path("/chat"))
    for n in range(1000):
        state.upsert(ingress_of(f"{n:03}", path("/chat"), created=f"{n:03}"))
    keys.clear()
    assert conflicts(state, "one") == [["000"]]
    state.upsert(ingress_of("500", path("/elsewhere"), created="500"))
    state.upsert(ingress_of("500", path("/chat"), created="500"))
    assert namespaces_of(keys) == set()
    state.upsert(ingress_of("000", path("/elsewhere"), created="000"))
    assert namespaces_of(keys) == {"one"} and conflicts(state, "one") == [["001"]]
    deploy(state, "500", path("/chat"), created="500")
    assert namespaces_of(keys) == {"one", "500"}
    assert conflicts(state, "one", "500") == [["500"], ["one"]], "where the edge's choice is not known, apps come first"
    state.remove(replace(service(), ref=Ref("Service", "500", "chat")))
    assert namespaces_of(keys) == {"one", "500"}
    assert conflicts(state, "one", "500") == [["001"], []]
    assert state.snapshot(one).conflicts[0].app is None


NGINX: dict[str, Any] = {"ingress_class": "nginx", "order": RouteOrder.OLDEST}


def winners(state: State, *namespaces: str) -> list[list[tuple[str, str]]]:
    """The namespaces and winners of the routes in conflict with each of these apps."""
    apps = [state.apps[Ref("ChainlitApp", namespace, "chat")] for namespace in namespaces]
    return [[(c.route.namespace, str(c.winner)) for c in state.snapshot(each).conflicts] for each in apps]


def test_where_the_edge_prefers_the_older_route_apps_count_like_others(keys: list[Ref]) -> None:
    state = State(keys.append)
    for namespace, created in (("a", "3"), ("b", "1"), ("c", "4")):
        deploy(state, namespace, path("/chat"), created=created, **NGINX)
    state.upsert(ingress_of("x", path("/chat"), created="2", **NGINX))
    assert winners(state, "a", "b", "c") == [[("b", "other")], [("x", "own")], [("b", "other")]]
    keys.clear()
    state.upsert(ingress_of("x", path("/chat"), created="0", **NGINX))
    assert namespaces_of(keys) == {"a", "b", "c"}
    assert winners(state, "a", "b", "c") == [[("x", "other")], [("x", "other")], [("x", "other")]]
    state.remove(ingress_of("x"))
    assert namespaces_of(keys) == {"a", "b", "c"}
    assert winners(state, "b") == [[("a", "own")]]
    state.upsert(ingress_of("y", path("/chat"), created="5", **NGINX))
    assert namespaces_of(keys) == set(), "a route that loses against several others changes nothing"


def test_of_two_routes_of_an_app_at_one_place_the_preferred_one_counts() -> None:
    state = State(lambda _: None)
    deploy(state, "a", path("/chat"), created="3", **NGINX)
    first = ingress("/chat", name="first", created="1", **NGINX)
    state.upsert(replace(first, ref=Ref("Ingress", "a", "first")))
    state.upsert(ingress_of("x", path("/chat"), created="2", **NGINX))
    assert winners(state, "a") == [[("x", "own")]]


def test_an_ingress_without_a_class_is_possibly_at_the_edge_of_every_class(keys: list[Ref]) -> None:
    state = State(keys.append)
    deploy(state, "a", path("/chat"), ingress_class="nginx")
    deploy(state, "b", path("/chat"), ingress_class="traefik")
    keys.clear()
    state.upsert(ingress_of("x", path("/chat"), path("/chat/ws")))
    assert namespaces_of(keys) == {"a", "b"}
    assert winners(state, "a", "b") == [[("x", "uncertain")] * 2] * 2
    state.remove(ingress_of("x"))
    assert namespaces_of(keys) == {"a", "b"}
    assert winners(state, "a", "b") == [[], []]


def test_an_ingress_of_a_class_is_possibly_at_the_edge_of_one_without(keys: list[Ref]) -> None:
    state = State(keys.append)
    deploy(state, "a", path("/chat"))
    deploy(state, "b", path("/chat"), ingress_class="traefik")
    assert winners(state, "a", "b") == [[("b", "uncertain")], [("a", "uncertain")]]
    keys.clear()
    state.upsert(ingress_of("x", path("/chat"), path("/chat/ws"), ingress_class="nginx"))
    assert namespaces_of(keys) == {"a"}
    assert sorted(winners(state, "a")[0]) == [("b", "uncertain"), ("x", "uncertain")]
    state.remove(ingress_of("b"))
    assert namespaces_of(keys) == {"a", "b"}
    assert winners(state, "a") == [[("x", "uncertain")] * 2]


def test_thousand_classes_at_one_place_are_not_looked_through() -> None:
    """The entries of all classes are in one sorted list for an app whose Ingress names none."""
    state = State(lambda _: None)
    deploy(state, "one", path("/chat"))
    for n in range(1000):
        state.upsert(ingress_of(f"{n:03}", path("/chat"), ingress_class=f"class-{n}"))
    entries = state.route_keys.entries[Effect.CLAIM]
    (_, own), (_, others) = entries.beside(KEY, (ingress_class(""),))
    assert ([entry.route.namespace for entry in own], len([*others])) == (["one"], 1000)
    assert conflicts(state, "one") == [["000"]]


def test_a_canary_takes_a_share_unless_the_edge_keeps_browsers_on_one_side(keys: list[Ref]) -> None:
    state = State(keys.append)
    deploy(state, "a", path("/chat"), **NGINX)
    keys.clear()
    state.upsert(ingress_of("x", path("/chat"), canary=Canary.BY_REQUEST, **NGINX))
    assert namespaces_of(keys) == set() and winners(state, "a") == [[]]
    state.upsert(ingress_of("x", path("/chat"), canary=Canary.BY_WEIGHT, **NGINX))
    assert namespaces_of(keys) == {"a"} and winners(state, "a") == [[("x", "other")]]
    state.upsert(ingress_of("a", path("/chat"), is_sticky=True, **NGINX))
    assert winners(state, "a") == [[]]


def test_an_app_behind_a_canary_has_no_conflict_at_its_place() -> None:
    state = State(lambda _: None)
    deploy(state, "a", path("/chat"), **NGINX)
    deploy(state, "b", path("/chat"), canary=Canary.BY_WEIGHT, **NGINX)
    assert winners(state, "a", "b") == [[("b", "other")], []]


def test_a_longer_path_takes_the_place_of_an_app_below_the_path_of_its_route(keys: list[Ref]) -> None:
    """The pods say that the app is at /team/chat, behind a route for /."""
    state = State(keys.append)
    deploy(state, "a", path("/"))
    state.upsert(replace(workload(container("/team/chat")), ref=Ref("Deployment", "a", "chat")))
    for text, winner in (
        ("/team/chat", "other"),
        ("/team/chat/ws", "other"),
        ("/team", "other"),
        ("/team/chat/shop", None),
        ("/shop", None),
    ):
        keys.clear()
        state.upsert(ingress_of("x", path(text)))
        assert (namespaces_of(keys), winners(state, "a")) == (
            ({"a"}, [[("x", winner)]]) if winner else (set(), [[]])
        ), text
        state.remove(ingress_of("x"))
    state.upsert(ingress_of("x", path("/team/chat")))
    state.upsert(replace(workload(container("/other")), ref=Ref("Deployment", "a", "chat")))
    assert winners(state, "a") == [[]]
    state.remove_app(Ref("ChainlitApp", "a", "chat"))
    assert len(state.route_keys.observers) == 0


def test_a_stated_or_kept_place_counts_too(keys: list[Ref]) -> None:
    state = State(keys.append)
    found = deploy(state, "a", path("/"))
    state.upsert(ingress_of("x", path("/chat")))
    assert winners(state, "a") == [[]]
    state.put_app(replace(found, generation=2, spec=replace(found.spec, url="https://example.com/chat")))
    assert winners(state, "a") == [[("x", "other")]]
    keys.clear()
    state.upsert(ingress_of("x", path("/elsewhere")))
    assert namespaces_of(keys) == {"a"} and winners(state, "a") == [[]]
    state.upsert(ingress_of("x", path("/chat")))
    assert namespaces_of(keys) == {"a"}
    state.put_app(replace(found, generation=3, status=Status(root_path="/chat", kept=True)))
    assert winners(state, "a") == [[("x", "other")]]
    state.put_app(replace(found, generation=4, status=Status(root_path="/chat")))
    assert winners(state, "a") == [[]]


def test_a_mounted_app_loses_requests_at_its_mount_path(keys: list[Ref]) -> None:
    """The route leads to another app at /api, which mounts Chainlit: its own paths beside that are not Chainlit's."""
    state = State(keys.append)
    found = deploy(state, "a", path("/api"))
    found = replace(found, generation=2, spec=replace(found.spec, mount_path="/chat"))
    state.put_app(found)
    for text, reason in (
        ("/api/chat", Reason.PATH_CLAIMED),
        ("/api/chat/ws", Reason.PATH_SHADOWED),
        ("/api/ws", None),
        ("/api/login", None),
        ("/api/chat/shop", None),
    ):
        keys.clear()
        state.upsert(ingress_of("x", path(text), **NGINX))
        state.upsert(replace(ingress(path("/api"), **NGINX), ref=Ref("Ingress", "a", "chat")))
        answer = decide(state.snapshot(found)).route
        assert (answer.reason if isinstance(answer, Unresolved) else None) == reason, text
        state.remove(ingress_of("x"))
    keys.clear()
    state.upsert(ingress_of("x", path("/api/chat"), **NGINX))
    assert namespaces_of(keys) == {"a"}


def test_a_redirect_takes_requests(keys: list[Ref]) -> None:
    state = State(keys.append)
    deploy(state, "a", path("/chat"))
    keys.clear()
    state.upsert(ingress_of("x", path("/chat/ws", service="")))
    assert namespaces_of(keys) == {"a"} and winners(state, "a") == [[("x", "other")]]


def test_one_entry_at_a_key_has_no_list() -> None:
    state = State(lambda _: None)
    claims = state.route_keys.entries[Effect.CLAIM]
    only = Attachment("Gateway infra/edge", "web"), Attachment("Gateway infra/edge", "inner")
    for namespace, attachment in zip("ab", only, strict=True):
        state.upsert(ingress_of(namespace, path("/chat"), attachments=(attachment,)))
    state.upsert(ingress_of("c", path("/chat"), attachments=only[:1]))
    state.remove(ingress_of("c"))
    at_key = claims.by_attachments(RouteKey("Gateway infra/edge", "example.com", "/chat"))
    assert [[entry.route.namespace for entry in entries] for entries in at_key.values()] == [["a"], ["b"]]
    state.upsert(ingress_of("a", path("/chat"), ingress_class="nginx"))
    state.upsert(ingress_of("c", path("/chat"), ingress_class="nginx"))
    state.remove(ingress_of("c"))
    (entries,) = claims.by_attachments(KEY).values()
    assert isinstance(entries, tuple), "a list of one is given up"


def test_on_each_listener_of_a_gateway_another_app_decides(keys: list[Ref]) -> None:
    state = State(keys.append)
    sections = {"a": "web", "b": "inner", "c": "web", "d": "", "e": "inner", "f": "web"}
    for namespace, section in sections.items():
        deploy(state, namespace, path("/chat"), attachments=(Attachment("Gateway infra/edge", section),))
    assert conflicts(state, *sections) == [["c"], ["d"], ["a"], ["a"], ["b"], ["a"]]
    keys.clear()
    state.upsert(ingress_of("e", path("/e"), attachments=(Attachment("Gateway infra/edge", "inner"),)))
    assert namespaces_of(keys) == {"e"}
    state.upsert(ingress_of("b", path("/b"), attachments=(Attachment("Gateway infra/edge", "inner"),)))
    assert namespaces_of(keys) == {"b"}, "for d on all listeners a decides"
    state.upsert(ingress_of("d", path("/d"), attachments=(Attachment("Gateway infra/edge"),)))
    assert namespaces_of(keys) == {"d"}
    state.upsert(ingress_of("a", path("/a"), attachments=(Attachment("Gateway infra/edge", "web"),)))
    assert namespaces_of(keys) == {"a", "c", "f"}
    assert conflicts(state, "c", "f") == [["f"], ["c"]]


def test_a_path_that_moves_to_another_service_of_the_oldest_app_enqueues_no_other(keys: list[Ref]) -> None:
    state = State(keys.append)
    for namespace in ("a", "b", "c"):
        deploy(state, namespace, path("/chat"))
    state.upsert(replace(service("second"), ref=Ref("Service", "a", "second")))
    keys.clear()
    state.upsert(ingress_of("a", path("/chat", service="second")))
    assert namespaces_of(keys) == {"a"}


def test_another_app_behind_a_service_of_an_app_does_not_enqueue_it(keys: list[Ref]) -> None:
    state = State(keys.append)
    one = deploy(state, "a", path("/chat"))
    second = replace(app("older", workload_name="older", created="0"), ref=Ref("ChainlitApp", "a", "older"))
    state.upsert(workload(ref=Ref("Deployment", "a", "older")))
    keys.clear()
    state.put_app(second)
    assert set(keys) == {second.ref} and state.snapshot(one).conflicts == ()


def test_a_path_with_two_attachments_meets_others_of_either(keys: list[Ref]) -> None:
    state = State(keys.append)
    web, inner = Attachment("Gateway infra/edge", "web"), Attachment("Gateway infra/edge", "inner")
    for namespace, attachments in (("a", (web, inner)), ("b", (inner,)), ("c", (web,))):
        deploy(state, namespace, path("/chat"), attachments=attachments)
    assert conflicts(state, "a", "b", "c") == [["b"], ["a"], ["a"]]


def test_of_several_paths_to_one_service_at_a_key_the_first_stands_for_all() -> None:
    state = State(lambda _: None)
    one = deploy(state, "one", path("/chat"))
    deploy(state, "two", *(path(f"/chat/ws/{n}") for n in range(100, 0, -1)))
    assert [c.path for c in state.snapshot(one).conflicts] == ["/chat/ws/100"]
    (entries,) = state.route_keys.entries[Effect.SHADOW].by_attachments(KEY).values()
    assert len(entries) == 1


def expression(text: str, service: str = "site", **fields: Any) -> RoutePath:
    """A path of ingress-nginx that is an expression."""
    return regex(text, service=service, styles=(STYLE,), **fields)


def nginx(state: State, namespace: str, *paths: RoutePath, **fields: Any) -> None:
    """An Ingress of ingress-nginx that leads to no app."""
    state.upsert(ingress_of(namespace, *paths, ingress_class="nginx", order=RouteOrder.OLDEST, **fields))


def covered(state: State, namespace: str) -> list[tuple[str, str]]:
    """The expressions that take requests of an app, with the place where they take them."""
    snapshot = state.snapshot(state.apps[Ref("ChainlitApp", namespace, "chat")])
    return [(found.path, found.prefix) for found in snapshot.conflicts if found.effect is Effect.COVER]


def test_a_longer_expression_of_another_team_takes_the_requests_of_an_app(keys: list[Ref]) -> None:
    state = State(keys.append)
    found = deploy(state, "one", path("/bot"), ingress_class="nginx", order=RouteOrder.OLDEST)
    keys.clear()
    nginx(state, "team", expression("/(.*)"))
    assert namespaces_of(keys) == {"one"} and covered(state, "one") == [("/(.*)", "/bot")]
    route = decide(state.snapshot(found)).route
    assert isinstance(route, Unresolved) and route.reason is Reason.PATH_SHADOWED
    nginx(state, "team", expression("/(.*)"), address="192.0.2.7")
    assert namespaces_of(keys) == set()
    nginx(state, "team", expression("/(api|web)/(.*)"))
    assert namespaces_of(keys) == {"one"} and covered(state, "one") == []


@pytest.mark.parametrize(
    ("mine", "other", "fields", "is_covered"),
    [
        (path("/bot"), expression("/(.*)"), {}, True),
        (path("/bot"), expression("/(.*)"), {"ingress_class": "inner"}, False),
        (path("/bot"), expression("/(.*)"), {"ingress_class": ""}, True),  # a warning
        (path("/bot"), expression("/(.*)", host="b.example"), {}, False),
        (path("/bot"), expression("/(.*)", host=""), {}, False),
        (path("/bot"), regex("/(.*)", service="site"), {}, True),  # any style
        (path("/bot"), expression("/(.*)"), {"precedence": Precedence.LONGEST_SEGMENTS}, False),
        (path("/BOT"), expression("/b[a-z]+(/.*)?"), {}, True),
        (path("/bot"), expression("/b[a-z]+/ws.*"), {}, True),
        (path("/bot"), expression("/c[a-z]+(/.*)?"), {}, False),
        (path("/bot"), path("/"), {}, False),
        (path("/chatter"), expression("/(.*)"), {}, False),
        (expression("/bot(/|$)(.*)", "chat"), expression("/(.*)"), {}, False),
        (expression("/bot(/|$)(.*)", "chat"), expression("/[a-z]+(/|$)(.*)"), {}, True),
    ],
)
def test_expressions_that_take_requests(
    mine: RoutePath, other: RoutePath, fields: dict[str, Any], is_covered: bool
) -> None:
    states = [State(lambda _: None) for _ in range(2)]
    of_team = ingress_of("team", other, **({"ingress_class": "nginx", "order": RouteOrder.OLDEST} | fields))
    states[0].upsert(of_team)
    for state in states:
        deploy(state, "one", mine, ingress_class="nginx", order=RouteOrder.OLDEST)
    states[1].upsert(of_team)
    assert [bool(covered(state, "one")) for state in states] == [is_covered, is_covered]


@pytest.mark.parametrize(
    ("mine", "other", "fields", "is_covered"),
    [
        (path("/bot", priority=40), path("/", service="site", priority=41), {}, True),
        (path("/bot", priority=40), path("/b", service="site", priority=41), {}, True),
        (path("/bot", priority=40), path("/", service="site", priority=39), {}, False),
        (path("/bot", priority=40), path("/", service="site", priority=41, host="b.example"), {}, False),
        (path("/bot", priority=40), path("/", service="site", priority=41), {"ingress_class": "b"}, False),
        (path("/bot", priority=40), path("/", service="site", priority=41, condition="a header matches"), {}, False),
        (path("/bot", priority=40), path("/Bot", service="site", priority=41), {}, False),
        (path("/bot", priority=40), path("/x", service="site", priority=41), {}, False),
        (path("/bot"), path("/", service="site", priority=90), {}, True),
        (path("/bot"), path("/", service="site", priority=30), {}, False),
        (path("/bot", priority=1), path("/", service="site", priority=30), {}, True),
    ],
)
def test_a_shorter_path_with_a_higher_priority_takes_the_requests_of_an_app(
    mine: RoutePath, other: RoutePath, fields: dict[str, Any], is_covered: bool, keys: list[Ref]
) -> None:
    states = [State(keys.append), State(keys.append)]
    of_team = ingress_of("team", other, **({"ingress_class": "traefik"} | fields))
    states[0].upsert(of_team)
    for state in states:
        deploy(state, "one", mine, ingress_class="traefik")
    keys.clear()
    states[1].upsert(of_team)
    assert ("one" in namespaces_of(keys)) is is_covered
    assert [bool(covered(state, "one")) for state in states] == [is_covered, is_covered]


def test_the_first_path_at_a_key_is_that_with_the_highest_priority() -> None:
    state = State(lambda _: None)
    one = deploy(state, "one", path("/chat", priority=50), ingress_class="traefik")
    for name, priority in (("a", 49), ("b", 60), ("c", 55)):
        state.upsert(ingress_of(name, path("/chat", service="site", priority=priority), ingress_class="traefik"))
    assert [found.route.namespace for found in state.snapshot(one).conflicts] == ["b"]


def test_of_paths_to_one_service_that_with_the_highest_priority_counts() -> None:
    state = State(lambda _: None)
    one = deploy(state, "one", path("/chat", priority=50), ingress_class="traefik")
    double = (path("/chat", service="site", priority=priority) for priority in (49, 60))
    state.upsert(ingress_of("team", *double, ingress_class="traefik"))
    assert [found.winner for found in state.snapshot(one).conflicts if found.effect is Effect.CLAIM] == [Winner.OTHER]


SECTIONS = ("", "a", "b", "ab")


def at_points(names: str) -> tuple[Attachment, ...]:
    """The attachments of a route at entry points of one letter each; at all of them without one."""
    return tuple(ingress_class("traefik")._replace(section=name) for name in names or [""])


@pytest.mark.parametrize("mine", SECTIONS)
@pytest.mark.parametrize("others", list(product(SECTIONS, repeat=2)))
@pytest.mark.parametrize("priority", [1, 99])
def test_only_routes_with_a_common_entry_point_are_in_conflict(
    mine: str, others: tuple[str, str], priority: int, keys: list[Ref]
) -> None:
    """Whatever comes and goes in whichever order, the app is told, and the entries are those of the routes left."""
    state = State(keys.append)
    one = deploy(state, "one", path("/chat", priority=50), attachments=at_points(mine))
    routes = [
        ingress_of(name, path("/chat", service="site", priority=priority + n), attachments=at_points(points))
        for n, (name, points) in enumerate(zip(("x", "y"), others, strict=True))
    ]

    def found() -> list[str]:
        return [each.route.namespace for each in state.snapshot(one).conflicts if each.effect is Effect.CLAIM]

    def expected(*present: int) -> list[str]:
        sharing = [n for n in present if not mine or not others[n] or set(mine) & set(others[n])]
        return [routes[max(sharing)].ref.namespace] if sharing else []

    for n, _ in enumerate(routes):
        before = found()
        keys.clear()
        state.upsert(routes[n])
        assert found() == expected(*range(n + 1))
        assert found() == before or "one" in namespaces_of(keys)
    for n, left in ((0, (1,)), (1, ())):
        before = found()
        keys.clear()
        state.remove(routes[n])
        assert found() == expected(*left)
        assert found() == before or "one" in namespaces_of(keys)
    state.remove(replace(ingress("/chat"), ref=Ref("Ingress", "one", "chat")))
    assert not len(state.route_keys.entries[Effect.CLAIM]) and not len(state.route_keys.observers)


def test_an_expression_to_the_app_itself_takes_no_requests(keys: list[Ref]) -> None:
    state = State(keys.append)
    deploy(state, "one", path("/bot"), expression("/(.*)", "chat"), ingress_class="nginx", order=RouteOrder.OLDEST)
    assert covered(state, "one") == []
    nginx(state, "two", expression("/(.*)", "chat"))
    assert covered(state, "one") == [("/(.*)", "/bot")]


def test_an_expression_wakes_the_apps_of_its_host_that_it_may_match(keys: list[Ref]) -> None:
    state = State(keys.append)
    for name in ("/bot", "/bit", "/tool", "/longer-than-it"):
        deploy(state, name[1:], path(name), ingress_class="nginx", order=RouteOrder.OLDEST)
    deploy(state, "elsewhere", path("/bot", host="b.example"), ingress_class="nginx", order=RouteOrder.OLDEST)
    keys.clear()
    nginx(state, "team", expression("/b[a-z]+(/.*)?"))
    assert namespaces_of(keys) == {"bot", "bit"}
    state.remove(ingress_of("team", path("/")))
    assert namespaces_of(keys) == {"bot", "bit"}
    state.remove_app(Ref("ChainlitApp", "bot", "chat"))
    keys.clear()
    nginx(state, "team", expression("/b[a-z]+(/.*)?"))
    assert namespaces_of(keys) == {"bit"}


def test_the_first_expressions_of_many_with_one_beginning_are_run() -> None:
    state = State(lambda _: None)
    deploy(state, "one", path("/bot"), ingress_class="nginx", order=RouteOrder.OLDEST)
    for n in range(MAX_EXPRESSIONS):
        nginx(state, f"{n:03}", expression(f"/({n:03}|b)/(.*)"), created="2026")
    assert covered(state, "one") == []
    nginx(state, "000", expression("/(.*)"), created="2027")
    assert covered(state, "one") == [("/(.*)", "/bot")]
    nginx(state, "999", expression("/(000|b)/(.*)"), created="2026")
    assert covered(state, "one") == []


def test_many_expressions_on_one_host_cost_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is run for the places that begin as it does, and for no other one."""
    ran: list[tuple[str, str]] = []

    def counted(entry: Entry, place: str) -> bool:
        ran.append((entry.path, place))
        return may_cover(entry, place)

    monkeypatch.setattr(route_conflicts, "may_cover", counted)
    state, count = State(lambda _: None), 300
    for n in range(count):
        team = expression(f"/team-{n:04}(/|$)(.*)", "chat")
        deploy(state, f"{n:04}", team, ingress_class="nginx", order=RouteOrder.OLDEST)
    assert len(ran) <= 4 * count
    assert all(text.startswith(place) for text, place in ran)


KEY = RouteKey("Ingress", "example.com", "/chat")


def test_paths_without_an_app_follow_those_with_one() -> None:
    state = State(lambda _: None)
    state.upsert(ingress_of("c", path("/chat")))
    deploy(state, "b", path("/chat"))
    state.upsert(ingress_of("a", path("/chat", service="")))
    claims = state.route_keys.entries[Effect.CLAIM]

    def apps() -> list[tuple[str, str | None]]:
        (entries,) = claims.by_attachments(KEY).values()
        return [(entry.route.namespace, entry.app.namespace or None) for entry in entries]

    assert apps() == [("b", "b"), ("a", None), ("c", None)]
    deploy(state, "c", path("/chat"))
    assert apps() == [("b", "b"), ("c", "c"), ("a", None)]
    state.remove_app(Ref("ChainlitApp", "b", "chat"))
    assert apps() == [("c", "c"), ("a", None), ("b", None)]


def test_the_work_for_a_change_does_not_grow_with_the_apps_at_its_key(
    crowd: State, keys: list[Ref], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []
    service_of = crowd.service

    def counted(ref: Ref) -> Service | None:
        looked_up.append(ref.namespace)
        return service_of(ref)

    monkeypatch.setattr(crowd, "service", counted)
    for n in ("999", "500", "002"):
        crowd.upsert(ingress_of(n, path("/elsewhere")))
        crowd.upsert(ingress_of(n, path("/chat")))
        assert set(looked_up) <= {"000", "001", n} and len(looked_up) <= 30
        looked_up.clear()
