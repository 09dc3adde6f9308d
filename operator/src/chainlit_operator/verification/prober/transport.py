"""The prober's HTTP client: one checked address, no redirect, proxy or decompression; cookies at the edge only."""

from __future__ import annotations

import asyncio
import errno
import functools
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober.address import IPAddress
from chainlit_operator.verification.prober.cookies import ProbeCookies
from chainlit_operator.verification.prober.outcome import MovedToHttps, Stage

MAX_REQUESTS = 4
MAX_REQUESTS_AT_EDGE = 8
USER_AGENT = "chainlit-operator-prober"
_READ_BYTES = 16 * 1024
_MAX_REFUSAL_BYTES = 512
#: What is looked at in one go.
_SLICE_BYTES = 2048
#: Of one connection: an answer to each request, and a few with status 1xx before it.
_MAX_MESSAGES = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What one probe may cost: seconds, and bytes as received.

    ``connect_seconds`` bounds the name lookup, and each TCP connect with its TLS handshake; ``total_seconds``
    bounds the whole probe. ``max_body_bytes`` is for the page.
    """

    connect_seconds: float = 5.0
    total_seconds: float = 10.0
    max_body_bytes: int = 256 * 1024
    max_handshake_bytes: int = 4096
    max_websocket_bytes: int = 4096
    max_header_field_bytes: int = 8190
    max_headers: int = 100
    websocket_close_seconds: float = 0.5


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address to connect to, and how the requests name it.

    ``host`` is the Host header; ``server_name`` is what the certificate must be for.
    """

    scheme: str
    address: IPAddress
    port: int
    host: str
    server_name: str

    @property
    def origin(self) -> URL:
        """Scheme, host and port as a browser has them."""
        return URL(f"{self.scheme}://{self.host}")

    def url(self, path: str, query: str = "") -> URL:
        """Return a URL with the address in place of the name, so that aiohttp has nothing left to look up."""
        literal = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        question = f"?{query}" if query else ""
        return URL(f"{self.scheme}://{literal}:{self.port}{path}{question}", encoded=True)


