"""The table of faults."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import yaml

from chainlit_operator import __version__
from tests.bench import chats
from tests.bench.__main__ import CRD
from tests.bench.controlplane import DRIVER, LIMITED
from tests.bench.driver import MERGE
from tests.bench.process import Process, Program
from tests.chaos import proxy
from tests.chaos.proxy import Act, Choice
from tests.chaos.scene import (
    BINDING,
    CURRENT,
    LEASE,
    PREVIOUS,
    PREVIOUS_VERSION,
    RIGHTS,
    STEPPED,
    WORKLOAD,
    Outcome,
    Scene,
)
from tests.objects import path_of, resource

Plant = Callable[[Scene], AsyncIterator[None]]
HOUR, DAY = 3600.0, 86400.0
CRDS = path_of("CustomResourceDefinition")
#: A policy and the binding that puts it into force, in this order.
POLICY = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")


@dataclass(frozen=True, slots=True)
class Fault:
    """A row: what is planted, for how many seconds, and how many writes too many each change may cost."""

    name: str
    title: str
    plant: Plant
    seconds: float = 2.0
    repeats: int = 0
    #: How many apps have their routes edited; 0 for all.
    apps: int = 0
    #: Whether it is one of the few that each run of the tests tries.
    is_sample: bool = False
    #: What runs as the operator meanwhile.
    program: Program = CURRENT

    def __str__(self) -> str:
        return self.name

    async def play(self, scene: Scene) -> Outcome:
        """Plant it and judge what comes of it. Raises ClusterError, AssertionError."""
        apps = range(self.apps) if self.apps else None
        async with scene.running(self.program):
            return await scene.measure(self.plant, self.seconds, apps=apps, repeats=self.repeats)


def planted(act: Act, choice: Choice = proxy.everything) -> Plant:
    """Plant an act for a while."""

    async def plant(scene: Scene) -> AsyncIterator[None]:
        scene.proxy.plant(act, choice)
        yield
        assert scene.proxy.taken, "the fault met no request"
        scene.proxy.clear()

    return plant


async def cut(scene: Scene) -> AsyncIterator[None]:
    """No byte in either direction; the connections outlive it."""
    scene.proxy.cut()
    yield
    scene.proxy.mend()


async def partition(scene: Scene) -> AsyncIterator[None]:
    """All that was connected is dead for ever, new connections work after it: as when a NAT forgets."""
    scene.proxy.plant(proxy.swallowed)
    yield
    scene.proxy.forsake()


async def refused(scene: Scene) -> AsyncIterator[None]:
    await scene.proxy.refuse()
    yield
    await scene.proxy.listen()


def server_away(seconds: float) -> Plant:
    """The API server is stopped for so long, and started again."""

    async def plant(scene: Scene) -> AsyncIterator[None]:
        await asyncio.to_thread(scene.plane.stop_apiserver, 1.0)

        async def back() -> None:
            await asyncio.sleep(seconds)
            await asyncio.to_thread(scene.plane.start_apiserver)

        coming = asyncio.create_task(back())
        yield
        await coming

    return plant


async def etcd_restarted(scene: Scene) -> AsyncIterator[None]:
    await asyncio.to_thread(scene.plane.stop_etcd)

    async def back() -> None:
        await asyncio.sleep(2.0)
        await asyncio.to_thread(scene.plane.start_etcd)

    coming = asyncio.create_task(back())
    yield
    await coming


async def crd_recreated(scene: Scene) -> AsyncIterator[None]:
    """The CRD is deleted with all ChainlitApps, and both are created again."""
    crd = yaml.safe_load(CRD.read_text())
    path = f"{CRDS}/{crd['metadata']['name']}"
    await scene.driver.send("DELETE", path)
    await _until(lambda: _answers(404, scene, "GET", path))
    yield
    await scene.driver.send("POST", CRDS, crd)
    await _until(lambda: _answers(200, scene, "GET", chats.collection("ChainlitApp")))
    for n in range(scene.driver.apps):
        await scene.driver.send("POST", chats.collection("ChainlitApp", n), chats.chainlit_app(n))


async def rights_withdrawn(scene: Scene) -> AsyncIterator[None]:
    """RBAC is taken away, and given back."""
    await scene.driver.send("DELETE", f"{BINDING}/operator")
    await _until(lambda: _answers(403, scene, "GET", chats.collection("Service"), LIMITED))
    scene.proxy.drop()  # a watch that is open is not judged again
    yield
    await scene.driver.send("POST", BINDING, RIGHTS)


async def writes_denied(scene: Scene) -> AsyncIterator[None]:
    """A ValidatingAdmissionPolicy refuses what the operator writes to workloads, and is taken away."""
    rules = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["deployments"]}
    spec: dict[str, Any] = {
        "matchConstraints": {"resourceRules": [rules]},
        "validations": [{"expression": f"request.userInfo.username != '{LIMITED}'", "message": "planted"}],
    }
    binding = {"policyName": "planted", "validationActions": ["Deny"]}
    for kind, body in zip(POLICY, (spec, binding), strict=True):
        await scene.driver.send("POST", path_of(kind), resource(kind, "planted", spec=body))
    await _until(lambda: _may_write(scene, expected=False))
    yield
    for kind in reversed(POLICY):
        await scene.driver.send("DELETE", path_of(kind, name="planted"))
    await _until(lambda: _may_write(scene, expected=True))


async def _until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while True:
            if await is_so():
                return
            await asyncio.sleep(0.1)


async def _answers(code: int, scene: Scene, method: str, path: str, user: str = DRIVER) -> bool:
    return await _status(scene, method, path, user) == code


async def _may_write(scene: Scene, *, expected: bool) -> bool:
    body = {"metadata": {"annotations": {"example.com/try": "1"}}}
    path = f"{chats.path('Deployment', 0)}?dryRun=All&fieldManager=try"
    return (await _status(scene, "PATCH", path, LIMITED, body) == 200) is expected


async def _status(scene: Scene, method: str, path: str, user: str = DRIVER, body: object = None) -> int:
    headers = {"Authorization": f"Bearer {user}-token", "Content-Type": MERGE}
    async with scene.driver.session.request(method, path, json=body, headers=headers) as answer:
        await answer.read()
        return answer.status


def strangers(count: int) -> Plant:
    """Objects of others come and go."""

    async def plant(scene: Scene) -> AsyncIterator[None]:
        async def come_and_go(k: int) -> None:
            for kind, body in (("Deployment", chats.deployment), ("Service", chats.service)):
                made = body(k % chats.NAMESPACES)
                name = made["metadata"]["name"] = f"stranger-{k}"
                await scene.driver.send("POST", chats.collection(kind, k), made)
                await scene.driver.send("DELETE", f"{chats.collection(kind, k)}/{name}")

        flood = asyncio.create_task(scene.driver.each(come_and_go, range(count // 2), 8))
        yield
        await flood

    return plant


async def clock_stepped(scene: Scene) -> AsyncIterator[None]:
    """The wall clock is set a day forward, an hour back, and right, again and again, each time once it has shown."""
    begun, rounds = scene.log.stat().st_size, 0

    async def step() -> None:
        nonlocal rounds
        while True:
            for off in (DAY, -HOUR, 0.0):
                scene.set_clock(off)
                await _until(partial(_shows, scene, scene.log.stat().st_size, off))
            rounds += 1

    stepping = asyncio.create_task(step())
    try:
        yield
    finally:
        stepping.cancel()
        await asyncio.gather(stepping, return_exceptions=True)
        scene.set_clock(0.0)
    assert rounds > 0, "the operator does not show all steps of its clock"
    assert b"stands by" not in scene.log.read_bytes()[begun:], "the leader lost the Lease"


async def _shows(scene: Scene, position: int, off: float) -> bool:
    """Whether the Lease, and a line of the log since then, were written by a clock that is off by so many seconds."""
    lease = json.loads(await scene.driver.send("GET", LEASE))
    renewed = datetime.fromisoformat(lease["spec"]["renewTime"])
    log = scene.log.read_bytes()[position:].decode(errors="replace")
    logged = [datetime.fromisoformat(f"20{line[:17]}").astimezone() for line in log.split("\n20")[1:]]
    shown = datetime.now(UTC) + timedelta(seconds=off)
    return all(any(abs(moment - shown) < timedelta(minutes=1) for moment in found) for found in ([renewed], logged))


#: Right to left, joined by invisible marks, beyond the basic plane, with a combining tower and a line separator.
ODD = (
    "\u202e\u200d\U0001d56e\U0001d58d\U0001d586\U0001d599"
    + "e\u0301\u0302\u0303\u0304" * 8
    + "\u2028\u1e9e\ufb00\U0001f4ac"
)


async def monsters(scene: Scene) -> AsyncIterator[None]:
    """Objects as large and as odd as the API server takes them, each with a ChainlitApp of its own."""
    names = ["monster-annotations", "monster-containers", "monster-paths"]
    for name in names:
        workload, service, route = chats.deployment(0), chats.service(0), chats.ingress(0)
        app = chats.chainlit_app(0)
        for made in (workload, service, route, app):
            made["metadata"]["name"] = name
        backend = route["spec"]["rules"][0]["http"]["paths"][0]["backend"]
        backend["service"]["name"] = name
        app["spec"]["workload"]["ref"]["name"] = app["spec"]["route"]["ref"]["name"] = name
        labels = {"app": name}
        workload["spec"]["selector"]["matchLabels"] = workload["spec"]["template"]["metadata"]["labels"] = labels
        service["spec"]["selector"] = labels
        if name == "monster-annotations":  # 256 KiB is what the API server takes
            for made in (workload, service, route, app):
                made["metadata"]["annotations"] = {f"example.com/{k}": ODD * 100 for k in range(20)}
        elif name == "monster-containers":
            containers = workload["spec"]["template"]["spec"]["containers"]
            containers += [
                {"name": f"more-{k}", "image": "more", "env": [{"name": f"ODD_{k}", "value": ODD}]} for k in range(500)
            ]
        else:
            paths = route["spec"]["rules"][0]["http"]["paths"]
            paths += [{"path": f"/{ODD}/{k}", "pathType": "Prefix", "backend": backend} for k in range(5000)]
        for kind, made in (("Deployment", workload), ("Service", service), ("Ingress", route), ("ChainlitApp", app)):
            await scene.driver.send("POST", chats.collection(kind, 0), made)
    yield
    for name in names:
        for kind in ("ChainlitApp", "Ingress", "Service", "Deployment"):
            await scene.driver.send("DELETE", f"{chats.collection(kind, 0)}/{name}")


def killed(nth: int, *, is_done: bool) -> Plant:
    """The operator is killed at the n-th write, which arrives and is done, or does not arrive."""

    async def plant(scene: Scene) -> AsyncIterator[None]:
        count, died = 0, asyncio.Event()

        async def act(through: proxy.Proxy, request: Any) -> Any:
            nonlocal count
            count += 1
            if count != nth:
                return await through.forward(request)
            if is_done:
                async with through.ask(request, await request.read()) as answer:
                    await answer.read()
            assert scene.operator is not None
            scene.operator.kill()
            died.set()
            raise ConnectionError

        scene.proxy.plant(act, proxy.writes)
        yield
        await died.wait()
        scene.proxy.clear()

    return plant


async def two(scene: Scene) -> AsyncIterator[None]:
    """Another operator works for a while."""
    position, other = scene.log.stat().st_size, scene.begin()
    await _until(partial(_works, scene, position))
    yield
    await asyncio.to_thread(other.stop)
    assert other.ended() == 0


async def _works(scene: Scene, position: int) -> bool:
    """Whether an operator has begun to work since then."""
    return b"Working with" in scene.log.read_bytes()[position:]


async def upgraded(scene: Scene) -> AsyncIterator[None]:
    """This version is started beside the previous one, which is stopped when both have worked for a while."""
    position, started = scene.plane.audit_position(), list[Process]()

    async def hand_over() -> int:
        await _until(partial(_wrote, scene, position, PREVIOUS_VERSION))  # later the newer one is mostly the faster
        begun, newer = scene.log.stat().st_size, scene.begin()
        started.append(newer)
        await _until(partial(_works, scene, begun))
        await _until(partial(_has_written, scene, scene.plane.audit_position(), 4))
        assert await scene.stop() == 0
        scene.keep(newer)
        return scene.plane.audit_position()

    upgrading = asyncio.create_task(hand_over())
    try:
        yield
        position = await upgrading
    finally:
        for newer in started:
            if scene.operator is not newer:
                newer.stop()
    await _until(partial(_has_written, scene, position, 1))
    assert scene.wrote(position) == {__version__}


async def _wrote(scene: Scene, position: int, version: str) -> bool:
    """Whether that version of the operator has written a workload since then."""
    return version in scene.wrote(position)


async def _has_written(scene: Scene, position: int, times: int) -> bool:
    """Whether workloads have been written as often since then, by whatever version."""
    return scene.carried_out(position)[WORKLOAD] >= times


#: One route change costs two writes, of the workload and of the status: all points at which a reconcile awaits.
KILLS = tuple(
    Fault(
        f"killed-{'after' if done else 'before'}-{what}",
        f"operator killed (SIGKILL) {'after' if done else 'before'} the write of the {what}, started again",
        killed(nth, is_done=done),
        seconds=0.5,
        apps=1,
        is_sample=nth == 1 and done,
    )
    for nth, what in ((1, "workload"), (2, "status"))
    for done in (False, True)
)

FAULTS = (
    Fault("429", "429 with Retry-After", planted(proxy.answering(429, "TooManyRequests", Retry_After="1"))),
    Fault("500", "500", planted(proxy.answering(500, "InternalError"))),
    Fault("503", "503", planted(proxy.answering(503, "ServiceUnavailable")), is_sample=True),
    Fault("409", "409 for every write", planted(proxy.answering(409, "Conflict"), proxy.writes)),
    Fault("401", "401", planted(proxy.answering(401, "Unauthorized"))),
    Fault("slow", "every answer takes 2 s", planted(proxy.slow(2.0)), seconds=6.0),
    Fault("cut-short", "connection breaks in the middle of an answer", planted(proxy.cut_short), repeats=4),
    Fault("lost", "answers to writes are lost", planted(proxy.lost, proxy.writes), repeats=4, is_sample=True),
    Fault("watches-end", "watches end at once", planted(proxy.ended, proxy.watches)),
    Fault("gone", "410 Gone in watches", planted(proxy.gone, proxy.watches), is_sample=True),
    Fault("gone-http", "410 Gone instead of watches", planted(proxy.answering(410, "Expired"), proxy.watches)),
    Fault("watch-error", "500 inside watches", planted(proxy.failing, proxy.watches)),
    Fault("bookmarks", "watches bring bookmarks only", planted(proxy.bookmarks, proxy.watches)),
    Fault("truncated", "truncated JSON in lists and watches", planted(proxy.truncated, proxy.reads), is_sample=True),
    Fault("truncated-writes", "truncated JSON in answers to writes", planted(proxy.truncated, proxy.writes), repeats=4),
    Fault("cut", "network cut, connections outlive it", cut, is_sample=True),
    Fault("partition", "network cut, connections die unnoticed", partition, seconds=10.0),
    Fault("refused", "connections refused", refused, is_sample=True),
    Fault("server-restarted", "API server restarted", server_away(0.0), seconds=4.0),
    Fault("server-down", "API server down for 60 s", server_away(60.0), seconds=62.0),
    Fault("etcd-restarted", "etcd down for 2 s", etcd_restarted, seconds=4.0),
    Fault("crd", "CRD and ChainlitApps deleted, created again", crd_recreated, seconds=4.0, repeats=1),
    Fault("rbac", "RBAC withdrawn, given back", rights_withdrawn, seconds=4.0),
    Fault("policy", "a policy denies the operator's writes", writes_denied, seconds=4.0),
    Fault("strangers", "4,000 foreign objects created and deleted", strangers(4000), seconds=20.0),
    Fault(
        "clock",
        "wall clock set a day forward, an hour back, and right",
        clock_stepped,
        5.0,
        program=STEPPED,
    ),
    # Of two that both work, one may be late: on a busy machine it sets a value back that it does not know yet.
    Fault("two", "two operators at once", two, repeats=1),
    Fault(
        "upgrade",
        f"{PREVIOUS_VERSION} and this version at once, {PREVIOUS_VERSION} stopped",
        upgraded,
        seconds=10.0,
        repeats=1,
        program=PREVIOUS,
    ),
    Fault("monsters", "256 KiB annotations, 503 containers, 5,001 paths, odd Unicode", monsters, seconds=4.0),
)
