"""Set-ups after public manifests: redirects beside the app, Gateway API, copied rewrites, commands, Services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests import objects
from tests.field.building import (
    ALB,
    ALB_ANNOTATION,
    AT_CHAT,
    AT_ROOT,
    HOST,
    NAMESPACE,
    NGINX_ANNOTATION,
    REGEX,
    STRIPPED,
    TRAEFIK_ANNOTATION,
    Expected,
    SetUp,
    annotated,
    app,
    chat,
    env,
    glob,
    ingress,
    path,
    plain,
    rewritten,
    service,
)
from tests.objects import Object

IS_READ = {"RouteResolved": "True"}
READ_AT_CHAT = Expected(root="/chat", parent="", conditions=IS_READ)
READ_AT_ROOT = Expected(root="", parent="", conditions=IS_READ)
READ_STRIPPED = Expected(root="", parent="/chat", conditions=IS_READ)
NOT_SERVED = Expected(is_written=False, conditions={"RouteResolved": "False", "Ready": "False"})
NO_REWRITE = Expected(is_written=False, says="RewriteNotSupported")
LEFT_ALONE = Expected(is_written=False, conditions={"Aligned": "True"})


def another(name: str) -> tuple[Object, Object]:
    """Return a workload of that name beside the app, and its Service."""
    return chat(name=name), service(name, name)


def http_route(*rules: Object, name: str = "chat", **parent: Any) -> Object:
    """Return an HTTPRoute of the set-up's host; ``parent`` has fields of the reference to the Gateway."""
    parents = [objects.gateway_ref("gw", NAMESPACE, **parent)]
    return objects.http_route(*rules, name=name, hostnames=[HOST], parents=parents)


def gateway(class_: str = "house") -> Object:
    """Return a Gateway with a listener for http and one for https."""
    listeners = [
        {"name": "http", "port": 80, "protocol": "HTTP"},
        {"name": "https", "port": 443, "protocol": "HTTPS", "tls": {"certificateRefs": [{"name": "t"}]}},
    ]
    return objects.gateway(*listeners, name="gw", gatewayClassName=class_) | {"status": {}}


def to_https() -> Object:
    """Return a filter that redirects to https."""
    return {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}


def exact(value: str) -> Object:
    """Return an exact match of an HTTPRoute."""
    return objects.path_match(value, "Exact")


def traefik(*names: str, **annotations: str) -> Mapping[str, str]:
    """Return annotations of Traefik's router, with Middlewares of the namespace."""
    own = {f"{TRAEFIK_ANNOTATION}router.{key}": value for key, value in annotations.items()}
    return own | (objects.middleware_reference(*names, namespace=NAMESPACE) if names else {})


STRIP = objects.middleware("strip", {"stripPrefix": {"prefixes": ["/chat"]}})
HTTPS = objects.middleware("https", {"redirectScheme": {"scheme": "https", "permanent": True}})
SLASH = objects.middleware(
    "slash", {"redirectRegex": {"regex": "^(https?://[^/]+/chat)$", "replacement": "${1}/", "permanent": True}}
)

