"""Every value that the schemas speak of is refused when it is wrong, in one line that names it; nothing renders."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from .generated import CHARTS, NAMES
from .invalid import Invalid, batches, invalid, values
from .rendering import Refused, dump, helm

LEAST = 200


@pytest.mark.parametrize("chart", NAMES)
def test_wrong_values_are_named(chart: str) -> None:
    """Many in one file: a value that is all right in Helm's eyes has no line in the message."""
    wrong = invalid(chart)
    assert len(wrong) >= LEAST
    amiss = [problem for batch in batches(wrong) for problem in _amiss(chart, batch)]
    assert not amiss, "\n".join(amiss)


@pytest.mark.slow
@pytest.mark.parametrize("chart", NAMES)
def test_a_wrong_value_is_refused_alone(chart: str) -> None:
    amiss = [problem for wrong in invalid(chart) for problem in _amiss(chart, [wrong])]
    assert not amiss, "\n".join(amiss)


def _amiss(chart: str, batch: Sequence[Invalid]) -> list[str]:
    """Return what is amiss with the refusal of values in one file: one that is not named in exactly one line."""
    try:
        helm("template", "chat", str(CHARTS / chart), "--values", "-", values=dump(values(batch)))
    except Refused as refused:
        lines = str(refused).splitlines()
        named = {each: sum(_names(line, each) for line in lines) for each in batch}
        return [f"{each}: named in {count} lines of\n{refused}" for each, count in named.items() if count != 1]
    return [f"{each}: renders" for each in batch]


def _names(line: str, wrong: Invalid) -> bool:
    place = "".join(f"/{step}" for step in wrong.path)
    return bool(re.match(rf" *- at '{re.escape(place)}': ", line)) and f"'{wrong.key}'" in line
