"""The reconciler's writes: how many, with what in them, and what a refusal of each costs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from tests.unit.apiserver import ApiServer, error, reply, stream
from tests.unit.domain.test_pod_sources import SOURCE, USER
from tests.unit.domain.world import DONE, app, container, ingress, service, workload
from tests.waiting import until

from chainlit_operator.controller import reconciler as reconcilers
from chainlit_operator.controller.event_recorder import EventRecorder
from chainlit_operator.controller.inquirer import Inquirer
from chainlit_operator.controller.reconciler import Reconciler
from chainlit_operator.domain import decide as decisions
from chainlit_operator.domain.decide import Decision
from chainlit_operator.domain.model import (
    NOBODY,
    Answer,
    Check,
    EdgeMemory,
    PathAnswer,
    PathKind,
    Pods,
    Probe,
    Question,
    Snapshot,
    Verification,
)
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.kube.workqueue import WorkQueue
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State
from chainlit_operator.verification.scheduler import VerificationScheduler

APP = app().ref
#: No pod is ready, so the first write does not wait for an answer.
UNREADY = replace(DONE, available=0)
QUESTION = PathAnswer(Pods(service().ref, "uid-of-workload", 1), 8000, "/healthz")
RIGHT = container("/chat", probes=(Probe("readinessProbe", "/chat/health", "http"),))


class World:
    """A reconciler on a scripted API server; writes that the script does not answer are accepted."""

    def __init__(
        self,
        server: Accepting,
        reconciler: Reconciler,
        cache: State,
        queue: WorkQueue[Ref],
        told: asyncio.Event,
    ) -> None:
        self.server, self.reconciler, self.cache, self.queue, self.told = server, reconciler, cache, queue, told

    @property
    def writes(self) -> list[str]:
        return [path.rsplit("/namespaces/shop/", 1)[-1] for method, path, _ in self.server.requests if method != "GET"]

    def status(self) -> dict[str, str]:
        """Conditions of the last status written, as type → status/reason."""
        bodies = [json.loads(body) for body in self.server.bodies]
        last = [body["status"] for body in bodies if "status" in body][-1]
        return {c["type"]: f"{c['status']}/{c['reason']}" for c in last["conditions"]}


class Accepting(ApiServer):
    """Answers a write with the object as the write leaves it."""

    def __init__(self) -> None:
        super().__init__()
        self.version = 100
        self.drops_env = False
        self.released: Any = {}
        self.uid = "uid-of-chat"
        self.before_apply: Any = None
        self.before_release: Callable[[], None] = lambda: None
        self.before_status: Any = None
        self.spec: dict[str, Any] = {"workload": {"ref": {"name": "chat"}}, "verification": {"mode": "Backend"}}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.script:
            return await super().answer(request)
        self.requests.append((request.method, request.path, dict(request.query)))
        self.bodies.append(await request.read())
        self.version += 1
        body: Any = json.loads(self.bodies[-1])
        if isinstance(body, list):
            self.before_release()
            return web.json_response(self.released)
        meta = {"name": "chat", "namespace": "shop", "uid": self.uid, "generation": 1,
                "creationTimestamp": "2026-01-01T00:00:00Z", "resourceVersion": str(self.version)}  # fmt: skip
        if request.path.endswith("/status"):
            if self.before_status is not None:
                await self.before_status()
            return web.json_response({"metadata": meta, "spec": self.spec, "status": body["status"]})
        if self.before_apply is not None:
            await self.before_apply(request)
        (entry,) = body["spec"]["template"]["spec"]["containers"]
        for probe in ("readinessProbe",):
            entry[probe]["httpGet"]["port"] = "http"
        if self.drops_env:
            del entry["env"]
        entry["ports"] = [{"name": "http", "containerPort": 8000}]
        body["spec"]["template"]["metadata"] = {"labels": {"app": "chat"}}
        body["metadata"] |= {"resourceVersion": str(self.version), "generation": 2}
        body["status"] = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
        return web.json_response(body)


@asynccontextmanager
async def world(*script: Any) -> AsyncIterator[World]:
    """The plain case of tests.unit.domain.world in a cache, with a probe that always answers."""

    async def probe(check: Check, memory: EdgeMemory, *, is_quick: bool) -> Verification:
        return Verification(check, True, Reason.VERIFIED, "…")

    async def answer(question: Question) -> Answer:
        return PathKind.NOT_FOUND if question == QUESTION else NOBODY

    server = Accepting()
    server.script = list(script)
    async with server.serving() as api:
        queue: WorkQueue[Ref] = WorkQueue(lambda _: 3600.0)
        cache = State(queue.add)
        told = asyncio.Event()
        scheduler = VerificationScheduler(probe, lambda _: told.set(), 1)
        task = asyncio.create_task(scheduler.run())
        cache.put_app(app())
        for obj in (workload(rollout=UNREADY), service(), ingress("/chat")):
            cache.upsert(obj)
        inquirer = Inquirer(answer, queue.add)
        reconciler = Reconciler(api, cache, queue, scheduler, inquirer, EventRecorder(api))
        yield World(server, reconciler, cache, queue, told)
        inquirer.clear()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("is_gone", [False, True])
async def test_app_replaced_or_deleted_while_its_status_is_written_is_left_as_it_is(is_gone: bool) -> None:
    async with world() as w:
        another = replace(app(), uid="uid-of-another", resource_version="5000")

        async def replaced(*_: Any) -> None:
            w.cache.remove_app(APP)
            if not is_gone:
                w.cache.put_app(another)

        w.server.before_status = replaced
        await w.reconciler.reconcile(APP)
        assert w.cache.apps == ({} if is_gone else {APP: another})


async def test_status_is_that_of_the_version_known_last() -> None:
    """Changed labels are no reason to judge anew, or to be refused."""
    async with world() as w:
        labelled = replace(app(), resource_version="5000", preserved_metadata=b'{"labels":{"team":"a"}}')

        async def changed(_: Any) -> None:
            w.cache.put_app(labelled)

        w.server.before_apply = changed
        await w.reconciler.reconcile(APP)
        assert json.loads(w.server.bodies[-1])["metadata"] == {
            "labels": {"team": "a"},
            "name": "chat",
            "namespace": "shop",
            "uid": app().uid,
            "resourceVersion": "5000",
        }


async def test_status_that_another_writer_replaced_is_written_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    async with world() as w:
        pauses: list[tuple[Ref, float]] = []
        monkeypatch.setattr(w.queue, "add_after", lambda ref, seconds: pauses.append((ref, seconds)))
        w.cache.upsert(workload(RIGHT))
        await w.reconciler.reconcile(APP)
        await asyncio.wait_for(w.told.wait(), 5)
        await w.reconciler.reconcile(APP)
        w.cache.put_app(replace(app(), resource_version="5000"))
        w.queue.close()
        await w.reconciler._reconcile_or_retry(APP)
        assert w.writes == ["chainlitapps/chat/status"] * 2
        assert [(ref, 0 < seconds <= 5.0) for ref, seconds in pauses] == [(APP, True)]


async def test_status_that_met_a_conflict_is_written_once_the_watch_has_told() -> None:
    async with world() as w:
        w.cache.upsert(workload(RIGHT))
        w.server.script = [error(409, "Conflict")]
        with pytest.raises(ApiError):
            await w.reconciler.reconcile(APP)
        w.cache.put_app(replace(app(), resource_version="50"))
        assert await w.reconciler.reconcile(APP)
        versions = [json.loads(body)["metadata"]["resourceVersion"] for body in w.server.bodies]
        assert versions == ["1", "50"]


@pytest.mark.parametrize("change", [{"generation": 2}, {"uid": "uid-of-another"}, None], ids=["changed", "new", "gone"])
async def test_what_was_found_of_another_state_is_not_written(change: dict[str, Any] | None) -> None:
    async with world() as w:

        async def changed(_: Any) -> None:
            w.cache.remove_app(APP)
            if change is not None:
                w.cache.put_app(replace(app(), resource_version="5000", **change))

        w.server.before_apply = changed
        await w.reconciler.reconcile(APP)
        assert w.writes == ["deployments/chat"]
        assert len(w.queue) == 1, "it is due again as it is by now"


async def test_workload_deleted_before_its_write_is_answered_stays_deleted() -> None:
    async with world() as w:

        async def deleted(_: Any) -> None:
            w.cache.remove(workload())

        w.server.before_apply = deleted
        await w.reconciler.reconcile(APP)
        assert w.cache.workload(workload().ref) is None
        assert w.status()["Ready"] == "False/WorkloadNotFound"


async def test_conflict_is_tried_again_without_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    async with world() as w:
        w.cache.upsert(workload(RIGHT))
        w.server.script = [error(409, "Conflict", "the object has been modified")]
        w.queue.close()
        await w.reconciler._reconcile_or_retry(APP)
        assert {record.levelname for record in caplog.records} <= {"INFO"}
        w.server.script = [error(409, "Conflict", "the object has been modified")] * 3
        for _ in range(3):
            await w.reconciler._reconcile_or_retry(APP)
        assert w.queue.failures(APP) == 4
        assert caplog.records[-1].levelname == "WARNING", "but the watch should have told by now"


async def test_alignment_is_one_write_to_the_workload_and_one_of_the_status() -> None:
    async with world() as w:
        assert await w.reconciler.reconcile(APP)
        assert w.writes == ["deployments/chat", "chainlitapps/chat/status"]
        assert w.server.requests[0][2] == {
            "fieldManager": "chainlit-operator",
            "force": "true",
            "fieldValidation": "Ignore",
        }
        assert w.status()["Aligned"] == "True/Aligned"
        assert w.status()["Ready"] == "Unknown/RolloutInProgress"
        assert await w.reconciler.reconcile(APP)
        assert len(w.writes) == 2, "the second time there is nothing to do"


async def test_a_rollout_is_aligned_by_one_write_to_its_deployment() -> None:
    async with world() as w:
        w.cache.put_app(app(workload_kind="Rollout"))
        w.cache.upsert(replace(SOURCE, containers=(container(),), rollout=UNREADY))
        w.cache.upsert(replace(USER, rollout=UNREADY))
        assert await w.reconciler.reconcile(APP)
        assert w.writes == ["deployments/chat", "chainlitapps/chat/status"]
        status = json.loads(w.server.bodies[-1])["status"]
        assert status["workload"] == {"kind": "Rollout", "name": "chat", "container": "chainlit"}
        assert w.status()["Aligned"] == "True/Aligned"


async def test_aligned_app_is_verified_and_told_once() -> None:
    async with world() as w:
        w.cache.upsert(workload(RIGHT))
        await w.reconciler.reconcile(APP)
        assert w.status()["Ready"] == "Unknown/VerificationPending"
        await asyncio.wait_for(w.told.wait(), 5)
        await w.reconciler.reconcile(APP)
        await w.reconciler.reconcile(APP)
        assert w.status()["Ready"] == "True/Ready"
        assert w.writes == ["chainlitapps/chat/status"] * 2


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (error(403, "Forbidden", 'deployments.apps "chat" is forbidden: User "x" cannot patch resource'), "Forbidden"),
        (error(403, "Forbidden", 'admission webhook "x" denied the request: no'), "ApplyRefused"),
        (error(403, "Forbidden", 'admission webhook "x" denied the request: you cannot patch this'), "ApplyRefused"),
        (error(422, "Invalid", "Deployment is invalid"), "ApplyRefused"),
        (error(400, "BadRequest", "?"), "ApplyRefused"),
    ],
)
async def test_refused_write_is_told_and_tried_again_later(refusal: Any, reason: str) -> None:
    async with world(refusal) as w:
        assert not await w.reconciler.reconcile(APP)
        assert w.status()["Aligned"] == f"False/{reason}"
        assert w.status()["Ready"] == f"False/{reason}"
        assert await w.reconciler.reconcile(APP)
        assert w.status()["Aligned"] == "True/Aligned"


@pytest.mark.parametrize("code", [409, 429, 500, 503, 504])
async def test_passing_error_is_not_a_condition(code: int) -> None:
    async with world(error(code, "x")) as w:
        with pytest.raises(ApiError):
            await w.reconciler.reconcile(APP)
        assert w.writes == ["deployments/chat"]


async def test_error_that_does_not_pass_is_told() -> None:
    async with world(*[error(500, "InternalError", "failed calling webhook")] * 4) as w:
        for _ in range(3):
            with pytest.raises(ApiError):
                await w.reconciler.reconcile(APP)
            w.queue.retry(APP)
        assert not await w.reconciler.reconcile(APP)
        assert w.status()["Ready"] == "False/ApplyRefused"


async def test_write_that_is_taken_out_again_is_told() -> None:
    async with world() as w:
        w.server.drops_env = True
        assert not await w.reconciler.reconcile(APP)
        assert w.status()["Aligned"] == "False/ApplyRefused"


async def test_app_deleted_meanwhile_is_forgotten() -> None:
    async with world() as w:
        w.cache.upsert(workload(RIGHT))
        w.server.script = [error(404, "NotFound")]
        assert await w.reconciler.reconcile(APP)
        assert w.cache.apps == {}
        assert await w.reconciler.reconcile(APP)
        assert len(w.writes) == 1


async def test_an_app_is_not_forgotten_for_a_404_that_is_not_of_the_api_server() -> None:
    async with world() as w:
        w.cache.upsert(workload(RIGHT))
        w.server.script = [reply("404 page not found", 404)]
        await w.reconciler._reconcile_or_retry(APP)
        assert set(w.cache.apps) == {APP} and w.queue.failures(APP) == 1
        await w.reconciler._reconcile_or_retry(APP)
        assert len(w.writes) == 2 and w.queue.failures(APP) == 0


async def test_fourth_time_is_contested_until_something_meaningful_changes() -> None:
    async with world() as w:
        for n in range(6):
            meddled = container("/theirs", owners=(("CHAINLIT_ROOT_PATH", "argocd"),))
            w.cache.upsert(workload(meddled, resource_version=str(1000 + 10 * n)))
            w.server.version = 1001 + 10 * n
            await w.reconciler.reconcile(APP)
        assert w.writes.count("deployments/chat") == 3
        assert w.status()["Ready"] == "False/FieldContested"
        w.cache.put_app(replace(w.cache.apps[APP], generation=2, resource_version="5000"))
        await w.reconciler.reconcile(APP)
        assert w.writes.count("deployments/chat") == 4


async def test_suspended_app_is_left_alone() -> None:
    async with world() as w:
        w.cache.put_app(replace(app(suspend=True), generation=2, resource_version="7"))
        await w.reconciler.reconcile(APP)
        assert w.writes == ["chainlitapps/chat/status"]
        assert w.status()["Ready"] == "Unknown/Suspended"


HELD = workload(RIGHT, field_managers=("helm", "chainlit-operator"))
RELEASED = {
    "metadata": {"name": "chat", "namespace": "shop", "resourceVersion": "9", "managedFields": [{"manager": "helm"}]}
}


@pytest.mark.parametrize("is_suspended", [True, False], ids=["suspended", "deleted"])
async def test_release_is_one_patch_of_managed_fields(is_suspended: bool) -> None:
    async with world() as w:
        w.server.released = RELEASED
        w.cache.upsert(HELD)
        if is_suspended:
            w.cache.put_app(replace(app(suspend=True), generation=2, resource_version="7"))
        else:
            w.cache.remove_app(APP)
        await w.reconciler.reconcile(HELD.ref)
        assert w.writes == [], "all apps are not known yet"
        w.cache.complete()
        await w.reconciler.reconcile(HELD.ref)
        await w.reconciler.reconcile(HELD.ref)
        assert w.writes == ["deployments/chat"]
        assert [operation["op"] for operation in json.loads(w.server.bodies[-1])] == ["test", "remove"]


FORMER = container(name="proxy", owners=(("readinessProbe", "chainlit-operator"),))
MOVED = workload(container(), FORMER, field_managers=("helm", "chainlit-operator"))


async def test_fields_of_a_former_container_are_given_back_before_others_are_taken() -> None:
    """An apply that left them out would have the API server put ``/`` in the place of the probe's path."""
    async with world() as w:
        w.server.released = RELEASED
        w.cache.upsert(MOVED)
        await w.reconciler.reconcile(APP)
        first, second = (json.loads(body) for body in w.server.bodies[:2])
        assert [operation["op"] for operation in first] == ["test", "remove"]
        assert second["kind"] == "Deployment"


