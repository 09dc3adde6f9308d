"""The table of route forms on the cluster: a chat through each form that has an answer, the reason of the others."""

from __future__ import annotations

import pytest

from tests.e2e.cluster import OPERATOR, Space, managers
from tests.e2e.manifests import chainlit_app, container, service, workload
from tests.route_forms import FORMS, Form, Roots

HERE = [form for form in FORMS if form.edge == "traefik"]
ANSWERED = [
    pytest.param(form, id=form.name, marks=() if form.in_gate else pytest.mark.slow)
    for form in HERE
    if isinstance(form.answer, Roots)
]
BLOCKED = [form for form in HERE if not isinstance(form.answer, Roots)]


@pytest.mark.parametrize("form", ANSWERED)
def test_chat_through(space: Space, form: Form) -> None:
    assert isinstance(form.answer, Roots)
    space.create(
        chainlit_app(),
        service(),
        *form.manifests(space.name, space.host),
        workload(container(space.cluster.demo_image)),
    )

    space.await_answer(form.answer.path.rstrip("/"))
    space.await_ready()

    status = space.get("ChainlitApp")["status"]
    assert (status["rootPath"], status["parentRootPath"]) == (form.answer.root_path, form.answer.parent_root_path)
    assert status["url"] == f"http://{space.host}{form.answer.path.rstrip('/')}/"


@pytest.mark.parametrize("form", BLOCKED, ids=str)
def test_reason_for(space: Space, form: Form) -> None:
    space.create(
        workload(container(space.cluster.demo_image), replicas=0),
        service(),
        *form.manifests(space.name, space.host),
        chainlit_app(),
    )

    space.await_condition("RouteResolved", "False", str(form.answer))
    space.await_condition("Ready", "False", str(form.answer))
    assert OPERATOR not in managers(space.get("Deployment"))
