"""Routes of OpenShift, from manifests to the answer for an app: places, ports, refusals, conflicts, affinity."""

from __future__ import annotations

from typing import Any

import pytest
from tests.objects import (
    Object,
    chainlit_app,
    container,
    ingress,
    ingress_path,
    ingress_rule,
    openshift_backend,
    openshift_route,
    router_status,
    service,
    stored,
    workload,
)
from tests.records import record
from tests.reported import conditions
from tests.unit.domain.world import NAMESPACE, app, assert_plain

from chainlit_operator.domain.model import ALL_PORTS, AffinitySetting, Rewrite, Route, Stickiness
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import Resolved, Unresolved, resolve
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State

HOST = "example.com"
ROUTER = "haproxy.router.openshift.io"
TARGET = f"{ROUTER}/rewrite-target"
CLAIMED = {"reason": "HostAlreadyClaimed", "message": "route elder already exposes example.com and is older"}


def route(path: str | None = "/chat", **more: Any) -> Object:
    return openshift_route(**({"host": HOST, "path": path} | more))


def answer(*found: Object, pods: Object | None = None, services: tuple[Object, ...] = (), **spec: Any) -> Any:
    told: list[Ref] = []
    state = State(told.append)
    given = app(**spec)
    state.put_app(given)
    beside = (service("other", "other"), service("chat-2", "chat"))
    for obj in (pods or workload(container()), *(services or (service(), *beside)), *found):
        state.upsert(record(stored(obj, NAMESPACE)))
    return resolve(state.snapshot(given))


def resolved(*found: Object, **more: Any) -> Resolved:
    result = answer(*found, **more)
    assert isinstance(result, Resolved), result
    return result


def refused(*found: Object, **more: Any) -> Unresolved:
    result = answer(*found, **more)
    assert isinstance(result, Unresolved), result
    assert_plain(result.message)
    return result


# -------------------------------------------------------------------------------------------------------------- places


@pytest.mark.parametrize(
    ("path", "target", "root_path", "parent"),
    [
        ("/chat", None, "/chat", ""),
        ("/chat/", None, "/chat", ""),
        ("/v1.0/chat", None, "/v1.0/chat", ""),
        (None, None, "", ""),
        ("/", None, "", ""),
        (None, "/", "", ""),
        ("/", "/", "", ""),
        ("/chat", "/", "", "/chat"),
        ("/chat/", "/", "", "/chat"),
        ("/team/chat", "/", "", "/team/chat"),
        ("/team/chat", "/chat", "/chat", "/team"),
        ("/team/chat/", "/chat/", "/chat", "/team"),
        ("/chat", "/chat", "/chat", ""),
        # The router reads no target that does not begin with a slash.
        ("/chat", "", "/chat", ""),
        ("/chat", "other", "/chat", ""),
        ("/chat", " /", "/chat", ""),
        ("/chat", "/\n", "/chat", ""),
    ],
)
def test_place(path: str | None, target: str | None, root_path: str, parent: str) -> None:
    annotations = {} if target is None else {TARGET: target}
    found = resolved(route(path, annotations=annotations))
    assert found.root_paths == (root_path, parent)
    assert found.url == f"https://{HOST}{parent}{root_path}/"


@pytest.mark.parametrize(
    ("path", "target", "reason"),
    [
        ("/chat", "/other", Reason.REWRITE_NOT_SUPPORTED),
        # HAProxy replaces the text: ``//ws`` and ``/xws`` arrive.
        ("/team/chat", "/chat/", Reason.REWRITE_NOT_SUPPORTED),
        ("/team/chat/", "/chat", Reason.REWRITE_NOT_SUPPORTED),
        ("/", "/chat", Reason.REWRITE_NOT_SUPPORTED),
        (None, "/chat", Reason.REWRITE_NOT_SUPPORTED),
        ("/my%20chat", None, Reason.PATH_NOT_SUPPORTED),
        ("//chat", None, Reason.PATH_NOT_SUPPORTED),
        ("/chat", "/#", Reason.REWRITE_UNKNOWN),
        ("/chat", "/%[path]", Reason.REWRITE_UNKNOWN),
        ("/chat", "/\\1", Reason.REWRITE_UNKNOWN),
        ("/chat", "/'x'", Reason.REWRITE_UNKNOWN),
        ("/chat", "/a b", Reason.REWRITE_UNKNOWN),
    ],
)
def test_no_place(path: str | None, target: str | None, reason: Reason) -> None:
    assert refused(route(path, annotations={} if target is None else {TARGET: target})).reason is reason


