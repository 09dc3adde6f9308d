"""Garbage collection and memory: settings for the start, and for the time after it."""

from __future__ import annotations

import ctypes
import gc

_USUAL = gc.get_threshold()
#: The number of new objects after which the collector runs. A start makes a million objects that stay. With the usual
#: 700, the collector visits all of them several times, which takes a fifth of the time of the start.
_AT_START = 20_000


def collect_rarely() -> None:
    """Let the garbage collector run rarely, until :func:`freeze_and_trim`."""
    gc.set_threshold(_AT_START)


def freeze_listed() -> None:
    """Exclude the objects that were listed from collections during the first wave of work."""
    gc.collect(1)
    gc.freeze()


def freeze_and_trim() -> None:
    """Exclude the objects that exist now from collections, and return free memory to the system.

    Without this, each full collection looks at the whole cache, which delays changes by tens of milliseconds, and the
    memory of the lists stays with the process. Objects that change later are freed by their reference count.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_USUAL)
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc; other C libraries need no call
    if trim is not None:
        trim(0)
