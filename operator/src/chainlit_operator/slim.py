"""Keeps the half of the ``kubernetes`` package that is not used here out of the process: 8 of 67 MiB.

``import kubernetes.aio`` first runs ``kubernetes/__init__.py``, and that loads the synchronous client with requests,
urllib3 and oauthlib; kopf loads its models too, to recognise them in the arguments of handlers. Only the program
does this, before all other imports: see ``__main__.py``.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_UNUSED = "kubernetes.client"


@contextmanager
def imports() -> Iterator[None]:
    """Meanwhile ``kubernetes`` is a package without contents of its own, and kopf does not find its client."""
    spec = importlib.util.find_spec("kubernetes")
    if spec is None or "kubernetes" in sys.modules:
        yield
        return
    # Made and never executed: submodules are found through it as usual.
    sys.modules["kubernetes"] = importlib.util.module_from_spec(spec)
    sys.modules[_UNUSED] = None  # type: ignore[assignment]  # the import system's word for "cannot be imported"
    try:
        yield
    finally:
        del sys.modules[_UNUSED]
