"""The two answers of resolution."""

from __future__ import annotations

from dataclasses import dataclass

from chainlit_operator.domain.model import RouteStatus, Service
from chainlit_operator.domain.paths import RootPaths
from chainlit_operator.domain.reasons import Reason


@dataclass(frozen=True, slots=True)
class Unresolved:
    """No answer: the reason, and a message that names the remedy."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """The one answer.

    ``public_prefix`` is the prefix in the browser's URL, ``backend_prefix`` the prefix that arrives at the Service, and
    ``app_prefix`` the prefix at which Chainlit answers there. The last two differ only if another app mounts Chainlit.
    All are in normal form. ``root_paths`` are the values of the two variables. ``url`` and ``web_socket_url`` are None
    where the route has no address. ``service`` and ``service_port`` lead to the pods. ``web_socket_refusal`` says why
    the edge refuses only the WebSocket, and names the fix; it is empty if the edge does not refuse it. ``warnings`` are
    sentences about what else may fail; they are part of the condition RouteResolved and leave Ready alone.
    """

    status: RouteStatus
    public_prefix: str
    backend_prefix: str
    app_prefix: str
    root_paths: RootPaths
    url: str | None
    web_socket_url: str | None
    service: Service
    service_port: int | str
    web_socket_refusal: str = ""
    warnings: tuple[str, ...] = ()
