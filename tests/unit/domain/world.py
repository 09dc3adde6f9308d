"""Builders of domain records with the values that most tests do not care about."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from chainlit_operator.domain import middlewares
from chainlit_operator.domain.alignment import Apply
from chainlit_operator.domain.conditions import Outcome, Report, report
from chainlit_operator.domain.decide import Failure, decide
from chainlit_operator.domain.model import (
    NOBODY,
    Answer,
    App,
    AppSpec,
    Attachment,
    Container,
    Dependency,
    Effect,
    FieldConflict,
    Gateway,
    Matching,
    Memory,
    Middleware,
    Origin,
    Probe,
    Question,
    Rollout,
    Route,
    RouteConflict,
    RoutePath,
    Service,
    ServicePort,
    Snapshot,
    Variable,
    Verification,
    VerificationMode,
    Winner,
    Workload,
)
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.rewrites import Transform
from chainlit_operator.domain.route_conflicts import ELDER_APP
from chainlit_operator.domain.route_paths import prefix_of
from chainlit_operator.object_ref import Ref

NAMESPACE = "shop"
DONE = Rollout(observed_generation=1, desired=1, total=1, updated=1, available=1)


def app(name: str = "chat", created: str = "2026-01-01T00:00:00Z", **spec: Any) -> App:
    """An app that is verified through its Service, unless the spec says otherwise."""
    backend = VerificationMode.BACKEND
    fields = {"workload_kind": "Deployment", "workload_name": "chat", "verification": backend} | spec
    return App(
        ref=Ref("ChainlitApp", NAMESPACE, name),
        uid=f"uid-of-{name}",
        resource_version="1",
        generation=1,
        created=created,
        spec=AppSpec(**fields),
    )


def container(root_path: str | Variable | None = None, name: str = "chainlit", **fields: Any) -> Container:
    variable = Variable(root_path) if isinstance(root_path, str) else root_path
    defaults: dict[str, Any] = {
        "ports": (("http", 8000),),
        "probes": (Probe("readinessProbe", "/health", "http"),),
        "root_path": variable,
    }
    return Container(name=name, **(defaults | fields))


def workload(*containers: Container, **fields: Any) -> Workload:
    defaults: dict[str, Any] = {
        "ref": Ref("Deployment", NAMESPACE, "chat"),
        "api_version": "apps/v1",
        "uid": "uid-of-workload",
        "resource_version": "1",
        "generation": 1,
        "pod_labels": (("app", "chat"),),
        "containers": containers or (container(),),
        "rollout": DONE,
    }
    return Workload(**(defaults | fields))


def service(name: str = "chat", **fields: Any) -> Service:
    defaults: dict[str, Any] = {
        "selector": (("app", "chat"),),
        "cluster_ip": "10.96.0.7",
        "ports": (ServicePort("http", 80, "http"),),
    }
    return Service(ref=Ref("Service", NAMESPACE, name), resource_version="1", **(defaults | fields))


def path(
    text: str = "/chat",
    service: str = "chat",
    host: str = "example.com",
    path_type: str = "Prefix",
    port: int | str = 80,
    **fields: Any,
) -> RoutePath:
    if "matching" not in fields:
        fields["matching"] = Matching.EXACT if path_type == "Exact" else Matching.PREFIX
    return RoutePath(host=host, path=text, path_type=path_type, service=service, port=port, **fields)


def regex(text: str, **fields: Any) -> RoutePath:
    return path(text, path_type="ImplementationSpecific", matching=Matching.REGULAR_EXPRESSION, **fields)


def ingress(
    *paths: RoutePath | str,
    name: str = "chat",
    ingress_class: str = "",
    tls_hosts: frozenset[str] = frozenset(),
    address: str = "",
    **fields: Any,
) -> Route:
    """An Ingress as its kind reads it, with the Middlewares that its paths name."""
    found = tuple(path(p) if isinstance(p, str) else p for p in paths)
    secure = (Origin(host, is_secure=True, address="" if host else address) for host in sorted(tls_hosts))
    defaults: dict[str, Any] = {
        "attachments": (Attachment(f"ingress class {ingress_class}"),),
        "origins": (*secure, Origin("", is_secure=False, address=address)),
        "dependencies": tuple({Dependency("Middleware", key) for p in found for key in p.middlewares}),
    }
    return Route(ref=Ref("Ingress", NAMESPACE, name), resource_version="1", paths=found, **(defaults | fields))


def composed(route: Route, *others: Gateway | Middleware) -> Route:
    """The route with the Middlewares that take part in it."""
    return middlewares.compose(
        route, lambda wanted: tuple(o for o in others if (o.ref.kind, o.key) == (wanted.kind, wanted.key))
    )


def conflict(path: RoutePath, name: str = "elder", **fields: Any) -> RouteConflict:
    """Another team's app with that path, which is older: by default at the same place."""
    defaults: dict[str, Any] = {
        "route": Ref("Ingress", "team", name),
        "host": path.host,
        "path": path.path,
        "prefix": prefix_of(path),
        "effect": Effect.CLAIM,
        "winner": Winner.OTHER,
        "app": Ref("ChainlitApp", "team", name),
        "why": ELDER_APP,
    }
    return RouteConflict(**(defaults | fields))


