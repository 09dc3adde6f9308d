"""Field conflicts: three writes of the same in ten minutes, six in twelve hours, then no more without a meaningful
change.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.world import app

from chainlit_operator.domain import field_conflicts
from chainlit_operator.domain.model import App, Condition, FieldConflict, RouteStatus, Status

BASIS = ("uid", 1)
OTHER = ("uid", 2)
#: The pod template as the other manager leaves it, and one in which something else was changed.
STATE, CHANGED = 1, 2


def after(*times: float) -> FieldConflict | None:
    found = None
    for time in times:
        found = field_conflicts.record(found, BASIS, STATE, "argocd", time)
    return found


def test_first_take_over_is_free() -> None:
    assert field_conflicts.winner(None, BASIS, STATE, 0.0) == ""


def test_three_in_ten_minutes_are_enough() -> None:
    assert field_conflicts.winner(after(0.0, 1.0), BASIS, STATE, 2.0) == ""
    assert field_conflicts.winner(after(0.0, 1.0, 2.0), BASIS, STATE, 3.0) == "argocd"
    assert field_conflicts.winner(after(0.0, 1.0, 2.0), BASIS, STATE, 599.9) == "argocd"


def test_slow_repairs_go_on() -> None:
    assert field_conflicts.winner(after(0.0, 1.0, 2.0), BASIS, STATE, 600.0) == ""
    assert field_conflicts.winner(after(0.0, 300.0, 601.0), BASIS, STATE, 602.0) == ""


def test_who_lost_a_field_last_is_named() -> None:
    alone = field_conflicts.record(None, BASIS, STATE, "", 0.0)
    assert alone.manager == field_conflicts.UNKNOWN
    assert (
        field_conflicts.record(field_conflicts.record(alone, BASIS, STATE, "flux", 1.0), BASIS, STATE, "", 2.0).manager
        == "flux"
    )


def test_given_up_is_for_good_on_this_basis() -> None:
    found = after(0.0, 1.0, 2.0)
    assert found is not None
    lost = field_conflicts.yield_to_winner(found, STATE)
    assert field_conflicts.winner(lost, BASIS, STATE, 1e9) == "argocd"
    assert field_conflicts.winner(lost, OTHER, STATE, 3.0) == ""


def test_meaningful_change_starts_anew() -> None:
    anew = field_conflicts.record(after(0.0, 1.0, 2.0), OTHER, STATE, "x", 3.0)
    assert anew == FieldConflict(OTHER, ((3.0, STATE),), "x")


ROUTE = RouteStatus("Ingress", "chat", "example.com", "/chat", "Prefix", "None")


def told(reason: str = "FieldContested", generation: int = 1, route: RouteStatus | None = ROUTE) -> App:
    """An app whose status says this."""
    condition = Condition("Aligned", "False", reason, "…", generation)
    return replace(app(), status=Status(route=route, conditions=(condition,)))


def test_status_remembers_a_contest() -> None:
    known = field_conflicts.remembered(told(), ROUTE, BASIS, STATE, ("argocd", "flux"))
    assert field_conflicts.winner(known, BASIS, STATE, 0.0) == "argocd, flux"
    assert field_conflicts.winner(known, OTHER, STATE, 0.0) == ""


@pytest.mark.parametrize(
    ("given_app", "route", "rivals"),
    [
        (app(), ROUTE, ("argocd",)),
        (told("Aligned"), ROUTE, ("argocd",)),
        (told(generation=0), ROUTE, ("argocd",)),
        (told(), replace(ROUTE, path="/bot"), ("argocd",)),
        (told(route=None), ROUTE, ("argocd",)),
        (told(), ROUTE, ()),
    ],
)
def test_status_remembers_no_other(given_app: App, route: RouteStatus, rivals: tuple[str, ...]) -> None:
    assert field_conflicts.remembered(given_app, route, BASIS, STATE, rivals) is None


@pytest.mark.parametrize("period", [250.0, 600.0, 3600.0, 7000.0])
def test_a_slow_fight_ends_too(period: float) -> None:
    times = [turn * period for turn in range(7)]
    assert field_conflicts.winner(after(*times[:5]), BASIS, STATE, times[5]) == ""
    assert field_conflicts.winner(after(*times[:6]), BASIS, STATE, times[6]) == "argocd"


def test_whoever_deploys_often_is_no_rival() -> None:
    """Something else changes with the fields each time, so that there is nothing to be contested about."""
    found: FieldConflict | None = None
    for deploy in range(20):
        now = deploy * 3600.0
        assert field_conflicts.winner(found, BASIS, deploy, now) == ""
        found = field_conflicts.record(found, BASIS, deploy, "kubectl", now)


def test_what_is_changed_is_tried_again() -> None:
    found = after(0.0, 1.0, 2.0)
    assert found is not None
    lost = field_conflicts.yield_to_winner(found, STATE)
    assert field_conflicts.winner(lost, BASIS, CHANGED, 3.0) == "argocd", "not three times in ten minutes, though"
    assert field_conflicts.winner(lost, BASIS, CHANGED, 602.0) == ""
    assert field_conflicts.winner(lost, BASIS, STATE, 602.0) == "argocd"
    assert field_conflicts.winner(field_conflicts.resolved(lost), BASIS, STATE, 602.0) == ""


@given(st.lists(st.floats(0, 100_000), min_size=1, max_size=60).map(sorted))
def test_never_more_than_the_limits_allow(events: list[float]) -> None:
    found: FieldConflict | None = None
    writes: list[float] = []
    for now in events:
        if not field_conflicts.winner(found, BASIS, STATE, now):
            found = field_conflicts.record(found, BASIS, STATE, "argocd", now)
            writes.append(now)
    limits = (
        (field_conflicts.FAST_SECONDS, field_conflicts.FAST_WRITES),
        (field_conflicts.SLOW_SECONDS, field_conflicts.SLOW_WRITES),
    )
    for seconds, most in limits:
        assert all(sum(start <= time < start + seconds for time in writes) <= most for start in writes)


def test_a_write_of_twelve_hours_ago_does_not_count() -> None:
    found = after(0.0, 7000.0, 14000.0, 21000.0, 28000.0, 35000.0)
    assert found is not None
    assert field_conflicts.winner(found, BASIS, STATE, 43_199.0) == "argocd"
    assert field_conflicts.winner(found, BASIS, STATE, 43_200.0) == ""
    for now, oldest in ((43_199.0, 0.0), (43_200.0, 7000.0)):
        assert field_conflicts.record(found, BASIS, STATE, "argocd", now).writes[0] == (oldest, STATE)
