"""What cannot be aligned: a reason, a message with object and remedy, and not one write to the workload."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.e2e.cluster import OPERATOR, CommandError, Space, managers
from tests.e2e.demo import ROOT_PATH, container, workload
from tests.objects import Object, chainlit_app, ingress, service

FROM_SOURCE = {"name": ROOT_PATH, "valueFrom": {"configMapKeyRef": {"name": "paths", "key": "root"}}}


@dataclass(frozen=True)
class Case:
    """A namespace that is wrong in one point. ``says`` are parts of the message: the object, and the remedy."""

    condition: str
    reason: str
    says: tuple[str, ...]
    path: str = "/chat"
    annotations: dict[str, str] = field(default_factory=dict)
    containers: tuple[Object, ...] = (container("app"),)
    spec: Object = field(default_factory=dict)
    without: tuple[str, ...] = ()


CASES = {
    "no workload": Case(
        "Aligned",
        "WorkloadNotFound",
        ("Deployment chat does not exist in namespace", "Create it"),
        without=("Deployment",),
    ),
    "no Service": Case(
        "RouteResolved", "ServiceNotFound", ("No Service", "selects the pods", "Create a Service"), without=("Service",)
    ),
    "no Ingress": Case(
        "RouteResolved", "RouteNotFound", ("No route", "Service chat", "Create an Ingress"), without=("Ingress",)
    ),
    "Ingress named is missing": Case(
        "RouteResolved",
        "RouteNotFound",
        ("Ingress other does not exist", "spec.route.ref"),
        spec={"route": {"ref": {"name": "other"}}},
    ),
    "two containers": Case(
        "Aligned",
        "ContainerAmbiguous",
        ("Deployment", "one, two", "spec.workload.ref.container"),
        containers=(container("app", "one", ports=[]), container("app", "two", ports=[])),
    ),
    "path with an umlaut": Case("RouteResolved", "PathNotSupported", ("/ünï", "Ingress", "Use segments"), path="/ünï"),
    "middleware": Case(
        "RouteResolved",
        "RewriteUnknown",
        ("strip@file", "Ingress", "spec.route.rewrite"),
        annotations={"traefik.ingress.kubernetes.io/router.middlewares": "strip@file"},
    ),
    "variable from a ConfigMap": Case(
        "Aligned",
        "VariableFromSource",
        (ROOT_PATH, "Container chainlit", "Deployment", "Remove this env entry"),
        containers=(container("app", env=[FROM_SOURCE]),),
    ),
    "option in the command": Case(
        "Aligned",
        "RootPathInCommand",
        ("--root-path", "container chainlit", "Deployment", "Remove the option"),
        containers=(container("app", args=["chainlit", "run", "app.py", "--root-path", "/other"]),),
    ),
    "suspended": Case("Aligned", "Suspended", ("spec.suspend is true", "until it is false"), spec={"suspend": True}),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_blocked_with_a_reason(space: Space, case: Case) -> None:
    objects = [
        workload(*case.containers, replicas=0),
        service(),
        ingress(space.host, case.path, annotations=case.annotations),
    ]
    space.create(*(obj for obj in objects if obj["kind"] not in case.without))
    space.create(chainlit_app(**case.spec))

    status = "Unknown" if case.reason == "Suspended" else "False"
    found = space.await_condition(case.condition, status, case.reason)

    for part in case.says:
        assert part in found.message
    ready = space.condition("Ready")
    assert (ready.status, ready.reason) == (status, case.reason)
    assert_untouched(space)


def test_second_app_of_a_workload_is_blocked(space: Space) -> None:
    space.create(chainlit_app("first"))
    space.await_condition("Ready", "False", "WorkloadNotFound", "first")
    # Ages are told in seconds: the second must not be created within the same one.
    space.create(chainlit_app("a-second"))
    objects = [workload(container("app"), replicas=0), service(), ingress(space.host, "/chat")]
    space.create(*objects)

    names = {"first", "a-second"}
    oldest = min(names, key=lambda name: (space.get("ChainlitApp", name)["metadata"]["creationTimestamp"], name))
    (other,) = names - {oldest}
    space.await_condition("Aligned", "True", "Aligned", oldest)
    found = space.await_condition("Aligned", "False", "WorkloadClaimed", other)
    assert f"ChainlitApp {oldest}" in found.message
    assert "Delete one of the two ChainlitApps" in found.message
    assert space.get("Deployment")["metadata"]["generation"] == 2, "one write, of the one that may"

    space.kubectl("delete", "chainlitapp", oldest)
    space.await_condition("Aligned", "True", "Aligned", other)


def assert_untouched(space: Space) -> None:
    """The operator has written nothing but statuses and Events."""
    for deployment in space.objects("Deployment"):
        assert deployment["metadata"]["generation"] == 1
        assert OPERATOR not in managers(deployment)
    written = {request["objectRef"]["resource"] for request in space.cluster.audit(space.name)}
    assert written <= {"chainlitapps", "events"}


SPECS = {
    "no workload": ("{}", "spec.workload"),
    "neither ref nor template": ("{workload: {}}", "spec.workload is to have exactly one"),
    "ref and template": (
        "{workload: {ref: {name: chat}, template: {image: chat}}}",
        "spec.workload is to have exactly one",
    ),
    "two routes": (
        "{workload: {ref: {name: chat}}, route: {ingress: {}, gateway: {parentRefs: [{name: edge}]}}}",
        "spec.route is to have at most one",
    ),
    "path": ("{workload: {ref: {name: chat}}, route: {ingress: {path: /a/../b}}}", "spec.route.ingress.path"),
    "path type": (
        "{workload: {ref: {name: chat}}, route: {ingress: {pathType: Exact}}}",
        "spec.route.ingress.pathType",
    ),
    "root path in env": (
        "{workload: {template: {image: chat, env: [{name: CHAINLIT_ROOT_PATH, value: /x}]}}}",
        "spec.workload.template.env is not to have CHAINLIT_ROOT_PATH",
    ),
    "root path in args": (
        "{workload: {template: {image: chat, chainlit: {args: [run, --root-path=/x]}}}}",
        "spec.workload.template.chainlit.args",
    ),
    "no name": ("{workload: {ref: {}}}", "spec.workload.ref.name"),
    "name of no object": ("{workload: {ref: {name: Chat!}}}", "spec.workload.ref.name"),
    "kind": ("{workload: {ref: {kind: DaemonSet, name: chat}}}", "spec.workload.ref.kind"),
    "container": ("{workload: {ref: {name: chat, container: no_container}}}", "spec.workload.ref.container"),
    "route kind": ("{workload: {ref: {name: chat}}, route: {ref: {kind: Pod, name: chat}}}", "spec.route.ref.kind"),
    "rewrite": ("{workload: {ref: {name: chat}}, route: {rewrite: Regex}}", "spec.route.rewrite"),
    "mode": ("{workload: {ref: {name: chat}}, verification: {mode: 'off'}}", "spec.verification.mode"),
    "interval": (
        "{workload: {ref: {name: chat}}, verification: {intervalSeconds: 1}}",
        "spec.verification.intervalSeconds",
    ),
    "mount path": ("{workload: {ref: {name: chat}}, mountPath: chainlit/}", "spec.mountPath"),
    "unknown field": ("{workload: {ref: {name: chat}}, routes: {}}", "spec.routes"),
}


@pytest.mark.parametrize(("spec", "field_"), SPECS.values(), ids=SPECS)
def test_refused_at_admission(space: Space, spec: str, field_: str) -> None:
    head = "apiVersion: chainlit-operator.dev/v1alpha1\nkind: ChainlitApp\nmetadata: {name: chat}\n"
    with pytest.raises(CommandError) as refusal:
        space.kubectl("apply", "--filename", "-", stdin=f"{head}spec: {spec}\n")
    assert field_ in str(refusal.value).replace('"', "")
    assert not space.objects("ChainlitApp")
