"""What the operator knows of the cluster: frozen records holding only the fields that decisions read.

The engine fills them from API objects (``engine/wire.py``); nothing here knows JSON or the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chainlit_operator.domain.desired.drift import OwnedState
from chainlit_operator.domain.rewrites import Transform
from chainlit_operator.object_ref import Ref

Labels = tuple[tuple[str, str], ...]
"""Label pairs in key order; hashable, unlike a dict."""


class Rewrite(StrEnum):
    """``spec.route.rewrite``: what the route does to the path, where that cannot be seen from the route itself."""

    AUTO = "Auto"
    NONE = "None"
    STRIP = "Strip"


class VerificationMode(StrEnum):
    """``spec.verification.mode``: through what the WebSocket is verified, if at all."""

    BACKEND = "Backend"
    EDGE = "Edge"
    DISABLED = "Disabled"


# ---------------------------------------------------------------------------------------------------- ChainlitApp


@dataclass(frozen=True, slots=True)
class Condition:
    """One entry of ``status.conditions`` (metav1.Condition)."""

    type: str
    status: str
    reason: str
    message: str
    observed_generation: int = 0
    last_transition_time: str = ""


@dataclass(frozen=True, slots=True)
class RouteStatus:
    """``status.route``: the route in use, with the path as the route spells it."""

    kind: str
    name: str
    host: str
    path: str
    path_type: str
    rewrite: str


@dataclass(frozen=True, slots=True)
class WorkloadStatus:
    """``status.workload``: the container that carries the variable."""

    kind: str
    name: str
    container: str


class TrialOutcome(StrEnum):
    """``status.trial.outcome``."""

    PENDING = "Pending"
    WORKS = "Works"
    FAILS = "Fails"


@dataclass(frozen=True, slots=True)
class Trial:
    """``status.trial``: whether an image wants variables that only some apps want (``domain/trials.py``)."""

    image: str
    outcome: TrialOutcome


@dataclass(frozen=True, slots=True)
class Status:
    """The whole ``status`` of a ChainlitApp, None where a field is absent."""

    observed_generation: int = 0
    root_path: str | None = None
    parent_root_path: str | None = None
    url: str | None = None
    web_socket_url: str | None = None
    route: RouteStatus | None = None
    workload: WorkloadStatus | None = None
    trial: Trial | None = None
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

    Workload and route are also named where they are created, as ``template``, ``ingress`` and ``gateway`` say.
    """

    workload_kind: str
    workload_name: str
    container: str | None = None
    route_kind: str | None = None
    route_name: str | None = None
    rewrite: Rewrite = Rewrite.AUTO
    verification: VerificationMode = VerificationMode.BACKEND
    interval_seconds: int = 60
    suspend: bool = False
    mount_path: str = ""
    """Where Chainlit is mounted in another app, as a prefix; empty where it is the whole app."""
    template: Mapping[str, Any] | None = None
    ingress: NewIngress | None = None
    gateway: NewGateway | None = None

    @property
    def creates_route(self) -> bool:
        """Whether the route is the operator's to create."""
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
    #: The part of its metadata that others own, encoded: not for decisions, but to go back with a status.
    kept: bytes = field(default=b"{}", compare=False)

    @property
    def workload(self) -> Ref:
        """The workload that it names, whether or not that exists."""
        return Ref(self.spec.workload_kind, self.ref.namespace, self.spec.workload_name)

    @property
    def route(self) -> Ref | None:
        """The route that it names; None where it is to be discovered."""
        if self.spec.route_kind is None or self.spec.route_name is None:
            return None
        return Ref(self.spec.route_kind, self.ref.namespace, self.spec.route_name)


# ------------------------------------------------------------------------------------------------------- workload


@dataclass(frozen=True, slots=True)
class Variable:
    """An entry of a container's ``env``; ``value`` is None where it comes from elsewhere (``valueFrom``)."""

    value: str | None


@dataclass(frozen=True, slots=True)
class Probe:
    """An HTTP probe of a container: its field name, path, and port by number or name."""

    field: str
    path: str
    port: int | str


