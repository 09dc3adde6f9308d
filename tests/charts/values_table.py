"""The table of values in a chart's README, made from the ``# -- `` comments of its values.yaml.

Run as a script, it writes the tables of all charts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CHARTS = Path(__file__).parents[2] / "charts"

_KEY = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z][A-Za-z0-9]*):")
_BEGIN, _END = "<!-- values -->\n", "<!-- /values -->"


def descriptions(text: str) -> dict[tuple[str, ...], str]:
    """Return the description of each documented value, by the keys that lead to it."""
    found: dict[tuple[str, ...], str] = {}
    comment: list[str] = []
    keys: list[tuple[int, str]] = []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("# -- "):
            comment = [stripped.removeprefix("# -- ")]
        elif stripped.startswith("# ") and comment:
            comment.append(stripped.removeprefix("# "))
        elif match := _KEY.match(line):
            indent = len(match["indent"])
            keys = [(depth, key) for depth, key in keys if depth < indent] + [(indent, match["key"])]
            if comment:
                found[tuple(key for _, key in keys)] = " ".join(comment)
            comment = []
        else:
            comment = []
    return found


def leaves(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the keys that lead to each value that is not a filled map."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from leaves(value, (*path, key))
    else:
        yield path


def table(text: str) -> str:
    """Return the Markdown table for the text of a values.yaml."""
    values = yaml.safe_load(text)
    rows = ["| Key | Default | Description |", "|---|---|---|"]
    for path, description in descriptions(text).items():
        default: Any = values
        for key in path:
            default = default[key]
        shown = json.dumps(default, ensure_ascii=False)
        rows.append(f"| `{'.'.join(path)}` | `{shown}` | {description.replace('|', chr(92) + '|')} |")
    return "\n".join(rows) + "\n"


def readme(chart: Path) -> str:
    """Return the README of a chart with the table that its values.yaml asks for."""
    text = (chart / "README.md").read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    _, after = rest.split(_END)
    return before + _BEGIN + table((chart / "values.yaml").read_text(encoding="utf-8")) + _END + after


if __name__ == "__main__":
    for path in sorted(CHARTS.iterdir()):
        (path / "README.md").write_text(readme(path), encoding="utf-8")
