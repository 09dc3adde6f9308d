"""Contested fields: when to stop taking a field back from another field manager.

A manager that sets the variable back again and again (GitOps, another operator) would be fought for ever, at once or
at each of its rounds, minutes or an hour apart. So the same values are written three times in ten minutes and six times
in twelve hours at most; the next time they are set back, the operator stops, until something meaningful changes
(``basis``) or the other manager leaves the right value standing. A restart is no such change: the status remembers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from chainlit_operator.domain.model import App, RouteStatus
from chainlit_operator.domain.reasons import ConditionType, Reason

#: (seconds, how many writes in any so many).
LIMITS = ((600.0, 3), (43_200.0, 6))
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Contest:
    """The writes of one workload's fields: when (monotonic seconds), who lost one last, and whether that one won."""

    basis: tuple[object, ...]
    times: tuple[float, ...] = ()
    manager: str = ""
    given_up: bool = False


def contested_by(contest: Contest | None, basis: tuple[object, ...], now: float) -> str:
    """Return the manager to which the fields are left now, or ``""`` if they may be written.

    ``basis`` is what a meaningful change changes; writes on another basis do not count.
    """
    if contest is None or contest.basis != basis:
        return ""
    if contest.given_up or any(len(_recent(contest, now, seconds)) >= writes for seconds, writes in LIMITS):
        return contest.manager
    return ""


def record(contest: Contest | None, basis: tuple[object, ...], manager: str, now: float) -> Contest:
    """Return the contest with one more write at ``now``, by which ``manager`` (or nobody, ``""``) lost a field."""
    former = contest if contest is not None and contest.basis == basis else Contest(basis)
    times = (*_recent(former, now, max(seconds for seconds, _ in LIMITS)), now)
    return replace(former, times=times, manager=manager or former.manager or UNKNOWN)


def give_up(contest: Contest) -> Contest:
    """Return the contest as lost: nothing is written on this basis any more."""
    return replace(contest, given_up=True)


def remembered(
    app: App, route: RouteStatus | None, basis: tuple[object, ...], rivals: tuple[str, ...]
) -> Contest | None:
    """Return the contest that the app's status tells of, after a restart; None if it tells of none.

    It is still the same one if app and route are as they were, and ``rivals`` own what differs.
    """
    aligned = app.status.condition(ConditionType.ALIGNED)
    if aligned is None or aligned.reason != Reason.FIELD_CONTESTED or not rivals:
        return None
    if aligned.observed_generation != app.generation or app.status.route != route:
        return None
    return Contest(basis, manager=", ".join(rivals), given_up=True)


def _recent(contest: Contest, now: float, seconds: float) -> tuple[float, ...]:
    return tuple(time for time in contest.times if now - time < seconds)
