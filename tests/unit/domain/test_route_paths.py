"""The paths of a route: how many of its expressions are run."""

from __future__ import annotations

import pytest
from tests.unit.domain.world import ingress, path, regex

from chainlit_operator.domain.model import Matching, RoutePath
from chainlit_operator.domain.route_paths import MAX_EXPRESSIONS, has_closing_wildcard, limited, prefix_of

MANY = [regex(f"/team-{number}/(.*)") for number in range(MAX_EXPRESSIONS)]


def test_route_with_as_many_expressions_as_are_run_stays_as_it_is() -> None:
    route = ingress(*MANY, "/chat")

    assert limited(route) == route


@pytest.mark.parametrize("matching", [Matching.REGULAR_EXPRESSION, Matching.UNKNOWN])
def test_expression_beyond_the_limit_is_not_known(matching: Matching) -> None:
    last = path("/last/(.*)", path_type="ImplementationSpecific", matching=matching)
    assert last.styles

    found = limited(ingress(*MANY, "/chat", last))

    kept, plain, beyond = found.paths[:MAX_EXPRESSIONS], *found.paths[MAX_EXPRESSIONS:]
    assert found.ref == ingress().ref
    assert list(kept) == MANY
    assert plain == path("/chat")
    assert (beyond.path, beyond.matching, beyond.styles) == ("/last/(.*)", Matching.UNKNOWN, ())


def test_expression_that_stands_twice_counts_once() -> None:
    route = ingress(*MANY, MANY[0], MANY[-1])

    assert limited(route) == route


def test_plain_paths_do_not_count() -> None:
    route = ingress(*(f"/team-{number}" for number in range(MAX_EXPRESSIONS)), *MANY)

    assert limited(route) == route


@pytest.mark.parametrize(
    ("found", "prefix"),
    [
        (path("/chat/"), "/chat"),
        (path("/chat*"), "/chat*"),
        (path("/chat/*", matching=Matching.WILDCARD), "/chat"),
        (path("/chat*", matching=Matching.WILDCARD), "/chat"),
        (regex("/chat/(.*)"), "/chat"),
        (regex("/[a-z]+"), ""),
    ],
)
def test_shortest_prefix(found: RoutePath, prefix: str) -> None:
    assert prefix_of(found) == prefix


@pytest.mark.parametrize(("pattern", "expected"), [("/a*", True), ("/a", False), ("/*/a*", False), ("/a?*", False)])
def test_closing_wildcard(pattern: str, expected: bool) -> None:
    assert has_closing_wildcard(pattern) is expected
