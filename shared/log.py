"""One JSON line per event, with ids, counts and durations only.

The fields below are an allow-list: what is not on it is not printed, so a name, a number or a
subject cannot reach the log by accident. Lines of libraries lose their arguments for the same reason.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import logging
import sys
import time
import traceback
from collections.abc import Iterator
from typing import Any, TextIO

FIELDS = frozenset(
    """request_id run_id delivery_id event_id target method status duration_ms bytes_in bytes_out segment
    topic queue attempts delay_s outcome error slug upstream upstream_status count counts created updated deleted
    conflicts skipped failed held advoware_calls google_calls employees position total reason row
    lease_s waited_s signal port mode figure bucket_wait_s cache expired due stolen swept pending new rejected
    fr_nr google_id setting settings problems exception at recording granted call_id direction vanished
    relayed dead lead_id action version generation restarts worker threads state""".split()
)

_encoded = json.JSONEncoder(ensure_ascii=False, default=str).encode
_bound: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("bound", default={})  # noqa: B039


@contextlib.contextmanager
def bound(**fields: Any) -> Iterator[None]:
    """Add fields to every line of this request or run."""
    token = _bound.set({**_bound.get(), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def current(field: str) -> str:
    """Read a bound field, or an empty string."""
    return str(_bound.get().get(field, ""))


class Log:
    """A logger whose lines are an event name and allowed fields."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, **fields: Any) -> None:
        """Write a line for someone who is looking closely."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: Any) -> None:
        """Write a line of ordinary work."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Write a line that somebody may have to look into."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, *, exc: BaseException | None = None, **fields: Any) -> None:
        """Write a line that somebody has to look into; of an exception only its class and place are shown."""
        self._write(logging.ERROR, event, {**fields, **(_shape(exc) if exc else {})})

    def _write(self, level: int, event: str, fields: dict[str, Any]) -> None:
        logger = self._logger
        if logger.isEnabledFor(level):  # the rest of Logger.log looks for the line of code, which we do not show
            extra = {"ours": {**_bound.get(), **fields}}
            logger.handle(logger.makeRecord(logger.name, level, __file__, 0, event, (), None, extra=extra))


def get_log(name: str) -> Log:
    """Make the logger of one module."""
    return Log(name)


def _shape(exc: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(exc.__traceback__)[-6:]
    places = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in frames]
    return {"exception": type(exc).__name__, "at": places}


class JsonLines(logging.Formatter):
    """Format our lines with allowed fields, and lines of libraries without their arguments."""

    def format(self, record: logging.LogRecord) -> str:
        """Make one line of JSON."""
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        ours = getattr(record, "ours", None)
        if ours is None:
            line |= {"event": "library", "at": f"{record.module}:{record.lineno}", "message": _template(record)}
            line |= {key: value for key, value in _bound.get().items() if key in FIELDS}
            if record.exc_info and record.exc_info[1]:
                line |= _shape(record.exc_info[1])
        else:
            line["event"] = record.msg
            line |= {key: value for key, value in ours.items() if key in FIELDS}
        return _encoded(line)


def _template(record: logging.LogRecord) -> str:
    """Show what a library says but never what it says it about."""
    return str(record.msg) if record.args or record.name.startswith("gunicorn") else ""


def set_up(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every line of the process, ours and the libraries', to one stream as JSON."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # no line shows them
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
