"""The objects beside a route, and what can become of a request."""

from __future__ import annotations

from dataclasses import dataclass

from tests.objects import Object


@dataclass(frozen=True)
class Delivered:
    """The request reaches a Service of the route's namespace, at a path."""

    service: str
    path: str


@dataclass(frozen=True)
class Lost:
    """The request ends at the edge, or somewhere else; ``why`` says how."""

    why: str


Outcome = Delivered | Lost


@dataclass(frozen=True)
class Claim:
    """A part of a route that takes a request at an edge, with one outcome.

    The claim with the greatest ``precedence`` wins; of equal ones each may. Routes of several kinds meet at one edge,
    so all of them give their claims there precedences that compare. The empty one is the least: with it a route says
    what becomes of the request if nobody takes it.
    """

    precedence: tuple[int, ...]
    outcome: Outcome


class World:
    """The objects beside the route: what is found by name, in one namespace but for Gateways."""

    def __init__(self, objects: list[Object]) -> None:
        self._objects = {(o["kind"], o["metadata"]["namespace"], o["metadata"]["name"]): o for o in objects}
        #: Scheme and host of the request that is routed.
        self.origin = ""

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return an object, or None."""
        return self._objects.get((kind, namespace, name))

    def has_port(self, namespace: str, service: str, port: int | str) -> bool:
        """Whether a Service has a port of that number or name."""
        found = self.find("Service", namespace, service)
        ports = found["spec"]["ports"] if found is not None else []
        return any(port in (entry["port"], entry.get("name")) for entry in ports)
