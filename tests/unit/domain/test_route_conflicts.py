"""Route conflicts: which routes share a key, and which of two gets the requests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.world import conflict, container, ingress, path, regex, shadow, snapshot, workload

from chainlit_operator.domain.alignment import Apply, Blocked
from chainlit_operator.domain.decide import decide
from chainlit_operator.domain.expressions import Style
from chainlit_operator.domain.model import (
    Attachment,
    Canary,
    Effect,
    Matching,
    Precedence,
    Route,
    RouteConflict,
    RouteOrder,
    RoutePath,
    Winner,
)
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import Resolved, Unresolved
from chainlit_operator.domain.route_conflicts import (
    ELDER_APP,
    MAX_KEYS,
    MAX_OWN_SEGMENTS,
    MAX_PREFIXES,
    Entry,
    KeysOfPath,
    RouteKey,
    effects,
    entry_of,
    is_tried_before,
    is_whole,
    keys_below,
    keys_of_paths,
    listener_groups,
    may_cover,
    may_share_listener,
    share_listener,
)
from chainlit_operator.domain.route_conflicts import conflict as conflict_of
from chainlit_operator.ingress_controllers.ingress_nginx import STYLE as NGINX
from chainlit_operator.object_ref import Ref

GROUP = "Ingress"
OWN, UNCERTAIN = Winner.OWN, Winner.UNCERTAIN


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
        ("/chat", conflict(path("/chat"), winner=OWN), None),
        ("/chat", conflict(path("/chat"), winner=UNCERTAIN), None),
        ("/chat", conflict(path("/")), None),
        ("/", conflict(path("/chat")), None),
        ("/chat", conflict(path("/chat/bot")), None),
        ("/chat", shadow(path("/chat/wsx")), None),
        ("/chat", shadow(path("/chatx/ws")), None),
        ("/chat", shadow(path("/chat/ws")), Reason.PATH_SHADOWED),
        ("/chat", shadow(path("/chat/ws"), winner=UNCERTAIN), None),
        ("/chat", shadow(path("/chat/public/files")), Reason.PATH_SHADOWED),
        ("/chat", shadow(path("/chat/", path_type="Exact")), Reason.PATH_SHADOWED),
        ("/", shadow(path("/login")), Reason.PATH_SHADOWED),
        ("/chat/ws", conflict(path("/chat")), None),
        ("/chat", conflict(path("/chat"), effect=Effect.PART), Reason.BACKEND_SHARED),
        ("/chat", shadow(path("/chat/ws"), effect=Effect.PART), Reason.BACKEND_SHARED),
        ("/chat", conflict(path("/chat"), effect=Effect.PART, winner=UNCERTAIN, condition="a header matches"), None),
    ],
)
def test_beside(mine: str, other: RouteConflict, found: Reason | None) -> None:
    assert reason(mine, other) == found
    assert reason(mine, conflict(path("/chat/bot")), other) == found


def test_nothing_is_written_for_an_app_that_loses_its_place() -> None:
    decision = decide(snapshot(conflicts=(conflict(path("/chat")),)))
    assert isinstance(decision.action, Blocked) and isinstance(decision.route, Unresolved)


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (conflict(path("/chat"), why="its path is longer"), Reason.PATH_CLAIMED),
        (shadow(path("/chat/ws")), Reason.PATH_SHADOWED),
        (shadow(path("/ws")), None),
        (conflict(path("/")), Reason.PATH_CLAIMED),
        (conflict(path("/shop")), None),
    ],
)
def test_an_app_below_the_path_of_its_route_is_judged_at_its_own_place(
    other: RouteConflict, found: Reason | None
) -> None:
    """It works at /chat behind a route for /, and is kept there."""
    given = snapshot(ingress("/"), workload=workload(container("/chat", probes=())), conflicts=(other,))
    decision = decide(given)
    if found is None:
        assert isinstance(decision.route, Resolved)
        assert decision.kept is not None and decision.route.public_prefix == "/chat"
    else:
        assert isinstance(decision.route, Unresolved) and decision.route.reason is found
        assert decision.kept is None and isinstance(decision.action, Blocked)


def test_a_path_between_that_of_the_route_and_the_app_takes_its_place() -> None:
    given = snapshot(
        ingress("/"),
        workload=workload(container("/team/chat", probes=())),
        conflicts=(conflict(path("/team"), why="its path is longer"),),
    )
    found = decide(given).route
    assert isinstance(found, Unresolved) and found.reason is Reason.PATH_CLAIMED


def test_without_trouble_nothing_changes() -> None:
    decision = decide(snapshot(conflicts=(conflict(path("/chat/bot")),)))
    assert isinstance(decision.action, Apply) and isinstance(decision.route, Resolved)


# ------------------------------------------------------------------------------------------------ who gets a request

OLDEST, UNKNOWN = RouteOrder.OLDEST, RouteOrder.UNKNOWN
OLD, MINE, YOUNG = "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"


def entry(found: RoutePath | str, namespace: str, app_created: str = "", **fields: Any) -> tuple[Entry, Effect]:
    """The entry of the only path of a route, and its effect at its last key; an app is behind it if it has a time."""
    made = replace(ingress(found, **fields), ref=Ref("Ingress", namespace, "chat"))
    (keys,) = keys_of_paths(made, made.services | {""})
    *_, (effect, _) = effects(made, keys)
    owner = Ref("ChainlitApp", namespace, "chat") if app_created else None
    return entry_of(made, keys, owner, app_created), effect


def winner(mine: RoutePath | str, other: RoutePath | str, *, is_shared: bool = True, **fields: Any) -> Any:
    """The winner of another team's route, with the reason; fields that begin with ``my_`` are the app's route's."""
    my = {"app_created": MINE, "created": MINE} | {k[3:]: v for k, v in fields.items() if k.startswith("my_")}
    theirs = {k: v for k, v in fields.items() if not k.startswith("my_")}
    for key in ("order", "precedence", "attachments"):
        if key in theirs:
            my.setdefault(key, theirs[key])
    (own, _), (them, effect) = entry(mine, "shop", **my), entry(other, "team", **theirs)
    found = conflict_of(them, effect, own, is_shared=is_shared, is_sticky=False)
    return None if found is None else (found.winner, found.why)


