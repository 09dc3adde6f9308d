"""The other side of the API server: edits objects, and sees by watching when the operator has done its part."""

from __future__ import annotations

import asyncio
import io
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

import aiohttp
import msgspec

from tests.bench import chats
from tests.bench.controlplane import DRIVER, ControlPlane
from tests.cluster.errors import ClusterError

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class _Meta(msgspec.Struct, rename="camel"):
    name: str = ""
    generation: int = 0
    resource_version: str = ""


class _EnvVar(msgspec.Struct):
    name: str
    value: str = ""


class _Container(msgspec.Struct):
    name: str
    env: list[_EnvVar] = []


class _Condition(msgspec.Struct):
    type: str
    status: str


class _Status(msgspec.Struct, rename="camel"):
    root_path: str | None = None
    observed_generation: int = 0
    conditions: list[_Condition] = []


class _PodSpec(msgspec.Struct):
    containers: list[_Container] = []


class _Template(msgspec.Struct):
    spec: _PodSpec = msgspec.field(default_factory=_PodSpec)


class _Spec(msgspec.Struct):
    template: _Template = msgspec.field(default_factory=_Template)


class _Object(msgspec.Struct):
    metadata: _Meta
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)

    @property
    def variable(self) -> str | None:
        """A Deployment's root path."""
        for container in self.spec.template.spec.containers:
            if container.name == chats.CONTAINER:
                return next((env.value for env in container.env if env.name == chats.VARIABLE), None)
        return None

    @property
    def told_path(self) -> str | None:
        """The root path that a ChainlitApp's status says to be aligned, None when it does not say so."""
        is_aligned = any(c.type == "Aligned" and c.status == "True" for c in self.status.conditions)
        is_current = self.status.observed_generation == self.metadata.generation
        return self.status.root_path if is_aligned and is_current else None


class _List(msgspec.Struct):
    metadata: _Meta
    items: list[_Object]


class _Event(msgspec.Struct):
    type: str
    object: _Object


_decode_list = msgspec.json.Decoder(_List).decode
_decode_event = msgspec.json.Decoder(_Event).decode


@dataclass(slots=True)
class _Edit:
    """A change whose effect is awaited: first ``wrong`` is to be seen, if there is one, then what is wanted."""

    sent: float
    wrong: str | None = None


