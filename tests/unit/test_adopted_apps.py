"""Any app that works behind any route that Hypothesis makes: its adoption writes nothing.

Whether an app works says a model of ingress controllers and of Chainlit that shares no code with the operator
(``tests/model``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hypothesis import HealthCheck, given, settings
from tests.model import judge
from tests.model.chainlit import Chainlit
from tests.model.scenes import Scene, scenes
from tests.objects import Object, variables
from tests.unit.test_served import own_routes, snapshot_of

from chainlit_operator.domain.alignment import Apply
from chainlit_operator.domain.decide import decide


def working(objects: list[Object], route: Object) -> Iterator[Chainlit]:
    """The apps that work behind a route: at each of its paths and below it, for each split into the two variables."""
    for prefix in sorted(judge.prefixes(route, objects)):
        for chainlit in (*judge.splits(prefix), *judge.splits(f"{prefix}/v2")):
            path = chainlit.page_prefix
            urls = [*judge.addresses(route, objects, path)] or [f"http://some.example{path}/"]
            if any(not judge.trouble(judge.Answer(url, chainlit), route, objects) for url in urls):
                yield chainlit


def adopt(objects: list[Object], chainlit: Chainlit) -> str:
    """Let a new ChainlitApp adopt the app; fails if the operator would write."""
    deployment = next(found for found in objects if found["kind"] == "Deployment")
    values = {"CHAINLIT_ROOT_PATH": chainlit.root_path, "CHAINLIT_PARENT_ROOT_PATH": chainlit.parent_root_path}
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    container["env"] = variables({name: value for name, value in values.items() if value})
    decision = decide(snapshot_of(objects))
    assert not isinstance(decision.action, Apply), f"{chainlit}: {decision.action.summary}"
    return "kept" if decision.kept is not None else type(decision.action).__name__


def test_an_app_that_works_is_not_written_to() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=300, derandomize=True, deadline=None, database=None, suppress_health_check=[*HealthCheck])
    @given(scenes())
    def every(scene: Scene) -> None:
        for route in own_routes(scene):
            for chainlit in working(scene.objects, route):
                seen[adopt(scene.objects, chainlit)] += 1

    every()
    assert seen["kept"] >= 50 and seen["NoOp"] >= 50, seen
