"""Many routes at one place: that the loads are what they say, and how their cost is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count

from tests.bench import shared_place
from tests.bench.shared_place import SAMPLE, Store, cost_of_edit, turns

from chainlit_operator.object_ref import Ref


class FakeStore(Store):
    """Wakes so many apps; filing takes five ticks of the clock, each decision two."""

    def __init__(self, woken: int, clock: Iterator[int]) -> None:
        self.all = [Ref("ChainlitApp", "shop", str(number)) for number in range(woken)]
        self.decided: list[Ref] = []
        self._clock = clock

    def upsert(self, record: object) -> list[Ref]:
        self._spend(5)
        return self.all

    def decide(self, ref: Ref) -> None:
        self._spend(2)
        self.decided.append(ref)

    def _spend(self, ticks: int) -> None:
        for _ in range(ticks):
            next(self._clock)


def cost(woken: int) -> tuple[float, int, int]:
    clock = count()
    store = FakeStore(woken, clock)
    seconds, found = cost_of_edit(store, None, lambda: float(next(clock)))
    return seconds, found, len(store.decided)


def test_an_edit_costs_its_filing_and_the_decision_of_each_app_that_it_wakes() -> None:
    assert cost(0) == (6.0, 0, 0)  # a look at the clock is a tick, too
    assert cost(10) == (6.0 + 21.0, 10, 10)


def test_the_cost_of_many_apps_follows_from_a_sample() -> None:
    seconds, woken, decided = cost(10 * SAMPLE)
    assert (woken, decided) == (10 * SAMPLE, SAMPLE)
    assert seconds == 6.0 + 10 * (2 * SAMPLE + 1)


async def test_the_longest_turn_is_that_without_a_break() -> None:
    now = 0.0

    async def work() -> None:
        nonlocal now
        for seconds in (1.0, 7.0, 2.0):
            now += seconds
            await asyncio.sleep(0)
        now += 3.0

    assert await turns(work(), lambda: now) == (13.0, 7.0)


async def test_work_without_any_break_is_one_turn() -> None:
    now = 0.0

    async def work() -> None:
        nonlocal now
        now += 5.0

    assert await turns(work(), lambda: now) == (5.0, 5.0)


async def test_the_loads_reach_the_store() -> None:
    found = await shared_place.measure(apps=6, routes=30)
    assert (found["apps"], found["routes"]) == (6, 30)
    assert found["woken"] >= 1, "the app whose route was edited"
    assert found["edit_ms"] > 0 and found["blocked_ms"] > 0
