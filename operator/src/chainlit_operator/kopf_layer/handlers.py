"""The kopf layer: ChainlitApp events and the connection for them. No decision is made here.

Only ``on.event`` is used: kopf then writes nothing, no annotation and no finalizer, into anything.

kopf ends for good when the API server answers its watch with anything that it does not expect: a CRD that is gone, an
error in the stream, half a line. So it is started again, while the engine goes on with what it knows. It is told only
of what the engine does not know (``engine/echo.py``).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import time
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar, cast

import aiohttp
import kopf

from chainlit_operator.controller.runtime import Runtime
from chainlit_operator.kinds.chainlitapp import KIND
from chainlit_operator.kopf_layer.known_events import KnownEventFilter
from chainlit_operator.kube.backoff import STABLE_SECONDS, backoff_seconds
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.observability import metrics

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: For peering, which is off. Left to itself, kopf looks for the user's name, which a container's user has none of.
_IDENTITY: Any = "chainlit-operator"
#: kopf's watch is renewed that often, so that an answer to it says that it is alive.
_WATCH_SECONDS = 240
#: kopf looks for the CRD when it starts, and never again. If it has not asked for ChainlitApps by then, it never will:
#: a CRD can be listed a moment before it is told of.
_DISCOVERY_SECONDS = 30.0
#: Credentials that are refused again and again are not tried more often than this.
_LOGIN_SECONDS = 1.0


def build_registry(engine: Runtime, api: Api, asked: asyncio.Event) -> kopf.OperatorRegistry:
    """Return the handlers that connect kopf to ``engine``, in a registry of their own.

    ``asked`` is set when kopf asks for ChainlitApps.
    """
    registry = kopf.OperatorRegistry()

    session = _session_factory(engine, api, asked)

    @kopf.on.login(registry=registry, id="login")
    async def login(**_: Any) -> kopf.AiohttpSession:
        return kopf.AiohttpSession(server=api.config.host, aiohttp_session=await session())

    @kopf.on.event(KIND.group, KIND.version, KIND.plural, registry=registry, id="app")
    async def app(event: kopf.RawEvent, **_: Any) -> None:
        body = event["object"]
        if event["type"] == "DELETED":
            metadata = body["metadata"]
            engine.remove_app(metadata["namespace"], metadata["name"], metadata["uid"])
            return
        try:
            engine.put_app(body)
        except ValueError as error:
            metadata = body["metadata"]
            logger.warning("ChainlitApp %s/%s cannot be read: %s", metadata["namespace"], metadata["name"], error)

    return registry


class _NoDiffs(kopf.DiffBaseStorage):
    """Spares kopf the copy and comparison of each object by which it finds changes for handlers that we do not use."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        """Write nothing into the object."""


def build_settings() -> kopf.OperatorSettings:
    """Return kopf's settings: one replica without peering, no scan of CRDs and namespaces, no Events of its own."""
    settings = kopf.OperatorSettings()
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.posting.enabled = False
    # A worker of kopf's keeps an object's whole body until it has been idle for that long: small pages and short
    # waits keep few of them, which is a quarter of the operator's memory.
    settings.watching.chunk_size = 100
    settings.watching.server_timeout = _WATCH_SECONDS
    settings.watching.initial_streaming = False  # its first bookmark would be taken for the end of the list
    # Left to itself, kopf waits for up to 21 s before it asks again, and for five minutes for an answer.
    settings.networking.error_backoffs = (0.2, 0.5, 1, 2, 4)
    settings.networking.request_timeout = 60.0
    settings.networking.connect_timeout = 10.0
    settings.queueing.idle_timeout = 0.1
    settings.persistence.diffbase_storage = _NoDiffs()
    return settings


def allow_nests() -> None:
    """Let objects that nest as deep as the API server takes them, ten thousand levels, be read.

    kopf reads with the standard library, whose stack ends at a thousand; one such ChainlitApp would end the operator
    each time that it starts. Twice as many, for the calls that each level takes; a thread's 8 MiB hold twice that.
    """
    sys.setrecursionlimit(25_000)


class StoppedError(Exception):
    """The operator ended without being asked to."""


