"""A real Prometheus that scrapes a real operator: the dashboard shows something in each panel, and alerts fire."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.admission.plane import SYSTEM, Plane
from tests.bench.controlplane import free_ports
from tests.bench.process import Process
from tests.charts.rendering import operator as render
from tests.cluster import tools
from tests.e2e.kube import MERGE_PATCH
from tests.monitoring.test_alerts import rules
from tests.objects import chainlit_app, container, ingress, ingress_path, ingress_rule, path_of, service, workload
from tests.starting import started
from tests.waiting import eventually

JOB = "op-chainlit-operator-metrics"
#: The sooner the alerts fire, the sooner the test ends.
AT_ONCE = {
    name: {"for": "1s"}
    for name in (
        "ChainlitOperatorDown",
        "ChainlitOperatorWithoutLeader",
        "ChainlitOperatorCannotWrite",
        "ChainlitAppNotReady",
    )
}


class Monitored:
    """An operator that runs, whose apps are not all well, and a Prometheus beside it."""

    def __init__(self, work: Path) -> None:
        self._plane, self._work = Plane(work), work
        self._ports = free_ports(2)
        self._running = ExitStack()
        self._operator = ExitStack()

    def start(self) -> None:
        """Start all. Raises ClusterError."""
        self._running.callback(self._plane.stop)
        # The operator lacks the right to create: a write that fails.
        self._plane.start({"creation": {"enabled": False}})
        self._plane.admin.ensure_namespace("team")
        for obj in (
            workload(container(port=8000)),
            service(),
            ingress(rules=[ingress_rule(ingress_path(), host="chat.example.com")]),
            chainlit_app(),
            chainlit_app("lost"),
            chainlit_app("new", workload={"template": {"image": "example/chat"}}),
        ):
            self._plane.admin.create(obj, "team")
        self._running.enter_context(self._operator)
        self._operator.enter_context(
            self._plane.operator("--verification", f"--listen=127.0.0.1:{self._ports[0]}", "--leader-election",
                                 "--lease-name=op-chainlit-operator", f"--lease-namespace={SYSTEM}")
        )  # fmt: skip
        self._roll_out()
        prometheus = Process(self._command(), self._work / "prometheus.log")
        self._running.callback(prometheus.stop)
        eventually(lambda: self.query("up == 1"))

    def _roll_out(self) -> None:
        """Stand in for the controller of Deployments: no pod is there, so the verification that follows fails."""

        def aligned() -> Any:
            found = self._plane.admin.get("Deployment", "team", "chat")
            return found if "CHAINLIT_ROOT_PATH" in json.dumps(found["spec"]) else None

        generation = eventually(aligned)["metadata"]["generation"]
        counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
        status = {"status": {"observedGeneration": generation, **counts}}
        path = path_of("Deployment", "team", "chat")
        self._plane.admin.request("PATCH", f"{path}/status", status, MERGE_PATCH)

    def stop(self) -> None:
        """Stop all."""
        self._running.close()

    def stop_operator(self) -> None:
        """End the operator alone."""
        self._operator.close()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series that an expression has now."""
        found: list[dict[str, Any]] = self.ask("query", query=expression)["result"]
        return found

    def ask(self, path: str, **parameters: str) -> Any:
        """Return what Prometheus's API has; fails while it does not answer."""
        url = f"http://127.0.0.1:{self._ports[1]}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except OSError as error:
            raise AssertionError(f"{url}: {error}") from error

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire."""
        return {alert["labels"]["alertname"] for alert in self.ask("alerts")["alerts"] if alert["state"] == "firing"}

    def _command(self) -> list[str]:
        (self._work / "rules.yaml").write_text(json.dumps(rules(alerts=AT_ONCE)), encoding="utf-8")
        target = {"targets": [f"127.0.0.1:{self._ports[0]}"], "labels": {"namespace": SYSTEM, "pod": "op-0"}}
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [{"job_name": JOB, "static_configs": [target]}],
        }
        file = self._work / "prometheus.yaml"
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        listen = f"--web.listen-address=127.0.0.1:{self._ports[1]}"
        return [str(tools.prometheus()), f"--config.file={file}", f"--storage.tsdb.path={self._work / 'data'}", listen]


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    with started(Monitored(tmp_path_factory.mktemp("monitored"))) as made:
        yield made


def dashboard() -> dict[str, Any]:
    data = render({"metrics": {"dashboard": {"enabled": True}}}).one("ConfigMap")["data"]
    found: dict[str, Any] = json.loads(data["chainlit-operator.json"])
    return found


TARGETS = [
    pytest.param(target, id=f"{panel['title']} {target['refId']}")
    for panel in dashboard()["panels"]
    for target in panel["targets"]
]


@pytest.mark.parametrize("target", TARGETS)
def test_each_panel_shows_something(monitored: Monitored, target: dict[str, str]) -> None:
    names = re.findall(r"{{(\w+)}}", target["legendFormat"])

    def series() -> list[dict[str, str]]:
        return [each["metric"] for each in monitored.query(target["expr"].replace("$namespace", SYSTEM))]

    # An app without a status has no reason yet.
    eventually(series, lambda found: found and all(each.get(name) for each in found for name in names))


def test_the_dashboard_finds_the_operators_namespace(monitored: Monitored) -> None:
    (query,) = [each["query"] for each in dashboard()["templating"]["list"] if each["name"] == "namespace"]
    matched = re.fullmatch(r"label_values\((\w+), (\w+)\)", query)
    assert matched
    assert monitored.ask(f"label/{matched[2]}/values", **{"match[]": matched[1]}) == [SYSTEM]


def test_alerts_fire_for_what_is_wrong_and_no_others(monitored: Monitored) -> None:
    """The last test: it ends the operator."""
    eventually(monitored.firing, lambda found: found == {"ChainlitOperatorCannotWrite", "ChainlitAppNotReady"})
    monitored.stop_operator()
    eventually(monitored.firing, lambda found: "ChainlitOperatorDown" in found)
