"""URL path prefixes: one normal form, what Chainlit can serve, and the law of alignment.

A *prefix* is ``""`` (everything) or ``/a/b``: segments, each led by one slash, no slash at the end. Every path of the
project is brought to this form by :func:`normalise` and by nothing else; the chart's template helper of the same
purpose is held to it by a test.
"""

from __future__ import annotations

import re
from typing import NamedTuple

#: The longest path, expression or replacement that is looked at; servers take no longer URLs.
MAX_LENGTH = 4096

_SEGMENT = re.compile(r"[A-Za-z0-9._~-]+")


class RootPaths(NamedTuple):
    """The two variables that make Chainlit answer behind a route; ``""`` is unset."""

    root_path: str
    """``CHAINLIT_ROOT_PATH``: prefix of every route and of the socket, ``""`` or ``/a/b``."""
    parent_root_path: str
    """``CHAINLIT_PARENT_ROOT_PATH``: prefix that only the served HTML gets, ``""`` or ``/a/b``."""


def normalise(text: str) -> str:
    """Return ``text`` as a prefix: ``""`` or ``/a/b``.

    White space around it, doubled slashes, a missing leading one and trailing ones go. Those are the values that
    make Chainlit exit at start or serve a blank page; none of them can mean anything else.
    """
    return "".join(f"/{segment}" for segment in text.strip().split("/") if segment)


def problem(prefix: str) -> str | None:
    """Say why Chainlit cannot serve ``prefix`` (in normal form), or None if it can.

    Outside ``[A-Za-z0-9._~-]`` the socket may answer while the page stays blank in a browser; ``.`` and ``..`` are
    resolved away by browsers before a request is made.
    """
    if len(prefix) > MAX_LENGTH:
        return f"it has more than {MAX_LENGTH} characters"
    for segment in prefix.split("/")[1:]:
        if not segment:
            return "a segment is empty"
        if segment in (".", ".."):
            return f"the segment {segment!r} is resolved away by browsers"
        if not _SEGMENT.fullmatch(segment):
            return f"the segment {segment!r} has characters other than letters, digits and . _ ~ -"
    return None


def is_below(prefix: str, parent: str) -> bool:
    """Whether ``prefix`` is ``parent`` or lies below it at a segment boundary."""
    return prefix == parent or prefix.startswith(f"{parent}/")


def align(public: str, backend: str) -> RootPaths | None:
    """Apply the law of alignment to two prefixes; None where no value of the variables can work.

    ``public`` is the prefix in the browser's URL, ``backend`` the one that the backend receives. Chainlit mounts its
    routes at the root path and prepends the parent root path to the URLs in its page, so it can serve the route if
    and only if ``public`` ends with ``backend`` at a segment boundary.
    """
    if not public.endswith(backend):
        return None
    parent = public.removesuffix(backend) if backend else public
    return RootPaths(root_path=backend, parent_root_path=parent)


def mounted(backend: str, mount_path: str) -> str:
    """Return the prefix at which the backend serves a Chainlit that another app mounts at ``mount_path``.

    An app that the route gives ``backend`` either mounts it there itself (``/api/chainlit``), or takes ``backend`` off
    first, being told so by its own root path, and mounts it at the rest. Without a mount path it is at ``backend``.
    """
    return mount_path if mount_path and is_below(mount_path, backend) else backend + mount_path
