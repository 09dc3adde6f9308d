"""The promise: the app answers at the path of its Ingress, whoever changes either side."""

from __future__ import annotations

import operator
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.e2e.chat import ChatError
from tests.e2e.cluster import OPERATOR, CommandError, Space, is_ready, managers, run, variable
from tests.e2e.demo import ROOT_PATH, container, workload
from tests.objects import Object, chainlit_app, ingress, service
from tests.waiting import eventually

PROBES = ("readinessProbe", "livenessProbe")


@pytest.mark.xdist_group("operator")
def test_app_follows_its_ingress(space: Space) -> None:
    space.create(chainlit_app(), service(), ingress(space.host, "/one"), workload(container(space.cluster.demo_image)))
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
    assert probe_paths(after) == dict.fromkeys(PROBES, "/team/two/health")
    assert after["metadata"]["generation"] == before["metadata"]["generation"] + 1, "more than one write"
    assert_only_traces(space)
    assert_status(space, "/team/two")


def assert_status(space: Space, path: str) -> None:
    """The status tells programs where the app is, and people too."""
    status = space.get("ChainlitApp")["status"]
    assert status["rootPath"] == path
    assert status["url"] == f"http://{space.host}{path}/"
    assert status["webSocketURL"] == f"ws://{space.host}{path}/ws/socket.io/"
    assert {c["type"]: c["status"] for c in status["conditions"]} == dict.fromkeys(
        ("RouteResolved", "Aligned", "SessionAffinity", "WebSocketReachable", "Ready"), "True"
    )
    header, row = space.kubectl("get", "chainlitapp").splitlines()
    assert header.split() == ["NAME", "PATH", "URL", "READY", "REASON", "AGE"]
    assert row.split()[:-1] == ["chat", path, f"http://{space.host}{path}/", "True", "Ready"]


def assert_only_traces(space: Space) -> None:
    """Nothing of the operator is in foreign objects but the fields that it is there for."""
    (entry,) = managers(space.get("Deployment"))[OPERATOR]
    assert entry["operation"] == "Apply"
    owned: dict[str, Any] = {f"f:{probe}": {"f:httpGet": {"f:path": {}}} for probe in PROBES}
    owned |= {".": {}, "f:name": {}}
    owned["f:env"] = {f'k:{{"name":"{ROOT_PATH}"}}': {".": {}, "f:name": {}, "f:value": {}}}
    containers = {'k:{"name":"chainlit"}': owned}
    assert entry["fieldsV1"] == {"f:spec": {"f:template": {"f:spec": {"f:containers": containers}}}}
    for kind in ("Ingress", "Service", "Deployment", "ReplicaSet", "Pod"):
        for obj in space.objects(kind):
            metadata = obj["metadata"]
            who = f"{kind} {metadata['name']}"
            assert not metadata.get("finalizers"), f"{who} has a finalizer"
            marks = [*metadata.get("annotations", {}), *metadata.get("labels", {})]
            assert not [mark for mark in marks if "chainlit" in mark or "kopf" in mark], f"{who} is marked: {marks}"
            if kind != "Deployment":
                assert OPERATOR not in managers(obj), f"the operator wrote into {who}"


def probe_paths(obj: Object) -> dict[str, str]:
    """Return the paths of the probes of a workload's first container."""
    found = obj["spec"]["template"]["spec"]["containers"][0]
    return {probe: found[probe]["httpGet"]["path"] for probe in PROBES}


@pytest.mark.xdist_group("operator")
def test_variable_follows_within_a_second(space: Space, figure: Callable[[str], None]) -> None:
    """Measured without pods, so that their starts do not take the machine's time."""
    space.create(
        workload(container(space.cluster.demo_image), replicas=0), service(), ingress(space.host, "/0"), chainlit_app()
    )
    space.await_variable("/0")
    times = []
    for turn in range(1, 8):
        path = f"/{turn}"
        generation = space.get("Deployment")["metadata"]["generation"]
        patch = {"spec": space.get("Ingress")["spec"]}
        patch["spec"]["rules"][0]["http"]["paths"][0]["path"] = path
        started = time.perf_counter()
        space.patch("Ingress", patch)
        eventually(space.variable, partial(operator.eq, path), every=0.005)
        times.append(time.perf_counter() - started)
        space.await_condition("Ready", "Unknown", "ScaledToZero")
        assert space.get("Deployment")["metadata"]["generation"] == generation + 1, "more than one write"

    median = statistics.median(times)
    figure(f"Ingress changed to variable changed: median {median:.3f} s, longest {max(times):.3f} s of {len(times)}")
    assert median < 1.0


