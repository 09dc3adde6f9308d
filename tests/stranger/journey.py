"""What a stranger does, and how long each command takes."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster import console
from tests.cluster.console import say
from tests.cluster.versions import REPOSITORY
from tests.stranger import commands

#: What a shell of this project has, and that of a stranger has not.
OURS = ("CLUSTER", "ENGINE", "KUBECONFIG", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHONPATH", "VIRTUAL_ENV")


@dataclass
class Journey:
    """A way to a chat: the commands, as README prints them, and the seconds that each step took.

    ``variables`` are what the stranger's shell has, beside its ordinary ones. ``chosen`` has the stranger's value for a
    value in the commands.
    """

    name: str
    directory: Path
    variables: Mapping[str, str]
    chosen: Mapping[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    steps: list[tuple[str, float]] = field(default_factory=list)

    def run(self, command: str) -> str:
        """Run a command and return what it prints. Raises ClusterError."""
        self.commands.append(command)
        with self.timed(commands.title(command)):
            return self.look(command)

    def look(self, command: str) -> str:
        """Run a command that is not counted and return what it prints. Raises ClusterError."""
        for word, value in self.chosen.items():
            command = command.replace(word, value)
        shell = ["env", *(f"--unset={name}" for name in OURS), *(f"{k}={v}" for k, v in self.variables.items())]
        return console.run([*shell, "bash", "-euo", "pipefail", "-c", command], cwd=self.directory, timeout=900)

    @contextmanager
    def timed(self, title: str) -> Iterator[None]:
        """Note the seconds of a step."""
        say(f"$ {title}")
        begun = time.monotonic()
        yield
        self.steps.append((title, time.monotonic() - begun))

    def chat(self, url: str, host: str = "") -> None:
        """Open a chat and talk, with another Host header if there is a ``host``. Raises ClusterError."""
        words = ["-m", "tests.e2e.chat", "--wait=30", *([f"--host={host}"] if host else []), url]
        with self.timed("open the chat, and say hello"):
            said = console.run([sys.executable, *words], cwd=REPOSITORY, timeout=90)
        say(f"    {said.strip()}")

    @property
    def seconds(self) -> float:
        """The sum of all steps."""
        return sum(seconds for _, seconds in self.steps)

    def table(self) -> str:
        """Return the steps with their seconds, and the number of commands and of values to choose."""
        chosen = commands.choices(self.commands)
        rows = [f"{seconds:7.1f}  {title}" for title, seconds in self.steps]
        decisions = f"{len(chosen)} values to choose" + (f": {', '.join(chosen)}" if chosen else "")
        rows.append(f"{self.seconds:7.1f}  in all; {len(self.commands)} commands, {decisions}")
        return "\n".join([f"{self.name}", "seconds  command", *rows])
