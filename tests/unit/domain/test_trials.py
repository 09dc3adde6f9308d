"""Trials: what is tried when, how often, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.world import app, applied, container, ingress, path, snapshot, workload

from chainlit_operator.domain import conditions as statuses
from chainlit_operator.domain import trials
from chainlit_operator.domain.conditions import Verification
from chainlit_operator.domain.model import (
    Condition,
    Container,
    Probe,
    Rewrite,
    Rollout,
    Snapshot,
    Status,
    Trial,
    TrialOutcome,
    Variable,
    VerificationMode,
)
from chainlit_operator.domain.paths import RootPaths
from chainlit_operator.domain.plan import Apply, Blocked, NoOp, Plan, plan
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.rewrites import StripPrefix

IMAGE = "chat:1"
PENDING, WORKS, FAILS = (Trial(IMAGE, outcome) for outcome in TrialOutcome)
LAW, OTHER = RootPaths("", "/chat"), RootPaths("/chat", "")
HEALTH = (Probe("readinessProbe", "/health", "http"),)


def stripped(found: Container | None = None, trial: Trial | None = None, **spec: Any) -> Snapshot:
    """A route at /chat whose prefix is stripped."""
    found = replace(found or container(probes=HEALTH), image=IMAGE)
    chat = replace(app(**({"rewrite": Rewrite.STRIP} | spec)), status=Status(trial=trial))
    return snapshot(ingress("/chat"), app=chat, workload=workload(found))


def env(action: Any) -> dict[str, str]:
    assert isinstance(action, Apply), action
    return dict(action.env)


def law_abiding() -> Container:
    return container("", parent_root_path=Variable("/chat"), probes=HEALTH)


def other_way() -> Container:
    return container("/chat", probes=HEALTH)


@pytest.mark.parametrize(
    ("trial", "reason", "after"),
    [
        (None, "Verified", None),
        (None, "HandshakeNotFound", None),
        (None, "ParentRootPathIgnored", PENDING),
        (PENDING, "Verified", WORKS),
        (PENDING, "HandshakeNotFound", FAILS),
        (PENDING, "ParentRootPathIgnored", FAILS),
        (PENDING, "ConnectionRefused", PENDING),
        (PENDING, "ServerError", PENDING),
        (WORKS, "Verified", WORKS),
        (WORKS, "TimedOut", WORKS),
        (WORKS, "HandshakeNotFound", FAILS),
        (FAILS, "ParentRootPathIgnored", FAILS),
        (FAILS, "Verified", FAILS),
    ],
)
def test_what_a_verification_makes_of_it(trial: Trial | None, reason: str, after: Trial | None) -> None:
    assert trials.advance(trial, IMAGE, Reason(reason), is_reachable=reason == "Verified") == after


@given(st.lists(st.sampled_from(Reason)))
def test_an_image_costs_three_sets_of_values_at_most(reasons: list[Reason]) -> None:
    trial: Trial | None = None
    held = [False]
    for reason in reasons:
        trial = trials.advance(trial, IMAGE, reason, is_reachable=reason == "Verified")
        held.append(trials.holds(trial))
    assert sum(one is not two for one, two in pairwise(held)) <= 2


@pytest.mark.parametrize(
    ("trial", "roots"),
    [(None, LAW), (PENDING, OTHER), (WORKS, OTHER), (FAILS, LAW), (Trial("chat:0", WORKS.outcome), LAW)],
)
def test_which_values_are_wanted(trial: Trial | None, roots: RootPaths) -> None:
    found = plan(stripped(trial=trial))
    assert found.roots == roots
    assert env(found.action)[f"CHAINLIT_{'' if roots.root_path else 'PARENT_'}ROOT_PATH"] == "/chat"
    assert found.trial == (trial if trial and trial.image == IMAGE else None)


def test_one_write_there_and_one_back_with_probes_that_answer_either_way() -> None:
    there = plan(stripped(law_abiding(), PENDING)).action
    assert env(there) == {"CHAINLIT_ROOT_PATH": "/chat", "CHAINLIT_PARENT_ROOT_PATH": ""}
    assert isinstance(there, Apply)
    assert dict(there.probes) == {"readinessProbe": "/chat/health"}
    assert there.summary == (
        "CHAINLIT_ROOT_PATH='/chat' (was ''); CHAINLIT_PARENT_ROOT_PATH='' (was '/chat'); readinessProbe path "
        "'/chat/health' (was '/health') (a trial: the page left the stripped prefix out)"
    )
    tried = applied(workload(law_abiding()), "chainlit", dict(there.env), dict(there.probes)).containers[0]
    assert plan(stripped(tried, WORKS)).action == NoOp()
    snap = stripped(tried, FAILS)
    back = plan(replace(snap, app=replace(snap.app, status=replace(snap.app.status, root_path="/chat")))).action
    assert isinstance(back, Apply)
    assert env(back) == {"CHAINLIT_ROOT_PATH": "", "CHAINLIT_PARENT_ROOT_PATH": "/chat"}
    assert dict(back.probes) == {"readinessProbe": "/health"}
    assert "trial" not in back.summary


def test_values_that_stand_are_looked_at_before_any_write() -> None:
    found = plan(stripped(other_way()))
    assert (found.action, found.trial, found.roots) == (NoOp(), PENDING, OTHER)


def test_values_that_stand_are_not_taken_after_a_suspension() -> None:
    """Whether they work is not known yet, and nothing of a trial is written twice."""
    suspended = Condition("Aligned", "Unknown", "Suspended", "…")
    snap = stripped(other_way())
    snap = replace(snap, app=replace(snap.app, status=Status(conditions=(suspended,))))
    assert plan(snap).action == NoOp()


@pytest.mark.parametrize("trial", [None, PENDING])
def test_where_a_part_of_the_path_is_stripped_there_are_no_other_values(trial: Trial | None) -> None:
    route = ingress(path("/team/chat", transforms=(StripPrefix(("/team",)),)))
    found = plan(replace(stripped(container("/team/chat"), trial, rewrite=Rewrite.AUTO), routes=(route,)))
    assert (found.roots, found.trial) == (RootPaths("/chat", "/team"), trial)


def test_a_trial_is_kept_while_nothing_can_be_told() -> None:
    """Of a failed rollout too: whether it failed by the trial is told by the container and the route."""
    failed = Rollout(observed_generation=1, total=2, updated=1, available=1, failure="Timed out.")
    snap = stripped(law_abiding(), PENDING)
    several = workload(container(name="a"), container(name="b"), rollout=failed)
    for now in (
        replace(snap, workload=several),
        replace(snap, workload=None),
        replace(
            snap, routes=(ingress("/a b"),), workload=workload(replace(law_abiding(), image=IMAGE), rollout=failed)
        ),
    ):
        decision = plan(now)
        assert decision.trial == PENDING
        assert statuses.trial(now.app, decision, now.workload, None) == PENDING


def reachable(status: str) -> Condition:
    return Condition("WebSocketReachable", status, "Verified", "…")


@pytest.mark.parametrize(
    "snap",
    [
        stripped(container("/bot")),
        stripped(container("/chat", parent_root_path=Variable("/chat"))),
        stripped(other_way(), verification=VerificationMode.DISABLED),
        stripped(other_way(), FAILS),
        replace(stripped(other_way()), workload=workload(other_way(), rollout=Rollout(observed_generation=1, total=1))),
        replace(stripped(other_way()), workload=workload(other_way(), generation=2)),
        replace(
            stripped(other_way()),
            app=replace(app(rewrite=Rewrite.STRIP), status=Status(root_path="/chat", conditions=(reachable("True"),))),
        ),
    ],
)
def test_other_values_are_not_looked_at(snap: Snapshot) -> None:
    assert plan(snap).roots == LAW


def test_what_was_verified_with_the_variable_unset_may_want_the_other_values() -> None:
    chat = replace(app(rewrite=Rewrite.STRIP), status=Status(root_path="", conditions=(reachable("True"),)))
    assert plan(replace(stripped(other_way()), app=chat)).roots == OTHER


@pytest.mark.parametrize("snap", [snapshot(), snapshot(ingress("/"))])
def test_nothing_is_tried_where_nothing_is_stripped(snap: Snapshot) -> None:
    assert trial_after(snap, "ParentRootPathIgnored") is None


def trial_after(snap: Snapshot, reason: str) -> Trial | None:
    """The trial after the verification of an app that has what its plan wants."""
    found: Plan = plan(snap)
    assert snap.workload is not None
    if isinstance(found.action, Apply):
        live = applied(snap.workload, "chainlit", dict(found.action.env), dict(found.action.probes))
        snap = replace(snap, workload=live)
        found = plan(snap)
    check = statuses.check(snap.app, found, snap.workload)
    assert check is not None
    verification = Verification(check, reason == "Verified", Reason(reason), "…")
    return statuses.trial(snap.app, found, snap.workload, verification)


def test_the_trial_follows_verifications_of_now_only() -> None:
    snap = stripped(law_abiding())
    assert trial_after(snap, "ParentRootPathIgnored") == PENDING
    assert trial_after(stripped(law_abiding(), PENDING), "Verified") == WORKS
    found = plan(snap)
    check = statuses.check(snap.app, found, snap.workload)
    assert check is not None
    old = Verification(replace(check, generation=0), False, Reason.PARENT_ROOT_PATH_IGNORED, "…")
    assert statuses.trial(snap.app, found, snap.workload, old) is None
    assert statuses.trial(snap.app, found, snap.workload, None) is None


@pytest.mark.parametrize(("at_service", "after"), [("ParentRootPathIgnored", PENDING), ("Verified", None), ("", None)])
def test_at_the_edge_the_answer_of_the_service_counts(at_service: str, after: Trial | None) -> None:
    snap = stripped(law_abiding(), verification=VerificationMode.EDGE)
    found = plan(snap)
    check = statuses.check(snap.app, found, snap.workload)
    assert check is not None and check.at_edge
    verification = Verification(
        check, False, Reason.PARENT_ROOT_PATH_IGNORED, "…", Reason(at_service) if at_service else None
    )
    assert statuses.trial(snap.app, found, snap.workload, verification) == after


@pytest.mark.parametrize(
    ("trial", "observed", "after"), [(PENDING, 1, FAILS), (PENDING, 0, PENDING), (WORKS, 1, WORKS), (None, 1, None)]
)
def test_a_rollout_that_fails_ends_it(trial: Trial | None, observed: int, after: Trial | None) -> None:
    snap = stripped(law_abiding(), trial)
    failed = Rollout(observed_generation=observed, total=2, updated=1, available=1, failure="Timed out.")
    assert snap.workload is not None
    snap = replace(snap, workload=replace(snap.workload, rollout=failed))
    assert statuses.trial(snap.app, plan(snap), snap.workload, None) == after


# ------------------------------------------------------------------------------------- mounted in another app


def mounted(
    found: Container | None = None, trial: Trial | None = None, mount_path: str = "/chainlit", **spec: Any
) -> Snapshot:
    snap = stripped(found, trial, mount_path=mount_path, **spec)
    return replace(snap, routes=(ingress("/api"),))


@pytest.mark.parametrize(
    "found",
    [container(), container("/x", probes=HEALTH), container(Variable(None)), container(has_root_path_option=True)],
)
def test_a_mounted_app_is_never_written(found: Container) -> None:
    for rewrite in (Rewrite.STRIP, Rewrite.NONE):
        assert plan(mounted(found, rewrite=rewrite)).action == NoOp()
    assert trial_after(mounted(rewrite=Rewrite.NONE), "HandshakeNotFound") is None


def test_but_for_the_prefix_that_its_page_leaves_out() -> None:
    assert trial_after(mounted(), "ParentRootPathIgnored") == PENDING
    action = plan(mounted(trial=PENDING)).action
    assert env(action) == {"CHAINLIT_PARENT_ROOT_PATH": "/api"}
    assert isinstance(action, Apply) and action.probes == ()
    tried = container(parent_root_path=Variable("/api"))
    assert plan(mounted(tried, WORKS)).action == NoOp()
    assert plan(mounted(tried, WORKS)).roots == RootPaths("", "/api")
    assert env(plan(mounted(container("/x"), PENDING)).action) == {"CHAINLIT_PARENT_ROOT_PATH": "/api"}
    assert env(plan(mounted(tried, FAILS)).action) == {"CHAINLIT_PARENT_ROOT_PATH": ""}
    assert plan(mounted(trial=FAILS)).action == NoOp()


def test_of_a_mounted_app_only_the_variable_that_is_tried_must_be_free() -> None:
    assert env(plan(mounted(container(Variable(None)), PENDING)).action) == {"CHAINLIT_PARENT_ROOT_PATH": "/api"}
    action = plan(mounted(container(parent_root_path=Variable(None)), PENDING)).action
    assert isinstance(action, Blocked) and action.reason is Reason.VARIABLE_FROM_SOURCE


@pytest.mark.parametrize(("mount_path", "after"), [("/chainlit", PENDING), ("", None)])
def test_where_a_part_of_the_path_is_stripped_only_a_mounted_app_may_want_another_value(
    mount_path: str, after: Trial | None
) -> None:
    route = ingress(path("/team/chat", transforms=(StripPrefix(("/team",)),)))
    variables: dict[str, Any] = {} if mount_path else {"root_path": "/chat", "parent_root_path": Variable("/team")}
    found = replace(container(probes=(), **variables), image=IMAGE)
    snap = snapshot(route, app=app(mount_path=mount_path), workload=workload(found))
    assert trial_after(snap, "ParentRootPathIgnored") == after


def test_a_trial_is_told_in_the_status() -> None:
    snap = stripped(other_way(), trial=WORKS)
    decision = plan(snap)
    assert decision.trial == WORKS
    assert statuses.status(snap.app, decision, snap.workload, None, None, "now").trial == WORKS


def test_a_mounted_app_is_verified_where_it_is_mounted() -> None:
    snap = mounted()
    check = statuses.check(snap.app, plan(snap), snap.workload)
    assert check is not None
    assert (check.root_path, check.page_prefix) == ("/chainlit", "/api")


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({}, "The route strips /api"),
        ({"rewrite": Rewrite.NONE}, "mount Chainlit at /api/chainlit with root_path empty"),
        ({"rewrite": Rewrite.NONE, "mount_path": "/api/chainlit"}, "Let spec.mountPath be the path of mount_chainlit"),
    ],
)
def test_what_to_change_of_the_outer_app(spec: dict[str, Any], says: str) -> None:
    snap = mounted(**spec)
    found = plan(snap)
    check = statuses.check(snap.app, found, snap.workload)
    assert check is not None
    verification = Verification(check, False, Reason.HANDSHAKE_NOT_FOUND, "…")
    status = statuses.status(snap.app, found, snap.workload, verification, None, "now")
    ready = status.condition("Ready")
    assert ready is not None
    assert ready.reason == "MountPathNotServed"
    assert says in ready.message
    assert f"below {check.root_path} (HandshakeNotFound)" in ready.message
    aligned = status.condition("Aligned")
    assert aligned is not None and (aligned.status, aligned.reason) == ("True", "Mounted")


def test_addresses_of_a_mounted_app() -> None:
    snap = mounted()
    status = statuses.status(snap.app, plan(snap), snap.workload, None, None, "now")
    assert status.url == "http://example.com/api/chainlit/"
    assert status.web_socket_url == "ws://example.com/api/chainlit/ws/socket.io/"
    assert status.root_path is None
