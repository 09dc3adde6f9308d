"""The report on one app: its status and its next check, after a decision, its writes and a verification.

Conditions follow the Kubernetes API conventions: a map by type, each with reason and message, and a
``lastTransitionTime`` that moves only when the status of that condition does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from chainlit_operator.domain import diagnosis, probes, session_affinity
from chainlit_operator.domain.adoption import is_new
from chainlit_operator.domain.alignment import Apply, Blocked, NoOp
from chainlit_operator.domain.condition_texts import given_by, mount_remedy, served, unknown_url
from chainlit_operator.domain.decide import Decision, Failure
from chainlit_operator.domain.model import (
    Check,
    Condition,
    Snapshot,
    Status,
    Verification,
    VerificationMode,
    Workload,
    WorkloadStatus,
)
from chainlit_operator.domain.reasons import ELSEWHERE, ConditionType, Reason
from chainlit_operator.domain.resolution import Resolved, Unresolved, missing_workload
from chainlit_operator.domain.resolution.origin import why_no_origin
from chainlit_operator.domain.verification_target import check_of

#: In characters. metav1.Condition allows 32,768, which is too long to read.
MAX_MESSAGE = 1024

#: Reasons of WebSocketReachable that are not the result of a verification.
_UNVERIFIED = frozenset({Reason.SUSPENDED, Reason.NOT_ALIGNED, Reason.VERIFICATION_DISABLED, Reason.SCALED_TO_ZERO})
#: Results that say nothing of the app: the operator could not ask it, and a browser perhaps can.
_UNDECIDED = frozenset({Reason.PLAIN_TEXT_REFUSED, Reason.PROBE_FAILED})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a decision's writes.

    ``workload`` is the record of the workload after the writes, ``failure`` the write that failed, and ``has_written``
    says whether the operator tried to write.
    """

    workload: Workload | None
    failure: Failure | None = None
    has_written: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """The check to verify from now on (None: nothing to verify), and the status that the app must have.

    ``is_known`` says that the former status has the result of this check: a restart need not verify it at once.
    ``edge_answered`` says that the app was reached at the URL of this check before.
    """

    check: Check | None
    status: Status
    is_known: bool = False
    edge_answered: bool = False


def report(snapshot: Snapshot, decision: Decision, outcome: Outcome) -> Report:
    """Return the report after the writes of ``decision``."""
    return _Reporter(snapshot, decision, outcome).report()


