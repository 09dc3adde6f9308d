"""The check of an app, and its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from chainlit_operator.domain.reasons import Reason
from chainlit_operator.object_ref import Ref


class AnsweredBy(StrEnum):
    """The sender of the answer with which a probe failed, as far as the answer shows it."""

    NOBODY = "Nobody"
    """There is no answer: the name, the connection, the certificate or the time failed."""
    LOGIN = "Login"
    """The answer asks for a login or refuses the request: a redirect elsewhere, or status 401, 403 or 407."""
    CHAINLIT = "Chainlit"
    """The answer is Chainlit's, or it is about a session that Chainlit has opened at this place."""
    CONTROLLER = "Controller"
    """The answer is a server error, or a "not found" of an ingress controller."""
    OTHER = "Other"


@dataclass(frozen=True, slots=True)
class Check:
    """Where to verify the WebSocket.

    ``base_url`` is scheme, host and port of the Service, ``root_path`` the prefix there, and ``page_prefix`` what the
    page's HTML puts before it. ``edge_url`` is scheme, host and port that a browser opens, where the edge is verified;
    ``base_url`` may be empty then. ``is_auto`` says that the Service must answer, and that the edge is judged with care
    (``domain/edge_judgement.py``). ``is_stated`` says that the spec states the URL: it may name any address and port.

    Where ``service`` is set, a ready pod behind that Service is verified at its port ``pod_port`` in place of the
    Service itself, which leads to a login proxy in the pods.

    A result is used while the check stays equal. So the check contains everything that can change the result: the
    pods' port behind the Service (``target``), the generation of the pod template, the workload's ``uid`` and, at the
    edge, the number of ``pods`` and whether requests are known to be spread over them (``is_spread``).
    """

    base_url: str
    root_path: str
    page_prefix: str
    target: str
    uid: str
    generation: int
    edge_url: str = ""
    pods: int = 0
    is_spread: bool = False
    is_auto: bool = False
    is_stated: bool = False
    service: Ref | None = None
    pod_port: int = 0

    @property
    def at_edge(self) -> bool:
        """Whether the public URL is verified, as a browser opens it."""
        return bool(self.edge_url)

    @property
    def mode(self) -> str:
        """The mode of the verification, as in ``spec.verification.mode``."""
        if self.is_auto:
            return "Auto"
        return "Edge" if self.at_edge else "Backend"


@dataclass(frozen=True, slots=True)
class EdgeMemory:
    """What earlier verifications of one app found at its URL.

    ``has_answered`` says that the app was reached there, by a browser's requests. ``addresses`` are those of the last
    success; empty if they are not known. ``unjudged`` counts the verifications in a row whose answer could not be
    judged, and ``said`` is the message of the last one.
    """

    has_answered: bool = False
    addresses: frozenset[str] = field(default=frozenset(), compare=False)
    unjudged: int = field(default=0, compare=False)
    said: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of a check."""

    check: Check
    reachable: bool
    reason: Reason
    message: str
    at_service: Reason | None = None
    """The result at the Service after a failure at the edge; None if the Service was not probed."""
    edge: EdgeMemory = EdgeMemory()

    @property
    def app_reason(self) -> Reason | None:
        """The reason that concerns the app itself, without the edge in front of it."""
        return self.at_service if self.check.at_edge and not self.reachable else self.reason
