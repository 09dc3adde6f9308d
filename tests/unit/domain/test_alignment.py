"""Alignment: its truth table, what it writes, and that one write is enough."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.test_paths import PREFIXES
from tests.unit.domain.world import (
    app,
    applied,
    assert_plain,
    container,
    contested,
    ingress,
    service,
    snapshot,
    workload,
)

from chainlit_operator.domain import paths
from chainlit_operator.domain.alignment import Apply, Blocked, NoOp
from chainlit_operator.domain.decide import decide
from chainlit_operator.domain.model import (
    Condition,
    Container,
    FieldConflict,
    Memory,
    Probe,
    Rewrite,
    RouteStatus,
    ServicePort,
    Snapshot,
    Status,
    Variable,
)
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.workload_patch import apply_configuration, omits_own_fields

SIDECAR = container(name="proxy", probes=())


def with_container(found: Container, *more: Container, **fields: Any) -> Snapshot:
    return snapshot(workload=workload(found, *more), **fields)


def aligned(**fields: Any) -> Container:
    return container("/chat", probes=(Probe("readinessProbe", "/chat/health", "http"),), **fields)


BLOCKED = [
    (snapshot(app=app(suspend=True)), Reason.SUSPENDED),
    (snapshot(app=app(suspend=True), workload=None), Reason.SUSPENDED),
    (snapshot(workload=None), Reason.WORKLOAD_NOT_FOUND),
    (with_container(container(name="a"), SIDECAR), Reason.CONTAINER_AMBIGUOUS),
    (with_container(container(), SIDECAR, app=app(container="chat")), Reason.CONTAINER_NOT_FOUND),
    (with_container(container(parent_root_path=Variable(None))), Reason.VARIABLE_FROM_SOURCE),
    (with_container(container(Variable(None))), Reason.VARIABLE_FROM_SOURCE),
    (snapshot(claimed_by="elder"), Reason.WORKLOAD_CLAIMED),
    (snapshot(ingress("/a b")), Reason.ROUTE_NOT_RESOLVED),
    (with_container(container(root_path_option=Variable("/x"))), Reason.ROOT_PATH_IN_COMMAND),
    (with_container(container("/chat", root_path_option=Variable(None))), Reason.ROOT_PATH_IN_COMMAND),
    (contested(snapshot()), Reason.FIELD_CONTESTED),
]


@pytest.mark.parametrize(("given", "reason"), BLOCKED)
def test_blocked(given: Snapshot, reason: Reason) -> None:
    action = decide(given).action
    assert isinstance(action, Blocked)
    assert action.reason is reason
    assert_plain(action.message)


KNATIVE = "Knative Service chat"


def test_a_template_that_another_object_sets_back_is_not_written() -> None:
    found = decide(with_container(container(probes=())))
    assert isinstance(found.action, Apply)
    given = snapshot(workload=workload(container(probes=()), template_owner=KNATIVE))
    assert decide(given).action == Blocked(
        Reason.TEMPLATE_ELSEWHERE,
        "Knative Service chat sets the pod template of Deployment shop/chat back, so the operator does not write it. "
        "Set in the template of Knative Service chat: CHAINLIT_ROOT_PATH='/chat' (was unset).",
    )


def test_a_template_of_another_object_may_be_right() -> None:
    assert decide(snapshot(workload=workload(aligned(), template_owner=KNATIVE))).action == NoOp()


@pytest.mark.parametrize(
    ("managers", "remedy"),
    [
        ((), "Remove the variable and the probe paths from the manifests of that manager, or set"),
        (
            ("argocd",),
            "set the values in the manifests of that manager: CHAINLIT_ROOT_PATH='/chat' (was unset), or set",
        ),
    ],
)
def test_the_remedy_of_a_conflict(managers: tuple[str, ...], remedy: str) -> None:
    given = snapshot(workload=workload(container(probes=()), list_managers=managers))
    action = decide(contested(given)).action
    assert isinstance(action, Blocked) and remedy in action.message
    assert_plain(action.message)


def test_contested_but_right_is_right() -> None:
    snap = contested(with_container(container()))
    right = replace(snap, workload=workload(aligned()))
    assert decide(right).action == NoOp()


@pytest.mark.parametrize(
    ("given", "env"),
    [
        (container(), {"CHAINLIT_ROOT_PATH": "/chat"}),
        (container("chat"), {"CHAINLIT_ROOT_PATH": "/chat"}),
        (container("/chat/"), {"CHAINLIT_ROOT_PATH": "/chat"}),
        (container("//chat"), {"CHAINLIT_ROOT_PATH": "/chat"}),
        (container(" /chat "), {"CHAINLIT_ROOT_PATH": "/chat"}),
        (container(parent_root_path=Variable("/x")),
         {"CHAINLIT_ROOT_PATH": "/chat", "CHAINLIT_PARENT_ROOT_PATH": ""}),
        (container(has_env_from=True), {"CHAINLIT_ROOT_PATH": "/chat", "CHAINLIT_PARENT_ROOT_PATH": ""}),
    ],
)  # fmt: skip
def test_variables(given: Container, env: dict[str, str]) -> None:
    action = decide(with_container(given)).action
    assert isinstance(action, Apply)
    assert dict(action.env) == env


@pytest.mark.parametrize(
    "given",
    [
        aligned(),
        aligned(parent_root_path=Variable("")),
        aligned(parent_root_path=Variable(""), has_env_from=True),
        container("/chat", probes=()),
        container("/chat", probes=(Probe("livenessProbe", "/live", 9000),)),
    ],
)
def test_no_op(given: Container) -> None:
    assert decide(with_container(given)).action == NoOp()


@pytest.mark.parametrize("given", [container(probes=()), container(""), container("", parent_root_path=Variable(""))])
def test_no_op_at_the_root(given: Container) -> None:
    assert decide(snapshot(ingress("/"), workload=workload(given))).action == NoOp()


def test_container_is_the_named_one_the_only_one_or_chainlit() -> None:
    named = decide(with_container(container(name="a"), SIDECAR, app=app(container="proxy")))
    only = decide(with_container(container(name="a")))
    called = decide(with_container(SIDECAR, container()))
    assert [p.container and p.container.name for p in (named, only, called)] == ["proxy", "a", "chainlit"]


def test_variable_and_probe_paths_change_in_one_write() -> None:
    given = container(
        "/old",
        probes=(
            Probe("startupProbe", "/old/health", 8000),
            Probe("livenessProbe", "/", "http"),
            Probe("readinessProbe", "/metrics", 9000),
        ),
    )
    snap = with_container(given)
    action = decide(snap).action
    assert isinstance(action, Apply) and snap.workload is not None
    assert apply_configuration(snap.workload, given, action) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "chat", "namespace": "shop", "uid": "uid-of-workload"},
        "spec": {
            "template": {
                "spec": {
                    "containers": [
                        {
                            "name": "chainlit",
                            "env": [{"name": "CHAINLIT_ROOT_PATH", "value": "/chat"}],
                            "startupProbe": {"httpGet": {"path": "/chat/health"}},
                            "livenessProbe": {"httpGet": {"path": "/chat/health"}},
                        }
                    ]
                }
            }
        },
    }


def test_apply_names_all_fields_of_ours_also_those_that_are_right() -> None:
    given = container("/wrong", probes=(Probe("readinessProbe", "/chat/health", "http"),))
    action = decide(with_container(given)).action
    assert isinstance(action, Apply)
    assert dict(action.probes) == {"readinessProbe": "/chat/health"}
    assert "readinessProbe" not in action.summary


def test_former_root_is_known_from_the_variable() -> None:
    action = decide(with_container(container("/old", probes=(Probe("readinessProbe", "/old/ready", "http"),)))).action
    assert isinstance(action, Apply)
    assert dict(action.probes) == {"readinessProbe": "/chat/ready"}


def test_former_root_is_known_from_the_status_too() -> None:
    given = container("/by-hand", probes=(Probe("readinessProbe", "/chat/ready", "http"),))
    found = replace(app(), status=Status(root_path="/chat"))
    action = decide(snapshot(ingress("/bot"), app=found, workload=workload(given))).action
    assert isinstance(action, Apply)
    assert dict(action.probes) == {"readinessProbe": "/bot/ready"}


@pytest.mark.parametrize(
    ("target", "probe_port", "is_ours"),
    [
        *(("http", "http", True), ("http", 8000, True), (8000, "http", True), (8000, 9000, False)),
        *((None, 80, True), (None, 8000, True)),
    ],
)
def test_probes_of_the_port_behind_the_route_are_ours(target: int | str, probe_port: int | str, is_ours: bool) -> None:
    given = container(probes=(Probe("livenessProbe", "/health", probe_port),))
    behind = service(ports=(ServicePort("http", 80, target),))
    action = decide(with_container(given, services=(behind,))).action
    assert isinstance(action, Apply)
    assert bool(action.probes) is is_ours


def test_a_service_without_target_port_leads_to_its_own_port() -> None:
    probes = (Probe("livenessProbe", "/health", 9000), Probe("readinessProbe", "/health", 80))
    behind = service(ports=(ServicePort("http", 80),))
    action = decide(with_container(container(ports=(("http", 80),), probes=probes), services=(behind,))).action
    assert isinstance(action, Apply)
    assert action.probes == (("readinessProbe", "/chat/health"),)


@pytest.mark.parametrize("target", [4180, "proxy"])
def test_probes_of_an_app_behind_a_proxy_in_its_pod_are_ours(target: int | str) -> None:
    proxy = container(name="proxy", probes=(), ports=(("proxy", 4180),))
    behind = service(ports=(ServicePort("http", 80, target),))
    for found in (container(), container(ports=(), probes=(Probe("livenessProbe", "/health", 8000),))):
        action = decide(with_container(found, proxy, services=(behind,))).action
        assert isinstance(action, Apply)
        assert [path for _, path in action.probes] == ["/chat/health"]


@pytest.mark.parametrize(
    ("readiness", "liveness", "ours"),
    [
        ("/health", "/healthz", {"readinessProbe": "/chat/health"}),
        ("/auth/config?a=b", "/live", {"readinessProbe": "/chat/auth/config?a=b"}),
        ("/old/ready", "/live", {"readinessProbe": "/chat/ready"}),
        ("/", "/live", {"readinessProbe": "/chat/health"}),
        ("/", "/health", {"livenessProbe": "/chat/health"}),
        ("/ready", "/live", {}),
    ],
)
def test_behind_a_proxy_probes_of_other_servers_in_the_container_are_theirs(
    readiness: str, liveness: str, ours: dict[str, str]
) -> None:
    proxy = container(name="proxy", probes=(), ports=(("proxy", 4180),))
    probes = (Probe("readinessProbe", readiness, 8000), Probe("livenessProbe", liveness, 9090))
    found = container("/old", ports=(("http", 8000), ("metrics", 9090)), probes=probes)
    action = decide(with_container(found, proxy, services=(service(ports=(ServicePort("http", 80, 4180),)),))).action
    assert isinstance(action, Apply)
    assert dict(action.probes) == ours


@pytest.mark.parametrize("has_sidecars", [False, True])
@pytest.mark.parametrize(("port", "is_ours"), [(8000, True), (4180, False)])
def test_a_proxy_need_not_declare_its_port(has_sidecars: bool, port: int, is_ours: bool) -> None:
    """Where nobody declares any, those that its probes ask are the container's own: here 8000 and, say, 9000."""
    proxy = () if has_sidecars else (container(name="proxy", probes=(), ports=()),)
    probes = (Probe("readinessProbe", "/health", 8000), Probe("livenessProbe", "/health", 9000))
    behind = service(ports=(ServicePort("http", 80, port),))
    given = snapshot(
        workload=workload(container(ports=(), probes=probes), *proxy, has_sidecars=has_sidecars), services=(behind,)
    )
    action = decide(given).action
    assert isinstance(action, Apply)
    # Behind the route is Chainlit itself, and 9000 is something else; or a proxy, and it cannot be told.
    wanted = ["readinessProbe"] if is_ours else ["livenessProbe", "readinessProbe"]
    assert sorted(name for name, _ in action.probes) == wanted


