"""Probe paths: where the kubelet's HTTP probes must ask when the root path changes."""

from __future__ import annotations

from chainlit_operator.domain import chainlit
from chainlit_operator.domain.model import Container, Snapshot
from chainlit_operator.domain.paths import RootPaths, is_below, normalise
from chainlit_operator.domain.resolution import Resolved


def wanted_probe_paths(
    snapshot: Snapshot, container: Container, route: Resolved, wanted: RootPaths
) -> tuple[tuple[str, str], ...]:
    """Return (probe, path) for each HTTP probe of Chainlit's own port. Probes of other ports stay as they are."""
    former = [container.root_path.value] if container.root_path and container.root_path.value else []
    former.append(snapshot.app.status.root_path or "")
    prefixes = tuple(normalise(value) for value in former)
    serving = _container_port(snapshot, container, route)
    ports = _probed_ports(container, (wanted.root_path, *prefixes)) if serving is None else {serving}
    return tuple(
        (probe.field, probe_path(probe.path, wanted.root_path, prefixes))
        for probe in container.probes
        if container.port_number(probe.port) in (*ports, None)
    )


def is_probe_endpoint(path: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a probe of ``path`` requests Chainlit: one of its endpoints, or a path below one of ``prefixes``."""
    path = path.partition("?")[0]
    return path.endswith(chainlit.PROBE_ENDPOINTS) or any(prefix and is_below(path, prefix) for prefix in prefixes)


def probe_path(path: str, root_path: str, former_prefixes: tuple[str, ...]) -> str:
    """Return the path below ``root_path`` for a probe that requests ``path`` now.

    First the longest of ``root_path`` and ``former_prefixes`` is removed from the path. If that prefix is not
    ``root_path``, Chainlit's own endpoints are recognised by their end, so that one write is enough for any prefix.
    ``/`` becomes ``<root path>/health``, which every release answers: below a root path ``/`` answers 404, and the API
    server fills in ``/`` for a probe without a path. The kubelet reads ``health`` as ``/health``.
    """
    if path in ("", "/"):
        return f"{root_path}{chainlit.PROBE_ENDPOINT}" if root_path else path
    given = path
    path, mark, query = f"/{path.removeprefix('/')}".partition("?")
    carrying = (prefix for prefix in (root_path, *former_prefixes) if prefix and is_below(path, prefix))
    carried = max(carrying, key=len, default="")
    path = path.removeprefix(carried) or "/"
    if not carried or carried != root_path:
        path = next((endpoint for endpoint in chainlit.PROBE_ENDPOINTS if path.endswith(endpoint)), path)
    found = f"{root_path}{path}{mark}{query}"
    return given if found == f"/{given}" else found


def _probed_ports(container: Container, prefixes: tuple[str, ...]) -> set[int | None]:
    """The ports of Chainlit's probes: the only port, else those with Chainlit's paths, else the most likely one."""
    asked = [(probe.path, container.port_number(probe.port)) for probe in container.probes]
    ports = {port for _, port in asked}
    if len(ports) <= 1:
        return ports
    known = {port for path, port in asked if is_probe_endpoint(path, prefixes)}
    known = known or {port for path, port in asked if path in ("", "/")}
    return known or {container.ports[0][1] if container.ports else chainlit.PORT}


def _container_port(snapshot: Snapshot, container: Container, route: Resolved) -> int | None:
    """The number of the container port behind the route; None where it cannot be found.

    A proxy in the same pod may be behind the route: its port is not a port of the container. Containers need not
    declare ports. A container without declared ports that is not alone in its pod has the ports of its probes.
    """
    port = next((found for found in route.service.ports if found.matches(route.service_port)), None)
    number = None if port is None else container.port_number(port.port if port.target is None else port.target)
    declared: set[int | None] = {own for _, own in container.ports}
    workload = snapshot.workload
    assert workload is not None  # the container is one of its own
    if not declared and (len(workload.containers) > 1 or workload.has_sidecars):
        declared = {container.port_number(probe.port) for probe in container.probes}
    foreign = {theirs for other in workload.containers if other.name != container.name for _, theirs in other.ports}
    return None if number in foreign or (declared and number not in declared) else number
