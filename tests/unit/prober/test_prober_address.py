"""The addresses that a probe may connect to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainlit_operator.engine.prober import Reason, Target, address_allowed, probe

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
    assert (await probe(Target(f"http://{host}", ""))).reason == Reason.ADDRESS_FORBIDDEN


@given(st.ip_addresses(v=4))
def test_ipv6_clothes_never_help(address: IPv4Address) -> None:
    if not address_allowed(address):
        assert not any(address_allowed(dressed) for dressed in embeddings(address))
