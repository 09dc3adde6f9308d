"""API objects as JSON, pruned: bytes become domain records in one pass, and nothing else of the object exists.

The structs name only the fields that decisions read; msgspec skips the rest of the document without building it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

from chainlit_operator.domain import model
from chainlit_operator.domain.plan import PARENT_ROOT_PATH, ROOT_PATH

T = TypeVar("T")

VARIABLES = (ROOT_PATH, PARENT_ROOT_PATH)
_PROBES = {
    "startupProbe": "startup_probe",
    "livenessProbe": "liveness_probe",
    "readinessProbe": "readiness_probe",
}


class _Wire(Struct, rename="camel"):
    """Base of all: camelCase in JSON, unknown fields skipped."""


class Meta(_Wire):
    """ObjectMeta."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str = ""


class ListMeta(_Wire):
    """ListMeta; ``continue_`` is the token of the next page."""

    resource_version: str = ""
    continue_: str = field(default="", name="continue")


class Page(_Wire):
    """One page of a list, its items not decoded yet, so that a strange one costs only itself."""

    metadata: ListMeta = field(default_factory=ListMeta)
    items: list[msgspec.Raw] | None = None


class Event(_Wire):
    """One line of a watch, its object not decoded yet."""

    type: str
    object: msgspec.Raw


class ErrorStatus(_Wire):
    """metav1.Status, the body of every error."""

    code: int = 0
    reason: str = ""
    message: str = ""


class Bookmark(_Wire):
    """Any object of which only the metadata is wanted."""

    metadata: Meta = field(default_factory=Meta)


# ---------------------------------------------------------------------------------------------------- ChainlitApp


class _WorkloadRef(_Wire):
    kind: str = "Deployment"
    name: str = ""
    container: str | None = None


class _WorkloadSpec(_Wire):
    ref: _WorkloadRef = field(default_factory=_WorkloadRef)


class _RouteRef(_Wire):
    kind: str = "Ingress"
    name: str = ""


class _RouteSpec(_Wire):
    ref: _RouteRef | None = None
    rewrite: model.Rewrite = model.Rewrite.AUTO


class _VerificationSpec(_Wire):
    mode: model.VerificationMode = model.VerificationMode.BACKEND
    interval_seconds: int = 60


class _AppSpec(_Wire):
    workload: _WorkloadSpec = field(default_factory=_WorkloadSpec)
    route: _RouteSpec = field(default_factory=_RouteSpec)
    verification: _VerificationSpec = field(default_factory=_VerificationSpec)
    suspend: bool = False


class _Condition(_Wire, omit_defaults=True):
    type: str
    status: str
    reason: str = ""
    message: str = ""
    observed_generation: int = 0
    last_transition_time: str = ""


class _RouteStatus(_Wire):
    kind: str = ""
    name: str = ""
    host: str = ""
    path: str = ""
    path_type: str = ""
    rewrite: str = ""


class _WorkloadStatus(_Wire):
    kind: str = ""
    name: str = ""
    container: str = ""


class _AppStatus(_Wire):
    observed_generation: int = 0
    root_path: str | None = None
    parent_root_path: str | None = None
    url: str | None = None
    web_socket_url: str | None = field(default=None, name="webSocketURL")
    route: _RouteStatus | None = None
    workload: _WorkloadStatus | None = None
    conditions: list[_Condition] = field(default_factory=list)


class ChainlitApp(_Wire):
    """A ChainlitApp."""

    metadata: Meta
    spec: _AppSpec = field(default_factory=_AppSpec)
    status: _AppStatus = field(default_factory=_AppStatus)

    def to_domain(self) -> model.App:
        """Return the domain's record of it."""
        meta, spec = self.metadata, self.spec
        route = spec.route.ref
        return model.App(
            ref=model.Ref("ChainlitApp", meta.namespace, meta.name),
            uid=meta.uid,
            resource_version=meta.resource_version,
            generation=meta.generation,
            created=meta.creation_timestamp,
            spec=model.AppSpec(
                workload_kind=spec.workload.ref.kind,
                workload_name=spec.workload.ref.name,
                container=spec.workload.ref.container,
                route_kind=route.kind if route else None,
                route_name=route.name if route else None,
                rewrite=spec.route.rewrite,
                verification=spec.verification.mode,
                interval_seconds=spec.verification.interval_seconds,
                suspend=spec.suspend,
            ),
            status=_status_to_domain(self.status),
        )