class _Reporter:
    """The conditions of one app; each method gives one of them."""

    def __init__(self, snapshot: Snapshot, decision: Decision, outcome: Outcome) -> None:
        self._snapshot, self._decision, self._outcome = snapshot, decision, outcome
        self._app, self._workload, self._failure = snapshot.app, outcome.workload, outcome.failure
        self._mode = snapshot.verification_mode
        #: The workload was deleted before its write was answered.
        self._has_vanished = snapshot.workload is not None and outcome.workload is None and outcome.failure is None
        self._route = self._unless_failed(decision.route)

    def _unless_failed(self, route: Resolved | Unresolved) -> Resolved | Unresolved:
        """The route, or the failure that kept the operator from creating the route or the workload."""
        if self._has_vanished:
            return Unresolved(Reason.WORKLOAD_NOT_FOUND, missing_workload(self._app))
        if self._failure is None or not self._is_missing():
            return route
        return Unresolved(self._failure.reason, self._failure.message)

    def _is_missing(self) -> bool:
        """Whether the created workload or the created route does not exist, or no route is resolved."""
        existing = {obj.ref for obj in self._snapshot.owned}
        created = [self._app.workload] if self._app.spec.template is not None else []
        if self._app.spec.creates_route and self._app.route is not None:
            created.append(self._app.route)
        return isinstance(self._decision.route, Unresolved) or not existing.issuperset(created)

    def report(self) -> Report:
        route_resolved, aligned, affinity = self._route_resolved(), self._aligned(), self._session_affinity()
        check = self._check(affinity) if aligned.status == "True" else None
        reachable = self._web_socket_reachable(aligned, check)
        ready = self._ready(route_resolved, aligned, affinity, reachable)
        conditions = tuple(self._dated(found) for found in (route_resolved, aligned, affinity, reachable, ready))
        status = self._status(conditions, check, is_aligned=aligned.status == "True")
        return Report(check, status, self._is_known(check), edge_answered=status.verified_url is not None)

    def _status(self, conditions: tuple[Condition, ...], check: Check | None, *, is_aligned: bool) -> Status:
        app, route = self._app, self._route
        former = (None, None) if is_new(app) else (app.status.root_path, app.status.parent_root_path)
        root_path, parent_root_path = (self._decision.root_paths or (None, None)) if is_aligned else former
        resolved = route if isinstance(route, Resolved) else None
        is_known = is_aligned or not is_new(app)
        kept = is_known and (app.status.kept if resolved is None else self._decision.kept is not None)
        return Status(
            observed_generation=app.generation,
            root_path=root_path,
            parent_root_path=parent_root_path,
            kept=kept,
            url=resolved.url if resolved else None,
            web_socket_url=resolved.web_socket_url if resolved else None,
            verified_url=self._verified_url(check),
            route=resolved.status if resolved else None,
            workload=self._workload_status(),
            conditions=conditions,
        )

    def _workload_status(self) -> WorkloadStatus | None:
        app, decision = self._app, self._decision
        if decision.container is None:
            return None
        return WorkloadStatus(
            app.workload.kind, app.workload.name, decision.container.name, decision.port, self._written_uid()
        )

    def _written_uid(self) -> str:
        """The uid of a workload that the operator has patched; a suspension ends that, as it releases fields."""
        workload, former, action = self._workload, self._app.status.workload, self._decision.action
        if workload is None or not workload.is_patched or self._app.spec.suspend:
            return ""
        is_written = isinstance(action, Apply) and self._failure is None
        is_known = former is not None and former.written_uid == workload.uid
        is_resumed = isinstance(action, NoOp) and probes.is_resumed(self._app)
        return workload.uid if is_written or is_known or is_resumed else ""

    def _verified_url(self, check: Check | None) -> str | None:
        """The URL at which the app was reached by a browser's requests; kept until the URL changes."""
        url = self._route.url if isinstance(self._route, Resolved) else None
        found = self._snapshot.verification
        if found is not None and found.check == check:
            return url if found.edge.has_answered else None
        is_asked = self._mode in (VerificationMode.AUTO, VerificationMode.EDGE)
        return url if is_asked and url == self._app.status.verified_url else None

    def _dated(self, condition: Condition) -> Condition:
        former = self._app.status.condition(condition.type)
        is_same = former is not None and former.status == condition.status and former.last_transition_time
        time = former.last_transition_time if former is not None and is_same else self._snapshot.now
        return condition.dated(self._app.generation, time)

    # ------------------------------------------------------------------------------------- RouteResolved, Aligned

    def _route_resolved(self) -> Condition:
        route = self._route
        if isinstance(route, Unresolved):
            return _condition(ConditionType.ROUTE_RESOLVED, "False", route.reason, route.message)
        warnings = (f"Warning: {text}" for text in route.warnings)
        message = " ".join((given_by(route), *warnings))
        return _condition(ConditionType.ROUTE_RESOLVED, "True", Reason.RESOLVED, message)

    def _aligned(self) -> Condition:
        action, route, container = self._decision.action, self._route, self._decision.container
        if self._failure is not None:
            return _condition(ConditionType.ALIGNED, "False", self._failure.reason, self._failure.message)
        if self._has_vanished and isinstance(route, Unresolved):
            return _condition(ConditionType.ALIGNED, "False", route.reason, route.message)
        if isinstance(action, Blocked):
            is_open = action.reason in (Reason.SUSPENDED, Reason.VERIFICATION_PENDING)
            value = "Unknown" if is_open else "False"
            return _condition(ConditionType.ALIGNED, value, action.reason, action.message)
        assert isinstance(route, Resolved)
        assert container is not None
        where = f"Container {container.name} of {self._app.workload}"
        if self._decision.root_paths is None:
            message = (
                f"Another app in {where[0].lower()}{where[1:]} mounts Chainlit at {self._app.spec.mount_path}, so no "
            )
            return _condition(
                ConditionType.ALIGNED, "True", Reason.MOUNTED, message + "variable decides about its path."
            )
        kept = self._decision.kept
        message = f"{where} {served(container, self._decision.root_paths, route, kept)}"
        reason = Reason.ALIGNED if kept is None else Reason.KEPT
        return _condition(ConditionType.ALIGNED, "True", reason, " ".join((message, *self._decision.warnings)))

    def _session_affinity(self) -> Condition:
        snapshot = replace(self._snapshot, workload=self._workload)
        found = session_affinity.decide(snapshot, self._route, self._decision.container)
        return _condition(ConditionType.SESSION_AFFINITY, *found)

    # ------------------------------------------------------------------------------------------ WebSocketReachable

    def _resolved(self) -> Resolved:
        """The route of an aligned app."""
        assert isinstance(self._route, Resolved)
        return self._route

    def _check(self, affinity: Condition) -> Check | None:
        """The check of an aligned app; None while its pods cannot be asked."""
        if self._mode is VerificationMode.DISABLED or self._workload is None or _rollout(self._workload) is not None:
            return None
        assert self._decision.container is not None
        is_spread = affinity.status == "False"
        container = self._decision.container
        return check_of(self._snapshot, self._resolved(), container, self._workload, is_spread=is_spread)

    def _web_socket_reachable(self, aligned: Condition, check: Check | None) -> Condition:
        if aligned.status != "True" or self._workload is None:
            reason = Reason.SUSPENDED if aligned.reason == Reason.SUSPENDED else Reason.NOT_ALIGNED
            message = "The WebSocket is not tested while the app is not aligned. See the condition Aligned."
            return _reachable("Unknown", reason, message)
        if self._mode is VerificationMode.DISABLED:
            disabled = _reachable("Unknown", Reason.VERIFICATION_DISABLED, self._why_disabled())
            return self._refused_by_route() or disabled
        known = self._refused_by_route() or self._unready(self._workload)
        if known is not None:
            return known
        found = self._snapshot.verification
        if check is None:
            return self._awaiting() if self._outcome.has_written else self._without_address()
        return self._verified(found) if found is not None and found.check == check else self._awaiting()

    def _unready(self, workload: Workload) -> Condition | None:
        """Why the pods cannot be verified yet, with what they say about it."""
        condition = _rollout(workload)
        if condition is not None and condition.reason == Reason.SCALED_TO_ZERO:
            return self._replaced(condition)
        return None if condition is None else self._explained(condition)

    def _replaced(self, condition: Condition) -> Condition:
        """The condition of a workload without replicas: another one may run its pod template."""
        own = self._app.workload
        user = next((each.workload for each in self._snapshot.companions if each.pod_source == own), None)
        if user is None:
            return condition
        message = f"{own} has no replicas, and {user} runs its pod template. Name the {user.kind} in spec.workload.ref."
        return replace(condition, message=message)

    def _explained(self, condition: Condition) -> Condition:
        """The condition with what the app's pods say about it. Those before a write say nothing of those after it."""
        before, now = self._snapshot.workload, self._workload
        if before is None or now is None or before.generation != now.generation:
            return condition
        container, found = self._decision.container, diagnosis.finding(self._snapshot, self._decision.questions)
        assert container is not None
        return diagnosis.explained(condition, found, container, self._resolved())

    def _why_disabled(self) -> str:
        if self._app.spec.verification is VerificationMode.DISABLED:
            return "spec.verification.mode is Disabled, so the WebSocket is not tested."
        return (
            "The operator runs with --no-verification, so the WebSocket is not tested. Set verification.enabled=true "
            "in the operator's chart."
        )

    def _without_address(self) -> Condition:
        """There is no address to verify, until somebody changes an object."""
        kept = self._decision.kept
        if self._mode is VerificationMode.EDGE and kept is not None and kept.outer:
            return _reachable("Unknown", Reason.URL_NOT_STATED, unknown_url(kept))
        if self._mode is VerificationMode.EDGE:
            message = f"{self._why_no_url()}, or set spec.verification.mode to Backend."
            return _reachable("Unknown", Reason.ROUTE_WITHOUT_ADDRESS, message)
        message = "The Service behind the route has neither a cluster IP nor pods to ask. Use a ClusterIP Service."
        return _reachable("Unknown", Reason.SERVICE_WITHOUT_ADDRESS, message)

    def _why_no_url(self) -> str:
        """Why no URL of the app is known, and the remedy."""
        status, snapshot = self._resolved().status, self._snapshot
        route = next((route for route in snapshot.routes if route.ref == status.ref(snapshot.app.ref)), None)
        if route is None:
            return "The spec states no URL to open as a browser does. Set spec.route.url"
        why, remedy = why_no_origin(route, status.host, snapshot.watched)
        return f"{status.shown} {why}, so there is no URL to open as a browser does. {remedy}"

    def _refused_by_route(self) -> Condition | None:
        """The refusal of the WebSocket by the route, where its URL is not the proof. No test is needed to know it."""
        refusal = self._resolved().web_socket_refusal
        if not refusal or self._mode is VerificationMode.EDGE:
            return None
        return _reachable("False", Reason.WEB_SOCKET_NOT_ENABLED, refusal)

    def _verified(self, found: Verification) -> Condition:
        """The result of a verification. A failure that the spec or the route explains gets that explanation."""
        refusal = self._resolved().web_socket_refusal
        if refusal and found.reason is Reason.UPGRADE_REFUSED:
            return _reachable("False", Reason.WEB_SOCKET_NOT_ENABLED, refusal)
        if self._app.spec.mount_path and found.app_reason in ELSEWHERE:
            message = mount_remedy(self._app, self._resolved(), found)
            return _reachable("False", Reason.MOUNT_PATH_NOT_SERVED, message)
        failed = "Unknown" if found.reason in _UNDECIDED else "False"
        condition = _reachable("True" if found.reachable else failed, found.reason, found.message)
        return condition if found.reachable else self._explained(condition)

    def _awaiting(self) -> Condition:
        """The former condition until the result is known, so that a verification costs one status write, not two.

        It does not stay after a change of the spec or, at the edge, of the URL.
        """
        former = self._app.status.condition(ConditionType.WEBSOCKET_REACHABLE)
        is_same = former is not None and former.observed_generation == self._app.generation
        if self._mode is VerificationMode.EDGE:
            is_same = is_same and self._app.status.url == self._resolved().url
        if former is not None and is_same and former.reason not in _UNVERIFIED:
            return former
        return _reachable("Unknown", Reason.VERIFICATION_PENDING, "The WebSocket will be tested in a moment.")

    def _is_known(self, check: Check | None) -> bool:
        """Whether the former status has the result of this check: the app was reachable at the same public path."""
        former = self._app.status.condition(ConditionType.WEBSOCKET_REACHABLE)
        if check is None or former is None or former.status != "True":
            return False
        status = self._app.status
        public = None if status.root_path is None else (status.parent_root_path or "") + status.root_path
        is_same_path = public in (check.page_prefix + check.root_path, None)
        return former.observed_generation == self._app.generation and is_same_path

    # ------------------------------------------------------------------------------------------------------- Ready

    def _ready(
        self, route_resolved: Condition, aligned: Condition, affinity: Condition, reachable: Condition
    ) -> Condition:
        needed = [route_resolved, aligned]
        if affinity.status == "False":  # Unknown leaves Ready alone
            needed.append(affinity)
        if self._mode is not VerificationMode.DISABLED or reachable.status == "False":
            needed.append(reachable)
        if aligned.reason == Reason.SUSPENDED:
            needed = [aligned]
        for condition in needed:
            if condition.status != "True":
                return _condition(ConditionType.READY, condition.status, condition.reason, condition.message)
        if self._decision.kept is not None and self._decision.kept.outer and aligned.status == "True":
            return _condition(ConditionType.READY, "Unknown", Reason.URL_NOT_STATED, unknown_url(self._decision.kept))
        proof = "and its WebSocket answers" if reachable.status == "True" else "(its WebSocket is not tested)"
        return _condition(ConditionType.READY, "True", Reason.READY, f"Chainlit has the route's path {proof}.")


