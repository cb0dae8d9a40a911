"""The queue consumer of the single machine: `python -m functions.worker` works the streams off until told to stop."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from shared.events import topics
from shared.events.bus import Bus
from shared.events.consumer import Consumer
from shared.events.task import STOPPING, Subscriber
from shared.log import get_log
from shared.settings.calendar import CalendarSettings
from shared.settings.common import CommonSettings, QueueSettings
from shared.web.entry import Entry

log = get_log(__name__)
OTHERS_PARALLEL = 8
FAREWELL_S = 20.0


def consumers(bus: Bus, subscribers: Mapping[str, Subscriber], calendars_at_once: int) -> list[Consumer]:
    """Make one consumer for each queue that anybody subscribes to."""
    name = f"{socket.gethostname()}-{time.time_ns()}"
    queues = dict.fromkeys(topics.find(topic).queue for topic in subscribers)
    return [
        Consumer(
            bus,
            queue,
            subscribers,
            name=name,
            parallel=calendars_at_once if queue == topics.EMPLOYEES_QUEUE else OTHERS_PARALLEL,
            stopping=STOPPING,
        )
        for queue in queues
    ]


def run(at_work: Sequence[Consumer]) -> int:
    """Work until told to stop, then wait for what is running; the rest comes back when its lease ends."""
    threads = [threading.Thread(target=each.run, name=each.queue_name, daemon=True) for each in at_work]
    for thread in threads:
        thread.start()
    while not STOPPING.wait(1.0):
        pass
    ends = time.monotonic() + FAREWELL_S
    left = sum(each.wait(max(0.0, ends - time.monotonic())) for each in at_work)
    log.info("worker_stopped", held=left)
    return 0


def stop_on_signals() -> None:
    """Turn SIGTERM and SIGINT into the wish to stop."""

    def stop(number: int, _frame: Any) -> None:
        log.info("worker_stopping", signal=number)
        STOPPING.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def serve(port: int, entry: Entry) -> None:
    """Answer /health, /ready and /metrics in a thread of its own."""
    from werkzeug.serving import WSGIRequestHandler, make_server
    from werkzeug.wrappers import Request

    class Quiet(WSGIRequestHandler):
        """Writes no lines of its own and names no version."""

        def version_string(self) -> str:
            """Name the server without its version."""
            return "bitbylaw"

        def log(self, type: str, message: str, *args: Any) -> None:
            """Leave the line to the entry."""

    def application(environ: Any, start_response: Any) -> Any:
        return entry(Request(environ))(environ, start_response)

    server = make_server("0.0.0.0", port, application, threaded=True, request_handler=Quiet)  # noqa: S104
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()


def main() -> int:
    """Start, work, stop."""
    from functions.app import load, prepare, subscribers_of

    stop_on_signals()
    parts = prepare()
    subscribers = {topic: each for module, _ in load() for topic, each in subscribers_of(module).items()}
    bus = Bus("worker")
    if port := parts[QueueSettings].worker_http_port:
        serve(port, Entry("worker", [], parts[CommonSettings], needs=parts.missing, redis=bus.state))
    at_work = consumers(bus, subscribers, parts[CalendarSettings].max_parallel)
    log.info("worker_started", topic=sorted(subscribers), threads=sum(each.parallel for each in at_work))
    return run(at_work)


if __name__ == "__main__":
    import os
    import sys

    code = main()
    sys.stderr.flush()
    os._exit(code)  # runs that did not end in time must not keep the process
