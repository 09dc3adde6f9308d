"""What annotations mean to each ingress controller: one table for each of their files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.records import record

from chainlit_operator.domain.model import Dependency, Matching, Route, RoutePath
from chainlit_operator.domain.rewrites import ReplaceFullPath, ReplacePrefixMatch, RewriteWholePath, Transform, Unknown
from chainlit_operator.ingress_controllers import registry
from chainlit_operator.ingress_controllers.shared.controller import means_nothing

CHAT, ANY = "/chat", "/chat(/|$)(.*)"
REGEX = Matching.REGULAR_EXPRESSION
NGINX, F5, CONTOUR = "nginx.ingress.kubernetes.io", "nginx.org", "projectcontour.io"
SNIPPET, SOCKETS = f"{NGINX}/configuration-snippet", f"{CONTOUR}/websocket-routes"
MIDDLEWARES = "traefik.ingress.kubernetes.io/router.middlewares"
REWRITE = "haproxy.org/path-rewrite"
TRANSFORMS = "alb.ingress.kubernetes.io/transforms"


@dataclass(frozen=True)
class Case:
    """Annotations of an Ingress with one path of type ImplementationSpecific, and the meaning of them."""

    annotations: dict[str, str]
    path: str = CHAT
    matching: Matching = Matching.PREFIX
    transforms: tuple[Transform, ...] = ()
    middlewares: tuple[str, ...] = ()
    refuses_web_socket: bool = False
    is_canary: bool = False
    class_name: str = ""
    kind: str = field(default="Ingress", kw_only=True)


def unclear(key: str, value: str) -> tuple[Unknown, ...]:
    return (Unknown(f"the annotation {key}: {value}"),)


TABLES: dict[str, list[Case]] = {
    "traefik": [
        Case({MIDDLEWARES: "shop-strip@kubernetescrd"}, middlewares=("shop-strip",)),
        Case({MIDDLEWARES: "a-b@kubernetescrd, c-d@kubernetescrd"}, middlewares=("a-b", "c-d")),
        Case({MIDDLEWARES: "strip@file"}, transforms=(Unknown("Traefik middleware strip@file"),)),
        Case({MIDDLEWARES: "a@file,b@file"}, transforms=(Unknown("Traefik middleware a@file"),)),
        Case({MIDDLEWARES: ""}),
        Case({MIDDLEWARES: "shop-strip@kubernetescrd"}, kind="HTTPRoute"),
    ],
    "ingress_nginx": [
        Case({f"{NGINX}/use-regex": "true"}, ANY, REGEX),
        Case({f"{NGINX}/use-regex": "True"}, ANY, REGEX),
        Case({f"{NGINX}/use-regex": "yes"}, ANY, Matching.UNKNOWN),
        Case({f"{NGINX}/use-regex": "true"}, CHAT, Matching.PREFIX),
        Case({f"{NGINX}/rewrite-target": "/$2"}, ANY, REGEX, (RewriteWholePath(ANY, "/$2"),)),
        Case({f"{NGINX}/rewrite-target": "/"}, CHAT, Matching.PREFIX, (RewriteWholePath(CHAT, "/"),)),
        Case({f"{NGINX}/rewrite-target": CHAT}),
        Case({f"{NGINX}/canary": "true"}, is_canary=True),
        Case({f"{NGINX}/canary": "false"}),
    ],
    "f5_nginx": [
        Case({f"{F5}/rewrites": "serviceName=x rewrite=/y; serviceName=chat rewrite=/"}, "/chat/",
             transforms=(ReplacePrefixMatch("/"),)),
        Case({f"{F5}/rewrites": "serviceName=chat rewrite=/"},
             transforms=(Unknown("the annotation nginx.org/rewrites for a path with another end"),)),
        Case({f"{F5}/rewrites": "serviceName=x rewrite=/y"}),
        Case({f"{F5}/rewrites": "serviceName=chat rewrite=/; serviceName=chat rewrite=/x; serviceName=y rewrite=/"},
             "/chat/",
             transforms=(Unknown("the annotation nginx.org/rewrites with several rewrites for a Service"),)),
        Case({f"{F5}/rewrites": "serviceName=chat rewrite=/;" * 3}, "/chat/", transforms=(ReplacePrefixMatch("/"),)),
        Case({f"{F5}/path-regex": "exact"}, ANY, REGEX, unclear(f"{F5}/path-regex", "exact")),
        Case({f"{F5}/path-regex": "false"}),
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
    ],
    "kong": [
        Case({"konghq.com/strip-path": "true"}, transforms=(ReplacePrefixMatch("/"),)),
        Case({"konghq.com/strip-path": "True"}, transforms=(ReplacePrefixMatch("/"),)),
        Case({"konghq.com/strip-path": "false"}),
        Case({"konghq.com/strip-path": "true"}, transforms=(ReplacePrefixMatch("/"),), kind="HTTPRoute"),
        Case({"konghq.com/strip-path": "false"}, kind="HTTPRoute"),
        Case({}, "/~/chat", Matching.UNKNOWN),
        Case({}, "/~/chat", kind="HTTPRoute"),
        Case({f"{NGINX}/use-regex": "true"}, "/~/chat.*", Matching.UNKNOWN),
    ],
    "haproxy": [
        Case({REWRITE: "/"}, transforms=(ReplaceFullPath("/"),)),
        Case({REWRITE: "/chat/(.*) /\\1"}, transforms=(RewriteWholePath("/chat/(.*)", "/${1}"),)),
        Case({REWRITE: "/chat/(.*) /\\1"}, "/team/chat", transforms=unclear(REWRITE, "/chat/(.*) /\\1")),
        Case({REWRITE: "/ch/(.*) /\\1"}, transforms=unclear(REWRITE, "/ch/(.*) /\\1")),
        Case({REWRITE: "/chat/(.*) %[path]"}, transforms=unclear(REWRITE, "/chat/(.*) %[path]")),
        Case({REWRITE: "\\1"}, transforms=unclear(REWRITE, "\\1")),
        Case({REWRITE: "/a/(.*) /\\1\n/b/(.*) /\\1"}, transforms=unclear(REWRITE, "/a/(.*) /\\1\n/b/(.*) /\\1")),
        Case({REWRITE: ""}),
    ],
    "haproxy_ingress": [
        Case({"haproxy-ingress.github.io/rewrite-target": "/"}, transforms=(ReplacePrefixMatch("/"),)),
        Case({"haproxy-ingress.github.io/rewrite-target": ""}),
    ],
    "aws_alb": [
        Case({f"{TRANSFORMS}.chat": '[{"type": "url-rewrite"}]'},
             transforms=(Unknown(f"the annotation {TRANSFORMS}.chat with a url-rewrite"),)),
        Case({f"{TRANSFORMS}.chat": '[{"type": "host-header-rewrite"}]'}),
        Case({f"{TRANSFORMS}.other": '[{"type": "url-rewrite"}]'}),
    ],
    "azure_agic": [
        Case({"appgw.ingress.kubernetes.io/backend-path-prefix": "/"},
             transforms=unclear("appgw.ingress.kubernetes.io/backend-path-prefix", "/")),
        Case({"appgw.ingress.kubernetes.io/backend-path-prefix": ""}),
    ],
    "skipper": [
        Case({"zalando.org/skipper-filter": 'modPath("^/chat", "")'},
             transforms=unclear("zalando.org/skipper-filter", 'modPath("^/chat", "")')),
        Case({"zalando.org/skipper-filter": 'setRequestHeader("a", "b")'}),
    ],
}  # fmt: skip


def interpreted(kind: str, annotations: dict[str, str], path: str = CHAT, class_name: str = "") -> Route:
    """The route as the store has it."""
    backend = {"service": {"name": "chat", "port": {"number": 80}}}
    entry = {"path": path, "pathType": "ImplementationSpecific", "backend": backend}
    match = {"path": {"type": "PathPrefix", "value": path}}
    specs: dict[str, dict[str, Any]] = {
        "Ingress": {"ingressClassName": class_name, "rules": [{"http": {"paths": [entry, entry]}}]},
        "HTTPRoute": {"rules": [{"matches": [match], "backendRefs": [{"name": "chat", "port": 80}]}]},
    }
    found: Route = record({"kind": kind, "metadata": {"annotations": annotations}, "spec": specs[kind]})
    return found


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, table in TABLES.items() for case in table])
def test_meaning_of_annotations(case: Case) -> None:
    found = interpreted(case.kind, case.annotations, case.path, case.class_name)
    expected = (case.matching, case.transforms, case.middlewares, case.refuses_web_socket)
    assert {_meaning(path) for path in found.paths} == {expected}
    assert found.dependencies == tuple(Dependency("Middleware", key) for key in case.middlewares)
    assert found.is_canary is case.is_canary


def _meaning(path: RoutePath) -> tuple[object, ...]:
    return path.matching, path.transforms, path.middlewares, path.web_socket_refusal is not None


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
        RewriteWholePath("/chat/", "/nginx"),
        ReplacePrefixMatch("/other"),
        ReplacePrefixMatch("/"),
        ReplaceFullPath("/haproxy"),
        ReplacePrefixMatch("/f5/"),
        *unclear("example.com/strip", "true"),
        Unknown("Traefik middleware a@file"),
        Unknown(f"the annotation {TRANSFORMS}.chat with a url-rewrite"),
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
