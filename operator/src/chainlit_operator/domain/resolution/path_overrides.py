"""Path overrides: paths of a route that may take requests away from the path that serves Chainlit.

Controllers differ. Traefik and Contour compare the path of an Ingress by characters. Some controllers try expressions
before plain paths, others sort both by length. On Traefik's Gateway expressions match anywhere, and a method counts as
much as ten characters of a path. A path counts as an override if it may take a request on any controller.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from chainlit_operator.domain import chainlit, expressions, paths
from chainlit_operator.domain.expressions import Style, Syntax
from chainlit_operator.domain.hosts import share_host
from chainlit_operator.domain.model import Matching, Precedence, RoutePath
from chainlit_operator.domain.route_paths import may_be_met, prefix_of

#: Where no controller is known, each way in which one may read an expression: from the beginning, or anywhere.
_ANY_STYLE = (
    Style(Syntax.PCRE, start="^", ignores_case=True),
    Style(Syntax.PCRE, ignores_case=True),
)
_METHOD_WEIGHT = 10
_WILDCARD = re.compile(r"[*?]")


def takes(precedence: Precedence, other: RoutePath, chosen: RoutePath, top: str, *, is_before: bool = True) -> bool:
    """Whether ``other`` may take a request that Chainlit needs, though ``chosen`` lets all below ``top`` through.

    ``precedence`` is that of their route, and ``is_before`` says that the route has ``other`` before ``chosen``. A path
    with a condition on headers or query parameters takes no requests: a browser does not send these by itself.

    Where both paths have a priority, that alone decides, also between a host and a wildcard or none. Of two paths with
    one priority each may win.
    """
    if not may_be_met(other.condition, top):
        return False
    if other.priority and chosen.priority:
        is_before = share_host(other.host, chosen.host) and other.priority >= chosen.priority
        return is_before and _may_match_needed(other, top, by_characters=precedence is Precedence.LONGEST_TEXT)
    return other.host == chosen.host and _takes_by_precedence(precedence, other, chosen, top, is_before=is_before)


def _takes_by_precedence(
    precedence: Precedence, other: RoutePath, chosen: RoutePath, top: str, *, is_before: bool
) -> bool:
    if precedence is Precedence.FIRST_MATCH:
        return is_before and _may_match_needed(other, top)
    if precedence is Precedence.FIRST_TEXT_MATCH:
        return is_before and (_begins_needed(other, top) or _may_match_needed(other, top))
    if other.matching is Matching.EXACT:
        return _is_needed_itself(other.path, top)
    if other.matching is Matching.PREFIX:
        is_later = precedence is Precedence.EXPRESSIONS_FIRST and chosen.matching is Matching.REGULAR_EXPRESSION
        return not is_later and _prefix_takes(precedence, other, chosen, top)
    return _pattern_takes(precedence, other, chosen, top)


def beside(other: RoutePath, serving: Mapping[str, RoutePath]) -> Iterable[RoutePath]:
    """Return the paths that serve an app, by host, from which another path may take requests by its host."""
    if other.priority:
        return (mine for host, mine in serving.items() if share_host(other.host, host))
    return (serving[other.host],) if other.host in serving else ()


def _pattern_takes(precedence: Precedence, other: RoutePath, chosen: RoutePath, top: str) -> bool:
    """Whether a pattern or an expression may take a request that Chainlit needs."""
    if other.matching is Matching.WILDCARD:
        # A pattern for more than what is below ``top`` has less text than the app's path. Equal ones may both win.
        is_shorter = not other.path.startswith(f"{top}/") and len(other.path) < len(chosen.path)
        return not is_shorter and _may_match_pattern(other.path, top)
    is_by_length = precedence is Precedence.LONGEST_TEXT or (
        precedence is Precedence.EXPRESSIONS_FIRST and chosen.matching is Matching.REGULAR_EXPRESSION
    )
    is_shorter = is_by_length and len(other.path) < len(chosen.path)
    return not is_shorter and _expression_may_match(other, top)


def requests_of(path: RoutePath, top: str) -> tuple[str, ...]:
    """Return Chainlit's requests below ``top`` that an expression may match, all of them if it is not evaluated."""
    styles = path.styles if path.matching is Matching.REGULAR_EXPRESSION else _ANY_STYLE
    return _requests_of(path.path, styles, top) if path.styles else chainlit.REQUESTS


def _expression_may_match(path: RoutePath, top: str) -> bool:
    return bool(requests_of(path, top))


def _may_match_needed(other: RoutePath, top: str, *, by_characters: bool = False) -> bool:
    """Whether a path may match a path that Chainlit needs, be it above or below ``top``.

    ``by_characters`` says that a prefix may end within a segment.
    """
    if other.matching is Matching.EXACT:
        return _is_needed_itself(other.path, top)
    if other.matching is Matching.PREFIX and by_characters:
        needed = (f"{top}/", *(f"{top}/{segment}/" for segment in chainlit.OWN_SEGMENTS))
        return any(path.startswith(other.path) for path in needed) or _is_needed(other.path, top)
    if other.matching is Matching.PREFIX:
        return paths.is_below(top, other.path.rstrip("/")) or _is_needed(other.path, top)
    if other.matching is Matching.WILDCARD:
        return _may_match_pattern(other.path, top)
    return _expression_may_match(other, top)


def _begins_needed(other: RoutePath, top: str) -> bool:
    """Whether a plain path is the beginning of a path that Chainlit needs, by characters of either case."""
    text = other.path.lower()
    return other.matching is Matching.PREFIX and any(
        f"{top}{request}".lower().startswith(text) for request in chainlit.REQUESTS
    )


def _prefix_takes(precedence: Precedence, other: RoutePath, chosen: RoutePath, top: str) -> bool:
    prefix = other.path.rstrip("/")
    if prefix == top or _is_needed(other.path, top):
        return True
    if paths.is_below(top, prefix):
        # An app may be below the path that serves it.
        is_between = len(prefix) > len(prefix_of(chosen)) and not other.condition
        return is_between or (bool(prefix and other.condition) and len(other.path) + _METHOD_WEIGHT >= len(chosen.path))
    begun = other.path.removeprefix(f"{top}/")
    return (
        precedence in (Precedence.LONGEST_TEXT, Precedence.EXPRESSIONS_FIRST)
        and paths.is_below(other.path, top)
        and any(segment.startswith(begun) for segment in chainlit.OWN_SEGMENTS)
    )


def _may_match_pattern(pattern: str, top: str) -> bool:
    """Whether a pattern may match a path that Chainlit needs, judged by its start before the first wildcard."""
    start = _WILDCARD.split(pattern, maxsplit=1)[0]
    needed = [f"{top}/", *(f"{top}/{segment}/" for segment in chainlit.OWN_SEGMENTS)]
    return any(path.startswith(start) or (start.startswith(path) and path != f"{top}/") for path in needed)


def _is_needed_itself(path: str, top: str) -> bool:
    """Whether a path is the page, or one of Chainlit's own routes below ``top``."""
    return path == f"{top}/" or _is_needed(path, top)


def _is_needed(path: str, top: str) -> bool:
    """Whether a path lies below ``top`` at one of Chainlit's own routes."""
    return paths.is_below(path, top) and path.removeprefix(f"{top}/").partition("/")[0] in chainlit.OWN_SEGMENTS


@lru_cache(1024)
def _requests_of(expression: str, styles: tuple[Style, ...], top: str) -> tuple[str, ...]:
    return tuple(
        request
        for request in chainlit.REQUESTS
        if any(expressions.may_match(expression, style, top + request) for style in styles)
    )
