"""Ingress: which controllers it may be for, and how people write it for each of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from tests import objects as make
from tests.model import traefik
from tests.model.chainlit import Request
from tests.model.drawing import DEEP, EXPRESSIONS, HOST, NAMESPACE, odd_expressions, often, paths_around, some, spelled
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
from tests.model.ingress_controllers import INGRESS_CONTROLLERS, annotations_of
from tests.model.paths import concrete
from tests.model.route_model import Flavour, Part, RouteModel, Setting
from tests.model.world import Claim, World
from tests.objects import Object

#: Flavours of clouds and meshes, each with its class.
CLOUDS = {"alb": "alb", "gke": "gce", "agic": "azure-application-gateway", "openshift": "openshift-default"}
CLOUDS |= {"istio": "istio", "cilium": "cilium", "tailscale": "tailscale"}
#: Classes that only one controller serves.
CLASSES = {"alb": ALB, "gce": GKE, "azure-application-gateway": AGIC, "openshift-default": OPENSHIFT}
CLASSES |= {"istio": ISTIO, "cilium": CILIUM, "tailscale": TAILSCALE}


class Ingress(RouteModel):
    """The Ingress of Kubernetes."""

    kind = "Ingress"
    flavours = (
        Flavour("plain", 4, is_real=True),
        Flavour("traefik", 4, is_real=True),
        Flavour("nginx", 3),
        Flavour("other", 1),
        *(Flavour(name, 1, is_split=False) for name in CLOUDS),
    )
    is_for_any_host = True

    def edges(self, route: Object) -> tuple[str, ...]:
        """The controller of its class, the ones whose annotations it has, or else any."""
        if (name := _class_of(route)) in CLASSES:
            return (CLASSES[name],)
        domains = {key.partition("/")[0] for key in annotations_of(route)}
        known = tuple(domain for domain in INGRESS_CONTROLLERS if domain in domains)
        return known or (TRAEFIK, NGINX, CONTOUR)

    def is_at(self, route: Object, edge: str, other: Object) -> bool:
        """Ingresses of one class are at one edge, whatever their annotations."""
        if other["kind"] != self.kind:
            return super().is_at(route, edge, other)
        return _class_of(route) == _class_of(other) and not INGRESS_CONTROLLERS[edge].is_alone

    def claims(self, route: Object, world: World, request: Request, edge: str) -> Iterator[Claim]:
        """By the documented rules of a controller."""
        return INGRESS_CONTROLLERS[edge].claims(route, world, request)

    def paths(self, route: Object, objects: list[Object]) -> list[str]:
        """Those of its rules, or the default backend's."""
        return [path["path"] for path in _paths_of(route)] or ["/"]

    def hosts(self, route: Object, objects: list[Object]) -> dict[str, str]:
        """Those of its rules, by http; a Tailscale proxy has a name that is none of them."""
        if _class_of(route) == "tailscale":
            return {}
        hosts = [rule.get("host", "") for rule in route["spec"].get("rules", [])] or [""]
        return {f"http://{concrete(host)}": host for host in hosts}

    def targets(self, route: Object, objects: list[Object]) -> Iterator[frozenset[str]]:
        """Those of its rules, or the default backend."""
        for backend in [path["backend"] for path in _paths_of(route)] or [route["spec"].get("defaultBackend", {})]:
            yield frozenset([backend["service"]["name"]] if "service" in backend else [])

    def is_single(self, route: Object, objects: list[Object]) -> bool:
        """With the default backend."""
        return len(_paths_of(route)) + ("defaultBackend" in route["spec"]) == 1

    def companions(self, prefix: str, flavour: str) -> SearchStrategy[list[Object]]:
        """Middlewares, for Traefik's annotation."""
        return traefik.middlewares(prefix) if flavour == "traefik" else super().companions(prefix, flavour)

    def route(self, setting: Setting) -> SearchStrategy[Object]:
        """The main path, and others in any order."""
        return _ingress(setting)

    def part(self, route: Object, part: Part) -> SearchStrategy[Object]:
        """On the route's hosts."""
        return _part(route, part)


MODEL = Ingress()


def _class_of(ingress: Object) -> str:
    return str(ingress["spec"].get("ingressClassName", ""))


def _paths_of(ingress: Object) -> list[Object]:
    return [path for rule in ingress["spec"].get("rules", []) for path in rule["http"]["paths"]]


