"""The decision as a whole: what is written of created objects, in which order, and what is remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.test_ownership import NEW_INGRESS, live, templated
from tests.unit.domain.world import app, container, contested, ingress, service, snapshot, workload

from chainlit_operator.domain.alignment import Apply, Blocked, NoOp
from chainlit_operator.domain.decide import Failure, decide
from chainlit_operator.domain.desired import manifests, ownership
from chainlit_operator.domain.desired.ownership import Create, Delete, Update
from chainlit_operator.domain.model import App, Container, FieldConflict, Manifest, Memory, Snapshot, Variable
from chainlit_operator.domain.paths import RootPaths
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.object_ref import Ref

MADE = templated(route_kind="Ingress", route_name="chat")
ACCOUNT, SERVICE = manifests.dependencies(MADE)
DEPLOYMENT = manifests.deployment(MADE, RootPaths("/chat", ""))
OLD = manifests.deployment(MADE, RootPaths("/old", "/team"))
EMPTY = manifests.deployment(MADE, RootPaths("", ""))
#: A conflict of something else, which each decision must keep.
BOUND = Ref("Ingress", "shop", "other")
MEMORY = Memory(objects={BOUND: FieldConflict(("other",))})
UNRESOLVED = ingress("/a b")


def creating(*routes: Any, **fields: Any) -> Snapshot:
    """An app that creates its workload; none of its objects exists yet."""
    defaults: dict[str, Any] = {"app": MADE, "manifests": (ACCOUNT, SERVICE), "memory": MEMORY}
    return snapshot(*routes, **(defaults | fields))


def created(found: Container, *others: Container, manifest: Manifest = DEPLOYMENT, **fields: Any) -> Any:
    """Service and workload that the app has created, the workload with these containers, as ``manifest`` says."""
    return service(owned=live(SERVICE)), workload(found, *others, owned=live(manifest, **fields))


def test_objects_are_created_in_order_and_the_workload_last() -> None:
    found = decide(creating())
    assert found.steps == (Create(ACCOUNT), Create(SERVICE), Create(DEPLOYMENT))
    assert (found.failure, found.root_paths, found.action) == (None, RootPaths("/chat", ""), NoOp())
    assert found.memory == MEMORY


def test_a_workload_that_exists_gets_the_root_paths_of_its_route() -> None:
    owned = created(container("/old"), manifest=OLD)
    found = decide(creating(owned=owned, workload=owned[1], manifests=(SERVICE,)))
    assert found.steps == (Update(DEPLOYMENT, owned[1].owned),)


def idle(**fields: Any) -> Snapshot:
    return creating(owned=(service("more", owned=live(SERVICE)),), **fields)


@pytest.mark.parametrize(
    "given",
    [
        idle(app=templated(suspend=True)),
        idle(app=replace(MADE, is_terminating=True)),
        idle(claimed_by="elder"),
        idle(app=templated(suspend=True), template_fault="It has two containers."),
        snapshot(template_fault="It has two containers.", memory=MEMORY),
    ],
    ids=["suspended", "terminating", "claimed", "suspended-with-a-fault", "creates-nothing"],
)
def test_no_steps(given: Snapshot) -> None:
    found = decide(given)
    assert (found.steps, found.failure) == ((), None)
    assert found.memory.objects == MEMORY.objects


def test_what_is_wanted_no_more_is_deleted_though_nothing_else_is_wanted() -> None:
    more = ingress("/more", name="more", owned=live(SERVICE))
    found = decide(snapshot(owned=(more,)))
    assert found.steps == (Delete(more.ref, "o"),)
    assert found.failure is None


def test_a_fault_of_the_template_stops_all_steps() -> None:
    found = decide(idle(template_fault="It has two containers."))
    assert found.failure == Failure(Reason.APPLY_REFUSED, "It has two containers.")
    assert (found.steps, found.memory) == ((), MEMORY)


@pytest.mark.parametrize(
    ("asked", "containers", "kept"),
    [
        (MADE, (container("/old", parent_root_path=Variable("/team")),), OLD),
        (
            replace(MADE, spec=replace(MADE.spec, container="main")),
            (container("/old", name="main", parent_root_path=Variable("/team")), container("/other")),
            OLD,
        ),
        (MADE, (container(None),), EMPTY),
        (MADE, (container(Variable(None), parent_root_path=Variable("")),), EMPTY),
        (MADE, (container("/other", name="a"), container("/other", name="b")), EMPTY),
    ],
    ids=["both", "of-the-named-container", "unset", "from-elsewhere", "no-container"],
)
def test_a_workload_keeps_its_root_paths_while_the_route_gives_none(
    asked: App, containers: tuple[Container, ...], kept: Manifest
) -> None:
    owned = created(*containers, manifest=kept)
    given = creating(UNRESOLVED, app=asked, owned=owned, workload=owned[1], manifests=(SERVICE,))
    assert decide(given).steps == ()
    assert decide(given).root_paths is None


@pytest.mark.parametrize("template", [{}, {"envFrom": [{"configMapRef": {"name": "more"}}]}])
def test_a_new_workload_has_no_root_paths_while_the_route_gives_none(template: dict[str, Any]) -> None:
    """The snapshot has the workload as it will be; nothing of it exists."""
    asked = templated(template=template, route_kind="Ingress", route_name="chat")
    planned, owned = workload(container("/planned")), (service(owned=live(SERVICE)),)
    found = decide(creating(UNRESOLVED, app=asked, workload=planned, owned=owned, manifests=()))
    assert found.steps == (Create(manifests.deployment(asked, RootPaths("", ""))),)


def test_without_a_record_of_the_workload_its_root_paths_are_not_known() -> None:
    owned = created(container("/old"), manifest=EMPTY)
    assert decide(creating(owned=owned, workload=None, manifests=(SERVICE,))).steps == ()


def test_a_mounted_chainlit_has_no_root_paths() -> None:
    found = decide(snapshot(app=app(mount_path="/bot")))
    assert (found.root_paths, found.action) == (None, NoOp())


CONFLICT = (
    "Field manager 'argocd' keeps changing {} of {}, which this ChainlitApp created, so the operator stopped writing. "
    "Remove these fields from the manifests of that manager, set them in this ChainlitApp, or set spec.suspend: true."
)


def fought(manifest: Manifest, found: Any, **fields: Any) -> FieldConflict:
    """Three writes of that object on the present basis, after which argocd changed it again."""
    follows_from = ownership.basis(MADE, manifest, found)
    return FieldConflict(follows_from, ((0.0, ""),) * 3, "argocd", **fields)


def test_a_conflict_ends_the_steps_before_its_object() -> None:
    old = live(replace(SERVICE, body={**SERVICE.body, "metadata": {"annotations": {}}}))
    memory = replace(MEMORY, objects={**MEMORY.objects, SERVICE.ref: fought(SERVICE, old)})
    surplus = service("more", owned=live(SERVICE))
    found = decide(creating(owned=(service(owned=old), surplus), memory=memory))
    assert found.steps == (Create(ACCOUNT),)
    message = CONFLICT.format("fields", "Service shop/chat")
    assert found.failure == Failure(Reason.FIELD_CONTESTED, message)
    yielded = fought(SERVICE, old, yielded_state="")
    assert found.memory == Memory(objects={**MEMORY.objects, SERVICE.ref: yielded})


def test_an_object_that_is_right_ends_its_conflict() -> None:
    owned = service(owned=live(SERVICE))
    memory = Memory(objects={SERVICE.ref: fought(SERVICE, owned.owned, yielded_state="")})
    found = decide(creating(owned=(owned,), memory=memory))
    assert found.steps == (Create(ACCOUNT), Create(DEPLOYMENT))
    assert found.memory.objects == {SERVICE.ref: fought(SERVICE, owned.owned)}


def test_the_conflict_of_an_adopted_workload_is_remembered() -> None:
    given = contested(snapshot())
    found = decide(given)
    assert isinstance(found.action, Blocked) and given.workload is not None
    before = given.memory.workload
    assert before is not None
    assert found.memory == Memory(replace(before, yielded_state=given.workload.template_digest))
    assert found.action.message == (
        "Field manager 'argocd' keeps changing CHAINLIT_ROOT_PATH of container chainlit in Deployment shop/chat, so "
        "the operator stopped writing. Remove the variable and the probe paths from the manifests of that manager, or "
        "set spec.suspend: true."
    )


def test_created_objects_and_an_adopted_workload_are_written_by_one_decision() -> None:
    asked = app(route_kind="Ingress", route_name="chat", ingress=NEW_INGRESS)
    made = manifests.route(asked, "chat", service().ports[0])
    assert made is not None
    found = decide(snapshot(app=asked, manifests=(made,)))
    assert found.steps == (Create(made),)
    assert isinstance(found.action, Apply)


def drifted(manifest: Manifest, fields: dict[str, Any]) -> Any:
    """The object after argocd has changed these fields of its spec."""
    now = live(manifest)
    managed = [{"manager": "argocd", "fieldsV1": {"f:spec": {f"f:{name}": {} for name in fields}}}]
    return replace(now, content={**now.content, "spec": {**now.content["spec"], **fields}}, managed=managed)


def test_a_repair_that_is_fought_over_names_five_fields() -> None:
    wanted = replace(SERVICE, body={**SERVICE.body, "spec": {f"p{n}": n for n in range(7)}})
    now = drifted(wanted, {f"p{n}": -1 for n in range(7)})
    given = creating(memory=Memory(objects={wanted.ref: fought(wanted, now)}), owned=(service(owned=now),))
    found = ownership.steps(given, [wanted], (wanted.ref,))
    assert found.conflict is not None
    five = ", ".join(f"spec.p{n}" for n in range(5))
    assert found.conflict.message == CONFLICT.format(five, "Service shop/chat")
