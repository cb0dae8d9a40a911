"""What people and schedulers ask of the calendar sync over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from functions.calendar_sync.audit_run import audit_employee
from functions.calendar_sync.deps import Deps
from functions.calendar_sync.handler import Order
from functions.calendar_sync.preview import preview
from functions.calendar_sync.report import empty_row
from shared.errors import FieldProblem, HoldUnknownError, InvalidRequestError, NotFoundError
from shared.events.publisher import Publisher
from shared.events.topics import CALENDAR_SYNC_ALL, CALENDAR_SYNC_EMPLOYEE, EVERYBODY
from shared.web.call import Call

KUERZEL = r"^[0-9A-Za-zÄÖÜäöüß]+$"
Kuerzel = Annotated[str, Field(min_length=1, max_length=10, pattern=KUERZEL)]
POLL_S = 0.1


class SyncRequest(BaseModel):
    """The body of POST /calendar/sync."""

    model_config = ConfigDict(strict=True, extra="forbid")

    kuerzel: Kuerzel | None = None
    full_content: bool | None = None
    dry_run: bool = False
    wait: bool = False
    release: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class PlanQuery(BaseModel):
    """The query of GET /calendar/plan and /calendar/audit."""

    model_config = ConfigDict(extra="ignore")

    kuerzel: Kuerzel | None = None


@dataclass(frozen=True)
class CalendarApi:
    """Answers the requests; time and sleep are handed in."""

    deps: Callable[[], Deps]
    publisher: Callable[[], Publisher]
    wait_s: float
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def cron(self, _call: Call) -> dict[str, Any]:
        """Start a run for everybody."""
        return self._trigger(EVERYBODY, {})

    def sync(self, call: Call) -> dict[str, Any]:
        """Start, preview, or release a run, for one employee or everybody."""
        asked = call.json(SyncRequest)
        kuerzel = None if asked.kuerzel in {None, EVERYBODY} else asked.kuerzel
        if asked.dry_run:
            return self._preview(kuerzel, asked.full_content)
        if asked.release is not None:
            return self._release(kuerzel, asked)
        if kuerzel is not None:
            self.deps().employees.known(kuerzel)
        return self._start(kuerzel, asked)

    def plan(self, call: Call) -> dict[str, Any]:
        """Show what a run would do."""
        asked = call.query_as(PlanQuery)
        return self._preview(None if asked.kuerzel in {None, EVERYBODY} else asked.kuerzel, None)

    def audit(self, call: Call) -> dict[str, Any]:
        """Compare both sides, for one employee or everybody."""
        asked, deps = call.query_as(PlanQuery).kuerzel, self.deps()
        if asked not in {None, EVERYBODY}:
            return audit_employee(str(asked), deps).row()
        return {"employees": [audit_employee(name, deps).row() for name in deps.employees.all()]}

    def status(self, _call: Call) -> dict[str, Any]:
        """Show the last run of everybody, without asking Advoware."""
        deps = self.deps()
        rows = deps.memory.statuses()
        names = sorted({*rows, *deps.employees.remembered()})
        return {"employees": [rows.get(name) or empty_row(name) for name in names]}

    def unlock(self, call: Call) -> dict[str, Any]:
        """Free a stuck lock."""
        kuerzel = call.params["kuerzel"]
        if not self.deps().locks.force_release(kuerzel):
            raise NotFoundError("There is no such lock.")
        return {"kuerzel": kuerzel, "released": True}

    def _release(self, kuerzel: str | None, asked: SyncRequest) -> dict[str, Any]:
        if kuerzel is None:
            raise InvalidRequestError(
                "A held plan belongs to one employee.", fields=[FieldProblem("kuerzel", "missing", "is needed")]
            )
        self.deps().employees.known(kuerzel)
        if not self.deps().memory.release(kuerzel, asked.release or ""):
            raise HoldUnknownError("No plan waits under this hash.")
        return self._start(kuerzel, asked)

    def _preview(self, kuerzel: str | None, full_content: bool | None) -> dict[str, Any]:
        deps = self.deps()
        if kuerzel is not None:
            return preview(Order(kuerzel, full_content), deps)
        return {"employees": [preview(Order(name, full_content), deps) for name in deps.employees.all()]}

    def _start(self, kuerzel: str | None, asked: SyncRequest) -> dict[str, Any]:
        data = {} if asked.full_content is None else {"full_content": asked.full_content}
        if not asked.wait:
            return self._trigger(kuerzel or EVERYBODY, data)
        names = [kuerzel] if kuerzel else list(self.deps().employees.all())
        memory = self.deps().memory
        awaited = {name: memory.runs_begun(name) + 1 for name in names}
        self._trigger(kuerzel or EVERYBODY, data)
        rows = self._wait(awaited)
        return rows[0] if kuerzel else {"employees": rows}

    def _trigger(self, item: str, data: dict[str, Any]) -> dict[str, Any]:
        topic = CALENDAR_SYNC_ALL if item == EVERYBODY else CALENDAR_SYNC_EMPLOYEE
        return {"event_id": self.publisher().publish(topic, item, data), "topic": topic}

    def _wait(self, awaited: dict[str, int]) -> Sequence[dict[str, Any]]:
        """Wait until a run that began after the trigger has ended, for each; who is not done by then is `running`."""
        memory, until = self.deps().memory, self.monotonic() + self.wait_s
        open_ = dict(awaited)
        while open_ and self.monotonic() < until:
            open_ = {name: number for name, number in open_.items() if memory.runs_ended(name) < number}
            if open_:
                self.sleep(POLL_S)
        rows = {name: memory.status(name) or empty_row(name) for name in awaited}
        return [row | {"state": "running"} if name in open_ else row for name, row in rows.items()]
