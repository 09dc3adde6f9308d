"""The controller of a route: how it is found, and fields of the user's own in what is made for it."""

from __future__ import annotations

from typing import Any

import pytest

from . import controllers
from .rendering import Object, Refused, Rendered, app

GATEWAY = {"parentRefs": [{"name": "gateway", "namespace": "infra"}]}
HTTP_ROUTE: Object = {"kind": "HTTPRoute", "gateway": GATEWAY, "host": "a.example"}
POLICY = "gateway.envoyproxy.io/v1alpha1/BackendTrafficPolicy"

#: Kind of route, class, and the controller.
CLASSES = [
    (kind, name, controller)
    for controller, entry in controllers.data().items()
    for kind, of in (("Ingress", "classes"), ("HTTPRoute", "gatewayClasses"))
    for name in entry.get(of, ())
]


def routed(controller: str = "auto", apis: tuple[str, ...] = (), replicas: int = 1, **route: Any) -> Rendered:
    return app({"replicaCount": replicas, "route": {"controller": controller, **route}}, apis=apis)


def of_kind(kind: str, name: str) -> Object:
    """Values of a route of the kind and class."""
    if kind == "HTTPRoute":
        return {**HTTP_ROUTE, "gateway": {**GATEWAY, "className": name}}
    if "/" in name:
        return {"annotations": {"kubernetes.io/ingress.class": name}, "host": "a.example"}
    return {"className": name, "host": "a.example"}


def kinds_of(controller: str, kind: str) -> tuple[str, ...]:
    """The custom resources that the preset makes, as a cluster lists them."""
    facts = controllers.data()[controller][kind]
    objects: Object = {}
    for part in (facts.get("settings", {}), facts.get("affinity", {})):
        for name, item in part.get("objects", {}).items():
            objects.setdefault(name, item["apiVersion"] if "apiVersion" in item else objects.get(name))
    return tuple(f"{version}/{name}" for name, version in objects.items())


@pytest.mark.parametrize(("kind", "name", "controller"), CLASSES)
def test_auto_finds_the_controller_by_the_class(kind: str, name: str, controller: str) -> None:
    apis = kinds_of(controller, kind)
    mode = "External" if controllers.data()[controller][kind].get("affinity", {}).get("hidden") else "Controller"
    values = {**of_kind(kind, name), "affinity": {"mode": mode}}
    assert routed(apis=apis, **values).objects == routed(controller, **values).objects


def test_auto_is_the_default() -> None:
    assert app({"route": {"className": "nginx"}}).objects == routed(className="nginx").objects


@pytest.mark.parametrize(
    "route",
    [{}, {"className": "public"}, HTTP_ROUTE, of_kind("HTTPRoute", "other"), of_kind("HTTPRoute", "traefik")],
)
def test_auto_sets_nothing_that_may_be_wrong(route: Object) -> None:
    assert routed(**route).objects == routed("none", **route).objects


def test_auto_takes_contour_for_its_own_kind() -> None:
    route: Object = {"kind": "HTTPProxy", "host": "a.example"}
    assert routed(**route).objects == routed("contour", **route).objects


@pytest.mark.parametrize(("route", "name"), [({"host": "a.example"}, "openshift"), ({}, "none")])
def test_auto_takes_the_router_of_openshift_without_a_class(route: Object, name: str) -> None:
    apis = ("route.openshift.io/v1",)
    assert routed(apis=apis, **route).objects == routed(name, **route).objects
    assert routed(apis=apis, className="nginx").objects == routed("nginx", className="nginx").objects


