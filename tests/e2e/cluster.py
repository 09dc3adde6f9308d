"""The cluster, the operator in it, and a namespace for one test."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.e2e import certificates
from tests.e2e.chat import POLLING_AND_WEBSOCKET, ChatError, converse
from tests.e2e.demo import ROOT_PATH
from tests.e2e.kube import Kube, KubeError
from tests.objects import Object, resource
from tests.waiting import eventually

REPOSITORY = Path(__file__).resolve().parents[2]
OPERATOR_NAMESPACE = "chainlit-operator-system"
OPERATOR = "chainlit-operator"
#: ConfigMap and Secret of a certificate authority that the operator trusts.
AUTHORITY = "tests-authority"
NEEDED = ("CLUSTER", "KUBECONFIG", "EDGE", "CONTOUR_EDGE", "DEMO_IMAGE", "OPERATOR_IMAGE")

#: Seconds for a pod of the demo app to start, or to be replaced, on a busy machine.
START = 120.0


class CommandError(Exception):
    """A command ended with another status than 0; the text is what it said."""


def run(*command: str, stdin: str | None = None, timeout: float = 180.0) -> str:
    """Run a command and return its standard output. Raises CommandError."""
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=timeout, cwd=REPOSITORY, check=False
    )
    if done.returncode != 0:
        raise CommandError(f"{' '.join(command)}: {done.stderr or done.stdout}")
    return done.stdout


class Condition(NamedTuple):
    """A condition of a ChainlitApp."""

    status: str
    reason: str
    message: str


@dataclass(frozen=True)
class Cluster:
    """A running cluster, described by the variables of ``python3 -m tests.cluster env``."""

    edge: str
    contour_edge: str
    demo_image: str
    operator_image: str
    kube: Kube

    @classmethod
    def from_environment(cls) -> Cluster:
        """Return the shell's cluster; raises LookupError if it has none."""
        missing = [name for name in NEEDED if not os.environ.get(name)]
        if missing:
            raise LookupError(
                f"{', '.join(missing)} not set: the tests need a cluster. Make it with `python3 -m tests.cluster up` "
                'and `python3 -m tests.cluster images`, then `eval "$(python3 -m tests.cluster env)"`.'
            )
        environment = os.environ
        return cls(
            edge=environment["EDGE"],
            contour_edge=environment["CONTOUR_EDGE"],
            demo_image=environment["DEMO_IMAGE"],
            operator_image=environment["OPERATOR_IMAGE"],
            kube=Kube(environment["KUBECONFIG"]),
        )

    def audit(self, namespace: str) -> list[Object]:
        """Return what the operator has written into a namespace so far: the requests, oldest first."""
        log = run(sys.executable, "-m", "tests.cluster", "audit")
        requests = (json.loads(line) for line in log.splitlines())
        return [
            request
            for request in requests
            if request["verb"] not in ("get", "list", "watch")
            and request.get("objectRef", {}).get("namespace") == namespace
        ]


def image_values(reference: str) -> dict[str, str]:
    """Return the value ``image`` of a chart for an image with a tag."""
    repository, _, tag = reference.rpartition(":")
    return {"repository": repository, "tag": tag}


def set_json(values: Mapping[str, object]) -> list[str]:
    """Return the arguments by which helm takes values."""
    return [f"--set-json={key}={json.dumps(value)}" for key, value in values.items()]


