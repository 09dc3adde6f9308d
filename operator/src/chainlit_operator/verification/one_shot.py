"""One verification asked for by hand: a URL in, an outcome out, without a cluster."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import replace

from yarl import URL

from chainlit_operator.domain import paths
from chainlit_operator.verification import prober
from chainlit_operator.verification.edge_tls import EdgeTLS

#: Seconds between two attempts.
PAUSE = 1.0


class AddressError(Exception):
    """What was given is no address of an app; the text says why."""


def target_of(url: str, *, connect_to: str = "", at_service: bool = False, parent_root_path: str = "") -> prober.Target:
    """Return what to ask for the app whose page is at ``url``. Raises AddressError.

    ``connect_to`` (``host[:port]``) is connected to in place of the URL's host. ``at_service`` asks as other pods do,
    and then ``parent_root_path`` is what the page has before the path because a route strips it.
    """
    try:
        parts = URL(url)
        scheme, authority = parts.scheme, parts.raw_authority
    except ValueError as error:
        raise AddressError(f"{url!r} is not a URL: {error}") from error
    if scheme not in ("http", "https") or not parts.raw_host:
        raise AddressError(f"{url!r} is not a URL such as https://example.com/chat/")
    if parts.raw_query_string or parts.raw_fragment or parts.user:
        raise AddressError(f"{url!r} has more than scheme, host, port and path: give the address of the page")
    root_path, parent = paths.normalise(parts.raw_path), paths.normalise(parent_root_path)
    for path in (root_path, parent):
        if trouble := paths.problem(path):
            raise AddressError(f"Chainlit cannot be served at {path!r}: {trouble}")
    if connect_to and not _is_host_and_port(connect_to):
        raise AddressError(
            f"--connect-to {connect_to!r} is not HOST or HOST:PORT, such as traefik.traefik or [::1]:8000"
        )
    asked = prober.Target(f"{scheme}://{authority}", root_path, parent, at_edge=not at_service)
    return replace(asked, base_url=f"{scheme}://{connect_to}", host_header=authority) if connect_to else asked


def _is_host_and_port(text: str) -> bool:
    """Whether a text is a host with a port or without."""
    try:
        parts = URL(f"http://{text}")
    except ValueError:
        return False
    return bool(parts.raw_host and parts.port) and re.search(r"[\s/@?#\\]", text) is None


async def ask(target: prober.Target, edge_tls: EdgeTLS, *, timeout: float, wait: float) -> prober.Outcome:  # noqa: ASYNC109
    """Probe until that succeeds or ``wait`` seconds are over, and return the last outcome.

    ``timeout`` is for each attempt, in seconds. Every address may be asked: who calls this has chosen it.
    """
    limits = replace(prober.DEFAULT_LIMITS, total_seconds=timeout, connect_seconds=timeout)
    tls = edge_tls.context()
    end = time.monotonic() + wait
    while True:
        found = await prober.probe(target, limits, allow=_any, tls=tls)
        if found.reachable:
            return found
        if time.monotonic() + PAUSE > end:
            break
        await asyncio.sleep(PAUSE)
    return found if target.at_edge else await prober.explain(target, found, limits, allow=_any, tls=tls)


def _any(_: prober.IPAddress) -> bool:
    return True
