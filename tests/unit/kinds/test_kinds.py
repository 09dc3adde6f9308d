"""Pruned decoding: what is kept of real objects, and that strange ones cost only themselves."""

from __future__ import annotations

import contextlib
import copy
import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.records import app_record, record
from tests.unit.domain.world import app

from chainlit_operator.domain import model, rewrites
from chainlit_operator.kinds import chainlitapp, registry
from chainlit_operator.kinds.shared.fields import TOO_MANY_PATHS
from chainlit_operator.kube import codec
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import decoding

FIELDS: dict[str, Any] = {
    "f:spec": {
        "f:template": {
            "f:spec": {
                "f:containers": {
                    'k:{"name":"chainlit"}': {
                        ".": {},
                        "f:env": {
                            'k:{"name":"CHAINLIT_ROOT_PATH"}': {".": {}, "f:value": {}},
                            'k:{"name":"CHAINLIT_PARENT_ROOT_PATH"}': {".": {}, "f:name": {}},
                        },
                        "f:readinessProbe": {"f:httpGet": {"f:path": {}}},
                        "f:livenessProbe": {"f:httpGet": {"f:port": {}}},
                    }
                }
            }
        }
    }
}

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "chat",
        "namespace": "shop",
        "uid": "u",
        "resourceVersion": "42",
        "generation": 3,
        "annotations": {"huge": "x" * 1000},
        "managedFields": [
            {"manager": "helm", "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": FIELDS},
            {"manager": "kube-controller-manager", "subresource": "status", "fieldsV1": {"f:status": {}}},
        ],
    },
    "spec": {
        "replicas": 2,
        "template": {
            "metadata": {"creationTimestamp": None, "labels": {"b": "2", "a": "1"}},
            "spec": {
                "containers": [
                    {
                        "name": "chainlit",
                        "image": "chat:1",
                        "args": ["chainlit", "run", "--root-path=/x"],
                        "ports": [{"name": "http", "containerPort": 8000, "protocol": "TCP"}, {"containerPort": 9}],
                        "env": [
                            {"name": "CHAINLIT_ROOT_PATH", "value": "/chat"},
                            {"name": "CHAINLIT_PARENT_ROOT_PATH", "valueFrom": {"fieldRef": {"fieldPath": "x"}}},
                            {"name": "OTHER", "value": "1"},
                            {"name": "EMPTY"},
                        ],
                        "envFrom": [{"configMapRef": {"name": "x"}}],
                        "livenessProbe": {"tcpSocket": {"port": 8000}},
                        "readinessProbe": {"httpGet": {"path": "/chat/health", "port": "http"}},
                        "startupProbe": {"httpGet": {"port": 8000}},
                    }
                ]
            },
        },
    },
    "status": {
        "observedGeneration": 2,
        "replicas": 3,
        "updatedReplicas": 1,
        "availableReplicas": 2,
        "conditions": [
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "Timed out."}
        ],
    },
}


def read(kind: str, body: Any) -> Any:
    return app_record(body) if kind == "ChainlitApp" else record(body, kind)


def test_workload() -> None:
    found = read("Deployment", DEPLOYMENT)
    assert found == model.Workload(
        ref=Ref("Deployment", "shop", "chat"),
        api_version="apps/v1",
        uid="u",
        resource_version="42",
        generation=3,
        pod_labels=(("a", "1"), ("b", "2")),
        containers=(
            model.Container(
                name="chainlit",
                image="chat:1",
                ports=(("http", 8000), ("", 9)),
                root_path=model.Variable("/chat"),
                parent_root_path=model.Variable(None),
                probes=(
                    model.Probe("startupProbe", "/", 8000),
                    model.Probe("readinessProbe", "/chat/health", "http"),
                ),
                has_env_from=True,
                has_root_path_option=True,
            ),
        ),
        rollout=model.Rollout(2, 2, 3, 1, 2, "Timed out."),
    )
    assert found.field_managers == ("helm", "kube-controller-manager"), "compared by itself: a record does not"
    assert found.resource_version == "42"
    assert found.containers[0].owners == (("CHAINLIT_ROOT_PATH", "helm"), ("readinessProbe", "helm"))
    assert read("StatefulSet", DEPLOYMENT).ref.kind == "StatefulSet"


@pytest.mark.parametrize(("policy", "has"), [({"restartPolicy": "Always"}, True), ({}, False)])
def test_what_goes_on_beside_the_containers(policy: dict[str, str], has: bool) -> None:
    body = changed("spec", "template", "spec", "initContainers", to=[{"name": "proxy", "image": "p:1"} | policy])
    first = read("Deployment", body)
    assert first.has_sidecars is has
    assert after(body, body)[1].has_sidecars is has


def changed(*path: str | int, to: Any, **metadata: Any) -> dict[str, Any]:
    """The Deployment with another value at ``path``, and other metadata."""
    body = copy.deepcopy(DEPLOYMENT)
    body["metadata"] |= metadata
    place = body
    for key in path[:-1]:
        place = place[key]  # type: ignore[index]
    place[path[-1]] = to  # type: ignore[index]
    return body


