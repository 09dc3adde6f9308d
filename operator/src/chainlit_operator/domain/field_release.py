"""The release of field ownership in a workload for which no ChainlitApp asks any more, or that has no fields to own.

The values and the pods stay. The operator removes only its entry in ``metadata.managedFields``. With that entry, the
next server-side apply of these fields would be a conflict, and a probe would stay although its owner removes it. An
apply without fields is no alternative: the API server removes the values that no manager owns any more.

Where the schema of a kind gives its containers no keys, they are one field, and a patch of one variable makes the
operator the owner of all. Then every apply of the workload by others would be a conflict. So the operator releases the
field after each write.
"""

from __future__ import annotations

from typing import Any

from chainlit_operator.domain.field_managers import FIELD_MANAGER
from chainlit_operator.domain.model import App, Workload


def is_due(workload: Workload, claimant: App | None) -> bool:
    """Whether the operator owns fields of the workload that it must release; ``claimant`` is its oldest app, if any."""
    if FIELD_MANAGER not in workload.field_managers:
        return False
    return claimant is None or claimant.spec.suspend or FIELD_MANAGER in workload.list_managers


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
