"""The template: its law of merging, and the pod that comes out of it, whole and setting by setting.

That the chart renders the same pod is compared in tests/charts/test_template.py.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainlit_operator.domain.desired import app_root, pod_template
from chainlit_operator.domain.paths import RootPaths

KEYS = st.sampled_from(["a", "b", "c"])
LEAVES = st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
MAPS = st.recursive(
    st.dictionaries(KEYS, LEAVES, max_size=3), lambda inner: st.dictionaries(KEYS, LEAVES | inner, max_size=3)
)


def leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in leaves(item, (*path, key)).items()}
    return {path: value}


@given(MAPS)
def test_nothing_given_is_the_default_and_the_same_given_changes_nothing(defaults: Any) -> None:
    assert pod_template.merged(defaults, {}) == defaults
    assert pod_template.merged(defaults, defaults) == defaults
    assert pod_template.merged({}, defaults) == defaults


@given(MAPS, MAPS)
def test_what_is_given_wins_and_nothing_is_made_up(defaults: Any, fields: Any) -> None:
    found = leaves(pod_template.merged(defaults, fields))
    assert all(found[path] == value for path, value in leaves(fields).items())
    assert all(path in leaves(fields) or leaves(defaults)[path] == value for path, value in found.items())


@given(MAPS, KEYS)
def test_null_takes_away(defaults: Any, key: str) -> None:
    assert pod_template.merged(defaults, {key: None}) == {k: v for k, v in defaults.items() if k != key}
    assert pod_template.merged({"x": defaults}, {"x": {key: None}})["x"].keys() == defaults.keys() - {key}


#: The pod of an image that has an app root of its own, at /chat.
POD: dict[str, Any] = {
    "metadata": {"labels": {"app.kubernetes.io/instance": "chat"}},
    "spec": {
        "serviceAccountName": "runner",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 35,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "chainlit",
                "image": "chat:1",
                "env": [
                    {"name": "CHAINLIT_AUTH_COOKIE_NAME", "value": "shop_chat_access_token"},
                    {"name": "CHAINLIT_HOST", "value": ""},
                    {"name": "CHAINLIT_PORT", "value": "8000"},
                    {"name": "FORWARDED_ALLOW_IPS", "value": "*"},
                    {"name": "CHAINLIT_ROOT_PATH", "value": "/chat"},
                ],
                "ports": [{"name": "http", "containerPort": 8000, "protocol": "TCP"}],
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
                "startupProbe": {
                    "httpGet": {"port": "http", "path": "/chat/health"},
                    "periodSeconds": 2,
                    "timeoutSeconds": 5,
                    "failureThreshold": 60,
                },
                "livenessProbe": {
                    "httpGet": {"port": "http", "path": "/chat/health"},
                    "periodSeconds": 20,
                    "timeoutSeconds": 10,
                    "failureThreshold": 6,
                },
                "readinessProbe": {
                    "httpGet": {"port": "http", "path": "/chat/health"},
                    "periodSeconds": 5,
                    "timeoutSeconds": 5,
                    "failureThreshold": 3,
                },
                "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
                "resources": {
                    "requests": {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "128Mi"},
                    "limits": {"memory": "1Gi", "ephemeral-storage": "2Gi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}],
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "matchLabelKeys": ["pod-template-hash"],
                "labelSelector": {"matchLabels": {"app.kubernetes.io/instance": "chat"}},
            }
        ],
    },
}

Path = tuple[str | int, ...]
AT_CHAT = RootPaths("/chat", "")


def rendered(roots: RootPaths = AT_CHAT, **fields: Any) -> dict[str, Any]:
    settings = fields.get("chainlit", {})
    fields["chainlit"] = {**settings, "appRoot": {"path": "", **settings.get("appRoot", {})}}
    filled = pod_template.filled({"image": "chat:1"} | fields)
    return pod_template.pod_template(filled, {"app.kubernetes.io/instance": "chat"}, ("shop", "chat"), "runner", roots)


def put(tree: Any, path: Path, value: Any) -> Any:
    """A copy of ``tree`` with ``value`` at ``path``; None takes away, and a number beyond a list's end adds."""
    tree = copy.deepcopy(tree)
    at = tree
    for step in path[:-1]:
        at = at[step]
    if value is None:
        del at[path[-1]]
    elif isinstance(at, list) and path[-1] == len(at):
        at.append(value)
    else:
        at[path[-1]] = value
    return tree


