"""Reflectors: one kind of object, listed and then watched, kept in a store as pruned records.

The cycle is client-go's. A list comes in pages. A watch with bookmarks begins at the resource version of the list. When
it ends, it is renewed from the last version seen. A new list is made when that version is too old (410), when the
stream cannot be read, or when the API server refuses. A list replaces everything, so it shows what was deleted
meanwhile.

Lists name no resource version, so they are current, whichever API server answers, and their own versions only grow.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

import msgspec

from chainlit_operator.kube import codec
from chainlit_operator.kube.backoff import STABLE_SECONDS, backoff_seconds
from chainlit_operator.kube.client import PAGE_SIZE, Api
from chainlit_operator.kube.errors import SILENT, ApiError
from chainlit_operator.kube.resource_versions import ensure_not_older
from chainlit_operator.kube.served_versions import ServedVersions
from chainlit_operator.kube.unreadable import UnreadableObjects
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import metrics

logger = logging.getLogger(__name__)

#: The API server sends a bookmark every minute, unless nothing of the kind has changed since it started. A stream that
#: is silent for longer than this may be dead.
SILENCE_SECONDS = 90.0
#: The pause between two looks for a kind that the cluster does not know.
ABSENT_SECONDS = 30.0
#: After a successful list, ignore this many answers "404 unknown kind" (about 30 s): a proxy or a starting API server
#: may send them. If the CRD was really deleted, the watch has already delivered DELETED events.
IGNORED_NOT_FOUNDS = 8

T = TypeVar("T")


class WatchedObject(Protocol):
    """The record of an object, decoded from its JSON."""

    @property
    def ref(self) -> Ref:
        """Kind, namespace and name."""

    @property
    def resource_version(self) -> str:
        """The version that was decoded."""


ObjectT = TypeVar("ObjectT", bound=WatchedObject)
StoredT_contra = TypeVar("StoredT_contra", bound=WatchedObject, contravariant=True)
Decode = Callable[[msgspec.Raw], ObjectT]
"""From the JSON of one object to its record; raises msgspec.MsgspecError or ValueError."""


class Store(Protocol[StoredT_contra]):
    """Keeps the objects that a reflector lists and watches."""

    async def replace(self, kind: str, namespace: str | None, objects: Iterable[StoredT_contra]) -> None:
        """Replace all objects of the kind in the namespace (None: in all) by ``objects``, in slices."""

    def upsert(self, obj: StoredT_contra) -> None:
        """Put an object that appeared or changed."""

    def remove(self, obj: StoredT_contra) -> None:
        """Remove an object that was deleted."""

    def discard(self, ref: Ref) -> None:
        """Remove an object, if it is there: its new version cannot be decoded."""


class Reflector(Generic[ObjectT]):
    """Keeps ``store`` equal to one kind in one namespace (None: in all)."""

    def __init__(
        self,
        api: Api,
        kind: str,
        namespace: str | None,
        store: Store[ObjectT],
        *,
        decode_listed: Decode[ObjectT],
        decode_event: Decode[ObjectT],
        served: ServedVersions | None = None,
    ) -> None:
        """``served`` is given for a kind that the cluster may not know; then the reflector waits for it.

        ``decode_event`` decodes the objects of watch events, and may use their former records.
        """
        self.kind, self.namespace = kind, namespace
        self.synced = asyncio.Event()
        self.last_error: ApiError | None = None
        #: When the last answer or error arrived. It becomes old only if the reflector hangs.
        self.last_seen = time.monotonic()
        self._api, self._store, self._served = api, store, served
        self._not_founds_to_ignore = 0
        #: The newest resource version seen.
        self._version = ""
        self._unreadable = UnreadableObjects(kind)
        self._events = metrics.WATCH_EVENTS.labels(kind)
        self._decode_listed = decode_listed
        self._decode_event = decode_event

    def __str__(self) -> str:
        return f"{self.kind} in {self.namespace or 'all namespaces'}"

    async def run(self) -> None:
        """List and watch until cancelled; raises RestoredError."""
        failures = 0
        while True:
            started = time.monotonic()
            try:
                if await self._is_absent():
                    await self._await_kind()
                    continue
                await self._list()
                await self._watch()
            except ApiError as error:
                if error.code == 404 and self._served is not None:
                    if not self._not_founds_to_ignore:
                        await self._await_kind()
                        continue
                    self._not_founds_to_ignore -= 1
                # A successful list does not reset the backoff: the API server may refuse the watch after it.
                failures = 1 if time.monotonic() - started > STABLE_SECONDS else failures + 1
                if error.code != 410:
                    self.last_error = error
                    logger.warning("Cannot watch %s: %s", self, error.message)
                metrics.WATCH_RESTARTS.labels(self.kind, error.reason).inc()
            self._note_alive()
            await asyncio.sleep(backoff_seconds(failures))

    async def _is_absent(self) -> bool:
        """Whether the cluster lacks the kind for sure. A kind that was listed is given time: see IGNORED_NOT_FOUNDS."""
        if self._served is None or self._not_founds_to_ignore:
            return False
        return not await self._served.has(self.kind)

    async def _await_kind(self) -> None:
        """Wait for a kind that the cluster does not know. Until then the store has no objects of it."""
        await self._store.replace(self.kind, self.namespace, ())
        self.synced.set()
        self.last_error = None
        self._note_alive()
        await asyncio.sleep(ABSENT_SECONDS)

    async def _list(self) -> None:
        objects: list[ObjectT] = []
        token = ""
        while True:
            page = await self._api.list_page(self.kind, self.namespace, PAGE_SIZE, token)
            objects += [obj for raw in page.items or () if (obj := self._read(self._decode_listed, raw)) is not None]
            self._note_alive()
            token = page.metadata.continue_
            if not token:
                break
        ensure_not_older(page.metadata.resource_version, self._version, self.kind)
        self._version = page.metadata.resource_version
        await self._store.replace(self.kind, self.namespace, objects)
        self._not_founds_to_ignore = IGNORED_NOT_FOUNDS
        self.synced.set()
        self.last_error = None

    async def _watch(self) -> None:
        """Watch from the last version seen, again and again; raises ApiError when a new list is needed."""
        failures = 0
        while True:
            started = time.monotonic()
            try:
                watch = self._api.watch(self.kind, self.namespace, self._version, SILENCE_SECONDS)
                async with contextlib.aclosing(watch):
                    async for events in watch:
                        for event in events:
                            self._version = self._handle(event) or self._version
                        self._note_alive()
            except ApiError as error:
                # A broken connection loses nothing: the next watch continues from the last version.
                if error.code != 0 or error.reason not in (SILENT, "ConnectionFailed"):
                    raise
                # A watch that lived longer than 10 s resets the backoff.
                failures = 1 if time.monotonic() - started > STABLE_SECONDS else failures + 1
                metrics.WATCH_RESTARTS.labels(self.kind, error.reason).inc()
                # If the API server is down, the next attempt logs it.
                level = logging.DEBUG if error.reason == SILENT else logging.INFO
                logger.log(level, "The watch of %s ended and is renewed: %s", self, error.message)
            else:
                # The server ends watches after minutes. A watch that ends at once must not make a busy loop.
                failures = 0 if time.monotonic() - started > 1.0 else failures + 1
            self._note_alive()
            if failures:
                await asyncio.sleep(backoff_seconds(failures))

    def _handle(self, event: codec.Event) -> str:
        """Put one event into the store; returns its resource version. Raises ApiError when the watch is over."""
        if event.type == "ERROR":
            status = self._metadata(codec.decode_error, event)
            raise ApiError(status.code or 500, status.reason, status.message)
        if event.type == "BOOKMARK":
            return self._metadata(codec.decode_metadata, event).metadata.resource_version
        obj = self._read(self._decode_event, event.object)
        if obj is None:
            metadata = self._metadata(codec.decode_metadata, event).metadata
            # As after a list: an object that cannot be decoded is not in the store.
            self._store.discard(Ref(self.kind, metadata.namespace, metadata.name))
            return metadata.resource_version
        self._events.inc()
        if event.type == "DELETED":
            self._store.remove(obj)
        else:
            self._store.upsert(obj)
        return obj.resource_version

    def _metadata(self, decode: Callable[[msgspec.Raw], T], event: codec.Event) -> T:
        """Return the part of an event that the watch needs; raises ApiError."""
        try:
            return decode(event.object)
        except msgspec.MsgspecError as error:
            raise ApiError(0, "BadStream", f"an event of {self.kind} cannot be read: {error}") from error

    def _read(self, decode: Decode[ObjectT], raw: msgspec.Raw) -> ObjectT | None:
        """Return the record of an object; None, with a line in the log, for one that cannot be decoded."""
        try:
            obj = decode(raw)
        except (msgspec.MsgspecError, ValueError) as error:
            try:
                self._unreadable.report(codec.decode_metadata(raw).metadata, error)
            except msgspec.MsgspecError:
                logger.warning("Skipping an object of %s that cannot be read: %s", self, error)
            return None
        self._unreadable.forget(obj.ref)
        return obj

    def _note_alive(self) -> None:
        self.last_seen = time.monotonic()
