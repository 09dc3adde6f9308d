"""Azure Application Gateway Ingress Controller (AGIC): a prefix for the backend, whose effect is unknown."""

from __future__ import annotations

from collections.abc import Iterator

from chainlit_operator.domain.model import Stickiness
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations, Found
from chainlit_operator.ingress_controllers.shared.controller import IngressController, means_nothing
from chainlit_operator.ingress_controllers.shared.values import is_on, is_true

COOKIE = "appgw.ingress.kubernetes.io/cookie-based-affinity"


def _on_route(annotations: Annotations) -> Iterator[Found]:
    if is_true(annotations.get(COOKIE, "")):
        yield Found(Stickiness.KEPT, COOKIE)


_AFFINITY = Affinity(
    title="Azure Application Gateway",
    default=Stickiness.LOST,
    remedy=f'Set the annotation {COOKIE}: "true" on {{route}}.',
    classes=frozenset({"azure-application-gateway", "azure/application-gateway"}),
    prefixes=(COOKIE,),
    on_route=_on_route,
)


CONTROLLER = IngressController(
    read=means_nothing,
    may_rewrite={"appgw.ingress.kubernetes.io/backend-path-prefix": is_on},
    affinity=_AFFINITY,
)
