"""What an edge does to a path on its way to the backend, and what prefix is left of it.

Each controller spells rewrites in its own way; here they are functions on paths, put in a row. The prefix at the
backend is found by asking what becomes of the requests that Chainlit's page makes: it is the one that all of them end
up with, and where they do not agree there is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from chainlit_operator.domain import paths

#: Below the prefix: the page, its socket, its assets, its API. Every rewrite must leave these tails alone.
SAMPLE_PATHS = ("/", "/ws/socket.io/", "/assets/index.js", "/project/translations")


@dataclass(frozen=True, slots=True)
class StripPrefix:
    """Traefik's StripPrefix: the first prefix in the list that the path begins with goes, by characters."""

    prefixes: tuple[str, ...]

    def __call__(self, path: str, matched: str) -> str | None:
        """Return the path without it, led by a slash."""
        for prefix in self.prefixes:
            if path.startswith(prefix):
                return "/" + path.removeprefix(prefix).lstrip("/")
        return path


@dataclass(frozen=True, slots=True)
class ReplacePrefixMatch:
    """Gateway API's ReplacePrefixMatch: the prefix that the rule matched becomes another one."""

    replacement: str

    def __call__(self, path: str, matched: str) -> str | None:
        """Return the path with the new prefix; None where implementations disagree."""
        if not self.replacement or (not matched and paths.normalise(self.replacement)):
            return None
        return self.replacement.rstrip("/") + path.removeprefix(matched)


@dataclass(frozen=True, slots=True)
class AddPrefix:
    """Traefik's AddPrefix."""

    prefix: str

    def __call__(self, path: str, matched: str) -> str | None:
        """Return the path with the prefix before it."""
        return self.prefix + path


@dataclass(frozen=True, slots=True)
class ReplaceFullPath:
    """ReplacePath, ReplaceFullPath: every request gets one path."""

    path: str

    def __call__(self, path: str, matched: str) -> str | None:
        """Return the one path."""
        return self.path


@dataclass(frozen=True, slots=True)
class RewriteWholePath:
    """A regular expression over the path and what replaces it, in the known forms (see :func:`parse_pattern`)."""

    pattern: str
    replacement: str

    def __call__(self, path: str, matched: str) -> str | None:
        """Return the rewritten path; None for a form that is not known."""
        return _replaced(path, self.pattern, self.replacement, keeps_rest=False)


@dataclass(frozen=True, slots=True)
class ReplaceMatch:
    """Traefik's ReplacePathRegex: only what the expression matches is replaced, the rest of the path stays."""

    pattern: str
    replacement: str

    def __call__(self, path: str, matched: str) -> str | None:
        """Return the path with its match replaced; None for a form that is not known."""
        return _replaced(path, self.pattern, self.replacement, keeps_rest=True)


