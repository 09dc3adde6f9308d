"""Probe paths: where the kubelet's HTTP probes must ask when the root path changes."""

from __future__ import annotations

from chainlit_operator.domain import chainlit
from chainlit_operator.domain.field_managers import FIELD_MANAGER
from chainlit_operator.domain.model import App, Container, PathAnswer, PathKind, Pods, Probe, Snapshot
from chainlit_operator.domain.paths import RootPaths, is_below, normalise
from chainlit_operator.domain.reasons import ConditionType, Reason
from chainlit_operator.domain.resolution import Resolved


def wanted_probe_paths(
    snapshot: Snapshot, container: Container, route: Resolved, wanted: RootPaths
) -> tuple[tuple[str, str], ...]:
    """Return (probe, path) for each HTTP probe that the operator owns or has to change.

    Only probes of Chainlit's own port and of Chainlit's own paths change, and only with the root path: any other path
    is the app's own. What others change in a workload that the operator has written to is set back.
    """
    prefixes = _known_prefixes(snapshot, container)
    changes = _changes_probes(snapshot, container, wanted)
    found = []
    for probe in _of_chainlit(container.probes, snapshot, container, route, wanted):
        is_catch_all = snapshot.answers.get(_question(snapshot, container, route, probe)) is PathKind.CATCH_ALL
        moves = changes and (is_catch_all or asks_chainlit(probe.path, (wanted.root_path, *prefixes)))
        if moves or (probe.field, FIELD_MANAGER) in container.owners:
            path = probe_path(probe.path, wanted.root_path, prefixes, is_catch_all=is_catch_all)
            found.append((probe.field, path))
    return tuple(found)


def path_questions(
    snapshot: Snapshot, container: Container, route: Resolved, wanted: RootPaths
) -> tuple[PathAnswer, ...]:
    """Return the questions whether Chainlit answers the other paths of its probes, before the root path leaves ``/``.

    Below a root path Chainlit does not answer them, so there they belong to the app.
    """
    if not wanted.root_path or _present_root_path(container):
        return ()
    return tuple(
        _question(snapshot, container, route, probe)
        for probe in _of_chainlit(container.probes, snapshot, container, route, wanted)
        if not asks_chainlit(probe.path, (wanted.root_path, *_known_prefixes(snapshot, container)))
    )


def _question(snapshot: Snapshot, container: Container, route: Resolved, probe: Probe) -> PathAnswer:
    assert snapshot.workload is not None  # the container is one of its own
    pods = Pods(route.service.ref, snapshot.workload.uid, snapshot.workload.generation)
    return PathAnswer(pods, container.port_number(probe.port) or chainlit.PORT, probe.path)


def probe_warnings(snapshot: Snapshot, container: Container, route: Resolved, wanted: RootPaths) -> tuple[str, ...]:
    """Return a sentence for each probe that the operator does not change, and that Chainlit answers with 404."""
    root_path, prefixes = wanted.root_path, _known_prefixes(snapshot, container)
    untouched = () if _changes_probes(snapshot, container, wanted) else container.probes
    return tuple(
        f"The {probe.field}{how} asks {probe.path[:100]}, which answers 404 with root path {root_path}: let it ask "
        f"{probe_path(probe.path, root_path, prefixes)[:100]}."
        for how, probes in (("", untouched), (" (exec)", container.exec_requests))
        for probe in _of_chainlit(probes, snapshot, container, route, wanted)
        if root_path and not is_below(_path(probe.path), root_path) and asks_chainlit(probe.path, prefixes)
    )


def _known_prefixes(snapshot: Snapshot, container: Container) -> tuple[str, ...]:
    """The root paths that the app has or had, in normal form."""
    present = (container.root_path_option, container.root_path)
    values = [variable.value or "" for variable in present if variable is not None]
    return tuple(normalise(value) for value in (*values, snapshot.app.status.root_path or ""))


def _changes_probes(snapshot: Snapshot, container: Container, wanted: RootPaths) -> bool:
    """Whether the root path changes, or the operator repairs a workload that it has written to."""
    return snapshot.is_written or is_resumed(snapshot.app) or wanted.root_path != _present_root_path(container)


def _present_root_path(container: Container) -> str:
    present = container.effective_root_path
    return (present.value if present is not None else "") or ""


