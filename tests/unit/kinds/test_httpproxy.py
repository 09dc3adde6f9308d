"""HTTPProxies: whole decisions about apps behind them, trees of includes, and the errors that Contour reports."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from tests import objects
from tests.objects import Object, http_proxy, include, proxy_route, replace_prefix
from tests.records import record
from tests.unit.domain.world import NAMESPACE, app, service, workload

from chainlit_operator.domain import session_affinity
from chainlit_operator.domain.include_tree import MAX_PATHS, MAX_STEPS
from chainlit_operator.domain.model import MAX_INCLUDE_DEPTH, Rollout
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import Resolved, Unresolved, resolve
from chainlit_operator.kinds.routes import httpproxy
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State

COOKIE: Object = {"loadBalancerPolicy": {"strategy": "Cookie"}}


def state_of(*made: Object, **spec: Any) -> State:
    """The state of a cluster with an app, its Service and these objects, each in the app's namespace by default."""
    state = State(lambda _: None)
    state.put_app(app(**spec))
    for obj in (workload(), service()):
        state.upsert(obj)
    for each in made:
        state.upsert(record(each | {"metadata": {"namespace": NAMESPACE} | each["metadata"]}))
    return state


def answer(*made: Object, **spec: Any) -> Resolved | Unresolved:
    state = state_of(*made, **spec)
    return resolve(state.snapshot(next(iter(state.apps.values()))))


def good(*made: Object, **spec: Any) -> Resolved:
    found = answer(*made, **spec)
    assert isinstance(found, Resolved), found
    return found


def fault(*made: Object, **spec: Any) -> tuple[Reason, str]:
    found = answer(*made, **spec)
    assert isinstance(found, Unresolved), found
    return found.reason, found.message


def leaf(*routes: Object, name: str = "chat", **fields: Any) -> Object:
    """An HTTPProxy that others have to include."""
    default = () if "includes" in fields else (proxy_route(),)
    return http_proxy(*routes or default, name=name, fqdn=None, **fields)


def top(*includes: Object, name: str = "top", **fields: Any) -> Object:
    return http_proxy(includes=includes, name=name, **fields)


@pytest.mark.parametrize(
    ("routes", "root_path", "parent", "arrives"),
    [
        ([proxy_route()], "/chat", "", "/chat"),
        ([proxy_route("/chat/")], "/chat", "", "/chat"),
        ([proxy_route("")], "", "", ""),
        ([proxy_route("/a/b")], "/a/b", "", "/a/b"),
        ([proxy_route(**replace_prefix("/"))], "", "/chat", ""),
        ([proxy_route("/chat/", **replace_prefix("/"))], "", "/chat", ""),
        ([proxy_route(**replace_prefix("/chat"))], "/chat", "", "/chat"),
        ([proxy_route("/team/chat", **replace_prefix("/chat"))], "/chat", "/team", "/chat"),
        ([proxy_route("/team/chat/", **replace_prefix("/chat/"))], "/chat", "/team", "/chat"),
        ([proxy_route(**replace_prefix("/", prefix="/chat"))], "", "/chat", ""),
        ([proxy_route(**replace_prefix("/", prefix="/chat/"))], "/chat", "", "/chat"),
        ([proxy_route("", **replace_prefix("/"))], "", "", ""),
        ([proxy_route(), proxy_route("/", services=[objects.backend_ref("web")])], "/chat", "", "/chat"),
        ([proxy_route(), proxy_route("/chatbot", services=[objects.backend_ref("web")])], "/chat", "", "/chat"),
        ([proxy_route("", {"regex": "/chat(/.*)?"})], "/chat", "", "/chat"),
        ([proxy_route(services=[objects.backend_ref(), objects.backend_ref("copy", mirror=True)])],
         "/chat", "", "/chat"),
        ([proxy_route(services=[objects.backend_ref(weight=1), objects.backend_ref("old", weight=0)])],
         "/chat", "", "/chat"),
        ([{"conditions": [{"prefix": "/"}], "requestRedirectPolicy": {"path": "/chat/"}}, proxy_route()],
         "/chat", "", "/chat"),
        # Of two routes with the same conditions the last one counts.
        ([proxy_route(services=[objects.backend_ref("web")]), proxy_route()], "/chat", "", "/chat"),
    ],
)  # fmt: skip
def test_routes_that_give_a_path(routes: list[Object], root_path: str, parent: str, arrives: str) -> None:
    found = good(http_proxy(*routes))
    assert (found.root_paths.root_path, found.root_paths.parent_root_path) == (root_path, parent)
    assert found.backend_prefix == arrives
    assert found.web_socket_refusal == ""


