"""The command ``probe``: a URL becomes a target, which is probed without a cluster until it works or time is over."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import replace

from yarl import URL

from chainlit_operator.domain import paths
from chainlit_operator.verification.edge_tls import EdgeTLS
from chainlit_operator.verification.prober import (
    DEFAULT_LIMITS,
    IPAddress,
    Outcome,
    Prober,
    Target,
    explain_release,
)
from chainlit_operator.verification.prober.transport import MovedToHttps

#: Seconds between two attempts.
PAUSE = 1.0
#: What the app may send in one chat, in bytes.
MAX_CHAT_BYTES = 1 << 20


class AddressError(Exception):
    """The arguments are not the address of an app; the message says why."""


def parse_target(url: str, *, connect_to: str = "", at_service: bool = False, parent_root_path: str = "") -> Target:
    """Return the target for the app whose page is at ``url``. Raises AddressError.

    ``connect_to`` (``host[:port]``) replaces the address of the URL's host. With ``at_service`` the requests are those
    of other pods, and ``parent_root_path`` is the prefix that the route strips: the page has it, the requests do not.
    """
    try:
        parts = URL(url)
        scheme, authority = parts.scheme, parts.raw_authority
    except ValueError as error:
        raise AddressError(f"{url!r} is not a URL: {error}") from error
    if scheme not in ("http", "https") or not parts.raw_host:
        raise AddressError(f"{url!r} is not a URL such as https://example.com/chat/")
    if parts.raw_query_string or parts.raw_fragment or parts.user:
        raise AddressError(f"{url!r} has more than scheme, host, port and path; give the URL of the page")
    root_path, parent = paths.normalise(parts.raw_path), paths.normalise(parent_root_path)
    for path in (root_path, parent):
        if problem := paths.problem(path):
            raise AddressError(f"Chainlit cannot be served at {path!r}: {problem}")
    if connect_to and not _is_host_and_port(connect_to):
        raise AddressError(
            f"--connect-to {connect_to!r} is not HOST or HOST:PORT, such as traefik.traefik or [::1]:8000"
        )
    target = Target(f"{scheme}://{authority}", root_path, parent, at_edge=not at_service)
    return replace(target, base_url=f"{scheme}://{connect_to}", host_header=authority) if connect_to else target


def _is_host_and_port(text: str) -> bool:
    """Whether a text is a host, with or without a port."""
    try:
        parts = URL(f"http://{text}")
    except ValueError:
        return False
    return bool(parts.raw_host and parts.port) and re.search(r"[\s/@?#\\]", text) is None


async def probe(
    target: Target,
    edge_tls: EdgeTLS,
    *,
    timeout: float,  # noqa: ASYNC109
    wait: float,
    message: str = "",
    cookie: str = "",
) -> Outcome:
    """Probe until the app works or ``wait`` seconds have passed, and return the last outcome.

    ``timeout`` is for each attempt, in seconds. Every address is allowed, because the caller chose it. A chat
    ``message``, if there is one, is sent once the app works; ``cookie`` is for an app with a login.
    """
    limits = replace(DEFAULT_LIMITS, total_seconds=timeout, connect_seconds=timeout, answer_seconds=timeout)
    prober = Prober(limits, allow=_allow_any, tls=edge_tls.context())
    end = time.monotonic() + wait
    while True:
        outcome = await prober.probe(target)
        if outcome.reachable:
            return await _chat(prober, target, message, cookie) if message else outcome
        if time.monotonic() + PAUSE > end:
            break
        await asyncio.sleep(PAUSE)
    return outcome if target.at_edge else await explain_release(prober, target, outcome)


async def _chat(prober: Prober, target: Target, message: str, cookie: str) -> Outcome:
    """Hold a chat, where the edge may redirect to https as in a probe."""
    patient = replace(prober, limits=replace(prober.limits, max_websocket_bytes=MAX_CHAT_BYTES))
    try:
        return await patient.chat(target, message, cookie)
    except MovedToHttps as moved:
        return await patient.chat(moved.target, message, cookie)


def _allow_any(_: IPAddress) -> bool:
    return True
