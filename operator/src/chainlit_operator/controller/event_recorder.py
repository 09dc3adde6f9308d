"""Kubernetes Events on ChainlitApps.

Conditions have the full state; Events are only a help for people. So Events are sent beside the work at a bounded rate.
When too many are queued, new ones are dropped and counted. Events whose reason no condition has are sent first, and the
queue has extra room for them.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import uuid
from datetime import UTC, datetime
from typing import Any

from chainlit_operator.domain.field_managers import FIELD_MANAGER
from chainlit_operator.domain.model import App
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.kinds.chainlitapp import KIND
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.observability import metrics

logger = logging.getLogger(__name__)

BURST = 25
#: Reasons that no condition has.
EVENT_ONLY = frozenset({Reason.TOOK_OVER})
SECONDS_EACH = 1.0
#: The limit of the API server's validation, in characters.
MAX_MESSAGE = 1024


class EventRecorder:
    """Sends Events: 25 at once, then one each second."""

    def __init__(self, api: Api) -> None:
        self._api = api
        #: (rank, number, namespace, body): by rank, then in the order of arrival.
        self._queue: asyncio.PriorityQueue[tuple[int, int, str, dict[str, Any]]] = asyncio.PriorityQueue()
        self._counter = itertools.count()
        self._host = socket.gethostname()

    def record(self, app: App, type_: str, reason: str, message: str) -> None:
        """Queue an Event: ``type_`` is Normal or Warning, ``reason`` one CamelCase word."""
        rank = 0 if reason in EVENT_ONLY else 1
        if self._queue.qsize() >= BURST * (2 - rank):
            metrics.EVENTS_DROPPED.inc()
        else:
            self._queue.put_nowait(
                (rank, next(self._counter), app.ref.namespace, self._body(app, type_, reason, message))
            )

    async def run(self) -> None:
        """Send queued Events until cancelled."""
        tokens, loop = float(BURST), asyncio.get_running_loop()
        last = loop.time()
        while True:
            now = loop.time()
            tokens, last = min(float(BURST), tokens + (now - last) / SECONDS_EACH), now
            if tokens < 1.0:
                await asyncio.sleep((1.0 - tokens) * SECONDS_EACH)
                tokens, last = 1.0, loop.time()
            # After the pause: an Event of a higher rank may have arrived meanwhile.
            _, _, namespace, body = await self._queue.get()
            tokens -= 1.0
            try:
                await self._api.create_event(namespace, body)
                metrics.WRITES.labels("event").inc()
            except ApiError as error:
                metrics.WRITE_ERRORS.labels("event", error.reason).inc()
                logger.debug("An Event could not be sent: %s", error.message)

    def _body(self, app: App, type_: str, reason: str, message: str) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{app.ref.name[:220]}.{uuid.uuid4().hex[:16]}", "namespace": app.ref.namespace},
            "involvedObject": {
                "apiVersion": KIND.api_version,
                "kind": app.ref.kind,
                "namespace": app.ref.namespace,
                "name": app.ref.name,
                "uid": app.uid,
            },
            "type": type_,
            "reason": reason,
            "message": message[:MAX_MESSAGE],
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "source": {"component": FIELD_MANAGER},
            "reportingComponent": f"{KIND.group}/{FIELD_MANAGER}",
            "reportingInstance": self._host[:128],
        }
