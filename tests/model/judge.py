"""Whether an app is served: every request of a browser, on every edge that may be the route's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from tests.model.chainlit import Chainlit, visit
from tests.model.edges import Delivered, World, outcomes
from tests.objects import Object


@dataclass(frozen=True)
class Answer:
    """A way to be served: what the user opens, and the variables of the app."""

    url: str
    chainlit: Chainlit


def trouble(answer: Answer, route: Object, objects: list[Object], beside: Sequence[Object] = ()) -> str:
    """Return the first request that goes wrong, and how; empty if the app is served whatever the edge.

    ``beside`` are other routes, which may take requests away.
    """
    world, own = World(objects), _own_services(objects)
    if not answer.chainlit.starts:
        return "the app does not start, or its page is blank"
    for request, wanted in visit(answer.url, answer.chainlit):
        for edge, found in outcomes(route, world, request, beside).items():
            for outcome in found:
                if not isinstance(outcome, Delivered):
                    return f"{edge}: {request.method} {request.path}: {outcome.why}"
                served = (
                    answer.chainlit.serves(request.method, outcome.path) if outcome.service in own else "another app"
                )
                if served != wanted:
                    told = served or "nothing"
                    return f"{edge}: {request.method} {request.path} → {outcome.path}: {told} instead of {wanted}"
    return ""


def answers(objects: list[Object], routes: list[Object]) -> Iterator[tuple[Object, Answer]]:
    """All ways in which the app is served, found by trying: each path of a route, split at each of its slashes."""
    for route in routes:
        for origin, prefix in product(sorted(_origins(route, objects)), sorted(prefixes(route))):
            for chainlit in splits(prefix):
                answer = Answer(f"{origin}{prefix}/", chainlit)
                if not trouble(answer, route, objects):
                    yield route, answer


def addresses(route: Object, objects: list[Object], prefix: str) -> Iterator[str]:
    """All URLs of a prefix that the route's objects name: neither any host nor a wildcard one."""
    for origin, host in sorted(_hosts(route, objects).items()):
        if host and "*" not in host:
            yield f"{origin}{prefix}/"


def _own_services(objects: list[Object]) -> frozenset[str]:
    return frozenset(
        found["metadata"]["name"]
        for found in objects
        if found["kind"] == "Service" and found["spec"]["selector"] == {"app": "chat"}
    )


def is_whole(route: Object, objects: list[Object]) -> bool:
    """Whether all requests that a route takes are for the app; others are conflicts between routes."""
    own, spec = _own_services(objects), route["spec"]
    if route["kind"] == "HTTPRoute":
        backends = [[ref for ref in rule.get("backendRefs", ()) if ref.get("weight", 1)] for rule in spec["rules"]]
        is_redirect = any(found["type"] == "RequestRedirect" for rule in spec["rules"] for found in rule["filters"])
        return not is_redirect and all(refs and {ref["name"] for ref in refs} <= own for refs in backends)
    paths = [path for rule in spec.get("rules", []) for path in rule["http"]["paths"]]
    targets = [path["backend"] for path in paths] or [spec.get("defaultBackend", {})]
    return all(target.get("service", {}).get("name") in own for target in targets)


def splits(prefix: str) -> Iterator[Chainlit]:
    """The apps whose page has a prefix, for each way to share it between the two variables."""
    segments = prefix.split("/")[1:]
    for cut in range(len(segments) + 1):
        parent, root = segments[:cut], segments[cut:]
        yield Chainlit("".join(f"/{s}" for s in root), "".join(f"/{s}" for s in parent))


def prefixes(route: Object) -> set[str]:
    """Return what a path may mean: all of it up to the first sign of an expression, cut at a slash."""
    if route["kind"] == "HTTPRoute":
        matches = [match for rule in route["spec"]["rules"] for match in rule["matches"]]
        texts = [match["path"]["value"] for match in matches]
    else:
        rules = route["spec"].get("rules", [])
        texts = [path["path"] for rule in rules for path in rule["http"]["paths"]] or ["/"]
    plain = [text.removeprefix("^") for text in texts]
    cut = [text[: next((n for n, char in enumerate(text) if char in "()[]$*?|"), len(text))] for text in plain]
    return {text.rstrip("/.") for text in cut}


def _origins(route: Object, objects: list[Object]) -> set[str]:
    return set(_hosts(route, objects))


def _hosts(route: Object, objects: list[Object]) -> dict[str, str]:
    """Origins at which a route may be asked, each with the host as the objects have it."""
    if route["spec"].get("ingressClassName") == "tailscale":  # its name is none of the hosts of rules
        return {}
    if route["kind"] == "Ingress":
        hosts = [rule.get("host", "") for rule in route["spec"].get("rules", [])] or [""]
        return {f"http://{_concrete(host)}": host for host in hosts}
    gateways = [found for found in objects if found["kind"] == "Gateway"]
    listeners = [listener for gateway in gateways for listener in gateway["spec"]["listeners"]]
    return {
        f"http{'s' if listener['protocol'] == 'HTTPS' else ''}://{_concrete(host)}:{listener['port']}": host
        for listener in listeners
        if listener["protocol"] in ("HTTP", "HTTPS")
        for host in (*route["spec"]["hostnames"], listener.get("hostname", ""))
    }


def _concrete(host: str) -> str:
    return host.replace("*", "some") or "any.example"
