"""The JSON patch of a workload, and the answer to a write: whether the workload has the values."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.domain.world import container, workload

from chainlit_operator.domain.alignment import Apply
from chainlit_operator.domain.model import Container, EnvPlaces, Probe, Variable
from chainlit_operator.domain.workload_patch import is_kept, json_patch, omits_own_fields

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


BASE = "/spec/template/spec/containers/1"
BOTH = (("CHAINLIT_PARENT_ROOT_PATH", 3), ("CHAINLIT_ROOT_PATH", 1))
NEW = [{"name": name, "value": value} for name, value in WRITTEN]


@pytest.mark.parametrize(
    ("own", "places", "probes", "operations"),
    [
        (answered(None, None), EnvPlaces(0), (), [(f"{BASE}/env", NEW)]),
        (answered(None, None), EnvPlaces(2), (), [(f"{BASE}/env/-", each) for each in NEW]),
        (answered("/x", "/y"), EnvPlaces(4, BOTH), (),
         [(f"{BASE}/env/1/value", "/chat"), (f"{BASE}/env/3/value", "/team")]),
        (answered("/x"), EnvPlaces(4, BOTH), (), [(f"{BASE}/env/1/value", "/chat")]),
        (answered(None), EnvPlaces(4, BOTH[:1]), (), [(f"{BASE}/env/-", NEW[0])]),
        (answered(ready="/x", live="/chat/live"), EnvPlaces(4, BOTH), PROBES,
         [(f"{BASE}/readinessProbe/httpGet/path", "/chat/health")]),
        (answered(), EnvPlaces(4, BOTH), PROBES[:1], []),
    ],
)  # fmt: skip
def test_json_patch_has_what_differs(own: Container, places: EnvPlaces, probes: Any, operations: Any) -> None:
    found = workload(OTHER, own, resource_version="42", env_places=(EnvPlaces(7), places))
    test, *rest = json_patch(found, own, Apply(WRITTEN, probes, ""))
    assert test == {"op": "test", "path": "/metadata/resourceVersion", "value": "42"}
    assert rest == [{"op": "add", "path": path, "value": value} for path, value in operations]


@pytest.mark.parametrize("is_patched", [True, False])
def test_only_an_apply_gives_up_the_fields_that_it_omits(is_patched: bool) -> None:
    former = container(name="other", owners=(("readinessProbe", "chainlit-operator"),))
    places = (EnvPlaces(0), EnvPlaces(0)) if is_patched else ()
    found = workload(former, answered(), env_places=places)
    assert omits_own_fields(found, answered(), Apply(WRITTEN, (), "")) is not is_patched
