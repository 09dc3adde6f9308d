"""The parts of a regular expression: its tokens, their tree, and the literal texts that it may begin with.

Nothing here runs an expression. The literal starts are only candidates for a prefix; who uses them runs the expression
to prove them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

#: The limits of nested groups, and of literal starts. An expression with more has none.
MAX_DEPTH = 20
MAX_STARTS = 16

#: The parts of an expression. Possessive quantifiers keep the time in proportion to the length.
_TOKEN = re.compile(
    r"""
      \\Q.*?(?:\\E|$) | \\[pP](?:\{[^}]*+\}|.) | \\x(?:\{[^}]*+\}|[0-9A-Fa-f]{2}) | \\.       # escapes
    | \[\^?\]?(?:\[:\^?\w*+:\]|\\.|[^\]\\])*+\]?                                              # classes
    | \(\?(?:P?<\w++>|[a-zA-Z-]*+[:)]|<?[=!]|P[=>]|.?) | \(\*? | \)                           # groups
    | (?:[*+?]|\{\d++(?:,\d*+)?\})[?+]?                                                       # quantifiers
    | .
    """,
    re.VERBOSE | re.DOTALL,
)
_QUANTIFIER = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})[?+]?")
_ANCHOR = re.compile(r"[\^$]|\\[AzZbB]|\(\?[a-zA-Z-]+\)")
_LITERAL = re.compile(r"[^\\.\[(]|\\[^A-Za-z0-9]", re.DOTALL)


def tokens(text: str) -> list[str]:
    """Return the parts of an expression: escapes, classes, beginnings and ends of groups, quantifiers, characters."""
    return _TOKEN.findall(text)


def is_quantifier(text: str) -> bool:
    """Whether a token says how often the part before it occurs."""
    return _QUANTIFIER.fullmatch(text) is not None


@dataclass(slots=True)
class Part:
    """A token, or a group with its alternatives; ``quantifier`` says how often it occurs, empty for once."""

    text: str
    alternatives: list[list[Part]] = field(default_factory=list)
    quantifier: str = ""

    @property
    def is_group(self) -> bool:
        """Whether it is a group with content."""
        return bool(self.alternatives)

    @property
    def may_be_absent(self) -> bool:
        """Whether its quantifier allows that it does not occur."""
        return self.quantifier.startswith(("*", "?", "{0"))

    @property
    def repeats_emptiness(self) -> bool:
        """Whether it is a group that may match nothing and may occur more than once."""
        return self.is_group and self.quantifier.startswith(("*", "+", "{")) and self._may_match_nothing()

    def may_be_empty(self) -> bool:
        """Whether it may take no character of a text."""
        return self.may_be_absent or self._may_match_nothing()

    def _may_match_nothing(self) -> bool:
        if self.is_group:
            return any(all(part.may_be_empty() for part in each) for each in self.alternatives)
        return _ANCHOR.fullmatch(self.text) is not None


def tree(found: Iterable[str]) -> Part | None:
    """Return the tree of some tokens, as one group; None for groups without a beginning or too deep ones.

    A group without an end ends with the text.
    """
    top = Part("", [[]])
    groups = [top]
    for each in found:
        here = groups[-1].alternatives[-1]
        if each == ")":
            groups.pop()
        elif each == "|":
            groups[-1].alternatives.append([])
        elif is_quantifier(each) and here and not here[-1].quantifier:
            here[-1].quantifier = each
        elif each.startswith("(") and _ANCHOR.fullmatch(each) is None:
            here.append(Part(each, [[]]))
            groups.append(here[-1])
        else:
            here.append(Part(each))
        if not 0 < len(groups) <= MAX_DEPTH:
            return None
    return top


def parts(top: Part) -> Iterator[Part]:
    """Yield all parts of a tree."""
    yield top
    for alternative in top.alternatives:
        for part in alternative:
            yield from parts(part)


#: Stands in a start for text that is not literal and belongs to the same segment of a path.
_UNKNOWN = "\0"


class Start(NamedTuple):
    """A literal text that an expression may begin with. ``is_open`` says that more literal text may follow."""

    text: str
    is_open: bool = True


def literal_starts(top: Part, may_be_slash: Callable[[str], bool]) -> list[str]:
    """Return the literal texts that an expression may begin with, each ending where a segment of a path may end.

    ``may_be_slash`` says whether a class may match a slash. If it may not, the text before the class is only a part of
    a segment, and this segment is left out. A dot that occurs once counts as itself.
    """
    found = _of_group(top, may_be_slash)
    texts = (start.text if start.is_open else _complete_segments(start.text) for start in found)
    return list(dict.fromkeys(texts)) if len(found) <= MAX_STARTS else []


def literal_beginning(top: Part) -> str:
    """Return the literal text with which all texts begin that an expression matches at its beginning."""
    found = ""
    for part in top.alternatives[0] if len(top.alternatives) == 1 else ():
        if part.text == "^" and not found:
            continue
        if _ANCHOR.fullmatch(part.text) or not _LITERAL.fullmatch(part.text) or part.quantifier:
            break
        found += part.text[-1]
    return found


def _complete_segments(text: str) -> str:
    """The text without a last segment that is not literal to its end."""
    known, is_cut, _ = text.partition(_UNKNOWN)
    return known.rpartition("/")[0] if is_cut else known


def _of_group(group: Part, may_be_slash: Callable[[str], bool]) -> list[Start]:
    return [start for each in group.alternatives for start in _of_sequence(each, may_be_slash)]


def _of_sequence(sequence: list[Part], may_be_slash: Callable[[str], bool]) -> list[Start]:
    found = [Start("")]
    for part in sequence:
        going = [start for start in found if start.is_open]
        if not going or len(found) > MAX_STARTS:
            break
        next_ones = _of_part(part, may_be_slash)
        ended = [start for start in found if not start.is_open]
        found = list(
            dict.fromkeys(
                [*ended, *(Start(one.text + after.text, after.is_open) for one, after in product(going, next_ones))]
            )
        )
    return found


def _of_part(part: Part, may_be_slash: Callable[[str], bool]) -> list[Start]:
    absent = [Start("")] if part.may_be_absent else []
    if part.is_group:
        return [*absent, *_of_group(part, may_be_slash)]
    if _ANCHOR.fullmatch(part.text):
        return [Start("")]
    if _LITERAL.fullmatch(part.text) and not part.quantifier.startswith("{"):
        return [*absent, Start(part.text[-1])]
    if part.text == "." and not part.quantifier:
        return [Start(".")]
    return [Start("" if may_be_slash(part.text) else _UNKNOWN, is_open=False)]