REDIRECTS = (
    plain(
        "root-redirect-exact",
        "A second Ingress redirects `/` (Exact) to `/chat`; its backend is the app",
        "The redirect is harmless.",
        READ_AT_CHAT,
        ingress(),
        annotated(
            path("/", type_="Exact"),
            name="home",
            annotations={f"{NGINX_ANNOTATION}permanent-redirect": f"http://{HOST}/chat"},
        ),
    ),
    plain(
        "root-redirect-prefix",
        "A second Ingress redirects everything at `/` to `/chat`; its backend is the app",
        "The redirect is harmless.",
        READ_AT_CHAT,
        ingress(),
        annotated(path("/"), name="home", annotations={f"{NGINX_ANNOTATION}temporal-redirect": f"http://{HOST}/chat"}),
    ),
    plain(
        "slash-redirect-exact",
        "A second Ingress redirects `/chat` (Exact) to `/chat/`",
        "The redirect is harmless.",
        READ_AT_CHAT,
        ingress(),
        annotated(
            path("/chat", type_="Exact"),
            name="slash",
            annotations={f"{NGINX_ANNOTATION}permanent-redirect": f"http://{HOST}/chat/"},
        ),
    ),
    plain(
        "app-root-here",
        "ingress-nginx with `app-root: /chat` and only the path `/chat`",
        "The redirect of `/` is harmless.",
        READ_AT_CHAT,
        annotated(annotations={f"{NGINX_ANNOTATION}app-root": "/chat"}),
    ),
    plain(
        "app-root-to-kept",
        "It works at `/chat` behind an Ingress at `/` with `app-root: /chat`",
        "The operator leaves it alone.",
        Expected(root="/chat", parent="", is_written=False, conditions=IS_READ),
        chat(env=env(root_path="/chat"), readinessProbe=objects.http_probe("/chat/health", 8000)),
        annotated(path("/"), annotations={f"{NGINX_ANNOTATION}app-root": "/chat"}),
    ),
    plain(
        "snippet-slash",
        "ingress-nginx, `/chat(/|$)(.*)` stripped, and a snippet that redirects `/chat` to `/chat/`",
        "The path is stripped.",
        STRIPPED,
        annotated(
            glob("/chat(/|$)(.*)"),
            annotations=rewritten("/$2")
            | REGEX
            | {f"{NGINX_ANNOTATION}configuration-snippet": "rewrite ^(/chat)$ $1/ redirect;\n"},
        ),
    ),
    plain(
        "www-redirect",
        "ingress-nginx with `from-to-www-redirect` and `ssl-redirect`",
        "They are harmless.",
        AT_CHAT,
        annotated(
            annotations={f"{NGINX_ANNOTATION}from-to-www-redirect": "true", f"{NGINX_ANNOTATION}ssl-redirect": "true"}
        ),
    ),
    plain(
        "traefik-slash-and-strip",
        "Traefik, a redirectRegex Middleware that adds the slash, then stripPrefix",
        "The path is stripped.",
        READ_STRIPPED,
        STRIP,
        SLASH,
        annotated(class_="traefik", annotations=traefik("slash", "strip")),
    ),
    plain(
        "traefik-web-and-websecure",
        "Traefik, one Ingress for http that only redirects to https, one for https that strips",
        "The path is stripped.",
        Expected(root="", parent="/chat", url="https://HOST/chat/", conditions=IS_READ),
        STRIP,
        HTTPS,
        annotated(class_="traefik", annotations=traefik("strip", entrypoints="websecure", tls="true")),
        annotated(class_="traefik", name="web", annotations=traefik("https", entrypoints="web")),
    ),
    plain(
        "traefik-chain",
        "Traefik, a chain of redirectScheme, headers and stripPrefix",
        "The path is stripped.",
        STRIPPED,
        STRIP,
        HTTPS,
        objects.middleware("headers", {"headers": {"customRequestHeaders": {"X-Forwarded-Proto": "https"}}}),
        objects.middleware("all", {"chain": {"middlewares": [{"name": n} for n in ("https", "headers", "strip")]}}),
        annotated(class_="traefik", annotations=traefik("all")),
    ),
    plain(
        "traefik-wrong-reference",
        "Traefik, a Middleware named without its namespace",
        "Traefik answers 404. A condition says which Middleware is missing.",
        Expected(is_written=False, says="MiddlewareNotFound", conditions={"Ready": "False"}),
        STRIP,
        annotated(class_="traefik", annotations={f"{TRAEFIK_ANNOTATION}router.middlewares": "strip@kubernetescrd"}),
    ),
    plain(
        "alb-maintenance",
        "AWS ALB, a fixed response in front of all paths",
        "No request arrives. The app is not Ready.",
        NOT_SERVED,
        annotated(
            path("/", "maintenance") | {"backend": objects.backend("maintenance", "use-annotation")},
            path("/"),
            class_=ALB,
            annotations={
                f"{ALB_ANNOTATION}actions.maintenance": '{"type":"fixed-response","fixedResponseConfig":'
                '{"contentType":"text/plain","statusCode":"503","messageBody":"soon"}}'
            },
        ),
    ),
)

