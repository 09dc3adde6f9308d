"""Claims: the app that has a workload, and the names that an app cannot have."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.domain.test_ownership import MANIFEST, live, templated
from tests.unit.domain.world import app, service, workload

from chainlit_operator.domain.claims import claimant, taken_names
from chainlit_operator.domain.model import CreatableObject
from chainlit_operator.object_ref import Ref


def test_the_oldest_app_has_the_workload() -> None:
    old, young = app("z", "2025-01-01T00:00:00Z"), app("a", "2026-01-01T00:00:00Z")
    assert claimant([young, old]) == claimant([old, young]) == old
    assert claimant([app("b"), app("a"), app("c")]) == app("a")
    assert claimant([]) is None


def test_names_of_objects_that_the_app_did_not_create_are_taken() -> None:
    mine, foreign = live(MANIFEST), live(MANIFEST, uid="uid-of-another")
    objects: dict[Ref, CreatableObject] = {each.ref: each for each in (service(), workload(owned=foreign))}
    asked = templated()
    refs = [Ref("Service", "shop", "chat"), Ref("Deployment", "shop", "chat")]
    assert [*taken_names(asked, objects.get)] == refs
    for ref in refs:
        objects[ref] = replace(objects[ref], owned=mine)
    assert [*taken_names(asked, objects.get)] == []
