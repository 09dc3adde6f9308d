"""What an app whose writes never succeed costs the others: routes are edited without it and beside it, in turns.

Single slow answers decide a p99, and what else the machine does decides them, which is another thing from minute to
minute. So each round beside it is compared with one without it right before or after, and the median of these counts.
"""

from __future__ import annotations

import asyncio
import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from tests.bench import chats
from tests.chaos import proxy
from tests.chaos.proxy import Act
from tests.chaos.scene import LIMIT_SECONDS, Scene

PAIRS, TURNS, PER_SECOND = 9, 6, 20
#: How much longer the others may take.
MAX_RATIO = 1.5


@dataclass(frozen=True, slots=True)
class Trouble:
    """What becomes of each write of one app."""

    name: str
    title: str
    act: Act

    def __str__(self) -> str:
        return self.name

    async def play(self, scene: Scene) -> Comparison:
        """Measure what it costs the others. Raises ClusterError, AssertionError where that is too much."""
        compared = await compare(scene, self)
        assert compared.ratio <= MAX_RATIO, str(compared)
        return compared


@dataclass(frozen=True, slots=True)
class Comparison:
    """For pairs of rounds, the p99 of milliseconds from the edit of a route to the variable, without and beside it."""

    pairs: tuple[tuple[float, float], ...]

    @property
    def ratio(self) -> float:
        """How much longer it takes beside such an app."""
        return statistics.median(beside / without for without, beside in self.pairs)

    @property
    def medians(self) -> tuple[float, float]:
        """Without it and beside it."""
        without, beside = (statistics.median(side) for side in zip(*self.pairs, strict=True))
        return without, beside

    def __str__(self) -> str:
        pairs = ", ".join(f"{without:.0f}/{beside:.0f}" for without, beside in self.pairs)
        return f"{self.ratio:.2f} times the p99 without it, of pairs of rounds {pairs} ms"


async def _hanging(_: proxy.Proxy, request: web.Request) -> web.StreamResponse:
    """Nothing comes for ten seconds, and then the connection breaks."""
    await asyncio.sleep(10.0)
    raise ConnectionError


TROUBLES = (
    Trouble("failing", "each write of one app is answered with 500", proxy.answering(500, "InternalError")),
    Trouble("hanging", "each write of one app hangs for 10 s", _hanging),
)


async def compare(scene: Scene, trouble: Trouble) -> Comparison:
    """Measure it. Raises ClusterError where an app is lost."""
    await scene.driver.aligned(LIMIT_SECONDS)
    pairs = []
    for turn in range(PAIRS):
        found = {}
        for is_beside in sorted((False, True), reverse=turn % 2 == 1):
            found[is_beside] = await (_beside(scene, trouble) if is_beside else _round(scene))
        pairs.append((found[False], found[True]))
    return Comparison(tuple(pairs))


async def _beside(scene: Scene, trouble: Trouble) -> float:
    """A round in which the first app is in trouble; it is well again after it."""
    scene.proxy.plant(trouble.act, _is_of_first)
    p99 = await _round(scene, is_beside=True)
    assert scene.proxy.taken > 0, "the app in trouble wrote nothing"
    scene.proxy.clear()
    await scene.traffic(0.0, [0])
    await scene.driver.aligned(LIMIT_SECONDS)
    return p99


async def _round(scene: Scene, *, is_beside: bool = False) -> float:
    """Return the p99 of edits of all apps but the first, whose route is edited in each turn if it is in trouble."""
    scene.driver.forget_edits()
    others, times = range(1, scene.driver.apps), scene.driver.latencies_ms
    for turn in range(1, TURNS + 1):
        if is_beside:
            await scene.traffic(0.0, [0])
        await scene.traffic(len(others) / PER_SECOND, others)
        async with asyncio.timeout(LIMIT_SECONDS):
            while len(times) < turn * len(others):  # noqa: ASYNC110 - the next edits might hide what is still to come
                await asyncio.sleep(0.02)
    return sorted(times)[math.ceil(len(times) * 0.99) - 1]


def _is_of_first(request: web.Request) -> bool:
    return proxy.writes(request) and chats.name(0) in request.path


def table(found: Mapping[str, object]) -> str:
    """Return the comparisons as Markdown."""
    lines = ["| beside an app in trouble | p99 of the others without it | beside it | times |", "|---|--:|--:|--:|"]
    for title, compared in found.items():
        cells = "✗ | | "
        if isinstance(compared, Comparison):
            without, beside = compared.medians
            cells = f"{without:.0f} ms | {beside:.0f} ms | {compared.ratio:.2f}"
        lines.append(f"| {title} | {cells} |")
    return "\n".join(lines)
