"""What the policy lets the operator write into a workload that it has not created, and what it refuses."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainlit_operator.domain import field_release, model
from chainlit_operator.domain.alignment import Apply, NoOp
from chainlit_operator.domain.decide import decide
from chainlit_operator.domain.field_managers import FIELD_MANAGER
from chainlit_operator.domain.model import App, Workload
from chainlit_operator.domain.workload_patch import apply_configuration, json_patch
from chainlit_operator.kinds import chainlitapp
from chainlit_operator.state import State
from tests.admission.plane import Plane
from tests.e2e.demo import container, workload
from tests.e2e.kube import KubeError
from tests.objects import Object, chainlit_app, ingress, owner_reference, path_of, service
from tests.records import app_record, record

KINDS = ("Deployment", "Rollout", "StatefulSet")
ROOT, PARENT = "CHAINLIT_ROOT_PATH", "CHAINLIT_PARENT_ROOT_PATH"
VOLUMES = [{"name": "tmp", "emptyDir": {}}, {"name": "more", "emptyDir": {}}]
#: A workload with something of everything that may not be changed.
CONTAINER = container(
    "registry.example/chat:1",
    env=[{"name": "TOKEN", "value": "secret"}, {"name": ROOT, "value": "/chat"}, {"name": "LAST", "value": "z"}],
    command=["chainlit"],
    args=["run", "app.py"],
    envFrom=[{"configMapRef": {"name": "settings"}}],
    startupProbe={"exec": {"command": ["true"]}},
    readinessProbe={"httpGet": {"path": "/chat/health", "port": "http"}, "periodSeconds": 1},
    livenessProbe={"tcpSocket": {"port": "http"}},
)
SIDECAR: Object = {"name": "proxy", "image": "proxy", "env": [{"name": "A", "value": "a"}]}

Change = Callable[[Object, Object], object]


def whole(kind: str) -> Object:
    made = workload(copy.deepcopy(CONTAINER), copy.deepcopy(SIDECAR), kind=kind)
    pod = made["spec"]["template"]["spec"]
    pod["volumes"] = copy.deepcopy(VOLUMES)
    pod["initContainers"] = [{"name": "init", "image": "init", "env": [{"name": ROOT, "value": "/chat"}]}]
    made["metadata"] |= {"labels": {"team": "a"}, "annotations": {"note": "1"}, "finalizers": ["team.example/keep"]}
    return made


def variable(own: Object, **entry: Any) -> Object:
    own["env"][1] = {"name": ROOT} | entry
    return own


def probe(own: Object, **fields: Any) -> Object:
    own["readinessProbe"]["httpGet"].update(fields)
    return own


def spec(deployment: Object, **fields: Any) -> None:
    deployment["spec"].update(fields)


def pod(deployment: Object, **fields: Any) -> None:
    deployment["spec"]["template"]["spec"].update(fields)


#: What is tried → (how, given the Deployment and its container; what the refusal names)
REFUSED: dict[str, tuple[Change, str]] = {
    "image": (lambda _, own: own.update(image="evil"), "containers[chainlit].image"),
    "pull policy": (lambda _, own: own.update(imagePullPolicy="Always"), "containers[chainlit].imagePullPolicy"),
    "command": (lambda _, own: own.update(command=["sh"]), "containers[chainlit].command"),
    "args": (lambda _, own: own.update(args=["evil"]), "containers[chainlit].args"),
    "args removed": (lambda _, own: own.pop("args"), "containers[chainlit].args"),
    "working directory": (lambda _, own: own.update(workingDir="/"), "containers[chainlit].workingDir"),
    "lifecycle": (
        lambda _, own: own.update(lifecycle={"postStart": {"exec": {"command": ["sh"]}}}),
        "containers[chainlit].lifecycle",
    ),
    "ports": (lambda _, own: own["ports"][0].update(hostPort=80), "containers[chainlit].ports"),
    "resources": (lambda _, own: own.update(resources={"limits": {"cpu": "9"}}), "containers[chainlit].resources"),
    "tty": (lambda _, own: own.update(tty=True), "containers[chainlit].tty"),
    "mount": (
        lambda _, own: own["volumeMounts"].append({"name": "more", "mountPath": "/more"}),
        "containers[chainlit].volumeMounts",
    ),
    "privilege": (
        lambda _, own: own["securityContext"].update(readOnlyRootFilesystem=False),
        "containers[chainlit].securityContext",
    ),
    "other variable": (lambda _, own: own["env"][0].update(value="evil"), "containers[chainlit].env"),
    "other variable added": (lambda _, own: own["env"].append({"name": "PATH", "value": "/"}), "[chainlit].env"),
    "other variable removed": (lambda _, own: own["env"].pop(), "containers[chainlit].env"),
    "variables reordered": (lambda _, own: own["env"].reverse(), "containers[chainlit].env"),
    "variable like ours": (lambda _, own: own["env"].append({"name": f"{ROOT}_", "value": "/"}), "[chainlit].env"),
    "envFrom": (
        lambda _, own: own["envFrom"].append({"secretRef": {"name": "other"}}),
        "containers[chainlit].envFrom",
    ),
    "variable from a Secret": (
        lambda _, own: variable(own, valueFrom={"secretKeyRef": {"name": "s", "key": "k"}}),
        f"{ROOT} and {PARENT} of spec.template.spec.containers[chainlit].env",
    ),
    "parent variable from a field": (
        lambda _, own: own["env"].append({"name": PARENT, "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}),
        "without valueFrom",
    ),
    "variable with another's value": (lambda _, own: variable(own, value="/$(TOKEN)"), "to a path of letters"),
    "variable with a line": (lambda _, own: variable(own, value="/chat\n"), "to a path of letters"),
    "variable that is no path": (lambda _, own: variable(own, value="chat"), "to a path of letters"),
    "variable with a host": (lambda _, own: variable(own, value="//evil.example"), "to a path of letters"),
    "probe path elsewhere": (lambda _, own: probe(own, path="/chat/admin/delete"), "readinessProbe.httpGet.path"),
    "probe path that goes up": (lambda _, own: probe(own, path="/chat/../health"), "readinessProbe.httpGet.path"),
    "probe path of another root": (lambda _, own: probe(own, path="/other/health"), "readinessProbe.httpGet.path"),
    "probe host": (lambda _, own: probe(own, host="evil.example"), "containers[chainlit].readinessProbe"),
    "probe port": (lambda _, own: probe(own, port=1), "containers[chainlit].readinessProbe"),
    "probe scheme": (lambda _, own: probe(own, scheme="HTTPS"), "containers[chainlit].readinessProbe"),
    "probe headers": (
        lambda _, own: probe(own, httpHeaders=[{"name": "A", "value": "b"}]),
        "containers[chainlit].readinessProbe",
    ),
    "probe that runs": (
        lambda _, own: own.update(readinessProbe={"exec": {"command": ["sh"]}}),
        "containers[chainlit].readinessProbe",
    ),
    "probe that ran": (lambda _, own: own.update(startupProbe={"httpGet": {"port": "http"}}), "startupProbe"),
    "probe's command": (lambda _, own: own["startupProbe"]["exec"].update(command=["sh"]), "startupProbe"),
    "probe's times": (lambda _, own: own["readinessProbe"].update(periodSeconds=9), "readinessProbe"),
    "probe removed": (lambda _, own: own.pop("readinessProbe"), "readinessProbe"),
    "container added": (
        lambda d, _: d["spec"]["template"]["spec"]["containers"].append({"name": "x", "image": "evil"}),
        "spec.template.spec.containers",
    ),
    "container removed": (lambda d, _: d["spec"]["template"]["spec"]["containers"].pop(), "template.spec.containers"),
    "containers reordered": (
        lambda d, _: d["spec"]["template"]["spec"]["containers"].reverse(),
        "spec.template.spec.containers",
    ),
    "container renamed": (lambda _, own: own.update(name="other"), "spec.template.spec.containers"),
    "two containers": (
        lambda d, _: [
            c.update(env=[*c["env"], {"name": PARENT, "value": "/a"}])
            for c in d["spec"]["template"]["spec"]["containers"]
        ],
        "spec.template.spec.containers",
    ),
    "init container added": (
        lambda d, _: d["spec"]["template"]["spec"]["initContainers"].append({"name": "x", "image": "evil"}),
        "spec.template.spec.initContainers",
    ),
    "init container's variable": (
        lambda d, _: d["spec"]["template"]["spec"]["initContainers"][0]["env"][0].update(value="/b"),
        "spec.template.spec.initContainers",
    ),
    "volume": (
        lambda d, _: d["spec"]["template"]["spec"]["volumes"].append({"name": "h", "hostPath": {"path": "/"}}),
        "spec.template.spec.volumes",
    ),
    "service account": (lambda d, _: pod(d, serviceAccountName="admin"), "spec.template.spec.serviceAccountName"),
    "token": (lambda d, _: pod(d, automountServiceAccountToken=True), "spec.automountServiceAccountToken"),
    "host network": (lambda d, _: pod(d, hostNetwork=True), "spec.template.spec.hostNetwork"),
    "host processes": (lambda d, _: pod(d, hostPID=True), "spec.template.spec.hostPID"),
    "node": (lambda d, _: pod(d, nodeSelector={"a": "b"}), "spec.template.spec.nodeSelector"),
    "node by name": (lambda d, _: pod(d, nodeName="a"), "spec.template.spec.nodeName"),
    "tolerations": (lambda d, _: pod(d, tolerations=[{"operator": "Exists"}]), "spec.template.spec.tolerations"),
    "pod privilege": (lambda d, _: pod(d, securityContext={}), "spec.template.spec.securityContext"),
    "runtime": (lambda d, _: pod(d, runtimeClassName="weak"), "spec.template.spec.runtimeClassName"),
    "pod labels": (
        lambda d, _: d["spec"]["template"]["metadata"]["labels"].update(a="b"),
        "spec.template.metadata",
    ),
    "pod annotations": (
        lambda d, _: d["spec"]["template"]["metadata"].update(annotations={"inject": "yes"}),
        "spec.template.metadata",
    ),
    "replicas": (lambda d, _: spec(d, replicas=0), "spec.replicas"),
    "revision limit": (lambda d, _: spec(d, revisionHistoryLimit=0), "spec.revisionHistoryLimit"),
    "labels": (lambda d, _: d["metadata"]["labels"].update(team="b"), "metadata.labels"),
    "annotations": (lambda d, _: d["metadata"]["annotations"].update(note="2"), "metadata.annotations"),
    "finalizers": (lambda d, _: d["metadata"].update(finalizers=[]), "metadata.finalizers"),
    "owner": (
        lambda d, _: d["metadata"].update(ownerReferences=[owner_reference("chat", "1234")]),
        "metadata.ownerReferences",
    ),
}


def put(plane: Plane, kind: str, namespace: str, change: Change) -> Object:
    """Replace a workload by a changed one as the operator's account, which has the verb patch only."""
    body = plane.admin.get(kind, namespace, "chat")
    change(body, body["spec"]["template"]["spec"]["containers"][0])
    # A JSON patch is the strictest: nothing of the old object is merged into what is written.
    patch = [{"op": "replace", "path": f"/{part}", "value": body[part]} for part in ("metadata", "spec")]
    path = f"{path_of(kind, namespace, 'chat')}?dryRun=All"
    answer: Object = json.loads(plane.account.request("PATCH", path, patch, "application/json-patch+json"))  # type: ignore[arg-type]
    return answer


