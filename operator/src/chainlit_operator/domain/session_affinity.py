"""Session affinity: whether all requests of a browser reach the one process that has its session.

The rules in order; the first one that applies gives status, reason and message. False needs certainty: a setting may
also be in objects that the operator does not read, and then the status is Unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from chainlit_operator.domain import endpoint
from chainlit_operator.domain.model import (
    Affinity,
    AffinitySetting,
    Container,
    ControllerAffinity,
    Route,
    Service,
    Snapshot,
    Stickiness,
    Workers,
    backend_name,
)
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import Resolved, Unresolved

_EXTERNAL = "If something else keeps the requests of a browser at one pod, set spec.route.affinity to External."


class Finding(NamedTuple):
    """The condition SessionAffinity: its status, reason and message."""

    status: str
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class AffinityRule:
    """A rule: ``applies`` returns the message where it applies, else an empty text. Its docstring is the rule."""

    status: str
    reason: Reason
    applies: Callable[[Case], str]


class _Verdict(NamedTuple):
    """What is known of one controller: what its affinity does, the setting that says so, and the controller."""

    stickiness: Stickiness
    setting: AffinitySetting | None = None
    controller: ControllerAffinity | None = None

    @property
    def title(self) -> str:
        """The name of the controller, empty for an unknown one."""
        return self.controller.title if self.controller is not None else ""


#: If several settings count, the first one in this order decides.
_STRENGTH = (Stickiness.SERVICE, Stickiness.LOST, Stickiness.KEPT, Stickiness.UNKNOWN)


class Carrier:
    """A route that carries the requests of a session to a Service, and what is known of its controller's affinity."""

    def __init__(self, route: Route, service: Service, *, is_all_watched: bool = True) -> None:
        self.route, self.service, self._is_all_watched = route, service, is_all_watched
        name = backend_name(route.ref.namespace, service.ref)
        own = (each for each in (*route.affinity, *service.affinity) if each.service in ("", name))
        #: The strongest first.
        self._settings = sorted(own, key=lambda setting: _STRENGTH.index(setting.stickiness))

    @cached_property
    def verdicts(self) -> list[_Verdict]:
        """What is known of each controller that may serve the route; empty for an unknown one."""
        return [self._verdict(controller) for controller in self.route.controllers]

    def _verdict(self, controller: ControllerAffinity) -> _Verdict:
        setting = next((found for found in self._settings if found.reader in controller.readers), None)
        if setting is None:
            is_guess = controller.reads_elsewhere and not self._is_all_watched
            return _Verdict(Stickiness.UNKNOWN if is_guess else controller.default, None, controller)
        if setting.stickiness is Stickiness.SERVICE:
            # The address of the Service sees the addresses of the controller's pods: of one, or of several.
            keeps = self.service.keeps_addresses
            return _Verdict(Stickiness.UNKNOWN if keeps else Stickiness.LOST, setting, controller)
        return _Verdict(setting.stickiness, setting, controller)

    @cached_property
    def kept_by(self) -> _Verdict | None:
        """What keeps the requests of a browser at one pod; None if nothing is known to do so."""
        if self.verdicts:
            return next((found for found in self.verdicts if found.stickiness is Stickiness.KEPT), None)
        weakened = {each.reader for each in self._settings if each.stickiness in (Stickiness.SERVICE, Stickiness.LOST)}
        kept = (found for found in self._settings if found.stickiness is Stickiness.KEPT)
        setting = next((found for found in kept if found.reader not in weakened), None)
        return _Verdict(Stickiness.KEPT, setting) if setting is not None else None

    @cached_property
    def lost_by(self) -> list[_Verdict]:
        """The controllers that may serve the route, if all of them spread the requests; else none."""
        lost = [found for found in self.verdicts if found.stickiness is Stickiness.LOST]
        return lost if len(lost) == len(self.verdicts) else []

    @cached_property
    def doubtful(self) -> list[_Verdict]:
        """The controllers that may keep affinity where the operator does not read it."""
        return [found for found in self.verdicts if found.stickiness is Stickiness.UNKNOWN]


