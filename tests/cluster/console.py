"""Progress for people (on standard error) and subprocesses with readable failures."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.cluster.errors import ClusterError

TAIL_LINES = 25


def say(text: str) -> None:
    """Print one line for people; standard output is kept for what programs read."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Report a piece of work with the seconds it took."""
    started = time.monotonic()
    yield
    say(f"==> {title} … {time.monotonic() - started:.0f}s")


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    timeout: float | None = None,
    stdout: IO[bytes] | None = None,
) -> str:
    """Run a command and return its standard output.

    Raises ClusterError, with the end of what the command printed, when it fails, is missing or takes longer
    than `timeout` seconds.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            env=None if env is None else {**os.environ, **env},
            cwd=cwd,
            input=None if stdin is None else stdin.encode(),
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=stdout or subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError:
        raise ClusterError(f"{words[0]}: command not found") from None
    except subprocess.TimeoutExpired:
        raise ClusterError(f"{shorten(words)}: no end after {timeout:.0f} s") from None
    if done.returncode != 0:
        said = (done.stdout or b"") + done.stderr
        raise ClusterError(f"{shorten(words)}: exit status {done.returncode}\n{tail(said)}")
    return (done.stdout or b"").decode(errors="replace")


def succeeds(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, timeout: float = 30) -> bool:
    """Tell whether a command ends with status 0 within `timeout` seconds."""
    try:
        run(command, env=env, timeout=timeout)
    except ClusterError:
        return False
    return True


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str, interval: float = 0.5) -> None:
    """Poll until the condition holds; raise ClusterError naming `what` when it has not after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise ClusterError(f"{what}: not so after {seconds:.0f} s")
        time.sleep(interval)


def shorten(words: Sequence[str]) -> str:
    """Return a command as one line fit for an error message."""
    text = " ".join(words)
    return text if len(text) <= 160 else text[:157] + "..."


def tail(said: bytes) -> str:
    """Return the last lines of a program's output, indented."""
    lines = said.decode(errors="replace").rstrip().splitlines()[-TAIL_LINES:]
    return "\n".join("    " + line for line in lines)
