"""Neighbours: who shares a place with whom, and which of two apps is told of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.domain.world import app, assert_plain, ingress, neighbour, path, regex, snapshot

from chainlit_operator.domain.model import Attachment, Matching, Route, RouteConflict, RoutePath
from chainlit_operator.domain.plan import Apply, Blocked, plan
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.route_conflicts import MAX_OWN_SEGMENTS, MAX_PLACES, Place, edges, reaches
from chainlit_operator.domain.routes import Resolved, Unresolved
from chainlit_operator.object_ref import Ref

YOUNG = "2027-01-01T00:00:00Z"
EDGE = "ingress class traefik"


def reason(mine: str, *others: RouteConflict) -> Reason | None:
    """Why an app at a path is not served whole beside others."""
    route = plan(snapshot(ingress(mine), conflicts=others)).route
    return route.reason if isinstance(route, Unresolved) else None


@pytest.mark.parametrize(
    ("mine", "other", "found"),
    [
        ("/chat", neighbour(path("/chat")), Reason.PATH_CLAIMED),
        ("/chat/", neighbour(path("/chat")), Reason.PATH_CLAIMED),
        ("/chat", neighbour(path("/chat/")), Reason.PATH_CLAIMED),
        ("/chat", neighbour(path("//chat")), None),
        ("/", neighbour(path("/")), Reason.PATH_CLAIMED),
        ("/chat", neighbour(path("/chat"), created=YOUNG), None),
        ("/chat", neighbour(path("/")), None),
        ("/", neighbour(path("/chat")), None),
        ("/chat", neighbour(path("/chat/bot")), None),
        ("/chat", neighbour(path("/chat/wsx")), None),
        ("/chat", neighbour(path("/chatx/ws")), None),
        ("/chat", neighbour(path("/chat/ws")), Reason.PATH_SHADOWED),
        ("/chat", neighbour(path("/chat/ws"), created=YOUNG), Reason.PATH_SHADOWED),
        ("/chat", neighbour(path("/chat/public/files")), Reason.PATH_SHADOWED),
        ("/", neighbour(path("/login"), created=YOUNG), Reason.PATH_SHADOWED),
        ("/chat/ws", neighbour(path("/chat")), None),
    ],
)
def test_beside(mine: str, other: RouteConflict, found: Reason | None) -> None:
    assert reason(mine, other) == found
    assert reason(mine, neighbour(path("/chat/bot"), created=YOUNG), other) == found


def test_same_second_goes_by_namespace_and_name() -> None:
    same = app().created
    assert reason("/chat", neighbour(path("/chat"), created=same)) is None, "shop/chat comes before team/elder"
    earlier = replace(neighbour(path("/chat"), created=same), ref=Ref("ChainlitApp", "a-team", "x"))
    assert reason("/chat", earlier) is Reason.PATH_CLAIMED


def test_message_names_app_route_and_remedy_and_nothing_is_written() -> None:
    decision = plan(snapshot(conflicts=(neighbour(path("/chat")),)))
    assert isinstance(decision.action, Blocked) and isinstance(decision.route, Unresolved)
    for part in (
        "ChainlitApp team/elder",
        "Ingress team/elder",
        "/chat on host example.com",
        "Give Ingress chat another",
    ):
        assert part in decision.route.message
    decision = plan(snapshot(conflicts=(neighbour(path("/chat/ws")),)))
    assert isinstance(decision.route, Unresolved)
    for part in ("Ingress team/elder sends /chat/ws", "ChainlitApp team/elder", "another path"):
        assert part in decision.route.message


@pytest.mark.parametrize(
    ("mine", "other", "words"),
    [
        ("/", neighbour(path("/", host="")), "has path / on any host too"),
        ("/", neighbour(path("/ws")), "needs below /, to"),
        ("/chat", neighbour(path("/chat")), "has path /chat on host example.com too"),
    ],
)
def test_message(mine: str, other: RouteConflict, words: str) -> None:
    route = plan(snapshot(ingress(mine), conflicts=(other,))).route
    assert isinstance(route, Unresolved) and words in route.message
    assert_plain(route.message)


def test_without_trouble_nothing_changes() -> None:
    decision = plan(snapshot(conflicts=(neighbour(path("/chat/bot")),)))
    assert isinstance(decision.action, Apply) and isinstance(decision.route, Resolved)


@pytest.mark.parametrize(
    ("given", "prefixes"),
    [
        (path("/chat"), ["/chat"]),
        (path("/"), [""]),
        (regex("/chat(/|$)(.*)"), ["/chat"]),
        (path("/chat", path_type="Exact"), []),
        (path("/chat", condition="the method is GET"), []),
        (path("/(a|b)", matching=Matching.UNKNOWN), []),
        (regex("/(a|b)"), []),
    ],
)
def test_taken(given: RoutePath, prefixes: list[str]) -> None:
    route = ingress(given, ingress_class="traefik")
    (found,) = reaches(route, [given])
    assert (found.path, found.taken) == (given, tuple(Place(EDGE, "example.com", prefix) for prefix in prefixes))


def test_canary_takes_nothing() -> None:
    (found,) = reaches(ingress("/chat", is_canary=True), [path("/chat")])
    assert found.taken == ()


@pytest.mark.parametrize(
    ("given", "prefixes"),
    [
        (path("/chat"), []),
        (path("/chat/ws"), ["/chat"]),
        (path("/ws"), [""]),
        (path("/chat/ws/socket.io", path_type="Exact"), ["/chat"]),
        (path("/login/team/public/x"), ["", "/login/team"]),
        (path("/chat/ws", matching=Matching.UNKNOWN), []),
        (regex("/(chat|talk)/ws"), []),
    ],
)
def test_shadowed(given: RoutePath, prefixes: list[str]) -> None:
    route = ingress(given, ingress_class="traefik")
    (found,) = reaches(route, [given])
    assert found.shadowed == tuple(Place(EDGE, "example.com", prefix) for prefix in prefixes)


def http_route(*attachments: Attachment) -> Route:
    return replace(ingress("/chat", attachments=attachments), ref=Ref("HTTPRoute", "shop", "chat"))


EDGE_A, EDGE_B = "Gateway infra/a", "Gateway infra/b"


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (ingress("/chat"), ingress("/chat"), True),
        (ingress("/chat"), http_route(Attachment(EDGE_A)), False),
        (http_route(Attachment(EDGE_A)), http_route(Attachment(EDGE_A)), True),
        (http_route(Attachment(EDGE_A)), http_route(Attachment(EDGE_B)), False),
        (http_route(Attachment(EDGE_A), Attachment(EDGE_B)), http_route(Attachment(EDGE_B)), True),
        (http_route(Attachment(EDGE_A, "web")), http_route(Attachment(EDGE_A)), True),
        (http_route(Attachment(EDGE_A, "web")), http_route(Attachment(EDGE_A, "internal")), False),
        (http_route(Attachment(EDGE_A, "", 80)), http_route(Attachment(EDGE_A, "", 8080)), False),
        (http_route(Attachment(EDGE_A, "", 80)), http_route(Attachment(EDGE_A)), True),
        (http_route(), http_route(), False),
    ],
)
def test_listeners(one: Route, other: Route, together: bool) -> None:
    assert one.shares_listener(other) is together
    assert other.shares_listener(one) is together


def test_edges() -> None:
    assert edges(replace(http_route(Attachment(EDGE_A)), refusal="NotAllowedByListeners: no")) == ()
    assert edges(ingress("/chat", ingress_class="nginx")) == ("ingress class nginx",)
    assert edges(http_route(Attachment(EDGE_B), Attachment(EDGE_A), Attachment(EDGE_A, "x"))) == (
        "Gateway infra/a",
        "Gateway infra/b",
    )


def test_a_path_without_end_concerns_nobody() -> None:
    """Each of its segments might be one of Chainlit's own: half a million places."""
    given = [path("/ws" * 300_000), path("/chat", matching=Matching.UNKNOWN), path("/chat")]
    found = [*reaches(ingress(*given, ingress_class="traefik"), given)]
    assert [reach.path for reach in found] == given
    assert [reach.taken for reach in found] == [(), (), (Place(EDGE, "example.com", "/chat"),)]
    assert [reach.shadowed for reach in found] == [(), (), ()]


