"""How gunicorn serves `functions.app:app`: threads, no access log, JSON lines, metrics over several workers."""

from __future__ import annotations

import logging
import os
import shutil
import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from gunicorn.glogging import Logger

if TYPE_CHECKING:
    from shared.worker_figures import Ended

workers = int(os.environ.get("WORKERS") or 1)
threads = int(os.environ.get("THREADS") or 8)
bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT') or 8080}"  # noqa: S104 - inside a container
worker_connections = 500  # each costs a descriptor, and a process often has 1,024
worker_class = "functions.gunicorn_worker.PatientWorker"
preload_app = True  # an unsafe start ends the master, not one worker after the other
timeout = 0  # with threads it protects nothing; every outgoing call has its own limit
graceful_timeout = int(os.environ.get("GRACEFUL_TIMEOUT") or 25)
keepalive = 75  # longer than the gateway keeps idle connections
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 16380
accesslog = None
loglevel = "warning"
control_socket_disable = True
forwarded_allow_ips = "127.0.0.1"
forwarder_headers = ""  # nobody in front of us moves the application: a SCRIPT_NAME header would end in a 500
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - heartbeat files, not data

_METRICS = "PROMETHEUS_MULTIPROC_DIR"


class logger_class(Logger):  # type: ignore[misc]  # noqa: N801 - gunicorn's name for the setting
    """Send the server's lines to the one stream of JSON lines instead of its own handlers."""

    def setup(self, cfg: Any) -> None:
        """Drop gunicorn's handlers."""
        super().setup(cfg)
        from shared.startup import set_up_log

        set_up_log(os.environ.get("LOG_LEVEL") or "INFO")
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)


if _METRICS in os.environ:  # else shared.metrics makes one where there are several workers
    shutil.rmtree(os.environ[_METRICS], ignore_errors=True)
    Path(os.environ[_METRICS]).mkdir(parents=True, exist_ok=True)


_ended: list[Ended] = []


def child_exit(_server: Any, worker: Any) -> None:
    """Keep the figures of an ended worker, but not its files."""
    if _METRICS not in os.environ:
        return
    from shared.worker_figures import Ended

    if not _ended:
        _ended.append(Ended(Path(os.environ[_METRICS])))
    try:
        _ended[0].add(worker.pid)
    except OSError:  # the disk: the files stay as they are, and whoever ended is replaced all the same
        logging.getLogger(__name__).exception("figures_not_kept")


def post_worker_init(_worker: Any) -> None:
    """Let running work know as soon as this worker is told to end."""
    from shared.events.task import STOPPING

    servers = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        STOPPING.set()
        if callable(servers):
            servers(number, frame)

    signal.signal(signal.SIGTERM, stop)
