"""Rewrites: the prefix that the backend gets, for the forms that real edges were measured with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.test_paths import PREFIXES

from chainlit_operator.domain import paths
from chainlit_operator.domain.redirects import RedirectAll, Redirected, RedirectRegex, RedirectRoot
from chainlit_operator.domain.rewrites import (
    AddPrefix,
    PrefixRewrite,
    RegexRewrite,
    ReplaceFullPath,
    ReplaceMatch,
    ReplacePrefixMatch,
    RewriteWholePath,
    StripPrefix,
    StripPrefixRegex,
    Transform,
    Unknown,
    backend_prefix,
    first_redirect,
    why_lost,
    why_unknown,
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
        ("/chat", [PrefixRewrite("/bot", "/")], None),
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
        ("/chat", [RewriteWholePath("/(chat/.*)", "/$1")], "/chat"),
        ("/team/chat", [RewriteWholePath("/team/(chat.*)", "/$1")], "/chat"),
        ("/team/chat", [RewriteWholePath("/chat(/|$)(.*)", "/$2")], ""),
        ("/chat", [RewriteWholePath("/CHAT(/|$)(.*)", "/$2")], "/chat"),
        ("/chat", [RewriteWholePath("/CHAT(/|$)(.*)", "/$2", ignores_case=True)], ""),
        ("/chat", [RewriteWholePath("/chat(?:/(.*))?", "/$1")], ""),
        ("/chat", [RewriteWholePath("/chat()(/.*)?", "$1$2")], ""),
        ("/chat", [RewriteWholePath("/chat(/|$)(.*)", "/$host/$2")], None),
        ("/chat", [RewriteWholePath("/chat/([a-z/]*)$", "/$1")], None),
        ("/chat", [RewriteWholePath("/chat(?=/)(.*)", "$1")], None),
        ("/chat", [ReplaceMatch("^/chat/(.*)", "/$1")], ""),
        ("/chat", [ReplaceMatch("^/chat(/|$)", "/")], ""),
        ("/chat", [ReplaceMatch("^/chat", "")], ""),
        ("/chat", [ReplaceMatch("^/chat", "/other")], "/other"),
        ("/chat", [ReplaceMatch("^/other/(.*)", "/$1")], "/chat"),
        ("/chat", [ReplaceMatch("^/chat$", "/")], "/chat"),
        ("/chat", [ReplaceMatch("^/ch[a]t", "")], ""),
        ("/team/chat", [ReplaceMatch("^/team", "")], "/chat"),
        ("/team/chat", [ReplaceMatch("/team", "")], None),
        ("/team/chat", [ReplaceMatch("/chat/(.*)", "/$1")], "/team"),
        ("/chat", [ReplaceMatch(" ^/chat/(.*) ", " /$1 ")], ""),
        ("/chat", [ReplaceMatch("^/chat/(?P<rest>.*)", "/${rest}")], ""),
        ("/chat", [ReplaceMatch("^/chat/(.*)", "/$x")], None),
        ("/chat", [ReplaceMatch("^/chat/(.*)", "/$1x")], None),
        ("/chat", [ReplaceMatch("/", "//")], None),
        ("/chat", [ReplaceMatch("^/(?!x)chat", "")], None),
        ("/chat", [StripPrefixRegex(("/[a-z]+",))], ""),
        ("/Chat", [StripPrefixRegex(("/[a-z]+",))], "/Chat"),
        ("/team/chat", [StripPrefixRegex((" ^/team ",))], "/chat"),
        ("/team/chat", [StripPrefixRegex(("/bot", "/[^/]+", "/team/chat"))], "/chat"),
        ("/chat", [StripPrefixRegex(("/[^/]+/",))], ""),
        ("/chat", [StripPrefixRegex(("x*",))], "/chat"),
        ("/team/chat", [StripPrefixRegex(("/chat",))], "/team/chat"),
        ("/chat", [StripPrefixRegex((".*",))], None),
        ("/chat", [StripPrefixRegex(("/chat(?=/)",))], None),
        ("/chat", [PrefixRewrite("/chat", "/")], None),
        ("/chat", [PrefixRewrite("/chat/", "/")], ""),
        ("/chat", [PrefixRewrite("/chat", "/other")], "/other"),
        ("/chat", [PrefixRewrite("/chat/", "/other/")], "/other"),
        ("/chat", [PrefixRewrite("/chat/", "/other")], None),
        ("/team/chat", [PrefixRewrite("/team/", "/")], "/chat"),
        ("/Chat", [PrefixRewrite("/chat/", "/")], ""),
        ("", [PrefixRewrite("/", "/chat/")], "/chat"),
        ("", [PrefixRewrite("/", "/chat")], None),
        ("", [PrefixRewrite("/", "/")], ""),
        ("/chat", [RegexRewrite("^/chat/?(.*)$", r"/\1")], ""),
        ("/chat", [RegexRewrite("^/chat", "")], ""),
        ("/chat", [RegexRewrite("(?i)^/CHAT/", "/")], ""),
        ("/chat", [RegexRewrite("^/(chat)/", r"/x/\1/")], "/x/chat"),
        ("/team/chat", [RegexRewrite("^/team(/.*)", r"\1")], "/chat"),
        ("/chat", [RegexRewrite("^/other/", "/")], "/chat"),
        ("/chat", [RegexRewrite("a", "b")], None),
        ("/chat", [RegexRewrite("^/chat/(.*)", r"/\2")], None),
        ("/chat", [RegexRewrite("^/chat/(.*)", "/$1")], None),
        ("/chat", [RegexRewrite("^/chat/(?=x)", "/")], None),
        ("/chat", [RedirectAll("x", "https://example.com")], "/chat"),
        ("/chat", [ReplacePrefixMatch("/X")], "/X"),
        ("/chat", [AddPrefix("/x/")], None),
        ("/chat", [Unknown("x")], None),
        ("/chat", [Unknown("x"), StripPrefix(("/chat",))], None),
    ],
)
def test_backend_prefix(public: str, transforms: list[Transform], backend: str | None) -> None:
    assert backend_prefix(public, transforms) == backend


@pytest.mark.parametrize(
    ("transform", "why"),
    [
        (StripPrefix(("/chat",)), ""),
        (RewriteWholePath("/chat(.*)", "$1"), ""),
        (ReplaceMatch("^/chat", ""), ""),
        (StripPrefixRegex(("/a", "/b")), ""),
        (RedirectRegex("x", "^https?://a/(.*)", "https://b/$1"), ""),
        (RedirectAll("x", "https://example.com"), ""),
        (Unknown("a plugin"), "a plugin"),
        (
            RewriteWholePath("/chat(?=/)", "/"),
            "a rewrite with the regular expression '/chat(?=/)', which is not evaluated because it has a look-around, "
            "(?=",
        ),
        (
            ReplaceMatch("(", ""),
            "a rewrite with the regular expression '(', which is not evaluated because RE2 cannot read it (missing ): "
            "()",
        ),
        (
            StripPrefixRegex(("/a", r"/(b)\1")),
            r"a rewrite with the regular expression '/(b)\\1', which is not evaluated because it has a back reference, "
            r"\1",
        ),
        (
            RedirectRegex("x", "a++", ""),
            "a redirect with the regular expression 'a++', which is not evaluated because it has a possessive "
            "quantifier, ++",
        ),
    ],
)
def test_why_unknown(transform: Transform, why: str) -> None:
    assert why_unknown(transform) == why


OTHER = RedirectRegex("r", "^https?://chat.example/(.*)", "https://other.example/$1")


@pytest.mark.parametrize(
    ("public", "transforms", "found"),
    [
        ("/chat", [], None),
        ("/chat", [StripPrefix(("/chat",))], None),
        ("/chat", [RedirectAll("a", "https://b.example")], Redirected("/chat/", "https://b.example", "a")),
        ("", [RedirectRoot("a", "/chat")], Redirected("/", "http://chat.example/chat", "a")),
        ("", [RedirectRoot("a", "/")], None),
        ("/chat", [RedirectRoot("a", "/chat")], None),
        ("/chat", [OTHER], Redirected("/chat/", "https://other.example/chat/", "r")),
        ("/chat", [Unknown("x"), OTHER], None),
        ("/chat", [RedirectRegex("r", "^http://(.*)", "https://$1")], None),
        ("/chat", [RedirectRegex("r", "^http://chat.example/(.*)", "https://chat.example:8443/$1")], None),
        ("/chat", [RedirectRegex("r", "^(http://[^/]+/[a-z]+)$", "$1/")], None),
        ("/chat", [RedirectRegex("r", "^http://www.chat.example/(.*)", "https://chat.example/$1")], None),
        (
            "/chat",
            [RedirectRegex("r", "/ws/socket.io/$", "/ws/")],
            Redirected("/chat/ws/socket.io/", "http://chat.example/chat/ws/", "r"),
        ),
        ("/chat", [RedirectRegex("r", "^http://[^/]*/assets/", "http://cdn.example/")], None),
        (
            "/chat",
            [StripPrefix(("/chat",)), RedirectRegex("r", "^http://[^/]*/assets/", "http://cdn.example/")],
            Redirected("/chat/assets/index-B3l_x9.js", "http://cdn.example/index-B3l_x9.js", "r"),
        ),
        ("/chat", [RedirectRegex("r", "(?=x)", "y")], None),
        ("/chat", [RedirectRegex("r", "^h", "x" * 5000)], Redirected("/chat/", "another address", "r")),
        (
            "/chat",
            [ReplacePrefixMatch("/x"), RedirectRegex("r", "/x/ws/socket.io/$", "/ws/")],
            Redirected("/chat/ws/socket.io/", "http://chat.example/ws/", "r"),
        ),
        # What becomes of the page is not known, and the next request is redirected.
        (
            "/chat",
            [RewriteWholePath("^/chat/$", "$host"), RedirectRegex("r", "/ws/socket.io/$", "/ws/")],
            Redirected("/chat/ws/socket.io/", "http://chat.example/chat/ws/", "r"),
        ),
        (
            "/chat",
            [RedirectRegex("r", "^http:", "http://[")],
            Redirected("/chat/", "http://[//chat.example/chat/", "r"),
        ),
    ],
)
def test_first_redirect(public: str, transforms: list[Transform], found: Redirected | None) -> None:
    assert first_redirect(public, transforms, "http://chat.example") == found


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


@pytest.mark.parametrize("strip", [StripPrefix(("/chat/",)), StripPrefixRegex(("/chat/",))], ids=["text", "expression"])
def test_a_path_that_is_stripped_whole_stays_empty_for_the_next_middleware(
    strip: StripPrefix | StripPrefixRegex,
) -> None:
    """Traefik adds a slash only to a rest that has text: ``/chat/`` becomes ``/chat``, where Chainlit has no page."""
    assert strip("/chat/", "/chat") == ""
    assert backend_prefix("/chat", (strip,)) == ""
    assert backend_prefix("/chat", (strip, AddPrefix("/chat"))) is None


@pytest.mark.parametrize(
    ("public", "transforms", "arrives"),
    [
        ("/chat", [PrefixRewrite("/chat", "/")], "//ws/socket.io/"),
        ("/chat", [AddPrefix("/x"), PrefixRewrite("/chat/", "/other")], "/otherws/socket.io/"),
        ("", [PrefixRewrite("/", "/chat")], "/chatws/socket.io/"),
        ("/chat", [PrefixRewrite("/chat", "/other")], ""),
        ("/chat", [PrefixRewrite("/chat/", "/")], ""),
        ("/chat", [ReplaceFullPath("/")], ""),
        ("/chat", [], ""),
    ],
)
def test_a_wrong_slash_is_explained(public: str, transforms: list[Transform], arrives: str) -> None:
    message = why_lost(public, transforms)
    assert bool(message) is bool(arrives)
    assert f"{public}/ws/socket.io/ arrives as {arrives}." in message or not arrives


@pytest.mark.parametrize(
    ("pattern", "replacement", "path", "new"),
    [
        # As RE2::GlobalReplace: all matches, and no empty one right after another match.
        ("b*", "-", "abba", "-a-a-"),
        ("a", r"[\0]", "aba", "[a]b[a]"),
        ("(a)(b)?", r"\2\1", "ab-a", "ba-a"),
        ("^a", "", "aa", "a"),
        ("a", r"\\", "a", "\\"),
        ("a", "$1", "a", "$1"),
        ("(a)", r"\2", "a", None),
        ("a", r"\x", "a", None),
        ("a", "b\\", "a", None),
        ("a", "x" * 5000, "a", None),
    ],
)
def test_envoy_replaces_each_match(pattern: str, replacement: str, path: str, new: str | None) -> None:
    assert RegexRewrite(pattern, replacement)(path, "") == new
