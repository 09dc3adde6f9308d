"""A scripted API server on loopback: answers of the kinds that a real one cannot be made to give on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from aiohttp import web

from chainlit_operator.kinds.registry import RESOURCES
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.config import ClusterConfig, Credentials, anonymous

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ApiServer:
    """Answers each request with the next entry of a script, and remembers what was asked.

    When the script is at its end, requests hang, as a quiet watch does.
    """

    def __init__(self) -> None:
        self.script: list[Answer] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.bodies: list[Any] = []
        self.exhausted = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path, dict(request.query)))
        self.bodies.append(await request.read())
        if self.script:
            return await self.script.pop(0)(request)
        self.exhausted.set()
        await asyncio.Event().wait()
        raise AssertionError

    def serving(self) -> AbstractAsyncContextManager[Api]:
        """Serve on a free port; the context is a client of it."""
        return serving(self.answer)


@asynccontextmanager
async def serving(answer: Answer, credentials: Credentials = anonymous) -> AsyncIterator[Api]:
    """Answer all requests on a free port in this way, and yield a client of it."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    config = ClusterConfig(f"http://127.0.0.1:{port}", credentials)
    try:
        async with Api(config, RESOURCES, "tests") as api:
            yield api
    finally:
        await runner.cleanup()


def reply(body: Any, status: int = 200) -> Answer:
    """Answer with a JSON document."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return answer


def error(code: int, reason: str, message: str = "No.") -> Answer:
    """Answer with a metav1.Status."""
    return reply({"kind": "Status", "code": code, "reason": reason, "message": message}, code)


def stream(*parts: bytes, end: str = "close") -> Answer:
    """Answer with a watch: these chunks, and then its end (close), a broken connection (break), or silence (hang)."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for part in parts:
            await response.write(part)
        if end == "hang":
            await asyncio.Event().wait()
        if end == "break":
            assert request.transport is not None
            request.transport.abort()
        return response

    return answer


def page(*items: Any, version: str = "1", token: str = "") -> Any:
    """A page of a list."""
    return {"metadata": {"resourceVersion": version, "continue": token}, "items": list(items)}


def obj(name: str, version: str = "1", **spec: Any) -> dict[str, Any]:
    """A Service, or whatever has metadata and a spec."""
    return {"metadata": {"name": name, "namespace": "shop", "resourceVersion": version}, "spec": spec}


def line(type_: str, body: Any) -> bytes:
    """A line of a watch."""
    return json.dumps({"type": type_, "object": body}).encode() + b"\n"


BOOKMARK = {"metadata": {"resourceVersion": "77"}}
