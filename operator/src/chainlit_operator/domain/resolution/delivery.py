"""Whether requests that another path takes reach the app as those of the app's route do."""

from __future__ import annotations

from chainlit_operator.domain import paths
from chainlit_operator.domain.model import Matching, RoutePath
from chainlit_operator.domain.resolution import path_overrides, redirected
from chainlit_operator.domain.resolution.candidate import Candidate
from chainlit_operator.domain.route_paths import prefix_of


def delivers(given: Candidate, path: RoutePath, place: tuple[str, str]) -> bool:
    """Return whether the requests at a place that a path of the app takes reach the app as the place says.

    ``place`` has the prefix in the browser's URL and the prefix that arrives.
    """
    public, backend = place
    if path.matching in (Matching.REGULAR_EXPRESSION, Matching.UNKNOWN):
        # It may match more than its prefixes, or have none: each request that it takes tells what becomes of it.
        is_alike = given.arriving(path, public, path_overrides.requests_of(path, public)) == backend
    else:
        prefix = prefix_of(path)
        arriving = given.arriving(path, prefix)
        is_alike = arriving is not None and paths.agree(place, (prefix, arriving))
    return is_alike and given.has_port(path) and redirected.first(given.route, path, public) is None
