"""Alignment: the write into an adopted workload that gives it the root path, if one is needed.

The truth table; the first row that applies counts::

    a rule of RULES fails                          → Blocked, with its reason
    another app mounts Chainlit                    → NoOp: no variable decides about the path
    the operator created the workload              → NoOp: its manifest has the variables
    the values are kept (``domain/adoption.py``), or
    variables and probe paths are right            → NoOp, or Apply to own them again after a suspension
    another object sets the pod template back      → Blocked(TemplateElsewhere)
    another manager keeps changing the fields      → Blocked(FieldContested)
    otherwise                                      → Apply: all fields of the operator in one write
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from chainlit_operator.domain import chainlit, diagnosis, field_conflicts, paths
from chainlit_operator.domain.chainlit import PARENT_ROOT_PATH, ROOT_PATH
from chainlit_operator.domain.field_managers import FIELD_MANAGER
from chainlit_operator.domain.model import Basis, Container, FieldConflict, Snapshot, Variable, Workload
from chainlit_operator.domain.probes import is_resumed, probe_warnings, wanted_probe_paths
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import Resolved, Unresolved
from chainlit_operator.domain.rule import Rule, first_fault

Fields = tuple[tuple[str, str], ...]
"""Pairs of a field (a variable or a probe) and its value."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """Nothing may be written: the reason, and a message that names the remedy."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class NoOp:
    """The workload is as it must be."""


@dataclass(frozen=True, slots=True)
class Apply:
    """One server-side apply. It has all fields of the operator: an apply gives up the ownership of fields it omits."""

    env: Fields
    probes: Fields
    summary: str
    basis: Basis = ()
    takeovers: Fields = ()
    """(field, field manager) for each field that another manager loses."""
    changes_values: bool = True
    """False if the apply only takes back the ownership of fields that have the right values."""

    @property
    def losers(self) -> tuple[str, ...]:
        """The field managers that lose a field."""
        return tuple(sorted({manager for _, manager in self.takeovers}))


@dataclass(frozen=True, slots=True)
class Alignment:
    """The action for the workload, the memory of its field conflict after this decision, and warnings in sentences."""

    action: Apply | NoOp | Blocked
    conflict: FieldConflict | None
    warnings: tuple[str, ...] = ()


def align(
    snapshot: Snapshot, route: Resolved | Unresolved, container: Container | None, roots: paths.RootPaths | None
) -> Alignment:
    """Decide what to write into the snapshot's workload; ``roots`` are the wanted variables, None for none."""
    conflict, case = snapshot.memory.workload, Case(snapshot, route, container, roots)
    if fault := first_fault(RULES, case):
        return Alignment(Blocked(*fault), conflict)
    assert isinstance(route, Resolved)
    assert container is not None
    assert snapshot.workload is not None
    if roots is None or snapshot.app.spec.template is not None:
        return Alignment(NoOp(), conflict)
    action = _fields(snapshot, container, route, roots)
    warnings = probe_warnings(snapshot, container, route, roots)
    if isinstance(action, NoOp):
        return Alignment(action, None if conflict is None else field_conflicts.resolved(conflict), warnings)
    if snapshot.workload.template_owner:
        return Alignment(Blocked(Reason.TEMPLATE_ELSEWHERE, _elsewhere(snapshot.workload, action)), conflict, warnings)
    state = snapshot.workload.template_digest
    basis = (*_basis(snapshot, snapshot.workload, container), action.env, action.probes)
    if conflict is None:
        conflict = field_conflicts.remembered(snapshot.app, route.status, basis, state, action.losers)
    manager = field_conflicts.winner(conflict, basis, state, snapshot.monotonic)
    if conflict is not None and manager and action.changes_values:
        blocked = Blocked(Reason.FIELD_CONTESTED, _contested(snapshot.workload, container, action, manager))
        return Alignment(blocked, field_conflicts.yield_to_winner(conflict, state))
    return Alignment(replace(action, basis=basis), conflict, warnings)


def _basis(snapshot: Snapshot, workload: Workload, container: Container) -> Basis:
    return (snapshot.app.uid, snapshot.app.generation, workload.uid, container.image)


def _contested(workload: Workload, container: Container, action: Apply, manager: str) -> str:
    remedy = "Remove the variable and the probe paths from the manifests of that manager"
    if workload.list_managers:
        remedy = f"Its containers are one field, so set the values in the manifests of that manager: {action.summary}"
    return (
        f"Field manager {manager!r} keeps changing {ROOT_PATH} of container {container.name} in {workload.ref}, so the "
        f"operator stopped writing. {remedy}, or set spec.suspend: true."
    )


