"""How gunicorn serves when its loop breaks: at a request that asks for it."""

from typing import Any

from functions.gunicorn_conf import *  # noqa: F403 - a configuration is read from a module's names


def _break() -> None:
    raise OSError("the loop is broken")


def pre_request(worker: Any, request: Any) -> None:
    """Break the loop of this worker if a header says so."""
    if ("X-BREAK", "loop") in request.headers:
        worker.method_queue.defer(_break)
