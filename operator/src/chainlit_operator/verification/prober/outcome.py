"""The result of a probe, as a reason and at most two sentences.

Nothing that a peer sent gets into a message, except the number of a status.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from chainlit_operator.domain.model import AnsweredBy
from chainlit_operator.domain.reasons import Reason

MAX_MESSAGE_CHARS = 480
_MAX_SHOWN_CHARS = 150


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a probe found, and how to fix it: two sentences, each without its full stop.

    A success has a fix where the app works and something beside it does not.
    """

    reason: Reason
    found: str
    fix: str = ""
    answered_by: AnsweredBy = AnsweredBy.NOBODY
    """The sender of the answer that is the failure."""

    @property
    def reachable(self) -> bool:
        """Whether the app can be used."""
        return self.reason is Reason.VERIFIED

    @property
    def message(self) -> str:
        """The sentences, with at most ``MAX_MESSAGE_CHARS`` characters."""
        fix = f" {self.fix}." if self.fix else ""
        return f"{_shorten(self.found, MAX_MESSAGE_CHARS - 1 - len(fix))}.{fix}"


def explain_side(edge: Outcome, backend: Outcome | None) -> Outcome:
    """Add to a failure at the edge on which side of the Service its cause is.

    ``backend`` is the outcome of a probe of the Service after that; None if the Service has no address to probe.
    """
    if backend is None:
        return edge
    if backend.reachable:
        return replace(edge, found=f"The app answers through its Service, so the fault is in front of it: {edge.found}")
    found = f"The app does not answer through its Service either: {backend.found} (at the edge: {edge.found})"
    return replace(edge, found=found, fix=backend.fix)


def shown(text: str) -> str:
    """Shorten a URL or a path for a message."""
    return _shorten(text, _MAX_SHOWN_CHARS)


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
