"""The neighbourhood: which Services get the requests for which places of edges, over all routes of the cluster."""

from __future__ import annotations

from typing import NamedTuple

from chainlit_operator.domain import neighbours
from chainlit_operator.domain.model import Ref, Route, RoutePath


class Backend(NamedTuple):
    """A path of a route."""

    route: Ref
    path: RoutePath

    @property
    def service(self) -> Ref:
        """The Service that it sends requests to."""
        return Ref("Service", self.route.namespace, self.path.service)


class Neighbourhood:
    """Two indexes by place. A place has few backends, mostly one, so they are tuples, which take less than sets."""

    def __init__(self) -> None:
        self._taking: dict[neighbours.Place, tuple[Backend, ...]] = {}
        self._shadowing: dict[neighbours.Place, tuple[Backend, ...]] = {}

    def add(self, route: Route) -> None:
        """File a route."""
        for path in route.paths:
            backend = Backend(route.ref, path)
            for place in neighbours.taken(route, path):
                self._taking[place] = (*self._taking.get(place, ()), backend)
            for place in neighbours.shadowed(route, path):
                self._shadowing[place] = (*self._shadowing.get(place, ()), backend)

    def discard(self, route: Route) -> None:
        """Take out a route as it was filed."""
        for path in route.paths:
            for place in neighbours.taken(route, path):
                _discard(self._taking, place, route.ref)
            for place in neighbours.shadowed(route, path):
                _discard(self._shadowing, place, route.ref)

    def at(self, place: neighbours.Place) -> tuple[Backend, ...]:
        """Return the backends of a place."""
        return self._taking.get(place, ())

    def around(self, route: Route, path: RoutePath) -> tuple[Backend, ...]:
        """Return the backends that decide whether an app gets all of the path's requests."""
        places = neighbours.taken(route, path)
        return tuple(b for place in places for b in (*self.at(place), *self._shadowing.get(place, ())))

    def touched(self, route: Route, path: RoutePath) -> tuple[Backend, ...]:
        """Return the backends whose apps' requests depend on the path."""
        places = (*neighbours.taken(route, path), *neighbours.shadowed(route, path))
        return tuple(backend for place in places for backend in self.at(place))


def _discard(index: dict[neighbours.Place, tuple[Backend, ...]], place: neighbours.Place, route: Ref) -> None:
    left = tuple(backend for backend in index.get(place, ()) if backend.route != route)
    if left:
        index[place] = left
    else:
        index.pop(place, None)
