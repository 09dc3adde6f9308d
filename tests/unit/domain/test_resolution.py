"""Route resolution: one table of route forms, each with its answer or its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.domain.world import (
    app,
    assert_plain,
    container,
    ingress,
    middleware,
    path,
    regex,
    service,
    snapshot,
    workload,
)

from chainlit_operator.domain.expressions import Style, Syntax
from chainlit_operator.domain.model import (
    Matching,
    NewIngress,
    Probe,
    Rewrite,
    Route,
    RoutePath,
    RouteStatus,
    ServicePort,
    Snapshot,
    WebSocketRefusal,
)
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.redirects import RedirectAll, RedirectRegex, RedirectRoot
from chainlit_operator.domain.resolution import Resolved, Unresolved, resolve
from chainlit_operator.domain.rewrites import (
    AddPrefix,
    ReplaceFullPath,
    ReplacePrefixMatch,
    RewriteWholePath,
    StripPrefix,
    Unknown,
)
from chainlit_operator.domain.route_paths import prefix_of
from chainlit_operator.domain.route_warnings import (
    Advice,
    HealthCheck,
    HealthCheckKeys,
    NeedsNodePort,
    ProbedHealthCheck,
)
from chainlit_operator.object_ref import Ref

NAMED = {"route_kind": "Ingress", "route_name": "chat"}
UNKNOWN = path(transforms=(Unknown("the annotation example.com/rewrite: /"),))
CONDITIONAL = "a header matches"
OF_SHOP_A = replace(middleware("b", StripPrefix(("/chat",))), ref=Ref("Middleware", "shop-a", "b"))
KINDS = ("Ingress", "Service", "Deployment", "Middleware")
REMEDIES = ("create", "use ", "set ", "correct", "remove", "keep", "name the", "give ", "strip ")


def refusing(text: str) -> RoutePath:
    return path(text, web_socket_refusal=WebSocketRefusal("The edge", f"Add {text}."))


def answer(found: Resolved | Unresolved) -> tuple[str, str] | Reason:
    return (
        found.reason
        if isinstance(found, Unresolved)
        else (found.root_paths.root_path, found.root_paths.parent_root_path)
    )


ANSWERS = [
    ("prefix", snapshot(ingress("/chat")), ("/chat", "")),
    ("prefix with a slash at its end", snapshot(ingress("/chat/")), ("/chat", "")),
    ("whole host", snapshot(ingress("/")), ("", "")),
    ("nested prefix", snapshot(ingress("/team/a/chat")), ("/team/a/chat", "")),
    ("a wildcard at the end", snapshot(ingress(path("/chat/*", matching=Matching.WILDCARD))), ("/chat", "")),
    ("a wildcard after the path", snapshot(ingress(path("/chat*", matching=Matching.WILDCARD))), ("/chat", "")),
    ("several wildcards at the end", snapshot(ingress(path("/chat/**", matching=Matching.WILDCARD))), ("/chat", "")),
    ("a wildcard for all", snapshot(ingress(path("*", matching=Matching.WILDCARD))), ("", "")),
    (
        "one character at the end",
        snapshot(ingress(path("/chat/?", matching=Matching.WILDCARD))),
        Reason.REGULAR_EXPRESSION_PATH,
    ),
    (
        "one character before the end",
        snapshot(ingress(path("/cha?/*", matching=Matching.WILDCARD))),
        Reason.REGULAR_EXPRESSION_PATH,
    ),
    ("implementation specific", snapshot(ingress(path(path_type="ImplementationSpecific"))), ("/chat", "")),
    ("no host", snapshot(ingress(path(host=""))), ("/chat", "")),
    ("same path on two hosts", snapshot(ingress(path(host="a.example"), path(host="b.example"))), ("/chat", "")),
    ("another app beside it", snapshot(ingress("/chat", path("/shop", service="shop"))), ("/chat", "")),
    ("another app at the root", snapshot(ingress(path("/", service="shop"), "/chat")), ("/chat", "")),
    ("the socket's own path beside it", snapshot(ingress("/chat", "/chat/ws")), ("/chat", "")),
    ("the socket's own path before it", snapshot(ingress("/chat/ws/", "/chat")), ("/chat", "")),
    ("exact beside prefix", snapshot(ingress(path(path_type="Exact"), "/chat/")), ("/chat", "")),
    ("two paths", snapshot(ingress("/chat", "/bot")), Reason.SEVERAL_PATHS),
    ("two nested paths", snapshot(ingress("/", "/chat")), Reason.SEVERAL_PATHS),
    ("exact", snapshot(ingress(path(path_type="Exact"))), Reason.EXACT_PATH),
    ("known regular expression", snapshot(ingress(regex("/chat(/|$)(.*)"))), ("/chat", "")),
    ("regular expression for everything", snapshot(ingress(regex("/.*"))), ("", "")),
    ("other regular expression", snapshot(ingress(regex("/(chat|bot)"))), Reason.REGULAR_EXPRESSION_PATH),
    ("regular expression with a known rewrite",
     snapshot(ingress(regex("/chat(/|$)(.*)", transforms=(RewriteWholePath("/chat(/|$)(.*)", "/$2"),)))),
     ("", "/chat")),
    ("regular expression rewritten to itself",
     snapshot(ingress(regex("/chat(/|$)(.*)", transforms=(RewriteWholePath("/chat(/|$)(.*)", "/chat/$2"),)))),
     ("/chat", "")),
    ("plain path rewritten to a constant", snapshot(ingress(path(transforms=(RewriteWholePath("/chat", "/"),)))),
     Reason.REWRITE_NOT_SUPPORTED),
    ("prefix replaced by the root", snapshot(ingress(path(transforms=(ReplacePrefixMatch("/"),)))), ("", "/chat")),
    ("prefix replaced by another", snapshot(ingress(path(transforms=(ReplacePrefixMatch("/other"),)))),
     Reason.REWRITE_NOT_SUPPORTED),
    ("part of the prefix replaced", snapshot(ingress(path("/team/chat", transforms=(ReplacePrefixMatch("/chat"),)))),
     ("/chat", "/team")),
    ("strip by Middleware", snapshot(ingress(path(middlewares=("shop-strip",))),
     middlewares=(middleware("strip", StripPrefix(("/chat",))),)), ("", "/chat")),
    ("Middleware that leaves the path alone", snapshot(ingress(path(middlewares=("shop-auth",))),
     middlewares=(middleware("auth"),)), ("/chat", "")),
    ("chain of Middlewares", snapshot(ingress(path("/team/chat", middlewares=("shop-all",))),
     middlewares=(middleware("all", chain=("shop-auth", "shop-strip")), middleware("auth"),
                  middleware("strip", StripPrefix(("/team",))))), ("/chat", "/team")),
    ("chain without an end", snapshot(ingress(path(middlewares=("shop-all",))),
     middlewares=(middleware("all", chain=("shop-all",)),)), Reason.MIDDLEWARE_NOT_FOUND),
    ("two Middlewares of one key that do the same", snapshot(ingress(path(middlewares=("shop-a-b",))),
     middlewares=(middleware("a-b", StripPrefix(("/chat",))), OF_SHOP_A)), ("", "/chat")),
    ("two Middlewares of one key that differ", snapshot(ingress(path(middlewares=("shop-a-b",))),
     middlewares=(middleware("a-b"), OF_SHOP_A)), Reason.REWRITE_UNKNOWN),
    ("Middleware missing", snapshot(ingress(path(middlewares=("shop-none",)))), Reason.MIDDLEWARE_NOT_FOUND),
    ("Middleware that adds a prefix", snapshot(ingress(path("/", middlewares=("shop-add",))),
     middlewares=(middleware("add", AddPrefix("/chat")),)), Reason.REWRITE_NOT_SUPPORTED),
    ("expression that ends before the subtree", snapshot(ingress(regex("^/chat$"))), Reason.REGULAR_EXPRESSION_PATH),
    ("expression that nobody is known to read", snapshot(ingress(path("/chat.*", matching=Matching.UNKNOWN))),
     Reason.REGULAR_EXPRESSION_PATH),
    ("socket's own path rewritten otherwise",
     snapshot(ingress(path(transforms=(ReplacePrefixMatch("/"),)), "/chat/ws")),
     Reason.REWRITE_NOT_SUPPORTED),
    ("socket's own path rewritten likewise",
     snapshot(ingress(path(transforms=(ReplacePrefixMatch("/"),)),
                      path("/chat/ws", transforms=(ReplacePrefixMatch("/ws"),)))),
     ("", "/chat")),
    ("one of two hosts rewritten",
     snapshot(ingress(path(), path(host="b.example", transforms=(ReplacePrefixMatch("/"),)))),
     Reason.REWRITE_NOT_SUPPORTED),
    ("one of three hosts stripped by a Middleware",
     snapshot(ingress(path(), path(host="b.example", middlewares=("shop-strip",)), path(host="c.example")),
              middlewares=(middleware("strip", StripPrefix(("/chat",))),)), Reason.REWRITE_NOT_SUPPORTED),
    ("GET stripped, POST not", snapshot(ingress(
        path(condition="the method is GET", transforms=(ReplacePrefixMatch("/"),)),
        path(condition="the method is POST"))),
     Reason.CONDITIONAL_MATCH),
    ("header only", snapshot(ingress(path(condition=CONDITIONAL))), Reason.CONDITIONAL_MATCH),
    ("header beside plain", snapshot(ingress(path(condition=CONDITIONAL), path())), ("/chat", "")),
    ("GET only", snapshot(ingress(path(condition="the method is GET"))), Reason.CONDITIONAL_MATCH),
    ("GET and POST", snapshot(ingress(path(condition="the method is POST"), path(condition="the method is GET"))),
     Reason.CONDITIONAL_MATCH),
    ("all methods", snapshot(ingress(*(path(condition=f"the method is {m}") for m in ("PUT", "GET", "DELETE",
                                                                                     "POST")))),
     ("/chat", "")),
    ("expression with a parent that is stripped",
     snapshot(ingress(regex("/team/(chat.*)", transforms=(RewriteWholePath("/team/(chat.*)", "/$1"),)))),
     ("/chat", "/team")),
    ("expression of two prefixes", snapshot(ingress(regex("/(chat|bot)(/|$)(.*)"))), Reason.SEVERAL_PATHS),
    ("expression with an optional prefix that stays", snapshot(ingress(regex("/(chat/)?(.*)"))), ("", "")),
    ("expression with an optional prefix that is stripped",
     snapshot(ingress(regex("/(chat/)?(.*)", transforms=(RewriteWholePath("/(chat/)?(.*)", "/$2"),)))),
     Reason.SEVERAL_PATHS),
    ("expression with own paths", snapshot(ingress(regex("/chat(/(ws|assets))?.*"))), ("/chat", "")),
    ("expression in the style of another controller",
     snapshot(ingress(regex("/chat(/.+)?", styles=(Style(Syntax.PCRE, start="^"),)))), ("/chat", "")),
    ("expression with a look-around", snapshot(ingress(regex("/chat(?=/).*"))), Reason.REGULAR_EXPRESSION_PATH),
    ("rewrite with a look-around",
     snapshot(ingress(path(transforms=(RewriteWholePath("/chat(?=/)(.*)", "$1"),)))), Reason.REWRITE_UNKNOWN),
    ("redirect", snapshot(ingress(path(transforms=(RedirectAll("the annotation a/redirect", "https://b.example"),)))),
     Reason.REDIRECTED_BY_ROUTE),
    ("redirect from www, on any host",
     snapshot(ingress(path(host="", transforms=(RedirectRegex("x", "^(https?://)www[.](.*)", "$1$2"),)))),
     ("/chat", "")),
    ("redirect from the root", snapshot(ingress(path(transforms=(RedirectRoot("x", "/chat/"),)))), ("/chat", "")),
    ("redirect beside a stated rewrite",
     snapshot(ingress(path(transforms=(RedirectAll("a setting", "https://b.example"),))),
              app=app(rewrite=Rewrite.STRIP)),
     Reason.REDIRECTED_BY_ROUTE),
    ("shared with another app", snapshot(ingress(path(others=("chat", "shop")))), Reason.BACKEND_SHARED),
    ("two Services of the app", snapshot(ingress(path(others=("chat", "chat2"))),
     services=(service(), service("chat2"))), ("/chat", "")),
    ("socket sent elsewhere", snapshot(ingress("/chat", path("/chat/ws", service="shop"))), Reason.PATH_SHADOWED),
    ("paths that begin like the socket's sent elsewhere", snapshot(ingress("/chat", path("/chat/w", service="shop"))),
     Reason.PATH_SHADOWED),
    ("page redirected", snapshot(ingress("/chat", path("/chat/", service="", path_type="Exact"))),
     Reason.PATH_SHADOWED),
    ("socket sent elsewhere on the second host",
     snapshot(ingress("/chat", path("/chat", host="b.example"), path("/chat/ws", host="b.example", service="shop"))),
     Reason.PATH_SHADOWED),
    ("another app at the same path", snapshot(ingress("/chat", path("/chat/", service="shop"))), Reason.PATH_SHADOWED),
    ("uploads rewritten otherwise",
     snapshot(ingress("/chat", path(condition="the method is POST", transforms=(ReplacePrefixMatch("/"),)))),
     Reason.REWRITE_NOT_SUPPORTED),
    ("strip below a path for one method that is left alone",
     snapshot(ingress(path("/chat", condition="the method is GET"),
                      path("/chat/ws", transforms=(ReplacePrefixMatch("/"),)))),
     Reason.REWRITE_NOT_SUPPORTED),
    ("an expression without a prefix for one method, rewritten otherwise",
     snapshot(ingress("/chat", regex("/[a-z]+(/|$)(.*)", condition="the method is GET",
                                     transforms=(ReplacePrefixMatch("/"),)))),
     Reason.REWRITE_NOT_SUPPORTED),
    ("an expression without a prefix for one method, not rewritten",
     snapshot(ingress("/chat", regex("/[a-z]+(/|$)(.*)", condition="the method is GET"))), ("/chat", "")),
    ("an expression for one method that matches nothing that is needed, rewritten otherwise",
     snapshot(ingress("/chat", regex("/bot(/|$)(.*)", condition="the method is GET",
                                     transforms=(ReplacePrefixMatch("/"),)))),
     ("/chat", "")),
    ("a pattern without a prefix for one method, not rewritten",
     snapshot(ingress("/chat", path("/*/ws", matching=Matching.WILDCARD, condition="the method is GET"))),
     ("/chat", "")),
    ("a pattern without a prefix for one method, rewritten otherwise",
     snapshot(ingress("/chat", path("/*/ws", matching=Matching.WILDCARD, condition="the method is GET",
                                    transforms=(ReplacePrefixMatch("/"),)))),
     Reason.REWRITE_NOT_SUPPORTED),
    ("page alone rewritten to a constant",
     snapshot(ingress("/chat", path("/chat/", path_type="Exact", transforms=(ReplaceFullPath("/"),)))),
     Reason.REWRITE_NOT_SUPPORTED),
    ("port that the Service does not have", snapshot(ingress(path(port="web"))), Reason.ROUTE_WITHOUT_BACKEND),
    ("socket at a port that the Service does not have", snapshot(ingress("/chat", path("/chat/ws", port=81))),
     Reason.ROUTE_WITHOUT_BACKEND),
    ("doubled slash", snapshot(ingress("//chat")), Reason.PATH_NOT_SUPPORTED),
    ("slashes at the end", snapshot(ingress("/chat//")), Reason.PATH_NOT_SUPPORTED),
    ("space at the end", snapshot(ingress("/chat ")), Reason.PATH_NOT_SUPPORTED),
    ("something else below it", snapshot(ingress("/chat", path("/chat/shop", service="shop"))), ("/chat", "")),
    ("not accepted", snapshot(ingress("/chat", refusal="NoMatchingParent: No listener fits.")),
     Reason.ROUTE_NOT_ACCEPTED),
    ("space", snapshot(ingress("/a b")), Reason.PATH_NOT_SUPPORTED),
    ("escape", snapshot(ingress("/my%20chat")), Reason.PATH_NOT_SUPPORTED),
    ("not ASCII", snapshot(ingress("/ünï")), Reason.PATH_NOT_SUPPORTED),
    ("rewrite annotation", snapshot(ingress(UNKNOWN)), Reason.REWRITE_UNKNOWN),
    ("rewrite annotation, said to strip", snapshot(ingress(UNKNOWN), app=app(rewrite=Rewrite.STRIP)),
     ("", "/chat")),
    ("rewrite annotation, said to do nothing",
     snapshot(ingress(UNKNOWN), app=app(rewrite=Rewrite.NONE)), ("/chat", "")),
    ("strip of nothing", snapshot(ingress("/"), app=app(rewrite=Rewrite.STRIP)), ("", "")),
    ("named", snapshot(app=app(**NAMED)), ("/chat", "")),
    ("named, missing", Snapshot(app(**NAMED), snapshot().workload, (service(),)), Reason.ROUTE_NOT_FOUND),
    ("named, for another app", snapshot(ingress(path(service="shop")), app=app(**NAMED)),
     Reason.ROUTE_WITHOUT_BACKEND),
    ("named, to what is not followed",
     snapshot(Route(Ref("HTTPRoute", "shop", "chat"), "1", (), unsupported_backends=("TraefikService sticky",)),
              app=app(**NAMED)),
     Reason.ROUTE_WITHOUT_BACKEND),
    ("named, its Service missing",
     snapshot(app=app(**NAMED), services=(), missing_services=frozenset({"chat"})), Reason.SERVICE_NOT_FOUND),
    ("named, its Service selecting others", snapshot(app=app(**NAMED), services=()), Reason.ROUTE_WITHOUT_BACKEND),
    ("created, not there yet",
     replace(snapshot(app=app(route_kind="Ingress", route_name="chat", ingress=NewIngress())), routes=()),
     Reason.ROUTE_NOT_FOUND),
    ("no workload", snapshot(workload=None), Reason.WORKLOAD_NOT_FOUND),
    ("no Service", snapshot(services=(), app=app()), Reason.SERVICE_NOT_FOUND),
    ("no Ingress", replace(snapshot(), routes=()), Reason.ROUTE_NOT_FOUND),
    ("two equal Ingresses", snapshot(ingress("/chat"), ingress("/chat/", name="more")), ("/chat", "")),
    ("two different Ingresses", snapshot(ingress("/chat"), ingress("/bot", name="more")), Reason.ROUTE_AMBIGUOUS),
    ("a good and a bad Ingress", snapshot(ingress("/chat"), ingress("/a b", name="bad")), ("/chat", "")),
    ("two bad Ingresses", snapshot(ingress("/a b"), ingress("/c d", name="bad")), Reason.PATH_NOT_SUPPORTED),
]  # fmt: skip


@pytest.mark.parametrize(("given", "wanted"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_route_form(given: Snapshot, wanted: tuple[str, str] | Reason) -> None:
    assert answer(resolve(given)) == wanted


@pytest.mark.parametrize("given", [row[1] for row in ANSWERS if isinstance(row[2], Reason)])
def test_every_reason_names_an_object_and_a_remedy(given: Snapshot) -> None:
    found = resolve(given)
    assert isinstance(found, Unresolved)
    assert any(kind in found.message for kind in KINDS), found.message
    assert any(remedy in found.message.lower() for remedy in REMEDIES), found.message
    assert len(found.message) < 1024
    assert_plain(found.message)


@pytest.mark.parametrize(
    ("route", "url", "socket"),
    [
        (ingress("/chat"), "http://example.com/chat/", "ws://example.com/chat/ws/socket.io/"),
        (ingress("/"), "http://example.com/", "ws://example.com/ws/socket.io/"),
        (ingress("/chat", tls_hosts=frozenset({"example.com"})), "https://example.com/chat/",
         "wss://example.com/chat/ws/socket.io/"),
        (ingress("/chat", tls_hosts=frozenset({"other.com"})), "http://example.com/chat/",
         "ws://example.com/chat/ws/socket.io/"),
        (ingress("/chat", tls_hosts=frozenset({"*.com"})), "https://example.com/chat/",
         "wss://example.com/chat/ws/socket.io/"),
        (ingress("/chat", tls_hosts=frozenset({""})), "https://example.com/chat/",
         "wss://example.com/chat/ws/socket.io/"),
        (ingress(path(host="a.b.com"), tls_hosts=frozenset({"*.com"})), "http://a.b.com/chat/",
         "ws://a.b.com/chat/ws/socket.io/"),
        (ingress(path(host=""), address="192.0.2.1"), "http://192.0.2.1/chat/", "ws://192.0.2.1/chat/ws/socket.io/"),
        (ingress(path(host="")), None, None),
        (ingress(path(host="*.example.com")), None, None),
    ],
)  # fmt: skip
def test_addresses(route: Route, url: str | None, socket: str | None) -> None:
    found = resolve(snapshot(route))
    assert isinstance(found, Resolved)
    assert (found.url, found.web_socket_url) == (url, socket)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ((refusing("/chat"),), "Add /chat."),
        ((refusing("/chat/"),), "Add /chat/."),
        ((refusing("/chat"), path("/chat/ws")), ""),
        ((path("/chat"), refusing("/chat/ws")), "Add /chat/ws."),
        ((refusing("/chat"), path("/chat/public")), "Add /chat."),
        ((path("/chat"),), ""),
    ],
)
def test_the_path_that_the_socket_matches_decides_about_it(given: tuple[RoutePath, ...], wanted: str) -> None:
    found = resolve(snapshot(ingress(*given)))
    assert isinstance(found, Resolved)
    assert wanted in found.web_socket_refusal
    assert bool(found.web_socket_refusal) is bool(wanted)


def test_first_host_and_shortest_path_stand_for_the_app() -> None:
    found = resolve(
        snapshot(ingress(path("/chat/ws", host="x.example"), path(host="a.example"), path(host="b.example")))
    )
    assert isinstance(found, Resolved)
    assert (found.status.host, found.status.path) == ("a.example", "/chat")


MESSAGES = [
    (snapshot(services=(service(), service("more")), routes=(ingress("/chat"), ingress("/bot", name="more"))),
     "Service chat, more have different paths: Ingress chat (/chat), Ingress more (/bot)."),
    (snapshot(ingress("/chat"), ingress("/bot", name="more"), ingress("/a b", name="bad")),
     "Ingress chat (/chat), Ingress more (/bot), Ingress bad (PathNotSupported)."),
    (snapshot(ingress("/", "/chat")), "(/, /chat)"),
    (snapshot(ingress(path("/shop", service="shop"), path("/", service="blog")), app=app(**NAMED)), "(blog, shop)"),
    (snapshot(Route(Ref("Ingress", "shop", "chat"), "1", ()), app=app(**NAMED)), "(none)"),
    (snapshot(ingress(path(service="a"), path("/b", service="b")), app=app(**NAMED), services=(),
              missing_services=frozenset("ab")), "Service a, b, which"),
    (snapshot(ingress("/", path("/ws", service="shop"))), "sends /ws to Service shop, and Chainlit may need it at /."),
    (snapshot(ingress("/chat", path("/chat/ws", service=""))),
     "sends /chat/ws elsewhere (a redirect, or no Service), and Chainlit may need it at /chat."),
    (snapshot(ingress(path(transforms=(ReplacePrefixMatch("/other"),)))), "turns /chat into /other on"),
    (snapshot(ingress(path("/", transforms=(AddPrefix("/x"),)))), "turns / into /x on"),
    (snapshot(ingress(path(port="web")), services=(service(ports=()),)), "no such port (none)."),
    (snapshot(ingress(path(port="web")), services=(service(ports=(ServicePort("", 1), ServicePort("x", 2))),)),
     "no such port (1, 2 x)."),
    (snapshot(ingress(path(port="web"))), "port web of Service shop/chat, which has no such port (80 http)."),
    (snapshot(taken=(Ref("Service", "shop", "chat"), Ref("Ingress", "shop", "chat"))),
     "creates Service shop/chat, Ingress shop/chat, and an"),
    (snapshot(Route(Ref("HTTPRoute", "shop", "chat"), "1", (),
                    unsupported_backends=("TraefikService a", "TraefikService b")),
              app=app(**NAMED)), "to TraefikService a, TraefikService b. The operator follows only"),
    (snapshot(Route(Ref("HTTPRoute", "shop", "chat"), "1", (), unsupported_backends=("x" * 999,)),
              app=app(**NAMED)),
     f"to {'x' * 250}. The operator follows only"),
    (snapshot(ingress(UNKNOWN)),
     "spec.route.rewrite to Strip if the whole path prefix is removed, or to None if the path"),
    (snapshot(ingress("/chat", refusal="No listener is called X. ")), "served: No listener is called X. Correct"),
    (snapshot(ingress("/chat", refusal="x" * 999)), f"served: {'x' * 300}. Correct"),
    (snapshot(ingress(path(transforms=(Unknown("x" * 999),)))), f"has {'x' * 250}, which"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "words"), MESSAGES)
def test_message(given: Snapshot, words: str) -> None:
    found = resolve(given)
    assert isinstance(found, Unresolved)
    assert words in found.message
    assert_plain(found.message)


@pytest.mark.parametrize(
    ("rewrite", "told", "roots"), [(Rewrite.AUTO, "None", ("/chat", "")), (Rewrite.STRIP, "Strip", ("", "/chat"))]
)
def test_status_of_a_resolved_route(rewrite: Rewrite, told: str, roots: tuple[str, str]) -> None:
    given = snapshot(ingress(path(path_type="ImplementationSpecific")), app=app(rewrite=rewrite))
    found = resolve(given)
    assert isinstance(found, Resolved)
    assert found.status == RouteStatus("Ingress", "chat", "example.com", "/chat", "ImplementationSpecific", told)
    assert (found.public_prefix, found.backend_prefix, found.root_paths) == ("/chat", roots[0], roots)


def test_transforms_come_in_their_order() -> None:
    """The path's own, then its Middlewares; those of a chain as the chain has them; eight chains in each other."""
    own = path("/a/b/c/d", transforms=(StripPrefix(("/a",)),), middlewares=("shop-b", "shop-chain"))
    found = (middleware("b", StripPrefix(("/b",))), middleware("c", StripPrefix(("/c",))),
             middleware("chain", chain=("shop-c", "shop-end")), middleware("end", StripPrefix(("/x",))))  # fmt: skip
    assert answer(resolve(snapshot(ingress(own), middlewares=found))) == ("/d", "/a/b/c")
    for depth, wanted in ((8, ("", "/chat")), (9, Reason.MIDDLEWARE_NOT_FOUND)):
        chains = [middleware(f"m{n}", chain=(f"shop-m{n + 1}",)) for n in range(depth)]
        deep = (*chains, middleware(f"m{depth}", StripPrefix(("/chat",))))
        assert answer(resolve(snapshot(ingress(path(middlewares=("shop-m0",))), middlewares=deep))) == wanted


