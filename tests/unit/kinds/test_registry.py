"""The registry: which kinds its files make, and that each has a place in the API of its own."""

from __future__ import annotations

import importlib
import pkgutil

import chainlit_operator.kinds.routes
import chainlit_operator.kinds.workloads
from chainlit_operator.domain.desired import manifests
from chainlit_operator.kinds import registry


def test_kinds_are_found_in_their_files() -> None:
    assert set(registry.ROUTES) >= {"HTTPRoute", "Ingress"}
    assert set(registry.WORKLOADS) >= {"Deployment", "StatefulSet"}
    others = {"Gateway", "Middleware", "Service", "ServiceAccount"}
    assert set(registry.WATCHED) >= {*registry.ROUTES, *registry.WORKLOADS, *others}
    assert set(registry.LISTED) == {"EndpointSlice"} and "EndpointSlice" not in registry.WATCHED
    assert registry.APP.kind == "ChainlitApp" and "ChainlitApp" not in registry.WATCHED


def test_each_file_of_a_route_or_workload_is_one_kind() -> None:
    for package, kinds in (
        (chainlit_operator.kinds.routes, registry.ROUTES),
        (chainlit_operator.kinds.workloads, registry.WORKLOADS),
    ):
        names = [f"{package.__name__}.{info.name}" for info in pkgutil.iter_modules(package.__path__)]
        assert sorted(importlib.import_module(name).KIND.kind for name in names) == sorted(kinds)


def test_the_domain_writes_the_versions_that_are_read() -> None:
    created = {name: kind.api_version for name, kind in registry.WATCHED.items() if kind.is_created}
    assert created | {registry.APP.kind: registry.APP.api_version} == manifests.API_VERSIONS


def test_places_in_the_api() -> None:
    assert registry.RESOURCES["Service"] == ("/api/v1", "services")
    assert registry.RESOURCES["ChainlitApp"] == ("/apis/chainlit-operator.dev/v1alpha1", "chainlitapps")
    assert registry.RESOURCES["Lease"] == ("/apis/coordination.k8s.io/v1", "leases")
    assert len(set(registry.RESOURCES.values())) == len(registry.RESOURCES)


def test_kinds_that_only_a_disabled_kind_needs_are_not_watched_either() -> None:
    every = set(registry.WATCHED)
    assert {kind.kind for kind in registry.watched(frozenset())} == every
    without = {kind.kind for kind in registry.watched(frozenset({"HTTPRoute"}))}
    assert every - without == {"HTTPRoute", "Gateway", "ReferenceGrant"}  # Ingresses name Middlewares too
    assert every - {kind.kind for kind in registry.watched(registry.OPTIONAL)} >= every - without


def test_dependencies_are_kinds_that_are_read() -> None:
    for kind in registry.ROUTES.values():
        assert set(kind.dependencies) <= set(registry.WATCHED), kind.kind
    assert "Middleware" in registry.CHAINED and "Gateway" not in registry.CHAINED
    assert {name for name, kind in registry.WATCHED.items() if kind.is_optional} >= {"Gateway", "HTTPRoute"}
    assert not registry.WATCHED["Ingress"].is_optional
