"""When apps are verified, and which outcomes are reported."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from tests.waiting import until

from chainlit_operator.domain.model import Check, EdgeMemory, Verification
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import metrics
from chainlit_operator.verification import scheduler as module
from chainlit_operator.verification.scheduler import VerificationScheduler
from chainlit_operator.verification.verifier import QUICK_SECONDS, QUICK_SECONDS_AT_EDGE

APP, OTHER = Ref("ChainlitApp", "shop", "chat"), Ref("ChainlitApp", "shop", "other")
CHECK = Check("http://10.0.0.1:80", "/chat", "", "http", "uid", 1)
AT_EDGE = replace(CHECK, edge_url="http://example.com", pods=1)
AUTO = replace(AT_EDGE, is_auto=True)
SEEN, UNJUDGED = EdgeMemory(has_answered=True), EdgeMemory(unjudged=1)
LONG = 3600.0


class Scene:
    """A scheduler whose verifications have the given outcomes, the last one repeatedly."""

    def __init__(
        self,
        *answers: bool,
        concurrency: int = 2,
        per_second: float = 1e6,
        edge: EdgeMemory = EdgeMemory(),  # noqa: B008 - frozen
    ) -> None:
        self.answers, self.edge = list(answers) or [True], edge
        self.asked: list[Check] = []
        self.memories: list[EdgeMemory] = []
        self.quick: list[bool] = []
        self.reports: list[Ref] = []
        #: How many verifications had started at each report.
        self.asked_at_report: list[int] = []
        self.gate: asyncio.Event | None = None
        self.scheduler = VerificationScheduler(self.verify, self.report, concurrency, per_second)

    def report(self, ref: Ref) -> None:
        self.reports.append(ref)
        self.asked_at_report.append(len(self.asked))

    async def verify(self, check: Check, memory: EdgeMemory, *, is_quick: bool) -> Verification:
        self.asked.append(check)
        self.quick.append(is_quick)
        self.memories.append(memory)
        if self.gate is not None:
            await self.gate.wait()
        reachable = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        reason = Reason.VERIFIED if reachable else Reason.CONNECTION_REFUSED
        return Verification(check, reachable, reason, "…", edge=self.edge)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.scheduler.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def set_check(
        self,
        check: Check | None = CHECK,
        interval: float = LONG,
        *,
        ref: Ref = APP,
        is_outcome_known: bool = False,
        edge_answered: bool = False,
    ) -> None:
        self.scheduler.set_check(ref, check, interval, is_outcome_known=is_outcome_known, edge_answered=edge_answered)

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
    # How late this machine is decides nothing; a test of it sets its own limit.
    monkeypatch.setattr(module, "MAX_LAG_SECONDS", math.inf)


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


@pytest.mark.parametrize(("check", "extra"), [(CHECK, 0), (AT_EDGE, 2), (AUTO, 2)])
def test_an_app_that_works_is_verified_once_in_its_interval(check: Check, extra: int) -> None:
    entry = module._Entry(check, 60.0, EdgeMemory())
    pauses = []
    for entry.successes in range(1, 12):
        pauses.append(entry.pause())
    assert entry.reported_after_successes == extra + 1
    assert pauses[:extra] == [module.EDGE_PAUSE_SECONDS] * extra
    assert pauses[extra] == module.CONFIRM_SECONDS
    assert all(54.0 <= pause <= 60.0 for pause in pauses[extra + 1 :])
    assert len(set(pauses[extra + 1 :])) > 1, "apps that began together spread"


async def test_a_url_that_is_not_judged_keeps_no_success_waiting() -> None:
    scene = Scene(edge=UNJUDGED)
    async with scene.running():
        scene.set_check(AUTO)
        await scene.reported()
    assert scene.asked_at_report[0] == 1
    scene = Scene(edge=SEEN)
    async with scene.running():
        scene.set_check(AUTO)
        await scene.reported()
    assert scene.asked_at_report[0] == 3


async def test_what_was_found_at_the_url_is_handed_on() -> None:
    scene = Scene(edge=SEEN)
    async with scene.running():
        scene.set_check(AUTO, 0.001)
        await until(lambda: len(scene.asked) >= 2)
    assert [memory.has_answered for memory in scene.memories[:2]] == [False, True]
    assert scene.memories[1] is SEEN


@pytest.mark.parametrize(
    ("edge_url", "edge_answered", "wanted"),
    [
        ("http://example.com", True, SEEN),
        ("http://example.com", False, EdgeMemory()),
        ("http://other.example", True, SEEN),
        ("http://other.example", False, EdgeMemory()),
    ],
)
async def test_another_check_of_the_same_url_knows_what_was_found(
    edge_url: str, edge_answered: bool, wanted: EdgeMemory
) -> None:
    seen = EdgeMemory(has_answered=True, addresses=frozenset({"192.0.2.7"}))
    scene = Scene(edge=seen)
    async with scene.running():
        scene.set_check(AUTO)
        await scene.reported()
        scene.edge = EdgeMemory()
        scene.set_check(replace(AUTO, edge_url=edge_url, pods=2), edge_answered=edge_answered)
        await until(lambda: scene.asked[-1].pods == 2)
        memory = scene.memories[scene.asked.index(scene.asked[-1])]
    assert memory == wanted
    is_same = edge_url == AUTO.edge_url and edge_answered
    assert memory.addresses == (seen.addresses if is_same else frozenset())


@pytest.mark.parametrize(
    ("interval", "last"),
    [(60.0, [30, 30, 60, 60]), (10.0, [10, 10, 10]), (86400.0, [30, 30, 60, 120, 240, 300, 300])],
)
def test_pauses_grow_while_an_app_fails(monkeypatch: pytest.MonkeyPatch, interval: float, last: list[float]) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", (1.0, 2.0, 5.0, 10.0, 30.0))
    pauses = [module._Entry(CHECK, interval, EdgeMemory(), failures=failures).pause() for failures in range(1, 3000)]
    assert pauses[:4] == [1, 2, 5, 10]
    assert pauses[module.BACKOFF_AFTER_FAILURES - 2 :][: len(last)] == last
    assert pauses[-1] == min(interval, module.MAX_BACKOFF_SECONDS)


async def test_apps_without_a_reported_outcome_go_first() -> None:
    scene = Scene(False, concurrency=1)
    former = [replace(CHECK, root_path=f"/{n}") for n in range(3)]
    async with scene.running():
        for n, check in enumerate(former):
            scene.set_check(check, ref=Ref("ChainlitApp", "shop", f"app-{n}"))
        await scene.reported(len(former))
        scene.gate = asyncio.Event()
        await until(lambda: len(scene.scheduler._queue) == len(former) - 1)
        scene.set_check()
        await until(lambda: len(scene.scheduler._queue) == len(former))
        before = len(scene.asked)
        scene.gate.set()
        await until(lambda: len(scene.asked) > before)
    assert scene.asked[before] == CHECK


async def test_an_unexpected_error_delays_its_app_and_no_other() -> None:
    asked: list[str] = []

    async def verify(check: Check, memory: EdgeMemory, *, is_quick: bool) -> Verification:
        assert not is_quick or check.root_path != "/odd"
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
        await until(lambda: len(scene.scheduler._queue) == 1)
        scene.set_check(queued, LONG / 2, ref=OTHER)
        timer = scene.scheduler._entries[OTHER].timer
        assert timer is not None and not timer.cancelled()
        scene.gate = asyncio.Event()
        first.set()
        await until(lambda: scene.asked[-1] == queued)
        assert timer.cancelled() and scene.scheduler._entries[OTHER].timer is None


async def test_an_app_that_waits_is_queued_once() -> None:
    scene = Scene(concurrency=1)
    scene.gate = asyncio.Event()
    async with scene.running():
        scene.set_check()
        await until(lambda: len(scene.asked) == 1)
        other = replace(CHECK, root_path="/other")
        scene.set_check(other, ref=OTHER)
        await until(lambda: len(scene.scheduler._queue) == 1)
        entry = scene.scheduler._entries[OTHER]
        scene.scheduler._enqueue(OTHER, entry)
        assert len(scene.scheduler._queue) == 1
        scene.gate.set()
        await until(lambda: scene.asked.count(other) == 2)  # it is queued again, to confirm the first answer


# -- the limit for the whole operator


def due(number: int, *, is_urgent: bool) -> tuple[float, Ref, module._Entry]:
    """An app that waits: one without a reported outcome, or one of the routine."""
    entry = module._Entry(CHECK, 60.0, EdgeMemory())
    if not is_urgent:
        entry.successes, entry.verification = 5, Verification(CHECK, True, Reason.VERIFIED, "…")
    return float(number), Ref("ChainlitApp", "shop", f"{'urgent' if is_urgent else 'routine'}-{number}"), entry


def order(*waiting: tuple[float, Ref, module._Entry]) -> list[str]:
    queue = module._Queue()
    for item in waiting:
        queue.put(*item)
    return [queue.pop()[1].name for _ in waiting]


def test_urgent_apps_go_first_and_the_routine_goes_on() -> None:
    urgent = [due(n, is_urgent=True) for n in range(7)]
    routine = [due(n, is_urgent=False) for n in range(4)]
    assert order(*routine, *urgent) == [
        *("urgent-0", "urgent-1", "urgent-2", "routine-0"),
        *("urgent-3", "urgent-4", "urgent-5", "routine-1"),
        *("urgent-6", "routine-2", "routine-3"),
    ]
    assert order(*routine[:2]) == ["routine-0", "routine-1"]
    assert order(*urgent[:5]) == [f"urgent-{n}" for n in range(5)]


@pytest.mark.parametrize(
    ("failures", "successes", "reported", "is_urgent"),
    [
        (0, 0, None, True),
        (1, 0, None, True),
        (0, 1, True, False),
        (0, 9, True, False),
        (1, 0, True, True),
        (2, 0, True, True),
        (3, 0, False, False),
        (99, 0, False, False),
        (0, 1, False, False),
    ],
)
def test_what_is_urgent(failures: int, successes: int, reported: bool | None, is_urgent: bool) -> None:
    found = None if reported is None else Verification(CHECK, reported, Reason.VERIFIED, "…")
    entry = module._Entry(CHECK, 60.0, EdgeMemory(), found, failures=failures, successes=successes)
    assert entry.is_urgent is is_urgent


class Clock:
    """The time of the loop, which only sleeps move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)
        monkeypatch.setattr(asyncio, "sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def test_so_many_begin_in_a_second_and_none_are_saved_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    scheduler = VerificationScheduler(Scene().verify, lambda _: None, concurrency=1, per_second=4.0)
    begun: list[tuple[str, float]] = []

    async def begin() -> None:
        ref, _ = await scheduler._next()
        begun.append((ref.name, clock.now))

    for number in range(3):
        _, ref, entry = due(number, is_urgent=True)
        scheduler._entries[ref] = entry
        scheduler._enqueue(ref, entry)
    for _ in range(3):
        await begin()
    clock.now += 60.0
    for number in range(3, 5):
        _, ref, entry = due(number, is_urgent=True)
        scheduler._entries[ref] = entry
        scheduler._enqueue(ref, entry)
    for _ in range(2):
        await begin()
    assert [when - 1000.0 for _, when in begun] == [0.0, 0.25, 0.5, 60.5, 60.75]
    assert [name for name, _ in begun] == [f"urgent-{n}" for n in range(5)]


async def test_the_delay_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    delays: list[float] = []
    monkeypatch.setattr(metrics.VERIFICATION_DELAY, "observe", delays.append)
    scheduler = VerificationScheduler(Scene().verify, lambda _: None, concurrency=1, per_second=1.0)
    for number in range(3):
        _, ref, entry = due(number, is_urgent=number > 0)
        scheduler._entries[ref] = entry
        scheduler._enqueue(ref, entry)
    gone = Ref("ChainlitApp", "shop", "urgent-1")
    del scheduler._entries[gone]
    assert [(await scheduler._next())[0].name for _ in range(2)] == ["urgent-2", "routine-0"]
    assert delays == [0.0, 1.0] and clock.now == 1001.0


async def test_the_limit_holds_on_a_clock_of_the_wall() -> None:
    scene = Scene(concurrency=8, per_second=50.0)
    began = time.monotonic()
    async with scene.running():
        for number in range(10):
            scene.set_check(replace(CHECK, root_path=f"/{number}"), ref=Ref("ChainlitApp", "shop", f"app-{number}"))
        await scene.reported(10)
    assert time.monotonic() - began >= 9 / 50.0


# -- apps that work must answer soon


async def test_an_app_that_works_must_answer_soon_until_a_failure_is_reported() -> None:
    scene = Scene(False, True, True, False, False, False, False, True)
    async with scene.running():
        scene.set_check(interval=0.001)
        await scene.reported(3)
    assert scene.asked_at_report[:3] == [2, 6, 8]
    assert scene.quick[:8] == [False, False, True, True, True, True, False, False]


async def test_while_the_operator_is_late_itself_apps_have_the_usual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    async with scene.running():
        scene.set_check(interval=0.01)
        await scene.reported()
        # Any lag is too long now.
        monkeypatch.setattr(module, "MAX_LAG_SECONDS", -1.0)
        before = len(scene.quick)
        await until(lambda: len(scene.quick) > before + 2)
    assert not any(scene.quick[before + 1 :])


async def test_the_lag_of_the_loop_is_measured_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler, clock = Scene().scheduler, Clock(monkeypatch)
    late, lags = [0.3, 0.0, 0.1, 0.0, 0.5], list[float]()

    async def sleep(seconds: float) -> None:
        lags.append(scheduler._lag)
        if not late:
            raise asyncio.CancelledError
        await clock.sleep(seconds + late.pop(0))

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await scheduler._measure_lag()
    assert lags == pytest.approx([0.0, 0.3, 0.21, 0.147, 0.1029, 0.5])


@pytest.mark.parametrize(
    ("failures", "spent", "pause"),
    [(1, 0.0, 1.0), (1, 0.4, 0.6), (1, 1.25, 0.1), (2, 1.25, 0.75), (2, 10.0, 0.2), (3, 10.0, 5.0), (4, 10.0, 10.0)],
)
def test_a_long_attempt_is_a_pause_itself(
    monkeypatch: pytest.MonkeyPatch, failures: int, spent: float, pause: float
) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", (1.0, 2.0, 5.0, 10.0, 30.0))
    entry = module._Entry(CHECK, 60.0, EdgeMemory(), failures=failures)
    assert entry.pause(spent) == pytest.approx(pause)


def test_an_app_that_hangs_is_reported_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", (1.0, 2.0, 5.0, 10.0, 30.0))
    for seconds, limit in ((QUICK_SECONDS, 5.0), (QUICK_SECONDS_AT_EDGE, 10.0)):
        pauses = [module._Entry(CHECK, 60.0, EdgeMemory(), failures=n).pause(seconds) for n in (1, 2)]
        assert 3 * seconds + sum(pauses) < limit
