"""Lambda handlers: `functions.aws.<target>` of every target, and `functions.aws.schedule` of every scheduled path."""

from __future__ import annotations

import functools
import importlib
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from functions.app import FOLDERS, subscribers_of
from shared.aws import secrets
from shared.aws.emf import Reporter
from shared.aws.http import Function, http_handler, schedule_handler
from shared.aws.queue import QueueHandler

SCHEDULE: Final = "schedule"
SUBSCRIBERS: Final = {
    "calendar_sync_all": "functions.calendar_sync.main",
    "calendar_sync_employee": "functions.calendar_sync.main",
    "beteiligte_sync": "functions.vmh_webhooks.main",
    "lead_intake": "functions.leads.main",
    "call_journal": "functions.threecx.main",
}
HTTP: Final = {target: folder.module for folder in FOLDERS for target in folder.prefixes.values()}
Handler = Callable[[Mapping[str, Any], Any], Any]


def build(name: str) -> Handler:
    """Make one handler; only its own folder is imported, so only its own settings and secrets are needed."""
    if name == SCHEDULE:
        return _reported(schedule_handler(_function_for, _gateway_secret))
    if name in SUBSCRIBERS:
        module = _module(SUBSCRIBERS[name])
        from shared.events.bus import Bus

        return _reported(QueueHandler(Bus(name), subscribers_of(module)))
    return _reported(http_handler(name, getattr(_module(HTTP[name]), name)))


def _module(name: str) -> Any:
    _once()
    return importlib.import_module(name)


@functools.cache
def _once() -> None:
    """Prepare the environment of a cold start before any settings are read."""
    secrets.load()
    if not os.environ.get("EVENT_TRANSPORT", "").strip():
        os.environ["EVENT_TRANSPORT"] = "sqs"


def _function_for(path: str) -> Function:
    places = {prefix: (folder.module, target) for folder in FOLDERS for prefix, target in folder.prefixes.items()}
    fitting = [prefix for prefix in places if path == prefix or path.startswith(prefix + "/")]
    module, target = places[max(fitting, key=len)]
    function: Function = getattr(_module(module), target)
    return function


def _gateway_secret() -> str | None:
    _once()
    return os.environ.get("GATEWAY_SECRET", "").strip() or None


def _reported(handler: Handler) -> Handler:
    """Write the metrics of each invocation as log lines where Lambda runs it."""
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return handler
    reporter = Reporter()

    def reporting(event: Mapping[str, Any], context: Any) -> Any:
        try:
            return handler(event, context)
        finally:
            reporter.report(int(time.time() * 1000))

    return reporting


def __getattr__(name: str) -> Handler:
    """Build a handler when the runtime client asks for it."""
    if name not in {SCHEDULE, *SUBSCRIBERS, *HTTP}:
        raise AttributeError(name)
    globals()[name] = build(name)
    handler: Handler = globals()[name]
    return handler
