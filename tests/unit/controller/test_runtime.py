"""The runtime: what it says of its health, and how it starts and ends."""

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
from chainlit_operator.observability import gc_tuning


@pytest.fixture
async def operator() -> Runtime:
    async with ApiServer().serving() as api:
        return Runtime(api, Options(verification=False))


async def test_a_new_runtime_is_alive_and_not_ready(operator: Runtime) -> None:
    assert operator.stale() == ""
    assert "Ingress in all namespaces" in operator.unready()


async def test_its_state_knows_which_namespaces_are_watched(operator: Runtime) -> None:
    assert operator.state.watched == ()
    async with ApiServer().serving() as api:
        assert Runtime(api, Options(verification=False, namespaces=("shop",))).state.watched == ("shop",)


async def test_a_watch_that_hangs_is_named(operator: Runtime) -> None:
    operator.reflectors[0].last_seen -= 4 * SILENCE_SECONDS + 1
    assert operator.stale() == f"silent watches: {operator.reflectors[0]}"


async def test_kopfs_watch_that_hangs_is_named(operator: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 4 * SILENCE_SECONDS + 1)
    for reflector in operator.reflectors:
        reflector.last_seen = time.monotonic()
    assert operator.stale() == "silent watches: ChainlitApp"
    operator.watch_alive()
    assert operator.stale() == ""


async def test_looking_for_the_crd_is_being_alive(operator: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 4 * SILENCE_SECONDS + 1)
    for reflector in operator.reflectors:
        reflector.last_seen = time.monotonic()
    operator.app_relister.last_seen = time.monotonic()
    assert operator.stale() == ""


async def test_a_deletion_forgets_the_app_that_was_deleted_and_no_other_of_its_name(operator: Runtime) -> None:
    def known(uid: str, version: str) -> list[str]:
        metadata = {"name": "chat", "namespace": "shop", "uid": uid, "resourceVersion": version}
        operator.put_app({"metadata": metadata, "spec": {"workload": {"ref": {"name": "chat"}}}})
        return [app.uid for app in operator.state.apps.values()]

    assert known("former", "1") == ["former"]
    assert known("later", "3") == ["later"]
    operator.remove_app("shop", "chat", "former")
    operator.remove_app("shop", "other", "later")
    assert [app.uid for app in operator.state.apps.values()] == ["later"]
    operator.remove_app("shop", "chat", "later")
    assert not operator.state.apps


@pytest.fixture
async def start(operator: Runtime, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """The calls of a start: the list of all apps, and the begin of the work."""
    done: list[str] = []

    async def list_all() -> None:
        done.append("apps")

    async def lead() -> None:
        done.append("lead")

    monkeypatch.setattr(operator.app_relister, "list_all", list_all)
    monkeypatch.setattr(operator, "lead", lead)
    task = asyncio.create_task(operator._lead_when_synced())
    yield done
    task.cancel()
    await asyncio.wait([task])


async def test_apps_are_listed_once_and_last(operator: Runtime, start: list[str]) -> None:
    first, *others = operator.reflectors
    for reflector in others:
        reflector.synced.set()
        await asyncio.sleep(0)
    assert not start
    first.synced.set()
    await until(lambda: start == ["apps", "lead"])
    assert operator._apps_synced.is_set()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_LIST_SECONDS", 0.01)


@pytest.mark.usefixtures("impatient")
async def test_a_kind_that_cannot_be_listed_does_not_keep_kopf_from_apps(operator: Runtime, start: list[str]) -> None:
    await asyncio.wait_for(operator.apps_synced(), 5)
    assert start == ["apps"]
    for reflector in operator.reflectors:
        reflector.synced.set()
    await until(lambda: start == ["apps", "apps", "lead"])


async def test_a_standby_gathers_no_work_and_who_leads_has_all_of_it(
    operator: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(operator.reconciler, "work", work)
    for n in range(3):
        operator.state.put_app(app(f"app-{n}"))
    operator.state.remove_app(app("app-0").ref)
    assert len(operator.queue) == 0
    for _ in range(2):
        await operator.lead()
        operator.state.put_app(app("late"))
        assert {await operator.queue.get() for _ in range(3)} == {app(name).ref for name in ("app-1", "app-2", "late")}
        operator.queue.add(app("late").ref)
        for name in ("app-1", "app-2", "late"):
            operator.queue.done(app(name).ref)
        operator.queue.retry(app("app-1").ref)
        assert len(operator.queue) == 1
        await operator.stand_by()
        operator.state.remove_app(app("late").ref)
        assert operator.queue.is_idle and operator.queue.failures(app("app-1").ref) == 0


async def test_no_work_goes_on_when_the_lease_is_released(operator: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            done.append("a worker ended")

    async def release() -> None:
        done.append("the lease was released")

    monkeypatch.setattr(runtime, "_STOP_SECONDS", 0.01)
    monkeypatch.setattr(operator.reconciler, "work", work)
    operator.elector = cast(Any, SimpleNamespace(release=release))
    await operator.lead()
    await operator.stop()
    assert done == ["a worker ended"] * operator.options.concurrency + ["the lease was released"]


async def test_memory_is_given_back_after_the_first_wave_however_busy_the_operator_is(
    operator: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled = asyncio.Event()
    monkeypatch.setattr(gc_tuning, "freeze_and_trim", settled.set)
    apps = [app(f"app-{n}") for n in range(3)]
    worked: list[str] = []

    async def work() -> None:
        while (ref := await operator.queue.get()) is not None:
            await asyncio.sleep(0)
            operator.queue.done(ref)
            worked.append(ref.name)
            operator.queue.add(apps[0].ref)  # which is never at rest

    monkeypatch.setattr(operator.reconciler, "work", work)
    for found in apps:
        operator.state.put_app(found)
    await operator.lead()
    await asyncio.wait_for(settled.wait(), 5)
    assert {found.ref.name for found in apps} <= set(worked)
    await operator.stand_by()
