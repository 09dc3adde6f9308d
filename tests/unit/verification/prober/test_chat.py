"""One chat message, and what counts as an answer to it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober import Outcome, Prober
from chainlit_operator.verification.prober import chat as module

from .fakes import GREETING, PATIENT, QUICK, SECRET, FakeChainlit, allow_any, answer, serving

CONNECTED = '40{"sid":"x"}'
REPLY = '42["new_message",{"type":"assistant_message","output":"echo"}]'


@pytest.fixture(autouse=True)
def no_long_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.1)


async def chat(app: FakeChainlit, *, at_edge: bool = True, cookie: str = "", is_quick: bool = False) -> Outcome:
    limits = replace(QUICK if is_quick else PATIENT, max_websocket_bytes=1 << 20)
    return await Prober(limits, allow=allow_any).chat(app.edge if at_edge else app.target, "hello", cookie)


@pytest.mark.parametrize("at_edge", [False, True])
async def test_a_chat_as_the_page_holds_it(at_edge: bool) -> None:
    async with serving(FakeChainlit("/chat", chat=[CONNECTED, REPLY])) as app:
        outcome = await chat(app, at_edge=at_edge)
    assert outcome == Outcome(Reason.VERIFIED, f"A chat message is answered at {app.base_url}/chat/")
    assert app.parts == ["cookie", "upgrade"][not at_edge :]
    connect, successful, pong, message, *rest = app.frames
    auth = json.loads(connect.removeprefix("40"))
    assert auth == {
        "clientType": "webapp",
        "sessionId": auth["sessionId"],
        "threadId": "",
        "userEnv": "{}",
        "chatProfile": "",
    }
    assert successful == '42["connection_successful"]' and pong == "3" and rest in ([], ["41"])
    name, sent = json.loads(message.removeprefix("42"))
    assert name == "client_message" and sent["fileReferences"] == []
    assert {key: sent["message"][key] for key in ("threadId", "name", "type", "output")} == {
        "threadId": "",
        "name": "user",
        "type": "user_message",
        "output": "hello",
    }
    upgrade = app.seen[-1]
    assert upgrade.query == {"EIO": "4", "transport": "websocket"}
    assert upgrade.headers["X-Chainlit-Session-Id"] == auth["sessionId"]
    assert upgrade.headers["X-Chainlit-Client-Type"] == "webapp" and upgrade.headers["User-Env"] == "{}"


async def test_the_cookie_of_a_login() -> None:
    async with serving(FakeChainlit("/chat", chat=[CONNECTED, REPLY])) as app:
        assert (await chat(app, cookie="access_token=abc")).reachable
    assert "access_token=abc" in app.seen[-1].headers["Cookie"]
    assert all("access_token" not in seen.headers.get("Cookie", "") for seen in app.seen[:-1])


@pytest.mark.parametrize(
    "packet",
    [
        REPLY,
        '42["update_message",{"type":"assistant_message","output":"echo"}]',
        '42["stream_start",{"id":"1"}]',
        '427["ask",{"msg":{}}]',
    ],
)
async def test_what_is_an_answer(packet: str) -> None:
    others = [
        *("42{", "42[]", "42[1]", '42["new_message"]', '42["new_message","text"]', "43[]", "42" + "[" * 5000),
        *('42["new_message",{"type":"user_message","output":"hello"}]', '42["new_message",{"type":"run"}]'),
        '42["task_start",{}]',
    ]
    async with serving(FakeChainlit("/chat", chat=[CONNECTED, *others, packet])) as app:
        assert (await chat(app)).reachable
    async with serving(FakeChainlit("/chat", chat=[CONNECTED, *others])) as app:
        outcome = await chat(app, is_quick=True)
    assert outcome.reason == Reason.TIMED_OUT
    assert outcome.found.startswith(f"The chat at {app.base_url}/chat/ws/socket.io/ gets no complete answer within")


@pytest.mark.parametrize(
    ("script", "reason", "says"),
    [
        (
            [f'44{{"message":"{SECRET}"}}', REPLY],
            "HandshakeRefused",
            "is refused by the app. Give the cookie of a login, by",
        ),
        ([CONNECTED], "ConnectionLost", "ends before an answer. Check the ingress controller"),
        (
            [CONNECTED, f'42["new_message",{{"type":"assistant_message","output":"{SECRET}","isError":true}}]'],
            "ServerError",
            "is answered with an error.",
        ),
        (
            [
                CONNECTED,
                f'42["update_message",{{"type":"run","name":"on_message","output":"{SECRET}","isError":true}}]',
            ],
            "ServerError",
            "is answered with an error.",
        ),
    ],
)
async def test_chats_that_fail(script: list[str], reason: str, says: str) -> None:
    async with serving(FakeChainlit("/chat", chat=script)) as app:
        outcome = await chat(app)
    assert outcome.reason == reason, outcome
    assert outcome.message.startswith(f"The chat at {app.base_url}/chat/ws/socket.io/ {says}")
    assert SECRET not in outcome.message


async def test_a_step_that_fails_is_no_answer() -> None:
    """The app may go on: a tool failed, and the model answers without it."""
    failed = '42["update_message",{"type":"tool","name":"search","output":"","isError":true}]'
    async with serving(FakeChainlit("/chat", chat=[CONNECTED, failed, REPLY])) as app:
        assert (await chat(app)).reason == Reason.VERIFIED


async def test_an_upgrade_that_is_refused() -> None:
    async with serving(FakeChainlit("/chat", faults={"upgrade": answer(403)})) as app:
        outcome = await chat(app)
    assert outcome.reason == Reason.UPGRADE_REFUSED and "returns status 403 instead of 101" in outcome.message


def test_a_greeting_is_a_message_of_the_app() -> None:
    assert json.loads(GREETING)[1]["type"] == "assistant_message", "the tests above hold only if it would be an answer"
