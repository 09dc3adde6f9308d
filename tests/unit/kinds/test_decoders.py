"""The decoders of each kind, built while the test runs: those of the package are built when it is imported."""

from __future__ import annotations

import importlib.util
import json
import sys

import pytest
from tests.unit.kinds import golden
from tests.unit.kinds.test_kinds import DEPLOYMENT

from chainlit_operator.domain import model
from chainlit_operator.kinds import registry
from chainlit_operator.kinds.shared.kind import Kind
from chainlit_operator.object_ref import Ref


@pytest.fixture
def built(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Kind:
    """A kind as its file makes it when it is run once more."""
    kind = registry.WATCHED[request.param]
    original = next(module for module in [*sys.modules.values()] if getattr(module, "KIND", None) is kind)
    assert original.__file__ is not None
    spec = importlib.util.spec_from_file_location(f"another_{original.__name__}", original.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    kind_now: Kind = module.KIND
    return kind_now


@pytest.mark.parametrize("built", registry.WATCHED, indirect=True)
def test_a_decoder_that_is_built_now_reads_the_golden_files(built: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "WATCHED", {**registry.WATCHED, built.kind: built})
    cases = [case for case in golden.cases() if case.parent.name == built.kind.lower()]
    for case in cases:
        assert golden.made(case) == case.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("built", ["Deployment"], indirect=True)
def test_a_workload_asks_for_its_own_record_and_uses_what_is_the_same(built: Kind) -> None:
    raw, asked = json.dumps(DEPLOYMENT).encode(), []

    def known(ref: Ref) -> model.WatchedObject | None:
        asked.append(ref)
        assert isinstance(former, model.Workload)
        return former

    former = built.decode(raw, lambda _: None)
    assert isinstance(former, model.Workload)
    again = built.decode(raw, known)
    assert asked == [Ref("Deployment", "shop", "chat")]
    assert isinstance(again, model.Workload)
    assert again.containers is former.containers
    assert again.ref is former.ref
    service = model.Service(Ref("Service", "shop", "chat"), "1", ())
    assert built.decode(raw, lambda _: service) == former, "a record of another kind is of no use"
