"""The release of field ownership in a workload for which no ChainlitApp asks any more.

The values and the pods stay. The operator removes only its entry in ``metadata.managedFields``. With that entry, the
next server-side apply of these fields would be a conflict, and a probe would stay although its owner removes it. An
apply without fields is no alternative: the API server removes the values that no manager owns any more.
"""

from __future__ import annotations

from typing import Any

from chainlit_operator.domain.field_managers import FIELD_MANAGER
from chainlit_operator.domain.model import App, Workload


def is_due(workload: Workload, claimant: App | None) -> bool:
    """Whether the operator owns fields of the workload, and ``claimant`` (its oldest app) is suspended or missing."""
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
