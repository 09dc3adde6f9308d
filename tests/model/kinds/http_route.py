"""HTTPRoute of the Gateway API: by its specification, and by Traefik's own ways."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from copy import deepcopy

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from tests import objects as make
from tests.model import traefik
from tests.model.chainlit import Request
from tests.model.drawing import DEEP, EXPRESSIONS, HOST, odd_expressions, often, paths_around, some, spelled
from tests.model.edges import ENVOY, TRAEFIK
from tests.model.expressions import searched
from tests.model.paths import by_elements, concrete, host_of_some_labels
from tests.model.route_model import Flavour, Part, RouteModel, Setting
from tests.model.world import Claim, Delivered, Lost, Outcome, World
from tests.objects import Object


class HttpRoute(RouteModel):
    """The HTTPRoute of the Gateway API."""

    kind = "HTTPRoute"
    flavours = (Flavour("http-route", 6, is_real=True),)

    def edges(self, route: Object) -> tuple[str, ...]:
        """Traefik if it uses Traefik's own resources, or else any implementation."""
        filters = [found for rule in route["spec"]["rules"] for found in rule.get("filters", [])]
        own = any(found.get("extensionRef", {}).get("group") == "traefik.io" for found in filters)
        return (TRAEFIK,) if own else (TRAEFIK, ENVOY)

    def is_at(self, route: Object, edge: str, other: Object) -> bool:
        """A Gateway takes all HTTPRoutes, whatever their filters."""
        return edge in (TRAEFIK, ENVOY)

    def claims(self, route: Object, world: World, request: Request, edge: str) -> Iterator[Claim]:
        """By the specification's precedence; a regular expression's place in it is each implementation's own.

        The first of its rules wins over others with equal matches. Of two routes with equal matches the older one
        wins, and both may be that.
        """
        if why := _refused(route, world, request):
            yield Claim((), Lost(why))
            return
        found = [
            (_precedence(match, edge), -order, match, rule)
            for order, rule in enumerate(route["spec"]["rules"])
            for match in rule.get("matches") or [{}]
            if _matches(match, request, edge)
        ]
        if not found:
            yield Claim((), Lost("404: no rule matches"))
            return
        precedence, _, match, rule = max(found, key=lambda entry: entry[:2])
        for outcome in _after_filters(route, rule, match, request, world, edge):
            yield Claim(precedence, outcome)

    def paths(self, route: Object, objects: list[Object]) -> list[str]:
        """Those of its matches."""
        return [match["path"]["value"] for match in _matches_of(route)]

    def hosts(self, route: Object, objects: list[Object]) -> dict[str, str]:
        """Its host names and those of the listeners, at the ports of the listeners."""
        gateways = [found for found in objects if found["kind"] == "Gateway"]
        listeners = [listener for gateway in gateways for listener in gateway["spec"].get("listeners", [])]
        return {
            f"http{'s' if listener['protocol'] == 'HTTPS' else ''}://{concrete(host)}:{listener['port']}": host
            for listener in listeners
            if listener["protocol"] in ("HTTP", "HTTPS")
            for host in (*route["spec"]["hostnames"], listener.get("hostname", ""))
        }

    def targets(self, route: Object, objects: list[Object]) -> Iterator[frozenset[str]]:
        """Those with a weight; a redirect has none."""
        for rule in route["spec"]["rules"]:
            is_redirect = any(found["type"] == "RequestRedirect" for found in rule["filters"])
            refs = [] if is_redirect else [ref for ref in rule.get("backendRefs", ()) if ref.get("weight", 1)]
            yield frozenset(ref["name"] for ref in refs)

    def is_single(self, route: Object, objects: list[Object]) -> bool:
        """One match."""
        return len(_matches_of(route)) == 1

    def companions(self, prefix: str, flavour: str) -> SearchStrategy[list[Object]]:
        """Middlewares, for filters of Traefik."""
        return traefik.middlewares(prefix)

    def route(self, setting: Setting) -> SearchStrategy[Object]:
        """The main rule, and others in any order."""
        return _http_route(setting)

    def part(self, route: Object, part: Part) -> SearchStrategy[Object]:
        """On the same Gateways."""
        return _part(route, part)

    def surroundings(self) -> SearchStrategy[list[Object]]:
        """Two Gateways."""
        return _gateways()


