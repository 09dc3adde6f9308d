"""Forms of Ingresses."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from chainlit_operator.domain.reasons import Reason
from tests import objects
from tests.objects import Object
from tests.route_forms.form import (
    CHAT,
    SECOND,
    SOCKETS,
    STRIPPED,
    TEAM,
    C,
    Form,
    Manifests,
    N,
    Roots,
    T,
    beside,
    together,
)

TRAEFIK, NGINX, F5, KONG = "traefik.ingress.kubernetes.io", "nginx.ingress.kubernetes.io", "nginx.org", "konghq.com"
HAPROXY, HAPROXY_INGRESS, AZURE = "haproxy.org", "haproxy-ingress.github.io", "appgw.ingress.kubernetes.io"
AWS, APISIX, ROUTER = "alb.ingress.kubernetes.io", "k8s.apisix.apache.org", "haproxy.router.openshift.io"

Path = tuple[str, str] | tuple[str, str, str] | tuple[str, str, str, int | str]
"""A path of an Ingress: its text, type, Service (``chat``) and port (``http``)."""


def ingress(
    *paths: Path,
    annotations: dict[str, str] | None = None,
    hosts: tuple[str, ...] = ("",),
    default: str = "",
    more: tuple[Object, ...] = (),
) -> Manifests:
    """An Ingress with the same (path, pathType[, Service]) entries on each host, given by what stands before the
    test's own; ``default`` is the Service of its default backend.
    """
    return by_host(dict.fromkeys(hosts, paths) if paths else {}, annotations, default, more)


def by_host(
    rules: Mapping[str, tuple[Path, ...]],
    annotations: dict[str, str] | None = None,
    default: str = "",
    more: tuple[Object, ...] = (),
) -> Manifests:
    """An Ingress with a rule for each host."""

    def manifests(namespace: str, host: str) -> list[Object]:
        marks = {key: value.format(namespace=namespace) for key, value in (annotations or {}).items()}
        made = objects.ingress(
            rules=[
                objects.ingress_rule(*(objects.ingress_path(*path) for path in paths), host=before + host)
                for before, paths in rules.items()
            ],
            ingress_class=None,
            annotations=marks,
            defaultBackend=objects.backend(default) if default else None,
        )
        return [*copy.deepcopy(more), made]

    return manifests


def of_class(name: str, *paths: Path, annotations: dict[str, str] | None = None) -> Manifests:
    """An Ingress of a class that none of the test cluster's edges serves."""
    made = ingress(*paths, annotations=annotations)

    def manifests(namespace: str, host: str) -> list[Object]:
        objects_ = made(namespace, host)
        objects_[-1]["spec"]["ingressClassName"] = name
        return objects_

    return manifests


def forward(service: str) -> str:
    """An action of an ALB; its braces are doubled, because values of annotations are formats."""
    action = f'{{"type": "forward", "forwardConfig": {{"targetGroups": [{{"serviceName": "{service}", '
    return f'{action}"servicePort": "http"}}]}}}}'.replace("{", "{{").replace("}", "}}")


def behind(*middlewares: tuple[str, Object], path: str, use: str = "m") -> Manifests:
    """An Ingress whose requests pass Traefik Middleware ``use``, with the Middlewares (name, spec)."""
    route = ingress(
        (path, "Prefix"), annotations={f"{TRAEFIK}/router.middlewares": f"{{namespace}}-{use}@kubernetescrd"}
    )

    def manifests(namespace: str, host: str) -> list[Object]:
        return [*(objects.middleware(name, spec) for name, spec in middlewares), *route(namespace, host)]

    return manifests


ANY = "/chat(/|$)(.*)"
SPECIFIC = "ImplementationSpecific"
PASSED = {f"{F5}/websocket-services": "chat"}
# Braces are doubled: values of annotations are formats, for the namespace.
REWRITE_TRANSFORM = (
    '[{{"type": "url-rewrite", "urlRewriteConfig": {{"rewrites": [{{"regex": "^/chat/?(.*)$", "replace": "/$1"}}]}}}}]'
)
HTTPS_ACTION = '{{"type": "redirect", "redirectConfig": {{"protocol": "HTTPS", "port": "443"}}}}'

