"""Workloads as JSON, with the owners of the fields that the operator may write.

Most changes of a workload change neither the pod template nor the owners: a controller counts pods, or somebody adds an
annotation. So both parts stay undecoded at first. If the stored record was made of the same bytes, its content is used
again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec import Struct, field

from chainlit_operator.domain import commands, endpoint, model
from chainlit_operator.domain.chainlit import (
    AUTH_COOKIE_NAME,
    LOGIN_COOKIE,
    LOGIN_KEY,
    PARENT_ROOT_PATH,
    PORT_VARIABLE,
    ROOT_PATH,
    VARIABLE_PREFIX,
    VARIABLES,
)
from chainlit_operator.domain.workers import workers_of
from chainlit_operator.kinds.shared.fields import pairs
from chainlit_operator.kinds.shared.kind import Decode, Known, decoder_with_known
from chainlit_operator.kube.codec import Anything, ApiStruct, Meta, decoder
from chainlit_operator.object_ref import Ref

_PROBES = {
    "startupProbe": "startup_probe",
    "livenessProbe": "liveness_probe",
    "readinessProbe": "readiness_probe",
}


class _OwnedPath(Struct, rename={"path": "f:path"}):
    path: Anything | None = None


class _OwnedProbe(Struct, rename={"http_get": "f:httpGet"}):
    http_get: _OwnedPath | None = None


_OWNED_FIELDS = {
    "env": "f:env",
    "startup_probe": "f:startupProbe",
    "liveness_probe": "f:livenessProbe",
    "readiness_probe": "f:readinessProbe",
}


class _OwnedVariable(Struct, rename={"value": "f:value", "value_from": "f:valueFrom"}):
    value: Anything | None = None
    value_from: Anything | None = None


class _OwnedContainer(Struct, rename=_OWNED_FIELDS):
    env: dict[str, _OwnedVariable] = field(default_factory=dict)
    startup_probe: _OwnedProbe | None = None
    liveness_probe: _OwnedProbe | None = None
    readiness_probe: _OwnedProbe | None = None

    def fields(self) -> Iterator[str]:
        for name in VARIABLES:
            variable = self.env.get(f'k:{{"name":"{name}"}}')
            if variable is not None and (variable.value is not None or variable.value_from is not None):
                yield name
        for name, attribute in _PROBES.items():
            probe: _OwnedProbe | None = getattr(self, attribute)
            if probe is not None and probe.http_get is not None and probe.http_get.path is not None:
                yield name


class _OwnedPodSpec(Struct, rename={"containers": "f:containers"}):
    #: None where the manager owns nothing of it; empty where it owns the list as one field.
    containers: dict[str, _OwnedContainer] | None = None


class _OwnedTemplate(Struct, rename={"spec": "f:spec"}):
    spec: _OwnedPodSpec = field(default_factory=_OwnedPodSpec)


class _OwnedSpec(Struct, rename={"template": "f:template"}):
    template: _OwnedTemplate = field(default_factory=_OwnedTemplate)


class _Owned(Struct, rename={"spec": "f:spec"}):
    spec: _OwnedSpec = field(default_factory=_OwnedSpec)


_decode_owned = decoder(_Owned)


class _ManagedFields(ApiStruct):
    """One entry of ``metadata.managedFields``."""

    manager: str = ""
    fields_v1: msgspec.Raw = field(default_factory=lambda: msgspec.Raw(b"{}"), name="fieldsV1")

    @property
    def digest(self) -> tuple[str, int]:
        """Return the parts that decide about ownership; the time of the entry is not one of them."""
        return self.manager, _digest(self.fields_v1)


class _Owners:
    """The owners of the fields that the operator writes; only the path to them in each ``fieldsV1`` is decoded."""

    def __init__(self, entries: list[_ManagedFields]) -> None:
        found = (
            (sys.intern(entry.manager), _decode_owned(entry.fields_v1).spec.template.spec.containers)
            for entry in entries
        )
        self._entries = [(manager, containers) for manager, containers in found if containers is not None]

    @property
    def of_list(self) -> tuple[str, ...]:
        """The managers that own the containers as one field, so each of them owns every field in it."""
        return tuple(manager for manager, containers in self._entries if not containers)

    def of(self, container: str) -> tuple[tuple[str, str], ...]:
        key = f'k:{{"name":"{container}"}}'
        whole = tuple((name, manager) for manager in self.of_list for name in (*VARIABLES, *_PROBES))
        return whole + tuple(
            (name, manager)
            for manager, containers in self._entries
            if (owned := containers.get(key)) is not None
            for name in owned.fields()
        )


class _WorkloadMeta(Meta):
    managed_fields: list[_ManagedFields] = field(default_factory=list)


class _ContainerPort(ApiStruct):
    container_port: int
    name: str = ""


class _EnvVar(ApiStruct):
    name: str
    value: str = ""
    value_from: Anything | None = None


class _HttpGet(ApiStruct):
    port: int | str
    path: str = "/"


class _Exec(ApiStruct):
    command: list[str] = field(default_factory=list)


class _Probe(ApiStruct):
    http_get: _HttpGet | None = None
    exec: _Exec | None = None


class _Container(ApiStruct):
    name: str
    image: str = ""
    command: list[str] = field(default_factory=list)
    args: list[str] = field(default_factory=list)
    ports: list[_ContainerPort] = field(default_factory=list)
    env: list[_EnvVar] = field(default_factory=list)
    env_from: list[Anything] = field(default_factory=list)
    startup_probe: _Probe | None = None
    liveness_probe: _Probe | None = None
    readiness_probe: _Probe | None = None

    def _words(self) -> tuple[str, ...]:
        return (*self.command, *self.args)

    def _mentions_chainlit(self) -> bool:
        # Not by the variables that the operator writes: it may have found another container before.
        names = (env.name for env in self.env if env.name.startswith(VARIABLE_PREFIX) and env.name not in VARIABLES)
        return any("chainlit" in word.lower() for word in (self.image, *self._words(), *names))

    def to_domain(self, owners: tuple[tuple[str, str], ...]) -> model.Container:
        env = self._env()
        variables = {name: model.Variable(env[name]) for name in VARIABLES if name in env}
        plain = {name: value for name, value in env.items() if value is not None}
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
            root_path_option=commands.root_path_of(self._words(), env),
            workers=workers_of(self.command, self.args, plain),
            exec_requests=tuple(
                request
                for name, probe in probes.items()
                if probe is not None and probe.exec is not None
                for request in commands.requests_of(name, probe.exec.command)
            ),
            port_option=endpoint.option_of(self._words(), env),
            port_variable=endpoint.number_of(env.get(PORT_VARIABLE) or ""),
            mentions_chainlit=self._mentions_chainlit(),
            login_cookie=(env.get(AUTH_COOKIE_NAME, LOGIN_COOKIE) or "") if LOGIN_KEY in env else "",
            owners=owners,
        )

    def places(self) -> model.EnvPlaces:
        """Return the places of the operator's variables in ``env``. Of several with one name the last one counts."""
        found = {env.name: index for index, env in enumerate(self.env) if env.name in VARIABLES}
        return model.EnvPlaces(len(self.env), tuple(found.items()))

    def _env(self) -> dict[str, str | None]:
        """The values of the variables, without references to variables before them; None for one from elsewhere."""
        found: dict[str, str | None] = {}
        for env in self.env:
            is_known = env.value_from is None and not commands.refers_elsewhere(env.value, found)
            found[env.name] = commands.expand(env.value, found) if is_known else None
        return found


