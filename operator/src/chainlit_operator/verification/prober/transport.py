"""The prober's HTTP client: one checked address, no redirect, proxy or decompression; cookies at the edge only."""

from __future__ import annotations

import asyncio
import errno
import functools
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from chainlit_operator.domain.model import AnsweredBy
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober.cookies import ProbeCookies
from chainlit_operator.verification.prober.failures import Failure, Stage
from chainlit_operator.verification.prober.target import Endpoint, Target

MAX_REQUESTS = 5
MAX_REQUESTS_AT_EDGE = 10
USER_AGENT = "chainlit-operator-prober"
_READ_BYTES = 16 * 1024
_MAX_REFUSAL_BYTES = 512
#: Bytes that aiohttp parses in one piece.
_SLICE_BYTES = 2048
#: Answers on one connection: one to each request, and a few with status 1xx before it.
_MAX_ANSWERS = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one probe, in seconds and in received bytes.

    ``connect_seconds`` bounds the DNS lookup, and each TCP connect with its TLS handshake, ``answer_seconds`` the
    time until the handshake is answered, and ``total_seconds`` the whole probe. ``max_body_bytes`` is for the page.
    """

    connect_seconds: float = 5.0
    answer_seconds: float = 10.0
    total_seconds: float = 10.0
    max_body_bytes: int = 256 * 1024
    max_handshake_bytes: int = 4096
    max_websocket_bytes: int = 4096
    max_header_field_bytes: int = 8190
    max_headers: int = 100
    websocket_close_seconds: float = 0.5


DEFAULT_LIMITS = Limits()


class MovedToHttps(Exception):
    """The edge redirects to the same URL with https, as many edges do for all routes; never leaves the prober."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.target = target


