"""Rewrites: the changes of a path on its way to the backend, and the prefix that arrives there.

Each controller spells rewrites in its own way. Here they are functions on paths, applied in order. To find the prefix
at the backend, the operator applies them to sample paths of Chainlit: where all give the same prefix, it is the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from chainlit_operator.domain import paths

#: Paths below the prefix: the page, its socket, its assets, its API. Every rewrite must keep them.
SAMPLE_PATHS = ("/", "/ws/socket.io/", "/assets/index.js", "/project/translations")


@dataclass(frozen=True, slots=True)
class StripPrefix:
    """Traefik's StripPrefix: removes the first prefix of the list that the path begins with, by characters."""

    prefixes: tuple[str, ...]

    def __call__(self, path: str, matched: str) -> str | None:
        """Return the path without the prefix, with a slash at its beginning."""
        for prefix in self.prefixes:
            if path.startswith(prefix):
                return "/" + path.removeprefix(prefix).lstrip("/")
        return path


@dataclass(frozen=True, slots=True)
class ReplacePrefixMatch:
    """Gateway API's ReplacePrefixMatch: replaces the prefix that the rule matched."""

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
    """Gateway API's ReplaceFullPath and Traefik's ReplacePath: every request gets the same path."""

    path: str

    def __call__(self, path: str, matched: str) -> str | None:
        """Return that path."""
        return self.path


@dataclass(frozen=True, slots=True)
class RewriteWholePath:
    """Replaces the whole path that a regular expression of a known form matches (see :func:`parse_pattern`)."""

    pattern: str
    replacement: str

    def __call__(self, path: str, matched: str) -> str | None:
        """Return the rewritten path; None for a form that is not known."""
        return _replaced(path, self.pattern, self.replacement, keeps_rest=False)


@dataclass(frozen=True, slots=True)
class ReplaceMatch:
    """Traefik's ReplacePathRegex: replaces only the match, and keeps the rest of the path."""

    pattern: str
    replacement: str

    def __call__(self, path: str, matched: str) -> str | None:
        """Return the path with its match replaced; None for a form that is not known."""
        return _replaced(path, self.pattern, self.replacement, keeps_rest=True)


def _replaced(path: str, pattern: str, replacement: str, *, keeps_rest: bool) -> str | None:
    """The rewritten path; with ``keeps_rest`` it keeps the end of the path that the expression does not match."""
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
    """Something that may change the path in a way that the operator does not know; ``what`` names it."""

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
    """Return the prefix that the backend receives for ``public``, both in normal form; None if there is none."""
    in_order = tuple(transforms)
    found = {_arriving_prefix(public, tail, in_order) for tail in SAMPLE_PATHS}
    prefix = found.pop() if len(found) == 1 else None
    return prefix if prefix is not None and prefix == paths.normalise(prefix) else None


def _arriving_prefix(public: str, tail: str, transforms: tuple[Transform, ...]) -> str | None:
    """The prefix of the rewritten path before ``tail``; None if the result is unknown or does not end with it."""
    path: str | None = public + tail
    for transform in transforms:
        if path is None:
            return None
        path = transform(path, public)
    return path.removesuffix(tail) if path is not None and path.endswith(tail) else None


# ----------------------------------------------------------------------------------------- regular expressions

Groups = tuple[str, ...]

#: Forms that may follow the literal part, each with a function from the rest of a path to the capture groups (None: no
#: match).
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
#: The ends of expressions with their forms, the longest first.
_TAILS = [(tail, form) for form in sorted(_TAIL_FORMS, key=len, reverse=True) for tail in (f"{form}$", form)]
_REMEMBERED_LENGTH = 256
_LITERAL = re.compile(r"(?:/(?:[A-Za-z0-9_~-]|\\?\.)+)*")
_REFERENCE = re.compile(r"\$(?:\{(\d)\}|(\d))")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression of a known form: a literal prefix and a tail."""

    prefix: str
    tail: str
    is_closed: bool = False
    """Whether it ends in ``$``."""

    def groups(self, path: str) -> Groups | None:
        """Return the capture groups for ``path``; None if the expression does not match."""
        rest = path.removeprefix(self.prefix)
        if not path.startswith(self.prefix) or (rest and self.is_closed and not self.is_open):
            return None
        return _TAIL_FORMS[self.tail](rest)

    def unmatched(self, path: str) -> str:
        """Return the end of a matching path that the expression does not match."""
        rest = path.removeprefix(self.prefix)
        if self.is_open:
            return ""
        return rest.removeprefix("/") if self.tail else rest

    @property
    def is_open(self) -> bool:
        """Whether the expression matches to the end of the path."""
        return ".*" in self.tail

    @property
    def covers_subtree(self) -> bool:
        """Whether everything below the prefix matches, also where the whole path must match."""
        return self.is_open and all(self.groups(self.prefix + tail) is not None for tail in SAMPLE_PATHS)


def parse_pattern(text: str) -> Pattern | None:
    """Return the parsed expression; None for an unknown form.

    The operator never runs an expression. It recognises known forms, which mean the same in RE2 and PCRE, and a
    hostile expression costs nothing.
    """
    if len(text) > paths.MAX_LENGTH:
        return None
    return _parsed(text) if len(text) <= _REMEMBERED_LENGTH else _parse(text)


@lru_cache(8192)
def _parsed(text: str) -> Pattern | None:
    """:func:`_parse` with a cache, for short expressions: one decision parses each several times."""
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
