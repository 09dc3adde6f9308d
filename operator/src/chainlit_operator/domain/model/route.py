"""Routes: the record of an Ingress, an HTTPRoute or any other kind that leads requests to a Service.

No decision depends on the kind of a route. Three fields have the differences between kinds: ``attachments`` (what
serves the route), ``precedence`` (how its edge chooses between two paths) and ``origins`` (where a browser reaches it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from chainlit_operator.domain.desired.drift import OwnedState
from chainlit_operator.domain.expressions import ANY_STYLE, Style
from chainlit_operator.domain.model.affinity import AffinitySetting, ControllerAffinity, Stickiness
from chainlit_operator.domain.model.workload import Labels
from chainlit_operator.domain.rewrites import Transform
from chainlit_operator.domain.route_warnings import RouteWarning
from chainlit_operator.object_ref import Ref


class Matching(StrEnum):
    """How a route compares a request's path with its own."""

    PREFIX = "prefix"
    EXACT = "exact"
    WILDCARD = "wildcard"
    """The whole path, where ``*`` stands for any characters, also ``/`` or none, and ``?`` for one of them."""
    REGULAR_EXPRESSION = "regular expression"
    UNKNOWN = "unknown"


class Precedence(StrEnum):
    """How an edge chooses between two paths that both match a request."""

    LONGEST_TEXT = "longest text"
    """Some controllers compare plain paths by characters; an expression wins by its length, from its beginning."""
    FIRST_MATCH = "first match"
    """The paths are tried in the order of the record."""
    FIRST_TEXT_MATCH = "first text match"
    """They are tried in the order of the record, and plain paths are compared by characters."""
    EXPRESSIONS_FIRST = "expressions first"
    """Exact paths are tried before expressions, and these before plain paths, which are compared by characters; of two
    paths of one sort the longer text wins."""
    LONGEST_SEGMENTS = "longest segments"
    """Plain paths end at a segment boundary; an expression may match anywhere in the path."""


class WebSocketRefusal(NamedTuple):
    """A controller that answers WebSocket upgrades itself, or passes none on; ``remedy`` is a sentence.

    ``status`` is the answer's status, 0 where the answer is the app's own.
    """

    controller: str
    remedy: str
    status: int = 0


class RouteOrder(StrEnum):
    """How an edge chooses between the paths of two routes."""

    OLDEST = "oldest"
    """The longest path wins; of two routes with the same path, the older one."""
    OLDEST_FIRST = "oldest first"
    """All paths of the older route come first, whatever their length; paths for everything come last."""
    LONGEST = "longest"
    """The longest path wins; the winner of two routes with the same path is not known."""
    UNKNOWN = "unknown"
    """Another order, for example one that the routes state themselves."""


class Canary(StrEnum):
    """Whether a route shares the requests of another route with the same path, and by what."""

    NONE = "none"
    BY_REQUEST = "by request"
    """Requests with a certain header or cookie."""
    BY_WEIGHT = "by weight"
    """A share of all requests, chosen at random."""


