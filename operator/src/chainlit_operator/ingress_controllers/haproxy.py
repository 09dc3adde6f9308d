"""HAProxy Kubernetes Ingress Controller, of HAProxy Technologies: rewrites of whole paths."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.model import (
    AnnotatedRoute,
    Origin,
    Route,
    RoutePath,
    Stickiness,
)
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations, Found
from chainlit_operator.ingress_controllers.shared.controller import IngressController, Rules, unclear, with_https
from chainlit_operator.ingress_controllers.shared.values import is_true

REWRITE = "haproxy.org/path-rewrite"
SSL_REDIRECT = "haproxy.org/ssl-redirect"
#: A replacement without functions. Its only references are groups of the expression.
_FORMAT = re.compile(r"(?:[A-Za-z0-9/._~-]|\\[1-9])+")


class _Rules(Rules):
    """``expression replacement`` for the whole path; a replacement alone replaces every path.

    HAProxy searches the expression anywhere in a path, and replaces the whole path.
    """

    def __init__(self, annotation: str, *, is_secure: bool) -> None:
        self._annotation, self._words = annotation, annotation.split()
        self._is_secure = is_secure

    def origins(self, route: Route) -> tuple[Origin, ...]:
        return with_https(route.origins) if self._is_secure else route.origins

    def transforms(self, path: RoutePath) -> Iterator[rewrites.Transform]:
        words = self._words
        if len(words) == 1 and "\\" not in words[0]:
            yield rewrites.ReplaceFullPath(words[0])
        elif len(words) == 2 and _FORMAT.fullmatch(words[1]):
            yield rewrites.RewriteWholePath(words[0], re.sub(r"\\(\d)", r"${\1}", words[1]))
        elif words:
            yield unclear(REWRITE, self._annotation)


def _read(found: AnnotatedRoute) -> Rules:
    annotations = found.annotations
    return _Rules(annotations.get(REWRITE, ""), is_secure=is_true(annotations.get(SSL_REDIRECT)))


COOKIE = "haproxy.org/cookie-persistence"
BALANCE = "haproxy.org/load-balance"


def _settings(annotations: Annotations) -> Iterator[Found]:
    """Yield the settings of an Ingress or a Service."""
    key = next((key for key, value in annotations.items() if key.startswith(COOKIE) and value), "")
    if key:
        yield Found(Stickiness.KEPT, key)
    if annotations.get(BALANCE, "").startswith("source"):
        yield Found(Stickiness.KEPT, BALANCE)


_AFFINITY = Affinity(
    title="HAProxy",
    # Its ConfigMap may set both for all routes.
    default=Stickiness.UNKNOWN,
    remedy=f"Set the annotation {COOKIE}: chat_affinity on {{route}}.",
    prefixes=(COOKIE, BALANCE),
    on_route=_settings,
    on_service=_settings,
)


CONTROLLER = IngressController(
    annotations=frozenset({REWRITE, SSL_REDIRECT}),
    classes=frozenset({"haproxy"}),
    read=_read,
    affinity=_AFFINITY,
)
