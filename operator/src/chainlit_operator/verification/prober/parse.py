"""Parsers for the answers of a Chainlit app: the Engine.IO open packet, and the script of the page.

Each parser gets bytes or text of an untrusted peer, and does a bounded amount of work.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from html.parser import HTMLParser
from typing import NoReturn
from urllib.parse import unquote, urljoin, urlsplit

from chainlit_operator.domain import chainlit

OPEN_PREFIX = b'0{"sid"'
_PACKET_SEPARATOR = b"\x1e"
_SID = re.compile(r"[A-Za-z0-9_-]{1,128}")

# Some releases of html.parser need quadratic time for an unfinished tag: 16 KiB of "<a " take 1.5 s.
_FEED_CHARS = 1024
_PARSE_CPU_SECONDS = 0.25
_MAX_SCRIPTS = 32
_MAX_SRC_CHARS = 1024
_SRC = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/-]+(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")
_JAVASCRIPT_TYPES = frozenset(
    f"{top}/{prefix}{name}script"
    for top in ("text", "application")
    for prefix in ("", "x-")
    for name in ("java", "ecma")
)


def looks_like_html(content_type: str, body: bytes) -> bool:
    """Whether an answer is an HTML page, by its media type or its first character."""
    return content_type in ("text/html", "application/xhtml+xml") or body.lstrip()[:1] == b"<"


def is_javascript(content_type: str) -> bool:
    """Whether browsers run a module script of this media type (no parameters, lower case)."""
    return content_type in _JAVASCRIPT_TYPES


def parse_open_packet(body: bytes) -> str | None:
    """Return the session id in the body of an Engine.IO v4 handshake by polling; None if it has no open packet.

    A polling body may contain several packets, separated by 0x1E; the open packet comes first.
    """
    if not body.startswith(OPEN_PREFIX):
        return None
    packet = body.split(_PACKET_SEPARATOR, 1)[0]
    try:
        fields = json.loads(packet[1:].decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    sid = fields.get("sid") if isinstance(fields, dict) else None
    return sid if isinstance(sid, str) and _SID.fullmatch(sid) else None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON


class _ModuleScripts(HTMLParser):
    """Collects the ``src`` of each ``<script type="module">``."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "script" or len(self.sources) >= _MAX_SCRIPTS:
            return
        first: dict[str, str] = {}
        for name, value in attrs:
            first.setdefault(name, value or "")  # browsers use the first of repeated attributes
        if first.get("type", "").strip().lower() == "module" and "src" in first:
            self.sources.append(first["src"].strip())


async def module_scripts(html: str) -> list[str]:
    """Return the ``src`` values of a page's module scripts, in order.

    The list is empty if the page cannot be parsed or costs too much CPU time. Yields to the event loop between pieces,
    so that a hostile page does not delay other tasks noticeably.
    """
    parser = _ModuleScripts()
    spent = 0.0
    for start in range(0, len(html), _FEED_CHARS):
        began = time.thread_time()
        try:
            parser.feed(html[start : start + _FEED_CHARS])
        except (AssertionError, ValueError):  # raised by html.parser for some malformed declarations
            return []
        spent += time.thread_time() - began
        if spent > _PARSE_CPU_SECONDS:
            return []
        await asyncio.sleep(0)
    return parser.sources


def own_script(sources: list[str], page_path: str) -> str | None:
    """Choose the module script of the app itself, and return its path (with query) as a browser requests it.

    ``page_path`` is the page's path in the browser and ends with a slash. Scripts with a scheme or a host do not
    belong to the app. A custom script may come before Chainlit's bundle, which is preferred.
    """
    paths = [path for path in (_resolve(src, page_path) for src in sources) if path is not None]
    return next((path for path in paths if f"/{chainlit.ASSETS}/" in path), paths[0] if paths else None)


def _resolve(src: str, page_path: str) -> str | None:
    """Return the path that a browser requests for a script's ``src``; None if it may not be a plain path of the app."""
    # The pattern excludes backslash, space and control characters, which browsers interpret differently from urljoin.
    src = src.partition("#")[0]
    if len(src) > _MAX_SRC_CHARS or not _SRC.fullmatch(src):
        return None
    if urlsplit(src).scheme:
        return None
    path = urljoin(page_path, src)
    segments = unquote(path.partition("?")[0]).split("/")[1:]
    return None if any(part in ("", ".", "..") for part in segments) else path
