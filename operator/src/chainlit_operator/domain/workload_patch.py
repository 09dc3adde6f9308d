"""The write of the operator's fields in a workload that others own: a server-side apply, or a JSON patch."""

from __future__ import annotations

from typing import Any

from chainlit_operator.domain.alignment import Apply
from chainlit_operator.domain.chainlit import PARENT_ROOT_PATH, ROOT_PATH
from chainlit_operator.domain.field_managers import FIELD_MANAGER
from chainlit_operator.domain.model import Container, Variable, Workload


def apply_configuration(workload: Workload, container: Container, apply: Apply) -> dict[str, Any]:
    """Return the body of the apply: the operator's fields only.

    With ``metadata.uid`` the API server refuses (409) to create a workload that was deleted meanwhile.
    """
    entry: dict[str, Any] = {"name": container.name}
    if apply.env:
        entry["env"] = [{"name": name, "value": value} for name, value in apply.env]
    for field, path in apply.probes:
        entry[field] = {"httpGet": {"path": path}}
    ref = workload.written
    return {
        "apiVersion": workload.api_version,
        "kind": ref.kind,
        "metadata": {"name": ref.name, "namespace": ref.namespace, "uid": workload.uid},
        "spec": {"template": {"spec": {"containers": [entry]}}},
    }


def json_patch(workload: Workload, container: Container, apply: Apply) -> list[dict[str, Any]]:
    """Return the JSON patch (RFC 6902) of the fields that differ, for a workload that is patched.

    It names containers and variables by their position, so it first tests the resource version; the API server answers
    422 for any other. It replaces no list, so all other fields stay, whatever the schema of the kind says of its lists.
    """
    index = workload.containers.index(container)
    base, places = f"/spec/template/spec/containers/{index}", workload.env_places[index]
    present = _variables(container)
    env = [(name, value) for name, value in apply.env if not _has(present[name], value)]
    at = dict(places.variables)
    paths = {probe.field: probe.path for probe in container.probes}
    new = [{"name": name, "value": value} for name, value in env if name not in at]
    return [
        {"op": "test", "path": "/metadata/resourceVersion", "value": workload.resource_version},
        *(_add(f"{base}/env/{at[name]}/value", value) for name, value in env if name in at),
        *([_add(f"{base}/env", new)] if new and not places.length else [_add(f"{base}/env/-", each) for each in new]),
        *(_add(f"{base}/{field}/httpGet/path", path) for field, path in apply.probes if paths[field] != path),
    ]


def _add(path: str, value: object) -> dict[str, Any]:
    """The operation that sets a member of an object, whether it exists or not, or appends to a list."""
    return {"op": "add", "path": path, "value": value}


def omits_own_fields(workload: Workload, container: Container, apply: Apply) -> bool:
    """Whether the write gives up fields that the operator owns: of another container, or probes of another port.

    After an apply, the API server removes a field when its only owner gives it up, and sets the path of a probe to
    ``/``. A patch gives up nothing.
    """
    if workload.is_patched:
        return False
    kept = {name for name, _ in (*apply.env, *apply.probes)}
    return any(
        manager == FIELD_MANAGER and not (found.name == container.name and name in kept)
        for found in workload.containers
        for name, manager in found.owners
    )


def is_kept(workload: Workload, name: str, apply: Apply) -> bool:
    """Whether the workload has the values of the apply in the container called ``name`` after the write."""
    container = next((found for found in workload.containers if found.name == name), None)
    if container is None:
        return False
    variables = _variables(container)
    probes = {probe.field: probe.path for probe in container.probes}
    return all(_has(variables[name], value) for name, value in apply.env) and all(
        probes.get(field, path) == path for field, path in apply.probes
    )


def _variables(container: Container) -> dict[str, Variable | None]:
    return {ROOT_PATH: container.root_path, PARENT_ROOT_PATH: container.parent_root_path}


def _has(variable: Variable | None, value: str) -> bool:
    return variable is not None and variable.value == value
