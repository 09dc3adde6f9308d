"""Operators that each have namespaces of their own: a cluster too large for one of them is theirs together."""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench import chats
from tests.bench.controlplane import LIMITED, OPERATOR, ControlPlane
from tests.bench.driver import Driver
from tests.bench.process import Process
from tests.chaos.scene import BINDING, RIGHTS

APPS = 20
#: user → the namespaces of its operator
SHARDS = {
    user: {chats.namespace(n) for n in range(chats.NAMESPACES) if n % 2 == odd}
    for odd, user in enumerate((OPERATOR, LIMITED))
}


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_two_shards_never_touch_the_same_app(tmp_path: Path) -> None:
    plane = ControlPlane(tmp_path)
    with ExitStack() as stack:
        stack.callback(plane.stop)
        await asyncio.to_thread(bench.prepare, plane, APPS)
        await asyncio.to_thread(plane.start, f"apps-{APPS}")
        async with Driver(plane, APPS) as driver:
            await driver.send("POST", BINDING, RIGHTS)
            await driver.observe()
            for user, namespaces in SHARDS.items():
                command = [
                    sys.executable,
                    "-m",
                    "chainlit_operator",
                    "run",
                    "--namespace",
                    ",".join(sorted(namespaces)),
                ]
                kubeconfig = {"KUBECONFIG": str(plane.kubeconfig(user))}
                stack.callback(Process(command, tmp_path / f"{user}.log", kubeconfig).stop)
            await driver.aligned(60)
            for n in range(APPS):
                await driver.reroute(n, f"/moved/{chats.name(n)}")
            await driver.aligned(60)
            asked = [
                (event.user.username, str(event), event.object_ref.namespace)
                for event in plane.audited(0)
                if event.object_ref is not None
            ]

    for user, namespaces in SHARDS.items():
        mine = [(request, namespace) for asker, request, namespace in asked if asker == user]
        assert {namespace for _, namespace in mine} == namespaces, "it asks for what is another's"
        assert sum(request == "patch deployments" for request, _ in mine) == 2 * APPS // len(SHARDS)
