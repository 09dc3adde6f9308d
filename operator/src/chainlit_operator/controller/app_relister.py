"""The app_relister: knows of all ChainlitApps before work begins, and forgets those that are gone without a word.

kopf does not tell when it has told of all that exist, and until then a workload without an app may have one all the
same. So they are listed once at the start.

kopf tells of deletions that its watch sees. When the watch starts, or has to start over, what was deleted before is not
told, and an app that is no more would go on being enforced. So all that exist are listed then, and now and then,
metadata only. That also shows a cluster that was restored from a backup, of which watches tell nothing: they wait for
the versions that they have seen to come again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

import msgspec

from chainlit_operator.kinds.chainlitapp import app_from_json
from chainlit_operator.kube import codec
from chainlit_operator.kube.backoff import backoff_seconds
from chainlit_operator.kube.client import PAGE_SIZE, Api
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.kube.resource_versions import ensure_later, is_older
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 300.0
#: After a list that failed.
RETRY_SECONDS = 30.0


class AppRelister:
    """Compares the apps of a cache with those of the cluster."""

    def __init__(self, api: Api, cache: State, namespaces: tuple[str | None, ...]) -> None:
        self._api, self._cache, self._namespaces = api, cache, namespaces
        self.last_error: ApiError | None = None
        #: When it last tried to take all apps.
        self.last_seen = time.monotonic()
        self._due = asyncio.Event()
        #: The newest resource version of a list.
        self._version = ""

    def trigger(self) -> None:
        """Sweep now: deletions may have gone unseen."""
        self._due.set()

    async def list_all(self) -> None:
        """Put all apps into the cache, however often it takes; ``last_error`` says what hinders it.

        Raises RestoredError.
        """
        failures = 0
        for namespace in self._namespaces:
            while True:
                self.last_seen = time.monotonic()
                try:
                    await self._take(namespace)
                except ApiError as error:
                    failures, self.last_error = failures + 1, error
                    logger.warning("Cannot list ChainlitApps: %s", error.message)
                    await asyncio.sleep(backoff_seconds(failures))
                else:
                    failures, self.last_error = 0, None
                    break

    async def _take(self, namespace: str | None) -> None:
        async for raw in self._pages(namespace):
            try:
                self._cache.put_app(app_from_json(raw))
            except (msgspec.MsgspecError, ValueError) as error:
                logger.debug("Skipping a ChainlitApp that cannot be read: %s", error)  # kopf's handler warns of it

    async def run(self) -> None:
        """Sweep at intervals until cancelled; raises RestoredError."""
        pause = INTERVAL_SECONDS
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), pause)
            self._due.clear()
            pause = INTERVAL_SECONDS
            try:
                await self.sweep()
            except ApiError as error:
                pause = RETRY_SECONDS
                logger.info("ChainlitApps could not be listed to find those that are gone: %s", error.message)

    async def sweep(self) -> None:
        """Forget the apps that are not in the cluster; raises ApiError and RestoredError."""
        known = {ref: app.uid for ref, app in self._cache.apps.items()}
        found = {key for namespace in self._namespaces for key in await self._list(namespace)}
        for ref, uid in known.items():
            # Known before the list began and not in it. What came after it has another uid, or was not known.
            if (ref, uid) not in found and (app := self._cache.apps.get(ref)) is not None and app.uid == uid:
                logger.info("%s is gone", ref)
                self._cache.remove_app(ref)

    async def _list(self, namespace: str | None) -> set[tuple[Ref, str]]:
        found: set[tuple[Ref, str]] = set()
        async for raw in self._pages(namespace, only_metadata=True):
            meta = codec.decode_bookmark(raw).metadata
            found.add((Ref("ChainlitApp", meta.namespace, meta.name), meta.uid))
        return found

    async def _pages(self, namespace: str | None, *, only_metadata: bool = False) -> AsyncIterator[msgspec.Raw]:
        token, seen = "", self._version  # another list may be under way, and be answered first
        while True:
            page = await self._api.list_page("ChainlitApp", namespace, PAGE_SIZE, token, only_metadata=only_metadata)
            version = page.metadata.resource_version
            ensure_later(version, seen, "ChainlitApp")
            if not is_older(version, self._version):
                self._version = version
            for raw in page.items or ():
                yield raw
            token = page.metadata.continue_
            if not token:
                return
