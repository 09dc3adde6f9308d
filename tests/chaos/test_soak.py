"""A soak of two minutes: counts that show a leak of one task or socket a change, and memory that grows with events."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.chaos.soak import Length, Sample, judge, judge_latency, soak


@pytest.mark.timeout(600)
def test_nothing_grows(tmp_path: Path) -> None:
    # Not the latency: what else the machine does decides that.
    found = asyncio.run(soak(tmp_path, Length(apps=40, rounds=8, changes=4000, events=12_000)))
    assert judge(found) == [], "\n".join(map(str, found))


STEADY = Sample(memory_mib=80.0, tasks=40, files=20, threads=3, cpu_seconds=1.0, p50_ms=10, p99_ms=30)


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (STEADY, []),
        (Sample(84.9, 40, 20, 3, 1.0, 19, 30), []),
        (Sample(85.0, 40, 20, 3, 1.0, 10, 30), ["memory grew by 5.0 MiB"]),
        (Sample(80.0, 41, 20, 3, 1.0, 10, 30), ["tasks: at least 41 at the end, at most 40 at first"]),
        (Sample(80.0, 40, 28, 3, 1.0, 10, 30), []),
        (Sample(80.0, 40, 29, 3, 1.0, 10, 30), ["files: at least 29 at the end, at most 20 at first"]),
        (Sample(80.0, 40, 20, 4, 1.0, 10, 30), ["threads: at least 4 at the end, at most 3 at first"]),
        (Sample(80.0, 40, 20, 3, 2.0, 10, 30), []),
        (Sample(80.0, 40, 20, 3, 2.1, 10, 30), ["the processor time of a round went from 1.00 to 2.10 s"]),
        (Sample(80.0, 40, 20, 3, 1.0, 21, 30), ["the median latency went from 10 to 21 ms"]),
    ],
)
def test_what_grows_is_told(last: Sample, words: list[str]) -> None:
    found = [Sample(70.0, 30, 10, 2, 9.0, 50, 90), STEADY, STEADY, STEADY, last, last]
    assert judge(found) + judge_latency(found) == words
