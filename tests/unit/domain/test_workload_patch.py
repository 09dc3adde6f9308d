"""The answer to a write: whether the workload has the values that were applied."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.domain.world import container, workload

from chainlit_operator.domain.alignment import Apply
from chainlit_operator.domain.model import Container, Probe, Variable
from chainlit_operator.domain.workload_patch import is_kept

WRITTEN = (("CHAINLIT_ROOT_PATH", "/chat"), ("CHAINLIT_PARENT_ROOT_PATH", "/team"))
PROBES = (("readinessProbe", "/chat/health"), ("livenessProbe", "/chat/live"))
OTHER = container(None, name="other", probes=())


def answered(root: Any = "/chat", parent: Any = "/team", ready: str = "/chat/health", live: str = "") -> Container:
    probes = [Probe("readinessProbe", ready, "http"), *([Probe("livenessProbe", live, "http")] if live else [])]
    return container(root, parent_root_path=parent and Variable(parent), probes=tuple(probes))


@pytest.mark.parametrize(
    ("containers", "kept"),
    [
        ((answered(live="/chat/live"),), True),
        ((OTHER, answered(live="/chat/live")), True),
        ((answered(),), True),
        ((OTHER,), False),
        ((answered("/other"),), False),
        ((answered(None),), False),
        ((answered(Variable(None)),), False),
        ((answered(parent="/other"),), False),
        ((answered(parent=None),), False),
        ((answered("/team", "/chat"),), False),
        ((answered(ready="/health"),), False),
        ((answered(live="/live"),), False),
        ((answered(ready="/health", live="/chat/live"),), False),
        ((answered("/other", ready="/health"),), False),
    ],
)
def test_is_kept(containers: tuple[Container, ...], kept: bool) -> None:
    """A probe that somebody removed meanwhile is not missed."""
    assert is_kept(workload(*containers), "chainlit", Apply(WRITTEN, PROBES, "")) is kept


@pytest.mark.parametrize(
    ("env", "probes", "kept"),
    [((), (), True), ((), PROBES[:1], True), (WRITTEN[:1], (), True), ((), (("readinessProbe", "/x"),), False)],
)
def test_only_what_was_applied_counts(env: Any, probes: Any, kept: bool) -> None:
    assert is_kept(workload(answered(parent=None)), "chainlit", Apply(env, probes, "")) is kept
