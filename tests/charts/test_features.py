"""The table of features in the README of the app's chart: each row names values and tests that there are."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from .generated import CHARTS
from .rendering import Object

REPOSITORY = CHARTS.parent
README = CHARTS / "chainlit/README.md.gotmpl"

_SECTION = re.compile(r"^## Features\n(.*?)^## ", re.DOTALL | re.MULTILINE)
_TEST = re.compile(r"\[`(\w+)`\]\(\.\./\.\./(tests/[\w/]+\.py)\)")


class Row(NamedTuple):
    """A feature, the values that it is had by, and the tests that show it, each a file and a function in it."""

    feature: str
    values: list[str]
    tests: list[tuple[str, str]]


def rows() -> list[Row]:
    found = _SECTION.search(README.read_text(encoding="utf-8"))
    assert found, "README.md.gotmpl has no section Features"
    lines = [line for line in found[1].splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [
        Row(feature, re.findall(r"`([^`]+)`", values), [(file, name) for name, file in _TEST.findall(tests)])
        for feature, values, tests in cells
    ]


@cache
def functions(file: Path) -> set[str]:
    """Return the names of the tests in a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    return {name for name in found if name.startswith("test_")}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.feature[:40])
def test_a_feature_has_a_test_behind_it(row: Row) -> None:
    assert row.tests, f"{row.feature}: no test is named"
    for file, name in row.tests:
        assert (REPOSITORY / file).is_file(), f"{row.feature}: there is no {file}"
        assert name in functions(REPOSITORY / file), f"{row.feature}: {file} has no {name}"


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.feature[:40])
def test_a_feature_has_values_that_the_chart_knows(row: Row) -> None:
    schema = json.loads((CHARTS / "chainlit/values.schema.json").read_text(encoding="utf-8"))
    for value in row.values:
        place: Object = schema
        for key in value.partition("=")[0].split("."):
            assert key in place.get("properties", {}), f"{row.feature}: values.yaml has no {value}"
            place = place["properties"][key]


def test_no_feature_comes_twice() -> None:
    features = [row.feature for row in rows()]
    assert len(features) == len(set(features)) >= 20
