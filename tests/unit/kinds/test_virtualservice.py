"""VirtualServices: what a whole decision makes of them, with their Gateways and DestinationRules."""

from __future__ import annotations

from typing import Any

import pytest
from tests import objects
from tests.objects import (
    Object,
    destination,
    destination_rule,
    hashed,
    istio_gateway,
    istio_rule,
    istio_server,
    stored,
    uri,
    virtual_service,
)
from tests.records import record
from tests.unit.domain.world import app, assert_plain, report_of, snapshot, workload

from chainlit_operator.domain import model
from chainlit_operator.domain.model import Rollout, Service, ServicePort
from chainlit_operator.domain.paths import RootPaths
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import Resolved, Unresolved, resolve
from chainlit_operator.kinds import registry
from chainlit_operator.kinds.routes.virtualservice import gateway_key
from chainlit_operator.kinds.shared.istio import service_of
from chainlit_operator.object_ref import Ref

CHAT = uri(prefix="/chat")


def composed(*given: Object) -> tuple[model.Route, ...]:
    """The VirtualServices among the objects, as a snapshot has them."""
    records = [record(found if "namespace" in found["metadata"] else stored(found, "shop")) for found in given]
    others = [found for found in records if isinstance(found, model.DependencyObject)]

    def find(wanted: model.Dependency) -> tuple[model.DependencyObject, ...]:
        return tuple(found for found in others if (found.ref.kind, found.key) == wanted)

    return tuple(
        registry.ROUTES[found.ref.kind].compose(found, find) for found in records if isinstance(found, model.Route)
    )


def resolved(*given: Object, **fields: Any) -> Resolved | Unresolved:
    """The answer for the usual app; without another one there is the usual Gateway."""
    if not any(found["kind"] == "IstioGateway" for found in given):
        given = (*given, istio_gateway())
    return resolve(snapshot(*composed(*given), **fields))


#: What a VirtualService with these rules gives: the root path and the parent root path.
FORMS: list[tuple[list[Object], tuple[str, str]]] = [
    ([istio_rule(CHAT)], ("/chat", "")),
    ([istio_rule()], ("", "")),
    ([istio_rule(uri(prefix="/"))], ("", "")),
    ([istio_rule({})], ("", "")),
    ([istio_rule(uri(prefix="/chat/"))], ("/chat", "")),
    ([istio_rule(uri(exact="/chat"), uri(prefix="/chat/"))], ("/chat", "")),
    ([istio_rule(uri(regex="/chat/.*"))], ("/chat", "")),
    ([istio_rule(uri(regex="/chat(/.*)?"))], ("/chat", "")),
    ([istio_rule(uri(regex=".*"))], ("", "")),
    ([istio_rule(uri(prefix="/chat/"), rewrite={"uri": "/"})], ("", "/chat")),
    ([istio_rule(uri(prefix="/chat/"), CHAT, rewrite={"uri": "/"})], ("", "/chat")),
    ([istio_rule(uri(prefix="/chat/"), uri(exact="/chat"), rewrite={"uri": "/"})], ("", "/chat")),
    ([istio_rule(uri(prefix="/team/chat"), rewrite={"uri": "/chat"})], ("/chat", "/team")),
    ([istio_rule(uri(prefix="/team/chat/"), rewrite={"uri": "/chat/"})], ("/chat", "/team")),
    ([istio_rule(CHAT, rewrite={"uri": "/chat"})], ("/chat", "")),
    ([istio_rule(CHAT, rewrite={"uriRegexRewrite": {"match": "^/chat/?(.*)$", "rewrite": r"/\1"}})], ("", "/chat")),
    (
        [istio_rule(uri(regex="/chat/.*"), rewrite={"uriRegexRewrite": {"match": "/chat", "rewrite": ""}})],
        ("", "/chat"),
    ),
    ([istio_rule(CHAT, rewrite={"authority": "chat.example.com"})], ("/chat", "")),
    # The first rule that matches counts, whatever its length is.
    ([istio_rule(CHAT), istio_rule(uri(prefix="/chat/ws"), to=[destination("other")])], ("/chat", "")),
    ([istio_rule(uri(prefix="/chat/ws")), istio_rule(CHAT)], ("/chat", "")),
    ([istio_rule(uri(prefix="/shop"), to=[destination("shop")]), istio_rule(CHAT)], ("/chat", "")),
    ([istio_rule(uri(exact="/"), to=[], redirect={"uri": "/chat/"}), istio_rule(CHAT)], ("/chat", "")),
    ([istio_rule(uri(exact="/chat"), to=[], redirect={"uri": "/chat/"}), istio_rule(CHAT)], ("/chat", "")),
    ([istio_rule({"port": 80}, to=[], redirect={"scheme": "https"}), istio_rule(CHAT)], ("/chat", "")),
    ([istio_rule({"headers": {"x-team": {"exact": "a"}}}, to=[destination("other")]), istio_rule(CHAT)], ("/chat", "")),
    ([istio_rule({"sourceLabels": {"app": "web"}}, to=[destination("other")]), istio_rule(CHAT)], ("/chat", "")),
    ([istio_rule({"gateways": ["mesh"]}, to=[destination("other")]), istio_rule(CHAT)], ("/chat", "")),
    ([istio_rule(CHAT | {"gateways": ["gw"]})], ("/chat", "")),
    # Destinations
    ([istio_rule(CHAT, to=[destination("chat", port=None)])], ("/chat", "")),
    ([istio_rule(CHAT, to=[destination("chat.shop.svc.cluster.local")])], ("/chat", "")),
    ([istio_rule(CHAT, to=[destination("chat.shop.svc.corp")])], ("/chat", "")),
    ([istio_rule(CHAT, to=[destination(weight=0)])], ("/chat", "")),
    ([istio_rule(CHAT, to=[destination(weight=100), destination("other", weight=0)])], ("/chat", "")),
    ([istio_rule(CHAT, to=[destination(weight=50), destination(weight=50)])], ("/chat", "")),
    ([istio_rule(*({"method": {"exact": name}} | CHAT for name in ("GET", "POST", "PUT", "DELETE")))], ("/chat", "")),
]


