"""The largest and oddest objects that the API server takes: each step over one of them is short."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from tests.fuzz.giants import GIANTS, OBJECT_SIZE
from tests.fuzz.targets import Clock, affordable, take

#: Of the long annotations every fifth, where ``make fuzz`` does not ask for all.
TABLE = [row for n, row in enumerate(GIANTS) if "FUZZ_INPUTS" in os.environ or " of " not in row[0] or n % 5 == 0]


@pytest.mark.parametrize(("name", "found"), TABLE, ids=[name for name, _ in TABLE])
def test_a_giant_costs_little(name: str, found: Any) -> None:
    raw = json.dumps(found).encode()
    assert len(raw) <= OBJECT_SIZE

    def run(clock: Clock) -> None:
        assert take(found["kind"], raw, 1, clock) == "taken"

    affordable(run, name)