@pytest.fixture(scope="module", params=KINDS)
def victim(plane: Plane, request: pytest.FixtureRequest) -> tuple[str, str]:
    namespace = f"victim-{request.param.lower()}"
    plane.admin.ensure_namespace(namespace)
    plane.admin.create(whole(request.param), namespace)
    return request.param, namespace


@pytest.mark.parametrize("what", REFUSED)
def test_refused(plane: Plane, victim: tuple[str, str], what: str) -> None:
    kind, namespace = victim
    change, named = REFUSED[what]
    with pytest.raises(KubeError) as refused:
        put(plane, kind, namespace, change)
    assert refused.value.code == 403, refused.value
    assert "denied request: the operator may " in refused.value.message
    assert named in refused.value.message


@pytest.mark.parametrize(
    "change",
    [
        lambda d, own: None,
        lambda d, own: d["metadata"].update(managedFields=[{}]),
        lambda d, own: variable(own, value="/Team-1/v1.0/_~"),
        lambda d, own: variable(own, value=""),
        lambda d, own: variable(own),
        lambda d, own: own["env"].pop(1),
        lambda d, own: own["env"].insert(0, {"name": PARENT, "value": "/team"}),
        lambda d, own: (variable(own, value="/new"), probe(own, path="/new/health")),
        lambda d, own: (own["env"].pop(1), probe(own, path="/health")),
        lambda d, own: own["readinessProbe"]["httpGet"].pop("path"),
    ],
)
def test_allowed(plane: Plane, victim: tuple[str, str], change: Change) -> None:
    put(plane, *victim, change)