def test_takeovers_are_of_changed_fields_from_others() -> None:
    owners = (
        ("CHAINLIT_ROOT_PATH", "helm"),
        ("CHAINLIT_ROOT_PATH", "chainlit-operator"),
        ("readinessProbe", "kubectl"),
        ("livenessProbe", "argocd"),
    )
    given = container("/wrong", probes=(Probe("readinessProbe", "/chat/health", "http"),), owners=owners)
    action = decide(with_container(given)).action
    assert isinstance(action, Apply)
    assert action.takeovers == (("CHAINLIT_ROOT_PATH", "helm"),)
    assert action.losers == ("helm",)


OWN = "chainlit-operator"


@pytest.mark.parametrize(
    ("owners", "others", "is_given_up"),
    [
        ((), (), False),
        ((("CHAINLIT_ROOT_PATH", OWN), ("readinessProbe", OWN)), (), False),
        ((("CHAINLIT_ROOT_PATH", OWN), ("livenessProbe", OWN)), (), True),
        ((("livenessProbe", "helm"),), (("readinessProbe", "helm"),), False),
        ((("CHAINLIT_ROOT_PATH", OWN),), (("CHAINLIT_ROOT_PATH", OWN),), True),
        ((), (("readinessProbe", "helm"), ("readinessProbe", OWN)), True),
    ],
)
def test_what_is_given_up(owners: Any, others: Any, is_given_up: bool) -> None:
    mine, other = container(owners=owners), container(name="proxy", owners=others)
    apply = Apply((("CHAINLIT_ROOT_PATH", "/chat"),), (("readinessProbe", "/chat/health"),), "")
    assert omits_own_fields(workload(mine, other), mine, apply) is is_given_up