def after(first: Any, *more: Any) -> list[model.Workload]:
    """What a watch makes of one object after the other; the first is listed."""
    known = [read("Deployment", first)]
    event = decoding.decoder(registry.WATCHED["Deployment"], lambda ref: known[-1] if ref == known[-1].ref else None)
    for body in more:
        known += [event(json.dumps(body).encode())]
    return known


PODS = ("spec", "template", "spec", "containers", 0)
SEEN = {"status": DEPLOYMENT["status"] | {"observedGeneration": 3}}


@pytest.mark.parametrize(
    "same",
    [
        changed("metadata", "annotations", to={"huge": "y"}, generation=4),
        changed("status", "observedGeneration", to=4, generation=4),
        changed("metadata", "managedFields", 1, "time", to="2026-01-01T00:00:00Z"),
        changed("spec", "strategy", to={"type": "Recreate"}, generation=4),
    ],
    ids=["annotation", "which was seen", "time", "strategy"],
)
def test_what_replaces_no_pod_makes_no_difference(same: dict[str, Any]) -> None:
    first, second = after(DEPLOYMENT | SEEN, same if same["status"]["observedGeneration"] > 2 else same | SEEN)
    assert second == first and second.generation == 3 and second.rollout.observed_generation == 3
    assert (second.containers, second.field_managers) == (first.containers, first.field_managers)
    assert second.containers[0].owners == first.containers[0].owners


def test_a_change_of_the_template_is_read_and_awaited() -> None:
    former, annotated, image, again = after(
        DEPLOYMENT | SEEN,
        changed("metadata", "annotations", to={}, generation=4) | SEEN,
        changed(*PODS, "image", to="chat:2", generation=5) | SEEN,
        changed(*PODS, "image", to="chat:2", generation=6),
    )
    assert (former.generation, annotated.generation) == (3, 3)
    assert image.containers[0].image == "chat:2"
    assert (image.generation, image.rollout.observed_generation) == (5, 3)
    assert (again.generation, again.rollout.observed_generation) == (5, 2)


@pytest.mark.parametrize(
    ("to", "owners"),
    [
        ([], ()),
        ([{"manager": "me", "fieldsV1": FIELDS}], (("CHAINLIT_ROOT_PATH", "me"), ("readinessProbe", "me"))),
        ([{"manager": "helm", "fieldsV1": {"f:spec": {}}}], ()),
    ],
)
def test_another_owner_is_read(to: list[Any], owners: tuple[tuple[str, str], ...]) -> None:
    _, found = after(DEPLOYMENT, changed("metadata", "managedFields", to=to))
    assert found.containers[0].owners == owners
    assert found.field_managers == tuple(entry["manager"] for entry in to)


def test_replicas_and_counters_are_read_beside_the_same_template() -> None:
    first, scaled, counted = after(
        DEPLOYMENT,
        changed("spec", "replicas", to=0, generation=4),
        changed("status", "availableReplicas", to=9),
    )
    assert scaled == replace(first, rollout=replace(first.rollout, desired=0))
    assert counted == replace(first, rollout=replace(first.rollout, available=9))


@pytest.mark.parametrize(
    ("spec", "held"),
    [
        ({}, ""),
        ({"paused": True}, "spec.paused true"),
        ({"updateStrategy": {"type": "RollingUpdate"}}, ""),
        ({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}}, ""),
        ({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}},
         "spec.updateStrategy.rollingUpdate.partition 2"),
        ({"updateStrategy": {"type": "OnDelete"}}, "spec.updateStrategy.type OnDelete"),
    ],
)  # fmt: skip
def test_what_holds_pods_back(spec: Any, held: str) -> None:
    kind = "StatefulSet" if "updateStrategy" in spec else "Deployment"
    assert read(kind, {"metadata": {"name": "chat"}, "spec": spec}).rollout.paused_by == held


def test_another_object_of_the_name_is_read_anew() -> None:
    _, found = after(DEPLOYMENT, changed("metadata", "uid", to="other", generation=1))
    assert (found.uid, found.generation) == ("other", 1)


def test_an_object_that_is_older_than_the_one_known_is_read_as_it_is() -> None:
    former, found = after(DEPLOYMENT, changed("metadata", "resourceVersion", to="41", generation=2))
    assert former.generation == 3 and (found.generation, found.resource_version) == (2, "41")


