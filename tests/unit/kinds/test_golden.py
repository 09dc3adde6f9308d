"""Each kind decodes the objects in its folder of golden files to the records beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.kinds import golden

from chainlit_operator.kinds import registry


@pytest.mark.parametrize("case", golden.cases(), ids=lambda case: f"{case.parent.name}-{case.stem}")
def test_record(case: Path) -> None:
    expected = case.with_suffix(".txt").read_text(encoding="utf-8")
    assert golden.made(case) == expected, "python -m tests.unit.kinds.golden, and read the diff"


def test_every_kind_has_golden_files() -> None:
    kinds = {registry.APP.kind, *registry.WATCHED}
    assert {kind for kind in kinds if not [*(golden.ROOT / kind.lower()).glob("*.json")]} == set()
