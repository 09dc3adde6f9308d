"""The decision about one app: a pure function of its snapshot.

``decide`` says what to write. After the writes ``domain/conditions.py`` reports: what to verify, and the status.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from chainlit_operator.domain import adoption, alignment, diagnosis, endpoint, first_write, login_cookies
from chainlit_operator.domain.adoption import Kept
from chainlit_operator.domain.alignment import Apply, Blocked, NoOp
from chainlit_operator.domain.desired import manifests, ownership
from chainlit_operator.domain.desired.ownership import Step, Steps
from chainlit_operator.domain.endpoint import Endpoint
from chainlit_operator.domain.first_write import Verdict
from chainlit_operator.domain.model import Container, Memory, Question, Snapshot, VerificationMode
from chainlit_operator.domain.paths import RootPaths
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import Resolved, Unresolved, against_others, resolve_alone
from chainlit_operator.domain.resolution.redirected import unless_redirected


@dataclass(frozen=True, slots=True)
class Failure:
    """A write that is impossible, or that the API server refused: the reason and the message of the condition."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about one app.

    ``steps`` are the writes of created objects, in order. ``failure`` says why a wanted write is not among them.
    ``action`` is the write of an adopted workload; it waits until every step has succeeded. ``port`` is Chainlit's, if
    only the pods could tell it. ``is_waiting`` says that an answer of the pods decides about all of this: until it is
    there, nothing is written, not even the status. ``root_paths`` are the wanted variables, None if they are unknown.
    ``kept`` says that the app had them before its adoption. ``warnings`` are sentences about faults beside the path.
    ``memory`` is the operator's memory after this decision. ``questions`` go to the app's pods; the app is decided
    about once more when one of them has an answer.
    """

    route: Resolved | Unresolved
    container: Container | None
    action: Apply | NoOp | Blocked
    root_paths: RootPaths | None = None
    kept: Kept | None = None
    warnings: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    failure: Failure | None = None
    memory: Memory = field(default_factory=Memory)
    questions: tuple[Question, ...] = ()
    port: int | None = None
    is_waiting: bool = False


def decide(snapshot: Snapshot) -> Decision:
    """Decide about the snapshot's app."""
    found = endpoint.find(snapshot)
    route = resolve_alone(snapshot, found)
    container = found.container
    kept = None
    if isinstance(route, Resolved) and container is not None:
        kept = adoption.kept(snapshot, route, container)
        route = unless_redirected(snapshot, found, route if kept is None else kept.route)
    # Routes of others are judged at the place that counts, not at the route's own.
    route = against_others(snapshot, route)
    kept = kept if isinstance(route, Resolved) else None
    is_mounted = bool(snapshot.app.spec.mount_path)
    roots = route.root_paths if isinstance(route, Resolved) and not is_mounted else None
    roots = roots if kept is None else kept.root_paths
    steps, failure = _steps(snapshot, found, roots)
    aligned = alignment.align(snapshot, route, container, roots)
    verdict = Verdict(aligned.action, kept)
    if isinstance(route, Resolved) and container is not None:
        verdict = first_write.judge(snapshot, route, container, roots, (aligned.action, kept))
        roots = roots if verdict.kept is None else verdict.kept.root_paths
    return Decision(
        route=route,
        container=container,
        action=verdict.action,
        root_paths=roots,
        kept=verdict.kept,
        warnings=(*aligned.warnings, *filter(None, (login_cookies.warning(snapshot),))),
        steps=steps.steps,
        failure=failure,
        memory=replace(steps.memory, workload=aligned.conflict),
        questions=(*_questions(snapshot, route, found, verdict.action), *verdict.questions),
        port=found.told,
        is_waiting=found.question is not None and found.told is None and snapshot.answer(found.question) is None,
    )


def _questions(
    snapshot: Snapshot, route: Resolved | Unresolved, found: Endpoint, action: Apply | NoOp | Blocked
) -> tuple[Question, ...]:
    """The questions to the app's pods: which port is Chainlit's, and what is wrong with an app that is aligned."""
    if snapshot.verification_mode is VerificationMode.DISABLED:
        return ()
    about_port = () if found.question is None else (found.question,)
    if isinstance(route, Unresolved) or found.container is None or not isinstance(action, NoOp):
        return about_port
    return (*about_port, *diagnosis.questions(snapshot, route, found.container))


def _steps(snapshot: Snapshot, found: Endpoint, roots: RootPaths | None) -> tuple[Steps, Failure | None]:
    """The steps for created objects; none for an app that is suspended or terminating, or whose workload is claimed."""
    app = snapshot.app
    wanted = manifests.refs(app)
    is_idle = app.spec.suspend or app.is_terminating or bool(snapshot.claimed_by)
    if is_idle or not (wanted or snapshot.owned):
        return Steps(memory=snapshot.memory), None
    if snapshot.template_fault:
        return Steps(memory=snapshot.memory), Failure(Reason.APPLY_REFUSED, snapshot.template_fault)
    objects = list(snapshot.manifests)
    if app.spec.template is not None:
        objects.append(manifests.deployment(app, roots or _present_roots(snapshot, found)))
    made = ownership.steps(snapshot, objects, wanted)
    conflict = made.conflict
    return made, None if conflict is None else Failure(Reason.FIELD_CONTESTED, conflict.message)


def _present_roots(snapshot: Snapshot, found: Endpoint) -> RootPaths:
    """The present root paths of a created workload. They stay while its route gives none."""
    live = next((obj for obj in snapshot.owned if obj.ref == snapshot.app.workload), None)
    if live is None or snapshot.workload is None:
        return RootPaths("", "")
    container = found.container
    variables = (container.root_path, container.parent_root_path) if container is not None else (None, None)
    return RootPaths(*(variable.value or "" if variable is not None else "" for variable in variables))