FORMS = (
    # The path left alone
    Form("prefix", "Ingress, `Prefix` `/chat`", ingress(("/chat", "Prefix")), CHAT, (T, N, C), in_gate=(C,)),
    Form("prefix-slash", "Ingress, `Prefix` `/chat/`", ingress(("/chat/", "Prefix")), CHAT, (T, N, C)),
    Form("nested", "Ingress, `Prefix` `/team/v1.0/chat`", ingress(("/team/v1.0/chat", "Prefix")),
         Roots("/team/v1.0/chat", "/team/v1.0/chat"), (T, N, C)),
    Form("root", "Ingress, `Prefix` `/`", ingress(("/", "Prefix")), Roots("/", ""), (T, N, C)),
    Form("no-path", "Ingress, no path", ingress(("", "ImplementationSpecific")), Roots("/", ""), (T, N, C)),
    Form("implementation-specific", "Ingress, `ImplementationSpecific` `/chat`",
         ingress(("/chat", "ImplementationSpecific")), CHAT, (T, N, C)),
    Form("number", "Ingress, the Service's port by number", ingress(("/chat", "Prefix", "chat", 80)), CHAT, (T, N, C)),
    Form("two-hosts", "Ingress, `/chat` on two hosts", ingress(("/chat", "Prefix"), hosts=("", "1.")), CHAT, (T, N, C)),
    Form("two-rules", "Ingress, `/chat` on one host, another app on another",
         by_host({"1.": (("/", "Prefix", "other"),), "": (("/chat", "Prefix"),)}), CHAT, (T, N, C)),
    Form("own-subpath", "Ingress, `/chat` and `/chat/ws`", ingress(("/chat", "Prefix"), ("/chat/ws", "Prefix")), CHAT,
         (T, N, C)),
    Form("second-service", "Ingress, `/chat`, and `/chat/ws` to a second Service of the same pods",
         ingress(("/chat", "Prefix"), ("/chat/ws", "Prefix", "second"), more=(SECOND,)), CHAT, (T, N, C)),
    Form("second-ingress", "Ingress, `/chat`, and `/chat/ws` in a second Ingress",
         together(ingress(("/chat", "Prefix")), ingress(("/chat/ws", "Prefix"))), CHAT, (T, N, C)),
    Form("second-ingress-without-login", "Ingress, `/`, and `/slack/events` in a second Ingress",
         together(ingress(("/", "Prefix")), ingress(("/slack/events", "Prefix"))), Roots("/", "")),
    Form("second-ingress-helper", "Ingress, `/chat`, and `Exact` `/ping` in a second Ingress, which is left out",
         together(ingress(("/chat", "Prefix")), ingress(("/ping", "Exact"))), CHAT, (T, C)),
    Form("second-ingress-elsewhere", "Ingress, `/chat`, and `/bot` in a second Ingress",
         together(ingress(("/chat", "Prefix")), ingress(("/bot", "Prefix"))), Reason.ROUTE_AMBIGUOUS),
    Form("exact-and-prefix", "Ingress, `Exact` `/chat` and `Prefix` `/chat/`",
         ingress(("/chat", "Exact"), ("/chat/", "Prefix")), CHAT, (T, N, C)),
    Form("neighbour", "Ingress, `/chat` beside another app at `/`",
         ingress(("/", "Prefix", "other"), ("/chat", "Prefix")), CHAT, (T, N, C)),
    Form("default-only", "Ingress, default backend only", ingress(default="chat"), Roots("/", ""), (C,), any_host=True),
    Form("default-beside", "Ingress, `/chat`, and another app as the default backend",
         ingress(("/chat", "Prefix"), default="other"), CHAT, (T, N)),
    # Blocked
    Form("exact", "Ingress, `Exact` `/chat`", ingress(("/chat", "Exact")), Reason.EXACT_PATH, (T, N, C),
         in_gate=(T,)),
    Form("two-paths", "Ingress, `/chat` and `/bot`", ingress(("/chat", "Prefix"), ("/bot", "Prefix")),
         Reason.SEVERAL_PATHS, (T, N, C), in_gate=(C,)),
    Form("two-paths-two-hosts", "Ingress, `/chat` on one host and `/bot` on another",
         by_host({"": (("/chat", "Prefix"),), "1.": (("/bot", "Prefix"),)}), Reason.SEVERAL_PATHS, (T, N, C)),
    Form("root-and-path", "Ingress, `/` and `/chat`", ingress(("/", "Prefix"), ("/chat", "Prefix")),
         Reason.SEVERAL_PATHS, (T, N, C)),
    Form("default-to-chat", "Ingress, default backend beside rules for another app",
         ingress(("/", "Prefix", "other"), default="chat"), Reason.ROUTE_NOT_FOUND),
    Form("space", "Ingress, `Prefix` `/a b`", ingress(("/a b", "Prefix")), Reason.PATH_NOT_SUPPORTED),
    Form("escape", "Ingress, `Prefix` `/my%20chat`", ingress(("/my%20chat", "Prefix")), Reason.PATH_NOT_SUPPORTED,
         (T, C)),
    Form("shadowed", "Ingress, `/chat`, and `/chat/ws` to another Service",
         ingress(("/chat", "Prefix"), ("/chat/ws", "Prefix", "other")), Reason.PATH_SHADOWED, (T, N, C)),
    Form("shadowed-beside", "Ingress, `/chat`, and another Ingress for `/chat/ws` to another Service",
         beside(ingress(("/chat", "Prefix")), ingress(("/chat/ws", "Prefix", "other"))), Reason.PATH_SHADOWED,
         (T, N, C)),
    Form("neighbours-beside", "Ingress, `/chat`, and another Ingress for `/` and `/chat/bot` to another Service",
         beside(ingress(("/chat", "Prefix")), ingress(("/", "Prefix", "other"), ("/chat/bot", "Prefix", "other"))),
         CHAT, (T, N, C)),
    Form("expression-unread", "Ingress, `ImplementationSpecific` `/chat(/\\|$)(.*)` without a word on expressions",
         ingress((ANY, "ImplementationSpecific")), Reason.REGULAR_EXPRESSION_PATH),
    Form("expression", "Ingress, `ImplementationSpecific` `/(chat\\|bot)`",
         ingress(("/(chat|bot)", "ImplementationSpecific")), Reason.REGULAR_EXPRESSION_PATH),
    Form("path-matcher", f"`{TRAEFIK}/router.pathmatcher: PathRegexp` on `/chat(/\\|$)`",
         ingress(("/chat(/|$)", "ImplementationSpecific"), annotations={f"{TRAEFIK}/router.pathmatcher": "PathRegexp"}),
         CHAT),
    Form("path-matcher-path", f"`{TRAEFIK}/router.pathmatcher: Path` on `ImplementationSpecific` `/chat`",
         ingress(("/chat", "ImplementationSpecific"), annotations={f"{TRAEFIK}/router.pathmatcher": "Path"}),
         Reason.EXACT_PATH),
    Form("path-matcher-prefix", "the same on `Prefix` `/chat`",
         ingress(("/chat", "Prefix"), annotations={f"{TRAEFIK}/router.pathmatcher": "Path"}), CHAT),
    Form("path-matcher-unknown", f"`{TRAEFIK}/router.pathmatcher: PathPrefixStrip`",
         ingress(("/chat", "ImplementationSpecific"),
                 annotations={f"{TRAEFIK}/router.pathmatcher": "PathPrefixStrip"}), Reason.ROUTE_NOT_ACCEPTED),
    # With Traefik Middlewares
    Form("second-ingress-stripped", "Middleware `stripPrefix` `/chat` on `/chat`, also on a second Ingress `/chat/ws`",
         together(behind(("m", {"stripPrefix": {"prefixes": ["/chat"]}}), path="/chat"), behind(path="/chat/ws")),
         STRIPPED),
    Form("second-ingress-not-stripped", "the same, and `/chat/ws` in a second Ingress without it",
         together(behind(("m", {"stripPrefix": {"prefixes": ["/chat"]}}), path="/chat"),
                  ingress(("/chat/ws", "Prefix"))), Reason.ROUTE_AMBIGUOUS),
    Form("strip", "Middleware `stripPrefix` `/chat`",
         behind(("m", {"stripPrefix": {"prefixes": ["/chat"]}}), path="/chat"), STRIPPED, in_gate=(T,)),
    Form("strip-parent", "Middleware `stripPrefix` `/team` on `/team/chat`",
         behind(("m", {"stripPrefix": {"prefixes": ["/team"]}}), path="/team/chat"), TEAM, in_gate=(T,)),
    Form("strip-first", "Middleware `stripPrefix` `/team`, `/team/chat` on `/team/chat`",
         behind(("m", {"stripPrefix": {"prefixes": ["/team", "/team/chat"]}}), path="/team/chat"), TEAM),
    Form("strip-regex", "Middleware `stripPrefixRegex` `/chat`",
         behind(("m", {"stripPrefixRegex": {"regex": ["/chat"]}}), path="/chat"), STRIPPED),
    Form("strip-regex-class", "Middleware `stripPrefixRegex` `/[a-z]+`",
         behind(("m", {"stripPrefixRegex": {"regex": ["/[a-z]+"]}}), path="/chat"), STRIPPED),
    Form("strip-regex-parent", "Middleware `stripPrefixRegex` `^/[a-z]+` on `/team/chat`",
         behind(("m", {"stripPrefixRegex": {"regex": ["^/[a-z]+"]}}), path="/team/chat"), TEAM),
    Form("strip-regex-look-around", "Middleware `stripPrefixRegex` `/chat(?=/)`",
         behind(("m", {"stripPrefixRegex": {"regex": ["/chat(?=/)"]}}), path="/chat"), Reason.REWRITE_UNKNOWN),
    Form("replace-path-regex", "Middleware `replacePathRegex` `^/chat/(.*)` → `/$1`",
         behind(("m", {"replacePathRegex": {"regex": "^/chat/(.*)", "replacement": "/$1"}}), path="/chat"), STRIPPED),
    Form("replace-path-regex-part", "Middleware `replacePathRegex` `^/chat(/\\|$)` → `/`",
         behind(("m", {"replacePathRegex": {"regex": "^/chat(/|$)", "replacement": "/"}}), path="/chat"), STRIPPED),
    Form("replace-path-regex-anywhere", "Middleware `replacePathRegex` `/chat/(.*)` → `/$1` on `/team/chat`",
         behind(("m", {"replacePathRegex": {"regex": "/chat/(.*)", "replacement": "/$1"}}), path="/team/chat"),
         Reason.REWRITE_NOT_SUPPORTED),
    Form("replace-path-regex-parent", "Middleware `replacePathRegex` `^/team` → nothing on `/team/chat`",
         behind(("m", {"replacePathRegex": {"regex": "^/team", "replacement": ""}}), path="/team/chat"), TEAM),
    Form("redirect-scheme", "Middleware `redirectRegex` from http to https",
         behind(("m", {"redirectRegex": {"regex": "^http://example.invalid/(.*)",
                                         "replacement": "https://example.invalid/$1"}}), path="/chat"), CHAT),
    Form("redirect-slash", "Middleware `redirectRegex` from `/chat` to `/chat/`",
         behind(("m", {"redirectRegex": {"regex": "^(http://[^/]+/chat)$", "replacement": "${1}/"}}), path="/chat"),
         CHAT),
    Form("redirect-elsewhere", "Middleware `redirectRegex` to another host",
         behind(("m", {"redirectRegex": {"regex": "^https?://[^/]+/(.*)", "replacement": "https://example.com/$1"}}),
                path="/chat"), Reason.REDIRECTED_BY_ROUTE, in_gate=(T,)),
    Form("redirect-socket", "Middleware `redirectRegex` of the socket's path",
         behind(("m", {"redirectRegex": {"regex": "^(http://[^/]+/chat)/ws/.*", "replacement": "${1}/"}}),
                path="/chat"), Reason.REDIRECTED_BY_ROUTE),
    Form("chain", "Middleware `chain` of headers and `stripPrefix`",
         behind(("m", {"chain": {"middlewares": [{"name": "headers"}, {"name": "strip"}]}}),
                ("headers", {"headers": {"customRequestHeaders": {"X-Team": "a"}}}),
                ("strip", {"stripPrefix": {"prefixes": ["/chat"]}}), path="/chat"), STRIPPED),
    Form("headers", "Middleware that leaves the path alone",
         behind(("m", {"headers": {"customRequestHeaders": {"X-Team": "a"}}}), path="/chat"), CHAT),
    Form("missing-middleware", "Middleware that does not exist", behind(path="/chat"), Reason.MIDDLEWARE_NOT_FOUND,
         in_gate=(T,)),
    Form("half-segment", "Middleware `stripPrefix` `/ch` on `/chat`",
         behind(("m", {"stripPrefix": {"prefixes": ["/ch"]}}), path="/chat"), Reason.REWRITE_NOT_SUPPORTED),
    Form("add-prefix", "Middleware `addPrefix` `/chat` on `/`",
         behind(("m", {"addPrefix": {"prefix": "/chat"}}), path="/"), Reason.REWRITE_NOT_SUPPORTED),
    Form("replace-path", "Middleware `replacePath` `/`",
         behind(("m", {"replacePath": {"path": "/"}}), path="/chat"), Reason.REWRITE_NOT_SUPPORTED),
    Form("foreign-chain", "Middleware `chain` of one that does not exist",
         behind(("m", {"chain": {"middlewares": [{"name": "missing"}]}}), path="/chat"), Reason.MIDDLEWARE_NOT_FOUND),
    # Annotations of ingress-nginx
    Form("nginx-strip", f"`{NGINX}/rewrite-target: /$2` on `/chat(/\\|$)(.*)`",
         ingress((ANY, "ImplementationSpecific"), annotations={f"{NGINX}/rewrite-target": "/$2"}), STRIPPED, (N,),
         in_gate=(N,)),
    Form("nginx-strip-regex", f"the same with `{NGINX}/use-regex`",
         ingress((ANY, "ImplementationSpecific"),
                 annotations={f"{NGINX}/rewrite-target": "/$2", f"{NGINX}/use-regex": "true"}), STRIPPED, (N,)),
    Form("nginx-strip-slash", f"`{NGINX}/rewrite-target: /$1` on `/chat/?(.*)`",
         ingress(("/chat/?(.*)", "ImplementationSpecific"), annotations={f"{NGINX}/rewrite-target": "/$1"}), STRIPPED,
         (N,)),
    Form("nginx-canary", f"Ingress, `/chat`, and another Ingress with `{NGINX}/canary-weight` to another Service",
         beside(ingress(("/chat", "Prefix")),
                ingress(("/chat", "Prefix", "other"),
                        annotations={f"{NGINX}/canary": "true", f"{NGINX}/canary-weight": "10"})),
         Reason.BACKEND_SHARED, (N,)),
    Form("nginx-strip-parent", f"`{NGINX}/rewrite-target: /chat/$2` on `/team/chat(/\\|$)(.*)`",
         ingress(("/team/chat(/|$)(.*)", "ImplementationSpecific"),
                 annotations={f"{NGINX}/rewrite-target": "/chat/$2"}), TEAM, (N,)),
    Form("nginx-keep", f"`{NGINX}/rewrite-target: /chat/$2` on `/chat(/\\|$)(.*)`",
         ingress((ANY, "ImplementationSpecific"), annotations={f"{NGINX}/rewrite-target": "/chat/$2"}), CHAT, (N,)),
    Form("nginx-target-is-path", f"`{NGINX}/rewrite-target: /` on `/`",
         ingress(("/", "Prefix"), annotations={f"{NGINX}/rewrite-target": "/"}), Roots("/", ""), (N,)),
    Form("nginx-regex", f"`{NGINX}/use-regex` on `/chat.*`",
         ingress(("/chat.*", "ImplementationSpecific"), annotations={f"{NGINX}/use-regex": "true"}), CHAT, (N,)),
    Form("nginx-regex-groups", f"`{NGINX}/use-regex` on `/chat(/\\|$)(.*)`",
         ingress((ANY, "ImplementationSpecific"), annotations={f"{NGINX}/use-regex": "true"}), CHAT, (N,)),
    Form("nginx-other", f"`{NGINX}/rewrite-target: /other/$2` on `/chat(/\\|$)(.*)`",
         ingress((ANY, "ImplementationSpecific"), annotations={f"{NGINX}/rewrite-target": "/other/$2"}),
         Reason.REWRITE_NOT_SUPPORTED, (N,)),
    Form("nginx-mangled", f"`{NGINX}/rewrite-target: /` on `/chat`",
         ingress(("/chat", "Prefix"), annotations={f"{NGINX}/rewrite-target": "/"}), Reason.REWRITE_NOT_SUPPORTED,
         (N,), in_gate=(N,)),
    Form("nginx-snippet", f"`{NGINX}/configuration-snippet` with a `rewrite`",
         ingress(("/chat", "Prefix"),
                 annotations={f"{NGINX}/configuration-snippet": "rewrite ^/chat/(.*)$ /$1 break;"}),
         Reason.REWRITE_UNKNOWN, (), documented="ingress-nginx"),
    Form("nginx-expression-prefix", f"`{NGINX}/rewrite-target: /$2` on `/chat(/\\|$)(.*)` with type `Prefix`",
         ingress((ANY, "Prefix"), annotations={f"{NGINX}/rewrite-target": "/$2"}), STRIPPED, (),
         documented="ingress-nginx before 1.12, with a warning for later releases"),
    Form("nginx-expression-exact", f"`{NGINX}/use-regex` on `/chat(/\\|$)(.*)` with type `Exact`",
         ingress((ANY, "Exact"), annotations={f"{NGINX}/use-regex": "true"}), CHAT, (),
         documented="ingress-nginx before 1.12, with a warning for later releases"),
    Form("nginx-plus", f"`{NGINX}/use-regex` on `/chat(/.+)?`",
         ingress(("/chat(/.+)?", "ImplementationSpecific"), annotations={f"{NGINX}/use-regex": "true"}), CHAT, (N,)),
    Form("nginx-start", f"`{NGINX}/use-regex` on `/chat(/\\|$)`",
         ingress(("/chat(/|$)", "ImplementationSpecific"), annotations={f"{NGINX}/use-regex": "true"}), CHAT, (N,)),
    Form("nginx-keep-group", f"`{NGINX}/rewrite-target: /$1` on `/(chat/.*)`",
         ingress(("/(chat/.*)", "ImplementationSpecific"), annotations={f"{NGINX}/rewrite-target": "/$1"}), CHAT, (N,),
         in_gate=(N,)),
    Form("nginx-strip-parent-group", f"`{NGINX}/rewrite-target: /$1` on `/team/(chat.*)`",
         ingress(("/team/(chat.*)", "ImplementationSpecific"), annotations={f"{NGINX}/rewrite-target": "/$1"}), TEAM,
         (N,)),
    Form("nginx-not-captured", f"`{NGINX}/rewrite-target: /$1` on `/chat(?:/(.*))?`",
         ingress(("/chat(?:/(.*))?", "ImplementationSpecific"), annotations={f"{NGINX}/rewrite-target": "/$1"}),
         STRIPPED, (N,)),
    Form("nginx-empty-group", f"`{NGINX}/rewrite-target: /$2` on `/chat()/?(.*)`",
         ingress(("/chat()/?(.*)", "ImplementationSpecific"), annotations={f"{NGINX}/rewrite-target": "/$2"}), STRIPPED,
         (N,)),
    Form("nginx-class", f"`{NGINX}/use-regex` on `/[cC]hat.*`",
         ingress(("/[cC]hat.*", "ImplementationSpecific"), annotations={f"{NGINX}/use-regex": "true"}),
         Reason.REGULAR_EXPRESSION_PATH, (N,)),
    Form("nginx-look-around", f"`{NGINX}/use-regex` on `/chat(?!/private).*`",
         ingress(("/chat(?!/private).*", "ImplementationSpecific"), annotations={f"{NGINX}/use-regex": "true"}),
         Reason.REGULAR_EXPRESSION_PATH, (), documented="ingress-nginx"),
    Form("nginx-alternatives", f"`{NGINX}/use-regex` on `/(chat\\|bot)`",
         ingress(("/(chat|bot)", "ImplementationSpecific"), annotations={f"{NGINX}/use-regex": "true"}),
         Reason.SEVERAL_PATHS, (N,)),
    Form("nginx-alternatives-strip", f"`{NGINX}/rewrite-target: /$3` on `/(chat\\|bot)(/\\|$)(.*)`",
         ingress(("/(chat|bot)(/|$)(.*)", "ImplementationSpecific"), annotations={f"{NGINX}/rewrite-target": "/$3"}),
         Reason.SEVERAL_PATHS, (N,)),
    Form("nginx-permanent-redirect", f"`{NGINX}/permanent-redirect`",
         ingress(("/chat", "Prefix"), annotations={f"{NGINX}/permanent-redirect": "https://example.com"}),
         Reason.REDIRECTED_BY_ROUTE, (N,)),
    Form("nginx-temporal-redirect", f"`{NGINX}/temporal-redirect`",
         ingress(("/chat", "Prefix"), annotations={f"{NGINX}/temporal-redirect": "https://example.com"}),
         Reason.REDIRECTED_BY_ROUTE, (N,)),
    Form("nginx-app-root", f"`{NGINX}/app-root: /chat` on `/`",
         ingress(("/", "Prefix"), annotations={f"{NGINX}/app-root": "/chat"}), Reason.REDIRECTED_BY_ROUTE, (N,)),
    Form("nginx-app-root-beside", f"`{NGINX}/app-root: /chat/` on `/chat`",
         ingress(("/chat", "Prefix"), annotations={f"{NGINX}/app-root": "/chat/"}), CHAT, (N,)),
    # Contour
    Form("contour-regex", "Ingress of Contour, `ImplementationSpecific` `/chat.*`",
         ingress(("/chat.*", "ImplementationSpecific")), CHAT, (C,)),
    Form("contour-sockets-only", f"Ingress of Contour, `/chat` and `/chat/ws`, `{SOCKETS}: /chat/ws`",
         ingress(("/chat", "Prefix"), ("/chat/ws", "Prefix"), annotations={SOCKETS: "/chat/ws"}), CHAT, (C,)),
    Form("contour-no-sockets", f"Ingress of Contour, `/chat` without `{SOCKETS}`",
         ingress(("/chat", "Prefix")), Reason.WEB_SOCKET_NOT_ENABLED, (C,), in_gate=(C,)),
    Form("contour-other-sockets", f"Ingress of Contour, `/chat` with `{SOCKETS}: /chat/`",
         ingress(("/chat", "Prefix"), annotations={SOCKETS: "/chat/"}), Reason.WEB_SOCKET_NOT_ENABLED, (C,)),
    Form("contour-alternatives", "Ingress of Contour, `ImplementationSpecific` `/(chat\\|bot).*`",
         ingress(("/(chat|bot).*", "ImplementationSpecific")), Reason.SEVERAL_PATHS, (C,)),
    # Ingress controllers that this project's cluster does not have
    Form("f5-strip", f"`{F5}/rewrites: serviceName=chat rewrite=/` on `/chat/`",
         ingress(("/chat/", "Prefix"), annotations={f"{F5}/rewrites": "serviceName=chat rewrite=/", **PASSED}),
         STRIPPED, (), documented="F5 NGINX"),
    Form("f5-sockets", f"Ingress of class `f5` with `{F5}/websocket-services: chat`",
         of_class("f5", ("/chat", "Prefix"), annotations=PASSED), CHAT, (), documented="F5 NGINX"),
    Form("f5-no-sockets", f"Ingress of class `f5` without `{F5}/websocket-services`",
         of_class("f5", ("/chat", "Prefix")), Reason.WEB_SOCKET_NOT_ENABLED, (), documented="F5 NGINX"),
    Form("f5-other-sockets", f"`{F5}/websocket-services` for another Service",
         ingress(("/chat", "Prefix"), annotations={f"{F5}/websocket-services": "other"}),
         Reason.WEB_SOCKET_NOT_ENABLED, (), documented="F5 NGINX"),
    Form("f5-strip-open", f"`{F5}/rewrites: serviceName=chat rewrite=/` on `/chat`",
         ingress(("/chat", "Prefix"), annotations={f"{F5}/rewrites": "serviceName=chat rewrite=/"}),
         Reason.REWRITE_UNKNOWN, (), documented="F5 NGINX"),
    Form("f5-target", f"`{F5}/rewrite-target: /$1`",
         ingress(("/chat/(.*)", "ImplementationSpecific"),
                 annotations={f"{F5}/rewrite-target": "/$1", f"{F5}/path-regex": "case_sensitive"}),
         Reason.REWRITE_UNKNOWN, (), documented="F5 NGINX"),
    Form("kong-strip", f"`{KONG}/strip-path: true`",
         ingress(("/chat", "Prefix"), annotations={f"{KONG}/strip-path": "true"}), STRIPPED, (), documented="Kong"),
    Form("kong-keep", f"`{KONG}/strip-path: false`",
         ingress(("/chat", "Prefix"), annotations={f"{KONG}/strip-path": "false"}), CHAT, (), documented="Kong"),
    Form("kong-rewrite", f"`{KONG}/rewrite: /$1`",
         ingress(("/chat", "Prefix"), annotations={f"{KONG}/rewrite": "/$1"}), Reason.REWRITE_UNKNOWN, (),
         documented="Kong"),
    Form("kong-expression", "Ingress of Kong, `ImplementationSpecific` `/~/chat/(.*)`",
         ingress(("/~/chat/(.*)", "ImplementationSpecific")), Reason.REGULAR_EXPRESSION_PATH, (), documented="Kong"),
    Form("haproxy-ingress-strip", f"`{HAPROXY_INGRESS}/rewrite-target: /`",
         ingress(("/chat", "Prefix"), annotations={f"{HAPROXY_INGRESS}/rewrite-target": "/"}), STRIPPED, (),
         documented="haproxy-ingress"),
    Form("haproxy-strip", f"`{HAPROXY}/path-rewrite: /chat/(.*) /\\1`",
         ingress(("/chat", "Prefix"), annotations={f"{HAPROXY}/path-rewrite": "/chat/(.*) /\\1"}), STRIPPED, (),
         documented="HAProxy"),
    Form("haproxy-constant", f"`{HAPROXY}/path-rewrite: /`",
         ingress(("/chat", "Prefix"), annotations={f"{HAPROXY}/path-rewrite": "/"}), Reason.REWRITE_NOT_SUPPORTED, (),
         documented="HAProxy"),
    Form("haproxy-anywhere", f"`{HAPROXY}/path-rewrite: /chat/(.*) /\\1` on `/team/chat`",
         ingress(("/team/chat", "Prefix"), annotations={f"{HAPROXY}/path-rewrite": "/chat/(.*) /\\1"}),
         Roots("/team/chat", "", "/team/chat"), (), documented="HAProxy"),
    *(
        Form(name, f"Ingress of class `azure-application-gateway`, `ImplementationSpecific` {shown}",
             of_class("azure-application-gateway", *paths, annotations=annotations), answer, (),
             documented="Application Gateway")
        for name, shown, paths, annotations, answer in (
            ("azure-star", "`/chat*`", [("/chat*", SPECIFIC)], {}, CHAT),
            ("azure-slash-star", "`/chat/*`", [("/chat/*", SPECIFIC)], {}, CHAT),
            ("azure-both", "`/chat` and `/chat/*`", [("/chat", SPECIFIC), ("/chat/*", SPECIFIC)], {}, CHAT),
            ("azure-all", "`/*`", [("/*", SPECIFIC)], {}, Roots("/", "")),
            ("azure-plain", "`/chat`", [("/chat", SPECIFIC)], {}, Reason.EXACT_PATH),
            ("azure-star-strip", f"`/chat/*` with `{AZURE}/backend-path-prefix: /`", [("/chat/*", SPECIFIC)],
             {f"{AZURE}/backend-path-prefix": "/"}, STRIPPED),
        )
    ),
    Form("azure-prefix", f"`{AZURE}/backend-path-prefix: /`",
         ingress(("/chat", "Prefix"), annotations={f"{AZURE}/backend-path-prefix": "/"}), STRIPPED, (),
         documented="Application Gateway"),
    Form("azure-prefix-star", "Ingress of class `azure-application-gateway`, `Prefix` `/chat/*`",
         of_class("azure-application-gateway", ("/chat/*", "Prefix")), CHAT, (), documented="Application Gateway"),
    Form("azure-parent", f"`{AZURE}/backend-path-prefix: /chat/` on `/team/chat`",
         ingress(("/team/chat", "Prefix"), annotations={f"{AZURE}/backend-path-prefix": "/chat/"}), TEAM, (),
         documented="Application Gateway"),
    Form("azure-other", f"`{AZURE}/backend-path-prefix: /other/`",
         ingress(("/chat", "Prefix"), annotations={f"{AZURE}/backend-path-prefix": "/other/"}),
         Reason.REWRITE_NOT_SUPPORTED, (), documented="Application Gateway"),
    Form("azure-rule-set", f"`{AZURE}/rewrite-rule-set`",
         ingress(("/chat", "Prefix"), annotations={f"{AZURE}/rewrite-rule-set": "a"}), Reason.REWRITE_UNKNOWN, (),
         documented="Application Gateway"),
    Form("aws-transform", f"`{AWS}/transforms.chat` with a `url-rewrite`",
         ingress(("/chat", "Prefix"), annotations={f"{AWS}/transforms.chat": '[{{"type": "url-rewrite"}}]'}),
         Reason.REWRITE_UNKNOWN, (), documented="AWS Load Balancer Controller"),
    Form("aws-strip", f"`{AWS}/transforms.chat` with a `url-rewrite` of `^/chat/?(.*)$` to `/$1`",
         of_class("alb", ("/chat", "Prefix"), annotations={f"{AWS}/transforms.chat": REWRITE_TRANSFORM}), STRIPPED, (),
         documented="AWS Load Balancer Controller"),
    Form("aws-prefix", "Ingress of class `alb`, `Prefix` `/chat`", of_class("alb", ("/chat", "Prefix")), CHAT, (),
         documented="AWS Load Balancer Controller"),
    *(
        Form(name, f"Ingress of class `alb`, `ImplementationSpecific` {shown}", of_class("alb", *paths), answer, (),
             documented="AWS Load Balancer Controller")
        for name, shown, paths, answer in (
            ("aws-all", "`/*`", [("/*", SPECIFIC)], Roots("/", "")),
            ("aws-below", "`/chat/*`", [("/chat/*", SPECIFIC)], CHAT),
            ("aws-star", "`/chat*`", [("/chat*", SPECIFIC)], CHAT),
            ("aws-both", "`/chat` and `/chat/*`", [("/chat", SPECIFIC), ("/chat/*", SPECIFIC)], CHAT),
            ("aws-plain", "`/chat`", [("/chat", SPECIFIC)], Reason.EXACT_PATH),
            ("aws-inside", "`/*/chat/*`", [("/*/chat/*", SPECIFIC)], Reason.REGULAR_EXPRESSION_PATH),
            ("aws-character", "`/cha?/*`", [("/cha?/*", SPECIFIC)], Reason.REGULAR_EXPRESSION_PATH),
            ("aws-after", "`/chat/*`, and `/*` to another Service after it",
             [("/chat/*", SPECIFIC), ("/*", SPECIFIC, "other")], CHAT),
            ("aws-before", "`/chat/*`, and `/*` to another Service before it",
             [("/*", SPECIFIC, "other"), ("/chat/*", SPECIFIC)], Reason.PATH_SHADOWED),
            ("aws-sockets-after", "`/chat/*`, and `/chat/ws/*` to another Service after it",
             [("/chat/*", SPECIFIC), ("/chat/ws/*", SPECIFIC, "other")], CHAT),
        )
    ),
    Form("aws-prefix-star", "Ingress of class `alb`, `Prefix` `/chat/*`", of_class("alb", ("/chat/*", "Prefix")),
         Reason.ROUTE_NOT_ACCEPTED, (), documented="AWS Load Balancer Controller"),
    *(
        Form(name, f"Ingress of class `alb`, `/chat` beside `actions.home` at `/`, {shown}",
             of_class("alb", ("/", "Prefix", "home", "use-annotation"), ("/chat", "Prefix"),
                      annotations={f"{AWS}/actions.home": action}), answer, (),
             documented="AWS Load Balancer Controller")
        for name, shown, action, answer in (
            ("aws-https", "a redirect to https", HTTPS_ACTION, CHAT),
            ("aws-forward", "which forwards to another Service", forward("other"), CHAT),
            ("aws-forward-to-it", "which forwards to the same Service", forward("chat"),
             Reason.SEVERAL_PATHS),
        )
    ),
    Form("aws-response", "Ingress of class `alb`, `/chat`, and a fixed response at `/chat/ws`",
         of_class("alb", ("/chat", "Prefix"), ("/chat/ws", "Prefix", "home", "use-annotation"),
                  annotations={f"{AWS}/actions.home": '{{"type": "fixed-response"}}'}), Reason.PATH_SHADOWED, (),
         documented="AWS Load Balancer Controller"),
    Form("aws-action", "Ingress of class `alb`, `/chat` by an action that forwards to the Service",
         of_class("alb", ("/chat", "Prefix", "home", "use-annotation"),
                  annotations={f"{AWS}/actions.home": forward("chat")}), CHAT, (),
         documented="AWS Load Balancer Controller"),
    Form("aws-header", "Ingress of class `alb`, `/chat` with `conditions.chat` on a header",
         of_class("alb", ("/chat", "Prefix"), annotations={f"{AWS}/conditions.chat": '[{{"field": "http-header"}}]'}),
         Reason.CONDITIONAL_MATCH, (), documented="AWS Load Balancer Controller"),
    *(
        Form(name, f"Ingress of class `gce`, `ImplementationSpecific` {shown}", of_class("gce", *paths), answer, (),
             documented="GKE")
        for name, shown, paths, answer in (
            ("gke-all", "`/*`", [("/*", SPECIFIC)], Roots("/", "")),
            ("gke-below", "`/chat/*`", [("/chat/*", SPECIFIC)], CHAT),
            ("gke-both", "`/chat` and `/chat/*`", [("/chat", SPECIFIC), ("/chat/*", SPECIFIC)], CHAT),
            ("gke-plain", "`/chat`", [("/chat", SPECIFIC)], Reason.EXACT_PATH),
        )
    ),
    Form("openshift-strip", f"`{ROUTER}/rewrite-target: /`",
         ingress(("/chat", "Prefix"), annotations={f"{ROUTER}/rewrite-target": "/"}), STRIPPED, (),
         documented="OpenShift"),
    Form("openshift-parent", f"`{ROUTER}/rewrite-target: /chat` on `/team/chat`",
         ingress(("/team/chat", "Prefix"), annotations={f"{ROUTER}/rewrite-target": "/chat"}), TEAM, (),
         documented="OpenShift"),
    Form("openshift-other", f"`{ROUTER}/rewrite-target: /other`",
         ingress(("/chat", "Prefix"), annotations={f"{ROUTER}/rewrite-target": "/other"}),
         Reason.REWRITE_NOT_SUPPORTED, (), documented="OpenShift"),
    Form("openshift-slash", f"`{ROUTER}/rewrite-target: /chat/` on `/team/chat`",
         ingress(("/team/chat", "Prefix"), annotations={f"{ROUTER}/rewrite-target": "/chat/"}),
         Reason.REWRITE_NOT_SUPPORTED, (), documented="OpenShift"),
    Form("foreign-annotations", f"Ingress of class `alb` with `{NGINX}/rewrite-target: /`",
         of_class("alb", ("/chat", "Prefix"), annotations={f"{NGINX}/rewrite-target": "/"}), CHAT, (),
         documented="AWS Load Balancer Controller"),
    Form("apisix-target", f"`{APISIX}/rewrite-target: /`",
         ingress(("/chat", "Prefix"), annotations={f"{APISIX}/rewrite-target": "/"}), Reason.REWRITE_UNKNOWN, (),
         documented="APISIX"),
    Form("foreign-middleware", "Traefik middleware of another provider (`strip@file`)",
         ingress(("/chat", "Prefix"), annotations={f"{TRAEFIK}/router.middlewares": "strip@file"}),
         Reason.REWRITE_UNKNOWN, (), documented="Traefik"),
)  # fmt: skip
