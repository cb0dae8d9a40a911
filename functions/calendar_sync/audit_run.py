"""The shell of an audit: read both sides as they are now, then compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.calendar_sync.audit import Audit, Row, Rules, audit, tenant_of, window_of
from shared.google.errors import CalendarGoneError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.calendar_sync.deps import Deps


def audit_employee(kuerzel: str, deps: Deps) -> Audit:
    """Audit one employee; raises NotFoundError for nobody's kuerzel, UpstreamError when a side cannot be read."""
    deps.employees.known(kuerzel)
    calendar = deps.settings.calendar
    rules = Rules(
        tenant_of(deps.settings.advoware.kanzlei or "", deps.settings.advoware.database),
        window_of(deps.clock(), calendar.past_days, calendar.future_days),
        calendar.placeholders,
        calendar.all_day_field,
        calendar.full_content,
    )
    rows = deps.advoware.appointments(kuerzel, *rules.window)
    return audit(kuerzel, rows, deps.advoware.appointment, _events(kuerzel, deps), rules)


def _events(kuerzel: str, deps: Deps) -> Sequence[Row]:
    """List everything that the calendar holds, whenever it is; nothing where there is no calendar."""
    google = deps.google.until(deps.monotonic() + deps.settings.run_limit_s)
    known = deps.calendars.known(kuerzel)
    if known:
        try:
            return google.list_events(known).items
        except CalendarGoneError:
            pass  # somebody deleted it; there may be another one of that name
    found = google.find_calendar(deps.settings.calendar.name_template.replace("{kuerzel}", kuerzel))
    return google.list_events(found).items if found else []