@pytest.mark.parametrize(("rules", "roots"), FORMS)
def test_root_paths(rules: list[Object], roots: tuple[str, str]) -> None:
    answer = resolved(virtual_service(*rules))
    assert isinstance(answer, Resolved), answer.message
    assert answer.root_paths == RootPaths(*roots)
    assert not answer.web_socket_refusal


#: Why there is no answer, with a part of the message.
FAULTS: list[tuple[list[Object], Reason, str]] = [
    (
        [istio_rule(CHAT, rewrite={"uri": "/"})],
        Reason.REWRITE_NOT_SUPPORTED,
        "VirtualService shop/chat rewrites /chat so that pages and sockets are not found. It replaces the prefix /chat "
        "by /, character by character, so /chat/ws/socket.io/ arrives as //ws/socket.io/. Write both with a slash at "
        "the end, /chat/ and /, and redirect /chat to /chat/.",
    ),
    (
        [istio_rule(uri(prefix="/chat/"), rewrite={"uri": "/other"})],
        Reason.REWRITE_NOT_SUPPORTED,
        "so /chat/ws/socket.io/ arrives as /otherws/socket.io/. Write both with a slash at the end, /chat/ and /other/",
    ),
    (
        [istio_rule(rewrite={"uri": "/chat"})],
        Reason.REWRITE_NOT_SUPPORTED,
        "so /ws/socket.io/ arrives as /chatws/socket.io/. Write both with a slash at the end, / and /chat/",
    ),
    ([istio_rule(CHAT, uri(prefix="/chat/"), rewrite={"uri": "/"})], Reason.REWRITE_NOT_SUPPORTED, "//ws/socket.io/"),
    ([istio_rule(CHAT, rewrite={"uri": "/other"})], Reason.REWRITE_NOT_SUPPORTED, "turns /chat into /other"),
    ([istio_rule(uri(regex="/chat/.*"), rewrite={"uri": "/"})], Reason.REWRITE_NOT_SUPPORTED, "does not keep"),
    (
        [istio_rule(CHAT, rewrite={"uriRegexRewrite": {"match": "/", "rewrite": "/x/"}})],
        Reason.REWRITE_NOT_SUPPORTED,
        "does not keep",
    ),
    (
        [istio_rule(CHAT, rewrite={"uriRegexRewrite": {"match": "^/chat/(?=x)", "rewrite": "/"}})],
        Reason.REWRITE_UNKNOWN,
        "which is not evaluated because it has a look-around",
    ),
    ([istio_rule(CHAT, rewrite={"authority": "inner.example.com"})], Reason.REWRITE_UNKNOWN, "another host"),
    ([istio_rule(uri(exact="/chat"))], Reason.EXACT_PATH, "nothing below it arrives"),
    ([istio_rule(uri(regex="/chat/[a-z]*"))], Reason.REGULAR_EXPRESSION_PATH, "there is no fixed prefix"),
    ([istio_rule(CHAT | {"headers": {"x-team": {"exact": "a"}}})], Reason.CONDITIONAL_MATCH, "if a header matches"),
    ([istio_rule(CHAT | {"scheme": {"exact": "https"}})], Reason.CONDITIONAL_MATCH, "has the scheme https"),
    ([istio_rule(CHAT | {"method": {"exact": "GET"}})], Reason.CONDITIONAL_MATCH, "if the method is GET"),
    ([istio_rule(CHAT | {"method": {"regex": "GET|POST"}})], Reason.CONDITIONAL_MATCH, "a method like GET|POST"),
    ([istio_rule(to=[destination("other")]), istio_rule(CHAT)], Reason.PATH_SHADOWED, "sends / to Service other"),
    ([istio_rule(uri(prefix="/cha"), to=[destination("other")]), istio_rule(CHAT)], Reason.PATH_SHADOWED, "sends /cha"),
    ([istio_rule(uri(prefix="/chat/w"), to=[destination("other")]), istio_rule(CHAT)], Reason.PATH_SHADOWED, "/chat/w"),
    (
        [istio_rule({"withoutHeaders": {"x-team": {"exact": "a"}}}, to=[destination("other")]), istio_rule(CHAT)],
        Reason.PATH_SHADOWED,
        "sends / to Service other",
    ),
    (
        [istio_rule({"headers": {"upgrade": {"exact": "websocket"}}}, to=[destination("ws")]), istio_rule(CHAT)],
        Reason.PATH_SHADOWED,
        "sends / to Service ws",
    ),
    ([istio_rule(to=[], delegate={"name": "x"}), istio_rule(CHAT)], Reason.PATH_SHADOWED, "elsewhere"),
    ([istio_rule(CHAT), istio_rule(uri(prefix="/bot"))], Reason.SEVERAL_PATHS, "/bot, /chat"),
    ([istio_rule(CHAT, to=[destination(weight=90), destination("other", weight=10)])], Reason.BACKEND_SHARED, "/chat"),
    ([istio_rule(CHAT, to=[destination("chat.shop")])], Reason.ROUTE_WITHOUT_BACKEND, "host chat.shop"),
    ([istio_rule(CHAT, to=[destination("other")])], Reason.ROUTE_WITHOUT_BACKEND, "none of its Services (other)"),
    ([istio_rule(CHAT, to=[destination(port=81)])], Reason.ROUTE_WITHOUT_BACKEND, "port 81 of Service shop/chat"),
]


