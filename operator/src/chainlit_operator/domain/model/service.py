"""Services and ServiceAccounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from chainlit_operator.domain.desired.drift import OwnedState
from chainlit_operator.domain.model.affinity import AffinitySetting
from chainlit_operator.domain.model.workload import Labels
from chainlit_operator.object_ref import Ref

#: The port of a route that names none: it means the only port of its Service.
ONLY_PORT = -1


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
    """A Service; ``cluster_ip`` is empty where it has none (headless, ExternalName).

    ``affinity`` has the settings of session affinity in its annotations, ``settings`` are its annotations for load
    balancers, by name. ``keeps_addresses`` says that its address sends all requests of one client address to one pod
    (``sessionAffinity: ClientIP``).
    """

    ref: Ref
    resource_version: str = field(compare=False)
    selector: Labels
    type: str = "ClusterIP"
    cluster_ip: str = ""
    ports: tuple[ServicePort, ...] = ()
    affinity: tuple[AffinitySetting, ...] = ()
    settings: Labels = ()
    keeps_addresses: bool = False
    owned: OwnedState | None = field(default=None, hash=False)

    def port_of(self, port: int | str) -> ServicePort | None:
        """Return the port that a route means by a number, a name or ``ONLY_PORT``; None if there is no such port."""
        if port == ONLY_PORT:
            return self.ports[0] if len(self.ports) == 1 else None
        return next((found for found in self.ports if found.matches(port)), None)


class AnnotatedService(NamedTuple):
    """A Service, with the annotations that ingress controllers have still to interpret."""

    service: Service
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A ServiceAccount. Decisions read only that it exists, and which app created it."""

    ref: Ref
    resource_version: str = field(compare=False)
    owned: OwnedState | None = field(default=None, hash=False)
