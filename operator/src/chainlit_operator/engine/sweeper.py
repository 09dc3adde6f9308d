"""The sweeper: forgets ChainlitApps that are gone without a word.

kopf tells of deletions that its watch sees. When the watch has to start over, what was deleted meanwhile is not told,
and an app that is no more would go on being enforced. So all that exist are listed now and then, metadata only.
"""

from __future__ import annotations

import asyncio
import logging

from chainlit_operator.domain.model import Ref
from chainlit_operator.engine import wire
from chainlit_operator.engine.api import Api, ApiError
from chainlit_operator.engine.cache import Cache
from chainlit_operator.engine.reflector import PAGE_SIZE

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 300.0


class Sweeper:
    """Compares the apps of a cache with those of the cluster."""

    def __init__(self, api: Api, cache: Cache, namespaces: tuple[str | None, ...]) -> None:
        self._api, self._cache, self._namespaces = api, cache, namespaces

    async def run(self) -> None:
        """Sweep at intervals until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            try:
                await self.sweep()
            except ApiError as error:
                logger.info("ChainlitApps could not be listed to find those that are gone: %s", error.message)

    async def sweep(self) -> None:
        """Forget the apps that are not in the cluster; raises ApiError."""
        known = {ref: app.uid for ref, app in self._cache.apps.items()}
        found = {key for namespace in self._namespaces for key in await self._list(namespace)}
        for ref, uid in known.items():
            # Known before the list began and not in it. What came after it has another uid, or was not known.
            if (ref, uid) not in found and (app := self._cache.apps.get(ref)) is not None and app.uid == uid:
                logger.info("%s is gone", ref)
                self._cache.remove_app(ref)

    async def _list(self, namespace: str | None) -> set[tuple[Ref, str]]:
        found: set[tuple[Ref, str]] = set()
        token = ""
        while True:
            page = await self._api.list_page("ChainlitApp", namespace, PAGE_SIZE, token, only_metadata=True)
            for raw in page.items or ():
                meta = wire.decode_bookmark(raw).metadata
                found.add((Ref("ChainlitApp", meta.namespace, meta.name), meta.uid))
            token = page.metadata.continue_
            if not token:
                return found