MODEL = HttpRoute()


def _matches_of(route: Object) -> list[Object]:
    return [match for rule in route["spec"]["rules"] for match in rule["matches"]]


def _refused(route: Object, world: World, request: Request) -> str:
    if not _is_attached(route, world, request):
        return "no listener that the route is attached to takes the request"
    return "" if _has_host(route, request.host) else "404: no host name matches"


def _has_host(route: Object, host: str) -> bool:
    hostnames = route["spec"].get("hostnames", [])
    return not hostnames or any(host_of_some_labels(pattern, host) for pattern in hostnames)


def _path_of(match: Object) -> tuple[str, str]:
    path = match.get("path", {})
    return path.get("type", "PathPrefix"), path.get("value", "/")


def _matches(match: Object, request: Request, edge: str) -> bool:
    """Headers and query parameters that routes ask for are none that a browser sends by itself."""
    type_, value = _path_of(match)
    if match.get("headers") or match.get("queryParams") or match.get("method", request.method) != request.method:
        return False
    if type_ == "RegularExpression":
        return searched(value if edge == TRAEFIK else rf"\A(?:{value})\Z", request.path) is not None
    return request.path == value if type_ == "Exact" else by_elements(request.path, value)


def _precedence(match: Object, edge: str) -> tuple[int, ...]:
    type_, value = _path_of(match)
    method = int("method" in match)
    if edge == TRAEFIK:  # one number: a method counts as much as ten characters of the path
        path = (
            100_000 if type_ == "Exact" else 1 if (type_, value) == ("PathPrefix", "/") else 10_000 + len(value) * 100
        )
        return (path + 1_000 * method,)
    order = ("PathPrefix", "RegularExpression", "Exact").index(type_)
    return order, len(value.rstrip("/") if type_ == "PathPrefix" else value), method


def _is_attached(route: Object, world: World, request: Request) -> bool:
    port = request.port or (443 if request.scheme == "https" else 80)
    protocol = "HTTPS" if request.scheme == "https" else "HTTP"
    refused = [
        status["parentRef"]
        for status in route.get("status", {}).get("parents", [])
        if any(c["type"] == "Accepted" and c["status"] == "False" for c in status["conditions"])
    ]
    for parent in route["spec"]["parentRefs"]:
        gateway = world.find("Gateway", parent.get("namespace", route["metadata"]["namespace"]), parent["name"])
        if gateway is None or parent in refused:
            continue
        for listener in gateway["spec"]["listeners"]:
            if (
                (listener["port"], listener["protocol"]) == (port, protocol)
                and parent.get("sectionName", listener["name"]) == listener["name"]
                and parent.get("port", port) == port
                and host_of_some_labels(listener.get("hostname", ""), request.host)
            ):
                return True
    return False


def _after_filters(
    route: Object, rule: Object, match: Object, request: Request, world: World, edge: str
) -> Iterator[Outcome]:
    namespace, path = route["metadata"]["namespace"], request.path
    for found in rule.get("filters", []):
        if found["type"] == "RequestRedirect":
            yield Lost("redirected")
            return
        changed = _filtered(found, match, path, namespace, world, edge)
        if changed is None:
            yield Lost("a filter that does not work here, or whose effect is not known")
            return
        path = changed
    backends = [ref for ref in rule.get("backendRefs", []) if ref.get("weight", 1) > 0]
    if not backends:
        yield Lost("500: no backend")
    for ref in backends:
        yield _backend(ref, path, namespace, world)


def _backend(ref: Object, path: str, namespace: str, world: World) -> Outcome:
    if ref.get("group") or ref.get("kind", "Service") != "Service" or ref.get("namespace", namespace) != namespace:
        return Lost("to something else than a Service of the namespace")
    if ref.get("filters"):
        return Lost("500: a filter in backendRefs, where implementations differ")
    if not world.has_port(namespace, ref["name"], ref["port"]):
        return Lost("500: no such Service, or no such port")
    return Delivered(ref["name"], path or "/")


