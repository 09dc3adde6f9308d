"""The inquirer: which questions it asks, how often, and how long it keeps their answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.unit.domain.world import NAMESPACE
from tests.waiting import until

from chainlit_operator.controller import inquirer
from chainlit_operator.controller.inquirer import Inquirer
from chainlit_operator.domain.model import (
    NOBODY,
    Answer,
    Cause,
    Finding,
    PathAnswer,
    PathKind,
    Pods,
    Question,
    Whereabouts,
    WhyUnready,
)
from chainlit_operator.object_ref import Ref

APP, OTHER = Ref("ChainlitApp", NAMESPACE, "chat"), Ref("ChainlitApp", NAMESPACE, "other")


def about(path: str, generation: int = 1) -> PathAnswer:
    return PathAnswer(Pods(Ref("Service", NAMESPACE, "chat"), "uid-of-workload", generation), 8000, path)


HEALTH, ALIVE = about("/health"), about("/alive")
WHERE = Whereabouts(HEALTH.pods, 8000, "/chat", ())
SILENT = Finding(Cause.NOT_LISTENING, port=8000)


class Scene:
    """An inquirer whose questions wait for ``tell``; ``asked`` has each question as often as it was asked."""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self.told: list[Ref] = []
        self.waiting: list[asyncio.Future[Answer]] = []
        self.inquirer = Inquirer(self.ask, self.told.append)

    async def ask(self, question: Question) -> Answer:
        self.asked.append(question)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.waiting.append(answer)
        return await answer

    async def until(self, condition: Callable[[], bool]) -> None:
        await until(condition)

    async def tell(self, answer: Answer, number: int = -1) -> None:
        """Answer the question that was asked last, or the one of that number."""
        self.waiting[number].set_result(answer)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(inquirer, "PAUSES", (0.0,))
    return Scene()


async def test_a_question_is_asked_once_and_its_answer_is_told(scene: Scene) -> None:
    scene.inquirer.set_questions(APP, (HEALTH,))
    await scene.until(lambda: scene.asked == [HEALTH])
    assert scene.inquirer.answers(APP) == {}
    assert scene.told == []
    await scene.tell(PathKind.NOT_FOUND)
    assert scene.told == [APP]
    assert scene.inquirer.answers(APP) == {HEALTH: PathKind.NOT_FOUND}
    scene.inquirer.set_questions(APP, (HEALTH,))
    await asyncio.sleep(0.01)
    assert scene.asked == [HEALTH]


async def test_answers_are_those_of_one_app_and_kept_while_they_are_asked_for(scene: Scene) -> None:
    scene.inquirer.set_questions(APP, (HEALTH, ALIVE))
    scene.inquirer.set_questions(OTHER, (HEALTH,))
    await scene.until(lambda: len(scene.asked) == 3)
    for number, kind in enumerate((PathKind.CATCH_ALL, PathKind.OTHER, PathKind.NOT_FOUND)):
        await scene.tell(kind, number)
    assert scene.inquirer.answers(APP) == {HEALTH: PathKind.CATCH_ALL, ALIVE: PathKind.OTHER}
    assert scene.inquirer.answers(OTHER) == {HEALTH: PathKind.NOT_FOUND}
    scene.inquirer.set_questions(APP, (ALIVE,))
    assert scene.inquirer.answers(APP) == {ALIVE: PathKind.OTHER}
    scene.inquirer.set_questions(APP, ())
    assert scene.inquirer.answers(APP) == {}
    assert scene.inquirer.answers(OTHER) == {HEALTH: PathKind.NOT_FOUND}


async def test_another_rollout_is_another_question(scene: Scene) -> None:
    scene.inquirer.set_questions(APP, (HEALTH,))
    await scene.until(lambda: len(scene.asked) == 1)
    await scene.tell(PathKind.OTHER)
    scene.inquirer.set_questions(APP, (about("/health", 2),))
    await scene.until(lambda: len(scene.asked) == 2)
    assert scene.inquirer.answers(APP) == {}


async def test_a_question_that_is_withdrawn_ends(scene: Scene) -> None:
    scene.inquirer.set_questions(APP, (HEALTH,))
    await scene.until(lambda: len(scene.asked) == 1)
    scene.inquirer.set_questions(APP, ())
    await scene.until(scene.waiting[0].cancelled)
    assert scene.told == []


async def test_nobody_is_asked_again_and_told_once(scene: Scene) -> None:
    scene.inquirer.set_questions(APP, (HEALTH,))
    await scene.until(lambda: len(scene.asked) == 1)
    await scene.tell(NOBODY)
    await scene.until(lambda: len(scene.asked) == 2)
    assert scene.inquirer.answers(APP) == {HEALTH: NOBODY}
    await scene.tell(NOBODY)
    await scene.until(lambda: len(scene.asked) == 3)
    assert scene.told == [APP]
    await scene.tell(PathKind.OTHER)
    assert scene.told == [APP, APP]
    assert scene.inquirer.answers(APP) == {HEALTH: PathKind.OTHER}


async def test_nobody_answers_in_time(monkeypatch: pytest.MonkeyPatch, scene: Scene) -> None:
    monkeypatch.setattr(inquirer, "ANSWER_SECONDS", 0.01)
    scene.inquirer.set_questions(APP, (HEALTH,))
    await scene.until(lambda: scene.told == [APP])
    assert scene.inquirer.answers(APP) == {HEALTH: NOBODY}
    scene.inquirer.clear()


async def test_time_begins_when_a_question_is_asked(monkeypatch: pytest.MonkeyPatch, scene: Scene) -> None:
    """Thousands of apps are adopted at once: those that wait for their turn are not silent."""
    monkeypatch.setattr(inquirer, "ANSWER_SECONDS", 5.0)
    many = [Ref("ChainlitApp", NAMESPACE, f"app-{number}") for number in range(inquirer.CONCURRENCY + 1)]
    for ref in many:
        scene.inquirer.set_questions(ref, (HEALTH,))
    await scene.until(lambda: len(scene.asked) == inquirer.CONCURRENCY)
    await asyncio.sleep(0.02)
    assert len(scene.asked) == inquirer.CONCURRENCY
    await scene.tell(PathKind.OTHER, 0)
    await scene.until(lambda: len(scene.asked) == inquirer.CONCURRENCY + 1)
    scene.inquirer.clear()


async def test_an_unexpected_error_is_nobody(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(inquirer, "PAUSES", (60.0,))
    told: list[Ref] = []

    async def fail(_: Question) -> Answer:
        raise ValueError("odd")

    asking = Inquirer(fail, told.append)
    asking.set_questions(APP, (HEALTH,))
    with caplog.at_level(logging.ERROR):
        await until(lambda: told == [APP])
    assert asking.answers(APP) == {HEALTH: NOBODY}
    assert "ChainlitApp shop/chat: unexpected error of a question to its pods" in caplog.text
    asking.clear()


async def test_clear_forgets_everything(scene: Scene) -> None:
    scene.inquirer.set_questions(APP, (HEALTH,))
    await scene.until(lambda: len(scene.asked) == 1)
    scene.inquirer.clear()
    await scene.until(scene.waiting[0].cancelled)
    scene.inquirer.set_questions(APP, (HEALTH,))
    await scene.until(lambda: len(scene.asked) == 2)
    scene.inquirer.clear()


async def test_unready_pods_are_asked_again_and_equal_findings_are_counted(
    monkeypatch: pytest.MonkeyPatch, scene: Scene
) -> None:
    monkeypatch.setattr(inquirer, "ROLLOUT_SECONDS", 0.0)
    question = WhyUnready(WHERE)
    scene.inquirer.set_questions(APP, (question,))
    for times in (1, 2):
        await scene.until(lambda: len(scene.asked) == len(scene.told) + 1)
        await scene.tell(SILENT)
        assert scene.inquirer.answers(APP) == {question: replace(SILENT, times=times)}
    assert scene.told == [APP, APP]
    await scene.until(lambda: len(scene.asked) == 3)
    await scene.tell(Finding(Cause.NOTHING))
    assert scene.inquirer.answers(APP) == {question: Finding(Cause.NOTHING)}
    scene.inquirer.clear()


async def test_short_rollouts_are_not_asked_about(scene: Scene) -> None:
    scene.inquirer.set_questions(APP, (WhyUnready(WHERE), WHERE))
    await scene.until(lambda: scene.asked == [WHERE])
    await scene.tell(Finding(Cause.NOTHING))
    await asyncio.sleep(0.01)
    assert scene.asked == [WHERE]
    scene.inquirer.set_questions(APP, ())
