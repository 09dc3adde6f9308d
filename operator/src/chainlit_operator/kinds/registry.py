"""All kinds, found in the packages: each file of ``kinds/`` and below it that has a ``KIND`` is one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import TypeVar

import chainlit_operator.kinds
from chainlit_operator.kinds.shared.kind import APP_KIND, Kind, ListedKind, Resource, RouteKind, WorkloadKind
from chainlit_operator.kube.client import Resources

K = TypeVar("K", bound=Resource)


def _found(package: str, places: list[str]) -> Iterator[Resource]:
    """The kinds of a package and of the packages in it, by name."""
    for info in pkgutil.iter_modules(places):
        name = f"{package}.{info.name}"
        if name == __name__:
            continue
        module = importlib.import_module(name)
        if isinstance(kind := getattr(module, "KIND", None), Resource):
            yield kind
        if info.ispkg:
            yield from _found(name, list(module.__path__))


#: Kinds that the operator uses, but does not watch.
_UNWATCHED = (
    Resource(kind="Event", group="", version="v1", plural="events"),
    Resource(kind="Lease", group="coordination.k8s.io", version="v1", plural="leases"),
)
_ALL = tuple(_found(chainlit_operator.kinds.__name__, list(chainlit_operator.kinds.__path__)))


def _of(type_: type[K]) -> Mapping[str, K]:
    return {kind.kind: kind for kind in _ALL if isinstance(kind, type_)}


APP: Resource = next(kind for kind in _ALL if kind.kind == APP_KIND)
#: The kinds that reflectors list and watch, by name. kopf watches ChainlitApps, so they are not among them.
WATCHED: Mapping[str, Kind] = _of(Kind)
WORKLOADS: Mapping[str, WorkloadKind] = _of(WorkloadKind)
ROUTES: Mapping[str, RouteKind] = _of(RouteKind)
#: The kinds of routes and workloads that the operator can do without.
OPTIONAL: frozenset[str] = frozenset(name for name in (*ROUTES, *WORKLOADS) if WATCHED[name].is_optional)
#: The kinds that are listed only when a decision needs them.
LISTED: Mapping[str, ListedKind] = _of(ListedKind)
#: Kinds of dependencies that name others of their kind.
CHAINED: frozenset[str] = frozenset(name for name, kind in WATCHED.items() if kind.names_others)
#: kind → apiVersion
API_VERSIONS: Mapping[str, str] = {kind.kind: kind.api_version for kind in (*_ALL, *_UNWATCHED)}
#: kind → (API path of group and version, plural)
RESOURCES: Resources = {kind.kind: (kind.path, kind.plural) for kind in (*_ALL, *_UNWATCHED)}


def needed_by(kind: str) -> frozenset[str]:
    """Return the optional kinds for whose sake a kind is watched; none for a kind that is always watched."""
    if kind in OPTIONAL:
        return frozenset((kind,))
    users = frozenset(name for name, route in ROUTES.items() if kind in route.dependencies)
    return users if users <= OPTIONAL else frozenset()


def watched(disabled: frozenset[str]) -> Iterator[Kind]:
    """Yield the kinds to watch where some optional kinds are disabled."""
    for name, kind in WATCHED.items():
        needed = needed_by(name)
        if not needed or needed - disabled:
            yield kind