def _elsewhere(workload: Workload, action: Apply) -> str:
    return (
        f"{workload.template_owner} sets the pod template of {workload.ref} back, so the operator does not write it. "
        f"Set in the template of {workload.template_owner}: {action.summary}."
    )


# ------------------------------------------------------------------------------------------------------ the rules


class Case(NamedTuple):
    """What the rules read: the snapshot, its route, and the container that runs Chainlit (None: not found)."""

    snapshot: Snapshot
    route: Resolved | Unresolved
    container: Container | None
    roots: paths.RootPaths | None


def app_is_not_suspended(case: Case) -> str:
    """The app must not be suspended."""
    if not case.snapshot.app.spec.suspend:
        return ""
    return "spec.suspend is true: the operator writes nothing until it is false."


def names_are_free(case: Case) -> str:
    """The names of the objects to create must be free."""
    return case.route.message if isinstance(case.route, Unresolved) and case.route.reason is Reason.NAME_TAKEN else ""


def workload_exists(case: Case) -> str:
    """The workload must exist."""
    return case.route.message if case.snapshot.workload is None and isinstance(case.route, Unresolved) else ""


def template_is_known(case: Case) -> str:
    """The pod template must be in the workload."""
    return case.snapshot.workload.missing_template if case.snapshot.workload is not None else ""


def named_container_exists(case: Case) -> str:
    """The container that the app names must exist."""
    wanted, workload = case.snapshot.app.spec.container, case.snapshot.workload
    if case.container is not None or workload is None or wanted is None:
        return ""
    return (
        f"{workload.ref} has no container {wanted!r} (it has {_names(workload)}). Correct spec.workload.ref.container."
    )


def named_port_exists(case: Case) -> str:
    """A port that the app names must be a port of the container."""
    port, container = case.snapshot.app.spec.port, case.container
    if container is None or not isinstance(port, str) or container.port_number(port) is not None:
        return ""
    ports = ", ".join(name for name, _ in container.ports if name) or "none with a name"
    return (
        f"Container {container.name} of {case.snapshot.app.workload} has no port {port!r} (it has {ports}). Correct "
        "spec.workload.ref.port, or set it to a number."
    )


def container_is_clear(case: Case) -> str:
    """If the app names no container, a name, a command or the port behind the route must show which one it is."""
    workload = case.snapshot.workload
    if case.container is not None or workload is None:
        return ""
    return (
        f"{workload.ref} has several containers ({_names(workload)}), none is called {chainlit.CONTAINER}, and neither "
        "their commands nor the port behind the route show which one runs Chainlit. Set spec.workload.ref.container or "
        "spec.workload.ref.port."
    )


def _names(workload: Workload) -> str:
    return ", ".join(container.name for container in workload.containers)


def workload_is_free(case: Case) -> str:
    """No older ChainlitApp may manage the workload."""
    other, workload = case.snapshot.claimed_by, case.snapshot.app.workload
    if not other:
        return ""
    return f"ChainlitApp {other} is older and already manages {workload}. Delete one of the two ChainlitApps."


def variables_are_values(case: Case) -> str:
    """The variables must have plain values: no ``valueFrom``, and no reference to a variable that has it."""
    app, container = case.snapshot.app, case.container
    if app.spec.mount_path or container is None:
        return ""
    for name, variable in _variables(container):
        if variable is not None and variable.value is None:
            return (
                f"Container {container.name} of {app.workload} sets {name} with valueFrom, or refers to a variable "
                "that has it, so the operator neither knows nor sets its value. Remove this env entry."
            )
    return ""


def route_is_resolved(case: Case) -> str:
    """The route must give a path."""
    if isinstance(case.route, Resolved):
        return ""
    return f"No path could be resolved ({case.route.reason}). See the condition RouteResolved."


def command_has_right_root_path(case: Case) -> str:
    """The command must not set another root path, which would win over the variable."""
    container, roots = case.container, case.roots
    option = container.root_path_option if container is not None else None
    if container is None or roots is None or option is None or option.value == roots.root_path:
        return ""
    has = f"The command of container {container.name} in {case.snapshot.app.workload} has {chainlit.ROOT_PATH_OPTION}"
    needs, remedy = f"the route needs {roots.root_path or '/'}", f"write {chainlit.ROOT_PATH_OPTION} $({ROOT_PATH})"
    if option.value is None:
        return (
            f"{has} with a value that the operator cannot read, or for another server than Chainlit, and {needs}. "
            f"If the option is Chainlit's, {remedy}; if another app mounts Chainlit, set spec.mountPath."
        )
    return (
        f"{has} with {option.value[:100]!r}, which wins over {ROOT_PATH}, and {needs}. Remove the option, or {remedy}."
    )


