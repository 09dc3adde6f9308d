"""The documents say what the code says, and every link of a page leads to a page and a heading that exist."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from chainlit_operator.domain import reasons

TOP = Path(__file__).parents[2]
REASONS = TOP / "docs/reference/reasons.md"
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


def test_every_reason_is_documented_and_no_other() -> None:
    known = {str(reason) for reason in reasons.Reason}
    text = REASONS.read_text(encoding="utf-8")
    assert known <= set(re.findall(r"`([A-Za-z]+)`", text))
    table = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", text, re.MULTILINE)
    assert {word for row in table for word in re.findall(r"\w+", row)} <= known
