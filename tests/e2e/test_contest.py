"""A manager that keeps setting the variable back is named in a condition; the operator stops writing."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.cluster import Operator, Space
from tests.e2e.demo import container, workload
from tests.e2e.kube import Kube
from tests.objects import Object, chainlit_app, ingress, service
from tests.waiting import eventually

RIVAL = "gitops-controller"
#: In ten minutes, which no test takes.
MOST_WRITES = 3


@pytest.mark.xdist_group("operator")
def test_contest_ends(space: Space, operator: Operator) -> None:
    mine = workload(container("app", root_path="/rival"), replicas=0)
    space.kube.apply(mine, space.name, RIVAL)
    space.create(service(), ingress(space.host, "/chat"))

    with reconciling(mine, space.name):
        space.create(chainlit_app())
        found = space.await_condition("Aligned", "False", "FieldContested", timeout=60.0)
        assert f"'{RIVAL}'" in found.message
        assert "Deployment" in found.message
        assert space.variable() == "/rival"
        writes = space.workload_writes()
        assert 1 <= len(writes) <= MOST_WRITES

        # Its memory is gone then; what the status says is not.
        former = operator.pods()
        operator.stop()
        operator.await_successor(former)
        space.create(chainlit_app("later", workload="none"))
        space.await_condition("Ready", "False", "WorkloadNotFound", "later")
        eventually(lambda: operator.metric("chainlit_operator_queue_depth") == 0)
        assert space.condition("Aligned").reason == "FieldContested"
        assert space.workload_writes() == writes

    space.move("/elsewhere")

    space.await_condition("Aligned", "True", "Aligned")
    assert space.variable() == "/elsewhere"


@contextmanager
def reconciling(manifest: Object, namespace: str) -> Iterator[None]:
    """Apply a manifest by force again and again, as a GitOps controller does that watches what it applied."""
    stop = threading.Event()

    def loop() -> None:
        kube = Kube(os.environ["KUBECONFIG"])
        while not stop.wait(0.1):
            kube.apply(manifest, namespace, RIVAL)
        kube.close()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
