"""The demo app as a pod of the end-to-end tests: quick probes, and the restricted Pod Security Standard."""

from __future__ import annotations

from typing import Any

from tests import objects
from tests.objects import Object

ROOT_PATH = "CHAINLIT_ROOT_PATH"
PORT = 8000
#: How often a probe may fail, once a second, and how many seconds an answer may take: a busy machine is no fault.
PATIENT, SLOW = 300, 10
#: The same for the probes of the charts.
QUICK_PROBES: Object = {
    "readiness": {"periodSeconds": 1, "timeoutSeconds": SLOW},
    "startup": {"periodSeconds": 1, "timeoutSeconds": SLOW, "failureThreshold": PATIENT},
}


def probe(path: str, failures: int = 3, period: int = 1, port: int | str = "http") -> Object:
    """Return a probe of a path; the kubelet acts on it after so many failures in a row."""
    return objects.http_probe(path, port, periodSeconds=period, timeoutSeconds=SLOW, failureThreshold=failures)


def container(image: str, name: str = "chainlit", root_path: str | None = None, **fields: Any) -> Object:
    """Return a container that runs the demo app; ``root_path`` None leaves the variable out."""
    made = objects.container(
        name,
        image,
        port=PORT,
        env=None if root_path is None else {ROOT_PATH: root_path},
        imagePullPolicy="IfNotPresent",
        readinessProbe=probe("/health"),
        livenessProbe=probe("/health", 30, period=10),
        securityContext={
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        volumeMounts=[{"name": "tmp", "mountPath": "/tmp"}],
    )
    return made | fields


def workload(*containers: Object, kind: str = "Deployment", name: str = "chat", replicas: int = 1) -> Object:
    """Return a Deployment or StatefulSet of pods that satisfy the restricted Pod Security Standard."""
    pod = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 3,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    return objects.workload(*containers, kind=kind, name=name, replicas=replicas, pod=pod)
