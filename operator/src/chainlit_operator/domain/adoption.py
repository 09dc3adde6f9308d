"""Adoption: whether an app stays at the place that it has, although its route would give it another one.

An app that works when its ChainlitApp is created must not change. So the values that its pods have are kept if the
route explains them. The truth table; the first row that applies counts::

    the spec states the place, another app mounts
    Chainlit, or the operator creates the workload → not kept
    the route has changed since it was kept        → not kept
    the app was aligned, and nothing was kept      → not kept: it follows its route
    the operator has not written to the workload,
    and the values are a place of the route        → kept
    the values were kept as a place, and others
    changed them                                   → kept: what was kept is written
    the values are no place, and the app answered
    with them before the first write               → kept, until a verification finds it elsewhere
    otherwise                                      → not kept

A route with the prefix P in the browser's URL and the prefix B at the backend has the place (P, B) and each place
(P + s, B + s) below it. A proxy in front of the route may put a prefix before P that only the page needs. The cluster
does not show such an outer prefix.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from chainlit_operator.domain import chainlit, paths
from chainlit_operator.domain.model import App, Container, Route, RoutePath, Snapshot, backend_name
from chainlit_operator.domain.paths import RootPaths
from chainlit_operator.domain.place import Place, Source, known_values, present_values, recorded_values
from chainlit_operator.domain.resolution import Resolved, path_overrides
from chainlit_operator.domain.route_paths import prefix_of


@dataclass(frozen=True, slots=True)
class Kept:
    """The values that stay, and the route at their place.

    ``outer`` is the prefix that no route shows, or empty. ``stands`` says that the values are no place of the route,
    and that the app answers at the route's own place nevertheless.
    """

    root_paths: RootPaths
    route: Resolved
    outer: str = ""
    stands: bool = False


class _Below(NamedTuple):
    """A place of a route: the part below the route's own prefixes, and the outer prefix before them."""

    below: str
    outer: str


def kept(snapshot: Snapshot, route: Resolved, container: Container) -> Kept | None:
    """Return what is kept of the container's values; None if the app follows its route."""
    app = snapshot.app
    if app.spec.mount_path or app.spec.template is not None:
        return None
    if route.place.source is Source.STATED:
        return None
    if is_first(snapshot, route) and (present := present_values(container)) is not None:
        found = _kept(snapshot, route, present)
        if found is not None or present == route.root_paths:
            return found
    if not _was_kept(app, route) or app.status.route is None:
        return None
    recorded = recorded_values(app)
    if any(_place(route, recorded) or ()):
        return _kept(snapshot, route, recorded)
    is_same = known_values(container) == recorded and not snapshot.answers_elsewhere
    return Kept(recorded, route, stands=True) if is_same else None


def is_new(app: App) -> bool:
    """Whether the app has never been aligned with this workload."""
    known = app.status.workload
    is_other = known is not None and (known.kind, known.name) != (app.workload.kind, app.workload.name)
    return app.status.root_path is None or is_other


def is_first(snapshot: Snapshot, route: Resolved) -> bool:
    """Whether the operator still decides what to keep: it has not written to the workload, nor let the app follow."""
    return not snapshot.is_written and (is_new(snapshot.app) or _was_kept(snapshot.app, route))


def is_superseded(app: App, route: Resolved, container: Container) -> bool:
    """Whether the values are those of the status, although the same route now gives others.

    So another release of the operator decided otherwise.
    """
    is_same = not is_new(app) and not app.status.kept and app.status.route == route.status
    return is_same and known_values(container) == recorded_values(app) != route.root_paths


def _was_kept(app: App, route: Resolved) -> bool:
    return app.status.kept and not is_new(app) and app.status.route in (None, route.status)


def _kept(snapshot: Snapshot, route: Resolved, values: RootPaths) -> Kept | None:
    place = _place(route, values)
    if place is None or not any(place) or not _is_offered(snapshot, route, place.below):
        return None
    return Kept(values, _at(route, place), place.outer)


def _place(route: Resolved, values: RootPaths) -> _Below | None:
    """The place of the route that has these values; None if it has none."""
    (root_path, parent), own = values, route.root_paths
    if not paths.is_below(root_path, own.root_path) or root_path != paths.normalise(root_path):
        return None
    below = root_path.removeprefix(own.root_path)
    if paths.problem(below) or not parent.endswith(own.parent_root_path):
        return None
    outer = parent.removesuffix(own.parent_root_path)
    # The value of a route that once stripped its prefix is no outer prefix.
    is_former = bool(outer) and route.public_prefix.endswith(paths.normalise(parent))
    is_prefix = outer.startswith("/") or not outer
    return _Below(below, outer) if is_prefix and not is_former else None


def _is_offered(snapshot: Snapshot, route: Resolved, below: str) -> bool:
    """Whether no other path of the route takes requests at the place; they would not reach the app today either."""
    if not below:
        return True
    status, top = route.status, route.public_prefix + below
    ref = status.ref(snapshot.app.ref)
    own = {backend_name(ref.namespace, service.ref) for service in snapshot.services}
    at_host = [
        (found, path)
        for found in snapshot.routes
        for path in found.paths
        if found.ref == ref and path.host == status.host
    ]
    serving = (path for _, path in at_host if path.service in own and prefix_of(path) == route.public_prefix)
    priority = max((path.priority for path in serving), default=0)
    return not any(_takes(found, path, route, top, priority) for found, path in at_host if path.service not in own)


def _takes(found: Route, path: RoutePath, route: Resolved, top: str, priority: int) -> bool:
    """Whether a path of another Service takes requests at ``top`` from the path that leads to the app.

    ``priority`` is that of the app's path.
    """
    prefix = prefix_of(path)
    if prefix == route.public_prefix:
        return False  # the route is resolved, so the app's own path wins over its double
    chosen = replace(path, path=route.status.path, priority=priority)
    is_between = paths.is_below(top, prefix) and len(prefix) > len(route.public_prefix) and not priority
    return (is_between and not path.condition) or path_overrides.takes(found.precedence, path, chosen, top)


def _at(route: Resolved, place: _Below) -> Resolved:
    """The route at another of its places. Its URL is not known behind an outer prefix."""
    own, below = route.root_paths, place.below
    url = None
    if route.url is not None and not place.outer:
        url = f"{route.url.removesuffix('/')}{below}/"
    return replace(
        route,
        place=Place(place.outer + route.place.public + below, route.place.backend + below, Source.KEPT),
        public_prefix=route.public_prefix + below,
        app_prefix=route.app_prefix + below,
        root_paths=RootPaths(own.root_path + below, place.outer + own.parent_root_path),
        url=url,
        web_socket_url=None if url is None else f"ws{url.removeprefix('http')}{chainlit.SOCKET}/",
    )
