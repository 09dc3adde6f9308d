"""The conditions of Contour's HTTPProxies: how those of a tree of includes become one path, and what is rewritten.

Contour joins the conditions from the root to the route. The facts are those of ``internal/dag/conditions.go`` and of
``expandPrefixMatches`` in ``internal/dag/httpproxy_processor.go`` of v1.33.8.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from chainlit_operator.domain.model import Matching
from chainlit_operator.domain.rewrites import PrefixRewrite
from chainlit_operator.domain.route_paths import METHOD_CONDITION

#: What Go's ``regexp.QuoteMeta`` puts a backslash before.
_META = re.compile(r"[\\.+*?()|\[\]{}^$]")
_SLASHES = re.compile(r"//+")


class Condition(NamedTuple):
    """One condition: at most one of the three on the path, and ``header`` and ``query`` as texts that tell them apart.

    ``method`` is the value that a header condition wants of the pseudo header ``:method``.
    """

    prefix: str = ""
    exact: str = ""
    regex: str = ""
    header: str = ""
    query: str = ""
    method: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        """The conditions on the path."""
        return tuple(filter(None, (self.prefix, self.exact, self.regex)))


Conditions = tuple[Condition, ...]


class PathMatch(NamedTuple):
    """How Contour compares the path of a request, and with what text."""

    matching: Matching
    path: str

    @property
    def place(self) -> str:
        """The text of a prefix without the slash at its end: Contour treats rewrites of both forms as one."""
        return self.path.rstrip("/") or "/"


class Replacement(NamedTuple):
    """An entry of ``replacePrefix``; ``prefix`` is empty for all prefixes."""

    prefix: str
    replacement: str


def fault(block: Conditions) -> str:
    """Return why Contour refuses a block of conditions, as the rest of a sentence; empty if it does not."""
    found = [path for condition in block for path in condition.paths]
    if len(found) > 1:
        return f"has several conditions on the path ({', '.join(found)[:100]})"
    if found and not found[0].startswith("/"):
        return f"has the path {found[0][:100]!r}, which does not begin with /"
    return ""


def joined(conditions: Conditions) -> PathMatch:
    """Return the match on the path that all conditions from the root to a route give together."""
    is_regex = any(condition.regex for condition in conditions)
    text = ""
    for condition in conditions:
        if condition.prefix:
            text += _META.sub(r"\\\g<0>", condition.prefix.rstrip("/")) if is_regex else condition.prefix
        elif condition.exact:
            text += condition.exact
        elif condition.regex:
            text += f"(?:{condition.regex})" if text else condition.regex
    text = _SLASHES.sub("/", text)
    if not text:
        return PathMatch(Matching.PREFIX, "/")
    if is_regex:
        return PathMatch(Matching.REGULAR_EXPRESSION, text)
    # The last condition decides, even if it is one on a header.
    is_exact = bool(conditions[-1].exact) and not conditions[-1].prefix
    return PathMatch(Matching.EXACT if is_exact else Matching.PREFIX, text)


def others(conditions: Iterable[Condition]) -> tuple[str, ...]:
    """Return the conditions beside the path, as texts that tell them apart."""
    return tuple(text for condition in conditions for text in (condition.header, condition.query) if text)


def words(conditions: Sequence[Condition]) -> str:
    """Return the conditions beside the path, for a message; empty if there are none."""
    methods = {condition.method for condition in conditions if condition.method}
    if any(condition.header and not condition.method for condition in conditions) or len(methods) > 1:
        return "a header matches"
    if any(condition.query for condition in conditions):
        return "a query parameter matches"
    return f"{METHOD_CONDITION}{methods.pop()}" if methods else ""


def rewrite_of(replacements: Iterable[Replacement], match: PathMatch, places: Counter[str]) -> PrefixRewrite | None:
    """Return the rewrite of a route with this prefix; None if there is none.

    ``places`` counts the routes of the HTTPProxy by their prefixes without a slash at the end. Contour gives a route
    that is alone there a second form with a slash, so that the rest of a path keeps its slash.
    """
    by_prefix = {entry.prefix: entry.replacement for entry in replacements}
    text = by_prefix.get(match.path, by_prefix.get("", ""))
    if not text or match.matching is not Matching.PREFIX:
        return None
    if match.path == "/" or places[match.place] > 1:
        return PrefixRewrite(match.path, text)
    return PrefixRewrite(f"{match.place}/", f"{text.rstrip('/')}/")