def test_ingress() -> None:
    backend = {"service": {"name": "chat", "port": {"number": 80}}}
    found = read(
        "Ingress",
        {
            "metadata": {
                "name": "chat",
                "namespace": "shop",
                "annotations": {
                    "cert-manager.io/issuer": "x",
                    "konghq.com/strip-path": "false",
                    "traefik.ingress.kubernetes.io/router.middlewares": "shop-strip@kubernetescrd",
                },
            },
            "spec": {
                "ingressClassName": "traefik",
                "tls": [{"hosts": ["a.example"]}, {"secretName": "all"}],
                "defaultBackend": backend,
                "rules": [
                    {"host": "a.example",
                     "http": {"paths": [{"path": "/chat", "pathType": "Prefix", "backend": backend}]}},
                    {"host": "b.example"},
                    {"http": {"paths": [
                        {"pathType": "ImplementationSpecific",
                         "backend": {"service": {"name": "chat", "port": {"name": "http"}}}},
                        {"path": "/x", "pathType": "Prefix", "backend": {"resource": {"kind": "X", "name": "y"}}},
                    ]}},
                ],
            },
            "status": {"loadBalancer": {"ingress": [{"ip": "fd00::1"}]}},
        },
    )  # fmt: skip
    assert found.paths == (
        model.RoutePath("a.example", "/chat", "Prefix", "chat", 80, middlewares=("shop-strip",)),
        model.RoutePath("", "/", "ImplementationSpecific", "chat", "http", middlewares=("shop-strip",)),
        model.RoutePath("", "/x", "Prefix", "", 0, middlewares=("shop-strip",)),
    )
    assert found.services == {"chat"}
    assert found.origins == (
        model.Origin("a.example", is_secure=True),
        model.Origin("", is_secure=True, address="[fd00::1]"),
        model.Origin("", is_secure=False, address="[fd00::1]"),
    )


def test_default_backend_counts_where_no_rule_has_a_path() -> None:
    backend = {"service": {"name": "chat", "port": {"number": 80}}}
    found = read("Ingress", {"metadata": {"name": "x"}, "spec": {"defaultBackend": backend}})
    assert found.paths == (model.RoutePath("", "/", "Prefix", "chat", 80),)


NGINX, F5 = "nginx.ingress.kubernetes.io", "nginx.org"
CHAT, ANY = "/chat", "/chat(/|$)(.*)"
REGEX = model.Matching.REGULAR_EXPRESSION


@pytest.mark.parametrize(
    ("annotations", "path", "matching", "transforms"),
    [
        ({}, CHAT, model.Matching.PREFIX, ()),
        ({}, ANY, model.Matching.UNKNOWN, ()),
        ({f"{NGINX}/use-regex": "true"}, ANY, REGEX, ()),
        ({f"{NGINX}/rewrite-target": "/$2"}, ANY, REGEX, (rewrites.RewriteWholePath(ANY, "/$2"),)),
        ({f"{NGINX}/use-regex": "True"}, ANY, REGEX, ()),
        ({f"{NGINX}/use-regex": "yes"}, ANY, model.Matching.UNKNOWN, ()),
        ({f"{NGINX}/rewrite-target": "/"}, CHAT, model.Matching.PREFIX, (rewrites.RewriteWholePath(CHAT, "/"),)),
        ({f"{NGINX}/rewrite-target": CHAT}, CHAT, model.Matching.PREFIX, ()),
        ({f"{F5}/rewrites": "serviceName=x rewrite=/y; serviceName=chat rewrite=/"}, "/chat/", model.Matching.PREFIX,
         (rewrites.ReplacePrefixMatch("/"),)),
        ({f"{F5}/rewrites": "serviceName=chat rewrite=/"}, CHAT, model.Matching.PREFIX,
         (rewrites.Unknown("the annotation nginx.org/rewrites for a path with another end"),)),
        ({f"{F5}/rewrites": "serviceName=x rewrite=/y"}, CHAT, model.Matching.PREFIX, ()),
        ({"konghq.com/strip-path": "true"}, CHAT, model.Matching.PREFIX, (rewrites.ReplacePrefixMatch("/"),)),
        ({"konghq.com/strip-path": "True"}, CHAT, model.Matching.PREFIX, (rewrites.ReplacePrefixMatch("/"),)),
        ({"konghq.com/strip-path": "false"}, CHAT, model.Matching.PREFIX, ()),
        ({"haproxy-ingress.github.io/rewrite-target": "/"}, CHAT, model.Matching.PREFIX,
         (rewrites.ReplacePrefixMatch("/"),)),
        ({"haproxy.org/path-rewrite": "/"}, CHAT, model.Matching.PREFIX, (rewrites.ReplaceFullPath("/"),)),
        ({"haproxy.org/path-rewrite": "/chat/(.*) /\\1"}, CHAT, model.Matching.PREFIX,
         (rewrites.RewriteWholePath("/chat/(.*)", "/${1}"),)),
        ({"haproxy.org/path-rewrite": "/chat/(.*) /\\1"}, "/team/chat", model.Matching.PREFIX,
         (rewrites.Unknown("the annotation haproxy.org/path-rewrite: /chat/(.*) /\\1"),)),
        ({"haproxy.org/path-rewrite": "/ch/(.*) /\\1"}, CHAT, model.Matching.PREFIX,
         (rewrites.Unknown("the annotation haproxy.org/path-rewrite: /ch/(.*) /\\1"),)),
        ({"haproxy.org/path-rewrite": "/a/(.*) /\\1\n/b/(.*) /\\1"}, CHAT, model.Matching.PREFIX,
         (rewrites.Unknown("the annotation haproxy.org/path-rewrite: /a/(.*) /\\1\n/b/(.*) /\\1"),)),
        ({"alb.ingress.kubernetes.io/transforms.chat": '[{"type": "url-rewrite"}]'}, CHAT, model.Matching.PREFIX,
         (rewrites.Unknown("the annotation alb.ingress.kubernetes.io/transforms.chat with a url-rewrite"),)),
        ({"alb.ingress.kubernetes.io/transforms.chat": '[{"type": "host-header-rewrite"}]'}, CHAT,
         model.Matching.PREFIX, ()),
        ({"alb.ingress.kubernetes.io/transforms.other": '[{"type": "url-rewrite"}]'}, CHAT, model.Matching.PREFIX, ()),
        ({}, "/~/chat", model.Matching.UNKNOWN, ()),
        ({"traefik.ingress.kubernetes.io/router.middlewares": "strip@file"}, CHAT, model.Matching.PREFIX,
         (rewrites.Unknown("Traefik middleware strip@file"),)),
    ],
)  # fmt: skip
def test_ingress_rewrites(annotations: Any, path: str, matching: Any, transforms: Any) -> None:
    backend = {"service": {"name": "chat", "port": {"number": 80}}}
    http = {"paths": [{"path": path, "pathType": "ImplementationSpecific", "backend": backend}]}
    found = read("Ingress", {"metadata": {"annotations": annotations}, "spec": {"rules": [{"http": http}]}})
    assert [(p.matching, p.transforms) for p in found.paths] == [(matching, transforms)]