def test_wrong_value_is_healed(space: Space) -> None:
    space.create(chainlit_app(), service(), ingress(space.host, "/chat"), workload(container(space.cluster.demo_image)))
    space.await_ready()

    space.kubectl("set", "env", "deployment/chat", f"{ROOT_PATH}=wrong")

    space.await_variable("/chat")
    wanted = f"owns {ROOT_PATH} in Deployment {space.name}/chat; 'kubectl-set' owned it before."
    eventually(lambda: [e for e in space.objects("Event") if e["reason"] == "TookOver" and wanted in e["message"]])
    space.await_ready()
    space.await_answer("/chat")


def test_what_replaces_no_pod_is_no_news(space: Space) -> None:
    """The API server counts annotations and replicas as new generations of a Deployment, but no pod is replaced."""
    sticky = {"annotations": {"traefik.ingress.kubernetes.io/service.sticky.cookie": "true"}}
    pods = workload(container(space.cluster.demo_image), replicas=2)
    space.create(chainlit_app(), service(metadata=sticky), ingress(space.host, "/chat"), pods)
    space.await_ready()
    writes, status = writes_of_the_app(space), space.get("ChainlitApp")["status"]

    space.kubectl("annotate", "deployment/chat", "example.com/seen=yes")
    space.kubectl("scale", "deployment/chat", "--replicas=3")

    generation = space.get("Deployment")["metadata"]["generation"]
    eventually(
        lambda: space.get("Deployment")["status"],
        lambda seen: seen["observedGeneration"] == generation and seen.get("availableReplicas") == 3,
        timeout=120.0,
    )
    # What comes later in the operator's queue is done: so is whatever these changes were to bring about.
    space.create(chainlit_app("later", workload="none"))
    space.await_condition("Ready", "False", "WorkloadNotFound", "later")
    assert writes_of_the_app(space) == writes
    assert space.get("ChainlitApp")["status"] == status


def writes_of_the_app(space: Space) -> list[Object]:
    """Return the operator's writes of the app and its workload."""
    return [request for request in space.cluster.audit(space.name) if request["objectRef"].get("name") == "chat"]


def test_deleted_chainlitapp_leaves_the_app_alone(space: Space) -> None:
    space.create(chainlit_app(), service(), ingress(space.host, "/chat"), workload(container(space.cluster.demo_image)))
    space.await_ready()
    space.await_answer("/chat")  # Traefik knows of the pod later than the Service does
    before, pods = space.get("Deployment"), space.pods()

    space.kubectl("delete", "chainlitapp", "chat")

    # What comes later in the operator's queue is done: whatever it were to do about the deletion is done as well.
    space.create(chainlit_app("later", workload="none"))
    space.await_condition("Ready", "False", "WorkloadNotFound", "later")
    after = space.get("Deployment")
    assert after["spec"] == before["spec"]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    (pod,) = space.pods()
    assert [pod["metadata"]["uid"]] == [former["metadata"]["uid"] for former in pods]
    assert is_ready(pod)

    # The command with which anybody can prove an address does so as well.
    command = (sys.executable, "-m", "tests.e2e.chat", "--host", space.host, "--text", "good day")
    printed = run(*command, f"{space.cluster.edge}/chat")
    assert printed == f"ws://{space.host}/chat/ws/socket.io answered: echo: good day\n"
    with pytest.raises(CommandError) as failure:
        run(*command, f"{space.cluster.edge}/other")
    assert str(failure.value).endswith(f": ws://{space.host}/other/ws/socket.io failed: page /other/: status 404\n")


def test_statefulset_is_aligned_too(space: Space) -> None:
    space.create(
        workload(container(space.cluster.demo_image), kind="StatefulSet"),
        service(),
        ingress(space.host, "/stateful"),
        chainlit_app(kind="StatefulSet"),
    )
    space.await_variable("/stateful", kind="StatefulSet")
    space.await_ready()
    space.await_answer("/stateful")
