"""Pauses between attempts that fail: exponential backoff with jitter."""

from __future__ import annotations

import random

MAX_BACKOFF_SECONDS = 30.0
#: An attempt that lasted this long counts as a success.
STABLE_SECONDS = 10.0


def backoff_seconds(failures: int) -> float:
    """Return the pause after that many failures in a row: 0.2 s doubled each time up to 30 s, jittered by half."""
    return min(MAX_BACKOFF_SECONDS, 0.2 * 2.0 ** min(failures - 1, 10)) * random.uniform(0.5, 1.0)  # noqa: S311
