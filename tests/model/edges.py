"""Ingress and gateway controllers as routers of single requests, by their documented rules.

Each *edge* takes an Ingress or HTTPRoute as the API server returns it, and a request, and tells where the request may
go: to a Service with some path, or nowhere. Where documentation leaves a choice to implementations, or weights leave it
to chance, all outcomes are returned. Only the route in question is looked at: whether another object takes its
requests away cannot be seen from it.

Nothing here is shared with the operator, which reduces a route to two prefixes; here single requests are routed,
expressions are run, and rewrites happen to real paths.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from tests.model.chainlit import Request
from tests.objects import Object

TRAEFIK, NGINX, F5 = "traefik.ingress.kubernetes.io", "nginx.ingress.kubernetes.io", "nginx.org"
HAPROXY_INGRESS, HAPROXY, KONG = "haproxy-ingress.github.io", "haproxy.org", "konghq.com"
ALB, GKE, AGIC = "alb.ingress.kubernetes.io", "networking.gke.io", "appgw.ingress.kubernetes.io"
OPENSHIFT = "haproxy.router.openshift.io"
ISTIO, CILIUM, TAILSCALE, CONTOUR = "istio.io", "cilium.io", "tailscale.com", "projectcontour.io"
#: Classes that only one controller serves.
CLASSES = {"alb": ALB, "gce": GKE, "azure-application-gateway": AGIC, "openshift-default": OPENSHIFT}
CLASSES |= {"istio": ISTIO, "cilium": CILIUM, "tailscale": TAILSCALE}


@dataclass(frozen=True)
class Delivered:
    """The request reaches a Service of the route's namespace, at a path."""

    service: str
    path: str


@dataclass(frozen=True)
class Lost:
    """The request ends at the edge, or somewhere else; ``why`` says how."""

    why: str


Outcome = Delivered | Lost


class World:
    """The objects beside the route: what is found by name, in one namespace but for Gateways."""

    def __init__(self, objects: list[Object]) -> None:
        self._objects = {(o["kind"], o["metadata"]["namespace"], o["metadata"]["name"]): o for o in objects}
        #: Scheme and host of the request that is routed.
        self.origin = ""

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return an object, or None."""
        return self._objects.get((kind, namespace, name))

    def has_port(self, namespace: str, service: str, port: int | str) -> bool:
        """Whether a Service has a port of that number or name."""
        found = self.find("Service", namespace, service)
        ports = found["spec"]["ports"] if found is not None else []
        return any(port in (entry["port"], entry.get("name")) for entry in ports)


def outcomes(route: Object, world: World, request: Request, beside: Sequence[Object] = ()) -> dict[str, set[Outcome]]:
    """Where a request may go, for each edge that may be the route's. Routes ``beside`` it may be at the same edge."""
    world.origin = f"{request.scheme}://{request.host}"
    if route["kind"] == "HTTPRoute":
        routes = [route, *(other for other in beside if other["kind"] == "HTTPRoute")]
        return {edge: _http_route(routes, world, request, edge) for edge in _gateways_of(route)}
    class_ = route["spec"].get("ingressClassName")
    same = [o for o in beside if o["kind"] == "Ingress" and o["spec"].get("ingressClassName") == class_]
    return {edge: _ingress([route, *same], world, request, edge) for edge in _ingress_controllers_of(route)}


# -------------------------------------------------------------------------------------------------------- Ingress


SPECIFIC = "ImplementationSpecific"


@dataclass(frozen=True)
class Entry:
    """A path of an Ingress."""

    host: str
    path: str
    type: str
    service: str
    port: int | str
    order: int
    is_default: bool = False
    """Whether it is a default backend, over which every other entry wins."""


def _ingress_controllers_of(ingress: Object) -> tuple[str, ...]:
    """The controllers that may be meant: that of the class, the one whose annotations it has, or else any."""
    if (name := ingress["spec"].get("ingressClassName")) in CLASSES:
        return (CLASSES[name],)
    domains = {key.partition("/")[0] for key in ingress["metadata"].get("annotations", {})}
    known = tuple(domain for domain in INGRESS_CONTROLLERS if domain in domains)
    return known or (TRAEFIK, NGINX, CONTOUR)


