"""The status writer: replaces the status of a ChainlitApp, and records an Event where Ready changes."""

from __future__ import annotations

import logging

from chainlit_operator.controller.event_recorder import EventRecorder
from chainlit_operator.domain.field_managers import FIELD_MANAGER
from chainlit_operator.domain.model import App, Status
from chainlit_operator.domain.reasons import ConditionType
from chainlit_operator.kinds.chainlitapp import app_from_json, encode_status
from chainlit_operator.kube.client import Api, read
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.observability import metrics
from chainlit_operator.state import State

logger = logging.getLogger(__name__)


class StatusWriter:
    """Writes statuses. ``write`` raises ApiError."""

    def __init__(self, api: Api, state: State, recorder: EventRecorder) -> None:
        self._api, self._state, self._recorder = api, state, recorder

    async def write(self, app: App, status: Status) -> None:
        """Write the status of ``app``, unless the app has changed since: then it is enqueued again already."""
        current = self._state.apps.get(app.ref)
        if current is None or (current.uid, current.generation) != (app.uid, app.generation):
            return
        try:
            answer = await self._api.replace_status(encode_status(current, status), app.ref, FIELD_MANAGER)
        except ApiError as error:
            if error.code != 409:  # a conflict says only that the app has changed
                metrics.WRITE_ERRORS.labels("status", error.reason).inc()
            # The app was deleted, and the watch may have missed it. A proxy's 404 has another reason.
            if error.reason == "NotFound":
                if self._state.apps.get(app.ref) is current:
                    self._state.remove_app(app.ref)
                return
            raise
        metrics.WRITES.labels("status").inc()
        self._store(app, answer)
        self._record_ready(app, status)

    def _store(self, app: App, answer: bytes) -> None:
        """Store the answer, unless the app was deleted or changed meanwhile: the watch reports that."""
        written = read(app_from_json, answer)
        current = self._state.apps.get(app.ref)
        if current is not None and (written.uid, written.generation) == (current.uid, app.generation):
            self._state.put_app(written, quiet=True)

    def _record_ready(self, app: App, status: Status) -> None:
        """Record an Event when Ready becomes True or False, but not for each state between."""
        before, after = app.status.condition(ConditionType.READY), status.condition(ConditionType.READY)
        if after is None or (before is not None and (before.status, before.reason) == (after.status, after.reason)):
            return
        logger.info("%s: Ready=%s %s: %s", app.ref, after.status, after.reason, after.message)
        if after.status != "Unknown":
            type_ = "Normal" if after.status == "True" else "Warning"
            self._recorder.record(app, type_, after.reason, after.message)
