"""Pure: both sides read for the audit alone, in its own words; nothing here is shared with the sync.

A field is a string that may be compared: wall-clock minutes in Berlin or a day, the last day of an all-day entry,
a series, and texts without what editors do to line ends.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from functions.calendar_sync.audit_series import BERLIN, of_event, of_row

FIELDS = ("start", "end", "allday", "rrule", "text", "ort", "notiz")
UNREADABLE = "unreadable"
HOUR = timedelta(hours=1)
DAY = 24 * 60
_TAG = re.compile(
    r"</?(?:a|b|br|div|em|font|h[1-6]|hr|html-blob|i|img|li|ol|p|s|span|strong|su[bp]|t[rd]|tbody|table|ul?)"
    r"(?:\s[^<>]*)?/?>",
    re.I,
)
_MARK = re.compile(r"^\[G:[\w-]{22}\](?:\n|\Z)", re.A | re.M)
_OWN_ID = re.compile(r"adv([0-9a-v]{8})f(u?[0-9]+|s[0-9a-v]+)g([0-9]+)")

Fields = dict[str, str]


@dataclass(frozen=True)
class Entry:
    """One appointment as one side shows it; `span` is when it begins and ends, None when that cannot be read."""

    fields: Fields
    span: tuple[datetime, datetime] | None
    loose_notes: bool = False


@dataclass(frozen=True)
class Linked:
    """To which appointment an event says it belongs, how it is shown, and which generation its id is of."""

    number: str = ""
    mode: str = ""
    generation: int = -1


def read_row(row: Mapping[str, Any], all_day_field: str) -> Entry:
    """Read a Termin as Advoware's users understand it."""
    texts = {"text": tidy(row.get("text")), "ort": tidy(row.get("ort")), "notiz": _without_mark(row.get("notiz"))}
    first = _date(row.get("datum"))
    last = _date(row.get("datumBis")) or first
    repeats = all_day_field != "abwesenheit" or _yes(row.get("dauertermin"))
    if first is None or last is None:
        return _unreadable(texts)
    if not _yes(row.get(all_day_field)):
        return _read_timed(row, (first, last), repeats, texts)
    series = _series(row, first, last) if repeats else ""
    final = first if series else max(first, last)
    times = {"start": str(first), "end": str(final), "allday": "1", "rrule": series}
    return Entry({**times, **texts}, (_midnight(first), _midnight(final) + timedelta(days=1)))


def _read_timed(row: Mapping[str, Any], days: tuple[date, date], repeats: bool, texts: Fields) -> Entry:
    """Read a Termin with times, which count in minutes from the midnight that begins a day."""
    try:
        opening, closing = _minutes(row.get("uhrzeitVon")), _minutes(row.get("uhrzeitBis"))
    except ValueError:
        return _unreadable(texts)
    opening = 9 * 60 if opening is None else opening
    first, last = days
    if opening == DAY:
        opening, first = 0, first + timedelta(days=1)
        last += timedelta(days=int(closing is None or bool(_series(row, *days) and repeats)))
    series = _series(row, first, last) if repeats else ""
    final = first if series else last
    start = _wall(_on(first, opening))
    end = _hour_later(_on(final, opening)) if closing is None else _wall(_on(final, closing))
    return _timed(start, end, series, texts)


def _unreadable(texts: Fields) -> Entry:
    return Entry({**dict.fromkeys(FIELDS[:4], UNREADABLE), **texts}, None)


def read_event(event: Mapping[str, Any]) -> Entry:
    """Read an event as Google's users see it."""
    description = str(event.get("description") or "")
    dressed = _TAG.search(description) is not None
    notes = tidy(html.unescape(_TAG.sub("\n", description)) if dressed else description)
    texts = {"text": tidy(event.get("summary")), "ort": tidy(event.get("location")), "notiz": notes}
    start, end = event.get("start") or {}, event.get("end") or {}
    lines = [str(line) for line in event.get("recurrence") or []]
    try:
        if start.get("date"):
            first, last = date.fromisoformat(start["date"]), date.fromisoformat(end["date"]) - timedelta(days=1)
            series = of_event(lines, first, BERLIN)
            times = {"start": str(first), "end": str(last), "allday": "1", "rrule": series}
            return Entry({**times, **texts}, (_midnight(first), _midnight(last) + timedelta(days=1)), dressed)
        begins, zone = _moment(start), ZoneInfo(start.get("timeZone") or "Europe/Berlin")
        read = _timed(_wall(begins), _wall(_moment(end)), of_event(lines, begins, zone), texts)
        return Entry(read.fields, read.span, dressed)
    except (ValueError, KeyError, TypeError, OverflowError, ZoneInfoNotFoundError):
        return Entry({**dict.fromkeys(FIELDS[:4], UNREADABLE), **texts}, None, dressed)


