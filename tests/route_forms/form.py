"""A form of route: its manifests, its answer, and the edges of the test cluster on which it is tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from chainlit_operator.domain.reasons import Reason
from tests import objects
from tests.objects import Object

Manifests = Callable[[str, str], list[Object]]
"""From a namespace and a host to the objects of a route to Service ``chat``, port ``http``."""

SOCKETS = "projectcontour.io/websocket-routes"


class Edge(Enum):
    """An edge of the test cluster: what the page calls it, and the class of Ingresses that it serves."""

    TRAEFIK = ("Traefik", "traefik")
    NGINX = ("Traefik for ingress-nginx", "nginx")
    CONTOUR = ("Contour", "contour")

    @property
    def shown(self) -> str:
        return self.value[0]

    @property
    def ingress_class(self) -> str:
        return self.value[1]


T, N, C = Edge.TRAEFIK, Edge.NGINX, Edge.CONTOUR


@dataclass(frozen=True)
class Roots:
    """The answer: where the browser goes, and the two variables."""

    path: str
    root_path: str
    parent_root_path: str = ""


@dataclass(frozen=True)
class Form:
    """A form of route.

    ``edges`` are those of the test cluster on which it is tried, with a real chat where there is an answer: in each
    ``make test`` on those ``in_gate``, and in ``make test-all`` on all. Without any, ``documented`` names the
    controller whose documentation it follows. An Ingress for ``any_host`` names none.
    """

    name: str
    shown: str
    manifests: Manifests
    answer: Roots | Reason
    edges: tuple[Edge, ...] = (T,)
    in_gate: tuple[Edge, ...] = ()
    documented: str = ""
    any_host: bool = False

    def __str__(self) -> str:
        return self.name

    def on(self, edge: Edge | None, namespace: str, host: str) -> list[Object]:
        """The objects of the route at an edge: Ingresses have its class, and for Contour the paths of WebSockets."""
        made = self.manifests(namespace, host)
        for obj in made:
            if obj["kind"] == "Ingress" and edge is not None:
                obj["spec"]["ingressClassName"] = edge.ingress_class
                if edge is C and self.answer is not Reason.WEB_SOCKET_NOT_ENABLED:
                    obj["metadata"]["annotations"].setdefault(SOCKETS, ",".join(_paths(obj)))
        return made


def _paths(found: Object) -> list[str]:
    entries = [entry for rule in found["spec"].get("rules", []) for entry in rule["http"]["paths"]]
    return list(dict.fromkeys(entry.get("path", "/") for entry in entries)) or ["/"]


def together(*routes: Manifests) -> Manifests:
    """Several routes of one app; the first keeps its name."""

    def manifests(namespace: str, host: str) -> list[Object]:
        made = [route(namespace, host) for route in routes]
        for number, objects_ in enumerate(made[1:], 2):
            objects_[-1]["metadata"]["name"] += f"-{number}"
        return [obj for objects_ in made for obj in objects_]

    return manifests


def beside(mine: Manifests, other: Manifests) -> Manifests:
    """A route of the app, and a route of another team that knows no ChainlitApp."""

    def manifests(namespace: str, host: str) -> list[Object]:
        made = other(namespace, host)
        for found in made:
            found["metadata"]["name"] = "other"
        return [*made, *mine(namespace, host)]

    return manifests


SECOND = objects.service("second", "chat")
CHAT, STRIPPED, TEAM = Roots("/chat", "/chat"), Roots("/chat", "", "/chat"), Roots("/team/chat", "/chat", "/team")
