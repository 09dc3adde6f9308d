"""Route resolution: one table of route forms, each with its answer or its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.domain.world import app, ingress, path, service, snapshot

from chainlit_operator.domain import routes
from chainlit_operator.domain.model import Ingress, Rewrite, Snapshot
from chainlit_operator.domain.reasons import Reason

NAMED = {"route_kind": "Ingress", "route_name": "chat"}
STRIP = ("traefik.ingress.kubernetes.io/router.middlewares", "shop-strip@kubernetescrd")


def answer(found: routes.Resolved | routes.Unresolved) -> tuple[str, str] | Reason:
    return (
        found.reason if isinstance(found, routes.Unresolved) else (found.roots.root_path, found.roots.parent_root_path)
    )


ANSWERS = [
    ("prefix", snapshot(ingress("/chat")), ("/chat", "")),
    ("prefix with a slash at its end", snapshot(ingress("/chat/")), ("/chat", "")),
    ("whole host", snapshot(ingress("/")), ("", "")),
    ("nested prefix", snapshot(ingress("/team/a/chat")), ("/team/a/chat", "")),
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
    ("regular expression", snapshot(ingress(path("/chat(/|$)(.*)", path_type="ImplementationSpecific"))),
     Reason.REGULAR_EXPRESSION_PATH),
    ("space", snapshot(ingress("/a b")), Reason.PATH_NOT_SUPPORTED),
    ("escape", snapshot(ingress("/my%20chat")), Reason.PATH_NOT_SUPPORTED),
    ("not ASCII", snapshot(ingress("/ünï")), Reason.PATH_NOT_SUPPORTED),
    ("rewrite annotation", snapshot(ingress("/chat", rewrites=(STRIP,))), Reason.REWRITE_UNKNOWN),
    ("rewrite annotation, said to strip", snapshot(ingress("/chat", rewrites=(STRIP,)), app=app(rewrite=Rewrite.STRIP)),
     ("", "/chat")),
    ("rewrite annotation, said to do nothing",
     snapshot(ingress("/chat", rewrites=(STRIP,)), app=app(rewrite=Rewrite.NONE)), ("/chat", "")),
    ("strip of nothing", snapshot(ingress("/"), app=app(rewrite=Rewrite.STRIP)), ("", "")),
    ("named", snapshot(app=app(**NAMED)), ("/chat", "")),
    ("named, missing", Snapshot(app(**NAMED), snapshot().workload, (service(),)), Reason.ROUTE_NOT_FOUND),
    ("named, for another app", snapshot(ingress(path(service="shop")), app=app(**NAMED)),
     Reason.ROUTE_WITHOUT_BACKEND),
    ("named, its Service missing",
     snapshot(app=app(**NAMED), services=(), missing_services=frozenset({"chat"})), Reason.SERVICE_NOT_FOUND),
    ("named, its Service selecting others", snapshot(app=app(**NAMED), services=()), Reason.ROUTE_WITHOUT_BACKEND),
    ("no workload", snapshot(workload=None), Reason.WORKLOAD_NOT_FOUND),
    ("no Service", snapshot(services=(), app=app()), Reason.SERVICE_NOT_FOUND),
    ("no Ingress", replace(snapshot(), ingresses=()), Reason.ROUTE_NOT_FOUND),
    ("two equal Ingresses", snapshot(ingress("/chat"), ingress("/chat/", name="more")), ("/chat", "")),
    ("two different Ingresses", snapshot(ingress("/chat"), ingress("/bot", name="more")), Reason.ROUTE_AMBIGUOUS),
    ("a good and a bad Ingress", snapshot(ingress("/chat"), ingress("/a b", name="bad")), Reason.ROUTE_AMBIGUOUS),
    ("two bad Ingresses", snapshot(ingress("/a b"), ingress("/c d", name="bad")), Reason.PATH_NOT_SUPPORTED),
]  # fmt: skip


@pytest.mark.parametrize(("given", "wanted"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_route_form(given: Snapshot, wanted: tuple[str, str] | Reason) -> None:
    assert answer(routes.resolve(given)) == wanted


@pytest.mark.parametrize("given", [row[1] for row in ANSWERS if isinstance(row[2], Reason)])
def test_every_reason_names_an_object_and_a_remedy(given: Snapshot) -> None:
    found = routes.resolve(given)
    assert isinstance(found, routes.Unresolved)
    assert any(word in found.message for word in ("Ingress", "Service", "Deployment")), found.message
    assert any(word in found.message.lower() for word in ("create", "use ", "set ", "correct", "keep", "name the")), (
        found.message
    )
    assert len(found.message) < 1024


@pytest.mark.parametrize(
    ("route", "url", "socket"),
    [
        (ingress("/chat"), "http://example.com/chat/", "ws://example.com/chat/ws/socket.io/"),
        (ingress("/"), "http://example.com/", "ws://example.com/ws/socket.io/"),
        (ingress("/chat", tls_hosts=frozenset({"example.com"})), "https://example.com/chat/",
         "wss://example.com/chat/ws/socket.io/"),
        (ingress("/chat", tls_hosts=frozenset({"other.com"})), "http://example.com/chat/",
         "ws://example.com/chat/ws/socket.io/"),
        (ingress(path(host=""), address="192.0.2.1"), "http://192.0.2.1/chat/", "ws://192.0.2.1/chat/ws/socket.io/"),
        (ingress(path(host="")), None, None),
        (ingress(path(host="*.example.com")), None, None),
    ],
)  # fmt: skip
def test_addresses(route: Ingress, url: str | None, socket: str | None) -> None:
    found = routes.resolve(snapshot(route))
    assert isinstance(found, routes.Resolved)
    assert (found.url, found.web_socket_url) == (url, socket)


def test_first_host_and_shortest_path_stand_for_the_app() -> None:
    found = routes.resolve(
        snapshot(ingress(path("/chat/ws", host="x.example"), path(host="a.example"), path(host="b.example")))
    )
    assert isinstance(found, routes.Resolved)
    assert (found.status.host, found.status.path) == ("a.example", "/chat")