class Driver:
    """A client of the control plane that knows what every app should have. Use it as an async context manager."""

    def __init__(self, plane: ControlPlane, apps: int) -> None:
        self.apps = apps
        self.latencies_ms: list[float] = []
        self._plane = plane
        self._wanted = [chats.first_path(n) for n in range(apps)]
        #: Of each app's Deployment; the API server counts a change of its spec, and nothing else.
        self.generations = [0] * apps
        self._variable: list[str | None] = [None] * apps
        self._told: list[str | None] = [None] * apps
        self._open = set(range(apps))
        self._edits: dict[int, _Edit] = {}
        self._aligned = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Driver:
        context = ssl.create_default_context(cafile=self._plane.certificate)
        self.session = aiohttp.ClientSession(
            self._plane.url,
            connector=aiohttp.TCPConnector(ssl=context, limit=64),
            headers={"Authorization": f"Bearer {DRIVER}-token", "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            read_bufsize=1 << 20,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.session.close()

    # ------------------------------------------------------------------------------------------------- requests

    async def send(
        self, method: str, path: str, body: object = None, kind: str = "application/json", manager: str = "helm"
    ) -> bytes:
        """Send one request and return the answer. Raises ClusterError."""
        encoded = None if body is None else msgspec.json.encode(body)
        query = {} if method == "GET" else {"fieldManager": manager}
        while True:
            # Bytes are quicker, but aiohttp warns of a megabyte of them.
            data = io.BytesIO(encoded) if encoded is not None and len(encoded) > 1 << 20 else encoded
            async with self.session.request(
                method, path, data=data, params=query, headers={"Content-Type": kind}
            ) as response:
                answer = await response.read()
                if response.status < 300:
                    return answer
                # A server that has just started first fills its caches, and says so.
                if response.status != 429:
                    raise ClusterError(f"{method} {path}: {response.status} {answer[:300].decode(errors='replace')}")
            await asyncio.sleep(0.2)

    async def each(self, work: Callable[[int], Awaitable[object]], numbers: Iterable[int], at_a_time: int) -> None:
        """Do something for all these apps, some at a time."""
        due = iter(numbers)

        async def worker() -> None:
            for number in due:
                await work(number)

        await asyncio.gather(*(worker() for _ in range(at_a_time)))

    async def create(self) -> None:
        """Create all objects of all apps."""
        for k in range(min(chats.NAMESPACES, self.apps)):
            await self.send("POST", "/api/v1/namespaces", {"metadata": {"name": chats.namespace(k)}})

        async def one(n: int) -> None:
            await self.send("POST", chats.collection("Deployment", n), chats.deployment(n))
            await self.touch(n, 0)
            await self.send("POST", chats.collection("Service", n), chats.service(n))
            await self.send("POST", chats.collection("Ingress", n), chats.ingress(n))
            await self.send("POST", chats.collection("ChainlitApp", n), chats.chainlit_app(n))

        await self.each(one, range(self.apps), 32)

    async def touch(self, n: int, count: int) -> None:
        """Change a Deployment's status as its controller would, in nothing that matters to anybody."""
        manager = "kube-controller-manager"
        await self.send("PATCH", f"{chats.path('Deployment', n)}/status", chats.rolled_out(count), MERGE, manager)

    async def annotate(self, n: int, value: str) -> None:
        """Change an annotation of a Deployment that matters to nobody."""
        body = {"metadata": {"annotations": {"example.com/seen": value}}}
        await self.send("PATCH", chats.path("Deployment", n), body, MERGE, "kubectl-annotate")

    async def reroute(self, n: int, path: str) -> None:
        """Move an app's Ingress to another path; the time to the variable is measured from here."""
        self._edits[n] = _Edit(time.perf_counter())
        self._wanted[n] = path
        self._open.add(n)
        self._aligned.clear()
        operation = {"op": "replace", "path": "/spec/rules/0/http/paths/0/path", "value": path}
        await self.send("PATCH", chats.path("Ingress", n), [operation], JSON_PATCH)

    async def misalign(self, n: int, value: str) -> None:
        """Set an app's variable by hand to something wrong."""
        self._edits[n] = _Edit(time.perf_counter(), value)
        self._aligned.clear()
        container = {"name": chats.CONTAINER, "env": [{"name": chats.VARIABLE, "value": value}]}
        body = {"spec": {"template": {"spec": {"containers": [container]}}}}
        await self.send("PATCH", chats.path("Deployment", n), body, STRATEGIC, "kubectl-edit")

    # ---------------------------------------------------------------------------------------------- observation

    async def observe(self) -> None:
        """Begin to watch what the operator does."""
        for kind, take in (("Deployment", self._take_deployment), ("ChainlitApp", self._take_app)):
            version = await self._list(kind, take)
            self._tasks.append(asyncio.create_task(self._watch(kind, version, take)))

    async def _list(self, kind: str, take: Callable[[_Object], None]) -> str:
        listed = _decode_list(await self.send("GET", chats.collection(kind)))
        for item in listed.items:
            take(item)
        return listed.metadata.resource_version

    async def _watch(self, kind: str, version: str, take: Callable[[_Object], None]) -> None:
        while True:
            with suppress(aiohttp.ClientError, msgspec.DecodeError, OSError):
                query = {"watch": "1", "resourceVersion": version}
                async with self.session.get(chats.collection(kind), params=query) as response:
                    rest = b""
                    async for chunk in response.content.iter_any():
                        *lines, rest = (rest + chunk).split(b"\n")
                        for line in lines:
                            take(_decode_event(line).object)
            version = await self._list_again(kind, take)

    async def _list_again(self, kind: str, take: Callable[[_Object], None]) -> str:
        """List however often it takes: the API server may be away for a while."""
        while True:
            with suppress(aiohttp.ClientError, ClusterError, msgspec.DecodeError, OSError):
                return await self._list(kind, take)
            await asyncio.sleep(0.2)

    def _take_deployment(self, seen: _Object) -> None:
        if not chats.is_app(seen.metadata.name):
            return
        n = chats.number(seen.metadata.name)
        self.generations[n] = seen.metadata.generation
        variable = self._variable[n] = seen.variable
        edit = self._edits.get(n)
        if edit is not None and edit.wrong is not None:
            edit.wrong = None if variable == edit.wrong else edit.wrong
        elif edit is not None and variable == self._wanted[n]:
            self.latencies_ms.append((time.perf_counter() - edit.sent) * 1e3)
            del self._edits[n]
        self._judge(n)

    def _take_app(self, seen: _Object) -> None:
        if not chats.is_app(seen.metadata.name):
            return
        n = chats.number(seen.metadata.name)
        self._told[n] = seen.told_path
        self._judge(n)

    def _judge(self, n: int) -> None:
        (self._open.discard if self._variable[n] == self._told[n] == self._wanted[n] else self._open.add)(n)
        (self._aligned.clear if self._open or self._edits else self._aligned.set)()

    async def aligned(self, limit_seconds: float) -> None:
        """Wait until every variable is right, every status says so, and no edit waits. Raises ClusterError."""
        try:
            await asyncio.wait_for(self._aligned.wait(), limit_seconds)
        except TimeoutError:
            some = "; ".join(
                f"{chats.name(n)} has {self._variable[n]!r}, tells {self._told[n]!r}, wants {self._wanted[n]!r}"
                for n in sorted(self._open | set(self._edits))[:3]
            )
            words = f"{len(self._open)} of {self.apps} apps are not aligned after {limit_seconds:.0f} s: {some}"
            raise ClusterError(words) from None

    async def verify(self) -> None:
        """Look at all objects anew, and raise ClusterError unless every app is aligned and its status says so."""
        await self._list("Deployment", self._take_deployment)
        await self._list("ChainlitApp", self._take_app)
        await self.aligned(0.1)

    def forget_edits(self) -> list[float]:
        """Return the latencies measured since the last call, in milliseconds."""
        found, self.latencies_ms = self.latencies_ms, []
        return found
