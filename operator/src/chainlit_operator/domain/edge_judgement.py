"""What an answer at the public URL says about an app that answers through its Service (mode ``Auto``).

The operator is not a browser of a user: it has no login, trusts other authorities, and may be in a network that the
edge does not serve. So only an answer that proves a fault is a fault. The rest is said, and leaves Ready alone.
"""

from __future__ import annotations

from enum import StrEnum

from chainlit_operator.domain.model import AnsweredBy
from chainlit_operator.domain.reasons import Reason

#: The operator itself asked nothing, so there is no answer that could be wrong.
NOT_ASKED = frozenset({Reason.ADDRESS_FORBIDDEN, Reason.TARGET_INVALID, Reason.PROBE_FAILED})
#: Answers that prove a fault at the edge or behind it.
_PROOF = frozenset({AnsweredBy.CHAINLIT, AnsweredBy.CONTROLLER})


class Judgement(StrEnum):
    """What a probe of the URL proves."""

    WORKS = "Works"
    FAULT = "Fault"
    NOT_JUDGED = "NotJudged"


def judge(reason: Reason, answered_by: AnsweredBy, *, has_answered: bool) -> Judgement:
    """Judge the outcome of a probe of the URL.

    ``has_answered`` says that the app was reached at this URL before. A login that somebody adds to such an app is
    still no fault: its users pass it.
    """
    if reason is Reason.VERIFIED:
        return Judgement.WORKS
    if reason in NOT_ASKED or answered_by is AnsweredBy.LOGIN:
        return Judgement.NOT_JUDGED
    if answered_by in _PROOF or has_answered:
        return Judgement.FAULT
    return Judgement.NOT_JUDGED
