"""The reference to one object of the cluster: the only record that ``kube`` and ``domain`` share."""

from __future__ import annotations

from typing import NamedTuple


class Ref(NamedTuple):
    """One object of the cluster: kind, namespace and name.

    A tuple: each decision looks up about sixty references, and a dataclass costs ten times as much to hash and compare.
    """

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"
