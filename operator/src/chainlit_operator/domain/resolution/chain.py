"""Resolution as a whole: the rules about the app, the route that counts, and the rules about other apps."""

from __future__ import annotations

from typing import NamedTuple

from chainlit_operator.domain import chainlit, paths, route_conflicts
from chainlit_operator.domain.model import App, Rewrite, Route, RouteStatus, Snapshot
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import rules
from chainlit_operator.domain.resolution.answer import Resolved, Unresolved
from chainlit_operator.domain.resolution.backend import PORT_NAME, backend_services, route_backend
from chainlit_operator.domain.resolution.origin import origin_of
from chainlit_operator.domain.route_paths import is_own_route, prefix_of
from chainlit_operator.domain.route_warnings import Seen
from chainlit_operator.domain.rule import Rule, first_fault


def resolve(snapshot: Snapshot) -> Resolved | Unresolved:
    """Return the resolved route of the snapshot's app, or the first fault."""
    if fault := first_fault(APP_RULES, snapshot):
        return Unresolved(*fault)
    answer = _one_answer(snapshot)
    if isinstance(answer, Unresolved):
        return answer
    fault = first_fault(CONFLICT_RULES, Found(snapshot, answer))
    return Unresolved(*fault) if fault else answer


# ----------------------------------------------------------------------------------------- before a route is read


def names_are_free(snapshot: Snapshot) -> str:
    """The names of the objects to create must be free."""
    if not snapshot.taken:
        return ""
    names = ", ".join(map(str, snapshot.taken))
    return (
        f"This ChainlitApp creates {names}, and an object of that name exists already that it does not own. Delete "
        "that object, give this ChainlitApp another name, or name the object in spec.workload.ref or spec.route.ref."
    )


def workload_exists(snapshot: Snapshot) -> str:
    """The workload that the app names must exist."""
    return "" if snapshot.workload is not None else missing_workload(snapshot.app)


def missing_workload(app: App) -> str:
    """Return the message for an app whose workload does not exist."""
    workload = app.workload
    return (
        f"{workload.kind} {workload.name} does not exist in namespace {workload.namespace}. Create it, or correct kind "
        "and name in spec.workload.ref."
    )


def service_selects_pods(snapshot: Snapshot) -> str:
    """A Service must select the pods of the workload, for the operator to find a route or to create one."""
    app = snapshot.app
    is_needed = app.route is None or (app.spec.creates_route and not snapshot.routes)
    if not is_needed or backend_services(app, snapshot.services):
        return ""
    assert snapshot.workload is not None  # the rule before has seen to that
    labels = ", ".join(f"{name}={value}" for name, value in snapshot.workload.pod_labels)
    return (
        f"No Service in namespace {app.ref.namespace} selects the pods of {app.workload.kind} {app.workload.name} "
        f"(labels {labels or 'none'}). Create a Service with a selector for these labels."
    )


def created_route_has_one_backend(snapshot: Snapshot) -> str:
    """A created route needs exactly one Service and port."""
    app = snapshot.app
    if not app.spec.creates_route or snapshot.routes or route_backend(app, snapshot.services) is not None:
        return ""
    names = ", ".join(service.ref.name for service in backend_services(app, snapshot.services))
    return (
        f"Several Services or ports lead to {app.workload} ({names}), and the created route needs one. Keep one "
        f"Service with one port or with one port called {PORT_NAME}, or create the route yourself and name it in "
        "spec.route.ref."
    )


def named_route_exists(snapshot: Snapshot) -> str:
    """The route that the app names must exist."""
    route = snapshot.app.route
    if route is None or snapshot.routes:
        return ""
    return (
        f"{route.kind} {route.name} does not exist in namespace {route.namespace}. Create it, or correct kind and name "
        "in spec.route.ref."
    )


def route_leads_to_service(snapshot: Snapshot) -> str:
    """If the app names no route, a route must lead to a Service that selects the pods."""
    if snapshot.app.route is not None or snapshot.routes:
        return ""
    return (
        f"No route in namespace {snapshot.app.ref.namespace} leads to Service {_services(snapshot)} of "
        f"{snapshot.app.workload}. Create an Ingress or HTTPRoute, or describe one in spec.route.ingress or "
        "spec.route.gateway."
    )


def _services(snapshot: Snapshot) -> str:
    return ", ".join(sorted(service.ref.name for service in snapshot.services))


APP_RULES: tuple[Rule[Snapshot], ...] = (
    Rule(Reason.NAME_TAKEN, names_are_free),
    Rule(Reason.WORKLOAD_NOT_FOUND, workload_exists),
    Rule(Reason.SERVICE_NOT_FOUND, service_selects_pods),
    Rule(Reason.SERVICE_AMBIGUOUS, created_route_has_one_backend),
    Rule(Reason.ROUTE_NOT_FOUND, named_route_exists),
    Rule(Reason.ROUTE_NOT_FOUND, route_leads_to_service),
)


# ---------------------------------------------------------------------------------------------- which route counts


