"""Reflectors: the list-watch cycle, and what each way of breaking it costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import REGISTRY
from tests.unit.apiserver import BOOKMARK, Answer, ApiServer, error, line, obj, page, reply, stream
from tests.waiting import until

from chainlit_operator.domain.model import WatchedObject
from chainlit_operator.kinds import registry
from chainlit_operator.kube import reflector as reflectors
from chainlit_operator.kube import served_versions
from chainlit_operator.kube.backoff import backoff_seconds
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.reflector import Reflector
from chainlit_operator.kube.resource_versions import RestoredError
from chainlit_operator.kube.served_versions import ServedVersions
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import decoding


class Store:
    """Writes down what it is given, by name and version."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.known: dict[str, str] = {}

    async def replace(self, kind: str, namespace: str | None, objects: Iterable[WatchedObject]) -> None:
        self.known = {o.ref.name: o.resource_version for o in objects}
        self.log.append(f"replace {sorted(self.known)}")

    def upsert(self, obj: WatchedObject) -> None:
        self.known[obj.ref.name] = obj.resource_version
        self.log.append(f"upsert {obj.ref.name}@{obj.resource_version}")

    def remove(self, obj: WatchedObject) -> None:
        self.known.pop(obj.ref.name, None)
        self.log.append(f"remove {obj.ref.name}")

    def discard(self, ref: Ref) -> None:
        self.known.pop(ref.name, None)
        self.log.append(f"discard {ref.name}")


def reflector_of(
    api: Api, kind: str, namespace: str | None, store: Store, served: ServedVersions | None = None
) -> Reflector[WatchedObject]:
    decode = decoding.decoder(registry.WATCHED[kind])
    return Reflector(api, kind, namespace, store, decode_listed=decode, decode_event=decode, served=served)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reflectors, "backoff_seconds", lambda failures: 0.001)


@asynccontextmanager
async def played(
    *script: Answer, namespace: str | None = None
) -> AsyncIterator[tuple[ApiServer, Store, Reflector[WatchedObject]]]:
    """Run a reflector of Services until the script has been played."""
    server, sink = ApiServer(), Store()
    server.script = list(script)
    async with server.serving() as api:
        reflector = reflector_of(api, "Service", namespace, sink)
        task = asyncio.create_task(reflector.run())
        await asyncio.wait_for(server.exhausted.wait(), 5)
        yield server, sink, reflector
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def watches(server: ApiServer) -> list[str]:
    return [query["resourceVersion"] for _, _, query in server.requests if "watch" in query]


def lists(server: ApiServer) -> int:
    return sum("watch" not in query for _, _, query in server.requests)


async def test_pages_then_watch_from_their_version() -> None:
    async with played(reply(page(obj("a"), token="more")), reply(page(obj("b"), version="5"))) as (server, sink, found):
        assert sink.log == ["replace ['a', 'b']"]
        assert found.synced.is_set()
    assert [query.get("continue") for _, _, query in server.requests[:2]] == [None, "more"]
    assert server.requests[2][2] | {"watch": "1"} == {
        "watch": "1", "resourceVersion": "5", "allowWatchBookmarks": "true"
    }  # fmt: skip


async def test_one_namespace() -> None:
    async with played(reply(page()), namespace="shop") as (server, _, _):
        assert {path for _, path, _ in server.requests} == {"/api/v1/namespaces/shop/services"}


async def test_events_in_order_whatever_the_chunks() -> None:
    lines = line("ADDED", obj("a", "2")) + line("MODIFIED", obj("a", "3")) + line("DELETED", obj("a", "4"))
    async with played(reply(page()), stream(lines[:10], lines[10:150], lines[150:])) as (server, sink, _):
        assert sink.log[1:] == ["upsert a@2", "upsert a@3", "remove a"]
    assert watches(server) == ["1", "4"]


@pytest.mark.parametrize("also", [{}, {"creationTimestamp": None}], ids=["as of 1.34", "until 1.33"])
async def test_watch_goes_on_from_a_bookmark(also: dict[str, Any]) -> None:
    bookmark = {"kind": "Service", "apiVersion": "v1", "metadata": BOOKMARK["metadata"] | also, "spec": {}}
    async with played(reply(page()), stream(line("BOOKMARK", bookmark))) as (server, _, _):
        assert watches(server) == ["1", "77"]
        assert lists(server) == 1


@pytest.mark.parametrize("end", ["close", "break"])
async def test_end_of_a_watch_costs_no_list(end: str) -> None:
    async with played(reply(page()), stream(line("ADDED", obj("a", "9")), end=end)) as (server, _, _):
        assert lists(server) == 1
        assert watches(server)[-1] in {"9", "1"}
        assert len(watches(server)) == 2


