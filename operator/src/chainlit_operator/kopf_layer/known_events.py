"""The filter that removes known events from the API server's answers before kopf reads them.

For each event kopf makes a task and a queue, and keeps the object for a while: 0.8 ms of processor time. Most events
are known already, from the list at the start and from the answers to the operator's own writes of status. So a filter
between the API server and kopf drops the known items of lists. In watches it replaces known events by a bookmark, so
that kopf's next watch continues from there. Answers that it cannot decode pass unchanged; kopf then reports the error.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Protocol

import aiohttp
import msgspec

from chainlit_operator.kube import codec
from chainlit_operator.object_ref import Ref

Known = Callable[[Ref, str], Awaitable[bool]]
"""Whether a ChainlitApp is known in that resource version or a later one."""


class AppList(Protocol):
    """Receives the ChainlitApps of one list, page by page."""

    def found(self, metadata: codec.Identity) -> None:
        """Note that the list contains this app."""

    def end(self) -> None:
        """Note that the list is complete."""


class _Event(codec.ApiStruct):
    type: str
    object: codec.PartialObjectMetadata


_decode_event = msgspec.json.Decoder(_Event).decode
_decode_object = msgspec.json.Decoder(codec.PartialObjectMetadata).decode
_decode_page = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_list_meta = msgspec.json.Decoder(codec.ListMeta).decode


class KnownEventFilter:
    """The content of an answer to a list or a watch, without the known objects.

    It implements the methods of aiohttp's StreamReader that kopf uses.
    """

    def __init__(self, content: aiohttp.StreamReader, known: Known, listing: AppList | None = None) -> None:
        """``listing`` is for the answer to a list, or to one page of it."""
        self._content, self._known, self._listing = content, known, listing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def read(self) -> bytes:
        """Return a page of a list, without the known objects."""
        body = await self._content.read()
        try:
            page = _decode_page(body)
            items = _decode_items(page["items"])
            found = [_decode_object(item) for item in items]
            is_last = not _decode_list_meta(page["metadata"]).continue_
        except (msgspec.MsgspecError, RecursionError, KeyError):
            return body
        unknown = [item for item, obj in zip(items, found, strict=True) if not await self._is_known(obj)]
        if self._listing is not None:
            for obj in found:
                self._listing.found(obj.metadata)
            if is_last:
                self._listing.end()
        return body if len(unknown) == len(items) else msgspec.json.encode({**page, "items": unknown})

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Yield the lines of a watch, some at a time; the last line may be incomplete if the stream was cut."""
        rest = b""
        async for chunk in self._content.iter_chunked(size):
            *lines, rest = (rest + chunk).split(b"\n")
            if remaining := await self._without_known(lines):
                yield b"\n".join([*remaining, b""])
        if rest:
            yield rest

    async def _without_known(self, lines: Iterable[bytes]) -> list[bytes]:
        """Return the lines without known events. If the last event is known, a bookmark with its version follows."""
        remaining, version = [], ""
        for line in lines:
            version = await self._known_version(line)
            if not version:
                remaining.append(line)
        if version:
            bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": version}}}
            remaining.append(msgspec.json.encode(bookmark))
        return remaining

    async def _known_version(self, line: bytes) -> str:
        """Return the version of a known event; empty for every other line."""
        try:
            event = _decode_event(line)
        except (msgspec.MsgspecError, RecursionError):
            return ""
        is_known = event.type in ("ADDED", "MODIFIED") and await self._is_known(event.object)
        return event.object.metadata.resource_version if is_known else ""

    async def _is_known(self, obj: codec.PartialObjectMetadata) -> bool:
        meta = obj.metadata
        return await self._known(Ref("ChainlitApp", meta.namespace, meta.name), meta.resource_version)
