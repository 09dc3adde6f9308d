"""Rules of Traefik's routers: a language of matchers with ``&&``, ``||``, ``!`` and parentheses.

Traefik 3.7 parses rules with Go's own parser (``pkg/rules/parser.go``), so an operator belongs at the end of a line,
not at the beginning of the next one. Its matchers are in ``pkg/muxer/http/matcher.go``.

Traefik tries its routers in the order of their priorities. A router without one has the length of its rule as its
priority (``pkg/muxer/http/mux.go``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

#: The longest rule that is read, in characters, and the deepest nesting of parentheses and ``!``.
MAX_LENGTH, MAX_DEPTH = 4096, 50
#: Usual names of an entry point for https; ``websecure`` is that of Traefik's chart and of k3s.
SECURE_ENTRY_POINTS = frozenset({"websecure", "https"})

PREFIX, EXACT, EXPRESSION = "PathPrefix", "Path", "PathRegexp"
#: Matchers, with the numbers of values that they take.
_MATCHERS = {
    **dict.fromkeys(("Host", "HostRegexp", EXACT, PREFIX, EXPRESSION, "Method", "ClientIP"), (1,)),
    **dict.fromkeys(("Header", "HeaderRegexp"), (2,)),
    **dict.fromkeys(("Query", "QueryRegexp"), (1, 2)),
}
#: Traefik knows each matcher by these spellings of its name.
_NAMES = {
    spelling: name for name in _MATCHERS for spelling in (name, name.lower(), name.upper(), name.lower().capitalize())
}
#: Matchers that mean the same in the syntax of Traefik 2.
_OLD = frozenset({"Host", EXACT, PREFIX, "Method", "ClientIP"})

_TOKEN = re.compile(
    r'(?P<space>[ \t\r\n]+)|`(?P<raw>[^`]*)`|"(?P<quoted>(?:[^"\\\n]|\\.)*)"|(?P<name>\w+)|&&|\|\||[!(),]'
)


class RuleError(Exception):
    """A rule cannot be read: the rest of a sentence about it, with the position as the number of a character."""


class _Token(NamedTuple):
    kind: str
    """``name``, ``value``, ``end``, or the operator itself."""
    text: str
    position: int


class Matcher(NamedTuple):
    """A matcher with its values."""

    name: str
    values: tuple[str, ...]
    is_negated: bool = False


class Group(NamedTuple):
    """Rules with one operator between them; ``!`` has one rule."""

    operator: str
    parts: tuple[Matcher | Group, ...]


def _tokens(rule: str) -> Iterator[_Token]:
    at, last, end = 0, "", len(rule.rstrip(" \t\r\n"))
    while at < end:
        found = _TOKEN.match(rule, at)
        if found is None:
            raise RuleError(f"cannot be read at character {at + 1}, {rule[at]!r}")
        kind = found.lastgroup or found[0]
        if kind == "space" and "\n" in found[0] and last in ("name", "value", ")"):
            raise RuleError(f"has a line break at character {at + 1}, where Traefik takes it for its end")
        if kind != "space":
            kind = "value" if kind in ("raw", "quoted") else kind
            yield _Token(kind, _unquoted(found) if kind == "value" else found[0], at + 1)
            last = kind
        at = found.end()
    yield _Token("end", "", end + 1)


def _unquoted(found: re.Match[str]) -> str:
    """The text of a value. Of Go's escapes only those of a backslash and of a quote are read."""
    if found["quoted"] is None:
        return found["raw"].replace("\r", "")
    text = found["quoted"]
    if strange := re.search(r'\\[^"\\]', text.replace("\\\\", "")):
        raise RuleError(f"has the escape {strange[0]} in the text at character {found.start() + 1}")
    return re.sub(r"\\(.)", r"\1", text)


