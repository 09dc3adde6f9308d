"""Rewrites: the changes of a path on its way to the backend, and the prefix that arrives there.

Each controller spells rewrites in its own way. Here they are functions on paths, applied in order. To find the prefix
at the backend, the operator applies them to Chainlit's own requests: where all give the same prefix, it is the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chainlit_operator.domain import chainlit, paths
from chainlit_operator.domain.expressions import Expression, NotEvaluated, Syntax, read
from chainlit_operator.domain.redirects import Redirect, Redirected, RedirectRegex
from chainlit_operator.domain.replacements import replace_all, replace_all_re2, substitute

#: How much of an expression a message shows, in characters.
SHOWN = 100
#: Requests that every rewrite by a prefix must keep: the page, its socket, its assets, its API.
SAMPLE_PATHS = chainlit.REQUESTS[:5]


@dataclass(frozen=True, slots=True)
class StripPrefix:
    """Traefik's StripPrefix: removes the first prefix of the list that the path begins with, by characters."""

    prefixes: tuple[str, ...]

    def __call__(self, path: str, matched: str) -> str | None:
        """Return the path without the prefix, with a slash at its beginning."""
        for prefix in self.prefixes:
            if path.startswith(prefix):
                rest = path.removeprefix(prefix)
                # Traefik adds the slash only to a rest that has text: the next Middleware sees an empty path.
                return "/" + rest.lstrip("/") if rest else ""
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
    """Replaces the whole path where an expression matches, as NGINX and HAProxy do; ``$1`` is a group."""

    pattern: str
    replacement: str
    ignores_case: bool = False

    @property
    def expressions(self) -> tuple[Expression | NotEvaluated, ...]:
        """The expression."""
        return (read(self.pattern, Syntax.PCRE, ignores_case=self.ignores_case),)

    def __call__(self, path: str, matched: str) -> str | None:
        """Return the rewritten path; None if the expression is not run, or the replacement has variables."""
        (expression,) = self.expressions
        if isinstance(expression, NotEvaluated) or not expression.runs_on(path):
            return None
        found = expression.first(path)
        return path if found is None else substitute(self.replacement, found.groups)


@dataclass(frozen=True, slots=True)
class ReplaceMatch:
    """Traefik's ReplacePathRegex: replaces each match, and keeps the rest of the path."""

    pattern: str
    replacement: str

    @property
    def expressions(self) -> tuple[Expression | NotEvaluated, ...]:
        """The expression."""
        return (read(self.pattern.strip(), Syntax.GO),)

    def __call__(self, path: str, matched: str) -> str | None:
        """Return the path with its matches replaced; None if the expression is not run."""
        (expression,) = self.expressions
        return None if isinstance(expression, NotEvaluated) else replace_all(path, expression, self.replacement.strip())


@dataclass(frozen=True, slots=True)
class PrefixRewrite:
    """Envoy's ``prefix_rewrite``: replaces the text that the route's prefix matched, by characters.

    The rest follows without a slash between the two: with prefix ``/chat`` and replacement ``/`` a request for
    ``/chat/ws`` arrives as ``//ws``. Source: ``source/common/router/config_impl.cc`` of Envoy.
    """

    prefix: str
    replacement: str

    def __call__(self, path: str, matched: str) -> str | None:
        """Return the path with the new text; one that is shorter than the prefix stays. None for any other path."""
        # A route may ignore the case of its prefix.
        if path.lower().startswith(self.prefix.lower()):
            return self.replacement + path[len(self.prefix) :]
        return path if len(path) < len(self.prefix) else None


@dataclass(frozen=True, slots=True)
class RegexRewrite:
    r"""Envoy's ``regex_rewrite``: replaces each match, and keeps the rest of the path; ``\1`` is a group.

    Source: ``RE2::GlobalReplace``, which Envoy calls.
    """

    pattern: str
    replacement: str

    @property
    def expressions(self) -> tuple[Expression | NotEvaluated, ...]:
        """The expression."""
        return (read(self.pattern, Syntax.RE2),)

    def __call__(self, path: str, matched: str) -> str | None:
        """Return the path with its matches replaced; None if the expression or the replacement is not run."""
        (expression,) = self.expressions
        return None if isinstance(expression, NotEvaluated) else replace_all_re2(path, expression, self.replacement)


