"""Route resolution: from an app's Ingress or HTTPRoute to the two prefixes that the law of alignment takes.

Every form of route ends as a :class:`Resolved` (public prefix, backend prefix, and how to reach it) or as an
:class:`Unresolved` with a reason and the remedy. Nothing here guesses: zero answers and several different ones are
both unresolved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from chainlit_operator.domain import chainlit, path_overrides, paths, rewrites
from chainlit_operator.domain.model import (
    App,
    Matching,
    Rewrite,
    Route,
    RoutePath,
    RouteStatus,
    Service,
    ServicePort,
    Snapshot,
)
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.object_ref import Ref


@dataclass(frozen=True, slots=True)
class Unresolved:
    """No answer: why, and what to change."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """The one answer: prefixes, the two variables, the addresses, and the Service behind it.

    ``web_socket_refusal`` says why the edge lets everything but the WebSocket through, and what to change; empty where
    no such thing is known.
    ``served`` is where Chainlit answers at the backend: ``backend``, or where it is mounted in another app there.
    """

    status: RouteStatus
    public: str
    backend: str
    served: str
    roots: paths.RootPaths
    url: str | None
    web_socket_url: str | None
    service: Service
    service_port: int | str
    web_socket_refusal: str = ""


def resolve(snapshot: Snapshot) -> Resolved | Unresolved:
    """Return the route of the snapshot's app."""
    missing = _missing(snapshot)
    if missing is not None:
        return missing
    return _discover(snapshot) if snapshot.app.route is None else _resolve_route(snapshot, snapshot.routes[0])


def _missing(snapshot: Snapshot) -> Unresolved | None:
    """What the app names or has created, and is not there; None if all is."""
    app = snapshot.app
    if snapshot.taken:
        return Unresolved(Reason.NAME_TAKEN, taken(snapshot))
    if snapshot.workload is None:
        return Unresolved(Reason.WORKLOAD_NOT_FOUND, missing_workload(app))
    if app.route is None or snapshot.routes:
        return None
    if not app.spec.creates_route:
        message = f"{app.route} does not exist: create it, or correct spec.route.ref.name."
        return Unresolved(Reason.ROUTE_NOT_FOUND, message)
    backend = created_backend(snapshot)
    if isinstance(backend, Unresolved):
        return backend
    return Unresolved(Reason.ROUTE_NOT_FOUND, f"{app.route} is not there yet: the operator has to create it.")


def missing_workload(app: App) -> str:
    """Return what to say where the workload does not exist."""
    if app.spec.template is not None:
        return f"{app.workload} is not there yet: the operator has to create it."
    return f"{app.workload} does not exist: create it, or correct spec.workload.ref."


def taken(snapshot: Snapshot) -> str:
    """Return what to say where a name that the app needs for an object of its own is taken."""
    names = ", ".join(map(str, snapshot.taken))
    return (
        f"This ChainlitApp has to create {names}, which somebody else has created. Delete what is there, "
        "give this ChainlitApp another name, or adopt what is there in spec.workload.ref or spec.route.ref."
    )


def created_backend(snapshot: Snapshot) -> tuple[str, ServicePort] | Unresolved:
    """Return name and port of the Service to which a created route sends requests.

    That is the created one or, for an adopted workload, the only one that selects its pods; headless ones do not count
    beside others.
    """
    workload = snapshot.app.workload
    if snapshot.app.spec.template is not None:
        services = [found for found in snapshot.services if found.ref.name == snapshot.app.ref.name]
    else:
        services = [found for found in snapshot.services if found.cluster_ip != "None"] or [*snapshot.services]
    if not services:
        return _without_service(workload)
    names = ", ".join(service.ref.name for service in services)
    ports = services[0].ports if len(services) == 1 else ()
    named = tuple(port for port in ports if port.name == "http")
    chosen = named if len(named) == 1 else ports
    if len(chosen) != 1:
        return Unresolved(
            Reason.SERVICE_AMBIGUOUS,
            f"Several Services or ports lead to {workload} ({names}), and a route is created to one: leave one, with "
            "one port or one that is called http, or create the route yourself and name it in spec.route.ref.",
        )
    return services[0].ref.name, chosen[0]


