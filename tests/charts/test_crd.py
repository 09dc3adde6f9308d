"""The CustomResourceDefinition: what it accepts, what it explains, and that the charts keep to it."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from chainlit_operator.domain import paths, place

from .generated import CHARTS
from .rendering import Object, app, load, operator
from .test_template import ELSEWHERE

FILE = CHARTS / "chainlit-operator/files/chainlitapps.yaml"
CRD: Object = load(FILE.read_text(encoding="utf-8"))
(VERSION,) = CRD["spec"]["versions"]
SCHEMA: Object = VERSION["schema"]["openAPIV3Schema"]

MINIMAL = """\
apiVersion: chainlit-operator.dev/v1alpha1
kind: ChainlitApp
metadata: {name: chat}
spec: {workload: {ref: {name: chat}}}
"""


PRESERVES = "x-kubernetes-preserve-unknown-fields"
#: Structures of Kubernetes within ``spec.workload.template``, which it validates itself when the pod is created.
OF_KUBERNETES = {
    *("imagePullSecrets[]", "chainlit.appRoot.volume", "env[].valueFrom", "envFrom[]", "resources", "tmpVolume"),
    *("podSecurityContext", "securityContext", "strategy", "tolerations[]", "affinity", "lifecycle"),
    *("topologySpreadConstraints[]", "initContainers[]", "extraContainers[]", "extraVolumes[]", "extraVolumeMounts[]"),
    "extraPodSpec",
}
TEMPLATE = ".spec.workload.template"


def nodes(schema: Object, path: str = "") -> Iterator[tuple[str, Object]]:
    """Yield every schema below ``schema`` with its path."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")


def closed(schema: Object) -> Object:
    """The schema with unknown fields refused, as strict clients do (the API server prunes them)."""
    result = copy.deepcopy(schema)
    for path, node in nodes(result):
        if node.get("type") == "object" and path != ".metadata" and PRESERVES not in node:
            node.setdefault("additionalProperties", False)
    return result


def defaulted(value: Any, schema: Object) -> Any:
    """The value as the API server stores it."""
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        filled = {name: copy.deepcopy(child["default"]) for name, child in properties.items() if "default" in child}
        filled |= value
        return {
            name: defaulted(item, properties[name]) if name in properties else item for name, item in filled.items()
        }
    if isinstance(value, list):
        return [defaulted(item, schema["items"]) for item in value]
    return value


def complaints(value: Any) -> list[str]:
    validator = jsonschema.Draft7Validator(closed(SCHEMA))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def at(path: str) -> Object:
    return dict(nodes(SCHEMA))[path]


