"""A function folder in miniature, as functions-framework and the all-in-one load one."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import functions_framework
from werkzeug.wrappers import Request, Response

from shared.errors import UpstreamRejectedError, UpstreamUnavailableError
from shared.events.bus import MODELS, Bus
from shared.events.cloudevent import from_sdk
from shared.events.task import PostponeError, Subscriber, Task
from shared.settings.common import CommonSettings
from shared.startup import start
from shared.web.call import Call
from shared.web.entry import Entry, Route
from shared.web.framework import install

PARTS = start(*MODELS)
BUS = Bus("toy")


def echo(call: Call) -> dict[str, Any]:
    """Say what came."""
    return {"bytes": len(call.body()), "path": call.request.path, "request_id": call.request_id}


def publish(call: Call) -> dict[str, Any]:
    """Publish a topic's item."""
    return {"event_id": BUS.publisher.publish(call.params["topic"], call.params["item"])}


API = Entry(
    "toy",
    [Route("POST", "/toy/echo", echo), Route("GET", "/toy", echo), Route("POST", "/toy/<topic>/<item>", publish)],
    PARTS[CommonSettings],
    needs=PARTS.missing,
    redis=BUS.state,
)
install(API)


def work(task: Task) -> None:
    """Write the item to a file, and behave as its name says."""
    log = Path(os.environ["TOY_LOG"])
    again = log.exists() and f"{task.item} " in log.read_text()
    with log.open("a") as lines:
        lines.write(f"{task.item} {os.getpid()} {task.attempts}\n")
    BUS.evidence.note("advoware")
    if task.item.startswith("poison"):
        raise UpstreamRejectedError("advoware")
    if task.item.startswith("outage"):
        raise UpstreamUnavailableError("nobody")
    if task.item.startswith("slow"):
        task.stopping.wait(float(os.environ.get("TOY_SLOW", "1")))
        task.checkpoint()
    if task.item.startswith("deaf"):
        time.sleep(60)
    if task.item.startswith("later"):
        raise PostponeError(3)
    if task.item.startswith("piecemeal") and not again:
        raise PostponeError(0)
    if task.item.startswith("bug"):
        raise RuntimeError("Anna Groß")
    with Path(os.environ["TOY_LOG"]).open("a") as lines:
        lines.write(f"{task.item} done\n")


SUBSCRIBERS = {"lead.received": Subscriber(work), "threecx.call": Subscriber(work, limit=2, exhausted="drop")}


@functions_framework.http
def toy(request: Request) -> Response:
    """Answer HTTP."""
    return API(request)


@functions_framework.cloud_event
def toy_event(event: Any) -> None:
    """Work an event off."""
    BUS.deliver(SUBSCRIBERS, from_sdk(event))
