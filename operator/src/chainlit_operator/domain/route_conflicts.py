"""RouteConflicts: apps whose routes meet at one edge, and what may not stand beside each other there.

An edge is what listens: an ingress class, or a Gateway. On one edge a host of its own wins over a wildcard or none, and
the longest path wins; that is what the specifications of Ingress and HTTPRoute ask for, and what edges do. So apps may
well share a host, at ``/`` and ``/chat`` or ``/chat`` and ``/chat/bot``. Two cases are left in which one of them is
lost: the same path on the same host, and a path that is one of Chainlit's own routes below another app's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple

from chainlit_operator.domain import chainlit, paths, routes
from chainlit_operator.domain.model import App, Matching, Route, RouteConflict, RoutePath, Snapshot
from chainlit_operator.domain.reasons import Reason

#: What a path may cost: of one with more of Chainlit's own segments, nothing is told below which it is.
MAX_OWN_SEGMENTS = 4
#: What a route may cost: beyond so many places nothing is told of its paths. A path has one for each edge, and one more
#: for each prefix below which it is Chainlit's.
MAX_PLACES = 10_000


class Place(NamedTuple):
    """A path of a host at an edge; ``host`` is empty for all hosts, ``prefix`` in normal form."""

    edge: str
    host: str
    prefix: str


def edges(route: Route) -> tuple[str, ...]:
    """Name what serves the route: its ingress class, or its Gateways; nothing for one that they refuse."""
    return () if route.refusal else tuple(sorted({attachment.group for attachment in route.attachments}))


class Reach(NamedTuple):
    """The places that a path of a route concerns."""

    path: RoutePath
    taken: tuple[Place, ...]
    """Those whose requests all go to the path's Service, but for those to longer paths."""
    shadowed: tuple[Place, ...]
    """Those at which Chainlit would lose a route of its own to the path's Service."""


def reaches(route: Route, chosen: Iterable[RoutePath]) -> Iterator[Reach]:
    """Yield what each of these paths of a route concerns; for the first ``MAX_PLACES`` places."""
    served_by = edges(route)
    left = MAX_PLACES
    for path in chosen:
        prefix = routes.prefix_of(path)
        if not routes.is_readable(path) or len(prefix) > paths.MAX_LENGTH or left <= 0:
            yield Reach(path, (), ())
            continue
        is_taken = path.matching is not Matching.EXACT and not route.is_canary and not path.condition
        taken = tuple([Place(edge, path.host, prefix) for edge in served_by]) if is_taken else ()
        shadowed = tuple(Place(edge, path.host, above) for above, edge in product(_above(prefix), served_by))
        left -= len(taken) + len(shadowed)
        yield Reach(path, taken, shadowed)


def _above(prefix: str) -> list[str]:
    """The prefixes below which ``prefix`` is one of Chainlit's own routes."""
    segments = prefix.split("/")
    if chainlit.OWN_SEGMENTS.isdisjoint(segments):
        return []
    own = [n for n, segment in enumerate(segments) if segment in chainlit.OWN_SEGMENTS]
    return ["/".join(segments[:n]) for n in own] if len(own) <= MAX_OWN_SEGMENTS else []


def check(snapshot: Snapshot, route: routes.Resolved | routes.Unresolved) -> routes.Resolved | routes.Unresolved:
    """Return ``route``, unless a neighbour of the snapshot's app is in its way."""
    if isinstance(route, routes.Unresolved):
        return route
    for neighbour in snapshot.conflicts:
        prefix = routes.prefix_of(neighbour.path)
        if prefix == route.public and precedence(neighbour) < precedence(snapshot.app):
            return _claimed(route, neighbour)
        if prefix != route.public and routes.is_own_route(prefix, route.public):
            return _shadowed(route, neighbour)
    return route


def precedence(app: App | RouteConflict) -> tuple[str, str, str]:
    """Return what orders apps at one place: the oldest has it."""
    ref = app.ref
    return app.created, ref.namespace, ref.name


def _claimed(route: routes.Resolved, neighbour: RouteConflict) -> routes.Unresolved:
    where = f"host {neighbour.path.host}" if neighbour.path.host else "any host"
    return routes.Unresolved(
        Reason.PATH_CLAIMED,
        f"{neighbour.ref} is older and has path {route.public or '/'} on {where} too, by {neighbour.route}: only one "
        f"of the two apps gets the requests. Give {route.status.kind} {route.status.name} another path or host, or "
        "delete either app and its route.",
    )


def _shadowed(route: routes.Resolved, neighbour: RouteConflict) -> routes.Unresolved:
    return routes.Unresolved(
        Reason.PATH_SHADOWED,
        f"{neighbour.route} sends {neighbour.path.path}, which Chainlit needs below {route.public or '/'}, to "
        f"{neighbour.ref}: give that app another path.",
    )