SNIPPET = f"{NGINX}/configuration-snippet"


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
    path = {"path": "/chat", "pathType": "Prefix", "backend": {"service": {"name": "chat", "port": {"number": 80}}}}
    rules = {"Ingress": {"http": {"paths": [path, path]}}, "HTTPRoute": {"backendRefs": [{"name": "chat", "port": 80}]}}
    document = {"metadata": {"annotations": {key: value}}, "spec": {"rules": [rules[kind]]}}
    found = read(kind, document)
    expected = (rewrites.Unknown(f"the annotation {key}: {value[:250]}"),) if may_rewrite else ()
    assert {path.transforms for path in found.paths} == {expected}


def test_an_annotation_is_told_in_part() -> None:
    found = read("HTTPRoute", {"metadata": {"annotations": {"x/rewrite": "/" * 9999}}, "spec": {"rules": [{}]}})
    assert found.paths[0].transforms == (rewrites.Unknown(f"the annotation x/rewrite: {'/' * 250}"),)


@pytest.mark.parametrize(("value", "transforms"), [("true", (rewrites.ReplacePrefixMatch("/"),)), ("false", ())])
def test_kong_strips_an_http_route(value: str, transforms: Any) -> None:
    metadata = {"annotations": {"konghq.com/strip-path": value}}
    assert read("HTTPRoute", {"metadata": metadata, "spec": {"rules": [{}]}}).paths[0].transforms == transforms


@pytest.mark.parametrize(
    ("spec", "annotations", "expected"),
    [
        ({"ingressClassName": "traefik"}, {}, "traefik"),
        ({}, {"kubernetes.io/ingress.class": "nginx"}, "nginx"),
        ({}, {}, ""),
    ],
)
def test_ingress_class(spec: Any, annotations: Any, expected: str) -> None:
    found = read("Ingress", {"metadata": {"annotations": annotations}, "spec": spec})
    assert found.attachments == (model.Attachment(f"ingress class {expected}"),)


SOCKETS = "projectcontour.io/websocket-routes"


@pytest.mark.parametrize(
    ("class_name", "annotations", "path", "refuses", "matching"),
    [
        ("contour", {}, CHAT, True, model.Matching.PREFIX),
        ("contour", {SOCKETS: CHAT}, CHAT, False, model.Matching.PREFIX),
        ("contour", {SOCKETS: "/chat/"}, CHAT, True, model.Matching.PREFIX),
        ("contour", {SOCKETS: "/bot, /chat"}, CHAT, False, model.Matching.PREFIX),
        ("contour", {SOCKETS: "/"}, "", False, model.Matching.PREFIX),
        ("contour", {}, "/chat.*", True, REGEX),
        ("contour", {}, "/chat(a)", True, model.Matching.PREFIX),
        ("own", {SOCKETS: "/bot"}, CHAT, True, model.Matching.PREFIX),
        ("", {"kubernetes.io/ingress.class": "contour"}, CHAT, True, model.Matching.PREFIX),
        ("contour", {"projectcontour.io/ingress.class": "own"}, CHAT, False, model.Matching.PREFIX),
        ("traefik", {}, CHAT, False, model.Matching.PREFIX),
    ],
)
def test_contour_passes_the_web_socket_only_where_told(
    class_name: str, annotations: Any, path: str, refuses: bool, matching: Any
) -> None:
    backend = {"service": {"name": "chat", "port": {"number": 80}}}
    http = {"paths": [{"path": path, "pathType": "ImplementationSpecific", "backend": backend}]}
    spec = {"ingressClassName": class_name, "rules": [{"http": http}]}
    found = read("Ingress", {"metadata": {"annotations": annotations}, "spec": spec})
    assert [(p.refuses_web_socket, p.matching) for p in found.paths] == [(refuses, matching)]


def test_canary_ingress() -> None:
    annotations = {"nginx.ingress.kubernetes.io/canary": "true"}
    assert read("Ingress", {"metadata": {"annotations": annotations}}).is_canary
    assert not read("Ingress", {"metadata": {}}).is_canary


