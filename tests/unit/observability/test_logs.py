"""Logs: what others wrote cannot forge a line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from chainlit_operator.observability import logs

FORGED = "refused: x\n2026-01-01 00:00:00 INFO forged\r\x1b[2J\u2028\u202e\x9b"


@pytest.fixture(autouse=True)
def root() -> Iterator[None]:
    """The loggers as they were, for the tests after these."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    flags = (logging.logThreads, logging.logProcesses, logging.logMultiprocessing)
    levels = {name: logging.getLogger(name).level for name in ("kopf", "aiohttp", "asyncio")}
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)
    logging.logThreads, logging.logProcesses, logging.logMultiprocessing = flags
    for name, former in levels.items():
        logging.getLogger(name).setLevel(former)


def test_what_the_event_loop_met_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text", "info")
    try:
        raise ValueError("half a line")
    except ValueError:
        logging.getLogger("asyncio").exception("Exception in callback %s", "f()")
    assert capsys.readouterr().err.endswith("ERROR   asyncio: Exception in callback f(): ValueError('half a line')\n")


def test_text_is_one_line_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text", "info")
    logging.getLogger("some").warning("%s", FORGED)
    text = capsys.readouterr().err
    assert text.endswith(
        "WARNING some: refused: x\\x0a2026-01-01 00:00:00 INFO forged\\x0d\\x1b[2J\\u2028\\u202e\\x9b\n"
    )
    assert len(text.splitlines()) == 1


def test_json_is_one_line_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json", "info")
    logging.getLogger("some").warning("%s", FORGED)
    text = capsys.readouterr().err
    assert len(text.splitlines()) == 1 and "\x1b" not in text
    assert json.loads(text)["message"] == FORGED


def test_tracebacks_stay_readable(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text", "info")
    try:
        raise ValueError("some")
    except ValueError:
        logging.getLogger("some").exception("failed")
    assert capsys.readouterr().err.splitlines()[1:2] == ["Traceback (most recent call last):"]


@pytest.mark.parametrize(
    ("logger", "level", "has_traceback"),
    [
        ("kopf.reactor", "info", False),
        ("kopf.reactor", "debug", True),
        ("asyncio", "info", False),
        ("chainlit_operator.controller", "info", True),
    ],
)
def test_the_end_of_kopf_is_logged_without_its_traceback(
    capsys: pytest.CaptureFixture[str], logger: str, level: str, has_traceback: bool
) -> None:
    logs.configure("text", level)
    try:
        raise ValueError("half a line")
    except ValueError:
        logging.getLogger(logger).exception("Watcher has failed: half a line")
    logged = capsys.readouterr().err
    assert "Watcher has failed: half a line" in logged
    assert ("Traceback" in logged) == has_traceback
