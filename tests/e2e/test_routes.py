"""The table of route forms on the cluster: a chat through each form that has an answer, the reason of the others."""

from __future__ import annotations

from typing import Any

import pytest

from chainlit_operator.domain.reasons import Reason
from tests.e2e.chat import ChatError
from tests.e2e.cluster import OPERATOR, Cluster, Space, managers
from tests.e2e.demo import container, workload
from tests.objects import chainlit_app, proxy_route, service
from tests.route_forms import PAIRS, SOCKETS, Edge, Form, Roots
from tests.waiting import eventually


def case(form: Form, edge: Edge) -> Any:
    """A row at an edge. What takes all hosts runs after one another, so that no row is answered by another's app."""
    marks = [] if edge in form.in_gate else [pytest.mark.slow]
    if form.any_host or (isinstance(form.answer, Roots) and form.answer.path == "/"):
        marks.append(pytest.mark.xdist_group(f"all hosts of {edge.name}"))
    return pytest.param(form, edge, id=f"{form.name}-{edge.name.lower()}", marks=marks)


REFUSED = [case(f, e) for f, e in PAIRS if f.answer is Reason.WEB_SOCKET_NOT_ENABLED]
ANSWERED = [case(f, e) for f, e in PAIRS if isinstance(f.answer, Roots)]
BLOCKED = [case(f, e) for f, e in PAIRS if f.answer in set(Reason) - {Reason.WEB_SOCKET_NOT_ENABLED}]


def url(cluster: Cluster, edge: Edge) -> str:
    """Where an edge is heard; two of them are one Traefik."""
    return cluster.contour_edge if edge is Edge.CONTOUR else cluster.edge


@pytest.mark.parametrize(("form", "edge"), ANSWERED)
def test_chat_through(space: Space, form: Form, edge: Edge) -> None:
    assert isinstance(form.answer, Roots)
    path = form.answer.path.rstrip("/")
    space.create(
        chainlit_app(),
        service(),
        *form.on(edge, space.name, space.host),
        workload(container(space.cluster.demo_image)),
    )

    space.await_answer(path, edge=url(space.cluster, edge))
    space.await_ready()

    status = space.get("ChainlitApp")["status"]
    assert (status["rootPath"], status["parentRootPath"]) == (form.answer.root_path, form.answer.parent_root_path)
    assert status["url"] == f"http://{'127.0.0.1' if form.any_host else space.host}{path}/"


#: By kind: what the message says, and the change that it asks for.
REMEDIES: dict[str, tuple[str, Any]] = {
    "Ingress": (
        f"Add /chat, spelt exactly so, to its annotation {SOCKETS}",
        {"metadata": {"annotations": {SOCKETS: "/chat"}}},
    ),
    "HTTPProxy": (
        "Set enableWebsockets: true in its route for /chat",
        {"spec": {"routes": [proxy_route()]}},
    ),
}


@pytest.mark.parametrize(("form", "edge"), REFUSED)
def test_only_the_web_socket_is_refused(space: Space, form: Form, edge: Edge) -> None:
    at, routes = url(space.cluster, edge), form.on(edge, space.name, space.host)
    remedy, change = REMEDIES[routes[0]["kind"]]
    space.create(
        chainlit_app(),
        service(),
        *routes,
        workload(container(space.cluster.demo_image)),
    )

    space.await_condition("Ready", "False", str(form.answer))
    told = space.await_condition("WebSocketReachable", "False", str(form.answer))
    assert remedy in told.message
    space.await_variable("/chat")

    def complaint() -> str:
        with pytest.raises(ChatError) as failure:
            space.chat("/chat", edge=at, transports=["websocket"])
        return str(failure.value)

    # The page, its script and its cookie come through; only the socket does not.
    eventually(complaint, lambda said: said.startswith("socket /chat/ws/socket.io: "))

    space.patch(routes[0]["kind"], change)
    space.await_answer("/chat", edge=at)
    space.await_ready()


@pytest.mark.parametrize(("form", "edge"), BLOCKED)
def test_reason_for(space: Space, form: Form, edge: Edge) -> None:
    space.create(
        workload(container(space.cluster.demo_image), replicas=0),
        service(),
        *form.on(edge, space.name, space.host),
        chainlit_app(),
    )

    space.await_condition("RouteResolved", "False", str(form.answer))
    space.await_condition("Ready", "False", str(form.answer))
    assert OPERATOR not in managers(space.get("Deployment"))
