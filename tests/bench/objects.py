"""The objects that the operators are measured on: what a Helm release of a Chainlit app looks like."""

from __future__ import annotations

from typing import Any

GROUP, VERSION = "chainlit-operator.dev", "v1alpha1"
VARIABLE = "CHAINLIT_ROOT_PATH"
CONTAINER = "chainlit"
NAMESPACES = 10


def namespace(number: int) -> str:
    """Return the namespace of the app with this number; apps take turns."""
    return f"bench-{number % NAMESPACES}"


def name(number: int) -> str:
    """Return the name that all objects of an app share."""
    return f"chat-{number:05d}"


def number(name_: str) -> int:
    """Return the number of the app that an object belongs to."""
    return int(name_.rpartition("-")[2])


def is_app(name_: str) -> bool:
    """Whether an object of this name is one of an app, and not put beside them by somebody else."""
    return name_.startswith("chat-")


def collection(kind: str, of: int | None = None) -> str:
    """Return the API path of a kind, in the namespace of an app or (None) in all."""
    where = "" if of is None else f"/namespaces/{namespace(of)}"
    return {
        "Deployment": f"/apis/apps/v1{where}/deployments",
        "Service": f"/api/v1{where}/services",
        "Ingress": f"/apis/networking.k8s.io/v1{where}/ingresses",
        "ChainlitApp": f"/apis/{GROUP}/{VERSION}{where}/chainlitapps",
    }[kind]


def path(kind: str, of: int) -> str:
    """Return the API path of one object of an app."""
    return f"{collection(kind, of)}/{name(of)}"


def _metadata(of: int, **annotations: str) -> dict[str, Any]:
    release = {"meta.helm.sh/release-name": name(of), "meta.helm.sh/release-namespace": namespace(of)}
    return {
        "name": name(of),
        "namespace": namespace(of),
        "labels": {**_pod_labels(of), "app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "chat-1.4.2"},
        "annotations": {**release, **annotations},
    }


def _pod_labels(of: int) -> dict[str, str]:
    return {"app.kubernetes.io/name": "chat", "app.kubernetes.io/instance": name(of)}


def deployment(of: int) -> dict[str, Any]:
    """A Deployment with three containers whose variable is not set and whose probe asks at the top."""

    def secret(variable: str, key: str) -> dict[str, Any]:
        return {"name": variable, "valueFrom": {"secretKeyRef": {"name": f"{name(of)}-keys", "key": key}}}

    chat = {
        "name": CONTAINER,
        "image": f"registry.example.com/chats/{name(of)}:2.12.0",
        "ports": [{"name": "http", "containerPort": 8000}],
        "env": [
            {"name": "CHAINLIT_HOST", "value": "0.0.0.0"},
            {"name": "CHAINLIT_PORT", "value": "8000"},
            {"name": "DATABASE_URL", "value": f"postgresql://chat@db.{namespace(of)}.svc:5432/{name(of)}"},
            {"name": "OTEL_SERVICE_NAME", "value": name(of)},
            secret("CHAINLIT_AUTH_SECRET", "auth"),
            secret("OPENAI_API_KEY", "openai"),
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 5},
        "volumeMounts": [{"name": "files", "mountPath": "/app/.files"}],
    }
    proxy = {
        "name": "sign-in",
        "image": "quay.io/oauth2-proxy/oauth2-proxy:v7.13.0",
        "args": ["--upstream=http://127.0.0.1:8000", "--http-address=0.0.0.0:4180", "--reverse-proxy=true"],
        "ports": [{"name": "sign-in", "containerPort": 4180}],
        "env": [secret("OAUTH2_PROXY_CLIENT_SECRET", "client"), secret("OAUTH2_PROXY_COOKIE_SECRET", "cookie")],
    }
    telemetry = {
        "name": "telemetry",
        "image": "docker.io/otel/opentelemetry-collector:0.140.0",
        "args": ["--config=/etc/otel/config.yaml"],
        "resources": {"limits": {"memory": "128Mi"}},
    }
    template = {
        "metadata": {"labels": _pod_labels(of), "annotations": {"checksum/config": f"{of:064x}"}},
        "spec": {"containers": [chat, proxy, telemetry], "volumes": [{"name": "files", "emptyDir": {}}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(of),
        "spec": {"replicas": 2, "selector": {"matchLabels": _pod_labels(of)}, "template": template},
    }


def rolled_out(count: int = 0) -> dict[str, Any]:
    """The status of a Deployment all of whose pods are ready; ``count`` makes it differ in what nobody reads."""
    times = dict.fromkeys(("lastTransitionTime", "lastUpdateTime"), "2026-01-01T08:00:00Z")
    conditions = [
        {"type": kind, "status": "True", "reason": reason, "message": f"Seen {count} times.", **times}
        for kind, reason in (("Available", "MinimumReplicasAvailable"), ("Progressing", "NewReplicaSetAvailable"))
    ]
    ready = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 2)
    return {"status": {"observedGeneration": 1, "conditions": conditions, **ready}}


def service(of: int) -> dict[str, Any]:
    """The Service in front of the app."""
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    spec = {"selector": _pod_labels(of), "clusterIP": "None", "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(of), "spec": spec}


def ingress(of: int) -> dict[str, Any]:
    """The Ingress at ``/chats/<name>``, with TLS and the annotations of a busy cluster."""
    annotations = {
        "cert-manager.io/cluster-issuer": "letsencrypt",
        "external-dns.alpha.kubernetes.io/hostname": "example.com",
        "traefik.ingress.kubernetes.io/router.entrypoints": "websecure",
    }
    backend = {"service": {"name": name(of), "port": {"name": "http"}}}
    rule = {"path": first_path(of), "pathType": "Prefix", "backend": backend}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": _metadata(of, **annotations),
        "spec": {
            "ingressClassName": "traefik",
            "tls": [{"hosts": ["example.com"], "secretName": "example-tls"}],
            "rules": [{"host": "example.com", "http": {"paths": [rule]}}],
        },
    }


def first_path(of: int) -> str:
    """Return the path at which an app's Ingress is created."""
    return f"/chats/{name(of)}"


def chainlit_app(of: int) -> dict[str, Any]:
    """The ChainlitApp; there are no pods to verify."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "ChainlitApp",
        "metadata": _metadata(of),
        "spec": {
            "workload": {"ref": {"kind": "Deployment", "name": name(of)}},
            "route": {"ref": {"kind": "Ingress", "name": name(of)}},
            "verification": {"mode": "Disabled"},
        },
    }
