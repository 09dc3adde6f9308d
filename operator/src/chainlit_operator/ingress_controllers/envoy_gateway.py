"""Envoy Gateway: session affinity in an HTTPRoute, or in a BackendTrafficPolicy."""

from __future__ import annotations

from chainlit_operator.domain.model import SESSION_PERSISTENCE, Stickiness
from chainlit_operator.ingress_controllers.shared.affinity import Affinity
from chainlit_operator.ingress_controllers.shared.controller import IngressController, means_nothing

_AFFINITY = Affinity(
    title="Envoy Gateway",
    default=Stickiness.UNKNOWN,
    remedy="",
    gateway_classes=frozenset({"eg", "envoy-gateway"}),
    gateway_readers=frozenset({SESSION_PERSISTENCE}),
    gateway_remedy="Create a BackendTrafficPolicy with consistentHash by cookie for {route}.",
)


CONTROLLER = IngressController(read=means_nothing, affinity=_AFFINITY)
