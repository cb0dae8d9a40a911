"""What happens with the two calendar topics: everybody becomes one event each, each event one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.calendar_sync.channels import Channels
from functions.calendar_sync.deps import Deps
from functions.calendar_sync.handler import Order, sync_employee
from functions.calendar_sync.push_burst import Bursts
from shared.errors import NotFoundError, UpstreamError
from shared.events.publisher import Publisher
from shared.events.task import Subscriber, Task
from shared.events.topics import CALENDAR_SYNC_ALL, CALENDAR_SYNC_EMPLOYEE
from shared.log import get_log

log = get_log(__name__)
CARE_S = 60.0  # longest time for all channels of one poll; the next poll goes on
ATTEMPTS = 3  # a failed run is tried again at most twice, then only the status tells


@dataclass(frozen=True)
class Cascade:
    """The two subscribers; `channels` gives None where push is off."""

    deps: Callable[[], Deps]
    publisher: Callable[[], Publisher]
    channels: Callable[[], Channels | None] = lambda: None

    def everybody(self, task: Task) -> None:
        """Ask for one run per employee; the failure of one cannot touch another."""
        names = list(self.deps().employees.all())
        full_content = task.data.get("full_content")
        data = {} if full_content is None else {"full_content": full_content}
        self.publisher().publish_all(CALENDAR_SYNC_EMPLOYEE, names, data)
        log.info("cascade_started", employees=len(names))
        self._care(names, task)

    def _care(self, names: Sequence[str], task: Task) -> None:
        """Renew what is due; what time does not allow is left to the next poll."""
        deps, channels = self.deps(), self.channels()
        if channels is None:
            return
        google = deps.google.until(deps.monotonic() + CARE_S)
        for name in names:
            calendar = deps.calendars.known(name)
            if calendar and not task.stopping.is_set():
                channels.care(name, calendar, google)

    def employee(self, task: Task) -> None:
        """Run one employee; one who is not active (any more) is done."""
        deps = self.deps()
        try:
            deps.employees.known(task.item)
        except NotFoundError:
            log.info("employee_not_active")
            return
        except UpstreamError:
            log.info("employees_unknown")  # the run itself will say what is wrong
        Bursts(deps.state).settle(task.item, task.stopping.wait)
        sync_employee(Order(task.item, task.data.get("full_content"), task.stopping, task.checkpoint), deps)
        channels, calendar = self.channels(), deps.calendars.known(task.item)
        if channels and calendar:
            channels.open_missing(task.item, calendar, deps.google.until(deps.monotonic() + CARE_S))

    def subscribers(self) -> dict[str, Subscriber]:
        """Name who handles which topic."""
        return {
            CALENDAR_SYNC_ALL: Subscriber(self.everybody),
            CALENDAR_SYNC_EMPLOYEE: Subscriber(self.employee, limit=ATTEMPTS, exhausted="drop"),
        }
