"""When apps are verified, and which outcomes are reported."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from tests.waiting import until

from chainlit_operator.domain.model import Check, Verification
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.object_ref import Ref
from chainlit_operator.verification import scheduler as module
from chainlit_operator.verification.scheduler import VerificationScheduler

APP, OTHER = Ref("ChainlitApp", "shop", "chat"), Ref("ChainlitApp", "shop", "other")
CHECK = Check("http://10.0.0.1:80", "/chat", "", "http", "uid", 1)
AT_EDGE = replace(CHECK, edge_url="http://example.com", pods=1)
LONG = 3600.0


class Scene:
    """A scheduler whose verifications have the given outcomes, the last one repeatedly."""

    def __init__(self, *answers: bool, concurrency: int = 2) -> None:
        self.answers = list(answers) or [True]
        self.asked: list[Check] = []
        self.reports: list[Ref] = []
        #: How many verifications had started at each report.
        self.asked_at_report: list[int] = []
        self.gate: asyncio.Event | None = None
        self.scheduler = VerificationScheduler(self.verify, self.report, concurrency)

    def report(self, ref: Ref) -> None:
        self.reports.append(ref)
        self.asked_at_report.append(len(self.asked))

    async def verify(self, check: Check) -> Verification:
        self.asked.append(check)
        if self.gate is not None:
            await self.gate.wait()
        reachable = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Verification(check, reachable, Reason.VERIFIED if reachable else Reason.CONNECTION_REFUSED, "…")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.scheduler.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def set_check(
        self, check: Check | None = CHECK, interval: float = LONG, *, ref: Ref = APP, is_outcome_known: bool = False
    ) -> None:
        self.scheduler.set_check(ref, check, interval, is_outcome_known=is_outcome_known)

    async def reported(self, times: int = 1) -> None:
        await until(lambda: len(self.reports) >= times)

    @property
    def verification(self) -> Verification:
        found = self.scheduler.verification(APP)
        assert found is not None
        return found


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", (0.001, 0.001))
    monkeypatch.setattr(module, "CONFIRM_SECONDS", 0.001)
    monkeypatch.setattr(module, "EDGE_PAUSE_SECONDS", 0.001)


async def test_a_new_check_is_verified_at_once_and_reported() -> None:
    scene = Scene()
    async with scene.running():
        scene.set_check()
        await scene.reported()
    assert scene.verification.reachable and scene.verification.check == CHECK


@pytest.mark.parametrize(
    ("check", "answers", "reported_after", "reachable"),
    [
        (CHECK, [True], 1, True),
        (CHECK, [False, False, True], 3, True),
        (CHECK, [False, False, False], 3, False),
        (AT_EDGE, [True, True, False, True, True, True], 6, True),
        (AT_EDGE, [False, True, True, False, False, False], 6, False),
    ],
)
async def test_an_outcome_is_reported_when_it_came_often_enough_in_a_row(
    check: Check, answers: list[bool], reported_after: int, reachable: bool
) -> None:
    scene = Scene(*answers)
    async with scene.running():
        scene.set_check(check)
        await scene.reported()
        assert scene.verification.reachable is reachable
    assert scene.asked_at_report[0] == reported_after


async def test_single_successes_at_the_edge_report_nothing() -> None:
    scene = Scene(False, False, False, *[True, False] * 10, True, True, True)
    async with scene.running():
        scene.set_check(AT_EDGE, interval=0.001)
        await scene.reported(2)
    assert scene.asked_at_report == [3, 26]


async def test_the_same_outcome_is_reported_once() -> None:
    scene = Scene()
    async with scene.running():
        scene.set_check(interval=0.001)
        await until(lambda: len(scene.asked) >= 4)
    assert scene.asked_at_report == [1]


async def test_the_first_success_is_confirmed_soon() -> None:
    scene = Scene(True, False, False, False)
    async with scene.running():
        scene.set_check()
        await scene.reported(2)
        assert not scene.verification.reachable
    assert scene.asked_at_report == [1, 4]


async def test_an_equal_check_changes_nothing_and_another_one_starts_at_once() -> None:
    scene = Scene()
    other = replace(CHECK, root_path="/bot")
    async with scene.running():
        scene.set_check()
        await scene.reported()
        scene.set_check()
        scene.set_check(other)
        await scene.reported(2)
    assert list(dict.fromkeys(scene.asked)) == [CHECK, other]


async def test_a_check_with_a_known_outcome_waits_for_a_part_of_its_interval() -> None:
    scene = Scene()
    scene.set_check(is_outcome_known=True)
    timer = scene.scheduler._entries[APP].timer
    assert timer is not None
    assert 0.09 * LONG <= timer.when() - asyncio.get_running_loop().time() <= LONG
    assert scene.scheduler.verification(APP) is None
    scene.scheduler.clear()
    assert timer.cancelled()


async def test_another_check_of_an_app_with_a_known_outcome_starts_at_once() -> None:
    scene = Scene()
    other = replace(CHECK, target="9999")
    async with scene.running():
        scene.set_check(is_outcome_known=True)
        scene.set_check(other, is_outcome_known=True)
        await scene.reported()
    assert scene.asked[0] == other


async def test_a_shorter_interval_applies_at_once() -> None:
    scene = Scene()
    async with scene.running():
        scene.set_check(interval=86400.0, is_outcome_known=True)
        scene.set_check(interval=0.001, is_outcome_known=True)
        await scene.reported()


async def test_the_outcome_of_a_check_that_ended_meanwhile_is_dropped() -> None:
    scene = Scene(concurrency=1)
    scene.gate = asyncio.Event()
    async with scene.running():
        scene.set_check()
        await until(lambda: len(scene.asked) == 1)
        scene.set_check(None)
        scene.set_check(ref=OTHER)
        scene.gate.set()
        await scene.reported()
    assert scene.reports == [OTHER] and scene.scheduler.verification(APP) is None


@pytest.mark.parametrize("check", [CHECK, AT_EDGE])
def test_pauses_grow_while_an_app_is_reachable(check: Check) -> None:
    entry = module._Entry(check, 60.0)
    pauses = []
    for entry.successes in range(1, 12):
        pauses.append(entry.pause())
    extra = entry.reported_after_successes - 1
    assert pauses[:extra] == [module.EDGE_PAUSE_SECONDS] * extra
    assert pauses[extra] == module.CONFIRM_SECONDS
    for place, pause in enumerate(pauses[extra + 1 :], start=2):
        assert 0.9 <= pause / (60.0 * min(place, module.MAX_STRETCH)) <= 1.1


@pytest.mark.parametrize(
    ("interval", "last"),
    [(60.0, [30, 30, 60, 120, 240, 300, 300]), (10.0, [10, 10, 20, 40, 50, 50, 50]), (86400.0, [30, 30, 60])],
)
def test_pauses_grow_while_an_app_fails(monkeypatch: pytest.MonkeyPatch, interval: float, last: list[float]) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", (1.0, 2.0, 5.0, 10.0, 30.0))
    pauses = [module._Entry(CHECK, interval, failures=failures).pause() for failures in range(1, 3000)]
    assert pauses[:4] == [1, 2, 5, 10]
    assert pauses[module.BACKOFF_AFTER_FAILURES - 2 :][: len(last)] == last
    assert pauses[-1] == min(interval * module.MAX_STRETCH, module.MAX_BACKOFF_SECONDS)


async def test_apps_without_a_reported_outcome_go_first() -> None:
    scene = Scene(False, concurrency=1)
    former = [replace(CHECK, root_path=f"/{n}") for n in range(3)]
    async with scene.running():
        for n, check in enumerate(former):
            scene.set_check(check, ref=Ref("ChainlitApp", "shop", f"app-{n}"))
        await scene.reported(len(former))
        scene.gate = asyncio.Event()
        await until(lambda: scene.scheduler._queue.qsize() == len(former) - 1)
        scene.set_check()
        await until(lambda: scene.scheduler._queue.qsize() == len(former))
        before = len(scene.asked)
        scene.gate.set()
        await until(lambda: len(scene.asked) > before)
    assert scene.asked[before] == CHECK


async def test_an_unexpected_error_delays_its_app_and_no_other() -> None:
    asked: list[str] = []

    async def verify(check: Check) -> Verification:
        asked.append(check.root_path)
        if check.root_path == "/odd" and asked.count("/odd") == 1:
            raise IndexError("string index out of range")
        return Verification(check, True, Reason.VERIFIED, "…")

    scheduler = VerificationScheduler(verify, lambda _: None, concurrency=1)
    task = asyncio.create_task(scheduler.run())
    scheduler.set_check(APP, replace(CHECK, root_path="/odd"), LONG, is_outcome_known=False)
    await until(lambda: bool(asked))
    scheduler.set_check(OTHER, CHECK, LONG, is_outcome_known=False)
    await until(lambda: scheduler.verification(OTHER) is not None and scheduler.verification(APP) is not None)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_shorter_interval_of_a_queued_check_queues_it_only_once() -> None:
    scene = Scene(concurrency=1)
    scene.gate = first = asyncio.Event()
    queued = replace(CHECK, root_path="/queued")
    async with scene.running():
        scene.set_check()
        await until(lambda: len(scene.asked) == 1)
        scene.set_check(queued, ref=OTHER)
        await until(lambda: scene.scheduler._queue.qsize() == 1)
        scene.set_check(queued, LONG / 2, ref=OTHER)
        timer = scene.scheduler._entries[OTHER].timer
        assert timer is not None and not timer.cancelled()
        scene.gate = asyncio.Event()
        first.set()
        await until(lambda: scene.asked[-1] == queued)
        assert timer.cancelled() and scene.scheduler._entries[OTHER].timer is None
