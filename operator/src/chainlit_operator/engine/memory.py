"""Memory after the start: what has been listed stays, what was needed for listing goes."""

from __future__ import annotations

import ctypes
import gc


def settle() -> None:
    """Spare the garbage collector the objects that are there now, and give free memory back to the system.

    Without this each full collection looks at all that the cache holds, which delays changes by tens of
    milliseconds, and the space that the lists took remains the process's own. What changes later is freed by its
    reference count as ever.
    """
    gc.collect()
    gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; other C libraries do it by themselves
    if trim is not None:
        trim(0)
