"""The command line: python3 -m tests.bench [options]."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from tests.bench import report, shared_place
from tests.bench.controlplane import ControlPlane
from tests.bench.driver import Driver
from tests.bench.phases import EVERY_PHASE, Bench, Figures
from tests.bench.process import OPERATOR_SOURCE, Program, operator_in_pod
from tests.cluster import cache, golang
from tests.cluster.console import run, say, step
from tests.cluster.errors import ClusterError
from tests.cluster.versions import REPOSITORY
from tests.objects import path_of

CRD = REPOSITORY / "charts" / "chainlit-operator" / "files" / "chainlitapps.yaml"
PEER_SOURCE = Path(__file__).resolve().parent / "peer"
#: Beyond this many apps only the phases that grow with them are run.
LARGE = 5000
LARGE_PHASES = ("cold", "warm")
#: The phase that needs no control plane.
SHARED_PLACE = "places"


def peer() -> Path:
    """Return the peer's program, built if need be. Raises ClusterError."""

    def build(into: Path) -> None:
        golang.require_go()
        flags = {**golang.ENVIRONMENT, "GOFLAGS": "-mod=readonly -buildvcs=false"}
        run(["go", "build", "-trimpath", "-ldflags=-s -w", "-o", into / "peer", "."], cwd=PEER_SOURCE, env=flags)

    return cache.entry("bench-peer", cache.key_of([PEER_SOURCE]), build) / "peer"


def prepare(plane: ControlPlane, apps: int) -> None:
    """Save a control plane that holds so many apps, all misaligned. Raises ClusterError."""
    with step(f"create {apps:,} apps"):
        plane.start()
        asyncio.run(_create(plane, apps))
        plane.save(f"apps-{apps}")


async def _create(plane: ControlPlane, apps: int) -> None:
    crds = path_of("CustomResourceDefinition")
    async with Driver(plane, apps) as driver:
        crd = yaml.safe_load(CRD.read_text())
        await driver.send("POST", crds, crd)
        for _ in range(100):
            found = json.loads(await driver.send("GET", f"{crds}/{crd['metadata']['name']}"))
            conditions = found.get("status", {}).get("conditions") or ()
            if any(c["type"] == "Established" and c["status"] == "True" for c in conditions):
                break
            await asyncio.sleep(0.2)
        await driver.create()


async def measure(plane: ControlPlane, apps: int, program: Program, log: Path, phases: Sequence[str]) -> Any:
    """Run the phases for one operator over the data saved for so many apps. Raises ClusterError."""
    plane.start(f"apps-{apps}")
    async with Driver(plane, apps) as driver:
        return await Bench(plane, driver, program, log).run(phases)


def bench(chosen: argparse.Namespace, work: Path) -> report.Results:
    """Measure all that was asked for. Raises ClusterError."""
    results: report.Results = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "load": f"{os.getloadavg()[0]:.1f}",
        "machine": report.machine(),
        "places": [],
        "runs": [],
    }
    if chosen.phases is None or SHARED_PLACE in chosen.phases:
        results["places"] = [places() for _ in range(chosen.repeats)]
    phases = None if chosen.phases is None else [phase for phase in chosen.phases if phase != SHARED_PLACE]
    if phases == []:
        return results
    sides = programs(chosen)
    plane = ControlPlane(work)
    try:
        for apps in chosen.apps:
            prepare(plane, apps)
            for repetition in range(chosen.repeats):
                # Whoever goes first has the quieter machine; they take turns at that too.
                for side in sorted(sides, reverse=repetition % 2 == 1):
                    played = phases or (EVERY_PHASE if apps < LARGE else LARGE_PHASES)
                    with step(f"{side}, {apps:,} apps, {repetition + 1} of {chosen.repeats}"):
                        found = asyncio.run(measure(plane, apps, sides[side], work / f"{side}.log", played))
                    _tell(found)
                    results["runs"].append(
                        {
                            "side": side,
                            "apps": apps,
                            "repetition": repetition,
                            "phases": found,
                            "load": os.getloadavg()[0],
                        }
                    )
            shutil.rmtree(work / f"apps-{apps}")
    finally:
        plane.stop()
    return results


def programs(chosen: argparse.Namespace) -> dict[str, Program]:
    """Return the operators that are measured, by their side in the results. Raises ClusterError."""
    sources = {report.OURS: OPERATOR_SOURCE}
    if chosen.against is not None:
        sources[report.BEFORE] = chosen.against.resolve() / "operator" / "src"
    for source in sources.values():
        run([sys.executable, "-m", "compileall", "-q", source])  # as the image has it
    found = {side: operator_in_pod(source) for side, source in sources.items()}
    if chosen.peer:
        found[report.PEER] = Program((str(peer()), "-workers", "4"))
    return found


def places() -> Figures:
    """Measure many routes at one place, in a process of its own. Raises ClusterError."""
    with step("many routes at one place"):
        flags = {**os.environ, "PYTHONPATH": str(OPERATOR_SOURCE)}
        found: Figures = json.loads(run([sys.executable, "-m", shared_place.__name__], cwd=REPOSITORY, env=flags))
    say(f"    {found}")
    return found


def _tell(found: dict[str, Figures]) -> None:
    for phase, figures in found.items():
        plain = {key: value for key, value in figures.items() if not isinstance(value, dict)}
        say(f"    {phase:6} {plain} CPU {figures['cpu_seconds']}")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""

    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.replace(",", " ").split()]

    made = argparse.ArgumentParser(prog="python3 -m tests.bench", description=__doc__)
    made.add_argument("--apps", type=numbers, default=[100, 1000, 10000], help="how many apps, several with commas")
    made.add_argument("--repeats", type=int, default=3, help="how often each operator is measured (default: 3)")
    phases = ",".join((*EVERY_PHASE, SHARED_PLACE))
    made.add_argument("--phases", type=lambda text: text.split(","), help=f"some of {phases}")
    made.add_argument("--against", type=Path, metavar="DIR", help="measure the operator of another checkout, too")
    made.add_argument("--no-peer", dest="peer", action="store_false", help="measure ours alone")
    made.add_argument("--write", action="store_true", help="write results.json and the tables in the documents")
    made.add_argument("--add", action="store_true", help="keep what results.json has of other numbers of apps")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench; returns 1 after an expected failure, which is told in words."""
    chosen = parser().parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="chainlit-bench-") as work:
            results = bench(chosen, Path(work))
    except (ClusterError, OSError) as error:
        say(f"error: {error}")
        return 1
    if chosen.add:
        results = report.added(results)
    if chosen.write:
        report.write(results)
    print(report.table(results))
    print(report.places_table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
