"""ChainlitApps as JSON, both ways."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import field

from chainlit_operator.domain import model
from chainlit_operator.domain.chainlit import CONTAINER
from chainlit_operator.domain.paths import normalise
from chainlit_operator.kinds.shared.fields import shared
from chainlit_operator.kinds.shared.kind import APP_GROUP, APP_KIND, Raw, Resource
from chainlit_operator.kube.codec import ApiStruct, Identity, decoder
from chainlit_operator.object_ref import Ref

#: The kind that the operator serves. kopf watches it.
KIND = Resource(kind=APP_KIND, group=APP_GROUP, version="v1alpha1", plural="chainlitapps")


class _WorkloadRef(ApiStruct):
    kind: str = "Deployment"
    name: str = ""
    container: str | None = None
    port: int | str | None = None


class _WorkloadSpec(ApiStruct):
    ref: _WorkloadRef = field(default_factory=_WorkloadRef)
    template: dict[str, Any] | None = None


class _RouteRef(ApiStruct):
    kind: str = "Ingress"
    name: str = ""
    namespace: str = ""


class _Ingress(ApiStruct):
    path: str = "/"
    path_type: str = "Prefix"
    host: str = ""
    class_name: str = ""
    tls: list[dict[str, Any]] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)

    def to_domain(self) -> model.NewIngress:
        fields = msgspec.structs.asdict(self) | {"tls": tuple(self.tls)}
        return model.NewIngress(**fields)


class _Gateway(ApiStruct):
    parent_refs: list[dict[str, Any]] = field(default_factory=list)
    hostnames: list[str] = field(default_factory=list)
    path: str = "/"
    annotations: dict[str, str] = field(default_factory=dict)

    def to_domain(self) -> model.NewGateway:
        lists = {"parent_refs": tuple(self.parent_refs), "hostnames": tuple(self.hostnames)}
        return model.NewGateway(**msgspec.structs.asdict(self) | lists)


class _RouteSpec(ApiStruct):
    ref: _RouteRef | None = None
    ingress: _Ingress | None = None
    gateway: _Gateway | None = None
    url: str = ""
    backend_path: str | None = None
    rewrite: model.Rewrite = model.Rewrite.AUTO
    affinity: model.Affinity = model.Affinity.AUTO


class _VerificationSpec(ApiStruct):
    mode: model.VerificationMode = model.VerificationMode.AUTO
    interval_seconds: int = 60


class _AppSpec(ApiStruct):
    workload: _WorkloadSpec = field(default_factory=_WorkloadSpec)
    route: _RouteSpec = field(default_factory=_RouteSpec)
    verification: _VerificationSpec = field(default_factory=_VerificationSpec)
    suspend: bool = False
    mount_path: str = ""


class _Condition(ApiStruct, omit_defaults=True):
    type: str
    status: str
    reason: str = ""
    message: str = ""
    observed_generation: int = 0
    last_transition_time: str = ""

    def to_domain(self) -> model.Condition:
        """Return the domain's record. Thousands of apps have the same few texts, so each text is kept once."""
        return model.Condition(
            type=shared(self.type),
            status=shared(self.status),
            reason=shared(self.reason),
            message=shared(self.message),
            observed_generation=self.observed_generation,
            last_transition_time=shared(self.last_transition_time),
        )


class _RouteStatus(ApiStruct):
    kind: str = ""
    name: str = ""
    host: str = ""
    path: str = ""
    path_type: str = ""
    rewrite: str = ""
    namespace: str = ""


class _WorkloadStatus(ApiStruct, omit_defaults=True):
    kind: str = ""
    name: str = ""
    container: str = ""
    port: int | None = None
    written_uid: str = field(default="", name="writtenUID")


class _AppStatus(ApiStruct):
    observed_generation: int = 0
    root_path: str | None = None
    parent_root_path: str | None = None
    kept: bool = False
    url: str | None = None
    web_socket_url: str | None = field(default=None, name="webSocketURL")
    verified_url: str | None = field(default=None, name="verifiedURL")
    route: _RouteStatus | None = None
    workload: _WorkloadStatus | None = None
    conditions: list[_Condition] = field(default_factory=list)


class _AppMeta(Identity):
    """The identity, and the metadata that has owners in ``managedFields``.

    ``PUT`` of a status sends this metadata back. Without it, other managers would lose their ownership: the API server
    removes the owners of missing fields (structured-merge-diff, ``Updater.Update``) before it restores the metadata.
    """

    generate_name: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    finalizers: list[str] = field(default_factory=list)
    owner_references: list[dict[str, Any]] = field(default_factory=list)

    def preserved(self) -> bytes:
        """Return the metadata that has owners as JSON: a dict for each app would take four times the space."""
        return msgspec.json.encode({key: value for name, key in _OWNED if (value := getattr(self, name))})


