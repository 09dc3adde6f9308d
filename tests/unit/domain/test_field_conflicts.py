"""Contests: three writes of the same in ten minutes, six in twelve hours, then no more without a meaningful change."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.world import app

from chainlit_operator.domain import field_conflicts as contests
from chainlit_operator.domain.model import App, Condition, RouteStatus, Status

BASIS = ("uid", 1)
OTHER = ("uid", 2)
#: The pod template as the other manager leaves it, and one in which something else was changed.
STATE, CHANGED = 1, 2


def after(*times: float) -> contests.Contest | None:
    found = None
    for time in times:
        found = contests.record(found, BASIS, STATE, "argocd", time)
    return found


def test_first_take_over_is_free() -> None:
    assert contests.contested_by(None, BASIS, STATE, 0.0) == ""


def test_three_in_ten_minutes_are_enough() -> None:
    assert contests.contested_by(after(0.0, 1.0), BASIS, STATE, 2.0) == ""
    assert contests.contested_by(after(0.0, 1.0, 2.0), BASIS, STATE, 3.0) == "argocd"
    assert contests.contested_by(after(0.0, 1.0, 2.0), BASIS, STATE, 599.9) == "argocd"


def test_slow_repairs_go_on() -> None:
    assert contests.contested_by(after(0.0, 1.0, 2.0), BASIS, STATE, 600.0) == ""
    assert contests.contested_by(after(0.0, 300.0, 601.0), BASIS, STATE, 602.0) == ""


def test_who_lost_a_field_last_is_named() -> None:
    alone = contests.record(None, BASIS, STATE, "", 0.0)
    assert alone.manager == contests.UNKNOWN
    assert contests.record(contests.record(alone, BASIS, STATE, "flux", 1.0), BASIS, STATE, "", 2.0).manager == "flux"


def test_given_up_is_for_good_on_this_basis() -> None:
    found = after(0.0, 1.0, 2.0)
    assert found is not None
    lost = contests.give_up(found, STATE)
    assert contests.contested_by(lost, BASIS, STATE, 1e9) == "argocd"
    assert contests.contested_by(lost, OTHER, STATE, 3.0) == ""


def test_meaningful_change_starts_anew() -> None:
    anew = contests.record(after(0.0, 1.0, 2.0), OTHER, STATE, "x", 3.0)
    assert anew == contests.Contest(OTHER, ((3.0, STATE),), "x")


ROUTE = RouteStatus("Ingress", "chat", "example.com", "/chat", "Prefix", "None")


def told(reason: str = "FieldContested", generation: int = 1, route: RouteStatus | None = ROUTE) -> App:
    """An app whose status says this."""
    condition = Condition("Aligned", "False", reason, "…", generation)
    return replace(app(), status=Status(route=route, conditions=(condition,)))


def test_status_remembers_a_contest() -> None:
    known = contests.remembered(told(), ROUTE, BASIS, STATE, ("argocd", "flux"))
    assert contests.contested_by(known, BASIS, STATE, 0.0) == "argocd, flux"
    assert contests.contested_by(known, OTHER, STATE, 0.0) == ""


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
    assert contests.remembered(given_app, route, BASIS, STATE, rivals) is None


@pytest.mark.parametrize("period", [250.0, 600.0, 3600.0, 7000.0])
def test_a_slow_fight_ends_too(period: float) -> None:
    times = [turn * period for turn in range(7)]
    assert contests.contested_by(after(*times[:5]), BASIS, STATE, times[5]) == ""
    assert contests.contested_by(after(*times[:6]), BASIS, STATE, times[6]) == "argocd"


def test_whoever_deploys_often_is_no_rival() -> None:
    """Something else changes with the fields each time, so that there is nothing to be contested about."""
    found: contests.Contest | None = None
    for deploy in range(20):
        now = deploy * 3600.0
        assert contests.contested_by(found, BASIS, deploy, now) == ""
        found = contests.record(found, BASIS, deploy, "kubectl", now)


def test_what_is_changed_is_tried_again() -> None:
    found = after(0.0, 1.0, 2.0)
    assert found is not None
    lost = contests.give_up(found, STATE)
    assert contests.contested_by(lost, BASIS, CHANGED, 3.0) == "argocd", "not three times in ten minutes, though"
    assert contests.contested_by(lost, BASIS, CHANGED, 602.0) == ""
    assert contests.contested_by(lost, BASIS, STATE, 602.0) == "argocd"
    assert contests.contested_by(contests.settled(lost), BASIS, STATE, 602.0) == ""


@given(st.lists(st.floats(0, 100_000), min_size=1, max_size=60).map(sorted))
def test_never_more_than_the_limits_allow(events: list[float]) -> None:
    found: contests.Contest | None = None
    writes: list[float] = []
    for now in events:
        if not contests.contested_by(found, BASIS, STATE, now):
            found = contests.record(found, BASIS, STATE, "argocd", now)
            writes.append(now)
    limits = (contests.FAST_SECONDS, contests.FAST_WRITES), (contests.SLOW_SECONDS, contests.SLOW_WRITES)
    for seconds, most in limits:
        assert all(sum(start <= time < start + seconds for time in writes) <= most for start in writes)
