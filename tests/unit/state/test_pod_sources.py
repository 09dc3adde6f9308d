"""Rollouts in the state: those with the template of a Deployment, and those with a Service for a release on trial."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.domain.test_pod_sources import DEPLOYMENT, ROLLOUT, SOURCE, USER
from tests.unit.domain.world import app, container, ingress, path, service

from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State

ELDER = app(workload_kind="Rollout")
YOUNG = app("young", created="2026-02-02T00:00:00Z")
HELD = replace(SOURCE, field_managers=("helm", "chainlit-operator"))


class Keys(list[Ref]):
    """The keys that were enqueued."""

    def read(self) -> set[Ref]:
        found = set(self)
        self.clear()
        return found


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def state(keys: Keys) -> State:
    """An app that names a Rollout, whose template is that of a Deployment, with Service and Ingress."""
    made = State(keys.append)
    made.put_app(ELDER)
    for obj in (USER, SOURCE, service(), ingress("/chat")):
        made.upsert(obj)
    made.complete()
    keys.clear()
    return made


def test_the_snapshot_has_the_template_and_all_that_follows_from_it(state: State) -> None:
    snap = state.snapshot(ELDER)
    assert snap.workload is not None and snap.workload.ref == ROLLOUT and snap.workload.containers == SOURCE.containers
    assert [found.ref.name for found in snap.services] == ["chat"]
    assert [found.ref.name for found in snap.routes] == ["chat"]
    assert snap.companions == ()


def test_a_change_of_the_template_enqueues_the_app_of_the_rollout(state: State, keys: Keys) -> None:
    state.upsert(replace(SOURCE, containers=(container("/theirs"),), resource_version="43"))
    assert keys.read() == {ELDER.ref}
    state.remove(SOURCE)
    assert keys.read() == {ELDER.ref}
    snap = state.snapshot(ELDER)
    assert snap.workload == USER and snap.services == ()
    state.upsert(SOURCE)
    assert keys.read() == {ELDER.ref} and state.snapshot(ELDER).services


def test_a_write_of_the_operator_enqueues_nobody(state: State, keys: Keys) -> None:
    state.upsert(replace(SOURCE, containers=(container("/new"),), resource_version="43"), quiet=True)
    assert keys.read() == set()
    snap = state.snapshot(ELDER)
    assert snap.workload is not None and snap.workload.containers == (container("/new"),)


def test_pods_of_the_deployment_are_pods_beside_those_of_the_rollout(state: State) -> None:
    state.upsert(replace(SOURCE, rollout=replace(SOURCE.rollout, desired=1), resource_version="43"))
    assert [found.workload for found in state.snapshot(ELDER).companions] == [DEPLOYMENT]


def test_the_deployment_knows_the_rollout_that_runs_its_template(state: State) -> None:
    state.put_app(YOUNG)
    (beside,) = state.snapshot(YOUNG).companions
    assert (beside.workload, beside.pod_source) == (ROLLOUT, DEPLOYMENT)


def test_rollout_and_deployment_are_one_claim(state: State, keys: Keys) -> None:
    state.remove(service())  # by which the two would enqueue each other
    state.put_app(YOUNG)
    assert state.snapshot(YOUNG).claimed_by == "chat" and state.snapshot(ELDER).claimed_by == ""
    keys.clear()
    state.remove(USER)
    assert YOUNG.ref in keys.read() and state.snapshot(YOUNG).claimed_by == ""
    state.upsert(USER)
    assert YOUNG.ref in keys.read() and state.snapshot(YOUNG).claimed_by == "chat"
    state.remove_app(ELDER.ref)
    assert YOUNG.ref in keys.read() and state.snapshot(YOUNG).claimed_by == ""


def test_the_deployment_is_not_released_while_an_app_names_the_rollout(state: State, keys: Keys) -> None:
    state.upsert(replace(HELD, resource_version="43"))
    assert DEPLOYMENT not in keys.read() and state.to_release(DEPLOYMENT) is None
    assert state.to_release(ROLLOUT) is None


@pytest.mark.parametrize("leave", ["app deleted", "app suspended", "rollout deleted", "template of its own"])
def test_the_deployment_is_released_when_nobody_asks_for_it(state: State, keys: Keys, leave: str) -> None:
    state.upsert(replace(HELD, resource_version="43"))
    keys.clear()
    if leave == "app deleted":
        state.remove_app(ELDER.ref)
    elif leave == "app suspended":
        state.put_app(replace(app(workload_kind="Rollout", suspend=True), generation=2))
    elif leave == "rollout deleted":
        state.remove(USER)
    else:
        state.upsert(replace(USER, pod_source=None, missing_template="", resource_version="50"))
    assert DEPLOYMENT in keys.read() and ROLLOUT not in keys
    released = state.to_release(DEPLOYMENT)
    assert released is not None and released.ref == DEPLOYMENT


@pytest.mark.parametrize(("named", "used"), [(None, ["live"]), ("aaa", ["aaa"])])
def test_a_route_to_a_release_on_trial_is_not_the_route_of_the_app(named: str | None, used: list[str]) -> None:
    """It has another host or another path, and its name may come first."""
    state, trial = State(lambda _: None), ("preview",)
    found = app(workload_kind="Rollout", route_kind=named and "Ingress", route_name=named)
    state.put_app(found)
    routes = (ingress(path("/x", "preview"), name="aaa"), ingress("/chat", name="live"))
    for obj in (replace(USER, trial_services=trial), SOURCE, service(), service("preview"), *routes):
        state.upsert(obj)
    assert [route.ref.name for route in state.snapshot(found).routes] == used
    state.remove(routes[1])
    assert [route.ref.name for route in state.snapshot(found).routes] == ["aaa"], "it is the only one"
