"""A leader elector against an API server with one Lease."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from tests.unit.apiserver import Answer, ApiServer, error, reply
from tests.waiting import until

from chainlit_operator.kube.client import Api
from chainlit_operator.kube.leader_election import LeaderElector, LeaseTiming
from chainlit_operator.object_ref import Ref

LEASE = Ref("Lease", "system", "chainlit-operator")
#: A machine that stops for a second must not end a lead that a test relies on.
TIMING = LeaseTiming(lease_duration=3, renew_deadline=2.0, retry_period=0.1)


class LeaseServer(ApiServer):
    """An API server that has one Lease, checks versions, and may be told to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.lease: dict[str, Any] | None = None
        self.version = 0
        self.is_broken = False
        #: The holder whose writes fail.
        self.refused: str | None = None
        #: So many releases meet a renewal that came in between.
        self.conflicts = 0
        self.hangs = False
        self.delay = 0.0
        #: What answers take when the Lease has been written.
        self.delay_after = 0.0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path, dict(request.query)))
        body: dict[str, Any] = await request.json() if request.can_read_body else {}
        await asyncio.sleep(self.delay)
        if self.hangs:
            await asyncio.Event().wait()
        if self.is_broken:
            return await error(503, "ServiceUnavailable")(request)
        if request.method == "GET":
            return await (reply(self.lease) if self.lease else error(404, "NotFound"))(request)
        if refusal := self._refusal(request.method, body):
            return await refusal(request)
        self.hold(body)
        await asyncio.sleep(self.delay_after)
        return await reply(self.lease)(request)

    def _refusal(self, method: str, body: dict[str, Any]) -> Answer | None:
        """The answer to a write that fails, if it does."""
        if body["spec"]["holderIdentity"] == self.refused:
            return error(503, "ServiceUnavailable")
        if self.lease is None and method == "PUT":
            return error(404, "NotFound")
        expected = self.lease["metadata"]["resourceVersion"] if self.lease else None
        is_met = not body["spec"]["holderIdentity"] and self.conflicts > 0
        self.conflicts -= is_met
        if is_met or body["metadata"].get("resourceVersion") != expected:
            return error(409, "Conflict")
        return None

    def hold(self, lease: dict[str, Any]) -> None:
        self.version += 1
        self.lease = json.loads(json.dumps(lease))
        assert self.lease is not None
        self.lease["metadata"]["resourceVersion"] = str(self.version)

    @property
    def holder(self) -> str:
        return str(self.lease["spec"]["holderIdentity"]) if self.lease else ""


class Candidate:
    """An elector, and the calls that it made."""

    def __init__(self, api: Api, identity: str) -> None:
        self.turns: list[str] = []
        self.identity = identity
        self.elector = LeaderElector(api, LEASE, identity, TIMING, self._note("lead"), self._note("stand by"))

    def _note(self, turn: str) -> Callable[[], Awaitable[None]]:
        async def note() -> None:
            self.turns.append(turn)

        return note

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.elector.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_it_creates_the_lease_and_keeps_it() -> None:
    server = LeaseServer()
    async with server.serving() as api:
        one = Candidate(api, "one")
        async with one.running():
            await until(lambda: server.version >= 4)
        assert one.turns == ["lead"]
        assert server.lease is not None
        spec = server.lease["spec"]
        assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == ("one", 3, 0)
        assert spec["acquireTime"] < spec["renewTime"]
        assert [method for method, *_ in server.requests[:4]] == ["GET", "POST", "PUT", "PUT"]


async def test_a_released_lease_is_taken_at_once() -> None:
    server = LeaseServer()
    async with server.serving() as api:
        one, two = Candidate(api, "one"), Candidate(api, "two")
        async with one.running():
            await until(lambda: one.elector.is_leader)
            async with two.running():
                await until(lambda: server.version >= 3)
                assert not two.elector.is_leader
        async with two.running():
            await one.elector.release()
            assert not one.elector.is_leader
            await until(lambda: two.elector.is_leader)
        assert server.lease is not None
        assert server.lease["spec"]["leaseTransitions"] == 1


@pytest.mark.parametrize("where", ["delay", "delay_after"], ids=["there", "back"])
@pytest.mark.parametrize("version", [0, 2], ids=["taking", "renewing"])
async def test_a_lease_is_released_also_in_the_middle_of_a_write(version: int, where: str) -> None:
    server = LeaseServer()
    async with server.serving() as api:
        one = Candidate(api, "one")
        async with one.running():
            await until(lambda: server.version == version)
            setattr(server, where, 0.2)
            asked = sum(method != "GET" for method, *_ in server.requests)
            await until(lambda: sum(method != "GET" for method, *_ in server.requests) > asked)
            await until(lambda: server.version > version or where == "delay")
        await one.elector.release()
        assert server.holder == ""
        assert server.version > version
        assert not one.elector.is_leader