def _filtered(found: Object, match: Object, path: str, namespace: str, world: World, edge: str) -> str | None:
    """What a filter makes of a path; None where it does not work, or nothing is known of it."""
    extension, rewrite = found.get("extensionRef"), found.get("urlRewrite", {})
    if extension is not None:
        is_known = (extension["group"], extension["kind"]) == ("traefik.io", "Middleware")
        return traefik.after_middleware(namespace, extension["name"], path, world) if is_known else None
    if "hostname" in rewrite:
        return None  # Chainlit redirects to the inner host
    change = rewrite.get("path", {})
    if "replacePrefixMatch" in change:
        return _replaced(change["replacePrefixMatch"], _path_of(match)[1], path, edge)
    return str(change.get("replaceFullPath", path))


def _replaced(replacement: str, prefix: str, path: str, edge: str) -> str | None:
    if edge == TRAEFIK:
        if not replacement:
            return None  # the path loses its leading slash
        joined = posixpath.join(replacement, path.removeprefix(prefix).lstrip("/"))
        return re.sub("/+", "/", joined)
    if prefix == "/":  # Envoy puts the text in the place of the slash
        return replacement.rstrip("/") + path.removeprefix("/") if replacement.strip("/") else path
    return (replacement.rstrip("/") + path.removeprefix(prefix.rstrip("/"))) or "/"


# ------------------------------------------------------------------------------------------------ how people write it


@st.composite
def _http_route(draw: DrawFn, setting: Setting) -> Object:
    prefix, middlewares = setting.prefix, setting.names("Middleware")
    main = draw(_rule(prefix, middlewares, is_main=True))
    more = draw(some(_rule(prefix, middlewares, is_main=False)))
    place = draw(st.integers(0, len(more)))
    hostnames = draw(often([], ["*.example"], [DEEP], [HOST, "b.example"], usually=([HOST],)))
    parents = draw(often(*PARENTS, usually=PARENTS[:1]))
    statuses = [
        {
            "parentRef": parent,
            "conditions": [{"type": "Accepted", "status": draw(often("False", usually=("True",), odds=20))}],
        }
        for parent in parents
    ]
    if setting.is_real:
        hostnames, parents, statuses = [HOST], [make.gateway_ref()], []
    rules = [*more[:place], main, *more[place:]]
    return make.http_route(*rules, name="route", hostnames=hostnames, parents=parents, status={"parents": statuses})


@st.composite
def _part(draw: DrawFn, route: Object, part: Part) -> Object:
    """With the Middlewares of the route's first rule, or without."""
    made: Object = deepcopy(route)
    match = make.path_match(part.path, "Exact" if part.is_exact else "PathPrefix")
    filters = [found for found in made["spec"]["rules"][0].get("filters", []) if found["type"] == "ExtensionRef"]
    filters = draw(st.sampled_from([[], filters]))
    made["spec"]["rules"] = [make.http_rule(match, filters=filters, backends=[make.backend_ref(part.service)])]
    return made


PARENTS: tuple[list[Object], ...] = (
    [make.gateway_ref("edge", "infra")],
    [make.gateway_ref("edge", "infra", sectionName="web")],
    [make.gateway_ref("edge", "infra", port=8443)],
    [make.gateway_ref("inner", "infra"), make.gateway_ref("edge", "infra")],
    [make.gateway_ref("missing", "infra")],
)


@st.composite
def _gateways(draw: DrawFn) -> list[Object]:
    listeners = [
        {"name": "web", "port": 80, "protocol": "HTTP"},
        {"name": "tls", "port": 443, "protocol": "HTTPS", "hostname": "*.example"},
        {"name": "more", "port": 8443, "protocol": "HTTPS", "hostname": HOST},
        {"name": "tcp", "port": 9000, "protocol": "TCP"},
    ]
    found = draw(st.lists(st.sampled_from(listeners), min_size=1, max_size=3, unique_by=lambda item: str(item["name"])))
    inner = {"name": "inner", "port": 8080, "protocol": "HTTP"}
    return [
        make.gateway(
            *served,
            name=name,
            metadata={"namespace": "infra"},
            gatewayClassName="any",
            addresses=draw(st.sampled_from([(), ("192.0.2.9",)])),
        )
        for name, served in (("edge", found), ("inner", [inner]))
    ]