def _without_service(workload: Ref) -> Unresolved:
    return Unresolved(
        Reason.SERVICE_NOT_FOUND,
        f"No Service in namespace {workload.namespace} selects the pods of {workload}: create one whose "
        "spec.selector matches the pod template's labels.",
    )


def _discover(snapshot: Snapshot) -> Resolved | Unresolved:
    workload = snapshot.app.workload
    if not snapshot.services:
        return _without_service(workload)
    names = ", ".join(sorted(service.ref.name for service in snapshot.services))
    if not snapshot.routes:
        return Unresolved(
            Reason.ROUTE_NOT_FOUND,
            f"No Ingress or HTTPRoute sends requests to Service {names} of {workload}: create one, or name it in "
            "spec.route.ref.",
        )
    answers = [(route, _resolve_route(snapshot, route)) for route in snapshot.routes]
    different = {(a.public, a.backend) if isinstance(a, Resolved) else None for _, a in answers}
    if len(different) == 1:
        return answers[0][1]
    listed = ", ".join(f"{r.ref.kind} {r.ref.name} ({_summary(a)})" for r, a in answers)
    return Unresolved(
        Reason.ROUTE_AMBIGUOUS,
        f"Several routes send requests to Service {names} and differ: {listed}. Chainlit answers at one path only: "
        "name the right one in spec.route.ref, or make their paths equal.",
    )


def _summary(answer: Resolved | Unresolved) -> str:
    return answer.status.path if isinstance(answer, Resolved) else str(answer.reason)


def _resolve_route(snapshot: Snapshot, route: Route) -> Resolved | Unresolved:
    services = {service.ref.name: service for service in snapshot.services}
    mine = [path for path in route.paths if path.service in services]
    if not mine:
        return _without_backend(snapshot, route)
    if route.refusal:
        refusal = route.refusal[:300].rstrip(". ")
        message = f"{route.ref} is not served: {refusal}. Correct it, or its Gateway."
        return Unresolved(Reason.ROUTE_NOT_ACCEPTED, message)
    covering = _choose(route, mine, services)
    if isinstance(covering, Unresolved):
        return covering
    portless = next((path for path in covering if not _has_port(services[path.service], path.port)), None)
    if portless is not None:
        return _without_port(route, portless, services[portless.service])
    return _align(snapshot, route, covering, services[covering[0].service])


def _align(snapshot: Snapshot, route: Route, covering: list[RoutePath], service: Service) -> Resolved | Unresolved:
    chosen = covering[0]
    public = prefix_of(chosen)
    trouble = paths.problem(public)
    if trouble:
        return Unresolved(
            Reason.PATH_NOT_SUPPORTED,
            f"Chainlit cannot serve path {chosen.path!r} of {route.ref}: {trouble}. Use segments of letters, digits "
            "and . _ ~ - only.",
        )
    backend = _backend(snapshot, route, chosen, public)
    if isinstance(backend, Unresolved):
        return backend
    # A route may have thousands of paths that differ in nothing that matters here.
    unlike = {(prefix_of(path), path.transforms): path for path in covering[1:]}
    for (prefix, _), path in unlike.items():
        other = _backend(snapshot, route, path, prefix)
        if isinstance(other, Unresolved) or not _agree((public, backend), (prefix, other)):
            return Unresolved(
                Reason.REWRITE_NOT_SUPPORTED,
                f"{route.ref} rewrites {path.path} and {chosen.path} of the app in different ways, so one of them goes "
                "astray. Give all of its rules the same rewrite.",
            )
    roots = paths.align(public, backend)
    if roots is None:
        return Unresolved(
            Reason.REWRITE_NOT_SUPPORTED,
            f"{route.ref} turns {public or '/'} into {backend or '/'} on the way to the app. Chainlit can be served "
            "only where the path at the backend is the end of the one in the browser: strip a whole prefix, or leave "
            "the path alone.",
        )
    origin = _origin(route, chosen)
    served = paths.mounted(backend, snapshot.app.spec.mount_path)
    address = f"{origin}{roots.parent_root_path}{served}/"
    return Resolved(
        status=RouteStatus(
            kind=route.ref.kind,
            name=route.ref.name,
            host=chosen.host,
            path=public or "/",
            path_type=chosen.path_type,
            rewrite=str(Rewrite.STRIP if roots.parent_root_path else Rewrite.NONE),
        ),
        public=public,
        backend=backend,
        served=served,
        roots=roots,
        url=f"http{address}" if origin else None,
        web_socket_url=f"ws{address}ws/socket.io/" if origin else None,
        service=service,
        service_port=chosen.port,
        web_socket_refusal=_web_socket_refusal(route, covering, roots.parent_root_path + served),
    )