async def test_a_release_that_meets_a_renewal_is_tried_again() -> None:
    server = LeaseServer()
    async with server.serving() as api:
        one = Candidate(api, "one")
        async with one.running():
            await until(lambda: one.elector.is_leader)
        server.conflicts = 2
        await one.elector.release()
        assert (server.holder, server.conflicts) == ("", 0)


async def test_a_standby_that_ends_asks_for_nothing() -> None:
    server = LeaseServer()
    async with server.serving() as api:
        one, two = Candidate(api, "one"), Candidate(api, "two")
        async with one.running():
            await until(lambda: one.elector.is_leader)
            async with two.running():
                await until(lambda: any(method == "GET" for method, *_ in server.requests[2:]))
        asked = len(server.requests)
        await two.elector.release()
        assert len(server.requests) == asked
        assert server.holder == "one"


async def test_a_silent_leader_is_replaced_when_the_lease_has_run_out() -> None:
    server = LeaseServer()
    async with server.serving() as api:
        one, two = Candidate(api, "one"), Candidate(api, "two")
        loop = asyncio.get_running_loop()
        async with one.running():
            await until(lambda: one.elector.is_leader)
        silent = loop.time()
        async with two.running():
            await until(lambda: two.elector.is_leader)
        assert loop.time() - silent >= TIMING.lease_duration


async def test_the_renew_deadline_counts_from_when_the_renewal_was_sent() -> None:
    server = LeaseServer()
    server.delay_after = 0.4
    async with server.serving() as api:
        one = Candidate(api, "one")
        async with one.running():
            await until(lambda: one.elector.is_leader)
            assert one.elector._seconds_to_deadline() < TIMING.renew_deadline - server.delay_after


async def test_a_leader_stands_by_before_its_lease_runs_out() -> None:
    server = LeaseServer()
    async with server.serving() as api:
        one, two = Candidate(api, "one"), Candidate(api, "two")
        async with one.running(), two.running():
            await until(lambda: one.elector.is_leader or two.elector.is_leader)
            first, second = (one, two) if one.elector.is_leader else (two, one)
            server.refused = first.identity
            await until(lambda: first.turns == ["lead", "stand by"])
            assert not second.turns
            await until(lambda: second.turns == ["lead"])


@pytest.mark.parametrize("trouble", ["is_broken", "hangs"])
async def test_a_leader_that_cannot_renew_stands_by_and_comes_back(trouble: str) -> None:
    server = LeaseServer()
    async with server.serving() as api:
        one = Candidate(api, "one")
        async with one.running():
            await until(lambda: one.elector.is_leader)
            setattr(server, trouble, True)
            await until(lambda: one.turns == ["lead", "stand by"])
            setattr(server, trouble, False)
            await until(lambda: one.turns == ["lead", "stand by", "lead"])


async def test_a_lease_edited_by_somebody_is_kept() -> None:
    server = LeaseServer()
    async with server.serving() as api:
        one = Candidate(api, "one")
        async with one.running():
            await until(lambda: one.elector.is_leader)
            assert server.lease is not None
            server.hold(server.lease)
            version = server.version
            await until(lambda: server.version > version)
        assert one.turns == ["lead"]


async def test_a_leader_whose_lease_is_taken_stands_by_at_once() -> None:
    server = LeaseServer()
    async with server.serving() as api:
        one = Candidate(api, "one")
        async with one.running():
            await until(lambda: one.elector.is_leader)
            assert server.lease is not None
            server.hold(server.lease | {"spec": server.lease["spec"] | {"holderIdentity": "two"}})
            await until(lambda: one.turns == ["lead", "stand by"])
            assert one.elector._seconds_to_deadline() > 0
        assert server.holder == "two"


async def test_a_lease_that_is_deleted_makes_no_second_leader() -> None:
    server = LeaseServer()
    async with server.serving() as api:
        one, two = Candidate(api, "one"), Candidate(api, "two")
        async with one.running():
            await until(lambda: one.elector.is_leader)
            async with two.running():
                await until(lambda: two.elector._observed is not None)
                server.lease, version = None, server.version
                await until(lambda: server.version > version + 1)
                assert (server.holder, one.turns, two.turns) == ("one", ["lead"], [])


async def test_a_lease_that_is_deleted_with_its_leader_is_created_again() -> None:
    server = LeaseServer()
    async with server.serving() as api:
        one, two = Candidate(api, "one"), Candidate(api, "two")
        async with two.running():
            async with one.running():
                await until(lambda: one.elector.is_leader or two.elector.is_leader)
            server.lease = None
            await until(lambda: server.holder == "two" and two.elector.is_leader)
