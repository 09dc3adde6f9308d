"""Regular expressions of routes, run by RE2: an engine whose time grows with the length of the text, not faster.

Controllers run expressions with RE2 (Envoy), with Go's package (Traefik) or with PCRE (NGINX, HAProxy). RE2 gives the
same results for all that it can read, except for the constructs that :func:`read` names. Nothing is guessed: an
expression that may mean something else to its controller is ``NotEvaluated``, and the condition says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from chainlit_operator.domain import chainlit, paths
from chainlit_operator.domain.expression_parts import literal_beginning, literal_starts, parts, tokens, tree

#: The longest expression that is run, in characters.
MAX_LENGTH = 512
#: The limit of RE2's memory for one expression, in bytes.
MAX_MEMORY = 1 << 16
#: The limit of a match's time: the size of the compiled expression, usually 10 to 70, times the length of the text in
#: bytes.
MAX_STEPS = 1 << 16
#: The limits of a replacement: the matches in a text, and the length of the new text.
MAX_MATCHES, MAX_TEXT = 256, 4096
#: The bytes of a character after its first one.
_CONTINUATION = frozenset(bytes([byte]) for byte in range(0x80, 0xC0))
#: With none of these characters, a text is no expression to any controller.
_CHARACTERS = frozenset("()[]{}*+?^$|\\")


class Syntax(StrEnum):
    """The language of an expression."""

    GO = "Go"
    PCRE = "PCRE"
    RE2 = "RE2"


class Style(NamedTuple):
    """How a controller compares an expression with the path of a request.

    ``start`` is the text that the controller puts before the expression, ``^`` or nothing. ``is_whole`` says that the
    expression must match the path from its beginning to its end.
    """

    syntax: Syntax
    start: str = ""
    is_whole: bool = False
    ignores_case: bool = False


#: Anywhere in the path, as Traefik does; the whole path, as Envoy does.
ANYWHERE, WHOLE = Style(Syntax.GO), Style(Syntax.RE2, is_whole=True)
#: For an expression of an unknown controller: an answer counts only if it is right in both styles.
ANY_STYLE = (ANYWHERE, WHOLE)


def is_plain(text: str) -> bool:
    """Whether a text has no character with a meaning in expressions, a dot apart."""
    return _CHARACTERS.isdisjoint(text)


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """An expression that is not run; ``why`` goes on from the word "because", for example "it has a look-around"."""

    why: str


class Match(NamedTuple):
    """The match of an expression: its place in the text, in bytes, and all groups, the whole match first."""

    start: int
    end: int
    groups: tuple[str, ...]


class Expression:
    """A compiled expression. A group that takes no part in a match is empty."""

    __slots__ = ("_compiled",)

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled

    @property
    def names(self) -> Mapping[str, int]:
        """The numbers of the groups that have a name."""
        return dict(self._compiled.groupindex)

    @property
    def groups(self) -> int:
        """The number of groups, without the whole match."""
        return int(self._compiled.groups)

    def runs_on(self, text: str) -> bool:
        """Whether a match in the text takes no longer than the limit; else nothing is known about the text."""
        return int(self._compiled.programsize) * len(text.encode(errors="replace")) <= MAX_STEPS

    def matches(self, text: str, *, is_whole: bool = False) -> bool:
        """Whether the expression matches anywhere in the text, or the whole text."""
        run = self._compiled.fullmatch if is_whole else self._compiled.search
        return run(text.encode(errors="replace")) is not None

    def first(self, text: str) -> Match | None:
        """Return the first match; None if there is none."""
        return next(self._all(text.encode(errors="replace")), None)

    def replaced(self, text: str, replacement: Callable[[Match], str]) -> str | None:
        """Return the text with each match replaced, as Go does; None beyond the limits."""
        if not self.runs_on(text):
            return None
        raw, pieces, end = text.encode(errors="replace"), list[bytes](), 0
        size = len(raw)
        for count, found in enumerate(self._all(raw), 1):
            pieces += [raw[end : found.start], replacement(found).encode(errors="replace")]
            end, size = found.end, size + len(pieces[-1])
            if count > MAX_MATCHES or size > MAX_TEXT:
                return None
        return b"".join((*pieces, raw[end:])).decode(errors="replace")

    def _all(self, raw: bytes) -> Iterator[Match]:
        """Yield the matches from left to right, without an empty one right after another match, as Go finds them."""
        end = -1
        # With bytes, the package takes a fifth of the time.
        for found in self._compiled.finditer(raw):
            start = found.start()
            # An empty match between the bytes of one character is none.
            is_counted = start != end and raw[start : start + 1] not in _CONTINUATION
            if found.end() > start or is_counted:
                end = found.end()
                groups = (found.group(), *found.groups(default=b""))
                yield Match(start, end, tuple(group.decode(errors="replace") for group in groups))


def read(text: str, syntax: Syntax, *, ignores_case: bool = False) -> Expression | NotEvaluated:
    """Return the compiled expression, or why it is not run."""
    if len(text) > MAX_LENGTH:
        return NotEvaluated(f"it has more than {MAX_LENGTH} characters")
    return _read(text, syntax, ignores_case)


@lru_cache(128)
def _read(text: str, syntax: Syntax, ignores_case: bool) -> Expression | NotEvaluated:
    if why := _difference(text, syntax):
        return NotEvaluated(why)
    import re2  # noqa: PLC0415 - it takes 3 MiB, and many clusters have no expression

    options = re2.Options()
    options.max_mem, options.log_errors, options.case_sensitive = MAX_MEMORY, False, not ignores_case
    try:
        return Expression(re2.compile(text, options))
    except re2.error as exc:
        return NotEvaluated(f"RE2 cannot read it ({exc.args[0].decode(errors='replace')[:80]})")


@lru_cache(8192)
def prefixes(text: str, styles: tuple[Style, ...]) -> tuple[str, ...]:
    """Return the prefixes below which an expression matches each of Chainlit's requests, the shortest first.

    The expression's own text gives the candidates. A candidate counts if the expression matches all requests below it
    in each of the styles.
    """
    top = tree(tokens(text)) if len(text) <= MAX_LENGTH else None
    starts = literal_starts(top, _may_be_slash) if top is not None else []
    found = {start.removesuffix("/") for start in starts}
    return tuple(sorted((each for each in found if _serves(text, styles, each)), key=lambda each: (len(each), each)))


@lru_cache(8192)
def beginning(text: str, styles: tuple[Style, ...]) -> str:
    """Return the text with which each path begins that an expression may match, in lower case; empty if not known."""
    if not text.startswith("^") and not all(style.start or style.is_whole for style in styles):
        return ""
    top = tree(tokens(text)) if len(text) <= MAX_LENGTH else None
    return literal_beginning(top).lower() if top is not None else ""


def _serves(text: str, styles: tuple[Style, ...], prefix: str) -> bool:
    return prefix == paths.normalise(prefix) and all(
        matches(text, style, prefix + request) for style in styles for request in chainlit.REQUESTS
    )


def matches(text: str, style: Style, path: str) -> bool:
    """Whether a controller of this style takes a path for one that the expression matches; False if it is not run."""
    found = _in_style(text, style)
    return isinstance(found, Expression) and found.runs_on(path) and found.matches(path, is_whole=style.is_whole)


def may_match(text: str, style: Style, path: str) -> bool:
    """Whether a controller of this style may take a path for one that the expression matches; True if it is not run."""
    found = _in_style(text, style)
    is_run = isinstance(found, Expression) and found.runs_on(path)
    return matches(text, style, path) if is_run else True


def _in_style(text: str, style: Style) -> Expression | NotEvaluated:
    return read(style.start + text, style.syntax, ignores_case=style.ignores_case)


def _may_be_slash(token: str) -> bool:
    return matches(token, WHOLE, "/")


def why_not_evaluated(text: str, styles: tuple[Style, ...]) -> str:
    """Return why an expression is not run; empty if it is run in all styles."""
    found = (_in_style(text, style) for style in styles)
    return next((each.why for each in found if isinstance(each, NotEvaluated)), "")


# ------------------------------------------------------------------------------------------- differences of languages

#: Constructs that RE2 does not have, or has with another meaning, with their names.
_STRANGE = (
    (re.compile(r"\(\?<?[=!]"), "a look-around"),
    (re.compile(r"\\[1-9gk]|\(\?P[=>]"), "a back reference"),
    (re.compile(r"\\[KCGZ]"), "a special escape"),
    (re.compile(r"(?:[*+?]|\{.*\})\+"), "a possessive quantifier"),
)
#: Groups that RE2 reads: plain, named, and with flags that all three languages have.
_GROUP = re.compile(r"\((?:\?(?:P?<\w+>|[imsU]*(?:-[imsU]+)?[:)]))?")


def _difference(text: str, syntax: Syntax) -> str:
    """Why an expression may mean something else to its controller than to RE2; empty if it means the same."""
    if not text.isascii():
        return "it has characters outside ASCII"
    found = tokens(text)
    for token in found:
        if why := _strange(token, syntax):
            return f"it has {why}"
    top = tree(found)
    if top is None:
        return "its groups are too deep, or end before they begin"
    if syntax is Syntax.PCRE and any(part.repeats_emptiness for part in parts(top)):
        return "it repeats a group that may be empty"
    return ""


def _strange(token: str, syntax: Syntax) -> str:
    """The name of a construct that RE2 does not have, or has with another meaning; empty for all others."""
    for form, name in _STRANGE:
        if form.fullmatch(token):
            return f"{name}, {token}"
    if token.startswith("(") and not _GROUP.fullmatch(token):
        return f"a special group, {token}"
    return f"a Unicode class, {token}" if token[:2] in ("\\p", "\\P") and syntax is Syntax.PCRE else ""