def _timed(start: datetime, end: datetime, series: str, texts: Fields) -> Entry:
    """Write an entry with times; one without length, also on the clocks of an autumn night, lasts an hour."""
    end = end if end > start else _hour_later(start.replace(tzinfo=BERLIN))
    times = {"start": f"{start:%Y-%m-%dT%H:%M}", "end": f"{end:%Y-%m-%dT%H:%M}", "allday": "0", "rrule": series}
    return Entry({**times, **texts}, (start.replace(tzinfo=BERLIN), end.replace(tzinfo=BERLIN)))


def linked(event: Mapping[str, Any], tenant: str) -> Linked:
    """Read which appointment an event belongs to; what a copy took over from its original does not count."""
    private = (event.get("extendedProperties") or {}).get("private") or {}
    if private.get("adv_id") != event.get("id"):
        private = {}
    mode = str(private.get("adv_m") or "")
    own = _OWN_ID.fullmatch(str(event.get("id")))
    if own and own.group(1) == tenant:
        return Linked(_number(own.group(2)), mode, int(own.group(3)))
    return Linked(str(private.get("adv_fr") or ""), mode)


def tenant_of(kanzlei: str, database: str) -> str:
    """Name the installation as its event ids do."""
    return base64.b32hexencode(hashlib.sha256(f"{kanzlei}/{database}".lower().encode()).digest())[:8].decode().lower()


def _number(code: str) -> str:
    if code[0] == "u":
        return "0" if code[1:] == "0" else "-" + code[1:]
    if code[0] == "s":
        text = code[1:].upper()
        return base64.b32hexdecode(text + "=" * (-len(text) % 8)).decode(errors="replace")
    return code


def tidy(value: object) -> str:
    """Bring a text to one form: composed letters, plain line ends, no blanks at the end of lines or of the text."""
    text = unicodedata.normalize("NFC", "" if value is None else str(value)).replace("\xa0", " ")
    return re.sub(r"[^\S\n]+$", "", re.sub(r"\r\n?", "\n", text), flags=re.M).rstrip()


def _without_mark(value: object) -> str:
    return tidy(_MARK.sub("", tidy(value)))


def _series(row: Mapping[str, Any], first: date, last: date) -> str:
    turnus, art = (str(row.get(name) or "0") for name in ("turnus", "turnusArt"))
    return of_row(int(turnus), int(art), first, last) if turnus.isdigit() and art.isdigit() else ""


def _date(value: object) -> date | None:
    try:
        day = date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
    return min(day, date(9000, 12, 31)) if day.year >= 1900 else None


def _minutes(value: object) -> int | None:
    """Count from midnight; the midnight that ends a day is 24:00."""
    text = str("" if value is None else value).rpartition("T")[2].strip()
    if text in {"24:00", "24:00:00"}:
        return DAY
    if not text:
        return None
    clock = time.fromisoformat("0" + text if text.find(":") == 1 else text)
    return clock.hour * 60 + clock.minute


def _on(day: date, minutes: int) -> datetime:
    passed, minute = divmod(minutes, 60)
    days, hour = divmod(passed, 24)
    return datetime.combine(day + timedelta(days=days), time(hour, minute), BERLIN)


def _moment(point: Mapping[str, Any]) -> datetime:
    moment = datetime.fromisoformat(str(point["dateTime"]))
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(point.get("timeZone") or "Europe/Berlin"))


def _wall(moment: datetime) -> datetime:
    """Read Berlin's clock; an hour that spring leaves out becomes the next one."""
    return moment.astimezone(UTC).astimezone(BERLIN).replace(tzinfo=None, second=0, microsecond=0, fold=0)


def _hour_later(moment: datetime) -> datetime:
    return _wall((_wall(moment) + HOUR).replace(tzinfo=BERLIN))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), BERLIN)


def _yes(value: object) -> bool:
    return str(value).strip().lower() in {"1", "true"}
