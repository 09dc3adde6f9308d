"""The ChainlitApp: its spec with the defaults of the schema, and its status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chainlit_operator.object_ref import Ref


class Rewrite(StrEnum):
    """``spec.route.rewrite``: the effect of the route on the path, for routes whose effect the operator cannot see."""

    AUTO = "Auto"
    NONE = "None"
    STRIP = "Strip"


class Affinity(StrEnum):
    """``spec.route.affinity``: whether the operator judges session affinity by the objects that it reads."""

    AUTO = "Auto"
    EXTERNAL = "External"


class VerificationMode(StrEnum):
    """``spec.verification.mode``: whether the WebSocket is verified, and through the Service or at the public URL."""

    AUTO = "Auto"
    BACKEND = "Backend"
    EDGE = "Edge"
    DISABLED = "Disabled"


@dataclass(frozen=True, slots=True)
class Condition:
    """One entry of ``status.conditions`` (metav1.Condition)."""

    type: str
    status: str
    reason: str
    message: str
    observed_generation: int = 0
    last_transition_time: str = ""

    def dated(self, generation: int, since: str) -> Condition:
        """Return the condition as observed at a generation of the app, with the time of its last transition."""
        return Condition(self.type, self.status, self.reason, self.message, generation, since)


@dataclass(frozen=True, slots=True)
class RouteStatus:
    """``status.route``: the route in use, with the path as the route spells it.

    Kind and name are empty where ``spec.route.url`` alone states the route. ``namespace`` is empty for that of the app.
    """

    kind: str
    name: str
    host: str
    path: str
    path_type: str
    rewrite: str
    namespace: str = ""

    @property
    def shown(self) -> str:
        """Kind and name, for a message."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    def ref(self, app: Ref) -> Ref:
        """Return the route of that app."""
        return Ref(self.kind, self.namespace or app.namespace, self.name)


@dataclass(frozen=True, slots=True)
class WorkloadStatus:
    """``status.workload``: the container that carries the variable, and Chainlit's port if only pods could tell it.

    ``written_uid`` is the uid of the workload that the operator has written to by a patch, empty for none: its managed
    fields cannot tell.
    """

    kind: str
    name: str
    container: str
    port: int | None = None
    written_uid: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """The whole ``status`` of a ChainlitApp, None where a field is absent.

    ``kept`` says that the root paths are values that the pods had at adoption, while ``route`` was what it is.
    """

    observed_generation: int = 0
    root_path: str | None = None
    parent_root_path: str | None = None
    kept: bool = False
    url: str | None = None
    web_socket_url: str | None = None
    verified_url: str | None = None
    """The URL at which the app was reached: an edge that no longer answers there is a fault in mode Auto."""
    route: RouteStatus | None = None
    workload: WorkloadStatus | None = None
    conditions: tuple[Condition, ...] = ()

    def condition(self, type_: str) -> Condition | None:
        """Return the condition of that type, or None."""
        return next((c for c in self.conditions if c.type == type_), None)


@dataclass(frozen=True, slots=True)
class NewIngress:
    """``spec.route.ingress``: an Ingress to be created."""

    path: str = "/"
    path_type: str = "Prefix"
    host: str = ""
    class_name: str = ""
    tls: tuple[Mapping[str, Any], ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewGateway:
    """``spec.route.gateway``: an HTTPRoute to be created."""

    parent_refs: tuple[Mapping[str, Any], ...] = ()
    hostnames: tuple[str, ...] = ()
    path: str = "/"
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AppSpec:
    """The ``spec`` of a ChainlitApp with the schema's defaults applied.

    Kind and name of workload and route are also set for created ones, which ``template``, ``ingress`` and ``gateway``
    describe.
    """

    workload_kind: str
    workload_name: str
    container: str | None = None
    port: int | str | None = None
    """``spec.workload.ref.port``: number or name of the container port that Chainlit listens on; None if not stated."""
    route_kind: str | None = None
    route_name: str | None = None
    route_namespace: str = ""
    """``spec.route.ref.namespace``; empty for the namespace of the app."""
    url: str = ""
    """``spec.route.url``, the URL that browsers open; empty if it is not stated."""
    backend_path: str | None = None
    """``spec.route.backendPath``, what arrives of that URL's path, in normal form; None if it is not stated."""
    rewrite: Rewrite = Rewrite.AUTO
    affinity: Affinity = Affinity.AUTO
    verification: VerificationMode = VerificationMode.AUTO
    interval_seconds: int = 60
    suspend: bool = False
    mount_path: str = ""
    """The prefix at which another app mounts Chainlit; empty if Chainlit is the whole app."""
    template: Mapping[str, Any] | None = None
    ingress: NewIngress | None = None
    gateway: NewGateway | None = None

    @property
    def creates_route(self) -> bool:
        """Whether the operator creates the route."""
        return self.ingress is not None or self.gateway is not None


@dataclass(frozen=True, slots=True)
class App:
    """A ChainlitApp."""

    ref: Ref
    uid: str
    resource_version: str = field(compare=False)
    generation: int
    created: str
    spec: AppSpec
    status: Status = Status()
    is_terminating: bool = False
    #: Metadata that must be sent back with a status, encoded: omitting it would drop other managers' ownership.
    preserved_metadata: bytes = field(default=b"{}", compare=False)

    @property
    def workload(self) -> Ref:
        """The workload that the app names; it need not exist."""
        return Ref(self.spec.workload_kind, self.ref.namespace, self.spec.workload_name)

    @property
    def route(self) -> Ref | None:
        """The route that the app names; None if the operator must discover it."""
        if self.spec.route_kind is None or self.spec.route_name is None:
            return None
        return Ref(self.spec.route_kind, self.spec.route_namespace or self.ref.namespace, self.spec.route_name)
