"""Every metric of the project, and how one page of them is made, with one process or with several.

With several gunicorn workers `PROMETHEUS_MULTIPROC_DIR` must name an empty directory before
prometheus_client is imported; functions-framework's own starter has no hook for that, hence the first lines.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Protocol

if os.environ.get("WORKERS", "1") not in {"", "1"} and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="bitbylaw-metrics-")

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.registry import REGISTRY

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

REQUESTS = Counter("bitbylaw_http_requests_total", "Answers given", ["target", "method", "status"])
REQUEST_SECONDS = Histogram("bitbylaw_http_request_seconds", "Time to an answer", ["target"])
UPSTREAM_CALLS = Counter("bitbylaw_upstream_calls_total", "Calls to upstreams", ["upstream", "outcome"])
UPSTREAM_SECONDS = Histogram("bitbylaw_upstream_seconds", "Time of calls to upstreams", ["upstream"])
TOKEN_REFRESHES = Counter("bitbylaw_token_refreshes_total", "Tokens fetched", ["upstream"])
PROXY_CACHE = Counter("bitbylaw_proxy_cache_total", "Answers of the proxy where a cache rule holds", ["outcome"])
PROXY_RETRIES = Counter("bitbylaw_proxy_retries_total", "Calls that the proxy sent again")
REDIS_ERRORS = Counter("bitbylaw_redis_errors_total", "Redis calls that failed", ["place"])
WORK = Counter("bitbylaw_work_total", "Entries worked on by a subscriber", ["topic", "outcome"])
WORK_SECONDS = Histogram(
    "bitbylaw_work_seconds", "Time of one entry", ["topic"], buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900)
)
EVENTS = Counter("bitbylaw_events_total", "Events handed to the transport", ["topic", "outcome"])
QUEUE_DEPTH = Gauge("bitbylaw_queue_depth", "Entries waiting", ["queue"], multiprocess_mode="mostrecent")
QUEUE_AGE = Gauge(
    "bitbylaw_queue_oldest_seconds", "Age of the oldest waiting entry", ["queue"], multiprocess_mode="mostrecent"
)
DEAD_LETTERS = Gauge("bitbylaw_dead_letters", "Entries set aside", ["queue"], multiprocess_mode="mostrecent")
BUCKET_WAIT = Histogram("bitbylaw_google_bucket_wait_seconds", "Time spent waiting for Google's rate")
SYNC_SECONDS = Histogram(
    "bitbylaw_calendar_sync_seconds", "Duration of one employee's run", buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900)
)
LEADS = Counter("bitbylaw_leads_total", "Leads, by step and what came of it", ["step", "outcome"])
SYNC_CHANGES = Counter("bitbylaw_calendar_changes_total", "What runs changed", ["figure"])


class Waiting(Protocol):
    """What is known of a queue."""

    @property
    def depth(self) -> int:
        """Count the entries."""

    @property
    def oldest_age_s(self) -> float:
        """Tell the age of the oldest."""

    @property
    def dead(self) -> int:
        """Count the dead letters."""


def measure_queue(name: str, stats: Waiting) -> None:
    """Show a queue's figures; where no worker runs, the relay does this."""
    QUEUE_DEPTH.labels(name).set(stats.depth)
    QUEUE_AGE.labels(name).set(stats.oldest_age_s)
    DEAD_LETTERS.labels(name).set(stats.dead)


def page() -> bytes:
    """Render the metrics, summed over all workers where there are several."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    from prometheus_client.multiprocess import MultiProcessCollector

    from shared.worker_figures import undisturbed

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    with undisturbed(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])):
        return generate_latest(registry)
