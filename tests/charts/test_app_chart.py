"""The chart of an app: one path, and one owner for each field."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from chainlit_operator.domain import paths

from .rendering import app, notes, refusal

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
SENTINEL = "/zz-sentinel"
IMAGE = {"image": {"repository": "example/chat"}}

PATHS = ["", "/", "chat", "/chat", "/chat/", "//chat", " /x ", "/team/a/chat", "///", "/v1.0/chat_~-"]


def places(value: Any, where: str = "") -> list[str]:
    """Where the sentinel is written, as paths of keys; list entries go by their name."""
    if isinstance(value, dict):
        return [place for key, item in value.items() for place in places(item, f"{where}.{key}")]
    if isinstance(value, list):
        return [
            place
            for index, item in enumerate(value)
            for place in places(item, f"{where}[{item.get('name', index) if isinstance(item, dict) else index}]")
        ]
    return [where] if SENTINEL in str(value) else []


def sentinels(values: dict[str, Any]) -> dict[str, list[str]]:
    release = app({**values, "route": {"path": SENTINEL, **values.get("route", {})}})
    objects = [item for item in release.objects if item["kind"] != "Pod"]  # helm test asks there, and changes nothing
    return {item["kind"]: found for item in objects if (found := places(item))}


def test_path_is_in_the_ingress_only_when_the_operator_owns_the_rest() -> None:
    assert sentinels({"operator": {"enabled": True}}) == {"Ingress": [".spec.rules[0].http.paths[0].path"]}


def test_path_is_in_ingress_variable_and_probes_otherwise() -> None:
    container = ".spec.template.spec.containers[chainlit]"
    assert sentinels({}) == {
        "Ingress": [".spec.rules[0].http.paths[0].path"],
        "Deployment": [
            f"{container}.env[CHAINLIT_ROOT_PATH].value",
            *(f"{container}.{probe}.httpGet.path" for probe in PROBES),
        ],
    }


def test_path_without_ingress() -> None:
    assert sentinels({"operator": {"enabled": True}, "route": {"enabled": False}}) == {}
    assert sentinels({"route": {"enabled": False}}).keys() == {"Deployment"}


@pytest.mark.parametrize("path", PATHS)
def test_chart_computes_what_the_operator_would(path: str) -> None:
    release = app({"route": {"path": path}})
    root = paths.normalise(path)
    assert release.env()["CHAINLIT_ROOT_PATH"] == root
    for probe in PROBES:
        assert release.container()[probe]["httpGet"] == {"port": "http", "path": f"{root}/health"}
    (rule,) = release.one("Ingress")["spec"]["rules"]
    (entry,) = rule["http"]["paths"]
    assert entry["path"] == (root or "/")
    assert not release.all("ChainlitApp")


def test_chainlitapp_names_what_the_chart_made() -> None:
    release = app({"operator": {"enabled": True}})
    spec = release.one("ChainlitApp")["spec"]
    assert spec == {
        "workload": {
            "ref": {
                "kind": "Deployment",
                "name": release.one("Deployment")["metadata"]["name"],
                "container": release.container()["name"],
            }
        },
        "route": {"ref": {"kind": "Ingress", "name": release.one("Ingress")["metadata"]["name"]}},
        "verification": {"mode": "Auto", "intervalSeconds": 60},
    }


@pytest.mark.parametrize("is_enabled", [False, True])
def test_chainlitapp_states_the_url_where_the_route_does_not_show_it(is_enabled: bool) -> None:
    url = "http://127.0.0.1:8080/chat/"
    route = app({"operator": {"enabled": True, "url": url}, "route": {"enabled": is_enabled, "path": "/chat"}})
    found = route.one("ChainlitApp")["spec"]["route"]
    assert found["url"] == url and ("ref" in found) is is_enabled


def test_chainlitapp_discovers_a_route_that_is_not_the_charts() -> None:
    release = app({"operator": {"enabled": True}, "route": {"enabled": False}})
    assert not release.all("Ingress")
    assert "route" not in release.one("ChainlitApp")["spec"]


def test_ingress() -> None:
    tls = [{"hosts": ["chat.example.com"], "secretName": "chat-tls"}]
    release = app(
        {
            "route": {
                "path": "/chat",
                "host": "chat.example.com",
                "className": "traefik",
                "annotations": {"a": "b"},
                "tls": tls,
                "pathType": "ImplementationSpecific",
            }
        }
    )
    ingress = release.one("Ingress")
    assert ingress["metadata"]["annotations"] == {"a": "b"}
    assert ingress["spec"] == {
        "ingressClassName": "traefik",
        "tls": tls,
        "rules": [
            {
                "host": "chat.example.com",
                "http": {
                    "paths": [
                        {
                            "path": "/chat",
                            "pathType": "ImplementationSpecific",
                            "backend": {
                                "service": {
                                    "name": release.one("Service")["metadata"]["name"],
                                    "port": {"name": release.one("Service")["spec"]["ports"][0]["name"]},
                                }
                            },
                        }
                    ]
                },
            }
        ],
    }


def test_ingress_without_host_or_class() -> None:
    spec = app().one("Ingress")["spec"]
    assert spec.keys() == {"rules"}
    assert spec["rules"][0].keys() == {"http"}


def test_environment() -> None:
    assert app().env() == {
        "CHAINLIT_APP_ROOT": "/chainlit",
        "CHAINLIT_HOST": "",
        "CHAINLIT_PORT": "8000",
        "CHAINLIT_AUTH_COOKIE_NAME": "demo_chat-chainlit_access_token",
        "CHAINLIT_ROOT_PATH": "",
        "FORWARDED_ALLOW_IPS": "*",
    }


def test_root_path_is_where_the_operator_adds_it() -> None:
    """At the end: moved, it would be another pod template, and switching the operator off would replace the pods."""
    extra = {"extraEnv": [{"name": "Z", "value": "1"}]}
    without, served = (app(extra | {"operator": {"enabled": on}}).container()["env"] for on in (False, True))
    assert without == [*served, {"name": "CHAINLIT_ROOT_PATH", "value": ""}]


def test_environment_of_the_user() -> None:
    reference = {"valueFrom": {"secretKeyRef": {"name": "chat", "key": "secret"}}}
    env = app(
        {
            "env": {
                "TEXT": 'a "b" $(C)\nd',
                "NUMBER": 100000000,
                "FLOAT": "0.50",
                "FLAG": True,
                "EMPTY": "",
                "SECRET": reference,
                "CHAINLIT_HOST": "::",
            },
            "extraEnv": [{"name": "FORWARDED_ALLOW_IPS", "value": "10.0.0.0/8"}],
        }
    ).env()
    assert env["TEXT"] == 'a "b" $(C)\nd'
    assert (env["NUMBER"], env["FLOAT"], env["FLAG"], env["EMPTY"]) == ("100000000", "0.50", "true", "")
    assert env["SECRET"] == {"name": "SECRET", **reference}
    assert env["CHAINLIT_HOST"] == "::"
    assert env["FORWARDED_ALLOW_IPS"] == "10.0.0.0/8"


def test_login_cookies_differ_between_releases_and_namespaces() -> None:
    releases = [app(), app(release="chat2"), app(namespace="demo2")]
    names = [release.env()["CHAINLIT_AUTH_COOKIE_NAME"] for release in releases]
    # Chainlit takes every cookie that begins with its own name for a part of its own.
    assert not [(one, two) for one, two in permutations(names, 2) if two.startswith(one)]
    assert app({"chainlit": {"authCookieName": "mine"}}).env()["CHAINLIT_AUTH_COOKIE_NAME"] == "mine"


def test_port_is_written_once() -> None:
    release = app({"chainlit": {"port": 9000}})
    assert release.env()["CHAINLIT_PORT"] == "9000"
    assert [port["containerPort"] for port in release.container()["ports"]] == [9000]


def test_command() -> None:
    assert not {"command", "args"} & app().container().keys()
    container = app({"chainlit": {"command": ["chainlit"], "args": ["run", "/srv/app.py", "--headless"]}}).container()
    assert container["command"] == ["chainlit"]
    assert container["args"] == ["run", "/srv/app.py", "--headless"]


def test_app_root() -> None:
    release = app({"chainlit": {"appRoot": {"path": "/data"}}})
    assert release.env()["CHAINLIT_APP_ROOT"] == "/data"
    assert {"name": "app-root", "mountPath": "/data"} in release.container()["volumeMounts"]
    assert {"name": "app-root", "emptyDir": {}} in release.pod()["spec"]["volumes"]

    volume: dict[str, Any] = {"ephemeral": {"volumeClaimTemplate": {}}}
    release = app({"chainlit": {"appRoot": {"path": "/data", "volume": volume}}})
    assert {"name": "app-root", **volume} in release.pod()["spec"]["volumes"]


def test_probes() -> None:
    release = app({"probes": {"path": "/auth/config", "startup": {"enabled": False}}, "route": {"path": "/chat"}})
    container = release.container()
    assert "startupProbe" not in container
    assert container["livenessProbe"]["httpGet"]["path"] == "/chat/auth/config"
    assert "enabled" not in container["livenessProbe"]
    container = app({"probes": {"path": "/"}, "route": {"path": "/chat"}}).container()
    assert container["readinessProbe"]["httpGet"]["path"] == "/chat/"


def test_sidecars_come_after_the_app() -> None:
    sidecar = {"name": "proxy", "image": "example/proxy"}
    release = app({"extraContainers": [sidecar], "initContainers": [sidecar]})
    assert [container["name"] for container in release.pod()["spec"]["containers"]] == ["chainlit", "proxy"]
    assert release.pod()["spec"]["initContainers"][1:] == [sidecar]


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        *(
            pytest.param(
                {**IMAGE, "chainlit": {"appRoot": {"path": path}}},
                [f"chainlit.appRoot.path {path} is not possible", "use a directory of its own"],
                id=f"app-root-{path}",
            )
            for path in ("/", "//", "/tmp", "//tmp/")
        ),
        pytest.param({**IMAGE, "route": {"path": "/ünï"}}, ["route.path", "use a path such as"], id="unicode"),
        pytest.param({**IMAGE, "route": {"path": "/a/../b"}}, ["route.path", '".."', "use a path"], id="dots"),
        pytest.param({**IMAGE, "route": {"path": "/chat(/|$)(.*)"}}, ["route.path", "use a path"], id="regex"),
        pytest.param(
            {**IMAGE, "route": {"path": "/a b"}, "operator": {"enabled": True}},
            ["route.path"],
            id="with-operator",
        ),
        pytest.param(
            {**IMAGE, "env": {"CHAINLIT_PARENT_ROOT_PATH": ""}, "operator": {"enabled": True}},
            ["CHAINLIT_PARENT_ROOT_PATH", "set route.path"],
            id="env-parent",
        ),
        pytest.param(
            {**IMAGE, "extraEnv": [{"name": "CHAINLIT_ROOT_PATH", "value": "/x"}]},
            ["CHAINLIT_ROOT_PATH", "set route.path"],
            id="extra-env-root",
        ),
        pytest.param({**IMAGE, "env": {"CHAINLIT_PORT": 1}}, ["CHAINLIT_PORT", "set chainlit.port"], id="env-port"),
        pytest.param(
            {**IMAGE, "chainlit": {"args": ["run", "app.py", "--root-path=/x"]}},
            ["--root-path", "set route.path"],
            id="argument",
        ),
        pytest.param(
            {**IMAGE, "env": {"A": "1"}, "extraEnv": [{"name": "A", "value": "2"}]},
            ["extraEnv has A"],
            id="repeated",
        ),
    ],
)
def test_refused_with_the_remedy(values: dict[str, Any], parts: list[str]) -> None:
    (line,) = [line for line in refusal("chainlit", values).splitlines() if "execution error" in line]
    for part in parts:
        assert part in line


def test_notes() -> None:
    tls = [{"hosts": ["example.com"], "secretName": "x"}]
    text = notes("chainlit", {**IMAGE, "route": {"path": "chat/", "host": "example.com", "tls": tls}})
    assert "https://example.com/chat/\n" in text
    assert "wss://example.com/chat/ws/socket.io/\n" in text
    assert "'https://example.com/chat/ws/socket.io/?EIO=4&transport=polling'" in text
    assert "WARNING" not in text
    assert "get chainlitapp" not in text


def test_notes_with_operator() -> None:
    text = notes("chainlit", {**IMAGE, "operator": {"enabled": True}})
    assert "http://<address of the Ingress>/\n" in text
    assert "get ingress chat-chainlit" in text
    assert "--namespace demo get chainlitapp chat-chainlit" in text


def test_notes_with_plain_http() -> None:
    assert "WARNING: browsers drop the session cookie" in notes(
        "chainlit", {**IMAGE, "route": {"hosts": ["a.example"]}}
    )
    https = {"hosts": ["a.example"], "scheme": "https"}
    assert "WARNING" not in notes("chainlit", {**IMAGE, "route": https})


def test_notes_with_a_gateway() -> None:
    route = {"kind": "HTTPRoute", "gateway": {"parentRefs": [{"name": "gateway"}]}}
    text = notes("chainlit", {**IMAGE, "route": route})
    assert "http://<address of the Gateway>/\n" in text
    assert "get ingress" not in text


def test_notes_without_ingress() -> None:
    text = notes("chainlit", {**IMAGE, "route": {"enabled": False, "path": "/chat"}})
    assert "the app expects requests below /chat." in text
    assert "port-forward deployment/chat-chainlit 8000" in text
    assert "http://127.0.0.1:8000/chat/\n" in text


def test_notes_of_a_service_for_other_networks() -> None:
    text = notes("chainlit", {**IMAGE, "route": {"enabled": False}, "service": {"type": "LoadBalancer"}})
    assert "The address of the LoadBalancer:" in text
    assert "get service chat-chainlit" in text
    assert "get service" not in notes("chainlit", {**IMAGE, "route": {"enabled": False}})


def test_notes_with_oauth() -> None:
    tls = [{"secretName": "x"}]
    given: dict[str, Any] = {"oauth": {"azure-ad": {"existingSecret": "x"}, "github": {"existingSecret": "x"}}}
    given |= {"auth": {"existingSecret": "x"}, "route": {"host": "a.example", "tls": tls, "path": "/chat"}}
    text = notes("chainlit", {**IMAGE, **given})
    assert "  azure-ad: https://a.example/chat/auth/oauth/azure-ad/callback\n" in text
    assert "  github: https://a.example/chat/auth/oauth/github/callback\n" in text
    text = notes("chainlit", {**IMAGE, **given, "chainlit": {"url": "https://b.example:8443"}})
    assert "  github: https://b.example:8443/chat/auth/oauth/github/callback\n" in text
    assert "OAuth" not in notes("chainlit", IMAGE)


def test_notes_of_pods() -> None:
    assert "scale deployment/chat-chainlit --replicas=1" in notes("chainlit", {**IMAGE, "replicaCount": 0})
    several = {**IMAGE, "replicaCount": 2}
    assert "WARNING: there may be several" in notes(
        "chainlit", {**several, "route": {"affinity": {"mode": "External"}}}
    )
    assert "several" not in notes("chainlit", {**several, "route": {"controller": "traefik"}})
    scaled = {**IMAGE, "replicaCount": 0, "autoscaling": {"enabled": True}, "route": {"controller": "traefik"}}
    assert "WARNING" not in notes("chainlit", scaled)
