"""Servers and clusters of fixtures: started for a block, and stopped after it, also where the start failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar


class Startable(Protocol):
    """Anything with a start and a stop; the stop also ends what was started in part."""

    def start(self) -> None:
        """Start it."""

    def stop(self) -> None:
        """Stop it."""


T = TypeVar("T", bound=Startable)


@contextmanager
def started(made: T) -> Iterator[T]:
    """Start it for the block, and stop it."""
    try:
        made.start()
        yield made
    finally:
        made.stop()
