"""The creator: brings about the objects that a ChainlitApp's spec describes, and removes what it no longer does.

The order saves rollouts: first what a route needs, then the route, and when that gives a path, the workload with it,
in one write.
"""

from __future__ import annotations

import json
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from chainlit_operator.controller.event_recorder import EventRecorder
from chainlit_operator.domain import field_conflicts as contests
from chainlit_operator.domain.conditions import Failure
from chainlit_operator.domain.desired import manifests, ownership
from chainlit_operator.domain.desired.drift import MANAGER, OwnedState
from chainlit_operator.domain.desired.manifests import Manifest
from chainlit_operator.domain.desired.ownership import Create, Repair, Update
from chainlit_operator.domain.model import App, CreatableObject, Snapshot, WatchedObject, Workload
from chainlit_operator.domain.paths import RootPaths
from chainlit_operator.domain.plan import FIELD_MANAGER, plan
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.kinds import registry
from chainlit_operator.kube.client import Api, read
from chainlit_operator.kube.errors import ApiError
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import metrics
from chainlit_operator.state import State, decoding

logger = logging.getLogger(__name__)

T = TypeVar("T")
#: Of created objects all that is wanted is in the basis, and whatever else somebody changes in them is theirs.
_STATE = ""


class RefusedError(Exception):
    """Something cannot be brought about; ``failure`` has the words for it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class WriteError(Exception):
    """A write that the API server refused: what was to be done to which object."""

    def __init__(self, verb: str, ref: Ref, error: ApiError) -> None:
        super().__init__(error.message)
        self.verb, self.ref, self.error = verb, ref, error


class ObjectWriter:
    """Keeps the objects that apps create as their specs want them."""

    def __init__(self, api: Api, cache: State, recorder: EventRecorder) -> None:
        self._api, self._cache, self._recorder = api, cache, recorder
        self._readers: Mapping[str, Callable[[bytes], WatchedObject]] = {
            name: decoding.decoder(kind, cache.find) for name, kind in registry.WATCHED.items()
        }
        self._contests: defaultdict[Ref, dict[Ref, contests.Contest]] = defaultdict(dict)

    def forget(self, app: Ref) -> None:
        """Forget an app that is gone; its objects go by garbage collection."""
        self._contests.pop(app, None)

    def forget_all(self) -> None:
        """Forget what was done so far: somebody else goes on."""
        self._contests.clear()

    async def sync(self, app: App) -> None:
        """Write what differs, if anything. Raises WriteError, and RefusedError for a field that is contested."""
        wanted, present = manifests.refs(app), self._cache.owned_by(app)
        if not wanted and not present:
            return
        snapshot = self._cache.snapshot(app)
        if app.spec.suspend or app.is_terminating or snapshot.claimed_by:
            return
        done: defaultdict[str, list[str]] = defaultdict(list)
        try:
            await self._make(app, snapshot, done)
            for obj in present:
                if obj.ref not in wanted and obj.owned is not None and not obj.owned.is_terminating:
                    await self._discard(app, obj, obj.owned, done)
        finally:
            for reason, words in done.items():
                logger.info("%s: %s %s", app.ref, reason, "; ".join(words))
                self._recorder.record(app, "Normal", reason, f"{reason} {'; '.join(words)}.")

    # ------------------------------------------------------------------------------------------------ what is wanted

    async def _make(self, app: App, snapshot: Snapshot, done: dict[str, list[str]]) -> None:
        for manifest in manifests.surroundings(app):
            await self._bring(app, snapshot, manifest, done)
        stand_in = self._stand_in(app)
        route = manifests.route(self._cache.snapshot(app, workload=stand_in))
        if isinstance(route, Manifest):
            await self._bring(app, snapshot, route, done)
        if app.spec.template is not None:
            await self._bring(app, snapshot, manifests.deployment(app, self._roots(app, stand_in)), done)

    def _stand_in(self, app: App) -> Workload | None:
        """The workload as it is about to be, so that the route can be told before it is there."""
        if app.spec.template is None:
            return None
        manifest = manifests.deployment(app, RootPaths("", ""))
        decode = decoding.decoder(registry.WATCHED[manifest.ref.kind])
        try:
            record = decode(json.dumps(_without_nulls(manifest.body)).encode())
        except msgspec.MsgspecError as error:
            message = f"The pod template that spec.workload.template makes cannot be read: {error}. Correct that field."
            raise RefusedError(Failure(Reason.APPLY_REFUSED, message)) from error
        return record if isinstance(record, Workload) else None

    def _roots(self, app: App, stand_in: Workload | None) -> RootPaths:
        """The root paths that are wanted; where that cannot be told those that the workload has, if it is there."""
        roots = plan(self._cache.snapshot(app, workload=stand_in)).roots
        if roots is not None:
            return roots
        live = self._cache.workload(app.workload)
        container = next((c for c in live.containers if c.name == app.spec.container), None) if live else None
        if container is None:
            return RootPaths("", "")
        values = (container.root_path, container.parent_root_path)
        return RootPaths(*(variable.value or "" if variable is not None else "" for variable in values))

    async def _bring(self, app: App, snapshot: Snapshot, manifest: Manifest, done: dict[str, list[str]]) -> None:
        """Create, update or repair one object, or leave it."""
        ref = manifest.ref
        obj = self._cache.find(ref)
        live = obj.owned if obj is not None else None
        if obj is not None and (live is None or live.uid != app.uid):
            return  # taken: the snapshot says so to the plan
        step = ownership.step(manifest, live)
        if step is None:
            self._settle(app, ref)
        elif isinstance(step, Create):
            if not snapshot.taken:
                # Without force: what somebody else created a moment ago is not to be overwritten.
                await self._write("create", ref, self._api.apply(ref, manifest.body, MANAGER, force=False))
                done["Created"].append(str(ref))
                made = self._cache.find(ref)
                if made is not None and made.owned is not None:
                    self._record(app, ref, _basis(app, manifest, made.owned), "")
        elif live is not None:
            await self._overwrite(app, manifest, live, step, done)

    async def _overwrite(
        self, app: App, manifest: Manifest, live: OwnedState, step: Update | Repair, done: dict[str, list[str]]
    ) -> None:
        ref, basis = manifest.ref, _basis(app, manifest, live)
        rivals = step.rivals if isinstance(step, Repair) else ""
        self._refuse_contested(app, ref, basis, step)
        body = {**manifest.body, "metadata": {**manifest.body["metadata"], "uid": live.object_uid}}
        await self._write("patch", ref, self._api.apply(ref, body, MANAGER))
        self._record(app, ref, basis, rivals)
        if isinstance(step, Update):
            done["Updated"].append(str(ref))
            return
        if step.rivals:
            metrics.TAKEOVERS.inc(len(step.fields))
        by = f", changed by {step.rivals}" if step.rivals else ""
        done["Repaired"].append(f"{', '.join(step.fields[:5])} of {ref}{by}")

    def _refuse_contested(self, app: App, ref: Ref, basis: tuple[object, ...], step: Update | Repair) -> None:
        """Raise RefusedError if the same has been written too often."""
        found = self._contests[app.ref]
        rivals = (step.rivals,) if isinstance(step, Repair) and step.rivals else ()
        contest = found.get(ref) or contests.remembered(app, app.status.route, basis, _STATE, rivals)
        manager = contests.contested_by(contest, basis, _STATE, time.monotonic())
        if contest is None or not manager:
            return
        found[ref] = contests.give_up(contest, _STATE)
        fields = ", ".join(step.fields[:5]) if isinstance(step, Repair) else "fields"
        message = (
            f"Field manager {manager!r} keeps changing {fields} of {ref}, which this ChainlitApp "
            "created: remove that from what it applies, set it in this ChainlitApp, or suspend this ChainlitApp. The "
            "operator tries again when this resource or what it asks for is changed."
        )
        raise RefusedError(Failure(Reason.FIELD_CONTESTED, message))

    def _record(self, app: App, ref: Ref, basis: tuple[object, ...], rivals: str) -> None:
        found = self._contests[app.ref]
        found[ref] = contests.record(found.get(ref), basis, _STATE, rivals, time.monotonic())

    def _settle(self, app: App, ref: Ref) -> None:
        """An object is as it should be: a contest that was given up is over."""
        contest = self._contests[app.ref].get(ref)
        if contest is not None:
            self._contests[app.ref][ref] = contests.settled(contest)

    # -------------------------------------------------------------------------------------- what is wanted no more

    async def _discard(self, app: App, obj: CreatableObject, live: OwnedState, done: dict[str, list[str]]) -> None:
        ref = obj.ref
        if ownership.is_released(app, ref):
            body = ownership.release(live, obj.resource_version)
            await self._write("patch", ref, self._api.patch(ref, body, FIELD_MANAGER))
            done["Released"].append(f"{ref}, which spec names now: it stays when this ChainlitApp goes")
            return
        try:
            await self._api.delete(ref, live.object_uid)
        except ApiError as error:
            if error.code != 404:
                raise _write_error("delete", ref, error) from error
        metrics.WRITES.labels("created").inc()
        self._cache.remove(obj)
        done["Deleted"].append(f"{ref}, which spec asks for no more")

    async def _write(self, verb: str, ref: Ref, request: Any) -> None:
        try:
            answer = await request
        except ApiError as error:
            raise _write_error(verb, ref, error) from error
        metrics.WRITES.labels("created").inc()
        found = read(self._readers[ref.kind], answer)
        # What was there may be gone: its deletion may be told before the answer is there.
        if verb == "create" or self._cache.find(ref) is not None:
            self._cache.upsert(found)


def _without_nulls(value: Any) -> Any:
    """Return the document as the API server keeps it: a null is a field that is not there."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(found) for key, found in value.items() if found is not None}
    return [_without_nulls(found) for found in value] if isinstance(value, list | tuple) else value


def _basis(app: App, manifest: Manifest, live: OwnedState) -> tuple[object, ...]:
    """What a meaningful change changes: a second write on the same basis undoes what somebody did."""
    return (app.uid, app.generation, live.object_uid, manifest.digest)


def _write_error(verb: str, ref: Ref, error: ApiError) -> WriteError:
    metrics.WRITE_ERRORS.labels("created", error.reason).inc()
    return WriteError(verb, ref, error)
