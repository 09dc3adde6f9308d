"""Expressions: the prefixes that they have, what is not evaluated, and the bounds of what an expression may cost."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainlit_operator.domain import chainlit, expressions, replacements
from chainlit_operator.domain.expression_parts import MAX_DEPTH, MAX_STARTS, literal_beginning, tokens, tree
from chainlit_operator.domain.expressions import (
    ANY_STYLE,
    ANYWHERE,
    MAX_LENGTH,
    MAX_MATCHES,
    MAX_TEXT,
    WHOLE,
    Expression,
    Match,
    NotEvaluated,
    Style,
    Syntax,
    is_plain,
    matches,
    may_match,
    prefixes,
    read,
    why_not_evaluated,
)
from chainlit_operator.domain.model import Matching, RoutePath
from chainlit_operator.domain.replacements import replace_all, substitute
from chainlit_operator.domain.resolution import path_overrides
from chainlit_operator.domain.rewrites import ReplaceMatch, RewriteWholePath, StripPrefixRegex, backend_prefix

NGINX = Style(Syntax.PCRE, start="^", ignores_case=True)


@pytest.mark.parametrize(
    ("text", "nginx", "anywhere", "whole"),
    [
        ("/chat(/|$)(.*)", ["/chat"], ["/chat"], ["/chat"]),
        ("/chat/?(.*)", ["/chat"], ["/chat"], ["/chat"]),
        ("/chat(/.*)?", ["/chat"], ["/chat"], ["/chat"]),
        ("/chat(/.+)?", ["/chat"], ["/chat"], []),
        ("/chat/.+", [], [], []),
        ("/chat.*", ["/chat"], ["/chat"], ["/chat"]),
        ("^/chat/.*$", ["/chat"], ["/chat"], ["/chat"]),
        ("/(chat/.*)", ["/chat"], ["/chat"], ["/chat"]),
        ("/team/(chat.*)", ["/team/chat"], ["/team/chat"], ["/team/chat"]),
        ("/chat(?:/(.*))?", ["/chat"], ["/chat"], ["/chat"]),
        ("/chat()(/.*)?", ["/chat"], ["/chat"], ["/chat"]),
        ("/(?P<app>chat)(/.*)?", ["/chat"], ["/chat"], ["/chat"]),
        (r"/chat[\w./~-]*", ["/chat"], ["/chat"], ["/chat"]),
        (r"/v1\.0/chat(.*)", ["/v1.0/chat"], ["/v1.0/chat"], ["/v1.0/chat"]),
        ("/v1.0/chat(.*)", ["/v1.0/chat"], ["/v1.0/chat"], ["/v1.0/chat"]),
        ("/(?i)CHAT(/|$)(.*)", ["/CHAT"], ["/CHAT"], ["/CHAT"]),
        ("/(chat|bot)(/|$)(.*)", ["/bot", "/chat"], ["/bot", "/chat"], ["/bot", "/chat"]),
        ("/chat(/.*)?|/bot(/.*)?", ["/bot", "/chat"], ["/bot", "/chat"], ["/bot", "/chat"]),
        ("/(chat/)?(.*)", ["", "/chat"], ["", "/chat"], ["", "/chat"]),
        ("/chat(/(ws|assets))?.*", ["/chat", "/chat/ws", "/chat/assets"], ["/chat", "/chat/ws", "/chat/assets"],
         ["/chat", "/chat/ws", "/chat/assets"]),
        ("/(.*)", [""], [""], [""]),
        ("", [""], [""], []),
        ("/chat", ["/chat"], ["/chat"], []),
        ("/chat(/|$)", ["/chat"], ["/chat"], []),
        ("/cha+t*.*", ["/cha", "/chat"], ["/cha", "/chat"], ["/cha", "/chat"]),
        ("/chat$", [], [], []),
        ("/ch[a-z]*", [], [], []),
        ("/ch([a-z]+)(/.*)?", [], [], []),
        ("/chat[0-9]", [], [], []),
        ("/cha{1}t.*", [], [], []),
        ("/[a-z]+/(.*)", [], [], []),
        ("/chat/([a-z/]*)$", [], [], []),
        (r"/\d*chat.*", [], [], []),
        ("/chat(", [], [], []),
        ("/chat)", [], [], []),
        ("*", [], [], []),
        ("chat(.*)", [], [], []),
        ("//chat.*", [], [], []),
        ("/chat(?=/)", [], [], []),
    ],
)  # fmt: skip
def test_prefixes(text: str, nginx: list[str], anywhere: list[str], whole: list[str]) -> None:
    assert [list(prefixes(text, (style,))) for style in (NGINX, ANYWHERE, WHOLE)] == [nginx, anywhere, whole]
    assert list(prefixes(text, ANY_STYLE)) == [each for each in anywhere if each in whole]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/chat(/|$)(.*)", ""),
        (r"/\Qchat\E(/.*)?[^]a][[:alpha:]]{2,3}?", ""),
        ("(?P<a>x)(?<b>y)(?i-s:z)(?U)", ""),
        ("/chat(?=/)", "it has a look-around, (?="),
        ("/(?!api).*", "it has a look-around, (?!"),
        ("/(?<=a).*", "it has a look-around, (?<="),
        ("/(?<!a).*", "it has a look-around, (?<!"),
        (r"/(a)\1", r"it has a back reference, \1"),
        (r"/(a)\k<a>", r"it has a back reference, \k"),
        ("/(?P<a>b)(?P=a)", "it has a back reference, (?P="),
        ("/chat.*+", "it has a possessive quantifier, *+"),
        ("/a{2,}+", "it has a possessive quantifier, {2,}+"),
        (r"/chat\K.*", r"it has a special escape, \K"),
        (r"/chat\Z", r"it has a special escape, \Z"),
        ("/(?>chat).*", "it has a special group, (?>"),
        ("/(?|a|b).*", "it has a special group, (?|"),
        ("/(?x) a", "it has a special group, (?x)"),
        ("(*UTF8)/chat", "it has a special group, (*"),
        ("/chät", "it has characters outside ASCII"),
        ("/chat(", "RE2 cannot read it (missing ): /chat()"),
        ("/chat)", "its groups are too deep, or end before they begin"),
        (r"/chat\h", r"RE2 cannot read it (invalid escape sequence: \h)"),
        ("(" * MAX_DEPTH + ")" * MAX_DEPTH, "its groups are too deep, or end before they begin"),
        ("(" * (MAX_DEPTH - 1) + ")" * (MAX_DEPTH - 1), ""),
        ("/" * MAX_LENGTH, ""),
        ("/" * (MAX_LENGTH + 1), f"it has more than {MAX_LENGTH} characters"),
    ],
)
def test_why_not_evaluated(text: str, why: str) -> None:
    found = read(text, Syntax.GO)
    assert (found.why if isinstance(found, NotEvaluated) else "") == why
    assert why_not_evaluated(text, ANY_STYLE) == why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (r"/\p{L}+", r"it has a Unicode class, \p{L}"),
        (r"/\PL", r"it has a Unicode class, \PL"),
        ("/chat(/?.?)*", "it repeats a group that may be empty"),
        ("/chat(a|b*|c)+", "it repeats a group that may be empty"),
        ("/chat((/.)?){2}", "it repeats a group that may be empty"),
        ("/chat(^|$)*", "it repeats a group that may be empty"),
        ("/chat(/.*)*", ""),
        ("/chat(/.?)?", ""),
    ],
)
def test_differences_of_pcre(text: str, why: str) -> None:
    assert why_not_evaluated(text, (NGINX,)) == why
    assert why_not_evaluated(text, ANY_STYLE) == ""


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("/Chat", "/Chat"),
        ("/chat(/|$)(.*)", "/chat"),
        ("^/chat.*", "/chat"),
        ("/a^b", "/a"),
        ("/chat$", "/chat"),
        (r"/v1\.0/x+y", "/v1.0/"),
        ("/chat?", "/cha"),
        ("/[a]", "/"),
        ("(/chat)", ""),
        ("/chat|/bot", ""),
        ("", ""),
    ],
)
def test_literal_beginning(text: str, beginning: str) -> None:
    top = tree(tokens(text))
    assert top is not None and literal_beginning(top) == beginning


def test_is_plain() -> None:
    assert is_plain("/v1.0/chat-a_b~c%20")
    assert not any(is_plain(f"/chat{char}") for char in "()[]{}*+?^$|\\")


def compiled(text: str) -> Expression:
    found = read(text, Syntax.GO)
    assert isinstance(found, Expression)
    return found


def test_matches() -> None:
    assert compiled("(a)|(b)").first("-xa") == Match(2, 3, ("a", "a", ""))
    assert compiled("(a)|(.b)").first("-üb") == Match(1, 4, ("üb", "", "üb"))
    assert compiled("[^ab-]").replaced("aüb-ü", lambda found: f"<{found.groups[0]}>") == "a<ü>b-<ü>"
    assert compiled("a").first("b") is None
    assert compiled("$").first("a") == Match(1, 1, ("",))
    # Half of a character is none.
    assert compiled("a").first("\ud800a") == Match(1, 2, ("a",))
    assert compiled("a").replaced("\ud800a", lambda _: "\ud800") == "??"
    # Nor is a place between the bytes of a character.
    assert compiled("x*").replaced("/ü日x", lambda _: "-") == "-/-ü-日-"
    assert compiled(r"\B").replaced("üa", lambda _: "-") == "-üa"
    assert [compiled("$").first("ü"), compiled("x?").first("ü")] == [Match(2, 2, ("",)), Match(0, 0, ("",))]
    assert compiled("b").matches("abc") and not compiled("b").matches("abc", is_whole=True)
    assert compiled("a.c").matches("aüc", is_whole=True) and compiled("a.c").matches("a\ud800c")


@pytest.mark.parametrize(
    ("pattern", "replacement", "result"),
    [
        ("b", "x", "axc/axc"),
        ("^a", "x", "xbc/abc"),
        ("(.*)", "<$1>", "<abc/abc>"),
        ("x*", "-", "-a-b-c-/-a-b-c-"),
        ("b*", "-", "-a-c-/-a-c-"),
        ("(a)(b)", "$2${1}", "bac/bac"),
        ("(a)b", "$1x", "c/c"),
        ("(a)b", "${1}x", "axc/axc"),
        ("(?P<first>a)b", "$first-", "a-c/a-c"),
        ("a", "$0$$", "a$bc/a$bc"),
        ("a", "$", "$bc/$bc"),
        ("a", "${", "${bc/${bc"),
        ("a", "$9${nine}${99999999999999999999}", "bc/bc"),
    ],
)
def test_replace_all(pattern: str, replacement: str, result: str) -> None:
    assert replace_all("abc/abc", compiled(pattern), replacement) == result


@pytest.mark.parametrize(
    ("replacement", "result"),
    [("/$2", "/b"), ("/${1}x$2", "/axb"), ("$3", ""), ("/$0", "/"), ("/x", "/x"), ("/$x", None),
     ("$1" * 2048, "a" * 2048), ("$1" * 2048 + "/", None)],
)  # fmt: skip
def test_substitute(replacement: str, result: str | None) -> None:
    assert substitute(replacement, ("ab", "a", "b")) == result


@pytest.mark.parametrize(
    ("text", "replacement", "is_within"),
    [
        ("a", "x" * MAX_TEXT, False),
        ("a", "x" * (MAX_TEXT - 1), True),
        ("a", "x" * (MAX_TEXT + 1), False),
        ("aa", "x" * (MAX_TEXT // 2 - 1), True),
        ("aa", "x" * (MAX_TEXT // 2), False),
        ("a" * MAX_MATCHES, "", True),
        ("a" * (MAX_MATCHES + 1), "", False),
    ],
)
def test_a_replacement_has_limits(text: str, replacement: str, is_within: bool) -> None:
    assert (replace_all(text, compiled("a"), replacement) is not None) is is_within


def test_the_longest_replacement() -> None:
    assert replace_all("", compiled("^"), "x" * replacements.MAX_LENGTH) == "x" * replacements.MAX_LENGTH


def test_many_alternatives_have_no_prefix() -> None:
    few, many = ("|".join(f"/{n}(/.*)?" for n in range(count)) for count in (MAX_STARTS // 2, MAX_STARTS // 2 + 1))
    assert len(prefixes(few, ANY_STYLE)) == MAX_STARTS // 2
    assert prefixes(many, ANY_STYLE) == ()


HOSTILE = [
    "/" + "(a|b)" * 100 + ".*",
    "/" + "(a?)" * 125 + ".*",
    "(" * 19 + "/a" + ")*" * 19,
    "/(.*)" * 100,
    "/chat" + ".?" * 250 + "x",
    "/chat(.{0,900}x)",
    "/chat((a|b|c|d){0,30}x){0,30}",
    "[[:a" * 128,
    "\\Q" * 256,
    "(?P<" * 128,
    "|" * 512,
    "/" + "|".join("a" * n for n in range(1, 31)),
    "[^" * 256,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12])
def test_a_hostile_expression_costs_little(text: str) -> None:
    def seconds() -> float:
        expressions._read.cache_clear()
        prefixes.cache_clear()
        begin = time.process_time()
        prefixes(text, (NGINX, *ANY_STYLE))
        return time.process_time() - begin

    assert min(seconds() for _ in range(3)) < 0.03


@pytest.mark.parametrize("text", [*HOSTILE, "/.*(a|b|c).{200}", "/([a-z]+)*$"], ids=lambda text: text[:12])
def test_a_hostile_expression_costs_little_at_the_longest_path(text: str) -> None:
    path = RoutePath("", text, "", "", 0, matching=Matching.REGULAR_EXPRESSION, styles=(NGINX,))
    top = "/a" * 2000

    def seconds() -> float:
        path_overrides._requests_of.cache_clear()
        begin = time.process_time()
        path_overrides.requests_of(path, top)
        backend_prefix(top, (RewriteWholePath(text, "/$1", ignores_case=True),))
        backend_prefix(top, (ReplaceMatch(text, "/$1"),))
        return time.process_time() - begin

    assert min(seconds() for _ in range(3)) < 0.03


def test_an_expression_that_is_too_large_for_a_path_is_not_run() -> None:
    large = "/(?:.*(a|b|c).{200}|chat)(.*)"
    short, long = "/chat/", "/chat" + "/x" * 40 + "/"
    assert matches(large, NGINX, short) and not matches(large, NGINX, long)
    assert may_match(large, NGINX, short) and may_match(large, NGINX, long) and not may_match(large, NGINX, "/bot/")
    assert backend_prefix("/chat", (ReplaceMatch("^/chat(.*)", "$1"),)) == ""
    for rewrite in (
        RewriteWholePath(large, "$2", ignores_case=True),
        ReplaceMatch(f"^{large}", "$2"),
        StripPrefixRegex((large,)),
    ):
        assert rewrite(long, "") is None
    assert RewriteWholePath(large, "$2", ignores_case=True)(short, "") == "/"


def test_an_expression_is_compiled_once() -> None:
    expressions._read.cache_clear()
    prefixes.cache_clear()
    for _ in range(3):
        assert prefixes("/once(/.*)?", (WHOLE,)) == ("/once",)
    assert expressions._read.cache_info().misses == 2, "the expression, and its dot"


@given(st.text("/chat|()?.*+[a-z]$^\\{2}:", max_size=30))
def test_each_prefix_is_proved(text: str) -> None:
    for prefix in prefixes(text, (ANYWHERE,)):
        for request in chainlit.REQUESTS:
            assert expressions.matches(text, ANYWHERE, prefix + request)
