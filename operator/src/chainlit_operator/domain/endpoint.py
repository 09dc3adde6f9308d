"""The endpoint of an app in its pods: the container that runs Chainlit, and the port that Chainlit listens on.

The spec says both. Otherwise the container's name and command, and the ports that routes lead to, show them. A pod may
have other containers, such as a login proxy, and a container other ports, such as a dashboard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from chainlit_operator.domain import chainlit, paths
from chainlit_operator.domain.model import (
    ALL_PORTS,
    App,
    Container,
    Pods,
    Route,
    RoutePath,
    Service,
    ServicePort,
    Snapshot,
    Speaking,
    SpeakingPort,
    Workload,
    backend_name,
)
from chainlit_operator.domain.route_paths import is_own_route, prefix_of

Target = int | str
"""The port of pods behind a Service's port: a number, or the name of a container port."""

_PORT_OPTION = re.compile(r"(?:^|\s)--port[=\s]+[\"']?(?:([0-9]{1,5})\b|\$[({]?([A-Za-z_][A-Za-z0-9_]*))")
#: Between the commands of a script.
_SEPARATOR = re.compile(r"[;&|\n]+")
_RUNS_CHAINLIT = re.compile(r"\bchainlit\s+run\b")
#: Names of ports that serve people, the clearest first.
_NAMES = (chainlit.CONTAINER, "http", "web", "ui")
#: Words in the image names of proxies: a port of such a container leads to Chainlit only by way of the proxy.
_PROXIES = re.compile(r"proxy|nginx|envoy|caddy|traefik|httpd|haproxy")


class Endpoint(NamedTuple):
    """The container that runs Chainlit (None: it is not clear), and Chainlit's port (None: it is not known).

    ``targets`` are the ports of the pods that lead to Chainlit, None for all: its own port, or that of a proxy beside
    it. ``candidates`` are the ports of the container that routes lead to, where only the pods can tell which of them is
    Chainlit's. ``question`` asks them, None where the port is clear; ``told`` is the port that they told.
    """

    container: Container | None
    port: int | None = None
    targets: frozenset[Target] | None = None
    candidates: tuple[int, ...] = ()
    question: SpeakingPort | None = None
    told: int | None = None

    def counts(self, target: Target | None) -> bool:
        """Whether requests for a port of the pods reach Chainlit, as far as that is known."""
        return target is None or self.targets is None or target in self.targets


def option_of(words: Iterable[str], env: Mapping[str, str | None]) -> int | None:
    """Return the port that a command line gives Chainlit; None if it gives none, or one that is not clear.

    ``words`` are those of ``command`` and ``args``, ``env`` the values of the container's variables. A script may start
    other programs, too: where one of its commands runs Chainlit, only the option of that command counts.
    """
    commands = _SEPARATOR.split(" ".join(words))
    own = [command for command in commands if _RUNS_CHAINLIT.search(command)] or commands
    texts = {found[1] or env.get(found[2]) for command in own for found in _PORT_OPTION.finditer(command)}
    return number_of(texts.pop() or "") if len(texts) == 1 else None


def number_of(text: str) -> int | None:
    """Return the port of a text; None if it is none."""
    is_number = len(text) <= 5 and text.isascii() and text.isdecimal()
    return int(text) if is_number and 0 < int(text) < 65536 else None


def target_of(service: Service | None, port: int | str) -> Target | None:
    """Return the pods' port behind a port of a Service; None if there is no such port."""
    found = service.port_of(port) if service is not None else None
    return None if found is None else found.port if found.target is None else found.target


