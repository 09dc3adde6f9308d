"""Session affinity of the app chart, as the operator judges it, and as users' annotations change it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chainlit_operator.domain.model import Stickiness
from chainlit_operator.ingress_controllers import registry
from chainlit_operator.kinds import registry as kinds
from tests.objects import gateway
from tests.reported import conditions

from . import controllers
from .controllers import Preset
from .rendering import Object, Refused, Rendered, app

#: The file of the operator that has the facts about the controller of each preset.
FILES = {
    **{name: name for name in ("traefik", "haproxy", "contour", "kong", "istio", "gke", "openshift", "cilium")},
    "nginx": "ingress_nginx",
    "nginx-inc": "f5_nginx",
    "envoy-gateway": "envoy_gateway",
    "alb": "aws_alb",
    "agic": "azure_agic",
}
#: What the operator reports of two pods; presets that it cannot see state it in the ChainlitApp.
EXPECTED = {
    **dict.fromkeys(
        ["traefik", "nginx", "nginx-inc", "haproxy", "alb", "agic", "openshift", "contour-httpproxy"], "Sticky"
    ),
    **dict.fromkeys(["kong", "istio", "gke", "kong-httproute", "istio-httproute", "gke-httproute"], "StatedExternal"),
    **dict.fromkeys(["envoy-gateway-httproute", "nginx-gateway-httproute"], "StatedExternal"),
}
READ = [preset for preset in controllers.presets() if preset.kind in kinds.ROUTES]
STICKY = "traefik.ingress.kubernetes.io/service.sticky.cookie"
ATTRIBUTES, TARGET_TYPE = "alb.ingress.kubernetes.io/target-group-attributes", "alb.ingress.kubernetes.io/target-type"
NGINX = "nginx.ingress.kubernetes.io"
BACKEND_CONFIG, CLASS = "cloud.google.com/backend-config", "kubernetes.io/ingress.class"


def class_of(preset: Preset) -> str:
    """The first of the classes by which the chart finds the controller."""
    names = controllers.data()[preset.controller]
    return next(iter(names.get("classes" if preset.kind == "Ingress" else "gatewayClasses", [])), "unknown")


def release(preset: Preset, replicas: int = 2, mode: str = "Controller", **values: Any) -> Rendered:
    """The chart with the operator, the usual class of the controller, and so many pods."""
    route = {**preset.values["route"], "affinity": {"mode": mode}}
    if preset.kind == "Ingress":
        route["className"] = class_of(preset)
    return app({**preset.values, "replicaCount": replicas, "operator": {"enabled": True}, "route": route, **values})


def affinity(made: Rendered, preset: Preset) -> tuple[str, str]:
    """Status and reason of the condition, with the Gateway of the controller."""
    listener = {"name": "web", "port": 80, "protocol": "HTTP"}
    edge = gateway(listener, name="gateway", metadata={"namespace": "infra"}, gatewayClassName=class_of(preset))
    found = conditions([*made.objects, edge], "demo")["SessionAffinity"]
    return found.status, found.reason


def can_several(preset: Preset) -> bool:
    """Whether the chart lets the preset have several pods beside the operator."""
    return "affinity" in preset.facts and not preset.facts["affinity"].get("hidden")


@pytest.mark.parametrize("preset", READ, ids=lambda preset: preset.name)
def test_no_preset_is_without_affinity_to_the_operator(preset: Preset) -> None:
    if can_several(preset):
        assert affinity(release(preset), preset) == ("True", EXPECTED[preset.name])
    else:
        with pytest.raises(Refused, match=r"route\.affinity\.mode to External"):
            release(preset)
    assert affinity(release(preset, 1), preset) == ("True", EXPECTED.get(preset.name, "SinglePod"))
    assert affinity(release(preset, mode="External"), preset) == ("True", "StatedExternal")


def test_every_preset_with_affinity_is_expected() -> None:
    assert EXPECTED.keys() == {preset.name for preset in READ if can_several(preset)}


def test_controllers_are_found_by_the_classes_that_the_operator_knows() -> None:
    """A class of two controllers belongs to that with the usual one of them."""
    for name, file in FILES.items():
        entry, known = controllers.data()[name], registry.CONTROLLERS[file]
        shared = {"nginx"} if name == "nginx-inc" else set()
        assert set(entry.get("classes", ())) == known.classes - shared, name
        if known.affinity is not None:
            assert set(entry.get("gatewayClasses", ())) == known.affinity.gateway_classes, name
    named = [each for entry in controllers.data().values() for each in entry.get("classes", ())]
    assert len(named) == len(set(named))
    assert controllers.data().keys() == FILES.keys() | {"none", "nginx-gateway"}


BY_ANNOTATIONS = [
    p for p in READ if EXPECTED.get(p.name) == "Sticky" and p.name not in ("openshift", "contour-httpproxy")
]


@pytest.mark.parametrize("preset", BY_ANNOTATIONS, ids=lambda preset: preset.name)
def test_the_preset_sets_what_the_operator_looks_for(preset: Preset) -> None:
    """Each setting of the preset is one for its controller, and without it the app is not ready, or unknown."""
    found = release(preset)
    settings = registry.CONTROLLERS[FILES[preset.controller]].affinity
    assert settings is not None
    route = found.one(preset.kind)["metadata"].get("annotations", {})
    service = found.one("Service")["metadata"].get("annotations", {})
    kept = [*settings.on_route(route), *settings.on_service(service)]
    assert Stickiness.KEPT in {each.stickiness for each in kept}
    bare = [_without_annotations(item) for item in found.objects]
    status, _ = affinity(Rendered(tuple(bare)), preset)
    assert status == ("Unknown" if preset.controller == "haproxy" else "False")


def _without_annotations(item: Object) -> Object:
    return {**item, "metadata": {key: value for key, value in item["metadata"].items() if key != "annotations"}}


def routed(controller: str, *, replicas: int = 2, **values: Any) -> Rendered:
    route = {"controller": controller, **values.pop("route", {})}
    return app({"replicaCount": replicas, "route": route, "operator": {"enabled": True}, **values})


def test_an_own_route_with_stated_affinity() -> None:
    made = routed("none", route={"enabled": False, "affinity": {"mode": "External"}})
    assert made.one("ChainlitApp")["spec"]["route"] == {"affinity": "External"}
    assert "route" not in routed("none", replicas=1, route={"enabled": False}).one("ChainlitApp")["spec"]


@pytest.mark.parametrize(
    ("controller", "values", "key"),
    [
        ("traefik", {"service": {"annotations": {STICKY: "false"}}}, f"{STICKY} of service.annotations"),
        ("traefik", {"service": {"annotations": {STICKY: ""}}}, f"{STICKY} of service.annotations"),
        ("nginx", {"route": {"annotations": {"nginx.ingress.kubernetes.io/affinity": ""}}},
         "nginx.ingress.kubernetes.io/affinity of route.annotations"),
        ("nginx-inc", {"route": {"annotations": {"nginx.org/sticky-cookie-services": ""}}},
         "nginx.org/sticky-cookie-services of route.annotations"),
        ("haproxy", {"route": {"annotations": {"haproxy.org/cookie-persistence": "",
                                               "haproxy-ingress.github.io/affinity": ""}}},
         "haproxy.org/cookie-persistence of route.annotations"),
        ("openshift", {"route": {"host": "a.io",
                                 "annotations": {"haproxy.router.openshift.io/disable_cookies": "true"}}},
         "haproxy.router.openshift.io/disable_cookies of route.annotations"),
        ("gke", {"route": {"policy": {"BackendConfig": {"sessionAffinity": {"affinityType": "NONE"}}}}},
         "route.policy.BackendConfig.sessionAffinity.affinityType"),
        ("kong", {"service": {"annotations": {"konghq.com/upstream-policy": "other"}}},
         "konghq.com/upstream-policy of service.annotations"),
        ("alb", {"route": {"annotations": {ATTRIBUTES: "stickiness.enabled=false"}}},
         f"{ATTRIBUTES} of route.annotations"),
        ("alb", {"route": {"annotations": {TARGET_TYPE: "instance"}}}, f"{TARGET_TYPE} of route.annotations"),
        ("gke", {"service": {"annotations": {BACKEND_CONFIG: '{"default": "iap"}'}}},
         f"{BACKEND_CONFIG} of service.annotations"),
        ("agic", {"route": {"annotations": {"appgw.ingress.kubernetes.io/cookie-based-affinity": "false"}}},
         "appgw.ingress.kubernetes.io/cookie-based-affinity of route.annotations"),
    ],
)  # fmt: skip
def test_an_annotation_that_takes_the_affinity_away_is_refused(controller: str, values: Object, key: str) -> None:
    message = f"your value for {key} replaces the setting of route.controller {controller}: remove it, or run one pod"
    with pytest.raises(Refused, match=re.escape(message)):
        routed(controller, **values)
    assert routed(controller, replicas=1, **values).objects
    external = {**values, "route": {**values.get("route", {}), "affinity": {"mode": "External"}}}
    assert routed(controller, **external).one("ChainlitApp")["spec"]["route"]["affinity"] == "External"


def test_an_empty_annotation_takes_that_of_the_preset_away() -> None:
    key = "nginx.ingress.kubernetes.io/proxy-body-size"
    annotations = routed("nginx", route={"annotations": {key: "", "own": ""}}).one("Ingress")["metadata"]["annotations"]
    assert key not in annotations
    assert annotations["own"] == ""


JOINED = [
    # The user's, and what comes out.
    ("alb", "route", ATTRIBUTES, "deregistration_delay.timeout_seconds=30",
     "deregistration_delay.timeout_seconds=30,stickiness.enabled=true,stickiness.type=lb_cookie,"
     "stickiness.lb_cookie.duration_seconds=86400"),
    ("alb", "route", ATTRIBUTES, "stickiness.enabled=true,stickiness.type=app_cookie",
     "stickiness.enabled=true,stickiness.type=app_cookie"),
    ("nginx-inc", "route", "nginx.org/websocket-services", "other", "other,chat-chainlit"),
    ("nginx-inc", "route", "nginx.org/websocket-services", "other, chat-chainlit", "other, chat-chainlit"),
    ("nginx-inc", "route", "nginx.org/sticky-cookie-services", "serviceName=other c path=/",
     "serviceName=other c path=/;serviceName=chat-chainlit demo_chat-chainlit_affinity httponly path=/"),
    ("nginx-inc", "route", "nginx.org/sticky-cookie-services", "serviceName=chat-chainlit c path=/",
     "serviceName=chat-chainlit c path=/"),
    ("gke", "service", BACKEND_CONFIG, '{"ports": {"9000": "iap"}}',
     '{"default":"chat-chainlit","ports":{"9000":"iap"}}'),
    ("gke", "service", "cloud.google.com/neg", '{"exposed_ports": {"80": {}}}',
     '{"exposed_ports":{"80":{}},"ingress":true}'),
    ("gke", "service", "cloud.google.com/neg", "no JSON", "no JSON"),
]  # fmt: skip


@pytest.mark.parametrize(("controller", "of", "key", "given", "joined"), JOINED)
def test_lists_and_maps_in_annotations_are_joined(controller: str, of: str, key: str, given: str, joined: str) -> None:
    values: Object = {of: {"annotations": {key: given}}}
    made = routed(controller, **values)
    item = made.one("Service" if of == "service" else "Ingress")
    assert item["metadata"]["annotations"][key] == joined


def test_no_object_is_made_that_nothing_names() -> None:
    values: Object = {"service": {"annotations": {BACKEND_CONFIG: '{"default": "iap"}'}}}
    external: Object = {"route": {"affinity": {"mode": "External"}}, **values}
    assert not routed("gke", **external).all("BackendConfig")
    assert routed("gke", route={"affinity": {"mode": "External"}}).all("BackendConfig")
    assert not routed("kong", replicas=1, service={"annotations": {"konghq.com/upstream-policy": "x"}}).all(
        "KongUpstreamPolicy"
    )


OWN = [
    # Class, annotations of the route and of the Service, and whether they keep a browser at one pod.
    ("traefik", {}, {STICKY: "true"}, True),
    ("traefik", {}, {STICKY: "1"}, True),
    ("traefik", {STICKY: "true"}, {}, False),
    ("nginx", {f"{NGINX}/affinity": "cookie"}, {}, True),
    ("nginx", {f"{NGINX}/affinity": "none"}, {}, False),
    ("nginx", {f"{NGINX}/upstream-hash-by": "$remote_addr"}, {}, True),
    ("nginx", {f"{NGINX}/upstream-hash-by": "$remote_addr", f"{NGINX}/upstream-hash-by-subset": "true"}, {}, False),
    ("nginx", {f"{NGINX}/upstream-hash-by": "$request_uri"}, {}, False),
    ("traefik", {f"{NGINX}/affinity": "cookie"}, {}, False),
    ("nginx-plus", {"nginx.org/sticky-cookie-services": "serviceName=chat-chainlit c path=/"}, {}, True),
    ("nginx-plus", {"nginx.org/sticky-cookie-services": "serviceName=other c path=/"}, {}, False),
    ("nginx-plus", {"nginx.org/lb-method": "ip_hash"}, {}, True),
    ("haproxy", {"haproxy.org/cookie-persistence": "c"}, {}, True),
    ("haproxy", {}, {"haproxy-ingress.github.io/affinity": "cookie"}, True),
    ("haproxy", {"haproxy.org/load-balance": "source"}, {}, True),
    ("alb", {ATTRIBUTES: "stickiness.enabled=true", TARGET_TYPE: "ip"}, {}, True),
    ("alb", {ATTRIBUTES: "stickiness.enabled=true"}, {}, False),
    ("alb", {ATTRIBUTES: "stickiness.enabled=false", TARGET_TYPE: "ip"}, {}, False),
    ("azure-application-gateway", {"appgw.ingress.kubernetes.io/cookie-based-affinity": "true"}, {}, True),
    ("openshift-default", {"haproxy.router.openshift.io/balance": "source"}, {}, True),
    ("public", {f"{NGINX}/affinity": "cookie"}, {}, True),
    ("public", {}, {STICKY: "true"}, True),
    ("public", {}, {}, False),
]


@pytest.mark.parametrize(("name", "route", "service", "is_kept"), OWN)
def test_annotations_of_the_users_own_count(name: str, route: Object, service: Object, *, is_kept: bool) -> None:
    """Without a preset, chart and operator agree on what keeps a browser at one pod."""
    values: Object = {
        "route": {"className": name, "annotations": route, "host": "a.io"},
        "service": {"annotations": service},
    }
    made = routed("none", replicas=1, **values)
    scaled = [_with_replicas(item) for item in made.objects]
    found = conditions(scaled, "demo")["SessionAffinity"]
    assert (found.status == "True") is is_kept
    if is_kept:
        assert "affinity" not in routed("none", **values).one("ChainlitApp")["spec"]["route"]
    else:
        with pytest.raises(Refused, match="replicaCount is above 1"):
            routed("none", **values)


def _with_replicas(item: Object) -> Object:
    return {**item, "spec": {**item["spec"], "replicas": 2}} if item["kind"] == "Deployment" else item


def test_annotations_of_a_route_that_the_chart_does_not_make_do_not_count() -> None:
    with pytest.raises(Refused, match=r"route\.enabled is false"):
        routed("none", route={"enabled": False, "annotations": {f"{NGINX}/affinity": "cookie"}})
    assert routed("none", route={"enabled": False}, service={"annotations": {STICKY: "true"}}).objects


@pytest.mark.parametrize("name", ["gce", "gce-internal"])
def test_the_class_of_gke_is_an_annotation(name: str) -> None:
    ingress = routed("gke", route={"className": name}).one("Ingress")
    assert ingress["metadata"]["annotations"][CLASS] == name
    assert "ingressClassName" not in ingress["spec"]
    assert "annotations" not in routed("gke").one("Ingress")["metadata"]


def test_another_class_is_none_of_gke() -> None:
    with pytest.raises(Refused, match=r"route\.className nginx is none of GKE, which serves gce and gce-internal only"):
        routed("gke", route={"className": "nginx"})