@pytest.mark.parametrize(
    ("tls", "url"),
    [
        (None, "http://example.com/chat/"),
        ({}, "http://example.com/chat/"),
        ("edge", "https://example.com/chat/"),
        ("reencrypt", "https://example.com/chat/"),
        ({"termination": "edge", "insecureEdgeTerminationPolicy": "Allow"}, "https://example.com/chat/"),
        ({"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"}, "https://example.com/chat/"),
        ({"termination": "edge", "insecureEdgeTerminationPolicy": "None"}, "https://example.com/chat/"),
    ],
)
def test_url(tls: Any, url: str) -> None:
    assert resolved(route(tls=tls)).url == url


def test_a_wildcard_stands_for_one_label_and_the_host_is_one_of_its_names() -> None:
    found = resolved(route(host="www.example.com", wildcardPolicy="Subdomain"))
    assert (found.status.host, found.url) == ("*.example.com", "https://www.example.com/chat/")
    assert resolved(route(host="localhost", wildcardPolicy="Subdomain")).url == "https://localhost/chat/"


def test_a_router_gives_a_host() -> None:
    given = {"ingress": router_status("chat.apps.example.com")["ingress"] + router_status("x.example")["ingress"]}
    assert resolved(route(host=None, status=given)).url == "https://chat.apps.example.com/chat/"


# ---------------------------------------------------------------------------------------------------------- annotations


def test_annotations_of_others_mean_nothing() -> None:
    annotations = {
        "nginx.ingress.kubernetes.io/rewrite-target": "/",
        "nginx.ingress.kubernetes.io/affinity": "cookie",
        "nginx.ingress.kubernetes.io/configuration-snippet": "rewrite ^/chat(.*) $1;",
        "traefik.ingress.kubernetes.io/router.middlewares": "shop-strip@kubernetescrd",
        "konghq.com/strip-path": "true",
        "haproxy.org/path-rewrite": "/",
        "example.com/strip-prefix": "true",
        # This one is for an Ingress. A Route has a field.
        "route.openshift.io/termination": "passthrough",
    }
    plain, annotated = (record(stored(route(annotations=each), NAMESPACE)) for each in ({}, annotations))
    assert annotated == plain


@pytest.mark.parametrize("key", [f"{ROUTER}/other-rewrite", "virtual-server.f5.com/rewrite-target-url"])
def test_an_annotation_of_its_own_controllers_may_rewrite(key: str) -> None:
    assert refused(route(annotations={key: "/"})).reason is Reason.REWRITE_UNKNOWN
    assert resolved(route(annotations={key: "/"}), rewrite=Rewrite.STRIP).root_paths == ("", "/chat")


def test_short_time_outs_are_warned_of() -> None:
    (warning,) = resolved(route(annotations={f"{ROUTER}/timeout": "10s"})).warnings
    assert warning.startswith(f"The annotation {ROUTER}/timeout is 10s, which ends long polls")
    assert resolved(route(annotations={f"{ROUTER}/timeout": "5m", f"{ROUTER}/timeout-tunnel": "0"})).warnings == ()


# --------------------------------------------------------------------------------------------------------------- ports

TWO_PORTS = [
    {"name": "metrics", "port": 9000, "targetPort": "metrics"},
    {"name": "web", "port": 80, "targetPort": "http"},
]
PODS = workload(container(ports=[{"name": "http", "containerPort": 8000}, {"name": "metrics", "containerPort": 9000}]))
ALIKE = [{"name": "a", "port": 80, "targetPort": "http"}, {"name": "b", "port": 8000}]
HEADLESS = [{"port": 8000}]


@pytest.mark.parametrize(
    ("ports", "port", "expected"),
    [
        # A text is the name of a port of the Service, not of a container.
        (TWO_PORTS, "web", "web"),
        (TWO_PORTS, 8000, 80),
        (TWO_PORTS, "8000", 80),
        (ALIKE, None, 80),
        (ALIKE, "", 80),
        (ALIKE, 8000, 80),
        (HEADLESS, None, 8000),
        (HEADLESS, 8000, 8000),
        ([{"name": "x", "port": 80, "targetPort": 8000}], None, 80),
    ],
)
def test_port(ports: list[Object], port: Any, expected: int | str) -> None:
    found = resolved(route(port=port), pods=PODS, services=(service(ports=ports),))
    assert found.service_port == expected


