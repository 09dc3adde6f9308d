"""Whether requests that another path takes reach the app as those of the app's path do."""

from __future__ import annotations

from chainlit_operator.domain import paths
from chainlit_operator.domain.model import Matching, RoutePath
from chainlit_operator.domain.resolution import path_overrides, redirected
from chainlit_operator.domain.resolution.candidate import Candidate
from chainlit_operator.domain.route_paths import prefixes_of


def delivers(given: Candidate, path: RoutePath, place: tuple[str, str]) -> bool:
    """Return whether the requests at a place that a path of the app takes reach the app as the place says.

    ``place`` has the prefix in the browser's URL and the prefix that arrives.
    """
    is_whole = given.has_port(path) and redirected.first(given.route, path, place[0]) is None
    return is_whole and is_rewritten_alike(given, path, place)


def is_rewritten_alike(given: Candidate, path: RoutePath, place: tuple[str, str]) -> bool:
    """Return whether a path of the app rewrites the requests at a place that it takes as the place says."""
    public, backend = place
    if path.matching in (Matching.REGULAR_EXPRESSION, Matching.UNKNOWN):
        # It may match more than its prefixes, or have none: each request that it takes tells what becomes of it.
        requests = path_overrides.requests_of(path, public)
        return not requests or given.arriving(path, public, requests) == backend
    prefix = next(iter(prefixes_of(path)), public)  # a pattern may have none
    arriving = given.arriving(path, prefix)
    return arriving is not None and paths.agree(place, (prefix, arriving))
