"""Services as JSON."""

from __future__ import annotations

from msgspec import field

from chainlit_operator.domain import model
from chainlit_operator.kinds.shared.fields import pairs
from chainlit_operator.kinds.shared.kind import AnnotatedMeta, Kind, service_decoder
from chainlit_operator.kube.codec import ApiStruct
from chainlit_operator.object_ref import Ref

#: The label by which Argo Rollouts tells the pods of two releases apart. It adds the label to the selectors of the
#: Services for both. They lead to the pods of one app, so the record is without it.
_ROLLOUT_LABEL = "rollouts-pod-template-hash"


class _ServicePort(ApiStruct):
    port: int
    name: str = ""
    target_port: int | str | None = None


class _ServiceSpec(ApiStruct):
    selector: dict[str, str] = field(default_factory=dict)
    type: str = "ClusterIP"
    cluster_ip: str = field(default="", name="clusterIP")
    ports: list[_ServicePort] = field(default_factory=list)
    session_affinity: str = ""


class Service(ApiStruct):
    """A Service."""

    metadata: AnnotatedMeta
    spec: _ServiceSpec = field(default_factory=_ServiceSpec)

    def to_domain(self) -> model.Service:
        """Return the domain's record of it."""
        meta, spec = self.metadata, self.spec
        return model.Service(
            ref=Ref("Service", meta.namespace, meta.name),
            resource_version=meta.resource_version,
            selector=pairs({key: value for key, value in spec.selector.items() if key != _ROLLOUT_LABEL}),
            type=spec.type,
            cluster_ip=spec.cluster_ip,
            ports=tuple(model.ServicePort(port.name, port.port, port.target_port) for port in spec.ports),
            keeps_addresses=spec.session_affinity == "ClientIP",
        )


KIND = Kind(
    kind="Service",
    group="",
    version="v1",
    plural="services",
    decode=service_decoder(Service),
    purpose="A Service leads from a route to the pods of a workload. spec.workload.template creates one.",
    is_created=True,
)
