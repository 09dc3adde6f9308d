"""``spec.workload.template``: from its fields to the pod template that the app chart renders.

Names and defaults of the fields are those of the chart's values. Merging works as in Helm: maps are merged with their
defaults, all other values replace them, and null removes a default. Four fields have the form that they have in a
Deployment: ``image``, ``imagePullPolicy``, ``replicas`` and ``env`` (the chart's ``extraEnv``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chainlit_operator.domain import chainlit
from chainlit_operator.domain.chainlit import PARENT_ROOT_PATH, ROOT_PATH
from chainlit_operator.domain.desired import app_root, consistent
from chainlit_operator.domain.paths import RootPaths, normalise

Fields = Mapping[str, Any]

PORT_NAME = "http"
PROBES = ("startup", "liveness", "readiness")

DEFAULTS: Fields = {
    "chainlit": {
        "port": chainlit.PORT,
        "forwardedAllowIPs": "*",
        "appRoot": {"path": "/chainlit", "python": "python3"},
    },
    "service": {"type": "ClusterIP", "port": 80},
    "serviceAccount": {"create": True},
    "resources": {
        "requests": {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "128Mi"},
        "limits": {**consistent.LIMITS},
    },
    "probes": {
        "path": chainlit.PROBE_ENDPOINT,
        "startup": {"enabled": True, "periodSeconds": 2, "timeoutSeconds": 5, "failureThreshold": 60},
        "liveness": {"enabled": True, "periodSeconds": 20, "timeoutSeconds": 10, "failureThreshold": 6},
        "readiness": {"enabled": True, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 3},
    },
    "podSecurityContext": {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
    "tmpVolume": {"sizeLimit": "1Gi"},
    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
    "terminationGracePeriodSeconds": 35,
    # A terminating pod serves until ingress controllers stop sending requests. Kubernetes sleeps itself: no shell
    # needed.
    "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
}

#: Spreads the pods of one rollout over the nodes, where possible.
SPREAD: tuple[Fields, ...] = (
    {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "matchLabelKeys": ["pod-template-hash"],
    },
)


def merged(defaults: Fields, given: Fields) -> dict[str, Any]:
    """Return ``given`` over ``defaults``: maps are merged, null removes a default."""
    result = {key: value for key, value in defaults.items() if key not in given}
    for key, value in given.items():
        default = defaults.get(key)
        if isinstance(value, Mapping):
            result[key] = merged(default if isinstance(default, Mapping) else {}, value)
        elif value is not None:
            result[key] = value
    return result


def filled(template: Fields) -> dict[str, Any]:
    """Return the template with the defaults of fields that it omits."""
    fields = merged(DEFAULTS, template)
    agreed = {"strategy": consistent.strategy, "lifecycle": consistent.lifecycle, "resources": consistent.resources}
    return fields | {name: rule(fields.get(name, {})) for name, rule in agreed.items()}


def pod_template(
    fields: Fields, labels: Mapping[str, str], names: tuple[str, str], account: str, roots: RootPaths
) -> dict[str, Any]:
    """Return the pod template of filled ``fields``.

    ``labels`` are those of the selector, ``names`` namespace and name of the app, ``account`` is its ServiceAccount.
    """
    pod_labels = {**fields.get("commonLabels", {}), **fields.get("podLabels", {}), **labels}
    root = app_root.path(fields)
    preparing = [app_root.init_container(fields, root)] if root else []
    return {
        "metadata": _present(labels=pod_labels, annotations=fields.get("podAnnotations")),
        "spec": {
            **fields.get("extraPodSpec", {}),  # first, so that it overrides no field below
            "serviceAccountName": account,
            "automountServiceAccountToken": False,
            # A Service named chainlit would otherwise set CHAINLIT_PORT to an address, and the app would exit at start.
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": fields.get("terminationGracePeriodSeconds"),
            "containers": [_container(fields, names, root, roots), *fields.get("extraContainers", [])],
            "volumes": _volumes(fields, root),
            **_present(
                imagePullSecrets=fields.get("imagePullSecrets"),
                priorityClassName=fields.get("priorityClassName"),
                securityContext=fields.get("podSecurityContext"),
                initContainers=[*preparing, *fields.get("initContainers", [])],
                nodeSelector=fields.get("nodeSelector"),
                tolerations=fields.get("tolerations"),
                affinity=fields.get("affinity"),
                topologySpreadConstraints=_spread(fields, labels),
            ),
        },
    }


def _spread(fields: Fields, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """The constraints, each with a selector for the app's own pods unless it has one."""
    own = {"labelSelector": {"matchLabels": dict(labels)}}
    return [{**own, **constraint} for constraint in fields.get("topologySpreadConstraints") or SPREAD]


