"""The command line: python3 -m tests.chaos [names]: play the table of faults and tell what each came to."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from chainlit_operator.kube.backoff import STABLE_SECONDS
from tests.bench import report
from tests.chaos import beside
from tests.chaos.beside import TROUBLES, Comparison, Trouble
from tests.chaos.faults import FAULTS, KILLS, Fault
from tests.chaos.scene import Outcome, scene
from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.cluster.versions import REPOSITORY

DOCUMENT = REPOSITORY / "tests" / "chaos" / "README.md"
APPS = int(os.environ.get("CHAOS_APPS", "40"))


Found = Mapping[str, Outcome | Comparison | str]
"""By their titles what all came to, in words what went wrong."""


async def play(rows: Sequence[Fault | Trouble], work: Path) -> Found:
    """Plant one after the other; returns what each came to."""
    found: dict[str, Outcome | Comparison | str] = {}
    async with scene(work, APPS) as made:
        for row in rows:
            # Failures that come soon after others are met by longer pauses; each fault is judged for itself.
            await asyncio.sleep(STABLE_SECONDS)
            restarts, began = made.restarts, time.perf_counter()
            try:
                found[row.title] = outcome = await row.play(made)
            except (ClusterError, AssertionError, TimeoutError) as error:
                found[row.title] = f"{type(error).__name__}: {error}"
                say(f"{row.title}: FAILED: {str(error) or traceback.format_exc()}")
                made.proxy.clear()
            else:
                again = f", operator started {made.restarts - restarts} times" if made.restarts > restarts else ""
                say(f"{row.title}: {outcome}{again} [{time.perf_counter() - began:.0f} s]")
    return found


def table(found: Found) -> str:
    """Return the outcomes as Markdown."""
    lines = [
        "| fault | recovery | route changes | writes to workloads | of these repeated, without effect | of status |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for title, outcome in found.items():
        if not isinstance(outcome, Outcome):
            lines.append(f"| {title} | ✗ | | | | |")
            continue
        cells = (outcome.changes, outcome.writes, outcome.repeated, outcome.statuses)
        lines.append(f"| {title} | {outcome.recovery:.1f} s | {' | '.join(str(cell) for cell in cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the faults; returns 1 if one of them cost something."""
    every: tuple[Fault | Trouble, ...] = (*FAULTS, *KILLS, *TROUBLES)
    made = argparse.ArgumentParser(prog="python3 -m tests.chaos", description=__doc__)
    made.add_argument("names", nargs="*", help=f"some of {', '.join(map(str, every))}; all by default")
    made.add_argument("--write", action="store_true", help="write the tables in tests/chaos/README.md")
    made.add_argument("--keep", type=Path, help="a directory for the logs, instead of one that is deleted")
    chosen = made.parse_args(arguments)
    if unknown := set(chosen.names) - {row.name for row in every}:
        made.error(f"unknown: {', '.join(sorted(unknown))}")
    rows = [row for row in every if not chosen.names or row.name in chosen.names]
    try:
        with tempfile.TemporaryDirectory(prefix="chainlit-chaos-") as work:
            found = asyncio.run(play(rows, chosen.keep or Path(work)))
    except (ClusterError, OSError) as error:
        say(f"error: {error}")
        return 1
    if chosen.write:
        words = f"{APPS} apps, {datetime.now(UTC):%Y-%m-%d}, load average {os.getloadavg()[0]:.1f}."
        troubles = {trouble.title for trouble in TROUBLES}
        for name, write, told in (
            ("faults", table, {title: outcome for title, outcome in found.items() if title not in troubles}),
            ("beside", beside.table, {title: outcome for title, outcome in found.items() if title in troubles}),
        ):
            if told:
                report.replace(DOCUMENT, name, f"{words}\n\n{write(told)}")
    return 1 if any(isinstance(outcome, str) for outcome in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
