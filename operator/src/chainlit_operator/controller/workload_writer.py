"""The workload writer: the operator's fields in workloads that others own, and the release of these fields."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import TypeVar

from chainlit_operator.controller.event_recorder import EventRecorder
from chainlit_operator.controller.writes import Answers, ensure_current
from chainlit_operator.domain import field_release, workload_patch
from chainlit_operator.domain.alignment import Apply
from chainlit_operator.domain.decide import Failure
from chainlit_operator.domain.field_managers import FIELD_MANAGER
from chainlit_operator.domain.model import App, Container, Workload
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import metrics
from chainlit_operator.state import State

logger = logging.getLogger(__name__)

T = TypeVar("T")


class WorkloadWriter:
    """Writes the variables and probe paths of workloads. Both methods raise ApiError."""

    def __init__(self, api: Api, state: State, answers: Answers, recorder: EventRecorder) -> None:
        self._api, self._state, self._answers, self._recorder = api, state, answers, recorder

    async def apply(self, app: App, workload: Workload, container: Container, action: Apply) -> Failure | None:
        """Write the fields of ``action`` in one request.

        Returns a failure if the API server accepted the write but the object does not have the values.
        """
        if workload_patch.omits_own_fields(workload, container, action):
            await _unless_changed(self._release(workload))
            ensure_current(self._state, app)
        answer = await self._write(workload, container, action)
        metrics.WRITES.labels("workload").inc()
        written = self._answers.store(workload.written, answer, quiet=True)
        logger.info("%s: %s in container %s of %s", app.ref, action.summary, container.name, workload.written)
        self._recorder.record(app, "Normal", Reason.ALIGNED, f"{workload.written}: {action.summary}")
        if action.takeovers:
            self._record_takeover(app, workload, action)
        if isinstance(written, Workload) and not workload_patch.is_kept(written, container.name, action):
            return Failure(Reason.APPLY_REFUSED, _not_kept(workload.written))
        return None

    async def release(self, ref: Ref) -> None:
        """Release the fields of a workload, unless an app asks for them again."""
        workload = self._state.to_release(ref)
        if workload is None:
            return
        try:
            await self._release(workload)
        except ApiError as error:
            if error.code == 404:
                return
            metrics.WRITE_ERRORS.labels("release", error.reason).inc()
            if error.is_transient:
                raise
            # 422: the workload has changed, and the watch brings its new version.
            level = logging.INFO if error.code == 422 else logging.WARNING
            logger.log(level, "%s: cannot release its fields: %s", ref, error.message)
            return
        logger.info("%s: released its fields; their values stay", ref)

    async def _write(self, workload: Workload, container: Container, action: Apply) -> bytes:
        """Write the fields as the kind of the workload allows; returns the object."""
        if workload.is_patched:
            patch = workload_patch.json_patch(workload, container, action)
            return await _unless_changed(self._api.patch_json(workload.written, patch, FIELD_MANAGER))
        body = workload_patch.apply_configuration(workload, container, action)
        return await self._api.apply(workload.written, body, FIELD_MANAGER)

    async def _release(self, workload: Workload) -> None:
        answer = await self._api.patch_json(workload.written, field_release.json_patch(workload), FIELD_MANAGER)
        metrics.WRITES.labels("release").inc()
        self._answers.store(workload.written, answer, quiet=True)

    def _record_takeover(self, app: App, workload: Workload, action: Apply) -> None:
        metrics.TAKEOVERS.inc(len(action.takeovers))
        probes = dict(action.probes)
        names = (f"{name}.httpGet.path" if name in probes else name for name, _ in action.takeovers)
        fields = ", ".join(dict.fromkeys(names))
        managers = ", ".join(repr(manager) for manager in action.losers)
        ref = workload.written
        message = (
            f"The operator now owns {fields} in {ref}; {managers} owned it before. Remove the field from the "
            f"manifests of {managers}, or the next apply reverts it or fails with a conflict with {FIELD_MANAGER!r}."
        )
        if workload.list_managers:
            message = (
                f"The operator has set {fields} in {ref}, whose containers are one field of {managers}. Set "
                f"the same values in the manifests of {managers}, or the next apply reverts them: {action.summary}."
            )
        logger.info("%s: %s", app.ref, message)
        self._recorder.record(app, "Normal", Reason.TOOK_OVER, message)


async def _unless_changed(patch: Awaitable[T]) -> T:
    """Await a patch that tests the version of a workload; raises a conflict where it has changed.

    Then the watch delivers the new version, and the next reconcile sees it.
    """
    try:
        return await patch
    except ApiError as error:
        if error.code == 422:
            raise ApiError(409, "Conflict", error.message) from error
        raise


def _not_kept(ref: Ref) -> str:
    return (
        f"Another writer or a mutating webhook removes the change from {ref.kind} {ref.name}. Exclude it from the "
        "webhook, or set spec.suspend: true."
    )
