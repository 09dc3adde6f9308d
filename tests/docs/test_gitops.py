"""The page on GitOps: health in Argo CD, values of its releases, and what each tool sees after the operator wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from chainlit_operator.domain.reasons import Reason
from tests.bench.process import Process
from tests.charts import rendering
from tests.docs.blocks import TOP, Block, of_page
from tests.docs.world import World
from tests.release import tools
from tests.waiting import eventually

PAGE = "docs/how-to/gitops.md"
CHECK = "resource.customizations.health.chainlit-operator.dev_ChainlitApp"


def block(file: str) -> Block:
    """Return the block of the page that is a file of this name."""
    return next(found for found in of_page(PAGE) if found.file == file)


# ---------------------------------------------------------------------------------------------------------- health


def lua(value: Any) -> str:
    """Return a value of JSON as Lua writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"[{json.dumps(key)}] = {lua(found)}" for key, found in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(map(lua, value)) + "}"
    return json.dumps(value, ensure_ascii=False)


def health(app: dict[str, Any], tmp_path: Path) -> tuple[str, str]:
    """Return status and message of the health check for a ChainlitApp."""
    check = yaml.safe_load(block("argocd-cm.yaml").text)["data"][CHECK]
    script = tmp_path / "check.lua"
    script.write_text(
        f"obj = {lua(app)}\nlocal function check()\n{check}\nend\n"
        "local found = check()\nprint(found.status)\nprint(found.message)\n",
        encoding="utf-8",
    )
    said = subprocess.run([tools.lua(), script], capture_output=True, text=True, check=True).stdout
    status, message = said.splitlines()
    return status, message


def app_with(status: str, reason: str, observed: int = 2) -> dict[str, Any]:
    others = [{"type": "RouteResolved", "status": "True", "reason": "Resolved", "message": "Ingress chat."}]
    ready = {"type": "Ready", "status": status, "reason": reason, "message": 'It\'s "so".'}
    found = {"observedGeneration": observed, "conditions": [*others, ready]}
    return {"kind": "ChainlitApp", "metadata": {"name": "chat", "generation": 2}, "status": found}


PAUSED = {Reason.SUSPENDED, Reason.SCALED_TO_ZERO, Reason.ROLLOUT_HELD}


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        ("True", Reason.READY, "Healthy"),
        ("False", Reason.ROUTE_NOT_FOUND, "Degraded"),
        ("False", Reason.HANDSHAKE_NOT_FOUND, "Degraded"),
        ("Unknown", Reason.ROLLOUT_IN_PROGRESS, "Progressing"),
        ("Unknown", Reason.VERIFICATION_PENDING, "Progressing"),
        *(("Unknown", reason, "Suspended") for reason in sorted(PAUSED)),
    ],
)
def test_argo_cd_shows_what_ready_says(status: str, reason: Reason, expected: str, tmp_path: Path) -> None:
    assert health(app_with(status, reason), tmp_path) == (expected, f'{reason}: It\'s "so".')


@pytest.mark.parametrize(
    "app",
    [
        pytest.param({"metadata": {"generation": 1}}, id="no-status"),
        pytest.param({"metadata": {"generation": 1}, "status": {"observedGeneration": 1}}, id="no-conditions"),
        pytest.param(app_with("True", "Ready", observed=1), id="of-an-older-spec"),
    ],
)
def test_argo_cd_waits_for_the_operator(app: dict[str, Any], tmp_path: Path) -> None:
    assert health(app, tmp_path)[0] == "Progressing"


# -------------------------------------------------------------------------------------------------------- releases


