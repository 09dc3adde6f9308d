"""A Chainlit app whose answers end when the test says so, with login, data layer and resume where STORE is set.

A message names a file: the answer counts on, ``0 1 2 …``, until the file is there, and ends with the number of messages
of the session. Both processes of a test have the same directory as STORE.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import chainlit as cl

STORE = Path(os.environ.get("STORE", ""))


@cl.on_message
async def answer(message: cl.Message) -> None:
    """Count until the file is there."""
    messages = cl.user_session.get("messages", 0) + 1
    cl.user_session.set("messages", messages)
    reply = cl.Message(content="")
    number = 0
    while not await asyncio.to_thread(Path(message.content).exists):
        await reply.stream_token(f"{number} ")
        number += 1
        await asyncio.sleep(0.05)
    await reply.stream_token(f"end {messages}")
    await reply.send()


@cl.action_callback("wait")
async def wait(action: cl.Action) -> None:
    """Wait until the file is there, and say so."""
    while not await asyncio.to_thread(Path(action.payload["file"]).exists):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    await cl.Message(content="waited").send()


if "STORE" in os.environ:
    from chainlit.data.base import BaseDataLayer

    @cl.header_auth_callback
    async def login(headers: Any) -> cl.User | None:
        return cl.User(identifier=headers["X-User"]) if "X-User" in headers else None

    if os.environ.get("RESUMES", "yes") == "yes":

        @cl.on_chat_resume
        async def resume(thread: Any) -> None:
            pass

    class Files(BaseDataLayer):
        """Threads and steps as JSON files. The write of a step takes a while, as with a busy database."""

        async def _write(self, name: str, changes: dict[str, Any], seconds: float = 0) -> None:
            await asyncio.sleep(seconds)
            file = STORE / name
            known = json.loads(file.read_text()) if file.exists() else {}
            changed = {key: value for key, value in changes.items() if value is not None}
            file.write_text(json.dumps(known | changed))

        def _steps(self) -> list[dict[str, Any]]:
            return [json.loads(step.read_text()) for step in STORE.glob("step *")]

        async def get_user(self, identifier: str) -> cl.PersistedUser:
            return cl.PersistedUser(id=identifier, createdAt="2026-01-01", identifier=identifier)

        async def create_user(self, user: cl.User) -> cl.PersistedUser:
            return await self.get_user(user.identifier)

        async def create_step(self, step_dict: Any) -> None:
            await self._write(f"step {step_dict['id']}", dict(step_dict), 1)

        update_step = create_step

        async def update_thread(
            self, thread_id: str, name: Any = None, user_id: Any = None, metadata: Any = None, tags: Any = None
        ) -> None:
            await self._write(f"thread {thread_id}", {"name": name, "userIdentifier": user_id, "metadata": metadata})

        async def get_thread_author(self, thread_id: str) -> str:
            return str(json.loads((STORE / f"thread {thread_id}").read_text())["userIdentifier"])

        async def get_thread(self, thread_id: str) -> Any:
            file = STORE / f"thread {thread_id}"
            if not file.exists():
                return None
            steps = self._steps()
            mine = [step for step in steps if step["threadId"] == thread_id]
            order = sorted(mine, key=lambda step: step["createdAt"])
            return json.loads(file.read_text()) | {"id": thread_id, "steps": order, "elements": []}

        async def delete_step(self, step_id: str) -> None:
            (STORE / f"step {step_id}").unlink(missing_ok=True)

    async def nothing(self: Files, *arguments: object, **named: object) -> None:
        """Do nothing; other releases have other methods."""

    for method in BaseDataLayer.__abstractmethods__ - vars(Files).keys():
        setattr(Files, method, nothing)
    Files.__abstractmethods__ = frozenset()
    cl.data_layer(Files)
