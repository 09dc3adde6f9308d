"""A pod that waits for running answers before it ends: its hook, its grace period, and the file for its Python."""

from __future__ import annotations

import ast

import pytest

from .generated import CHARTS
from .rendering import Object, Rendered, app, refusal

FILES = CHARTS / "chainlit/files/drain"
IMAGE: Object = {"image": {"repository": "example/chat"}}


def drained(**values: object) -> Rendered:
    drain = values.pop("drain", {})
    assert isinstance(drain, dict)
    return app({"drain": {"enabled": True, **drain}, **values})


def init(release: Rendered) -> Object:
    (found,) = [item for item in release.pod()["spec"]["initContainers"] if item["name"] == "drain"]
    assert isinstance(found, dict)
    return found


def variables(release: Rendered) -> dict[str, str]:
    prefix = "CHAINLIT_DRAIN_"
    return {name.removeprefix(prefix): value for name, value in release.env().items() if name.startswith(prefix)}


def test_nothing_of_it_by_default() -> None:
    release = app()
    assert release.pod()["spec"]["terminationGracePeriodSeconds"] == 35
    assert release.container()["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
    assert "PYTHONPATH" not in release.env()
    assert not variables(release)


def test_the_hook_asks_a_port_that_no_service_and_no_policy_has() -> None:
    release = drained(networkPolicy={"enabled": True}, service={"extraPorts": [{"name": "metrics", "port": 9000}]})
    assert release.container()["lifecycle"] == {"preStop": {"httpGet": {"path": "/drain", "port": 8790}}}
    assert variables(release)["PORT"] == "8790"
    assert [port["containerPort"] for port in release.container()["ports"]] == [8000]
    assert "8790" not in str(release.one("Service")["spec"])
    assert "8790" not in str(release.one("NetworkPolicy")["spec"])


def test_the_grace_period_follows_from_the_limit() -> None:
    release = drained(drain={"limitSeconds": 3000, "port": 9999}, terminationGracePeriodSeconds=40)
    assert release.pod()["spec"]["terminationGracePeriodSeconds"] == 3040
    assert variables(release)["LIMIT_SECONDS"] == "3000"
    assert release.container()["lifecycle"]["preStop"]["httpGet"]["port"] == 9999


def test_other_hooks_stay() -> None:
    start = {"exec": {"command": ["true"]}}
    release = drained(lifecycle={"postStart": start})
    assert release.container()["lifecycle"].keys() == {"postStart", "preStop"}
    assert release.container()["lifecycle"]["postStart"] == start


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ({}, ("5", "20")),
        ({"lifecycle": {"preStop": {"sleep": {"seconds": 12}}}}, ("12", "20")),
        ({"lifecycle": {"preStop": None}}, ("0", "20")),
        ({"probes": {"readiness": {"periodSeconds": 2, "failureThreshold": 1}}}, ("5", "4")),
        ({"probes": {"readiness": {"periodSeconds": None, "failureThreshold": None}}}, ("5", "40")),
        ({"probes": {"readiness": {"enabled": False}}}, ("5", "0")),
    ],
)
def test_the_waits_are_those_of_the_pod(values: Object, seconds: tuple[str, str]) -> None:
    found = variables(drained(**values))
    assert (found["SETTLE_SECONDS"], found["READINESS_SECONDS"]) == seconds


@pytest.mark.parametrize(
    ("values", "mode"),
    [
        ({}, "Auto"),
        ({"drain": {"mode": "Keep"}}, "Keep"),
        ({"strategy": {"type": "Recreate"}}, "Answers"),
        ({"persistence": {"enabled": True}}, "Answers"),
        ({"persistence": {"enabled": True, "accessModes": ["ReadWriteMany"]}}, "Auto"),
        ({"strategy": {"type": "Recreate"}, "drain": {"mode": "Keep"}}, "Keep"),
    ],
)
def test_where_no_other_pod_comes_the_pod_waits_for_answers_only(values: Object, mode: str) -> None:
    assert variables(drained(**values))["MODE"] == mode


