"""Route of OpenShift: by the documentation of the Route API, and the router's rules for HAProxy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from tests import objects as make
from tests.model.chainlit import Request
from tests.model.drawing import HOST, often, spelled
from tests.model.edges import NGINX, OPENSHIFT
from tests.model.paths import host_of_one_label
from tests.model.route_model import Flavour, Part, RouteModel, Setting
from tests.model.world import Claim, Delivered, Lost, Outcome, World
from tests.objects import Object, openshift_backend


class OpenShiftRoute(RouteModel):
    """The Route of OpenShift."""

    kind = "Route"
    flavours = (Flavour("route", 3, beside=("openshift",)),)

    def edges(self, route: Object) -> tuple[str, ...]:
        """The router's alone, whatever its annotations."""
        return (OPENSHIFT,)

    def claims(self, route: Object, world: World, request: Request, edge: str) -> Iterator[Claim]:
        """The longest path first, on hosts of their own before wildcards. Of two equal ones either may be older."""
        yield Claim((), Lost("404: no Route takes it"))
        path = route["spec"].get("path", "")
        for host in [] if _is_refused(route) else _hosts(route):
            pattern = f"*.{host.partition('.')[2]}" if _is_wildcard(route) else host
            is_asked = host_of_one_label(pattern, request.host) and _matches(path, request.path)
            if is_asked and request.scheme in _schemes(route):
                place = (-int(_is_wildcard(route)), 1, 0, len(path.rstrip("/")))
                for outcome in _outcomes(route, request, world):
                    yield Claim(place, outcome)

    def paths(self, route: Object, objects: list[Object]) -> list[str]:
        """Its one path."""
        return [route["spec"].get("path", "/")]

    def hosts(self, route: Object, objects: list[Object]) -> dict[str, str]:
        """Its host, or those that routers gave it, by the schemes that it serves."""
        return {f"{scheme}://{host}": host for host in _hosts(route) for scheme in _schemes(route)}

    def targets(self, route: Object, objects: list[Object]) -> Iterator[frozenset[str]]:
        """Those with a weight."""
        yield frozenset(found["name"] for found in _backends(route))

    def is_single(self, route: Object, objects: list[Object]) -> bool:
        """It has one path, on each host."""
        return len(_hosts(route)) == 1 and len(_backends(route)) == 1

    def route(self, setting: Setting) -> SearchStrategy[Object]:
        """With annotations of its router, and of others."""
        return _route(setting)

    def part(self, route: Object, part: Part) -> SearchStrategy[Object]:
        """On the same host; every path lets all below it through."""
        return _part(route, part)


MODEL = OpenShiftRoute()


def _answers(route: Object) -> list[Object]:
    """The status: an entry for each router."""
    found: list[Object] = route.get("status", {}).get("ingress", [])
    return found


def _admits(answer: Object) -> bool:
    return all(found["status"] == "True" for found in answer["conditions"] if found["type"] == "Admitted")


def _is_refused(route: Object) -> bool:
    tls, path = route["spec"].get("tls", {}), route["spec"].get("path", "")
    is_lost = tls.get("termination") == "passthrough" and path
    return bool(is_lost) or (bool(_answers(route)) and not any(map(_admits, _answers(route))))


def _hosts(route: Object) -> list[str]:
    if "host" in route["spec"]:
        return [route["spec"]["host"]]
    return [answer["host"] for answer in _answers(route) if _admits(answer)]


def _is_wildcard(route: Object) -> bool:
    return bool(route["spec"].get("wildcardPolicy") == "Subdomain")


def _schemes(route: Object) -> tuple[str, ...]:
    """A redirect from http to https serves nothing by http."""
    tls = route["spec"].get("tls")
    if tls is None:
        return ("http",)
    return ("https", "http") if tls.get("insecureEdgeTerminationPolicy") == "Allow" else ("https",)


def _matches(path: str, asked: str) -> bool:
    """The documented expression; a path with a slash at its end is not for the path without it."""
    own = re.escape(path) if path.strip("/") else ""
    return re.fullmatch(own + ("(.*)?" if own.endswith("/") else "(/.*)?"), asked) is not None


def _backends(route: Object) -> list[Object]:
    spec = route["spec"]
    return [found for found in (spec["to"], *spec.get("alternateBackends", ())) if found.get("weight", 1) > 0]


