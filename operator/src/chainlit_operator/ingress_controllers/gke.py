"""Google Kubernetes Engine: session affinity in a BackendConfig that the Service names."""

from __future__ import annotations

from collections.abc import Iterator

from chainlit_operator.domain.model import Stickiness
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations, Found
from chainlit_operator.ingress_controllers.shared.controller import IngressController, means_nothing

CONFIGS = ("cloud.google.com/backend-config", "beta.cloud.google.com/backend-config")


def _on_service(annotations: Annotations) -> Iterator[Found]:
    for key in CONFIGS:
        if annotations.get(key):
            yield Found(Stickiness.UNKNOWN, key)


_AFFINITY = Affinity(
    title="GKE",
    default=Stickiness.UNKNOWN,
    remedy=f"Create a BackendConfig with sessionAffinity GENERATED_COOKIE, and name it in {CONFIGS[0]} on {{service}}.",
    classes=frozenset({"gce", "gce-internal"}),
    prefixes=CONFIGS,
    on_service=_on_service,
    gateway_classes=frozenset(
        {"gke-l7-global-external-managed", "gke-l7-regional-external-managed", "gke-l7-rilb", "gke-l7-gxlb"}
    ),
    gateway_remedy="Create a GCPBackendPolicy with sessionAffinity GENERATED_COOKIE for {service}.",
)


CONTROLLER = IngressController(read=means_nothing, affinity=_AFFINITY)
