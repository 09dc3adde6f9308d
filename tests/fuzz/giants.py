"""Objects as large and as odd as the API server takes them: each is 1.5 MiB at most."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from tests.fuzz import world
from tests.objects import (
    Object,
    destination,
    extension,
    hashed,
    ingress_path,
    ingress_rule,
    istio_rule,
    istio_server,
    openshift_backend,
    path_match,
    router_status,
    uri,
)

#: What the API server takes: all annotations of an object together, and an object as a whole, in bytes.
ANNOTATIONS_SIZE = 256 * 1024
OBJECT_SIZE = 1536 * 1024

#: What makes a long annotation: lists of what the controllers' own syntax has, and what troubles naive expressions.
UNITS = (
    "shop-strip@kubernetescrd,",
    "a@file,",
    "serviceName=chat rewrite=/;",
    "serviceName=a;",
    "a b;",
    "/a",
    "$1",
    "(a+)+",
)


def changed(found: Object, **places: Any) -> Object:
    """A copy with other values; a place is written ``spec__rules``."""
    found = copy.deepcopy(found)
    for place, value in places.items():
        at = found
        *way, last = place.split("__")
        for key in way:
            at = at[key]
        at[last] = value
    return found


def _ingress(paths: list[Object], **annotations: str) -> Object:
    return changed(world.ingress(**annotations), spec__rules=[ingress_rule(*paths, host="chat.example")])


def _paths(form: str, type_: str = "Prefix", service: str = "chat", count: int = 2499) -> list[Object]:
    return [ingress_path(form.format(n), type_, service, 80) for n in range(count)]


CHAT = _paths("/chat", count=1)


def _ingresses() -> Iterator[tuple[str, Object]]:
    expression, read = "ImplementationSpecific", {"nginx.ingress.kubernetes.io/rewrite-target": "/$2"}
    yield "2,500 times one path", _ingress(_paths("/chat"))
    yield "14,000 paths", _ingress(_paths("/p{}", count=14_000))
    yield "2,500 paths", _ingress(_paths("/p{}"))
    yield "2,500 paths of another app", _ingress(_paths("/p{}", service="other") + CHAT)
    yield "2,500 paths in the way", _ingress(_paths("/chat/ws/{}", service="other") + CHAT)
    yield "2,500 paths of its own routes", _ingress(_paths("/chat/ws/{}") + CHAT)
    yield "2,500 exact paths", _ingress(_paths("/chat/{}", "Exact") + CHAT)
    yield "2,500 expressions", _ingress(_paths("/p{}(/|$)(.*)", expression), **read)
    yield "2,500 times one expression", _ingress(_paths("/chat(/|$)(.*)", expression), **read)
    yield "2,500 unknown expressions", _ingress(_paths("/(a+)+{}$", expression, "other") + CHAT, **read)
    yield (
        "2,500 services",
        _ingress([found for n in range(2499) for found in _paths("/chat", service=f"s{n}", count=1)]),
    )
    yield "a path of 1 MiB", _ingress(_paths("/a" * 2**19, count=1))
    yield "a path of 500,000 own routes", _ingress(_paths("/ws" * 300_000, count=1))
    yield "300 long paths of its own routes", _ingress(_paths("/{:04}" + "/ws" * 1360, "Prefix", "other", 300) + CHAT)
    yield "an expression of 1 MiB", _ingress(_paths("/" + "(a+)+" * 200_000, expression, count=1), **read)
    yield "an almost known expression of 1 MiB", _ingress(_paths("/a" * 2**19 + "(", expression, count=1), **read)
    yield (
        "2,500 hosts",
        changed(world.ingress(), spec__rules=[ingress_rule(*CHAT, host=f"h{n}.example") for n in range(5000)]),
    )
    yield "2,500 certificates", changed(world.ingress(), spec__tls=[{"hosts": [f"h{n}.example"]} for n in range(5000)])
    for key in world.ANNOTATIONS:
        for unit in UNITS:
            text = unit * (ANNOTATIONS_SIZE // len(unit))
            yield f"{key} of {unit}", _ingress(CHAT, **{key: text})
        yield f"{key} on 2,500 paths", _ingress(_paths("/chat", count=2500), **{key: UNITS[0] * 10_000})
        yield (
            f"{key} on 2,500 expressions",
            _ingress(_paths("/chat(/|$)(.*)", expression, count=2500), **{key: UNITS[2] * 9000}),
        )
    yield "a million other annotations", _ingress(CHAT, **{f"example.com/{n}": "x" for n in range(10_000)})


def _http_routes() -> Iterator[tuple[str, Object]]:
    backends = [{"name": f"s{n}", "port": 80} for n in range(15)] + [{"name": "chat", "port": 80}]
    chain = extension("strip")
    edges = [{"name": f"edge-{n}", "namespace": "infra"} for n in range(32)]
    for type_, form in (("PathPrefix", "/p{}"), ("PathPrefix", "/chat"), ("RegularExpression", "/(a+)+{}")):
        # As many rules, matches, hosts and backends as the schema of the Gateway API has room for.
        rules = [
            {
                "matches": [path_match(form.format(8 * n + m), type_) for m in range(8)],
                "backendRefs": backends,
                "filters": [chain] * 16,
            }
            for n in range(16)
        ]
        yield (
            f"all that is allowed of {form}",
            changed(world.HTTP_ROUTE, spec__rules=rules, spec__hostnames=[f"h{n}.example" for n in range(16)]),
        )
    yield (
        "32 parents",
        changed(world.HTTP_ROUTE, spec__parentRefs=edges),
    )
    own = [path_match(f"/{n}" + "/ws" * 340) for n in range(64)]
    rules = [{"matches": own, "backendRefs": backends[-1:]} for _ in range(16)]
    hosts = [f"h{n}.example" for n in range(16)]
    yield (
        "32 parents of its own routes",
        changed(world.HTTP_ROUTE, spec__rules=rules, spec__hostnames=hosts, spec__parentRefs=edges),
    )


def _virtual_services() -> Iterator[tuple[str, Object]]:
    def made(*rules: Object, **spec: Any) -> Object:
        fields = {f"spec__{key}": value for key, value in spec.items()}
        return changed(world.VIRTUAL_SERVICE, spec__http=[*rules], **fields)

    one, edge = ["chat.example"], ["infra/edge"]
    for name, texts in {
        "prefixes": [uri(prefix=f"/p{n}") for n in range(20_000)],
        "equal prefixes": [uri(prefix="/chat")] * 20_000,
        "expressions": [uri(regex=f"/(a+)+{n}") for n in range(20_000)],
        "long prefixes": [uri(prefix=f"/{n}" + "/ws" * 340) for n in range(1000)],
    }.items():
        yield f"20,000 {name}", made(istio_rule(*texts), hosts=one, gateways=edge)
    hosts, many = [f"h{n}.example" for n in range(20_000)], [f"infra/g{n}" for n in range(20_000)]
    chat = uri(prefix="/chat")
    yield "20,000 hosts", made(istio_rule(chat), hosts=hosts, gateways=edge)
    yield "20,000 Gateways", made(istio_rule(chat), hosts=one, gateways=many)
    yield "32 Gateways of 2,500 paths", made(istio_rule(*[chat] * 2500), hosts=one, gateways=many[:32])
    named = [chat | {"gateways": many[:1000]}] * 60
    yield "60,000 names of Gateways in matches", made(istio_rule(*named), hosts=hosts[:40], gateways=many[:32])
    headers = {f"h{n}": {"exact": "a"} for n in range(20_000)}
    yield "20,000 headers", made(istio_rule(chat | {"headers": headers}), hosts=hosts[:2000], gateways=edge)
    to = [destination(f"s{n}", weight=1) for n in range(8000)]
    yield "8,000 destinations", made(istio_rule(chat, to=to), hosts=hosts[:100], gateways=edge)
    regex = [
        istio_rule(uri(prefix=f"/p{n}"), rewrite={"uriRegexRewrite": {"match": f"(a+)+{n}", "rewrite": r"\1" * 99}})
        for n in range(1500)
    ]
    yield "1,500 rewrites by expressions", made(*regex, hosts=one, gateways=edge)
    long = {"uriRegexRewrite": {"match": "/" + "a?" * 250, "rewrite": r"\0" * 2**18}}
    yield "a rewrite of 512 KiB", made(istio_rule(chat, rewrite=long), hosts=one, gateways=edge)
    yield "a prefix of 1 MiB", made(istio_rule(uri(prefix="/a" * 2**19), rewrite={"uri": "/"}), hosts=one)
    yield "a timeout of 1 MiB", made(istio_rule(chat, timeout="1s" * 2**19), hosts=one, gateways=edge)


def _of_istio() -> Iterator[tuple[str, Object]]:
    servers = [istio_server(hosts=[f"h{n}.example"]) for n in range(9000)]
    yield "9,000 servers", changed(world.ISTIO_GATEWAY, spec__servers=servers)
    hosts = [f"h{n}.example" for n in range(40_000)]
    yield "40,000 hosts of a server", changed(world.ISTIO_GATEWAY, spec__servers=[istio_server(hosts=hosts)])
    subsets = [{"name": f"v{n}", "labels": {"v": str(n)}, "trafficPolicy": hashed()} for n in range(8000)]
    yield "8,000 subsets", changed(world.DESTINATION_RULE, spec__subsets=subsets)
    ports = [{"port": {"number": n}} | hashed() for n in range(8000)]
    yield "8,000 ports", changed(world.DESTINATION_RULE, spec__trafficPolicy={"portLevelSettings": ports})


def _workloads() -> Iterator[tuple[str, Object]]:
    deployment = world.CORPUS[0]
    containers = [world.CONTAINER | {"name": f"c{n}"} for n in range(500)]
    yield "500 containers", changed(deployment, spec__template__spec__containers=[world.CONTAINER, *containers])
    owned: Object = {
        f'k:{{"name":"c{n}"}}': {"f:env": {'k:{"name":"CHAINLIT_ROOT_PATH"}': {"f:value": {}}}} for n in range(500)
    }
    fields = {"f:spec": {"f:template": {"f:spec": {"f:containers": owned}}}}
    yield (
        "500 containers with 15 managers",
        changed(
            deployment,
            spec__template__spec__containers=containers,
            metadata__managedFields=[{"manager": f"m{n}", "fieldsV1": fields} for n in range(15)],
        ),
    )
    variables = [{"name": f"V{n}", "value": "x"} for n in range(20_000)]
    yield (
        "20,000 variables",
        changed(deployment, spec__template__spec__containers=[world.CONTAINER | {"env": variables}]),
    )
    yield (
        "20,000 labels",
        changed(deployment, spec__template__metadata__labels={"app": "chat"} | {f"l{n}": "x" for n in range(20_000)}),
    )
    yield (
        "an argument of 1 MiB",
        changed(deployment, spec__template__spec__containers=[world.CONTAINER | {"args": ["--root-pat" * 100_000]}]),
    )
    probe = {"httpGet": {"path": "/old" * 250_000 + "/health?" + "x" * 1000, "port": "http"}}
    yield (
        "a probe of 1 MiB",
        changed(deployment, spec__template__spec__containers=[world.CONTAINER | {"readinessProbe": probe}]),
    )


def _others() -> Iterator[tuple[str, Object]]:
    ports = [{"name": f"p{n}", "port": n + 1} for n in range(5000)]
    yield "5,000 ports", changed(world.SERVICE, spec__ports=ports)
    yield "20,000 selectors", changed(world.SERVICE, spec__selector={f"l{n}": "x" for n in range(20_000)})
    yield (
        "5,000 listeners",
        changed(
            world.GATEWAY, spec__listeners=[{"name": f"l{n}", "port": 80, "protocol": "HTTP"} for n in range(5000)]
        ),
    )
    for spec in (
        {"stripPrefix": {"prefixes": ["/c"] * 100_000}},
        {"stripPrefix": {"prefixes": ["/" * 2**20]}},
        {"stripPrefixRegex": {"regex": ["/(a+)+"] * 50_000}},
        {"stripPrefixRegex": {"regex": ["^/a"] * 50_000}},
        {"replacePathRegex": {"regex": "^" + "/a" * 2**18 + "(.*)", "replacement": "$1" * 2**17}},
        {"replacePathRegex": {"regex": "^/chat(.*)", "replacement": "$1" * 2**19}},
        {"addPrefix": {"prefix": "/a" * 2**19}},
        {"chain": {"middlewares": [{"name": "strip"}] * 20_000}},
        {"plugin": {"p": ["x"] * 100_000}},
    ):
        yield f"a Middleware of {next(iter(spec))}", changed(world.MIDDLEWARE, spec=spec)


def _apps() -> Iterator[tuple[str, Object]]:
    deep: Any = "x"
    for _ in range(400):
        deep = {"a": [deep]}
    templates: dict[str, Object] = {
        "5,000 variables": {"env": [{"name": f"V{n}", "value": "x"} for n in range(5000)]},
        "500 containers": {"extraContainers": [{"name": f"c{n}", "image": "x"} for n in range(500)]},
        "5,000 volumes": {"extraVolumes": [{"name": f"v{n}"} for n in range(5000)]},
        "annotations of 256 KiB": {"podAnnotations": {f"a{n}": "x" * 1024 for n in range(256)}},
        "nests of 800": {"affinity": deep},
    }
    for name, fields in templates.items():
        yield f"a template with {name}", world.app(workload={"template": world.TEMPLATE | fields})


def _ingress_routes() -> Iterator[tuple[str, Object]]:
    hosts = " || ".join(f"Host(`h{n}`)" for n in range(100))
    pairs = " && ".join(["(Path(`/a`) || Path(`/b`))"] * 6)
    rules = {
        "100 hosts": [f"({hosts}) && PathPrefix(`/chat`)"] * 25,
        "64 alternatives that no request meets": [pairs] * 3000,
        "250 matchers": [" && ".join(["Path(`/`)"] * 250)] * 200,
        "nests": ["(" * 2000] * 200 + ["!" * 4000] * 200,
        "expressions": [f"HostRegexp(`^(a+)+{n}`) && PathRegexp(`^/(a+)+{n}`)" for n in range(2500)],
        "a rule of 1 MiB": ["Path(`/" + "a" * (1 << 20) + "`)"],
        "many rules": [f"Host(`chat.example`) && PathPrefix(`/chat/{n}`)" for n in range(5000)],
        "many equal rules": ["Host(`chat.example`) && PathPrefix(`/chat`)"] * 5000,
    }
    for name, found in rules.items():
        routes = [{"match": rule, "kind": "Rule", "services": [{"name": "chat", "port": 80}]} for rule in found]
        yield name, changed(world.INGRESS_ROUTE, spec__routes=routes, spec__parentRefs=[])


def _routes() -> Iterator[tuple[str, Object]]:
    others = [openshift_backend(f"s{n}", 1) for n in range(20_000)]
    hosts = [router_status(f"h{n}.example")["ingress"][0] for n in range(8_000)]
    yield "20,000 backends", changed(world.ROUTE, spec__alternateBackends=others)
    yield "8,000 hosts", changed(world.ROUTE, spec__host="", status__ingress=hosts)
    yield (
        "hosts and backends",
        changed(world.ROUTE, spec__host="", status__ingress=hosts[:4_000], spec__alternateBackends=others[:8_000]),
    )
    yield "a path of 1 MiB", changed(world.ROUTE, spec__path="/a" * 2**19)
    yield "a path of 1 MiB without a slash", changed(world.ROUTE, spec__path="a" * 2**20)
    yield "a port of 1 MiB", changed(world.ROUTE, spec__port={"targetPort": "8" * 2**20})
    target = {"haproxy.router.openshift.io/rewrite-target": "/a" * (ANNOTATIONS_SIZE // 2 - 99) + "/"}
    yield "a target of 256 KiB", changed(world.ROUTE, metadata__annotations=target)


#: What it is, the object.
GIANTS: list[tuple[str, Object]] = [
    *((f"Ingress: {name}", found) for name, found in _ingresses()),
    *((f"HTTPRoute: {name}", found) for name, found in _http_routes()),
    *((f"IngressRoute: {name}", found) for name, found in _ingress_routes()),
    *((f"VirtualService: {name}", found) for name, found in _virtual_services()),
    *((f"Istio: {name}", found) for name, found in _of_istio()),
    *((f"Route: {name}", found) for name, found in _routes()),
    *((f"Deployment: {name}", found) for name, found in _workloads()),
    *_others(),
    *_apps(),
]
