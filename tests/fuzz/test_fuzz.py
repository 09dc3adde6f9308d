"""Whatever the cluster holds and apps answer: no exception escapes, and nothing is worked on for long.

``make fuzz`` tries a million inputs; without ``FUZZ_INPUTS`` it is a few thousand, always the same.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from tests.fuzz import inputs, world
from tests.fuzz.targets import Clock, affordable, take, take_bytes, take_page, take_text

SAMPLE = 1600
INPUTS = int(os.environ.get("FUZZ_INPUTS", "0"))
#: Hypothesis remembers all inputs of a run, so that a long one is made of many.
BATCH = 5000
PARTS = 8

seen: Counter[str] = Counter()


def _object(found: inputs.Made) -> None:
    def run(clock: Clock) -> None:
        seen[f"{found.kind} {take(found.kind, found.raw, found.app, clock)}"] += 1

    affordable(run, found.raw.decode())


def _text(text: str) -> None:
    affordable(lambda clock: take_text(text, clock), text)


def _bytes(raw: bytes) -> None:
    affordable(lambda clock: take_bytes(raw, clock), repr(raw))


#: What is tried, from what it is made, and its share of the inputs.
TARGETS: dict[str, tuple[Callable[[Any], None], SearchStrategy[Any], float]] = {
    "objects": (_object, inputs.objects(), 0.7),
    "texts": (_text, inputs.texts, 0.2),
    "bytes": (_bytes, inputs.raws, 0.08),
    "pages": (take_page, inputs.texts.map(lambda text: f'<script type="module" src="{text}">'), 0.02),
}


def play(target: Callable[[Any], None], made: SearchStrategy[Any], count: int, start: int) -> None:
    """Try ``count`` inputs; ``start`` makes them others."""
    for number, begin in enumerate(range(0, count, BATCH)):

        @seed(start * 10_000 + number)
        @settings(
            max_examples=min(BATCH, count - begin),
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(made)
        def every(found: Any) -> None:
            target(found)

        every()


@pytest.mark.parametrize("part", range(PARTS if INPUTS else 1))
@pytest.mark.parametrize("name", TARGETS)
def test_nothing_escapes_and_nothing_takes_long(name: str, part: int) -> None:
    target, made, share = TARGETS[name]
    play(target, made, round((INPUTS / PARTS if INPUTS else SAMPLE) * share), part)
    if name == "objects":
        print(dict(sorted(seen.items())))
        taken = sum(count for what, count in seen.items() if what.endswith("taken"))
        assert taken > seen.total() * 0.4, "most of what is made is refused at the door"
        assert {what.partition(" ")[0] for what in seen} == {found["kind"] for found in world.CORPUS}
