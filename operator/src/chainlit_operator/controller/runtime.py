"""The engine: everything that runs beside kopf, put together, started and stopped as one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from chainlit_operator.controller.app_relister import AppRelister
from chainlit_operator.controller.event_recorder import EventRecorder
from chainlit_operator.controller.reconciler import Reconciler
from chainlit_operator.domain.reasons import ConditionType
from chainlit_operator.kinds import registry
from chainlit_operator.kinds.chainlitapp import app_from_object
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
#: How often, and how far apart, an event of an app that is being worked on is looked at before it is news.
_ECHO_LOOKS, _ECHO_SECONDS = 10, 0.005
#: The name of the task that ends by itself.
_PASSING = "first wave"


@dataclass(frozen=True, slots=True)
class Options:
    """How the engine runs.

    ``namespaces`` empty means all; ``edge_tls`` is for certificates at the edge; ``listen`` is host:port, or empty for
    no HTTP server.
    ``lease`` is what to campaign for as ``identity``; None to lead without asking anybody.
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
    """Reflectors, queue, workers, verification and Event recorder around one cache."""

    def __init__(self, api: Api, options: Options) -> None:
        self.options = options
        self.queue: WorkQueue[Ref] = WorkQueue(backoff_seconds)
        self.cache = State(self._changed)
        #: Whether what changes is to be worked on; who begins to is told of everything.
        self._is_leading = False
        verifier = Verifier(api.config.host, options.edge_tls)
        self.scheduler = VerificationScheduler(verifier.verify, self.queue.add, options.verification_concurrency)
        self.recorder = EventRecorder(api)
        self.reconciler = Reconciler(
            api, self.cache, self.queue, self.scheduler, self.recorder, verification=options.verification
        )
        namespaces = options.namespaces or (None,)
        self.app_relister = AppRelister(api, self.cache, namespaces)
        self.reflectors = [
            Reflector(
                api,
                kind.kind,
                namespace,
                self.cache,
                decode_listed=decoding.decoder(kind),
                decode_event=decoding.decoder(kind, self.cache.find),
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
        metrics.APPS.set_function(lambda: float(len(self.cache.apps)))

    def _changed(self, ref: Ref) -> None:
        """Have an app, or a workload that is to be released, worked on; a standby, who does not, gathers none."""
        if self._is_leading:
            self.queue.add(ref)

    # -------------------------------------------------------------------------------------- what kopf brings

    def put_app(self, body: object) -> None:
        """Take a ChainlitApp as an API object; raises ValueError (msgspec.ValidationError) for one of another shape."""
        self.cache.put_app(app_from_object(body))

    def remove_app(self, namespace: str, name: str, uid: str) -> None:
        """Forget a ChainlitApp, unless another one of its name is known by now."""
        ref = Ref("ChainlitApp", namespace, name)
        app = self.cache.apps.get(ref)
        if app is not None and app.uid == uid:
            self.cache.remove_app(ref)

    async def apps_synced(self) -> None:
        """Wait until all ChainlitApps that there are at the start have been taken."""
        await self._apps_synced.wait()

    async def knows_app(self, ref: Ref, version: str) -> bool:
        """Whether a ChainlitApp is known in that version or a later one.

        While it is being worked on, its status may just be written; then the answer waits for a moment.
        """
        for _ in range(_ECHO_LOOKS):
            app = self.cache.apps.get(ref)
            if app is not None and (app.resource_version == version or is_older(version, app.resource_version)):
                return True
            if not self.queue.is_working(ref):
                break
            await asyncio.sleep(_ECHO_SECONDS)
        return False

    def watch_alive(self) -> None:
        """Take notice that kopf asked for ChainlitApps or had an answer: its watch does not hang."""
        self._apps_seen = time.monotonic()

    def watch_restarted(self) -> None:
        """Take notice that kopf's watch begins, or begins anew: deletions before may have gone unseen."""
        self.app_relister.trigger()

    async def relist_apps(self) -> None:
        """Take all ChainlitApps that exist, however often it takes, and have those that are gone forgotten."""
        await self.app_relister.list_all()
        self.app_relister.trigger()

    # --------------------------------------------------------------------------------------------- life cycle

    def start(self) -> None:
        """Start all tasks; work on apps begins when every kind has been listed once, and this replica leads."""
        gc_tuning.begin()
        self._tasks = [asyncio.create_task(r.run(), name=f"reflector of {r}") for r in self.reflectors]
        self._tasks.append(asyncio.create_task(self.recorder.run(), name="event recorder"))
        self._tasks.append(asyncio.create_task(self.app_relister.run(), name="app_relister"))
        self._tasks.append(asyncio.create_task(self._campaign(), name="campaign"))
        loop = asyncio.get_running_loop()
        metrics.TASKS.set_function(lambda: float(len(asyncio.all_tasks(loop))))
        self._started.set()

    async def _campaign(self) -> None:
        """Lead when every kind has been listed once: a standby with a cold cache would be none.

        Apps are taken last, for those that come while the rest is listed; once, unless the rest takes too long.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._listed(), _LIST_SECONDS)
        is_late = not all(reflector.synced.is_set() for reflector in self.reflectors)
        await self.app_relister.list_all()
        self._apps_synced.set()
        if is_late:
            await self._listed()
            await self.relist_apps()  # those that came meanwhile, of which kopf may not have told yet
        self.cache.complete()
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
        """Work on everything that there is, and on what changes from now on."""
        self._is_leading = True
        self.cache.announce()
        work = [(f"worker {n}", self.reconciler.work()) for n in range(self.options.concurrency)]
        work += [("verification", self.scheduler.run()), (_PASSING, self._settle())]
        self._work = [asyncio.create_task(coroutine, name=name) for name, coroutine in work]
        logger.info("Working with concurrency %d", self.options.concurrency)

    async def _settle(self) -> None:
        """Give memory back when the first wave of work is over."""
        known = -1
        while not self.queue.is_idle or len(self.cache.apps) != known:
            known = len(self.cache.apps)
            await asyncio.sleep(1.0)
        gc_tuning.settle()

    async def stand_by(self) -> None:
        """Drop the work at once, also what is in the middle of a write, and what was remembered for it."""
        self._is_leading = False
        work, self._work = self._work, []
        await _end(work)
        self.queue.clear()
        self.reconciler.forget()
        self.scheduler.clear()

    async def stop(self) -> None:
        """Let the writes in flight finish, release the Lease, then end all tasks."""
        self.queue.close()
        await _end([task for task in self._tasks if task.get_name() == "campaign"])
        workers = [task for task in self._work if task.get_name().startswith("worker")]
        if workers:
            await asyncio.wait(workers, timeout=_STOP_SECONDS)
        await _end(self._work)  # what is left must not write beside a successor
        if self.elector is not None:
            await self.elector.release()
        await _end(self._tasks)

    async def failed(self) -> BaseException:
        """Wait until a task ends that never should; returns why."""
        await self._started.wait()
        while True:
            running = [task for task in (*self._tasks, *self._work) if task.get_name() != _PASSING]
            done, _ = await asyncio.wait(running, timeout=5.0, return_when=asyncio.FIRST_COMPLETED)
            if self.queue.is_closed:
                await asyncio.Event().wait()  # it is stopping; whoever waits is cancelled
            for task in done:
                if not task.cancelled():
                    return task.exception() or RuntimeError(f"{task.get_name()} ended")

    # ------------------------------------------------------------------------------------------------- health

    def _readiness(self) -> Counter[tuple[str, str]]:
        ready = (app.status.condition(ConditionType.READY) for app in self.cache.apps.values())
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
