"""How an app is run: how many pods, where, who reaches them, and how they end."""

from __future__ import annotations

from typing import Any

import pytest

from .rendering import Object, app, refusal

IMAGE = {"image": {"repository": "example/chat"}}
SEVERAL: Object = {"replicaCount": 2, "route": {"controller": "traefik"}}
SCALED: Object = {"autoscaling": {"enabled": True}, "route": {"controller": "traefik"}}
TRAEFIK = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "traefik"}}}


def test_nothing_of_it_by_default() -> None:
    release = app()
    kinds = {item["kind"] for item in release.objects if "annotations" not in item["metadata"]}  # those are hooks
    assert kinds == {"Deployment", "Service", "ServiceAccount", "Ingress"}
    assert release.one("Deployment")["spec"]["replicas"] == 1


def test_autoscaler_sets_the_replicas() -> None:
    release = app(SCALED)
    deployment = release.one("Deployment")
    assert "replicas" not in deployment["spec"]
    spec = release.one("HorizontalPodAutoscaler")["spec"]
    assert spec["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": deployment["metadata"]["name"],
    }
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 5)
    assert spec["metrics"] == [
        {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}
    ]
    # Downwards slowly: with a pod, its conversations end.
    assert spec["behavior"]["scaleDown"] == {
        "stabilizationWindowSeconds": 600,
        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 300}],
    }


def test_other_metrics() -> None:
    metric = {"type": "Pods", "pods": {"metric": {"name": "chats"}, "target": {"type": "Value", "averageValue": "30"}}}
    given = {
        "targetCPUUtilizationPercentage": None,
        "targetMemoryUtilizationPercentage": 80,
        "metrics": [metric],
        "behavior": {"scaleUp": {"stabilizationWindowSeconds": 30}},
    }
    spec = app({**SCALED, "autoscaling": {"enabled": True, **given}}).one("HorizontalPodAutoscaler")["spec"]
    memory = {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 80}}
    assert spec["metrics"] == [{"type": "Resource", "resource": memory}, metric]
    assert spec["behavior"].keys() == {"scaleDown", "scaleUp"}


