"""Worker processes, as a container's command, arguments and variables show them."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainlit_operator.domain.model import Workers
from chainlit_operator.domain.workers import MAX_SCRIPT, workers_of

IMAGE = "WEB_CONCURRENCY 4, if the image's command reads it"


def unsure(source: str) -> Workers:
    return Workers(source, is_certain=False)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("gunicorn -w 2 -k uvicorn.workers.UvicornWorker main:app", "gunicorn -w 2"),
        ("gunicorn -w2 main:app", "gunicorn -w 2"),
        ("gunicorn -w=3 main:app", "gunicorn -w 3"),
        ("gunicorn --workers 4 main:app", "gunicorn --workers 4"),
        ("gunicorn --workers=4 main:app", "gunicorn --workers 4"),
        ("gunicorn -w 4 --workers 1 main:app", ""),
        ("gunicorn --workers 1 -w 4 main:app", "gunicorn -w 4"),
        ("gunicorn main:app", ""),
        ("gunicorn -w 1 main:app", ""),
        ("gunicorn -w 01 main:app", ""),
        ("gunicorn -w 0 main:app", ""),
        ("gunicorn --threads 8 --worker-class uvicorn.workers.UvicornWorker main:app", ""),
        ("/app/.venv/bin/gunicorn -w 2 main:app", "gunicorn -w 2"),
        ("python -m gunicorn -w 2 main:app", "gunicorn -w 2"),
        ("python3.12 -m uvicorn main:app --workers 2", "uvicorn --workers 2"),
        ("uvicorn main:app --workers 2", "uvicorn --workers 2"),
        ("uvicorn main:app --workers=2 --root-path /chat", "uvicorn --workers 2"),
        ("uvicorn main:app --workers 2 --reload", ""),
        ("uvicorn main:app -w 2", ""),
        ("uvicorn main:app", ""),
        ("fastapi run --workers 4 main.py", "fastapi --workers 4"),
        ("fastapi dev --workers 4 main.py", ""),
        ("hypercorn -w 4 main:app", "hypercorn -w 4"),
        ("granian --interface asgi --workers 4 main:app", "granian --workers 4"),
        ("chainlit run app.py -w --port 8000", ""),
        ("chainlit run app.py -w 8", ""),
        ("python -m chainlit run app.py --workers 4", ""),
        ("poetry run gunicorn -w 2 main:app", "gunicorn -w 2"),
        ("uv run uvicorn main:app --workers 3", "uvicorn --workers 3"),
        ("tini -- gunicorn -w 2 main:app", "gunicorn -w 2"),
        ("env A=1 gunicorn -w 2 main:app", "gunicorn -w 2"),
        ("opentelemetry-instrument gunicorn -w 2 main:app", "gunicorn -w 2"),
        ("python main.py --workers 4", ""),
        ("./start.sh", ""),
        ("pip install gunicorn", ""),
        # Options alone go to the server that the image names.
        ("--workers 4", "--workers 4"),
        ("--host 0.0.0.0 --workers=4", "--workers 4"),
        ("-w 4 main:app", "-w 4"),
        ("-w --port 8000", ""),
        ("-w", ""),
        ("--port 8000", ""),
        ("", ""),
    ],
)
def test_options(command: str, expected: str) -> None:
    words = shlex.split(command)
    wanted = Workers(expected) if expected else None
    assert workers_of(words, [], {}) == wanted
    assert workers_of([], words, {}) == wanted
    assert workers_of(words[:1], words[1:], {}) == wanted
    if words and not words[0].startswith("-"):
        assert workers_of(["/bin/sh", "-c", command], [], {}) == wanted
        assert workers_of(["bash", "-ec"], [f"cd /app && alembic upgrade head; exec {command}"], {}) == wanted
        assert workers_of(["tini", "--", "sh", "-c"], [f"# {command}\nexport A=b\n{command}"], {}) == wanted


@pytest.mark.parametrize(
    ("command", "env", "expected"),
    [
        ("gunicorn main:app", {"WEB_CONCURRENCY": "4"}, Workers("WEB_CONCURRENCY 4")),
        ("gunicorn main:app", {"WEB_CONCURRENCY": "1"}, None),
        ("gunicorn main:app", {"WEB_CONCURRENCY": ""}, None),
        ("gunicorn main:app", {"WEB_CONCURRENCY": "many"}, unsure("WEB_CONCURRENCY")),
        ("gunicorn -w 1 main:app", {"WEB_CONCURRENCY": "4"}, None),
        ("gunicorn main:app", {"GUNICORN_CMD_ARGS": "--workers=3"}, Workers("GUNICORN_CMD_ARGS: --workers 3")),
        ("gunicorn main:app", {"GUNICORN_CMD_ARGS": "-w 1", "WEB_CONCURRENCY": "4"}, None),
        ("gunicorn -w 2 main:app", {"GUNICORN_CMD_ARGS": "-w 1"}, Workers("gunicorn -w 2")),
        ("gunicorn main:app", {"GUNICORN_CMD_ARGS": "--bind=:8000"}, None),
        ("uvicorn main:app", {"WEB_CONCURRENCY": "4"}, Workers("WEB_CONCURRENCY 4")),
        ("uvicorn main:app", {"UVICORN_WORKERS": "1", "WEB_CONCURRENCY": "4"}, None),
        ("uvicorn main:app", {"UVICORN_WORKERS": "3"}, Workers("UVICORN_WORKERS 3")),
        ("uvicorn main:app --reload", {"WEB_CONCURRENCY": "4"}, None),
        ("uvicorn main:app", {"GUNICORN_CMD_ARGS": "-w 4"}, None),
        ("fastapi run", {"WEB_CONCURRENCY": "4"}, Workers("WEB_CONCURRENCY 4")),
        ("granian main:app", {"GRANIAN_WORKERS": "4"}, Workers("GRANIAN_WORKERS 4")),
        ("hypercorn main:app", {"WEB_CONCURRENCY": "4"}, None),
        ("chainlit run app.py", {"WEB_CONCURRENCY": "4"}, None),
        ("", {"WEB_CONCURRENCY": "4"}, unsure(IMAGE)),
        ("--port 8000", {"WEB_CONCURRENCY": "4"}, unsure(IMAGE)),
        ("--workers 1", {"WEB_CONCURRENCY": "4"}, None),
        ("--workers $(N)", {"WEB_CONCURRENCY": "4"}, unsure("--workers")),
        ("", {"WEB_CONCURRENCY": "1"}, None),
        ("", {"WEB_CONCURRENCY": "many"}, unsure("WEB_CONCURRENCY, if the image's command reads it")),
        ("python main.py", {"WEB_CONCURRENCY": "4"}, unsure("WEB_CONCURRENCY 4, if main.py reads it")),
        ("./start.sh", {"WEB_CONCURRENCY": "4"}, unsure("WEB_CONCURRENCY 4, if start.sh reads it")),
        ("gunicorn -w $(N) main:app", {"N": "4"}, Workers("gunicorn -w 4")),
        ("gunicorn -w $(N) main:app", {"N": "1"}, None),
        ("gunicorn -w $(N) main:app", {}, unsure("gunicorn -w")),
        ("gunicorn -w $(2) main:app", {}, unsure("gunicorn -w")),
        ("gunicorn -w", {}, None),
    ],
)
def test_variables(command: str, env: dict[str, str], expected: Workers | None) -> None:
    assert workers_of(command.split(), [], env) == expected


@pytest.mark.parametrize(
    ("script", "env", "expected"),
    [
        ("exec gunicorn -w ${WORKERS:-4} main:app", {}, Workers("gunicorn -w 4")),
        ("exec gunicorn -w ${WORKERS:-4} main:app", {"WORKERS": "1"}, None),
        ("exec gunicorn -w ${WORKERS-4} main:app", {}, Workers("gunicorn -w 4")),
        ("gunicorn --workers=${WORKERS:-4} main:app", {}, Workers("gunicorn --workers 4")),
        ("gunicorn --bind '[::]:8000' -w '4' 'main:make(\"x\")'", {}, Workers("gunicorn -w 4")),
        ("true\\\n; gunicorn\\\n-w 4 main:app", {}, Workers("gunicorn -w 4")),
        ("exec gunicorn -w $WORKERS main:app", {"WORKERS": "3"}, Workers("gunicorn -w 3")),
        ('exec gunicorn -w "$WORKERS" main:app', {}, unsure("gunicorn -w")),
        ("gunicorn -w $(nproc) main:app", {}, unsure("gunicorn -w")),
        ("WEB_CONCURRENCY=4 gunicorn main:app", {}, Workers("WEB_CONCURRENCY 4")),
        ("MAX=4 gunicorn -w $MAX main:app", {}, Workers("gunicorn -w 4")),
        ("export WEB_CONCURRENCY=${N:-2}; gunicorn main:app", {}, Workers("WEB_CONCURRENCY 2")),
        ("export WEB_CONCURRENCY=1; gunicorn main:app", {"WEB_CONCURRENCY": "4"}, None),
        ("gunicorn main:app", {"WEB_CONCURRENCY": "4"}, Workers("WEB_CONCURRENCY 4")),
        ("gunicorn \\\n  -w 4 \\\n  main:app", {}, Workers("gunicorn -w 4")),
        ("if true; then gunicorn -w 4 main:app; fi", {}, Workers("gunicorn -w 4")),
        ("uvicorn jobs:app --workers 4 & chainlit run app.py", {}, None),
        ("chainlit run app.py & gunicorn -w 4 main:app", {}, Workers("gunicorn -w 4")),
        ("echo gunicorn -w 4", {}, None),
        ("pip install gunicorn && chainlit run app.py", {"WEB_CONCURRENCY": "4"}, None),
        ("python main.py", {"WEB_CONCURRENCY": "4"}, unsure("WEB_CONCURRENCY 4, if the command reads it")),
        ("gunicorn -w 4 'main:app", {}, None),
        (f"gunicorn -w 4 main:app #{'x' * MAX_SCRIPT}", {}, Workers("gunicorn -w 4")),
        (f"true {'x' * MAX_SCRIPT}; gunicorn -w 4 main:app", {}, None),
    ],
)
def test_scripts(script: str, env: dict[str, str], expected: Workers | None) -> None:
    assert workers_of(["sh", "-c", script], [], env) == expected
    assert workers_of(["/bin/bash"], ["-lc", script, "name"], env) == expected


def test_a_shell_without_a_script() -> None:
    assert workers_of(["sh", "start.sh"], [], {}) is None
    assert workers_of(["sh"], [], {"WEB_CONCURRENCY": "4"}) == unsure("WEB_CONCURRENCY 4, if sh reads it")
    assert workers_of(["sh", "-x", "gunicorn"], [], {}) is None


def test_a_long_value_is_not_repeated() -> None:
    assert workers_of(["uvicorn", "--workers", "9" * 100], [], {}) == Workers(f"uvicorn --workers {'9' * 40}")
    assert workers_of(["x" * 100], [], {"WEB_CONCURRENCY": "2"}) == unsure(f"WEB_CONCURRENCY 2, if {'x' * 40} reads it")


WORDS = st.sampled_from(
    ["gunicorn", "uvicorn", "sh", "-c", "-w", "4", "--workers", "--workers=2", "A=1", "$(A)", "${A:-3}", "'", '"', ";"]
)


@given(st.lists(WORDS | st.text(max_size=8)), st.lists(WORDS | st.text(max_size=8)), st.text(max_size=4))
def test_nothing_that_a_manifest_has_is_an_error(command: list[str], arguments: list[str], value: str) -> None:
    found = workers_of(command, arguments, {"WEB_CONCURRENCY": value, "A": value})
    assert found is None or len(found.source) < 200
    workers_of(["sh", "-c", " ".join(command)], arguments, {"A": value})


@given(
    st.sampled_from(["gunicorn", "uvicorn", "fastapi", "hypercorn", "granian"]),
    st.integers(0, 64),
    st.lists(st.sampled_from(["--bind", "--host", ":8000", "main:app", "--access-log"])),
    st.lists(st.sampled_from(["--log-level", "info", "--factory"])),
    st.booleans(),
)
def test_the_number_counts_wherever_the_option_is(
    server: str, number: int, before: list[str], after: list[str], is_joined: bool
) -> None:
    option = [f"--workers={number}"] if is_joined else ["--workers", str(number)]
    words = [server, *before, *option, *after]
    expected = Workers(f"{server} --workers {number}") if number > 1 else None
    assert workers_of(words, [], {"WEB_CONCURRENCY": "9"}) == expected
    assert workers_of(["sh", "-c"], [shlex.join(words)], {"WEB_CONCURRENCY": "9"}) == expected