async def run(engine: Runtime, api: Api, stop: asyncio.Event) -> None:
    """Serve ChainlitApps until ``stop``; raises StoppedError for any other end."""
    allow_nests()
    engine.start()
    watchdog = asyncio.create_task(engine.failed(), name="watchdog")
    asked = asyncio.create_task(stop.wait(), name="stop")
    apps = asyncio.create_task(_watch_apps(engine, api, stop), name="ChainlitApps")
    await asyncio.wait({watchdog, asked, apps}, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await engine.stop()
    watchdog.cancel()
    for failure in await asyncio.gather(watchdog, apps, return_exceptions=True):
        if failure is not None and not isinstance(failure, asyncio.CancelledError):
            _raise_stopped(failure)


def stop_by_signal(stop: asyncio.Event) -> None:
    """Have SIGTERM and SIGINT set ``stop`` from now on."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


async def _watch_apps(engine: Runtime, api: Api, stop: asyncio.Event) -> None:
    """Have kopf tell of ChainlitApps, and start it again when it ends, until ``stop``."""
    failures = 0
    await run_until(stop, engine.apps_synced())
    while not stop.is_set():
        started = time.monotonic()
        error = await _run_kopf(engine, api, stop)
        if stop.is_set():
            return
        failures = 1 if time.monotonic() - started > STABLE_SECONDS else failures + 1
        words = " ".join(str(error or "it ended").split())
        logger.warning("Cannot watch ChainlitApps: %s", words)
        metrics.WATCH_RESTARTS.labels("ChainlitApp", type(error).__name__).inc()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), backoff_seconds(failures))
        # There must be a CRD before kopf looks for it.
        await run_until(stop, engine.relist_apps())


async def run_until(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Return what ``work`` does and raise what it raises; or drop it when ``stop`` is set, and return None."""
    task, asked = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        return await task if task.done() else None
    finally:
        task.cancel()
        asked.cancel()
        await asyncio.gather(task, asked, return_exceptions=True)


async def _run_kopf(engine: Runtime, api: Api, stop: asyncio.Event) -> BaseException | None:
    """Run kopf until it ends, and return why; None where it was asked to.

    ``kopf.operator()`` ends all tasks that began after it, those of the engine too; here its own are ended.
    """
    namespaces, asked = engine.options.namespaces, asyncio.Event()
    tasks = await kopf.spawn_tasks(
        registry=build_registry(engine, api, asked),
        settings=build_settings(),
        identity=_IDENTITY,
        clusterwide=not namespaces,
        namespaces=namespaces,
        stop_flag=stop,
    )
    stop_by_signal(stop)  # kopf has put handlers of its own there
    tasks = [*tasks, asyncio.create_task(_until_lost(asked), name="discovery of ChainlitApps")]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    return next((error for error in ended if isinstance(error, Exception)), None)


async def _until_lost(asked: asyncio.Event) -> NoReturn:
    """Raise ApiError when kopf has not asked for ChainlitApps in time."""
    try:
        await asyncio.wait_for(asked.wait(), _DISCOVERY_SECONDS)
    except TimeoutError:
        raise ApiError(0, "NotDiscovered", "the API server does not tell of them yet") from None
    await asyncio.Event().wait()
    raise AssertionError


def _raise_stopped(error: BaseException) -> NoReturn:
    logger.debug("The operator ended", exc_info=error)
    words = " ".join(str(error).split())
    raise StoppedError(f"stopped by {type(error).__name__}{f': {words}' if words else ''}") from error


def _session_factory(engine: Runtime, api: Api, asked: asyncio.Event) -> Any:
    """Return what makes sessions for kopf: the client's own TLS and proxy, with its credentials read anew each time.

    They tell the engine that the watch does not hang, and when it begins, before which deletions may have gone unseen;
    and they keep from kopf what the engine knows.
    """
    last = 0.0

    async def ask(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        request.headers.update(await api.credentials())
        if not request.url.path.endswith(f"/{KIND.plural}"):
            return await handler(request)
        asked.set()
        engine.watch_alive()
        try:
            response = await handler(request)
        finally:
            engine.watch_alive()
        if response.ok and not {"watch", "continue"} & set(request.url.query):
            engine.watch_restarted()
        if response.ok:
            response.content = cast("aiohttp.StreamReader", KnownEventFilter(response.content, engine.knows_app))
        return response

    async def session() -> aiohttp.ClientSession:
        nonlocal last
        pause = last + _LOGIN_SECONDS - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        last = time.monotonic()
        return api.new_session(ask)

    return session
