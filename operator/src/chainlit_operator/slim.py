"""Keeps the parts of the ``kubernetes`` package that are not used here out of the process: 18 of 70 MiB.

Of that package the operator uses how a cluster is configured and how TLS and credentials follow from it. But ``import
kubernetes.aio.config`` first runs three ``__init__.py``: the first loads the synchronous client with requests, urllib3
and oauthlib, the second a dynamic client, the third the API clients with pydantic; and kopf loads the synchronous
models, to recognise them in the arguments of handlers. Only the program does without, before all other imports: see
``__main__.py``.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: Packages that are made and never executed: their submodules are found through them as usual.
_SHELLS = ("kubernetes", "kubernetes.aio", "kubernetes.aio.client")
_UNUSED = "kubernetes.client"


@contextmanager
def imports() -> Iterator[None]:
    """Meanwhile those packages have no contents of their own, and kopf does not find the synchronous client."""
    if importlib.util.find_spec("kubernetes") is None or "kubernetes" in sys.modules:
        yield
        return
    for name in _SHELLS:
        _make_shell(name)
    sys.modules[_UNUSED] = None  # type: ignore[assignment]  # the import system's word for "cannot be imported"
    client = sys.modules["kubernetes.aio.client"]
    client.Configuration = importlib.import_module("kubernetes.aio.client.configuration").Configuration  # type: ignore[attr-defined]
    client.ApiClient = _ApiClient  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del sys.modules[_UNUSED]


def _make_shell(name: str) -> None:
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ImportError(f"no package {name}", name=name)
    sys.modules[name] = importlib.util.module_from_spec(spec)
    parent, _, own = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], own, sys.modules[name])


class _ApiClient:
    """Stands for a class that ``kubernetes.aio.config`` names in functions that are not used here."""

    def __init__(self, **_: object) -> None:
        raise NotImplementedError("the operator makes its requests by chainlit_operator.kube.client")