async def test_fields_of_a_former_container_stay_where_giving_them_back_is_refused() -> None:
    async with world(error(422, "")) as w:
        w.cache.upsert(MOVED)
        with pytest.raises(ApiError) as refused:
            await w.reconciler.reconcile(APP)
        assert refused.value.is_transient
        assert w.writes == ["deployments/chat"]


@pytest.mark.parametrize("change", [{"spec": app(suspend=True).spec}, None], ids=["suspended", "deleted"])
async def test_an_app_that_changes_while_fields_are_released_is_not_written(change: dict[str, Any] | None) -> None:
    """Between two writes of one reconcile."""
    async with world() as w:
        w.server.released = RELEASED
        w.cache.upsert(MOVED)

        def changed() -> None:
            w.cache.remove_app(APP)
            if change is not None:
                w.cache.put_app(replace(app(), generation=2, resource_version="5000", **change))

        w.server.before_release = changed
        w.queue.close()
        await w.reconciler._reconcile_or_retry(APP)
        assert w.writes == ["deployments/chat"], "the release alone"
        assert w.queue.failures(APP) == 0


async def test_nothing_is_released_while_an_app_wants_it() -> None:
    async with world() as w:
        w.cache.upsert(HELD)
        w.cache.complete()
        await w.reconciler.reconcile(HELD.ref)
        assert w.writes == []


