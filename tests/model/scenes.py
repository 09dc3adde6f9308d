"""Clusters that Hypothesis makes: an app, its workload, Services and routes, as an API server returns them.

What people write is likelier than what they could write. Half of the scenes are *calm*: an oddity in one of them is
mostly its only one, so that it decides alone, and most have an answer. In the others oddities meet. Every reason for
having no answer occurs, and mistakes that nobody warns of.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from tests import objects as make
from tests.model.edges import AGIC, ALB, F5, HAPROXY, HAPROXY_INGRESS, KONG, NGINX, OPENSHIFT, TRAEFIK
from tests.objects import Object

#: Stand for the namespace and the host, so that a scene can be played anywhere.
NAMESPACE, HOST = "scene-0", "chat.example"
#: A host two labels below the wildcard ``*.example``.
DEEP = "deep.b.example"
OWN_PATHS = ("/ws", "/assets", "/project", "/login", "/set-session-cookie")


@dataclass(frozen=True)
class Scene:
    """The objects of one namespace (and of one with Gateways), as JSON."""

    text: str

    @property
    def objects(self) -> list[Object]:
        """All of them, the ChainlitApp too."""
        found: list[Object] = json.loads(self.text)
        return found

    def of(self, *kinds: str) -> list[Object]:
        """Those of some kinds."""
        return [found for found in self.objects if found["kind"] in kinds]

    def played(self, namespace: str, host: str) -> Scene:
        """The same scene in another namespace, for another host."""
        return Scene(self.text.replace(NAMESPACE, namespace).replace(HOST, host))


@dataclass(frozen=True)
class Stage:
    """What a scene may hold: ``flavours`` of routes, and whether all is so that a real Traefik plays it."""

    flavours: tuple[str, ...]
    is_real: bool = False


CLOUDS = {"alb": "alb", "gke": "gce", "agic": "azure-application-gateway", "openshift": "openshift-default"}
CLOUDS |= {"istio": "istio", "cilium": "cilium", "tailscale": "tailscale"}
ANY = Stage(("plain",) * 4 + ("traefik",) * 4 + ("nginx",) * 3 + ("other", *CLOUDS) + ("http-route",) * 6)
REAL = Stage(("plain", "traefik", "http-route"), is_real=True)


def scenes(stage: Stage = ANY) -> SearchStrategy[Scene]:
    """Scenes for a stage."""
    return _scenes(stage)


@st.composite
def _scenes(draw: DrawFn, stage: Stage) -> Scene:
    flavour = draw(st.sampled_from(stage.flavours))
    prefix = draw(
        _often(
            "/chat",
            "/team/chat",
            "/team/v1.0/chat",
            "/",
            "/chat/ws",
            "/my%20chat",
            "/bot",
            usually=("/chat", "/team/chat", "/"),
        )
    )
    middlewares = draw(_middlewares(prefix)) if flavour in ("traefik", "http-route") else []
    names = [found["metadata"]["name"] for found in middlewares]
    kind = "HTTPRoute" if flavour == "http-route" else "Ingress"
    count = 1 if stage.is_real else draw(_often(0, usually=(*(1,) * 10, 2), odds=40))
    routes = [
        draw(_http_route(prefix, names, stage) if kind == "HTTPRoute" else _ingress(prefix, flavour, names, stage))
        for _ in range(count)
    ]
    if count and not stage.is_real:
        routes += [] if flavour in CLOUDS else draw(_split(routes[0], prefix))
    for number, route in enumerate(routes):
        route["metadata"]["name"] = f"route-{number}"
    objects = [
        draw(_deployment()),
        *draw(_services(stage)),
        *middlewares,
        *routes,
        *([] if stage.is_real or kind == "Ingress" else draw(_gateways())),
        draw(_app(kind, stage)),
    ]
    return Scene(json.dumps([make.stored(found, NAMESPACE) for found in objects]))


@st.composite
def _split(draw: DrawFn, route: Object, prefix: str) -> list[Object]:
    """Seldom, further routes for parts of the app, like the route but for their paths, or without its annotations."""
    number = draw(_often(1, 1, 2, usually=(0,), odds=3, calm=1))
    return [draw(_part(route, prefix.rstrip("/"))) for _ in range(number)]


@st.composite
def _part(draw: DrawFn, route: Object, base: str) -> Object:
    made: Object = json.loads(json.dumps(route))
    text = base + draw(_often("/bot", "", "/wsx", "/", usually=(*OWN_PATHS, "/slack/events", "/public"), odds=1))
    type_ = draw(_often("Exact", usually=("Prefix",)))
    service = draw(_often("missing", "chat-2", usually=("chat",), odds=20))
    if route["kind"] == "HTTPRoute":
        rule: Object = made["spec"]["rules"][0]
        match = make.path_match(text or "/", {"Prefix": "PathPrefix"}.get(type_, type_))
        filters = [found for found in rule.get("filters", []) if found["type"] == "ExtensionRef"]
        filters = draw(st.sampled_from([[], filters]))
        made["spec"]["rules"] = [make.http_rule(match, filters=filters, backends=[make.backend_ref(service)])]
        return made
    made["spec"].pop("defaultBackend", None)
    hosts = [rule.get("host") for rule in made["spec"].get("rules", [])] or [HOST]
    path = make.ingress_path(text or "/", type_, service, "http")
    made["spec"]["rules"] = [make.ingress_rule(path, host=host) for host in draw(st.sampled_from([hosts, hosts[:1]]))]
    if draw(st.booleans()):
        made["metadata"]["annotations"] = {}
    return made


#: Whether the scene is a calm one; one draw for each scene.
CALM = st.shared(st.booleans(), key="calm")


def _often(*rare: Any, usually: tuple[Any, ...], odds: int = 9, calm: int = 5) -> SearchStrategy[Any]:
    """One of ``usually``, or against odds of nine to one each what is rare; in a calm scene ``calm`` times as many."""

    def choice(odds: int) -> SearchStrategy[Any]:
        share = -(-odds * len(rare) // len(usually))
        return st.sampled_from([*usually * share, *rare, *usually])  # the ends of a list are likelier than its middle

    hasty, rested = choice(odds), choice(odds * calm)
    return CALM.flatmap(lambda is_calm: rested if is_calm else hasty)


def _some(one: SearchStrategy[Any]) -> SearchStrategy[list[Any]]:
    """None half of the time, else one or, seldom, two; in a calm scene mostly none."""
    numbers = st.sampled_from([0, 0, 0, 1, 1, 2])
    fewer = st.sampled_from([0, 0, 0, 0, 0, 1])
    number = CALM.flatmap(lambda is_calm: fewer if is_calm else numbers)
    return number.flatmap(lambda n: st.lists(one, min_size=n, max_size=n))


@st.composite
def _deployment(draw: DrawFn) -> Object:
    env = draw(_often({"CHAINLIT_ROOT_PATH": "/old"}, usually=({},)))
    return make.workload(make.container(env=env))


@st.composite
def _services(draw: DrawFn, stage: Stage) -> list[Object]:
    selectors = {"chat": "chat", "chat-2": "chat", "other": "other"}
    if not stage.is_real:
        selectors["chat"] = draw(_often("other", usually=("chat",), odds=30))
        for name in draw(_often(("chat", "chat-2"), ("chat",), ("other",), usually=((),))):
            del selectors[name]
    return [make.service(name, app) for name, app in selectors.items()]


@st.composite
def _app(draw: DrawFn, kind: str, stage: Stage) -> Object:
    name = draw(_often("missing", usually=("", "", "route-0"), odds=40))
    if stage.is_real:
        name = ""
    route: Object = {"route": {"ref": {"kind": kind, "name": name}}} if name else {}
    return make.chainlit_app(**route)


# ---------------------------------------------------------------------------------------------------------- paths


def _beside(prefix: str) -> SearchStrategy[str]:
    """Paths that another entry may have: below the prefix, above it, near it, elsewhere."""
    base = prefix.rstrip("/")
    below = [f"{base}{tail}" for tail in (*OWN_PATHS, "/", "/a", "/projects", "/shop", "x" if base else "/x", "/")]
    above = [base.rpartition("/")[0] or "/", base[:-1] or "/"]
    elsewhere = ["/", "/shop", "/bot", "/assets", "/shop/chat", "/v1", "/status"]
    return st.sampled_from([prefix, *below, *above, *elsewhere, *elsewhere])


def _spelled(prefix: str, *, loosely: bool) -> SearchStrategy[str]:
    """The prefix as somebody may spell it; ``loosely`` also as an API server takes it unread."""
    base = prefix.rstrip("/")
    odd = (f"/{base}", f"{base}//", f"{prefix} ", f"{base}/./x", "/a b") if loosely else ("/a@b",)
    return _often(f"{base}/", *odd, usually=(prefix, prefix, prefix, f"{base}/"))


# -------------------------------------------------------------------------------------------------------- Ingress

EXPRESSIONS = ("/?(.*)", "(/.*)?", ".*", "/(.*)", "", "(/|$)", "/[a-z]+", "$", "(/.+)?", "(?:/(.*))?", "()/?(.*)",
               "(/[A-Za-z0-9._/-]*)?", "(/(ws|assets))?.*", "[0-9]*(/.*)?", "(?!/private).*",
               "(/.*)?|/bot.*")  # fmt: skip


def _expressions(prefix: str) -> SearchStrategy[str]:
    """Expressions that are more than a prefix with a tail, for all or a part of what is below a prefix."""
    base = prefix.rstrip("/")
    parent, _, last = base.rpartition("/")
    return st.sampled_from(
        [
            f"/({base[1:]}/.*)",
            f"{parent}/({last}.*)",
            f"{parent}/({last}|bot)(/|$)(.*)",
            f"({base}(/.*)?)",
            f"(?:{base}|/bot)(/.*)?",
            f"/(?:{base[1:]}/)?(.*)",
            f"{parent}/[a-z]+(/|$)(.*)",
            f"(/[a-z]+)?{base}(/.*)?",
            f"{base.upper()}(/|$)(.*)",
        ]
    )


@st.composite
def _ingress(draw: DrawFn, prefix: str, flavour: str, middlewares: list[str], stage: Stage) -> Object:
    hosts = draw(_often([""], ["*.example"], [DEEP], [HOST, "b.example"], usually=([HOST],)))
    if stage.is_real:
        hosts = [HOST]
    main = draw(_ingress_path(prefix, flavour, is_main=True))
    more = draw(_some(_ingress_path(prefix, flavour, is_main=False)))
    place = draw(st.integers(0, len(more)))
    paths = [*more[:place], main, *more[place:]]
    rules = [make.ingress_rule(*paths, host=host or None) for host in hosts]
    # The class decides whose annotations count.
    spec: Object = {"ingress_class": None} if flavour in ("nginx", "other") else {}
    if flavour in CLOUDS:
        spec["ingress_class"] = CLOUDS[flavour]
        if flavour == "alb" and draw(_often(True, usually=(False,))):
            action = make.ingress_path("/", "Prefix", "home", "use-annotation")
            rules = [{**rule, "http": {"paths": [action, *rule["http"]["paths"]]}} for rule in rules]
    if not stage.is_real and draw(_often(True, usually=(False,))):
        rules = draw(st.sampled_from([[], rules]))
        spec = {"ingress_class": CLOUDS.get(flavour), "defaultBackend": make.backend()}
    if not stage.is_real and draw(st.sampled_from([False, False, False, True])):
        spec["tls"] = [{"hosts": draw(st.sampled_from([[HOST], ["*.example"], [], ["z.example"]]))}]
    annotations = draw(_annotations(prefix, flavour, middlewares))
    status = {
        "loadBalancer": {"ingress": draw(st.sampled_from([[], [{"ip": "192.0.2.7"}], [{"hostname": "lb.example"}]]))}
    }
    return make.ingress(
        name="route", rules=rules, annotations=annotations, status={} if stage.is_real else status, **spec
    )


@st.composite
def _ingress_path(draw: DrawFn, prefix: str, flavour: str, *, is_main: bool) -> Object:
    type_ = draw(_often("Exact", usually=("Prefix", "Prefix", "ImplementationSpecific")))
    path = draw(_spelled(prefix, loosely=type_ == "ImplementationSpecific") if is_main else _beside(prefix))
    if flavour == "nginx" or draw(_often(*[False] * 4, True, usually=(False,))):
        type_ = draw(_often("Prefix", "Exact", usually=("ImplementationSpecific",)))
        path = draw(st.sampled_from([prefix.rstrip("/"), path.rstrip("/")])) + draw(
            _often(*EXPRESSIONS, usually=("(/|$)(.*)",), odds=1)
        )
        path = draw(st.one_of(st.just(path), st.just(path), _expressions(prefix)))
    if flavour in CLOUDS:
        base = path.rstrip("/")
        patterns = {
            **dict.fromkeys(("openshift", "tailscale"), (path,)),
            "istio": (f"{base}/*", f"{base}.*", f"{base}/*", "/*"),
            "cilium": (f"{base}/.*", f"{base}(/.*)?", f"{base}(/.*)?", "/.*"),
        }.get(flavour, (f"{base}/*", f"{base}*", f"{base}/*", "/*"))
        path = draw(_often(path, f"{base}?", f"/*{path}", usually=patterns, odds=2))
        type_ = draw(_often("Prefix", "Exact", usually=("ImplementationSpecific",)))
    service = draw(_often("chat-2", "missing", usually=("chat",) if is_main else ("other", "other", "chat"), odds=20))
    port = draw(_often("web", 8000, usually=("http", 80), odds=40))
    return make.ingress_path(path or "/", type_, service, port)


@st.composite
def _annotations(draw: DrawFn, prefix: str, flavour: str, middlewares: list[str]) -> dict[str, str]:
    base = prefix.rstrip("/")
    if flavour == "traefik":
        used = draw(st.lists(st.sampled_from(middlewares), min_size=1, max_size=2))
        entries = [f"{NAMESPACE}-{name}@kubernetescrd" for name in used]
        entries += draw(_often(["strip@file"], [f"{NAMESPACE}-missing@kubernetescrd"], usually=([],)))
        matchers = ("PathRegexp", "Path", "PathPrefix", "PathPrefixStrip")
        matcher = draw(_often(*({f"{TRAEFIK}/router.pathmatcher": word} for word in matchers), usually=({},)))
        return {f"{TRAEFIK}/router.middlewares": ",".join(entries), **matcher}
    if flavour == "nginx":
        odd = ("/$1", "$1", f"{base}/$1", "/other/$2", "/", "/$3", "$2")
        target = draw(_often(*odd, usually=("/$2", "/$2", f"{base}/$2", ""), odds=1))
        redirects = ({f"{NGINX}/permanent-redirect": "https://z.example"}, {f"{NGINX}/app-root": f"{base}/"})
        more: dict[str, str] = draw(_often(*redirects, {f"{NGINX}/app-root": "/bot"}, usually=({},), odds=20))
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
        return draw(_often(*rare, usually=usually, odds=1, calm=3))
    return {}


def _cloud_annotations(base: str, flavour: str) -> SearchStrategy[dict[str, str]]:
    parent = base.rpartition("/")[0]
    if flavour == "alb":
        https = {"type": "redirect", "redirectConfig": {"protocol": "HTTPS", "port": "443"}}
        elsewhere = {"type": "redirect", "redirectConfig": {"protocol": "HTTPS", "host": "x.example"}}
        groups = [[{"serviceName": name, "servicePort": 80}] for name in ("other", "chat")]
        forwards = [{"type": "forward", "forwardConfig": {"targetGroups": group}} for group in groups]
        action = _often(elsewhere, {"type": "fixed-response"}, *forwards, usually=(https,), odds=2)
        return action.map(lambda found: {f"{ALB}/actions.home": json.dumps(found)})
    targets = {"agic": (f"{base}/", "/other/", base), "openshift": (base, f"{base}/", "/other", parent)}
    keys = {"agic": f"{AGIC}/backend-path-prefix", "openshift": f"{OPENSHIFT}/rewrite-target"}
    if flavour not in keys:
        return st.just({})
    target = _often(*targets[flavour], usually=("", "/"), odds=2)
    return target.map(lambda found: {keys[flavour]: found} if found else {})


# ---------------------------------------------------------------------------------------------- Traefik's Middlewares


@st.composite
def _middlewares(draw: DrawFn, prefix: str) -> list[Object]:
    specs = draw(st.lists(_middleware_spec(prefix), min_size=1, max_size=3))
    return [make.middleware(f"m{n}", spec) for n, spec in enumerate(specs)]


def _middleware_spec(prefix: str) -> SearchStrategy[Object]:
    base = prefix.rstrip("/")
    parent = base.rpartition("/")[0]
    strips = _often(
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


# ------------------------------------------------------------------------------------------------------ HTTPRoute


@st.composite
def _http_route(draw: DrawFn, prefix: str, middlewares: list[str], stage: Stage) -> Object:
    main = draw(_rule(prefix, middlewares, is_main=True))
    more = draw(_some(_rule(prefix, middlewares, is_main=False)))
    place = draw(st.integers(0, len(more)))
    hostnames = draw(_often([], ["*.example"], [DEEP], [HOST, "b.example"], usually=([HOST],)))
    parents = draw(_often(*PARENTS, usually=PARENTS[:1]))
    statuses = [
        {
            "parentRef": parent,
            "conditions": [{"type": "Accepted", "status": draw(_often("False", usually=("True",), odds=20))}],
        }
        for parent in parents
    ]
    if stage.is_real:
        hostnames, parents, statuses = [HOST], [make.gateway_ref()], []
    rules = [*more[:place], main, *more[place:]]
    return make.http_route(*rules, name="route", hostnames=hostnames, parents=parents, status={"parents": statuses})


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
    type_ = draw(_often("Exact", "RegularExpression", usually=("PathPrefix",)))
    value = draw(_spelled(prefix, loosely=False) if is_main else _beside(prefix))
    if type_ == "RegularExpression":
        value = draw(st.sampled_from(["", "^"])) + value.rstrip("/") + draw(st.sampled_from(EXPRESSIONS))
        value = draw(st.one_of(st.just(value), _expressions(prefix)))
    found = make.path_match(value or "/", type_)
    conditions = ({"method": "GET"}, {"method": "POST"}, {"headers": [{"name": "x-team", "value": "a"}]},
                  {"queryParams": [{"name": "team", "value": "a"}]}, {"method": "PUT"})  # fmt: skip
    found |= draw(_often(*conditions, usually=({},) if is_main else ({}, {}, {}, *conditions)))
    return found


@st.composite
def _filters(draw: DrawFn, prefix: str, middlewares: list[str], matches: list[Object]) -> list[Object]:
    base = prefix.rstrip("/")
    parent = base.rpartition("/")[0]
    extension = make.extension(draw(_often("missing", usually=tuple(middlewares))))
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
    return draw(_often(*rare, usually=usually, odds=1))


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
    return draw(_often(*rare, usually=(usually,)))
