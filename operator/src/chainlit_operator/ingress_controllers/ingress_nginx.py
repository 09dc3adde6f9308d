"""ingress-nginx, and Traefik's provider for its annotations: expressions, rewrites, redirects, canaries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chainlit_operator.domain import redirects, rewrites
from chainlit_operator.domain.expressions import Style, Syntax, is_plain
from chainlit_operator.domain.model import (
    AnnotatedRoute,
    Canary,
    Matching,
    Origin,
    Route,
    RouteOrder,
    RoutePath,
    Stickiness,
    class_of,
)
from chainlit_operator.domain.route_warnings import Advice, RouteWarning
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations, Found, is_of_a_browser
from chainlit_operator.ingress_controllers.shared.controller import (
    IMPLEMENTATION_SPECIFIC,
    SHOWN,
    IngressController,
    Rules,
    with_https,
)
from chainlit_operator.ingress_controllers.shared.values import is_true

CANARY = "nginx.ingress.kubernetes.io/canary"
TARGET = "nginx.ingress.kubernetes.io/rewrite-target"
#: For a TLS that ends before the controller; ``ssl-redirect`` redirects only hosts that have a certificate here.
FORCE_SSL = "nginx.ingress.kubernetes.io/force-ssl-redirect"
USE_REGEX = "nginx.ingress.kubernetes.io/use-regex"
APP_ROOT = "nginx.ingress.kubernetes.io/app-root"
#: Redirects of all requests; the first one wins.
REDIRECTS = ("nginx.ingress.kubernetes.io/temporal-redirect", "nginx.ingress.kubernetes.io/permanent-redirect")
#: The share of requests that a canary gets, a number.
WEIGHT = "nginx.ingress.kubernetes.io/canary-weight"
AFFINITY = "nginx.ingress.kubernetes.io/affinity"
#: ``legacy`` keeps no browser on one side of a canary.
CANARY_BEHAVIOR = "nginx.ingress.kubernetes.io/affinity-canary-behavior"
#: It writes ``location ~* "^/path"``.
STYLE = Style(Syntax.PCRE, start="^", ignores_case=True)
#: Usual names of the class: the first one of ingress-nginx, and of F5 NGINX too; the second one of the add-on of Azure
#: Kubernetes Service. Of two Ingresses with the same path all of them prefer the older one.
_CLASSES = frozenset({"nginx", "webapprouting.kubernetes.azure.com"})


class _Rules(Rules):
    style = STYLE

    def __init__(self, annotations: Mapping[str, str], *, is_class: bool) -> None:
        self._target = annotations.get(TARGET)
        self._reads_expressions = bool(self._target) or is_true(annotations.get(USE_REGEX))
        self._forces_https = is_true(annotations.get(FORCE_SSL))
        self._redirects = tuple(_redirects(annotations))
        self.canary = _canary(annotations)
        self.is_sticky = annotations.get(AFFINITY) == "cookie" and annotations.get(CANARY_BEHAVIOR) != "legacy"
        self.order = RouteOrder.OLDEST if is_class else None

    def origins(self, route: Route) -> tuple[Origin, ...]:
        return with_https(route.origins) if self._forces_https else route.origins

    def matching(self, path: RoutePath) -> Matching | None:
        """Expressions count with every type of path; as one, a plain path of type Exact matches all below it, too."""
        is_plain_prefix = is_plain(path.path) and path.matching is not Matching.EXACT
        return Matching.REGULAR_EXPRESSION if self._reads_expressions and not is_plain_prefix else None

    def warnings(self, path: RoutePath) -> tuple[RouteWarning, ...]:
        is_refused = self.matching(path) is not None and not is_plain(path.path)
        if not is_refused or path.path_type == IMPLEMENTATION_SPECIFIC:
            return ()
        advice = (
            f"Since release 1.12, ingress-nginx refuses the regular expression {path.path[:SHOWN]} with pathType "
            f"{path.path_type}. Set pathType to {IMPLEMENTATION_SPECIFIC}."
        )
        return (Advice(advice),)

    def transforms(self, path: RoutePath) -> Iterator[rewrites.Transform]:
        yield from self._redirects
        # A target that equals the path is left alone.
        if self._target and self._target != path.path:
            yield rewrites.RewriteWholePath(path.path, self._target, ignores_case=True)


def _redirects(annotations: Mapping[str, str]) -> Iterator[redirects.Redirect]:
    for key in REDIRECTS:
        if location := annotations.get(key):
            yield redirects.RedirectAll(f"the annotation {key}", location)
    if target := annotations.get(APP_ROOT):
        yield redirects.RedirectRoot(f"the annotation {APP_ROOT}", target)


def _canary(annotations: Mapping[str, str]) -> Canary:
    if not is_true(annotations.get(CANARY)):
        return Canary.NONE
    return Canary.BY_WEIGHT if annotations.get(WEIGHT, "").strip("0") else Canary.BY_REQUEST


def _is_its_class(found: AnnotatedRoute) -> bool:
    return any(class_of(attachment) in _CLASSES for attachment in found.route.attachments)


def _read(found: AnnotatedRoute) -> Rules:
    return _Rules(found.annotations, is_class=_is_its_class(found))


HASH = "nginx.ingress.kubernetes.io/upstream-hash-by"
SUBSET = "nginx.ingress.kubernetes.io/upstream-hash-by-subset"
SERVICE_UPSTREAM = "nginx.ingress.kubernetes.io/service-upstream"


def _on_route(annotations: Annotations) -> Iterator[Found]:
    if is_true(annotations.get(SERVICE_UPSTREAM)):
        yield Found(Stickiness.SERVICE, SERVICE_UPSTREAM)
    if annotations.get(AFFINITY) == "cookie":
        yield Found(Stickiness.KEPT, AFFINITY)
    elif annotations.get(HASH):
        is_kept = is_of_a_browser(annotations[HASH]) and not is_true(annotations.get(SUBSET))
        yield Found(Stickiness.KEPT if is_kept else Stickiness.UNKNOWN, HASH)


_AFFINITY = Affinity(
    title="ingress-nginx",
    default=Stickiness.LOST,
    remedy=f"Set the annotation {AFFINITY}: cookie on {{route}}.",
    prefixes=(AFFINITY, HASH, SERVICE_UPSTREAM),
    on_route=_on_route,
)


CONTROLLER = IngressController(
    annotations=frozenset({AFFINITY, CANARY, FORCE_SSL, TARGET, USE_REGEX, APP_ROOT, *REDIRECTS}),
    classes=_CLASSES,
    read=_read,
    affinity=_AFFINITY,
)
