"""The operator's answers for Routes, against a real HAProxy that routes and rewrites as OpenShift's router does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from chainlit_operator.domain import paths
from chainlit_operator.domain.model import Matching, Route
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.redirects import Redirect
from chainlit_operator.domain.resolution import Resolved, Unresolved, resolve
from chainlit_operator.domain.route_paths import prefix_of
from chainlit_operator.state import State
from tests import objects
from tests.model.chainlit import Chainlit, visit
from tests.model.judge import splits
from tests.objects import Object, openshift_backend
from tests.openshift.router import Reply, Router
from tests.records import record
from tests.route_forms import TABLES, Form, Roots
from tests.unit.domain.world import NAMESPACE, app, service, workload

TARGET = "haproxy.router.openshift.io/rewrite-target"
PATHS = (None, "/", "/chat", "/chat/", "/team/chat", "/team/chat/", "/team/v1.0/chat")
TARGETS = (None, "/", "/chat", "/chat/", "/team/chat", "/other", "other")
PAIRS = [*product(PATHS, TARGETS)]
#: What comes after a path in a request.
RESTS = ("", "/", "/ws/socket.io/", "//x", "ter/x", "/assets/index-B3l.js", "/a%20b", "/x?EIO=4&a=/b")
OWN = ("chat", "second")
PODS = {"chat": ["chat-0"], "second": ["second-0"], "other": ["other-0"]}


def host_of(number: int) -> str:
    return f"h{number}.example.com"


def made(number: int) -> Object:
    """The Route of a pair, on a host of its own."""
    path, target = PAIRS[number]
    annotations = {} if target is None else {TARGET: target}
    return objects.openshift_route(host_of(number), path, f"chat-{number}", annotations=annotations)


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    routes = [made(number) for number in range(len(PAIRS))]
    with Router(routes, PODS, tmp_path_factory.mktemp("pairs")) as found:
        yield found


def answer(*found: Object) -> Resolved | Unresolved:
    """The operator's answer for an app behind these objects."""
    state = State(lambda _: None)
    state.put_app(app())
    for obj in (workload(), service(), service("other", selector=(("app", "other"),))):
        state.upsert(obj)
    for made in found:
        state.upsert(record(objects.stored(made, NAMESPACE)))
    return resolve(state.snapshot(app()))


def trouble(router: Router, url: str, chainlit: Chainlit) -> str:
    """The first request of a browser that does not arrive as the app needs it; empty if all do."""
    for request, wanted in visit(url, chainlit):
        reply = router.ask(f"{request.scheme}://{request.host}{request.path}", request.method)
        served = chainlit.serves(request.method, reply.path) if reply.service in OWN else reply.service
        if served != wanted:
            return f"{request.method} {request.path}: {reply.status}, {reply.path} at {reply.service or 'no Service'}"
    return ""


# ------------------------------------------------------------------------------------- every path with every target


@pytest.mark.parametrize("number", range(len(PAIRS)), ids=lambda number: "{}-{}".format(*PAIRS[number]))
def test_what_arrives_is_what_the_operator_computes(router: Router, number: int) -> None:
    route: Route = record(made(number))
    (path,) = route.paths
    assert path.matching is Matching.PREFIX
    public, target = prefix_of(path), PAIRS[number][1] or ""
    for rest in RESTS:
        asked = (public + rest) or "/"
        reply = router.ask(f"https://{host_of(number)}{asked}")
        text, _, query = asked.partition("?")
        # The router does not take the path without the slash at its end, which the operator counts in.
        is_taken = text.startswith(path.path) if path.path.endswith("/") else paths.is_below(text, public)
        assert (reply.status, reply.service) == ((200, "chat") if is_taken else (404, "")), asked
        expected: str | None = text
        for transform in path.transforms:
            assert not isinstance(transform, Redirect) and expected is not None
            expected = transform(expected, public)
        # Chainlit has no path with two slashes. Without a path the router has no text to replace, where the operator
        # sees the slash; such targets have no answer in either case.
        is_odd = path.path.endswith("/") and (rest == "//x" or (PAIRS[number][0] is None and len(target) > 1))
        if is_taken and expected is not None and not is_odd:
            assert reply.path == (expected or "/") + (f"?{query}" if query else ""), asked


