"""Whatever a tenant writes and a peer sends: an outcome, in time, short, without the peer's words."""

from __future__ import annotations

import asyncio
import string
import time
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober import MAX_MESSAGE_CHARS, Limits, Outcome, Prober, Target
from chainlit_operator.verification.prober.parse import module_scripts, own_script, parse_open_packet

from .fakes import FakeChainlit, ask, raw_server, serving

LIMITS = Limits(connect_seconds=2, total_seconds=2, websocket_close_seconds=0.05)
light = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

pieces = st.sampled_from(
    [
        b"<script",
        b' type="module"',
        b" src=",
        b'"/chat/assets/x.js"',
        b">",
        b"</script>",
        b"<!--",
        b"-->",
        b"<![",
        b"<?",
        b"&#x110000;",
        b"&#",
        b"'",
        b'"',
        b"\\",
        b"//evil",
        b"..",
        b"%2e",
        b"\x00",
        b"\xff",
        b"\r\n",
    ]
)
pages = st.one_of(
    st.binary(max_size=2000), st.lists(st.one_of(pieces, st.binary(max_size=8)), max_size=60).map(b"".join)
)
bodies = st.one_of(
    st.binary(max_size=6000),
    st.binary(max_size=300).map(lambda tail: b'0{"sid"' + tail),
    st.text(max_size=200).map(lambda sid: f'0{{"sid":"{sid}"}}'.encode("utf-8", "surrogatepass")),
)
answers = st.one_of(
    st.binary(max_size=500),
    st.binary(max_size=500).map(lambda tail: b"HTTP/1.1 200 OK\r\n" + tail),
    st.binary(max_size=500).map(lambda tail: b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + tail),
)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


def check(outcome: Outcome) -> None:
    assert isinstance(outcome, Outcome)
    assert outcome.reason in Reason and outcome.reason != Reason.PROBE_FAILED
    assert outcome.reachable == (outcome.reason == Reason.VERIFIED)
    assert 0 < len(outcome.message) <= MAX_MESSAGE_CHARS
    assert outcome.message.replace("…", "").isascii() and outcome.message.isprintable()


def run_with(runner: asyncio.Runner, part: str, body: bytes, kind: str) -> Outcome:
    async def fault(_: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Type": kind})

    async def go() -> Outcome:
        async with serving(FakeChainlit("/chat", faults={part: fault})) as app:
            return await ask(app.target, LIMITS)

    began = time.monotonic()
    outcome = runner.run(go())
    assert time.monotonic() - began < LIMITS.total_seconds + 5
    return outcome


@light
@given(body=bodies)
def test_any_handshake_body(runner: asyncio.Runner, body: bytes) -> None:
    outcome = run_with(runner, "handshake", body, "text/plain")
    check(outcome)
    assert not outcome.reachable


@light
@given(body=pages)
def test_any_page(runner: asyncio.Runner, body: bytes) -> None:
    check(run_with(runner, "page", body, "text/html"))


@light
@given(reply=answers)
def test_any_bytes_instead_of_http(runner: asyncio.Runner, reply: bytes) -> None:
    async def go() -> Outcome:
        async with raw_server(reply) as target:
            return await ask(target, LIMITS)

    check(runner.run(go()))


async def nowhere(host: str, port: int) -> Sequence[str]:
    raise OSError("no such name")


@settings(deadline=None)
@given(st.text(), st.text(), st.text(), st.none() | st.text(), st.sampled_from(["", "http://", "https://chat"]))
def test_any_target(
    runner: asyncio.Runner, rest: str, root_path: str, page_prefix: str, host: str | None, begin: str
) -> None:
    target = Target(begin + rest, root_path, page_prefix, host)
    outcome = runner.run(Prober(LIMITS, allow=lambda _: False, resolve=nowhere).probe(target))
    check(outcome)
    assert outcome.reason in (Reason.TARGET_INVALID, Reason.DNS_LOOKUP_FAILED, Reason.ADDRESS_FORBIDDEN)


@given(bodies)
def test_session_id_is_safe_in_a_query(body: bytes) -> None:
    sid = parse_open_packet(body)
    assert sid is None or 0 < len(sid) <= 128
    assert set(sid or "") <= set(string.ascii_letters + string.digits + "-_")


@given(st.lists(st.one_of(st.text(max_size=40), st.from_regex(r"[a-z./%2eEfF:?#\\@]{1,30}", fullmatch=True))))
def test_script_path_is_a_plain_path(sources: list[str]) -> None:
    path = own_script(sources, "/team/chat/")
    if path is not None:
        assert path.startswith("/") and path.isascii() and path.isprintable()
        assert not {"", ".", ".."} & set(unquote(path.partition("?")[0]).split("/")[1:])


@pytest.mark.parametrize(
    "unit", ["<a ", "<a/", "<!--", "</", "<?", "<a b='", "<script></scrip ", "&#", "<a " * 900 + ">"]
)
async def test_costly_page_is_given_up_and_blocks_nobody(unit: str) -> None:
    """Parsed whole, some of these take html.parser minutes. CPU time is measured: the machine may be busy."""
    longest, is_over, began = 0.0, False, time.thread_time()

    async def watch() -> None:
        nonlocal longest
        last = time.thread_time()
        while not is_over:
            await asyncio.sleep(0)
            longest, last = max(longest, time.thread_time() - last), time.thread_time()

    watcher = asyncio.create_task(watch())
    await asyncio.sleep(0)
    await module_scripts(unit * (256 * 1024 // len(unit)))
    is_over = True
    await watcher
    assert time.thread_time() - began < 3.0
    assert longest < 0.5
