"""Values that the API server, Helm or Chainlit itself would refuse later: they work, or are refused with the remedy."""

from __future__ import annotations

from typing import Any

import pytest

from chainlit_operator.domain.desired import consistent

from .generated import CHARTS, defaults
from .rendering import Object, Rendered, app, dump, helm, load_all, notes, operator, refusal

IMAGE: Object = {"image": {"repository": "example/chat"}}


def refused(values: Object) -> str:
    """The line that refuses the values."""
    (line,) = [line for line in refusal("chainlit", {**IMAGE, **values}).splitlines() if "execution error" in line]
    return line


def test_another_strategy_has_no_settings_of_the_default_one() -> None:
    strategy = app({"strategy": {"type": "Recreate"}}).one("Deployment")["spec"]["strategy"]
    assert strategy == {"type": "Recreate"}


@pytest.mark.parametrize("handler", [{"exec": {"command": ["true"]}}, {"httpGet": {"port": "http", "path": "/x"}}])
def test_another_hook_replaces_the_sleep(handler: Object) -> None:
    assert app({"lifecycle": {"preStop": handler}}).container()["lifecycle"] == {"preStop": handler}
    both = app({"lifecycle": {"postStart": handler}}).container()["lifecycle"]
    assert both == {"postStart": handler, "preStop": {"sleep": {"seconds": 5}}}


@pytest.mark.parametrize(
    ("given", "memory"),
    [
        ({"requests": {"memory": "2Gi"}}, "2Gi"),
        ({"requests": {"memory": "1.5Gi"}}, "1.5Gi"),
        ({"requests": {"memory": 2147483648}}, 2147483648),
        ({"requests": {"memory": "2e9"}}, "2e9"),
        ({"requests": {"memory": "1024Mi"}}, "1Gi"),
        ({"requests": {"memory": "1G"}}, "1Gi"),
        ({"requests": {"memory": "4Gi"}, "limits": {"memory": "3Gi"}}, "3Gi"),  # the API server says what is wrong
        ({}, "1Gi"),
    ],
)
def test_request_lifts_a_limit_that_nobody_set(given: Object, memory: object) -> None:
    assert app({"resources": given}).container()["resources"]["limits"]["memory"] == memory
    filled = {kind: defaults("chainlit")["resources"][kind] | given.get(kind, {}) for kind in ("requests", "limits")}
    assert consistent.resources(filled)["limits"]["memory"] == memory


def test_limits_that_give_way_are_the_defaults() -> None:
    assert defaults("chainlit")["resources"]["limits"] == consistent.LIMITS


@pytest.mark.parametrize(
    ("quantity", "size"),
    [("1Ki", 1024), ("1k", 1000), (5, 5), ("1.5M", 1.5e6), ("2e3", 2000), ("1E", 1e18), ("", 0), ("x", 0), ("1x", 0)],
)
def test_quantities(quantity: object, size: float) -> None:
    assert consistent.size(quantity) == size


def test_options_are_added_to_the_command() -> None:
    container = app({"app": {"files": {"app.py": ""}}, "chainlit": {"args": ["--debug"]}}).container()
    assert container["command"] == ["chainlit", "run", "/chainlit/app.py", "--headless"]
    assert container["args"] == ["--debug"]
    container = app({"app": {"files": {"app.py": ""}}, "chainlit": {"args": ["run", "x.py"]}}).container()
    assert "command" not in container


def test_token_is_mounted_for_an_app_that_asks_for_it() -> None:
    for given, expected in (({}, False), ({"automount": True}, True), ({"automount": None}, False)):
        release = app({"serviceAccount": given})
        assert release.pod()["spec"]["automountServiceAccountToken"] is expected
        assert release.one("ServiceAccount")["automountServiceAccountToken"] is expected
    assert "use serviceAccount.automount" in refused({"extraPodSpec": {"automountServiceAccountToken": True}})


IDS = {"runAsUser", "runAsGroup", "fsGroup"}


