"""The route of the app's chart: its kinds, hosts and certificates, and what each controller needs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from chainlit_operator.kinds import registry
from tests.cluster import golang, traefik
from tests.cluster.versions import pinned
from tests.records import record

from . import controllers
from .controllers import Preset
from .generated import CHARTS
from .rendering import Object, Rendered, app, load, load_all, refusal

PRESETS = [pytest.param(preset, id=preset.name) for preset in controllers.presets()]
GATEWAY = [{"name": "gateway", "namespace": "infra", "sectionName": "web"}]
GROUPS = ("traefik.io", "gateway.networking.k8s.io", "projectcontour.io")
CONTROLLERS = {preset.controller for preset in controllers.presets()}


def routed(*, replicas: int = 1, operator: bool = False, **route: Any) -> Rendered:
    return app({"replicaCount": replicas, "operator": {"enabled": operator}, "route": {"path": "/chat", **route}})


def refused(*, replicas: int = 1, **values: Any) -> str:
    """The one line with which values are refused."""
    given = {"image": {"repository": "example/chat"}, "replicaCount": replicas, **values}
    (line,) = [line for line in refusal("chainlit", given).splitlines() if "execution error" in line]
    return line


# ------------------------------------------------------------------------------------------------ golden files


@pytest.mark.parametrize("preset", PRESETS)
def test_golden(preset: Preset) -> None:
    assert controllers.rendered(preset) == controllers.golden(preset).read_text(encoding="utf-8"), "run make golden"


def test_no_golden_file_is_left_over() -> None:
    assert {controllers.golden(preset) for preset in controllers.presets()} == set(controllers.GOLDEN.glob("*.yaml"))


def test_table_in_the_docs() -> None:
    assert controllers.TABLE.read_text(encoding="utf-8") == controllers.table(), "run make golden"


@pytest.mark.parametrize("preset", PRESETS)
def test_every_other_object_is_the_same_for_all_controllers(preset: Preset) -> None:
    def others(values: Any) -> list[Object]:
        kinds = {item["kind"] for item in load_all(controllers.golden(preset).read_text(encoding="utf-8"))}
        return [item for item in app(values).objects if item["kind"] not in kinds | {"Ingress"}]

    plain = {**preset.values, "route": {"path": "/chat", "host": "chat.example.com", "affinity": {"mode": "External"}}}
    assert others(preset.values) == others(plain)


@pytest.fixture(scope="session")
def definitions() -> dict[tuple[str, str], Object]:
    """Schemas of custom resources by API version and kind: Traefik's, the Gateway API's and Contour's."""
    contour = Path(golang.module_info("github.com/projectcontour/contour", pinned().contour)["Dir"])
    files = [*traefik.definitions().glob("*.yaml"), contour / "examples/contour/01-crds.yaml"]
    found: dict[tuple[str, str], Object] = {}
    for crd in (document for path in files for document in load_all(path.read_text(encoding="utf-8"))):
        for version in crd["spec"]["versions"]:
            api_version = f"{crd['spec']['group']}/{version['name']}"
            found[api_version, crd["spec"]["names"]["kind"]] = strict(version["schema"]["openAPIV3Schema"])
    return found


