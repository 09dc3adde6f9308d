"""The ordered rules of one route. The first that fails gives the reason and the message.

Each rule is a small function of a :class:`Candidate`, which computes what several rules need once. It returns the
message of the fault, or an empty text. The order matters: a rule may rely on all before it.
"""

from __future__ import annotations

from chainlit_operator.domain import expressions, paths, rewrites
from chainlit_operator.domain.model import ALL_PORTS, ONLY_PORT, Matching, RoutePath, backend_ref
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import redirected
from chainlit_operator.domain.resolution.candidate import METHODS, Candidate
from chainlit_operator.domain.resolution.delivery import is_rewritten_alike
from chainlit_operator.domain.route_paths import is_readable
from chainlit_operator.domain.rule import Rule

#: How much of a text that a route brings along is repeated in a message, in characters.
MAX_QUOTED = 250


def route_has_paths(given: Candidate) -> str:
    """A route without paths must not be one that the operator does not read."""
    return "" if given.route.paths else route_is_read(given)


def service_exists(given: Candidate) -> str:
    """A Service that the route names must exist."""
    missing = sorted(given.snapshot.missing_services & given.route.services)
    if given.own_paths or given.snapshot.services or not missing:
        return ""
    return (
        f"{given.route.ref} sends requests to Service {', '.join(missing)}, which does not exist. Create it with a "
        f"selector for the pods of {given.snapshot.app.workload}."
    )


def backend_is_supported(given: Candidate) -> str:
    """A backend must be a Service."""
    if given.own_paths or not given.route.unsupported_backends:
        return ""
    names = ", ".join([*given.shown_services, *given.route.unsupported_backends])
    return (
        f"{given.route.ref} sends requests to {names[:MAX_QUOTED]}. The operator follows only Services: use one that "
        f"selects the pods of {given.snapshot.app.workload}."
    )


def backend_leads_to_chainlit(given: Candidate) -> str:
    """A port behind the route must be the one that Chainlit listens on, where that is certain."""
    if given.own_paths or not given.targets:
        return ""
    ports = ", ".join(dict.fromkeys(str(target) for _, target in given.targets))
    return (
        f"{given.route.ref} sends requests to port {ports} of the pods of {given.snapshot.app.workload}, and Chainlit "
        f"listens on port {given.endpoint.port}. Correct the backend of the {given.route.ref.kind}, or state the port "
        "in spec.workload.ref.port."
    )


def backend_selects_pods(given: Candidate) -> str:
    """A Service of the route must select the pods of the workload."""
    if given.own_paths:
        return ""
    names = ", ".join(given.shown_services) or "none"
    return (
        f"{given.route.ref} sends no request to {given.snapshot.app.workload}: none of its Services ({names}) selects "
        f"these pods. Correct the backend of the {given.route.ref.kind}, the Service's selector, or spec.workload.ref."
    )


def reference_is_granted(given: Candidate) -> str:
    """A ReferenceGrant must allow a route of another namespace to use the Service, or the app must name the route.

    Else anybody could move the app, where a controller asks nobody in the namespace of the Service.
    """
    route = given.route.ref
    if given.route.crosses_namespaces and given.elsewhere and given.own_paths and given.snapshot.app.route != route:
        return (
            f"{route} sends requests to the app from another namespace, and nothing in namespace "
            f"{given.snapshot.app.ref.namespace} says that it may. Set spec.route.ref to kind {route.kind}, name "
            f"{route.name} and namespace {route.namespace}."
        )
    used = next((path.service for path in given.own_paths if path.service in given.route.ungranted), None)
    if used is None:
        return ""
    service = backend_ref(route.namespace, used)
    return (
        f"{route} sends requests to {service}, and no ReferenceGrant in namespace {service.namespace} allows that. "
        f"Create one there with from: [{{group: gateway.networking.k8s.io, kind: {route.kind}, namespace: "
        f'{route.namespace}}}] and to: [{{group: "", kind: Service, name: {service.name}}}].'
    )


def route_is_read(given: Candidate) -> str:
    """The operator must be able to read the route in full, and no controller may refuse it."""
    if not given.route.refusal:
        return ""
    remedy = given.route.refusal_remedy or f"Correct the {given.route.ref.kind}."
    return f"{given.route.ref} is not served: {given.route.refusal[:300].rstrip('. ')}. {remedy}"


def backend_is_alone(given: Candidate) -> str:
    """No other Service may share the app's requests."""
    own = given.services.keys()
    shared = next((path for path in given.own_paths if not own >= set(path.others)), None)
    if shared is None:
        return ""
    return (
        f"{given.route.ref} sends part of the requests for {shared.path} to another Service, which does not know the "
        "chat's sessions. Give the app a path of its own, or set the other weight to 0."
    )


def requests_are_unconditional(given: Candidate) -> str:
    """A rule must take every request for its path."""
    if given.whole_paths:
        return ""
    first = given.own_paths[0]
    if first.condition in METHODS:
        return _by_method(given, first)
    return (
        f"{given.route.ref} sends requests for {first.path} to the app only if {first.condition}. Use a match on the "
        "path alone: the browser's requests for pages, sockets and uploads must all arrive."
    )


