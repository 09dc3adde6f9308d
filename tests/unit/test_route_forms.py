"""The table of route forms, read from manifests as the operator reads them, and the page that is printed from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.route_forms import FORMS, Form, Roots, page
from tests.unit.domain.world import NAMESPACE, app, service, workload

from chainlit_operator.domain import routes
from chainlit_operator.domain.model import Ref
from chainlit_operator.engine import wire
from chainlit_operator.engine.cache import Cache

HOST = "chat.example"
TYPES: dict[str, Any] = {"Ingress": wire.Ingress, "HTTPRoute": wire.HTTPRoute, "Middleware": wire.Middleware}


def resolved(form: Form) -> routes.Resolved | routes.Unresolved:
    told: list[Ref] = []
    cache = Cache(told.append)
    cache.put_app(app())
    for obj in (workload(), service(), service("other", selector=(("app", "other"),))):
        cache.upsert(obj)
    for manifest in form.manifests(NAMESPACE, HOST):
        manifest["metadata"]["namespace"] = NAMESPACE
        cache.upsert(wire.decoder(TYPES[manifest["kind"]])(json.dumps(manifest).encode()).to_domain())
    return routes.resolve(cache.snapshot(app()))


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_form(form: Form) -> None:
    found = resolved(form)
    if isinstance(form.answer, Roots):
        assert isinstance(found, routes.Resolved), found
        assert Roots(found.status.path, *found.roots) == form.answer
        assert found.status.host == HOST
    else:
        assert isinstance(found, routes.Unresolved)
        assert found.reason is form.answer


def test_names_are_distinct() -> None:
    assert len({form.name for form in FORMS}) == len(FORMS)


def test_page_is_up_to_date() -> None:
    written = (Path(__file__).parents[2] / "docs/routes.md").read_text()
    assert written == "\n".join(page()) + "\n", "python -m tests.route_forms > docs/routes.md"
