"""Which probes a check causes, with which rules for addresses, and the verification that they give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

import pytest

from chainlit_operator.domain.model import AnsweredBy, Check, EdgeMemory
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.kinds.endpointslice import Endpoint
from chainlit_operator.object_ref import Ref
from chainlit_operator.verification.api_addresses import ApiAddresses
from chainlit_operator.verification.edge_tls import EdgeTLS
from chainlit_operator.verification.pods import PodAddresses
from chainlit_operator.verification.prober import DEFAULT_LIMITS, IPAddress, Outcome, Prober, Target
from chainlit_operator.verification.verifier import UNJUDGED_IN_A_ROW, UNJUDGED_PAUSE, Verifier

BACKEND = Check("http://10.96.0.7:80", "/chat", "/team", "http", "uid", 1)
EDGE = replace(BACKEND, edge_url="https://example.com", pods=1)
AUTO = replace(EDGE, is_auto=True)
GOOD = Outcome(Reason.VERIFIED, "All answered")
BAD = Outcome(Reason.SESSION_LOST, "POST https://example.com/team/chat/ is refused", "Do this", AnsweredBy.CHAINLIT)
REFUSED = Outcome(Reason.CONNECTION_REFUSED, "Nothing listens", "Do that")
LOGIN = Outcome(Reason.REDIRECTED, "It redirects", "Log in", AnsweredBy.LOGIN)
MESH = Outcome(Reason.PLAIN_TEXT_REFUSED, "It is reset", "Join the mesh")
SIDE = "The app answers through its Service, so the fault is in front of it: "


class Scene:
    """A verifier whose probes have the given outcomes, and whose names resolve as ``names`` says."""

    def __init__(self, edge: Outcome = GOOD, backend: Outcome = GOOD) -> None:
        self.outcomes = {True: edge, False: backend}
        self.targets: list[Target] = []
        self.probers: list[Prober] = []
        self.names: dict[str, list[str]] = {
            "api.example": ["10.0.0.1"],
            "kubernetes.default.svc": ["10.96.0.1"],
            "example.com": ["203.0.113.7"],
        }
        self.lookups: list[str] = []
        self.services = {ip_address("10.96.0.9")}
        self.asked_services: list[Ref] = []
        self.pods: list[Endpoint] = []
        addresses = ApiAddresses("https://api.example:6443", self.endpoints, self.resolve)
        prober = FakeProber(resolve=self.resolve, scene=self)
        self.verifier = Verifier(addresses, EdgeTLS(), self.is_service, FakeAddresses(self), prober)

    async def endpoints(self) -> Iterable[tuple[str, int]]:
        return [("172.18.0.2", 443)]

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.lookups.append(host)
        if host not in self.names:
            raise OSError("no such name")
        return self.names[host]

    def is_service(self, address: IPAddress) -> bool:
        return address in self.services

    @property
    def sides(self) -> list[str]:
        return ["edge" if target.at_edge else "service" for target in self.targets]


class FakeAddresses(PodAddresses):
    """The pods of every Service; their addresses are those of the scene."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    async def of(self, service: Ref) -> list[Endpoint]:
        self.scene.asked_services.append(service)
        return self.scene.pods


@dataclass(frozen=True)
class FakeProber(Prober):
    """Records each target, and the prober that the verifier made for it."""

    scene: Scene = field(kw_only=True)

    async def probe(self, target: Target) -> Outcome:
        self.scene.targets.append(target)
        self.scene.probers.append(self)
        if target.at_edge:
            await self.resolve(target.server_name, 443)
        return self.scene.outcomes[target.at_edge]


async def test_backend_asks_the_service_only() -> None:
    scene = Scene()
    found = await scene.verifier.verify(BACKEND)
    assert scene.targets == [Target("http://10.96.0.7:80", "/chat", "/team")]
    assert (found.check, found.reachable, found.reason) == (BACKEND, True, "Verified")
    assert scene.lookups == []


PROXIED = replace(BACKEND, service=Ref("Service", "shop", "chat"), pod_port=8000)


