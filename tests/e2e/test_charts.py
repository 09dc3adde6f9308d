"""The chart of an app, with the operator and without it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.cluster import tools
from tests.e2e.chat import ChatError
from tests.e2e.cluster import OPERATOR, CommandError, Space, image_values, managers, set_json, variable
from tests.e2e.demo import QUICK_PROBES
from tests.objects import Object
from tests.waiting import eventually


def install_or_upgrade(space: Space, path: str, *, operator: bool) -> None:
    values = {
        "image": image_values(space.cluster.demo_image),
        "route": {"path": path, "host": space.host, "className": "traefik"},
        "operator": {"enabled": operator},
        "probes": QUICK_PROBES,
    }
    space.helm("upgrade", "--install", "chat", "charts/chainlit", *set_json(values))


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


HELMS = [
    pytest.param(lambda: "helm", id="helm-4"),
    pytest.param(lambda: str(tools.helm3()), id="helm-3", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("program", HELMS)
def test_release_is_upgraded_after_the_operator_wrote(space: Space, program: Callable[[], str]) -> None:
    """Without pods: what an upgrade changes of the Deployment is what counts."""
    helm = program()

    def upgrade(*values: str) -> Object:
        sets = (
            "image.repository=app",
            "route.host=" + space.host,
            "route.className=traefik",
            "replicaCount=0",
            *values,
        )
        space.helm("upgrade", "--install", "chat", "charts/chainlit", *(f"--set={v}" for v in sets), program=helm)
        (deployment,) = space.objects("Deployment")
        return deployment

    def container_of(deployment: Object) -> Object:
        (found,) = deployment["spec"]["template"]["spec"]["containers"]
        return dict(found)

    served = ("operator.enabled=true", "route.path=/chat")
    name = upgrade(*served)["metadata"]["name"]
    space.await_variable("/chat", name)

    deployment = upgrade(*served, "image.tag=v2", "resources.limits.memory=2Gi")
    assert variable(deployment) == "/chat"
    assert container_of(deployment)["image"] == "app:v2"
    assert container_of(deployment)["livenessProbe"]["httpGet"]["path"] == "/chat/health"
    assert upgrade(*served, "replicaCount=1", "nodeSelector.none=such")["spec"]["replicas"] == 1
    assert len(space.workload_writes()) == 1, "the upgrades took nothing away"

    upgrade("operator.enabled=true", "route.path=/moved")
    space.await_variable("/moved", name)

    # A probe is turned off: at once, or as the chart's README says.
    off = ("operator.enabled=true", "route.path=/moved", "probes.liveness.enabled=false")
    if helm == "helm":
        with pytest.raises(CommandError, match="livenessProbe"):
            upgrade(*off)
        removal = [{"op": "remove", "path": "/spec/template/spec/containers/0/livenessProbe"}]
        space.kubectl("patch", "deployment", name, "--type=json", "--patch", json.dumps(removal))
    deployment = upgrade(*off)
    assert "livenessProbe" not in container_of(deployment)

    # The operator is switched off: nothing changes, it gives its fields back, and the path is the chart's again.
    before = space.get("Deployment", name)
    upgrade("route.path=/moved", "probes.liveness.enabled=false")
    after = eventually(lambda: space.get("Deployment", name), lambda found: OPERATOR not in managers(found))
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert variable(upgrade("route.path=/last")) == "/last"
    assert not space.objects("ChainlitApp")
