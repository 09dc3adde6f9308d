"""Contour's HTTPProxy, by its documentation: request routing, inclusion, path rewriting.

A route of the flavour ``http-proxy-included`` has no virtual host. An HTTPProxy called ``root`` includes it. Two roots
with one host are beyond the model: Contour serves neither, and its status says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from tests import objects as make
from tests.model.chainlit import Request
from tests.model.drawing import EXPRESSIONS, HOST, odd_expressions, often, paths_around, some, spelled
from tests.model.edges import CONTOUR
from tests.model.expressions import searched
from tests.model.paths import by_characters, concrete, host_of_one_label
from tests.model.route_model import Flavour, Part, RouteModel, Setting
from tests.model.world import Claim, Delivered, Lost, Outcome, World
from tests.objects import Object

ROOT = "root"
INCLUDED = "http-proxy-included"
#: The order in which Contour tries the three sorts of paths, the last one first.
SORTS = ("prefix", "regex", "exact")


class Place(NamedTuple):
    """A path as Contour gives it to Envoy: its sort, its text, and the route that it is of."""

    sort: str
    text: str
    route: Object


class HttpProxy(RouteModel):
    """The HTTPProxy of Contour."""

    kind = "HTTPProxy"
    flavours = (Flavour("http-proxy", 4, is_split=False), Flavour(INCLUDED, 2, is_split=False))

    def edges(self, route: Object) -> tuple[str, ...]:
        """Contour."""
        return (CONTOUR,)

    def is_entry(self, route: Object) -> bool:
        """All but the one that only includes others."""
        return bool(route["metadata"]["name"] != ROOT)

    def claims(self, route: Object, world: World, request: Request, edge: str) -> Iterator[Claim]:
        """Exact paths before expressions before prefixes, and of each sort the longest first."""
        root = _root_of(route, world.find(self.kind, route["metadata"]["namespace"], ROOT))
        if root is None:
            yield Claim((), Lost("no HTTPProxy with a virtual host includes it"))
            return
        if why := _refused(root, request):
            yield Claim((), Lost(why))
            return
        found = [
            ((SORTS.index(place.sort), len(place.text), *map(ord, place.text), _conditions(place.route)), order, place)
            for order, place in enumerate(_places(route, root))
            if _matches(place, request)
        ]
        if not found:
            yield Claim((), Lost("404: no route matches"))
            return
        # Of routes with the same conditions the last one is served.
        precedence, _, place = max(found, key=lambda entry: entry[:2])
        for outcome in _outcomes(route, root, place, world, request):
            yield Claim(precedence, outcome)

    def paths(self, route: Object, objects: list[Object]) -> list[str]:
        """Those of its routes, below the prefix of the include."""
        return [place.text.replace("\\", "") for place in _joined(route, _root_in(route, objects))]

    def hosts(self, route: Object, objects: list[Object]) -> dict[str, str]:
        """That of the virtual host, by http and by https."""
        root = _root_in(route, objects)
        host = root["spec"]["virtualhost"]["fqdn"] if root is not None else ""
        return {f"{scheme}://{concrete(host)}": host for scheme in ("http", "https")}

    def targets(self, route: Object, objects: list[Object]) -> Iterator[frozenset[str]]:
        """Those with a share of the requests; a redirect has none."""
        for found in route["spec"]["routes"]:
            yield frozenset(service["name"] for service in _sharing(found))

    def is_single(self, route: Object, objects: list[Object]) -> bool:
        """One route."""
        return len(route["spec"]["routes"]) == 1

    def companions(self, prefix: str, flavour: str) -> SearchStrategy[list[Object]]:
        """The root, which includes the first route."""
        return _roots(prefix) if flavour == INCLUDED else st.just([])

    def route(self, setting: Setting) -> SearchStrategy[Object]:
        """The main route, and others in any order."""
        return _http_proxy(setting)

    def part(self, route: Object, part: Part) -> SearchStrategy[Object]:
        """At the same virtual host."""
        made: Object = deepcopy(route)
        condition = {"exact" if part.is_exact else "prefix": part.path}
        made["spec"]["routes"] = [make.proxy_route("", condition, services=[make.backend_ref(part.service)])]
        return st.just(made)


MODEL = HttpProxy()


def _root_in(route: Object, objects: list[Object]) -> Object | None:
    return _root_of(route, next((found for found in objects if found["metadata"]["name"] == ROOT), None))


def _root_of(route: Object, root: Object | None) -> Object | None:
    """The HTTPProxy with the virtual host of a route: itself, or the one that includes it."""
    if "virtualhost" in route["spec"]:
        return route
    includes = root["spec"]["includes"] if root is not None else []
    return root if route["metadata"]["name"] in [include["name"] for include in includes] else None


def _refused(root: Object, request: Request) -> str:
    host = root["spec"]["virtualhost"]
    if any(c["status"] == "False" for c in root.get("status", {}).get("conditions", [])):
        return "Contour refuses it"
    if "tcpproxy" in root["spec"] or host.get("tls", {}).get("passthrough"):
        return "the pods get the bytes of the connection"
    if not host_of_one_label(host["fqdn"], request.host):
        return "404: another host"
    return "no listener for https" if request.scheme == "https" and "tls" not in host else ""


def _inherited(route: Object, root: Object | None) -> list[Object]:
    """The conditions of the include."""
    if root is None or "virtualhost" in route["spec"]:
        return []
    name = route["metadata"]["name"]
    return next((list(found["conditions"]) for found in root["spec"]["includes"] if found["name"] == name), [])


def _joined(route: Object, root: Object | None) -> Iterator[Place]:
    """The paths of all routes with what they inherit; the last condition on a path says its sort."""
    for found in route["spec"]["routes"]:
        conditions = [*_inherited(route, root), *found["conditions"]]
        sorts = [(sort, condition[sort]) for condition in conditions for sort in SORTS if sort in condition]
        sort = sorts[-1][0] if sorts else "prefix"
        if sort == "exact" and sort not in conditions[-1]:
            sort = "prefix"  # as Contour has it, where a condition on a header is behind one on the path
        text = "".join(_literal(one, value) if sort == "regex" else value for one, value in sorts)
        yield Place(sort, re.sub("//+", "/", text) or "/", {**found, "conditions": conditions})


def _literal(sort: str, value: str) -> str:
    return f"(?:{value})" if sort == "regex" else re.escape(value.rstrip("/"))


def _places(route: Object, root: Object) -> Iterator[Place]:
    """The paths as Envoy gets them: a prefix that is replaced has two forms, so that the slash after it stays."""
    joined = list(_joined(route, root))
    for place in joined:
        policy = place.route.get("pathRewritePolicy", {}).get("replacePrefix", [])
        chosen = [entry for entry in policy if entry.get("prefix") == place.text]
        chosen += [entry for entry in policy if "prefix" not in entry]
        if not chosen or place.sort != "prefix":
            yield place
            continue
        text, bare = chosen[0]["replacement"], place.text.rstrip("/")
        alike = [one for one in joined if one.sort == "prefix" and one.text.rstrip("/") == bare]
        if not bare or len(alike) > 1:
            yield place._replace(route={**place.route, "replacement": text})
            continue
        plain = text.rstrip("/")
        yield Place("prefix", bare, {**place.route, "replacement": plain or "/"})
        yield Place("prefix", f"{bare}/", {**place.route, "replacement": f"{plain}/"})


def _conditions(route: Object) -> int:
    """How many conditions beside the path a route has: those with more are tried first."""
    return sum("header" in found or "queryParameter" in found for found in route["conditions"])


def _matches(place: Place, request: Request) -> bool:
    for condition in place.route["conditions"]:
        header = condition.get("header", {})
        if "queryParameter" in condition or header.get("exact", request.method) != request.method:
            return False
        if header.get("present"):
            return False
    if place.sort == "regex":
        return searched(rf"\A(?:{place.text})\Z", request.path) is not None
    return request.path == place.text if place.sort == "exact" else by_characters(request.path, place.text)


def _sharing(route: Object) -> list[Object]:
    services = [service for service in route.get("services", []) if not service.get("mirror")]
    return [service for service in services if service.get("weight")] or services


def _outcomes(route: Object, root: Object, place: Place, world: World, request: Request) -> Iterator[Outcome]:
    namespace, found = route["metadata"]["namespace"], place.route
    if request.scheme == "http" and "tls" in root["spec"]["virtualhost"] and not found.get("permitInsecure"):
        yield Lost("redirected to https")
    elif "services" not in found:
        yield Lost("redirected")
    elif any(header["name"].lower() == "host" for header in found.get("requestHeadersPolicy", {}).get("set", [])):
        yield Lost("Chainlit redirects to the inner host")
    else:
        path = request.path
        if "replacement" in found:
            path = found["replacement"] + path.removeprefix(place.text)
        # A Service that is not there gets no share.
        there = [one for one in found["services"] if world.has_port(namespace, one["name"], one["port"])]
        served = _sharing({"services": there})
        yield from (Delivered(one["name"], path) for one in served)
        if not served:
            yield Lost("503: no Service")


# ------------------------------------------------------------------------------------------------ how people write it


@st.composite
def _roots(draw: DrawFn, prefix: str) -> list[Object]:
    """The root, or seldom none. Its include has a part of the prefix, or none."""
    parent = prefix.rstrip("/").rpartition("/")[0]
    header = {"header": {"name": "x-team", "present": True}}
    usual: tuple[list[Object], ...] = (
        [],
        [{"prefix": parent or "/"}],
        [{"prefix": f"{parent}/"}],
        [{"prefix": prefix}],
    )
    conditions = draw(often([{"prefix": "/other"}], [header], usually=usual))
    name = draw(often("missing", usually=("route-0",), odds=30))
    root = make.http_proxy(
        name=ROOT,
        fqdn=draw(often("*.example", usually=(HOST,))),
        tls=draw(often({"secretName": "x"}, usually=(None,))),
        includes=[{"name": name, "conditions": conditions}],
    )
    return draw(often([], usually=([root],), odds=30))


@st.composite
def _http_proxy(draw: DrawFn, setting: Setting) -> Object:
    roots = [found for found in setting.companions if found["metadata"]["name"] == ROOT]
    conditions = roots[0]["spec"]["includes"][0]["conditions"] if roots else []
    inherited = next((found["prefix"] for found in conditions if "prefix" in found), "")
    own = setting.prefix.removeprefix(inherited.rstrip("/")) if inherited else setting.prefix
    main = draw(_route(own or "/", setting.prefix, is_main=True))
    more = draw(some(_route(own or "/", setting.prefix, is_main=False)))
    place = draw(st.integers(0, len(more)))
    routes = [*more[:place], main, *more[place:]]
    if setting.flavour == INCLUDED:
        return make.http_proxy(*routes, fqdn=None)
    fqdn = draw(often("*.example", usually=(HOST,)))
    tls = draw(often({"passthrough": True}, usually=(None, None, {"secretName": "x"}), odds=20))
    errors = [
        {"type": "VirtualHostError", "reason": "DuplicateVhost", "message": "fqdn is used in multiple HTTPProxies"}
    ]
    refused = {"conditions": [{"type": "Valid", "status": "False", "observedGeneration": 1, "errors": errors}]}
    return make.http_proxy(*routes, fqdn=fqdn, tls=tls, status=draw(often(refused, usually=(None,), odds=30)))


@st.composite
def _route(draw: DrawFn, prefix: str, rendered: str, *, is_main: bool) -> Object:
    sort = draw(often("exact", "regex", usually=("prefix",)))
    value = draw(spelled(prefix, loosely=False) if is_main else paths_around(prefix))
    if sort == "regex":
        value = value.rstrip("/") + draw(st.sampled_from(EXPRESSIONS))
        value = draw(st.one_of(st.just(value), odd_expressions(prefix).filter(lambda text: text.startswith("/"))))
    path = [{sort: value or "/"}] if value.startswith("/") or not value else []
    header = {"name": "x-team", "present": True}
    method = {"header": {"name": ":method", "exact": "GET"}}
    query = {"queryParameter": {"name": "team", "present": True}}
    beside = ({"header": header}, query, method)
    more = draw(often(*([each] for each in beside), usually=([],) if is_main else ([], [], [], [beside[0]])))
    if not is_main and draw(st.sampled_from([False, False, False, False, True])):
        return {"conditions": [*path, *more], "requestRedirectPolicy": {"path": "/chat/"}}
    fields: Object = {}
    if sort == "prefix":
        fields |= draw(_rewrites(rendered))
    fields |= draw(often({"permitInsecure": True}, {"requestHeadersPolicy": {"set": [{"name": "Host", "value": "x"}]}},
                         {"enableWebsockets": None}, usually=({},)))  # fmt: skip
    return make.proxy_route("", *path, *more, services=draw(_services(is_main=is_main)), **fields)


def _rewrites(prefix: str) -> SearchStrategy[Object]:
    base = prefix.rstrip("/")
    parent = base.rpartition("/")[0]
    targets = (parent or "/", base[len(parent) :] or "/", base or "/", f"{base}/", "/other", "/other/")
    rare = [make.replace_prefix(target) for target in targets]
    rare += [make.replace_prefix("/", prefix=text) for text in (base or "/", f"{base}/", "/another")]
    return often(*rare, usually=({}, make.replace_prefix("/")), odds=1)


@st.composite
def _services(draw: DrawFn, *, is_main: bool) -> list[Object]:
    ref = make.backend_ref
    usually = [ref()] if is_main else draw(st.sampled_from([[ref()], [ref("other")]]))
    rare: tuple[list[Object], ...] = (
        [ref(weight=1), ref("other", weight=1)],
        [ref(weight=1), ref("other", weight=0)],
        [ref(), ref("other")],
        [ref(), ref("chat-2")],
        [ref(), ref("other", mirror=True)],
        [ref("other"), ref(mirror=True)],
        [ref(port=81)],
        [ref("missing")],
    )
    return draw(often(*rare, usually=(usually,)))