@pytest.mark.parametrize(
    ("service", "pod"),
    [("http://10.96.0.7:80", "http://10.1.0.3:8000"), ("http://[fd00::7]:80", "http://[fd00::2]:8000")],
)
async def test_chainlit_behind_a_login_proxy_is_asked_in_a_ready_pod(service: str, pod: str) -> None:
    """At an address of the Service's first family."""
    scene = Scene()
    ready = Endpoint("fd00::2", is_ready=True), Endpoint("10.1.0.3", is_ready=True)
    scene.pods = [Endpoint("10.1.0.1", is_ready=False), Endpoint("fd00::1", is_ready=False), *ready]
    assert (await scene.verifier.verify(replace(PROXIED, base_url=service))).reachable
    assert scene.asked_services == [PROXIED.service]
    assert scene.targets == [Target(pod, "/chat", "/team")]
    (prober,) = scene.probers
    assert not prober.allow(ip_address("10.0.0.1")), "a tenant can write EndpointSlices"
    assert prober.allow(ip_address("10.1.0.3"))


async def test_no_ready_pod_behind_a_login_proxy() -> None:
    scene = Scene()
    scene.pods = [Endpoint("10.1.0.1", is_ready=False)]
    found = await scene.verifier.verify(PROXIED)
    assert (found.reachable, found.reason) == (False, "HostUnreachable")
    assert found.message == (
        "No address of a ready pod behind Service shop/chat is known. Check that its pods are ready, and that the "
        "operator may list EndpointSlices."
    )
    assert scene.targets == []


async def test_edge_asks_the_browsers_path() -> None:
    scene = Scene()
    found = await scene.verifier.verify(EDGE)
    assert found.reachable and found.edge == EdgeMemory(has_answered=True)
    assert found.edge.addresses == {"203.0.113.7"}
    assert scene.targets == [Target("https://example.com", "/team/chat", at_edge=True)]


@pytest.mark.parametrize(
    ("backend", "begin"),
    [(GOOD, "The app answers through its Service"), (REFUSED, "The app does not answer through its Service either")],
)
async def test_failure_at_the_edge_is_followed_by_one_question(backend: Outcome, begin: str) -> None:
    scene = Scene(BAD, backend)
    found = await scene.verifier.verify(EDGE, EdgeMemory(has_answered=True))
    assert scene.sides == ["edge", "service"]
    assert (found.reachable, found.reason, found.at_service) == (False, "SessionLost", backend.reason)
    assert found.message.startswith(begin)
    assert "https://example.com/team/chat/" in found.message
    assert found.edge.has_answered


async def test_without_an_address_of_the_service_nothing_more_is_asked() -> None:
    scene = Scene(BAD)
    found = await scene.verifier.verify(replace(EDGE, base_url=""))
    assert len(scene.targets) == 1 and found.reason == "SessionLost" and found.at_service is None


# -- Auto


async def test_auto_asks_the_service_and_then_the_url() -> None:
    scene = Scene()
    found = await scene.verifier.verify(AUTO)
    assert scene.targets == [
        Target("http://10.96.0.7:80", "/chat", "/team"),
        Target("https://example.com", "/team/chat", at_edge=True),
    ]
    assert (found.reachable, found.reason, found.message) == (True, "Verified", "All answered.")
    assert found.edge == EdgeMemory(has_answered=True) and found.edge.addresses == {"203.0.113.7"}


async def test_auto_without_a_url_asks_the_service() -> None:
    scene = Scene()
    found = await scene.verifier.verify(replace(AUTO, edge_url=""))
    assert (found.reachable, found.reason, scene.sides) == (True, "Verified", ["service"])


async def test_auto_asks_no_url_of_an_app_that_does_not_answer() -> None:
    scene = Scene(backend=REFUSED)
    memory = EdgeMemory(has_answered=True)
    found = await scene.verifier.verify(AUTO, memory)
    assert (found.reachable, found.reason, found.message) == (False, "ConnectionRefused", "Nothing listens. Do that.")
    assert (found.at_service, found.edge, scene.sides) == ("ConnectionRefused", memory, ["service"])


async def test_a_proven_fault_at_the_url_is_one() -> None:
    found = await Scene(BAD).verifier.verify(AUTO)
    assert (found.reachable, found.reason, found.at_service) == (False, "SessionLost", "Verified")
    assert found.message == f"{SIDE}{BAD.found}. Do this."


