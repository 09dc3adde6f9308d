"""Warnings of a route: what will fail, or may fail, although the route gives a path. No app is unready because of one.

Each controller's file attaches them to the paths of a route (``Rules.warnings``). Resolution asks each for its text,
when the root path is known, and the condition RouteResolved shows the texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, Protocol

from chainlit_operator.domain import chainlit, paths

#: The value for the port of the app.
_SAME_PORT = "traffic-port"


class Seen(NamedTuple):
    """The facts that the text of a warning depends on.

    ``root_path`` is ``CHAINLIT_ROOT_PATH`` in normal form; it is empty also where another app mounts Chainlit and
    decides about the other paths. ``service_type`` is that of the Service behind the path, ``settings`` are its
    annotations for load balancers. ``has_readiness_probe`` says that a container of the pods has a readiness probe by
    HTTP.
    """

    root_path: str
    service_type: str = "ClusterIP"
    settings: Mapping[str, str] = MappingProxyType({})
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
    """A load balancer that reaches pods only by a node's port, because annotation ``key`` says so.

    ``value`` is what the route has, ``by_node`` the value that means it, ``remedy`` the other one.
    """

    key: str
    value: str
    by_node: str
    remedy: str

    def text(self, seen: Seen) -> str:
        """Return the remedy where the Service has no such port."""
        if seen.settings.get(self.key, self.value) != self.by_node or seen.service_type != "ClusterIP":
            return ""
        return (
            f"The annotation {self.key} is {self.by_node}, and the load balancer cannot reach a Service of type "
            f"ClusterIP so. Set it to {self.remedy}."
        )


class HealthCheckKeys(NamedTuple):
    """The annotations that state the path, the port and the accepted statuses of a load balancer's health check."""

    path: str
    port: str
    codes: str


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """The health check that a load balancer makes of the pods itself, beside the kubelet's probes.

    ``path`` is what it asks according to the route, ``port`` the port where that is another one than the app's, and
    ``codes`` are the statuses that it accepts, as ``200`` or ``200-299,404``.
    """

    keys: HealthCheckKeys
    path: str
    codes: str = "200"
    port: str = ""

    def text(self, seen: Seen) -> str:
        """Return why the check fails at the root path."""
        path = seen.settings.get(self.keys.path) or self.path
        codes = seen.settings.get(self.keys.codes) or self.codes
        port = seen.settings.get(self.keys.port) or self.port
        status = _status(path.partition("?")[0] or "/", seen.root_path)
        if port not in ("", _SAME_PORT) or status is None:
            return ""
        if any(first <= status <= last for first, last in _ranges(codes)):
            return ""
        return (
            f"The load balancer's own health check asks {path[:200]}, which Chainlit answers with {status} at root "
            f"path {seen.root_path}, so it counts the pods as unhealthy. Set the annotation {self.keys.path} to "
            f"{seen.root_path}{chainlit.PROBE_ENDPOINT}."
        )


@dataclass(frozen=True, slots=True)
class ProbedHealthCheck:
    """A load balancer's own health check that takes its path from the readiness probe, once, when it is created.

    Annotation ``key`` of a Service names an object of a ``kind`` that the operator does not read, whose ``field`` may
    state another path.
    """

    key: str
    kind: str
    field: str

    def text(self, seen: Seen) -> str:
        """Return when the check fails at the root path."""
        if not seen.root_path:
            return ""
        wanted = f"{seen.root_path}{chainlit.PROBE_ENDPOINT}"
        if seen.settings.get(self.key):
            return (
                f"The operator does not read the {self.kind} that the annotation {self.key} of the Service names. If "
                f"its {self.field} is not below {seen.root_path}, the load balancer's own health check fails: set it "
                f"to {wanted}."
            )
        remedy = (
            f"Set {self.field} of a {self.kind} to {wanted}, and name it in the annotation {self.key} of the Service."
        )
        if not seen.has_readiness_probe:
            return (
                "The load balancer's own health check asks /, which Chainlit answers with 404 at root path "
                f"{seen.root_path}. {remedy}"
            )
        return (
            "The load balancer copies the path of the readiness probe only when it is created, so its own health check "
            f"fails if that path was not below {seen.root_path}. {remedy}"
        )


@dataclass(frozen=True, slots=True)
class StatedHealthCheck:
    """A load balancer's own health check that asks ``/``, unless an object of a ``kind`` that the operator does not
    read states another path in its ``field``.
    """

    kind: str
    field: str

    def text(self, seen: Seen) -> str:
        """Return when the check fails at the root path."""
        if not seen.root_path:
            return ""
        return (
            "The load balancer's own health check asks /, which Chainlit answers with 404 at root path "
            f"{seen.root_path}, unless a {self.kind} states another path. Set {self.field} of a {self.kind} for the "
            f"Service to {seen.root_path}{chainlit.PROBE_ENDPOINT}."
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
