"""What is measured. Each phase returns plain figures; README.md says what they mean."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench import chats
from tests.bench.controlplane import OPERATOR, ControlPlane
from tests.bench.driver import Driver
from tests.bench.process import Process, Program

Figures = dict[str, Any]
CHANGES, PER_SECOND = 200, 20
UPDATES = 2000
WRITES = ("create", "update", "patch", "delete")
#: After so long without an end a phase has failed.
LIMIT_SECONDS = 600.0
EVERY_PHASE = ("cold", "warm", "noop", "route", "drift", "burst")


class Bench:
    """One operator against one control plane that has been started over a snapshot."""

    def __init__(self, plane: ControlPlane, driver: Driver, program: Program, log: Path) -> None:
        self._plane, self._driver, self._program, self._log = plane, driver, program, log
        self.operator: Process | None = None

    async def run(self, phases: Sequence[str]) -> dict[str, Figures]:
        """Run these phases in their order; raises ClusterError when one does not come to its end."""
        await self._driver.observe()
        found = {}
        try:
            for phase in phases:
                found[phase] = await getattr(self, f"_{phase}")()
        finally:
            self._stop()
        return found

    def _start(self) -> Process:
        self._stop()
        environment = {**self._plane.access(OPERATOR), **self._program.environment}
        self.operator = Process(self._program.command, self._log, environment)
        return self.operator

    def _stop(self) -> None:
        if self.operator is not None:
            self.operator.stop()
            self.operator = None

    @property
    def _running(self) -> Process:
        return self.operator if self.operator is not None else self._start()

    async def _until_aligned(self, operator: Process) -> None:
        """Wait for the driver to see all apps aligned; raises ClusterError at once where the operator has ended."""
        aligned = asyncio.create_task(self._driver.aligned(LIMIT_SECONDS))
        try:
            while not (await asyncio.wait({aligned}, timeout=1))[0]:
                operator.check()
            await aligned
        finally:
            aligned.cancel()

    async def _settled(self) -> None:
        """Wait until there is nothing more to do, and the audit log has the last write: watches tell of that first."""
        await self._running.idle(LIMIT_SECONDS)

    # ------------------------------------------------------------------------------------------------- phases

    async def _cold(self) -> Figures:
        """From the start of the process, all apps misaligned, to all aligned with a status that says so."""
        cost = _Cost(self._plane)
        operator = self._start()
        await self._until_aligned(operator)
        seconds = time.perf_counter() - operator.started
        await self._settled()
        return {"seconds": round(seconds, 2), **_memory(operator), **cost.figures(operator)}

    async def _warm(self) -> Figures:
        """From the start of the process, all apps aligned, until it has nothing more to do."""
        self._stop()
        cost = _Cost(self._plane)
        operator = self._start()
        idle = await operator.idle(LIMIT_SECONDS)
        await asyncio.sleep(3)
        return {"seconds": round(idle - operator.started, 2), **_memory(operator), **cost.figures(operator)}

    async def _noop(self) -> Figures:
        """Updates of Deployments that change nothing that matters."""
        operator = self._running
        await operator.idle(LIMIT_SECONDS)
        before = operator.cpu_seconds()
        await asyncio.sleep(4)
        idle_share = (operator.cpu_seconds() - before) / 4

        async def one(k: int) -> None:
            n = k % self._driver.apps
            await (self._driver.touch(n, k + 1) if k % 2 else self._driver.annotate(n, str(k)))

        cost = _Cost(self._plane, operator)
        started = time.perf_counter()
        await self._driver.each(one, range(UPDATES), 16)
        await operator.idle(LIMIT_SECONDS)
        figures = cost.figures(operator)
        spent = figures["cpu_seconds"]["operator"] - idle_share * (time.perf_counter() - started)
        return {"cpu_seconds_per_1000": round(spent * 1000 / UPDATES, 3), **figures}

    async def _route(self) -> Figures:
        """Ingress edited → variable seen, at a steady rate."""
        return await self._paced(lambda n, k: self._driver.reroute(n, f"/moved/{k}/{chats.name(n)}"))

    async def _drift(self) -> Figures:
        """Variable set by hand → variable set back."""
        return await self._paced(lambda n, k: self._driver.misalign(n, f"/by-hand/{k}"))

    async def _paced(self, change: Any) -> Figures:
        cost = _Cost(self._plane, self._running)
        chosen = random.sample(range(self._driver.apps), min(CHANGES, self._driver.apps))
        self._driver.forget_edits()
        started = time.perf_counter()
        tasks = []
        for k, n in enumerate(chosen):
            await asyncio.sleep(started + k / PER_SECOND - time.perf_counter())
            tasks.append(asyncio.create_task(change(n, k)))
        await asyncio.gather(*tasks)
        await self._until_aligned(self._running)
        times = sorted(self._driver.forget_edits())
        figures = {
            f"p{share}_ms": round(times[min(len(times) - 1, len(times) * share // 100)], 1) for share in (50, 99)
        }
        await self._settled()
        return {"changes": len(times), **figures, **cost.figures(self._running)}

    async def _burst(self) -> Figures:
        """All Ingresses edited as fast as they can be → all aligned with a status that says so."""
        cost = _Cost(self._plane, self._running)
        started = time.perf_counter()
        await self._driver.each(
            lambda n: self._driver.reroute(n, f"/burst/{chats.name(n)}"), range(self._driver.apps), 32
        )
        await self._until_aligned(self._running)
        seconds = time.perf_counter() - started
        await self._settled()
        return {"seconds": round(seconds, 2), **cost.figures(self._running)}


class _Cost:
    """Requests and processor time from its making on."""

    def __init__(self, plane: ControlPlane, operator: Process | None = None) -> None:
        self._plane, self._position = plane, plane.audit_position()
        self._before = self._spent(operator)

    def _spent(self, operator: Process | None) -> dict[str, float]:
        programs = {"operator": operator, "apiserver": self._plane.apiserver, "etcd": self._plane.etcd}
        return {name: program.cpu_seconds() if program is not None else 0.0 for name, program in programs.items()}

    def figures(self, operator: Process) -> Figures:
        """Return what there has been since."""
        requests = Counter(self._plane.requests(self._position))
        spent = self._spent(operator)
        return {
            "requests": dict(sorted(requests.items())),
            # Watches are renewed and absent kinds looked for by the clock, whatever happens.
            "work_requests": sum(n for request, n in requests.items() if request.split()[0] not in ("list", "watch")),
            # One operator replaces a status, another one patches it.
            "status_writes": sum(n for request, n in requests.items() if request.endswith(" chainlitapps/status")),
            "writes": sum(count for request, count in requests.items() if request.split()[0] in WRITES),
            "cpu_seconds": {name: round(spent[name] - self._before[name], 2) for name in spent},
        }


def _memory(operator: Process) -> Figures:
    return {"memory_mib": operator.memory_mib(), "peak_memory_mib": operator.memory_mib("VmHWM")}
