"""The relister: lists ChainlitApps, because kopf's watch alone is not enough.

kopf has no event for "all objects that exist were delivered". Before that moment, a workload that seems to have no app
may have one. So all ChainlitApps are listed before the work begins, and before each restart of kopf.

kopf delivers only the deletions that its watch sees. Without a list, the operator would keep enforcing an app that was
deleted between two watches. So each complete list, kopf's own included, removes the apps that are not in it. A list of
metadata every five minutes also detects a restore of etcd. A watch does not: it waits for newer versions than the last
one that it has seen.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import msgspec

from chainlit_operator.controller.app_intake import AppIntake
from chainlit_operator.kube import codec
from chainlit_operator.kube.backoff import backoff_seconds
from chainlit_operator.kube.client import PAGE_SIZE, Api
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.kube.resource_versions import ensure_not_older, is_older

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 300.0
#: The pause after a list that failed.
RETRY_SECONDS = 30.0


class AppRelister:
    """Lists the ChainlitApps of the namespaces (None: of all) into ``intake``."""

    def __init__(self, api: Api, intake: AppIntake, namespaces: tuple[str | None, ...]) -> None:
        self._api, self._intake, self._namespaces = api, intake, namespaces
        self.last_error: ApiError | None = None
        #: When it last tried to list all apps.
        self.last_seen = time.monotonic()
        #: The newest resource version of a list.
        self._version = ""

    async def list_all(self) -> None:
        """List all apps with their content; repeat until a list succeeds. ``last_error`` says why it failed last.

        Raises RestoredError.
        """
        failures = 0
        for namespace in self._namespaces:
            while True:
                self.last_seen = time.monotonic()
                try:
                    await self._list(namespace)
                except ApiError as error:
                    failures, self.last_error = failures + 1, error
                    logger.warning("Cannot list ChainlitApps: %s", error.message)
                    await asyncio.sleep(backoff_seconds(failures))
                else:
                    failures, self.last_error = 0, None
                    break

    async def run(self) -> None:
        """List the metadata at intervals until cancelled; raises RestoredError."""
        pause = INTERVAL_SECONDS
        while True:
            await asyncio.sleep(pause)
            pause = INTERVAL_SECONDS
            try:
                await self.remove_deleted()
            except ApiError as error:
                pause = RETRY_SECONDS
                logger.info("Cannot list ChainlitApps to find deleted ones: %s", error.message)

    async def remove_deleted(self) -> None:
        """Remove the apps that are not in the cluster; raises ApiError and RestoredError."""
        for namespace in self._namespaces:
            await self._list(namespace, only_metadata=True)

    async def _list(self, namespace: str | None, *, only_metadata: bool = False) -> None:
        apps = self._intake.begin_list(namespace)
        async for raw in self._pages(namespace, only_metadata=only_metadata):
            try:
                apps.found(codec.decode_metadata(raw).metadata)
                if not only_metadata:
                    self._intake.put_listed(raw)
            except msgspec.DecodeError as error:
                raise ApiError(0, "BadResponse", f"the list of ChainlitApp cannot be read: {error}") from error
        apps.end()

    async def _pages(self, namespace: str | None, *, only_metadata: bool) -> AsyncIterator[msgspec.Raw]:
        token, seen = "", self._version  # read now: a list that begins later may be answered first
        while True:
            page = await self._api.list_page("ChainlitApp", namespace, PAGE_SIZE, token, only_metadata=only_metadata)
            version = page.metadata.resource_version
            ensure_not_older(version, seen, "ChainlitApp")
            if not is_older(version, self._version):
                self._version = version
            for raw in page.items or ():
                yield raw
            token = page.metadata.continue_
            if not token:
                return
