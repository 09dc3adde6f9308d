"""What the engine knows already is not told to kopf.

For each event kopf makes a task and a queue and keeps the object for a while: 0.8 ms of processor time. Most events are
echoes: of the list that the engine took itself before kopf started, and of its own writes of status. So a reader stands
between the API server's answers and kopf: out of lists it takes what is known, and in watches it puts a bookmark in
its place, so that the next watch goes on from there. What it cannot read it passes on as it is, for kopf to say so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import aiohttp
import msgspec

from chainlit_operator.kube.codec import ApiStruct, Bookmark
from chainlit_operator.object_ref import Ref

Known = Callable[[Ref, str], Awaitable[bool]]
"""Whether a ChainlitApp is known in that resource version or a later one."""


class _Event(ApiStruct):
    type: str
    object: Bookmark


_decode_event = msgspec.json.Decoder(_Event).decode
_decode_object = msgspec.json.Decoder(Bookmark).decode
_decode_list = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


class KnownEventFilter:
    """The content of an answer to a list or a watch, without what is known: as much of a StreamReader as kopf uses."""

    def __init__(self, content: aiohttp.StreamReader, known: Known) -> None:
        self._content, self._known = content, known

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def read(self) -> bytes:
        """Return the whole of a list."""
        body = await self._content.read()
        try:
            page = _decode_list(body)
            items = _decode_items(page["items"])
            news = [item for item in items if not await self._is_known(_decode_object(item))]
        except (msgspec.MsgspecError, RecursionError, KeyError):
            return body
        return body if len(news) == len(items) else msgspec.json.encode({**page, "items": news})

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Yield the lines of a watch, some at a time; the last one may be half a line, if that is how it ended."""
        rest = b""
        async for chunk in self._content.iter_chunked(size):
            *lines, rest = (rest + chunk).split(b"\n")
            if told := await self._news(lines):
                yield b"\n".join([*told, b""])
        if rest:
            yield rest

    async def _news(self, lines: Iterable[bytes]) -> list[bytes]:
        news, version = [], ""
        for line in lines:
            known = await self._version(line)
            if not known:
                news.append(line)
            version = known
        if version:
            news.append(msgspec.json.encode({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": version}}}))
        return news

    async def _version(self, line: bytes) -> str:
        """Return the version of an event that is known; empty for any other, and for what is none."""
        try:
            event = _decode_event(line)
        except (msgspec.MsgspecError, RecursionError):
            return ""
        is_known = event.type in ("ADDED", "MODIFIED") and await self._is_known(event.object)
        return event.object.metadata.resource_version if is_known else ""

    async def _is_known(self, found: Bookmark) -> bool:
        meta = found.metadata
        return await self._known(Ref("ChainlitApp", meta.namespace, meta.name), meta.resource_version)
