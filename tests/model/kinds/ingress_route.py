"""IngressRoute of Traefik: by its documentation of rules and priorities."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from tests import objects as make
from tests.model import traefik
from tests.model.chainlit import Request
from tests.model.drawing import HOST, often, paths_around, some, spelled
from tests.model.edges import TRAEFIK
from tests.model.expressions import searched
from tests.model.paths import concrete, host_of_one_label
from tests.model.route_model import Flavour, Part, RouteModel, Setting
from tests.model.world import Claim, Delivered, Lost, Outcome, World
from tests.objects import Object

_MATCHER = re.compile(r"(Host|HostRegexp|PathPrefix|PathRegexp|Path)\(`([^`]*)`\)")


class IngressRoute(RouteModel):
    """The IngressRoute of Traefik 3."""

    kind = "IngressRoute"
    flavours = (Flavour("ingress-route", 5, beside=("plain",)),)

    def edges(self, route: Object) -> tuple[str, ...]:
        """Traefik alone reads it."""
        return (TRAEFIK,)

    def claims(self, route: Object, world: World, request: Request, edge: str) -> Iterator[Claim]:
        """Each of its routes that matches, with its priority: of equal ones, Traefik takes any."""
        yield Claim((), Lost("404: no rule matches"))
        for found in route["spec"]["routes"]:
            if request.scheme == _scheme(route) and "parentRefs" not in route["spec"] and _matches(found, request):
                priority = found.get("priority") or len(found["match"])
                for outcome in _outcomes(found, route["metadata"]["namespace"], request.path, world):
                    yield Claim((priority,), outcome)

    def paths(self, route: Object, objects: list[Object]) -> list[str]:
        """Those of its matchers."""
        rules = [found["match"] for found in route["spec"]["routes"]]
        found = [_texts(rule, "PathPrefix", "PathRegexp", "Path") for rule in rules]
        return [path for paths in found for path in paths or ["/"]]

    def hosts(self, route: Object, objects: list[Object]) -> dict[str, str]:
        """Those of its matchers, by the scheme of its entry points."""
        rules = [found["match"] for found in route["spec"]["routes"]]
        hosts = [host for rule in rules for host in _texts(rule, "Host") or [_any_host(rule)]]
        return {f"{_scheme(route)}://{concrete(host)}": host for host in hosts}

    def targets(self, route: Object, objects: list[Object]) -> Iterator[frozenset[str]]:
        """Those with a weight, of the own namespace."""
        for found in route["spec"]["routes"]:
            yield frozenset(service["name"] for service in _used(found) if _is_service(service))

    def is_single(self, route: Object, objects: list[Object]) -> bool:
        """One rule with one path."""
        return len(route["spec"]["routes"]) == 1 and len(self.paths(route, objects)) == 1

    def companions(self, prefix: str, flavour: str) -> SearchStrategy[list[Object]]:
        """Middlewares."""
        return traefik.middlewares(prefix)

    def route(self, setting: Setting) -> SearchStrategy[Object]:
        """The main rule, and others in any order."""
        return _ingress_route(setting)

    def part(self, route: Object, part: Part) -> SearchStrategy[Object]:
        """At the same entry points."""
        return _part(route, part)


MODEL = IngressRoute()


def _texts(rule: str, *names: str) -> list[str]:
    return [text for name, text in _MATCHER.findall(rule) if name in names]


def _any_host(rule: str) -> str:
    return "*.example" if "HostRegexp" in rule else ""


def _scheme(route: Object) -> str:
    points = route["spec"].get("entryPoints", [])
    return "https" if "tls" in route["spec"] or points == ["websecure"] else "http"


def _matches(found: Object, request: Request) -> bool:
    """Evaluate a rule as it is written, with Python's words for its operators.

    Headers and query parameters that rules ask for are none that a browser sends by itself.
    """
    matchers: dict[str, Callable[..., bool]] = {
        "Host": lambda text: host_of_one_label(text, request.host),
        "HostRegexp": lambda text: searched(text, request.host) is not None,
        "Path": lambda text: request.path == text,
        "PathPrefix": request.path.startswith,
        "PathRegexp": lambda text: searched(text, request.path) is not None,
        "Method": lambda text: request.method == text,
        "Header": lambda *_: False,
        "Query": lambda *_: False,
        "ClientIP": lambda _: False,
    }
    pieces = found["match"].split("`")
    for n, piece in enumerate(pieces):
        words = piece.replace("&&", " and ").replace("||", " or ").replace("!", " not ")
        pieces[n] = repr(piece) if n % 2 else words
    try:
        return bool(eval("".join(pieces).strip(), {"__builtins__": {}}, matchers))
    except (SyntaxError, TypeError):  # Traefik serves no such router
        return False


def _used(found: Object) -> list[Object]:
    services: list[Object] = found.get("services", [])
    return services if len(services) == 1 else [service for service in services if service.get("weight", 1)]


def _is_service(service: Object) -> bool:
    """Whether it is a Service of the namespace. Traefik's default allows no other one."""
    return service.get("kind", "Service") == "Service" and "namespace" not in service