@pytest.mark.parametrize(("rules", "reason", "part"), FAULTS)
def test_no_answer(rules: list[Object], reason: Reason, part: str) -> None:
    answer = resolved(virtual_service(*rules))
    assert isinstance(answer, Unresolved), answer.root_paths
    assert answer.reason is reason
    assert part in answer.message
    assert_plain(answer.message)


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"gateways": None}, "it names no Gateway in spec.gateways, so it is for requests within the mesh only. Add"),
        ({"gateways": ["mesh"]}, "it names no Gateway in spec.gateways"),
        (
            {"gateways": [f"g{n}" for n in range(33)]},
            "it names more than 32 Gateways, so the operator does not",
        ),
        ({"hosts": []}, "another VirtualService delegates to it, and the operator does not follow delegates. Route"),
    ],
)
def test_what_no_gateway_serves_is_refused(fields: dict[str, Any], part: str) -> None:
    answer = resolved(virtual_service(**fields))
    assert isinstance(answer, Unresolved)
    assert answer.reason is Reason.ROUTE_NOT_ACCEPTED
    assert part in answer.message
    assert_plain(answer.message)


def test_a_route_for_the_mesh_alone_leaves_another_one_as_it_is() -> None:
    answer = resolved(virtual_service(), virtual_service(istio_rule(), name="mesh", gateways=["mesh"]))
    assert isinstance(answer, Resolved)
    assert answer.root_paths == RootPaths("/chat", "")