@pytest.mark.parametrize(
    "broken",
    [
        stream(line("ERROR", {"code": 410, "reason": "Expired", "message": "too old"})),
        error(410, "Expired"),
        stream(b'{"type": "ADDED", "obj\n'),
        stream(line("BOOKMARK", {"metadata": 7})),
        stream(line("ERROR", "no Status")),
        stream(line("ERROR", {"code": 500, "reason": "InternalError", "message": "etcd"})),
        error(403, "Forbidden"),
        error(429, "TooManyRequests"),
    ],
)
async def test_what_a_watch_cannot_go_on_from_costs_a_list(broken: Answer) -> None:
    again = reply(page(obj("new", "8"), version="8"))
    async with played(reply(page(obj("gone"))), broken, again) as (server, sink, _):
        assert sink.known == {"new": "8"}
        assert lists(server) == 2
        assert watches(server)[-1] == "8"


async def test_event_cut_short_is_sent_again_by_the_next_watch() -> None:
    event = line("ADDED", obj("a", "9"))
    async with played(reply(page(version="5")), stream(event[:30]), stream(event)) as (server, sink, _):
        assert sink.known == {"a": "9"}
        assert watches(server)[:2] == ["5", "5"] and lists(server) == 1


@pytest.mark.parametrize(("end", "told"), [("hang", 0), ("break", 1)], ids=["silent", "broken"])
async def test_watch_that_is_silent_or_breaks_is_renewed(
    end: str, told: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reflectors, "SILENCE_SECONDS", 0.05)
    caplog.set_level("INFO", logger=reflectors.__name__)
    async with played(reply(page()), stream(end=end)) as (server, _, _):
        assert lists(server) == 1 and len(watches(server)) == 2
        assert len(caplog.records) == told


@pytest.mark.parametrize("refusal", [error(403, "Forbidden"), error(404, "NotFound"), error(500, "x"), reply("no")])
async def test_refused_list_is_tried_again_and_told(refusal: Answer) -> None:
    async with played(refusal, reply(page(obj("a")))) as (_, sink, found):
        assert sink.log == ["replace ['a']"]
        assert found.last_error is None, "an error is forgotten when it is over"


async def test_refused_list_is_known_while_it_lasts() -> None:
    server = ApiServer()
    server.script = [error(403, "Forbidden", "services is forbidden")]
    async with server.serving() as api:
        reflector = reflector_of(api, "Service", None, Store())
        task = asyncio.create_task(reflector.run())
        await asyncio.wait_for(server.exhausted.wait(), 5)
        assert reflector.last_error is not None and reflector.last_error.message == "services is forbidden"
        assert not reflector.synced.is_set()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_list_of_the_past_ends_it() -> None:
    """As after a restore of etcd: the cache would take none of its objects for newer than what it knows."""
    server, sink = ApiServer(), Store()
    gone = line("ERROR", {"kind": "Status", "code": 410, "reason": "Expired"})
    server.script = [
        reply(page(obj("a"), version="9")),
        stream(line("ADDED", obj("b", "11")), gone),
        reply(page(obj("a"), version="11")),
        stream(gone),
        reply(page(obj("a"), version="10")),
    ]
    async with server.serving() as api:
        with pytest.raises(RestoredError, match="version 10, after 11: etcd was restored"):
            await asyncio.wait_for(reflector_of(api, "Service", None, sink).run(), 5)
    assert sink.log == ["replace ['a']", "upsert b@11", "replace ['a']"]


LISTED = reply(page(obj("a")))
NOT_KNOWN = reply("404 page not found", 404)


def groups(*versions: str) -> Answer:
    """Serve these API versions."""
    return reply({"groups": [{"versions": [{"groupVersion": version}]} for version in versions]})


GATEWAY_API = groups("apps/v1", "gateway.networking.k8s.io/v1")


@pytest.mark.parametrize(
    ("script", "log"),
    [
        ([groups("apps/v1")], ["replace []"]),
        ([GATEWAY_API, NOT_KNOWN], ["replace []"]),
        (
            [GATEWAY_API, LISTED, NOT_KNOWN, *[NOT_KNOWN] * reflectors.IGNORED_NOT_FOUNDS],
            ["replace ['a']", "replace []"],
        ),
        ([GATEWAY_API, LISTED, *[NOT_KNOWN] * reflectors.IGNORED_NOT_FOUNDS, LISTED], ["replace ['a']"] * 2),
        ([GATEWAY_API, LISTED, *[error(503, "x")] * 20, NOT_KNOWN, LISTED], ["replace ['a']"] * 2),
        ([error(503, "x"), reply("no"), GATEWAY_API, LISTED], ["replace ['a']"]),
    ],
    ids=["no version", "no kind of the version", "for good", "for a while", "after an outage", "unknown at first"],
)
async def test_a_kind_that_is_not_known(script: list[Answer], log: list[str]) -> None:
    """Its watch, which comes after each list, is answered like a list then."""
    server, sink = ApiServer(), Store()
    server.script = list(script)
    async with server.serving() as api:
        task = asyncio.create_task(reflector_of(api, "HTTPRoute", None, sink, ServedVersions(api)).run())
        await until(lambda: len(sink.log) == len(log) and not server.script)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert sink.log == log


