"""What kopf is told: what is new, whole, and where the next watch goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from chainlit_operator.controller.runtime import Runtime
from chainlit_operator.kopf_layer.known_events import KnownEventFilter
from chainlit_operator.object_ref import Ref

KNOWN = {Ref("ChainlitApp", "shop", "chat"): "7"}


async def is_known(ref: Ref, version: str) -> bool:
    return KNOWN.get(ref) == version


def app(name: str, version: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop", "resourceVersion": version}, "spec": {"x": [1, "ü"]}}


def event(kind: str, name: str, version: str) -> bytes:
    return json.dumps({"type": kind, "object": app(name, version)}).encode()


def bookmark(version: str) -> dict[str, Any]:
    return {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": version}}}


class Content:
    """A StreamReader that has arrived in these pieces."""

    marker = "delegated"

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    async def read(self) -> bytes:
        return b"".join(self.chunks)

    async def iter_chunked(self, _: int) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk


def news(*chunks: bytes) -> KnownEventFilter:
    content: Any = Content(*chunks)
    return KnownEventFilter(content, is_known)


async def watched(*chunks: bytes) -> bytes:
    return b"".join([chunk async for chunk in news(*chunks).iter_chunked(1)])


async def test_a_list_has_what_is_new_and_all_that_is_said_of_it() -> None:
    page = {"kind": "List", "metadata": {"resourceVersion": "9", "continue": "c"}}
    items = [app("chat", "7"), app("chat", "8"), app("other", "7")]
    found = json.loads(await news(json.dumps({**page, "items": items}).encode()).read())
    assert found == {**page, "items": items[1:]}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"items":null}', b'{"items":[1]}', b'{"items":[{"metadata":[]}]}', b"[" * 9000],
)
async def test_a_list_that_is_none_is_passed_on(body: bytes) -> None:
    assert await news(body).read() == body


async def test_a_list_of_news_is_passed_on_byte_by_byte() -> None:
    body = b'{ "items": [ {"metadata": {"name": "x"}} ] }'
    assert await news(body).read() == body


@pytest.mark.parametrize("kind", ["ADDED", "MODIFIED"])
async def test_known_events_become_one_bookmark_of_the_last(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KNOWN, Ref("ChainlitApp", "shop", "other"), "8")
    found = await watched(event(kind, "chat", "7") + b"\n" + event(kind, "other", "8") + b"\n")
    assert [json.loads(line) for line in found.splitlines()] == [bookmark("8")]


async def test_news_come_whole_and_in_order_and_spare_the_bookmark() -> None:
    first, known, last = event("MODIFIED", "chat", "6"), event("MODIFIED", "chat", "7"), event("MODIFIED", "chat", "8")
    assert await watched(b"\n".join([first, known, last, b""])) == first + b"\n" + last + b"\n"


@pytest.mark.parametrize(
    "line",
    [
        event("DELETED", "chat", "7"),
        event("ERROR", "chat", "7"),
        event("BOOKMARK", "chat", "7"),
        event("MODIFIED", "chat", "07"),
        b"[]",
        b'{"type": "MODIFIED", "object": []}',
        b'{"type": "MODIFIED"}',
        b"\xff",
        b"[" * 9000,
    ],
)
async def test_all_else_is_passed_on_as_it_is(line: bytes) -> None:
    assert await watched(line + b"\n") == line + b"\n"


@pytest.mark.parametrize("size", [1, 2, 50, 1000])
async def test_lines_may_arrive_in_any_pieces(size: int) -> None:
    lines = [event("MODIFIED", "chat", "6"), event("MODIFIED", "chat", "7"), event("DELETED", "chat", "7")]
    text = b"\n".join([*lines, b""])
    found = await watched(*(text[n : n + size] for n in range(0, len(text), size)))
    kept = [line for line in found.splitlines() if json.loads(line) != bookmark("7")]
    assert kept == [lines[0], lines[2]]


async def test_half_a_line_at_the_end_is_kopfs_to_judge() -> None:
    assert (
        await watched(event("DELETED", "chat", "7") + b'\n{"type": "ADD')
        == event("DELETED", "chat", "7") + b'\n{"type": "ADD'
    )


def test_it_is_the_reader_in_all_else() -> None:
    assert news().marker == "delegated"


# ------------------------------------------------------------------------------------------ what the engine knows


class Known:
    """As much of an engine as the question needs."""

    knows_app = Runtime.knows_app

    def __init__(self, version: str = "7") -> None:
        self.ref = Ref("ChainlitApp", "shop", "chat")
        self.cache = SimpleNamespace(apps={self.ref: SimpleNamespace(resource_version=version)})
        self.working = False
        self.queue = SimpleNamespace(is_working=lambda _: self.working)

    async def asked(self, version: str) -> bool:
        engine: Any = self
        return await Runtime.knows_app(engine, self.ref, version)


@pytest.mark.parametrize(("version", "is_so"), [("7", True), ("6", True), ("8", False), ("x", False), ("", False)])
async def test_known_is_what_is_not_newer(version: str, is_so: bool) -> None:
    engine = Known()
    assert await engine.asked(version) is is_so
    engine.cache.apps.clear()
    assert not await engine.asked(version)


async def test_an_app_that_is_worked_on_may_be_known_in_a_moment() -> None:
    engine = Known()
    engine.working = True
    asking = asyncio.create_task(engine.asked("8"))
    await asyncio.sleep(0)
    assert not asking.done()
    engine.cache.apps[engine.ref].resource_version = "8"
    assert await asking


async def test_work_that_lasts_holds_nothing_up_for_long() -> None:
    engine = Known()
    engine.working = True
    assert not await asyncio.wait_for(engine.asked("8"), 10)
