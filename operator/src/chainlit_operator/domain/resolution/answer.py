"""The two answers of resolution."""

from __future__ import annotations

from dataclasses import dataclass

from chainlit_operator.domain import chainlit, paths
from chainlit_operator.domain.model import Route, RouteStatus, Service
from chainlit_operator.domain.paths import RootPaths
from chainlit_operator.domain.place import Place
from chainlit_operator.domain.reasons import Reason


@dataclass(frozen=True, slots=True)
class Unresolved:
    """No answer: the reason, and a message that names the remedy."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """The one answer.

    ``place`` has the prefix in the browser's URL and the prefix that arrives at the Service. ``public_prefix`` is the
    prefix in requests to the route's own edge, which differs from the browser's behind a proxy that removes a part.
    ``chat_prefix`` is the prefix there at which Chainlit answers, a longer one if another app mounts it.
    ``app_prefix`` is the prefix at which Chainlit answers at the Service: another one than arrives there only if
    another app mounts Chainlit. All are in normal form. ``root_paths`` are the values of the two variables. ``url`` and
    ``web_socket_url`` are None where the route has no address. ``service`` and ``service_port`` lead to the pods.
    ``web_socket_refusal`` says why the edge refuses only the WebSocket, and names the fix; it is empty if the edge does
    not refuse it. ``warnings`` are sentences about what else may fail, and about routes that are left out; they are
    part of the condition RouteResolved and leave Ready alone. ``carriers`` are the routes that carry the requests of a
    session, each with the Service behind it; none where the operator reads no route.
    """

    status: RouteStatus
    place: Place
    public_prefix: str
    app_prefix: str
    root_paths: RootPaths
    url: str | None
    web_socket_url: str | None
    service: Service
    service_port: int | str
    web_socket_refusal: str = ""
    warnings: tuple[str, ...] = ()
    carriers: tuple[tuple[Route, Service], ...] = ()

    @property
    def backend_prefix(self) -> str:
        """The prefix that arrives at the Service."""
        return self.place.backend

    @property
    def chat_prefix(self) -> str:
        """The prefix in requests to the route's own edge at which Chainlit answers."""
        return self.public_prefix + self.app_prefix.removeprefix(self.place.backend)


def resolved(
    place: Place,
    public_prefix: str,
    *,
    status: RouteStatus,
    origin: str,
    mount_path: str,
    backend: tuple[Service, int | str],
) -> Resolved:
    """Return the answer for a place that the law of alignment allows.

    ``origin`` is what comes between ``http`` and the path of the URL, empty where none is known. ``backend`` is the
    Service and its port.
    """
    roots = paths.align(place.public, place.backend)
    assert roots is not None  # the rules of resolution ensure it
    app_prefix = paths.mounted(place.backend, mount_path)
    address = f"{origin}{roots.parent_root_path}{app_prefix}/"
    return Resolved(
        status=status,
        place=place,
        public_prefix=public_prefix,
        app_prefix=app_prefix,
        root_paths=roots,
        url=f"http{address}" if origin else None,
        web_socket_url=f"ws{address}{chainlit.SOCKET}/" if origin else None,
        service=backend[0],
        service_port=backend[1],
    )
