"""Created objects: what is written, in what order, how often, and what a refusal or a rival of each costs."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from tests.records import record
from tests.unit.apiserver import ApiServer, error

from chainlit_operator.controller.event_recorder import EventRecorder
from chainlit_operator.controller.inquirer import Inquirer
from chainlit_operator.controller.reconciler import Reconciler
from chainlit_operator.domain.desired.drift import DIGEST
from chainlit_operator.domain.field_managers import CREATED_FIELD_MANAGER
from chainlit_operator.domain.model import NOBODY, Answer, Check, Question, Verification
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.kinds.chainlitapp import app_from_object
from chainlit_operator.kinds.registry import RESOURCES
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.kube.workqueue import WorkQueue
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State
from chainlit_operator.verification.scheduler import VerificationScheduler

APP = Ref("ChainlitApp", "shop", "chat")
KINDS = {plural: kind for kind, (_, plural) in RESOURCES.items()}
TEMPLATE = {"template": {"image": "chat:1"}}
INGRESS = {"ingress": {"path": "/chat", "host": "example.com"}}
CREATED = ["serviceaccounts/chat", "services/chat", "ingresses/chat", "deployments/chat"]


class Store(ApiServer):
    """An API server that keeps what is written, as far as these tests need: applies merge by replacing."""

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[tuple[str, str], Any] = {}
        self.app: Any = {}
        self.version = 100
        self.before_answer: Callable[[], None] = lambda: None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        plural, name, *rest = request.path.rpartition("/namespaces/shop/")[2].split("/")
        if self.script and not rest:
            return await super().answer(request)
        self.requests.append((request.method, request.path, dict(request.query)))
        self.bodies.append(body := json.loads(await request.read() or b"{}", object_hook=without_nulls))
        self.before_answer()
        if rest:  # the status
            self.app["status"] = body["status"]
            self.app["metadata"]["resourceVersion"] = self.next()
            return web.json_response(self.app)
        if request.method == "DELETE":
            del self.objects[plural, name]
            return web.json_response({})
        old = self.objects.get((plural, name), {"metadata": {}})
        if "apply" not in request.content_type:
            body = {**old, "metadata": {**old["metadata"], **body["metadata"]}}
        else:
            fields: dict[str, Any] = {"f:spec": {}, "f:metadata": {}, "f:automountServiceAccountToken": {}}
            body["metadata"]["managedFields"] = [{"manager": request.query["fieldManager"], "fieldsV1": fields}]
        generation = old["metadata"].get("generation", 0) + 1
        body["metadata"] |= {"uid": old["metadata"].get("uid", f"{plural}-{self.version}"), "generation": generation}
        body["metadata"]["resourceVersion"] = self.next()
        self.objects[plural, name] = body
        return web.json_response(body)

    def next(self) -> str:
        self.version += 1
        return str(self.version)


def without_nulls(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if value is not None}


class World:
    """A reconciler on a store, its cache fed with what is in there."""

    def __init__(self, server: Store, reconciler: Reconciler, cache: State, queue: WorkQueue[Ref]) -> None:
        self.server, self.reconciler, self.cache, self.queue = server, reconciler, cache, queue
        self.generation = 0

    def ask(self, workload: Any, route: Any = None, **more: Any) -> None:
        """Write the ChainlitApp's spec."""
        self.generation += 1
        metadata = {"name": "chat", "namespace": "shop", "uid": "uid-of-chat", "generation": self.generation}
        metadata |= {"resourceVersion": self.server.next(), "creationTimestamp": "2026-01-01T00:00:00Z"}
        spec = {"workload": workload, "route": route or {}, "verification": {"mode": "Disabled"}}
        self.server.app = {"metadata": metadata | more.pop("metadata", {}), "spec": spec | more}
        self.cache.put_app(app_from_object(self.server.app))

    def meddle(self, plural: str, change: Any, manager: str = "kubectl-edit") -> None:
        """Have somebody change an object, who then owns all that is in it."""
        found = self.server.objects[plural, "chat"]
        change(found)
        found["metadata"]["managedFields"] = [{"manager": manager, "fieldsV1": {"f:spec": {}, "f:metadata": {}}}]
        self.put(plural, found)

    def put(self, plural: str, obj: Any) -> None:
        """Have an object be there, and seen."""
        obj["metadata"]["resourceVersion"] = self.server.next()
        self.server.objects[plural, obj["metadata"]["name"]] = obj
        self.cache.upsert(record(obj, KINDS[plural]))

    async def reconcile(self) -> bool:
        return await self.reconciler.reconcile(APP)

    @property
    def writes(self) -> list[str]:
        """Writes but for the status: the object, with the method where it is none that applies."""
        found = []
        for method, path, _ in self.server.requests:
            target = path.rpartition("/namespaces/shop/")[2]
            if not target.endswith("/status"):
                found.append(target if method == "PATCH" else f"{method} {target}")
        return found

    def forget_requests(self) -> None:
        self.server.requests.clear()
        self.server.bodies.clear()

    def reason(self, type_: str) -> str:
        found = {c["type"]: c["reason"] for c in self.server.app["status"]["conditions"]}
        return str(found[type_])

    def env(self) -> dict[str, str]:
        (container,) = self.server.objects["deployments", "chat"]["spec"]["template"]["spec"]["containers"]
        return {entry["name"]: entry["value"] for entry in container["env"]}


