"""The trees of Contour's HTTPProxies: the hosts and paths of one that others include.

The facts are those of ``internal/dag/httpproxy_processor.go`` of v1.33.8.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

from chainlit_operator.domain import path_conditions
from chainlit_operator.domain.expressions import WHOLE
from chainlit_operator.domain.model.route import (
    MAX_INCLUDE_DEPTH,
    Find,
    Matching,
    Route,
    RoutePath,
    WebSocketRefusal,
    including,
)
from chainlit_operator.domain.path_conditions import Conditions, Replacement
from chainlit_operator.domain.rewrites import Transform
from chainlit_operator.domain.route_warnings import RouteWarning
from chainlit_operator.object_ref import Ref

#: The most paths of one HTTPProxy that are read.
MAX_PATHS = 2500
_TOO_MANY_PATHS = f"it has more than {MAX_PATHS:,} paths (includes × routes × Services), so it is not read"
#: The most HTTPProxies that are looked at on the ways from an included one to the roots.
MAX_STEPS = 1000
_TOO_MANY_STEPS = f"more than {MAX_STEPS:,} HTTPProxies are between it and roots, so the operator does not read it"
INCLUDE_REMEDY = "Include it in an HTTPProxy that has a virtualhost, in a namespace that the operator watches."
_PATH_TYPES = {Matching.PREFIX: "Prefix", Matching.EXACT: "Exact", Matching.REGULAR_EXPRESSION: "Regex"}


class Rule(NamedTuple):
    """One entry of ``routes``: its conditions, the Services that get its requests, and what happens on the way.

    ``backends`` are names and ports, those of ``""`` for a redirect or a fixed answer.
    """

    conditions: Conditions
    backends: tuple[tuple[str, int], ...]
    replacements: tuple[Replacement, ...] = ()
    transforms: tuple[Transform, ...] = ()
    has_web_sockets: bool = False
    warnings: tuple[RouteWarning, ...] = ()


class Include(NamedTuple):
    """One entry of ``includes``."""

    proxy: Ref
    conditions: Conditions = ()


@dataclass(frozen=True, slots=True)
class Proxy(Route):
    """An HTTPProxy, with what others of its tree need to know. ``fqdn`` is None for one without a virtual host."""

    rules: tuple[Rule, ...] = ()
    children: tuple[Include, ...] = ()
    fqdn: str | None = None


class _Way(NamedTuple):
    """A way from a root to an HTTPProxy: the host of the root, and the conditions of all includes on it.

    ``root`` is None for the root itself. ``refusal`` says why Contour serves nothing on the way, empty if it does.
    """

    host: str
    conditions: Conditions = ()
    root: Proxy | None = None
    refusal: str = ""


class _TooMany(Exception):
    """There are more ways than are read."""


def _ways(proxy: Proxy, find: Find) -> Iterator[_Way]:
    """Yield the ways to an included HTTPProxy. Raises _TooMany."""
    pending: list[tuple[Proxy, Conditions, tuple[Ref, ...], str]] = [(proxy, (), (proxy.ref,), "")]
    for _ in range(MAX_STEPS):
        if not pending:
            return
        top, conditions, below, refusal = pending.pop()
        if top.fqdn is not None:
            yield _Way(top.fqdn, conditions, top, refusal)
            continue
        for parent, include in _including(top, find):
            # Contour leaves out an include that closes a circle.
            if parent.ref not in below:
                why = refusal or _why_not_served(parent, below)
                pending.append((parent, include.conditions + conditions, (*below, parent.ref), why))
        if len(pending) > MAX_STEPS:
            break
    raise _TooMany


def _including(proxy: Proxy, find: Find) -> Iterator[tuple[Proxy, Include]]:
    """Yield the HTTPProxies that include one, the last one first, each with its entries for it."""
    for parent in [found for found in reversed(find(including(proxy.ref))) if isinstance(found, Proxy)]:
        for include in reversed(parent.children):
            if include.proxy == proxy.ref:
                yield parent, include


def _why_not_served(parent: Proxy, below: tuple[Ref, ...]) -> str:
    """Why nothing reaches the HTTPProxies below this one by way of it; empty if requests do."""
    if len(below) > MAX_INCLUDE_DEPTH:
        return f"more than {MAX_INCLUDE_DEPTH} HTTPProxies are above it, so the operator does not read it"
    return f"{parent.ref}, which includes it, is not served: {parent.refusal}" if parent.refusal else ""


def compose(route: Route, find: Find) -> Route:
    """Return an included HTTPProxy with the hosts and prefixes of those that include it; a root stays as it is."""
    if not isinstance(route, Proxy) or route.fqdn is not None:
        return route
    try:
        ways = list(_ways(route, find))
    except _TooMany:
        return _refused(route, _TOO_MANY_STEPS, "Simplify the includes.")
    served = [way for way in ways if not way.refusal]
    if not ways:
        return _refused(route, "no HTTPProxy includes it that a root leads to", INCLUDE_REMEDY)
    if not served:
        return _refused(route, ways[0].refusal, "Correct the HTTPProxies above it.")
    roots = [way.root for way in served if way.root is not None]
    found = replace(
        route,
        attachments=tuple(dict.fromkeys(each for root in roots for each in root.attachments)),
        origins=tuple(dict.fromkeys(each for root in roots for each in root.origins)),
    )
    return _with_paths(found, served)


def with_own_paths(proxy: Proxy) -> Proxy:
    """Return the HTTPProxy with the paths that its own fields give; those of an included one are only their ends."""
    return _with_paths(proxy, [_Way(proxy.fqdn or "")])


def _refused(route: Proxy, why: str, remedy: str) -> Proxy:
    return route if route.refusal else replace(route, refusal=why, refusal_remedy=remedy)


def _with_paths(proxy: Proxy, ways: list[_Way]) -> Proxy:
    """Return the HTTPProxy with its paths on these ways; one with too many is refused."""
    found = tuple(islice((path for way in ways for path in _paths(proxy, way)), MAX_PATHS + 1))
    proxy = replace(proxy, paths=found[:MAX_PATHS])
    return _refused(proxy, _TOO_MANY_PATHS, "Split it.") if len(found) > MAX_PATHS else proxy


def _paths(proxy: Proxy, way: _Way) -> Iterator[RoutePath]:
    """Yield the paths of one way. Of routes with the same conditions, Contour serves the last one."""
    last = {}
    for rule in proxy.rules:
        conditions = way.conditions + rule.conditions
        match = path_conditions.joined(conditions)
        last[match, path_conditions.others(conditions)] = rule, path_conditions.words(conditions)
    prefixes = (match for match, _ in last if match.matching is Matching.PREFIX)
    places = Counter(match.place for match in prefixes)
    for (match, _), (rule, condition) in last.items():
        rewrite = path_conditions.rewrite_of(rule.replacements, match, places)
        remedy = f"Set enableWebsockets: true in its route for {match.path}."
        for service, port in rule.backends:
            yield RoutePath(
                host=way.host,
                path=match.path,
                path_type=_PATH_TYPES[match.matching],
                service=service,
                port=port,
                matching=match.matching,
                transforms=rule.transforms if rewrite is None else (rewrite, *rule.transforms),
                condition=condition,
                others=tuple(name for name, _ in rule.backends),
                web_socket_refusal=None if rule.has_web_sockets else WebSocketRefusal("Contour", remedy, 403),
                warnings=rule.warnings,
                styles=(WHOLE,),
            )
