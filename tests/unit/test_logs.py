"""Logs: what others wrote cannot forge a line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from chainlit_operator import logs

FORGED = "refused: x\n2026-01-01 00:00:00 INFO forged\r\x1b[2J\u2028\u202e\x9b"


@pytest.fixture(autouse=True)
def root() -> Iterator[None]:
    """The loggers as they were, for the tests after these."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    flags = (logging.logThreads, logging.logProcesses, logging.logMultiprocessing)
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)
    logging.logThreads, logging.logProcesses, logging.logMultiprocessing = flags


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