ON_GATEWAY: dict[str, Any] = {
    "order": OLDEST,
    "precedence": Precedence.LONGEST_SEGMENTS,
    "attachments": (Attachment("Gateway infra/edge"),),
}
LONGER_TEXT = "its path is longer, and the text of the app's regular expression is longer"
UNCLEAR = "it is not known which of the two the ingress controller prefers"
NOT_RUN = "the operator does not evaluate this regular expression"
HIGHER = "its priority is higher"
FALLBACK = path("/", host="", is_fallback=True)


@pytest.mark.parametrize(
    ("mine", "other", "fields", "expected"),
    [
        # The edge prefers the older route.
        ("/chat", "/chat", {"order": OLDEST, "created": OLD}, (Winner.OTHER, "it is older")),
        ("/chat", "/chat/", {"order": OLDEST, "created": OLD}, (Winner.OTHER, "it is older")),
        ("/chat", "/chat", {"order": OLDEST, "created": YOUNG}, (OWN, "")),
        ("/chat", "/chat", {"order": OLDEST, "created": YOUNG, "app_created": OLD}, (OWN, "")),
        (
            "/chat",
            "/chat",
            {"order": OLDEST, "created": MINE},
            (UNCERTAIN, "both were created in the same second"),
        ),
        (
            "/chat",
            "/chat",
            {"order": OLDEST, "created": YOUNG, "my_created": ""},
            (Winner.OTHER, "it is older"),
        ),
        (
            "/chat",
            regex("/chat(/|$)(.*)"),
            {"order": OLDEST, "created": YOUNG},
            (Winner.OTHER, "its match is more specific"),
        ),
        (regex("/chat(/|$)(.*)"), "/chat", {"order": OLDEST, "created": OLD}, (OWN, "")),
        (regex("/chat(/|$)(.*)"), regex("/chat/?(.*)"), {"order": OLDEST, "created": OLD}, (OWN, "")),
        # The Gateway API: a method counts more than age, and the name decides in one second.
        ("/chat", "/chat", ON_GATEWAY | {"created": OLD}, (Winner.OTHER, "it is older")),
        ("/chat", "/chat", ON_GATEWAY | {"created": YOUNG}, (OWN, "")),
        ("/chat", "/chat", ON_GATEWAY | {"created": MINE}, (OWN, "")),
        (
            "/chat",
            path("/chat", condition="the method is GET"),
            ON_GATEWAY | {"created": YOUNG},
            (Winner.OTHER, "its match is more specific"),
        ),
        ("/chat", path("/chat", condition="a header matches"), ON_GATEWAY | {"created": OLD}, (UNCERTAIN, "")),
        ("/chat", regex("/chat(/.*)?"), ON_GATEWAY | {"created": OLD}, (UNCERTAIN, "")),
        (regex("/chat(/.*)?"), "/chat", ON_GATEWAY | {"created": OLD}, (UNCERTAIN, UNCLEAR)),
        # The choice of the edge is not known: of two apps the older one has the place.
        ("/chat", "/chat", {"created": OLD}, (UNCERTAIN, UNCLEAR)),
        ("/chat", "/chat", {"app_created": OLD}, (Winner.OTHER, "its app is older")),
        ("/chat", "/chat", {"app_created": YOUNG, "created": OLD}, (UNCERTAIN, UNCLEAR)),
        ("/chat", "/chat", {"app_created": MINE}, (UNCERTAIN, UNCLEAR)),
        ("/chat", "/chat", {"order": UNKNOWN, "created": OLD}, (UNCERTAIN, UNCLEAR)),
        # The longest path wins, whatever the ages.
        ("/chat", "/chat/ws", {"created": YOUNG}, (Winner.OTHER, "its path is longer")),
        ("/chat", "/chat/ws", {"order": OLDEST, "created": YOUNG}, (Winner.OTHER, "its path is longer")),
        ("/chat", path("/chat/ws", condition="a query parameter matches"), ON_GATEWAY, (UNCERTAIN, "")),
        (
            "/chat",
            path("/chat/ws", condition="the method is GET"),
            ON_GATEWAY,
            (Winner.OTHER, "its path is longer"),
        ),
        ("/chat", "/chat/ws", {"order": UNKNOWN}, (UNCERTAIN, UNCLEAR)),
        ("/chat", path("/chat/", path_type="Exact"), {}, (Winner.OTHER, "its path is longer")),
        ("/", "/chat", {"created": YOUNG}, (Winner.OTHER, "its path is longer")),
        # An expression with more text than a longer plain path.
        (regex("/chat(/|$)(.*)"), "/chat/ws", {"order": OLDEST}, (UNCERTAIN, LONGER_TEXT)),
        (regex("/chat.*"), "/chat/login", {"order": OLDEST}, (Winner.OTHER, "its path is longer")),
        (regex("/chat.*"), path("/chat/ws"), {"order": OLDEST}, (Winner.OTHER, "its path is longer")),
        (regex("/chat.*$"), path("/chat/ws"), {"order": OLDEST}, (Winner.OTHER, "its path is longer")),
        # Every path wins over a default backend.
        (path("/", host=""), FALLBACK, {"created": OLD}, None),
        (path("/", host=""), FALLBACK, {"order": OLDEST, "created": OLD}, None),
        (path("/", host=""), FALLBACK, {"app_created": OLD}, None),
        (path("/", host=""), replace(FALLBACK, condition="it is used"), {}, None),
        (FALLBACK, replace(FALLBACK, condition="it is used"), {}, (UNCERTAIN, "")),
        (FALLBACK, path("/", host=""), {"created": YOUNG}, (Winner.OTHER, "the other path is a default backend")),
        (
            FALLBACK,
            path("/", host=""),
            {"order": OLDEST, "created": YOUNG},
            (Winner.OTHER, "the other path is a default backend"),
        ),
        (FALLBACK, FALLBACK, {"order": OLDEST, "created": OLD}, (Winner.OTHER, "it is older")),
        (FALLBACK, FALLBACK, {"app_created": OLD}, (Winner.OTHER, "its app is older")),
        # The higher priority wins, whatever the lengths and the ages.
        (path("/chat", priority=50), path("/chat", priority=60), {"app_created": YOUNG}, (Winner.OTHER, HIGHER)),
        (path("/chat", priority=50), path("/chat", priority=40), {"app_created": OLD}, (OWN, "")),
        (path("/chat", priority=50), path("/chat", priority=50), {"app_created": OLD}, (Winner.OTHER, ELDER_APP)),
        (path("/chat", priority=50), path("/chat", priority=50), {"app_created": YOUNG}, (UNCERTAIN, UNCLEAR)),
        (path("/chat", priority=50), path("/chat/ws", priority=51), {}, (Winner.OTHER, HIGHER)),
        (path("/chat", priority=50), path("/chat/ws", priority=50), {"app_created": OLD}, (UNCERTAIN, UNCLEAR)),
        (path("/chat", priority=50), path("/chat/ws", priority=49), {}, (OWN, "")),
        (path("/chat", priority=50), path("/chat/ws", priority=-1), {}, (OWN, "")),
        (path("/chat", priority=50), path("/chat/ws", priority=60), {"order": UNKNOWN}, (UNCERTAIN, UNCLEAR)),
        # Beside a path without a priority, for which Traefik makes a rule of 42 characters or more.
        (path("/chat", priority=41), "/chat", {"app_created": YOUNG}, (Winner.OTHER, HIGHER)),
        (path("/chat", priority=42), "/chat", {"app_created": YOUNG}, (UNCERTAIN, UNCLEAR)),
        (path("/chat", priority=42), "/chat", {"app_created": OLD}, (Winner.OTHER, ELDER_APP)),
        (path("/chat", priority=62), "/chat", {"app_created": OLD}, (Winner.OTHER, ELDER_APP)),
        (path("/chat", priority=63), "/chat", {"app_created": OLD}, (OWN, "")),
        ("/chat", path("/chat", priority=63), {"app_created": YOUNG}, (Winner.OTHER, HIGHER)),
        ("/chat", path("/chat", priority=41), {"app_created": OLD}, (OWN, "")),
        (path("/", host="", priority=1), FALLBACK, {"app_created": OLD}, None),
        # A canary with a weight.
        ("/chat", "/chat", {"canary": Canary.BY_WEIGHT}, (Winner.OTHER, "")),
    ],
)
def test_winner(mine: Any, other: Any, fields: dict[str, Any], expected: Any) -> None:
    assert winner(mine, other, **fields) == expected


