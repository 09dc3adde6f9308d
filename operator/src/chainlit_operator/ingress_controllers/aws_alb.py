"""AWS Load Balancer Controller: transforms of the requests for one Service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.model import AnnotatedRoute, RoutePath, Stickiness
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations, Found
from chainlit_operator.ingress_controllers.shared.controller import IngressController, Rules

#: The name of a Service follows.
TRANSFORMS = "alb.ingress.kubernetes.io/transforms."


class _Rules(Rules):
    def __init__(self, annotations: Mapping[str, str]) -> None:
        self._annotations = annotations

    def transforms(self, path: RoutePath) -> Iterator[rewrites.Transform]:
        key = f"{TRANSFORMS}{path.service}"
        if "url-rewrite" in self._annotations.get(key, ""):
            yield rewrites.Unknown(f"the annotation {key} with a url-rewrite")


def _read(found: AnnotatedRoute) -> Rules:
    return _Rules(found.annotations)


ATTRIBUTES = "alb.ingress.kubernetes.io/target-group-attributes"
TARGET_TYPE = "alb.ingress.kubernetes.io/target-type"


def _settings(annotations: Annotations) -> Iterator[Found]:
    """Yield the settings of an Ingress or a Service.

    With targets of another type than ``ip`` the load balancer keeps a browser at a node, which may have several pods.
    """
    attributes = dict(entry.strip().partition("=")[::2] for entry in annotations.get(ATTRIBUTES, "").split(","))
    if attributes.get("stickiness.enabled") == "true":
        is_kept = annotations.get(TARGET_TYPE) == "ip"
        yield Found(Stickiness.KEPT if is_kept else Stickiness.UNKNOWN, ATTRIBUTES)


_AFFINITY = Affinity(
    title="AWS Load Balancer Controller",
    default=Stickiness.LOST,
    remedy=(
        f"Set the annotations {ATTRIBUTES}: stickiness.enabled=true,stickiness.type=lb_cookie and {TARGET_TYPE}: ip "
        "on {route}."
    ),
    classes=frozenset({"alb"}),
    prefixes=(ATTRIBUTES,),
    on_route=_settings,
    on_service=_settings,
)


CONTROLLER = IngressController(prefixes=(TRANSFORMS,), read=_read, affinity=_AFFINITY)
