"""The objects that an app creates, as they will be after this reconcile.

A decision about a created app must know its route before the route exists. So where an object does not exist, or
differs from its manifest, the record of the manifest is used instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import msgspec

from chainlit_operator.domain.desired import manifests, ownership
from chainlit_operator.domain.model import (
    App,
    CreatableObject,
    Manifest,
    Route,
    Service,
    WatchedObject,
    Workload,
)
from chainlit_operator.domain.paths import RootPaths
from chainlit_operator.domain.resolution import route_backend
from chainlit_operator.kinds import registry
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import decoding

Find = Callable[[Ref], CreatableObject | None]
"""From a reference to the live object, None where there is none."""


def workload_of(app: App, find: Find) -> tuple[Workload | None, str]:
    """Return the workload of an app, and the fault of the pod template in its spec; empty for none."""
    live = find(app.workload)
    if isinstance(live, Workload) or app.spec.template is None:
        return (live if isinstance(live, Workload) else None), ""
    try:
        record = _read(manifests.deployment(app, RootPaths("", "")))
    except msgspec.MsgspecError as error:
        return (
            None,
            f"The operator cannot read the pod template of spec.workload.template: {error}. Correct that field.",
        )
    return (record if isinstance(record, Workload) else None), ""


def services_of(app: App, wanted: list[Manifest], live: tuple[Service, ...], find: Find) -> tuple[Service, ...]:
    """Return the Services that select the app's pods, and the Service that the app creates."""
    found = {service.ref: service for service in live}
    for manifest in wanted:
        record = _expected(app, manifest, find)
        if isinstance(record, Service):
            present = found.get(manifest.ref)
            address = present.cluster_ip if present is not None else ""
            found[manifest.ref] = replace(record, cluster_ip=record.cluster_ip or address)
    return tuple(found[ref] for ref in sorted(found))


def route_of(app: App, services: tuple[Service, ...], find: Find) -> tuple[Manifest | None, Route | None]:
    """Return the manifest and the record of the route that the app creates; None where it has no backend yet."""
    backend = route_backend(app, services)
    manifest = manifests.route(app, *backend) if backend is not None else None
    record = _expected(app, manifest, find) if manifest is not None else find(app.route) if app.route else None
    return manifest, record if isinstance(record, Route) else None


def _expected(app: App, manifest: Manifest, find: Find) -> WatchedObject | None:
    live = find(manifest.ref)
    owned = live.owned if live is not None else None
    if live is not None and (owned is None or owned.uid != app.uid):
        return live  # another owner created it: resolution reports that
    if live is not None and ownership.step(manifest, owned) is None:
        return live
    try:
        return _read(manifest)
    except msgspec.MsgspecError:
        return live  # the API server refuses the manifest, and the report says why


def _read(manifest: Manifest) -> WatchedObject:
    """The record of a manifest; raises msgspec.MsgspecError for one that the API server would refuse too."""
    return _reader(manifest.ref.kind)(json.dumps(_without_nulls(manifest.body)).encode())


@lru_cache
def _reader(kind: str) -> Callable[[bytes], WatchedObject]:
    return decoding.decoder(registry.WATCHED[kind])


def _without_nulls(value: Any) -> Any:
    """The document as the API server stores it: a null is an absent field."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(found) for key, found in value.items() if found is not None}
    return [_without_nulls(found) for found in value] if isinstance(value, list | tuple) else value
