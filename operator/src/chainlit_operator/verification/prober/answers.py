"""Who sent an answer that is not the one of the app: Chainlit, a login, an ingress controller, or somebody else.

At the edge this decides whether a failure proves a fault (``domain/edge_judgement.py``). Nothing of the answer leaves
this module.
"""

from __future__ import annotations

from chainlit_operator.domain.model import AnsweredBy

#: Statuses by which proxies and apps ask for a login, or refuse those who have none.
LOGIN_STATUSES = frozenset({401, 403, 407})

#: The "not found" of FastAPI, which Chainlit answers outside its root path, and that of python-engineio.
_CHAINLIT_NOT_FOUND = (b'{"detail":"Not Found"}', b"Not Found")
#: Parts of Chainlit's page, in lower case: its metadata unless the app has its own, and a line of every build.
_CHAINLIT_PAGE = (b"github.com/chainlit/chainlit", b"const global = globalthis")
#: Parts of the "not found" of ingress controllers, in lower case.
_CONTROLLER_NOT_FOUND = (
    b"404 page not found",  # Traefik, and everything that uses Go's router
    b"default backend",  # ingress-nginx, HAProxy, GKE
    b"<center>nginx",
    b"<center>openresty",
    b"no route matched",  # Kong
    b"404 route not found",  # APISIX
    b"backend notfound",  # Google's load balancer
)
#: Values of the Server header of ingress controllers and load balancers, in lower case.
_CONTROLLERS = (
    *("nginx", "openresty", "envoy", "istio-envoy", "haproxy", "traefik", "kong", "apisix", "caddy", "awselb"),
    *("microsoft-azure-application-gateway", "google frontend"),
)
#: Parts of Envoy's text for an upstream that ended the connection, or its TLS handshake.
_ENVOY_RESETS = (b"connection termination", b"connection reset", b"TLS")


def sender(status: int, server: str, body: bytes) -> AnsweredBy:
    """Return who sent an answer to the handshake, from its status, its Server header and its first bytes."""
    text = body.lower()
    if status >= 500:
        return AnsweredBy.CONTROLLER
    if status in LOGIN_STATUSES:
        return AnsweredBy.LOGIN
    if status in (404, 410):
        if body.strip() in _CHAINLIT_NOT_FOUND:
            return AnsweredBy.CHAINLIT
        is_known = server.lower().startswith(_CONTROLLERS) or any(part in text for part in _CONTROLLER_NOT_FOUND)
        return AnsweredBy.CONTROLLER if is_known or not body else AnsweredBy.OTHER
    return AnsweredBy.CHAINLIT if any(part in text for part in _CHAINLIT_PAGE) else AnsweredBy.OTHER


def is_refusal_of_plain_text(status: int, body: bytes) -> bool:
    """Whether an answer is that of an Envoy whose upstream refuses plain text: the mesh takes only mutual TLS."""
    is_envoy = status == 503 and body.startswith(b"upstream connect error")
    return is_envoy and any(part in body for part in _ENVOY_RESETS)
