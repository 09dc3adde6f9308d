"""What the pods say before a write: an app that works as it stands, or that another app mounts, is not written to.

The truth table; the first row that applies counts::

    verification is off, no pod is ready, pods of a former template run,
    or the action changes nothing                                       → the action
    a question has no answer yet                                        → Blocked(VerificationPending)
    the app can be used at the place of the route as it stands          → kept
    another app mounts Chainlit                                         → Blocked(MountPathMissing)
    otherwise, also if nobody answered                                  → the action

The rows "kept" and "mounted" count only before the first write: later the app follows its route. Pods of a former
template may answer at a place that the present template loses, so nobody is asked while they run.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from chainlit_operator.domain import adoption, diagnosis
from chainlit_operator.domain.adoption import Kept
from chainlit_operator.domain.alignment import Apply, Blocked, NoOp
from chainlit_operator.domain.model import (
    Cause,
    Container,
    Finding,
    Question,
    Snapshot,
    Standing,
    Stands,
    VerificationMode,
    Workload,
)
from chainlit_operator.domain.paths import RootPaths
from chainlit_operator.domain.place import known_values
from chainlit_operator.domain.probes import path_questions
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import Resolved
from chainlit_operator.domain.verification_target import check_of

#: Values that the operator neither reads nor writes. The app may work with them nevertheless.
_OWN_VALUES = frozenset({Reason.VARIABLE_FROM_SOURCE, Reason.ROOT_PATH_IN_COMMAND, Reason.TEMPLATE_ELSEWHERE})


class Verdict(NamedTuple):
    """The action after the answers of the pods, what is kept, and the questions."""

    action: Apply | NoOp | Blocked
    kept: Kept | None
    questions: tuple[Question, ...] = ()


def judge(
    snapshot: Snapshot,
    route: Resolved,
    container: Container,
    roots: RootPaths | None,
    given: tuple[Apply | NoOp | Blocked, Kept | None],
) -> Verdict:
    """Return what becomes of an action and of what is kept; ``roots`` are the wanted variables, None for none."""
    action, kept = given
    if kept is not None and kept.stands:
        return Verdict(NoOp() if _has_own_values(action) else action, kept)
    workload = snapshot.workload
    is_off = snapshot.verification_mode is VerificationMode.DISABLED
    if roots is None or workload is None or is_off or not workload.is_rolled_out:
        return Verdict(action, kept)
    stands = _stands(snapshot, route, container, workload) if _is_first(snapshot, route, container, action) else None
    first = () if stands is None else (stands, diagnosis.whereabouts(snapshot, route, container, workload))
    questions = (*first, *(path_questions(snapshot, container, route, roots) if isinstance(action, Apply) else ()))
    answers = [snapshot.answer(question) for question in questions]
    if None in answers:
        return Verdict(Blocked(Reason.VERIFICATION_PENDING, _PENDING), kept, questions)
    if stands is not None and snapshot.answer(stands) is Standing.GOOD:
        return Verdict(NoOp(), Kept(known_values(container), route, stands=True), questions)
    mounted = next((found for found in answers if isinstance(found, Finding) and found.cause is Cause.MOUNTED), None)
    if mounted is not None:
        _, message = diagnosis.mounted(mounted, container, route)
        return Verdict(Blocked(Reason.MOUNT_PATH_MISSING, message), kept, questions)
    return Verdict(action, kept, questions)


_PENDING = "The operator asks the pods what it must not change before it writes."


def _has_own_values(action: Apply | NoOp | Blocked) -> bool:
    return isinstance(action, Blocked) and action.reason in _OWN_VALUES


def _is_first(snapshot: Snapshot, route: Resolved, container: Container, action: Apply | NoOp | Blocked) -> bool:
    """Whether the action is the first one that changes the app, or its values are from another operator release."""
    is_change = isinstance(action, Apply) and action.changes_values
    if snapshot.app.spec.template is not None or not (is_change or _has_own_values(action)):
        return False
    return adoption.is_first(snapshot, route) or adoption.is_superseded(snapshot.app, route, container)


def _stands(snapshot: Snapshot, route: Resolved, container: Container, workload: Workload) -> Stands | None:
    """The question whether the app answers through its Service as it stands; None where the Service has no address."""
    app = replace(snapshot.app, spec=replace(snapshot.app.spec, verification=VerificationMode.BACKEND))
    check = check_of(replace(snapshot, app=app), route, container, workload)
    return None if check is None else Stands(check)
