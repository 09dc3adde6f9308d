"""Several pods and several worker processes: the condition SessionAffinity, and the remedy that it prints."""

from __future__ import annotations

import re

import pytest

from tests.e2e.chat import ChatError
from tests.e2e.cluster import Space
from tests.e2e.demo import container, workload
from tests.objects import chainlit_app, ingress, service
from tests.waiting import eventually

CHATS = 8


def answers(space: Space) -> int:
    """How many of some browsers get an answer."""
    found = 0
    for number in range(CHATS):
        try:
            found += space.chat("/chat", f"hello from {number}") == f"echo: hello from {number}"
        except ChatError:
            continue
    return found


@pytest.mark.slow
def test_two_replicas_are_ready_with_the_printed_remedy(space: Space) -> None:
    pods = workload(container(space.cluster.demo_image, root_path="/chat"), replicas=2)
    for name in ("readinessProbe", "livenessProbe"):
        pods["spec"]["template"]["spec"]["containers"][0][name]["httpGet"]["path"] = "/chat/health"
    space.create(pods, service(), ingress(space.host, "/chat"), chainlit_app())

    message = space.await_condition("Ready", "False", "NotSticky").message
    assert space.condition("SessionAffinity").message == message
    eventually(lambda: space.get("Deployment")["status"].get("readyReplicas"), lambda ready: ready == 2)
    eventually(lambda: answers(space), lambda found: found < CHATS)

    remedy = re.search(r'annotation (\S+): "(\S+)" on Service chat', message)
    assert remedy is not None, message
    space.kubectl("annotate", "service/chat", f"{remedy[1]}={remedy[2]}")
    space.await_condition("SessionAffinity", "True", "Sticky")
    space.await_ready()
    eventually(lambda: answers(space), lambda found: found == CHATS)


def test_several_workers_are_named(space: Space) -> None:
    command = ["sh", "-c", "exec gunicorn --workers ${WORKERS:-2} -k uvicorn.workers.UvicornWorker main:app"]
    space.create(
        workload(container(space.cluster.demo_image, command=command), replicas=0),
        service(),
        ingress(space.host, "/chat"),
        chainlit_app(),
    )

    message = space.await_condition("SessionAffinity", "False", "SeveralWorkers").message
    assert "(gunicorn --workers 2)" in message
    assert space.condition("Ready").reason == "SeveralWorkers"

    space.kubectl("set", "env", "deployment/chat", "WORKERS=1")
    space.await_condition("SessionAffinity", "True", "SinglePod")