def _ingress(ingresses: list[Object], world: World, request: Request, edge: str) -> set[Outcome]:
    if edge in (ALB, GKE, TAILSCALE):  # each Ingress has a load balancer of its own
        ingresses = ingresses[:1]
    if edge == ALB:
        return _load_balancer(ingresses[0], world, request)
    controller, namespace = INGRESS_CONTROLLERS[edge], ingresses[0]["metadata"]["namespace"]
    found = [
        (e, ingress["metadata"].get("annotations", {}))
        for ingress in ingresses
        for e in controller.entries(ingress)
        if _host_of_ingress(e.host, request.host)
    ]
    if edge == TRAEFIK:  # drops the routers whose Service or port is not there
        found = [(e, a) for e, a in found if world.has_port(namespace, e.service, e.port)]
    else:  # the most specific host's server is chosen first
        best = min((_unspecific(e.host) for e, _ in found), default=0)
        found = [(e, a) for e, a in found if _unspecific(e.host) == best]
    found = [(e, a) for e, a in found if controller.matches(e, request.path, a)]
    found = [(e, a) for e, a in found if not e.is_default] or found
    if not found:
        return {Lost("404: no path matches")}
    first = max(controller.precedence(e, a) for e, a in found)
    return {
        _delivered(e, controller.rewrite(e, request.path, a, namespace, world), namespace, world)
        for e, a in found
        if controller.precedence(e, a) == first
    }


def _delivered(entry: Entry, path: str | None, namespace: str, world: World) -> Outcome:
    if not world.has_port(namespace, entry.service, entry.port):
        return Lost(f"503: Service {entry.service} has no port {entry.port}")
    if path is None:
        return Lost("a rewrite of which nothing is known, or a Middleware that is missing")
    return Delivered(entry.service, path or "/")


def _entries(ingress: Object) -> Iterator[Entry]:
    spec = ingress["spec"]
    rules = [(rule, path) for rule in spec.get("rules", []) for path in rule.get("http", {}).get("paths", [])]
    for order, (rule, path) in enumerate(rules):
        service = path["backend"].get("service")
        if service is not None:
            type_ = path["pathType"] if path.get("path") else "Prefix"
            yield Entry(rule.get("host", ""), path.get("path") or "/", type_, *_target(service), order)
    if "service" in spec.get("defaultBackend", {}):
        for host in dict.fromkeys([*(rule.get("host", "") for rule, _ in rules), ""]):
            yield Entry(host, "/", "Prefix", *_target(spec["defaultBackend"]["service"]), len(rules), is_default=True)


def _target(service: Object) -> tuple[str, int | str]:
    return service["name"], service["port"].get("name") or service["port"]["number"]


def _host_of_ingress(pattern: str, host: str) -> bool:
    """A wildcard stands for one label."""
    return pattern in ("", host) or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:])


def _unspecific(host: str) -> int:
    return 2 if not host else 1 if host.startswith("*") else 0


def _by_elements(path: str, prefix: str) -> bool:
    return prefix == "/" or path == prefix.rstrip("/") or path.startswith(prefix.rstrip("/") + "/")


def _by_characters(path: str, prefix: str) -> bool:
    return path.startswith(prefix)


Annotations = dict[str, str]


class Controller:
    """What the Kubernetes documentation says of an Ingress, ImplementationSpecific being by characters."""

    def entries(self, ingress: Object) -> Iterator[Entry]:
        """Those of an Ingress; a default backend takes what no path takes, on all hosts."""
        return _entries(ingress)

    def matches(self, entry: Entry, path: str, annotations: Annotations) -> bool:
        """Whether an entry, its host apart, is for a path."""
        if entry.type == "Exact":
            return path == entry.path
        return (_by_elements if entry.type == "Prefix" else _by_characters)(path, entry.path)

    def precedence(self, entry: Entry, annotations: Annotations) -> tuple[int, int]:
        """The greater it is the earlier an entry is tried: exact ones, then by length."""
        return int(entry.type == "Exact"), len(entry.path.rstrip("/"))

    def rewrite(self, entry: Entry, path: str, annotations: Annotations, namespace: str, world: World) -> str | None:
        """What becomes of a path; None where that cannot be told."""
        return path