def _agree(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two paths of the app, each a prefix and what arrives of it, do the same to what both let through."""
    (above, arrives), (below, expected) = sorted((one, other), key=lambda pair: len(pair[0]))
    return arrives + below.removeprefix(above) == expected


def _web_socket_refusal(route: Route, covering: Iterable[RoutePath], public: str) -> str:
    """Why the edge refuses the WebSocket: what counts is the longest path that the socket's requests match."""
    socket = f"{public}/ws/socket.io"
    serving = max((p for p in covering if paths.is_below(socket, prefix_of(p))), key=lambda p: len(prefix_of(p)))
    if not serving.refuses_web_socket:
        return ""
    return (
        f"Contour refuses the WebSocket at {route.ref} with 403: add {serving.path} to its annotation "
        "projectcontour.io/websocket-routes, spelt exactly as the path is (with commas between several)."
    )


def _origin(route: Route, chosen: RoutePath) -> str:
    """What stands between ``http`` or ``ws`` and the path in the address that a browser opens.

    Empty where there is no such address: no host, or a wildcard one, or a Gateway that cannot be read.
    """
    found = [
        origin
        for origin in route.origins
        if (_host_matches(origin.hosts, chosen.host) if chosen.host else origin.address)
    ]
    if not found:
        return ""
    origin = min(found, key=lambda each: not each.is_secure)
    return _authority(chosen.host or origin.address, origin.is_secure, origin.port)


def _host_matches(pattern: str, host: str) -> bool:
    """Whether a host name, or one with a wildcard for its first label, or none at all, holds for ``host``."""
    return pattern in ("", host) or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:])


def _authority(host: str, is_secure: bool, port: int = 0) -> str:
    if not host or "*" in host:
        return ""
    usual = port in (0, 443 if is_secure else 80)
    return f"{'s' if is_secure else ''}://{host}{'' if usual else f':{port}'}"


def _without_backend(snapshot: Snapshot, route: Route) -> Unresolved:
    names = ", ".join(sorted(route.services)) or "none"
    missing = sorted(snapshot.missing_services & route.services)
    if missing and not snapshot.services:
        return Unresolved(
            Reason.SERVICE_NOT_FOUND,
            f"{route.ref} sends requests to Service {', '.join(missing)}, which does not exist: create it with a "
            f"selector that matches the pods of {snapshot.app.workload}.",
        )
    if route.unsupported_backends:
        names = ", ".join([*sorted(route.services), *route.unsupported_backends])
        return Unresolved(
            Reason.ROUTE_WITHOUT_BACKEND,
            f"{route.ref} sends requests to {names[:250]}. Only Services of its own namespace can be followed to pods: "
            f"use one there that selects those of {snapshot.app.workload}.",
        )
    return Unresolved(
        Reason.ROUTE_WITHOUT_BACKEND,
        f"{route.ref} sends no request to {snapshot.app.workload}: none of its Services ({names}) selects those "
        f"pods. Correct the {route.ref.kind}'s backend, the Service's selector, or spec.workload.ref.",
    )