def _outcomes(route: Object, request: Request, world: World) -> Iterator[Outcome]:
    """Pods speak TLS where a Route asks for it."""
    namespace, path = route["metadata"]["namespace"], _rewritten(route, request.path)
    if not _backends(route):
        yield Lost("503: no backend has a weight")
    for found in _backends(route):
        if not _has_endpoints(world, namespace, found["name"], route["spec"].get("port", {}).get("targetPort")):
            yield Lost("503: no endpoint has the port")
        else:
            yield Delivered(found["name"], path)


def _has_endpoints(world: World, namespace: str, name: str, port: int | str | None) -> bool:
    """A text is the name of a Service's port, a number the port of a pod: containers call theirs http."""
    found = world.find("Service", namespace, name)
    if found is None:
        return False
    numbers = {"http": 8000}
    ports = [(entry.get("name"), numbers.get(entry["targetPort"], entry["targetPort"])) for entry in
             found["spec"]["ports"]]  # fmt: skip
    return port is None or any(str(port) in (name, str(number)) for name, number in ports)


def _rewritten(route: Object, path: str) -> str:
    spec, annotations = route["spec"], route["metadata"].get("annotations", {})
    target = annotations.get(f"{OPENSHIFT}/rewrite-target", "")
    if not target.startswith("/") or spec.get("tls", {}).get("termination") == "passthrough":
        return path
    own: str = spec.get("path", "")
    return re.sub(f"^{own}{'/?' if target == '/' else ''}(.*)$", lambda found: target + found[1], path)


# ------------------------------------------------------------------------------------------------ how people write it


@st.composite
def _route(draw: DrawFn, setting: Setting) -> Object:
    prefix = setting.prefix
    path = draw(spelled(prefix, loosely=False))
    spec: Object = {
        "path": None if path == "/" and draw(st.booleans()) else path,
        "tls": draw(often(None, *TLS, usually=("edge",), odds=3)),
        "port": draw(often("web", 81, "http", None, 8000, "8000", usually=("http", 8000, None), odds=3)),
        **draw(often(*BACKENDS, usually=({},), odds=5)),
    }
    status = draw(often(_status("False"), _status("False", "True"), usually=({}, _status("True")), odds=20))
    host = draw(often("b.example", "www.example", usually=(HOST,)))
    if host == "www.example":
        spec["wildcardPolicy"] = draw(st.sampled_from(["Subdomain", "None"]))
    elif status and draw(often(True, usually=(False,))):
        host = None
    return make.openshift_route(host, annotations=draw(_annotations(prefix)), status=status, name="route", **spec)


@st.composite
def _annotations(draw: DrawFn, prefix: str) -> dict[str, str]:
    base = prefix.rstrip("/")
    parent = base.rpartition("/")[0]
    targets = (base, f"{base}/", "/other", parent, base[len(parent) :], "other")
    target = draw(often(*targets, usually=("", "/"), odds=2))
    foreign: dict[str, str] = draw(often({f"{NGINX}/rewrite-target": "/"}, usually=({},)))
    return foreign | ({f"{OPENSHIFT}/rewrite-target": target} if target else {})


@st.composite
def _part(draw: DrawFn, route: Object, part: Part) -> Object:
    made: Object = deepcopy(route)
    made["spec"] |= {"path": part.path, "to": openshift_backend(part.service)}
    made["spec"].pop("alternateBackends", None)
    if draw(st.booleans()):
        made["metadata"]["annotations"] = {}
    return made


def _status(*answers: str) -> Object:
    """The answers of routers, each with a host of its own domain."""
    statuses = [make.router_status(f"{n}.apps.example", answer, f"router-{n}") for n, answer in enumerate(answers)]
    return {"ingress": [entry for status in statuses for entry in status["ingress"]]}


TLS: tuple[object, ...] = (
    "reencrypt",
    "passthrough",
    {"termination": "edge", "insecureEdgeTerminationPolicy": "Allow"},
    {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"},
)
BACKENDS: tuple[Object, ...] = (
    {"alternateBackends": [openshift_backend("other", 1)]},
    {"alternateBackends": [openshift_backend("other", 0)]},
    {"alternateBackends": [openshift_backend("chat-2", 1)]},
    {"to": openshift_backend("missing")},
    {"to": openshift_backend(weight=0)},
    {"to": openshift_backend("other"), "alternateBackends": [openshift_backend(weight=0)]},
)
