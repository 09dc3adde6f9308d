"""What the pods of an app that does not work are asked, and what its condition says about their answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.world import (
    app,
    assert_plain,
    container,
    ingress,
    report_of,
    service,
    snapshot,
    verified,
    workload,
)

from chainlit_operator.domain.alignment import Apply
from chainlit_operator.domain.decide import decide
from chainlit_operator.domain.field_managers import FIELD_MANAGER
from chainlit_operator.domain.model import (
    LASTING,
    NOBODY,
    Answer,
    Cause,
    Container,
    Finding,
    Pods,
    Probe,
    Question,
    Rollout,
    RouteStatus,
    ServicePort,
    Snapshot,
    Status,
    VerificationMode,
    Whereabouts,
    WhyUnready,
)
from chainlit_operator.domain.reasons import ELSEWHERE, Reason

PODS = Pods(service().ref, "uid-of-workload", 1)
ROLLING = Rollout(observed_generation=1, desired=1, total=1, updated=1, available=0)
FAILED = replace(ROLLING, failure="It exceeded its progress deadline.")
RIGHT = container("/chat", probes=(Probe("readinessProbe", "/chat/health", "http"),))
WHERE = Whereabouts(PODS, 8000, "/chat", ("/chainlit", "/chat/chainlit"))


def unready(found: Container = RIGHT, rollout: Rollout = ROLLING, **fields: Any) -> Snapshot:
    return snapshot(**({"workload": workload(found, rollout=rollout)} | fields))


def asked(snap: Snapshot) -> tuple[Question, ...]:
    return decide(snap).questions


def why(snap: Snapshot) -> WhyUnready:
    (question,) = asked(snap)
    assert isinstance(question, WhyUnready)
    return question


# ------------------------------------------------------------------------------------------------------ what is asked


def test_pods_that_do_not_become_ready_are_asked_why() -> None:
    assert asked(unready()) == (WhyUnready(WHERE, (), (("readinessProbe", 8000, "/chat/health"),)),)


def test_healthy_app_is_not_asked() -> None:
    assert asked(verified(snapshot(workload=workload(RIGHT)))) == ()
    assert asked(snapshot(workload=workload(RIGHT))) == ()


@pytest.mark.parametrize(
    "snap",
    [
        unready(rollout=replace(ROLLING, desired=0)),
        unready(rollout=replace(ROLLING, paused_by="spec.paused: true")),
        unready(container("/other")),  # written first
        unready(is_verified=False),
        unready(app=app(verification=VerificationMode.DISABLED)),
        unready(app=app(suspend=True)),
        unready(routes=()),
        unready(workload=None),
    ],
    ids=["no replicas", "held", "to be written", "no verification", "disabled", "suspended", "no route", "no workload"],
)
def test_nothing_is_asked(snap: Snapshot) -> None:
    assert asked(snap) == ()


@pytest.mark.parametrize("reason", Reason)
def test_an_app_that_answers_elsewhere_is_asked_where(reason: Reason) -> None:
    snap = verified(snapshot(workload=workload(RIGHT)), reason)
    assert asked(snap) == ((WHERE,) if reason in ELSEWHERE else ())
    mounted = replace(snap, app=app(mount_path="/chat/bot"))
    assert asked(mounted) == ()


def test_another_rollout_is_another_question() -> None:
    (former,), (latter,) = (asked(unready(workload=workload(RIGHT, rollout=ROLLING, uid=uid))) for uid in ("a", "b"))
    assert former != latter
    assert why(unready(workload=workload(RIGHT, rollout=ROLLING, generation=1))).whereabouts.pods.generation == 1


@pytest.mark.parametrize(
    ("ports", "port", "others", "number", "rest"),
    [
        ((("http", 8000),), ServicePort("http", 80, "http"), (), 8000, ()),
        ((("http", 8080),), ServicePort("http", 80, "http"), (), 8080, (8000,)),
        ((("http", 8080), ("metrics", 9000)), ServicePort("http", 80, 8080), (), 8080, (8000, 9000)),
        ((), ServicePort("http", 80, 8501), (), 8501, (8000,)),
        ((), ServicePort("http", 80), (), 80, (8000,)),
        ((("http", 8000),), ServicePort("http", 80, 4180), (), 4180, (8000,)),
        ((("http", 8001),), ServicePort("http", 80, 4180), ("proxy",), 8001, (8000,)),
        ((), ServicePort("http", 80, 4180), ("proxy",), 8000, ()),
        ((), ServicePort("http", 80, "web"), (), 8000, ()),
    ],
)
def test_port_of_chainlit(
    ports: Any, port: ServicePort, others: tuple[str, ...], number: int, rest: tuple[int, ...]
) -> None:
    chat = container("/chat", ports=ports, probes=())
    pods = workload(chat, *(container(name=name, ports=(("proxy", 4180),), probes=()) for name in others))
    question = why(unready(workload=replace(pods, rollout=ROLLING), services=(service(ports=(port,)),)))
    assert (question.whereabouts.port, question.other_ports) == (number, rest)


METRICS = (("http", 8000), ("metrics", 9000))


def test_prefixes_are_those_that_the_app_may_have() -> None:
    probes = (
        Probe("readinessProbe", "/a/b/ready?full=1", "metrics"),
        Probe("livenessProbe", "/chat/health", 8000),
        Probe("startupProbe", "/(x)/up", 9000),
    )
    status = Status(root_path="/former", route=RouteStatus("Ingress", "chat", "", "/old/", "Prefix", "None"))
    snap = unready(container("/chat", probes=probes, ports=METRICS), app=replace(app(), status=status))
    question = why(snap)
    assert question.whereabouts.prefixes == ("/former", "/old", "/a/b", "/a", "/chainlit", "/chat/chainlit")
    wanted = (
        ("readinessProbe", 9000, "/a/b/ready?full=1"),
        ("livenessProbe", 8000, "/chat/health"),
        ("startupProbe", 9000, "/(x)/up"),
    )
    assert question.probes == wanted


def test_probes_of_ports_that_nobody_knows_are_not_asked() -> None:
    probes = (Probe("readinessProbe", "/chat/health", 8000), Probe("livenessProbe", "/chat/health", "web"))
    assert why(unready(container("/chat", probes=probes))).probes == (("readinessProbe", 8000, "/chat/health"),)


def test_few_prefixes_are_asked() -> None:
    probes = (Probe("readinessProbe", "/a" * 20 + "/up", "metrics"),)
    assert len(why(unready(container("/chat", probes=probes, ports=METRICS))).whereabouts.prefixes) == 8


# ------------------------------------------------------------------------------------------------------ what is said

BASE = "Deployment chat is rolling out. The WebSocket is tested when all pods run the present template."
FAILURE = "It exceeded its progress deadline. Look at the logs and events of the pods."
OWN = (
    "The image of container chainlit sets a root path of its own: Chainlit answers at /x instead of /chat. Let the "
    "image start Chainlit without --root-path, or give the route the path /x."
)
MOUNTED = (
    "Another app in container chainlit mounts Chainlit: it answers at /x instead of /chat. Set spec.mountPath: /x."
)
PORT = (
    "Chainlit listens on port 9000 of a pod, and Service chat leads to another one. Set the targetPort of the Service "
    "to 9000."
)
SILENT = (
    "Nothing listens on port 8000 of a pod. Container chainlit may still be starting, or Chainlit listens on 127.0.0.1 "
    "only: start it with --host 0.0.0.0."
)
PROBE = "The readinessProbe of container chainlit asks /chat/health and gets status"
PROBE_404 = f"{PROBE} 404. Let it ask /chat/health, or a path that the app has."
NO_WAY = "The operator gets no connection to port 8000 of a pod."
ODD = "A pod answers with status 502 where Chainlit's socket should be, below /chat."
NONE = "A pod answers with no usable answer where Chainlit's socket should be, below /chat."

NOT_LISTENING = Finding(Cause.NOT_LISTENING, port=8000)
IN_PROGRESS = f"Unknown RolloutInProgress: {BASE}"


def told(answer: Answer | None, rollout: Rollout = ROLLING, **fields: Any) -> str:
    snap = unready(rollout=rollout, **fields)
    if answer is not None:
        snap = replace(snap, answers=dict.fromkeys(asked(snap), answer))
    found = report_of(snap).status.condition("WebSocketReachable")
    assert found is not None
    assert_plain(found.message)
    return f"{found.status} {found.reason}: {found.message}"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (None, IN_PROGRESS),
        (NOBODY, IN_PROGRESS),
        (Finding(Cause.NOTHING, times=9), IN_PROGRESS),
        (Finding(Cause.OWN_ROOT_PATH, prefix="/x"), f"False RootPathInImage: {OWN}"),
        (Finding(Cause.MOUNTED, prefix="/x"), f"False MountPathMissing: {MOUNTED}"),
        (Finding(Cause.OTHER_PORT, port=9000), f"False NothingListens: {PORT}"),
        (NOT_LISTENING, IN_PROGRESS),
        (replace(NOT_LISTENING, times=2), f"{IN_PROGRESS} {SILENT}"),
        (replace(NOT_LISTENING, times=LASTING - 1), f"{IN_PROGRESS} {SILENT}"),
        (replace(NOT_LISTENING, times=LASTING), f"False NothingListens: {SILENT}"),
        (Finding(Cause.PROBE, probe="readinessProbe", status=404), IN_PROGRESS),
        (Finding(Cause.PROBE, probe="readinessProbe", status=404, times=2), f"False ProbePathNotFound: {PROBE_404}"),
        (Finding(Cause.PROBE, probe="readinessProbe", status=503, times=LASTING), f"{IN_PROGRESS} {PROBE} 503."),
        (Finding(Cause.UNREACHABLE, port=8000), IN_PROGRESS),
        (Finding(Cause.UNREACHABLE, port=8000, times=2), f"{IN_PROGRESS} {NO_WAY}"),
        (Finding(Cause.ELSE, status=502), IN_PROGRESS),
        (Finding(Cause.ELSE, status=502, times=2), f"{IN_PROGRESS} {ODD}"),
        (Finding(Cause.ELSE, times=2), f"{IN_PROGRESS} {NONE}"),
    ],
)
def test_condition_of_a_rollout(answer: Answer | None, text: str) -> None:
    assert told(answer) == text


def test_condition_of_a_rollout_that_failed() -> None:
    assert told(None, FAILED) == f"False RolloutFailed: {FAILURE}"
    assert told(replace(NOT_LISTENING, times=2), FAILED) == f"False NothingListens: {SILENT}"
    assert told(Finding(Cause.ELSE, status=502, times=2), FAILED) == f"False RolloutFailed: {FAILURE} {ODD}"


def test_an_app_on_ipv4_alone_in_a_cluster_of_ipv6() -> None:
    text = told(replace(NOT_LISTENING, times=2), FAILED, services=(service(cluster_ip="fd00:96::7"),))
    remedy = "does not listen on IPv6: start it without --host, and with CHAINLIT_HOST set to the empty text."
    assert text.endswith(f"or Chainlit {remedy}")


def test_condition_at_the_root() -> None:
    chat = container("", probes=())
    fields: dict[str, Any] = {"routes": (ingress("/"),), "workload": workload(chat, rollout=ROLLING)}
    assert "Chainlit answers at /x instead of /. " in told(Finding(Cause.OWN_ROOT_PATH, prefix="/x"), **fields)
    assert "it answers at /x instead of /. " in told(Finding(Cause.MOUNTED, prefix="/x"), **fields)
    assert told(Finding(Cause.ELSE, status=404, times=2), **fields).endswith("should be, below /.")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (None, "False HandshakeNotFound: Not there."),
        (Finding(Cause.NOTHING), "False HandshakeNotFound: Not there."),
        (Finding(Cause.ELSE, status=404), "False HandshakeNotFound: Not there."),
        (Finding(Cause.OWN_ROOT_PATH, prefix="/x"), f"False RootPathInImage: {OWN}"),
        (Finding(Cause.MOUNTED, prefix="/x"), f"False MountPathMissing: {MOUNTED}"),
    ],
)
def test_condition_of_ready_pods_that_answer_elsewhere(answer: Answer | None, text: str) -> None:
    snap = verified(snapshot(workload=workload(RIGHT)), Reason.HANDSHAKE_NOT_FOUND, "Not there.")
    if answer is not None:
        snap = replace(snap, answers=dict.fromkeys(asked(snap), answer))
    conditions = report_of(snap).status.condition("WebSocketReachable"), report_of(snap).status.condition("Ready")
    assert [f"{c.status} {c.reason}: {c.message}" for c in conditions if c is not None] == [text, text]


SERVED = (
    "False RootPathInImage: The image or envFrom of container chainlit sets a root path of its own: Chainlit answers "
    "at /chat instead of /. Remove --root-path or CHAINLIT_ROOT_PATH there, or state the URL of /chat in "
    "spec.route.url."
)


@pytest.mark.parametrize(
    ("answer", "manager", "is_moved"),
    [
        (None, "people", False),
        (Finding(Cause.OWN_ROOT_PATH, prefix="/chat"), "people", False),
        (Finding(Cause.OWN_ROOT_PATH, prefix="/chat"), FIELD_MANAGER, True),
        (Finding(Cause.ELSE, status=404), "people", True),
        (NOBODY, "people", True),
    ],
)
def test_an_app_below_its_route_by_a_value_from_elsewhere_is_not_moved(
    answer: Answer | None, manager: str, *, is_moved: bool
) -> None:
    """Its route is for ``/``, and a ConfigMap gives it the root path ``/chat``."""
    pods = workload(container(has_env_from=True, probes=()), field_managers=(manager,))
    snap = verified(snapshot(ingress("/"), workload=pods), Reason.HANDSHAKE_NOT_FOUND, "Not there.")
    snap = replace(snap, answers={} if answer is None else dict.fromkeys(asked(snap), answer))
    assert isinstance(decide(snap).action, Apply) is is_moved
    condition = report_of(snap).status.condition("WebSocketReachable")
    if answer is not None and not is_moved:
        assert condition is not None and f"{condition.status} {condition.reason}: {condition.message}" == SERVED


def test_a_root_path_beside_the_route_is_replaced() -> None:
    snap = verified(snapshot(workload=workload(container("/chat", has_env_from=True))), Reason.HANDSHAKE_NOT_FOUND, "x")
    beside = Finding(Cause.OWN_ROOT_PATH, prefix="/x")
    assert isinstance(decide(replace(snap, answers=dict.fromkeys(asked(snap), beside))).action, Apply)


def test_equal_findings_in_a_row_are_counted() -> None:
    found = NOT_LISTENING
    assert found.after(None) == found.after(NOBODY) == found.after(Finding(Cause.NOTHING, times=3)) == found
    assert found.after(replace(found, port=1)) == found
    assert found.after(found) == replace(found, times=2)
    assert found.after(replace(found, times=LASTING)) == replace(found, times=LASTING)


def test_with_verification_off_nobody_answers() -> None:
    snap = unready(is_verified=False)
    assert snap.answer(WHERE) is NOBODY
    assert unready(answers={}).answer(WHERE) is None
    assert unready(answers={WHERE: NOT_LISTENING}).answer(WHERE) is NOT_LISTENING
