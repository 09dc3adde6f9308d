"""The chart of an app, with the operator and without it."""

from __future__ import annotations

import json

import pytest

from tests.e2e.chat import ChatError
from tests.e2e.cluster import OPERATOR, Space, managers


def install_or_upgrade(space: Space, path: str, *, operator: bool) -> None:
    repository, _, tag = space.cluster.demo_image.rpartition(":")
    values = {
        "image": {"repository": repository, "tag": tag},
        "route": {"path": path, "host": space.host, "className": "traefik"},
        "operator": {"enabled": operator},
        "probes": {"readiness": {"periodSeconds": 1}, "startup": {"periodSeconds": 1}},
    }
    sets = [f"{key}={json.dumps(value)}" for key, value in values.items()]
    space.helm("upgrade", "--install", "chat", "charts/chainlit", *(f"--set-json={one}" for one in sets))


@pytest.mark.parametrize("with_operator", [True, False], ids=["with-operator", "without-operator"])
def test_release_follows_its_path(space: Space, *, with_operator: bool) -> None:
    install_or_upgrade(space, "/chat" if with_operator else "chat/", operator=with_operator)
    space.await_answer("/chat")

    install_or_upgrade(space, "/other", operator=with_operator)
    space.await_answer("/other")
    with pytest.raises(ChatError, match="404"):
        space.chat("/chat")

    (deployment,) = space.objects("Deployment")
    assert (OPERATOR in managers(deployment)) is with_operator
    if with_operator:
        (app,) = space.objects("ChainlitApp")
        space.await_ready(app["metadata"]["name"])
    else:
        assert not space.objects("ChainlitApp")