@pytest.mark.parametrize("values", [SEVERAL, SCALED])
def test_budget_where_there_may_be_several_pods(values: Object) -> None:
    release = app(values)
    assert release.one("PodDisruptionBudget")["spec"] == {
        "selector": release.one("Deployment")["spec"]["selector"],
        "maxUnavailable": 1,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    assert not app({**values, "podDisruptionBudget": {"enabled": False}}).all("PodDisruptionBudget")


@pytest.mark.parametrize(
    ("given", "spec"),
    [
        ({"minAvailable": "50%"}, {"minAvailable": "50%"}),
        ({"minAvailable": 0}, {"minAvailable": 0}),
        ({"maxUnavailable": "25%"}, {"maxUnavailable": "25%"}),
        ({"maxUnavailable": 0}, {"maxUnavailable": 0}),
        ({"minAvailable": None}, {"maxUnavailable": 1}),
        ({"minAvailable": 1, "maxUnavailable": None}, {"minAvailable": 1}),
    ],
)
def test_budget_of_ones_own(given: Object, spec: Object) -> None:
    budget = app({**SEVERAL, "podDisruptionBudget": {**given, "unhealthyPodEvictionPolicy": ""}})
    found = budget.one("PodDisruptionBudget")["spec"]
    found = {key: value for key, value in found.items() if key != "selector"}
    assert found == spec


def test_no_budget_for_one_pod() -> None:
    """It would say nothing, or stand in the way of every drain."""
    assert not app().all("PodDisruptionBudget")
    assert not app({"autoscaling": {"enabled": True, "minReplicas": 1, "maxReplicas": 1}}).all("PodDisruptionBudget")


def test_pods_are_spread_over_nodes() -> None:
    release = app()
    selector = release.one("Deployment")["spec"]["selector"]
    assert release.pod()["spec"]["topologySpreadConstraints"] == [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "matchLabelKeys": ["pod-template-hash"],
            "labelSelector": selector,
        }
    ]
    zone = {"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    others = {**zone, "labelSelector": {"matchLabels": {"app": "x"}}}
    found = app({"topologySpreadConstraints": [zone, others]}).pod()["spec"]["topologySpreadConstraints"]
    assert found == [{**zone, "labelSelector": selector}, others]


def test_pod_goes_on_until_edges_have_heard_that_it_ends() -> None:
    """Without a shell in the image, and with time left for browsers that poll."""
    release = app()
    assert release.container()["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
    assert release.pod()["spec"]["terminationGracePeriodSeconds"] >= 5 + 25
    hook = {"exec": {"command": ["true"]}}
    assert app({"lifecycle": {"preStop": {"sleep": None, **hook}}}).container()["lifecycle"] == {"preStop": hook}
    assert "lifecycle" not in app({"lifecycle": {"preStop": None}}).container()


def policy(values: Object) -> Any:
    release = app(values)
    spec = release.one("NetworkPolicy")["spec"]
    assert spec["podSelector"] == release.one("Deployment")["spec"]["selector"]
    (rule,) = spec["ingress"]
    assert rule["ports"] == [{"port": release.container()["ports"][0]["name"], "protocol": "TCP"}]
    return spec, rule.get("from")


def test_network_policy_keeps_nobody_out_of_the_app_alone() -> None:
    spec, peers = policy({"networkPolicy": {"enabled": True}})
    assert peers is None
    assert spec["policyTypes"] == ["Ingress"]
    assert "egress" not in spec


@pytest.mark.parametrize("operator", [True, False])
def test_network_policy_for_the_controller_alone(*, operator: bool) -> None:
    given = {"enabled": True, "from": [TRAEFIK]}
    _, peers = policy({"networkPolicy": given, "operator": {"enabled": operator}})
    own = {"podSelector": {"matchLabels": {"app.kubernetes.io/instance": "chat"}}}
    labels = [{f"app.kubernetes.io/{label}": "chainlit-operator"} for label in ("name", "part-of")]
    probers = [{"namespaceSelector": {}, "podSelector": {"matchLabels": found}} for found in labels]
    assert peers == [TRAEFIK, own, *(probers if operator else [])]


def test_network_policy_for_an_operator_elsewhere() -> None:
    elsewhere = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ops"}}}
    given = {"enabled": True, "from": [TRAEFIK], "operatorFrom": [elsewhere]}
    _, peers = policy({"networkPolicy": given, "operator": {"enabled": True}})
    assert peers[2:] == [elsewhere]


def test_egress() -> None:
    rule = {"to": [TRAEFIK]}
    spec, _ = policy({"networkPolicy": {"enabled": True, "egress": [rule]}})
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["egress"] == [rule]


def test_more_fields_of_the_pod() -> None:
    more = {"runtimeClassName": "gvisor", "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}], "dnsPolicy": "None"}
    assert app({"extraPodSpec": more}).pod()["spec"].items() >= more.items()


@pytest.mark.parametrize(
    "values",
    [
        {"terminationGracePeriodSeconds": 5},
        {"terminationGracePeriodSeconds": 1, "lifecycle": {"preStop": None}},
        {"terminationGracePeriodSeconds": 1, "lifecycle": None},
    ],
)
def test_short_grace_that_leaves_time_to_drain(values: Object) -> None:
    assert app(values).pod()["spec"]["terminationGracePeriodSeconds"] == values["terminationGracePeriodSeconds"]


def test_more_objects() -> None:
    name = "{{ .Release.Name }}-more"
    text = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n"
    service = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}}
    release = app({"extraObjects": [service, text]})
    assert release.one("PersistentVolumeClaim")["metadata"]["name"] == "chat-more"
    assert release.one("Secret")["metadata"]["name"] == "chat-more"


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        pytest.param(
            {**SCALED, "autoscaling": {"enabled": True, "minReplicas": 9}},
            ["autoscaling.minReplicas 9", "autoscaling.maxReplicas 5", "lower"],
            id="more-than-most",
        ),
        pytest.param(
            {**SCALED, "autoscaling": {"enabled": True, "targetCPUUtilizationPercentage": None}},
            ["autoscaling.enabled", "set autoscaling.targetCPUUtilizationPercentage"],
            id="nothing-to-go-by",
        ),
        pytest.param(
            {**SEVERAL, "podDisruptionBudget": {"maxUnavailable": None}},
            ["podDisruptionBudget.enabled", "set podDisruptionBudget.maxUnavailable"],
            id="no-budget",
        ),
        pytest.param({"autoscaling": {"enabled": True}}, ["autoscaling.maxReplicas", "route.controller"], id="sticky"),
        pytest.param(
            {"terminationGracePeriodSeconds": 4},
            ["terminationGracePeriodSeconds 4", "lifecycle.preStop.sleep.seconds 5", "raise"],
            id="no-time-to-drain",
        ),
        pytest.param(
            {"extraPodSpec": {"containers": []}}, ["extraPodSpec has containers", "use extraContainers"], id="pods"
        ),
        pytest.param(
            {"extraPodSpec": {"tolerations": []}}, ["extraPodSpec has tolerations", "use tolerations"], id="where"
        ),
        pytest.param({"extraPodSpec": {"enableServiceLinks": True}}, ["ServiceLinks", "CHAINLIT_PORT"], id="links"),
    ],
)
def test_refused_with_the_remedy(values: Object, parts: list[str]) -> None:
    (line,) = [line for line in refusal("chainlit", {**IMAGE, **values}).splitlines() if "execution error" in line]
    for part in parts:
        assert part in line


def test_no_field_of_the_pod_comes_twice() -> None:
    """Whatever the chart sets is refused in extraPodSpec."""
    secrets = [{"name": "pull"}]
    everything = {"imagePullSecrets": secrets, "priorityClassName": "high", "nodeSelector": {"a": "b"}}
    everything |= {"tolerations": [{"operator": "Exists"}], "affinity": {"podAntiAffinity": {}}}
    everything |= {"initContainers": [{"name": "x", "image": "x"}]}
    for field in app(everything).pod()["spec"]:
        assert f"extraPodSpec has {field}" in refusal("chainlit", {**IMAGE, "extraPodSpec": {field: None}})
