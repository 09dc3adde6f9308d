"""The HTTP server: ``/healthz`` (no watch hangs), ``/readyz`` (every kind was listed once), ``/metrics``."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


class ListenError(Exception):
    """The address cannot be listened on."""


async def serve(address: str, *, stale: Callable[[], str], unready: Callable[[], str]) -> web.AppRunner:
    """Serve on ``address``; returns the runner to clean up. Raises ListenError.

    It is host:port. Without a host, as in ``:8080``, it is all addresses, of IPv4 and IPv6; ``[::]`` is IPv6 alone.

    ``stale`` returns which watch hangs, ``unready`` which kinds were not listed yet; an empty text means none.
    """

    async def healthz(_: web.Request) -> web.Response:
        return _answer(stale())

    async def readyz(_: web.Request) -> web.Response:
        return _answer(unready())

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    host, _, port = address.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]") or None, int(port)).start()
    except (OSError, ValueError, OverflowError) as error:
        await runner.cleanup()
        raise ListenError(f"cannot listen on {address}: {error}") from error
    return runner


def _answer(problem: str) -> web.Response:
    return web.Response(status=503 if problem else 200, text=f"{problem or 'ok'}\n")
