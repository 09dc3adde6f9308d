"""The model of edges (``tests/model``): routes of two kinds meet at one edge."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from tests import objects as make
from tests.model import judge
from tests.model.chainlit import Request
from tests.model.edges import CONTOUR, NGINX, TRAEFIK
from tests.model.registry import FLAVOURS
from tests.model.scenes import Scene, Stage, scenes
from tests.model.world import Delivered, World
from tests.objects import Object

NAMESPACE, HOST = "team-a", "chat.example"
LISTENER = {"name": "web", "port": 80, "protocol": "HTTP"}
GATEWAY = make.gateway(LISTENER, name="traefik", metadata={"namespace": "traefik"})


def stored(*made: Object) -> list[Object]:
    return [make.stored(found, NAMESPACE) for found in made]


def http_route(prefix: str) -> Object:
    rule = make.http_rule(make.path_match(prefix), backends=[make.backend_ref("other")])
    return make.http_route(rule, name="beside", hostnames=[HOST])


@pytest.mark.parametrize(
    ("prefix", "path", "winner"),
    [
        ("/chat/ws", "/chat/ws/socket.io/", "other"),
        ("/chat/ws", "/chat/assets/a.js", "chat"),
        # Traefik gives each path of an HTTPRoute more priority than an Ingress has, but the root path the least.
        ("/chat", "/chat/ws", "other"),
        ("/", "/chat/ws", "chat"),
    ],
)
def test_routes_of_two_kinds_at_one_edge(prefix: str, path: str, winner: str) -> None:
    ingress, beside = stored(make.ingress(HOST, "/chat"), http_route(prefix))
    world = World([*stored(make.service(), make.service("other"), GATEWAY), ingress, beside])
    found = judge.outcomes(ingress, world, Request("GET", "http", HOST, 0, path), [beside])
    alone = {Delivered("chat", path)}
    assert found == {TRAEFIK: {Delivered(winner, path)}, NGINX: alone, CONTOUR: alone}


def test_scenes_with_routes_of_two_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flavour that names others beside it has them now and then, and every object once."""
    model, flavour = FLAVOURS["traefik"]
    monkeypatch.setitem(FLAVOURS, "traefik", (model, replace(flavour, beside=("http-route",))))
    seen: Counter[tuple[str, ...]] = Counter()

    @settings(max_examples=100, derandomize=True, deadline=None, database=None, suppress_health_check=[*HealthCheck])
    @given(scenes(Stage(("traefik",))))
    def every(scene: Scene) -> None:
        names = [(found["kind"], found["metadata"]["namespace"], found["metadata"]["name"]) for found in scene.objects]
        assert len(names) == len(set(names))
        kinds = tuple(sorted({route["kind"] for route in scene.routes}))
        assert scene.of("Gateway") or "HTTPRoute" not in kinds
        seen[kinds] += 1

    every()
    assert seen[("HTTPRoute", "Ingress")] >= 10 and seen[("Ingress",)] >= 40, seen