def shadow(path: RoutePath, name: str = "elder", **fields: Any) -> RouteConflict:
    """Another team's app with that path, which is one of Chainlit's own routes."""
    return conflict(path, name, **({"effect": Effect.SHADOW, "why": "its path is longer"} | fields))


def middleware(name: str, *transforms: Transform, chain: tuple[str, ...] = ()) -> Middleware:
    return Middleware(Ref("Middleware", NAMESPACE, name), "1", transforms, chain)


class Silent(dict[Question, Answer]):
    """The answers of pods where nobody answers, so that the operator writes at once."""

    def get(self, key: Question, default: Any = None) -> Answer:
        return NOBODY


def snapshot(*routes: Route, middlewares: tuple[Middleware, ...] = (), **fields: Any) -> Snapshot:
    """The plain case: one app, one workload, its Service, and the routes given (default: an Ingress at /chat)."""
    defaults: dict[str, Any] = {
        "app": app(),
        "workload": workload(),
        "services": (service(),),
        "answers": Silent(),
        "routes": tuple(composed(route, *middlewares) for route in routes or (ingress("/chat"),)),
    }
    return Snapshot(**(defaults | fields))


def applied(found: Workload, name: str, env: dict[str, str], probes: dict[str, str]) -> Workload:
    """The workload as a server-side apply of these fields leaves it."""
    old = next(c for c in found.containers if c.name == name)
    new = replace(
        old,
        root_path=Variable(env["CHAINLIT_ROOT_PATH"]) if "CHAINLIT_ROOT_PATH" in env else old.root_path,
        parent_root_path=(
            Variable(env["CHAINLIT_PARENT_ROOT_PATH"]) if "CHAINLIT_PARENT_ROOT_PATH" in env else old.parent_root_path
        ),
        probes=tuple(replace(p, path=probes.get(p.field, p.path)) for p in old.probes),
    )
    return replace(found, containers=tuple(new if c.name == name else c for c in found.containers))


#: Words that are spelt in capitals.
CAPITALS = {
    "CHAINLIT_HOST",
    "CHAINLIT_ROOT_PATH",
    "CHAINLIT_PARENT_ROOT_PATH",
    "GET",
    "HTTP",
    "HTTPR",
    "POST",
    "PUT",
    "DELETE",
    "IP",
    "URL",
    "ID",
    "RE",
    "TLS",
}


def assert_plain(message: str) -> None:
    """A message is made of sentences, in which nothing shouts and no value of Python shows."""
    assert re.match(r"[A-Z]|spec\.|status\.", message), message
    assert message.endswith("."), message
    assert set(re.findall(r"[A-Z][A-Z_]+", message)) <= CAPITALS, message
    assert not re.search(r"\. (?!spec\.|status\.)[a-z]", message.replace(". _ ~", "")), message
    assert not re.search(r"(?<!to )\bNone\b|\bTrue\b|\bFalse\b", message), message


def contested(snap: Snapshot, manager: str = "argocd", writes: int = 3) -> Snapshot:
    """The snapshot after so many writes of the same, of which the last was taken back by that manager."""
    action = decide(snap).action
    assert isinstance(action, Apply)
    assert snap.workload is not None
    made = ((snap.monotonic, snap.workload.template_digest),) * writes
    return replace(snap, memory=Memory(FieldConflict(action.basis, made, manager)))


def report_of(snap: Snapshot, failure: Failure | None = None) -> Report:
    """The report of a turn that changes nothing, or whose write has that failure."""
    return report(snap, decide(snap), Outcome(snap.workload, failure))


def verified(snap: Snapshot, reason: Reason = Reason.VERIFIED, message: str = "…") -> Snapshot:
    """The snapshot with that result of its own check."""
    check = report_of(snap).check
    assert check is not None
    return replace(snap, verification=Verification(check, reason is Reason.VERIFIED, reason, message))