@pytest.mark.parametrize(
    ("refusal", "is_transient"),
    [
        (error(404, "NotFound"), False),
        (error(403, "Forbidden"), False),
        (error(422, ""), False),
        (error(409, "Conflict"), True),
        (error(500, "x"), True),
    ],
)
async def test_refused_release_is_no_storm(refusal: Any, is_transient: bool) -> None:
    async with world(refusal) as w:
        w.cache.remove_app(APP)
        w.cache.upsert(HELD)
        w.cache.complete()
        if is_transient:
            with pytest.raises(ApiError):
                await w.reconciler.reconcile(HELD.ref)
        else:
            assert await w.reconciler.reconcile(HELD.ref)


async def test_contest_outlives_a_restart() -> None:
    """The status says so, and the fields are still the other manager's."""
    async with world() as w:
        meddled = container("/theirs", owners=(("CHAINLIT_ROOT_PATH", "argocd"),))
        for n in range(4):
            w.cache.upsert(workload(meddled, resource_version=str(1000 + 10 * n), rollout=UNREADY))
            w.server.version = 1001 + 10 * n
            await w.reconciler.reconcile(APP)
        assert w.status()["Aligned"] == "False/FieldContested"
        before = list(w.writes)
        w.reconciler.forget()
        await w.reconciler.reconcile(APP)
        assert w.writes == before
        w.cache.upsert(ingress("/moved"))
        await w.reconciler.reconcile(APP)
        assert w.writes.count("deployments/chat") == before.count("deployments/chat") + 1


