"""The router of OpenShift, which turns Ingresses into Routes."""

from __future__ import annotations

from collections.abc import Iterator

from chainlit_operator.domain.model import Stickiness
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations, Found
from chainlit_operator.ingress_controllers.shared.controller import IngressController, means_nothing
from chainlit_operator.ingress_controllers.shared.values import is_true

NO_COOKIES = "haproxy.router.openshift.io/disable_cookies"
BALANCE = "haproxy.router.openshift.io/balance"


def _on_route(annotations: Annotations) -> Iterator[Found]:
    if annotations.get(BALANCE) == "source":
        yield Found(Stickiness.KEPT, BALANCE)
    elif is_true(annotations.get(NO_COOKIES, "")):
        yield Found(Stickiness.LOST, NO_COOKIES)


_AFFINITY = Affinity(
    title="OpenShift",
    # It sets a cookie for each Route.
    default=Stickiness.KEPT,
    remedy=f"Remove the annotation {NO_COOKIES} from {{route}}.",
    classes=frozenset({"openshift-default"}),
    prefixes=(NO_COOKIES, BALANCE),
    on_route=_on_route,
)


CONTROLLER = IngressController(read=means_nothing, affinity=_AFFINITY)