@dataclass(frozen=True, slots=True)
class RoutePath:
    """One path of a route with the Service behind it (``""``: none, or a redirect).

    ``service`` is a name, for a Service of another namespace ``namespace/name``; :func:`backend_ref` gives the object.
    ``path_type`` is the route's own word for ``matching``. ``condition`` says what else a request must have (``""`` for
    nothing). ``others`` names all Services that share the requests. ``middlewares`` are keys of Traefik Middlewares
    that act after ``transforms``; composing the route replaces them by their transforms. ``web_socket_refusal`` says
    that the edge lets no WebSocket through. ``warnings`` say what else may fail. ``styles`` are the ways in which an
    expression may be compared; each of them counts. ``is_fallback`` says that all other paths win over this one, as
    over the default backend of an Ingress. A path with a higher ``priority`` wins over all with a lower one; 0 where
    the precedence of the route alone decides.

    ``target_port`` is for a route that names a port of the pods in place of a port of the Service: its number, or
    ``ALL_PORTS``. ``port`` is 0 then, which no Service has, until the port of the Service is known.
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
    web_socket_refusal: WebSocketRefusal | None = None
    warnings: tuple[RouteWarning, ...] = ()
    styles: tuple[Style, ...] = ANY_STYLE
    is_fallback: bool = False
    priority: int = 0
    target_port: int | None = None


#: The ``target_port`` of a path whose requests go to all ports of its Service.
ALL_PORTS = 0


class Attachment(NamedTuple):
    """What serves a route: ``group`` names an ingress class or a Gateway, ``section`` and ``port`` select listeners.

    Only routes with attachments that overlap can take requests from each other.
    """

    group: str
    section: str = ""
    port: int = 0

    @property
    def is_ingress_class(self) -> bool:
        """Whether it is an ingress class or, for an Ingress that names none, the lack of it."""
        return self.group.startswith(_INGRESS_CLASS)

    def overlaps(self, other: Attachment) -> bool:
        """Whether one listener serves both attachments."""
        return (
            self.group == other.group
            and (self.section == other.section or not self.section or not other.section)
            and (self.port == other.port or not self.port or not other.port)
        )


_INGRESS_CLASS = "ingress class "
#: Between an ingress class and a part of what it serves, such as one of its load balancers.
PART = ", "


def class_of(attachment: Attachment) -> str:
    """Return the ingress class of an attachment; empty for an Ingress that names none, and for a Gateway."""
    if not attachment.is_ingress_class:
        return ""
    return attachment.group.removeprefix(_INGRESS_CLASS).partition(PART)[0]


def ingress_class(name: str, part: str = "") -> Attachment:
    """Return the attachment of an Ingress of that class; the name is empty for an Ingress that names no class.

    ``part`` names one of its load balancers, where it has several.
    """
    return Attachment(f"{_INGRESS_CLASS}{name}{PART if part else ''}{part}")


class Origin(NamedTuple):
    """Scheme, host and port under which a browser reaches a route.

    ``hosts`` is the host name that the origin serves: a name, ``*.example.com``, or ``""`` for any. ``address`` is the
    host to use for a path that names none; ``""`` where there is none. ``port`` 0 is the scheme's usual port.
    ``is_deep`` says that a wildcard stands for one label or more, as in the Gateway API, and not only for one.
    """

    hosts: str
    is_secure: bool
    port: int = 0
    address: str = ""
    is_deep: bool = False


class Dependency(NamedTuple):
    """An object that takes part in a route: its kind, and the key by which routes of that kind name it."""

    kind: str
    key: str


#: The most routes above an included one. No decision is made about a route that is deeper.
MAX_INCLUDE_DEPTH = 8


def including(route: Ref) -> Dependency:
    """Return the dependency of a route on the routes that include it."""
    return Dependency(route.kind, f"{route.namespace}/{route.name}")


@dataclass(frozen=True, slots=True)
class Route:
    """A route of any kind.

    ``refusal`` says why no controller serves it or why the operator does not read it, and ``refusal_remedy`` what to
    change; both are empty where nothing is wrong. ``canary`` says that another route has the same path on purpose, and
    ``is_sticky`` that the edge keeps each browser on one side of a canary. ``created`` is its time of creation (RFC
    3339), empty for a route that does not exist yet. ``order`` says how its edge chooses between routes.
    ``unsupported_backends`` names backends that are no Services of its namespace, which the operator does not follow.
    ``dependencies`` are the objects that take part in it, such as Gateways. ``includes`` are the routes whose paths are
    below its own, and ``including`` the dependency by which such a route finds it. ``ungranted`` are its Services of
    other namespaces that no ReferenceGrant lets it use; they are known after it is composed.

    ``read_as`` names the controllers whose annotations change its paths, where no class tells which one serves it; so
    the paths are a guess. ``affinity`` has the settings of session affinity in it. ``gateway_classes``, the classes of
    its Gateways, are known after it is composed. ``controllers`` is what may serve it, empty if that is unknown: a kind
    of one controller states it, for others it is known after the route is composed. ``crosses_namespaces`` says that
    its controller sends requests to Services of other namespaces, whether their owners agree or not.
    """

    ref: Ref
    resource_version: str = field(compare=False)
    paths: tuple[RoutePath, ...]
    attachments: tuple[Attachment, ...] = ()
    precedence: Precedence = Precedence.LONGEST_TEXT
    origins: tuple[Origin, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    includes: tuple[Ref, ...] = ()
    refusal: str = ""
    refusal_remedy: str = ""
    unsupported_backends: tuple[str, ...] = ()
    ungranted: frozenset[str] = frozenset()
    read_as: tuple[str, ...] = ()
    affinity: tuple[AffinitySetting, ...] = ()
    gateway_classes: tuple[str, ...] = ()
    controllers: tuple[ControllerAffinity, ...] = ()
    created: str = ""
    order: RouteOrder = RouteOrder.LONGEST
    canary: Canary = Canary.NONE
    is_sticky: bool = False
    crosses_namespaces: bool = False
    owned: OwnedState | None = field(default=None, hash=False)

    @property
    def services(self) -> frozenset[str]:
        """The Services that it sends requests to, as its paths name them."""
        return frozenset(path.service for path in self.paths if path.service)


def backend_ref(namespace: str, service: str) -> Ref:
    """Return the Service that a path names in a route of that namespace."""
    other, _, name = service.rpartition("/")
    return Ref("Service", other or namespace, name)


def backend_name(namespace: str, service: Ref) -> str:
    """Return the name by which paths of routes in that namespace name a Service."""
    return service.name if service.namespace == namespace else f"{service.namespace}/{service.name}"


class AnnotatedRoute(NamedTuple):
    """A route as its kind describes it, with the annotations that its ingress controller has still to interpret."""

    route: Route
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Listener:
    """A listener of a Gateway; ``hostname`` empty means any, and ``namespace`` empty routes of any namespace.

    ``port`` 0 is the usual port of the protocol.
    """

    name: str
    port: int
    protocol: str
    hostname: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A Gateway; ``address`` is where it is served, for routes without a host."""

    ref: Ref
    resource_version: str = field(compare=False)
    listeners: tuple[Listener, ...]
    address: str = ""
    class_name: str = ""

    @property
    def key(self) -> str:
        """The key that routes use: ``namespace/name``."""
        return f"{self.ref.namespace}/{self.ref.name}"


