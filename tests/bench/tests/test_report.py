"""The table of the bench."""

import json
from pathlib import Path

import pytest
from tests.bench import report


def test_the_table_has_ratios_and_goals() -> None:
    def run(side: str, seconds: float) -> dict[str, object]:
        cold = {"seconds": seconds, "memory_mib": 80.0, "cpu_seconds": {"operator": 1.0}, "requests": {}}
        return {"side": side, "apps": 1000, "repetition": 0, "phases": {"cold": cold}}

    table = report.table({"runs": [run("ours", 4.0), run("ours", 6.0), run("peer", 10.0)]})
    assert "| 1,000 | 5.00 s (4.00 – 6.00) | 10.00 s | **0.50** | ≤ 0.9 ✓ |" in table
    assert "| memory after the cold start | 1,000 | 80.0 MiB | 80.0 MiB | **1.00** | ≤ 1 ✓ |" in table
    assert table.count("| memory after the cold start |") == 1


def runs(apps: int, repeats: int) -> list[dict[str, object]]:
    return [{"side": "ours", "apps": apps, "repetition": n, "phases": {}} for n in range(repeats)]


def test_results_are_added_to_those_of_other_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results.json")
    report.RESULTS.write_text(json.dumps({"date": "then", "runs": runs(100, 1) + runs(1000, 1)}))
    found = report.added({"date": "now", "runs": runs(1000, 3)})
    assert found == {"date": "now", "runs": runs(100, 1) + runs(1000, 3)}


def test_how_often_it_was_measured_is_told() -> None:
    assert report._repeats({"runs": runs(100, 3) + runs(1000, 3)}) == "3"
    assert (
        report._repeats({"runs": runs(100, 2) + runs(1000, 3) + runs(10_000, 1)})
        == "3, of 100 apps 2, of 10,000 apps 1"
    )


def measured(side: str, repetition: int, seconds: float) -> dict[str, object]:
    cold = {"seconds": seconds, "cpu_seconds": {"operator": 1.0}, "requests": {}}
    return {"side": side, "apps": 1000, "repetition": repetition, "phases": {"cold": cold}}


def test_a_ratio_is_the_median_of_pairs() -> None:
    assert report.ratio([1.0, 30.0, 3.0], [2.0, 20.0, 3.0]) == 1.0
    assert report.ratio([4.0, 6.0], [10.0]) == 0.5
    assert report.ratio([4.0], []) is None
    assert report.ratio([4.0], [0.0]) is None


def test_another_checkout_has_a_column_and_no_goal() -> None:
    runs = [measured(side, n, seconds) for n in range(2) for side, seconds in (("ours", 4.0), ("before", 5.0))]
    table = report.table({"runs": runs}).splitlines()
    assert table[0] == "| measure | apps | ours | before | ours / before | goal |"
    assert "| 1,000 | 4.00 s | 5.00 s | 0.80 |  |" in table[2]


def test_places_have_goals_of_their_own() -> None:
    figures = [{"edit_ms": ms, "filed_seconds": 2.5, "blocked_ms": 100.0} for ms in (10.0, 40.0, 90.0)]
    lines = report.places_table({"runs": [], "places": figures}).splitlines()
    assert lines[2].endswith("| 40.0 ms (10.0 – 90.0) | ≤ 50 ms ✓ |")
    assert lines[3].endswith("| 2.50 s | ≤ 2 s ✗ |")
    assert lines[4].endswith("| 100.0 ms | ≤ 100 ms ✓ |")
    assert report.places_table({"runs": []}) == ""