def test_chains_of_chains_are_not_followed_for_ever() -> None:
    """Eight chains of ten have a hundred million Middlewares between them."""
    chains = [middleware(f"m{n}", chain=(f"shop-m{n + 1}",) * 10) for n in range(7)]
    found = resolve(
        snapshot(ingress(path(middlewares=("shop-m0",))), middlewares=(*chains, middleware("m7", AddPrefix("/x"))))
    )
    assert isinstance(found, Unresolved) and found.reason is Reason.REWRITE_UNKNOWN
    assert "has more than 100 Traefik Middlewares, which may change the path" in found.message


def test_equal_paths_of_one_route_are_no_shadows_of_each_other() -> None:
    twins = [path("/chat"), path("/chat"), path("/chat/ws"), path("/chat/ws")]
    assert answer(resolve(snapshot(ingress(*twins)))) == ("/chat", "")
    astray = [path("/chat"), path("/chat/ws"), path("/chat/ws", transforms=(StripPrefix(("/chat",)),))]
    assert answer(resolve(snapshot(ingress(*astray)))) is Reason.REWRITE_NOT_SUPPORTED


def test_shortest_path_stands_for_the_app_whatever_the_alphabet() -> None:
    found = resolve(snapshot(ingress("/zz/assets", "/zz")))
    assert isinstance(found, Resolved) and found.status.path == "/zz"


