"""When to verify: a new check at once, then at the app's interval, within a limit for the whole operator.

The scheduler draws no conclusions about the app. It turns checks into verifications, and calls back when the outcome of
an app changes.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from chainlit_operator.domain.model import Check, EdgeMemory, Verification
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import metrics

logger = logging.getLogger(__name__)

#: Pauses after the first failure in a row, the second, and so on; the last one repeats. The interval bounds them. The
#: first three are short, because an ingress controller serves a change up to about four seconds after the watch tells.
RETRY_SECONDS = (1.0, 2.0, 2.0, 5.0, 10.0, 30.0)
#: After this many failures in a row the pause doubles with each failure, up to the interval or the second value. So a
#: broken app delays others little, and its repair is noticed within its interval.
BACKOFF_AFTER_FAILURES, MAX_BACKOFF_SECONDS = 10, 300.0
#: A failure is reported when it is the third in a row: endpoints lag behind pods by some seconds.
REPORTED_AFTER_FAILURES = 3
#: At the edge a success is reported when it is the third in a row, with this pause between them. Ingress controllers
#: drop old pods later than the Service does, and spread requests over replicas: one success may be luck.
REPORTED_AFTER_SUCCESSES_AT_EDGE = 3
EDGE_PAUSE_SECONDS = 1.5
#: The first reported success is verified again after this time, because an old pod may have answered.
CONFIRM_SECONDS = 5.0
#: One verification in so many is one of the routine while some are urgent, so that neither keeps the other waiting.
ROUTINE_SHARE = 4

#: While the event loop is later than this, in seconds, apps get the usual time to answer: the delay is the operator's.
MAX_LAG_SECONDS = 0.1
_LAG_PAUSE_SECONDS = 0.25


class Verify(Protocol):
    """Carries out a check; ``is_quick`` says that the app must answer soon."""

    async def __call__(self, check: Check, memory: EdgeMemory, *, is_quick: bool) -> Verification:
        """Return the outcome."""


@dataclass(slots=True)
class _Entry:
    """One app's check, and its outcomes so far."""

    check: Check
    interval: float
    memory: EdgeMemory
    verification: Verification | None = None
    failures: int = 0
    successes: int = 0
    timer: asyncio.TimerHandle | None = None
    is_queued: bool = False

    @property
    def is_reported(self) -> bool:
        """Whether the latest outcome came often enough in a row to be reported."""
        return self.failures >= REPORTED_AFTER_FAILURES or self.successes >= self.reported_after_successes

    @property
    def reported_after_successes(self) -> int:
        """The number of successes in a row after which a success is reported.

        A success in mode Auto whose URL is not judged is one of the Service.
        """
        is_at_edge = self.check.at_edge and self.memory.unjudged == 0
        return REPORTED_AFTER_SUCCESSES_AT_EDGE if is_at_edge else 1

    @property
    def is_urgent(self) -> bool:
        """Whether the app has no reported outcome, or the latest outcome is not yet the reported one."""
        return self.verification is None or not self.is_reported

    @property
    def works(self) -> bool:
        """Whether the reported outcome is a success, and no failure has been reported since."""
        return self.verification is not None and self.verification.reachable

    def pause(self, spent: float = 0.0) -> float:
        """Return the seconds until the next verification; ``spent`` are those of the one before."""
        if not self.failures:
            return self._pause_after_success()
        pause = self._pause_after_failure()
        # An attempt that waited for an answer was a pause itself.
        return pause if self.is_reported else max(pause - spent, 0.1 * pause)

    def _pause_after_failure(self) -> float:
        pause = RETRY_SECONDS[min(self.failures, len(RETRY_SECONDS)) - 1]
        doublings = min(max(0, self.failures - BACKOFF_AFTER_FAILURES), 20)  # more would exceed any interval
        return min(self.interval, MAX_BACKOFF_SECONDS, pause * 2.0**doublings)

    def _pause_after_success(self) -> float:
        reported = self.successes - self.reported_after_successes
        if reported < 0:
            return EDGE_PAUSE_SECONDS
        # A little less than the interval, at random, so that apps that began together spread.
        pause = self.interval * random.uniform(0.9, 1.0)  # noqa: S311
        return min(pause, CONFIRM_SECONDS) if reported == 0 else pause


class _Queue:
    """The apps whose verification is due, and since when (time of the event loop); urgent ones go first.

    While urgent ones wait, one in ``ROUTINE_SHARE`` is one of the routine. Among equals the one that waits longest is
    first.
    """

    def __init__(self) -> None:
        self._urgent: deque[tuple[float, Ref, _Entry]] = deque()
        self._routine: deque[tuple[float, Ref, _Entry]] = deque()
        self._urgent_in_a_row = 0
        self._is_filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._urgent) + len(self._routine)

    def put(self, due: float, ref: Ref, entry: _Entry) -> None:
        (self._urgent if entry.is_urgent else self._routine).append((due, ref, entry))
        self._is_filled.set()

    async def wait(self) -> None:
        """Wait until the queue is not empty."""
        while not len(self):
            self._is_filled.clear()
            await self._is_filled.wait()

    def pop(self) -> tuple[float, Ref, _Entry]:
        is_turn_of_routine = self._urgent_in_a_row >= ROUTINE_SHARE - 1 and self._routine
        if self._urgent and not is_turn_of_routine:
            self._urgent_in_a_row += 1
            return self._urgent.popleft()
        self._urgent_in_a_row = 0
        return self._routine.popleft()


