"""Route conflicts: which apps share a key, and which of two apps has a condition about it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.domain.world import app, assert_plain, conflict, ingress, path, regex, snapshot

from chainlit_operator.domain.alignment import Apply, Blocked
from chainlit_operator.domain.decide import decide
from chainlit_operator.domain.model import Attachment, Matching, Route, RouteConflict, RoutePath
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import Resolved, Unresolved
from chainlit_operator.domain.route_conflicts import (
    MAX_KEYS,
    MAX_OWN_SEGMENTS,
    KeysOfPath,
    RouteKey,
    keys_of_paths,
    listener_groups,
    share_listener,
)
from chainlit_operator.object_ref import Ref

YOUNG = "2027-01-01T00:00:00Z"
GROUP = "ingress class traefik"


def reason(mine: str, *others: RouteConflict) -> Reason | None:
    """Why an app at a path is not served whole beside others."""
    route = decide(snapshot(ingress(mine), conflicts=others)).route
    return route.reason if isinstance(route, Unresolved) else None


@pytest.mark.parametrize(
    ("mine", "other", "found"),
    [
        ("/chat", conflict(path("/chat")), Reason.PATH_CLAIMED),
        ("/chat/", conflict(path("/chat")), Reason.PATH_CLAIMED),
        ("/chat", conflict(path("/chat/")), Reason.PATH_CLAIMED),
        ("/chat", conflict(path("//chat")), None),
        ("/", conflict(path("/")), Reason.PATH_CLAIMED),
        ("/chat", conflict(path("/chat"), created=YOUNG), None),
        ("/chat", conflict(path("/")), None),
        ("/", conflict(path("/chat")), None),
        ("/chat", conflict(path("/chat/bot")), None),
        ("/chat", conflict(path("/chat/wsx")), None),
        ("/chat", conflict(path("/chatx/ws")), None),
        ("/chat", conflict(path("/chat/ws")), Reason.PATH_SHADOWED),
        ("/chat", conflict(path("/chat/ws"), created=YOUNG), Reason.PATH_SHADOWED),
        ("/chat", conflict(path("/chat/public/files")), Reason.PATH_SHADOWED),
        ("/", conflict(path("/login"), created=YOUNG), Reason.PATH_SHADOWED),
        ("/chat/ws", conflict(path("/chat")), None),
    ],
)
def test_beside(mine: str, other: RouteConflict, found: Reason | None) -> None:
    assert reason(mine, other) == found
    assert reason(mine, conflict(path("/chat/bot"), created=YOUNG), other) == found


def test_same_second_goes_by_namespace_and_name() -> None:
    same = app().created
    assert reason("/chat", conflict(path("/chat"), created=same)) is None, "shop/chat comes before team/elder"
    earlier = replace(conflict(path("/chat"), created=same), ref=Ref("ChainlitApp", "a-team", "x"))
    assert reason("/chat", earlier) is Reason.PATH_CLAIMED


def test_message_names_app_route_and_remedy_and_nothing_is_written() -> None:
    decision = decide(snapshot(conflicts=(conflict(path("/chat")),)))
    assert isinstance(decision.action, Blocked) and isinstance(decision.route, Unresolved)
    for part in (
        "ChainlitApp team/elder",
        "Ingress team/elder",
        "/chat on host example.com",
        "Change path or host of Ingress chat",
    ):
        assert part in decision.route.message
    decision = decide(snapshot(conflicts=(conflict(path("/chat/ws")),)))
    assert isinstance(decision.route, Unresolved)
    for part in ("Ingress team/elder sends /chat/ws", "ChainlitApp team/elder", "a path that is not below it"):
        assert part in decision.route.message


@pytest.mark.parametrize(
    ("mine", "other", "words"),
    [
        ("/", conflict(path("/", host="")), "uses path / on any host"),
        ("/", conflict(path("/ws")), "needs it below /."),
        ("/chat", conflict(path("/chat")), "uses path /chat on host example.com"),
    ],
)
def test_message(mine: str, other: RouteConflict, words: str) -> None:
    route = decide(snapshot(ingress(mine), conflicts=(other,))).route
    assert isinstance(route, Unresolved) and words in route.message
    assert_plain(route.message)


def test_without_trouble_nothing_changes() -> None:
    decision = decide(snapshot(conflicts=(conflict(path("/chat/bot")),)))
    assert isinstance(decision.action, Apply) and isinstance(decision.route, Resolved)


def keys(route: Route) -> list[KeysOfPath]:
    """The keys of all paths of a route."""
    return [*keys_of_paths(route, route.services)]


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
def test_claimed(given: RoutePath, prefixes: list[str]) -> None:
    (found,) = keys(ingress(given, ingress_class="traefik"))
    assert (found.path, found.claimed) == (given, tuple(RouteKey(GROUP, "example.com", prefix) for prefix in prefixes))


def test_canary_claims_nothing() -> None:
    (found,) = keys(ingress("/chat", is_canary=True))
    assert found.claimed == ()


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
    (found,) = keys(ingress(given, ingress_class="traefik"))
    assert found.shadowed == tuple(RouteKey(GROUP, "example.com", prefix) for prefix in prefixes)


def http_route(*attachments: Attachment) -> Route:
    return replace(ingress("/chat", attachments=attachments), ref=Ref("HTTPRoute", "shop", "chat"))


GATEWAY_A, GATEWAY_B = "Gateway infra/a", "Gateway infra/b"


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (ingress("/chat"), ingress("/chat"), True),
        (ingress("/chat"), http_route(Attachment(GATEWAY_A)), False),
        (http_route(Attachment(GATEWAY_A)), http_route(Attachment(GATEWAY_A)), True),
        (http_route(Attachment(GATEWAY_A)), http_route(Attachment(GATEWAY_B)), False),
        (http_route(Attachment(GATEWAY_A), Attachment(GATEWAY_B)), http_route(Attachment(GATEWAY_B)), True),
        (http_route(Attachment(GATEWAY_A, "web")), http_route(Attachment(GATEWAY_A)), True),
        (http_route(Attachment(GATEWAY_A, "web")), http_route(Attachment(GATEWAY_A, "internal")), False),
        (http_route(Attachment(GATEWAY_A, "", 80)), http_route(Attachment(GATEWAY_A, "", 8080)), False),
        (http_route(Attachment(GATEWAY_A, "", 80)), http_route(Attachment(GATEWAY_A)), True),
        (http_route(), http_route(), False),
    ],
)
def test_listeners(one: Route, other: Route, together: bool) -> None:
    assert share_listener(one.attachments, other.attachments) is together
    assert share_listener(other.attachments, one.attachments) is together


def test_listener_groups() -> None:
    assert listener_groups(replace(http_route(Attachment(GATEWAY_A)), refusal="NotAllowedByListeners: no")) == ()
    assert listener_groups(ingress("/chat", ingress_class="nginx")) == ("ingress class nginx",)
    assert listener_groups(http_route(Attachment(GATEWAY_B), Attachment(GATEWAY_A), Attachment(GATEWAY_A, "x"))) == (
        "Gateway infra/a",
        "Gateway infra/b",
    )


def test_a_path_without_end_has_no_keys() -> None:
    """Each of its segments might be one of Chainlit's own: half a million keys."""
    given = [path("/ws" * 300_000), path("/chat", matching=Matching.UNKNOWN), path("/chat")]
    found = keys(ingress(*given, ingress_class="traefik"))
    assert [each.path for each in found] == given
    assert [each.claimed for each in found] == [(), (), (RouteKey(GROUP, "example.com", "/chat"),)]
    assert [each.shadowed for each in found] == [(), (), ()]


