"""Reading what a Chainlit app sends to the prober: the Engine.IO open packet and the page's script.

Everything here takes bytes or text from an untrusted peer and does a bounded amount of work on it.
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

# Some releases of html.parser take quadratic time over an unfinished tag: 16 KiB of "<a " cost 1.5 s.
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
    """Tell whether an answer is an HTML page, by its media type or its first character."""
    return content_type in ("text/html", "application/xhtml+xml") or body.lstrip()[:1] == b"<"


def is_javascript(content_type: str) -> bool:
    """Tell whether browsers run a module script of this media type (no parameters, lower case)."""
    return content_type in _JAVASCRIPT_TYPES


def parse_open_packet(body: bytes) -> str | None:
    """Return the session id of an Engine.IO v4 open packet received by polling, or None if it is not one.

    A polling body may hold several packets, separated by 0x1E; the open packet comes first.
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
            first.setdefault(name, value or "")  # of repeated attributes browsers take the first
        if first.get("type", "").strip().lower() == "module" and "src" in first:
            self.sources.append(first["src"].strip())


async def module_scripts(html: str) -> list[str]:
    """Return the ``src`` values of a page's module scripts, in order.

    Returns nothing for a page that cannot be parsed or costs too much. Yields to the event loop between
    pieces, so that a hostile page delays nothing else noticeably.
    """
    parser = _ModuleScripts()
    spent = 0.0
    for start in range(0, len(html), _FEED_CHARS):
        began = time.thread_time()
        try:
            parser.feed(html[start : start + _FEED_CHARS])
        except (AssertionError, ValueError):  # what html.parser raises for some malformed declarations
            return []
        spent += time.thread_time() - began
        if spent > _PARSE_CPU_SECONDS:
            return []
        await asyncio.sleep(0)
    return parser.sources


def own_script(sources: list[str], page_path: str) -> str | None:
    """Choose the page's own module script and return its path (with query) as a browser would request it.

    ``page_path`` is the page's path in the browser and ends with a slash. Scripts with a scheme or a host are
    not the app's own. A custom script may stand before Chainlit's bundle.
    """
    paths = [path for path in (_resolve(src, page_path) for src in sources) if path is not None]
    return next((path for path in paths if f"/{chainlit.ASSETS}/" in path), paths[0] if paths else None)


def _resolve(src: str, page_path: str) -> str | None:
    # The pattern has no backslash, space or control character: browsers read those differently from urljoin.
    src = src.partition("#")[0]
    if len(src) > _MAX_SRC_CHARS or not _SRC.fullmatch(src):
        return None
    if urlsplit(src).scheme:
        return None
    path = urljoin(page_path, src)
    segments = unquote(path.partition("?")[0]).split("/")[1:]
    return None if any(part in ("", ".", "..") for part in segments) else path
