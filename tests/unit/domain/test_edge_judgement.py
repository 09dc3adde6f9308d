"""What each kind of answer at the URL says about an app that answers through its Service."""

from __future__ import annotations

import pytest

from chainlit_operator.domain.edge_judgement import NOT_ASKED, Judgement, judge
from chainlit_operator.domain.model import AnsweredBy
from chainlit_operator.domain.reasons import Reason

WORKS, FAULT, NOT_JUDGED = Judgement.WORKS, Judgement.FAULT, Judgement.NOT_JUDGED
NOBODY, LOGIN, OTHER = AnsweredBy.NOBODY, AnsweredBy.LOGIN, AnsweredBy.OTHER
CHAINLIT, CONTROLLER = AnsweredBy.CHAINLIT, AnsweredBy.CONTROLLER


@pytest.mark.parametrize(
    ("what", "reason", "sender", "first", "after_a_success"),
    [
        ("all requests work", "Verified", NOBODY, WORKS, WORKS),
        # nothing answers the operator, which says little before something has
        ("the name has no address", "DNSLookupFailed", NOBODY, NOT_JUDGED, FAULT),
        ("nothing listens", "ConnectionRefused", NOBODY, NOT_JUDGED, FAULT),
        ("a firewall drops packets", "ConnectionTimedOut", NOBODY, NOT_JUDGED, FAULT),
        ("there is no way to it", "HostUnreachable", NOBODY, NOT_JUDGED, FAULT),
        ("the connection is reset", "ConnectionLost", NOBODY, NOT_JUDGED, FAULT),
        ("no answer comes in time", "TimedOut", NOBODY, NOT_JUDGED, FAULT),
        ("the port speaks no TLS", "TLSFailed", NOBODY, NOT_JUDGED, FAULT),
        ("a private authority", "CertificateNotTrusted", NOBODY, NOT_JUDGED, FAULT),
        ("the controller's own certificate", "CertificateNameMismatch", NOBODY, NOT_JUDGED, FAULT),
        ("a certificate of last year", "CertificateExpired", NOBODY, NOT_JUDGED, FAULT),
        # a login may be added at any time
        ("a redirect to a login", "Redirected", LOGIN, NOT_JUDGED, NOT_JUDGED),
        ("basic authentication", "HandshakeRefused", LOGIN, NOT_JUDGED, NOT_JUDGED),
        ("a login before the page alone", "PageRefused", LOGIN, NOT_JUDGED, NOT_JUDGED),
        ("a login before the script alone", "AssetsMissing", LOGIN, NOT_JUDGED, NOT_JUDGED),
        # another server, perhaps of another network
        ("a page of something else", "HandshakeIsHTML", OTHER, NOT_JUDGED, FAULT),
        ("a login form in the page's place", "PageMalformed", OTHER, NOT_JUDGED, FAULT),
        ("something that is not HTTP", "HandshakeMalformed", OTHER, NOT_JUDGED, FAULT),
        ("an answer of megabytes", "ResponseTooLarge", OTHER, NOT_JUDGED, FAULT),
        ("a 404 of an unknown server", "HandshakeNotFound", OTHER, NOT_JUDGED, FAULT),
        ("too many requests", "HandshakeRefused", OTHER, NOT_JUDGED, FAULT),
        # Chainlit, at the wrong place or broken
        ("Chainlit's page in the socket's place", "HandshakeIsHTML", CHAINLIT, FAULT, FAULT),
        ("Chainlit's own 404", "HandshakeNotFound", CHAINLIT, FAULT, FAULT),
        ("another replica", "SessionLost", CHAINLIT, FAULT, FAULT),
        ("a proxy without WebSockets", "UpgradeRefused", CHAINLIT, FAULT, FAULT),
        ("a page without its script", "AssetsMissing", CHAINLIT, FAULT, FAULT),
        ("the page is not routed", "PageNotFound", CHAINLIT, FAULT, FAULT),
        ("no project settings", "ProjectSettingsFailed", CHAINLIT, FAULT, FAULT),
        # the controller knows no route, or reaches no pod
        ("the controller's 404", "HandshakeNotFound", CONTROLLER, FAULT, FAULT),
        ("the controller's 502", "ServerError", CONTROLLER, FAULT, FAULT),
        # nothing was asked
        ("an address of the cluster", "AddressForbidden", NOBODY, NOT_JUDGED, NOT_JUDGED),
        ("a host that is none", "TargetInvalid", NOBODY, NOT_JUDGED, NOT_JUDGED),
        ("a fault of the prober", "ProbeFailed", OTHER, NOT_JUDGED, NOT_JUDGED),
    ],
)
def test_answers(what: str, reason: str, sender: AnsweredBy, first: Judgement, after_a_success: Judgement) -> None:
    assert judge(Reason(reason), sender, has_answered=False) is first, what
    assert judge(Reason(reason), sender, has_answered=True) is after_a_success, what


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("sender", list(AnsweredBy))
def test_a_success_before_never_turns_a_fault_into_none(reason: Reason, sender: AnsweredBy) -> None:
    before, after = (judge(reason, sender, has_answered=has_answered) for has_answered in (False, True))
    assert before is after or (before, after) == (NOT_JUDGED, FAULT)
    assert (before is WORKS) is (reason is Reason.VERIFIED)
    if reason in NOT_ASKED:
        assert after is NOT_JUDGED
