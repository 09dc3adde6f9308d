"""The rows of values files that run in a cluster: each changes no more than it must, and needs no internet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.charts.rendering import Object, helm, load_all
from tests.objects import api_version
from tests.values import kinds
from tests.values.files import chart_of, files
from tests.values.running import Run, runs

NAMES = {
    "authority": "a certificate",
    "host": "host.example",
    "image": "localhost/chainlit-demo:1",
    "namespace": "e2e-values",
    "node": "192.0.2.1",
    "oauth2_proxy": "localhost/chainlit-oauth2-proxy:1",
}
RUNS = [pytest.param(run.filled(**NAMES), id=str(run)) for run in runs()]
CHANGED = [pytest.param(run.filled(**NAMES), id=str(run)) for run in runs() if run.values]
#: API groups whose definitions the cluster has, beside those of Kubernetes.
INSTALLED = {"traefik.io", "projectcontour.io", api_version("ChainlitApp").partition("/")[0]}


def rendered(run: Run, work: Path) -> list[Object]:
    chart = chart_of(run.values_file().chart, work)
    options = run.options(NAMES["image"], NAMES["host"])
    return load_all(helm("template", run.release, str(chart), f"--namespace={NAMES['namespace']}", *options))


def images(item: Any) -> Iterator[str]:
    """Yield the images of all containers of an object."""
    if isinstance(item, dict):
        if isinstance(item.get("image"), str):
            yield item["image"]
        item = list(item.values())
    if isinstance(item, list):
        for part in item:
            yield from images(part)


def test_there_are_many() -> None:
    named = {file.name for file in files()}
    found = [run.file for run in runs()]
    assert len(found) >= 15
    assert set(found) <= named
    assert all(run.at for run in runs())


@pytest.mark.parametrize("run", RUNS)
def test_the_cluster_has_its_images_and_kinds(run: Run, tmp_path: Path) -> None:
    objects = rendered(run, tmp_path)
    made = [item for item in objects if "helm.sh/hook" not in item["metadata"].get("annotations", {})]
    assert {image for item in made for image in images(item)} <= {NAMES["image"], NAMES["oauth2_proxy"]}
    groups = {item["apiVersion"].rpartition("/")[0] for item in made}
    assert {group for group in groups if not kinds.BUILT_IN.fullmatch(group)} <= INSTALLED


@pytest.mark.parametrize("run", CHANGED)
def test_no_value_is_there_in_vain(run: Run, tmp_path: Path) -> None:
    """Without it, the chart makes something else."""
    (tmp_path / "all").mkdir()
    objects = rendered(run, tmp_path / "all")
    for number, path in enumerate(run.values):
        (tmp_path / str(number)).mkdir()
        less = replace(run, values={key: value for key, value in run.values.items() if key != path})
        assert rendered(less, tmp_path / str(number)) != objects, path
