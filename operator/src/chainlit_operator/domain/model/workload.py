"""Workloads: the record of a workload, with the parts of its pod template and its rollout that decisions read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from chainlit_operator.domain.desired.drift import OwnedState
from chainlit_operator.object_ref import Ref

Labels = tuple[tuple[str, str], ...]
"""Label pairs in key order; hashable, unlike a dict."""


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


class Workers(NamedTuple):
    """Several worker processes in a container, and what asks for them.

    ``is_certain`` is False where the program that may start them is not seen, or their number.
    """

    source: str
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class Container:
    """A container: its two variables, its HTTP probes, and how it is started.

    The values of the variables have no references to other variables, as far as these are known. ``root_path_option``
    is the root path that the command gives Chainlit, which wins over the variable; None for none. ``exec_requests`` are
    the requests that the commands of exec probes send to the pod itself. ``workers`` is None where one process serves
    the app, as far as the manifest shows. ``port_option`` is the port that its command gives Chainlit,
    ``port_variable`` that of the variable ``CHAINLIT_PORT``; None where it is not stated or not clear.
    ``mentions_chainlit`` says that its command, image or variables name Chainlit. ``login_cookie`` is the name of
    Chainlit's login cookie, empty where the manifest shows no login or not the name.
    """

    name: str
    image: str = ""
    ports: tuple[tuple[str, int], ...] = ()
    root_path: Variable | None = None
    parent_root_path: Variable | None = None
    probes: tuple[Probe, ...] = ()
    has_env_from: bool = False
    root_path_option: Variable | None = None
    exec_requests: tuple[Probe, ...] = ()
    workers: Workers | None = None
    port_option: int | None = None
    port_variable: int | None = None
    mentions_chainlit: bool = False
    login_cookie: str = ""
    owners: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    """(field, field manager) for each of the two variables and the probes' paths, where it has an owner."""

    @property
    def effective_root_path(self) -> Variable | None:
        """The root path with which Chainlit starts: that of the command, else the variable; None if neither is set."""
        return self.root_path_option or self.root_path

    def port_number(self, port: int | str) -> int | None:
        """Return the number of a port given by number or name; None for a name that the container does not have."""
        if isinstance(port, int):
            return port
        return next((number for name, number in self.ports if name == port), None)


class EnvPlaces(NamedTuple):
    """The places in a container's ``env`` for a patch: its length, and the index of each variable of the operator."""

    length: int
    variables: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Rollout:
    """The counters that show whether the pods run the present template.

    ``observed_generation`` is at most the workload's ``generation``. ``total`` leaves out pods of a former template
    that wait for their end and get no requests. ``paused_by`` is the setting that keeps pods of a former template,
    empty for none, and ``resumed_by`` the sentence that says how they go.
    """

    observed_generation: int = 0
    desired: int = 1
    total: int = 0
    updated: int = 0
    available: int = 0
    failure: str = ""
    paused_by: str = ""
    resumed_by: str = "Change that, or replace the pods yourself."


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload of any kind.

    ``generation`` is the first generation that was seen with the present pod template. The API server's own number also
    counts changes of replicas and of a Deployment's annotations, which replace no pod. ``digests`` are of the bytes of
    the pod template and of the managed fields from which this record was made.
    """

    ref: Ref
    api_version: str
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
    """Whether an init container keeps running beside the containers (``restartPolicy: Always``)."""
    sidecar_ports: tuple[tuple[str, int], ...] = ()
    """The ports of such init containers: each with its name, empty for none, and its number."""
    rollout_hint: str = ""
    """A sentence about the workload's kind, for a rollout that does not end."""
    template_owner: str = ""
    """The object that sets the pod template back, such as ``Knative Service chat``. Empty for none."""
    pod_source: Ref | None = None
    """The workload whose pod template its pods have, and to which the operator writes; None for its own template."""
    missing_template: str = ""
    """Why the pod template is not known, with the remedy: it is that of another object. Empty where it is known."""
    trial_services: tuple[str, ...] = ()
    """The Services that lead to the pods of a release on trial: for a canary, or for a preview."""
    env_places: tuple[EnvPlaces, ...] = field(default=(), compare=False)
    """For each container the places for a JSON patch; empty for a kind that is written by server-side apply."""
    list_managers: tuple[str, ...] = field(default=(), compare=False)
    """The managers that own the containers as one field, because the schema of the kind gives the list no keys."""

    def ports_beside(self, container: Container) -> tuple[tuple[str, int], ...]:
        """Return the ports of the pods that other containers have: each with its name and its number."""
        others = (other for other in self.containers if other.name != container.name)
        return (*(port for other in others for port in other.ports), *self.sidecar_ports)

    @property
    def written(self) -> Ref:
        """The object that has the pod template, and to which the operator writes."""
        return self.pod_source or self.ref

    @property
    def is_patched(self) -> bool:
        """Whether the operator writes it by a JSON patch, not by server-side apply."""
        return bool(self.env_places)

    @property
    def template_digest(self) -> int:
        """The digest of the pod template."""
        return self.digests[0]

    @property
    def is_rolled_out(self) -> bool:
        """Whether no pod runs an older template, and one is ready. Scaling and lost nodes do not count as a rollout."""
        rollout = self.rollout
        is_current = rollout.observed_generation >= self.generation and rollout.desired > 0
        return is_current and rollout.updated >= max(1, rollout.total) and rollout.available >= 1