def expression(text: str, *styles: Style, **fields: Any) -> Entry:
    made = ingress(regex(text, styles=styles or (NGINX,)), **fields)
    return entry_of(made, next(keys_of_paths(made, made.services)), None, "")


@pytest.mark.parametrize(
    ("mine", "other", "is_first"),
    [
        ("/bot", "/(.*)", True),
        ("/chat", "/(.*)", False),
        ("/chatter", "/(.*)", False),
        ("/chat/", "/(.*)", False),
        (regex("/bot(/|$)(.*)"), "/(.*)", False),
        (regex("/bot(/|$)(.*)"), "/[a-z]+(/|$)(.*)", True),
        (regex("/bot(/|$)(.*)"), "/bot(/|$)(.*)", False),
    ],
)
def test_the_longest_text_is_tried_first(mine: RoutePath | str, other: str, is_first: bool) -> None:
    assert is_tried_before(expression(other), entry(mine, "shop", MINE)[0]) is is_first


@pytest.mark.parametrize(
    ("text", "place", "wanted"),
    [
        ("/(.*)", "/bot", True),
        ("/(.*)", "", False),  # its own prefix
        ("/bot(/|$)(.*)", "/bot", False),
        ("/bot(/|$)(.*)", "/bot/x", True),
        ("/(api|web)/(.*)", "/bot", False),
        ("/[a-z]+/ws/(.*)", "/bot", True),
        ("/[a-z]+/ws/(.*)", "/BOT", True),  # ingress-nginx ignores the case
        ("/[a-z]+/wsx/(.*)", "/bot", False),
        ("/(?!api).*", "/bot", True),  # not evaluated
    ],
)
def test_an_expression_may_cover_a_place_below_its_beginning(text: str, place: str, wanted: bool) -> None:
    assert may_cover(expression(text), place) is wanted


