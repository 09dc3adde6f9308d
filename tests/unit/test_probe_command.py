"""``chainlit-operator probe``: one verification, one line, one exit code."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiohttp import web
from click.testing import CliRunner, Result
from tests.unit.verification.prober.fakes import SECRET, FakeChainlit, answer, serving

from chainlit_operator.cli import cli
from chainlit_operator.verification import one_shot
from chainlit_operator.verification.prober import Target, chat


async def probe(*arguments: str) -> Result:
    """Run the command beside this loop, on which the app is served."""
    return await asyncio.to_thread(CliRunner().invoke, cli, ["probe", *arguments])


@pytest.mark.parametrize("tail", ["", "/"])
async def test_an_app_that_can_be_used(tail: str) -> None:
    async with serving(FakeChainlit("/chat")) as app:
        url = f"{app.base_url}/chat{tail}"
        result = await probe(url)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{url} answered: Engine.IO handshake, ") and result.stdout.count("\n") == 1
    assert app.parts == ["cookie", "handshake", "packet", "packet", "packet", "upgrade", "page", "script", "settings"]


async def test_as_pods_do_through_the_service() -> None:
    async with serving(FakeChainlit("/chat", "/team")) as app:
        result = await probe("--service", f"{app.base_url}/chat", "--parent-root-path", "/team")
        stripped = await probe("--service", f"{app.base_url}/chat")
    assert result.exit_code == 0, result.output
    assert app.parts[:5] == ["handshake", "upgrade", "page", "script", "settings"]
    assert stripped.exit_code == 1 and "AssetsMissing" in stripped.stderr


@pytest.mark.parametrize("arguments", [[], ["--service"]])
async def test_a_chat_message(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "QUIET_SECONDS", 0.1)
    reply = '42["new_message",{"type":"assistant_message","output":"' + "x" * 9999 + '"}]'
    async with serving(FakeChainlit("/chat", chat=['40{"sid":"x"}', reply])) as app:
        url = f"{app.base_url}/chat/"
        result = await probe(url, "--message", "hello", "--cookie", "a=b", *arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{url} answered: A chat message is answered at {url}.\n"
    assert app.parts[-1] == "upgrade" and app.parts.count("upgrade") == 2
    assert "a=b" in app.seen[-1].headers["Cookie"]


async def test_a_chat_message_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "QUIET_SECONDS", 0.1)
    async with serving(FakeChainlit("/chat", chat=['40{"sid":"x"}', "2"])) as app:
        result = await probe(f"{app.base_url}/chat/", "--message", "hello", "--timeout", "1.5")
    assert result.exit_code == 1 and "TimedOut" in result.stderr


async def test_an_app_at_another_path() -> None:
    async with serving(FakeChainlit("/chat")) as app:
        result = await probe(f"{app.base_url}/bot/")
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"chainlit-operator: {app.base_url}/bot/ failed: HandshakeNotFound: ")


async def test_output_repeats_nothing_of_the_peer() -> None:
    async with serving(FakeChainlit("/chat", faults={"upgrade": answer(403)})) as app:
        result = await probe(f"{app.base_url}/chat/")
    assert result.exit_code == 1
    assert "UpgradeRefused" in result.stderr and SECRET not in result.output


async def test_another_place_to_connect_to() -> None:
    async with serving(FakeChainlit("/chat")) as app:
        result = await probe("http://chat.example/chat/", "--connect-to", f"127.0.0.1:{app.port}")
    assert result.exit_code == 0, result.output
    assert {request.headers["Host"] for request in app.seen} == {"chat.example"}


async def test_an_app_that_is_late() -> None:
    async def once(_: web.Request) -> web.Response:
        app.faults.clear()
        return web.Response(status=503)

    app = FakeChainlit("/chat", faults={"handshake": once})
    async with serving(app):
        result = await probe(f"{app.base_url}/chat/", "--wait", "60")
    assert result.exit_code == 0, result.output
    assert app.parts.count("handshake") == 2


async def test_an_app_that_never_comes() -> None:
    app = FakeChainlit("/chat", faults={"handshake": answer(503)})
    async with serving(app):
        begun = time.monotonic()
        result = await probe(f"{app.base_url}/chat/", "--wait", "1.95")
    assert result.exit_code == 1 and "ServerError" in result.stderr
    assert time.monotonic() - begun >= one_shot.PAUSE
    assert app.parts.count("handshake") == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "URL"),
        (["chat.example/chat"], "such as https://example.com/chat/"),
        (["ftp://chat.example/"], "such as https://example.com/chat/"),
        (["http://"], "such as https://example.com/chat/"),
        (["http://chat.example:port/"], "not a URL"),
        (["http://chat.example/?a=b"], "more than scheme, host, port and path"),
        (["http://me:secret@chat.example/"], "more than scheme, host, port and path"),
        (["http://chat.example/my%20chat"], "characters other than"),
        (["http://chat.example/", "--parent-root-path", "/team"], "is for --service"),
        (["http://chat.example/", "--cookie", "a=b"], "--cookie is for --message"),
        (["http://chat.example/", "--message", "hello", "--cookie", "a=b\r\nc"], "printable ASCII"),
        (["http://chat.example/", "--message", "hello", "--cookie", "a=ü"], "printable ASCII"),
        (["http://chat.example/", "--timeout", "0"], "--timeout"),
        (["http://chat.example/", "--timeout", "nan"], "--timeout"),
        (["http://chat.example/", "--timeout", "inf"], "--timeout"),
        (["http://chat.example/", "--wait", "nan"], "--wait"),
        (["http://chat.example/", "--wait", "inf"], "--wait"),
        (["http://chat.example/", "--connect-to", ":80"], "--connect-to"),
        (["http://chat.example/", "--connect-to", "a/b"], "--connect-to"),
        (["http://chat.example/", "--connect-to", "::1"], "--connect-to"),
        (["http://chat.example/", "--connect-to", "x y"], "--connect-to"),
        (["http://chat.example/", "--connect-to", "x y:z"], "--connect-to"),
        (["http://chat.example/", "--connect-to", "me@a"], "--connect-to"),
        (["http://chat.example/", "--connect-to", "a:0"], "--connect-to"),
        (["http://chat.example/", "--ca-file", "no/such/file"], "no/such/file"),
    ],
)
async def test_wrong_usage(arguments: list[str], says: str) -> None:
    result = await probe(*arguments)
    assert result.exit_code == 2, result.output
    assert says in result.output and "Traceback" not in result.output


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://a.example", Target("http://a.example", "", at_edge=True)),
        ("https://a.example:8443/chat//", Target("https://a.example:8443", "/chat", at_edge=True)),
        ("http://[::1]:80/x", Target("http://[::1]:80", "/x", at_edge=True)),
    ],
)
def test_target_of_a_url(url: str, target: Target) -> None:
    assert one_shot.parse_target(url) == target


@pytest.mark.parametrize("place", ["edge", "edge.example:8000", "127.0.0.1", "[::1]", "[::1]:8000"])
def test_target_at_another_place(place: str) -> None:
    found = one_shot.parse_target("https://a.example/chat", connect_to=place)
    assert found == Target(f"https://{place}", "/chat", host_header="a.example", at_edge=True)