class Traefik(Controller):
    """By characters, the longest rule first; Middlewares rewrite, in their order."""

    def entries(self, ingress: Object) -> Iterator[Entry]:
        """A default backend counts only where there is no rule."""
        return (e for e in _entries(ingress) if not (e.is_default and ingress["spec"].get("rules")))

    def matches(self, entry: Entry, path: str, annotations: Annotations) -> bool:
        """Path(`…`) or PathPrefix(`…`); paths are cleaned before, so one that is not clean matches nothing."""
        matcher = self._matcher(entry, annotations)
        if matcher == "PathRegexp":
            return searched(entry.path, path) is not None
        return path == entry.path if matcher == "Path" else matcher == "PathPrefix" and _by_characters(path, entry.path)

    def _matcher(self, entry: Entry, annotations: Annotations) -> str:
        """An annotation chooses it for paths of type ImplementationSpecific; another word than these is refused."""
        if entry.type == "ImplementationSpecific":
            return annotations.get(f"{TRAEFIK}/router.pathmatcher") or "PathPrefix"
        return "Path" if entry.type == "Exact" else "PathPrefix"

    def precedence(self, entry: Entry, annotations: Annotations) -> tuple[int, int]:
        """Routers are sorted by the length of their rule."""
        host = f"Host(`{entry.host}`) && " if entry.host and "*" not in entry.host else ""
        if "*" in entry.host:
            host = f"HostRegexp(`^[a-zA-Z0-9-]+\\.{entry.host[2:]}$`) && "
        return 0, len(f"{host}{self._matcher(entry, annotations)}(`{entry.path}`)")

    def rewrite(self, entry: Entry, path: str, annotations: Annotations, namespace: str, world: World) -> str | None:
        """Pass it through the Middlewares of the annotation."""
        names = [name.strip() for name in annotations.get(f"{TRAEFIK}/router.middlewares", "").split(",")]
        found: str | None = path
        for name in filter(None, names):
            middleware, _, provider = name.partition("@")
            if provider != "kubernetescrd" or found is None:
                return None
            found = traefik_middleware(namespace, middleware.removeprefix(f"{namespace}-"), found, world)
        return found


class IngressNginx(Controller):
    """ingress-nginx: plain locations, or with use-regex or rewrite-target expressions from the path's start."""

    def _is_regex(self, annotations: Annotations) -> bool:
        return annotations.get(f"{NGINX}/use-regex") == "true" or bool(annotations.get(f"{NGINX}/rewrite-target"))

    def matches(self, entry: Entry, path: str, annotations: Annotations) -> bool:
        """All paths of the host are expressions as soon as one is, whatever their type, after a ``^``."""
        if self._is_regex(annotations):
            return searched(f"^{entry.path}", path, re.IGNORECASE) is not None
        return super().matches(entry, path, annotations)

    def precedence(self, entry: Entry, annotations: Annotations) -> tuple[int, int]:
        """Expressions are tried by descending length."""
        return (0, len(entry.path)) if self._is_regex(annotations) else super().precedence(entry, annotations)

    def rewrite(self, entry: Entry, path: str, annotations: Annotations, namespace: str, world: World) -> str | None:
        """The whole path becomes the target, its references filled in; a target that is the path itself is none."""
        if any(annotations.get(f"{NGINX}/{kind}-redirect") for kind in ("temporal", "permanent")):
            return None
        if path == "/" and annotations.get(f"{NGINX}/app-root", "/") != "/":
            return None
        target = annotations.get(f"{NGINX}/rewrite-target", "")
        found = searched(entry.path, path, re.IGNORECASE) if target not in ("", entry.path) else None
        return path if found is None else _fill(target, found, r"\$(\d)")