async def test_a_kind_that_appears_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reflectors, "ABSENT_SECONDS", 0.001)
    monkeypatch.setattr(served_versions, "FRESH_SECONDS", 0)
    server, sink = ApiServer(), Store()
    server.script = [groups("apps/v1"), groups("apps/v1"), GATEWAY_API, LISTED]
    async with server.serving() as api:
        task = asyncio.create_task(reflector_of(api, "HTTPRoute", None, sink, ServedVersions(api)).run())
        await until(lambda: len(sink.log) == 3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert sink.log == ["replace []", "replace []", "replace ['a']"]


async def test_kinds_that_are_absent_share_one_request() -> None:
    """So a cluster without any of them answers one request, however many kinds and namespaces there are."""
    server, sink = ApiServer(), Store()
    server.script = [groups("apps/v1")]
    async with server.serving() as api:
        served = ServedVersions(api)
        kinds = [(kind, namespace) for kind in ("HTTPRoute", "Gateway", "Middleware") for namespace in ("a", "b")]
        tasks = [asyncio.create_task(reflector_of(api, *each, sink, served).run()) for each in kinds]
        await until(lambda: len(sink.log) == len(tasks))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert [path for _, path, _ in server.requests] == ["/apis"]


async def test_strange_object_costs_only_itself() -> None:
    strange = {"metadata": {"name": "strange"}, "spec": {"selector": 7}}
    feed = stream(line("ADDED", strange), line("ADDED", obj("b", "3")))
    async with played(reply(page(strange, obj("a"))), feed) as (_, sink, _):
        assert sink.known == {"a": "1", "b": "3"}


STRANGE = {"selector": 7}


async def test_an_object_that_becomes_unreadable_is_dropped_as_by_a_list() -> None:
    feed = stream(line("MODIFIED", obj("a", "2", **STRANGE)), line("ADDED", obj("b", "3")))
    async with played(reply(page(obj("a"))), feed) as (server, sink, _):
        assert sink.log[1:] == ["discard a", "upsert b@3"]
    assert watches(server) == ["1", "3"]


async def test_each_unreadable_version_is_logged_and_counted_once(caplog: pytest.LogCaptureFixture) -> None:
    def count() -> float:
        name = "chainlit_operator_unreadable_objects_total"
        return REGISTRY.get_sample_value(name, {"kind": "Service"}) or 0.0

    before = count()
    strange, again = (line("MODIFIED", obj("a", version, **STRANGE)) for version in "23")
    async with played(reply(page(obj("a", "2", **STRANGE))), stream(strange, again, strange)):
        assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
            "Service shop/a cannot be read and is ignored"
        ] * 3
    assert count() == before + 3


async def test_expired_page_token_starts_the_list_anew() -> None:
    script = [reply(page(obj("a"), token="old")), error(410, "Expired"), reply(page(obj("b"), version="6"))]
    async with played(*script) as (_, sink, _):
        assert sink.log == ["replace ['b']"]


async def test_watch_that_is_refused_again_and_again_pauses_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[int] = []

    def backoff(failures: int) -> float:
        pauses.append(failures)
        return 0.001

    monkeypatch.setattr(reflectors, "backoff_seconds", backoff)
    async with played(*[reply(page()), error(403, "Forbidden")] * 3):
        assert pauses == [1, 2, 3]


def test_backoff_grows_to_its_limit() -> None:
    assert all(0.1 <= backoff_seconds(1) <= 0.2 for _ in range(50))
    assert all(15 <= backoff_seconds(n) <= 30 for n in (9, 20, 10_000))


@pytest.mark.parametrize(("stable_seconds", "pauses"), [(0.02, [1, 1, 1]), (10.0, [1, 2, 3])], ids=["lived", "failed"])
async def test_a_watch_that_lived_before_it_broke_is_renewed_at_once(
    monkeypatch: pytest.MonkeyPatch, stable_seconds: float, pauses: list[int]
) -> None:
    asked: list[int] = []

    def backoff(failures: int) -> float:
        asked.append(failures)
        return 0.001

    async def breaking(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(0.05)
        assert request.transport is not None
        request.transport.abort()
        return response

    monkeypatch.setattr(reflectors, "backoff_seconds", backoff)
    monkeypatch.setattr(reflectors, "STABLE_SECONDS", stable_seconds)
    async with played(reply(page()), breaking, breaking, breaking):
        assert asked == pauses
