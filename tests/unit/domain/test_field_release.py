"""Release: of what, for whom, and with what patch."""

from __future__ import annotations

import pytest
from tests.unit.domain.world import app, workload

from chainlit_operator.domain import field_release
from chainlit_operator.domain.model import App

OURS = "chainlit-operator"


@pytest.mark.parametrize(
    ("managers", "claimant", "is_due"),
    [
        (("helm", OURS), None, True),
        (("helm", OURS), app(suspend=True), True),
        (("helm", OURS), app(), False),
        (("helm", "chainlit-operator-owner"), None, False),
        (("helm",), app(suspend=True), False),
        ((), None, False),
    ],
)
def test_due(managers: tuple[str, ...], claimant: App | None, is_due: bool) -> None:
    assert field_release.is_due(workload(field_managers=managers), claimant) is is_due


@pytest.mark.parametrize(("owner", "is_due"), [(OURS, True), ("helm", False)])
def test_containers_that_are_one_field_are_released_at_once(owner: str, is_due: bool) -> None:
    found = workload(field_managers=("helm", OURS), list_managers=(owner,))
    assert field_release.is_due(found, app()) is is_due


@pytest.mark.parametrize(
    ("managers", "removed"),
    [
        ((OURS, "helm"), ["/metadata/managedFields/0"]),
        (("helm", OURS, "kube-controller-manager"), ["/metadata/managedFields/1"]),
        ((OURS, "helm", OURS), ["/metadata/managedFields/2", "/metadata/managedFields/0"]),
    ],
)
def test_patch_takes_out_our_entries_of_one_version(managers: tuple[str, ...], removed: list[str]) -> None:
    test, *removals = field_release.json_patch(workload(field_managers=managers, resource_version="42"))
    assert test == {"op": "test", "path": "/metadata/resourceVersion", "value": "42"}
    assert removals == [{"op": "remove", "path": path} for path in removed]
