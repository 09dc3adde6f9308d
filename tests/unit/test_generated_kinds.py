"""What is generated from the registry of kinds is up to date (``make generate``)."""

from __future__ import annotations

from tests.charts.generated import CHARTS, OPERATOR, listed


def test_lists_of_kinds_in_the_chart_are_up_to_date() -> None:
    for name, expected in listed().items():
        assert (CHARTS / OPERATOR / name).read_text(encoding="utf-8") == expected, f"make generate: {name}"
