"""Warnings of a route: when a load balancer's own health check fails."""

from __future__ import annotations

import pytest

from chainlit_operator.domain.route_warnings import (
    Advice,
    HealthCheck,
    HealthCheckKeys,
    NeedsNodePort,
    Seen,
    StatedHealthCheck,
)

KEYS = HealthCheckKeys("x", "port", "codes")


@pytest.mark.parametrize(
    ("path", "codes", "root_path", "status"),
    [
        ("/", "200", "/chat", 404),
        ("", "200", "/chat", 404),
        ("/?a=/chat/health", "200", "/chat", 404),
        ("/health", "200", "/chat", 404),
        ("health", "200", "/chat", 404),
        ("/auth/config", "200", "/chat", 404),
        ("/health", "200", "", None),
        ("/", "404", "", None),
        ("/chat", "200", "/chat", 307),
        ("/chat", "200-399", "/chat", None),
        ("/chat/", "200", "/chat", None),
        ("/chat/health", "200", "/chat", None),
        ("/chat/health?a=b", "200", "/chat", None),
        ("/chat/health", "204", "/chat", 200),
        ("/", "200,404", "/chat", None),
        ("/", "200-300, 400-404", "/chat", None),
        ("/", "404-", "/chat", None),
        ("/", "200,x-y,-,404x,x-404,404-x", "/chat", 404),
        ("/health", "200", "/health", 307),
        # They may be endpoints of the app's own.
        ("/api/health", "200", "/chat", None),
        ("/healthz", "200", "/chat", None),
    ],
)
def test_health_check(path: str, codes: str, root_path: str, status: int | None) -> None:
    wanted = (
        f"The load balancer's own health check asks {path}, which Chainlit answers with {status} at root path "
        f"{root_path}, so it counts the pods as unhealthy. Set the annotation x to {root_path}/health."
    )
    assert HealthCheck(KEYS, path, codes).text(Seen(root_path)) == ("" if status is None else wanted)
    # The same, stated by the Service.
    seen = Seen(root_path, settings={"x": path, "codes": codes})
    assert HealthCheck(KEYS, path and "/chat/health", "x").text(seen) == ("" if status is None else wanted)


@pytest.mark.parametrize(
    ("of_route", "of_service", "is_told"),
    [
        ("", "", True),
        ("8081", "", False),
        ("traffic-port", "", True),
        ("8081", "traffic-port", True),
        ("", "81", False),
    ],
)
def test_a_health_check_at_another_port_asks_something_else(of_route: str, of_service: str, is_told: bool) -> None:
    found = HealthCheck(KEYS, "/", port=of_route).text(Seen("/chat", settings={"port": of_service}))
    assert bool(found) is is_told


@pytest.mark.parametrize(
    ("of_route", "of_service", "type_", "is_told"),
    [
        ("instance", None, "ClusterIP", True),
        ("instance", None, "NodePort", False),
        ("instance", "ip", "ClusterIP", False),
        ("ip", "instance", "ClusterIP", True),
        ("", None, "ClusterIP", False),
    ],
)
def test_a_load_balancer_may_need_a_port_of_nodes(
    of_route: str, of_service: str | None, type_: str, is_told: bool
) -> None:
    settings = {} if of_service is None else {"x": of_service}
    assert bool(NeedsNodePort("x", of_route, "instance", "ip").text(Seen("", type_, settings))) is is_told


def test_a_long_path_is_shown_in_part() -> None:
    assert f"asks /{'?' * 199}, which" in HealthCheck(KEYS, "/" + "?" * 999).text(Seen("/chat"))


def test_advice_holds_whatever_the_root_path_is() -> None:
    assert Advice("One fails.").text(Seen("")) == "One fails."


def test_health_check_that_another_object_states() -> None:
    check = StatedHealthCheck("Policy", "config.path")
    assert not check.text(Seen("", "ClusterIP", {}, has_readiness_probe=True))
    assert check.text(Seen("/chat", "ClusterIP", {}, has_readiness_probe=True)) == (
        "The load balancer's own health check asks /, which Chainlit answers with 404 at root path /chat, unless a "
        "Policy states another path. Set config.path of a Policy for the Service to /chat/health."
    )
