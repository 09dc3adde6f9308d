"""Failures of requests to the API server, and its error bodies."""

from __future__ import annotations

import re

import msgspec

from chainlit_operator.kube import codec

#: The reason of a watch that sent nothing for too long.
SILENT = "Silent"

#: StatusReason of apimachinery's metav1.
_REASONS = frozenset(
    {
        *("Unauthorized", "Forbidden", "NotFound", "AlreadyExists", "Conflict", "Gone", "Invalid", "ServerTimeout"),
        *("StoreReadError", "Timeout", "TooManyRequests", "BadRequest", "MethodNotAllowed", "NotAcceptable"),
        *("RequestEntityTooLarge", "UnsupportedMediaType", "InternalError", "Expired", "ServiceUnavailable"),
    }
)
#: An authorizer's refusal, from its first word on: an admission webhook also answers 403, and its text may contain
#: "cannot patch" anywhere.
_UNAUTHORIZED_VERB = re.compile(r'[^\s"]+ (?:"[^"]*" )?is forbidden: User "(?:[^"\\]|\\.)*" cannot ([a-z]+) resource\b')
_MAX_MESSAGE = 1000


class ApiError(Exception):
    """A request that failed.

    ``code`` is the HTTP status (0 without an answer), ``reason`` one CamelCase word of a fixed set.
    """

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message

    @property
    def is_transient(self) -> bool:
        """Whether the same request may succeed later without a change."""
        return self.code in (0, 408, 409, 429) or self.code >= 500

    @property
    def missing_verb(self) -> str:
        """The verb that RBAC refused; empty for every other error, the refusal of an admission webhook included."""
        found = _UNAUTHORIZED_VERB.match(self.message) if self.code == 403 else None
        return found[1] if found is not None else ""


def from_answer(code: int, body: bytes) -> ApiError:
    """Return the error of an answer with status ``code`` and a metav1.Status (or any text) as its body."""
    try:
        status = codec.decode_error(body)
    except msgspec.DecodeError:
        status = codec.ErrorStatus()
    message = status.message or f"the API server answered {code}"
    # An admission webhook chooses its reason freely. Metrics have the reason as a label, so it must be one of few.
    reason = status.reason if status.reason in _REASONS else f"HTTP{code}"
    return ApiError(code, reason, message[:_MAX_MESSAGE])


def one_line(error: BaseException) -> str:
    """Return the text of an error on one line; the name of its class where it has none."""
    return " ".join(str(error).split()) or type(error).__name__
