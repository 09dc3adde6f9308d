"""Gateways of Istio as JSON: which hosts they serve, at which ports, by http or https.

Their kind is called ``Gateway``, as that of the Gateway API is. The operator calls it ``IstioGateway``: each kind has
one name here. The facts are those of ``pilot/pkg/model/gateway.go`` and ``pkg/config/gateway/gateway.go`` of Istio.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import field

from chainlit_operator.domain import model
from chainlit_operator.kinds.shared.kind import Kind, plain_decoder
from chainlit_operator.kube.codec import ApiStruct, Meta
from chainlit_operator.object_ref import Ref

#: The protocols of servers whose routes are those of VirtualServices by ``http``.
_PLAIN = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTP_PROXY"})
_PASSTHROUGH = frozenset({"PASSTHROUGH", "AUTO_PASSTHROUGH"})


class _Port(ApiStruct):
    number: int = 0
    name: str = ""
    protocol: str = ""


class _Tls(ApiStruct):
    mode: str = ""
    https_redirect: bool = False


class _Server(ApiStruct):
    name: str = ""
    port: _Port = field(default_factory=_Port)
    hosts: list[str] = field(default_factory=list)
    tls: _Tls | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it serves http."""
        return self.port.protocol.upper() in _PLAIN

    @property
    def is_secure(self) -> bool:
        """Whether it serves https, and reads the requests."""
        is_passed_on = self.tls is not None and self.tls.mode in _PASSTHROUGH
        return self.port.protocol.upper() == "HTTPS" and not is_passed_on

    @property
    def is_redirect(self) -> bool:
        """Whether it sends all requests by http to https."""
        return self.is_plain and self.tls is not None and self.tls.https_redirect

    def listeners(self, namespace: str) -> Iterator[model.Listener]:
        """Yield a listener for each host. A server that sends browsers to https stands for https at its usual port."""
        protocol = "HTTPS" if self.is_secure or self.is_redirect else "HTTP"
        port = 0 if self.is_redirect else self.port.number
        for text in self.hosts if self.is_plain or self.is_secure else ():
            of, is_limited, host = text.rpartition("/")
            routes = namespace if of == "." else of
            yield model.Listener(
                name=self.name or self.port.name,
                port=port,
                protocol=protocol,
                hostname="" if host == "*" else host.lower(),
                namespace=routes if is_limited and routes != "*" else "",
            )


class _Spec(ApiStruct):
    servers: list[_Server] = field(default_factory=list)


class IstioGateway(ApiStruct):
    """A Gateway (networking.istio.io/v1)."""

    metadata: Meta
    spec: _Spec = field(default_factory=_Spec)

    def to_domain(self) -> model.Gateway:
        """Return the domain's record of it. Ports that are stated come before those that a redirect leads to."""
        namespace = self.metadata.namespace
        found = [listener for server in self.spec.servers for listener in server.listeners(namespace)]
        return model.Gateway(
            ref=Ref("IstioGateway", namespace, self.metadata.name),
            resource_version=self.metadata.resource_version,
            listeners=tuple(sorted(found, key=lambda listener: listener.port == 0)),
        )


KIND = Kind(
    kind="IstioGateway",
    group="networking.istio.io",
    version="v1",
    plural="gateways",
    decode=plain_decoder(IstioGateway),
    purpose="The servers of an Istio Gateway have scheme and port of a VirtualService's URL.",
    is_optional=True,
)