def resumed(reason: str = "Suspended", **fields: Any) -> Snapshot:
    """An aligned workload of an app whose status is still that of its suspension."""
    status = Status(root_path="/chat", conditions=(Condition("Aligned", "Unknown", reason, "…"),))
    return with_container(aligned(**fields), app=replace(app(), status=status))


def test_fields_are_taken_again_after_a_suspension() -> None:
    action = decide(resumed(owners=(("startupProbe", "helm"),))).action
    assert isinstance(action, Apply)
    assert action.env == (("CHAINLIT_ROOT_PATH", "/chat"),)
    assert action.probes == (("readinessProbe", "/chat/health"),)
    assert action.takeovers == ()
    assert action.summary == "owns CHAINLIT_ROOT_PATH, readinessProbe again, as they are"


@pytest.mark.parametrize(
    "given",
    [
        resumed("Aligned"),
        resumed(owners=(("CHAINLIT_ROOT_PATH", "helm"),)),
        resumed(owners=(("readinessProbe", "helm"),)),
        resumed(owners=(("CHAINLIT_ROOT_PATH", "chainlit-operator"), ("readinessProbe", "chainlit-operator"))),
        replace(resumed(), routes=(ingress("/"),), workload=workload(container(probes=()))),
    ],
)
def test_nothing_is_taken_again(given: Snapshot) -> None:
    assert decide(given).action == NoOp()


