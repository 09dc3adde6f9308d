"""What people write into the variable, and what the operator makes of it."""

from __future__ import annotations

from tests.e2e.cluster import Space, is_ready
from tests.e2e.demo import ROOT_PATH, container, workload
from tests.objects import Object, chainlit_app, ingress, service
from tests.waiting import eventually

FIVE_LINES = """\
apiVersion: chainlit-operator.dev/v1alpha1
kind: ChainlitApp
metadata: {name: chat}
spec:
  workload: {ref: {name: chat}}
"""


def test_one_apply_heals_a_crash_loop(space: Space) -> None:
    space.create(
        workload(container(space.cluster.demo_image, root_path="chainlit")),
        service(),
        ingress(space.host, "/chainlit"),
    )
    eventually(lambda: crashes(space.objects("Pod")))

    space.kubectl("apply", "--filename", "-", stdin=FIVE_LINES)

    space.await_answer("/chainlit")
    space.await_ready()

    # Other values that people set. The pods that work stay while those of a bad value are made, so this is quick.
    for value in ("/chainlit/", "//chainlit", " /x ", "/", "chainlit"):
        space.kubectl("set", "env", "deployment/chat", f"{ROOT_PATH}={value}")
        eventually(space.variable, lambda found: found == "/chainlit")
        space.await_answer("/chainlit")
        # Another ChainlitApp each time: to one of them, the fourth wrong value would be a contest.
        space.kubectl("delete", "chainlitapp", "chat")
        space.kubectl("apply", "--filename", "-", stdin=FIVE_LINES)
    eventually(lambda: [is_ready(pod) for pod in space.pods()], lambda ready: ready == [True])
    space.await_ready()
    assert not crashes(space.pods())


def test_probes_of_a_container_that_is_named_no_more_stay(space: Space) -> None:
    proxy = container(space.cluster.demo_image, name="proxy", livenessProbe=None)
    chat = container(space.cluster.demo_image, name="chat", ports=[], readinessProbe=None, livenessProbe=None)
    app = chainlit_app()
    app["spec"]["workload"]["ref"]["container"] = "proxy"
    space.create(workload(proxy, chat, replicas=0), service(), ingress(space.host, "/chat"), app)

    def found() -> dict[str, Object]:
        (deployment,) = space.objects("Deployment")
        return {entry["name"]: entry for entry in deployment["spec"]["template"]["spec"]["containers"]}

    eventually(lambda: found()["proxy"]["readinessProbe"]["httpGet"]["path"], lambda path: path == "/chat/health")

    named = '{"spec": {"workload": {"ref": {"container": "chat"}}}}'
    space.kubectl("patch", "chainlitapp", "chat", "--type=merge", f"--patch={named}")

    eventually(lambda: found()["chat"].get("env"), lambda env: env == [{"name": ROOT_PATH, "value": "/chat"}])
    assert found()["proxy"]["readinessProbe"]["httpGet"]["path"] == "/chat/health"


def crashes(pods: list[Object]) -> list[int]:
    """Return the exit codes other than 0 that containers ended with."""
    statuses = [status for pod in pods for status in pod.get("status", {}).get("containerStatuses", [])]
    ended = [status[state].get("terminated") for status in statuses for state in ("state", "lastState")]
    return [end["exitCode"] for end in ended if end and end["exitCode"]]