class Operator:
    """The operator as its chart installs it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.kube = cluster, cluster.kube

    def install(self) -> None:
        """Install it, or bring it to the image and chart of now, and wait until it is ready."""
        self.kube.ensure_namespace(OPERATOR_NAMESPACE)
        certificates.ensure_known_authority(self.kube, OPERATOR_NAMESPACE, AUTHORITY)
        try:
            run(
                *("helm", "upgrade", "--install", OPERATOR, "charts/chainlit-operator"),
                *("--namespace", OPERATOR_NAMESPACE),
                *set_json({"image": image_values(self.cluster.operator_image)}),
                *("--set", f"verification.caConfigMap={AUTHORITY}"),
                "--force-conflicts",  # with what a test that was killed has left scaled
                *("--wait", "--timeout", "180s"),
                timeout=240.0,
            )
        except CommandError as error:
            raise CommandError("\n".join([str(error), *map(_trouble, self.pods())])) from error

    def pods(self) -> list[Object]:
        """Return its pods."""
        return self.kube.objects("Pod", OPERATOR_NAMESPACE, labelSelector=f"app.kubernetes.io/name={OPERATOR}")

    def kill(self) -> None:
        """Delete its pod without any grace; another one comes."""
        for pod in self.pods():
            self.kube.delete("Pod", OPERATOR_NAMESPACE, pod["metadata"]["name"], grace_seconds=0)

    def stop(self) -> None:
        """Delete its pod and let it end in its own way; another one comes."""
        for pod in self.pods():
            self.kube.delete("Pod", OPERATOR_NAMESPACE, pod["metadata"]["name"])

    def scale(self, replicas: int) -> None:
        """Have that many pods of it, and wait until they are ready and no other is there."""
        body = {"spec": {"replicas": replicas}}
        self.kube.patch("Deployment", OPERATOR_NAMESPACE, OPERATOR, body)
        eventually(self.pods, lambda pods: len(pods) == replicas and all(map(_stays, pods)))

    def await_successor(self, former: Iterable[Object]) -> None:
        """Wait until pods other than ``former`` are ready and those are gone."""
        old = {pod["metadata"]["uid"] for pod in former}
        eventually(
            self.pods,
            lambda pods: len(pods) == 1 and pods[0]["metadata"]["uid"] not in old and is_ready(pods[0]),
        )

    def signal(self, pod: str, signal: str) -> None:
        """Send a signal to the process of a pod."""
        script = f"for p in $(grep -lx {pod} /proc/[0-9]*/root/etc/hostname); do p=${{p#/proc/}}; p=${{p%%/*}};" + (
            f' if grep -q python "/proc/$p/cmdline"; then kill -s {signal} "$p" && echo "$p"; fi; done'
        )
        assert run(os.environ["ENGINE"], "exec", os.environ["NODE"], "sh", "-c", script), f"no process of {pod}"

    def metric(self, name: str) -> float:
        """Return the sum of a metric over its labels; fails while the Service does not know of the pod yet."""
        return self._metric(f"services/{OPERATOR}-metrics:http", name)

    def pod_metric(self, pod: str, name: str) -> float:
        """Return the sum of a pod's metric over its labels."""
        return self._metric(f"pods/{pod}:8080", name)

    def _metric(self, place: str, name: str) -> float:
        path = f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/{place}/proxy/metrics"
        try:
            lines = self.kube.request("GET", path).decode().splitlines()
        except KubeError as error:
            if error.code == 503:
                raise AssertionError(error.message) from error
            raise
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


