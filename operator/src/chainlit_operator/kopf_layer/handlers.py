"""The connection between kopf and the runtime. No decision is made here.

kopf ends for good when the API server answers its watch with anything that it does not expect: a CRD that is gone, an
error in the stream, half a line. So it is started again, while the runtime continues with what it knows.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn, TypeVar, cast

import aiohttp
import kopf

from chainlit_operator.controller.runtime import Runtime
from chainlit_operator.kinds.chainlitapp import KIND
from chainlit_operator.kopf_layer.known_events import AppList, KnownEventFilter
from chainlit_operator.kube.backoff import STABLE_SECONDS, backoff_seconds
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.errors import ApiError, one_line
from chainlit_operator.observability import metrics

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: For peering, which is off. By default kopf looks up the user's name, and a container's user has none.
_IDENTITY: Any = "chainlit-operator"
#: kopf renews its watch after this time. Its requests and their answers show that the watch is alive.
_WATCH_SECONDS = 240
#: kopf looks for the CRD when it starts, and never again. If it has not requested ChainlitApps by then, it never will:
#: the API server can list objects of a new CRD a moment before its discovery names the CRD.
_DISCOVERY_SECONDS = 30.0
#: The shortest time between two logins, for credentials that are refused again and again.
_LOGIN_SECONDS = 1.0


def build_registry(runtime: Runtime, api: Api, requested: asyncio.Event) -> kopf.OperatorRegistry:
    """Return the handlers that connect kopf to ``runtime``, in a registry of their own.

    ``requested`` is set when kopf requests ChainlitApps.
    """
    registry = kopf.OperatorRegistry()
    session = _session_factory(runtime, api, requested)

    @kopf.on.login(registry=registry, id="login")
    async def login(**_: Any) -> kopf.AiohttpSession:
        return kopf.AiohttpSession(server=api.config.host, aiohttp_session=await session())

    @kopf.on.event(KIND.group, KIND.version, KIND.plural, registry=registry, id="app")
    async def app(event: kopf.RawEvent, **_: Any) -> None:
        body = event["object"]
        if event["type"] == "DELETED":
            metadata = body["metadata"]
            runtime.remove_app(metadata["namespace"], metadata["name"], metadata["uid"])
        else:
            runtime.put_app(body)

    return registry


class _NoDiffs(kopf.DiffBaseStorage):
    """Turns off the copy and comparison of each object, which kopf needs for handlers that are not used here."""

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
    # A worker of kopf keeps the whole body of an object until it has been idle for ``idle_timeout``. Small pages and
    # short waits keep few bodies: that saves a quarter of the operator's memory.
    settings.watching.chunk_size = 100
    settings.watching.server_timeout = _WATCH_SECONDS
    settings.watching.initial_streaming = False  # a bookmark of KnownEventFilter would end the list
    # By default, kopf waits for up to 21 s before it tries again, and for five minutes for an answer.
    settings.networking.error_backoffs = (0.2, 0.5, 1, 2, 4)
    settings.networking.request_timeout = 60.0
    settings.networking.connect_timeout = 10.0
    settings.queueing.idle_timeout = 0.1
    settings.persistence.diffbase_storage = _NoDiffs()
    return settings


def raise_recursion_limit() -> None:
    """Raise Python's recursion limit: the API server accepts objects that nest ten thousand levels deep.

    kopf decodes with the standard library, which takes two calls for a level. With the usual limit of a thousand, one
    such ChainlitApp would end the operator at each start. A thread's 8 MiB of stack hold twice that limit.
    """
    sys.setrecursionlimit(25_000)


class StoppedError(Exception):
    """The operator ended without being asked to."""


async def run(runtime: Runtime, api: Api, stop: asyncio.Event) -> None:
    """Serve ChainlitApps until ``stop``; raises StoppedError for any other end."""
    raise_recursion_limit()
    runtime.start()
    watchdog = asyncio.create_task(runtime.failed(), name="watchdog")
    stopped = asyncio.create_task(stop.wait(), name="stop")
    apps = asyncio.create_task(_watch_apps(runtime, api, stop), name="ChainlitApps")
    await asyncio.wait({watchdog, stopped, apps}, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await runtime.stop()
    watchdog.cancel()
    for failure in await asyncio.gather(watchdog, apps, return_exceptions=True):
        if failure is not None and not isinstance(failure, asyncio.CancelledError):
            _raise_stopped(failure)


def stop_by_signal(stop: asyncio.Event) -> None:
    """Make SIGTERM and SIGINT set ``stop``."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


