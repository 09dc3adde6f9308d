"""The workflows run only what is pinned, and take no right that they do not need."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cluster.versions import REPOSITORY
from tests.release.table import CHARTS

WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yaml"))
ACTION = re.compile(r"^\s*(?:- )?uses: (?P<name>[\w./-]+)@(?P<commit>[0-9a-f]{40}) # (?P<version>v\d+\.\d+\.\d+)$")


def used(file: Path) -> dict[str, tuple[str, str]]:
    found = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if "uses:" in line:
            action = ACTION.match(line)
            assert action, f"{file.name}: pin by commit, with the version as a comment: {line.strip()}"
            found[action["name"]] = (action["commit"], action["version"])
    return found


def test_each_action_is_pinned_to_one_commit() -> None:
    pins = {(name, pin) for file in WORKFLOWS for name, pin in used(file).items()}
    assert len(pins) == len({name for name, _ in pins})


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_rights_are_given_to_jobs_and_time_is_limited(file: Path) -> None:
    workflow: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"]
        assert job["timeout-minutes"] <= 90


def test_the_packages_of_every_platform_are_read() -> None:
    text = (REPOSITORY / ".github/workflows/release.yaml").read_text(encoding="utf-8")
    built, read = re.findall(r"--platform (linux/[\w/, ]+)", text)
    assert re.split("[, ]", built.removesuffix(" ")) == read.split()


def test_each_chart_of_the_release_gets_its_provenance() -> None:
    text = (REPOSITORY / ".github/workflows/release.yaml").read_text(encoding="utf-8")
    for chart in CHARTS:
        assert f"prefix }}}}/charts/{chart}\n" in text
        assert f"steps.charts.outputs.{chart} }}}}\n" in text
