"""Waiting for what comes true by itself: on conditions, never for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    observe: Callable[[], T], holds: Callable[[T], object] = bool, *, timeout: float = 30.0, every: float = 0.1
) -> T:
    """Observe until ``holds`` says yes of it, and return that observation.

    AssertionErrors of either mean "not yet". After ``timeout`` seconds an AssertionError tells the last observation.
    """
    deadline = time.monotonic() + timeout
    while True:
        trouble: AssertionError | None = None
        value: object = "nothing"
        try:
            value = seen = observe()
            if holds(seen):
                return seen
        except AssertionError as error:
            trouble = error
        if time.monotonic() > deadline:
            found = f"at last: {trouble}" if trouble else f"at last it was {value!r}"
            raise AssertionError(f"not within {timeout:g} s; {found}") from trouble
        time.sleep(every)
