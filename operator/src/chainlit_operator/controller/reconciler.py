"""The reconciler: snapshot → plan → at most one write to the workload → at most one of the status.

Level-triggered: what event came, in what order or how often, is not known here. Nothing is written when nothing
differs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chainlit_operator.controller.event_recorder import EventRecorder
from chainlit_operator.controller.object_writer import ObjectWriter, RefusedError, WriteError
from chainlit_operator.domain import conditions as statuses
from chainlit_operator.domain import field_conflicts as contests
from chainlit_operator.domain import field_release, routes
from chainlit_operator.domain.model import (
    App,
    Container,
    Snapshot,
    Status,
    Trial,
    VerificationMode,
    WatchedObject,
    Workload,
)
from chainlit_operator.domain.plan import (
    FIELD_MANAGER,
    Apply,
    Blocked,
    NoOp,
    Plan,
    apply_configuration,
    gives_up,
    plan,
)
from chainlit_operator.domain.reasons import ConditionType, Reason
from chainlit_operator.kinds import registry
from chainlit_operator.kinds.chainlitapp import app_from_json, encode_status
from chainlit_operator.kube.client import Api, read
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.kube.workqueue import WorkQueue
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import metrics
from chainlit_operator.state import State, decoding
from chainlit_operator.verification.scheduler import VerificationScheduler

logger = logging.getLogger(__name__)

#: A failure that may pass by itself is told when it has happened that often in a row.
TOLD_FAILURES = 3
_NOT_KEPT = (
    "The API server accepted the change, but the object does not have it: a mutating webhook or another writer takes "
    "it out again. Exempt the workload from that one, or suspend this ChainlitApp."
)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a write to the workload came to: the plan as it is after it, and what was refused, if anything."""

    snapshot: Snapshot
    plan: Plan
    failure: statuses.Failure | None = None