@pytest.mark.parametrize("number", range(len(PAIRS)), ids=lambda number: "{}-{}".format(*PAIRS[number]))
def test_an_app_is_served_if_and_only_if_the_operator_says_so(router: Router, number: int) -> None:
    found, path = answer(made(number)), (PAIRS[number][0] or "").rstrip("/")
    url = f"https://{host_of(number)}{path}/"
    if isinstance(found, Resolved):
        assert found.url == url
        assert trouble(router, url, Chainlit(*found.root_paths)) == ""
    else:
        assert found.reason is Reason.REWRITE_NOT_SUPPORTED
        assert all(trouble(router, url, chainlit) for chainlit in splits(path))


# ------------------------------------------------------------------------------------------- the forms of the page

#: Forms about which HAProxy has nothing to say: the router or the operator leaves the Route out.
BEFORE_HAPROXY = {"refused", "of-ingress", "claimed", "ingress-beside", "unknown-annotation"}
#: Its pods speak TLS.
ENCRYPTED_PODS = {"reencrypt", "passthrough", "passthrough-path"}
#: Ports are Kubernetes' own, and a share of the requests is chance.
OF_SERVICES = {"all-ports", "port-of-container", "shared"}
TRIED = [
    form
    for form in TABLES["Route"]
    if form.name.removeprefix("route-") not in BEFORE_HAPROXY | ENCRYPTED_PODS | OF_SERVICES
]


def routes_of(form: Form) -> list[Object]:
    """The Routes of a form, on a host of its own, with names of their own."""
    found = [obj for obj in form.on(None, NAMESPACE, f"{form}.example.com") if obj["kind"] == "Route"]
    return [obj | {"metadata": obj["metadata"] | {"name": f"{form}-{n}"}} for n, obj in enumerate(found)]


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    with Router([obj for form in TRIED for obj in routes_of(form)], PODS, tmp_path_factory.mktemp("forms")) as found:
        yield found


@pytest.mark.parametrize("form", TRIED, ids=str)
def test_form(forms: Router, form: Form) -> None:
    """The app is served with the variables of the page; where the page has a reason, no variables do for all Routes."""
    urls = [url_of(route) for route in routes_of(form) if route["spec"]["to"]["name"] in OWN]
    if isinstance(form.answer, Roots):
        chainlit = Chainlit(form.answer.root_path, form.answer.parent_root_path)
        url, path = min(urls, key=lambda pair: len(pair[1]))
        assert (path or "/", trouble(forms, url, chainlit)) == (form.answer.path, "")
    else:
        every = {chainlit for _, path in urls for chainlit in splits(path)}
        assert not [one for one in every if not any(trouble(forms, url, one) for url, _ in urls)]


def url_of(route: Object) -> tuple[str, str]:
    """The URL of a Route and the path in it."""
    spec = route["spec"]
    path = spec.get("path", "").rstrip("/")
    return f"http{'s' if 'tls' in spec else ''}://{spec['host']}{path}/", path


def test_enough_forms_are_tried() -> None:
    assert len(TRIED) >= 30
    assert len({form.answer for form in TRIED}) >= 8


# ------------------------------------------------------------------------------------------------ hosts, order, TLS