@pytest.mark.parametrize(
    ("ports", "port", "said"),
    [
        (TWO_PORTS, None, "to all ports of Service shop/chat (9000 metrics, 80 web), and Chainlit listens on one."),
        (TWO_PORTS, "http", "to port http of Service shop/chat, which has no such port (9000 metrics, 80 web)."),
        (TWO_PORTS, 80, "to port 80 of the pods of Service shop/chat, which has no such port"),
        (TWO_PORTS, 0, "to port 0 of Service shop/chat, which has no such port"),
        (HEADLESS, 99999999999, "to port 99999999999 of Service shop/chat, which has no such port (8000)."),
        ([{"port": 80, "targetPort": "gone"}], 8000, "to port 8000 of the pods of Service shop/chat"),
    ],
)
def test_no_port(ports: list[Object], port: Any, said: str) -> None:
    found = refused(route(port=port), pods=PODS, services=(service(ports=ports),))
    assert found.reason is Reason.ROUTE_WITHOUT_BACKEND
    assert said in found.message


def test_a_port_of_a_proxy_beside_chainlit() -> None:
    pods = workload(container(), container("proxy", "nginx", ports=[{"name": "proxy", "containerPort": 9000}]))
    ports = [{"name": "web", "port": 80, "targetPort": "http"}, {"name": "proxy", "port": 81, "targetPort": 9000}]
    found = resolved(route(port=9000), pods=pods, services=(service(ports=ports),))
    assert found.service_port == 81


# ------------------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("changes", "reason", "said"),
    [
        ({"status": router_status(HOST, "False", **CLAIMED)}, Reason.ROUTE_NOT_ACCEPTED,
         "Route shop/chat is not served: HostAlreadyClaimed: route elder already exposes example.com and is older. "
         "Change the Route, or the Route that has its host and path."),
        ({"host": None}, Reason.ROUTE_NOT_ACCEPTED,
         "Route shop/chat is not served: it has no host, and no router has given it one. Set spec.host of the Route."),
        ({"host": None, "status": router_status("x.example", "False", reason="NoHostValue", message="no host")},
         Reason.ROUTE_NOT_ACCEPTED, "NoHostValue: no host."),
        ({"tls": "passthrough"}, Reason.ROUTE_NOT_ACCEPTED,
         "with TLS termination passthrough the router sees no path. Set spec.tls.termination to edge."),
        ({"path": "chat"}, Reason.ROUTE_NOT_ACCEPTED, "does not begin with a slash"),
        ({"tls": "other"}, Reason.ROUTE_NOT_ACCEPTED, "its TLS termination 'other' is not known"),
        ({"alternateBackends": [openshift_backend("other", 1)]}, Reason.BACKEND_SHARED, "set the other weight to 0"),
        ({"alternateBackends": [openshift_backend("x", 1, "Other")]}, Reason.BACKEND_SHARED, "to another Service"),
        ({"to": openshift_backend("x", kind="Other")}, Reason.ROUTE_WITHOUT_BACKEND,
         "sends requests to Other x. The operator follows only Services"),
        ({"to": openshift_backend(weight=0)}, Reason.ROUTE_WITHOUT_BACKEND, "none of its Services (none)"),
    ],
)  # fmt: skip
def test_refusal(changes: Object, reason: Reason, said: str) -> None:
    found = refused(route(**changes), route_kind="Route", route_name="chat")
    assert found.reason is reason
    assert said in found.message


def test_one_router_is_enough() -> None:
    answers = [router_status(HOST, "False", **CLAIMED), router_status(HOST, router="internal")]
    status = {"ingress": [each for found in answers for each in found["ingress"]]}
    assert resolved(route(status=status)).root_paths == ("/chat", "")


@pytest.mark.parametrize(
    "backends",
    [
        {"alternateBackends": [openshift_backend("other", 0)]},
        {"alternateBackends": [openshift_backend("other", -1)]},
        {"alternateBackends": [openshift_backend("chat-2", 10)]},
        {"to": {"name": "chat"}},
        {"to": openshift_backend("other", 0), "alternateBackends": [openshift_backend()]},
    ],
)
def test_backends_that_are_all_of_the_app(backends: Object) -> None:
    assert resolved(route(**backends)).root_paths == ("/chat", "")


def test_passthrough_is_at_the_root_and_warned_of() -> None:
    found = resolved(route(None, tls="passthrough", annotations={TARGET: "/other"}))
    assert found.root_paths == ("", "")
    assert "the pods must speak TLS" in found.warnings[0]


# ------------------------------------------------------------------------------------------- Routes made of an Ingress


MADE = {
    "ownerReferences": [{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "chat", "controller": True}]
}


def test_a_route_that_openshift_makes_of_an_ingress_is_that_ingress() -> None:
    source = ingress(HOST, ingress_class="openshift-default")
    stale = route("/old", name="chat-x7k2p", metadata=MADE)
    assert resolved(source, stale).status.kind == "Ingress"
    named = refused(source, stale, route_kind="Route", route_name="chat-x7k2p")
    assert named.reason is Reason.ROUTE_NOT_ACCEPTED
    assert named.message == (
        "Route shop/chat-x7k2p is not served: OpenShift makes it from Ingress chat. Name that Ingress in its place."
    )