class F5Nginx(Controller):
    """F5's: nginx locations by characters; a rewrite puts its text in the place of the location's."""

    def matches(self, entry: Entry, path: str, annotations: Annotations) -> bool:
        """By characters, expressions apart."""
        return path == entry.path if entry.type == "Exact" else _by_characters(path, entry.path)

    def rewrite(self, entry: Entry, path: str, annotations: Annotations, namespace: str, world: World) -> str | None:
        """``serviceName=chat rewrite=/``."""
        if any(key in annotations for key in (f"{F5}/rewrite-target", f"{F5}/path-regex")):
            return None
        for part in annotations.get(f"{F5}/rewrites", "").split(";"):
            words = dict(word.partition("=")[::2] for word in part.split())
            if words.get("serviceName") == entry.service:  # an empty rewrite is none that the documentation knows
                return words["rewrite"] + path.removeprefix(entry.path) if words["rewrite"] else None
        return path


class Kong(Controller):
    """Kong: strip-path takes the matched prefix off."""

    def rewrite(self, entry: Entry, path: str, annotations: Annotations, namespace: str, world: World) -> str | None:
        """What is left begins with a slash."""
        if f"{KONG}/rewrite" in annotations:
            return None
        if annotations.get(f"{KONG}/strip-path") != "true":
            return path
        return "/" + path.removeprefix(entry.path).lstrip("/")


class HaproxyIngress(Controller):
    """haproxy-ingress: rewrite-target takes the place of the path's text."""

    def rewrite(self, entry: Entry, path: str, annotations: Annotations, namespace: str, world: World) -> str | None:
        """Slashes that meet become one."""
        target = annotations.get(f"{HAPROXY_INGRESS}/rewrite-target")
        return path if target is None else target.rstrip("/") + "/" + path.removeprefix(entry.path).lstrip("/")


class Haproxy(Controller):
    """HAProxy's own: path-rewrite names an expression, found anywhere, and what the whole path becomes then."""

    def rewrite(self, entry: Entry, path: str, annotations: Annotations, namespace: str, world: World) -> str | None:
        """A replacement without an expression is for any path."""
        words = annotations.get(f"{HAPROXY}/path-rewrite", "").split()
        if len(words) < 2:
            return words[0] if words else path
        found = searched(words[0], path)
        return path if found is None else _fill(words[1], found, r"\\(\d)")


class Gke(Controller):
    """GKE: a path of type ImplementationSpecific is itself, or with ``/*`` at its end all that is below."""

    def matches(self, entry: Entry, path: str, annotations: Annotations) -> bool:
        """The load balancer's path rules."""
        if entry.type != SPECIFIC:
            return super().matches(entry, path, annotations)
        return path.startswith(entry.path[:-1]) if entry.path.endswith("/*") else path == entry.path

    def precedence(self, entry: Entry, annotations: Annotations) -> tuple[int, int]:
        """The longest match."""
        is_exact = entry.type == "Exact" or (entry.type == SPECIFIC and not entry.path.endswith("/*"))
        return int(is_exact), len(entry.path.rstrip("/*"))


class Agic(Controller):
    """Application Gateway: a prefix has a star at its end; the override takes the place of what is before the star."""

    def _pattern(self, entry: Entry) -> str:
        if entry.type == "Exact":
            return entry.path.rstrip("*")
        return entry.path if entry.type == SPECIFIC else f"{entry.path.rstrip('*')}*"

    def matches(self, entry: Entry, path: str, annotations: Annotations) -> bool:
        """A star counts only at the end."""
        pattern = self._pattern(entry)
        return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern

    def rewrite(self, entry: Entry, path: str, annotations: Annotations, namespace: str, world: World) -> str | None:
        """Slashes that meet become one."""
        target = annotations.get(f"{AGIC}/backend-path-prefix", "")
        rest = path.removeprefix(self._pattern(entry).rstrip("*")).lstrip("/")
        return f"{target.rstrip('/')}/{rest}" if target else path


