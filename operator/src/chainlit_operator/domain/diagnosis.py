"""The diagnosis of pods: what to ask them when an app does not work, and what the condition says about the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from chainlit_operator import ip_addresses
from chainlit_operator.domain import chainlit, endpoint, paths
from chainlit_operator.domain.model import (
    LASTING,
    Cause,
    Condition,
    Container,
    Finding,
    Pods,
    Question,
    Snapshot,
    Whereabouts,
    WhyUnready,
    Workload,
)
from chainlit_operator.domain.reasons import ELSEWHERE, Reason
from chainlit_operator.domain.resolution import Resolved

#: So many other prefixes are asked; each costs one request to a pod.
_MAX_PREFIXES = 8
#: A pod that starts shows the same for a moment, so these causes are said when they are found twice in a row.
_SOON_OVER = frozenset({Cause.NOT_LISTENING, Cause.PROBE, Cause.UNREACHABLE, Cause.ELSE})


def questions(snapshot: Snapshot, route: Resolved, container: Container) -> tuple[Question, ...]:
    """Return the questions about an aligned app; none where it works, and where it has no pods to ask."""
    workload = snapshot.workload
    if workload is None:
        return ()
    if workload.is_rolled_out:
        found = snapshot.verification
        is_elsewhere = found is not None and found.app_reason in ELSEWHERE and not snapshot.app.spec.mount_path
        return (whereabouts(snapshot, route, container, workload),) if is_elsewhere else ()
    if workload.rollout.desired == 0 or workload.rollout.paused_by:
        return ()
    return (_why_unready(whereabouts(snapshot, route, container, workload), container),)


def whereabouts(snapshot: Snapshot, route: Resolved, container: Container, workload: Workload) -> Whereabouts:
    """Return the question where Chainlit answers, if it does not do so at the place of the route."""
    pods = Pods(route.service.ref, workload.uid, workload.generation)
    prefixes = _prefixes(snapshot, route, container)
    return Whereabouts(pods, endpoint.port_of(snapshot, container), route.app_prefix, prefixes)


def _why_unready(where: Whereabouts, container: Container) -> WhyUnready:
    others = {number for _, number in container.ports} | {chainlit.PORT}
    probes = (
        (probe.field, number, probe.path)
        for probe in container.probes
        if (number := container.port_number(probe.port)) is not None
    )
    return WhyUnready(where, tuple(sorted(others - {where.port})), tuple(probes))


def _prefixes(snapshot: Snapshot, route: Resolved, container: Container) -> tuple[str, ...]:
    """Other prefixes that Chainlit may have: of the route now and before, of a mount, and of probes."""
    status, mount = snapshot.app.status, chainlit.MOUNT_PATH
    found = [route.backend_prefix, route.public_prefix, status.root_path or ""]
    found.append(paths.normalise(status.route.path) if status.route is not None else "")
    found += [*_parents(probe.path for probe in container.probes), mount, route.backend_prefix + mount]
    wanted = (prefix for prefix in found if prefix and prefix != route.app_prefix and not paths.problem(prefix))
    return tuple(dict.fromkeys(wanted))[:_MAX_PREFIXES]


def _parents(probed: Iterable[str]) -> Iterator[str]:
    """All prefixes of paths: ``/a/b`` and ``/a`` of ``/a/b/health``."""
    for path in probed:
        parent = paths.normalise(path).rpartition("/")[0]
        while parent:
            yield parent
            parent = parent.rpartition("/")[0]


def finding(snapshot: Snapshot, asked: Iterable[Question]) -> Finding | None:
    """Return the finding among the answers; None as long as there is none."""
    answers = (snapshot.answer(question) for question in asked)
    return next((answer for answer in answers if isinstance(answer, Finding)), None)


def may_be_below_route(snapshot: Snapshot, route: Resolved, container: Container) -> bool:
    """Return whether Chainlit answers below the place of the route, by a value that the operator does not see.

    It may, as long as the pods have not said where it answers.
    """
    if snapshot.workload is None or not snapshot.workload.is_rolled_out:
        return False
    found = snapshot.answer(whereabouts(snapshot, route, container, snapshot.workload))
    if not isinstance(found, Finding):
        return found is None
    return found.cause is Cause.OWN_ROOT_PATH and paths.is_below(found.prefix, route.app_prefix)


def explained(condition: Condition, found: Finding | None, container: Container, route: Resolved) -> Condition:
    """Return the condition of an app that does not work, with what its pods say.

    Where the cause is certain, the condition has its reason. Otherwise the message says what was seen.
    """
    if found is None or found.cause is Cause.NOTHING or (found.cause in _SOON_OVER and found.times == 1):
        return condition
    reason, text = _CAUSES[found.cause](found, container, route)
    is_failed = condition.status == "False" or found.times >= LASTING
    if reason is not None and (is_failed or found.cause is not Cause.NOT_LISTENING):
        return replace(condition, status="False", reason=str(reason), message=text)
    return replace(condition, message=f"{condition.message} {text}")


# ------------------------------------------------------------------- reason (None: no cause) and sentences of a finding

_Said = tuple[Reason | None, str]


def _own_root_path(found: Finding, container: Container, route: Resolved) -> _Said:
    at, option = found.prefix, chainlit.ROOT_PATH_OPTION
    who, undo = "The image", f"Let the image start Chainlit without {option}"
    if container.has_env_from:
        who, undo = "The image or envFrom", f"Remove {option} or {chainlit.ROOT_PATH} there"
    is_served = paths.is_below(at, route.app_prefix)
    otherwise = f"state the URL of {at} in spec.route.url" if is_served else f"give the route the path {at}"
    text = (
        f"{who} of container {container.name} sets a root path of its own: Chainlit answers at {at} instead of "
        f"{route.app_prefix or '/'}. {undo}, or {otherwise}."
    )
    return Reason.ROOT_PATH_IN_IMAGE, text


def mounted(found: Finding, container: Container, route: Resolved) -> _Said:
    """Return reason and message for an app that mounts Chainlit elsewhere."""
    text = (
        f"Another app in container {container.name} mounts Chainlit: it answers at {found.prefix} instead of "
        f"{route.app_prefix or '/'}. Set spec.mountPath: {found.prefix}."
    )
    return Reason.MOUNT_PATH_MISSING, text


def _other_port(found: Finding, _: Container, route: Resolved) -> _Said:
    text = (
        f"Chainlit listens on port {found.port} of a pod, and Service {route.service.ref.name} leads to another one. "
        f"Set the targetPort of the Service to {found.port}."
    )
    return Reason.NOTHING_LISTENS, text


def _not_listening(found: Finding, container: Container, route: Resolved) -> _Said:
    why = "listens on 127.0.0.1 only: start it with --host 0.0.0.0."
    if ip_addresses.is_ipv6(route.service.cluster_ip):
        why = "does not listen on IPv6: start it without --host, and with CHAINLIT_HOST set to the empty text."
    text = (
        f"Nothing listens on port {found.port} of a pod. Container {container.name} may still be starting, or Chainlit"
    )
    return Reason.NOTHING_LISTENS, f"{text} {why}"


def _probe(found: Finding, container: Container, route: Resolved) -> _Said:
    """Of all statuses only 404 does not change by itself."""
    path = {probe.field: probe.path for probe in container.probes}[found.probe]
    text = f"The {found.probe} of container {container.name} asks {path} and gets status {found.status}."
    if found.status != 404:
        return None, text
    remedy = f"Let it ask {route.app_prefix}{chainlit.PROBE_ENDPOINT}, or a path that the app has."
    return Reason.PROBE_PATH_NOT_FOUND, f"{text} {remedy}"


def _unreachable(found: Finding, _: Container, __: Resolved) -> _Said:
    return None, f"The operator gets no connection to port {found.port} of a pod."


def _else(found: Finding, _: Container, route: Resolved) -> _Said:
    status = f"status {found.status}" if found.status else "no usable answer"
    return None, f"A pod answers with {status} where Chainlit's socket should be, below {route.app_prefix or '/'}."


_CAUSES: Mapping[Cause, Callable[[Finding, Container, Resolved], _Said]] = {
    Cause.OWN_ROOT_PATH: _own_root_path,
    Cause.MOUNTED: mounted,
    Cause.OTHER_PORT: _other_port,
    Cause.NOT_LISTENING: _not_listening,
    Cause.PROBE: _probe,
    Cause.UNREACHABLE: _unreachable,
    Cause.ELSE: _else,
}
