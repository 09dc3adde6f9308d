"""Traefik: how an annotation of an Ingress compares paths, and Middlewares that another one names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.expressions import ANYWHERE
from chainlit_operator.domain.model import (
    AnnotatedRoute,
    Matching,
    Origin,
    Route,
    RoutePath,
    Stickiness,
)
from chainlit_operator.domain.traefik_rules import SECURE_ENTRY_POINTS
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations, Found
from chainlit_operator.ingress_controllers.shared.controller import (
    IMPLEMENTATION_SPECIFIC,
    SHOWN,
    IngressController,
    Rules,
    with_https,
    without_default,
)
from chainlit_operator.ingress_controllers.shared.values import is_true

_PREFIX = "traefik.ingress.kubernetes.io/router."
MIDDLEWARES = f"{_PREFIX}middlewares"
PATH_MATCHER = f"{_PREFIX}pathmatcher"
#: The provider of Middlewares that are objects of the cluster; others are in Traefik's own configuration.
_CLUSTER = "@kubernetescrd"
#: Matchers for paths of type ImplementationSpecific; other types have their own.
_MATCHERS = {
    "Path": Matching.EXACT,
    "PathPrefix": Matching.PREFIX,
    "PathRegexp": Matching.REGULAR_EXPRESSION,
}


#: Options of the router's TLS follow, each of which switches it on.
TLS = f"{_PREFIX}tls"
ENTRY_POINTS = f"{_PREFIX}entrypoints"


class _Rules(Rules):
    style = ANYWHERE

    def __init__(self, annotations: Mapping[str, str]) -> None:
        self._is_secure = is_secure(annotations)
        entries = [entry.strip() for entry in annotations.get(MIDDLEWARES, "").split(",")]
        self.middlewares = tuple(entry.removesuffix(_CLUSTER) for entry in entries if entry.endswith(_CLUSTER))
        elsewhere = (entry for entry in entries if entry and not entry.endswith(_CLUSTER))
        #: One is enough to say that the path may change.
        self._transforms = tuple(rewrites.Unknown(f"Traefik middleware {name[:SHOWN]}") for name in elsewhere)[:1]
        self._matcher = annotations.get(PATH_MATCHER, "")

    def routed(self, paths: tuple[RoutePath, ...]) -> tuple[RoutePath, ...]:
        """A default backend counts only where it is alone."""
        return without_default(paths) or paths

    def refusal(self, route: Route) -> tuple[str, str]:
        is_used = any(path.path_type == IMPLEMENTATION_SPECIFIC for path in route.paths)
        if not self._matcher or self._matcher in _MATCHERS or not is_used:
            return "", ""
        why = f"Traefik does not know the value {self._matcher[:SHOWN]!r} of the annotation {PATH_MATCHER}"
        return why, f"Remove the annotation, or set it to {', '.join(_MATCHERS)}."

    def matching(self, path: RoutePath) -> Matching | None:
        return _MATCHERS.get(self._matcher) if path.path_type == IMPLEMENTATION_SPECIFIC else None

    def origins(self, route: Route) -> tuple[Origin, ...]:
        return with_https(route.origins, is_alone=True) if self._is_secure else route.origins

    def transforms(self, path: RoutePath) -> Iterable[rewrites.Transform]:
        return self._transforms


def is_secure(annotations: Mapping[str, str]) -> bool:
    """Whether the router serves https, and http no longer: it has TLS, or only entry points with the name of one."""
    has_options = any(key.startswith(f"{TLS}.") for key in annotations)
    if is_true(annotations.get(TLS)) or (has_options and TLS not in annotations):
        return True
    points = [point.strip() for point in annotations.get(ENTRY_POINTS, "").split(",") if point.strip()]
    return bool(points) and SECURE_ENTRY_POINTS.issuperset(points)


def _read(found: AnnotatedRoute) -> Rules | None:
    is_read = any(key.startswith(_PREFIX) for key in found.annotations) or any(
        path.is_fallback for path in found.route.paths
    )
    return _Rules(found.annotations) if is_read else None


STICKY = "traefik.ingress.kubernetes.io/service.sticky.cookie"
NATIVE = "traefik.ingress.kubernetes.io/service.nativelb"


def _on_service(annotations: Annotations) -> Iterator[Found]:
    """Yield the settings of a Service: a field of the cookie alone also turns it on."""
    fields = (key for key in annotations if key.startswith(f"{STICKY}."))
    if is_true(annotations.get(STICKY)):
        yield Found(Stickiness.KEPT, STICKY)
    elif (key := next(fields, "")) and STICKY not in annotations:
        yield Found(Stickiness.KEPT, key)
    if is_true(annotations.get(NATIVE)):
        yield Found(Stickiness.SERVICE, NATIVE)


_AFFINITY = Affinity(
    title="Traefik",
    default=Stickiness.LOST,
    remedy=f'Set the annotation {STICKY}: "true" on {{service}}.',
    prefixes=(STICKY, NATIVE),
    on_service=_on_service,
    # As measured with 3.7: it ignores sessionPersistence, and the annotation of the Service.
    gateway_classes=frozenset({"traefik"}),
    gateway_default=Stickiness.LOST,
    gateway_remedy=(
        f"Traefik has none for an HTTPRoute to a Service. Use an Ingress, with the annotation {STICKY}: "
        '"true" on {service}, or run one pod.'
    ),
)


CONTROLLER = IngressController(
    annotations=frozenset({MIDDLEWARES}),
    domains=(_PREFIX,),
    classes=frozenset({"traefik"}),
    read=_read,
    affinity=_AFFINITY,
)
