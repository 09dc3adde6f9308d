"""The routes of an app, read together: the one that gives the place, those that join it, and those that are left out.

People split routes: ``/chat`` and ``/chat/ws`` with other time limits, ``/slack/events`` without a login. A longer path
joins if its next segment is one of Chainlit's own. A route with a fault does not block a good one, unless it may get
requests that the app needs at the place of the good one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from chainlit_operator.domain import chainlit, paths
from chainlit_operator.domain.endpoint import Endpoint
from chainlit_operator.domain.model import Rewrite, Route, RouteStatus, Service, Snapshot
from chainlit_operator.domain.place import stated_url, without_mount
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import path_overrides, rules
from chainlit_operator.domain.resolution.answer import Resolved, Unresolved, resolved
from chainlit_operator.domain.resolution.candidate import Candidate
from chainlit_operator.domain.resolution.delivery import delivers
from chainlit_operator.domain.route_conflicts import share_listener
from chainlit_operator.domain.route_paths import is_own_route, prefix_of, prefixes_of
from chainlit_operator.domain.route_warnings import Seen
from chainlit_operator.domain.rule import Rule, first_fault

#: Reasons of a route that no edge serves.
_UNSERVED = frozenset({Reason.ROUTE_NOT_ACCEPTED, Reason.REFERENCE_NOT_GRANTED})
#: Reasons of a route whose requests reach the app as those of a good route do, if they are rewritten alike.
_DELIVERED = frozenset(
    {Reason.EXACT_PATH, Reason.CONDITIONAL_MATCH, Reason.REGULAR_EXPRESSION_PATH, Reason.PATH_NOT_SUPPORTED}
)
#: How many routes that are left out a message names.
_MAX_NAMED = 3

Fault = tuple[Reason, str]


class Together:
    """The routes of one app, each with its fault.

    Routes that lead to other ports of the pods are none of them, nor those that only redirect to https.
    """

    def __init__(self, snapshot: Snapshot, found: Endpoint) -> None:
        self.snapshot = snapshot
        every = [Candidate(snapshot, route, found) for route in snapshot.routes]
        candidates = [given for given in every if given.own_paths] or every
        self._faults = {id(given): first_fault(rules.RULES, given) for given in candidates}
        secure = [given for given in candidates if given.is_secure and self._faults[id(given)] is None]
        self.candidates = [given for given in candidates if not self._leads_to_one(given, secure)]

    def _leads_to_one(self, given: Candidate, secure: Sequence[Candidate]) -> bool:
        """Whether a route only sends browsers to one of these, at the same hosts."""
        if not secure or self._faults[id(given)] is not None or not given.only_redirects:
            return False
        return any(
            _is_along(given.public_prefix, other.public_prefix)
            and given.serving_hosts.keys() <= other.serving_hosts.keys()
            for other in secure
        )

    @cached_property
    def good(self) -> list[Candidate]:
        """The routes without a fault."""
        return [given for given in self.candidates if self._faults[id(given)] is None]

    @cached_property
    def faulty(self) -> list[tuple[Candidate, Fault]]:
        """The routes with a fault that are no part of the app's place, with the fault."""
        found = ((given, self._faults[id(given)]) for given in self.candidates)
        return [(given, fault) for given, fault in found if fault is not None and not self._joins_in_parts(given)]

    @cached_property
    def main(self) -> Candidate:
        """The route that gives the place: the one that serves the stated URL best, else the one with the shortest path.

        Of several with the same path, the first one that has an address. There must be a good route.
        """
        spec = self.snapshot.app.spec
        url = stated_url(spec.url)
        if url is not None:
            opened = without_mount(url.prefix, spec.mount_path)
            serving = [given for given in self.good if paths.is_below(opened, given.public_prefix)]
            if serving:
                return max(serving, key=lambda given: len(given.public_prefix))
        return min(self.good, key=lambda given: (len(given.public_prefix), not given.origin))

    @cached_property
    def unlike(self) -> list[Candidate]:
        """The good routes that neither have the place nor join it."""
        return [given for given in self.good if given is not self.main and not self.joins(given)]

    def joins(self, given: Candidate) -> bool:
        """Whether a route has the place of the main one, or a part of it that is Chainlit's own, rewritten alike."""
        return self.main.is_own(given.public_prefix) and paths.agree(self.main.prefixes, given.prefixes)

    def _joins_in_parts(self, given: Candidate) -> bool:
        """Whether a route with several paths joins the main one with each of them."""
        fault = self._faults[id(given)]
        if fault is None or fault[0] is not Reason.SEVERAL_PATHS or not self.good:
            return False
        return all(first_fault(rules.RULES, part) is None and self.joins(part) for part in _parts(given))

    @cached_property
    def joined(self) -> list[Candidate]:
        """The main route, and those that join it."""
        others = [given for given in self.good if given is not self.main and given not in self.unlike]
        faulty = [given for given, _ in self.faulty]
        parts = [given for given in self.candidates if given not in self.good and given not in faulty]
        return [self.main, *others, *(part for given in parts for part in _parts(given))]