def test_nobody_else_is_confined(plane: Plane, namespace: str) -> None:
    plane.admin.create(whole("Deployment"), namespace)
    body = {"spec": {"replicas": 5}}
    assert plane.admin.patch("Deployment", namespace, "chat", body)["spec"]["replicas"] == 5
    with pytest.raises(KubeError, match=r"spec\.replicas"):
        plane.account.patch("Deployment", namespace, "chat", {"spec": {"replicas": 6}})


# ----------------------------------------------------------------------------------------------- what is planned

PATHS = ("/", "/chat", "/team/chat", "/team/v1.0/my-chat_2~")
PROBES = ("/", "/health", "health", "/chat", "/old/health", "/old/auth/config", "/old/x?deep=1", "/old?q=/health", "/x")


@st.composite
def workloads(draw: st.DrawFn) -> Object:
    """Workloads as people may have left them."""
    names = draw(st.lists(st.sampled_from(["A", ROOT, "B", PARENT, "C"]), unique=True))
    env = [{"name": name, "value": draw(st.sampled_from(["/old", "/chat", "", "chat/"]))} for name in names]
    made = container("demo", env=env)
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        path = draw(st.sampled_from([None, *PROBES]))
        made[kind] = {"httpGet": {"port": "http"} | ({"path": path} if path else {}), "periodSeconds": 7}
    if draw(st.booleans()):
        made["livenessProbe"] = {"exec": {"command": ["true"]}}
    if draw(st.booleans()):
        made["envFrom"] = [{"configMapRef": {"name": "settings"}}]
    containers = draw(st.sampled_from([[made], [made, SIDECAR], [SIDECAR, made]]))
    return workload(*copy.deepcopy(containers), kind=draw(st.sampled_from(KINDS)))


