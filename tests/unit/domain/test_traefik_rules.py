"""Rules of Traefik's routers: what a rule matches, and its priority."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainlit_operator.domain import traefik_matches, traefik_rules
from chainlit_operator.domain.traefik_matches import Match, matches_of
from chainlit_operator.domain.traefik_rules import Group, Matcher, RuleError, parse

A, B, C = (Matcher("Path", (text,)) for text in ("/a", "/b", "/c"))


def a_and(*parts: Matcher | Group) -> Group:
    return Group("&&", parts)


def an_or(*parts: Matcher | Group) -> Group:
    return Group("||", parts)


@pytest.mark.parametrize(
    ("rule", "tree"),
    [
        ("Path(`/a`)", A),
        ("  path( `/a` , )  \n", A),
        ("PATH(`/a`)", A),
        ("((Path(`/a`)))", A),
        ('Path("/a")', A),
        (r'PathRegexp("^/a\\.b\"$")', Matcher("PathRegexp", ('^/a\\.b"$',))),
        (r"PathRegexp(`^/a\.b$`)", Matcher("PathRegexp", (r"^/a\.b$",))),
        ("Pathprefix(`/a`)", Matcher("PathPrefix", ("/a",))),
        ("Path(`/a`) && Path(`/b`) && Path(`/c`)", a_and(A, B, C)),
        ("Path(`/a`)&&Path(`/b`)||Path(`/c`)", an_or(a_and(A, B), C)),
        ("Path(`/a`) || Path(`/b`) && Path(`/c`)", an_or(A, a_and(B, C))),
        ("(Path(`/a`) || Path(`/b`)) && Path(`/c`)", a_and(an_or(A, B), C)),
        ("Path(`/a`) &&\n  Path(`/b`)", a_and(A, B)),
        ("!Path(`/a`) && Path(`/b`)", a_and(Group("!", (A,)), B)),
        ("!(Path(`/a`) && Path(`/b`))", Group("!", (a_and(A, B),))),
        ("!!Path(`/a`)", Group("!", (Group("!", (A,)),))),
        ("Query(`a`) || Query(`a`, `b`)", an_or(Matcher("Query", ("a",)), Matcher("Query", ("a", "b")))),
    ],
)
def test_trees(rule: str, tree: Matcher | Group) -> None:
    assert parse(rule) == tree


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("", "ends too early"),
        ("   ", "ends too early"),
        ("Host(`a`) &&", "ends too early"),
        ("(Host(`a`)", "ends too early"),
        ("Host(`a`", "ends too early"),
        ("Host", "ends too early"),
        ("Host(`a`) Path(`/a`)", "cannot be read at character 11, 'Path'"),
        ("Host(`a`) & Path(`/a`)", "cannot be read at character 11, '&'"),
        ("Host(`a`))", "cannot be read at character 10, ')'"),
        ("Host('a')", 'cannot be read at character 6, "\'"'),
        ("Host(a)", "cannot be read at character 6, 'a'"),
        ("Host(`a)", "cannot be read at character 6, '`'"),
        ("&& Host(`a`)", "cannot be read at character 1, '&&'"),
        ("Host(`a`)\n&& Path(`/a`)", "has a line break at character 10, where Traefik takes it for its end"),
        ("Host(\n`a`\n)", "has a line break at character 10, where Traefik takes it for its end"),
        ("Host(`a`, `b`)", "has Host with 2 values, and Traefik 3 takes 1, at character 1"),
        ("Host()", "has Host with 0 values, and Traefik 3 takes 1, at character 1"),
        ("Header(`a`)", "has Header with 1 values, and Traefik 3 takes 2, at character 1"),
        ("HostSNI(`a`)", "has HostSNI, which is no matcher of Traefik 3, at character 1"),
        ("Path(`/a`) || Headers(`a`, `b`)", "has Headers, which is no matcher of Traefik 3, at character 15"),
        ("PathPrefix(`chat`)", "has PathPrefix without a slash at the beginning at character 1"),
        ("Host(``)", "has Host with an empty value at character 1"),
        ("Host(`ä`)", "has Host with characters outside ASCII at character 1"),
        (r'PathRegexp("^/\d")', r"has the escape \d in the text at character 12"),
        ("!" * 52 + "Path(`/a`)", "is nested too deep at character 52"),
        ("(" * 52 + "Path(`/a`)", "is nested too deep at character 52"),
        ("Path(`/" + "a" * 4096 + "`)", "has more than 4,096 characters"),
    ],
)
def test_rules_that_are_not_read(rule: str, why: str) -> None:
    with pytest.raises(RuleError) as raised:
        matches_of(rule)
    assert str(raised.value) == why


@pytest.mark.parametrize(
    ("rule", "is_read"),
    [
        ("Host(`a`) && (PathPrefix(`/a`) || Path(`/b`)) && Method(`GET`) && ClientIP(`10.0.0.1`)", True),
        ("Host(`a`, `b`)", False),
        ("HostRegexp(`{sub:[a-z]+}.example.com`)", False),
        ("PathPrefix(`/{id:[0-9]+}`)", False),
        ("Headers(`a`, `b`)", False),
        ("Query(`a=b`)", False),
    ],
)
def test_of_the_syntax_of_traefik_2_only_what_means_the_same_is_read(rule: str, is_read: bool) -> None:
    try:
        assert matches_of(rule, is_old=True) == matches_of(rule) and is_read
    except RuleError:
        assert not is_read


HEADERS = ("a header matches", "no header matches")
PREFIX, EXACT, EXPRESSION = "PathPrefix", "Path", "PathRegexp"


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        ("Host(`A.example.`)", [("a.example", "/", PREFIX)]),
        ("PathPrefix(`/a`)", [("", "/a", PREFIX)]),
        ("Host(`*`) && Path(`/a`)", [("", "/a", EXACT)]),
        ("Host(`*.example`) && Host(`a.example`)", [("a.example", "/", PREFIX)]),
        ("Host(`a.example`) && Host(`b.example`)", [None]),
        ("HostRegexp(`^a\\.example$`)", [("a.example", "/", PREFIX)]),
        ("HostRegexp(`.+`) || HostRegexp(`^.*$`)", [("", "/", PREFIX), ("", "/", PREFIX)]),
        ("HostRegexp(`a.example`)", [("HostRegexp(`a.example`)", "/", PREFIX)]),
        (
            "HostRegexp(`^a`) && Host(`a.example`)",
            [("a.example", "/", PREFIX, "the host matches HostRegexp(`^a`)")],
        ),
        ("!Host(`a.example`)", [("", "/", PREFIX, "the host does not match a.example")]),
        ("Host(`a.example`) && !Host(`b.example`)", [("a.example", "/", PREFIX)]),
        ("Host(`a.example`) && !Host(`a.example`)", [None]),
        ("Host(`a.example`) && !Host(`*`)", [None]),
        # Paths
        ("PathPrefix(`/a`) && PathPrefix(`/a/b`)", [("", "/a/b", PREFIX)]),
        ("PathPrefix(`/a`) && PathPrefix(`/b`)", [None]),
        ("PathPrefix(`/a`) && Path(`/a/b`)", [("", "/a/b", EXACT)]),
        ("PathPrefix(`/a`) && Path(`/b`)", [None]),
        ("Path(`/a`) && Path(`/b`)", [None]),
        ("Path(`/a`) || PathPrefix(`/a/`)", [("", "/a", EXACT), ("", "/a/", PREFIX)]),
        ("PathRegexp(`^/a`)", [("", "^/a", EXPRESSION)]),
        ("PathPrefix(`/`) && PathRegexp(`^/a`)", [("", "^/a", EXPRESSION)]),
        ("PathPrefix(`/a`) && PathRegexp(`b`)", [("", "/a", PREFIX, "the path matches b")]),
        ("Path(`/a`) && PathRegexp(`a`)", [("", "/a", EXACT, "the path matches a")]),
        ("PathRegexp(`a`) && PathRegexp(`b`)", [("", "a", EXPRESSION, "the path matches b")]),
        ("PathPrefix(`/a`) && !PathPrefix(`/a/b`)", [("", "/a", PREFIX, "the path does not begin with /a/b")]),
        ("PathPrefix(`/a`) && !Path(`/a`)", [("", "/a", PREFIX, "the path is not /a")]),
        ("PathPrefix(`/a`) && !PathPrefix(`/b`)", [("", "/a", PREFIX)]),
        ("PathPrefix(`/a`) && !Path(`/b`)", [("", "/a", PREFIX)]),
        ("PathPrefix(`/a`) && !PathPrefix(`/`)", [None]),
        ("PathPrefix(`/a`) && !PathRegexp(`b`)", [("", "/a", PREFIX, "the path does not match b")]),
        ("PathRegexp(`a`) && !PathPrefix(`/b`)", [("", "a", EXPRESSION, "the path does not begin with /b")]),
        ("PathRegexp(`a`) && !PathPrefix(`/`)", [None]),
        ("Path(`/a`) && !PathPrefix(`/b`)", [("", "/a", EXACT)]),
        ("Path(`/a`) && !PathPrefix(`/`)", [None]),
        # Conditions: the method comes last.
        ("Method(`get`)", [("", "/", PREFIX, "the method is GET")]),
        ("Method(`GET`) && Header(`a`, `b`)", [("", "/", PREFIX, "a header matches and the method is GET")]),
        ("Method(`GET`) && Method(`POST`)", [None]),
        ("Method(`GET`) && Method(`GET`)", [("", "/", PREFIX, "the method is GET")]),
        ("!Method(`GET`)", [("", "/", PREFIX, "the method is not GET")]),
        ("HeaderRegexp(`a`, `b`) || !Header(`a`, `b`)", [("", "/", PREFIX, c) for c in HEADERS]),
        ("Query(`a`) && QueryRegexp(`a`, `b`)", [("", "/", PREFIX, "a query parameter matches")]),
        ("!Query(`a`)", [("", "/", PREFIX, "no query parameter matches")]),
        ("ClientIP(`10.0.0.0/8`)", [("", "/", PREFIX, "the client's address is in 10.0.0.0/8")]),
        ("!ClientIP(`10.0.0.1`)", [("", "/", PREFIX, "the client's address is not in 10.0.0.1")]),
        # Alternatives
        (
            "(Host(`a`) || Host(`b`)) && (PathPrefix(`/c`) || PathPrefix(`/d`))",
            [(host, path, PREFIX) for host in "ab" for path in ("/c", "/d")],
        ),
        ("!(Path(`/a`) || Path(`/b`)) && Path(`/c`)", [("", "/c", EXACT)]),
        (
            "!(Method(`GET`) && Query(`a`))",
            [("", "/", PREFIX, c) for c in ("the method is not GET", "no query parameter matches")],
        ),
        ("!!Path(`/a`)", [("", "/a", EXACT)]),
    ],
)
def test_matches(rule: str, matches: list[tuple[str, ...] | None]) -> None:
    assert matches_of(rule) == tuple(Match(*found) if found is not None else None for found in matches)


def test_a_rule_has_a_limit_of_alternatives() -> None:
    pair = "(Path(`/a`) || Path(`/b`))"
    assert len(matches_of(" && ".join([pair] * 6))) == 64
    many = " || ".join(["Path(`/a`)"] * 101)
    for rule in (many, " && ".join([pair] * 7), " && ".join([pair] * 6 + ["Path(`/`)"] * 3)):
        with pytest.raises(RuleError, match="has more than 100 alternatives, or 500 matchers in them"):
            matches_of(rule)


# A rule and a request are judged a second time, without alternatives.
PATHS = ("/", "/a", "/a/", "/a/b", "/ab", "/b")
_LEAVES = st.one_of(
    st.builds(Matcher, st.sampled_from(("Path", "PathPrefix")), st.sampled_from(PATHS).map(lambda text: (text,))),
    st.builds(Matcher, st.just("Host"), st.sampled_from((("x",), ("y",)))),
    st.builds(Matcher, st.just("Method"), st.sampled_from((("GET",), ("PUT",)))),
)
_TREES = st.recursive(
    _LEAVES,
    lambda parts: st.one_of(
        st.builds(Group, st.sampled_from(("&&", "||")), st.lists(parts, min_size=2, max_size=3).map(tuple)),
        st.builds(lambda part: Group("!", (part,)), parts),
    ),
    max_leaves=6,
)


def _written(tree: Matcher | Group) -> str:
    if isinstance(tree, Matcher):
        return f"{tree.name}(`{tree.values[0]}`)"
    if tree.operator == "!":
        return f"!{_written(tree.parts[0])}"
    return f"({f' {tree.operator} '.join(map(_written, tree.parts))})"


def _meets(tree: Matcher | Group, host: str, path: str, method: str) -> bool:
    if isinstance(tree, Group):
        found = [_meets(part, host, path, method) for part in tree.parts]
        return not found[0] if tree.operator == "!" else all(found) if tree.operator == "&&" else any(found)
    asked = {"Host": host, "Method": method}.get(tree.name, path)
    return asked.startswith(tree.values[0]) if tree.name == "PathPrefix" else asked == tree.values[0]


def _matches(match: Match, host: str, path: str, method: str) -> bool:
    is_path = path == match.path if match.path_type == EXACT else path.startswith(match.path)
    return (
        match.host in ("", host)
        and is_path
        and all(_holds(condition, host, path, method) for condition in match.condition.split(" and ") if condition)
    )


def _holds(condition: str, host: str, path: str, method: str) -> bool:
    *_, value = condition.split(" ")
    if condition.startswith("the method"):
        return (method == value) is not (" not " in condition)
    if condition.startswith("the host does not match "):
        return host != value
    assert condition.startswith(("the path does not begin with ", "the path is not "))
    return path != value if " is not " in condition else not path.startswith(value)


@given(_TREES, st.sampled_from("xyz"), st.sampled_from((*PATHS, "/abc", "/c")), st.sampled_from(("GET", "PUT", "POST")))
def test_the_alternatives_of_a_rule_match_what_the_rule_matches(
    tree: Matcher | Group, host: str, path: str, method: str
) -> None:
    try:
        found = matches_of(_written(tree))
    except RuleError:
        return
    matched = any(match is not None and _matches(match, host, path, method) for match in found)
    assert matched is _meets(tree, host, path, method)


@given(st.text(st.sampled_from("Host(`/a\"'),!&| \n\\Path"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(RuleError):
        assert len(matches_of(text)) <= traefik_matches.MAX_ALTERNATIVES


@pytest.mark.parametrize(
    ("rule", "stated", "priority"), [("Host(`ä`)", 0, 10), ("Host(`a`)", 7, 7), ("Host(`a`)", -1, -1)]
)
def test_the_priority_is_stated_or_the_length_of_the_rule_in_bytes(rule: str, stated: int, priority: int) -> None:
    assert traefik_rules.priority_of(rule, stated) == priority


@pytest.mark.parametrize(
    ("host", "path", "rules"),
    [
        (
            "example.com",
            "/chat",
            (
                'Host("example.com") && PathPrefix("/chat")',
                'Host("example.com") && (Path("/chat") || PathPrefix("/chat/"))',
            ),
        ),
        ("", "/chat/", ('PathPrefix("/chat/")', '(Path("/chat") || PathPrefix("/chat/"))')),
        ("", "/", ('PathPrefix("/")', 'PathPrefix("/")')),
    ],
)
def test_the_priority_of_an_ingress_is_the_length_of_its_rule(host: str, path: str, rules: tuple[str, str]) -> None:
    assert traefik_rules.usual_priority(host, path) == len(rules[0])
    assert traefik_rules.possible_priorities(host, path) == (len(rules[0]), len(rules[1]))
