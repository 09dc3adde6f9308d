"""Whole statuses, word for word: what users read of each state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.test_conditions import EDGE, LATER, NOW, aligned
from tests.unit.domain.world import (
    DONE,
    app,
    container,
    ingress,
    path,
    report_of,
    service,
    snapshot,
    verified,
    workload,
)

from chainlit_operator.domain.model import (
    Condition,
    Dependency,
    Origin,
    Rewrite,
    Rollout,
    Route,
    RouteStatus,
    Snapshot,
    Status,
    VerificationMode,
    WorkloadStatus,
)
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.object_ref import Ref


def status_of(snap: Snapshot, reason: str = "", now: str = NOW) -> Status:
    """The status after a verification with that outcome, or before any."""
    found = verified(snap, Reason(reason), "What was found.") if reason else snap
    return report_of(replace(found, now=now)).status


def told(status: Status) -> str:
    return "\n".join(f"{c.type}={c.status} {c.reason}: {c.message}" for c in status.conditions)


#: The message of the condition SessionAffinity for one pod.
SINGLE = "At most one process serves the app, so it needs no session affinity."


def text(
    route: str, aligned: str, reachable: str, ready: str | None = None, affinity: str = f"True SinglePod: {SINGLE}"
) -> str:
    """The five conditions; ``ready`` repeats the condition before it where that is why it is not."""
    lines = [f"RouteResolved={route}", f"Aligned={aligned}", f"SessionAffinity={affinity}"]
    lines.append(f"WebSocketReachable={reachable}")
    return "\n".join([*lines, f"Ready={reachable if ready is None else ready}"])


ROUTE = "True Resolved: Ingress chat gives path /chat on host example.com."
ALIGNED = (
    "True Aligned: Container chainlit of Deployment shop/chat serves Chainlit at /chat, as Ingress chat requires "
    "(CHAINLIT_ROOT_PATH is '/chat')."
)
READY = "True Ready: Chainlit has the route's path and its WebSocket answers."
NOT_ALIGNED = "Unknown NotAligned: The WebSocket is not tested while the app is not aligned. See the condition Aligned."
NO_WORKLOAD = (
    "False WorkloadNotFound: Deployment chat does not exist in namespace shop. Create it, or correct kind and name in "
    "spec.workload.ref."
)
NO_PODS = "Unknown AffinityNotKnown: There are no pods. See the condition Aligned."
SUSPENDED = "Unknown Suspended: spec.suspend is true: the operator writes nothing until it is false."
BARE = workload(container(None, probes=()))


def mounted(place: str, **fields: Any) -> Snapshot:
    return snapshot(workload=BARE, app=app(mount_path=place, **fields))


def mount(place: str) -> str:
    return (
        f"True Mounted: Another app in container chainlit of Deployment shop/chat mounts Chainlit at {place}, so no "
        "variable decides about its path."
    )


REPLACED = (
    "Unknown RolloutInProgress: Deployment chat is rolling out. The WebSocket is tested when all pods run the present "
    "template."
)
STATEFUL = " A StatefulSet does not replace a pod that never became ready: delete such a pod yourself."
NOT_SERVED = "False MountPathNotServed: Chainlit does not answer below"
NO_URL = (
    "Unknown RouteWithoutAddress: Ingress chat has {}, so there is no URL to open as a browser does. Add a host to it, "
    "or set spec.verification.mode to Backend."
)
NO_URL_AT_ALL = (
    "Unknown RouteWithoutAddress: Ingress chat {}, so there is no URL to open as a browser does. {}, or set "
    "spec.verification.mode to Backend."
)


def of_gateway(*origins: Origin, host: str) -> Route:
    """A route of a Gateway; its kind does not matter."""
    gateways = (Dependency("Middleware", "a-b"), Dependency("Gateway", "infra/edge"))
    return ingress(path("/chat", host=host), origins=origins, dependencies=gateways)


RIGHT = aligned().workload
assert RIGHT is not None

ROWS = [
    pytest.param(aligned(), "Verified", text(ROUTE, ALIGNED, "True Verified: What was found.", READY), id="ready"),
    pytest.param(
        aligned(), "HandshakeIsHTML", text(ROUTE, ALIGNED, "False HandshakeIsHTML: What was found."), id="unreachable"
    ),
    pytest.param(
        aligned(),
        "",
        text(ROUTE, ALIGNED, "Unknown VerificationPending: The WebSocket will be tested in a moment."),
        id="pending",
    ),
    pytest.param(
        aligned(app=app(verification=VerificationMode.DISABLED)),
        "",
        text(
            ROUTE,
            ALIGNED,
            "Unknown VerificationDisabled: spec.verification.mode is Disabled, so the WebSocket is not tested.",
            "True Ready: Chainlit has the route's path (its WebSocket is not tested).",
        ),
        id="not-verified",
    ),
    pytest.param(aligned(replace(DONE, updated=0)), "", text(ROUTE, ALIGNED, REPLACED), id="rollout"),
    pytest.param(
        aligned(
            app=app(workload_kind="StatefulSet"),
            workload=replace(
                RIGHT,
                ref=Ref("StatefulSet", "shop", "chat"),
                rollout=replace(DONE, updated=0),
                rollout_hint=STATEFUL.strip(),
            ),
        ),
        "",
        text(
            ROUTE,
            ALIGNED.replace("Deployment", "StatefulSet"),
            REPLACED.replace("Deployment", "StatefulSet") + STATEFUL,
        ),
        id="rollout-of-a-stateful-set",
    ),
    pytest.param(
        aligned(replace(DONE, updated=0, failure="It has timed out.")),
        "",
        text(ROUTE, ALIGNED, "False RolloutFailed: It has timed out. Look at the logs and events of the pods."),
        id="rollout-failed",
    ),
    pytest.param(
        aligned(Rollout(1, 0, 0, 0, 0)),
        "",
        text(ROUTE, ALIGNED, "Unknown ScaledToZero: Deployment chat has no replicas. Scale it up."),
        id="scaled-to-zero",
    ),
    pytest.param(
        aligned(services=(service(type="ExternalName", cluster_ip=""),)),
        "",
        text(
            ROUTE,
            ALIGNED,
            "Unknown ServiceWithoutAddress: The Service behind the route has neither a cluster IP nor pods to "
            "ask. Use a ClusterIP Service.",
        ),
        id="service-without-address",
    ),
    pytest.param(
        aligned(app=app(verification=EDGE), routes=(ingress(path("/chat", host="")),)),
        "",
        text(
            ROUTE.replace("host example.com", "any host"), ALIGNED, NO_URL.format("no host, and its status no address")
        ),
        id="route-without-address",
    ),
    pytest.param(
        aligned(
            app=app(verification=EDGE),
            routes=(
                replace(of_gateway(host=""), refusal="Not allowed"),
                replace(ingress(path("/chat", "shop/chat", host="")), ref=Ref("Ingress", "edge", "chat")),
            ),
        ),
        "",
        text(
            "True Resolved: Ingress edge/chat gives path /chat on any host. Warning: Left out: Ingress chat "
            "(RouteNotAccepted).",
            ALIGNED.replace("Ingress chat", "Ingress edge/chat"),
            NO_URL.replace("Ingress chat", "Ingress edge/chat").format("no host, and its status no address"),
        ),
        id="route-of-another-namespace-without-address",
    ),
    pytest.param(
        aligned(app=app(verification=EDGE), routes=(ingress(path("/chat", host="*.example.com")),)),
        "",
        text(
            ROUTE.replace("example.com", "*.example.com"),
            ALIGNED,
            NO_URL.format("only the wildcard host *.example.com"),
        ),
        id="route-of-a-wildcard",
    ),
    *(
        pytest.param(
            aligned(
                app=app(verification=EDGE),
                routes=(of_gateway(*origins, host=host),),
                watched=watched,
            ),
            "",
            text(ROUTE.replace("example.com", host), ALIGNED, message),
            id=name,
        )
        for name, host, origins, watched, message in (
            (
                "gateway-not-watched",
                "a.example",
                (),
                ("shop", "team"),
                NO_URL_AT_ALL.format(
                    "has a Gateway in namespace infra, which the operator does not watch",
                    "Add infra to watchNamespaces of the operator's chart, state the URL in spec.route.url",
                ),
            ),
            (
                "gateway-missing",
                "*.example",
                (),
                ("shop", "infra"),
                NO_URL_AT_ALL.format(
                    "has no Gateway with a listener for HTTP or HTTPS (infra/edge)", "Correct its parentRefs"
                ),
            ),
            (
                "gateway-missing-and-all-watched",
                "a.example",
                (),
                (),
                NO_URL_AT_ALL.format(
                    "has no Gateway with a listener for HTTP or HTTPS (infra/edge)", "Correct its parentRefs"
                ),
            ),
            (
                "gateway-of-another-host",
                "a.example",
                (Origin("b.example", is_secure=False),),
                ("shop",),
                NO_URL_AT_ALL.format(
                    "has host a.example, for which no Gateway has a listener", "Correct its hostnames"
                ),
            ),
            (
                "gateway-of-another-wildcard",
                "*.a.example",
                (Origin("*.b.example", is_secure=False),),
                (),
                NO_URL_AT_ALL.format("has only the wildcard host *.a.example", "Add a host to it"),
            ),
        )
    ),
    pytest.param(
        aligned(app=app(suspend=True)),
        "",
        text(ROUTE, SUSPENDED, NOT_ALIGNED.replace("NotAligned", "Suspended"), SUSPENDED),
        id="suspended",
    ),
    pytest.param(
        snapshot(workload=None),
        "",
        text(NO_WORKLOAD, NO_WORKLOAD, NOT_ALIGNED, NO_WORKLOAD, affinity=NO_PODS),
        id="no-workload",
    ),
    pytest.param(
        mounted("/bot"), "Verified", text(ROUTE, mount("/bot"), "True Verified: What was found.", READY), id="mounted"
    ),
    pytest.param(
        mounted("/bot"),
        "ConnectionRefused",
        text(ROUTE, mount("/bot"), "False ConnectionRefused: What was found."),
        id="mounted-and-down",
    ),
    pytest.param(
        mounted("/chat"),
        "HandshakeNotFound",
        text(
            ROUTE,
            mount("/chat"),
            f"{NOT_SERVED} /chat (HandshakeNotFound). Set spec.mountPath to the path of mount_chainlit, with "
            "FastAPI's root_path empty.",
        ),
        id="mounted-elsewhere",
    ),
    pytest.param(
        mounted("/bot"),
        "PageNotFound",
        text(
            ROUTE,
            mount("/bot"),
            f"{NOT_SERVED} /chat/bot (PageNotFound). The route keeps /chat: start the outer app with "
            "FastAPI(root_path='/chat'), or mount Chainlit at /chat/bot with root_path empty and set "
            "spec.mountPath to that path.",
        ),
        id="mounted-below-what-the-route-keeps",
    ),
    pytest.param(
        mounted("/bot", rewrite=Rewrite.STRIP),
        "PageNotFound",
        text(
            ROUTE,
            mount("/bot"),
            f"{NOT_SERVED} /bot (PageNotFound). The route strips /chat: start the outer app with root_path='/chat' "
            "both in FastAPI and in uvicorn (FastAPI's alone is not enough), or in neither of them with "
            "CHAINLIT_PARENT_ROOT_PATH=/chat, or do not strip.",
        ),
        id="mounted-behind-a-strip",
    ),
]


@pytest.mark.parametrize(("snap", "reason", "wanted"), ROWS)
def test_conditions_word_for_word(snap: Snapshot, reason: str, wanted: str) -> None:
    assert told(status_of(snap, reason)) == wanted


def conditions(*entries: tuple[str, str], time: str = NOW, generation: int = 1) -> tuple[Condition, ...]:
    """Conditions that are true, of type and message."""
    reasons = {"RouteResolved": "Resolved", "SessionAffinity": "SinglePod", "WebSocketReachable": "Verified"}
    return tuple(
        Condition(type_, "True", reasons.get(type_, type_), message, generation, time) for type_, message in entries
    )


WHOLE = Status(
    observed_generation=1,
    root_path="/chat",
    parent_root_path="",
    url="http://example.com/chat/",
    web_socket_url="ws://example.com/chat/ws/socket.io/",
    route=RouteStatus("Ingress", "chat", "example.com", "/chat", "Prefix", "None"),
    workload=WorkloadStatus("Deployment", "chat", "chainlit"),
    conditions=conditions(
        ("RouteResolved", "Ingress chat gives path /chat on host example.com."),
        ("Aligned", ALIGNED.removeprefix("True Aligned: ")),
        ("SessionAffinity", SINGLE),
        ("WebSocketReachable", "What was found."),
        ("Ready", "Chainlit has the route's path and its WebSocket answers."),
    ),
)


def test_whole_status() -> None:
    assert status_of(aligned(), "Verified") == WHOLE


def test_another_generation_changes_no_time() -> None:
    again = replace(app(), generation=2, status=WHOLE)
    found = status_of(aligned(app=again), "Verified", now=LATER)
    assert found == replace(
        WHOLE, observed_generation=2, conditions=tuple(replace(c, observed_generation=2) for c in WHOLE.conditions)
    )


def test_a_condition_that_has_no_time_gets_one() -> None:
    undated = replace(WHOLE, conditions=tuple(replace(c, last_transition_time="") for c in WHOLE.conditions))
    assert status_of(aligned(app=replace(app(), status=undated)), "Verified", now=LATER).conditions == tuple(
        replace(c, last_transition_time=LATER) for c in WHOLE.conditions
    )


def test_nothing_is_told_of_what_is_not_there() -> None:
    found = status_of(snapshot(workload=None))
    assert replace(found, conditions=()) == Status(observed_generation=1)
