"""Fields that several kinds have in common."""

from __future__ import annotations

from functools import lru_cache

from chainlit_operator.domain.model import Labels

#: The most paths of a route that are read. Each change of the route costs the work for all of its paths.
MAX_PATHS = 2500
TOO_MANY_PATHS = f"it has more than {MAX_PATHS:,} paths (hosts × matches × backends), so the operator does not read it"
SPLIT_REMEDY = "Split it."


@lru_cache(4096)
def shared(word: str) -> str:
    """Return an equal string that all apps share, so that it is in memory only once.

    Not ``sys.intern``: it keeps strings for ever in some releases of Python.
    """
    return word


def pairs(labels: dict[str, str]) -> Labels:
    """Return labels as the domain has them."""
    return tuple(sorted(labels.items()))
