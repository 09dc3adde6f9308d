"""The chats that operators are measured on: each is what a Helm release of a Chainlit app looks like, by its number."""

from __future__ import annotations

from tests import objects
from tests.objects import Object, path_of

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
    return path_of(kind, "" if of is None else namespace(of))


def path(kind: str, of: int) -> str:
    """Return the API path of one object of an app."""
    return path_of(kind, namespace(of), name(of))


def _metadata(of: int, **annotations: str) -> Object:
    release = {"meta.helm.sh/release-name": name(of), "meta.helm.sh/release-namespace": namespace(of)}
    return {
        "name": name(of),
        "namespace": namespace(of),
        "labels": {**_pod_labels(of), "app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "chat-1.4.2"},
        "annotations": {**release, **annotations},
    }


def _pod_labels(of: int) -> dict[str, str]:
    return {"app.kubernetes.io/name": "chat", "app.kubernetes.io/instance": name(of)}


def deployment(of: int) -> Object:
    """A Deployment with three containers whose variable is not set and whose probe asks at the top."""

    def secret(key: str) -> Object:
        return {"valueFrom": {"secretKeyRef": {"name": f"{name(of)}-keys", "key": key}}}

    chat = objects.container(
        CONTAINER,
        f"registry.example.com/chats/{name(of)}:2.12.0",
        env={
            "CHAINLIT_HOST": "0.0.0.0",
            "CHAINLIT_PORT": "8000",
            "DATABASE_URL": f"postgresql://chat@db.{namespace(of)}.svc:5432/{name(of)}",
            "OTEL_SERVICE_NAME": name(of),
            "CHAINLIT_AUTH_SECRET": secret("auth"),
            "CHAINLIT_AUTH_COOKIE_NAME": name(of),
            "OPENAI_API_KEY": secret("openai"),
        },
        resources={"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        readinessProbe=objects.http_probe("/health", periodSeconds=5),
        volumeMounts=[{"name": "files", "mountPath": "/app/.files"}],
    )
    proxy = objects.container(
        "sign-in",
        "quay.io/oauth2-proxy/oauth2-proxy:v7.13.0",
        args=["--upstream=http://127.0.0.1:8000", "--http-address=0.0.0.0:4180", "--reverse-proxy=true"],
        ports=[{"name": "sign-in", "containerPort": 4180}],
        env={"OAUTH2_PROXY_CLIENT_SECRET": secret("client"), "OAUTH2_PROXY_COOKIE_SECRET": secret("cookie")},
    )
    telemetry = objects.container(
        "telemetry",
        "docker.io/otel/opentelemetry-collector:0.140.0",
        port=None,
        args=["--config=/etc/otel/config.yaml"],
        resources={"limits": {"memory": "128Mi"}},
    )
    return objects.workload(
        *(chat, proxy, telemetry),
        name=name(of),
        labels=_pod_labels(of),
        pod={"volumes": [{"name": "files", "emptyDir": {}}]},
        pod_annotations={"checksum/config": f"{of:064x}"},
        metadata=_metadata(of),
        replicas=2,
    )


def rolled_out(count: int = 0) -> Object:
    """The status of a Deployment all of whose pods are ready; ``count`` makes it differ in what nobody reads."""
    times = dict.fromkeys(("lastTransitionTime", "lastUpdateTime"), "2026-01-01T08:00:00Z")
    conditions = [
        {"type": kind, "status": "True", "reason": reason, "message": f"Seen {count} times.", **times}
        for kind, reason in (("Available", "MinimumReplicasAvailable"), ("Progressing", "NewReplicaSetAvailable"))
    ]
    ready = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 2)
    return {"status": {"observedGeneration": 1, "conditions": conditions, **ready}}


def service(of: int) -> Object:
    """The Service in front of the app."""
    sticky = {"traefik.ingress.kubernetes.io/service.sticky.cookie": "true"}
    return objects.service(name(of), selector=_pod_labels(of), metadata=_metadata(of, **sticky), clusterIP="None")


def ingress(of: int) -> Object:
    """The Ingress at ``/chats/<name>``, with TLS and the annotations of a busy cluster."""
    annotations = {
        "cert-manager.io/cluster-issuer": "letsencrypt",
        "external-dns.alpha.kubernetes.io/hostname": "example.com",
        "traefik.ingress.kubernetes.io/router.entrypoints": "websecure",
    }
    tls = [{"hosts": ["example.com"], "secretName": "example-tls"}]
    return objects.ingress("example.com", first_path(of), name(of), metadata=_metadata(of, **annotations), tls=tls)


def first_path(of: int) -> str:
    """Return the path at which an app's Ingress is created."""
    return f"/chats/{name(of)}"


def chainlit_app(of: int) -> Object:
    """The ChainlitApp; there are no pods to verify."""
    return objects.chainlit_app(
        name(of),
        workload=name(of),
        metadata=_metadata(of),
        route={"ref": {"kind": "Ingress", "name": name(of)}},
        verification={"mode": "Disabled"},
    )