@asynccontextmanager
async def world(workload: Any = None, route: Any = None, *script: Any) -> AsyncIterator[World]:
    async def probe(check: Check) -> Verification:
        return Verification(check, True, Reason.VERIFIED, "…")

    server = Store()
    server.script = list(script)
    async with server.serving() as api:
        queue: WorkQueue[Ref] = WorkQueue(lambda _: 3600.0)
        cache = State(queue.add)
        found = World(server, restarted(api, cache, queue, probe), cache, queue)
        found.ask(workload or TEMPLATE, INGRESS if route is None else route)
        yield found


def restarted(api: Any, cache: State, queue: WorkQueue[Ref], probe: Any) -> Reconciler:
    scheduler = VerificationScheduler(probe, lambda _: None, 1)
    return Reconciler(api, cache, queue, scheduler, Inquirer(nobody, queue.add), EventRecorder(api))


async def nobody(_: Question) -> Answer:
    return NOBODY


async def test_other_replicas_are_no_other_pods() -> None:
    async with world({"template": {"image": "chat:1", "replicas": 1}}) as w:
        assert await w.reconcile()
        before = w.cache.workload(Ref("Deployment", "shop", "chat"))
        w.ask({"template": {"image": "chat:1", "replicas": 2}}, INGRESS)
        assert await w.reconcile()
        after = w.cache.workload(Ref("Deployment", "shop", "chat"))
        assert before is not None and after is not None and after.rollout.desired == 2
        assert w.server.objects["deployments", "chat"]["metadata"]["generation"] == before.generation + 1
        assert after.generation == before.generation


async def test_everything_is_created_in_one_go_with_the_root_path_in_it() -> None:
    async with world() as w:
        assert await w.reconcile()
        assert w.writes == CREATED
        assert w.env()["CHAINLIT_ROOT_PATH"] == "/chat"
        assert w.reason("Aligned") == "Aligned"
        assert [query["force"] for _, _, query in w.server.requests[:4]] == ["false"] * 4
        assert {query["fieldManager"] for _, _, query in w.server.requests[:4]} == {CREATED_FIELD_MANAGER}


async def test_second_time_and_after_a_restart_nothing_is_written() -> None:
    async with world() as w:
        await w.reconcile()
        await w.reconcile()
        cache = State(w.queue.add)
        cache.put_app(app_from_object(w.server.app))
        for (plural, _), obj in w.server.objects.items():
            cache.upsert(record(obj, KINDS[plural]))
        w.reconciler = restarted(w.reconciler._objects._api, cache, w.queue, None)
        await w.reconcile()
        assert w.writes == CREATED
        assert len(w.server.requests) == 5, "the status once"