@pytest.mark.parametrize(
    ("routes", "reason"),
    [
        ([proxy_route(**replace_prefix("/other"))], Reason.REWRITE_NOT_SUPPORTED),
        ([proxy_route("", **replace_prefix("/other"))], Reason.REWRITE_NOT_SUPPORTED),
        # Two routes with one place: Contour leaves slashes as they are, so that //ws/socket.io arrives.
        ([proxy_route(**replace_prefix("/")), proxy_route("/chat/", services=[objects.backend_ref("web")])],
         Reason.PATH_SHADOWED),
        ([proxy_route(**replace_prefix("/")), proxy_route("/chat", {"header": {"name": "x", "present": True}})],
         Reason.REWRITE_NOT_SUPPORTED),
        ([proxy_route("", {"exact": "/chat"})], Reason.EXACT_PATH),
        ([proxy_route("", {"regex": "/chat/[a-z]+"})], Reason.REGULAR_EXPRESSION_PATH),
        ([proxy_route("/chat", {"header": {"name": "x-team", "exact": "a"}})], Reason.CONDITIONAL_MATCH),
        ([proxy_route("/chat", {"queryParameter": {"name": "team", "present": True}})], Reason.CONDITIONAL_MATCH),
        ([proxy_route("/chat", {"header": {"name": ":method", "exact": "GET"}})], Reason.CONDITIONAL_MATCH),
        ([proxy_route(services=[objects.backend_ref(), objects.backend_ref("next")])], Reason.BACKEND_SHARED),
        ([proxy_route(), proxy_route("/chat/ws", services=[objects.backend_ref("web")])], Reason.PATH_SHADOWED),
        # A prefix matches by characters, and an expression is tried before each prefix.
        ([proxy_route(), proxy_route("/chat/w", services=[objects.backend_ref("web")])], Reason.PATH_SHADOWED),
        ([proxy_route(), proxy_route("", {"regex": "/.*"}, services=[objects.backend_ref("web")])],
         Reason.PATH_SHADOWED),
        ([proxy_route("/chat"), proxy_route("/bot")], Reason.SEVERAL_PATHS),
        ([proxy_route(services=[objects.backend_ref(port=81)])], Reason.ROUTE_WITHOUT_BACKEND),
        ([proxy_route(requestHeadersPolicy={"set": [{"name": "host", "value": "x"}]})], Reason.REWRITE_UNKNOWN),
    ],
)  # fmt: skip
def test_routes_without_an_answer(routes: list[Object], reason: Reason) -> None:
    assert fault(http_proxy(*routes))[0] is reason


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (http_proxy(proxy_route(), fqdn=""), "its virtualhost has no fqdn. Set virtualhost.fqdn."),
        (http_proxy(proxy_route(), tls={"passthrough": True}), "its virtualhost passes TLS on"),
        (http_proxy(proxy_route(), tls={"secretName": "x"}, tcpproxy={"services": [objects.backend_ref()]}),
         "its tcpproxy passes connections on, so that Contour reads no path. Give the chat an HTTPProxy with routes."),
        (http_proxy(tls={"passthrough": True}, tcpproxy={"services": [objects.backend_ref()]}),
         "its tcpproxy passes connections on"),
        (http_proxy(proxy_route("/chat", {"prefix": "/b"})), "route 1 has several conditions on the path (/chat, /b)"),
        (http_proxy(proxy_route("chat")), "route 1 has the path 'chat', which does not begin with /."),
        (http_proxy(*(proxy_route(f"/{n}") for n in range(MAX_PATHS + 1))), "it has more than 2,500 paths"),
    ],
)  # fmt: skip
def test_what_is_not_read(made: Object, why: str) -> None:
    reason, message = fault(made)
    assert reason is Reason.ROUTE_NOT_ACCEPTED
    assert message.startswith(f"HTTPProxy {NAMESPACE}/chat is not served: {why}")


