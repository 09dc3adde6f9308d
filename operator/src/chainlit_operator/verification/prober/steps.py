"""The requests that prove that a Chainlit app can be used: handshake, upgrade, page, script and project settings.

A status code proves nothing about Chainlit, because its catch-all answers unknown paths with its HTML page and 200.
So the steps do what a browser does first, in at most five requests to a Service:

1. the Engine.IO v4 handshake by polling, whose body must be an open packet;
2. the WebSocket upgrade of that session (``2probe``, ``3probe``, ``5``), then Engine.IO close. Without a Socket.IO
   connect, so the app starts no chat session;
3. the page;
4. the module script that the page loads;
5. the project settings, without which the page opens no chat: a missing database driver shows there.

At the edge there are more, as from a browser: Chainlit sets its session cookie first, cookies are kept, each request
opens a connection, and the new session gets some packets before the upgrade, because each may reach another replica.
By https the path without its slash is requested too, because Chainlit may redirect it to http.

Protocol: https://socket.io/docs/v4/engine-io-protocol/
"""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import replace

import aiohttp

from chainlit_operator.domain import chainlit
from chainlit_operator.domain.model import AnsweredBy
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober.answers import LOGIN_STATUSES, is_refusal_of_plain_text, sender
from chainlit_operator.verification.prober.failures import Failure, Stage
from chainlit_operator.verification.prober.outcome import shown
from chainlit_operator.verification.prober.parse import (
    OPEN_PREFIX,
    is_javascript,
    looks_like_html,
    module_scripts,
    own_script,
    parse_open_packet,
)
from chainlit_operator.verification.prober.target import Target
from chainlit_operator.verification.prober.transport import Client, read_body

#: If requests spread over two replicas at random, 15 of 16 probes miss the session once, upgrade included.
SESSION_PACKETS = 3
# Texts of Engine.IO servers with status 400: python-engineio, and the original in JavaScript.
_SESSION_UNKNOWN = (b"Invalid session", b"Session ID unknown")
_NO_UPGRADE = (b"Invalid transport", b"Invalid websocket upgrade")

_BLANK_PAGE = "so a browser shows a blank page"
_CAN_OVERRIDE = "which its image or command can override"
_LET_THROUGH = "Exclude this path from authentication and request filters in front of the app"


async def take_steps(client: Client) -> bool:
    """Send all requests of a probe; return if the app can be used.

    The result says whether the path without its slash is redirected from https to http.

    Raises:
        Failure: it cannot.
        MovedToHttps: the edge redirects to the same place by https.

    """
    async with asyncio.timeout(client.limits.answer_seconds):
        if client.target.at_edge:
            await set_session_cookie(client, str(uuid.uuid4()))
        sid = await _check_handshake(client)
    client.has_reached_chainlit()
    if client.target.at_edge:
        await _check_session(client, sid)
    await _check_upgrade(client, sid)
    await _check_script(client, await _check_page(client))
    await _check_settings(client)
    return client.target.at_edge and await _leaves_https(client)


async def set_session_cookie(client: Client, session: str) -> None:
    """Let Chainlit set the cookie by which some edges choose the replica.

    The answer is ignored: older releases do not have this endpoint.
    """
    path = f"{client.target.root_path}/{chainlit.SESSION_COOKIE_ENDPOINT}"
    client.begin("POST", path, garbled=Reason.HANDSHAKE_MALFORMED)
    body = json.dumps({"session_id": session})
    async with client.request("POST", path, body=body, content_type="application/json"):
        pass


async def _check_handshake(client: Client) -> str:
    """Return the session id of the polling handshake."""
    path = client.target.socket_path
    lost = Reason.CONNECTION_LOST if client.target.at_edge else Reason.PLAIN_TEXT_REFUSED
    stage = client.begin("GET", path, garbled=Reason.HANDSHAKE_MALFORMED, lost=lost)
    async with client.request("GET", path, "EIO=4&transport=polling") as response:
        body, is_longer = await read_body(response, client.limits.max_handshake_bytes)
    if not client.target.at_edge and is_refusal_of_plain_text(response.status, body):
        raise stage.plain_text_refused("is answered by a proxy that reaches the app only by mutual TLS")
    stage = replace(stage, answered_by=sender(response.status, response.headers.get("Server", ""), body))
    _check_socket_status(stage, client.target, response.status)
    if not body.startswith(OPEN_PREFIX) and looks_like_html(response.content_type, body):
        found = "returns status 200 and an HTML page instead of the socket's answer"
        raise stage.failure(Reason.HANDSHAKE_IS_HTML, found, _root_path_fix(client.target))
    if is_longer:
        raise stage.too_large("a body")
    sid = parse_open_packet(body)
    if sid is None:
        found = "returns status 200, but its body is not an Engine.IO open packet"
        raise stage.failure(Reason.HANDSHAKE_MALFORMED, found, "Check that the address leads to Chainlit")
    return sid