@dataclass(frozen=True, slots=True)
class Container:
    """What decides about a container: its two variables, its HTTP probes, and how it is started."""

    name: str
    image: str = ""
    ports: tuple[tuple[str, int], ...] = ()
    root_path: Variable | None = None
    parent_root_path: Variable | None = None
    probes: tuple[Probe, ...] = ()
    has_env_from: bool = False
    has_root_path_option: bool = False
    owners: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    """(field, field manager) for each of the two variables and the probes' paths, where it has an owner."""

    def port_number(self, port: int | str) -> int | None:
        """Return the number of a port given by number or name; None for a name that the container does not have."""
        if isinstance(port, int):
            return port
        return next((number for name, number in self.ports if name == port), None)


@dataclass(frozen=True, slots=True)
class Rollout:
    """The counters that tell whether the pods run the template that is written now.

    ``observed_generation`` goes no further than the workload's ``generation``: what counts is whether that was seen.
    ``held`` is the setting by which pods are not replaced until somebody does something, empty where there is none.
    """

    observed_generation: int = 0
    desired: int = 1
    total: int = 0
    updated: int = 0
    available: int = 0
    failure: str = ""
    held: str = ""


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment or StatefulSet.

    ``generation`` is the one since which it has the present pod template, as far as that was seen: the API server
    counts changes of replicas and of a Deployment's annotations too, for which no pod is replaced. ``digests`` are of
    the bytes of its pod template and of the managed fields that this record was made of.
    """

    ref: Ref
    uid: str
    resource_version: str = field(compare=False)
    generation: int
    pod_labels: Labels
    containers: tuple[Container, ...]
    rollout: Rollout = Rollout()
    field_managers: tuple[str, ...] = field(default=(), compare=False)
    """The managers that have an entry in ``metadata.managedFields``, in the list's order."""
    digests: tuple[int, int] = field(default=(0, 0), compare=False)
    owned: OwnedState | None = field(default=None, hash=False)
    has_sidecars: bool = False
    """Whether a container that is started before the others goes on beside them (``restartPolicy: Always``)."""

    @property
    def is_rolled_out(self) -> bool:
        """Whether no pod runs an older template, and one is ready; scaling and lost nodes are no rollout."""
        rollout = self.rollout
        is_current = rollout.observed_generation >= self.generation and rollout.desired > 0
        return is_current and rollout.updated >= max(1, rollout.total) and rollout.available >= 1


# ---------------------------------------------------------------------------------------------- Service and route


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port of a Service; ``target`` is a number, a container port's name, or None for the same number."""

    name: str
    port: int
    target: int | str | None = None

    def matches(self, port: int | str) -> bool:
        """Whether a route that says ``port``, by number or name, means this one."""
        return port in (self.port, self.name)


@dataclass(frozen=True, slots=True)
class Service:
    """A Service; ``cluster_ip`` is empty where it has none (headless, ExternalName)."""

    ref: Ref
    resource_version: str = field(compare=False)
    selector: Labels
    type: str = "ClusterIP"
    cluster_ip: str = ""
    ports: tuple[ServicePort, ...] = ()
    owned: OwnedState | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A ServiceAccount, of which nothing matters but that it is there, and whose it is."""

    ref: Ref
    resource_version: str = field(compare=False)
    owned: OwnedState | None = field(default=None, hash=False)


class Matching(StrEnum):
    """How a route compares a request's path with its own."""

    PREFIX = "prefix"
    EXACT = "exact"
    REGULAR_EXPRESSION = "regular expression"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RoutePath:
    """One path of a route with the Service behind it (``""``: none, or a redirect).

    ``path_type`` is the route's own word for ``matching``. ``condition`` says what else a request must have (``""`` for
    nothing), ``others`` name all Services that share the requests, ``middlewares`` name Traefik Middlewares as
    ``namespace-name``; they come after ``transforms``. ``refuses_web_socket`` says that the edge answers upgrades there
    with 403, which Contour does unless told otherwise.
    """

    host: str
    path: str
    path_type: str
    service: str
    port: int | str
    matching: Matching = Matching.PREFIX
    transforms: tuple[Transform, ...] = ()
    middlewares: tuple[str, ...] = ()
    condition: str = ""
    others: tuple[str, ...] = ()
    refuses_web_socket: bool = False


