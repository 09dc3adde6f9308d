"""Proving that a Chainlit app can be used at an address: socket, upgrade and page.

A status code proves nothing about Chainlit, whose catch-all answers unknown paths with its HTML page and 200.
So a probe does what a browser does first, in at most four requests to a Service:

1. the Engine.IO v4 handshake over polling, whose body must be an open packet;
2. the WebSocket upgrade of that session (``2probe``, ``3probe``, ``5``), then Engine.IO close. No Socket.IO
   connect is sent, so the app starts no chat session;
3. the page;
4. the module script that the page loads.

Through a route's URL, at the edge, it does more as a browser does: it has Chainlit's session cookie set first, keeps
cookies, opens a connection for each request, and sends the new session a few packets before the upgrade, as they may be
given to another replica. If the edge redirects to the same place by https, it goes there.

A probe connects to one address, looked up once and checked; it follows no other redirect, reads
bounded amounts, and repeats nothing of what the peer said.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import ssl
import uuid
from dataclasses import dataclass, replace

import aiohttp
from yarl import URL

from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober.address import (
    ForbiddenAddressError,
    IPAddress,
    LookupFailedError,
    Policy,
    Resolver,
    address_allowed,
    pick_address,
    system_resolve,
)
from chainlit_operator.verification.prober.outcome import Failure, MovedToHttps, Outcome, Stage, outcome, shown
from chainlit_operator.verification.prober.parse import (
    OPEN_PREFIX,
    is_javascript,
    looks_like_html,
    module_scripts,
    own_script,
    parse_open_packet,
)
from chainlit_operator.verification.prober.transport import Client, Endpoint, Limits, read_body

DEFAULT_LIMITS = Limits()

#: Enough that requests spread over two replicas at random miss the session 15 times of 16, upgrade included.
SESSION_PACKETS = 3
# What Engine.IO servers say with status 400: python-engineio, and the original in JavaScript.
_SESSION_UNKNOWN = (b"Invalid session", b"Session ID unknown")
_NO_UPGRADE = (b"Invalid transport", b"Invalid websocket upgrade")

_MAX_PREFIX_CHARS = 1024
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_HOST_HEADER = re.compile(r"(?P<host>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """Where an app should answer.

    ``base_url`` is ``scheme://host[:port]`` with http or https and no path. ``root_path`` is the prefix that
    this side serves: empty, or like ``/chat``. ``page_prefix`` is what the page's HTML puts before that
    prefix but this side does not receive (Chainlit's parent root path): with ``/team``, the script
    ``/team/chat/assets/x.js`` is fetched at ``/chat/assets/x.js``. ``host_header`` replaces the host of
    ``base_url`` in the Host header and, with https, in server name indication and certificate verification.
    ``at_edge`` says that a browser would ask there, and not only other pods.
    """

    base_url: str
    root_path: str
    page_prefix: str = ""
    host_header: str | None = None
    at_edge: bool = False


async def probe(
    target: Target,
    limits: Limits = DEFAULT_LIMITS,
    *,
    allow: Policy = address_allowed,
    resolve: Resolver = system_resolve,
    tls: ssl.SSLContext | None = None,
) -> Outcome:
    """Find out whether a Chainlit app's socket and page answer at a target.

    ``allow`` judges the address before anything is sent; ``resolve`` turns a host name and port into
    addresses; ``tls`` replaces the default context, which verifies against the system's authorities.

    Returns an outcome whatever the target, the network or the peer do, and raises only
    ``asyncio.CancelledError``. Every socket that it opened is closed by then.
    Protocol: https://socket.io/docs/v4/engine-io-protocol/
    """
    client = Client(limits, True if tls is None else tls, at_edge=target.at_edge)
    try:
        async with asyncio.timeout(limits.total_seconds):
            endpoint = await locate(client, target, limits, allow, resolve)
            async with client.open(endpoint):
                if target.at_edge:
                    await _set_session_cookie(client, target)
                sid = await _check_handshake(client, target, limits)
                if target.at_edge:
                    await _check_session(client, target, sid)
                await _check_upgrade(client, target, sid)
                await _check_script(client, target, await _check_page(client, target, limits))
    except Failure as failure:
        return failure.outcome
    except MovedToHttps as moved:
        there = _by_https(target, moved.base_url)
        found = await probe(there, limits, allow=allow, resolve=resolve, tls=tls)
        return found if found.reachable else outcome(found.reason, f"Redirected to https: {found.message}")
    except TimeoutError:
        return client.stage.out_of_time(client.connected, limits.total_seconds).outcome
    except Exception as exc:
        # The peer chooses what the HTTP and HTML libraries are fed: their faults must not stop the operator.
        _log.warning("a probe ended with an unexpected %s", type(exc).__name__, exc_info=True)
        return client.stage.failure(
            Reason.PROBE_FAILED, "ended with an internal error", "read the operator's log"
        ).outcome
    page = shown(_page_path(target))
    where = f"as a browser does at {target.base_url}{page}" if target.at_edge else f"below {page}"
    all_ = "the Engine.IO handshake, the WebSocket upgrade and the page's script all answered"
    return outcome(Reason.VERIFIED, f"Asked {where}, {all_}.")


def _by_https(target: Target, base_url: str) -> Target:
    """Return the target that an edge redirected to: at the same address, where one was given beside the name."""
    if target.host_header is None:
        return replace(target, base_url=base_url)
    at = URL.build(scheme="https", host=URL(target.base_url).host or "")
    return replace(target, base_url=str(at), host_header=URL(base_url).raw_authority)


def _socket_path(target: Target) -> str:
    return f"{target.root_path}/ws/socket.io/"


def _page_path(target: Target) -> str:
    return f"{target.root_path}/"


async def locate(client: Client, target: Target, limits: Limits, allow: Policy, resolve: Resolver) -> Endpoint:
    """Check the target's form and choose its address; raises Failure."""
    base = _parse_base_url(target.base_url)
    header = None if target.host_header is None else _HOST_HEADER.fullmatch(target.host_header)
    what = ""
    if base is None:
        what = "the base URL is not scheme://host[:port] with http or https"
    elif not (_is_prefix(target.root_path) and _is_prefix(target.page_prefix)):
        what = "a path prefix is neither empty nor made of /segments of letters, digits and . _ ~ -"
    elif target.host_header is not None and header is None:
        what = "the Host header is not host[:port]"
    if base is None or what:
        fix = "correct the route's host or path"
        raise Failure(Reason.TARGET_INVALID, f"Nothing was asked because {what}; {fix}.")
    host, port = base.raw_host or "", base.port or 0
    return Endpoint(
        scheme=base.scheme,
        address=await _resolved(client, host, port, limits, allow, resolve),
        port=port,
        host=header[0] if header else base.raw_authority,
        server_name=header["host"].strip("[]") if header else host,
    )


def _is_prefix(text: str) -> bool:
    clean = len(text) <= _MAX_PREFIX_CHARS and _PREFIX.fullmatch(text) is not None
    return clean and not any(part in (".", "..") for part in text.split("/"))


def _parse_base_url(text: str) -> URL | None:
    try:
        url = URL(text)
        has_host = url.scheme in ("http", "https") and bool(url.raw_host) and bool(url.port)
    except (ValueError, TypeError):  # UnicodeError, of the IDNA encoding, is a ValueError
        return None
    if not has_host or url.raw_path_qs not in ("", "/") or any(char in text for char in "@?#\\"):
        return None
    return url


async def _resolved(
    client: Client, host: str, port: int, limits: Limits, allow: Policy, resolve: Resolver
) -> IPAddress:
    failed = Reason.DNS_LOOKUP_FAILED
    client.begin(Stage("The DNS lookup of the host", late=failed))
    try:
        async with asyncio.timeout(limits.connect_seconds):
            return await pick_address(host, port, resolve=resolve, allow=allow)
    except TimeoutError as exc:
        raise client.stage.failure(failed, "got no answer in time", "check the cluster's DNS") from exc
    except LookupFailedError as exc:
        fix = "create its DNS record or correct the host name"
        raise client.stage.failure(failed, "gave no usable address", fix) from exc
    except ForbiddenAddressError as exc:
        own = ", and neither the API server nor the operator itself" if client.at_edge else ""
        raise Failure(
            Reason.ADDRESS_FORBIDDEN,
            "Nothing was asked because the host stands for an address that is never probed (no loopback, link-local, "
            f"multicast or metadata address{own}); use a host that leads to the app's Service or ingress controller.",
        ) from exc


async def _set_session_cookie(client: Client, target: Target) -> None:
    """Step 0 at the edge: have Chainlit (2.5.5 and later) set the cookie that some edges choose the replica by.

    What is answered decides nothing: older versions do not know the path.
    """
    path = f"{target.root_path}/set-session-cookie"
    client.begin(Stage(f"The first request, POST {shown(path)},", Reason.HANDSHAKE_MALFORMED))
    body = json.dumps({"session_id": str(uuid.uuid4())})
    async with client.request("POST", path, body=body, content_type="application/json"):
        pass


async def _check_handshake(client: Client, target: Target, limits: Limits) -> str:
    """Step 1: return the session id of the polling handshake."""
    path = _socket_path(target)
    stage = client.begin(Stage(f"The Engine.IO handshake GET {shown(path)}", Reason.HANDSHAKE_MALFORMED))
    async with client.request("GET", path, "EIO=4&transport=polling") as response:
        _check_handshake_status(stage, response.status)
        body, longer = await read_body(response, limits.max_handshake_bytes)
    is_open = body.startswith(OPEN_PREFIX)
    if not is_open and looks_like_html(response.content_type, body):
        raise stage.failure(
            Reason.HANDSHAKE_IS_HTML,
            "was answered with status 200 and an HTML page, Chainlit's catch-all and not its socket",
            "make CHAINLIT_ROOT_PATH equal to the path that the backend receives, and use a Chainlit version "
            "that serves its socket below it",
        )
    if longer:
        raise stage.too_large("a body")
    sid = parse_open_packet(body)
    if sid is None:
        raise stage.failure(
            Reason.HANDSHAKE_MALFORMED,
            "was answered with status 200 and a body that is no Engine.IO open packet",
            "check that the route leads to a Chainlit app",
        )
    return sid


def _check_handshake_status(stage: Stage, status: int) -> None:
    if status in (404, 410):
        raise stage.failure(
            Reason.HANDSHAKE_NOT_FOUND,
            f"was answered with status {status}",
            "make CHAINLIT_ROOT_PATH equal to the path that the backend receives, and check the route's path",
        )
    if status >= 500:
        raise stage.server_error(status)
    if status != 200:
        raise stage.failure(
            Reason.HANDSHAKE_REFUSED,
            f"was answered with status {status} instead of 200",
            "let this path through whatever filters requests or asks for credentials before the app",
        )


async def _check_session(client: Client, target: Target, sid: str) -> None:
    """Step 1b at the edge: send packets that change nothing (pong); each may reach a replica without the session."""
    path = _socket_path(target)
    for _ in range(SESSION_PACKETS):
        stage = client.begin(Stage(f"The Engine.IO packet POST {shown(path)}", Reason.HANDSHAKE_MALFORMED))
        async with client.request("POST", path, f"EIO=4&transport=polling&sid={sid}", body="3") as response:
            if response.status == 400:
                raise _session_lost(stage)
            _check_handshake_status(stage, response.status)


def _session_lost(stage: Stage) -> Failure:
    return stage.failure(
        Reason.SESSION_LOST,
        "was refused with status 400 because the session is unknown there: it reached another replica than the "
        "handshake before it",
        "let the ingress controller keep each browser at one replica (with Ingresses of Traefik by the annotation "
        'traefik.ingress.kubernetes.io/service.sticky.cookie: "true" of the Service), or run one replica only',
    )


async def _check_upgrade(client: Client, target: Target, sid: str) -> None:
    """Step 2: upgrade the session to WebSocket, then close it so that the app keeps nothing."""
    path, refused = _socket_path(target), Reason.UPGRADE_REFUSED
    stage = client.begin(Stage(f"The WebSocket upgrade of {shown(path)}", refused, refused, refused))
    try:
        websocket = await client.connect_websocket(path, f"EIO=4&transport=websocket&sid={sid}")
    except aiohttp.WSServerHandshakeError as exc:
        raise _upgrade_failure(stage, exc.status, client.refusal) from exc
    await websocket.send_str("2probe")
    message = await websocket.receive()
    if message.type is aiohttp.WSMsgType.PING:
        message = await websocket.receive()
    if message.type is not aiohttp.WSMsgType.TEXT or message.data != "3probe":
        raise stage.failure(
            refused,
            "was accepted, but 2probe was not answered with 3probe",
            "check that the proxy passes WebSocket frames through to the app",
        )
    await websocket.send_str("5")
    await websocket.send_str("1")
    await websocket.close()


def _upgrade_failure(stage: Stage, status: int, refusal: bytes) -> Failure:
    if status == 400 and any(words in refusal for words in _SESSION_UNKNOWN):
        return _session_lost(stage)
    found = f"was answered with status {status} instead of 101 although the polling handshake works"
    if status == 101:
        found = "was answered with status 101 and invalid headers"
    elif status == 400 and any(words in refusal for words in _NO_UPGRADE):
        found = "reached the app as a plain request: something before it removed the Upgrade header"
    return stage.failure(Reason.UPGRADE_REFUSED, found, "let the proxy pass WebSocket upgrades")


async def _check_page(client: Client, target: Target, limits: Limits) -> str:
    """Step 3: fetch the page and return the path, on this side, of the script that it loads."""
    path = _page_path(target)
    stage = client.begin(Stage(f"The page GET {shown(path)}", Reason.PAGE_MALFORMED))
    async with client.request("GET", path) as response:
        _check_page_status(stage, response.status)
        body, longer = await read_body(response, limits.max_body_bytes)
    if longer:
        raise stage.too_large("a body")
    browser_path = target.page_prefix + path
    script = own_script(await module_scripts(body.decode("utf-8", "replace")), browser_path)
    if script is None:
        raise stage.failure(
            Reason.PAGE_MALFORMED,
            "was answered with status 200, but not with a page that loads a module script of its own",
            "check that the route leads to Chainlit and that its image contains the frontend",
        )
    # Outside the path a browser gets nothing, or the script of another app, whatever this side answers.
    if not script.startswith(browser_path):
        raise stage.failure(
            Reason.ASSETS_MISSING,
            f"named a script outside {shown(browser_path)}, so a browser shows a blank page",
            "set CHAINLIT_ROOT_PATH to the path that the backend receives, or CHAINLIT_PARENT_ROOT_PATH to "
            "the prefix that the proxy strips",
        )
    return script.removeprefix(target.page_prefix)


def _check_page_status(stage: Stage, status: int) -> None:
    if status in (404, 410):
        raise stage.failure(
            Reason.PAGE_NOT_FOUND,
            f"was answered with status {status} although the socket answers",
            "let the route cover the path itself and everything below it (pathType Prefix)",
        )
    if status >= 500:
        raise stage.server_error(status)
    if status != 200:
        raise stage.failure(
            Reason.PAGE_REFUSED,
            f"was answered with status {status} instead of 200",
            "let this path through whatever filters requests or asks for credentials before the app",
        )


async def _check_script(client: Client, target: Target, script: str) -> None:
    """Step 4: fetch the beginning of the page's script, whose path is the peer's text and not repeated."""
    asked = f"The module script of the page {shown(_page_path(target))}"
    stage = client.begin(Stage(asked, Reason.ASSETS_MISSING))
    path, _, query = script.partition("?")
    async with client.request("GET", path, query) as response:
        if response.status >= 500:
            raise stage.server_error(response.status)
        if response.status != 200:
            found = f"was answered with status {response.status} instead of 200"
        elif not is_javascript(response.content_type):
            found = "was answered with status 200, but not with a JavaScript content type"
        elif not await response.content.readany():
            found = "was answered with status 200 and no content"
        else:
            return
    raise stage.failure(
        Reason.ASSETS_MISSING,
        f"{found}, so a browser shows a blank page",
        "let the route cover everything below the path, and make CHAINLIT_ROOT_PATH and "
        "CHAINLIT_PARENT_ROOT_PATH agree with it",
    )
