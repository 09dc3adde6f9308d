"""Route conflicts: another route of one listener group takes requests that an app needs.

A listener group is an ingress class or a Gateway. Within one, a host of its own wins over a wildcard or none, and the
longest path wins; the specifications of Ingress and HTTPRoute ask for that, and controllers do it. So apps may share a
host, at ``/`` and ``/chat`` or ``/chat`` and ``/chat/bot``. Two cases are left in which an app loses requests: another
route has the same path on the same host, and another route has a path that is one of Chainlit's own routes below the
app's. Another one is left for expressions of Ingresses: their controllers prefer the longest text, so ``/(.*)`` takes
all requests of an app at ``/bot``. The same holds for a shorter path with a higher priority, where routes have these.
Whether a ChainlitApp is behind the other route makes no difference to the edge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from chainlit_operator.domain import chainlit, expressions, paths, traefik_rules
from chainlit_operator.domain.expressions import Style
from chainlit_operator.domain.model import (
    Attachment,
    Canary,
    Effect,
    Matching,
    Precedence,
    Route,
    RouteConflict,
    RouteOrder,
    RoutePath,
    Winner,
    ingress_class,
)
from chainlit_operator.domain.route_paths import METHOD_CONDITION, prefix_of, prefixes_of
from chainlit_operator.object_ref import Ref

Attachments = tuple[Attachment, ...]

#: A path with more of Chainlit's own segments shadows nothing: each such segment costs a key.
MAX_OWN_SEGMENTS = 4
#: The limit of keys that a route may claim, and of keys that it may shadow. Paths beyond the limit have no keys. A path
#: claims one key for each listener group, and shadows up to ``MAX_OWN_SEGMENTS`` there.
MAX_KEYS = 10_000
#: So many prefixes of one expression have keys.
MAX_PREFIXES = 4
#: So many levels between a route's path and an app's place have keys; they are counted from the place.
MAX_LEVELS = 16
#: The listener group of all Ingresses. Their classes are told apart by attachments.
INGRESSES = "Ingress"
NO_CLASS: Attachments = (ingress_class(""),)
NO_APP = Ref("", "", "")
#: Ranks of paths at one place. A lower rank wins.
_BY_METHOD, _PLAIN, _FALLBACK = -1, 0, 1
#: How many ranks there are at one priority: of an app or none, each of a default backend or not.
_RANKS = 4
#: Stands for the time of a route that does not exist yet: all others are older.
_NOT_YET = "not yet"
#: Why a route takes the place of a younger app's where the edge's own choice is not known.
ELDER_APP = "its app is older"
#: Why a path takes requests though the app's is longer, or as long.
HIGHER_PRIORITY = "its priority is higher"
#: Why a route takes the requests of a younger one where the edge tries the older one first.
OLDER = "it is older"
#: Why an expression takes requests of a path that is no expression, or of a shorter one.
LONGER_TEXT, EXPRESSIONS_FIRST = "its text is longer", "it tries expressions before plain paths"
#: Paths of plain text and of expressions that match everything.
_EVERYTHING = frozenset({"/", ".*"})
_UNKNOWN_WINNER = "it is not known which of the two the ingress controller prefers"
_SAME_SECOND = "both were created in the same second"
#: The orders in which the older one of two routes wins.
_BY_AGE = (RouteOrder.OLDEST, RouteOrder.OLDEST_FIRST)
_NOT_RUN = "the operator does not evaluate this regular expression"
_LONGER_EXPRESSION = "its path is longer, and the text of the app's regular expression is longer"
_NO_CLASS_WHY = "one of the two names no ingress class, so the same ingress controller may serve both"


class RouteKey(NamedTuple):
    """A path of a host in a listener group; ``host`` is empty for all hosts, ``prefix`` in normal form."""

    listener_group: str
    host: str
    prefix: str


def listener_groups(route: Route) -> tuple[str, ...]:
    """Return the Gateways that serve the route, or the group of all Ingresses; none for a route that they refuse."""
    if route.refusal:
        return ()
    return tuple(sorted({INGRESSES if each.is_ingress_class else each.group for each in route.attachments}))


def is_ingress(attachments: Attachments) -> bool:
    """Return whether routes with these attachments have an ingress class, or name none."""
    # A route hangs on one class, perhaps on several of its entry points, or on Gateways.
    return bool(attachments) and attachments[0].is_ingress_class


def share_listener(one: Sequence[Attachment], other: Sequence[Attachment]) -> bool:
    """Return whether one listener serves routes with these attachments."""
    return any(each.overlaps(another) for each, another in product(one, other))


def may_share_listener(one: Attachments, other: Attachments) -> bool:
    """Return whether the same controller may serve both: an Ingress of a class, and one that names no class."""
    return is_ingress(one) and is_ingress(other) and (one == NO_CLASS) is not (other == NO_CLASS)


# ----------------------------------------------------------------------------------------------------------- keys


class KeysOfPath(NamedTuple):
    """The keys that a path of a route concerns."""

    path: RoutePath
    prefix: str
    claimed: tuple[RouteKey, ...]
    """The path's Service gets all requests below these keys, except those of longer paths."""
    shadowed: tuple[RouteKey, ...]
    """The path's Service gets requests that a Chainlit at one of these keys needs for its own routes."""
    covered: tuple[RouteKey, ...] = ()
    """The path may take requests of apps at all places that begin with the text of the key, as an expression that wins
    by the length of its text, or by its priority."""


