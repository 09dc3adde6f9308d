"""Kubernetes Events on ChainlitApps.

Conditions are the truth, Events are for people. So Events are sent beside the work at a bounded rate, and dropped (and
counted) when too many are queued. A reason that no condition has goes first, and has room of its own.
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
#: core/v1 Event validation.
MAX_MESSAGE = 1024


class EventRecorder:
    """Sends Events: 25 at once, then one each second."""

    def __init__(self, api: Api) -> None:
        self._api = api
        #: By rank, and within one in the order in which they came.
        self._due: asyncio.PriorityQueue[tuple[int, int, str, dict[str, Any]]] = asyncio.PriorityQueue()
        self._counter = itertools.count()
        self._host = socket.gethostname()

    def record(self, app: App, type_: str, reason: str, message: str) -> None:
        """Have an Event sent: ``type_`` is Normal or Warning, ``reason`` one CamelCase word."""
        rank = 0 if reason in EVENT_ONLY else 1
        if self._due.qsize() >= BURST * (2 - rank):
            metrics.EVENTS_DROPPED.inc()
        else:
            self._due.put_nowait(
                (rank, next(self._counter), app.ref.namespace, self._body(app, type_, reason, message))
            )

    async def run(self) -> None:
        """Send what is due until cancelled."""
        tokens, loop = float(BURST), asyncio.get_running_loop()
        last = loop.time()
        while True:
            now = loop.time()
            tokens, last = min(float(BURST), tokens + (now - last) / SECONDS_EACH), now
            if tokens < 1.0:
                await asyncio.sleep((1.0 - tokens) * SECONDS_EACH)
                tokens, last = 1.0, loop.time()
            # Only now, so that what came meanwhile can go first.
            _, _, namespace, body = await self._due.get()
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