@dataclass(frozen=True, slots=True)
class Parent:
    """A Gateway that an HTTPRoute attaches to; ``section`` and ``port`` narrow its listeners down, if set."""

    gateway: Ref
    section: str = ""
    port: int = 0


@dataclass(frozen=True, slots=True)
class Listener:
    """A listener of a Gateway; ``hostname`` empty means any."""

    name: str
    port: int
    protocol: str
    hostname: str = ""

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach it by https."""
        return self.protocol == "HTTPS"


@dataclass(frozen=True, slots=True)
class Gateway:
    """A Gateway; ``address`` is where it is served, for routes without a host."""

    ref: Ref
    resource_version: str = field(compare=False)
    listeners: tuple[Listener, ...]
    address: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """An Ingress or HTTPRoute.

    ``refusal`` says why no controller serves it, where one says so; ``is_canary`` that it stands beside another route
    of the same path on purpose; ``address`` is where it is served if its paths name no host. ``strangers`` names
    backends that are no Services of its namespace, which are not followed.
    """

    ref: Ref
    resource_version: str = field(compare=False)
    paths: tuple[RoutePath, ...]
    tls_hosts: frozenset[str] = frozenset()
    address: str = ""
    refusal: str = ""
    parents: tuple[Parent, ...] = ()
    ingress_class: str = ""
    strangers: tuple[str, ...] = ()
    is_canary: bool = False
    owned: OwnedState | None = field(default=None, hash=False)

    @property
    def services(self) -> frozenset[str]:
        """Names of the Services that it sends requests to."""
        return frozenset(path.service for path in self.paths if path.service)

    @property
    def has_middlewares(self) -> bool:
        """Whether a decision about it reads Middlewares."""
        return any(path.middlewares for path in self.paths)


@dataclass(frozen=True, slots=True)
class Middleware:
    """A Traefik Middleware: what it does to a path, and for a chain, what it is made of (``namespace-name``)."""

    ref: Ref
    resource_version: str = field(compare=False)
    transforms: tuple[Transform, ...] = ()
    chain: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name that routes use: ``namespace-name``."""
        return f"{self.ref.namespace}-{self.ref.name}"


WatchedObject = Workload | Service | ServiceAccount | Route | Middleware | Gateway
"""An object that is not ours: read, and for workloads two variables and probe paths written.

Unless it is ``owned``: then a ChainlitApp created it, and the operator keeps the whole of it."""
CreatableObject = Workload | Service | ServiceAccount | Route
"""An object of a kind that the operator creates."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another app, of another workload, with the path of a route that meets this one's at an edge."""

    ref: Ref
    created: str
    route: Ref
    path: RoutePath


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that one decision about one app reads.

    ``services`` are those of the namespace whose selector matches the workload's pods; ``routes`` the one that the app
    names or, in discovery, those that send requests to such a Service, by name. ``missing_services`` are names that a
    route refers to without such a Service existing, where ``services`` are none; ``middlewares`` those that the routes
    use, by key, and ``gateways`` those that they attach to. ``neighbours`` are other apps at the same places, or at
    Chainlit's own routes below them, oldest first. ``taken`` are objects in the place of those that the app has
    created, which are not its own. ``claimed_by`` is an older app of the same workload; ``contested_by`` the field
    manager that keeps setting the variable back.
    """

    app: App
    workload: Workload | None
    services: tuple[Service, ...] = ()
    routes: tuple[Route, ...] = ()
    middlewares: tuple[Middleware, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    missing_services: frozenset[str] = field(default_factory=frozenset)
    neighbours: tuple[Neighbour, ...] = ()
    taken: tuple[Ref, ...] = ()
    claimed_by: str = ""
    contested_by: str = ""
