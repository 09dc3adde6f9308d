"""The chart of the operator: what it may do, where, and how it runs."""

from __future__ import annotations

from typing import Any

import pytest

from .rendering import notes, operator, refusal

WHOLE = ["list", "watch", "create", "patch", "delete"]

#: All that the operator may do. A right more or a right less is a decision, and this is where it is made.
RIGHTS = {
    ("chainlit-operator.dev", "chainlitapps"): ["list", "watch"],
    ("chainlit-operator.dev", "chainlitapps/status"): ["patch"],
    ("gateway.networking.k8s.io", "gateways"): ["list", "watch"],
    ("traefik.io", "middlewares"): ["list", "watch"],
    ("apps", "statefulsets"): ["list", "watch", "patch"],
    ("apps", "deployments"): WHOLE,
    ("networking.k8s.io", "ingresses"): WHOLE,
    ("gateway.networking.k8s.io", "httproutes"): WHOLE,
    ("", "services"): WHOLE,
    ("", "serviceaccounts"): WHOLE,
    ("", "events"): ["create"],
}


def rights(role: dict[str, Any]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for rule in role["rules"]:
        assert rule.keys() == {"apiGroups", "resources", "verbs"}
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                assert (group, resource) not in found
                found[group, resource] = rule["verbs"]
    return found


def test_rights_in_all_namespaces() -> None:
    release = operator()
    role, binding = release.one("ClusterRole"), release.one("ClusterRoleBinding")
    assert rights(role) == RIGHTS
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
    assert not release.all("ClusterRole") + release.all("ClusterRoleBinding")
    roles, bindings = release.all("Role")[:-1], release.all("RoleBinding")[:-1]
    assert [role["metadata"]["namespace"] for role in roles] == ["team-a", "7"]
    assert [binding["metadata"]["namespace"] for binding in bindings] == ["team-a", "7"]
    account = release.one("ServiceAccount")["metadata"]["name"]
    for role, binding in zip(roles, bindings, strict=True):
        assert rights(role) == RIGHTS
        assert binding["roleRef"]["kind"] == "Role"
        assert binding["roleRef"]["name"] == role["metadata"]["name"]
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account, "namespace": "system"}]
    assert release.env()["CHAINLIT_OPERATOR_NAMESPACE"] == "team-a,7"


def test_rights_without_creation() -> None:
    found = rights(operator({"creation": {"enabled": False}}).one("ClusterRole"))
    reading = {key: ["list", "watch"] for key, verbs in RIGHTS.items() if verbs == WHOLE}
    assert found == RIGHTS | reading | {("apps", "deployments"): ["list", "watch", "patch"]}


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


def test_rights_can_be_left_to_others() -> None:
    release = operator({"rbac": {"create": False}})
    assert {item["kind"] for item in release.objects} == {
        "CustomResourceDefinition",
        "Deployment",
        "Service",
        "ServiceAccount",
    }


def test_settings() -> None:
    assert operator().env() == {
        "CHAINLIT_OPERATOR_LOG_LEVEL": "info",
        "CHAINLIT_OPERATOR_LOG_FORMAT": "json",
        "CHAINLIT_OPERATOR_LISTEN": "0.0.0.0:8080",
        "CHAINLIT_OPERATOR_CONCURRENCY": "8",
        "CHAINLIT_OPERATOR_VERIFICATION": "true",
        "CHAINLIT_OPERATOR_VERIFICATION_CONCURRENCY": "8",
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
            "verification": {"enabled": False, "concurrency": 3},
            "leaderElection": {"enabled": False},
            "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy"}],
        }
    ).env()
    assert env == {
        "CHAINLIT_OPERATOR_LOG_LEVEL": "debug",
        "CHAINLIT_OPERATOR_LOG_FORMAT": "text",
        "CHAINLIT_OPERATOR_LISTEN": "0.0.0.0:8080",
        "CHAINLIT_OPERATOR_CONCURRENCY": "2",
        "CHAINLIT_OPERATOR_VERIFICATION": "false",
        "CHAINLIT_OPERATOR_VERIFICATION_CONCURRENCY": "3",
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
    assert container["image"] == "chainlit-operator:0.1.0"
    assert container["args"] == ["run", "--more"]
    assert container["ports"] == [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]


def test_metrics_service() -> None:
    service = operator({"metrics": {"service": {"port": 9090, "labels": {"a": "b"}, "annotations": {"c": "d"}}}}).one(
        "Service"
    )
    assert service["metadata"]["name"] == "op-chainlit-operator-metrics"
    assert service["metadata"]["labels"]["a"] == "b"
    assert service["metadata"]["annotations"] == {"c": "d"}
    assert [port["port"] for port in service["spec"]["ports"]] == [9090]
    assert not operator({"metrics": {"service": {"enabled": False}}}).all("Service")


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"watchNamespace": ["a"]}, "watchNamespace"),
        ({"watchNamespaces": "a"}, "/watchNamespaces"),
        ({"watchNamespaces": ["a", "a"]}, "/watchNamespaces"),
        ({"watchNamespaces": ["*"]}, "/watchNamespaces/0"),
        ({"replicas": 2}, "replicas"),
        ({"replicaCount": -1}, "/replicaCount"),
        ({"leaderElection": {"leaseDurationSeconds": 1}}, "/leaderElection/leaseDurationSeconds"),
        ({"log": {"level": "loud"}}, "/log/level"),
        ({"log": {"file": "x"}}, "file"),
        ({"concurrency": 0}, "/concurrency"),
        ({"verification": {"enabled": "no"}}, "/verification/enabled"),
        ({"verification": {"caKey": "../key"}}, "/verification/caKey"),
        ({"image": {"repository": ""}}, "/image/repository"),
        ({"image": {"repository": "a:b"}}, "/image/repository"),
        ({"image": {"digest": "sha256:1"}}, "/image/digest"),
        ({"metrics": {"service": {"port": 0}}}, "/metrics/service/port"),
        ({"creation": {"enabled": "no"}}, "/creation/enabled"),
        ({"crds": {"enabled": 1}}, "/crds/enabled"),
        ({"livenessProbe": {"path": "/x"}}, "path"),
    ],
)
def test_refused_by_the_schema(values: dict[str, Any], key: str) -> None:
    message = refusal("chainlit-operator", values)
    assert "schema" in message
    assert f"'{key}'" in message


def test_notes() -> None:
    text = notes("chainlit-operator", {})
    assert "watches all namespaces" in text
    assert "deployment/chat-chainlit-operator" in text
    assert "crds.enabled" not in text
    text = notes("chainlit-operator", {"watchNamespaces": ["a", "b"], "crds": {"enabled": False}})
    assert "the namespaces a, b" in text
    assert "crds.enabled is false" in text
