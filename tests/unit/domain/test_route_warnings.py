"""Warnings of a route: when a load balancer's own health check fails."""

from __future__ import annotations

import pytest

from chainlit_operator.domain.route_warnings import Advice, HealthCheck, Seen


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
        ("/", "200,x-y,-,404x", "/chat", 404),
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
    assert HealthCheck(path, "the annotation x", codes).text(Seen(root_path)) == ("" if status is None else wanted)


def test_a_long_path_is_shown_in_part() -> None:
    assert f"asks /{'?' * 199}, which" in HealthCheck("/" + "?" * 999, "x").text(Seen("/chat"))


def test_advice_holds_whatever_the_root_path_is() -> None:
    assert Advice("One fails.").text(Seen("")) == "One fails."
