"""Shadows: which paths of a route may take what Chainlit needs away from the one that serves it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.domain.world import path, regex

from chainlit_operator.domain.expressions import Style, Syntax
from chainlit_operator.domain.model import Matching, Precedence, RoutePath
from chainlit_operator.domain.resolution import path_overrides
from chainlit_operator.domain.route_paths import prefixes_of

GET, HEADER = "the method is GET", "a header matches"


def exact(text: str) -> RoutePath:
    return path(text, path_type="Exact")


def unread(text: str) -> RoutePath:
    return path(text, matching=Matching.UNKNOWN)


NGINX = (Style(Syntax.PCRE, start="^", ignores_case=True),)
PRECEDENCE = {"Ingress": Precedence.LONGEST_TEXT, "HTTPRoute": Precedence.LONGEST_SEGMENTS}


@pytest.mark.parametrize(
    ("kind", "other", "takes"),
    [
        # the path itself
        ("Ingress", path("/chat"), True),
        ("Ingress", path("/chat/"), True),
        ("Ingress", path("/chat", host="b.example"), False),
        ("HTTPRoute", path("/chat", condition=GET), True),
        ("HTTPRoute", path("/chat", condition=HEADER), False),
        ("HTTPRoute", path("/chat/"), True),
        ("HTTPRoute", exact("/chat"), False),
        ("HTTPRoute", exact("/chat/"), True),
        # above it
        ("Ingress", path("/"), False),
        ("Ingress", path("/cha"), False),
        ("HTTPRoute", path("/", condition=GET), False),
        # below it, by elements
        ("HTTPRoute", path("/chat/ws"), True),
        ("HTTPRoute", path("/chat/ws/x"), True),
        ("HTTPRoute", exact("/chat/login"), True),
        ("HTTPRoute", exact("/chat/shop"), False),
        ("HTTPRoute", path("/chat/shop"), False),
        ("HTTPRoute", path("/chatter/ws"), False),
        ("HTTPRoute", path("/chatX"), False),
        # below it, by characters
        ("HTTPRoute", path("/chat/w"), False),
        ("Ingress", path("/chat/w"), True),
        ("Ingress", path("/chat/w/"), False),
        ("Ingress", path("/chat/shop"), False),
        ("Ingress", path("/shop/w"), False),
        # expressions of an Ingress: by length, from the start
        ("Ingress", regex("/chat(/|$)(.*)"), True),
        ("Ingress", regex("/(.*)"), True),
        ("Ingress", regex("/.*"), False),
        ("Ingress", regex("/chat/ws/.*"), True),
        ("Ingress", regex("/chat/shop/.*"), False),
        ("Ingress", regex("/shop(/|$)(.*)"), False),
        ("Ingress", regex("/ws/.*", styles=NGINX), False),
        ("Ingress", regex("/ws/.*"), True),
        ("Ingress", regex("/(api|docs|v1)(/|$)(.*)", styles=NGINX), False),
        ("Ingress", regex("/CHAT/ws/.*", styles=NGINX), True),
        ("Ingress", regex("/chat/ws/(?!x).*", styles=NGINX), True),
        ("Ingress", regex("/team/chat/ws/.*"), False),
        ("Ingress", unread("/assets/(.*)"), True),
        ("Ingress", unread("/shop/(.*)"), False),
        ("Ingress", unread("/chat(/|$)(.*)"), True),
        # expressions of an HTTPRoute: whatever their length, and on Traefik anywhere
        ("HTTPRoute", regex("/.*"), True),
        ("HTTPRoute", regex("^/.*"), True),
        ("HTTPRoute", regex("^/chats?"), True),
        ("HTTPRoute", regex("^/chat\\."), False),
        ("HTTPRoute", regex("^/shop/.*"), False),
        ("HTTPRoute", regex("^/chat/ws.*"), True),
        ("HTTPRoute", regex("/chat/ws/x.*"), False),
        ("HTTPRoute", regex("/ws/.*"), True),
        ("HTTPRoute", regex("^/ws/.*"), False),
        ("HTTPRoute", regex("/shop/.*"), False),
        ("HTTPRoute", regex("^/chat/shop/.*"), False),
    ],
)
def test_takes(kind: str, other: RoutePath, takes: bool) -> None:
    assert path_overrides.takes(PRECEDENCE[kind], other, path("/chat"), "/chat") is takes


@pytest.mark.parametrize(
    ("chosen", "other", "takes"),
    [
        (path("/"), path("/a"), True),
        (path("/"), path("/shop"), False),
        (path("/"), path("/assets"), True),
        (path("/"), exact("/"), True),
        (path("/team/chat"), path("/team", condition=GET), True),
        (path("/team/chat"), path("/team"), False),
        (path("/team/chatterbox"), path("/team", condition=GET), False),
        (path("/team/chatterbo"), path("/team", condition=GET), True),
        (path("/v1.0"), regex("/v1\\.0(/|$)(.*)"), True),
        (path("/v1.0"), regex("/v1\\.1(/|$)(.*)"), False),
    ],
)
def test_takes_from(chosen: RoutePath, other: RoutePath, takes: bool) -> None:
    assert path_overrides.takes(Precedence.LONGEST_TEXT, other, chosen, chosen.path.rstrip("/")) is takes


@pytest.mark.parametrize(
    ("chosen", "other", "takes"),
    [
        # An expression is tried before each plain path, whatever its length.
        (path("/team/chat"), regex("/.*"), True),
        (path("/team/chat"), regex("/bot/.*"), False),
        (regex("/chat/.*"), path("/chat/ws"), False),
        (regex("/chat/.*"), path("/chat/ws/socket.io"), False),
        (regex("/chat/.*"), regex("/c.*"), False),
        (regex("/chat/.*"), regex("/chat/ws/.*"), True),
        (regex("/chat/.*"), exact("/chat/ws/socket.io/"), True),
        # Plain paths are compared by characters.
        (path("/chat"), path("/chat/ws"), True),
        (path("/chat"), path("/chat/w"), True),
        (path("/chat"), path("/chatbot"), False),
        (path("/chat"), path("/chat/shop"), False),
        (path("/chat"), path("/"), False),
    ],
)
def test_expressions_first(chosen: RoutePath, other: RoutePath, takes: bool) -> None:
    top = prefixes_of(chosen)[0]
    assert path_overrides.takes(Precedence.EXPRESSIONS_FIRST, other, chosen, top) is takes


def pattern(text: str, **fields: Any) -> RoutePath:
    return path(text, path_type="ImplementationSpecific", matching=Matching.WILDCARD, **fields)


@pytest.mark.parametrize(
    ("precedence", "other", "takes"),
    [
        # Of patterns, the one with more text wins.
        (Precedence.LONGEST_SEGMENTS, pattern("/chat/*"), True),
        (Precedence.LONGEST_SEGMENTS, pattern("/chat/w*"), True),
        (Precedence.LONGEST_SEGMENTS, pattern("/chat/ws/*"), True),
        (Precedence.LONGEST_SEGMENTS, pattern("/chat/ws/socket.io/?"), True),
        (Precedence.LONGEST_SEGMENTS, pattern("/chat/?s/*"), True),
        (Precedence.LONGEST_SEGMENTS, pattern("/c?at/ws/*"), True),
        (Precedence.LONGEST_SEGMENTS, pattern("/chat?*"), True),
        (Precedence.LONGEST_SEGMENTS, pattern("/chat/shop/*"), False),
        (Precedence.LONGEST_SEGMENTS, pattern("/chat*"), False),
        (Precedence.LONGEST_SEGMENTS, pattern("/*"), False),
        # By order.
        (Precedence.FIRST_MATCH, pattern("/*"), True),
        (Precedence.FIRST_MATCH, pattern("*.js"), True),
        (Precedence.FIRST_MATCH, pattern("/chat*"), True),
        (Precedence.FIRST_MATCH, pattern("/chat/ws/*"), True),
        (Precedence.FIRST_MATCH, pattern("/chat/shop/*"), False),
        (Precedence.FIRST_MATCH, pattern("/shop/*"), False),
        (Precedence.FIRST_MATCH, pattern("/*", condition=HEADER), False),
        (Precedence.FIRST_MATCH, pattern("/*", host="b.example"), False),
        (Precedence.FIRST_MATCH, path("/"), True),
        (Precedence.FIRST_MATCH, path("/chat"), True),
        (Precedence.FIRST_MATCH, path("/chat/ws"), True),
        (Precedence.FIRST_MATCH, path("/chat/shop"), False),
        (Precedence.FIRST_MATCH, path("/cha"), False),
        (Precedence.FIRST_MATCH, path("/X"), False),
        (Precedence.FIRST_MATCH, exact("/chat/"), True),
        (Precedence.FIRST_MATCH, exact("/chat/login"), True),
        (Precedence.FIRST_MATCH, exact("/chat"), False),
        (Precedence.FIRST_MATCH, regex("/.*"), True),
        (Precedence.FIRST_MATCH, regex("/shop/.*"), False),
        # By order and by characters.
        (Precedence.FIRST_TEXT_MATCH, path("/"), True),
        (Precedence.FIRST_TEXT_MATCH, path("/cha"), True),
        (Precedence.FIRST_TEXT_MATCH, path("/Chat"), True),
        (Precedence.FIRST_TEXT_MATCH, path("/chat/w"), True),
        (Precedence.FIRST_TEXT_MATCH, path("/chat/ws/socket.io/x"), True),
        (Precedence.FIRST_TEXT_MATCH, path("/chat/shop"), False),
        (Precedence.FIRST_TEXT_MATCH, path("/chats"), False),
        (Precedence.FIRST_TEXT_MATCH, path("/cha", condition=HEADER), False),
        (Precedence.FIRST_TEXT_MATCH, path("/cha", condition=GET), True),
        (Precedence.FIRST_TEXT_MATCH, path("/cha", condition="the request has the scheme https"), True),
        (Precedence.FIRST_TEXT_MATCH, path("/cha", host="b.example"), False),
        (Precedence.FIRST_TEXT_MATCH, exact("/chat/"), True),
        (Precedence.FIRST_TEXT_MATCH, exact("/cha"), False),
        (Precedence.FIRST_TEXT_MATCH, regex("/chat/.*"), True),
    ],
)
def test_patterns_and_order(precedence: Precedence, other: RoutePath, takes: bool) -> None:
    mine = pattern("/chat/*")
    assert path_overrides.takes(precedence, other, mine, "/chat") is takes
    after = takes and precedence not in (Precedence.FIRST_MATCH, Precedence.FIRST_TEXT_MATCH)
    assert path_overrides.takes(precedence, other, mine, "/chat", is_before=False) is after


@pytest.mark.parametrize(
    ("other", "takes"),
    [
        # A higher priority wins, whatever the length.
        (path("/", priority=50), True),
        (path("/cha", priority=50), True),
        (path("/chat/w", priority=50), True),
        (path("/chat/ws", priority=50), True),
        (path("/chat/ws/x", priority=50), True),
        (path("/chat/shop", priority=50), False),
        (path("/X", priority=50), False),
        (path("/", priority=50, host=""), True),
        (path("/", priority=50, host="*.com"), True),
        (path("/", priority=50, host="b.example"), False),
        (path("/", priority=50, condition=GET), True),
        (path("/", priority=50, condition=HEADER), False),
        (path("/", priority=50, condition="the client's address is in 10.0.0.0/8"), True),
        (path("/", priority=50, condition="the path does not begin with /shop"), True),
        (path("/", priority=50, condition="the path does not begin with /chat"), False),
        (path("/", priority=50, condition="the path does not begin with /a and the method is GET"), True),
        (path("/", priority=50, condition="no header matches"), True),
        (path("/", priority=50, condition="a header matches and the method is GET"), False),
        (path("/", priority=50, host="HostRegexp(`^ex`)"), True),
        (path("/", priority=50, host="HostRegexp(`^www`)"), False),
        (path("/chat/", path_type="Exact", priority=50), True),
        (path("/chat", path_type="Exact", priority=50), False),
        (regex("^/(chat|bot)", priority=50), True),
        (regex("^/bot", priority=50), False),
        # Of equal ones each may win.
        (path("/", priority=40), True),
        (path("/chat/ws", priority=40), True),
        # A lower one never wins.
        (path("/chat", priority=39), False),
        (path("/chat/ws", priority=39), False),
        (path("/chat/ws", priority=-1), False),
        (regex("/.*", priority=39), False),
        # Without a priority, the precedence of the route decides.
        (path("/"), False),
        (path("/chat/ws"), True),
        (path("/chat/ws", host=""), False),
    ],
)
def test_priorities(other: RoutePath, takes: bool) -> None:
    mine = path("/chat", priority=40)
    assert path_overrides.takes(Precedence.LONGEST_TEXT, other, mine, "/chat") is takes
    assert path_overrides.takes(Precedence.LONGEST_TEXT, other, mine, "/chat", is_before=False) is takes
