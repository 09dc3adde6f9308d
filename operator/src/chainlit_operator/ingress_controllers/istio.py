"""Istio: session affinity in a DestinationRule."""

from __future__ import annotations

from chainlit_operator.domain.model import Stickiness
from chainlit_operator.ingress_controllers.shared.affinity import Affinity
from chainlit_operator.ingress_controllers.shared.controller import IngressController, means_nothing

_REMEDY = "Create a DestinationRule with consistentHash by httpCookie for {service}."
_AFFINITY = Affinity(
    title="Istio",
    default=Stickiness.UNKNOWN,
    remedy=_REMEDY,
    gateway_classes=frozenset({"istio"}),
    gateway_remedy=_REMEDY,
)


CONTROLLER = IngressController(read=means_nothing, classes=frozenset({"istio"}), affinity=_AFFINITY)
