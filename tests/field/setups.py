"""The table of set-ups: the objects of one namespace each, and what people expect of the operator there.

Each set-up runs without pods and with verification off. So the table has only what the objects alone decide. The page
docs/reference/set-ups.md is made from it.
"""

from __future__ import annotations

from collections.abc import Mapping

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
    STICKY,
    STRIPPED,
    TRAEFIK_ANNOTATION,
    Expected,
    SetUp,
    annotated,
    app,
    chat,
    env,
    glob,
    http_route,
    ingress,
    path,
    plain,
    rewritten,
    service,
    two,
    virtual_service,
)
from tests.field.contour import CONTOUR
from tests.field.public import PUBLIC_GROUPS
from tests.objects import Object

STARS = "The path `/*` means every path."

CLOUDS = (
    plain("alb-star", "AWS ALB, `/*`", STARS, AT_ROOT, ingress(glob("/*"), class_=ALB)),
    plain("alb-chat-star", "AWS ALB, `/chat/*`", "The path is `/chat`.", AT_CHAT, ingress(glob("/chat/*"), class_=ALB)),
    plain(
        "alb-both",
        "AWS ALB, `/chat` and `/chat/*`",
        "The path is `/chat`.",
        AT_CHAT,
        ingress(glob("/chat"), glob("/chat/*"), class_=ALB),
    ),
    plain(
        "alb-exact",
        "AWS ALB, `/chat` of type ImplementationSpecific alone",
        "ALB compares such a path exactly, so the WebSocket does not arrive. The condition says so.",
        Expected(is_written=False, says="ExactPath"),
        ingress(glob("/chat"), class_=ALB),
    ),
    plain(
        "alb-ssl-redirect",
        "AWS ALB, the redirect to https in front of all paths",
        "The redirect is harmless.",
        AT_ROOT,
        annotated(
            path("/", "ssl-redirect") | {"backend": objects.backend("ssl-redirect", "use-annotation")},
            path("/"),
            class_=ALB,
            annotations={
                f"{ALB_ANNOTATION}actions.ssl-redirect": '{"Type":"redirect","RedirectConfig":'
                '{"Protocol":"HTTPS","Port":"443","StatusCode":"HTTP_301"}}'
            },
        ),
    ),
    plain(
        "alb-health-path",
        "AWS ALB with a health check of its own at `/`",
        "The path is `/chat`. A condition names the annotation, because `/` is 404 there.",
        Expected(root="/chat", parent="", says="healthcheck-path"),
        annotated(
            class_=ALB,
            annotations={f"{ALB_ANNOTATION}healthcheck-path": "/", f"{ALB_ANNOTATION}target-type": "ip"},
        ),
    ),
    plain(
        "alb-health-path-right",
        "AWS ALB with a health check that asks `/chat/health`",
        "The path is `/chat`, without a warning.",
        Expected(root="/chat", parent="", not_says="healthcheck-path"),
        annotated(class_=ALB, annotations={f"{ALB_ANNOTATION}healthcheck-path": "/chat/health"}),
    ),
    plain(
        "alb-certificate",
        "AWS ALB with a certificate in an annotation",
        "The URL is https.",
        Expected(root="/chat", parent="", url="https://HOST/chat/"),
        annotated(
            class_=ALB,
            annotations={f"{ALB_ANNOTATION}certificate-arn": "arn:aws:acm:eu-central-1:123456789012:certificate/1"},
        ),
    ),
    plain("gke-star", "GKE, `/*`", STARS, AT_ROOT, ingress(glob("/*"), class_="gce")),
    plain(
        "gke-both",
        "GKE, `/chat` and `/chat/*`",
        "The path is `/chat`.",
        AT_CHAT,
        ingress(glob("/chat"), glob("/chat/*"), class_="gce"),
    ),
    plain(
        "agic-star",
        "Azure Application Gateway, `/rag` and `/rag/*`",
        "The path is `/rag`.",
        Expected(root="/rag", parent=""),
        ingress(glob("/rag"), glob("/rag/*"), class_="azure-application-gateway"),
    ),
    plain(
        "agic-prefix",
        "Azure Application Gateway that replaces the path by `/`",
        "The path is stripped.",
        STRIPPED,
        annotated(
            glob("/chat/*"),
            class_="azure-application-gateway",
            annotations={"appgw.ingress.kubernetes.io/backend-path-prefix": "/"},
        ),
    ),
    plain(
        "openshift-rewrite",
        "OpenShift, an Ingress that strips",
        "The path is stripped.",
        STRIPPED,
        annotated(
            class_="openshift-default",
            annotations={
                "haproxy.router.openshift.io/rewrite-target": "/",
                "route.openshift.io/termination": "edge",
            },
        ),
    ),
    plain(
        "openshift-keep",
        "OpenShift, an Ingress with TLS by annotation",
        "The path is `/chat`, and the URL is https.",
        Expected(root="/chat", parent="", url="https://HOST/chat/"),
        annotated(class_="openshift-default", annotations={"route.openshift.io/termination": "edge"}),
    ),
    plain(
        "openshift-route",
        "OpenShift, a Route with TLS at the router",
        "The path is `/chat`, and the URL is https.",
        Expected(root="/chat", parent="", url="https://HOST/chat/"),
        objects.openshift_route(HOST, port=None),
    ),
    plain(
        "openshift-route-strip",
        "OpenShift, a Route that strips, to a port of the pods",
        "The path is stripped.",
        Expected(root="", parent="/chat", url="https://HOST/chat/"),
        objects.openshift_route(HOST, port=8000, annotations={"haproxy.router.openshift.io/rewrite-target": "/"}),
    ),
    plain(
        "openshift-route-shared",
        "OpenShift, a Route that sends a share of the requests elsewhere",
        "The other Service does not know the sessions. The condition says so.",
        Expected(is_written=False, says="BackendShared"),
        objects.openshift_route(HOST, port=None, alternateBackends=[objects.openshift_backend("beta", 10)]),
    ),
    plain(
        "openshift-route-refused",
        "OpenShift, a Route that lost its host to an older one",
        "Nothing is written. The condition repeats the reason of the router.",
        Expected(is_written=False, says="HostAlreadyClaimed"),
        objects.openshift_route(
            HOST,
            port=None,
            status=objects.router_status(HOST, "False", reason="HostAlreadyClaimed", message="an older Route has it"),
        ),
    ),
    plain(
        "openshift-route-no-cookie",
        "OpenShift, two pods behind a Route without the router's cookie",
        "SessionAffinity is False, and the message names the annotation.",
        Expected(root="/chat", parent="", says="disable_cookies", conditions={"SessionAffinity": "False"}),
        chat(replicas=2),
        objects.openshift_route(HOST, port=None, annotations={"haproxy.router.openshift.io/disable_cookies": "true"}),
    ),
    plain(
        "f5-no-websocket",
        "F5 NGINX without `websocket-services`",
        "The path is `/chat`. A condition names the annotation that lets WebSockets through.",
        Expected(root="/chat", parent="", says="nginx.org/websocket-services"),
        ingress(class_="f5"),
    ),
    plain(
        "f5-websocket",
        "F5 NGINX with `websocket-services`",
        "The path is `/chat`, without a warning.",
        Expected(root="/chat", parent="", not_says="websocket-services"),
        annotated(class_="f5", annotations={"nginx.org/websocket-services": "chat"}),
    ),
)

