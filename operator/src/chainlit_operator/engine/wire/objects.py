"""Objects of the cluster: pruned records of all, and the whole of those that the operator created."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from chainlit_operator.domain import model
from chainlit_operator.domain.owned import KEPT_METADATA, Owned
from chainlit_operator.engine.wire.accounts import ServiceAccount
from chainlit_operator.engine.wire.base import Meta, OwnerReference, decode_any, decoder
from chainlit_operator.engine.wire.httproutes import Gateway, HTTPRoute
from chainlit_operator.engine.wire.ingresses import Ingress
from chainlit_operator.engine.wire.middlewares import Middleware
from chainlit_operator.engine.wire.services import Service
from chainlit_operator.engine.wire.workloads import Deployment, StatefulSet

Foreign = Deployment | StatefulSet | Service | ServiceAccount | Ingress | HTTPRoute | Middleware | Gateway

#: kind → its form in JSON, for all that are watched
KINDS: dict[str, type[Foreign]] = {
    "Deployment": Deployment,
    "StatefulSet": StatefulSet,
    "Service": Service,
    "ServiceAccount": ServiceAccount,
    "Ingress": Ingress,
    "HTTPRoute": HTTPRoute,
    "Gateway": Gateway,
    "Middleware": Middleware,
}
_GROUP = "chainlit-operator.dev/"


Find = Callable[[model.Ref], model.Foreign | None]


def reader(type_: type[Foreign], find: Find = lambda _: None) -> Callable[[bytes | msgspec.Raw], model.Foreign]:
    """Return a reader of single objects of ``type_``; it raises msgspec.DecodeError for anything else.

    ``find`` returns the record that is known of an object, if any: a workload's is read the quicker for it. It is for
    events and answers only: before a list the pod template may have changed and changed back unseen.
    """
    decode = decoder(type_)

    def read(raw: bytes | msgspec.Raw) -> model.Foreign:
        found = decode(raw)
        if isinstance(found, Deployment | StatefulSet):
            known = find(model.Ref(type_.__name__, found.metadata.namespace, found.metadata.name))
            record: model.Foreign = found.to_domain(known if isinstance(known, model.Workload) else None)
        else:
            record = found.to_domain()
        owner = _owner(found.metadata)
        if owner is None or not isinstance(record, model.Ownable):
            return record
        return replace(record, owned=_owned(owner, found.metadata, decode_any(raw)))

    return read


def _owner(meta: Meta) -> OwnerReference | None:
    """The ChainlitApp that created an object, if one did."""
    for owner in meta.owner_references:
        if owner.controller and owner.kind == "ChainlitApp" and owner.api_version.startswith(_GROUP):
            return owner
    return None


def _owned(owner: OwnerReference, meta: Meta, whole: dict[str, Any]) -> Owned:
    metadata = whole.pop("metadata")
    content = {key: value for key, value in whole.items() if key not in ("apiVersion", "kind", "status")}
    return Owned(
        app=owner.name,
        uid=owner.uid,
        object_uid=meta.uid,
        content={**content, "metadata": {key: metadata[key] for key in KEPT_METADATA if key in metadata}},
        is_terminating=bool(meta.deletion_timestamp),
        managed=metadata.get("managedFields", ()),
    )
