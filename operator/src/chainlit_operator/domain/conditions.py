"""The status of a ChainlitApp: conditions from a plan, a rollout and a verification.

Conditions follow the Kubernetes API conventions: a map by type, each with reason and message, and a
``lastTransitionTime`` that moves only when the status of that condition does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from chainlit_operator.domain import paths, routes, trials
from chainlit_operator.domain.chainlit import PARENT_ROOT_PATH, ROOT_PATH
from chainlit_operator.domain.model import (
    App,
    Condition,
    Status,
    Trial,
    TrialOutcome,
    VerificationMode,
    Workload,
    WorkloadStatus,
)
from chainlit_operator.domain.plan import Blocked, NoOp, Plan
from chainlit_operator.domain.reasons import ConditionType, Reason

#: metav1.Condition allows 32,768 characters; nobody reads that many.
MAX_MESSAGE = 1024


@dataclass(frozen=True, slots=True)
class Check:
    """Where to verify the WebSocket: what is asked, and what the answer holds for.

    ``base_url`` is scheme, host and port of the Service, ``root_path`` the prefix there, and ``page_prefix`` what the
    page's HTML puts before it. ``edge_url`` is scheme, host and port that a browser asks, where that is verified; then
    ``base_url`` may be empty. Two equal checks of an unchanged app have equal answers, so ``target`` (the pods' port
    behind the Service), ``generation`` (since which the pods have their template), ``uid`` and, at the edge, the number
    of ``pods`` among which requests are spread belong to it.
    """

    base_url: str
    root_path: str
    page_prefix: str
    target: str
    uid: str
    generation: int
    edge_url: str = ""
    pods: int = 0

    @property
    def at_edge(self) -> bool:
        """Whether the route's URL is verified, as a browser would."""
        return bool(self.edge_url)


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of a check."""

    check: Check
    reachable: bool
    reason: Reason
    message: str
    at_service: Reason | None = None
    """What the Service answered, where the edge was asked and failed; None where the Service was not asked."""

    @property
    def found(self) -> Reason | None:
        """The reason that tells of the app itself, whatever stands before it."""
        return self.at_service if self.check.at_edge and not self.reachable else self.reason


@dataclass(frozen=True, slots=True)
class Failure:
    """A write that the API server refused."""

    reason: Reason
    message: str


def check(app: App, plan: Plan, workload: Workload | None) -> Check | None:
    """Return what to verify now; None while there is nothing to verify."""
    route = plan.route
    if app.spec.verification is VerificationMode.DISABLED or workload is None:
        return None
    if isinstance(route, routes.Unresolved) or not isinstance(plan.action, NoOp) or plan.container is None:
        return None
    if _rollout_condition(workload) is not None:
        return None
    at_edge = app.spec.verification is VerificationMode.EDGE
    base_url, edge_url = _base_url(route, plan), _edge_url(route) if at_edge else ""
    if not (edge_url if at_edge else base_url):
        return None
    return Check(
        base_url=base_url or "",
        root_path=route.served,
        page_prefix=route.roots.parent_root_path,
        target=str(next((port.target for port in route.service.ports if port.matches(route.service_port)), "")),
        uid=workload.uid,
        generation=workload.generation,
        edge_url=edge_url,
        pods=workload.rollout.available if at_edge else 0,
    )


def trial(app: App, plan: Plan, workload: Workload | None, verification: Verification | None) -> Trial | None:
    """Return what a verification, or a rollout that failed, makes of the trial that the plan followed."""
    route, container = plan.route, plan.container
    if workload is None or container is None or isinstance(route, routes.Unresolved):
        return plan.trial
    is_pending = plan.trial is not None and plan.trial.outcome is TrialOutcome.PENDING
    if is_pending and workload.rollout.failure and workload.rollout.observed_generation >= workload.generation:
        return Trial(container.image, TrialOutcome.FAILS)
    if verification is None:
        return plan.trial
    other = trials.other_roots(route.public, route.backend, route.roots)
    may_begin = bool(route.roots.parent_root_path) if app.spec.mount_path else other is not None
    if (plan.trial is None and not may_begin) or verification.check != check(app, plan, workload):
        return plan.trial
    return trials.advance(plan.trial, container.image, verification.found, is_reachable=verification.reachable)


def status(
    app: App,
    plan: Plan,
    workload: Workload | None,
    verification: Verification | None,
    failure: Failure | None,
    now: str,
) -> Status:
    """Return the status that the app must have; ``now`` is an RFC 3339 time for conditions that change."""
    route_resolved = _route_resolved(plan)
    aligned = _aligned(app, plan, workload, failure)
    reachable = _web_socket_reachable(app, plan, workload, verification, aligned)
    ready = _ready(app, route_resolved, aligned, reachable)
    resolved = plan.route if isinstance(plan.route, routes.Resolved) else None
    root_path, parent_root_path = app.status.root_path, app.status.parent_root_path
    if aligned.status == "True":
        root_path, parent_root_path = plan.roots or (None, None)
    return Status(
        observed_generation=app.generation,
        root_path=root_path,
        parent_root_path=parent_root_path,
        url=resolved.url if resolved else None,
        web_socket_url=resolved.web_socket_url if resolved else None,
        route=resolved.status if resolved else None,
        workload=WorkloadStatus(app.workload.kind, app.workload.name, plan.container.name) if plan.container else None,
        trial=plan.trial,
        conditions=tuple(_dated(app, condition, now) for condition in (route_resolved, aligned, reachable, ready)),
    )


def _condition(type_: ConditionType, status_: str, reason: str, message: str) -> Condition:
    return Condition(str(type_), status_, str(reason), message[:MAX_MESSAGE])


def _dated(app: App, condition: Condition, now: str) -> Condition:
    former = app.status.condition(condition.type)
    same = former is not None and former.status == condition.status and former.last_transition_time
    time = former.last_transition_time if former is not None and same else now
    return Condition(condition.type, condition.status, condition.reason, condition.message, app.generation, time)


def _route_resolved(plan: Plan) -> Condition:
    route = plan.route
    if isinstance(route, routes.Unresolved):
        return _condition(ConditionType.ROUTE_RESOLVED, "False", route.reason, route.message)
    where = f"host {route.status.host}" if route.status.host else "any host"
    message = f"{route.status.kind} {route.status.name} gives path {route.status.path} on {where}."
    return _condition(ConditionType.ROUTE_RESOLVED, "True", Reason.RESOLVED, message)


def _aligned(app: App, plan: Plan, workload: Workload | None, failure: Failure | None) -> Condition:
    if failure is not None:
        return _condition(ConditionType.ALIGNED, "False", failure.reason, failure.message)
    if isinstance(plan.action, Blocked):
        value = "Unknown" if plan.action.reason is Reason.SUSPENDED else "False"
        return _condition(ConditionType.ALIGNED, value, plan.action.reason, plan.action.message)
    if not isinstance(plan.action, NoOp) or isinstance(plan.route, routes.Unresolved):
        return _condition(ConditionType.ALIGNED, "False", Reason.APPLY_REFUSED, "The workload is about to be changed.")
    container = f"Container {plan.container.name if plan.container else ''} of {app.workload}"
    roots = plan.roots or paths.RootPaths("", "")
    values = [f"{PARENT_ROOT_PATH}={roots.parent_root_path!r}"] if roots.parent_root_path else []
    if not app.spec.mount_path:
        values.insert(0, f"{ROOT_PATH}={roots.root_path!r}")
    if values:
        return _condition(ConditionType.ALIGNED, "True", Reason.ALIGNED, f"{container} has {' and '.join(values)}.")
    message = f"{container} has Chainlit mounted in another app at {app.spec.mount_path}: no variable decides there."
    return _condition(ConditionType.ALIGNED, "True", Reason.MOUNTED, message)


def _web_socket_reachable(
    app: App, plan: Plan, workload: Workload | None, verification: Verification | None, aligned: Condition
) -> Condition:
    kind = ConditionType.WEBSOCKET_REACHABLE
    if aligned.status != "True" or workload is None:
        reason = Reason.SUSPENDED if aligned.reason == Reason.SUSPENDED else Reason.NOT_ALIGNED
        return _condition(kind, "Unknown", reason, "Not verified while the workload is not aligned.")
    if app.spec.verification is VerificationMode.DISABLED:
        message = "spec.verification.mode is Disabled."
        return _condition(kind, "Unknown", Reason.VERIFICATION_DISABLED, message)
    known = _refused(app, plan) or _rollout_condition(workload)
    if known is not None:
        return known
    wanted = check(app, plan, workload)
    if wanted is None:
        return _without_address(app, plan)
    if verification is not None and verification.check == wanted:
        return _verified(app, plan, verification)
    return _awaiting(app, plan)


def _without_address(app: App, plan: Plan) -> Condition:
    """Nothing can be asked, neither now nor later, until somebody changes something."""
    kind = ConditionType.WEBSOCKET_REACHABLE
    if app.spec.verification is VerificationMode.EDGE and isinstance(plan.route, routes.Resolved):
        route = plan.route.status
        host = f"only the wildcard host {route.host}" if route.host else "no host, and its status no address"
        message = (
            f"{route.kind} {route.name} has {host}, so there is no URL to ask as a browser would: add a host to it, or "
            "set spec.verification.mode to Backend."
        )
        return _condition(kind, "Unknown", Reason.ROUTE_WITHOUT_ADDRESS, message)
    message = "The Service behind the route has neither a cluster IP nor pods to be asked: use a ClusterIP Service."
    return _condition(kind, "Unknown", Reason.SERVICE_WITHOUT_ADDRESS, message)


def _refused(app: App, plan: Plan) -> Condition | None:
    """What the route says of the edge, where that is not asked itself."""
    refusal = plan.route.web_socket_refusal if isinstance(plan.route, routes.Resolved) else ""
    if not refusal or app.spec.verification is not VerificationMode.BACKEND:
        return None
    return _condition(ConditionType.WEBSOCKET_REACHABLE, "False", Reason.WEB_SOCKET_NOT_ENABLED, refusal)


def _verified(app: App, plan: Plan, verification: Verification) -> Condition:
    """What a verification found; where the spec or the route says why it failed, in those words."""
    kind = ConditionType.WEBSOCKET_REACHABLE
    refusal = plan.route.web_socket_refusal if isinstance(plan.route, routes.Resolved) else ""
    if refusal and verification.reason is Reason.UPGRADE_REFUSED:
        return _condition(kind, "False", Reason.WEB_SOCKET_NOT_ENABLED, refusal)
    if app.spec.mount_path and verification.found in trials.ELSEWHERE:
        return _condition(kind, "False", Reason.MOUNT_PATH_NOT_SERVED, _mount_remedy(app, plan, verification))
    value = "True" if verification.reachable else "False"
    return _condition(kind, value, verification.reason, verification.message)


def _mount_remedy(app: App, plan: Plan, verification: Verification) -> str:
    """What to change about an outer app; proved on FastAPI (``docs/versions.md``)."""
    assert isinstance(plan.route, routes.Resolved)
    mount, backend, parent = app.spec.mount_path, plan.route.backend, plan.route.roots.parent_root_path
    if parent:
        remedy = (
            f"The route strips {parent}: start the outer app with root_path={parent!r} both in FastAPI and in uvicorn "
            "(FastAPI's alone does not do), or in neither of them, or do not strip."
        )
    elif paths.is_below(mount, backend):
        remedy = "Let spec.mountPath be the path of mount_chainlit, with FastAPI's root_path empty."
    else:
        remedy = (
            f"The route keeps {backend}: start the outer app with FastAPI(root_path={backend!r}), or mount Chainlit at "
            f"{backend}{mount} with root_path empty and say so in spec.mountPath."
        )
    return f"Chainlit is not served below {plan.route.served} ({verification.found}). {remedy}"


#: Reasons of WebSocketReachable that say nothing of the app as it is now, once it is to be verified.
_PASSING = frozenset({Reason.SUSPENDED, Reason.NOT_ALIGNED, Reason.VERIFICATION_DISABLED, Reason.SCALED_TO_ZERO})


def _awaiting(app: App, plan: Plan) -> Condition:
    """The former condition until the outcome is known, so that a verification costs one status write, not two.

    Not where the question is another one: the app asks for something else than it did, or at the edge the URL is new.
    """
    former = app.status.condition(ConditionType.WEBSOCKET_REACHABLE)
    is_same = former is not None and former.observed_generation == app.generation
    if app.spec.verification is VerificationMode.EDGE and isinstance(plan.route, routes.Resolved):
        is_same = is_same and app.status.url == plan.route.url
    if former is not None and is_same and former.reason not in _PASSING:
        return replace(former, observed_generation=0, last_transition_time="")
    message = "The WebSocket is about to be verified."
    return _condition(ConditionType.WEBSOCKET_REACHABLE, "Unknown", Reason.VERIFICATION_PENDING, message)


def _rollout_condition(workload: Workload) -> Condition | None:
    """Why the pods cannot be asked yet; None once all of them run the present template."""
    kind, rollout, generation = ConditionType.WEBSOCKET_REACHABLE, workload.rollout, workload.generation
    if rollout.desired == 0:
        return _condition(kind, "Unknown", Reason.SCALED_TO_ZERO, "The workload has no replicas: scale it up.")
    current = rollout.observed_generation >= generation
    if current and rollout.failure:
        return _condition(kind, "False", Reason.ROLLOUT_FAILED, f"{rollout.failure} Look at the pods' logs and events.")
    if workload.is_rolled_out:
        return None
    if rollout.held:
        message = (
            f"{workload.ref} has {rollout.held}, so pods of a former template stay: change that, or replace them "
            "yourself. The WebSocket is verified when all of them run the present template."
        )
        return _condition(kind, "Unknown", Reason.ROLLOUT_HELD, message)
    message = "The pods are being replaced; the WebSocket is verified when all of them run the present template."
    return _condition(kind, "Unknown", Reason.ROLLOUT_IN_PROGRESS, f"{message} {workload.rollout_hint}".rstrip())


def _edge_url(route: routes.Resolved) -> str:
    """Scheme, host and port that a browser asks; empty where the route has no URL."""
    return (route.url or "").removesuffix(f"{route.roots.parent_root_path}{route.served}/")


def _base_url(route: routes.Resolved, plan: Plan) -> str | None:
    """The address of the Service: its cluster IP, or for a headless one its name and the pods' own port."""
    service, container = route.service, plan.container
    port = next((p for p in service.ports if p.matches(route.service_port)), None)
    if service.type == "ExternalName" or port is None or container is None:
        return None
    if service.cluster_ip and service.cluster_ip != "None":
        host = f"[{service.cluster_ip}]" if ":" in service.cluster_ip else service.cluster_ip
        return f"http://{host}:{port.port}"
    number = container.port_number(port.port if port.target is None else port.target)
    return None if number is None else f"http://{service.ref.name}.{service.ref.namespace}.svc:{number}"


def _ready(app: App, route_resolved: Condition, aligned: Condition, reachable: Condition) -> Condition:
    needed = [route_resolved, aligned]
    if app.spec.verification is not VerificationMode.DISABLED:
        needed.append(reachable)
    if aligned.reason == Reason.SUSPENDED:
        needed = [aligned]
    for condition in needed:
        if condition.status != "True":
            return _condition(ConditionType.READY, condition.status, condition.reason, condition.message)
    proof = "and its WebSocket answers" if reachable.status == "True" else "(its WebSocket is not verified)"
    return _condition(ConditionType.READY, "True", Reason.READY, f"Chainlit has the route's path {proof}.")


def is_ready(status_: Status) -> bool:
    """Whether the status says Ready."""
    ready = status_.condition(ConditionType.READY)
    return ready is not None and ready.status == "True"