def cluster(live: Object, path: str, *, is_stripped: bool) -> tuple[State, App]:
    """The operator's view of a workload that an Ingress serves there, stripped of the path or not."""
    cache = State(lambda ref: None)
    middleware = "shop-strip@kubernetescrd" if is_stripped else ""
    annotations = {"traefik.ingress.kubernetes.io/router.middlewares": middleware} if middleware else {}
    namespaced = {"namespace": "shop", "resourceVersion": "1", "uid": "u"}
    others: list[Object] = [
        service(),
        ingress("a.example", path, annotations=annotations),
        {"kind": "Middleware", "metadata": {"name": "strip"}, "spec": {"stripPrefix": {"prefixes": [path]}}},
    ]
    for obj in others:
        cache.upsert(record(obj | {"metadata": obj["metadata"] | namespaced}))
    cache.upsert(record(live))
    manifest = chainlit_app(kind=live["kind"])
    app = app_record(manifest | {"metadata": manifest["metadata"] | namespaced})
    cache.put_app(app)
    return cache, app


def align(plane: Plane, live: Object, path: str, *, is_stripped: bool) -> Object:
    """Carry out what the operator plans, as the operator, and return the workload after it."""
    cache, app = cluster(live | {"metadata": live["metadata"] | {"namespace": "shop"}}, path, is_stripped=is_stripped)
    decision = decide(cache.snapshot(app))
    found = cache.snapshot(app).workload
    if not isinstance(decision.action, Apply):
        assert isinstance(decision.action, NoOp), decision
        return live
    assert decision.container is not None and found is not None
    after = write(plane, found, decision.container, decision.action, live["metadata"]["namespace"])
    cache, app = cluster(after | {"metadata": after["metadata"] | {"namespace": "shop"}}, path, is_stripped=is_stripped)
    assert isinstance(decide(cache.snapshot(app)).action, NoOp)
    return after | {"kind": live["kind"]}