# ------------------------------------------------------------------------------------------------ how people write it


@st.composite
def _ingress(draw: DrawFn, setting: Setting) -> Object:
    prefix, flavour = setting.prefix, setting.flavour
    hosts = draw(often([""], ["*.example"], [DEEP], [HOST, "b.example"], usually=([HOST],)))
    if setting.is_real:
        hosts = [HOST]
    main = draw(_ingress_path(prefix, flavour, is_main=True))
    more = draw(some(_ingress_path(prefix, flavour, is_main=False)))
    place = draw(st.integers(0, len(more)))
    paths = [*more[:place], main, *more[place:]]
    rules = [make.ingress_rule(*paths, host=host or None) for host in hosts]
    # The class decides whose annotations count.
    spec: Object = {"ingress_class": None} if flavour in ("nginx", "other") else {}
    if flavour in CLOUDS:
        spec["ingress_class"] = CLOUDS[flavour]
        if flavour == "alb" and draw(often(True, usually=(False,))):
            action = make.ingress_path("/", "Prefix", "home", "use-annotation")
            rules = [{**rule, "http": {"paths": [action, *rule["http"]["paths"]]}} for rule in rules]
    if not setting.is_real and draw(often(True, usually=(False,))):
        rules = draw(st.sampled_from([[], rules]))
        spec = {"ingress_class": CLOUDS.get(flavour), "defaultBackend": make.backend()}
    if not setting.is_real and draw(st.sampled_from([False, False, False, True])):
        spec["tls"] = [{"hosts": draw(st.sampled_from([[HOST], ["*.example"], [], ["z.example"]]))}]
    annotations = draw(_annotations(prefix, flavour, setting.names("Middleware")))
    status = {
        "loadBalancer": {"ingress": draw(st.sampled_from([[], [{"ip": "192.0.2.7"}], [{"hostname": "lb.example"}]]))}
    }
    return make.ingress(
        name="route", rules=rules, annotations=annotations, status={} if setting.is_real else status, **spec
    )


@st.composite
def _part(draw: DrawFn, route: Object, part: Part) -> Object:
    """On all hosts of the route or the first one, and perhaps without its annotations."""
    made: Object = deepcopy(route)
    made["spec"].pop("defaultBackend", None)
    hosts = [rule.get("host") for rule in made["spec"].get("rules", [])] or [HOST]
    path = make.ingress_path(part.path, "Exact" if part.is_exact else "Prefix", part.service, "http")
    made["spec"]["rules"] = [make.ingress_rule(path, host=host) for host in draw(st.sampled_from([hosts, hosts[:1]]))]
    if draw(st.booleans()):
        made["metadata"]["annotations"] = {}
    return made


@st.composite
def _ingress_path(draw: DrawFn, prefix: str, flavour: str, *, is_main: bool) -> Object:
    type_ = draw(often("Exact", usually=("Prefix", "Prefix", "ImplementationSpecific")))
    path = draw(spelled(prefix, loosely=type_ == "ImplementationSpecific") if is_main else paths_around(prefix))
    if flavour == "nginx" or draw(often(*[False] * 4, True, usually=(False,))):
        type_ = draw(often("Prefix", "Exact", usually=("ImplementationSpecific",)))
        path = draw(st.sampled_from([prefix.rstrip("/"), path.rstrip("/")])) + draw(
            often(*EXPRESSIONS, usually=("(/|$)(.*)",), odds=1)
        )
        path = draw(st.one_of(st.just(path), st.just(path), odd_expressions(prefix)))
    if flavour in CLOUDS:
        base = path.rstrip("/")
        patterns = {
            **dict.fromkeys(("openshift", "tailscale"), (path,)),
            "istio": (f"{base}/*", f"{base}.*", f"{base}/*", "/*"),
            "cilium": (f"{base}/.*", f"{base}(/.*)?", f"{base}(/.*)?", "/.*"),
        }.get(flavour, (f"{base}/*", f"{base}*", f"{base}/*", "/*"))
        path = draw(often(path, f"{base}?", f"/*{path}", usually=patterns, odds=2))
        type_ = draw(often("Prefix", "Exact", usually=("ImplementationSpecific",)))
    service = draw(often("chat-2", "missing", usually=("chat",) if is_main else ("other", "other", "chat"), odds=20))
    port = draw(often("web", 8000, usually=("http", 80), odds=40))
    return make.ingress_path(path or "/", type_, service, port)


