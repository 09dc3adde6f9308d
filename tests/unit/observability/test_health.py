"""Where the HTTP server of the operator listens."""

from __future__ import annotations

import socket

import aiohttp
import pytest

from chainlit_operator.observability import health


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "heard"), [("", ["127.0.0.1", "[::1]"]), ("[::]", ["[::1]"]), ("127.0.0.1", ["127.0.0.1"])]
)
async def test_addresses_of_both_families(host: str, heard: list[str]) -> None:
    port = free_port()
    runner = await health.serve(f"{host}:{port}", stale=str, unready=str)
    try:
        assert [place for place in ("127.0.0.1", "[::1]") if await answers(f"http://{place}:{port}/healthz")] == heard
    finally:
        await runner.cleanup()


async def answers(url: str) -> bool:
    async with aiohttp.ClientSession() as http:
        try:
            async with http.get(url) as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False
