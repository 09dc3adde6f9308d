"""Route resolution: from an app's Ingress to the two prefixes that the law of alignment takes.

Every form of route ends as a :class:`Resolved` (public prefix, backend prefix, and how to reach it) or as an
:class:`Unresolved` with a reason and the remedy. Nothing here guesses: zero answers and several different ones are
both unresolved.
"""

from __future__ import annotations

from dataclasses import dataclass

from chainlit_operator.domain import paths
from chainlit_operator.domain.model import App, Ingress, IngressPath, Rewrite, RouteStatus, Service, Snapshot
from chainlit_operator.domain.reasons import Reason

_REGEX_CHARACTERS = frozenset("()[]{}*+?^$|\\")


@dataclass(frozen=True, slots=True)
class Unresolved:
    """No answer: why, and what to change."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """The one answer: prefixes, the two variables, the addresses, and the Service behind it."""

    status: RouteStatus
    public: str
    backend: str
    roots: paths.Roots
    url: str | None
    web_socket_url: str | None
    service: Service
    service_port: int | str


def resolve(snapshot: Snapshot) -> Resolved | Unresolved:
    """Return the route of the snapshot's app."""
    app = snapshot.app
    if snapshot.workload is None:
        return Unresolved(
            Reason.WORKLOAD_NOT_FOUND,
            f"{app.workload} does not exist: create it, or correct spec.workload.ref.",
        )
    if app.route is None:
        return _discover(snapshot)
    if not snapshot.ingresses:
        return Unresolved(
            Reason.ROUTE_NOT_FOUND,
            f"{app.route} does not exist: create it, or correct spec.route.ref.name.",
        )
    return _resolve_ingress(snapshot, snapshot.ingresses[0])


def _discover(snapshot: Snapshot) -> Resolved | Unresolved:
    workload = snapshot.app.workload
    if not snapshot.services:
        return Unresolved(
            Reason.SERVICE_NOT_FOUND,
            f"No Service in namespace {workload.namespace} selects the pods of {workload}: create one whose "
            "spec.selector matches the pod template's labels.",
        )
    names = ", ".join(sorted(service.ref.name for service in snapshot.services))
    if not snapshot.ingresses:
        return Unresolved(
            Reason.ROUTE_NOT_FOUND,
            f"No Ingress sends requests to Service {names} of {workload}: create one, or name it in spec.route.ref.",
        )
    answers = [(ingress, _resolve_ingress(snapshot, ingress)) for ingress in snapshot.ingresses]
    different = {(a.public, a.backend) if isinstance(a, Resolved) else None for _, a in answers}
    if len(different) == 1:
        return answers[0][1]
    listed = ", ".join(f"{i.ref.name} ({_summary(a)})" for i, a in answers)
    return Unresolved(
        Reason.ROUTE_AMBIGUOUS,
        f"Several Ingresses send requests to Service {names} and differ: {listed}. Chainlit answers at one path only: "
        "name the right one in spec.route.ref, or make their paths equal.",
    )


def _summary(answer: Resolved | Unresolved) -> str:
    return answer.status.path if isinstance(answer, Resolved) else str(answer.reason)


def _resolve_ingress(snapshot: Snapshot, ingress: Ingress) -> Resolved | Unresolved:
    services = {service.ref.name: service for service in snapshot.services}
    mine = [path for path in ingress.paths if path.service in services]
    if not mine:
        return _without_backend(snapshot, ingress)
    chosen = _choose_path(ingress, mine)
    if isinstance(chosen, Unresolved):
        return chosen
    rewrite = _rewrite(snapshot.app, ingress)
    if isinstance(rewrite, Unresolved):
        return rewrite
    public = paths.normalise(chosen.path)
    trouble = paths.problem(public)
    if trouble:
        return Unresolved(
            Reason.PATH_NOT_SUPPORTED,
            f"Chainlit cannot serve path {chosen.path!r} of {ingress.ref}: {trouble}. Use segments of letters, digits "
            "and . _ ~ - only.",
        )
    return _resolved(ingress, chosen, public, rewrite, services[chosen.service])


