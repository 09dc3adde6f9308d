"""The elector: campaigns for a Lease, keeps it while it leads, and gives it back when it is asked to stop.

The rules are in ``domain/election.py``. The client library brings an elector too; it reads wall clocks, holds on to
the Lease when it stops and knows no fence, which is why this one is here.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec

from chainlit_operator.kube import codec, lease_rules, leases
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.kube.lease_rules import Move, Sighting, Term, Timing
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import metrics

logger = logging.getLogger(__name__)

_decode = codec.decoder(leases.Lease)
#: How often giving the Lease back is tried where a renewal that was still under way comes in between.
_TRIES = 3
#: And for how long: whoever stops a process does not wait for ever.
_RELEASE_SECONDS = 5.0


class Elector:
    """One candidate. ``on_lead`` is awaited when it becomes the leader, ``on_stand_by`` when it no longer is."""

    def __init__(
        self,
        api: Api,
        lease: Ref,
        identity: str,
        timing: Timing,
        on_lead: Callable[[], Awaitable[None]],
        on_stand_by: Callable[[], Awaitable[None]],
    ) -> None:
        self._api, self._ref, self._identity, self._timing = api, lease, identity, timing
        self._on_lead, self._on_stand_by = on_lead, on_stand_by
        self._seen: Sighting | None = None
        self._term: Term | None = None
        #: Whether the last write of the Lease has no answer that tells what became of it.
        self._is_unsure = False
        metrics.LEADER.set(0)

    @property
    def is_leader(self) -> bool:
        """Whether this candidate leads, as far as it knows."""
        return self._term is not None

    def seconds_for_a_write(self) -> float:
        """Return how long a write that begins now may take; 0 while this candidate does not lead."""
        return self._term.seconds_for_a_write(time.monotonic()) if self._term is not None else 0.0

    async def run(self) -> None:
        """Campaign and renew until cancelled."""
        while True:
            led = self._term is not None
            try:
                async with asyncio.timeout(self._patience()):
                    await self._step()
            except (ApiError, TimeoutError, msgspec.DecodeError) as error:
                logger.info("Lease %s: %s", self._ref.name, error or "no answer in time")
            if not self.seconds_for_a_write():
                self._term = None
            if led != self.is_leader:
                await self._turn()
            await asyncio.sleep(self._pause())

    async def release(self) -> None:
        """Give the Lease back if it is held, so that nobody waits for it to run out; :meth:`run` must have ended."""
        if self._term is None and not self._is_unsure:
            return
        self._term = None
        metrics.LEADER.set(0)
        try:
            async with asyncio.timeout(_RELEASE_SECONDS):
                for _ in range(_TRIES):
                    if await self._give_back():
                        return
        except (ApiError, TimeoutError, msgspec.DecodeError) as error:
            logger.info("Lease %s could not be given back: %s", self._ref.name, error or "no answer in time")

    async def _give_back(self) -> bool:
        """Give the Lease back if it is held; returns False if it changed meanwhile. Raises ApiError."""
        if self._is_unsure or self._seen is None:
            self._seen = await self._look()
        if self._seen is None or self._seen.lease.holder != self._identity:
            return True
        try:
            await self._write(lease_rules.given_back(self._seen.lease))
        except ApiError as error:
            if error.code != 409:
                raise
            self._seen = None
            return False
        logger.info("Lease %s is given back", self._ref.name)
        return True

    async def _step(self) -> None:
        """Keep the Lease, or take it if it is free; raises ApiError."""
        asked = time.monotonic()
        if self._term is None or self._seen is None:
            self._seen = await self._look()
        if lease_rules.move(self._identity, self._seen, time.monotonic()) is Move.WAIT:
            self._term = None
            return
        try:
            await self._write(lease_rules.wanted(self._identity, self._seen, self._timing))
        except ApiError as error:
            if error.code == 409:  # changed by somebody: does this candidate lead still?
                self._seen = None
                self._seen = await self._look()
                if lease_rules.move(self._identity, self._seen, time.monotonic()) is Move.WAIT:
                    self._term = None
            raise
        self._term = Term(asked, self._timing)

    async def _look(self) -> Sighting | None:
        try:
            found = _decode(await self._api.read_lease(self._ref))
        except ApiError as error:
            if error.code == 404:
                return self._seen if self._is_led_by_another() else None
            raise
        return lease_rules.sight(self._seen, found.to_domain(), time.monotonic())

    def _is_led_by_another(self) -> bool:
        """Whether a Lease that somebody deleted was another's, who leads until it looks again or its time is over."""
        return lease_rules.move(self._identity, self._seen, time.monotonic()) is Move.WAIT

    async def _write(self, lease: lease_rules.Lease) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._is_unsure = True
        try:
            answer = await self._api.write_lease(leases.encode_lease(self._ref, lease, now), self._ref)
        except ApiError as error:
            self._is_unsure = not 400 <= error.code < 500
            raise
        self._seen = Sighting(_decode(answer).to_domain(), time.monotonic())
        self._is_unsure = False

    async def _turn(self) -> None:
        if self.is_leader:
            logger.info("%s leads", self._identity)
            await self._on_lead()
        else:
            logger.warning("%s does not lead any more: it stands by", self._identity)
            await self._on_stand_by()
        metrics.LEADER.set(float(self.is_leader))

    def _patience(self) -> float:
        """How long a step may take."""
        return self._timing.renew_deadline if self._term is None else max(0.0, self._term.ends - time.monotonic())

    def _pause(self) -> float:
        if self._term is None:
            return lease_rules.next_look(self._seen, self._timing, time.monotonic(), random.random())  # noqa: S311
        pause = self._timing.retry * random.uniform(0.8, 1.2)  # noqa: S311
        return max(0.0, min(pause, self._term.ends - time.monotonic()))