def _by_method(given: Candidate, first: RoutePath) -> str:
    given_methods = {path.condition: None for path in given.own_paths if path.condition in METHODS}
    missing = [method for condition, method in METHODS.items() if condition not in given_methods]
    remedy = "Use a match on the path alone."
    if not missing:
        return f"{given.route.ref} treats requests for {first.path} in different ways, by their method. {remedy}"
    methods = " or ".join(METHODS[condition] for condition in given_methods)
    return (
        f"{given.route.ref} sends requests for {first.path} to the app only if the method is {methods}. Chainlit needs "
        f"{', '.join(missing)} too, for example for feedback and threads. {remedy}"
    )


def path_has_a_prefix(given: Candidate) -> str:
    """A regular expression or a pattern must have a prefix, and let everything below it through."""
    for path in given.whole_paths:
        if is_readable(path):
            continue
        if path.matching is Matching.WILDCARD:
            return (
                f"Path {path.path!r} of {given.route.ref} has a wildcard before its end, so it has no fixed prefix. "
                "Use a plain path with type Prefix."
            )
        return (
            f"Path {path.path[:MAX_QUOTED]!r} of {given.route.ref} is a regular expression, {_unread(path)}. Use a "
            "plain path with type Prefix."
        )
    return ""


def _unread(path: RoutePath) -> str:
    """Why no prefix is known for an expression."""
    if path.matching is Matching.UNKNOWN:
        return "and the operator does not know whether its controller reads it as one"
    if why := expressions.why_not_evaluated(path.path, path.styles):
        return f"and the operator does not evaluate it because {why}"
    return "and there is no fixed prefix below which it matches all that Chainlit needs"


def path_is_not_exact(given: Candidate) -> str:
    """A path must let everything below it through."""
    if given.covering:
        return ""
    first = given.whole_paths[0]
    why = "has type Exact" if first.path_type == "Exact" else "matches only itself at its controller"
    return (
        f"Path {first.path!r} of {given.route.ref} {why}, so nothing below it arrives, and the WebSocket is "
        "below it. Use type Prefix."
    )


def path_is_one(given: Candidate) -> str:
    """The app must have one path, or one that the stated URL chooses; others must be Chainlit's own routes below it."""
    if given.stated_prefix is not None or all(map(given.is_own, given.by_prefix)):
        return ""
    listed = ", ".join(sorted(prefix or "/" for prefix in given.by_prefix))
    return (
        f"{given.route.ref} routes several paths to the app ({listed}), and Chainlit serves only one. Keep one path "
        "and redirect the others to it, or state the URL that browsers open in spec.route.url."
    )


def path_is_not_overridden(given: Candidate) -> str:
    """No other path of the route may take requests that Chainlit needs."""
    own = {id(path) for path in given.own_paths}
    other = next((path for path in given.overriding if id(path) not in own), None)
    if other is None:
        return ""
    where = f"to Service {other.service}" if other.service else "elsewhere (a redirect, or no Service)"
    return (
        f"{given.route.ref} sends {other.path} {where}, and Chainlit may need it at {given.chat_prefix or '/'}. Give "
        "the other backend a path that is not below it."
    )


def port_exists(given: Candidate) -> str:
    """The Service must have the port that the route names."""
    path = next((path for path in given.serving if not given.has_port(path)), None)
    if path is None:
        return ""
    service = given.services[path.service]
    ports = ", ".join(f"{port.port} {port.name}".strip() for port in service.ports) or "none"
    start = f"{given.route.ref} sends requests for {path.path} to"
    if path.target_port == ALL_PORTS and service.ports:
        return (
            f"{start} all ports of {service.ref} ({ports}), and Chainlit listens on one. Name its port in the "
            f"{given.route.ref.kind}."
        )
    port = path.port if path.target_port is None else f"{path.target_port} of the pods"
    named = f"port {port} of {service.ref}, which has no such port"
    if path.port == ONLY_PORT:
        named = f"{service.ref} without naming one of its ports"
    return f"{start} {named} ({ports}). Correct the backend of the {given.route.ref.kind}, or the Service's ports."


def path_is_supported(given: Candidate) -> str:
    """The path must have only characters that Chainlit and browsers treat alike."""
    fault = paths.problem(given.public_prefix)
    if not fault:
        return ""
    return (
        f"Chainlit cannot serve path {given.chosen.path!r} of {given.route.ref}: {fault}. Use segments of letters, "
        "digits and . _ ~ - only."
    )


def middleware_is_watched(given: Candidate) -> str:
    """A Middleware that the route names must be in a namespace that the operator watches."""
    missing, watched = given.missing_middleware, given.snapshot.watched
    if not missing or not watched or any(missing.startswith(f"{namespace}-") for namespace in watched):
        return ""
    return (
        f"{given.route.ref} uses Traefik Middleware {missing}, whose namespace the operator does not watch, so its "
        "effect on the path is unknown. Add the namespace to watchNamespaces of the operator's chart, or set "
        "spec.route.rewrite."
    )


