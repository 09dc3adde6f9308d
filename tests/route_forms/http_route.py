"""Forms of HTTPRoutes."""

from __future__ import annotations

import copy

from chainlit_operator.domain.reasons import Reason
from tests import objects
from tests.objects import Object, extension, prefix_rewrite, url_rewrite
from tests.objects import path_match as at
from tests.route_forms.form import CHAT, SECOND, STRIPPED, TEAM, Form, Manifests, Roots, T, beside


def http_route(
    *rules: Object,
    more: tuple[Object, ...] = (),
    hosts: tuple[str, ...] = ("",),
    section: str = "",
    annotations: dict[str, str] | None = None,
) -> Manifests:
    """An HTTPRoute on the cluster's Gateway, which is in another namespace and open to all, or one listener of it."""
    named = {"sectionName": section} if section else {}

    def manifests(_: str, host: str) -> list[Object]:
        made = objects.http_route(
            *copy.deepcopy(rules),
            hostnames=[before + host for before in hosts],
            parents=[objects.gateway_ref(**named)],
            metadata={"annotations": annotations or {}},
        )
        return [*copy.deepcopy(more), made]

    return manifests


def rule(
    *matches: Object,
    filters: tuple[Object, ...] = (),
    others: tuple[tuple[str, int], ...] = (),
    to: str = "chat",
    backend: Object | None = None,
) -> Object:
    """A rule of an HTTPRoute to a Service, with more fields of that backendRef, and to others by weight."""
    weighted = (objects.backend_ref(name, weight=weight) for name, weight in others)
    return objects.http_rule(
        *matches, filters=filters, backends=[objects.backend_ref(to, **(backend or {})), *weighted]
    )


STRIP = prefix_rewrite("/")
EXTENSION = extension("strip")
REDIRECT = {"matches": [at("/", "Exact")], "filters": [objects.redirect("/chat/")]}

