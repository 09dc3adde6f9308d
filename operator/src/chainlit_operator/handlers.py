"""The kopf layer: ChainlitApp events, start-up and shutdown, credentials. No decision is made here.

Only ``on.event`` is used: kopf then writes nothing, no annotation and no finalizer, into anything.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any, NoReturn

import kopf
from kubernetes.aio.client import Configuration

from chainlit_operator.engine.api import APP_GROUP, APP_PLURAL, APP_VERSION, credentials
from chainlit_operator.engine.runtime import Engine

logger = logging.getLogger(__name__)

#: For peering, which is off. Left to itself, kopf looks for the user's name, which a container's user has none of.
_IDENTITY: Any = "chainlit-operator"


def build_registry(engine: Engine, configuration: Configuration) -> kopf.OperatorRegistry:
    """Return the handlers that connect kopf to ``engine``, in a registry of their own."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry, id="login")
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return await _connection(configuration)

    @kopf.on.startup(registry=registry, id="startup")
    async def startup(**_: Any) -> None:
        engine.start()

    @kopf.on.cleanup(registry=registry, id="cleanup")
    async def cleanup(**_: Any) -> None:
        await engine.stop()

    @kopf.on.event(APP_GROUP, APP_VERSION, APP_PLURAL, registry=registry, id="app")
    async def app(event: kopf.RawEvent, **_: Any) -> None:
        body = event["object"]
        if event["type"] == "DELETED":
            engine.remove_app(body["metadata"]["namespace"], body["metadata"]["name"])
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


async def run(engine: Engine, configuration: Configuration) -> None:
    """Serve ChainlitApps until SIGTERM or SIGINT; raises StoppedError for any other end."""
    allow_nests()
    stop = asyncio.Event()
    namespaces = engine.options.namespaces
    operator = asyncio.create_task(
        kopf.operator(
            registry=build_registry(engine, configuration),
            settings=build_settings(),
            identity=_IDENTITY,
            clusterwide=not namespaces,
            namespaces=namespaces,
            stop_flag=stop,
        )
    )
    watchdog = asyncio.create_task(engine.failed())
    await asyncio.wait({operator, watchdog}, return_when=asyncio.FIRST_COMPLETED)
    if watchdog.done() and not operator.done():
        stop.set()
        await asyncio.wait({operator})
        _raise_stopped(watchdog.result())
    watchdog.cancel()
    if not operator.cancelled() and (error := operator.exception()) is not None:
        _raise_stopped(error)


def _raise_stopped(error: BaseException) -> NoReturn:
    logger.debug("The operator ended", exc_info=error)
    words = " ".join(str(error).split())
    raise StoppedError(f"stopped by {type(error).__name__}{f': {words}' if words else ''}") from error


async def _connection(configuration: Configuration) -> kopf.ConnectionInfo:
    """The client's own connection, credentials read anew: kopf asks again when they are refused."""
    header = next(iter((await credentials(configuration)).values()), "")
    scheme, _, token = header.partition(" ")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        insecure=not configuration.verify_ssl,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        proxy_url=configuration.proxy,
        scheme=scheme or None,
        token=token or None,
    )
