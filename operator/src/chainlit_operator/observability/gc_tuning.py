"""Memory after the start: what has been listed stays, what was needed for listing goes."""

from __future__ import annotations

import ctypes
import gc

_USUAL = gc.get_threshold()
#: Net new objects after which the collector looks at the young ones. A start makes a million that stay, and at the
#: usual 700 it would look at all of them several times: a fifth of the time that reading them takes.
_AT_START = 20_000


def begin() -> None:
    """Have the garbage collector look seldom while the cluster is listed, and until :func:`settle`."""
    gc.set_threshold(_AT_START)


def listed() -> None:
    """Spare the collector what has been listed, while the first wave of work goes on."""
    gc.collect(1)
    gc.freeze()


def settle() -> None:
    """Spare the garbage collector the objects that are there now, and give free memory back to the system.

    Without this each full collection looks at all that the cache holds, which delays changes by tens of
    milliseconds, and the space that the lists took remains the process's own. What changes later is freed by its
    reference count as ever.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_USUAL)
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; other C libraries do it by themselves
    if trim is not None:
        trim(0)