def test_port_that_is_not_named_must_be_the_only_one() -> None:
    several = Service(
        Ref("Service", "shop", "chat"), "1", (("app", "chat"),), ports=(ServicePort("a", 1), ServicePort("b", 8000))
    )
    answer = resolved(virtual_service(istio_rule(CHAT, to=[destination(port=None)])), services=(several,))
    assert isinstance(answer, Unresolved)
    assert "to Service shop/chat without naming one of its ports (1 a, 8000 b)" in answer.message
    assert several.port_of("b") == several.port_of(8000) == ServicePort("b", 8000)


PLAIN, TLS = istio_server(), istio_server(443, "HTTPS", ["chat.example.com"], {"mode": "SIMPLE"})
REDIRECT = istio_server(tls={"httpsRedirect": True})


@pytest.mark.parametrize(
    ("hosts", "gateways", "url"),
    [
        (["chat.example.com"], [istio_gateway()], "http://chat.example.com/chat/"),
        (["chat.example.com"], [istio_gateway(PLAIN, TLS)], "https://chat.example.com/chat/"),
        (["chat.example.com"], [istio_gateway(REDIRECT)], "https://chat.example.com/chat/"),
        (
            ["chat.example.com"],
            [istio_gateway(REDIRECT, istio_server(8443, "HTTPS", tls={"mode": "MUTUAL"}))],
            "https://chat.example.com:8443/chat/",
        ),
        (["chat.example.com"], [istio_gateway(istio_server(8080, "HTTP2"))], "http://chat.example.com:8080/chat/"),
        (["a.b.example.com"], [istio_gateway(istio_server(hosts=["*.example.com"]))], "http://a.b.example.com/chat/"),
        (["*"], [istio_gateway(istio_server(hosts=["b.example.com"]))], "http://b.example.com/chat/"),
        (["*.example.com"], [istio_gateway(istio_server(hosts=["b.example.com"]))], "http://b.example.com/chat/"),
        (["chat"], [istio_gateway()], "http://chat.shop.svc.cluster.local/chat/"),
        (["*"], [istio_gateway()], None),
        (["chat.example.com"], [istio_gateway(istio_server(hosts=["other.example.com"]))], None),
        (["chat.example.com"], [istio_gateway(istio_server(hosts=["shop/*"]))], "http://chat.example.com/chat/"),
        (["chat.example.com"], [istio_gateway(istio_server(hosts=["./*"]))], "http://chat.example.com/chat/"),
        (["chat.example.com"], [istio_gateway(istio_server(hosts=["team/*"]))], None),
        (["chat.example.com"], [istio_gateway(istio_server(443, "HTTPS", tls={"mode": "PASSTHROUGH"}))], None),
        (["chat.example.com"], [istio_gateway(istio_server(5432, "TCP"))], None),
        (["chat.example.com"], [istio_gateway(name="other")], None),
        (
            ["chat.example.com"],
            [istio_gateway(name="edge", metadata={"namespace": "infra"})],
            "http://chat.example.com/chat/",
        ),
        (
            ["chat.example.com"],
            [istio_gateway(istio_server(hosts=["./*"]), name="edge", metadata={"namespace": "infra"})],
            None,
        ),
    ],
)
def test_url_is_that_of_a_server_of_its_gateways(hosts: list[str], gateways: list[Object], url: str | None) -> None:
    answer = resolved(virtual_service(hosts=hosts, gateways=["gw", "infra/edge"]), *gateways)
    assert isinstance(answer, Resolved)
    assert answer.url == url


@pytest.mark.parametrize(
    ("given", "watched", "message"),
    [
        (
            [istio_gateway(name="x")],
            (),
            "has no Gateway with a listener for HTTP or HTTPS (shop/gw), so there is no "
            "URL to open as a browser does. Correct its gateways, or set spec.verification.mode to Backend.",
        ),
        (
            [istio_gateway(istio_server(hosts=["x.example.com"]))],
            (),
            "has host chat.example.com, for which no "
            "Gateway has a listener, so there is no URL to open as a browser does. Correct its hosts, or",
        ),
        ([istio_gateway(name="x")], ("other",), "has a Gateway in namespace shop, which the operator does not watch"),
    ],
)
def test_why_there_is_no_url(given: list[Object], watched: tuple[str, ...], message: str) -> None:
    edge = app(verification=model.VerificationMode.EDGE)
    report = report_of(snapshot(*composed(virtual_service(), *given), app=edge, watched=watched))
    assert any(message in each.message for each in report.status.conditions)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("gw", "shop/gw"),
        ("./gw", "shop/gw"),
        ("infra/gw", "infra/gw"),
        ("gw.infra", "infra/gw"),
        ("gw.infra.svc.cluster.local", "infra/gw"),
    ],
)
def test_names_of_gateways(name: str, key: str) -> None:
    assert gateway_key(name, "shop") == key


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("chat", "shop/chat"),
        ("chat.team.svc.cluster.local", "team/chat"),
        ("Chat.team.svc.cluster.local.", "team/chat"),
        ("chat.team.svc.internal.corp", "team/chat"),
        # Names with a dot are whole names to Istio.
        ("chat.team", ""),
        ("chat.team.svc", ""),
        ("chat.example.com", ""),
        ("chat.team.other.cluster.local", ""),
        ("*.team.svc.cluster.local", ""),
        ("*", ""),
        ("", ""),
    ],
)
def test_hosts_of_services(host: str, service: str) -> None:
    assert service_of(host, "shop") == service