def test_pod_of_an_image() -> None:
    assert rendered() == POD


def test_any_image_has_a_writable_app_root_by_default() -> None:
    pod = pod_template.pod_template(pod_template.filled({"image": "chat:1"}), {}, ("shop", "chat"), "runner", AT_CHAT)
    (filler,) = pod["spec"]["initContainers"]
    (container,) = pod["spec"]["containers"]
    assert filler["command"][4:] == ["/chainlit", "/run/app-root", "", ""]
    assert container["env"][0] == variable("CHAINLIT_APP_ROOT", "/chainlit")
    assert {"name": "app-root", "mountPath": "/chainlit"} in container["volumeMounts"]
    assert {"name": "app-root", "emptyDir": {}} in pod["spec"]["volumes"]


def test_app_root_of_the_user_is_the_users_matter() -> None:
    own = [variable("CHAINLIT_APP_ROOT", "/data")]
    assert "initContainers" not in rendered(env=own, chainlit={"appRoot": {"path": "/chainlit"}})["spec"]


def test_container_that_fills_the_app_root_has_what_the_image_needs() -> None:
    data, inside, beside = ({"name": "data", "mountPath": place} for place in ("/data", "/data/own", "/database"))
    settings = {"path": "/data/", "python": "/opt/python", "imageDir": "/srv/app"}
    pod = rendered(
        imagePullPolicy="Always",
        extraVolumeMounts=[data, inside, beside, {"name": "odd"}],
        chainlit={"appRoot": settings},
    )
    (filler,), (container,) = pod["spec"]["initContainers"], pod["spec"]["containers"]
    assert filler == {
        "name": "app-root",
        "image": "chat:1",
        "imagePullPolicy": "Always",
        "command": ["/opt/python", "-IS", "-c", app_root.SCRIPT, "/data", "/run/app-root", "/srv/app", ""],
        "volumeMounts": [{"name": "app-root", "mountPath": "/run/app-root"}, beside, {"name": "odd"}],
        "resources": container["resources"],
        "securityContext": container["securityContext"],
    }


@pytest.mark.parametrize("settings", [{}, {"path": ""}])
def test_app_root_without_a_path_is_that_of_the_image(settings: dict[str, Any]) -> None:
    assert "initContainers" not in rendered(chainlit={"appRoot": settings})["spec"]


SPEC: Path = ("spec",)
CONTAINER: Path = ("spec", "containers", 0)
ENV: Path = (*CONTAINER, "env")
VOLUMES: Path = ("spec", "volumes")
LABELS: Path = ("metadata", "labels")
EPHEMERAL: dict[str, Any] = {"ephemeral": {"volumeClaimTemplate": {}}}


#: The init container that fills the app root /data.
FILLER: dict[str, Any] = {
    "name": "app-root",
    "image": "chat:1",
    "command": ["python3", "-IS", "-c", app_root.SCRIPT, "/data", "/run/app-root", "", ""],
    "volumeMounts": [{"name": "app-root", "mountPath": "/run/app-root"}],
    "resources": POD["spec"]["containers"][0]["resources"],
    "securityContext": POD["spec"]["containers"][0]["securityContext"],
}


