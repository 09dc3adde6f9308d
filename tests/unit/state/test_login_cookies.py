"""The apps with one login cookie on one host: which other one each of them names, and that it is enqueued for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.domain.world import app, container, workload

from chainlit_operator.domain.model import Status, WorkloadStatus
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State


@pytest.fixture
def keys() -> list[Ref]:
    return []


def deploy(state: State, namespace: str, url: str = "https://example.com/", cookie: str = "token") -> None:
    """An app of that age with a login."""
    put_workload(state, namespace, cookie)
    status = Status(url=url, workload=WorkloadStatus("Deployment", "chat", "chainlit"))
    state.put_app(replace(app(created=namespace), ref=ref(namespace), status=status))


def put_workload(state: State, namespace: str, cookie: str) -> None:
    state.upsert(replace(workload(container(login_cookie=cookie)), ref=Ref("Deployment", namespace, "chat")))


def ref(namespace: str) -> Ref:
    return Ref("ChainlitApp", namespace, "chat")


def others(state: State) -> dict[str, str | None]:
    found = {each.namespace: state.snapshot(state.apps[each]).same_login for each in state.apps}
    return {namespace: other and other.namespace for namespace, other in found.items()}


def test_the_oldest_other_app_is_named(keys: list[Ref]) -> None:
    state = State(keys.append)
    for namespace in ("b", "c", "d"):
        deploy(state, namespace)
    deploy(state, "e", url="https://other.example/")
    deploy(state, "f", cookie="own")
    deploy(state, "g", cookie="")
    assert others(state) == {"b": "c", "c": "b", "d": "b", "e": None, "f": None, "g": None}
    keys.clear()
    deploy(state, "h")
    assert set(keys) == {ref("h")} and others(state)["h"] == "b"
    keys.clear()
    put_workload(state, "c", "own")
    assert set(keys) == {ref("b"), ref("c"), ref("f")}
    assert others(state) == {"b": "d", "c": "f", "d": "b", "e": None, "f": "c", "g": None, "h": "b"}
    keys.clear()
    deploy(state, "a")
    assert set(keys) == {ref(name) for name in "abdh"}
    state.remove_app(ref("a"))
    state.remove(replace(workload(), ref=Ref("Deployment", "b", "chat")))
    assert others(state) == {"b": None, "c": "f", "d": "h", "e": None, "f": "c", "g": None, "h": "d"}
    for each in [*state.apps]:
        state.remove_app(each)
    assert len(state.login_cookies) == 0


def test_an_app_is_enqueued_for_it_after_its_own_status_write(keys: list[Ref]) -> None:
    state = State(keys.append)
    deploy(state, "a")
    deploy(state, "b", url="https://other.example/")
    keys.clear()
    found = state.apps[ref("b")]
    state.put_app(replace(found, status=replace(found.status, url="https://example.com/")), quiet=True)
    assert set(keys) == {ref("a"), ref("b")}
    keys.clear()
    state.put_app(replace(state.apps[ref("b")], generation=2), quiet=True)
    assert keys == []