#: (field, JSON name) of the metadata beside the identity.
_OWNED = tuple(zip(_AppMeta.__struct_fields__, _AppMeta.__struct_encode_fields__, strict=True))[
    len(Identity.__struct_fields__) :
]


class ChainlitApp(ApiStruct):
    """A ChainlitApp."""

    metadata: _AppMeta
    spec: _AppSpec = field(default_factory=_AppSpec)
    status: _AppStatus = field(default_factory=_AppStatus)

    def to_domain(self) -> model.App:
        """Return the domain's record of it."""
        meta, spec = self.metadata, self.spec
        return model.App(
            ref=Ref(APP_KIND, meta.namespace, meta.name),
            uid=meta.uid,
            resource_version=meta.resource_version,
            generation=meta.generation,
            created=meta.creation_timestamp or "",
            spec=model.AppSpec(
                **_workload_fields(spec.workload, meta.name),
                **_route_fields(spec.route, meta.name),
                url=spec.route.url,
                backend_path=None if spec.route.backend_path is None else normalise(spec.route.backend_path),
                rewrite=spec.route.rewrite,
                affinity=spec.route.affinity,
                verification=spec.verification.mode,
                interval_seconds=spec.verification.interval_seconds,
                suspend=spec.suspend,
                mount_path=normalise(spec.mount_path),
            ),
            status=_status_to_domain(self.status),
            is_terminating=bool(meta.deletion_timestamp),
            preserved_metadata=meta.preserved(),
        )


def _workload_fields(spec: _WorkloadSpec, name: str) -> dict[str, Any]:
    """The fields about the workload; a created workload has the app's own name."""
    if spec.template is not None:
        names = {"workload_kind": "Deployment", "workload_name": name, "container": CONTAINER}
        return {**names, "template": spec.template}
    ref = spec.ref
    return {"workload_kind": ref.kind, "workload_name": ref.name, "container": ref.container, "port": ref.port or None}


def _route_fields(spec: _RouteSpec, name: str) -> dict[str, Any]:
    """The fields about the route, if the spec names or describes one; a created route has the app's own name."""
    if spec.ingress is not None:
        return {"route_kind": "Ingress", "route_name": name, "ingress": spec.ingress.to_domain()}
    if spec.gateway is not None:
        return {"route_kind": "HTTPRoute", "route_name": name, "gateway": spec.gateway.to_domain()}
    if spec.ref is None:
        return {}
    return {"route_kind": spec.ref.kind, "route_name": spec.ref.name, "route_namespace": spec.ref.namespace}


def _status_to_domain(status: _AppStatus) -> model.Status:
    return model.Status(
        observed_generation=status.observed_generation,
        root_path=status.root_path,
        parent_root_path=status.parent_root_path,
        kept=status.kept,
        url=status.url,
        web_socket_url=status.web_socket_url,
        verified_url=status.verified_url,
        route=model.RouteStatus(**msgspec.structs.asdict(status.route)) if status.route else None,
        workload=model.WorkloadStatus(**msgspec.structs.asdict(status.workload)) if status.workload else None,
        conditions=tuple(condition.to_domain() for condition in status.conditions),
    )


def encode_status(app: model.App, status: model.Status) -> dict[str, Any]:
    """Return the request body that replaces the status of this version of ``app``.

    It has no spec: a write of the status does not change the owners of the spec while the API has one version.
    """
    fields: dict[str, Any] = msgspec.to_builtins(msgspec.convert(status, _AppStatus, from_attributes=True))
    return {
        "apiVersion": KIND.api_version,
        "kind": app.ref.kind,
        "metadata": {
            **msgspec.json.decode(app.preserved_metadata),
            "name": app.ref.name,
            "namespace": app.ref.namespace,
            "uid": app.uid,
            "resourceVersion": app.resource_version,
        },
        "status": {name: value for name, value in fields.items() if value is not None and value is not False},
    }


_decode = decoder(ChainlitApp)


def app_from_json(raw: Raw) -> model.App:
    """Return the ChainlitApp of a JSON document; raises msgspec.DecodeError for another shape."""
    return _decode(raw).to_domain()


def app_from_object(body: Any) -> model.App:
    """Return the ChainlitApp of a decoded object (a mapping); raises msgspec.ValidationError for another shape."""
    return msgspec.convert(body, ChainlitApp).to_domain()
