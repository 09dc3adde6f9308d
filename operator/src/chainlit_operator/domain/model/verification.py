"""The check of an app, and its result."""

from __future__ import annotations

from dataclasses import dataclass

from chainlit_operator.domain.reasons import Reason


@dataclass(frozen=True, slots=True)
class Check:
    """Where to verify the WebSocket.

    ``base_url`` is scheme, host and port of the Service, ``root_path`` the prefix there, and ``page_prefix`` what the
    page's HTML puts before it. ``edge_url`` is scheme, host and port that a browser opens, where the edge is verified;
    ``base_url`` may be empty then.

    A result is used while the check stays equal. So the check contains everything that can change the result: the
    pods' port behind the Service (``target``), the generation of the pod template, the workload's ``uid`` and, at the
    edge, the number of ``pods``.
    """

    base_url: str
    root_path: str
    page_prefix: str
    target: str
    uid: str
    generation: int
    edge_url: str = ""
    pods: int = 0

    @property
    def at_edge(self) -> bool:
        """Whether the public URL is verified, as a browser opens it."""
        return bool(self.edge_url)


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of a check."""

    check: Check
    reachable: bool
    reason: Reason
    message: str
    at_service: Reason | None = None
    """The result at the Service after a failure at the edge; None if the Service was not probed."""

    @property
    def app_reason(self) -> Reason | None:
        """The reason that concerns the app itself, without the edge in front of it."""
        return self.at_service if self.check.at_edge and not self.reachable else self.reason
