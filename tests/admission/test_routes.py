"""The policy on routes: an edit that would leave an app where Chainlit cannot serve it is refused, and no other is."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from chainlit_operator.domain.decide import decide
from chainlit_operator.domain.resolution import Unresolved
from chainlit_operator.state import State
from tests import objects
from tests.admission.plane import Plane
from tests.e2e.demo import container, workload
from tests.e2e.kube import KubeError
from tests.objects import Object, chainlit_app, ingress, path_of, service
from tests.records import app_record, record
from tests.waiting import eventually

HOST = "a.example"
INGRESS_PATHS = (
    *("/", "/chat", "/chat/", "/team/v1.0/my-chat_2~", "/my chat", "/chat@home", "/ch%C3%A4t", "/a:b", "/a+b", "/$x"),
    *("/.hidden", "/...", "/a/.b"),
)
MATCHES = ("Prefix", "Exact")


@pytest.fixture(scope="module", autouse=True)
def routed(plane: Plane) -> Iterator[None]:
    """The API server with the policy."""
    plane.install({"routePolicy": {"enabled": True}})
    yield
    plane.install()


def http_route(path: str, type_: str = "PathPrefix", service: str = "chat") -> Object:
    rule = objects.http_rule(objects.path_match(path, type_), backends=[objects.backend_ref(service)])
    return objects.http_route(rule, hostnames=[HOST], parents=[{"name": "edge"}])


def place(plane: Plane, namespace: str, route: Object, **status: Any) -> None:
    """Put a route and an app that is served by it into a namespace, with the status that the operator would write."""
    plane.admin.create(route, namespace)
    plane.admin.create(chainlit_app(), namespace)
    told = {"kind": route["kind"], "name": "chat", "host": HOST, "path": "/chat", "pathType": "Prefix"} | status
    path = f"{path_of('ChainlitApp', namespace, 'chat')}/status"
    plane.admin.request("PATCH", path, {"status": {"route": told}}, "application/merge-patch+json")


def edit(plane: Plane, namespace: str, route: Object) -> str:
    """Try to bring a route to this; returns what the policy says against it, or nothing."""
    path = f"{path_of(route['kind'], namespace, 'chat')}?dryRun=All"
    try:
        plane.admin.request("PATCH", path, {"spec": route["spec"]}, "application/merge-patch+json")
    except KubeError as error:
        if "ValidatingAdmissionPolicy" not in error.message:
            raise
        return error.message.partition("denied request: ")[2]
    return ""


def await_policy(plane: Plane, namespace: str, wrong: Object) -> None:
    """Wait until the policy is there and knows of the namespace's app."""
    eventually(lambda: edit(plane, namespace, wrong))


def reason(route: Object) -> str:
    """What the operator would say of a route; empty where it serves the app."""
    cache = State(lambda ref: None)
    for obj in (route, service(), workload(container("demo"))):
        metadata = obj["metadata"] | {"namespace": "shop", "resourceVersion": "1", "uid": "u"}
        cache.upsert(record(obj | {"metadata": metadata}))
    app = chainlit_app()
    app["metadata"] |= {"namespace": "shop", "uid": "u", "resourceVersion": "1"}
    made = app_record(app)
    cache.put_app(made)
    found = decide(cache.snapshot(made)).route
    return str(found.reason) if isinstance(found, Unresolved) else ""


@pytest.mark.parametrize("kind", ["Ingress", "HTTPRoute"])
def test_refused_is_what_the_operator_cannot_serve(plane: Plane, namespace: str, kind: str) -> None:
    def made(path: str, type_: str) -> Object:
        if kind == "Ingress":
            return ingress(HOST, path, path_type=type_)
        return http_route(path, {"Prefix": "PathPrefix"}.get(type_, type_))

    place(plane, namespace, made("/chat", "Prefix"))
    await_policy(plane, namespace, made("/chat", "Exact"))
    verdicts = set()
    for path in INGRESS_PATHS:
        for type_ in MATCHES:
            route = made(path, type_)
            said, expected = edit(plane, namespace, route), reason(route)
            assert bool(said) is bool(expected), (path, type_, said, expected)
            verdicts.add(expected)
            if said:
                assert said.startswith(f"{kind} chat serves ChainlitApp chat, and "), said
            if expected == "PathNotSupported":
                assert f"cannot serve the path {path}: use segments of letters" in said
    assert verdicts == {"", "ExactPath", "PathNotSupported"}


def test_says_what_to_do(plane: Plane, namespace: str) -> None:
    place(plane, namespace, ingress(HOST, "/chat"))
    wrong = ingress(HOST, "/chat", path_type="Exact")
    await_policy(plane, namespace, wrong)
    assert edit(plane, namespace, wrong) == (
        "Ingress chat serves ChainlitApp chat, and would have only paths of type Exact for it, which let no path below "
        "them through, also not the WebSocket: use type Prefix"
    )


def test_what_is_not_the_apps_is_free(plane: Plane, namespace: str) -> None:
    start = ingress(HOST, "/chat")
    place(plane, namespace, start)
    await_policy(plane, namespace, ingress(HOST, "/my chat"))
    # Another Service of the same Ingress, and an Exact path beside the app's.
    other = copy.deepcopy(start)
    paths = other["spec"]["rules"][0]["http"]["paths"]
    paths.append(
        {"path": "/my files", "pathType": "Prefix", "backend": {"service": {"name": "b", "port": {"number": 1}}}}
    )
    paths.append(copy.deepcopy(paths[0]) | {"path": "/chat", "pathType": "Exact"})
    assert edit(plane, namespace, other) == ""
    # Taken off the Ingress altogether; and an expression, which is the operator's to judge.
    other["spec"]["rules"][0]["http"]["paths"] = paths[1:2]
    assert edit(plane, namespace, other) == ""
    assert edit(plane, namespace, ingress(HOST, "/chat(/|$)(.*)", path_type="ImplementationSpecific")) == ""
    plane.admin.patch("Ingress", namespace, "chat", {"metadata": {"labels": {"a": "b"}}})
    plane.admin.delete("Ingress", namespace, "chat")


@pytest.mark.parametrize(
    ("spec", "status"),
    [({"suspend": True}, {}), ({}, {"name": "other"}), ({}, {"kind": "HTTPRoute"}), ({}, {"path": "/elsewhere"})],
    ids=["suspended", "another route", "another kind", "another path"],
)
def test_routes_of_no_app_are_free(plane: Plane, namespace: str, spec: Object, status: Object) -> None:
    place(plane, namespace, ingress(HOST, "/chat"))
    wrong = ingress(HOST, "/my chat")
    await_policy(plane, namespace, wrong)
    plane.admin.patch("ChainlitApp", namespace, "chat", {"spec": spec})
    path = f"{path_of('ChainlitApp', namespace, 'chat')}/status"
    plane.admin.request("PATCH", path, {"status": {"route": status}}, "application/merge-patch+json")
    eventually(lambda: edit(plane, namespace, wrong), lambda said: said == "")
