"""Rules: small named rules in an ordered list, as cert-manager's certificate policies are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from chainlit_operator.domain.reasons import Reason

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rule(Generic[T]):
    """A rule: ``fault`` returns the message for a condition, empty where the rule holds. Its docstring is the rule."""

    reason: Reason
    fault: Callable[[T], str]


def first_fault(rules: Iterable[Rule[T]], given: T) -> tuple[Reason, str] | None:
    """Return reason and message of the first rule that fails; None where all hold."""
    for rule in rules:
        if message := rule.fault(given):
            return rule.reason, message
    return None
