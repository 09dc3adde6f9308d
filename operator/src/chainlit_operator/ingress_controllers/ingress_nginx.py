"""ingress-nginx, and Traefik's provider for its annotations: expressions, rewrites of whole paths, canaries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.model import AnnotatedRoute, Matching, RoutePath, Stickiness
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations, Found, is_of_a_browser
from chainlit_operator.ingress_controllers.shared.controller import IngressController, Rules
from chainlit_operator.ingress_controllers.shared.values import is_true

CANARY = "nginx.ingress.kubernetes.io/canary"
TARGET = "nginx.ingress.kubernetes.io/rewrite-target"
USE_REGEX = "nginx.ingress.kubernetes.io/use-regex"


class _Rules(Rules):
    def __init__(self, annotations: Mapping[str, str]) -> None:
        self._target = annotations.get(TARGET, "")
        self._reads_expressions = bool(self._target) or is_true(annotations.get(USE_REGEX, ""))
        self.is_canary = is_true(annotations.get(CANARY, ""))

    def matching(self, path: RoutePath) -> Matching | None:
        is_read = self._reads_expressions and path.matching is Matching.UNKNOWN
        return Matching.REGULAR_EXPRESSION if is_read else None

    def transforms(self, path: RoutePath) -> Iterator[rewrites.Transform]:
        # A target that equals the path is left alone.
        if self._target and self._target != path.path:
            yield rewrites.RewriteWholePath(path.path, self._target)


def _read(found: AnnotatedRoute) -> Rules:
    return _Rules(found.annotations)


AFFINITY = "nginx.ingress.kubernetes.io/affinity"
HASH = "nginx.ingress.kubernetes.io/upstream-hash-by"
SUBSET = "nginx.ingress.kubernetes.io/upstream-hash-by-subset"
SERVICE_UPSTREAM = "nginx.ingress.kubernetes.io/service-upstream"


def _on_route(annotations: Annotations) -> Iterator[Found]:
    if is_true(annotations.get(SERVICE_UPSTREAM, "")):
        yield Found(Stickiness.SERVICE, SERVICE_UPSTREAM)
    if annotations.get(AFFINITY) == "cookie":
        yield Found(Stickiness.KEPT, AFFINITY)
    elif annotations.get(HASH):
        is_kept = is_of_a_browser(annotations[HASH]) and not is_true(annotations.get(SUBSET, ""))
        yield Found(Stickiness.KEPT if is_kept else Stickiness.UNKNOWN, HASH)


_AFFINITY = Affinity(
    title="ingress-nginx",
    default=Stickiness.LOST,
    remedy=f"Set the annotation {AFFINITY}: cookie on {{route}}.",
    # The second one is that of the add-on of Azure Kubernetes Service.
    classes=frozenset({"nginx", "webapprouting.kubernetes.azure.com"}),
    prefixes=(AFFINITY, HASH, SERVICE_UPSTREAM),
    on_route=_on_route,
)


CONTROLLER = IngressController(annotations=frozenset({CANARY, TARGET, USE_REGEX}), read=_read, affinity=_AFFINITY)
