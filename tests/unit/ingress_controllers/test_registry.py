"""The registry of controllers, as it is found in the package."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.objects import http_route, http_rule, ingress, path_match, stored
from tests.records import record

from chainlit_operator.domain.model import AffinitySetting, ControllerAffinity, Stickiness
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


NO_COOKIES = "haproxy.router.openshift.io/disable_cookies"


def test_a_setting_of_affinity_names_its_annotation() -> None:
    found = record(stored(ingress(annotations={NO_COOKIES: "true"}), "shop"))
    assert found.affinity == (AffinitySetting("openshift", Stickiness.LOST, f"the annotation {NO_COOKIES}"),)


@pytest.mark.parametrize("name", [name for name in registry._AFFINITIES if name != "f5_nginx"])
def test_an_annotation_with_a_longer_name_is_another_one(name: str) -> None:
    affinity = registry._AFFINITIES[name]
    annotations = {f"{prefix}-other": "" for prefix in affinity.prefixes}
    assert (list(affinity.on_route(annotations)), list(affinity.on_service(annotations))) == ([], [])


def test_annotations_of_an_http_route_keep_no_browser_at_a_pod() -> None:
    metadata = {"annotations": {"nginx.ingress.kubernetes.io/affinity": "cookie"}}
    assert record(stored(http_route(http_rule(path_match()), metadata=metadata), "shop")).affinity == ()


def test_a_route_without_a_known_controller_stays_the_same_object() -> None:
    """Thousands of routes of one class need no copies."""
    for made in (ingress(ingress_class="public"), http_route(http_rule(path_match()), parents=[])):
        route = record(stored(made, "shop"))
        assert registry.with_controllers(route) is route


def test_a_kind_that_states_its_controller_is_believed() -> None:
    stated = ControllerAffinity("Other", frozenset(), Stickiness.KEPT, "")
    route = replace(record(stored(ingress(ingress_class="traefik"), "shop")), controllers=(stated,))
    assert registry.with_controllers(route).controllers == (stated,)


STRIP, HAPROXY = {"konghq.com/strip-path": "true"}, {"haproxy.org/path-rewrite": "/chat/(.*) /\\1"}
NGINX = "nginx.ingress.kubernetes.io/"
F5 = {"nginx.org/rewrites": "serviceName=chat rewrite=/"}
MIDDLEWARES = {"traefik.ingress.kubernetes.io/router.middlewares": "shop-strip@kubernetescrd"}


@pytest.mark.parametrize(
    ("annotations", "ingress_class", "expected"),
    [
        ({}, None, ()),
        (STRIP, None, ("Kong",)),
        (STRIP, "public", ("Kong",)),
        (STRIP, "kong", ()),
        (STRIP, "traefik", ()),
        ({"konghq.com/strip-path": "false"}, None, ()),
        ({"konghq.com/protocols": "https"}, None, ()),
        (HAPROXY, None, ("HAProxy",)),
        (HAPROXY, "haproxy", ("HAProxy",)),
        ({"haproxy-ingress.github.io/rewrite-target": "/"}, "haproxy", ("haproxy-ingress",)),
        ({f"{NGINX}rewrite-target": "/$1"}, "nginx", ("ingress-nginx",)),
        ({f"{NGINX}affinity": "cookie"}, None, ()),
        (F5, "nginx", ("F5 NGINX",)),
        (MIDDLEWARES, None, ("Traefik",)),
        ({"traefik.ingress.kubernetes.io/router.tls": "true"}, None, ()),
        (MIDDLEWARES | STRIP, None, ("Kong", "Traefik")),
        ({"a.example/path-rewrite": "/"}, None, ()),
    ],
)
def test_a_route_says_for_which_controllers_its_paths_are_read(
    annotations: dict[str, str], ingress_class: str | None, expected: tuple[str, ...]
) -> None:
    """Where the class does not tell which controller serves the route, the paths are a guess."""
    found = record(stored(ingress(annotations=annotations, ingress_class=ingress_class), "shop"))
    assert found.read_as == expected


def test_an_expression_is_a_guess_too() -> None:
    made = ingress(path="/chat(/.*)?", path_type="ImplementationSpecific", ingress_class=None)
    assert record(stored(made, "shop")).read_as == ()
    made["metadata"]["annotations"] = {f"{NGINX}use-regex": "true"}
    assert record(stored(made, "shop")).read_as == ("ingress-nginx",)


def test_a_controller_recognises_no_route_unless_it_says_how() -> None:
    assert is_never(None) is False  # type: ignore[arg-type]
