"""Resource versions: which of two is older, and the detection of a cluster that was restored from a backup."""

from __future__ import annotations


class RestoredError(Exception):
    """etcd was restored from a backup: the caches hold newer resource versions than the server.

    A restart rebuilds them.
    """


def ensure_not_older(version: str, seen: str, kind: str) -> None:
    """Raise RestoredError if a list's resource version precedes one that was seen before the list was requested."""
    if is_older(version, seen):
        raise RestoredError(
            f"the list of {kind} has resource version {version}, after {seen}: etcd was restored from a backup, and "
            "everything must be read again"
        )


def is_older(version: str, than: str) -> bool:
    """Whether a resource version precedes another one of the same kind; both are decimal numbers (KEP-5504)."""
    return version.isdecimal() and than.isdecimal() and int(version) < int(than)
