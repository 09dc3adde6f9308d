"""Values of annotations that switch something on or off."""

from __future__ import annotations

#: The words that Go's ``strconv.ParseBool`` takes for true.
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_OFF = frozenset({"", "0", "f", "false", "no", "off"})


def is_true(value: str | None) -> bool:
    """Whether Go's ``strconv.ParseBool`` takes a value for true; None stands for no value."""
    return value in _TRUE


def is_off(value: str | None) -> bool:
    """Whether a value is one of the words that switch something off; None stands for no value."""
    return value is not None and not is_on(value)


def is_on(value: str) -> bool:
    """Whether a value is none of the words that switch something off."""
    return value.strip().lower() not in _OFF