# ----------------------------------------------------------------------------------------------------------- conflicts


def other(path: str = "/chat", **more: Any) -> Object:
    return route(path, name="elder", to=openshift_backend("other"), **more)


def other_ingress(path: str = "/chat", ingress_class: str = "openshift-default", **more: Any) -> Object:
    rules = [ingress_rule(ingress_path(path, service="other"), host=HOST)]
    return ingress(rules=rules, name="elder", ingress_class=ingress_class, **more)


OLDER, YOUNGER = ({"creationTimestamp": f"{year}-01-01T00:00:00Z"} for year in (2025, 2027))


def test_the_oldest_of_two_routes_with_one_path_wins() -> None:
    lost = refused(route(), other(metadata=OLDER))
    assert lost.reason is Reason.PATH_CLAIMED
    assert (
        "Route shop/elder has path /chat on host example.com, too, and gets its requests: it is older." in lost.message
    )
    (warning,) = resolved(route(), other(metadata=YOUNGER)).warnings
    assert warning == "Route shop/elder has path /chat on host example.com, too. The edge prefers Route chat."
    (unclear,) = resolved(route(), other()).warnings
    assert "both were created in the same second" in unclear


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "other.example"},
        {"status": router_status(HOST, "False", **CLAIMED)},
        {"path": "/chatter"},
        {"path": "/"},
    ],
)
def test_no_conflict(changes: Any) -> None:
    assert resolved(route(), other(**({"metadata": OLDER} | changes))).warnings == ()


def test_a_longer_path_takes_the_socket() -> None:
    lost = refused(route(), other("/chat/ws", metadata=YOUNGER))
    assert lost.reason is Reason.PATH_SHADOWED


def test_an_ingress_of_the_router_and_a_route_are_in_conflict() -> None:
    for year in (OLDER, YOUNGER):
        # The Route that is made of an Ingress may be younger than the Ingress.
        (warning,) = resolved(route(), other_ingress(metadata=year)).warnings
        assert "may take it from the app: it is not known which of the two" in warning
        (turned,) = resolved(ingress(HOST, ingress_class="openshift-default"), other(metadata=year)).warnings
        assert "Route shop/elder sends /chat" in turned
    assert resolved(route(), other_ingress(ingress_class="traefik")).warnings == ()
    assert refused(route(), other_ingress("/chat/ws")).reason is Reason.PATH_SHADOWED


# ------------------------------------------------------------------------------------------------------------ affinity


@pytest.mark.parametrize(
    ("made", "status", "said"),
    [
        (route(), "True", "OpenShift keeps the requests of a browser at one pod."),
        (route(alternateBackends=[openshift_backend("chat-2", 9)]), "True", "OpenShift keeps"),
        (route(annotations={f"{ROUTER}/balance": "leastconn"}), "True", "OpenShift keeps"),
        (route(annotations={f"{ROUTER}/disable_cookies": "false"}), "True", "OpenShift keeps"),
        (route(annotations={f"{ROUTER}/disable_cookies": "true"}), "False",
         f"Remove the annotation {ROUTER}/disable_cookies from Route chat."),
        (route(annotations={f"{ROUTER}/disable_cookies": "true", f"{ROUTER}/balance": "source"}), "True",
         f"The annotation {ROUTER}/balance keeps"),
        (route(annotations={"nginx.ingress.kubernetes.io/affinity": "cookie", f"{ROUTER}/disable_cookies": "1"}),
         "False", "Remove the annotation"),
        (route(None, tls="passthrough", annotations={f"{ROUTER}/disable_cookies": "true"}), "Unknown",
         "Set spec.tls.termination of Route chat to edge: then the router sets a cookie."),
    ],
)  # fmt: skip
def test_session_affinity(made: Object, status: str, said: str) -> None:
    pods = workload(container(), replicas=2)
    found = conditions([pods, service(), service("chat-2", "chat"), made, chainlit_app()])["SessionAffinity"]
    assert (found.status, said in found.message) == (status, True), found.message


# -------------------------------------------------------------------------------------------------------------- record


def test_record() -> None:
    found: Route = record(stored(route(port=None, annotations={f"{ROUTER}/disable_cookies": "t"}), NAMESPACE))
    assert found.affinity == (
        AffinitySetting("openshift", Stickiness.LOST, f"the annotation {ROUTER}/disable_cookies"),
    )
    assert [path.target_port for path in found.paths] == [ALL_PORTS]
