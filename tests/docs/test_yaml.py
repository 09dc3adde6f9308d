"""Every YAML block of the pages is what it seems to be: a manifest, a part of one, or values of a chart."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.charts import rendering
from tests.charts.test_manifests import conform
from tests.cluster.versions import pinned
from tests.docs.blocks import TOP, Block, everywhere
from tests.docs.world import World

GROUP = "chainlit-operator.dev"
CHARTS = ("chainlit", "chainlit-operator")
#: Values for other charts, by page and section → the chart, whose documentation they are from.
OTHER_CHARTS = {"docs/how-to/monitor.md#A series for each app": "kube-state-metrics"}
#: Lists, by page and section → the value of the operator's chart that they are.
LISTS = {"docs/how-to/monitor.md#A series for each app": "metrics.prometheusRule.rules"}
#: Parts of manifests that are none of a ChainlitApp, by page and section → the rest of the manifest.
PARTS: dict[str, dict[str, Any]] = {
    "docs/how-to/gitops.md#Differences": {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "chat"},
        "spec": {"project": "default", "destination": {"namespace": "team-a"}},
    }
}

BLOCKS = [block for block in everywhere() if block.language == "yaml"]


def name(block: Block) -> str:
    return f"{block.page}#{block.section}"


def documents(block: Block) -> list[Any]:
    return [found for found in yaml.safe_load_all(block.text) if found is not None]


def is_read_by_a_command(block: Block) -> bool:
    """Whether a command of the page reads the block as a file; then the command is its test."""
    commands = [other.text for other in everywhere() if other.page == block.page and other.is_commands]
    return bool(block.file) and any(block.file in text or " -k ." in text for text in commands)


def whole(block: Block, part: Any) -> Any:
    """Return a manifest, where the block has only its ``spec``."""
    if not isinstance(part, dict) or "apiVersion" in part or set(part) != {"spec"}:
        return part
    rest = PARTS.get(name(block))
    if rest is None:
        spec = {"workload": {"ref": {"name": "chat"}}} | part["spec"]
        return {"apiVersion": f"{GROUP}/v1alpha1", "kind": "ChainlitApp", "metadata": {"name": "support"}, "spec": spec}
    return rest | {"spec": rest["spec"] | part["spec"]}


WHOLE = [
    (block, whole(block, part)) for block in BLOCKS if not is_read_by_a_command(block) for part in documents(block)
]
MANIFESTS = [(block, part) for block, part in WHOLE if isinstance(part, dict) and "apiVersion" in part]
VALUES = [
    (block, part)
    for block, part in WHOLE
    if isinstance(part, list) or ("apiVersion" not in part and name(block) not in OTHER_CHARTS)
]


def test_manifests_have_only_fields_that_exist() -> None:
    report = conform(pinned().kubernetes, [part for _, part in MANIFESTS])
    assert not report["resources"]
    assert report["summary"]["valid"] == len(MANIFESTS), report["summary"]


@pytest.mark.parametrize(
    ("block", "app"),
    [pytest.param(block, part, id=block.place) for block, part in MANIFESTS if part["kind"] == "ChainlitApp"],
)
def test_the_api_server_accepts_each_chainlitapp(world: World, block: Block, app: Any) -> None:
    world.begin("operator")
    (world.directory() / "app.json").write_text(json.dumps(app))
    world.run("kubectl create --dry-run=server --filename app.json")


@pytest.mark.parametrize(("block", "values"), [pytest.param(*case, id=case[0].place) for case in VALUES])
def test_values_are_those_of_a_chart(block: Block, values: Any) -> None:
    if isinstance(values, list):
        made: Any = values
        for key in reversed(LISTS[name(block)].split(".")):
            made = {key: made}
        chart, values = "chainlit-operator", made
    else:
        known = {chart: yaml.safe_load((TOP / "charts" / chart / "values.yaml").read_text()) for chart in CHARTS}
        (chart,) = [chart for chart, keys in known.items() if values.keys() <= keys.keys()]
    rendered = rendering.app(values) if chart == "chainlit" else rendering.operator(values)
    assert rendered.objects
