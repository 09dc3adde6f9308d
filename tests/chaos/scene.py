"""An operator behind the proxy, with apps whose routes are edited, and what must be true of them afterwards."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.bench import chats
from tests.bench.__main__ import prepare
from tests.bench.controlplane import LIMITED, AuditEvent, ControlPlane
from tests.bench.driver import Driver
from tests.bench.process import Process, Program
from tests.chaos.proxy import Proxy
from tests.cluster.errors import ClusterError
from tests.objects import path_of, resource

HERE = Path(__file__).resolve().parent
COMMAND = (sys.executable, "-m", "chainlit_operator", "run")
#: The previous version patches a status.
WORKLOAD, STATUS, FORMER_STATUS = "patch deployments", "update chainlitapps/status", "patch chainlitapps/status"
#: After so long without recovery, something was lost.
LIMIT_SECONDS = 100.0
BINDING = path_of("ClusterRoleBinding")
_RBAC = {"apiGroup": "rbac.authorization.k8s.io"}
RIGHTS = resource(
    "ClusterRoleBinding",
    "operator",
    roleRef=_RBAC | {"kind": "ClusterRole", "name": "cluster-admin"},
    subjects=[_RBAC | {"kind": "User", "name": LIMITED}],
)


CURRENT = Program(COMMAND)
_ELECTION = ("--leader-election", "--lease-namespace", "default", "--lease-duration", "9")
LEASE = path_of("Lease", "default", "chainlit-operator")
#: With a wall clock that :meth:`Scene.set_clock` sets, and something to lose by it.
STEPPED = Program((sys.executable, str(HERE / "stepped.py"), "run", *_ELECTION))
(_ARCHIVE,) = (HERE / "previous").glob("chainlit_operator-*.zip")
PREVIOUS_VERSION = _ARCHIVE.stem.partition("-")[2]
PREVIOUS = Program(COMMAND, {"PYTHONPATH": str(_ARCHIVE / "operator" / "src")})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fault came to. ``recovery`` is in seconds from the fault's end until all is aligned and told."""

    recovery: float
    changes: int
    writes: int
    statuses: int
    #: Workload writes beyond one for each change: the API server got them twice, and the second changed nothing.
    repeated: int

    def __str__(self) -> str:
        writes = f"{self.writes} writes to workloads, {self.statuses} of status"
        return f"{self.recovery:.1f} s to recover, {self.changes} changes, {writes}"


