"""The documents say what the code says, and every link of a page leads to a page and a heading that exist."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from tests.docs import generate, installing
from tests.docs import reasons as described
from tests.release import home

from chainlit_operator.domain import reasons

TOP = Path(__file__).parents[2]
PAGES = sorted(page for page in TOP.rglob("*.md") if not {".venv", "node_modules", "dist"} & set(page.parts))

_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors that GitHub makes of the headings of a page: small letters, hyphens for spaces, no punctuation."""
    seen: Counter[str] = Counter()
    found = set()
    for title in re.findall(r"^#{1,6} (.+)$", _FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return frozenset(found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_every_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("name", generate.PAGES)
def test_generated_pages_are_up_to_date(name: str) -> None:
    written = (generate.REFERENCE / name).read_text(encoding="utf-8")
    assert written == generate.page(name), "run PYTHONPATH=operator/src python -m tests.docs.generate (make generate)"


@pytest.mark.parametrize("name", installing.PAGES)
def test_commands_that_install_come_from_the_home(name: str) -> None:
    written = (installing.TOP / name).read_text(encoding="utf-8")
    assert written == installing.page(name, home.read(environment={})), "run make generate"


def test_every_reason_is_documented_and_no_other() -> None:
    known = {str(reason) for reason in reasons.Reason}
    documented = set(described.entries())
    assert documented <= known
    assert generate.EVENT_REASONS.keys() <= known <= documented | generate.EVENT_REASONS.keys()
