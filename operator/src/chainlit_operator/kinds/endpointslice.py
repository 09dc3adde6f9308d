"""EndpointSlices as JSON: the addresses of the pods behind a Service."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import field

from chainlit_operator.kinds.shared.kind import ListedKind, Raw
from chainlit_operator.kube.codec import ApiStruct, decoder

#: The label with the name of the Service.
SERVICE_LABEL = "kubernetes.io/service-name"


class Endpoint(NamedTuple):
    """The address of a pod, and whether the pod is ready."""

    address: str
    is_ready: bool


class _Conditions(ApiStruct):
    #: Unlike ``ready``, it says the truth also of a Service with ``publishNotReadyAddresses``.
    serving: bool | None = None
    ready: bool | None = None
    terminating: bool | None = None


class _Endpoint(ApiStruct):
    addresses: list[str] = field(default_factory=list)
    conditions: _Conditions = field(default_factory=_Conditions)


class _Port(ApiStruct):
    port: int | None = None


class EndpointSlice(ApiStruct):
    """An EndpointSlice (discovery.k8s.io/v1)."""

    address_type: str = ""
    endpoints: list[_Endpoint] | None = None
    ports: list[_Port] | None = None


_decode = decoder(EndpointSlice)


def endpoints(raw: Raw) -> tuple[Endpoint, ...]:
    """Return the endpoints of an EndpointSlice, without pods that are ending. Raises msgspec.DecodeError."""
    found = _decode(raw)
    if found.address_type not in ("IPv4", "IPv6"):
        return ()
    return tuple(
        Endpoint(endpoint.addresses[0], _is_ready(endpoint.conditions))
        for endpoint in found.endpoints or ()
        if endpoint.addresses and not endpoint.conditions.terminating
    )


def addresses_and_ports(raw: Raw) -> tuple[tuple[str, int], ...]:
    """Return every address with every port of an EndpointSlice. Raises msgspec.DecodeError."""
    found = _decode(raw)
    ports = [port.port for port in found.ports or () if port.port is not None]
    return tuple(
        (address, port) for endpoint in found.endpoints or () for address in endpoint.addresses for port in ports
    )


def _is_ready(conditions: _Conditions) -> bool:
    """Kubernetes says that an unset condition ``ready`` counts as true."""
    serving = conditions.ready if conditions.serving is None else conditions.serving
    return serving is not False


KIND = ListedKind(
    kind="EndpointSlice",
    group="discovery.k8s.io",
    version="v1",
    plural="endpointslices",
    purpose=(
        "EndpointSlices have the addresses of the pods behind a Service. Those of one Service are listed when a "
        "decision needs an answer of its pods, and those of the API server, because no route may lead there."
    ),
)
