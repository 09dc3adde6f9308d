"""Rewrites: the prefix that the backend gets, for the forms that real edges were measured with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.test_paths import PREFIXES

from chainlit_operator.domain import paths
from chainlit_operator.domain.rewrites import (
    AddPrefix,
    Pattern,
    ReplaceFullPath,
    ReplaceMatch,
    ReplacePrefixMatch,
    RewriteWholePath,
    StripPrefix,
    Transform,
    Unknown,
    backend_prefix,
    parse_pattern,
    substitute,
)


@pytest.mark.parametrize(
    ("public", "transforms", "backend"),
    [
        ("/chat", [], "/chat"),
        ("", [], ""),
        ("/chat", [StripPrefix(("/chat",))], ""),
        ("/chat", [StripPrefix(("/chat/",))], ""),
        ("/team/chat", [StripPrefix(("/team",))], "/chat"),
        ("/team/chat", [StripPrefix(("/team", "/team/chat"))], "/chat"),
        ("/team/chat", [StripPrefix(("/team/chat", "/team"))], ""),
        ("/chat", [StripPrefix(("/other",))], "/chat"),
        ("/chat", [StripPrefix(("/ch",))], "/at"),
        ("/chat", [StripPrefix(("/chat",)), AddPrefix("/x")], "/x"),
        ("/team/chat", [StripPrefix(("/team",)), StripPrefix(("/chat",))], ""),
        ("", [AddPrefix("/chat")], "/chat"),
        ("/chat", [ReplacePrefixMatch("/")], ""),
        ("/chat", [ReplacePrefixMatch("/other")], "/other"),
        ("/chat", [ReplacePrefixMatch("/chat")], "/chat"),
        ("/chat", [ReplacePrefixMatch("/chat/")], "/chat"),
        ("/chat", [ReplacePrefixMatch("")], None),
        ("", [ReplacePrefixMatch("/chat")], None),
        ("", [ReplacePrefixMatch("/")], ""),
        ("/chat", [ReplaceFullPath("/")], None),
        ("/chat", [ReplaceFullPath("/chat")], None),
        ("/chat", [RewriteWholePath("/chat(/|$)(.*)", "/$2")], ""),
        ("/chat", [RewriteWholePath("/chat(/|$)(.*)", "/chat/$2")], "/chat"),
        ("/chat", [RewriteWholePath("/chat(/|$)(.*)", "/other/$2")], "/other"),
        ("/chat", [RewriteWholePath("/chat(/.*)?", "$1")], ""),
        ("/chat", [RewriteWholePath("/chat/?(.*)", "/$1")], ""),
        ("/chat", [RewriteWholePath("^/chat/(.*)$", "/${1}")], ""),
        ("/chat", [RewriteWholePath("/chat", "/")], None),
        ("/chat", [RewriteWholePath("/chat", "/other")], None),
        ("/chat", [RewriteWholePath("/other/(.*)", "/$1")], "/chat"),
        ("/chat", [RewriteWholePath("/chat/(a+)+", "/$1")], None),
        ("/chat", [ReplaceMatch("^/chat/(.*)", "/$1")], ""),
        ("/chat", [ReplaceMatch("^/chat(/|$)", "/")], ""),
        ("/chat", [ReplaceMatch("^/chat", "")], ""),
        ("/chat", [ReplaceMatch("^/chat", "/other")], "/other"),
        ("/chat", [ReplaceMatch("^/other/(.*)", "/$1")], "/chat"),
        ("/chat", [ReplaceMatch("^/chat$", "/")], "/chat"),
        ("/chat", [ReplaceMatch("^/ch[a]t", "")], None),
        ("/chat", [ReplaceMatch("^/chat/(.*)", "/$x")], None),
        ("/chat", [ReplacePrefixMatch("/X")], "/X"),
        ("/chat", [AddPrefix("/x/")], None),
        ("/chat", [Unknown("x")], None),
        ("/chat", [Unknown("x"), StripPrefix(("/chat",))], None),
    ],
)
def test_backend_prefix(public: str, transforms: list[Transform], backend: str | None) -> None:
    assert backend_prefix(public, transforms) == backend


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("/chat(/|$)(.*)", "/chat"),
        ("/chat/?(.*)", "/chat"),
        ("/chat(/.*)?", "/chat"),
        ("/chat.*", "/chat"),
        ("^/chat/.*$", "/chat"),
        ("/v1\\.0/chat(.*)", "/v1.0/chat"),
        ("/(.*)", ""),
        ("/.*", ""),
        ("/chat", "/chat"),
        ("/(chat|bot)", None),
        ("/chat[0-9]", None),
        ("/chat(", None),
        ("chat(.*)", None),
        ("/a+(.*)", None),
    ],
)
def test_pattern(text: str, prefix: str | None) -> None:
    parsed = parse_pattern(text)
    assert (parsed and parsed.prefix) == prefix


@pytest.mark.parametrize(
    ("text", "covers"),
    [
        ("/chat(/|$)(.*)", True),
        ("/chat.*", True),
        ("^/chat/.*$", True),
        ("/chat", False),
        ("^/chat$", False),
        ("/chat(/|$)", False),
        ("/chat(/|$)$", False),
    ],
)
def test_covers(text: str, covers: bool) -> None:
    parsed = parse_pattern(text)
    assert parsed is not None and parsed.covers_subtree is covers


@pytest.mark.parametrize(
    ("replacement", "result"),
    [("/$2", "/b"), ("/${1}x$2", "/axb"), ("$3", ""), ("/$0", "/"), ("/x", "/x"), ("/$x", None)],
)
def test_substitute(replacement: str, result: str | None) -> None:
    assert substitute(replacement, ("a", "b")) == result


@given(PREFIXES, PREFIXES)
def test_strip_of_a_parent_can_always_be_aligned(parent: str, rest: str) -> None:
    public = parent + rest
    backend = backend_prefix(public, [StripPrefix((parent,))] if parent else [])
    assert backend == rest
    assert paths.align(public, backend) == (rest, parent)


@given(
    PREFIXES, st.lists(st.builds(StripPrefix, st.lists(st.text("/ab", min_size=1), max_size=2).map(tuple)), max_size=3)
)
def test_backend_prefix_is_in_normal_form(public: str, transforms: list[Transform]) -> None:
    backend = backend_prefix(public, transforms)
    assert backend is None or backend == paths.normalise(backend)


@given(st.text("/ab(.*)|$?^+[]{}\\", max_size=30), st.text("/$12{}ab", max_size=10))
def test_any_expression_is_understood_or_not(pattern: str, replacement: str) -> None:
    backend_prefix("/ab", [RewriteWholePath(pattern, replacement)])


def test_what_no_url_is_as_long_as_is_not_understood() -> None:
    assert parse_pattern("/a" * 2046 + "(.*)") == Pattern("/a" * 2046, "(.*)")
    assert parse_pattern("/a" * 2047 + "(.*)") is None
    assert substitute("$1" * 2048, ("a",)) == "a" * 2048
    assert substitute("$1" * 2048 + "/", ("a",)) is None
