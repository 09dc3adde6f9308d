"""Pruned decoding: what is kept of real objects, and that strange ones cost only themselves."""

from __future__ import annotations

import contextlib
import copy
import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.records import app_record, record
from tests.unit.domain.world import app

from chainlit_operator.domain import model
from chainlit_operator.kinds import chainlitapp, registry
from chainlit_operator.kinds.shared.fields import TOO_MANY_PATHS
from chainlit_operator.kube import codec
from chainlit_operator.state import decoding

FIELDS: dict[str, Any] = {
    "f:spec": {
        "f:template": {
            "f:spec": {
                "f:containers": {
                    'k:{"name":"chainlit"}': {
                        ".": {},
                        "f:env": {
                            'k:{"name":"CHAINLIT_ROOT_PATH"}': {".": {}, "f:value": {}},
                            'k:{"name":"CHAINLIT_PARENT_ROOT_PATH"}': {".": {}, "f:name": {}},
                        },
                        "f:readinessProbe": {"f:httpGet": {"f:path": {}}},
                        "f:livenessProbe": {"f:httpGet": {"f:port": {}}},
                    }
                }
            }
        }
    }
}

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "chat",
        "namespace": "shop",
        "uid": "u",
        "resourceVersion": "42",
        "generation": 3,
        "annotations": {"huge": "x" * 1000},
        "managedFields": [
            {"manager": "helm", "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": FIELDS},
            {"manager": "kube-controller-manager", "subresource": "status", "fieldsV1": {"f:status": {}}},
        ],
    },
    "spec": {
        "replicas": 2,
        "template": {
            "metadata": {"creationTimestamp": None, "labels": {"b": "2", "a": "1"}},
            "spec": {
                "containers": [
                    {
                        "name": "chainlit",
                        "image": "chat:1",
                        "args": ["chainlit", "run", "--root-path=/x"],
                        "ports": [{"name": "http", "containerPort": 8000, "protocol": "TCP"}, {"containerPort": 9}],
                        "env": [
                            {"name": "CHAINLIT_ROOT_PATH", "value": "/chat"},
                            {"name": "CHAINLIT_PARENT_ROOT_PATH", "valueFrom": {"fieldRef": {"fieldPath": "x"}}},
                            {"name": "OTHER", "value": "1"},
                            {"name": "EMPTY"},
                        ],
                        "envFrom": [{"configMapRef": {"name": "x"}}],
                        "livenessProbe": {"tcpSocket": {"port": 8000}},
                        "readinessProbe": {"httpGet": {"path": "/chat/health", "port": "http"}},
                        "startupProbe": {"httpGet": {"port": 8000}},
                    }
                ]
            },
        },
    },
    "status": {
        "observedGeneration": 2,
        "replicas": 3,
        "updatedReplicas": 1,
        "availableReplicas": 2,
        "conditions": [
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "Timed out."}
        ],
    },
}


def read(kind: str, body: Any) -> Any:
    return app_record(body) if kind == "ChainlitApp" else record(body, kind)


def changed(*path: str | int, to: Any, **metadata: Any) -> dict[str, Any]:
    """The Deployment with another value at ``path``, and other metadata."""
    body = copy.deepcopy(DEPLOYMENT)
    body["metadata"] |= metadata
    place = body
    for key in path[:-1]:
        place = place[key]  # type: ignore[index]
    place[path[-1]] = to  # type: ignore[index]
    return body


def after(first: Any, *more: Any) -> list[model.Workload]:
    """What a watch makes of one object after the other; the first is listed."""
    known = [read("Deployment", first)]
    event = decoding.decoder(registry.WATCHED["Deployment"], lambda ref: known[-1] if ref == known[-1].ref else None)
    for body in more:
        known += [event(json.dumps(body).encode())]
    return known


PODS = ("spec", "template", "spec", "containers", 0)
SEEN = {"status": DEPLOYMENT["status"] | {"observedGeneration": 3}}