def _check_socket_status(stage: Stage, target: Target, status: int) -> None:
    if status in (404, 410):
        raise stage.failure(Reason.HANDSHAKE_NOT_FOUND, f"returns status {status}", _root_path_fix(target))
    if status >= 500:
        raise stage.server_error(status)
    if status != 200:
        found = f"returns status {status} instead of 200"
        raise stage.failure(Reason.HANDSHAKE_REFUSED, found, _LET_THROUGH, _refuser(status))


def _refuser(status: int) -> AnsweredBy:
    """Return the sender of an answer below 500 that is not the one of the app."""
    return AnsweredBy.LOGIN if status in LOGIN_STATUSES else AnsweredBy.OTHER


def _root_path_fix(target: Target) -> str:
    """Return the fix if Chainlit answers at another path. It helps with the operator and without it."""
    return (
        f"Check that the app runs with {chainlit.ROOT_PATH}={shown(target.root_path)!r}, {_CAN_OVERRIDE}; if another "
        "app mounts Chainlit, set spec.mountPath of its ChainlitApp"
    )


async def _check_session(client: Client, sid: str) -> None:
    """Send packets that change nothing (pong); each may reach a replica without the session."""
    path = client.target.socket_path
    for _ in range(SESSION_PACKETS):
        stage = client.begin("POST", path, garbled=Reason.HANDSHAKE_MALFORMED)
        async with client.request("POST", path, f"EIO=4&transport=polling&sid={sid}", body="3") as response:
            if response.status == 400:
                raise _session_lost(stage)
            _check_socket_status(stage, client.target, response.status)


def _session_lost(stage: Stage) -> Failure:
    return stage.failure(
        Reason.SESSION_LOST,
        "returns status 400, because it reached another replica than the handshake of its session",
        "Set session affinity (a sticky cookie) for the route in its ingress controller, or run one replica",
    )


async def _check_upgrade(client: Client, sid: str) -> None:
    """Upgrade the session to WebSocket, then close it so that the app keeps nothing."""
    path, refused = client.target.socket_path, Reason.UPGRADE_REFUSED
    stage = client.begin("The WebSocket upgrade of", path, garbled=refused, lost=refused, late=refused)
    try:
        websocket = await client.connect_websocket(path, f"EIO=4&transport=websocket&sid={sid}")
    except aiohttp.WSServerHandshakeError as error:
        raise _upgrade_failure(stage, error.status, client.refusal) from error
    await websocket.send_str("2probe")
    message = await websocket.receive()
    if message.type is aiohttp.WSMsgType.PING:
        message = await websocket.receive()
    if message.type is not aiohttp.WSMsgType.TEXT or message.data != "3probe":
        fix = "Check that proxies in front of the app pass WebSocket frames"
        raise stage.failure(refused, "is accepted, but 2probe is not answered with 3probe", fix)
    await websocket.send_str("5")
    await websocket.send_str("1")
    await websocket.close()


def _upgrade_failure(stage: Stage, status: int, refusal: bytes) -> Failure:
    if status == 400 and any(words in refusal for words in _SESSION_UNKNOWN):
        return _session_lost(stage)
    found = f"returns status {status} instead of 101, although polling works"
    if status == 101:
        found = "returns status 101 and invalid headers"
    elif status == 400 and any(words in refusal for words in _NO_UPGRADE):
        found = "reaches the app as a plain request, because a proxy removed the Upgrade header"
    fix = "Allow WebSocket upgrades in proxies in front of the app"
    return stage.failure(Reason.UPGRADE_REFUSED, found, fix)


