"""Leader election on a Lease, with the rules and the names of client-go.

A candidate counts a Lease's duration from the moment when it observed the record, on its own monotonic clock. It never
reads the times in the Lease, so wrong wall clocks do not matter. A leader that cannot renew within the renew deadline
stops its work before the Lease runs out for the others. The API server may still carry out a write that was sent before
the stop. That is harmless: the writes are idempotent, and they name the version or the uid of their object.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import msgspec

from chainlit_operator.kube import leases
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.kube.leases import LeaseRecord
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import metrics

logger = logging.getLogger(__name__)

#: A release is tried again if a renewal in flight changed the Lease meanwhile.
_RELEASE_TRIES = 3
_RELEASE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class LeaseTiming:
    """Seconds: how long others wait for a silent leader, how long it tries to renew, and how often each one tries."""

    lease_duration: int = 15
    renew_deadline: float = 10.0
    retry_period: float = 2.0

    @classmethod
    def of(cls, lease_duration: int) -> LeaseTiming:
        """Return the timing with client-go's default proportions (15, 10 and 2 s)."""
        return cls(lease_duration, lease_duration * 2 / 3, lease_duration / 7.5)


@dataclass(frozen=True, slots=True)
class ObservedLease:
    """A Lease, and when this candidate first saw this version of it (seconds of its monotonic clock)."""

    record: LeaseRecord
    since: float

    def seconds_left(self, now: float) -> float:
        """Return for how long the Lease is still valid; at most 0 after it ran out or was released."""
        return self.since + self.record.lease_duration - now if self.record.holder else 0.0


def observe(former: ObservedLease | None, record: LeaseRecord, now: float) -> ObservedLease:
    """Return the observation after ``record`` was read at ``now``: only a changed record starts the clock again."""
    return former if former is not None and former.record == record else ObservedLease(record, now)


def is_led_by_other(identity: str, observed: ObservedLease | None, now: float) -> bool:
    """Whether another candidate holds a Lease that is still valid."""
    return observed is not None and observed.record.holder != identity and observed.seconds_left(now) > 0


def wanted_record(identity: str, observed: ObservedLease | None, timing: LeaseTiming) -> LeaseRecord:
    """Return the record with which ``identity`` creates, acquires or renews the Lease."""
    if observed is None:
        return LeaseRecord(identity, timing.lease_duration)
    if observed.record.holder == identity:
        return replace(observed.record, lease_duration=timing.lease_duration)
    return LeaseRecord(identity, timing.lease_duration, observed.record.version, observed.record.transitions + 1)


def pause(observed: ObservedLease | None, timing: LeaseTiming, now: float, jitter: float) -> float:
    """Return the seconds until a candidate's next attempt: a retry period, or less if the Lease runs out before.

    ``jitter`` from 0 to 1 shortens it by up to a fifth, so that candidates do not keep step.
    """
    period = timing.retry_period * (1 - jitter / 5)
    left = observed.seconds_left(now) if observed is not None else 0.0
    return left if 0 < left < period else period