def _has_port(service: Service, port: int | str) -> bool:
    return any(found.matches(port) for found in service.ports)


def _without_port(route: Route, path: RoutePath, service: Service) -> Unresolved:
    ports = ", ".join(f"{found.port} {found.name}".strip() for found in service.ports) or "none"
    return Unresolved(
        Reason.ROUTE_WITHOUT_BACKEND,
        f"{route.ref} sends requests for {path.path} to port {path.port} of {service.ref}, which has no such port "
        f"({ports}). Correct the {route.ref.kind}'s backend, or the Service's ports.",
    )


# ----------------------------------------------------------------------------------------------- which path counts


def _choose(route: Route, mine: list[RoutePath], services: Mapping[str, Service]) -> list[RoutePath] | Unresolved:
    """Return the paths that let the app's requests through, first the one that stands for all, by prefix and host."""
    shared = next((path for path in mine if not services.keys() >= set(path.others)), None)
    if shared is not None:
        return Unresolved(
            Reason.BACKEND_SHARED,
            f"{route.ref} sends part of the requests for {shared.path} to another Service, which knows nothing of the "
            "chat's sessions. Give the app a path of its own, or set the other weight to 0.",
        )
    usable = list(_unconditional(mine))
    if not usable:
        return Unresolved(
            Reason.CONDITIONAL_MATCH,
            f"{route.ref} sends requests for {mine[0].path} to the app only if {mine[0].condition}. A browser's "
            "requests for pages, sockets and uploads must all arrive: use a match on the path alone.",
        )
    covering = _covering(route, usable)
    if isinstance(covering, Unresolved):
        return covering
    by_prefix = {prefix_of(path): path for path in reversed(covering)}
    top = min(by_prefix, key=len)
    if any(not is_own_route(prefix, top) for prefix in by_prefix):
        listed = ", ".join(sorted(prefix or "/" for prefix in by_prefix))
        return Unresolved(
            Reason.SEVERAL_PATHS,
            f"{route.ref} gives the app several paths ({listed}), and Chainlit answers at one only. Keep one path, and "
            "redirect from the others.",
        )
    chosen = by_prefix[top]
    return _unless_shadowed(route, [chosen, *(path for path in covering if path is not chosen)], mine)


def _unconditional(mine: Iterable[RoutePath]) -> Iterator[RoutePath]:
    """The paths that take every request; GET and POST apart, but alike in all else, are that too."""
    methods: dict[RoutePath, set[str]] = {}
    for path in mine:
        if not path.condition:
            yield path
        elif path.condition in _METHODS:
            whole = replace(path, condition="")
            seen = methods.setdefault(whole, set())
            seen.add(path.condition)
            if seen == set(_METHODS):
                yield whole


_METHODS = ("the method is GET", "the method is POST")


def _covering(route: Route, usable: list[RoutePath]) -> list[RoutePath] | Unresolved:
    """The paths that let everything below them through."""
    for path in usable:
        is_expression = path.matching in (Matching.REGULAR_EXPRESSION, Matching.UNKNOWN)
        if is_expression and (path.matching is Matching.UNKNOWN or not _covers(path)):
            return Unresolved(
                Reason.REGULAR_EXPRESSION_PATH,
                f"Path {path.path!r} of {route.ref} is a regular expression whose prefix cannot be told, or whose "
                "controller is not known to read such. Use a plain path with type Prefix.",
            )
    covering = [path for path in usable if path.matching is not Matching.EXACT]
    return covering or Unresolved(
        Reason.EXACT_PATH,
        f"Path {usable[0].path!r} of {route.ref} has type Exact, which lets nothing below it through, the WebSocket "
        "included. Use type Prefix.",
    )


def _covers(path: RoutePath) -> bool:
    parsed = rewrites.parse_pattern(path.path)
    return parsed is not None and parsed.covers_subtree