async def _check_page(client: Client) -> str:
    """Return the path, as requested here, of the module script that the page loads."""
    target = client.target
    stage = client.begin("GET", target.page_path, garbled=Reason.PAGE_MALFORMED)
    async with client.request("GET", target.page_path) as response:
        _check_page_status(stage, response.status)
        body, is_longer = await read_body(response, client.limits.max_body_bytes)
    if is_longer:
        raise stage.too_large("a body")
    browser_path = target.page_prefix + target.page_path
    script = own_script(await module_scripts(body.decode("utf-8", "replace")), browser_path)
    if script is None:
        raise stage.failure(
            Reason.PAGE_MALFORMED,
            "returns status 200, but not a page with a module script of its own",
            "Check that the address leads to Chainlit, and that the image contains Chainlit's frontend",
            AnsweredBy.OTHER,
        )
    # For a path outside, a browser gets nothing or the script of another app: the route does not lead it to this app.
    if not script.startswith(browser_path):
        found = f"returns a page that loads its script from outside {shown(browser_path)}, {_BLANK_PAGE}"
        raise stage.failure(Reason.ASSETS_MISSING, found, _both_root_paths_fix(target))
    return script.removeprefix(target.page_prefix)


def _both_root_paths_fix(target: Target) -> str:
    """Return the fix if the page has another prefix. At the edge the prober knows only both paths together."""
    root, parent = shown(target.root_path), shown(target.page_prefix)
    if target.at_edge:
        values = f"{chainlit.PARENT_ROOT_PATH} and {chainlit.ROOT_PATH} that together are {root!r}"
    else:
        values = f"{chainlit.ROOT_PATH}={root!r} and {chainlit.PARENT_ROOT_PATH}={parent!r}"
    return f"Check that the app runs with {values}, {_CAN_OVERRIDE}"


def _check_page_status(stage: Stage, status: int) -> None:
    if status in (404, 410):
        fix = "Check that the image contains Chainlit's frontend"
        raise stage.failure(Reason.PAGE_NOT_FOUND, f"returns status {status}, although the WebSocket works", fix)
    if status >= 500:
        raise stage.server_error(status)
    if status != 200:
        raise stage.failure(
            Reason.PAGE_REFUSED, f"returns status {status} instead of 200", _LET_THROUGH, _refuser(status)
        )


async def _check_script(client: Client, script: str) -> None:
    """Check that the page's script is JavaScript with content. Its path is text of the peer, so no message has it."""
    page_path = client.target.page_path
    stage = client.begin("The module script of", page_path, garbled=Reason.ASSETS_MISSING)
    path, _, query = script.partition("?")
    async with client.request("GET", path, query) as response:
        if response.status >= 500:
            raise stage.server_error(response.status)
        is_login = response.status in LOGIN_STATUSES
        if response.status != 200:
            found = f"returns status {response.status} instead of 200"
        elif not is_javascript(response.content_type):
            found = "returns status 200, but no JavaScript content type"
        elif not await response.content.readany():
            found = "returns status 200 and no content"
        else:
            return
    fix = "Check that the image contains Chainlit's frontend"
    if client.target.at_edge:
        fix = f"Check that the route covers all paths below {shown(page_path)}"
    refuser = AnsweredBy.LOGIN if is_login else None
    raise stage.failure(Reason.ASSETS_MISSING, f"{found}, {_BLANK_PAGE}", fix, refuser)


async def _check_settings(client: Client) -> None:
    """Check that the project settings are no server error; a page without them opens no chat.

    Any other answer is right: an app with a login answers 401, and older releases may answer the page.
    """
    path = f"{client.target.root_path}{chainlit.SETTINGS}"
    stage = client.begin("GET", path)
    async with client.request_any(path, "language=en-US") as response:
        if response.status < 500:
            return
    raise stage.failure(
        Reason.PROJECT_SETTINGS_FAILED,
        f"returns status {response.status}, so the page opens no chat although it loads",
        "Read the logs of the app's pods: a database driver may be missing in the image, or a function of the app that "
        "gives profiles, starters or the data layer fails",
    )


async def _leaves_https(client: Client) -> bool:
    """Whether the path without its slash is redirected from https to http; a failure says nothing."""
    path = client.target.root_path
    if not path or not client.target.is_https:
        return False
    client.begin("GET", path)
    try:
        async with asyncio.timeout(client.limits.connect_seconds), client.request_any(path) as response:
            return client.leaves_https(path, response)
    except (Failure, TimeoutError):
        return False


async def redirects_to_https(client: Client) -> bool:
    """Whether the page by http is redirected to the same host and path by https."""
    path = client.target.page_path
    client.begin("GET", path)
    async with client.request_any(path) as response:
        return client.goes_to_https(path, response)


def without_slash(target: Target) -> str:
    """Return the warning, without its full stop, for a path that leaves https without its slash."""
    return (
        f"But {target.url(target.root_path)} without the slash is redirected to http, because the app does not believe "
        f"X-Forwarded-Proto. Set {chainlit.FORWARDED_ALLOW_IPS}=* in its container"
    )