@pytest.mark.parametrize(
    ("text", "place", "wanted"),
    [
        ("/", "/bot", True),
        ("/b", "/bot", True),
        ("/B", "/bot", False),
        ("/bot", "/bot", False),  # its own prefix
        ("/bot/", "/bot", False),
        ("/bot", "/bot/x", True),
        ("/bot/x", "/bot", False),
    ],
)
def test_a_path_with_a_priority_may_cover_a_place_by_characters(text: str, place: str, wanted: bool) -> None:
    assert may_cover(entry(path(text, priority=90), "team")[0], place) is wanted


@pytest.mark.parametrize(
    ("mine", "other", "expected"),
    [
        (path("/chat", priority=50), path("/", priority=51), (Winner.OTHER, HIGHER)),
        (path("/chat", priority=50), path("/", priority=50), (UNCERTAIN, UNCLEAR)),
        (path("/chat", priority=50), path("/", priority=49), None),
        ("/chat", path("/", priority=63), (Winner.OTHER, HIGHER)),
        ("/chat", path("/", priority=42), (UNCERTAIN, UNCLEAR)),
        ("/chat", path("/", priority=38), None),
        ("/chat", regex("^/(?!api).*", priority=90), (UNCERTAIN, f"{HIGHER}, and {NOT_RUN}")),
    ],
)
def test_a_shorter_path_with_a_higher_priority_is_tried_first(mine: Any, other: RoutePath, expected: Any) -> None:
    (own, _), (them, _) = entry(mine, "shop", MINE), entry(other, "team")
    assert is_tried_before(them, own) is (expected is not None)
    found = conflict_of(them, Effect.COVER, own, is_shared=True, is_sticky=False)
    assert found is not None and (found.winner, found.why) == (expected or (OWN, ""))