@pytest.mark.parametrize(
    ("values", "groups", "left"),
    [
        ({}, [], IDS),
        ({}, ["security.openshift.io/v1"], set()),
        ({"openshift": True}, [], set()),
        ({"openshift": "true"}, [], set()),
        ({"openshift": False}, ["security.openshift.io/v1"], IDS),
        ({"openshift": True, "podSecurityContext": {"fsGroup": 7}}, [], {"fsGroup"}),
    ],
)
def test_openshift_chooses_the_ids(values: Object, groups: list[str], left: set[str]) -> None:
    given = {**IMAGE, "tests": {"image": {"repository": "x"}}, **values}
    options = [f"--api-versions={group}" for group in groups]
    text = helm("template", "chat", str(CHARTS / "chainlit"), "--values", "-", *options, values=dump(given))
    release = Rendered(tuple(load_all(text)))
    for spec in (release.pod()["spec"], release.one("Pod")["spec"]):
        context = spec["securityContext"]
        assert context.keys() & IDS == left
        assert context["runAsNonRoot"] is True
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}


def test_fields_of_the_service() -> None:
    fields: Object = {
        "loadBalancerClass": "example.com/internal",
        "loadBalancerSourceRanges": ["203.0.113.0/24"],
        "externalTrafficPolicy": "Local",
        "ipFamilyPolicy": "PreferDualStack",
        "ipFamilies": ["IPv6", "IPv4"],
    }
    metrics = {"name": "metrics", "port": 9090}
    given = {"type": "LoadBalancer", "nodePort": 30080, "appProtocol": "kubernetes.io/ws", "extraPorts": [metrics]}
    labels = {"team": "chat", "app.kubernetes.io/name": "not-this"}
    service = app({"service": {**fields, **given, "labels": labels}}).one("Service")
    spec = service["spec"]
    assert fields.items() <= spec.items()
    assert spec["ports"] == [
        {
            "name": "http",
            "port": 80,
            "targetPort": "http",
            "nodePort": 30080,
            "protocol": "TCP",
            "appProtocol": "kubernetes.io/ws",
        },
        metrics,
    ]
    assert (service["metadata"]["labels"]["team"], service["metadata"]["labels"]["app.kubernetes.io/name"]) == (
        "chat",
        "chainlit",
    )
    assert app().one("Service")["spec"].keys() == {"type", "selector", "ports"}


@pytest.mark.parametrize("port", [4180, "login"])
def test_service_may_lead_to_a_login_proxy(port: Any) -> None:
    release = app({"service": {"targetPort": port}})
    (found,) = release.one("Service")["spec"]["ports"]
    assert found["targetPort"] == port
    assert release.container()["startupProbe"]["httpGet"]["port"] == "http"


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        pytest.param(
            {"storage": {"provider": "s3", "existingSecret": "x"}},
            ["storage", "set database.existingSecret"],
            id="storage",
        ),
        pytest.param({"chainlit": {"config": {"UI": "x"}}}, ["chainlit.config.UI", "write it as a map"], id="section"),
        pytest.param({"env": {"API_VERSION": 2024.1}}, ["env.API_VERSION", "quote it"], id="fraction"),
        pytest.param({"env": {"ID": 1234567890123456789}}, ["env.ID", "quote it"], id="large"),
        pytest.param({"app": {"binaryFiles": {"x": "abc"}}}, ["app.binaryFiles", "not base64"], id="base64"),
        pytest.param(
            {"app": {"binaryFiles": {"logo.png": "A" * 600_000}}}, ['"logo.png" has 450000', "350000"], id="binary-size"
        ),
        pytest.param(
            {"service": {"loadBalancerSourceRanges": ["10.0.0.0/8"]}},
            ["service.loadBalancerSourceRanges", "service.type to LoadBalancer"],
            id="service-type",
        ),
        pytest.param(
            {"service": {"extraPorts": [{"name": "http", "port": 81}]}},
            ["service.extraPorts", "service.targetPort"],
            id="port-twice",
        ),
        pytest.param(
            {"route": {"host": "a.example", "tls": [{"secretName": "infra/wild"}]}},
            ["infra/wild", "route.kind HTTPProxy"],
            id="certificate-of-another-namespace",
        ),
    ],
)
def test_refused_with_the_remedy(values: Object, parts: list[str]) -> None:
    line = refused(values)
    for part in parts:
        assert part in line