class OpenShift(Controller):
    """OpenShift: a Route for each path, by segments; HAProxy rewrites by an expression made of the Route's path."""

    def entries(self, ingress: Object) -> Iterator[Entry]:
        """No Route is made of a default backend."""
        return (e for e in _entries(ingress) if not e.is_default)

    def matches(self, entry: Entry, path: str, annotations: Annotations) -> bool:
        """No Route is made of a path of type Exact, nor of a rule without a host; one slash at its end is cut off."""
        own = re.escape(entry.path.removesuffix("/"))
        return bool(entry.host) and entry.type != "Exact" and re.fullmatch(f"{own}(/.*)?", path) is not None

    def rewrite(self, entry: Entry, path: str, annotations: Annotations, namespace: str, world: World) -> str | None:
        """The router's two rules."""
        target = annotations.get(f"{OPENSHIFT}/rewrite-target", "")
        if not target:
            return path
        own = re.escape(entry.path)
        if target == "/":
            return re.sub(f"^{own}/?(.*)$", r"/\1", path)
        return re.sub(f"^{own}(.*)$", lambda found: target + found[1], path)


class ByHost(Controller):
    """Envoy has a list of routes for each host; a default backend is one for all hosts that have none."""

    def entries(self, ingress: Object) -> Iterator[Entry]:
        """A default backend counts on no host of a rule."""
        return (e for e in _entries(ingress) if not (e.is_default and e.host))


class Istio(Controller):
    """Istio: paths of type ImplementationSpecific are themselves, or a beginning with ``*`` or ``.*`` after it."""

    def entries(self, ingress: Object) -> Iterator[Entry]:
        """A default backend is ignored."""
        return (e for e in _entries(ingress) if not e.is_default)

    def matches(self, entry: Entry, path: str, annotations: Annotations) -> bool:
        """By characters where there is a star."""
        if entry.type != SPECIFIC:
            return super().matches(entry, path, annotations)
        if entry.path == "*" or entry.path.endswith(("/*", ".*")):
            return path.startswith(entry.path[:-2])
        return path == entry.path

    def precedence(self, entry: Entry, annotations: Annotations) -> tuple[int, int]:
        """The longest, and of two as long the exact one."""
        is_exact = entry.type == "Exact" or (entry.type == SPECIFIC and not entry.path.endswith("*"))
        length = len(entry.path) if is_exact else len(entry.path.rstrip("*").rstrip("/"))
        return length, int(is_exact)


class Cilium(ByHost):
    """Cilium: paths of type ImplementationSpecific are expressions for the whole path."""

    def matches(self, entry: Entry, path: str, annotations: Annotations) -> bool:
        """As the Kubernetes documentation says, expressions apart."""
        if entry.type != SPECIFIC:
            return super().matches(entry, path, annotations)
        return searched(rf"\A(?:{entry.path})\Z", path) is not None

    def precedence(self, entry: Entry, annotations: Annotations) -> tuple[int, int]:
        """Exact ones, then expressions, then prefixes; the longest of a type first."""
        return ("Prefix", SPECIFIC, "Exact").index(entry.type), len(entry.path)


class Tailscale(Controller):
    """Tailscale: a proxy for each Ingress, with a name of its own; every path is a prefix."""

    def entries(self, ingress: Object) -> Iterator[Entry]:
        """Rules for another host than the first one of TLS are ignored."""
        names = [name for tls in ingress["spec"].get("tls", [])[:1] for name in tls.get("hosts", [])[:1]]
        return (replace(e, host="", type="Prefix") for e in _entries(ingress) if e.host in ("", *names))


# A load balancer of AWS tries one list of rules. Each has a condition on hosts, one on paths, and an action.


