"""Logging: one line for each record, as text for people or as JSON for log collectors."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

_TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
#: Characters that begin a new line or move a terminal's cursor. Messages quote texts of others.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    code: f"\\u{code:04x}" for code in (0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


class _Text(logging.Formatter):
    """One line of text for a message; a traceback keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class names it
        """Return the record's line."""
        return super().formatMessage(record).translate(_CONTROLS)


def configure(format_: str, level: str) -> None:
    """Log to standard error in ``format_`` (text or json) from ``level`` (debug … error) on."""
    # No format shows threads and processes, so records need not have them (Logging HOWTO, "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    if format_ == "json":
        fields = "{asctime}{levelname}{name}{message}"
        names = {"asctime": "time", "levelname": "level", "name": "logger"}
        handler.setFormatter(JsonFormatter(fields, style="{", rename_fields=names))
    else:
        handler.setFormatter(_Text(_TEXT))
    if level != "debug":
        handler.addFilter(_without_traceback)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # Other messages of kopf matter only if something is wrong.
    for name in ("kopf", "aiohttp", "asyncio"):
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)


def _without_traceback(record: logging.LogRecord) -> bool:
    """Replace the tracebacks of kopf and the event loop, which report the end of a watch, by the error in one line."""
    if record.name.partition(".")[0] in ("kopf", "asyncio"):
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and str(error) not in record.getMessage():
            record.msg, record.args = f"{record.getMessage()}: {error!r}", ()
        record.exc_info = record.exc_text = None
    return True