def _is_along(one: str, other: str) -> bool:
    """Whether one of two prefixes is below the other."""
    return paths.is_below(one, other) or paths.is_below(other, one)


def _parts(given: Candidate) -> Iterator[Candidate]:
    """The route of a candidate once for each prefix of its paths to the app, without the paths of other prefixes."""
    own = {id(path) for path in given.own_paths}
    for prefix in given.by_prefix:
        kept = tuple(path for path in given.route.paths if id(path) not in own or prefix in prefixes_of(path))
        yield Candidate(given.snapshot, replace(given.route, paths=kept), given.endpoint, only=prefix)


# ------------------------------------------------------------------------------------------------------ the rules


def routes_have_one_place(found: Together) -> str:
    """The routes must have one path, or paths below it that are Chainlit's own, and rewrite them alike.

    A stated URL says which of several paths counts, unless another route takes requests for that path.
    """
    is_stated = bool(found.snapshot.app.spec.url)
    if not any(not is_stated or _takes(found, given, is_delivered=True) for given in found.unlike):
        return ""
    listed = ", ".join(f"{_shown(given)} ({_summary(found, given)})" for given in found.candidates)
    services = ", ".join(sorted(service.ref.name for service in found.snapshot.services))
    return (
        f"Routes to Service {services} have different paths: {listed}. Set spec.route.ref to the route to use, or give "
        "all routes the same path."
    )


def routes_have_one_controller(found: Together) -> str:
    """Routes at one place that one controller may serve must not be read for different ones."""
    main = found.main
    for given in found.candidates:
        is_guess = main.route.read_as and given.route.read_as and not main.is_rewrite_stated
        if is_guess and main.route.read_as != given.route.read_as and _takes(found, given, is_delivered=False):
            controllers = ", ".join(dict.fromkeys((*main.route.read_as, *given.route.read_as)))
            return (
                f"{main.route.ref} and {given.route.ref} have rewrites for different ingress controllers "
                f"({controllers}), and a controller that serves both ignores some of them. Remove the annotations of "
                "the others, or set ingressClassName to the usual class of the right one."
            )
    return ""


def stated_url_is_served(found: Together) -> str:
    """The route must serve the path of the stated URL, or the end of it."""
    main, url = found.main, stated_url(found.snapshot.app.spec.url)
    if main.place is not None or url is None:
        return ""
    return (
        f"spec.route.url has path {url.prefix or '/'}, and {main.route.ref} serves {main.public_prefix}, so "
        "what arrives at the app is not known. Correct the URL, or set spec.route.backendPath to the path that arrives."
    )


RULES: tuple[Rule[Together], ...] = (
    Rule(Reason.ROUTE_AMBIGUOUS, routes_have_one_place),
    Rule(Reason.ROUTE_AMBIGUOUS, routes_have_one_controller),
    Rule(Reason.STATED_URL_NOT_SERVED, stated_url_is_served),
)


def _shown(given: Candidate) -> str:
    return str(given.route.ref) if given.elsewhere else f"{given.route.ref.kind} {given.route.ref.name}"


def _summary(found: Together, given: Candidate) -> str:
    """The path of a good route, with what arrives of it where it is not the whole; else the reason of the fault."""
    fault = next((reason for other, (reason, _) in found.faulty if other is given), None)
    if fault is not None:
        return str(fault)
    is_whole = given.backend_prefix == given.public_prefix
    arrives = "" if is_whole else f", of which {given.backend_prefix or '/'} arrives"
    return f"{given.public_prefix or '/'}{arrives}"


def _blocking(found: Together) -> Fault | None:
    """The fault of the first route that may get requests that the app needs; a good route does not make up for it."""
    for given, fault in found.faulty:
        reason, is_delivered = fault[0], fault[0] in _DELIVERED
        if reason in _UNSERVED:
            continue
        is_meant = reason is Reason.SEVERAL_PATHS and not found.snapshot.app.spec.url
        if is_meant or _contains(found.main, given, is_delivered=is_delivered):
            return fault
        if _takes(found, given, is_delivered=is_delivered):
            return fault
    return None


def _contains(main: Candidate, given: Candidate, *, is_delivered: bool) -> bool:
    """Whether the place of the main route is that of a route with a fault, or a part of it that is Chainlit's own.

    ``is_delivered`` says that the requests of that route reach the app.
    """
    top = main.public_prefix
    prefixes = {prefix for path in given.covering for prefix in prefixes_of(path)}
    return any(is_own_route(top, prefix) and not (is_delivered and prefix == top) for prefix in prefixes)


def _takes(found: Together, given: Candidate, *, is_delivered: bool) -> bool:
    """Whether a path of a route with a fault takes requests away from the main route, at one of its hosts.

    ``is_delivered`` says that the requests reach the app: then only another rewrite does harm.
    """
    main, hosts = found.main, found.main.serving_hosts
    if not share_listener(main.route.attachments, given.route.attachments):
        return False
    return any(
        path_overrides.takes(main.route.precedence, path, mine, main.chat_prefix)
        and not (is_delivered and delivers(given, path, main.chat_prefixes))
        for path in given.own_paths
        for mine in path_overrides.beside(path, hosts)
    )