def _load_balancer(ingress: Object, world: World, request: Request) -> set[Outcome]:
    """By the rules that its controller makes: redirects to https are left out where a browser came by it."""
    annotations, namespace = ingress["metadata"].get("annotations", {}), ingress["metadata"]["namespace"]
    entries = sorted(_entries(ingress), key=lambda e: (e.is_default, *_rank(e)))
    if any(e.type != SPECIFIC and set("*?") & set(e.path) for e in entries):
        return {Lost("the controller refuses the wildcard")}
    for entry in entries:
        if not _host_of_ingress(entry.host, request.host):
            continue
        if not any(_by_pattern(request.path, pattern) for pattern in _patterns(entry)):
            continue
        if entry.port != "use-annotation":
            return {_delivered(entry, request.path, namespace, world)}
        action = json.loads(annotations[f"{ALB}/actions.{entry.service}"])
        config = action.get("redirectConfig", {})
        if config.get("protocol") == "HTTPS" and "host" not in config:
            continue
        targets = action.get("forwardConfig", {}).get("targetGroups", [])
        made = [replace(entry, service=target["serviceName"], port=target["servicePort"]) for target in targets]
        return {_delivered(e, request.path, namespace, world) for e in made} or {Lost(f"the action {action['type']}")}
    return {Lost("404: no rule matches")}


def _rank(entry: Entry) -> tuple[int, int]:
    return ("Exact", "Prefix", SPECIFIC).index(entry.type), -len(entry.path) if entry.type == "Prefix" else 0


def _patterns(entry: Entry) -> tuple[str, ...]:
    if entry.type == "Prefix":
        return ("/*",) if entry.path == "/" else (entry.path.rstrip("/"), f"{entry.path.rstrip('/')}/*")
    return (entry.path,)


def _by_pattern(path: str, pattern: str) -> bool:
    expression = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    return re.fullmatch(expression, path) is not None


INGRESS_CONTROLLERS: dict[str, Controller] = {
    TRAEFIK: Traefik(),
    NGINX: IngressNginx(),
    F5: F5Nginx(),
    KONG: Kong(),
    HAPROXY_INGRESS: HaproxyIngress(),
    HAPROXY: Haproxy(),
    ALB: Controller(),
    GKE: Gke(),
    AGIC: Agic(),
    OPENSHIFT: OpenShift(),
    CONTOUR: ByHost(),
    ISTIO: Istio(),
    CILIUM: Cilium(),
    TAILSCALE: Tailscale(),
}


def searched(expression: str, text: str, flags: int = 0) -> re.Match[str] | None:
    """The first match; none of an expression that is wrong, which a controller leaves out."""
    try:
        return re.search(expression, text, flags)
    except re.error:
        return None


def _fill(template: str, found: re.Match[str], reference: str) -> str:
    groups = (found[0], *found.groups(default=""))
    return re.sub(reference, lambda m: groups[int(m[1])] if int(m[1]) < len(groups) else "", template)


# ------------------------------------------------------------------------------------------------ Traefik's Middlewares


def traefik_middleware(namespace: str, name: str, path: str, world: World, around: tuple[str, ...] = ()) -> str | None:
    """What a Middleware makes of a path; None if it is missing, part of itself, or does something unknown."""
    middleware = world.find("Middleware", namespace, name)
    if middleware is None or name in around:
        return None
    spec = middleware["spec"]
    if "chain" in spec:
        found: str | None = path
        for member in spec["chain"]["middlewares"]:
            if found is not None:
                found = traefik_middleware(namespace, member["name"], found, world, (*around, name))
        return found
    if "redirectRegex" in spec:
        return path if _stays(spec["redirectRegex"], world.origin, path) else None
    known = next((make for key, make in _MIDDLEWARES.items() if key in spec), None)
    if known is not None:
        return known(next(spec[key] for key in _MIDDLEWARES if key in spec), path)
    return None if "plugin" in spec else path


def _strip_prefix(spec: Object, path: str) -> str:
    prefix = next((prefix for prefix in spec["prefixes"] if path.startswith(prefix)), "")
    return _with_slash(path.removeprefix(prefix))


def _strip_prefix_regex(spec: Object, path: str) -> str:
    for expression in spec["regex"]:
        found = searched(expression, path)
        if found is not None and found[0] and path.startswith(found[0]):
            return _with_slash(path.removeprefix(found[0]))
    return path


