"""What is to be done about an object that a ChainlitApp has created, or had.

::

    wanted, not there                      → Create, unless a name among all that is wanted is taken
    wanted, there, another form applied    → Update
    wanted, there, changed by somebody     → Repair
    not wanted, but named by a ref now     → Release
    not wanted                             → Delete
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chainlit_operator.domain.desired import drift
from chainlit_operator.domain.desired.drift import OwnedState
from chainlit_operator.domain.desired.manifests import Manifest
from chainlit_operator.domain.model import App
from chainlit_operator.object_ref import Ref


@dataclass(frozen=True, slots=True)
class Create:
    """The object is not there."""


@dataclass(frozen=True, slots=True)
class Update:
    """The object is there as it was wanted formerly."""


@dataclass(frozen=True, slots=True)
class Repair:
    """Somebody changed the object: which fields, and who (empty where that cannot be told)."""

    fields: tuple[str, ...]
    rivals: str


def step(manifest: Manifest, live: OwnedState | None) -> Create | Update | Repair | None:
    """Decide about a wanted object; ``live`` None means that there is none."""
    if live is None:
        return Create()
    if live.is_terminating:
        return None  # made anew when it is gone
    if live.digest != manifest.digest:
        return Update()
    found = drift.drift(manifest.body, live)
    if not found:
        return None
    rivals = sorted({manager for _, manager in found if manager})
    return Repair(tuple(field for field, _ in found), ", ".join(rivals))


def is_released(app: App, ref: Ref) -> bool:
    """Whether an object that the app created, and wants no more, is left to others instead of deleted.

    So it is with what a ``ref`` names now; a workload takes its Service and ServiceAccount with it.
    """
    if ref.kind in ("Deployment", "Service", "ServiceAccount"):
        return app.spec.template is None and app.workload == Ref("Deployment", app.ref.namespace, app.ref.name)
    return app.route == ref


def release(live: OwnedState, resource_version: str) -> dict[str, Any]:
    """Return the merge patch that leaves an object to others: no owner, and no field of ours.

    With the resource version, since lists are replaced as a whole: somebody else's change meanwhile makes it fail.
    """
    metadata: Mapping[str, Any] = live.content.get("metadata", {})
    return {
        "metadata": {
            "uid": live.object_uid,
            "resourceVersion": resource_version,
            "ownerReferences": [o for o in metadata.get("ownerReferences", []) if o.get("uid") != live.uid],
            "annotations": {drift.DIGEST: None},
            "labels": {drift.MANAGED_BY: None},
            "managedFields": [e for e in live.managed if e.get("manager") != drift.MANAGER] or [{}],
        }
    }