def strict(schema: Any) -> Any:
    """A schema that takes no fields beside its own, in the words of JSON Schema."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    if isinstance(made.get("properties"), dict) and "additionalProperties" not in made:
        made["additionalProperties"] = bool(made.get("x-kubernetes-preserve-unknown-fields"))
    if made.pop("x-kubernetes-int-or-string", False):
        made.pop("anyOf", None)
        made["type"] = ["integer", "string"]
    return made


@pytest.mark.parametrize("preset", PRESETS)
def test_custom_resources_satisfy_their_schemas(preset: Preset, definitions: dict[tuple[str, str], Object]) -> None:
    for item in load_all(controllers.golden(preset).read_text(encoding="utf-8")):
        schema = definitions.get((item["apiVersion"], item["kind"]))
        if schema is not None:
            jsonschema.Draft4Validator(schema).validate(item)
        assert schema is not None or item["apiVersion"].partition("/")[0] not in GROUPS


def test_a_wrong_custom_resource_does_not(definitions: dict[tuple[str, str], Object]) -> None:
    (item,) = routed(kind="HTTPProxy", controller="contour").all("HTTPProxy")
    wrong = {**item, "spec": {**item["spec"], "route": []}}
    with pytest.raises(jsonschema.ValidationError, match="route"):
        jsonschema.Draft4Validator(definitions["projectcontour.io/v1", "HTTPProxy"]).validate(wrong)


# ------------------------------------------------------------------------------------------------------ affinity


def cookie_names(release: Rendered) -> set[str]:
    """The names of affinity cookies, wherever they are."""
    return set(
        re.findall(r"[\w.-]+_affinity", json.dumps([item for item in release.objects if item["kind"] != "Deployment"]))
    )


@pytest.mark.parametrize(
    "preset", [pytest.param(preset, id=preset.name) for preset in controllers.presets() if "affinity" in preset.facts]
)
def test_external_affinity_leaves_the_cookie_out_and_the_rest_in(preset: Preset) -> None:
    values = {**preset.values, "route": {**preset.values["route"], "affinity": {"mode": "External"}}}
    text = json.dumps(app(values).objects).lower().replace("pod-template-hash", "")
    assert "sticky" not in text and "affinity" not in text and "hash" not in text and "stickiness" not in text
    settings = preset.facts.get("settings", {})
    for of, kind in (("route", preset.kind), ("service", "Service")):
        annotations = app(values).one(kind)["metadata"].get("annotations", {})
        assert annotations.keys() == settings.get(of, {}).keys()


def test_cookies_of_two_apps_do_not_meet() -> None:
    one = app({"route": {"controller": "traefik"}}, release="one", namespace="a")
    other = app({"route": {"controller": "traefik"}}, release="other", namespace="a")
    (left,), (right,) = cookie_names(one), cookie_names(other)
    assert left == "a_one-chainlit_affinity"
    assert not left.startswith(right) and not right.startswith(left)
    named = app({"route": {"controller": "traefik", "affinity": {"cookieName": "mine"}}})
    assert named.one("Service")["metadata"]["annotations"][f"{STICKY}.name"] == "mine"


STICKY = "traefik.ingress.kubernetes.io/service.sticky.cookie"


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ({}, ("/", "lax", "false")),
        ({"path": "chat/"}, ("/chat", "lax", "false")),
        ({"tls": [{"secretName": "x"}]}, ("/", "lax", "true")),
        ({"certManager": {"issuer": "x"}, "host": "a.b", "affinity": {"sameSite": "None"}}, ("/", "none", "true")),
        ({"scheme": "https", "affinity": {"sameSite": "Strict"}}, ("/", "strict", "true")),
    ],
)
def test_attributes_of_the_cookie(route: dict[str, Any], expected: tuple[str, str, str]) -> None:
    annotations = app({"route": {"controller": "traefik", **route}}).one("Service")["metadata"]["annotations"]
    assert tuple(annotations[f"{STICKY}.{key}"] for key in ("path", "samesite", "secure")) == expected


def test_annotations_of_the_user_win() -> None:
    read = "nginx.ingress.kubernetes.io/proxy-read-timeout"
    release = app(
        {
            "route": {"controller": "nginx", "annotations": {read: "60", "a": "b"}},
            "service": {"annotations": {"c": "d"}},
        }
    )
    annotations = release.one("Ingress")["metadata"]["annotations"]
    assert annotations[read] == "60"
    assert annotations["a"] == "b"
    assert annotations["nginx.ingress.kubernetes.io/affinity"] == "cookie"
    assert release.one("Service")["metadata"]["annotations"] == {"c": "d"}


def test_a_route_of_ones_own_gets_what_lies_on_the_service() -> None:
    release = routed(enabled=False, controller="traefik", replicas=2)
    assert release.one("Service")["metadata"]["annotations"][STICKY] == "true"
    assert not routed(enabled=False, controller="envoy-gateway", kind="HTTPRoute").all("BackendTrafficPolicy")
    assert "annotations" not in routed(enabled=False, controller="nginx").one("Service")["metadata"]


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        pytest.param(
            {"replicas": 2, "route": {"controller": "none"}},
            ["replicaCount", "route.controller names no controller", "set route.controller to yours"],
            id="none",
        ),
        pytest.param(
            {"replicas": 2},
            ["route.controller auto finds the controller by route.className, which is empty", "set route.className"],
            id="auto-without-class",
        ),
        pytest.param(
            {"replicas": 2, "route": {"className": "public"}},
            ["route.controller auto knows no controller with the route.className public", "set route.controller"],
            id="auto-with-another-class",
        ),
        pytest.param(
            {"replicas": 2, "route": {"kind": "HTTPRoute", "gateway": {"parentRefs": GATEWAY}}},
            ["finds the controller by route.gateway.className, which is empty", "set route.gateway.className, or"],
            id="auto-with-a-gateway",
        ),
        pytest.param(
            {"replicas": 2, "route": {"controller": "cilium"}},
            ["route.controller cilium cannot do it for route.kind Ingress"],
            id="cilium",
        ),
        pytest.param(
            {"replicas": 2, "route": {"controller": "contour"}},
            ["route.controller contour cannot do it for route.kind Ingress", "use route.kind HTTPProxy"],
            id="contour",
        ),
        pytest.param(
            {"replicas": 2, "route": {"enabled": False, "controller": "nginx"}},
            ["route.enabled is false", "in your own route"],
            id="no-route",
        ),
        pytest.param(
            {
                "replicas": 2,
                "operator": {"enabled": True},
                "route": {"controller": "traefik", "kind": "HTTPRoute", "gateway": {"parentRefs": GATEWAY}},
            },
            ["route.controller traefik", "the operator does not read", "use route.kind Ingress"],
            id="hidden-from-the-operator",
        ),
    ],
)
def test_several_pods_without_affinity_are_refused(values: dict[str, Any], parts: list[str]) -> None:
    line = refused(**values)
    for part in [*parts, "is above 1", "set route.affinity.mode to External"]:
        assert part in line


@pytest.mark.parametrize("replicas", [0, 1])
def test_one_pod_needs_no_affinity(replicas: int) -> None:
    assert routed(replicas=replicas).objects


def test_several_pods_with_affinity_by_something_else() -> None:
    assert routed(replicas=2, affinity={"mode": "External"}).one("Deployment")["spec"]["replicas"] == 2


def test_the_operator_sees_the_service_behind_traefiks_gateway() -> None:
    release = routed(operator=True, controller="traefik", kind="HTTPRoute", gateway={"parentRefs": GATEWAY})
    (rule,) = release.one("HTTPRoute")["spec"]["rules"]
    assert rule["backendRefs"] == [{"name": "chat-chainlit", "port": 80}]
    assert not release.all("TraefikService")


@pytest.mark.parametrize(
    "preset", [pytest.param(p, id=p.name) for p in controllers.presets() if p.kind in registry.ROUTES]
)
def test_the_operator_reads_no_rewrite_in_what_is_set(preset: Preset) -> None:
    values = {**preset.values, "replicaCount": 1, "operator": {"enabled": True}}
    if preset.kind == "Ingress":
        values["route"]["className"] = "gce" if preset.controller == "gke" else preset.controller
    paths = record(app(values).one(preset.kind)).paths
    # An HTTPProxy has the path once with a slash, and once without.
    assert {(path.path.removesuffix("/"), path.service) for path in paths} == {("/chat", "chat-chainlit")}
    assert not any(path.transforms or path.middlewares or path.web_socket_refusal for path in paths)


# --------------------------------------------------------------------------------- kinds, hosts and certificates


def test_http_route() -> None:
    release = routed(
        kind="HTTPRoute",
        hosts=["a.example", "b.example"],
        gateway={"parentRefs": GATEWAY},
        annotations={"a": "b"},
        operator=True,
    )
    assert not release.all("Ingress")
    route = release.one("HTTPRoute")
    assert route["metadata"]["annotations"] == {"a": "b"}
    assert route["spec"] == {
        "parentRefs": GATEWAY,
        "hostnames": ["a.example", "b.example"],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/chat"}}],
                "backendRefs": [{"name": "chat-chainlit", "port": 80}],
            }
        ],
    }
    assert release.one("ChainlitApp")["spec"]["route"]["ref"] == {"kind": "HTTPRoute", "name": "chat-chainlit"}


def test_http_proxies_have_one_host_each() -> None:
    tls = [{"secretName": "x", "hosts": ["b.example"]}]
    release = routed(
        kind="HTTPProxy", controller="contour", host="a.example", hosts=["b.example"], tls=tls, className="c"
    )
    one, other = (item["spec"] for item in release.all("HTTPProxy"))
    assert one["virtualhost"] == {"fqdn": "a.example"}
    assert other["virtualhost"] == {"fqdn": "b.example", "tls": {"secretName": "x"}}
    assert one["ingressClassName"] == "c"
    assert [rule["conditions"] for rule in one["routes"]] == [[{"exact": "/chat"}], [{"prefix": "/chat/"}]]
    assert all(rule["enableWebsockets"] for rule in one["routes"])


def test_http_proxy_without_host_is_for_another_to_include() -> None:
    spec = routed(kind="HTTPProxy", controller="contour", path="/").one("HTTPProxy")["spec"]
    assert "virtualhost" not in spec
    assert [rule["conditions"] for rule in spec["routes"]] == [[{"prefix": "/"}]]


def test_hosts_and_their_certificate() -> None:
    release = routed(host="a.example", hosts=["b.example", "a.example"], tls=[{"secretName": "x"}])
    spec = release.one("Ingress")["spec"]
    assert [rule["host"] for rule in spec["rules"]] == ["a.example", "b.example"]
    assert spec["rules"][0]["http"] == spec["rules"][1]["http"]
    assert spec["tls"] == [{"secretName": "x", "hosts": ["a.example", "b.example"]}]
    own = routed(host="a.example", tls=[{"secretName": "x", "hosts": ["*.example"]}])
    assert own.one("Ingress")["spec"]["tls"] == [{"secretName": "x", "hosts": ["*.example"]}]


@pytest.mark.parametrize(("field", "annotation"), [("issuer", "issuer"), ("clusterIssuer", "cluster-issuer")])
def test_certificate_of_cert_manager(field: str, annotation: str) -> None:
    ingress = routed(host="a.example", certManager={field: "letsencrypt"}).one("Ingress")
    assert ingress["metadata"]["annotations"] == {f"cert-manager.io/{annotation}": "letsencrypt"}
    assert ingress["spec"]["tls"] == [{"secretName": "chat-chainlit-tls", "hosts": ["a.example"]}]


def test_certificate_of_cert_manager_for_a_host_of_route_tls() -> None:
    tls = [{"secretName": "x", "hosts": ["a.example"]}]
    assert routed(tls=tls, certManager={"issuer": "x"}).one("Ingress")["spec"]["tls"] == tls
    assert not routed(enabled=False, certManager={"issuer": "x"}).all("Ingress")


KINDS = {preset.kind for preset in controllers.presets()}


@pytest.mark.parametrize(
    ("controller", "kind"),
    sorted(
        (c, k)
        for c in CONTROLLERS
        for k in KINDS
        if (c, k) not in {(p.controller, p.kind) for p in controllers.presets()}
    ),
)
def test_kinds_that_a_controller_does_not_serve_are_refused(controller: str, kind: str) -> None:
    line = refused(route={"controller": controller, "kind": kind, "gateway": {"parentRefs": GATEWAY}})
    assert f"route.kind {kind} is not possible with route.controller {controller}: use route.kind " in line


HTTP_ROUTE = {"kind": "HTTPRoute", "gateway": {"parentRefs": GATEWAY}}
HTTP_PROXY = {"kind": "HTTPProxy", "controller": "contour"}


@pytest.mark.parametrize(
    ("route", "parts"),
    [
        pytest.param({"kind": "HTTPRoute"}, ["needs a Gateway", "route.gateway.parentRefs"], id="no-gateway"),
        pytest.param(
            {"gateway": {"parentRefs": GATEWAY}}, ["route.gateway.parentRefs", "route.kind is Ingress"], id="gateway"
        ),
        pytest.param({**HTTP_ROUTE, "className": "x"}, ["route.className", "route.gateway.className"], id="class"),
        pytest.param(
            {"gateway": {"className": "eg"}}, ["route.gateway.className", "use route.className"], id="gateway-class"
        ),
        pytest.param({"rule": {"filters": []}}, ["route.rule", "use route.annotations"], id="rule-of-an-ingress"),
        pytest.param(
            {**HTTP_ROUTE, "rule": {"matches": []}}, ["route.rule has matches", "use route.path"], id="matches"
        ),
        pytest.param(
            {**HTTP_PROXY, "rule": {"services": []}}, ["route.rule has services", "extraObjects"], id="services"
        ),
        pytest.param(
            {"controller": "openshift"}, ["route.controller openshift needs route.host"], id="openshift-without-host"
        ),
        pytest.param(
            {"controller": "nginx", "policy": {"BackendConfig": {}}},
            ["route.policy has BackendConfig", "no such object for route.controller nginx", "remove it"],
            id="policy-of-another-controller",
        ),
        pytest.param(
            {"controller": "gke", "policy": {"GCPBackendPolicy": {}}},
            ["route.policy has GCPBackendPolicy", "for route.controller gke", "use BackendConfig"],
            id="policy-of-another-kind",
        ),
        pytest.param(
            {**HTTP_ROUTE, "pathType": "ImplementationSpecific"},
            ["route.pathType", "remove route.pathType"],
            id="path-type",
        ),
        pytest.param(
            {**HTTP_ROUTE, "tls": [{"secretName": "x"}]}, ["route.tls", "set route.scheme to https"], id="tls"
        ),
        pytest.param(
            {**HTTP_ROUTE, "certManager": {"issuer": "x"}}, ["route.certManager", "for the Gateway"], id="issuer"
        ),
        pytest.param(
            {**HTTP_PROXY, "certManager": {"issuer": "x"}},
            ["route.certManager", "a Secret that route.tls names"],
            id="proxy",
        ),
        pytest.param({"certManager": {"issuer": "x", "clusterIssuer": "y"}}, ["both", "remove one"], id="two-issuers"),
        pytest.param({"certManager": {"issuer": "x"}}, ["route.certManager needs route.host"], id="no-host"),
        pytest.param(
            {**HTTP_PROXY, "host": "a.b", "tls": [{"hosts": ["a.b"]}]}, ["route.tls needs a secretName"], id="no-secret"
        ),
        pytest.param(
            {**HTTP_PROXY, "host": "a.b", "tls": [{"secretName": "x", "hosts": ["c.d"]}]},
            ["route.tls has the host c.d", "remove it"],
            id="other-host",
        ),
        pytest.param(
            {**HTTP_PROXY, "tls": [{"secretName": "x"}]}, ["route.tls needs route.host", "route.scheme"], id="included"
        ),
        pytest.param(
            {"scheme": "http", "tls": [{"secretName": "x"}]}, ["route.scheme is http", "remove one"], id="scheme"
        ),
        pytest.param(
            {"affinity": {"sameSite": "None"}}, ["route.affinity.sameSite None needs https", "use Lax"], id="none"
        ),
    ],
)
def test_impossible_routes_are_refused(route: dict[str, Any], parts: list[str]) -> None:
    line = refused(route=route)
    for part in parts:
        assert part in line


def test_the_operator_reads_an_http_proxy() -> None:
    route = routed(operator=True, replicas=2, **HTTP_PROXY).one("ChainlitApp")["spec"]["route"]
    assert route["ref"]["kind"] == "HTTPProxy"
    assert "affinity" not in route, "the operator sees the cookie"


def test_every_controller_is_in_the_schema() -> None:
    definitions = load((CHARTS / "definitions.yaml").read_text(encoding="utf-8"))["$defs"]
    assert set(definitions["controller"]["enum"]) == CONTROLLERS | {"auto"}
