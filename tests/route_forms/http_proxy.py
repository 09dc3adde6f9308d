"""Forms of HTTPProxies."""

from __future__ import annotations

import copy

from chainlit_operator.domain.reasons import Reason
from tests import objects
from tests.objects import Object, include, replace_prefix
from tests.objects import proxy_route as to
from tests.route_forms.form import CHAT, SECOND, STRIPPED, TEAM, C, Form, Manifests, Roots

OTHER = [objects.backend_ref("other")]
HEADER = {"header": {"name": "x-team", "exact": "a"}}
QUERY = {"queryParameter": {"name": "team", "present": True}}
REDIRECT = {"conditions": [{"exact": "/"}], "requestRedirectPolicy": {"path": "/chat/"}}
FIXED = {"conditions": [{"prefix": "/status"}], "directResponsePolicy": {"statusCode": 200}}
COOKIE: Object = {"loadBalancerPolicy": {"strategy": "Cookie"}}


def regex(text: str) -> Object:
    return to("", {"regex": text})


def exact(text: str) -> Object:
    return to("", {"exact": text})


def proxy(*routes: Object, more: tuple[Object, ...] = ()) -> Manifests:
    """An HTTPProxy with the virtual host."""

    def manifests(_: str, host: str) -> list[Object]:
        made = objects.http_proxy(*copy.deepcopy(routes), fqdn=host, ingressClassName="contour")
        return [*copy.deepcopy(more), made]

    return manifests


def included(
    *routes: Object, by: Object, root_routes: tuple[Object, ...] = (), middle: Object | None = None
) -> Manifests:
    """An HTTPProxy that another one includes, perhaps by way of a third one."""

    def one(name: str, *own: Object, fqdn: str | None = None, includes: tuple[Object, ...] = ()) -> Object:
        found = objects.http_proxy(*own, name=name, fqdn=fqdn, includes=includes, ingressClassName="contour")
        return copy.deepcopy(found)

    def manifests(_: str, host: str) -> list[Object]:
        between = [one("middle", includes=(middle,))] if middle is not None else []
        return [one("root", *root_routes, fqdn=host, includes=(by,)), *between, one("chat", *routes)]

    return manifests


