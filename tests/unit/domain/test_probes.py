"""Probe paths: which of a container's probes ask Chainlit, where the pods have other servers too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.world import app, container, ingress, service, snapshot, workload

from chainlit_operator.domain.decide import decide
from chainlit_operator.domain.model import Container, Probe, ServicePort, Status
from chainlit_operator.domain.paths import RootPaths
from chainlit_operator.domain.probes import is_probe_endpoint, wanted_probe_paths
from chainlit_operator.domain.resolution import Resolved, resolve

#: A container that serves something else at its first port.
PORTS = (("metrics", 9090), ("http", 8000))
PROXY = container(name="proxy", probes=(), ports=(("proxy", 4180),))
READY, LIVE = {"readinessProbe": "/chat/login"}, {"livenessProbe": "/chat/favicon"}


def probes(readiness: tuple[str, int | str], liveness: tuple[str, int | str]) -> tuple[Probe, ...]:
    return Probe("readinessProbe", *readiness), Probe("livenessProbe", *liveness)


def wanted(found: Container, *others: Container, target: int | str = 4180, status: str = "", **fields: Any) -> Any:
    """The probe paths for a route at /chat that leads to that port of the pods."""
    chat = replace(app(container=found.name), status=Status(root_path=status))
    ports = fields.pop("service_ports", (ServicePort("http", 80, target),))
    given = snapshot(app=chat, workload=workload(found, *others, **fields), services=(service(ports=ports),))
    route = resolve(given)
    assert isinstance(route, Resolved)
    return dict(wanted_probe_paths(given, found, route, RootPaths("/chat", "")))


@pytest.mark.parametrize(
    ("root_path", "status", "readiness", "liveness", "ours"),
    [
        (None, "", "/health", "/favicon", {"readinessProbe": "/chat/health"}),
        (None, "", "/auth/config?a=b", "/favicon", {"readinessProbe": "/chat/auth/config?a=b"}),
        (None, "", "/auth/config?a=?b", "/favicon", {"readinessProbe": "/chat/auth/config?a=?b"}),
        (None, "", "/favicon?a=/health", "/auth/config", {"livenessProbe": "/chat/auth/config"}),
        ("/old", "", "/old/login", "/favicon", READY),
        ("old/", "", "/old/login", "/favicon", READY),
        (None, "/old", "/old/login", "/favicon", READY),
        (None, "", "/chat/login", "/favicon", READY),
        (None, "", "", "/favicon", {"readinessProbe": "/chat/health"}),
        (None, "", "/", "/favicon", {"readinessProbe": "/chat/health"}),
        (None, "", "/", "/health", {"livenessProbe": "/chat/health"}),
        (None, "", "/login", "/favicon", LIVE),
        ("", "", "/login", "/favicon", LIVE),
    ],
)
def test_behind_a_proxy_the_paths_tell_which_port_is_chainlits(
    root_path: str | None, status: str, readiness: str, liveness: str, ours: dict[str, str]
) -> None:
    """Where no path is Chainlit's, the first port counts, here that of the liveness probe."""
    found = container(root_path, ports=PORTS, probes=probes((readiness, "http"), (liveness, 9090)))
    assert wanted(found, PROXY, status=status) == ours


def test_without_ports_and_known_paths_it_is_the_usual_port() -> None:
    found = container(ports=(), probes=probes(("/login", 8000), ("/favicon", 9090)))
    assert wanted(found, PROXY) == READY


def test_the_only_port_that_probes_ask_is_chainlits_behind_a_proxy() -> None:
    found = container(probes=(Probe("livenessProbe", "/favicon", 9090),))
    assert wanted(found, PROXY) == LIVE


def test_a_port_that_the_container_does_not_have_tells_nothing() -> None:
    found = container(probes=probes(("/login", "elsewhere"), ("/favicon", 9090)))
    assert wanted(found, target="http") == READY