async def test_new_path_is_one_write_to_the_route_and_one_to_the_workload() -> None:
    async with world() as w:
        await w.reconcile()
        w.forget_requests()
        w.ask(TEMPLATE, {"ingress": {"path": "/support"}})
        await w.reconcile()
        assert w.writes == ["ingresses/chat", "deployments/chat"]
        assert w.env()["CHAINLIT_ROOT_PATH"] == "/support"
        assert w.server.bodies[1]["metadata"]["uid"].startswith("deployments-")
        assert w.server.requests[1][2]["force"] == "true"


async def test_field_that_is_wanted_no_more_is_given_up() -> None:
    async with world({"template": {"image": "chat:1", "replicas": 2}}) as w:
        await w.reconcile()
        assert w.server.objects["deployments", "chat"]["spec"]["replicas"] == 2
        w.ask(TEMPLATE, INGRESS)
        w.forget_requests()
        await w.reconcile()
        assert w.writes == ["deployments/chat"]
        assert "replicas" not in w.server.bodies[0]["spec"]


async def test_change_by_hand_is_repaired() -> None:
    async with world() as w:
        await w.reconcile()
        w.forget_requests()
        w.meddle("services", lambda o: o["spec"].update(selector={"app": "other"}))
        await w.reconcile()
        assert w.writes == ["services/chat"]
        assert w.server.objects["services", "chat"]["spec"]["selector"]["app.kubernetes.io/instance"] == "chat"


async def test_what_is_deleted_before_its_repair_is_answered_stays_deleted() -> None:
    async with world() as w:
        await w.reconcile()
        w.meddle("services", lambda o: o["spec"].update(selector={"app": "other"}))
        service = w.cache.find(Ref("Service", "shop", "chat"))
        assert service is not None

        async def deleted(_: web.Request) -> web.StreamResponse:
            w.cache.remove(service)
            return web.json_response(w.server.objects["services", "chat"])

        w.server.script = [deleted]
        await w.reconcile()
        assert w.cache.find(service.ref) is None


@pytest.mark.parametrize("what", ["spec", "annotation"])
async def test_three_writes_of_the_same_and_then_no_more_until_something_changes(what: str) -> None:
    def change(obj: Any) -> None:
        if what == "spec":
            obj["spec"]["type"] = "NodePort"
        else:
            obj["metadata"]["annotations"].pop(DIGEST, None)

    async with world() as w:
        await w.reconcile()
        w.forget_requests()
        for _ in range(6):
            w.meddle("services", change, "argocd")
            assert await w.reconcile(), "contested is not tried again by itself"
        assert w.writes == ["services/chat"] * 2, "the first is the creation"
        assert w.reason("Ready") == "FieldContested"
        if what == "spec":
            messages = [c["message"] for c in w.server.app["status"]["conditions"] if c["type"] == "Aligned"]
            assert "'argocd'" in messages[0] and "spec.type of Service shop/chat" in messages[0]
            w.reconciler = restarted(w.reconciler._objects._api, w.cache, w.queue, None)
            await w.reconcile()
            assert len(w.writes) == 2, "a restart changes nothing"
        w.ask(TEMPLATE, INGRESS)
        await w.reconcile()
        assert w.writes.count("services/chat") == 3


async def test_who_leads_again_counts_its_writes_anew() -> None:
    async with world() as w:
        await w.reconcile()
        w.forget_requests()
        for _ in range(3):
            w.reconciler.forget()
            w.meddle("services", lambda o: o["spec"].update(type="NodePort"), "argocd")
            await w.reconcile()
        assert w.writes == ["services/chat"] * 3