def test_the_operator_cannot_see_the_router_without_a_class() -> None:
    values = {"replicaCount": 2, "operator": {"enabled": True}}
    route: Object = {"host": "a.example", "controller": "openshift"}
    assert app({**values, "route": route}).one("ChainlitApp")["spec"]["route"]["affinity"] == "External"
    route["className"] = "openshift-default"
    assert "affinity" not in app({**values, "route": route}).one("ChainlitApp")["spec"]["route"]


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        (
            "HTTPRoute",
            "eg",
            "auto finds envoy-gateway, but no BackendTrafficPolicy in the cluster, which helm template",
        ),
        ("Ingress", "kong", "auto finds kong, but no KongUpstreamPolicy in the cluster, which helm template"),
        ("HTTPRoute", "traefik", "auto finds traefik, and does not replace the Service behind the HTTPRoute"),
    ],
)
def test_auto_does_not_make_what_the_cluster_does_not_have(kind: str, name: str, message: str) -> None:
    route = of_kind(kind, name)
    assert {item["kind"] for item in routed(**route).objects} == {"ServiceAccount", "Service", "Deployment", kind}
    with pytest.raises(Refused, match=message):
        routed(replicas=2, **route)
    (controller,) = {found for of, each, found in CLASSES if (of, each) == (kind, name)}
    assert routed(controller, replicas=2, **route).objects


# ------------------------------------------------------------------------------------------------ rule and policy


def test_fields_of_the_policy_are_merged() -> None:
    own: Object = {"BackendTrafficPolicy": {"retry": {"numRetries": 2}, "timeout": {"http": {"requestTimeout": "60s"}}}}
    spec = routed("envoy-gateway", replicas=2, policy=own, **HTTP_ROUTE).one("BackendTrafficPolicy")["spec"]
    assert spec["retry"] == {"numRetries": 2}
    assert spec["timeout"] == {"http": {"requestTimeout": "60s"}}
    assert spec["loadBalancer"]["consistentHash"]["type"] == "Cookie"
    assert spec["targetRefs"]
    iap: Object = {"BackendConfig": {"iap": {"enabled": True, "oauthclientCredentials": {"secretName": "iap"}}}}
    config = routed("gke", replicas=2, policy=iap).one("BackendConfig")["spec"]
    assert config["iap"] == iap["BackendConfig"]["iap"]
    assert config["sessionAffinity"]["affinityType"] == "GENERATED_COOKIE"


def test_fields_of_the_rule_are_merged() -> None:
    filters: list[Object] = [{"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["Server"]}}]
    (rule,) = routed("cilium", rule={"filters": filters}, **HTTP_ROUTE).one("HTTPRoute")["spec"]["rules"]
    assert rule["filters"] == filters
    assert rule["timeouts"] == {"request": "0s"}
    own = {"timeoutPolicy": {"response": "5m"}}
    for route in routed(kind="HTTPProxy", rule=own, replicas=2, host="a.b").one("HTTPProxy")["spec"]["routes"]:
        assert route["timeoutPolicy"] == {"response": "5m"}
        assert route["enableWebsockets"] is True


def test_affinity_is_judged_on_the_merged_fields() -> None:
    lost: Object = {"policy": {"BackendTrafficPolicy": {"loadBalancer": {"type": "RoundRobin"}}}}
    with pytest.raises(
        Refused, match=r"your value for route\.policy\.BackendTrafficPolicy\.loadBalancer\.type replaces"
    ):
        routed("envoy-gateway", replicas=2, **HTTP_ROUTE, **lost)
    kept: Object = {"rule": {"sessionPersistence": {"sessionName": "chat"}}}
    assert routed("envoy-gateway", replicas=2, **HTTP_ROUTE, **lost, **kept).objects
    robin: Object = {"policy": {"KongUpstreamPolicy": {"algorithm": "round-robin"}}}
    with pytest.raises(Refused, match=r"value for route\.policy\.KongUpstreamPolicy\.algorithm replaces"):
        routed("kong", replicas=2, **robin)
    with pytest.raises(Refused, match=r"with route\.affinity\.mode External the chart makes no such object"):
        routed("kong", affinity={"mode": "External"}, **robin)
    with pytest.raises(Refused, match=r"value for route\.rule\.loadBalancerPolicy\.strategy replaces"):
        routed(kind="HTTPProxy", replicas=2, rule={"loadBalancerPolicy": {"strategy": "Random"}})