@st.composite
def _rule(draw: DrawFn, prefix: str, middlewares: list[str], *, is_main: bool) -> Object:
    matches = draw(st.lists(_match(prefix, is_main=is_main), min_size=1, max_size=1 if is_main else 2))
    is_redirect = not is_main and draw(st.sampled_from([False, False, False, False, True]))
    if is_redirect:
        return {"matches": matches, "filters": [make.redirect("/chat/")]}
    filters = draw(_filters(prefix, middlewares, matches))
    return make.http_rule(*matches, filters=filters, backends=draw(_backend_refs(is_main=is_main)))


@st.composite
def _match(draw: DrawFn, prefix: str, *, is_main: bool) -> Object:
    type_ = draw(often("Exact", "RegularExpression", usually=("PathPrefix",)))
    value = draw(spelled(prefix, loosely=False) if is_main else paths_around(prefix))
    if type_ == "RegularExpression":
        value = draw(st.sampled_from(["", "^"])) + value.rstrip("/") + draw(st.sampled_from(EXPRESSIONS))
        value = draw(st.one_of(st.just(value), odd_expressions(prefix)))
    found = make.path_match(value or "/", type_)
    conditions = ({"method": "GET"}, {"method": "POST"}, {"headers": [{"name": "x-team", "value": "a"}]},
                  {"queryParams": [{"name": "team", "value": "a"}]}, {"method": "PUT"})  # fmt: skip
    found |= draw(often(*conditions, usually=({},) if is_main else ({}, {}, {}, *conditions)))
    return found


@st.composite
def _filters(draw: DrawFn, prefix: str, middlewares: list[str], matches: list[Object]) -> list[Object]:
    base = prefix.rstrip("/")
    parent = base.rpartition("/")[0]
    extension = make.extension(draw(often("missing", usually=tuple(middlewares))))
    usually: tuple[list[Object], ...] = ([],)
    rare: list[list[Object]] = [
        [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x", "value": "y"}]}}],
        [extension],
        [make.extension("x", "Policy", "example.com")],
        [{"type": "URLRewrite", "urlRewrite": {"hostname": "inner.example"}}],
        [make.url_rewrite(type="ReplaceFullPath", replaceFullPath="/")],
    ]  # fmt: skip
    if len(matches) == 1 and matches[0]["path"]["type"] == "PathPrefix":  # the API server takes it nowhere else
        targets = ("/", parent or "/", base[len(parent) :] or "/", base or "/", "/other", "", f"{base}/")
        rewrites = [make.prefix_rewrite(target) for target in targets]
        rare += [[rewrite] for rewrite in rewrites[1:]]
        rare += [[extension, rewrites[-1]], [rewrites[-1], *rare[1]]]
        usually = ([], [rewrites[0]])
    return draw(often(*rare, usually=usually, odds=1))


@st.composite
def _backend_refs(draw: DrawFn, *, is_main: bool) -> list[Object]:
    ref = make.backend_ref
    usually = [ref()]
    if not is_main:
        usually = draw(st.sampled_from([usually, [ref("other")]]))
    rewrite = {"type": "URLRewrite", "urlRewrite": {"hostname": "x.example"}}
    rare: tuple[list[Object], ...] = (
        [ref(weight=1), ref("other", weight=1)],
        [ref(weight=1), ref("other", weight=0)],
        [ref(), ref("chat-2")],
        [ref(), ref(namespace="elsewhere")],
        [ref(filters=[rewrite])],
        [ref(port=81)],
        [ref(weight=0)],
        [ref("missing")],
        [],
    )
    return draw(often(*rare, usually=(usually,)))