@pytest.mark.parametrize(("text", "is_looked_at"), [("/a" * 2048, True), ("/a" * 2049, False)])
def test_the_longest_path_with_keys(text: str, is_looked_at: bool) -> None:
    (found,) = keys(ingress(text, ingress_class="traefik"))
    assert bool(found.claimed) is is_looked_at


@pytest.mark.parametrize(("count", "shadowed"), [(MAX_OWN_SEGMENTS, MAX_OWN_SEGMENTS), (MAX_OWN_SEGMENTS + 1, 0)])
def test_a_path_of_many_own_routes_shadows_nothing(count: int, shadowed: int) -> None:
    (found,) = keys(ingress(path("/chat" + "/ws" * count), ingress_class="traefik"))
    assert (len(found.claimed), len(found.shadowed)) == (1, shadowed)


def test_a_route_has_so_many_keys() -> None:
    """Paths times Gateways, which need not be there."""
    attachments = [Attachment(f"Gateway infra/{n}") for n in range(32)]
    given = [path(f"/{n}" + "/ws" * MAX_OWN_SEGMENTS) for n in range(2500)]
    found = keys(replace(http_route(*attachments), paths=tuple(given)))
    claimed, shadowed = sum(len(each.claimed) for each in found), sum(len(each.shadowed) for each in found)
    assert MAX_KEYS <= claimed < MAX_KEYS + 32
    assert MAX_KEYS <= shadowed < MAX_KEYS + 32 * MAX_OWN_SEGMENTS
    assert [each.path for each in found] == given


def test_keys_of_a_path_do_not_depend_on_the_other_services_asked_for() -> None:
    """Else an entry would be filed and not taken out again."""
    attachments = [Attachment(f"Gateway infra/{n}") for n in range(32)]
    given = [path(f"/{n}/ws", service=("even", "odd")[n % 2]) for n in range(1000)]
    route = replace(http_route(*attachments), paths=tuple(given))
    odd = [*keys_of_paths(route, {"odd"})]
    assert odd == [each for each in keys(route) if each.path.service == "odd"]
    assert any(each.claimed for each in odd) and not all(each.claimed for each in odd)