def variable(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


#: What one setting changes about the pod, and nothing else.
SETTINGS: list[tuple[dict[str, Any], dict[Path, Any]]] = [
    # the pod
    ({"commonLabels": {"team": "a"}}, {(*LABELS, "team"): "a"}),
    ({"podLabels": {"tier": "web"}}, {(*LABELS, "tier"): "web"}),
    ({"podLabels": {"app.kubernetes.io/instance": "x"}}, {}),
    ({"commonLabels": {"app.kubernetes.io/instance": "x"}}, {}),
    ({"commonLabels": {"team": "a"}, "podLabels": {"team": "b"}}, {(*LABELS, "team"): "b"}),
    ({"podAnnotations": {"note": "x"}}, {("metadata", "annotations"): {"note": "x"}}),
    ({"podAnnotations": {}}, {}),
    ({"terminationGracePeriodSeconds": 60}, {(*SPEC, "terminationGracePeriodSeconds"): 60}),
    ({"imagePullSecrets": [{"name": "r"}]}, {(*SPEC, "imagePullSecrets"): [{"name": "r"}]}),
    ({"imagePullSecrets": []}, {}),
    ({"priorityClassName": "high"}, {(*SPEC, "priorityClassName"): "high"}),
    ({"priorityClassName": ""}, {}),
    ({"podSecurityContext": {"fsGroup": 7}}, {(*SPEC, "securityContext", "fsGroup"): 7}),
    ({"podSecurityContext": {"fsGroup": None}}, {(*SPEC, "securityContext", "fsGroup"): None}),
    ({"podSecurityContext": None}, {(*SPEC, "securityContext"): None}),
    ({"initContainers": [{"name": "wait"}]}, {(*SPEC, "initContainers"): [{"name": "wait"}]}),
    ({"extraContainers": [{"name": "proxy"}]}, {("spec", "containers", 1): {"name": "proxy"}}),
    ({"nodeSelector": {"disk": "ssd"}}, {(*SPEC, "nodeSelector"): {"disk": "ssd"}}),
    ({"nodeSelector": {}}, {}),
    ({"tolerations": [{"key": "gpu"}]}, {(*SPEC, "tolerations"): [{"key": "gpu"}]}),
    ({"affinity": {"podAffinity": {}}}, {(*SPEC, "affinity"): {"podAffinity": {}}}),
    ({"topologySpreadConstraints": [{"maxSkew": 1, "labelSelector": {}}]},
     {(*SPEC, "topologySpreadConstraints"): [{"maxSkew": 1, "labelSelector": {}}]}),
    ({"topologySpreadConstraints": []}, {}),
    ({"extraPodSpec": {"dnsPolicy": "None"}}, {(*SPEC, "dnsPolicy"): "None"}),
    # volumes
    ({"tmpVolume": {"medium": "Memory"}}, {(*VOLUMES, 0, "emptyDir", "medium"): "Memory"}),
    ({"tmpVolume": {"sizeLimit": None}}, {(*VOLUMES, 0, "emptyDir"): {}}),
    ({"tmpVolume": None}, {(*VOLUMES, 0, "emptyDir"): {}}),
    ({"extraVolumes": [{"name": "conf"}]}, {(*VOLUMES, 1): {"name": "conf"}}),
    ({"extraVolumeMounts": [{"name": "conf"}]}, {(*CONTAINER, "volumeMounts", 1): {"name": "conf"}}),
    (
        {"chainlit": {"appRoot": {"path": "/data"}}},
        {
            (*SPEC, "initContainers"): [FILLER],
            (*CONTAINER, "volumeMounts", 1): {"name": "app-root", "mountPath": "/data"},
            (*VOLUMES, 1): {"name": "app-root", "emptyDir": {}},
            ENV: [variable("CHAINLIT_APP_ROOT", "/data"), *POD["spec"]["containers"][0]["env"]],
        },
    ),
    (
        {
            "chainlit": {"appRoot": {"path": "/data", "volume": EPHEMERAL}},
            "extraVolumes": [{"name": "conf"}],
            "extraVolumeMounts": [{"name": "conf"}],
        },
        {
            (*SPEC, "initContainers"): [{**FILLER, "volumeMounts": [*FILLER["volumeMounts"], {"name": "conf"}]}],
            (*CONTAINER, "volumeMounts", 1): {"name": "app-root", "mountPath": "/data"},
            (*CONTAINER, "volumeMounts", 2): {"name": "conf"},
            (*VOLUMES, 1): {"name": "app-root", **EPHEMERAL},
            (*VOLUMES, 2): {"name": "conf"},
            ENV: [variable("CHAINLIT_APP_ROOT", "/data"), *POD["spec"]["containers"][0]["env"]],
        },
    ),
    ({"chainlit": {"appRoot": {"volume": EPHEMERAL}}}, {}),  # a volume without a place is none
    # the container
    ({"image": "chat@sha256:0"}, {(*CONTAINER, "image"): "chat@sha256:0"}),
    ({"imagePullPolicy": "Always"}, {(*CONTAINER, "imagePullPolicy"): "Always"}),
    ({"imagePullPolicy": ""}, {}),
    ({"chainlit": {"command": ["chainlit"]}}, {(*CONTAINER, "command"): ["chainlit"]}),
    ({"chainlit": {"args": ["run"]}}, {(*CONTAINER, "args"): ["run"]}),
    ({"chainlit": {"args": []}}, {}),
    (
        {"lifecycle": {"preStop": {"sleep": {"seconds": 9}}}},
        {(*CONTAINER, "lifecycle", "preStop", "sleep", "seconds"): 9},
    ),
    ({"lifecycle": {"preStop": {"sleep": None, "exec": {}}}}, {(*CONTAINER, "lifecycle"): {"preStop": {"exec": {}}}}),
    ({"lifecycle": {"preStop": None}}, {(*CONTAINER, "lifecycle"): None}),
    ({"resources": {"limits": {"cpu": 2}}}, {(*CONTAINER, "resources", "limits", "cpu"): 2}),
    ({"resources": None}, {(*CONTAINER, "resources"): None}),
    (
        {"securityContext": {"readOnlyRootFilesystem": False}},
        {(*CONTAINER, "securityContext", "readOnlyRootFilesystem"): False},
    ),
    ({"securityContext": None}, {(*CONTAINER, "securityContext"): None}),
    (
        {"chainlit": {"port": 9000}},
        {(*CONTAINER, "ports", 0, "containerPort"): 9000, (*ENV, 2, "value"): "9000"},
    ),
    # its variables
    ({"chainlit": {"url": "https://a.example/"}},
     {ENV: [*POD["spec"]["containers"][0]["env"][:3], variable("CHAINLIT_URL", "https://a.example"),
            *POD["spec"]["containers"][0]["env"][3:]]}),
    ({"chainlit": {"url": ""}}, {}),
    ({"chainlit": {"authCookieName": "mine"}}, {(*ENV, 0, "value"): "mine"}),
    ({"chainlit": {"authCookieName": ""}}, {}),
    ({"chainlit": {"forwardedAllowIPs": "10.0.0.0/8"}}, {(*ENV, 3, "value"): "10.0.0.0/8"}),
    ({"chainlit": {"forwardedAllowIPs": ""}}, {(*ENV, 3): None}),
    ({"chainlit": {"forwardedAllowIPs": None}}, {(*ENV, 3): None}),
    (
        {"env": [variable("B", "2"), variable("A", "1")]},
        {ENV: [*POD["spec"]["containers"][0]["env"][:4], variable("B", "2"), variable("A", "1"),
               variable("CHAINLIT_ROOT_PATH", "/chat")]},
    ),
    (
        {"env": [variable("CHAINLIT_HOST", "::")]},
        {ENV: [
            *(POD["spec"]["containers"][0]["env"][at] for at in (0, 2, 3)),
            variable("CHAINLIT_HOST", "::"),
            variable("CHAINLIT_ROOT_PATH", "/chat"),
        ]},
    ),
    (
        {"envFrom": [{"secretRef": {"name": "all"}}]},
        {
            (*CONTAINER, "envFrom"): [{"secretRef": {"name": "all"}}],
            (*ENV, 5): variable("CHAINLIT_PARENT_ROOT_PATH", ""),
        },
    ),
    ({"envFrom": []}, {}),
    # its probes
    ({"probes": {"path": "auth/config/"}}, {(*CONTAINER, f"{kind}Probe", "httpGet", "path"): "/chat/auth/config"
                                            for kind in pod_template.PROBES}),
    ({"probes": {"path": "/"}}, {(*CONTAINER, f"{kind}Probe", "httpGet", "path"): "/chat/"
                                 for kind in pod_template.PROBES}),
    ({"probes": {"liveness": {"enabled": False}}}, {(*CONTAINER, "livenessProbe"): None}),
    ({"probes": {"startup": None}}, {(*CONTAINER, "startupProbe"): None}),
    ({"probes": {"readiness": {"enabled": None}}}, {(*CONTAINER, "readinessProbe"): None}),
    (
        {"probes": {"readiness": {"initialDelaySeconds": 1, "failureThreshold": None}}},
        {
            (*CONTAINER, "readinessProbe", "initialDelaySeconds"): 1,
            (*CONTAINER, "readinessProbe", "failureThreshold"): None,
        },
    ),
    # what concerns the Deployment, or other objects
    ({"strategy": {"type": "Recreate"}, "replicas": 3, "deploymentAnnotations": {"a": "b"}}, {}),
    ({"service": {"port": 8080, "annotations": {"a": "b"}}, "serviceAccount": {"name": "other"}}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "changes"), SETTINGS, ids=[repr(row[0]) for row in SETTINGS])
def test_each_setting_changes_what_it_says_and_nothing_else(fields: dict[str, Any], changes: dict[Path, Any]) -> None:
    expected = POD
    for path, value in changes.items():
        expected = put(expected, path, value)
    given = copy.deepcopy(fields)
    assert rendered(**fields) == expected
    assert fields == given


@pytest.mark.parametrize("kind", pod_template.PROBES)
def test_a_probe_without_a_switch_is_off(kind: str) -> None:
    probes = {"path": "/health", kind: {"periodSeconds": 1}}
    fields = pod_template.filled({"image": "chat:1"}) | {"probes": probes}
    (found,) = pod_template.pod_template(fields, {}, ("shop", "chat"), "", RootPaths("", ""))["spec"]["containers"]
    assert not [field for field in found if field.endswith("Probe")]


@pytest.mark.parametrize(
    ("roots", "env", "probe"),
    [
        (RootPaths("", ""), [variable("CHAINLIT_ROOT_PATH", "")], "/health"),
        (RootPaths("/a/b", ""), [variable("CHAINLIT_ROOT_PATH", "/a/b")], "/a/b/health"),
        (
            RootPaths("", "/chat"),
            [variable("CHAINLIT_ROOT_PATH", ""), variable("CHAINLIT_PARENT_ROOT_PATH", "/chat")],
            "/health",
        ),
        (
            RootPaths("/b", "/a"),
            [variable("CHAINLIT_ROOT_PATH", "/b"), variable("CHAINLIT_PARENT_ROOT_PATH", "/a")],
            "/b/health",
        ),
    ],
)
def test_root_paths(roots: RootPaths, env: list[Any], probe: str) -> None:
    expected = put(POD, ENV, [*POD["spec"]["containers"][0]["env"][:4], *env])
    for kind in pod_template.PROBES:
        expected = put(expected, (*CONTAINER, f"{kind}Probe", "httpGet", "path"), probe)
    assert rendered(roots) == expected


@pytest.mark.parametrize(
    ("given", "strategy"),
    [
        ({}, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}),
        (
            {"strategy": {"rollingUpdate": {"maxSurge": "50%"}}},
            {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "50%", "maxUnavailable": 0}},
        ),
        ({"strategy": {"type": "Recreate"}}, {"type": "Recreate"}),
        ({"strategy": None}, {}),
    ],
)
def test_another_strategy_has_no_settings_of_the_default_one(given: Any, strategy: Any) -> None:
    assert pod_template.filled({"image": "chat:1"} | given)["strategy"] == strategy


def test_what_is_left_out_has_its_default() -> None:
    assert pod_template.filled({"image": "chat:1"}) == {"image": "chat:1", **pod_template.DEFAULTS}


def test_constraints_are_for_the_apps_own_pods_unless_they_say_for_which() -> None:
    own = {"matchLabels": {"app.kubernetes.io/instance": "chat"}}
    zone = {"topologyKey": "zone", "maxSkew": 1}
    others = {**zone, "labelSelector": {"matchLabels": {"app": "other"}}}
    found = rendered(topologySpreadConstraints=[zone, others])["spec"]["topologySpreadConstraints"]
    assert found == [{**zone, "labelSelector": own}, others]


def test_more_fields_of_the_pod_take_none_away() -> None:
    more = {"hostAliases": [{"ip": "10.0.0.1"}], "enableServiceLinks": True, "containers": []}
    expected = put(POD, ("spec", "hostAliases"), more["hostAliases"])
    assert rendered(extraPodSpec=more) == expected
