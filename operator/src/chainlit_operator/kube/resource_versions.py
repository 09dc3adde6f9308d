"""Resource versions: which of two is older, and what an older list says of the cluster."""

from __future__ import annotations


class RestoredError(Exception):
    """The cluster is one of the past: what is known is of versions yet to come, which only a restart forgets."""


def ensure_later(version: str, seen: str, kind: str) -> None:
    """Raise RestoredError if a list's resource version precedes one that was seen before the list was asked for."""
    if is_older(version, seen):
        raise RestoredError(
            f"the list of {kind} has resource version {version}, after {seen}: etcd was restored from a backup, and "
            "what is known has to be read anew"
        )


def is_older(version: str, than: str) -> bool:
    """Whether a resource version precedes another one of the same kind; both are decimal numbers (KEP-5504)."""
    return version.isdecimal() and than.isdecimal() and int(version) < int(than)
