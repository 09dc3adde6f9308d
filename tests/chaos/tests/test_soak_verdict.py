"""What the soak calls growth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.chaos.soak import Sample, judge, judge_latency

STEADY = Sample(memory_mib=80.0, tasks=40, files=20, threads=3, cpu_seconds=1.0, api_seconds=4.0, p50_ms=10, p99_ms=30)
EARLY = Sample(memory_mib=70.0, tasks=30, files=10, threads=2, cpu_seconds=9.0, api_seconds=9.0, p50_ms=50, p99_ms=90)


@pytest.mark.parametrize(
    ("last", "words"),
    [
        ({}, []),
        ({"memory_mib": 84.9, "p50_ms": 19}, []),
        ({"memory_mib": 85.0}, ["memory grew by 5.0 MiB"]),
        ({"tasks": 41}, ["tasks: at least 41 at the end, at most 40 at first"]),
        ({"files": 28}, []),
        ({"files": 29}, ["files: at least 29 at the end, at most 20 at first"]),
        ({"threads": 4}, ["threads: at least 4 at the end, at most 3 at first"]),
        ({"cpu_seconds": 2.0}, []),
        ({"cpu_seconds": 3.0, "api_seconds": 12.0}, []),
        ({"cpu_seconds": 2.1}, ["the processor time went from 0.25 to 0.53 times the API server's"]),
        ({"p50_ms": 21}, ["the median latency went from 10 to 21 ms"]),
    ],
)
def test_what_grows_is_told(last: dict[str, Any], words: list[str]) -> None:
    found = [EARLY, STEADY, STEADY, STEADY, *[replace(STEADY, **last)] * 2]
    assert judge(found) + judge_latency(found) == words
