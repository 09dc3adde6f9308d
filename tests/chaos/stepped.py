"""Runs the operator with a wall clock that is off by the seconds in the file $CHAOS_CLOCK, read at each look at it.

The monotonic clock is left alone, as it is by whoever sets a machine's clock. It is a program of its own, since the
clock must be replaced before anything takes a name from ``time`` or ``datetime``.
"""

from __future__ import annotations

import datetime
import os
import runpy
import sys
import time
from pathlib import Path
from typing import Any

_wall, _wall_ns = time.time, time.time_ns
_real = datetime.datetime


class _Kind(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _real)


class _Datetime(_real, metaclass=_Kind):
    """What C code makes is a datetime too."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        return cls.now(datetime.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls) -> Any:
        return cls.now()


def _off() -> float:
    return float(Path(os.environ["CHAOS_CLOCK"]).read_text())


def main() -> None:
    """Replace the clock, and be the operator."""
    time.time = lambda: _wall() + _off()
    time.time_ns = lambda: _wall_ns() + int(_off() * 1e9)
    datetime.datetime = _Datetime  # type: ignore[misc]
    del sys.path[0]  # this directory, whose names are not the operator's
    runpy.run_module("chainlit_operator", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
