"""The steps for the objects that a ChainlitApp creates, or has created.

::

    wanted, does not exist                       → Create, unless one of the wanted names is taken
    wanted, exists, another form was applied     → Update
    wanted, exists, another manager changed it   → Repair
    not wanted, but a ref names it now           → Release
    not wanted                                   → Delete
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chainlit_operator.domain import field_conflicts
from chainlit_operator.domain.desired import drift, manifests
from chainlit_operator.domain.desired.drift import OwnedState
from chainlit_operator.domain.field_managers import CREATED_FIELD_MANAGER
from chainlit_operator.domain.model import App, Basis, CreatableObject, Manifest, Memory, Snapshot
from chainlit_operator.object_ref import Ref

#: Field conflicts of created objects use no state, only the basis: other fields of the object do not matter to them.
_STATE = ""
_SHOWN_FIELDS = 5


@dataclass(frozen=True, slots=True)
class Create:
    """The object does not exist."""

    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Update:
    """The object exists, but a former manifest of it was applied."""

    manifest: Manifest
    live: OwnedState


@dataclass(frozen=True, slots=True)
class Repair:
    """Another manager changed fields of the object; ``managers`` is empty where nobody owns them now."""

    manifest: Manifest
    live: OwnedState
    fields: tuple[str, ...]
    managers: str


@dataclass(frozen=True, slots=True)
class Release:
    """The object stays, but loses its owner."""

    ref: Ref
    patch: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delete:
    """The object is deleted, if it still has this uid."""

    ref: Ref
    uid: str


Step = Create | Update | Repair | Release | Delete


@dataclass(frozen=True, slots=True)
class Conflict:
    """A created object that another manager keeps changing; ``message`` is for the condition."""

    message: str


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps in their order. Where ``conflict`` is set they end before the object of the conflict."""

    steps: tuple[Step, ...] = ()
    conflict: Conflict | None = None
    memory: Memory = field(default_factory=Memory)


def step(manifest: Manifest, live: OwnedState | None) -> Create | Update | Repair | None:
    """Decide about a wanted object; ``live`` None means that it does not exist."""
    if live is None:
        return Create(manifest)
    if live.is_terminating:
        return None  # created again when it is gone
    if live.digest != manifest.digest:
        return Update(manifest, live)
    found = drift.drift(manifest.body, live)
    if not found:
        return None
    managers = sorted({manager for _, manager in found if manager})
    return Repair(manifest, live, tuple(field for field, _ in found), ", ".join(managers))


def steps(snapshot: Snapshot, objects: Iterable[Manifest], wanted: tuple[Ref, ...]) -> Steps:
    """Return the steps for ``objects``, then those for owned objects that are not among ``wanted``."""
    live = {obj.ref: obj for obj in snapshot.owned}
    found: list[Step] = []
    memory = snapshot.memory
    for manifest in objects:
        if manifest.ref in snapshot.taken:
            continue
        present = live.get(manifest.ref)
        next_step = step(manifest, present.owned if present is not None else None)
        former = memory.objects.get(manifest.ref)
        if next_step is None:
            if former is not None:
                memory = memory.with_object(manifest.ref, field_conflicts.resolved(former))
            continue
        if isinstance(next_step, Create):
            if not snapshot.taken:
                found.append(next_step)
            continue
        conflict, memory = _conflict(snapshot, next_step, memory)
        if conflict is not None:
            return Steps(tuple(found), conflict, memory)
        found.append(next_step)
    return Steps((*found, *_surplus(snapshot.app, snapshot.owned, wanted)), None, memory)


def basis(app: App, manifest: Manifest, live: OwnedState) -> Basis:
    """Return the basis of an update or a repair of an object."""
    return (app.uid, app.generation, live.object_uid, manifest.digest)


def record(memory: Memory, app: App, written: Step, live: OwnedState, now: float) -> Memory:
    """Return the memory with one more write; ``live`` is the object before the write, or the new object."""
    if isinstance(written, Release | Delete):
        return memory
    managers = written.managers if isinstance(written, Repair) else ""
    ref = written.manifest.ref
    found = field_conflicts.record(memory.objects.get(ref), basis(app, written.manifest, live), _STATE, managers, now)
    return memory.with_object(ref, found)


def _conflict(snapshot: Snapshot, wanted: Update | Repair, memory: Memory) -> tuple[Conflict | None, Memory]:
    """The conflict, if the operator made the same write too often."""
    app, ref = snapshot.app, wanted.manifest.ref
    follows_from = basis(app, wanted.manifest, wanted.live)
    managers = (wanted.managers,) if isinstance(wanted, Repair) and wanted.managers else ()
    found = memory.objects.get(ref) or field_conflicts.remembered(app, app.status.route, follows_from, _STATE, managers)
    manager = field_conflicts.winner(found, follows_from, _STATE, snapshot.monotonic)
    if found is None or not manager:
        return None, memory
    fields = ", ".join(wanted.fields[:_SHOWN_FIELDS]) if isinstance(wanted, Repair) else "fields"
    message = (
        f"Field manager {manager!r} keeps changing {fields} of {ref}, which this ChainlitApp created, so the operator "
        "stopped writing. Remove these fields from the manifests of that manager, set them in this ChainlitApp, or set "
        "spec.suspend: true."
    )
    return Conflict(message), memory.with_object(ref, field_conflicts.yield_to_winner(found, _STATE))


def _surplus(app: App, owned: Iterable[CreatableObject], wanted: tuple[Ref, ...]) -> Iterator[Step]:
    """The steps for objects that the app created and its spec no longer describes."""
    for obj in owned:
        if obj.ref in wanted or obj.owned is None or obj.owned.is_terminating:
            continue
        if is_referenced(app, obj.ref):
            yield Release(obj.ref, release_patch(obj.owned, obj.resource_version))
        else:
            yield Delete(obj.ref, obj.owned.object_uid)


def is_referenced(app: App, ref: Ref) -> bool:
    """Whether the spec names a created object by ``ref``. With its workload, a created Service counts as named."""
    if ref.kind in manifests.TEMPLATE_KINDS:
        return app.spec.template is None and app.workload == Ref("Deployment", app.ref.namespace, app.ref.name)
    return app.route == ref


def release_patch(live: OwnedState, resource_version: str) -> dict[str, Any]:
    """Return the merge patch that leaves an object without owner and without fields of the operator.

    It has the resource version, because a merge patch replaces whole lists: a change meanwhile makes it fail.
    """
    metadata: Mapping[str, Any] = live.content.get("metadata", {})
    return {
        "metadata": {
            "uid": live.object_uid,
            "resourceVersion": resource_version,
            "ownerReferences": [o for o in metadata.get("ownerReferences", []) if o.get("uid") != live.uid],
            "annotations": {drift.DIGEST: None},
            "labels": {drift.MANAGED_BY: None},
            "managedFields": [e for e in live.managed if e.get("manager") != CREATED_FIELD_MANAGER] or [{}],
        }
    }