def http_route(*rules: Any, **fields: Any) -> model.Route:
    found: model.Route = read(
        "HTTPRoute", {"metadata": {"name": "r", "namespace": "shop"}, "spec": {"rules": rules}} | fields
    )
    return found


def rule(*matches: Any, **fields: Any) -> dict[str, Any]:
    return {"matches": matches, "backendRefs": [{"name": "chat", "port": 80}]} | fields


def at(value: str, type_: str = "PathPrefix", **fields: Any) -> dict[str, Any]:
    return {"path": {"type": type_, "value": value}} | fields


def rewrite(**path: str) -> list[Any]:
    return [{"type": "URLRewrite", "urlRewrite": {"path": path}}]


def test_http_route() -> None:
    found = http_route(
        rule(at("/chat"), at("/exact", "Exact"), at("/re.*", "RegularExpression")),
        {"backendRefs": [{"name": "chat", "port": 80}]},
        rule(at("/"), filters=[{"type": "RequestRedirect", "requestRedirect": {}}]),
        rule(at("/other"), backendRefs=[{"name": "chat", "namespace": "far"}, {"name": "t", "kind": "TraefikService"}]),
    )
    assert [(p.path, p.path_type, p.matching, p.service) for p in found.paths] == [
        ("/chat", "PathPrefix", model.Matching.PREFIX, "chat"),
        ("/exact", "Exact", model.Matching.EXACT, "chat"),
        ("/re.*", "RegularExpression", REGEX, "chat"),
        ("/", "PathPrefix", model.Matching.PREFIX, "chat"),
        ("/", "PathPrefix", model.Matching.PREFIX, ""),
        ("/other", "PathPrefix", model.Matching.PREFIX, ""),
    ]
    assert found.unsupported_backends == ("Service far/chat", "TraefikService t")
    assert found.services == {"chat"}


STRIPPED = {"type": "ExtensionRef", "extensionRef": {"group": "traefik.io", "kind": "Middleware", "name": "strip"}}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (rule(at("/chat", headers=[{"name": "x", "value": "y"}])), {"condition": "a header matches"}),
        (rule(at("/chat", queryParams=[{"name": "x", "value": "y"}])), {"condition": "a query parameter matches"}),
        (rule(at("/chat", method="GET")), {"condition": "the method is GET"}),
        (rule(at("/chat"), filters=rewrite(type="ReplacePrefixMatch", replacePrefixMatch="/")),
         {"transforms": (rewrites.ReplacePrefixMatch("/"),)}),
        (rule(at("/chat"), filters=rewrite(type="ReplaceFullPath", replaceFullPath="/x")),
         {"transforms": (rewrites.ReplaceFullPath("/x"),)}),
        (rule(at("/chat"), filters=[STRIPPED]), {"middlewares": ("shop-strip",)}),
        (rule(at("/chat"), filters=[{"type": "RequestHeaderModifier", "requestHeaderModifier": {}}]), {}),
        (rule(at("/chat"), backendRefs=[{"name": "chat", "port": 80}, {"name": "b", "port": 80, "weight": 0}]), {}),
        (rule(at("/chat"), backendRefs=[{"name": "chat", "port": 80}, {"name": "b", "kind": "X", "weight": 9}]),
         {"others": ("chat", "X b")}),
        (rule(at("/chat"), backendRefs=[{"name": "chat", "port": 80}, {"name": "chat", "namespace": "b", "port": 80}]),
         {"others": ("chat", "Service b/chat")}),
        (rule(at("/chat"), filters=[STRIPPED, *rewrite(type="ReplacePrefixMatch", replacePrefixMatch="/")]),
         {"transforms": (rewrites.ReplacePrefixMatch("/"),
                         rewrites.Unknown("a URLRewrite filter that comes after an ExtensionRef filter")),
          "middlewares": ("shop-strip",)}),
    ],
)  # fmt: skip
def test_http_route_rule(given: Any, wanted: dict[str, Any]) -> None:
    path = http_route(given).paths[0]
    assert path == model.RoutePath("", "/chat", "PathPrefix", "chat", 80, **({"others": ("chat",)} | wanted))


def test_http_route_rule_without_matches_is_for_all_paths() -> None:
    assert [(p.path, p.matching) for p in http_route(rule()).paths] == [("/", model.Matching.PREFIX)]


@pytest.mark.parametrize(
    "url_rewrite", [{"hostname": "inner"}, {"hostname": "inner", "path": {"type": "ReplacePrefixMatch"}}]
)
def test_http_route_with_another_host_is_not_known(url_rewrite: Any) -> None:
    given = rule(at("/chat"), filters=[{"type": "URLRewrite", "urlRewrite": url_rewrite}])
    assert isinstance(http_route(given).paths[0].transforms[0], rewrites.Unknown)


