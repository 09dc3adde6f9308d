"""AWS Load Balancer Controller: transforms of the requests for one Service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.model import AnnotatedRoute, RoutePath
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


CONTROLLER = IngressController(prefixes=(TRANSFORMS,), read=_read)