FORMS = (
    Form("proxy-prefix", "HTTPProxy, `prefix` `/chat`", proxy(to()), CHAT, (C,)),
    Form("proxy-slash", "HTTPProxy, `prefix` `/chat/`", proxy(to("/chat/")), CHAT, (C,)),
    Form("proxy-nested", "HTTPProxy, `prefix` `/team/v1.0/chat`", proxy(to("/team/v1.0/chat")),
         Roots("/team/v1.0/chat", "/team/v1.0/chat"), (C,)),
    Form("proxy-root", "HTTPProxy, `prefix` `/`", proxy(to("/")), Roots("/", ""), (C,)),
    Form("proxy-no-conditions", "HTTPProxy without conditions", proxy(to("")), Roots("/", ""), (C,)),
    Form("proxy-chart", "HTTPProxy, `exact` `/chat` and `prefix` `/chat/`", proxy(exact("/chat"), to("/chat/")), CHAT,
         (C,)),
    Form("proxy-exact", "HTTPProxy, `exact` `/chat`", proxy(exact("/chat")), Reason.EXACT_PATH, (C,)),
    Form("proxy-regex", "HTTPProxy, `regex` `/chat(/.*)?`", proxy(regex("/chat(/.*)?")), CHAT, (C,)),
    Form("proxy-regex-short", "HTTPProxy, `prefix` `/chat` beside another app at `regex` `/.*`",
         proxy(to(), to("", {"regex": "/.*"}, services=OTHER)), Reason.PATH_SHADOWED, (C,)),
    Form("proxy-regex-part", "HTTPProxy, `regex` `/chat/[a-z]+`", proxy(regex("/chat/[a-z]+")),
         Reason.REGULAR_EXPRESSION_PATH, (C,)),
    Form("proxy-neighbour", "HTTPProxy, `/chat` beside another app at `/`", proxy(to(), to("/", services=OTHER)), CHAT,
         (C,)),
    Form("proxy-characters", "HTTPProxy, `/chat` beside another app at `/chat/w`",
         proxy(to(), to("/chat/w", services=OTHER)), Reason.PATH_SHADOWED, (C,)),
    Form("proxy-own-subpath", "HTTPProxy, `/chat` and `/chat/ws`", proxy(to(), to("/chat/ws")), CHAT, (C,)),
    Form("proxy-redirect", "HTTPProxy, `/chat`, and a redirect from `/` and a fixed answer at `/status`",
         proxy(REDIRECT, FIXED, to()), CHAT, (C,)),
    Form("proxy-two-paths", "HTTPProxy, `/chat` and `/bot`", proxy(to(), to("/bot")), Reason.SEVERAL_PATHS, (C,)),
    Form("proxy-last", "HTTPProxy, two routes for `/chat`, the last one to the app",
         proxy(to(services=OTHER), to()), CHAT, (C,)),
    Form("proxy-strip", "HTTPProxy, `/chat`, `replacePrefix` `/`", proxy(to(**replace_prefix("/"))), STRIPPED, (C,)),
    Form("proxy-strip-slash", "HTTPProxy, `/chat/`, `replacePrefix` `/`",
         proxy(to("/chat/", **replace_prefix("/"))), STRIPPED, (C,)),
    Form("proxy-strip-named", "HTTPProxy, `/chat`, `replacePrefix` `/` of `prefix` `/chat`",
         proxy(to(**replace_prefix("/", prefix="/chat"))), STRIPPED, (C,)),
    Form("proxy-strip-unnamed", "HTTPProxy, `/chat`, `replacePrefix` `/` of `prefix` `/chat/`",
         proxy(to(**replace_prefix("/", prefix="/chat/"))), CHAT, (C,)),
    Form("proxy-strip-parent", "HTTPProxy, `/team/chat`, `replacePrefix` `/chat`",
         proxy(to("/team/chat", **replace_prefix("/chat"))), TEAM, (C,)),
    Form("proxy-keep", "HTTPProxy, `/chat`, `replacePrefix` `/chat/`", proxy(to(**replace_prefix("/chat/"))), CHAT,
         (C,)),
    Form("proxy-other", "HTTPProxy, `/chat`, `replacePrefix` `/other`", proxy(to(**replace_prefix("/other"))),
         Reason.REWRITE_NOT_SUPPORTED, (C,)),
    Form("proxy-strip-twice", "HTTPProxy, `/chat`, `replacePrefix` `/`, and another route for `/chat`",
         proxy(to(**replace_prefix("/")), to("/chat", HEADER, services=OTHER)), Reason.REWRITE_NOT_SUPPORTED, (C,)),
    Form("proxy-host", "HTTPProxy, `/chat`, `requestHeadersPolicy` with `Host`",
         proxy(to(requestHeadersPolicy={"set": [{"name": "Host", "value": "inner.example"}]})), Reason.REWRITE_UNKNOWN,
         (C,)),
    Form("proxy-header", "HTTPProxy, `/chat` with a condition on a header", proxy(to("/chat", HEADER)),
         Reason.CONDITIONAL_MATCH, (C,)),
    Form("proxy-query", "HTTPProxy, `/chat` with a condition on a query parameter", proxy(to("/chat", QUERY)),
         Reason.CONDITIONAL_MATCH, (C,)),
    Form("proxy-second-service", "HTTPProxy, two Services of the same pods",
         proxy(to(services=[objects.backend_ref(), objects.backend_ref("second")]), more=(SECOND,)), CHAT, (C,)),
    Form("proxy-shared", "HTTPProxy, another app by weight",
         proxy(to(services=[objects.backend_ref(weight=9), objects.backend_ref("other", weight=1)])),
         Reason.BACKEND_SHARED, (C,)),
    Form("proxy-mirror", "HTTPProxy, copies of the requests to another app",
         proxy(to(services=[objects.backend_ref(), objects.backend_ref("other", mirror=True)])), CHAT, (C,)),
    Form("proxy-cookie", "HTTPProxy, `/chat`, `loadBalancerPolicy` with `Cookie`", proxy(to(**COOKIE)), CHAT, (C,)),
    Form("proxy-no-sockets", "HTTPProxy, `/chat` without `enableWebsockets`", proxy(to(enableWebsockets=None)),
         Reason.WEB_SOCKET_NOT_ENABLED, (C,)),
    Form("proxy-sockets-only", "HTTPProxy, `/chat` and `/chat/ws`, `enableWebsockets` of `/chat/ws`",
         proxy(to(enableWebsockets=None), to("/chat/ws")), CHAT, (C,)),
    Form("proxy-tcp", "HTTPProxy with `tcpproxy`",
         lambda _, host: [objects.http_proxy(fqdn=host, tls={"passthrough": True}, ingressClassName="contour",
                                             tcpproxy={"services": [objects.backend_ref()]})],
         Reason.ROUTE_NOT_ACCEPTED, (C,)),
    Form("proxy-included", "HTTPProxy, `/chat`, included below `/team`",
         included(to(), by=include("chat", "/team")), Roots("/team/chat", "/team/chat"), (C,)),
    Form("proxy-included-plain", "HTTPProxy, `/chat`, included without conditions", included(to(), by=include("chat")),
         CHAT, (C,)),
    Form("proxy-included-prefix", "HTTPProxy without conditions, included below `/chat`",
         included(to(""), by=include("chat", "/chat")), CHAT, (C,)),
    Form("proxy-included-twice", "HTTPProxy, `/chat`, included below `/b`, and that below `/a`",
         included(to(), by=include("middle", "/a"), middle=include("chat", "/b")), Roots("/a/b/chat", "/a/b/chat"),
         (C,)),
    Form("proxy-included-strip", "HTTPProxy, `/chat`, `replacePrefix` `/`, included below `/team`",
         included(to(**replace_prefix("/")), by=include("chat", "/team")), Roots("/team/chat", "", "/team/chat"), (C,)),
    Form("proxy-included-keep", "HTTPProxy, `/chat`, `replacePrefix` `/chat`, included below `/team`",
         included(to(**replace_prefix("/chat")), by=include("chat", "/team")), TEAM, (C,)),
    Form("proxy-included-named", "HTTPProxy, `/chat`, `replacePrefix` `/` of `prefix` `/chat`, included below `/team`",
         included(to(**replace_prefix("/", prefix="/chat")), by=include("chat", "/team")),
         Roots("/team/chat", "/team/chat"), (C,)),
    Form("proxy-included-regex", "HTTPProxy, `regex` `/chat(/.*)?`, included below `/v1.0`",
         included(regex("/chat(/.*)?"), by=include("chat", "/v1.0")), Roots("/v1.0/chat", "/v1.0/chat"), (C,)),
    Form("proxy-included-header", "HTTPProxy, `/chat`, included with a condition on a header",
         included(to(), by=include("chat", "/team", HEADER)), Reason.CONDITIONAL_MATCH, (C,)),
    Form("proxy-included-neighbour", "HTTPProxy, `/chat`, included by one with another app at `/`",
         included(to(), by=include("chat"), root_routes=(to("/", services=OTHER),)), CHAT, (C,)),
    Form("proxy-included-shadowed", "HTTPProxy, `/chat`, included by one with another app at `/chat/ws`",
         included(to(), by=include("chat"), root_routes=(to("/chat/ws", services=OTHER),)), Reason.PATH_SHADOWED, (C,)),
    Form("proxy-orphan", "HTTPProxy without a virtual host that no other includes",
         lambda _, __: [objects.http_proxy(to(), fqdn=None, ingressClassName="contour")], Reason.ROUTE_NOT_ACCEPTED,
         (C,)),
)  # fmt: skip
