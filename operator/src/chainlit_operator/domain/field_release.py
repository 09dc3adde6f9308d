"""Release: giving a workload's fields back when no ChainlitApp asks for them any more.

The values stay, and so do the pods. What goes is the operator's entry in ``metadata.managedFields``: it would make the
next server-side apply of those fields a conflict, and keep a probe alive that its owner removes. An apply without
fields would not do, for the API server removes what its only owner gives up.
"""

from __future__ import annotations

from typing import Any

from chainlit_operator.domain.model import App, Workload
from chainlit_operator.domain.plan import FIELD_MANAGER


def is_due(workload: Workload, claimant: App | None) -> bool:
    """Whether the operator has an entry in the workload that its oldest app, if any, does not want there."""
    return FIELD_MANAGER in workload.field_managers and (claimant is None or claimant.spec.suspend)


def json_patch(workload: Workload) -> list[dict[str, Any]]:
    """Return the JSON patch (RFC 6902) that takes the operator's entries out.

    It names entries by their place in the list, so it begins with the version in which they have it; the API server
    answers 422 where that has passed. No field of ``spec`` is touched, so the generation stays.
    """
    places = [n for n, manager in enumerate(workload.field_managers) if manager == FIELD_MANAGER]
    return [
        {"op": "test", "path": "/metadata/resourceVersion", "value": workload.resource_version},
        *({"op": "remove", "path": f"/metadata/managedFields/{n}"} for n in reversed(places)),
    ]