def _condition(type_: ConditionType, status: str, reason: str, message: str) -> Condition:
    return Condition(str(type_), status, str(reason), message[:MAX_MESSAGE])


def _reachable(status: str, reason: Reason | str, message: str) -> Condition:
    return _condition(ConditionType.WEBSOCKET_REACHABLE, status, reason, message)


def _rollout(workload: Workload) -> Condition | None:
    """Why the pods cannot be verified yet; None if all of them run the present template."""
    rollout, name = workload.rollout, f"{workload.ref.kind} {workload.ref.name}"
    if rollout.desired == 0:
        return _reachable("Unknown", Reason.SCALED_TO_ZERO, f"{name} has no replicas. Scale it up.")
    is_current = rollout.observed_generation >= workload.generation
    if is_current and rollout.failure:
        return _reachable("False", Reason.ROLLOUT_FAILED, f"{rollout.failure} Look at the logs and events of the pods.")
    if workload.is_rolled_out:
        return None
    if rollout.paused_by:
        message = (
            f"{workload.ref} has {rollout.paused_by}, so pods of a former template stay. {rollout.resumed_by} The "
            "WebSocket is tested when all pods run the present template."
        )
        return _reachable("Unknown", Reason.ROLLOUT_HELD, message)
    # Without counters: each of them would cost a write of the status.
    message = f"{name} is rolling out. The WebSocket is tested when all pods run the present template."
    return _reachable("Unknown", Reason.ROLLOUT_IN_PROGRESS, f"{message} {workload.rollout_hint}".rstrip())
