"""Stated URLs: the status shows them, and the app has the place that they state."""

from __future__ import annotations

import pytest

from tests.e2e.cluster import Space
from tests.e2e.demo import container, workload
from tests.objects import Object, chainlit_app, ingress, middleware, middleware_reference, service

pytestmark = pytest.mark.slow

STRIP = middleware("strip", {"stripPrefix": {"prefixes": ["/chat"]}})


def stated(**route: str) -> Object:
    return chainlit_app(route=route, verification={"mode": "Backend", "intervalSeconds": 10})


def values(space: Space) -> tuple[str, str, str]:
    status = space.get("ChainlitApp")["status"]
    return status["rootPath"], status["parentRootPath"], status["url"]


def test_beside_an_ingress_of_another_host(space: Space) -> None:
    """A proxy outside passes https://portal.example:8443/chat on to the Ingress."""
    space.create(
        stated(url="https://portal.example:8443/chat"),
        service(),
        ingress(space.host, "/chat"),
        workload(container(space.cluster.demo_image)),
    )
    space.await_answer("/chat")
    space.await_ready()
    assert values(space) == ("/chat", "", "https://portal.example:8443/chat/")
    assert space.chat("/chat") == "echo: hello"


def test_a_proxy_that_strips_between_ingress_and_app(space: Space) -> None:
    """What arrives is stated, whatever the operator reads of the route."""
    space.create(
        STRIP,
        stated(url=f"http://{space.host}/chat", backendPath="/"),
        service(),
        ingress(space.host, "/chat", annotations=middleware_reference("strip", namespace=space.name)),
        workload(container(space.cluster.demo_image)),
    )
    space.await_answer("/chat")
    space.await_ready()
    assert values(space) == ("", "/chat", f"http://{space.host}/chat/")
    assert space.chat("/chat") == "echo: hello"


def test_without_any_route(space: Space) -> None:
    """As behind a Service of type LoadBalancer: the operator finds the Service by the labels of the pods."""
    space.create(stated(url="http://node.example:30080"), service(), workload(container(space.cluster.demo_image)))
    space.await_ready()
    assert values(space) == ("", "", "http://node.example:30080/")
    assert space.condition("RouteResolved").message == "spec.route.url states http://node.example:30080/."
