"""Which addresses the prober may connect to, and the one DNS lookup that picks such an address.

A probe starts inside the cluster, and a tenant chooses its destination. So the choice of the address is a security
decision: see :func:`address_allowed`.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Policy = Callable[[IPAddress], bool]
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

_FORBIDDEN_V4 = tuple(
    ipaddress.IPv4Network(net)
    for net in (
        "0.0.0.0/8",  # "this host": Linux connects 0.0.0.0 to itself
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local: metadata of most clouds, node-local DNS, pod identity agents
        "224.0.0.0/4",
        "255.255.255.255/32",  # the rest of 240/4 stays allowed: some clusters number their pods from it
        "100.100.100.200/32",  # metadata: Alibaba Cloud
        "168.63.129.16/32",  # platform endpoint: Azure
        "192.0.0.0/24",  # IETF protocol assignments; 192.0.0.192 is metadata on Oracle Cloud
    )
)
_FORBIDDEN_V6 = tuple(
    ipaddress.IPv6Network(net)
    for net in (
        "::/128",
        "::1/128",
        "fe80::/10",
        "ff00::/8",
        "fd00:ec2::/32",  # AWS: metadata, DNS, pod identity
        "fd20:ce::254/128",  # metadata: Google Cloud
        "fd00:c1::a9fe:a9fe/128",  # metadata: Oracle Cloud
        "fd00:42::42/128",  # metadata: Scaleway
        "64:ff9b:1::/48",  # local NAT64 (RFC 8215): where the IPv4 address sits is not known
    )
)
_LOW_32_BITS_ARE_V4 = tuple(
    ipaddress.IPv6Network(net)
    for net in (
        "::/96",  # IPv4-compatible (RFC 4291, deprecated)
        "::ffff:0:0/96",  # IPv4-mapped (RFC 4291)
        "::ffff:0:0:0/96",  # IPv4-translated (RFC 2765)
        "64:ff9b::/96",  # NAT64 (RFC 6052)
    )
)
_ISATAP_MARKS = (0x0000_5EFE, 0x0200_5EFE)


class LookupFailedError(Exception):
    """The name has no usable address."""


class ForbiddenAddressError(Exception):
    """The host has an address that the policy refuses."""


def embedded_ipv4(address: ipaddress.IPv6Address) -> tuple[ipaddress.IPv4Address, ...]:
    """Return the IPv4 addresses that a translator or tunnel may reach through an IPv6 address.

    Recognises IPv4-mapped, -translated and -compatible addresses, the well-known prefix of NAT64 (RFC 6052), 6to4,
    Teredo and ISATAP, but not a NAT64 prefix that a network chose for itself.
    """
    found: list[ipaddress.IPv4Address] = []
    low = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    is_isatap = (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP_MARKS
    if is_isatap or any(address in net for net in _LOW_32_BITS_ARE_V4):
        found.append(low)
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    if address.teredo is not None:
        found.extend(address.teredo)
    return tuple(found)


def address_allowed(address: IPAddress) -> bool:
    """Whether the prober may connect to an address: the default policy.

    Refuses loopback, link-local, unspecified, multicast, broadcast and cloud metadata addresses, and the IPv6
    forms that embed such an IPv4 address. Private ranges are allowed: Services and pods live there.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in net for net in _FORBIDDEN_V4)
    if any(address in net for net in _FORBIDDEN_V6):
        return False
    return all(address_allowed(inner) for inner in embedded_ipv4(address))


def edge_policy(is_refused: Policy) -> Policy:
    """Return the policy for hosts of routes: the default one, without ``is_refused`` and without this machine itself.

    A tenant can point the host of a route anywhere, unlike the address of a Service. ``is_refused`` knows the addresses
    of the API server. Private ranges stay allowed: ingress controllers on premises have private addresses.
    """

    def allow(address: IPAddress) -> bool:
        forms: list[IPAddress] = [address]
        if isinstance(address, ipaddress.IPv6Address):
            forms += embedded_ipv4(address)
        return address_allowed(address) and not any(is_refused(form) or is_own(form) for form in forms)

    return allow


def is_own(address: IPAddress) -> bool:
    """Whether an address belongs to this machine or pod. The kernel answers that; nothing is sent."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as unconnected:
        try:
            unconnected.connect((str(address), 9))
            return ipaddress.ip_address(unconnected.getsockname()[0]) == address
        except (OSError, ValueError):
            return False  # no route to it, or not an address to connect to


class Lookups:
    """DNS lookups with the system's resolver, each in a daemon thread of its own.

    The event loop has few threads for lookups (uvloop has two), and a cancelled lookup occupies its thread until the
    system's time-out. There, a few names that hang would block all other lookups and the end of the process. Callers
    that ask for the same name at the same time share one lookup.
    """

    #: A hanging lookup ends within about a minute, and probes wait only seconds, so this many rarely run at once.
    MAX = 128

    def __init__(self) -> None:
        self._running: dict[str, Future[list[str]]] = {}

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of a host, in the system's order of preference.

        Raises:
            OSError: the lookup failed, or too many others are running.
            UnicodeError: the name cannot be written as DNS labels.

        """
        return await asyncio.wrap_future(self._running.get(host) or self._begin(host))

    def _begin(self, host: str) -> Future[list[str]]:
        if len(self._running) >= self.MAX:
            raise OSError(f"{self.MAX} other lookups have no answer yet")
        answer: Future[list[str]] = Future()
        answer.set_running_or_notify_cancel()  # from now on, a caller that stops waiting does not cancel the lookup
        self._running[host] = answer
        try:
            threading.Thread(target=self._look_up, args=(host, answer), name="lookup", daemon=True).start()
        except RuntimeError as error:
            del self._running[host]
            raise OSError("no thread for the lookup") from error
        return answer

    def _look_up(self, host: str, answer: Future[list[str]]) -> None:
        try:
            infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            answer.set_result([str(info[4][0]) for info in infos])
        except (OSError, ValueError) as error:  # UnicodeError is a ValueError
            answer.set_exception(error)
        finally:
            del self._running[host]


system_resolve = Lookups().resolve


async def pick_address(host: str, port: int, *, resolve: Resolver, allow: Policy) -> IPAddress:
    """Return the one address to connect to for a host (a name or an address, IPv6 without brackets).

    A name is looked up once. If the policy refuses one of several addresses, it refuses the name: otherwise the outcome
    would depend on the order of the addresses in the DNS answer.

    Raises:
        LookupFailedError: the host has no usable address.
        ForbiddenAddressError: the policy refuses an address of the host.

    """
    try:
        addresses: list[IPAddress] = [ipaddress.ip_address(host)]
    except ValueError:
        try:
            addresses = [ipaddress.ip_address(text) for text in await resolve(host, port)]
        except (OSError, ValueError) as error:  # UnicodeError is a ValueError
            raise LookupFailedError from error
    if not addresses:
        raise LookupFailedError
    if not all(allow(address) for address in addresses):
        raise ForbiddenAddressError
    return addresses[0]
