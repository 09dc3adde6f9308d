"""The promise: the app answers at the path of its Ingress, whoever changes either side."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

import pytest

from tests.e2e.chat import ChatError
from tests.e2e.cluster import OPERATOR, Space, is_ready, managers, variable
from tests.e2e.manifests import ROOT_PATH, chainlit_app, container, ingress, service, workload
from tests.e2e.waiting import eventually


def owned_fields(*probes: str) -> dict[str, object]:
    """Everything that the operator may own in a workload, as managedFields say it."""
    fields: dict[str, object] = {
        ".": {},
        "f:name": {},
        "f:env": {f'k:{{"name":"{ROOT_PATH}"}}': {".": {}, "f:name": {}, "f:value": {}}},
    }
    fields |= {f"f:{probe}": {"f:httpGet": {"f:path": {}}} for probe in probes}
    spec = {"f:containers": {'k:{"name":"chainlit"}': fields}}
    return {"f:spec": {"f:template": {"f:spec": spec}}}


@pytest.mark.xdist_group("operator")
def test_app_follows_its_ingress(space: Space) -> None:
    space.create(
        chainlit_app(),
        service(),
        ingress(space.host, "/one"),
        workload(container(space.cluster.demo_image)),
    )
    space.await_answer("/one")
    space.await_ready()
    before = space.get("Deployment")

    space.move("/team/two")

    space.await_answer("/team/two")
    space.await_ready()
    with pytest.raises(ChatError, match="404"):
        space.chat("/one")
    after = space.get("Deployment")
    assert variable(after) == "/team/two"
    assert after["metadata"]["generation"] == before["metadata"]["generation"] + 1
    assert probe_paths(after) == {"readinessProbe": "/team/two/health", "livenessProbe": "/team/two/health"}

    status = space.get("ChainlitApp")["status"]
    assert status["rootPath"] == "/team/two"
    assert status["url"] == f"http://{space.host}/team/two/"
    assert status["webSocketURL"] == f"ws://{space.host}/team/two/ws/socket.io/"
    assert {c["type"]: c["status"] for c in status["conditions"]} == {
        "RouteResolved": "True", "Aligned": "True", "WebSocketReachable": "True", "Ready": "True",
    }
    header, row = space.kubectl("get", "chainlitapp").splitlines()
    assert header.split() == ["NAME", "PATH", "URL", "READY", "REASON", "AGE"]
    assert row.split()[:-1] == ["chat", "/team/two", f"http://{space.host}/team/two/", "True", "Ready"]

    assert_only_traces(space, "readinessProbe", "livenessProbe")


def probe_paths(deployment: dict[str, object]) -> dict[str, str]:
    """Paths of the probes of a workload's first container."""
    found = json.loads(json.dumps(deployment))["spec"]["template"]["spec"]["containers"][0]
    return {field: found[field]["httpGet"]["path"] for field in ("readinessProbe", "livenessProbe") if field in found}


def assert_only_traces(space: Space, *probes: str) -> None:
    """Nothing of ours is anywhere but the fields that the operator is there for."""
    deployment = space.get("Deployment")
    (entry,) = managers(deployment)[OPERATOR]
    assert entry["operation"] == "Apply"
    assert entry["fieldsV1"] == owned_fields(*probes)
    for kind in ("Ingress", "Service", "Deployment", "ReplicaSet", "Pod"):
        for obj in space.list(kind):
            metadata = obj["metadata"]
            assert not metadata.get("finalizers"), f"{kind} {metadata['name']} has a finalizer"
            marks = [*metadata.get("annotations", {}), *metadata.get("labels", {})]
            assert not [mark for mark in marks if "chainlit-operator" in mark or "kopf" in mark]
            assert kind == "Deployment" or not any("chainlit-operator" in name for name in managers(obj))
