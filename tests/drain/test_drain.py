"""The drain with real releases of Chainlit, and Socket.IO clients that hold their sessions as Chainlit's page does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.drain.browser import POLLING, WEBSOCKET, counted, edge, tab
from tests.drain.processes import PATIENCE, QUICK, serving
from tests.drain.signals import Signal
from tests.releases import CURRENT
from tests.waiting import until

slow = pytest.mark.slow
RELEASES = [CURRENT, pytest.param("2.9.6", marks=slow), pytest.param("2.3.0", marks=slow)]
TRANSPORTS = [pytest.param(WEBSOCKET, id="websocket"), pytest.param(POLLING, id="polling")]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("transports", TRANSPORTS)
async def test_keep_serves_a_session_until_it_ends(
    release: str, transports: tuple[str, ...], tmp_path: Path, signal: Signal
) -> None:
    async with serving(release, tmp_path / "a") as app:
        found = await app.status()
        assert (found["mode"], found["sessions"], found["answers"]) == ("Keep", 0, 0)
        assert found["reason"].endswith("the app has no login, no data layer, no on_chat_resume")
        async with tab(app.port, transports) as first:
            await first.say(signal.text)
            await first.hear(5)
            assert (await app.status())["answers"] == 1
            drained = asyncio.ensure_future(app.drain())
            await first.hear(40)
            signal.give()
            assert counted(await first.answer()) == 1
            await first.say(signal.text)  # the conversation goes on
            assert counted(await first.answer()) == 2
            assert not drained.done()
            assert first.losses == 0
            assert await app.is_ready()
        found = await asyncio.wait_for(drained, PATIENCE)
        assert found["sessions"] == 0
        assert found["seconds"] < float(QUICK["LIMIT_SECONDS"])


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("transports", TRANSPORTS)
async def test_a_session_is_handed_over_when_its_answer_is_whole(
    release: str, transports: tuple[str, ...], tmp_path: Path, signal: Signal
) -> None:
    store = tmp_path / "store"
    store.mkdir()
    env = {"STORE": str(store)}
    async with serving(release, tmp_path / "a", env=env) as old, serving(release, tmp_path / "b", env=env) as new:

        async def choose() -> int:
            """As an edge with a sticky cookie: to the old pod as long as it is ready."""
            return old.port if await old.is_ready() else new.port

        async with edge(choose) as (port, _), tab(port, transports) as opened:
            assert (await old.status())["mode"] == "HandOver"
            await opened.say(signal.text)
            await opened.hear(5)
            drained = asyncio.ensure_future(old.drain())
            await opened.hear(40)
            # A browser without a WebSocket would be elsewhere with its next poll.
            assert await old.is_ready() == (transports == POLLING)
            assert opened.losses == 0
            signal.give()
            assert counted(await opened.answer()) == 1
            await until(lambda: bool(opened.resumed), PATIENCE)
            outputs = [step["output"] for step in opened.resumed[0]["steps"] if "message" in step["type"]]
            assert outputs == [signal.text, opened.answers[0]]
            await asyncio.wait_for(drained, PATIENCE)
            await asyncio.wait_for(old.process.wait(), PATIENCE)
            await opened.say(signal.text)
            assert counted(await opened.answer()) == 2
            assert (opened.losses, opened.connections) == (1, 2)


async def test_without_a_drain_the_answer_is_cut(tmp_path: Path, signal: Signal) -> None:
    async with serving(CURRENT, tmp_path / "a") as app, tab(app.port) as opened:
        await opened.say(signal.text)
        await opened.hear(5)
        app.process.terminate()
        await asyncio.wait_for(app.process.wait(), PATIENCE)
        await until(lambda: opened.losses > 0, PATIENCE)
        assert opened.answers == []


@pytest.mark.parametrize("mode", ["Auto", "Answers"])
async def test_the_limit_ends_a_drain(mode: str, tmp_path: Path, signal: Signal) -> None:
    drain = QUICK | {"LIMIT_SECONDS": "1", "MODE": mode}
    async with serving(CURRENT, tmp_path / "a", drain=drain) as app, tab(app.port) as opened:
        await opened.say(signal.text)
        await opened.hear(5)
        found = await asyncio.wait_for(app.drain(), PATIENCE)
        assert (found["sessions"], found["answers"]) == (1, 1)
        assert found["seconds"] >= 1


async def test_answers_waits_for_no_idle_session(tmp_path: Path, signal: Signal) -> None:
    async with serving(CURRENT, tmp_path / "a", drain=QUICK | {"MODE": "Answers"}) as app, tab(app.port) as opened:
        await opened.say(signal.text)
        await opened.hear(5)
        drained = asyncio.ensure_future(app.drain())
        await opened.hear(20)
        assert not drained.done()
        signal.give()
        assert counted(await opened.answer()) == 1
        found = await asyncio.wait_for(drained, PATIENCE)
        assert (found["sessions"], found["answers"]) == (1, 0)


async def test_an_edited_message_is_an_answer_too(tmp_path: Path, signal: Signal) -> None:
    """No task of the session runs it."""
    async with serving(CURRENT, tmp_path / "a", drain=QUICK | {"MODE": "Answers"}) as app, tab(app.port) as opened:
        first, other = Signal(f"{signal.text} of the first"), signal
        first.give()
        said = await opened.say(first.text)
        assert counted(await opened.answer()) == 1
        await opened.edit(said, other.text)
        await opened.hear(5)
        drained = asyncio.ensure_future(app.drain())
        await opened.hear(20)
        assert not drained.done()
        other.give()
        assert counted(await opened.answer()) == 2
        await asyncio.wait_for(drained, PATIENCE)


async def test_an_action_is_an_answer_too(tmp_path: Path, signal: Signal) -> None:
    """It is a request, and no event."""
    async with serving(CURRENT, tmp_path / "a", drain=QUICK | {"MODE": "Answers"}) as app, tab(app.port) as opened:
        acted = asyncio.ensure_future(opened.act("wait", {"file": signal.text}))
        drained = asyncio.ensure_future(app.drain())
        await app.becomes(draining=True)
        await asyncio.wait([drained], timeout=2 * float(QUICK["SETTLE_SECONDS"]))
        assert not drained.done()
        signal.give()
        await asyncio.wait_for(acted, PATIENCE)
        await until(lambda: opened.answers == ["waited"], PATIENCE)
        await asyncio.wait_for(drained, PATIENCE)


async def test_a_browser_that_lost_its_connection_comes_back(tmp_path: Path, signal: Signal) -> None:
    """Its session is in this process only."""
    signal.give()
    async with serving(CURRENT, tmp_path / "a", drain=QUICK | {"RECONNECT_SECONDS": "20"}) as app:

        async def choose() -> int:
            return app.port

        async with edge(choose) as (port, cut), tab(port) as opened:
            await opened.say(signal.text)
            assert counted(await opened.answer()) == 1
            drained = asyncio.ensure_future(app.drain())
            await app.becomes(draining=True)
            cut()
            await until(lambda: opened.connections == 2, PATIENCE)
            await opened.say(signal.text)
            assert counted(await opened.answer()) == 2
            assert not drained.done()
            drained.cancel()


async def test_what_is_missing_for_a_hand_over_is_named(tmp_path: Path) -> None:
    env = {"STORE": str(tmp_path), "RESUMES": "no"}
    async with serving(CURRENT, tmp_path / "a", env=env) as app:
        found = await app.status()
        assert (found["mode"], found["reason"].partition(": ")[2]) == ("Keep", "the app has no on_chat_resume")
