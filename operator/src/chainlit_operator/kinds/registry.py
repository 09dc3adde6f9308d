"""Objects of the cluster: pruned records of all, and the whole of those that the operator created."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from chainlit_operator.domain import model
from chainlit_operator.domain.desired.drift import KEPT_METADATA, OwnedState
from chainlit_operator.kinds.gateway import Gateway
from chainlit_operator.kinds.routes import httproute, ingress
from chainlit_operator.kinds.routes.httproute import HTTPRoute
from chainlit_operator.kinds.routes.ingress import Ingress
from chainlit_operator.kinds.service import Service
from chainlit_operator.kinds.serviceaccount import ServiceAccount
from chainlit_operator.kinds.traefik_middleware import Middleware
from chainlit_operator.kinds.workloads import Deployment, StatefulSet
from chainlit_operator.kube.client import Resources
from chainlit_operator.kube.codec import Meta, OwnerReference, decode_any, decoder
from chainlit_operator.object_ref import Ref

WatchedObject = Deployment | StatefulSet | Service | ServiceAccount | Ingress | HTTPRoute | Middleware | Gateway

#: kind → its form in JSON, for all that are watched
KINDS: dict[str, type[WatchedObject]] = {
    "Deployment": Deployment,
    "StatefulSet": StatefulSet,
    "Service": Service,
    "ServiceAccount": ServiceAccount,
    "Ingress": Ingress,
    "HTTPRoute": HTTPRoute,
    "Gateway": Gateway,
    "Middleware": Middleware,
}
APP_GROUP = "chainlit-operator.dev"
APP_VERSION = "v1alpha1"
APP_PLURAL = "chainlitapps"

#: kind → (API path of group and version, plural)
RESOURCES: Resources = {
    "ChainlitApp": (f"/apis/{APP_GROUP}/{APP_VERSION}", APP_PLURAL),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "StatefulSet": ("/apis/apps/v1", "statefulsets"),
    "Service": ("/api/v1", "services"),
    "ServiceAccount": ("/api/v1", "serviceaccounts"),
    "Ingress": ("/apis/networking.k8s.io/v1", "ingresses"),
    "HTTPRoute": ("/apis/gateway.networking.k8s.io/v1", "httproutes"),
    "Gateway": ("/apis/gateway.networking.k8s.io/v1", "gateways"),
    "Middleware": ("/apis/traefik.io/v1alpha1", "middlewares"),
    "Event": ("/api/v1", "events"),
    "Lease": ("/apis/coordination.k8s.io/v1", "leases"),
}


COMPOSE = {"Ingress": ingress.compose, "HTTPRoute": httproute.compose}
"""kind of route → what completes its record with the objects that take part in it"""


Find = Callable[[Ref], model.WatchedObject | None]


def reader(
    type_: type[WatchedObject], find: Find = lambda _: None
) -> Callable[[bytes | msgspec.Raw], model.WatchedObject]:
    """Return a reader of single objects of ``type_``; it raises msgspec.DecodeError for anything else.

    ``find`` returns the record that is known of an object, if any: a workload's is read the quicker for it. It is for
    events and answers only: before a list the pod template may have changed and changed back unseen.
    """
    decode = decoder(type_)

    def read(raw: bytes | msgspec.Raw) -> model.WatchedObject:
        found = decode(raw)
        if isinstance(found, Deployment | StatefulSet):
            known = find(Ref(type_.__name__, found.metadata.namespace, found.metadata.name))
            record: model.WatchedObject = found.to_domain(known if isinstance(known, model.Workload) else None)
        else:
            record = found.to_domain()
        owner = _owner(found.metadata)
        if owner is None or not isinstance(record, model.CreatableObject):
            return record
        return replace(record, owned=_owned(owner, found.metadata, decode_any(raw)))

    return read


def _owner(meta: Meta) -> OwnerReference | None:
    """The ChainlitApp that created an object, if one did."""
    for owner in meta.owner_references:
        if owner.controller and owner.kind == "ChainlitApp" and owner.api_version.startswith(f"{APP_GROUP}/"):
            return owner
    return None


def _owned(owner: OwnerReference, meta: Meta, whole: dict[str, Any]) -> OwnedState:
    metadata = whole.pop("metadata")
    content = {key: value for key, value in whole.items() if key not in ("apiVersion", "kind", "status")}
    return OwnedState(
        app=owner.name,
        uid=owner.uid,
        object_uid=meta.uid,
        content={**content, "metadata": {key: metadata[key] for key in KEPT_METADATA if key in metadata}},
        is_terminating=bool(meta.deletion_timestamp),
        managed=metadata.get("managedFields", ()),
    )
