"""The registry of controllers, as it is found in the package."""

from __future__ import annotations

from chainlit_operator.ingress_controllers import registry, unknown
from chainlit_operator.ingress_controllers.shared import snippets
from chainlit_operator.ingress_controllers.shared.controller import is_never
from chainlit_operator.ingress_controllers.shared.values import is_on


def test_controllers_are_found_in_the_order_of_their_rewrites() -> None:
    found = registry._found()
    assert found == registry.CONTROLLERS
    assert list(found) == sorted(found, key=registry._position)
    assert list(found)[:3] == ["ingress_nginx", "haproxy_ingress", "kong"]
    assert {"aws_alb", "contour", "traefik"} <= found.keys()
    assert registry._position("kong") == (2, "kong")
    assert registry._position("zzz") == (len(registry._FIRST), "zzz")


def test_an_annotation_that_nobody_reads_is_suspected_by_its_name() -> None:
    suspects = {
        "nginx.ingress.kubernetes.io/configuration-snippet": snippets.may_rewrite,
        "a.example/b/server-snippets": snippets.may_rewrite,
        "nginx.ingress.kubernetes.io/auth-snippet": None,
        "a.example/path-rewrite": is_on,
        "a.example/Strip-prefix": is_on,
        "rewrite.example/other": None,
        "a.example/rewrite-host": None,
        "a.example/response-rewrite": None,
        "strip": is_on,
        "a.example/timeout": None,
    }
    assert {key: unknown.suspicion(key) for key in suspects} == suspects


def test_a_controller_recognises_no_route_unless_it_says_how() -> None:
    assert is_never(None) is False  # type: ignore[arg-type]