def write(plane: Plane, found: Workload, own: model.Container, action: Apply, namespace: str) -> Object:
    """Write what is planned for a workload as the operator does, and return the workload after it."""
    if found.is_patched:
        return patch(plane, found.ref.kind, namespace, json_patch(found, own, action))
    body = apply_configuration(found, own, action)
    body["metadata"]["namespace"] = namespace
    return plane.account.apply(body, namespace, FIELD_MANAGER)


def patch(plane: Plane, kind: str, namespace: str, operations: Any) -> Object:
    """JSON-patch a workload as the operator does."""
    where = f"{path_of(kind, namespace, 'chat')}?fieldManager={FIELD_MANAGER}"
    answer: Object = json.loads(plane.account.request("PATCH", where, operations, "application/json-patch+json"))
    return answer


def test_a_list_without_keys_is_no_conflict_after_the_write(plane: Plane, namespace: str) -> None:
    """An apply of one container would replace all; and who owns the whole list would be in everybody's way."""
    made = whole("Rollout")
    helm = plane.admin.apply(made, namespace, "helm", force=False)
    found: Workload = record(helm | {"metadata": helm["metadata"] | {"namespace": "shop"}})
    assert found.list_managers == ("helm",)
    env = ((ROOT, "/new"), (PARENT, "/team"))
    action = Apply(env, (("readinessProbe", "/new/health"),), "")
    after = write(plane, found, found.containers[0], action, namespace)
    wanted = copy.deepcopy(made["spec"])
    own = wanted["template"]["spec"]["containers"][0]
    own["env"][1]["value"] = "/new"
    own["env"].append({"name": PARENT, "value": "/team"})
    own["readinessProbe"]["httpGet"]["path"] = "/new/health"
    assert after["spec"] == wanted
    left: Workload = record(after | {"kind": "Rollout"})
    assert left.list_managers == (FIELD_MANAGER,) and field_release.is_due(left, app_record(chainlit_app()))
    assert patch(plane, "Rollout", namespace, field_release.json_patch(left))["spec"] == wanted
    again = plane.admin.apply(made, namespace, "helm", force=False)
    assert again["spec"] == made["spec"]


def test_what_the_operator_plans(plane: Plane, namespace: str) -> None:
    """Aligned, moved, stripped, moved back and released."""
    moves = st.lists(st.tuples(st.sampled_from(PATHS), st.booleans()), min_size=1, max_size=3)

    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(workloads(), moves)
    def every(made: Object, stops: list[tuple[str, bool]]) -> None:
        kind = made["kind"]
        live = plane.admin.create(made, namespace) | {"kind": kind}
        try:
            for path, is_stripped in stops:
                live = align(plane, live, path, is_stripped=is_stripped and path != "/")
            left: Workload = record(live, kind)
            if FIELD_MANAGER in left.field_managers:
                patch(plane, kind, namespace, field_release.json_patch(left))
        finally:
            plane.admin.delete(kind, namespace, "chat")

    every()