async def test_first_alignment_counts_as_one_of_three_writes() -> None:
    async with world() as w:
        await w.reconciler.reconcile(APP)
        for n in range(5):
            w.server.version = 1001 + 10 * n
            meddled = container("/theirs", owners=(("CHAINLIT_ROOT_PATH", "argocd"),))
            w.cache.upsert(workload(meddled, resource_version=str(1000 + 10 * n)))
            await w.reconciler.reconcile(APP)
        assert w.writes.count("deployments/chat") == 3
        assert w.status()["Ready"] == "False/FieldContested"


@pytest.mark.parametrize("accepted", [0, 1], ids=["workload", "status"])
async def test_an_answer_to_a_write_that_cannot_be_read_may_pass(accepted: int) -> None:
    async with world() as found:
        if accepted:
            found.cache.upsert(workload(RIGHT))
        found.server.script.append(stream(b'{"metadata": {"name'))
        with pytest.raises(ApiError, match="answer to a write cannot be read") as failure:
            await found.reconciler.reconcile(APP)
    assert failure.value.is_transient
    assert found.writes == ["chainlitapps/chat/status" if accepted else "deployments/chat"]


async def test_questions_of_a_decision_are_asked_and_their_answers_are_in_the_next_snapshot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Snapshot] = []

    def decide(snapshot: Snapshot) -> Decision:
        seen.append(snapshot)
        return replace(decisions.decide(snapshot), questions=(QUESTION,))

    monkeypatch.setattr(reconcilers, "decide", decide)
    async with world() as w:
        w.queue.clear()
        await w.reconciler.reconcile(APP)
        assert seen[-1].answers == {}
        await until(lambda: len(w.queue) > 0)
        await w.reconciler.reconcile(APP)
        assert seen[-1].answers == {QUESTION: PathKind.NOT_FOUND}
        w.cache.remove_app(APP)
        await w.reconciler.reconcile(APP)
        w.cache.put_app(app())
        await w.reconciler.reconcile(APP)
        assert seen[-1].answers == {}, "the answers of an app that is gone are forgotten"


async def test_nothing_is_written_while_an_answer_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    def decide(snapshot: Snapshot) -> Decision:
        return replace(decisions.decide(snapshot), questions=(QUESTION,), is_waiting=not snapshot.answers)

    monkeypatch.setattr(reconcilers, "decide", decide)
    async with world() as w:
        w.queue.clear()
        assert await w.reconciler.reconcile(APP)
        assert w.writes == []
        await until(lambda: len(w.queue) > 0)
        assert await w.reconciler.reconcile(APP)
        assert w.writes == ["deployments/chat", "chainlitapps/chat/status"]
