"""Created objects, whole: every field that the operator applies, and what each setting changes."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.world import app, service, snapshot

from chainlit_operator.domain.desired import drift, manifests, pod_template
from chainlit_operator.domain.model import App, Manifest, NewGateway, NewIngress, ServicePort
from chainlit_operator.domain.paths import RootPaths
from chainlit_operator.domain.resolution import route_backend
from chainlit_operator.object_ref import Ref

SELECTOR = {"app.kubernetes.io/name": "chainlitapp", "app.kubernetes.io/instance": "chat"}
METADATA: dict[str, Any] = {
    "name": "chat",
    "namespace": "shop",
    "labels": {**SELECTOR, "app.kubernetes.io/managed-by": "chainlit-operator"},
    "annotations": {},
    "ownerReferences": [
        {
            "apiVersion": "chainlit-operator.dev/v1alpha1",
            "kind": "ChainlitApp",
            "name": "chat",
            "uid": "uid-of-chat",
            "controller": True,
        }
    ],
}
ROOTS = RootPaths("/chat", "/team")
EDGE = {"name": "edge", "namespace": "infra"}


def templated(**fields: Any) -> App:
    return app(template={"image": "chat:1"} | fields, container="chainlit")


def metadata(**fields: Any) -> dict[str, Any]:
    return METADATA | fields


def body(manifest: Manifest) -> dict[str, Any]:
    """A manifest without its digest, which must be the digest of the rest."""
    found = copy.deepcopy(dict(manifest.body))
    told = found["metadata"]["annotations"].pop("chainlit-operator.dev/applied")
    assert told == manifest.digest == drift.digest(found)
    assert manifest.ref == Ref(found["kind"], found["metadata"]["namespace"], found["metadata"]["name"])
    return found


def made_route(asked: App, **fields: Any) -> dict[str, Any]:
    backend = route_backend(asked, snapshot(**fields).services)
    assert backend is not None
    found = manifests.route(asked, *backend)
    assert found is not None
    return body(found)


# ------------------------------------------------------------------------------------------------------- workloads


def test_deployment() -> None:
    fields = pod_template.filled({"image": "chat:1"})
    assert body(manifests.deployment(templated(), ROOTS)) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": METADATA,
        "spec": {
            "selector": {"matchLabels": SELECTOR},
            "template": pod_template.pod_template(fields, SELECTOR, ("shop", "chat"), "chat", ROOTS),
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        },
    }


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        ({"replicas": 0}, {"spec": {"replicas": 0}}),
        ({"replicas": 3}, {"spec": {"replicas": 3}}),
        ({"strategy": {"type": "Recreate"}}, {"spec": {"strategy": {"type": "Recreate"}}}),
        ({"deploymentAnnotations": {"note": "y"}}, {"metadata": {"annotations": {"note": "y"}}}),
        ({"deploymentAnnotations": {}}, {}),
        ({"service": {"annotations": {"note": "z"}}, "serviceAccount": {"annotations": {"note": "z"}}}, {}),
    ],
)
def test_each_setting_of_the_deployment(fields: Any, changes: Any) -> None:
    plain = body(manifests.deployment(templated(), ROOTS))
    expected = {key: {**value, **changes.get(key, {})} if key in changes else value for key, value in plain.items()}
    assert body(manifests.deployment(templated(**fields), ROOTS)) == expected


def test_no_strategy() -> None:
    assert "strategy" not in manifests.deployment(templated(strategy=None), ROOTS).body["spec"]


CERTIFICATE = ({"secretName": "tls"},)


@pytest.mark.parametrize(
    ("asked", "given", "url"),
    [
        (None, {}, None),
        (NewIngress(host="example.com"), {}, None),
        (NewIngress(tls=CERTIFICATE), {}, None),
        (NewIngress(host="*.example.com", tls=CERTIFICATE), {}, None),
        (NewIngress(host="example.com", path="/chat", tls=CERTIFICATE), {}, "https://example.com"),
        (
            NewIngress(host="example.com", tls=CERTIFICATE),
            {"chainlit": {"url": "https://x.example"}},
            "https://x.example",
        ),
    ],
)
def test_url_is_that_of_a_created_ingress_with_a_certificate(asked: NewIngress | None, given: Any, url: Any) -> None:
    made = templated(**given)
    made = replace(made, spec=replace(made.spec, ingress=asked))
    (found,) = manifests.deployment(made, ROOTS).body["spec"]["template"]["spec"]["containers"]
    assert {entry["name"]: entry["value"] for entry in found["env"]}.get("CHAINLIT_URL") == url


def test_labels_of_all_objects() -> None:
    labels = {"team": "a", "app.kubernetes.io/name": "x", "app.kubernetes.io/managed-by": "x"}
    asked = templated(commonLabels=labels)
    asked = replace(asked, spec=replace(asked.spec, ingress=NewIngress()))
    route = manifests.route(asked, "chat", ServicePort("http", 80))
    assert route is not None
    found = [*manifests.dependencies(asked), manifests.deployment(asked, ROOTS), route]
    assert [m.ref.kind for m in found] == ["ServiceAccount", "Service", "Deployment", "Ingress"]
    assert all(body(m)["metadata"]["labels"] == {"team": "a", **METADATA["labels"]} for m in found)
    assert body(manifests.deployment(templated(commonLabels=None), ROOTS))["metadata"] == METADATA


@pytest.mark.parametrize("instance", ["chat", "a" * 63])
def test_instance_is_the_name(instance: str) -> None:
    assert manifests.selector(app(instance)) == SELECTOR | {"app.kubernetes.io/instance": instance}


@pytest.mark.parametrize(
    ("name", "instance"),
    [("a" * 64, "a" * 63), (f"{'a' * 62}-b", "a" * 62), (f"{'a' * 61}.-b", "a" * 61)],
)
def test_instance_of_a_long_name_is_still_a_label(name: str, instance: str) -> None:
    assert manifests.selector(app(name))["app.kubernetes.io/instance"] == instance


# ---------------------------------------------------------------------------------- Service and ServiceAccount


SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": METADATA,
    "spec": {
        "type": "ClusterIP",
        "selector": SELECTOR,
        "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
    },
}
ACCOUNT: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": METADATA,
    "automountServiceAccountToken": False,
}


def test_dependencies() -> None:
    assert [body(found) for found in manifests.dependencies(templated())] == [ACCOUNT, SERVICE]
    assert manifests.dependencies(app()) == []


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        ({"type": "NodePort"}, {"spec": {**SERVICE["spec"], "type": "NodePort"}}),
        ({"port": 8080}, {"spec": {**SERVICE["spec"], "ports": [{**SERVICE["spec"]["ports"][0], "port": 8080}]}}),
        ({"annotations": {"sticky": "true"}}, {"metadata": metadata(annotations={"sticky": "true"})}),
    ],
)
def test_each_setting_of_the_service(fields: Any, changes: Any) -> None:
    found = [body(made) for made in manifests.dependencies(templated(service=fields))]
    assert found == [ACCOUNT, SERVICE | changes]


@pytest.mark.parametrize(
    ("fields", "account", "used"),
    [
        ({"annotations": {"role": "none"}}, ACCOUNT | {"metadata": metadata(annotations={"role": "none"})}, "chat"),
        ({"name": "runner"}, ACCOUNT | {"metadata": metadata(name="runner")}, "runner"),
        ({"name": ""}, ACCOUNT, "chat"),
        ({"create": False}, None, "default"),
        ({"create": False, "name": "theirs"}, None, "theirs"),
    ],
)
def test_each_setting_of_the_service_account(fields: Any, account: Any, used: str) -> None:
    asked = templated(serviceAccount=fields)
    found = [body(made) for made in manifests.dependencies(asked)]
    assert found == ([SERVICE] if account is None else [account, SERVICE])
    pod = manifests.deployment(asked, ROOTS).body["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == used


# ---------------------------------------------------------------------------------------------------------- routes


BACKEND = {"service": {"name": "chat", "port": {"name": "http"}}}
INGRESS: dict[str, Any] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": METADATA,
    "spec": {"rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": BACKEND}]}}]},
}
HTTP_ROUTE: dict[str, Any] = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": METADATA,
    "spec": {
        "parentRefs": [EDGE],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "backendRefs": [{"name": "chat", "port": 80}],
            }
        ],
    },
}


def ingress_spec(*, path: str = "/", path_type: str = "Prefix", backend: Any = BACKEND, **fields: Any) -> Any:
    rule = {"http": {"paths": [{"path": path, "pathType": path_type, "backend": backend}]}}
    if "host" in fields:
        rule["host"] = fields.pop("host")
    return {"spec": {"rules": [rule], **fields}}


TLS = {"secretName": "tls", "hosts": ["example.com"]}


@pytest.mark.parametrize(
    ("asked", "changes"),
    [
        (NewIngress(), {}),
        (NewIngress(path="team/chat/"), ingress_spec(path="/team/chat")),
        (NewIngress(path_type="ImplementationSpecific"), ingress_spec(path_type="ImplementationSpecific")),
        (NewIngress(host="example.com"), ingress_spec(host="example.com")),
        (NewIngress(class_name="traefik"), ingress_spec(ingressClassName="traefik")),
        (NewIngress(tls=(TLS,)), ingress_spec(tls=[TLS])),
        (NewIngress(annotations={"a": "b"}), {"metadata": metadata(annotations={"a": "b"})}),
    ],
)
def test_ingress(asked: NewIngress, changes: Any) -> None:
    assert made_route(app(ingress=asked)) == INGRESS | changes


def test_ingress_to_a_port_without_a_name() -> None:
    behind = service("web", ports=(ServicePort("", 8080),))
    backend = {"service": {"name": "web", "port": {"number": 8080}}}
    assert made_route(app(ingress=NewIngress()), services=(behind,)) == INGRESS | ingress_spec(backend=backend)


def route_spec(*, path: str = "/", backend: Any = HTTP_ROUTE["spec"]["rules"][0]["backendRefs"], **fields: Any) -> Any:
    rule = {"matches": [{"path": {"type": "PathPrefix", "value": path}}], "backendRefs": backend}
    return {"spec": {"parentRefs": [EDGE], "rules": [rule], **fields}}


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        ({}, {}),
        ({"path": "team/chat/"}, route_spec(path="/team/chat")),
        ({"hostnames": ("a.example", "b.example")}, route_spec(hostnames=["a.example", "b.example"])),
        ({"parent_refs": (EDGE, {"name": "inner"})}, route_spec(parentRefs=[EDGE, {"name": "inner"}])),
        ({"annotations": {"a": "b"}}, {"metadata": metadata(annotations={"a": "b"})}),
    ],
)
def test_http_route(fields: Any, changes: Any) -> None:
    asked = NewGateway(**{"parent_refs": (EDGE,)} | fields)
    assert made_route(app(gateway=asked)) == HTTP_ROUTE | changes


def test_http_route_to_another_service() -> None:
    behind = service("web", ports=(ServicePort("ws", 8080),))
    asked = app(gateway=NewGateway(parent_refs=(EDGE,)))
    assert made_route(asked, services=(behind,)) == HTTP_ROUTE | route_spec(backend=[{"name": "web", "port": 8080}])


def test_no_route_is_asked_for() -> None:
    assert manifests.route(app(), "chat", ServicePort("http", 80)) is None


# -------------------------------------------------------------------------------------------------------- all refs


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        (app(), []),
        (templated(), ["ServiceAccount chat", "Service chat", "Deployment chat"]),
        (templated(serviceAccount={"create": False}), ["Service chat", "Deployment chat"]),
        (templated(serviceAccount={"name": "runner"}), ["ServiceAccount runner", "Service chat", "Deployment chat"]),
        (app(ingress=NewIngress()), ["Ingress chat"]),
        (app(gateway=NewGateway()), ["HTTPRoute chat"]),
        (
            app(template={"image": "chat:1"}, ingress=NewIngress()),
            ["ServiceAccount chat", "Service chat", "Ingress chat", "Deployment chat"],
        ),
        (
            app(template={"image": "chat:1"}, gateway=NewGateway()),
            ["ServiceAccount chat", "Service chat", "HTTPRoute chat", "Deployment chat"],
        ),
    ],
)
def test_refs(asked: App, kinds: list[str]) -> None:
    assert manifests.refs(asked) == tuple(Ref(kind, "shop", name) for kind, name in map(str.split, kinds))