TWO = Rollout(observed_generation=1, desired=2, total=2, updated=2, available=2)
COOKIE = {"name": "chat", "ttl": "0s"}
REMEDY = "Create a DestinationRule with consistentHash by httpCookie, with a ttl, for Service chat."


def affinity(*given: Object, port: int | None = 80, watched: tuple[str, ...] = ()) -> tuple[str, str]:
    """The condition SessionAffinity of two pods."""
    rule = istio_rule(CHAT, to=[destination(port=port)])
    routes = composed(virtual_service(rule), istio_gateway(), *given)
    report = report_of(snapshot(*routes, workload=workload(rollout=TWO), watched=watched))
    found = next(each for each in report.status.conditions if each.type == "SessionAffinity")
    return found.status, found.message


def in_namespace(found: Object, namespace: str) -> Object:
    return found | {"metadata": found["metadata"] | {"namespace": namespace}}


@pytest.mark.parametrize(
    ("rules", "status", "part"),
    [
        ([], "False", REMEDY),
        ([destination_rule(trafficPolicy=hashed())], "True", "DestinationRule chat keeps the requests"),
        ([destination_rule(trafficPolicy=hashed(useSourceIp=True))], "True", "DestinationRule chat keeps"),
        (
            [destination_rule("chat.shop.svc.cluster.local", trafficPolicy=hashed())],
            "True",
            "DestinationRule chat keeps",
        ),
        (
            [in_namespace(destination_rule("chat.shop.svc.cluster.local", trafficPolicy=hashed()), "infra")],
            "True",
            "DestinationRule infra/chat keeps",
        ),
        ([in_namespace(destination_rule("chat", trafficPolicy=hashed()), "infra")], "False", REMEDY),
        ([destination_rule("other", trafficPolicy=hashed())], "False", REMEDY),
        ([destination_rule(trafficPolicy={"tls": {"mode": "DISABLE"}})], "False", REMEDY),
        ([destination_rule(trafficPolicy={"loadBalancer": {"simple": "ROUND_ROBIN"}})], "False", REMEDY),
        (
            [destination_rule(trafficPolicy=hashed(httpCookie={"name": "chat"}))],
            "Unknown",
            "The operator does not know what DestinationRule chat does or names.",
        ),
        (
            [destination_rule(trafficPolicy=hashed(httpHeaderName="x-user"))],
            "Unknown",
            "what DestinationRule chat does",
        ),
        ([destination_rule(trafficPolicy=hashed(httpCookie=COOKIE | {"path": "/"}))], "True", "keeps"),
        ([destination_rule(trafficPolicy=hashed(httpCookie=COOKIE | {"path": "/chat/"}))], "True", "keeps"),
        ([destination_rule(trafficPolicy=hashed(httpCookie=COOKIE | {"path": "/bot"}))], "Unknown", "what"),
        # The entry of a port replaces the policy of all ports.
        (
            [destination_rule(trafficPolicy=hashed() | {"portLevelSettings": [{"port": {"number": 80}}]})],
            "Unknown",
            "what",
        ),
        (
            [destination_rule(trafficPolicy=hashed() | {"portLevelSettings": [{"port": {"number": 81}}]})],
            "True",
            "keeps",
        ),
        (
            [destination_rule(trafficPolicy={"portLevelSettings": [{"port": {"number": 80}} | hashed()]})],
            "True",
            "keeps",
        ),
        # Which of two rules counts, the gateway's namespace decides.
        (
            [destination_rule(trafficPolicy=hashed()), destination_rule(name="b", trafficPolicy=hashed())],
            "True",
            "DestinationRule chat and DestinationRule b keeps",
        ),
        (
            [
                destination_rule(trafficPolicy=hashed()),
                destination_rule(name="b", trafficPolicy={"loadBalancer": {"simple": "RANDOM"}}),
            ],
            "Unknown",
            "what",
        ),
    ],
)
def test_session_affinity_is_that_of_destination_rules(rules: list[Object], status: str, part: str) -> None:
    found, message = affinity(*rules)
    assert (found, part in message) == (status, True), message
    assert_plain(message)