REWRITES = (
    plain(
        "rewrite-slash-at-slash",
        "ingress-nginx, `rewrite-target: /` with the path `/`",
        "It changes nothing.",
        AT_ROOT,
        annotated(path("/"), annotations=rewritten("/")),
    ),
    plain(
        "rewrite-slash-at-chat",
        "ingress-nginx, `rewrite-target: /` with the path `/chat`",
        "Every request becomes `/`, so the chat is dead. A condition says so.",
        NO_REWRITE,
        annotated(annotations=rewritten("/")),
    ),
    plain(
        "rewrite-optional-slash",
        "ingress-nginx, `/chat/?(.*)` rewritten to `/$1`",
        "The path is stripped.",
        STRIPPED,
        annotated(glob("/chat/?(.*)"), annotations=rewritten("/$1") | REGEX),
    ),
    plain(
        "rewrite-below-slash",
        "ingress-nginx, `/chat/(.*)` rewritten to `/$1`",
        "The path is stripped.",
        STRIPPED,
        annotated(glob("/chat/(.*)"), annotations=rewritten("/$1")),
    ),
    plain(
        "rewrite-identity",
        "ingress-nginx, `/(.*)` rewritten to `/$1`",
        "It changes nothing.",
        AT_ROOT,
        annotated(glob("/(.*)"), annotations=rewritten("/$1")),
    ),
    plain(
        "rewrite-double-slash",
        "ingress-nginx, `/chat(.*)` rewritten to `/$1`",
        "The app gets paths with two slashes. A condition says so, and nothing is written.",
        NO_REWRITE,
        annotated(glob("/chat(.*)"), annotations=rewritten("/$1")),
    ),
    plain(
        "rewrite-in-snippet",
        "ingress-nginx, a snippet that strips the path",
        "The operator does not evaluate snippets. The condition names `spec.route.rewrite`.",
        Expected(is_written=False, says="spec.route.rewrite"),
        annotated(annotations={f"{NGINX_ANNOTATION}configuration-snippet": "rewrite ^/chat/(.*)$ /$1 break;"}),
    ),
    plain(
        "rewrite-in-snippet-stated",
        "The same with `spec.route.rewrite: Strip`",
        "The path is stripped.",
        STRIPPED,
        annotated(annotations={f"{NGINX_ANNOTATION}configuration-snippet": "rewrite ^/chat/(.*)$ /$1 break;"}),
        spec={"route": {"rewrite": "Strip"}},
    ),
    plain(
        "snippet-headers",
        "ingress-nginx, a snippet that sets headers, `x-forwarded-prefix` and `upstream-vhost`",
        "The path is `/chat`.",
        AT_CHAT,
        annotated(
            annotations={
                f"{NGINX_ANNOTATION}configuration-snippet": 'more_set_headers "X-Frame-Options: DENY";',
                f"{NGINX_ANNOTATION}x-forwarded-prefix": "/chat",
                f"{NGINX_ANNOTATION}upstream-vhost": "chat.svc",
            }
        ),
    ),
    plain(
        "traefik-replace-regex",
        "Traefik, a replacePathRegex Middleware `^/chat/(.*)` to `/$1`",
        "The path is stripped.",
        STRIPPED,
        objects.middleware("strip", {"replacePathRegex": {"regex": "^/chat/(.*)", "replacement": "/$1"}}),
        annotated(class_="traefik", annotations=traefik("strip")),
    ),
    plain(
        "traefik-annotations-on-nginx",
        "ingress-nginx with annotations of Traefik that somebody copied",
        "They mean nothing to ingress-nginx. The path is `/chat`.",
        AT_CHAT,
        annotated(annotations={f"{TRAEFIK_ANNOTATION}router.middlewares": "x-strip@kubernetescrd"}),
    ),
    plain(
        "nginx-annotations-on-traefik",
        "Traefik with `rewrite-target` of ingress-nginx",
        "It means nothing to Traefik. The path is `/chat`.",
        AT_CHAT,
        annotated(class_="traefik", annotations=rewritten("/")),
    ),
    plain(
        "haproxy-rewrite",
        "HAProxy, `path-rewrite: /chat/(.*) /\\1`",
        "The path is stripped.",
        STRIPPED,
        annotated(class_="haproxy", annotations={"haproxy.org/path-rewrite": "/chat/(.*) /\\1"}),
    ),
    plain(
        "kong-strip",
        "Kong with `strip-path`",
        "The path is stripped.",
        STRIPPED,
        annotated(class_="kong", annotations={"konghq.com/strip-path": "true"}),
    ),
    plain(
        "f5-rewrite",
        "F5 NGINX with `rewrites` and `websocket-services`",
        "The path is stripped.",
        STRIPPED,
        annotated(
            path("/chat/"),
            class_="nginx",
            annotations={
                "nginx.org/rewrites": "serviceName=chat rewrite=/",
                "nginx.org/websocket-services": "chat",
            },
        ),
    ),
    plain(
        "istio-plain",
        "Istio's Ingress, `/chat` of type ImplementationSpecific",
        "Istio compares such a path exactly, so the WebSocket does not arrive. The condition says so.",
        Expected(is_written=False, says="ExactPath"),
        ingress(glob("/chat"), class_="istio"),
    ),
    plain(
        "istio-star",
        "Istio's Ingress, `/chat/*` of type ImplementationSpecific",
        "Istio reads the star as the rest of a prefix. The path is `/chat`.",
        AT_CHAT,
        ingress(glob("/chat/*"), class_="istio"),
    ),
    plain(
        "cilium-plain",
        "Cilium's Ingress, `/chat` of type ImplementationSpecific",
        "Cilium reads it as an expression for the whole path, so the WebSocket does not arrive. The condition says so.",
        Expected(is_written=False, conditions={"RouteResolved": "False"}),
        ingress(glob("/chat"), class_="cilium"),
    ),
    plain(
        "cilium-expression",
        "Cilium's Ingress, the expression `/chat(/.*)?`",
        "The path is `/chat`.",
        AT_CHAT,
        ingress(glob("/chat(/.*)?"), class_="cilium"),
    ),
)