class Scene:
    """One control plane, one proxy, one operator; :func:`scene` makes it."""

    def __init__(self, plane: ControlPlane, proxy: Proxy, driver: Driver, log: Path) -> None:
        self.plane, self.proxy, self.driver = plane, proxy, driver
        self.operator: Process | None = None
        self.log = log
        self._clock = log.with_name("clock")
        self.set_clock(0.0)
        self._turn = 0
        self._keeper: asyncio.Task[None] | None = None
        self.restarts = 0

    # ------------------------------------------------------------------------------------------------- operator

    def begin(self, program: Program = CURRENT) -> Process:
        """Start one more operator behind the proxy."""
        kubeconfig = str(self.plane.kubeconfig(LIMITED, self.proxy.url))
        environment = {"KUBECONFIG": kubeconfig, "CHAOS_CLOCK": str(self._clock), **program.environment}
        return Process([*program.command, "--no-verification"], self.log, environment)

    def start(self, program: Program = CURRENT) -> None:
        """Start the operator, and again whenever it ends, as a kubelet would."""
        self.keep(self.begin(program), program)

    def keep(self, operator: Process, program: Program = CURRENT) -> None:
        """Have one that was begun be the operator."""
        self.operator = operator
        self._keeper = asyncio.create_task(self._keep(program))

    async def _keep(self, program: Program) -> None:
        while self.operator is not None:
            if self.operator.ended() is not None:
                self.restarts += 1
                self.operator = self.begin(program)
            await asyncio.sleep(0.05)

    @asynccontextmanager
    async def running(self, program: Program) -> AsyncIterator[None]:
        """Have this program in the operator's place, which comes back after it."""
        if program is CURRENT:
            yield
            return
        await self._replace(program)
        try:
            yield
        finally:
            await self._replace(CURRENT)

    async def _replace(self, program: Program) -> None:
        """Stop the operator, start this one, and wait until it works."""
        await self.stop()
        self.start(program)
        await self.traffic(0.0, [0])
        await self.driver.aligned(LIMIT_SECONDS)

    def set_clock(self, seconds: float) -> None:
        """Set the wall clock of :data:`STEPPED` off by so many seconds."""
        made = self._clock.with_suffix(".new")
        made.write_text(str(seconds))
        made.replace(self._clock)  # at once: it is read at any moment

    async def stop(self) -> int | None:
        """End the operator, and do not start it again; returns its exit status."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self.operator is not None:
            operator, self.operator = self.operator, None
            await asyncio.to_thread(operator.stop)
            return operator.ended()
        return None

    # -------------------------------------------------------------------------------------------------- traffic

    async def traffic(self, seconds: float, apps: Iterable[int] | None = None) -> int:
        """Edit the route of each app once, evenly over so many seconds; returns how many that was."""
        self._turn += 1
        chosen = list(range(self.driver.apps) if apps is None else apps)
        started = time.perf_counter()
        for k, n in enumerate(chosen):
            await asyncio.sleep(max(0.0, started + seconds * k / len(chosen) - time.perf_counter()))
            await self._edit(n, f"/turn-{self._turn}/{chats.name(n)}")
        await asyncio.sleep(max(0.0, started + seconds - time.perf_counter()))
        return len(chosen)

    async def _edit(self, n: int, path: str) -> None:
        """Edit however often it takes: the API server may be away, and setting a path twice is one change."""
        while True:
            with suppress(aiohttp.ClientError, ClusterError, OSError):
                return await self.driver.reroute(n, path)
            await asyncio.sleep(0.1)

    async def measure(
        self,
        fault: Callable[[Scene], AsyncIterator[None]],
        seconds: float,
        *,
        apps: Iterable[int] | None = None,
        repeats: int = 0,
    ) -> Outcome:
        """Edit routes while the fault is there, and judge what is there after it.

        ``repeats`` is how many writes of the workload each change may cost beyond the one that has an effect. Raises
        ClusterError when an app is lost, AssertionError for a write too many.
        """
        await self.driver.aligned(LIMIT_SECONDS)
        await self.quiet(self.plane.audit_position())  # the audit log has a write a moment after the watches
        before, position = list(self.driver.generations), self.plane.audit_position()
        async with asynccontextmanager(fault)(self):
            changes = await self.traffic(seconds, apps)
        healed = time.perf_counter()
        await self.driver.aligned(LIMIT_SECONDS)
        recovery = time.perf_counter() - healed
        counted = await self.quiet(position)
        await self.driver.verify()
        effects = [now - then for now, then in zip(self.driver.generations, before, strict=True)]
        assert sum(effects) == changes and max(effects) <= 1, f"{changes} changes had {sum(effects)} effects"
        repeated = counted[WORKLOAD] - changes
        assert 0 <= repeated <= repeats * changes, f"{counted[WORKLOAD]} writes to workloads for {changes} changes"
        told = counted[STATUS] + counted[FORMER_STATUS]
        # Two, where it first says what is wrong; many more where two operators do not agree on its words.
        assert told <= (3 + repeats) * changes, f"{told} writes of status for {changes} changes"
        return Outcome(round(recovery, 1), changes, counted[WORKLOAD], told, repeated)

    async def quiet(self, position: int, seconds: float = 1.0) -> Counter[str]:
        """Wait until there are no more writes for so long; returns the requests carried out since, counted."""
        while True:
            counted = self.carried_out(position)
            await asyncio.sleep(seconds)
            if self.carried_out(position) == counted:
                return counted

    def wrote(self, position: int) -> set[str]:
        """Return the versions of operators that have written workloads since then."""
        events = (event for event in self.plane.audited(position) if str(event) == WORKLOAD and _is_of_app(event))
        return {event.user_agent.partition("/")[2] for event in events if event.response_status.code < 300}

    def carried_out(self, position: int) -> Counter[str]:
        """Return the writes of apps since then that the API server did not refuse, for each kind of them."""
        events = (event for event in self.plane.audited(position) if _is_of_app(event))
        done = [str(event) for event in events if event.response_status.code < 300]
        return Counter(done)


def _is_of_app(event: AuditEvent) -> bool:
    """Whether it is a write of an app's object that was meant; Events are extra, and come later."""
    ref = event.object_ref
    if ref is None or ref.resource == "events" or not chats.is_app(ref.name):
        return False
    return event.verb not in ("get", "list", "watch") and "dryRun=" not in event.request_uri


@asynccontextmanager
async def scene(work: Path, apps: int) -> AsyncIterator[Scene]:
    """Make all that a fault needs, with an operator that has aligned all apps."""
    plane = ControlPlane(work)
    async with AsyncExitStack() as stack:
        stack.callback(plane.stop)
        await asyncio.to_thread(prepare, plane, apps)
        await asyncio.to_thread(plane.start, f"apps-{apps}")
        proxy = await stack.enter_async_context(Proxy(plane))
        driver = await stack.enter_async_context(Driver(plane, apps))
        await driver.send("POST", BINDING, RIGHTS)
        await driver.observe()
        made = Scene(plane, proxy, driver, work / "operator.log")
        stack.push_async_callback(made.stop)
        made.start()
        await driver.aligned(60.0)
        yield made
