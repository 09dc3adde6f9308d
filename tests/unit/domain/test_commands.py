"""Command lines: the root path that Chainlit starts with, and the requests of exec probes."""

from __future__ import annotations

import pytest

from chainlit_operator.domain.commands import expand, refers_elsewhere, requests_of, root_path_of
from chainlit_operator.domain.model import Probe, Variable

ENV = {"CHAINLIT_ROOT_PATH": "/chat", "BASE": "/b", "SECRET": None, "EMPTY": ""}
RUN = ["chainlit", "run", "app.py"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("/chat", False),
        ("$(BASE)/chat", False),
        ("/$(SECRET)", True),
        ("$(BASE)/$(SECRET)", True),
        ("/$$(SECRET)", False),
        ("/$(OTHER)", False),
        ("/$SECRET", False),
    ],
)
def test_references_to_values_from_elsewhere(text: str, wanted: bool) -> None:
    assert refers_elsewhere(text, ENV) is wanted


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ([*RUN, "--root-path", "/x"], "/x"),
        ([*RUN, "--root-path=/x"], "/x"),
        ([*RUN, "--root-path", "$(BASE)/y"], "/b/y"),
        ([*RUN, "--root-path=$(BASE)"], "/b"),
        (["sh", "-c", "exec chainlit run app.py --root-path /x; true"], "/x"),
        (["sh", "-c", "alembic upgrade head && chainlit run app.py --root-path='/x'&"], "/x"),
        (["sh", "-c", "chainlit run --root-path $BASE"], "/b"),
        (["sh", "-c", 'chainlit run --root-path "${BASE}/y" #'], "/b/y"),
        (["sh", "-c", "chainlit run --root-path /x || chainlit run --root-path /x"], "/x"),
        (["sh", "-c", "export CHAINLIT_ROOT_PATH=/q && chainlit run"], "/q"),
        (["env", "CHAINLIT_ROOT_PATH=/q", *RUN], "/q"),
        (["env", "CHAINLIT_ROOT_PATH=/q", *RUN, "--root-path", "/x"], "/x"),
        (["run", "app.py", "--root-path", "/x"], "/x"),
        (["python", "-m", "chainlit", "run", "--root-path", "/x"], "/x"),
        (["sh", "-c", "uvicorn other:app & chainlit run --root-path /X"], "/X"),
        (["sh", "-c", "chainlit run --root-path /teamX/y"], "/teamX/y"),
        (["/bin/uvicorn-worker", "--root-path", "/x"], "/x"),
    ],
)
def test_root_path(words: list[str], value: str) -> None:
    assert root_path_of(words, ENV) == Variable(value)


@pytest.mark.parametrize(
    "words",
    [
        [],
        RUN,
        [*RUN, "--root-path"],
        [*RUN, "--root-path", ""],
        [*RUN, "--root-path="],
        [*RUN, "--root-path", "$(CHAINLIT_ROOT_PATH)"],
        [*RUN, "--root-path=$(CHAINLIT_ROOT_PATH)"],
        [*RUN, "--root-paths", "/x"],
        ["sh", "-c", "chainlit run --root-path $CHAINLIT_ROOT_PATH"],
        ["sh", "-c", 'chainlit run --root-path "${CHAINLIT_ROOT_PATH}"'],
        ["sh", "-c", "chainlit run --root-path $(CHAINLIT_ROOT_PATH)&"],
        ["sh", "-c", "chainlit run --root-path ${CHAINLIT_ROOT_PATH:-/x}"],
        ["sh", "-c", "chainlit run --root-path ${CHAINLIT_ROOT_PATH-}"],
        ["sh", "-c", "echo 'no --root-path today' | CHAINLIT_ROOT_PATH= chainlit run"],
    ],
)
def test_the_variable_decides(words: list[str]) -> None:
    assert root_path_of(words, ENV) is None


def test_a_reference_to_a_variable_that_is_not_set_decides_nothing() -> None:
    assert root_path_of([*RUN, "--root-path", "$(CHAINLIT_ROOT_PATH)"], {}) is None


@pytest.mark.parametrize(
    "words",
    [
        [*RUN, "--root-path", "$(SECRET)"],
        [*RUN, "--root-path", "$(MISSING)"],
        [*RUN, "--root-path", "/a", "--root-path", "/b"],
        ["sh", "-c", "chainlit run --root-path $(cat /etc/path)"],
        ["sh", "-c", "chainlit run --root-path `cat /etc/path`"],
        ["sh", "-c", "chainlit run --root-path $1"],
        ["sh", "-c", "chainlit run --root-path $EMPTY"],
        ["sh", "-c", "chainlit run --root-path '/x"],
        ["sh", "-c", 'chainlit run --root-path "/x'],
        ["sh", "-c", "if true; then chainlit run --root-path /a; else chainlit run --root-path /b; fi"],
        ["uvicorn", "main:app", "--root-path", "/x"],
        ["sh", "-c", "exec /venv/bin/gunicorn main:app --root-path /x"],
    ],
)
def test_unclear(words: list[str]) -> None:
    assert root_path_of(words, ENV) == Variable(None)


@pytest.mark.parametrize(
    ("env", "found"),
    [
        ({}, Variable("/x")),
        ({"CHAINLIT_ROOT_PATH": ""}, Variable("/x")),
        ({"CHAINLIT_ROOT_PATH": "/chat"}, None),
    ],
)
def test_a_default_of_the_shell(env: dict[str, str | None], found: Variable | None) -> None:
    assert root_path_of(["sh", "-c", "chainlit run --root-path ${CHAINLIT_ROOT_PATH:-/x}"], env) == found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("/x", "/x"),
        ("$(BASE)/x$(BASE)", "/b/x/b"),
        ("$(SECRET)$(MISSING)$(EMPTY)", "$(SECRET)$(MISSING)"),
        ("$$(BASE)$$", "$(BASE)$"),
        ("$BASE", "$BASE"),
    ],
)
def test_expand(text: str, value: str) -> None:
    assert expand(text, ENV) == value


@pytest.mark.parametrize(
    ("command", "requests"),
    [
        (["curl", "-f", "http://localhost:8000/"], [("/", 8000)]),
        (["curl", "-f", "http://localhost:8000"], [("/", 8000)]),
        (["curl", "http://localhost"], [("/", 80)]),
        (["curl", "https://127.0.0.1/health?a=b"], [("/health", 80)]),
        (["sh", "-c", "wget -qO- localhost:8000/health||exit 1"], [("/health", 8000)]),
        (["curl", "http://[::1]:8000/a", "http://0.0.0.0:9/b#c"], [("/a", 8000), ("/b", 9)]),
        (["curl", "http://[::]:8000/a"], [("/a", 8000)]),
        (["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/chat/health')"],
         [("/chat/health", 8000)]),
        (["curl", "localhost:$PORT/a"], [("/a", "$PORT")]),
        (["curl", "localhost:${PORT}/a"], [("/a", "${PORT}")]),
        (["curl", "localhost:$(PORT)/a"], [("/a", "$(PORT)")]),
        (["nc", "-z", "localhost", "8000"], []),
        (["curl", "http://localhosts/", "http://localhost.example/"], []),
        (["curl", "http://example.com/"], []),
        ([], []),
    ],
)  # fmt: skip
def test_requests(command: list[str], requests: list[tuple[str, int | str]]) -> None:
    assert list(requests_of("livenessProbe", command)) == [Probe("livenessProbe", *found) for found in requests]