class LeaderElector:
    """One candidate. ``on_lead`` is awaited when it becomes the leader, ``on_stand_by`` when it no longer is."""

    def __init__(
        self,
        api: Api,
        lease: Ref,
        identity: str,
        timing: LeaseTiming,
        on_lead: Callable[[], Awaitable[None]],
        on_stand_by: Callable[[], Awaitable[None]],
    ) -> None:
        self._api, self._ref, self._identity, self._timing = api, lease, identity, timing
        self._on_lead, self._on_stand_by = on_lead, on_stand_by
        self._observed: ObservedLease | None = None
        #: When the last successful renewal was sent.
        self._renewed = 0.0
        #: Whether the Lease may name this candidate. A write without an answer may have been carried out.
        self._has_written = False
        self.is_leader = False
        metrics.LEADER.set(0)

    async def run(self) -> None:
        """Acquire the Lease, renew it, and begin again when it is lost, until cancelled."""
        while True:
            await self._acquire()
            await self._turn(is_leader=True)
            await self._renew()
            await self._turn(is_leader=False)

    async def _acquire(self) -> None:
        """Try to acquire the Lease until it succeeds."""
        while not await self._try_acquire_or_renew(self._timing.renew_deadline):
            seconds = pause(self._observed, self._timing, time.monotonic(), random.random())  # noqa: S311
            await asyncio.sleep(seconds)

    async def _renew(self) -> None:
        """Renew until the renew deadline passes without success, or another candidate holds the Lease."""
        while (left := self._seconds_to_deadline()) > 0:
            await asyncio.sleep(min(left, self._timing.retry_period * random.uniform(0.8, 1.0)))  # noqa: S311
            is_held = await self._try_acquire_or_renew(self._seconds_to_deadline())
            if not is_held and is_led_by_other(self._identity, self._observed, time.monotonic()):
                return

    def _seconds_to_deadline(self) -> float:
        return self._renewed + self._timing.renew_deadline - time.monotonic()

    async def _turn(self, *, is_leader: bool) -> None:
        self.is_leader = is_leader
        if is_leader:
            logger.info("%s leads", self._identity)
            await self._on_lead()
        else:
            logger.warning("%s no longer leads and stands by", self._identity)
            await self._on_stand_by()
        metrics.LEADER.set(float(is_leader))

    async def _try_acquire_or_renew(self, seconds: float) -> bool:
        """Try once, for at most ``seconds``; returns whether this candidate holds the Lease now."""
        sent = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                # A leader renews the version that it wrote last, without reading the Lease before.
                if not self.is_leader or self._observed is None:
                    self._observed = await self._read()
                if is_led_by_other(self._identity, self._observed, time.monotonic()):
                    return False
                await self._write(wanted_record(self._identity, self._observed, self._timing))
        except (ApiError, TimeoutError, msgspec.DecodeError) as error:
            logger.info("Lease %s: %s", self._ref.name, error or "no answer in time")
            return False
        self._renewed = sent
        return True

    async def _read(self) -> ObservedLease | None:
        """Return the Lease, or None where there is none. Raises ApiError and msgspec.DecodeError."""
        try:
            record = leases.decode(await self._api.read_lease(self._ref))
        except ApiError as error:
            if error.code != 404:
                raise
            # Somebody deleted the Lease, and its leader creates it again with the next renewal.
            return self._observed if is_led_by_other(self._identity, self._observed, time.monotonic()) else None
        return observe(self._observed, record, time.monotonic())

    async def _write(self, record: LeaseRecord) -> None:
        """Write the record. Raises ApiError, with the Lease read again where another version was there."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._has_written = True
        try:
            answer = await self._api.write_lease(leases.encode(self._ref, record, now), self._ref)
        except ApiError as error:
            if error.code in (404, 409):
                self._observed = await self._read()
            raise
        self._observed = ObservedLease(leases.decode(answer), time.monotonic())

    async def release(self) -> None:
        """Release the Lease if it is held, so that a successor need not wait; :meth:`run` must have ended."""
        self.is_leader = False
        metrics.LEADER.set(0)
        try:
            async with asyncio.timeout(_RELEASE_SECONDS):
                for _ in range(_RELEASE_TRIES):
                    if not self._has_written or await self._release():
                        return
        except (ApiError, TimeoutError, msgspec.DecodeError) as error:
            logger.info("Lease %s could not be released: %s", self._ref.name, error or "no answer in time")

    async def _release(self) -> bool:
        """Release the Lease; returns False if it changed meanwhile. Raises ApiError and msgspec.DecodeError."""
        self._observed = await self._read()
        if self._observed is None or self._observed.record.holder != self._identity:
            return True
        try:
            await self._write(replace(self._observed.record, holder="", acquired=""))
        except ApiError as error:
            if error.code == 409:
                return False
            raise
        logger.info("Lease %s is released", self._ref.name)
        return True