GATEWAY = (
    plain(
        "gateway-https-redirect",
        "An HTTPRoute on the http listener that redirects to https, one on the https listener to the app",
        "The redirect is harmless.",
        Expected(root="/chat", parent="", url="https://HOST/chat/", conditions=IS_READ),
        gateway(),
        http_route(
            objects.http_rule(objects.path_match("/"), filters=[to_https()], backends=[]),
            name="https",
            sectionName="http",
        ),
        http_route(objects.http_rule(objects.path_match()), sectionName="https"),
    ),
    plain(
        "gateway-strip",
        "An HTTPRoute with ReplacePrefixMatch `/`, and one rule that redirects `/chat` (Exact) to `/chat/`",
        "The path is stripped.",
        READ_STRIPPED,
        gateway(),
        http_route(
            objects.http_rule(exact("/chat"), filters=[objects.redirect("/chat/")], backends=[]),
            objects.http_rule(objects.path_match("/chat/"), filters=[objects.prefix_rewrite("/")]),
        ),
    ),
    plain(
        "gateway-root-redirect",
        "An HTTPRoute that redirects `/` (Exact) to `/chat` beside the rule of the app",
        "The redirect is harmless.",
        READ_AT_CHAT,
        gateway(),
        http_route(
            objects.http_rule(exact("/"), filters=[objects.redirect("/chat")], backends=[]),
            objects.http_rule(objects.path_match()),
        ),
    ),
    plain(
        "gateway-replace-full",
        "An HTTPRoute with ReplaceFullPath `/`",
        "Every request becomes `/`, so the chat is dead. A condition says so.",
        NO_REWRITE,
        gateway(),
        http_route(
            objects.http_rule(
                objects.path_match(), filters=[objects.url_rewrite(type="ReplaceFullPath", replaceFullPath="/")]
            )
        ),
    ),
    plain(
        "gateway-header-canary",
        "An HTTPRoute that sends requests with a header to a canary",
        "The canary is no conflict: a browser does not send the header.",
        READ_AT_CHAT,
        gateway(),
        *another("canary"),
        http_route(
            objects.http_rule(
                objects.path_match(headers=[{"name": "x-canary", "value": "1"}]),
                backends=[objects.backend_ref("canary")],
            ),
            objects.http_rule(objects.path_match()),
        ),
    ),
    plain(
        "gateway-weights",
        "An HTTPRoute with weights 100 and 0 for a stable and a canary Service",
        "The canary gets nothing. The path is `/chat`.",
        READ_AT_CHAT,
        gateway(),
        *another("canary"),
        http_route(
            objects.http_rule(
                objects.path_match(),
                backends=[objects.backend_ref(weight=100), objects.backend_ref("canary", weight=0)],
            )
        ),
    ),
    plain(
        "gateway-mirror",
        "An HTTPRoute with RequestMirror and header filters",
        "They are harmless.",
        READ_AT_CHAT,
        gateway(),
        http_route(
            objects.http_rule(
                objects.path_match(),
                filters=[
                    {"type": "RequestMirror", "requestMirror": {"backendRef": objects.backend_ref("shadow")}},
                    {
                        "type": "RequestHeaderModifier",
                        "requestHeaderModifier": {"set": [{"name": "X-Forwarded-Prefix", "value": "/chat"}]},
                    },
                ],
            )
        ),
    ),
    plain(
        "gateway-several-matches",
        "An HTTPRoute with a rule for `/chat` and one with another time limit for `/chat/ws`",
        "Both belong to the app.",
        READ_AT_CHAT,
        gateway(),
        http_route(
            objects.http_rule(objects.path_match("/chat"), objects.path_match("/chat/public")),
            objects.http_rule(objects.path_match("/chat/ws")) | {"timeouts": {"request": "0s"}},
        ),
    ),
    plain(
        "gke-gateway-health",
        "A Gateway of GKE, whose health check asks `/`",
        "The path is `/chat`. A condition names the HealthCheckPolicy.",
        Expected(root="/chat", parent="", says="HealthCheckPolicy"),
        gateway("gke-l7-global-external-managed"),
        http_route(objects.http_rule(objects.path_match())),
    ),
    plain(
        "gateway-of-team-stripped-elsewhere",
        "One host: another team's HTTPRoute at `/`, the app's at `/chat`",
        "Both work.",
        Expected(root="/chat", parent="", conditions=IS_READ, not_says="may take"),
        gateway(),
        *another("home"),
        http_route(objects.http_rule(objects.path_match("/"), backends=[objects.backend_ref("home")]), name="home"),
        http_route(objects.http_rule(objects.path_match())),
    ),
)

