"""The kopf layer: whatever the API server answers, ChainlitApps are seen in the end, and a stop is a stop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Set
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from tests.unit.apiserver import BOOKMARK, error, line, page, reply, serving, stream

from chainlit_operator.controller import runtime
from chainlit_operator.controller.app_intake import AppIntake, AppList
from chainlit_operator.controller.app_relister import AppRelister
from chainlit_operator.controller.runtime import Options
from chainlit_operator.kinds.chainlitapp import KIND
from chainlit_operator.kopf_layer import handlers
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.resource_versions import RestoredError
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State

#: As deep as the API server takes it, in a field without a schema.
READ = """
import json
from chainlit_operator.kopf_layer import handlers
from chainlit_operator.domain import paths
from chainlit_operator.domain.desired import manifests
from chainlit_operator.domain.desired import drift
from chainlit_operator.kinds.chainlitapp import app_from_object

handlers.raise_recursion_limit()
nest = '{"a":' * 9990 + "1" + "}" * 9990
body = json.loads('{"metadata":{"name":"x"},"spec":{"workload":{"template":{"image":"x","affinity":%s}}}}' % nest)
made = manifests.deployment(app_from_object(body), paths.RootPaths("", "")).body
json.dumps(made)
print(len(list(drift.differences(made, json.loads(json.dumps(made))))))
"""

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
PATH = KIND.path


def resource(plural: str, kind: str) -> dict[str, Any]:
    verbs = ["get", "list", "watch", "patch"]
    return {"name": plural, "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": verbs}


def group(name: str, version: str) -> dict[str, Any]:
    only = {"version": version, "groupVersion": f"{name}/{version}"}
    return {"name": name, "preferredVersion": only, "versions": [only]}


DISCOVERY = {
    "/api": {"versions": ["v1"]},
    "/api/v1": {"resources": [resource("namespaces", "Namespace"), resource("events", "Event")]},
    "/apis": {"groups": [group("apiextensions.k8s.io", "v1"), group(KIND.group, KIND.version)]},
    "/apis/apiextensions.k8s.io/v1": {"resources": [resource("customresourcedefinitions", "CustomResourceDefinition")]},
}


def app(name: str, version: str = "1") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", "uid": f"uid-of-{name}", "resourceVersion": version}
    return {"metadata": metadata, "spec": {"workload": {"ref": {"name": "chat"}}}}


class Server:
    """Knows ChainlitApps by discovery; lists and watches go by scripts, and then by ``apps``."""

    def __init__(self) -> None:
        self.apps = [app("one")]
        self.lists: list[Answer] = []
        self.watches: list[Answer] = []
        self.credentials: list[str] = []
        self.late = self.discoveries = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.credentials.append(request.headers.get("Authorization", ""))
        if request.path in DISCOVERY:
            return web.json_response(DISCOVERY[request.path])
        if request.path == PATH:
            self.discoveries += 1
            found = [resource(KIND.plural, "ChainlitApp")] if self.discoveries > self.late else []
            return web.json_response({"resources": found})
        assert request.path == f"{PATH}/{KIND.plural}", request.path
        script = self.watches if "watch" in request.query else self.lists
        if script:
            return await script.pop(0)(request)
        if "watch" in request.query:
            return await stream(end="hang")(request)
        return web.json_response(page(*self.apps, version="5"))


class Runtime:
    """As much of a runtime as the kopf layer uses."""

    def __init__(self, api: Api) -> None:
        self.options = SimpleNamespace(namespaces=())
        self.intake = AppIntake(State(lambda _: None))
        self.app_relister = AppRelister(api, self.intake, (None,))
        self.seen = asyncio.Event()
        self.requested = self.synced = 0
        self.lists: list[str | None] = []
        self.known: set[str] = set()
        self.delivered: list[str] = []
        self.removed: list[str] = []
        self.gone = asyncio.Event()

    def put_app(self, body: Any) -> None:
        self.delivered.append(body["metadata"]["resourceVersion"])
        if body["metadata"]["name"] == "two":
            self.seen.set()

    def remove_app(self, namespace: str, name: str, uid: str) -> None:
        self.removed.append(f"{namespace}/{name} {uid}")
        self.gone.set()

    async def apps_synced(self) -> None:
        self.synced += 1

    async def knows_app(self, ref: Ref, version: str) -> bool:
        return version in self.known

    def watch_alive(self) -> None:
        self.requested += 1

    def begin_list(self, namespace: str | None) -> AppList:
        self.lists.append(namespace)
        return self.intake.begin_list(namespace)

    async def relist_apps(self) -> None:
        await self.app_relister.list_all()


async def secret() -> dict[str, str]:
    return {"authorization": "Bearer secret"}


@asynccontextmanager
async def watching(server: Server, known: Set[str] = frozenset()) -> AsyncIterator[Runtime]:
    stop = asyncio.Event()
    async with serving(server.answer, secret) as api:
        runtime: Any = Runtime(api)
        runtime.known |= known
        task = asyncio.create_task(handlers._watch_apps(runtime, api, stop))
        try:
            yield runtime
        finally:
            stop.set()
            await asyncio.wait_for(task, 10)


STATUS = {"kind": "Status", "code": 500, "reason": "InternalError", "message": "etcd is gone"}


@pytest.mark.parametrize(
    "fault",
    [
        stream(b'{"type": "ADDED", "obj\n'),
        stream(line("ERROR", STATUS)),
        stream(line("ERROR", {**STATUS, "code": 410})),
        stream(line("BOOKMARK", BOOKMARK), end="break"),
        stream(b"[]\n"),
        error(404, "NotFound"),
        error(410, "Expired"),
        error(400, "BadRequest"),
        error(409, "Conflict"),
        error(401, "Unauthorized"),
    ],
    ids=["truncated", "error", "gone", "broken", "no-event", "404", "410", "400", "409", "401"],
)
@pytest.mark.parametrize("where", ["lists", "watches"])
async def test_kopf_goes_on_after(fault: Answer, where: str) -> None:
    server = Server()
    scripts = {"lists": server.lists, "watches": server.watches}
    scripts[where].append(fault)

    async def then(request: web.Request) -> web.StreamResponse:
        return await stream(line("ADDED", app("two", "6")), end="hang")(request)

    server.watches.append(then)
    async with watching(server) as runtime:
        await asyncio.wait_for(runtime.seen.wait(), 20)
        assert runtime.requested
    assert set(server.credentials) == {"Bearer secret"}


async def test_known_objects_are_not_delivered_and_the_watch_continues_after_them() -> None:
    server, since = Server(), []

    async def then(request: web.Request) -> web.StreamResponse:
        since.append(request.query["resourceVersion"])
        return await stream(line("ADDED", app("two", "9")), end="hang")(request)

    server.watches += [stream(line("MODIFIED", app("one", "7")), line("MODIFIED", app("one", "8"))), then]
    async with watching(server, known={"1", "8"}) as runtime:
        await asyncio.wait_for(runtime.seen.wait(), 20)
        assert runtime.synced == 1
    assert (runtime.delivered, since) == (["7", "9"], ["8"])


async def test_a_deletion_is_delivered_with_its_uid() -> None:
    """One of the same name may have taken its place, and be known already."""
    server = Server()
    server.watches.append(stream(line("DELETED", app("one", "7")), end="hang"))
    async with watching(server) as runtime:
        await asyncio.wait_for(runtime.gone.wait(), 20)
    assert runtime.removed == ["shop/one uid-of-one"]


async def test_a_crd_that_is_gone_is_waited_for() -> None:
    server = Server()
    server.watches.append(error(404, "NotFound"))
    server.lists += [reply(page(version="5")), *[error(404, "NotFound")] * 2]
    server.apps.append(app("two"))
    async with watching(server) as runtime:
        await asyncio.wait_for(runtime.seen.wait(), 20)


async def test_each_list_of_kopf_is_followed() -> None:
    server = Server()
    server.watches += [stream(line("ERROR", {**STATUS, "code": 410})), stream(line("ADDED", app("two")), end="hang")]
    async with watching(server) as runtime:
        await asyncio.wait_for(runtime.seen.wait(), 20)
        assert runtime.lists == [None, None]


async def test_a_crd_that_is_discovered_late_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "_DISCOVERY_SECONDS", 2.0)
    server = Server()
    server.late = 1
    server.apps.append(app("two"))
    async with watching(server) as runtime:
        await asyncio.wait_for(runtime.seen.wait(), 60)


class Cluster(Server):
    """Knows all kinds, and writes down how ChainlitApps are listed: with their content, or metadata only."""

    def __init__(self) -> None:
        super().__init__()
        self.app_lists: list[str] = []
        self.is_watched = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        is_watch = "watch" in request.query
        if request.path.endswith(f"/{KIND.plural}"):
            if is_watch:
                self.is_watched.set()
            else:
                self.app_lists.append("metadata" if "Partial" in request.headers["Accept"] else "content")
        elif request.path not in DISCOVERY and request.path != PATH:
            return await (stream(end="hang") if is_watch else reply(page(version="5")))(request)
        return await super().answer(request)


async def test_a_start_lists_apps_once_for_the_operator_and_once_for_kopf() -> None:
    server, stop = Cluster(), asyncio.Event()
    async with serving(server.answer) as api:
        running = asyncio.create_task(handlers.run(runtime.Runtime(api, Options(verification=False)), api, stop))
        await asyncio.wait_for(server.is_watched.wait(), 20)
        stop.set()
        await asyncio.wait_for(running, 20)
    assert server.app_lists == ["content", "content"]


async def test_an_app_that_is_deleted_before_kopf_lists_is_forgotten() -> None:
    server, stop = Cluster(), asyncio.Event()
    server.lists.append(reply(page(app("one"), app("gone"), version="5")))
    async with serving(server.answer) as api:
        operator = runtime.Runtime(api, Options(verification=False))
        running = asyncio.create_task(handlers.run(operator, api, stop))
        await asyncio.wait_for(server.is_watched.wait(), 20)
        assert [ref.name for ref in operator.intake._state.apps] == ["one"]
        stop.set()
        await asyncio.wait_for(running, 20)


class Ending:
    """A runtime whose watchdog finds nothing, and whose list of ChainlitApps ends the operator."""

    def start(self) -> None:
        """There is nothing to start."""

    async def stop(self) -> None:
        """There is nothing to stop."""

    async def failed(self) -> BaseException:
        await asyncio.Event().wait()
        raise AssertionError

    async def apps_synced(self) -> None:
        raise RestoredError("etcd was restored from a backup")


async def test_what_ends_the_watch_of_apps_is_reported_in_one_line() -> None:
    runtime: Any = Ending()
    async with serving(Server().answer) as api:
        with pytest.raises(handlers.StoppedError, match="stopped by RestoredError: etcd was restored from a backup"):
            await handlers.run(runtime, api, asyncio.Event())


def test_an_app_that_nests_deep_is_read_and_not_the_operators_end() -> None:
    done = subprocess.run([sys.executable, "-c", READ], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "0"), done.stderr[-500:]