CONTROLLERS = (
    plain(
        "nginx-prefix-regex",
        "ingress-nginx, `/chat(/|$)(.*)` with type Prefix, rewritten to `/$2`",
        "The path is stripped. It works before ingress-nginx 1.12.",
        STRIPPED,
        annotated(path("/chat(/|$)(.*)"), annotations=rewritten("/$2")),
    ),
    plain(
        "nginx-chat-plus",
        "ingress-nginx, the expression `/chat(/.+)?`",
        "The path is `/chat`.",
        AT_CHAT,
        annotated(glob("/chat(/.+)?"), annotations=REGEX),
    ),
    plain(
        "nginx-capture-all",
        "ingress-nginx, `/(chat.*)` rewritten to `/$1`",
        "The path stays as it is.",
        AT_CHAT,
        annotated(glob("/(chat.*)"), annotations=rewritten("/$1")),
    ),
    plain(
        "nginx-team",
        "ingress-nginx, `/team/(chat.*)` rewritten to `/$1`",
        "The first segment is stripped.",
        Expected(root="/chat", parent="/team"),
        annotated(glob("/team/(chat.*)"), annotations=rewritten("/$1")),
    ),
    plain(
        "nginx-without-group",
        "ingress-nginx, `/chat(?:/|$)(.*)` rewritten to `/$1`",
        "The path is stripped.",
        STRIPPED,
        annotated(glob("/chat(?:/|$)(.*)"), annotations=rewritten("/$1")),
    ),
    plain(
        "nginx-two-words",
        "ingress-nginx, `/(chat|bot)(/|$)(.*)` rewritten to `/$3`",
        "The expression stands for two paths, and Chainlit serves one. Nothing is written.",
        Expected(is_written=False, conditions={"RouteResolved": "False"}),
        annotated(glob("/(chat|bot)(/|$)(.*)"), annotations=rewritten("/$3")),
    ),
    plain(
        "nginx-look-ahead",
        "ingress-nginx, an expression with a look-ahead",
        "The operator cannot evaluate it, and says so.",
        Expected(is_written=False, says="RegularExpressionPath"),
        annotated(glob("/(?!api)(.*)"), annotations=REGEX),
    ),
    plain(
        "nginx-app-root",
        "ingress-nginx with `app-root` elsewhere",
        "Browsers are redirected away from the chat. A condition names the annotation.",
        Expected(says="app-root"),
        annotated(path("/"), annotations={f"{NGINX_ANNOTATION}app-root": "/home"}),
    ),
    plain(
        "nginx-redirect",
        "ingress-nginx with `permanent-redirect`",
        "No request arrives. A condition names the annotation, and the app is not Ready.",
        Expected(says="permanent-redirect", conditions={"Ready": "False"}),
        annotated(annotations={f"{NGINX_ANNOTATION}permanent-redirect": "https://new.example.com"}),
    ),
    plain(
        "nginx-canary-weight",
        "ingress-nginx, a canary by weight to another Service",
        "The sessions are split between two Services. A condition says so.",
        Expected(says="canary"),
        ingress(),
        annotated(
            path("/chat", "next"),
            name="next",
            annotations={f"{NGINX_ANNOTATION}canary": "true", f"{NGINX_ANNOTATION}canary-weight": "20"},
        ),
        chat(name="next"),
        service("next", "next"),
    ),
    plain(
        "traefik-strip",
        "Traefik, a stripPrefix Middleware",
        "The path is stripped.",
        STRIPPED,
        objects.middleware("strip", {"stripPrefix": {"prefixes": ["/chat"]}}),
        annotated(class_="traefik", annotations=objects.middleware_reference("strip", namespace=NAMESPACE)),
    ),
    plain(
        "traefik-strip-regex",
        "Traefik, a stripPrefixRegex Middleware",
        "The path is stripped.",
        STRIPPED,
        objects.middleware("strip", {"stripPrefixRegex": {"regex": ["/[a-z]+"]}}),
        annotated(class_="traefik", annotations=objects.middleware_reference("strip", namespace=NAMESPACE)),
    ),
    plain(
        "traefik-https",
        "Traefik, a redirectScheme Middleware",
        "The redirect is harmless.",
        AT_CHAT,
        objects.middleware("https", {"redirectScheme": {"scheme": "https"}}),
        annotated(class_="traefik", annotations=objects.middleware_reference("https", namespace=NAMESPACE)),
    ),
    plain(
        "traefik-redirect",
        "Traefik, a redirectRegex Middleware that sends browsers elsewhere",
        "No page arrives. A condition says so, and the app is not Ready.",
        Expected(says="redirectRegex", conditions={"Ready": "False"}),
        objects.middleware(
            "away",
            {"redirectRegex": {"regex": "^https?://[^/]+/chat(.*)", "replacement": "https://new.example.com/$1"}},
        ),
        annotated(class_="traefik", annotations=objects.middleware_reference("away", namespace=NAMESPACE)),
    ),
    plain(
        "traefik-tls-annotation",
        "Traefik, TLS by annotation",
        "The URL is https.",
        Expected(root="/chat", parent="", url="https://HOST/chat/"),
        annotated(
            class_="traefik",
            annotations={
                f"{TRAEFIK_ANNOTATION}router.tls": "true",
                f"{TRAEFIK_ANNOTATION}router.entrypoints": "websecure",
            },
        ),
    ),
    plain(
        "traefik-path",
        "Traefik, the path compared exactly by annotation",
        "The WebSocket does not arrive. The condition says so.",
        Expected(is_written=False, says="ExactPath"),
        annotated(glob("/chat"), class_="traefik", annotations={f"{TRAEFIK_ANNOTATION}router.pathmatcher": "Path"}),
    ),
    plain(
        "ingressroute",
        "Traefik, an IngressRoute",
        "The path is `/chat`.",
        AT_CHAT,
        objects.ingress_route(f"Host(`{HOST}`) && PathPrefix(`/chat`)"),
    ),
    plain(
        "ingressroute-strip",
        "Traefik, an IngressRoute for https with a Middleware that strips, and one that sends http there",
        "The path is stripped, and the URL is https.",
        Expected(root="", parent="/chat", url="https://HOST/chat/"),
        objects.middleware("strip", {"stripPrefix": {"prefixes": ["/chat"]}}),
        objects.middleware("https", {"redirectScheme": {"scheme": "https", "permanent": True}}),
        objects.ingress_route(
            objects.router(f"Host(`{HOST}`) && PathPrefix(`/chat`)", middlewares=[{"name": "strip"}]),
            entry_points=["websecure"],
            tls={"secretName": "tls"},
        ),
        objects.ingress_route(
            objects.router(f"Host(`{HOST}`)", middlewares=[{"name": "https"}]), name="redirect", entry_points=["web"]
        ),
    ),
    plain(
        "ingressroute-longer-rule",
        "Traefik, an IngressRoute at `/` of two hosts, whose rule is longer than that for `/chat`",
        "Traefik tries the longest rule first. The condition says so.",
        Expected(is_written=False, says="PathShadowed"),
        objects.ingress_route(
            objects.router(f"Host(`{HOST}`) && PathPrefix(`/chat`)"),
            objects.router(
                f"(Host(`{HOST}`) || Host(`www.{HOST}`)) && PathPrefix(`/`)", objects.traefik_service("site")
            ),
        ),
    ),
)

