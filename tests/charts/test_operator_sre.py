"""What a platform team expects: registries, OpenShift, monitoring, and policies that a tool can compare."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chainlit_operator import __version__
from tests.bench.controlplane import DRIVER, ControlPlane
from tests.cluster import tools
from tests.cluster.console import run

from .generated import CHARTS
from .rendering import Object, Rendered, app, helm, load, load_all, operator, refusal, render
from .test_nulls import EVERYTHING

Render = Callable[..., Rendered]
MONITOR = CHARTS.parent / "docs/how-to/monitor.md"
IDS = ("runAsUser", "runAsGroup", "fsGroup")


def on_openshift(chart: str, *options: str) -> list[Object]:
    """Return the security contexts of all pods of a release on OpenShift."""
    given = ("--set", "image.repository=example/chat", "--api-versions", "security.openshift.io/v1", *options)
    objects = load_all(helm("template", "x", str(CHARTS / chart), *given))
    specs = [item["spec"]["template"]["spec"] for item in objects if item["kind"] == "Deployment"]
    specs += [item["spec"] for item in objects if item["kind"] == "Pod"]
    return [spec["securityContext"] for spec in specs]


@pytest.mark.parametrize("chart", ["chainlit", "chainlit-operator"])
def test_openshift_chooses_the_user(chart: str) -> None:
    for context in on_openshift(chart):
        assert not set(IDS) & context.keys()
        assert context["runAsNonRoot"] is True and context["seccompProfile"] == {"type": "RuntimeDefault"}
    for context in on_openshift(chart, "--set", "podSecurityContext.runAsUser=7"):
        assert context["runAsUser"] == 7, "what the user chose stays"


@pytest.mark.parametrize("rendered", [app, operator])
def test_elsewhere_the_chart_chooses_the_user(rendered: Render) -> None:
    assert rendered().pod()["spec"]["securityContext"]["runAsUser"] > 0


@pytest.mark.parametrize("rendered", [app, operator])
@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("chat", "r.io/chat:1"),
        ("team/chat", "r.io/team/chat:1"),
        ("docker.io/team/chat", "r.io/team/chat:1"),
        ("localhost/chat", "r.io/chat:1"),
        ("registry:5000/team/chat", "r.io/team/chat:1"),
    ],
)
def test_a_registry_of_the_parent_chart_wins(rendered: Render, repository: str, expected: str) -> None:
    values = {"image": {"repository": repository, "tag": "1"}, "global": {"imageRegistry": "r.io"}}
    assert rendered(values).container()["image"] == expected


def test_the_registry_is_also_that_of_the_test() -> None:
    test = {"image": {"repository": "chainlit-operator"}}
    pods = app({"tests": test, "global": {"imageRegistry": "r.io/mirror/", "imagePullSecrets": ["a"]}}).all("Pod")
    assert [pod["spec"]["containers"][0]["image"].partition(":")[0] for pod in pods] == [
        "r.io/mirror/chainlit-operator"
    ]
    assert [pod["spec"]["imagePullSecrets"] for pod in pods] == [[{"name": "a"}]]


@pytest.mark.parametrize("rendered", [app, operator])
def test_pull_secrets_are_names_or_references(rendered: Render) -> None:
    values = {"imagePullSecrets": ["a", {"name": "b"}], "global": {"imagePullSecrets": ["a", "c"]}}
    assert rendered(values).pod()["spec"]["imagePullSecrets"] == [{"name": "a"}, {"name": "b"}, {"name": "c"}]


def test_the_operators_chart_makes_nothing_that_only_a_test_needs() -> None:
    for values in ({}, EVERYTHING["chainlit-operator"]):
        objects = operator(values).objects
        assert not [item for item in objects if item["kind"] in ("Pod", "Job")]
        assert not [item for item in objects if "helm.sh/hook" in item["metadata"].get("annotations", {})]


def test_network_policies_of_apps_let_every_operator_in() -> None:
    pod = operator({"nameOverride": "other", "podLabels": {"app.kubernetes.io/part-of": "x"}}).pod()
    labels = pod["metadata"]["labels"]
    assert labels["app.kubernetes.io/name"] == "other"
    values = {"operator": {"enabled": True}, "networkPolicy": {"enabled": True, "from": [{"podSelector": {}}]}}
    (rule,) = app(values).one("NetworkPolicy")["spec"]["ingress"]
    selectors = [peer["podSelector"].get("matchLabels", {}) for peer in rule["from"] if "namespaceSelector" in peer]
    assert any(selector.items() <= labels.items() for selector in selectors)
    assert {"app.kubernetes.io/name": "chainlit-operator"} in selectors, "0.2.0 has only this label"


def test_policies_have_every_field_that_the_api_server_fills_in(tmp_path: Path) -> None:
    """Otherwise a tool that compares them with the cluster sees a difference for ever."""
    objects = operator({"routePolicy": {"enabled": True}}).objects
    given = [item for item in objects if item["kind"].startswith("ValidatingAdmissionPolicy")]
    plane = ControlPlane(tmp_path)
    try:
        plane.start()
        environment = {"KUBECONFIG": str(plane.kubeconfig(DRIVER))}
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": given})
        run([str(tools.kubectl()), "apply", "--filename=-"], env=environment, stdin=text)
        found = run([str(tools.kubectl()), "get", "--filename=-", "--output=json"], env=environment, stdin=text)
    finally:
        plane.stop()
    live = json.loads(found)["items"]
    assert [item["spec"] for item in live] == [item["spec"] for item in given]


MONITORS = [
    pytest.param("serviceMonitor", "ServiceMonitor", "endpoints", id="service"),
    pytest.param("podMonitor", "PodMonitor", "podMetricsEndpoints", id="pod"),
]


@pytest.mark.parametrize(("value", "kind", "field"), MONITORS)
def test_monitors(value: str, kind: str, field: str) -> None:
    drop = [{"action": "labeldrop", "regex": "pod"}]
    given = {
        "enabled": True,
        "interval": "1m",
        "scrapeTimeout": "5s",
        "namespace": "monitoring",
        "labels": {"release": "p"},
        "relabelings": drop,
        "metricRelabelings": drop,
    }
    release = operator({"metrics": {value: given}})
    monitor = release.one(kind)
    assert monitor["metadata"]["namespace"] == "monitoring" and monitor["metadata"]["labels"]["release"] == "p"
    assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["system"]}
    target = release.one("Service")["metadata"] if kind == "ServiceMonitor" else release.pod()["metadata"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= target["labels"].items()
    (endpoint,) = monitor["spec"][field]
    assert (endpoint["interval"], endpoint["scrapeTimeout"], endpoint["path"]) == ("1m", "5s", "/metrics")
    assert endpoint["port"] == release.container()["ports"][0]["name"]
    assert endpoint["relabelings"][-1:] == drop and endpoint["metricRelabelings"] == drop


def test_alerts_find_the_metrics_whichever_monitor_scrapes() -> None:
    """A ServiceMonitor gives the job the name of the Service; the PodMonitor says it."""
    release = operator({"metrics": {"podMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}}})
    (relabeling,) = release.one("PodMonitor")["spec"]["podMetricsEndpoints"][0]["relabelings"]
    assert relabeling == {"targetLabel": "job", "replacement": release.one("Service")["metadata"]["name"]}
    for rule in rules(release):
        assert f'job="{relabeling["replacement"]}"' in rule["expr"]


def test_two_monitors_are_refused() -> None:
    both = {"metrics": {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}}}
    assert "enable one of the two" in refusal("chainlit-operator", both)


def rules(release: Rendered) -> list[Object]:
    (group,) = release.one("PrometheusRule")["spec"]["groups"]
    found: list[Object] = group["rules"]
    return found


def test_each_alert_of_a_package_leads_to_its_section_of_the_page(tmp_path: Path) -> None:
    chart = Path(shutil.copytree(CHARTS / "chainlit-operator", tmp_path / "chainlit-operator"))
    with (chart / "Chart.yaml").open("a", encoding="utf-8") as opened:
        opened.write("home: https://git.example.com/team/operator\n")
    text = MONITOR.read_text(encoding="utf-8")
    sections = {title.lower() for title in re.findall(r"^### (\w+)$", text, re.MULTILINE)}
    for rule in rules(render(chart, {"metrics": {"prometheusRule": {"enabled": True}}})):
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert page == f"https://git.example.com/team/operator/blob/v{__version__}/{MONITOR.relative_to(CHARTS.parent)}"
        assert anchor == rule["alert"].lower() and anchor in sections
    for rule in rules(operator({"metrics": {"prometheusRule": {"enabled": True}}})):
        assert "runbook_url" not in rule["annotations"], "a clone knows no page"


def test_alerts_are_configurable() -> None:
    alerts = {
        "ChainlitOperatorDown": {"for": "1m", "severity": "critical"},
        "ChainlitAppNotReady": {"enabled": False},
        "ChainlitOperatorCannotWrite": None,
    }
    given = {"enabled": True, "namespace": "monitoring", "runbookURL": "https://a.io/runbook", "alerts": alerts}
    release = operator({"metrics": {"prometheusRule": given}})
    assert release.one("PrometheusRule")["metadata"]["namespace"] == "monitoring"
    found = {rule["alert"]: rule for rule in rules(release)}
    assert list(found) == ["ChainlitOperatorDown", "ChainlitOperatorWithoutLeader", "ChainlitOperatorCannotWrite"]
    down = found["ChainlitOperatorDown"]
    assert (down["for"], down["labels"]) == ("1m", {"severity": "critical", "namespace": "system"})
    assert down["annotations"]["runbook_url"] == "https://a.io/runbook#chainlitoperatordown"
    assert found["ChainlitOperatorWithoutLeader"]["for"] == "5m"


def test_annotations_of_every_object() -> None:
    values = {**EVERYTHING["chainlit-operator"], "commonAnnotations": {"team": "x"}}
    release = operator({**values, "serviceAccount": {"annotations": {"role": "y", "team": "z"}}})
    assert [item["kind"] for item in release.objects if "team" not in item["metadata"].get("annotations", {})] == []
    assert release.one("ServiceAccount")["metadata"]["annotations"] == {"role": "y", "team": "z"}
    assert release.one("CustomResourceDefinition")["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert "annotations" not in operator().one("Deployment")["metadata"]


def test_fields_of_the_pod_and_objects_of_ones_own() -> None:
    extra: dict[str, Any] = {"dnsConfig": {"options": [{"name": "ndots", "value": "1"}]}, "runtimeClassName": "gvisor"}
    own = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "own"}}
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: '{{ .Release.Name }}'}"
    values = {"extraPodSpec": extra, "extraObjects": [own, text], "revisionHistoryLimit": 0}
    release = operator(values)
    assert extra.items() <= release.pod()["spec"].items()
    assert release.one("ConfigMap") == own and release.one("Secret")["metadata"] == {"name": "op"}
    assert release.one("Deployment")["spec"]["revisionHistoryLimit"] == 0
    assert "revisionHistoryLimit" not in operator().one("Deployment")["spec"]


@pytest.mark.parametrize(
    ("field", "remedy"), [("nodeSelector", "use nodeSelector"), ("securityContext", "use podSecurityContext")]
)
def test_fields_of_the_pod_that_are_values_are_refused(field: str, remedy: str) -> None:
    assert f"remove it and {remedy}" in refusal("chainlit-operator", {"extraPodSpec": {field: {}}})


def test_series_of_each_app_come_from_fields_that_there_are() -> None:
    """The page's example for kube-state-metrics against the definition of a ChainlitApp."""
    blocks = re.findall(r"```yaml\n(.*?)```", MONITOR.read_text(encoding="utf-8"), re.DOTALL)
    values = next(load(block) for block in blocks if "CustomResourceStateMetrics" in block)
    (resource,) = values["customResourceState"]["config"]["spec"]["resources"]
    definition = load((CHARTS / "chainlit-operator/files/chainlitapps.yaml").read_text(encoding="utf-8"))["spec"]
    version = next(each for each in definition["versions"] if each["name"] == resource["groupVersionKind"]["version"])
    assert resource["groupVersionKind"]["group"] == definition["group"]
    assert resource["groupVersionKind"]["kind"] == definition["names"]["kind"]
    status = version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]
    (metric,) = resource["metrics"]
    gauge = metric["each"]["gauge"]
    assert gauge["path"] == ["status", "conditions"]
    fields = status["conditions"]["items"]["properties"]
    assert {step for path in (*gauge["labelsFromPath"].values(), gauge["valueFrom"]) for step in path} <= fields.keys()
    assert f"{resource['metricNamePrefix']}_{metric['name']}{{" in MONITOR.read_text(encoding="utf-8")
