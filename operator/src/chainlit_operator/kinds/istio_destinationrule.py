"""DestinationRules of Istio as JSON: how requests are spread over the pods of a Service, and the labels of subsets.

The facts are those of ``HashForHTTPDestination`` in ``pilot/pkg/networking/core/route/route.go`` and of
``MergeSubsetTrafficPolicy`` in ``pilot/pkg/networking/util/util.go`` of Istio.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import field

from chainlit_operator.domain import model
from chainlit_operator.domain.model import Stickiness
from chainlit_operator.kinds.shared.fields import pairs
from chainlit_operator.kinds.shared.istio import service_of
from chainlit_operator.kinds.shared.kind import Kind, plain_decoder
from chainlit_operator.kube.codec import ApiStruct, Meta
from chainlit_operator.object_ref import Ref

#: Ways of spreading requests that do not look at the browser.
_SPREADING = frozenset({"UNSPECIFIED", "RANDOM", "ROUND_ROBIN", "LEAST_CONN", "LEAST_REQUEST"})


class _Cookie(ApiStruct):
    name: str = ""
    path: str = ""
    ttl: str | None = None


class _ConsistentHash(ApiStruct):
    http_cookie: _Cookie | None = None
    use_source_ip: bool = False

    @property
    def stickiness(self) -> Stickiness:
        """What it does. Envoy sets the cookie only if it has a ttl; a header or a parameter is not the browser's."""
        if self.use_source_ip or (self.http_cookie is not None and self.http_cookie.ttl is not None):
            return Stickiness.KEPT
        return Stickiness.UNKNOWN


class _LoadBalancer(ApiStruct):
    simple: str = ""
    consistent_hash: _ConsistentHash | None = None

    @property
    def stickiness(self) -> Stickiness | None:
        """What it does with the requests of one browser; None if it says nothing about that."""
        if self.consistent_hash is not None:
            return self.consistent_hash.stickiness
        if self.simple in _SPREADING:
            return Stickiness.LOST
        return Stickiness.UNKNOWN if self.simple else None

    def balancing(self, subset: str, port: int) -> model.Balancing:
        """Return the record of it."""
        cookie = self.consistent_hash.http_cookie if self.consistent_hash is not None else None
        return model.Balancing(subset, port, self.stickiness, cookie.path if cookie is not None else "")


class _PortSelector(ApiStruct):
    number: int = 0


class _PortPolicy(ApiStruct):
    port: _PortSelector = field(default_factory=_PortSelector)
    load_balancer: _LoadBalancer | None = None


class _TrafficPolicy(ApiStruct):
    load_balancer: _LoadBalancer | None = None
    port_level_settings: list[_PortPolicy] = field(default_factory=list)

    def balancing(self, subset: str) -> Iterator[model.Balancing]:
        """Yield what it says; a port's entry replaces the whole policy, also where it does not say how to spread."""
        for policy in self.port_level_settings:
            yield (policy.load_balancer or _LoadBalancer()).balancing(subset, policy.port.number)
        if self.load_balancer is not None:
            yield self.load_balancer.balancing(subset, 0)


class _Subset(ApiStruct):
    name: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    traffic_policy: _TrafficPolicy | None = None


class _Spec(ApiStruct):
    host: str = ""
    traffic_policy: _TrafficPolicy | None = None
    subsets: list[_Subset] = field(default_factory=list)


class DestinationRule(ApiStruct):
    """A DestinationRule (networking.istio.io/v1)."""

    metadata: Meta
    spec: _Spec = field(default_factory=_Spec)

    def to_domain(self) -> model.DestinationRule:
        """Return the domain's record of it."""
        namespace, spec = self.metadata.namespace, self.spec
        return model.DestinationRule(
            ref=Ref("DestinationRule", namespace, self.metadata.name),
            resource_version=self.metadata.resource_version,
            host=service_of(spec.host, namespace) or spec.host,
            balancing=tuple(self._balancing()),
            subsets=tuple((subset.name, pairs(subset.labels)) for subset in spec.subsets),
        )

    def _balancing(self) -> Iterator[model.Balancing]:
        for subset in self.spec.subsets:
            if subset.traffic_policy is not None:
                yield from subset.traffic_policy.balancing(subset.name)
        if self.spec.traffic_policy is not None:
            yield from self.spec.traffic_policy.balancing("")


KIND = Kind(
    kind="DestinationRule",
    group="networking.istio.io",
    version="v1",
    plural="destinationrules",
    decode=plain_decoder(DestinationRule),
    purpose="Istio's DestinationRules say whether a browser stays at one pod.",
    is_optional=True,
)
