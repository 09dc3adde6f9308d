"""The objects that the tests put into a cluster, as somebody without the charts would write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.e2e.kube import Object

ROOT_PATH = "CHAINLIT_ROOT_PATH"
PORT = 8000
#: How often a probe may fail, once a second, and how many seconds an answer may take: a busy machine is no fault.
PATIENT, SLOW = 300, 10
#: The same for the probes of the charts.
QUICK_PROBES: Object = {
    "readiness": {"periodSeconds": 1, "timeoutSeconds": SLOW},
    "startup": {"periodSeconds": 1, "timeoutSeconds": SLOW, "failureThreshold": PATIENT},
}


def probe(path: str, failures: int = 3, period: int = 1) -> Object:
    """Return a probe of a path; the kubelet acts on it after so many failures in a row."""
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period,
        "timeoutSeconds": SLOW,
        "failureThreshold": failures,
    }


def container(image: str, name: str = "chainlit", root_path: str | None = None, **fields: Any) -> Object:
    """Return a container that runs the demo app; ``root_path`` None leaves the variable out."""
    made: Object = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": probe("/health"),
        "livenessProbe": probe("/health", 30, period=10),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    if root_path is not None:
        made["env"] = [{"name": ROOT_PATH, "value": root_path}]
    return made | fields


def workload(*containers: Object, kind: str = "Deployment", name: str = "chat", replicas: int = 1) -> Object:
    """Return a Deployment or StatefulSet of pods that satisfy the restricted Pod Security Standard."""
    labels = {"app": name}
    spec: Object = {
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "terminationGracePeriodSeconds": 3,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 10001,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": list(containers),
                "volumes": [{"name": "tmp", "emptyDir": {}}],
            },
        },
    }
    if kind == "StatefulSet":
        spec["serviceName"] = name
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def service(name: str = "chat", app: str | None = None) -> Object:
    """Return a Service of the pods of ``app``, by default the workload of the same name."""
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    spec = {"selector": {"app": app or name}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def ingress(
    host: str, path: str, name: str = "chat", *, path_type: str = "Prefix", annotations: Mapping[str, str] | None = None
) -> Object:
    """Return an Ingress to the Service of the same name."""
    backend = {"service": {"name": name, "port": {"name": "http"}}}
    paths = [{"path": path, "pathType": path_type, "backend": backend}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "annotations": dict(annotations or {})},
        "spec": {"ingressClassName": "traefik", "rules": [{"host": host, "http": {"paths": paths}}]},
    }


def chainlit_app(name: str = "chat", *, kind: str = "Deployment", workload: str = "chat", **spec: Any) -> Object:
    """Return a ChainlitApp for a workload; ``spec`` holds more fields of its spec."""
    return {
        "apiVersion": "chainlit-operator.dev/v1alpha1",
        "kind": "ChainlitApp",
        "metadata": {"name": name},
        "spec": {"workload": {"ref": {"kind": kind, "name": workload}}} | spec,
    }
