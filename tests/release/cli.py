"""The command line: python3 -m tests.release <command>."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from tests.cluster.console import say
from tests.cluster.errors import ClusterError
from tests.release import workflows

DESCRIPTION = "Makes, checks and rehearses a release."


def check_workflows(_: argparse.Namespace) -> None:
    """check the workflows of GitHub with actionlint and zizmor"""
    workflows.check()


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {"workflows": check_workflows}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python3 -m tests.release", description="Makes, checks and rehearses a release."
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="command")
    for name, command in COMMANDS.items():
        added = commands.add_parser(name, help=command.__doc__, description=command.__doc__)
        added.set_defaults(run=command)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 1 after an expected failure, which is told in words."""
    chosen = parser().parse_args(arguments)
    try:
        chosen.run(chosen)
    except (ClusterError, OSError) as error:
        say(f"error: {error}")
        return 1
    return 0
