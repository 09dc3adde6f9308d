"""Names, addresses, connections and TLS; and that nothing stays behind."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import warnings
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.client_proto import ResponseHandler
from tests.unit.certificates import HOST, both_sides

from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober import Limits, Prober, Target, steps, transport
from chainlit_operator.verification.prober.failures import Failure, Stage
from chainlit_operator.verification.prober.target import Endpoint
from chainlit_operator.verification.prober.transport import Client

from .fakes import PATIENT, QUICK, FakeChainlit, Resolver, answer, ask, named, raw_server, serving
from .test_steps import upgrade_to_silence


def closed_port() -> int:
    with socket.socket() as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        return int(probe_socket.getsockname()[1])


async def test_connection_refused() -> None:
    outcome = await ask(Target(f"http://127.0.0.1:{closed_port()}", "/chat"))
    assert outcome.reason == Reason.CONNECTION_REFUSED, outcome


@pytest.mark.parametrize(("connect", "total"), [(0.1, 5.0), (5.0, 0.1)])
async def test_connection_timed_out(connect: float, total: float) -> None:
    """A listener with a full queue answers no further connect."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        target = Target(f"http://127.0.0.1:{listener.getsockname()[1]}", "/chat")
        outcome = await ask(target, Limits(connect_seconds=connect, total_seconds=total))
        for filler in fillers:
            filler.close()
    assert outcome.reason == Reason.CONNECTION_TIMED_OUT, outcome


@pytest.mark.parametrize(
    ("code", "scheme", "reason"),
    [
        (errno.ECONNREFUSED, "https", Reason.CONNECTION_REFUSED),
        (errno.EHOSTUNREACH, "http", Reason.HOST_UNREACHABLE),
        (errno.ENETUNREACH, "https", Reason.HOST_UNREACHABLE),
        (errno.EACCES, "http", Reason.HOST_UNREACHABLE),
        (errno.ETIMEDOUT, "http", Reason.CONNECTION_TIMED_OUT),
        (errno.ECONNRESET, "https", Reason.TLS_FAILED),
        (errno.ECONNRESET, "http", Reason.HOST_UNREACHABLE),
    ],
)
def test_reasons_of_failed_connects(code: int, scheme: str, reason: Reason) -> None:
    error = aiohttp.ClientConnectorError(None, OSError(code, "text of the system"))  # type: ignore[arg-type]
    assert Stage("It").network_failure(error, scheme).outcome.reason == reason


@pytest.mark.parametrize(
    "reply",
    [socket.gaierror(socket.EAI_NONAME, "no"), UnicodeError("label too long"), [], ["not an address"]],
    ids=["error", "unicode", "empty", "garbage"],
)
async def test_dns_lookup_failed(reply: Sequence[str] | Exception) -> None:
    outcome = await Prober(resolve=Resolver(reply)).probe(Target("http://chat.example.test", "/chat"))
    assert outcome.reason == Reason.DNS_LOOKUP_FAILED, outcome


