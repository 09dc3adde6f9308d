"""Workloads that are written by JSON patch, on an API server that keeps the owners of a Rollout's containers."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from tests.objects import Object, chainlit_app, container, http_probe, ingress, service, stored, workload
from tests.records import app_record, record
from tests.unit.apiserver import ApiServer

from chainlit_operator.controller.event_recorder import EventRecorder
from chainlit_operator.controller.inquirer import Inquirer
from chainlit_operator.controller.reconciler import Reconciler
from chainlit_operator.domain.model import NOBODY, Answer, Check, EdgeMemory, Question, Verification
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.kube.workqueue import WorkQueue
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State
from chainlit_operator.verification.scheduler import VerificationScheduler

APP, ROLLOUT = Ref("ChainlitApp", "shop", "chat"), Ref("Rollout", "shop", "chat")
OURS = "chainlit-operator"
#: The fields of a manager that owns the whole list of containers.
WHOLE: Object = {"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}}
SIDECAR = container("proxy", "proxy", port=None, env={"A": "a"})
PROGRESS = {"observedGeneration": "1", "replicas": 1, "updatedReplicas": 1, "availableReplicas": 0}


def rollout(*containers: Object, manager: str = "helm", **fields: Any) -> Object:
    made = workload(*(containers or (SIDECAR, container(readinessProbe=http_probe()))), kind="Rollout", **fields)
    owners = [{"manager": manager, "operation": "Apply", "fieldsV1": WHOLE}]
    return stored(made | {"status": PROGRESS}, "shop", managedFields=owners)


class Server(ApiServer):
    """An API server with one Rollout, whose containers are one field, and one ChainlitApp."""

    def __init__(self, made: Object) -> None:
        super().__init__()
        self.rollout, self.version = made, 100
        self.app = stored(chainlit_app(kind="Rollout", verification={"mode": "Backend"}), "shop")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body: Any = await request.json()
        if "/events" in request.path:
            return web.json_response({}, status=201)
        self.requests.append((request.method, request.path, dict(request.query)))
        self.bodies.append(await request.read())
        self.version += 1
        if request.path.endswith("/status"):
            self.app = self.app | {"status": body["status"]}
            self.app["metadata"]["resourceVersion"] = str(self.version)
            return web.json_response(self.app)
        assert request.content_type == "application/json-patch+json", "an apply would replace all containers"
        if body[0] != {"op": "test", "path": "/metadata/resourceVersion", "value": self.resource_version}:
            return web.json_response({"code": 422, "message": "a test fails"}, status=422)
        changed = patched(self.rollout, body[1:])
        self.change(changed, request.query["fieldManager"])
        return web.json_response(self.rollout)

    @property
    def resource_version(self) -> str:
        return str(self.rollout["metadata"]["resourceVersion"])

    def change(self, changed: Object, manager: str) -> None:
        """Store a Rollout as the update of a manager, which then owns the containers alone if it has changed them."""
        self.version += 1
        if changed["spec"] != self.rollout["spec"]:
            kept = [e for e in changed["metadata"]["managedFields"] if e["fieldsV1"] != WHOLE]
            entry = {"manager": manager, "operation": "Update", "fieldsV1": WHOLE}
            changed["metadata"] |= {"managedFields": [*kept, entry]}
            changed["metadata"]["generation"] += 1
        changed["metadata"]["resourceVersion"] = str(self.version)
        self.rollout = changed


def patched(obj: Object, operations: list[Object]) -> Object:
    """The object after the operations ``add`` and ``remove`` of a JSON patch."""
    made: Object = copy.deepcopy(obj)
    for operation in operations:
        *parents, last = operation["path"].removeprefix("/").split("/")
        at: Any = made
        for part in parents:
            at = at[int(part) if isinstance(at, list) else part]
        if operation["op"] == "remove":
            del at[int(last)]
        elif isinstance(at, list):
            assert last == "-", "an index would insert"
            at.append(operation["value"])
        else:
            at[last] = operation["value"]
    return made


class World:
    """A reconciler, its state and the API server."""

    def __init__(self, server: Server, reconciler: Reconciler, state: State, queue: WorkQueue[Ref]) -> None:
        self.server, self.reconciler, self.state, self.queue = server, reconciler, state, queue

    async def reconcile(self) -> None:
        """Reconcile the app, and then the workload if it is to be released."""
        await self.reconciler.reconcile(APP)
        await self.reconciler.reconcile(ROLLOUT)

    def watch(self) -> None:
        """Deliver the Rollout as it is."""
        self.state.upsert(record(self.server.rollout))

    @property
    def writes(self) -> list[str]:
        return [path.rsplit("/namespaces/shop/", 1)[-1] for _, path, _ in self.server.requests]

    @property
    def managers(self) -> list[str]:
        return [entry["manager"] for entry in self.server.rollout["metadata"]["managedFields"]]

    def containers(self) -> list[Object]:
        found: list[Object] = self.server.rollout["spec"]["template"]["spec"]["containers"]
        return found

    def condition(self, type_: str) -> Object:
        found: Object = next(c for c in self.server.app["status"]["conditions"] if c["type"] == type_)
        return found


@asynccontextmanager
async def world(made: Object | None = None) -> AsyncIterator[World]:
    async def answer(_: Question) -> Answer:
        return NOBODY

    async def probe(check: Check, memory: EdgeMemory, *, is_quick: bool) -> Verification:
        return Verification(check, True, Reason.VERIFIED, "…")

    server = Server(made or rollout())
    async with server.serving() as api:
        queue: WorkQueue[Ref] = WorkQueue(lambda _: 3600.0)
        state = State(queue.add)
        state.put_app(app_record(server.app))
        for obj in (stored(service(), "shop"), stored(ingress(), "shop"), server.rollout):
            state.upsert(record(obj))
        state.complete()
        scheduler = VerificationScheduler(probe, lambda _: None, 1)
        inquirer = Inquirer(answer, queue.add)
        yield World(server, Reconciler(api, state, queue, scheduler, inquirer, EventRecorder(api)), state, queue)
        inquirer.clear()
        await asyncio.sleep(0)


async def test_a_patch_keeps_all_other_fields_and_gives_the_list_back() -> None:
    async with world() as w:
        before = copy.deepcopy(w.containers())
        await w.reconcile()
        assert w.writes == ["rollouts/chat", "chainlitapps/chat/status", "rollouts/chat"]
        own = before[1]
        own["env"] = [{"name": "CHAINLIT_ROOT_PATH", "value": "/chat"}]
        own["readinessProbe"]["httpGet"]["path"] = "/chat/health"
        assert w.containers() == before
        assert w.managers == [], "so no apply of others is a conflict"
        assert w.server.app["status"]["workload"]["writtenUID"] == "uid-of-chat"
        w.watch()
        await w.reconcile()
        assert len(w.writes) == 3, "nothing differs"


async def test_a_release_that_fails_is_tried_again_with_the_next_version() -> None:
    async with world() as w:
        await w.reconciler.reconcile(APP)
        w.server.change(copy.deepcopy(w.server.rollout), "rollouts-controller")
        await w.reconciler.reconcile(ROLLOUT)
        assert w.managers == [OURS]
        w.watch()
        await w.reconciler.reconcile(ROLLOUT)
        assert w.managers == []


async def test_a_rollout_that_has_changed_meanwhile_is_a_conflict() -> None:
    async with world() as w:
        w.server.change(copy.deepcopy(w.server.rollout), "rollouts-controller")
        with pytest.raises(ApiError) as raised:
            await w.reconciler.reconcile(APP)
        assert raised.value.code == 409
        w.watch()
        await w.reconcile()
        assert w.condition("Aligned")["status"] == "True"


async def test_an_apply_of_others_is_a_field_conflict_with_its_own_remedy() -> None:
    """An apply of the whole list takes variable and probe path away, each time."""
    async with world() as w:
        theirs = copy.deepcopy(w.server.rollout)
        for _ in range(5):
            await w.reconcile()
            w.server.change(copy.deepcopy(theirs), "flux")
            w.watch()
        await w.reconcile()
        found = w.condition("Aligned")
        assert (found["status"], found["reason"]) == ("False", "FieldContested")
        assert "'flux' keeps changing CHAINLIT_ROOT_PATH" in found["message"]
        assert "set the values in the manifests of that manager: CHAINLIT_ROOT_PATH='/chat'" in found["message"]
        patches = [body for body in w.server.bodies if b"/spec/template" in body]
        assert len(patches) == 3
        restarted = await _restarted(w)
        await restarted.reconcile()
        assert restarted.condition("Aligned")["reason"] == "FieldContested", "a restart changes nothing"


async def _restarted(w: World) -> World:
    """The same world, without the memory of the operator."""
    w.reconciler.forget()
    w.state.put_app(app_record(w.server.app))
    return w


@pytest.mark.parametrize("is_kept", [True, False])
async def test_a_probe_path_of_a_written_rollout_is_set_back(is_kept: bool) -> None:
    """The managed fields do not tell that the operator has written to it, so the status must."""
    async with world() as w:
        await w.reconcile()
        theirs = copy.deepcopy(w.server.rollout)
        theirs["spec"]["template"]["spec"]["containers"][1]["readinessProbe"]["httpGet"]["path"] = "/health"
        w.server.change(theirs, "kubectl-edit")
        w.watch()
        if not is_kept:
            del w.server.app["status"]["workload"]["writtenUID"]
            w.server.app["metadata"]["resourceVersion"] = "5000"
            w.state.put_app(app_record(w.server.app))
        await w.reconcile()
        probe = w.containers()[1]["readinessProbe"]["httpGet"]["path"]
        assert probe == ("/chat/health" if is_kept else "/health")


async def test_a_suspension_ends_what_the_status_remembers() -> None:
    async with world() as w:
        await w.reconcile()
        w.server.app["spec"]["suspend"] = True
        w.server.app["metadata"] |= {"generation": 2, "resourceVersion": "5000"}
        w.state.put_app(app_record(w.server.app))
        await w.reconcile()
        assert "writtenUID" not in w.server.app["status"]["workload"]
        w.server.app["spec"]["suspend"] = False
        w.server.app["metadata"] |= {"generation": 3, "resourceVersion": "6000"}
        w.state.put_app(app_record(w.server.app))
        await w.reconcile()
        assert w.server.app["status"]["workload"]["writtenUID"] == "uid-of-chat"
        assert w.condition("Aligned")["reason"] == "Aligned"
