"""``spec.workload.template`` gives what the app's chart gives of the same values."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from chainlit_operator.domain import chainlit
from chainlit_operator.domain.desired import drift, manifests, pod_template
from chainlit_operator.domain.model import App, AppSpec, NewIngress, ServicePort
from chainlit_operator.domain.paths import RootPaths
from chainlit_operator.object_ref import Ref

from .generated import CHARTS
from .rendering import Object, app, load

VALUES: Object = load((CHARTS / "chainlit/values.yaml").read_text(encoding="utf-8"))
IMAGE = {"repository": "registry.example.com:5000/team/chat", "tag": "1.2"}

#: Values of the chart that are said elsewhere in a ChainlitApp, or in another form.
ELSEWHERE = {"nameOverride", "fullnameOverride", "image", "replicaCount", "route", "operator", "env", "extraEnv"}
#: Those that the chart makes ConfigMaps, Secrets and references to Secrets of: with a ChainlitApp these are the user's
#: own, and its env, volumes and mounts name them.
ELSEWHERE |= {"app", "auth", "oauth", "database", "storage"}
#: What the cluster is, which a ChainlitApp does not ask: null takes an id away there. A claim is the user's own.
ELSEWHERE |= {"openshift", "persistence", "revisionHistoryLimit"}
#: A login proxy is a container of the user's own there, in `extraContainers`.
ELSEWHERE |= {"authProxy"}
#: helm test and parent charts have no equal there.
ELSEWHERE |= {"tests", "global"}
#: What it sets are variables, files and annotations, which are the user's own there.
ELSEWHERE |= {"embed", "commonAnnotations"}
#: The operator does not create workloads with a drain.
ELSEWHERE |= {"drain"}
#: Objects beside the app that the operator does not create, and whoever describes an app may.
ELSEWHERE |= {"autoscaling", "podDisruptionBudget", "networkPolicy", "extraObjects"}

TLS = [{"secretName": "x", "hosts": ["a.example"]}]
RICH: Object = {
    "commonLabels": {"team": "chat"},
    "image": {"digest": f"sha256:{'0' * 64}", "pullPolicy": "Always"},
    "imagePullSecrets": [{"name": "registry"}],
    "replicaCount": 3,
    "route": {
        "path": "/team/chat",
        "host": "chat.example.com",
        "className": "traefik",
        "annotations": {"a": "b"},
        "affinity": {"mode": "External"},
    },
    "chainlit": {
        "command": ["chainlit"],
        "args": ["run", "/srv/app.py", "--headless"],
        "port": 9000,
        "authCookieName": "mine",
        "forwardedAllowIPs": "",
        "appRoot": {"path": "/data", "volume": {"ephemeral": {"volumeClaimTemplate": {}}}},
    },
    "extraEnv": [
        {"name": "A", "value": "$(CHAINLIT_HOST)"},
        {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "chat", "key": "secret"}}},
        {"name": "CHAINLIT_HOST", "value": "::"},
    ],
    "service": {"type": "NodePort", "port": 8080, "annotations": {"sticky": "true"}},
    "serviceAccount": {"name": "runner", "annotations": {"role": "none"}},
    "resources": {"requests": {"cpu": 0.5}, "limits": {"cpu": "2", "memory": "2Gi"}},
    "probes": {
        "path": "/auth/config",
        "startup": {"failureThreshold": 300},
        "liveness": {"enabled": False},
        "readiness": {"initialDelaySeconds": 1},
    },
    "podSecurityContext": {"fsGroup": None, "supplementalGroups": [7]},
    "securityContext": {"readOnlyRootFilesystem": False},
    "tmpVolume": {"medium": "Memory"},
    "strategy": {"rollingUpdate": {"maxSurge": "50%"}},
    "terminationGracePeriodSeconds": 60,
    "priorityClassName": "high",
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "gpu", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"},
        {"maxSkew": 1, "topologyKey": "host", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}},
    ],
    "podLabels": {"tier": "web", "app.kubernetes.io/instance": "not-this"},
    "podAnnotations": {"note": "x"},
    "deploymentAnnotations": {"note": "y"},
    "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
    "initContainers": [{"name": "wait", "image": "example/wait"}],
    "extraContainers": [{"name": "proxy", "image": "example/proxy"}],
    "extraVolumes": [{"name": "conf", "configMap": {"name": "conf"}}],
    "extraVolumeMounts": [{"name": "conf", "mountPath": "/conf"}],
    "extraPodSpec": {"hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}], "runtimeClassName": "gvisor"},
}

TABLE = [
    pytest.param({}, id="defaults"),
    pytest.param(RICH, id="rich"),
    pytest.param({"replicaCount": 0, "route": {"path": "chat/"}}, id="scaled-to-zero"),
    pytest.param({"chainlit": {"appRoot": {"path": "/data"}}, "tmpVolume": {"sizeLimit": None}}, id="app-root"),
    pytest.param({"serviceAccount": {"create": False}}, id="default-account"),
    pytest.param({"serviceAccount": {"create": False, "name": "theirs"}}, id="foreign-account"),
    pytest.param({"probes": {k: {"enabled": False} for k in ("startup", "liveness", "readiness")}}, id="no-probes"),
    pytest.param({"probes": {"path": "/"}, "route": {"path": "/x"}}, id="probes-at-the-page"),
    pytest.param({"resources": None, "podSecurityContext": None, "securityContext": None}, id="nothing-by-default"),
    pytest.param({"lifecycle": {"preStop": None}, "topologySpreadConstraints": []}, id="neither-hook-nor-constraint"),
    pytest.param({"lifecycle": {"preStop": {"sleep": None, "exec": {"command": ["true"]}}}}, id="another-hook"),
    pytest.param({"lifecycle": {"preStop": {"exec": {"command": ["true"]}}}}, id="hook-instead-of-the-sleep"),
    pytest.param({"strategy": {"type": "Recreate"}}, id="recreate"),
    pytest.param(
        {"resources": {"requests": {"memory": "2Gi", "ephemeral-storage": "2000Mi"}}}, id="request-above-limit"
    ),
    pytest.param({"route": {"host": "a.example", "path": "/x", "tls": TLS}}, id="certificate"),
    pytest.param({"route": {"host": "*.example", "tls": [{"secretName": "x", "hosts": ["*.example"]}]}}, id="any-host"),
    pytest.param({"route": {"tls": [{"secretName": "x"}]}}, id="no-host"),
    pytest.param(
        {"route": {"host": "a.example", "tls": TLS}, "chainlit": {"url": "https://b.example:8443/"}}, id="another-url"
    ),
    pytest.param({"envFrom": [{"secretRef": {"name": "all"}}]}, id="env-from"),
]


def chainlit_app(values: Object) -> App:
    """The ChainlitApp that asks for what the release ``chat`` has of the values."""
    fields = {key: value for key, value in values.items() if key not in ELSEWHERE}
    image = {**IMAGE, **values.get("image", {})}
    end = f"@{image['digest']}" if image.get("digest") else f":{image['tag']}"
    fields |= {"image": image["repository"] + end, "env": values.get("extraEnv", [])}
    fields["replicas"] = values.get("replicaCount", 1)
    if image.get("pullPolicy"):
        fields["imagePullPolicy"] = image["pullPolicy"]
    spec = AppSpec("Deployment", "chat-chainlit", chainlit.CONTAINER, template=fields, ingress=new_ingress(values))
    return App(Ref("ChainlitApp", "demo", "chat-chainlit"), "uid", "1", 1, "", spec)


def new_ingress(values: Object) -> NewIngress:
    route: Any = values.get("route", {})
    return NewIngress(
        path=route.get("path", "/"),
        host=route.get("host", ""),
        class_name=route.get("className", ""),
        tls=tuple(route.get("tls", [])),
        annotations=route.get("annotations", {}),
    )


def plain(item: Object, *, keep_owner: bool = False) -> Object:
    """An object without what tells that the operator made it, or Helm, and for which app."""
    item = copy.deepcopy(item)
    item["metadata"].pop("ownerReferences", None)
    ours = (drift.DIGEST, drift.MANAGED_BY, "helm.sh/chart", "app.kubernetes.io/name", "app.kubernetes.io/instance")
    spec = item.get("spec", {})
    for holder in (item["metadata"], spec.get("template", {}).get("metadata", {})):
        for kind in ("labels", "annotations"):
            holder[kind] = {key: text for key, text in holder.get(kind, {}).items() if key not in ours}
    chosen = spec.pop("selector", None)
    for constraint in spec.get("template", {}).get("spec", {}).get("topologySpreadConstraints", []):
        if constraint["labelSelector"] == chosen:
            constraint["labelSelector"] = "the Deployment's"
    return item


def without_parent(item: Object) -> Object:
    """A Deployment without the parent root path, which the chart does not know: its route strips nothing."""
    env = item["spec"]["template"]["spec"]["containers"][0]["env"]
    env[:] = [entry for entry in env if entry["name"] != "CHAINLIT_PARENT_ROOT_PATH"]
    return item


@pytest.mark.parametrize("values", TABLE)
def test_template_gives_what_the_chart_gives(values: Object) -> None:
    release = app({**values, "image": {**IMAGE, **values.get("image", {})}})
    asked = chainlit_app(values)
    path = release.env()["CHAINLIT_ROOT_PATH"]
    made = [*manifests.dependencies(asked), manifests.deployment(asked, RootPaths(path, ""))]
    kinds = {manifest.ref.kind for manifest in made}
    expected = {item["kind"]: plain(item) for item in release.objects if item["kind"] in kinds}
    assert {item["kind"] for item in release.objects} - kinds <= {"Ingress", "PodDisruptionBudget", "Pod"}
    found = {manifest.ref.kind: plain(dict(manifest.body)) for manifest in made}
    found["Deployment"] = without_parent(found["Deployment"])
    assert found == expected
    assert tuple(manifest.ref for manifest in made) == tuple(r for r in manifests.refs(asked) if r.kind != "Ingress")


@pytest.mark.parametrize("values", TABLE)
def test_created_ingress_is_the_charts(values: Object) -> None:
    release = app({**values, "image": {**IMAGE, **values.get("image", {})}})
    made = manifests._ingress(chainlit_app(values), new_ingress(values), "chat-chainlit", ServicePort("http", 80))
    assert plain(dict(made.body)) == plain(release.one("Ingress"))


def test_defaults_are_the_charts() -> None:
    values = {key: value for key, value in VALUES.items() if key not in ELSEWHERE}
    assert pod_template.DEFAULTS.keys() <= values.keys()
    # A created pod has no token: it could be that of any ServiceAccount.
    values["serviceAccount"] = {k: v for k, v in values["serviceAccount"].items() if k != "automount"}
    assert present({key: pod_template.DEFAULTS.get(key, {}) for key in values}) == present(values)


def present(value: Any) -> Any:
    """A value without what is empty in it."""
    if isinstance(value, dict):
        filled = {key: present(item) for key, item in value.items()}
        return {key: item for key, item in filled.items() if item not in (None, "", {}, [])}
    return value


def test_another_strategy_has_no_settings_of_the_default_one() -> None:
    asked = chainlit_app({"strategy": {"type": "Recreate"}})
    assert manifests.deployment(asked, RootPaths("", "")).body["spec"]["strategy"] == {"type": "Recreate"}


def test_pods_are_found_by_neither_of_two_releases_of_one_name() -> None:
    release = app()
    chosen = release.one("Service")["spec"]["selector"]
    asked = chainlit_app({"podLabels": chosen})
    labels = manifests.deployment(asked, RootPaths("", "")).body["spec"]["template"]["metadata"]["labels"]
    assert not chosen.items() <= labels.items()
    assert not manifests.selector(asked).items() <= release.pod()["metadata"]["labels"].items()
