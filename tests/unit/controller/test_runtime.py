"""The engine as a whole: what it says of its health, and how it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.unit.apiserver import ApiServer
from tests.unit.domain.world import app
from tests.waiting import until

from chainlit_operator.controller import runtime
from chainlit_operator.controller.runtime import Options, Runtime
from chainlit_operator.kube.reflector import SILENCE_SECONDS


@pytest.fixture
async def engine() -> Runtime:
    async with ApiServer().serving() as api:
        return Runtime(api, Options(verification=False))


async def test_a_new_engine_is_alive_and_not_ready(engine: Runtime) -> None:
    assert engine.stale() == ""
    assert "Ingress in all namespaces" in engine.unready()


async def test_a_watch_that_hangs_is_named(engine: Runtime) -> None:
    engine.reflectors[0].last_seen -= 4 * SILENCE_SECONDS + 1
    assert engine.stale() == f"silent watches: {engine.reflectors[0]}"


async def test_kopfs_watch_that_hangs_is_named(engine: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 4 * SILENCE_SECONDS + 1)
    for reflector in engine.reflectors:
        reflector.last_seen = time.monotonic()
    assert engine.stale() == "silent watches: ChainlitApp"
    engine.watch_alive()
    assert engine.stale() == ""


async def test_looking_for_the_crd_is_being_alive(engine: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 4 * SILENCE_SECONDS + 1)
    for reflector in engine.reflectors:
        reflector.last_seen = time.monotonic()
    engine.app_relister.last_seen = time.monotonic()
    assert engine.stale() == ""


async def test_a_deletion_forgets_the_app_that_was_deleted_and_no_other_of_its_name(engine: Runtime) -> None:
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


@pytest.fixture
async def campaign(engine: Runtime, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """The engine's campaign under way, and what it has done: listed the apps, had them swept, led."""
    done: list[str] = []

    async def list_all() -> None:
        done.append("apps")

    async def lead() -> None:
        done.append("lead")

    monkeypatch.setattr(engine.app_relister, "list_all", list_all)
    monkeypatch.setattr(engine.app_relister, "trigger", lambda: done.append("sweep"))
    monkeypatch.setattr(engine, "lead", lead)
    task = asyncio.create_task(engine._campaign())
    yield done
    task.cancel()
    await asyncio.wait([task])


async def test_apps_are_listed_once_and_last(engine: Runtime, campaign: list[str]) -> None:
    first, *others = engine.reflectors
    for reflector in others:
        reflector.synced.set()
        await asyncio.sleep(0)
    assert not campaign
    first.synced.set()
    await until(lambda: campaign == ["apps", "lead"])
    assert engine._apps_synced.is_set()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_LIST_SECONDS", 0.01)


@pytest.mark.usefixtures("impatient")
async def test_a_kind_that_cannot_be_listed_does_not_keep_kopf_from_apps(engine: Runtime, campaign: list[str]) -> None:
    await asyncio.wait_for(engine.apps_synced(), 5)
    assert campaign == ["apps"]
    for reflector in engine.reflectors:
        reflector.synced.set()
    await until(lambda: campaign == ["apps", "apps", "sweep", "lead"])


async def test_a_standby_gathers_no_work_and_who_leads_has_all_of_it(
    engine: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(engine.reconciler, "work", work)
    for n in range(3):
        engine.cache.put_app(app(f"app-{n}"))
    engine.cache.remove_app(app("app-0").ref)
    assert len(engine.queue) == 0
    for _ in range(2):
        await engine.lead()
        engine.cache.put_app(app("late"))
        assert {await engine.queue.get() for _ in range(3)} == {app(name).ref for name in ("app-1", "app-2", "late")}
        engine.queue.add(app("late").ref)
        for name in ("app-1", "app-2", "late"):
            engine.queue.done(app(name).ref)
        engine.queue.retry(app("app-1").ref)
        assert len(engine.queue) == 1
        await engine.stand_by()
        engine.cache.remove_app(app("late").ref)
        assert engine.queue.is_idle and engine.queue.failures(app("app-1").ref) == 0


async def test_no_work_goes_on_when_the_lead_is_given_back(engine: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
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
