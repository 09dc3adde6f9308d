"""The router of OpenShift, which makes a Route of each path of an Ingress: rewrites, https, time-outs.

The facts are those of its documentation, and of the configuration that it writes for HAProxy. Paths end at a segment
boundary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.model import (
    AnnotatedRoute,
    Origin,
    Route,
    RoutePath,
    Stickiness,
)
from chainlit_operator.domain.route_warnings import Advice, RouteWarning
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations, Found
from chainlit_operator.ingress_controllers.shared.controller import (
    IngressController,
    Rules,
    with_https,
    without_default,
)
from chainlit_operator.ingress_controllers.shared.values import is_true

_PREFIX = "haproxy.router.openshift.io/"
REWRITE_TARGET = f"{_PREFIX}rewrite-target"
#: For a request, and for a WebSocket, which the router leaves idle so long.
TIMEOUT, TUNNEL_TIMEOUT = f"{_PREFIX}timeout", f"{_PREFIX}timeout-tunnel"
TERMINATION = "route.openshift.io/termination"
_TERMINATIONS = frozenset({"edge", "reencrypt", "passthrough"})
#: Seconds between two pings of Chainlit. A long poll is answered then at the latest.
_PING_INTERVAL = 25
_DURATION = re.compile(r"(\d+)(us|ms|s|m|h|d)?")
#: Seconds of a unit; a number without a unit has milliseconds.
_SECONDS = {"us": 1e-6, "ms": 1e-3, "": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}


class _Rules(Rules):
    def __init__(self, annotations: Mapping[str, str]) -> None:
        self._target = annotations.get(REWRITE_TARGET, "")
        self._is_secure = annotations.get(TERMINATION, "") in _TERMINATIONS
        self._warnings = tuple(_warnings(annotations))

    def routed(self, paths: tuple[RoutePath, ...]) -> tuple[RoutePath, ...]:
        """A default backend takes no requests."""
        return without_default(paths)

    def refusal(self, route: Route) -> tuple[str, str]:
        if all(path.host for path in without_default(route.paths)):
            return "", ""
        return "OpenShift makes no Route of a rule without a host", "Give each rule of the Ingress a host."

    def transforms(self, path: RoutePath) -> Iterator[rewrites.Transform]:
        # HAProxy replaces the text of the path, so a slash too many or too few stays in the rest. With ``/`` it also
        # takes the slash after the path.
        if self._target == "/" or (self._target and path.path.endswith("/") == self._target.endswith("/")):
            yield rewrites.ReplacePrefixMatch(self._target)
        elif self._target:
            yield rewrites.Unknown(f"the annotation {REWRITE_TARGET} for a path with another end")

    def origins(self, route: Route) -> tuple[Origin, ...]:
        return with_https(route.origins) if self._is_secure else route.origins

    def warnings(self, path: RoutePath) -> tuple[RouteWarning, ...]:
        return self._warnings


def _warnings(annotations: Mapping[str, str]) -> Iterator[RouteWarning]:
    if annotations.get(TERMINATION) == "passthrough":
        yield Advice(
            f"The annotation {TERMINATION} is passthrough, so the pods must speak TLS and the router sees no path. Set "
            "it to edge."
        )
    for key, what in ((TUNNEL_TIMEOUT, "idle WebSockets"), (TIMEOUT, "long polls")):
        seconds = _seconds(annotations.get(key, ""))
        if seconds is not None and seconds <= _PING_INTERVAL:
            yield Advice(
                f"The annotation {key} is {annotations[key]}, which ends {what} before Chainlit's ping after "
                f"{_PING_INTERVAL} s. Set it to 1h."
            )


def _seconds(text: str) -> float | None:
    """The seconds of a duration of HAProxy; None where there is none, and for 0, which sets no limit."""
    found = _DURATION.fullmatch(text.strip())
    return int(found[1]) * _SECONDS[found[2] or ""] or None if found is not None else None


def _read(found: AnnotatedRoute) -> Rules:
    return _Rules(found.annotations)


NO_COOKIES = "haproxy.router.openshift.io/disable_cookies"
BALANCE = "haproxy.router.openshift.io/balance"


def _on_route(annotations: Annotations) -> Iterator[Found]:
    if annotations.get(BALANCE) == "source":
        yield Found(Stickiness.KEPT, BALANCE)
    elif is_true(annotations.get(NO_COOKIES)):
        yield Found(Stickiness.LOST, NO_COOKIES)


_AFFINITY = Affinity(
    title="OpenShift",
    # It sets a cookie for each Route.
    default=Stickiness.KEPT,
    remedy=f"Remove the annotation {NO_COOKIES} from {{route}}.",
    prefixes=(NO_COOKIES, BALANCE),
    on_route=_on_route,
)


CONTROLLER = IngressController(
    annotations=frozenset({REWRITE_TARGET, TERMINATION}),
    domains=(_PREFIX,),
    classes=frozenset({"openshift-default"}),
    read=_read,
    affinity=_AFFINITY,
)
