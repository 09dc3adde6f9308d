"""The rules of leader election: who may write the Lease and what, and that two candidates never lead at once."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainlit_operator.kube.leader_election import (
    LeaseTiming,
    ObservedLease,
    is_led_by_other,
    observe,
    pause,
    wanted_record,
)
from chainlit_operator.kube.leases import LeaseRecord

HELD = LeaseRecord("b", 15, "7", 3, "then")
OURS = LeaseRecord("a", 15, "7", 3, "then")
FREE = LeaseRecord("", 15, "7", 3)


@pytest.mark.parametrize(
    ("record", "now", "is_so"),
    [
        (None, 100.0, False),
        (HELD, 100.0, True),
        (HELD, 114.9, True),
        (HELD, 115.0, False),
        (FREE, 100.0, False),
        (OURS, 100.0, False),
        (OURS, 999.0, False),
    ],
    ids=["no lease", "fresh", "nearly over", "over", "released", "own", "own and over"],
)
def test_only_a_valid_lease_of_another_keeps_a_candidate_from_leading(
    record: LeaseRecord | None, now: float, is_so: bool
) -> None:
    assert is_led_by_other("a", ObservedLease(record, 100.0) if record else None, now) is is_so


def test_each_version_starts_the_clock_again() -> None:
    first = observe(None, HELD, 5.0)
    assert observe(first, HELD, 9.0) == first
    assert observe(first, LeaseRecord("b", 15, "8", 3, "then"), 9.0).since == 9.0


@pytest.mark.parametrize(
    ("record", "written"),
    [
        (None, LeaseRecord("a", 20)),
        (HELD, LeaseRecord("a", 20, "7", 4)),
        (FREE, LeaseRecord("a", 20, "7", 4)),
        (OURS, LeaseRecord("a", 20, "7", 3, "then")),
    ],
    ids=["created", "acquired", "acquired after a release", "renewed"],
)
def test_the_record_has_the_users_duration_and_replaces_the_version_that_was_read(
    record: LeaseRecord | None, written: LeaseRecord
) -> None:
    assert wanted_record("a", ObservedLease(record, 1.0) if record else None, LeaseTiming.of(20)) == written


@pytest.mark.parametrize("duration", [3, 15, 3600])
def test_a_leader_stops_before_its_lease_runs_out(duration: int) -> None:
    timing = LeaseTiming.of(duration)
    assert timing.lease_duration == duration
    assert 4 * timing.retry_period < timing.renew_deadline < timing.lease_duration


def test_the_proportions_are_those_of_client_go() -> None:
    assert LeaseTiming.of(15) == LeaseTiming() == LeaseTiming(15, 10.0, 2.0)


@pytest.mark.parametrize(
    ("observed", "jitter", "seconds"),
    [
        (None, 0.0, 2.0),
        (None, 1.0, 1.6),
        (ObservedLease(HELD, 100.0), 0.0, 2.0),
        (ObservedLease(HELD, 86.0), 0.0, 1.0),
        (ObservedLease(HELD, 85.0), 0.0, 2.0),
        (ObservedLease(HELD, 70.0), 0.0, 2.0),
        (ObservedLease(FREE, 86.0), 0.0, 2.0),
    ],
    ids=["none", "none, jittered", "fresh", "nearly over", "over", "long over", "released"],
)
def test_a_standby_looks_when_the_lease_runs_out(observed: ObservedLease | None, jitter: float, seconds: float) -> None:
    assert pause(observed, LeaseTiming(), 100.0, jitter) == pytest.approx(seconds)


@dataclass
class _Candidate:
    """A candidate whose monotonic clock is ``offset`` seconds ahead, and when it led."""

    name: str
    offset: float
    timing: LeaseTiming
    observed: ObservedLease | None = None
    led: list[tuple[float, float]] = field(default_factory=list)


STEP = st.tuples(st.integers(0, 2), st.floats(0, 8), st.floats(0, 4), st.floats(0, 4), st.booleans())


@given(
    offsets=st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3),
    durations=st.lists(st.sampled_from([3, 12, 15, 30]), min_size=3, max_size=3),
    steps=st.lists(STEP, max_size=60),
)
def test_two_never_lead_at_once(
    offsets: list[float], durations: list[int], steps: list[tuple[int, float, float, float, bool]]
) -> None:
    """Candidates with own clocks and durations look at random times; requests are slow, and answers get lost."""
    candidates = [
        _Candidate(str(n), offset, LeaseTiming.of(duration))
        for n, (offset, duration) in enumerate(zip(offsets, durations, strict=True))
    ]
    stored: LeaseRecord | None = None
    now = 0.0
    for version, (who, waited, there, back, is_lost) in enumerate(steps, 1):
        now += waited
        me = candidates[who]
        sent = now
        me.observed = observe(me.observed, stored, now + me.offset) if stored is not None else None
        if is_led_by_other(me.name, me.observed, now + me.offset):
            continue
        record = wanted_record(me.name, me.observed, me.timing)
        now += there
        stored = LeaseRecord(record.holder, record.lease_duration, str(version))
        now += back
        if not is_lost:
            me.led.append((now, sent + me.timing.renew_deadline))
    spans = sorted((span, c.name) for c in candidates for span in c.led if span[0] < span[1])
    for (earlier, first), (later, second) in itertools.pairwise(spans):
        assert first == second or earlier[1] <= later[0] + 1e-6
