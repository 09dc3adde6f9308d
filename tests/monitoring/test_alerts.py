"""The alerts of the operator's chart: promtool finds nothing to mend, and each fires when it says so."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.charts.rendering import operator
from tests.cluster import tools

TESTS = Path(__file__).with_name("alerts_test.yaml")


def rules(**given: Any) -> dict[str, Any]:
    """Return the chart's rules, as a file of Prometheus has them; ``given`` are values of the PrometheusRule."""
    values = {"metrics": {"prometheusRule": {"enabled": True, **given}}}
    found: dict[str, Any] = operator(values).one("PrometheusRule")["spec"]
    return found


def write(work: Path, found: Mapping[str, Any]) -> Path:
    """Write rules, and the tests beside them; JSON is YAML too."""
    file = work / "rules.yaml"
    file.write_text(json.dumps(found), encoding="utf-8")
    shutil.copy(TESTS, work)
    return file


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([tools.promtool(), *arguments], capture_output=True, text=True, check=False)


def test_the_rules_are_rules(tmp_path: Path) -> None:
    own = [{"alert": "Own", "expr": "chainlit_operator_apps > 500"}]
    told = promtool("check", "rules", "--lint=all", "--lint-fatal", write(tmp_path, rules(rules=own)))
    assert told.returncode == 0, told.stdout + told.stderr
    assert "5 rules found" in told.stdout


def test_each_alert_fires_when_it_says_so(tmp_path: Path) -> None:
    write(tmp_path, rules())
    told = promtool("test", "rules", tmp_path / TESTS.name)
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize(
    ("alert", "right", "wrong"),
    [
        ("ChainlitOperatorDown", "absent(up", "absent(0 * up"),
        ("ChainlitOperatorDown", 'namespace="system",', ""),
        ("ChainlitOperatorWithoutLeader", "sum(", "min("),
        ("ChainlitOperatorWithoutLeader", "== 0", "< 2"),
        ("ChainlitOperatorCannotWrite", "[5m]", "[1m]"),
        ("ChainlitAppNotReady", "max by", "sum by"),
        ("ChainlitAppNotReady", ',ready="False"', ""),
    ],
)
def test_a_wrong_alert_is_noticed(tmp_path: Path, alert: str, right: str, wrong: str) -> None:
    found = json.loads(json.dumps(rules()))
    (rule,) = [rule for rule in found["groups"][0]["rules"] if rule["alert"] == alert]
    assert right in rule["expr"]
    rule["expr"] = rule["expr"].replace(right, wrong)
    write(tmp_path, found)
    assert promtool("test", "rules", tmp_path / TESTS.name).returncode == 1
