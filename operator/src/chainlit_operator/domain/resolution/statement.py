"""The stated route: ``spec.route.url`` and ``spec.route.backendPath``, and the answer where no route takes part.

A stated URL serves for everything in front of the app that the cluster does not show: an own proxy between the route
and the app, a portal or an API gateway outside, a Service of type LoadBalancer or NodePort.
"""

from __future__ import annotations

from chainlit_operator.domain import endpoint, paths
from chainlit_operator.domain.endpoint import Endpoint
from chainlit_operator.domain.model import App, Rewrite, RouteStatus, Service, Snapshot
from chainlit_operator.domain.place import stated_place, stated_url
from chainlit_operator.domain.resolution.answer import Resolved, resolved
from chainlit_operator.domain.resolution.backend import PORT_NAME, backend_services

#: How much of a stated text is repeated in a message, in characters.
_MAX_QUOTED = 200


def url_is_valid(snapshot: Snapshot) -> str:
    """A stated URL must be one that browsers open, with a path that Chainlit can serve."""
    spec = snapshot.app.spec
    if not spec.url:
        missing = "spec.route.backendPath needs spec.route.url: set the URL that browsers open too."
        return missing if spec.backend_path is not None else ""
    url = stated_url(spec.url)
    if url is None:
        return (
            f"spec.route.url is {spec.url[:_MAX_QUOTED]!r}. Use http:// or https://, a host and a path, without user, "
            "query and fragment, such as https://example.com/chat."
        )
    return _not_served("spec.route.url", url.prefix) or _without_mount_path("spec.route.url", url.prefix, snapshot.app)


def backend_path_fits(snapshot: Snapshot) -> str:
    """A stated backend path must be an end of the stated URL's path (the law of alignment)."""
    spec, url = snapshot.app.spec, stated_url(snapshot.app.spec.url)
    if spec.backend_path is None or url is None:
        return ""
    field = "spec.route.backendPath"
    if fault := _not_served(field, spec.backend_path):
        return fault
    if paths.align(url.prefix, spec.backend_path) is None:
        return (
            f"spec.route.backendPath {spec.backend_path} is not an end of {url.prefix or '/'}, the path of "
            "spec.route.url, and Chainlit works only where it is. Correct one of the two, or change the proxy in "
            "front of the app so that it removes only the beginning of the path."
        )
    return _without_mount_path(field, spec.backend_path, snapshot.app)


def _not_served(field: str, prefix: str) -> str:
    fault = paths.problem(prefix)
    if not fault:
        return ""
    return (
        f"Chainlit cannot serve the path {prefix[:_MAX_QUOTED]!r} of {field}: {fault}. Use segments of letters, "
        "digits and . _ ~ - only."
    )


def _without_mount_path(field: str, prefix: str, app: App) -> str:
    mount = app.spec.mount_path
    if prefix.endswith(mount):
        return ""
    return (
        f"{field} has path {prefix or '/'}, which does not end with spec.mountPath {mount}. State the path at which "
        f"browsers find the chat, such as {prefix}{mount}."
    )


def stated_answer(snapshot: Snapshot, found: Endpoint) -> Resolved | None:
    """Return the answer that the spec alone gives; None if it states no URL. The rules above must hold."""
    spec, url = snapshot.app.spec, stated_url(snapshot.app.spec.url)
    place = stated_place(spec)
    if url is None or place is None:
        return None
    rewrite = Rewrite.NONE if place.public == place.backend else Rewrite.STRIP
    return resolved(
        place,
        place.public,
        status=RouteStatus("", "", url.host, place.public or "/", "", str(rewrite)),
        origin=url.origin,
        mount_path=spec.mount_path,
        backend=_backend(snapshot, found),
    )


def _backend(snapshot: Snapshot, found: Endpoint) -> tuple[Service, int]:
    """The Service and the port that lead to Chainlit; a rule ensures that there is a Service."""
    ports = [(service, port) for service in backend_services(snapshot.app, snapshot.services) for port in service.ports]
    leading = [(service, port) for service, port in ports if found.counts(endpoint.target_of(service, port.port))]
    named = [(service, port) for service, port in leading if port.name == PORT_NAME]
    for service, port in [*named, *leading, *ports]:
        return service, port.port
    return backend_services(snapshot.app, snapshot.services)[0], 0
