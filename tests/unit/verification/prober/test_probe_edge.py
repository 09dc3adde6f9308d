"""Asking as a browser does: cookies, replicas, redirects to https, stricter addresses; and which side is at fault."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest
from aiohttp import web
from yarl import URL

from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober import (
    MAX_MESSAGE_CHARS,
    MAX_REQUESTS_AT_EDGE,
    IPAddress,
    Limits,
    Outcome,
    Prober,
    Target,
    edge_policy,
    explain_side,
)
from chainlit_operator.verification.prober.cookies import MAX_COOKIE_BYTES, MAX_COOKIES, ProbeCookies

from .fakes import PATIENT, SECRET, FakeChainlit, FakeEdge, Handler, allow_any, answer, ask, html, serving
from .test_probe_network import Resolver, make_certificate
from .test_probe_steps import FAULTS, disconnect, endless, stalled

PARTS = ["cookie", "handshake", "packet", "packet", "packet", "upgrade", "page", "script"]


@pytest.mark.parametrize(("root_path", "page_prefix"), [("", ""), ("/chat", ""), ("/team/chat", "")])
async def test_verifies_a_working_app(root_path: str, page_prefix: str) -> None:
    async with serving(FakeChainlit(root_path, page_prefix)) as app:
        outcome = await ask(app.edge)
        assert (outcome.reachable, outcome.reason) == (True, "Verified"), outcome
        assert f"{app.base_url}{root_path}/" in outcome.message
        assert app.parts == PARTS
        assert len(PARTS) == MAX_REQUESTS_AT_EDGE


async def test_leaves_no_session_and_starts_no_chat() -> None:
    async with serving(FakeChainlit("/chat")) as app:
        await ask(app.edge)
        async with asyncio.timeout(5):
            await app.session_closed.wait()
        assert app.packets == ["3", "3", "3"]
        assert app.frames == ["2probe", "5", "1"]
        assert not app.sessions


async def test_tells_its_origin_where_browsers_do() -> None:
    async with serving(FakeChainlit("/chat")) as app:
        await ask(app.edge)
        for seen in app.seen:
            tells = seen.part in ("cookie", "packet", "upgrade")
            assert seen.headers.get("Origin") == (app.base_url if tells else None), seen.part
            assert seen.headers["User-Agent"] == "chainlit-operator-prober"
            assert "Authorization" not in seen.headers


async def test_no_connection_is_used_twice() -> None:
    async with serving(FakeChainlit("/chat")) as app:
        assert (await ask(app.edge)).reachable
    assert len({id(seen.connection) for seen in app.seen}) == len(app.seen)


async def test_one_lookup_for_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver(["127.0.0.1"], ["127.0.0.2"])
    async with serving(FakeChainlit("/chat")) as app:
        target = Target(f"http://chat.example.test:{app.port}", "/chat", at_edge=True)
        outcome = await Prober(PATIENT, allow=lambda a: str(a) == "127.0.0.1", resolve=resolver).probe(target)
        assert outcome.reachable, outcome
    assert len(resolver.asked) == 1
    assert {seen.headers["Host"] for seen in app.seen} == {f"chat.example.test:{app.port}"}


@pytest.mark.parametrize("status", [401, 404, 405, 500])
async def test_older_chainlit_does_not_know_the_session_cookie(status: int) -> None:
    async with serving(FakeChainlit("/chat", faults={"cookie": answer(status)})) as app:
        assert (await ask(app.edge)).reachable


# -- faults, as behind the Service, and those that only the edge has


@pytest.mark.parametrize("name", FAULTS)
async def test_names_each_fault_as_behind_the_service(name: str) -> None:
    part, handler, reason = FAULTS[name]
    async with serving(FakeChainlit("/chat", faults={part: handler})) as app:
        outcome = await ask(app.edge)
    assert (outcome.reachable, outcome.reason) == (False, reason), outcome
    assert SECRET not in outcome.message
    assert len(outcome.message) <= MAX_MESSAGE_CHARS
    assert "CHAINLIT_ROOT_PATH" not in outcome.message or reason == Reason.ASSETS_MISSING
    assert app.parts[-1] == part


def invalid(words: str) -> Handler:
    return answer(400, f'"{words}"')


EDGE_FAULTS: dict[str, tuple[str, Handler, Reason]] = {
    "cookie dropped": ("cookie", disconnect, Reason.CONNECTION_LOST),
    "cookie header": ("cookie", answer(200, X_Big="x" * 20_000), Reason.RESPONSE_TOO_LARGE),
    "packet 400": ("packet", invalid("Invalid session abc"), Reason.SESSION_LOST),
    "packet 400, silent": ("packet", answer(400, ""), Reason.SESSION_LOST),
    "packet 400, endless": ("packet", endless("text/plain"), Reason.VERIFIED),
    "packet 403": ("packet", answer(403), Reason.HANDSHAKE_REFUSED),
    "packet 404": ("packet", answer(404), Reason.HANDSHAKE_NOT_FOUND),
    "packet 502": ("packet", answer(502), Reason.SERVER_ERROR),
    "packet dropped": ("packet", disconnect, Reason.CONNECTION_LOST),
    "upgrade, session unknown": ("upgrade", invalid("Invalid session abc"), Reason.SESSION_LOST),
    "upgrade, session unknown, in JavaScript": (
        "upgrade",
        answer(400, '{"code":1,"message":"Session ID unknown"}'),
        Reason.SESSION_LOST,
    ),
    "upgrade without its header": ("upgrade", invalid("Invalid transport"), Reason.UPGRADE_REFUSED),
    "upgrade 400": ("upgrade", answer(400, SECRET * 100), Reason.UPGRADE_REFUSED),
    "upgrade 200": ("upgrade", answer(200, html("/x.js"), "text/html"), Reason.UPGRADE_REFUSED),
}


@pytest.mark.parametrize("name", EDGE_FAULTS)
async def test_names_each_fault_of_the_edge(name: str) -> None:
    part, handler, reason = EDGE_FAULTS[name]
    async with serving(FakeChainlit("/chat", faults={part: handler})) as app:
        outcome = await ask(app.edge)
    assert outcome.reason == reason, outcome
    assert SECRET not in outcome.message
    assert outcome.reachable or app.parts[-1] == part


async def test_upgrade_header_that_is_removed_is_said() -> None:
    async with serving(FakeChainlit("/chat", faults={"upgrade": invalid("Invalid transport")})) as app:
        assert "removed the Upgrade header" in (await ask(app.edge)).message


@pytest.mark.parametrize("part", ["cookie", "packet"])
async def test_refusal_without_end(part: str) -> None:
    """Status 400 is the one whose body is read for what it says."""

    async def refuse(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=400)
        await response.prepare(request)
        while not request.transport or not request.transport.is_closing():
            await response.write(b"x" * 8192)
        return response

    async with serving(FakeChainlit("/chat", faults={part: refuse})) as app:
        outcome = await ask(app.edge)
    assert outcome.reason == (Reason.SESSION_LOST if part == "packet" else Reason.VERIFIED), outcome


@pytest.mark.parametrize("part", ["cookie", "packet"])
async def test_ends_in_time(part: str) -> None:
    limits = Limits(connect_seconds=1, total_seconds=1, websocket_close_seconds=0.05)
    loop = asyncio.get_running_loop()
    async with serving(FakeChainlit("/chat", faults={part: stalled_refusal})) as app:
        began = loop.time()
        outcome = await ask(app.edge, limits)
        assert loop.time() - began < limits.total_seconds + 5
    assert outcome.reason == Reason.TIMED_OUT, outcome


async def stalled_refusal(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(status=400, headers={"Content-Length": "400"})
    await response.prepare(request)
    await stalled(b"")(request)
    return response


# -- redirects


@pytest.mark.parametrize(
    ("location", "is_followed"),
    [
        ("https://chat.example.test{path}", True),
        ("https://chat.example.test:443{path}?x=1", True),
        ("//chat.example.test{path}", False),
        ("https://chat.example.test:8443{path}", False),
        ("https://chat.example.test/login", False),
        ("https://login.example.test{path}", False),
        ("https://user@login.example.test{path}", False),
        ("http://chat.example.test{path}", False),
        ("/login", False),
        ("https://chat.example.test:99999{path}", False),
        ("http://[bad", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("status", [301, 308])
async def test_only_the_same_place_by_https_is_gone_to(location: str, is_followed: bool, status: int) -> None:
    resolve = Resolver(["127.0.0.1"], OSError("not in this test"))
    there = location.format(path="/chat/set-session-cookie")
    async with serving(FakeChainlit("/chat", faults={"cookie": answer(status, Location=there)})) as app:
        target = Target(f"http://chat.example.test:{app.port}", "/chat", at_edge=True)
        outcome = await Prober(PATIENT, allow=allow_any, resolve=resolve).probe(target)
        first = ("chat.example.test", app.port)
    assert resolve.asked == ([first, ("chat.example.test", 443)] if is_followed else [first])
    assert outcome.reason == (Reason.DNS_LOOKUP_FAILED if is_followed else Reason.REDIRECTED), outcome
    assert "login" not in outcome.message
    assert outcome.message.startswith("Redirected to https: ") is is_followed


async def test_what_is_asked_beside_the_name_is_so_by_https_too() -> None:
    resolve = Resolver(["127.0.0.1"], OSError("not in this test"))
    fault = answer(308, Location="https://chat.example.test/chat/set-session-cookie")
    async with serving(FakeChainlit("/chat", faults={"cookie": fault})) as app:
        target = Target(f"http://edge.test:{app.port}", "/chat", host_header="chat.example.test", at_edge=True)
        await Prober(PATIENT, allow=allow_any, resolve=resolve).probe(target)
        assert resolve.asked == [("edge.test", app.port), ("edge.test", 443)]


async def test_a_service_that_redirects_to_https_is_not_followed() -> None:
    fault = answer(308, Location="https://127.0.0.1/chat/ws/socket.io/")
    async with serving(FakeChainlit("/chat", faults={"handshake": fault})) as app:
        assert (await ask(app.target)).reason == Reason.REDIRECTED


async def test_https_does_not_redirect_for_ever(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path, "-days", "2")
    server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_tls.load_cert_chain(cert, key)
    fault = answer(308, Location="https://chat.example.test/chat/set-session-cookie")
    async with serving(FakeChainlit("/chat", faults={"cookie": fault}), server_tls) as app:
        target = Target(f"https://chat.example.test:{app.port}", "/chat", at_edge=True)
        trust = ssl.create_default_context(cafile=str(cert))
        outcome = await Prober(PATIENT, allow=allow_any, resolve=Resolver(["127.0.0.1"]), tls=trust).probe(target)
    assert outcome.reason == Reason.REDIRECTED and len(app.seen) == 1


# -- replicas and cookies


def in_turn(_: web.Request, count: int) -> int:
    return count


def by_cookie(request: web.Request, count: int) -> int:
    return int(request.cookies.get("replica", count))


def by_session_cookie(request: web.Request, count: int) -> int:
    return hash(request.cookies["X-Chainlit-Session-id"]) if "X-Chainlit-Session-id" in request.cookies else count


async def test_replicas_without_affinity() -> None:
    async with serving(FakeEdge(in_turn)) as edge:
        outcome = await ask(edge.edge)
    assert outcome.reason == Reason.SESSION_LOST, outcome
    assert "another replica" in outcome.message and "session affinity" in outcome.message


async def test_replicas_at_random_are_seldom_missed() -> None:
    rolls = random.Random(4)
    reasons: list[Reason] = []
    async with serving(FakeEdge(lambda *_: rolls.randrange(2))) as edge:
        reasons += [(await ask(edge.edge)).reason for _ in range(40)]
    assert set(reasons) == {Reason.SESSION_LOST, Reason.VERIFIED}
    assert reasons.count(Reason.VERIFIED) <= 8


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ("Path=/", Reason.VERIFIED),
        ("Path=/chat; HttpOnly; SameSite=Lax; Max-Age=60", Reason.VERIFIED),
        ("Path=/chatter", Reason.SESSION_LOST),
        ("Path=/; Secure", Reason.SESSION_LOST),
        ("Path=/; Max-Age=0", Reason.SESSION_LOST),
        ("Path=/; Domain=example.test", Reason.VERIFIED),
        ("Path=/; Domain=other.test", Reason.SESSION_LOST),
    ],
)
async def test_replicas_with_a_sticky_cookie(attributes: str, reason: Reason) -> None:
    async with serving(FakeEdge(by_cookie, f"replica={{}}; {attributes}")) as edge:
        target = Target(f"http://chat.example.test:{edge.port}", "/chat", at_edge=True)
        outcome = await Prober(PATIENT, allow=allow_any, resolve=Resolver(["127.0.0.1"])).probe(target)
    assert outcome.reason == reason, outcome


async def test_secure_cookies_count_by_https(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path, "-days", "2")
    server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_tls.load_cert_chain(cert, key)
    trust = ssl.create_default_context(cafile=str(cert))
    for edge in (FakeEdge(by_cookie, "replica={}; Path=/; Secure"), FakeEdge(by_session_cookie)):
        async with serving(edge, server_tls):
            target = Target(f"https://chat.example.test:{edge.port}", "/chat", at_edge=True)
            outcome = await Prober(PATIENT, allow=allow_any, resolve=Resolver(["127.0.0.1"]), tls=trust).probe(target)
        assert outcome.reachable, outcome
        assert edge.seen[-1].headers["Host"] == f"chat.example.test:{edge.port}"


async def test_cookies_end_with_the_probe() -> None:
    async with serving(FakeChainlit("/chat")) as app:
        for _ in range(2):
            assert (await ask(app.edge)).reachable
    assert "Cookie" not in app.seen[0].headers and "Cookie" not in app.seen[len(PARTS)].headers


async def test_a_service_is_sent_no_cookies() -> None:
    async with serving(FakeChainlit("/chat")) as app:
        await ask(app.target)
    assert not any("Cookie" in seen.headers for seen in app.seen)


@pytest.mark.parametrize(("number", "size"), [(90, 50), (1, 8000), (40, 4000), (3, 3900)])
async def test_cookie_bombs(number: int, size: int) -> None:
    async def handler(_: web.Request) -> web.Response:
        response = web.Response(text="{}")
        for place in range(number):
            response.headers.add("Set-Cookie", f"c{place}={'x' * size}; Path=/")
        return response

    async with serving(FakeChainlit("/chat", faults={"cookie": handler})) as app:
        outcome = await ask(app.edge)
    assert outcome.reachable, outcome
    for seen in app.seen:
        assert len(seen.headers.get("Cookie", "")) <= MAX_COOKIE_BYTES
        assert seen.headers.get("Cookie", "").count("=") <= MAX_COOKIES


async def test_a_cookie_that_is_set_again_and_again_costs_no_more() -> None:
    jar = ProbeCookies(URL("http://chat.example.test"))
    for _ in range(10_000):
        jar.update_cookies_from_headers(["a=" + "x" * 900 + "; Path=/"], URL("http://10.0.0.1/chat/"))
    assert len(jar) == 1
    assert jar.filter_cookies(URL("http://10.0.0.1/chat/"))["a"].value == "x" * 900


async def test_few_and_small_cookies_are_kept() -> None:
    jar = ProbeCookies(URL("http://chat.example.test"))
    big = [f"big{n}=" + "x" * 3900 for n in range(9)]
    jar.update_cookies_from_headers([*big, *(f"small{n}=1" for n in range(99))], URL("http://10.0.0.1/chat/"))
    assert sum(len(cookie.value) for cookie in jar) <= MAX_COOKIE_BYTES
    assert len(jar) == MAX_COOKIES, "what is small still fits"


# -- addresses


def own_address() -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(asking.getsockname()[0])


@pytest.mark.parametrize(
    ("text", "is_allowed"),
    [
        ("10.96.0.1", False),
        ("::ffff:10.96.0.1", False),
        ("64:ff9b::a60:1", False),
        ("fd00:10:96::1", False),
        ("10.96.0.2", True),
        ("192.168.7.7", True),
        ("203.0.113.7", True),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("::1", False),
    ],
)
def test_addresses_at_the_edge(text: str, is_allowed: bool) -> None:
    api_server: list[IPAddress] = [IPv4Address("10.96.0.1"), IPv6Address("fd00:10:96::1")]
    assert edge_policy(api_server)(ip_address(text)) is is_allowed


def test_own_address_is_refused() -> None:
    own = own_address()
    if own is None or own.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    allow = edge_policy(frozenset())
    assert not allow(ip_address(own))
    assert not allow(ip_address(f"::ffff:{own}"))


# -- both sides

GOOD = Outcome(Reason.VERIFIED, "All answered")
EDGE_BAD = Outcome(Reason.SESSION_LOST, "POST https://chat.example.test/chat/ is refused", "Do this")
BACKEND_BAD = Outcome(Reason.CONNECTION_REFUSED, "GET http://10.0.0.7/chat/ finds nothing that listens", "Do that")


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        (GOOD, f"The app answers through its Service, so the fault is in front of it: {EDGE_BAD.found}. Do this."),
        (BACKEND_BAD,
         f"The app does not answer through its Service either: {BACKEND_BAD.found} (at the edge: {EDGE_BAD.found}). "
         "Do that."),
        (None, EDGE_BAD.message),
    ],
)  # fmt: skip
def test_the_side_of_a_fault(backend: Outcome | None, message: str) -> None:
    explained = explain_side(EDGE_BAD, backend)
    assert (explained.reachable, explained.reason) == (False, Reason.SESSION_LOST)
    assert explained.message == message
