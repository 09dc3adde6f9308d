"""The cost of many routes at one place, measured on the operator's store alone: without API server and network.

    python -m tests.bench.shared_place

Two loads: apps that share one host and path, and routes without a host that lead to no app. All times are processor
time, which other work on the machine changes little.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from chainlit_operator.domain.decide import decide
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State
from tests import objects
from tests.objects import Object
from tests.records import app_record, record

APPS, ROUTES = 2000, 10_000
#: More apps than this that a change wakes are not all decided: the cost of the others follows from the cost of these.
SAMPLE = 50

Figures = dict[str, float]


class Store:
    """The operator's store and its decision, by the calls that this module needs: what is renamed is renamed here."""

    def __init__(self) -> None:
        self.woken: set[Ref] = set()
        self._store: Any = State(self.woken.add)

    async def replace(self, kind: str, records: Iterable[Any]) -> None:
        """Take the records as all that there are of a kind, as a reflector does after a list."""
        done = self._store.replace(kind, None, records)
        if inspect.isawaitable(done):
            await done

    async def put_apps(self, apps: Iterable[Any]) -> None:
        """Take ChainlitApps after all other kinds."""
        for app in apps:
            self._store.put_app(app)
            await asyncio.sleep(0)
        self._store.complete()

    def upsert(self, record: Any) -> list[Ref]:
        """Take a record that changed; returns the apps that the change wakes."""
        self.woken.clear()
        self._store.upsert(record)
        return [ref for ref in self.woken if ref.kind == "ChainlitApp"]

    def decide(self, ref: Ref) -> None:
        """Do for an app that was woken all that comes before a write."""
        decide(self._store.snapshot(self._store.apps[ref]))


def read(made: Object) -> Any:
    """Return the record of an object, from the bytes that the API server sends."""
    return app_record(made) if made["kind"] == "ChainlitApp" else record(made)


def ingress(number: int, path: str = "/chat", version: int = 1) -> Object:
    """Return the Ingress of an app, in the namespace of its number, for any host."""
    return objects.stored(objects.ingress(path=path), f"ns-{number}", resourceVersion=str(version))


def chat(number: int) -> list[Object]:
    """Return the other objects of an app; a higher number is a younger one."""
    created = f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z"
    made = (objects.workload(objects.container()), objects.service(), objects.chainlit_app())
    return [objects.stored(one, f"ns-{number}", creationTimestamp=created) for one in made]


async def one_edit(apps: int = APPS) -> Figures:
    """Measure an edit of one app's route, where all apps have the same host and path: away from it, and back."""
    store = Store()
    made = [found for number in range(apps) for found in chat(number)]
    for kind in ("Deployment", "Service"):
        await store.replace(kind, [read(found) for found in made if found["kind"] == kind])
    await store.replace("Ingress", [read(ingress(number)) for number in range(apps)])
    await store.put_apps(read(found) for found in made if found["kind"] == "ChainlitApp")
    middle = apps // 2
    edits = [read(ingress(middle, "/elsewhere", 8)), read(ingress(middle, "/chat", 9))]
    costs = [cost_of_edit(store, edit) for edit in edits]
    return {
        "apps": apps,
        "edit_ms": round(max(seconds for seconds, _ in costs) * 1e3, 2),
        "woken": max(woken for _, woken in costs),
    }


def cost_of_edit(store: Store, edit: Any, clock: Callable[[], float] = time.process_time) -> tuple[float, int]:
    """Return the seconds to file an edit and to decide all apps that it wakes, and how many these are."""
    began = clock()
    woken = store.upsert(edit)
    filed = clock()
    some = woken[:SAMPLE]
    for ref in some:
        store.decide(ref)
    each = (clock() - filed) / len(some) if some else 0.0
    return filed - began + each * len(woken), len(woken)


async def filing(routes: int = ROUTES) -> Figures:
    """Measure a list of routes without a host at one path, none of them of an app."""
    store = Store()
    records = [read(ingress(number)) for number in range(routes)]
    seconds, longest = await turns(store.replace("Ingress", records))
    return {"routes": routes, "filed_seconds": round(seconds, 2), "blocked_ms": round(longest * 1e3, 1)}


async def turns(work: Awaitable[object], clock: Callable[[], float] = time.process_time) -> tuple[float, float]:
    """Do some work; return its seconds, and the most seconds for which the event loop did nothing else."""
    began = last = clock()
    longest = 0.0

    async def beat() -> None:
        nonlocal last, longest
        while True:
            await asyncio.sleep(0)
            now = clock()
            last, longest = now, max(longest, now - last)

    beating = asyncio.create_task(beat())
    try:
        await asyncio.sleep(0)
        await work
        ended = clock()
        await asyncio.sleep(0)
    finally:
        beating.cancel()
    return ended - began, max(longest, ended - last)


async def measure(apps: int = APPS, routes: int = ROUTES) -> Figures:
    """Measure both loads."""
    return {**await one_edit(apps), **await filing(routes)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure())))
