"""The table of route forms, read from manifests as the operator reads them, and the page that is printed from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.records import record
from tests.route_forms import FORMS, PAIRS, Edge, Form, Roots, page
from tests.unit.domain.world import NAMESPACE, app, service, workload

from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import Resolved, Unresolved, resolve
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State

HOST = "chat.example"
#: What messages say, whatever the form: the object, and the remedy.
SAYS = {
    Reason.PATH_NOT_SUPPORTED: (f"{NAMESPACE}/chat", "Use segments"),
    Reason.EXACT_PATH: (f"{NAMESPACE}/chat", "'/chat'", "Use type Prefix"),
    Reason.REGULAR_EXPRESSION_PATH: (f"{NAMESPACE}/chat", "Use a plain path"),
}
CASES: list[tuple[Form, Edge | None]] = [*PAIRS, *((form, None) for form in FORMS if not form.edges)]


def resolved(form: Form, edge: Edge | None) -> Resolved | Unresolved:
    told: list[Ref] = []
    cache = State(told.append)
    cache.put_app(app())
    for obj in (workload(), service(), service("other", selector=(("app", "other"),))):
        cache.upsert(obj)
    for manifest in form.on(edge, NAMESPACE, HOST):
        manifest["metadata"]["namespace"] = NAMESPACE
        cache.upsert(record(manifest))
    return resolve(cache.snapshot(app()))


@pytest.mark.parametrize(("form", "edge"), CASES, ids=lambda value: value.name if value else "")
def test_form(form: Form, edge: Edge | None) -> None:
    found = resolved(form, edge)
    if isinstance(form.answer, Roots):
        assert isinstance(found, Resolved), found
        assert Roots(found.status.path, *found.root_paths) == form.answer
        assert found.status.host == ("" if form.any_host else HOST)
        assert found.web_socket_refusal == ""
    elif form.answer is Reason.WEB_SOCKET_NOT_ENABLED:
        assert isinstance(found, Resolved), found
        assert found.web_socket_refusal
    else:
        assert isinstance(found, Unresolved)
        assert found.reason is form.answer
        for part in SAYS.get(form.answer, ()):
            assert part in found.message


def test_names_are_distinct() -> None:
    assert len({form.name for form in FORMS}) == len(FORMS)
    assert len({form.shown for form in FORMS}) == len(FORMS)


def test_every_form_is_proved_or_documented() -> None:
    assert [form.name for form in FORMS if bool(form.edges) is bool(form.documented)] == []
    assert [form.name for form in FORMS if not set(form.in_gate) <= set(form.edges)] == []
    assert {edge for form in FORMS for edge in form.in_gate} == set(Edge)


def test_page_is_up_to_date() -> None:
    written = (Path(__file__).parents[2] / "docs/reference/routes.md").read_text()
    assert written == "\n".join(page()) + "\n", "python -m tests.route_forms > docs/reference/routes.md"
