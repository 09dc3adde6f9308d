"""What a probe asks of a working app, and what it makes of each part that does not work."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from contextlib import suppress

import pytest
from aiohttp import web

from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober import MAX_MESSAGE_CHARS, Limits, Outcome, Target

from .fakes import OVER, PATIENT, QUICK, SECRET, FakeChainlit, Handler, answer, ask, html, raw_server, serving

OPEN = '0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}'


@pytest.mark.parametrize(
    ("root_path", "page_prefix"),
    [("", ""), ("/chat", ""), ("/chat", "/team"), ("", "/team"), ("/a.b/c~d", "/x/y")],
)
async def test_verifies_a_working_app(root_path: str, page_prefix: str) -> None:
    async with serving(FakeChainlit(root_path, page_prefix)) as app:
        outcome = await ask(app.target)
        assert (outcome.reachable, outcome.reason) == (True, "Verified"), outcome
        assert app.parts == ["handshake", "upgrade", "page", "script"]
        assert app.seen[2].path == f"{root_path}/"
        assert app.seen[3].path == f"{root_path}/assets/index-B2u6IBgX.js"


async def test_leaves_no_session_and_starts_no_chat() -> None:
    async with serving(FakeChainlit("/chat")) as app:
        await ask(app.target)
        async with asyncio.timeout(5):
            await app.session_closed.wait()
        assert app.frames == ["2probe", "5", "1"]
        assert not app.sessions


async def test_asks_plainly() -> None:
    async with serving(FakeChainlit("/chat")) as app:
        await ask(Target(app.base_url, "/chat", host_header="chat.example.com:8443"))
    assert len(app.seen) == 4
    for request in app.seen:
        assert request.headers["Host"] == "chat.example.com:8443"
        assert request.headers["Accept-Encoding"] == "identity"
        assert not {"Cookie", "Authorization", "Origin", "Referer"} & set(request.headers)


async def test_host_header_defaults_to_the_base_url() -> None:
    async with serving(FakeChainlit()) as app:
        await ask(app.target)
    assert {request.headers["Host"] for request in app.seen} == {f"127.0.0.1:{app.port}"}


async def test_keeps_to_one_replica_where_it_matters() -> None:
    """Behind a Service each connection may reach another replica, which does not know the session."""
    async with serving(FakeChainlit("/chat")) as app:
        assert (await ask(app.target)).reachable
    handshake, upgrade, page, script = (request.connection for request in app.seen)
    assert handshake is upgrade
    assert page is script


async def test_ignores_the_environments_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with serving(FakeChainlit("/chat")) as app:
        assert (await ask(app.target)).reachable


def upgrade_with(reply: Callable[[web.WebSocketResponse], object]) -> Handler:
    """Return a handler that upgrades, takes one message and replies by a function."""

    async def handler(request: web.Request) -> web.WebSocketResponse:
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        await websocket.receive()
        await reply(websocket)  # type: ignore[misc]
        await websocket.close()
        return websocket

    return handler


async def upgrade_to_silence(request: web.Request) -> web.WebSocketResponse:
    websocket = web.WebSocketResponse()
    await websocket.prepare(request)
    async for _ in websocket:
        pass
    return websocket


async def disconnect(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def announce_huge_frame(request: web.Request) -> web.WebSocketResponse:
    websocket = web.WebSocketResponse()
    await websocket.prepare(request)
    await websocket.receive()
    assert request.transport is not None
    request.transport.write(b"\x81\x7f" + (1 << 30).to_bytes(8) + b"3probe")
    await request[OVER].wait()
    return websocket


def endless(kind: str, chunk: bytes = b"x" * 8192) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(chunk)
        return response

    return handler


def stalled(first: bytes) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain", "Content-Length": "4000"})
        await response.prepare(request)
        await response.write(first)
        await request[OVER].wait()
        return response

    return handler


def packed(body: bytes, kind: str) -> Handler:
    """Return a handler that compresses though it was asked not to."""

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(body), headers={"Content-Type": kind, "Content-Encoding": "gzip"})

    return handler


FAULTS: dict[str, tuple[str, Handler, Reason]] = {
    "handshake 404": ("handshake", answer(404), Reason.HANDSHAKE_NOT_FOUND),
    "handshake 410": ("handshake", answer(410), Reason.HANDSHAKE_NOT_FOUND),
    "handshake 401": ("handshake", answer(401), Reason.HANDSHAKE_REFUSED),
    "handshake 204": ("handshake", answer(204, ""), Reason.HANDSHAKE_REFUSED),
    "handshake 500": ("handshake", answer(500), Reason.SERVER_ERROR),
    "handshake 503": ("handshake", answer(503), Reason.SERVER_ERROR),
    "handshake html": ("handshake", answer(200, html("/a.js"), "text/html"), Reason.HANDSHAKE_IS_HTML),
    "handshake html, unsaid": ("handshake", answer(200, "\n <!doctype html>"), Reason.HANDSHAKE_IS_HTML),
    "handshake big html": ("handshake", answer(200, "<p>" * 9999, "text/html"), Reason.HANDSHAKE_IS_HTML),
    "handshake empty": ("handshake", answer(200, ""), Reason.HANDSHAKE_MALFORMED),
    "handshake text": ("handshake", answer(200, "ok"), Reason.HANDSHAKE_MALFORMED),
    "handshake json": ("handshake", answer(200, '{"sid":"x"}'), Reason.HANDSHAKE_MALFORMED),
    "handshake cut": ("handshake", answer(200, '0{"sid":"abc"'), Reason.HANDSHAKE_MALFORMED),
    "handshake sid number": ("handshake", answer(200, '0{"sid":7}'), Reason.HANDSHAKE_MALFORMED),
    "handshake sid query": ("handshake", answer(200, '0{"sid":"a&b=c"}'), Reason.HANDSHAKE_MALFORMED),
    "handshake sid crlf": ("handshake", answer(200, '0{"sid":"a\\r\\nb"}'), Reason.HANDSHAKE_MALFORMED),
    "handshake NaN": ("handshake", answer(200, '0{"sid":"a","x":NaN}'), Reason.HANDSHAKE_MALFORMED),
    "handshake nested": ("handshake", answer(200, '0{"sid":' + "[" * 4000), Reason.HANDSHAKE_MALFORMED),
    "handshake gzip": (
        "handshake",
        packed(OPEN.encode() + b" " * 2**20, "text/plain"),
        Reason.HANDSHAKE_MALFORMED,
    ),
    "handshake endless": ("handshake", endless("text/plain"), Reason.RESPONSE_TOO_LARGE),
    "handshake endless json": ("handshake", endless("text/plain", OPEN.encode()), Reason.RESPONSE_TOO_LARGE),
    "handshake header": ("handshake", answer(200, OPEN, X_Big="x" * 20_000), Reason.RESPONSE_TOO_LARGE),
    "handshake dropped": ("handshake", disconnect, Reason.CONNECTION_LOST),
    "upgrade 200": ("upgrade", answer(200), Reason.UPGRADE_REFUSED),
    "upgrade 400": ("upgrade", answer(400), Reason.UPGRADE_REFUSED),
    "upgrade 403": ("upgrade", answer(403), Reason.UPGRADE_REFUSED),
    "upgrade 502": ("upgrade", answer(502), Reason.UPGRADE_REFUSED),
    "upgrade dropped": ("upgrade", disconnect, Reason.UPGRADE_REFUSED),
    "upgrade header": ("upgrade", answer(400, X_Big="x" * 20_000), Reason.RESPONSE_TOO_LARGE),
    "upgrade wrong probe": (
        "upgrade",
        upgrade_with(lambda ws: ws.send_str("3" + SECRET)),
        Reason.UPGRADE_REFUSED,
    ),
    "upgrade binary": ("upgrade", upgrade_with(lambda ws: ws.send_bytes(b"3probe")), Reason.UPGRADE_REFUSED),
    "upgrade closed": ("upgrade", upgrade_with(lambda ws: ws.close()), Reason.UPGRADE_REFUSED),
    "upgrade huge": (
        "upgrade",
        upgrade_with(lambda ws: ws.send_str("3probe" * 2**18)),
        Reason.UPGRADE_REFUSED,
    ),
    "page 404": ("page", answer(404), Reason.PAGE_NOT_FOUND),
    "page 401": ("page", answer(401), Reason.PAGE_REFUSED),
    "page 500": ("page", answer(500), Reason.SERVER_ERROR),
    "page without script": ("page", answer(200, "<p>hello", "text/html"), Reason.PAGE_MALFORMED),
    "page declaration": ("page", answer(200, "<![" + html("/chat/a.js"), "text/html"), Reason.PAGE_MALFORMED),
    "page gzip": ("page", packed(html("/chat/assets/x.js").encode(), "text/html"), Reason.PAGE_MALFORMED),
    "page endless": ("page", endless("text/html"), Reason.RESPONSE_TOO_LARGE),
    "page dropped": ("page", disconnect, Reason.CONNECTION_LOST),
    "script other origin": ("page", answer(200, html(f"https://{SECRET}.test/x.js")), Reason.PAGE_MALFORMED),
    "script other host": ("page", answer(200, html("//other.test/chat/assets/x.js")), Reason.PAGE_MALFORMED),
    "script backslash": ("page", answer(200, html("/\\other.test/x.js")), Reason.PAGE_MALFORMED),
    "script climbs": ("page", answer(200, html("/chat/../admin/x.js")), Reason.ASSETS_MISSING),
    "script climbs, coded": ("page", answer(200, html("/chat/%2e%2e/admin/x.js")), Reason.PAGE_MALFORMED),
    "script unprefixed": ("page", answer(200, html("/assets/x.js")), Reason.ASSETS_MISSING),
    "script sibling": ("page", answer(200, html("/chatter/assets/x.js")), Reason.ASSETS_MISSING),
    "script 404": ("script", answer(404), Reason.ASSETS_MISSING),
    "script 403": ("script", answer(403), Reason.ASSETS_MISSING),
    "script 502": ("script", answer(502), Reason.SERVER_ERROR),
    "script is catch-all": ("script", answer(200, html("/chat/a.js"), "text/html"), Reason.ASSETS_MISSING),
    "script is text": ("script", answer(200), Reason.ASSETS_MISSING),
    "script empty": ("script", answer(200, "", "text/javascript"), Reason.ASSETS_MISSING),
    "script dropped": ("script", disconnect, Reason.CONNECTION_LOST),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_names_each_fault(name: str) -> None:
    part, handler, reason = FAULTS[name]
    async with serving(FakeChainlit("/chat", faults={part: handler})) as app:
        outcome = await ask(app.target)
    assert (outcome.reachable, outcome.reason) == (False, reason), outcome
    assert SECRET not in outcome.message
    assert len(outcome.message) <= MAX_MESSAGE_CHARS
    assert outcome.message == f"{outcome.found}. {outcome.fix}." and outcome.fix[0].isupper()
    assert len(app.seen) <= 4 and app.parts[-1] == part


SLOW: dict[str, tuple[str, Handler, Reason]] = {
    "handshake": ("handshake", stalled(b'0{"sid"'), Reason.TIMED_OUT),
    "upgrade": ("upgrade", upgrade_to_silence, Reason.UPGRADE_REFUSED),
    "page": ("page", stalled(b"<html>"), Reason.TIMED_OUT),
    "script": ("script", stalled(b""), Reason.ASSETS_MISSING),
}


@pytest.mark.parametrize("name", SLOW)
async def test_ends_in_time(name: str) -> None:
    part, handler, reason = SLOW[name]
    loop = asyncio.get_running_loop()
    async with serving(FakeChainlit("/chat", faults={part: handler})) as app:
        began = loop.time()
        outcome = await ask(app.target, QUICK)
        assert loop.time() - began < QUICK.total_seconds + 5
    assert outcome.reason == reason, outcome
    assert app.parts[-1] == part


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("part", ["handshake", "upgrade", "page", "script"])
async def test_follows_no_redirect(part: str, status: int) -> None:
    async with serving(FakeChainlit("/chat")) as other:
        for location in (f"{other.base_url}/chat/{SECRET}", "/chat/ws/socket.io/?again=1", "http://[bad"):
            fault = answer(status, Location=location)
            async with serving(FakeChainlit("/chat", faults={part: fault})) as app:
                outcome = await ask(app.target)
            assert outcome.reason == Reason.REDIRECTED, outcome
            assert str(status) in outcome.message
            assert SECRET not in outcome.message
            assert app.parts.count(part) == 1
        assert other.seen == []


async def test_huge_websocket_message_is_not_awaited() -> None:
    async with serving(FakeChainlit("/chat", faults={"upgrade": announce_huge_frame})) as app:
        outcome = await ask(app.target, QUICK)
    assert outcome.reason == Reason.UPGRADE_REFUSED
    assert "3probe" in outcome.message


async def test_open_packet_counts_whatever_its_media_type() -> None:
    fault = answer(200, OPEN, "text/html")
    async with serving(FakeChainlit("/chat", faults={"handshake": fault}, sessions={"abc"})) as app:
        assert (await ask(app.target)).reachable


def test_overlong_messages_are_cut() -> None:
    message = Outcome(Reason.TIMED_OUT, "x" * 5000, "Do this").message
    assert len(message) == MAX_MESSAGE_CHARS and message.endswith("x…. Do this.")


async def test_unset_root_path_behind_a_prefix() -> None:
    async with serving(FakeChainlit("")) as app:
        outcome = await ask(Target(app.base_url, "/chat"))
    assert outcome.reason == Reason.HANDSHAKE_IS_HTML


async def test_stripped_prefix_without_parent_root_path() -> None:
    """The socket answers here and the page is blank in a browser."""
    async with serving(FakeChainlit("", page_prefix="")) as app:
        outcome = await ask(Target(app.base_url, "", page_prefix="/chat"))
    assert outcome.reason == Reason.ASSETS_MISSING
    assert "CHAINLIT_PARENT_ROOT_PATH" in outcome.message
    assert "script" not in app.parts


async def test_own_script_is_the_bundle_and_not_a_custom_module() -> None:
    page = '<script type="module" src="/chat/public/mine.js"></script>' + html("/chat/assets/x.js?v=1#top")
    async with serving(FakeChainlit("/chat", faults={"page": answer(200, page, "text/html")})) as app:
        assert (await ask(app.target)).reachable
    assert (app.seen[3].path, app.seen[3].query) == ("/chat/assets/x.js", {"v": "1"})


async def test_page_may_carry_a_long_theme() -> None:
    page = "<script>window.theme = {" + "'--x': '0 0% 9%', " * 1000 + "}</script>" + html("./assets/x.js")
    async with serving(FakeChainlit("/chat", faults={"page": answer(200, page, "text/html")})) as app:
        outcome = await ask(app.target)
    assert outcome.reachable, outcome


async def test_messages_stay_short_for_long_paths() -> None:
    root = "/" + "p" * 1000
    async with serving(FakeChainlit(root, faults={"handshake": answer(404)})) as app:
        outcome = await ask(app.target)
    assert outcome.reason == Reason.HANDSHAKE_NOT_FOUND
    assert len(outcome.message) <= MAX_MESSAGE_CHARS
    assert "CHAINLIT_ROOT_PATH" in outcome.message


async def test_body_at_the_limit_is_read_and_one_byte_more_is_not() -> None:
    page = html("/chat/assets/x.js")
    for spare, reason in ((0, Reason.VERIFIED), (-1, Reason.RESPONSE_TOO_LARGE)):
        limits = Limits(max_body_bytes=len(page.encode()) + spare)
        async with serving(FakeChainlit("/chat", faults={"page": answer(200, page, "text/html")})) as app:
            assert (await ask(app.target, limits)).reason == reason


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"", Reason.CONNECTION_LOST),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Reason.HANDSHAKE_MALFORMED),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 5000 + b"\r\n", Reason.RESPONSE_TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, Reason.RESPONSE_TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n0{", Reason.CONNECTION_LOST),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Reason.HANDSHAKE_MALFORMED),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, Reason.CONNECTION_LOST),
        (b"HTTP/1.1 999 Odd\r\n\r\n", Reason.SERVER_ERROR),
        (b"HTTP/1.1 200 OK\r\nContent-Type: \xff\xfe;;;==\r\n\r\nx", Reason.HANDSHAKE_MALFORMED),
    ],
)
async def test_peer_that_hardly_speaks_http(reply: bytes, reason: Reason) -> None:
    async with raw_server(reply) as target:
        outcome = await ask(target, PATIENT)
    assert outcome.reason == reason, outcome


async def test_silent_peer() -> None:
    async with raw_server(None) as target:
        assert (await ask(target, QUICK)).reason == Reason.TIMED_OUT
