"""Mode Auto, the default: what proves a fault at the public URL is one, and nothing else takes Ready away."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.cluster import Condition, Space
from tests.e2e.demo import PATIENT, container, probe, workload
from tests.objects import Object, chainlit_app, ingress, middleware, middleware_reference, resource, service

pytestmark = pytest.mark.slow

#: A user and a password, as ``htpasswd -s`` writes them.
USERS = {"users": "somebody:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="}


def put(space: Space, path: str, *, annotations: dict[str, str] | None = None, env: Object | None = None) -> None:
    """Create an app that is right for a path from the start."""
    probes: Object = dict.fromkeys(("readinessProbe", "livenessProbe"), probe(f"{path}/health", PATIENT))
    found = container(space.cluster.demo_image, root_path=path, **probes)
    found["env"] += [{"name": name, "value": value} for name, value in (env or {}).items()]
    fields: dict[str, Any] = {} if annotations is None else {"annotations": annotations}
    space.create(
        workload(found),
        service(),
        ingress(space.host, path, **fields),
        chainlit_app(verification={"intervalSeconds": 10}),
    )


def await_reachable(space: Space, reason: str) -> Condition:
    found = space.await_condition("WebSocketReachable", "True", reason)
    space.await_ready()
    return found


def test_an_app_is_verified_at_its_url(space: Space) -> None:
    path = space.serve_at_node()
    put(space, path)
    found = await_reachable(space, "Verified")
    assert f"http://{space.host}{path}/" in found.message and "as browsers do" in found.message
    assert space.get("ChainlitApp")["status"]["verifiedURL"] == f"http://{space.host}{path}/"


def test_a_login_at_the_edge_leaves_the_app_ready(space: Space) -> None:
    path = space.serve_at_node()
    space.create(
        resource("Secret", "users", stringData=USERS),
        middleware("login", {"basicAuth": {"secret": "users"}}),
    )
    put(space, path, annotations=middleware_reference("login", namespace=space.name))
    found = await_reachable(space, "EdgeNotJudged")
    assert "HandshakeRefused" in found.message and "status 401" in found.message
    assert "verifiedURL" not in space.get("ChainlitApp")["status"]


def test_a_name_that_does_not_resolve_leaves_the_app_ready(space: Space) -> None:
    put(space, "/chat")
    found = await_reachable(space, "EdgeNotJudged")
    assert "DNSLookupFailed" in found.message


def test_a_missing_database_driver_is_seen(space: Space) -> None:
    put(space, "/chat", env={"DATABASE_URL": "postgresql://nowhere.invalid/chat"})
    found = space.await_condition("WebSocketReachable", "False", "ProjectSettingsFailed")
    assert "/chat/project/settings returns status 500" in found.message
    assert space.condition("Ready").reason == "ProjectSettingsFailed"