@pytest.mark.parametrize(("number", "wanted"), [(100, ("/chat", "")), (101, Reason.REWRITE_UNKNOWN)])
def test_a_hundred_middlewares_are_followed(number: int, wanted: tuple[str, str] | Reason) -> None:
    given = snapshot(ingress(path(middlewares=("shop-auth",) * number)), middlewares=(middleware("auth"),))
    assert answer(resolve(given)) == wanted


def test_an_expression_that_cannot_be_told_has_no_prefix() -> None:
    assert prefix_of(regex("/(chat|bot)")) == ""


# ----------------------------------------------------------------------------------------------------- warnings

PROBED = ProbedHealthCheck("named-by", "Config", "path")
COPIED = (
    "The load balancer copies the path of the readiness probe only when it is created, so its own health check fails "
    "if that path was not below /chat. Set path of a Config to /chat/health, and name it in the annotation named-by of "
    "the Service."
)
UNPROBED = (
    "The load balancer's own health check asks /, which Chainlit answers with 404 at root path /chat. Set path of a "
    "Config to /chat/health, and name it in the annotation named-by of the Service."
)
UNREAD = (
    "The operator does not read the Config that the annotation named-by of the Service names. If its path is not below "
    "/chat, the load balancer's own health check fails: set it to /chat/health."
)
NAMING = service(settings=(("named-by", "a"),))
BY_NODE = (
    "The annotation x is instance, and the load balancer cannot reach a Service of type ClusterIP so. Set it to ip."
)
NODE = NeedsNodePort("x", "instance", "instance", "ip")
ROOT_CHECK = HealthCheck(HealthCheckKeys("check", "port", "codes"), "/")
FAILS_AT_CHAT = (
    "The load balancer's own health check asks /, which Chainlit answers with 404 at root path /chat, so it counts the "
    "pods as unhealthy. Set the annotation check to /chat/health."
)