def keys_of_paths(route: Route, services: Set[str]) -> Iterator[KeysOfPath]:
    """Yield the keys of each path that sends requests to one of these Services.

    ``MAX_KEYS`` counts all paths of the route, also those to other Services. So the keys of a path do not depend on
    ``services``.
    """
    groups = listener_groups(route) if route.canary is not Canary.BY_REQUEST else ()
    for position, path in enumerate(route.paths):
        if path.service not in services:
            continue
        prefixes = prefixes_of(path)[:MAX_PREFIXES]
        covered = _covered(route, path) if position < MAX_KEYS else ()
        if not groups or not prefixes or len(prefixes[0]) > paths.MAX_LENGTH:
            yield KeysOfPath(path, prefix_of(path), (), (), covered)
            continue
        before = position * len(groups)
        is_claim = path.matching is not Matching.EXACT
        for prefix in prefixes:
            claimed = [RouteKey(group, path.host, prefix) for group in groups] if is_claim and before < MAX_KEYS else ()
            above = _above(path, prefix) if before * MAX_OWN_SEGMENTS < MAX_KEYS and route.canary is Canary.NONE else []
            shadowed = [RouteKey(group, path.host, each) for each, group in product(above, groups)]
            yield KeysOfPath(path, prefix, tuple(claimed), tuple(shadowed), covered)


def _covered(route: Route, path: RoutePath) -> tuple[RouteKey, ...]:
    """The key under which a path is found that may win over longer ones: an expression, or one with a priority."""
    if not is_whole(route, path) or route.refusal:
        return ()
    if route.order is RouteOrder.OLDEST_FIRST:
        return _covered_by_age(route, path)
    if not is_ingress(route.attachments):
        return ()
    if path.priority and path.matching is Matching.PREFIX and len(path.path) <= paths.MAX_LENGTH:
        return (RouteKey(INGRESSES, path.host, path.path.lower()),)
    if not _is_longest_expression(route, path):
        return ()
    return (RouteKey(INGRESSES, path.host, expressions.beginning(path.path, path.styles)),)


def _covered_by_age(route: Route, path: RoutePath) -> tuple[RouteKey, ...]:
    """The keys under which a path is found that is tried before all paths of younger routes."""
    if path.path in _EVERYTHING or path.matching not in (Matching.PREFIX, Matching.REGULAR_EXPRESSION):
        return ()
    is_plain = path.matching is Matching.PREFIX
    text = path.path.lower() if is_plain else expressions.beginning(path.path, path.styles)
    return tuple(RouteKey(group, path.host, text) for group in listener_groups(route) if len(text) <= paths.MAX_LENGTH)


def may_be_covered(key: RouteKey, order: RouteOrder) -> bool:
    """Return whether a path of another route, which is no longer than that of a key, may win over it."""
    return key.listener_group == INGRESSES or order is RouteOrder.OLDEST_FIRST


def _is_longest_expression(route: Route, path: RoutePath) -> bool:
    is_by_text = route.precedence in (Precedence.LONGEST_TEXT, Precedence.EXPRESSIONS_FIRST)
    return is_by_text and path.matching is Matching.REGULAR_EXPRESSION


