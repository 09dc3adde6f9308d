"""Tailscale: each Ingress has a proxy and a name of its own, and serves only https.

The facts are those of ``cmd/k8s-operator/ingress.go`` in its source. The first label of the name is the first host of
``spec.tls``, and the whole name is in the status. Rules for other hosts are ignored. All types of paths are prefixes.
"""

from __future__ import annotations

from dataclasses import replace

from chainlit_operator.domain.model import AnnotatedRoute, Attachment, Matching, Origin, Route, RoutePath, ingress_class
from chainlit_operator.ingress_controllers.shared.controller import IngressController, Rules, with_https

_CLASS = "tailscale"


class _Rules(Rules):
    def __init__(self, name: str) -> None:
        self._hosts = ("", name)

    def routed(self, paths: tuple[RoutePath, ...]) -> tuple[RoutePath, ...]:
        return tuple(dict.fromkeys(replace(path, host="") for path in paths if path.host in self._hosts))

    def matching(self, path: RoutePath) -> Matching | None:
        return Matching.PREFIX

    def attachments(self, route: Route) -> tuple[Attachment, ...]:
        return (ingress_class(_CLASS, str(route.ref)),)

    def origins(self, route: Route) -> tuple[Origin, ...]:
        return with_https(route.origins, is_alone=True)


def _read(found: AnnotatedRoute) -> Rules:
    return _Rules(next((origin.hosts for origin in found.route.origins if origin.is_secure), ""))


CONTROLLER = IngressController(read=_read, classes=frozenset({_CLASS}))
