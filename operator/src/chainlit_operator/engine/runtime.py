"""The engine: everything that runs beside kopf, put together, started and stopped as one."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field

from chainlit_operator.domain.model import Ref
from chainlit_operator.engine import memory, metrics, wire
from chainlit_operator.engine.api import Api
from chainlit_operator.engine.cache import Cache
from chainlit_operator.engine.events import Recorder
from chainlit_operator.engine.reconciler import Reconciler
from chainlit_operator.engine.reflector import SILENCE_SECONDS, Reflector, backoff_seconds
from chainlit_operator.engine.sweeper import Sweeper
from chainlit_operator.engine.trust import Trust
from chainlit_operator.engine.verification import Asker
from chainlit_operator.engine.verifier import Verifier
from chainlit_operator.engine.workqueue import WorkQueue

logger = logging.getLogger(__name__)

#: Kinds that a cluster may be without.
_OPTIONAL = frozenset({"HTTPRoute", "Gateway", "Middleware"})
_STOP_SECONDS = 10.0
#: The name of the task that ends by itself.
_PASSING = "start of the workers"


@dataclass(frozen=True, slots=True)
class Options:
    """How the engine runs.

    ``namespaces`` empty means all; ``trust`` is for certificates at the edge; ``listen`` is host:port, or empty for no
    HTTP server.
    """

    namespaces: tuple[str, ...] = ()
    concurrency: int = 8
    verification: bool = True
    verification_concurrency: int = 8
    trust: Trust = field(default_factory=Trust)
    listen: str = ""


class Engine:
    """Reflectors, queue, workers, verifier and Event recorder around one cache."""

    def __init__(self, api: Api, options: Options) -> None:
        self.options = options
        self.queue: WorkQueue[Ref] = WorkQueue(backoff_seconds)
        self.cache = Cache(self.queue.add)
        asker = Asker(api.configuration.host, options.trust)
        self.verifier = Verifier(asker.verify, self.queue.add, options.verification_concurrency)
        self.recorder = Recorder(api)
        self.reconciler = Reconciler(
            api, self.cache, self.queue, self.verifier, self.recorder, verification=options.verification
        )
        namespaces = options.namespaces or (None,)
        self.sweeper = Sweeper(api, self.cache, namespaces)
        self.reflectors = [
            Reflector(api, kind, type_, namespace, self.cache, is_optional=kind in _OPTIONAL)
            for kind, type_ in wire.KINDS.items()
            for namespace in namespaces
        ]
        self._started = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._workers: list[asyncio.Task[None]] = []
        metrics.QUEUE_DEPTH.set_function(lambda: float(len(self.queue)))
        metrics.APPS.set_function(lambda: float(len(self.cache.apps)))

    # -------------------------------------------------------------------------------------- what kopf brings

    def put_app(self, body: object) -> None:
        """Take a ChainlitApp as an API object; raises ValueError (msgspec.ValidationError) for one of another shape."""
        self.cache.put_app(wire.app_from_object(body))

    def remove_app(self, namespace: str, name: str) -> None:
        """Forget a ChainlitApp."""
        self.cache.remove_app(Ref("ChainlitApp", namespace, name))

    # --------------------------------------------------------------------------------------------- life cycle

    def start(self) -> None:
        """Start all tasks; work on apps begins when every kind has been listed once."""
        self._tasks = [asyncio.create_task(r.run(), name=f"reflector of {r}") for r in self.reflectors]
        self._tasks.append(asyncio.create_task(self.recorder.run(), name="event recorder"))
        self._tasks.append(asyncio.create_task(self.verifier.run(), name="verifier"))
        self._tasks.append(asyncio.create_task(self.sweeper.run(), name="sweeper"))
        self._tasks.append(asyncio.create_task(self._start_workers(), name=_PASSING))
        self._started.set()

    async def _start_workers(self) -> None:
        for reflector in self.reflectors:
            await reflector.synced.wait()
        await self.sweeper.take_all()
        self.cache.complete()
        logger.info("All caches are synced; working with concurrency %d", self.options.concurrency)
        self._workers = [
            asyncio.create_task(self.reconciler.work(), name=f"worker {n}") for n in range(self.options.concurrency)
        ]
        known = -1
        while not self.queue.is_idle or len(self.cache.apps) != known:
            known = len(self.cache.apps)
            await asyncio.sleep(1.0)
        memory.settle()

    async def stop(self) -> None:
        """Let the writes in flight finish, then end all tasks."""
        deadline = time.monotonic() + _STOP_SECONDS
        self.queue.close()
        if self._workers:
            await asyncio.wait(self._workers, timeout=max(0.0, deadline - time.monotonic()))
        for task in (*self._tasks, *self._workers):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._workers, return_exceptions=True)

    async def failed(self) -> BaseException:
        """Wait until a task ends that never should; returns why."""
        await self._started.wait()
        while True:
            running = [task for task in (*self._tasks, *self._workers) if task.get_name() != _PASSING]
            done, _ = await asyncio.wait(running, timeout=5.0, return_when=asyncio.FIRST_COMPLETED)
            if self.queue.is_closed:
                await asyncio.Event().wait()  # it is stopping; whoever waits is cancelled
            for task in done:
                if not task.cancelled():
                    return task.exception() or RuntimeError(f"{task.get_name()} ended")

    # ------------------------------------------------------------------------------------------------- health

    def unready(self) -> str:
        """Say which kind has not been listed yet and why; empty when all have."""
        waiting = [
            f"{reflector}{f' ({reflector.last_error.message})' if reflector.last_error else ''}"
            for reflector in self.reflectors
            if not reflector.synced.is_set()
        ]
        if self.sweeper.last_error is not None:
            waiting.append(f"ChainlitApp ({self.sweeper.last_error.message})")
        return f"not listed yet: {'; '.join(waiting)}" if waiting else ""

    def stale(self) -> str:
        """Say which watch has been silent for too long; empty when none has."""
        limit = time.monotonic() - 4 * SILENCE_SECONDS
        silent = [str(r) for r in self.reflectors if r.last_seen < limit]
        return f"silent watches: {', '.join(silent)}" if silent else ""
