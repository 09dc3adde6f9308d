"""Adoption: what is kept of an app that works, and until when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.test_conditions import NOW
from tests.unit.domain.world import (
    DONE,
    app,
    assert_plain,
    container,
    ingress,
    path,
    regex,
    report_of,
    service,
    shadow,
    snapshot,
    verified,
    workload,
)

from chainlit_operator.domain.alignment import Apply, Blocked, NoOp
from chainlit_operator.domain.decide import decide
from chainlit_operator.domain.model import (
    App,
    Container,
    Matching,
    Precedence,
    Rewrite,
    Route,
    ServicePort,
    Snapshot,
    Status,
    Variable,
    VerificationMode,
    WorkloadStatus,
)
from chainlit_operator.domain.paths import RootPaths
from chainlit_operator.domain.place import Place, Source, present_values
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.redirects import RedirectRegex, RedirectRoot
from chainlit_operator.domain.resolution import Resolved, Unresolved
from chainlit_operator.object_ref import Ref

OWN: dict[str, Any] = {"field_managers": ("helm", "chainlit-operator")}


def pods(root_path: str | Variable | None = None, parent: str | None = None, **fields: Any) -> Container:
    """A container with these values, whose readiness probe asks something at another port."""
    parent_root_path = None if parent is None else Variable(parent)
    return container(root_path, **({"parent_root_path": parent_root_path, "probes": ()} | fields))


def adopting(route: Route | str, found: Container, chat: App | None = None, **fields: Any) -> Snapshot:
    """The first decision about an app, or one for an app with that status."""
    routes = (ingress(route) if isinstance(route, str) else route,)
    return snapshot(*routes, app=chat or app(), workload=workload(found, **fields), now=NOW)


def after(snap: Snapshot, **changes: Any) -> Snapshot:
    """The snapshot of the next decision: the app has the status that was reported, and ``changes`` happened."""
    return replace(snap, **({"app": replace(snap.app, status=report_of(snap).status)} | changes))


def values(snap: Snapshot) -> tuple[str, str] | None:
    """The values that are kept; None if the route decides."""
    found = decide(snap).kept
    return None if found is None else tuple(found.root_paths)  # type: ignore[return-value]


STRIP = app(rewrite=Rewrite.STRIP)


@pytest.mark.parametrize(
    ("route", "chat", "root_path", "parent", "url"),
    [
        ("/", None, "/chat", None, "http://example.com/chat/"),
        ("/", None, "/chat", "", "http://example.com/chat/"),
        ("/", None, "/team/v1.0/chat", None, "http://example.com/team/v1.0/chat/"),
        ("/team", None, "/team/chat", None, "http://example.com/team/chat/"),
        ("/", STRIP, "/chat", None, "http://example.com/chat/"),
        ("/team", STRIP, "/chat", "/team", "http://example.com/team/chat/"),
        ("/chat", None, "/chat", "/portal", None),
        ("/", None, None, "/portal", None),
        ("/", None, "/chat", "/portal", None),
        ("/chat", None, "/chat/v2", "/portal", None),
        ("/chat", None, "/chat", "/portal/", None),
        ("/chat", None, "/chat", "/hat", None),
        ("/chat", STRIP, None, "/portal/chat", None),
        ("/chat", STRIP, "/v2", "/portal/chat", None),
    ],
)
def test_kept(route: str, chat: App | None, root_path: str | None, parent: str | None, url: str | None) -> None:
    snap = adopting(route, pods(root_path, parent), chat)
    found = decide(snap)
    assert found.action == NoOp()
    assert found.root_paths == values(snap) == (root_path or "", parent or "")
    status = report_of(verified(snap)).status
    assert (status.root_path, status.parent_root_path, status.kept) == (root_path or "", parent or "", True)
    assert status.url == url
    assert status.web_socket_url == (None if url is None else f"ws{url[4:]}ws/socket.io/")
    assert status.route is not None and status.route.path == route
    aligned, ready = status.condition("Aligned"), status.condition("Ready")
    assert aligned is not None and ready is not None
    assert (aligned.status, aligned.reason) == ("True", "Kept")
    assert (ready.status, ready.reason) == (("True", "Ready") if url else ("Unknown", "URLNotStated"))


@pytest.mark.parametrize(
    ("route", "chat", "parent", "place", "at_edge", "outer"),
    [
        ("/", None, None, Place("/chat", "/chat", Source.KEPT), "/chat", ""),
        ("/team", STRIP, "/team", Place("/team/chat", "/chat", Source.KEPT), "/team/chat", ""),
        ("/chat", None, "/portal", Place("/portal/chat", "/chat", Source.KEPT), "/chat", "/portal"),
        ("/chat", STRIP, "/portal/chat", Place("/portal/chat/v2", "/v2", Source.KEPT), "/chat/v2", "/portal"),
    ],
)
def test_the_place_that_is_kept(
    route: str, chat: App | None, parent: str | None, place: Place, at_edge: str, outer: str
) -> None:
    root_path = place.backend
    found = decide(adopting(route, pods(root_path, parent), chat))
    assert isinstance(found.route, Resolved) and found.kept is not None
    assert (found.route.place, found.route.public_prefix, found.kept.outer) == (place, at_edge, outer)
    assert (found.route.app_prefix, found.route.root_paths) == (root_path, (root_path, parent or ""))
    assert found.kept.route == found.route


@pytest.mark.parametrize(
    ("route", "chat", "root_path", "parent"),
    [
        ("/chat", None, None, None),
        ("/chat", None, "/bot", None),
        ("/chat", None, "/", None),
        ("/chat", None, "/chats", None),
        ("/chat", None, None, "/portal"),
        ("/", None, "chat", None),
        ("/", None, "/chat/", None),
        ("/", None, "//chat", None),
        ("/", None, "/a b", None),
        ("/", None, "/a/../b", None),
        ("/chat", None, "/chat", "/chat"),
        ("/chat", None, "/chat", "/chat/"),
        ("/chat", None, "/chat", "portal"),
        ("/team/chat", None, "/team/chat", "/chat"),
        ("/team/chat", None, "/team/chat", "/team/chat"),
        ("/team", STRIP, "/chat", None),
        ("/team", STRIP, "/team", None),
        ("/team", STRIP, None, "/portal"),
        ("/team", STRIP, None, "/my-team"),
        ("/team", STRIP, None, "/team/"),
    ],
)
def test_not_kept(route: str, chat: App | None, root_path: str | None, parent: str | None) -> None:
    found = decide(adopting(route, pods(root_path, parent), chat))
    assert found.kept is None
    assert isinstance(found.action, Apply)
    assert isinstance(found.route, Resolved) and found.root_paths == found.route.root_paths


@pytest.mark.parametrize(("route", "root_path", "parent"), [("/chat", "/chat", None), ("/", None, None), ("/", "", "")])
def test_the_place_of_the_route_itself_is_not_kept(route: str, root_path: str | None, parent: str | None) -> None:
    snap = adopting(route, pods(root_path, parent))
    assert (decide(snap).kept, decide(snap).action) == (None, NoOp())
    status = report_of(snap).status
    assert (status.kept, status.root_path) == (False, root_path or "")
    moved = decide(after(snap, routes=(ingress("/bot"),)))
    assert isinstance(moved.action, Apply) and moved.root_paths == ("/bot", "")


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (pods(root_path_option=Variable("/x")), ("/x", "")),
        (pods("/y", "/p", root_path_option=Variable("/x")), ("/x", "/p")),
        (pods("/y"), ("/y", "")),
        (pods(Variable(None)), None),
        (pods("/y", root_path_option=Variable(None)), None),
        (container(parent_root_path=Variable(None)), None),
        (container(Variable(None), root_path_option=Variable("/x")), ("/x", "")),
    ],
)
def test_present_values(found: Container, wanted: tuple[str, str] | None) -> None:
    assert present_values(found) == wanted


@pytest.mark.parametrize(
    "chat",
    [app(mount_path="/chat"), app(template={"image": "chat"}), replace(app(), status=Status(root_path=""))],
    ids=["mounted", "created", "aligned-before"],
)
def test_only_an_adopted_app_keeps(chat: App) -> None:
    assert values(adopting("/", pods("/chat"), chat)) is None


def test_what_the_operator_has_written_is_not_kept() -> None:
    assert values(adopting("/", pods("/chat"), **OWN)) is None


def test_another_workload_is_adopted_anew() -> None:
    status = Status(root_path="", workload=WorkloadStatus("Deployment", "former", "chainlit"))
    assert values(adopting("/", pods("/chat"), replace(app(), status=status))) == ("/chat", "")
    kind = replace(status, workload=WorkloadStatus("StatefulSet", "chat", "chainlit"))
    assert values(adopting("/", pods("/chat"), replace(app(), status=kind))) == ("/chat", "")
    same = replace(status, workload=WorkloadStatus("Deployment", "chat", "chainlit"))
    assert values(adopting("/", pods("/chat"), replace(app(), status=same))) is None


@pytest.mark.parametrize(("name", "reported"), [("former", None), ("chat", "/x")])
def test_the_values_of_another_workload_are_not_reported(name: str, reported: str | None) -> None:
    status = Status(root_path="/x", workload=WorkloadStatus("Deployment", name, "chainlit"))
    snap = replace(adopting("/chat", pods(), replace(app(), status=status)), routes=())
    assert report_of(snap).status.root_path == reported


def test_what_was_kept_of_another_workload_is_forgotten() -> None:
    kept = after(adopting("/", pods("/chat")))
    assert kept.app.status.kept
    spec = replace(kept.app.spec, workload_name="other")
    other = replace(kept, app=replace(kept.app, spec=spec), workload=workload(pods("bad")))
    assert values(other) is None
    assert decide(other).root_paths == ("", "")


# --------------------------------------------------------------------------------------------------------- over time


KEPT = after(adopting("/", pods("/chat")))


def test_a_restart_decides_the_same() -> None:
    assert (decide(KEPT).action, values(KEPT)) == (NoOp(), ("/chat", ""))
    assert report_of(KEPT).status == KEPT.app.status


@pytest.mark.parametrize(
    "route",
    [
        ingress("/bot"),
        ingress(path("/", host="b.example")),
        ingress("/", name="other"),
        ingress(path("/", path_type="ImplementationSpecific")),
    ],
    ids=["path", "host", "name", "type"],
)
def test_any_change_of_the_route_ends_it(route: Route) -> None:
    moved = replace(KEPT, routes=(route,))
    found = decide(moved)
    assert found.kept is None
    assert isinstance(found.action, Apply)
    assert isinstance(found.route, Resolved) and found.root_paths == found.route.root_paths
    assert report_of(moved).status.kept is False


def test_a_change_of_the_rewrite_ends_it() -> None:
    outer = after(adopting("/chat", pods("/chat", "/portal")))
    assert outer.app.status.kept
    moved = decide(replace(outer, app=replace(outer.app, spec=STRIP.spec)))
    assert (moved.kept, moved.root_paths) == (None, ("", "/chat"))


def test_a_new_app_decides_anew() -> None:
    assert values(replace(KEPT, app=app(), workload=workload(pods("/new")))) == ("/new", "")


def test_a_user_may_move_what_the_operator_has_not_written() -> None:
    assert values(replace(KEPT, workload=workload(pods("/bot")))) == ("/bot", "")
    own = replace(KEPT, workload=workload(pods()))
    assert (values(own), decide(own).action) == (None, NoOp())


@pytest.mark.parametrize("found", [pods("bad"), pods("/bad/"), pods("/a", "b")])
def test_a_value_that_cannot_work_is_set_back(found: Container) -> None:
    snap = replace(KEPT, workload=workload(found))
    action = decide(snap).action
    assert isinstance(action, Apply) and dict(action.env)["CHAINLIT_ROOT_PATH"] == "/chat"
    assert values(snap) == ("/chat", "")


def test_what_the_operator_has_set_back_is_its_own() -> None:
    snap = replace(KEPT, workload=workload(pods("/bot"), **OWN))
    action = decide(snap).action
    assert isinstance(action, Apply) and dict(action.env) == {"CHAINLIT_ROOT_PATH": "/chat"}


def test_it_lasts_while_the_route_cannot_be_resolved() -> None:
    lost = after(replace(KEPT, routes=()))
    assert lost.app.status.kept and lost.app.status.route is None
    back = replace(lost, routes=KEPT.routes)
    assert (values(back), decide(back).action) == (("/chat", ""), NoOp())
    assert values(replace(lost, routes=(ingress("/bot"),))) is None
    assert values(replace(lost, routes=KEPT.routes, workload=workload(pods("bad")))) is None


def test_it_lasts_while_the_app_is_suspended() -> None:
    def suspended(snap: Snapshot, *, suspend: bool) -> Snapshot:
        return replace(snap, app=replace(snap.app, spec=replace(snap.app.spec, suspend=suspend)))

    paused = suspended(KEPT, suspend=True)
    assert isinstance(decide(paused).action, Blocked)
    resumed = suspended(after(paused), suspend=False)
    assert (values(resumed), decide(resumed).action) == (("/chat", ""), NoOp())
    moved = suspended(after(replace(paused, routes=(ingress("/bot"),))), suspend=False)
    assert values(moved) is None


def test_an_app_that_begins_suspended_is_adopted_without_a_write() -> None:
    for route, root_path in (("/", "/chat"), ("/chat", "/chat")):
        first = after(adopting(route, pods(root_path), app(suspend=True)))
        assert (first.app.status.root_path, first.app.status.kept) == (None, False)
        resumed = replace(first, app=replace(first.app, spec=app().spec))
        assert decide(resumed).action == NoOp()


def test_an_app_that_no_route_reaches_yet_is_adopted_later() -> None:
    first = after(replace(adopting("/", pods("/chat")), routes=()))
    assert first.app.status.kept is False
    assert values(replace(first, routes=(ingress("/"),))) == ("/chat", "")


# ------------------------------------------------------------------------------------------ what else the route does


OTHER = {"service": "other"}


@pytest.mark.parametrize(
    ("others", "is_kept"),
    [
        ((path("/chat", **OTHER),), False),
        ((path("/shop", **OTHER),), True),
        ((path("/chats", **OTHER),), True),
        ((path("/chat/ws", **OTHER),), False),
        ((path("/chat", host="b.example", **OTHER),), True),
        ((path("/chat", condition="header x is a", **OTHER),), True),
        ((path("/chat", condition="the method is GET"),), True),
        ((path("/chat/w", **OTHER),), False),
        ((regex("/c.*", **OTHER),), False),
    ],
)
def test_a_path_of_another_app_is_not_kept(others: Any, is_kept: bool) -> None:
    route = ingress("/", *others)
    assert (values(adopting(route, pods("/chat"))) is not None) is is_kept


def test_a_path_above_the_place_takes_it() -> None:
    route = ingress("/", path("/shop", **OTHER))
    assert values(adopting(route, pods("/shop/chat"))) is None


@pytest.mark.parametrize(
    ("text", "priority", "is_kept"),
    [
        ("/", 41, False),
        ("/", 39, True),
        ("/chat/v2", 39, True),  # between the path of the route and the place
        ("/chat/v", 39, True),
        ("/chat/v", 41, False),
        ("/shop", 41, True),
    ],
)
def test_a_path_with_a_higher_priority_takes_the_place(text: str, priority: int, is_kept: bool) -> None:
    paths = path("/chat", priority=40), path(text, service="other", priority=priority)
    assert (values(adopting(ingress(*paths), pods("/chat/v2"))) is not None) is is_kept


def test_a_double_of_the_path_of_the_route_takes_nothing() -> None:
    """The first of two equal paths wins at an AWS ALB."""
    first, double = (path("/chat/*", matching=Matching.WILDCARD, service=name) for name in ("chat", "other"))
    assert values(adopting(ingress(first, double, precedence=Precedence.FIRST_MATCH), pods("/chat/v2"))) is not None


@pytest.mark.parametrize(("other", "is_kept"), [("/t.*", True), ("/team/chat/v[0-9].*", False)])
def test_a_shorter_expression_takes_nothing_from_a_longer_path(other: str, is_kept: bool) -> None:
    """ingress-nginx takes the longest text."""
    route = ingress(regex("/team/chat.*"), regex(other, **OTHER), precedence=Precedence.LONGEST_TEXT)
    assert (values(adopting(route, pods("/team/chat/v2"))) is not None) is is_kept


@pytest.mark.parametrize(("shadowed", "is_kept"), [("/ws", True), ("/chat/ws", False), ("/shop/ws", True)])
def test_only_routes_of_others_at_the_place_that_is_kept_matter(shadowed: str, is_kept: bool) -> None:
    found = decide(replace(adopting("/", pods("/chat")), conflicts=(shadow(path(shadowed)),)))
    if is_kept:
        assert (found.action, found.root_paths) == (NoOp(), ("/chat", ""))
    else:
        assert isinstance(found.route, Unresolved) and found.route.reason is Reason.PATH_SHADOWED
        assert isinstance(found.action, Blocked)


# ------------------------------------------------------------------------------------------------------- the command


@pytest.mark.parametrize(
    ("route", "found", "is_kept"),
    [
        ("/chat", pods(root_path_option=Variable("/chat")), False),
        ("/chat", pods("/other", root_path_option=Variable("/chat")), False),
        ("/", pods(root_path_option=Variable("/chat")), True),
        ("/chat", pods(None, "/portal", root_path_option=Variable("/chat")), True),
    ],
)
def test_the_right_root_path_in_the_command_stays(route: str, found: Container, is_kept: bool) -> None:
    snap = adopting(route, found)
    assert decide(snap).action == NoOp()
    assert (values(snap) is not None) is is_kept
    aligned = report_of(snap).status.condition("Aligned")
    assert aligned is not None and "(--root-path is '/chat'" in aligned.message


def test_the_parent_is_written_beside_a_root_path_in_the_command() -> None:
    action = decide(adopting("/chat", pods("/x", "/chat", root_path_option=Variable("/chat")))).action
    assert isinstance(action, Apply)
    assert action.env == (("CHAINLIT_PARENT_ROOT_PATH", ""),)


# ------------------------------------------------------------------------------------------------------------- words


def message_of(snap: Snapshot, type_: str) -> str:
    found = report_of(verified(snap)).status.condition(type_)
    assert found is not None
    assert_plain(found.message)
    return found.message


def test_messages() -> None:
    below, outer = adopting("/", pods("/chat")), adopting("/chat", pods("/chat", "/portal"))
    unknown = (
        "Ingress chat does not explain /portal in CHAINLIT_PARENT_ROOT_PATH, so another proxy seems to add it, and the "
        "operator does not know the URL. Set spec.route.url to the URL that browsers open."
    )
    assert message_of(below, "Aligned") == (
        "Container chainlit of Deployment shop/chat serves Chainlit at /chat, as before this ChainlitApp, and Ingress "
        "chat leads there (CHAINLIT_ROOT_PATH is '/chat'). These values stay until the route changes."
    )
    assert message_of(outer, "Aligned") == (
        "Container chainlit of Deployment shop/chat serves Chainlit at /chat, as before this ChainlitApp, and Ingress "
        "chat leads there (CHAINLIT_ROOT_PATH is '/chat', CHAINLIT_PARENT_ROOT_PATH is '/portal'). " + unknown
    )
    assert message_of(outer, "Ready") == unknown


@pytest.mark.parametrize("reachable", [True, False])
def test_an_outer_prefix_hides_no_fault(reachable: bool) -> None:
    snap = verified(
        adopting("/chat", pods("/chat", "/portal")), Reason.VERIFIED if reachable else Reason.HANDSHAKE_IS_HTML
    )
    check = report_of(snap).check
    assert check is not None
    assert (check.root_path, check.page_prefix, check.edge_url) == ("/chat", "/portal", "")
    ready = report_of(snap).status.condition("Ready")
    assert ready is not None
    assert ready.reason == ("URLNotStated" if reachable else "HandshakeIsHTML")
    pending = report_of(replace(snap, verification=None)).status.condition("Ready")
    assert pending is not None and pending.reason == "VerificationPending"


def test_an_outer_prefix_at_the_edge() -> None:
    snap = adopting("/chat", pods("/chat", "/portal"), app(verification=VerificationMode.EDGE))
    found = report_of(snap)
    assert found.check is None
    reachable = found.status.condition("WebSocketReachable")
    assert reachable is not None and (reachable.status, reachable.reason) == ("Unknown", "URLNotStated")


def test_without_verification_and_pods() -> None:
    snap = adopting("/chat", pods("/chat", "/portal"), rollout=replace(DONE, desired=0, available=0))
    snap = replace(snap, is_verified=False)
    assert (decide(snap).action, values(snap)) == (NoOp(), ("/chat", "/portal"))
    ready = report_of(snap).status.condition("Ready")
    assert ready is not None and ready.reason == "URLNotStated"
    below = replace(adopting("/", pods("/chat"), rollout=replace(DONE, desired=0)), is_verified=False)
    ready = report_of(below).status.condition("Ready")
    assert ready is not None and (ready.status, ready.reason) == ("True", "Ready")


def test_recorded_values() -> None:
    assert RootPaths("/chat", "") == values(KEPT)


APP_ROOT = RedirectRoot("the annotation a/app-root", "/chat")
TO_CHAT = RedirectRegex("Middleware m", "^(http://[^/]+)/$", "$1/chat/")


@pytest.mark.parametrize("redirect", [APP_ROOT, TO_CHAT])
def test_an_app_at_the_end_of_a_redirect_is_kept(redirect: RedirectRoot | RedirectRegex) -> None:
    """``/`` is redirected to ``/chat``, where the app is."""
    snap = adopting(ingress(path("/", transforms=(redirect,))), pods("/chat"))
    found = decide(snap)
    assert found.kept is not None and isinstance(found.route, Resolved)
    assert (found.route.public_prefix, found.action) == ("/chat", NoOp())


@pytest.mark.parametrize("present", ["/bot", None, ""])
def test_a_redirect_of_the_page_is_named(present: str | None) -> None:
    """``/bot`` is not redirected, so it is kept; at ``/`` the page is lost."""
    found = decide(adopting(ingress(path("/", transforms=(APP_ROOT,))), pods(present)))
    if present == "/bot":
        assert found.kept is not None and isinstance(found.route, Resolved)
        return
    assert isinstance(found.route, Unresolved) and found.kept is None
    assert found.route.reason is Reason.REDIRECTED_BY_ROUTE
    assert found.route.message == (
        "Ingress shop/chat redirects / to http://example.com/chat (the annotation a/app-root), and Chainlit needs it. "
        "Remove the redirect, or limit it to other paths."
    )


def test_an_app_that_follows_its_route_to_a_redirected_page_is_named() -> None:
    """The pods are at a place that is not redirected, and the operator would move them to one that is."""
    found = decide(adopting(ingress(path("/", transforms=(APP_ROOT,))), pods("/chat"), **OWN))
    assert isinstance(found.route, Unresolved)
    assert found.route.reason is Reason.REDIRECTED_BY_ROUTE
    assert found.route.message.startswith("Ingress shop/chat redirects / to http://example.com/chat ")


def test_a_redirect_for_any_host_is_shown_with_an_example() -> None:
    found = decide(adopting(ingress(path("/", host="", transforms=(APP_ROOT,))), pods()))
    assert isinstance(found.route, Unresolved)
    assert found.route.message.startswith("Ingress shop/chat redirects / to http://chat.example.com/chat ")


def test_a_redirect_of_a_route_of_another_namespace_is_named() -> None:
    there = Route(Ref("HTTPRoute", "infra", "chat"), "1", (path("/", service="shop/chat", transforms=(APP_ROOT,)),))
    found = decide(adopting(there, pods("/chat"), **OWN))
    assert isinstance(found.route, Unresolved)
    assert found.route.message.startswith("HTTPRoute infra/chat redirects / to http://example.com/chat ")


def test_a_redirect_of_a_route_elsewhere_is_named() -> None:
    """Its path names the Service with the namespace; another route has the same kind and name, and no redirect."""
    elsewhere = Ref("Ingress", "edge", "chat")
    redirected = ingress(path("/", service="shop/chat", transforms=(APP_ROOT,)))
    refused = ingress("/", refusal="Not allowed")
    routes = (replace(redirected, ref=elsewhere), refused)
    found = decide(replace(adopting(refused, pods("/chat"), **OWN), routes=routes))
    assert isinstance(found.route, Unresolved)
    assert (found.route.reason, found.route.message[:50]) == (
        Reason.REDIRECTED_BY_ROUTE,
        "Ingress edge/chat redirects / to http://example.co",
    )
    found = decide(replace(adopting(refused, pods("/chat")), routes=routes))
    assert found.kept is not None and isinstance(found.route, Resolved)


def test_a_redirect_of_a_path_to_another_port_is_none_of_the_app() -> None:
    """The other port has a dashboard, whose page is redirected."""
    ray = path("/", host="ray.example.com", port=8265, transforms=(APP_ROOT,))
    ports = (ServicePort("http", 80, 8000), ServicePort("ray", 8265, 8265))
    found = decide(
        replace(
            adopting(ingress("/", ray), pods(ports=(("", 8000), ("", 8265)), port_option=8000), **OWN),
            services=(service(ports=ports),),
        )
    )
    assert isinstance(found.route, Resolved), found.route


def test_a_redirect_of_everything_keeps_nothing() -> None:
    everything = RedirectRegex("Middleware m", "^http://[^/]+/(.*)", "https://other.example/$1")
    found = decide(adopting(ingress(path("/", transforms=(everything,))), pods("/chat")))
    assert isinstance(found.route, Unresolved)
    assert found.route.reason is Reason.REDIRECTED_BY_ROUTE
