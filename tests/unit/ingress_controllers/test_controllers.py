"""What annotations mean to each ingress controller: one table for each of their files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.objects import backend, ingress, ingress_path, ingress_rule, service, stored
from tests.records import record

from chainlit_operator.domain.expressions import ANY_STYLE, ANYWHERE, WHOLE, Style
from chainlit_operator.domain.model import (
    Attachment,
    Canary,
    Dependency,
    Matching,
    Origin,
    Precedence,
    Route,
    RouteOrder,
    RoutePath,
    WebSocketRefusal,
)
from chainlit_operator.domain.redirects import RedirectAll, RedirectRoot
from chainlit_operator.domain.rewrites import ReplaceFullPath, ReplacePrefixMatch, RewriteWholePath, Transform, Unknown
from chainlit_operator.domain.route_warnings import (
    Advice,
    HealthCheck,
    HealthCheckKeys,
    NeedsNodePort,
    ProbedHealthCheck,
    RouteWarning,
)
from chainlit_operator.ingress_controllers import ingress_nginx, registry
from chainlit_operator.ingress_controllers.shared.controller import means_nothing

CHAT, ANY = "/chat", "/chat(/|$)(.*)"
REGEX = Matching.REGULAR_EXPRESSION
NGINX, F5, CONTOUR = "nginx.ingress.kubernetes.io", "nginx.org", "projectcontour.io"
SNIPPET, SOCKETS = f"{NGINX}/configuration-snippet", f"{CONTOUR}/websocket-routes"
MIDDLEWARES = "traefik.ingress.kubernetes.io/router.middlewares"
MATCHER = "traefik.ingress.kubernetes.io/router.pathmatcher"
REFUSED = (
    "Since release 1.12, ingress-nginx refuses the regular expression /chat(/|$)(.*) with pathType {}. Set pathType to "
    "ImplementationSpecific."
)
PERMANENT = RedirectAll(f"the annotation {NGINX}/permanent-redirect", "https://a.example")
REWRITE = "haproxy.org/path-rewrite"
ALB, AZURE, ROUTER = "alb.ingress.kubernetes.io", "appgw.ingress.kubernetes.io", "haproxy.router.openshift.io"
TRANSFORMS, TERMINATION = f"{ALB}/transforms", "route.openshift.io/termination"
ROUTED_BY = "traefik.ingress.kubernetes.io/router"
WEB_SOCKETS = "nginx.org/websocket-services"
PASSED = {WEB_SOCKETS: "chat"}
ADDRESS = "192.0.2.7"
NO_HOST = "Give each rule of the Ingress a host."
HTTP, HTTPS = Origin("", is_secure=False, address=ADDRESS), Origin("", is_secure=True, address=ADDRESS)
EXACT, WILDCARD = Matching.EXACT, Matching.WILDCARD
AWS_CHECK = HealthCheckKeys(f"{ALB}/healthcheck-path", f"{ALB}/healthcheck-port", f"{ALB}/success-codes")
BY_NODE = NeedsNodePort(f"{ALB}/target-type", "", "instance", "ip")
AT_ROOT = HealthCheck(AWS_CHECK, "/")
AZURE_CHECK = HealthCheckKeys(
    f"{AZURE}/health-probe-path", f"{AZURE}/health-probe-port", f"{AZURE}/health-probe-status-codes"
)
PROBED = ProbedHealthCheck("cloud.google.com/backend-config", "BackendConfig", "healthCheck.requestPath")
TO_HTTPS = '{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}'
ELSEWHERE = '{"type": "redirect", "redirectConfig": {"protocol": "HTTPS", "host": "other.example"}}'


@dataclass(frozen=True)
class Case:
    """Annotations of an Ingress with one path of type ImplementationSpecific, and the meaning of them."""

    annotations: dict[str, str]
    path: str = CHAT
    matching: Matching = Matching.PREFIX
    transforms: tuple[Transform, ...] = ()
    middlewares: tuple[str, ...] = ()
    refusal: WebSocketRefusal | None = None
    refuses_web_socket: bool = False
    canary: Canary = Canary.NONE
    is_sticky: bool = False
    class_name: str = ""
    kind: str = field(default="Ingress", kw_only=True)
    origins: tuple[Origin, ...] | None = None
    """None for those of the kind."""
    warnings: tuple[RouteWarning, ...] = ()
    host: str = ""
    refused: str = ""


def url_rewrite(regex: str, replace: str) -> str:
    rewrites = f'{{"rewrites": [{{"regex": "{regex}", "replace": "{replace}"}}]}}'
    return f'[{{"type": "url-rewrite", "urlRewriteConfig": {rewrites}}}]'


def refused_by_f5(value: str) -> WebSocketRefusal:
    return WebSocketRefusal("F5 NGINX", f"Set its annotation nginx.org/websocket-services to {value}.")


def unclear(key: str, value: str) -> tuple[Unknown, ...]:
    return (Unknown(f"the annotation {key}: {value}"),)


TABLES: dict[str, list[Case]] = {
    "traefik": [
        Case({MIDDLEWARES: "shop-strip@kubernetescrd"}, middlewares=("shop-strip",)),
        Case({MIDDLEWARES: "a-b@kubernetescrd, c-d@kubernetescrd"}, middlewares=("a-b", "c-d")),
        Case({MIDDLEWARES: "strip@file"}, transforms=(Unknown("Traefik middleware strip@file"),)),
        Case({MIDDLEWARES: "a@file,b@file"}, transforms=(Unknown("Traefik middleware a@file"),)),
        Case({MIDDLEWARES: "strip"}, transforms=(Unknown("Traefik middleware strip"),)),
        Case({MIDDLEWARES: ""}),
        Case({MATCHER: "PathPrefix"}, ANY),
        Case({MATCHER: "Path"}, matching=Matching.EXACT),
        Case({MATCHER: "PathRegexp"}, ANY, REGEX),
        Case({MATCHER: ""}, ANY, Matching.UNKNOWN),
        Case({MATCHER: "Path", MIDDLEWARES: "shop-strip@kubernetescrd"}, matching=Matching.EXACT,
             middlewares=("shop-strip",)),
        Case({MIDDLEWARES: "shop-strip@kubernetescrd"}, kind="HTTPRoute"),
        Case({f"{ROUTED_BY}.tls": "true"}, origins=(HTTPS,)),
        Case({f"{ROUTED_BY}.tls.certresolver": "le"}, origins=(HTTPS,)),
        Case({f"{ROUTED_BY}.tls": "false", f"{ROUTED_BY}.tls.certresolver": "le"}),
        Case({f"{ROUTED_BY}.tls": "false"}),
        Case({f"{ROUTED_BY}.entrypoints": "websecure"}, origins=(HTTPS,)),
        Case({f"{ROUTED_BY}.entrypoints": " websecure , https,"}, origins=(HTTPS,)),
        Case({f"{ROUTED_BY}.entrypoints": "web, websecure"}),
        Case({f"{ROUTED_BY}.entrypoints": ""}),
        Case({f"{ROUTED_BY}.entrypoints": "web"}, class_name="traefik"),
        Case({f"{ROUTED_BY}.tls": "true"}, class_name="nginx"),
    ],
    "ingress_nginx": [
        Case({f"{NGINX}/use-regex": "true"}, ANY, REGEX),
        Case({f"{NGINX}/use-regex": "True"}, ANY, REGEX),
        Case({f"{NGINX}/use-regex": "yes"}, ANY, Matching.UNKNOWN),
        Case({f"{NGINX}/use-regex": "true"}, CHAT, Matching.PREFIX),
        Case({f"{NGINX}/rewrite-target": "/$2"}, ANY, REGEX, (RewriteWholePath(ANY, "/$2", ignores_case=True),)),
        Case({f"{NGINX}/rewrite-target": "/"}, CHAT, Matching.PREFIX,
             (RewriteWholePath(CHAT, "/", ignores_case=True),)),
        Case({f"{NGINX}/rewrite-target": CHAT}),
        Case({f"{NGINX}/permanent-redirect": "https://a.example"}, transforms=(PERMANENT,)),
        Case({f"{NGINX}/temporal-redirect": "/b", f"{NGINX}/permanent-redirect": "https://a.example"},
             transforms=(RedirectAll(f"the annotation {NGINX}/temporal-redirect", "/b"), PERMANENT)),
        Case({f"{NGINX}/app-root": "/chat/"},
             transforms=(RedirectRoot(f"the annotation {NGINX}/app-root", "/chat/"),)),
        Case({f"{NGINX}/app-root": "", f"{NGINX}/permanent-redirect": ""}),
        Case({f"{NGINX}/force-ssl-redirect": "true"}, origins=(HTTPS, HTTP)),
        Case({f"{NGINX}/force-ssl-redirect": "false"}),
        Case({f"{NGINX}/rewrite-target": "/"}, class_name="traefik"),
        Case({f"{NGINX}/canary": "true"}, canary=Canary.BY_REQUEST),
        Case({f"{NGINX}/canary": "true", f"{NGINX}/canary-by-header": "x"}, canary=Canary.BY_REQUEST),
        Case({f"{NGINX}/canary": "true", f"{NGINX}/canary-weight": "0"}, canary=Canary.BY_REQUEST),
        Case({f"{NGINX}/canary": "true", f"{NGINX}/canary-weight": "10"}, canary=Canary.BY_WEIGHT),
        Case({f"{NGINX}/canary": "false", f"{NGINX}/canary-weight": "10"}),
        Case({f"{NGINX}/affinity": "cookie"}, is_sticky=True),
        Case({f"{NGINX}/affinity": "cookie", f"{NGINX}/affinity-canary-behavior": "sticky"}, is_sticky=True),
        Case({f"{NGINX}/affinity": "cookie", f"{NGINX}/affinity-canary-behavior": "legacy"}),
        Case({f"{NGINX}/affinity": ""}),
    ],
    "f5_nginx": [
        Case({f"{F5}/rewrites": "serviceName=x rewrite=/y; serviceName=chat rewrite=/", **PASSED}, "/chat/",
             transforms=(ReplacePrefixMatch("/"),)),
        Case({f"{F5}/rewrites": "serviceName=chat rewrite=/", **PASSED},
             transforms=(Unknown("the annotation nginx.org/rewrites for a path with another end"),)),
        Case({f"{F5}/rewrites": "serviceName=x rewrite=/y", **PASSED}),
        Case({f"{F5}/rewrites": "serviceName=chat; rewrite=/", **PASSED}, "/chat/"),
        Case({f"{F5}/rewrites": "serviceName=chat rewrite=/; serviceName=chat rewrite=/x; serviceName=y rewrite=/",
              **PASSED}, "/chat/",
             transforms=(Unknown("the annotation nginx.org/rewrites with several rewrites for a Service"),)),
        Case({f"{F5}/rewrites": "serviceName=chat rewrite=/;" * 3, **PASSED}, "/chat/",
             transforms=(ReplacePrefixMatch("/"),)),
        Case({f"{F5}/path-regex": "exact", **PASSED}, ANY, REGEX, unclear(f"{F5}/path-regex", "exact")),
        Case({f"{F5}/path-regex": "false", **PASSED}),
        Case({}, class_name="f5", refusal=refused_by_f5("chat")),
        Case({}, class_name="nginx-plus", refusal=refused_by_f5("chat")),
        Case({WEB_SOCKETS: "shop, bot ,"}, refusal=refused_by_f5("shop,bot,chat")),
        Case({WEB_SOCKETS: " chat "}, class_name="f5"),
        Case({f"{F5}/proxy-read-timeout": "1h"}, class_name="nginx", refusal=refused_by_f5("chat")),
        Case({"nginx.com/sticky-cookie-services": "serviceName=chat a"}, refusal=refused_by_f5("chat")),
        Case({}, class_name="nginx"),
        Case({f"{F5}/proxy-read-timeout": "1h", f"{NGINX}/proxy-read-timeout": "1h"}, class_name="nginx"),
        Case({f"{F5}/proxy-read-timeout": "1h", f"{NGINX}/proxy-read-timeout": "1h"}, class_name="f5",
             refusal=refused_by_f5("chat")),
        Case({f"{F5}/location-snippets": "proxy_set_header Upgrade $http_upgrade;"}, class_name="f5"),
        Case({f"{F5}/server-snippets": "proxy_set_header Upgrade $http_upgrade;"}, class_name="f5"),
        Case({f"{F5}/redirect-to-https": "true", **PASSED}, origins=(HTTPS, HTTP)),
        Case({f"{F5}/redirect-to-https": "false", **PASSED}),
    ],
    "contour": [
        Case({}, refuses_web_socket=True, class_name="contour"),
        Case({SOCKETS: CHAT}, class_name="contour"),
        Case({SOCKETS: "/chat/"}, refuses_web_socket=True, class_name="contour"),
        Case({SOCKETS: "/bot, /chat"}, class_name="contour"),
        Case({SOCKETS: "/"}, "/", class_name="contour"),
        Case({}, "/chat.*", REGEX, refuses_web_socket=True, class_name="contour"),
        Case({}, "/chat(a)", Matching.PREFIX, refuses_web_socket=True, class_name="contour"),
        Case({}, "/~/chat", Matching.PREFIX, refuses_web_socket=True, class_name="contour"),
        Case({SOCKETS: "/bot"}, refuses_web_socket=True, class_name="own"),
        Case({"kubernetes.io/ingress.class": "contour"}, refuses_web_socket=True),
        Case({"kubernetes.io/ingress.class": "own"}, class_name="contour"),
        Case({f"{CONTOUR}/ingress.class": "own"}, class_name="contour"),
        Case({f"{CONTOUR}/ingress.class": "contour"}, refuses_web_socket=True, class_name="own"),
        Case({}, class_name="traefik"),
        Case({SOCKETS: CHAT, "kubernetes.io/ingress.allow-http": "false"}, origins=(HTTPS, HTTP)),
        Case({SOCKETS: CHAT, "kubernetes.io/ingress.allow-http": "true"}),
        Case({SOCKETS: CHAT, "ingress.kubernetes.io/force-ssl-redirect": "true"}, origins=(HTTPS, HTTP)),
    ],
    "kong": [
        Case({"konghq.com/strip-path": "true"}, transforms=(ReplacePrefixMatch("/"),)),
        Case({"konghq.com/strip-path": "True"}, transforms=(ReplacePrefixMatch("/"),)),
        Case({"konghq.com/strip-path": "false"}),
        Case({"konghq.com/strip-path": "true"}, transforms=(ReplacePrefixMatch("/"),), kind="HTTPRoute"),
        Case({"konghq.com/strip-path": "false"}, kind="HTTPRoute"),
        Case({"konghq.com/protocols": "https"}, origins=(HTTPS,)),
        Case({"konghq.com/protocols": "grpc, https"}, origins=(HTTPS,)),
        Case({"konghq.com/protocols": "http,https"}),
        Case({"konghq.com/protocols": "grpc"}),
        Case({}, "/~/chat", Matching.UNKNOWN),
        Case({}, "/~/chat", kind="HTTPRoute"),
        Case({f"{NGINX}/use-regex": "true"}, "/~/chat.*", Matching.UNKNOWN),
    ],
    "haproxy": [
        Case({REWRITE: "/"}, transforms=(ReplaceFullPath("/"),)),
        Case({REWRITE: "/chat/(.*) /\\1"}, transforms=(RewriteWholePath("/chat/(.*)", "/${1}"),)),
        Case({REWRITE: "(/|$)(.*) /x\\1\\2"}, transforms=(RewriteWholePath("(/|$)(.*)", "/x${1}${2}"),)),
        Case({REWRITE: "/chat/(.*) %[path]"}, transforms=unclear(REWRITE, "/chat/(.*) %[path]")),
        Case({REWRITE: "\\1"}, transforms=unclear(REWRITE, "\\1")),
        Case({REWRITE: "/a/(.*) /\\1\n/b/(.*) /\\1"}, transforms=unclear(REWRITE, "/a/(.*) /\\1\n/b/(.*) /\\1")),
        Case({REWRITE: ""}),
        Case({"haproxy.org/ssl-redirect": "true"}, origins=(HTTPS, HTTP)),
        Case({"haproxy.org/ssl-redirect": "false"}, class_name="haproxy"),
    ],
    "haproxy_ingress": [
        Case({"haproxy-ingress.github.io/rewrite-target": "/"}, transforms=(ReplacePrefixMatch("/"),)),
        Case({"haproxy-ingress.github.io/rewrite-target": ""}),
    ],
    "aws_alb": [
        Case({f"{TRANSFORMS}.chat": '[{"type": "url-rewrite"}]'}, "/chat*", WILDCARD,
             warnings=(BY_NODE, AT_ROOT),
             transforms=(Unknown(f"the annotation {TRANSFORMS}.chat with a url-rewrite"),)),
        Case({f"{TRANSFORMS}.chat": '[{"type": "host-header-rewrite"}]'}, "/*", WILDCARD, warnings=(BY_NODE, AT_ROOT)),
        Case({f"{TRANSFORMS}.other": '[{"type": "url-rewrite"}]'}, matching=EXACT, warnings=(BY_NODE, AT_ROOT)),
        Case({f"{TRANSFORMS}.strip": '[{"type": "host-header-rewrite"}]'}, matching=EXACT, warnings=(BY_NODE, AT_ROOT)),
        Case({}, matching=EXACT, class_name="alb", warnings=(BY_NODE, AT_ROOT)),
        Case({}, "/cha?", WILDCARD, class_name="alb", warnings=(BY_NODE, AT_ROOT)),
        Case({"kubernetes.io/ingress.class": "alb"}, matching=EXACT, warnings=(BY_NODE, AT_ROOT)),
        Case({f"{ALB}/scheme": "internal"}, matching=EXACT, class_name="own", warnings=(BY_NODE, AT_ROOT)),
        Case({f"{ALB}/scheme": "internal"}, class_name="traefik"),
        Case({f"{NGINX}/rewrite-target": "/"}, matching=EXACT, class_name="alb", warnings=(BY_NODE, AT_ROOT)),
        Case({f"{ALB}/use-regex-path-match": "true"}, matching=Matching.UNKNOWN, warnings=(BY_NODE, AT_ROOT)),
        Case({f"{ALB}/use-regex-path-match": "false"}, matching=EXACT, warnings=(BY_NODE, AT_ROOT)),
        Case({f"{ALB}/listen-ports": '[{"HTTP": 80}, {"HTTPS": 8443}]'}, matching=EXACT, warnings=(BY_NODE, AT_ROOT),
             origins=(HTTP._replace(port=80), HTTPS._replace(port=8443))),
        Case({f"{ALB}/listen-ports": '[{"HTTPS": 443}]', f"{ALB}/certificate-arn": "arn"}, matching=EXACT,
             warnings=(BY_NODE, AT_ROOT), origins=(HTTPS._replace(port=443),)),
        Case({f"{ALB}/listen-ports": '[{"TCP": 1}, {"HTTP": "80"}, 7]'}, matching=EXACT, warnings=(BY_NODE, AT_ROOT)),
        Case({f"{ALB}/listen-ports": '{"HTTPS": 443}'}, matching=EXACT, warnings=(BY_NODE, AT_ROOT)),
        Case({f"{ALB}/certificate-arn": "arn"}, matching=EXACT, warnings=(BY_NODE, AT_ROOT), origins=(HTTPS,)),
        Case({f"{ALB}/ssl-redirect": "443"}, matching=EXACT, warnings=(BY_NODE, AT_ROOT), origins=(HTTPS, HTTP)),
        # No path uses the action.
        Case({f"{ALB}/actions.ssl-redirect": TO_HTTPS}, matching=EXACT, warnings=(BY_NODE, AT_ROOT)),
        Case({f"{ALB}/actions.home": ELSEWHERE}, matching=EXACT, warnings=(BY_NODE, AT_ROOT)),
        Case({f"{ALB}/healthcheck-path": "/ping", f"{ALB}/success-codes": "200,404"}, matching=EXACT,
             warnings=(BY_NODE, HealthCheck(AWS_CHECK, "/ping", "200,404"))),
        Case({f"{ALB}/healthcheck-path": "", f"{ALB}/success-codes": ""}, matching=EXACT, warnings=(BY_NODE, AT_ROOT)),
        Case({f"{ALB}/healthcheck-port": "8081"}, matching=EXACT,
             warnings=(BY_NODE, HealthCheck(AWS_CHECK, "/", port="8081"))),
        Case({f"{ALB}/target-type": "instance"}, matching=EXACT,
             warnings=(NeedsNodePort(f"{ALB}/target-type", "instance", "instance", "ip"), AT_ROOT)),
        Case({f"{ALB}/target-type": "ip"}, matching=EXACT,
             warnings=(NeedsNodePort(f"{ALB}/target-type", "ip", "instance", "ip"), AT_ROOT)),
        Case({f"{TRANSFORMS}.chat": url_rewrite("^/chat/?(.*)$", "/$1")}, "/chat*", WILDCARD,
             warnings=(BY_NODE, AT_ROOT), transforms=(RewriteWholePath("^/chat/?(.*)$", "/$1"),)),
        Case({f"{TRANSFORMS}.chat": url_rewrite("^/chat$", "/").replace(', "replace": "/"', "")}, "/chat*", WILDCARD,
             warnings=(BY_NODE, AT_ROOT), transforms=(RewriteWholePath("^/chat$", ""),)),
        *(
            Case({f"{TRANSFORMS}.chat": value}, "/chat*", WILDCARD, warnings=(BY_NODE, AT_ROOT),
                 transforms=(Unknown(f"the annotation {TRANSFORMS}.chat with a url-rewrite"),))
            for value in (
                url_rewrite("/chat/?(.*)$", "/$1"),
                url_rewrite("^/chat/?(.*)", "/$1"),
                url_rewrite("^/chat/\\\\$", "/$1"),
                url_rewrite("^/a$", "/").replace("]}", ', {"regex": "^/b$"}]}'),
                '[{"type": "url-rewrite", "urlRewriteConfig": []}]',
                "url-rewrite",
            )
        ),
        Case({f"{ALB}/conditions.other": "[]"}, matching=EXACT, warnings=(BY_NODE, AT_ROOT)),
    ],
    "gke": [
        Case({}, matching=EXACT, class_name="gce", warnings=(PROBED,)),
        Case({}, "/chat/*", WILDCARD, class_name="gce-internal", warnings=(PROBED,)),
        Case({}, "/chat*", EXACT, class_name="gce", warnings=(PROBED,)),
        Case({"kubernetes.io/ingress.class": "gce"}, "/*", WILDCARD, warnings=(PROBED,)),
        Case({"ingress.kubernetes.io/url-map": "k8s2-um"}, "/*", WILDCARD, warnings=(PROBED,)),
        Case({"kubernetes.io/ingress.global-static-ip-name": "a"}, "/*", WILDCARD, warnings=(PROBED,)),
        Case({"kubernetes.io/ingress.regional-static-ip-name": "a"}, "/*", WILDCARD, warnings=(PROBED,)),
        *(
            Case({key: "a"}, "/*", WILDCARD, warnings=(PROBED,), origins=(HTTPS, HTTP))
            for key in (
                "ingress.gcp.kubernetes.io/pre-shared-cert",
                "networking.gke.io/managed-certificates",
                "networking.gke.io/certmap",
            )
        ),
        Case({"networking.gke.io/certmap": ""}, "/*", WILDCARD, warnings=(PROBED,)),
        Case({"kubernetes.io/ingress.allow-http": "false"}, "/*", WILDCARD, warnings=(PROBED,), class_name="gce",
             origins=(HTTPS,)),
        Case({"kubernetes.io/ingress.allow-http": "true"}, "/*", WILDCARD, warnings=(PROBED,), class_name="gce"),
    ],
    "azure_agic": [
        Case({f"{AZURE}/backend-path-prefix": "/"}, "/chat*", WILDCARD, transforms=(ReplacePrefixMatch("/"),)),
        Case({f"{AZURE}/backend-path-prefix": ""}, matching=EXACT),
        Case({}, "/chat/*", WILDCARD, class_name="azure-application-gateway"),
        Case({"kubernetes.io/ingress.class": "azure/application-gateway"}, matching=EXACT),
        Case({f"{AZURE}/request-timeout": "60"}, "/ch*t", EXACT, class_name="own"),
        Case({f"{AZURE}/rewrite-rule-set": "a"}, matching=EXACT, transforms=unclear(f"{AZURE}/rewrite-rule-set", "a")),
        Case({f"{AZURE}/ssl-redirect": "true"}, "/*", WILDCARD, origins=(HTTPS, HTTP)),
        Case({f"{AZURE}/ssl-redirect": "false"}, "/*", WILDCARD),
        Case({f"{AZURE}/appgw-ssl-certificate": "a"}, "/*", WILDCARD, origins=(HTTPS, HTTP)),
        Case({f"{AZURE}/health-probe-path": "/"}, "/*", WILDCARD,
             warnings=(HealthCheck(AZURE_CHECK, "/", "200-399"),)),
        Case({f"{AZURE}/health-probe-path": "/a", f"{AZURE}/health-probe-status-codes": "404"}, "/*", WILDCARD,
             warnings=(HealthCheck(AZURE_CHECK, "/a", "404"),)),
        Case({f"{AZURE}/health-probe-path": "/", f"{AZURE}/health-probe-port": "81"}, "/*", WILDCARD,
             warnings=(HealthCheck(AZURE_CHECK, "/", "200-399", "81"),)),
    ],
    "openshift": [
        Case({}, class_name="openshift-default", host="a.example"),
        Case({f"{ROUTER}/rewrite-target": "/"}, transforms=(ReplacePrefixMatch("/"),), host="a.example"),
        Case({f"{ROUTER}/rewrite-target": "/"}, "/chat/", transforms=(ReplacePrefixMatch("/"),), host="a.example"),
        Case({f"{ROUTER}/rewrite-target": "/x"}, transforms=(ReplacePrefixMatch("/x"),), host="a.example"),
        Case({f"{ROUTER}/rewrite-target": "/x/"}, "/chat/", transforms=(ReplacePrefixMatch("/x/"),), host="a.example"),
        Case({f"{ROUTER}/rewrite-target": "/x/"}, host="a.example",
             transforms=(RewriteWholePath("^/chat(.*)$", "/x/$1"),)),
        Case({f"{ROUTER}/rewrite-target": "/x"}, "/v1.0/", host="a.example",
             transforms=(RewriteWholePath(r"^/v1\.0/(.*)$", "/x$1"),)),
        Case({f"{ROUTER}/rewrite-target": "x"}, host="a.example"),
        Case({f"{ROUTER}/rewrite-target": "/x#"}, host="a.example",
             transforms=unclear(f"{ROUTER}/rewrite-target", "/x#")),
        Case({f"{ROUTER}/rewrite-target": ""}, host="a.example"),
        Case({f"{TERMINATION}": "edge"}, host="a.example", origins=(HTTPS, HTTP)),
        Case({f"{TERMINATION}": "reencrypt"}, host="a.example", origins=(HTTPS, HTTP)),
        Case({f"{TERMINATION}": "none"}, host="a.example"),
        Case({f"{TERMINATION}": "passthrough"}, host="a.example", origins=(HTTPS, HTTP), warnings=(
            Advice(f"The annotation {TERMINATION} is passthrough, so the pods must speak TLS and the router sees no "
                   "path. Set it to edge."),)),
        Case({}, class_name="openshift-default", refused="OpenShift makes no Route of a rule without a host"),
        Case({f"{ROUTER}/timeout": "25s", f"{ROUTER}/timeout-tunnel": "20000"}, host="a.example", warnings=(
            Advice(f"The annotation {ROUTER}/timeout-tunnel is 20000, which ends idle WebSockets before Chainlit's "
                   "ping after 25 s. Set it to 1h."),
            Advice(f"The annotation {ROUTER}/timeout is 25s, which ends long polls before Chainlit's ping after 25 s. "
                   "Set it to 1h."))),
        *(
            Case({f"{ROUTER}/timeout": value}, host="a.example")
            for value in ("26s", "1m", "1h", "1d", "0", "0s", "", "x")
        ),
        *(
            Case({f"{ROUTER}/timeout": value}, host="a.example", warnings=(
                Advice(f"The annotation {ROUTER}/timeout is {value}, which ends long polls before Chainlit's ping "
                       "after 25 s. Set it to 1h."),))
            for value in ("24999ms", "25000000us")
        ),
    ],
    "cilium": [
        Case({}, "/chat", EXACT, class_name="cilium"),
        Case({}, "/", EXACT, class_name="cilium"),
        Case({}, "/chat(/.*)?", REGEX, class_name="cilium"),
        Case({f"{NGINX}/rewrite-target": "/"}, "/chat", EXACT, class_name="cilium"),
    ],
    "istio": [
        Case({}, "/chat", EXACT, class_name="istio"),
        Case({}, "/chat*", EXACT, class_name="istio"),
        Case({}, "/chat/*", class_name="istio"),
        Case({}, "/chat.*", class_name="istio"),
    ],
    "tailscale": [
        Case({}, class_name="tailscale", origins=(HTTPS,)),
        Case({}, "/chat(/.*)?", class_name="tailscale", origins=(HTTPS,)),
        Case({f"{NGINX}/rewrite-target": "/"}, class_name="tailscale", origins=(HTTPS,)),
    ],
    "skipper": [
        Case({"zalando.org/skipper-filter": 'modPath("^/chat", "")'},
             transforms=unclear("zalando.org/skipper-filter", 'modPath("^/chat", "")')),
        Case({"zalando.org/skipper-filter": 'setRequestHeader("a", "b")'}),
        Case({"zalando.org/skipper-ingress-redirect": "true"}, origins=(HTTPS, HTTP)),
        Case({"zalando.org/skipper-ingress-redirect": "false"}),
    ],
}  # fmt: skip


def interpreted(
    kind: str, annotations: dict[str, str], path: str = CHAT, class_name: str = "", host: str = ""
) -> Route:
    """The route as the store has it."""
    backend = {"service": {"name": "chat", "port": {"number": 80}}}
    entry = {"path": path, "pathType": "ImplementationSpecific", "backend": backend}
    match = {"path": {"type": "PathPrefix", "value": path}}
    address = {"loadBalancer": {"ingress": [{"ip": ADDRESS}]}}
    specs: dict[str, dict[str, Any]] = {
        "Ingress": {"ingressClassName": class_name, "rules": [{"host": host, "http": {"paths": [entry, entry]}}]},
        "HTTPRoute": {"rules": [{"matches": [match], "backendRefs": [{"name": "chat", "port": 80}]}]},
    }
    found: Route = record(
        {"kind": kind, "metadata": {"annotations": annotations}, "spec": specs[kind], "status": address}
    )
    return found


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, table in TABLES.items() for case in table])
def test_meaning_of_annotations(case: Case) -> None:
    found = interpreted(case.kind, case.annotations, case.path, case.class_name, case.host)
    refusal = case.refusal
    if case.refuses_web_socket:
        remedy = f"Add {case.path}, spelt exactly so, to its annotation {SOCKETS} (with commas between several paths)."
        refusal = WebSocketRefusal("Contour", remedy, 403)
    expected = (case.matching, case.transforms, case.middlewares, refusal, case.warnings)
    assert {_meaning(path) for path in found.paths} == {expected}
    assert found.origins == (((HTTP,) if case.kind == "Ingress" else ()) if case.origins is None else case.origins)
    assert (found.refusal, found.refusal_remedy) == (case.refused, NO_HOST if case.refused else "")
    assert found.dependencies == tuple(Dependency("Middleware", key) for key in case.middlewares)
    assert (found.canary, found.is_sticky) == (case.canary, case.is_sticky)


@pytest.mark.parametrize(
    ("path", "wanted"), [("/*", "/"), ("/.*", "/"), ("/a/*", "/a"), ("/a.*", "/a"), ("/a/.*", "/a/")]
)
def test_istio_reads_a_star_at_the_end_as_a_prefix(path: str, wanted: str) -> None:
    assert {(each.path, each.matching) for each in interpreted("Ingress", {}, path, "istio").paths} == {
        (wanted, Matching.PREFIX)
    }


@pytest.mark.parametrize("class_name", ["istio", "cilium", "contour"])
@pytest.mark.parametrize(("path_type", "matching"), [("Exact", EXACT), ("Prefix", Matching.PREFIX)])
def test_other_types_of_paths_are_those_of_kubernetes(class_name: str, path_type: str, matching: Matching) -> None:
    rules = [ingress_rule(ingress_path("/chat", path_type))]
    found: Route = record(stored(ingress(rules=rules, ingress_class=class_name), "shop"))
    assert [path.matching for path in found.paths] == [matching]


def test_each_ingress_of_tailscale_has_a_name_of_its_own() -> None:
    made = ingress(
        rules=[ingress_rule(ingress_path("/"), host="chat")],
        ingress_class="tailscale",
        tls=[{"hosts": ["chat"]}],
        status={"loadBalancer": {"ingress": [{"hostname": "chat.tail1.ts.net"}]}},
    )
    one: Route = record(stored(made, "shop"))
    other: Route = record(stored(made, "bots"))
    assert one.origins == (Origin("", is_secure=True, address="chat.tail1.ts.net"),)
    assert [path.host for path in one.paths] == [""]
    assert one.attachments != other.attachments


def test_an_expression_wins_over_a_prefix_with_cilium() -> None:
    assert interpreted("Ingress", {}, class_name="cilium").precedence is Precedence.LONGEST_SEGMENTS


BESIDE = [ingress_rule(ingress_path("/api", service="api"), host="a.example")]


@pytest.mark.parametrize(
    ("class_name", "rules", "wanted"),
    [
        ("nginx", BESIDE, [("a.example", "/api"), ("a.example", "/"), ("", "/")]),
        ("gce", BESIDE, [("a.example", "/api"), ("a.example", "/"), ("", "/")]),
        ("alb", [ingress_rule(ingress_path("/*", "ImplementationSpecific", "api"))], [("", "/*"), ("", "/")]),
        ("nginx", [ingress_rule(ingress_path("/chat"))], [("", "/chat")]),
        ("traefik", BESIDE, [("a.example", "/api")]),
        ("traefik", [], [("", "/")]),
        ("nginx", [], [("", "/")]),
        ("contour", BESIDE, [("a.example", "/api"), ("", "/")]),
        ("contour", [], [("", "/")]),
        ("cilium", BESIDE, [("a.example", "/api"), ("", "/")]),
        ("cilium", [], [("", "/")]),
        ("istio", BESIDE, [("a.example", "/api")]),
        ("istio", [], []),
        ("openshift-default", BESIDE, [("a.example", "/api")]),
        ("openshift-default", [], []),
        ("tailscale", [ingress_rule(ingress_path("/api", service="api"))], [("", "/api"), ("", "/")]),
        ("tailscale", BESIDE, [("", "/")]),
    ],
)
def test_a_default_backend_takes_the_rest(class_name: str, rules: Any, wanted: list[tuple[str, str]]) -> None:
    made = ingress(rules=rules, ingress_class=class_name, defaultBackend=backend("chat", 80))
    found: Route = record(stored(made, "shop"))
    assert [(path.host, path.path) for path in found.paths] == wanted
    assert all(path.is_fallback for path in found.paths if path.path == "/")


@pytest.mark.parametrize(
    ("class_name", "annotations", "rules", "is_sure"),
    [
        (None, {}, BESIDE, False),
        ("public", {}, BESIDE, False),
        (None, {}, [], True),
        ("nginx", {}, BESIDE, True),
        (None, {f"{NGINX}/affinity": "cookie"}, BESIDE, True),
    ],
)
def test_without_a_known_controller_a_default_backend_beside_rules_is_a_condition(
    class_name: str | None, annotations: dict[str, str], rules: Any, is_sure: bool
) -> None:
    made = ingress(rules=rules, ingress_class=class_name, annotations=annotations, defaultBackend=backend("chat", 80))
    found: Route = record(stored(made, "shop"))
    assert {bool(path.condition) for path in found.paths if path.is_fallback} == {not is_sure}
    assert not any(path.condition for path in found.paths if not path.is_fallback)


def test_a_default_backend_is_no_rule_without_a_host_for_openshift() -> None:
    made = ingress(rules=BESIDE, ingress_class="openshift-default", defaultBackend=backend("chat", 80))
    assert record(stored(made, "shop")).refusal == ""


def test_rules_for_other_hosts_than_its_name_are_nothing_to_tailscale() -> None:
    rules = [
        ingress_rule(ingress_path(f"/{host or 'any'}", "Exact"), host=host) for host in ("chat", "a.example", None)
    ]
    named: Route = record(stored(ingress(rules=rules, ingress_class="tailscale", tls=[{"hosts": ["chat"]}]), "shop"))
    unnamed: Route = record(stored(ingress(rules=rules, ingress_class="tailscale"), "shop"))
    assert [(path.path, path.host, path.matching) for path in named.paths] == [
        ("/chat", "", Matching.PREFIX),
        ("/any", "", Matching.PREFIX),
    ]
    assert [path.path for path in unnamed.paths] == ["/any"]


def test_a_default_backend_that_is_no_service_takes_nothing_beside_paths() -> None:
    made = ingress(rules=BESIDE, ingress_class="nginx", defaultBackend={"resource": {"kind": "Bucket", "name": "b"}})
    found: Route = record(stored(made, "shop"))
    assert [path.path for path in found.paths] == ["/api"]


@pytest.mark.parametrize(
    ("kind", "annotations", "class_name", "expected"),
    [
        ("Ingress", {}, "nginx", RouteOrder.OLDEST),
        ("Ingress", {}, "webapprouting.kubernetes.azure.com", RouteOrder.OLDEST),
        ("Ingress", {f"{NGINX}/canary": "true"}, "nginx", RouteOrder.OLDEST),
        ("Ingress", {f"{NGINX}/canary": "true"}, "", RouteOrder.LONGEST),
        ("Ingress", {f"{F5}/proxy-read-timeout": "1h"}, "nginx", RouteOrder.OLDEST),
        ("Ingress", {}, "nginx-plus", RouteOrder.OLDEST),
        ("Ingress", {}, "alb", RouteOrder.UNKNOWN),
        ("Ingress", {}, "gce", RouteOrder.UNKNOWN),
        ("Ingress", {}, "traefik", RouteOrder.LONGEST),
        ("Ingress", {}, "contour", RouteOrder.LONGEST),
        ("Ingress", {}, "", RouteOrder.LONGEST),
        ("HTTPRoute", {}, "", RouteOrder.OLDEST),
        ("HTTPRoute", {"konghq.com/strip-path": "true"}, "", RouteOrder.OLDEST),
    ],
)
def test_order_between_routes(kind: str, annotations: dict[str, str], class_name: str, expected: RouteOrder) -> None:
    assert interpreted(kind, annotations, class_name=class_name).order is expected


def _meaning(path: RoutePath) -> tuple[object, ...]:
    return path.matching, path.transforms, path.middlewares, path.web_socket_refusal, path.warnings


def test_each_controller_has_a_table() -> None:
    only_affinity = {name for name, found in registry.CONTROLLERS.items() if found.read is means_nothing}
    assert set(TABLES) | only_affinity == set(registry.CONTROLLERS)


def test_no_annotation_is_read_by_two_controllers() -> None:
    read = [key for controller in registry.CONTROLLERS.values() for key in controller.annotations]
    assert len(read) == len(set(read))


def test_a_path_that_may_be_an_expression_is_unknown() -> None:
    assert {path.matching for path in interpreted("Ingress", {}, ANY).paths} == {Matching.UNKNOWN}


def test_rewrites_of_several_controllers_act_in_a_fixed_order() -> None:
    annotations = {
        f"{TRANSFORMS}.chat": "url-rewrite",
        MIDDLEWARES: "a@file",
        "example.com/strip": "true",
        f"{F5}/rewrites": "serviceName=chat rewrite=/f5/",
        REWRITE: "/haproxy",
        "konghq.com/strip-path": "true",
        "haproxy-ingress.github.io/rewrite-target": "/other",
        f"{NGINX}/rewrite-target": "/nginx",
    }
    (transforms,) = {path.transforms for path in interpreted("Ingress", annotations, "/chat/").paths}
    assert transforms == (
        RewriteWholePath("/chat/", "/nginx", ignores_case=True),
        ReplacePrefixMatch("/other"),
        ReplacePrefixMatch("/"),
        ReplaceFullPath("/haproxy"),
        ReplacePrefixMatch("/f5/"),
        *unclear("example.com/strip", "true"),
        Unknown("Traefik middleware a@file"),
        Unknown(f"the annotation {TRANSFORMS}.chat with a url-rewrite"),
    )


def test_rewrites_act_in_that_order_also_without_an_annotation_that_nobody_reads() -> None:
    annotations = {REWRITE: "/haproxy", f"{NGINX}/rewrite-target": "/nginx", "konghq.com/strip-path": "true"}
    (transforms,) = {path.transforms for path in interpreted("Ingress", annotations).paths}
    assert transforms == (
        RewriteWholePath(CHAT, "/nginx", ignores_case=True),
        ReplacePrefixMatch("/"),
        ReplaceFullPath("/haproxy"),
    )


def test_a_routes_own_rewrites_and_middlewares_stay() -> None:
    url_rewrite = {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/x"}}
    filters = [
        {"type": "URLRewrite", "urlRewrite": url_rewrite},
        {"type": "ExtensionRef", "extensionRef": {"group": "traefik.io", "kind": "Middleware", "name": "strip"}},
    ]
    metadata = {"namespace": "shop", "annotations": {"konghq.com/strip-path": "true"}}
    found = record({"kind": "HTTPRoute", "metadata": metadata, "spec": {"rules": [{"filters": filters}]}})
    assert [(path.transforms, path.middlewares) for path in found.paths] == [
        ((ReplaceFullPath("/x"), ReplacePrefixMatch("/")), ("shop-strip",))
    ]
    assert found.dependencies == (Dependency("Middleware", "shop-strip"),)


def test_all_paths_share_their_middlewares() -> None:
    one, another = interpreted("Ingress", {MIDDLEWARES: "a-b@kubernetescrd"}).paths
    assert one.middlewares is another.middlewares


# ------------------------------------------------------------------------------- actions and conditions of an ALB

PLAIN = ("/chat", "Prefix", "chat", 80)
REDIRECT = ("/", "Prefix", "home", "use-annotation")


def forward(*targets: str) -> str:
    return f'{{"type": "forward", "forwardConfig": {{"targetGroups": [{", ".join(targets)}]}}}}'


CHAT_TARGET, OTHER_TARGET = (
    '{"serviceName": "chat", "servicePort": "80"}',
    '{"serviceName": "x", "servicePort": "http"}',
)


@pytest.mark.parametrize(
    ("annotations", "entries", "wanted"),
    [
        ({"actions.home": TO_HTTPS}, [REDIRECT, PLAIN], [("", "/chat", "chat", 80, "", ())]),
        ({"actions.home": ELSEWHERE}, [PLAIN, REDIRECT],
         [("", "/chat", "chat", 80, "", ()), ("", "/", "", 0, "", ())]),
        ({"actions.home": '{"type": "fixed-response"}'}, [REDIRECT], [("", "/", "", 0, "", ())]),
        ({"actions.home": TO_HTTPS.replace("443", "443\", \"Path\": \"/x")}, [REDIRECT], [("", "/", "", 0, "", ())]),
        ({"actions.home": TO_HTTPS.replace("443", "443\", \"Query\": \"x")}, [REDIRECT], [("", "/", "", 0, "", ())]),
        ({"actions.home": TO_HTTPS.replace("443", "443\", \"Path\": \"/#{path}\", \"Query\": \"#{query}\", "
                                           "\"Host\": \"#{host}")}, [REDIRECT], []),
        ({"actions.home": TO_HTTPS.replace("HTTPS", "HTTP")}, [REDIRECT], [("", "/", "", 0, "", ())]),
        ({"actions.home": "no JSON"}, [REDIRECT], [("", "/", "", 0, "", ())]),
        ({"actions.home": "[" * 100_000}, [REDIRECT], [("", "/", "", 0, "", ())]),
        ({"actions.home": "[]"}, [REDIRECT], [("", "/", "", 0, "", ())]),
        ({}, [REDIRECT], [("", "/", "", 0, "", ())]),
        ({"actions.home": forward(CHAT_TARGET)}, [REDIRECT], [("", "/", "chat", 80, "", ("chat",))]),
        ({"actions.home": forward(CHAT_TARGET, OTHER_TARGET)}, [REDIRECT],
         [("", "/", "chat", 80, "", ("chat", "x")), ("", "/", "x", "http", "", ("chat", "x"))]),
        ({"actions.home": forward(CHAT_TARGET, OTHER_TARGET.replace("}", ', "weight": 0}'))}, [REDIRECT],
         [("", "/", "chat", 80, "", ("chat",))]),
        ({"actions.home": forward(CHAT_TARGET.replace("}", ', "weight": "1"}'))}, [REDIRECT],
         [("", "/", "chat", 80, "", ("chat",))]),
        ({"actions.home": forward(CHAT_TARGET, '{"targetGroupARN": "arn"}')}, [REDIRECT],
         [("", "/", "chat", 80, "", ("chat", "a target group"))]),
        ({"actions.home": forward('{"targetGroupARN": "arn"}')}, [REDIRECT],
         [("", "/", "", 0, "", ("a target group",))]),
        # The order in which the load balancer tries them.
        ({}, [("/b/*", "ImplementationSpecific", "chat", 80), ("/", "Prefix", "chat", 80), PLAIN,
              ("/a", "ImplementationSpecific", "chat", 80), ("/z", "Exact", "chat", 80)],
         [("", path, "chat", 80, "", ()) for path in ("/z", "/chat", "/", "/b/*", "/a")]),
        # Conditions
        ({"conditions.chat": '[{"field": "http-header", "httpHeaderConfig": {"values": ["a"]}}]'}, [PLAIN],
         [("", "/chat", "chat", 80, "a header matches", ())]),
        ({"conditions.chat": '[{"field": "query-string", "queryStringConfig": {"values": [{"key": "a"}]}}]'}, [PLAIN],
         [("", "/chat", "chat", 80, "a query parameter matches", ())]),
        ({"conditions.chat": '[{"field": "http-request-method", "methodConfig": {"Values": ["GET", "PUT"]}}]'}, [PLAIN],
         [("", "/chat", "chat", 80, "the method is GET or PUT", ())]),
        ({"conditions.chat": '[{"field": "http-header"}, {"field": "query-string"}]'}, [PLAIN],
         [("", "/chat", "chat", 80, "a header matches", ())]),
        ({"conditions.chat": '[{"field": "source-ip", "sourceIpConfig": {"values": ["10.0.0.0/8"]}}]'}, [PLAIN],
         [("", "/chat", "chat", 80, "", ())]),
        ({"conditions.chat": '[{"field": "host-header", "hostHeaderConfig": {"values": ["b.example", 7]}}]'}, [PLAIN],
         [("b.example", "/chat", "chat", 80, "", ())]),
        ({"conditions.chat": '[{"field": "host-header", "hostHeaderConfig": {"values": ["b.example"]}},'
                             '{"field": "path-pattern", "pathPatternConfig": {"values": ["/bot"]}},'
                             '{"field": "http-header"}]'}, [PLAIN],
         [("b.example", path, "chat", 80, "a header matches", ()) for path in ("/chat", "/bot")]),
        ({"conditions.chat": '[{"field": "host-header", "other": {"values": ["b.example"]}, "hostHeaderConfig": 7}]'},
         [PLAIN], [("", "/chat", "chat", 80, "", ())]),
        ({"conditions.chat": '[{"field": "path-pattern", "pathPatternConfig": {"values": ["/bot/*"]}}]'}, [PLAIN],
         [("", "/chat", "chat", 80, "", ()), ("", "/bot/*", "chat", 80, "", ())]),
        ({"conditions.chat": '[{"field": "path-pattern", "pathPatternConfig": {"values": 7}}, 7]'}, [PLAIN],
         [("", "/chat", "chat", 80, "", ())]),
        ({"conditions.home": '[{"field": "http-header"}]', "actions.home": forward(CHAT_TARGET)}, [REDIRECT],
         [("", "/", "chat", 80, "a header matches", ("chat",))]),
    ],
)  # fmt: skip
def test_paths_of_an_alb(
    annotations: dict[str, str], entries: list[tuple[str, str, str, int | str]], wanted: list[tuple[object, ...]]
) -> None:
    is_secure = REDIRECT in entries and len(wanted) < len(entries)
    paths = [ingress_path(path, path_type, service, port) for path, path_type, service, port in entries]
    made = ingress(rules=[ingress_rule(*paths)], ingress_class="alb")
    made["metadata"]["annotations"] = {f"{ALB}/{key}": value for key, value in annotations.items()}
    found = record(stored(made, "shop"))
    assert found.precedence is Precedence.FIRST_MATCH
    assert any(origin.is_secure for origin in found.origins) is is_secure
    assert [(p.host, p.path, p.service, p.port, p.condition, p.others) for p in found.paths] == wanted


def test_an_alb_without_an_address_has_none() -> None:
    made = ingress("a.example", ingress_class="alb", annotations={f"{ALB}/listen-ports": '[{"HTTPS": 443}]'})
    assert record(stored(made, "shop")).origins == (Origin("", is_secure=True, port=443),)
    made = ingress("a.example", ingress_class="alb", annotations={f"{ALB}/ssl-redirect": "443"})
    assert record(stored(made, "shop")).origins == (Origin("", is_secure=True), Origin("", is_secure=False))


def test_an_alb_reads_as_many_values_as_a_rule_may_have() -> None:
    hosts = ", ".join(f'"h{n}.example"' for n in range(9))
    made = ingress("a.example", ingress_class="alb")
    made["metadata"]["annotations"] = {
        f"{ALB}/conditions.chat": f'[{{"field": "host-header", "hostHeaderConfig": {{"values": [{hosts}]}}}},'
        '{"field": "path-pattern", "pathPatternConfig": {"values": ["/1", "/2", "/3", "/4", "/5", "/6"]}}]'
    }
    found = record(stored(made, "shop")).paths
    assert list(dict.fromkeys(path.host for path in found)) == ["a.example", *(f"h{n}.example" for n in range(5))]
    assert list(dict.fromkeys(path.path for path in found)) == ["/chat", "/1", "/2", "/3", "/4", "/5"]
    assert {path.matching for path in found if path.path != "/chat"} == {EXACT}


@pytest.mark.parametrize(
    ("host", "class_name", "annotations", "wanted"),
    [
        ("a.example", "alb", {}, "ingress class alb"),
        (None, "alb", {}, "ingress class alb, Ingress shop/chat"),
        (None, "alb", {f"{ALB}/group.name": "team"}, "ingress class alb, group team"),
        ("a.example", "own", {f"{ALB}/group.name": "team"}, "ingress class alb, group team"),
        ("a.example", "gce", {}, "ingress class gce"),
        (None, "gce", {}, "ingress class gce, Ingress shop/chat"),
        (None, "traefik", {}, "ingress class traefik"),
    ],
)
def test_who_can_be_in_conflict_with_whom(
    host: str | None, class_name: str, annotations: dict[str, str], wanted: str
) -> None:
    found = record(stored(ingress(host, ingress_class=class_name, annotations=annotations), "shop"))
    assert found.attachments == (Attachment(wanted),)


@pytest.mark.parametrize("path_type", ["Prefix", "Exact"])
def test_an_alb_refuses_wildcards_in_plain_paths(path_type: str) -> None:
    found = record(stored(ingress(path="/chat/*", path_type=path_type, ingress_class="alb"), "shop"))
    assert (found.refusal, found.refusal_remedy) == (
        "its controller refuses the wildcard in path /chat/* because its type is not ImplementationSpecific",
        "Remove the wildcard, or set pathType: ImplementationSpecific.",
    )


def test_a_service_has_its_settings_for_load_balancers() -> None:
    annotations = {f"{ALB}/target-type": "ip", f"{ALB}/healthcheck-path": "/a", f"{ALB}/scheme": "x", "a": "b"}
    found = record(stored(service(metadata={"annotations": annotations}), "shop"))
    assert found.settings == ((f"{ALB}/healthcheck-path", "/a"), (f"{ALB}/target-type", "ip"))
    named = {"cloud.google.com/backend-config": "a"}
    assert record(stored(service(metadata={"annotations": named}), "shop")).settings == tuple(named.items())


@pytest.mark.parametrize(
    ("path_type", "path", "matching"),
    [
        ("Prefix", "/chat/*", WILDCARD),
        ("Prefix", "/chat", Matching.PREFIX),
        ("Exact", "/chat*", EXACT),
        ("ImplementationSpecific", "/chat*", WILDCARD),
        ("ImplementationSpecific", "/chat", EXACT),
    ],
)
def test_application_gateway_reads_a_star_at_the_end_of_a_prefix(path_type: str, path: str, matching: Matching) -> None:
    made = ingress(path=path, path_type=path_type, ingress_class="azure-application-gateway")
    (found,) = record(stored(made, "shop")).paths
    assert found.matching is matching
    assert found.path == (path.removesuffix("*") if matching is EXACT else path)


def test_an_entry_without_a_path_is_for_all_paths() -> None:
    (path,) = record(stored(ingress(path="", path_type="ImplementationSpecific", ingress_class="alb"), "shop")).paths
    assert (path.path, path.path_type, path.matching) == ("/", "Prefix", Matching.PREFIX)


# ------------------------------------------------------------------------------------ annotations that nobody reads


@pytest.mark.parametrize(
    ("key", "value", "may_rewrite"),
    [
        ("k8s.apisix.apache.org/rewrite-target-regex", "/chat/(.*)", True),
        ("ingress.kubernetes.io/rewrite-target", "/", True),
        ("nsx/rewrite_target", "/", True),
        ("example.com/strip-prefix", "True", True),
        ("example.com/strip-prefix", "False", False),
        (f"{NGINX}/enable-rewrite-log", "true", False),
        ("example.com/description", "does not rewrite a thing", False),
        (SNIPPET, "more_set_headers x;\nif ($a) { rewrite ^/chat/(.*)$ /$1 break; }", True),
        (SNIPPET, "rewrite ^(/chat)$ $1/ permanent;\nrewrite ^/old$ /chat redirect;", False),
        (SNIPPET, "# rewrite ^/chat/(.*)$ /$1 break", False),
        (SNIPPET, "proxy_set_header a b; # so; rewrite it", False),
        (SNIPPET, "add_header X 'we rewrite html';", False),
        (SNIPPET, "rewrite ^ https://$host$request_uri?;\n rewrite ^(/chat)$ '$scheme://$host$1/';", False),
        (SNIPPET, "rewrite /chat/(.*) /$1", True),
        (SNIPPET, "} } ; {; rewrite a b; {", True),
        (SNIPPET, "{" * 99_999, False),
        (SNIPPET, "{" * 99_999 + "# rewrite", True),
        (f"{NGINX}/auth-snippet", "rewrite ^/chat/(.*)$ /$1 break;", False),
        (f"{NGINX}/server-snippet", "location /old { if ($a) { rewrite ^ /new break; } } rewrite_log on;", False),
        (f"{NGINX}/server-snippet", "location /old { return 404; } rewrite ^/a/(.*) /$1;", True),
        ("ingress.pomerium.io/rewrite_response_headers", "x", False),
        ("ingress.pomerium.io/host_rewrite", "x", False),
        ("appgw.ingress.kubernetes.io/rewrite-rule-set", "x", True),
        (f"{F5}/location-snippets", "rewrite /chat/(.*) /$1 break;", True),
        ("haproxy.org/backend-config-snippet", "http-request set-header a b\nhttp-request set-path /x", True),
        ("haproxy-ingress.github.io/config-backend", "http-request replace-path /chat/(.*) /\\1", True),
        ("zalando.org/skipper-filter", 'modPath("^/chat", "")', True),
        ("zalando.org/skipper-filter", 'setRequestHeader("a", "b")', False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["Ingress", "HTTPRoute"])
def test_an_annotation_that_may_rewrite_is_not_passed_over(kind: str, key: str, value: str, may_rewrite: bool) -> None:
    expected = unclear(key, value[:250]) if may_rewrite else ()
    assert {path.transforms for path in interpreted(kind, {key: value}).paths} == {expected}


def test_one_annotation_that_may_rewrite_is_enough() -> None:
    found = interpreted("Ingress", {"example.com/rewrite": "/", "example.com/strip": "true"})
    assert {path.transforms for path in found.paths} == {unclear("example.com/rewrite", "/")}


def test_a_message_has_a_part_of_a_long_annotation() -> None:
    found = interpreted("HTTPRoute", {"x/rewrite": "/" * 9999})
    assert {path.transforms for path in found.paths} == {unclear("x/rewrite", "/" * 250)}


@pytest.mark.parametrize(
    ("annotations", "path_type", "text", "styles", "warnings"),
    [
        ({f"{NGINX}/use-regex": "true"}, "ImplementationSpecific", ANY, (ingress_nginx.STYLE,), ()),
        ({f"{NGINX}/use-regex": "true"}, "Prefix", ANY, (ingress_nginx.STYLE,), (REFUSED.format("Prefix"),)),
        ({f"{NGINX}/rewrite-target": "/$2"}, "Exact", ANY, (ingress_nginx.STYLE,), (REFUSED.format("Exact"),)),
        ({f"{NGINX}/use-regex": "true"}, "Prefix", CHAT, ANY_STYLE, ()),
        # Kong may serve it too, and what its path means is not known.
        ({f"{NGINX}/use-regex": "true"}, "ImplementationSpecific", f"/~{CHAT}.*", ANY_STYLE, ()),
        ({f"{NGINX}/use-regex": "true"}, "Exact", CHAT, (ingress_nginx.STYLE,), ()),
        ({f"{NGINX}/use-regex": "false"}, "Exact", CHAT, ANY_STYLE, ()),
        ({MATCHER: "PathRegexp"}, "ImplementationSpecific", ANY, (ANYWHERE,), ()),
        ({MATCHER: "PathRegexp"}, "Prefix", ANY, ANY_STYLE, ()),
        ({f"{NGINX}/use-regex": "true", MATCHER: "PathRegexp"}, "ImplementationSpecific", ANY,
         (ingress_nginx.STYLE, ANYWHERE), ()),
        ({SOCKETS: ANY}, "ImplementationSpecific", ANY, (WHOLE,), ()),
        ({f"{F5}/path-regex": "case_sensitive"}, "ImplementationSpecific", ANY, ANY_STYLE, ()),
    ],
)  # fmt: skip
def test_style_of_expressions(
    annotations: dict[str, str], path_type: str, text: str, styles: tuple[Style, ...], warnings: tuple[str, ...]
) -> None:
    entry = {"path": text, "pathType": path_type, "backend": {"service": {"name": "chat", "port": {"number": 80}}}}
    spec = {"rules": [{"http": {"paths": [entry]}}]}
    (found,) = record({"kind": "Ingress", "metadata": {"annotations": annotations}, "spec": spec}).paths
    assert (found.styles, found.warnings) == (styles, tuple(map(Advice, warnings)))


def test_a_value_that_traefik_does_not_know_is_a_refusal() -> None:
    found = interpreted("Ingress", {MATCHER: "PathPrefixStrip"})
    assert found.refusal == f"Traefik does not know the value 'PathPrefixStrip' of the annotation {MATCHER}"
    assert found.refusal_remedy == "Remove the annotation, or set it to Path, PathPrefix, PathRegexp."
    spec = {"rules": [{"http": {"paths": [{"path": "/chat", "pathType": "Prefix", "backend": {}}]}}]}
    assert not record({"kind": "Ingress", "metadata": {"annotations": {MATCHER: "x"}}, "spec": spec}).refusal
