"""The command line: python3 -m tests.chaos.soak: many changes and events, and nothing that grows.

SOAK_CHANGES route changes and SOAK_EVENTS updates that matter to nobody, in SOAK_ROUNDS rounds, over SOAK_APPS apps.
The first fifth of the rounds is the warm-up.
"""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from tests.bench import chats
from tests.bench.__main__ import prepare
from tests.bench.controlplane import OPERATOR, ControlPlane, free_ports
from tests.bench.driver import Driver
from tests.bench.process import Process
from tests.chaos.scene import COMMAND, LIMIT_SECONDS, STATUS, WORKLOAD
from tests.cluster.console import say
from tests.cluster.errors import ClusterError

MAX_GROWTH_MIB = 5.0
#: Of processor time and latency, from the first rounds to the last: what grows with what was seen grows much more.
MAX_SLOWER = 2.0
#: Connections that are kept for the next request come and go with how many requests there were at a time.
SPARE_FILES = 8
AT_A_TIME = 16


@dataclass(frozen=True, slots=True)
class Length:
    """How long it is."""

    apps: int = int(os.environ.get("SOAK_APPS", "200"))
    rounds: int = int(os.environ.get("SOAK_ROUNDS", "50"))
    changes: int = int(os.environ.get("SOAK_CHANGES", "100000"))
    events: int = int(os.environ.get("SOAK_EVENTS", "1000000"))


@dataclass(frozen=True, slots=True)
class Sample:
    """The operator, idle after a round."""

    memory_mib: float
    tasks: int
    files: int
    threads: int
    cpu_seconds: float
    api_seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def share(self) -> float:
        """The processor time that it took, for each second of the API server's, which the same neighbours slow down."""
        return self.cpu_seconds / self.api_seconds

    def __str__(self) -> str:
        return (
            f"{self.memory_mib:.1f} MiB, {self.tasks} tasks, {self.files} open files, {self.threads} threads, "
            f"{self.cpu_seconds:.2f} s of processor time for {self.api_seconds:.2f} s of the API server, "
            f"p50 {self.p50_ms:.0f} ms, p99 {self.p99_ms:.0f} ms"
        )


async def soak(work: Path, length: Length) -> list[Sample]:
    """Return a sample for each round. Raises ClusterError, and AssertionError for a write too many."""
    plane = ControlPlane(work)
    operator = None
    try:
        await asyncio.to_thread(prepare, plane, length.apps)
        await asyncio.to_thread(plane.start, f"apps-{length.apps}")
        async with Driver(plane, length.apps) as driver:
            await driver.observe()
            address = f"127.0.0.1:{free_ports(1)[0]}"
            command = [*COMMAND, "--no-verification", "--listen", address]
            operator = Process(command, work / "operator.log", {"KUBECONFIG": str(plane.kubeconfig(OPERATOR))})
            await driver.aligned(LIMIT_SECONDS)
            await operator.idle(LIMIT_SECONDS)  # the audit log has the start's last write a moment later
            found = []
            for turn in range(length.rounds):
                found.append(await _round(plane, driver, operator, address, length, turn))
                say(f"round {turn + 1} of {length.rounds}: {found[-1]}")
            return found
    finally:
        if operator is not None:
            operator.stop()
        plane.stop()


async def _round(
    plane: ControlPlane, driver: Driver, operator: Process, address: str, length: Length, turn: int
) -> Sample:
    """Events and changes mixed; each change must have cost one write of the workload and one of the status."""
    driver.forget_edits()
    assert plane.apiserver is not None
    position, processes = plane.audit_position(), (operator, plane.apiserver)
    spent = [process.cpu_seconds() for process in processes]
    changes, events = length.changes // length.rounds, length.events // length.rounds

    async def event(k: int) -> None:
        n = k % length.apps
        await (driver.touch(n, turn * events + k) if k % 2 else driver.annotate(n, f"{turn}-{k}"))

    noise = asyncio.create_task(driver.each(event, range(events), AT_A_TIME))
    for start in range(0, changes, length.apps):  # an app's next change waits for its last, or both might be one
        due = range(min(length.apps, changes - start))
        await driver.each(lambda n, start=start: driver.reroute(n, f"/{turn}/{start}/{chats.name(n)}"), due, 4)  # type: ignore[misc]
        await driver.aligned(LIMIT_SECONDS)
    await noise
    await operator.idle(LIMIT_SECONDS)
    requests = plane.requests(position)
    counted = requests.count(WORKLOAD), requests.count(STATUS)
    assert counted == (changes, changes), f"{changes} changes had {counted} writes to workloads and of status"
    times = sorted(driver.forget_edits())
    spent = [process.cpu_seconds() - before for process, before in zip(processes, spent, strict=True)]
    proc = Path(f"/proc/{operator.pid}")
    return Sample(
        memory_mib=operator.memory_mib(),
        tasks=int(_metric(address, "chainlit_operator_tasks")),
        files=len(list((proc / "fd").iterdir())),
        threads=len(list((proc / "task").iterdir())),
        cpu_seconds=spent[0],
        api_seconds=spent[1],
        p50_ms=statistics.median(times),
        p99_ms=times[len(times) * 99 // 100],
    )


def judge(found: list[Sample]) -> list[str]:
    """Return what grew, in words, with the figures; nothing where all is well."""
    first, last = _ends(found)
    wrong = []
    growth = min(s.memory_mib for s in last) - max(first[0].memory_mib, min(s.memory_mib for s in first))
    if growth >= MAX_GROWTH_MIB:
        wrong.append(f"memory grew by {growth:.1f} MiB")
    for name, spare in (("tasks", 0), ("threads", 0), ("files", SPARE_FILES)):
        before, after = max(getattr(s, name) for s in first), min(getattr(s, name) for s in last)
        if after > before + spare:
            wrong.append(f"{name}: at least {after} at the end, at most {before} at first")
    before, after = (statistics.median(s.share for s in part) for part in (first, last))
    if after > MAX_SLOWER * before:
        wrong.append(f"the processor time went from {before:.2f} to {after:.2f} times the API server's")
    return wrong


def judge_latency(found: list[Sample]) -> list[str]:
    """The same of the latency, which on a busy machine says more of that than of the operator."""
    before, after = (statistics.median(s.p50_ms for s in part) for part in _ends(found))
    return [f"the median latency went from {before:.0f} to {after:.0f} ms"] if after > MAX_SLOWER * before else []


def _ends(found: list[Sample]) -> tuple[list[Sample], list[Sample]]:
    """The first and the last third of the rounds after the warm-up."""
    warm = found[max(1, len(found) // 5) :]
    third = max(1, len(warm) // 3)
    return warm[:third], warm[-third:]


def _metric(address: str, name: str) -> float:
    with urlopen(f"http://{address}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    assert found is not None, name
    return float(found[1])


def main() -> int:
    """Play it; returns 1 if something grew."""
    length, started = Length(), time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="chainlit-soak-") as work:
            found = asyncio.run(soak(Path(work), length))
            wrong = judge(found) + judge_latency(found)
    except (ClusterError, AssertionError, OSError) as error:
        wrong = [str(error)]
    say(f"{length.changes:,} changes and {length.events:,} events in {time.monotonic() - started:.0f} s")
    for words in wrong:
        say(f"error: {words}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
