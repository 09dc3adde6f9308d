"""Status: conditions by plan, rollout and verification, and what is verified when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.world import (
    DONE,
    app,
    assert_plain,
    container,
    contested,
    ingress,
    path,
    report_of,
    service,
    snapshot,
    verified,
    workload,
)

from chainlit_operator.domain.conditions import MAX_MESSAGE, Outcome, report
from chainlit_operator.domain.decide import Failure, decide
from chainlit_operator.domain.model import (
    Check,
    Condition,
    Probe,
    Rewrite,
    Rollout,
    Route,
    ServicePort,
    Snapshot,
    Status,
    Verification,
    VerificationMode,
    WebSocketRefusal,
    WorkloadStatus,
)
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.route_warnings import Advice

NOW = "2026-02-03T04:05:06Z"
LATER = "2026-02-03T05:00:00Z"
REFUSAL = WebSocketRefusal("The edge", "Set x to chat.")
RIGHT = container("/chat", probes=(Probe("readinessProbe", "/chat/health", "http"),))


def aligned(*given: Route | Rollout, **fields: Any) -> Snapshot:
    """A snapshot with nothing to do at /chat; other routes, or another rollout, as given."""
    rollout = next((found for found in given if isinstance(found, Rollout)), DONE)
    return snapshot(
        *(found for found in given if isinstance(found, Route)),
        **({"workload": workload(RIGHT, rollout=rollout)} | fields),
    )


def status_of(snap: Snapshot, reachable: bool | None = None, now: str = NOW, failure: Failure | None = None) -> Status:
    if reachable is not None:
        snap = verified(snap, Reason.VERIFIED if reachable else Reason.HANDSHAKE_IS_HTML)
    found = report_of(replace(snap, now=now), failure).status
    assert {c.observed_generation for c in found.conditions} == {found.observed_generation} == {snap.app.generation}
    assert [c.type for c in found.conditions] == [
        *("RouteResolved", "Aligned", "SessionAffinity", "WebSocketReachable", "Ready")
    ]
    for message in {c.message for c in found.conditions if "…" not in c.message}:
        assert_plain(message)
    return found


def words(found: Status) -> list[str]:
    """The conditions without SessionAffinity, which has tests of its own."""
    return [f"{c.type}={c.status}/{c.reason}" for c in found.conditions if c.type != "SessionAffinity"]


def test_ready() -> None:
    found = status_of(aligned(), reachable=True)
    assert words(found) == [
        "RouteResolved=True/Resolved",
        "Aligned=True/Aligned",
        "WebSocketReachable=True/Verified",
        "Ready=True/Ready",
    ]
    assert (found.root_path, found.parent_root_path) == ("/chat", "")
    assert found.url == "http://example.com/chat/"
    assert found.web_socket_url == "ws://example.com/chat/ws/socket.io/"
    assert found.route is not None and found.workload is not None
    assert (found.route.path, found.workload.container) == ("/chat", "chainlit")


@pytest.mark.parametrize(
    ("snap", "reachable", "wanted"),
    [
        (aligned(), None, "WebSocketReachable=Unknown/VerificationPending Ready=Unknown/VerificationPending"),
        (aligned(), False, "WebSocketReachable=False/HandshakeIsHTML Ready=False/HandshakeIsHTML"),
        (aligned(app=app(verification=VerificationMode.DISABLED)), None,
         "WebSocketReachable=Unknown/VerificationDisabled Ready=True/Ready"),
        (aligned(replace(DONE, updated=0)), None,
         "WebSocketReachable=Unknown/RolloutInProgress Ready=Unknown/RolloutInProgress"),
        (aligned(replace(DONE, total=2)), None,
         "WebSocketReachable=Unknown/RolloutInProgress Ready=Unknown/RolloutInProgress"),
        (aligned(Rollout(1, desired=3, total=2, updated=2, available=1)), True,
         "WebSocketReachable=True/Verified Ready=True/Ready"),
        (aligned(Rollout(1, desired=3, total=3, updated=2, available=3)), None,
         "WebSocketReachable=Unknown/RolloutInProgress Ready=Unknown/RolloutInProgress"),
        (aligned(replace(DONE, available=0)), None,
         "WebSocketReachable=Unknown/RolloutInProgress Ready=Unknown/RolloutInProgress"),
        (aligned(replace(DONE, observed_generation=0)), None,
         "WebSocketReachable=Unknown/RolloutInProgress Ready=Unknown/RolloutInProgress"),
        (aligned(replace(DONE, updated=0, failure="It has timed out.")), None,
         "WebSocketReachable=False/RolloutFailed Ready=False/RolloutFailed"),
        (aligned(replace(DONE, updated=0, observed_generation=0, failure="It has timed out.")), None,
         "WebSocketReachable=Unknown/RolloutInProgress Ready=Unknown/RolloutInProgress"),
        (aligned(replace(DONE, updated=0, paused_by="spec.paused true")), None,
         "WebSocketReachable=Unknown/RolloutHeld Ready=Unknown/RolloutHeld"),
        (aligned(replace(DONE, paused_by="spec.paused true")), True,
        "WebSocketReachable=True/Verified Ready=True/Ready"), (aligned(Rollout(1, 0, 0, 0, 0)),
        None,
         "WebSocketReachable=Unknown/ScaledToZero Ready=Unknown/ScaledToZero"),
        (aligned(services=(service(type="ExternalName", cluster_ip=""),)), None,
         "WebSocketReachable=Unknown/ServiceWithoutAddress Ready=Unknown/ServiceWithoutAddress"),
        (aligned(app=app(suspend=True)), None, "WebSocketReachable=Unknown/Suspended Ready=Unknown/Suspended"),
        (snapshot(ingress("/a b")), None, "WebSocketReachable=Unknown/NotAligned Ready=False/PathNotSupported"),
        (snapshot(workload=None), None, "WebSocketReachable=Unknown/NotAligned Ready=False/WorkloadNotFound"),
        (aligned(claimed_by="elder"), None, "WebSocketReachable=Unknown/NotAligned Ready=False/WorkloadClaimed"),
    ],
)  # fmt: skip
def test_conditions(snap: Snapshot, reachable: bool | None, wanted: str) -> None:
    assert " ".join(words(status_of(snap, reachable))[2:]) == wanted


@pytest.mark.parametrize("reachable", [None, True])
def test_an_edge_that_refuses_the_web_socket_is_told_whatever_the_service_answers(reachable: bool | None) -> None:
    found = status_of(aligned(routes=(ingress(path("/chat", web_socket_refusal=REFUSAL)),)), reachable)
    assert words(found)[1:] == [
        "Aligned=True/Aligned",
        "WebSocketReachable=False/WebSocketNotEnabled",
        "Ready=False/WebSocketNotEnabled",
    ]
    assert found.conditions[-1].message == "The edge refuses the WebSocket at Ingress shop/chat. Set x to chat."


@pytest.mark.parametrize(
    ("reason", "wanted"),
    [
        ("UpgradeRefused", "WebSocketReachable=False/WebSocketNotEnabled"),
        ("HandshakeNotFound", "WebSocketReachable=False/HandshakeNotFound"),
        ("Verified", "WebSocketReachable=True/Verified"),
    ],
)
def test_where_the_edge_itself_is_asked_its_answer_counts(reason: str, wanted: str) -> None:
    route = ingress(path("/chat", web_socket_refusal=REFUSAL))
    snap = aligned(routes=(route,), app=app(verification=VerificationMode.EDGE))
    assert words(report_of(verified(snap, Reason(reason))).status)[2] == wanted


def test_an_edge_that_refuses_the_web_socket_counts_also_where_nothing_is_verified() -> None:
    off = app(verification=VerificationMode.DISABLED)
    snap = aligned(routes=(ingress(path("/chat", web_socket_refusal=REFUSAL)),), app=off)
    assert words(status_of(snap))[2:] == [
        "WebSocketReachable=False/WebSocketNotEnabled",
        "Ready=False/WebSocketNotEnabled",
    ]
    assert words(status_of(aligned(app=off)))[2:] == [
        "WebSocketReachable=Unknown/VerificationDisabled",
        "Ready=True/Ready",
    ]


def test_warnings_of_the_route_are_in_its_condition_and_leave_ready_alone() -> None:
    route = ingress(path("/chat", warnings=(Advice("One fails."), Advice("Another fails."))))
    found = status_of(aligned(routes=(route,)), reachable=True)
    assert found.conditions[0].message == (
        "Ingress chat gives path /chat on host example.com. Warning: One fails. Warning: Another fails."
    )
    assert words(found)[-1] == "Ready=True/Ready"


def test_refused_write() -> None:
    failure = Failure(Reason.FORBIDDEN, "The operator may not patch it.")
    found = status_of(snapshot(), failure=failure)
    assert words(found)[1:] == ["Aligned=False/Forbidden", "WebSocketReachable=Unknown/NotAligned",
                                "Ready=False/Forbidden"]  # fmt: skip
    assert found.root_path is None


def test_root_path_stays_known_while_blocked() -> None:
    former = replace(app(), status=Status(root_path="/old", parent_root_path=""))
    assert status_of(snapshot(ingress("/a b"), app=former)).root_path == "/old"


def test_transition_time_moves_only_with_the_status() -> None:
    first = status_of(aligned(), reachable=True)
    assert {c.last_transition_time for c in first.conditions} == {NOW}
    second = status_of(aligned(app=replace(app(), status=first)), reachable=False, now=LATER)
    assert [c.last_transition_time for c in second.conditions] == [NOW, NOW, NOW, LATER, LATER]


def test_same_outcome_gives_the_same_status() -> None:
    first = status_of(aligned(), reachable=True)
    known = replace(app(), status=first)
    assert status_of(aligned(app=known), reachable=True, now=LATER) == first
    assert status_of(aligned(app=known), reachable=None, now=LATER) == first, "a restart must not write"


@pytest.mark.parametrize("reason", ["NotAligned", "Suspended", "VerificationDisabled", "ScaledToZero"])
def test_what_said_nothing_of_the_app_becomes_pending(reason: str) -> None:
    known = replace(app(), status=Status(conditions=(Condition("WebSocketReachable", "Unknown", reason, "…"),)))
    assert words(status_of(aligned(app=known)))[2] == "WebSocketReachable=Unknown/VerificationPending"


def test_outcome_of_another_check_does_not_count() -> None:
    snap = aligned()
    stale = Verification(Check("http://10.0.0.1:80", "/old", "", "", "u", 1), True, Reason.VERIFIED, "…")
    assert words(status_of(replace(snap, verification=stale)))[2] == "WebSocketReachable=Unknown/VerificationPending"


@pytest.mark.parametrize(
    ("behind", "base_url"),
    [
        (service(), "http://10.96.0.7:80"),
        (service(cluster_ip="fd00::7"), "http://[fd00::7]:80"),
        (service(cluster_ip="None"), "http://chat.shop.svc:8000"),
        (service(cluster_ip="None", ports=(ServicePort("http", 80),)), "http://chat.shop.svc:80"),
    ],
)
def test_what_is_asked(behind: Any, base_url: str) -> None:
    snap = aligned(services=(behind,))
    if behind.ports[0].target is None:
        snap = replace(snap, workload=workload(container("/chat", probes=())))
    assert report_of(snap).check == Check(base_url, "/chat", "", str(behind.ports[0].target), "uid-of-workload", 1)


EDGE = VerificationMode.EDGE


@pytest.mark.parametrize(
    ("route", "edge_url"),
    [
        (ingress("/chat"), "http://example.com"),
        (ingress("/chat", tls_hosts=frozenset({"example.com"})), "https://example.com"),
        (ingress(path("/chat", host=""), address="192.0.2.7"), "http://192.0.2.7"),
        (ingress(path("/chat", host=""), address="[2001:db8::7]"), "http://[2001:db8::7]"),
    ],
)
def test_what_is_asked_at_the_edge(route: Any, edge_url: str) -> None:
    snap = aligned(Rollout(1, 2, 2, 2, 2), app=app(verification=EDGE), routes=(route,))
    check = report_of(snap).check
    target = str(service().ports[0].target)
    assert check == Check("http://10.96.0.7:80", "/chat", "", target, "uid-of-workload", 1, edge_url=edge_url, pods=2)
    assert check.at_edge


def test_the_edge_can_be_asked_where_the_service_cannot() -> None:
    snap = aligned(app=app(verification=EDGE), services=(service(type="ExternalName", cluster_ip=""),))
    check = report_of(snap).check
    assert check is not None and (check.base_url, check.edge_url) == ("", "http://example.com")


@pytest.mark.parametrize(
    ("host", "words_"), [("", "has no host, and its status no address"), ("*.example.com", "host *.example.com")]
)
def test_a_route_without_an_address(host: str, words_: str) -> None:
    snap = aligned(app=app(verification=EDGE), routes=(ingress(path("/chat", host=host)),))
    found = status_of(snap)
    assert words(found)[2:] == [
        "WebSocketReachable=Unknown/RouteWithoutAddress",
        "Ready=Unknown/RouteWithoutAddress",
    ]
    assert words_ in found.conditions[3].message


@pytest.mark.parametrize(
    ("changed", "is_asked_anew"),
    [
        ({"workload": workload(RIGHT, rollout=Rollout(1, 2, 2, 2, 2))}, True),
        ({"routes": (ingress("/chat", tls_hosts=frozenset({"example.com"})),)}, True),
        ({"routes": (ingress(path("/chat", host="other.example")),)}, True),
        ({"routes": (ingress("/chat", name="other"),)}, False),
    ],
)
def test_what_has_the_edge_asked_at_once(changed: dict[str, Any], is_asked_anew: bool) -> None:
    before, after = aligned(app=app(verification=EDGE)), aligned(app=app(verification=EDGE), **changed)
    checks = [report_of(snap).check for snap in (before, after)]
    assert None not in checks
    assert (checks[0] != checks[1]) is is_asked_anew


def test_another_question_makes_the_former_answer_void() -> None:
    first = status_of(aligned(app=app(verification=EDGE)), reachable=True)
    known = replace(app(verification=EDGE), status=first)
    assert status_of(aligned(app=known), now=LATER) == first, "a restart must not write"
    moved = status_of(aligned(app=known, routes=(ingress(path("/chat", host="other.example")),)))
    assert words(moved)[2] == "WebSocketReachable=Unknown/VerificationPending"
    through_the_service = replace(app(), status=first)
    moved = status_of(aligned(app=through_the_service, routes=(ingress(path("/chat", host="other.example")),)))
    assert words(moved)[2] == "WebSocketReachable=True/Verified", "the Service is the same behind any host"
    other_mode = replace(app(), generation=2, status=first)
    assert words(status_of(aligned(app=other_mode)))[2] == "WebSocketReachable=Unknown/VerificationPending"


def test_behind_a_strip_the_page_has_a_prefix_that_the_service_does_not_get() -> None:
    right = container("", parent_root_path=container("/chat").root_path, probes=())
    snap = snapshot(app=app(rewrite=Rewrite.STRIP), workload=workload(right))
    check = report_of(snap).check
    assert check is not None and (check.root_path, check.page_prefix) == ("", "/chat")


def test_long_messages_are_cut() -> None:
    failure = Failure(Reason.APPLY_REFUSED, "…" * 40_000)
    assert max(len(c.message) for c in status_of(snapshot(), failure=failure).conditions) == MAX_MESSAGE


def messages(found: Status) -> dict[str, str]:
    return {c.type: c.message for c in found.conditions}


def test_messages() -> None:
    found = messages(status_of(aligned(), reachable=True))
    assert found["RouteResolved"] == "Ingress chat gives path /chat on host example.com."
    assert found["Aligned"] == (
        "Container chainlit of Deployment shop/chat serves Chainlit at /chat, as Ingress chat requires "
        "(CHAINLIT_ROOT_PATH is '/chat')."
    )
    assert found["Ready"] == "Chainlit has the route's path and its WebSocket answers."
    unverified = messages(status_of(aligned(ingress(path(host="")), app=app(verification=VerificationMode.DISABLED))))
    assert unverified["RouteResolved"] == "Ingress chat gives path /chat on any host."
    assert unverified["Ready"] == "Chainlit has the route's path (its WebSocket is not tested)."
    right = container("", parent_root_path=container("/chat").root_path, probes=())
    stripped = messages(status_of(snapshot(app=app(rewrite=Rewrite.STRIP), workload=workload(right))))
    assert "(CHAINLIT_ROOT_PATH is empty or not set, CHAINLIT_PARENT_ROOT_PATH is '/chat')" in stripped["Aligned"]


def test_after_the_write() -> None:
    """The answer to a write is trusted: the app is aligned, and its pods are being replaced."""
    snap = snapshot()
    assert snap.workload is not None
    written = replace(snap.workload, generation=2)
    found = report(snap, decide(snap), Outcome(written, has_written=True))
    assert words(found.status)[1:3] == ["Aligned=True/Aligned", "WebSocketReachable=Unknown/RolloutInProgress"]
    assert (found.status.root_path, found.status.parent_root_path) == ("/chat", "")
    assert found.check is None


def test_roots_stay_known_while_contested() -> None:
    former = replace(app(), status=Status(root_path="/old", parent_root_path="/x"))
    found = status_of(contested(snapshot(app=former)))
    assert (found.root_path, found.parent_root_path) == ("/old", "/x")
    assert found.workload == WorkloadStatus("Deployment", "chat", "chainlit")


@pytest.mark.parametrize("hint", ["", "Look at this."])
def test_a_hint_for_a_rollout_is_told(hint: str) -> None:
    stuck = workload(RIGHT, rollout_hint=hint, rollout=replace(DONE, updated=0))
    message = messages(status_of(aligned(workload=stuck)))["WebSocketReachable"]
    assert message.startswith("Deployment chat is rolling out.")
    assert message.endswith(f"the present template. {hint}".rstrip())


@pytest.mark.parametrize(
    "snap",
    [
        aligned(app=app(verification=VerificationMode.DISABLED)),
        aligned(ingress("/a b")),
        aligned(workload=None),
        aligned(replace(DONE, updated=0)),
        aligned(services=(service(cluster_ip="None", ports=(ServicePort("http", 80, "elsewhere"),)),)),
    ],
)
def test_nothing_to_verify(snap: Snapshot) -> None:
    assert report_of(snap).check is None
