"""A soak of two minutes: counts that show a leak of one task or socket a change, and memory that grows with events."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.chaos.soak import Length, judge, soak


@pytest.mark.timeout(1800)
def test_nothing_grows(tmp_path: Path) -> None:
    # Not the latency: what else the machine does decides that.
    found = asyncio.run(soak(tmp_path, Length(apps=40, rounds=8, changes=4000, events=12_000)))
    assert judge(found) == [], "\n".join(map(str, found))
