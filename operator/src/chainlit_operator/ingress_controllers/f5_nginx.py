"""F5 NGINX Ingress Controller: rewrites for each Service, expressions, and WebSockets only for Services that it names.

It shares the name of its class, ``nginx``, with ingress-nginx. Annotations tell the two apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.model import (
    AnnotatedRoute,
    Matching,
    Origin,
    Route,
    RouteOrder,
    RoutePath,
    Stickiness,
    WebSocketRefusal,
    ingress_class,
)
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations, Found, is_of_a_browser
from chainlit_operator.ingress_controllers.shared.controller import IngressController, Rules, with_https
from chainlit_operator.ingress_controllers.shared.values import is_on, is_true

REWRITES = "nginx.org/rewrites"
PATH_REGEX = "nginx.org/path-regex"
#: Services, with commas between them, to which WebSockets pass.
SOCKETS = "nginx.org/websocket-services"
#: For a TLS that ends before the controller.
REDIRECT = "nginx.org/redirect-to-https"
_PREFIXES = ("nginx.org/", "nginx.com/")
_OF_INGRESS_NGINX = "nginx.ingress.kubernetes.io/"
_CLASSES = frozenset({"f5", "f5-nginx", "nginx-f5", "nginx-inc", "nginx-plus"})
_SNIPPETS = ("nginx.org/location-snippets", "nginx.org/server-snippets")


class _Rules(Rules):
    #: The oldest Ingress owns its host.
    order = RouteOrder.OLDEST

    def __init__(self, annotations: Mapping[str, str], *, is_owner: bool) -> None:
        self.is_owner = is_owner
        self._redirects = is_true(annotations.get(REDIRECT))
        self._sockets = [name.strip() for name in annotations.get(SOCKETS, "").split(",") if name.strip()]
        #: A snippet may pass WebSockets on by itself.
        self._passes_all = any("upgrade" in annotations.get(key, "").lower() for key in _SNIPPETS)
        self._targets = _targets(annotations.get(REWRITES, ""))
        self._reads_expressions = bool(annotations.get(PATH_REGEX))

    def web_socket_refusal(self, path: RoutePath) -> WebSocketRefusal | None:
        if not self.is_owner or self._passes_all or path.service in self._sockets or not path.service:
            return None
        wanted = ",".join([*self._sockets, path.service])
        return WebSocketRefusal("F5 NGINX", f"Set its annotation {SOCKETS} to {wanted}.")

    def origins(self, route: Route) -> tuple[Origin, ...]:
        return with_https(route.origins) if self._redirects else route.origins

    def matching(self, path: RoutePath) -> Matching | None:
        is_read = self._reads_expressions and path.matching is Matching.UNKNOWN
        return Matching.REGULAR_EXPRESSION if is_read else None

    def transforms(self, path: RoutePath) -> Iterator[rewrites.Transform]:
        target, *others = self._targets.get(path.service, (None,))
        # NGINX replaces the text of the path, so a slash too many or too few stays in the rest.
        if others:
            yield rewrites.Unknown(f"the annotation {REWRITES} with several rewrites for a Service")
        elif target is not None and path.path.endswith("/") == target.endswith("/"):
            yield rewrites.ReplacePrefixMatch(target)
        elif target is not None:
            yield rewrites.Unknown(f"the annotation {REWRITES} for a path with another end")


def _targets(text: str) -> dict[str, dict[str, None]]:
    """Return the different targets of ``serviceName=chat rewrite=/; serviceName=…`` for each Service."""
    found: dict[str, dict[str, None]] = {}
    for entry in text.split(";"):
        words = dict(word.partition("=")[::2] for word in entry.split())
        if words.keys() >= {"serviceName", "rewrite"}:
            found.setdefault(words["serviceName"], {})[words["rewrite"]] = None
    return found


def _read(found: AnnotatedRoute) -> Rules:
    of_its_own = any(key.startswith(_PREFIXES) for key in found.annotations)
    of_another = any(key.startswith(_OF_INGRESS_NGINX) for key in found.annotations)
    is_its_class = any(ingress_class(name) in found.route.attachments for name in _CLASSES)
    return _Rules(found.annotations, is_owner=is_its_class or (of_its_own and not of_another))


STICKY = "nginx.org/sticky-cookie-services"
_STICKY_KEYS = (STICKY, "nginx.com/sticky-cookie-services")
METHOD = "nginx.org/lb-method"


def _on_route(annotations: Annotations) -> Iterator[Found]:
    for key in _STICKY_KEYS:
        for entry in annotations.get(key, "").split(";"):
            words = dict(word.partition("=")[::2] for word in entry.split())
            if words.get("serviceName"):
                yield Found(Stickiness.KEPT, key, words["serviceName"])
    name, _, hashed = annotations.get(METHOD, "").partition(" ")
    if name == "ip_hash" or (name == "hash" and is_of_a_browser(hashed)):
        yield Found(Stickiness.KEPT, METHOD)
    # The ConfigMap of this controller may set a method for all routes.
    yield Found(Stickiness.UNKNOWN, next(key for key in annotations if key.startswith(_PREFIXES)))


_AFFINITY = Affinity(
    title="F5 NGINX",
    # Without one of its annotations, a route of the class nginx is one of ingress-nginx.
    default=Stickiness.LOST,
    remedy=f'Set the annotation {STICKY}: "serviceName={{service_name}} chat_affinity path=/" on {{route}}.',
    prefixes=_PREFIXES,
    on_route=_on_route,
)


CONTROLLER = IngressController(
    annotations=frozenset({REWRITES, PATH_REGEX}),
    domains=_PREFIXES,
    classes=_CLASSES | {"nginx"},
    read=_read,
    may_rewrite={PATH_REGEX: is_on},
    affinity=_AFFINITY,
)
