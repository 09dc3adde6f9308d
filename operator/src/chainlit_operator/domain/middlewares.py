"""Traefik Middlewares: the transforms of the Middlewares that a route names, also of chains of Middlewares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.model.route import Dependency, Find, Middleware, Route

MAX_CHAIN_DEPTH = 8
MAX_MIDDLEWARES = 100
MAX_EXPRESSIONS = 10
KIND = "Middleware"


def compose(route: Route, find: Find) -> Route:
    """Return the route with the transforms of its Middlewares in place of their keys."""
    # By identity: all paths of an Ingress share one tuple of keys, and there may be thousands of paths.
    keys = {id(path.middlewares): path.middlewares for path in route.paths if path.middlewares}
    if not keys:
        return route
    found = {name: expand(members, find) for name, members in keys.items()}
    paths = tuple(
        replace(path, transforms=(*path.transforms, *found[id(path.middlewares)]), middlewares=())
        if path.middlewares
        else path
        for path in route.paths
    )
    return replace(route, paths=paths)


def expand(keys: Iterable[str], find: Find) -> tuple[rewrites.Transform, ...]:
    """Return the transforms of the Middlewares with these keys, in order.

    A Middleware that does not exist, or a chain that is circular, gives one ``Missing``.
    """
    transforms: list[rewrites.Transform] = []
    count = 0
    for key in keys:
        pending = [(key, 0)]
        while pending:
            name, depth = pending.pop()
            middleware = _middleware(name, find)
            if middleware is None or depth > MAX_CHAIN_DEPTH:
                return (rewrites.Missing(key if middleware is not None else name),)
            count += 1
            if count > MAX_MIDDLEWARES:  # a chain of chains can have a million members
                return (rewrites.Unknown(f"more than {MAX_MIDDLEWARES} Traefik Middlewares"),)
            transforms += middleware.transforms
            pending += [(member, depth + 1) for member in reversed(middleware.chain)]
    if rewrites.count_expressions(transforms) > MAX_EXPRESSIONS:
        return (rewrites.Unknown(f"more than {MAX_EXPRESSIONS} regular expressions in Traefik Middlewares"),)
    return tuple(transforms)


def _middleware(key: str, find: Find) -> Middleware | None:
    """The Middleware with a key. If two that differ have it (a-b in c, b in c-a), its effect is unknown."""
    found = [each for each in find(Dependency(KIND, key)) if isinstance(each, Middleware)]
    if len({(each.transforms, each.chain) for each in found}) > 1:
        both = rewrites.Unknown(f"two Traefik Middlewares called {key}")
        return replace(found[0], transforms=(both,), chain=())
    return found[0] if found else None