def test_parent_that_refuses_the_route_gives_no_address_while_another_takes_it() -> None:
    inner, edge = {"name": "inner"}, {"name": "edge"}
    refused = {"parentRef": inner, "conditions": [{"type": "Accepted", "status": "False"}]}
    taken = {"parentRef": edge, "conditions": [{"type": "Accepted", "status": "True"}]}
    for statuses, names in [([refused, taken], ["edge"]), ([taken], ["inner", "edge"]), ([], ["inner", "edge"])]:
        given = {"metadata": {"name": "r", "namespace": "shop"}, "spec": {"parentRefs": [inner, edge]}}
        found = read("HTTPRoute", given | {"status": {"parents": statuses}})
        assert [attachment.group.rpartition("/")[2] for attachment in found.attachments] == names


@pytest.mark.parametrize(
    ("parent", "told", "is_same"),
    [
        ({"name": "inner"}, {"name": "inner", "namespace": "shop"}, True),
        ({"name": "inner", "namespace": "shop"}, {"name": "inner"}, True),
        ({"name": "inner"}, {"name": "inner", "group": "gateway.networking.k8s.io", "kind": "Gateway"}, True),
        ({"name": "inner"}, {"name": "inner", "namespace": "infra"}, False),
        ({"name": "inner", "sectionName": "web"}, {"name": "inner", "namespace": "shop"}, False),
        ({"name": "inner", "port": 80}, {"name": "inner", "namespace": "shop", "port": 443}, False),
        ({"name": "inner"}, {"name": "inner", "kind": "Service", "group": ""}, False),
    ],
)
def test_parent_that_refuses_is_recognised_with_its_defaults(parent: Any, told: Any, *, is_same: bool) -> None:
    edge = {"name": "edge"}
    parents = [
        {"parentRef": told, "conditions": [{"type": "Accepted", "status": "False"}]},
        {"parentRef": edge, "conditions": [{"type": "Accepted", "status": "True"}]},
    ]
    given = {"metadata": {"name": "r", "namespace": "shop"}, "spec": {"parentRefs": [parent, edge]}}
    found = read("HTTPRoute", given | {"status": {"parents": parents}})
    groups = [attachment.group for attachment in found.attachments]
    assert groups == (["Gateway shop/edge"] if is_same else ["Gateway shop/inner", "Gateway shop/edge"])


def test_parents_of_an_http_route() -> None:
    refs = [
        {"name": "edge"},
        {"name": "edge", "namespace": "infra", "sectionName": "web", "port": 443},
        {"name": "mesh", "kind": "Service", "group": ""},
    ]
    found = read("HTTPRoute", {"metadata": {"name": "r", "namespace": "shop"}, "spec": {"parentRefs": refs}})
    assert found.attachments == (
        model.Attachment("Gateway shop/edge"),
        model.Attachment("Gateway infra/edge", "web", 443),
    )
    assert found.dependencies == (model.Dependency("Gateway", "shop/edge"), model.Dependency("Gateway", "infra/edge"))


def test_gateway() -> None:
    spec = {"listeners": [{"name": "web", "port": 443, "protocol": "HTTPS", "hostname": "x.example"}]}
    body = {"metadata": {"name": "edge"}, "spec": spec, "status": {"addresses": [{"value": "fd00::1"}]}}
    found = read("Gateway", body)
    assert found.listeners == (model.Listener("web", 443, "HTTPS", "x.example"),)
    assert found.address == "[fd00::1]"


def parent(**conditions: str) -> dict[str, Any]:
    return {"conditions": [{"type": t, "status": s, "reason": "R", "message": "m"} for t, s in conditions.items()]}


@pytest.mark.parametrize(
    ("parents", "refusal"),
    [
        ([], ""),
        ([parent(Accepted="True", ResolvedRefs="True")], ""),
        ([parent(Accepted="False")], "R: m"),
        ([parent(Accepted="True", ResolvedRefs="False")], ""),
        ([parent(Accepted="False"), parent(Accepted="True")], ""),
    ],
)
def test_http_route_that_nobody_serves(parents: list[Any], refusal: str) -> None:
    assert http_route(rule(at("/")), status={"parents": parents}).refusal == refusal


@pytest.mark.parametrize(
    ("spec", "transforms", "chain"),
    [
        ({"stripPrefix": {"prefixes": ["/a", "/b"]}}, (rewrites.StripPrefix(("/a", "/b")),), ()),
        ({"stripPrefixRegex": {"regex": ["/a"]}}, (rewrites.StripPrefix(("/a",)),), ()),
        ({"stripPrefixRegex": {"regex": ["/a$"]}},
         (rewrites.Unknown("Traefik Middleware m with stripPrefixRegex"),), ()),
        ({"stripPrefixRegex": {"regex": ["/[a-z]+"]}},
         (rewrites.Unknown("Traefik Middleware m with stripPrefixRegex"),), ()),
        ({"replacePath": {"path": "/x"}}, (rewrites.ReplaceFullPath("/x"),), ()),
        ({"replacePathRegex": {"regex": "^/a/(.*)", "replacement": "/$1"}},
         (rewrites.ReplaceMatch("^/a/(.*)", "/$1"),), ()),
        ({"replacePathRegex": {"regex": "/a/(.*)", "replacement": "/$1"}},
         (rewrites.Unknown("Traefik Middleware m with replacePathRegex"),), ()),
        ({"addPrefix": {"prefix": "/x"}}, (rewrites.AddPrefix("/x"),), ()),
        ({"basicAuth": {"secret": "s"}}, (), ()),
        ({"plugin": {"x": {}}}, (rewrites.Unknown("Traefik Middleware m with a plugin"),), ()),
        ({"chain": {"middlewares": [{"name": "a"}, {"name": "b", "namespace": "far"}]}}, (), ("shop-a", "far-b")),
    ],
)  # fmt: skip
def test_middleware(spec: Any, transforms: Any, chain: Any) -> None:
    found = read("Middleware", {"metadata": {"name": "m", "namespace": "shop"}, "spec": spec})
    assert (found.transforms, found.chain, found.key) == (transforms, chain, "shop-m")


