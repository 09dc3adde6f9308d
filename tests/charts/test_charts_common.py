"""What holds for both charts: lint, labels, selectors, restricted pods, values, READMEs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest

from .generated import CHARTS, NAMES, generated, strict_schema
from .rendering import Object, Refused, Rendered, Values, app, helm, load, operator
from .test_nulls import EVERYTHING

Render = Callable[..., Rendered]

#: Each chart with its least and its most, so that templates behind a switch are seen too.
RENDERS = [
    pytest.param(app, {}, id="chainlit"),
    pytest.param(
        app,
        {"operator": {"enabled": True}, "chainlit": {"appRoot": {"path": "/data"}}, "route": {"path": "/x"}},
        id="chainlit-full",
    ),
    pytest.param(
        app,
        {
            "strategy": {"type": "Recreate"},
            "lifecycle": {"preStop": {"exec": {"command": ["true"]}}},
            "resources": {"requests": {"memory": "2Gi"}},
            "persistence": {"enabled": True},
            "service": {
                "type": "LoadBalancer",
                "nodePort": 30080,
                "appProtocol": "kubernetes.io/ws",
                "loadBalancerClass": "example.com/internal",
                "loadBalancerSourceRanges": ["203.0.113.0/24"],
                "externalTrafficPolicy": "Local",
                "ipFamilyPolicy": "PreferDualStack",
                "ipFamilies": ["IPv6", "IPv4"],
                "labels": {"team": "chat"},
            },
        },
        id="chainlit-fields",
    ),
    pytest.param(
        app,
        {
            "app": {"files": {"app.py": "", "public/a": ""}},
            "chainlit": {"config": {"UI": {"name": "x"}}},
            "auth": {"secret": "k" * 32},
            "autoscaling": {"enabled": True},
            "networkPolicy": {"enabled": True},
            "route": {"controller": "traefik"},
        },
        id="chainlit-files",
    ),
    pytest.param(
        app,
        {
            "app": {"requirements": ["x"], "keepRequirements": True},
            "persistence": {"enabled": True},
            "database": {"existingSecret": "db"},
            "storage": {"s3": {"bucket": "b", "existingSecret": "keys"}},
        },
        id="chainlit-scripts",
    ),
    pytest.param(app, {"database": {"existingSecret": "db", "migration": "hook"}}, id="chainlit-hook"),
    pytest.param(
        app,
        {
            "authProxy": {
                "enabled": True,
                "existingSecret": "login",
                "issuerURL": "https://login.example.com",
                "emailDomains": ["*"],
            },
            "networkPolicy": {"enabled": True},
            "tests": {"image": {"repository": "example/operator"}},
        },
        id="chainlit-login",
    ),
    pytest.param(app, {"drain": {"enabled": True}, "networkPolicy": {"enabled": True}}, id="chainlit-drain"),
    pytest.param(operator, {}, id="operator"),
    pytest.param(
        operator,
        {"watchNamespaces": ["a", "b"], "metrics": {"podMonitor": {"enabled": True}}, "commonAnnotations": {"a": "b"}},
        id="operator-namespaced",
    ),
    pytest.param(
        operator,
        {
            "replicaCount": 2,
            "metrics": {
                "serviceMonitor": {"enabled": True},
                "prometheusRule": {"enabled": True},
                "dashboard": {"enabled": True},
            },
            "networkPolicy": {"enabled": True},
            "routePolicy": {"enabled": True},
        },
        id="operator-full",
    ),
]


@pytest.mark.parametrize("chart", NAMES)
def test_lint(chart: str) -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHARTS / chart))


@pytest.mark.parametrize("chart", NAMES)
def test_chart_metadata(chart: str) -> None:
    metadata = load((CHARTS / chart / "Chart.yaml").read_text(encoding="utf-8"))
    assert metadata["name"] == chart
    assert metadata["type"] == "application"
    assert metadata["kubeVersion"] == ">=1.30.0-0"


@pytest.mark.parametrize(("rendered", "values"), RENDERS)
def test_labels(rendered: Render, values: Values) -> None:
    given = {**values, "commonLabels": {"team": "chat", "app.kubernetes.io/name": "not-this"}}
    for item in rendered(given, release="one").objects:
        labels = item["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "one"
        # The pods of helm test and of the migration are no pods of the app.
        others = {"Pod": ("chainlit-test",), "Job": ("chainlit-migration",)}
        assert labels["app.kubernetes.io/name"] in others.get(item["kind"], NAMES)
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels["helm.sh/chart"].rpartition("-")[0] in NAMES
        assert labels["team"] == "chat"


@pytest.mark.parametrize(("rendered", "values"), RENDERS)
def test_labels_are_strings_whatever_the_release_is_called(rendered: Render, values: Values) -> None:
    for item in rendered({**values, "fullnameOverride": "x"}, release="123").objects:
        assert all(isinstance(value, str) for value in item["metadata"]["labels"].values())


NAMING = {"name", "namespace", "policyName", "secretName", "serviceAccountName", "serviceName"}


@pytest.mark.parametrize(
    ("rendered", "values"),
    [
        *RENDERS,
        pytest.param(app, EVERYTHING["chainlit"], id="chainlit-everything"),
        pytest.param(app, {"route": {"kind": "HTTPRoute", "gateway": {"parentRefs": [{"name": "x"}]}}}, id="gateway"),
        pytest.param(
            app,
            {
                "route": {"kind": "HTTPProxy", "controller": "contour", "host": "a.b", "tls": [{"secretName": "1"}]},
                "env": {"on": "1"},
            },
            id="proxy",
        ),
        pytest.param(operator, EVERYTHING["chainlit-operator"], id="operator-everything"),
    ],
)
def test_names_are_strings_whatever_they_are(rendered: Render, values: Values) -> None:
    names = {"fullnameOverride": "on", "serviceAccount": {"name": "7"}}
    release = rendered({**values, **names}, namespace="12345")
    described = [item for item in release.objects if item["kind"] != "CustomResourceDefinition"]
    found = [name for item in described for name in _named(item)]
    assert {"on", "12345", "7"} <= set(map(str, found))
    assert not [name for name in found if not isinstance(name, str)]


def _named(value: Any) -> Iterator[Any]:
    """Yield what names something in an object."""
    if isinstance(value, list):
        for item in value:
            yield from _named(item)
    if isinstance(value, dict):
        for key, item in value.items():
            yield from [item] if key in NAMING else _named(item)


@pytest.mark.parametrize(("rendered", "values"), RENDERS)
def test_selectors_match_the_pods(rendered: Render, values: Values) -> None:
    pod_labels = {"app.kubernetes.io/instance": "not-this", "tier": "web"}
    release = rendered({**values, "podLabels": pod_labels})
    labels = release.pod()["metadata"]["labels"]
    assert labels["tier"] == "web"
    selectors = [service["spec"]["selector"] for service in release.all("Service")]
    selectors.append(release.one("Deployment")["spec"]["selector"]["matchLabels"])
    for selector in selectors:
        assert selector
        assert selector.items() <= labels.items()


@pytest.mark.parametrize(("rendered", "values"), RENDERS)
def test_service_port_is_the_containers(rendered: Render, values: Values) -> None:
    release = rendered(values)
    (port,) = release.container()["ports"]
    proxies = [each for each in release.pod()["spec"].get("initContainers", []) if "ports" in each]
    for service in release.all("Service"):
        is_hook = "helm.sh/hook" in service["metadata"].get("annotations", {})
        target = proxies[0]["ports"][0]["containerPort"] if proxies and not is_hook else port["name"]
        assert [entry["targetPort"] for entry in service["spec"]["ports"]] == [target]


@pytest.mark.parametrize(("rendered", "values"), RENDERS)
def test_pod_satisfies_the_restricted_standard(rendered: Render, values: Values) -> None:
    pod = rendered(values).pod()["spec"]
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for volume in pod["volumes"]:
        assert volume.keys() <= {
            "name",
            "emptyDir",
            "configMap",
            "secret",
            "projected",
            "persistentVolumeClaim",
        }
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["readOnlyRootFilesystem"] is True
        assert not context.get("privileged")
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize(("rendered", "values"), RENDERS)
def test_service_links_are_off(rendered: Render, values: Values) -> None:
    assert rendered(values).pod()["spec"]["enableServiceLinks"] is False


@pytest.mark.parametrize(("rendered", "values"), RENDERS)
def test_tokens(rendered: Render, values: Values) -> None:
    """Only the operator talks to Kubernetes."""
    release = rendered(values)
    account = release.one("ServiceAccount")
    assert account["automountServiceAccountToken"] is False
    assert release.pod()["spec"]["serviceAccountName"] == account["metadata"]["name"]
    assert release.pod()["spec"]["automountServiceAccountToken"] is (rendered is operator)


@pytest.mark.parametrize(("rendered", "values"), RENDERS)
def test_two_releases_do_not_collide(rendered: Render, values: Values) -> None:
    if rendered is operator:
        values = {**values, "crds": {"enabled": False}}  # one for the whole cluster
    one, two = rendered(values, release="one"), rendered(values, release="two")
    assert not _identities(one) & _identities(two)
    assert one.one("Deployment")["spec"]["selector"] != two.one("Deployment")["spec"]["selector"]


@pytest.mark.parametrize(("rendered", "values"), RENDERS)
def test_long_release_names_fit(rendered: Render, values: Values) -> None:
    for item in rendered({**values, "nameOverride": "n" * 40}, release="r" * 53).objects:
        # Names of policies, Roles and their bindings are not used as labels.
        limit = 253 if item["kind"].startswith(("ValidatingAdmissionPolicy", "Role")) else 63
        assert len(item["metadata"]["name"]) <= limit


@pytest.mark.parametrize("release", ["1234567", "my.chat"])
@pytest.mark.parametrize("rendered", [app, operator])
def test_names_that_no_service_can_have_are_refused(rendered: Render, release: str) -> None:
    with pytest.raises(Refused, match=rf'fullnameOverride is needed: the name "{release}-chainlit'):
        rendered(release=release)
    assert rendered({"fullnameOverride": "chat"}, release=release).objects


@pytest.mark.parametrize("rendered", [app, operator])
def test_digest_wins_over_tag(rendered: Render) -> None:
    digest = "sha256:" + "a" * 64
    release = rendered({"image": {"repository": "example/x", "tag": "1", "digest": digest}})
    assert release.container()["image"] == f"example/x@{digest}"
    assert rendered({"image": {"repository": "example/x", "tag": "1"}}).container()["image"] == "example/x:1"


@pytest.mark.parametrize(("rendered", "account"), [(app, "chat-chainlit"), (operator, "chat-chainlit-operator")])
def test_service_account_names(rendered: Render, account: str) -> None:
    def used(**values: Any) -> str:
        name: str = rendered({"serviceAccount": values}, release="chat").pod()["spec"]["serviceAccountName"]
        return name

    assert used() == account
    assert used(name="own") == "own"
    assert used(create=False) == "default"
    assert used(create=False, name="other") == "other"
    assert not rendered({"serviceAccount": {"create": False}}).all("ServiceAccount")


EXTRA_LISTS = {
    "extraVolumes": [{"name": "more", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
    "extraEnv": [{"name": "MORE", "value": "1"}],
    "imagePullSecrets": [{"name": "pull"}],
    "tolerations": [{"operator": "Exists"}],
    "nodeSelector": {"disk": "fast"},
    "affinity": {"podAntiAffinity": {}},
    "priorityClassName": "high",
    "podAnnotations": {"note": "1"},
    "deploymentAnnotations": {"note": "2"},
}


@pytest.mark.parametrize("rendered", [app, operator])
def test_extras_arrive(rendered: Render) -> None:
    release = rendered(EXTRA_LISTS)
    pod, container = release.pod(), release.container()
    assert EXTRA_LISTS["extraVolumes"][0] in pod["spec"]["volumes"]  # type: ignore[index]
    assert EXTRA_LISTS["extraVolumeMounts"][0] in container["volumeMounts"]  # type: ignore[index]
    assert {"name": "MORE", "value": "1"} in container["env"]
    for field in ("imagePullSecrets", "tolerations", "nodeSelector", "affinity", "priorityClassName"):
        assert pod["spec"][field] == EXTRA_LISTS[field]
    assert pod["metadata"]["annotations"] == {"note": "1"}
    assert release.one("Deployment")["metadata"]["annotations"] == {"note": "2"}


@pytest.mark.parametrize("chart", NAMES)
def test_generated_files_are_up_to_date(chart: str) -> None:
    for name, expected in generated(chart).items():
        found = (CHARTS / chart / name).read_text(encoding="utf-8")
        assert found == expected, f"{chart}/{name} is not what values.yaml and {name}.gotmpl give: run make generate"


@pytest.mark.parametrize("chart", NAMES)
def test_every_value_is_described(chart: str) -> None:
    schema = json.loads((CHARTS / chart / "values.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert not list(_undescribed(schema, ()))


@pytest.mark.parametrize("chart", NAMES)
def test_every_value_has_a_type(chart: str) -> None:
    """A value without one would let everything through."""
    schema = json.loads((CHARTS / chart / "values.schema.json").read_text(encoding="utf-8"))
    assert [each for each in _leaves(schema) if not each.keys() & {"type", "enum", "$ref"}] == []


def _leaves(schema: Object) -> Iterator[Object]:
    for value in schema.get("properties", {}).values():
        yield value
        yield from _leaves(value)


@pytest.mark.parametrize("chart", NAMES)
def test_maps_are_closed_unless_they_are_said_to_be_open(chart: str) -> None:
    """A generator that forgets its setting would let every misspelt value through."""
    schema = strict_schema(chart)
    assert [each for each in _maps(schema) if "additionalProperties" not in each] == []
    assert schema["additionalProperties"] is False


def _undescribed(schema: Object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the values that have no description, in a map neither for themselves nor for the whole."""
    for name, value in schema["properties"].items():
        if "description" not in value:
            if "properties" in value:
                yield from _undescribed(value, (*path, name))
            else:
                yield (*path, name)


def _maps(schema: Any) -> Iterator[Object]:
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "$ref" not in schema and schema.get("$comment") is None:
            yield schema
        for value in schema.values():
            yield from _maps(value)


@pytest.mark.parametrize("rendered", [app, operator])
def test_parents_may_give_globals_and_a_condition(rendered: Render) -> None:
    assert rendered({"global": {"anything": 1}, "enabled": True}).objects


def _identities(release: Rendered) -> set[tuple[Any, ...]]:
    def identity(item: Object) -> tuple[Any, ...]:
        return item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]

    found = [identity(item) for item in release.objects]
    assert len(found) == len(set(found))
    return set(found)
