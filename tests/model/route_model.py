"""One kind of route: where its requests go, what the judge tries, and how people write it.

A new kind is one file in ``kinds/`` with a ``MODEL``: an instance of a subclass of ``RouteModel``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from tests.model.chainlit import Request
from tests.model.world import Claim, World
from tests.objects import Object


@dataclass(frozen=True)
class Flavour:
    """A way in which people write routes of a kind."""

    name: str
    weight: int
    """How many scenes have it, relative to the other flavours of all kinds."""
    is_real: bool = False
    """Whether the Traefik of the test cluster plays it."""
    is_split: bool = True
    """Whether further routes may serve parts of the app."""
    beside: tuple[str, ...] = ()
    """Flavours of other kinds whose routes may be at the same edge, for a part of the app."""


@dataclass(frozen=True)
class Setting:
    """What a route is drawn for."""

    prefix: str
    flavour: str
    is_real: bool
    companions: tuple[Object, ...] = ()
    """The objects beside it, which it may name."""

    def names(self, kind: str) -> list[str]:
        """The companions of a kind."""
        return [found["metadata"]["name"] for found in self.companions if found["kind"] == kind]


@dataclass(frozen=True)
class Part:
    """A path, and to where it goes, that a route of its own has."""

    path: str
    is_exact: bool
    service: str


class RouteModel(ABC):
    """All that is particular to a kind of route. ``objects`` are those of a scene."""

    kind: str
    flavours: tuple[Flavour, ...]
    #: Whether a route without a host takes requests for any host, by http.
    is_for_any_host = False

    # ------------------------------------------------------------------------------------------- where requests go

    @abstractmethod
    def edges(self, route: Object) -> tuple[str, ...]:
        """Return the edges that may be the route's; the app must be served at each of them."""

    def is_at(self, route: Object, edge: str, other: Object) -> bool:
        """Whether a route is at an edge of another one, from which it may take requests."""
        return edge in self.edges(route)

    @abstractmethod
    def claims(self, route: Object, world: World, request: Request, edge: str) -> Iterator[Claim]:
        """Yield what a route may do with a request at an edge: one claim at least, if only that it is lost."""

    # ------------------------------------------------------------------------------------------ what the judge tries

    def is_entry(self, route: Object) -> bool:
        """Whether users come by it; other objects of the kind are only parts of one."""
        return True

    @abstractmethod
    def paths(self, route: Object, objects: list[Object]) -> list[str]:
        """Return its paths as they are written, expressions among them."""

    @abstractmethod
    def hosts(self, route: Object, objects: list[Object]) -> dict[str, str]:
        """Return the origins at which it may be asked, each with the host as the objects have it."""

    @abstractmethod
    def targets(self, route: Object, objects: list[Object]) -> Iterator[frozenset[str]]:
        """Yield the Services to which each of its paths goes; none where it goes nowhere, or somewhere else."""

    @abstractmethod
    def is_single(self, route: Object, objects: list[Object]) -> bool:
        """Whether it has one path in all, a default backend among them."""

    # ------------------------------------------------------------------------------------------- how people write it

    def companions(self, prefix: str, flavour: str) -> SearchStrategy[list[Object]]:
        """Objects that its routes may name, such as Middlewares. They are drawn before the routes."""
        return st.just([])

    @abstractmethod
    def route(self, setting: Setting) -> SearchStrategy[Object]:
        """A route of any name, which a scene replaces."""

    @abstractmethod
    def part(self, route: Object, part: Part) -> SearchStrategy[Object]:
        """A route like another one, but for one part of the app."""

    def surroundings(self) -> SearchStrategy[list[Object]]:
        """Objects of the cluster that its routes name, such as Gateways. No scene on a real cluster has them."""
        return st.just([])
