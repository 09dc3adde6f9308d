"""The places of apps by host: which keys of apps begin with a text."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import NamedTuple

from chainlit_operator.domain.route_conflicts import RouteKey


class Place(NamedTuple):
    """A prefix with a slash at its end, in lower case, and the prefix as it is: expressions may ignore the case."""

    text: str
    prefix: str


#: Greater than every character of a path.
_END = "\U0010ffff"


class Places:
    """Route keys by listener group and host, sorted by their prefixes. A host with one key has no list."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Place | list[Place]] = {}

    def __len__(self) -> int:
        return len(self._found)

    def add(self, key: RouteKey) -> None:
        """Add a key; it must not be there yet."""
        place, at = _place(key), (key.listener_group, key.host)
        found = self._found.setdefault(at, place)
        if isinstance(found, list):
            insort(found, place)
        elif found is not place:
            self._found[at] = sorted((found, place))

    def discard(self, key: RouteKey) -> None:
        """Remove a key, if it is there."""
        place, at = _place(key), (key.listener_group, key.host)
        found = self._found.get(at)
        if found == place:
            del self._found[at]
        elif isinstance(found, list):
            position = bisect_left(found, place)
            if found[position : position + 1] == [place]:
                del found[position]
            if len(found) == 1:
                self._found[at] = found[0]

    def beginning_with(self, key: RouteKey) -> Iterator[RouteKey]:
        """Yield the keys of the same host whose prefix, with a slash at its end, begins with that of a key."""
        found = self._found.get((key.listener_group, key.host), [])
        places = found if isinstance(found, list) else [found]
        start = bisect_left(places, (key.prefix,))
        for place in places[start : bisect_left(places, (key.prefix + _END,))]:
            yield key._replace(prefix=place.prefix)


def beginnings(key: RouteKey) -> Iterator[RouteKey]:
    """Yield the keys of all texts with which a key's prefix begins, with a slash at its end and in lower case."""
    text = _place(key).text
    return (key._replace(prefix=text[:end]) for end in range(len(text) + 1))


def _place(key: RouteKey) -> Place:
    return Place(f"{key.prefix}/".lower(), key.prefix)
