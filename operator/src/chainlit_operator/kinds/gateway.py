"""Gateways of the Gateway API as JSON."""

from __future__ import annotations

from msgspec import field

from chainlit_operator import ip_addresses
from chainlit_operator.domain import model
from chainlit_operator.kinds.shared.kind import Kind, plain_decoder
from chainlit_operator.kube.codec import ApiStruct, Meta
from chainlit_operator.object_ref import Ref


class _Listener(ApiStruct):
    name: str
    port: int
    protocol: str
    hostname: str = ""


class _GatewaySpec(ApiStruct):
    gateway_class_name: str = ""
    listeners: list[_Listener] = field(default_factory=list)


class _Address(ApiStruct):
    value: str = ""


class _GatewayStatus(ApiStruct):
    addresses: list[_Address] = field(default_factory=list)


class Gateway(ApiStruct):
    """A Gateway (gateway.networking.k8s.io/v1)."""

    metadata: Meta
    spec: _GatewaySpec = field(default_factory=_GatewaySpec)
    status: _GatewayStatus = field(default_factory=_GatewayStatus)

    def to_domain(self) -> model.Gateway:
        """Return the domain's record of it."""
        address = next((found.value for found in self.status.addresses), "")
        return model.Gateway(
            ref=Ref("Gateway", self.metadata.namespace, self.metadata.name),
            resource_version=self.metadata.resource_version,
            listeners=tuple(model.Listener(x.name, x.port, x.protocol, x.hostname) for x in self.spec.listeners),
            address=ip_addresses.in_url(address),
            class_name=self.spec.gateway_class_name,
        )


KIND = Kind(
    kind="Gateway",
    group="gateway.networking.k8s.io",
    version="v1",
    plural="gateways",
    decode=plain_decoder(Gateway),
    purpose="The listeners of a Gateway have scheme and port of an HTTPRoute's URL.",
    is_optional=True,
)