async def test_what_proves_nothing_is_said_and_the_service_counts() -> None:
    found = await Scene(LOGIN).verifier.verify(AUTO)
    assert (found.reachable, found.reason, found.at_service) == (True, "EdgeNotJudged", None)
    assert found.message == "The app answers through its Service. Its URL is not judged (Redirected: It redirects)."
    assert found.app_reason == "EdgeNotJudged"


@pytest.mark.parametrize(
    ("memory", "now", "reason"),
    [
        (EdgeMemory(), ["203.0.113.7"], "EdgeNotJudged"),
        (EdgeMemory(has_answered=True), ["203.0.113.7"], "ConnectionRefused"),
        (EdgeMemory(has_answered=True, addresses=frozenset({"203.0.113.7"})), ["203.0.113.7"], "ConnectionRefused"),
        (
            EdgeMemory(has_answered=True, addresses=frozenset({"203.0.113.7", "203.0.113.8"})),
            ["203.0.113.8", "203.0.113.9"],
            "ConnectionRefused",
        ),
        (EdgeMemory(has_answered=True, addresses=frozenset({"203.0.113.8"})), ["203.0.113.7"], "EdgeNotJudged"),
        (EdgeMemory(has_answered=True, addresses=frozenset({"203.0.113.8"})), [], "ConnectionRefused"),
    ],
)
async def test_an_edge_that_answered_before_must_answer(memory: EdgeMemory, now: list[str], reason: str) -> None:
    scene = Scene(REFUSED)
    scene.names["example.com"] = now
    found = await scene.verifier.verify(AUTO, memory)
    assert (found.reachable, found.reason) == (reason == "EdgeNotJudged", reason)
    assert found.edge.has_answered is (reason != "EdgeNotJudged")
    assert found.edge.unjudged == (reason == "EdgeNotJudged")


async def test_a_login_before_an_app_that_answered_is_no_fault() -> None:
    found = await Scene(LOGIN).verifier.verify(AUTO, EdgeMemory(has_answered=True))
    assert found.reason == "EdgeNotJudged" and found.edge.has_answered


async def test_a_url_that_is_not_judged_is_asked_seldom() -> None:
    scene, memory = Scene(LOGIN), EdgeMemory()
    asked = []
    for number in range(1, 21):
        scene.targets.clear()
        found = await scene.verifier.verify(AUTO, memory)
        assert found.reason == "EdgeNotJudged" and found.message.endswith("(Redirected: It redirects).")
        memory = found.edge
        asked += [number] if "edge" in scene.sides else []
    assert asked == [1, 2, 3, 6, 11, 16]
    assert (UNJUDGED_IN_A_ROW, UNJUDGED_PAUSE) == (3, 5)
    scene.outcomes[True] = GOOD
    found = await scene.verifier.verify(AUTO, memory)
    assert found.reason == "Verified" and found.edge.unjudged == 0


@pytest.mark.parametrize("reason", ["PlainTextRefused", "ConnectionTimedOut", "HostUnreachable"])
async def test_an_app_that_only_browsers_reach_works(reason: str) -> None:
    unreachable = Outcome(Reason(reason), "It is not reached", "Let me")
    found = await Scene(GOOD, unreachable).verifier.verify(AUTO)
    assert (found.reachable, found.reason) == (True, "Verified") and found.edge.has_answered
    scene = Scene(LOGIN, unreachable)
    found = await scene.verifier.verify(AUTO)
    assert (found.reachable, found.reason, found.message) == (False, reason, "It is not reached. Let me.")
    assert scene.sides == ["service", "edge"]
    found = await scene.verifier.verify(replace(AUTO, edge_url=""))
    assert found.reason == reason and scene.sides == ["service", "edge", "service"]


# -- addresses


async def test_only_the_edge_refuses_addresses() -> None:
    scene = Scene(BAD)
    await scene.verifier.verify(EDGE)
    edge, backend = (prober.allow for prober in scene.probers)
    for text, at_edge in (("10.0.0.1", False), ("10.96.0.1", False), ("172.18.0.2", False), ("10.96.0.9", True)):
        assert edge(ip_address(text)) is at_edge
        assert backend(ip_address(text))


async def test_auto_asks_no_service_at_its_url() -> None:
    scene = Scene()
    await scene.verifier.verify(AUTO)
    allow = scene.probers[1].allow
    assert not allow(ip_address("10.96.0.9")) and not allow(ip_address("10.0.0.1")) and allow(ip_address("10.96.0.8"))