NEIGHBOURS = (
    plain(
        "acme-solver",
        "The Ingress by which cert-manager answers a challenge on the app's host",
        "It takes nothing of the app.",
        READ_AT_ROOT,
        ingress(path("/")),
        chat(name="solver"),
        service("solver", "solver", {8089: 8089}),
        ingress(path("/.well-known/acme-challenge/abc", "solver", 8089, "Exact"), name="solver"),
    ),
    plain(
        "oauth2-beside",
        "The Ingress of a login proxy at `/oauth2` on the app's host, and `auth-url` on the app's",
        "The app keeps its place.",
        READ_AT_ROOT,
        annotated(
            path("/"),
            annotations={
                f"{NGINX_ANNOTATION}auth-url": f"https://{HOST}/oauth2/auth",
                f"{NGINX_ANNOTATION}auth-signin": f"https://{HOST}/oauth2/start?rd=$escaped_request_uri",
            },
        ),
        *another("oauth2"),
        ingress(path("/oauth2", "oauth2"), name="oauth2"),
    ),
    plain(
        "default-backend-with-rules",
        "An Ingress with `/api` to another Service, and the app as its default backend",
        "The app has all other paths, so Chainlit is at `/`.",
        READ_AT_ROOT,
        *another("api"),
        objects.ingress(
            rules=[objects.ingress_rule(path("/api", "api"))],
            ingress_class="gce",
            defaultBackend=objects.backend("chat", 80),
        ),
    ),
    plain(
        "default-backend-with-rules-traefik",
        "The same with Traefik, which then ignores the default backend",
        "No request arrives. The app is not Ready.",
        NOT_SERVED,
        *another("api"),
        objects.ingress(
            rules=[objects.ingress_rule(path("/api", "api"))],
            ingress_class="traefik",
            defaultBackend=objects.backend("chat", 80),
        ),
    ),
    plain(
        "default-backend-beside-path",
        "An Ingress with `/chat` to the app, which is its default backend, too",
        "The path says where the app is.",
        AT_CHAT,
        objects.ingress(
            rules=[objects.ingress_rule(path(), host=HOST)],
            ingress_class="nginx",
            defaultBackend=objects.backend("chat", 80),
        ),
    ),
    plain(
        "default-backend-alone",
        "An Ingress with only a default backend",
        "Chainlit is at `/`.",
        AT_ROOT,
        objects.ingress(rules=[], ingress_class="tailscale", defaultBackend=objects.backend("chat", 80)),
    ),
    plain(
        "internal-and-external",
        "One Ingress for browsers outside, one of another class inside, both at `/chat`",
        "Both have the app's path.",
        READ_AT_CHAT,
        ingress(),
        ingress(name="inside", class_="traefik", host=f"inside.{HOST}"),
    ),
    plain(
        "internal-at-root",
        "One Ingress at `/chat` outside, one at `/` on another host inside",
        "Chainlit serves one path. The condition names `spec.route.ref`.",
        Expected(is_written=False, says="spec.route.ref"),
        ingress(),
        ingress(path("/"), name="inside", host=f"inside.{HOST}"),
    ),
    plain(
        "internal-at-root-chosen",
        "The same; the ChainlitApp names the Ingress at `/chat`",
        "The path is `/chat`.",
        AT_CHAT,
        ingress(),
        ingress(path("/"), name="inside", host=f"inside.{HOST}"),
        spec={"route": {"ref": {"kind": "Ingress", "name": "chat"}}},
    ),
    plain(
        "exact-and-slash",
        "One Ingress with `/chat` (Exact) and `/chat/` (Prefix)",
        "The path is `/chat`.",
        AT_CHAT,
        ingress(path("/chat", type_="Exact"), path("/chat/")),
    ),
    plain(
        "wildcard-host",
        "An Ingress with a wildcard host",
        "The path is `/chat`. No URL is known.",
        Expected(root="/chat", parent="", url=None, conditions=IS_READ),
        ingress(host=f"*.{HOST}"),
    ),
    plain(
        "several-hosts",
        "An Ingress with two hosts",
        "The path is `/chat` on both.",
        AT_CHAT,
        objects.ingress(
            rules=[objects.ingress_rule(path(), host=h) for h in (HOST, f"www.{HOST}")], ingress_class="nginx"
        ),
    ),
    plain(
        "class-by-annotation",
        "An Ingress with the annotation `kubernetes.io/ingress.class`",
        "The path is stripped.",
        STRIPPED,
        ingress(
            glob("/chat(/|$)(.*)"), class_=None, annotations={"kubernetes.io/ingress.class": "nginx"} | rewritten("/$2")
        ),
    ),
)

