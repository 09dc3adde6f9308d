"""Traefik: Middlewares that an annotation of an Ingress names."""

from __future__ import annotations

from collections.abc import Iterable

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.model import AnnotatedRoute, RoutePath
from chainlit_operator.ingress_controllers.shared.controller import SHOWN, IngressController, Rules

MIDDLEWARES = "traefik.ingress.kubernetes.io/router.middlewares"
#: The provider of Middlewares that are objects of the cluster; others are in Traefik's own configuration.
_CLUSTER = "kubernetescrd"


class _Rules(Rules):
    def __init__(self, annotation: str) -> None:
        entries = [entry.strip() for entry in annotation.split(",")]
        named = [entry.partition("@") for entry in entries if entry]
        self.middlewares = tuple(name for name, _, provider in named if provider == _CLUSTER)
        elsewhere = (f"{name}@{provider}" for name, _, provider in named if provider != _CLUSTER)
        #: One is enough to say that the path may change.
        self._transforms = tuple(rewrites.Unknown(f"Traefik middleware {name[:SHOWN]}") for name in elsewhere)[:1]

    def transforms(self, path: RoutePath) -> Iterable[rewrites.Transform]:
        return self._transforms


def _read(found: AnnotatedRoute) -> Rules:
    return _Rules(found.annotations[MIDDLEWARES])


CONTROLLER = IngressController(annotations=frozenset({MIDDLEWARES}), read=_read)
