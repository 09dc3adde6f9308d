"""The status writer: replaces the status of a ChainlitApp, and records an Event where Ready changes."""

from __future__ import annotations

import logging
import time
from dataclasses import replace

from chainlit_operator.controller.event_recorder import EventRecorder
from chainlit_operator.domain.field_managers import FIELD_MANAGER
from chainlit_operator.domain.model import App, Status
from chainlit_operator.domain.reasons import ConditionType
from chainlit_operator.kinds.chainlitapp import app_from_json, encode_status
from chainlit_operator.kube.client import Api, read
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import metrics
from chainlit_operator.state import State

logger = logging.getLogger(__name__)

#: The least seconds between two writes of an equal status. The second write overwrites another writer, such as an
#: operator of another version without leader election. Where both agree about Ready, the status can wait.
REWRITE_SECONDS, REWRITE_SECONDS_OTHER_READY = 60.0, 5.0


class HeldBackError(Exception):
    """Another writer replaces the statuses of the operator. ``seconds`` is the pause before the next write."""

    def __init__(self, seconds: float) -> None:
        super().__init__("another writer has replaced the status")
        self.seconds = seconds


class StatusWriter:
    """Writes statuses. ``write`` raises ApiError, and HeldBackError for a status that was written a moment ago."""

    def __init__(self, api: Api, state: State, recorder: EventRecorder) -> None:
        self._api, self._state, self._recorder = api, state, recorder
        #: The digest of the last status of each app, and the time of its write. A digest needs little memory.
        self._written: dict[Ref, tuple[int, float]] = {}

    def forget(self, ref: Ref) -> None:
        """Forget the writes for an app that is gone."""
        self._written.pop(ref, None)

    async def write(self, app: App, status: Status) -> None:
        """Write the status of ``app``, unless the app has changed since: then it is enqueued again already."""
        current = self._state.apps.get(app.ref)
        if current is None or (current.uid, current.generation) != (app.uid, app.generation):
            return
        digest = _digest(app.uid, status)
        self._hold_back(current, status, digest)
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
        self._written[app.ref] = digest, time.monotonic()
        self._store(app, answer)
        self._record_ready(app, status)

    def _hold_back(self, app: App, status: Status, digest: int) -> None:
        """Raise HeldBackError if the operator wrote an equal status a moment ago, and another writer replaced it."""
        written, at = self._written.get(app.ref, (None, 0.0))
        if written != digest:
            return
        present, wanted = app.status.condition(ConditionType.READY), status.condition(ConditionType.READY)
        agrees = present is not None and wanted is not None and present.status == wanted.status
        pause = at + (REWRITE_SECONDS if agrees else REWRITE_SECONDS_OTHER_READY) - time.monotonic()
        if pause > 0:
            raise HeldBackError(pause)

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


def _digest(uid: str, status: Status) -> int:
    """The digest of a status without its times."""
    undated = tuple(condition.dated(condition.observed_generation, "") for condition in status.conditions)
    return hash((uid, replace(status, conditions=undated)))
