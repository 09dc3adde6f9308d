"""The runtime: makes everything that runs beside kopf, and starts and stops it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from chainlit_operator.controller.app_intake import AppIntake, AppList
from chainlit_operator.controller.app_relister import AppRelister
from chainlit_operator.controller.event_recorder import EventRecorder
from chainlit_operator.controller.reconciler import Reconciler
from chainlit_operator.domain.reasons import ConditionType
from chainlit_operator.kinds import registry
from chainlit_operator.kube.backoff import backoff_seconds
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.leader_election import LeaderElector, LeaseTiming
from chainlit_operator.kube.reflector import SILENCE_SECONDS, Reflector
from chainlit_operator.kube.resource_versions import is_older
from chainlit_operator.kube.workqueue import WorkQueue
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import gc_tuning, metrics
from chainlit_operator.state import State, decoding
from chainlit_operator.verification.edge_tls import EdgeTLS
from chainlit_operator.verification.scheduler import VerificationScheduler
from chainlit_operator.verification.verifier import Verifier

logger = logging.getLogger(__name__)

_STOP_SECONDS = 10.0
#: A kind that cannot be listed for so long does not keep kopf from its watch of ChainlitApps.
_LIST_SECONDS = 60.0
#: How often and how far apart :meth:`Runtime.knows_app` looks, while a worker may just be writing the app's status.
_LOOKS, _LOOK_SECONDS = 10, 0.005
#: The first wave of work is over after that time, also if an app hangs.
_FIRST_WAVE_SECONDS = 300.0
#: The name of the task that ends by itself.
_FIRST_WAVE = "first wave"


@dataclass(frozen=True, slots=True)
class Options:
    """How the operator runs.

    ``namespaces`` empty means all; ``edge_tls`` is for certificates at the edge; ``listen`` is host:port, or empty for
    no HTTP server. ``lease`` is the Lease that the leader holds as ``identity``; None means no leader election.
    """

    namespaces: tuple[str, ...] = ()
    concurrency: int = 16
    verification: bool = True
    verification_concurrency: int = 8
    edge_tls: EdgeTLS = field(default_factory=EdgeTLS)
    listen: str = ""
    lease: Ref | None = None
    identity: str = ""
    timing: LeaseTiming = field(default_factory=LeaseTiming)


class Runtime:
    """Reflectors, queue, workers, verification and Event recorder around one state."""

    def __init__(self, api: Api, options: Options) -> None:
        self.options = options
        self.queue: WorkQueue[Ref] = WorkQueue(backoff_seconds)
        self.state = State(self._changed)
        #: Whether changes go to the queue. A new leader enqueues everything.
        self._is_leading = False
        verifier = Verifier(api.config.host, options.edge_tls)
        self.scheduler = VerificationScheduler(verifier.verify, self.queue.add, options.verification_concurrency)
        self.recorder = EventRecorder(api)
        self.reconciler = Reconciler(
            api, self.state, self.queue, self.scheduler, self.recorder, verification=options.verification
        )
        namespaces = options.namespaces or (None,)
        self.intake = AppIntake(self.state)
        self.app_relister = AppRelister(api, self.intake, namespaces)
        self.reflectors = [
            Reflector(
                api,
                kind.kind,
                namespace,
                self.state,
                decode_listed=decoding.decoder(kind),
                decode_event=decoding.decoder(kind, self.state.find),
                is_optional=kind.is_optional,
            )
            for kind in registry.WATCHED.values()
            for namespace in namespaces
        ]
        self.elector: LeaderElector | None = None
        if options.lease is not None:
            self.elector = LeaderElector(api, options.lease, options.identity, options.timing, self.lead, self.stand_by)
        self._apps_synced = asyncio.Event()
        #: When kopf last asked for ChainlitApps, or had an answer.
        self._apps_seen = time.monotonic()
        self._started = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._work: list[asyncio.Task[None]] = []
        metrics.QUEUE_DEPTH.set_function(lambda: float(len(self.queue)))
        metrics.READINESS.set_function(self._readiness)
        metrics.APPS.set_function(lambda: float(len(self.state.apps)))

    def _changed(self, ref: Ref) -> None:
        """Enqueue an app, or a workload that is to be released; a standby does no work and keeps no queue."""
        if self._is_leading:
            self.queue.add(ref)

    # ------------------------------------------------------------------------------------- for the kopf layer

    def put_app(self, body: object) -> None:
        """Take a ChainlitApp of an event, as an API object."""
        self.intake.put_event(body)

    def remove_app(self, namespace: str, name: str, uid: str) -> None:
        """Remove a ChainlitApp that is gone, unless another one of its name is known by now."""
        self.intake.remove(Ref("ChainlitApp", namespace, name), uid)

    def begin_list(self, namespace: str | None) -> AppList:
        """Begin a list of the ChainlitApps in a namespace (None: in all)."""
        return self.intake.begin_list(namespace)

    async def knows_app(self, ref: Ref, version: str) -> bool:
        """Whether a ChainlitApp is known in that version or a later one.

        While a worker has the app, it may just be writing the status; then the answer waits for a moment.
        """
        for _ in range(_LOOKS):
            app = self.state.apps.get(ref)
            if app is not None and (app.resource_version == version or is_older(version, app.resource_version)):
                return True
            if not self.queue.is_working(ref):
                break
            await asyncio.sleep(_LOOK_SECONDS)
        return False

    def watch_alive(self) -> None:
        """Note that kopf requested ChainlitApps or had an answer: its watch does not hang."""
        self._apps_seen = time.monotonic()

    async def apps_synced(self) -> None:
        """Wait until all ChainlitApps that exist at the start are known."""
        await self._apps_synced.wait()

    async def relist_apps(self) -> None:
        """List all ChainlitApps, again until it succeeds."""
        await self.app_relister.list_all()

    # --------------------------------------------------------------------------------------------- life cycle

    def start(self) -> None:
        """Start all tasks; the work on apps begins when every kind was listed once and this replica leads."""
        gc_tuning.begin()
        self._tasks = [asyncio.create_task(r.run(), name=f"reflector of {r}") for r in self.reflectors]
        self._tasks.append(asyncio.create_task(self.recorder.run(), name="event recorder"))
        self._tasks.append(asyncio.create_task(self.app_relister.run(), name="relister of ChainlitApps"))
        self._tasks.append(asyncio.create_task(self._lead_when_synced(), name="leader election"))
        loop = asyncio.get_running_loop()
        metrics.TASKS.set_function(lambda: float(len(asyncio.all_tasks(loop))))
        self._started.set()

    async def _lead_when_synced(self) -> None:
        """Lead, or stand by to lead, when every kind was listed once: a standby's caches are warm.

        ChainlitApps come last, because others may appear while the rest is listed. They are listed a second time only
        if the rest takes too long.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._listed(), _LIST_SECONDS)
        is_late = not all(reflector.synced.is_set() for reflector in self.reflectors)
        await self.app_relister.list_all()
        self._apps_synced.set()
        if is_late:
            await self._listed()
            await self.app_relister.list_all()  # kopf may not have delivered yet what appeared meanwhile
        self.state.complete()
        gc_tuning.listed()
        logger.info("All caches are synced")
        if self.elector is not None:
            gc_tuning.settle()
            await self.elector.run()
        await self.lead()
        await asyncio.Event().wait()

    async def _listed(self) -> None:
        """Wait until each kind but ChainlitApps has been listed once."""
        for reflector in self.reflectors:
            await reflector.synced.wait()

    async def lead(self) -> None:
        """Work on every app, and on each change from now on."""
        self._is_leading = True
        self.state.announce()
        work = [(f"worker {n}", self.reconciler.work()) for n in range(self.options.concurrency)]
        work += [
            ("verification", self.scheduler.run()),
            (_FIRST_WAVE, self._settle(self.queue.worked(self.state.apps))),
        ]
        self._work = [asyncio.create_task(coroutine, name=name) for name, coroutine in work]
        logger.info("Working with concurrency %d", self.options.concurrency)

    async def _settle(self, is_worked: asyncio.Event) -> None:
        """Give memory back when each app that is known at the start was reconciled once."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(is_worked.wait(), _FIRST_WAVE_SECONDS)
        gc_tuning.settle()

    async def stand_by(self) -> None:
        """Stop the work at once, also in the middle of a write, and forget what was remembered for it."""
        self._is_leading = False
        work, self._work = self._work, []
        await _end(work)
        self.queue.clear()
        self.reconciler.forget()
        self.scheduler.clear()

    async def stop(self) -> None:
        """Let the writes in flight finish, release the Lease, and end all tasks."""
        self.queue.close()
        await _end([task for task in self._tasks if task.get_name() == "leader election"])
        workers = [task for task in self._work if task.get_name().startswith("worker")]
        if workers:
            await asyncio.wait(workers, timeout=_STOP_SECONDS)
        await _end(self._work)  # workers that hang must not write next to a successor
        if self.elector is not None:
            await self.elector.release()
        await _end(self._tasks)

    async def failed(self) -> BaseException:
        """Wait until a task ends that never should; returns the reason."""
        await self._started.wait()
        while True:
            running = [task for task in (*self._tasks, *self._work) if task.get_name() != _FIRST_WAVE]
            done, _ = await asyncio.wait(running, timeout=5.0, return_when=asyncio.FIRST_COMPLETED)
            if self.queue.is_closed:
                await asyncio.Event().wait()  # it is stopping, and this wait is cancelled
            for task in done:
                if not task.cancelled():
                    return task.exception() or RuntimeError(f"{task.get_name()} ended")

    # ------------------------------------------------------------------------------------------------- health

    def _readiness(self) -> Counter[tuple[str, str]]:
        ready = (app.status.condition(ConditionType.READY) for app in self.state.apps.values())
        return Counter((c.status, c.reason) if c is not None else ("Unknown", "") for c in ready)

    def unready(self) -> str:
        """Say which kind has not been listed yet and why; empty when all have."""
        waiting = [
            f"{reflector}{f' ({reflector.last_error.message})' if reflector.last_error else ''}"
            for reflector in self.reflectors
            if not reflector.synced.is_set()
        ]
        if self.app_relister.last_error is not None:
            waiting.append(f"ChainlitApp ({self.app_relister.last_error.message})")
        return f"not listed yet: {'; '.join(waiting)}" if waiting else ""

    def stale(self) -> str:
        """Say which watch has been silent for too long; empty when none has."""
        limit = time.monotonic() - 4 * SILENCE_SECONDS
        silent = [str(r) for r in self.reflectors if r.last_seen < limit]
        if max(self._apps_seen, self.app_relister.last_seen) < limit:
            silent.append("ChainlitApp")
        return f"silent watches: {', '.join(silent)}" if silent else ""


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
