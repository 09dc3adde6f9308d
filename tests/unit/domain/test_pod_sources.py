"""Workloads with the pod template of another: the record, its progress, and what is written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.world import DONE, NAMESPACE, container, report_of, snapshot, workload

from chainlit_operator.domain.alignment import Apply
from chainlit_operator.domain.decide import decide
from chainlit_operator.domain.model import Companion, Probe, Rollout, Workload
from chainlit_operator.domain.pod_sources import completed
from chainlit_operator.domain.workload_patch import apply_configuration
from chainlit_operator.object_ref import Ref

DEPLOYMENT, ROLLOUT = Ref("Deployment", NAMESPACE, "chat"), Ref("Rollout", NAMESPACE, "chat")
SCALED_DOWN = Rollout(observed_generation=9, desired=0)
RIGHT = container("/chat", probes=(Probe("readinessProbe", "/chat/health", "http"),))
SOURCE = workload(RIGHT, uid="uid-of-source", generation=7, rollout=SCALED_DOWN, resource_version="42")
USER = replace(
    workload(ref=ROLLOUT, pod_labels=(), rollout=replace(DONE, observed_generation=7)),
    containers=(),
    api_version="argoproj.io/v1alpha1",
    pod_source=DEPLOYMENT,
    missing_template="It is elsewhere.",
)


def test_all_but_name_and_progress_is_that_of_the_source() -> None:
    found = completed(USER, SOURCE)
    assert (found.ref, found.written, found.missing_template) == (ROLLOUT, DEPLOYMENT, "")
    assert (found.uid, found.resource_version, found.generation) == ("uid-of-source", "42", 7)
    assert (found.containers, found.pod_labels) == (SOURCE.containers, SOURCE.pod_labels)


@pytest.mark.parametrize(("user", "source"), [(USER, None), (SOURCE, None), (SOURCE, USER)])
def test_nothing_to_complete(user: Workload, source: Workload | None) -> None:
    assert completed(user, source) == user


@pytest.mark.parametrize(
    ("user", "source", "is_complete"),
    [
        ({}, {}, True),
        ({"observed_generation": 8}, {}, True),
        ({"observed_generation": 6}, {}, False),
        ({"updated": 0}, {}, False),
        ({"total": 2}, {}, False),
        ({}, {"total": 1, "updated": 0}, False),
        ({}, {"desired": 1, "total": 1, "updated": 1}, True),
        ({}, {"desired": 1, "total": 2, "updated": 1}, False),
        ({}, {"desired": 1, "total": 1, "updated": 1, "observed_generation": 6}, False),
        ({}, {"observed_generation": 6}, True),
        ({"desired": 0}, {"desired": 1, "total": 1, "updated": 1}, False),
    ],
)
def test_no_pod_of_either_may_have_a_former_template(
    user: dict[str, Any], source: dict[str, Any], is_complete: bool
) -> None:
    left = replace(USER, rollout=replace(USER.rollout, **user))
    right = replace(SOURCE, rollout=replace(SCALED_DOWN, **source))
    assert completed(left, right).is_rolled_out is is_complete


@pytest.mark.parametrize(("desired", "counts"), [(1, True), (0, False)])
def test_what_keeps_the_pods_of_the_source_counts_while_it_has_any(desired: int, counts: bool) -> None:
    stuck = replace(SCALED_DOWN, desired=desired, failure="Timed out.", paused_by="spec.paused true")
    found = completed(USER, replace(SOURCE, rollout=stuck)).rollout
    assert (bool(found.failure), bool(found.paused_by)) == (counts, counts)


def test_the_source_is_written_and_the_rollout_is_reported() -> None:
    wrong = completed(USER, replace(SOURCE, containers=(container(),)))
    given = snapshot(workload=wrong)
    action = decide(given).action
    assert isinstance(action, Apply)
    body = apply_configuration(wrong, wrong.containers[0], action)
    assert (body["apiVersion"], body["kind"]) == ("apps/v1", "Deployment")
    assert body["metadata"] == {"name": "chat", "namespace": NAMESPACE, "uid": "uid-of-source"}
    held = completed(
        replace(USER, rollout=replace(USER.rollout, updated=0, paused_by="a pause", resumed_by="Promote it.")), SOURCE
    )
    ready = report_of(snapshot(workload=held)).status.condition("Ready")
    assert ready is not None and (ready.status, ready.reason) == ("Unknown", "RolloutHeld")
    assert "Rollout shop/chat has a pause, so pods of a former template stay. Promote it." in ready.message


@pytest.mark.parametrize("is_run_elsewhere", [True, False])
def test_a_deployment_that_a_rollout_runs_need_not_be_scaled_up(is_run_elsewhere: bool) -> None:
    beside = Companion("chat", ROLLOUT, frozenset(), DEPLOYMENT if is_run_elsewhere else None)
    found = report_of(snapshot(workload=SOURCE, companions=(beside,))).status.condition("WebSocketReachable")
    assert found is not None and (found.status, found.reason) == ("Unknown", "ScaledToZero")
    assert found.message == (
        "Deployment shop/chat has no replicas, and Rollout shop/chat runs its pod template. Name the Rollout in "
        "spec.workload.ref."
        if is_run_elsewhere
        else "Deployment chat has no replicas. Scale it up."
    )