def is_resumed(app: App) -> bool:
    """Whether the app was suspended until now, so that its fields, if the operator had any, were released."""
    aligned = app.status.condition(ConditionType.ALIGNED)
    was_suspended = aligned is not None and aligned.reason == Reason.SUSPENDED
    return was_suspended and app.status.root_path is not None and not app.status.kept


def _of_chainlit(
    probes: tuple[Probe, ...], snapshot: Snapshot, container: Container, route: Resolved, wanted: RootPaths
) -> list[Probe]:
    """The probes of the port that Chainlit listens on. A port that is not known may be that one."""
    serving = _container_port(snapshot, container, route)
    prefixes = (wanted.root_path, *_known_prefixes(snapshot, container))
    ports = _probed_ports(container, prefixes) if serving is None else {serving}
    return [probe for probe in probes if container.port_number(probe.port) in (*ports, None)]


def asks_chainlit(path: str, prefixes: tuple[str, ...]) -> bool:
    """Whether only Chainlit can answer ``path``: it is an endpoint of its own, or lies below one of ``prefixes``."""
    path = _path(path)
    endpoint = path.rstrip("/") or "/"
    return (
        endpoint in chainlit.ENDPOINTS
        or endpoint in chainlit.PROBE_ENDPOINTS
        or f"{endpoint}/".startswith(chainlit.SUBTREES)
        or any(prefix and is_below(path, prefix) for prefix in prefixes)
    )


def is_probe_endpoint(path: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a probe of ``path`` may request Chainlit: an endpoint of any root path, or below one of ``prefixes``."""
    path = path.partition("?")[0]
    return path.endswith(chainlit.PROBE_ENDPOINTS) or any(prefix and is_below(path, prefix) for prefix in prefixes)


def probe_path(path: str, root_path: str, former_prefixes: tuple[str, ...], *, is_catch_all: bool = False) -> str:
    """Return the path below ``root_path`` for a probe that requests ``path`` now; a path of the app's own stays.

    ``is_catch_all`` says that Chainlit has answered the path, which therefore is not the app's own.

    The longest of ``root_path`` and ``former_prefixes`` is replaced. ``/`` becomes ``<root path>/health``, which every
    release answers: below a root path ``/`` answers 404, and the API server fills in ``/`` for a probe without a path.
    The kubelet reads ``health`` as ``/health``.
    """
    if path in ("", "/"):
        return f"{root_path}{chainlit.PROBE_ENDPOINT}" if root_path else path
    prefixes = (root_path, *former_prefixes)
    if not is_catch_all and not asks_chainlit(path, prefixes):
        return path
    given = path
    path, mark, query = f"/{path.removeprefix('/')}".partition("?")
    carried = max((prefix for prefix in prefixes if prefix and is_below(path, prefix)), default="")
    found = f"{root_path}{path.removeprefix(carried) or '/'}{mark}{query}"
    return given if found == f"/{given}" else found


def _path(path: str) -> str:
    """The path as the kubelet asks it, without the query."""
    return f"/{path.removeprefix('/')}".partition("?")[0]


def _probed_ports(container: Container, prefixes: tuple[str, ...]) -> set[int | None]:
    """The ports of Chainlit's probes: the only port, else those with Chainlit's paths, else the most likely one."""
    asked = [(probe.path, container.port_number(probe.port)) for probe in container.probes]
    ports = {port for _, port in asked}
    if len(ports) == 1:
        return ports
    known = {port for path, port in asked if is_probe_endpoint(path, prefixes)}
    known = known or {port for path, port in asked if path in ("", "/")}
    return known or {container.ports[0][1] if container.ports else chainlit.PORT}


def _container_port(snapshot: Snapshot, container: Container, route: Resolved) -> int | None:
    """The number of the container port behind the route; None where it cannot be found.

    A proxy in the same pod may be behind the route: its port is not a port of the container. Containers need not
    declare ports. A container without declared ports that is not alone in its pod has the ports of its probes.
    """
    port = route.service.port_of(route.service_port)
    number = None if port is None else container.port_number(port.port if port.target is None else port.target)
    declared: set[int | None] = {own for _, own in container.ports}
    workload = snapshot.workload
    assert workload is not None  # the container is one of its own
    if not declared and (len(workload.containers) > 1 or workload.has_sidecars):
        declared = {container.port_number(probe.port) for probe in container.probes}
    foreign = {theirs for _, theirs in workload.ports_beside(container)}
    return None if number in foreign or (declared and number not in declared) else number
