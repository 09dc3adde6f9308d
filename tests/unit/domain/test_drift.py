"""What is taken for a change by somebody else, and what is not."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainlit_operator.domain.desired import drift
from chainlit_operator.domain.desired.drift import Element, OwnedState
from chainlit_operator.domain.field_managers import CREATED_FIELD_MANAGER

WANTED: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "chat", "namespace": "shop", "labels": {"a": "b"}, "annotations": {drift.DIGEST: "d"}},
    "spec": {
        "replicas": 2,
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "chainlit",
                        "image": "a:1",
                        "args": ["run", "app.py"],
                        "resources": {"limits": {"cpu": "0.5"}},
                        "env": [{"name": "A", "value": ""}, {"name": "B", "value": "b"}],
                        "ports": [{"name": "http", "containerPort": 8000, "protocol": "TCP"}],
                    }
                ],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
            }
        },
    },
}
CONTAINER = 'k:{"name":"chainlit"}'


def fields(value: Any) -> dict[str, Any]:
    """``fieldsV1`` of one who applied ``value``, with lists of objects keyed and all others whole."""
    if isinstance(value, dict):
        return {f"f:{key}": fields(item) for key, item in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {element_key(item): {".": {}} | fields(item) for item in value}
    return {}


def element_key(item: dict[str, Any]) -> str:
    names = ("containerPort", "protocol") if "containerPort" in item else ("name",)
    return "k:" + json.dumps({name: item[name] for name in names}, separators=(",", ":"))


def content(body: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in body["metadata"].items() if key in drift.KEPT_METADATA}
    return copy.deepcopy({"metadata": kept, "spec": body["spec"]})


def live(body: dict[str, Any] = WANTED, **more: Any) -> OwnedState:
    managed = [{"manager": CREATED_FIELD_MANAGER, "operation": "Apply", "fieldsV1": fields(content(WANTED))}]
    return replace(OwnedState("chat", "uid-of-chat", "uid", content(body), managed=managed), **more)


def at(tree: dict[str, Any], *path: str) -> dict[str, Any]:
    for step in path:
        tree = tree[step]
    return tree


def taken(found: OwnedState, path: tuple[str, ...], by: str | None) -> OwnedState:
    """The object after another manager took the field at ``path`` of our entry, or (None) removed it."""
    managed: Any = copy.deepcopy(list(found.managed))
    for depth in range(len(path), 0, -1):  # the API server keeps no empty parents
        parent = at(managed[0]["fieldsV1"], *path[: depth - 1])
        if depth == len(path) or not parent[path[depth - 1]].keys() - {"."}:
            del parent[path[depth - 1]]
    if by is not None:
        tree: dict[str, Any] = {}
        for step in reversed(path):
            tree = {step: tree}
        managed.append({"manager": by, "operation": "Update", "fieldsV1": tree})
    return replace(found, managed=managed)


def test_what_was_applied_has_not_drifted() -> None:
    assert drift.drift(WANTED, live()) == ()


def test_additions_of_others_are_theirs() -> None:
    body = copy.deepcopy(WANTED)
    body["metadata"]["labels"]["theirs"] = "x"
    container = body["spec"]["template"]["spec"]["containers"][0]
    container["env"].append({"name": "C", "value": "c"})
    container["terminationMessagePath"] = "/dev/termination-log"
    body["spec"]["template"]["spec"]["containers"].append({"name": "injected"})
    assert drift.drift(WANTED, live(body)) == ()


def test_elements_are_compared_by_their_keys_wherever_they_stand() -> None:
    body = copy.deepcopy(WANTED)
    body["spec"]["template"]["spec"]["containers"][0]["env"].reverse()
    assert list(drift.differences(content(WANTED), content(body))) == []


def test_other_words_for_the_same_are_no_drift() -> None:
    """The API server writes 500m for 0.5 and drops an empty value; we own both fields all the same."""
    body = copy.deepcopy(WANTED)
    container = body["spec"]["template"]["spec"]["containers"][0]
    container["resources"]["limits"]["cpu"] = "500m"
    del container["env"][0]["value"]
    assert [drift.text(path) for path in drift.differences(content(WANTED), content(body))] != []
    assert drift.drift(WANTED, live(body)) == ()


POD = ("f:spec", "f:template", "f:spec")
CHANGES = [
    (("f:spec", "f:replicas"), "spec.replicas", lambda b: b["spec"].update(replicas=5)),
    (("f:metadata", "f:labels", "f:a"), "metadata.labels.a", lambda b: b["metadata"]["labels"].update(a="x")),
    (
        (*POD, "f:containers", CONTAINER, "f:image"),
        "spec.template.spec.containers[chainlit].image",
        lambda b: b["spec"]["template"]["spec"]["containers"][0].update(image="b"),
    ),
    (
        (*POD, "f:containers", CONTAINER, "f:args"),
        "spec.template.spec.containers[chainlit].args[1]",
        lambda b: b["spec"]["template"]["spec"]["containers"][0].update(args=["run", "x.py"]),
    ),
    (
        (*POD, "f:containers", CONTAINER, "f:env", 'k:{"name":"B"}', "f:value"),
        "spec.template.spec.containers[chainlit].env[B].value",
        lambda b: b["spec"]["template"]["spec"]["containers"][0]["env"][1].update(value="x"),
    ),
]


@pytest.mark.parametrize(("path", "field", "change"), CHANGES, ids=[row[1] for row in CHANGES])
def test_changes_are_seen_and_by_whom(path: tuple[str, ...], field: str, change: Any) -> None:
    body = copy.deepcopy(WANTED)
    change(body)
    assert drift.drift(WANTED, taken(live(body), path, "kubectl-edit")) == ((field, "kubectl-edit"),)
    assert drift.drift(WANTED, taken(live(body), path, None)) == ((field, ""),)


@pytest.mark.parametrize(("path", "field", "change"), CHANGES, ids=[row[1] for row in CHANGES])
def test_same_value_of_another_is_no_drift(path: tuple[str, ...], field: str, change: Any) -> None:
    assert drift.drift(WANTED, taken(live(), path, "kubectl-edit")) == ()


def test_removals_are_seen() -> None:
    body = copy.deepcopy(WANTED)
    container = body["spec"]["template"]["spec"]["containers"][0]
    del container["env"][1], container["ports"]
    found = taken(live(body), (*POD, "f:containers", CONTAINER, "f:env", 'k:{"name":"B"}'), None)
    found = taken(found, (*POD, "f:containers", CONTAINER, "f:ports"), None)
    assert {field for field, _ in drift.drift(WANTED, found)} == {
        "spec.template.spec.containers[chainlit].env[B]",
        "spec.template.spec.containers[chainlit].ports",
    }


def test_additions_to_a_list_that_is_one_value_are_seen() -> None:
    wanted = {"metadata": {}, "spec": {"rules": [{"host": "a"}]}}
    body = {"metadata": {}, "spec": {"rules": [{"host": "a", "http": {}}, {"host": "b"}]}}
    ours = [{"manager": CREATED_FIELD_MANAGER, "fieldsV1": {"f:spec": {"f:rules": {}}}}]
    theirs = [{"manager": "x", "fieldsV1": {"f:spec": {"f:rules": {}}}}]
    assert drift.drift(wanted, OwnedState("a", "u", "o", body, managed=ours)) == ()
    assert drift.drift(wanted, OwnedState("a", "u", "o", body, managed=theirs)) == (("spec.rules", "x"),)


def test_without_any_managers_values_decide() -> None:
    body = copy.deepcopy(WANTED)
    body["spec"]["replicas"] = 7
    assert drift.drift(WANTED, live(managed=())) == ()
    assert drift.drift(WANTED, live(body, managed=())) == (("spec.replicas", ""),)


def test_place_of_a_value_is_not_the_value() -> None:
    assert not drift.owns({"f:labels": {".": {}}}, ("labels", "a"))
    assert drift.owns({"f:labels": {}}, ("labels", "a"))


def test_ports_are_told_apart_by_both_keys() -> None:
    entry: dict[str, Any] = {'k:{"containerPort":8000,"protocol":"TCP"}': {".": {}, "f:name": {}}}
    port = {"name": "http", "containerPort": 8000}
    assert drift.owns(entry, (Element(port, 0), "name"))
    assert not drift.owns(entry, (Element({**port, "protocol": "UDP"}, 0), "name"))
    assert not drift.owns(entry, (Element(port, 0), "hostPort"))
    assert drift.owns({"v:1": {}}, (Element(1, 0),)) and drift.owns({"i:0": {}}, (Element("x", 0),))


def test_elements_are_told_by_what_their_owner_says_of_them() -> None:
    """By keys (k), value (v) or place (i), and by nothing that only looks like one of these."""
    named = Element({"name": "x"}, 0)
    assert drift.owns({"i:0": {}}, (named,))
    assert not drift.owns({"i:1": {}}, (named,))
    assert not drift.owns({"i:1": {}}, (Element(1, 0),))
    assert not drift.owns({'k:{"name":"y"}': {}}, (named,))
    assert [drift.text(("spec", element)) for element in (named, Element({}, 2), Element("x", 1))] == [
        "spec[x]",
        "spec[2]",
        "spec[1]",
    ]


def test_digest_is_the_same_in_every_release() -> None:
    """A new one would have every created object written again when the operator is upgraded."""
    assert drift.digest({"b": [1, {"y": None, "x": "ä"}], "a": ""}) == "d909ce7afa46dea0"
    assert drift.digest({"a": "", "b": [1, {"x": "ä", "y": None}]}) == "d909ce7afa46dea0"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=20,
)


@given(JSON)
def test_nothing_differs_from_itself(value: Any) -> None:
    # Elements that cannot be told apart stand for one another, which no list of Kubernetes has.
    named = [{"name": f"n{index}", "value": value} for index in range(3)]
    assert list(drift.differences({"spec": named}, {"spec": copy.deepcopy(named)})) == []


@given(JSON, JSON)
def test_whoever_owns_all_has_not_lost_anything(wanted: Any, found: Any) -> None:
    """Whatever the API server makes of what was applied: nothing is written again while nobody else took a field."""
    body = {"metadata": {}, "spec": wanted}
    everything = [{"manager": CREATED_FIELD_MANAGER, "fieldsV1": {"f:spec": {}}}]
    assert drift.drift(body, OwnedState("a", "u", "o", {"metadata": {}, "spec": found}, managed=everything)) == ()


@given(JSON, JSON)
def test_digest_tells_manifests_apart(one: Any, two: Any) -> None:
    is_same = json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)
    assert (drift.digest({"spec": one}) == drift.digest({"spec": two})) is is_same
