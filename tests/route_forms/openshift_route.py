"""Forms of Routes of OpenShift. ``make openshift`` tries their paths on a real HAProxy (``tests/openshift``)."""

from __future__ import annotations

import copy
from typing import Any

from chainlit_operator.domain.reasons import Reason
from tests import objects
from tests.objects import Object, openshift_backend
from tests.route_forms import ingress
from tests.route_forms.form import CHAT, SECOND, STRIPPED, TEAM, Form, Manifests, Roots, beside, together

ROUTER = "haproxy.router.openshift.io"
NGINX = "nginx.ingress.kubernetes.io"
ROOT = Roots("/", "")
ALIKE = {"name": "web", "port": 80, "targetPort": "http"}
METRICS = {"name": "metrics", "port": 9000, "targetPort": 9000}


def route(path: str | None = "/chat", target: str | None = None, *more: Object, **spec: Any) -> Manifests:
    """A Route with a path and a rewrite target, and objects beside it."""
    annotations = {} if target is None else {f"{ROUTER}/rewrite-target": target}
    annotations |= spec.pop("annotations", {})

    def manifests(namespace: str, host: str) -> list[Object]:
        return [*copy.deepcopy(more), objects.openshift_route(host, path, annotations=annotations, **spec)]

    return manifests


def form(name: str, shown: str, manifests: Manifests, answer: Roots | Reason) -> Form:
    """A form that no edge of the test cluster serves."""
    return Form(f"route-{name}", f"Route: {shown}", manifests, answer, (), documented="OpenShift")


def policy(word: str) -> Object:
    """TLS that ends at the router, with a policy for http."""
    return {"termination": "edge", "insecureEdgeTerminationPolicy": word}


def claimed(host: str) -> Object:
    """The status of a Route that lost its host."""
    return objects.router_status(host, "False", reason="HostAlreadyClaimed", message="an older Route has it")


def to_other(path: str, **more: Any) -> Manifests:
    """A Route of another app."""
    return route(path, to=openshift_backend("other"), **more)


def refused(namespace: str, host: str) -> list[Object]:
    """A Route that its router refuses."""
    return [objects.openshift_route(host, status=claimed(host))]


def made_from_ingress(namespace: str, host: str) -> list[Object]:
    """An Ingress, and the Route that OpenShift makes from it."""
    owner = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "chat", "controller": True}
    made = objects.openshift_route(host, name="chat-x7k2p", metadata={"ownerReferences": [owner]})
    return [objects.ingress(host, ingress_class="openshift-default"), made]


OLDER = {"creationTimestamp": "2020-01-01T00:00:00Z"}
TWO_PORTS = objects.service(ports=[ALIKE, METRICS])

