"""Servers for the prober's tests: a faithful Chainlit whose parts can be replaced by faults, and raw TCP."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from chainlit_operator.verification.prober import Limits, Outcome, Policy, Prober, Target

SECRET = "PEER-TEXT-MUST-NOT-SURFACE"
QUICK = Limits(connect_seconds=1.5, total_seconds=1.5, websocket_close_seconds=0.05)
PATIENT = Limits(connect_seconds=5, total_seconds=10, websocket_close_seconds=0.2)

GREETING = '["new_message",{"type":"assistant_message","output":"Welcome"}]'
_numbers = itertools.count()  # of sessions, which no two servers may share
OVER = web.RequestKey("over", asyncio.Event)  # set when the test is over

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def allow_any(_: object) -> bool:
    """Permit loopback, where the test servers are."""
    return True


async def ask(target: Target, limits: Limits = PATIENT) -> Outcome:
    """Probe a server on loopback."""
    return await Prober(limits, allow=allow_any).probe(target)


class Resolver:
    """Answers each lookup with the next of the given answers."""

    def __init__(self, *answers: Sequence[str] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        reply = self.answers.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


def named(
    answers: Sequence[Sequence[str] | Exception] = (["127.0.0.1"],),
    *,
    allow: Policy = allow_any,
    tls: ssl.SSLContext | None = None,
) -> Prober:
    """Return a prober whose lookups have the given answers, one each."""
    return Prober(PATIENT, allow=allow, resolve=Resolver(*answers), tls=tls)


@dataclass
class Seen:
    """A request as the server received it."""

    part: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    connection: object


@dataclass
class FakeChainlit:
    """What Chainlit does: prefixed routes, an HTML page with 200 for unknown paths, an Engine.IO v4 server.

    ``faults`` replaces the handler of a part: cookie, handshake, packet, upgrade, page, script, settings or slash (the
    root path without its slash).
    """

    root_path: str = ""
    page_prefix: str = ""
    faults: dict[str, Handler] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)
    packets: list[str] = field(default_factory=list)
    chat: Sequence[str] = ()
    """The packets of Socket.IO with which a chat message is answered; the first is the answer to the connection."""
    frames: list[str] = field(default_factory=list)
    session_closed: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def target(self) -> Target:
        return Target(self.base_url, self.root_path, self.page_prefix)

    @property
    def parts(self) -> list[str]:
        return [request.part for request in self.seen]

    @property
    def edge(self) -> Target:
        return Target(self.base_url, self.page_prefix + self.root_path, at_edge=True)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        part, usual = self._route(request)
        self.seen.append(Seen(part, request.path, dict(request.query), dict(request.headers), request.transport))
        request[OVER] = self.over
        return await self.faults.get(part, usual)(request)

    def _route(self, request: web.Request) -> tuple[str, Handler]:
        if self.root_path and request.path == self.root_path:
            return "slash", self._slash
        if not request.path.startswith(f"{self.root_path}/"):
            return "outside", self._not_found
        below = request.path.removeprefix(self.root_path)
        if below == "/ws/socket.io/":
            socket = {"POST": ("packet", self._packet), "websocket": ("upgrade", self._upgrade)}
            way = request.method if request.method == "POST" else request.query.get("transport", "")
            return socket.get(way, ("handshake", self._handshake))
        if below.startswith("/assets/"):
            return "script", self._script
        endpoints = {
            "/set-session-cookie": ("cookie", self._cookie),
            "/project/settings": ("settings", self._settings),
            "/": ("page", self.page),
        }
        return endpoints.get(below, ("catch-all", self.page))

    async def _not_found(self, _: web.Request) -> web.Response:
        return web.json_response({"detail": "Not Found"}, status=404)

    async def _settings(self, _: web.Request) -> web.Response:
        return web.json_response({"ui": {"name": SECRET}})

    async def _slash(self, request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": f"{request.scheme}://{request.host}{request.path}/"})

    async def _handshake(self, request: web.Request) -> web.Response:
        assert request.query == {"EIO": "4", "transport": "polling"}
        sid = f"s{next(_numbers)}_-"
        self.sessions.add(sid)
        fields = {"sid": sid, "upgrades": ["websocket"], "pingInterval": 25000, "pingTimeout": 20000}
        body = "0" + json.dumps(fields, separators=(",", ":"))
        return web.Response(text=body, headers={"Set-Cookie": "sticky=1; Path=/"})

    async def _cookie(self, request: web.Request) -> web.Response:
        cookie = (
            f"X-Chainlit-Session-id={(await request.json())['session_id']}; Path=/; Secure; SameSite=None; HttpOnly"
        )
        return web.json_response({"message": "Session cookie set"}, headers={"Set-Cookie": cookie})

    async def _packet(self, request: web.Request) -> web.Response:
        if request.query["sid"] not in self.sessions:
            return web.json_response(f"Invalid session {request.query['sid']}", status=400)
        self.packets.append(await request.text())
        return web.Response(text="OK")

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        """Hold a chat over a WebSocket without polling, with a greeting that is no answer."""
        connected, *answers = self.chat
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        await websocket.send_str('0{"sid":"chat"}')
        self.frames.append(await websocket.receive_str())
        await websocket.send_str(connected)
        async for message in websocket:
            self.frames.append(message.data)
            if "connection_successful" in message.data:
                for packet in ("2", '42["task_start",{}]', f"42{GREETING}", '42["task_end",{}]', "451-[]"):
                    await websocket.send_str(packet)
            elif "client_message" in message.data:
                for packet in answers:
                    await websocket.send_str(packet)
                if not answers:
                    break
            elif message.data == "41":
                break
        await websocket.close()
        return websocket

    async def _upgrade(self, request: web.Request) -> web.StreamResponse:
        if "sid" not in request.query:
            return await self._chat(request)
        sid = request.query["sid"]
        if sid not in self.sessions:
            return web.json_response(f"Invalid session {sid}", status=400)
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        async for message in websocket:
            assert message.type is WSMsgType.TEXT
            self.frames.append(message.data)
            if message.data == "2probe":
                await websocket.send_str("3probe")
            elif message.data == "1":
                self.sessions.discard(sid)
                self.session_closed.set()
                break
        await websocket.close()
        return websocket

    async def page(self, _: web.Request) -> web.Response:
        root = self.page_prefix + self.root_path
        return web.Response(text=html(f"{root}/assets/index-B2u6IBgX.js"), content_type="text/html")

    async def _script(self, _: web.Request) -> web.Response:
        return web.Response(text="export default 1;" * 20_000, content_type="text/javascript")


Chooser = Callable[[web.Request, int], int]


class FakeEdge(FakeChainlit):
    """An ingress controller before two replicas; ``choose`` says which gets a request, by its number."""

    def __init__(self, choose: Chooser, set_cookie: str = "") -> None:
        super().__init__("/chat")
        self.replicas = [FakeChainlit("/chat"), FakeChainlit("/chat")]
        self.choose, self.set_cookie, self.count = choose, set_cookie, 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        number = self.choose(request, self.count) % 2
        self.count += 1
        if self.set_cookie and "replica" not in request.cookies:
            request["set-cookie"] = self.set_cookie.format(number)
        self.seen.append(Seen("edge", request.path, dict(request.query), dict(request.headers), request.transport))
        return await self.replicas[number].handle(request)


async def add_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """Put an edge's cookie on a response."""
    if "set-cookie" in request:
        response.headers.add("Set-Cookie", request["set-cookie"])