COMMANDS = (
    plain(
        "root-path-slash",
        "`CHAINLIT_ROOT_PATH` is `/`",
        "Chainlit does not start with it. The operator empties it.",
        Expected(root="", parent="", is_written=True),
        chat(env=env(root_path="/")),
        ingress(path("/")),
    ),
    plain(
        "root-path-trailing-slash",
        "`CHAINLIT_ROOT_PATH` is `/chat/`",
        "Chainlit does not start with it. The operator writes `/chat`.",
        Expected(root="/chat", parent="", is_written=True),
        chat(env=env(root_path="/chat/"), readinessProbe=objects.http_probe("/chat/health", 8000)),
        ingress(),
    ),
    plain(
        "root-path-without-slash",
        "`CHAINLIT_ROOT_PATH` is `chat`",
        "Chainlit does not start with it. The operator writes `/chat`.",
        Expected(root="/chat", parent="", is_written=True),
        chat(env=env(root_path="chat")),
        ingress(),
    ),
    plain(
        "root-path-from-config-map",
        "`CHAINLIT_ROOT_PATH` by configMapKeyRef",
        "The operator cannot write a value. The condition names the entry.",
        Expected(is_written=False, says="valueFrom"),
        chat(
            env={"CHAINLIT_ROOT_PATH": {"valueFrom": {"configMapKeyRef": {"name": "chat", "key": "root"}}}},
        ),
        ingress(),
    ),
    plain(
        "root-path-from-reference",
        "`CHAINLIT_ROOT_PATH` is `/$(TEAM)/chat`, and `TEAM` comes from a ConfigMap",
        "Its value is not known, so nothing is written. A condition says so.",
        Expected(root="/$(TEAM)/chat", is_written=False, says="refers to a variable"),
        chat(
            env={
                "TEAM": {"valueFrom": {"configMapKeyRef": {"name": "chat", "key": "team"}}},
                "CHAINLIT_ROOT_PATH": "/$(TEAM)/chat",
            },
        ),
        ingress(path("/ai/chat")),
    ),
    plain(
        "root-path-composed",
        "`CHAINLIT_ROOT_PATH` is `/$(TEAM)/chat`, and `TEAM` is a value",
        "It is right. The operator writes nothing.",
        Expected(root="/$(TEAM)/chat", is_written=False, conditions={"Aligned": "True"}),
        chat(
            env={"TEAM": "ai", "CHAINLIT_ROOT_PATH": "/$(TEAM)/chat"},
            readinessProbe=objects.http_probe("/ai/chat/health", 8000),
        ),
        ingress(path("/ai/chat")),
    ),
    plain(
        "root-path-twice",
        "`CHAINLIT_ROOT_PATH` twice in `env`, as charts with extra variables render it",
        "The operator writes `/chat`, or a condition names the entry.",
        Expected(says="CHAINLIT_ROOT_PATH"),
        chat(objects.container("chat") | {"env": [{"name": "CHAINLIT_ROOT_PATH", "value": v} for v in ("", "/old")]}),
        ingress(),
    ),
    plain(
        "port-of-another-program",
        "A shell command that starts an API with `--port 9000` and then Chainlit with `--port 8000`",
        "Chainlit's port is 8000. The path is `/chat`.",
        READ_AT_CHAT,
        chat(command=["sh", "-c", "python api.py --port 9000 & exec chainlit run app.py --host 0.0.0.0 --port 8000"]),
        ingress(),
    ),
    plain(
        "port-after-chainlit",
        "A shell command that starts Chainlit with `--port 8000`, then another program with `--port 9000`",
        "Chainlit's port is 8000. The path is `/chat`.",
        READ_AT_CHAT,
        chat(command=["sh", "-c", "chainlit run app.py --port 8000 & python metrics.py --port 9000"]),
        ingress(),
    ),
    plain(
        "port-elsewhere",
        "The command has `--port 8080`, and the Service leads to 8000",
        "Nothing answers there. The condition names both ports.",
        Expected(says="8080", conditions={"Ready": "False"}),
        chat(command=["chainlit", "run", "app.py", "--port", "8080"]),
        ingress(),
    ),
    plain(
        "port-by-variable",
        "`--port $PORT` in a shell command, `PORT` is a variable",
        "The path is `/chat`.",
        READ_AT_CHAT,
        chat(
            command=["/bin/sh", "-c", "chainlit run app.py --host 0.0.0.0 --port ${PORT}"],
            env={"PORT": "8080"},
            port=8080,
            readinessProbe=objects.http_probe("/", 8080),
        ),
        service(ports={80: 8080}),
        ingress(),
    ),
    plain(
        "uvicorn-root-path",
        "`uvicorn main:app --root-path /chat`, an app that mounts Chainlit",
        "The option is not Chainlit's. The condition names `spec.mountPath`.",
        Expected(is_written=False, says="spec.mountPath"),
        chat(command=["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8000", "--root-path", "/chat"]),
        ingress(),
    ),
    plain(
        "uvicorn-mounted",
        "`uvicorn main:app` that mounts Chainlit at `/chat`; the ChainlitApp states the mount path",
        "The operator writes nothing.",
        Expected(root="", parent="", is_written=False, url="http://HOST/chat/", conditions=IS_READ),
        chat(command=["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8000"]),
        ingress(path("/")),
        spec={"mountPath": "/chat"},
    ),
    plain(
        "probe-by-port-name",
        "Probes that ask `/` by the name of the port, one with a query",
        "They ask `/chat/health`.",
        Expected(
            root="/chat", parent="", probes={"readinessProbe": "/chat/health", "livenessProbe": "/chat/health?x=1"}
        ),
        chat(
            readinessProbe=objects.http_probe("/", "http"),
            livenessProbe=objects.http_probe("/health?x=1", "http"),
        ),
        ingress(),
    ),
)

