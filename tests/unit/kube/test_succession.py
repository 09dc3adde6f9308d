"""When a leader that fell silent is replaced: electors on simulated clocks, whatever moment it fell silent at."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import selectors
from collections.abc import Callable
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from chainlit_operator.kube import leader_election
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.kube.lease_rules import Timing
from chainlit_operator.object_ref import Ref

LEASE = Ref("Lease", "system", "chainlit-operator")
#: At how many moments between two looks of a standby the leader falls silent.
PHASES = 10
#: By how much the monotonic clock of a candidate's machine is off.
OFFSET: ContextVar[float] = ContextVar("OFFSET", default=0.0)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Time passes where there is nothing to do but wait, and at no other moment."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self.now


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: SimulatedLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._loop.now += timeout or 0.0
        return super().select(0)


class Server:
    """An API server that has one Lease."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.written: list[tuple[float, str]] = []
        self._changed = asyncio.Event()

    async def until(self, is_so: Callable[[list[tuple[float, str]]], bool]) -> float:
        """Wait until this is so of what was written; returns when the last of it was."""
        while not is_so(self.written):
            await self._changed.wait()
            self._changed.clear()
        return self.written[-1][0]

    def get(self) -> bytes:
        if self.lease is None:
            raise ApiError(404, "NotFound", "there is none")
        return msgspec.json.encode(self.lease)

    def put(self, body: dict[str, Any]) -> bytes:
        expected = self.lease["metadata"]["resourceVersion"] if self.lease is not None else None
        if body["metadata"].get("resourceVersion") != expected:
            raise ApiError(409, "Conflict", "somebody was faster")
        version = str(len(self.written))
        self.lease = body | {"metadata": body["metadata"] | {"resourceVersion": version}}
        self.written.append((asyncio.get_running_loop().time(), body["spec"]["holderIdentity"]))
        self._changed.set()
        return self.get()


class Candidate:
    """An elector with a clock and a connection of its own: requests take ``there``, answers ``back`` seconds."""

    def __init__(
        self, name: str, server: Server, timing: Timing, *, offset: float, there: float = 0.0, back: float = 0.0
    ) -> None:
        self._server, self._there, self.back = server, there, back
        self.is_cut = False
        self.name, self._context = name, contextvars.copy_context()
        self._context.run(OFFSET.set, offset)
        self._elector = leader_election.Elector(cast(Api, self), LEASE, name, timing, _nothing, _nothing)

    def start(self) -> asyncio.Task[None]:
        return asyncio.create_task(self._elector.run(), context=self._context)

    def span(self) -> tuple[float, float]:
        """From when to when a write that begins now may last, on nobody's clock."""
        now = asyncio.get_running_loop().time()
        return now, now + self._context.run(self._elector.seconds_for_a_write)

    async def read_lease(self, _: Ref) -> bytes:
        return await self._ask(self._server.get)

    async def write_lease(self, body: dict[str, Any], _: Ref) -> bytes:
        return await self._ask(lambda: self._server.put(body))

    async def _ask(self, request: Callable[[], bytes]) -> bytes:
        await self._travel(self._there)
        try:
            return request()
        finally:
            await self._travel(self.back)

    async def _travel(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self.is_cut:
            await asyncio.Event().wait()


async def _nothing() -> None:
    """What a turn costs is not the matter here."""


async def succession(promised: int, phase: float, *, is_answered: bool, is_slow: bool) -> float:
    """Return after how long a leader was replaced of which no more was heard once it had renewed the Lease.

    ``is_answered`` is whether it knows of this renewal, ``is_slow`` whether requests take their time for everybody, not
    only the answers to the leader. It lives on, and is heard again in the end. Fails where two
    might have written at the same time.
    """
    server, timing, latency = Server(), Timing.of(promised), promised / 60
    there, back = (latency, latency) if is_slow else (0.0, 0.0)
    leader = Candidate("a", server, timing, offset=1e4, there=there, back=latency)
    others = [Candidate(name, server, timing, offset=n, there=there, back=back) for n, name in enumerate("bc")]
    spans: list[tuple[tuple[float, float], str]] = []

    async def look() -> None:
        while True:
            spans.extend((span, who.name) for who in (leader, *others) if (span := who.span())[0] < span[1])
            await asyncio.sleep(promised / 60)

    tasks = [leader.start(), asyncio.create_task(look())]
    await server.until(lambda written: len(written) == 1)
    for share, other in zip((1.0, 0.4), others, strict=True):
        await asyncio.sleep(timing.look * phase * share)
        tasks.append(other.start())
    silent = await server.until(lambda written: len(written) == 5)
    await asyncio.sleep(leader.back if is_answered else 0.0)
    leader.is_cut = True
    replaced = await server.until(lambda written: written[-1][1] != "a")
    await asyncio.sleep(promised)
    leader.is_cut = False
    await asyncio.sleep(promised)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert {name for _, name in spans} == {"a", server.written[-1][1]}
    for (earlier, first), (later, second) in itertools.pairwise(sorted(spans)):
        assert first == second or earlier[1] <= later[0], "two might write at the same time"
    return replaced - silent


@pytest.mark.parametrize("chance", [0.0, 1.0])
@pytest.mark.parametrize("is_slow", [True, False], ids=["slow", "unfair"])
@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "unanswered"])
@pytest.mark.parametrize("promised", [3, 4, 15, 60])
def test_a_silent_leader_is_replaced_within_what_is_promised_and_no_two_write_at_once(
    promised: int, is_answered: bool, is_slow: bool, chance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def monotonic() -> float:
        return asyncio.get_running_loop().time() + OFFSET.get()

    monkeypatch.setattr(leader_election, "time", SimpleNamespace(monotonic=monotonic))
    dice = SimpleNamespace(random=lambda: chance, uniform=lambda low, high: low + (high - low) * chance)
    monkeypatch.setattr(leader_election, "random", dice)

    def play(phase: float) -> float:
        with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
            return runner.run(succession(promised, phase, is_answered=is_answered, is_slow=is_slow))

    took = [play(phase / PHASES) for phase in range(PHASES)]
    assert max(took) <= promised
    # It is seen by the next look, its time counted from there, and the Lease taken: six messages.
    timing = Timing.of(promised)
    assert max(took) <= timing.look + timing.lease + 6 * promised / 60 + 1e-6
    # The phases are really different ones, or the longest would not be among them.
    assert max(took) - min(took) >= 0.5 * timing.look
