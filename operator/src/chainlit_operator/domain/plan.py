"""The plan: from a snapshot to what must be written to the workload, if anything.

The truth table (first row that applies)::

    suspended                                   → Blocked(Suspended)
    a name for a created object is taken        → Blocked(NameTaken)
    workload missing / claimed by an older app  → Blocked
    container not found, or not to be told      → Blocked
    variable from valueFrom, --root-path given  → Blocked
    route unresolved                            → Blocked(RouteNotResolved)
    mounted in another app, no trial            → NoOp
    workload created by the operator            → NoOp: its manifest has the variables already
    variables and probe paths as they should be → NoOp, or Apply to own them again after a suspension
    somebody keeps setting the variable back    → Blocked(FieldContested)
    otherwise                                   → Apply, all fields of ours in one write
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chainlit_operator.domain import chainlit, paths, route_conflicts, routes, trials
from chainlit_operator.domain.chainlit import PARENT_ROOT_PATH, ROOT_PATH
from chainlit_operator.domain.model import Container, Snapshot, Trial, TrialOutcome, Variable, Workload
from chainlit_operator.domain.reasons import ConditionType, Reason

FIELD_MANAGER = "chainlit-operator"


@dataclass(frozen=True, slots=True)
class Blocked:
    """Nothing may be written: why, and what to change."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class NoOp:
    """The workload is as it should be."""


@dataclass(frozen=True, slots=True)
class Apply:
    """All fields of ours, whether or not they differ now: what an apply leaves out, it gives up."""

    env: tuple[tuple[str, str], ...]
    probes: tuple[tuple[str, str], ...]
    summary: str
    takeovers: tuple[tuple[str, str], ...] = ()
    """(field, field manager) for each field that another manager loses by this."""

    @property
    def rivals(self) -> tuple[str, ...]:
        """The field managers that lose a field by this."""
        return tuple(sorted({manager for _, manager in self.takeovers}))


@dataclass(frozen=True, slots=True)
class Plan:
    """One decision. ``container``, ``route`` and ``roots`` are set as far as they could be told.

    ``roots`` are the variables that are wanted, by the law of alignment or by ``trial``; None where none is.
    """

    route: routes.Resolved | routes.Unresolved
    container: Container | None
    action: Apply | NoOp | Blocked
    roots: paths.RootPaths | None = None
    trial: Trial | None = None


def plan(snapshot: Snapshot) -> Plan:
    """Decide what to do about the snapshot's app."""
    route = route_conflicts.check(snapshot, routes.resolve(snapshot))
    container = _taken(snapshot) or _container(snapshot)
    if isinstance(container, Blocked):
        return Plan(route, None, _suspended(snapshot) or container, trial=snapshot.app.status.trial)
    trial = _trial(snapshot, container, route)
    roots = _roots(snapshot, route, trial)
    action: Apply | NoOp | Blocked | None = _suspended(snapshot) or _untouchable(snapshot, container, roots)
    if action is None:
        action = _align(snapshot, container, route, roots, trial)
    return Plan(route, container, action, roots, trial)


def apply_configuration(workload: Workload, container: Container, apply: Apply) -> dict[str, Any]:
    """Return the body of the server-side apply: our fields only.

    ``metadata.uid`` makes the API server refuse (409) to re-create a workload that was deleted meanwhile.
    """
    entry: dict[str, Any] = {"name": container.name}
    if apply.env:
        entry["env"] = [{"name": name, "value": value} for name, value in apply.env]
    for field, path in apply.probes:
        entry[field] = {"httpGet": {"path": path}}
    return {
        "apiVersion": workload.api_version,
        "kind": workload.ref.kind,
        "metadata": {"name": workload.ref.name, "namespace": workload.ref.namespace, "uid": workload.uid},
        "spec": {"template": {"spec": {"containers": [entry]}}},
    }


def gives_up(workload: Workload, container: Container, apply: Apply) -> bool:
    """Whether the apply leaves out fields that the operator has: of another container, or probes of another port.

    The API server would take out what its only owner gives up, and put ``/`` in the place of a probe's path.
    """
    kept = {name for name, _ in (*apply.env, *apply.probes)}
    return any(
        manager == FIELD_MANAGER and not (found.name == container.name and name in kept)
        for found in workload.containers
        for name, manager in found.owners
    )


def _suspended(snapshot: Snapshot) -> Blocked | None:
    if not snapshot.app.spec.suspend:
        return None
    return Blocked(Reason.SUSPENDED, "spec.suspend is true: nothing is written until it is false.")


def _taken(snapshot: Snapshot) -> Blocked | None:
    return Blocked(Reason.NAME_TAKEN, routes.taken(snapshot)) if snapshot.taken else None