class _Parser:
    """Reads the tokens of one rule; ``!`` binds more than ``&&``, and that more than ``||``."""

    def __init__(self, rule: str, *, is_old: bool) -> None:
        self._left = _tokens(rule)
        self._next = next(self._left)
        self._is_old = is_old

    def parsed(self) -> Matcher | Group:
        """Return the tree of the whole rule."""
        found = self._joined("||", 0)
        self._taken("end")
        return found

    def _taken(self, *kinds: str) -> _Token:
        token = self._next
        if token.kind not in kinds and token.kind == "end":
            raise RuleError("ends too early")
        if token.kind not in kinds:
            raise RuleError(f"cannot be read at character {token.position}, {token.text!r}")
        if token.kind != "end":
            self._next = next(self._left)
        return token

    def _joined(self, operator: str, depth: int) -> Matcher | Group:
        parts = [self._part(operator, depth)]
        while self._next.kind == operator:
            self._taken(operator)
            parts.append(self._part(operator, depth))
        return Group(operator, tuple(parts)) if len(parts) > 1 else parts[0]

    def _part(self, operator: str, depth: int) -> Matcher | Group:
        return self._joined("&&", depth) if operator == "||" else self._single(depth)

    def _single(self, depth: int) -> Matcher | Group:
        token = self._taken("!", "(", "name")
        if depth > MAX_DEPTH:
            raise RuleError(f"is nested too deep at character {token.position}")
        if token.kind == "!":
            return Group("!", (self._single(depth + 1),))
        if token.kind == "(":
            found = self._joined("||", depth + 1)
            self._taken(")")
            return found
        return self._matcher(token)

    def _matcher(self, token: _Token) -> Matcher:
        name, values = _NAMES.get(token.text), []
        self._taken("(")
        while self._next.kind == "value":
            values.append(self._taken("value").text)
            if self._taken(",", ")").kind == ")":
                break
        else:
            self._taken(")")
        if why := self._fault(token.text, name, values):
            raise RuleError(f"{why} at character {token.position}")
        assert name is not None
        return Matcher(name, tuple(values))

    def _fault(self, text: str, name: str | None, values: list[str]) -> str:
        """Why Traefik does not read a matcher; empty if it does."""
        if name is None:
            return f"has {text}, which is no matcher of Traefik 3,"
        if len(values) not in _MATCHERS[name]:
            return f"has {name} with {len(values)} values, and Traefik 3 takes {_MATCHERS[name][-1]},"
        if self._is_old and (name not in _OLD or not {"{", "}"}.isdisjoint(values[0])):
            return f"has {name}, which the operator does not read in syntax v2,"
        return f"has {name} {why}" if (why := _fault_of_values(name, values)) else ""


def _fault_of_values(name: str, values: list[str]) -> str:
    if "" in values:
        return "with an empty value"
    if name in (EXACT, PREFIX) and not values[0].startswith("/"):
        return "without a slash at the beginning"
    is_foreign = name in ("Host", "HostRegexp") and not values[0].isascii()
    return "with characters outside ASCII" if is_foreign else ""


def parse(rule: str, *, is_old: bool = False) -> Matcher | Group:
    """Return the tree of a rule. Raises RuleError.

    ``is_old`` says that the rule has the syntax of Traefik 2. Of that only what means the same in Traefik 3 is read.
    """
    if len(rule) > MAX_LENGTH:
        raise RuleError(f"has more than {MAX_LENGTH:,} characters")
    return _Parser(rule, is_old=is_old).parsed()


def priority_of(rule: str, stated: int) -> int:
    """Return the priority of a router: the stated one, which may be negative, or the length of the rule for 0."""
    return stated or len(rule.encode())


def usual_priority(host: str, prefix: str) -> int:
    """Return the priority of a router that Traefik makes of a path of an Ingress, of which no priority is known."""
    rule = f'PathPrefix("{prefix or "/"}")'
    return len(f'Host("{host}") && {rule}' if host else rule)


def possible_priorities(host: str, path: str) -> tuple[int, int]:
    """Return the least and the greatest priority of such a router.

    It is greater where Traefik runs with ``strictPrefixMatching``, so that its rule has the path twice
    (``pkg/provider/kubernetes/ingress/kubernetes.go``).
    """
    least = usual_priority(host, path)
    bare = path.removesuffix("/")
    strict = f'(Path("{bare}") || PathPrefix("{bare}/"))'
    return least, least + max(0, len(strict) - len(f'PathPrefix("{path}")')) if bare else least