FORMS = (
    Form("gateway-prefix", "HTTPRoute, `PathPrefix` `/chat`", http_route(rule(at("/chat"))), CHAT, in_gate=(T,)),
    Form("gateway-slash", "HTTPRoute, `PathPrefix` `/chat/`", http_route(rule(at("/chat/"))), CHAT),
    Form("gateway-nested", "HTTPRoute, `PathPrefix` `/team/v1.0/chat`", http_route(rule(at("/team/v1.0/chat"))),
         Roots("/team/v1.0/chat", "/team/v1.0/chat")),
    Form("gateway-section", "HTTPRoute on one listener by its name", http_route(rule(at("/chat")), section="web"),
         CHAT),
    Form("gateway-two-hosts", "HTTPRoute, `/chat` on two hosts", http_route(rule(at("/chat")), hosts=("", "1.")),
         CHAT),
    Form("gateway-own-subpath", "HTTPRoute, `/chat` and `/chat/ws`", http_route(rule(at("/chat"), at("/chat/ws"))),
         CHAT),
    Form("gateway-neighbour", "HTTPRoute, `/chat` beside another app at `/`",
         http_route(rule(at("/"), to="other"), rule(at("/chat"))), CHAT),
    Form("gateway-second-service", "HTTPRoute, two Services of the same pods by weight",
         http_route(rule(at("/chat"), others=(("second", 1),)), more=(SECOND,)), CHAT),
    Form("gateway-regex", "HTTPRoute, `RegularExpression` `/chat(/.*)?`",
         http_route(rule(at("/chat(/.*)?", "RegularExpression"))), CHAT),
    Form("gateway-regex-slash", "HTTPRoute, `RegularExpression` `/chat/?(.*)`",
         http_route(rule(at("/chat/?(.*)", "RegularExpression"))), CHAT),
    Form("gateway-regex-group", "HTTPRoute, `RegularExpression` `/(chat/.*)`",
         http_route(rule(at("/(chat/.*)", "RegularExpression"))), CHAT),
    Form("gateway-regex-plus", "HTTPRoute, `RegularExpression` `/chat(/.+)?`",
         http_route(rule(at("/chat(/.+)?", "RegularExpression"))), Reason.REGULAR_EXPRESSION_PATH),
    Form("gateway-root", "HTTPRoute, `PathPrefix` `/`", http_route(rule(at("/"))), Roots("/", "")),
    Form("gateway-strip", "HTTPRoute, `ReplacePrefixMatch` `/`", http_route(rule(at("/chat"), filters=(STRIP,))),
         STRIPPED, in_gate=(T,)),
    Form("gateway-strip-parent", "HTTPRoute, `/team/chat`, `ReplacePrefixMatch` `/chat`",
         http_route(rule(at("/team/chat"),
                         filters=(prefix_rewrite("/chat"),))), TEAM),
    Form("gateway-same", "HTTPRoute, `/chat`, `ReplacePrefixMatch` `/chat`",
         http_route(rule(at("/chat"), filters=(prefix_rewrite("/chat"),))),
         CHAT),
    Form("gateway-extension", "HTTPRoute, `ExtensionRef` to Middleware `stripPrefix`",
         http_route(rule(at("/chat"), filters=(EXTENSION,)),
                    more=(objects.middleware("strip", {"stripPrefix": {"prefixes": ["/chat"]}}),)), STRIPPED),
    Form("gateway-redirect", "HTTPRoute, `/chat`, and `/` redirected to it",
         http_route(rule(at("/chat")), REDIRECT), CHAT),
    Form("gateway-methods", "HTTPRoute, `/chat` for GET and for POST",
         http_route(rule(at("/chat", method="GET")), rule(at("/chat", method="POST"))), Reason.CONDITIONAL_MATCH),
    Form("gateway-all-methods", "HTTPRoute, `/chat` for GET, POST, PUT and DELETE",
         http_route(*(rule(at("/chat", method=method)) for method in ("GET", "POST", "PUT", "DELETE"))), CHAT),
    Form("gateway-weight-zero", "HTTPRoute, another Service of weight 0",
         http_route(rule(at("/chat"), others=(("other", 0),))), CHAT),
    Form("gateway-replace", "HTTPRoute, `/chat`, `ReplacePrefixMatch` `/other`",
         http_route(rule(at("/chat"), filters=(prefix_rewrite("/other"),))),
         Reason.REWRITE_NOT_SUPPORTED),
    Form("gateway-add", "HTTPRoute, `/`, `ReplacePrefixMatch` `/chat`",
         http_route(rule(at("/"), filters=(prefix_rewrite("/chat"),))),
         Reason.REWRITE_NOT_SUPPORTED),
    Form("gateway-empty", "HTTPRoute, `/chat`, `ReplacePrefixMatch` with an empty text",
         http_route(rule(at("/chat"), filters=(prefix_rewrite(""),))),
         Reason.REWRITE_NOT_SUPPORTED),
    Form("gateway-hostname", "HTTPRoute, `URLRewrite` of the hostname",
         http_route(rule(at("/chat"),
                         filters=({"type": "URLRewrite", "urlRewrite": {"hostname": "inner.example"}},))),
         Reason.REWRITE_UNKNOWN),
    Form("gateway-backend-rewrite", "HTTPRoute, `URLRewrite` in `backendRefs`",
         http_route(rule(at("/chat"), backend={"filters": [STRIP]})), Reason.REWRITE_UNKNOWN),
    Form("gateway-half-stripped", "HTTPRoute, `/chat` stripped and `/chat/ws` not",
         http_route(rule(at("/chat"), filters=(STRIP,)), rule(at("/chat/ws"))), Reason.REWRITE_NOT_SUPPORTED),
    Form("gateway-missing-neighbour", "HTTPRoute, `/chat`, and `/` to a Service that does not exist",
         http_route(rule(at("/chat")), rule(at("/"), to="missing")), CHAT),
    Form("gateway-full", "HTTPRoute, `ReplaceFullPath`",
         http_route(rule(at("/chat"), filters=(url_rewrite(type="ReplaceFullPath", replaceFullPath="/"),))),
         Reason.REWRITE_NOT_SUPPORTED),
    Form("gateway-exact", "HTTPRoute, `Exact` `/chat`", http_route(rule(at("/chat", "Exact"))), Reason.EXACT_PATH),
    Form("gateway-header", "HTTPRoute, `/chat` with a header only",
         http_route(rule(at("/chat", headers=[{"name": "x-team", "value": "a"}]))), Reason.CONDITIONAL_MATCH),
    Form("gateway-query", "HTTPRoute, `/chat` with a query parameter only",
         http_route(rule(at("/chat", queryParams=[{"name": "team", "value": "a"}]))), Reason.CONDITIONAL_MATCH),
    Form("gateway-two-paths", "HTTPRoute, `/chat` and `/bot`", http_route(rule(at("/chat"), at("/bot"))),
         Reason.SEVERAL_PATHS),
    Form("gateway-shadowed", "HTTPRoute, `/chat`, and `/chat/ws` to another Service",
         http_route(rule(at("/chat")), rule(at("/chat/ws"), to="other")), Reason.PATH_SHADOWED),
    Form("gateway-shadowed-beside", "HTTPRoute, `/chat`, and another HTTPRoute for `/chat/ws` to another Service",
         beside(http_route(rule(at("/chat"))), http_route(rule(at("/chat/ws"), to="other"))), Reason.PATH_SHADOWED),
    Form("gateway-method-beside", "HTTPRoute, `/chat`, and another HTTPRoute for `/chat` and GET to another Service",
         beside(http_route(rule(at("/chat"))), http_route(rule(at("/chat", method="GET"), to="other"))),
         Reason.PATH_CLAIMED),
    Form("gateway-header-beside", "HTTPRoute, `/chat`, and another HTTPRoute for `/chat` with a header to another app",
         beside(http_route(rule(at("/chat"))),
                http_route(rule(at("/chat", headers=[{"name": "x-team", "value": "a"}]), to="other"))), CHAT),
    Form("gateway-alternatives", "HTTPRoute, `RegularExpression` `/(chat\\|bot)`",
         http_route(rule(at("/(chat|bot)", "RegularExpression"))), Reason.REGULAR_EXPRESSION_PATH),
    Form("gateway-regex-part", "HTTPRoute, `RegularExpression` `/cha`",
         http_route(rule(at("/cha", "RegularExpression"))), Reason.REGULAR_EXPRESSION_PATH),
    Form("gateway-traefik-service", "HTTPRoute to a `TraefikService`",
         http_route(rule(at("/chat"), backend={"group": "traefik.io", "kind": "TraefikService"})),
         Reason.ROUTE_NOT_FOUND),
    Form("gateway-foreign-service", "HTTPRoute to a Service of another namespace",
         http_route(rule(at("/chat"), backend={"namespace": "elsewhere"})), Reason.ROUTE_NOT_FOUND),
    Form("gateway-get", "HTTPRoute, `/chat` for GET only", http_route(rule(at("/chat", method="GET"))),
         Reason.CONDITIONAL_MATCH),
    Form("gateway-shared", "HTTPRoute, requests shared with another app",
         http_route(rule(at("/chat"), others=(("other", 1),))), Reason.BACKEND_SHARED, in_gate=(T,)),
    Form("kong-gateway-strip", "HTTPRoute with `konghq.com/strip-path: true`",
         http_route(rule(at("/chat")), annotations={"konghq.com/strip-path": "true"}), STRIPPED, (), documented="Kong"),
)  # fmt: skip
