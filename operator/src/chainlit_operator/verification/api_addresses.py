"""The addresses of the API server: no host of a route may lead the operator there.

They are those of the names under which the operator and every pod find it, and its endpoints, which may be machines
that serve other things as well. So an endpoint is refused together with its port.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import urlsplit

from chainlit_operator.verification.prober import IPAddress, Resolver, system_resolve

#: The API server's name inside every cluster, whatever address the operator uses.
_SERVICE = "https://kubernetes.default.svc"
#: Addresses are looked up again after this time: control-plane machines are replaced.
REFRESH_SECONDS = 60.0
#: The port of https, to which an edge may redirect.
_HTTPS = 443

#: Returns the endpoints of the API server, as addresses with their ports; raises OSError if they cannot be read.
Endpoints = Callable[[], Awaitable[Iterable[tuple[str, int]]]]
IsRefused = Callable[[IPAddress], bool]


class UnknownAddressesError(Exception):
    """The addresses cannot be looked up; ``fix`` says what to do, without its full stop."""

    def __init__(self, cause: str, fix: str) -> None:
        super().__init__(cause)
        self.fix = fix


class ApiAddresses:
    """The addresses of the API server, looked up when they are asked for and kept for a minute."""

    def __init__(self, api_server: str, endpoints: Endpoints, resolve: Resolver = system_resolve) -> None:
        """``api_server`` is the URL that the operator itself uses."""
        self._urls, self._endpoints, self._resolve = (api_server, _SERVICE), endpoints, resolve
        self._names: frozenset[IPAddress] = frozenset()
        self._pairs: frozenset[tuple[IPAddress, int]] = frozenset()
        self._until = 0.0

    async def refuse(self, url: str) -> IsRefused:
        """Return whether a request to a URL, or to the same host by https, may not go to an address.

        Raises UnknownAddressesError where a lookup fails.
        """
        await self._refresh()
        ports = (urlsplit(url).port or 80, _HTTPS)
        names, pairs = self._names, self._pairs
        return lambda address: address in names or any((address, port) in pairs for port in ports)

    async def refuse_any_port(self) -> IsRefused:
        """Return whether an address is one of the API server, whatever the port. Raises as ``refuse`` does."""
        await self._refresh()
        refused = self._names | {address for address, _ in self._pairs}
        return refused.__contains__

    async def _refresh(self) -> None:
        """Look the addresses up if they are old. A lookup that fails leaves those that are known."""
        if time.monotonic() < self._until:
            return
        try:
            self._names, self._pairs = await self._look_up()
        except UnknownAddressesError:
            if not self._names:
                raise
        self._until = time.monotonic() + REFRESH_SECONDS

    async def _look_up(self) -> tuple[frozenset[IPAddress], frozenset[tuple[IPAddress, int]]]:
        names: set[IPAddress] = set()
        for url in self._urls:
            parts = urlsplit(url)
            try:
                texts = await self._resolve(parts.hostname or "", parts.port or _HTTPS)
                names.update(ipaddress.ip_address(text) for text in texts)
            except (OSError, ValueError) as error:
                cause = f"the API server's name {parts.hostname} does not resolve"
                raise UnknownAddressesError(cause, "Check the cluster's DNS") from error
        try:
            pairs = {(ipaddress.ip_address(text), port) for text, port in await self._endpoints()}
        except (OSError, ValueError) as error:
            cause = "the endpoints of the API server cannot be read"
            fix = "Let the operator list EndpointSlices in namespace default, as its chart does"
            raise UnknownAddressesError(cause, fix) from error
        return frozenset(names), frozenset(pairs)
