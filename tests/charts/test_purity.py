"""No template changes .Values: what one template sees does not depend on which others were rendered before it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from .generated import CHARTS, NAMES
from .rendering import dump, helm, load_all
from .test_nulls import EVERYTHING

#: Helm renders the deepest path first and names in reverse order: these two come before and after all others.
FIRST, LAST = "zz/zz/zz/first.yaml", "0-last.yaml"
DUMP = "apiVersion: v1\nkind: Dump\nvalues: {{ toJson .Values | quote }}\n"


def dumps(chart: Path) -> tuple[str, str]:
    """Return .Values as JSON, as the first and the last template of the chart see them."""
    for place in (FIRST, LAST):
        (chart / "templates" / place).parent.mkdir(parents=True, exist_ok=True)
        (chart / "templates" / place).write_text(DUMP, encoding="utf-8")
    text = helm("template", "chat", str(chart), "--values", "-", values=dump(EVERYTHING[chart.name]))
    first, last = (item["values"] for item in load_all(text) if item["kind"] == "Dump")
    return first, last


@pytest.fixture(params=NAMES)
def chart(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copytree(CHARTS / request.param, tmp_path / request.param))


def test_no_template_changes_values(chart: Path) -> None:
    first, last = dumps(chart)
    assert json.loads(first) == json.loads(last)


def test_a_template_that_changes_values_is_found(chart: Path) -> None:
    (chart / "templates/mutant.yaml").write_text(
        '{{- $_ := set .Values.image "pullPolicy" "Never" }}', encoding="utf-8"
    )
    first, last = dumps(chart)
    assert "Never" in first + last and first != last


def test_every_template_first_has_the_values_checked(chart: Path) -> None:
    """Wrong values are named before anything that follows from them, and sections without children are full."""
    templates = [file for file in chart.glob("templates/**/*") if file.suffix in (".yaml", ".txt")]
    assert templates
    for file in templates:
        assert file.read_text(encoding="utf-8").startswith(f'{{{{- include "{chart.name}.check" . }}}}\n'), file.name