def test_template_adds_metadata_only() -> None:
    rendered = operator().one("CustomResourceDefinition")
    assert rendered["spec"] == CRD["spec"]
    assert rendered["metadata"]["name"] == CRD["metadata"]["name"]
    assert rendered["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_every_field_is_described() -> None:
    for path, node in nodes(SCHEMA):
        if path != ".metadata":
            assert node.get("description", "").endswith("."), path


def test_structural_and_strict() -> None:
    for path, node in nodes(SCHEMA):
        assert ("type" in node) is not ("x-kubernetes-int-or-string" in node), path
        assert (PRESERVES in node) is (path.removeprefix(f"{TEMPLATE}.") in OF_KUBERNETES), path
        if "additionalProperties" in node:
            assert node["additionalProperties"]["type"] == "string", path
            assert "maxProperties" in node, path
        elif node.get("type") == "object" and path != ".metadata" and PRESERVES not in node:
            assert node["properties"], path
            assert set(node.get("required", [])) <= node["properties"].keys(), path


def test_cost_of_rules_is_bounded() -> None:
    """The API server estimates the cost of a rule from these limits."""
    for path, node in nodes(SCHEMA):
        if node.get("type", "string") == "string" and path.startswith(".spec"):
            assert "maxLength" in node or "enum" in node, path
        if node.get("type") == "array":
            assert "maxItems" in node, path
            assert "x-kubernetes-list-type" in node, path


def test_rules_name_field_and_remedy() -> None:
    rules = [(path, rule) for path, node in nodes(SCHEMA) for rule in node.get("x-kubernetes-validations", [])]
    assert [path for path, rule in rules if "self.matches(" not in rule["rule"]] == [
        "",
        ".spec",
        ".spec",
        ".spec.workload",
        f"{TEMPLATE}.chainlit",
        f"{TEMPLATE}.chainlit",
        f"{TEMPLATE}.chainlit.appRoot.path",
        f"{TEMPLATE}.chainlit.appRoot.imageDir",
        f"{TEMPLATE}.env",
        f"{TEMPLATE}.env",
        *[".spec.route"] * 4,
        ".spec.route.ref",
        ".spec.route.ingress.pathType",
    ]
    for path, rule in rules:
        field = path + rule.get("fieldPath", "") or ".metadata.name"
        assert rule["message"].startswith(f"{field[1:]} is "), path
        assert ": " in rule["message"], path
        # The API server takes a message of several lines for an error.
        assert "\n" not in rule["message"], path


@pytest.mark.parametrize("path", [".spec.workload.ref.name", ".spec.route.ref.name"])
def test_object_names(path: str) -> None:
    pattern = matched_by_rule(path)
    for name in ("chat", "a", "0", "my-chat", "chat.v1", "a-b.c-d.e"):
        assert pattern.search(name), name
    for name in ("", "Chat", "-a", "a-", "a_b", "a..b", ".a", "a.", "a.-b", "a/b", "a b", "a\n"):
        assert not pattern.search(name), name


def test_container_names() -> None:
    pattern = matched_by_rule(".spec.workload.ref.container")
    for name in ("chainlit", "a", "0", "a-b"):
        assert pattern.search(name), name
    for name in ("", "A", "a.b", "-a", "a-", "a_b"):
        assert not pattern.search(name), name


def test_mount_paths() -> None:
    pattern = matched_by_rule(".spec.mountPath")
    for path in ("/chainlit", "/api/chat", "/v1.0/~my-chat_2", "/.a", "/..a", "/..."):
        assert pattern.search(path), path
    for path in ("", "/", "chainlit", "/chat/", "//chat", "/a//b", "/a b", "/a%20b", "/.", "/..", "/a/../b", "/ü"):
        assert not pattern.search(path), path


def test_origins() -> None:
    pattern = matched_by_rule(".spec.workload.template.chainlit.url")
    for url in ("", "https://example.com", "http://10.0.0.1:8080/", "http://[fd00::1]", "https://[fd00::1]:8443/"):
        assert pattern.search(url), url
    for url in (
        "example.com",
        "https://",
        "https://example.com/chat",
        "https://a b",
        "https://a?b",
        "ws://a",
        "https://[fd00::1",
        "https://a\n",
    ):
        assert not pattern.search(url), url


def allowed(path: str, text: str) -> bool:
    """Whether the rules of a text, each a regular expression, allow a value."""
    for rule in at(path)["x-kubernetes-validations"]:
        match = re.fullmatch(r"(!?)self\.matches\('(.*?)(\$?)'\)", rule["rule"])
        assert match
        found = re.search(match[2].replace("\\\\", "\\") + (r"\Z" if match[3] else ""), text)
        if bool(found) is bool(match[1]):
            return False
    return True


URLS = ("https://example.com", "http://a/", "https://example.com:8443/chat", "http://192.0.2.7:30080/a/b/",
        "https://[2001:db8::1]:8443/chat", "https://Example.com/v1.0/~my-chat_2", "https://a/.a/..b/...")  # fmt: skip
NO_URLS = ("", "example.com", "/chat", "ftp://example.com", "https://", "https:///chat", "https://user@example.com",
           "https://user:word@example.com/", "https://example.com?a=b", "https://example.com/chat?a=b",
           "https://example.com/chat#top", "https://a b/", "https://a/b c", "https://a//b", "https://a/b//",
           "https://a/%20", "https://a/ü", "https://a/.", "https://a/../b", "https://a/b/..", "https://a:port/",
           "https://a:123456", "https://a-/", "https://a/b\n")  # fmt: skip


def test_stated_urls() -> None:
    assert [url for url in URLS if not allowed(".spec.route.url", url)] == []
    assert [url for url in NO_URLS if allowed(".spec.route.url", url)] == []


def test_the_operator_reads_every_url_that_the_schema_allows() -> None:
    for url in URLS:
        stated = place.stated_url(url)
        assert stated is not None and paths.problem(stated.prefix) is None, url


def test_backend_paths() -> None:
    for path in ("/", "/chat", "/api/chat", "/v1.0/~my-chat_2", "/.a", "/..."):
        assert allowed(".spec.route.backendPath", path), path
    for path in ("", "chat", "/chat/", "//chat", "/a//b", "/a b", "/a%20b", "/.", "/..", "/a/../b", "/ü", "/a\n"):
        assert not allowed(".spec.route.backendPath", path), path


def matched_by_rule(path: str) -> re.Pattern[str]:
    (rule,) = at(path)["x-kubernetes-validations"]
    match = re.fullmatch(r"self\.matches\('(\^.*)\$'\)", rule["rule"])
    assert match
    # In RE2, which the API server uses, $ is the very end; in Python it also comes before a last newline.
    return re.compile(match[1].replace("\\\\", "\\") + r"\Z")


def test_app_roots_have_a_place_of_their_own() -> None:
    _, rule = at(f"{TEMPLATE}.chainlit.appRoot.path")["x-kubernetes-validations"]
    match = re.fullmatch(r"!self\.matches\('(\^.*)\$'\)", rule["rule"])
    assert match
    taken = re.compile(match[1] + r"\Z")
    for path in ("", "/data", "/tmp/chainlit", "/tmpfs", "/srv/tmp", "/data/"):
        assert not taken.search(path), path
    for path in ("/", "//", "/tmp", "/tmp/", "//tmp//"):
        assert taken.search(path), path


def test_what_is_told_as_a_whole_is_owned_as_a_whole() -> None:
    """Of the API server's cost of a status, the owners of single fields were nearly a tenth."""
    status = at(".status")["properties"]
    for field in (*(field for field in status.values() if field["type"] == "object"), status["conditions"]["items"]):
        assert field["x-kubernetes-map-type"] == "atomic"


def test_conditions_are_those_of_kubernetes() -> None:
    conditions = at(".status.conditions")
    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]
    item = conditions["items"]
    assert sorted(item["required"]) == ["lastTransitionTime", "message", "reason", "status", "type"]
    assert item["properties"].keys() == {*item["required"], "observedGeneration"}
    assert item["properties"]["status"]["enum"] == ["True", "False", "Unknown"]
    assert item["properties"]["message"]["maxLength"] == 32768
    good = {
        "type": "Ready",
        "status": "False",
        "reason": "RouteNotResolved",
        "message": "Ingress chat is missing",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "observedGeneration": 1,
    }
    jsonschema.validate(good, item)
    for field, value in (("type", "not good"), ("status", True), ("reason", "not good"), ("reason", "")):
        assert list(jsonschema.Draft7Validator(item).iter_errors({**good, field: value})), (field, value)


