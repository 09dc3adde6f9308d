"""A user who logs in to a Chainlit app with a data layer, and comes back to an earlier conversation."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
import socketio

from tests.objects import Object

#: An app with a login and a memory: its data layer keeps what is said, and it lets a user go on.
APP = """\
import chainlit as cl


@cl.password_auth_callback
def login(name: str, password: str):
    return cl.User(identifier=name) if password == "open" else None


@cl.on_chat_resume
async def resume(thread):
    pass


@cl.on_message
async def echo(message: cl.Message):
    await cl.Message(content=f"echo: {message.content}").send()
"""


class Visitor:
    """One user at one app. All methods raise AssertionError where the app does not answer as it should."""

    def __init__(self, url: str, host: str | None = None, name: str = "ann", password: str = "open") -> None:
        self.url, self.name, self.password = url.rstrip("/"), name, password
        self.headers = {"Host": host} if host else {}

    def say(self, text: str, *, thread: str = "", file: bytes = b"") -> str:
        """Say something, in a new conversation or an earlier one, and wait for the echo. Returns the conversation."""
        return str(_run(self._with_login(lambda http: self._say(http, text, thread, file))))

    def threads(self) -> list[Object]:
        """Return the user's conversations."""
        body = {"pagination": {"first": 20}, "filter": {}}
        found: Object = _run(self._with_login(lambda http: self._json(http, "POST", "/project/threads", body)))
        return list(found["data"])

    def thread(self, id_: str) -> Object:
        """Return a conversation with its messages and files."""
        path = f"/project/thread/{id_}"
        found: Object = _run(self._with_login(lambda http: self._json(http, "GET", path)))
        return found

    async def _with_login(self, ask: Any) -> Any:
        jar = aiohttp.CookieJar(unsafe=True)  # cookies also of hosts that are addresses
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(headers=self.headers, cookie_jar=jar, timeout=timeout) as http:
            form = {"username": self.name, "password": self.password}
            async with http.post(f"{self.url}/login", data=form) as response:
                response.raise_for_status()
            return await ask(http)

    async def _json(self, http: aiohttp.ClientSession, method: str, path: str, body: object = None) -> Any:
        async with http.request(method, self.url + path, json=body) as response:
            response.raise_for_status()
            return await response.json()

    async def _say(self, http: aiohttp.ClientSession, text: str, thread: str, file: bytes) -> str:
        session = str(uuid.uuid4())
        await self._json(http, "POST", "/set-session-cookie", {"session_id": session})
        socket = socketio.AsyncClient(http_session=http, reconnection=False, logger=False, engineio_logger=False)
        begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        replied: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def hear(message: Mapping[str, Any]) -> None:
            if message.get("output") == f"echo: {text}" and not replied.done():
                replied.set_result(None)

        def begin(event: Mapping[str, Any]) -> None:
            if not begun.done():
                begun.set_result(event["thread_id"])

        socket.on("new_message", hear)
        socket.on("first_interaction", begin)
        auth = {"clientType": "webapp", "sessionId": session, "threadId": thread, "userEnv": "{}", "chatProfile": ""}
        origin, _, root = self.url.partition("//")[2].partition("/")
        scheme = self.url.partition(":")[0]
        path = f"/{root}/ws/socket.io" if root else "/ws/socket.io"
        await socket.connect(f"{scheme}://{origin}", headers=self.headers, auth=auth, socketio_path=path)
        try:
            await socket.emit("connection_successful")
            references = await self._upload(http, session, file) if file else []
            await socket.emit("client_message", {"message": _message(text, thread), "fileReferences": references})
            async with asyncio.timeout(30):
                await replied
                return thread or await begun
        finally:
            await socket.disconnect()

    async def _upload(self, http: aiohttp.ClientSession, session: str, file: bytes) -> list[Object]:
        form = aiohttp.FormData()
        form.add_field("file", file, filename="file.txt", content_type="text/plain")
        async with http.post(f"{self.url}/project/file?session_id={session}", data=form) as response:
            response.raise_for_status()
            return [{"id": json.loads(await response.text())["id"]}]


def _run(asked: Coroutine[Any, Any, Any]) -> Any:
    try:
        return asyncio.run(asked)
    except (aiohttp.ClientError, socketio.exceptions.SocketIOError, OSError) as error:
        raise AssertionError(f"{type(error).__name__}: {error}") from error


def _message(text: str, thread: str) -> Object:
    return {
        "id": str(uuid.uuid4()),
        "threadId": thread,
        "name": "user",
        "type": "user_message",
        "output": text,
        "createdAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


def said(thread: Object) -> list[str]:
    """Return what was said in a conversation, in its order."""
    return [step["output"] for step in thread["steps"] if step["type"] in ("user_message", "assistant_message")]
