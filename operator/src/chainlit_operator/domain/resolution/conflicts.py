"""The rules about other routes of the edge: whether they take the app's place or its socket, and warnings about them.

A rule fails only where the edge prefers the other route. Where the app keeps its requests, or where the order of the
two routes is not known, the app gets a warning: a route that loses makes no app unready.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from chainlit_operator.domain.model import Effect, RouteConflict, Snapshot, Winner, backend_ref
from chainlit_operator.domain.paths import is_below
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution.answer import Resolved
from chainlit_operator.domain.route_conflicts import ELDER_APP, HIGHER_PRIORITY, LONGER_TEXT, OLDER
from chainlit_operator.domain.route_paths import is_own_route, prefix_of
from chainlit_operator.domain.rule import Rule

#: How much of an expression a message repeats, in characters.
MAX_QUOTED = 250
#: So many other routes are named in warnings.
MAX_WARNINGS = 2


class Found(NamedTuple):
    """The input of the rules about other routes."""

    snapshot: Snapshot
    answer: Resolved

    @property
    def places(self) -> tuple[str, str]:
        """The path of the app's route, and the app's own: a longer one where it is stated, kept, or mounted."""
        return self.answer.status.path.removesuffix("/"), self.answer.chat_prefix

    @property
    def top(self) -> str:
        """The path of the app, for a message."""
        return self.answer.chat_prefix or "/"

    @property
    def own_route(self) -> str:
        """Kind and name of the app's route, for a message."""
        return self.answer.status.shown

    def concerning(self, winner: Winner) -> Iterator[RouteConflict]:
        """Yield the conflicts of this winner that concern requests of the app."""
        services = {service.ref for service in self.snapshot.services}
        own = {
            (path.host, prefix_of(path))
            for route in self.snapshot.routes
            for path in route.paths
            if backend_ref(route.ref.namespace, path.service) in services and prefix_of(path) not in self.places
        }
        for other in self.snapshot.conflicts:
            # A longer path that the app has too is a place of its own: another conflict says who wins there.
            is_own_place = other.effect is Effect.SHADOW and (other.host, other.prefix) in own
            if other.winner is winner and self._concerns(other) and not is_own_place:
                yield other

    def _concerns(self, other: RouteConflict) -> bool:
        if other.effect is Effect.COVER:
            return other.prefix == self.answer.chat_prefix
        return self._is_on_the_way(other) or is_own_route(other.prefix, self.answer.chat_prefix)

    def is_at_place(self, other: RouteConflict) -> bool:
        """Whether a conflict is about the same path, not about a longer one."""
        return other.effect in (Effect.CLAIM, Effect.PART) and self._is_on_the_way(other)

    def _is_on_the_way(self, other: RouteConflict) -> bool:
        """Whether a prefix is the path of the app's route, the app's own, or between the two."""
        route, own = self.places
        return other.prefix in (route, own) or (is_below(own, other.prefix) and is_below(other.prefix, route))


def path_is_free(found: Found) -> str:
    """No other route that the edge prefers may be at the same path."""
    for other in found.concerning(Winner.OTHER):
        if not found.is_at_place(other) or other.is_canary:
            continue
        if other.why == ELDER_APP:
            fault = f"{other.app} is older and uses {_place(other)}, by {other.route}."
        else:
            fault = f"{other.route} has {_place(other)}, too, and gets its requests: {other.why}."
        rest = "the other app and its route" if other.app is not None else "the other route"
        return f"{fault} Change path or host of {found.own_route}, or delete {rest}."
    return ""


def no_path_takes_requests(found: Found) -> str:
    """No other route may have a path for the app's requests that the edge tries before the app's: a regular expression
    with a longer text, a path with a higher priority, or one of an older route.
    """
    for other in found.concerning(Winner.OTHER):
        if other.effect is Effect.COVER and other.why == HIGHER_PRIORITY:
            return (
                f"{other.route} sends {other.path[:MAX_QUOTED]} {_target(other)}, and the edge tries it before the "
                f"path of {found.own_route} because its priority is higher. Limit the other route to its own paths, or "
                f"give {found.own_route} a higher priority."
            )
        if other.effect is Effect.COVER and other.why == OLDER:
            return (
                f"{other.route} sends {other.path[:MAX_QUOTED]} {_target(other)}, and the edge tries it before the "
                f"path of {found.own_route} because that route is younger. Limit the other route to its own paths, or "
                "put the rules of both into one route, the longer path first."
            )
        if other.effect is Effect.COVER:
            is_by_length = other.why == LONGER_TEXT
            more = f", or give {found.own_route} a path with more characters" if is_by_length else ""
            return (
                f"{other.route} sends requests that match {other.path[:MAX_QUOTED]} {_target(other)}, and the edge "
                f"tries it before the path of {found.own_route} because {other.why}. Limit that expression to its own "
                f"paths{more}."
            )
    return ""


def own_routes_are_free(found: Found) -> str:
    """No other route may be at one of Chainlit's own routes below the path."""
    for other in found.concerning(Winner.OTHER):
        if not found.is_at_place(other) and not other.is_canary:
            return (
                f"{other.route} sends {other.path} {_target(other)}, and Chainlit needs it below {found.top}. Give the "
                f"other {'app' if other.app is not None else 'backend'} a path that is not below it."
            )
    return ""


def no_canary_shares_requests(found: Found) -> str:
    """No canary may take a share of the requests, unless the edge keeps each browser on one side."""
    for other in found.concerning(Winner.OTHER):
        if other.is_canary:
            return (
                f"{other.route} is a canary that sends a share of the requests for {other.path} {_target(other)}, "
                "which does not know the chat's sessions. Set its weight to 0, or annotate "
                f"{found.own_route} with nginx.ingress.kubernetes.io/affinity: cookie."
            )
    return ""


RULES: tuple[Rule[Found], ...] = (
    Rule(Reason.PATH_CLAIMED, path_is_free),
    Rule(Reason.PATH_SHADOWED, no_path_takes_requests),
    Rule(Reason.PATH_SHADOWED, own_routes_are_free),
    Rule(Reason.BACKEND_SHARED, no_canary_shares_requests),
)


def warnings(found: Found) -> Iterator[str]:
    """Yield a sentence for each of the first routes that may take requests or that lose them to the app."""
    own = {route.ref for route in found.snapshot.routes}
    shown = [
        other
        for winner in (Winner.UNCERTAIN, Winner.OWN)
        for other in found.concerning(winner)
        if other.route not in own or other.effect is not Effect.PART
    ]
    for other in shown[:MAX_WARNINGS]:
        if other.winner is Winner.OWN:
            yield f"{other.route} has {_place(other)}, too. The edge prefers {found.own_route}."
        elif other.effect is Effect.PART and other.condition:
            yield f"{other.route} sends {other.path} {_target(other)} if {other.condition}. Chainlit may need it."
        else:
            yield f"{other.route} sends {other.path} {_target(other)}, and may take it from the app: {other.why}."


def _place(other: RouteConflict) -> str:
    where = f"host {other.host}" if other.host else "any host"
    return f"path {other.prefix or '/'} on {where}"


def _target(other: RouteConflict) -> str:
    """Where the other route sends requests, with the preposition."""
    if other.app is not None:
        return f"to {other.app}"
    if other.service:
        return f"to {backend_ref(other.route.namespace, other.service)}"
    return "elsewhere (a redirect, or no Service)"