@st.composite
def _annotations(draw: DrawFn, prefix: str, flavour: str, middlewares: list[str]) -> dict[str, str]:
    base = prefix.rstrip("/")
    if flavour == "traefik":
        used = draw(st.lists(st.sampled_from(middlewares), min_size=1, max_size=2))
        entries = [f"{NAMESPACE}-{name}@kubernetescrd" for name in used]
        entries += draw(often(["strip@file"], [f"{NAMESPACE}-missing@kubernetescrd"], usually=([],)))
        matchers = ("PathRegexp", "Path", "PathPrefix", "PathPrefixStrip")
        matcher = draw(often(*({f"{TRAEFIK}/router.pathmatcher": word} for word in matchers), usually=({},)))
        return {f"{TRAEFIK}/router.middlewares": ",".join(entries), **matcher}
    if flavour == "nginx":
        odd = ("/$1", "$1", f"{base}/$1", "/other/$2", "/", "/$3", "$2")
        target = draw(often(*odd, usually=("/$2", "/$2", f"{base}/$2", ""), odds=1))
        redirects = ({f"{NGINX}/permanent-redirect": "https://z.example"}, {f"{NGINX}/app-root": f"{base}/"})
        more: dict[str, str] = draw(often(*redirects, {f"{NGINX}/app-root": "/bot"}, usually=({},), odds=20))
        return more | ({f"{NGINX}/rewrite-target": target} if target else {f"{NGINX}/use-regex": "true"})
    if flavour in CLOUDS:
        return draw(_cloud_annotations(base, flavour))
    if flavour == "other":
        targets = ("/", f"{base}", f"{base}/", "/other", "")
        rare = (
            {f"{KONG}/rewrite": "/$1"},
            {f"{HAPROXY}/path-rewrite": f"^{base}(/|$)(.*) /\\2"},
            {f"{HAPROXY}/path-rewrite": "/a(.*) /\\1"},
            {f"{HAPROXY}/path-rewrite": "/chat"},
            {f"{HAPROXY}/path-rewrite": "^/[^/]+(/.*)? \\1"},
            {f"{HAPROXY}/path-rewrite": f"(?i){base}/(.*) /\\1"},
            {f"{F5}/path-regex": "case_sensitive"},
            *({f"{F5}/rewrites": f"serviceName=chat rewrite={target}"} for target in targets),
            *({f"{HAPROXY_INGRESS}/rewrite-target": target} for target in targets if target),
        )
        usually = (
            {f"{KONG}/strip-path": "true"},
            {f"{KONG}/strip-path": "false"},
            {f"{HAPROXY}/path-rewrite": f"{base}/(.*) /\\1"},
            {f"{F5}/rewrites": "serviceName=chat rewrite=/"},
            {f"{HAPROXY_INGRESS}/rewrite-target": "/"},
        )
        return draw(often(*rare, usually=usually, odds=1, calm=3))
    return {}


def _cloud_annotations(base: str, flavour: str) -> SearchStrategy[dict[str, str]]:
    parent = base.rpartition("/")[0]
    if flavour == "alb":
        https = {"type": "redirect", "redirectConfig": {"protocol": "HTTPS", "port": "443"}}
        elsewhere = {"type": "redirect", "redirectConfig": {"protocol": "HTTPS", "host": "x.example"}}
        groups = [[{"serviceName": name, "servicePort": 80}] for name in ("other", "chat")]
        forwards = [{"type": "forward", "forwardConfig": {"targetGroups": group}} for group in groups]
        action = often(elsewhere, {"type": "fixed-response"}, *forwards, usually=(https,), odds=2)
        return action.map(lambda found: {f"{ALB}/actions.home": json.dumps(found)})
    targets = {"agic": (f"{base}/", "/other/", base), "openshift": (base, f"{base}/", "/other", parent)}
    keys = {"agic": f"{AGIC}/backend-path-prefix", "openshift": f"{OPENSHIFT}/rewrite-target"}
    if flavour not in keys:
        return st.just({})
    target = often(*targets[flavour], usually=("", "/"), odds=2)
    return target.map(lambda found: {keys[flavour]: found} if found else {})