async def test_names_that_are_taken_are_left_to_whose_they_are() -> None:
    foreign = {"metadata": {"name": "chat", "namespace": "shop"}, "spec": {"selector": {"app": "other"}}}
    async with world() as w:
        w.put("services", copy.deepcopy(foreign))
        await w.reconcile()
        assert w.writes == []
        assert {w.reason(t) for t in ("RouteResolved", "Aligned", "Ready")} == {"NameTaken"}
        assert await w.queue.get() == APP
        w.queue.done(APP)
        w.cache.remove(w.cache.find(Ref("Service", "shop", "chat")))  # type: ignore[arg-type]
        assert len(w.queue) == 1, "the app is told when the name is free"
        await w.reconcile()
        assert w.writes == CREATED


async def test_object_of_a_former_app_of_that_name_is_foreign_too() -> None:
    async with world() as w:
        await w.reconcile()
        w.forget_requests()
        w.ask(TEMPLATE, INGRESS, metadata={"uid": "another"})
        await w.reconcile()
        assert w.writes == []
        assert w.reason("Ready") == "NameTaken"


async def test_null_is_as_if_it_were_not_there() -> None:
    nulls = {"extraContainers": [{"name": "side", "image": "s:1", "args": None, "ports": None}]}
    async with world({"template": TEMPLATE["template"] | nulls}) as w:
        assert await w.reconcile()
        assert w.writes == CREATED


async def test_what_cannot_be_a_container_is_told() -> None:
    odd = {"extraContainers": [{"name": "side", "image": "s:1", "env": [{"name": "P", "value": 8080}]}]}
    async with world({"template": TEMPLATE["template"] | odd}) as w:
        assert not await w.reconcile()
        assert w.reason("Ready") == "ApplyRefused"
        message = w.server.app["status"]["conditions"][0]["message"]
        assert "containers[1].env[0].value" in message and "Expected `str`" in message


async def test_conflict_at_creation_is_somebody_who_was_quicker() -> None:
    async with world(None, None, error(409, "Conflict", 'conflict with "helm"')) as w:
        with pytest.raises(ApiError):
            await w.reconcile()
        assert w.server.requests[0][2]["force"] == "false"


@pytest.mark.parametrize("verb", ["create", "patch"])
async def test_missing_right_is_told(verb: str) -> None:
    refusal = error(403, "Forbidden", f'serviceaccounts is forbidden: User "x" cannot {verb} resource')
    async with world(None, None, refusal) as w:
        assert not await w.reconcile()
        assert w.writes == ["serviceaccounts/chat"]
        assert {w.reason(t) for t in ("RouteResolved", "Aligned", "Ready")} == {"Forbidden"}
        message = w.server.app["status"]["conditions"][0]["message"]
        assert f"may not {verb} ServiceAccount chat in namespace shop" in message
        assert "creation.enabled" in message


async def test_workload_is_created_although_the_route_gives_no_path() -> None:
    async with world(TEMPLATE, {"ref": {"kind": "Ingress", "name": "missing"}}) as w:
        await w.reconcile()
        assert w.writes == ["serviceaccounts/chat", "services/chat", "deployments/chat"]
        assert w.env()["CHAINLIT_ROOT_PATH"] == ""
        assert (w.reason("RouteResolved"), w.reason("Aligned")) == ("RouteNotFound", "RouteNotResolved")


async def test_route_that_is_gone_for_a_moment_restarts_no_pods() -> None:
    async with world(TEMPLATE, {"ref": {"name": "theirs"}}) as w:
        backend = {"service": {"name": "chat", "port": {"name": "http"}}}
        paths = [{"path": "/chat", "pathType": "Prefix", "backend": backend}]
        theirs = {"metadata": {"name": "theirs", "namespace": "shop"}, "spec": {"rules": [{"http": {"paths": paths}}]}}
        w.put("ingresses", theirs)
        await w.reconcile()
        assert w.env()["CHAINLIT_ROOT_PATH"] == "/chat"
        w.cache.remove(w.cache.find(Ref("Ingress", "shop", "theirs")))  # type: ignore[arg-type]
        w.forget_requests()
        await w.reconcile()
        assert w.writes == []
        assert w.reason("RouteResolved") == "RouteNotFound"


