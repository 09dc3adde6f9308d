"""The addresses of the API server: all of them, or none and no request."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

import pytest

from chainlit_operator.verification.api_addresses import REFRESH_SECONDS, ApiAddresses, UnknownAddressesError

NAMES = {"api.example": ["10.0.0.1"], "kubernetes.default.svc": ["10.96.0.1", "fd00::1"]}


class Cluster:
    """The names and endpoints of an API server, and how often somebody asks for them."""

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = dict(NAMES)
        self.endpoints: list[tuple[str, int]] | None = [("172.18.0.2", 6443), ("172.18.0.3", 6443)]
        self.lookups: list[tuple[str, int]] = []
        self.lists = 0
        self.addresses = ApiAddresses("https://api.example:6443", self.list, self.resolve)

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.lookups.append((host, port))
        if host not in self.names:
            raise OSError("no such name")
        return self.names[host]

    async def list(self) -> Iterable[tuple[str, int]]:
        self.lists += 1
        if self.endpoints is None:
            raise OSError("forbidden")
        return self.endpoints

    async def is_refused(self, text: str, url: str = "https://chat.example") -> bool:
        return (await self.addresses.refuse(url))(ip_address(text))


@pytest.mark.parametrize(
    ("text", "url", "is_refused"),
    [
        ("10.0.0.1", "http://chat.example", True),
        ("10.96.0.1", "http://chat.example:8080", True),
        ("fd00::1", "http://chat.example", True),
        ("10.96.0.2", "http://chat.example", False),
        # An endpoint may be a machine with an ingress controller beside the API server.
        ("172.18.0.2", "http://chat.example", False),
        ("172.18.0.2", "https://chat.example", False),
        ("172.18.0.2", "https://chat.example:6443", True),
        ("172.18.0.3", "http://chat.example:6443", True),
        ("172.18.0.4", "https://chat.example:6443", False),
    ],
)
async def test_what_is_refused(text: str, url: str, is_refused: bool) -> None:
    cluster = Cluster()
    assert await cluster.is_refused(text, url) is is_refused
    assert cluster.lookups == [("api.example", 6443), ("kubernetes.default.svc", 443)]


async def test_an_edge_may_redirect_to_https() -> None:
    cluster = Cluster()
    cluster.endpoints = [("172.18.0.2", 443)]
    assert await cluster.is_refused("172.18.0.2", "http://chat.example")


async def test_for_pods_the_port_does_not_count() -> None:
    is_refused = await Cluster().addresses.refuse_any_port()
    assert [is_refused(ip_address(text)) for text in ("172.18.0.2", "10.0.0.1", "172.18.0.4")] == [True, True, False]


async def test_they_are_looked_up_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    cluster = Cluster()
    assert not await cluster.is_refused("172.18.0.9", "https://chat.example:6443")
    cluster.endpoints = [("172.18.0.9", 6443)]
    now += REFRESH_SECONDS - 1
    assert not await cluster.is_refused("172.18.0.9", "https://chat.example:6443")
    now += 1
    assert await cluster.is_refused("172.18.0.9", "https://chat.example:6443")
    assert cluster.lists == 2


@pytest.mark.parametrize(
    ("name", "says", "fix"),
    [
        ("api.example", "the API server's name api.example does not resolve", "Check the cluster's DNS"),
        ("kubernetes.default.svc", "the API server's name kubernetes.default.svc does not resolve",
         "Check the cluster's DNS"),
        ("", "the endpoints of the API server cannot be read",
         "Let the operator list EndpointSlices in namespace default, as its chart does"),
    ],
)  # fmt: skip
async def test_without_all_of_them_nothing_is_asked(name: str, says: str, fix: str) -> None:
    cluster = Cluster()
    if name:
        del cluster.names[name]
    else:
        cluster.endpoints = None
    for _ in range(2):
        with pytest.raises(UnknownAddressesError) as failed:
            await cluster.is_refused("192.0.2.7")
        assert (str(failed.value), failed.value.fix) == (says, fix)
    cluster.names, cluster.endpoints = dict(NAMES), []
    assert await cluster.is_refused("10.0.0.1")


async def test_a_lookup_that_fails_later_leaves_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    cluster = Cluster()
    assert await cluster.is_refused("10.0.0.1")
    cluster.names, cluster.endpoints = {}, None
    now += REFRESH_SECONDS
    assert await cluster.is_refused("10.0.0.1")
    assert await cluster.is_refused("172.18.0.2", "https://chat.example:6443")


async def test_an_address_that_is_none() -> None:
    cluster = Cluster()
    cluster.names["api.example"] = ["nonsense"]
    with pytest.raises(UnknownAddressesError):
        await cluster.is_refused("192.0.2.7")
