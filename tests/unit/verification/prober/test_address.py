"""The addresses that a probe may connect to."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.waiting import until

from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober import (
    IPAddress,
    Prober,
    Target,
    address,
    address_allowed,
    edge_policy,
    system_resolve,
)
from chainlit_operator.verification.prober.address import Lookups

FORBIDDEN_V4 = [
    "0.0.0.0",
    "0.1.2.3",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.20.10",
    "224.0.0.1",
    "239.255.255.255",
    "255.255.255.255",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
]
FORBIDDEN_V6 = [
    "::",
    "::1",
    "fe80::1",
    "febf::1",
    "fe80::1%eth0",
    "fe80::a9fe:a9fe",
    "ff02::1",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fd00:c1::a9fe:a9fe",
    "fd00:42::42",
    "64:ff9b:1::a00:1",
]
ALLOWED = [
    "10.96.1.2",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.201",
    "192.0.1.1",
    "203.0.113.7",
    "240.10.0.1",
    "93.184.216.34",
    "fd00:10:96::1",
    "fd12:3456::1",
    "2606:2800:220:1::1",
    "::ffff:10.0.0.1",
    "64:ff9b::5db8:d822",
]


def embeddings(address: IPv4Address) -> list[IPv6Address]:
    """Return the IPv6 addresses by which an IPv4 address can be reached through translators and tunnels."""
    low = int(address)
    return [
        IPv6Address((0xFFFF << 32) | low),
        IPv6Address((0xFFFF << 48) | low),
        IPv6Address((0x64FF9B << 96) | low),
        IPv6Address((0x2002 << 112) | (low << 80) | 1),
        IPv6Address((0x20010000 << 96) | (0x08080808 << 64) | (low ^ 0xFFFFFFFF)),
        IPv6Address((0x20010000 << 96) | (low << 64) | (0x08080808 ^ 0xFFFFFFFF)),
        IPv6Address((0x20010DB8 << 96) | (0x5EFE << 32) | low),
    ]


@pytest.mark.parametrize("text", FORBIDDEN_V4 + FORBIDDEN_V6)
def test_forbidden(text: str) -> None:
    assert not address_allowed(ip_address(text))


@pytest.mark.parametrize("text", FORBIDDEN_V4)
def test_forbidden_in_ipv6_clothes(text: str) -> None:
    for dressed in embeddings(IPv4Address(text)):
        assert not address_allowed(dressed), dressed


@pytest.mark.parametrize("text", ALLOWED)
def test_allowed(text: str) -> None:
    assert address_allowed(ip_address(text))


@pytest.mark.parametrize("text", FORBIDDEN_V4 + [text for text in FORBIDDEN_V6 if "%" not in text])
async def test_probe_refuses_the_literal(text: str) -> None:
    host = f"[{text}]" if ":" in text else text
    assert (await Prober().probe(Target(f"http://{host}", ""))).reason == Reason.ADDRESS_FORBIDDEN


@given(st.ip_addresses(v=4))
def test_ipv6_clothes_never_help(address: IPv4Address) -> None:
    if not address_allowed(address):
        assert not any(address_allowed(dressed) for dressed in embeddings(address))


@pytest.mark.parametrize(
    ("text", "is_allowed"),
    [
        ("10.96.0.1", False),
        ("::ffff:10.96.0.1", False),
        ("64:ff9b::a60:1", False),
        ("fd00:10:96::1", False),
        ("10.0.0.9", False),
        ("::ffff:10.0.0.9", False),
        ("10.96.0.2", True),
        ("192.168.7.7", True),
        ("203.0.113.7", True),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("::1", False),
    ],
)
def test_addresses_at_the_edge(text: str, is_allowed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    api_server: list[IPAddress] = [IPv4Address("10.96.0.1"), IPv6Address("fd00:10:96::1")]
    monkeypatch.setattr(address, "is_own", lambda one: one == IPv4Address("10.0.0.9"))
    assert edge_policy(api_server.__contains__)(ip_address(text)) is is_allowed


def test_the_kernel_knows_the_own_addresses() -> None:
    assert address.is_own(IPv4Address("127.0.0.1"))
    assert not address.is_own(IPv4Address("203.0.113.7"))


class Names:
    """The system's resolver: names that begin with ``slow`` have no answer before ``answer`` is set."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.answer = threading.Event()

    def getaddrinfo(self, host: str, *_: Any, **__: Any) -> list[Any]:
        self.asked[host] += 1
        if host.startswith("slow"):
            self.answer.wait()
        if host.startswith("no"):
            raise socket.gaierror(socket.EAI_NONAME, "no")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 0))]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    found = Names()
    monkeypatch.setattr(socket, "getaddrinfo", found.getaddrinfo)
    yield found
    found.answer.set()


async def given_up(host: str) -> None:
    """Look a name up without waiting for the answer."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(system_resolve(host, 80), 0.001)


async def test_names_that_hang_keep_no_other_from_being_looked_up(names: Names) -> None:
    for n in range(20):
        await given_up(f"slow-{n}.example")
    assert await asyncio.wait_for(system_resolve("chat.example", 80), 10) == ["10.0.0.7"]
    with pytest.raises(OSError, match="no"):
        await system_resolve("no.example", 80)


async def test_a_name_that_hangs_is_looked_up_once_for_all_who_ask(names: Names) -> None:
    asking = [asyncio.create_task(system_resolve("slow.example", port)) for port in (80, 443)]
    await given_up("slow.example")
    names.answer.set()
    assert await asyncio.wait_for(asyncio.gather(*asking), 10) == [["10.0.0.7"]] * 2
    assert names.asked == {"slow.example": 1}


async def test_so_many_names_that_hang_are_looked_up_and_no_more(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lookups, "MAX", 2)
    lookups = Lookups()
    asking = [asyncio.create_task(lookups.resolve(f"slow-{n}.example", 80)) for n in range(2)]
    await until(lambda: len(names.asked) == 2)
    with pytest.raises(OSError, match="2 other lookups"):
        await lookups.resolve("chat.example", 80)
    names.answer.set()
    await asyncio.wait_for(asyncio.gather(*asking), 10)
    await until(lambda: not lookups._running)
    assert await lookups.resolve("chat.example", 80) == ["10.0.0.7"]


async def test_a_lookup_without_a_thread_fails_and_is_forgotten(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    lookups = Lookups()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", Mock(side_effect=RuntimeError("can't start new thread")))
        with pytest.raises(OSError, match="no thread"):
            await lookups.resolve("chat.example", 80)
    assert await lookups.resolve("chat.example", 80) == ["10.0.0.7"]