def html(src: str) -> str:
    """Return a page like Chainlit's, with a module script."""
    return f"""<!doctype html><html lang="en"><head><title>{SECRET}</title>
        <meta property="og:root_path" content="{src.partition("/assets/")[0]}">
        <!-- <script type="module" src="/commented/out.js"></script> -->
        <script src="/public/custom.js" defer></script><script>const global = globalThis;</script>
        <script type="module" crossorigin src="{src}"></script></head>
        <body><div id="root"></div></body></html>"""


def answer(status: int = 200, body: str = SECRET, kind: str = "text/plain", **headers: str) -> Handler:
    """Return a handler that always gives one answer."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type=kind, headers=headers)

    return handler


@asynccontextmanager
async def serving(
    app: FakeChainlit, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[FakeChainlit]:
    """Run a fake on a free loopback port."""
    server = web.Application()
    server.router.add_route("*", "/{anything:.*}", app.handle)
    server.on_response_prepare.append(add_cookie)
    runner = web.AppRunner(server, shutdown_timeout=0, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, 0, ssl_context=tls).start()
        app.port = runner.addresses[0][1]
        yield app
    finally:
        app.over.set()
        await runner.cleanup()


@asynccontextmanager
async def resetting_server() -> AsyncIterator[Target]:
    """Run a TCP server that resets each connection once it has got a request, as a mesh does that wants mutual TLS."""

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        found: socket.socket = writer.get_extra_info("socket")
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    server = await asyncio.start_server(reset, "127.0.0.1", 0)
    try:
        yield Target(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "/chat")
    finally:
        server.close()


@asynccontextmanager
async def raw_server(reply: bytes | None, *, again: bytes = b"") -> AsyncIterator[Target]:
    """Run a TCP server that answers each request with bytes and hangs up; with None it stays silent.

    Before it hangs up it says ``again`` for as long as somebody listens.
    """
    writers: list[asyncio.StreamWriter] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            if reply is None:
                await reader.read(-1)
            else:
                await reader.read(1)
                writer.write(reply)
                await writer.drain()
                while again:
                    writer.write(again * 1000)
                    await writer.drain()
        except OSError:
            pass  # the prober has hung up
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield Target(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "/chat")
    finally:
        server.close()
        for writer in writers:
            writer.close()