def test_what_the_operator_tells_is_what_the_definition_has(plane: Plane, namespace: str) -> None:
    """It has the API server drop unknown fields without a word, so there must be none."""
    status = model.Status(
        observed_generation=1,
        root_path="/chat",
        parent_root_path="/team",
        url="http://x/",
        web_socket_url="ws://x/ws/socket.io/",
        route=model.RouteStatus("Ingress", "r", "x", "/", "Prefix", "None"),
        workload=model.WorkloadStatus("Deployment", "chat", "c"),
        conditions=(model.Condition("Ready", "True", "Ready", "Yes.", 1, "2026-01-01T00:00:00Z"),),
    )
    made = chainlitapp.app_from_object(plane.admin.create(chainlit_app(), namespace))
    written = chainlitapp.app_from_object(tell(plane, made, status))
    assert written.status == status and written.spec == made.spec


def tell(plane: Plane, app: model.App, status: model.Status) -> Object:
    """Write a status as the operator does."""
    path = f"{path_of('ChainlitApp', app.ref.namespace, app.ref.name)}/status?fieldValidation=Strict&fieldManager=x"
    answer: Object = json.loads(plane.account.request("PUT", path, chainlitapp.encode_status(app, status)))
    return answer


def test_a_status_leaves_the_rest_to_who_owns_it(plane: Plane, namespace: str) -> None:
    """Else a label that its owner no longer applies would stay for ever."""
    owner = plane.admin.create(service(), namespace)
    reference = {"apiVersion": "v1", "kind": "Service", "name": "chat", "uid": owner["metadata"]["uid"]}
    meta = {
        "labels": {"team": "a"},
        "annotations": {"note": "b"},
        "finalizers": ["example.com/x"],
        "ownerReferences": [reference | {"controller": False, "blockOwnerDeletion": False}],
    }
    manifest = chainlit_app()
    manifest["metadata"] |= meta
    applied = plane.admin.apply(manifest, namespace, "flux")
    told = tell(plane, chainlitapp.app_from_object(applied), model.Status(observed_generation=1, root_path="/chat"))
    assert {key: told["metadata"][key] for key in meta} == meta
    assert told["metadata"]["managedFields"][0] == applied["metadata"]["managedFields"][0]
    again = chainlit_app()
    left = plane.admin.apply(again, namespace, "flux")
    assert not meta.keys() & left["metadata"].keys()


# -------------------------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("containers", "variables"), [(500, 2), (1, 1000), pytest.param(500, 20, marks=pytest.mark.slow)]
)
def test_of_any_size(plane: Plane, namespace: str, containers: int, variables: int) -> None:
    env = [{"name": f"V{n}", "value": str(n)} for n in range(variables)]
    made = [container("demo", f"c{n}", env=env, volumeMounts=[]) for n in range(containers)]
    plane.admin.create(workload(*made), namespace)
    last = {"name": f"c{containers - 1}", "env": [{"name": ROOT, "value": "/chat"}]}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "chat"}}
    paths = {kind: {"httpGet": {"path": "/chat/health"}} for kind in ("readinessProbe", "livenessProbe")}
    plane.account.apply(
        body | {"spec": {"template": {"spec": {"containers": [last | paths]}}}}, namespace, FIELD_MANAGER
    )
    image = {"name": last["name"], "image": "evil"}
    with pytest.raises(KubeError, match=rf"containers\[c{containers - 1}\]\.image"):
        plane.account.apply(
            body | {"spec": {"template": {"spec": {"containers": [last | paths | image]}}}}, namespace, FIELD_MANAGER
        )