def status(generation: int, *errors: tuple[str, str]) -> Object:
    found = [{"type": type_, "reason": reason, "message": "m"} for type_, reason in errors]
    return {"conditions": [{"type": "Valid", "status": "False", "observedGeneration": generation, "errors": found}]}


DUPLICATE = ("VirtualHostError", "DuplicateVhost")


@pytest.mark.parametrize(
    ("errors", "is_served"),
    [
        ([DUPLICATE], False),
        ([("ServiceError", "ServiceUnresolvedReference")], True),
        ([("IncludeError", "IncludeNotFound")], True),
        ([("IncludeError", "IncludeNotFound"), DUPLICATE], False),
        ([("ServiceError", "UnsupportedProtocol")], False),
        ([], True),
    ],
)
def test_errors_that_contour_reports(errors: list[tuple[str, str]], is_served: bool) -> None:
    def made(generation: int) -> Object:
        return http_proxy(proxy_route(), status=status(generation, *errors), metadata={"generation": 3})

    good(made(2))
    if is_served:
        good(made(3))
    else:
        reason, message = fault(made(3))
        assert (reason, "is not served: DuplicateVhost: m" in message) == (
            Reason.ROUTE_NOT_ACCEPTED,
            DUPLICATE in errors,
        )


def test_the_address_has_the_scheme_of_the_virtual_host() -> None:
    assert good(http_proxy(proxy_route())).url == "http://example.com/chat/"
    assert good(http_proxy(proxy_route(), tls={"secretName": "x"})).url == "https://example.com/chat/"
    assert good(http_proxy(proxy_route(), fqdn="*.example.com")).url is None


def test_web_sockets_are_off_by_default() -> None:
    found = good(http_proxy(proxy_route(enableWebsockets=None)))
    assert found.web_socket_refusal == (
        f"Contour refuses the WebSocket at HTTPProxy {NAMESPACE}/chat with status 403. "
        "Set enableWebsockets: true in its route for /chat."
    )
    parts = [proxy_route(enableWebsockets=None), proxy_route("/chat/ws")]
    assert good(http_proxy(*parts)).web_socket_refusal == ""


@pytest.mark.parametrize(
    ("policy", "status", "message"),
    [
        (COOKIE, "True", "LoadBalancerPolicy of HTTPProxy chat keeps the requests of a browser at one pod."),
        ({}, "False", "Set strategy Cookie in the loadBalancerPolicy of each route of HTTPProxy chat to Service chat, "
         "or run one pod."),
        ({"loadBalancerPolicy": {"strategy": "Random"}}, "False", "Set strategy Cookie"),
        ({"loadBalancerPolicy": {"strategy": "RequestHash", "requestHashPolicies": [{"hashSourceIP": True}]}},
         "True", "keeps the requests"),
        ({"loadBalancerPolicy": {"strategy": "RequestHash", "requestHashPolicies": [
            {"headerHashOptions": {"headerName": "x"}}]}}, "Unknown", "does not know what loadBalancerPolicy"),
        ({"loadBalancerPolicy": {"strategy": "RequestHash"}}, "False", "Set strategy Cookie"),
    ],
)  # fmt: skip
def test_session_affinity(policy: Object, status: str, message: str) -> None:
    state = state_of(http_proxy(proxy_route(**policy)))
    state.upsert(workload(resource_version="2", rollout=Rollout(desired=2)))
    snapshot = state.snapshot(app())
    assert snapshot.workload is not None
    found = session_affinity.decide(snapshot, resolve(snapshot), snapshot.workload.containers[0])
    assert found.status == status
    assert message in found.message


