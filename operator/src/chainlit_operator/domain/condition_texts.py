"""Texts of conditions: where an app is and why, and the remedies that depend on its route and its container."""

from __future__ import annotations

from chainlit_operator.domain import paths
from chainlit_operator.domain.adoption import Kept
from chainlit_operator.domain.chainlit import PARENT_ROOT_PATH, ROOT_PATH, ROOT_PATH_OPTION
from chainlit_operator.domain.model import App, Container, Verification
from chainlit_operator.domain.place import Source
from chainlit_operator.domain.resolution import Resolved


def given_by(route: Resolved) -> str:
    """Return what gives the app its path: the route, or the stated URL with the route that it passes, if any."""
    status = route.status
    where = f"host {status.host}" if status.host else "any host"
    if route.place.source is not Source.STATED:
        return f"{status.shown} gives path {status.path} on {where}."
    through = f", and {status.shown} serves {status.path} on {where}" if status.kind else ""
    return f"spec.route.url states {route.url}{through}."


def served(container: Container, roots: paths.RootPaths, route: Resolved, kept: Kept | None) -> str:
    """Return the path that the container serves, why, and the values."""
    by = "spec.route.url" if route.place.source is Source.STATED else route.status.shown
    reason = f"as {by} requires" if kept is None else f"as before this ChainlitApp, and {by} leads there"
    if kept is not None and kept.stands:
        reason = f"and answers as {by} requires, although other values would be usual"
    name = ROOT_PATH if container.root_path_option is None else ROOT_PATH_OPTION
    values = f"{name} is {repr(roots.root_path) if roots.root_path else 'empty or not set'}"
    if roots.parent_root_path:
        values += f", {PARENT_ROOT_PATH} is {roots.parent_root_path!r}"
    message = f"serves Chainlit at {roots.root_path or '/'}, {reason} ({values})."
    if kept is None:
        return message
    if kept.outer:
        return f"{message} {unknown_url(kept)}"
    return f"{message} These values stay until the route changes."


def unknown_url(kept: Kept) -> str:
    """Return the remedy where a proxy that the cluster does not show comes before the route."""
    route = kept.route.status
    return (
        f"{route.shown} does not explain {kept.outer} in {PARENT_ROOT_PATH}, so another proxy seems to add "
        "it, and the operator does not know the URL. Set spec.route.url to the URL that browsers open."
    )


def mount_remedy(app: App, route: Resolved, found: Verification) -> str:
    """Return the change that the outer app needs; tested with FastAPI (the compatibility page of the documentation)."""
    mount, backend, parent = app.spec.mount_path, route.backend_prefix, route.root_paths.parent_root_path
    if parent:
        remedy = (
            f"The route strips {parent}: start the outer app with root_path={parent!r} both in FastAPI and in uvicorn "
            f"(FastAPI's alone is not enough), or in neither of them with CHAINLIT_PARENT_ROOT_PATH={parent}, or do "
            "not strip."
        )
    elif paths.is_below(mount, backend):
        remedy = "Set spec.mountPath to the path of mount_chainlit, with FastAPI's root_path empty."
    else:
        remedy = (
            f"The route keeps {backend}: start the outer app with FastAPI(root_path={backend!r}), or mount Chainlit at "
            f"{backend}{mount} with root_path empty and set spec.mountPath to that path."
        )
    return f"Chainlit does not answer below {route.app_prefix} ({found.app_reason}). {remedy}"
