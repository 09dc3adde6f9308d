"""Checks: small named rules in an ordered list, as cert-manager's certificate policies are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from chainlit_operator.domain.reasons import Reason

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Check(Generic[T]):
    """A rule: ``fault`` returns the message for a condition, empty where the rule holds. Its docstring is the rule."""

    reason: Reason
    fault: Callable[[T], str]


def first_fault(checks: Iterable[Check[T]], given: T) -> tuple[Reason, str] | None:
    """Return reason and message of the first check that fails; None where all hold."""
    for check in checks:
        if message := check.fault(given):
            return check.reason, message
    return None
