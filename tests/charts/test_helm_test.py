"""The pods of ``helm test``: what they ask, and that they are as restricted as the app's."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from chainlit_operator import __version__
from chainlit_operator.cli import cli
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification import one_shot, prober

from .rendering import Object, Rendered, app, notes, refusal

SERVICE, ROUTE = "chat-chainlit-test-service", "chat-chainlit-test-route"


def asks(release: Rendered, name: str) -> list[str]:
    """The arguments of a test's container."""
    (container,) = release.named("Pod", name)["spec"]["containers"]
    return list(container["args"])


def variables(release: Rendered, name: str) -> list[Object]:
    """The variables of a test's container."""
    (container,) = release.named("Pod", name)["spec"]["containers"]
    return list(container.get("env", []))


def released(**values: Any) -> Rendered:
    tests = values.pop("tests", {})
    tests = {**tests, "image": {"repository": "chainlit-operator", **tests.get("image", {})}}
    return app({"route": {"path": "chat/", "host": "a.example", **values.pop("route", {})}, "tests": tests, **values})


def test_nothing_that_only_a_test_needs_by_default() -> None:
    """What ``helm template`` prints may be applied as it is."""
    assert not app().all("Pod")
    assert not app({"tests": {"url": "http://a.example/"}}).all("Pod")
    said = notes("chainlit", {"image": {"repository": "x"}})
    assert "set tests.image.repository" in said


def test_through_the_service_and_nowhere_else_by_default() -> None:
    release = released(service={"port": 8080}, tests={"waitSeconds": 5})
    assert [pod["metadata"]["name"] for pod in release.all("Pod")] == [SERVICE]
    assert asks(release, SERVICE) == ["probe", "--service", "http://chat-chainlit.demo.svc:8080/chat/", "--wait=5"]


def test_message_goes_through_the_service_only() -> None:
    release = released(tests={"message": "{{ how }} are you?", "cookieSecret": "ann", "connectTo": "edge:80"})
    assert asks(release, SERVICE)[-2:] == ["--message={{ how }} are you?", "--wait=30"]
    assert not [argument for argument in asks(release, ROUTE) if argument.startswith("--message")]
    cookie = {"secretKeyRef": {"name": "ann", "key": "cookie"}}
    assert variables(release, SERVICE) == [{"name": "CHAINLIT_OPERATOR_PROBE_COOKIE", "valueFrom": cookie}]
    assert variables(release, ROUTE) == []


def test_cookie_without_a_message_is_left_out() -> None:
    """The command refuses it: the other requests have no login."""
    assert variables(released(tests={"cookieSecret": "ann"}), SERVICE) == []


def test_where_the_path_is_stripped() -> None:
    release = released(route={"path": "/team/chat"}, tests={"parentRootPath": "team"})
    assert asks(release, SERVICE)[2:4] == ["http://chat-chainlit.demo.svc:80/chat/", "--parent-root-path=/team"]


@pytest.mark.parametrize(
    ("tests", "route", "expected"),
    [
        ({"url": "https://b.example/chat/"}, {}, ["https://b.example/chat/"]),
        ({"connectTo": "edge:80"}, {}, ["http://a.example/chat/", "--connect-to=edge:80"]),
        ({"connectTo": "edge"}, {"scheme": "https"}, ["https://a.example/chat/", "--connect-to=edge"]),
        ({"connectTo": "edge:80"}, {"host": ""}, ["http://edge:80/chat/", "--connect-to=edge:80"]),
        ({"connectTo": "edge"}, {"host": "", "hosts": ["c.example"]}, ["http://c.example/chat/", "--connect-to=edge"]),
        (
            {"connectTo": "edge"},
            {"host": "*.example", "hosts": ["c.example"]},
            ["http://c.example/chat/", "--connect-to=edge"],
        ),
        (
            {"connectTo": "edge", "url": "http://d.example/chat/"},
            {"host": "*.example"},
            ["http://d.example/chat/", "--connect-to=edge"],
        ),
    ],
)
def test_through_the_route(tests: Object, route: Object, expected: list[str]) -> None:
    assert asks(released(tests=tests, route=route), ROUTE)[1:-1] == expected


def test_a_wildcard_is_no_host_to_ask_for() -> None:
    given: Object = {"image": {"repository": "x"}, "route": {"host": "*.a.b"}, "tests": {"connectTo": "edge"}}
    message = refusal("chainlit", given)
    assert "tests.connectTo needs a host, and the route has only *.a.b: set tests.url" in message
    assert app({**given, "route": {**given["route"], "enabled": False}}).all("Deployment")


@pytest.mark.parametrize("name", [SERVICE, ROUTE])
def test_the_command_takes_the_arguments(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def found(*_: Any, **__: Any) -> prober.Outcome:
        return prober.Outcome(Reason.VERIFIED, "yes")

    monkeypatch.setattr(one_shot, "probe", found)
    result = CliRunner().invoke(cli, asks(released(tests={"connectTo": "edge:80"}), name))
    assert result.exit_code == 0, result.output


def test_pods_are_restricted_and_no_pods_of_the_app() -> None:
    release = released(tests={"connectTo": "edge:80"}, imagePullSecrets=[{"name": "pull"}])
    selector = release.one("Service")["spec"]["selector"]
    for pod in release.all("Pod"):
        assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
        assert not selector.items() <= pod["metadata"]["labels"].items()
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert spec["restartPolicy"] == "Never"
        assert spec["imagePullSecrets"] == [{"name": "pull"}]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = spec["containers"]
        assert container["image"] == f"chainlit-operator:{__version__}"
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({"repository": "r.example/op", "tag": "1"}, "r.example/op:1"),
        ({"tag": "1", "digest": f"sha256:{'a' * 64}"}, f"chainlit-operator@sha256:{'a' * 64}"),
    ],
)
def test_image(image: Object, expected: str) -> None:
    assert released(tests={"image": image}).named("Pod", SERVICE)["spec"]["containers"][0]["image"] == expected


def test_resources_have_the_form_of_kubernetes() -> None:
    (container,) = released(tests={"resources": {"limits": {"cpu": 1}}}).named("Pod", SERVICE)["spec"]["containers"]
    assert container["resources"]["limits"]["cpu"] == 1


def test_the_service_comes_first() -> None:
    release = released(tests={"connectTo": "edge:80"})
    weights = {
        pod["metadata"]["name"]: pod["metadata"]["annotations"]["helm.sh/hook-weight"] for pod in release.all("Pod")
    }
    assert weights == {SERVICE: "0", ROUTE: "1"}


def test_authorities() -> None:
    pod = released(tests={"connectTo": "edge", "caConfigMap": "ours", "caKey": "root.pem"}).named("Pod", ROUTE)["spec"]
    (container,) = pod["containers"]
    (mount,) = container["volumeMounts"]
    assert container["args"][-1] == f"--ca-file={mount['mountPath']}/root.pem"
    assert pod["volumes"] == [{"name": mount["name"], "configMap": {"name": "ours"}}]


def test_off() -> None:
    assert not released(tests={"enabled": False, "url": "http://a.example/"}).all("Pod")
