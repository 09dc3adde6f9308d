"""A conversation with a Chainlit app (1.x or 2.x), held as Chainlit's own page holds it.

    python -m tests.e2e.chat http://127.0.0.1:8080/chat --host chat.example --text hello

The page and its script are loaded, the session cookie is set, the socket is opened by polling and upgraded to a
WebSocket, a message is sent, and the reply to it awaited. Nothing less proves that a path works: unknown paths answer
the page with status 200, a socket may answer while the page stays blank, and polling hides a missing WebSocket.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import re
import sys
import time
import uuid
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
import socketio

POLLING_AND_WEBSOCKET = ("polling", "websocket")
#: Seconds for a step of Socket.IO's own handshake, also on a busy machine; nothing tells that it has failed before.
CONNECT = 15.0
#: Seconds for the end of a connection: a pod that does not know the session never answers.
GOODBYE = 1.0

_SCRIPT = re.compile(r"""<script\b(?=[^>]*\btype=["']module["'])[^>]*\bsrc=["']([^"']+)["']""")


class ChatError(Exception):
    """The conversation failed; its text is one line."""


async def converse(
    url: str,
    text: str,
    *,
    host: str | None = None,
    timeout: float = 30.0,  # noqa: ASYNC109 - the whole conversation has one limit, told in the error
    transports: Sequence[str] = POLLING_AND_WEBSOCKET,
    file: bytes = b"",
    idle: float = 0.0,
    verify: bool = True,
) -> str:
    """Say ``text`` to the app at ``url`` and return the reply, which contains it. Raises ChatError.

    ``host`` replaces the host of the URL in the Host header. With "websocket" among ``transports`` the conversation
    must have ended up there. Nothing is said for ``idle`` seconds, then a ``file`` is uploaded and sent along. With
    ``verify`` False any certificate will do.
    """
    conversation = _Conversation(url, host, transports, file, idle, verify)
    try:
        async with asyncio.timeout(timeout):
            return await conversation.hold(text)
    except ChatError as error:
        raise ChatError(f"{conversation.step}: {error}") from error
    except TimeoutError as error:
        raise ChatError(f"{conversation.step}: no end within {timeout:g} s{conversation.heard()}") from error
    except (aiohttp.ClientError, socketio.exceptions.SocketIOError, OSError) as error:
        raise ChatError(f"{conversation.step}: {_one_line(error)}") from error


class _Connector(aiohttp.TCPConnector):
    """Ends its connections with the stack: of one with TLS, the close waits for the peer, and the loop does not."""

    def __init__(self, ended: ExitStack, **options: Any) -> None:
        super().__init__(**options)
        self._ended = ended

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:  # noqa: ASYNC109 - as aiohttp has it
        connection = await super().connect(req, traces, timeout)
        if connection.transport is not None:
            self._ended.callback(connection.transport.abort)
        return connection


class _Conversation:
    def __init__(
        self, url: str, host: str | None, transports: Sequence[str], file: bytes, idle: float, verify: bool
    ) -> None:
        parts = urlsplit(url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.root = parts.path.rstrip("/")
        self.headers = {"Host": host} if host else {}
        self.transports = list(transports)
        self.file, self.idle, self.verify = file, idle, verify
        self.session_id = str(uuid.uuid4())
        self.by_headers = False
        self.step = "setting out"
        self._outputs: list[str] = []

    def heard(self) -> str:
        return f", last heard {self._outputs[-1]!r}" if self._outputs else ""

    async def hold(self, text: str) -> str:
        with ExitStack() as answers:

            async def keep(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
                # Engine.IO's client leaves a WebSocket open whose upgrade failed.
                answer = await send(request)
                answers.callback(answer.close)
                return answer

            # Unsafe means: cookies also of hosts that are addresses.
            async with aiohttp.ClientSession(
                headers=self.headers,
                cookie_jar=aiohttp.CookieJar(unsafe=True),
                connector=_Connector(answers, ssl=self.verify),
                middlewares=[keep],
            ) as http:
                await self._load_page(http)
                await self._set_cookie(http)
                return await self._open(http, text)

    async def _open(self, http: aiohttp.ClientSession, text: str) -> str:
        socket = socketio.AsyncClient(
            http_session=http, reconnection=False, request_timeout=CONNECT, logger=False, engineio_logger=False
        )
        try:
            return await self._talk(http, socket, text)
        finally:
            if socket.eio.read_loop_task is not None:  # which a disconnect waits for, and a failed upgrade has none
                with suppress(TimeoutError):
                    async with asyncio.timeout(GOODBYE):
                        await socket.disconnect()

    async def _load_page(self, http: aiohttp.ClientSession) -> None:
        """Load what a browser loads first; a page whose script is not there stays blank."""
        page = f"{self.root}/"
        self.step = f"page {page}"
        async with http.get(self.origin + page) as response:
            _demand(response, "html")
            found = _SCRIPT.search(await response.text())
        if found is None:
            raise ChatError("it has no module script")
        script = urlsplit(urljoin(self.origin + page, found[1]))
        self.step = f"script {script.path} of page {page}"
        if script.netloc != urlsplit(self.origin).netloc:
            raise ChatError(f"it lies on another host, {script.netloc}")
        async with http.get(self.origin + script.path) as response:
            _demand(response, "javascript")

    async def _set_cookie(self, http: aiohttp.ClientSession) -> None:
        path = f"{self.root}/set-session-cookie"
        self.step = f"cookie {path}"
        async with http.post(self.origin + path, json={"session_id": self.session_id}) as response:
            if response.status != 405:  # what releases before 2.5.5 answer, which have only a page for each path
                _demand(response, "json")
                return
        async with http.get(f"{self.origin}{self.root}/user") as response:
            self.by_headers = response.content_type == "text/html"  # only the page, so this is Chainlit 1.x

    async def _upload(self, http: aiohttp.ClientSession) -> list[dict[str, str]]:
        """Upload the file, if there is one, and return what a message refers to it by; other pods do not know it."""
        if not self.file:
            return []
        path = f"{self.root}/project/file"
        self.step = f"upload {path}"
        form = aiohttp.FormData()
        form.add_field("file", self.file, filename="file.txt", content_type="text/plain")
        async with http.post(f"{self.origin}{path}?session_id={self.session_id}", data=form) as response:
            _demand(response, "json")
            return [{"id": (await response.json())["id"]}]

    async def _talk(self, http: aiohttp.ClientSession, socket: socketio.AsyncClient, text: str) -> str:
        path = f"{self.root}/ws/socket.io"
        self.step = f"socket {path}"
        reply: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        reply.add_done_callback(lambda done: done.cancelled() or done.exception())  # it may end unasked

        def hear(message: dict[str, Any]) -> None:
            output = str(message.get("output", ""))
            if message.get("type") != "assistant_message":
                return
            self._outputs.append(output)
            if text in output and not reply.done():
                reply.set_result(output)

        def close(*_: object) -> None:
            if not reply.done():
                reply.set_exception(ChatError("the app closed the connection"))

        for event in ("new_message", "update_message"):
            socket.on(event, hear)
        socket.on("disconnect", close)
        auth = {
            "clientType": "webapp",
            "sessionId": self.session_id,
            "threadId": "",
            "userEnv": json.dumps({}),
            "chatProfile": "",
        }
        headers = {"X-Chainlit-Client-Type": "webapp", "X-Chainlit-Session-Id": self.session_id, "User-Env": "{}"}
        try:
            await socket.connect(
                self.origin,
                headers=self.headers | (headers if self.by_headers else {}),
                auth=None if self.by_headers else auth,
                transports=self.transports,
                socketio_path=path,
                wait_timeout=CONNECT,
            )
        except TypeError as error:  # Engine.IO's client decodes also a WebSocket's close or error
            raise ChatError("the WebSocket ended during the upgrade") from error
        if "websocket" in self.transports and socket.transport() != "websocket":
            raise ChatError("the upgrade to a WebSocket failed, polling only")
        self.step = f"conversation at {path}"
        await socket.emit("connection_successful")
        try:
            if (await asyncio.wait([reply], timeout=self.idle))[0]:
                return await reply  # nothing was said yet, so this is the end of the connection
            references = await self._upload(http)
            self.step = f"conversation at {path}"
            await socket.emit("client_message", {"message": _message(text), "fileReferences": references})
            return await reply
        finally:
            reply.cancel()


def _message(text: str) -> dict[str, str]:
    return {
        "id": str(uuid.uuid4()),
        "threadId": "",
        "name": "user",
        "type": "user_message",
        "output": text,
        "createdAt": datetime.now(UTC).isoformat(),
    }


def _demand(response: aiohttp.ClientResponse, type_: str) -> None:
    if response.status != 200:
        raise ChatError(f"status {response.status}")
    if type_ not in response.content_type:
        raise ChatError(f"answered as {response.content_type}, not {type_}")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _ask(chosen: argparse.Namespace) -> str:
    """The reply, tried for until the time to wait is over. Raises the last ChatError."""
    deadline = time.monotonic() + chosen.wait
    while True:
        try:
            return asyncio.run(converse(chosen.url, chosen.text, host=chosen.host, timeout=chosen.timeout))
        except ChatError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.25)


def main(arguments: Sequence[str] | None = None) -> int:
    """Hold one conversation; returns 1 and prints why after a failure."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.e2e.chat", description="Say something to a Chainlit app and print what it answers."
    )
    parser.add_argument("url", help="where the app's page is, such as http://127.0.0.1:8080/chat")
    parser.add_argument("--host", help="Host header to send instead of the URL's host")
    parser.add_argument("--text", default="hello", help="what to say (default: %(default)s)")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds for all of it (default: %(default)s)")
    parser.add_argument(
        "--wait", type=float, default=0.0, help="seconds to go on trying, for edges are late (default: %(default)s)"
    )
    chosen = parser.parse_args(arguments)
    logging.disable()  # the libraries' own complaints; there is one line, and it is ours
    parts = urlsplit(chosen.url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme)
    if scheme is None or not parts.netloc:
        parser.error(f"not the URL of a page: {chosen.url}")
    where = f"{scheme}://{chosen.host or parts.netloc}{parts.path.rstrip('/')}/ws/socket.io"
    try:
        reply = _ask(chosen)
    except ChatError as error:
        print(f"{where} failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"{where} answered: {reply}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
