"""The stated route: its rules word for word, and its answers alone and beside routes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.world import (
    app,
    assert_plain,
    conflict,
    container,
    ingress,
    path,
    regex,
    report_of,
    service,
    snapshot,
    workload,
)

from chainlit_operator.domain.alignment import Apply
from chainlit_operator.domain.decide import decide
from chainlit_operator.domain.model import Rewrite, RouteStatus, ServicePort, Snapshot, VerificationMode
from chainlit_operator.domain.place import Place, Source
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import Resolved, Unresolved, resolve
from chainlit_operator.domain.rewrites import ReplacePrefixMatch, StripPrefix, Unknown

URL = "https://example.com/chat"
NAMED = {"route_kind": "Ingress", "route_name": "chat"}


def alone(**spec: Any) -> Snapshot:
    """An app that no route leads to."""
    return replace(snapshot(app=app(**({"url": URL} | spec))), routes=())


def beside(*paths: Any, **spec: Any) -> Snapshot:
    return snapshot(ingress(*paths), app=app(**({"url": URL} | spec)))


FAULTS = [
    (alone(url="", backend_path=""),
     "spec.route.backendPath needs spec.route.url: set the URL that browsers open too."),
    (alone(url="example.com/chat"),
     "spec.route.url is 'example.com/chat'. Use http:// or https://, a host and a path, without user, query and "
     "fragment, such as https://example.com/chat."),
    (alone(url="x" * 300),
     f"spec.route.url is '{'x' * 200}'. Use http:// or https://, a host and a path, without user, query and fragment, "
     "such as https://example.com/chat."),
    (alone(url="https://example.com/a b"),
     "Chainlit cannot serve the path '/a b' of spec.route.url: the segment 'a b' has characters other than letters, "
     "digits and . _ ~ -. Use segments of letters, digits and . _ ~ - only."),
    (alone(backend_path="/a b"),
     "Chainlit cannot serve the path '/a b' of spec.route.backendPath: the segment 'a b' has characters other than "
     "letters, digits and . _ ~ -. Use segments of letters, digits and . _ ~ - only."),
    (alone(backend_path="/bot"),
     "spec.route.backendPath /bot is not an end of /chat, the path of spec.route.url, and Chainlit works only where "
     "it is. Correct one of the two, or change the proxy in front of the app so that it removes only the beginning of "
     "the path."),
    (alone(url="https://example.com", backend_path="/bot"),
     "spec.route.backendPath /bot is not an end of /, the path of spec.route.url, and Chainlit works only where it "
     "is. Correct one of the two, or change the proxy in front of the app so that it removes only the beginning of "
     "the path."),
    (alone(mount_path="/inner"),
     "spec.route.url has path /chat, which does not end with spec.mountPath /inner. State the path at which browsers "
     "find the chat, such as /chat/inner."),
    (alone(url="https://example.com", mount_path="/inner"),
     "spec.route.url has path /, which does not end with spec.mountPath /inner. State the path at which browsers "
     "find the chat, such as /inner."),
    (alone(mount_path="/chat", backend_path=""),
     "spec.route.backendPath has path /, which does not end with spec.mountPath /chat. State the path at which "
     "browsers find the chat, such as /chat."),
]  # fmt: skip


@pytest.mark.parametrize(("given", "wanted"), FAULTS)
def test_a_statement_that_cannot_be_served(given: Snapshot, wanted: str) -> None:
    assert resolve(given) == Unresolved(Reason.STATED_URL_INVALID, wanted)
    assert_plain(wanted)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (beside("/bot"),
         "spec.route.url has path /chat, and Ingress shop/chat serves /bot, so what arrives at the app is not known. "
         "Correct the URL, or set spec.route.backendPath to the path that arrives."),
        (beside("/chat", url="https://example.com"),
         "spec.route.url has path /, and Ingress shop/chat serves /chat, so what arrives at the app is not known. "
         "Correct the URL, or set spec.route.backendPath to the path that arrives."),
    ],
)  # fmt: skip
def test_a_route_that_does_not_serve_the_url(given: Snapshot, wanted: str) -> None:
    assert resolve(given) == Unresolved(Reason.STATED_URL_NOT_SERVED, wanted)
    assert_plain(wanted)


def answer(given: Snapshot) -> tuple[str, str, str | None]:
    found = resolve(given)
    assert isinstance(found, Resolved), found
    return found.root_paths.root_path, found.root_paths.parent_root_path, found.url


STRIPPED = path(transforms=(ReplacePrefixMatch("/"),))
ANSWERS = [
    ("alone", alone(), ("/chat", "", f"{URL}/")),
    ("alone, stripped", alone(backend_path=""), ("", "/chat", f"{URL}/")),
    ("alone, half of it stripped", alone(url="https://example.com/a/b", backend_path="/b"),
     ("/b", "/a", "https://example.com/a/b/")),
    ("alone, said to strip", alone(rewrite=Rewrite.STRIP), ("", "/chat", f"{URL}/")),
    ("a host alone, at a port", alone(url="http://192.0.2.7:30080"), ("", "", "http://192.0.2.7:30080/")),
    ("mounted", alone(url=f"{URL}/inner", mount_path="/inner"), ("/chat", "", f"{URL}/inner/")),
    ("mounted, stripped", alone(url=f"{URL}/inner", mount_path="/inner", backend_path="/inner"),
     ("", "/chat", f"{URL}/inner/")),
    ("a portal before the route", beside("/chat", url="https://portal.example/portal/chat"),
     ("/chat", "/portal", "https://portal.example/portal/chat/")),
    ("a portal before a route that strips", beside(STRIPPED, url="https://portal.example/portal/chat"),
     ("", "/portal/chat", "https://portal.example/portal/chat/")),
    ("below the route", beside("/"), ("/chat", "", f"{URL}/")),
    ("below a route that strips", beside(path("/team", transforms=(StripPrefix(("/team",)),)),
     url="https://example.com/team/chat"), ("/chat", "/team", "https://example.com/team/chat/")),
    ("what arrives is stated, whatever the route does", beside(path(transforms=(Unknown("magic"),)), backend_path=""),
     ("", "/chat", f"{URL}/")),
    ("what arrives is stated, at another path", beside("/bot", backend_path=""), ("", "/chat", f"{URL}/")),
    ("what arrives is stated, beside a route with a fault", beside(regex("/(a|b)"), backend_path=""),
     ("", "/chat", f"{URL}/")),
    ("what arrives is stated, beside two routes", replace(
        snapshot(ingress("/chat"), ingress("/bot", name="more"), app=app(url=URL, backend_path="/chat"))),
     ("/chat", "", f"{URL}/")),
    ("another host and port than the route's", beside("/chat", url="https://outside.example:8443/chat"),
     ("/chat", "", "https://outside.example:8443/chat/")),
]  # fmt: skip


@pytest.mark.parametrize(("given", "wanted"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_stated(given: Snapshot, wanted: tuple[str, str, str]) -> None:
    assert answer(given) == wanted


def test_a_named_route_must_be_right_whatever_is_stated() -> None:
    missing = alone(**NAMED, backend_path="")
    assert isinstance(found := resolve(missing), Unresolved) and found.reason is Reason.ROUTE_NOT_FOUND
    wrong = snapshot(ingress(path(path_type="Exact")), app=app(url=URL, backend_path="", **NAMED))
    assert isinstance(found := resolve(wrong), Unresolved) and found.reason is Reason.EXACT_PATH


def test_a_stated_url_needs_a_service() -> None:
    found = resolve(replace(alone(), services=()))
    assert isinstance(found, Unresolved) and found.reason is Reason.SERVICE_NOT_FOUND


def test_whole_answer_of_a_url_alone() -> None:
    found = resolve(alone(backend_path=""))
    assert isinstance(found, Resolved)
    assert found.status == RouteStatus("", "", "example.com", "/chat", "", "Strip")
    assert (found.place, found.public_prefix) == (Place("/chat", "", Source.STATED), "/chat")
    assert (found.service, found.service_port, found.app_prefix) == (service(), 80, "")
    assert found.web_socket_url == "wss://example.com/chat/ws/socket.io/"
    kept = resolve(alone(url="https://example.com"))
    assert isinstance(kept, Resolved) and (kept.status.path, kept.status.rewrite) == ("/", "None")


def test_a_url_alone_takes_the_port_that_leads_to_the_container() -> None:
    ports = (ServicePort("metrics", 9, 9999), ServicePort("web", 80, "http"))
    found = resolve(replace(alone(), services=(service(ports=ports),)))
    assert isinstance(found, Resolved) and found.service_port == 80


def test_status_beside_a_route_is_the_route_s() -> None:
    found = resolve(beside("/chat", url="https://portal.example/portal/chat"))
    assert isinstance(found, Resolved)
    assert found.status == RouteStatus("Ingress", "chat", "example.com", "/chat", "Prefix", "None")
    assert (found.place, found.public_prefix) == (Place("/portal/chat", "/chat", Source.STATED), "/chat")
    below = resolve(beside("/"))
    assert isinstance(below, Resolved) and below.public_prefix == "/chat"


def test_conflicts_count_where_a_route_takes_part() -> None:
    taken = (conflict(path("/chat")),)
    found = resolve(replace(beside("/chat"), conflicts=taken))
    assert isinstance(found, Unresolved) and found.reason is Reason.PATH_CLAIMED
    assert isinstance(resolve(replace(alone(), conflicts=taken)), Resolved)


@pytest.mark.parametrize(
    ("given", "resolved", "aligned"),
    [
        (alone(backend_path=""), f"spec.route.url states {URL}/.",
         "Container chainlit of Deployment shop/chat serves Chainlit at /, as spec.route.url requires "
         "(CHAINLIT_ROOT_PATH is empty or not set, CHAINLIT_PARENT_ROOT_PATH is '/chat')."),
        (beside("/chat", url="https://a.example/x/chat"),
         "spec.route.url states https://a.example/x/chat/, and Ingress chat serves /chat on host example.com.",
         "Container chainlit of Deployment shop/chat serves Chainlit at /chat, as spec.route.url requires "
         "(CHAINLIT_ROOT_PATH is '/chat', CHAINLIT_PARENT_ROOT_PATH is '/x')."),
        (beside(path(host="")), f"spec.route.url states {URL}/, and Ingress chat serves /chat on any host.",
         "Container chainlit of Deployment shop/chat serves Chainlit at /chat, as spec.route.url requires "
         "(CHAINLIT_ROOT_PATH is '/chat')."),
    ],
)  # fmt: skip
def test_conditions(given: Snapshot, resolved: str, aligned: str) -> None:
    by_type = {found.type: found.message for found in report_of(given).status.conditions}
    assert (by_type["RouteResolved"], by_type["Aligned"]) == (resolved, aligned)
    assert_plain(resolved)


def test_the_stated_url_is_written_and_verified() -> None:
    found = decide(alone(backend_path=""))
    assert isinstance(found.action, Apply)
    assert found.action.env == (("CHAINLIT_PARENT_ROOT_PATH", "/chat"),)
    spec = {"backend_path": "", "verification": VerificationMode.EDGE, "url": "https://example.com:8443/chat"}
    check = report_of(alone(**spec)).check
    assert check is not None
    assert (check.base_url, check.root_path, check.page_prefix) == ("http://10.96.0.7:80", "", "/chat")
    assert (check.edge_url, check.is_stated) == ("https://example.com:8443", True)
    found_route = report_of(snapshot(app=app(verification=VerificationMode.EDGE))).check
    assert found_route is not None and not found_route.is_stated
    at_service = report_of(alone(verification=VerificationMode.BACKEND)).check
    assert at_service is not None and not at_service.is_stated


@pytest.mark.parametrize(
    ("services", "wanted"),
    [
        ((service("a"), service("b")), ("a", 80)),
        ((service("a", cluster_ip="None"), service("b")), ("b", 80)),
        ((service("a", cluster_ip="None"),), ("a", 80)),
        ((service(ports=(ServicePort("metrics", 9), ServicePort("http", 80))),), ("chat", 80)),
        ((service(ports=(ServicePort("a", 9), ServicePort("b", 80))),), ("chat", 9)),
        ((service(ports=()),), ("chat", 0)),
    ],
)
def test_service_of_a_url_alone(services: tuple[Any, ...], wanted: tuple[str, int]) -> None:
    found = resolve(replace(alone(), services=services, workload=workload(container(ports=()))))
    assert isinstance(found, Resolved)
    assert (found.service.ref.name, found.service_port) == wanted
