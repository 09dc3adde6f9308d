"""Routes that other routes include: a change of one concerns the apps below it, and conflicts know the whole paths."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from tests.unit.domain.world import NAMESPACE, app, ingress, path, service, workload

from chainlit_operator.domain.model import MAX_INCLUDE_DEPTH, App, Find, Route, including
from chainlit_operator.kinds import registry
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State


def compose(route: Route, find: Find) -> Route:
    """Put the path of the route that includes this one before its own, and take what serves that one."""
    parents = [found for each in route.dependencies for found in find(each) if isinstance(found, Route)]
    for parent in (compose(each, find) for each in parents[:1]):
        paths = tuple(replace(each, path=parent.paths[0].path + each.path) for each in route.paths)
        return replace(route, paths=paths, attachments=parent.attachments)
    return route


@pytest.fixture(autouse=True)
def a_kind_with_includes(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = replace(registry.ROUTES["Ingress"], compose=compose)
    monkeypatch.setitem(registry.ROUTES, "Ingress", kind)


def ref_of(name: str) -> Ref:
    return Ref("Ingress", NAMESPACE, name)


def parent(name: str, prefix: str, *children: str) -> Route:
    return replace(ingress(path(prefix, service="other"), name=name), includes=tuple(map(ref_of, children)))


def child(name: str, prefix: str, *children: str, to: str = "chat") -> Route:
    found = ingress(path(prefix, service=to), name=name)
    dependencies = (including(found.ref),)
    return replace(found, attachments=(), dependencies=dependencies, includes=tuple(map(ref_of, children)))


class World:
    """A state with one app, and a record of the apps that it enqueues."""

    def __init__(self) -> None:
        self._enqueued: list[Ref] = []
        self.state = State(self._enqueued.append)
        self.app = self.add("chat")

    def add(self, name: str) -> App:
        ref, labels = Ref("Deployment", NAMESPACE, name), (("app", name),)
        for obj in (workload(ref=ref, pod_labels=labels), service(name, selector=labels)):
            self.state.upsert(obj)
        found = app(name=name, workload_name=name)
        self.state.put_app(found)
        return found

    def put(self, *routes: Route) -> set[str]:
        """Put the routes, and return the names of the apps that this enqueues."""
        self._enqueued.clear()
        for route in routes:
            self.state.upsert(route)
        return {ref.name for ref in self._enqueued}

    def paths(self) -> list[str]:
        return [each.path for route in self.state.snapshot(self.app).routes for each in route.paths]

    def rivals(self, of: App | None = None) -> list[str]:
        return [found.route.name for found in self.state.snapshot(of or self.app).conflicts]


@pytest.fixture
def world() -> World:
    return World()


def test_a_change_of_an_including_route_enqueues_the_apps_below_it(world: World) -> None:
    world.put(parent("top", "/a", "middle"), child("middle", "/b", "leaf", to="other"), child("leaf", "/chat"))
    assert world.paths() == ["/a/b/chat"]
    assert world.put(parent("top", "/x", "middle")) == {"chat"}
    assert world.paths() == ["/x/b/chat"]
    assert world.put(parent("top", "/x")) == {"chat"}, "the change removes the app's route"
    assert world.paths() == ["/b/chat"]
    assert world.put(parent("top", "/y")) == set()


def test_a_circle_of_includes_ends(world: World) -> None:
    first, second = child("first", "/a", "second", to="other"), child("second", "/b", "first")
    state = world.state
    world.put(replace(first, dependencies=()), second)
    assert world.paths() == ["/a/b"]
    assert {route.ref.name for route in state.indexes.included(first)} == {"second"}


def test_routes_that_are_too_deep_are_left_out(world: World) -> None:
    names = [f"n{level}" for level in range(MAX_INCLUDE_DEPTH + 2)]
    chain = [child(name, "/x", below, to="other") for name, below in pairwise(names)]
    world.put(*chain, child(names[-1], "/chat"))
    found = [route.ref.name for route in world.state.indexes.included(chain[0])]
    assert found == names[1:-1]


def test_conflicts_know_the_whole_paths_of_included_routes(world: World) -> None:
    other = world.add("other-app")
    world.put(ingress(path("/a/chat", service="other-app"), name="rival"), child("leaf", "/chat"))
    assert world.rivals() == world.rivals(other) == [], "nothing serves the route"
    assert world.put(parent("top", "/a", "leaf")) == {"chat", "other-app"}
    assert (world.rivals(), world.rivals(other)) == (["rival"], ["leaf"])
    assert world.put(parent("top", "/x", "leaf")) == {"chat", "other-app"}
    assert world.rivals() == world.rivals(other) == []


def test_conflicts_of_included_routes_follow_their_services(world: World) -> None:
    world.put(parent("top", "/a", "leaf"), child("leaf", "/chat"))
    other = world.add("other-app")
    world.put(ingress(path("/a/chat", service="other-app"), name="rival"))
    assert world.rivals(other) == ["leaf"]
    world.state.remove_app(world.app.ref)
    world.state.remove(service())
    assert [found.app for found in world.state.snapshot(other).conflicts] == [None]
    world.state.remove(child("leaf", "/chat"))
    assert world.rivals(other) == []
    assert world.put(parent("top", "/z", "leaf")) == set()


def test_nothing_is_left_of_removed_routes(world: World) -> None:
    made = [parent("top", "/a", "leaf"), child("leaf", "/chat")]
    world.put(*made)
    for route in made:
        world.state.remove(route)
    assert not world.state.indexes.objects_by_dependency
    assert not any(map(len, world.state.route_keys.entries.values()))
    assert not world.state.route_keys._included