def _container(snapshot: Snapshot) -> Container | Blocked:
    """The container that runs Chainlit: the one named, the only one, or the one called ``chainlit``."""
    workload, wanted = snapshot.workload, snapshot.app.spec.container
    if workload is None:
        return Blocked(Reason.WORKLOAD_NOT_FOUND, routes.missing_workload(snapshot.app))
    names = ", ".join(container.name for container in workload.containers)
    by_name = {container.name: container for container in workload.containers}
    if wanted is not None:
        return by_name.get(wanted) or Blocked(
            Reason.CONTAINER_NOT_FOUND,
            f"{workload.ref} has no container {wanted!r} (it has {names}): correct spec.workload.ref.container.",
        )
    if len(workload.containers) == 1:
        return workload.containers[0]
    return by_name.get("chainlit") or Blocked(
        Reason.CONTAINER_AMBIGUOUS,
        f"{workload.ref} has several containers ({names}) and none is called chainlit: name the one that runs "
        "Chainlit in spec.workload.ref.container.",
    )


def _untouchable(snapshot: Snapshot, container: Container, roots: paths.RootPaths | None) -> Blocked | None:
    """What forbids writing whatever the route says."""
    if snapshot.claimed_by:
        return Blocked(
            Reason.WORKLOAD_CLAIMED,
            f"ChainlitApp {snapshot.claimed_by} is older and claims {snapshot.app.workload} too: delete either.",
        )
    is_mounted = bool(snapshot.app.spec.mount_path)
    for name, variable in ((ROOT_PATH, container.root_path), (PARENT_ROOT_PATH, container.parent_root_path)):
        if is_mounted and (roots is None or name == ROOT_PATH):
            continue
        if variable is not None and variable.value is None:
            return Blocked(
                Reason.VARIABLE_FROM_SOURCE,
                f"{name} of container {container.name} in {snapshot.app.workload} is set through valueFrom, which "
                "cannot stand beside a value: remove that entry of env.",
            )
    if container.has_root_path_option and not is_mounted:
        return Blocked(
            Reason.ROOT_PATH_IN_COMMAND,
            f"The command of container {container.name} in {snapshot.app.workload} has --root-path, which wins over "
            f"{ROOT_PATH}: remove the option.",
        )
    return None


def _trial(snapshot: Snapshot, container: Container, route: routes.Resolved | routes.Unresolved) -> Trial | None:
    """The trial as it is remembered, or one that begins without a write because the variables are there already."""
    trial = trials.remembered(snapshot.app, container)
    if trial is not None or isinstance(route, routes.Unresolved) or snapshot.workload is None:
        return trial
    other = trials.other_roots(route.public, route.backend, route.roots)
    if other is None or snapshot.app.spec.mount_path:
        return None
    is_there = trials.stands(snapshot.app, snapshot.workload, container, other)
    return Trial(container.image, TrialOutcome.PENDING) if is_there else None


def _roots(
    snapshot: Snapshot, route: routes.Resolved | routes.Unresolved, trial: Trial | None
) -> paths.RootPaths | None:
    """The variables that are wanted; None for none."""
    if isinstance(route, routes.Unresolved):
        return None
    if snapshot.app.spec.mount_path:
        if trial is None:
            return None
        return paths.RootPaths("", route.roots.parent_root_path if trials.holds(trial) else "")
    other = trials.other_roots(route.public, route.backend, route.roots) if trials.holds(trial) else None
    return other or route.roots


def _align(
    snapshot: Snapshot,
    container: Container,
    route: routes.Resolved | routes.Unresolved,
    roots: paths.RootPaths | None,
    trial: Trial | None,
) -> Apply | NoOp | Blocked:
    if isinstance(route, routes.Unresolved):
        return Blocked(Reason.ROUTE_NOT_RESOLVED, f"The route gives no path ({route.reason}): see RouteResolved.")
    if roots is None or snapshot.app.spec.template is not None:
        return NoOp()
    is_mounted = bool(snapshot.app.spec.mount_path)
    env = _variables(container, roots, is_mounted=is_mounted)
    probes = () if is_mounted else _probe_paths(snapshot, container, route, roots)
    changes = _env_changes(container, env)
    # An app that wants other roots than those of the law answers probes at every path.
    if changes or roots == route.roots:
        changes |= _probe_changes(container, probes)
    if not changes:
        return _resume(snapshot, container, env, probes) if roots == route.roots else NoOp()
    if snapshot.contested_by:
        return Blocked(
            Reason.FIELD_CONTESTED,
            f"Field manager {snapshot.contested_by!r} keeps setting {ROOT_PATH} of container {container.name} in "
            f"{snapshot.app.workload} back: remove the variable and the probe paths from what it applies, or suspend "
            "this ChainlitApp. The operator tries again when the workload, the route or this resource is changed.",
        )
    # "/" is what the API server fills in, and counts as set by whoever created the probe.
    filled_in = {probe.field for probe in container.probes if probe.path == "/"}
    takeovers = tuple(
        (name, manager)
        for name, manager in container.owners
        if name in changes and name not in filled_in and manager != FIELD_MANAGER
    )
    summary = "; ".join(changes.values())
    if trial is not None and trial.outcome is TrialOutcome.PENDING:
        summary += " (a trial: the page left the stripped prefix out)"
    return Apply(env, probes, summary, takeovers)


