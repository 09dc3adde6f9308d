"""From results to the tables in README.md and docs/reference/capacity.md."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.versions import REPOSITORY, pinned

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
README = HERE / "README.md"
CAPACITY = REPOSITORY / "docs" / "reference" / "capacity.md"
OURS, PEER = "ours", "peer"
#: The operator of another checkout.
BEFORE = "before"

Results = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Measure:
    """A row for each number of apps. ``goal`` is the greatest ratio to the peer that is good enough, if one is set."""

    title: str
    phase: str
    figure: str
    unit: str
    goal: float | None = None
    goal_at: tuple[int, ...] = ()

    def values(self, results: Results, side: str, apps: int) -> list[float]:
        """Return what was measured, one value for each repetition."""
        found = []
        for run in results["runs"]:
            if run["side"] == side and run["apps"] == apps and self.phase in run["phases"]:
                value: Any = run["phases"][self.phase]
                for key in self.figure.split("."):
                    value = value.get(key, 0)
                found.append(float(value))
        return found


@dataclass(frozen=True, slots=True)
class Place:
    """A row about many routes at one place, with the greatest figure that is good enough."""

    title: str
    figure: str
    unit: str
    goal: float


PLACES = (
    Place("2,000 apps at one host and path: CPU of one edit", "edit_ms", "ms", 50.0),
    Place("10,000 routes without a host, of no app: CPU until filed", "filed_seconds", "s", 2.0),
    Place("· the event loop is blocked for", "blocked_ms", "ms", 100.0),
)
#: An app is aligned by one write of the workload and one of the status; Events come on top, few and late.
_WORKLOAD, _STATUS = "requests.patch deployments", "status_writes"
MEASURES = (
    Measure("cold start: all misaligned → all aligned with status", "cold", "seconds", "s", 0.9, (1000, 10000)),
    Measure("· CPU of the operator", "cold", "cpu_seconds.operator", "s"),
    Measure("· CPU of the API server", "cold", "cpu_seconds.apiserver", "s"),
    Measure("· writes to workloads", "cold", _WORKLOAD, ""),
    Measure("· writes of status", "cold", _STATUS, ""),
    Measure("memory after the cold start", "cold", "memory_mib", "MiB", 1.0, (1000,)),
    Measure("memory after the cold start", "cold", "memory_mib", "MiB", 0.4, (10000,)),
    Measure("· at its peak", "cold", "peak_memory_mib", "MiB"),
    Measure("warm restart → idle", "warm", "seconds", "s"),
    Measure("· writes", "warm", "writes", ""),
    Measure("1,000 updates that change nothing: CPU", "noop", "cpu_seconds_per_1000", "s", 0.5, (1000,)),
    Measure("· requests, but for list and watch", "noop", "work_requests", ""),
    Measure("route → variable at 20/s, p50", "route", "p50_ms", "ms", 1.3, (1000,)),
    Measure("· p99", "route", "p99_ms", "ms", 1.5, (1000,)),
    Measure("drift → repaired at 20/s, p50", "drift", "p50_ms", "ms"),
    Measure("· p99", "drift", "p99_ms", "ms"),
    Measure("burst: every route changed → all aligned with status", "burst", "seconds", "s", 0.95, (1000,)),
    Measure("· CPU of the operator", "burst", "cpu_seconds.operator", "s"),
    Measure("· writes to workloads", "burst", _WORKLOAD, ""),
    Measure("· writes of status", "burst", _STATUS, ""),
)


def machine() -> dict[str, str]:
    """Describe what the figures were measured on, without naming the machine."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    kib = next(int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal"))
    return {
        "processors": f"{os.cpu_count()} × {model}",
        "memory": f"{kib / 1024**2:.0f} GiB",
        "system": f"Linux {platform.release().partition('-')[0]}, Python {platform.python_version()}",
        "control plane": f"Kubernetes {pinned().kubernetes}, etcd {pinned().etcd} without fsync, all on this machine",
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def table(results: Results) -> str:
    """Return the comparison as Markdown."""
    others = [side for side in (PEER, BEFORE) if any(run["side"] == side for run in results["runs"])] or [PEER]
    heads = ["measure", "apps", OURS, *(head for side in others for head in (side, f"{OURS} / {side}")), "goal"]
    lines = [f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 1)}"]
    for measure in MEASURES:
        for apps in _apps(results):
            if measure.goal_at and apps not in measure.goal_at and _has_other(measure, apps):
                continue
            lines += _row(measure, results, apps, others)
    return "\n".join(lines)


def places_table(results: Results) -> str:
    """Return the figures of many routes at one place as Markdown; empty where there are none."""
    if not results.get("places"):
        return ""
    lines = ["| many routes at one place | ours | goal |", "|---|--:|--:|"]
    for row in PLACES:
        values = [found[row.figure] for found in results["places"]]
        mark = "✓" if statistics.median(values) <= row.goal else "✗"
        lines.append(f"| {row.title} | {_cell(values, row.unit)} | ≤ {row.goal:g} {row.unit} {mark} |")
    return "\n".join(lines)


