"""Before the first write: what the pods say against it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.test_adoption import OWN, STRIP, adopting, after, pods
from tests.unit.domain.world import DONE, app, assert_plain, container, ingress, report_of, service, verified, workload

from chainlit_operator.domain.alignment import Apply, Blocked, NoOp
from chainlit_operator.domain.conditions import Outcome, report
from chainlit_operator.domain.decide import Decision, decide
from chainlit_operator.domain.model import (
    NOBODY,
    App,
    Cause,
    Container,
    Finding,
    PathAnswer,
    PathKind,
    Pods,
    Probe,
    RouteStatus,
    Snapshot,
    Standing,
    Stands,
    Status,
    Variable,
    VerificationMode,
    Whereabouts,
)
from chainlit_operator.domain.reasons import Reason

ELSE = Finding(Cause.ELSE, status=404)
#: Release 2.2.1 behind a route that strips its path.
OLD = pods("/chat", image="chat:2.2.1")


def asking(route: str, found: Container, chat: App | None = None, **fields: Any) -> Snapshot:
    """The first decision about an app whose pods have not answered yet."""
    return replace(adopting(route, found, chat, **fields), answers={})


def answered(snap: Snapshot, standing: Any = Standing.BAD, finding: Any = ELSE, path: Any = PathKind.OTHER) -> Snapshot:
    """The snapshot with answers to the questions that its decision asks."""
    kinds = {Stands: standing, Whereabouts: finding, PathAnswer: path}
    asked = decide(replace(snap, answers={})).questions
    return replace(snap, answers={question: kinds[type(question)] for question in asked})


def is_pending(found: Decision) -> bool:
    return isinstance(found.action, Blocked) and found.action.reason is Reason.VERIFICATION_PENDING


def test_an_app_that_answers_as_it_stands_is_kept() -> None:
    snap = asking("/chat", OLD, STRIP)
    found = decide(snap)
    assert is_pending(found)
    stands, where = found.questions
    assert isinstance(stands, Stands) and isinstance(where, Whereabouts)
    check = stands.check
    assert (check.base_url, check.root_path, check.page_prefix) == ("http://10.96.0.7:80", "", "/chat")
    assert (check.uid, check.generation, check.edge_url) == ("uid-of-workload", 1, "")

    good = answered(snap, Standing.GOOD)
    found = decide(good)
    assert (found.action, found.root_paths) == (NoOp(), ("/chat", ""))
    assert found.kept is not None and (found.kept.stands, found.kept.outer) == (True, "")
    assert (found.kept.route.root_paths, set(found.questions)) == (("", "/chat"), set(good.answers))
    status = report_of(good).status
    assert (status.root_path, status.parent_root_path, status.kept) == ("/chat", "", True)
    assert status.url == "http://example.com/chat/"

    kept = replace(after(good), answers={})
    found = decide(kept)
    assert (found.action, found.root_paths, found.questions) == (NoOp(), ("/chat", ""), ())
    assert report_of(verified(kept)).status.condition("Ready").status == "True"  # type: ignore[union-attr]
    assert report_of(verified(kept)).check == check
    assert status.condition("Aligned").message == (  # type: ignore[union-attr]
        "Container chainlit of Deployment shop/chat serves Chainlit at /chat, and answers as Ingress chat requires, "
        "although other values would be usual (CHAINLIT_ROOT_PATH is '/chat'). These values stay until the route "
        "changes."
    )


def test_what_stands_is_not_judged_while_the_app_is_suspended() -> None:
    paused = replace(KEPT, app=replace(KEPT.app, spec=replace(KEPT.app.spec, suspend=True)))
    action = decide(paused).action
    assert isinstance(action, Blocked) and action.reason is Reason.SUSPENDED


def test_pending_is_unknown() -> None:
    status = report_of(asking("/chat", pods())).status
    told = {c.type: (c.status, c.reason) for c in status.conditions}
    assert told["Aligned"] == told["Ready"] == ("Unknown", "VerificationPending")
    assert (status.root_path, status.kept) == (None, False)
    assert status.condition("Aligned").message == (  # type: ignore[union-attr]
        "The operator asks the pods what it must not change before it writes."
    )


@pytest.mark.parametrize("standing", [Standing.BAD, NOBODY])
@pytest.mark.parametrize("finding", [ELSE, NOBODY, Finding(Cause.OWN_ROOT_PATH, prefix="/x")])
def test_else_the_operator_writes(standing: Any, finding: Any) -> None:
    snap = answered(asking("/chat", OLD, STRIP), standing, finding)
    found = decide(snap)
    assert isinstance(found.action, Apply)
    assert dict(found.action.env) == {"CHAINLIT_ROOT_PATH": "", "CHAINLIT_PARENT_ROOT_PATH": "/chat"}
    assert (found.kept, set(found.questions)) == (None, set(snap.answers))


def test_what_the_former_pods_said_is_not_said_of_those_after_the_write() -> None:
    snap = answered(asking("/chat", pods("/x")), finding=Finding(Cause.OWN_ROOT_PATH, prefix="/x"))
    found, before = decide(snap), snap.workload
    assert isinstance(found.action, Apply) and before is not None
    written = replace(before, generation=before.generation + 1)
    reachable = report(snap, found, Outcome(written, has_written=True)).status.condition("WebSocketReachable")
    assert reachable is not None
    assert (reachable.status, reachable.reason) == ("Unknown", "RolloutInProgress")


@pytest.mark.parametrize("missing", [Stands, Whereabouts])
def test_all_answers_are_awaited(missing: type) -> None:
    snap = answered(asking("/chat", OLD, STRIP), Standing.GOOD)
    some = {question: answer for question, answer in snap.answers.items() if not isinstance(question, missing)}
    assert is_pending(decide(replace(snap, answers=some)))


@pytest.mark.parametrize(
    "snap",
    [
        asking("/chat", pods(), rollout=replace(DONE, available=0)),
        asking("/chat", pods(), generation=2),
        asking("/chat", pods(), rollout=replace(DONE, total=2)),
        asking("/chat", pods(), app(verification=VerificationMode.DISABLED)),
        replace(asking("/chat", pods()), is_verified=False),
        asking("/chat", pods(), **OWN),
        asking("/chat", pods(), replace(app(), status=Status(root_path="/old"))),
    ],
    ids=["no pods", "changed a moment ago", "former pods", "disabled", "off", "written", "aligned"],
)
def test_the_operator_writes_at_once(snap: Snapshot) -> None:
    found = decide(snap)
    assert isinstance(found.action, Apply)
    assert found.questions == ()


def test_without_an_address_of_the_service_it_writes_at_once() -> None:
    snap = replace(asking("/chat", pods()), services=(service(type="ExternalName", cluster_ip=""),))
    assert isinstance(decide(snap).action, Apply)


@pytest.mark.parametrize(
    "snap",
    [
        asking("/chat", pods("/chat")),
        asking("/", pods("/chat")),
        asking("/chat", pods(), app(mount_path="/bot")),
        asking("/chat", pods(), app(suspend=True)),
        asking("/a b", pods()),
    ],
)
def test_nothing_is_asked_where_nothing_is_written(snap: Snapshot) -> None:
    assert decide(snap).questions == ()


def test_the_edge_is_not_asked() -> None:
    stands = decide(asking("/chat", pods(), app(verification=VerificationMode.EDGE))).questions[0]
    assert isinstance(stands, Stands)
    assert (stands.check.base_url, stands.check.edge_url) == ("http://10.96.0.7:80", "")


# -------------------------------------------------------------------------------- values that are not the operator's


@pytest.mark.parametrize(
    "found",
    [
        pods(Variable(None)),
        container(parent_root_path=Variable(None), probes=()),
        pods(root_path_option=Variable(None)),
        pods(root_path_option=Variable("bad")),
    ],
)
@pytest.mark.parametrize("route", ["/chat", "/"])
def test_unreadable_values_with_which_the_app_works_stay(found: Container, route: str) -> None:
    snap = asking(route, found)
    assert is_pending(decide(snap))
    good = answered(snap, Standing.GOOD)
    assert decide(good).action == NoOp()
    kept = replace(after(good), answers={})
    assert kept.app.status.kept
    assert decide(kept).action == NoOp()
    blocked = decide(answered(snap)).action
    assert isinstance(blocked, Blocked)
    assert blocked.reason in (Reason.VARIABLE_FROM_SOURCE, Reason.ROOT_PATH_IN_COMMAND)


# -------------------------------------------------------------------------------------------------- how long it lasts


KEPT = replace(after(answered(asking("/chat", OLD, STRIP), Standing.GOOD)), answers={})


def test_a_change_of_the_route_ends_it() -> None:
    found = decide(replace(KEPT, routes=(ingress("/bot"),)))
    assert (found.kept, found.root_paths) == (None, ("", "/bot"))
    assert isinstance(found.action, Apply)


def test_other_values_are_asked_about_anew() -> None:
    done = replace(DONE, observed_generation=2)
    changed = replace(KEPT, workload=workload(pods("/other"), generation=2, rollout=done))
    assert is_pending(decide(changed))
    assert decide(answered(changed)).root_paths == ("", "/chat")
    assert decide(answered(changed, Standing.GOOD)).root_paths == ("/other", "")


def test_values_of_the_route_end_it() -> None:
    right = decide(replace(KEPT, workload=workload(pods(None, "/chat"))))
    assert (right.kept, right.action) == (None, NoOp())


@pytest.mark.parametrize(
    ("reason", "generation", "is_kept"),
    [
        (Reason.PARENT_ROOT_PATH_IGNORED, 1, False),
        (Reason.PARENT_ROOT_PATH_IGNORED, 2, True),
        (Reason.CONNECTION_REFUSED, 1, True),
        (Reason.VERIFIED, 1, True),
    ],
)
def test_it_ends_when_the_app_answers_elsewhere(reason: Reason, generation: int, is_kept: bool) -> None:
    """Another image may not work with these values; then the pods are asked once more before the write."""
    seen = verified(KEPT, reason)
    upgraded = replace(seen, workload=replace(seen.workload, generation=generation))  # type: ignore[type-var]
    assert (decide(upgraded).kept is not None) is is_kept
    if not is_kept:
        assert is_pending(decide(upgraded))
        assert isinstance(decide(answered(upgraded)).action, Apply)


def test_it_is_asked_again_after_a_time_without_a_route() -> None:
    lost = after(replace(KEPT, routes=()))
    assert lost.app.status.kept
    back = replace(lost, routes=KEPT.routes, answers={})
    assert is_pending(decide(back))
    assert decide(answered(back, Standing.GOOD)).kept is not None


def superseded(root_path: str = "/chat", path: str = "/chat", **status: Any) -> Snapshot:
    """An app that another release of the operator has aligned, with that root path."""
    route = RouteStatus("Ingress", "chat", "example.com", path, "Prefix", "Strip")
    known = Status(root_path=root_path, parent_root_path="", route=route)
    return asking("/chat", OLD, replace(STRIP, status=replace(known, **status)), **OWN)


def test_values_of_another_release_of_the_operator_are_asked_about() -> None:
    snap = superseded()
    assert is_pending(decide(snap))
    good = answered(snap, Standing.GOOD)
    assert decide(good).action == NoOp()
    assert decide(replace(after(good), answers={})).action == NoOp()
    assert isinstance(decide(answered(snap)).action, Apply)


@pytest.mark.parametrize(
    "snap", [superseded("/other"), superseded(path="/bot"), superseded(parent_root_path="/x"), superseded(route=None)]
)
def test_what_others_have_changed_is_set_back_at_once(snap: Snapshot) -> None:
    found = decide(snap)
    assert isinstance(found.action, Apply) and found.questions == ()


# ------------------------------------------------------------------------------------------------------ mounted apps


def test_nothing_is_written_to_an_app_that_mounts_chainlit() -> None:
    snap = answered(asking("/api", pods()), finding=Finding(Cause.MOUNTED, prefix="/chainlit"))
    found = decide(snap)
    assert isinstance(found.action, Blocked) and found.action.reason is Reason.MOUNT_PATH_MISSING
    assert found.action.message.endswith("Set spec.mountPath: /chainlit.")
    assert_plain(found.action.message)
    aligned = report_of(snap).status.condition("Aligned")
    assert aligned is not None and (aligned.status, aligned.reason) == ("False", "MountPathMissing")
    assert set(found.questions) == set(snap.answers), "the answers stay while they are asked for"


def test_a_mounted_app_at_the_place_of_the_route_is_kept() -> None:
    found = decide(answered(asking("/chat", pods()), Standing.GOOD, Finding(Cause.NOTHING)))
    assert (found.action, found.root_paths) == (NoOp(), ("", ""))


# ------------------------------------------------------------------------------------------------------------ probes


def probed(path: str = "/healthz", root_path: str | None = None, port: int | str = "http", **fields: Any) -> Container:
    return container(root_path, probes=(Probe("livenessProbe", path, port),), **fields)


def test_a_path_that_chainlit_answers_moves() -> None:
    snap = asking("/chat", probed())
    question = PathAnswer(Pods(service().ref, "uid-of-workload", 1), 8000, "/healthz")
    assert question in decide(snap).questions
    for kind, moved in (
        (PathKind.CATCH_ALL, (("livenessProbe", "/chat/healthz"),)),
        (PathKind.NOT_FOUND, ()),
        (PathKind.OTHER, ()),
        (NOBODY, ()),
    ):
        action = decide(answered(snap, path=kind)).action
        assert isinstance(action, Apply) and action.probes == moved
    missing = answered(snap, path=None)
    assert is_pending(decide(missing))


def test_a_path_is_asked_also_when_a_route_moves_away_from_the_root() -> None:
    followed = replace(app(), status=Status(root_path="", parent_root_path=""))
    snap = asking("/chat", probed(), followed, **OWN)
    (question,) = decide(snap).questions
    assert isinstance(question, PathAnswer)
    action = decide(answered(snap, path=PathKind.CATCH_ALL)).action
    assert isinstance(action, Apply) and action.probes == (("livenessProbe", "/chat/healthz"),)


@pytest.mark.parametrize(
    ("route", "found"),
    [
        ("/chat", probed("/health")),
        ("/chat", probed("/chat/healthz")),
        ("/chat", probed("/healthz", "/old")),
        ("/chat", probed("/old/healthz", "/old")),
        ("/chat", probed(port=9000)),
        ("/", probed("/healthz", "old")),
    ],
)
def test_no_path_is_asked(route: str, found: Container) -> None:
    followed = replace(app(), status=Status(root_path="/old"))
    assert decide(asking(route, found, followed)).questions == ()


def test_a_suspended_app_is_asked_nothing() -> None:
    found = decide(asking("/chat", probed(), app(suspend=True)))
    assert isinstance(found.action, Blocked) and found.action.reason is Reason.SUSPENDED
    assert found.questions == ()


def test_a_port_without_a_number_is_taken_for_the_usual_one() -> None:
    followed = replace(app(), status=Status(root_path=""))
    (question,) = decide(asking("/chat", probed(port="nowhere"), followed)).questions
    assert isinstance(question, PathAnswer) and question.port == 8000


def test_the_port_of_a_probe_is_asked() -> None:
    followed = replace(app(), status=Status(root_path=""))
    (question,) = decide(asking("/chat", probed(ports=(("http", 8080),)), followed)).questions
    assert isinstance(question, PathAnswer) and question.port == 8080


def test_a_stripped_route_moves_no_probe() -> None:
    followed = replace(STRIP, status=Status(root_path=""))
    found = decide(asking("/chat", probed(), followed))
    assert found.questions == ()
    assert isinstance(found.action, Apply) and found.action.probes == ()