def with_service_ports(route: Route, services: Iterable[Service], workload: Workload | None) -> Route:
    """Return the route with the ports of these Services in place of the pods' ports that its paths name.

    A path keeps port 0 where no port of the Service leads to that port of the workload's pods, or where all ports of
    the Service take requests and lead to different ones.
    """
    if workload is None or all(path.target_port is None for path in route.paths):
        return route
    by_name = {backend_name(route.ref.namespace, service.ref): service for service in services}
    named = {(path.service, path.target_port) for path in route.paths if path.service in by_name}
    ports = {
        (name, target): _service_port(by_name[name], target, workload) for name, target in named if target is not None
    }
    paths = (
        replace(path, port=ports[key]) if (key := (path.service, path.target_port)) in ports else path
        for path in route.paths
    )
    return replace(route, paths=tuple(paths))


def _service_port(service: Service, target: int, workload: Workload) -> int:
    """The first port of a Service that leads to a port of the pods, or to all of them; 0 if there is none."""
    numbers = {port.port: _pod_ports(port, workload) for port in service.ports}
    if target == ALL_PORTS:
        is_one = len(set(numbers.values())) == 1
        return next(iter(numbers)) if is_one else 0
    return next((port for port, found in numbers.items() if target in found), 0)


def _pod_ports(port: ServicePort, workload: Workload) -> frozenset[int]:
    """The numbers of the pods' ports behind a port of a Service; none for a name that no container has."""
    target = port.port if port.target is None else port.target
    if isinstance(target, int):
        return frozenset((target,))
    ports = (*(each for container in workload.containers for each in container.ports), *workload.sidecar_ports)
    return frozenset(number for name, number in ports if name == target)


def find(snapshot: Snapshot) -> Endpoint:
    """Return the endpoint of the snapshot's app."""
    if snapshot.workload is None:
        return Endpoint(None)
    prefixes = _prefixes(snapshot)
    container = _container(snapshot.app, snapshot.workload, prefixes)
    if container is None:
        return Endpoint(None)
    foreign = {number for _, number in snapshot.workload.ports_beside(container)}
    ports = {target: container.port_number(target) for target in prefixes}
    stated = snapshot.app.spec.port if snapshot.app.spec.port is not None else container.port_option
    port, candidates = _port(container, ports.values(), foreign)
    if stated is not None:
        port, candidates = container.port_number(stated), ()
    question = _question(snapshot, snapshot.workload, container, candidates)
    told = _told(snapshot, question)
    port = told or port
    if port is None:
        return Endpoint(container, candidates=candidates, question=question)
    direct = {target for target, number in ports.items() if number == port}
    proxies = {target for target, number in ports.items() if number is None or number in foreign}
    targets = _targets(prefixes, direct, proxies, is_certain=stated is not None)
    return Endpoint(container, port, targets, candidates, question, told)


def _question(
    snapshot: Snapshot, workload: Workload, container: Container, candidates: tuple[int, ...]
) -> SpeakingPort | None:
    """The question to the pods; None where no port is in doubt."""
    if not candidates or not snapshot.services:
        return None
    present = container.root_path.value if container.root_path is not None else None
    prefixes = (paths.normalise(text) for text in (present or "", snapshot.app.spec.mount_path, ""))
    return SpeakingPort(Pods(snapshot.services[0].ref, workload.uid, 0), candidates, tuple(dict.fromkeys(prefixes)))


def _told(snapshot: Snapshot, question: SpeakingPort | None) -> int | None:
    """The port that the pods tell, or told before: the status has it, so that a restart changes nothing."""
    if question is None:
        return None
    answer, known = snapshot.answer(question), snapshot.app.status.workload
    if isinstance(answer, Speaking) and answer.port:
        return answer.port
    return known.port if known is not None and known.port in question.ports else None


def port_of(snapshot: Snapshot, container: Container) -> int:
    """Return the most likely port of Chainlit in its container."""
    return find(snapshot).port or next((number for _, number in container.ports), chainlit.PORT)


def port_past_proxy(snapshot: Snapshot, container: Container, service: Service, port: int | str) -> int | None:
    """Return Chainlit's port, if a port of the Service leads to another container beside it; None if it does not.

    Such a container is a login proxy: it answers everybody but the browsers of its users.
    """
    target, workload = target_of(service, port), snapshot.workload
    if target is None or workload is None or _has(container, target):
        return None
    is_foreign = any(target in port for port in workload.ports_beside(container))
    return port_of(snapshot, container) if is_foreign else None


