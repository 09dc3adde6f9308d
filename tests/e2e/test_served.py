"""Routes that were made up, on the cluster: what the plan says of each from the bytes alone is what comes true.

A sample of the scenes that the unit tests judge by a model (``tests/unit/test_served.py``), with a fixed seed. One
workload serves them all, one after another: an answer is proved by a chat at the address reported, a reason by the
condition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from chainlit_operator.domain.resolution import Resolved
from tests.e2e.cluster import START, Space
from tests.e2e.demo import container, workload
from tests.model.drawing import NAMESPACE
from tests.model.scenes import REAL, Scene, scenes
from tests.objects import chainlit_app, service
from tests.unit.test_served import decided
from tests.waiting import eventually

SEED, SIZE, IN_GATE = 4, 20, 3


@dataclass(frozen=True)
class Act:
    """A scene with what the plan says of it: variables, or a reason."""

    scene: Scene
    roots: tuple[str, str] | None
    reason: str

    def __str__(self) -> str:
        return self.reason or f"{self.roots}"


def sample() -> list[Act]:
    """Half of them with an answer, the others with as many different reasons as there are."""
    made: list[Act] = []

    @seed(SEED)
    @settings(
        max_examples=400, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(scenes(REAL))
    def collect(scene: Scene) -> None:
        found = decided(scene).route
        if isinstance(found, Resolved):
            made.append(Act(scene, (found.root_paths.root_path, found.root_paths.parent_root_path), ""))
        else:
            made.append(Act(scene, None, str(found.reason)))

    collect()
    unlike = {act.scene.text: act for act in made}.values()
    answered = [act for act in unlike if act.roots is not None]
    blocked = list({act.reason: act for act in reversed([*unlike]) if act.reason}.values())
    return [*_spread(answered, SIZE - len(blocked[: SIZE // 2])), *blocked[: SIZE // 2]]


def _spread(acts: list[Act], count: int) -> list[Act]:
    """The most different ones first: one of each answer and kind of route, then another of each."""
    order: dict[tuple[Any, ...], int] = {}
    ranked = []
    for act in acts:
        key = (act.roots, act.scene.routes[0]["kind"])
        order[key] = order.get(key, 0) + 1
        ranked.append((order[key], act))
    return [act for _, act in sorted(ranked, key=lambda pair: pair[0])][:count]


def played(space: Space, act: Act) -> None:
    """Put the scene's routes and Middlewares into the namespace, see what comes of it, and take them away again."""
    scene = act.scene.played(space.name, space.host)
    manifests = [bare(found) for found in scene.cast]
    space.create(*manifests)
    try:
        if act.roots is None:
            space.await_condition("RouteResolved", "False", act.reason)
        else:
            # Values that a former route left, and that some releases want behind a strip, are looked at before they go.
            status = eventually(
                lambda: settled(space), lambda s: (s["rootPath"], s["parentRootPath"]) == act.roots, timeout=START
            )
            host, _, path = status["url"].removeprefix("http://").partition("/")
            assert host == space.host
            space.await_answer(f"/{path}".rstrip("/"))
    finally:
        for found in manifests:
            space.kube.delete(found["kind"], space.name, found["metadata"]["name"])
    space.await_condition("RouteResolved", "False", "RouteNotFound")


def settled(space: Space) -> dict[str, Any]:
    """The status of an app that is aligned; fails while it is not."""
    assert space.condition("Aligned").status == "True"
    found: dict[str, Any] = space.get("ChainlitApp")["status"]
    return found


def bare(found: dict[str, Any]) -> dict[str, Any]:
    """The object without what the API server fills in."""
    metadata = {key: value for key, value in found["metadata"].items() if key in ("name", "annotations")}
    return {key: value for key, value in found.items() if key != "status"} | {"metadata": metadata}


def stage(space: Space) -> None:
    """What all scenes share: the app's workload and Services, and another app."""
    space.create(
        workload(container(space.cluster.demo_image)),
        workload(container(space.cluster.demo_image), name="other", replicas=0),
        service(),
        service("chat-2", app="chat"),
        service("other"),
        chainlit_app(),
    )


def play(space: Space, acts: list[Act]) -> None:
    stage(space)
    space.await_condition("RouteResolved", "False", "RouteNotFound")
    for act in acts:
        try:
            played(space, act)
        except AssertionError as error:
            raise AssertionError(f"{act}: {act.scene.text.replace(NAMESPACE, space.name)}: {error}") from error


def test_some_routes_that_were_made_up(space: Space) -> None:
    acts = sample()
    play(space, [*acts[1:IN_GATE], acts[-1]])


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_routes_that_were_made_up(space: Space) -> None:
    play(space, sample())
