"""Mode Auto: the check of Service and URL, and what the status keeps of the URL."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.test_conditions import LATER, NOW, REFUSAL, RIGHT, aligned
from tests.unit.domain.world import app, ingress, path, report_of, service, verified, workload

from chainlit_operator.domain.conditions import Report
from chainlit_operator.domain.model import (
    AppSpec,
    Check,
    EdgeMemory,
    Rollout,
    Snapshot,
    Status,
    Verification,
    VerificationMode,
    Workers,
)
from chainlit_operator.domain.reasons import Reason

AUTO, EDGE, BACKEND = VerificationMode.AUTO, VerificationMode.EDGE, VerificationMode.BACKEND
URL = "http://example.com/chat/"


def auto(mode: VerificationMode = AUTO, status: Status = Status(), **fields: Any) -> Snapshot:  # noqa: B008 - frozen
    return aligned(app=replace(app(verification=mode), status=status), **fields)


def told(found: Report) -> str:
    condition, ready = found.status.condition("WebSocketReachable"), found.status.condition("Ready")
    assert condition is not None and ready is not None
    return f"{condition.status}/{condition.reason} Ready={ready.status}/{ready.reason}"


def result(snap: Snapshot, reason: Reason, *, reachable: bool, has_answered: bool = False) -> Snapshot:
    """The snapshot with that result of its check."""
    check = report_of(snap).check
    assert check is not None
    memory = EdgeMemory(has_answered=has_answered)
    return replace(snap, verification=Verification(check, reachable, reason, "What was found.", edge=memory))


def test_it_is_the_default() -> None:
    assert AppSpec("Deployment", "chat").verification is AUTO


def test_service_and_url_are_asked() -> None:
    snap = aligned(Rollout(1, 2, 2, 2, 2), app=app(verification=AUTO))
    check = report_of(snap).check
    target = str(service().ports[0].target)
    assert check == Check(
        "http://10.96.0.7:80", "/chat", "", target, "uid-of-workload", 1, "http://example.com", 2, is_auto=True
    )
    assert (check.at_edge, check.mode) == (True, "Auto")


def test_lost_session_affinity_is_another_check() -> None:
    """Requests reach other processes then, so the result of before says nothing."""

    def check(mode: VerificationMode, workers: Workers | None) -> Check:
        found = report_of(aligned(app=app(verification=mode), workload=workload(replace(RIGHT, workers=workers)))).check
        assert found is not None
        return found

    several, perhaps = Workers("gunicorn -w 4", is_certain=True), Workers("WEB_CONCURRENCY", is_certain=False)
    assert check(AUTO, several) == replace(check(AUTO, None), is_spread=True)
    assert check(AUTO, perhaps) == check(AUTO, None)
    assert check(BACKEND, several) == check(BACKEND, None), "the Service alone is asked"


@pytest.mark.parametrize("host", ["", "*.example.com"])
def test_without_a_url_the_service_is_asked(host: str) -> None:
    check = report_of(auto(routes=(ingress(path("/chat", host=host)),))).check
    assert check is not None and (check.base_url, check.edge_url, check.pods) == ("http://10.96.0.7:80", "", 0)
    assert check.mode == "Auto"


def test_without_a_service_to_ask_there_is_no_check() -> None:
    found = report_of(auto(services=(service(type="ExternalName", cluster_ip=""),)))
    assert found.check is None
    assert told(found) == "Unknown/ServiceWithoutAddress Ready=Unknown/ServiceWithoutAddress"


@pytest.mark.parametrize(("mode", "name"), [(BACKEND, "Backend"), (EDGE, "Edge"), (AUTO, "Auto")])
def test_the_mode_of_a_check(mode: VerificationMode, name: str) -> None:
    check = report_of(auto(mode)).check
    assert check is not None and (check.mode, check.is_auto) == (name, mode is AUTO)


@pytest.mark.parametrize(
    ("reason", "reachable", "wanted"),
    [
        ("Verified", True, "True/Verified Ready=True/Ready"),
        ("EdgeNotJudged", True, "True/EdgeNotJudged Ready=True/Ready"),
        ("SessionLost", False, "False/SessionLost Ready=False/SessionLost"),
        ("ProjectSettingsFailed", False, "False/ProjectSettingsFailed Ready=False/ProjectSettingsFailed"),
        ("PlainTextRefused", False, "Unknown/PlainTextRefused Ready=Unknown/PlainTextRefused"),
        ("ProbeFailed", False, "Unknown/ProbeFailed Ready=Unknown/ProbeFailed"),
    ],
)
def test_what_a_result_means(reason: str, reachable: bool, wanted: str) -> None:
    assert told(report_of(result(auto(), Reason(reason), reachable=reachable))) == wanted


def test_a_refusal_of_the_route_counts_whatever_answers() -> None:
    snap = auto(routes=(ingress(path("/chat", web_socket_refusal=REFUSAL)),))
    assert told(report_of(verified(snap))) == "False/WebSocketNotEnabled Ready=False/WebSocketNotEnabled"


# -- the URL at which the app was reached


@pytest.mark.parametrize(("has_answered", "url"), [(True, URL), (False, None)])
@pytest.mark.parametrize("former", [None, URL, "http://other.example/chat/"])
def test_a_result_decides_about_the_verified_url(has_answered: bool, url: str | None, former: str | None) -> None:
    snap = auto(status=Status(verified_url=former))
    for reason, reachable in ((Reason.VERIFIED, True), (Reason.SESSION_LOST, False), (Reason.EDGE_NOT_JUDGED, True)):
        found = report_of(result(snap, reason, reachable=reachable, has_answered=has_answered))
        assert (found.status.verified_url, found.edge_answered) == (url, url is not None)


@pytest.mark.parametrize(
    ("mode", "former", "fields", "kept"),
    [
        (AUTO, URL, {}, True),
        (EDGE, URL, {}, True),
        (BACKEND, URL, {}, False),
        (VerificationMode.DISABLED, URL, {}, False),
        (AUTO, "http://other.example/chat/", {}, False),
        (AUTO, None, {}, False),
        (AUTO, URL, {"routes": (ingress(path("/a b")),)}, False),
        (AUTO, None, {"routes": (ingress(path("/chat", host="")),)}, False),
    ],
)
def test_the_verified_url_stays_until_the_url_changes(
    mode: VerificationMode, former: str | None, fields: dict[str, Any], kept: bool
) -> None:
    found = report_of(auto(mode, Status(verified_url=former), **fields))
    assert (found.status.verified_url, found.edge_answered) == (URL if kept else None, kept)


def test_the_result_of_another_check_does_not_count() -> None:
    snap = result(auto(), Reason.VERIFIED, reachable=True, has_answered=True)
    moved = replace(snap, services=(service(cluster_ip="10.96.0.8"),))
    assert report_of(moved).status.verified_url is None
    assert told(report_of(moved)) == "Unknown/VerificationPending Ready=Unknown/VerificationPending"


def test_an_upgrade_leaves_an_app_ready_that_was_verified_through_its_service() -> None:
    """Its object has no mode, so it gets the new one; until a result is known, the former condition stays."""
    before = report_of(replace(verified(auto(BACKEND)), now=NOW)).status
    found = report_of(replace(auto(AUTO, before), now=LATER))
    assert told(found) == "True/Verified Ready=True/Ready"
    assert found.is_known and found.status == before