class _PodMeta(ApiStruct):
    labels: dict[str, str] = field(default_factory=dict)


class _InitContainer(ApiStruct):
    restart_policy: str = ""
    ports: list[_ContainerPort] = field(default_factory=list)

    @property
    def is_sidecar(self) -> bool:
        """Whether it keeps running beside the containers."""
        return self.restart_policy == "Always"


class _PodSpec(ApiStruct):
    containers: list[_Container] = field(default_factory=list)
    init_containers: list[_InitContainer] = field(default_factory=list)


class _PodTemplate(ApiStruct):
    metadata: _PodMeta = field(default_factory=_PodMeta)
    spec: _PodSpec = field(default_factory=_PodSpec)


_decode_template = decoder(_PodTemplate)


class WorkloadSpec(ApiStruct):
    """The spec of a workload, as far as all kinds have it."""

    template: msgspec.Raw = field(default_factory=lambda: msgspec.Raw(b"{}"))
    replicas: int = 1

    @property
    def paused_by(self) -> str:
        """The setting that keeps pods of a former template; empty if there is none."""
        return ""


class _WorkloadCondition(ApiStruct):
    type: str
    status: str
    reason: str = ""
    message: str = ""


class PodCounters(ApiStruct):
    """The status of a workload, as far as all kinds have it."""

    replicas: int = 0
    updated_replicas: int = 0
    available_replicas: int = 0
    conditions: list[_WorkloadCondition] = field(default_factory=list)

    def message_of(self, *reasons: str) -> str:
        """Return the message of the first condition with one of these reasons; empty where there is none."""
        return next((found.message for found in self.conditions if found.reason in reasons), "")


