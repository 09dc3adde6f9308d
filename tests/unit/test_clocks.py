"""A wall clock that steps changes nothing: it is shown, never compared. What time decides has a monotonic clock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import chainlit_operator

SOURCES = sorted(Path(chainlit_operator.__file__).parent.rglob("*.py"))
MONOTONIC = {"monotonic", "perf_counter", "thread_time"}


def wall_clocks(tree: ast.AST) -> list[str]:
    """Where a program reads the wall clock for anything but text."""
    shown = {
        id(node.value.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "strftime" and isinstance(node.value, ast.Call)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            found.append(f"line {node.lineno}: from time import")
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        is_wall = node.value.id == "time" and node.attr not in MONOTONIC
        if is_wall or (node.value.id in ("datetime", "date") and id(node) not in shown):
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_no_decision_reads_the_wall_clock(source: Path) -> None:
    assert wall_clocks(ast.parse(source.read_text())) == []


@pytest.mark.parametrize(
    "code",
    ["time.time()", "time.time_ns()", "datetime.now(UTC) > then", "datetime.fromisoformat(x)", "from time import time"],
)
def test_reading_it_is_found(code: str) -> None:
    assert wall_clocks(ast.parse(code))


def test_showing_it_is_none() -> None:
    assert wall_clocks(ast.parse("datetime.now(UTC).strftime('%Y'); time.monotonic()")) == []
