"""Places: where a browser opens an app and what arrives there, and which of several places counts.

A place is two prefixes. The law of alignment (``domain/paths.py``) turns them into the two variables. The first source
that applies counts: what the spec states (``spec.route.url`` and ``spec.route.backendPath``), then what an app had
when it was adopted (``domain/adoption.py``), then the route.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from chainlit_operator.domain import paths
from chainlit_operator.domain.model import App, AppSpec, Container, Rewrite, Workload
from chainlit_operator.domain.paths import RootPaths

_URL = re.compile(r"http(s?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(:[0-9]{1,5})?(/[^?#]*)?")


class Source(StrEnum):
    """Where a place comes from."""

    STATED = "Stated"
    KEPT = "Kept"
    ROUTE = "Route"


@dataclass(frozen=True, slots=True)
class Place:
    """Two prefixes in normal form: ``public`` in the browser's URL, ``backend`` at the backend.

    Where another app mounts Chainlit, both are without the mount path.
    """

    public: str
    backend: str
    source: Source = Source.ROUTE


class StatedURL(NamedTuple):
    """The parts of ``spec.route.url``: ``origin`` is what comes between ``http`` and the path, such as ``s://host:1``."""

    origin: str
    host: str
    prefix: str


@lru_cache(1024)
def stated_url(text: str) -> StatedURL | None:
    """Return the parts of a stated URL; None for an empty text, and for one that is not such a URL."""
    found = _URL.fullmatch(text)
    if found is None:
        return None
    secure, host, port, path = found.groups(default="")
    return StatedURL(f"{secure}://{host}{port}", host, paths.normalise(path))


def place_of(spec: AppSpec, public: str, backend: str) -> Place | None:
    """Return the place that counts where a route has these prefixes; None if the route does not serve the stated URL.

    Without ``spec.route.backendPath`` a stated URL takes what the route makes of it. Its path is below the route's
    prefix, or a proxy in front of the route removes the beginning of it.
    """
    url = stated_url(spec.url)
    if url is None:
        return Place(public, backend)
    opened = without_mount(url.prefix, spec.mount_path)
    if spec.backend_path is not None:
        return Place(opened, without_mount(spec.backend_path, spec.mount_path), Source.STATED)
    if paths.is_below(opened, public):
        return Place(opened, backend + opened.removeprefix(public), Source.STATED)
    return Place(opened, backend, Source.STATED) if opened.endswith(public) else None


def stated_place(spec: AppSpec) -> Place | None:
    """Return the place that the spec alone states; None if it states none."""
    url = stated_url(spec.url)
    if url is None:
        return None
    opened = without_mount(url.prefix, spec.mount_path)
    return place_of(spec, opened, "" if spec.rewrite is Rewrite.STRIP else opened)


def without_mount(prefix: str, mount_path: str) -> str:
    """Return the prefix without the path at which another app mounts Chainlit, if it ends with that."""
    return prefix.removesuffix(mount_path)


def present_values(container: Container) -> RootPaths | None:
    """Return the values with which Chainlit runs; None if the container does not say them all."""
    root, parent = _values(container)
    return None if root is None or parent is None else RootPaths(root, parent)


def known_values(container: Container) -> RootPaths:
    """Return the values with which Chainlit runs, as far as the container says them."""
    return RootPaths(*(value or "" for value in _values(container)))


def _values(container: Container) -> list[str | None]:
    """The values of both variables; None for one that the container does not say."""
    variables = (container.effective_root_path, container.parent_root_path)
    return [variable.value if variable is not None else "" for variable in variables]


def recorded_values(app: App) -> RootPaths:
    """Return the values in the status of an app; an absent one is empty."""
    return RootPaths(app.status.root_path or "", app.status.parent_root_path or "")


def possible_prefixes(app: App, workload: Workload) -> tuple[str, ...]:
    """Return the prefixes at which the app may be for browsers, whatever its route's path is.

    They are the stated one, the one that its status has kept, and those of the containers' values. Where another app
    mounts Chainlit, the stated one has the mount path at its end; ``route_conflicts.keys_below`` adds those of routes.
    """
    spec = app.spec
    url = stated_url(spec.url)
    stated = [] if url is None else [url.prefix]
    kept = [recorded_values(app)] if app.status.kept else []
    values = [*kept, *filter(None, map(present_values, workload.containers))]
    found = [*stated, *(parent + root for root, parent in values)]
    return tuple(dict.fromkeys(prefix for prefix in found if prefix and paths.problem(prefix) is None))
