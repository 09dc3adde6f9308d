"""The object writer: carries out the steps for objects that a ChainlitApp creates."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import assert_never

from chainlit_operator.controller.event_recorder import EventRecorder
from chainlit_operator.controller.writes import Answers, WriteError, ensure_current
from chainlit_operator.domain.desired.drift import OwnedState
from chainlit_operator.domain.desired.ownership import Create, Delete, Release, Repair, Step, Update
from chainlit_operator.domain.field_managers import CREATED_FIELD_MANAGER, FIELD_MANAGER
from chainlit_operator.domain.model import App, CreatableObject, Manifest
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import metrics
from chainlit_operator.state import State

logger = logging.getLogger(__name__)

_SHOWN_FIELDS = 5


class ObjectWriter:
    """Writes created objects, one after the other."""

    def __init__(self, api: Api, state: State, answers: Answers, recorder: EventRecorder) -> None:
        self._api, self._state, self._answers, self._recorder = api, state, answers, recorder

    async def write(self, app: App, steps: Iterable[Step], remember: Callable[[Step, OwnedState], None]) -> None:
        """Carry out the steps in their order. ``remember`` is called with each step that counts as a write.

        Raises WriteError for a step that the API server refuses, and SupersededError where the app changes meanwhile.
        """
        done: defaultdict[Reason, list[str]] = defaultdict(list)
        try:
            for step in steps:
                ensure_current(self._state, app)
                live = await self._carry_out(step, done)
                if live is not None:
                    remember(step, live)
        finally:
            for reason, objects in done.items():
                logger.info("%s: %s %s", app.ref, reason, "; ".join(objects))
                self._recorder.record(app, "Normal", reason, f"{reason} {'; '.join(objects)}.")

    async def _carry_out(self, step: Step, done: dict[Reason, list[str]]) -> OwnedState | None:
        """Carry out one step; returns the object for the memory of field conflicts, None where it needs none."""
        match step:
            case Create():
                return await self._create(step.manifest, done)
            case Update() | Repair():
                await self._overwrite(step, done)
                return step.live
            case Release():
                await self._release(step, done)
            case Delete():
                await self._delete(step, done)
            case _:
                assert_never(step)
        return None

    async def _create(self, manifest: Manifest, done: dict[Reason, list[str]]) -> OwnedState | None:
        ref = manifest.ref
        # Without force: the apply must not overwrite an object that somebody else created a moment ago.
        request = self._api.apply(ref, manifest.body, CREATED_FIELD_MANAGER, force=False)
        made = self._answers.store(ref, await _answer("create", ref, request), is_new=True)
        metrics.WRITES.labels("created").inc()
        done[Reason.CREATED].append(str(ref))
        return made.owned if isinstance(made, CreatableObject) else None

    async def _overwrite(self, step: Update | Repair, done: dict[Reason, list[str]]) -> None:
        manifest, ref = step.manifest, step.manifest.ref
        body = {**manifest.body, "metadata": {**manifest.body["metadata"], "uid": step.live.object_uid}}
        await self._patch(ref, self._api.apply(ref, body, CREATED_FIELD_MANAGER))
        if isinstance(step, Update):
            done[Reason.UPDATED].append(str(ref))
            return
        if step.managers:
            metrics.TAKEOVERS.inc(len(step.fields))
        by = f", changed by {step.managers}" if step.managers else ""
        done[Reason.REPAIRED].append(f"{', '.join(step.fields[:_SHOWN_FIELDS])} of {ref}{by}")

    async def _release(self, step: Release, done: dict[Reason, list[str]]) -> None:
        await self._patch(step.ref, self._api.patch(step.ref, dict(step.patch), FIELD_MANAGER))
        done[Reason.RELEASED].append(
            f"{step.ref}, because spec references it: it stays when this ChainlitApp is deleted"
        )

    async def _delete(self, step: Delete, done: dict[Reason, list[str]]) -> None:
        try:
            await self._api.delete(step.ref, step.uid)
        except ApiError as error:
            if error.code != 404:
                raise _refused("delete", step.ref, error) from error
        metrics.WRITES.labels("created").inc()
        gone = self._state.find(step.ref)
        if gone is not None:
            self._state.remove(gone)
        done[Reason.DELETED].append(f"{step.ref}, because spec does not describe it any more")

    async def _patch(self, ref: Ref, request: Awaitable[bytes]) -> None:
        self._answers.store(ref, await _answer("patch", ref, request))
        metrics.WRITES.labels("created").inc()


async def _answer(verb: str, ref: Ref, request: Awaitable[bytes]) -> bytes:
    try:
        return await request
    except ApiError as error:
        raise _refused(verb, ref, error) from error


def _refused(verb: str, ref: Ref, error: ApiError) -> WriteError:
    metrics.WRITE_ERRORS.labels("created", error.reason).inc()
    return WriteError(verb, ref, error)
