"""Regular expressions as controllers run them."""

from __future__ import annotations

import re


def searched(expression: str, text: str, flags: int = 0) -> re.Match[str] | None:
    """The first match; none of an expression that is wrong, which a controller leaves out."""
    try:
        return re.search(expression, text, flags)
    except re.error:
        return None


def filled(template: str, found: re.Match[str], reference: str) -> str:
    """The template with the groups of a match in place of its references; a group that is not there is empty."""
    groups = (found[0], *found.groups(default=""))
    return re.sub(reference, lambda m: groups[int(m[1])] if int(m[1]) < len(groups) else "", template)


def replaced_as_go(expression: str, template: str, text: str) -> str:
    """Replaces all matches, but not an empty one right after another; ``$1x`` is a group called 1x, which is empty."""
    last = -1

    def replacement(found: re.Match[str]) -> str:
        nonlocal last
        if found.start() == found.end() == last:
            return ""
        last = found.end()
        groups = (found[0], *found.groups(default=""))
        names = {str(number): value for number, value in enumerate(groups)} | found.groupdict(default="")
        return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda reference: names.get(reference[1] or reference[2], ""), template)

    return re.sub(expression, replacement, text)
