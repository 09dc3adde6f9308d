"""The commands of a section of README, one by one, and the values in them that a reader chooses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tests.docs.blocks import of_page

PAGE = "README.md"
#: Values in the commands of README that a reader replaces by values of their own.
CHOICES = ("REGISTRY", "team-a", "support", "chat")
_DOCUMENT = re.compile(r"<<'(\w+)'")
_COMMENT = re.compile(r"(?m)\s+#.*$")


def of_section(section: str) -> list[str]:
    """Return the commands of a section of README, as they are printed."""
    blocks = [block for block in of_page(PAGE) if block.section == section and block.is_commands]
    return [command for block in blocks for command in split(block.text)]


def split(text: str) -> Iterator[str]:
    """Yield the commands of a block. A command goes on after a backslash, and with the document that it reads."""
    lines: list[str] = []
    end = ""
    for line in text.splitlines():
        lines.append(line)
        if end:
            is_last = line == end
        elif found := _DOCUMENT.search(line):
            end, is_last = found[1], False
        else:
            is_last = not line.endswith("\\")
        if is_last:
            yield "\n".join(lines)
            lines, end = [], ""


def title(command: str) -> str:
    """Return a command as a line for a table: without comment, document and indentation."""
    first = _DOCUMENT.split(_COMMENT.sub("", command))[0]
    return " ".join(first.replace("\\\n", " ").split())


def choices(commands: Sequence[str]) -> list[str]:
    """Return the values in some commands that the reader chooses, each once."""
    bare = _COMMENT.sub("", "\n".join(commands))
    return [word for word in CHOICES if re.search(rf"(?<![\w./-]){word}(?![\w-])", bare)]