class Case:
    """What the rules read, with the values that several of them need."""

    def __init__(self, snapshot: Snapshot, route: Resolved | Unresolved, container: Container | None) -> None:
        self.snapshot, self.answer, self.container = snapshot, route, container
        found = () if isinstance(route, Unresolved) else route.carriers
        is_all_watched = not snapshot.watched
        self.carriers = [Carrier(route, service, is_all_watched=is_all_watched) for route, service in found]

    @cached_property
    def workers(self) -> Workers | None:
        """The worker processes of Chainlit's container, None for one."""
        return self.container.workers if self.container is not None else None

    @cached_property
    def companions(self) -> list[tuple[str, str]]:
        """The names of Services with pods of other workloads behind them, each with such a workload."""
        if isinstance(self.answer, Unresolved):
            return []
        services = [self.answer.service, *(carrier.service for carrier in self.carriers)]
        names = {service.ref.name: service for service in services}
        return [
            (each.service, str(each.workload))
            for each in self.snapshot.companions
            if each.service in names and _leads_to(names[each.service], self.answer.service_port, each.port_names)
        ]

    @cached_property
    def has_several_pods(self) -> bool:
        """Whether requests are spread over more than one pod; pods of a rollout do not count."""
        workload = self.snapshot.workload
        return workload is not None and (workload.rollout.desired > 1 or bool(self.companions))

    @property
    def is_external(self) -> bool:
        """Whether the spec says that affinity is kept elsewhere."""
        return self.snapshot.app.spec.affinity is Affinity.EXTERNAL

    @property
    def spread(self) -> str:
        """The words for the pods among which requests are spread."""
        if not self.companions:
            return f"{self.snapshot.app.workload} has several replicas"
        name, other = self.companions[0]
        return f"Service {name} leads to pods of {self.snapshot.app.workload} and of {other}"


def _leads_to(service: Service, port: int | str, port_names: frozenset[str]) -> bool:
    """Whether pods with ports of these names are behind a port of a Service: a pod without its named port is not."""
    target = endpoint.target_of(service, port)
    return not isinstance(target, str) or target in port_names


def decide(snapshot: Snapshot, route: Resolved | Unresolved, container: Container | None) -> Finding:
    """Decide about the session affinity of the snapshot's app, whose route and container these are."""
    case = Case(snapshot, route, container)
    # The last rule always applies.
    return next(Finding(rule.status, rule.reason, message) for rule in RULES if (message := rule.applies(case)))


# ------------------------------------------------------------------------------------------------------ the rules


def workload_is_missing(case: Case) -> str:
    """The workload does not exist."""
    return "" if case.snapshot.workload is not None else "There are no pods. See the condition Aligned."


def container_has_several_workers(case: Case) -> str:
    """The container starts several worker processes."""
    if case.workers is None or not case.workers.is_certain or case.container is None:
        return ""
    return (
        f"Container {case.container.name} of {case.snapshot.app.workload} starts several worker processes "
        f"({case.workers.source}), and a session is in the memory of one of them: no ingress controller can choose "
        "between them. Start one worker, and set replicas for more."
    )


def requests_are_spread(case: Case) -> str:
    """There are several pods, the controller has session affinity in objects that are read, and it is not there."""
    carrier = next((carrier for carrier in case.carriers if carrier.lost_by), None)
    if not case.has_several_pods or case.is_external or carrier is None:
        return ""
    start = f"{case.spread}, and nothing keeps the requests of a browser at the pod with its session."
    remedy = f"{_ineffective(carrier)}{_remedy(carrier, carrier.lost_by)}"
    if case.companions:
        remedy = f"Let the Service select one of them. For both: {remedy[0].lower()}{remedy[1:]}"
    return f"{start} {remedy}"


def workers_are_not_known(case: Case) -> str:
    """The container may start several worker processes."""
    if case.workers is None or case.container is None:
        return ""
    return (
        f"Container {case.container.name} of {case.snapshot.app.workload} may start several worker processes "
        f"({case.workers.source}). Each has sessions of its own: start one worker, and set replicas for more."
    )


