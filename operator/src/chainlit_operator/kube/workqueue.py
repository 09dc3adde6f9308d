"""The keyed queue between changes and workers: coalescing, one worker for a key, pauses after failures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class WorkQueue(Generic[K]):
    """Keys to be worked on, each once however often it was added, and never by two workers at a time.

    As client-go's workqueue: a key added while it is worked on comes back when that is done.
    """

    def __init__(self, backoff: Callable[[int], float]) -> None:
        self._backoff = backoff
        self.is_closed = False
        self._ready: asyncio.Queue[K | None] = asyncio.Queue()
        self._waiting: set[K] = set()
        self._working: set[K] = set()
        self._again: set[K] = set()
        self._failures: dict[K, int] = {}
        self._timers: dict[K, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._waiting) + len(self._again)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is worked on (delayed retries aside)."""
        return not (self._waiting or self._working or self._again)

    def is_working(self, key: K) -> bool:
        """Whether ``key`` is being worked on."""
        return key in self._working

    def add(self, key: K) -> None:
        """Have ``key`` worked on as soon as possible."""
        self._cancel_timer(key)
        if key in self._working:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.put_nowait(key)

    async def get(self) -> K | None:
        """Wait for a key, which :meth:`done` must follow; None once the queue is closed."""
        key = await self._ready.get()
        if key is None or self.is_closed:
            self._ready.put_nowait(None)  # for the next one who waits
            return None
        self._waiting.discard(key)
        self._working.add(key)
        return key

    def done(self, key: K) -> None:
        """End the work on ``key``."""
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def close(self) -> None:
        """Give out no more keys."""
        self.is_closed = True
        self._ready.put_nowait(None)

    def clear(self) -> None:
        """Drop what waits, pauses and failures; nobody may be at work."""
        for key in list(self._timers):
            self._cancel_timer(key)
        self._failures.clear()
        self._waiting.clear()
        while not self._ready.empty():
            self._ready.get_nowait()
        if self.is_closed:
            self._ready.put_nowait(None)

    def retry(self, key: K) -> float:
        """Have ``key`` worked on again after a pause that grows with its failures; returns the pause in seconds."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        seconds = self._backoff(failures)
        self._cancel_timer(key)
        self._timers[key] = asyncio.get_running_loop().call_later(seconds, self.add, key)
        return seconds

    def failures(self, key: K) -> int:
        """Return how often ``key`` has failed in a row so far."""
        return self._failures.get(key, 0)

    def forget(self, key: K) -> None:
        """Take ``key`` as well: its failures no longer count."""
        self._failures.pop(key, None)
        self._cancel_timer(key)

    def _cancel_timer(self, key: K) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
