"""The table of faults, row by row, against one control plane; `make chaos` plays it and writes it down."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from tests.bench import chats
from tests.bench.process import Process
from tests.chaos import proxy
from tests.chaos.beside import TROUBLES, Trouble
from tests.chaos.faults import FAULTS, KILLS, Fault, killed
from tests.chaos.scene import WORKLOAD, Scene, scene
from tests.objects import chainlit_app
from tests.waiting import until

APPS = 20
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900)]
ROWS = [
    pytest.param(fault, id=fault.name, marks=() if fault.is_sample else pytest.mark.slow) for fault in (*FAULTS, *KILLS)
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with scene(tmp_path_factory.mktemp("chaos"), APPS) as made:
        yield made


@pytest.mark.parametrize("fault", ROWS)
async def test_nothing_is_lost_and_nothing_written_twice(stage: Scene, fault: Fault) -> None:
    restarts = stage.restarts
    await fault.play(stage)
    assert stage.restarts - restarts == (fault in KILLS), "only a kill ends the operator"


async def test_a_stop_lets_the_write_in_flight_land(stage: Scene) -> None:
    await stage.driver.aligned(30.0)
    stopping, position = running(stage), stage.plane.audit_position()
    stage.proxy.plant(proxy.slow(2.0), proxy.writes)
    await stage.traffic(0.0, [0])
    await until(lambda: stage.proxy.taken > 0, 20)
    stopping.terminate()
    await until(lambda: stopping.ended() is not None, 20)
    assert stopping.ended() == 0
    assert stage.carried_out(position)[WORKLOAD] == 1, "the write did not land"
    stage.proxy.clear()
    await stage.driver.aligned(60.0)
    assert (await stage.quiet(position))[WORKLOAD] == 1, "the next start wrote again"


@pytest.mark.slow
@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
async def test_killed_at_each_write_of_what_a_chainlitapp_creates(stage: Scene, nth: int, is_done: bool) -> None:
    """Account, Service, Ingress, Deployment, status: each is written once in the end, in one rollout."""
    await stage.driver.aligned(60.0)
    name, position = f"made-{nth}-{'after' if is_done else 'before'}", stage.plane.audit_position()
    app = chainlit_app(
        name,
        workload={"template": {"image": "registry.example.com/chat:1"}},
        route={"ingress": {"className": "traefik", "host": "made.example.com", "path": f"/{name}"}},
        verification={"mode": "Disabled"},
    )
    path = f"{chats.collection('ChainlitApp', 0)}/{name}"
    async with asynccontextmanager(killed(nth, is_done=is_done))(stage):
        await stage.driver.send("POST", chats.collection("ChainlitApp", 0), app)
    async with asyncio.timeout(60):
        while True:
            status = json.loads(await stage.driver.send("GET", path)).get("status", {})
            if status.get("rootPath") == f"/{name}":
                break
            await asyncio.sleep(0.1)
    await stage.quiet(position)
    events = [e for e in stage.plane.audited(position) if e.object_ref is not None and e.object_ref.name == name]
    done = Counter(str(e) for e in events if e.response_status.code < 300)
    made = {f"patch {plural}": 1 for plural in ("serviceaccounts", "services", "ingresses", "deployments")}
    assert {write: count for write, count in done.items() if write in made} == made
    deployment = f"{chats.collection('Deployment', 0)}/{name}"
    assert json.loads(await stage.driver.send("GET", deployment))["metadata"]["generation"] == 1
    await stage.driver.send("DELETE", path)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_after_a_backup_is_restored_the_cluster_is_read_anew(stage: Scene) -> None:
    """Versions count anew from older ones, so that what is known seems newer than all that comes."""
    await stage.driver.aligned(60.0)
    await asyncio.to_thread(stage.plane.back_up, "backup")
    for _ in range(3):
        await stage.traffic(0.0)
        await stage.driver.aligned(60.0)
    restarts = stage.restarts
    await asyncio.to_thread(stage.plane.restore, "backup")
    await stage.traffic(0.0)
    await stage.driver.aligned(400.0)
    await stage.driver.verify()
    assert stage.restarts == restarts + 1


def running(scene: Scene) -> Process:
    assert scene.operator is not None
    return scene.operator


@pytest.mark.slow
@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
async def test_an_app_whose_writes_never_succeed_does_not_slow_the_others(stage: Scene, trouble: Trouble) -> None:
    await trouble.play(stage)
