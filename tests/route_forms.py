"""Every form of route that the operator knows, as manifests, each with its answer.

One table for all: the unit tests read the manifests as the operator does, the end-to-end tests apply them to a cluster
and talk to the chat, and ``docs/routes.md`` is printed from it::

    python -m tests.route_forms > docs/routes.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from chainlit_operator.domain.reasons import Reason

Object = dict[str, Any]
Manifests = Callable[[str, str], list[Object]]
"""From a namespace and a host to the objects of a route to Service ``chat``, port ``http``."""

TRAEFIK, NGINX, F5, KONG = "traefik.ingress.kubernetes.io", "nginx.ingress.kubernetes.io", "nginx.org", "konghq.com"


@dataclass(frozen=True)
class Roots:
    """The answer: where the browser goes, and the two variables."""

    path: str
    root_path: str
    parent_root_path: str = ""


@dataclass(frozen=True)
class Form:
    """A form of route. ``edge`` runs it: ``traefik`` in the test cluster, or another that was not run here.

    ``in_gate`` rows are tried with a real chat in each ``make test``, the others of Traefik in ``make test-all``.
    """

    name: str
    shown: str
    manifests: Manifests
    answer: Roots | Reason
    edge: str = "traefik"
    in_gate: bool = False

    def __str__(self) -> str:
        return self.name


# ------------------------------------------------------------------------------------------------------- builders


def ingress(
    *paths: tuple[str, str] | tuple[str, str, str], annotations: dict[str, str] | None = None, hosts: int = 1
) -> Manifests:
    """An Ingress with (path, pathType[, Service]) entries, on one host or several."""

    def manifests(namespace: str, host: str) -> list[Object]:
        entries = [_entry(*path) for path in paths]
        names = [host, *(f"{n}.{host}" for n in range(1, hosts))]
        marks = {key: value.format(namespace=namespace) for key, value in (annotations or {}).items()}
        return [
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "Ingress",
                "metadata": {"name": "chat", "annotations": marks},
                "spec": {
                    "ingressClassName": "traefik",
                    "rules": [{"host": name, "http": {"paths": entries}} for name in names],
                },
            }
        ]

    return manifests


def _entry(path: str, path_type: str, service: str = "chat") -> Object:
    return {
        "path": path,
        "pathType": path_type,
        "backend": {"service": {"name": service, "port": {"name": "http"}}},
    }


def behind(*middlewares: tuple[str, Object], path: str, use: str = "m") -> Manifests:
    """An Ingress whose requests pass Traefik Middleware ``use``, with the Middlewares (name, spec)."""
    route = ingress(
        (path, "Prefix"), annotations={f"{TRAEFIK}/router.middlewares": f"{{namespace}}-{use}@kubernetescrd"}
    )

    def manifests(namespace: str, host: str) -> list[Object]:
        return [*(_middleware(name, spec) for name, spec in middlewares), *route(namespace, host)]

    return manifests


def _middleware(name: str, spec: Object) -> Object:
    return {"apiVersion": "traefik.io/v1alpha1", "kind": "Middleware", "metadata": {"name": name}, "spec": spec}


def http_route(*rules: Object, more: tuple[Object, ...] = ()) -> Manifests:
    """An HTTPRoute on the cluster's Gateway."""

    def manifests(_: str, host: str) -> list[Object]:
        return [
            *more,
            {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "HTTPRoute",
                "metadata": {"name": "chat"},
                "spec": {
                    "parentRefs": [{"name": "traefik", "namespace": "traefik"}],
                    "hostnames": [host],
                    "rules": list(rules),
                },
            },
        ]

    return manifests


def rule(
    *matches: Object, filters: tuple[Object, ...] = (), others: tuple[tuple[str, int], ...] = (), to: str = "chat"
) -> Object:
    """A rule of an HTTPRoute to a Service, and to others by weight."""
    backends = [
        {"name": to, "port": 80},
        *({"name": name, "port": 80, "weight": weight} for name, weight in others),
    ]
    return {"matches": list(matches), "filters": list(filters), "backendRefs": backends}


def at(value: str, type_: str = "PathPrefix", **more: Any) -> Object:
    """A match on a path."""
    return {"path": {"type": type_, "value": value}} | more


def rewrite(**path: str) -> Object:
    """A URLRewrite filter."""
    return {"type": "URLRewrite", "urlRewrite": {"path": path}}


