"""Events: few, and first those whose news is nowhere else."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.unit.domain.world import app

from chainlit_operator.controller import event_recorder
from chainlit_operator.observability import metrics


class Accepting:
    """As much of an Api as a recorder uses."""

    def __init__(self, enough: int) -> None:
        self.reasons: list[str] = []
        self.enough = asyncio.Event()
        self._count = enough

    async def create_event(self, _: str, body: dict[str, Any]) -> None:
        self.reasons.append(body["reason"])
        if len(self.reasons) == self._count:
            self.enough.set()


async def sent(*reasons: str) -> list[str]:
    api = Accepting(event_recorder.BURST)
    recorder = event_recorder.EventRecorder(api)  # type: ignore[arg-type]
    for reason in reasons:
        recorder.record(app(), "Normal", reason, "…")
    task = asyncio.create_task(recorder.run())
    await asyncio.wait_for(api.enough.wait(), 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return api.reasons


async def test_what_is_told_nowhere_else_goes_first_even_where_too_many_are_due() -> None:
    before = metrics.EVENTS_DROPPED._value.get()
    reasons = await sent(*["Aligned"] * (event_recorder.BURST + 5), "TookOver")
    assert reasons == ["TookOver", *["Aligned"] * (event_recorder.BURST - 1)]
    assert metrics.EVENTS_DROPPED._value.get() - before == 5


async def test_others_go_in_their_order() -> None:
    given = [f"Reason{n}" for n in range(event_recorder.BURST)]
    assert await sent(*given) == given


async def test_not_even_those_without_end() -> None:
    before = metrics.EVENTS_DROPPED._value.get()
    await sent(*["TookOver"] * (2 * event_recorder.BURST + 3))
    assert metrics.EVENTS_DROPPED._value.get() - before == 3
