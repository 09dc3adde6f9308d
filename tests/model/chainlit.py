"""Chainlit 2.12 as seen from outside, and what a browser asks of it.

Written from measurements of the real one, for values of its two variables; it shares nothing with the operator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

#: The values of CHAINLIT_ROOT_PATH with which it starts and a browser shows its page, beside none. Browsers resolve
#: the segments ``.`` and ``..`` before they ask.
_USABLE = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)+")


@dataclass(frozen=True)
class Request:
    """What a browser sends: method, and an address in its parts. ``port`` 0 is the scheme's own."""

    method: str
    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True)
class Chainlit:
    """A process with CHAINLIT_ROOT_PATH and CHAINLIT_PARENT_ROOT_PATH; empty is unset."""

    root_path: str = ""
    parent_root_path: str = ""

    @property
    def starts(self) -> bool:
        """Whether the process starts, and serves a page that browsers show."""
        return not self.page_prefix or _USABLE.fullmatch(self.page_prefix) is not None

    @property
    def page_prefix(self) -> str:
        """What stands before every address in its page; the socket's address is made of it too."""
        return self.parent_root_path + self.root_path

    def serves(self, method: str, path: str) -> str:
        """Return what answers a request: page, asset, socket, upload, translations, change, bot; empty for nothing
        of use.
        """
        if not self.starts or not path.startswith(f"{self.root_path}/"):
            return ""
        inside = path.removeprefix(self.root_path)
        for beginning, methods, kind in _ROUTES:
            if inside == beginning or (beginning.endswith("/") and inside.startswith(beginning)):
                return kind if method in methods else ""
        # Everything else that is asked for by GET is answered with the page, whatever it is.
        return "page" if method == "GET" else ""


#: Paths, or their beginnings, with the methods that they take and what answers.
_ROUTES = (
    ("/ws/socket.io/", ("GET", "POST"), "socket"),
    ("/assets/", ("GET",), "asset"),
    ("/project/file", ("POST",), "upload"),
    ("/project/translations", ("GET",), "translations"),
    ("/feedback", ("PUT", "DELETE"), "change"),
    ("/project/thread", ("PUT", "DELETE"), "change"),
    ("/slack/events", ("POST",), "bot"),
    ("/teams/events", ("POST",), "bot"),
)


def visit(url: str, chainlit: Chainlit) -> Iterator[tuple[Request, str]]:
    """What a browser asks for when a user opens ``url``, sends a file, judges an answer and deletes a thread, and what
    Slack and Teams send to the app.

    All but the page are found by the addresses in the page, which are absolute paths on the page's own origin.
    """
    parts = urlsplit(url)
    wanted = [
        ("GET", parts.path, "page"),
        ("GET", f"{chainlit.page_prefix}/assets/index-B3l.js", "asset"),
        ("GET", f"{chainlit.page_prefix}/project/translations", "translations"),
        ("GET", f"{chainlit.page_prefix}/ws/socket.io/", "socket"),
        ("POST", f"{chainlit.page_prefix}/ws/socket.io/", "socket"),
        ("POST", f"{chainlit.page_prefix}/project/file", "upload"),
        ("PUT", f"{chainlit.page_prefix}/feedback", "change"),
        ("DELETE", f"{chainlit.page_prefix}/project/thread", "change"),
        ("POST", f"{chainlit.page_prefix}/slack/events", "bot"),
        ("POST", f"{chainlit.page_prefix}/teams/events", "bot"),
        ("GET", f"{chainlit.page_prefix}/public/Logo_dark-2.png", "page"),
        ("GET", f"{chainlit.page_prefix}/thread/5f0c9a1e-7d2b-4c3d-9e8f-0A1B2C3D4E5F", "page"),
    ]
    for method, path, kind in wanted:
        yield Request(method, parts.scheme, parts.hostname or "", parts.port or 0, path), kind