TLS: dict[str, Any] = {
    "none": None,
    "edge": "edge",
    "allow": {"termination": "edge", "insecureEdgeTerminationPolicy": "Allow"},
    "redirect": {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"},
}


@pytest.mark.parametrize("name", TLS)
def test_origins(name: str, tmp_path: Path) -> None:
    made = objects.openshift_route("a.example.com", tls=TLS[name])
    route: Route = record(made)
    with Router([made], PODS, tmp_path) as router:
        replies = {scheme: router.ask(f"{scheme}://a.example.com/chat/x?a=b") for scheme in ("http", "https")}
    assert {scheme for scheme, reply in replies.items() if reply.service} == {
        f"http{'s' if origin.is_secure else ''}" for origin in route.origins
    }
    if name == "redirect":
        plain = replies["http"]
        assert (plain.status, plain.headers["location"]) == (302, "https://a.example.com/chat/x?a=b")


def test_the_longest_path_wins_on_the_narrowest_host(tmp_path: Path) -> None:
    def route(name: str, host: str, path: str | None, **more: Any) -> Object:
        return objects.openshift_route(host, path, name, to=openshift_backend(name), **more)

    routes = [
        route("root", "a.example.com", None),
        route("chat", "a.example.com", "/chat"),
        route("slash", "a.example.com", "/chat/"),
        route("socket", "a.example.com", "/chat/ws"),
        route("any", "www.example.com", "/chat", wildcardPolicy="Subdomain"),
        route("deep", "www.example.com", "/chat/ws", wildcardPolicy="Subdomain"),
    ]
    pods = {name: [name] for name in ("root", "chat", "slash", "socket", "any", "deep")}
    wanted = {
        "a.example.com/": "root",
        "a.example.com/chatter": "root",
        "a.example.com/chat": "chat",
        "a.example.com/chat/": "slash",
        "a.example.com/chat/x": "slash",
        "a.example.com/chat/ws": "socket",
        "a.example.com/chat/ws/socket.io/": "socket",
        "A.Example.com:8443/chat/ws": "socket",
        "b.example.com/chat/x": "any",
        "www.example.com/chat/x": "any",
        "b.example.com/chat/ws/x": "deep",
        "b.example.com/": "",
        "b.c.example.com/chat": "",
        "example.com/chat": "",
    }
    with Router(routes, pods, tmp_path) as router:
        assert {at: router.ask(f"https://{at}").service for at in wanted} == wanted


# ------------------------------------------------------------------------------------------------- session affinity


def asked(router: Router, times: int) -> Iterator[Reply]:
    """A browser that keeps its cookie and asks again."""
    cookie = ""
    for _ in range(times):
        reply = router.ask("https://a.example.com/chat/ws/socket.io/", cookie=cookie)
        cookie = reply.headers.get("set-cookie", cookie).partition(";")[0]
        yield reply


ROUTER = "haproxy.router.openshift.io"


@pytest.mark.parametrize(
    ("annotations", "is_kept"),
    [
        ({}, True),
        ({f"{ROUTER}/balance": "roundrobin"}, True),
        ({f"{ROUTER}/disable_cookies": "true", f"{ROUTER}/balance": "roundrobin"}, False),
        ({f"{ROUTER}/disable_cookies": "true"}, False),
        ({f"{ROUTER}/disable_cookies": "true", f"{ROUTER}/balance": "source"}, True),
    ],
)
@pytest.mark.parametrize("more", [{}, {"alternateBackends": [openshift_backend("second", 50)]}], ids=["one", "two"])
def test_a_cookie_keeps_a_browser_at_one_pod(annotations: Any, is_kept: bool, more: Any, tmp_path: Path) -> None:
    made = objects.openshift_route("a.example.com", annotations=annotations, **more)
    pods = {"chat": ["chat-0", "chat-1", "chat-2"], "second": ["second-0"]}
    with Router([made], pods, tmp_path) as router:
        replies = [*asked(router, 12)]
        first = {router.ask("https://a.example.com/chat/").pod for _ in range(12)}
    assert all(reply.status == 200 for reply in replies)
    assert (len({reply.pod for reply in replies}) == 1) is is_kept
    # Without the cookie of a browser, requests go to all pods.
    assert (len(first) > 1) is not (annotations.get(f"{ROUTER}/balance") == "source")