SERVICES = (
    plain(
        "backend-pod-port",
        "The Ingress names the pod's port instead of the Service's",
        "The condition names the ports of the Service.",
        Expected(is_written=False, says="has no such port"),
        ingress(path("/chat", port=8000)),
    ),
    plain(
        "headless-beside",
        "A StatefulSet with a headless Service and one for the Ingress",
        "The path is `/chat`.",
        READ_AT_CHAT,
        chat(kind="StatefulSet"),
        service("chat-headless", "chat", clusterIP="None"),
        ingress(),
        app(kind="StatefulSet"),
    ),
    plain(
        "two-services",
        "`/chat` and `/chat/ws` by two Services of one Deployment",
        "Both belong to the app.",
        READ_AT_CHAT,
        service("socket", "chat"),
        ingress(path(), path("/chat/ws", "socket")),
    ),
    plain(
        "blue-green",
        "A Service that selects the blue Deployment; the ChainlitApp is for the green one",
        "No request arrives. The condition names Service and pods.",
        NOT_SERVED,
        objects.workload(objects.container("chat"), labels={"app": "chat", "color": "green"}),
        objects.service("chat", selector={"app": "chat", "color": "blue"}),
        ingress(),
    ),
    plain(
        "external-name",
        "An Ingress to a Service of type ExternalName",
        "The operator does not follow it. The condition names `spec.route.url`, or the selector.",
        Expected(is_written=False, conditions={"RouteResolved": "False"}),
        service("inner", "chat"),
        objects.resource("Service", "chat", spec={"type": "ExternalName", "externalName": "inner.x.svc.cluster.local"}),
        ingress(),
    ),
    plain(
        "service-of-two-workloads",
        "A Service whose selector also matches a worker Deployment",
        "A condition names the other Deployment.",
        Expected(says="worker"),
        objects.workload(objects.container("chat"), labels={"app": "chat", "part": "web"}),
        objects.workload(
            objects.container("chat", image="worker"), name="worker", labels={"app": "chat", "part": "worker"}
        ),
        ingress(),
    ),
    plain(
        "port-by-name",
        "Named ports in Ingress, Service and container",
        "The path is `/chat`.",
        READ_AT_CHAT,
        objects.service(),
        ingress(objects.ingress_path()),
    ),
    plain(
        "login-proxy-unnamed",
        "The Service leads to oauth2-proxy in the pod; the ChainlitApp names no container",
        "The container beside the proxy is Chainlit's, or the condition asks for it.",
        Expected(says="spec.workload.ref.container"),
        chat(
            objects.container(
                "proxy", "quay.example/oauth2-proxy:v7", port=4180, readinessProbe=objects.http_probe("/ping", 4180)
            ),
            objects.container("web", "chat", port=8000, readinessProbe=objects.http_probe("/health", 8000)),
        ),
        service(ports={80: 4180}),
        ingress(),
    ),
    plain(
        "login-proxy-sidecar",
        "The Service leads to oauth2-proxy, an init container that keeps running beside Chainlit",
        "The path is `/chat`, and Chainlit's probes move with it.",
        Expected(root="/chat", parent="", probes={"readinessProbe": "/chat/health"}, conditions=IS_READ),
        objects.workload(
            objects.container("chat", port=8000, readinessProbe=objects.http_probe("/health", 8000)),
            pod={"initContainers": [objects.container("oauth2-proxy", port=4180, restartPolicy="Always")]},
        ),
        service(ports={80: 4180}),
        ingress(),
    ),
    plain(
        "undeclared-port",
        "A container that declares no port",
        "The path is `/chat`.",
        READ_AT_CHAT,
        chat(port=None),
        ingress(),
    ),
)