def test_the_app_reads_the_file_and_cannot_change_it() -> None:
    release = drained()
    container = init(release)
    assert container["command"] == [
        "python3",
        "/run/scripts/drain-prepare.py",
        "/run/scripts/drain-sitecustomize.py",
        "/run/drain",
        "",
    ]
    assert "env" not in container  # there the image's own PYTHONPATH shows, which a pod's would hide
    assert {"name": "drain", "mountPath": "/run/drain"} in container["volumeMounts"]
    mount = {"name": "drain", "mountPath": "/run/drain", "readOnly": True}
    assert mount in release.container()["volumeMounts"]
    assert {"name": "drain", "emptyDir": {}} in release.pod()["spec"]["volumes"]
    assert release.env()["PYTHONPATH"] == "/run/drain"
    for field in ("image", "securityContext", "resources"):
        assert container[field] == release.container()[field]


def test_envfrom_may_have_a_python_path() -> None:
    given = [{"configMapRef": {"name": "settings"}}]
    assert init(drained(envFrom=given))["envFrom"] == given


@pytest.mark.parametrize(
    "where", [{"env": {"PYTHONPATH": "/a:/b"}}, {"extraEnv": [{"name": "PYTHONPATH", "value": "/a:/b"}]}]
)
def test_python_path_of_the_users_own_stays(where: Object) -> None:
    release = drained(**where)
    assert release.env()["PYTHONPATH"] == "/run/drain:/a:/b"
    assert init(release)["command"][-1] == "/a:/b"


def test_packages_of_the_app_come_after_it() -> None:
    release = drained(app={"requirements": ["x"]}, env={"PYTHONPATH": "/a"})
    place = app({"app": {"requirements": ["x"]}}).env()["PYTHONPATH"]
    assert release.env()["PYTHONPATH"] == f"/run/drain:{place}:/a"
    assert init(release)["command"][-1] == f"{place}:/a"


@pytest.mark.parametrize("values", [{}, {"operator": {"enabled": True}}])
def test_the_other_variables_stay_as_they_are_and_in_their_order(values: Object) -> None:
    given: Object = {
        "extraEnv": [{"name": "B", "value": "$(A)"}],
        "env": {"A": 1, "Z": {"valueFrom": {"secretKeyRef": {}}}},
    }
    without, with_ = app({**given, **values}).container()["env"], drained(**given, **values).container()["env"]
    assert [entry for entry in with_ if entry["name"].startswith(("CHAINLIT_DRAIN_", "PYTHONPATH"))] == with_[:6]
    assert with_[6:] == without


def test_scripts_have_the_files_of_the_chart() -> None:
    texts = drained().named("ConfigMap", "chat-chainlit-scripts")["data"]
    assert texts.keys() == {"drain-prepare.py", "drain-sitecustomize.py"}
    for name in ("prepare.py", "sitecustomize.py"):
        assert texts[f"drain-{name}"] == (FILES / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["prepare.py", "sitecustomize.py"])
def test_files_run_on_old_releases_of_python(name: str) -> None:
    """Images of Chainlit 1.x have Python 3.8, and a container may have a Python of the system too."""
    ast.parse((FILES / name).read_text(encoding="utf-8"), feature_version=(3, 8))


LOGIN: Object = {"enabled": True, "issuerURL": "https://a.io", "existingSecret": "a", "emailDomains": ["*"]}
SECRET: Object = {"valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"drain": {"port": 8000}}, "drain.port 8000 is the port of the app"),
        ({"chainlit": {"port": 8790}}, "drain.port 8790 is the port of the app"),
        ({"authProxy": {**LOGIN, "port": 8790}}, "drain.port 8790 is the port of the login"),
        ({"extraContainers": [{"name": "x", "ports": [{"containerPort": 8790}]}]}, "is a port of the container x"),
        ({"lifecycle": {"preStop": {"exec": {"command": ["true"]}}}}, "lifecycle.preStop has exec"),
        ({"env": {"CHAINLIT_DRAIN_MODE": "Keep"}}, "CHAINLIT_DRAIN_MODE is not allowed in env or extraEnv"),
        ({"env": {"PYTHONPATH": SECRET}}, "PYTHONPATH has a valueFrom"),
        ({"extraEnv": [{"name": "PYTHONPATH", **SECRET}]}, "PYTHONPATH has a valueFrom"),
    ],
)
def test_what_excludes_each_other_is_refused(values: Object, message: str) -> None:
    drain = {"enabled": True, **values.get("drain", {})}
    assert message in refusal("chainlit", {**IMAGE, **values, "drain": drain})
    app({**values, "drain": {**drain, "enabled": False}})
