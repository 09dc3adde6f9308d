"""What the pods are asked, at which addresses, and what their answers mean."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.unit.apiserver import ApiServer, error, page, reply
from tests.unit.domain.world import NAMESPACE
from tests.unit.verification.prober.fakes import FakeChainlit, allow_any, answer, serving

from chainlit_operator.domain.model import NOBODY, Check, PathAnswer, PathKind, Pods, Standing, Stands
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.object_ref import Ref
from chainlit_operator.verification import pods
from chainlit_operator.verification.pods import PodAddresses, PodAsker
from chainlit_operator.verification.prober import Policy, Prober, Target, address_allowed
from chainlit_operator.verification.prober.fetch import Reply, fetch
from chainlit_operator.verification.prober.outcome import Outcome

PODS = Pods(Ref("Service", NAMESPACE, "chat"), "uid-of-workload", 1)


def endpoint(address: str = "127.0.0.1", **conditions: bool) -> dict[str, Any]:
    return {"addresses": [address], "conditions": conditions}


def endpoint_slice(*endpoints: Any, family: str = "IPv4") -> dict[str, Any]:
    return {"metadata": {"name": "chat-abc"}, "addressType": family, "endpoints": list(endpoints)}


class Scene:
    """An asker, the API server that it lists EndpointSlices from, and the app in its pods."""

    def __init__(self, asker: PodAsker, api: ApiServer, app: FakeChainlit) -> None:
        self.asker, self.api, self.app = asker, api, app

    async def kind(self, path: str, *slices: Any) -> Any:
        self.api.script = [reply(page(*(slices or [endpoint_slice(endpoint())])))]
        return await self.asker.answer(PathAnswer(PODS, self.app.port, path))


@asynccontextmanager
async def scene(app: FakeChainlit, allow: Policy = allow_any) -> AsyncIterator[Scene]:
    async def policy() -> Policy:
        return allow

    server = ApiServer()
    async with server.serving() as api, serving(app):
        yield Scene(PodAsker(PodAddresses(api), policy, Prober(allow=allow_any)), server, app)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/chat/healthz", PathKind.CATCH_ALL),
        ("chat/healthz", PathKind.CATCH_ALL),
        ("/chat/healthz?full=1", PathKind.CATCH_ALL),
        ("/healthz", PathKind.NOT_FOUND),
        ("/chat/assets/x.js", PathKind.OTHER),
        ("/chat/a b", PathKind.OTHER),
        ("/chat/" + "a" * 1024, PathKind.OTHER),
    ],
)
async def test_answers_at_a_path(path: str, kind: PathKind) -> None:
    async with scene(FakeChainlit("/chat")) as found:
        assert await found.kind(path) is kind


@pytest.mark.parametrize(
    ("status", "body", "media_type", "kind"),
    [
        (200, '<meta property="og:root_path" content="">', "text/html", PathKind.CATCH_ALL),
        (200, "<p>An app of its own</p>", "text/html", PathKind.OTHER),
        (200, 'property="og:root_path"', "text/plain", PathKind.OTHER),
        (503, '<meta property="og:root_path" content="">', "text/html", PathKind.OTHER),
        (404, "No", "text/plain", PathKind.NOT_FOUND),
        (410, "No", "text/plain", PathKind.OTHER),
        (200, '{"status":"ok"}', "application/json", PathKind.OTHER),
    ],
)
async def test_only_the_page_of_chainlit_is_its_catch_all(
    status: int, body: str, media_type: str, kind: PathKind
) -> None:
    app = FakeChainlit(faults={"catch-all": answer(status, body, media_type)})
    async with scene(app) as found:
        assert await found.kind("/healthz") is kind


async def test_a_redirect_is_an_answer_of_its_own() -> None:
    app = FakeChainlit(faults={"catch-all": answer(307, Location="/elsewhere")})
    async with scene(app) as found:
        assert await found.kind("/healthz") is PathKind.OTHER
        assert found.app.parts == ["catch-all"]


async def test_pods_are_found_by_the_name_of_the_service() -> None:
    async with scene(FakeChainlit()) as found:
        await found.kind("/healthz")
        ((method, path, query),) = found.api.requests
        assert (method, path) == ("GET", "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices")
        assert query == {"limit": "10", "labelSelector": "kubernetes.io/service-name=chat"}


NOT_READY = endpoint(ready=False, serving=False)
ENDING = endpoint(ready=False, serving=True, terminating=True)


@pytest.mark.parametrize(
    "slices",
    [
        (),
        (endpoint_slice(NOT_READY, ENDING),),
        (endpoint_slice(endpoint("chat.example"), family="FQDN"),),
        ({"metadata": {}, "addressType": "IPv4", "endpoints": None},),
        ({"metadata": {}, "addressType": 7},),
    ],
    ids=["none", "not ready", "names", "null", "unreadable"],
)
async def test_nobody_is_there_to_ask(slices: Any) -> None:
    async with scene(FakeChainlit()) as found:
        found.api.script = [reply(page(*slices))]
        assert await found.asker.answer(PathAnswer(PODS, found.app.port, "/healthz")) is NOBODY
        assert found.app.parts == []


async def test_ready_is_the_truth_also_where_addresses_are_published_early() -> None:
    async with scene(FakeChainlit()) as found:
        assert await found.kind("/healthz", endpoint_slice(endpoint(ready=True, serving=False))) is NOBODY
        assert await found.kind("/healthz", endpoint_slice(endpoint(ready=False, serving=True))) is PathKind.CATCH_ALL


async def test_a_silent_pod_does_not_hide_the_next() -> None:
    async with scene(FakeChainlit()) as found:
        slices = (endpoint_slice(endpoint("127.0.0.9")), endpoint_slice(endpoint()))
        assert await found.kind("/healthz", *slices) is PathKind.CATCH_ALL
        assert await found.kind("/healthz", slices[0]) is NOBODY


async def test_missing_rights_are_nobody(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with scene(FakeChainlit()) as found:
        found.api.script = [error(403, "Forbidden", "no list")]
        assert await found.asker.answer(PathAnswer(PODS, found.app.port, "/healthz")) is NOBODY
        assert "Cannot ask the pods of Service shop/chat, because its EndpointSlices cannot be read" in caplog.text


async def test_addresses_that_a_tenant_may_not_choose_are_not_asked() -> None:
    async with scene(FakeChainlit(), address_allowed) as found:
        assert await found.kind("/healthz") is NOBODY
        assert found.app.parts == []


@pytest.mark.parametrize(("root_path", "standing"), [("/chat", Standing.GOOD), ("/other", Standing.BAD)])
async def test_app_as_it_stands(root_path: str, standing: Standing) -> None:
    async with scene(FakeChainlit("/chat")) as found:
        check = Check(found.app.base_url, root_path, "", "http", "uid", 1)
        assert await found.asker.answer(Stands(check)) is standing
        assert found.api.requests == []


@pytest.mark.parametrize(("ready", "standing"), [(True, Standing.GOOD), (False, NOBODY)])
async def test_app_past_a_login_proxy(ready: bool, standing: Any) -> None:
    async with scene(FakeChainlit("/chat")) as found:
        found.api.script = [reply(page(endpoint_slice(endpoint(ready=ready))))]
        check = Check("http://10.0.0.1", "/chat", "", "http", "uid", 1, service=PODS.service, pod_port=found.app.port)
        assert await found.asker.answer(Stands(check)) is standing


@pytest.mark.parametrize(("host", "service"), [("127.0.0.1", "10.0.0.1"), ("::1", "[fd00:96::1]")])
@pytest.mark.parametrize("families", [("IPv4", "IPv6"), ("IPv6", "IPv4")])
async def test_app_past_a_login_proxy_is_asked_in_the_first_family_of_its_service(
    host: str, service: str, families: tuple[str, ...]
) -> None:
    """The app listens on that family alone; an API server lists the slices of both in any order."""
    addresses = {"IPv4": "127.0.0.1", "IPv6": "::1"}
    async with scene(FakeChainlit()) as found, serving(FakeChainlit("/chat"), host=host) as app:
        slices = [endpoint_slice(endpoint(addresses[family], ready=True), family=family) for family in families]
        found.api.script = [reply(page(*slices))]
        check = Check(f"http://{service}:80", "/chat", "", "http", "uid", 1, service=PODS.service, pod_port=app.port)
        assert await found.asker.answer(Stands(check)) is Standing.GOOD


async def test_a_pod_with_two_addresses_is_first_asked_at_that_of_ipv4() -> None:
    """Why a pod is not ready is asked once, and many an app listens on IPv4 alone."""
    server = ApiServer()
    server.script = [reply(page(endpoint_slice(endpoint("::1"), family="IPv6"), endpoint_slice(endpoint())))]
    async with server.serving() as api:
        found = await PodAddresses(api).of(PODS.service)
    assert [one.address for one in found] == ["127.0.0.1", "::1"]


class Scripted(Prober):
    """A prober with these outcomes, one for each probe."""

    def __init__(self, *reasons: Reason) -> None:
        super().__init__()
        object.__setattr__(self, "reasons", list(reasons))

    async def probe(self, target: Target) -> Outcome:
        return Outcome(self.reasons.pop(0), "…")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("reasons", "standing"),
    [
        ((Reason.CONNECTION_LOST, Reason.VERIFIED), Standing.GOOD),
        ((Reason.CONNECTION_LOST, Reason.CONNECTION_LOST), Standing.BAD),
        ((Reason.HANDSHAKE_NOT_FOUND, Reason.VERIFIED), Standing.BAD),
    ],
)
async def test_one_lost_connection_is_not_bad(
    reasons: tuple[Reason, ...], standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pods, "_PAUSE", 0.0)
    async with scene(FakeChainlit()) as found:
        asker = PodAsker(found.asker._addresses, found.asker._policy, Scripted(*reasons))
        assert await asker.answer(Stands(Check("http://chat", "", "", "http", "uid", 1))) is standing


async def test_fetch_reads_no_more_than_its_limit_and_says_why_it_has_nothing() -> None:
    async with serving(FakeChainlit(faults={"page": answer(200, "x" * 300_000)})) as app:
        prober = Prober(allow=allow_any)
        found = await fetch(prober, app.base_url, "/")
        assert isinstance(found, Reply)
        assert (found.status, found.content_type, len(found.body)) == (200, "text/plain", 256 * 1024)
        assert await fetch(prober, app.base_url, "no slash") is Reason.TARGET_INVALID
    assert await fetch(prober, app.base_url, "/") is Reason.CONNECTION_REFUSED