def releases() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield chart, name and values of each release on the page."""
    for found in yaml.safe_load_all(block("applications.yaml").text):
        source = found["spec"]["source"]
        yield source["path"], source["helm"]["releaseName"], source["helm"]["valuesObject"]
    for found in yaml.safe_load_all(block("releases.yaml").text):
        if found["kind"] == "HelmRelease":
            spec = found["spec"]
            yield spec["chart"]["spec"]["chart"], spec["releaseName"], spec["values"]


@pytest.mark.parametrize(("chart", "release", "values"), list(releases()))
def test_values_of_a_release_are_those_of_its_chart(chart: str, release: str, values: dict[str, Any]) -> None:
    assert (TOP / chart / "Chart.yaml").exists()
    rendered = json.loads(json.dumps(values))
    if rendered.get("auth", {}).pop("generate", False):  # which needs a cluster, as Flux has one
        rendered["auth"]["existingSecret"] = "x"
    assert rendering.render(chart.removeprefix("charts/"), rendered, release=release).objects


# ----------------------------------------------------------------------------------------------------- differences

SERVER_SIDE = "--server-side --force-conflicts --field-manager={}"
#: What each tool applies and compares with.
TOOLS = {
    "argo-cd": "",
    "argo-cd-server-side": SERVER_SIDE.format("argocd-controller"),
    "flux-helm": SERVER_SIDE.format("helm-controller"),
    "flux-kustomize": SERVER_SIDE.format("kustomize-controller"),
}


@contextmanager
def operator(world: World, log: Path) -> Iterator[None]:
    """Run the operator without verification."""
    command = [sys.executable, "-m", "chainlit_operator", "run", "--kubeconfig", world.environment["KUBECONFIG"]]
    process = Process([*command, "--no-verification", "--listen", "127.0.0.1:0"], log)
    try:
        yield
        process.check()
    finally:
        process.stop()


def root_path(world: World) -> str:
    (container,) = world.get("--namespace team-a deployment chat")["spec"]["template"]["spec"]["containers"]
    return next((found["value"] for found in container["env"] if found["name"] == "CHAINLIT_ROOT_PATH"), "")


@pytest.mark.parametrize("tool", TOOLS)
def test_no_tool_sees_a_difference_after_the_operator_wrote(world: World, tool: str, tmp_path: Path) -> None:
    world.begin("operator")
    directory = world.directory()
    (directory / "values.yaml").write_text(block("values.yaml").text)
    world.run("helm template chat charts/chainlit --namespace team-a --values values.yaml >chat.yaml")
    options = f"{TOOLS[tool]} --namespace team-a --filename chat.yaml"
    world.run(f"kubectl apply {options}")
    with operator(world, tmp_path / "operator.log"):
        eventually(lambda: root_path(world), lambda found: found == "/chat")
        world.run(f"kubectl diff {options}")
        world.run(f"kubectl apply {options}")
        assert root_path(world) == "/chat"


def test_a_path_in_git_is_a_difference(world: World, tmp_path: Path) -> None:
    """Else the test above would hold for a comparison that sees nothing."""
    world.begin("operator")
    directory = world.directory()
    (directory / "values.yaml").write_text(block("values.yaml").text)
    world.run("helm template chat charts/chainlit --namespace team-a --values values.yaml >chat.yaml")
    world.run("kubectl apply --server-side --namespace team-a --filename chat.yaml")
    text = (directory / "chat.yaml").read_text()
    assert "port: http" in text
    (directory / "chat.yaml").write_text(text.replace("port: http", "port: http\n              path: /elsewhere", 1))
    assert not world.succeeds("kubectl diff --server-side --force-conflicts --namespace team-a --filename chat.yaml")


# --------------------------------------------------------------------------------------------------------- rendered


def test_only_tests_are_left_out_with_the_tests() -> None:
    """What ``--skip-tests`` leaves out of a packaged chart is all that only a test needs."""
    values = {"operator": {"enabled": True}, "networkPolicy": {"enabled": True}, "persistence": {"enabled": True}}
    with_tests = values | {"tests": {"image": {"repository": "registry.example.com/chainlit-operator"}}}
    chart = str(TOP / "charts/chainlit")
    rendered = rendering.helm(
        *("template", "chat", chart, "--skip-tests", "--set=image.repository=x", "--values", "-"),
        values=rendering.dump(with_tests),
    )
    without = rendering.app(values | {"tests": {"enabled": False}, "image": {"repository": "x"}}, namespace="default")
    assert rendering.load_all(rendered) == list(without.objects)
    assert len(rendering.app(with_tests).objects) > len(without.objects)