@pytest.mark.parametrize(
    "same",
    [
        changed("metadata", "annotations", to={"huge": "y"}, generation=4),
        changed("status", "observedGeneration", to=4, generation=4),
        changed("metadata", "managedFields", 1, "time", to="2026-01-01T00:00:00Z"),
        changed("spec", "strategy", to={"type": "Recreate"}, generation=4),
    ],
    ids=["annotation", "which was seen", "time", "strategy"],
)
def test_what_replaces_no_pod_makes_no_difference(same: dict[str, Any]) -> None:
    first, second = after(DEPLOYMENT | SEEN, same if same["status"]["observedGeneration"] > 2 else same | SEEN)
    assert second == first and second.generation == 3 and second.rollout.observed_generation == 3
    assert (second.containers, second.field_managers) == (first.containers, first.field_managers)
    assert second.containers[0].owners == first.containers[0].owners


def test_a_change_of_the_template_is_read_and_awaited() -> None:
    former, annotated, image, again = after(
        DEPLOYMENT | SEEN,
        changed("metadata", "annotations", to={}, generation=4) | SEEN,
        changed(*PODS, "image", to="chat:2", generation=5) | SEEN,
        changed(*PODS, "image", to="chat:2", generation=6),
    )
    assert (former.generation, annotated.generation) == (3, 3)
    assert image.containers[0].image == "chat:2"
    assert (image.generation, image.rollout.observed_generation) == (5, 3)
    assert (again.generation, again.rollout.observed_generation) == (5, 2)


@pytest.mark.parametrize(
    ("to", "owners"),
    [
        ([], ()),
        ([{"manager": "me", "fieldsV1": FIELDS}], (("CHAINLIT_ROOT_PATH", "me"), ("readinessProbe", "me"))),
        ([{"manager": "helm", "fieldsV1": {"f:spec": {}}}], ()),
    ],
)
def test_another_owner_is_read(to: list[Any], owners: tuple[tuple[str, str], ...]) -> None:
    _, found = after(DEPLOYMENT, changed("metadata", "managedFields", to=to))
    assert found.containers[0].owners == owners
    assert found.field_managers == tuple(entry["manager"] for entry in to)


def test_replicas_and_counters_are_read_beside_the_same_template() -> None:
    first, scaled, counted = after(
        DEPLOYMENT,
        changed("spec", "replicas", to=0, generation=4),
        changed("status", "availableReplicas", to=9),
    )
    assert scaled == replace(first, rollout=replace(first.rollout, desired=0))
    assert counted == replace(first, rollout=replace(first.rollout, available=9))


def test_another_object_of_the_name_is_read_anew() -> None:
    _, found = after(DEPLOYMENT, changed("metadata", "uid", to="other", generation=1))
    assert (found.uid, found.generation) == ("other", 1)


def test_an_object_that_is_older_than_the_one_known_is_read_as_it_is() -> None:
    former, found = after(DEPLOYMENT, changed("metadata", "resourceVersion", to="41", generation=2))
    assert former.generation == 3 and (found.generation, found.resource_version) == (2, "41")


def test_parent_that_refuses_the_route_gives_no_address_while_another_takes_it() -> None:
    inner, edge = {"name": "inner"}, {"name": "edge"}
    refused = {"parentRef": inner, "conditions": [{"type": "Accepted", "status": "False"}]}
    taken = {"parentRef": edge, "conditions": [{"type": "Accepted", "status": "True"}]}
    for statuses, names in [([refused, taken], ["edge"]), ([taken], ["inner", "edge"]), ([], ["inner", "edge"])]:
        given = {"metadata": {"name": "r", "namespace": "shop"}, "spec": {"parentRefs": [inner, edge]}}
        found = read("HTTPRoute", given | {"status": {"parents": statuses}})
        assert [attachment.group.rpartition("/")[2] for attachment in found.attachments] == names