class _BoundedConnection(ResponseHandler):
    """aiohttp's protocol for one connection, which aborts a connection whose peer sends without end.

    aiohttp accepts any number of answers with status 1xx and of WebSocket frames, and parses in one turn of the event
    loop all that the socket holds. That can block every other task for a second.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, max_websocket_bytes: int) -> None:
        super().__init__(loop)
        self._is_websocket = False
        self._answers_left, self._websocket_bytes_left = _MAX_ANSWERS, max_websocket_bytes

    def data_received(self, data: bytes) -> None:
        """Parse received bytes in slices, until a limit is reached."""
        if not data:  # aiohttp calls this without data to continue with bytes that it held back
            super().data_received(data)
        for start in range(0, len(data), _SLICE_BYTES):
            piece = data[start : start + _SLICE_BYTES]
            if self._is_websocket:
                self._websocket_bytes_left -= len(piece)
            if self._answers_left < 0 or self._websocket_bytes_left < 0:
                self.abort()
                return
            super().data_received(piece)

    def feed_data(self, data: Any, size: int = 0) -> None:
        """Count an answer, whose body is still to come."""
        self._answers_left -= 1
        message, _ = data
        self._is_websocket = self._is_websocket or message.code == 101
        super().feed_data(data, size)


class _BoundedConnector(aiohttp.TCPConnector):
    """Makes bounded connections.

    aiohttp has no public way to choose the class of a connection, so this sets a private attribute. So the operator
    does not accept a new minor release of aiohttp before its tests of endless answers and frames have passed with it.
    """

    def __init__(self, max_websocket_bytes: int, **options: Any) -> None:
        super().__init__(**options)
        self._factory = functools.partial(_BoundedConnection, self._loop, max_websocket_bytes)  # type: ignore[assignment]


class Client:
    """Sends the requests of one probe. Callers call ``begin`` before each request, which explains its failures.

    At the edge it behaves as browsers do: it keeps cookies and sends its origin. There it also opens a connection for
    each request, because a kept connection would hide that requests are spread over replicas.
    """

    def __init__(self, target: Target, limits: Limits, tls: ssl.SSLContext | None) -> None:
        self.target, self.limits = target, limits
        self.stage = Stage("The probe", at_edge=target.at_edge)
        self.is_connected = False
        self.refusal = b""
        """The beginning of the last answer with status 400."""
        self._tls = True if tls is None else tls
        self._requests = 0
        self._takes_redirects = False
        self._answered_by = AnsweredBy.OTHER
        self._endpoint: Endpoint
        self._session: aiohttp.ClientSession

    def begin(
        self,
        request: str,
        path: str,
        *,
        garbled: Reason = Reason.PROBE_FAILED,
        lost: Reason = Reason.CONNECTION_LOST,
        late: Reason = Reason.TIMED_OUT,
    ) -> Stage:
        """Name the next request, such as ``GET`` with a path, and the reasons of its failures (see Stage)."""
        name = f"{request} {self.target.url(path)}"
        self.stage = Stage(name, garbled, lost, late, self.target.at_edge, self._answered_by)
        return self.stage

    def has_reached_chainlit(self) -> None:
        """Note that the handshake was answered: from now on an answer is Chainlit's unless it shows another sender."""
        self._answered_by = AnsweredBy.CHAINLIT

    def out_of_time(self) -> Failure:
        """Explain that the time for the present request is over."""
        limits = self.limits
        has_answered = self._answered_by is AnsweredBy.CHAINLIT
        seconds = limits.total_seconds if has_answered else min(limits.answer_seconds, limits.total_seconds)
        return self.stage.out_of_time(is_connected=self.is_connected, seconds=seconds)

    @asynccontextmanager
    async def open(self, endpoint: Endpoint) -> AsyncIterator[None]:
        """Prepare for requests to an endpoint; at exit every socket is closed.

        Raises:
            Failure: in place of any network error inside the block.

        """
        self._endpoint = endpoint
        async with self._new_session() as self._session:
            try:
                yield
            except (aiohttp.ClientError, OSError) as error:
                if type(error) is TimeoutError and error.errno is None:  # of asyncio, which is no error of the network
                    raise
                raise self.stage.network_failure(error, endpoint.scheme) from error

    def _new_session(self) -> aiohttp.ClientSession:
        endpoint, limits, at_edge = self._endpoint, self.limits, self.target.at_edge
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(self._note_connected)
        return aiohttp.ClientSession(
            # Connections to a Service are kept. It gives each connection to one replica, so handshake and upgrade reach
            # the same one, and so do page and script.
            connector=_BoundedConnector(
                limits.max_websocket_bytes,
                limit=2,
                use_dns_cache=False,
                socket_factory=self._pinned_socket,
                force_close=at_edge,
            ),
            cookie_jar=ProbeCookies(endpoint.origin) if at_edge else aiohttp.DummyCookieJar(),
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
        )

    @asynccontextmanager
    async def request_any(self, path: str, query: str = "") -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a GET request whose answer may also be a redirect."""
        self._takes_redirects = True
        try:
            async with self.request("GET", path, query) as response:
                yield response
        finally:
            self._takes_redirects = False

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
            response.close()  # a response that was read to its end has already returned its connection

    async def connect_websocket(
        self, path: str, query: str, headers: Mapping[str, str] | None = None
    ) -> aiohttp.ClientWebSocketResponse[bool]:
        """Open a WebSocket. After a failure it needs no closing: leaving ``open`` closes it without waiting.

        Raises:
            aiohttp.WSServerHandshakeError: the answer is not an upgrade.

        """
        return await self._session.ws_connect(
            self._endpoint.url(path, query),
            headers=headers,
            timeout=aiohttp.ClientWSTimeout(ws_close=self.limits.websocket_close_seconds),
            max_msg_size=self.limits.max_websocket_bytes,
            autoping=False,  # a server has no reason to ping so early, and a hostile one must not get endless answers
            origin=str(self._endpoint.origin) if self.target.at_edge else None,
            ssl=self._tls,
            server_hostname=self._endpoint.server_name,
        )

    def _pinned_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """Make the socket for a connection, and refuse any destination but the checked one."""
        family, kind, proto, _, destination = info
        if (ipaddress.ip_address(destination[0]), destination[1]) != (
            self._endpoint.address,
            self._endpoint.port,
        ):
            raise OSError(errno.EACCES, "destination is not the checked address")
        return socket.socket(family, kind, proto)

    async def _note_connected(self, *_: object) -> None:
        self.is_connected = True

    async def _guard(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Refuse redirects and repeated requests, also those for which aiohttp has no switch.

        ``ws_connect`` follows redirects, and aiohttp repeats a request if a kept connection breaks.
        """
        self._requests += 1
        if self._requests > (MAX_REQUESTS_AT_EDGE if self.target.at_edge else MAX_REQUESTS):
            fix = "Report this as a bug of the operator"
            raise self.stage.failure(Reason.PROBE_FAILED, "is one request more than a probe may send", fix)
        try:
            response = await handler(request)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise self.stage.network_failure(error, self._endpoint.scheme) from error
        try:
            if 300 <= response.status < 400 and not self._takes_redirects:
                raise self._redirected(request, response)
            if response.status == 400:
                self.refusal, _ = await read_body(response, _MAX_REFUSAL_BYTES)
        except BaseException:  # a cancelled probe, too, must not leave its connection behind
            response.close()
            raise
        return response

    def _redirected(self, request: aiohttp.ClientRequest, response: aiohttp.ClientResponse) -> Failure | MovedToHttps:
        if self.target.at_edge and self.goes_to_https(request.url.raw_path, response):
            return MovedToHttps(self.target.by_https())
        found = f"returns a redirect (status {response.status}), which a probe does not follow"
        fix = "Use the scheme, host and path at which the app itself answers, or remove the redirect"
        return self.stage.failure(Reason.REDIRECTED, found, fix, AnsweredBy.LOGIN)

    def goes_to_https(self, path: str, response: aiohttp.ClientResponse) -> bool:
        """Whether the answer to a request of a path redirects to the same host and path by https, and came by http."""
        return self._endpoint.scheme == "http" and self._redirect(response, path) == ("https", 443, path)

    def leaves_https(self, path: str, response: aiohttp.ClientResponse) -> bool:
        """Whether the answer to a request of a path by https redirects to the same host by http."""
        found = self._redirect(response, path)
        return self._endpoint.scheme == "https" and found is not None and found[0] == "http"

    def _redirect(self, response: aiohttp.ClientResponse, path: str) -> tuple[str, int | None, str] | None:
        """Return scheme, port and path to which an answer redirects on the same host; None for any other answer."""
        location = response.headers.get("Location", "")
        if not (300 <= response.status < 400 and location):
            return None
        origin = self._endpoint.origin
        try:
            found = origin.with_path(path, encoded=True).join(URL(location))
        except ValueError:
            return None
        return (found.scheme, found.port, found.raw_path) if found.raw_host == origin.raw_host else None


async def read_body(response: aiohttp.ClientResponse, limit: int) -> tuple[bytes, bool]:
    """Read at most ``limit`` bytes of a body as sent; the second value says whether there were more."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            return bytes(body[:limit]), True
    return bytes(body), False