def test_a_service_with_unlike_routes_has_no_affinity() -> None:
    made = record(http_proxy(proxy_route(**COOKIE), proxy_route("/chat/ws"), metadata={"namespace": NAMESPACE}))
    assert made.affinity == ()


@pytest.mark.parametrize(
    ("policy", "warned"),
    [
        ({"response": "25s"}, ["timeoutPolicy.response of the HTTPProxy is 25s, which ends long polls"]),
        ({"idle": "1.5ms"}, ["timeoutPolicy.idle of the HTTPProxy is 1.5ms, which ends idle WebSockets"]),
        ({"idle": "10s", "response": "5s"}, ["timeoutPolicy.idle", "timeoutPolicy.response"]),
        ({"idle": "26s", "response": "1m"}, []),
        ({"idle": "infinity", "response": "0s"}, []),
        ({"idle": "1h20s", "response": "soon"}, []),
    ],
)
def test_time_outs(policy: Object, warned: list[str]) -> None:
    found = good(http_proxy(proxy_route(timeoutPolicy=policy))).warnings
    assert len(found) == len(warned)
    assert all(text.startswith(start) for text, start in zip(found, warned, strict=True))


@pytest.mark.parametrize(
    ("fields", "group"),
    [
        ({}, "contour"),
        ({"ingressClassName": "outer"}, "outer"),
        ({"metadata": {"annotations": {"kubernetes.io/ingress.class": "old"}}, "ingressClassName": "outer"}, "old"),
        ({"metadata": {"annotations": {"projectcontour.io/ingress.class": "a", "kubernetes.io/ingress.class": "b"}}},
         "a"),
        ({"metadata": {"annotations": {"projectcontour.io/ingress.class": ""}}, "ingressClassName": "x"}, "x"),
    ],
)  # fmt: skip
def test_class(fields: Any, group: str) -> None:
    (attachment,) = record(http_proxy(proxy_route(), **fields)).attachments
    assert attachment.group == f"ingress class {group}"


# --------------------------------------------------------------------------------------------------------- includes


@pytest.mark.parametrize(
    ("tree", "root_path", "parent"),
    [
        ([top(include("chat", "/team")), leaf()], "/team/chat", ""),
        ([top(include("chat")), leaf()], "/chat", ""),
        ([top(include("chat", "/chat")), leaf(proxy_route(""))], "/chat", ""),
        ([top(include("chat", "/chat/")), leaf(proxy_route("/"))], "/chat", ""),
        ([top(include("chat", "/team")), leaf(proxy_route(**replace_prefix("/")))], "", "/team/chat"),
        ([top(include("chat", "/team")), leaf(proxy_route(**replace_prefix("/", prefix="/team/chat")))],
         "", "/team/chat"),
        ([top(include("chat", "/team")), leaf(proxy_route(**replace_prefix("/", prefix="/chat")))], "/team/chat", ""),
        ([top(include("mid", "/a")), leaf(name="mid", includes=[include("chat", "/b")]), leaf(proxy_route("/c"))],
         "/a/b/c", ""),
        ([top(include("chat", "/v1.0")), leaf(proxy_route("", {"regex": "/chat(/.*)?"}))], "/v1.0/chat", ""),
    ],
)  # fmt: skip
def test_includes(tree: list[Object], root_path: str, parent: str) -> None:
    for order in (tree, tree[::-1]):
        found = good(*order)
        assert (found.root_paths.root_path, found.root_paths.parent_root_path) == (root_path, parent)
        assert found.url == f"http://example.com{parent}{root_path}/"
        assert found.status.ref(app().ref) == Ref("HTTPProxy", NAMESPACE, "chat")


