"""Fields that several kinds have in common."""

from __future__ import annotations

from functools import lru_cache

from chainlit_operator.domain.model import Labels

#: How many paths of a route are read; what one costs is spent for each change of it.
MAX_PATHS = 2500
TOO_MANY_PATHS = f"it has more than {MAX_PATHS:,} paths (hosts × matches × backends), so the operator does not read it"
SPLIT_REMEDY = "Split it."


@lru_cache(4096)
def shared(word: str) -> str:
    """Return the word itself, as the object that was returned for an equal one before: kept once, not by each app.

    Not ``sys.intern``, which keeps words for ever in some releases of Python.
    """
    return word


def pairs(labels: dict[str, str]) -> Labels:
    """Return labels as the domain has them."""
    return tuple(sorted(labels.items()))