def keys_below(keys: KeysOfPath, places: Sequence[str], mount_path: str) -> Iterator[RouteKey]:
    """Yield the keys below a path at which somebody else's path would take requests from an app at these prefixes.

    An app may be at a prefix below its route's path: ``/chat`` behind a route for ``/``, or ``/api/chainlit`` behind
    one for ``/api`` if an app there mounts Chainlit. Then each path from the route's down to the app's takes all that
    the app needs.
    """
    for place in dict.fromkeys((*places, *_mounted(keys.prefix, mount_path))):
        if paths.is_below(place, keys.prefix):
            segments = place.removeprefix(keys.prefix).split("/")[1:]
            for end in range(max(1, len(segments) - MAX_LEVELS), len(segments) + 1):
                prefix = "/".join([keys.prefix, *segments[:end]])
                yield from (key._replace(prefix=prefix) for key in keys.claimed)


def _mounted(prefix: str, mount_path: str) -> Iterator[str]:
    """The places at which an app behind a prefix may mount Chainlit: its mount path may repeat the prefix's end."""
    segments = mount_path.split("/")
    for end in range(1, min(len(segments), MAX_LEVELS) + 1) if mount_path else ():
        if prefix.endswith("/".join(segments[:end])):
            yield "/".join([prefix, *segments[end:]])


def _above(path: RoutePath, prefix: str) -> list[str]:
    """The prefixes below which the path is one of Chainlit's own routes, or the page itself."""
    # An exact path with a slash at its end takes the page of an app, and nothing else.
    page = [prefix] if path.matching is Matching.EXACT and path.path.endswith("/") else []
    segments = prefix.split("/")
    if chainlit.OWN_SEGMENTS.isdisjoint(segments):
        return page
    own = [n for n, segment in enumerate(segments) if segment in chainlit.OWN_SEGMENTS]
    return [*page, *("/".join(segments[:n]) for n in own)] if len(own) <= MAX_OWN_SEGMENTS else page


def is_whole(route: Route, path: RoutePath) -> bool:
    """Return whether a path takes all requests for its keys, so that it can serve an app there."""
    return not path.condition and route.canary is Canary.NONE


def effects(route: Route, keys: KeysOfPath) -> Iterator[tuple[Effect, RouteKey]]:
    """Yield each key of a path with the effect on an app there."""
    by_method = keys.path.condition.startswith(METHOD_CONDITION)
    is_part = route.canary is not Canary.NONE or (bool(keys.path.condition) and not by_method)
    # Implementations of the Gateway API differ in the precedence of an expression.
    is_part = is_part or _is_expression_of_gateway(route, keys.path)
    for key in keys.covered:
        yield Effect.COVER, key
    for key in keys.claimed:
        yield Effect.PART if is_part else Effect.CLAIM, key
    for key in keys.shadowed:
        yield Effect.PART if is_part else Effect.SHADOW, key


def _is_expression_of_gateway(route: Route, path: RoutePath) -> bool:
    return path.matching is Matching.REGULAR_EXPRESSION and route.precedence is Precedence.LONGEST_SEGMENTS


# -------------------------------------------------------------------------------------------------------- entries


class Entry(NamedTuple):
    """A path of a route, and an app behind its Service. The order of the fields is the order of entries at a key.

    That order is the edge's own where it is known: then ``created`` is the time of the route and ``claimant`` the
    route. Else apps come first, by their age: then both are of the app.
    """

    rank: int
    created: str
    claimant: Ref
    route: Ref
    service: str
    app: Ref
    """The app behind the Service, or ``NO_APP``; None would have no place in the order."""
    path: str
    host: str
    prefix: str
    condition: str
    attachments: Attachments
    order: RouteOrder
    styles: tuple[Style, ...]
    """How the path is compared, if it is an expression that wins by the length of its text."""
    precedence: Precedence
    priority: int = 0


def entry_of(route: Route, keys: KeysOfPath, app: Ref | None, app_created: str) -> Entry:
    """Return the entry of a path; ``app`` is None where no app is behind its Service."""
    path, by_route = keys.path, route.order in _BY_AGE or app is None
    return Entry(
        rank=_rank(route, path, keys.prefix, has_app=app is not None),
        created=(route.created or _NOT_YET) if by_route else app_created,
        claimant=route.ref if by_route or app is None else app,
        route=route.ref,
        service=path.service,
        app=app or NO_APP,
        path=path.path,
        host=path.host,
        prefix=keys.prefix,
        condition=path.condition or ("the expression wins" if _is_expression_of_gateway(route, path) else ""),
        attachments=route.attachments,
        order=route.order,
        styles=path.styles if _is_run(route, path) else (),
        precedence=route.precedence,
        priority=path.priority,
    )


