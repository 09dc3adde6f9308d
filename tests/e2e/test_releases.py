"""Older releases of Chainlit, and Chainlit mounted in another app: the tables of tests/releases on the cluster."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import pytest

from chainlit_operator.domain.reasons import Reason
from tests.e2e.chat import ChatError
from tests.e2e.cluster import START, Cluster, Space, run
from tests.e2e.demo import PATIENT, PORT, ROOT_PATH, container, probe, workload
from tests.objects import Object, chainlit_app, ingress, service
from tests.releases import CURRENT, HEALTH, MOUNTS, ROWS, Answer, Mount, Row
from tests.route_forms.ingress import behind
from tests.waiting import eventually

PARENT = "CHAINLIT_PARENT_ROOT_PATH"
#: Seconds for two rollouts and the verification after them.
SETTLED = 2 * START


def in_gate(row: Row | Mount) -> Any:
    return pytest.param(row, id=str(row), marks=() if row.in_gate else pytest.mark.slow)


@cache
def built(release: str) -> str:
    return run(sys.executable, "-m", "tests.cluster", "releases", release, timeout=900.0).split()[-1]


def image(cluster: Cluster, release: str) -> str:
    """Return the demo app's image on a release of Chainlit, which is built and loaded at need."""
    return cluster.demo_image if release == CURRENT else built(release)


def route(space: Space, path: str, *, strips: bool) -> list[Object]:
    if strips:
        return behind(("m", {"stripPrefix": {"prefixes": [path]}}), path=path)(space.name, space.host)
    return [ingress(space.host, path)]


def chat(space: Space, release: str, **fields: Any) -> Object:
    """Return a workload of a release whose probes ask where users let them."""
    probes = {
        "readinessProbe": probe("/", PATIENT),
        "livenessProbe": probe("/auth/config", PATIENT),
        "startupProbe": probe("/health", PATIENT),
    }
    return workload(container(image(space.cluster, release), **(probes | fields)))


def variables(found: Object) -> dict[str, str]:
    env = found["spec"]["template"]["spec"]["containers"][0].get("env", [])
    return {entry["name"]: entry.get("value", "") for entry in env if entry.get("value")}


def await_writes(space: Space, writes: int) -> Object:
    """Wait until the Deployment was written that often, which its generation tells; return it."""
    found = eventually(
        lambda: space.get("Deployment"), lambda d: d["metadata"]["generation"] > writes, timeout=SETTLED, every=0.5
    )
    assert found["metadata"]["generation"] == writes + 1, f"more than {writes} writes"
    return found


@pytest.mark.parametrize("row", [in_gate(row) for row in ROWS])
def test_release_behind(space: Space, row: Row) -> None:
    space.create(chainlit_app(), service(), *route(space, "/chat", strips=row.strips), chat(space, row.release))

    await_writes(space, row.writes)
    if isinstance(row.answer, Answer):
        space.await_answer("/chat")
        space.await_ready()
        answer = row.answer
    else:
        found = space.await_condition("WebSocketReachable", "False", str(row.answer), timeout=SETTLED)
        assert "Upgrade to Chainlit 2." in found.message
        with pytest.raises(ChatError):
            space.chat("/chat")
        answer = Answer("", "/chat") if row.strips else Answer("/chat")

    wanted = {ROOT_PATH: answer.root_path, PARENT: answer.parent_root_path}
    assert variables(await_writes(space, row.writes)) == {name: value for name, value in wanted.items() if value}
    assert_probed(space, answer.root_path, row.release)


def assert_probed(space: Space, root_path: str, release: str) -> None:
    """No probe of a pod has failed it, and what they ask for is what the table says."""
    (pod,) = eventually(space.pods, lambda pods: len(pods) == 1)
    (status,) = pod["status"]["containerStatuses"]
    assert status["ready"]
    assert status["restartCount"] == 0
    found = pod["spec"]["containers"][0]
    paths = {found[kind]["httpGet"]["path"] for kind in ("livenessProbe", "startupProbe")}
    assert paths == {f"{root_path}/auth/config", f"{root_path}/health"}
    proxy = f"/api/v1/namespaces/{space.name}/pods/{pod['metadata']['name']}:{PORT}/proxy"
    body = space.kube.request("GET", f"{proxy}{root_path}/health").decode()
    assert body.lstrip().startswith("<" if HEALTH[release] == "page" else '{"status":"ok"}')


@pytest.mark.slow
def test_upgrade_in_place(space: Space) -> None:
    """2.2.1 cannot be served behind a stripping route; with a later release the same variables are right."""
    space.create(chainlit_app(), service(), *route(space, "/chat", strips=True), chat(space, "2.2.1"))
    space.await_condition("WebSocketReachable", "False", str(Reason.PARENT_ROOT_PATH_IGNORED), timeout=SETTLED)

    space.kubectl("set", "image", "deployment/chat", f"chainlit={space.cluster.demo_image}")

    space.await_ready()
    space.await_answer("/chat")
    assert variables(await_writes(space, 2)) == {PARENT: "/chat"}


@pytest.mark.parametrize("mount", [in_gate(mount) for mount in MOUNTS])
def test_mounted(space: Space, mount: Mount) -> None:
    command = ["uvicorn", "mounted:app", "--app-dir", "/app", "--host", "0.0.0.0", "--port", str(PORT)]
    outer = {"MOUNT_PATH": mount.path, "OUTER_ROOT_PATH": mount.fastapi}
    fields: Object = {
        "command": [*command, "--root-path", mount.uvicorn] if mount.uvicorn else command,
        "env": [{"name": name, "value": value} for name, value in outer.items()],
        "readinessProbe": probe("/alive"),
        "livenessProbe": probe("/alive"),
    }
    space.create(
        chainlit_app(mountPath=mount.path),
        service(),
        *route(space, mount.route, strips=mount.strips),
        workload(container(space.cluster.demo_image, **fields)),
    )

    if mount.answer is not None:
        found = space.await_condition("WebSocketReachable", "False", str(mount.answer))
        assert mount.says in found.message
        space.await_condition("Aligned", "True", "Mounted")
    else:
        space.await_answer(mount.url, timeout=SETTLED)
        space.await_ready()
        status = space.get("ChainlitApp")["status"]
        assert status["url"] == f"http://{space.host}{mount.url}/"
        assert status["webSocketURL"] == f"ws://{space.host}{mount.url}/ws/socket.io/"
    deployment = await_writes(space, 0)
    assert not {ROOT_PATH, PARENT} & variables(deployment).keys()
    assert deployment["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["httpGet"]["path"] == "/alive"
