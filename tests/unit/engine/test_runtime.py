"""The engine as a whole: what it says of its health, and how it ends."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.unit.engine.apiserver import ApiServer

from chainlit_operator.engine import runtime
from chainlit_operator.engine.reflector import SILENCE_SECONDS
from chainlit_operator.engine.runtime import Engine, Options


@pytest.fixture
async def engine() -> Engine:
    async with ApiServer().serving() as api:
        return Engine(api, Options(verification=False))


async def test_a_new_engine_is_alive_and_not_ready(engine: Engine) -> None:
    assert engine.stale() == ""
    assert "Ingress in all namespaces" in engine.unready()


async def test_a_watch_that_hangs_is_named(engine: Engine) -> None:
    engine.reflectors[0].last_seen -= 4 * SILENCE_SECONDS + 1
    assert engine.stale() == f"silent watches: {engine.reflectors[0]}"


async def test_kopfs_watch_that_hangs_is_named(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 4 * SILENCE_SECONDS + 1)
    for reflector in engine.reflectors:
        reflector.last_seen = time.monotonic()
    assert engine.stale() == "silent watches: ChainlitApp"
    engine.apps_asked()
    assert engine.stale() == ""


async def test_looking_for_the_crd_is_being_alive(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 4 * SILENCE_SECONDS + 1)
    for reflector in engine.reflectors:
        reflector.last_seen = time.monotonic()
    engine.sweeper.last_seen = time.monotonic()
    assert engine.stale() == ""


async def test_a_deletion_forgets_the_app_that_was_deleted_and_no_other_of_its_name(engine: Engine) -> None:
    def known(uid: str, version: str) -> list[str]:
        metadata = {"name": "chat", "namespace": "shop", "uid": uid, "resourceVersion": version}
        engine.put_app({"metadata": metadata, "spec": {"workload": {"ref": {"name": "chat"}}}})
        return [app.uid for app in engine.cache.apps.values()]

    assert known("former", "1") == ["former"]
    assert known("later", "3") == ["later"]
    engine.remove_app("shop", "chat", "former")
    engine.remove_app("shop", "other", "later")
    assert [app.uid for app in engine.cache.apps.values()] == ["later"]
    engine.remove_app("shop", "chat", "later")
    assert not engine.cache.apps


async def test_no_work_goes_on_when_the_lead_is_given_back(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            told.append("a worker ended")

    async def release() -> None:
        told.append("the lead was given back")

    monkeypatch.setattr(runtime, "_STOP_SECONDS", 0.01)
    monkeypatch.setattr(engine.reconciler, "work", work)
    engine.elector = cast(Any, SimpleNamespace(release=release))
    await engine.lead()
    await engine.stop()
    assert told == ["a worker ended"] * engine.options.concurrency + ["the lead was given back"]