def _replaced(path: str, pattern: str, replacement: str, *, keeps_rest: bool) -> str | None:
    """What comes of a path; ``keeps_rest`` says that what the expression does not match stays at its end."""
    parsed = parse_pattern(pattern)
    if parsed is None:
        return None
    groups = parsed.groups(path)
    if groups is None:
        return path
    found = substitute(replacement, groups)
    return found + parsed.unmatched(path) if found is not None and keeps_rest else found


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that may change the path in a way that cannot be told; ``what`` names it."""

    what: str

    def __call__(self, path: str, matched: str) -> str | None:
        """Return None."""
        return None


@dataclass(frozen=True, slots=True)
class Missing:
    """A part of the route that does not exist, so that the edge serves nothing; ``what`` names it."""

    what: str

    def __call__(self, path: str, matched: str) -> str | None:
        """Return None."""
        return None


Transform = (
    StripPrefix | ReplacePrefixMatch | AddPrefix | ReplaceFullPath | RewriteWholePath | ReplaceMatch | Unknown | Missing
)


def backend_prefix(public: str, transforms: Iterable[Transform]) -> str | None:
    """Return the prefix that the backend receives for ``public``, both in normal form; None if there is no such one."""
    row = tuple(transforms)
    found = {_left_of(public, tail, row) for tail in SAMPLE_PATHS}
    prefix = found.pop() if len(found) == 1 else None
    return prefix if prefix is not None and prefix == paths.normalise(prefix) else None


def _left_of(public: str, tail: str, transforms: tuple[Transform, ...]) -> str | None:
    path: str | None = public + tail
    for transform in transforms:
        if path is None:
            return None
        path = transform(path, public)
    return path.removesuffix(tail) if path is not None and path.endswith(tail) else None


# ----------------------------------------------------------------------------------------- regular expressions

Groups = tuple[str, ...]

#: What may follow the literal part, and the capture groups that it gives for the rest of a path (which is empty or
#: begins with whatever follows). None: the pattern does not match that path.
_TAIL_FORMS: dict[str, Callable[[str], Groups | None]] = {
    "": lambda rest: (),
    ".*": lambda rest: (),
    "/.*": lambda rest: () if rest.startswith("/") else None,
    "(.*)": lambda rest: (rest,),
    "(/.*)?": lambda rest: (rest,) if rest.startswith("/") or not rest else None,
    "(/.*)": lambda rest: (rest,) if rest.startswith("/") else None,
    "/(.*)": lambda rest: (rest[1:],) if rest.startswith("/") else None,
    "/?(.*)": lambda rest: (rest.removeprefix("/"),),
    "(/|$)(.*)": lambda rest: (rest[:1], rest[1:]) if rest.startswith("/") or not rest else None,
    "(/|$)": lambda rest: (rest[:1],) if rest.startswith("/") or not rest else None,
    "(?:/|$)(.*)": lambda rest: (rest[1:],) if rest.startswith("/") or not rest else None,
    "(/(.*))?": lambda rest: (rest, rest[1:]) if rest.startswith("/") or not rest else None,
}
#: How an expression may end, and which form that is; the longest first.
_TAILS = [(tail, form) for form in sorted(_TAIL_FORMS, key=len, reverse=True) for tail in (f"{form}$", form)]
_REMEMBERED_LENGTH = 256
_LITERAL = re.compile(r"(?:/(?:[A-Za-z0-9_~-]|\\?\.)+)*")
_REFERENCE = re.compile(r"\$(?:\{(\d)\}|(\d))")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression of a known form: a literal prefix, and what may follow it."""

    prefix: str
    tail: str
    is_closed: bool = False
    """Whether it ends in ``$``."""

    def groups(self, path: str) -> Groups | None:
        """Return the capture groups that it gives for ``path``; None if it does not match."""
        rest = path.removeprefix(self.prefix)
        if not path.startswith(self.prefix) or (rest and self.is_closed and not self.is_open):
            return None
        return _TAIL_FORMS[self.tail](rest)

    def unmatched(self, path: str) -> str:
        """Return what it leaves of a path that it matches."""
        rest = path.removeprefix(self.prefix)
        if self.is_open:
            return ""
        return rest.removeprefix("/") if self.tail else rest

    @property
    def is_open(self) -> bool:
        """Whether it matches to the end of the path."""
        return ".*" in self.tail

    @property
    def covers_subtree(self) -> bool:
        """Whether it lets everything below its prefix through, also where it must match the whole path."""
        return self.is_open and all(self.groups(self.prefix + tail) is not None for tail in SAMPLE_PATHS)


def parse_pattern(text: str) -> Pattern | None:
    """Read a regular expression over paths; None for a form that is not known.

    Expressions are never run: only the known ones are understood, whatever the engine (RE2, PCRE) that runs them at the
    edge, and a hostile one costs nothing.
    """
    if len(text) > paths.MAX_LENGTH:
        return None
    return _parsed(text) if len(text) <= _REMEMBERED_LENGTH else _parse(text)


@lru_cache(8192)
def _parsed(text: str) -> Pattern | None:
    """The same of an expression that is short enough to be kept: a decision reads each several times."""
    return _parse(text)


def _parse(text: str) -> Pattern | None:
    text = text.removeprefix("^")
    for tail, form in _TAILS:
        if text.endswith(tail):
            literal = text.removesuffix(tail)
            if _LITERAL.fullmatch(literal):
                return Pattern(literal.replace("\\", ""), form, is_closed=tail != form)
    return None


def substitute(replacement: str, groups: Groups) -> str | None:
    """Return ``replacement`` with ``$1`` … filled in; a group that does not exist is empty, as in nginx and Go."""
    if len(replacement) > paths.MAX_LENGTH or "$" in _REFERENCE.sub("", replacement):
        return None
    return _REFERENCE.sub(lambda m: _group(groups, int(m[1] or m[2])), replacement)


def _group(groups: Groups, number: int) -> str:
    return groups[number - 1] if 0 < number <= len(groups) else ""