WRITTEN_BY_PEOPLE = (
    plain(
        "root-below-slash",
        "It works at `/chat` behind an Ingress at `/`",
        "The operator leaves it alone.",
        Expected(root="/chat", parent="", is_written=False, url="http://HOST/chat/"),
        chat(env=env(root_path="/chat"), readinessProbe=objects.http_probe("/chat/health", 8000)),
        ingress(path("/")),
    ),
    plain(
        "root-below-path",
        "It works at `/team/chat` behind an Ingress at `/team`",
        "The operator leaves it alone.",
        Expected(root="/team/chat", parent="", is_written=False, url="http://HOST/team/chat/"),
        chat(env=env(root_path="/team/chat"), readinessProbe=objects.http_probe("/team/chat/health", 8000)),
        ingress(path("/team")),
    ),
    plain(
        "root-beside",
        "It is at `/bot` behind an Ingress at `/chat`",
        "It cannot work there. The operator writes `/chat`.",
        AT_CHAT,
        chat(env=env(root_path="/bot"), readinessProbe=objects.http_probe("/bot/health", 8000)),
        ingress(),
    ),
    plain(
        "outer-prefix-parent",
        "A proxy outside the cluster adds `/portal`",
        "The operator keeps the parent root path.",
        Expected(root="/chat", parent="/portal", is_written=False, conditions={"Ready": "Unknown"}),
        chat(
            env=env(root_path="/chat", parent_root_path="/portal"),
            readinessProbe=objects.http_probe("/chat/health", 8000),
        ),
        ingress(),
    ),
    plain(
        "parent-left-over",
        "The route no longer strips `/chat`, and the parent root path is left over",
        "The operator sets both variables right.",
        AT_CHAT,
        chat(env=env(parent_root_path="/chat")),
        ingress(),
    ),
    plain(
        "stripped-right",
        "The variables of a stripping route are right",
        "The operator writes nothing.",
        Expected(root="", parent="/chat", is_written=False),
        chat(env=env(parent_root_path="/chat")),
        annotated(glob("/chat(/|$)(.*)"), annotations=rewritten("/$2")),
    ),
    plain(
        "root-in-args-var",
        "`--root-path $(CHAINLIT_ROOT_PATH)` in the command",
        "The option follows the variable. The operator writes nothing.",
        Expected(root="/chat", parent="", is_written=False),
        chat(
            env=env(root_path="/chat"),
            command=["chainlit", "run", "app.py", "--root-path", "$(CHAINLIT_ROOT_PATH)"],
            readinessProbe=objects.http_probe("/chat/health", 8000),
        ),
        ingress(),
    ),
    plain(
        "root-in-args-right",
        "`--root-path /chat` in the command, as the route requires",
        "The operator writes nothing.",
        Expected(is_written=False, conditions={"Aligned": "True"}),
        chat(
            command=["chainlit", "run", "app.py", "--root-path", "/chat"],
            readinessProbe=objects.http_probe("/chat/health", 8000),
        ),
        ingress(),
    ),
    plain(
        "root-in-shell-right",
        "`--root-path=/chat` in a shell command, as the route requires",
        "The operator writes nothing.",
        Expected(is_written=False, conditions={"Aligned": "True"}),
        chat(
            command=["sh", "-c", "exec chainlit run app.py --root-path=/chat"],
            readinessProbe=objects.http_probe("/chat/health", 8000),
        ),
        ingress(),
    ),
    plain(
        "root-in-args-wrong",
        "`--root-path=/other` in the command",
        "The option wins over the variable. A condition says so, and nothing is written.",
        Expected(is_written=False, says="RootPathInCommand"),
        chat(
            command=["chainlit", "run", "app.py", "--root-path=/other"],
            readinessProbe=objects.http_probe("/other/health", 8000),
        ),
        ingress(),
    ),
    plain(
        "own-health-at-root",
        "The app has a health endpoint of its own, at `/`",
        "The operator writes nothing.",
        Expected(
            root="",
            parent="",
            is_written=False,
            probes={"readinessProbe": "/api/health", "livenessProbe": "/api/health"},
        ),
        chat(
            readinessProbe=objects.http_probe("/api/health", 8000),
            livenessProbe=objects.http_probe("/api/health", 8000),
        ),
        ingress(path("/")),
    ),
    plain(
        "own-health-at-chat",
        "The app has health endpoints of its own, at `/chat`",
        "The path is `/chat`. The probes stay until a pod shows that Chainlit answers them.",
        Expected(root="/chat", parent="", probes={"readinessProbe": "/api/health", "livenessProbe": "/healthz"}),
        chat(
            readinessProbe=objects.http_probe("/api/health", 8000), livenessProbe=objects.http_probe("/healthz", 8000)
        ),
        ingress(),
    ),
    plain(
        "exec-probe",
        "An exec probe asks a path that will be 404",
        "The path is `/chat`. A condition names the probe.",
        Expected(root="/chat", parent="", says="readinessProbe"),
        chat(readinessProbe={"exec": {"command": ["curl", "-f", "http://localhost:8000/"]}}),
        ingress(),
    ),
    plain(
        "tcp-probe",
        "A TCP probe",
        "The path is `/chat`, and the probe stays.",
        AT_CHAT,
        chat(readinessProbe={"tcpSocket": {"port": 8000}}),
        ingress(),
    ),
    plain(
        "azure-sample",
        "A well-known sample, moved to `/chat`",
        "The path is `/chat`. The probes of `/` ask `/chat/health`.",
        Expected(
            root="/chat",
            parent="",
            url="https://HOST/chat/",
            probes=dict.fromkeys(("startupProbe", "livenessProbe", "readinessProbe"), "/chat/health"),
        ),
        chat(
            readinessProbe=objects.http_probe("/", 8000),
            livenessProbe=objects.http_probe("/", 8000),
            startupProbe=objects.http_probe("/", 8000),
        ),
        service(ports={8000: 8000}),
        ingress(
            path(port=8000),
            tls=[{"hosts": [HOST], "secretName": "t"}],
            annotations=STICKY,
        ),
    ),
)


