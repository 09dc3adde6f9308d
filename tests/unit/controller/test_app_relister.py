"""The relister: what is gone is removed, and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from tests.unit.apiserver import ApiServer, error, page, reply
from tests.unit.domain.world import app
from tests.waiting import until

from chainlit_operator.controller import app_relister
from chainlit_operator.controller.app_intake import AppIntake
from chainlit_operator.controller.app_relister import AppRelister
from chainlit_operator.kube.resource_versions import RestoredError
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State


def listed(name: str, uid: str | None = None) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop", "uid": uid or f"uid-of-{name}"}}


async def swept(*pages: Any) -> set[str]:
    server, told = ApiServer(), list[Ref]()
    server.script = [reply(found) for found in pages]
    cache = State(told.append)
    for name in ("kept", "gone", "renewed"):
        cache.put_app(app(name))
    async with server.serving() as api:
        await asyncio.wait_for(AppRelister(api, AppIntake(cache), ("shop",)).remove_deleted(), 5)
    assert server.requests[0][1].endswith("/namespaces/shop/chainlitapps")
    return {ref.name for ref in cache.apps}


async def test_gone_is_forgotten() -> None:
    assert await swept(page(listed("kept"), token="t"), page(listed("renewed"))) == {"kept", "renewed"}


async def test_another_app_of_the_same_name_does_not_keep_it() -> None:
    assert await swept(page(listed("kept"), listed("renewed", "another-uid"))) == {"kept"}


async def test_a_list_of_the_past_ends_it() -> None:
    server = ApiServer()
    server.script = [reply(page(listed("kept"), version=version)) for version in ("10", "9")]
    cache = State(lambda _: None)
    async with server.serving() as api:
        relister = AppRelister(api, AppIntake(cache), ("shop",))
        await relister.list_all()
        with pytest.raises(RestoredError, match="ChainlitApp has resource version 9, after 10"):
            await relister.remove_deleted()


async def test_a_list_that_is_overtaken_by_another_is_none_of_the_past() -> None:
    server, is_overtaken = ApiServer(), asyncio.Event()

    async def late(request: web.Request) -> web.StreamResponse:
        await is_overtaken.wait()
        return await reply(page(version="9"))(request)

    server.script = [late, reply(page(version="10")), reply(page(version="10"))]
    async with server.serving() as api:
        relister = AppRelister(api, AppIntake(State(lambda _: None)), ("shop",))
        overtaken = asyncio.create_task(relister.remove_deleted())
        await until(lambda: len(server.requests) == 1)
        await relister.remove_deleted()
        is_overtaken.set()
        await asyncio.wait_for(overtaken, 5)
        await relister.remove_deleted()


async def test_nothing_is_gone() -> None:
    every = {"kept", "gone", "renewed"}
    assert await swept(page(*(listed(name) for name in every), listed("unknown"))) == every


def whole(name: str, aimed: Any = "chat") -> dict[str, Any]:
    return listed(name) | {"spec": {"workload": {"ref": {"name": aimed}}}}


async def test_all_apps_are_known_before_work_begins() -> None:
    server = ApiServer()
    server.script = [
        error(503, "ServiceUnavailable"),
        reply(page(whole("one"), token="t")),
        reply(page(whole("strange", {}), whole("two"))),
    ]
    cache = State(lambda _: None)
    async with server.serving() as api:
        relister = AppRelister(api, AppIntake(cache), ("shop",))
        await asyncio.wait_for(relister.list_all(), 5)
    assert {ref.name for ref in cache.apps} == {"one", "two"}
    assert relister.last_error is None


async def test_a_list_of_all_removes_what_was_deleted_before() -> None:
    server = ApiServer()
    server.script = [reply(page(whole("kept")))]
    cache = State(lambda _: None)
    for name in ("kept", "gone"):
        cache.put_app(app(name))
    async with server.serving() as api:
        await asyncio.wait_for(AppRelister(api, AppIntake(cache), ("shop",)).list_all(), 5)
    assert {ref.name for ref in cache.apps} == {"kept"}


async def test_it_lists_at_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_relister, "INTERVAL_SECONDS", 0.01)
    monkeypatch.setattr(app_relister, "RETRY_SECONDS", 0.01)
    server, gone = ApiServer(), asyncio.Event()
    server.script = [error(503, "ServiceUnavailable"), reply(page(listed("kept")))]
    cache = State(lambda ref: gone.set() if ref not in cache.apps else None)
    for name in ("kept", "gone"):
        cache.put_app(app(name))
    async with server.serving() as api:
        running = asyncio.create_task(AppRelister(api, AppIntake(cache), ("shop",)).run())
        await asyncio.wait_for(gone.wait(), 5)
        running.cancel()
    assert {ref.name for ref in cache.apps} == {"kept"}
