"""The fenced blocks of the pages that people read: commands, manifests, values."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).parents[2]
#: Whoever installs or uses this software reads these. Pages for people who change the code are not among them.
PAGES = (
    "README.md",
    "charts/chainlit/README.md",
    "charts/chainlit-operator/README.md",
    *sorted(str(page.relative_to(TOP)) for page in (TOP / "docs").rglob("*.md")),
)
#: What a block of commands begins with, where the fence says no more than that it is a console.
PROGRAMS = ("docker", "helm", "kubectl", "make")

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of a page; ``line`` is that of its first line, ``section`` the heading above it."""

    page: str
    section: str
    language: str
    text: str
    line: int

    @property
    def place(self) -> str:
        """Where it is, as an editor opens it."""
        return f"{self.page}:{self.line}"

    @property
    def is_commands(self) -> bool:
        """Whether a reader pastes it into a shell."""
        return self.language == "sh" or (self.language == "console" and self.text.startswith(PROGRAMS))

    @property
    def file(self) -> str:
        """The name of the file that its first line says it is; empty if there is none."""
        found = re.match(r"# ([\w.-]+\.ya?ml)\b", self.text)
        return found[1] if found else ""


def of_page(page: str, top: Path = TOP) -> Iterator[Block]:
    """Yield the blocks of a page in their order."""
    yield from blocks_of(page, (top / page).read_text(encoding="utf-8"))


def blocks_of(page: str, text: str) -> Iterator[Block]:
    """Yield the blocks of a text in their order."""
    bare = _FENCE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)  # a comment in a shell is no heading
    headings = [(found.start(), found[1]) for found in _HEADING.finditer(bare)]
    for found in _FENCE.finditer(text):
        section = next((title for start, title in reversed(headings) if start < found.start()), "")
        body = textwrap.dedent(found["text"])
        yield Block(page, section, found["language"], body, text.count("\n", 0, found.start()) + 2)


def everywhere() -> list[Block]:
    """Return the blocks of all pages."""
    return [block for page in PAGES for block in of_page(page)]