STRIP = rewrite(type="ReplacePrefixMatch", replacePrefixMatch="/")
EXTENSION = {"type": "ExtensionRef", "extensionRef": {"group": "traefik.io", "kind": "Middleware", "name": "strip"}}
REDIRECT = {
    "matches": [at("/", "Exact")],
    "filters": [
        {
            "type": "RequestRedirect",
            "requestRedirect": {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/chat/"}, "statusCode": 302},
        }
    ],
}
ANY = "/chat(/|$)(.*)"
CHAT, STRIPPED, TEAM = Roots("/chat", "/chat"), Roots("/chat", "", "/chat"), Roots("/team/chat", "/chat", "/team")

# ---------------------------------------------------------------------------------------------------------- table

FORMS = [
    # Ingress, the path left alone
    Form("prefix", "Ingress, `Prefix` `/chat`", ingress(("/chat", "Prefix")), CHAT),
    Form("prefix-slash", "Ingress, `Prefix` `/chat/`", ingress(("/chat/", "Prefix")), CHAT),
    Form("nested", "Ingress, `Prefix` `/team/v1.0/chat`", ingress(("/team/v1.0/chat", "Prefix")),
         Roots("/team/v1.0/chat", "/team/v1.0/chat")),
    Form("root", "Ingress, `Prefix` `/`", ingress(("/", "Prefix")), Roots("/", "")),
    Form("implementation-specific", "Ingress, `ImplementationSpecific` `/chat`",
         ingress(("/chat", "ImplementationSpecific")), CHAT),
    Form("two-hosts", "Ingress, `/chat` on two hosts", ingress(("/chat", "Prefix"), hosts=2), CHAT),
    Form("own-subpath", "Ingress, `/chat` and `/chat/ws`", ingress(("/chat", "Prefix"), ("/chat/ws", "Prefix")), CHAT),
    Form("exact-and-prefix", "Ingress, `Exact` `/chat` and `Prefix` `/chat/`",
         ingress(("/chat", "Exact"), ("/chat/", "Prefix")), CHAT),
    Form("neighbour", "Ingress, `/chat` beside another app at `/`",
         ingress(("/", "Prefix", "other"), ("/chat", "Prefix")), CHAT),
    # Ingress, blocked
    Form("exact", "Ingress, `Exact` `/chat`", ingress(("/chat", "Exact")), Reason.EXACT_PATH),
    Form("two-paths", "Ingress, `/chat` and `/bot`", ingress(("/chat", "Prefix"), ("/bot", "Prefix")),
         Reason.SEVERAL_PATHS),
    Form("root-and-path", "Ingress, `/` and `/chat`", ingress(("/", "Prefix"), ("/chat", "Prefix")),
         Reason.SEVERAL_PATHS),
    Form("space", "Ingress, `Prefix` `/a b`", ingress(("/a b", "Prefix")), Reason.PATH_NOT_SUPPORTED),
    Form("escape", "Ingress, `Prefix` `/my%20chat`", ingress(("/my%20chat", "Prefix")), Reason.PATH_NOT_SUPPORTED),
    Form("shadowed", "Ingress, `/chat`, and `/chat/ws` to another Service",
         ingress(("/chat", "Prefix"), ("/chat/ws", "Prefix", "other")), Reason.PATH_SHADOWED),
    Form("expression-unread", "Ingress, `ImplementationSpecific` `/chat(/\\|$)(.*)` without a word on expressions",
         ingress((ANY, "ImplementationSpecific")), Reason.REGULAR_EXPRESSION_PATH),
    Form("expression", "Ingress, `ImplementationSpecific` `/(chat\\|bot)`",
         ingress(("/(chat|bot)", "ImplementationSpecific")), Reason.REGULAR_EXPRESSION_PATH),
    # Ingress with Traefik Middlewares
    Form("strip", "Middleware `stripPrefix` `/chat`",
         behind(("m", {"stripPrefix": {"prefixes": ["/chat"]}}), path="/chat"), STRIPPED, in_gate=True),
    Form("strip-parent", "Middleware `stripPrefix` `/team` on `/team/chat`",
         behind(("m", {"stripPrefix": {"prefixes": ["/team"]}}), path="/team/chat"), TEAM, in_gate=True),
    Form("strip-first", "Middleware `stripPrefix` `/team`, `/team/chat` on `/team/chat`",
         behind(("m", {"stripPrefix": {"prefixes": ["/team", "/team/chat"]}}), path="/team/chat"), TEAM),
    Form("strip-regex", "Middleware `stripPrefixRegex` `/chat`",
         behind(("m", {"stripPrefixRegex": {"regex": ["/chat"]}}), path="/chat"), STRIPPED),
    Form("replace-path-regex", "Middleware `replacePathRegex` `^/chat/(.*)` → `/$1`",
         behind(("m", {"replacePathRegex": {"regex": "^/chat/(.*)", "replacement": "/$1"}}), path="/chat"), STRIPPED),
    Form("replace-path-regex-part", "Middleware `replacePathRegex` `^/chat(/\\|$)` → `/`",
         behind(("m", {"replacePathRegex": {"regex": "^/chat(/|$)", "replacement": "/"}}), path="/chat"), STRIPPED),
    Form("replace-path-regex-anywhere", "Middleware `replacePathRegex` `/chat/(.*)` → `/$1` on `/team/chat`",
         behind(("m", {"replacePathRegex": {"regex": "/chat/(.*)", "replacement": "/$1"}}), path="/team/chat"),
         Reason.REWRITE_UNKNOWN),
    Form("chain", "Middleware `chain` of headers and `stripPrefix`",
         behind(("m", {"chain": {"middlewares": [{"name": "headers"}, {"name": "strip"}]}}),
                ("headers", {"headers": {"customRequestHeaders": {"X-Team": "a"}}}),
                ("strip", {"stripPrefix": {"prefixes": ["/chat"]}}), path="/chat"), STRIPPED),
    Form("headers", "Middleware that leaves the path alone",
         behind(("m", {"headers": {"customRequestHeaders": {"X-Team": "a"}}}), path="/chat"), CHAT),
    Form("missing-middleware", "Middleware that does not exist", behind(path="/chat"), Reason.MIDDLEWARE_NOT_FOUND,
         in_gate=True),
    Form("half-segment", "Middleware `stripPrefix` `/ch` on `/chat`",
         behind(("m", {"stripPrefix": {"prefixes": ["/ch"]}}), path="/chat"), Reason.REWRITE_NOT_SUPPORTED),
    Form("add-prefix", "Middleware `addPrefix` `/chat` on `/`",
         behind(("m", {"addPrefix": {"prefix": "/chat"}}), path="/"), Reason.REWRITE_NOT_SUPPORTED),
    Form("replace-path", "Middleware `replacePath` `/`",
         behind(("m", {"replacePath": {"path": "/"}}), path="/chat"), Reason.REWRITE_NOT_SUPPORTED),
    # HTTPRoute
    Form("gateway-prefix", "HTTPRoute, `PathPrefix` `/chat`", http_route(rule(at("/chat"))), CHAT, in_gate=True),
    Form("gateway-root", "HTTPRoute, `PathPrefix` `/`", http_route(rule(at("/"))), Roots("/", "")),
    Form("gateway-strip", "HTTPRoute, `ReplacePrefixMatch` `/`", http_route(rule(at("/chat"), filters=(STRIP,))),
         STRIPPED, in_gate=True),
    Form("gateway-strip-parent", "HTTPRoute, `/team/chat`, `ReplacePrefixMatch` `/chat`",
         http_route(rule(at("/team/chat"),
                         filters=(rewrite(type="ReplacePrefixMatch", replacePrefixMatch="/chat"),))), TEAM),
    Form("gateway-same", "HTTPRoute, `/chat`, `ReplacePrefixMatch` `/chat`",
         http_route(rule(at("/chat"), filters=(rewrite(type="ReplacePrefixMatch", replacePrefixMatch="/chat"),))),
         CHAT),
    Form("gateway-extension", "HTTPRoute, `ExtensionRef` to Middleware `stripPrefix`",
         http_route(rule(at("/chat"), filters=(EXTENSION,)),
                    more=(_middleware("strip", {"stripPrefix": {"prefixes": ["/chat"]}}),)), STRIPPED),
    Form("gateway-redirect", "HTTPRoute, `/chat`, and `/` redirected to it",
         http_route(rule(at("/chat")), REDIRECT), CHAT),
    Form("gateway-methods", "HTTPRoute, `/chat` for GET and for POST",
         http_route(rule(at("/chat", method="GET")), rule(at("/chat", method="POST"))), CHAT),
    Form("gateway-weight-zero", "HTTPRoute, another Service of weight 0",
         http_route(rule(at("/chat"), others=(("other", 0),))), CHAT),
    Form("gateway-replace", "HTTPRoute, `/chat`, `ReplacePrefixMatch` `/other`",
         http_route(rule(at("/chat"), filters=(rewrite(type="ReplacePrefixMatch", replacePrefixMatch="/other"),))),
         Reason.REWRITE_NOT_SUPPORTED),
    Form("gateway-half-stripped", "HTTPRoute, `/chat` stripped and `/chat/ws` not",
         http_route(rule(at("/chat"), filters=(STRIP,)), rule(at("/chat/ws"))), Reason.REWRITE_NOT_SUPPORTED),
    Form("gateway-missing-neighbour", "HTTPRoute, `/chat`, and `/` to a Service that does not exist",
         http_route(rule(at("/chat")), rule(at("/"), to="missing")), CHAT),
    Form("gateway-full", "HTTPRoute, `ReplaceFullPath`",
         http_route(rule(at("/chat"), filters=(rewrite(type="ReplaceFullPath", replaceFullPath="/"),))),
         Reason.REWRITE_NOT_SUPPORTED),
    Form("gateway-exact", "HTTPRoute, `Exact` `/chat`", http_route(rule(at("/chat", "Exact"))), Reason.EXACT_PATH),
    Form("gateway-header", "HTTPRoute, `/chat` with a header only",
         http_route(rule(at("/chat", headers=[{"name": "x-team", "value": "a"}]))), Reason.CONDITIONAL_MATCH),
    Form("gateway-get", "HTTPRoute, `/chat` for GET only", http_route(rule(at("/chat", method="GET"))),
         Reason.CONDITIONAL_MATCH),
    Form("gateway-shared", "HTTPRoute, requests shared with another app",
         http_route(rule(at("/chat"), others=(("other", 1),))), Reason.BACKEND_SHARED, in_gate=True),
    # Ingress controllers that this project's cluster does not have
    Form("nginx-strip", f"`{NGINX}/rewrite-target: /$2` on `/chat(/\\|$)(.*)`",
         ingress((ANY, "ImplementationSpecific"), annotations={f"{NGINX}/rewrite-target": "/$2"}), STRIPPED, "nginx"),
    Form("nginx-keep", f"`{NGINX}/rewrite-target: /chat/$2` on `/chat(/\\|$)(.*)`",
         ingress((ANY, "ImplementationSpecific"), annotations={f"{NGINX}/rewrite-target": "/chat/$2"}), CHAT, "nginx"),
    Form("nginx-regex", f"`{NGINX}/use-regex` on `/chat.*`",
         ingress(("/chat.*", "ImplementationSpecific"), annotations={f"{NGINX}/use-regex": "true"}), CHAT, "nginx"),
    Form("nginx-mangled", f"`{NGINX}/rewrite-target: /` on `/chat`",
         ingress(("/chat", "Prefix"), annotations={f"{NGINX}/rewrite-target": "/"}), Reason.REWRITE_NOT_SUPPORTED,
         "nginx"),
    Form("f5-strip", f"`{F5}/rewrites: serviceName=chat rewrite=/`",
         ingress(("/chat/", "Prefix"), annotations={f"{F5}/rewrites": "serviceName=chat rewrite=/"}), STRIPPED, "F5"),
    Form("kong-strip", f"`{KONG}/strip-path: true`",
         ingress(("/chat", "Prefix"), annotations={f"{KONG}/strip-path": "true"}), STRIPPED, "Kong"),
    Form("haproxy-ingress-strip", "`haproxy-ingress.github.io/rewrite-target: /`",
         ingress(("/chat", "Prefix"), annotations={"haproxy-ingress.github.io/rewrite-target": "/"}), STRIPPED,
         "haproxy-ingress"),
    Form("haproxy-rewrite", "`haproxy.org/path-rewrite`",
         ingress(("/chat", "Prefix"), annotations={"haproxy.org/path-rewrite": "/chat/(.*) /\\1"}),
         Reason.REWRITE_UNKNOWN, "HAProxy"),
    Form("foreign-middleware", "Traefik middleware of another provider (`strip@file`)",
         ingress(("/chat", "Prefix"), annotations={f"{TRAEFIK}/router.middlewares": "strip@file"}),
         Reason.REWRITE_UNKNOWN, "traefik, file provider"),
]  # fmt: skip


def page() -> Iterator[str]:
    """The lines of ``docs/routes.md``."""
    yield "# Routes"
    yield ""
    yield "<!-- Printed by `python -m tests.route_forms`; do not edit. -->"
    yield ""
    yield "What the operator makes of each form of route: the two variables, or the reason why there is no answer (see"
    yield "[conditions.md](conditions.md)). Rows marked ✓ are tried on a real cluster: where there is an answer, a chat"
    yield "goes through the route; where there is none, the reason is told and nothing written. The others follow the"
    yield "documentation of their controller."
    yield ""
    yield "| form | browser's path | `CHAINLIT_ROOT_PATH` | `CHAINLIT_PARENT_ROOT_PATH` | proved |"
    yield "|---|---|---|---|---|"
    for form in FORMS:
        mark = "✓" if form.edge == "traefik" else form.edge
        if isinstance(form.answer, Roots):
            found = form.answer
            cells = [f"`{found.path}`", *(f"`{v}`" if v else "–" for v in (found.root_path, found.parent_root_path))]
        else:
            cells = [f"**{form.answer}**", "", ""]
        yield f"| {form.shown} | {' | '.join(cells)} | {mark} |"
    yield ""
    yield "`spec.route.rewrite` overrides what the operator reads: `Strip` for a route that removes the whole path,"
    yield "`None` for one that leaves it alone, whatever its annotations say."


if __name__ == "__main__":
    print("\n".join(page()))
