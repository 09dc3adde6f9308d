"""The oldest Kubernetes that the charts take: its API server, for longer than it takes to send the first bookmarks."""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from tests.bench import __main__ as bench
from tests.bench import chats
from tests.bench.controlplane import OPERATOR, ControlPlane
from tests.bench.driver import Driver
from tests.bench.process import Process
from tests.chaos.scene import COMMAND
from tests.cluster import kubernetes
from tests.cluster.versions import REPOSITORY, pinned

APPS = 5


def test_it_is_of_the_oldest_minor_that_the_charts_take() -> None:
    major, minor, _ = pinned().kubernetes_oldest.removeprefix("v").split(".")
    for chart in ("chainlit", "chainlit-operator"):
        found = yaml.safe_load((REPOSITORY / "charts" / chart / "Chart.yaml").read_text())
        assert found["kubeVersion"] == f">={major}.{minor}.0-0"


async def bookmark(driver: Driver, kind: str) -> None:
    """Wait for the second bookmark of a watch that begins now: whoever began before has had one by then.

    There is none before something has changed.
    """
    query = {"watch": "1", "allowWatchBookmarks": "true"}
    seen = 0
    async with driver.session.get(chats.collection(kind), params=query) as response:
        async for line in response.content:
            seen += json.loads(line)["type"] == "BOOKMARK"
            if seen == 2:
                return
    raise AssertionError(f"the watch of {kind} ended before its second bookmark")


@pytest.mark.slow
@pytest.mark.timeout(3600)  # the API server is built first
async def test_the_operator_works_and_its_watches_go_on(tmp_path: Path) -> None:
    program = await asyncio.to_thread(kubernetes.oldest_apiserver)
    plane = ControlPlane(tmp_path, program)
    with ExitStack() as stack:
        stack.callback(plane.stop)
        await asyncio.to_thread(bench.prepare, plane, APPS)
        await asyncio.to_thread(plane.start, f"apps-{APPS}")
        async with Driver(plane, APPS) as driver:
            await driver.observe()
            operator = Process(COMMAND, tmp_path / "operator.log", {"KUBECONFIG": str(plane.kubeconfig(OPERATOR))})
            stack.callback(operator.stop)
            await driver.aligned(60)
            changes, seen = 0, asyncio.gather(bookmark(driver, "Deployment"), bookmark(driver, "Ingress"))
            async with asyncio.timeout(300):
                while not seen.done():
                    changes += 1
                    await driver.reroute(0, f"/moved/{changes}")
                    await driver.aligned(60)
                    operator.check()
                    await asyncio.wait([seen], timeout=5)
                await seen
            requests = plane.requests(0)
    assert requests.count("patch deployments") == APPS + changes
    # A watch that ended would be another one, of which each has a line when it starts and one when it ends.
    assert [requests.count(f"watch {plural}") for plural in ("deployments", "ingresses")] == [1, 1]
