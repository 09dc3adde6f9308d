"""Survivors of the mutation tests: their names, what was changed, and what is explained."""

from __future__ import annotations

import pytest
from tests.mutants.__main__ import patterns_of
from tests.mutants.survivors import Explanation, Survivor, change, explanations, unexplained


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("max(roots, key=len, default='')", "max(roots, default='')", "key=len, →"),
        ("max(roots, key=len)", "max(roots, key=None)", "len → None"),
        ("if a <= b:", "if a < b:", "<= → <"),
        ('return ""', 'return "XXXX"', '"" → "XXXX"'),
        ("a if b else c", "a if (b) or True else c", "b → (b) or True"),
    ],
)
def test_a_change_is_what_differs(old: str, new: str, shown: str) -> None:
    assert change(old, new).strip() == shown


@pytest.mark.parametrize(
    ("name", "module", "function"),
    [
        ("chainlit_operator.domain.paths.x_align__mutmut_3", "domain.paths", "align"),
        ("chainlit_operator.domain.routes.x__agree__mutmut_12", "domain.routes", "_agree"),
        (
            "chainlit_operator.domain.rewrites.xǁReplaceMatchǁ__call____mutmut_1",
            "domain.rewrites",
            "ReplaceMatch.__call__",
        ),
    ],
)
def test_a_function_is_known_by_its_own_name(name: str, module: str, function: str) -> None:
    found = Survivor(name, "")
    assert (found.module, found.function) == (module, function)


def survivor(number: int, changed: str) -> Survivor:
    return Survivor(f"chainlit_operator.domain.paths.x_align__mutmut_{number}", changed)


def test_each_text_explains_one_survivor() -> None:
    found = [survivor(1, "b → (b) or True"), survivor(2, "c → (c) or True"), survivor(3, "0 → 1")]
    rows = [Explanation("align", ["or True", "is None"], ""), Explanation("_agree", ["0 → 1"], "")]
    left, idle = unexplained(found, rows)
    assert left == found[1:]
    assert idle == ["align: is None", "_agree: 0 → 1"]


def test_every_explanation_has_its_reason() -> None:
    rows = explanations()
    assert rows and all(row.function and row.changes and row.why.endswith(".") for row in rows)


def test_a_module_is_named_by_its_path() -> None:
    assert patterns_of("paths") == patterns_of("domain/paths") == ["domain/paths.py"]
    assert patterns_of("kinds/routes") == ["kinds/routes/*"]
    for wrong in ("kube/client", "nowhere", "domain/nowhere"):
        with pytest.raises(SystemExit, match="is no module"):
            patterns_of(wrong)
