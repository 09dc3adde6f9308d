"""The command line: python3 -m tests.chaos [names]: play the table of faults and tell what each came to."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from chainlit_operator.engine.reflector import STABLE_SECONDS
from tests.bench import report
from tests.chaos.faults import FAULTS, KILLS, Fault
from tests.chaos.scene import Outcome, scene
from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.cluster.versions import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "faults.md"
APPS = int(os.environ.get("CHAOS_APPS", "40"))


async def play(faults: Sequence[Fault], work: Path) -> dict[str, Outcome | str]:
    """Plant one fault after the other; returns what each came to, in words where it went wrong."""
    found: dict[str, Outcome | str] = {}
    async with scene(work, APPS) as made:
        for fault in faults:
            # Failures that come soon after others are met by longer pauses; each fault is judged for itself.
            await asyncio.sleep(STABLE_SECONDS)
            restarts, began = made.restarts, time.perf_counter()
            try:
                found[fault.title] = outcome = await fault.play(made)
            except (ClusterError, AssertionError, TimeoutError) as error:
                found[fault.title] = f"{type(error).__name__}: {error}"
                say(f"{fault.title}: FAILED: {str(error) or traceback.format_exc()}")
                made.proxy.clear()
            else:
                again = f", operator started {made.restarts - restarts} times" if made.restarts > restarts else ""
                say(f"{fault.title}: {outcome}{again} [{time.perf_counter() - began:.0f} s]")
    return found


def table(found: dict[str, Outcome | str]) -> str:
    """Return the outcomes as Markdown."""
    lines = [
        "| fault | recovery | route changes | writes to workloads | of these repeated, without effect | of status |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for title, outcome in found.items():
        if isinstance(outcome, str):
            lines.append(f"| {title} | ✗ | | | | |")
            continue
        cells = (outcome.changes, outcome.writes, outcome.repeated, outcome.statuses)
        lines.append(f"| {title} | {outcome.recovery:.1f} s | {' | '.join(str(cell) for cell in cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the faults; returns 1 if one of them cost something."""
    every = (*FAULTS, *KILLS)
    made = argparse.ArgumentParser(prog="python3 -m tests.chaos", description=__doc__)
    made.add_argument("names", nargs="*", help=f"some of {', '.join(map(str, every))}; all by default")
    made.add_argument("--write", action="store_true", help="write the table in docs/faults.md")
    made.add_argument("--keep", type=Path, help="a directory for the logs, instead of one that is deleted")
    chosen = made.parse_args(arguments)
    if unknown := set(chosen.names) - {fault.name for fault in every}:
        made.error(f"unknown: {', '.join(sorted(unknown))}")
    faults = [fault for fault in every if not chosen.names or fault.name in chosen.names]
    try:
        with tempfile.TemporaryDirectory(prefix="chainlit-chaos-") as work:
            found = asyncio.run(play(faults, chosen.keep or Path(work)))
    except (ClusterError, OSError) as error:
        say(f"error: {error}")
        return 1
    if chosen.write:
        words = f"{APPS} apps, {datetime.now(UTC):%Y-%m-%d}, load average {os.getloadavg()[0]:.1f}."
        report.replace(DOCUMENT, "faults", f"{words}\n\n{table(found)}")
    return 1 if any(isinstance(outcome, str) for outcome in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
