"""Whether an app is served: every request of a browser, on every edge that may be the route's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from tests.model.chainlit import Chainlit, Request, visit
from tests.model.registry import model_of
from tests.model.world import Delivered, Outcome, World
from tests.objects import Object


@dataclass(frozen=True)
class Answer:
    """A way to be served: what the user opens, and the variables of the app."""

    url: str
    chainlit: Chainlit


def outcomes(route: Object, world: World, request: Request, beside: Sequence[Object] = ()) -> dict[str, set[Outcome]]:
    """Where a request may go, for each edge that may be the route's.

    Whether another object takes its requests away is seen only of the routes ``beside`` it, of any kind.
    """
    world.origin = f"{request.scheme}://{request.host}"
    found = {}
    for edge in model_of(route).edges(route):
        there = [route, *(other for other in beside if model_of(other).is_at(other, edge, route))]
        claims = [claim for one in there for claim in model_of(one).claims(one, world, request, edge)]
        first = max(claim.precedence for claim in claims)
        found[edge] = {claim.outcome for claim in claims if claim.precedence == first}
    return found


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
        for origin, prefix in product(sorted(model_of(route).hosts(route, objects)), sorted(prefixes(route, objects))):
            for chainlit in splits(prefix):
                answer = Answer(f"{origin}{prefix}/", chainlit)
                if not trouble(answer, route, objects):
                    yield route, answer


def addresses(route: Object, objects: list[Object], prefix: str) -> Iterator[str]:
    """All URLs of a prefix that the route's objects name: neither any host nor a wildcard one."""
    for origin, host in sorted(model_of(route).hosts(route, objects).items()):
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
    own = _own_services(objects)
    return all(names and names <= own for names in model_of(route).targets(route, objects))


def splits(prefix: str) -> Iterator[Chainlit]:
    """The apps whose page has a prefix, for each way to share it between the two variables."""
    segments = prefix.split("/")[1:]
    for cut in range(len(segments) + 1):
        parent, root = segments[:cut], segments[cut:]
        yield Chainlit("".join(f"/{s}" for s in root), "".join(f"/{s}" for s in parent))


def prefixes(route: Object, objects: list[Object]) -> set[str]:
    """Return what a path may mean: all of it up to the first sign of an expression, cut at a slash."""
    plain = [text.removeprefix("^") for text in model_of(route).paths(route, objects)]
    cut = [text[: next((n for n, char in enumerate(text) if char in "()[]$*?|"), len(text))] for text in plain]
    return {text.rstrip("/.") for text in cut}