def middleware_exists(given: Candidate) -> str:
    """A Middleware that the route names must exist."""
    missing = given.missing_middleware
    if not missing:
        return ""
    where = " in the namespaces that the operator watches" if given.snapshot.watched else ""
    return (
        f"{given.route.ref} uses Traefik Middleware {missing}, which does not exist{where}, so Traefik answers 404. "
        "Create it, correct the name, or set spec.route.rewrite."
    )


def rewrite_is_known(given: Candidate) -> str:
    """The operator must know how the edge changes the path."""
    unknown = next(filter(None, map(rewrites.why_unknown, given.transforms())), "")
    if not unknown:
        return ""
    return (
        f"{given.route.ref} has {unknown[:MAX_QUOTED]}, which may change the path on its way to the app. Set "
        "spec.route.rewrite to Strip if the whole path prefix is removed, or to None if the path stays as it is."
    )


def rewrite_keeps_the_rest(given: Candidate) -> str:
    """A rewrite must keep the rest of the path after the prefix."""
    if given.arriving(given.chosen, given.public_prefix) is not None:
        return ""
    if why := rewrites.why_lost(given.public_prefix, given.transforms()):
        return f"{given.route.ref} rewrites {given.chosen.path} so that pages and sockets are not found. {why}"
    return (
        f"{given.route.ref} rewrites {given.chosen.path} in a way that does not keep what comes after its prefix, so "
        "pages and sockets are not found. Strip a whole prefix, or leave the path alone."
    )


def rewrites_agree(given: Candidate) -> str:
    """All paths of the app must be rewritten alike."""
    # A route may have thousands of paths that differ in nothing that matters here.
    unlike = {(path.path, path.matching, path.styles, path.transforms): path for path in given.serving[1:]}
    for path in unlike.values():
        if not is_rewritten_alike(given, path, given.chat_prefixes):
            return (
                f"{given.route.ref} rewrites {path.path} and {given.chosen.path} of the app in different ways, so "
                "requests for one of them go astray. Give all of its rules the same rewrite."
            )
    return ""


def prefixes_align(given: Candidate) -> str:
    """The prefix that arrives must be the end of the prefix in the browser's URL (the law of alignment)."""
    if paths.align(given.public_prefix, given.backend_prefix) is not None:
        return ""
    return (
        f"{given.route.ref} turns {given.public_prefix or '/'} into {given.backend_prefix or '/'} on the way to the "
        "app, and Chainlit works only where the second is the end of the first. Strip a whole prefix, or leave the "
        "path alone."
    )


def requests_are_not_redirected(given: Candidate) -> str:
    """The edge must not redirect Chainlit's requests, at the route's path or where the pods serve Chainlit now."""
    own = [path for path in given.serving if path.service]
    present = given.present_prefix
    if present is not None and not redirected.fault(given.route, own, present):
        return ""
    return redirected.fault(given.route, own, given.chat_prefix)


RULES: tuple[Rule[Candidate], ...] = (
    Rule(Reason.ROUTE_NOT_ACCEPTED, route_has_paths),
    Rule(Reason.SERVICE_NOT_FOUND, service_exists),
    Rule(Reason.ROUTE_WITHOUT_BACKEND, backend_is_supported),
    Rule(Reason.ROUTE_WITHOUT_BACKEND, backend_leads_to_chainlit),
    Rule(Reason.ROUTE_WITHOUT_BACKEND, backend_selects_pods),
    Rule(Reason.REFERENCE_NOT_GRANTED, reference_is_granted),
    Rule(Reason.ROUTE_NOT_ACCEPTED, route_is_read),
    Rule(Reason.BACKEND_SHARED, backend_is_alone),
    Rule(Reason.CONDITIONAL_MATCH, requests_are_unconditional),
    Rule(Reason.REGULAR_EXPRESSION_PATH, path_has_a_prefix),
    Rule(Reason.EXACT_PATH, path_is_not_exact),
    Rule(Reason.SEVERAL_PATHS, path_is_one),
    Rule(Reason.PATH_SHADOWED, path_is_not_overridden),
    Rule(Reason.ROUTE_WITHOUT_BACKEND, port_exists),
    Rule(Reason.PATH_NOT_SUPPORTED, path_is_supported),
    Rule(Reason.REWRITE_UNKNOWN, middleware_is_watched),
    Rule(Reason.MIDDLEWARE_NOT_FOUND, middleware_exists),
    Rule(Reason.REWRITE_UNKNOWN, rewrite_is_known),
    Rule(Reason.REWRITE_NOT_SUPPORTED, rewrite_keeps_the_rest),
    Rule(Reason.REWRITE_NOT_SUPPORTED, rewrites_agree),
    Rule(Reason.REWRITE_NOT_SUPPORTED, prefixes_align),
    Rule(Reason.REDIRECTED_BY_ROUTE, requests_are_not_redirected),
)
