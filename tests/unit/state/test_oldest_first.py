"""Routes whose edge tries all paths of the older one first, as the gateways of Istio do with VirtualServices."""

from __future__ import annotations

from typing import Any

import pytest
from tests import objects
from tests.objects import Object, destination, istio_gateway, istio_rule, stored, uri, virtual_service
from tests.records import app_record, record
from tests.unit.state.test_route_keys import namespaces_of

from chainlit_operator.domain.decide import decide
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import Resolved, Unresolved
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State

OLD, NEW, LATER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"
CHAT = uri(prefix="/team/chat")


def put(state: State, found: Object, namespace: str, created: str = NEW) -> None:
    state.upsert(record(stored(found, namespace, creationTimestamp=created)))


def cluster(*others: tuple[Object, str], rules: tuple[Object, ...] = ()) -> tuple[State, list[Ref]]:
    """An app in ``shop`` behind a VirtualService, and VirtualServices of another team with their times of creation."""
    keys: list[Ref] = []
    state = State(keys.append)
    container = objects.container("chat", port=8000)
    for made in (objects.workload(container), objects.service(), istio_gateway(metadata={"namespace": "infra"})):
        put(state, made, "shop")
    put(state, virtual_service(*(rules or (istio_rule(CHAT),)), gateways=["infra/gw"]), "shop")
    for number, (other, created) in enumerate(others):
        put(state, other | {"metadata": other["metadata"] | {"name": f"o{number}"}}, "team", created)
    state.put_app(app_record(stored(objects.chainlit_app(), "shop")))
    return state, keys


def other(*matches: Object, **fields: Any) -> Object:
    rule = istio_rule(*matches, to=[destination("web")])
    return virtual_service(rule, **({"gateways": ["infra/gw"]} | fields))


def answer(state: State) -> Resolved | Unresolved:
    return decide(state.snapshot(next(iter(state.apps.values())))).route


@pytest.mark.parametrize(
    ("match", "created", "reason", "part"),
    [
        (CHAT, OLD, Reason.PATH_CLAIMED, "on host chat.example.com, too, and gets its requests: it is older"),
        (CHAT, LATER, None, "The edge prefers VirtualService chat"),
        (CHAT, NEW, None, "both were created in the same second"),
        (uri(prefix="/team/chat/ws"), OLD, Reason.PATH_SHADOWED, "Chainlit needs it below /team/chat"),
        (uri(prefix="/team/chat/ws"), LATER, None, "The edge prefers VirtualService chat"),
        # A shorter path of an older route wins.
        (uri(prefix="/team"), OLD, Reason.PATH_SHADOWED, "because that route is younger"),
        (uri(prefix="/tea"), OLD, Reason.PATH_SHADOWED, "sends /tea to Service team/web, and the edge tries it"),
        (uri(regex="/[a-z]+/.*"), OLD, Reason.PATH_SHADOWED, "sends /[a-z]+/.* to Service team/web"),
        (uri(prefix="/team"), LATER, None, ""),
        (uri(prefix="/team"), NEW, None, "may take it from the app: both were created in the same second"),
        (uri(prefix="/shop"), OLD, None, ""),
        (uri(prefix="/team/chats"), OLD, None, ""),
        (uri(exact="/team"), OLD, None, ""),
        # Paths for everything come last.
        (uri(prefix="/"), OLD, None, ""),
        (uri(regex=".*"), OLD, None, ""),
        ({}, OLD, None, ""),
        (CHAT | {"headers": {"x-team": {"exact": "a"}}}, OLD, None, "if a header matches. Chainlit may need it"),
    ],
)  # fmt: skip
def test_the_older_route_is_tried_first(match: Object, created: str, reason: Reason | None, part: str) -> None:
    state, _ = cluster((other(match), created))
    found = answer(state)
    if reason is None:
        assert isinstance(found, Resolved), found.message
        assert any(part in warning for warning in found.warnings) if part else not found.warnings
    else:
        assert isinstance(found, Unresolved)
        assert (found.reason, part in found.message) == (reason, True), found.message


@pytest.mark.parametrize(
    ("match", "created", "reason"),
    [
        ({}, OLD, Reason.PATH_CLAIMED),
        ({}, LATER, None),
        # A path for everything loses to all others, also to those of younger routes.
        (uri(prefix="/ws"), LATER, Reason.PATH_SHADOWED),
        (uri(prefix="/shop"), OLD, None),
    ],
)
def test_a_path_for_everything_comes_last(match: Object, created: str, reason: Reason | None) -> None:
    state, _ = cluster((other(match), created), rules=(istio_rule(),))
    found = answer(state)
    assert (found.reason if isinstance(found, Unresolved) else None) is reason


@pytest.mark.parametrize(
    "fields",
    [
        {"gateways": ["infra/other"]},
        {"gateways": ["gw"]},
        {"gateways": ["mesh"]},
        {"hosts": ["b.example.com"]},
        {"hosts": []},
    ],
)
def test_routes_elsewhere_take_nothing(fields: dict[str, Any]) -> None:
    state, _ = cluster((other(CHAT, **fields), OLD))
    found = answer(state)
    assert isinstance(found, Resolved)
    assert not found.warnings


def test_one_shared_gateway_is_enough() -> None:
    state, _ = cluster((other(CHAT, gateways=["infra/gw", "infra/second"]), OLD))
    assert isinstance(answer(state), Unresolved)


@pytest.mark.parametrize(
    ("match", "is_told"),
    [(CHAT, True), (uri(prefix="/team"), True), (uri(prefix="/te"), True), (uri(prefix="/shop"), False), ({}, False)],
)
def test_a_route_that_comes_or_goes_is_told_to_apps_that_lose_or_win(match: Object, *, is_told: bool) -> None:
    state, keys = cluster()
    namespaces_of(keys)
    put(state, other(match), "team", OLD)
    assert ("shop" in namespaces_of(keys)) is is_told
    state.remove(record(stored(other(match), "team", creationTimestamp=OLD)))
    assert ("shop" in namespaces_of(keys)) is is_told
    assert isinstance(answer(state), Resolved)