def test_a_root_of_another_namespace_delegates_to_an_app() -> None:
    root = top(include("chat", "/team", namespace=NAMESPACE), tls={"secretName": "x"}, metadata={"namespace": "infra"})
    assert good(root, leaf()).url == "https://example.com/team/chat/"
    wrong = top(include("chat", "/team"), metadata={"namespace": "infra"})
    assert fault(wrong, leaf())[0] is Reason.ROUTE_NOT_ACCEPTED


def test_an_included_one_inherits_conditions_on_headers() -> None:
    root = top(include("chat", "/team", {"header": {"name": "x-team", "present": True}}))
    reason, message = fault(root, leaf())
    assert reason is Reason.CONDITIONAL_MATCH
    assert "for /team/chat to the app only if a header matches" in message


INCLUDE_IT = "Include it in an HTTPProxy that has a virtualhost, in a namespace that the operator watches."
ORPHANED = status(0, ("OrphanedError", "Orphaned"))


@pytest.mark.parametrize(
    ("tree", "why"),
    [
        ([leaf()], f"no HTTPProxy includes it that a root leads to. {INCLUDE_IT}"),
        ([leaf(status=ORPHANED)], f"no HTTPProxy that Contour serves includes it. {INCLUDE_IT}"),
        ([top(include("chat")), leaf(status=ORPHANED)],
         f"no HTTPProxy that Contour serves includes it. {INCLUDE_IT}"),
        ([leaf(name="mid", includes=[include("chat", "/b")]), leaf()],
         f"no HTTPProxy includes it that a root leads to. {INCLUDE_IT}"),
        ([leaf(proxy_route(), includes=[include("mid")]), leaf(name="mid", includes=[include("chat")])],
         f"no HTTPProxy includes it that a root leads to. {INCLUDE_IT}"),
        ([top(include("chat"), tcpproxy={}), leaf()],
         f"HTTPProxy {NAMESPACE}/top, which includes it, is not served: its tcpproxy passes connections on, so that "
         "Contour reads no path. Correct the HTTPProxies above it."),
        ([top(include("chat"), status=status(0, DUPLICATE)), leaf()],
         f"HTTPProxy {NAMESPACE}/top, which includes it, is not served: DuplicateVhost: m. "
         "Correct the HTTPProxies above it."),
        ([top(include("other", "/a"), include("chat", "/a")), leaf()],
         f"no HTTPProxy includes it that a root leads to. {INCLUDE_IT}"),
        ([top({"name": "chat", "conditions": [{"exact": "/a"}]}), leaf()],
         f"no HTTPProxy includes it that a root leads to. {INCLUDE_IT}"),
    ],
)  # fmt: skip
def test_included_ones_that_nothing_serves(tree: list[Object], why: str) -> None:
    assert fault(*tree) == (Reason.ROUTE_NOT_ACCEPTED, f"HTTPProxy {NAMESPACE}/chat is not served: {why}")


def test_a_way_that_is_not_served_does_not_count_beside_another() -> None:
    refused = top(include("chat", "/x"), name="refused", fqdn="b.example", tcpproxy={})
    assert good(refused, top(include("chat", "/team")), leaf()).url == "http://example.com/team/chat/"


def test_several_roots_give_several_hosts() -> None:
    found = state_of(top(include("chat")), top(include("chat"), name="second", fqdn="b.example"), leaf())
    (route,) = found.snapshot(app()).routes
    assert [path.host for path in route.paths] == ["b.example", "example.com"]
    assert len(route.attachments) == 1


@pytest.mark.parametrize("depth", [MAX_INCLUDE_DEPTH, MAX_INCLUDE_DEPTH + 1])
def test_deep_trees(depth: int) -> None:
    names = ["top", *(f"n{level}" for level in range(depth - 1)), "chat"]
    tree = [
        http_proxy(name=name, fqdn="example.com" if name == "top" else None, includes=[include(below, "/x")])
        for name, below in pairwise(names)
    ]
    if depth == MAX_INCLUDE_DEPTH:
        assert good(*tree, leaf()).url == f"http://example.com{'/x' * depth}/chat/"
    else:
        assert "more than 8 HTTPProxies are above it, so the operator does not read it" in fault(*tree, leaf())[1]