def test_five_lines_are_enough() -> None:
    manifest = load(MINIMAL)
    assert not complaints(manifest)
    assert defaulted(manifest, SCHEMA)["spec"] == {
        "workload": {"ref": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"}},
        "verification": {"mode": "Auto", "intervalSeconds": 60},
        "suspend": False,
    }


def test_a_route_may_be_named_or_only_its_rewrite() -> None:
    manifest = load(MINIMAL)
    manifest["spec"]["route"] = {"ref": {"name": "chat"}}
    assert defaulted(manifest, SCHEMA)["spec"]["route"] == {
        "ref": {"kind": "Ingress", "name": "chat"},
        "rewrite": "Auto",
        "affinity": "Auto",
    }
    manifest["spec"]["route"] = {"rewrite": "Strip"}
    assert not complaints(manifest)


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        (None, "$: 'spec' is a required property"),
        ({}, "$.spec: 'workload' is a required property"),
        ({"workload": {"ref": {}}}, "$.spec.workload.ref: 'name' is a required property"),
        ({"workload": {"ref": {"name": 5}}}, "$.spec.workload.ref.name: "),
        ({"workload": {"ref": {"name": "a" * 254}}}, "$.spec.workload.ref.name: "),
        ({"workload": {"ref": {"name": "a", "kind": "DaemonSet"}}}, "$.spec.workload.ref.kind: "),
        ({"workload": {"ref": {"name": "a", "apiVersion": "v1"}}}, "$.spec.workload.ref.apiVersion: "),
        ({"workload": {"ref": {"name": "a", "container": "c" * 64}}}, "$.spec.workload.ref.container: "),
        ({"workload": {"ref": {"name": "a"}, "x": 1}}, "$.spec.workload: "),
        ({"workload": {"ref": {"name": "a"}}, "route": {"ref": {"kind": "Ingress"}}}, "$.spec.route.ref: "),
        (
            {"workload": {"ref": {"name": "a"}}, "route": {"ref": {"kind": "TCPRoute", "name": "a"}}},
            "$.spec.route.ref.kind: ",
        ),
        ({"workload": {"ref": {"name": "a"}}, "route": {"rewrite": "strip"}}, "$.spec.route.rewrite: "),
        ({"workload": {"ref": {"name": "a"}}, "verification": {"mode": "Off"}}, "$.spec.verification.mode: "),
        (
            {"workload": {"ref": {"name": "a"}}, "verification": {"intervalSeconds": 9}},
            "$.spec.verification.interval",
        ),
        (
            {"workload": {"ref": {"name": "a"}}, "verification": {"intervalSeconds": 86401}},
            "$.spec.verification.inter",
        ),
        ({"workload": {"ref": {"name": "a"}}, "suspend": "no"}, "$.spec.suspend: "),
        ({"workload": {"template": {}}}, "$.spec.workload.template: 'image' is a required"),
        ({"workload": {"template": {"image": "a", "replicaCount": 1}}}, "$.spec.workload.template: "),
        ({"workload": {"template": {"image": "a", "env": [{"value": "b"}]}}}, "$.spec.workload.template.env[0]: "),
        (
            {"workload": {"template": {"image": "a", "podLabels": {"a": 1}}}},
            "$.spec.workload.template.podLabels.a: ",
        ),
        ({"workload": {"ref": {"name": "a"}}, "route": {"gateway": {}}}, "$.spec.route.gateway: 'parentRefs' is"),
        ({"workload": {"ref": {"name": "a"}}, "route": {"ingress": {"paths": ["/"]}}}, "$.spec.route.ingress: "),
    ],
)
def test_refused(spec: Any, complaint: str) -> None:
    manifest = load(MINIMAL)
    if spec is None:
        del manifest["spec"]
    else:
        manifest["spec"] = spec
    (found,) = complaints(manifest)
    assert found.startswith(complaint)


