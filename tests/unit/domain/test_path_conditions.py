"""The conditions of HTTPProxies: the path that they give together, and the rewrite of it."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainlit_operator.domain.model import Matching
from chainlit_operator.domain.path_conditions import (
    Condition,
    Conditions,
    PathMatch,
    Replacement,
    fault,
    joined,
    others,
    rewrite_of,
    words,
)
from chainlit_operator.domain.rewrites import PrefixRewrite

HEADER, QUERY, METHOD = Condition(header="x"), Condition(query="y"), Condition(header="m", method="GET")
PREFIX, EXACT, REGEX = Matching.PREFIX, Matching.EXACT, Matching.REGULAR_EXPRESSION


def prefix(text: str) -> Condition:
    return Condition(prefix=text)


@pytest.mark.parametrize(
    ("conditions", "match"),
    [
        ((), (PREFIX, "/")),
        ((HEADER,), (PREFIX, "/")),
        ((prefix("/"),), (PREFIX, "/")),
        ((prefix("/chat"),), (PREFIX, "/chat")),
        ((prefix("/chat/"),), (PREFIX, "/chat/")),
        ((prefix("/a"), prefix("/b")), (PREFIX, "/a/b")),
        ((prefix("/a/"), prefix("/b/")), (PREFIX, "/a/b/")),
        ((prefix("/"), prefix("/b")), (PREFIX, "/b")),
        ((prefix("/a"), prefix("/")), (PREFIX, "/a/")),
        ((prefix("/a"), HEADER), (PREFIX, "/a")),
        ((Condition(exact="/a"),), (EXACT, "/a")),
        ((prefix("/a"), Condition(exact="/b")), (EXACT, "/a/b")),
        ((Condition(exact="/a", header="x"),), (EXACT, "/a")),
        # The last condition decides, and a header is no path.
        ((Condition(exact="/a"), HEADER), (PREFIX, "/a")),
        ((HEADER, Condition(exact="/a")), (EXACT, "/a")),
        ((Condition(regex="/a.*"),), (REGEX, "/a.*")),
        ((prefix("/v1.0/"), Condition(regex="/a|/b")), (REGEX, r"/v1\.0(?:/a|/b)")),
        ((prefix("/a-b"), Condition(regex="/c"), HEADER), (REGEX, "/a-b(?:/c)")),
        ((prefix("/"), Condition(regex="/a")), (REGEX, "/a")),
    ],
)
def test_joined(conditions: Conditions, match: tuple[Matching, str]) -> None:
    assert joined(conditions) == PathMatch(*match)


@given(st.text("/.+*()[]{}^$|\\-_ab", min_size=1).map(lambda text: f"/{text}"))
def test_an_inherited_prefix_is_a_literal(text: str) -> None:
    found = joined((prefix(text), Condition(regex="/x")))
    literal = re.sub("//+", "/", text.rstrip("/")) + "/x"
    # Contour takes two slashes for one after it has put backslashes before characters.
    assert "//" in text or re.fullmatch(found.path, literal), found


@pytest.mark.parametrize(
    ("block", "what"),
    [
        ((), ""),
        ((prefix("/a"), HEADER), ""),
        ((Condition(exact="/a"), Condition(regex="/b")), "has several conditions on the path (/a, /b)"),
        ((Condition(prefix="/a", exact="/b"),), "has several conditions on the path (/a, /b)"),
        ((prefix("a"),), "has the path 'a', which does not begin with /"),
    ],
)
def test_fault(block: Conditions, what: str) -> None:
    assert fault(block) == what


@pytest.mark.parametrize(
    ("conditions", "what"),
    [
        ((prefix("/a"),), ""),
        ((HEADER,), "a header matches"),
        ((QUERY, HEADER, METHOD), "a header matches"),
        ((QUERY, METHOD), "a query parameter matches"),
        ((METHOD,), "the method is GET"),
        ((METHOD, METHOD._replace(method="POST")), "a header matches"),
    ],
)
def test_words(conditions: Conditions, what: str) -> None:
    assert words(conditions) == what


def test_others() -> None:
    assert others((prefix("/a"), HEADER, Condition(header="h", query="q"))) == ("x", "h", "q")


@pytest.mark.parametrize(
    ("path", "entries", "expected"),
    [
        ("/chat", [("", "/")], ("/chat/", "/")),
        ("/chat", [("", "/other")], ("/chat/", "/other/")),
        ("/chat/", [("", "/other")], ("/chat/", "/other/")),
        ("/chat/", [("", "/other//")], ("/chat/", "/other/")),
        ("/chat", [("/chat", "/a"), ("", "/b")], ("/chat/", "/a/")),
        ("/chat", [("/chat/", "/a"), ("", "/b")], ("/chat/", "/b/")),
        ("/chat", [("/chat/", "/a")], None),
        ("/", [("", "/other")], ("/", "/other")),
        ("/two", [("", "/")], ("/two", "/")),
        ("/two/", [("", "/other")], ("/two/", "/other")),
        ("/chat", [], None),
    ],
)
def test_rewrite_of(path: str, entries: list[tuple[str, str]], expected: tuple[str, str] | None) -> None:
    places = Counter({"/two": 2, "/chat": 1, "/": 1})
    found = rewrite_of([Replacement(*entry) for entry in entries], PathMatch(PREFIX, path), places)
    assert found == (None if expected is None else PrefixRewrite(*expected))


def test_only_prefixes_are_rewritten() -> None:
    assert rewrite_of([Replacement("", "/")], PathMatch(REGEX, "/chat"), Counter()) is None
