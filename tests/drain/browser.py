"""A tab that holds its session as Chainlit's own page does, and an edge on loopback in front of two pods."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import aiohttp
import socketio

from tests.drain.processes import PATIENCE
from tests.waiting import until

WEBSOCKET, POLLING = ("polling", "websocket"), ("polling",)


def counted(answer: str) -> int:
    """The number of messages with which a whole answer ends. Raises AssertionError if it is not whole."""
    *numbers, end, messages = answer.split()
    assert numbers == [str(number) for number in range(len(numbers))]
    assert end == "end"
    return int(messages)


class _Client(socketio.AsyncClient):  # type: ignore[misc]
    """Gives a reconnection the time of a connection: a second is too short on a busy machine."""

    async def connect(self, *arguments: Any, **named: Any) -> None:
        await super().connect(*arguments, **{"wait_timeout": 15} | named)


class Tab:
    """One session. It connects again by itself, with the thread that it shows, as the page does since Chainlit 2.0."""

    def __init__(self, http: aiohttp.ClientSession, port: int, transports: Sequence[str], path: str) -> None:
        self.url, self.path = f"http://127.0.0.1:{port}", path
        self.http, self.transports = http, transports
        self.session_id = str(uuid.uuid4())
        self.thread_id = ""
        self.tokens: list[str] = []
        self.answers: list[str] = []
        self.resumed: list[dict[str, Any]] = []
        self.connections = 0
        self.losses = 0
        self.socket = _Client(
            http_session=http, reconnection_delay=0.2, reconnection_delay_max=0.5, logger=False, engineio_logger=False
        )
        self.socket.on("connect", self._connected)
        self.socket.on("disconnect", self._lost)
        self.socket.on("stream_start", lambda message: self.tokens.append(message["output"]))
        self.socket.on("stream_token", lambda data: self.tokens.append(data["token"]))
        self.socket.on("new_message", self._message)
        self.socket.on("first_interaction", self._first_interaction)
        self.socket.on("resume_thread", self.resumed.append)

    async def open(self) -> None:
        """Log in, where the app has a login, and connect."""
        async with self.http.post(f"{self.url}/auth/header", headers={"X-User": "ada"}) as response:
            await response.read()
        await self.socket.connect(self.url, auth=self._auth, transports=list(self.transports), socketio_path=self.path)
        await until(lambda: self.connections > 0, PATIENCE)

    def _auth(self) -> dict[str, str]:
        return {
            "clientType": "webapp",
            "sessionId": self.session_id,
            "threadId": self.thread_id,
            "userEnv": json.dumps({}),
            "chatProfile": "",
        }

    async def _connected(self) -> None:
        await self.socket.emit("connection_successful")
        self.connections += 1

    def _lost(self, *_: object) -> None:
        self.losses += 1

    def _first_interaction(self, data: dict[str, str]) -> None:
        self.thread_id = data["thread_id"]

    def _message(self, message: dict[str, Any]) -> None:
        if message["type"] == "assistant_message" and not message.get("streaming"):
            self.answers.append(message["output"])

    async def say(self, text: str) -> dict[str, str]:
        """Send the message, and return it."""
        message = {
            "id": str(uuid.uuid4()),
            "threadId": self.thread_id,
            "name": "user",
            "type": "user_message",
            "output": text,
            "createdAt": datetime.now(UTC).isoformat(),
        }
        await self.socket.emit("client_message", {"message": message, "fileReferences": []})
        return message

    async def edit(self, message: dict[str, str], text: str) -> None:
        """Say something else in its place."""
        await self.socket.emit("edit_message", {"message": message | {"output": text}})

    async def act(self, name: str, payload: dict[str, str]) -> None:
        """Press the button of an action, and wait for the end of its callback."""
        action = {"id": str(uuid.uuid4()), "name": name, "payload": payload, "label": name, "tooltip": "", "icon": ""}
        body = {"sessionId": self.session_id, "action": action}
        async with self.http.post(f"{self.url}/project/action", json=body) as response:
            assert response.status == 200, await response.text()

    async def hear(self, tokens: int) -> None:
        """Wait for so many more tokens."""
        wanted = len(self.tokens) + tokens
        await until(lambda: len(self.tokens) >= wanted, PATIENCE)

    async def answer(self) -> str:
        """Wait for the end of the answer, and return it. Raises AssertionError if a token of it has not come."""
        ended = len(self.answers)
        await until(lambda: len(self.answers) > ended, PATIENCE)
        assert "".join(self.tokens) == "".join(self.answers)
        return self.answers[-1]

    async def close(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self.socket.disconnect()


@asynccontextmanager
async def tab(port: int, transports: Sequence[str] = WEBSOCKET, path: str = "/ws/socket.io") -> AsyncIterator[Tab]:
    """A tab that is open until the end of the block. Each of its requests goes through the edge anew."""
    connector, jar = aiohttp.TCPConnector(force_close=True), aiohttp.CookieJar(unsafe=True)
    with ExitStack() as answers:

        async def keep(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
            answer = await send(request)
            answers.callback(answer.close)  # Engine.IO's client leaves a WebSocket open that was cut
            return answer

        async with aiohttp.ClientSession(cookie_jar=jar, connector=connector, middlewares=[keep]) as http:
            opened = Tab(http, port, transports, path)
            try:
                await opened.open()
                yield opened
            finally:
                await opened.close()


@asynccontextmanager
async def edge(choose: Callable[[], Awaitable[int]]) -> AsyncIterator[tuple[int, Callable[[], None]]]:
    """The port of an edge that sends each new connection where ``choose`` says, and a call that cuts them all."""
    running: set[asyncio.Task[None]] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        async with AsyncExitStack() as open_:
            open_.callback(running.discard, task)
            open_.push_async_callback(_closed, writer)
            with suppress(OSError, asyncio.CancelledError):  # asyncio's server tells of a cancelled task
                there, back = await asyncio.open_connection("127.0.0.1", await choose())
                open_.push_async_callback(_closed, back)
                await asyncio.gather(copy(reader, back), copy(there, writer))

    def cut() -> None:
        for task in running:
            task.cancel()

    server = await asyncio.start_server(forward, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], cut
    finally:
        server.close()
        cut()
        await asyncio.gather(*running, return_exceptions=True)


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
