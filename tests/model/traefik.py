"""Traefik's Middlewares: what they make of a path, and how people write them."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from tests import objects as make
from tests.model.drawing import often
from tests.model.expressions import replaced_as_go, searched
from tests.model.paths import with_slash
from tests.model.world import World
from tests.objects import Object


def after_middleware(namespace: str, name: str, path: str, world: World, around: tuple[str, ...] = ()) -> str | None:
    """What a Middleware makes of a path; None if it is missing, part of itself, or does something unknown."""
    middleware = world.find("Middleware", namespace, name)
    if middleware is None or name in around:
        return None
    spec = middleware["spec"]
    if "chain" in spec:
        found: str | None = path
        for member in spec["chain"]["middlewares"]:
            if found is not None:
                found = after_middleware(namespace, member["name"], found, world, (*around, name))
        return found
    if "redirectRegex" in spec:
        return path if _stays(spec["redirectRegex"], world.origin, path) else None
    known = next((change for key, change in _MIDDLEWARES.items() if key in spec), None)
    if known is not None:
        return known(next(spec[key] for key in _MIDDLEWARES if key in spec), path)
    return None if "plugin" in spec else path


def _strip_prefix(spec: Object, path: str) -> str:
    prefix = next((prefix for prefix in spec["prefixes"] if path.startswith(prefix)), "")
    return with_slash(path.removeprefix(prefix))


def _strip_prefix_regex(spec: Object, path: str) -> str:
    for expression in spec["regex"]:
        found = searched(expression, path)
        if found is not None and found[0] and path.startswith(found[0]):
            return with_slash(path.removeprefix(found[0]))
    return path


def _replace_path_regex(spec: Object, path: str) -> str:
    return replaced_as_go(spec["regex"], spec["replacement"], path)


def _stays(spec: Object, origin: str, path: str) -> bool:
    """Whether a redirect leaves a request alone, or keeps its host and path."""
    asked, told = (
        urlsplit(url) for url in (origin + path, replaced_as_go(spec["regex"], spec["replacement"], origin + path))
    )
    return (asked.hostname, asked.path) == (told.hostname, told.path)


_MIDDLEWARES: dict[str, Callable[[Object, str], str]] = {
    "stripPrefix": _strip_prefix,
    "stripPrefixRegex": _strip_prefix_regex,
    "replacePath": lambda spec, path: spec["path"],
    "replacePathRegex": _replace_path_regex,
    "addPrefix": lambda spec, path: spec["prefix"] + path,
}


@st.composite
def middlewares(draw: DrawFn, prefix: str) -> list[Object]:
    specs = draw(st.lists(_middleware_spec(prefix), min_size=1, max_size=3))
    return [make.middleware(f"m{n}", spec) for n, spec in enumerate(specs)]


def _middleware_spec(prefix: str) -> SearchStrategy[Object]:
    base = prefix.rstrip("/")
    parent = base.rpartition("/")[0]
    strips = often(
        *([f"{base}/"], [parent or "/"], [parent or "/", base or "/"], ["/ch"], ["/other"]),
        usually=([base or "/"],),
        odds=1,
    )
    expressions = [[base], [f"^{base}"], [f"{base}$"], [f"{base}/"], ["/[a-z]+"], [f"{base}/(.*)"]]
    expressions += [["^/[^/]+/"], ["/shop", f"^({parent})?/[a-z0-9.]+"], [f"{base}(?=/)"], ["/ws"], ["x*", base]]
    replaced = [
        (f"^{base}/(.*)", "/$1"),
        (f"^{base}(/|$)", "/"),
        (f"^{base}/?(.*)", "/$1"),
        (f"^{base}", ""),
        (f"^{base}$", "/"),
        (f"^{base}/(.*)", f"{parent}/$1"),
        (f"{base}/(.*)", "/$1"),
        ("^/(.*)", f"{base}/$1"),
        (f"^{base}(/.*)?", "$1"),
        ("^/[^/]+(?P<rest>/.*)", "${rest}"),
        (f"{base}", ""),
        ("/+", "/"),
        ("(.*)", "$1"),
        (f"^{base}/(.*)", "/$1x"),
        (f"^{base}(?=/)", ""),
    ]
    redirects = [
        ("^http://(.*)", "https://$1"),
        ("^https?://[^/]+/(.*)", "https://z.example/$1"),
        (f"^(https?://[^/]+{base})$", "${1}/"),
        ("/ws/.*", "/"),
        ("^(https?://)www[.](.*)", "$1$2"),
    ]
    return st.one_of(
        strips.map(lambda found: {"stripPrefix": {"prefixes": found}}),
        strips.map(lambda found: {"stripPrefix": {"prefixes": found}}),
        st.sampled_from(expressions).map(lambda found: {"stripPrefixRegex": {"regex": found}}),
        st.sampled_from(replaced).map(lambda r: {"replacePathRegex": {"regex": r[0], "replacement": r[1]}}),
        st.sampled_from(redirects).map(lambda r: {"redirectRegex": {"regex": r[0], "replacement": r[1]}}),
        st.sampled_from(
            [
                {"headers": {"customRequestHeaders": {"X-Team": "a"}}},
                {"headers": {"customRequestHeaders": {"X-Team": "b"}}},
                {"compress": {}},
                {"addPrefix": {"prefix": "/chat"}},
                {"replacePath": {"path": "/"}},
                {"chain": {"middlewares": [{"name": "m0"}]}},
                {"chain": {"middlewares": [{"name": "m1"}, {"name": "m0"}]}},
            ]
        ),
    )
