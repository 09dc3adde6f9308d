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

#: The usual class of the routes of each preset, and the file that has the facts about its controller.
CLASSES = {
    "traefik": ("traefik", "traefik"),
    "nginx": ("nginx", "ingress_nginx"),
    "nginx-inc": ("nginx", "f5_nginx"),
    "haproxy": ("haproxy", "haproxy"),
    "contour": ("contour", "contour"),
    "kong": ("kong", "kong"),
    "istio": ("istio", "istio"),
    "envoy-gateway": ("eg", "envoy_gateway"),
    "alb": ("alb", "aws_alb"),
    "gke": ("gce", "gke"),
    "agic": ("azure-application-gateway", "azure_agic"),
    "none": ("unknown", ""),
}
#: What the operator reports of two pods; presets that it cannot see state it in the ChainlitApp.
EXPECTED = {
    **dict.fromkeys(["traefik", "nginx", "nginx-inc", "haproxy", "alb", "agic"], "Sticky"),
    **dict.fromkeys(["kong", "istio", "gke", "kong-httproute", "istio-httproute", "gke-httproute"], "StatedExternal"),
    "envoy-gateway-httproute": "StatedExternal",
}
READ = [preset for preset in controllers.presets() if preset.kind in kinds.ROUTES]
STICKY = "traefik.ingress.kubernetes.io/service.sticky.cookie"
ATTRIBUTES, TARGET_TYPE = "alb.ingress.kubernetes.io/target-group-attributes", "alb.ingress.kubernetes.io/target-type"
BACKEND_CONFIG, CLASS = "cloud.google.com/backend-config", "kubernetes.io/ingress.class"


def release(preset: Preset, replicas: int = 2, mode: str = "Controller", **values: Any) -> Rendered:
    """The chart with the operator, the usual class of the controller, and so many pods."""
    route = {**preset.values["route"], "affinity": {"mode": mode}}
    if preset.kind == "Ingress":
        route["className"] = CLASSES[preset.controller][0]
    return app({**preset.values, "replicaCount": replicas, "operator": {"enabled": True}, "route": route, **values})


def affinity(made: Rendered, preset: Preset) -> tuple[str, str]:
    """Status and reason of the condition, with the Gateway of the controller."""
    listener = {"name": "web", "port": 80, "protocol": "HTTP"}
    name = "gke-l7-rilb" if preset.controller == "gke" else CLASSES[preset.controller][0]
    edge = gateway(listener, name="gateway", metadata={"namespace": "infra"}, gatewayClassName=name)
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


@pytest.mark.parametrize("preset", [p for p in READ if EXPECTED.get(p.name) == "Sticky"], ids=lambda p: p.name)
def test_the_preset_sets_what_the_operator_looks_for(preset: Preset) -> None:
    """Each setting of the preset is one for its controller, and without it the app is not ready, or unknown."""
    found = release(preset)
    settings = registry.CONTROLLERS[CLASSES[preset.controller][1]].affinity
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
        ("nginx-inc", {"route": {"annotations": {"nginx.org/sticky-cookie-services": "serviceName=other c"}}},
         "nginx.org/sticky-cookie-services of route.annotations"),
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


def test_attributes_of_a_target_group_are_joined() -> None:
    values = {"annotations": {ATTRIBUTES: "deregistration_delay.timeout_seconds=30"}}
    annotations = routed("alb", route=values).one("Ingress")["metadata"]["annotations"]
    assert annotations[ATTRIBUTES] == (
        "deregistration_delay.timeout_seconds=30,stickiness.enabled=true,stickiness.type=lb_cookie,"
        "stickiness.lb_cookie.duration_seconds=86400"
    )
    own = {"annotations": {ATTRIBUTES: "stickiness.enabled=true,stickiness.type=app_cookie"}}
    annotations = routed("alb", route=own).one("Ingress")["metadata"]["annotations"]
    assert annotations[ATTRIBUTES] == "stickiness.enabled=true,stickiness.type=app_cookie"


@pytest.mark.parametrize("name", ["gce", "gce-internal"])
def test_the_class_of_gke_is_an_annotation(name: str) -> None:
    ingress = routed("gke", route={"className": name}).one("Ingress")
    assert ingress["metadata"]["annotations"][CLASS] == name
    assert "ingressClassName" not in ingress["spec"]
    assert "annotations" not in routed("gke").one("Ingress")["metadata"]


def test_another_class_is_none_of_gke() -> None:
    with pytest.raises(Refused, match=r"route\.className nginx is none of GKE, which serves gce and gce-internal only"):
        routed("gke", route={"className": "nginx"})
