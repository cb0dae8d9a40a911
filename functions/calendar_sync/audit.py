"""Compare both calendars of an employee, with no code of the sync: nothing is written, nothing is remembered.

Every appointment that Advoware lists in the window must be in Google once, as its event says it is shown (in full, or
anonymous with times only), and every event in the window must be in Advoware. Single changed occurrences of a series
stay out of it, as they stay out of the sync.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from functions.calendar_sync.audit_reading import FIELDS, Entry, Linked, linked, read_event, read_row, tenant_of, tidy
from functions.calendar_sync.audit_series import BERLIN

__all__ = ["Audit", "Difference", "Row", "Rules", "audit", "tenant_of", "window_of"]

Row = Mapping[str, Any]
Ask = Callable[[str], Row | None]
Pair = tuple[Row, Linked]
Window = tuple[datetime, datetime]


@dataclass(frozen=True)
class Rules:
    """What the comparison depends on besides both sides."""

    tenant: str
    window: Window
    placeholders: tuple[str, ...]
    all_day_field: str = "dauertermin"
    full: bool = True


@dataclass(frozen=True)
class Difference:
    """One pair that is not alike."""

    number: str
    google_id: str
    fields: tuple[str, ...]


@dataclass
class Audit:
    """What is not in step, with the reasons that are known for what one side keeps to itself on purpose."""

    kuerzel: str
    only_in_advoware: list[str] = field(default_factory=list)
    only_in_google: list[str] = field(default_factory=list)
    different: list[Difference] = field(default_factory=list)
    duplicates: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    compared: int = 0
    exceptions: int = 0
    in_full: int = 0  # shown in full although the setting says anonymous, until the next ordinary run

    @property
    def in_sync(self) -> bool:
        """Tell whether there is nothing to say."""
        return not (self.only_in_advoware or self.only_in_google or self.different or self.duplicates)

    def row(self) -> dict[str, Any]:
        """Write it as the contract shows it."""
        return {
            "kuerzel": self.kuerzel,
            "in_sync": self.in_sync,
            "only_in_advoware": [number(each) for each in self.only_in_advoware],
            "only_in_google": list(self.only_in_google),
            "different": [
                {"frNr": number(each.number), "google_id": each.google_id, "fields": list(each.fields)}
                for each in self.different
            ],
            "duplicates": [{"frNr": number(each), "google_ids": list(ids)} for each, ids in self.duplicates],
        }


def number(text: str) -> int | str:
    """Give a number as one where it is one."""
    return int(text) if text.removeprefix("-").isdecimal() else text


def window_of(now: datetime, past_days: int, future_days: int) -> Window:
    """Give the window: Berlin's midnights, the end exclusive."""
    today = now.astimezone(BERLIN).date()
    days = today - timedelta(days=past_days), today + timedelta(days=future_days + 1)
    return datetime.combine(days[0], time(), BERLIN), datetime.combine(days[1], time(), BERLIN)


def audit(kuerzel: str, rows: Iterable[Row], ask: Ask, events: Iterable[Row], rules: Rules) -> Audit:
    """Compare; an appointment that the list does not show is asked for before anything is said about it."""
    found = Audit(kuerzel)
    listed = {str(row["frNr"]): row for row in rows}
    living, dead, found.exceptions = _sorted_out(events)
    by_number: dict[str, list[tuple[Row, Linked]]] = defaultdict(list)
    for event in living:
        link = linked(event, rules.tenant)
        if link.number:
            by_number[link.number].append((event, link))
        elif _inside(read_event(event), rules.window):
            _only_in_google(found, event, rules)
    for fr_nr, group in by_number.items():
        _compare(found, fr_nr, group, listed.get(fr_nr) or _asked(kuerzel, fr_nr, group, ask, rules), rules)
    deleted = {linked(event, rules.tenant).number for event in dead}
    for fr_nr, row in listed.items():
        if fr_nr not in by_number and _inside(read_row(row, rules.all_day_field), rules.window):
            found.only_in_advoware.append(fr_nr)
            if fr_nr in deleted and _is_for_everybody(row):
                found.reasons[fr_nr] = "everybody"
    return found


