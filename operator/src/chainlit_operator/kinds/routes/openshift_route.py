"""Routes of OpenShift as JSON.

The router is HAProxy. It compares ``host(:port)?path(/.*)?``, so a path ends at a segment boundary, and tries the
longest path first (``util.go`` and ``map_paths.go`` of github.com/openshift/router). Of two Routes with one host and
path it serves the older one, and refuses the other in its status (``unique_host.go``). The annotations are in
``ingress_controllers/openshift.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from msgspec import field

from chainlit_operator.domain import model
from chainlit_operator.domain.endpoint import number_of
from chainlit_operator.domain.route_warnings import Advice
from chainlit_operator.kinds.shared.fields import MAX_PATHS, SPLIT_REMEDY, TOO_MANY_PATHS
from chainlit_operator.kinds.shared.kind import AnnotatedMeta, Known, Raw, RouteKind, route_decoder
from chainlit_operator.kube.codec import ApiStruct
from chainlit_operator.object_ref import Ref

#: The router also serves the Ingresses of its class. Where a cluster has several routers, any may serve both.
_ATTACHMENTS = (model.ingress_class("openshift-default"),)
_ENCRYPTED, _PASSED_ON = frozenset({"edge", "reencrypt"}), "passthrough"
_REFUSED_REMEDY = "Change the Route, or the Route that has its host and path."
_PASSTHROUGH = Advice(
    "spec.tls.termination of the Route is passthrough, so the pods must speak TLS. Set it to edge if they do not."
)
_BY_ADDRESS = model.ControllerAffinity(
    title="OpenShift",
    readers=frozenset(),
    # It chooses a pod by the address of the client, unless the settings of the router say otherwise.
    default=model.Stickiness.UNKNOWN,
    remedy="Set spec.tls.termination of {route} to edge: then the router sets a cookie.",
)


class _Backend(ApiStruct):
    kind: str = "Service"
    name: str = ""
    weight: int | None = None

    @property
    def takes_requests(self) -> bool:
        """Whether it gets new requests; without a weight it does."""
        return self.weight is None or self.weight > 0


class _Port(ApiStruct):
    target_port: int | str = ""

    def of_paths(self) -> tuple[int | str, int | None]:
        """Return ``port`` and ``target_port`` of the paths.

        The router compares a text with the names of the Service's ports and a number with the ports of the pods
        (``endpointsForAlias`` in ``template_helper.go``).
        """
        if self.target_port == "":
            return 0, model.ALL_PORTS
        number = number_of(str(self.target_port))
        return (self.target_port, None) if number is None else (0, number)


class _Tls(ApiStruct):
    termination: str = ""
    insecure_edge_termination_policy: str = ""


class _Spec(ApiStruct):
    host: str = ""
    path: str = ""
    to: _Backend = field(default_factory=_Backend)
    alternate_backends: list[_Backend] = field(default_factory=list)
    port: _Port | None = None
    tls: _Tls | None = None
    wildcard_policy: str = ""


class _Condition(ApiStruct):
    type: str
    status: str
    reason: str = ""
    message: str = ""


class _RouterStatus(ApiStruct):
    host: str = ""
    conditions: list[_Condition] = field(default_factory=list)

    @property
    def refusal(self) -> str:
        """Why this router does not serve the Route; empty if it serves the Route or has not answered yet."""
        for condition in self.conditions:
            if condition.type == "Admitted" and condition.status == "False":
                return f"{condition.reason}: {condition.message}"
        return ""


class _Status(ApiStruct):
    ingress: list[_RouterStatus] = field(default_factory=list)


class OpenShiftRoute(ApiStruct):
    """A Route (route.openshift.io/v1)."""

    metadata: AnnotatedMeta
    spec: _Spec = field(default_factory=_Spec)
    status: _Status = field(default_factory=_Status)

    def to_domain(self) -> model.Route:
        """Return the domain's record of it."""
        refusal, remedy = self._refusal()
        backends = [each for each in (self.spec.to, *self.spec.alternate_backends) if each.takes_requests]
        found = tuple(islice(self._paths(backends), MAX_PATHS + 1))
        if len(found) > MAX_PATHS:
            refusal, remedy = TOO_MANY_PATHS, SPLIT_REMEDY
        return model.Route(
            ref=Ref("Route", self.metadata.namespace, self.metadata.name),
            resource_version=self.metadata.resource_version,
            created=self.metadata.creation_timestamp or "",
            order=model.RouteOrder.OLDEST,
            precedence=model.Precedence.LONGEST_SEGMENTS,
            paths=found[:MAX_PATHS],
            attachments=_ATTACHMENTS,
            origins=tuple(islice(self._origins(), MAX_PATHS)),
            refusal=refusal,
            refusal_remedy=remedy,
            unsupported_backends=tuple(f"{each.kind} {each.name}" for each in backends if not _is_service(each)),
            controllers=(_BY_ADDRESS,) if self._termination == _PASSED_ON else (),
        )

    @property
    def _termination(self) -> str:
        return self.spec.tls.termination if self.spec.tls is not None else ""

    @property
    def _source(self) -> str:
        """The Ingress of which OpenShift has made the Route; empty for a Route of its own."""
        owners = (owner for owner in self.metadata.owner_references if owner.controller and owner.kind == "Ingress")
        return next((owner.name for owner in owners), "")

    def _serving(self) -> list[_RouterStatus]:
        """The answers of the routers that serve the Route, or may serve it."""
        return [router for router in self.status.ingress if not router.refusal]

    def _hosts(self) -> list[str]:
        """The hosts in a browser. A router gives a Route without a host one of its own domain."""
        given = [router.host for router in self._serving()]
        return [self.spec.host] if self.spec.host else [*dict.fromkeys(host for host in given if host)]

    def _refusal(self) -> tuple[str, str]:
        """Why no router serves the Route or it is not read, and the remedy; empty if nothing is wrong."""
        refusals = [router.refusal for router in self.status.ingress]
        if self._source:
            return f"OpenShift makes it from Ingress {self._source}", "Name that Ingress in its place."
        if refusals and all(refusals):
            return refusals[0], _REFUSED_REMEDY
        return self._mistake()

    def _mistake(self) -> tuple[str, str]:
        """What is wrong in the spec, which a cluster of OpenShift does not accept at all, and the remedy."""
        tls = self._termination
        if not self._hosts():
            return "it has no host, and no router has given it one", "Set spec.host of the Route."
        if self.spec.path and not self.spec.path.startswith("/"):
            return f"its path {self.spec.path!r} does not begin with a slash", "Correct spec.path of the Route."
        if tls == _PASSED_ON and self.spec.path:
            return "with TLS termination passthrough the router sees no path", "Set spec.tls.termination to edge."
        if tls and tls != _PASSED_ON and tls not in _ENCRYPTED:
            return f"its TLS termination {tls!r} is not known", "Set spec.tls.termination to edge."
        return "", ""

    def _origins(self) -> Iterator[model.Origin]:
        """Yield https and http, as far as the Route has them. A Route may redirect http to https."""
        tls = self.spec.tls
        for host in self._hosts():
            if self._termination:
                yield model.Origin(host, is_secure=True)
            if tls is None or not tls.termination or tls.insecure_edge_termination_policy == "Allow":
                yield model.Origin(host, is_secure=False)

    def _paths(self, backends: list[_Backend]) -> Iterator[model.RoutePath]:
        if self._source:  # the Ingress has them
            return
        services = [*dict.fromkeys(each.name for each in backends if _is_service(each))]
        others = tuple(each.name if _is_service(each) else f"{each.kind} {each.name}" for each in backends)
        port, target_port = self.spec.port.of_paths() if self.spec.port is not None else (0, model.ALL_PORTS)
        for host in self._hosts() or [""]:
            for service in services or [""]:
                yield model.RoutePath(
                    host=self._pattern(host),
                    path=self.spec.path or "/",
                    path_type="Prefix",
                    service=service,
                    port=port,
                    target_port=target_port,
                    others=others,
                    warnings=(_PASSTHROUGH,) if self._termination == _PASSED_ON else (),
                )

    def _pattern(self, host: str) -> str:
        """A host as paths have it: with the wildcard policy it stands for all names of its domain."""
        domain = host.partition(".")[2]
        return f"*.{domain}" if domain and self.spec.wildcard_policy == "Subdomain" else host


def _is_service(backend: _Backend) -> bool:
    return backend.kind in ("", "Service")


_annotated = route_decoder(OpenShiftRoute)


def _decode(raw: Raw, known: Known) -> model.Route | model.AnnotatedRoute:
    found = _annotated(raw, known)
    assert isinstance(found, model.AnnotatedRoute)
    # The router passes the bytes of such a Route on, so that annotations change no request and set no cookie.
    return found.route if found.route.controllers else found


def compose(route: model.Route, _: model.Find) -> model.Route:
    """Return the route: no other objects take part in it."""
    return route


KIND = RouteKind(
    kind="Route",
    group="route.openshift.io",
    version="v1",
    plural="routes",
    decode=_decode,
    purpose="A Route of OpenShift has the path of an app. The operator writes none.",
    is_optional=True,
    compose=compose,
)
