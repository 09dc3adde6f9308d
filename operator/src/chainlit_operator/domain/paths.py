"""URL path prefixes: their normal form, the prefixes that Chainlit can serve, and the law of alignment.

A *prefix* is ``""`` (everything) or ``/a/b``: segments, a slash before each, no slash at the end. Only
:func:`normalise` brings paths to this form. A test compares it with the helper of the app chart.
"""

from __future__ import annotations

import re
from typing import NamedTuple

#: The longest path, expression or replacement that the operator reads, in characters; servers accept no longer URLs.
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

    It removes white space around the text, doubled slashes and slashes at the end, and adds a missing slash at the
    beginning. Without these corrections Chainlit exits at start or serves a blank page, and the meaning is clear.
    """
    return "".join(f"/{segment}" for segment in text.strip().split("/") if segment)


def problem(prefix: str) -> str | None:
    """Return why Chainlit cannot serve ``prefix`` (in normal form); None if it can.

    With characters outside ``[A-Za-z0-9._~-]`` the socket may answer while the page stays blank. Browsers resolve
    ``.`` and ``..`` before they send a request.
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
    """Return the variables that the law of alignment gives for two prefixes; None where no values can work.

    ``public`` is the prefix in the browser's URL, ``backend`` the prefix that the backend receives. Chainlit mounts its
    routes at the root path, and puts the parent root path before the URLs in its page. So it can serve the route if and
    only if ``public`` ends with ``backend`` at a segment boundary.
    """
    if not public.endswith(backend):
        return None
    parent = public.removesuffix(backend) if backend else public
    return RootPaths(root_path=backend, parent_root_path=parent)


def agree(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two pairs of a prefix and the prefix that arrives mean the same rewrite for requests below both."""
    (above, arrives), (below, expected) = sorted((one, other), key=lambda pair: len(pair[0]))
    return arrives + below.removeprefix(above) == expected


def mounted(backend: str, mount_path: str) -> str:
    """Return the prefix at which the backend serves a Chainlit that another app mounts at ``mount_path``.

    The other app either mounts Chainlit at a path with ``backend`` in it (``/api/chainlit``), or removes ``backend``
    first, because its own root path says so, and mounts Chainlit at the rest. Without a mount path it is ``backend``.
    """
    return mount_path if mount_path and is_below(mount_path, backend) else backend + mount_path