RULES: tuple[Rule[Case], ...] = (
    Rule(Reason.SUSPENDED, app_is_not_suspended),
    Rule(Reason.NAME_TAKEN, names_are_free),
    Rule(Reason.WORKLOAD_NOT_FOUND, workload_exists),
    Rule(Reason.TEMPLATE_ELSEWHERE, template_is_known),
    Rule(Reason.CONTAINER_NOT_FOUND, named_container_exists),
    Rule(Reason.CONTAINER_AMBIGUOUS, container_is_clear),
    Rule(Reason.PORT_NOT_FOUND, named_port_exists),
    Rule(Reason.WORKLOAD_CLAIMED, workload_is_free),
    Rule(Reason.VARIABLE_FROM_SOURCE, variables_are_values),
    Rule(Reason.ROUTE_NOT_RESOLVED, route_is_resolved),
    Rule(Reason.ROOT_PATH_IN_COMMAND, command_has_right_root_path),
)


# ------------------------------------------------------------------------------------------------- what to write


def _variables(container: Container) -> tuple[tuple[str, Variable | None], ...]:
    return (ROOT_PATH, container.root_path), (PARENT_ROOT_PATH, container.parent_root_path)


def _fields(snapshot: Snapshot, container: Container, route: Resolved, roots: paths.RootPaths) -> Apply | NoOp:
    env = tuple(_wanted_env(container, roots))
    probes = wanted_probe_paths(snapshot, container, route, roots)
    is_elsewhere = snapshot.answers_elsewhere
    if is_elsewhere and not snapshot.is_written:
        # An app that people use below the route's path, by a value from elsewhere, stays there.
        is_elsewhere = not diagnosis.may_be_below_route(snapshot, route, container)
    changes = dict(_changes(container, env, probes, is_elsewhere=is_elsewhere))
    if not changes:
        return _own_again(snapshot, container, env, probes)
    # The API server fills in "/", which counts as set by the manager that created the probe.
    filled_in = {probe.field for probe in container.probes if probe.path == "/"}
    takeovers = tuple(
        (name, manager)
        for name, manager in container.owners
        if name in changes and name not in filled_in and manager != FIELD_MANAGER
    )
    return Apply(env, probes, "; ".join(changes.values()), takeovers=takeovers)


def _wanted_env(container: Container, roots: paths.RootPaths) -> Iterator[tuple[str, str]]:
    """The variables that ``env`` must contain: those with a value, and empty ones that would have another value.

    Chainlit reads an empty variable as unset. So the operator empties a variable that must be unset, and the manager
    that wrote it may remove it. With ``envFrom`` an absent variable may still have a value. The root path in a command
    wins over its variable.
    """
    for (name, now), value in zip(_variables(container), roots, strict=True):
        if name == ROOT_PATH and container.root_path_option is not None:
            continue
        if value or now is not None or container.has_env_from:
            yield name, value


def _changes(container: Container, env: Fields, probes: Fields, *, is_elsewhere: bool) -> Iterator[tuple[str, str]]:
    """Each field that differs, with a description of the change.

    ``envFrom`` mostly has other variables. So an absent variable that must be empty counts only if the app
    ``is_elsewhere``.
    """
    variables, paths_now = dict(_variables(container)), {probe.field: probe.path for probe in container.probes}
    for name, value in env:
        now = variables[name]
        if (now is None and (value or is_elsewhere)) or (now is not None and now.value != value):
            yield name, f"{name}={value!r} (was {_quoted(now)})"
    for field, path in probes:
        if paths_now[field] != path:
            yield field, f"{field} path {path!r} (was {paths_now[field]!r})"


def _quoted(variable: Variable | None) -> str:
    return "unset" if variable is None else repr((variable.value or "")[:100])


def _own_again(snapshot: Snapshot, container: Container, env: Fields, probes: Fields) -> Apply | NoOp:
    """Own the fields again after a suspension, which released them, unless another manager owns one of them now."""
    names = {name for name, _ in (*env, *probes)}
    is_free = not any(name in names for name, _ in container.owners)
    # A patch without a change gives no ownership.
    is_patched = snapshot.workload is not None and snapshot.workload.is_patched
    if not is_resumed(snapshot.app) or not env or not is_free or is_patched:
        return NoOp()
    return Apply(env, probes, f"owns {', '.join(sorted(names))} again, as they are", changes_values=False)