@pytest.mark.parametrize(("text", "is_looked_at"), [("/a" * 2048, True), ("/a" * 2049, False)])
def test_the_longest_path_that_is_looked_at(text: str, is_looked_at: bool) -> None:
    (found,) = reaches(ingress(text, ingress_class="traefik"), [path(text)])
    assert bool(found.taken) is is_looked_at


@pytest.mark.parametrize(("count", "told"), [(MAX_OWN_SEGMENTS, MAX_OWN_SEGMENTS), (MAX_OWN_SEGMENTS + 1, 0)])
def test_a_path_of_many_own_routes_shadows_nobody(count: int, told: int) -> None:
    given = path("/chat" + "/ws" * count)
    (found,) = reaches(ingress(given, ingress_class="traefik"), [given])
    assert (len(found.taken), len(found.shadowed)) == (1, told)


def test_a_route_has_its_places_for_so_many_paths() -> None:
    """Paths times Gateways, which need not be there."""
    attachments = [Attachment(f"Gateway infra/{n}") for n in range(32)]
    given = [path(f"/{n}/ws/ws") for n in range(2500)]
    found = [*reaches(http_route(*attachments), given)]
    places = sum(len(reach.taken) + len(reach.shadowed) for reach in found)
    assert MAX_PLACES <= places < MAX_PLACES + 100
    assert [reach.path for reach in found] == given
