"""Leader election: the moves, and that there are never two leaders, whatever clocks and delays do."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainlit_operator.kube.lease_rules import (
    Lease,
    Move,
    Sighting,
    Term,
    Timing,
    given_back,
    move,
    next_look,
    sight,
    wanted,
)

HELD = Lease("b", 15.0, "7")


@pytest.mark.parametrize(
    ("seen", "now", "expected"),
    [
        (None, 0.0, Move.CREATE),
        (Sighting(HELD, 100.0), 100.0, Move.WAIT),
        (Sighting(HELD, 100.0), 114.9, Move.WAIT),
        (Sighting(HELD, 100.0), 115.0, Move.TAKE),
        (Sighting(Lease("", 15.0, "7"), 100.0), 100.0, Move.TAKE),
        (Sighting(Lease("a", 15.0, "7"), 100.0), 100.0, Move.RENEW),
        (Sighting(Lease("a", 15.0, "7"), 100.0), 999.0, Move.RENEW),
    ],
)
def test_move(seen: Sighting | None, now: float, expected: Move) -> None:
    assert move("a", seen, now) is expected


def test_each_version_starts_the_clock_anew() -> None:
    first = sight(None, HELD, 5.0)
    assert sight(first, HELD, 9.0) == first
    assert sight(first, Lease("b", 15.0, "8"), 9.0).since == 9.0


@pytest.mark.parametrize(
    ("seen", "written"),
    [
        (None, Lease("a", 16.0, "")),
        (Sighting(Lease("b", 15.0, "7", 3, "then"), 1.0), Lease("a", 16.0, "7", 4)),
        (Sighting(Lease("", 15.0, "7", 3, ""), 1.0), Lease("a", 16.0, "7", 4)),
        (Sighting(Lease("a", 15.0, "7", 3, "then"), 1.0), Lease("a", 16.0, "7", 3, "then")),
    ],
    ids=["created", "taken", "taken-after-it-was-given-back", "renewed"],
)
def test_what_is_written(seen: Sighting | None, written: Lease) -> None:
    """With the version that was read, so that of two candidates who write at once one is refused."""
    assert wanted("a", seen, Timing.of(20.0)) == written


def test_given_back_to_whoever_looks_next() -> None:
    freed = given_back(Lease("a", 15.0, "7", 3, "then"))
    assert freed == Lease("", 15.0, "7", 3, "")
    assert move("b", Sighting(freed, 100.0), 100.0) is Move.TAKE


@pytest.mark.parametrize(("now", "seconds"), [(100.0, 12.0), (107.0, 5.0), (108.0, 0.0), (111.0, 0.0), (200.0, 0.0)])
def test_a_write_ends_before_another_leader_can_begin(now: float, seconds: float) -> None:
    assert Term(100.0, Timing()).seconds_for_a_write(now) == seconds


def test_no_write_outlasts_the_lease_whatever_the_deadline() -> None:
    term = Term(100.0, Timing(lease=15.0, renew_deadline=30.0))
    assert [term.seconds_for_a_write(now) for now in (114.5, 115.0, 129.0)] == [0.5, 0.0, 0.0]


@pytest.mark.parametrize(
    ("lease", "timing"),
    [(15.0, Timing()), (30.0, Timing(24.0, 16.0, 4.0, 1.0)), (3.0, Timing(2.0, 4 / 3, 1 / 3, 0.2))],
)
def test_proportions(lease: float, timing: Timing) -> None:
    """A standby looks once a second, or oftener where the lease is short."""
    assert Timing.of(lease) == timing


def test_what_the_lease_says_is_whole_and_leaves_time_to_see_it_and_to_write() -> None:
    for promised in range(3, 3601):
        timing = Timing.of(promised)
        assert timing.lease == round(timing.lease) >= 1
        assert promised - timing.lease - timing.look >= min(promised / 8, 2.0)
        assert 3 * timing.retry < timing.renew_deadline < timing.lease


@pytest.mark.parametrize(
    ("seen", "chance", "pause"),
    [
        (None, 0.0, 1.0),
        (None, 1.0, 0.8),
        (Sighting(HELD, 100.0), 0.0, 1.0),
        (Sighting(HELD, 85.5), 0.0, 0.5),
        (Sighting(HELD, 85.5), 1.0, 0.5),
        (Sighting(HELD, 85.9), 1.0, 0.8),
        (Sighting(HELD, 85.0), 0.0, 1.0),
        (Sighting(HELD, 70.0), 0.0, 1.0),
    ],
    ids=["none", "none-by-chance", "fresh", "nearly-over", "nearly-over-by-chance", "before", "over", "long-over"],
)
def test_a_standby_looks_when_its_wait_is_over(seen: Sighting | None, chance: float, pause: float) -> None:
    """And as usual when it is over already: the API server did not answer then."""
    assert next_look(seen, Timing(), 100.0, chance) == pytest.approx(pause)


@dataclass
class _Candidate:
    """A candidate whose clock is off by ``offset``, and whose requests take ``there`` and ``back`` seconds."""

    name: str
    offset: float
    timing: Timing
    seen: Sighting | None = None
    term: Term | None = None
    writes: list[tuple[float, float]] = field(default_factory=list)

    def clock(self, now: float) -> float:
        return now + self.offset


@dataclass
class _Server:
    lease: Lease | None = None
    version: int = 0

    def put(self, holder: str, seconds: float, expected: str | None) -> bool:
        if (self.lease.version if self.lease else None) != expected:
            return False
        self.version += 1
        self.lease = Lease(holder, seconds, str(self.version))
        return True


#: Of this version with several options, and of 0.1.0, which wrote what was promised.
TIMINGS = (Timing(), Timing.of(3), Timing.of(30), Timing(15.0, 10.0, 2.0, 1.0), Timing(3.0, 2.0, 0.4, 0.2))
STEP = st.tuples(st.integers(0, 2), st.floats(0, 8), st.floats(0, 4), st.floats(0, 4), st.booleans())


@given(
    offsets=st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3),
    timings=st.lists(st.sampled_from(TIMINGS), min_size=3, max_size=3),
    steps=st.lists(STEP, max_size=60),
)
def test_no_two_write_at_the_same_time(
    offsets: list[float], timings: list[Timing], steps: list[tuple[int, float, float, float, bool]]
) -> None:
    """Candidates take turns at random times, slowly, with lost answers, other clocks and options of their own."""
    server, now = _Server(), 0.0
    candidates = [
        _Candidate(str(n), offset, timing) for n, (offset, timing) in enumerate(zip(offsets, timings, strict=True))
    ]
    for who, pause, there, back, is_lost in steps:
        now += pause
        me = candidates[who]
        asked = me.clock(now)
        lease = server.lease
        me.seen = sight(me.seen, lease, me.clock(now)) if lease else None
        what = move(me.name, me.seen, me.clock(now))
        if what is Move.WAIT:
            me.term = None
            continue
        now += there
        is_held = server.put(me.name, me.timing.lease, lease.version if lease else None)
        now += back
        if is_held and not is_lost:
            me.term = Term(asked, me.timing)
        if me.term is not None and (seconds := me.term.seconds_for_a_write(me.clock(now))):
            me.writes.append((now, now + seconds))
    spans = sorted((span, c.name) for c in candidates for span in c.writes)
    for (earlier, first), (later, second) in itertools.pairwise(spans):
        assert first == second or earlier[1] <= later[0] + 1e-6
