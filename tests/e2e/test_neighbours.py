"""Apps of several namespaces on one host."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.cluster import OPERATOR, Space, managers
from tests.e2e.demo import container, workload
from tests.objects import chainlit_app, ingress, service


@pytest.fixture
def other(space: Space) -> Iterator[Space]:
    """A second namespace, whose name comes after the first's, on the same host."""
    made = Space(space.cluster, f"{space.name}-b")
    made.host = space.host
    made.open()
    yield made
    made.close()


def settle(space: Space, path: str, name: str = "chat") -> None:
    objects = [workload(container("app"), name=name, replicas=0), service(name), ingress(space.host, path, name)]
    space.create(*objects, chainlit_app(name, workload=name))


def test_same_path_is_the_oldest_apps(space: Space, other: Space) -> None:
    settle(space, "/chat")
    space.await_condition("Aligned", "True", "Aligned")
    settle(other, "/chat")

    found = other.await_condition("RouteResolved", "False", "PathClaimed")
    assert f"ChainlitApp {space.name}/chat is older" in found.message
    assert "Change path or host of Ingress chat" in found.message
    assert OPERATOR not in managers(other.get("Deployment"))
    assert space.condition("Aligned").status == "True"

    space.kubectl("delete", "chainlitapp", "chat")
    other.await_condition("Aligned", "True", "Aligned")


def test_path_below_is_an_app_of_its_own_unless_chainlit_needs_it(space: Space, other: Space) -> None:
    settle(space, "/chat")
    settle(other, "/chat/bot")
    settle(other, "/", "top")
    for place, name in ((space, "chat"), (other, "chat"), (other, "top")):
        place.await_condition("Aligned", "True", "Aligned", name)
    assert other.variable() == "/chat/bot"

    other.move("/chat/ws")
    found = space.await_condition("RouteResolved", "False", "PathShadowed")
    assert f"ChainlitApp {other.name}/chat" in found.message

    other.move("/chat/bot")
    space.await_condition("Aligned", "True", "Aligned")


@pytest.mark.slow
def test_apps_below_each_other_answer(space: Space, other: Space) -> None:
    paths = {"chat": "/chat", "bot": "/chat/bot", "top": "/"}
    for name, path in paths.items():
        place = other if name == "bot" else space
        app = workload(container(space.cluster.demo_image), name=name)
        place.create(app, service(name), ingress(space.host, path, name), chainlit_app(name, workload=name))
    for path in paths.values():
        space.await_answer(path.rstrip("/"))
    for name in paths:
        (other if name == "bot" else space).await_ready(name)