@pytest.mark.parametrize(
    ("parent", "told", "is_same"),
    [
        ({"name": "inner"}, {"name": "inner", "namespace": "shop"}, True),
        ({"name": "inner", "namespace": "shop"}, {"name": "inner"}, True),
        ({"name": "inner"}, {"name": "inner", "group": "gateway.networking.k8s.io", "kind": "Gateway"}, True),
        ({"name": "inner"}, {"name": "inner", "namespace": "infra"}, False),
        ({"name": "inner", "sectionName": "web"}, {"name": "inner", "namespace": "shop"}, False),
        ({"name": "inner", "port": 80}, {"name": "inner", "namespace": "shop", "port": 443}, False),
        ({"name": "inner"}, {"name": "inner", "kind": "Service", "group": ""}, False),
    ],
)
def test_parent_that_refuses_is_recognised_with_its_defaults(parent: Any, told: Any, *, is_same: bool) -> None:
    edge = {"name": "edge"}
    parents = [
        {"parentRef": told, "conditions": [{"type": "Accepted", "status": "False"}]},
        {"parentRef": edge, "conditions": [{"type": "Accepted", "status": "True"}]},
    ]
    given = {"metadata": {"name": "r", "namespace": "shop"}, "spec": {"parentRefs": [parent, edge]}}
    found = read("HTTPRoute", given | {"status": {"parents": parents}})
    groups = [attachment.group for attachment in found.attachments]
    assert groups == (["Gateway shop/edge"] if is_same else ["Gateway shop/inner", "Gateway shop/edge"])


OWNER = {"apiVersion": "chainlit-operator.dev/v1alpha1", "kind": "ChainlitApp", "name": "chat", "uid": "u"}


@pytest.mark.parametrize(
    ("owner", "is_owned"),
    [
        (OWNER | {"controller": True}, True),
        (OWNER, False),
        (OWNER | {"controller": True, "apiVersion": "example.com/v1"}, False),
        (OWNER | {"controller": True, "kind": "Other"}, False),
    ],
)
@pytest.mark.parametrize("type_", ["Deployment", "Service", "ServiceAccount", "Ingress", "HTTPRoute"])
def test_whole_object_is_kept_where_a_chainlitapp_created_it(type_: Any, owner: Any, *, is_owned: bool) -> None:
    metadata: Any = {"name": "chat", "namespace": "shop", "uid": "o", "resourceVersion": "7", "labels": {"a": "b"}}
    metadata |= {"ownerReferences": [owner], "managedFields": [{"manager": "x"}]}
    body = {"apiVersion": "?", "kind": "?", "metadata": metadata, "spec": {"anything": [1]}, "status": {"much": 1}}
    owned = decoding.decoder(registry.WATCHED[type_])(msgspec.json.encode(body)).owned  # type: ignore[union-attr]
    assert (owned is not None) is is_owned
    if owned is not None:
        assert (owned.app, owned.uid, owned.object_uid) == ("chat", "u", "o")
        assert owned.content == {
            "metadata": {"labels": {"a": "b"}, "ownerReferences": [owner]},
            "spec": {"anything": [1]},
        }
        assert owned.managed == [{"manager": "x"}]
        assert owned.is_terminating is False


@pytest.mark.parametrize("is_terminating", [True, False])
def test_an_owned_object_may_be_terminating_and_have_no_managers(*, is_terminating: bool) -> None:
    metadata: Any = {"name": "chat", "namespace": "shop", "uid": "o", "ownerReferences": [OWNER | {"controller": True}]}
    metadata |= {"deletionTimestamp": "2026-01-01T00:00:00Z"} if is_terminating else {}
    owned = read("Service", {"metadata": metadata}).owned
    assert (owned.is_terminating, owned.managed) == (is_terminating, ())


@pytest.mark.parametrize("parent", [None, "", "/portal"])
def test_status_comes_back_as_it_was_written(parent: str | None) -> None:
    status = model.Status(
        observed_generation=3,
        root_path="",
        parent_root_path=parent,
        url="http://x/",
        web_socket_url="ws://x/ws/socket.io/",
        route=model.RouteStatus("Ingress", "r", "x", "/", "Prefix", "None"),
        workload=model.WorkloadStatus("Deployment", "chat", "c"),
        conditions=(model.Condition("Ready", "True", "Ready", "Yes.", 3, "2026-01-01T00:00:00Z"),),
    )
    body = chainlitapp.encode_status(app(), status)
    assert body["status"]["webSocketURL"] == "ws://x/ws/socket.io/"
    assert body["status"].get("parentRootPath") == parent
    assert (body["apiVersion"], body["kind"]) == ("chainlit-operator.dev/v1alpha1", "ChainlitApp")
    assert "spec" not in body
    written = chainlitapp.app_from_object(body)
    assert written.status == status
    assert (written.ref, written.uid, written.resource_version) == (app().ref, app().uid, app().resource_version)


