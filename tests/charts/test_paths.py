"""Chart and operator have one idea of a path: the template helpers against the operator's functions.

A chart made for the test calls the helpers for a whole table at once, as each run of helm takes a tenth of a
second.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainlit_operator.domain import paths

from .generated import CHARTS
from .rendering import dump, helm, load

TABLE = {
    "": "",
    "/": "",
    "//": "",
    "   ": "",
    "chat": "/chat",
    "/chat": "/chat",
    "/chat/": "/chat",
    "//chat": "/chat",
    " /x ": "/x",
    "\t/x\n": "/x",
    "\u00a0/x\u2003": "/x",
    "/team/a/chat": "/team/a/chat",
    "team//a///chat//": "/team/a/chat",
    "/v1.0/chat_~-": "/v1.0/chat_~-",
    "/a b": "/a b",
    "/ a / b /": "/ a / b ",
    "/.": "/.",
    "/a/../b": "/a/../b",
    "/...": "/...",
    "/.hidden": "/.hidden",
    "/ünï": "/ünï",
    "/my%20chat": "/my%20chat",
    "/a?b=c": "/a?b=c",
    "/a#b": "/a#b",
    "/chat(/|$)(.*)": "/chat(/|$)(.*)",
    "\\chat": "/\\chat",
    "/a\nb": "/a\nb",
    "/chat\n/": "/chat\n",
    "/😀": "/😀",
    "null": "/null",
    "y": "/y",
    "0o7": "/0o7",
    "/{{ .Values }}": "/{{ .Values }}",
}

TEMPLATE = """\
{{- $rows := list }}
{{- range .Values.paths }}
{{- $path := include "chainlit.normalisePath" . }}
{{- $rows = append $rows (list $path (include "chainlit.pathProblem" $path)) }}
{{- end }}
rows: {{ toJson $rows | quote }}
"""

_SERVED = st.text("abz019._~-/ ", max_size=20)
# Python strips the four separators U+001C to U+001F, Go does not. A path with one is refused by the chart.
_ANY = st.text(st.characters(exclude_characters="\x1c\x1d\x1e\x1f", exclude_categories=["Cs"]), max_size=12)
_PIECES = st.lists(st.sampled_from(["/", "//", "a", "chat", ".", "..", " ", "\t", "%2f", "-", "é"]), max_size=8)


@pytest.fixture(scope="module")
def helpers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chart = tmp_path_factory.mktemp("paths")
    (chart / "templates").mkdir()
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: paths, version: 0.0.0}", encoding="utf-8")
    shutil.copy(CHARTS / "chainlit/templates/_paths.tpl", chart / "templates")
    (chart / "templates/rows.yaml").write_text(TEMPLATE, encoding="utf-8")
    return chart


def by_chart(helpers: Path, texts: list[str]) -> list[tuple[str, bool]]:
    output = helm("template", "x", str(helpers), "--values", "-", values=dump({"paths": texts}))
    return [(path, bool(problem)) for path, problem in json.loads(load(output)["rows"])]


def by_operator(texts: list[str]) -> list[tuple[str, bool]]:
    normal = [paths.normalise(text) for text in texts]
    return [(path, paths.problem(path) is not None) for path in normal]


def test_table(helpers: Path) -> None:
    texts = list(TABLE)
    assert [path for path, _ in by_chart(helpers, texts)] == list(TABLE.values())
    assert by_chart(helpers, texts) == by_operator(texts)


@settings(max_examples=12, deadline=None, database=None)
@given(st.lists(_SERVED | _ANY | _PIECES.map("".join), min_size=30, max_size=60))
def test_any_path(helpers: Path, texts: list[str]) -> None:
    assert by_chart(helpers, texts) == by_operator(texts)
