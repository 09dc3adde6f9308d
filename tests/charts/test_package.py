"""The charts as they are published: their archives, and what Artifact Hub reads of them."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import jsonschema
import pytest

from chainlit_operator import __version__
from tests.cluster.versions import REPOSITORY

from .generated import CHARTS, NAMES
from .rendering import Object, helm, load

PREVIOUS = Path(__file__).with_name("previous")
CHANGELOG = CHARTS.parent / "CHANGELOG.md"
DEFINITION: Object = load((CHARTS / "chainlit-operator/files/chainlitapps.yaml").read_text(encoding="utf-8"))


def metadata(chart: str) -> Object:
    found: Object = load((CHARTS / chart / "Chart.yaml").read_text(encoding="utf-8"))
    return found


def hub(chart: str, name: str) -> object:
    """Return an annotation of Artifact Hub, which may be a document of its own."""
    return load(metadata(chart)["annotations"][f"artifacthub.io/{name}"])


@pytest.mark.parametrize("chart", NAMES)
def test_an_archive_is_the_chart_and_nothing_else(chart: str, tmp_path: Path) -> None:
    helm("package", str(CHARTS / chart), "--destination", str(tmp_path))
    (archive,) = tmp_path.iterdir()
    assert archive.name == f"{chart}-{metadata(chart)['version']}.tgz"
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {"Chart.yaml", "README.md", "values.yaml", "values.schema.json"} < names
    assert not {name for name in names if name.startswith("tests/") or name.endswith((".gotmpl", ".schema.yaml"))}

    arguments = ["template", "chat", "--set", "image.repository=example/chat"]
    assert helm(*arguments, str(archive)) == helm(*arguments, str(CHARTS / chart))


def test_charts_and_operator_have_one_version_and_the_changelog_knows_it() -> None:
    assert {metadata(chart)["version"] for chart in NAMES} == {__version__}
    assert metadata("chainlit-operator")["appVersion"] == __version__
    assert f"\n## {__version__}\n" in CHANGELOG.read_text(encoding="utf-8")


@pytest.mark.parametrize("chart", NAMES)
def test_the_previous_version_is_at_hand(chart: str) -> None:
    (archive,) = PREVIOUS.glob(f"{chart}-[0-9]*.tgz")
    number = archive.stem.removeprefix(f"{chart}-")
    assert number != metadata(chart)["version"]
    assert f"\n## {number}\n" in CHANGELOG.read_text(encoding="utf-8")


def test_the_operator_of_the_previous_version_is_at_hand_too() -> None:
    (archive,) = (REPOSITORY / "tests/chaos/previous").glob("chainlit_operator-*.zip")
    number = archive.stem.removeprefix("chainlit_operator-")
    assert (PREVIOUS / f"chainlit-operator-{number}.tgz").exists()
    with zipfile.ZipFile(archive) as opened:
        source = opened.read("operator/src/chainlit_operator/__init__.py").decode()
    assert f'__version__ = "{number}"' in source


@pytest.mark.parametrize("chart", NAMES)
def test_artifact_hub_understands_the_metadata(chart: str) -> None:
    assert hub(chart, "category") in {"ai-machine-learning", "networking"}
    assert hub(chart, "license") == "Apache-2.0"
    assert "Apache License" in (CHARTS.parent / "LICENSE").read_text(encoding="utf-8")
    texts = {"type": "string", "minLength": 1}
    kinds = {"enum": ["added", "changed", "deprecated", "removed", "fixed", "security"]}
    jsonschema.validate(hub(chart, "changes"), _list({"kind": kinds, "description": texts}))


def test_artifact_hub_knows_the_resource() -> None:
    assert hub("chainlit-operator", "operator") is True
    (told,) = load(metadata("chainlit-operator")["annotations"]["artifacthub.io/crds"])
    spec = DEFINITION["spec"]
    assert told["name"] == DEFINITION["metadata"]["name"]
    assert (told["kind"], told["version"]) == (spec["names"]["kind"], spec["versions"][0]["name"])
    (example,) = load(metadata("chainlit-operator")["annotations"]["artifacthub.io/crdsExamples"])
    jsonschema.validate(example, spec["versions"][0]["schema"]["openAPIV3Schema"])


def _list(properties: Object) -> Object:
    item = {"type": "object", "additionalProperties": False, "required": list(properties), "properties": properties}
    return {"type": "array", "minItems": 1, "items": item}