def _resume(
    snapshot: Snapshot, container: Container, env: tuple[tuple[str, str], ...], probes: tuple[tuple[str, str], ...]
) -> Apply | NoOp:
    """Take the fields again after a suspension, which gave them back, unless somebody else has one by now."""
    former = snapshot.app.status.condition(ConditionType.ALIGNED)
    names = {name for name, _ in (*env, *probes)}
    is_free = not any(name in names for name, _ in container.owners)
    if former is None or former.reason != Reason.SUSPENDED or not env or not is_free:
        return NoOp()
    return Apply(env, probes, f"took {', '.join(sorted(names))} again, as they are")


def _variables(container: Container, roots: paths.RootPaths, *, is_mounted: bool) -> tuple[tuple[str, str], ...]:
    """The variables that must stand in ``env``: set ones, and empty ones that somebody may have set otherwise.

    Chainlit reads an empty variable as unset, so a variable that must go is set to empty: removing it is up to who
    wrote it. With ``envFrom`` an absent variable may still have a value, so it is set to empty there too.
    """
    wanted = [(PARENT_ROOT_PATH, roots.parent_root_path, container.parent_root_path)]
    if not is_mounted:
        wanted.insert(0, (ROOT_PATH, roots.root_path, container.root_path))
    return tuple((name, value) for name, value, now in wanted if value or now is not None or container.has_env_from)


def _env_changes(container: Container, env: tuple[tuple[str, str], ...]) -> dict[str, str]:
    live = {ROOT_PATH: container.root_path, PARENT_ROOT_PATH: container.parent_root_path}
    return {
        name: f"{name}={value!r} (was {_shown(live[name])})"
        for name, value in env
        if (now := live[name]) is None or now.value != value
    }


def _shown(variable: Variable | None) -> str:
    return "unset" if variable is None else repr((variable.value or "")[:100])


def _probe_paths(
    snapshot: Snapshot, container: Container, route: routes.Resolved, wanted: paths.RootPaths
) -> tuple[tuple[str, str], ...]:
    """Where the probes of Chainlit's own port must ask; those of other ports are none of our business."""
    former = [container.root_path.value] if container.root_path and container.root_path.value else []
    former.append(snapshot.app.status.root_path or "")
    roots = tuple(paths.normalise(value) for value in former)
    serving = _container_port(snapshot, container, route)
    ports = _probed_ports(container, (wanted.root_path, *roots)) if serving is None else {serving}
    return tuple(
        (probe.field, paths.probe_path(probe.path, wanted.root_path, roots))
        for probe in container.probes
        if container.port_number(probe.port) in (*ports, None)
    )


def _probed_ports(container: Container, roots: tuple[str, ...]) -> set[int | None]:
    """The ports at which probes ask Chainlit: one, or those of paths that it has, or the one that is mostly its own."""
    asked = [(probe.path, container.port_number(probe.port)) for probe in container.probes]
    ports = {port for _, port in asked}
    if len(ports) <= 1:
        return ports
    known = {port for path, port in asked if paths.is_probe_endpoint(path, roots)}
    known = known or {port for path, port in asked if path in ("", "/")}
    return known or {container.ports[0][1] if container.ports else chainlit.PORT}


def _container_port(snapshot: Snapshot, container: Container, route: routes.Resolved) -> int | None:
    """The number of the container port behind the route; None where it cannot be told.

    Behind the route may be a proxy in the same pod; its port says nothing of the container's own. Ports need not be
    declared: of a container beside others its own are then those that its probes ask.
    """
    port = next((found for found in route.service.ports if found.matches(route.service_port)), None)
    number = None if port is None else container.port_number(port.port if port.target is None else port.target)
    declared: set[int | None] = {own for _, own in container.ports}
    workload = snapshot.workload
    containers = workload.containers if workload is not None else ()
    if not declared and workload is not None and (len(containers) > 1 or workload.has_sidecars):
        declared = {container.port_number(probe.port) for probe in container.probes}
    foreign = {theirs for other in containers if other.name != container.name for _, theirs in other.ports}
    return None if number in foreign or (declared and number not in declared) else number


def _probe_changes(container: Container, probes: tuple[tuple[str, str], ...]) -> dict[str, str]:
    live = {probe.field: probe.path for probe in container.probes}
    return {field: f"{field} path {path!r} (was {live[field]!r})" for field, path in probes if live[field] != path}
