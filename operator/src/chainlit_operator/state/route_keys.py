"""The neighbourhood: which Services get the requests for which places of edges, over all routes of the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from chainlit_operator.domain import route_conflicts
from chainlit_operator.domain.model import Route, RoutePath
from chainlit_operator.object_ref import Ref


class Backend(NamedTuple):
    """A path of a route."""

    route: Ref
    path: RoutePath

    @property
    def service(self) -> Ref:
        """The Service that it sends requests to."""
        return Ref("Service", self.route.namespace, self.path.service)


Index = dict[route_conflicts.Place, tuple[Backend, ...]]


class Neighbourhood:
    """Two indexes by place. A place has few backends, mostly one, so they are tuples, which take less than sets.

    Of the paths by which one route sends requests for one place to one Service, the first stands for all: what is
    decided about one holds for each, and a route may have thousands.
    """

    def __init__(self) -> None:
        self._taking: Index = {}
        self._shadowing: Index = {}

    def add(self, route: Route) -> None:
        """File a route."""
        taking: dict[route_conflicts.Place, dict[str, Backend]] = {}
        shadowing: dict[route_conflicts.Place, dict[str, Backend]] = {}
        for reach in route_conflicts.reaches(route, route.paths):
            for found, places in ((taking, reach.taken), (shadowing, reach.shadowed)):
                for place in places:
                    found.setdefault(place, {}).setdefault(reach.path.service, Backend(route.ref, reach.path))
        for index, found in ((self._taking, taking), (self._shadowing, shadowing)):
            for place, backends in found.items():
                index[place] = (*index.get(place, ()), *backends.values())

    def discard(self, route: Route) -> None:
        """Take out a route as it was filed."""
        found = [*route_conflicts.reaches(route, route.paths)]
        _discard(self._taking, {place for reach in found for place in reach.taken}, route.ref)
        _discard(self._shadowing, {place for reach in found for place in reach.shadowed}, route.ref)

    def around(self, route: Route, paths: Iterable[RoutePath]) -> Iterator[Backend]:
        """Yield the backends that decide whether an app gets all requests of these paths of the route."""
        for place in {place for reach in route_conflicts.reaches(route, paths) for place in reach.taken}:
            yield from self._taking.get(place, ())
            yield from self._shadowing.get(place, ())

    def touched(self, route: Route, paths: Iterable[RoutePath]) -> Iterator[Backend]:
        """Yield the backends whose apps' requests depend on these paths of the route."""
        reaches = route_conflicts.reaches(route, paths)
        for place in {place for reach in reaches for place in (*reach.taken, *reach.shadowed)}:
            yield from self._taking.get(place, ())


def _discard(index: Index, places: Iterable[route_conflicts.Place], route: Ref) -> None:
    for place in places:
        left = tuple(backend for backend in index.get(place, ()) if backend.route != route)
        if left:
            index[place] = left
        else:
            index.pop(place, None)