def test_service() -> None:
    found = read(
        "Service",
        {
            "metadata": {"name": "chat", "namespace": "shop"},
            "spec": {
                "selector": {"b": "2", "a": "1"},
                "clusterIP": "10.0.0.1",
                "ports": [{"name": "http", "port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 8000}],
            },
        },
    )
    assert found.selector == (("a", "1"), ("b", "2"))
    assert found.ports == (model.ServicePort("http", 80, "http"), model.ServicePort("", 81, 8000))
    assert (found.type, found.cluster_ip) == ("ClusterIP", "10.0.0.1")


def test_app_with_defaults_and_in_full() -> None:
    metadata = {"name": "chat", "namespace": "shop", "uid": "u", "resourceVersion": "1", "generation": 2,
                "creationTimestamp": "2026-01-01T00:00:00Z"}  # fmt: skip
    short = chainlitapp.app_from_object({"metadata": metadata, "spec": {"workload": {"ref": {"name": "chat"}}}})
    assert short.spec == model.AppSpec("Deployment", "chat")
    assert short.workload == Ref("Deployment", "shop", "chat") and short.route is None
    full = chainlitapp.app_from_object(
        {
            "metadata": metadata,
            "spec": {
                "workload": {"ref": {"kind": "StatefulSet", "name": "chat", "container": "c"}},
                "route": {"ref": {"kind": "Ingress", "name": "r"}, "rewrite": "Strip"},
                "verification": {"mode": "Disabled", "intervalSeconds": 10},
                "suspend": True,
                "mountPath": "/chainlit",
            },
        }
    )
    assert full.spec == model.AppSpec(
        *("StatefulSet", "chat", "c", "Ingress", "r", model.Rewrite.STRIP, model.VerificationMode.DISABLED, 10, True),
        mount_path="/chainlit",
    )


def test_app_that_has_its_objects_created() -> None:
    metadata = {"name": "chat", "namespace": "shop"}
    template = {"image": "chat:1", "tmpVolume": {"sizeLimit": None}}
    ingress = {"host": "a", "path": "/x", "className": "c", "tls": [{"hosts": ["a"]}], "annotations": {"b": "c"}}
    made = chainlitapp.app_from_object(
        {"metadata": metadata, "spec": {"workload": {"template": template}, "route": {"ingress": ingress}}}
    )
    assert made.workload == Ref("Deployment", "shop", "chat")
    assert made.route == Ref("Ingress", "shop", "chat")
    assert made.spec.container == "chainlit"
    assert made.spec.template == template
    assert made.spec.ingress == model.NewIngress("/x", "Prefix", "a", "c", ({"hosts": ["a"]},), {"b": "c"})
    gateway = {"parentRefs": [{"name": "edge"}], "hostnames": ["a"], "path": "/x"}
    made = chainlitapp.app_from_object(
        {"metadata": metadata, "spec": {"workload": {"ref": {"name": "app"}}, "route": {"gateway": gateway}}}
    )
    assert made.workload.name == "app" and made.route == Ref("HTTPRoute", "shop", "chat")
    assert made.spec.gateway == model.NewGateway(({"name": "edge"},), ("a",), "/x")
    assert not made.is_terminating
    dying = {"metadata": metadata | {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": {}}
    assert chainlitapp.app_from_object(dying).is_terminating


OWNER = {"apiVersion": "chainlit-operator.dev/v1alpha1", "kind": "ChainlitApp", "name": "chat", "uid": "u"}


@pytest.mark.parametrize(
    ("owner", "is_owned"),
    [
        (OWNER | {"controller": True}, True),
        (OWNER, False),
        (OWNER | {"controller": True, "apiVersion": "example.com/v1"}, False),
        (OWNER | {"controller": True, "kind": "Other"}, False),
    ],
)
@pytest.mark.parametrize("type_", ["Deployment", "Service", "ServiceAccount", "Ingress", "HTTPRoute"])
def test_whole_object_is_kept_where_a_chainlitapp_created_it(type_: Any, owner: Any, *, is_owned: bool) -> None:
    metadata: Any = {"name": "chat", "namespace": "shop", "uid": "o", "resourceVersion": "7", "labels": {"a": "b"}}
    metadata |= {"ownerReferences": [owner], "managedFields": [{"manager": "x"}]}
    body = {"kind": "?", "metadata": metadata, "spec": {"anything": [1]}, "status": {"much": 1}}
    owned = decoding.decoder(registry.WATCHED[type_])(msgspec.json.encode(body)).owned  # type: ignore[union-attr]
    assert (owned is not None) is is_owned
    if owned is not None:
        assert (owned.app, owned.uid, owned.object_uid) == ("chat", "u", "o")
        assert owned.content == {
            "metadata": {"labels": {"a": "b"}, "ownerReferences": [owner]},
            "spec": {"anything": [1]},
        }
        assert owned.managed == [{"manager": "x"}]


def test_status_comes_back_as_it_was_written() -> None:
    status = model.Status(
        observed_generation=3,
        root_path="",
        url="http://x/",
        web_socket_url="ws://x/ws/socket.io/",
        route=model.RouteStatus("Ingress", "r", "x", "/", "Prefix", "None"),
        workload=model.WorkloadStatus("Deployment", "chat", "c"),
        conditions=(model.Condition("Ready", "True", "Ready", "Yes.", 3, "2026-01-01T00:00:00Z"),),
    )
    body = chainlitapp.encode_status(app(), status)
    assert body["status"]["webSocketURL"] == "ws://x/ws/socket.io/" and "parentRootPath" not in body["status"]
    assert "spec" not in body
    written = chainlitapp.app_from_object(body)
    assert written.status == status
    assert (written.ref, written.uid, written.resource_version) == (app().ref, app().uid, app().resource_version)


@pytest.mark.parametrize("body", [{}, {"metadata": 1}, {"metadata": {}, "spec": {"suspend": "yes"}}, [], None])
def test_object_of_another_shape_is_an_error_of_value(body: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        chainlitapp.app_from_object(body)


KINDS = [
    "Deployment",
    "StatefulSet",
    "Service",
    "Ingress",
    "HTTPRoute",
    "Gateway",
    "Middleware",
    "ChainlitApp",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["metadata", "name", "spec", "template", "containers", "env", "rules", "http", "paths", "tls"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON, st.sampled_from(KINDS))
def test_any_json_is_read_or_refused(body: Any, type_: Any) -> None:
    with contextlib.suppress(msgspec.ValidationError):
        read(type_, body)


NEST = 9000


@pytest.mark.parametrize("kind", registry.WATCHED)
def test_what_nests_deep_is_no_end_of_the_watch(kind: str) -> None:
    """An API server keeps ten thousand levels in fields without a schema; a reader's stack has a tenth of that."""
    nest = "[" * NEST + "]" * NEST
    owner = '{"apiVersion":"chainlit-operator.dev/v1","kind":"ChainlitApp","name":"a","controller":true}'
    text = f'{{"metadata":{{"name":"x]\\"[","ownerReferences":[{owner}]}},"extra":{{"deep":{nest},"flat":[1]}}}}'
    found = decoding.decoder(registry.WATCHED[kind])(text.encode())
    assert found.ref.name == 'x]"['
    if isinstance(found, model.CreatableObject):
        assert found.owned is not None
        kept = found.owned.content["extra"]
        assert kept["flat"] == [1] and str(kept["deep"]).count("[") < 300
    items = codec.decode_page(f'{{"items":[{text}]}}'.encode()).items
    assert items is not None and codec.decode_bookmark(items[0]).metadata.name == 'x]"['
    event = codec.decode_event(f'{{"type":"ADDED","object":{text}}}'.encode())
    assert codec.decode_bookmark(event.object).metadata.name == 'x]"['


def test_no_more_paths_are_read_than_can_be_looked_at() -> None:
    backend = {"service": {"name": "chat", "port": {"number": 80}}}
    entry = {"path": "/chat", "pathType": "Prefix", "backend": backend}
    for count, refusal in ((2500, ""), (2501, TOO_MANY_PATHS)):
        body = {"metadata": {"name": "x"}, "spec": {"rules": [{"http": {"paths": [entry] * count}}]}}
        found = read("Ingress", body)
        assert (len(found.paths), found.refusal) == (2500, refusal)
    rule = {"matches": [{}] * 8, "backendRefs": [{"name": f"s{n}", "port": 80} for n in range(16)]}
    body = {"metadata": {"name": "x"}, "spec": {"hostnames": ["a", "b", "c"], "rules": [rule] * 16}}
    route = read("HTTPRoute", body)
    assert len(route.paths) == 2500 and route.refusal.startswith("it has more than 2,500 paths")


def test_two_rewrites_for_one_service_are_not_guessed_between() -> None:
    annotation = "serviceName=chat rewrite=/; serviceName=chat rewrite=/x; serviceName=other rewrite=/"
    backend = {"service": {"name": "chat", "port": {"number": 80}}}
    for text, wanted in (
        (annotation, rewrites.Unknown("the annotation nginx.org/rewrites with several rewrites for a Service")),
        ("serviceName=chat rewrite=/;" * 3, rewrites.ReplacePrefixMatch("/")),
    ):
        body = {
            "metadata": {"name": "x", "annotations": {"nginx.org/rewrites": text}},
            "spec": {"rules": [{"http": {"paths": [{"path": "/chat/", "pathType": "Prefix", "backend": backend}]}}]},
        }
        found = read("Ingress", body)
        assert found.paths[0].transforms == (wanted,)
