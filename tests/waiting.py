"""Waiting for what comes true by itself: on conditions, never for a fixed time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    observe: Callable[[], T], holds: Callable[[T], object] = bool, *, timeout: float = 120.0, every: float = 0.1
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


async def until(is_so: Callable[[], bool], seconds: float = 20.0) -> None:
    """Let other tasks go on until this is so; raises TimeoutError after so many seconds."""
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 - a process, a counter and a list have no event
            await asyncio.sleep(0.005)
