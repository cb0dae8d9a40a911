"""Pure: rows of the call log, one for each segment, as calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

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
_LENGTH = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
Row = Mapping[str, Any]


def logged_calls(rows: Iterable[Row]) -> list[Logged]:
    """Join the rows that belong to one call; calls inside the house are left out."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row.get("MainCallHistoryId"):
            groups.setdefault(str(row["MainCallHistoryId"]), []).append(row)
    found = [(name, _event(sorted(group, key=_start))) for name, group in groups.items()]
    return [Logged(name, event) for name, event in found if event]


def recording_ids(rows: Iterable[Row]) -> list[str]:
    """List the recordings that rows name."""
    ids = [str(row.get(name) or "") for row in rows for name in ("SrcRecId", "DstRecId")]
    return list(dict.fromkeys(each for each in ids if each.isdigit() and each != "0"))


def length_s(text: Any) -> float:
    """Read a length in ISO 8601."""
    found = _LENGTH.fullmatch(str(text or ""))
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups()) if found else (0.0,) * 4
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _event(rows: list[Row]) -> Event | None:
    first = rows[0]
    direction = {"inb": "inbound", "out": "outbound"}.get(str(first.get("Direction")).lower()[:3], "")
    start = moment(str(first.get("StartTime") or ""))
    if not direction or start is None:
        return None
    side, other = ("Source", "Destination") if direction == "inbound" else ("Destination", "Source")
    number = read_number(str(first.get(f"{side}CallerId") or ""))
    talked = [row for row in rows if row.get("Answered") and length_s(row.get("TalkingDuration")) > 0]
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
