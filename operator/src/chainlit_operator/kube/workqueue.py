"""The keyed queue between changes and workers: one entry and one worker for a key, and pauses after failures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class WorkQueue(Generic[K]):
    """Keys to work on, as client-go's workqueue.

    A key that waits is there once, however often it was added. No two workers have the same key. A key that is added
    while a worker has it comes back when that worker is done.
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
        #: The keys without which the event of :meth:`worked` is not set.
        self._unworked: set[K] = set()
        self._all_worked = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._again)

    @property
    def is_idle(self) -> bool:
        """Whether no key waits and no worker has one; delayed retries do not count."""
        return not (self._waiting or self._working or self._again)

    def is_working(self, key: K) -> bool:
        """Whether a worker has ``key``."""
        return key in self._working

    def add(self, key: K) -> None:
        """Put ``key`` into the queue, without a pause."""
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
            self._ready.put_nowait(None)  # for the next worker that waits
            return None
        self._waiting.discard(key)
        self._working.add(key)
        return key

    def done(self, key: K) -> None:
        """End the work on ``key``."""
        self._working.discard(key)
        if self._unworked:
            self._unworked.discard(key)
            self._check_all_worked()
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def worked(self, keys: Iterable[K]) -> asyncio.Event:
        """Return an event that is set when the work on each of ``keys`` has ended once, with or without success.

        Only the event of the latest call is set.
        """
        self._unworked, self._all_worked = set(keys), asyncio.Event()
        self._check_all_worked()
        return self._all_worked

    def _check_all_worked(self) -> None:
        if not self._unworked:
            self._all_worked.set()

    def close(self) -> None:
        """Hand out no more keys."""
        self.is_closed = True
        self._ready.put_nowait(None)

    def clear(self) -> None:
        """Drop the waiting keys, pauses and failures; no worker may have a key."""
        for key in list(self._timers):
            self._cancel_timer(key)
        self._failures.clear()
        self._waiting.clear()
        while not self._ready.empty():
            self._ready.get_nowait()
        if self.is_closed:
            self._ready.put_nowait(None)

    def retry(self, key: K) -> float:
        """Add ``key`` after a pause that grows with its failures; returns the pause in seconds."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        seconds = self._backoff(failures)
        self.add_after(key, seconds)
        return seconds

    def add_after(self, key: K, seconds: float) -> None:
        """Add ``key`` after a pause, as client-go's AddAfter. An earlier ``add`` ends the pause."""
        self._cancel_timer(key)
        self._timers[key] = asyncio.get_running_loop().call_later(seconds, self.add, key)

    def failures(self, key: K) -> int:
        """Return how often ``key`` has failed in a row so far."""
        return self._failures.get(key, 0)

    def forget(self, key: K) -> None:
        """Forget the failures of ``key``, as client-go's Forget."""
        self._failures.pop(key, None)
        self._cancel_timer(key)

    def _cancel_timer(self, key: K) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