def _one_answer(snapshot: Snapshot) -> Resolved | Unresolved:
    """The one answer of all routes: of the named one or, in discovery, of those that lead to the app."""
    answers = [(route, _resolve_route(snapshot, route)) for route in snapshot.routes]
    different = {
        (found.public_prefix, found.backend_prefix) if isinstance(found, Resolved) else None for _, found in answers
    }
    if len(different) == 1:
        return answers[0][1]
    listed = ", ".join(f"{route.ref.kind} {route.ref.name} ({_summary(found)})" for route, found in answers)
    return Unresolved(
        Reason.ROUTE_AMBIGUOUS,
        f"Routes to Service {_services(snapshot)} have different paths: {listed}. Set spec.route.ref to the route to "
        "use, or give all routes the same path.",
    )


def _summary(answer: Resolved | Unresolved) -> str:
    return answer.status.path if isinstance(answer, Resolved) else str(answer.reason)


def _resolve_route(snapshot: Snapshot, route: Route) -> Resolved | Unresolved:
    candidate = rules.Candidate(snapshot, route)
    fault = first_fault(rules.RULES, candidate)
    return Unresolved(*fault) if fault else _resolved(candidate)


def _resolved(given: rules.Candidate) -> Resolved:
    chosen, public, backend = given.chosen, given.public_prefix, given.backend_prefix
    roots = paths.align(public, backend)
    assert roots is not None  # the rule prefixes_align ensures it
    app_prefix = paths.mounted(backend, given.snapshot.app.spec.mount_path)
    origin = origin_of(given.route, chosen)
    address = f"{origin}{roots.parent_root_path}{app_prefix}/"
    return Resolved(
        status=RouteStatus(
            kind=given.route.ref.kind,
            name=given.route.ref.name,
            host=chosen.host,
            path=public or "/",
            path_type=chosen.path_type,
            rewrite=str(Rewrite.STRIP if roots.parent_root_path else Rewrite.NONE),
        ),
        public_prefix=public,
        backend_prefix=backend,
        app_prefix=app_prefix,
        root_paths=roots,
        url=f"http{address}" if origin else None,
        web_socket_url=f"ws{address}{chainlit.SOCKET}/" if origin else None,
        service=given.services[chosen.service],
        service_port=chosen.port,
        web_socket_refusal=_web_socket_refusal(given, roots.parent_root_path + app_prefix),
        warnings=_warnings(given, roots),
    )


def _warnings(given: rules.Candidate, roots: paths.RootPaths) -> tuple[str, ...]:
    """The texts of the warnings of all paths of the app, each once."""
    root_path = "" if given.snapshot.app.spec.mount_path else roots.root_path
    # A route may have thousands of paths with the same warnings.
    found = dict.fromkeys((path.service, warning) for path in given.serving for warning in path.warnings)
    texts = (
        warning.text(Seen(root_path, given.services[service].type))
        for service, warning in found
        if service in given.services
    )
    return tuple(dict.fromkeys(text for text in texts if text))


def _web_socket_refusal(given: rules.Candidate, public: str) -> str:
    """Why the edge refuses the WebSocket, empty if it does not. The longest path that matches the socket decides."""
    socket = f"{public}/{chainlit.SOCKET}"
    serving = max(
        (path for path in given.serving if paths.is_below(socket, prefix_of(path))),
        key=lambda path: len(prefix_of(path)),
    )
    refusal = serving.web_socket_refusal
    if refusal is None:
        return ""
    answer = f" with status {refusal.status}" if refusal.status else ""
    return f"{refusal.controller} refuses the WebSocket at {given.route.ref}{answer}. {refusal.remedy}"


# ------------------------------------------------------------------------------------------ who else is at the path


class Found(NamedTuple):
    """The input of the rules about other apps."""

    snapshot: Snapshot
    answer: Resolved


def path_is_free(found: Found) -> str:
    """No older app may be at the same path."""
    snapshot, answer = found
    for other in snapshot.conflicts:
        is_older = route_conflicts.precedence(other) < route_conflicts.precedence(snapshot.app)
        if other.prefix == answer.public_prefix and is_older:
            where = f"host {other.host}" if other.host else "any host"
            return (
                f"{other.ref} is older and uses path {answer.public_prefix or '/'} on {where}, by {other.route}. "
                f"Change path or host of {answer.status.kind} {answer.status.name}, or delete the other app and its "
                "route."
            )
    return ""


def own_routes_are_free(found: Found) -> str:
    """No other app may be at one of Chainlit's own routes below the path."""
    snapshot, answer = found
    for other in snapshot.conflicts:
        if other.prefix != answer.public_prefix and is_own_route(other.prefix, answer.public_prefix):
            return (
                f"{other.route} sends {other.path} to {other.ref}, and Chainlit needs it below "
                f"{answer.public_prefix or '/'}. Give the other app a path that is not below it."
            )
    return ""


CONFLICT_RULES: tuple[Rule[Found], ...] = (
    Rule(Reason.PATH_CLAIMED, path_is_free),
    Rule(Reason.PATH_SHADOWED, own_routes_are_free),
)
