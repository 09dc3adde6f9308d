"""A conversation of the tests ends in one line, and leaves nothing open, also where the app ends it first."""

import gc

import pytest
from aiohttp import ClientResponse, web
from tests.e2e.chat import ChatError, converse
from tests.unit.verification.prober.fakes import OVER, FakeChainlit, Handler, answer, serving

PAGE = answer(body='<script type="module" src="/chat/assets/index.js"></script>', kind="text/html")
OPEN = answer(body='0{"sid":"s","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}')


async def accept(request: web.Request) -> web.WebSocketResponse:
    websocket = web.WebSocketResponse()
    await websocket.prepare(request)
    await websocket.receive()
    return websocket


async def close(request: web.Request) -> web.StreamResponse:
    websocket = await accept(request)
    await websocket.close(code=1012)
    return websocket


async def hang_up(request: web.Request) -> web.StreamResponse:
    websocket = await accept(request)
    assert request.transport is not None
    request.transport.abort()
    return websocket


async def say_something_else(request: web.Request) -> web.StreamResponse:
    websocket = await accept(request)
    await websocket.send_str("6")
    await request[OVER].wait()
    return websocket


async def say_nothing(request: web.Request) -> web.StreamResponse:
    websocket = await accept(request)
    await request[OVER].wait()
    return websocket


@pytest.mark.parametrize(
    ("upgrade", "reason"),
    [
        (close, "the WebSocket ended during the upgrade"),
        (hang_up, "no end within 1 s"),  # the rest is tried by polling
        (say_something_else, "no end within 1 s"),
        (say_nothing, "no end within 1 s"),
    ],
)
async def test_an_upgrade_that_fails_leaves_nothing_open(
    upgrade: Handler, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where a response's finalizer comes before its connection's, which is by chance, it closes that in silence.
    monkeypatch.delattr(ClientResponse, "__del__")
    app = FakeChainlit("/chat", faults={"page": PAGE, "handshake": OPEN, "upgrade": upgrade})
    async with serving(app):
        with pytest.raises(ChatError, match=f"^socket /chat/ws/socket.io: {reason}"):
            await converse(f"{app.base_url}/chat", "hello", timeout=1)
        gc.collect()  # what is left open tells of itself, and fails the test
