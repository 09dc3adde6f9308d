"""The docs say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.metrics import MetricWrapperBase

from chainlit_operator.domain import reasons
from chainlit_operator.observability import metrics
from chainlit_operator.verification import prober

TOP = Path(__file__).parents[2]


def words_in(path: str) -> set[str]:
    return set(re.findall(r"`([A-Za-z]+)`", (TOP / path).read_text()))


def test_every_reason_is_documented_and_no_other() -> None:
    known = {str(reason) for reason in (*reasons.Reason, *prober.Reason)}
    documented = words_in("docs/conditions.md")
    assert known <= documented
    table = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", (TOP / "docs/conditions.md").read_text(), re.MULTILINE)
    assert {word for row in table for word in re.findall(r"\w+", row)} <= known


def test_every_metric_is_documented() -> None:
    text = (TOP / "operator/README.md").read_text()
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            assert metric._name.removeprefix("chainlit_operator_") in text, metric._name


def test_every_dependency_has_its_line() -> None:
    pyproject = (TOP / "operator/pyproject.toml").read_text()
    names = re.findall(r'^  "([a-z-]+)>=', pyproject, re.MULTILINE)
    assert names and names == sorted(names)
    readme = (TOP / "operator/README.md").read_text()
    assert [name for name in names if f"| `{name}` |" not in readme] == []
    assert sorted((TOP / "operator/requirements.in").read_text().split()) == names


def test_links_of_the_docs_lead_somewhere() -> None:
    pages = [page for page in TOP.rglob("*.md") if not {".venv", "node_modules"} & set(page.parts)]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(TOP)}: {target}"
