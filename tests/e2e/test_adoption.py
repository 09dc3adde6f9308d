"""Adopting an app that works: its pods stay, whatever its ChainlitApp finds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.cluster import OPERATOR, START, Space, is_ready, managers
from tests.e2e.demo import PATIENT, PORT, container, probe, workload
from tests.e2e.test_releases import PARENT, SETTLED, image, route, variables
from tests.objects import Object, chainlit_app, ingress, service
from tests.objects import variables as env
from tests.waiting import eventually

pytestmark = pytest.mark.slow
ROOT = "CHAINLIT_ROOT_PATH"
#: The demo app with an endpoint of its own.
OWN = """
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from chainlit.server import app

exec(open("/app/app.py").read())
app.router.routes.insert(0, Route("/healthz", lambda request: PlainTextResponse("ok")))
"""
RUN = ["chainlit", "run", "/app/app.py", "--headless", "--host", "0.0.0.0", "--port", str(PORT)]


def chat(space: Space, values: dict[str, str], path: str, release: str = "", **fields: Any) -> Object:
    """Return a workload with these variables, whose probes ask a path."""
    probes = {name: probe(path, PATIENT) for name in ("readinessProbe", "livenessProbe")}
    name = image(space.cluster, release) if release else space.cluster.demo_image
    return workload(container(name, **({"env": env(values)} | probes | fields)))


def started(space: Space) -> str:
    """Wait until the one pod is ready; return its uid."""
    (pod,) = eventually(space.pods, lambda pods: len(pods) == 1 and is_ready(pods[0]), timeout=SETTLED)
    return str(pod["metadata"]["uid"])


def assert_untouched(space: Space, pod: str) -> None:
    """The pod is the same, and the operator has not written to the workload."""
    assert [found["metadata"]["uid"] for found in space.pods()] == [pod]
    deployment = space.get("Deployment")
    assert deployment["metadata"]["generation"] == 1
    assert OPERATOR not in managers(deployment)


def test_below_the_path_of_the_route(space: Space) -> None:
    space.create(service(), ingress(space.host, "/"), chat(space, {ROOT: "/chat"}, "/chat/health"))
    pod = started(space)

    space.create(chainlit_app())

    space.await_ready()
    space.await_condition("Aligned", "True", "Kept")
    space.await_answer("/chat")
    assert space.get("ChainlitApp")["status"]["url"] == f"http://{space.host}/chat/"
    assert_untouched(space, pod)

    space.move("/bot")
    space.await_moved("/bot")
    space.await_answer("/bot")


def test_a_prefix_of_a_proxy_outside(space: Space) -> None:
    values = {ROOT: "/chat", PARENT: "/portal"}
    space.create(service(), ingress(space.host, "/chat"), chat(space, values, "/chat/health"))
    pod = started(space)

    space.create(chainlit_app())

    space.await_condition("Ready", "Unknown", "URLNotStated")
    space.await_condition("Aligned", "True", "Kept")
    assert "url" not in space.get("ChainlitApp")["status"]
    assert_untouched(space, pod)


def test_the_root_path_in_the_command(space: Space) -> None:
    command = [*RUN, "--root-path", f"$({ROOT})"]
    space.create(service(), ingress(space.host), chat(space, {ROOT: "/chat"}, "/chat/health", command=command))
    pod = started(space)

    space.create(chainlit_app())

    space.await_ready()
    space.await_answer("/chat")
    assert_untouched(space, pod)


def test_an_old_release_behind_a_route_that_strips(space: Space) -> None:
    space.create(service(), *route(space, "/chat", strips=True), chat(space, {ROOT: "/chat"}, "/", "2.2.1"))
    pod = started(space)
    space.await_answer("/chat", timeout=START)

    space.create(chainlit_app())

    space.await_ready()
    space.await_condition("Aligned", "True", "Kept")
    space.await_answer("/chat")
    assert_untouched(space, pod)


def test_a_health_endpoint_of_its_own_stays(space: Space) -> None:
    script = f"printf '%s' \"$OWN\" > /tmp/own.py && exec {' '.join(RUN).replace('/app/app.py', '/tmp/own.py')}"
    own = chat(space, {"OWN": OWN}, "/healthz", command=["sh", "-c", script])
    space.create(service(), ingress(space.host), own)
    started(space)

    space.create(chainlit_app())

    space.await_answer("/chat", timeout=SETTLED)
    space.await_ready()
    found = space.get("Deployment")
    assert variables(found)[ROOT] == "/chat"
    assert found["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["httpGet"]["path"] == "/healthz"


def test_a_path_that_chainlits_page_answers_moves(space: Space) -> None:
    space.create(service(), ingress(space.host), chat(space, {}, "/healthz"))
    started(space)

    space.create(chainlit_app())

    space.await_answer("/chat", timeout=SETTLED)
    space.await_ready()
    (found,) = space.get("Deployment")["spec"]["template"]["spec"]["containers"]
    assert found["readinessProbe"]["httpGet"]["path"] == "/chat/healthz"
