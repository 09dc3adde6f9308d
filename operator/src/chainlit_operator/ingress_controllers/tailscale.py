"""Tailscale: each Ingress has a proxy and a name of its own, and serves only https.

The facts are those of its documentation. It ignores the hosts of rules: the first label of the name is the first host
of ``spec.tls``, and the whole name is in the status.
"""

from __future__ import annotations

from dataclasses import replace

from chainlit_operator.domain.model import AnnotatedRoute, Attachment, Origin, Route, RoutePath, ingress_class
from chainlit_operator.ingress_controllers.shared.controller import IngressController, Rules, with_https

_CLASS = "tailscale"


class _Rules(Rules):
    def routed(self, paths: tuple[RoutePath, ...]) -> tuple[RoutePath, ...]:
        return tuple(dict.fromkeys(replace(path, host="") for path in paths))

    def attachments(self, route: Route) -> tuple[Attachment, ...]:
        return (ingress_class(_CLASS, str(route.ref)),)

    def origins(self, route: Route) -> tuple[Origin, ...]:
        return with_https(route.origins, is_alone=True)


def _read(_: AnnotatedRoute) -> Rules:
    return _Rules()


CONTROLLER = IngressController(read=_read, classes=frozenset({_CLASS}))
