"""The chart of the operator: what it may do, where, and how it runs."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from prometheus_client import REGISTRY

import chainlit_operator.observability.metrics  # noqa: F401  (registers the metrics)
from chainlit_operator import __version__

from .generated import CHARTS
from .rendering import helm, notes, operator, refusal
from .rights import WITH_CREATION, WITHOUT_CREATION, Rights


def rights(role: dict[str, Any]) -> Rights:
    found: Rights = {}
    for rule in role["rules"]:
        assert rule.keys() == {"apiGroups", "resources", "verbs"}
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                assert (group, resource) not in found
                found[group, resource] = set(rule["verbs"])
                assert len(found[group, resource]) == len(rule["verbs"])
    return found


def test_rights_in_all_namespaces() -> None:
    release = operator()
    role, binding = release.named("ClusterRole", "op-chainlit-operator"), release.one("ClusterRoleBinding")
    assert rights(role) == WITH_CREATION
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": role["metadata"]["name"],
    }
    account = release.one("ServiceAccount")["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account, "namespace": "system"}]
    assert "CHAINLIT_OPERATOR_NAMESPACE" not in release.env()


def test_rights_in_some_namespaces() -> None:
    release = operator({"watchNamespaces": ["team-a", "7"]})
    assert not release.all("ClusterRoleBinding")
    roles, bindings = release.all("Role")[:-2], release.all("RoleBinding")[:-2]
    assert [role["metadata"]["namespace"] for role in roles] == ["team-a", "7"]
    assert [binding["metadata"]["namespace"] for binding in bindings] == ["team-a", "7"]
    account = release.one("ServiceAccount")["metadata"]["name"]
    for role, binding in zip(roles, bindings, strict=True):
        assert rights(role) == WITH_CREATION
        assert binding["roleRef"]["kind"] == "Role"
        assert binding["roleRef"]["name"] == role["metadata"]["name"]
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account, "namespace": "system"}]
    assert release.env()["CHAINLIT_OPERATOR_NAMESPACE"] == "team-a,7"


def test_no_rights_for_kinds_that_are_disabled() -> None:
    release = operator({"disabledKinds": ["HTTPRoute"]})
    groups = {group for group, _ in rights(release.named("ClusterRole", "op-chainlit-operator"))}
    assert "gateway.networking.k8s.io" not in groups and "traefik.io" in groups
    assert release.env()["CHAINLIT_OPERATOR_DISABLE_KIND"] == "HTTPRoute"
    assert "disabledKinds has Gateway, which cannot be disabled; use HTTPProxy, HTTPRoute, " in refusal(
        "chainlit-operator", {"disabledKinds": ["Gateway"]}
    )


def test_right_to_know_the_api_servers_addresses() -> None:
    release = operator({"watchNamespaces": ["team-a"]})
    role, binding = release.all("Role")[1], release.all("RoleBinding")[1]
    assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == "default"
    assert role["metadata"]["name"] == binding["roleRef"]["name"] == "op-chainlit-operator-system"
    assert rights(role) == {("discovery.k8s.io", "endpointslices"): {"list"}}
    assert binding["subjects"] == release.all("RoleBinding")[0]["subjects"]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"watchNamespaces": ["default", "team-a"]},
        {"watchNamespaces": ["team-a"], "verification": {"enabled": False}},
        {"watchNamespaces": ["team-a"], "rbac": {"create": False}},
    ],
)
def test_no_right_in_default_that_is_not_needed(values: dict[str, Any]) -> None:
    names = [role["metadata"]["name"] for role in operator(values).all("Role")]
    assert "op-chainlit-operator-system" not in names


def test_rights_without_creation() -> None:
    found = rights(operator({"creation": {"enabled": False}}).named("ClusterRole", "op-chainlit-operator"))
    assert found == WITHOUT_CREATION


def test_right_to_the_lease() -> None:
    release = operator({"watchNamespaces": ["system"]})
    role, binding = release.all("Role")[-1], release.all("RoleBinding")[-1]
    assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == "system"
    assert role["metadata"]["name"] == binding["roleRef"]["name"] != release.all("Role")[0]["metadata"]["name"]
    assert role["rules"] == [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "resourceNames": [release.env()["CHAINLIT_OPERATOR_LEASE_NAME"]],
            "verbs": ["get", "update"],
        },
    ]
    assert not operator({"leaderElection": {"enabled": False}}).all("Role")


def test_rights_of_users_are_aggregated() -> None:
    roles = {role["metadata"]["name"]: role for role in operator().all("ClusterRole")}
    del roles["op-chainlit-operator"]
    assert roles.keys() == {"op-chainlit-operator-view", "op-chainlit-operator-edit"}
    view, edit = (roles[f"op-chainlit-operator-{name}"] for name in ("view", "edit"))
    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    assert {name for name in view["metadata"]["labels"] if name.startswith(prefix)} == {f"{prefix}view"}
    assert {name for name in edit["metadata"]["labels"] if name.startswith(prefix)} == {
        f"{prefix}edit",
        f"{prefix}admin",
    }
    assert view["rules"][0]["verbs"] == ["get", "list", "watch"]
    assert edit["rules"][0]["verbs"][3:] == ["create", "update", "patch", "delete", "deletecollection"]
    for role in roles.values():
        assert [rule["resources"] for rule in role["rules"]] == [["chainlitapps"], ["chainlitapps/status"]]
        assert role["rules"][1]["verbs"] == ["get"]
    assert len(operator({"rbac": {"aggregate": False}}).all("ClusterRole")) == 1


def test_two_operators_of_one_name_share_nothing_of_the_cluster() -> None:
    """With what the README says of a second one; it would be refused, as what another release has."""

    def names(namespace: str, watched: str, **more: Any) -> set[tuple[str, str]]:
        policies = {"routePolicy": {"enabled": True}}
        objects = operator({"watchNamespaces": [watched], **policies, **more}, namespace=namespace).objects
        return {(item["kind"], item["metadata"]["name"]) for item in objects if "namespace" not in item["metadata"]}

    first, second = names("one", "a"), names("two", "b", crds={"enabled": False}, rbac={"aggregate": False})
    assert second and first.isdisjoint(second)
    assert {shared[0] for shared in first & names("two", "b")} == {"CustomResourceDefinition", "ClusterRole"}


def test_rights_can_be_left_to_others() -> None:
    release = operator({"rbac": {"create": False}})
    assert {item["kind"] for item in release.objects} == {
        "CustomResourceDefinition",
        "Deployment",
        "Service",
        "ServiceAccount",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    }


def test_policies_are_for_this_account_and_for_no_other() -> None:
    release = operator({"serviceAccount": {"name": "robot"}})
    policies = release.all("ValidatingAdmissionPolicy")
    assert [policy["metadata"]["name"] for policy in policies] == [
        "op-chainlit-operator.system.adopted",
        "op-chainlit-operator.system.created",
    ]
    for policy in policies:
        who = policy["spec"]["matchConditions"][0]
        assert who["expression"] == "request.userInfo.username == 'system:serviceaccount:system:robot'"
        assert policy["spec"]["failurePolicy"] == "Fail"
        binding = release.named("ValidatingAdmissionPolicyBinding", policy["metadata"]["name"])
        assert binding["spec"] == {"policyName": policy["metadata"]["name"], "validationActions": ["Deny"]}
    audited = operator({"admissionPolicy": {"validationActions": ["Audit", "Warn"]}})
    for binding in audited.all("ValidatingAdmissionPolicyBinding"):
        assert binding["spec"]["validationActions"] == ["Audit", "Warn"]
    assert not operator({"admissionPolicy": {"enabled": False}}).all("ValidatingAdmissionPolicy")


@pytest.mark.parametrize("policy", ["admissionPolicy", "routePolicy"])
def test_actions_of_policies_that_exclude_each_other(policy: str) -> None:
    message = refusal("chainlit-operator", {policy: {"validationActions": ["Deny", "Warn"]}})
    assert f"{policy}.validationActions: Deny and Warn exclude each other" in message


def test_policy_on_routes_asks_the_apps_of_the_namespace() -> None:
    name = "op-chainlit-operator.system.routes"
    assert name not in {policy["metadata"]["name"] for policy in operator().all("ValidatingAdmissionPolicy")}
    release = operator({"routePolicy": {"enabled": True, "validationActions": ["Warn"]}})
    policy = release.named("ValidatingAdmissionPolicy", name)["spec"]
    assert policy["failurePolicy"] == "Ignore"
    assert policy["paramKind"] == {"apiVersion": "chainlit-operator.dev/v1alpha1", "kind": "ChainlitApp"}
    assert release.named("ValidatingAdmissionPolicyBinding", name)["spec"] == {
        "policyName": name,
        "paramRef": {"selector": {}, "parameterNotFoundAction": "Allow"},
        "validationActions": ["Warn"],
    }


KIND = "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"


@pytest.mark.parametrize(
    ("options", "is_there"),
    [
        (("--kube-version=1.30.0",), True),
        # What a real cluster says of itself counts more than its version.
        (("--kube-version=1.35.0", "--api-versions=v1/Pod"), False),
        (("--kube-version=1.35.0", "--api-versions=v1/Pod", f"--api-versions={KIND}"), True),
    ],
)
def test_policies_where_the_api_server_has_them(options: tuple[str, ...], *, is_there: bool) -> None:
    text = helm("template", "op", str(CHARTS / "chainlit-operator"), *options)
    assert ("kind: ValidatingAdmissionPolicy\n" in text) is is_there


def test_settings() -> None:
    assert operator().env() == {
        "CHAINLIT_OPERATOR_LOG_LEVEL": "info",
        "CHAINLIT_OPERATOR_LOG_FORMAT": "json",
        "CHAINLIT_OPERATOR_LISTEN": ":8080",
        "CHAINLIT_OPERATOR_CONCURRENCY": "16",
        "CHAINLIT_OPERATOR_VERIFICATION": "true",
        "CHAINLIT_OPERATOR_VERIFICATION_CONCURRENCY": "32",
        "CHAINLIT_OPERATOR_VERIFICATIONS_PER_SECOND": "15",
        "CHAINLIT_OPERATOR_LEADER_ELECTION": "true",
        "CHAINLIT_OPERATOR_LEASE_NAME": "op-chainlit-operator",
        "CHAINLIT_OPERATOR_LEASE_NAMESPACE": "system",
        "CHAINLIT_OPERATOR_LEASE_DURATION": "15",
        "CHAINLIT_OPERATOR_IDENTITY": {
            "name": "CHAINLIT_OPERATOR_IDENTITY",
            "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}},
        },
    }
    env = operator(
        {
            "log": {"level": "debug", "format": "text"},
            "concurrency": 2,
            "verification": {"enabled": False, "concurrency": 3, "perSecond": 2.5},
            "leaderElection": {"enabled": False},
            "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy"}],
        }
    ).env()
    assert env == {
        "CHAINLIT_OPERATOR_LOG_LEVEL": "debug",
        "CHAINLIT_OPERATOR_LOG_FORMAT": "text",
        "CHAINLIT_OPERATOR_LISTEN": ":8080",
        "CHAINLIT_OPERATOR_CONCURRENCY": "2",
        "CHAINLIT_OPERATOR_VERIFICATION": "false",
        "CHAINLIT_OPERATOR_VERIFICATION_CONCURRENCY": "3",
        "CHAINLIT_OPERATOR_VERIFICATIONS_PER_SECOND": "2.5",
        "HTTPS_PROXY": "http://proxy",
    }


def test_authorities_for_the_edge() -> None:
    release = operator({"verification": {"caConfigMap": "company", "caKey": "roots.pem"}})
    spec = release.one("Deployment")["spec"]["template"]["spec"]
    assert {"name": "authorities", "configMap": {"name": "company"}} in spec["volumes"]
    mount = next(m for m in release.container()["volumeMounts"] if m["name"] == "authorities")
    assert mount["readOnly"] and "subPath" not in mount, "a file of its own would not follow the ConfigMap"
    assert release.env()["CHAINLIT_OPERATOR_CA_FILE"] == f"{mount['mountPath']}/roots.pem"


def test_one_works_at_a_time() -> None:
    spec = operator({"replicaCount": 2}).one("Deployment")["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    spec = operator({"leaderElection": {"enabled": False}}).one("Deployment")["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}
    assert "leaderElection.enabled" in refusal(
        "chainlit-operator", {"replicaCount": 2, "leaderElection": {"enabled": False}}
    )


def test_container() -> None:
    container = operator({"extraArgs": ["--more"]}).container()
    assert container["image"] == f"chainlit-operator:{__version__}"
    assert container["args"] == ["run", "--more"]
    assert container["ports"] == [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]


def test_disruption_budget_only_for_several_replicas() -> None:
    assert not operator().all("PodDisruptionBudget")
    spec = operator({"replicaCount": 2}).one("PodDisruptionBudget")["spec"]
    assert spec["maxUnavailable"] == 1
    assert spec["selector"] == operator().one("Deployment")["spec"]["selector"]
    assert not operator({"replicaCount": 2, "podDisruptionBudget": {"enabled": False}}).all("PodDisruptionBudget")


def test_replicas_are_spread() -> None:
    assert "topologySpreadConstraints" not in operator().pod()["spec"]
    (constraint,) = operator({"replicaCount": 2}).pod()["spec"]["topologySpreadConstraints"]
    assert (constraint["topologyKey"], constraint["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "ScheduleAnyway")
    own = [{"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}]
    pod = operator({"replicaCount": 2, "topologySpreadConstraints": own}).pod()
    selector = operator().one("Deployment")["spec"]["selector"]
    assert pod["spec"]["topologySpreadConstraints"] == [{**own[0], "labelSelector": selector}]
    selected = [{**own[0], "labelSelector": {}}]
    pod = operator({"topologySpreadConstraints": selected}).pod()
    assert pod["spec"]["topologySpreadConstraints"] == selected


def test_network_policy() -> None:
    assert not operator().all("NetworkPolicy")
    spec = operator({"networkPolicy": {"enabled": True}}).one("NetworkPolicy")["spec"]
    assert spec["policyTypes"] == ["Ingress"]
    assert spec["podSelector"] == operator().one("Deployment")["spec"]["selector"]
    assert spec["ingress"] == [{"ports": [{"port": "http", "protocol": "TCP"}]}]
    peers: list[dict[str, Any]] = [{"podSelector": {}}]
    egress = [{"to": peers}]
    given = {"networkPolicy": {"enabled": True, "metricsFrom": peers, "egress": egress}}
    spec = operator(given).one("NetworkPolicy")["spec"]
    assert (spec["policyTypes"], spec["ingress"][0]["from"], spec["egress"]) == (["Ingress", "Egress"], peers, egress)


def test_monitoring_knows_only_metrics_that_there_are() -> None:
    release = operator(
        {
            "metrics": {
                "serviceMonitor": {"enabled": True, "labels": {"release": "p"}},
                "prometheusRule": {"enabled": True, "rules": [{"alert": "Mine", "expr": "1"}]},
                "dashboard": {"enabled": True},
            }
        }
    )
    monitor, service = release.one("ServiceMonitor"), release.one("Service")
    assert monitor["metadata"]["labels"]["release"] == "p"
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]
    (group,) = release.one("PrometheusRule")["spec"]["groups"]
    assert [rule["alert"] for rule in group["rules"]] == [
        "ChainlitOperatorDown",
        "ChainlitOperatorWithoutLeader",
        "ChainlitOperatorCannotWrite",
        "ChainlitAppNotReady",
        "Mine",
    ]
    dashboard = release.one("ConfigMap")
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    panels = json.loads(dashboard["data"]["chainlit-operator.json"])["panels"]
    expressions = [rule["expr"] for rule in group["rules"]] + [t["expr"] for p in panels for t in p["targets"]]
    used = {name for text in expressions for name in re.findall(r"chainlit_operator_\w+", text)}
    assert used <= {f"{family.name}{suffix}" for family in REGISTRY.collect() for suffix in ("", "_total", "_bucket")}


def test_metrics_service() -> None:
    service = operator({"metrics": {"service": {"port": 9090, "labels": {"a": "b"}, "annotations": {"c": "d"}}}}).one(
        "Service"
    )
    assert service["metadata"]["name"] == "op-chainlit-operator-metrics"
    assert service["metadata"]["labels"]["a"] == "b"
    assert service["metadata"]["annotations"] == {"c": "d"}
    assert [port["port"] for port in service["spec"]["ports"]] == [9090]
    assert not operator({"metrics": {"service": {"enabled": False}}}).all("Service")


def test_notes() -> None:
    text = notes("chainlit-operator", {})
    assert "watches all namespaces" in text
    assert "deployment/chat-chainlit-operator" in text
    assert "crds.enabled" not in text
    text = notes("chainlit-operator", {"watchNamespaces": ["a", "b"], "crds": {"enabled": False}})
    assert "the namespaces a, b" in text
    assert "crds.enabled is false" in text
