"""Google Kubernetes Engine: ``/*`` at the end of paths, certificates by annotation, the load balancer's health check.

The controller finds its Ingresses by the annotation ``kubernetes.io/ingress.class``. A path of type
ImplementationSpecific matches only itself, unless it ends with ``/*``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chainlit_operator.domain.model import (
    AnnotatedRoute,
    Attachment,
    Matching,
    Origin,
    Route,
    RouteOrder,
    RoutePath,
    Stickiness,
    ingress_class,
)
from chainlit_operator.domain.route_warnings import ProbedHealthCheck, RouteWarning, StatedHealthCheck
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations, Found
from chainlit_operator.ingress_controllers.shared.controller import (
    IMPLEMENTATION_SPECIFIC,
    IngressController,
    Rules,
    with_https,
)
from chainlit_operator.ingress_controllers.shared.values import is_off

CERTIFICATES = (
    "ingress.gcp.kubernetes.io/pre-shared-cert",
    "networking.gke.io/managed-certificates",
    "networking.gke.io/certmap",
)
#: ``false`` leaves out the listener for http.
ALLOW_HTTP = "kubernetes.io/ingress.allow-http"
#: The controller itself writes this one to each Ingress that it serves.
URL_MAP = "ingress.kubernetes.io/url-map"
_STATIC_ADDRESSES = ("kubernetes.io/ingress.global-static-ip-name", "kubernetes.io/ingress.regional-static-ip-name")
_CLASS = "gce"
BACKEND_CONFIG = "cloud.google.com/backend-config"
_HEALTH_CHECK = ProbedHealthCheck(BACKEND_CONFIG, "BackendConfig", "healthCheck.requestPath")


class _Rules(Rules):
    #: A load balancer has the rules of one Ingress: the host's address says which one is asked.
    order = RouteOrder.UNKNOWN

    def __init__(self, annotations: Mapping[str, str]) -> None:
        self._annotations = annotations

    def matching(self, path: RoutePath) -> Matching | None:
        if path.path_type != IMPLEMENTATION_SPECIFIC:
            return None
        return Matching.WILDCARD if path.path.endswith("/*") else Matching.EXACT

    def attachments(self, route: Route) -> tuple[Attachment, ...]:
        """Each Ingress has a load balancer of its own; only hosts say that two belong together."""
        if any(path.host for path in route.paths):
            return route.attachments
        return (ingress_class(_CLASS, str(route.ref)),)

    def origins(self, route: Route) -> tuple[Origin, ...]:
        has_certificate = any(self._annotations.get(key) for key in CERTIFICATES)
        is_closed = is_off(self._annotations.get(ALLOW_HTTP))
        if has_certificate or is_closed:
            return with_https(route.origins, is_alone=is_closed)
        return route.origins

    def warnings(self, path: RoutePath) -> tuple[RouteWarning, ...]:
        return (_HEALTH_CHECK,)


def _read(found: AnnotatedRoute) -> Rules:
    return _Rules(found.annotations)


CONFIGS = (BACKEND_CONFIG, "beta.cloud.google.com/backend-config")


def _on_service(annotations: Annotations) -> Iterator[Found]:
    for key in CONFIGS:
        if annotations.get(key):
            yield Found(Stickiness.UNKNOWN, key)


_AFFINITY = Affinity(
    title="GKE",
    default=Stickiness.UNKNOWN,
    remedy=f"Create a BackendConfig with sessionAffinity GENERATED_COOKIE, and name it in {CONFIGS[0]} on {{service}}.",
    prefixes=CONFIGS,
    on_service=_on_service,
    gateway_classes=frozenset(
        {"gke-l7-global-external-managed", "gke-l7-regional-external-managed", "gke-l7-rilb", "gke-l7-gxlb"}
    ),
    gateway_remedy="Create a GCPBackendPolicy with sessionAffinity GENERATED_COOKIE for {service}.",
)


CONTROLLER = IngressController(
    annotations=frozenset({*CERTIFICATES, *_STATIC_ADDRESSES, URL_MAP}),
    classes=frozenset({_CLASS, "gce-internal"}),
    of_services=frozenset({BACKEND_CONFIG}),
    read=_read,
    affinity=_AFFINITY,
    gateway_warnings=(StatedHealthCheck("HealthCheckPolicy", "config.httpHealthCheck.requestPath"),),
)