# ------------------------------------------------------------------------------------------------------ the answer


def answer(snapshot: Snapshot, at: Endpoint) -> Resolved | Unresolved:
    """Return the one answer of all routes of the snapshot; there must be one. ``at`` is the app's endpoint."""
    found = Together(snapshot, at)
    if not found.good:
        return Unresolved(*found.faulty[0][1])
    fault = first_fault(RULES, found) or _blocking(found)
    return Unresolved(*fault) if fault is not None else _resolved(found)


def _resolved(found: Together) -> Resolved:
    given, spec = found.main, found.snapshot.app.spec
    chosen, place, public = given.chosen, given.place, given.public_prefix
    assert place is not None  # the rule stated_url_is_served ensures it
    stated = stated_url(spec.url)
    at_edge = place.public if paths.is_below(place.public, public) else public
    answer = resolved(
        place,
        at_edge,
        status=RouteStatus(
            kind=given.route.ref.kind,
            name=given.route.ref.name,
            host=chosen.host,
            path=public or "/",
            path_type=chosen.path_type,
            rewrite=str(Rewrite.NONE if given.backend_prefix == public else Rewrite.STRIP),
            namespace=""
            if given.route.ref.namespace == found.snapshot.app.ref.namespace
            else given.route.ref.namespace,
        ),
        origin=given.origin if stated is None else stated.origin,
        mount_path=spec.mount_path,
        backend=(given.services[chosen.service], chosen.port),
    )
    return replace(
        answer,
        web_socket_refusal=_web_socket_refusal(found, answer.chat_prefix),
        warnings=(*_warnings(found, answer.root_paths), *_left_out(found)),
        carriers=tuple(_carriers(found)),
    )


def _carriers(found: Together) -> Iterator[tuple[Route, Service]]:
    """The routes with requests of a session, each with the Service behind it: those of bots and of files have none."""
    public, seen = found.main.public_prefix, set()
    for given in found.joined:
        for path in given.serving:
            prefix, service = prefix_of(path), given.services.get(path.service)
            is_whole = paths.is_below(public, prefix)
            is_part = any(paths.is_below(prefix, f"{public}{name}") for name in chainlit.SESSION_PATHS)
            if service is not None and (is_whole or is_part) and (given.route.ref, service.ref) not in seen:
                seen.add((given.route.ref, service.ref))
                yield given.route, service


def _warnings(found: Together, roots: paths.RootPaths) -> tuple[str, ...]:
    """The texts of the warnings of all paths of the app, each once."""
    root_path = "" if found.snapshot.app.spec.mount_path else roots.root_path
    workload = found.snapshot.workload
    probes = [probe for container in workload.containers for probe in container.probes] if workload is not None else []
    is_probed = any(probe.field == "readinessProbe" for probe in probes)
    # A route may have thousands of paths with the same warnings.
    warnings = dict.fromkeys(
        ((service.type, service.settings), warning)
        for given in found.joined
        for path in given.serving
        if (service := given.services.get(path.service)) is not None
        for warning in path.warnings
    )
    texts = (warning.text(Seen(root_path, type_, dict(settings), is_probed)) for (type_, settings), warning in warnings)
    return tuple(dict.fromkeys(text for text in texts if text))


def _left_out(found: Together) -> Iterator[str]:
    """A sentence for the routes, and paths of the main one, that are left out."""
    faulty = [f"{_shown(given)} ({reason})" for given, (reason, _) in found.faulty]
    unlike = [f"{_shown(given)} ({_summary(found, given)})" for given in found.unlike]
    beside = (prefix or "/" for prefix in found.main.by_prefix if not found.main.is_own(prefix))
    paths_beside = [f"path {prefix} of {_shown(found.main)}" for prefix in sorted(beside)]
    left_out: Sequence[str] = [*faulty, *unlike, *paths_beside]
    if left_out:
        more = f" and {len(left_out) - _MAX_NAMED} more" if len(left_out) > _MAX_NAMED else ""
        yield f"Left out: {', '.join(left_out[:_MAX_NAMED])}{more}."


def _web_socket_refusal(found: Together, public: str) -> str:
    """Why the edge refuses the WebSocket, empty if it does not. The longest path that matches the socket decides."""
    socket, hosts = f"{public}/{chainlit.SOCKET}", found.main.serving_hosts
    route, serving = max(
        (
            (given.route, path)
            for given in found.joined
            for path in given.serving
            if paths.is_below(socket, prefix_of(path)) and (given is found.main or path.host in hosts)
        ),
        key=lambda pair: len(prefix_of(pair[1])),
    )
    refusal = serving.web_socket_refusal
    if refusal is None:
        return ""
    answer = f" with status {refusal.status}" if refusal.status else ""
    return f"{refusal.controller} refuses the WebSocket at {route.ref}{answer}. {refusal.remedy}"
