"""Warnings of a route: what will fail, or may fail, although the route gives a path. No app is unready because of one.

Each controller's file attaches them to the paths of a route (``Rules.warnings``). Resolution asks each for its text,
when the root path is known, and the condition RouteResolved shows the texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from chainlit_operator.domain import chainlit, paths


class Seen(NamedTuple):
    """The facts that the text of a warning depends on.

    ``root_path`` is ``CHAINLIT_ROOT_PATH`` in normal form; it is empty also where another app mounts Chainlit and
    decides about the other paths. ``service_type`` is that of the Service behind the path. ``has_readiness_probe``
    says that a container of the pods has a readiness probe by HTTP.
    """

    root_path: str
    service_type: str = "ClusterIP"
    has_readiness_probe: bool = False


class RouteWarning(Protocol):
    """A warning of a path; equal ones have equal texts."""

    def text(self, seen: Seen) -> str:
        """Return what fails and the remedy, as sentences; empty where nothing fails."""


@dataclass(frozen=True, slots=True)
class Advice:
    """A warning that holds whatever the root path is."""

    sentences: str

    def text(self, seen: Seen) -> str:
        """Return the sentences."""
        return self.sentences


@dataclass(frozen=True, slots=True)
class NeedsNodePort:
    """A load balancer that reaches pods only by a node's port, because ``setting`` has that ``value``."""

    setting: str
    value: str
    remedy: str

    def text(self, seen: Seen) -> str:
        """Return the remedy where the Service has no such port."""
        if seen.service_type != "ClusterIP":
            return ""
        return (
            f"{self.setting} is {self.value}, and the load balancer cannot reach a Service of type ClusterIP so. "
            f"Set it to {self.remedy}."
        )


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """The health check that a load balancer makes of the pods itself, beside the kubelet's probes.

    ``path`` is what it asks, ``setting`` is what states that path, for a message, and ``codes`` are the statuses that
    it accepts, as ``200`` or ``200-299,404``.
    """

    path: str
    setting: str
    codes: str = "200"

    def text(self, seen: Seen) -> str:
        """Return why the check fails at the root path."""
        status = _status(self.path.partition("?")[0] or "/", seen.root_path)
        if status is None or any(first <= status <= last for first, last in _ranges(self.codes)):
            return ""
        return (
            f"The load balancer's own health check asks {self.path[:200]}, which Chainlit answers with {status} at "
            f"root path {seen.root_path}, so it counts the pods as unhealthy. Set {self.setting} to "
            f"{seen.root_path}{chainlit.PROBE_ENDPOINT}."
        )


@dataclass(frozen=True, slots=True)
class ProbedHealthCheck:
    """A load balancer's own health check that takes its path from the readiness probe, once, when it is created.

    ``setting`` is what states another path, for a message.
    """

    setting: str

    def text(self, seen: Seen) -> str:
        """Return when the check fails at the root path."""
        if not seen.root_path:
            return ""
        wanted = f"{seen.root_path}{chainlit.PROBE_ENDPOINT}"
        if not seen.has_readiness_probe:
            return (
                f"The load balancer's own health check asks /, which Chainlit answers with 404 at root path "
                f"{seen.root_path}, unless {self.setting} says otherwise. Set that to {wanted}."
            )
        return (
            "The load balancer copies the path of the readiness probe only when it is created. If it was created with "
            f"a path that is not below {seen.root_path}, set {self.setting} to {wanted}."
        )


def _status(path: str, root_path: str) -> int | None:
    """The status with which Chainlit answers a GET of a path; None for a path that may be the app's own."""
    if not root_path:
        return None
    if paths.is_below(path, root_path):
        return 307 if path == root_path else 200
    first = path.split("/")[1] if path.startswith("/") else path
    return 404 if first in ("", *chainlit.OWN_SEGMENTS) else None


def _ranges(codes: str) -> Iterator[tuple[int, int]]:
    """The ranges of a list of statuses; entries that are no numbers are left out."""
    for entry in codes.split(","):
        first, _, last = entry.strip().partition("-")
        if first.isdecimal() and (last or first).isdecimal():
            yield int(first), int(last or first)