@pytest.mark.parametrize("body", [{}, {"metadata": 1}, {"metadata": {}, "spec": {"suspend": "yes"}}, [], None])
def test_object_of_another_shape_is_an_error_of_value(body: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        chainlitapp.app_from_object(body)


KINDS = [
    "Deployment",
    "StatefulSet",
    "Service",
    "Ingress",
    "HTTPRoute",
    "Gateway",
    "Middleware",
    "ChainlitApp",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["metadata", "name", "spec", "template", "containers", "env", "rules", "http", "paths", "tls"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON, st.sampled_from(KINDS))
def test_any_json_is_read_or_refused(body: Any, type_: Any) -> None:
    with contextlib.suppress(msgspec.ValidationError):
        read(type_, body)


NEST = 9000


@pytest.mark.parametrize("kind", registry.WATCHED)
def test_what_nests_deep_is_no_end_of_the_watch(kind: str) -> None:
    """An API server keeps ten thousand levels in fields without a schema; a reader's stack has a tenth of that."""
    nest = "[" * NEST + "]" * NEST
    owner = '{"apiVersion":"chainlit-operator.dev/v1","kind":"ChainlitApp","name":"a","controller":true}'
    text = f'{{"metadata":{{"name":"x]\\"[","ownerReferences":[{owner}]}},"extra":{{"deep":{nest},"flat":[1]}}}}'
    found = decoding.decoder(registry.WATCHED[kind])(text.encode())
    assert found.ref.name == 'x]"['
    if isinstance(found, model.CreatableObject):
        assert found.owned is not None
        kept = found.owned.content["extra"]
        assert kept["flat"] == [1] and str(kept["deep"]).count("[") < 300
    items = codec.decode_page(f'{{"items":[{text}]}}'.encode()).items
    assert items is not None and codec.decode_metadata(items[0]).metadata.name == 'x]"['
    event = codec.decode_event(f'{{"type":"ADDED","object":{text}}}'.encode())
    assert codec.decode_metadata(event.object).metadata.name == 'x]"['


def test_no_more_paths_are_read_than_can_be_looked_at() -> None:
    backend = {"service": {"name": "chat", "port": {"number": 80}}}
    entry = {"path": "/chat", "pathType": "Prefix", "backend": backend}
    for count, refusal in ((2500, ""), (2501, TOO_MANY_PATHS)):
        body = {"metadata": {"name": "x"}, "spec": {"rules": [{"http": {"paths": [entry] * count}}]}}
        found = read("Ingress", body)
        assert (len(found.paths), found.refusal) == (2500, refusal)
    rule = {"matches": [{}] * 8, "backendRefs": [{"name": f"s{n}", "port": 80} for n in range(16)]}
    body = {"metadata": {"name": "x"}, "spec": {"hostnames": ["a", "b", "c"], "rules": [rule] * 16}}
    route = read("HTTPRoute", body)
    assert len(route.paths) == 2500 and route.refusal.startswith("it has more than 2,500 paths")


def test_the_services_of_one_rollout_select_the_same_pods() -> None:
    """Argo Rollouts adds the hash of a release to the selectors of the stable and the canary Service."""
    selectors = ({"app": "chat"}, {"app": "chat", "rollouts-pod-template-hash": "7d4"})
    made = [
        {"kind": "Service", "metadata": {"name": "chat", "namespace": "shop"}, "spec": {"selector": selector}}
        for selector in selectors
    ]
    assert [record(each).selector for each in made] == [(("app", "chat"),)] * 2
