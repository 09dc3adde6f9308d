"""The template's law of merging; what comes out of it is compared with the chart in tests/charts/test_template.py."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainlit_operator.domain import template
from chainlit_operator.domain.paths import Roots

KEYS = st.sampled_from(["a", "b", "c"])
LEAVES = st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
MAPS = st.recursive(
    st.dictionaries(KEYS, LEAVES, max_size=3), lambda inner: st.dictionaries(KEYS, LEAVES | inner, max_size=3)
)


def leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in leaves(item, (*path, key)).items()}
    return {path: value}


@given(MAPS)
def test_nothing_given_is_the_default_and_the_same_given_changes_nothing(defaults: Any) -> None:
    assert template.merged(defaults, {}) == defaults
    assert template.merged(defaults, defaults) == defaults
    assert template.merged({}, defaults) == defaults


@given(MAPS, MAPS)
def test_what_is_given_wins_and_nothing_is_made_up(defaults: Any, fields: Any) -> None:
    found = leaves(template.merged(defaults, fields))
    assert all(found[path] == value for path, value in leaves(fields).items())
    assert all(path in leaves(fields) or leaves(defaults)[path] == value for path, value in found.items())


@given(MAPS, KEYS)
def test_null_takes_away(defaults: Any, key: str) -> None:
    assert template.merged(defaults, {key: None}) == {k: v for k, v in defaults.items() if k != key}
    assert template.merged({"x": defaults}, {"x": {key: None}})["x"].keys() == defaults.keys() - {key}


@pytest.mark.parametrize(
    ("roots", "env_from", "variables"),
    [
        (Roots("", ""), [], {"CHAINLIT_ROOT_PATH": ""}),
        (Roots("/chat", ""), [], {"CHAINLIT_ROOT_PATH": "/chat"}),
        (Roots("", "/chat"), [], {"CHAINLIT_ROOT_PATH": "", "CHAINLIT_PARENT_ROOT_PATH": "/chat"}),
        (Roots("", ""), [{"secretRef": {}}], {"CHAINLIT_ROOT_PATH": "", "CHAINLIT_PARENT_ROOT_PATH": ""}),
    ],
)
def test_variables_of_the_root_path(roots: Roots, env_from: Any, variables: dict[str, str]) -> None:
    fields = template.filled({"image": "a", "envFrom": env_from})
    (found,) = template.pod_template(fields, {}, ("shop", "chat"), "chat", roots)["spec"]["containers"]
    env = {entry["name"]: entry["value"] for entry in found["env"]}
    assert {name: value for name, value in env.items() if "ROOT_PATH" in name} == variables
    assert env["CHAINLIT_AUTH_COOKIE_NAME"] == "shop_chat_access_token"