class VerificationScheduler:
    """Repeats one check for each app, and calls ``on_outcome`` with the app when its reported outcome changes."""

    def __init__(
        self, verify: Verify, on_outcome: Callable[[Ref], None], concurrency: int, per_second: float = 1000.0
    ) -> None:
        """At most ``concurrency`` verifications run at one time, and at most ``per_second`` begin in a second."""
        self._verify, self._on_outcome, self._concurrency = verify, on_outcome, concurrency
        self._pause = 1.0 / per_second
        self._turn, self._lag = asyncio.Lock(), 0.0
        #: When the next verification may begin (time of the event loop).
        self._next_start = 0.0
        self._entries: dict[Ref, _Entry] = {}
        self._queue = _Queue()

    def set_check(
        self,
        ref: Ref,
        check: Check | None,
        interval_seconds: float,
        *,
        is_outcome_known: bool,
        edge_answered: bool = False,
    ) -> None:
        """Verify ``check`` for the app from now on; None ends its verifications.

        A new check is verified at once. ``is_outcome_known`` means that the app's status already has the outcome of
        this check, from before a restart: then the first check of the app starts at a random time within the interval,
        so that a restart does not verify all apps at once. ``edge_answered`` means that the app was reached at the URL
        of the check before.
        """
        former = self._entries.get(ref)
        if former is not None and former.check == check:
            self._set_interval(ref, former, interval_seconds)
            return
        if former is not None:
            self._cancel_timer(self._entries.pop(ref))
        if check is not None:
            is_same_edge = former is not None and former.check.edge_url == check.edge_url and edge_answered
            memory = former.memory if former is not None and is_same_edge else EdgeMemory(edge_answered)
            entry = self._entries[ref] = _Entry(check, interval_seconds, memory)
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
            group.create_task(self._measure_lag())
            for _ in range(self._concurrency):
                group.create_task(self._work())

    async def _measure_lag(self) -> None:
        """Keep how late the event loop is; a long delay counts for some seconds."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LAG_PAUSE_SECONDS
            await asyncio.sleep(_LAG_PAUSE_SECONDS)
            self._lag = max(loop.time() - due, 0.7 * self._lag)

    async def _work(self) -> None:
        while True:
            async with self._turn:
                ref, entry = await self._next()
            await self._verify_entry(ref, entry)

    async def _next(self) -> tuple[Ref, _Entry]:
        """Return the app to verify next, once another verification may begin: so many in a second, and none saved up.

        The app is chosen after the wait, so that one that became urgent meanwhile goes first.
        """
        loop = asyncio.get_running_loop()
        while True:
            await self._queue.wait()
            await asyncio.sleep(max(0.0, self._next_start - loop.time()))
            due, ref, entry = self._queue.pop()
            if self._entries.get(ref) is entry:
                break
        self._next_start = loop.time() + self._pause
        entry.is_queued = False
        # A shorter interval may have started another timer while this entry was in the queue.
        self._cancel_timer(entry)
        metrics.VERIFICATION_DELAY.observe(max(0.0, loop.time() - due))
        return ref, entry

    async def _verify_entry(self, ref: Ref, entry: _Entry) -> None:
        began = asyncio.get_running_loop().time()
        is_quick = entry.works and self._lag < MAX_LAG_SECONDS
        try:
            verification = await self._verify(entry.check, entry.memory, is_quick=is_quick)
        except Exception:
            # The app chooses what the verification reads: its faults must not stop the verification of others.
            logger.exception("%s: unexpected error of its verification; retrying", ref)
            if self._entries.get(ref) is entry:
                self._start_timer(ref, entry, min(entry.interval, RETRY_SECONDS[-1]))
            return
        metrics.VERIFICATIONS.labels(entry.check.mode, verification.reason).inc()
        if self._entries.get(ref) is entry:
            self._record(ref, entry, verification, asyncio.get_running_loop().time() - began)

    def _record(self, ref: Ref, entry: _Entry, verification: Verification, spent: float) -> None:
        if verification.reachable:
            entry.failures, entry.successes = 0, entry.successes + 1
        else:
            entry.failures, entry.successes = entry.failures + 1, 0
        entry.memory = verification.edge
        if entry.is_reported and verification != entry.verification:
            entry.verification = verification
            self._on_outcome(ref)
        self._start_timer(ref, entry, entry.pause(spent))

    def _start_timer(self, ref: Ref, entry: _Entry, delay: float) -> None:
        entry.timer = asyncio.get_running_loop().call_later(delay, self._enqueue, ref, entry)

    def _enqueue(self, ref: Ref, entry: _Entry) -> None:
        if not entry.is_queued:
            entry.is_queued = True
            self._queue.put(asyncio.get_running_loop().time(), ref, entry)

    @staticmethod
    def _cancel_timer(entry: _Entry) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None


def _part_of(interval: float) -> float:
    """Return a random part of an interval, so that the apps spread over it."""
    return random.uniform(0.1, 1.0) * interval  # noqa: S311