def test_beyond_some_rules_for_one_service_nothing_is_certain() -> None:
    many = [destination_rule(name=f"r{n}", trafficPolicy=hashed()) for n in range(9)]
    assert affinity(*many[:8])[0] == "True"
    assert affinity(*many)[0] == "Unknown"


def test_without_a_rule_nothing_is_certain_where_some_namespaces_are_not_watched() -> None:
    status, message = affinity(watched=("shop",))
    assert status == "Unknown"
    assert REMEDY in message
    assert affinity(destination_rule(trafficPolicy=hashed()), watched=("shop",))[0] == "True"


def test_a_destination_without_a_port_does_not_say_which_entry_counts() -> None:
    settings = {"portLevelSettings": [{"port": {"number": 80}} | hashed()]}
    assert affinity(destination_rule(trafficPolicy=settings), port=None)[0] == "Unknown"
    assert affinity(destination_rule(trafficPolicy=hashed()), port=None)[0] == "True"


def test_what_a_rule_says_of_subsets_and_ports() -> None:
    sticky, spread = hashed(), {"loadBalancer": {"simple": "RANDOM"}}
    subsets = [
        {"name": "v1", "labels": {"v": "1"}, "trafficPolicy": spread},
        {"name": "v2", "labels": {"v": "2"}},
        {"name": "v3", "trafficPolicy": {"portLevelSettings": [{"port": {"number": 80}} | spread]}},
    ]
    rule = record(stored(destination_rule(trafficPolicy=sticky, subsets=subsets), "shop"))
    found = {
        (subset, port): spreads.stickiness.value
        for subset in ("", "v1", "v2", "v3", "none")
        for port in (0, 80, 81)
        if (spreads := rule.spreads(subset, port)) is not None
    }
    assert {key for key, value in found.items() if value == "lost"} == {("v1", 0), ("v1", 80), ("v1", 81), ("v3", 80)}
    # A destination without a port does not say which entry counts.
    assert {key for key, value in found.items() if value == "unknown"} == {("v3", 0)}
    assert rule.subsets == (("v1", (("v", "1"),)), ("v2", (("v", "2"),)), ("v3", ()))


def test_time_limits_warn() -> None:
    answer = resolved(virtual_service(istio_rule(CHAT, timeout="10s")))
    assert isinstance(answer, Resolved)
    assert answer.warnings == (
        "The timeout 10s of the VirtualService ends long polls before Chainlit's ping after 25 s, and uploads. Remove "
        "it, or set it to 1h.",
    )


def test_a_route_of_another_namespace_counts_only_where_the_app_names_it() -> None:
    rule = istio_rule(CHAT, to=[destination("chat.shop.svc.cluster.local")])
    other = virtual_service(rule, metadata={"namespace": "infra"})
    named = app(route_kind="VirtualService", route_name="chat", route_namespace="infra")
    answer = resolved(other, app=named)
    assert isinstance(answer, Resolved)
    assert answer.root_paths == RootPaths("/chat", "")
    refused = resolved(other)
    assert isinstance(refused, Unresolved)
    assert refused.reason is Reason.REFERENCE_NOT_GRANTED
    assert refused.message == (
        "VirtualService infra/chat sends requests to the app from another namespace, and nothing in namespace shop "
        "says that it may. Set spec.route.ref to kind VirtualService, name chat and namespace infra."
    )


@pytest.mark.parametrize("kind", ["VirtualService", "IstioGateway", "DestinationRule"])
def test_kinds_of_istio_are_optional(kind: str) -> None:
    assert registry.WATCHED[kind].is_optional
    assert registry.needed_by(kind) == {"VirtualService"}
    assert objects.api_version(kind) == "networking.istio.io/v1"