FORMS = (
    form("path", "path `/chat`", route(), CHAT),
    form("slash", "path `/chat/`", route("/chat/"), CHAT),
    form("deep", "path `/team/v1.0/chat`", route("/team/v1.0/chat"), Roots("/team/v1.0/chat", "/team/v1.0/chat")),
    form("no-path", "no path", route(None), ROOT),
    form("root", "path `/`", route("/"), ROOT),
    form("http", "no TLS", route(tls=None), CHAT),
    form("allow", "`insecureEdgeTerminationPolicy: Allow`", route(tls=policy("Allow")), CHAT),
    form("redirect", "`insecureEdgeTerminationPolicy: Redirect`", route(tls=policy("Redirect")), CHAT),
    form("reencrypt", "TLS termination `reencrypt`", route(tls="reencrypt"), CHAT),
    form("passthrough", "TLS termination `passthrough`", route(None, tls="passthrough"), ROOT),
    form("passthrough-path", "TLS termination `passthrough` with a path", route(tls="passthrough"),
         Reason.ROUTE_NOT_ACCEPTED),
    form("port-of-pods", "`targetPort: 8000`", route(port=8000), CHAT),
    form("no-port", "no `targetPort`, and a Service with one port", route(port=None), CHAT),
    form("all-ports", "no `targetPort`, and a Service with two ports", route("/chat", None, TWO_PORTS, port=None),
         Reason.ROUTE_WITHOUT_BACKEND),
    form("port-of-container", "`targetPort` with the name of a container's port",
         route("/chat", None, TWO_PORTS, port="http"), Reason.ROUTE_WITHOUT_BACKEND),
    form("no-weight", "another backend with weight 0",
         route(alternateBackends=[openshift_backend("other", 0)]), CHAT),
    form("two-services", "two Services of the app",
         route("/chat", None, SECOND, alternateBackends=[openshift_backend("second")]), CHAT),
    form("shared", "another backend with a weight", route(alternateBackends=[openshift_backend("other", 1)]),
         Reason.BACKEND_SHARED),
    form("strip", f"`{ROUTER}/rewrite-target: /`", route("/chat", "/"), STRIPPED),
    form("strip-slash", f"`{ROUTER}/rewrite-target: /` on `/chat/`", route("/chat/", "/"), STRIPPED),
    form("strip-root", f"`{ROUTER}/rewrite-target: /` without a path", route(None, "/"), ROOT),
    form("strip-deep", f"`{ROUTER}/rewrite-target: /` on `/team/chat`", route("/team/chat", "/"),
         Roots("/team/chat", "", "/team/chat")),
    form("parent", f"`{ROUTER}/rewrite-target: /chat` on `/team/chat`", route("/team/chat", "/chat"), TEAM),
    form("parent-slash", f"`{ROUTER}/rewrite-target: /chat/` on `/team/chat/`", route("/team/chat/", "/chat/"), TEAM),
    form("itself", f"`{ROUTER}/rewrite-target: /chat` on `/chat`", route("/chat", "/chat"), CHAT),
    form("no-target", f"`{ROUTER}/rewrite-target: chat`, which the router ignores", route("/chat", "chat"), CHAT),
    form("other", f"`{ROUTER}/rewrite-target: /other`", route("/chat", "/other"), Reason.REWRITE_NOT_SUPPORTED),
    form("added-slash", f"`{ROUTER}/rewrite-target: /chat/` on `/team/chat`", route("/team/chat", "/chat/"),
         Reason.REWRITE_NOT_SUPPORTED),
    form("missing-slash", f"`{ROUTER}/rewrite-target: /chat` on `/team/chat/`", route("/team/chat/", "/chat"),
         Reason.REWRITE_NOT_SUPPORTED),
    form("added", f"`{ROUTER}/rewrite-target: /chat` on `/`", route("/", "/chat"), Reason.REWRITE_NOT_SUPPORTED),
    form("comment", f"`{ROUTER}/rewrite-target: /#`", route("/chat", "/#"), Reason.REWRITE_UNKNOWN),
    form("encoded", "path `/my%20chat`", route("/my%20chat"), Reason.PATH_NOT_SUPPORTED),
    form("foreign-annotations", f"a Route with `{NGINX}/rewrite-target: /`",
         route(annotations={f"{NGINX}/rewrite-target": "/"}), CHAT),
    form("unknown-annotation", f"`{ROUTER}/other-rewrite: x`",
         route(annotations={f"{ROUTER}/other-rewrite": "x"}), Reason.REWRITE_UNKNOWN),
    form("refused", "`Admitted` is False at all routers", refused, Reason.ROUTE_NOT_ACCEPTED),
    form("of-ingress", "an Ingress, and the Route that OpenShift makes from it", made_from_ingress, CHAT),
    form("socket", "two Routes of the app: `/chat` and `/chat/ws`", together(route(), route("/chat/ws")), CHAT),
    form("socket-stripped", "two Routes of the app: `/chat` stripped, `/chat/ws` not",
         together(route("/chat", "/"), route("/chat/ws")), Reason.ROUTE_AMBIGUOUS),
    form("two-paths", "two Routes of the app: `/chat` and `/bot`", together(route(), route("/bot")),
         Reason.ROUTE_AMBIGUOUS),
    form("beside-root", "a Route of another app at `/`", beside(route(), to_other("/")), CHAT),
    form("beside-longer", "a Route of another app at `/chatter`", beside(route(), to_other("/chatter")), CHAT),
    form("socket-of-other", "a Route of another app at `/chat/ws`", beside(route(), to_other("/chat/ws")),
         Reason.PATH_SHADOWED),
    form("claimed", "an older Route of another app at `/chat`", beside(route(), to_other("/chat", metadata=OLDER)),
         Reason.PATH_CLAIMED),
    form("ingress-beside", "an Ingress of class `openshift-default` for `/chat/ws` of another app",
         beside(route(), ingress.of_class("openshift-default", ("/chat/ws", "Prefix", "other"))),
         Reason.PATH_SHADOWED),
)  # fmt: skip