@pytest.mark.parametrize(
    ("found", "others", "fields", "ours"),
    [
        (container(ports=(), probes=(Probe("livenessProbe", "/favicon", 9090),)), (), {"target": 8000}, {}),
        (container(probes=(Probe("livenessProbe", "/favicon", 9090),)), (PROXY,), {"target": 8000}, {}),
        (
            container(ports=PORTS, probes=probes(("/login", 8000), ("/favicon", 9090))),
            (),
            {"service_ports": (ServicePort("metrics", 81, "metrics"), ServicePort("http", 80, "http"))},
            READY,
        ),
        (
            container(ports=(), probes=probes(("/favicon", 4180), ("/health", 8000))),
            (PROXY,),
            {},
            {"livenessProbe": "/chat/health"},
        ),
        (
            container(ports=(), probes=probes(("/login", 8000), ("/favicon", 9090))),
            (),
            {"target": 9090, "has_sidecars": True},
            LIVE,
        ),
    ],
    ids=["alone", "declared", "second-port", "declared-by-the-proxy", "asked-by-a-probe"],
)
def test_the_port_behind_the_route(found: Container, others: Any, fields: Any, ours: dict[str, str]) -> None:
    assert wanted(found, *others, **fields) == ours


@pytest.mark.parametrize(
    ("managers", "ours"), [(("helm", "chainlit-operator"), {"readinessProbe": "/chat/health"}), (("helm",), {})]
)
def test_a_probe_that_others_have_changed_is_set_back(managers: tuple[str, ...], ours: dict[str, str]) -> None:
    found = container("/chat", probes=(Probe("readinessProbe", "/health", "http"),))
    assert wanted(found, target="http", field_managers=managers) == ours


LONG = f"/old/{'x' * 200}"


@pytest.mark.parametrize(
    ("root_path", "asked", "exec_asked", "warnings"),
    [
        ("/chat", "/health", "", ["The readinessProbe asks /health, which answers 404 with root path /chat: let it ask "
                                  "/chat/health."]),
        ("/chat", "/chat/health", "", []),
        ("/chat", "/healthz", "/healthz", []),
        ("/old", "/health", "", []),
        (None, "", "/", ["The livenessProbe (exec) asks /, which answers 404 with root path /chat: let it ask "
                         "/chat/health."]),
        (None, "", "/chat/ready", []),
        ("/old", "", "/old/ready", ["The livenessProbe (exec) asks /old/ready, which answers 404 with root path /chat: "
                                    "let it ask /chat/ready."]),
        ("/old", "", LONG, [f"The livenessProbe (exec) asks {LONG[:100]}, which answers 404 with root path /chat: "
                            f"let it ask /chat/{'x' * 94}."]),
    ],
)  # fmt: skip
def test_probes_that_are_not_changed_and_get_404_are_named(
    root_path: str | None, asked: str, exec_asked: str, warnings: list[str]
) -> None:
    found = container(
        root_path,
        probes=(Probe("readinessProbe", asked, "http"),) if asked else (),
        exec_requests=(Probe("livenessProbe", exec_asked, 8000),) if exec_asked else (),
    )
    assert list(decide(snapshot(workload=workload(found))).warnings) == warnings


def test_nothing_is_404_at_the_root() -> None:
    found = container("/old", probes=(), exec_requests=(Probe("livenessProbe", "/old/health", 8000),))
    assert (
        decide(
            snapshot(ingress("/"), app=replace(app(), status=Status(root_path="")), workload=workload(found))
        ).warnings
        == ()
    )


@pytest.mark.parametrize(
    ("path", "prefixes", "asks_chainlit"),
    [
        ("/health", (), True),
        ("/x/auth/config", (), True),
        ("/health?a=b", (), True),
        ("/health?a=b?c", (), True),
        ("/favicon?a=/health", (), False),
        ("/healthz", (), False),
        ("/chat", ("/bot", "/chat"), True),
        ("/chat/login?a", ("/chat",), True),
        ("/chat?a", ("/chat",), True),
        ("/chats", ("/chat",), False),
        ("/favicon", ("",), False),
    ],
)
def test_is_probe_endpoint(path: str, prefixes: tuple[str, ...], asks_chainlit: bool) -> None:
    assert is_probe_endpoint(path, prefixes) is asks_chainlit
