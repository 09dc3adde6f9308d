"""Contested fields: when to stop taking a field back from another field manager.

A manager that sets the variable back again and again (GitOps, another operator) would be fought for ever, at once or
at each of its rounds, minutes or an hour apart. So the same values are written three times in ten minutes and six times
in twelve hours at most; the next time they are set back, the operator stops, until something meaningful changes
(``basis``) or the other manager leaves the right value standing. A restart is no such change: the status remembers.

Whoever deploys often is no such manager: with the fields something else changes. So in twelve hours only those writes
count before which the object was the same in all else, too (``state``); and what was given up is tried again when that
changes.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

from chainlit_operator.domain.model import App, RouteStatus
from chainlit_operator.domain.reasons import ConditionType, Reason

#: At most so many writes in so many seconds, whatever else changes, and where nothing else does.
FAST_SECONDS, FAST_WRITES = 600.0, 3
SLOW_SECONDS, SLOW_WRITES = 43_200.0, 6
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Contest:
    """The writes of one workload's fields: when (monotonic seconds) and to which state, and who lost one last.

    ``lost_state`` is the state that is left to that one, None where none is.
    """

    basis: tuple[object, ...]
    writes: tuple[tuple[float, Hashable], ...] = ()
    manager: str = ""
    lost_state: Hashable | None = None


def contested_by(contest: Contest | None, basis: tuple[object, ...], state: Hashable, now: float) -> str:
    """Return the manager to which the fields are left now, or ``""`` if they may be written.

    ``basis`` is what a meaningful change changes; writes on another basis do not count. ``state`` is the object as the
    other manager has left it.
    """
    if contest is None or contest.basis != basis:
        return ""
    ages = [(now - time, written) for time, written in contest.writes]
    fast = sum(age < FAST_SECONDS for age, _ in ages)
    slow = sum(age < SLOW_SECONDS and written == state for age, written in ages)
    is_lost = contest.lost_state is not None and contest.lost_state == state
    return contest.manager if is_lost or fast >= FAST_WRITES or slow >= SLOW_WRITES else ""


def record(contest: Contest | None, basis: tuple[object, ...], state: Hashable, manager: str, now: float) -> Contest:
    """Return the contest with one more write at ``now``, by which ``manager`` (or nobody, ``""``) lost a field."""
    former = contest if contest is not None and contest.basis == basis else Contest(basis)
    writes = (*(found for found in former.writes if now - found[0] < SLOW_SECONDS), (now, state))
    return replace(former, writes=writes, manager=manager or former.manager or UNKNOWN)


def give_up(contest: Contest, state: Hashable) -> Contest:
    """Return the contest as lost: nothing is written to this state on this basis any more."""
    return replace(contest, lost_state=state)


def settled(contest: Contest) -> Contest:
    """Return the contest after the right values were found standing: it may begin anew."""
    return replace(contest, lost_state=None)


def remembered(
    app: App, route: RouteStatus | None, basis: tuple[object, ...], state: Hashable, rivals: tuple[str, ...]
) -> Contest | None:
    """Return the contest that the app's status tells of, after a restart; None if it tells of none.

    It is still the same one if app and route are as they were, and ``rivals`` own what differs.
    """
    aligned = app.status.condition(ConditionType.ALIGNED)
    if aligned is None or aligned.reason != Reason.FIELD_CONTESTED or not rivals:
        return None
    if aligned.observed_generation != app.generation or app.status.route != route:
        return None
    return Contest(basis, manager=", ".join(rivals), lost_state=state)
