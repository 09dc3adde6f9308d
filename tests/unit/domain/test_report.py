"""The report after the writes of a decision: missing objects, answers that are late, results that are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.test_conditions import EDGE, LATER, NOW, RIGHT, aligned
from tests.unit.domain.test_conditions_whole import (
    ALIGNED,
    NO_PODS,
    NO_WORKLOAD,
    NOT_ALIGNED,
    READY,
    ROUTE,
    SINGLE,
    text,
    told,
)
from tests.unit.domain.test_ownership import NEW_GATEWAY, NEW_INGRESS, templated
from tests.unit.domain.world import DONE, app, container, ingress, path, service, snapshot, verified, workload

from chainlit_operator.domain.conditions import Outcome, Report, report
from chainlit_operator.domain.decide import Failure, decide
from chainlit_operator.domain.model import (
    App,
    Condition,
    Container,
    NewIngress,
    Rewrite,
    Rollout,
    Snapshot,
    Status,
    Variable,
    Verification,
    VerificationMode,
    WebSocketRefusal,
)
from chainlit_operator.domain.reasons import ELSEWHERE, Reason
from chainlit_operator.domain.rewrites import ReplacePrefixMatch

FAILURE = Failure(Reason.FORBIDDEN, "The operator may not create it.")
FAILED = "False Forbidden: The operator may not create it."
PENDING = "Unknown VerificationPending: The WebSocket will be tested in a moment."
NO_ADDRESS = (
    "Unknown ServiceWithoutAddress: The Service behind the route has neither a cluster IP nor pods to ask. Use a "
    "ClusterIP Service."
)
EXTERNAL = (service(type="ExternalName", cluster_ip=""),)


def reported(snap: Snapshot, *, failure: Failure | None = None, has_written: bool = False) -> Report:
    return report(snap, decide(snap), Outcome(snap.workload, failure, has_written))


def test_a_workload_that_was_deleted_meanwhile_is_not_found() -> None:
    snap = snapshot()
    found = report(snap, decide(snap), Outcome(None))
    assert told(found.status) == text(NO_WORKLOAD, NO_WORKLOAD, NOT_ALIGNED, NO_WORKLOAD, NO_PODS)
    assert (found.check, found.status.url, found.status.route) == (None, None, None)


def test_without_a_path_the_app_is_not_aligned() -> None:
    found = told(reported(snapshot(ingress("/a b"))).status).splitlines()
    assert found[1:] == [
        "Aligned=False RouteNotResolved: No path could be resolved (PathNotSupported). See the condition "
        "RouteResolved.",
        f"SessionAffinity=True SinglePod: {SINGLE}",
        f"WebSocketReachable={NOT_ALIGNED}",
        found[0].replace("RouteResolved=", "Ready="),
    ]


def test_a_failure_counts_also_where_no_workload_is_left() -> None:
    snap = snapshot()
    found = report(snap, decide(snap), Outcome(None, FAILURE))
    assert told(found.status) == text(ROUTE, FAILED, NOT_ALIGNED, FAILED, NO_PODS)


WITH_INGRESS = app(route_kind="Ingress", route_name="chat", ingress=NEW_INGRESS)
WITH_BOTH = templated(route_kind="Ingress", route_name="chat", ingress=NewIngress())
WITH_TEMPLATE = templated(route_kind="Ingress", route_name="chat")
MADE = (ingress("/chat"), workload())


@pytest.mark.parametrize(
    ("asked", "owned", "is_missing"),
    [
        (app(), (), False),
        (WITH_INGRESS, (), True),
        (WITH_INGRESS, MADE[1:], True),
        (WITH_INGRESS, MADE[:1], False),
        (WITH_TEMPLATE, (), True),
        (WITH_TEMPLATE, MADE[:1], True),
        (WITH_TEMPLATE, MADE[1:], False),
        (WITH_BOTH, MADE[:1], True),
        (WITH_BOTH, MADE[1:], True),
        (WITH_BOTH, MADE, False),
    ],
)
def test_where_an_object_does_not_exist_its_failure_is_why_there_is_no_route(
    asked: App, owned: Any, is_missing: bool
) -> None:
    found = reported(snapshot(app=asked, owned=owned), failure=FAILURE)
    resolved = FAILED if is_missing else ROUTE
    assert told(found.status) == text(resolved, FAILED, NOT_ALIGNED, FAILED)
    assert (found.status.route is None) is is_missing
    without = reported(snapshot(app=asked, owned=owned))
    assert told(without.status).startswith(f"RouteResolved={ROUTE}\n")


def test_a_failure_is_why_there_is_no_route_where_none_was_found() -> None:
    found = reported(snapshot(ingress("/a b"), app=WITH_INGRESS, owned=MADE[:1]), failure=FAILURE)
    assert told(found.status) == text(FAILED, FAILED, NOT_ALIGNED, FAILED)


def test_a_gateway_route_is_created_too() -> None:
    asked = app(route_kind="HTTPRoute", route_name="chat", gateway=NEW_GATEWAY)
    assert told(reported(snapshot(app=asked), failure=FAILURE).status).startswith(f"RouteResolved={FAILED}\n")


@pytest.mark.parametrize(("has_written", "wanted"), [(False, NO_ADDRESS), (True, PENDING)])
def test_after_a_write_the_service_may_get_an_address(has_written: bool, wanted: str) -> None:
    """A Service that was created a moment ago has none yet."""
    found = reported(aligned(services=EXTERNAL), has_written=has_written)
    assert told(found.status) == text(ROUTE, ALIGNED, wanted)
    assert found.check is None


def test_the_operator_as_a_whole_may_not_verify() -> None:
    found = reported(aligned(is_verified=False))
    assert told(found.status) == text(
        ROUTE,
        ALIGNED,
        "Unknown VerificationDisabled: The operator runs with --no-verification, so the WebSocket is not tested. Set "
        "verification.enabled=true in the operator's chart.",
        "True Ready: Chainlit has the route's path (its WebSocket is not tested).",
    )
    assert found.check is None


def test_a_rollout_that_is_held() -> None:
    found = reported(aligned(replace(DONE, updated=0, paused_by="spec.paused true")))
    assert told(found.status) == text(
        ROUTE,
        ALIGNED,
        "Unknown RolloutHeld: Deployment shop/chat has spec.paused true, so pods of a former template stay. Change "
        "that, or replace the pods yourself. The WebSocket is tested when all pods run the present template.",
    )


def test_replicas_are_counted_before_a_failure() -> None:
    found = reported(aligned(Rollout(1, 0, 0, 0, 0, failure="It has timed out.")))
    assert told(found.status) == text(
        ROUTE, ALIGNED, "Unknown ScaledToZero: Deployment chat has no replicas. Scale it up."
    )


@pytest.mark.parametrize(
    ("root", "parent", "words"),
    [
        ("/chat", "/team", "at /chat, as Ingress chat requires (CHAINLIT_ROOT_PATH is '/chat', {} is '/team')."),
        (
            "",
            "/team/chat",
            "at /, as Ingress chat requires (CHAINLIT_ROOT_PATH is empty or not set, {} is '/team/chat').",
        ),
        ("/team/chat", "", "at /team/chat, as Ingress chat requires (CHAINLIT_ROOT_PATH is '/team/chat')."),
    ],
)
def test_the_message_names_the_variables(root: str, parent: str, words: str) -> None:
    rewrite = (ReplacePrefixMatch(root or "/"),) if parent else ()
    right = container(root, parent_root_path=Variable(parent), probes=())
    found = reported(snapshot(ingress(path("/team/chat", transforms=rewrite)), workload=workload(right)))
    serves = words.format("CHAINLIT_PARENT_ROOT_PATH")
    assert told(found.status).splitlines()[1] == (
        f"Aligned=True Aligned: Container chainlit of Deployment shop/chat serves Chainlit {serves}"
    )
    assert (found.status.root_path, found.status.parent_root_path) == (root, parent)


# ------------------------------------------------------------------------------------- while a result is not known yet


def before(reason: str = "Verified", status: str = "True", generation: int = 1, **fields: Any) -> Any:
    """The status of an app whose WebSocket had that condition."""
    former = Condition("WebSocketReachable", status, reason, "What was found.", generation, NOW)
    given = {"root_path": "/chat", "parent_root_path": "", "url": "http://example.com/chat/"} | fields
    return Status(1, conditions=(former,), **given)


def awaiting(status: Status, mode: VerificationMode = VerificationMode.BACKEND, **fields: Any) -> Report:
    return reported(aligned(app=replace(app(verification=mode), status=status), now=LATER, **fields))


BACKEND, FORMER = VerificationMode.BACKEND, "True Verified: What was found."


@pytest.mark.parametrize(
    ("status", "mode", "wanted"),
    [
        (before(), BACKEND, FORMER),
        (before(generation=0), BACKEND, PENDING),
        (before(url="http://other/"), BACKEND, FORMER),
        (before(), EDGE, FORMER),
        (before(url="http://other/"), EDGE, PENDING),
        (before(generation=0), EDGE, PENDING),
        (before("Suspended"), BACKEND, PENDING),
        (Status(), BACKEND, PENDING),
        (Status(url="http://example.com/chat/"), EDGE, PENDING),
    ],
)
def test_the_former_condition_stays_until_the_result_is_known(
    status: Status, mode: VerificationMode, wanted: str
) -> None:
    found = awaiting(status, mode)
    assert told(found.status).splitlines()[3] == f"WebSocketReachable={wanted}"


def test_another_result_of_the_same_app_does_not_count() -> None:
    snap = verified(aligned(app=replace(app(), status=before("HandshakeIsHTML", "False"))))
    moved = replace(snap, services=(service(cluster_ip="10.96.0.8"),))
    assert told(reported(moved).status).splitlines()[3] == "WebSocketReachable=False HandshakeIsHTML: What was found."
    assert told(reported(snap).status).splitlines()[3] == "WebSocketReachable=True Verified: …"


@pytest.mark.parametrize(
    ("status", "fields", "is_known"),
    [
        (before(), {}, True),
        (before(root_path=None, parent_root_path=None), {}, True),
        (before(root_path="", parent_root_path="/chat"), {}, True),
        (before(parent_root_path=None), {}, True),
        (before(root_path="/old"), {}, False),
        (before(parent_root_path="/team"), {}, False),
        (before(generation=0), {}, False),
        (before("HandshakeIsHTML", "False"), {}, False),
        (before("VerificationPending", "Unknown"), {}, False),
        (Status(root_path="/chat"), {}, False),
        (before(), {"services": EXTERNAL}, False),
        (before(), {"mode": VerificationMode.DISABLED}, False),
    ],
)
def test_whether_a_result_is_known_already(status: Status, fields: dict[str, Any], is_known: bool) -> None:
    assert awaiting(status, **fields).is_known is is_known


def test_a_result_behind_a_strip_is_known_by_its_public_path() -> None:
    right = workload(container("", parent_root_path=Variable("/chat"), probes=()))
    status = before(root_path="", parent_root_path="/chat")
    snap = snapshot(workload=right, app=replace(app(rewrite=Rewrite.STRIP), status=status))
    assert reported(snap).is_known
    moved = replace(snap, app=replace(snap.app, status=before(root_path="", parent_root_path="/team")))
    assert not reported(moved).is_known


# ----------------------------------------------------------------------------------------------- mounted in another app


def mounted(reason: Reason, at_service: Reason | None = None, **fields: Any) -> str:
    """The message of WebSocketReachable after a verification with that result; the app is mounted at /bot."""
    bare: Container = container(None, probes=())
    snap = snapshot(workload=workload(bare), app=app(**({"mount_path": "/bot"} | fields)))
    check = reported(snap).check
    assert check is not None
    result = Verification(check, reason is Reason.VERIFIED, reason, "What was found.", at_service)
    found = reported(replace(snap, verification=result)).status.condition("WebSocketReachable")
    assert found is not None
    return f"{found.status} {found.reason}: {found.message}"


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason in ELSEWHERE])
def test_an_answer_from_elsewhere_is_about_the_mount_path(reason: Reason) -> None:
    assert mounted(reason).startswith(f"False MountPathNotServed: Chainlit does not answer below /chat/bot ({reason}).")
    assert mounted(reason, mount_path="") == f"False {reason}: What was found."


def test_at_the_edge_the_answer_of_the_service_says_whether_the_mount_path_is_wrong() -> None:
    failed, page = Reason.CONNECTION_REFUSED, Reason.PAGE_NOT_FOUND
    assert mounted(failed, page, verification=EDGE).startswith(
        "False MountPathNotServed: Chainlit does not answer below /chat/bot (PageNotFound)."
    )
    assert mounted(page, None, verification=EDGE) == "False PageNotFound: What was found."
    assert mounted(page, failed, verification=EDGE) == "False PageNotFound: What was found."
    assert mounted(Reason.VERIFIED, page, verification=EDGE) == "True Verified: What was found."


def test_what_counts_as_an_answer_from_elsewhere() -> None:
    wanted = (
        *("ParentRootPathIgnored", "HandshakeNotFound", "HandshakeIsHTML", "PageNotFound", "PageMalformed"),
        *("AssetsMissing", "SocketAtDoubledSlash", "RootPathInPageOnly", "RootPathIgnored"),
    )
    assert {str(reason) for reason in ELSEWHERE} == set(wanted)


def test_ready_is_what_fails_first() -> None:
    right = aligned(workload=workload(RIGHT, container(name="proxy", probes=())))
    assert told(reported(verified(right)).status) == text(ROUTE, ALIGNED, "True Verified: …", READY)
    refused = aligned(ingress(path("/chat", web_socket_refusal=WebSocketRefusal("The edge", "Set x to chat.", 403))))
    found = told(reported(refused).status)
    assert found == text(
        ROUTE,
        ALIGNED,
        "False WebSocketNotEnabled: The edge refuses the WebSocket at Ingress shop/chat with status 403. Set x to "
        "chat.",
    )
