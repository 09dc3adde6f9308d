"""A Chainlit app as a process on loopback, with the drain of the chart."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.cluster.versions import REPOSITORY
from tests.drain import releases

DRAIN = REPOSITORY / "charts/chainlit/files/drain"
APP = Path(__file__).with_name("app.py")
#: Seconds for whatever must come true by itself, also on a busy machine.
PATIENCE = 60.0
#: Seconds for the start of an app, which takes some of CPU time.
START = 180.0
#: A pod's drain, without the seconds that an edge and a kubelet need.
QUICK = {"SETTLE_SECONDS": "0.2", "READINESS_SECONDS": "0.2", "RECONNECT_SECONDS": "1.5", "LIMIT_SECONDS": "60"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class App:
    """A process that serves Chainlit at ``port`` and, where it can, a drain at ``drain_port``."""

    port: int
    root: str
    drain_port: int
    process: asyncio.subprocess.Process
    log: Path

    async def status(self) -> dict[str, Any]:
        return await self._get("/status")

    async def drain(self) -> dict[str, Any]:
        """End as a pod does: wait for the drain, then ask the process to end."""
        found = await self._get("/drain")
        self.process.terminate()
        return found

    async def becomes(self, *, ready: bool | None = None, draining: bool | None = None) -> None:
        """Wait until it is so. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            while not (ready in (None, await self.is_ready()) and draining in (None, await self._is_draining())):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def _is_draining(self) -> bool:
        return bool((await self.status())["isDraining"])

    def said(self) -> str:
        return self.log.read_text()

    async def _get(self, path: str) -> dict[str, Any]:
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{self.drain_port}{path}") as response,
        ):
            assert response.status == 200, await response.text()
            found: dict[str, Any] = await response.json()
            return found

    async def is_ready(self) -> bool:
        """What the kubelet's readiness probe finds."""
        headers = {"User-Agent": "kube-probe/1.35"}
        url = f"http://127.0.0.1:{self.port}{self.root}/auth/config"
        async with aiohttp.ClientSession(headers=headers) as http:
            try:
                async with http.get(url) as response:
                    return response.status == 200
            except aiohttp.ClientError:
                return False


@asynccontextmanager
async def serving(
    release: str,
    directory: Path,
    *,
    drain: Mapping[str, str] | None = QUICK,
    env: Mapping[str, str] | None = None,
    is_mounted: bool = False,
) -> AsyncIterator[App]:
    """Serve the app until the end of the block. ``drain`` has the variables of the drain; None: it has no port."""
    port, drain_port = free_port(), free_port()
    log = _new(directory)
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "CHAINLIT_APP_ROOT": str(directory),
        "CHAINLIT_AUTH_SECRET": "a secret of the tests that signs the logins",
        "PYTHONPATH": str(DRAIN),
        **(env or {}),
    }
    if drain is not None:
        variables |= {f"CHAINLIT_DRAIN_{name}": value for name, value in drain.items()}
        variables["CHAINLIT_DRAIN_PORT"] = str(drain_port)
    python = await asyncio.to_thread(releases.python, release)
    command = [str(python), "-m", "chainlit", "run", str(APP), "--headless"]
    if is_mounted:
        command = [str(python), "-m", "uvicorn", "--app-dir", str(APP.parent), "mounted:app"]
    command += ["--port", str(port)]
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=directory, env=variables, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output
        )
    app = App(port, "/chat" if is_mounted else "", drain_port, process, log)
    try:
        await _answering(app)
        yield app
    finally:
        await _end(process)


def _new(directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    return directory / "log"


async def _answering(app: App) -> None:
    deadline = time.monotonic() + START
    while not await app.is_ready():
        assert app.process.returncode is None, app.log.read_text()
        assert time.monotonic() < deadline, app.log.read_text()
        await asyncio.sleep(0.1)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
    await process.wait()