def _outcomes(found: Object, namespace: str, path: str, world: World) -> Iterator[Outcome]:
    after: str | None = path
    for reference in found.get("middlewares", []):
        if after is not None and "@" not in reference["name"]:
            after = traefik.after_middleware(namespace, reference["name"], after, world)
        else:
            after = None
    if after is None:
        yield Lost("a Middleware that is missing, or of which nothing is known")
        return
    used = _used(found)
    if not used:
        yield Lost("503: no service")
    for service in used:
        if not _is_service(service) or not world.has_port(namespace, service["name"], service.get("port", 0)):
            yield Lost("404: no such Service, or no such port")
        else:
            yield Delivered(service["name"], after or "/")


# ------------------------------------------------------------------------------------------------ how people write it


@st.composite
def _ingress_route(draw: DrawFn, setting: Setting) -> Object:
    prefix, middlewares = setting.prefix, setting.names("Middleware")
    two = f"(Host(`{HOST}`) || Host(`b.example`))"
    host = draw(often("", "Host(`*.example`)", "HostRegexp(`^[a-z]+.example$`)", two, usually=(f"Host(`{HOST}`)",)))
    main = draw(_router(host, _main_path(prefix), middlewares, is_main=True))
    elsewhere = often("", "Host(`b.example`)", usually=(host,)).flatmap(
        lambda at: _router(at, _path(paths_around(prefix)), middlewares, is_main=False)
    )
    more = draw(some(elsewhere))
    place = draw(st.integers(0, len(more)))
    spec: Object = draw(often({"tls": {}}, {"parentRefs": [{"name": "edge"}]}, usually=({},)))
    points = draw(often([], ["websecure"], ["web", "websecure"], usually=(["web"],)))
    return make.ingress_route(*more[:place], main, *more[place:], name="route", entry_points=points, **spec)


def _main_path(prefix: str) -> SearchStrategy[str]:
    base = prefix.rstrip("/")
    usual = _path(spelled(prefix, loosely=False))
    rare = (
        f"Path(`{prefix}`)",
        f"PathRegexp(`^{base}(/|$)`)",
        f"PathRegexp(`^{base}/.*`)",
        f"(Path(`{prefix}`) || PathPrefix(`{base}/`))",
        f"(PathPrefix(`{base}/ws`) || PathPrefix(`{base}/`))",
        f"(PathPrefix(`{prefix}`) || PathPrefix(`/bot`))",
        f"PathPrefix(`{prefix}`) && !PathPrefix(`{base}/shop`)",
        f"PathPrefix(`{prefix}`) && !PathPrefix(`{base}/ws`)",
        f"PathPrefix(`{prefix}`) && !PathPrefix(`/admin`)",
        f"PathPrefix(`{prefix}`) && Method(`GET`)",
        f"PathPrefix(`{prefix}`) && (Method(`GET`) || Method(`POST`) || Method(`PUT`) || Method(`DELETE`))",
        f"PathPrefix(`{prefix}`) && Header(`X-Beta`, `1`)",
        f"PathPrefix(`{prefix}`) && ClientIP(`10.0.0.0/8`)",
        f"PathPrefix(`{prefix}`) && (",
    )
    return often(*map(st.just, rare), usually=(usual,)).flatmap(lambda found: found)


def _path(texts: SearchStrategy[str]) -> SearchStrategy[str]:
    odd = ("Path", "PathRegexp")
    return st.tuples(often(*odd, usually=("PathPrefix",), odds=20), texts).map(
        lambda found: f"{found[0]}(`{found[1]}`)"
    )


@st.composite
def _router(draw: DrawFn, host: str, path: SearchStrategy[str], middlewares: list[str], *, is_main: bool) -> Object:
    rule = " && ".join(filter(None, (host, draw(path))))
    service = draw(often("chat-2", "missing", usually=("chat",) if is_main else ("other", "other", "chat"), odds=20))
    port = draw(often("web", 8000, usually=("http", 80), odds=40))
    services = [make.traefik_service(service, port)]
    more = ({"weight": 0}, {"kind": "TraefikService"}, {"namespace": "team"}, {"weight": 1})
    if (other := draw(often(*more, usually=(None,), odds=20))) is not None:
        services.append(make.traefik_service(draw(st.sampled_from(["chat-2", "other"])), 80, **other))
    if draw(often(True, usually=(False,), odds=40)):
        services = [{**services[0], **draw(st.sampled_from(more[:3]))}]
    names: list[str] = draw(often(["missing"], ["limit@file"], usually=([], [], middlewares[:1], middlewares[:2])))
    fields: Object = {"middlewares": [{"name": name} for name in names]} if is_main else {}
    if priority := draw(often(1, 30, 60, 1000, -1, usually=(0,))):
        fields["priority"] = priority
    return make.router(rule, *services, **fields)


@st.composite
def _part(draw: DrawFn, route: Object, part: Part) -> Object:
    """On one of the hosts of the route, and perhaps without its Middlewares."""
    made: Object = deepcopy(route)
    hosts = [host for found in made["spec"]["routes"] for host in _texts(found["match"], "Host")] or [HOST]
    path = f"{'Path' if part.is_exact else 'PathPrefix'}(`{part.path}`)"
    fields = {"middlewares": made["spec"]["routes"][0].get("middlewares", [])} if draw(st.booleans()) else {}
    rule = f"Host(`{draw(st.sampled_from(hosts))}`) && {path}"
    made["spec"]["routes"] = [make.router(rule, make.traefik_service(part.service, "http"), **fields)]
    return made
