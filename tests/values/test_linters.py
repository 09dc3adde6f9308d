"""Linters over the manifests of all values files: each finding has a written reason, and each reason a finding."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.charts.rendering import Object
from tests.cluster.versions import pinned
from tests.values import linters
from tests.values.files import files
from tests.values.linters import Finding

REASONS = Path(__file__).with_name("findings.toml")
Rendered = Mapping[str, tuple[Object, ...]]


def reasons(linter: str) -> dict[str, dict[str, Any]]:
    """Return what findings.toml has of a linter, by check."""
    found: dict[str, dict[str, Any]] = tomllib.loads(REASONS.read_text(encoding="utf-8"))[linter]
    return found


def differences(found: Iterable[Finding], explained: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what is found without a reason, and the reasons for what is not found."""
    seen: dict[str, set[str]] = {}
    trouble = []
    for finding in sorted(found):
        seen.setdefault(finding.check, set()).add(finding.file)
        entry = explained.get(finding.check)
        if entry is None or finding.file not in entry.get("files", [finding.file]):
            trouble.append(f"{finding.file}: {finding.check}: {finding.text}")
    for check, entry in explained.items():
        missing = set(entry.get("files", ())) - seen.get(check, set())
        if missing or check not in seen:
            trouble.append(f"no {check} any more {sorted(missing)}: {entry['reason']}")
    return trouble


@pytest.fixture(scope="module")
def rendered() -> Rendered:
    """The objects of each values file, by its name."""
    return {file.name: file.objects() for file in files()}


def test_kube_score(rendered: Rendered) -> None:
    assert differences(linters.kube_score(rendered), reasons("kube-score")) == []


def test_checkov(rendered: Rendered, tmp_path: Path) -> None:
    assert differences(linters.checkov(rendered, tmp_path), reasons("checkov")) == []


@pytest.mark.parametrize("version", pinned().charts_kubernetes)
def test_kubeconform(rendered: Rendered, tmp_path: Path, version: str) -> None:
    assert list(linters.kubeconform(rendered, tmp_path, version)) == []


@pytest.mark.parametrize("version", pinned().charts_kubernetes)
def test_kubectl_validate(rendered: Rendered, tmp_path: Path, version: str) -> None:
    assert list(linters.kubectl_validate(rendered, tmp_path, version)) == []


def test_each_linter_finds_what_is_wrong(tmp_path: Path) -> None:
    """Otherwise a linter that reads nothing would be content."""
    deployment = next(item for item in files()[0].objects() if item["kind"] == "Deployment")
    spec = deployment["spec"]["template"]["spec"]
    wrong = {**spec, "hostNetwork": True, "containers": [{**spec["containers"][0], "image": "x:latest", "nope": 1}]}
    template = {**deployment["spec"]["template"], "spec": wrong}
    given = {"chainlit/wrong": (deployment | {"spec": {**deployment["spec"], "template": template}},)}
    version = pinned().charts_kubernetes[0]
    assert "container-image-tag" in {found.check for found in linters.kube_score(given)}
    assert "CKV_K8S_19" in {found.check for found in linters.checkov(given, tmp_path / "a")}
    for linter in (linters.kubeconform, linters.kubectl_validate):
        work = tmp_path / linter.__name__
        work.mkdir()
        assert [found.text for found in linter(given, work, version) if "nope" in found.text], linter


def test_a_finding_without_a_reason_and_a_reason_without_a_finding() -> None:
    found = [Finding("a", "x", "1"), Finding("b", "x", "2"), Finding("c", "y", "3")]
    explained: dict[str, dict[str, Any]] = {
        "a": {"reason": "r"},
        "b": {"files": ["y"], "reason": "s"},
        "d": {"reason": "t"},
    }
    assert differences(found, explained) == [
        "x: b: 2",
        "y: c: 3",
        "no b any more ['y']: s",
        "no d any more []: t",
    ]
