"""The inquirer: asks the questions of decisions, and keeps their answers as long as the decision asks them.

Questions do not wait for verifications, because a decision waits for their answers. An answer is final, except "nobody
answered": such a question is asked again, with a growing pause. WhyUnready, too, is asked again as long as a decision
asks it, and first after a while: most rollouts are over by then.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from chainlit_operator.domain.model import NOBODY, Answer, Finding, Question, WhyUnready
from chainlit_operator.object_ref import Ref

logger = logging.getLogger(__name__)

#: Questions that are asked at the same time, of all apps.
CONCURRENCY = 32
#: The time for one question. It begins when the question is asked, not when it is enqueued: otherwise an app among
#: thousands would count as silent only because others are slow.
ANSWER_SECONDS = 5.0
#: Rollouts that take no longer than this are not asked about.
ROLLOUT_SECONDS = 5.0
#: Pauses before a question is asked again; the last one repeats.
PAUSES = (5.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0)

Ask = Callable[[Question], Awaitable[Answer]]


@dataclass(slots=True)
class _Entry:
    """One question of one app, with its latest answer."""

    answer: Answer | None = None
    task: asyncio.Task[None] | None = None

    def cancel(self) -> None:
        if self.task is not None:
            self.task.cancel()


class Inquirer:
    """Asks questions, and calls ``on_answer`` with the app when one has a new answer."""

    def __init__(self, ask: Ask, on_answer: Callable[[Ref], None]) -> None:
        self._ask, self._on_answer = ask, on_answer
        self._limit = asyncio.Semaphore(CONCURRENCY)
        self._entries: dict[Ref, dict[Question, _Entry]] = {}

    def set_questions(self, ref: Ref, questions: Iterable[Question]) -> None:
        """Ask these questions for the app from now on. Answers to its other questions are forgotten."""
        former = self._entries.pop(ref, {})
        entries = {question: former.get(question) or _Entry() for question in questions}
        for question, entry in former.items():
            if question not in entries:
                entry.cancel()
        if entries:
            self._entries[ref] = entries
        for question, entry in entries.items():
            if entry.task is None:
                entry.task = asyncio.create_task(self._work(ref, question, entry), name=f"question about {ref}")

    def answers(self, ref: Ref) -> Mapping[Question, Answer]:
        """Return the answers for the app; a question without an answer yet is missing."""
        found = self._entries.get(ref, {}).items()
        return {question: entry.answer for question, entry in found if entry.answer is not None}

    def clear(self) -> None:
        """Forget all questions and answers."""
        for entries in self._entries.values():
            for entry in entries.values():
                entry.cancel()
        self._entries.clear()

    async def _work(self, ref: Ref, question: Question, entry: _Entry) -> None:
        """Ask one question until it has an answer."""
        if isinstance(question, WhyUnready):
            await asyncio.sleep(ROLLOUT_SECONDS)
        for attempt in itertools.count():
            answer = await self._answer(ref, question)
            if isinstance(answer, Finding):
                answer = answer.after(entry.answer)
            if answer != entry.answer:
                entry.answer = answer
                self._on_answer(ref)
            if answer is not NOBODY and not isinstance(question, WhyUnready):
                return
            await asyncio.sleep(PAUSES[min(attempt, len(PAUSES) - 1)])

    async def _answer(self, ref: Ref, question: Question) -> Answer:
        async with self._limit:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await self._ask(question)
            except TimeoutError:
                return NOBODY
            except Exception:
                # The app chooses what is read: its faults must not stop the work on others.
                logger.exception("%s: unexpected error of a question to its pods", ref)
                return NOBODY