def test_path_that_the_api_server_filled_in_is_nobodys() -> None:
    owners = (("readinessProbe", "helm"), ("livenessProbe", "helm"))
    probes = (Probe("readinessProbe", "/", "http"), Probe("livenessProbe", "/login", "http"))
    action = decide(with_container(container(probes=probes, owners=owners))).action
    assert isinstance(action, Apply)
    assert action.takeovers == (("livenessProbe", "helm"),)


VARIABLES = st.none() | st.builds(Variable, PREFIXES | st.sampled_from(["chat", "//x", " /y ", "/", "é"]))
PROBES = st.lists(
    st.builds(
        Probe,
        st.sampled_from(["startupProbe", "livenessProbe", "readinessProbe"]),
        st.builds(str.__add__, PREFIXES, st.sampled_from(["/", "/health", "/auth/config", "/ready"])),
        st.sampled_from(["http", 8000, 9000]),
    ),
    unique_by=lambda probe: probe.field,
).map(tuple)


@given(PREFIXES, VARIABLES, VARIABLES, PROBES, st.booleans(), st.sampled_from([Rewrite.AUTO, Rewrite.STRIP]))
def test_settles_after_one_write(
    prefix: str,
    root: Variable | None,
    parent: Variable | None,
    probes: tuple[Probe, ...],
    env_from: bool,
    rewrite: Rewrite,
) -> None:
    given_container = container(probes=probes, root_path=root, parent_root_path=parent, has_env_from=env_from)
    chat = app(rewrite=rewrite)
    snap = snapshot(ingress(prefix or "/"), app=chat, workload=workload(given_container))
    action = decide(snap).action
    if decide(snap).kept is not None:
        assert action == NoOp()
        return
    if isinstance(action, Apply):
        assert snap.workload is not None
        found = applied(snap.workload, "chainlit", dict(action.env), dict(action.probes))
        snap = replace(snap, workload=found)
        action = decide(snap).action
    assert action == NoOp()
    assert snap.workload is not None
    live = snap.workload.containers[0]
    backend = "" if rewrite is Rewrite.STRIP else prefix
    assert (live.root_path.value if live.root_path else "") == backend
    was = {probe.field: probe.path for probe in probes}
    must_move = ("/", "/health", "/auth/config") if (root.value if root else "") != backend else ()
    for probe in live.probes:
        has_moved = paths.is_below(probe.path.rstrip("/"), backend)
        assert has_moved or probe.path == was[probe.field], "the path of another server, or of the app's own"
        assert has_moved or probe.port == 9000 or was[probe.field] not in must_move


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            with_container(container(name="a"), SIDECAR),
            "none is called chainlit, and neither their commands nor the port behind the route show which",
        ),
        (with_container(container(name="a"), SIDECAR), "containers (a, proxy)"),
        (with_container(container(), SIDECAR, app=app(container="chat")), "'chat' (it has chainlit, proxy)"),
    ],
)
def test_message(given: Snapshot, words: str) -> None:
    action = decide(given).action
    assert isinstance(action, Blocked) and words in action.message