def _status_to_domain(status: _AppStatus) -> model.Status:
    return model.Status(
        observed_generation=status.observed_generation,
        root_path=status.root_path,
        parent_root_path=status.parent_root_path,
        url=status.url,
        web_socket_url=status.web_socket_url,
        route=model.RouteStatus(**msgspec.structs.asdict(status.route)) if status.route else None,
        workload=model.WorkloadStatus(**msgspec.structs.asdict(status.workload)) if status.workload else None,
        conditions=tuple(model.Condition(**msgspec.structs.asdict(c)) for c in status.conditions),
    )


def status_to_wire(status: model.Status) -> dict[str, Any]:
    """Return ``status`` for a merge patch: every field is there, null where it is absent."""
    fields: dict[str, Any] = msgspec.to_builtins(msgspec.convert(status, _AppStatus, from_attributes=True))
    return fields


# ------------------------------------------------------------------------------------------------------- workload


class _Anything(_Wire):
    """An object of which only the presence matters."""


class _OwnedPath(Struct, rename={"path": "f:path"}):
    path: _Anything | None = None


class _OwnedProbe(Struct, rename={"http_get": "f:httpGet"}):
    http_get: _OwnedPath = field(default_factory=_OwnedPath)


_OWNED_FIELDS = {
    "env": "f:env",
    "startup_probe": "f:startupProbe",
    "liveness_probe": "f:livenessProbe",
    "readiness_probe": "f:readinessProbe",
}


class _OwnedVariable(Struct, rename={"value": "f:value", "value_from": "f:valueFrom"}):
    value: _Anything | None = None
    value_from: _Anything | None = None


class _OwnedContainer(Struct, rename=_OWNED_FIELDS):
    env: dict[str, _OwnedVariable] = field(default_factory=dict)
    startup_probe: _OwnedProbe = field(default_factory=_OwnedProbe)
    liveness_probe: _OwnedProbe = field(default_factory=_OwnedProbe)
    readiness_probe: _OwnedProbe = field(default_factory=_OwnedProbe)

    def fields(self) -> Iterator[str]:
        for name in VARIABLES:
            variable = self.env.get(f'k:{{"name":"{name}"}}')
            if variable is not None and (variable.value is not None or variable.value_from is not None):
                yield name
        for name, attribute in _PROBES.items():
            probe: _OwnedProbe = getattr(self, attribute)
            if probe.http_get.path is not None:
                yield name


class _OwnedPodSpec(Struct, rename={"containers": "f:containers"}):
    containers: dict[str, _OwnedContainer] = field(default_factory=dict)


class _OwnedTemplate(Struct, rename={"spec": "f:spec"}):
    spec: _OwnedPodSpec = field(default_factory=_OwnedPodSpec)


class _OwnedSpec(Struct, rename={"template": "f:template"}):
    template: _OwnedTemplate = field(default_factory=_OwnedTemplate)


class _Owned(Struct, rename={"spec": "f:spec"}):
    spec: _OwnedSpec = field(default_factory=_OwnedSpec)


class _ManagedFields(_Wire):
    """One entry of ``metadata.managedFields``: the path to our fields in ``fieldsV1`` and nothing beside it."""

    manager: str = ""
    fields_v1: _Owned = field(default_factory=_Owned, name="fieldsV1")


class _WorkloadMeta(Meta):
    managed_fields: list[_ManagedFields] = field(default_factory=list)

    def owners(self, container: str) -> tuple[tuple[str, str], ...]:
        key = f'k:{{"name":"{container}"}}'
        return tuple(
            (name, sys.intern(entry.manager))
            for entry in self.managed_fields
            if (owned := entry.fields_v1.spec.template.spec.containers.get(key)) is not None
            for name in owned.fields()
        )


class _ContainerPort(_Wire):
    container_port: int
    name: str = ""


class _EnvVar(_Wire):
    name: str
    value: str = ""
    value_from: _Anything | None = None


class _HttpGet(_Wire):
    port: int | str
    path: str = "/"


class _Probe(_Wire):
    http_get: _HttpGet | None = None


