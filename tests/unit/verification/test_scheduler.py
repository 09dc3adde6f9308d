"""The verifier: at once for a new check, the third failure in a row tells, nothing after the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from tests.waiting import until

from chainlit_operator.domain.conditions import Check, Verification
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.object_ref import Ref
from chainlit_operator.verification import scheduler as verifiers
from chainlit_operator.verification.scheduler import VerificationScheduler

APP = Ref("ChainlitApp", "shop", "chat")
CHECK = Check("http://10.0.0.1:80", "/chat", "", "http", "uid", 1)


class Scene:
    """A verifier whose probe answers what the test says, the last of it for ever, and what it told."""

    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers) or [True]
        self.asked: list[Check] = []
        self.told = asyncio.Event()
        #: How often it had asked when it told.
        self.asked_when_told: list[int] = []
        self.probed = asyncio.Event()
        self.gate: asyncio.Event | None = None
        self.verifier = VerificationScheduler(self.probe, self.tell, concurrency=2)

    def tell(self, _: Ref) -> None:
        self.asked_when_told.append(len(self.asked))
        self.told.set()

    async def probe(self, check: Check) -> Verification:
        self.asked.append(check)
        self.probed.set()
        if self.gate is not None:
            await self.gate.wait()
        reachable = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Verification(check, reachable, Reason.VERIFIED if reachable else Reason.CONNECTION_REFUSED, "…")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.verifier.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def want(self, check: Check | None = CHECK, interval: float = 3600.0, is_settled: bool = False) -> None:
        self.verifier.want(APP, check, interval, is_settled=is_settled)


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifiers, "RETRY_SECONDS", (0.001, 0.001))
    monkeypatch.setattr(verifiers, "CONFIRM_SECONDS", 0.001)
    monkeypatch.setattr(verifiers, "EDGE_PAUSE_SECONDS", 0.001)


async def test_new_check_is_verified_at_once_and_told() -> None:
    scene = Scene()
    async with scene.running():
        scene.want()
        await asyncio.wait_for(scene.told.wait(), 10)
    found = scene.verifier.verification(APP)
    assert found is not None and found.reachable and found.check == CHECK


async def test_two_failures_are_not_news() -> None:
    scene = Scene(False, False, True)
    async with scene.running():
        scene.want()
        await asyncio.wait_for(scene.told.wait(), 10)
    found = scene.verifier.verification(APP)
    assert len(scene.asked) >= 3 and found is not None and found.reachable


async def test_third_failure_is() -> None:
    scene = Scene(False, False, False)
    async with scene.running():
        scene.want()
        await asyncio.wait_for(scene.told.wait(), 10)
        found = scene.verifier.verification(APP)
    assert found is not None and not found.reachable and found.reason == "ConnectionRefused"


async def test_same_outcome_is_told_once() -> None:
    scene = Scene()
    async with scene.running():
        scene.want(interval=0.001)
        await asyncio.wait_for(scene.told.wait(), 10)
        scene.told.clear()
        while len(scene.asked) < 4:
            scene.probed.clear()
            await asyncio.wait_for(scene.probed.wait(), 10)
    assert not scene.told.is_set()


async def test_first_success_is_confirmed_soon() -> None:
    scene = Scene(True, False, False, False)
    async with scene.running():
        scene.want()
        await asyncio.wait_for(scene.told.wait(), 10)
        scene.told.clear()
        await asyncio.wait_for(scene.told.wait(), 10)
    found = scene.verifier.verification(APP)
    assert found is not None and not found.reachable


async def test_same_check_again_changes_nothing_and_another_one_is_due_at_once() -> None:
    scene = Scene()
    other = replace(CHECK, root_path="/bot")
    async with scene.running():
        scene.want()
        await asyncio.wait_for(scene.told.wait(), 10)
        scene.want()
        scene.told.clear()
        scene.want(other)
        await asyncio.wait_for(scene.told.wait(), 10)
    assert list(dict.fromkeys(scene.asked)) == [CHECK, other]


async def test_settled_check_waits_for_its_interval() -> None:
    scene = Scene()
    async with scene.running():
        scene.want(is_settled=True)
        await asyncio.sleep(0)
    assert scene.asked == [] and scene.verifier.verification(APP) is None


async def test_new_check_of_a_settled_app_is_due_at_once() -> None:
    scene = Scene()
    other = replace(CHECK, target="9999")
    async with scene.running():
        scene.want(is_settled=True)
        scene.want(other, is_settled=True)
        await asyncio.wait_for(scene.told.wait(), 10)
    assert scene.asked[0] == other


async def test_shorter_interval_counts_at_once() -> None:
    scene = Scene()
    async with scene.running():
        scene.want(interval=86400.0, is_settled=True)
        scene.want(interval=0.001, is_settled=True)
        await asyncio.wait_for(scene.told.wait(), 10)


async def test_outcome_of_a_check_that_is_no_longer_wanted_is_dropped() -> None:
    scene = Scene()
    scene.gate = asyncio.Event()
    async with scene.running():
        scene.want()
        await asyncio.wait_for(scene.probed.wait(), 10)
        scene.want(None)
        scene.gate.set()
        await asyncio.sleep(0)
    assert scene.verifier.verification(APP) is None and not scene.told.is_set()


AT_EDGE = replace(CHECK, edge_url="http://example.com", pods=1)


async def test_at_the_edge_a_success_is_told_when_it_is_the_third_in_a_row() -> None:
    scene = Scene(True, True, False, True, True, True)
    async with scene.running():
        scene.want(AT_EDGE)
        await asyncio.wait_for(scene.told.wait(), 10)
    found = scene.verifier.verification(APP)
    assert scene.asked_when_told == [6] and found is not None and found.reachable


async def test_at_the_edge_the_third_failure_is_told_as_elsewhere() -> None:
    scene = Scene(False, True, True, False, False, False)
    async with scene.running():
        scene.want(AT_EDGE)
        await asyncio.wait_for(scene.told.wait(), 10)
        found = scene.verifier.verification(APP)
    assert scene.asked_when_told == [6] and found is not None and not found.reachable


async def test_at_the_edge_successes_by_luck_do_not_make_it_flap() -> None:
    scene = Scene(False, False, False, *[True, False] * 10, True, True, True)
    async with scene.running():
        scene.want(AT_EDGE, interval=0.001)
        while len(scene.asked_when_told) < 2:
            scene.told.clear()
            await asyncio.wait_for(scene.told.wait(), 10)
    assert scene.asked_when_told[1] == 26, "news before the last three"


@pytest.mark.parametrize("check", [CHECK, AT_EDGE])
def test_pauses_grow_while_all_is_well(check: Check) -> None:
    entry = verifiers._Entry(check, 60.0)
    pauses = []
    for entry.successes in range(1, 12):
        pauses.append(entry.pause())
    extra = entry.told_successes - 1
    assert pauses[:extra] == [verifiers.EDGE_PAUSE_SECONDS] * extra
    assert pauses[extra] == verifiers.CONFIRM_SECONDS
    for place, pause in enumerate(pauses[extra + 1 :], start=2):
        assert 0.9 <= pause / (60.0 * min(place, verifiers.MAX_STRETCH)) <= 1.1


@pytest.mark.parametrize(
    ("interval", "last"),
    [(60.0, [30, 30, 60, 120, 240, 300, 300]), (10.0, [10, 10, 20, 40, 50, 50, 50]), (86400.0, [30, 30, 60])],
)
def test_pauses_grow_while_all_fails(monkeypatch: pytest.MonkeyPatch, interval: float, last: list[float]) -> None:
    monkeypatch.setattr(verifiers, "RETRY_SECONDS", (1.0, 2.0, 5.0, 10.0, 30.0))
    pauses = [verifiers._Entry(CHECK, interval, failures=failures).pause() for failures in range(1, 3000)]
    assert pauses[:4] == [1, 2, 5, 10]
    assert pauses[verifiers.PATIENCE - 2 :][: len(last)] == last
    assert pauses[-1] == min(interval * verifiers.MAX_STRETCH, verifiers.MAX_FAILED_SECONDS)


async def test_apps_of_which_nothing_is_told_go_first() -> None:
    scene = Scene(False)
    scene.verifier = VerificationScheduler(scene.probe, scene.tell, concurrency=1)
    former = [replace(CHECK, root_path=f"/{n}") for n in range(3)]
    async with scene.running():
        for n, check in enumerate(former):
            scene.verifier.want(Ref("ChainlitApp", "shop", f"app-{n}"), check, 3600.0, is_settled=False)
        await until(lambda: len(scene.asked_when_told) == len(former))
        scene.gate = asyncio.Event()
        await until(lambda: scene.verifier._due.qsize() == len(former) - 1)
        scene.want()
        await until(lambda: scene.verifier._due.qsize() == len(former))
        before = len(scene.asked)
        scene.gate.set()
        await until(lambda: len(scene.asked) > before)
    assert scene.asked[before] == CHECK


async def test_a_probe_that_fails_itself_costs_its_app_a_pause_and_nobody_else_anything() -> None:
    asked: list[str] = []
    other = Ref("ChainlitApp", "shop", "other")

    async def probe(check: Check) -> Verification:
        asked.append(check.root_path)
        if check.root_path == "/odd" and asked.count("/odd") == 1:
            raise IndexError("string index out of range")
        return Verification(check, True, Reason.VERIFIED, "…")

    verifier = VerificationScheduler(probe, lambda _: None, concurrency=1)
    task = asyncio.create_task(verifier.run())
    verifier.want(APP, replace(CHECK, root_path="/odd"), 3600.0, is_settled=False)
    await until(lambda: bool(asked))
    verifier.want(other, CHECK, 3600.0, is_settled=False)
    await until(lambda: verifier.verification(other) is not None and verifier.verification(APP) is not None)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_shorter_interval_of_a_check_that_is_due_is_no_second_one() -> None:
    scene = Scene()
    scene.verifier = VerificationScheduler(scene.probe, scene.tell, concurrency=1)
    scene.gate = asyncio.Event()
    other = Ref("ChainlitApp", "shop", "other")
    async with scene.running():
        scene.want()
        await until(lambda: len(scene.asked) == 1)
        waiting = replace(CHECK, root_path="/waiting")
        scene.verifier.want(other, waiting, 3600.0, is_settled=False)
        await until(lambda: scene.verifier._due.qsize() == 1)
        scene.verifier.want(other, waiting, 0.1, is_settled=False)
        scene.verifier.want(APP, None, 0.0, is_settled=False)
        scene.gate.set()
        scene.gate = asyncio.Event()
        await until(lambda: scene.asked[-1] == waiting)
        await asyncio.sleep(0.2)  # twice as long as the timer of the shorter interval could take
        assert scene.verifier._due.empty()
