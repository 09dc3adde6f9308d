"""IngressRoutes of Traefik: from their JSON to a decision."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests import objects as make
from tests.objects import Object, router, traefik_service
from tests.records import record
from tests.unit.domain.world import DONE, NAMESPACE, app, container, service, workload

from chainlit_operator.domain import session_affinity
from chainlit_operator.domain.decide import decide
from chainlit_operator.domain.model import Snapshot
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import Resolved, Unresolved, resolve
from chainlit_operator.kinds.shared.fields import MAX_PATHS
from chainlit_operator.state import State


def at(path: str) -> str:
    """The rule for all requests of the host below a path."""
    return f"Host(`example.com`) && PathPrefix(`{path}`)"


HOST, URL, RULE = "Host(`example.com`)", "http://example.com/chat/", at("/chat")
TWO_HOSTS = "(Host(`example.com`) || Host(`www.example.com`)) && PathPrefix(`/`)"
BY_METHOD = " || ".join(f"(Method(`{method}`) && {RULE})" for method in ("GET", "POST", "PUT", "DELETE"))
WWW = "HostRegexp(`^www\\.example\\.com$`) && PathPrefix(`/`)"
ALL_BUT_CHAT = f"{at('/')} && !PathPrefix(`/chat`)"
STRIP = make.middleware("strip", {"stripPrefix": {"prefixes": ["/chat"]}})
HTTPS = make.middleware("https", {"redirectScheme": {"scheme": "https"}})


def snapshot(*objects: Object, replicas: int = 1, **spec: Any) -> Snapshot:
    """What is known of an app beside these objects of its namespace."""
    state = State(lambda _: None)
    state.upsert(workload(rollout=replace(DONE, desired=replicas)))
    for name in ("chat", "chat-2"):
        state.upsert(service(name))
    state.upsert(service("other", selector=(("app", "other"),)))
    for found in objects:
        state.upsert(record(make.stored(found, NAMESPACE)))
    chat = app(**spec)
    state.put_app(chat)
    return state.snapshot(chat)


def resolved(*objects: Object, **fields: Any) -> Resolved | Unresolved:
    return resolve(snapshot(*objects, **fields))


def to(name: str, **more: Any) -> Object:
    return traefik_service(name, **more)


def using(*names: str) -> Object:
    return {"middlewares": [{"name": name} for name in names]}


@pytest.mark.parametrize(
    ("routers", "root_paths", "url"),
    [
        ([RULE], ("/chat", ""), URL),
        (["Host(`example.com`)"], ("", ""), "http://example.com/"),
        (["PathPrefix(`/chat`)"], ("/chat", ""), None),
        (["Host(`example.com`) && (Path(`/chat`) || PathPrefix(`/chat/`))"], ("/chat", ""), URL),
        (["Host(`example.com`) && PathRegexp(`^/chat(/|$)`)"], ("/chat", ""), URL),
        (["HostRegexp(`^(a|b)\\.example$`) && PathPrefix(`/chat`)"], ("/chat", ""), None),
        ([router(RULE, **using("strip"))], ("", "/chat"), URL),
        ([router(RULE, to("chat", **using("strip")))], ("", "/chat"), URL),
        ([BY_METHOD], ("/chat", ""), URL),
        # Others at the host, by the length of their rules or by their priorities.
        ([RULE, router(HOST, to("other"))], ("/chat", ""), URL),
        ([RULE, router(at("/shop/long-name"), to("other"))], ("/chat", ""), URL),
        ([RULE, router(at("/chat/ws"), to("other"), priority=1)], ("/chat", ""), URL),
        ([RULE, router(WWW, to("other"), priority=99)], ("/chat", ""), URL),
        ([RULE, router(ALL_BUT_CHAT, to("other"))], ("/chat", ""), URL),
        ([RULE, router(f"{RULE} && Header(`X-Beta`, `1`)", to("other"))], ("/chat", ""), URL),
    ],
)  # fmt: skip
def test_root_paths(routers: list[Object | str], root_paths: tuple[str, str], url: str | None) -> None:
    found = resolved(make.ingress_route(*routers), STRIP)
    assert isinstance(found, Resolved)
    assert (found.root_paths, found.url) == (root_paths, url)


@pytest.mark.parametrize(
    ("routers", "reason", "words"),
    [
        (["Host(`example.com`) && Path(`/chat`)"], Reason.EXACT_PATH, "Path '/chat'"),
        ([f"{RULE} && Header(`X-A`, `b`)"], Reason.CONDITIONAL_MATCH, "only if a header matches"),
        ([f"{RULE} && ClientIP(`10.0.0.0/8`)"], Reason.CONDITIONAL_MATCH, "the client's address is in 10.0.0.0/8"),
        ([f"{RULE} && !PathPrefix(`/chat/api`)"], Reason.CONDITIONAL_MATCH, "does not begin with /chat/api"),
        ([f"{RULE} && Method(`GET`)"], Reason.CONDITIONAL_MATCH, "Chainlit needs POST, PUT, DELETE too"),
        ([RULE, "Host(`a`, `b`)"], Reason.ROUTE_NOT_ACCEPTED, "'Host(`a`, `b`)' has Host with 2 values"),
        (["Host(`a`"], Reason.ROUTE_NOT_ACCEPTED, "ends too early. Correct the match of its routes."),
        ([router(RULE, **using("strip", "limit@file"))], Reason.REWRITE_UNKNOWN, "Traefik middleware limit@file"),
        ([router(RULE, **using("missing"))], Reason.MIDDLEWARE_NOT_FOUND, "Middleware shop-missing"),
        ([router(RULE, to("chat"), to("other"))], Reason.BACKEND_SHARED, "to another Service"),
        ([router(RULE, to("chat", **using("strip")), to("chat-2"))], Reason.REWRITE_UNKNOWN, "one of several services"),
        ([router(RULE, to("chat", port=81))], Reason.ROUTE_WITHOUT_BACKEND, "to port 81"),
        ([router(RULE, {"name": "chat"})], Reason.ROUTE_WITHOUT_BACKEND, "to port 0"),
        (["Host(`example.com`) && PathRegexp(`chat$`)"], Reason.REGULAR_EXPRESSION_PATH, "no fixed prefix"),
        # Another route of the object takes requests.
        ([RULE, router(HOST, to("other"), priority=43)], Reason.PATH_SHADOWED, "sends / to Service other"),
        ([RULE, router("PathPrefix(`/`)", to("other"), priority=43)], Reason.PATH_SHADOWED, "sends / to Service other"),
        ([RULE, router(TWO_HOSTS, to("other"))], Reason.PATH_SHADOWED, "sends / to Service other"),
        ([RULE, router(at("/chat/ws"), to("other"))], Reason.PATH_SHADOWED, "sends /chat/ws"),
        ([router(RULE, priority=1), router(HOST, to("other"))], Reason.PATH_SHADOWED, "sends / to"),
    ],
)  # fmt: skip
def test_faults(routers: list[Object | str], reason: Reason, words: str) -> None:
    found = resolved(make.ingress_route(*routers), STRIP)
    assert isinstance(found, Unresolved)
    assert found.reason is reason and words in found.message


@pytest.mark.parametrize(
    ("backend", "shown"),
    [
        (to("canary", kind="TraefikService"), "TraefikService canary"),
        (to("chat", namespace="team"), "Service team/chat of another namespace"),
    ],
)
def test_backends_that_are_not_followed(backend: Object, shown: str) -> None:
    found = resolved(make.ingress_route(router(RULE, backend)), route_kind="IngressRoute", route_name="chat")
    assert isinstance(found, Unresolved) and found.reason is Reason.ROUTE_WITHOUT_BACKEND
    assert f"IngressRoute chat sends requests to {shown}" in found.message.replace(
        "IngressRoute shop/chat", "IngressRoute chat"
    )


def test_a_route_below_another_one_is_refused() -> None:
    found = resolved(make.ingress_route("PathPrefix(`/chat`)", parentRefs=[{"name": "edge"}]))
    assert isinstance(found, Unresolved) and found.reason is Reason.ROUTE_NOT_ACCEPTED
    assert "its parentRefs put its rules below those of another IngressRoute" in found.message


@pytest.mark.parametrize(
    ("entry_points", "spec", "url"),
    [
        (["web"], {}, URL),
        (["websecure"], {}, "https://example.com/chat/"),
        (["web", "websecure"], {}, URL),
        ([], {}, URL),
        ([], {"tls": {}}, "https://example.com/chat/"),
        (["intern"], {"tls": {"certResolver": "acme"}}, "https://example.com/chat/"),
    ],
)
def test_the_scheme_of_the_url(entry_points: list[str], spec: Object, url: str) -> None:
    found = resolved(make.ingress_route(RULE, entry_points=entry_points, **spec))
    assert isinstance(found, Resolved) and found.url == url


def test_a_route_that_only_redirects_to_https_is_left_out() -> None:
    plain = make.ingress_route(router(RULE, **using("https")), name="http")
    found = resolved(plain, HTTPS, make.ingress_route(RULE, name="https", entry_points=["websecure"], tls={}))
    assert isinstance(found, Resolved)
    assert (found.url, found.warnings) == ("https://example.com/chat/", ())


@pytest.mark.parametrize(
    ("routers", "status", "reason"),
    [
        ([RULE], "False", Reason.NOT_STICKY),
        ([router(RULE, to("chat", sticky={"cookie": {}}))], "True", Reason.STICKY),
        ([router(RULE, to("chat", sticky={}))], "False", Reason.NOT_STICKY),
        ([router(RULE, to("chat", nativeLB=True, sticky={"cookie": {}}))], "False", Reason.NOT_STICKY),
        ([router(RULE, to("chat", nativeLB=False))], "False", Reason.NOT_STICKY),
        ([router(RULE, to("chat", strategy="hrw"))], "Unknown", Reason.AFFINITY_NOT_KNOWN),
        # Between two services, nothing keeps a browser.
        ([router(RULE, *(to(name, sticky={"cookie": {}}) for name in ("chat", "chat-2")))], "False", Reason.NOT_STICKY),
        ([router(RULE, to("chat", sticky={"cookie": {}}), to("chat-2", weight=0))], "True", Reason.STICKY),
        ([router(RULE, to("chat", sticky={"cookie": {}})), at("/chat/ws")], "False", Reason.NOT_STICKY),
    ],
)  # fmt: skip
def test_session_affinity(routers: list[Object | str], status: str, reason: Reason) -> None:
    given = snapshot(make.ingress_route(*routers), replicas=2)
    found = session_affinity.decide(given, resolve(given), container())
    assert (found.status, found.reason) == (status, reason)


def test_the_remedy_is_in_the_route_and_an_annotation_of_the_service_is_none() -> None:
    key = "traefik.ingress.kubernetes.io/service.sticky.cookie"
    annotated = make.service(metadata={"annotations": {key: "true"}})
    given = snapshot(make.ingress_route(RULE), annotated, replicas=2)
    found = session_affinity.decide(given, resolve(given), container())
    assert found.reason is Reason.NOT_STICKY
    assert found.message.endswith("Set sticky.cookie: {} on service chat of IngressRoute chat.")


def test_annotations_of_ingress_controllers_mean_nothing() -> None:
    keys = ("nginx.ingress.kubernetes.io/rewrite-target", "traefik.ingress.kubernetes.io/router.middlewares")
    found = resolved(make.ingress_route(RULE, metadata={"annotations": dict.fromkeys(keys, "/x")}))
    assert isinstance(found, Resolved) and found.root_paths == ("/chat", "")


def test_a_route_with_too_many_paths_is_not_read() -> None:
    hosts = " || ".join(f"Host(`{n}`)" for n in range(100))
    many = make.ingress_route(*[hosts] * (MAX_PATHS // 100 + 1))
    found = resolved(many)
    assert isinstance(found, Unresolved) and "more than 2,500 paths" in found.message
    found = resolved(make.ingress_route(*["Path(`/" + "a" * 4000 + "`)"] * 50))
    assert isinstance(found, Unresolved) and "more than 200,000 characters" in found.message
    expressions = make.ingress_route(*(f"HostRegexp(`^{n}`)" for n in range(101)))
    found = resolved(expressions)
    assert isinstance(found, Unresolved) and "more than 100 HostRegexp" in found.message


# ------------------------------------------------------------------------------------------------- beside other routes


def beside(mine: Object, other: Object) -> Resolved | Unresolved:
    """What an app's route gives beside one of another team, at whose Service no app is."""
    state = State(lambda _: None)
    for found in (workload(), service()):
        state.upsert(found)
    state.upsert(record(make.stored(mine, NAMESPACE)))
    state.upsert(record(make.stored(other, "team")))
    state.put_app(app())
    return decide(state.snapshot(app())).route


