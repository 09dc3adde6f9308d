"""Reflectors: one kind of foreign object, listed and then watched, kept in the cache as pruned records.

The cycle is client-go's: a list in pages, a watch from the list's resource version with bookmarks, the watch renewed
from the last version seen when it ends, and a new list when the version is too old (410), when the stream cannot be
read, or when the API server refuses. A new list replaces everything, so what vanished meanwhile is noticed.

Lists name no resource version, so they are of the moment, whichever API server answers: their own versions only grow.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

import msgspec

from chainlit_operator.kube import codec
from chainlit_operator.kube.backoff import STABLE_SECONDS, backoff_seconds
from chainlit_operator.kube.client import PAGE_SIZE, Api
from chainlit_operator.kube.errors import SILENT, ApiError
from chainlit_operator.kube.resource_versions import ensure_later
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import metrics

logger = logging.getLogger(__name__)

#: Bookmarks come once a minute, unless nothing of the kind has changed since the API server started; a stream silent
#: for longer than this may be dead.
SILENCE_SECONDS = 90.0
#: How often a kind that the cluster does not know is looked for.
ABSENT_SECONDS = 60.0
#: So many answers that a kind is not known are not believed after a list of it, for half a minute or more: they may be
#: a proxy's, or of an API server that starts. Where the kind is gone indeed, the watch has told of each object's end.
DOUBTS = 8

T = TypeVar("T")


class WatchedObject(Protocol):
    """The record of an object, as decoded from its JSON."""

    @property
    def ref(self) -> Ref:
        """Which object it is."""

    @property
    def resource_version(self) -> str:
        """The version that was decoded."""


ObjectT = TypeVar("ObjectT", bound=WatchedObject)
StoredT_contra = TypeVar("StoredT_contra", bound=WatchedObject, contravariant=True)
Decode = Callable[[msgspec.Raw], ObjectT]
"""From the JSON of one object to its record; raises msgspec.MsgspecError or ValueError."""


class Store(Protocol[StoredT_contra]):
    """Where a reflector puts the objects that it lists and watches."""

    async def replace(self, kind: str, namespace: str | None, objects: Iterable[StoredT_contra]) -> None:
        """Make ``objects`` all that there are of the kind in the namespace (None: in all), in slices."""

    def upsert(self, obj: StoredT_contra) -> bool:
        """Take an object that appeared or changed; returns False for a change that makes no difference."""

    def remove(self, obj: StoredT_contra) -> None:
        """Take an object that is gone."""


class Reflector(Generic[ObjectT]):
    """Keeps ``store`` true to one kind in one namespace (None: in all)."""

    def __init__(
        self,
        api: Api,
        kind: str,
        namespace: str | None,
        store: Store[ObjectT],
        *,
        decode_listed: Decode[ObjectT],
        decode_event: Decode[ObjectT],
        is_optional: bool = False,
    ) -> None:
        """``is_optional`` says that the cluster may not know the kind, which is then looked for now and then.

        ``decode_event`` decodes objects of watch events, for which the former record of the object may be used.
        """
        self.kind, self.namespace = kind, namespace
        self.synced = asyncio.Event()
        self.last_error: ApiError | None = None
        #: When it last heard from the API server or tried to; only a reflector that hangs lets it grow old.
        self.last_seen = time.monotonic()
        self._api, self._store, self._is_optional = api, store, is_optional
        self._doubts = 0
        #: The newest resource version seen.
        self._version = ""
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
                await self._list()
                await self._watch()
            except ApiError as error:
                if error.code == 404 and self._is_optional:
                    if not self._doubts:
                        await self._await_kind()
                        continue
                    self._doubts -= 1
                # A list that works is no success where the watch after it is refused.
                failures = 1 if time.monotonic() - started > STABLE_SECONDS else failures + 1
                if error.code != 410:
                    self.last_error = error
                    logger.warning("Cannot watch %s: %s", self, error.message)
                metrics.WATCH_RESTARTS.labels(self.kind, error.reason).inc()
            self._alive()
            await asyncio.sleep(backoff_seconds(failures))

    async def _await_kind(self) -> None:
        """The cluster does not know the kind: there are none, until its CRD is there."""
        await self._store.replace(self.kind, self.namespace, ())
        self.synced.set()
        self.last_error = None
        self._alive()
        await asyncio.sleep(ABSENT_SECONDS)

    async def _list(self) -> None:
        objects: list[ObjectT] = []
        token = ""
        while True:
            page = await self._api.list_page(self.kind, self.namespace, PAGE_SIZE, token)
            objects += [obj for raw in page.items or () if (obj := self._read(self._decode_listed, raw)) is not None]
            self._alive()
            token = page.metadata.continue_
            if not token:
                break
        ensure_later(page.metadata.resource_version, self._version, self.kind)
        self._version = page.metadata.resource_version
        await self._store.replace(self.kind, self.namespace, objects)
        self._doubts = DOUBTS
        self.synced.set()
        self.last_error = None

    async def _watch(self) -> None:
        """Watch from the version seen last on, again and again; raises ApiError when a new list is needed."""
        failures = 0
        while True:
            started = time.monotonic()
            try:
                watch = self._api.watch(self.kind, self.namespace, self._version, SILENCE_SECONDS)
                async for events in watch:
                    for event in events:
                        self._version = self._take(event) or self._version
                    self._alive()
            except ApiError as error:
                # A connection that breaks loses nothing: the next watch goes on from the last version.
                if error.code != 0 or error.reason not in (SILENT, "ConnectionFailed"):
                    raise
                # One that lived for a while was none that failed, however many broke before it in all these days.
                failures = 1 if time.monotonic() - started > STABLE_SECONDS else failures + 1
                metrics.WATCH_RESTARTS.labels(self.kind, error.reason).inc()
                level = logging.DEBUG if error.reason == SILENT else logging.INFO  # what is really down is told next
                logger.log(level, "The watch of %s ended and is renewed: %s", self, error.message)
            else:
                # The server ends watches after minutes; one that ends at once must not make a busy loop.
                failures = 0 if time.monotonic() - started > 1.0 else failures + 1
            self._alive()
            if failures:
                await asyncio.sleep(backoff_seconds(failures))

    def _take(self, event: codec.Event) -> str:
        """Put one event into the store; returns its resource version. Raises ApiError where there is to be no next."""
        if event.type == "ERROR":
            status = self._metadata(codec.decode_error, event)
            raise ApiError(status.code or 500, status.reason, status.message)
        if event.type != "BOOKMARK":
            obj = self._read(self._decode_event, event.object)
            if obj is not None:
                self._events.inc()
                if event.type == "DELETED":
                    self._store.remove(obj)
                else:
                    self._store.upsert(obj)
                return obj.resource_version
        return self._metadata(codec.decode_bookmark, event).metadata.resource_version

    def _metadata(self, decode: Callable[[msgspec.Raw], T], event: codec.Event) -> T:
        """Return what the watch itself goes by."""
        try:
            return decode(event.object)
        except msgspec.MsgspecError as error:
            raise ApiError(0, "BadStream", f"an event of {self.kind} cannot be read: {error}") from error

    def _read(self, decode: Decode[ObjectT], raw: msgspec.Raw) -> ObjectT | None:
        try:
            return decode(raw)
        except (msgspec.MsgspecError, ValueError) as error:
            logger.warning("Skipping an object of %s that cannot be read: %s", self, error)
            return None

    def _alive(self) -> None:
        self.last_seen = time.monotonic()
