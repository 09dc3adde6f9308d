"""What survived: the function, what was changed in it, and whether explained.toml says why no test can notice."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

EXPLAINED = Path(__file__).with_name("explained.toml")
_TOKEN = re.compile(r'\w+|"[^"]*"|\s+|[<>=!]=|[^\w\s"]')


class Survivor(NamedTuple):
    """A change that no test noticed."""

    #: As mutmut calls it, such as ``chainlit_operator.domain.paths.x_align__mutmut_3``.
    name: str
    #: What was taken out and what was put in, such as ``len → None``.
    change: str

    @property
    def function(self) -> str:
        """The name of the function, or of class and method: ``align``, ``Pattern.match``."""
        function = self.name.rpartition("__mutmut_")[0].rpartition(".")[2]
        return ".".join(part for part in function.removeprefix("x").split("ǁ") if part).removeprefix("_")

    @property
    def module(self) -> str:
        """The module of the function, without the name of the package."""
        return self.name.rpartition(".")[0].partition(".")[2]


class Explanation(NamedTuple):
    """Why the changes of a function that contain these texts are none: each text stands for one change."""

    function: str
    changes: Sequence[str]
    why: str


def explanations(file: Path = EXPLAINED) -> list[Explanation]:
    """Return all explanations."""
    rows = tomllib.loads(file.read_text(encoding="utf-8"))["explained"]
    return [Explanation(row["function"], row["changes"], row["why"]) for row in rows]


def unexplained(found: Iterable[Survivor], rows: Iterable[Explanation]) -> tuple[list[Survivor], list[str]]:
    """Return the survivors that no row explains, and the rows' texts that explain none."""
    left = list(found)
    idle = []
    for row in rows:
        for text in row.changes:
            match = next((one for one in left if one.function == row.function and text in one.change), None)
            if match is None:
                idle.append(f"{row.function}: {text}")
            else:
                left.remove(match)
    return left, idle


def change(old: str, new: str) -> str:
    """Return what is different in two versions of a line, without what stands before and after it."""
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    while before and after and before[0] == after[0]:
        before, after = before[1:], after[1:]
    while before and after and before[-1] == after[-1]:
        before, after = before[:-1], after[:-1]
    return f"{''.join(before).strip()} → {''.join(after).strip()}"
