"""The table of the bench."""

from tests.bench import report


def test_the_table_has_ratios_and_goals() -> None:
    def run(side: str, seconds: float) -> dict[str, object]:
        cold = {"seconds": seconds, "memory_mib": 80.0, "cpu_seconds": {"operator": 1.0}, "requests": {}}
        return {"side": side, "apps": 1000, "repetition": 0, "phases": {"cold": cold}}

    table = report.table({"runs": [run("ours", 4.0), run("ours", 6.0), run("peer", 10.0)]})
    assert "| 1,000 | 5.00 s (4.00 – 6.00) | 10.00 s | **0.50** | ≤ 0.9 ✓ |" in table
    assert "| memory after the cold start | 1,000 | 80.0 MiB | 80.0 MiB | **1.00** | ≤ 1 ✓ |" in table
    assert table.count("| memory after the cold start |") == 1
