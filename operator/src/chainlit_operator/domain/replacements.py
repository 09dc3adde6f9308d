"""Replacements: the text that takes the place of a match, with references to the groups of an expression."""

from __future__ import annotations

import re

from chainlit_operator.domain.expressions import Expression, Match

#: The longest replacement that is filled in, in characters.
MAX_LENGTH = 4096

_REFERENCE = re.compile(r"\$(?:\{(\d)\}|(\d))")
_RE2_REFERENCE = re.compile(r"\\(.?)", re.DOTALL)
_GO_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+)|(\$))", re.ASCII)


def substitute(replacement: str, groups: tuple[str, ...]) -> str | None:
    """Return ``replacement`` with ``$1`` … filled in, as NGINX does: a group that does not exist is empty.

    ``groups`` begins with the whole match. It is None if the replacement is too long, or has another variable.
    """
    if len(replacement) > MAX_LENGTH or "$" in _REFERENCE.sub("", replacement):
        return None
    numbers = range(1, len(groups))
    return _REFERENCE.sub(
        lambda found: groups[number] if (number := int(found[1] or found[2])) in numbers else "", replacement
    )


def replace_all(text: str, expression: Expression, replacement: str) -> str | None:
    """Return the text with each match replaced, as Go does; None beyond the limits.

    ``$name`` takes as many letters, digits and ``_`` as follow, so ``$1x`` is a group called ``1x``. A group that does
    not exist is empty, ``$$`` is a dollar sign.
    """
    if len(replacement) > MAX_LENGTH:
        return None

    def group(name: str, found: Match) -> str:
        number = int(name[:4]) if name.isdigit() else expression.names.get(name, len(found.groups))
        return found.groups[number] if number < len(found.groups) else ""

    def filled(found: Match) -> str:
        return _GO_REFERENCE.sub(lambda each: each[3] or group(each[1] or each[2], found), replacement)

    return expression.replaced(text, filled)


def replace_all_re2(text: str, expression: Expression, replacement: str) -> str | None:
    r"""Return the text with each match replaced, as ``RE2::GlobalReplace`` does; None beyond the limits.

    ``\0`` is the whole match, ``\1`` to ``\9`` are groups, ``\\`` is a backslash. It is None also for any other
    character after a backslash, and for a group that does not exist: RE2 does not replace anything then.
    """
    references = {found[1] for found in _RE2_REFERENCE.finditer(replacement)} - {"\\"}
    numbers = {str(number) for number in range(expression.groups + 1)}
    if len(replacement) > MAX_LENGTH or not references <= numbers:
        return None

    def filled(found: Match) -> str:
        return _RE2_REFERENCE.sub(lambda each: found.groups[int(each[1])] if each[1].isdigit() else "\\", replacement)

    return expression.replaced(text, filled)