def test_trees_with_very_many_ways_are_refused() -> None:
    def includes(level: int) -> list[Object]:
        return [include(f"n{level}-{n}", f"/{n}") for n in range(20)]

    tree = [top(*includes(0))]
    for level in range(3):
        below = includes(level + 1) if level < 2 else [include("chat", "/x")]
        tree += [leaf(name=f"n{level}-{n}", includes=below) for n in range(20)]
    reason, message = fault(*tree, leaf())
    assert reason is Reason.ROUTE_NOT_ACCEPTED
    assert f"more than {MAX_STEPS:,} HTTPProxies are between it and roots" in message


def test_a_root_is_composed_already() -> None:
    made = record(http_proxy(proxy_route()))
    assert httpproxy.KIND.compose(made, lambda _: ()) is made


# --------------------------------------------------------------------------------------------------------- conflicts


def conflicts(*made: Object) -> list[tuple[str, str]]:
    found = state_of(*made).snapshot(app()).conflicts
    return [(f"{each.route.kind} {each.route.name}", each.winner.value) for each in found]


WEB = [objects.backend_ref("web")]


def test_an_ingress_of_the_same_contour_is_in_conflict() -> None:
    def ingress(path: str, name: str) -> Object:
        path_ = objects.ingress_path(path, "Prefix", "web")
        rules = [objects.ingress_rule(path_, host="example.com")]
        return objects.ingress(name="web", rules=rules, ingress_class=name)

    assert conflicts(http_proxy(proxy_route()), ingress("/chat", "contour")) == [("Ingress web", "uncertain")]
    assert conflicts(http_proxy(proxy_route()), ingress("/chat/ws", "contour")) == [("Ingress web", "other")]
    assert conflicts(http_proxy(proxy_route()), ingress("/chat/ws", "traefik")) == []
    assert conflicts(http_proxy(proxy_route()), ingress("/", "contour")) == []


def test_an_expression_of_another_route_is_tried_first() -> None:
    def ingress(path: str) -> Object:
        path_ = objects.ingress_path(path, "ImplementationSpecific", "web")
        rules = [objects.ingress_rule(path_, host="example.com")]
        return objects.ingress(name="web", rules=rules, ingress_class="contour")

    reason, message = fault(http_proxy(proxy_route("/team/chat")), ingress("/[a-z]+/.*"))
    assert reason is Reason.PATH_SHADOWED
    assert message.endswith(
        "the edge tries it before the path of HTTPProxy chat because it tries expressions before plain paths. Limit "
        "that expression to its own paths."
    )
    good(http_proxy(proxy_route("/team/chat")), ingress("/bot/.*"))


def test_other_routes_of_the_tree_are_in_conflict() -> None:
    root = top(include("chat", "/team"))
    root["spec"]["routes"] = [proxy_route("/team/chat/ws", services=WEB), proxy_route("/", services=WEB)]
    assert conflicts(root, leaf()) == [("HTTPProxy top", "other")]
    sibling = leaf(proxy_route("/ws", services=WEB), name="sibling")
    tree = [top(include("chat", "/team"), include("sibling", "/team/chat")), leaf(), sibling]
    assert conflicts(*tree) == [("HTTPProxy sibling", "other")]


def test_an_included_one_takes_requests_of_an_app_of_the_root() -> None:
    root = top(include("web", "/chat"))
    root["spec"]["routes"] = [proxy_route()]
    assert conflicts(root, leaf(proxy_route("/ws", services=WEB), name="web")) == [("HTTPProxy web", "other")]
    assert conflicts(root, leaf(proxy_route("/shop", services=WEB), name="web")) == []
