"""Each record of a log is written as a line of text, or as an object of JSON in a line, by LOG_FORMAT.

Both say when with the offset from UTC, which process it was, and on which association.
What exceptions say of themselves is left out: it may hold a participant's data.
"""

from __future__ import annotations

import json
import logging
import logging.config
import os
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from types import TracebackType
from typing import Any

FORMATS = ("text", "json")
WARNINGS = "py.warnings"
# Libraries that log a warning and give it to Python's warnings, too; theirs quote values.
WARNING_TWICE = frozenset({"pydicom"})
QUOTED = re.compile(r"""(?<!\w)(['"]).*?\1""", re.DOTALL)
# What a client did wrong: where in the code it was refused helps nobody.
OF_CLIENTS = "django.security."

_failures = logging.getLogger("pylantir.failures")
_association: ContextVar[int | None] = ContextVar("association", default=None)


@contextmanager
def of_association(number: int) -> Iterator[None]:
    """Let every line that is logged within say so."""
    token = _association.set(number)
    try:
        yield
    finally:
        _association.reset(token)


class TextFormatter(logging.Formatter):
    """2026-11-03T08:30:12.345+01:00 INFO [812 #4711] worklist.scp.find: MR1 at 10.0.0.5: 3 answers."""

    def format(self, record: logging.LogRecord) -> str:
        number = _association.get()
        where = f"{os.getpid()} #{number}" if number is not None else f"{os.getpid()}"
        line = f"{time_of(record)} {record.levelname} [{where}] {record.name}: {event_of(record)}"
        exception = exception_of(record)
        return f"{line}\n{exception}" if exception else line


class JsonFormatter(logging.Formatter):
    """An object in one line: nothing in it breaks a line, whatever was logged."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": time_of(record),
            "level": record.levelname,
            "logger": record.name,
            "process": os.getpid(),
        }
        if (number := _association.get()) is not None:
            fields["association"] = number
        fields["event"] = event_of(record)
        if exception := exception_of(record):
            fields["exception"] = exception
        return json.dumps(fields)


FORMATTERS = {"text": TextFormatter, "json": JsonFormatter}


def time_of(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")


def event_of(record: logging.LogRecord) -> str:
    try:
        text = record.getMessage()
    except (TypeError, ValueError):  # its arguments do not fit: what they are is left out
        text = str(record.msg)
    if record.name == WARNINGS:  # "file:line: Category: text", and then the line of code
        text = text.partition("\n  ")[0].rstrip()
    if record.name in WARNING_TWICE or record.name == WARNINGS:
        return QUOTED.sub("…", text)
    return text


def exception_of(record: logging.LogRecord) -> str:
    """Return types and places in the code of an exception and of what caused it; "" without one."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None or record.name.startswith(OF_CLIENTS):
        return ""
    if record.name == "django.request" and record.levelno < logging.ERROR:
        return ""
    return "\n".join(_places(error))


def _places(error: BaseException) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _places(before)
    yield type(error).__name__
    yield from (line.rstrip() for line in traceback.format_tb(error.__traceback__))


class EachOnce(logging.Filter):
    """Drops what comes from Python's warnings where the library has just logged the same."""

    def __init__(self) -> None:
        super().__init__()
        self._last = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == WARNINGS:
            logged = getattr(self._last, "text", "")
            self._last.text = ""
            return not logged or logged not in record.getMessage()
        if record.name in WARNING_TWICE:
            self._last.text = record.getMessage()
        return True


def configure(config: dict[str, Any]) -> None:
    """Set up logging as Django does (LOGGING_CONFIG), and have Python's warnings go through it."""
    logging.config.dictConfig(config)
    logging.captureWarnings(capture=True)
    if threading.excepthook is threading.__excepthook__:  # not where a test looks for what threads raise
        threading.excepthook = _told_of_thread
    is_json = config["formatters"]["line"]["()"] is JsonFormatter
    if is_json and sys.excepthook is sys.__excepthook__:
        sys.excepthook = _told


def _told_of_thread(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None and not isinstance(found.exc_value, SystemExit):
        name = found.thread.name if found.thread else "that is gone"
        _failures.error("The thread %s failed.", name, exc_info=found.exc_value)


def _told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not isinstance(error, KeyboardInterrupt):
        _failures.critical("The process failed.", exc_info=error)


class LogStream:
    """A command writes to this as to a terminal, and the log has it."""

    def __init__(self, name: str, level: int) -> None:
        self._logger = logging.getLogger(name)
        self._level = level

    def write(self, text: str) -> None:
        if text.strip():
            self._logger.log(self._level, "%s", text.strip())

    def flush(self) -> None:
        """Do nothing: each record is written at once."""

    def isatty(self) -> bool:
        return False