PORTS = (
    plain(
        "two-ports-one-service",
        "One Service leads to an API and to Chainlit, by port",
        "The path counts whose port leads to Chainlit.",
        AT_ROOT,
        two(("api", 8000, "/ready"), ("chainlit", 8001, "/health")),
        service(ports={8000: 8000, 8001: 8001}),
        ingress(path("/api", port=8000), path("/", port=8001)),
    ),
    plain(
        "dashboard-other-port",
        "A second Ingress leads to another port of the pods",
        "It does not count.",
        AT_CHAT,
        chat(ports=[{"containerPort": 8000}, {"containerPort": 8265}], port=None),
        service(ports={80: 8000, 8265: 8265}),
        ingress(),
        ingress(path("/ray", port=8265), name="ray"),
    ),
    plain(
        "container-by-port",
        "A sidecar, and no container is called `chainlit`",
        "The port of the route shows the container.",
        AT_CHAT,
        two(("ui", 8000, "/health"), ("cloud-sql-proxy", 9801, "/startup")),
        ingress(),
    ),
    plain(
        "login-proxy-in-pod",
        "The Service leads to a login proxy in the pod; the ChainlitApp names the container",
        "The path is `/chat`.",
        AT_CHAT,
        two(("oauth2-proxy", 4180, "/ping"), ("ui", 8000, "/health")),
        service(ports={80: 4180}),
        ingress(),
        app(workload={"ref": {"kind": "Deployment", "name": "chat", "container": "ui"}}),
    ),
    plain(
        "port-stated",
        "Two ports of one container; the ChainlitApp states Chainlit's",
        "The path counts whose port leads to Chainlit.",
        AT_CHAT,
        chat(ports=[{"containerPort": 9000}, {"containerPort": 9001}], port=None),
        service(ports={80: 9000, 81: 9001}),
        ingress(path("/chat", port=81), path("/metrics", port=80)),
        app(workload={"ref": {"kind": "Deployment", "name": "chat", "port": 9001}}),
    ),
)

