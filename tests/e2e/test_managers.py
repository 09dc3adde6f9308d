"""Others who set the variable too: how they lose it, how they get it back, and what they are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster import tools
from tests.e2e.cluster import OPERATOR, CommandError, Operator, Space, managers, variable
from tests.e2e.demo import ROOT_PATH, container, workload
from tests.e2e.kube import KubeError
from tests.objects import Object, chainlit_app, ingress, resource, service
from tests.waiting import eventually

Deploy = Callable[[Space, Object], None]
MOST_WRITES = 3


def helm_4(space: Space, manifest: Object) -> None:
    space.helm("upgrade", "--install", "chat", chart_of(manifest))


def helm_3(space: Space, manifest: Object) -> None:
    space.helm("upgrade", "--install", "chat", chart_of(manifest), program=str(tools.helm3()))


def kubectl_apply(space: Space, manifest: Object) -> None:
    space.kubectl("apply", "--filename", "-", stdin=json.dumps(manifest))


def kubectl_apply_server_side(space: Space, manifest: Object) -> None:
    space.kubectl("apply", "--server-side", "--filename", "-", stdin=json.dumps(manifest))


#: Who deploys, the field manager's name, and whether the API server tells it of a conflict.
DEPLOYERS = [
    pytest.param(helm_4, "helm", True, id="helm-4"),
    pytest.param(helm_3, "helm", False, id="helm-3", marks=pytest.mark.slow),
    pytest.param(kubectl_apply, "kubectl-client-side-apply", False, id="kubectl", marks=pytest.mark.slow),
    pytest.param(kubectl_apply_server_side, "kubectl", True, id="kubectl-server-side", marks=pytest.mark.slow),
]


@pytest.fixture(autouse=True)
def charts(tmp_path: Path) -> Iterator[None]:
    """Where the charts of a test are."""
    _charts.append(tmp_path)
    yield
    _charts.pop()


_charts: list[Path] = []


def chart_of(manifest: Object) -> str:
    """Return a chart of one manifest."""
    chart = _charts[-1] / "chart"
    (chart / "templates").mkdir(parents=True, exist_ok=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: foreign, version: 0.0.1}")
    (chart / "templates/workload.yaml").write_text(json.dumps(manifest))
    return str(chart)


def version(number: int, root_path: str | None) -> Object:
    """Return a Deployment without pods, as its team writes it: with the paths, or without them."""
    app = container("app", root_path=root_path)
    if root_path is None:
        for probe in ("readinessProbe", "livenessProbe"):
            app[probe] = {"httpGet": {"port": "http"}}
    made = workload(app, replicas=0)
    made["spec"]["template"]["metadata"]["annotations"] = {"team.example/version": str(number)}
    return made


def version_of(deployment: Object) -> str:
    found: str = deployment["spec"]["template"]["metadata"]["annotations"]["team.example/version"]
    return found


@pytest.mark.parametrize(("deploy", "manager", "is_told"), DEPLOYERS)
def test_variable_is_taken_over_from(space: Space, deploy: Deploy, manager: str, *, is_told: bool) -> None:
    deploy(space, version(1, "/theirs"))
    space.create(service(), ingress(space.host, "/chat"), chainlit_app())
    space.await_variable("/chat")
    told = space.await_event("TookOver")
    assert f"{ROOT_PATH}" in told and f"'{manager}'" in told and f"conflict with '{OPERATOR}'" in told

    # As long as the team goes on setting the paths, its tool says so, or loses them again.
    if is_told:
        with pytest.raises(CommandError, match=rf'(?s)conflicts? with "{OPERATOR}".*{ROOT_PATH}'):
            deploy(space, version(2, "/theirs"))
    else:
        deploy(space, version(2, "/theirs"))
        eventually(
            lambda: space.get("Deployment"), lambda found: (version_of(found), variable(found)) == ("2", "/chat")
        )

    # Without them, all is well.
    deploy(space, version(3, None))
    eventually(lambda: space.get("Deployment"), lambda found: (version_of(found), variable(found)) == ("3", "/chat"))
    deploy(space, version(4, None))
    deployment = space.get("Deployment")
    assert (version_of(deployment), variable(deployment)) == ("4", "/chat")
    space.await_condition("Aligned", "True", "Aligned")
    assert len(space.workload_writes()) <= MOST_WRITES


def suspend(space: Space) -> None:
    space.patch("ChainlitApp", {"spec": {"suspend": True}})
    space.await_condition("Ready", "Unknown", "Suspended")


def delete(space: Space) -> None:
    space.kubectl("delete", "chainlitapp", "chat")


def move(space: Space) -> None:
    space.patch("ChainlitApp", {"spec": {"workload": {"ref": {"name": "other"}}}})


@pytest.mark.parametrize("leave", [suspend, delete, move], ids=lambda leave: leave.__name__)
def test_workload_that_is_left_is_free_for_the_next_owner(space: Space, leave: Callable[[Space], None]) -> None:
    aligned = align(space)
    leave(space)
    released = await_release(space)

    assert spec_of(released) == spec_of(aligned), "nothing else has changed, so the pods are the same"
    # The controller of Deployments comes with its first status, be that before or after the alignment was looked at.
    others = managers(released).keys() - {"kube-controller-manager"}
    assert others == managers(aligned).keys() - {OPERATOR, "kube-controller-manager"}

    space.kube.apply(paths_below("/theirs"), space.name, "next-owner", force=False)
    assert space.variable() == "/theirs"
    assert [write["verb"] for write in space.workload_writes()] == ["patch", "patch"], "alignment and release"


def test_resumed_app_has_its_fields_again(space: Space) -> None:
    aligned = align(space)
    suspend(space)
    await_release(space)
    space.patch("ChainlitApp", {"spec": {"suspend": False}})

    resumed = eventually(lambda: space.get("Deployment"), lambda found: OPERATOR in managers(found))
    assert spec_of(resumed) == spec_of(aligned)
    with pytest.raises(KubeError, match=OPERATOR):
        space.kube.apply(paths_below("/theirs"), space.name, "next-owner", force=False)
    space.await_condition("Aligned", "True", "Aligned")
    assert len(space.workload_writes()) == 3


@pytest.mark.xdist_group("operator")
def test_app_deleted_while_nobody_looked_leaves_nothing(space: Space, operator: Operator) -> None:
    aligned = align(space)
    with away(operator):
        space.kubectl("delete", "chainlitapp", "chat")
    assert spec_of(await_release(space)) == spec_of(aligned)


@contextmanager
def away(operator: Operator) -> Iterator[None]:
    operator.scale(0)
    try:
        yield
    finally:
        operator.scale(1)


def align(space: Space) -> Object:
    """Make an aligned Deployment without pods and return it."""
    space.create(version(1, None), service(), ingress(space.host, "/chat"), chainlit_app())
    space.await_condition("Aligned", "True", "Aligned")
    deployment = space.get("Deployment")
    assert OPERATOR in managers(deployment)
    return deployment


def paths_below(root_path: str) -> Object:
    """Return what the operator writes, as another field manager may apply it."""
    probe = {"httpGet": {"path": f"{root_path}/health"}}
    env = [{"name": ROOT_PATH, "value": root_path}]
    entry = {"name": "chainlit", "env": env, "readinessProbe": probe, "livenessProbe": probe}
    spec = {"template": {"spec": {"containers": [entry]}}}
    return resource("Deployment", spec=spec)


def await_release(space: Space) -> Object:
    return eventually(lambda: space.get("Deployment"), lambda found: OPERATOR not in managers(found))


def spec_of(deployment: Object) -> tuple[int, Object]:
    return deployment["metadata"]["generation"], deployment["spec"]
