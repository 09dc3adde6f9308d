"""Rollouts of Argo Rollouts: when no pod of a former template gets requests any more."""

from __future__ import annotations

import json

import pytest
from tests.unit.kinds.golden import ROOT

from chainlit_operator.domain.model import Workload
from chainlit_operator.kinds import registry
from chainlit_operator.kinds.shared.kind import unknown

#: case of the golden files → whether its rollout is complete
CASES = {
    "all-fields": True,
    "containers-as-one-field": True,
    "paused-by-spec": True,
    "blue-green-promoted": True,
    "weighted-canary-promoted": True,
    "blue-green-before-promotion": False,
    "weighted-canary": False,
    "weighted-canary-taken-back": False,
    "basic-canary-with-old-pods": False,
    "paused-canary": False,
    "aborted": False,
    "timed-out-without-phase": False,
    "observed-hash": False,
    "without-env": False,
}


def rollout(case: str) -> Workload:
    found = registry.WATCHED["Rollout"].decode((ROOT / "rollout" / f"{case}.json").read_bytes(), unknown)
    assert isinstance(found, Workload)
    return found


@pytest.mark.parametrize(("case", "is_complete"), CASES.items())
def test_complete(case: str, is_complete: bool) -> None:
    assert rollout(case).is_rolled_out is is_complete


def test_each_case_with_a_template_has_a_row() -> None:
    cases = {path.stem for path in (ROOT / "rollout").glob("*.json")}
    with_template = {case for case in cases if not rollout(case).missing_template}
    assert with_template == set(CASES)


@pytest.mark.parametrize(
    ("text", "observed"),
    [("3", 3), ("2", 2), ("9", 3), ("", 0), ("-3", 0), ("²", 0), ("5d8f9c", 0), ("9" * 30, 0)],
)
def test_observed_generation_is_a_text(text: str, observed: int) -> None:
    made = json.loads((ROOT / "rollout" / "all-fields.json").read_bytes())
    made["status"]["observedGeneration"] = text
    found = registry.WATCHED["Rollout"].decode(json.dumps(made).encode(), unknown)
    assert isinstance(found, Workload) and found.rollout.observed_generation == observed
