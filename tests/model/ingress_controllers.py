"""Ingress controllers as routers of single requests, by their documented rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.model import traefik
from tests.model.chainlit import Request
from tests.model.edges import (
    AGIC,
    ALB,
    CILIUM,
    CONTOUR,
    F5,
    GKE,
    HAPROXY,
    HAPROXY_INGRESS,
    ISTIO,
    KONG,
    NGINX,
    OPENSHIFT,
    TAILSCALE,
    TRAEFIK,
)
from tests.model.expressions import filled, searched
from tests.model.paths import by_characters, by_elements, host_of_one_label
from tests.model.world import Claim, Delivered, Lost, Outcome, World
from tests.objects import Object

SPECIFIC = "ImplementationSpecific"
Annotations = dict[str, str]


@dataclass(frozen=True)
class Entry:
    """A path of an Ingress."""

    host: str
    path: str
    type: str
    service: str
    port: int | str
    is_default: bool = False
    """Whether it is a default backend, over which every other entry wins."""


def annotations_of(ingress: Object) -> Annotations:
    """Those of an Ingress."""
    found: Annotations = ingress["metadata"].get("annotations", {})
    return found


def _delivered(entry: Entry, path: str | None, namespace: str, world: World) -> Outcome:
    if not world.has_port(namespace, entry.service, entry.port):
        return Lost(f"503: Service {entry.service} has no port {entry.port}")
    if path is None:
        return Lost("a rewrite whose effect is not known, or a Middleware that is missing")
    return Delivered(entry.service, path or "/")


def _entries(ingress: Object) -> Iterator[Entry]:
    spec = ingress["spec"]
    rules = [(rule, path) for rule in spec.get("rules", []) for path in rule.get("http", {}).get("paths", [])]
    for rule, path in rules:
        service = path["backend"].get("service")
        if service is not None:
            type_ = path["pathType"] if path.get("path") else "Prefix"
            yield Entry(rule.get("host", ""), path.get("path") or "/", type_, *_target(service))
    if "service" in spec.get("defaultBackend", {}):
        for host in dict.fromkeys([*(rule.get("host", "") for rule, _ in rules), ""]):
            yield Entry(host, "/", "Prefix", *_target(spec["defaultBackend"]["service"]), is_default=True)


def _target(service: Object) -> tuple[str, int | str]:
    return service["name"], service["port"].get("name") or service["port"]["number"]


def _unspecific(host: str) -> int:
    return 2 if not host else 1 if host.startswith("*") else 0


NO_PATH = Lost("404: no path matches")


class Controller:
    """What the Kubernetes documentation says of an Ingress, ImplementationSpecific being by characters."""

    #: Whether each Ingress has a load balancer of its own, so that none takes the requests of another.
    is_alone = False

    def claims(self, ingress: Object, world: World, request: Request) -> Iterator[Claim]:
        """Those of an Ingress: the server of the most specific host is chosen first, and then the path in it."""
        annotations = annotations_of(ingress)
        yield Claim((), NO_PATH)
        for entry in self.entries(ingress):
            if host_of_one_label(entry.host, request.host):
                server = -_unspecific(entry.host)
                yield Claim((server,), NO_PATH)
                if self.matches(entry, request.path, annotations):
                    place = (server, int(not entry.is_default), *self.precedence(entry, annotations))
                    yield Claim(place, self.outcome(entry, ingress, world, request))

    def outcome(self, entry: Entry, ingress: Object, world: World, request: Request) -> Outcome:
        """What becomes of a request that an entry takes."""
        namespace = ingress["metadata"]["namespace"]
        path = self.rewrite(entry, request.path, annotations_of(ingress), namespace, world)
        return _delivered(entry, path, namespace, world)

    def entries(self, ingress: Object) -> Iterator[Entry]:
        """Those of an Ingress; a default backend takes what no path takes, on all hosts."""
        return _entries(ingress)

    def matches(self, entry: Entry, path: str, annotations: Annotations) -> bool:
        """Whether an entry, its host apart, is for a path."""
        if entry.type == "Exact":
            return path == entry.path
        return (by_elements if entry.type == "Prefix" else by_characters)(path, entry.path)

    def precedence(self, entry: Entry, annotations: Annotations) -> tuple[int, ...]:
        """Among the entries of a host: the greater it is the earlier an entry is tried: exact ones, then by length."""
        return int(entry.type == "Exact"), len(entry.path.rstrip("/"))

    def rewrite(self, entry: Entry, path: str, annotations: Annotations, namespace: str, world: World) -> str | None:
        """What becomes of a path; None where that cannot be told."""
        return path


class Traefik(Controller):
    """By characters, the longest rule first; Middlewares rewrite, in their order."""

    def claims(self, ingress: Object, world: World, request: Request) -> Iterator[Claim]:
        """A router for each entry, without those whose Service or port is not there. It goes by the priority alone."""
        annotations, namespace = annotations_of(ingress), ingress["metadata"]["namespace"]
        yield Claim((), NO_PATH)
        for entry in self.entries(ingress):
            is_router = world.has_port(namespace, entry.service, entry.port)
            is_asked = host_of_one_label(entry.host, request.host) and self.matches(entry, request.path, annotations)
            if is_router and is_asked:
                yield Claim(self.precedence(entry, annotations), self.outcome(entry, ingress, world, request))

    def entries(self, ingress: Object) -> Iterator[Entry]:
        """A default backend counts only where there is no rule."""
        return (e for e in _entries(ingress) if not (e.is_default and ingress["spec"].get("rules")))

    def matches(self, entry: Entry, path: str, annotations: Annotations) -> bool:
        """Path(`…`) or PathPrefix(`…`); paths are cleaned before, so one that is not clean matches nothing."""
        matcher = self._matcher(entry, annotations)
        if matcher == "PathRegexp":
            return searched(entry.path, path) is not None
        return path == entry.path if matcher == "Path" else matcher == "PathPrefix" and by_characters(path, entry.path)

    def _matcher(self, entry: Entry, annotations: Annotations) -> str:
        """An annotation chooses it for paths of type ImplementationSpecific; another word than these is refused."""
        if entry.type == "ImplementationSpecific":
            return annotations.get(f"{TRAEFIK}/router.pathmatcher") or "PathPrefix"
        return "Path" if entry.type == "Exact" else "PathPrefix"

    def precedence(self, entry: Entry, annotations: Annotations) -> tuple[int, ...]:
        """The priority of a router is the length of its rule; that of a default backend is the least."""
        if entry.is_default:
            return (-1,)
        host = f"Host(`{entry.host}`) && " if entry.host and "*" not in entry.host else ""
        if "*" in entry.host:
            host = f"HostRegexp(`^[a-zA-Z0-9-]+\\.{entry.host[2:]}$`) && "
        return (len(f"{host}{self._matcher(entry, annotations)}(`{entry.path}`)"),)

    def rewrite(self, entry: Entry, path: str, annotations: Annotations, namespace: str, world: World) -> str | None:
        """Pass it through the Middlewares of the annotation."""
        names = [name.strip() for name in annotations.get(f"{TRAEFIK}/router.middlewares", "").split(",")]
        found: str | None = path
        for name in filter(None, names):
            middleware, _, provider = name.partition("@")
            if provider != "kubernetescrd" or found is None:
                return None
            found = traefik.after_middleware(namespace, middleware.removeprefix(f"{namespace}-"), found, world)
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

    def precedence(self, entry: Entry, annotations: Annotations) -> tuple[int, ...]:
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
        return path if found is None else filled(target, found, r"\$(\d)")


class F5Nginx(Controller):
    """F5's: nginx locations by characters; a rewrite puts its text in the place of the location's."""

    def matches(self, entry: Entry, path: str, annotations: Annotations) -> bool:
        """By characters, expressions apart."""
        return path == entry.path if entry.type == "Exact" else by_characters(path, entry.path)

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
        return path if found is None else filled(words[1], found, r"\\(\d)")


class Gke(Controller):
    """GKE: a path of type ImplementationSpecific is itself, or with ``/*`` at its end all that is below."""

    is_alone = True

    def matches(self, entry: Entry, path: str, annotations: Annotations) -> bool:
        """The load balancer's path rules."""
        if entry.type != SPECIFIC:
            return super().matches(entry, path, annotations)
        return path.startswith(entry.path[:-1]) if entry.path.endswith("/*") else path == entry.path

    def precedence(self, entry: Entry, annotations: Annotations) -> tuple[int, ...]:
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

    def claims(self, ingress: Object, world: World, request: Request) -> Iterator[Claim]:
        """All Routes are tried, also those of a wildcard if none of the host itself has the path."""
        return (claim for claim in super().claims(ingress, world, request) if len(claim.precedence) != 1)

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

    def precedence(self, entry: Entry, annotations: Annotations) -> tuple[int, ...]:
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

    def precedence(self, entry: Entry, annotations: Annotations) -> tuple[int, ...]:
        """Exact ones, then expressions, then prefixes; the longest of a type first."""
        return ("Prefix", SPECIFIC, "Exact").index(entry.type), len(entry.path)


class Tailscale(Controller):
    """Tailscale: a proxy for each Ingress, with a name of its own; every path is a prefix."""

    is_alone = True

    def entries(self, ingress: Object) -> Iterator[Entry]:
        """Rules for another host than the first one of TLS are ignored."""
        names = [name for tls in ingress["spec"].get("tls", [])[:1] for name in tls.get("hosts", [])[:1]]
        return (replace(e, host="", type="Prefix") for e in _entries(ingress) if e.host in ("", *names))


class Aws(Controller):
    """A load balancer of AWS tries one list of rules. Each has a condition on hosts, one on paths, and an action."""

    is_alone = True

    def claims(self, ingress: Object, world: World, request: Request) -> Iterator[Claim]:
        """All that the first rule which takes the request may do with it."""
        return (Claim((), outcome) for outcome in self._outcomes(ingress, world, request))

    def _outcomes(self, ingress: Object, world: World, request: Request) -> set[Outcome]:
        """By the rules that its controller makes: redirects to https are left out where a browser came by it."""
        annotations = annotations_of(ingress)
        entries = sorted(_entries(ingress), key=lambda e: (e.is_default, *_rank(e)))
        if any(e.type != SPECIFIC and set("*?") & set(e.path) for e in entries):
            return {Lost("the controller refuses the wildcard")}
        for entry in entries:
            if not host_of_one_label(entry.host, request.host):
                continue
            if not any(_by_pattern(request.path, pattern) for pattern in _patterns(entry)):
                continue
            if entry.port != "use-annotation":
                return {self.outcome(entry, ingress, world, request)}
            action = json.loads(annotations[f"{ALB}/actions.{entry.service}"])
            config = action.get("redirectConfig", {})
            if config.get("protocol") == "HTTPS" and "host" not in config:
                continue
            targets = action.get("forwardConfig", {}).get("targetGroups", [])
            made = [replace(entry, service=target["serviceName"], port=target["servicePort"]) for target in targets]
            lost: set[Outcome] = {Lost(f"the action {action['type']}")}
            return {self.outcome(e, ingress, world, request) for e in made} or lost
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
    ALB: Aws(),
    GKE: Gke(),
    AGIC: Agic(),
    OPENSHIFT: OpenShift(),
    CONTOUR: ByHost(),
    ISTIO: Istio(),
    CILIUM: Cilium(),
    TAILSCALE: Tailscale(),
}