MORE = (
    plain(
        "tailscale-two",
        "Tailscale, two Ingresses with only a default backend: each has a name of its own",
        "They are no conflict. Chainlit is at `/`.",
        READ_AT_ROOT,
        *another("bot"),
        objects.ingress(
            name="bot",
            rules=[],
            ingress_class="tailscale",
            defaultBackend=objects.backend("bot", 80),
            tls=[{"hosts": ["bot"]}],
        ),
        objects.ingress(
            rules=[], ingress_class="tailscale", defaultBackend=objects.backend("chat", 80), tls=[{"hosts": ["chat"]}]
        ),
        objects.chainlit_app("bot", workload="bot"),
    ),
    plain(
        "no-class",
        "An Ingress without a class, with `rewrite-target` of ingress-nginx",
        "The annotation shows the controller. The path is stripped.",
        STRIPPED,
        ingress(glob("/chat(/|$)(.*)"), class_=None, annotations=rewritten("/$2") | REGEX),
    ),
    plain(
        "f5-minion",
        "F5 NGINX, a master Ingress with the host and a minion with the path",
        "The path is `/chat`.",
        READ_AT_CHAT,
        annotated(
            annotations={"nginx.org/mergeable-ingress-type": "minion", "nginx.org/websocket-services": "chat"},
        ),
        objects.ingress(
            name="master",
            rules=[{"host": HOST}],
            ingress_class="nginx",
            annotations={"nginx.org/mergeable-ingress-type": "master"},
        ),
    ),
    plain(
        "route-without-match",
        "An HTTPRoute whose rule has no match",
        "It is for all paths, so Chainlit is at `/`.",
        AT_ROOT,
        gateway(),
        http_route({"backendRefs": [objects.backend_ref()]}),
    ),
    plain(
        "args-of-image",
        "`args: [run, app.py, --root-path, /chat]`; the image starts Chainlit",
        "It is right. The operator writes nothing.",
        LEFT_ALONE,
        chat(args=["run", "app.py", "--root-path", "/chat"], readinessProbe=objects.http_probe("/chat/health", 8000)),
        ingress(),
    ),
    plain(
        "exported-in-shell",
        "`export CHAINLIT_ROOT_PATH=/chat` in a shell command",
        "It is right. The operator writes nothing.",
        LEFT_ALONE,
        chat(
            command=["/bin/bash", "-ec", "export CHAINLIT_ROOT_PATH=/chat\nexec chainlit run app.py -h\n"],
            readinessProbe=objects.http_probe("/chat/health", 8000),
        ),
        ingress(),
    ),
    plain(
        "own-name-in-shell",
        "`--root-path ${BASE_PATH}` in a shell command, `BASE_PATH` is a value",
        "It is right. The operator writes nothing.",
        LEFT_ALONE,
        chat(
            command=["sh", "-c"],
            args=["chainlit run app.py --host 0.0.0.0 --root-path ${BASE_PATH}"],
            env={"BASE_PATH": "/chat"},
            readinessProbe=objects.http_probe("/chat/health", 8000),
        ),
        ingress(),
    ),
    plain(
        "unknown-name-in-shell",
        "`--root-path ${BASE_PATH}`, and `BASE_PATH` comes from a Secret",
        "The operator cannot read it. A condition says so, and nothing is written.",
        Expected(is_written=False, says="cannot read"),
        chat(
            command=["sh", "-c", "chainlit run app.py --root-path ${BASE_PATH}"],
            env={"BASE_PATH": {"valueFrom": {"secretKeyRef": {"name": "chat", "key": "base"}}}},
        ),
        ingress(),
    ),
    plain(
        "uvicorn-variable",
        "`UVICORN_ROOT_PATH` and `ROOT_PATH` in `env`",
        "They are not Chainlit's. The path is `/chat`.",
        AT_CHAT,
        chat(env={"UVICORN_ROOT_PATH": "/chat", "ROOT_PATH": "/chat"}),
        ingress(),
    ),
    plain(
        "wget-probe",
        "An exec probe by wget below the path that the route gives",
        "The path is `/chat`, without a warning.",
        Expected(root="/chat", parent="", not_says="(exec)"),
        chat(
            readinessProbe={"exec": {"command": ["sh", "-c", "wget -qO- http://127.0.0.1:8000/chat/health || exit 1"]}}
        ),
        ingress(),
    ),
    plain(
        "client-ip",
        "Two replicas with `sessionAffinity: ClientIP` behind ingress-nginx, which asks the pods itself",
        "SessionAffinity is False.",
        Expected(root="/chat", parent="", conditions={"SessionAffinity": "False"}),
        chat(replicas=2),
        service(sessionAffinity="ClientIP"),
        ingress(),
    ),
    plain(
        "upper-case",
        "A path with upper case and an underscore",
        "The path is `/Team_A/Chat-UI`.",
        Expected(root="/Team_A/Chat-UI", parent=""),
        ingress(path("/Team_A/Chat-UI")),
    ),
    plain(
        "alb-path-on-nginx",
        "`/chat/*` with type Prefix on ingress-nginx, copied from an ALB",
        "ingress-nginx reads the star as it stands, so no request of the chat arrives. The app is not Ready.",
        NOT_SERVED,
        ingress(path("/chat/*")),
    ),
    plain(
        "several-slashes",
        "A path with a slash at its end, stripped by Traefik with the prefix without it",
        "The path is stripped.",
        STRIPPED,
        STRIP,
        annotated(path("/chat/"), class_="traefik", annotations=traefik("strip")),
    ),
    plain(
        "strip-with-slash",
        "Traefik strips `/chat/` behind the path `/chat`",
        "The path is stripped.",
        Expected(parent="/chat", root=""),
        objects.middleware("strip", {"stripPrefix": {"prefixes": ["/chat/"]}}),
        annotated(class_="traefik", annotations=traefik("strip")),
    ),
    plain(
        "add-prefix",
        "Traefik, a browser opens `/`, and an addPrefix Middleware adds `/chat`",
        "The page would not know its address. A condition says so, and nothing is written.",
        NO_REWRITE,
        objects.middleware("add", {"addPrefix": {"prefix": "/chat"}}),
        annotated(path("/"), class_="traefik", annotations=traefik("add")),
    ),
    plain(
        "gateway-no-host",
        "An HTTPRoute without host names and without a Gateway that the operator sees",
        "The path is `/chat`.",
        READ_AT_CHAT,
        objects.http_route(objects.http_rule(objects.path_match()), parents=[objects.gateway_ref("gone", "x")]),
    ),
    plain(
        "gateway-expression",
        "An HTTPRoute with the expression `/chat(/.*)?`",
        "The path is `/chat`.",
        AT_CHAT,
        gateway(),
        http_route(objects.http_rule(objects.path_match("/chat(/.*)?", "RegularExpression"))),
    ),
)

PUBLIC_GROUPS: Mapping[str, tuple[SetUp, ...]] = {
    "Redirects beside the app": REDIRECTS,
    "Rewrites that people copy": REWRITES,
    "Gateway API": GATEWAY,
    "Other paths on the host": NEIGHBOURS,
    "Commands and variables": COMMANDS,
    "Services": SERVICES,
    "More forms": MORE,
}
