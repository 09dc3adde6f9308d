"""The requests of a probe to a working app, and the reason for each part that does not work."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from aiohttp import web

from chainlit_operator.domain.model import AnsweredBy
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober import MAX_MESSAGE_CHARS, MAX_REQUESTS, Limits, Outcome, Target

from .fakes import (
    OVER,
    PATIENT,
    QUICK,
    SECRET,
    FakeChainlit,
    Handler,
    answer,
    ask,
    html,
    raw_server,
    resetting_server,
    serving,
)

OPEN = '0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}'


@pytest.mark.parametrize(
    ("root_path", "page_prefix"),
    [("", ""), ("/chat", ""), ("/chat", "/team"), ("", "/team"), ("/a.b/c~d", "/x/y")],
)
async def test_verifies_a_working_app(root_path: str, page_prefix: str) -> None:
    async with serving(FakeChainlit(root_path, page_prefix)) as app:
        outcome = await ask(app.target)
        assert (outcome.reachable, outcome.reason) == (True, "Verified"), outcome
        assert app.parts == ["handshake", "upgrade", "page", "script", "settings"]
        assert app.seen[2].path == f"{root_path}/"
        assert app.seen[3].path == f"{root_path}/assets/index-B2u6IBgX.js"
        assert (app.seen[4].path, app.seen[4].query) == (f"{root_path}/project/settings", {"language": "en-US"})


@pytest.mark.parametrize("at_edge", [False, True], ids=["service", "edge"])
async def test_leaves_no_session_and_starts_no_chat(at_edge: bool) -> None:
    async with serving(FakeChainlit("/chat")) as app:
        await ask(app.edge if at_edge else app.target)
        async with asyncio.timeout(5):
            await app.session_closed.wait()
    assert app.packets == (["3", "3", "3"] if at_edge else [])
    assert app.frames == ["2probe", "5", "1"]
    assert not app.sessions


async def test_asks_plainly() -> None:
    async with serving(FakeChainlit("/chat")) as app:
        await ask(Target(app.base_url, "/chat", host_header="chat.example.com:8443"))
    assert len(app.seen) == 5 == MAX_REQUESTS
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
    handshake, upgrade, page, script, _ = (request.connection for request in app.seen)
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


def endless(kind: str, chunk: bytes = b"x" * 8192, status: int = 200) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Type": kind})
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


#: By a name that begins with the part that is at fault.
FAULTS: dict[str, tuple[Handler, Reason]] = {
    "handshake 404": (answer(404), Reason.HANDSHAKE_NOT_FOUND),
    "handshake 410": (answer(410), Reason.HANDSHAKE_NOT_FOUND),
    "handshake 401": (answer(401), Reason.HANDSHAKE_REFUSED),
    "handshake 204": (answer(204, ""), Reason.HANDSHAKE_REFUSED),
    "handshake 500": (answer(500), Reason.SERVER_ERROR),
    "handshake 503": (answer(503), Reason.SERVER_ERROR),
    "handshake html": (answer(200, html("/a.js"), "text/html"), Reason.HANDSHAKE_IS_HTML),
    "handshake html, unsaid": (answer(200, "\n <!doctype html>"), Reason.HANDSHAKE_IS_HTML),
    "handshake big html": (answer(200, "<p>" * 9999, "text/html"), Reason.HANDSHAKE_IS_HTML),
    "handshake empty": (answer(200, ""), Reason.HANDSHAKE_MALFORMED),
    "handshake text": (answer(200, "ok"), Reason.HANDSHAKE_MALFORMED),
    "handshake json": (answer(200, '{"sid":"x"}'), Reason.HANDSHAKE_MALFORMED),
    "handshake cut": (answer(200, '0{"sid":"abc"'), Reason.HANDSHAKE_MALFORMED),
    "handshake sid number": (answer(200, '0{"sid":7}'), Reason.HANDSHAKE_MALFORMED),
    "handshake sid query": (answer(200, '0{"sid":"a&b=c"}'), Reason.HANDSHAKE_MALFORMED),
    "handshake sid crlf": (answer(200, '0{"sid":"a\\r\\nb"}'), Reason.HANDSHAKE_MALFORMED),
    "handshake NaN": (answer(200, '0{"sid":"a","x":NaN}'), Reason.HANDSHAKE_MALFORMED),
    "handshake nested": (answer(200, '0{"sid":' + "[" * 4000), Reason.HANDSHAKE_MALFORMED),
    "handshake gzip": (packed(OPEN.encode() + b" " * 2**20, "text/plain"), Reason.HANDSHAKE_MALFORMED),
    "handshake endless": (endless("text/plain"), Reason.RESPONSE_TOO_LARGE),
    "handshake endless json": (endless("text/plain", OPEN.encode()), Reason.RESPONSE_TOO_LARGE),
    "handshake header": (answer(200, OPEN, X_Big="x" * 20_000), Reason.RESPONSE_TOO_LARGE),
    "handshake dropped": (disconnect, Reason.CONNECTION_LOST),
    "upgrade 200": (answer(200), Reason.UPGRADE_REFUSED),
    "upgrade 400": (answer(400), Reason.UPGRADE_REFUSED),
    "upgrade 403": (answer(403), Reason.UPGRADE_REFUSED),
    "upgrade 502": (answer(502), Reason.UPGRADE_REFUSED),
    "upgrade dropped": (disconnect, Reason.UPGRADE_REFUSED),
    "upgrade header": (answer(400, X_Big="x" * 20_000), Reason.RESPONSE_TOO_LARGE),
    "upgrade wrong probe": (upgrade_with(lambda ws: ws.send_str("3" + SECRET)), Reason.UPGRADE_REFUSED),
    "upgrade binary": (upgrade_with(lambda ws: ws.send_bytes(b"3probe")), Reason.UPGRADE_REFUSED),
    "upgrade closed": (upgrade_with(lambda ws: ws.close()), Reason.UPGRADE_REFUSED),
    "upgrade huge": (upgrade_with(lambda ws: ws.send_str("3probe" * 2**18)), Reason.UPGRADE_REFUSED),
    "page 404": (answer(404), Reason.PAGE_NOT_FOUND),
    "page 401": (answer(401), Reason.PAGE_REFUSED),
    "page 500": (answer(500), Reason.SERVER_ERROR),
    "page without script": (answer(200, "<p>hello", "text/html"), Reason.PAGE_MALFORMED),
    "page declaration": (answer(200, "<![" + html("/chat/a.js"), "text/html"), Reason.PAGE_MALFORMED),
    "page gzip": (packed(html("/chat/assets/x.js").encode(), "text/html"), Reason.PAGE_MALFORMED),
    "page endless": (endless("text/html"), Reason.RESPONSE_TOO_LARGE),
    "page dropped": (disconnect, Reason.CONNECTION_LOST),
    "page, script of another origin": (answer(200, html(f"https://{SECRET}.test/x.js")), Reason.PAGE_MALFORMED),
    "page, script of another host": (answer(200, html("//other.test/chat/assets/x.js")), Reason.PAGE_MALFORMED),
    "page, script with a backslash": (answer(200, html("/\\other.test/x.js")), Reason.PAGE_MALFORMED),
    "page, script that climbs": (answer(200, html("/chat/../admin/x.js")), Reason.ASSETS_MISSING),
    "page, script that climbs, coded": (answer(200, html("/chat/%2e%2e/admin/x.js")), Reason.PAGE_MALFORMED),
    "page, script without the prefix": (answer(200, html("/assets/x.js")), Reason.ASSETS_MISSING),
    "page, script of a sibling": (answer(200, html("/chatter/assets/x.js")), Reason.ASSETS_MISSING),
    "script 404": (answer(404), Reason.ASSETS_MISSING),
    "script 403": (answer(403), Reason.ASSETS_MISSING),
    "script 502": (answer(502), Reason.SERVER_ERROR),
    "script is catch-all": (answer(200, html("/chat/a.js"), "text/html"), Reason.ASSETS_MISSING),
    "script is text": (answer(200), Reason.ASSETS_MISSING),
    "script empty": (answer(200, "", "text/javascript"), Reason.ASSETS_MISSING),
    "script dropped": (disconnect, Reason.CONNECTION_LOST),
    "settings 500": (answer(500), Reason.PROJECT_SETTINGS_FAILED),
    "settings 503": (answer(503), Reason.PROJECT_SETTINGS_FAILED),
    "settings dropped": (disconnect, Reason.CONNECTION_LOST),
}


@pytest.mark.parametrize("at_edge", [False, True], ids=["service", "edge"])
@pytest.mark.parametrize(
    "handler",
    [
        *(answer(401), answer(403), answer(404), answer(405), answer(499), answer(200, html("/x.js"), "text/html")),
        *(answer(302, Location="https://login.example/"), answer(307, Location="/chat/login")),
    ],
)
async def test_only_a_server_error_of_the_settings_is_a_fault(handler: Handler, at_edge: bool) -> None:
    """Apps with a login refuse them, and older releases may not have them."""
    async with serving(FakeChainlit("/chat", faults={"settings": handler})) as app:
        assert (await ask(app.edge if at_edge else app.target)).reachable


async def test_the_message_about_settings_names_the_likely_causes() -> None:
    async with serving(FakeChainlit("/chat", faults={"settings": answer(500)})) as app:
        outcome = await ask(app.target)
    assert outcome.message == (
        f"GET {app.base_url}/chat/project/settings returns status 500, so the page opens no chat although it loads. "
        "Read the logs of the app's pods: a database driver may be missing in the image, or a function of the app that "
        "gives profiles, starters or the data layer fails."
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("upstream connect error or disconnect/reset before headers. reset reason: connection termination", "Refused"),
        ("upstream connect error or disconnect/reset before headers. reset reason: connection reset", "Refused"),
        (
            "upstream connect error or disconnect/reset before headers. transport failure reason: TLS_error:|1",
            "Refused",
        ),
        ("upstream connect error or disconnect/reset before headers. delayed connect error: 111", "Server"),
        ("no healthy upstream", "Server"),
    ],
)
async def test_a_mesh_that_takes_only_mutual_tls(body: str, reason: str) -> None:
    found = {"Refused": Reason.PLAIN_TEXT_REFUSED, "Server": Reason.SERVER_ERROR}[reason]
    async with serving(FakeChainlit("/chat", faults={"handshake": answer(503, body)})) as app:
        outcome = await ask(app.target)
        at_edge = await ask(app.edge)
    assert (outcome.reason, at_edge.reason) == (found, Reason.SERVER_ERROR), outcome
    assert ("PERMISSIVE" in outcome.message) is (reason == "Refused")


async def test_a_connection_that_is_reset_at_once() -> None:
    async with resetting_server() as target:
        outcome = await ask(target)
        at_edge = await ask(replace(target, at_edge=True))
    assert (outcome.reason, at_edge.reason) == (Reason.PLAIN_TEXT_REFUSED, Reason.CONNECTION_LOST)
    assert outcome.answered_by is AnsweredBy.NOBODY
    assert outcome.message == (
        f"GET {target.base_url}/chat/ws/socket.io/ has its connection reset at once, as by a mesh that takes only "
        "mutual TLS. Take the operator into the mesh, let the mesh accept plain text at this port (Istio: a "
        "PeerAuthentication with mode PERMISSIVE), or set spec.verification.mode to Edge."
    )


def invalid(words: str) -> Handler:
    return answer(400, f'"{words}"')


async def stalled_refusal(request: web.Request) -> web.StreamResponse:
    """Begin an answer with status 400, whose body is read for what it says."""
    response = web.StreamResponse(status=400, headers={"Content-Length": "400"})
    await response.prepare(request)
    await request[OVER].wait()
    return response


#: Faults of requests that only the edge gets, or with another reason there.
EDGE_FAULTS: dict[str, tuple[Handler, Reason]] = {
    "cookie dropped": (disconnect, Reason.CONNECTION_LOST),
    "cookie header": (answer(200, X_Big="x" * 20_000), Reason.RESPONSE_TOO_LARGE),
    "cookie 400, endless": (endless("text/plain", status=400), Reason.VERIFIED),
    "packet 400": (invalid("Invalid session abc"), Reason.SESSION_LOST),
    "packet 400, silent": (answer(400, ""), Reason.SESSION_LOST),
    "packet 400, endless": (endless("text/plain", status=400), Reason.SESSION_LOST),
    "packet 200, endless": (endless("text/plain"), Reason.VERIFIED),
    "packet 403": (answer(403), Reason.HANDSHAKE_REFUSED),
    "packet 404": (answer(404), Reason.HANDSHAKE_NOT_FOUND),
    "packet 502": (answer(502), Reason.SERVER_ERROR),
    "packet dropped": (disconnect, Reason.CONNECTION_LOST),
    "upgrade, session unknown": (invalid("Invalid session abc"), Reason.SESSION_LOST),
    "upgrade, session unknown, in JavaScript": (
        answer(400, '{"code":1,"message":"Session ID unknown"}'),
        Reason.SESSION_LOST,
    ),
    "upgrade without its header": (invalid("Invalid transport"), Reason.UPGRADE_REFUSED),
    "upgrade 400, long": (answer(400, SECRET * 100), Reason.UPGRADE_REFUSED),
    "upgrade is catch-all": (answer(200, html("/x.js"), "text/html"), Reason.UPGRADE_REFUSED),
}


def part_of(name: str) -> str:
    """The part that a named fault replaces."""
    return name.partition(" ")[0].strip(",")


@pytest.mark.parametrize("at_edge", [False, True], ids=["service", "edge"])
@pytest.mark.parametrize("name", FAULTS)
async def test_names_each_fault(name: str, at_edge: bool) -> None:
    handler, reason = FAULTS[name]
    async with serving(FakeChainlit("/chat", faults={part_of(name): handler})) as app:
        outcome = await ask(app.edge if at_edge else app.target)
    assert (outcome.reachable, outcome.reason) == (False, reason), outcome
    assert SECRET not in outcome.message
    assert len(outcome.message) <= MAX_MESSAGE_CHARS
    assert outcome.message == f"{outcome.found}. {outcome.fix}." and outcome.fix[0].isupper()
    assert outcome.found.count(app.base_url) == 1
    assert not re.search(r"(?i)\b(set|make) CHAINLIT_", outcome.fix), "the operator sets it"
    assert not at_edge or "CHAINLIT_ROOT_PATH" not in outcome.message or reason == Reason.ASSETS_MISSING
    assert app.parts[-1] == part_of(name) and len(app.seen) <= (9 if at_edge else 5)


@pytest.mark.parametrize("name", EDGE_FAULTS)
async def test_names_each_fault_of_the_edge(name: str) -> None:
    handler, reason = EDGE_FAULTS[name]
    async with serving(FakeChainlit("/chat", faults={part_of(name): handler})) as app:
        outcome = await ask(app.edge)
    assert outcome.reason == reason, outcome
    assert SECRET not in outcome.message
    assert outcome.reachable or app.parts[-1] == part_of(name)
    assert ("removed the Upgrade header" in outcome.message) is (name == "upgrade without its header")


@pytest.mark.parametrize(
    ("part", "handler", "reason"),
    [
        ("handshake", stalled(b'0{"sid"'), Reason.TIMED_OUT),
        ("upgrade", upgrade_to_silence, Reason.UPGRADE_REFUSED),
        ("page", stalled(b"<html>"), Reason.TIMED_OUT),
        ("script", stalled(b""), Reason.ASSETS_MISSING),
        ("cookie", stalled_refusal, Reason.TIMED_OUT),
        ("packet", stalled_refusal, Reason.TIMED_OUT),
    ],
)
async def test_ends_in_time(part: str, handler: Handler, reason: Reason) -> None:
    loop = asyncio.get_running_loop()
    async with serving(FakeChainlit("/chat", faults={part: handler})) as app:
        began = loop.time()
        outcome = await ask(app.edge if part in ("cookie", "packet") else app.target, QUICK)
        assert loop.time() - began < QUICK.total_seconds + 5
    assert outcome.reason == reason, outcome
    assert app.parts[-1] == part


@pytest.mark.parametrize("at_edge", [False, True], ids=["service", "edge"])
async def test_the_handshake_has_a_time_of_its_own(at_edge: bool) -> None:
    limits = replace(PATIENT, answer_seconds=0.3)
    silent = FakeChainlit("/chat", faults={"cookie" if at_edge else "handshake": stalled_refusal})
    async with serving(silent) as app:
        outcome = await ask(app.edge if at_edge else app.target, limits)
    assert outcome.reason == Reason.TIMED_OUT and outcome.answered_by is AnsweredBy.NOBODY
    assert "gets no complete answer within the 0.3 seconds of the probe" in outcome.message

    async def late(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.5)
        return await app.page(request)

    async with serving(FakeChainlit("/chat", faults={"page": late})) as app:
        assert (await ask(app.edge if at_edge else app.target, limits)).reachable


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
