"""What a process and its children cost, from /proc."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.errors import ClusterError
from tests.cluster.versions import REPOSITORY

#: For programs that run the operator, by whatever way they were started.
OPERATOR_SOURCE = REPOSITORY / "operator" / "src"
IN_POD = Path(__file__).with_name("in_pod.py")
TICKS = os.sysconf("SC_CLK_TCK")
#: A process is idle when it has used less than this share of a processor …
IDLE_SHARE = 0.04
#: … for this long.
IDLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Program:
    """What is started as an operator; the environment is added to that of the process that starts it."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def operator_in_pod(source: Path = OPERATOR_SOURCE) -> Program:
    """Return the operator of a checkout, as it runs in a pod; ``source`` is the checkout's ``operator/src``."""
    return Program((sys.executable, str(IN_POD), "run"), {"PYTHONPATH": str(source)})


class Process:
    """A program in a process group of its own, logging to a file."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        self.started = time.perf_counter()
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**os.environ, "PYTHONPATH": str(OPERATOR_SOURCE), **(environment or {})},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's id, which is its group's too."""
        return self._process.pid

    def ended(self) -> int | None:
        """Return the exit status, negative for a signal, or None while the program runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End the program and its children at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the program to end."""
        self._process.terminate()

    def check(self) -> None:
        """Raise ClusterError if the program has ended."""
        if self._process.poll() is not None:
            end = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
            raise ClusterError(f"{self._process.args!r} ended with status {self._process.returncode}:\n{end}")

    def stop(self, seconds: float = 15.0) -> None:
        """End the program politely, then by force."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()

    def cpu_seconds(self) -> float:
        """Return the processor time used so far, user and system."""
        return sum(self._ticks()) / TICKS

    def _ticks(self) -> Iterator[int]:
        for pid in self._family():
            with suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                yield int(fields[11]) + int(fields[12])

    def memory_mib(self, field: str = "VmRSS") -> float:
        """Return the memory now resident (VmRSS), or the most that ever was (VmHWM), in MiB."""
        kib = 0
        for pid in self._family():
            with suppress(OSError):
                for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                    if line.startswith(f"{field}:"):
                        kib += int(line.split()[1])
        return round(kib / 1024, 1)

    def _family(self) -> list[int]:
        found, due = [], [self.pid]
        while due:
            pid = due.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                with suppress(OSError):
                    due += map(int, children.read_text().split())
        return found

    async def idle(self, limit_seconds: float) -> float:
        """Wait until the program is idle; returns when it began to be, on the clock of ``time.perf_counter``.

        Raises ClusterError when it is still busy after the limit.
        """
        seen: list[tuple[float, float]] = []
        deadline = time.perf_counter() + limit_seconds
        while time.perf_counter() < deadline:
            self.check()
            now = time.perf_counter()
            seen.append((now, self.cpu_seconds()))
            window = [sample for sample in seen if sample[0] >= now - IDLE_SECONDS - 0.2]
            is_long = now - seen[0][0] >= IDLE_SECONDS
            if is_long and window[-1][1] - window[0][1] <= IDLE_SHARE * IDLE_SECONDS:
                # All but two ticks had been spent at this moment.
                return next(moment for moment, spent in seen if spent >= window[0][1] - 2 / TICKS)
            await asyncio.sleep(0.1)
        raise ClusterError(f"still busy after {limit_seconds:.0f} s")
