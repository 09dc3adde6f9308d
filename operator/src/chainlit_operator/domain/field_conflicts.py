"""Field conflicts: when to stop writing a field that another field manager keeps changing.

Another manager (a GitOps tool, another operator) may set a field back after each write, at once or an hour later. Each
write restarts pods, so this must end. The operator writes the same values at most three times in ten minutes and six
times in twelve hours. After that it yields, until the basis of the write changes or the other manager leaves the right
value. A restart of the operator does not end that, because the status records it.

Frequent deployments are no conflict. So the twelve-hour window counts only writes that found the rest of the object
(``state``) unchanged. A new state lets the operator write again.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from chainlit_operator.domain.model import App, Basis, FieldConflict, RouteStatus
from chainlit_operator.domain.reasons import ConditionType, Reason

#: At most this number of writes in this number of seconds: whatever else changes, and while nothing else does.
FAST_SECONDS, FAST_WRITES = 600.0, 3
SLOW_SECONDS, SLOW_WRITES = 43_200.0, 6
UNKNOWN = "unknown"


def winner(conflict: FieldConflict | None, basis: Basis, state: Hashable, now: float) -> str:
    """Return the field manager to which the operator yields now; empty where it may write."""
    if conflict is None or conflict.basis != basis:
        return ""
    ages = [(now - time, written) for time, written in conflict.writes]
    fast = sum(age < FAST_SECONDS for age, _ in ages)
    slow = sum(age < SLOW_SECONDS and written == state for age, written in ages)
    is_yielded = conflict.yielded_state is not None and conflict.yielded_state == state
    return conflict.manager if is_yielded or fast >= FAST_WRITES or slow >= SLOW_WRITES else ""


def record(conflict: FieldConflict | None, basis: Basis, state: Hashable, manager: str, now: float) -> FieldConflict:
    """Return the conflict with one more write at ``now``. ``manager`` lost a field by it; it is empty for none."""
    former = conflict if conflict is not None and conflict.basis == basis else FieldConflict(basis)
    writes = (*(write for write in former.writes if now - write[0] < SLOW_SECONDS), (now, state))
    return replace(former, writes=writes, manager=manager or former.manager or UNKNOWN)


def yield_to_winner(conflict: FieldConflict, state: Hashable) -> FieldConflict:
    """Return the conflict after the operator has yielded: it does not write to this state on this basis."""
    return replace(conflict, yielded_state=state)


def resolved(conflict: FieldConflict) -> FieldConflict:
    """Return the conflict after the right values were found: the operator may write again."""
    return replace(conflict, yielded_state=None)


def remembered(
    app: App, route: RouteStatus | None, basis: Basis, state: Hashable, managers: tuple[str, ...]
) -> FieldConflict | None:
    """Return the conflict that the app's status records from before a restart; None where it records none.

    The record counts only if app and route are unchanged, and ``managers`` own the fields that differ.
    """
    aligned = app.status.condition(ConditionType.ALIGNED)
    if aligned is None or aligned.reason != Reason.FIELD_CONTESTED or not managers:
        return None
    if aligned.observed_generation != app.generation or app.status.route != route:
        return None
    return FieldConflict(basis, manager=", ".join(managers), yielded_state=state)
