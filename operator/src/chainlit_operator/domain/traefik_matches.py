"""The alternatives of a rule of Traefik: each has one host, one path and a condition, which is empty for none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

from chainlit_operator.domain import hosts
from chainlit_operator.domain.route_paths import AND, METHOD_CONDITION, NOT_BELOW
from chainlit_operator.domain.traefik_rules import EXACT, EXPRESSION, PREFIX, Group, Matcher, RuleError, parse

#: The most alternatives of a rule, and the most matchers in all of them together.
MAX_ALTERNATIVES, MAX_MATCHERS = 100, 500


class Match(NamedTuple):
    """An alternative of a rule: requests for a host and a path that also meet the condition.

    ``host`` is as in a path of a route, ``path_type`` the matcher of the path.
    """

    host: str
    path: str
    path_type: str
    condition: str = ""


def matches_of(rule: str, *, is_old: bool = False) -> tuple[Match | None, ...]:
    """Return the alternatives of a rule; None stands for one that no request meets. Raises RuleError.

    ``is_old`` says that the rule has the syntax of Traefik 2.
    """
    return tuple(map(_match, _alternatives(parse(rule, is_old=is_old), is_negated=False)))


def _alternatives(node: Matcher | Group, *, is_negated: bool) -> list[tuple[Matcher, ...]]:
    """The disjunctive normal form: lists of matchers that a request meets all."""
    if isinstance(node, Matcher):
        return [(node._replace(is_negated=is_negated),)]
    if node.operator == "!":
        return _alternatives(node.parts[0], is_negated=not is_negated)
    found = [_alternatives(part, is_negated=is_negated) for part in node.parts]
    if (node.operator == "||") is not is_negated:
        return _limited([leaves for part in found for leaves in part])
    joined: list[tuple[Matcher, ...]] = [()]
    for part in found:
        joined = _limited([(*before, *after) for before, after in product(joined, part)])
    return joined


def _limited(found: list[tuple[Matcher, ...]]) -> list[tuple[Matcher, ...]]:
    if len(found) > MAX_ALTERNATIVES or sum(map(len, found)) > MAX_MATCHERS:
        raise RuleError(f"has more than {MAX_ALTERNATIVES} alternatives, or {MAX_MATCHERS} matchers in them")
    return found


#: The order of conditions in a text: those that no browser meets by itself come first, the method last.
_ORDER = {"Header": 0, "HeaderRegexp": 0, "Query": 0, "QueryRegexp": 0, "Method": 2}


def _match(leaves: tuple[Matcher, ...]) -> Match | None:
    """The match of matchers that a request meets all; None if none can."""
    host, path = _host(leaves), _path(leaves)
    if host is None or path is None:
        return None
    conditions = dict[str, int]()
    for leaf in leaves:
        text = _condition(leaf, host, path)
        if text is None:
            return None
        if text:
            conditions[text] = _ORDER.get(leaf.name, 0 if leaf.is_negated else 1)
    methods = [text for text in conditions if text.startswith(METHOD_CONDITION) and " not " not in text]
    if len(methods) > 1:
        return None
    return Match(host, path[1], path[0], AND.join(sorted(conditions, key=lambda text: conditions[text])))


def _host(leaves: Iterable[Matcher]) -> str | None:
    """The narrowest host of the matchers; None if no host is that of all."""
    found = [_host_of(leaf) for leaf in leaves if leaf.name in ("Host", "HostRegexp") and not leaf.is_negated]
    host = min(found, key=lambda each: (not hosts.is_name(each), not each.startswith("*."), not each), default="")
    names = [each for each in found if not hosts.is_expression(each)]
    return host if all(hosts.share_host(host, each) for each in names) else None


_ANY_HOST = re.compile(r"\^?\.[*+]\$?")
_ONE_HOST = re.compile(r"\^(?:[a-z0-9-]|\\\.)+\$")


def _host_of(leaf: Matcher) -> str:
    text = leaf.values[0]
    if leaf.name == "Host":
        return "" if text == "*" else text.lower().removesuffix(".")
    if _ANY_HOST.fullmatch(text):
        return ""
    # Traefik compares the expression with the host in lower case.
    return text[1:-1].replace("\\", "") if _ONE_HOST.fullmatch(text) else hosts.of_expression(text)


def _path(leaves: Iterable[Matcher]) -> tuple[str, str] | None:
    """The matcher and the text of the path that the matchers have in common; None if there is none.

    An exact path counts before a prefix, and that before an expression.
    """
    found = [leaf for leaf in leaves if leaf.name in (EXACT, PREFIX, EXPRESSION) and not leaf.is_negated]
    exact = [leaf.values[0] for leaf in found if leaf.name == EXACT]
    prefixes = sorted((leaf.values[0] for leaf in found if leaf.name == PREFIX), key=len)
    if exact:
        return (EXACT, exact[0])
    if prefixes and all(prefixes[-1].startswith(each) for each in prefixes):
        texts = [leaf.values[0] for leaf in found if leaf.name == EXPRESSION]
        return (EXPRESSION, texts[0]) if texts and prefixes[-1] == "/" else (PREFIX, prefixes[-1])
    if prefixes:
        return None
    return (EXPRESSION, found[0].values[0]) if found else (PREFIX, "/")


def _condition(leaf: Matcher, host: str, path: tuple[str, str]) -> str | None:
    """What a matcher asks for beside host and path; empty for nothing, None if no request meets it."""
    text, is_negated = leaf.values[0], leaf.is_negated
    match leaf.name:
        case "Host" | "HostRegexp":
            return _condition_on_host(leaf, host)
        case "PathPrefix" | "Path" | "PathRegexp":
            return _condition_on_path(leaf, path)
        case "Method":
            return f"{METHOD_CONDITION}{'not ' if is_negated else ''}{text.upper()}"
        case "ClientIP":
            return f"the client's address is {'not ' if is_negated else ''}in {text}"
        case "Header" | "HeaderRegexp":
            return "no header matches" if is_negated else "a header matches"
        case _:
            return "no query parameter matches" if is_negated else "a query parameter matches"


def _condition_on_host(leaf: Matcher, host: str) -> str | None:
    found = _host_of(leaf)
    if found in (host, ""):
        return None if leaf.is_negated else ""
    if leaf.name == "Host" and hosts.is_name(host):
        is_met = hosts.share_host(found, host)
        return "" if is_met is not leaf.is_negated else None
    return f"the host {'does not match' if leaf.is_negated else 'matches'} {found}"


def _condition_on_path(leaf: Matcher, path: tuple[str, str]) -> str | None:
    text, (path_type, own) = leaf.values[0], path
    if path == (leaf.name, text):
        return None if leaf.is_negated else ""
    is_met = _is_met(leaf, path_type, own)
    if is_met is not None:
        return "" if is_met is not leaf.is_negated else None
    if leaf.name == EXPRESSION:
        return f"the path {'does not match' if leaf.is_negated else 'matches'} {text}"
    if leaf.name == EXACT:
        return f"the path is not {text}"
    return f"{NOT_BELOW}{text}" if leaf.is_negated else f"the path begins with {text}"


def _is_met(leaf: Matcher, path_type: str, own: str) -> bool | None:
    """Whether all requests for a path meet a matcher (True), or none (False); None if some may."""
    text = leaf.values[0]
    if path_type == EXPRESSION:
        return True if (leaf.name, text) == (PREFIX, "/") else None
    if leaf.name == EXPRESSION:
        return None
    if path_type == EXACT:
        return own == text if leaf.name == EXACT else own.startswith(text)
    if leaf.name == PREFIX and own.startswith(text):
        return True
    return None if text.startswith(own) else False
