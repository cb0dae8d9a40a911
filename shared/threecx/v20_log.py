"""Pure: rows of the call log, one for each segment, as calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from shared.clock import iso
from shared.domain.call import Event, Said
from shared.threecx.number import Kind, read_number
from shared.threecx.provider import Logged
from shared.threecx.wire import moment

COLUMNS = (
    "MainCallHistoryId",
    "StartTime",
    "Direction",
    "Answered",
    "RingingDuration",
    "TalkingDuration",
    "SourceDn",
    "SourceCallerId",
    "DestinationDn",
    "DestinationCallerId",
    "SrcRecId",
    "DstRecId",
)
NO_FILTER = (
    "sourceType=0,sourceFilter='',destinationType=0,destinationFilter='',callsType=0,callTimeFilterType=0,"
    "callTimeFilterFrom='0:00:0',callTimeFilterTo='0:00:0',hidePcalls=true"
)
_LENGTH = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
Row = Mapping[str, Any]


def log_path(since: datetime, until: datetime) -> str:
    """Write the question for the log of a time; both ends have to be in UTC."""
    return f"ReportCallLogData/Pbx.GetCallLogData(periodFrom={iso(since)},periodTo={iso(until)},{NO_FILTER})"


def logged_calls(rows: Iterable[Row]) -> list[Logged]:
    """Join the rows that belong to one call; calls inside the house are left out."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row.get("MainCallHistoryId"):
            groups.setdefault(str(row["MainCallHistoryId"]), []).append(row)
    ordered = {name: sorted(group, key=_start) for name, group in groups.items()}
    found = [(name, _event(group)) for name, group in ordered.items()]
    return [Logged(name, event, tuple(_moves(ordered[name], event))) for name, event in found if event]


def recording_ids(rows: Iterable[Row]) -> list[str]:
    """List the recordings that rows name."""
    ids = [str(row.get(name) or "") for row in rows for name in ("SrcRecId", "DstRecId")]
    return list(dict.fromkeys(each for each in ids if each.isdigit() and each != "0"))


def recordings_of(rows: Iterable[Row], number: str) -> list[str]:
    """Name the recording of each call with a number."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(str(row.get("MainCallHistoryId")), []).append(row)
    fitting = [there for there in groups.values() if any(speaks_of(row, number) for row in there)]
    return [ids[0] for there in fitting if (ids := recording_ids(there))]


def listed_recordings(rows: Iterable[Row], number: str) -> list[str]:
    """Name the recordings of a list that speak of a number."""
    return [str(row["Id"]) for row in rows if number and row.get("Id") and speaks_of(row, number)]


def speaks_of(row: Row, number: str) -> bool:
    """Tell whether any side of a row has a number; without one every row will do."""
    sides = [value for name, value in row.items() if name.startswith(("Source", "Destination", "From", "To"))]
    return not number or any(read_number(str(value or "")).value == number for value in sides)


def length_s(text: Any) -> float:
    """Read a length in ISO 8601."""
    found = _LENGTH.fullmatch(str(text or ""))
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups()) if found else (0.0,) * 4
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _moves(rows: list[Row], event: Event) -> Iterator[Event]:
    """Say who handed the call on: to another extension that talked after the first."""
    other = "Destination" if event.direction == "inbound" else "Source"
    talked = [(str(row.get(f"{other}Dn") or ""), moment(str(row.get("StartTime") or ""))) for row in _talked(rows)]
    for (before, _), (after, at) in pairwise(talked):
        if before and after and at and before != after:
            yield Event(Said.TRANSFERRED, at, event.direction, event.number, before, moved_to=after)


def _talked(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.get("Answered") and length_s(row.get("TalkingDuration")) > 0]


def _event(rows: list[Row]) -> Event | None:
    first = rows[0]
    direction = {"inb": "inbound", "out": "outbound"}.get(str(first.get("Direction")).lower()[:3], "")
    start = moment(str(first.get("StartTime") or ""))
    if not direction or start is None:
        return None
    side, other = ("Source", "Destination") if direction == "inbound" else ("Destination", "Source")
    number = read_number(str(first.get(f"{side}CallerId") or ""))
    talked = _talked(rows)
    recordings = recording_ids(rows)
    return Event(
        Said.LOGGED,
        max(_end(row, start) for row in rows),
        direction,
        number.value if number.kind is Kind.OUTSIDE else "",
        str((talked or rows)[-1].get(f"{other}Dn") or ""),
        answered=bool(talked),
        start=start,
        duration_s=sum(length_s(row.get("TalkingDuration")) for row in talked),
        recording_id=recordings[0] if recordings else "",
    )


def _end(row: Row, start: datetime) -> datetime:
    begin = moment(str(row.get("StartTime") or "")) or start
    return begin + timedelta(seconds=length_s(row.get("RingingDuration")) + length_s(row.get("TalkingDuration")))


def _start(row: Row) -> str:
    return str(row.get("StartTime") or "")