def is_readable(path: RoutePath) -> bool:
    """Whether it is known what the path matches: an expression has to be one that can be taken for a prefix."""
    if path.matching is Matching.REGULAR_EXPRESSION:
        return rewrites.parse_pattern(path.path) is not None
    return path.matching is not Matching.UNKNOWN


def prefix_of(path: RoutePath) -> str:
    """Return the prefix of the browser's URL: the path as it is spelt, but for a slash at its end.

    Nothing else is mended: a route at ``//chat`` is none at ``/chat``.
    """
    if path.matching is Matching.REGULAR_EXPRESSION:
        parsed = rewrites.parse_pattern(path.path)
        return parsed.prefix if parsed is not None else ""
    return path.path.removesuffix("/")


def is_own_route(prefix: str, top: str) -> bool:
    """Whether ``prefix`` is ``top`` or one of Chainlit's own routes below it, which changes nothing."""
    return prefix == top or (paths.is_below(prefix, top) and _first_segment(prefix, top) in chainlit.OWN_SEGMENTS)


def _first_segment(prefix: str, top: str) -> str:
    return prefix.removeprefix(top).split("/")[1]


def _unless_shadowed(route: Route, covering: list[RoutePath], mine: list[RoutePath]) -> list[RoutePath] | Unresolved:
    """The paths, and others of the app that take some of its requests; unless something else takes any."""
    chosen = covering[0]
    top = prefix_of(chosen)
    # By identity: to compare each of thousands of paths with each other one takes seconds.
    known, own = {id(path) for path in covering}, {id(path) for path in mine}
    rest = (path for path in route.paths if id(path) not in known)
    # Of each host that serves the app: the address in the status has one of them, but people open them all.
    serving = {path.host: path for path in reversed(covering) if prefix_of(path) == top}
    taking = [
        path
        for path in rest
        if path.host in serving and path_overrides.takes(route.precedence, path, serving[path.host], top)
    ]
    other = next((path for path in taking if id(path) not in own), None)
    if other is None:
        return [*covering, *taking]
    where = f"to Service {other.service}" if other.service else "elsewhere (a redirect, or no Service)"
    return Unresolved(
        Reason.PATH_SHADOWED,
        f"{route.ref} sends requests for {other.path}, which Chainlit may need at {top or '/'}, {where}: give those "
        "another path.",
    )


# --------------------------------------------------------------------------------------- what becomes of the path


def _backend(snapshot: Snapshot, route: Route, chosen: RoutePath, public: str) -> str | Unresolved:
    """The prefix that the backend receives."""
    override = snapshot.app.spec.rewrite
    if override is not Rewrite.AUTO:
        return "" if override is Rewrite.STRIP else public
    transforms = chosen.transforms
    missing = next((t.what for t in transforms if isinstance(t, rewrites.Missing)), None)
    if missing is not None:
        return Unresolved(
            Reason.MIDDLEWARE_NOT_FOUND,
            f"{route.ref} uses Traefik Middleware {missing}, which does not exist; Traefik answers 404 "
            "then. Create it, correct the name, or set spec.route.rewrite.",
        )
    unknown = next((t.what for t in transforms if isinstance(t, rewrites.Unknown)), None)
    if unknown is not None:
        return Unresolved(
            Reason.REWRITE_UNKNOWN,
            f"{route.ref} has {unknown[:250]}, which may change the path on its way to the app. Set spec.route.rewrite "
            "to Strip if it removes the whole path prefix, or to None if it leaves the path alone.",
        )
    backend = rewrites.backend_prefix(public, transforms)
    if backend is None:
        return Unresolved(
            Reason.REWRITE_NOT_SUPPORTED,
            f"{route.ref} rewrites {chosen.path} in a way that does not keep what comes after its prefix, so pages and "
            "sockets cannot be found. Strip a whole prefix, or leave the path alone.",
        )
    return backend