def _sorted_out(events: Iterable[Row]) -> tuple[list[Row], list[Row], int]:
    """Tell entries from deleted ones, and count the single changed occurrences."""
    living: list[Row] = []
    dead: list[Row] = []
    exceptions = 0
    for event in events:
        if event.get("status") == "cancelled":
            dead.append(event)
        elif "recurringEventId" in event:
            exceptions += 1
        else:
            living.append(event)
    return living, dead, exceptions


def _asked(kuerzel: str, fr_nr: str, group: Sequence[Pair], ask: Ask, rules: Rules) -> Row | None:
    """Ask for an appointment that the list does not show, where an event of it lies in the window."""
    if not any(_inside(read_event(event), rules.window) for event, _ in group):
        return None
    row = ask(fr_nr)
    mine = row is not None and (str(row.get("anwalt")) == kuerzel or _is_for_everybody(row))
    return row if mine else None


def _is_for_everybody(row: Row) -> bool:
    return str(row.get("anwalt") or "").strip().upper() in {"", "ALLE"}


def _compare(found: Audit, fr_nr: str, group: Sequence[Pair], row: Row | None, rules: Rules) -> None:
    if row is None:
        for event, _ in group:
            if _inside(read_event(event), rules.window):
                _only_in_google(found, event, rules)
        return
    ours = read_row(row, rules.all_day_field)
    for event, link in group:
        found.compared += 1
        found.in_full += link.mode == "f" and not rules.full
        fields = differences(_shown(ours, link, rules), read_event(event))
        if fields:
            found.different.append(Difference(fr_nr, str(event["id"]), fields))
    if len(group) > 1:
        by_age = sorted(group, key=lambda pair: (pair[1].generation, str(pair[0]["id"])))
        found.duplicates.append((fr_nr, tuple(str(event["id"]) for event, _ in by_age)))


def _only_in_google(found: Audit, event: Row, rules: Rules) -> None:
    name, fields = str(event["id"]), read_event(event).fields
    found.only_in_google.append(name)
    if fields["rrule"].startswith("!"):
        found.reasons[name] = "series"
    elif fields["text"].casefold() in {tidy(each).casefold() for each in rules.placeholders}:
        found.reasons[name] = "placeholder"


def _shown(ours: Entry, link: Linked, rules: Rules) -> Entry:
    """Give the form in which Google should show an appointment."""
    if link.mode != "a":
        return ours
    return Entry({**ours.fields, "text": tidy(rules.placeholders[0]), "ort": "", "notiz": ""}, ours.span)


def differences(ours: Entry, theirs: Entry) -> tuple[str, ...]:
    """Name the fields that are not alike; between a day and an hour of it only another day counts."""
    left, right = dict(ours.fields), dict(theirs.fields)
    if left["allday"] != right["allday"]:
        left, right = ({**side, "start": side["start"][:10], "end": side["end"][:10]} for side in (left, right))
    if theirs.loose_notes:
        left["notiz"], right["notiz"] = ("".join(side["notiz"].split()) for side in (left, right))
    return tuple(name for name in FIELDS if left[name] != right[name])


def _inside(entry: Entry, window: Window) -> bool:
    """Tell whether any of an entry lies in the window; what cannot be read counts."""
    if entry.span is None:
        return True
    begins, ends = entry.span
    if entry.fields["rrule"]:
        ends = _last_end(entry, window[1])
    return begins < window[1] and (ends > window[0] or begins >= window[0])


def _last_end(entry: Entry, otherwise: datetime) -> datetime:
    """Tell when the day of a series' last occurrence is over; one without an end that we can read goes on."""
    series = entry.fields["rrule"]
    last = "" if series.startswith("!") else series.rpartition("/")[2]
    return datetime.combine(date.fromisoformat(last) + timedelta(days=1), time(), BERLIN) if last else otherwise
