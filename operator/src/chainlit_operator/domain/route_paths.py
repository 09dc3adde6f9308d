"""The prefixes of a path of a route, and Chainlit's own routes below a prefix."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from chainlit_operator.domain import chainlit, expressions, paths
from chainlit_operator.domain.model import Matching, Route, RoutePath

#: The most different expressions of a route that are run.
MAX_EXPRESSIONS = 100


def limited(route: Route) -> Route:
    """Return the route with at most ``MAX_EXPRESSIONS`` expressions that are run; nothing is known of others."""
    found = dict.fromkeys(path.path for path in route.paths if _may_be_expression(path))
    if len(found) <= MAX_EXPRESSIONS:
        return route
    run = frozenset(islice(found, MAX_EXPRESSIONS))
    kept = (
        replace(path, matching=Matching.UNKNOWN, styles=())
        if _may_be_expression(path) and path.path not in run
        else path
        for path in route.paths
    )
    return replace(route, paths=tuple(kept))


def _may_be_expression(path: RoutePath) -> bool:
    return path.matching in (Matching.REGULAR_EXPRESSION, Matching.UNKNOWN)


#: How the condition of a path on the method begins.
METHOD_CONDITION = "the method is "
#: How any other condition begins that requests of a browser may fulfil by themselves, such as one on the host.
ORDINARY_CONDITION = "the request "
#: How a condition begins that leaves out the paths that begin with a text.
NOT_BELOW = "the path does not begin with "
#: How conditions begin that requests of a browser may meet by themselves. A header or a query parameter is none.
_OF_BROWSERS = (METHOD_CONDITION, ORDINARY_CONDITION, "the path ", "the host ", "the client's address ", "no ")
AND = " and "


def may_be_met(condition: str, top: str) -> bool:
    """Whether requests of a browser below ``top`` may meet a condition without asking for it."""
    if not condition:
        return True
    parts = condition.split(AND)
    is_left_out = any(
        f"{top}/".startswith(part.removeprefix(NOT_BELOW)) for part in parts if part.startswith(NOT_BELOW)
    )
    return not is_left_out and all(part.startswith(_OF_BROWSERS) for part in parts)


def is_readable(path: RoutePath) -> bool:
    """Whether the operator knows the requests that the path matches: an expression or a pattern must have a prefix."""
    return bool(prefixes_of(path))


def prefixes_of(path: RoutePath) -> tuple[str, ...]:
    """Return the prefixes in the browser's URL below which the path matches everything, the shortest first.

    A plain path has one: the path as the route spells it, without a slash at its end. Nothing else is corrected:
    ``//chat`` and ``/chat`` are different paths. An expression has one, several or none, a pattern one or none.
    """
    if path.matching is Matching.UNKNOWN or (
        path.matching is Matching.WILDCARD and not has_closing_wildcard(path.path)
    ):
        return ()
    if path.matching is Matching.REGULAR_EXPRESSION:
        return expressions.prefixes(path.path, path.styles)
    return (prefix_of(path),)


def prefix_of(path: RoutePath) -> str:
    """Return the shortest prefix of the path; for an expression without a prefix, the empty one."""
    if path.matching is Matching.REGULAR_EXPRESSION:
        return next(iter(prefixes_of(path)), "")
    return path.path.rstrip("*" if path.matching is Matching.WILDCARD else "").removesuffix("/")


def has_closing_wildcard(pattern: str) -> bool:
    """Whether a pattern has its only wildcard, ``*``, at its end, so that it lets everything below a prefix through."""
    return pattern.endswith("*") and not {"*", "?"} & set(pattern.rstrip("*"))


def is_own_route(prefix: str, top: str) -> bool:
    """Whether ``prefix`` is ``top`` or one of Chainlit's own routes below it."""
    return prefix == top or (
        paths.is_below(prefix, top) and prefix.removeprefix(top).split("/")[1] in chainlit.OWN_SEGMENTS
    )
