"""What reaches kopf: unknown objects, whole, and where the next watch continues."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from chainlit_operator.controller.runtime import Runtime
from chainlit_operator.kopf_layer.known_events import KnownEventFilter
from chainlit_operator.kube import codec
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


def filtered(*chunks: bytes) -> KnownEventFilter:
    content: Any = Content(*chunks)
    return KnownEventFilter(content, is_known)


async def watched(*chunks: bytes) -> bytes:
    return b"".join([chunk async for chunk in filtered(*chunks).iter_chunked(1)])


async def test_a_list_has_unknown_objects_and_its_own_fields() -> None:
    page = {"kind": "List", "metadata": {"resourceVersion": "9", "continue": "c"}}
    items = [app("chat", "7"), app("chat", "8"), app("other", "7")]
    found = json.loads(await filtered(json.dumps({**page, "items": items}).encode()).read())
    assert found == {**page, "items": items[1:]}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"items":null}', b'{"items":[1]}', b'{"items":[{"metadata":[]}]}', b"[" * 9000],
)
async def test_a_list_that_cannot_be_decoded_passes_unchanged(body: bytes) -> None:
    assert await filtered(body).read() == body


async def test_a_list_of_unknown_objects_passes_byte_by_byte() -> None:
    body = b'{ "metadata": {}, "items": [ {"metadata": {"name": "x"}} ] }'
    assert await filtered(body).read() == body


class Listing:
    """A list as the controller follows it."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.is_over = False

    def found(self, metadata: codec.Identity) -> None:
        self.names.append(metadata.name)

    def end(self) -> None:
        self.is_over = True


async def test_the_controller_sees_the_whole_list_and_its_end() -> None:
    listing = Listing()
    for token, name in (("c", "chat"), ("", "other")):
        page = {"metadata": {"resourceVersion": "9", "continue": token}, "items": [app(name, "7")]}
        content: Any = Content(json.dumps(page).encode())
        await KnownEventFilter(content, is_known, listing).read()
        assert listing.is_over == (not token)
    assert listing.names == ["chat", "other"]


@pytest.mark.parametrize("body", [b"{", b'{"metadata": {}, "items": [{"metadata": []}]}', b'{"items": []}'])
async def test_a_list_that_cannot_be_decoded_has_no_end(body: bytes) -> None:
    listing, content = Listing(), Content(body)
    found: Any = content
    await KnownEventFilter(found, is_known, listing).read()
    assert not listing.is_over


@pytest.mark.parametrize("kind", ["ADDED", "MODIFIED"])
async def test_known_events_become_one_bookmark_of_the_last(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KNOWN, Ref("ChainlitApp", "shop", "other"), "8")
    found = await watched(event(kind, "chat", "7") + b"\n" + event(kind, "other", "8") + b"\n")
    assert [json.loads(line) for line in found.splitlines()] == [bookmark("8")]


async def test_unknown_events_come_whole_and_in_order_and_without_a_bookmark() -> None:
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
async def test_everything_else_passes_unchanged(line: bytes) -> None:
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
    assert filtered().marker == "delegated"


# ------------------------------------------------------------------------------------------ what the runtime knows


class Known:
    """As much of an runtime as the question needs."""

    knows_app = Runtime.knows_app

    def __init__(self, version: str = "7") -> None:
        self.ref = Ref("ChainlitApp", "shop", "chat")
        self.state = SimpleNamespace(apps={self.ref: SimpleNamespace(resource_version=version)})
        self.working = False
        self.queue = SimpleNamespace(is_working=lambda _: self.working)

    async def asked(self, version: str) -> bool:
        runtime: Any = self
        return await Runtime.knows_app(runtime, self.ref, version)


@pytest.mark.parametrize(("version", "is_so"), [("7", True), ("6", True), ("8", False), ("x", False), ("", False)])
async def test_known_is_what_is_not_newer(version: str, is_so: bool) -> None:
    runtime = Known()
    assert await runtime.asked(version) is is_so
    runtime.state.apps.clear()
    assert not await runtime.asked(version)


async def test_an_app_that_is_worked_on_may_be_known_in_a_moment() -> None:
    runtime = Known()
    runtime.working = True
    asking = asyncio.create_task(runtime.asked("8"))
    await asyncio.sleep(0)
    assert not asking.done()
    runtime.state.apps[runtime.ref].resource_version = "8"
    assert await asking


async def test_work_that_lasts_holds_nothing_up_for_long() -> None:
    runtime = Known()
    runtime.working = True
    assert not await asyncio.wait_for(runtime.asked("8"), 10)
