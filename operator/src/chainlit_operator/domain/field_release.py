"""Release of field ownership, when no ChainlitApp asks for a workload's fields any more.

The values and the pods stay. Only the operator's entry in ``metadata.managedFields`` goes: it would make the next
server-side apply of these fields a conflict, and keep a probe that its owner removes. An apply without fields would
remove the values, because the API server removes what its only owner gives up.
"""

from __future__ import annotations

from typing import Any

from chainlit_operator.domain.field_managers import FIELD_MANAGER
from chainlit_operator.domain.model import App, Workload


def is_due(workload: Workload, claimant: App | None) -> bool:
    """Whether the operator owns fields of the workload that ``claimant``, its oldest app, does not ask for."""
    return FIELD_MANAGER in workload.field_managers and (claimant is None or claimant.spec.suspend)


def json_patch(workload: Workload) -> list[dict[str, Any]]:
    """Return the JSON patch (RFC 6902) that takes the operator's entries out.

    The patch names entries by their position, so it first tests the resource version; the API server answers 422 for
    any other. It touches no field of ``spec``, so the generation stays.
    """
    places = [n for n, manager in enumerate(workload.field_managers) if manager == FIELD_MANAGER]
    return [
        {"op": "test", "path": "/metadata/resourceVersion", "value": workload.resource_version},
        *({"op": "remove", "path": f"/metadata/managedFields/{n}"} for n in reversed(places)),
    ]