@pytest.mark.parametrize(
    ("snap", "wanted"),
    [
        (snapshot(ingress(path("/chat", warnings=(ROOT_CHECK,)))), (FAILS_AT_CHAT,)),
        (snapshot(ingress(path("/", warnings=(ROOT_CHECK,)))), ()),
        (snapshot(ingress(path("/chat", warnings=(ROOT_CHECK,))), app=app(mount_path="/chat")), ()),
        (snapshot(ingress(path("/chat", warnings=(ROOT_CHECK,), transforms=(ReplacePrefixMatch("/"),)))), ()),
        (
            snapshot(
                ingress(path("/chat", warnings=(ROOT_CHECK, Advice("A."))), path("/chat/ws", warnings=(Advice("A."),)))
            ),
            (FAILS_AT_CHAT, "A."),
        ),
        (snapshot(ingress("/chat", path("/shop", service="shop", warnings=(Advice("A."),)))), ()),
        (snapshot(ingress(path("/chat", warnings=(PROBED,)))), (COPIED,)),
        (snapshot(ingress(path("/", warnings=(PROBED,)))), ()),
        (snapshot(ingress(path("/chat", warnings=(PROBED,))), services=(NAMING,)), (UNREAD,)),
        (snapshot(ingress(path("/", warnings=(PROBED,))), services=(NAMING,)), ()),
        # Annotations of the Service win.
        (
            snapshot(
                ingress(path("/chat", warnings=(ROOT_CHECK, NODE))),
                services=(service(settings=(("check", "/chat/health"), ("x", "ip"))),),
            ),
            (),
        ),
        (snapshot(ingress(path("/chat", warnings=(PROBED,))), workload=workload(container(probes=()))), (UNPROBED,)),
        (
            snapshot(
                ingress(path("/chat", warnings=(PROBED,))),
                workload=workload(container(probes=(Probe("livenessProbe", "/health", "http"),))),
            ),
            (UNPROBED,),
        ),
        (
            snapshot(ingress(path("/chat", warnings=(NODE,)))),
            (BY_NODE,),
        ),
        (
            snapshot(
                ingress(path("/chat", warnings=(NODE,))),
                services=(service(type="NodePort"),),
            ),
            (),
        ),
    ],
)  # fmt: skip
def test_warnings_of_the_apps_own_paths_are_told_once(snap: Snapshot, wanted: tuple[str, ...]) -> None:
    found = resolve(snap)
    assert isinstance(found, Resolved)
    assert found.warnings == wanted