def _has_other(measure: Measure, apps: int) -> bool:
    """Whether another row of the same title has its goal at this number, or comes first and has it for all others."""
    same = [other for other in MEASURES if other.title == measure.title and other.figure == measure.figure]
    return any(apps in other.goal_at for other in same) or measure is not same[0]


def _row(measure: Measure, results: Results, apps: int, others: Iterable[str]) -> Iterable[str]:
    ours = measure.values(results, OURS, apps)
    if not ours:
        return
    cells, goal = [_cell(ours, measure.unit)], ""
    for side in others:
        theirs = measure.values(results, side, apps)
        share = ratio(ours, theirs)
        shown = "" if share is None else f"{share:.2f}"
        if share is not None and side == PEER and measure.goal is not None and apps in measure.goal_at:
            shown, goal = f"**{shown}**", f"≤ {measure.goal:g} {'✓' if share <= measure.goal else '✗'}"
        cells += [_cell(theirs, measure.unit), shown]
    yield f"| {measure.title} | {apps:,} | {' | '.join(cells)} | {goal} |"


def ratio(ours: list[float], theirs: list[float]) -> float | None:
    """Return how many times as much ours is: the median of pairs, each of runs one after the other.

    Where the two were measured a different number of times, it is the ratio of their medians. None without a ratio.
    """
    if not theirs or not all(theirs):
        return None
    if len(ours) == len(theirs):
        return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
    return statistics.median(ours) / statistics.median(theirs)


def _cell(values: list[float], unit: str) -> str:
    """The median, and the spread where there is one."""
    if not values:
        return "–"
    digits = 0 if not unit else 2 if unit == "s" else 1
    middle, low, high = (f"{v:,.{digits}f}" for v in (statistics.median(values), min(values), max(values)))
    spread = f" ({low} – {high})" if low != high else ""
    return f"{middle}{f' {unit}' if unit else ''}{spread}"


def _apps(results: Results) -> list[int]:
    return sorted({run["apps"] for run in results["runs"]})


def capacity(results: Results) -> str:
    """Return what the operator needs for so many apps, as Markdown."""
    lines = [
        "| apps | memory (peak) | restart, all aligned | start, none aligned | CPU of that, operator / API server |",
        "|--:|--:|--:|--:|--:|",
    ]
    for apps in _apps(results):
        figures = []
        for phase, figure in (
            ("cold", "memory_mib"),
            ("cold", "peak_memory_mib"),
            ("warm", "seconds"),
            ("cold", "seconds"),
            ("cold", "cpu_seconds.operator"),
            ("cold", "cpu_seconds.apiserver"),
        ):
            values = Measure("", phase, figure, "").values(results, OURS, apps)
            figures.append(statistics.median(values) if values else float("nan"))
        memory, peak, warm, cold, cpu, load = figures
        lines.append(
            f"| {apps:,} | {memory:.0f} ({peak:.0f}) MiB | {warm:.1f} s | {cold:.1f} s | {cpu:.1f} / {load:.1f} s |"
        )
    return "\n".join(lines)


def added(results: Results) -> Results:
    """Return these results with those of other numbers of apps that were written before."""
    apps = _apps(results)
    saved = json.loads(RESULTS.read_text())
    former = [run for run in saved["runs"] if run["apps"] not in apps]
    places = {"places": results.get("places") or saved["places"]} if "places" in saved else {}
    return {**results, **places, "runs": former + results["runs"]}


def _repeats(results: Results) -> str:
    """How often each number of apps was measured: ``3`` or ``3, of 10,000 apps 1``."""
    counts = {n: max(run["repetition"] for run in results["runs"] if run["apps"] == n) + 1 for n in _apps(results)}
    usual = max(counts.values())
    return ", ".join([str(usual), *(f"of {n:,} apps {count}" for n, count in counts.items() if count != usual)])


def write(results: Results) -> None:
    """Put results, tables and the machine's description into the files that hold them."""
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    about = "\n".join(f"- {key}: {value}" for key, value in results["machine"].items())
    words = f"Medians of {_repeats(results)} (least – greatest), the two alternating; {results['date']}"
    words += f", load average {results['load']} before it began."
    if float(results["load"]) > 1.0:
        words += "\nThe machine was busy with other work: memory, counts and requests hold, times do not."
    replace(README, "results", f"{words}\n\n{about}\n\n{table(results)}\n\n{places_table(results)}".rstrip())
    replace(CAPACITY, "capacity", f"{words}\n\n{about}\n\n{capacity(results)}")


def replace(file: Path, name: str, text: str) -> None:
    """Replace what is between two comments of this name."""
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = file.read_text().partition(opening)
    file.write_text(f"{before}{opening}\n{text}\n{closing}{rest.partition(closing)[2]}")