@pytest.mark.parametrize(("connect", "total"), [(0.05, 5.0), (5.0, 0.05)])
async def test_dns_lookup_without_end(connect: float, total: float) -> None:
    async def hang(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    limits = Limits(connect_seconds=connect, total_seconds=total)
    outcome = await Prober(limits, resolve=hang).probe(Target("http://chat.example.test", "/chat"))
    assert outcome.reason == Reason.DNS_LOOKUP_FAILED, outcome


async def test_system_resolver_reports_an_unknown_name() -> None:
    outcome = await Prober(PATIENT).probe(Target("http://no-such-name.invalid", "/chat"))
    assert outcome.reason == Reason.DNS_LOOKUP_FAILED, outcome


@pytest.mark.parametrize("at_edge", [False, True], ids=["service", "edge"])
async def test_a_name_that_changes_is_looked_up_once(at_edge: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The prober looks the name up once, and the HTTP library never does."""
    judged: list[str] = []

    def allow(address: object) -> bool:
        judged.append(str(address))
        return str(address) == "127.0.0.1"

    loop = asyncio.get_running_loop()
    getaddrinfo = loop.getaddrinfo

    async def no_lookup(host: str, port: int, **options: Any) -> Any:
        ip_address(host)  # uvloop calls this for addresses too, and looks nothing up for them
        return await getaddrinfo(host, port, **options)

    monkeypatch.setattr(loop, "getaddrinfo", no_lookup)
    resolver = Resolver(["127.0.0.1"], ["127.0.0.2"], ["127.0.0.2"])
    async with serving(FakeChainlit("/chat")) as app:
        target = Target(f"http://{HOST}:{app.port}", "/chat", at_edge=at_edge)
        outcome = await Prober(PATIENT, allow=allow, resolve=resolver).probe(target)
        assert outcome.reachable, outcome
    assert resolver.asked == [(HOST, app.port)]
    assert judged == ["127.0.0.1"]
    assert {request.headers["Host"] for request in app.seen} == {f"{HOST}:{app.port}"}


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["10.0.0.1", "169.254.169.254"], ["::ffff:127.0.0.1"]])
async def test_a_name_with_a_forbidden_address(answers: list[str]) -> None:
    async with serving(FakeChainlit()) as app:
        outcome = await Prober(resolve=Resolver(answers)).probe(Target(f"http://{HOST}:{app.port}", ""))
        assert outcome.reason == Reason.ADDRESS_FORBIDDEN, outcome
        assert app.seen == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0", "localhost", "[::ffff:7f00:1]"])
async def test_spellings_of_loopback(host: str) -> None:
    async with serving(FakeChainlit()) as app:
        outcome = await Prober(PATIENT).probe(Target(f"http://{host}:{app.port}", ""))
        assert outcome.reason == Reason.ADDRESS_FORBIDDEN, outcome
        assert app.seen == []


async def test_socket_goes_to_the_checked_address_only() -> None:
    client = Client(Target("http://chat", ""), Limits(), None)
    endpoint = Endpoint("http", ip_address("10.0.0.1"), 80, "chat", "chat")
    async with client.open(endpoint):
        for destination in (("10.0.0.2", 80), ("10.0.0.1", 443), ("127.0.0.1", 80)):
            with pytest.raises(OSError, match="not the checked address"):
                client._pinned_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", destination))
        client._pinned_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 80))).close()


async def test_client_sends_five_requests_at_most() -> None:
    client = Client(Target("http://chat", ""), PATIENT, None)

    async def send_six() -> None:
        endpoint = Endpoint("http", ip_address("127.0.0.1"), app.port, "chat", "chat")
        async with client.open(endpoint):
            for _ in range(6):
                async with client.request("GET", "/"):
                    pass

    async with serving(FakeChainlit()) as app:
        with pytest.raises(Failure) as failed:
            await send_six()
    assert failed.value.outcome.reason == Reason.PROBE_FAILED
    assert len(app.seen) == 5


@pytest.mark.parametrize(
    "target",
    [
        Target("ftp://chat.example.test", ""),
        Target("chat.example.test", ""),
        Target("", ""),
        Target("http://", ""),
        Target("http://chat.example.test:0", ""),
        Target("http://chat.example.test:99999", ""),
        Target("http://user:secret@chat.example.test", ""),
        Target("http://chat.example.test/path", ""),
        Target("http://chat.example.test?query", ""),
        Target("http://chat.example.test#fragment", ""),
        Target("http://chat\x1f.example.test", ""),
        Target("http://chat.example.test", "chat"),
        Target("http://chat.example.test", "/"),
        Target("http://chat.example.test", "/chat/"),
        Target("http://chat.example.test", "//chat"),
        Target("http://chat.example.test", "/a/../b"),
        Target("http://chat.example.test", "/chat\n"),
        Target("http://chat.example.test", "/chat?x"),
        Target("http://chat.example.test", "/chat", page_prefix="team"),
        Target("http://chat.example.test", "/chat", host_header="a b"),
        Target("http://chat.example.test", "/chat", host_header="a\r\nX-Injected: 1"),
        Target("http://chat.example.test", "/chat", host_header=""),
    ],
)
async def test_target_that_makes_no_sense(target: Target) -> None:
    outcome = await Prober(resolve=Resolver()).probe(target)
    assert outcome.reason == Reason.TARGET_INVALID, outcome
    assert "secret" not in outcome.message


async def test_ipv6() -> None:
    async with serving(FakeChainlit("/chat"), host="::1") as app:
        outcome = await ask(Target(f"http://[::1]:{app.port}", "/chat"))
    assert outcome.reachable, outcome
    assert app.seen[0].headers["Host"] == f"[::1]:{app.port}"


# -- TLS


@pytest.fixture(scope="module")
def tls_sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS settings of a server, and of a client that trusts it."""
    return both_sides(tmp_path_factory.mktemp("tls"))


async def test_tls_by_host_name_and_by_host_header(tls_sides: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server_tls, tls = tls_sides
    async with serving(FakeChainlit("/chat"), server_tls) as app:
        by_name = Target(f"https://{HOST}:{app.port}", "/chat")
        by_header = Target(f"https://127.0.0.1:{app.port}", "/chat", host_header=HOST)
        for target in (by_name, by_header):
            outcome = await named(tls=tls).probe(target)
            assert outcome.reachable, outcome


async def test_tls_certificate_for_another_name_or_untrusted(
    tls_sides: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    server_tls, tls = tls_sides
    async with serving(FakeChainlit("/chat"), server_tls) as app:
        target = Target(f"https://127.0.0.1:{app.port}", "/chat", host_header="other.example.test")
        for client_tls, reason in ((tls, Reason.CERTIFICATE_NAME_MISMATCH), (None, Reason.CERTIFICATE_NOT_TRUSTED)):
            outcome = await named(tls=client_tls).probe(target)
            assert outcome.reason == reason, outcome
        assert app.seen == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (9, Reason.CERTIFICATE_EXPIRED),
        (10, Reason.CERTIFICATE_EXPIRED),
        (18, Reason.CERTIFICATE_NOT_TRUSTED),
        (19, Reason.CERTIFICATE_NOT_TRUSTED),
        (20, Reason.CERTIFICATE_NOT_TRUSTED),
        (62, Reason.CERTIFICATE_NAME_MISMATCH),
        (64, Reason.CERTIFICATE_NAME_MISMATCH),
        (23, Reason.TLS_FAILED),
    ],
)
def test_reasons_of_certificates(code: int, reason: Reason) -> None:
    cause = ssl.SSLCertVerificationError(1, "text of OpenSSL")
    cause.verify_code = code
    error = aiohttp.ClientConnectorCertificateError(None, cause)  # type: ignore[arg-type]
    outcome = Stage("It").network_failure(error, "https").outcome
    assert outcome.reason == reason and "OpenSSL" not in outcome.message


async def test_tls_with_an_expired_certificate(tmp_path: Path) -> None:
    server_tls, tls = both_sides(tmp_path, "-days", "-1")
    async with serving(FakeChainlit("/chat"), server_tls) as app:
        outcome = await named(tls=tls).probe(Target(f"https://{HOST}:{app.port}", "/chat"))
    assert outcome.reason == Reason.CERTIFICATE_EXPIRED, outcome


async def test_tls_to_a_plain_port() -> None:
    async with serving(FakeChainlit("/chat")) as app:
        outcome = await ask(Target(f"https://127.0.0.1:{app.port}", "/chat"))
    assert outcome.reason == Reason.TLS_FAILED, outcome


async def test_tls_to_a_port_that_hangs_up_or_stays_silent() -> None:
    async with raw_server(b"") as target:
        outcome = await ask(Target(target.base_url.replace("http", "https"), "/chat"))
    assert outcome.reason == Reason.TLS_FAILED, outcome
    async with raw_server(None) as target:
        limits = Limits(connect_seconds=0.1)
        outcome = await ask(Target(target.base_url.replace("http", "https"), "/chat"), limits)
    assert outcome.reason == Reason.CONNECTION_TIMED_OUT, outcome


async def test_plain_http_to_a_tls_port(tls_sides: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async with serving(FakeChainlit("/chat"), tls_sides[0]) as app:
        outcome = await ask(app.target)
    assert outcome.reason in (Reason.CONNECTION_LOST, Reason.HANDSHAKE_MALFORMED), outcome


# -- what stays behind


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> list[socket.socket]:
    """List the sockets that probes make."""
    made: list[socket.socket] = []

    class Recorded(socket.socket):
        def __init__(self, *args: int) -> None:
            super().__init__(*args)
            made.append(self)

    class Module:
        socket = Recorded

    monkeypatch.setattr(transport, "socket", Module)
    return made


@pytest.mark.parametrize("part", ["", "handshake", "upgrade", "page", "script", "silence"])
async def test_no_socket_or_task_stays(part: str, sockets: list[socket.socket]) -> None:
    faults = {part: answer(302, Location="/")}
    if part == "silence":
        faults = {"upgrade": upgrade_to_silence}
    async with serving(FakeChainlit("/chat", faults=faults)) as app:
        before = asyncio.all_tasks()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            await ask(app.target, QUICK if part == "silence" else PATIENT)
        # The server answers in tasks of its own.
        mine = [task for task in asyncio.all_tasks() - before if "web_protocol" not in repr(task)]
        assert not mine
        assert sockets and all(made.fileno() == -1 for made in sockets)


async def test_cancellation_passes_and_closes(sockets: list[socket.socket]) -> None:
    upgraded = asyncio.Event()

    async def wait(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
        upgraded.set()
        return await upgrade_to_silence(request)

    async with serving(FakeChainlit("/chat", faults={"upgrade": wait})) as app:
        task = asyncio.create_task(ask(app.target))
        await upgraded.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sockets and all(made.fileno() == -1 for made in sockets)


async def test_unexpected_error_is_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(body: bytes) -> str:
        raise RuntimeError("a fault of a library")

    monkeypatch.setattr(steps, "parse_open_packet", broken)
    async with serving(FakeChainlit("/chat")) as app:
        outcome = await ask(app.target)
    assert outcome.reason == Reason.PROBE_FAILED
    assert "fault of a library" not in outcome.message


async def test_many_probes_at_once() -> None:
    async with serving(FakeChainlit("/chat")) as app:
        outcomes = await asyncio.gather(*(ask(app.target) for _ in range(20)))
    assert {outcome.reason for outcome in outcomes} == {Reason.VERIFIED}


async def test_answers_that_are_none_without_end() -> None:
    more = b"HTTP/1.1 100 Continue\r\n\r\n"
    async with raw_server(more, again=more) as target, asyncio.timeout(20):
        outcome = await ask(target, replace(PATIENT, total_seconds=60))
    assert not outcome.reachable, outcome


@pytest.mark.parametrize("frame", [b"\x89\x00", b"\x8a\x00", b"\x81\x01x"], ids=["ping", "pong", "text"])
async def test_frames_without_end(frame: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = 0
    parse = ResponseHandler.data_received

    def counted(self: ResponseHandler, data: bytes) -> None:
        nonlocal parsed
        parsed += len(data)
        parse(self, data)

    monkeypatch.setattr(ResponseHandler, "data_received", counted)

    async def upgrade(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        transport = request.transport
        assert transport is not None
        while not transport.is_closing():
            transport.write(frame * 100_000)
            await asyncio.sleep(0)
        return socket

    async with serving(FakeChainlit("/chat", faults={"upgrade": upgrade})) as app, asyncio.timeout(20):
        outcome = await ask(app.target, replace(PATIENT, total_seconds=60))
    assert outcome.reason == Reason.UPGRADE_REFUSED, outcome
    assert parsed < 2 * PATIENT.max_websocket_bytes, "more in one turn would block other tasks"


async def test_one_ping_is_no_fault() -> None:
    async def upgrade(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.ping()
        async for message in socket:
            if message.data == "2probe":
                await socket.send_str("3probe")
        return socket

    async with serving(FakeChainlit("/chat", faults={"upgrade": upgrade})) as app:
        outcome = await ask(app.target)
    assert outcome.reachable, outcome