@pytest.mark.parametrize(
    ("other", "fields", "expected"),
    [
        (expression("/(.*)", order=OLDEST), {"order": OLDEST}, (Winner.OTHER, "its text is longer")),
        (expression("/(.*)"), {}, (Winner.OTHER, "its text is longer")),
        (expression("/(.*)", order=UNKNOWN), {}, (UNCERTAIN, UNCLEAR)),
        (
            expression("/(?!api).*"),
            {},
            (UNCERTAIN, "its text is longer, and the operator does not evaluate this regular expression"),
        ),
    ],
)
def test_an_expression_that_covers_a_place_wins(other: Entry, fields: Any, expected: tuple[Winner, str]) -> None:
    mine, _ = entry("/bot", "shop", MINE, **fields)
    found = conflict_of(other, Effect.COVER, mine, is_shared=True, is_sticky=False)
    assert found is not None and (found.winner, found.why) == expected


def test_in_one_second_the_first_name_wins_on_a_gateway() -> None:
    (mine, _), (other, effect) = (entry("/chat", name, "x", created=MINE, **ON_GATEWAY) for name in ("shop", "a-team"))
    found = conflict_of(other, effect, mine, is_shared=True, is_sticky=False)
    assert found is not None
    assert (found.winner, found.why) == (Winner.OTHER, "its name comes first")


