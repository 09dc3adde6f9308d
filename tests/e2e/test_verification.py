"""WebSocketReachable tells what was seen, not what ought to be."""

from __future__ import annotations

from tests.e2e.cluster import Space
from tests.e2e.demo import container, workload
from tests.objects import chainlit_app, ingress, service


def test_broken_service_is_seen(space: Space) -> None:
    space.create(
        workload(container(space.cluster.demo_image)),
        service(),
        ingress(space.host, "/chat"),
        chainlit_app(verification={"mode": "Backend", "intervalSeconds": 10}),
    )
    space.await_ready()

    set_target_port(space, 9)

    found = space.await_condition("WebSocketReachable", "False", "ConnectionRefused", timeout=60.0)
    assert "/chat/ws/socket.io/" in found.message
    assert "Service" in found.message
    assert space.condition("Aligned").status == "True"
    assert space.condition("Ready").reason == "ConnectionRefused"

    set_target_port(space, "http")

    space.await_condition("WebSocketReachable", "True", "Verified", timeout=60.0)
    space.await_condition("Ready", "True", "Ready")
    space.await_answer("/chat")


def set_target_port(space: Space, port: int | str) -> None:
    space.patch("Service", {"spec": {"ports": [{"name": "http", "port": 80, "targetPort": port}]}})
