"""A proxy between the operator and its API server that plants faults into what goes through it."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp
from aiohttp import web

from tests.bench.controlplane import ControlPlane

Act = Callable[["Proxy", web.Request], Awaitable[web.StreamResponse]]
"""What is done with a request instead of passing it on."""

Choice = Callable[[web.Request], bool]
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_HOP = frozenset({"host", "connection", "transfer-encoding", "content-length", "content-encoding"})


def everything(_: web.Request) -> bool:
    return True


def watches(request: web.Request) -> bool:
    return request.method == "GET" and request.query.get("watch") in ("1", "true")


def lists(request: web.Request) -> bool:
    return request.method == "GET" and "watch" not in request.query


def writes(request: web.Request) -> bool:
    """Writes of workloads and statuses; Events are extra, and sent once or never."""
    return request.method in _WRITES and not request.path.endswith("/events")


def reads(request: web.Request) -> bool:
    return request.method == "GET"


class Proxy:
    """Passes requests on to the API server, but for those that a fault concerns. An async context manager."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._choice: Choice = everything
        self._act: Act | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._open: list[web.Request] = []
        self._port = 0
        #: How many requests a fault has taken since it was planted.
        self.taken = 0

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Proxy:
        trust = ssl.create_default_context(cafile=self._plane.certificate)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust, limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            auto_decompress=False,
            read_bufsize=1 << 18,
        )
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.drop()
        await self._runner.cleanup()
        await self._session.close()

    async def listen(self) -> None:
        """Accept connections, on the port of before if there was one."""
        identity = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        identity.load_cert_chain(self._plane.certificate, self._plane.key)
        self._site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=identity, reuse_address=True)
        await self._site.start()
        server = self._site._server
        assert isinstance(server, asyncio.Server)
        self._port = server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Refuse connections, and end those that there are."""
        server = self._site._server
        assert isinstance(server, asyncio.Server)
        self._runner._unreg_site(self._site)
        server.close()
        self.drop()

    def plant(self, act: Act, choice: Choice = everything) -> None:
        """Do ``act`` with the requests chosen, from now on; open streams of that choice are ended first."""
        self._act, self._choice, self.taken = act, choice, 0
        self.drop(choice)

    def clear(self) -> None:
        """Pass everything on again; streams that were held are ended."""
        act, self._act = self._act, None
        self._flows.set()
        if act is not None:
            self.drop(self._choice)

    def forsake(self) -> None:
        """Pass new requests on again, and never answer those that are held."""
        self._act = None

    def cut(self) -> None:
        """Let no byte through, in either direction; connections stay."""
        self._flows.clear()

    def mend(self) -> None:
        """End what :meth:`cut` began; connections go on."""
        self._flows.set()

    def drop(self, choice: Choice = everything) -> None:
        """Break the connections of the requests that are open."""
        for request in [request for request in self._open if choice(request)]:
            _abort(request)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self._open.append(request)
        try:
            await self._flows.wait()
            if self._act is not None and self._choice(request):
                self.taken += 1
                return await self._act(self, request)
            return await self.forward(request)
        except (aiohttp.ClientError, OSError):
            _abort(request)
            return web.Response(status=502)
        finally:
            self._open = [other for other in self._open if other is not request]

    def ask(self, request: web.Request, body: bytes) -> aiohttp.client._RequestContextManager:
        """Send a request on to the API server."""
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        headers["Accept-Encoding"] = "identity"  # no fault could be put into a list that the API server has compressed
        return self._session.request(
            request.method, self._plane.url + request.raw_path, headers=headers, data=body or None
        )

    async def forward(self, request: web.Request) -> web.StreamResponse:
        """Pass a request on, and the answer back as it comes."""
        async with self.ask(request, await request.read()) as answer:
            headers = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            response = web.StreamResponse(status=answer.status, headers=headers)
            await self._flows.wait()
            await response.prepare(request)
            with suppress(ConnectionError):
                async for chunk in answer.content.iter_any():
                    await self._flows.wait()
                    await response.write(chunk)
                await response.write_eof()
            return response


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


# ------------------------------------------------------------------------------------------------------------ acts


def answering(code: int, reason: str, **headers: str) -> Act:
    """The API server answers with an error."""

    async def act(_: Proxy, request: web.Request) -> web.StreamResponse:
        await request.read()
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason}
        body = {**status, "message": f"planted: {reason}"}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(body, status=code, headers=names)

    return act


def slow(seconds: float) -> Act:
    """Each request takes so long."""

    async def act(proxy: Proxy, request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await proxy.forward(request)

    return act


async def cut_short(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    """The connection breaks in the middle of the answer; a write is done."""
    async with proxy.ask(request, await request.read()) as answer:
        response = web.StreamResponse(status=answer.status, headers={"Content-Type": "application/json"})
        await response.prepare(request)
        chunk = await answer.content.readany()
        await response.write(chunk[: len(chunk) // 2])
    _abort(request)
    return response


async def truncated(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    """The answer is whole by HTTP, and half a document by JSON."""
    async with proxy.ask(request, await request.read()) as answer:
        chunk = await answer.content.readany() if watches(request) else await answer.read()
    return web.Response(body=chunk[: len(chunk) // 2] + b"\n", status=answer.status, content_type="application/json")


async def lost(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    """The request is carried out, and the connection breaks before the answer."""
    async with proxy.ask(request, await request.read()) as answer:
        await answer.read()
    _abort(request)
    return web.Response()


async def ended(_: Proxy, request: web.Request) -> web.StreamResponse:
    """A watch that ends at once, without a word."""
    return web.Response(content_type="application/json")


async def gone(_: Proxy, request: web.Request) -> web.StreamResponse:
    """A watch from a version that the API server does not know any more."""
    status = {"kind": "Status", "apiVersion": "v1", "code": 410, "reason": "Expired", "message": "too old"}
    return web.Response(body=_line("ERROR", status), content_type="application/json")


async def failing(_: Proxy, request: web.Request) -> web.StreamResponse:
    """A watch in which the API server reports that it has failed."""
    status = {"kind": "Status", "apiVersion": "v1", "code": 500, "reason": "InternalError", "message": "etcd is gone"}
    return web.Response(body=_line("ERROR", status), content_type="application/json")


async def bookmarks(proxy: Proxy, request: web.Request) -> web.StreamResponse:
    """A watch that brings bookmarks and nothing else, until it is ended."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    mark = {"metadata": {"resourceVersion": request.query.get("resourceVersion", "")}}
    with suppress(ConnectionError):
        while True:
            await response.write(_line("BOOKMARK", mark))
            await asyncio.sleep(0.5)
    return response


async def swallowed(_: Proxy, request: web.Request) -> web.StreamResponse:
    """The request is taken, and nothing ever comes back."""
    await asyncio.Event().wait()
    raise AssertionError


def _line(type_: str, body: object) -> bytes:
    return json.dumps({"type": type_, "object": body}).encode() + b"\n"
