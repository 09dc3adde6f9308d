"""Azure Application Gateway Ingress Controller (AGIC): ``*`` at the end of paths, rewrites, https, health probes.

The facts are those of its documentation and of ``pkg/appgw`` in its source. It adds a ``*`` to paths of type Prefix; a
path of type ImplementationSpecific stays as it is, so ``/chat`` matches only itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.model import (
    AnnotatedRoute,
    Matching,
    Origin,
    Route,
    RoutePath,
    Stickiness,
)
from chainlit_operator.domain.route_warnings import HealthCheck, HealthCheckKeys, RouteWarning
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations, Found
from chainlit_operator.ingress_controllers.shared.controller import (
    IMPLEMENTATION_SPECIFIC,
    IngressController,
    Rules,
    with_https,
)
from chainlit_operator.ingress_controllers.shared.values import is_true

_PREFIX = "appgw.ingress.kubernetes.io/"
BACKEND_PATH_PREFIX = f"{_PREFIX}backend-path-prefix"
CERTIFICATE, SSL_REDIRECT = f"{_PREFIX}appgw-ssl-certificate", f"{_PREFIX}ssl-redirect"
_HEALTH_CHECK = HealthCheckKeys(
    f"{_PREFIX}health-probe-path", f"{_PREFIX}health-probe-port", f"{_PREFIX}health-probe-status-codes"
)


class _Rules(Rules):
    def __init__(self, annotations: Mapping[str, str]) -> None:
        self._annotations = annotations
        target = annotations.get(BACKEND_PATH_PREFIX, "")
        #: What takes the place of the text before the ``*``; slashes that meet become one.
        self._transforms = (rewrites.ReplacePrefixMatch(target),) if target else ()

    def routed(self, paths: tuple[RoutePath, ...]) -> tuple[RoutePath, ...]:
        # It drops the star at the end of an exact path.
        return tuple(
            replace(path, path=path.path.removesuffix("*")) if path.matching is Matching.EXACT else path
            for path in paths
        )

    def matching(self, path: RoutePath) -> Matching | None:
        if path.path.endswith("*") and path.path_type != "Exact":
            return Matching.WILDCARD
        return Matching.EXACT if path.path_type == IMPLEMENTATION_SPECIFIC else None

    def transforms(self, path: RoutePath) -> Iterable[rewrites.Transform]:
        return self._transforms

    def origins(self, route: Route) -> tuple[Origin, ...]:
        is_secure = self._annotations.get(CERTIFICATE) or is_true(self._annotations.get(SSL_REDIRECT))
        return with_https(route.origins) if is_secure else route.origins

    def warnings(self, path: RoutePath) -> tuple[RouteWarning, ...]:
        # Without the annotation it asks what the pod's own probe asks, or else the path of the Ingress.
        asked = self._annotations.get(_HEALTH_CHECK.path)
        if not asked:
            return ()
        codes = self._annotations.get(_HEALTH_CHECK.codes) or "200-399"
        return (HealthCheck(_HEALTH_CHECK, asked, codes, self._annotations.get(_HEALTH_CHECK.port, "")),)


def _read(found: AnnotatedRoute) -> Rules:
    return _Rules(found.annotations)


COOKIE = "appgw.ingress.kubernetes.io/cookie-based-affinity"


def _on_route(annotations: Annotations) -> Iterator[Found]:
    if is_true(annotations.get(COOKIE)):
        yield Found(Stickiness.KEPT, COOKIE)


_AFFINITY = Affinity(
    title="Azure Application Gateway",
    default=Stickiness.LOST,
    remedy=f'Set the annotation {COOKIE}: "true" on {{route}}.',
    prefixes=(COOKIE,),
    on_route=_on_route,
)


CONTROLLER = IngressController(
    annotations=frozenset({BACKEND_PATH_PREFIX}),
    domains=(_PREFIX,),
    classes=frozenset({"azure-application-gateway", "azure/application-gateway"}),
    read=_read,
    affinity=_AFFINITY,
)
