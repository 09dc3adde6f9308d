"""Every set-up of the table has the result that people expect."""

from __future__ import annotations

from typing import Any

import pytest

from chainlit_operator.domain.field_managers import FIELD_MANAGER
from tests.field.building import HOST, SetUp
from tests.field.conftest import Field
from tests.field.setups import SETUPS


@pytest.mark.parametrize("setup", SETUPS, ids=[setup.name for setup in SETUPS])
def test_the_result_is_as_people_expect(field: Field, setup: SetUp) -> None:
    expected, refusal = setup.expected, field.refusals.get(setup.name, "")
    if expected.refused:
        assert expected.refused in refusal
        return
    assert not refusal
    app = field.get(setup, "ChainlitApp")
    workload = field.get(setup, app["spec"]["workload"]["ref"]["kind"])
    if "workloadRef" in workload["spec"]:
        workload = field.get(setup, workload["spec"]["workloadRef"]["kind"])
    status = app["status"]
    told = "\n".join(f"{c['type']}={c['status']} {c['reason']}: {c['message']}" for c in status["conditions"])
    told = told.replace(setup.name, "…")  # a name is no message
    container = _container(workload, status)
    found = {entry["name"]: entry.get("value", "") for entry in container.get("env") or ()}
    for variable, wanted in (("ROOT_PATH", expected.root), ("PARENT_ROOT_PATH", expected.parent)):
        assert wanted is None or found.get(f"CHAINLIT_{variable}", "") == wanted, told
    if expected.is_written is not None:
        assert _is_written(workload) is expected.is_written, told
    for probe, path in expected.probes.items():
        assert container[probe]["httpGet"]["path"] == path, told
    if expected.url is not None:
        assert status.get("url") == expected.url.replace(HOST, f"{setup.name}.example.com"), told
    statuses = {condition["type"]: condition["status"] for condition in status["conditions"]}
    assert expected.conditions.items() <= statuses.items(), told
    assert expected.says in told
    assert not expected.not_says or expected.not_says not in told


def _is_written(workload: Any) -> bool:
    return any(entry["manager"] == FIELD_MANAGER for entry in workload["metadata"].get("managedFields") or ())


def _container(workload: Any, status: Any) -> Any:
    """The container that the status names; the first one where it names none."""
    containers = workload["spec"]["template"]["spec"]["containers"]
    name = status.get("workload", {}).get("container")
    return next((container for container in containers if container["name"] == name), containers[0])
