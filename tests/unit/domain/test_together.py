"""Several routes of one app, read together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.world import (
    app,
    assert_plain,
    container,
    ingress,
    path,
    regex,
    report_of,
    service,
    snapshot,
    workload,
)

from chainlit_operator.domain.model import Attachment, Matching, Rewrite, Route, ServicePort, Snapshot, WebSocketRefusal
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.redirects import RedirectAll, RedirectRegex, RedirectRoot, RedirectScheme
from chainlit_operator.domain.resolution import Resolved, Unresolved, resolve
from chainlit_operator.domain.rewrites import ReplaceFullPath, ReplacePrefixMatch, RewriteWholePath, Unknown
from chainlit_operator.ingress_controllers.ingress_nginx import STYLE
from chainlit_operator.object_ref import Ref

STRIP = (ReplacePrefixMatch("/"),)
TO_HTTPS = (RedirectScheme("x"),)
BY_HTTPS = frozenset({"example.com"})
UNKNOWN = (Unknown("magic"),)
REFUSAL = WebSocketRefusal("Some", "Allow it.", 403)
REFUSED: dict[str, Any] = {"refusal": "NotAllowed: By the listener."}
PING = ingress(path("/ping", path_type="Exact", host="ping.example"), name="ping")


def more(*paths: Any, name: str = "more", **fields: Any) -> Any:
    return ingress(*paths, name=name, **fields)


def both(*routes: Any, **fields: Any) -> Snapshot:
    return snapshot(*routes, **fields)


def nginx(text: str, target: str) -> Any:
    """A path of ingress-nginx that is an expression; the target may be empty."""
    transforms = (RewriteWholePath(text, target, ignores_case=True),) if target else ()
    return regex(text, styles=(STYLE,), transforms=transforms)


CHAT = ingress("/chat")
CHAT_BY_HTTPS = ingress("/chat", tls_hosts=BY_HTTPS)
URL = "https://example.com"
KONG = ingress(path(transforms=STRIP), read_as=("Kong",))
BESIDE = ingress(path(transforms=STRIP), name="more", read_as=("haproxy-ingress",))
MOUNTED, OTHER_LOGIN = app(mount_path="/chat"), path("/api/login", "other")
ANSWERS: list[tuple[str, Snapshot, tuple[str, str, str] | Reason]] = [
    ("the socket's own path", both(CHAT, more("/chat/ws")), ("/chat", "", "/chat")),
    ("the socket's own path, first", both(ingress("/chat/ws"), more("/chat")), ("/chat", "", "/chat")),
    ("a path without a login", both(ingress("/"), more("/slack/events")), ("", "", "/")),
    ("two of them in one", both(ingress("/"), more("/slack/events", "/teams")), ("", "", "/")),
    ("two of them, first in one", both(ingress("/slack/events", "/teams"), more("/")), ("", "", "/")),
    ("one of them in one is another place", both(ingress("/"), more("/slack/events", "/bot")), Reason.SEVERAL_PATHS),
    ("two other places in one", both(CHAT, more("/bot", "/shop")), Reason.SEVERAL_PATHS),
    ("the same path beside one that is not read", both(CHAT, more("/chat", path("/x.*", matching=Matching.UNKNOWN))),
     ("/chat", "", "/chat")),
    ("another host", both(ingress("/"), more(path("/slack", host="b.example"))), ("", "", "/")),
    ("another place", both(CHAT, more("/bot")), Reason.ROUTE_AMBIGUOUS),
    ("a place below", both(ingress("/"), more("/chat")), Reason.ROUTE_AMBIGUOUS),
    ("half a segment", both(CHAT, more("/chat/wsx")), Reason.ROUTE_AMBIGUOUS),
    ("both stripped", both(ingress(path(transforms=STRIP)),
     more(path("/chat/ws", transforms=(ReplacePrefixMatch("/ws"),)))), ("", "/chat", "/chat")),
    ("the socket not stripped", both(ingress(path(transforms=STRIP)), more("/chat/ws")), Reason.ROUTE_AMBIGUOUS),
    ("the same path, one stripped", both(CHAT, more(path(host="b.example", transforms=STRIP))),
     Reason.ROUTE_AMBIGUOUS),
    ("a helper", both(CHAT, PING), ("/chat", "", "/chat")),
    ("a helper alone", both(PING), Reason.EXACT_PATH),
    ("a helper first", both(ingress(path("/ping", path_type="Exact")), more("/chat")), ("/chat", "", "/chat")),
    ("an exact path of the app", both(CHAT, more(path("/chat/ws/socket.io/", path_type="Exact"))),
     ("/chat", "", "/chat")),
    ("an exact path of the app, rewritten",
     both(CHAT, more(path("/chat/ws/socket.io/", path_type="Exact", transforms=STRIP))), Reason.EXACT_PATH),
    ("an exact path of the app, rewritten at another edge",
     both(CHAT, more(path("/chat/ws/socket.io/", path_type="Exact", transforms=STRIP), ingress_class="inner")),
     ("/chat", "", "/chat")),
    ("an exact path of the app, rewritten at another host",
     both(CHAT, more(path("/chat/ws/", host="b.example", path_type="Exact", transforms=STRIP))),
     ("/chat", "", "/chat")),
    ("one for http that redirects to https",
     both(more(path(transforms=TO_HTTPS), name="a"), ingress(path(transforms=STRIP), tls_hosts=BY_HTTPS)),
     ("", "/chat", "/chat")),
    ("one for http that redirects a part of it to https",
     both(CHAT_BY_HTTPS, more(path("/chat/x", transforms=TO_HTTPS))), ("/chat", "", "/chat")),
    ("one that redirects to https by an expression",
     both(ingress(path(transforms=STRIP), tls_hosts=BY_HTTPS),
          more(path(transforms=(RedirectRegex("x", "^http://(.*)", "https://${1}"),)))), ("", "/chat", "/chat")),
    ("one that redirects to https above",
     both(CHAT_BY_HTTPS, more(path("/", transforms=TO_HTTPS))), ("/chat", "", "/chat")),
    ("one that redirects another path to https",
     both(CHAT_BY_HTTPS, more(path("/bot", transforms=TO_HTTPS))), Reason.ROUTE_AMBIGUOUS),
    ("one that redirects to https on another host",
     both(ingress(path(transforms=STRIP), tls_hosts=BY_HTTPS), more(path(host="b.example", transforms=TO_HTTPS))),
     Reason.ROUTE_AMBIGUOUS),
    ("one that redirects a part to https",
     both(ingress(path(transforms=STRIP), tls_hosts=BY_HTTPS), more(path(), path("/chat/ws", transforms=TO_HTTPS))),
     Reason.ROUTE_AMBIGUOUS),
    ("one by https that redirects to https", both(ingress(path(transforms=STRIP), tls_hosts=BY_HTTPS),
     more(path(transforms=TO_HTTPS), tls_hosts=BY_HTTPS)), Reason.ROUTE_AMBIGUOUS),
    ("one that redirects to https beside one by http", both(ingress(path(transforms=STRIP)),
     more(path(transforms=TO_HTTPS))), Reason.ROUTE_AMBIGUOUS),
    ("one that redirects to https alone", both(ingress(path(transforms=TO_HTTPS))), ("/chat", "", "/chat")),
    ("one that redirects to https beside a faulty one by https",
     both(ingress(path(transforms=UNKNOWN), tls_hosts=BY_HTTPS), more(path("/bot", transforms=TO_HTTPS))),
     ("/bot", "", "/bot")),
    ("a refused one", both(CHAT, more("/bot", **REFUSED)), ("/chat", "", "/chat")),
    ("a refused one at the same path", both(more("/chat", name="a", **REFUSED), CHAT), ("/chat", "", "/chat")),
    ("a refused one above", both(ingress("/slack"), more("/", **REFUSED)), ("/slack", "", "/slack")),
    ("two refused ones", both(ingress("/bot", **REFUSED), more("/chat", **REFUSED)), Reason.ROUTE_NOT_ACCEPTED),
    ("an unknown rewrite elsewhere", both(CHAT, more(path("/bot", transforms=UNKNOWN))), ("/chat", "", "/chat")),
    ("an unknown rewrite at the same path", both(CHAT, more(path(host="b.example", transforms=UNKNOWN))),
     Reason.REWRITE_UNKNOWN),
    ("an unknown rewrite of the socket", both(CHAT, more(path("/chat/ws", transforms=UNKNOWN))),
     Reason.REWRITE_UNKNOWN),
    ("an unknown rewrite of the socket at another edge",
     both(CHAT, more(path("/chat/ws", transforms=UNKNOWN), ingress_class="inner")), ("/chat", "", "/chat")),
    ("an unknown rewrite at another listener",
     both(CHAT, more(path("/chat/ws", transforms=UNKNOWN), attachments=(Attachment("Gateway x"),))),
     ("/chat", "", "/chat")),
    ("an unknown rewrite of half a segment", both(CHAT, more(path("/chat/w", transforms=UNKNOWN))),
     Reason.REWRITE_UNKNOWN),
    ("a refused one before an unknown rewrite of the socket",
     both(CHAT, more("/bot", name="a", **REFUSED), more(path("/chat/ws", transforms=UNKNOWN))), Reason.REWRITE_UNKNOWN),
    ("an unknown rewrite above", both(ingress("/slack"), more(path("/", transforms=UNKNOWN))),
     Reason.REWRITE_UNKNOWN),
    ("a part beside an unknown rewrite of the whole", both(ingress("/chat/ws"), more(path(transforms=UNKNOWN))),
     Reason.REWRITE_UNKNOWN),
    ("an exact one above", both(ingress("/slack"), more(path("/", path_type="Exact"))), ("/slack", "", "/slack")),
    ("a header only", both(CHAT, more(path(condition="a header matches"))), ("/chat", "", "/chat")),
    ("a path that cannot be served", both(CHAT, more("/a b")), ("/chat", "", "/chat")),
    ("an expression that is not read", both(CHAT, more(regex("/(a|b)"))), ("/chat", "", "/chat")),
    ("an expression without a prefix that takes the socket, rewritten",
     both(ingress("/chat/ws"), more(nginx("/chat[0-9]*(/.*)?", "/$2"))), Reason.REGULAR_EXPRESSION_PATH),
    ("an expression without a prefix that takes the socket as it is",
     both(ingress("/chat/ws"), more(nginx("/chat[0-9]*(/.*)?", ""))), ("/chat/ws", "", "/chat/ws")),
    ("an expression without a prefix that is rewritten, and is shorter",
     both(ingress("/chat/ws"), more(nginx("/[a-z]*", "/$2"))), ("/chat/ws", "", "/chat/ws")),
    ("an expression for a part of what is needed, rewritten alike",
     both(CHAT, more(nginx("/[a-z]+/project/(.*)", "/chat/project/$1"))), ("/chat", "", "/chat")),
    ("an expression for a part of what is needed, rewritten",
     both(CHAT, more(nginx("/[a-z]+/project/(.*)", "/project/$1"))), Reason.REGULAR_EXPRESSION_PATH),
    ("a socket of several prefixes, one of which is elsewhere",
     both(ingress(path(transforms=STRIP)), more(nginx("/(?:chat/ws|bot)(/.*)", "/ws$1"))), Reason.SEVERAL_PATHS),
    ("an exact path of the app whose port is missing",
     both(CHAT, more(path("/chat/ws/socket.io/", path_type="Exact", port=81))), Reason.EXACT_PATH),
    ("an exact path of the app that is redirected",
     both(CHAT, more(path("/chat/login", path_type="Exact", transforms=(RedirectAll("x", "https://x.example"),)))),
     Reason.EXACT_PATH),
    ("a port that is missing, for the socket", both(CHAT, more(path("/chat/ws", port=81))),
     Reason.ROUTE_WITHOUT_BACKEND),
    ("a port that is missing, elsewhere", both(CHAT, more(path("/bot", port=81))), ("/chat", "", "/chat")),
    ("shared with another app at the same path", both(CHAT, more(path(others=("chat", "shop")))),
     Reason.BACKEND_SHARED),
    ("a stated URL chooses", both(CHAT, more("/bot"), app=app(url="https://example.com/bot")), ("/bot", "", "/bot")),
    ("a stated URL chooses the longest", both(ingress("/"), more("/chat"), app=app(url="https://example.com/chat")),
     ("/chat", "", "/chat")),
    ("a stated URL beside a route that takes the socket, stripped",
     both(CHAT, more(path("/chat/ws", transforms=STRIP)), app=app(url="https://example.com/chat")),
     Reason.ROUTE_AMBIGUOUS),
    ("mounted, beside a path of the other app", both(ingress("/api", OTHER_LOGIN), app=MOUNTED), ("/api", "", "/api")),
    ("mounted, without the socket", both(ingress("/api", path("/api/chat/ws", "other")), app=MOUNTED),
     Reason.PATH_SHADOWED),
    ("mounted, without its place", both(ingress("/api", path("/api/chat", "other")), app=MOUNTED),
     Reason.PATH_SHADOWED),
    ("mounted deeper, without its place",
     both(ingress("/api", path("/api/v1", "other")), app=app(mount_path="/api/v1/chat")), Reason.PATH_SHADOWED),
    ("mounted, with a redirect of the other page",
     both(ingress(path("/", transforms=(RedirectRoot("x", "/chat/"),))), app=MOUNTED), ("", "", "/")),
    ("mounted, beside an unknown rewrite of a path of the other app",
     both(ingress("/api"), more(path("/api/login", transforms=UNKNOWN)), app=MOUNTED), ("/api", "", "/api")),
    ("mounted, beside an unknown rewrite of the socket",
     both(ingress("/api"), more(path("/api/chat/ws", transforms=UNKNOWN)), app=MOUNTED), Reason.REWRITE_UNKNOWN),
    ("a stated URL below, without the socket",
     both(ingress("/", path("/chat/ws", "other")), app=app(url="https://example.com/chat")), Reason.PATH_SHADOWED),
    ("a stated URL below, beside another app",
     both(ingress("/", path("/login", "other")), app=app(url="https://example.com/chat")), ("/chat", "", "/")),
    ("a stated URL chooses a path of one route", both(ingress("/chat", "/bot", "/"), app=app(url=URL + "/bot")),
     ("/bot", "", "/bot")),
    ("a stated URL chooses the longest path", both(ingress("/", "/team/chat"), app=app(url=URL + "/team/chat/x")),
     ("/team/chat/x", "", "/team/chat")),
    ("a stated URL chooses the path of its host",
     both(ingress("/chat", path("/", host="b.example")), app=app(url="https://b.example/chat")), ("/chat", "", "/")),
    ("a stated URL chooses the path that is its end", both(ingress("/chat", "/bot"), app=app(url=URL + "/p/bot")),
     ("/bot", "/p", "/bot")),
    ("a stated URL that two paths may serve", both(ingress("/bot", "/a/bot"), app=app(url=URL + "/p/a/bot")),
     Reason.SEVERAL_PATHS),
    ("a stated URL that no path serves", both(ingress("/chat", "/bot"), app=app(url=URL + "/p")),
     Reason.SEVERAL_PATHS),
    ("a stated URL beside a path that is rewritten",
     both(ingress("/chat", path("/bot", transforms=STRIP)), app=app(url=URL + "/chat")), ("/chat", "", "/chat")),
    ("a stated URL beside a path for its socket that is rewritten",
     both(ingress("/chat", path("/bot"), path("/chat/ws", transforms=STRIP)), app=app(url=URL + "/chat")),
     Reason.REWRITE_NOT_SUPPORTED),
    ("a stated URL beside an expression that takes its socket",
     both(ingress("/chat", nginx("/(?:bot|[a-z]+/ws)(/.*)?", "/x$1")), app=app(url=URL + "/chat")),
     Reason.REWRITE_NOT_SUPPORTED),
    ("a stated URL beside several paths of another route",
     both(CHAT, more("/bot", "/shop"), app=app(url=URL + "/chat")), ("/chat", "", "/chat")),
    ("a stated URL beside another route with a path for the socket",
     both(CHAT, more("/bot", path("/chat/ws", transforms=STRIP)), app=app(url=URL + "/chat")), Reason.SEVERAL_PATHS),
    ("mounted, with a path for the socket", both(ingress("/api", "/api/chat/ws"), app=MOUNTED), ("/api", "", "/api")),
    ("mounted, with a route for the socket", both(ingress("/api"), more("/api/chat/ws"), app=MOUNTED),
     ("/api", "", "/api")),
    ("read for two controllers at one place", both(KONG, BESIDE), Reason.ROUTE_AMBIGUOUS),
    ("read for two controllers, one of them for the socket",
     both(KONG, more(path("/chat/ws", transforms=(ReplacePrefixMatch("/ws"),)), read_as=("haproxy-ingress",))),
     Reason.ROUTE_AMBIGUOUS),
    ("read for two controllers, one of them for an exact path",
     both(KONG, more(path("/chat/login", path_type="Exact", transforms=(ReplaceFullPath("/login"),)),
                     read_as=("haproxy-ingress",))), Reason.ROUTE_AMBIGUOUS),
    ("read for one more controller", both(KONG, more(path(transforms=STRIP), read_as=("Kong", "Traefik"))),
     Reason.ROUTE_AMBIGUOUS),
    ("read for the same controllers", both(KONG, more(path(transforms=STRIP), read_as=("Kong",))),
     ("", "/chat", "/chat")),
    ("read for a controller beside one for any", both(KONG, more(path(transforms=STRIP))), ("", "/chat", "/chat")),
    ("read for two controllers of two classes",
     both(KONG, more(path(transforms=STRIP), read_as=("haproxy-ingress",), ingress_class="inner")),
     ("", "/chat", "/chat")),
    ("read for two controllers on two hosts",
     both(KONG, more(path(host="b.example", transforms=STRIP), read_as=("haproxy-ingress",))), ("", "/chat", "/chat")),
    ("read for two controllers, a stated rewrite", both(KONG, BESIDE, app=app(rewrite=Rewrite.STRIP)),
     ("", "/chat", "/chat")),
    ("a stated URL that none serves", both(CHAT, more("/chat/ws"), app=app(url="https://example.com/x")),
     Reason.STATED_URL_NOT_SERVED),
    ("a stated URL beside a part", both(CHAT, more("/chat/ws"), app=app(url="https://example.com/p/chat")),
     ("/chat", "/p", "/chat")),
]  # fmt: skip


@pytest.mark.parametrize(("given", "wanted"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_together(given: Snapshot, wanted: tuple[str, str, str] | Reason) -> None:
    found = resolve(given)
    if isinstance(found, Unresolved):
        assert found.reason == wanted
        assert_plain(found.message)
    else:
        assert (*found.root_paths, found.status.path) == wanted


NOTES = [
    (both(CHAT, more("/chat/ws")), ()),
    (both(CHAT, PING), ("Left out: Ingress ping (ExactPath).",)),
    (both(CHAT, PING, more("/bot", **REFUSED)),
     ("Left out: Ingress ping (ExactPath), Ingress more (RouteNotAccepted).",)),
    (both(CHAT, *(more(path("/ping", path_type="Exact"), name=name) for name in "abcde")),
     ("Left out: Ingress a (ExactPath), Ingress b (ExactPath), Ingress c (ExactPath) and 2 more.",)),
    (both(CHAT, *(more(path("/ping", path_type="Exact"), name=name) for name in "abc")),
     ("Left out: Ingress a (ExactPath), Ingress b (ExactPath), Ingress c (ExactPath).",)),
    (both(CHAT, more(path("/bot", transforms=(ReplacePrefixMatch("/"),))), app=app(url="https://example.com/chat")),
     ("Left out: Ingress more (/bot, of which / arrives).",)),
    (both(ingress("/chat", "/bot"), app=app(url=URL + "/chat")), ("Left out: path /bot of Ingress chat.",)),
]  # fmt: skip


@pytest.mark.parametrize(("given", "wanted"), NOTES)
def test_routes_that_are_left_out_are_named(given: Snapshot, wanted: tuple[str, ...]) -> None:
    found = resolve(given)
    assert isinstance(found, Resolved) and found.warnings == wanted
    told = next(each for each in report_of(given).status.conditions if each.type == "RouteResolved")
    beginning = "spec.route.url states" if given.app.spec.url else "Ingress chat gives path /chat on host example.com."
    assert told.status == "True" and told.message.startswith(beginning)
    assert told.message.endswith(" ".join(("example.com.", *(f"Warning: {text}" for text in wanted))))


def test_routes_that_contradict_each_other() -> None:
    found = resolve(both(CHAT, more(path(transforms=STRIP)), more("/chat/ws", name="ws"), PING))
    assert found == Unresolved(
        Reason.ROUTE_AMBIGUOUS,
        "Routes to Service chat have different paths: Ingress chat (/chat), Ingress more (/chat, of which / arrives), "
        "Ingress ws (/chat/ws), Ingress ping (ExactPath). Set spec.route.ref to the route to use, or give all routes "
        "the same path.",
    )


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        (path(web_socket_refusal=REFUSAL), path("/chat/ws"), ""),
        (path(), path("/chat/ws", web_socket_refusal=REFUSAL), "more"),
        (path(web_socket_refusal=REFUSAL), path("/chat/ws", host="b.example"), "chat"),
        (path(web_socket_refusal=REFUSAL), path("/chat/public"), "chat"),
    ],
)
def test_the_path_that_the_socket_matches_decides_in_every_route(first: Any, second: Any, wanted: str) -> None:
    found = resolve(both(ingress(first), more(second)))
    assert isinstance(found, Resolved)
    told = f"Some refuses the WebSocket at Ingress shop/{wanted} with status 403. Allow it."
    assert found.web_socket_refusal == (told if wanted else "")


@pytest.mark.parametrize("mount_path", ["/chat", "/api/chat"])
def test_the_socket_of_a_mounted_app(mount_path: str) -> None:
    refused = path("/api/chat/ws", web_socket_refusal=REFUSAL)
    found = resolve(both(ingress(path("/api")), more(refused), app=app(mount_path=mount_path)))
    assert isinstance(found, Resolved)
    assert found.web_socket_refusal == "Some refuses the WebSocket at Ingress shop/more with status 403. Allow it."


def far(*paths: Any) -> Route:
    """An HTTPRoute of another namespace."""
    return Route(Ref("HTTPRoute", "infra", "chat"), "1", paths)


@pytest.mark.parametrize("is_first", [True, False])
def test_of_routes_with_one_place_one_with_an_address_gives_the_url(is_first: bool) -> None:
    nowhere, somewhere = ingress("/chat", origins=(), name="b"), ingress("/chat", name="a" if is_first else "c")
    found = resolve(both(*sorted((nowhere, somewhere), key=lambda route: route.ref)))
    assert isinstance(found, Resolved) and (found.status.name, found.url) == (
        somewhere.ref.name,
        "http://example.com/chat/",
    )


def test_a_route_of_another_namespace_is_named_with_it() -> None:
    found = resolve(both(far(path(service="shop/chat"))))
    assert isinstance(found, Resolved)
    assert (found.status.kind, found.status.namespace) == ("HTTPRoute", "infra")
    assert isinstance(near := resolve(both(CHAT)), Resolved) and near.status.namespace == ""
    unlike = resolve(both(CHAT, far(path("/bot", service="shop/chat"))))
    assert isinstance(unlike, Unresolved) and "HTTPRoute infra/chat (/bot)" in unlike.message


def test_a_route_and_its_service_carry_a_session_once() -> None:
    found = resolve(both(ingress("/chat", "/chat/ws"), more("/chat/project")))
    assert isinstance(found, Resolved)
    assert [(route.ref.name, behind.ref.name) for route, behind in found.carriers] == [
        ("chat", "chat"),
        ("more", "chat"),
    ]


def test_a_route_to_another_port_of_the_pods_is_none_of_the_app() -> None:
    ports = (ServicePort("p80", 80, 8000), ServicePort("p8265", 8265, 8265))
    given = both(CHAT, more(path("/ray", port=8265), name="ray"), services=(service(ports=ports),))
    pods = workload(container(ports=(("", 8000), ("", 8265))))
    given = replace(given, workload=pods)
    found = resolve(given)
    assert isinstance(found, Resolved) and (found.status.path, found.warnings) == ("/chat", ())


def test_a_route_to_another_port_that_is_named() -> None:
    ports = (ServicePort("p8265", 8265, 8265),)
    given = both(ingress(path("/ray", port=8265)), services=(service(ports=ports),), app=app(port=8000))
    assert resolve(given) == Unresolved(
        Reason.ROUTE_WITHOUT_BACKEND,
        "Ingress shop/chat sends requests to port 8265 of the pods of Deployment shop/chat, and Chainlit listens on "
        "port 8000. Correct the backend of the Ingress, or state the port in spec.workload.ref.port.",
    )