@pytest.mark.parametrize(("app", "expected"), [("a", (Winner.OTHER, ELDER_APP)), ("z", (UNCERTAIN, UNCLEAR))])
def test_of_two_apps_of_one_second_the_first_name_has_the_place(app: str, expected: tuple[Winner, str]) -> None:
    """The name of the app counts, not that of its route."""
    (mine, _), (other, effect) = entry("/chat", "shop", MINE), entry("/chat", "team", MINE)
    found = conflict_of(other._replace(claimant=Ref("ChainlitApp", app, "chat")), effect, mine, is_shared=True,
                        is_sticky=False)  # fmt: skip
    assert found is not None and (found.winner, found.why) == expected
    assert (mine.claimant, mine.route) == (Ref("ChainlitApp", "shop", "chat"), Ref("Ingress", "shop", "chat"))
    by_route, _ = entry("/chat", "shop", MINE, order=OLDEST)
    without, _ = entry("/chat", "shop")
    assert by_route.claimant == without.claimant == Ref("Ingress", "shop", "chat")


def test_an_expression_of_a_gateway_is_a_condition() -> None:
    made, _ = entry(regex("/chat(/.*)?"), "shop", **ON_GATEWAY)
    assert made.condition == "the expression wins"
    assert entry(regex("/chat(/.*)?"), "shop")[0].condition == ""


@pytest.mark.parametrize(
    ("other", "canary"), [("/chat", Canary.NONE), ("/chat", Canary.BY_WEIGHT), ("/chat/ws", Canary.NONE)]
)
def test_a_route_without_a_class_may_have_the_same_controller(other: str, canary: Canary) -> None:
    assert winner("/chat", other, is_shared=False, created=OLD, app_created=OLD, canary=canary) == (
        UNCERTAIN,
        "one of the two names no ingress class, so the same ingress controller may serve both",
    )


def test_an_edge_that_keeps_each_browser_on_one_side_splits_no_session() -> None:
    (mine, _), (other, effect) = entry("/chat", "shop", MINE), entry("/chat", "team", canary=Canary.BY_WEIGHT)
    assert conflict_of(other, effect, mine, is_shared=True, is_sticky=True) is None
    plain, effect = entry("/chat", "team", OLD)
    assert conflict_of(plain, effect, mine, is_shared=True, is_sticky=True) is not None


def test_a_conflict_names_the_app_or_else_the_service() -> None:
    (mine, _), (other, effect) = entry("/chat", "shop", MINE), entry("/chat", "team", OLD)
    assert conflict_of(other, effect, mine, is_shared=True, is_sticky=False) == RouteConflict(
        route=Ref("Ingress", "team", "chat"),
        host="example.com",
        path="/chat",
        prefix="/chat",
        effect=Effect.CLAIM,
        winner=Winner.OTHER,
        app=Ref("ChainlitApp", "team", "chat"),
        created=OLD,
        why="its app is older",
    )
    other, effect = entry(path("/chat/", service="web", condition="a header matches"), "team", created=OLD)
    assert conflict_of(other, effect, mine, is_shared=True, is_sticky=False) == RouteConflict(
        route=Ref("Ingress", "team", "chat"),
        host="example.com",
        path="/chat/",
        prefix="/chat",
        effect=Effect.PART,
        winner=UNCERTAIN,
        service="web",
        created=OLD,
        condition="a header matches",
    )


def test_default_backend_of_a_canary_takes_no_share_of_a_path() -> None:
    own = path("/", host="")
    assert winner(own, FALLBACK, canary=Canary.BY_WEIGHT, order=OLDEST, created=OLD) is None
    assert winner(FALLBACK, FALLBACK, canary=Canary.BY_WEIGHT, order=OLDEST, created=OLD) == (Winner.OTHER, "")


