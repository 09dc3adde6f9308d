"""HTTPRoutes of other namespaces: which count for an app, which grant they need, and what wakes the app."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests import objects
from tests.records import record
from tests.unit.domain.world import NAMESPACE, app, ingress, path, service, workload

from chainlit_operator.domain.model import ReferenceGrant, Route, backend_name, backend_ref
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import Resolved, Unresolved, resolve
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State

SHOP = Ref("Service", NAMESPACE, "chat")


def route(name: str = "chat", namespace: str = "infra", to: str = NAMESPACE, at: str = "/chat") -> Route:
    backend = objects.backend_ref(namespace=to) if to else objects.backend_ref()
    rule = objects.http_rule(objects.path_match(at), backends=[backend])
    made = objects.http_route(rule, name=name, hostnames=["example.com"], metadata={"namespace": namespace})
    found: Route = record(made)
    return found


def grant(
    name: str = "routes", *, source: str = "infra", services: tuple[str, ...] = ("",), **more: Any
) -> ReferenceGrant:
    namespace = more.get("namespace", NAMESPACE)
    return ReferenceGrant(
        Ref("ReferenceGrant", namespace, name), "1", ((more.get("kind", "HTTPRoute"), source),), services
    )


class World:
    """A state with one app and its Service; ``woken`` are the apps that the last change enqueued."""

    def __init__(self, *found: Any, **spec: Any) -> None:
        self.app, self.enqueued = app(**spec), list[Ref]()
        self.state = State(self.enqueued.append)
        self.state.put_app(self.app)
        for obj in (workload(), service(), *found):
            self.state.upsert(obj)
        self.enqueued.clear()

    def answer(self) -> Resolved | Unresolved:
        return resolve(self.state.snapshot(self.app))

    def woken(self) -> bool:
        is_woken = self.app.ref in self.enqueued
        self.enqueued.clear()
        return is_woken


ELSEWHERE = {"route_kind": "HTTPRoute", "route_name": "chat", "route_namespace": "infra"}
NOT_GRANTED = (
    "HTTPRoute infra/chat sends requests to Service shop/chat, and no ReferenceGrant in namespace shop allows that. "
    "Create one there with from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: infra}] and to: "
    '[{group: "", kind: Service, name: chat}].'
)
NOT_THERE = (
    "HTTPRoute chat does not exist in namespace infra, or sends no request to a Service of namespace shop, or the "
    "operator does not watch infra. Correct spec.route.ref or the route's backend, or add the namespace to "
    "watchNamespaces of the operator's chart."
)


@pytest.mark.parametrize("spec", [{}, ELSEWHERE], ids=["found", "named"])
@pytest.mark.parametrize("services", [("",), ("chat",), ("more", "chat")], ids=str)
def test_a_granted_route_counts(spec: dict[str, Any], services: tuple[str, ...]) -> None:
    found = World(route(), grant(services=services), **spec).answer()
    assert isinstance(found, Resolved), found
    assert (found.root_paths.root_path, found.service.ref) == ("/chat", SHOP)
    assert (found.status.namespace, found.status.shown) == ("infra", "HTTPRoute infra/chat")


@pytest.mark.parametrize("spec", [{}, ELSEWHERE], ids=["found", "named"])
@pytest.mark.parametrize(
    "grants",
    [
        (),
        (grant(source="other"),),
        (grant(kind="GRPCRoute"),),
        (grant(services=("more",)),),
        (grant(services=()),),
        (grant(namespace="infra"),),
    ],
    ids=["none", "another namespace", "another kind", "another Service", "no Service", "in the wrong namespace"],
)
def test_a_missing_grant_is_described(spec: dict[str, Any], grants: tuple[Any, ...]) -> None:
    assert World(route(), *grants, **spec).answer() == Unresolved(Reason.REFERENCE_NOT_GRANTED, NOT_GRANTED)


def test_any_of_several_grants_is_enough() -> None:
    assert isinstance(World(route(), grant("a", source="x"), grant("b"), grant("c", services=())).answer(), Resolved)


@pytest.mark.parametrize(
    "routes", [(), (route(to=""),), (route(to="blog"),), (route("other"),)], ids=["none", "own", "blog", "another"]
)
def test_a_named_route_that_does_not_lead_to_the_namespace_is_not_described(routes: tuple[Route, ...]) -> None:
    """Its Services are not the business of those who may write ChainlitApps in another namespace."""
    assert World(*routes, grant(), **ELSEWHERE).answer() == Unresolved(Reason.ROUTE_NOT_FOUND, NOT_THERE)


def test_messages_name_services_of_the_own_namespace_only() -> None:
    backends = [objects.backend_ref("secret"), objects.backend_ref("other", namespace=NAMESPACE)]
    made = objects.http_route(
        objects.http_rule(objects.path_match("/chat"), backends=backends), metadata={"namespace": "infra"}
    )
    found = World(record(made), grant(), **ELSEWHERE).answer()
    assert isinstance(found, Unresolved) and found.reason is Reason.ROUTE_WITHOUT_BACKEND
    assert "(shop/other)" in found.message and "secret" not in found.message


def test_a_service_that_is_missing() -> None:
    world = World(route(), grant(), **ELSEWHERE)
    world.state.remove(service())
    found = world.answer()
    assert isinstance(found, Unresolved) and found.reason is Reason.SERVICE_NOT_FOUND
    assert "Service shop/chat, which does not exist" in found.message
    world.state.upsert(service())
    assert world.woken() and isinstance(world.answer(), Resolved)


def test_routes_of_others_without_a_grant_do_not_count_beside_another() -> None:
    """Anybody can write a route that names the Service of somebody else."""
    strangers = [route(f"s{n}", "strangers", at=f"/{n}") for n in range(9)]
    own = World(*strangers, ingress("/chat"))
    assert [found.ref.kind for found in own.state.snapshot(own.app).routes] == ["Ingress"]
    granted = World(*strangers, route(), grant())
    assert [str(found.ref) for found in granted.state.snapshot(granted.app).routes] == ["HTTPRoute infra/chat"]
    alone = World(*strangers)
    assert [str(found.ref) for found in alone.state.snapshot(alone.app).routes] == ["HTTPRoute strangers/s0"]


def test_routes_of_several_namespaces_are_read_together() -> None:
    found = World(ingress("/chat"), route(at="/chat/ws"), grant()).answer()
    assert isinstance(found, Resolved) and (found.status.shown, found.warnings) == ("Ingress chat", ())
    mixed = World(ingress("/chat"), route(at="/bot"), grant()).answer()
    assert isinstance(mixed, Unresolved) and mixed.reason is Reason.ROUTE_AMBIGUOUS
    assert "different paths: HTTPRoute infra/chat (/bot), Ingress chat (/chat)." in mixed.message


def test_a_grant_wakes_the_apps_whose_routes_need_it() -> None:
    world = World(route())
    world.state.upsert(grant())
    assert world.woken() and isinstance(world.answer(), Resolved)
    world.state.remove(grant())
    assert world.woken() and isinstance(world.answer(), Unresolved)
    world.state.upsert(grant(namespace="blog"))
    assert not world.woken()
    local = World(ingress("/chat"))
    local.state.upsert(grant())
    assert not local.woken()


def test_a_route_elsewhere_wakes_the_app() -> None:
    world = World(grant())
    world.state.upsert(route())
    assert world.woken()
    world.state.upsert(replace(route(), paths=()))
    assert world.woken()
    world.state.upsert(route(to="blog"))
    assert not world.woken()


def test_apps_behind_routes_of_other_namespaces_are_in_conflict() -> None:
    """The same path on the same Gateway, one route in the namespace of its app, one elsewhere."""
    world = World(route(), grant(), created="2026-02-01T00:00:00Z")
    blog = Ref("Service", "blog", "chat")
    world.state.put_app(replace(app("elder"), ref=Ref("ChainlitApp", "blog", "elder")))
    pods = replace(workload(), ref=Ref("Deployment", "blog", "chat"))
    for obj in (pods, replace(service(), ref=blog), route("theirs", "blog", to="")):
        world.state.upsert(obj)
    assert world.woken()
    found = world.answer()
    assert isinstance(found, Unresolved) and found.reason is Reason.PATH_CLAIMED, found


@pytest.mark.parametrize(
    ("namespace", "name", "wanted"), [("shop", "chat", SHOP), ("infra", "shop/chat", SHOP), ("shop", "shop/chat", SHOP)]
)
def test_names_of_services(namespace: str, name: str, wanted: Ref) -> None:
    assert backend_ref(namespace, name) == wanted


def test_a_service_is_named_by_its_namespace_where_it_is_another() -> None:
    assert (backend_name("shop", SHOP), backend_name("infra", SHOP)) == ("chat", "shop/chat")
    assert path(service=backend_name("infra", SHOP)).service == "shop/chat"
