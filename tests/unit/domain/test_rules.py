"""Each rule with the whole message of its fault, word for word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.test_resolution import NAMED, UNKNOWN
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
    shadow,
    snapshot,
    workload,
)

from chainlit_operator.domain import alignment, endpoint
from chainlit_operator.domain.alignment import Blocked
from chainlit_operator.domain.decide import decide
from chainlit_operator.domain.model import (
    Effect,
    Matching,
    NewIngress,
    Route,
    RouteConflict,
    ServicePort,
    Snapshot,
    Variable,
    Winner,
)
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.redirects import RedirectAll, RedirectRegex
from chainlit_operator.domain.resolution import (
    Resolved,
    Unresolved,
    chain,
    conflicts,
    resolve,
    rules,
    statement,
    together,
)
from chainlit_operator.domain.resolution.candidate import Candidate
from chainlit_operator.domain.rewrites import AddPrefix, ReplaceFullPath, ReplacePrefixMatch, RewriteWholePath
from chainlit_operator.domain.rule import Rule, first_fault
from chainlit_operator.object_ref import Ref

CREATED = app(ingress=NewIngress(), **NAMED)
TWO_LABELS = workload(pod_labels=(("app", "chat"), ("tier", "web")))
PROXY = container(name="proxy", probes=())


def without_routes(**fields: Any) -> Snapshot:
    return replace(snapshot(**fields), routes=())


def named(*paths: Any, **fields: Any) -> Snapshot:
    return snapshot(ingress(*paths), app=app(**NAMED), **fields)


RESOLUTION = [
    (
        chain.names_are_free,
        snapshot(taken=(Ref("Service", "shop", "chat"), Ref("Ingress", "shop", "chat"))),
        "This ChainlitApp creates Service shop/chat, Ingress shop/chat, and an object of that name "
        "exists already that it does not own. Delete that object, give this ChainlitApp another name, or "
        "name the object in spec.workload.ref or spec.route.ref.",
    ),
    (
        chain.workload_exists,
        snapshot(workload=None),
        "Deployment chat does not exist in namespace shop. Create it, or correct kind and name in spec.workload.ref.",
    ),
    (
        chain.template_is_known,
        snapshot(workload=workload(missing_template="Rollout chat takes its pods from elsewhere.")),
        "Rollout chat takes its pods from elsewhere.",
    ),
    (
        chain.service_selects_pods,
        snapshot(services=(), workload=TWO_LABELS),
        "No Service in namespace shop selects the pods of Deployment chat (labels app=chat, tier=web). "
        "Create a Service with a selector for these labels.",
    ),
    (
        chain.service_selects_pods,
        without_routes(services=(), workload=workload(pod_labels=()), app=CREATED),
        "No Service in namespace shop selects the pods of Deployment chat (labels none). Create a "
        "Service with a selector for these labels.",
    ),
    (
        chain.created_route_has_one_backend,
        without_routes(services=(service("a"), service("b")), app=CREATED),
        "Several Services or ports lead to Deployment shop/chat (a, b), and the created route needs one. "
        "Keep one Service with one port or with one port called http, or create the route yourself and "
        "name it in spec.route.ref.",
    ),
    (
        chain.kinds_are_read,
        snapshot(ingress("/chat"), app=app(**NAMED), disabled_kinds=frozenset({"Ingress"})),
        "The operator does not read objects of kind Ingress, and this one is the route of the app. Remove Ingress from "
        "disabledKinds of the operator's chart, or name a route of another kind.",
    ),
    (
        chain.kinds_are_read,
        without_routes(disabled_kinds=frozenset({"Deployment", "Ingress"})),
        "The operator does not read objects of kind Deployment, and this one is the workload of the app. Remove "
        "Deployment from disabledKinds of the operator's chart, or name a workload of another kind.",
    ),
    (
        chain.named_route_exists,
        without_routes(app=app(**NAMED)),
        "Ingress chat does not exist in namespace shop. Create it, or correct kind and name in spec.route.ref.",
    ),
    (
        chain.route_leads_to_service,
        without_routes(services=(service("more"), service())),
        "No route in namespace shop leads to Service chat, more of Deployment shop/chat. Create an "
        "Ingress or HTTPRoute, or describe one in spec.route.ingress or spec.route.gateway. If browsers reach the app "
        "in another way, state the URL in spec.route.url.",
    ),
    (
        statement.url_is_valid,
        without_routes(app=app(backend_path="/chat")),
        "spec.route.backendPath needs spec.route.url: set the URL that browsers open too.",
    ),
    (
        statement.backend_path_fits,
        without_routes(app=app(url="https://example.com", backend_path="/chat")),
        "spec.route.backendPath /chat is not an end of /, the path of spec.route.url, and Chainlit works only where it "
        "is. Correct one of the two, or change the proxy in front of the app so that it removes only the beginning of "
        "the path.",
    ),
    (
        together.routes_have_one_place,
        snapshot(ingress("/chat"), ingress("/bot", name="more")),
        "Routes to Service chat have different paths: Ingress chat (/chat), Ingress more (/bot). Set spec.route.ref to "
        "the route to use, or give all routes the same path.",
    ),
    (
        together.routes_have_one_controller,
        snapshot(ingress("/chat", read_as=("Kong",)), ingress("/chat", name="more", read_as=("Kong", "Traefik"))),
        "Ingress shop/chat and Ingress shop/more have rewrites for different ingress controllers (Kong, Traefik), and "
        "a controller that serves both ignores some of them. Remove the annotations of the others, or set "
        "ingressClassName to the usual class of the right one.",
    ),
    (
        together.stated_url_is_served,
        snapshot(app=app(url="https://example.com")),
        "spec.route.url has path /, and Ingress shop/chat serves /chat, so what arrives at the app is not known. "
        "Correct the URL, or set spec.route.backendPath to the path that arrives.",
    ),
    (
        rules.reference_is_granted,
        snapshot(
            Route(
                Ref("HTTPRoute", "infra", "chat"), "1", (path(service="shop/chat"),), ungranted=frozenset({"shop/chat"})
            )
        ),
        "HTTPRoute infra/chat sends requests to Service shop/chat, and no ReferenceGrant in namespace shop allows "
        "that. Create one there with from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: infra}] and "
        'to: [{group: "", kind: Service, name: chat}].',
    ),
    (
        rules.backend_leads_to_chainlit,
        snapshot(app=app(port=9000)),
        "Ingress shop/chat sends requests to port http of the pods of Deployment shop/chat, and Chainlit listens on "
        "port 9000. Correct the backend of the Ingress, or state the port in spec.workload.ref.port.",
    ),
    (
        rules.route_has_paths,
        snapshot(ingress(refusal="it is made from another object", refusal_remedy="Name that one.")),
        "Ingress shop/chat is not served: it is made from another object. Name that one.",
    ),
    (
        rules.service_exists,
        snapshot(
            ingress(path(service="b"), path("/a", service="a"), path("/c", service="")),
            app=app(**NAMED),
            services=(),
            missing_services=frozenset("abx"),
        ),
        "Ingress shop/chat sends requests to Service a, b, which does not exist. Create it with a "
        "selector for the pods of Deployment shop/chat.",
    ),
    (
        rules.backend_is_supported,
        snapshot(
            Route(
                Ref("HTTPRoute", "shop", "chat"),
                "1",
                (path(service="z"), path(service="b")),
                unsupported_backends=("TraefikService sticky", "Bucket files"),
            ),
            app=app(**NAMED),
        ),
        "HTTPRoute shop/chat sends requests to b, z, TraefikService sticky, Bucket files. The operator "
        "follows only Services: use one that selects the pods of Deployment shop/chat.",
    ),
    (
        rules.backend_selects_pods,
        named(path(service="shop"), path("/x", service="blog")),
        "Ingress shop/chat sends no request to Deployment shop/chat: none of its Services (blog, shop) "
        "selects these pods. Correct the backend of the Ingress, the Service's selector, or "
        "spec.workload.ref.",
    ),
    (
        rules.backend_selects_pods,
        snapshot(Route(Ref("Ingress", "shop", "chat"), "1", ()), app=app(**NAMED)),
        "Ingress shop/chat sends no request to Deployment shop/chat: none of its Services (none) selects "
        "these pods. Correct the backend of the Ingress, the Service's selector, or spec.workload.ref.",
    ),
    (
        rules.route_is_read,
        snapshot(ingress("/chat", refusal="NoMatchingParent: No listener fits. ")),
        "Ingress shop/chat is not served: NoMatchingParent: No listener fits. Correct the Ingress.",
    ),
    (
        rules.route_is_read,
        snapshot(ingress("/chat", refusal="Too long", refusal_remedy="Split it.")),
        "Ingress shop/chat is not served: Too long. Split it.",
    ),
    (
        rules.backend_is_alone,
        snapshot(ingress(path("/x"), path(others=("chat", "shop")))),
        "Ingress shop/chat sends part of the requests for /chat to another Service, which does not know "
        "the chat's sessions. Give the app a path of its own, or set the other weight to 0.",
    ),
    (
        rules.requests_are_unconditional,
        snapshot(ingress(path(condition="a header matches"))),
        "Ingress shop/chat sends requests for /chat to the app only if a header matches. Use a match on "
        "the path alone: the browser's requests for pages, sockets and uploads must all arrive.",
    ),
    (
        rules.requests_are_unconditional,
        snapshot(ingress(path(condition="the method is GET"), path(condition="the method is POST"))),
        "Ingress shop/chat sends requests for /chat to the app only if the method is GET or POST. Chainlit needs PUT, "
        "DELETE too, for example for feedback and threads. Use a match on the path alone.",
    ),
    (
        rules.requests_are_unconditional,
        snapshot(
            ingress(
                *(path(condition=f"the method is {method}") for method in ("GET", "POST", "PUT")),
                path(condition="the method is DELETE", transforms=(ReplaceFullPath("/"),)),
            )
        ),
        "Ingress shop/chat treats requests for /chat in different ways, by their method. Use a match on the path "
        "alone.",
    ),
    (
        rules.path_has_a_prefix,
        snapshot(ingress(regex("/(chat|bot)"))),
        "Path '/(chat|bot)' of Ingress shop/chat is a regular expression, and there is no fixed prefix "
        "below which it matches all that Chainlit needs. Use a plain path with type Prefix.",
    ),
    (
        rules.path_has_a_prefix,
        snapshot(ingress("/chat", path("/chat(/|$)(.*)", matching=Matching.UNKNOWN))),
        "Path '/chat(/|$)(.*)' of Ingress shop/chat is a regular expression, and the operator does not know whether "
        "its controller reads it as one. Use a plain path with type Prefix.",
    ),
    (
        rules.path_has_a_prefix,
        snapshot(ingress(regex("/chat(?=/).*"))),
        "Path '/chat(?=/).*' of Ingress shop/chat is a regular expression, and the operator does not evaluate it "
        "because it has a look-around, (?=. Use a plain path with type Prefix.",
    ),
    (
        rules.path_has_a_prefix,
        snapshot(ingress("/chat", regex("^/chat/ws$"))),
        "Path '^/chat/ws$' of Ingress shop/chat is a regular expression, and there is no fixed prefix below "
        "which it matches all that Chainlit needs. Use a plain path with type Prefix.",
    ),
    (
        rules.path_has_a_prefix,
        snapshot(ingress("/chat", path("/*/chat/*", matching=Matching.WILDCARD))),
        "Path '/*/chat/*' of Ingress shop/chat has a wildcard before its end, so it has no fixed prefix. Use a plain "
        "path with type Prefix.",
    ),
    (
        rules.path_is_not_exact,
        snapshot(ingress(path(path_type="ImplementationSpecific", matching=Matching.EXACT))),
        "Path '/chat' of Ingress shop/chat matches only itself at its controller, so nothing below it arrives, and the "
        "WebSocket is below it. Use type Prefix.",
    ),
    (
        rules.path_is_not_exact,
        snapshot(ingress(path(path_type="Exact"))),
        "Path '/chat' of Ingress shop/chat has type Exact, so nothing below it arrives, and the "
        "WebSocket is below it. Use type Prefix.",
    ),
    (
        rules.path_is_one,
        snapshot(ingress("/chat", "/")),
        "Ingress shop/chat routes several paths to the app (/, /chat), and Chainlit serves only one. "
        "Keep one path and redirect the others to it, or state the URL that browsers open in spec.route.url.",
    ),
    (
        rules.path_is_not_overridden,
        snapshot(ingress("/chat", path("/chat/ws", service="shop"))),
        "Ingress shop/chat sends /chat/ws to Service shop, and Chainlit may need it at /chat. Give the "
        "other backend a path that is not below it.",
    ),
    (
        rules.path_is_not_overridden,
        snapshot(ingress("/", path("/ws", service=""))),
        "Ingress shop/chat sends /ws elsewhere (a redirect, or no Service), and Chainlit may need it at "
        "/. Give the other backend a path that is not below it.",
    ),
    (
        rules.port_exists,
        snapshot(ingress(path(port="web")), services=(service(ports=(ServicePort("", 1), ServicePort("x", 2))),)),
        "Ingress shop/chat sends requests for /chat to port web of Service shop/chat, which has no such "
        "port (1, 2 x). Correct the backend of the Ingress, or the Service's ports.",
    ),
    (
        rules.port_exists,
        snapshot(ingress("/chat", path("/chat/ws", port=81)), services=(service(),)),
        "Ingress shop/chat sends requests for /chat/ws to port 81 of Service shop/chat, which has no "
        "such port (80 http). Correct the backend of the Ingress, or the Service's ports.",
    ),
    (
        rules.port_exists,
        snapshot(services=(service(ports=()),)),
        "Ingress shop/chat sends requests for /chat to port 80 of Service shop/chat, which has no such "
        "port (none). Correct the backend of the Ingress, or the Service's ports.",
    ),
    (
        rules.path_is_supported,
        snapshot(ingress("/a b")),
        "Chainlit cannot serve path '/a b' of Ingress shop/chat: the segment 'a b' has characters other "
        "than letters, digits and . _ ~ -. Use segments of letters, digits and . _ ~ - only.",
    ),
    (
        rules.middleware_exists,
        snapshot(ingress(path(middlewares=("shop-none",)))),
        "Ingress shop/chat uses Traefik Middleware shop-none, which does not exist, so Traefik answers "
        "404. Create it, correct the name, or set spec.route.rewrite.",
    ),
    (
        rules.middleware_exists,
        snapshot(ingress(path(middlewares=("shop-none",))), watched=("shop",)),
        "Ingress shop/chat uses Traefik Middleware shop-none, which does not exist in the namespaces that the operator "
        "watches, so Traefik answers 404. Create it, correct the name, or set spec.route.rewrite.",
    ),
    (
        rules.middleware_is_watched,
        snapshot(ingress(path(middlewares=("shopping-none",))), watched=("shop", "a")),
        "Ingress shop/chat uses Traefik Middleware shopping-none, whose namespace the operator does not watch, so its "
        "effect on the path is unknown. Add the namespace to watchNamespaces of the operator's chart, or set "
        "spec.route.rewrite.",
    ),
    (
        rules.rewrite_is_known,
        snapshot(ingress(UNKNOWN)),
        "Ingress shop/chat has the annotation example.com/rewrite: /, which may change the path on its "
        "way to the app. Set spec.route.rewrite to Strip if the whole path prefix is removed, or to None "
        "if the path stays as it is.",
    ),
    (
        rules.rewrite_is_known,
        snapshot(ingress(path(transforms=(RewriteWholePath("/chat(?=/)(.*)", "$1"),)))),
        "Ingress shop/chat has a rewrite with the regular expression '/chat(?=/)(.*)', which is not evaluated because "
        "it has a look-around, (?=, which may change the path on its way to the app. Set spec.route.rewrite to Strip "
        "if the whole path prefix is removed, or to None if the path stays as it is.",
    ),
    (
        rules.requests_are_not_redirected,
        snapshot(ingress(path(transforms=(RedirectAll("the annotation a/redirect", "https://b.example"),)))),
        "Ingress shop/chat redirects /chat/ to https://b.example (the annotation a/redirect), and Chainlit needs it. "
        "Remove the redirect, or limit it to other paths.",
    ),
    (
        rules.requests_are_not_redirected,
        snapshot(
            ingress(
                "/chat",
                path("/chat/ws", host="*.b.example", transforms=(RedirectRegex("a Middleware", "(.*)/ws/", "$1/"),)),
                path("/chat", host="*.b.example"),
            )
        ),
        "Ingress shop/chat redirects /chat/ws/ to http://chat.b.example/chat/ (a Middleware), and Chainlit needs it. "
        "Remove the redirect, or limit it to other paths.",
    ),
    (
        rules.rewrite_keeps_the_rest,
        snapshot(ingress(path(transforms=(ReplaceFullPath("/"),)))),
        "Ingress shop/chat rewrites /chat in a way that does not keep what comes after its prefix, so "
        "pages and sockets are not found. Strip a whole prefix, or leave the path alone.",
    ),
    (
        rules.rewrites_agree,
        snapshot(ingress(path(transforms=(ReplacePrefixMatch("/"),)), "/chat/ws")),
        "Ingress shop/chat rewrites /chat/ws and /chat of the app in different ways, so requests for one "
        "of them go astray. Give all of its rules the same rewrite.",
    ),
    (
        rules.prefixes_align,
        snapshot(ingress(path(transforms=(ReplacePrefixMatch("/other"),)))),
        "Ingress shop/chat turns /chat into /other on the way to the app, and Chainlit works only where "
        "the second is the end of the first. Strip a whole prefix, or leave the path alone.",
    ),
    (
        rules.prefixes_align,
        snapshot(ingress(path("/", transforms=(AddPrefix("/x"),)))),
        "Ingress shop/chat turns / into /x on the way to the app, and Chainlit works only where the "
        "second is the end of the first. Strip a whole prefix, or leave the path alone.",
    ),
    (
        conflicts.path_is_free,
        snapshot(conflicts=(conflict(path("/chat")),)),
        "ChainlitApp team/elder is older and uses path /chat on host example.com, by Ingress team/elder. "
        "Change path or host of Ingress chat, or delete the other app and its route.",
    ),
    (
        conflicts.path_is_free,
        snapshot(ingress(path("/", host="")), conflicts=(conflict(path("/", host="")),)),
        "ChainlitApp team/elder is older and uses path / on any host, by Ingress team/elder. Change path "
        "or host of Ingress chat, or delete the other app and its route.",
    ),
    (
        conflicts.path_is_free,
        snapshot(conflicts=(conflict(path("/chat/"), app=None, service="web", why="it is older"),)),
        "Ingress team/elder has path /chat on host example.com, too, and gets its requests: it is older. "
        "Change path or host of Ingress chat, or delete the other route.",
    ),
    (
        conflicts.path_is_free,
        snapshot(conflicts=(conflict(path("/chat"), why="its name comes first"),)),
        "Ingress team/elder has path /chat on host example.com, too, and gets its requests: its name comes first. "
        "Change path or host of Ingress chat, or delete the other app and its route.",
    ),
    (
        conflicts.no_path_takes_requests,
        snapshot(
            conflicts=(
                conflict(
                    regex("/[a-z]+(/.*)?"),
                    app=None,
                    service="site",
                    effect=Effect.COVER,
                    prefix="/chat",
                    why="its text is longer",
                ),
            )
        ),
        "Ingress team/elder sends requests that match /[a-z]+(/.*)? to Service team/site, and the edge tries it before "
        "the path of Ingress chat because its text is longer. Limit that expression to its own paths, or give Ingress "
        "chat a path with more characters.",
    ),
    (
        conflicts.no_path_takes_requests,
        snapshot(
            conflicts=(
                conflict(
                    regex("/[a-z]+"),
                    app=None,
                    service="site",
                    effect=Effect.COVER,
                    prefix="/chat",
                    why="it tries expressions before plain paths",
                ),
            )
        ),
        "Ingress team/elder sends requests that match /[a-z]+ to Service team/site, and the edge tries it before the "
        "path of Ingress chat because it tries expressions before plain paths. Limit that expression to its own paths.",
    ),
    (
        conflicts.no_path_takes_requests,
        snapshot(
            conflicts=(
                conflict(
                    path("/"),
                    app=None,
                    service="site",
                    effect=Effect.COVER,
                    prefix="/chat",
                    why="its priority is higher",
                ),
            )
        ),
        "Ingress team/elder sends / to Service team/site, and the edge tries it before the path of Ingress chat "
        "because its priority is higher. Limit the other route to its own paths, or give Ingress chat a higher "
        "priority.",
    ),
    (
        conflicts.own_routes_are_free,
        snapshot(conflicts=(shadow(path("/chat/ws/")),)),
        "Ingress team/elder sends /chat/ws/ to ChainlitApp team/elder, and Chainlit needs it below "
        "/chat. Give the other app a path that is not below it.",
    ),
    (
        conflicts.own_routes_are_free,
        snapshot(ingress("/"), conflicts=(shadow(path("/ws")),)),
        "Ingress team/elder sends /ws to ChainlitApp team/elder, and Chainlit needs it below /. Give the "
        "other app a path that is not below it.",
    ),
    (
        conflicts.own_routes_are_free,
        snapshot(conflicts=(shadow(path("/chat/ws"), app=None, service="web"),)),
        "Ingress team/elder sends /chat/ws to Service team/web, and Chainlit needs it below /chat. Give the other "
        "backend a path that is not below it.",
    ),
    (
        conflicts.own_routes_are_free,
        snapshot(conflicts=(shadow(path("/chat/", path_type="Exact"), app=None),)),
        "Ingress team/elder sends /chat/ elsewhere (a redirect, or no Service), and Chainlit needs it below /chat. "
        "Give the other backend a path that is not below it.",
    ),
    (
        conflicts.no_canary_shares_requests,
        snapshot(conflicts=(conflict(path("/chat"), effect=Effect.PART, app=None, service="web", why=""),)),
        "Ingress team/elder is a canary that sends a share of the requests for /chat to Service team/web, which does "
        "not know the chat's sessions. Set its weight to 0, or annotate Ingress chat with "
        "nginx.ingress.kubernetes.io/affinity: cookie.",
    ),
]

ALIGNMENT = [
    (
        alignment.app_is_not_suspended,
        snapshot(app=app(suspend=True)),
        "spec.suspend is true: the operator writes nothing until it is false.",
    ),
    (
        alignment.names_are_free,
        snapshot(taken=(Ref("Service", "shop", "chat"),)),
        "This ChainlitApp creates Service shop/chat, and an object of that name exists already that it "
        "does not own. Delete that object, give this ChainlitApp another name, or name the object in "
        "spec.workload.ref or spec.route.ref.",
    ),
    (
        alignment.workload_exists,
        snapshot(workload=None),
        "Deployment chat does not exist in namespace shop. Create it, or correct kind and name in spec.workload.ref.",
    ),
    (
        alignment.template_is_known,
        snapshot(workload=workload(missing_template="Rollout chat takes its pods from elsewhere.")),
        "Rollout chat takes its pods from elsewhere.",
    ),
    (
        alignment.named_container_exists,
        snapshot(workload=workload(container(), PROXY), app=app(container="chat")),
        "Deployment shop/chat has no container 'chat' (it has chainlit, proxy). Correct spec.workload.ref.container.",
    ),
    (
        alignment.container_is_clear,
        snapshot(workload=workload(container(name="a"), PROXY)),
        "Deployment shop/chat has several containers (a, proxy), none is called chainlit, and neither their commands "
        "nor the port behind the route show which one runs Chainlit. Set spec.workload.ref.container or "
        "spec.workload.ref.port.",
    ),
    (
        alignment.named_port_exists,
        snapshot(app=app(port="web"), workload=workload(container(ports=(("http", 8000), ("", 9), ("x", 10))))),
        "Container chainlit of Deployment shop/chat has no port 'web' (it has http, x). Correct "
        "spec.workload.ref.port, or set it to a number.",
    ),
    (
        alignment.named_port_exists,
        snapshot(app=app(port="web"), workload=workload(container(ports=(("", 8000),)))),
        "Container chainlit of Deployment shop/chat has no port 'web' (it has none with a name). Correct "
        "spec.workload.ref.port, or set it to a number.",
    ),
    (
        alignment.workload_is_free,
        snapshot(claimed_by="elder"),
        "ChainlitApp elder is older and already manages Deployment shop/chat. Delete one of the two ChainlitApps.",
    ),
    (
        alignment.variables_are_values,
        snapshot(workload=workload(container(Variable(None)))),
        "Container chainlit of Deployment shop/chat sets CHAINLIT_ROOT_PATH with valueFrom, or refers to a variable "
        "that has it, so the operator neither knows nor sets its value. Remove this env entry.",
    ),
    (
        alignment.variables_are_values,
        snapshot(workload=workload(container("/x", parent_root_path=Variable(None)))),
        "Container chainlit of Deployment shop/chat sets CHAINLIT_PARENT_ROOT_PATH with valueFrom, or refers to a "
        "variable that has it, so the operator neither knows nor sets its value. Remove this env entry.",
    ),
    (
        alignment.route_is_resolved,
        snapshot(ingress("/a b"), workload=workload(container(root_path_option=Variable("/x")))),
        "No path could be resolved (PathNotSupported). See the condition RouteResolved.",
    ),
    (
        alignment.command_has_right_root_path,
        snapshot(workload=workload(container("/chat", root_path_option=Variable("/" + "x" * 200)))),
        f"The command of container chainlit in Deployment shop/chat has --root-path with '/{'x' * 99}', which wins "
        "over CHAINLIT_ROOT_PATH, and the route needs /chat. Remove the option, or write --root-path "
        "$(CHAINLIT_ROOT_PATH).",
    ),
    (
        alignment.command_has_right_root_path,
        snapshot(ingress("/"), workload=workload(container(root_path_option=Variable(None)))),
        "The command of container chainlit in Deployment shop/chat has --root-path with a value that the operator "
        "cannot read, or for another server than Chainlit, and the route needs /. If the option is Chainlit's, write "
        "--root-path $(CHAINLIT_ROOT_PATH); if another app mounts Chainlit, set spec.mountPath.",
    ),
]


def reason_of(rule: Any, *tables: tuple[Rule[Any], ...]) -> Reason:
    """The reason that the rule has in these tables."""
    (reason,) = (each.reason for table in tables for each in table if each.fault is rule)
    return reason


def name_of(value: Any) -> str:
    return str(getattr(value, "__name__", ""))


@pytest.mark.parametrize(("rule", "given", "message"), RESOLUTION, ids=name_of)
def test_a_rule_of_resolution(rule: Any, given: Snapshot, message: str) -> None:
    reason = reason_of(rule, chain.APP_RULES, rules.RULES, together.RULES, conflicts.RULES)
    assert resolve(given) == Unresolved(reason, message)
    assert_plain(message)


@pytest.mark.parametrize(("rule", "given", "message"), ALIGNMENT, ids=name_of)
def test_a_rule_of_alignment(rule: Any, given: Snapshot, message: str) -> None:
    assert decide(given).action == Blocked(reason_of(rule, alignment.RULES), message)
    assert_plain(message)


def test_every_rule_has_a_row() -> None:
    resolution: tuple[Rule[Any], ...] = (*chain.APP_RULES, *rules.RULES, *together.RULES, *conflicts.RULES)
    tables: tuple[Rule[Any], ...] = (*resolution, *alignment.RULES)
    shown = {row[0] for row in (*RESOLUTION, *ALIGNMENT)}
    assert [rule.fault.__name__ for rule in tables if rule.fault not in shown] == []


@pytest.mark.parametrize(
    "given",
    [
        named("/chat", services=(service("more"), service())),
        snapshot(app=CREATED, services=(service("more"), service())),
        snapshot(services=(service("more"), service())),
        snapshot(missing_services=frozenset("b")),
        snapshot(ingress("/chat", path("/b", service="b")), missing_services=frozenset("b")),
        snapshot(conflicts=(conflict(path("/chat"), winner=Winner.OWN),)),
        snapshot(conflicts=(shadow(path("/chat/ws"), winner=Winner.UNCERTAIN),)),
        snapshot(conflicts=(conflict(path("/chat/shop")), shadow(path("/ws")))),
        snapshot(ingress("/chat", "/chat/ws"), conflicts=(shadow(path("/chat/ws")),)),
        snapshot(app=app(mount_path="/bot"), workload=workload(container(Variable(None)))),
        snapshot(app=app(mount_path="/bot"), workload=workload(container(root_path_option=Variable("/x")))),
    ],
)
def test_no_rule_fails(given: Snapshot) -> None:
    assert isinstance(resolve(given), Resolved)
    assert not isinstance(decide(given).action, Blocked)


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (without_routes(app=app(**NAMED), services=()), chain.named_route_exists),
        (without_routes(services=(service("a"), service("b"))), chain.route_leads_to_service),
        (without_routes(app=CREATED), chain.named_route_exists),
        (named(path(service="b"), missing_services=frozenset("b")), rules.backend_selects_pods),
        (named(path(service="b"), services=(), missing_services=frozenset("c")), rules.backend_selects_pods),
    ],
)
def test_no_earlier_rule_fails(given: Snapshot, rule: Any) -> None:
    read = Candidate(given, given.routes[0], endpoint.find(given)) if given.routes else given
    assert resolve(given) == Unresolved(reason_of(rule, chain.APP_RULES, rules.RULES), rule(read))


def test_the_first_route_at_the_same_path_is_named_before_those_below_it() -> None:
    losing = conflict(path("/chat"), "young", winner=Winner.OWN)
    below, old = shadow(path("/chat/ws"), "below"), conflict(path("/chat"), "old")
    for others, reason, name in (
        ((losing, below, old, conflict(path("/chat"), "later")), Reason.PATH_CLAIMED, "team/old"),
        ((losing, below, shadow(path("/chat/login"), "later")), Reason.PATH_SHADOWED, "team/below"),
    ):
        found = resolve(snapshot(conflicts=others))
        assert isinstance(found, Unresolved)
        assert found.reason is reason and name in found.message


def test_another_route_at_a_second_path_of_the_app_shadows_it() -> None:
    found = resolve(snapshot(ingress("/chat", "/chat/ws"), conflicts=(conflict(path("/chat/ws")),)))
    assert isinstance(found, Unresolved)
    assert found.reason is Reason.PATH_SHADOWED


UNCERTAIN, OWN, PART = Winner.UNCERTAIN, Winner.OWN, Effect.PART


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (
            conflict(path("/chat"), winner=OWN),
            "Ingress team/elder has path /chat on host example.com, too. The edge prefers Ingress chat.",
        ),
        (
            conflict(path("/chat", host=""), winner=UNCERTAIN, why="nobody knows"),
            "Ingress team/elder sends /chat to ChainlitApp team/elder, and may take it from the app: nobody knows.",
        ),
        (
            shadow(path("/chat/ws"), winner=UNCERTAIN, app=None, service="web", why="nobody knows"),
            "Ingress team/elder sends /chat/ws to Service team/web, and may take it from the app: nobody knows.",
        ),
        (
            conflict(path("/chat/ws"), winner=UNCERTAIN, effect=PART, app=None, condition="a header matches"),
            "Ingress team/elder sends /chat/ws elsewhere (a redirect, or no Service) if a header matches. Chainlit may "
            "need it.",
        ),
        (
            conflict(path("/chat"), winner=UNCERTAIN, effect=PART, app=None, service="web", why="nobody knows"),
            "Ingress team/elder sends /chat to Service team/web, and may take it from the app: nobody knows.",
        ),
        (
            conflict(path("/chat"), winner=UNCERTAIN, effect=PART, route=Ref("Ingress", "shop", "chat"), condition="x"),
            "",
        ),
        (conflict(path("/chat/shop"), winner=UNCERTAIN), ""),
    ],
)
def test_warning(other: RouteConflict, words: str) -> None:
    snap = snapshot(conflicts=(other,))
    found = resolve(snap)
    assert isinstance(found, Resolved)
    assert found.warnings == ((words,) if words else ())
    message = "Ingress chat gives path /chat on host example.com."
    condition = report_of(snap).status.conditions[0]
    assert (condition.type, condition.status) == ("RouteResolved", "True")
    assert condition.message == (f"{message} Warning: {words}" if words else message)
    assert_plain(condition.message)


def test_two_routes_are_named_in_warnings_those_that_may_take_requests_first() -> None:
    others = [conflict(path("/chat"), name, winner=OWN) for name in "abc"]
    found = resolve(snapshot(conflicts=(*others, conflict(path("/chat"), "d", winner=UNCERTAIN, why="why"))))
    assert isinstance(found, Resolved)
    assert [text.split()[1] for text in found.warnings] == ["team/d", "team/a"]


def test_the_first_fault_counts() -> None:
    asked: list[tuple[str, int]] = []

    def rule(reason: Reason, answer: str) -> Rule[int]:
        def fault(given: int) -> str:
            asked.append((answer, given))
            return answer

        return Rule(reason, fault)

    first = (rule(Reason.SUSPENDED, ""), rule(Reason.MOUNTED, "One."), rule(Reason.ALIGNED, "Two."))
    assert first_fault(first, 7) == (Reason.MOUNTED, "One.")
    assert asked == [("", 7), ("One.", 7)]
    assert first_fault(first[:1], 7) is None
    assert first_fault((), 7) is None