class _Connection(ResponseHandler):
    """aiohttp's side of one connection, which ends it where the peer goes on and on.

    aiohttp takes any number of answers with status 1xx, and of WebSocket frames, and in one turn of the loop all that a
    socket holds: a second, for everybody.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, max_websocket_bytes: int) -> None:
        super().__init__(loop)
        self._messages_left, self._websocket_bytes_left = _MAX_MESSAGES, max_websocket_bytes

    def data_received(self, data: bytes) -> None:
        """Take what came in slices, until it is too much."""
        if not data:  # aiohttp's own, to go on with what it held back
            super().data_received(data)
        for start in range(0, len(data), _SLICE_BYTES):
            piece = data[start : start + _SLICE_BYTES]
            if self._upgraded:
                self._websocket_bytes_left -= len(piece)
            if self._messages_left < 0 or self._websocket_bytes_left < 0:
                self.abort()
                return
            super().data_received(piece)

    def feed_data(self, data: Any, size: int = 0) -> None:
        """Take one answer, its body to follow."""
        self._messages_left -= 1
        super().feed_data(data, size)


class _Connector(aiohttp.TCPConnector):
    """Makes such connections; aiohttp has no option for that."""

    def __init__(self, max_websocket_bytes: int, **options: Any) -> None:
        super().__init__(**options)
        self._factory = functools.partial(_Connection, self._loop, max_websocket_bytes)  # type: ignore[assignment]


class Client:
    """Sends the requests of one probe. ``begin`` a stage before each, so that failures can be explained.

    ``at_edge`` makes it do as browsers do: it keeps cookies, tells its origin, and opens a connection for each request,
    because a connection that is kept may hide that requests are sent to several replicas.
    """

    def __init__(self, limits: Limits, tls: ssl.SSLContext | bool, *, at_edge: bool = False) -> None:
        self.at_edge = at_edge
        self.stage = Stage("The probe", at_edge=at_edge)
        self.connected = False
        self.refusal = b""
        """The beginning of the last answer with status 400."""
        self._limits = limits
        self._tls = tls
        self._requests = 0
        self._endpoint: Endpoint
        self._session: aiohttp.ClientSession

    def begin(self, stage: Stage) -> Stage:
        """Say what is asked from now on."""
        self.stage = replace(stage, at_edge=self.at_edge)
        return self.stage

    @asynccontextmanager
    async def open(self, endpoint: Endpoint) -> AsyncIterator[None]:
        """Prepare for requests to an endpoint; at exit every socket is closed.

        Raises:
            Failure: in place of any error of the network inside the block.

        """
        self._endpoint = endpoint
        limits = self._limits
        # Connections to a Service are kept alive: it gives each to some replica, and so handshake and upgrade reach the
        # same one, and so do page and script.
        connector = _Connector(
            limits.max_websocket_bytes,
            limit=2,
            use_dns_cache=False,
            socket_factory=self._pinned_socket,
            force_close=self.at_edge,
        )
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(self._note_connected)
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=ProbeCookies(endpoint.origin) if self.at_edge else aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            headers={"Accept-Encoding": "identity", "User-Agent": USER_AGENT, "Host": endpoint.host},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.connect_seconds),
            read_bufsize=_READ_BYTES,
            max_line_size=limits.max_header_field_bytes,
            max_field_size=limits.max_header_field_bytes,
            max_headers=limits.max_headers,
            middlewares=(self._guard,),
            trace_configs=[trace],
        ) as self._session:
            try:
                yield
            except (aiohttp.ClientError, OSError) as exc:
                raise self.stage.network_failure(exc, endpoint.scheme) from exc

    @asynccontextmanager
    async def request(
        self, method: str, path: str, query: str = "", *, body: str | None = None, content_type: str = "text/plain"
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request; the response's body is read inside the block or not at all."""
        headers = {} if body is None else {"Content-Type": content_type, "Origin": str(self._endpoint.origin)}
        response = await self._session.request(
            method,
            self._endpoint.url(path, query),
            data=body,
            headers=headers,
            allow_redirects=False,
            ssl=self._tls,
            server_hostname=self._endpoint.server_name,
        )
        try:
            yield response
        finally:
            response.close()  # where the body was read to its end, the connection has already been given back

    async def connect_websocket(self, path: str, query: str) -> aiohttp.ClientWebSocketResponse[bool]:
        """Open a WebSocket. It needs no closing after a failure: leaving ``open`` does that without waiting.

        Raises:
            aiohttp.WSServerHandshakeError: the answer is no upgrade.

        """
        return await self._session.ws_connect(
            self._endpoint.url(path, query),
            timeout=aiohttp.ClientWSTimeout(ws_close=self._limits.websocket_close_seconds),
            max_msg_size=self._limits.max_websocket_bytes,
            autoping=False,  # nobody pings within the moment that this is open, but to be answered without end
            origin=str(self._endpoint.origin) if self.at_edge else None,
            ssl=self._tls,
            server_hostname=self._endpoint.server_name,
        )

    def _pinned_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Make the socket for a connect, and refuse any destination but the checked one."""
        family, kind, proto, _, destination = info
        if (ipaddress.ip_address(destination[0]), destination[1]) != (
            self._endpoint.address,
            self._endpoint.port,
        ):
            raise OSError(errno.EACCES, "destination is not the checked address")
        return socket.socket(family, kind, proto)

    async def _note_connected(self, *_: object) -> None:
        self.connected = True

    async def _guard(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Refuse redirects and repeats also where aiohttp has no switch for them.

        ``ws_connect`` follows redirects, and a request on a kept connection that breaks is sent again.
        """
        self._requests += 1
        if self._requests > (MAX_REQUESTS_AT_EDGE if self.at_edge else MAX_REQUESTS):
            found = "would have needed another request"
            raise self.stage.failure(Reason.PROBE_FAILED, found, "report this as a bug of the operator")
        try:
            response = await handler(request)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as exc:
            raise self.stage.network_failure(exc, self._endpoint.scheme) from exc
        try:
            if 300 <= response.status < 400:
                raise self._redirected(request, response)
            if response.status == 400:
                self.refusal, _ = await read_body(response, _MAX_REFUSAL_BYTES)
        except BaseException:  # a probe that is cancelled, too, must not leave its connection behind
            response.close()
            raise
        return response

    def _redirected(self, request: aiohttp.ClientRequest, response: aiohttp.ClientResponse) -> Exception:
        if self.at_edge and self._is_same_by_https(request.url, response.headers.get("Location", "")):
            return MovedToHttps(str(URL.build(scheme="https", host=self._endpoint.server_name)))
        return self.stage.failure(
            Reason.REDIRECTED,
            f"was answered with a redirect (status {response.status}), which is not followed",
            "give the scheme, host and path that the app itself answers, or remove the redirect there",
        )

    def _is_same_by_https(self, asked: URL, location: str) -> bool:
        """Whether a redirect leads from http to https and nowhere else."""
        origin = self._endpoint.origin
        try:
            there = origin.with_path(asked.raw_path, encoded=True).join(URL(location))
        except ValueError:
            return False
        wanted = ("https", origin.raw_host, 443, asked.raw_path)
        return origin.scheme == "http" and (there.scheme, there.raw_host, there.port, there.raw_path) == wanted


async def read_body(response: aiohttp.ClientResponse, limit: int) -> tuple[bytes, bool]:
    """Read a body as sent, ``limit`` bytes of it at most; the flag tells whether there was more."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            return bytes(body[:limit]), True
    return bytes(body), False