def test_seven_lines_make_a_chat() -> None:
    manifest = load(
        """
        apiVersion: chainlit-operator.dev/v1alpha1
        kind: ChainlitApp
        metadata: {name: chat}
        spec:
          workload: {template: {image: "registry.example.com/chat:1.2"}}
          route: {ingress: {host: chat.example.com, path: /chat}}
        """
    )
    assert not complaints(manifest)
    route = defaulted(manifest, SCHEMA)["spec"]["route"]
    assert route["ingress"] == {"host": "chat.example.com", "path": "/chat", "pathType": "Prefix"}


def test_template_has_the_fields_of_the_chart() -> None:
    fields = at(TEMPLATE)["properties"].keys()
    values = load((CHARTS / "chainlit/values.yaml").read_text(encoding="utf-8")).keys()
    assert fields - values == {"imagePullPolicy", "replicas"}
    assert values - fields == ELSEWHERE - {"image", "env"}


PATHS = [".spec.route.ingress.path", ".spec.route.gateway.path"]


@pytest.mark.parametrize("field", PATHS)
@pytest.mark.parametrize(
    ("path", "good"),
    [(path, True) for path in ("", "/", "chat", "/chat", "/chat/", "//chat", "/v1.0/chat_~-", "/..a/b..", "///")]
    + [(path, False) for path in ("/a b", "/ünï", "/a/../b", "/.", "/chat(/|$)(.*)", "/a%20b", "/a?b", "/a\n", "..")],
)
def test_paths_of_created_routes_are_those_that_chainlit_serves(field: str, path: str, *, good: bool) -> None:
    shape, dots = (rule["rule"] for rule in at(field)["x-kubernetes-validations"])
    inside = [re.sub(r"\$(?=\)*$)", r"\\Z", found.split("'")[1]) for found in (shape, dots)]
    assert (bool(re.search(inside[0], path)) and not re.search(inside[1], path)) is good
    assert (paths.problem(paths.normalise(path)) is None) is good or path.endswith("\n")


@pytest.mark.parametrize("route", [{}, {"enabled": False}])
@pytest.mark.parametrize("verification", [{}, {"mode": "Disabled", "intervalSeconds": 86400}])
def test_what_the_app_chart_renders_is_accepted(route: Object, verification: Object) -> None:
    release = app({"route": route, "operator": {"enabled": True, "verification": verification}})
    assert not complaints(release.one("ChainlitApp"))