async def test_what_is_asked_for_no_more_is_deleted() -> None:
    async with world() as w:
        await w.reconcile()
        w.forget_requests()
        w.ask(TEMPLATE)
        await w.reconcile()
        assert w.writes == ["DELETE ingresses/chat"]
        assert w.server.bodies[0]["preconditions"]["uid"].startswith("ingresses-")
        assert ("ingresses", "chat") not in w.server.objects
        await w.reconcile()
        assert len(w.writes) == 1


async def test_what_is_on_its_way_out_is_not_deleted_again() -> None:
    async with world() as w:
        await w.reconcile()
        w.forget_requests()
        dying = w.server.objects["ingresses", "chat"]
        dying["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        w.put("ingresses", dying)
        w.ask(TEMPLATE)
        await w.reconcile()
        assert w.writes == []


async def test_what_a_ref_names_now_is_released() -> None:
    async with world() as w:
        await w.reconcile()
        w.forget_requests()
        w.ask({"ref": {"name": "chat"}}, {"ref": {"name": "chat"}})
        await w.reconcile()
        assert sorted(w.writes) == sorted(CREATED)
        for obj in w.server.objects.values():
            assert obj["metadata"]["ownerReferences"] == []
            assert obj["metadata"]["managedFields"] == [{}]
        w.forget_requests()
        await w.reconcile()
        assert w.writes == []


@pytest.mark.parametrize("more", [{"suspend": True}, {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}])
async def test_suspended_or_dying_app_writes_nothing(more: Any) -> None:
    async with world() as w:
        w.ask(TEMPLATE, INGRESS, **copy.deepcopy(more))
        await w.reconcile()
        assert w.writes == []


@pytest.mark.parametrize("is_gone", [False, True], ids=["suspended", "deleted"])
async def test_app_that_changes_while_its_objects_are_created_is_not_written_further(is_gone: bool) -> None:
    async with world() as w:

        def changed() -> None:
            if is_gone:
                w.cache.remove_app(APP)
            else:
                w.ask(TEMPLATE, INGRESS, suspend=True)

        w.server.before_answer = changed
        w.queue.close()
        await w.reconciler._reconcile_or_retry(APP)
        assert w.writes == ["serviceaccounts/chat"]
        assert w.queue.failures(APP) == 0


async def test_what_vanishes_is_created_anew_when_it_is_gone() -> None:
    async with world() as w:
        await w.reconcile()
        w.forget_requests()
        dying = w.server.objects["services", "chat"]
        dying["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        w.put("services", dying)
        await w.reconcile()
        assert w.writes == []
        del w.server.objects["services", "chat"]
        w.cache.remove(w.cache.find(Ref("Service", "shop", "chat")))  # type: ignore[arg-type]
        await w.reconcile()
        assert w.writes == ["services/chat"]


async def test_foreign_objects_are_not_kept_whole() -> None:
    async with world() as w:
        await w.reconcile()
        assert all(o.owned is not None for o in w.cache.owned_by(w.cache.apps[APP]))
        foreign = {"metadata": {"name": "x", "namespace": "shop", "ownerReferences": [{"kind": "Other"}]}, "spec": {}}
        w.put("services", foreign)
        found = w.cache.service(Ref("Service", "shop", "x"))
        assert found is not None and found.owned is None


async def test_events_tell_what_was_done() -> None:
    async with world() as w:
        await w.reconcile()
        told = w.reconciler._objects._recorder._queue
        *_, event = await asyncio.wait_for(told.get(), 1)
        assert event["reason"] == "Created"
        for kind in ("ServiceAccount", "Service", "Ingress", "Deployment"):
            assert f"{kind} shop/chat" in event["message"]
