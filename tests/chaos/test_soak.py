"""A short soak: counts that show a leak of one task or socket a change, and memory that grows with events."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.chaos.soak import Length, Sample, judge, soak


@pytest.mark.timeout(600)
def test_nothing_grows(tmp_path: Path) -> None:
    found = asyncio.run(soak(tmp_path, Length(apps=40, rounds=6, changes=960, events=3000)))
    assert judge(found) == [], "\n".join(map(str, found))


STEADY = Sample(memory_mib=80.0, tasks=40, files=20, threads=3, p50_ms=10, p99_ms=30)


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (STEADY, []),
        (Sample(84.9, 40, 20, 3, 19, 30), []),
        (Sample(85.0, 40, 20, 3, 10, 30), ["memory grew by 5.0 MiB"]),
        (Sample(80.0, 41, 20, 3, 10, 30), ["tasks: at least 41 at the end, at most 40 at first"]),
        (Sample(80.0, 40, 28, 3, 10, 30), []),
        (Sample(80.0, 40, 29, 3, 10, 30), ["files: at least 29 at the end, at most 20 at first"]),
        (Sample(80.0, 40, 20, 4, 10, 30), ["threads: at least 4 at the end, at most 3 at first"]),
        (Sample(80.0, 40, 20, 3, 21, 30), ["the median latency went from 10 to 21 ms"]),
    ],
)
def test_what_grows_is_told(last: Sample, words: list[str]) -> None:
    assert judge([Sample(70.0, 30, 10, 2, 50, 90), STEADY, STEADY, STEADY, last, last]) == words
