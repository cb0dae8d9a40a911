"""Start runs from the command line, and wait for them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from functions.cli.firm import Firm, stopping_politely

if TYPE_CHECKING:
    import redis

POLL_S = 0.2


def ask(firm: Firm, kuerzel: str, full: bool | None) -> str:
    """Ask for a run of one employee, or of ALL; gives the event's id."""
    from shared.events.topics import CALENDAR_SYNC_ALL, CALENDAR_SYNC_EMPLOYEE, EVERYBODY

    topic = CALENDAR_SYNC_ALL if kuerzel == EVERYBODY else CALENDAR_SYNC_EMPLOYEE
    return firm.bus.publisher.publish(topic, kuerzel, {} if full is None else {"full_content": full})


def run_and_wait(firm: Firm, names: list[str], full: bool | None) -> list[dict[str, Any]]:
    """Ask for a run of each; what no worker has taken runs here. Gives the rows afterwards."""
    firm.runner  # noqa: B018 - made once, before the threads
    with stopping_politely(), ThreadPoolExecutor(firm.deps.settings.calendar.max_parallel) as pool:
        return list(pool.map(lambda name: _one(firm, name, full), names))


def _one(firm: Firm, name: str, full: bool | None) -> dict[str, Any]:
    from functions.calendar_sync.report import empty_row
    from shared.events.task import STOPPING

    memory = firm.deps.memory
    number = memory.runs_begun(name) + 1
    ask(firm, name, full)
    ends = time.monotonic() + firm.deps.settings.calendar.wait_s
    while True:
        outcome = firm.runner.run(name)
        row = memory.status(name) or empty_row(name)
        if memory.runs_ended(name) >= number and not row["more"]:
            return row
        if outcome.kind not in {"held", "duplicate"} and outcome.delay_s == 0 and not STOPPING.is_set():
            continue  # it goes on at once
        if time.monotonic() >= ends or STOPPING.wait(POLL_S):
            return row if row["state"] in {"failed", "held"} else row | {"state": "running"}


def locked(client: redis.Redis) -> list[str]:
    """Name everybody whose lock is held."""
    from shared.state.keys import employee_lock

    prefix = employee_lock("")
    found = client.scan_iter(match=f"{prefix}*", count=500)
    return sorted(str(key).removeprefix(prefix) for key in found)