def _replace_path_regex(spec: Object, path: str) -> str:
    return _replaced_as_go(spec["regex"], spec["replacement"], path)


def _stays(spec: Object, origin: str, path: str) -> bool:
    """Whether a redirect leaves a request alone, or keeps its host and path."""
    asked, told = (
        urlsplit(url) for url in (origin + path, _replaced_as_go(spec["regex"], spec["replacement"], origin + path))
    )
    return (asked.hostname, asked.path) == (told.hostname, told.path)


def _replaced_as_go(expression: str, template: str, text: str) -> str:
    """Replaces all matches, but not an empty one right after another; ``$1x`` is a group called 1x, which is empty."""
    last = -1

    def replacement(found: re.Match[str]) -> str:
        nonlocal last
        if found.start() == found.end() == last:
            return ""
        last = found.end()
        groups = (found[0], *found.groups(default=""))
        names = {str(number): value for number, value in enumerate(groups)} | found.groupdict(default="")
        return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda reference: names.get(reference[1] or reference[2], ""), template)

    return re.sub(expression, replacement, text)


def _with_slash(path: str) -> str:
    return path if path.startswith("/") or not path else f"/{path}"


_MIDDLEWARES: dict[str, Callable[[Object, str], str]] = {
    "stripPrefix": _strip_prefix,
    "stripPrefixRegex": _strip_prefix_regex,
    "replacePath": lambda spec, path: spec["path"],
    "replacePathRegex": _replace_path_regex,
    "addPrefix": lambda spec, path: spec["prefix"] + path,
}

# ------------------------------------------------------------------------------------------------------ HTTPRoute


def _gateways_of(route: Object) -> tuple[str, ...]:
    """Traefik if it uses Traefik's own resources, or else any implementation."""
    filters = [f for rule in route["spec"]["rules"] for f in rule.get("filters", [])]
    own = any(f.get("extensionRef", {}).get("group") == "traefik.io" for f in filters)
    return (TRAEFIK,) if own else (TRAEFIK, "envoy")


def _http_route(routes: list[Object], world: World, request: Request, edge: str) -> set[Outcome]:
    """By the specification's precedence; a regular expression's place in it is each implementation's own.

    Of two routes with equal matches the older one wins, and both may be that.
    """
    attached = [route for route in routes if _is_attached(route, world, request)]
    if not attached:
        return {Lost("no listener that the route is attached to takes the request")}
    named = [route for route in attached if _has_host(route, request.host)]
    if not named:
        return {Lost("404: no host name matches")}
    found = [
        (_precedence(match, edge), number, -order, match, rule, route)
        for number, route in enumerate(named)
        for order, rule in enumerate(route["spec"]["rules"])
        for match in rule.get("matches") or [{}]
        if _matches(match, request, edge)
    ]
    if not found:
        return {Lost("404: no rule matches")}
    best = max(precedence for precedence, *_ in found)
    winners = sorted({number for precedence, number, *_ in found if precedence == best})
    firsts = [max((e for e in found if e[:2] == (best, number)), key=lambda e: e[2]) for number in winners]
    return {
        outcome
        for _, _, _, match, rule, route in firsts
        for outcome in _after_filters(route, rule, match, request, world, edge)
    }


def _has_host(route: Object, host: str) -> bool:
    hostnames = route["spec"].get("hostnames", [])
    return not hostnames or any(_host_of_gateway(pattern, host) for pattern in hostnames)


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
    return request.path == value if type_ == "Exact" else _by_elements(request.path, value)


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


def _host_of_gateway(pattern: str, host: str) -> bool:
    """A wildcard stands for one label or more."""
    return pattern in ("", host) or (pattern.startswith("*.") and host.endswith(pattern[1:]))


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
                and _host_of_gateway(listener.get("hostname", ""), request.host)
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
            yield Lost("a filter that does not work here, or of which nothing is known")
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
        return traefik_middleware(namespace, extension["name"], path, world) if is_known else None
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
