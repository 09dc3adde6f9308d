"""The API versions that a cluster serves, for kinds that it may lack. All of them share one small request."""

from __future__ import annotations

import asyncio
import time

from chainlit_operator.kube.client import Api

#: An answer serves all that ask within this time.
FRESH_SECONDS = 5.0


class ServedVersions:
    """Answers whether a cluster serves a kind, as far as its API versions tell."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._lock = asyncio.Lock()
        self._versions: frozenset[str] = frozenset()
        self._read_at = float("-inf")

    async def has(self, kind: str) -> bool:
        """Whether the API version of the kind is served; raises ApiError.

        The version may be served without the kind: then a list of the kind gets 404.
        """
        async with self._lock:
            if time.monotonic() - self._read_at > FRESH_SECONDS:
                self._versions = await self._api.served_versions()
                self._read_at = time.monotonic()
        return self._api.version_of(kind) in self._versions
