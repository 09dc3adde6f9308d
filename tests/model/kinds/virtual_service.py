"""VirtualService of Istio, at a gateway of the mesh: by Istio's reference, and by Envoy's of its routes.

https://istio.io/latest/docs/reference/config/networking/virtual-service and ``…/gateway``;
https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from tests import objects as make
from tests.model.chainlit import Request
from tests.model.drawing import DEEP, EXPRESSIONS, HOST, odd_expressions, often, paths_around, some, spelled
from tests.model.edges import ISTIO_GATEWAY
from tests.model.expressions import searched
from tests.model.paths import concrete, host_of_some_labels
from tests.model.route_model import Flavour, Part, RouteModel, Setting
from tests.model.world import Claim, Delivered, Lost, Outcome, World
from tests.objects import Object

_REFERENCE = r"\\(\d)"


class VirtualService(RouteModel):
    """The VirtualService of Istio."""

    kind = "VirtualService"
    flavours = (Flavour("virtual-service", 5),)

    def edges(self, route: Object) -> tuple[str, ...]:
        """The gateways of the mesh."""
        return (ISTIO_GATEWAY,)

    def claims(self, route: Object, world: World, request: Request, edge: str) -> Iterator[Claim]:
        """The first rule that matches. Of two routes for one host the older one comes first, and both may be that."""
        host = _virtual_host(route, world, request)
        if host is None:
            yield Claim((), Lost("no server of its Gateways takes the request"))
            return
        for rule in route["spec"]["http"]:
            for match in rule.get("match") or [{}]:
                if _matches(match, route, request):
                    is_for_all = not match.keys() - {"uri"} and _path_of(match) in (("prefix", "/"), ("regex", ".*"))
                    precedence = (*_specificity(host), int(not is_for_all))
                    for outcome in _outcomes(route, rule, match, request, world):
                        yield Claim(precedence, outcome)
                    return
        yield Claim((), Lost("404: no rule matches"))

    def paths(self, route: Object, objects: list[Object]) -> list[str]:
        """Those of its matches."""
        return [_path_of(match)[1] for match in _matches_of(route)]

    def hosts(self, route: Object, objects: list[Object]) -> dict[str, str]:
        """Its hosts and those of the servers, at the ports of the servers."""
        gateways = [found for found in objects if found["kind"] == "IstioGateway"]
        servers = [server for gateway in gateways for server in gateway["spec"]["servers"]]
        return {
            f"http{'s' if _is_secure(server) else ''}://{concrete(host)}:{server['port']['number']}": host
            for server in servers
            for host in (*map(_any, route["spec"]["hosts"]), *(_any(host) for _, host in _hosts_of(server)))
        }

    def targets(self, route: Object, objects: list[Object]) -> Iterator[frozenset[str]]:
        """Those with a weight."""
        for rule in route["spec"]["http"]:
            yield frozenset(_service(found) for found in _weighted(rule)) if not rule.get("redirect") else frozenset()

    def is_single(self, route: Object, objects: list[Object]) -> bool:
        """One match."""
        return len(_matches_of(route)) == 1

    def route(self, setting: Setting) -> SearchStrategy[Object]:
        """The main rule, and others in any order."""
        return _route(setting)

    def part(self, route: Object, part: Part) -> SearchStrategy[Object]:
        """On the same Gateways, rewritten as the first rule does, or not."""
        return _part(route, part)

    def surroundings(self) -> SearchStrategy[list[Object]]:
        """Two Gateways."""
        return _gateways()


MODEL = VirtualService()


# ------------------------------------------------------------------------------------------------ where requests go


def _any(host: str) -> str:
    return "" if host == "*" else host


def _matches_of(route: Object) -> list[Object]:
    return [match for rule in route["spec"]["http"] for match in rule.get("match") or [{}]]


def _path_of(match: Object) -> tuple[str, str]:
    """How a match compares the path, and with what; all paths begin with a slash."""
    ((how, text),) = match.get("uri", {"prefix": "/"}).items()
    return how, text


def _is_secure(server: Object) -> bool:
    return bool(server["port"]["protocol"] == "HTTPS" and server["tls"]["mode"] == "SIMPLE")


def _hosts_of(server: Object) -> Iterator[tuple[str, str]]:
    """The namespaces whose routes a server takes (``*``: all), each with a host."""
    for text in server["hosts"]:
        namespace, _, host = text.rpartition("/")
        yield namespace or "*", host


def _virtual_host(route: Object, world: World, request: Request) -> str | None:
    """The host under which a gateway has the route for a request: what route and server have in common."""
    own, port = route["metadata"]["namespace"], request.port or (443 if request.scheme == "https" else 80)
    found = []
    for name in route["spec"].get("gateways", ["mesh"]):
        of, _, short = name.rpartition("/")
        gateway = world.find("IstioGateway", own if of in ("", ".") else of, short)
        for server in gateway["spec"]["servers"] if gateway is not None and name != "mesh" else ():
            is_asked = server["port"]["number"] == port and _is_secure(server) is (request.scheme == "https")
            is_http = server["port"]["protocol"] == "HTTP" or _is_secure(server)
            for namespace, host in _hosts_of(server) if is_asked and is_http else ():
                if namespace in ("*", own) or (namespace, of) in ((".", own), (".", ""), (".", ".")):
                    found += [_common(_any(host), _any(mine)) for mine in route["spec"]["hosts"]]
    hosts = [host for host in found if host is not None and host_of_some_labels(host, request.host)]
    return max(hosts, key=_specificity, default=None)


def _common(one: str, other: str) -> str | None:
    """The narrower of two hosts, each perhaps a wildcard or empty for all; None if they have none in common."""
    if host_of_some_labels(one, other):
        return other
    return one if host_of_some_labels(other, one) else None


def _specificity(host: str) -> tuple[int, int]:
    """Envoy looks for the host itself, then for the longest wildcard."""
    return (1, 0) if host and not host.startswith("*") else (0, len(host))


def _matches(match: Object, route: Object, request: Request) -> bool:
    """Headers, parameters and labels that matches ask for are none of a browser's, or of a gateway's pods."""
    if match.get("headers") or match.get("queryParams") or match.get("sourceLabels"):
        return False
    asked = {"method": request.method, "scheme": request.scheme, "authority": request.host}
    if any(match[key] != {"exact": value} for key, value in asked.items() if key in match):
        return False
    if "gateways" in match and set(match["gateways"]).isdisjoint(set(route["spec"]["gateways"]) - {"mesh"}):
        return False
    port = request.port or (443 if request.scheme == "https" else 80)
    return match.get("port", port) == port and _matches_path(match, request.path)


def _matches_path(match: Object, path: str) -> bool:
    how, text = _path_of(match)
    if how == "regex":
        return searched(rf"\A(?:{text})\Z", path) is not None
    if match.get("ignoreUriCase"):
        path, text = path.lower(), text.lower()
    return path == text if how == "exact" else path.startswith(text)


def _outcomes(route: Object, rule: Object, match: Object, request: Request, world: World) -> Iterator[Outcome]:
    if rule.get("redirect") or rule.get("delegate"):
        yield Lost("redirected, or another route's")
        return
    path = _rewritten(rule.get("rewrite", {}), match, request)
    if path is None:
        yield Lost("a rewrite that does not work, or to another host")
        return
    for backend in _weighted(rule):
        yield _delivered(backend, path, route["metadata"]["namespace"], world)


def _rewritten(rewrite: Object, match: Object, request: Request) -> str | None:
    """The path that arrives; None where nothing good arrives."""
    if rewrite.get("authority", request.host) != request.host:
        return None  # Chainlit redirects to the inner host
    how, text = _path_of(match)
    if "uriRegexRewrite" in rewrite:
        return _replaced(rewrite["uriRegexRewrite"]["match"], rewrite["uriRegexRewrite"]["rewrite"], request.path)
    if "uri" not in rewrite:
        return request.path
    return str(rewrite["uri"]) + request.path[len(text) :] if how == "prefix" else str(rewrite["uri"])


def _replaced(expression: str, template: str, path: str) -> str | None:
    """As RE2 does: each match, but no empty one right after another match."""
    if "(?=" in expression or "(?!" in expression:
        return None  # RE2 does not know them, and the gateway keeps its former routes
    compiled = re.compile(expression)
    if any(int(number) > compiled.groups for number in re.findall(_REFERENCE, template)):
        return None  # what Envoy does about a group that is not there is not known
    last = -1

    def replacement(found: re.Match[str]) -> str:
        nonlocal last
        if found.start() == found.end() == last:
            return ""
        last = found.end()
        groups = (found[0], *found.groups(default=""))
        return re.sub(_REFERENCE, lambda reference: groups[int(reference[1])], template)

    return compiled.sub(replacement, path)


def _weighted(rule: Object) -> list[Object]:
    """The destinations that get requests; a single one gets all, whatever its weight is."""
    found: list[Object] = rule.get("route", [])
    return found if len(found) == 1 else [each for each in found if each.get("weight", 0)]


def _service(backend: Object) -> str:
    return str(backend["destination"]["host"].partition(".")[0])


def _delivered(backend: Object, path: str, namespace: str, world: World) -> Outcome:
    found = backend["destination"]
    host, port = found["host"], found.get("port", {"number": 80})["number"]
    is_service = "." not in host or host.partition(".")[2] == f"{namespace}.svc.cluster.local"
    if not is_service or found.get("subset") or not world.has_port(namespace, _service(backend), port):
        return Lost("503: no such cluster")
    return Delivered(_service(backend), path or "/")


# ------------------------------------------------------------------------------------------------ how people write it


@st.composite
def _route(draw: DrawFn, setting: Setting) -> Object:
    main = draw(_rule(setting.prefix, is_main=True))
    more = draw(some(_rule(setting.prefix, is_main=False)))
    place = draw(st.integers(0, len(more)))
    hosts = draw(often(["*"], ["*.example"], [DEEP], [HOST, "b.example"], [], usually=([HOST],)))
    gateways = draw(often(["edge"], ["mesh"], ["infra/missing"], ["infra/inner", "mesh"], usually=(["infra/edge"],)))
    return make.virtual_service(*more[:place], main, *more[place:], hosts=hosts, gateways=gateways)


@st.composite
def _part(draw: DrawFn, route: Object, part: Part) -> Object:
    made: Object = deepcopy(route)
    first = made["spec"]["http"][0]
    how, text = _path_of((first.get("match") or [{}])[0])
    target = first.get("rewrite", {}).get("uri")
    rewrites: list[Object | None] = [None]
    if target is not None and how == "prefix" and part.path.startswith(text):
        rewrites.append({"uri": (target + part.path[len(text) :]) or "/"})
    match = make.uri(**{"exact" if part.is_exact else "prefix": part.path})
    made["spec"]["http"] = [
        make.istio_rule(match, to=[make.destination(part.service)], rewrite=draw(st.sampled_from(rewrites)))
    ]
    return made


@st.composite
def _rule(draw: DrawFn, prefix: str, *, is_main: bool) -> Object:
    matches = draw(st.lists(_match(prefix, is_main=is_main), min_size=1, max_size=1 if is_main else 2))
    first = _path_of(matches[0])
    if is_main and first[0] == "prefix" and first[1] != "/" and draw(often(True, usually=(False,), odds=4, calm=2)):
        # People match the prefix with a slash at its end, and then the prefix.
        base = first[1].rstrip("/")
        matches = [make.uri(prefix=f"{base}/"), make.uri(**{draw(st.sampled_from(["prefix", "exact"])): base})]
    if not is_main and draw(st.sampled_from([False, False, False, False, True])):
        return make.istio_rule(*matches, to=[], redirect={"uri": "/chat/"})
    to = draw(often(*BACKENDS, usually=(BACKENDS[0],) if is_main else BACKENDS[:3], odds=12))
    return make.istio_rule(*matches, to=deepcopy(to), rewrite=draw(_rewrite(prefix, matches)))


BACKENDS: tuple[list[Object], ...] = (
    [make.destination()],
    [make.destination("other")],
    [make.destination(port=None)],
    [make.destination("chat.scene-0.svc.cluster.local")],
    [make.destination(weight=90), make.destination("chat-2", weight=10)],
    [make.destination(weight=100), make.destination("other", weight=0)],
    [make.destination(weight=90), make.destination("other", weight=10)],
    [make.destination("chat.scene-0")],
    [make.destination("missing")],
    [make.destination(port=81)],
)
#: Conditions that a browser's requests may fulfil, and such that they do not.
CONDITIONS: tuple[Object, ...] = (
    {"method": {"exact": "GET"}},
    {"method": {"exact": "POST"}},
    {"headers": {"x-team": {"exact": "a"}}},
    {"queryParams": {"team": {"exact": "a"}}},
)
BESIDE: tuple[Object, ...] = (
    {"withoutHeaders": {"x-team": {"exact": "a"}}},
    {"scheme": {"exact": "https"}},
    {"authority": {"exact": HOST}},
    {"port": 443},
    {"gateways": ["infra/edge"]},
    {"gateways": ["mesh"]},
    {"sourceLabels": {"app": "web"}},
    {"ignoreUriCase": True},
)


@st.composite
def _match(draw: DrawFn, prefix: str, *, is_main: bool) -> Object:
    how = draw(often("exact", "regex", usually=("prefix",)))
    text = draw(spelled(prefix, loosely=False) if is_main else paths_around(prefix))
    if how == "regex":
        text = text.rstrip("/") + draw(st.sampled_from(EXPRESSIONS))
        text = draw(st.one_of(st.just(text), odd_expressions(prefix)))
    made = make.uri(**{how: text or "/"})
    usually: tuple[Object, ...] = ({},) if is_main else ({}, {}, {}, {}, {}, *CONDITIONS)
    condition: Object = draw(often(*CONDITIONS, *(() if is_main else BESIDE), usually=usually))
    return made | condition


@st.composite
def _rewrite(draw: DrawFn, prefix: str, matches: list[Object]) -> Object | None:
    base = prefix.rstrip("/")
    parent, _, last = base.rpartition("/")
    uri = [{"uri": text} for text in ("/", f"/{last}", f"{parent}/", base or "/", "/other", f"/{last}/")]
    expressions = [
        (f"^{base}/?(.*)$", r"/\1"),
        (f"^{base}/", "/"),
        (f"^{base}", ""),
        (f"^{parent}(/.*)$", r"\1"),
        (base or "/", "/"),
        (f"^{base}(/|$)(.*)", r"/\2"),
        (f"^{base}/(.*)", r"/\2"),
        (f"^{base}(?=/)", ""),
        ("/+", "/"),
        ("Q*", ""),
    ]
    regex = [{"uriRegexRewrite": {"match": match, "rewrite": text}} for match, text in expressions]
    others: list[Object] = [{"authority": "inner.example"}, {"authority": HOST}]
    usually: tuple[Object | None, ...] = (None, None, regex[0])
    if len(matches) > 1 or _path_of(matches[0])[1].endswith("/"):
        usually = (None, {"uri": "/"}, {"uri": "/"})
    found: Object | None = draw(often(*uri, *regex, *others, usually=usually, odds=4))
    return found


@st.composite
def _gateways(draw: DrawFn) -> list[Object]:
    tls = {"mode": "SIMPLE", "credentialName": "edge"}
    servers = [
        make.istio_server(80),
        make.istio_server(443, "HTTPS", ["*.example"], tls),
        make.istio_server(8443, "HTTPS", ["scene-0/*", HOST], tls),
        make.istio_server(8080, "HTTP", ["./*", "other/*"]),
        make.istio_server(9443, "HTTPS", tls={"mode": "PASSTHROUGH"}),
    ]
    ports = draw(st.lists(st.integers(0, len(servers) - 1), min_size=1, max_size=3, unique=True))
    found = [servers[number] for number in ports]
    return [
        make.istio_gateway(*served, name=name, metadata={"namespace": "infra"})
        for name, served in (("edge", found), ("inner", [make.istio_server(8081)]))
    ]
