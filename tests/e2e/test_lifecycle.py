"""A release of the app's chart from installation to end, as people live with it: nobody is cut off by this version."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster import tools
from tests.e2e.availability import watched
from tests.e2e.cluster import OPERATOR, START, Space, image_values, managers, set_json
from tests.e2e.demo import QUICK_PROBES
from tests.objects import Object
from tests.waiting import eventually

CURRENT = "charts/chainlit"
PREVIOUS = "tests/charts/previous/chainlit-0.1.0.tgz"
MADE = ("Deployment", "Service", "Ingress", "ServiceAccount", "ChainlitApp")

Program = Callable[[], str]


def helm_4() -> str:
    return "helm"


def helm_3() -> str:
    return str(tools.helm3())


def upgrade(space: Space, program: Program, chart: str, *, operator: bool) -> None:
    """Install or upgrade the release, and wait until all of its pods are of the latest template."""
    values = {
        "image": image_values(space.cluster.demo_image),
        "route": {"path": "/chat", "host": space.host, "className": "traefik"},
        "operator": {"enabled": operator},
        "probes": QUICK_PROBES,
    }
    space.helm("upgrade", "--install", "chat", chart, *set_json(values), program=program())


def chart_of(space: Space) -> str:
    (deployment,) = space.objects("Deployment")
    return str(deployment["metadata"]["labels"]["helm.sh/chart"])


def await_rollout(space: Space, *, operator: bool) -> Object:
    """Wait until the only pods are ready ones of the latest template, which the operator has seen where it is used."""

    def settled() -> Object:
        (deployment,) = space.objects("Deployment")
        status = deployment.get("status", {})
        assert (OPERATOR in managers(deployment)) is operator
        assert status.get("observedGeneration") == deployment["metadata"]["generation"]
        assert status.get("replicas") == status.get("updatedReplicas") == status.get("availableReplicas") == 1
        if operator:
            space.await_ready("chat-chainlit")
        return deployment

    return eventually(settled, timeout=3 * START)


@pytest.mark.parametrize(
    ("program", "operator"),
    [
        pytest.param(helm_4, True, id="helm-4-with-operator"),
        pytest.param(helm_4, False, id="helm-4-without-operator", marks=pytest.mark.slow),
        pytest.param(helm_3, True, id="helm-3-with-operator", marks=pytest.mark.slow),
        pytest.param(helm_3, False, id="helm-3-without-operator", marks=pytest.mark.slow),
    ],
)
def test_from_the_previous_version_to_this_one_and_back(
    space: Space, program: Program, figure: Callable[[str], None], *, operator: bool
) -> None:
    upgrade(space, program, PREVIOUS, operator=operator)
    before = chart_of(space)
    await_rollout(space, operator=operator)
    space.await_answer("/chat")

    # Pods of the previous version end before Traefik knows: what that costs is theirs, and only told.
    with watched(f"{space.cluster.edge}/chat", space.host) as record:
        upgrade(space, program, CURRENT, operator=operator)
        assert chart_of(space) != before
        await_rollout(space, operator=operator)
        space.await_answer("/chat")
    figure(f"upgrade: {record}")
    assert record.sessions

    with watched(f"{space.cluster.edge}/chat", space.host) as record:
        space.helm("rollback", "chat", "1", program=program())
        assert chart_of(space) == before
        await_rollout(space, operator=operator)
        space.await_answer("/chat")
    figure(f"rollback: {record}")
    assert record.sessions
    assert not record.unavailable()

    space.helm("uninstall", "chat", program=program())
    assert eventually(lambda: [kind for kind in MADE if _left(space, kind)], lambda kinds: not kinds) == []


def _left(space: Space, kind: str) -> list[Object]:
    return [item for item in space.objects(kind) if item["metadata"]["name"] != "default"]


@pytest.mark.parametrize(
    "program",
    [pytest.param(helm_4, id="helm-4"), pytest.param(helm_3, id="helm-3", marks=pytest.mark.slow)],
)
def test_the_operator_is_switched_on_and_off_on_a_live_release(
    space: Space, program: Program, figure: Callable[[str], None]
) -> None:
    upgrade(space, program, CURRENT, operator=False)
    await_rollout(space, operator=False)
    space.await_answer("/chat")

    with watched(f"{space.cluster.edge}/chat", space.host) as record:
        upgrade(space, program, CURRENT, operator=True)
        served = await_rollout(space, operator=True)
        space.await_answer("/chat")

        upgrade(space, program, CURRENT, operator=False)
        after = await_rollout(space, operator=False)
        space.await_answer("/chat")
    figure(f"operator on and off: {record}")
    assert record.sessions
    assert not record.unavailable()
    assert after["metadata"]["generation"] == served["metadata"]["generation"], "switching it off moves no pod"
