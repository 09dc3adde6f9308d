"""The endpoint of an app: the container that runs Chainlit, its port, and the ports behind routes that lead to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.world import app, container, ingress, path, report_of, service, snapshot, workload

from chainlit_operator.domain import endpoint
from chainlit_operator.domain.decide import decide
from chainlit_operator.domain.endpoint import Endpoint
from chainlit_operator.domain.model import (
    NOBODY,
    Container,
    Pods,
    ServicePort,
    Snapshot,
    Speaking,
    SpeakingPort,
    Status,
    Variable,
    WorkloadStatus,
)


def bare(name: str, *ports: int, **fields: Any) -> Container:
    """A container with ports that have no names."""
    return container(name=name, **({"ports": tuple(("", port) for port in ports), "probes": ()} | fields))


def named(name: str, **ports: int) -> Container:
    return bare(name, ports=tuple(ports.items()))


def lead(*ports: int | str) -> tuple[ServicePort, ...]:
    """Ports of a Service, each of which leads to the same port of the pods."""
    return tuple(ServicePort(f"p{n}", 80 + n, port) for n, port in enumerate(ports))


def world(*containers: Container, paths: dict[str, int | str], spec: dict[str, Any] | None = None) -> Snapshot:
    """A pod with these containers, a Service with a port for each path, and an Ingress with the paths."""
    ports = lead(*paths.values())
    return snapshot(
        ingress(*(path(text, port=port.port) for text, port in zip(paths, ports, strict=True))),
        workload=workload(*containers),
        services=(service(ports=ports),),
        app=app(**(spec or {})),
        answers={},
    )


UI, PROXY = bare("ui", 8000), bare("sql", 9801)
CHAT: dict[str, int | str] = {"/": 8000}
CONTAINERS = [
    ("the only one", world(UI, paths={"/": 9}), "ui"),
    ("the stated one", world(UI, PROXY, paths=CHAT, spec={"container": "sql"}), "sql"),
    ("the stated one is missing", world(UI, paths=CHAT, spec={"container": "x"}), None),
    ("the stated one has another port", world(UI, PROXY, paths=CHAT, spec={"container": "sql", "port": 1}), "sql"),
    ("with the stated port", world(UI, PROXY, paths=CHAT, spec={"port": 9801}), "sql"),
    ("with the stated port's name", world(UI, named("b", web=1), paths=CHAT, spec={"port": "web"}), "b"),
    ("none has the stated port", world(UI, PROXY, paths=CHAT, spec={"port": 1}), None),
    ("of that name", world(UI, bare("chainlit", 1), paths=CHAT), "chainlit"),
    ("that names Chainlit", world(UI, replace(PROXY, mentions_chainlit=True), paths=CHAT), "sql"),
    ("two name Chainlit, the port tells",
     world(replace(UI, mentions_chainlit=True), replace(PROXY, mentions_chainlit=True), paths=CHAT), "ui"),
    ("behind the route's port", world(UI, PROXY, paths=CHAT), "ui"),
    ("behind one of the route's ports", world(UI, PROXY, paths={"/": 8000, "/x": 1}), "ui"),
    ("behind the route's port, by its name", world(named("a", web=1), named("b", metrics=2), paths={"/": "web"}), "a"),
    ("two behind the route's ports", world(UI, PROXY, paths={"/": 8000, "/x": 9801}), None),
    ("none behind the route's port", world(UI, PROXY, paths={"/": 1}), None),
    ("a proxy is behind the route's port",
     world(bare("a", 8000, image="r/oauth2-proxy:v7"), PROXY, paths=CHAT), None),
    ("a proxy without a tag is behind it", world(bare("a", 8000, image="r/oauth2-proxy"), PROXY, paths=CHAT), None),
    ("a folder called nginx is no proxy", world(bare("a", 8000, image="r/nginx/chat:1"), PROXY, paths=CHAT), "a"),
    ("a registry called nginx is no proxy", world(bare("a", 8000, image="nginx/chat:1"), PROXY, paths=CHAT), "a"),
    ("a tag called nginx is no proxy", world(bare("a", 8000, image="r/chat:nginx"), PROXY, paths=CHAT), "a"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "wanted"), [row[1:] for row in CONTAINERS], ids=[row[0] for row in CONTAINERS])
def test_container(given: Snapshot, wanted: str | None) -> None:
    found = endpoint.find(given).container
    assert (found.name if found is not None else None) == wanted


TWO = bare("chat", 8000, 8265)
BOTH: dict[str, int | str] = {"/chat": 8000, "/ray": 8265}
OTHERS: dict[str, int | str] = {"/a": 1, "/b": 2}
PORTS: list[tuple[str, Snapshot, int | None, set[int | str] | None, tuple[int, ...]]] = [
    ("the only one", world(TWO, paths={"/chat": 8265}), 8265, {8265}, ()),
    ("not declared", world(bare("chat"), paths={"/chat": 8000}), 8000, {8000}, ()),
    ("Chainlit's usual one", world(TWO, paths=BOTH), 8000, {8000}, (8000, 8265)),
    ("not clear", world(bare("chat", 1, 2), paths=OTHERS), None, None, (1, 2)),
    ("not clear and not declared", world(bare("chat"), paths=OTHERS), None, None, (1, 2)),
    ("stated", world(TWO, paths=BOTH, spec={"port": 8265}), 8265, {8265}, ()),
    ("stated by name", world(named("chat", a=1, b=2), paths=OTHERS, spec={"port": "b"}), 2, {2}, ()),
    ("stated by a name that does not exist", world(TWO, paths=BOTH, spec={"port": "x"}), None, None, ()),
    ("in the command", world(replace(TWO, port_option=8265, port_variable=8000), paths=BOTH), 8265, {8265}, ()),
    ("in the variable", world(replace(TWO, port_variable=8265), paths=BOTH), 8265, {8265}, ()),
    ("in the variable, where no route leads", world(replace(TWO, port_variable=1), paths=BOTH), 8000, {8000},
     (8000, 8265)),
    ("by its name", world(named("chat", metrics=1, http=2), paths=OTHERS), 2, {2}, ()),
    ("by the clearest name", world(named("chat", http=1, chainlit=2), paths=OTHERS), 2, {2}, ()),
    ("by the name web", world(named("chat", ui=1, web=2), paths=OTHERS), 2, {2}, ()),
    ("by the name ui", world(named("chat", x=1, ui=2), paths=OTHERS), 2, {2}, ()),
    ("a route that leads elsewhere", world(TWO, paths={"/ray": 8265}, spec={"port": 8000}), 8000, set(), ()),
    ("a command against a route", world(replace(TWO, port_option=8000), paths={"/ray": 8265}), 8000, set(), ()),
    ("a variable against a route is not certain", world(replace(TWO, port_variable=8000), paths={"/ray": 8265}),
     8265, {8265}, ()),
    ("another app in the pod", world(bare("api", 8000), bare("chainlit", 8001), paths={"/api": 8000, "/": 8001}),
     8001, {8001}, ()),
    ("another app in the pod, no port declared", world(bare("api", 8000), bare("chainlit"),
     paths={"/api": 8000, "/": 8001}), 8001, {8001}, ()),
    ("a proxy in the pod", world(bare("proxy", 4180), bare("chainlit", 8000), paths={"/": 4180}), None, None, ()),
    ("a proxy in the pod, Chainlit's port stated", world(bare("proxy", 4180), bare("chainlit", 8000),
     paths={"/": 4180}, spec={"port": 8000}), 8000, {4180}, ()),
    ("a path past the proxy", world(bare("proxy", 4180), bare("chainlit", 8000), paths={"/": 4180, "/slack": 8000}),
     8000, {4180, 8000}, ()),
    ("the shortest path past the proxy", world(bare("proxy", 4180), bare("chainlit", 8000),
     paths={"/chat": 4180, "/chat/ws": 8000, "/another-path": 8000}), 8000, {4180, 8000}, ()),
    ("one of the proxy's paths is above", world(bare("proxy", 4180), bare("chainlit", 8000),
     paths={"/": 4180, "/slack": 8000, "/metrics": 4180}), 8000, {4180, 8000}, ()),
    ("the same path past the proxy", world(bare("proxy", 4180), bare("chainlit", 8000),
     paths={"/": 4180, "//": 8000}), 8000, {8000}, ()),
    ("a proxy by the name of its port", world(named("proxy", out=4180), bare("chainlit", 8000),
     paths={"/": "out", "/slack": 8000}), 8000, {"out", 8000}, ()),
]  # fmt: skip


@pytest.mark.parametrize(("given", "port", "targets", "asked"), [row[1:] for row in PORTS], ids=[r[0] for r in PORTS])
def test_port(given: Snapshot, port: int | None, targets: set[int | str] | None, asked: tuple[int, ...]) -> None:
    found = endpoint.find(given)
    assert (found.port, found.candidates) == (port, asked)
    assert (None if found.targets is None else set(found.targets)) == targets


def test_without_a_workload_nothing_is_known() -> None:
    assert endpoint.find(snapshot(workload=None)) == Endpoint(None)


def test_without_a_route_the_services_tell() -> None:
    given = replace(world(TWO, paths=BOTH), routes=())
    assert (endpoint.find(given).port, endpoint.find(given).candidates) == (8000, (8000, 8265))
    assert endpoint.find(replace(given, services=())) == Endpoint(TWO)
    same = replace(given, services=(service(ports=(ServicePort("", 8265),)),))
    assert endpoint.find(same).port == 8265


def test_a_port_that_the_service_lacks_leads_nowhere() -> None:
    given = snapshot(ingress(path("/chat"), path("/x", port=81)))
    assert endpoint.find(given).targets == frozenset({"http"})


@pytest.mark.parametrize(("target", "wanted"), [(None, True), (8000, True), ("web", False), (1, False)])
def test_targets_that_count(target: int | str | None, wanted: bool) -> None:
    assert Endpoint(None, 8000, frozenset({8000})).counts(target) is wanted
    assert Endpoint(None).counts(target)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("chainlit", "run", "app.py", "--port", "8001"), 8001),
        (("chainlit", "run", "app.py", "--port=8001"), 8001),
        (("sh", "-c", "chainlit run app.py --port 8001 --headless"), 8001),
        (("sh", "-c", "chainlit run app.py --port '8001'"), 8001),
        (("--port", "8001"), 8001),
        (("--port", "$(PORT)"), 9000),
        (("sh", "-c", "chainlit run --port ${PORT}"), 9000),
        (("sh", "-c", "chainlit run --port=$PORT"), 9000),
        (("--port", "$(FROM)"), None),
        (("--port", "$(NONE)"), None),
        (("--port", "$(TEXT)"), None),
        (("--port", "0"), None),
        (("--port", "65536"), None),
        (("--port", "65535"), 65535),
        (("--port", "123456"), None),
        (("--no-port", "8001"), None),
        (("--ports", "8001"), None),
        (("sh", "-c", "python api.py --port 9001 & chainlit run app.py --port 8001"), 8001),
        (("sh", "-c", "chainlit run app.py --port 8001 & python api.py --port 9001"), 8001),
        (("sh", "-c", "python chainlit.py --port 9001;\nchainlit run app.py --port 8001"), 8001),
        (("sh", "-c", "python api.py --port 9001 && chainlit run app.py"), None),
        (("sh", "-c", "python api.py --port 9001 || python ui.py --port 8001"), None),
        (("sh", "-c", "python api.py --port 8001 | tee --port 8001"), 8001),
        (("dapr", "run", "--app-port", "9001", "--", "chainlit", "run", "--port", "8001"), 8001),
        ((), None),
    ],
)
def test_port_of_a_command(words: tuple[str, ...], wanted: int | None) -> None:
    assert endpoint.option_of(words, {"PORT": "9000", "FROM": None, "TEXT": "tcp://10.0.0.1:80"}) == wanted


@pytest.mark.parametrize(("text", "wanted"), [("8000", 8000), ("", None), ("tcp://x", None), ("１", None), ("1", 1)])
def test_number(text: str, wanted: int | None) -> None:
    assert endpoint.number_of(text) == wanted


def test_pods_tell_which_port_is_chainlits() -> None:
    snap = world(bare("chat", 1, 2, root_path=Variable("/ui")), paths=OTHERS)
    question = endpoint.find(snap).question
    assert question == SpeakingPort(Pods(service().ref, "uid-of-workload", 0), (1, 2), ("/ui", ""))
    decision = decide(snap)
    assert (decision.questions, decision.is_waiting, decision.port) == ((question,), True, None)

    told = replace(snap, answers={question: Speaking(2)})
    found, decision = endpoint.find(told), decide(told)
    assert (found.port, found.told, found.targets) == (2, 2, frozenset({2}))
    assert (decision.questions[0], decision.is_waiting, decision.port) == (question, False, 2)

    for answer in (NOBODY, Speaking(0)):
        silent = replace(snap, answers={question: answer})
        assert (endpoint.find(silent).port, endpoint.find(silent).told) == (None, None)
        assert not decide(silent).is_waiting


def test_pods_win_over_the_usual_port() -> None:
    snap = world(TWO, paths=BOTH)
    question = endpoint.find(snap).question
    assert question is not None
    assert endpoint.find(replace(snap, answers={question: Speaking(8265)})).port == 8265
    assert endpoint.find(replace(snap, answers={question: NOBODY})).port == 8000


def test_the_status_has_the_port_after_a_restart() -> None:
    snap = world(bare("chat", 1, 2), paths=OTHERS, spec={"mount_path": "/m"})
    for port, told in ((2, 2), (3, None), (None, None)):
        status = Status(workload=WorkloadStatus("Deployment", "chat", "chat", port))
        restarted = replace(snap, app=replace(snap.app, status=status))
        found = endpoint.find(restarted)
        assert (found.port, found.told) == (told, told)
        assert found.question is not None and found.question.prefixes == ("", "/m")
        assert decide(restarted).is_waiting is (told is None)


def test_status_says_the_port_that_pods_told() -> None:
    snap = world(TWO, paths=BOTH)
    question = endpoint.find(snap).question
    assert question is not None
    told = replace(snap, answers={question: Speaking(8265)})
    assert report_of(told).status.workload == WorkloadStatus("Deployment", "chat", "chat", 8265)
    assert report_of(replace(snap, answers={question: NOBODY})).status.workload == WorkloadStatus(
        "Deployment", "chat", "chat"
    )


def test_nobody_is_asked_without_a_service_or_with_verification_off() -> None:
    snap = world(bare("chat", 1, 2), paths=OTHERS)
    assert endpoint.find(replace(snap, services=())).question is None
    off = decide(replace(snap, is_verified=False))
    assert (off.questions, off.is_waiting) == ((), False)


LOGIN = bare("login", 4180)
PAST = [
    ("the Service leads to Chainlit", world(bare("chainlit", 8000), LOGIN, paths=CHAT), None),
    ("to a proxy", world(bare("chainlit", 8000), LOGIN, paths={"/": 4180}), 8000),
    ("to a proxy, by name", world(bare("chainlit", 8000), named("login", out=4180), paths={"/": "out"}), 8000),
    ("to a proxy, and nothing is declared", world(bare("chainlit"), LOGIN, paths={"/": 4180}), 8000),
    ("to a proxy, and a stated port", world(bare("chainlit", 1, 2), LOGIN, paths={"/": 4180}, spec={"port": 2}), 2),
    ("to a port that nobody declares", world(bare("chainlit", 8000), LOGIN, paths={"/": 9}), None),
    ("to a port of both", world(bare("chainlit", 8000), bare("login", 8000), paths=CHAT), None),
]  # fmt: skip


@pytest.mark.parametrize(("given", "port"), [row[1:] for row in PAST], ids=[row[0] for row in PAST])
def test_port_past_a_login_proxy(given: Snapshot, port: int | None) -> None:
    chainlit, (found,) = endpoint.find(given).container, given.services
    assert chainlit is not None and chainlit.name == "chainlit"
    assert endpoint.port_past_proxy(given, chainlit, found, 80) == port
    assert endpoint.port_past_proxy(given, chainlit, found, 1) is None
    assert endpoint.port_past_proxy(replace(given, workload=None), chainlit, found, 80) is None


def test_check_of_an_app_behind_a_login_proxy() -> None:
    chat, proxy = bare("chainlit", 8000, root_path=Variable("/chat")), bare("login", 4180)
    check = report_of(world(chat, proxy, paths={"/chat": 4180})).check
    assert check is not None
    assert (check.service, check.pod_port, check.root_path) == (service().ref, 8000, "/chat")
    check = report_of(world(chat, proxy, paths={"/chat": 8000})).check
    assert check is not None
    assert (check.service, check.pod_port, check.base_url) == (None, 0, "http://10.96.0.7:80")


def test_an_init_container_that_keeps_running_is_a_proxy() -> None:
    given = world(bare("chainlit", 8000, root_path=Variable("/chat")), paths={"/chat": 4180})
    assert given.workload is not None
    beside = replace(given, workload=replace(given.workload, sidecar_ports=(("login", 4180),)))
    chainlit, (found,) = endpoint.find(beside).container, beside.services
    assert chainlit is not None
    assert endpoint.find(beside).port is None
    assert endpoint.port_past_proxy(beside, chainlit, found, 80) == 8000
    by_name = world(bare("chainlit", 8000), paths={"/chat": "login"})
    assert by_name.workload is not None
    named_beside = replace(by_name, workload=replace(by_name.workload, sidecar_ports=(("login", 4180),)))
    assert endpoint.port_past_proxy(named_beside, chainlit, by_name.services[0], 80) == 8000