def _container(fields: Fields, names: tuple[str, str], root: str, roots: RootPaths) -> dict[str, Any]:
    settings = fields["chainlit"]
    mounts = [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108
    if root:
        mounts.append({"name": app_root.VOLUME, "mountPath": root})
    return {
        "name": chainlit.CONTAINER,
        "image": fields["image"],
        "env": _env(fields, names, root, roots),
        "ports": [{"name": PORT_NAME, "containerPort": settings["port"], "protocol": "TCP"}],
        "volumeMounts": [*mounts, *fields.get("extraVolumeMounts", [])],
        **_probes(fields["probes"], roots),
        **_present(
            imagePullPolicy=fields.get("imagePullPolicy"),
            command=settings.get("command"),
            args=settings.get("args"),
            envFrom=fields.get("envFrom"),
            lifecycle=fields.get("lifecycle"),
            resources=fields.get("resources"),
            securityContext=fields.get("securityContext"),
        ),
    }


def _env(fields: Fields, names: tuple[str, str], root: str, roots: RootPaths) -> list[dict[str, Any]]:
    """The operator's variables by name, without those that ``env`` has, then ``env``, then the root paths.

    An apply puts the root paths last in an adopted workload too, so a change of owner moves nothing.
    """
    settings, (namespace, name) = fields["chainlit"], names
    own = {
        chainlit.HOST_VARIABLE: "",  # all addresses, of IPv4 and IPv6
        chainlit.PORT_VARIABLE: str(settings["port"]),
        # With one name, two apps on one host would log each other out. Chainlit reads every cookie that begins with
        # its own name. Names of objects have no underscore, so no such name begins with another.
        chainlit.AUTH_COOKIE_NAME: settings.get("authCookieName") or f"{namespace}_{name}_access_token",
        **_present(
            {
                chainlit.FORWARDED_ALLOW_IPS: settings.get("forwardedAllowIPs"),
                chainlit.APP_ROOT: root,
                chainlit.URL: settings.get("url", "").removesuffix("/"),
            }
        ),
    }
    # Also when empty: an empty value wins over envFrom and over a .env file in the image.
    last = {ROOT_PATH: roots.root_path}
    if roots.parent_root_path or fields.get("envFrom"):
        last[PARENT_ROOT_PATH] = roots.parent_root_path
    given = fields.get("env", [])
    replaced = {entry["name"] for entry in given}
    before = [{"name": name, "value": own[name]} for name in sorted(own.keys() - replaced)]
    return [*before, *given, *({"name": name, "value": value} for name, value in last.items())]


def _probes(probes: Fields, roots: RootPaths) -> dict[str, Any]:
    path = roots.root_path + (normalise(probes["path"]) or "/")
    return {
        f"{kind}Probe": {
            "httpGet": {"port": PORT_NAME, "path": path},
            **{key: value for key, value in probes[kind].items() if key != "enabled"},
        }
        for kind in PROBES
        if probes.get(kind, {}).get("enabled")
    }


def _volumes(fields: Fields, root: str) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] = [{"name": "tmp", "emptyDir": fields.get("tmpVolume", {})}]
    if root:
        volumes.append({"name": app_root.VOLUME, **(fields["chainlit"]["appRoot"].get("volume") or {"emptyDir": {}})})
    return [*volumes, *fields.get("extraVolumes", [])]


def _present(values: Fields | None = None, **fields: Any) -> dict[str, Any]:
    """The values and fields that are not empty."""
    fields |= values or {}
    return {name: value for name, value in fields.items() if value not in (None, "", {}, [])}