def _is_run(route: Route, path: RoutePath) -> bool:
    """Whether a path is an expression that may win over longer paths."""
    is_by_age = route.order is RouteOrder.OLDEST_FIRST and path.matching is Matching.REGULAR_EXPRESSION
    return is_by_age or _is_longest_expression(route, path)


def _rank(route: Route, path: RoutePath, prefix: str, *, has_app: bool) -> int:
    if path.priority:
        # Beside paths without a priority: a path with the usual one is their equal.
        return _RANKS * (traefik_rules.usual_priority(path.host, prefix) - path.priority) + (not has_app)
    if route.order is RouteOrder.OLDEST_FIRST:
        return 2 * (path.path in _EVERYTHING)
    if route.order is not RouteOrder.OLDEST:
        return 2 * path.is_fallback + (not has_app)
    if path.is_fallback:
        return _FALLBACK
    if path.condition:
        return _BY_METHOD
    # Of expressions with one prefix the longest text wins.
    return len(prefix) - len(path.path) if _is_longest_expression(route, path) else _PLAIN


def is_tried_before(other: Entry, mine: Entry) -> bool:
    """Return whether an edge may try the path of an entry before that of an app: by priority, by age, because it is an
    expression, or by length.

    Of two texts of one length, ingress-nginx tries the last one in the alphabet first.
    """
    if other.priority or mine.priority:
        return _priorities(other)[1] >= _priorities(mine)[0]
    if mine.order is RouteOrder.OLDEST_FIRST:
        return (other.rank, other.created) <= (mine.rank, mine.created)
    return _is_first(other, mine) or (len(other.path), other.path) > (len(mine.path), mine.path)


def _is_first(other: Entry, mine: Entry) -> bool:
    """Whether an expression is tried before a plain path, whatever the lengths of both."""
    return Precedence.EXPRESSIONS_FIRST in (other.precedence, mine.precedence) and not mine.styles


def _priorities(entry: Entry) -> tuple[int, int]:
    """The least and the greatest priority that a path may have; that of a path without one is its controller's."""
    return (entry.priority,) * 2 if entry.priority else traefik_rules.possible_priorities(entry.host, entry.path)


def may_cover(entry: Entry, place: str) -> bool:
    """Return whether a path may take requests that an app at a place needs, though its prefix is not that of the place.

    One that has the place itself as its prefix does not count: it is in conflict there.
    """
    if not entry.styles:
        return entry.prefix != place and f"{place}/".startswith(entry.path)
    return _may_take(entry.path, entry.styles, place)


@lru_cache(4096)
def _may_take(expression: str, styles: tuple[Style, ...], place: str) -> bool:
    if place in expressions.prefixes(expression, styles)[:MAX_PREFIXES]:
        return False
    return any(
        expressions.may_match(expression, style, place + request) for style in styles for request in chainlit.REQUESTS
    )


def conflict(other: Entry, effect: Effect, mine: Entry, *, is_shared: bool, is_sticky: bool) -> RouteConflict | None:
    """Return the conflict of an app with an entry at a key of its own entry; None if the edge never mixes the two.

    ``is_shared`` says that one controller serves both for sure. ``is_sticky`` says that the app's edge keeps each
    browser on one side of a canary.
    """
    is_canary = effect is Effect.PART and not other.condition
    if is_canary and is_sticky:
        return None
    winner, why = _winner(other, effect, mine) if is_shared else (Winner.UNCERTAIN, _NO_CLASS_WHY)
    if winner is Winner.OWN and _is_fallback(other):
        return None
    return RouteConflict(
        route=other.route,
        host=other.host,
        path=other.path,
        prefix=other.prefix,
        effect=effect,
        winner=winner,
        app=None if other.app == NO_APP else other.app,
        service=other.service if other.app == NO_APP else "",
        created=other.created,
        condition=other.condition,
        why=why,
    )