async def _watch_apps(runtime: Runtime, api: Api, stop: asyncio.Event) -> None:
    """Run kopf, and start it again when it ends, until ``stop``."""
    failures = 0
    await run_until(stop, runtime.apps_synced())
    while not stop.is_set():
        started = time.monotonic()
        error = await _run_kopf(runtime, api, stop)
        if stop.is_set():
            return
        failures = 1 if time.monotonic() - started > STABLE_SECONDS else failures + 1
        logger.warning("Cannot watch ChainlitApps: %s", "it ended" if error is None else one_line(error))
        metrics.WATCH_RESTARTS.labels("ChainlitApp", type(error).__name__).inc()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), backoff_seconds(failures))
        # A list that succeeds shows that the CRD is there: kopf looks for it only when it starts.
        await run_until(stop, runtime.relist_apps())


async def run_until(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Return the result of ``work``, or cancel it when ``stop`` is set and return None. Raises what ``work`` raises."""
    task, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return await task if task.done() else None
    finally:
        task.cancel()
        stopped.cancel()
        await asyncio.gather(task, stopped, return_exceptions=True)


async def _run_kopf(runtime: Runtime, api: Api, stop: asyncio.Event) -> BaseException | None:
    """Run kopf until it ends; returns the error, or None after ``stop``.

    ``kopf.operator()`` would cancel all tasks that began after it, also those of the runtime. This function cancels
    only kopf's own tasks.
    """
    namespaces, requested = runtime.options.namespaces, asyncio.Event()
    tasks = await kopf.spawn_tasks(
        registry=build_registry(runtime, api, requested),
        settings=build_settings(),
        identity=_IDENTITY,
        clusterwide=not namespaces,
        namespaces=namespaces,
        stop_flag=stop,
    )
    stop_by_signal(stop)  # kopf has replaced the handlers by its own
    tasks = [*tasks, asyncio.create_task(_ensure_discovered(requested), name="discovery of ChainlitApps")]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    return next((error for error in ended if isinstance(error, Exception)), None)


async def _ensure_discovered(requested: asyncio.Event) -> NoReturn:
    """Raise ApiError if kopf has not requested ChainlitApps in time; otherwise wait until cancelled."""
    try:
        await asyncio.wait_for(requested.wait(), _DISCOVERY_SECONDS)
    except TimeoutError:
        raise ApiError(0, "NotDiscovered", "the API server's discovery does not name the CRD yet") from None
    await asyncio.Event().wait()
    raise AssertionError


def _raise_stopped(error: BaseException) -> NoReturn:
    logger.debug("The operator ended", exc_info=error)
    text = " ".join(str(error).split())
    raise StoppedError(f"stopped by {type(error).__name__}{f': {text}' if text else ''}") from error


def _session_factory(runtime: Runtime, api: Api, requested: asyncio.Event) -> Callable[[], Awaitable[Any]]:
    """Return a factory of kopf's sessions, with the client's TLS, proxy and current credentials.

    Each session reports to the runtime that the watch is alive and which ChainlitApps a list contains. It hides known
    events from kopf.
    """
    last = 0.0
    lists: dict[str, AppList] = {}

    async def intercept(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        request.headers.update(await api.credentials())
        path = request.url.path
        if not path.endswith(f"/{KIND.plural}"):
            return await handler(request)
        requested.set()
        runtime.watch_alive()
        is_list = "watch" not in request.url.query
        if is_list and "continue" not in request.url.query:
            lists[path] = runtime.begin_list(_namespace_of(path))
        try:
            response = await handler(request)
        finally:
            runtime.watch_alive()
        if response.ok:
            filtered = KnownEventFilter(response.content, runtime.knows_app, lists.get(path) if is_list else None)
            response.content = cast("aiohttp.StreamReader", filtered)
        return response

    async def session() -> aiohttp.ClientSession:
        nonlocal last
        pause = last + _LOGIN_SECONDS - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        last = time.monotonic()
        return api.new_session(intercept)

    return session


def _namespace_of(path: str) -> str | None:
    """Return the namespace of a collection's path; None for that of all namespaces."""
    found = re.search(r"/namespaces/([^/]+)/", path)
    return found[1] if found is not None else None
