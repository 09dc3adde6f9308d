"""The app under judgement: two pods behind Traefik, a client that chats each second, and an eye on Ready."""

from __future__ import annotations

import asyncio
import threading
import time
from bisect import insort
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.chat import ChatError, converse
from tests.e2e.cluster import Cluster, Operator, Space
from tests.e2e.demo import container, workload
from tests.e2e.kube import KubeError
from tests.judge.verdict import Change
from tests.objects import chainlit_app, ingress, service

#: The interval of verifications, in seconds.
INTERVAL = 10
#: A conversation that takes longer has failed, in seconds.
PATIENCE = 5.0
STICKY = {
    "traefik.ingress.kubernetes.io/service.sticky.cookie": "true",
    "traefik.ingress.kubernetes.io/service.sticky.cookie.name": "replica",
}


class Court:
    """The app in a namespace, and all that was observed, in seconds since the start."""

    def __init__(self, cluster: Cluster, space: Space) -> None:
        self.cluster, self.space, self.operator = cluster, space, Operator(cluster)
        self.path = "/chat"
        self.chats: list[Change] = []
        self.ready: list[Change] = []
        self.reasons: list[Change] = []
        self._start = time.monotonic()

    def now(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._start

    def open(self) -> None:
        """Create the app, and a Service of another team; wait until the app is Ready."""
        self.space.serve_at_node()
        self.space.create(
            workload(container(self.cluster.demo_image), replicas=2),
            workload(container(self.cluster.demo_image), name="other"),
            service(metadata={"annotations": STICKY}),
            service("other"),
            ingress(self.space.host, self.path),
            chainlit_app(verification={"mode": "Auto", "intervalSeconds": INTERVAL}),
        )
        self.space.await_ready()
        self.space.await_answer(self.path)

    @contextmanager
    def observed(self) -> Iterator[None]:
        """Observe chat and Ready until the block ends."""
        stop = threading.Event()
        self._start = time.monotonic()
        watchers = [threading.Thread(target=each, args=(stop,), daemon=True) for each in (self._chat, self._watch)]
        for watcher in watchers:
            watcher.start()
        try:
            yield
        finally:
            stop.set()
            for watcher in watchers:
                watcher.join()

    def _chat(self, stop: threading.Event) -> None:
        asyncio.run(self._converse_each_second(stop))

    async def _converse_each_second(self, stop: threading.Event) -> None:
        """Begin a conversation each second, also while others wait: each tells how the app is at its beginning."""
        async with asyncio.TaskGroup() as conversations:
            while not stop.is_set():
                begun = self.now()
                conversations.create_task(self._converse(begun))
                await asyncio.sleep(max(0.0, begun + 1.0 - self.now()))

    async def _converse(self, begun: float) -> None:
        try:
            await converse(self.cluster.edge + self.path, "hello", host=self.space.host, timeout=PATIENCE)
            value = "alive"
        except ChatError:
            value = "dead"
        insort(self.chats, Change(begun, value))

    def _watch(self, stop: threading.Event) -> None:
        """Read Ready ten times a second."""
        while not stop.wait(0.1):
            try:
                conditions = self.space.get("ChainlitApp").get("status", {}).get("conditions", [])
            except (KubeError, OSError):
                continue
            ready = next((c for c in conditions if c["type"] == "Ready"), {"status": "Unknown", "reason": ""})
            self._note(self.ready, ready["status"])
            self._note(self.reasons, ready["reason"])

    def _note(self, changes: list[Change], value: str) -> None:
        if not changes or changes[-1].value != value:
            changes.append(Change(self.now(), value))

    def is_well(self) -> bool:
        """Whether the last conversations succeeded, and the app is Ready."""
        return [chat.value for chat in self.chats[-3:]] == ["alive"] * 3 and self.ready[-1].value == "True"