def _winner(other: Entry, effect: Effect, mine: Entry) -> tuple[Winner, str]:
    if effect is Effect.PART:
        return _winner_of_part(other, mine), ""
    if RouteOrder.UNKNOWN in (other.order, mine.order) or mine.condition:
        return Winner.UNCERTAIN, _UNKNOWN_WINNER
    if other.priority or mine.priority:
        return _winner_by_priority(other, effect, mine)
    if other.order is mine.order is RouteOrder.OLDEST_FIRST:
        return _winner_by_age(other, mine)
    return _winner_by_length(other, effect, mine)


def _winner_by_length(other: Entry, effect: Effect, mine: Entry) -> tuple[Winner, str]:
    """Which of two paths wins where the longer one does."""
    if effect is Effect.COVER:
        is_run = not expressions.why_not_evaluated(other.path, other.styles)
        why = EXPRESSIONS_FIRST if _is_first(other, mine) else LONGER_TEXT
        return (Winner.OTHER, why) if is_run else (Winner.UNCERTAIN, f"{why}, and {_NOT_RUN}")
    if effect is Effect.SHADOW or len(other.prefix) > len(mine.prefix):
        is_shorter = bool(mine.styles) and len(other.path) < len(mine.path)
        return (Winner.UNCERTAIN, _LONGER_EXPRESSION) if is_shorter else (Winner.OTHER, "its path is longer")
    return _winner_at_place(other, mine)


def _winner_by_age(other: Entry, mine: Entry) -> tuple[Winner, str]:
    """Which of two paths wins where all paths of the older route are tried first."""
    if _is_fallback(other) is not _is_fallback(mine):
        return (Winner.OTHER, "its path is longer") if _is_fallback(mine) else (Winner.OWN, "")
    if other.created == mine.created:
        return Winner.UNCERTAIN, _SAME_SECOND
    if other.created > mine.created:
        return Winner.OWN, ""
    is_run = not other.styles or not expressions.why_not_evaluated(other.path, other.styles)
    return (Winner.OTHER, OLDER) if is_run else (Winner.UNCERTAIN, f"{OLDER}, and {_NOT_RUN}")


def _winner_by_priority(other: Entry, effect: Effect, mine: Entry) -> tuple[Winner, str]:
    """Which of two paths wins where at least one has a priority."""
    if _is_fallback(other) is not _is_fallback(mine):
        return _winner_at_place(other, mine)
    (least, most), (my_least, my_most) = _priorities(other), _priorities(mine)
    if least > my_most:
        is_run = not other.styles or not expressions.why_not_evaluated(other.path, other.styles)
        return (Winner.OTHER, HIGHER_PRIORITY) if is_run else (Winner.UNCERTAIN, f"{HIGHER_PRIORITY}, and {_NOT_RUN}")
    if most < my_least:
        return Winner.OWN, ""
    is_at_place = effect is Effect.CLAIM and other.prefix == mine.prefix
    return _winner_at_place(other, mine) if is_at_place else (Winner.UNCERTAIN, _UNKNOWN_WINNER)


def _winner_of_part(other: Entry, mine: Entry) -> Winner:
    if _is_fallback(other) and not _is_fallback(mine):
        return Winner.OWN
    return Winner.UNCERTAIN if other.condition else Winner.OTHER


def _winner_at_place(other: Entry, mine: Entry) -> tuple[Winner, str]:
    if _is_fallback(other) is not _is_fallback(mine):
        return (Winner.OTHER, "the other path is a default backend") if _is_fallback(mine) else (Winner.OWN, "")
    if mine.order is not RouteOrder.OLDEST or other.order is not mine.order:
        is_known = other.order is mine.order and other.app != NO_APP
        is_elder = is_known and (other.created, other.claimant) < (mine.created, mine.claimant)
        return (Winner.OTHER, ELDER_APP) if is_elder else (Winner.UNCERTAIN, _UNKNOWN_WINNER)
    if other.rank != mine.rank:
        return (Winner.OTHER, "its match is more specific") if other.rank < mine.rank else (Winner.OWN, "")
    if other.created != mine.created:
        return (Winner.OTHER, OLDER) if other.created < mine.created else (Winner.OWN, "")
    if is_ingress(mine.attachments):
        return Winner.UNCERTAIN, _SAME_SECOND
    return (Winner.OTHER, "its name comes first") if other.claimant < mine.claimant else (Winner.OWN, "")


def _is_fallback(entry: Entry) -> bool:
    if entry.priority:
        return False
    return entry.rank == _FALLBACK if entry.order is RouteOrder.OLDEST else entry.rank > _FALLBACK
