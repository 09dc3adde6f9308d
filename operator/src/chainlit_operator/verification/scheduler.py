"""When to verify: at once when something changed, then at the app's interval, more slowly while nothing changes.

The verifier owns no conclusions about the app: it turns checks into verifications and says when a new one is there.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chainlit_operator.domain.conditions import Check, Verification
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import metrics

logger = logging.getLogger(__name__)

#: Pauses after one failure, two in a row, and so on.
RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
#: After so many failures in a row the pause doubles with each, up to that of an answer that stays good, or this. So
#: whoever fails for long takes little of the others' time, and is found well again within minutes.
PATIENCE, MAX_FAILED_SECONDS = 10, 300.0
#: A failure is told when it is the third in a row: endpoints lag behind pods by up to some seconds.
TOLD_FAILURES = 3
#: At the edge a success, too, is told when it is the third in a row, with this pause: ingress controllers drop old pods
#: later than the Service does, and spread requests over replicas, so that one success may be luck.
TOLD_SUCCESSES_AT_EDGE = 3
EDGE_PAUSE_SECONDS = 1.5
#: A first success is asked about again after this, for the same lag may have sent it to what was there before.
CONFIRM_SECONDS = 5.0
#: An answer that stays good is asked for less and less often, down to this share of the app's frequency.
MAX_STRETCH = 5

Probe = Callable[[Check], Awaitable[Verification]]


@dataclass(slots=True)
class _Entry:
    check: Check
    interval: float
    verification: Verification | None = None
    failures: int = 0
    successes: int = 0
    timer: asyncio.TimerHandle | None = None

    @property
    def is_told(self) -> bool:
        """Whether the latest outcome has come often enough in a row to be told."""
        return self.failures >= TOLD_FAILURES or self.successes >= self.told_successes

    @property
    def told_successes(self) -> int:
        """How many successes in a row are told."""
        return TOLD_SUCCESSES_AT_EDGE if self.check.at_edge else 1

    def pause(self) -> float:
        """Return the seconds until the next verification."""
        if self.failures:
            pause = min(self.interval, RETRY_SECONDS[min(self.failures, len(RETRY_SECONDS)) - 1])
            doublings = min(max(0, self.failures - PATIENCE), 20)  # which is more than any interval has room for
            return min(self.interval * MAX_STRETCH, MAX_FAILED_SECONDS, pause * 2.0**doublings)
        told = self.successes - self.told_successes
        if told < 0:
            return EDGE_PAUSE_SECONDS
        delay = self.interval * min(MAX_STRETCH, told + 1) * random.uniform(0.9, 1.1)  # noqa: S311
        return min(delay, CONFIRM_SECONDS) if told == 0 else delay


class VerificationScheduler:
    """Keeps one check for each app running. ``on_outcome`` is called with the app when its outcome changed."""

    def __init__(self, probe: Probe, on_outcome: Callable[[Ref], None], concurrency: int) -> None:
        self._probe, self._on_outcome, self._concurrency = probe, on_outcome, concurrency
        self._entries: dict[Ref, _Entry] = {}
        #: By rank, and within one in the order in which they became due: first those of which nothing is told yet.
        self._due: asyncio.PriorityQueue[tuple[int, int, Ref, _Entry]] = asyncio.PriorityQueue()
        self._counter = itertools.count()

    def want(self, ref: Ref, check: Check | None, interval_seconds: float, *, is_settled: bool) -> None:
        """Have ``check`` verified for the app; None ends that.

        A check that is new is due at once. ``is_settled`` says that its outcome is known from before a restart: then
        the first check of the app is due within the interval, so that a restart does not ask all apps at once.
        """
        former = self._entries.get(ref)
        if former is not None and former.check == check:
            self._retime(ref, former, interval_seconds)
            return
        if former is not None:
            self._cancel(self._entries.pop(ref))
        if check is not None:
            entry = self._entries[ref] = _Entry(check, interval_seconds)
            is_restart = former is None and is_settled
            self._schedule(ref, entry, random.uniform(0.1, 1.0) * interval_seconds if is_restart else 0.0)  # noqa: S311

    def _retime(self, ref: Ref, entry: _Entry, interval: float) -> None:
        """Take another interval; a shorter one counts at once."""
        is_shorter, entry.interval = interval < entry.interval, interval
        if is_shorter and entry.timer is not None:
            self._cancel(entry)
            self._schedule(ref, entry, random.uniform(0.1, 1.0) * interval)  # noqa: S311

    def verification(self, ref: Ref) -> Verification | None:
        """Return the latest outcome for the app that may be told, or None."""
        entry = self._entries.get(ref)
        return entry.verification if entry is not None else None

    def forget(self) -> None:
        """End all checks."""
        for entry in self._entries.values():
            self._cancel(entry)
        self._entries.clear()

    async def run(self) -> None:
        """Verify what is due until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._concurrency):
                group.create_task(self._worker())

    async def _worker(self) -> None:
        while True:
            _, _, ref, entry = await self._due.get()
            if self._entries.get(ref) is not entry:
                continue
            # Its timer is that of a later one where the interval became shorter meanwhile.
            self._cancel(entry)
            try:
                verification = await self._probe(entry.check)
            except Exception:
                # Whatever an app provokes costs this app a pause, and nobody else anything.
                logger.exception("%s: unexpected error of its verification; tried again", ref)
                if self._entries.get(ref) is entry:
                    self._schedule(ref, entry, min(entry.interval, RETRY_SECONDS[-1]))
                continue
            metrics.VERIFICATIONS.labels("Edge" if entry.check.at_edge else "Backend", verification.reason).inc()
            if self._entries.get(ref) is entry:
                self._take(ref, entry, verification)

    def _take(self, ref: Ref, entry: _Entry, verification: Verification) -> None:
        if verification.reachable:
            entry.failures, entry.successes = 0, entry.successes + 1
        else:
            entry.failures, entry.successes = entry.failures + 1, 0
        if entry.is_told and verification != entry.verification:
            entry.verification = verification
            self._on_outcome(ref)
        self._schedule(ref, entry, entry.pause())

    def _schedule(self, ref: Ref, entry: _Entry, delay: float) -> None:
        entry.timer = asyncio.get_running_loop().call_later(delay, self._put, ref, entry)

    def _put(self, ref: Ref, entry: _Entry) -> None:
        rank = 0 if entry.verification is None else 1
        self._due.put_nowait((rank, next(self._counter), ref, entry))

    @staticmethod
    def _cancel(entry: _Entry) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None
