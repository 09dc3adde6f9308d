"""The prefix of a path of a route, and Chainlit's own routes below a prefix."""

from __future__ import annotations

from chainlit_operator.domain import chainlit, paths, rewrites
from chainlit_operator.domain.model import Matching, RoutePath


def is_readable(path: RoutePath) -> bool:
    """Whether the operator knows the requests that the path matches: an expression must have the form of a prefix."""
    if path.matching is Matching.WILDCARD:
        return has_closing_wildcard(path.path)
    if path.matching is Matching.REGULAR_EXPRESSION:
        return rewrites.parse_pattern(path.path) is not None
    return path.matching is not Matching.UNKNOWN


def prefix_of(path: RoutePath) -> str:
    """Return the prefix in the browser's URL: the path as the route spells it, without a slash at its end.

    Nothing else is corrected: ``//chat`` and ``/chat`` are different paths.
    """
    if path.matching is Matching.REGULAR_EXPRESSION:
        parsed = rewrites.parse_pattern(path.path)
        return parsed.prefix if parsed is not None else ""
    if path.matching is Matching.WILDCARD:
        return path.path.rstrip("*").removesuffix("/")
    return path.path.removesuffix("/")


def has_closing_wildcard(pattern: str) -> bool:
    """Whether a pattern has its only wildcard, ``*``, at its end, so that it lets everything below a prefix through."""
    return pattern.endswith("*") and not {"*", "?"} & set(pattern.rstrip("*"))


def is_own_route(prefix: str, top: str) -> bool:
    """Whether ``prefix`` is ``top`` or one of Chainlit's own routes below it."""
    return prefix == top or (
        paths.is_below(prefix, top) and prefix.removeprefix(top).split("/")[1] in chainlit.OWN_SEGMENTS
    )
