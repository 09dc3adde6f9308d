"""When to verify: a new check at once, then at the app's interval, and less often while nothing changes.

The scheduler draws no conclusions about the app. It turns checks into verifications, and calls back when the outcome of
an app changes.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chainlit_operator.domain.model import Check, Verification
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import metrics

logger = logging.getLogger(__name__)

#: Pauses after the first failure in a row, the second, and so on; the last one repeats.
RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
#: After this many failures in a row the pause doubles with each failure, up to the longest pause between successes, but
#: not above the second value. So a broken app delays others little, and its repair is noticed within minutes.
BACKOFF_AFTER_FAILURES, MAX_BACKOFF_SECONDS = 10, 300.0
#: A failure is reported when it is the third in a row: endpoints lag behind pods by some seconds.
REPORTED_AFTER_FAILURES = 3
#: At the edge a success is reported when it is the third in a row, with this pause between them. Ingress controllers
#: drop old pods later than the Service does, and spread requests over replicas: one success may be luck.
REPORTED_AFTER_SUCCESSES_AT_EDGE = 3
EDGE_PAUSE_SECONDS = 1.5
#: The first reported success is verified again after this time, because an old pod may have answered.
CONFIRM_SECONDS = 5.0
#: While an app stays reachable, the pause grows up to this many intervals.
MAX_STRETCH = 5

Verify = Callable[[Check], Awaitable[Verification]]


@dataclass(slots=True)
class _Entry:
    """One app's check, and its outcomes so far."""

    check: Check
    interval: float
    verification: Verification | None = None
    failures: int = 0
    successes: int = 0
    timer: asyncio.TimerHandle | None = None

    @property
    def is_reported(self) -> bool:
        """Whether the latest outcome came often enough in a row to be reported."""
        return self.failures >= REPORTED_AFTER_FAILURES or self.successes >= self.reported_after_successes

    @property
    def reported_after_successes(self) -> int:
        """The number of successes in a row after which a success is reported."""
        return REPORTED_AFTER_SUCCESSES_AT_EDGE if self.check.at_edge else 1

    def pause(self) -> float:
        """Return the seconds until the next verification."""
        return self._pause_after_failure() if self.failures else self._pause_after_success()

    def _pause_after_failure(self) -> float:
        pause = min(self.interval, RETRY_SECONDS[min(self.failures, len(RETRY_SECONDS)) - 1])
        doublings = min(max(0, self.failures - BACKOFF_AFTER_FAILURES), 20)  # more would exceed any interval
        return min(self.interval * MAX_STRETCH, MAX_BACKOFF_SECONDS, pause * 2.0**doublings)

    def _pause_after_success(self) -> float:
        reported = self.successes - self.reported_after_successes
        if reported < 0:
            return EDGE_PAUSE_SECONDS
        pause = self.interval * min(MAX_STRETCH, reported + 1) * random.uniform(0.9, 1.1)  # noqa: S311
        return min(pause, CONFIRM_SECONDS) if reported == 0 else pause


class VerificationScheduler:
    """Repeats one check for each app, and calls ``on_outcome`` with the app when its reported outcome changes."""

    def __init__(self, verify: Verify, on_outcome: Callable[[Ref], None], concurrency: int) -> None:
        self._verify, self._on_outcome, self._concurrency = verify, on_outcome, concurrency
        self._entries: dict[Ref, _Entry] = {}
        #: Apps without a reported outcome come first; otherwise first in, first out.
        self._queue: asyncio.PriorityQueue[tuple[int, int, Ref, _Entry]] = asyncio.PriorityQueue()
        self._counter = itertools.count()

    def set_check(self, ref: Ref, check: Check | None, interval_seconds: float, *, is_outcome_known: bool) -> None:
        """Verify ``check`` for the app from now on; None ends its verifications.

        A new check is verified at once. ``is_outcome_known`` means that the app's status already has the outcome of
        this check, from before a restart: then the first check of the app starts at a random time within the interval,
        so that a restart does not verify all apps at once.
        """
        former = self._entries.get(ref)
        if former is not None and former.check == check:
            self._set_interval(ref, former, interval_seconds)
            return
        if former is not None:
            self._cancel_timer(self._entries.pop(ref))
        if check is not None:
            entry = self._entries[ref] = _Entry(check, interval_seconds)
            is_restart = former is None and is_outcome_known
            self._start_timer(ref, entry, _part_of(interval_seconds) if is_restart else 0.0)

    def _set_interval(self, ref: Ref, entry: _Entry, interval: float) -> None:
        """Use another interval; a shorter one applies at once."""
        is_shorter, entry.interval = interval < entry.interval, interval
        if is_shorter and entry.timer is not None:
            self._cancel_timer(entry)
            self._start_timer(ref, entry, _part_of(interval))

    def verification(self, ref: Ref) -> Verification | None:
        """Return the latest reported outcome for the app, or None."""
        entry = self._entries.get(ref)
        return entry.verification if entry is not None else None

    def clear(self) -> None:
        """Drop all checks."""
        for entry in self._entries.values():
            self._cancel_timer(entry)
        self._entries.clear()

    async def run(self) -> None:
        """Verify queued apps until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._concurrency):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            _, _, ref, entry = await self._queue.get()
            if self._entries.get(ref) is not entry:
                continue
            # A shorter interval may have started another timer while this entry was in the queue.
            self._cancel_timer(entry)
            try:
                verification = await self._verify(entry.check)
            except Exception:
                # The app chooses what the verification reads: its faults must not stop the verification of others.
                logger.exception("%s: unexpected error of its verification; retrying", ref)
                if self._entries.get(ref) is entry:
                    self._start_timer(ref, entry, min(entry.interval, RETRY_SECONDS[-1]))
                continue
            metrics.VERIFICATIONS.labels("Edge" if entry.check.at_edge else "Backend", verification.reason).inc()
            if self._entries.get(ref) is entry:
                self._record(ref, entry, verification)

    def _record(self, ref: Ref, entry: _Entry, verification: Verification) -> None:
        if verification.reachable:
            entry.failures, entry.successes = 0, entry.successes + 1
        else:
            entry.failures, entry.successes = entry.failures + 1, 0
        if entry.is_reported and verification != entry.verification:
            entry.verification = verification
            self._on_outcome(ref)
        self._start_timer(ref, entry, entry.pause())

    def _start_timer(self, ref: Ref, entry: _Entry, delay: float) -> None:
        entry.timer = asyncio.get_running_loop().call_later(delay, self._enqueue, ref, entry)

    def _enqueue(self, ref: Ref, entry: _Entry) -> None:
        rank = 0 if entry.verification is None else 1
        self._queue.put_nowait((rank, next(self._counter), ref, entry))

    @staticmethod
    def _cancel_timer(entry: _Entry) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None


def _part_of(interval: float) -> float:
    """Return a random part of an interval, so that the apps spread over it."""
    return random.uniform(0.1, 1.0) * interval  # noqa: S311
