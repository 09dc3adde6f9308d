"""The client of the API: its connections, and what it makes of a refusal."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from aiohttp import web
from tests.unit.apiserver import error, serving
from tests.waiting import until

from chainlit_operator.kube.client import Api
from chainlit_operator.kube.errors import ApiError


async def test_a_watch_of_each_kind_in_many_namespaces_leaves_room_for_writes() -> None:
    watches = 20 * 8
    watching = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal watching
        if "watch" not in request.query:
            return web.json_response({})
        watching += 1
        await asyncio.Event().wait()
        raise AssertionError

    async def watch(api: Api, namespace: str) -> None:
        async for _ in api.watch("Service", namespace, "1", 60):
            pass

    async with serving(answer) as api:
        tasks = [asyncio.create_task(watch(api, f"team-{n}")) for n in range(watches)]
        try:
            await until(lambda: watching == watches)
            await asyncio.wait_for(api.create_event("team-0", {}), 5)
        finally:
            for task in tasks:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize(
    ("given", "known"),
    [("Forbidden", "Forbidden"), ("", "HTTP403"), ("Deployment chat of request 4711 has no owner", "HTTP403")],
)
async def test_a_reason_is_one_of_few(given: str, known: str) -> None:
    async with serving(error(403, given, "No owner.")) as api:
        with pytest.raises(ApiError, match="No owner") as raised:
            await api.create_event("shop", {})
    assert (raised.value.code, raised.value.reason) == (403, known)