class _ObservedCounters(PodCounters):
    observed_generation: int = 0


class Facts(NamedTuple):
    """The values that all records of a kind share.

    ``rollout_hint`` is a sentence for a rollout that does not end. ``is_patched`` says that the kind is written by JSON
    patch.
    """

    kind: str
    api_version: str
    rollout_hint: str = ""
    is_patched: bool = False


class WorkloadForm(ApiStruct):
    """A workload; each kind has a spec and a status of its own."""

    metadata: _WorkloadMeta
    spec: WorkloadSpec = field(default_factory=WorkloadSpec)

    def rollout(self, generation: int) -> model.Rollout:
        """Return the state of the rollout; ``generation`` is the first one with the present pod template."""
        raise NotImplementedError

    def template_owner(self, labels: model.Labels) -> str:
        """Return the object that sets the pod template back, empty for none; ``labels`` are those of the pods."""
        del labels
        return ""

    def pod_source(self) -> Ref | None:
        """Return the workload whose pod template its pods have; None for its own template."""
        return None

    def trial_services(self) -> tuple[str, ...]:
        """Return the Services that lead to the pods of a release on trial."""
        return ()

    def missing_template(self) -> str:
        """Return why the pod template is not in the workload, with the remedy; empty where it is."""
        return ""

    def to_domain(self, facts: Facts, known: model.Workload | None) -> model.Workload:
        """Return the domain's record of it; ``known`` is the record that the store has, if any."""
        meta, raw = self.metadata, self.spec.template
        digests = _digest(raw), hash(tuple(entry.digest for entry in meta.managed_fields))
        if known is not None and known.uid == meta.uid and known.digests[0] == digests[0]:
            generation = min(known.generation, meta.generation)
        else:
            generation, known = meta.generation, None
        if known is not None and known.digests == digests:
            labels, containers, managers = known.pod_labels, known.containers, known.field_managers
            has_sidecars, sidecar_ports = known.has_sidecars, known.sidecar_ports
            places, list_managers = known.env_places, known.list_managers
        else:
            template, owners = _decode_template(raw), _Owners(meta.managed_fields)
            labels = pairs(template.metadata.labels)
            containers = tuple(c.to_domain(owners.of(c.name)) for c in template.spec.containers)
            managers = tuple(sys.intern(entry.manager) for entry in meta.managed_fields)
            sidecars = [c for c in template.spec.init_containers if c.is_sidecar]
            has_sidecars = bool(sidecars)
            sidecar_ports = tuple((port.name, port.container_port) for c in sidecars for port in c.ports)
            places = tuple(c.places() for c in template.spec.containers) if facts.is_patched else ()
            list_managers = owners.of_list
        return model.Workload(
            ref=known.ref if known is not None else Ref(facts.kind, meta.namespace, meta.name),
            api_version=facts.api_version,
            uid=meta.uid,
            resource_version=meta.resource_version,
            generation=generation,
            pod_labels=labels,
            containers=containers,
            rollout=self.rollout(generation),
            field_managers=managers,
            digests=digests,
            has_sidecars=has_sidecars,
            sidecar_ports=sidecar_ports,
            rollout_hint=facts.rollout_hint,
            template_owner=self.template_owner(labels),
            pod_source=self.pod_source(),
            missing_template=self.missing_template(),
            trial_services=self.trial_services(),
            env_places=places,
            list_managers=list_managers,
        )


class Workload(WorkloadForm):
    """A workload with the status that the kinds of the group ``apps`` have."""

    status: _ObservedCounters = field(default_factory=_ObservedCounters)

    def rollout(self, generation: int) -> model.Rollout:
        """Return the state of the rollout."""
        status = self.status
        return model.Rollout(
            observed_generation=min(status.observed_generation, generation),
            desired=self.spec.replicas,
            total=status.replicas,
            updated=status.updated_replicas,
            available=status.available_replicas,
            failure=status.message_of("ProgressDeadlineExceeded"),
            paused_by=self.spec.paused_by,
        )


def workload_decoder(form: type[WorkloadForm], facts: Facts) -> Decode:
    """Return a decoder of workloads of that form."""

    def to_record(found: WorkloadForm, known: Known) -> model.Workload:
        former = known(Ref(facts.kind, found.metadata.namespace, found.metadata.name))
        return found.to_domain(facts, former if isinstance(former, model.Workload) else None)

    return decoder_with_known(form, to_record)


def _digest(raw: msgspec.Raw) -> int:
    """Return a hash of the bytes. Its key differs in each process, so nobody can construct a collision."""
    return hash(bytes(raw))