def test_entries_are_in_the_order_of_the_edge() -> None:
    """Where it is known, by rank and age of the routes; else apps come first, by their age."""
    known = [
        entry(regex("/chat(/|$)(.*)"), "e", MINE, order=OLDEST, created=YOUNG),
        entry("/chat", "d", YOUNG, order=OLDEST, created=OLD),
        entry("/chat", "c", order=OLDEST, created=MINE),
        entry("/chat", "b", OLD, order=OLDEST, created=YOUNG),
        entry("/chat", "a", OLD, order=OLDEST),
    ]
    assert sorted(known) == known
    unknown = [
        entry("/chat", "d", OLD, created=YOUNG),
        entry("/chat", "c", MINE, created=OLD),
        entry("/chat", "b", created=OLD),
        entry("/chat", "a", created=MINE),
        entry(path("/chat", is_fallback=True), "e", OLD),
        entry(path("/chat", is_fallback=True), "a", created=OLD),
    ]
    assert sorted(unknown) == unknown


# ------------------------------------------------------------------------------------------------------------- keys


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
        (path("/chat", condition="the method is GET"), ["/chat"]),
        (path("/(a|b)", matching=Matching.UNKNOWN), []),
        (regex("/(a|b)"), []),
    ],
)
def test_claimed(given: RoutePath, prefixes: list[str]) -> None:
    (found,) = keys(ingress(given, ingress_class="traefik"))
    assert (found.path, found.claimed) == (given, tuple(RouteKey(GROUP, "example.com", prefix) for prefix in prefixes))


def test_canary() -> None:
    """A canary joins the path of another route; its requests are a share or those with a header."""
    weighted = ingress("/chat", "/chat/ws", canary=Canary.BY_WEIGHT)
    assert [(each.claimed, each.shadowed) for each in keys(weighted)] == [
        ((RouteKey(GROUP, "example.com", "/chat"),), ()),
        ((RouteKey(GROUP, "example.com", "/chat/ws"),), ()),
    ]
    (found,) = keys(ingress("/chat", canary=Canary.BY_REQUEST))
    assert (found.claimed, found.shadowed) == ((), ())


@pytest.mark.parametrize(
    ("given", "expected", "serves"),
    [
        (ingress("/chat/ws"), [(Effect.CLAIM, "/chat/ws"), (Effect.SHADOW, "/chat")], True),
        (ingress(path("/chat/ws", path_type="Exact")), [(Effect.SHADOW, "/chat")], True),
        (ingress(path("/chat", condition="the method is GET")), [(Effect.CLAIM, "/chat")], False),
        (
            ingress(path("/chat/ws", condition="a header matches")),
            [(Effect.PART, "/chat/ws"), (Effect.PART, "/chat")],
            False,
        ),
        (ingress("/chat", canary=Canary.BY_WEIGHT), [(Effect.PART, "/chat")], False),
        (ingress(regex("/chat/?(.*)", styles=(NGINX,))), [(Effect.COVER, "/chat"), (Effect.CLAIM, "/chat")], True),
        (ingress(regex("/chat/?(.*)")), [(Effect.COVER, ""), (Effect.CLAIM, "/chat")], True),
        (ingress(regex("/(a|b)$", styles=(NGINX,))), [(Effect.COVER, "/")], True),
        (ingress(regex("/(.*)"), canary=Canary.BY_WEIGHT), [(Effect.PART, "")], False),
        (ingress(regex("/(.*)"), canary=Canary.BY_REQUEST), [], False),
        (ingress(regex("/(.*)"), refusal="no"), [], True),
        (ingress(regex("/chat(/.*)?"), **ON_GATEWAY), [(Effect.PART, "/chat")], True),
    ],
)
def test_effects(given: Route, expected: list[tuple[Effect, str]], serves: bool) -> None:
    (found,) = keys(given)
    assert [(effect, key.prefix) for effect, key in effects(given, found)] == expected
    assert is_whole(given, found.path) is serves


