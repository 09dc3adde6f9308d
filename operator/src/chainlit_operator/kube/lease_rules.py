"""Leader election on a Lease: which candidate may write now, decided from what it has read and when.

The rules are those of client-go: a candidate counts the lease duration from when it saw the Lease change, on its own
monotonic clock, and never looks at the times that are written in it. So neither a wrong wall clock nor one that is set
makes two leaders. A leader counts from *before* it asked for its last renewal, and gives up writing earlier than
another one can begin: at the renew deadline it starts no write any more, at the lease duration it has ended those
in flight.

What is promised is that a leader that falls silent is replaced *within* so many seconds. That others see its last
renewal, and that one of them writes, takes time as well: the lease duration is four fifths of what is promised. It is
the number in the Lease, which the leader that wrote it keeps to and which all others wait for. So candidates may have
different options, and be of versions that wrote the whole of what was promised: each waits for what the leader says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. ``lease`` for others to wait, ``renew_deadline`` for the leader to hold without a renewal.

    ``lease`` is whole, as the API wants it.
    """

    lease: float = 12.0
    renew_deadline: float = 8.0
    retry: float = 2.0
    #: How often a standby looks, at least; with it goes how fast a clean stop hands over.
    look: float = 1.0

    @classmethod
    def of(cls, promised: float) -> Timing:
        """Return the usual proportions for a silent leader to be replaced within so many seconds, three at least."""
        lease = float(math.floor(promised * 4 / 5))
        return cls(lease, lease * 2 / 3, lease / 6, min(1.0, promised / 15))


@dataclass(frozen=True, slots=True)
class Lease:
    """What a Lease says; ``holder`` is empty where it was given back, ``version`` where there is none yet.

    ``acquired`` is when the holder became it (RFC 3339), for people only.
    """

    holder: str
    seconds: float
    version: str
    transitions: int = 0
    acquired: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A Lease, and when this candidate first saw it in that version (seconds of its own clock)."""

    lease: Lease
    since: float


class Move(StrEnum):
    """What a candidate does next."""

    CREATE = "create"
    TAKE = "take"
    RENEW = "renew"
    WAIT = "wait"


def sight(former: Sighting | None, lease: Lease, now: float) -> Sighting:
    """Return the sighting after ``lease`` was read at ``now``: the clock starts anew with each version."""
    return former if former is not None and former.lease == lease else Sighting(lease, now)


def move(identity: str, seen: Sighting | None, now: float) -> Move:
    """Return what the candidate ``identity`` does about the Lease that it has just read; None for no Lease."""
    if seen is None:
        return Move.CREATE
    if seen.lease.holder == identity:
        return Move.RENEW
    if not seen.lease.holder or now - seen.since >= seen.lease.seconds:
        return Move.TAKE
    return Move.WAIT


def next_look(seen: Sighting | None, timing: Timing, now: float, chance: float) -> float:
    """Return after how many seconds a standby looks again: when its wait is over, and often enough before.

    ``chance`` from 0 to 1 keeps candidates that began together from going on in step.
    """
    pause = timing.look * (1 - chance / 5)
    wait = seen.since + seen.lease.seconds - now if seen is not None else 0.0
    return wait if 0.0 < wait < pause else pause


def wanted(identity: str, seen: Sighting | None, timing: Timing) -> Lease:
    """Return the Lease that ``identity`` writes to create, take or renew it."""
    if seen is None:
        return Lease(identity, timing.lease, "")
    if seen.lease.holder == identity:
        return replace(seen.lease, seconds=timing.lease)
    return Lease(identity, timing.lease, seen.lease.version, seen.lease.transitions + 1)


def given_back(lease: Lease) -> Lease:
    """Return the Lease without a holder: the next candidate that looks takes it."""
    return replace(lease, holder="", acquired="")


@dataclass(frozen=True, slots=True)
class Term:
    """The right to write, from a renewal that was asked for at ``asked`` (seconds of the leader's own clock)."""

    asked: float
    timing: Timing

    @property
    def ends(self) -> float:
        """When the last write may begin."""
        return self.asked + self.timing.renew_deadline

    def seconds_for_a_write(self, now: float) -> float:
        """Return how long a write that begins now may take; 0 if it may not begin."""
        return max(0.0, self.asked + self.timing.lease - now) if now < self.ends else 0.0