class Space:
    """A namespace of one test, with the restricted Pod Security Standard enforced, and a host name of its own."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster, self.kube, self.name = cluster, cluster.kube, name
        self.host = f"{name}.example"

    def open(self) -> None:
        """Create the namespace."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self.kube.create(resource("Namespace", self.name, metadata={"labels": labels}), "")

    def serve_inside(self) -> str:
        """Take a host name that leads to Traefik inside the cluster, and return it: an alias, by the cluster's DNS."""
        alias = {"type": "ExternalName", "externalName": "traefik.traefik.svc.cluster.local"}
        self.create(resource("Service", "edge", spec=alias))
        self.host = f"edge.{self.name}.svc.cluster.local"
        return self.host

    def serve_at_node(self) -> str:
        """Take the name of the cluster's node, whose port 80 leads to Traefik; return a path that no other test has.

        It is not a name of the cluster's own DNS, nor the address of a Service: mode Auto asks there.
        """
        self.host = os.environ["NODE"]
        return f"/{self.name}"

    def close(self) -> None:
        """Have the namespace deleted, without waiting."""
        self.kube.delete("Namespace", "", self.name)

    # -------------------------------------------------------------------------------------------------- objects

    def create(self, *manifests: Object) -> None:
        """Create objects in that order."""
        for manifest in manifests:
            self.kube.create(manifest, self.name)

    def get(self, kind: str, name: str = "chat") -> Object:
        """Return an object."""
        return self.kube.get(kind, self.name, name)

    def find(self, kind: str, name: str = "chat") -> Object | None:
        """Return an object, or None if there is no such."""
        return self.kube.find(kind, self.name, name)

    def objects(self, kind: str) -> list[Object]:
        """Return all objects of a kind."""
        return self.kube.objects(kind, self.name)

    def pods(self) -> list[Object]:
        """Return the pods that are not on their way out."""
        return [pod for pod in self.objects("Pod") if "deletionTimestamp" not in pod["metadata"]]

    def patch(self, kind: str, body: Object, name: str = "chat") -> Object:
        """Merge-patch an object."""
        return self.kube.patch(kind, self.name, name, body)

    def move(self, path: str, name: str = "chat") -> None:
        """Change the path of an Ingress."""
        self.kubectl(
            *("patch", "ingress", name, "--type=json", "--patch"),
            json.dumps([{"op": "replace", "path": "/spec/rules/0/http/paths/0/path", "value": path}]),
        )

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl in the namespace."""
        return run("kubectl", "--namespace", self.name, *arguments, stdin=stdin)

    def helm(self, *arguments: str, program: str = "helm") -> str:
        """Run helm, or another release of it, in the namespace."""
        return run(program, "--namespace", self.name, *arguments)

    # --------------------------------------------------------------------------------------------- what is read

    def condition(self, type_: str, name: str = "chat") -> Condition:
        """Return a condition of a ChainlitApp; fails while it is not there or about an older generation."""
        app = self.get("ChainlitApp", name)
        found = {c["type"]: c for c in app.get("status", {}).get("conditions", [])}
        assert type_ in found, f"no condition {type_} yet, but {sorted(found)}"
        condition = found[type_]
        assert condition["observedGeneration"] == app["metadata"]["generation"], "the condition is out of date"
        return Condition(condition["status"], condition["reason"], condition["message"])

    def await_condition(
        self, type_: str, status: str, reason: str, name: str = "chat", *, timeout: float = START
    ) -> Condition:
        """Wait until a condition has that status and reason."""
        return eventually(
            lambda: self.condition(type_, name), lambda c: (c.status, c.reason) == (status, reason), timeout=timeout
        )

    def await_ready(self, name: str = "chat") -> None:
        """Wait until a ChainlitApp is Ready, pods started and WebSocket verified."""
        self.await_condition("Ready", "True", "Ready", name)

    def await_moved(self, path: str, name: str = "chat") -> None:
        """Wait until a ChainlitApp is Ready at another path: the status says so a moment after the variable."""
        eventually(lambda: self.get("ChainlitApp", name)["status"].get("rootPath"), lambda found: found == path)
        self.await_ready(name)

    def variable(self, name: str = "chat", kind: str = "Deployment") -> str | None:
        """Return the root path that the first container of a workload is given; None for none."""
        return variable(self.get(kind, name))

    def await_variable(self, value: str, name: str = "chat", kind: str = "Deployment") -> None:
        """Wait until the root path has that value."""
        eventually(lambda: self.variable(name, kind), lambda found: found == value)

    def await_event(self, reason: str) -> str:
        """Wait for an Event with that reason and return its message."""
        found = eventually(lambda: [event for event in self.objects("Event") if event["reason"] == reason])
        return str(found[-1]["message"])

    def workload_writes(self) -> list[Object]:
        """Return the operator's writes to Deployments and StatefulSets so far, those that the API server took."""
        return [
            request
            for request in self.cluster.audit(self.name)
            if request["objectRef"]["resource"] in ("deployments", "statefulsets")
            and request["responseStatus"]["code"] < 300
        ]

    # ---------------------------------------------------------------------------------------------------- chat

    def chat(
        self, path: str, text: str = "hello", *, edge: str = "", transports: Sequence[str] = POLLING_AND_WEBSOCKET
    ) -> str:
        """Talk to the app through the cluster's edge, or another one at that URL. Raises ChatError."""
        url = (edge or self.cluster.edge) + path
        return asyncio.run(converse(url, text, host=self.host, timeout=45.0, transports=transports))

    def await_answer(self, path: str, *, edge: str = "", timeout: float = START) -> None:
        """Wait until the app answers at a path: pods start, and edges take their time with news."""

        def answers() -> bool:
            try:
                return self.chat(path, f"hello at {path}", edge=edge) == f"echo: hello at {path}"
            except ChatError as error:
                raise AssertionError(str(error)) from error

        eventually(answers, timeout=timeout, every=0.25)


def variable(workload: Object) -> str | None:
    """Return the root path in the first container of a workload; None if it has none."""
    env = workload["spec"]["template"]["spec"]["containers"][0].get("env", [])
    return next((entry.get("value", "") for entry in env if entry["name"] == ROOT_PATH), None)


def is_ready(pod: Object) -> bool:
    """Tell whether a pod is ready."""
    conditions = pod.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _stays(pod: Object) -> bool:
    """Tell whether a pod is ready, and not on its way out."""
    return is_ready(pod) and "deletionTimestamp" not in pod["metadata"]


def _trouble(pod: Object) -> str:
    """What keeps a pod's containers from running."""
    states = [status["state"] for status in pod.get("status", {}).get("containerStatuses", [])]
    waiting = [f"{s['waiting']['reason']}: {s['waiting'].get('message', '')}" for s in states if "waiting" in s]
    return f"Pod {pod['metadata']['name']} {pod['status']['phase']} {'; '.join(waiting)}"


def managers(obj: Object) -> dict[str, list[Object]]:
    """Return an object's entries of managedFields by manager."""
    entries: dict[str, list[Object]] = {}
    for entry in obj["metadata"].get("managedFields", []):
        entries.setdefault(entry["manager"], []).append(entry)
    return entries


__all__ = [
    "AUTHORITY",
    "OPERATOR",
    "OPERATOR_NAMESPACE",
    "START",
    "Cluster",
    "CommandError",
    "Condition",
    "KubeError",
    "Operator",
    "Space",
    "is_ready",
    "managers",
    "run",
    "variable",
]