@pytest.mark.parametrize(
    ("given", "prefixes"),
    [
        (path("/chat"), []),
        (path("/chat/ws"), ["/chat"]),
        (path("/ws"), [""]),
        (path("/chat/ws/socket.io", path_type="Exact"), ["/chat"]),
        (path("/chat", path_type="Exact"), []),
        (path("/chat/", path_type="Exact"), ["/chat"]),
        (path("/", path_type="Exact"), [""]),
        (path("/chat/ws/", path_type="Exact"), ["/chat/ws", "/chat"]),
        (path("/login/team/public/x"), ["", "/login/team"]),
        (path("/chat/ws", matching=Matching.UNKNOWN), []),
        (regex("/(chat|talk)/ws"), []),
    ],
)
def test_shadowed(given: RoutePath, prefixes: list[str]) -> None:
    (found,) = keys(ingress(given, ingress_class="traefik"))
    assert found.shadowed == tuple(RouteKey(GROUP, "example.com", prefix) for prefix in prefixes)


@pytest.mark.parametrize(
    ("claimed", "places", "mount_path", "expected"),
    [
        ("/", ["/a/chat"], "", ["/a", "/a/chat"]),
        ("/a", ["/a/chat", "/a", "/b"], "", ["/a/chat"]),
        ("/a", ["/ab"], "", []),
        ("/a", [], "", []),
        ("/", ["/s" * 20], "", ["/s" * n for n in range(4, 21)]),
        ("/", [], "/chat", ["/chat"]),
        ("/a", [], "/chat", ["/a/chat"]),
        ("/a", ["/a/chat"], "/chat", ["/a/chat"]),
        ("/a", [], "/a/chat", ["/a/a", "/a/a/chat", "/a/chat"]),
        ("/x/a", [], "/a/chat", ["/x/a/a", "/x/a/a/chat", "/x/a/chat"]),
        ("/xa", [], "/a/chat", ["/xa/a", "/xa/a/chat"]),
    ],
)
def test_keys_below(claimed: str, places: list[str], mount_path: str, expected: list[str]) -> None:
    (found,) = keys(ingress(claimed))
    assert [*keys_below(found, places, mount_path)] == [RouteKey(GROUP, "example.com", prefix) for prefix in expected]


def test_an_expression_claims_each_of_its_prefixes() -> None:
    found = keys(ingress(regex("/(chat|talk)(/.*)?")))
    assert [(each.prefix, each.claimed) for each in found] == [
        (prefix, (RouteKey(GROUP, "example.com", prefix),)) for prefix in ("/chat", "/talk")
    ]
    many = "|".join("abcdef")
    assert len(keys(ingress(regex(f"/({many})(/.*)?")))) == MAX_PREFIXES


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


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (ingress("/chat"), ingress("/chat", ingress_class="nginx"), True),
        (ingress("/chat"), ingress("/chat"), False),
        (ingress("/chat", ingress_class="nginx"), ingress("/chat", ingress_class="nginx"), False),
        (ingress("/chat", ingress_class="nginx"), ingress("/chat", ingress_class="traefik"), False),
        (ingress("/chat"), http_route(Attachment(GATEWAY_A)), False),
        (http_route(), http_route(), False),
    ],
)
def test_an_ingress_without_a_class_may_share_a_controller_with_any_class(
    one: Route, other: Route, together: bool
) -> None:
    assert may_share_listener(one.attachments, other.attachments) is together
    assert may_share_listener(other.attachments, one.attachments) is together


def test_listener_groups() -> None:
    assert listener_groups(replace(http_route(Attachment(GATEWAY_A)), refusal="NotAllowedByListeners: no")) == ()
    assert listener_groups(ingress("/chat", ingress_class="nginx")) == ("Ingress",)
    assert listener_groups(ingress("/chat")) == ("Ingress",)
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