@pytest.mark.parametrize(
    ("host", "is_asked"),
    [
        ("chat.shop.svc", False),
        ("chat.shop.svc.cluster.local", False),
        ("CHAT.SHOP.SVC.Cluster.Local.", False),
        ("10-0-0-7.shop.pod", False),
        ("10-0-0-7.shop.pod.cluster.local", False),
        ("svc.example.com", True),
        ("chat.svc.example.com", True),
    ],
)
async def test_auto_asks_no_name_of_the_cluster(host: str, is_asked: bool) -> None:
    scene = Scene()
    scene.names[host.lower()] = ["10.244.0.7"]
    check = replace(AUTO, edge_url=f"http://{host}")
    found = await scene.verifier.verify(check)
    assert found.reachable and scene.sides == ["service", "edge"][: 1 + is_asked]
    if not is_asked:
        assert found.message == (
            "The app answers through its Service. Its URL is not judged (AddressForbidden: The host of "
            f"http://{host.lower()}/team/chat/ is a name of the cluster's own DNS, which is not asked)."
        )
    scene.targets.clear()
    await scene.verifier.verify(replace(check, is_auto=False))
    assert scene.sides == ["edge"]


async def test_without_the_addresses_of_the_api_server_no_url_is_asked() -> None:
    scene = Scene()
    del scene.names["kubernetes.default.svc"]
    found = await scene.verifier.verify(AUTO)
    assert (found.reachable, found.reason, scene.sides) == (True, "EdgeNotJudged", ["service"])
    found = await scene.verifier.verify(EDGE)
    assert (found.reachable, found.reason, scene.sides) == (False, "ProbeFailed", ["service", "service"])
    assert "The operator does not ask https://example.com/team/chat/, because the API server's name" in found.message
    assert not (await scene.verifier.policy())(ip_address("203.0.113.7"))


async def test_the_policy_for_pods() -> None:
    allow = await Scene().verifier.policy()
    assert [allow(ip_address(text)) for text in ("10.244.0.7", "10.96.0.1", "172.18.0.2")] == [True, False, False]


@pytest.mark.parametrize("url", ["http://[bad", "http://a b", "http://example.com:99999", "ftp://example.com"])
async def test_a_url_that_is_none(url: str) -> None:
    scene = Scene()
    found = await scene.verifier.verify(replace(AUTO, edge_url=url))
    assert (found.reachable, found.reason, scene.sides) == (True, "EdgeNotJudged", ["service"])
    found = await scene.verifier.verify(replace(EDGE, edge_url=url))
    assert found.reason == "TargetInvalid"


async def test_an_app_that_works_must_answer_soon() -> None:
    scene = Scene()
    await scene.verifier.verify(AUTO)
    await scene.verifier.verify(AUTO, is_quick=True)
    usual, at_edge, quick, quick_at_edge = (prober.limits for prober in scene.probers)
    assert usual == at_edge == DEFAULT_LIMITS
    assert quick == replace(usual, connect_seconds=1.25, answer_seconds=1.25)
    assert quick_at_edge == replace(usual, connect_seconds=2.5, answer_seconds=2.5)
    assert scene.probers[3].allow(ip_address("203.0.113.7")) and not scene.probers[3].allow(ip_address("10.96.0.9"))


async def test_a_stated_url_asks_no_service_in_any_mode() -> None:
    """It may have any address and any port, unlike the host of a route."""
    for check in (replace(EDGE, is_stated=True), replace(AUTO, is_stated=True)):
        scene = Scene()
        await scene.verifier.verify(check)
        allow = next(found.allow for found, target in zip(scene.probers, scene.targets, strict=True) if target.at_edge)
        assert not allow(ip_address("10.96.0.9")) and not allow(ip_address("10.0.0.1"))
        assert allow(ip_address("10.96.0.8"))
        inside = Scene()
        await inside.verifier.verify(replace(check, edge_url="http://chat.shop.svc:9090"))
        assert "edge" not in inside.sides
    scene = Scene()
    await scene.verifier.verify(EDGE)
    assert scene.probers[0].allow(ip_address("10.96.0.9"))
