"""Azure Application Gateway Ingress Controller (AGIC): a prefix for the backend, whose effect is unknown."""

from __future__ import annotations

from chainlit_operator.ingress_controllers.shared.controller import IngressController, means_nothing
from chainlit_operator.ingress_controllers.shared.values import is_on

CONTROLLER = IngressController(
    read=means_nothing, may_rewrite={"appgw.ingress.kubernetes.io/backend-path-prefix": is_on}
)