class Reconciler:
    """Brings apps, one key at a time, to what their snapshot asks for."""

    def __init__(
        self,
        api: Api,
        cache: State,
        queue: WorkQueue[Ref],
        scheduler: VerificationScheduler,
        recorder: EventRecorder,
        *,
        verification: bool = True,
    ) -> None:
        """``verification`` False turns it off for all apps, whatever they ask for."""
        self._api, self._cache, self._queue = api, cache, queue
        self._scheduler, self._recorder = scheduler, recorder
        self._verification = verification
        self._contests: dict[Ref, contests.Contest] = {}
        self._trials: dict[Ref, Trial | None] = {}
        self._creator = ObjectWriter(api, cache, recorder)
        self._readers: dict[str, Callable[[bytes], WatchedObject]] = {
            name: decoding.decoder(kind, cache.find) for name, kind in registry.WORKLOADS.items()
        }

    async def work(self) -> None:
        """Take keys off the queue until it is closed."""
        while (ref := await self._queue.get()) is not None:
            started = time.perf_counter()
            try:
                await self._guarded(ref)
            finally:
                self._queue.done(ref)
                metrics.RECONCILE_SECONDS.observe(time.perf_counter() - started)

    def forget(self) -> None:
        """Forget what was done so far: somebody else goes on."""
        self._contests.clear()
        self._trials.clear()
        self._creator.forget_all()

    async def _guarded(self, ref: Ref) -> None:
        """Reconcile; a failure costs this app a pause and nobody else anything."""
        try:
            is_done = await self.reconcile(ref)
        except ApiError as error:
            pause = self._queue.retry(ref)
            # A conflict is nobody's fault, as long as the watch brings what has changed.
            is_usual = error.code == 409 and self._queue.failures(ref) < TOLD_FAILURES
            level = logging.INFO if is_usual else logging.WARNING
            logger.log(level, "%s: %s; tried again in %.1f s", ref, error.message, pause)
        except Exception:
            pause = self._queue.retry(ref)
            logger.exception("%s: unexpected error; tried again in %.1f s", ref, pause)
        else:
            if is_done:
                self._queue.forget(ref)
            else:
                self._queue.retry(ref)

    async def reconcile(self, ref: Ref) -> bool:
        """Bring one app to what it asks for, or release one workload.

        Returns False if it must be tried again; raises ApiError.
        """
        if ref.kind in registry.WORKLOADS:
            await self._release(ref)
            return True
        app = self._cache.apps.get(ref)
        if app is None:
            self._scheduler.set_check(ref, None, 0.0, is_outcome_known=False)
            self._contests.pop(ref, None)
            self._trials.pop(ref, None)
            self._creator.forget(ref)
            return True
        if not self._verification:
            app = replace(app, spec=replace(app.spec, verification=VerificationMode.DISABLED))
        former = app.status
        app = self._after_verification(app)
        failure = await self._create(app)
        outcome = await self._carry_out(app) if failure is None else self._give_up(app, failure)
        metrics.RECONCILES.labels(type(outcome.plan.action).__name__).inc()
        workload = outcome.snapshot.workload
        self._verify(app, outcome.plan, workload)
        status = statuses.status(
            app, outcome.plan, workload, self._scheduler.verification(ref), outcome.failure, _now()
        )
        if status != former:
            await self._write_status(app, status)
        return outcome.failure is None or outcome.failure.reason is Reason.FIELD_CONTESTED

    # ----------------------------------------------------------------------------------------- created objects

    async def _create(self, app: App) -> statuses.Failure | None:
        """Bring about what the app creates; returns what stands in the way. Raises ApiError for what may pass."""
        try:
            await self._creator.sync(app)
        except RefusedError as refused:
            return refused.failure
        except WriteError as failed:
            if failed.error.is_transient and self._queue.failures(app.ref) < TOLD_FAILURES:
                raise failed.error from failed
            return _failure(failed.error, failed.ref, failed.verb)
        return None

    def _give_up(self, app: App, failure: statuses.Failure) -> _Outcome:
        """The plan where an object could not be created or repaired: what is missing is so for that reason."""
        snapshot, decision, _ = self._decide(app)
        if isinstance(decision.route, routes.Unresolved):
            decision = replace(decision, route=routes.Unresolved(failure.reason, failure.message))
        return _Outcome(snapshot, decision, failure)

    def _after_verification(self, app: App) -> App:
        """The app with what its verification, or its rollout, says of the trial in its status.

        What is not in the status yet, because it could not be written, counts all the same: a trial begins once.
        """
        if app.ref in self._trials:
            app = replace(app, status=replace(app.status, trial=self._trials[app.ref]))
        verification = self._scheduler.verification(app.ref)
        if app.status.trial is None and (verification is None or verification.reachable):
            return app
        snapshot = self._cache.snapshot(app)
        trial = statuses.trial(app, plan(snapshot), snapshot.workload, verification)
        if trial != app.status.trial:
            self._trials[app.ref] = trial
        return replace(app, status=replace(app.status, trial=trial))

    # ------------------------------------------------------------------------------------------------- workload

    async def _carry_out(self, app: App) -> _Outcome:
        """Plan, and apply what the plan says; raises ApiError for what may pass by itself."""
        snapshot, decision, basis = self._decide(app)
        if isinstance(decision.action, NoOp):
            if (contest := self._contests.get(app.ref)) is not None:
                self._contests[app.ref] = contests.settled(contest)
        elif isinstance(decision.action, Blocked):
            if decision.action.reason is Reason.FIELD_CONTESTED:
                self._contests[app.ref] = contests.give_up(self._contests[app.ref], _state(snapshot.workload))
        elif snapshot.workload is not None and decision.container is not None:
            try:
                await self._apply(app, snapshot.workload, decision.container, decision.action, basis)
            except ApiError as error:
                metrics.WRITE_ERRORS.labels("workload", error.reason).inc()
                if error.is_transient and self._queue.failures(app.ref) < TOLD_FAILURES:
                    raise
                return _Outcome(snapshot, decision, _failure(error, snapshot.workload.ref, "patch"))
            snapshot, decision, _ = self._decide(app)
            if isinstance(decision.action, Apply):
                return _Outcome(snapshot, decision, statuses.Failure(Reason.APPLY_REFUSED, _NOT_KEPT))
        return _Outcome(snapshot, decision)

    def _decide(self, app: App) -> tuple[Snapshot, Plan, tuple[object, ...]]:
        """Plan without regard to contests first: what is contested depends on what is wanted."""
        snapshot = self._cache.snapshot(app)
        decision = plan(snapshot)
        if not isinstance(decision.action, Apply) or snapshot.workload is None or decision.container is None:
            return snapshot, decision, ()
        action, state = decision.action, _state(snapshot.workload)
        basis = (app.uid, app.generation, snapshot.workload.uid, decision.container.image, action.env, action.probes)
        if app.ref not in self._contests and isinstance(decision.route, routes.Resolved):
            known = contests.remembered(app, decision.route.status, basis, state, action.rivals)
            if known is not None:
                self._contests[app.ref] = known
        manager = contests.contested_by(self._contests.get(app.ref), basis, state, time.monotonic())
        if manager:
            snapshot = self._cache.snapshot(app, contested_by=manager)
            decision = plan(snapshot)
        return snapshot, decision, basis

    async def _apply(
        self, app: App, workload: Workload, container: Container, action: Apply, basis: tuple[object, ...]
    ) -> None:
        """Write, and remember it: writing the same again means that somebody set it back."""
        if gives_up(workload, container, action):
            try:
                await self._give_back(workload)
            except ApiError as error:
                if error.code == 422:  # it has changed since, and is to be looked at again
                    raise ApiError(409, "Conflict", error.message) from error
                raise
        body = apply_configuration(workload, container, action)
        answer = await self._api.apply(workload.ref, body, FIELD_MANAGER)
        metrics.WRITES.labels("workload").inc()
        former, losers = self._contests.get(app.ref), ", ".join(action.rivals)
        self._contests[app.ref] = contests.record(former, basis, _state(workload), losers, time.monotonic())
        self._take(workload.ref, answer)
        logger.info("%s: %s in container %s of %s", app.ref, action.summary, container.name, workload.ref)
        self._recorder.record(app, "Normal", Reason.ALIGNED, f"{workload.ref}: {action.summary}")
        if action.rivals:
            self._tell_takeover(app, workload, action)

    def _take(self, ref: Ref, answer: bytes) -> None:
        """Take what a write left, unless it is gone: its deletion may be told before the answer is there."""
        found = read(self._readers[ref.kind], answer)
        if self._cache.workload(ref) is not None:
            self._cache.upsert(found, quiet=True)

    def _tell_takeover(self, app: App, workload: Workload, action: Apply) -> None:
        metrics.TAKEOVERS.inc(len(action.takeovers))
        probes = dict(action.probes)
        names = (f"{name}.httpGet.path" if name in probes else name for name, _ in action.takeovers)
        fields = ", ".join(dict.fromkeys(names))
        managers = ", ".join(repr(rival) for rival in action.rivals)
        message = (
            f"Took {fields} of {workload.ref} over from field manager {managers}. Remove that from what it applies: a "
            f"server-side apply (as Helm 4 does) will report a conflict with {FIELD_MANAGER!r}, any other will set it "
            "back."
        )
        logger.info("%s: %s", app.ref, message)
        self._recorder.record(app, "Normal", "TookOver", message)

    async def _release(self, ref: Ref) -> None:
        """Take the operator's entry out of a workload that no app wants it in; raises ApiError."""
        workload = self._cache.to_release(ref)
        if workload is None:
            return
        try:
            await self._give_back(workload)
        except ApiError as error:
            if error.code == 404:
                return
            metrics.WRITE_ERRORS.labels("release", error.reason).inc()
            if error.is_transient:
                raise
            # 422: it has changed since, and the watch will bring what to try again with.
            logger.log(
                logging.INFO if error.code == 422 else logging.WARNING, "%s: not released: %s", ref, error.message
            )
            return
        logger.info("%s: released; what was set stays as it is", ref)

    async def _give_back(self, workload: Workload) -> None:
        """Take the operator's entry out of a workload; raises ApiError."""
        answer = await self._api.patch_json(workload.ref, field_release.json_patch(workload), FIELD_MANAGER)
        metrics.WRITES.labels("release").inc()
        self._take(workload.ref, answer)

    # ------------------------------------------------------------------------------------- verification, status

    def _verify(self, app: App, decision: Plan, workload: Workload | None) -> None:
        check = statuses.check(app, decision, workload)
        reachable = app.status.condition(ConditionType.WEBSOCKET_REACHABLE)
        is_outcome_known = (
            reachable is not None
            and reachable.status == "True"
            and reachable.observed_generation == app.generation
            and check is not None
            and _public_prefix(app.status) in (check.page_prefix + check.root_path, None)
        )
        self._scheduler.set_check(app.ref, check, float(app.spec.interval_seconds), is_outcome_known=is_outcome_known)

    async def _write_status(self, app: App, status: Status) -> None:
        """Write what was found, unless what it is about is there no more, which then is due again as it is by now."""
        current = self._cache.apps.get(app.ref)
        if current is None or current.uid != app.uid:
            self._trials.pop(app.ref, None)
            return
        if current.generation != app.generation:
            return
        body = encode_status(current, status)
        try:
            answer = await self._api.replace_status(body, app.ref, FIELD_MANAGER)
        except ApiError as error:
            if error.code != 409:  # it has changed, which is nobody's fault
                metrics.WRITE_ERRORS.labels("status", error.reason).inc()
            # Deleted meanwhile; its event may have been missed. A 404 of something on the way has another reason.
            if error.reason == "NotFound":
                if self._cache.apps.get(app.ref) is current:
                    self._cache.remove_app(app.ref)
                return
            raise
        metrics.WRITES.labels("status").inc()
        self._trials.pop(app.ref, None)
        written = read(app_from_json, answer)
        current = self._cache.apps.get(app.ref)
        # One that was deleted or changed while this was written is news, and the watch tells it.
        if current is not None and (written.uid, written.generation) == (current.uid, app.generation):
            self._cache.put_app(written, quiet=True)
        self._tell_ready(app, status)

    def _tell_ready(self, app: App, status: Status) -> None:
        """An Event when Ready changes for better or worse, not for each passing state in between."""
        before, after = app.status.condition(ConditionType.READY), status.condition(ConditionType.READY)
        if after is None or (before is not None and (before.status, before.reason) == (after.status, after.reason)):
            return
        logger.info("%s: Ready=%s %s: %s", app.ref, after.status, after.reason, after.message)
        if after.status == "Unknown":
            return
        self._recorder.record(app, "Normal" if after.status == "True" else "Warning", after.reason, after.message)


def _state(workload: Workload | None) -> int:
    """What tells one pod template from another."""
    return workload.digests[0] if workload is not None else 0


def _public_prefix(status: Status) -> str | None:
    """The prefix in the browser's URL by a status; None for an app whose variables are not the operator's."""
    return None if status.root_path is None else (status.parent_root_path or "") + status.root_path


def _failure(error: ApiError, ref: Ref, verb: str) -> statuses.Failure:
    """Words for a write that will not pass by itself; ``verb`` is what was to be done to the object."""
    missing = error.missing_verb
    if missing:
        message = f"The operator may not {verb} {ref}: grant its ServiceAccount the verb {missing} there."
        if missing != "patch" or ref.kind not in registry.WORKLOADS:
            message += " Its chart does so unless creation.enabled is false."
        return statuses.Failure(Reason.FORBIDDEN, message)
    if error.is_transient:
        message = f"The API server cannot take the change, and it is tried again: {error.message}"
        return statuses.Failure(Reason.APPLY_REFUSED, message)
    return statuses.Failure(Reason.APPLY_REFUSED, f"The API server refused the change: {error.message}")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