def test_storage_beside_a_database_of_ones_own() -> None:
    storage = {"provider": "s3", "existingSecret": "x"}
    for given in ({"env": {"DATABASE_URL": "x"}}, {"envFrom": [{"secretRef": {"name": "x"}}]}):
        assert app({"storage": storage, **given}).objects


def test_whole_numbers_are_values_of_variables() -> None:
    assert app({"env": {"N": 100000000, "M": -3}}).env()["N"] == "100000000"


def test_certificate_of_another_namespace() -> None:
    proxy = {"kind": "HTTPProxy", "controller": "contour", "host": "a.example", "tls": [{"secretName": "infra/wild"}]}
    found = app({"route": proxy}).one("HTTPProxy")["spec"]["virtualhost"]["tls"]
    assert found == {"secretName": "infra/wild"}


def test_notes_say_who_is_let_in() -> None:
    assert "set networkPolicy.from" in notes("chainlit", {**IMAGE, "networkPolicy": {"enabled": True}})
    peers: list[Object] = [{"podSelector": {}}]
    assert "set networkPolicy.from" not in notes(
        "chainlit", {**IMAGE, "networkPolicy": {"enabled": True, "from": peers}}
    )
    public: Object = {**IMAGE, "service": {"type": "LoadBalancer"}}
    assert "service.loadBalancerSourceRanges" in notes("chainlit", public)


def test_a_large_picture_fits() -> None:
    assert app({"app": {"binaryFiles": {"logo.png": "A" * 400_000}}}).one("ConfigMap")


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("ghcr.io/acme/chat", "mirror.example:5000/acme/chat"),
        ("localhost/chat", "mirror.example:5000/chat"),
        ("registry:5000/chat", "mirror.example:5000/chat"),
        ("acme/chat", "mirror.example:5000/acme/chat"),
        ("chat", "mirror.example:5000/chat"),
    ],
)
def test_registry_of_a_parent_chart(repository: str, expected: str) -> None:
    image = {"repository": repository, "tag": "1"}
    given: Object = {"image": image, "tests": {"image": image}, "global": {"imageRegistry": "mirror.example:5000/"}}
    release = app(given)
    pods = [release.pod()["spec"], release.one("Pod")["spec"]]
    used = {container["image"] for pod in pods for container in [*pod["containers"], *pod.get("initContainers", [])]}
    assert used == {f"{expected}:1"}
    deployment = operator({"image": image, "global": given["global"]}).one("Deployment")["spec"]["template"]["spec"]
    assert deployment["containers"][0]["image"] == f"{expected}:1"


def test_pull_secrets_of_a_parent_chart() -> None:
    values: Object = {
        "imagePullSecrets": [{"name": "own"}],
        "global": {"imagePullSecrets": ["theirs", {"name": "own"}]},
    }
    expected = [{"name": "own"}, {"name": "theirs"}]
    given: Object = {**values, "tests": {"image": {"repository": "x"}}}
    assert app(given).pod()["spec"]["imagePullSecrets"] == expected
    assert app(given).one("Pod")["spec"]["imagePullSecrets"] == expected
    assert operator(values).pod()["spec"]["imagePullSecrets"] == expected


def test_old_replica_sets_and_labels_of_the_route() -> None:
    assert "revisionHistoryLimit" not in app().one("Deployment")["spec"]
    assert app({"revisionHistoryLimit": 0}).one("Deployment")["spec"]["revisionHistoryLimit"] == 0
    labels = {"zone": "public", "app.kubernetes.io/name": "not-this"}
    contour = {"kind": "HTTPProxy", "controller": "contour", "labels": labels}
    gateway = {"kind": "HTTPRoute", "gateway": {"parentRefs": [{"name": "g"}]}, "labels": labels}
    for route in ({"labels": labels}, contour, gateway):
        found = app({"route": route}).one(str(route.get("kind", "Ingress")))["metadata"]["labels"]
        assert (found["zone"], found["app.kubernetes.io/name"]) == ("public", "chainlit")
