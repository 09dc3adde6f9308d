"""What is to be done about created objects, and what they look like."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.world import app, container, ingress, service, snapshot, workload

from chainlit_operator.domain.alignment import Blocked, NoOp
from chainlit_operator.domain.decide import decide
from chainlit_operator.domain.desired import drift, manifests, ownership
from chainlit_operator.domain.desired.drift import OwnedState
from chainlit_operator.domain.desired.ownership import Create, Delete, Release, Repair, Update
from chainlit_operator.domain.field_managers import CREATED_FIELD_MANAGER
from chainlit_operator.domain.model import (
    App,
    Condition,
    FieldConflict,
    Manifest,
    Memory,
    NewGateway,
    NewIngress,
    RouteStatus,
    ServicePort,
    Status,
)
from chainlit_operator.domain.paths import RootPaths
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import Unresolved, resolve, route_backend
from chainlit_operator.object_ref import Ref

NEW_INGRESS = NewIngress(path="chat/", host="example.com")
NEW_GATEWAY = NewGateway(parent_refs=({"name": "edge"},), hostnames=("example.com",), path="/chat")


def templated(**fields: Any) -> App:
    template = {"image": "chat:1"} | fields.pop("template", {})
    return app(template=template, container="chainlit", **fields)


def routed(**fields: Any) -> App:
    return app(route_kind="Ingress", route_name="chat", ingress=NEW_INGRESS, **fields)


def live(manifest: Manifest, **fields: Any) -> OwnedState:
    whole = dict(manifest.body)
    kept = {key: value for key, value in whole.pop("metadata").items() if key in drift.KEPT_METADATA}
    return replace(OwnedState("chat", "uid-of-chat", "o", {**whole, "metadata": kept}), **fields)


def test_objects_in_the_order_in_which_they_are_created() -> None:
    made = templated(ingress=NEW_INGRESS, route_kind="Ingress", route_name="chat")
    assert [ref.kind for ref in manifests.refs(made)] == ["ServiceAccount", "Service", "Ingress", "Deployment"]
    assert {ref.name for ref in manifests.refs(made)} == {"chat"}
    assert manifests.refs(app()) == ()
    assert manifests.refs(app(gateway=NEW_GATEWAY)) == (Ref("HTTPRoute", "shop", "chat"),)


def test_every_object_has_the_app_for_its_owner() -> None:
    made = templated(template={"commonLabels": {"team": "a", "app.kubernetes.io/name": "not-this"}})
    for manifest in (*manifests.dependencies(made), manifests.deployment(made, RootPaths("", ""))):
        metadata = manifest.body["metadata"]
        (owner,) = metadata["ownerReferences"]
        assert (owner["kind"], owner["name"], owner["uid"]) == ("ChainlitApp", "chat", "uid-of-chat")
        assert owner["controller"] is True and "blockOwnerDeletion" not in owner
        assert metadata["annotations"][drift.DIGEST] == manifest.digest
        assert metadata["labels"]["team"] == "a"
        assert metadata["labels"]["app.kubernetes.io/name"] == "chainlitapp"
        assert metadata["labels"]["app.kubernetes.io/managed-by"] == "chainlit-operator"


def test_replicas_left_out_are_not_ours() -> None:
    assert "replicas" not in manifests.deployment(templated(), RootPaths("", "")).body["spec"]
    zero = templated(template={"replicas": 0})
    assert manifests.deployment(zero, RootPaths("", "")).body["spec"]["replicas"] == 0


def test_root_path_and_probes_are_in_the_first_manifest() -> None:
    (found,) = manifests.deployment(templated(), RootPaths("/chat", "/team")).body["spec"]["template"]["spec"][
        "containers"
    ]
    env = {entry["name"]: entry["value"] for entry in found["env"]}
    assert (env["CHAINLIT_ROOT_PATH"], env["CHAINLIT_PARENT_ROOT_PATH"]) == ("/chat", "/team")
    assert found["readinessProbe"]["httpGet"]["path"] == "/chat/health"


def test_ingress_of_an_adopted_workload_leads_to_its_only_service() -> None:
    made = manifests.route(routed(), "chat", ServicePort("http", 80))
    assert made is not None
    (rule,) = made.body["spec"]["rules"]
    assert rule["host"] == "example.com"
    (entry,) = rule["http"]["paths"]
    assert entry == {
        "path": "/chat",
        "pathType": "Prefix",
        "backend": {"service": {"name": "chat", "port": {"name": "http"}}},
    }


def test_http_route() -> None:
    asked = app(route_kind="HTTPRoute", route_name="chat", gateway=NEW_GATEWAY)
    made = manifests.route(asked, "chat", ServicePort("http", 80))
    assert made is not None
    assert made.body["spec"] == {
        "parentRefs": [{"name": "edge"}],
        "hostnames": ["example.com"],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/chat"}}],
                "backendRefs": [{"name": "chat", "port": 80}],
            }
        ],
    }


HEADLESS = service("pods", cluster_ip="None")
TWO_PORTS = service(ports=(ServicePort("web", 80), ServicePort("admin", 81)))
NAMED_PORT = service(ports=(ServicePort("admin", 81), ServicePort("http", 80)))


@pytest.mark.parametrize(
    ("services", "answer"),
    [
        ((), Reason.SERVICE_NOT_FOUND),
        ((service("a"), service("b")), Reason.SERVICE_AMBIGUOUS),
        ((TWO_PORTS,), Reason.SERVICE_AMBIGUOUS),
        ((NAMED_PORT,), ("chat", 80)),
        ((service(), HEADLESS), ("chat", 80)),
        ((HEADLESS,), ("pods", 80)),
    ],
)
def test_service_behind_a_created_route(services: Any, answer: Any) -> None:
    found = route_backend(routed(), services)
    if isinstance(answer, Reason):
        assert found is None
        route = resolve(replace(snapshot(app=routed(), services=services), routes=()))
        assert isinstance(route, Unresolved)
        assert route.reason is answer
    else:
        assert found is not None
        assert (found[0], found[1].port) == answer


def test_services_that_cannot_be_told_apart_are_named() -> None:
    found = resolve(replace(snapshot(app=routed(), services=(service("a"), service("b"))), routes=()))
    assert found == Unresolved(
        Reason.SERVICE_AMBIGUOUS,
        "Several Services or ports lead to Deployment shop/chat (a, b), and the created route needs one. Keep one "
        "Service with one port or with one port called http, or create the route yourself and name it in "
        "spec.route.ref.",
    )


def test_service_of_a_template_is_its_own() -> None:
    made = templated(ingress=NEW_INGRESS, route_kind="Ingress", route_name="chat")
    found = route_backend(made, (service("a"), service()))
    assert found is not None
    assert found[0] == "chat"


MANIFEST = manifests.deployment(templated(), RootPaths("/chat", ""))


def test_steps() -> None:
    now = live(MANIFEST)
    changed = manifests.deployment(templated(template={"image": "chat:2"}), RootPaths("/chat", ""))
    assert ownership.step(MANIFEST, None) == Create(MANIFEST)
    assert ownership.step(MANIFEST, now) is None
    assert ownership.step(changed, now) == Update(changed, now)
    assert ownership.step(changed, replace(now, is_terminating=True)) is None
    meddled = live(MANIFEST)
    spec = {**now.content["spec"], "strategy": {"type": "Recreate"}}
    managed = [{"manager": "kubectl-edit", "fieldsV1": {"f:spec": {"f:strategy": {"f:type": {}}}}}]
    meddled = replace(now, content={**now.content, "spec": spec}, managed=managed)
    step = ownership.step(MANIFEST, meddled)
    assert isinstance(step, Repair)
    assert (step.fields[0], step.managers) == ("spec.strategy.type", "kubectl-edit")
    managed = [{"manager": name, "fieldsV1": {"f:spec": {"f:strategy": {}}}} for name in ("zen", "kubectl-edit")]
    step = ownership.step(MANIFEST, replace(meddled, managed=managed))
    assert isinstance(step, Repair) and step.managers == "kubectl-edit, zen"


def test_whoever_changed_any_of_the_fields_is_a_rival() -> None:
    now = live(MANIFEST)
    spec = {**now.content["spec"], "strategy": {"type": "Recreate"}, "selector": {"matchLabels": {}}}
    fields = {"zen": {"f:strategy": {"f:type": {}}}, "argocd": {"f:selector": {}}}
    managed = [{"manager": name, "fieldsV1": {"f:spec": found}} for name, found in fields.items()]
    step = ownership.step(MANIFEST, replace(now, content={**now.content, "spec": spec}, managed=managed))
    assert isinstance(step, Repair) and step.managers == "argocd, zen"


@pytest.mark.parametrize(
    ("asked", "kind", "released"),
    [
        (app(), "Deployment", True),
        (app(), "Service", True),
        (app(), "ServiceAccount", True),
        (app(workload_name="other"), "Deployment", False),
        (app(workload_kind="StatefulSet"), "Deployment", False),
        (templated(template={"serviceAccount": {"create": False}}), "ServiceAccount", False),
        (app(route_kind="Ingress", route_name="chat"), "Ingress", True),
        (app(route_kind="Ingress", route_name="other"), "Ingress", False),
        (app(route_kind="HTTPRoute", route_name="chat"), "Ingress", False),
        (app(), "Ingress", False),
    ],
)
def test_what_a_ref_names_now_is_released(asked: App, kind: str, *, released: bool) -> None:
    assert ownership.is_referenced(asked, Ref(kind, "shop", "chat")) is released


def test_release_leaves_nothing_of_ours() -> None:
    foreign = {"uid": "x", "kind": "Other"}
    ours = live(MANIFEST, managed=({"manager": CREATED_FIELD_MANAGER}, {"manager": "kubectl"}))
    ours.content["metadata"]["ownerReferences"] = [foreign, {"uid": "uid-of-chat"}]
    assert ownership.release_patch(ours, "7") == {
        "metadata": {
            "uid": "o",
            "resourceVersion": "7",
            "ownerReferences": [foreign],
            "annotations": {"chainlit-operator.dev/applied": None},
            "labels": {"app.kubernetes.io/managed-by": None},
            "managedFields": [{"manager": "kubectl"}],
        }
    }
    assert ownership.release_patch(replace(ours, managed=()), "7")["metadata"]["managedFields"] == [{}]


@pytest.mark.parametrize("content", [{}, {"metadata": {}}])
def test_an_object_without_owners_can_be_released(content: dict[str, Any]) -> None:
    assert ownership.release_patch(OwnedState("chat", "u", "o", content), "7")["metadata"]["ownerReferences"] == []


def test_taken_name_blocks_everything() -> None:
    taken = snapshot(app=templated(), taken=(Ref("Service", "shop", "chat"),))
    found = decide(taken)
    assert isinstance(found.action, Blocked) and found.action.reason is Reason.NAME_TAKEN
    assert isinstance(found.route, Unresolved)
    assert found.route.reason is Reason.NAME_TAKEN
    both = (Ref("Deployment", "shop", "chat"), Ref("Service", "shop", "chat"))
    route = resolve(snapshot(taken=both))
    assert isinstance(route, Unresolved)
    assert route.message == (
        "This ChainlitApp creates Deployment shop/chat, Service shop/chat, and an object of that name exists already "
        "that it does not own. Delete that object, give this ChainlitApp another name, or name the object in "
        "spec.workload.ref or spec.route.ref."
    )
    assert "Service shop/chat" in found.action.message


def test_created_workload_is_not_written_twice() -> None:
    """Its manifest has the variables; a second manager of the same fields would only be in the way."""
    other = snapshot(app=templated(), workload=workload(container("/other")))
    assert decide(other).action == NoOp()
    unresolved = snapshot(ingress("/a b"), app=templated())
    assert isinstance(decide(unresolved).action, Blocked)


FIRST, SECOND, THIRD = (
    replace(MANIFEST, ref=Ref("Service", "shop", name), digest=name) for name in ("first", "second", "third")
)


def existing(manifest: Manifest, *, digest: str = "", **fields: Any) -> Any:
    """A Service as its manifest says, or with another digest."""
    found = live(manifest, **fields)
    annotations = {drift.DIGEST: digest or manifest.digest}
    metadata = {**found.content["metadata"], "annotations": annotations}
    body = {**manifest.body, "metadata": metadata}
    return service(manifest.ref.name, owned=replace(found, content={**found.content, "metadata": metadata})), replace(
        manifest, body=body
    )


def steps_of(*objects: Manifest, wanted: tuple[Ref, ...] = (), **fields: Any) -> ownership.Steps:
    return ownership.steps(snapshot(**fields), objects, wanted or tuple(each.ref for each in objects))


def test_nothing_is_created_while_a_name_is_taken_but_all_else_is_written() -> None:
    """The object in the way is not touched, also where the app owns one of that name by now."""
    mine, second = existing(SECOND, digest="old")
    foreign, third = existing(THIRD, digest="old")
    found = steps_of(third, FIRST, second, taken=(THIRD.ref,), owned=(foreign, mine))
    assert found.steps == (Update(second, mine.owned),)
    assert (found.conflict, found.memory) == (None, Memory())


def test_an_object_that_is_right_needs_no_step_and_no_memory() -> None:
    mine, first = existing(FIRST)
    found = steps_of(first, SECOND, owned=(mine,))
    assert found == ownership.Steps((Create(SECOND),), None, Memory())


def test_objects_that_are_wanted_no_more_go_last_and_in_order() -> None:
    gone, kept, ending = (
        ingress("/x", name=name, owned=live(MANIFEST, object_uid=f"uid-of-{name}")) for name in ("gone", "chat", "end")
    )
    assert ending.owned is not None
    ending = replace(ending, owned=replace(ending.owned, is_terminating=True))
    stray, last = ingress("/x", name="stray"), ingress("/x", name="last", owned=live(MANIFEST))
    asked = app(route_kind="Ingress", route_name="chat")
    found = steps_of(FIRST, app=asked, owned=(ending, stray, gone, kept, last))
    assert kept.owned is not None
    release = Release(kept.ref, ownership.release_patch(kept.owned, "1"))
    assert found.steps == (Create(FIRST), Delete(gone.ref, "uid-of-gone"), release, Delete(last.ref, "o"))
    assert steps_of(FIRST, wanted=(FIRST.ref, gone.ref), owned=(gone,)).steps == (Create(FIRST),)


def told(**fields: Any) -> App:
    """An app whose status says that another manager keeps changing a field."""
    route = RouteStatus("Ingress", "chat", "example.com", "/chat", "Prefix", "None")
    condition = Condition("Aligned", "False", "FieldContested", "…", 1)
    return replace(app(), status=replace(Status(route=route, conditions=(condition,)), **fields))


def meddled(first: Manifest, manager: str = "argocd") -> Any:
    mine, first = existing(first)
    managed = [{"manager": manager, "fieldsV1": {"f:spec": {"f:selector": {}}}}] if manager else []
    content = {**mine.owned.content, "spec": {**mine.owned.content["spec"], "selector": {}}}
    return replace(mine, owned=replace(mine.owned, content=content, managed=managed)), first


def test_a_conflict_is_known_from_the_status_after_a_restart() -> None:
    mine, first = meddled(FIRST)
    found = steps_of(first, SECOND, app=told(), owned=(mine,))
    assert found.steps == ()
    assert found.conflict is not None and "'argocd' keeps changing spec.selector" in found.conflict.message
    basis = ("uid-of-chat", 1, "o", "first")
    assert found.memory.objects == {first.ref: FieldConflict(basis, (), "argocd", "")}


@pytest.mark.parametrize("manager", ["argocd", ""])
def test_without_a_conflict_in_the_status_a_field_is_repaired(manager: str) -> None:
    mine, first = meddled(FIRST, manager)
    for asked in (app(), told(conditions=()), *([] if manager else [told()])):
        found = steps_of(first, SECOND, app=asked, owned=(mine,))
        repair = Repair(first, mine.owned, found.steps[0].fields, manager)  # type: ignore[union-attr]
        assert found == ownership.Steps((repair, Create(SECOND)), None, Memory())


def test_an_update_is_no_conflict_of_the_status() -> None:
    mine, first = existing(FIRST, digest="old")
    assert steps_of(first, app=told(), owned=(mine,)).conflict is None


def test_writes_of_created_objects_are_remembered() -> None:
    mine, first = meddled(FIRST)
    basis = ("uid-of-chat", 1, "o", "first")
    assert ownership.basis(app(), first, mine.owned) == basis
    memory = ownership.record(Memory(), app(), Create(first), mine.owned, 1.0)
    assert memory == Memory(objects={first.ref: FieldConflict(basis, ((1.0, ""),), "unknown")})
    memory = ownership.record(memory, app(), Repair(first, mine.owned, ("spec.x",), "argocd"), mine.owned, 2.0)
    assert memory == Memory(objects={first.ref: FieldConflict(basis, ((1.0, ""), (2.0, "")), "argocd")})
    memory = ownership.record(memory, app(), Update(first, mine.owned), mine.owned, 3.0)
    assert memory.objects[first.ref] == FieldConflict(basis, ((1.0, ""), (2.0, ""), (3.0, "")), "argocd")
    for step in (Release(first.ref, {}), Delete(first.ref, "o")):
        assert ownership.record(memory, app(), step, mine.owned, 4.0) is memory


def test_writes_that_are_too_old_are_no_conflict() -> None:
    mine, first = meddled(FIRST)
    known = FieldConflict(ownership.basis(app(), first, mine.owned), ((0.0, ""),) * 3, "argocd")
    for now, is_conflict in ((599.0, True), (600.0, False)):
        found = steps_of(first, owned=(mine,), memory=Memory(objects={first.ref: known}), monotonic=now)
        assert (found.conflict is not None) is is_conflict
        assert len(found.steps) == (0 if is_conflict else 1)
