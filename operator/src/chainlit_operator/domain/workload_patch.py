"""The server-side apply of the operator's fields in a workload that others own."""

from __future__ import annotations

from typing import Any

from chainlit_operator.domain.alignment import Apply
from chainlit_operator.domain.chainlit import PARENT_ROOT_PATH, ROOT_PATH
from chainlit_operator.domain.field_managers import FIELD_MANAGER
from chainlit_operator.domain.model import Container, Workload


def apply_configuration(workload: Workload, container: Container, apply: Apply) -> dict[str, Any]:
    """Return the body of the apply: the operator's fields only.

    With ``metadata.uid`` the API server refuses (409) to create a workload that was deleted meanwhile.
    """
    entry: dict[str, Any] = {"name": container.name}
    if apply.env:
        entry["env"] = [{"name": name, "value": value} for name, value in apply.env]
    for field, path in apply.probes:
        entry[field] = {"httpGet": {"path": path}}
    return {
        "apiVersion": workload.api_version,
        "kind": workload.ref.kind,
        "metadata": {"name": workload.ref.name, "namespace": workload.ref.namespace, "uid": workload.uid},
        "spec": {"template": {"spec": {"containers": [entry]}}},
    }


def omits_own_fields(workload: Workload, container: Container, apply: Apply) -> bool:
    """Whether the apply omits fields that the operator owns: of another container, or probes of another port.

    The API server removes a field when its only owner gives it up, and sets the path of a probe to ``/``.
    """
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
    variables = {ROOT_PATH: container.root_path, PARENT_ROOT_PATH: container.parent_root_path}
    probes = {probe.field: probe.path for probe in container.probes}
    return all((now := variables[name]) is not None and now.value == value for name, value in apply.env) and all(
        probes.get(field, path) == path for field, path in apply.probes
    )
