"""The intake of ChainlitApps: one that cannot be decoded is not enforced, and loses nothing."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from tests.unit.domain.world import workload

from chainlit_operator.controller.app_intake import AppIntake
from chainlit_operator.kube import codec
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State

CHAT = Ref("ChainlitApp", "shop", "chat")
#: With an entry of the operator in its managedFields, so that it is released when no app names it.
HELD = replace(workload(), field_managers=("chainlit-operator",))


def body(version: str = "3", rewrite: str = "Auto", name: str = "chat", uid: str = "u") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", "uid": uid, "resourceVersion": version, "generation": 1}
    return {"metadata": metadata, "spec": {"workload": {"ref": {"name": "chat"}}, "route": {"rewrite": rewrite}}}


def unreadable(version: str = "3", **which: str) -> dict[str, Any]:
    """An app with a value of a newer CRD."""
    return body(version, rewrite="Regex", **which)


def raw(found: dict[str, Any]) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(found).encode())


@pytest.fixture
def state() -> State:
    found = State(lambda _: None)
    found.upsert(HELD)
    return found


@pytest.fixture
def intake(state: State) -> AppIntake:
    return AppIntake(state)


def identity(found: dict[str, Any]) -> codec.Identity:
    return codec.decode_metadata(raw(found)).metadata


def test_an_app_that_cannot_be_decoded_at_the_start_keeps_its_workload(state: State, intake: AppIntake) -> None:
    intake.put_listed(raw(unreadable()))
    state.complete()
    assert state.to_release(HELD.ref) is None
    assert not state.apps


def test_other_namespaces_do_not_wait_for_it(state: State, intake: AppIntake) -> None:
    elsewhere = replace(HELD, ref=Ref("Deployment", "other", "chat"))
    state.upsert(elsewhere)
    intake.put_listed(raw(unreadable()))
    state.complete()
    assert state.to_release(elsewhere.ref) == elsewhere


@pytest.mark.parametrize("then", ["readable", "deleted", "not listed"])
def test_workloads_are_released_when_every_app_can_be_decoded_again(then: str) -> None:
    enqueued: list[Ref] = []
    state = State(enqueued.append)
    intake = AppIntake(state)
    state.upsert(HELD)
    intake.put_event(unreadable())
    state.complete()
    assert HELD.ref not in enqueued
    if then == "readable":
        intake.put_event(body("4") | {"spec": {"workload": {"ref": {"name": "other"}}}})
    elif then == "deleted":
        intake.remove(CHAT, "u")
    else:
        intake.begin_list(None).end()
    assert enqueued[-1] == HELD.ref and state.to_release(HELD.ref) == HELD


def test_the_deletion_of_a_former_app_of_that_name_changes_nothing(state: State, intake: AppIntake) -> None:
    intake.put_event(unreadable(uid="later"))
    state.complete()
    intake.remove(CHAT, "former")
    assert state.to_release(HELD.ref) is None


def test_an_app_that_becomes_unreadable_is_no_longer_enforced(state: State, intake: AppIntake) -> None:
    intake.put_event(body("3"))
    state.complete()
    intake.put_event(unreadable("4"))
    assert not state.apps
    assert state.to_release(HELD.ref) is None


def test_a_late_event_does_not_remove_a_newer_version(state: State, intake: AppIntake) -> None:
    intake.put_event(body("5"))
    intake.put_event(unreadable("4"))
    assert CHAT in state.apps and not state.unreadable


def test_each_version_is_reported_once(
    state: State, intake: AppIntake, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.WARNING)
    for found in (unreadable("3"), unreadable("3"), unreadable("4")):
        intake.put_event(found)
        intake.put_listed(raw(found))
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "ChainlitApp shop/chat cannot be read and is ignored"
    ] * 2


def test_a_list_removes_what_it_does_not_have_and_was_known_before(state: State, intake: AppIntake) -> None:
    intake.put_event(body(name="kept"))
    intake.put_event(body(name="gone"))
    intake.put_event(body(name="renewed", uid="former"))
    listing = intake.begin_list("shop")
    intake.put_event(body(name="later"))
    listing.found(identity(body(name="kept")))
    listing.found(identity(body(name="renewed", uid="another")))
    listing.end()
    assert {ref.name for ref in state.apps} == {"kept", "later"}


def test_a_list_of_one_namespace_removes_nothing_elsewhere(state: State, intake: AppIntake) -> None:
    intake.put_event(body())
    intake.begin_list("other").end()
    assert CHAT in state.apps
