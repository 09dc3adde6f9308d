"""Which probes a check causes, with which rules for addresses, and the verification that they give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

import pytest

from chainlit_operator.domain.model import Check
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.edge_tls import EdgeTLS
from chainlit_operator.verification.prober import Outcome, Prober, Target
from chainlit_operator.verification.verifier import Verifier

BACKEND = Check("http://10.96.0.7:80", "/chat", "/team", "http", "uid", 1)
EDGE = replace(BACKEND, edge_url="https://example.com", pods=1)
GOOD = Outcome(Reason.VERIFIED, "All answered")
BAD = Outcome(Reason.SESSION_LOST, "POST https://example.com/team/chat/ is refused", "Do this")
REFUSED = Outcome(Reason.CONNECTION_REFUSED, "Nothing listens", "Do that")


class Scene:
    """A verifier whose probes have the given outcomes, and whose names resolve as ``names`` says."""

    def __init__(self, edge: Outcome = GOOD, backend: Outcome = GOOD) -> None:
        self.outcomes = {True: edge, False: backend}
        self.targets: list[Target] = []
        self.probers: list[Prober] = []
        self.names: dict[str, list[str]] = {"api.example": ["10.0.0.1"], "kubernetes.default.svc": ["10.96.0.1"]}
        self.lookups: list[str] = []
        self.verifier = Verifier("https://api.example:6443", EdgeTLS(), FakeProber(resolve=self.resolve, scene=self))

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.lookups.append(host)
        if host not in self.names:
            raise OSError("no such name")
        return self.names[host]


@dataclass(frozen=True)
class FakeProber(Prober):
    """Records each target, and the prober that the verifier made for it."""

    scene: Scene = field(kw_only=True)

    async def probe(self, target: Target) -> Outcome:
        self.scene.targets.append(target)
        self.scene.probers.append(self)
        return self.scene.outcomes[target.at_edge]


async def test_backend_asks_the_service_only() -> None:
    scene = Scene()
    found = await scene.verifier.verify(BACKEND)
    assert scene.targets == [Target("http://10.96.0.7:80", "/chat", "/team")]
    assert (found.check, found.reachable, found.reason) == (BACKEND, True, "Verified")
    assert scene.lookups == []


async def test_edge_asks_the_browsers_path() -> None:
    scene = Scene()
    assert (await scene.verifier.verify(EDGE)).reachable
    assert scene.targets == [Target("https://example.com", "/team/chat", at_edge=True)]


@pytest.mark.parametrize(
    ("backend", "begin"),
    [(GOOD, "The app answers through its Service"), (REFUSED, "The app does not answer through its Service either")],
)
async def test_failure_at_the_edge_is_followed_by_one_question(backend: Outcome, begin: str) -> None:
    scene = Scene(BAD, backend)
    found = await scene.verifier.verify(EDGE)
    assert [target.at_edge for target in scene.targets] == [True, False]
    assert (found.reachable, found.reason) == (False, "SessionLost")
    assert found.message.startswith(begin)
    assert "https://example.com/team/chat/" in found.message


async def test_without_an_address_of_the_service_nothing_more_is_asked() -> None:
    scene = Scene(BAD)
    found = await scene.verifier.verify(replace(EDGE, base_url=""))
    assert len(scene.targets) == 1 and found.reason == "SessionLost"


async def test_only_the_edge_refuses_the_api_server() -> None:
    scene = Scene(BAD)
    await scene.verifier.verify(EDGE)
    edge, backend = (prober.allow for prober in scene.probers)
    for text, at_edge in (("10.0.0.1", False), ("10.96.0.1", False), ("10.0.0.2", True)):
        assert edge(ip_address(text)) is at_edge
        assert backend(ip_address(text))


async def test_addresses_of_the_api_server_are_looked_up_until_all_are_known() -> None:
    scene = Scene()
    del scene.names["kubernetes.default.svc"]
    await scene.verifier.verify(EDGE)
    scene.names["kubernetes.default.svc"] = ["10.96.0.1"]
    await scene.verifier.verify(EDGE)
    assert not scene.probers[1].allow(ip_address("10.96.0.1"))
    scene.lookups.clear()
    await scene.verifier.verify(EDGE)
    assert scene.lookups == []
