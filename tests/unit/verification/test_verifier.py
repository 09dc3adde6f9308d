"""Which questions a check leads to, with which rules, and what is made of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from chainlit_operator.domain.conditions import Check
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.edge_tls import EdgeTLS
from chainlit_operator.verification.prober import Outcome, Target, address_allowed
from chainlit_operator.verification.verifier import Verifier

BACKEND = Check("http://10.96.0.7:80", "/chat", "/team", "http", "uid", 1)
EDGE = replace(BACKEND, edge_url="https://example.com", pods=1)
GOOD = Outcome(True, Reason.VERIFIED, "All answered.")
BAD = Outcome(False, Reason.SESSION_LOST, "It was refused; do this.")
REFUSED = Outcome(False, Reason.CONNECTION_REFUSED, "Nothing listens; do that.")


class Asked:
    """Probes that answer what the test says, by target, and names that resolve as it says."""

    def __init__(self, edge: Outcome = GOOD, backend: Outcome = GOOD) -> None:
        self.answers = {True: edge, False: backend}
        self.targets: list[Target] = []
        self.options: list[dict[str, Any]] = []
        self.names: dict[str, list[str]] = {"api.example": ["10.0.0.1"], "kubernetes.default.svc": ["10.96.0.1"]}
        self.lookups: list[str] = []
        self.asker = Verifier("https://api.example:6443", EdgeTLS(), resolve=self.resolve, ask=self.ask)

    async def ask(self, target: Target, **options: Any) -> Outcome:
        self.targets.append(target)
        self.options.append(options)
        return self.answers[target.at_edge]

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.lookups.append(host)
        if host not in self.names:
            raise OSError("no such name")
        return self.names[host]


async def test_backend_asks_the_service_only() -> None:
    asked = Asked()
    found = await asked.asker.verify(BACKEND)
    assert asked.targets == [Target("http://10.96.0.7:80", "/chat", "/team")]
    assert (found.check, found.reachable, found.reason) == (BACKEND, True, "Verified")
    assert asked.lookups == []


async def test_edge_asks_the_browsers_path() -> None:
    asked = Asked()
    assert (await asked.asker.verify(EDGE)).reachable
    assert asked.targets == [Target("https://example.com", "/team/chat", at_edge=True)]


@pytest.mark.parametrize(
    ("backend", "begin"), [(GOOD, "The app itself answers"), (REFUSED, "The app does not answer through its Service")]
)
async def test_failure_at_the_edge_is_followed_by_one_question(backend: Outcome, begin: str) -> None:
    asked = Asked(BAD, backend)
    found = await asked.asker.verify(EDGE)
    assert [target.at_edge for target in asked.targets] == [True, False]
    assert (found.reachable, found.reason) == (False, "SessionLost")
    assert found.message.startswith(begin)
    assert "https://example.com/team/chat/" in found.message


async def test_without_an_address_of_the_service_nothing_more_is_asked() -> None:
    asked = Asked(BAD)
    found = await asked.asker.verify(replace(EDGE, base_url=""))
    assert len(asked.targets) == 1 and found.reason == "SessionLost"


async def test_only_the_edge_refuses_the_api_server() -> None:
    asked = Asked(BAD)
    await asked.asker.verify(EDGE)
    edge, backend = (options.get("allow", address_allowed) for options in asked.options)
    for text, at_edge in (("10.0.0.1", False), ("10.96.0.1", False), ("10.0.0.2", True)):
        assert edge(ip_address(text)) is at_edge
        assert backend(ip_address(text))


async def test_addresses_of_the_api_server_are_looked_up_until_all_are_known() -> None:
    asked = Asked()
    del asked.names["kubernetes.default.svc"]
    await asked.asker.verify(EDGE)
    asked.names["kubernetes.default.svc"] = ["10.96.0.1"]
    await asked.asker.verify(EDGE)
    assert not asked.options[1]["allow"](ip_address("10.96.0.1"))
    asked.lookups.clear()
    await asked.asker.verify(EDGE)
    assert asked.lookups == []
