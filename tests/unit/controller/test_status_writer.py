"""The status writer beside another writer of the same statuses."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from tests.unit.apiserver import Answer, ApiServer, reply
from tests.unit.domain.world import app

from chainlit_operator.controller import status_writer
from chainlit_operator.controller.event_recorder import EventRecorder
from chainlit_operator.controller.status_writer import HeldBackError, StatusWriter
from chainlit_operator.domain.model import App, Condition, Status
from chainlit_operator.kinds.chainlitapp import encode_status
from chainlit_operator.state import State

APP = app()


def status(ready: str, message: str) -> Status:
    return Status(observed_generation=1, conditions=(Condition("Ready", ready, "Some", message, 1, "then"),))


def as_written(found: Status, version: str) -> App:
    return replace(APP, status=found, resource_version=version)


@pytest.mark.parametrize(
    ("other", "pause"),
    [
        pytest.param(status("True", "theirs"), 60.0, id="agrees about Ready"),
        pytest.param(status("False", "theirs"), 5.0, id="says another Ready"),
        pytest.param(Status(), 5.0, id="has no Ready"),
    ],
)
async def test_a_status_that_another_writer_replaced_waits(
    other: Status, pause: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(status_writer, "time", SimpleNamespace(monotonic=lambda: clock.now))
    server = ApiServer()
    ours = status("True", "ours")
    async with server.serving() as api:
        state = State(lambda _: None)
        state.put_app(APP)
        writer = StatusWriter(api, state, EventRecorder(api))
        server.script = [answer(ours, "2"), answer(ours, "4"), answer(status("True", "ours, changed"), "6")]
        await writer.write(APP, ours)
        state.put_app(as_written(other, "3"))
        clock.now += 2.0
        with pytest.raises(HeldBackError) as held:
            await writer.write(APP, ours)
        assert held.value.seconds == pause - 2.0
        clock.now += pause - 2.0
        await writer.write(APP, replace(ours, conditions=(replace(ours.conditions[0], last_transition_time="now"),)))
        state.put_app(as_written(other, "5"))
        await writer.write(APP, status("True", "ours, changed"))
        assert len(server.requests) == 3, "a status that says something else does not wait"


async def test_an_app_that_was_deleted_is_forgotten() -> None:
    server = ApiServer()
    async with server.serving() as api:
        state = State(lambda _: None)
        state.put_app(APP)
        writer = StatusWriter(api, state, EventRecorder(api))
        server.script = [answer(status("True", "ours"), "2")] * 2
        await writer.write(APP, status("True", "ours"))
        writer.forget(APP.ref)
        await writer.write(APP, status("True", "ours"))
        assert len(server.requests) == 2


def answer(found: Status, version: str) -> Answer:
    return reply(encode_status(as_written(found, version), found))
