"""One chat message: sent as Chainlit's page sends it, by Socket.IO over a WebSocket, and any answer to it.

The verifications of the operator never do this, because it starts the app's own code. It is for the command ``probe``.

Protocol: https://socket.io/docs/v4/socket-io-protocol/
"""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import aiohttp

from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober.failures import Failure
from chainlit_operator.verification.prober.steps import set_session_cookie
from chainlit_operator.verification.prober.transport import Client

#: The app is ready for a message when it sent nothing for so long and no task of its own runs.
QUIET_SECONDS = 1.0
# Packet types of Engine.IO, followed by those of Socket.IO.
_PING, _PONG, _CONNECT, _REFUSED, _EVENT = "2", "3", "40", "44", "42"
_MESSAGES = ("new_message", "update_message")
_QUESTIONS = ("ask", "stream_start")

Event = tuple[str, Any]


async def hold_chat(client: Client, text: str, cookie: str) -> None:
    """Send one message and wait for an answer. ``cookie`` is a Cookie header for an app with a login, or empty.

    Raises:
        Failure: the app refuses the connection, ends it, or answers with an error.
        TimeoutError: the time of the probe ends before an answer.

    """
    session = str(uuid.uuid4())
    if client.target.at_edge:
        await set_session_cookie(client, session)
    headers = {"X-Chainlit-Client-Type": "webapp", "X-Chainlit-Session-Id": session, "User-Env": "{}"}
    if cookie:
        headers["Cookie"] = cookie
    path = client.target.socket_path
    client.begin("The chat at", path)
    try:
        socket = await client.connect_websocket(path, "EIO=4&transport=websocket", headers)
    except aiohttp.WSServerHandshakeError as error:
        found = f"returns status {error.status} instead of 101"
        raise client.stage.failure(Reason.UPGRADE_REFUSED, found, "Allow WebSocket upgrades for this path") from error
    chat = _Chat(client, socket)
    await chat.connect(session)
    await chat.send("connection_successful")
    await chat.await_quiet()
    await chat.send("client_message", {"message": _message(text), "fileReferences": []})
    await chat.await_answer()
    await socket.send_str("41")
    await socket.close()


class _Chat:
    """The Socket.IO connection."""

    def __init__(self, client: Client, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        self._client, self._socket = client, socket

    async def connect(self, session: str) -> None:
        """Open the session, as Chainlit 2 reads it; Chainlit 1 reads the headers of the request."""
        auth = {"clientType": "webapp", "sessionId": session, "threadId": "", "userEnv": "{}", "chatProfile": ""}
        await self._socket.send_str(_CONNECT + json.dumps(auth))
        while not (packet := await self._packet()).startswith(_CONNECT):
            if packet.startswith(_REFUSED):
                found = "is refused by the app"
                fix = "Give the cookie of a login, by --cookie"
                raise self._failure(Reason.HANDSHAKE_REFUSED, found, fix)

    async def send(self, name: str, *values: object) -> None:
        await self._socket.send_str(_EVENT + json.dumps([name, *values]))

    async def await_quiet(self) -> None:
        """Wait until the app has nothing more to say at the start of a chat."""
        is_busy = False
        while True:
            try:
                async with asyncio.timeout(None if is_busy else QUIET_SECONDS):
                    name, _ = await self._event()
            except TimeoutError:
                return
            is_busy = name == "task_start" or (is_busy and name != "task_end")

    async def await_answer(self) -> None:
        """Wait for a message of the app, or the beginning of one, or a question to the user."""
        while True:
            name, value = await self._event()
            is_message = isinstance(value, dict) and value.get("type") == "assistant_message"
            if isinstance(value, dict) and value.get("isError") and (is_message or _is_the_app(value)):
                fix = "Read the logs of the app's pods"
                raise self._failure(Reason.SERVER_ERROR, "is answered with an error", fix)
            if name in _QUESTIONS or (name in _MESSAGES and is_message):
                return

    async def _event(self) -> Event:
        """Return the name and the first value of the next event."""
        while True:
            packet = await self._packet()
            if packet.startswith(_EVENT):
                return _parse_event(packet)

    async def _packet(self) -> str:
        """Return the next packet that is no ping, which gets its answer."""
        while True:
            message = await self._socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                fix = "Read the logs of the app's pods"
                raise self._failure(Reason.CONNECTION_LOST, "ends before an answer", fix)
            if message.data != _PING:
                return str(message.data)
            await self._socket.send_str(_PONG)

    def _failure(self, reason: Reason, found: str, fix: str) -> Failure:
        return self._client.stage.failure(reason, found, fix)


def _is_the_app(step: dict[str, Any]) -> bool:
    """Tell whether a step is the app's own function: if it fails, Chainlit 2 sends this step, and no error message."""
    return step.get("type") == "run" and step.get("name") == "on_message"


def _parse_event(packet: str) -> Event:
    """Return name and first value of an event, which may have a number for its acknowledgement; empty for another."""
    try:
        found = json.loads(packet[len(_EVENT) :].lstrip("0123456789"))
    except (ValueError, RecursionError):
        return "", None
    if not (isinstance(found, list) and found and isinstance(found[0], str)):
        return "", None
    return found[0], found[1] if len(found) > 1 else None


def _message(text: str) -> dict[str, str]:
    return {
        "id": str(uuid.uuid4()),
        "threadId": "",
        "name": "user",
        "type": "user_message",
        "output": text,
        "createdAt": datetime.now(UTC).isoformat(),
    }