Prefixes = dict[Target, set[str]]
"""The ports of an app's pods that routes lead to, each with the prefixes of the paths that lead there."""


def _prefixes(snapshot: Snapshot) -> Prefixes:
    found: Prefixes = {}
    for route in snapshot.routes:
        for path, service in paths_to(route, snapshot.services):
            target = target_of(service, path.port)
            if target is not None:
                found.setdefault(target, set()).add(prefix_of(path))
    if not snapshot.routes:
        ports = [port for service in snapshot.services for port in service.ports]
        found = {port.port if port.target is None else port.target: set() for port in ports}
    return found


def _targets(
    prefixes: Prefixes, direct: set[Target], proxies: set[Target], *, is_certain: bool
) -> frozenset[Target] | None:
    """The ports that lead to Chainlit. None where no port does, unless it is certain which port Chainlit has.

    A proxy beside Chainlit counts where no path leads to Chainlit itself, or only a path of Chainlit's own below the
    path of the proxy, such as one without login. Else the other container is another app.
    """
    if not direct:
        return frozenset(proxies) if proxies or is_certain else None
    shortest = min((prefix for target in direct for prefix in prefixes[target]), key=len, default="")
    above = {target for target in proxies if any(is_own_route(shortest, prefix) for prefix in prefixes[target])}
    return frozenset(direct | above)


def paths_to(route: Route, services: Iterable[Service]) -> Iterable[tuple[RoutePath, Service]]:
    """Yield the paths of a route that lead to one of these Services, each path with its Service."""
    by_name = {backend_name(route.ref.namespace, service.ref): service for service in services}
    for path in route.paths:
        if path.service in by_name:
            yield path, by_name[path.service]


def _container(app: App, workload: Workload, targets: Iterable[Target]) -> Container | None:
    """The container that runs Chainlit: the stated one, the only one, else the one that is clear."""
    containers, wanted = workload.containers, app.spec.port
    if app.spec.container is not None:
        return next((found for found in containers if found.name == app.spec.container), None)
    if len(containers) == 1:
        return containers[0]
    if wanted is not None:
        return _only(found for found in containers if _has(found, wanted))
    return (
        _only(found for found in containers if found.name == chainlit.CONTAINER)
        or _only(found for found in containers if found.mentions_chainlit)
        or _only_without_proxy(found for found in containers if any(_has(found, target) for target in targets))
    )


def _only(found: Iterable[Container]) -> Container | None:
    containers = [*found]
    return containers[0] if len(containers) == 1 else None


def _only_without_proxy(found: Iterable[Container]) -> Container | None:
    container = _only(found)
    is_proxy = container is not None and _PROXIES.search(container.image.rpartition("/")[2].partition(":")[0])
    return None if is_proxy else container


def _has(container: Container, target: Target) -> bool:
    """Whether a container declares a port, by number or name."""
    return any(target in port for port in container.ports)


def _port(container: Container, reached: Iterable[int | None], foreign: set[int]) -> tuple[int | None, tuple[int, ...]]:
    """Chainlit's port of those that routes reach, and the candidates if nothing but the pods can tell which it is.

    ``foreign`` are the ports of other containers.
    """
    declared = {number for _, number in container.ports}
    ports = sorted({n for n in reached if n is not None and (n in declared or n not in foreign)})
    if len(ports) <= 1:
        return (ports[0] if ports else None), ()
    names = {name: number for name, number in container.ports if number in ports}
    known = container.port_variable if container.port_variable in ports else None
    known = known or next((names[name] for name in _NAMES if name in names), None)
    if known is not None:
        return known, ()
    return (chainlit.PORT if chainlit.PORT in ports else None), tuple(ports)