class _Container(_Wire):
    name: str
    image: str = ""
    command: list[str] = field(default_factory=list)
    args: list[str] = field(default_factory=list)
    ports: list[_ContainerPort] = field(default_factory=list)
    env: list[_EnvVar] = field(default_factory=list)
    env_from: list[_Anything] = field(default_factory=list)
    startup_probe: _Probe | None = None
    liveness_probe: _Probe | None = None
    readiness_probe: _Probe | None = None

    def to_domain(self, owners: tuple[tuple[str, str], ...]) -> model.Container:
        variables = {
            env.name: model.Variable(env.value if env.value_from is None else None)
            for env in self.env
            if env.name in VARIABLES
        }
        probes: dict[str, _Probe | None] = {name: getattr(self, attribute) for name, attribute in _PROBES.items()}
        return model.Container(
            name=self.name,
            image=self.image,
            ports=tuple((port.name, port.container_port) for port in self.ports),
            root_path=variables.get(ROOT_PATH),
            parent_root_path=variables.get(PARENT_ROOT_PATH),
            probes=tuple(
                model.Probe(name, probe.http_get.path, probe.http_get.port)
                for name, probe in probes.items()
                if probe is not None and probe.http_get is not None
            ),
            has_env_from=bool(self.env_from),
            has_root_path_option=any("--root-path" in word for word in (*self.command, *self.args)),
            owners=owners,
        )


class _PodMeta(_Wire):
    labels: dict[str, str] = field(default_factory=dict)


class _PodSpec(_Wire):
    containers: list[_Container] = field(default_factory=list)


class _PodTemplate(_Wire):
    metadata: _PodMeta = field(default_factory=_PodMeta)
    spec: _PodSpec = field(default_factory=_PodSpec)


class _WorkloadSpecOfPods(_Wire):
    template: _PodTemplate = field(default_factory=_PodTemplate)
    replicas: int = 1


class _WorkloadCondition(_Wire):
    type: str
    status: str
    reason: str = ""
    message: str = ""


class _PodCounters(_Wire):
    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    available_replicas: int = 0
    conditions: list[_WorkloadCondition] = field(default_factory=list)


class _Workload(_Wire):
    metadata: _WorkloadMeta
    spec: _WorkloadSpecOfPods = field(default_factory=_WorkloadSpecOfPods)
    status: _PodCounters = field(default_factory=_PodCounters)

    def _to_domain(self, kind: str) -> model.Workload:
        meta, template = self.metadata, self.spec.template
        return model.Workload(
            ref=model.Ref(kind, meta.namespace, meta.name),
            uid=meta.uid,
            resource_version=meta.resource_version,
            generation=meta.generation,
            pod_labels=_pairs(template.metadata.labels),
            containers=tuple(c.to_domain(meta.owners(c.name)) for c in template.spec.containers),
            rollout=self._rollout(),
        )

    def _rollout(self) -> model.Rollout:
        status = self.status
        failed = [c.message for c in status.conditions if c.reason == "ProgressDeadlineExceeded"]
        return model.Rollout(
            observed_generation=status.observed_generation,
            desired=self.spec.replicas,
            total=status.replicas,
            updated=status.updated_replicas,
            available=status.available_replicas,
            failure=failed[0] if failed else "",
        )


class Deployment(_Workload):
    """A Deployment."""

    def to_domain(self) -> model.Workload:
        """Return the domain's record of it."""
        return self._to_domain("Deployment")


class StatefulSet(_Workload):
    """A StatefulSet."""

    def to_domain(self) -> model.Workload:
        """Return the domain's record of it."""
        return self._to_domain("StatefulSet")


# ---------------------------------------------------------------------------------------------- Service and route


class _ServicePort(_Wire):
    port: int
    name: str = ""
    target_port: int | str | None = None


class _ServiceSpec(_Wire):
    selector: dict[str, str] = field(default_factory=dict)
    type: str = "ClusterIP"
    cluster_ip: str = field(default="", name="clusterIP")
    ports: list[_ServicePort] = field(default_factory=list)


class Service(_Wire):
    """A Service."""

    metadata: Meta
    spec: _ServiceSpec = field(default_factory=_ServiceSpec)

    def to_domain(self) -> model.Service:
        """Return the domain's record of it."""
        meta, spec = self.metadata, self.spec
        return model.Service(
            ref=model.Ref("Service", meta.namespace, meta.name),
            resource_version=meta.resource_version,
            selector=_pairs(spec.selector),
            type=spec.type,
            cluster_ip=spec.cluster_ip,
            ports=tuple(model.ServicePort(port.name, port.port, port.target_port) for port in spec.ports),
        )


class _Port(_Wire):
    name: str = ""
    number: int = 0


class _BackendService(_Wire):
    name: str
    port: _Port = field(default_factory=_Port)


class _Backend(_Wire):
    service: _BackendService | None = None


class _HttpPath(_Wire):
    backend: _Backend
    path: str = ""
    path_type: str = "ImplementationSpecific"


class _Http(_Wire):
    paths: list[_HttpPath] = field(default_factory=list)


class _Rule(_Wire):
    host: str = ""
    http: _Http = field(default_factory=_Http)


class _Tls(_Wire):
    hosts: list[str] = field(default_factory=list)