class Balancing(NamedTuple):
    """How requests for one subset and port of a Service are spread over its pods.

    ``subset`` is empty, and ``port`` 0, for all that have no such entry of their own. ``stickiness`` is None where the
    entry says nothing about it. ``cookie_path`` is the path of the cookie that keeps a browser at one pod.
    """

    subset: str
    port: int
    stickiness: Stickiness | None
    cookie_path: str = ""


@dataclass(frozen=True, slots=True)
class DestinationRule:
    """An Istio DestinationRule: how requests are spread over the pods of a host, and the labels of its subsets.

    ``host`` is ``namespace/name`` for a Service of the cluster, else the host name.
    """

    ref: Ref
    resource_version: str = field(compare=False)
    host: str
    balancing: tuple[Balancing, ...] = ()
    subsets: tuple[tuple[str, Labels], ...] = ()

    @property
    def key(self) -> str:
        """The key that routes use: the host."""
        return self.host

    def spreads(self, subset: str, port: int) -> Balancing | None:
        """Return what holds for requests to a subset and a port of the host; None where it says nothing.

        An empty subset is the whole host, port 0 its only port. The entry of a port replaces all that is said for all
        ports, so without a word about spreading its effect is unknown.
        """
        for found in self.balancing:
            if found.subset not in ("", subset) or (port and found.port not in (0, port)):
                continue
            if found.port:
                return found if port and found.stickiness is not None else found._replace(stickiness=Stickiness.UNKNOWN)
            if found.stickiness is not None:
                return found
        return None


@dataclass(frozen=True, slots=True)
class Middleware:
    """A Traefik Middleware: what it does to a path; a chain names its members by their keys instead."""

    ref: Ref
    resource_version: str = field(compare=False)
    transforms: tuple[Transform, ...] = ()
    chain: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The key that routes use: ``namespace-name``; two Middlewares may have one key."""
        return f"{self.ref.namespace}-{self.ref.name}"


@dataclass(frozen=True, slots=True)
class ReferenceGrant:
    """A ReferenceGrant, as far as it concerns routes and Services.

    ``sources`` are kinds and namespaces of the routes that it allows to use ``services`` of its own namespace; an empty
    name stands for all of them.
    """

    ref: Ref
    resource_version: str = field(compare=False)
    sources: tuple[tuple[str, str], ...] = ()
    services: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The key that routes use: its namespace."""
        return self.ref.namespace

    def allows(self, route: Ref, service: Ref) -> bool:
        """Whether the route may use the Service."""
        is_source = (route.kind, route.namespace) in self.sources
        return is_source and self.key == service.namespace and not {"", service.name}.isdisjoint(self.services)


DependencyObject = Gateway | DestinationRule | Middleware | ReferenceGrant
"""An object that takes part in routes."""
Find = Callable[[Dependency], tuple[DependencyObject | Route, ...]]
"""From a dependency to the objects that have its key, or to the routes that include one; none where there are none."""