def _resolved(
    ingress: Ingress, chosen: IngressPath, public: str, rewrite: Rewrite, service: Service
) -> Resolved | Unresolved:
    backend = "" if rewrite is Rewrite.STRIP else public
    roots = paths.align(public, backend)
    if roots is None:  # cannot happen for the two rewrites above; other rewrites will need it
        return Unresolved(
            Reason.REWRITE_UNKNOWN,
            f"{ingress.ref} turns {public or '/'} into {backend or '/'}, which no value of the variables can serve.",
        )
    host = chosen.host or ingress.address
    secure = chosen.host in ingress.tls_hosts
    return Resolved(
        status=RouteStatus(
            kind=ingress.ref.kind,
            name=ingress.ref.name,
            host=chosen.host,
            path=public or "/",
            path_type=chosen.path_type,
            rewrite=str(rewrite),
        ),
        public=public,
        backend=backend,
        roots=roots,
        url=_url("https" if secure else "http", host, f"{public}/"),
        web_socket_url=_url("wss" if secure else "ws", host, f"{public}/ws/socket.io/"),
        service=service,
        service_port=chosen.port,
    )


def _url(scheme: str, host: str, path: str) -> str | None:
    """An address that a browser can open; None for no host or a wildcard one."""
    return f"{scheme}://{host}{path}" if host and "*" not in host else None


def _without_backend(snapshot: Snapshot, ingress: Ingress) -> Unresolved:
    names = ", ".join(sorted(ingress.services)) or "none"
    missing = sorted(snapshot.missing_services & ingress.services)
    if missing and not snapshot.services:
        return Unresolved(
            Reason.SERVICE_NOT_FOUND,
            f"{ingress.ref} sends requests to Service {', '.join(missing)}, which does not exist: create it with a "
            f"selector that matches the pods of {snapshot.app.workload}.",
        )
    return Unresolved(
        Reason.ROUTE_WITHOUT_BACKEND,
        f"{ingress.ref} sends no request to {snapshot.app.workload}: none of its Services ({names}) selects those "
        "pods. Correct the Ingress's backend, the Service's selector, or spec.workload.ref.",
    )


def _choose_path(ingress: Ingress, mine: list[IngressPath]) -> IngressPath | Unresolved:
    """Pick the path that stands for all paths of the app in this Ingress, by prefix and then by host."""
    regular = [path for path in mine if _is_regular_expression(path)]
    if regular:
        return Unresolved(
            Reason.REGULAR_EXPRESSION_PATH,
            f"Path {regular[0].path!r} of {ingress.ref} is a regular expression, whose prefix cannot be told. Use "
            "pathType Prefix with a plain path.",
        )
    prefixes = [path for path in mine if path.path_type != "Exact"]
    if not prefixes:
        return Unresolved(
            Reason.EXACT_PATH,
            f"Path {mine[0].path!r} of {ingress.ref} has pathType Exact, which lets nothing below it through, the "
            "WebSocket included. Use pathType Prefix.",
        )
    by_prefix = {paths.normalise(path.path): path for path in reversed(prefixes)}
    top = min(by_prefix, key=len)
    for prefix in by_prefix:
        if not _is_own_route(prefix, top):
            listed = ", ".join(sorted(prefix or "/" for prefix in by_prefix))
            return Unresolved(
                Reason.SEVERAL_PATHS,
                f"{ingress.ref} gives the app several paths ({listed}), and Chainlit answers at one only. Keep one "
                "path, and redirect from the others.",
            )
    return by_prefix[top]


def _is_own_route(prefix: str, top: str) -> bool:
    """Whether ``prefix`` is ``top`` or one of Chainlit's own routes below it, which changes nothing."""
    if prefix == top:
        return True
    return paths.is_below(prefix, top) and prefix.removeprefix(top).split("/")[1] in paths.OWN_SEGMENTS


def _is_regular_expression(path: IngressPath) -> bool:
    return path.path_type == "ImplementationSpecific" and not _REGEX_CHARACTERS.isdisjoint(path.path)


def _rewrite(app: App, ingress: Ingress) -> Rewrite | Unresolved:
    if app.spec.rewrite is not Rewrite.AUTO:
        return app.spec.rewrite
    if not ingress.rewrites:
        return Rewrite.NONE
    key, value = ingress.rewrites[0]
    return Unresolved(
        Reason.REWRITE_UNKNOWN,
        f"{ingress.ref} has the annotation {key}: {value[:200]}, which may change the path on its way to the app. Set "
        "spec.route.rewrite to Strip if it removes the whole path prefix, or to None if it leaves the path alone.",
    )