@dataclass(frozen=True, slots=True)
class StripPrefixRegex:
    """Traefik's StripPrefixRegex: removes the match of the first expression that matches at the beginning."""

    patterns: tuple[str, ...]

    @property
    def expressions(self) -> tuple[Expression | NotEvaluated, ...]:
        """The expressions, in order."""
        return tuple(read(pattern.strip(), Syntax.GO) for pattern in self.patterns)

    def __call__(self, path: str, matched: str) -> str | None:
        """Return the path without the match, with a slash at its beginning; None if an expression is not run."""
        for expression in self.expressions:
            if isinstance(expression, NotEvaluated) or not expression.runs_on(path):
                return None
            found = expression.first(path)
            # Traefik compares texts: a match further on counts if the path begins with the same text.
            if found is not None and found.groups[0] and path.startswith(found.groups[0]):
                rest = path.removeprefix(found.groups[0])
                return rest if rest.startswith("/") or not rest else f"/{rest}"
        return path


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
    StripPrefix
    | ReplacePrefixMatch
    | AddPrefix
    | ReplaceFullPath
    | RewriteWholePath
    | ReplaceMatch
    | PrefixRewrite
    | RegexRewrite
    | StripPrefixRegex
    | Redirect
    | Unknown
    | Missing
)


def count_expressions(transforms: Iterable[Transform]) -> int:
    """Return how many expressions the transforms have, those of redirects too."""
    one = (RewriteWholePath, ReplaceMatch, RegexRewrite, RedirectRegex)
    return sum(
        len(each.patterns) if isinstance(each, StripPrefixRegex) else isinstance(each, one) for each in transforms
    )


def backend_prefix(
    public: str, transforms: Iterable[Transform], requests: tuple[str, ...] = chainlit.REQUESTS
) -> str | None:
    """Return the prefix that the backend receives for ``public``, both in normal form; None if there is none.

    It is that of all ``requests`` below ``public``.
    """
    in_order = tuple(transforms)
    # A rewrite by a prefix treats all paths alike; an expression may tell each request from the others.
    requests = requests if count_expressions(in_order) else SAMPLE_PATHS
    prefix = _arriving_prefix(public, requests[0], in_order)
    if prefix is None or prefix != paths.normalise(prefix):
        return None
    is_same = all(_arriving_prefix(public, request, in_order) == prefix for request in requests[1:])
    return prefix if is_same else None


def _arriving_prefix(public: str, tail: str, transforms: tuple[Transform, ...]) -> str | None:
    """The prefix of the rewritten path before ``tail``; None if the result is unknown or does not end with it."""
    path: str | None = public + tail
    for transform in transforms:
        if path is None:
            return None
        if not isinstance(transform, Redirect):
            path = transform(path, public)
        if path is not None and len(path) > paths.MAX_LENGTH:
            return None
    path = "/" if path == "" else path  # HTTP has no empty path
    return path.removesuffix(tail) if path is not None and path.endswith(tail) else None


def why_unknown(transform: Transform) -> str:
    """Return what makes the effect of a transform unknown; empty where it is known."""
    if isinstance(transform, Unknown):
        return transform.what
    if isinstance(transform, RedirectRegex):
        return _why_not_run("redirect", {transform.pattern: transform.expression})
    if isinstance(transform, StripPrefixRegex):
        return _why_not_run("rewrite", dict(zip(transform.patterns, transform.expressions, strict=True)))
    if isinstance(transform, RewriteWholePath | ReplaceMatch | RegexRewrite):
        return _why_not_run("rewrite", dict.fromkeys([transform.pattern], *transform.expressions))
    return ""


def _why_not_run(what: str, expressions: Mapping[str, Expression | NotEvaluated]) -> str:
    for pattern, found in expressions.items():
        if isinstance(found, NotEvaluated):
            return (
                f"a {what} with the regular expression {pattern[:SHOWN]!r}, which is not evaluated because {found.why}"
            )
    return ""


def why_lost(public: str, transforms: Iterable[Transform]) -> str:
    """Return how a rewrite by characters puts a wrong slash before the rest of the path, and the remedy, as sentences.

    It is empty where that is not what is wrong.
    """
    found = next((each for each in transforms if isinstance(each, PrefixRewrite)), None)
    if found is None or found.prefix.endswith("/") is found.replacement.endswith("/"):
        return ""
    arrives = found(f"{public}{SAMPLE_PATHS[1]}", public)
    prefix, replacement = found.prefix.rstrip("/"), found.replacement.rstrip("/")
    return (
        f"It replaces the prefix {found.prefix} by {found.replacement}, character by character, so "
        f"{public}{SAMPLE_PATHS[1]} arrives as {arrives}. Write both with a slash at the end, {prefix}/ and "
        f"{replacement}/, and redirect {prefix or '/'} to {prefix}/."
    )


def first_redirect(public: str, transforms: Iterable[Transform], origin: str) -> Redirected | None:
    """Return the first of Chainlit's requests that a redirect takes away from the app; None if there is none.

    ``origin`` has scheme, host and perhaps port, such as ``https://example.com``. A redirect sees the path as the
    transforms before it leave it.
    """
    in_order = tuple(transforms)
    if not any(isinstance(each, Redirect) for each in in_order):
        return None
    for request in chainlit.REQUESTS:
        path: str | None = public + request
        for transform in in_order:
            if path is None:
                break
            if not isinstance(transform, Redirect):
                path = transform(path, public)
            elif location := transform.leads_to(origin, path):
                return Redirected(public + request, location, transform.what)
    return None