SPLIT = (
    plain(
        "slack-one-ingress",
        "`/` and `/slack/events` in one Ingress",
        "`/slack/events` is one of Chainlit's own.",
        AT_ROOT,
        ingress(path("/"), path("/slack/events")),
    ),
    plain(
        "slack-second-ingress",
        "A second Ingress without login for `/slack/events`",
        "Both belong to the app.",
        AT_ROOT,
        annotated(path("/"), annotations={f"{NGINX_ANNOTATION}auth-url": "https://sso.example.com/auth"}),
        ingress(path("/slack/events"), name="slack"),
    ),
    plain(
        "ws-second-ingress",
        "A second Ingress with longer time-outs for the WebSocket",
        "Both belong to the app.",
        AT_CHAT,
        ingress(),
        annotated(path("/chat/ws"), name="ws", annotations={f"{NGINX_ANNOTATION}proxy-read-timeout": "3600"}),
    ),
    plain(
        "public-second-ingress",
        "A second Ingress without login for `/chat/public`",
        "Both belong to the app.",
        AT_CHAT,
        annotated(annotations={f"{NGINX_ANNOTATION}auth-url": "https://sso.example.com/auth"}),
        ingress(path("/chat/public"), name="public"),
    ),
    plain(
        "exact-helper-beside",
        "A helper Ingress of type Exact on another host",
        "It does not block.",
        AT_CHAT,
        ingress(),
        ingress(path("/ping", type_="Exact"), name="ping", host=f"ping.{HOST}"),
    ),
    plain(
        "two-paths",
        "Two Ingresses at `/chat` and at `/bot`",
        "Chainlit serves one path. Nothing is written.",
        Expected(is_written=False, conditions={"RouteResolved": "False"}),
        ingress(),
        ingress(path("/bot"), name="second"),
    ),
    plain(
        "httproute-other-namespace",
        "An HTTPRoute in the Gateway's namespace, with a ReferenceGrant",
        "The operator follows it.",
        AT_CHAT,
        http_route(f"infra-{NAMESPACE}"),
        objects.resource(
            "ReferenceGrant",
            "routes",
            spec={
                "from": [
                    {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": f"infra-{NAMESPACE}"}
                ],
                "to": [{"group": "", "kind": "Service"}],
            },
        ),
    ),
    plain(
        "httproute-without-grant",
        "An HTTPRoute of another namespace, without a ReferenceGrant",
        "A condition names the grant that is missing.",
        Expected(is_written=False, says="ReferenceGrant"),
        http_route(f"infra-{NAMESPACE}"),
        spec={"route": {"ref": {"kind": "HTTPRoute", "name": "chat", "namespace": f"infra-{NAMESPACE}"}}},
    ),
    plain(
        "socket-elsewhere-other-ingress",
        "The Ingress of another team takes the WebSocket",
        "The chat would be dead. A condition says so, and nothing is written.",
        Expected(is_written=False, says="PathShadowed"),
        ingress(),
        chat(name="other"),
        service("other", "other"),
        ingress(path("/chat/ws", "other"), name="other"),
    ),
    plain(
        "other-team-below",
        "The Ingress of another team takes a path that Chainlit does not need",
        "Both work.",
        AT_CHAT,
        ingress(),
        chat(name="other"),
        service("other", "other"),
        ingress(path("/chat/reports", "other"), name="other"),
    ),
)

STATED = (
    plain(
        "proxy-between",
        "An own nginx between Ingress and app; `url` and `backendPath` are stated",
        "The path is stripped by that nginx.",
        Expected(root="", parent="/chat", url="https://HOST/chat/"),
        chat(
            objects.container("nginx", port=8080, readinessProbe=objects.http_probe("/", 8080)),
            name="web",
        ),
        service("web", "web", {80: 8080}),
        ingress(path("/", "web")),
        spec={"route": {"url": f"https://{HOST}/chat", "backendPath": "/"}},
    ),
    plain(
        "portal",
        "A portal outside the cluster adds `/portal`; `url` is stated beside the Ingress",
        "The outer prefix is the parent root path.",
        Expected(root="/chat", parent="/portal", url="https://portal.HOST/portal/chat/"),
        ingress(),
        spec={"route": {"url": f"https://portal.{HOST}/portal/chat", "backendPath": "/chat"}},
    ),
    plain(
        "load-balancer",
        "A Service of type LoadBalancer and a stated URL, without an Ingress",
        "The path of the URL counts.",
        Expected(root="/chat", parent="", url="https://HOST/chat/"),
        service(type="LoadBalancer"),
        spec={"route": {"url": f"https://{HOST}/chat"}},
    ),
    plain(
        "node-port-at-root",
        "A Service of type NodePort and a stated URL without a path",
        "Chainlit is at `/`.",
        Expected(root="", parent="", url="http://HOST:30080/"),
        service(type="NodePort"),
        spec={"route": {"url": f"http://{HOST}:30080"}},
    ),
    plain(
        "stated-contradiction",
        "A stated `backendPath` that is no end of the URL's path",
        "The API server refuses the ChainlitApp and names the field.",
        Expected(refused="backendPath"),
        ingress(),
        spec={"route": {"url": f"https://{HOST}/chat", "backendPath": "/bot"}},
    ),
)

UVICORN = ["uvicorn", "main:app", "--port", "8000"]
AFFINITY = (
    plain(
        "two-replicas-no-affinity",
        "Two replicas, and nothing keeps a browser at one of them",
        "The path is `/chat`. SessionAffinity is False, and the message names the annotation.",
        Expected(root="/chat", parent="", says="affinity", conditions={"SessionAffinity": "False", "Ready": "False"}),
        chat(replicas=2),
        ingress(),
    ),
    plain(
        "two-replicas-cookie",
        "Two replicas with a cookie of ingress-nginx",
        "SessionAffinity is True.",
        Expected(root="/chat", parent="", conditions={"SessionAffinity": "True"}),
        chat(replicas=2),
        annotated(annotations=STICKY),
    ),
    plain(
        "two-pods-of-statefulset",
        "A StatefulSet of two pods without affinity",
        "SessionAffinity is False.",
        Expected(root="/chat", parent="", conditions={"SessionAffinity": "False"}),
        chat(kind="StatefulSet", replicas=2),
        ingress(),
        app(kind="StatefulSet"),
    ),
    plain(
        "affinity-stated",
        "Two replicas; the ChainlitApp states that a proxy keeps the affinity",
        "SessionAffinity is True.",
        Expected(root="/chat", parent="", conditions={"SessionAffinity": "True"}),
        chat(replicas=2),
        ingress(),
        spec={"route": {"affinity": "External"}},
    ),
    plain(
        "unknown-class",
        "Two replicas behind an unknown ingress class",
        "SessionAffinity is Unknown.",
        Expected(root="/chat", parent="", conditions={"SessionAffinity": "Unknown"}),
        chat(replicas=2),
        ingress(class_="house"),
    ),
    plain(
        "two-workers",
        "Two workers of gunicorn in one pod",
        "SessionAffinity is False: no cookie chooses a worker.",
        Expected(says="worker", conditions={"SessionAffinity": "False"}),
        chat(
            command=["gunicorn", "-w", "2", "-k", "uvicorn.workers.UvicornWorker", "main:app"],
            readinessProbe=objects.http_probe("/", 8000),
        ),
        ingress(path("/")),
        spec={"mountPath": "/chat"},
    ),
    plain(
        "workers-by-variable",
        "Four workers of uvicorn by `WEB_CONCURRENCY`",
        "SessionAffinity is False.",
        Expected(says="worker", conditions={"SessionAffinity": "False"}),
        chat(command=UVICORN, env={"WEB_CONCURRENCY": "4"}, readinessProbe=objects.http_probe("/", 8000)),
        ingress(path("/")),
        spec={"mountPath": "/chat"},
    ),
    plain(
        "one-worker",
        "One worker of uvicorn",
        "SessionAffinity is True.",
        Expected(conditions={"SessionAffinity": "True"}),
        chat(command=[*UVICORN, "--workers", "1"], readinessProbe=objects.http_probe("/", 8000)),
        ingress(path("/")),
        spec={"mountPath": "/chat"},
    ),
)

CANARY_WEIGHT = {f"{NGINX_ANNOTATION}canary": "true", f"{NGINX_ANNOTATION}canary-weight": "20"}
REF = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat", "scaleDown": "onsuccess"}
REVISION = {"apiVersion": "serving.knative.dev/v1", "kind": "Revision", "name": "chat-00001", "uid": "1"}
KNATIVE = {"app": "chat", "serving.knative.dev/service": "chat"}
BOTH = Expected(root="/chat", parent="", probes={"readinessProbe": "/chat/health"})


def release(name: str, hash_: str) -> Object:
    """Return a Service of one release of a Rollout, as Argo Rollouts leaves it."""
    return service(name, selector={"app": "chat", "rollouts-pod-template-hash": hash_})


WORKLOADS = (
    plain(
        "rollout",
        "A Rollout of Argo Rollouts, whose containers are one field (up to 1.8)",
        "The variable and the probe path are set. All other fields stay.",
        BOTH,
        chat(
            objects.container("proxy", "proxy", port=None),
            objects.container("chat", port=8000, env={"A": "a"}, readinessProbe=objects.http_probe("/health", 8000)),
            kind="Rollout",
        ),
        ingress(),
        app(workload={"ref": {"kind": "Rollout", "name": "chat", "container": "chat"}}),
    ),
    plain(
        "rollout-canary",
        "A Rollout with Services for the stable release and the canary, and the Ingress that Argo Rollouts makes for a "
        "canary of ingress-nginx",
        "Both Services lead to the pods of the app. The path is `/chat`.",
        Expected(root="/chat", parent="", not_says="BackendShared", conditions={"RouteResolved": "True"}),
        chat(kind="Rollout"),
        release("chat", "5d8f9c"),
        release("canary", "7b9d44"),
        ingress(),
        annotated(path("/chat", "canary"), name="chat-chat-canary", annotations=CANARY_WEIGHT),
        app(kind="Rollout"),
    ),
    plain(
        "rollout-workload-ref",
        "A Rollout with `workloadRef`, whose Deployment is scaled to 0",
        "The variable and the probe path of the Deployment are set.",
        BOTH,
        objects.resource("Rollout", spec={"replicas": 1, "workloadRef": REF}),
        chat(replicas=0),
        ingress(),
        app(kind="Rollout"),
    ),
    plain(
        "knative",
        "The Deployment of a Knative Service",
        "Nothing is written. The condition names the variable for the Knative Service.",
        Expected(is_written=False, says="Knative Service chat", conditions={"Aligned": "False"}),
        objects.workload(
            objects.container("chat", port=8000),
            labels=KNATIVE,
            metadata={"ownerReferences": [REVISION | {"controller": True}]},
        ),
        ingress(),
    ),
)

COOKIE_RULE = objects.destination_rule(trafficPolicy=objects.hashed())
ISTIO = (
    plain(
        "virtualservice",
        "A VirtualService, `prefix: /chat`",
        "The path is `/chat`.",
        AT_CHAT,
        virtual_service(objects.uri(prefix="/chat")),
    ),
    plain(
        "virtualservice-strip",
        "A VirtualService that strips: `prefix: /chat/`, then `/chat`, with `rewrite.uri: /`",
        "The prefix becomes the parent root path.",
        STRIPPED,
        virtual_service(objects.uri(prefix="/chat/"), objects.uri(prefix="/chat"), rewrite={"uri": "/"}),
    ),
    plain(
        "virtualservice-double-slash",
        "A VirtualService, `prefix: /chat` with `rewrite.uri: /`",
        "Istio would send `//ws`. The condition names the two values to write, and nothing is written.",
        Expected(is_written=False, says="arrives as //ws/socket.io/. Write both with a slash at the end, /chat/ and /"),
        virtual_service(objects.uri(prefix="/chat"), rewrite={"uri": "/"}),
    ),
    plain(
        "virtualservice-https",
        "A VirtualService whose Gateway redirects http to https",
        "The URL has https.",
        Expected(root="/chat", parent="", url=f"https://{HOST}/chat/"),
        virtual_service(objects.uri(prefix="/chat")),
        objects.istio_gateway(
            objects.istio_server(tls={"httpsRedirect": True}),
            objects.istio_server(443, "HTTPS", tls={"mode": "SIMPLE", "credentialName": "chat"}),
        ),
    ),
    plain(
        "virtualservice-mesh",
        "A VirtualService without `gateways`",
        "It is for requests within the mesh only. The condition says so.",
        Expected(is_written=False, says="names no Gateway in spec.gateways"),
        virtual_service(objects.uri(prefix="/chat"), gateways=None),
    ),
    plain(
        "virtualservice-replicas",
        "Two replicas behind a VirtualService",
        "SessionAffinity is False, and names a DestinationRule.",
        Expected(root="/chat", says="Create a DestinationRule", conditions={"SessionAffinity": "False"}),
        chat(replicas=2),
        virtual_service(objects.uri(prefix="/chat")),
    ),
    plain(
        "virtualservice-cookie",
        "Two replicas behind a VirtualService, and a DestinationRule with a cookie",
        "SessionAffinity is True.",
        Expected(root="/chat", conditions={"SessionAffinity": "True"}),
        chat(replicas=2),
        virtual_service(objects.uri(prefix="/chat")),
        COOKIE_RULE,
    ),
)

#: The groups of the page, in its order.
GROUPS: Mapping[str, tuple[SetUp, ...]] = {
    "Variables, probes and commands that people wrote": WRITTEN_BY_PEOPLE,
    "Routes that people split": SPLIT,
    "Ports and containers": PORTS,
    "Stated routes": STATED,
    "Session affinity": AFFINITY,
    "Istio": ISTIO,
    "Other workloads": WORKLOADS,
    "Ingress controllers": CONTROLLERS,
    "Clouds": CLOUDS,
    "Contour's HTTPProxy": CONTOUR,
    **PUBLIC_GROUPS,
}
SETUPS = tuple(setup for group in GROUPS.values() for setup in group)
