"""Route conflicts: two apps in one listener group, where one takes requests that the other needs.

A listener group is an ingress class or a Gateway. Within one, a host of its own wins over a wildcard or none, and the
longest path wins; the specifications of Ingress and HTTPRoute ask for that, and controllers do it. So apps may share a
host, at ``/`` and ``/chat`` or ``/chat`` and ``/chat/bot``. Two cases are left in which one of them loses requests: the
same path on the same host, and a path that is one of Chainlit's own routes below another app's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from itertools import product
from typing import NamedTuple

from chainlit_operator.domain import chainlit, paths
from chainlit_operator.domain.model import App, Attachment, Matching, Route, RouteConflict, RoutePath
from chainlit_operator.domain.route_paths import is_readable, prefix_of

#: A path with more of Chainlit's own segments shadows nothing: each such segment costs a key.
MAX_OWN_SEGMENTS = 4
#: The limit of keys that a route may claim, and of keys that it may shadow. Paths beyond the limit have no keys. A path
#: claims one key for each listener group, and shadows up to ``MAX_OWN_SEGMENTS`` there.
MAX_KEYS = 10_000


class RouteKey(NamedTuple):
    """A path of a host in a listener group; ``host`` is empty for all hosts, ``prefix`` in normal form."""

    listener_group: str
    host: str
    prefix: str


def listener_groups(route: Route) -> tuple[str, ...]:
    """Return the ingress class or the Gateways that serve the route; none for a route that they refuse."""
    return () if route.refusal else tuple(sorted({attachment.group for attachment in route.attachments}))


def share_listener(one: Sequence[Attachment], other: Sequence[Attachment]) -> bool:
    """Return whether one listener serves routes with these attachments."""
    return any(each.overlaps(another) for each, another in product(one, other))


class KeysOfPath(NamedTuple):
    """The keys that a path of a route concerns."""

    path: RoutePath
    prefix: str
    claimed: tuple[RouteKey, ...]
    """The path's Service gets all requests below these keys, except those of longer paths."""
    shadowed: tuple[RouteKey, ...]
    """The path's Service gets requests that a Chainlit at one of these keys needs for its own routes."""


def keys_of_paths(route: Route, services: Set[str]) -> Iterator[KeysOfPath]:
    """Yield the keys of each path that sends requests to one of these Services.

    ``MAX_KEYS`` counts all paths of the route, also those to other Services. So the keys of a path do not depend on
    ``services``.
    """
    groups = listener_groups(route)
    for position, path in enumerate(route.paths):
        if path.service not in services:
            continue
        prefix = prefix_of(path)
        if not groups or not is_readable(path) or len(prefix) > paths.MAX_LENGTH:
            yield KeysOfPath(path, prefix, (), ())
            continue
        before = position * len(groups)
        is_claim = path.matching is not Matching.EXACT and not route.is_canary and not path.condition
        claimed = [RouteKey(group, path.host, prefix) for group in groups] if is_claim and before < MAX_KEYS else ()
        above = _above(prefix) if before * MAX_OWN_SEGMENTS < MAX_KEYS else []
        shadowed = [RouteKey(group, path.host, each) for each, group in product(above, groups)]
        yield KeysOfPath(path, prefix, tuple(claimed), tuple(shadowed))


def _above(prefix: str) -> list[str]:
    """The prefixes below which ``prefix`` is one of Chainlit's own routes."""
    segments = prefix.split("/")
    if chainlit.OWN_SEGMENTS.isdisjoint(segments):
        return []
    own = [n for n, segment in enumerate(segments) if segment in chainlit.OWN_SEGMENTS]
    return ["/".join(segments[:n]) for n in own] if len(own) <= MAX_OWN_SEGMENTS else []


def precedence(app: App | RouteConflict) -> tuple[str, str, str]:
    """Return the sort key of the apps at one route key. The first app, which is the oldest, has the key."""
    ref = app.ref
    return app.created, ref.namespace, ref.name