INGRESS, route = make.ingress("example.com"), make.ingress_route
NO_CLASS = "one of the two names no ingress class"
HIGHER = "its priority is higher"
SHOP = at("/")


@pytest.mark.parametrize(
    ("mine", "other", "reason", "words"),
    [
        # At one place of one Traefik.
        (route(RULE), INGRESS, None, "sends /chat to Service team/chat, and may take it from the app"),
        (INGRESS, route(RULE), None, "sends /chat to Service team/chat, and may take it from the app"),
        (INGRESS, route(router(RULE, priority=99)), Reason.PATH_CLAIMED, HIGHER),
        (INGRESS, route(router(RULE, priority=9)), None, "The edge prefers Ingress chat."),
        (route(router(RULE, priority=9)), INGRESS, Reason.PATH_CLAIMED, HIGHER),
        (route(RULE), route(f"{RULE} || {RULE}"), Reason.PATH_CLAIMED, HIGHER),
        # Above it.
        (INGRESS, route(SHOP), None, ""),
        (INGRESS, route(router(SHOP, priority=99)), Reason.PATH_SHADOWED, HIGHER),
        (route(RULE), route(SHOP), None, ""),
        (route(RULE), route(TWO_HOSTS), Reason.PATH_SHADOWED, HIGHER),
        # Below it.
        (route(RULE), route(at("/chat/ws")), Reason.PATH_SHADOWED, "sends /chat/ws"),
        (route(router(RULE, priority=99)), route(at("/chat/ws")), None, "has path /chat/ws"),
        (route(RULE), make.ingress("example.com", "/chat/ws"), Reason.PATH_SHADOWED, "sends /chat/ws"),
        # At other entry points of that Traefik.
        (route(RULE), route(router(RULE, priority=99), entry_points=["websecure"]), None, ""),
        (route(RULE), route(router(SHOP, priority=99), entry_points=["websecure"]), None, ""),
        (route(RULE), route(router(RULE, priority=99), entry_points=["websecure", "web"]), Reason.PATH_CLAIMED, HIGHER),
        (route(RULE, entry_points=["web", "inner"]), route(router(RULE, priority=99)), Reason.PATH_CLAIMED, HIGHER),
        (route(RULE), route(router(RULE, priority=99), entry_points=[]), Reason.PATH_CLAIMED, HIGHER),
        (route(RULE, entry_points=[]), route(router(RULE, priority=99)), Reason.PATH_CLAIMED, HIGHER),
        # Of another Traefik, or of none.
        (route(RULE), route(router(RULE, priority=99), ingressClassName="inner"), None, ""),
        (route(RULE), make.ingress("example.com", ingress_class="nginx"), None, ""),
        (route(RULE), make.ingress("example.com", ingress_class=None), None, NO_CLASS),
    ],
)  # fmt: skip
def test_beside_another_route(mine: Object, other: Object, reason: Reason | None, words: str) -> None:
    found = beside(mine, other)
    if reason is not None:
        assert isinstance(found, Unresolved) and found.reason is reason and words in found.message
    else:
        assert isinstance(found, Resolved)
        assert words in " ".join(found.warnings) and bool(words) is bool(found.warnings)
