"""The runtime: creates, starts and stops everything that runs beside kopf."""

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
from chainlit_operator.controller.cluster_addresses import ApiEndpoints, ServiceAddresses
from chainlit_operator.controller.event_recorder import EventRecorder
from chainlit_operator.controller.inquirer import Inquirer
from chainlit_operator.controller.reconciler import Reconciler
from chainlit_operator.domain.reasons import ConditionType
from chainlit_operator.kinds import registry
from chainlit_operator.kube.backoff import backoff_seconds
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.leader_election import LeaderElector, LeaseTiming
from chainlit_operator.kube.reflector import SILENCE_SECONDS, Reflector
from chainlit_operator.kube.resource_versions import is_older
from chainlit_operator.kube.served_versions import ServedVersions
from chainlit_operator.kube.workqueue import WorkQueue
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import gc_tuning, metrics
from chainlit_operator.state import State, decoding
from chainlit_operator.verification.api_addresses import ApiAddresses
from chainlit_operator.verification.edge_tls import EdgeTLS
from chainlit_operator.verification.pods import PodAddresses, PodAsker
from chainlit_operator.verification.scheduler import VerificationScheduler
from chainlit_operator.verification.verifier import Verifier

logger = logging.getLogger(__name__)

_STOP_SECONDS = 10.0
#: After this time kopf starts its watch of ChainlitApps, even if another kind could not be listed.
_LIST_SECONDS = 60.0
#: How often :meth:`Runtime.knows_app` reads the state while a worker has the app, and the pause between two reads.
_KNOWN_READS, _KNOWN_PAUSE_SECONDS = 10, 0.005
#: The first wave of work counts as over after this time, also if an app hangs.
_FIRST_WAVE_SECONDS = 300.0
#: So many verifications, each through the Service and at the URL, cost a quarter of one processor (``tests/bench``).
VERIFICATIONS_PER_SECOND = 15.0
#: The name of the only task that may end by itself.
_FIRST_WAVE = "first wave"


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of the operator.

    ``namespaces`` empty means all; ``edge_tls`` is for certificates at the edge; ``listen`` is host:port, or empty for
    no HTTP server. ``lease`` is the Lease that the leader holds as ``identity``; None means no leader election.
    """

    namespaces: tuple[str, ...] = ()
    disabled_kinds: frozenset[str] = frozenset()
    concurrency: int = 16
    verification: bool = True
    verification_concurrency: int = 32
    verifications_per_second: float = VERIFICATIONS_PER_SECOND
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
        self.state = State(self._changed, options.namespaces, options.disabled_kinds)
        #: Whether changes go to the queue. A new leader enqueues everything.
        self._is_leading = False
        api_addresses, pods = ApiAddresses(api.config.host, ApiEndpoints(api).read), PodAddresses(api)
        verifier = Verifier(api_addresses, options.edge_tls, ServiceAddresses(self.state).__contains__, pods)
        self.scheduler = VerificationScheduler(
            verifier.verify, self.queue.add, options.verification_concurrency, options.verifications_per_second
        )
        self.inquirer = Inquirer(PodAsker(pods, verifier.policy).answer, self.queue.add)
        self.recorder = EventRecorder(api)
        self.reconciler = Reconciler(
            api,
            self.state,
            self.queue,
            self.scheduler,
            self.inquirer,
            self.recorder,
            verification=options.verification,
        )
        namespaces = options.namespaces or (None,)
        self.intake = AppIntake(self.state)
        self.app_relister = AppRelister(api, self.intake, namespaces)
        served = ServedVersions(api)
        self.reflectors = [
            Reflector(
                api,
                kind.kind,
                namespace,
                self.state,
                decode_listed=decoding.decoder(kind),
                decode_event=decoding.decoder(kind, self.state.find),
                served=served if kind.is_optional else None,
            )
            for kind in registry.watched(options.disabled_kinds)
            for namespace in namespaces
        ]
        self.elector: LeaderElector | None = None
        if options.lease is not None:
            self.elector = LeaderElector(api, options.lease, options.identity, options.timing, self.lead, self.stand_by)
        self._apps_synced = asyncio.Event()
        #: When kopf last requested ChainlitApps, or had an answer.
        self._watch_last_seen = time.monotonic()
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
        """Put a ChainlitApp of an event into the state; ``body`` is the decoded API object."""
        self.intake.put_event(body)

    def remove_app(self, namespace: str, name: str, uid: str) -> None:
        """Remove a deleted ChainlitApp, unless a newer one with the same name is known."""
        self.intake.remove(Ref("ChainlitApp", namespace, name), uid)

    def begin_list(self, namespace: str | None) -> AppList:
        """Begin a list of the ChainlitApps in a namespace (None: in all)."""
        return self.intake.begin_list(namespace)

    async def knows_app(self, ref: Ref, version: str) -> bool:
        """Whether a ChainlitApp is known in that version or a later one.

        While a worker has the app, it may be writing the status. So this waits a moment for the worker.
        """
        for _ in range(_KNOWN_READS):
            app = self.state.apps.get(ref)
            if app is not None and (app.resource_version == version or is_older(version, app.resource_version)):
                return True
            if not self.queue.is_working(ref):
                break
            await asyncio.sleep(_KNOWN_PAUSE_SECONDS)
        return False

    def watch_alive(self) -> None:
        """Note that kopf requested ChainlitApps or had an answer: its watch does not hang."""
        self._watch_last_seen = time.monotonic()

    async def apps_synced(self) -> None:
        """Wait until all ChainlitApps that exist at the start are known."""
        await self._apps_synced.wait()

    async def relist_apps(self) -> None:
        """List all ChainlitApps; repeat until a list succeeds."""
        await self.app_relister.list_all()

    # --------------------------------------------------------------------------------------------- life cycle

    def start(self) -> None:
        """Start all tasks; the work on apps begins when every kind was listed once and this replica leads."""
        gc_tuning.collect_rarely()
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
            await asyncio.wait_for(self._reflectors_synced(), _LIST_SECONDS)
        is_late = not all(reflector.synced.is_set() for reflector in self.reflectors)
        await self.app_relister.list_all()
        self._apps_synced.set()
        if is_late:
            await self._reflectors_synced()
            await self.app_relister.list_all()  # kopf may not have delivered yet the apps that appeared meanwhile
        self.state.complete()
        gc_tuning.freeze_listed()
        logger.info("All caches are synced")
        if self.elector is not None:
            gc_tuning.freeze_and_trim()
            await self.elector.run()
        await self.lead()
        await asyncio.Event().wait()

    async def _reflectors_synced(self) -> None:
        """Wait until each kind but ChainlitApps has been listed once."""
        for reflector in self.reflectors:
            await reflector.synced.wait()

    async def lead(self) -> None:
        """Work on every app, and on each change from now on."""
        self._is_leading = True
        self.state.enqueue_all()
        work = [(f"worker {n}", self.reconciler.work()) for n in range(self.options.concurrency)]
        work += [
            ("verification", self.scheduler.run()),
            (_FIRST_WAVE, self._trim_memory_after(self.queue.worked(self.state.apps))),
        ]
        self._work = [asyncio.create_task(coroutine, name=name) for name, coroutine in work]
        logger.info("Working with concurrency %d", self.options.concurrency)

    async def _trim_memory_after(self, first_wave: asyncio.Event) -> None:
        """Return free memory to the system when each app that is known at the start was reconciled once."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(first_wave.wait(), _FIRST_WAVE_SECONDS)
        gc_tuning.freeze_and_trim()

    async def stand_by(self) -> None:
        """Stop the work at once, also in the middle of a write. Forget the queue, the writes and the verifications."""
        self._is_leading = False
        work, self._work = self._work, []
        await _cancel(work)
        self.queue.clear()
        self.reconciler.forget()
        self.scheduler.clear()
        self.inquirer.clear()

    async def stop(self) -> None:
        """Let the writes in flight finish, release the Lease, and end all tasks."""
        self.queue.close()
        await _cancel([task for task in self._tasks if task.get_name() == "leader election"])
        workers = [task for task in self._work if task.get_name().startswith("worker")]
        if workers:
            await asyncio.wait(workers, timeout=_STOP_SECONDS)
        self.inquirer.clear()
        await _cancel(self._work)  # a worker that hangs must not write while a successor works
        if self.elector is not None:
            await self.elector.release()
        await _cancel(self._tasks)

    async def failed(self) -> BaseException:
        """Wait until a task ends that must not end; returns the reason."""
        await self._started.wait()
        while True:
            running = [task for task in (*self._tasks, *self._work) if task.get_name() != _FIRST_WAVE]
            done, _ = await asyncio.wait(running, timeout=5.0, return_when=asyncio.FIRST_COMPLETED)
            if self.queue.is_closed:
                await asyncio.Event().wait()  # the runtime stops, and its caller cancels this wait
            for task in done:
                if not task.cancelled():
                    return task.exception() or RuntimeError(f"{task.get_name()} ended")

    # ------------------------------------------------------------------------------------------------- health

    def _readiness(self) -> Counter[tuple[str, str]]:
        ready = (app.status.condition(ConditionType.READY) for app in self.state.apps.values())
        return Counter((c.status, c.reason) if c is not None else ("Unknown", "") for c in ready)

    def unready(self) -> str:
        """Return which kinds have not been listed yet and why; empty when all have."""
        waiting = [
            f"{reflector}{f' ({reflector.last_error.message})' if reflector.last_error else ''}"
            for reflector in self.reflectors
            if not reflector.synced.is_set()
        ]
        if self.app_relister.last_error is not None:
            waiting.append(f"ChainlitApp ({self.app_relister.last_error.message})")
        return f"not listed yet: {'; '.join(waiting)}" if waiting else ""

    def stale(self) -> str:
        """Return which watches have been silent for too long; empty when none has."""
        limit = time.monotonic() - 4 * SILENCE_SECONDS
        silent = [str(r) for r in self.reflectors if r.last_seen < limit]
        if max(self._watch_last_seen, self.app_relister.last_seen) < limit:
            silent.append("ChainlitApp")
        return f"silent watches: {', '.join(silent)}" if silent else ""


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel the tasks, and wait until they have ended."""
    cancelled = list(tasks)
    for task in cancelled:
        task.cancel()
    await asyncio.gather(*cancelled, return_exceptions=True)
