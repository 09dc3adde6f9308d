"""Paths and hosts of requests: how rules match them."""

from __future__ import annotations


def by_elements(path: str, prefix: str) -> bool:
    """Whether a path is a prefix, or below it."""
    return prefix == "/" or path == prefix.rstrip("/") or path.startswith(prefix.rstrip("/") + "/")


def by_characters(path: str, prefix: str) -> bool:
    """Whether a path begins with a text."""
    return path.startswith(prefix)


def with_slash(path: str) -> str:
    """The path with a slash before it; an empty one stays empty."""
    return path if path.startswith("/") or not path else f"/{path}"


def host_of_one_label(pattern: str, host: str) -> bool:
    """Whether a host is one of a pattern's; its wildcard stands for one label. The empty pattern is for all hosts."""
    return pattern in ("", host) or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:])


def host_of_some_labels(pattern: str, host: str) -> bool:
    """The same, but the wildcard stands for one label or more."""
    return pattern in ("", host) or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def concrete(host: str) -> str:
    """A host that a pattern is for."""
    return host.replace("*", "some") or "any.example"
