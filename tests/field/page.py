"""The page docs/reference/set-ups.md, made from the table of set-ups."""

from __future__ import annotations

from tests.field.setups import GROUPS

HEAD = """\
These are small equivalents of what people run. Each of them is created in a real API server, and the operator works on
it, without pods and with verification off. The last column is the result. Without further words, the operator writes
the path into `CHAINLIT_ROOT_PATH`, and a path that the route strips into `CHAINLIT_PARENT_ROOT_PATH`. The objects of
each set-up are in `tests/field`.
"""


def page() -> str:
    """Return the page without its title: a table for each group."""
    lines = [HEAD]
    for group, setups in GROUPS.items():
        lines += [f"## {group}\n", "| set-up | result |", "|---|---|"]
        lines += [f"| {setup.title} | {setup.result} |" for setup in setups]
        lines.append("")
    return "\n".join(lines)
