"""What is made from a chart's annotated values.yaml: its schema and its README.

Run as a module (``make generate``), it writes them for all charts.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from tests.cluster import tools

CHARTS = Path(__file__).parents[2] / "charts"
NAMES = ("chainlit", "chainlit-operator")

#: What helm-docs says of a chart that it leaves out; it says so with the exit code 0.
_LEFT_OUT = re.compile(r"level=(?:warning|error)")


class NotGenerated(Exception):
    """A generator refused the chart; the message is its own."""


def schema(chart: str) -> str:
    """Return the values.schema.json of a chart, as its .schema.yaml says. Raises NotGenerated, ClusterError."""
    made: dict[str, Any] = json.loads(_run([str(tools.helm_schema()), "--output", "-"], CHARTS / chart).stdout)
    _require(made, defaults(chart), jsonschema.Draft202012Validator(made))
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def defaults(chart: str) -> dict[str, Any]:
    """Return the chart's own values."""
    found: dict[str, Any] = yaml.safe_load((CHARTS / chart / "values.yaml").read_text(encoding="utf-8"))
    return found


#: What a null in a values file amounts to, with which Helm takes a default away.
_EMPTY: tuple[object, ...] = (None, "", [], {})


def _require(schema: dict[str, Any], values: Mapping[str, Any], validator: Any) -> None:
    """Have a map say which of its values a null cannot take away: those with a default that may not be empty."""
    needed = []
    for name, default in values.items():
        known = schema["properties"][name]
        if "properties" in known:
            _require(known, default, validator)
            needed.append(name)
        elif default and not any(validator.evolve(schema=known).is_valid(empty) for empty in _EMPTY):
            needed.append(name)
    if needed:
        schema["required"] = needed


def readme(chart: str) -> str:
    """Return the README.md of a chart, which its README.md.gotmpl frames. Raises NotGenerated, ClusterError."""
    arguments = ["--dry-run", "--sort-values-order", "file", "--chart-to-generate", chart]
    made = _run([str(tools.helm_docs()), *arguments], CHARTS)
    if _LEFT_OUT.search(made.stderr):
        raise NotGenerated(made.stderr)
    return made.stdout.rstrip("\n") + "\n"


def generated(chart: str) -> Mapping[str, str]:
    """Return the generated files of a chart by their names. Raises NotGenerated, ClusterError."""
    return {"values.schema.json": schema(chart), "README.md": readme(chart)}


def _run(command: list[str], directory: Path) -> subprocess.CompletedProcess[str]:
    made = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if made.returncode:
        raise NotGenerated(made.stderr)
    return made


if __name__ == "__main__":
    for name in NAMES:
        for file, text in generated(name).items():
            (CHARTS / name / file).write_text(text, encoding="utf-8")