class _IngressSpec(_Wire):
    ingress_class_name: str = ""
    default_backend: _Backend | None = None
    rules: list[_Rule] = field(default_factory=list)
    tls: list[_Tls] = field(default_factory=list)


_REWRITE_ANNOTATIONS = {
    "traefik": "traefik.ingress.kubernetes.io/router.middlewares",
    "nginx": "nginx.ingress.kubernetes.io/rewrite-target",
    "nginx_regex": "nginx.ingress.kubernetes.io/use-regex",
    "nginx_inc": "nginx.org/rewrites",
    "nginx_inc_target": "nginx.org/rewrite-target",
    "nginx_inc_regex": "nginx.org/path-regex",
    "haproxy_ingress": "haproxy-ingress.github.io/rewrite-target",
    "haproxy": "haproxy.org/path-rewrite",
    "kong": "konghq.com/strip-path",
    "kong_rewrite": "konghq.com/rewrite",
    "agic": "appgw.ingress.kubernetes.io/backend-path-prefix",
}


class _IngressAnnotations(Struct, rename=_REWRITE_ANNOTATIONS):
    """The annotations of ingress controllers that change a path; all others are skipped."""

    traefik: str | None = None
    nginx: str | None = None
    nginx_regex: str | None = None
    nginx_inc: str | None = None
    nginx_inc_target: str | None = None
    nginx_inc_regex: str | None = None
    haproxy_ingress: str | None = None
    haproxy: str | None = None
    kong: str | None = None
    kong_rewrite: str | None = None
    agic: str | None = None

    def present(self) -> model.Labels:
        values = ((name, getattr(self, attribute)) for attribute, name in _REWRITE_ANNOTATIONS.items())
        return tuple((name, value) for name, value in values if value and value != "false")


class _IngressMeta(Meta):
    annotations: _IngressAnnotations = field(default_factory=_IngressAnnotations)


class _LoadBalancerAddress(_Wire):
    ip: str = ""
    hostname: str = ""


class _LoadBalancer(_Wire):
    ingress: list[_LoadBalancerAddress] = field(default_factory=list)


class _IngressStatus(_Wire):
    load_balancer: _LoadBalancer = field(default_factory=_LoadBalancer)


class Ingress(_Wire):
    """An Ingress."""

    metadata: _IngressMeta
    spec: _IngressSpec = field(default_factory=_IngressSpec)
    status: _IngressStatus = field(default_factory=_IngressStatus)

    def to_domain(self) -> model.Ingress:
        """Return the domain's record of it."""
        meta, spec = self.metadata, self.spec
        found = [
            path
            for rule in spec.rules
            for http_path in rule.http.paths
            if (path := _ingress_path(rule.host, http_path.path, http_path.path_type, http_path.backend))
        ]
        if spec.default_backend is not None and not found:
            whole = _ingress_path("", "/", "Prefix", spec.default_backend)
            found = [whole] if whole else []
        address = next((a.hostname or a.ip for a in self.status.load_balancer.ingress), "")
        return model.Ingress(
            ref=model.Ref("Ingress", meta.namespace, meta.name),
            resource_version=meta.resource_version,
            paths=tuple(found),
            class_name=spec.ingress_class_name,
            tls_hosts=frozenset(host for tls in spec.tls for host in (tls.hosts or [""])),
            rewrites=meta.annotations.present(),
            address=f"[{address}]" if ":" in address else address,
        )


def _ingress_path(host: str, path: str, path_type: str, backend: _Backend) -> model.IngressPath | None:
    service = backend.service
    if service is None:  # a resource backend, which no Chainlit app is
        return None
    return model.IngressPath(host, path or "/", path_type, service.name, service.port.name or service.port.number)


def _pairs(labels: dict[str, str]) -> model.Labels:
    return tuple(sorted(labels.items()))


Foreign = Deployment | StatefulSet | Service | Ingress


def decoder(type_: type[T]) -> Callable[[bytes | msgspec.Raw], T]:
    """Return a decoder of single objects of ``type_``; it raises msgspec.DecodeError for anything else."""
    return msgspec.json.Decoder(type_).decode


decode_page = msgspec.json.Decoder(Page).decode
decode_event = msgspec.json.Decoder(Event).decode
decode_error = msgspec.json.Decoder(ErrorStatus).decode
decode_bookmark = msgspec.json.Decoder(Bookmark).decode


def app_from_object(body: Any) -> model.App:
    """Return the ChainlitApp of a decoded object (a mapping); raises msgspec.ValidationError for another shape."""
    return msgspec.convert(body, ChainlitApp).to_domain()
