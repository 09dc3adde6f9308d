"""Contests: three writes of the same in ten minutes, six in twelve hours, then no more without a meaningful change."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.world import app

from chainlit_operator.domain import contest as contests
from chainlit_operator.domain.model import App, Condition, RouteStatus, Status

BASIS = ("uid", 1)
OTHER = ("uid", 2)


def after(*times: float) -> contests.Contest | None:
    found = None
    for time in times:
        found = contests.record(found, BASIS, "argocd", time)
    return found


def test_first_take_over_is_free() -> None:
    assert contests.contested_by(None, BASIS, 0.0) == ""


def test_three_in_ten_minutes_are_enough() -> None:
    assert contests.contested_by(after(0.0, 1.0), BASIS, 2.0) == ""
    assert contests.contested_by(after(0.0, 1.0, 2.0), BASIS, 3.0) == "argocd"
    assert contests.contested_by(after(0.0, 1.0, 2.0), BASIS, 599.9) == "argocd"


def test_slow_repairs_go_on() -> None:
    assert contests.contested_by(after(0.0, 1.0, 2.0), BASIS, 600.0) == ""
    assert contests.contested_by(after(0.0, 300.0, 601.0), BASIS, 602.0) == ""


def test_who_lost_a_field_last_is_named() -> None:
    alone = contests.record(None, BASIS, "", 0.0)
    assert alone.manager == contests.UNKNOWN
    assert contests.record(contests.record(alone, BASIS, "flux", 1.0), BASIS, "", 2.0).manager == "flux"


def test_given_up_is_for_good_on_this_basis() -> None:
    found = after(0.0, 1.0, 2.0)
    assert found is not None
    lost = contests.give_up(found)
    assert contests.contested_by(lost, BASIS, 1e9) == "argocd"
    assert contests.contested_by(lost, OTHER, 3.0) == ""


def test_meaningful_change_starts_anew() -> None:
    assert contests.record(after(0.0, 1.0, 2.0), OTHER, "x", 3.0) == contests.Contest(OTHER, (3.0,), "x")


ROUTE = RouteStatus("Ingress", "chat", "example.com", "/chat", "Prefix", "None")


def told(reason: str = "FieldContested", generation: int = 1, route: RouteStatus | None = ROUTE) -> App:
    """An app whose status says this."""
    condition = Condition("Aligned", "False", reason, "…", generation)
    return replace(app(), status=Status(route=route, conditions=(condition,)))


def test_status_remembers_a_contest() -> None:
    known = contests.remembered(told(), ROUTE, BASIS, ("argocd", "flux"))
    assert contests.contested_by(known, BASIS, 0.0) == "argocd, flux"
    assert contests.contested_by(known, OTHER, 0.0) == ""


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
    assert contests.remembered(given_app, route, BASIS, rivals) is None


@pytest.mark.parametrize("period", [250.0, 600.0, 3600.0, 7000.0])
def test_a_slow_fight_ends_too(period: float) -> None:
    times = [turn * period for turn in range(7)]
    assert contests.contested_by(after(*times[:5]), BASIS, times[5]) == ""
    assert contests.contested_by(after(*times[:6]), BASIS, times[6]) == "argocd"


@given(st.lists(st.floats(0, 100_000), min_size=1, max_size=60).map(sorted))
def test_never_more_than_the_limits_allow(events: list[float]) -> None:
    found: contests.Contest | None = None
    writes: list[float] = []
    for now in events:
        if not contests.contested_by(found, BASIS, now):
            found = contests.record(found, BASIS, "argocd", now)
            writes.append(now)
    for seconds, most in contests.LIMITS:
        assert all(sum(start <= time < start + seconds for time in writes) <= most for start in writes)