@pytest.mark.parametrize(
    ("given", "summary"),
    [
        (container(probes=()), "CHAINLIT_ROOT_PATH='/chat' (was unset)"),
        (container("/x", parent_root_path=Variable("/y")),
         "CHAINLIT_ROOT_PATH='/chat' (was '/x'); CHAINLIT_PARENT_ROOT_PATH='' (was '/y'); "
         "readinessProbe path '/chat/health' (was '/health')"),
        (container("", probes=()), "CHAINLIT_ROOT_PATH='/chat' (was '')"),
        (container("x" * 200, probes=()), f"CHAINLIT_ROOT_PATH='/chat' (was '{'x' * 100}')"),
    ],
)  # fmt: skip
def test_summary(given: Container, summary: str) -> None:
    action = decide(with_container(given)).action
    assert isinstance(action, Apply) and action.summary == summary


CONFLICT = FieldConflict(("another basis",), ((0.0, 1),), "argocd", yielded_state=7)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (snapshot(app=app(suspend=True)), CONFLICT),
        (snapshot(app=app(mount_path="/bot")), CONFLICT),
        (snapshot(app=app(template={"image": "chat:1"})), CONFLICT),
        (snapshot(), CONFLICT),
        (with_container(aligned()), replace(CONFLICT, yielded_state=None)),
    ],
    ids=["blocked", "mounted", "created", "apply", "right"],
)
def test_only_right_values_end_a_conflict(given: Snapshot, kept: FieldConflict) -> None:
    assert decide(replace(given, memory=Memory(CONFLICT))).memory.workload == kept
    assert decide(given).memory.workload is None


@pytest.mark.parametrize(("path", "is_remembered"), [("/chat", True), ("/bot", False)])
def test_a_conflict_is_known_from_the_status_after_a_restart(path: str, is_remembered: bool) -> None:
    route = RouteStatus("Ingress", "chat", "example.com", path, "Prefix", "None")
    status = Status(route=route, conditions=(Condition("Aligned", "False", "FieldContested", "…", 1),))
    wrong = container("/wrong", probes=(), image="chat:1", owners=(("CHAINLIT_ROOT_PATH", "argocd"),))
    found = decide(snapshot(app=replace(app(), status=status), workload=workload(wrong, digests=(5, 0))))
    env = (("CHAINLIT_ROOT_PATH", "/chat"),)
    basis = ("uid-of-chat", 1, "uid-of-workload", "chat:1", env, ())
    if is_remembered:
        assert isinstance(found.action, Blocked) and "'argocd' keeps changing" in found.action.message
        assert found.memory.workload == FieldConflict(basis, (), "argocd", yielded_state=5)
    else:
        assert isinstance(found.action, Apply) and found.action.basis == basis
        assert found.memory.workload is None


def test_fields_are_taken_again_also_in_a_conflict() -> None:
    """No value changes, so no pod is replaced."""
    given = resumed()
    action = decide(given).action
    assert isinstance(action, Apply) and action.changes_values is False
    conflict = FieldConflict(action.basis, ((0.0, 0),) * 3, "argocd")
    found = decide(replace(given, memory=Memory(conflict)))
    assert (found.action, found.memory.workload) == (action, conflict)


def test_a_write_on_another_basis_is_no_conflict() -> None:
    action = decide(replace(snapshot(), memory=Memory(CONFLICT))).action
    assert isinstance(action, Apply) and action.changes_values
