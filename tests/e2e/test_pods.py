"""What only the pods know: the operator asks them, and the condition names the cause or the value to set."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.cluster import Space, is_ready
from tests.e2e.demo import PORT, container, probe, workload
from tests.objects import Object, chainlit_app, ingress, ingress_path, ingress_rule, service
from tests.waiting import eventually

pytestmark = pytest.mark.slow

#: Seconds until a cause is named, from the write that starts the rollout.
NAMED = 60.0
RUN = f"exec chainlit run /app/app.py --headless --port {PORT}"


def shell(space: Space, command: str, **fields: Any) -> Object:
    """Return a container that hides in a shell, as images do in their entrypoints, how it starts Chainlit."""
    return container(space.cluster.demo_image, command=["sh", "-c", command], **fields)


def reachable(space: Space, part: str) -> str:
    """Wait until WebSocketReachable says so, and return its reason."""
    found = eventually(lambda: space.condition("WebSocketReachable"), lambda c: part in c.message, timeout=NAMED)
    return found.reason


def test_root_path_of_the_image_is_named(space: Space) -> None:
    # The quotes keep the option out of sight of the operator, which reads commands too.
    baked = shell(space, f'{RUN} --host 0.0.0.0 --root""-path /baked')
    space.create(workload(baked), service(), ingress(space.host, "/chat"), chainlit_app())
    space.await_variable("/chat")

    assert reachable(space, "Chainlit answers at /baked instead of /chat.") == "RootPathInImage"
    ready = space.condition("Ready")
    assert (ready.status, ready.reason) == ("False", "RootPathInImage")

    space.move("/baked")

    space.await_ready()
    space.await_answer("/baked")


def test_nothing_listens(space: Space) -> None:
    space.create(workload(shell(space, RUN)), service(), ingress(space.host, "/chat"), chainlit_app())
    space.await_variable("/chat")
    assert reachable(space, f"Nothing listens on port {PORT} of a pod.") == "RolloutInProgress"
    assert "--host 0.0.0.0" in space.condition("WebSocketReachable").message


def test_pods_tell_which_of_two_ports_is_chainlits(space: Space) -> None:
    """Nothing in the objects tells it: the ports have no telling names, and the command does not say its port."""
    command = (
        "python3 -m http.server 9000 --directory /opt & "
        'exec chainlit run /app/app.py --headless --host 0.0.0.0 --po""rt 9001'
    )
    ports = [{"name": "first", "containerPort": 9000}, {"name": "second", "containerPort": 9001}]
    chat = shell(space, command, ports=ports, readinessProbe=probe("/health", port="second"), livenessProbe=None)
    both = [{"name": port["name"], "port": 80 + n, "targetPort": port["name"]} for n, port in enumerate(ports)]
    paths = (ingress_path("/files", port="first"), ingress_path("/ui", port="second"))
    space.create(
        workload({key: value for key, value in chat.items() if value is not None}),
        service(ports=both),
        ingress(rules=[ingress_rule(*paths, host=space.host)]),
    )
    eventually(lambda: [is_ready(pod) for pod in space.pods()], lambda ready: ready == [True])

    space.create(chainlit_app())

    space.await_variable("/ui")
    space.await_ready()
    space.await_answer("/ui")
    assert space.get("ChainlitApp")["status"]["workload"]["port"] == 9001


REFUSING = """\
import http.server
class Login(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(401)
    do_POST = do_GET
http.server.ThreadingHTTPServer(("", 4180), Login).serve_forever()
"""


def test_chainlit_behind_a_login_proxy_in_its_pod_is_asked_itself(space: Space) -> None:
    """The proxy answers nobody without a login, and the operator has none."""
    image = space.cluster.demo_image
    login = container(
        image,
        "login",
        command=["python3", "-c", REFUSING],
        ports=[{"name": "login", "containerPort": 4180}],
        readinessProbe={"tcpSocket": {"port": "login"}, "periodSeconds": 1},
        livenessProbe={"tcpSocket": {"port": "login"}},
    )
    space.create(
        workload(container(image), login),
        service(ports=[{"name": "http", "port": 80, "targetPort": "login"}]),
        ingress(space.host, "/chat"),
        chainlit_app(verification={"mode": "Backend"}),
    )
    space.await_variable("/chat")
    space.await_ready()


def test_mount_path_is_proposed_and_nothing_is_written(space: Space) -> None:
    command = ["uvicorn", "mounted:app", "--app-dir", "/app", "--host", "0.0.0.0", "--port", str(PORT)]
    outer = container(
        space.cluster.demo_image, command=command, readinessProbe=probe("/alive"), livenessProbe=probe("/alive")
    )
    space.create(workload(outer), service(), ingress(space.host, "/api"))
    eventually(lambda: [is_ready(pod) for pod in space.pods()], lambda ready: ready == [True])

    space.create(chainlit_app())

    ready = eventually(lambda: space.condition("Ready"), lambda c: c.reason == "MountPathMissing", timeout=NAMED)
    assert "Set spec.mountPath: /chainlit." in ready.message
    assert space.get("Deployment")["metadata"]["generation"] == 1

    space.patch("ChainlitApp", {"spec": {"mountPath": "/chainlit"}})
    space.move("/")

    space.await_ready()
    space.await_answer("/chainlit")
    assert space.get("Deployment")["metadata"]["generation"] == 1
