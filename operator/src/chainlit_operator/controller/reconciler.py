"""The reconciler: gather → decide → apply → report, once for each app that is enqueued.

It is level-triggered: it does not know which event came, in what order or how often. One reconcile makes at most one
write of the workload, one of each created object and one of the status, and none where nothing differs.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import UTC, datetime

from chainlit_operator.controller import writes
from chainlit_operator.controller.event_recorder import EventRecorder
from chainlit_operator.controller.inquirer import Inquirer
from chainlit_operator.controller.object_writer import ObjectWriter
from chainlit_operator.controller.status_writer import HeldBackError, StatusWriter
from chainlit_operator.controller.workload_writer import WorkloadWriter
from chainlit_operator.controller.writes import Answers, SupersededError, WriteError
from chainlit_operator.domain import conditions, field_conflicts
from chainlit_operator.domain.alignment import Apply
from chainlit_operator.domain.conditions import Outcome
from chainlit_operator.domain.decide import Decision, Failure, decide
from chainlit_operator.domain.desired import ownership
from chainlit_operator.domain.desired.drift import OwnedState
from chainlit_operator.domain.desired.ownership import Step
from chainlit_operator.domain.model import App, Memory, Snapshot
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.kube.workqueue import WorkQueue
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import metrics
from chainlit_operator.state import State
from chainlit_operator.verification.scheduler import VerificationScheduler

logger = logging.getLogger(__name__)

#: A transient failure goes into the status after this many in a row.
REPORTED_FAILURES = 3


class Reconciler:
    """Reconciles apps, and releases the fields of workloads that no app asks for."""

    def __init__(
        self,
        api: Api,
        state: State,
        queue: WorkQueue[Ref],
        scheduler: VerificationScheduler,
        inquirer: Inquirer,
        recorder: EventRecorder,
        *,
        verification: bool = True,
    ) -> None:
        """``verification`` False turns verification off for all apps, whatever they ask for."""
        self._state, self._queue, self._scheduler, self._inquirer = state, queue, scheduler, inquirer
        self._is_verified = verification
        self._memories: dict[Ref, Memory] = {}
        answers = Answers(state)
        self._objects = ObjectWriter(api, state, answers, recorder)
        self._workloads = WorkloadWriter(api, state, answers, recorder)
        self._statuses = StatusWriter(api, state, recorder)

    async def work(self) -> None:
        """Take keys off the queue until it is closed."""
        while (ref := await self._queue.get()) is not None:
            started = time.perf_counter()
            try:
                await self._reconcile_or_retry(ref)
            finally:
                self._queue.done(ref)
                metrics.RECONCILE_SECONDS.observe(time.perf_counter() - started)

    def forget(self) -> None:
        """Forget the memory of all writes: another replica leads now."""
        self._memories.clear()

    async def _reconcile_or_retry(self, ref: Ref) -> None:
        """Reconcile one key. After a failure, enqueue it again with a pause; other keys are not affected."""
        try:
            is_done = await self.reconcile(ref)
        except SupersededError as superseded:
            logger.info("%s: %s; its change is enqueued", ref, superseded)
            self._queue.forget(ref)
        except HeldBackError as held:
            logger.info("%s: %s; next write in %.0f s", ref, held, held.seconds)
            self._queue.forget(ref)
            self._queue.add_after(ref, held.seconds)
        except ApiError as error:
            pause = self._queue.retry(ref)
            # One conflict is no fault, because the watch delivers the new version. Several in a row are a warning.
            is_usual = error.code == 409 and self._queue.failures(ref) < REPORTED_FAILURES
            level = logging.INFO if is_usual else logging.WARNING
            logger.log(level, "%s: %s; next attempt in %.1f s", ref, error.message, pause)
        except Exception:
            pause = self._queue.retry(ref)
            logger.exception("%s: unexpected error; next attempt in %.1f s", ref, pause)
        else:
            if is_done:
                self._queue.forget(ref)
            else:
                self._queue.retry(ref)

    async def reconcile(self, ref: Ref) -> bool:
        """Reconcile one app, or release one workload; returns False if another attempt is needed.

        Raises ApiError for a failure that a retry may mend, SupersededError where the app changes meanwhile, and
        HeldBackError where the status must wait.
        """
        if ref in self._state.apps:
            return await self._reconcile_app(self._state.apps[ref])
        self._scheduler.set_check(ref, None, 0.0, is_outcome_known=False)
        self._inquirer.set_questions(ref, ())
        self._memories.pop(ref, None)
        self._statuses.forget(ref)
        await self._workloads.release(ref)
        return True

    async def _reconcile_app(self, app: App) -> bool:
        snapshot = self._gather(app)
        decision = decide(snapshot)
        self._memories[app.ref] = decision.memory
        self._inquirer.set_questions(app.ref, decision.questions)
        if decision.is_waiting:
            return True  # the answer enqueues the app
        metrics.RECONCILES.labels(type(decision.action).__name__).inc()
        outcome = await self._apply(snapshot, decision)
        report = conditions.report(snapshot, decision, outcome)
        interval = float(app.spec.interval_seconds)
        self._scheduler.set_check(
            app.ref,
            report.check,
            interval,
            is_outcome_known=report.is_known,
            edge_answered=report.edge_answered,
        )
        if report.status != app.status:
            await self._statuses.write(app, report.status)
        return outcome.failure is None or outcome.failure.reason is Reason.FIELD_CONTESTED

    def _gather(self, app: App) -> Snapshot:
        return replace(
            self._state.snapshot(app),
            answers=self._inquirer.answers(app.ref),
            verification=self._scheduler.verification(app.ref),
            memory=self._memories.get(app.ref, Memory()),
            is_verified=self._is_verified,
            monotonic=time.monotonic(),
            now=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )

    # ---------------------------------------------------------------------------------------------------- apply

    async def _apply(self, snapshot: Snapshot, decision: Decision) -> Outcome:
        """Carry out a decision: created objects first, then the workload."""
        failure = await self._apply_steps(snapshot, decision) or decision.failure
        if failure is None and isinstance(decision.action, Apply):
            failure = await self._apply_action(snapshot, decision, decision.action)
        has_written = bool(decision.steps) or isinstance(decision.action, Apply)
        workload = self._state.workload(snapshot.app.workload) if has_written else snapshot.workload
        return Outcome(workload, failure, has_written)

    async def _apply_steps(self, snapshot: Snapshot, decision: Decision) -> Failure | None:
        app = snapshot.app
        if not decision.steps:
            return None

        def remember(step: Step, live: OwnedState) -> None:
            self._memories[app.ref] = ownership.record(self._memories[app.ref], app, step, live, time.monotonic())

        try:
            await self._objects.write(app, decision.steps, remember)
        except WriteError as failed:
            return self._failure(app, failed.error, failed.ref, failed.verb)
        return None

    async def _apply_action(self, snapshot: Snapshot, decision: Decision, action: Apply) -> Failure | None:
        app, workload, container = snapshot.app, snapshot.workload, decision.container
        assert workload is not None
        assert container is not None
        try:
            writes.ensure_current(self._state, app)
            failure = await self._workloads.apply(app, workload, container, action)
        except ApiError as error:
            metrics.WRITE_ERRORS.labels("workload", error.reason).inc()
            return self._failure(app, error, workload.written, "patch")
        memory = self._memories[app.ref]
        conflict = field_conflicts.record(
            memory.workload, action.basis, workload.template_digest, ", ".join(action.losers), time.monotonic()
        )
        self._memories[app.ref] = replace(memory, workload=conflict)
        return failure

    def _failure(self, app: App, error: ApiError, ref: Ref, verb: str) -> Failure:
        """Return the failure for a refused write; raises the error itself while a retry may succeed."""
        if error.is_transient and self._queue.failures(app.ref) < REPORTED_FAILURES:
            raise error
        return writes.failure(error, ref, verb)
