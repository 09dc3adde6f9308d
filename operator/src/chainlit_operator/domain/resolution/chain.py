"""Resolution as a whole: the rules about the app, the answer of its routes, and the rules about other routes."""

from __future__ import annotations

from dataclasses import replace

from chainlit_operator.domain import endpoint
from chainlit_operator.domain.endpoint import Endpoint
from chainlit_operator.domain.model import App, Snapshot
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import conflicts, together
from chainlit_operator.domain.resolution.answer import Resolved, Unresolved
from chainlit_operator.domain.resolution.backend import PORT_NAME, backend_services, route_backend
from chainlit_operator.domain.resolution.statement import backend_path_fits, stated_answer, url_is_valid
from chainlit_operator.domain.rule import Rule, first_fault


def resolve(snapshot: Snapshot) -> Resolved | Unresolved:
    """Return the resolved route of the snapshot's app, or the first fault."""
    return against_others(snapshot, resolve_alone(snapshot, endpoint.find(snapshot)))


def resolve_alone(snapshot: Snapshot, found: Endpoint) -> Resolved | Unresolved:
    """Return what the app's routes give, as if there were no routes of others; ``found`` is the app's endpoint."""
    if fault := first_fault(APP_RULES, snapshot):
        return Unresolved(*fault)
    answer = together.answer(snapshot, found) if snapshot.routes else stated_answer(snapshot, found)
    if isinstance(answer, Unresolved) and _stands_alone(snapshot):
        answer = stated_answer(snapshot, found)
    assert answer is not None  # a rule ensures that there is a route or a stated URL
    return answer


def against_others(snapshot: Snapshot, answer: Resolved | Unresolved) -> Resolved | Unresolved:
    """Return the answer, with warnings about routes of others, or the fault if one of them takes its requests."""
    if isinstance(answer, Unresolved) or not answer.status.kind:
        return answer
    found = conflicts.Found(snapshot, answer)
    fault = first_fault(conflicts.RULES, found)
    if fault is not None:
        return Unresolved(*fault)
    warnings = tuple(conflicts.warnings(found))
    return replace(answer, warnings=(*answer.warnings, *warnings)) if warnings else answer


def _stands_alone(snapshot: Snapshot) -> bool:
    """Whether the spec says all about the place, so that routes that were only discovered need not be right."""
    return snapshot.app.route is None and snapshot.app.spec.backend_path is not None


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


def template_is_known(snapshot: Snapshot) -> str:
    """The pod template must be in the workload: its labels lead to the Services, and from there to the routes."""
    return snapshot.workload.missing_template if snapshot.workload is not None else ""


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


def kinds_are_read(snapshot: Snapshot) -> str:
    """The operator must read the kinds of the workload and of the route that the app names or creates."""
    app = snapshot.app
    for what, ref in (("workload", app.workload), ("route", app.route)):
        if ref is not None and ref.kind in snapshot.disabled_kinds:
            return (
                f"The operator does not read objects of kind {ref.kind}, and this one is the {what} of the app. Remove "
                f"{ref.kind} from disabledKinds of the operator's chart, or name a {what} of another kind."
            )
    return ""


def named_route_exists(snapshot: Snapshot) -> str:
    """The route that the app names must exist; one of another namespace must lead to the app's namespace."""
    route, namespace = snapshot.app.route, snapshot.app.ref.namespace
    if route is None or snapshot.routes:
        return ""
    if route.namespace != namespace:
        return (
            f"{route.kind} {route.name} does not exist in namespace {route.namespace}, or sends no request to a "
            f"Service of namespace {namespace}, or the operator does not watch {route.namespace}. Correct "
            "spec.route.ref or the route's backend, or add the namespace to watchNamespaces of the operator's chart."
        )
    return (
        f"{route.kind} {route.name} does not exist in namespace {route.namespace}. Create it, or correct kind and name "
        "in spec.route.ref."
    )


def route_leads_to_service(snapshot: Snapshot) -> str:
    """If the app names no route and states no URL, a route must lead to a Service that selects the pods."""
    if snapshot.app.route is not None or snapshot.routes or snapshot.app.spec.url:
        return ""
    return (
        f"No route in namespace {snapshot.app.ref.namespace} leads to Service {_services(snapshot)} of "
        f"{snapshot.app.workload}. Create an Ingress or HTTPRoute, or describe one in spec.route.ingress or "
        "spec.route.gateway. If browsers reach the app in another way, state the URL in spec.route.url."
    )


def _services(snapshot: Snapshot) -> str:
    return ", ".join(sorted(service.ref.name for service in snapshot.services))


APP_RULES: tuple[Rule[Snapshot], ...] = (
    Rule(Reason.NAME_TAKEN, names_are_free),
    Rule(Reason.KIND_DISABLED, kinds_are_read),
    Rule(Reason.WORKLOAD_NOT_FOUND, workload_exists),
    Rule(Reason.TEMPLATE_ELSEWHERE, template_is_known),
    Rule(Reason.STATED_URL_INVALID, url_is_valid),
    Rule(Reason.STATED_URL_INVALID, backend_path_fits),
    Rule(Reason.SERVICE_NOT_FOUND, service_selects_pods),
    Rule(Reason.SERVICE_AMBIGUOUS, created_route_has_one_backend),
    Rule(Reason.ROUTE_NOT_FOUND, named_route_exists),
    Rule(Reason.ROUTE_NOT_FOUND, route_leads_to_service),
)