def pod_is_alone(case: Case) -> str:
    """There is at most one pod, with one process."""
    # Without names and numbers: thousands of apps share this text, and scaling to zero changes nothing.
    return "" if case.has_several_pods else "At most one process serves the app, so it needs no session affinity."


def affinity_is_stated(case: Case) -> str:
    """``spec.route.affinity`` is External."""
    if not case.is_external:
        return ""
    return "spec.route.affinity is External: something that the operator does not read keeps a browser at one pod."


def affinity_is_set(case: Case) -> str:
    """A setting keeps the requests of a browser at one pod."""
    kept = [carrier.kept_by for carrier in case.carriers]
    first = kept[0] if kept else None
    if first is None or None in kept:
        return ""
    what = first.setting.what if first.setting is not None else first.title
    return f"{what[0].upper()}{what[1:]} keeps the requests of a browser at one pod."


def affinity_is_not_known(case: Case) -> str:
    """Otherwise nothing is known."""
    start = f"{case.spread}, which needs session affinity."
    if isinstance(case.answer, Unresolved):
        return f"{start} No path could be resolved: see the condition RouteResolved."
    unclear = [carrier for carrier in case.carriers if carrier.kept_by is None]
    if not unclear or not unclear[0].doubtful:
        return f"{start} The operator does not know the controller of the route. {_EXTERNAL}"
    carrier = unclear[0]
    return f"{start} {_where(carrier.doubtful)} {_EXTERNAL} {_remedy(carrier, carrier.doubtful)}"


RULES: tuple[AffinityRule, ...] = (
    AffinityRule("Unknown", Reason.AFFINITY_NOT_KNOWN, workload_is_missing),
    AffinityRule("False", Reason.SEVERAL_WORKERS, container_has_several_workers),
    AffinityRule("False", Reason.NOT_STICKY, requests_are_spread),
    AffinityRule("Unknown", Reason.WORKERS_NOT_KNOWN, workers_are_not_known),
    # With a setting, scaling between one pod and several changes nothing in the status.
    AffinityRule("True", Reason.STATED_EXTERNAL, affinity_is_stated),
    AffinityRule("True", Reason.STICKY, affinity_is_set),
    AffinityRule("True", Reason.SINGLE_POD, pod_is_alone),
    AffinityRule("Unknown", Reason.AFFINITY_NOT_KNOWN, affinity_is_not_known),
)


# --------------------------------------------------------------------------------------------------- their words


def _ineffective(carrier: Carrier) -> str:
    """A sentence about ``sessionAffinity: ClientIP`` of the Service, where it looks like the missing setting."""
    found = carrier.lost_by[0]
    if found.setting is not None or not carrier.service.keeps_addresses:
        return ""
    return f"The Service's sessionAffinity ClientIP has no effect, because {found.title} sends requests to the pods. "


def _where(found: list[_Verdict]) -> str:
    """The place where the setting may be: what a setting that is read names, or objects of the controllers."""
    setting = next((verdict.setting for verdict in found if verdict.setting is not None), None)
    if setting is None:
        titles = " or ".join(verdict.title for verdict in found)
        return f"It may be in objects of {titles} that the operator does not read."
    if setting.stickiness is Stickiness.SERVICE:
        return f"By {setting.what} the requests go to the Service, which keeps each client address at one pod."
    return f"The operator does not know what {setting.what} does or names."


def _remedy(carrier: Carrier, found: list[_Verdict]) -> str:
    """The change that each of the controllers needs."""
    route, service = carrier.route.ref, carrier.service.ref
    shown = route.name if route.namespace == service.namespace else f"{route.namespace}/{route.name}"
    names = {"route": f"{route.kind} {shown}", "service": f"Service {service.name}"}
    remedies = []
    for verdict in found:
        assert verdict.controller is not None
        remedy = verdict.controller.remedy.format(**names, service_name=service.name)
        if verdict.setting is not None and verdict.setting.stickiness is Stickiness.SERVICE:
            remedy = f"Remove {verdict.setting.what}, which sends them to the Service. {remedy}"
        remedies.append(f"For {verdict.title}, {remedy[0].lower()}{remedy[1:]}" if len(found) > 1 else remedy)
    return " ".join(remedies)
