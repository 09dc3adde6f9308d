"""The router of OpenShift: rewrites, https, time-outs, and the cookie of session affinity.

It serves Routes, and its cluster makes a Route of each path of an Ingress, with the annotations of the Ingress. The
facts are those of its documentation and of its sources (``haproxy-config.template``, ``rewritetarget.go`` and
``util.go`` of github.com/openshift/router). Paths end at a segment boundary.
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
    unclear,
    with_https,
    without_default,
)
from chainlit_operator.ingress_controllers.shared.values import is_on, is_true

_PREFIX = "haproxy.router.openshift.io/"
REWRITE_TARGET = f"{_PREFIX}rewrite-target"
#: For a request, and for a WebSocket, which the router leaves idle so long.
TIMEOUT, TUNNEL_TIMEOUT = f"{_PREFIX}timeout", f"{_PREFIX}timeout-tunnel"
#: Read of Ingresses only. A Route has a field for it.
TERMINATION = "route.openshift.io/termination"
#: F5's controller serves Routes too, and rewrites the path of a Route that has this annotation.
F5_REWRITE_TARGET = "virtual-server.f5.com/rewrite-target-url"
_TERMINATIONS = frozenset({"edge", "reencrypt", "passthrough"})
#: The router ignores a target that does not begin with a slash.
_TARGET = re.compile(r"/.*")
#: HAProxy gives a meaning to other characters of a target, such as quotes, ``#``, ``%`` and backslashes.
_PLAIN_TARGET = re.compile(r"[A-Za-z0-9/._~:@+,;=-]+")
#: Seconds between two pings of Chainlit. A long poll is answered then at the latest.
_PING_INTERVAL = 25
#: The router ignores other durations, also 0.
_DURATION = re.compile(r"([1-9][0-9]*)(us|ms|s|m|h|d)?")
#: Seconds of a unit; a number without a unit has milliseconds.
_SECONDS = {"us": 1e-6, "ms": 1e-3, "": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}


class _Rules(Rules):
    """What the router does with a Route."""

    def __init__(self, annotations: Mapping[str, str]) -> None:
        self._target = annotations.get(REWRITE_TARGET, "")
        self._warnings = tuple(_warnings(annotations))

    def transforms(self, path: RoutePath) -> Iterator[rewrites.Transform]:
        if _TARGET.fullmatch(self._target) is None:
            return
        if _PLAIN_TARGET.fullmatch(self._target) is None:
            yield unclear(REWRITE_TARGET, self._target)
        # With ``/``, HAProxy also takes the slash after the path.
        elif self._target == "/" or path.path.endswith("/") == self._target.endswith("/"):
            yield rewrites.ReplacePrefixMatch(self._target)
        else:
            # HAProxy replaces the text of the path, so a slash too many or too few stays in the rest.
            yield rewrites.RewriteWholePath(f"^{re.escape(path.path)}(.*)$", f"{self._target}$1")

    def warnings(self, path: RoutePath) -> tuple[RouteWarning, ...]:
        return self._warnings


class _IngressRules(_Rules):
    """What it does with the Routes that are made of an Ingress."""

    def __init__(self, annotations: Mapping[str, str]) -> None:
        super().__init__(annotations)
        termination = annotations.get(TERMINATION, "")
        self._is_secure = termination in _TERMINATIONS
        if termination == "passthrough":
            self._warnings = (_PASSTHROUGH, *self._warnings)

    def routed(self, paths: tuple[RoutePath, ...]) -> tuple[RoutePath, ...]:
        """A default backend takes no requests."""
        return without_default(paths)

    def refusal(self, route: Route) -> tuple[str, str]:
        if all(path.host for path in without_default(route.paths)):
            return "", ""
        return "OpenShift makes no Route of a rule without a host", "Give each rule of the Ingress a host."

    def origins(self, route: Route) -> tuple[Origin, ...]:
        return with_https(route.origins) if self._is_secure else route.origins


_PASSTHROUGH = Advice(
    f"The annotation {TERMINATION} is passthrough, so the pods must speak TLS and the router sees no path. Set it to "
    "edge."
)


def _warnings(annotations: Mapping[str, str]) -> Iterator[RouteWarning]:
    for key, what in ((TUNNEL_TIMEOUT, "idle WebSockets"), (TIMEOUT, "long polls")):
        seconds = _seconds(annotations.get(key, ""))
        if seconds is not None and seconds <= _PING_INTERVAL:
            yield Advice(
                f"The annotation {key} is {annotations[key]}, which ends {what} before Chainlit's ping after "
                f"{_PING_INTERVAL} s. Set it to 1h."
            )


def _seconds(text: str) -> float | None:
    """The seconds of a duration of HAProxy; None where there is none."""
    found = _DURATION.fullmatch(text)
    return int(found[1]) * _SECONDS[found[2] or ""] if found is not None else None


def _read(found: AnnotatedRoute) -> Rules:
    return (_IngressRules if found.route.ref.kind == "Ingress" else _Rules)(found.annotations)


NO_COOKIES = "haproxy.router.openshift.io/disable_cookies"
BALANCE = "haproxy.router.openshift.io/balance"


def _on_route(annotations: Annotations) -> Iterator[Found]:
    if annotations.get(BALANCE) == "source":
        yield Found(Stickiness.KEPT, BALANCE)
    elif is_true(annotations.get(NO_COOKIES)):
        yield Found(Stickiness.LOST, NO_COOKIES)


_AFFINITY = Affinity(
    title="OpenShift",
    # It sets a cookie for each Route, with a value for each pod of all Services behind the Route.
    default=Stickiness.KEPT,
    remedy=f"Remove the annotation {NO_COOKIES} from {{route}}.",
    prefixes=(NO_COOKIES, BALANCE),
    on_route=_on_route,
)


CONTROLLER = IngressController(
    own_kinds=frozenset({"Route"}),
    annotations=frozenset({REWRITE_TARGET, TERMINATION}),
    domains=(_PREFIX,),
    classes=frozenset({"openshift-default"}),
    read=_read,
    affinity=_AFFINITY,
    may_rewrite={F5_REWRITE_TARGET: is_on},
)
