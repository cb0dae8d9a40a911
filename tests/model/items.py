"""What persons did: one item per appointment that somebody made, with everything typed into it since it last rested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

PLACEHOLDER = "Termin (Advoware)"
FIELDS = ("start", "end", "text", "ort", "notiz")
TIMES = frozenset({"start", "end"})
Json = dict[str, Any]
Values = dict[str, str]


@dataclass
class Item:
    """One appointment of a person; its token leads every place (`ort`) it ever has."""

    token: str
    base: Values
    fr: int = 0
    event: tuple[str, str] = ("", "")
    typed_a: dict[str, list[str]] = field(default_factory=dict)
    typed_g: dict[str, list[str]] = field(default_factory=dict)
    gone_a: bool = False
    gone_g: bool = False
    moved: bool = False
    doubtful: bool = False
    loose: bool = False
    one: bool = False

    @property
    def twin(self) -> bool:
        """Tell whether a person entered it on both sides."""
        return self.token.startswith("T")

    @property
    def unsettled(self) -> bool:
        """Tell whether something was typed that no clean run has seen."""
        return bool(self.typed_a or self.typed_g or self.moved)

    def allowed(self, name: str) -> set[str]:
        """Say what a field may hold: what was typed last, where nothing was typed what it held before.

        Of several values typed in Google any may win, because one of them may have reached Advoware just before a
        crash and then counts as Advoware's. What was typed in Google may be lost when the appointment was moved to
        somebody else or its event was deleted. An appointment that was deleted in Advoware before anything linked it
        may be made again from its event, without what was typed in Advoware. Times that clash are settled as a whole.
        """
        a, g = self.typed_a.get(name, []), self.typed_g.get(name, [])
        values = {*a[-1:], *(g if len(g) > 1 else g[-1:])}
        clash = name in TIMES and TIMES & self.typed_a.keys() and TIMES & self.typed_g.keys()
        if not values or clash or self.doubtful or (g and not a and (self.moved or self.gone_g)):
            values |= {self.base[name], *a}
        return values

    def rest(self, values: Values) -> None:
        """Take note that both sides hold these values."""
        self.base = values
        self.typed_a, self.typed_g = {}, {}
        self.moved = self.gone_g = self.loose = False


def token_of(row: Mapping[str, Any]) -> str:
    """Read the token of a row."""
    return str(row.get("ort") or "").partition(" ")[0]


def private(event: Mapping[str, Any]) -> dict[str, str]:
    """Read an event's private properties."""
    return (event.get("extendedProperties") or {}).get("private") or {}


def number_of(event: Mapping[str, Any]) -> int:
    """Read the number that an event is linked to, 0 for none; a copy's properties are not its own."""
    own = private(event)
    return int(own.get("adv_fr", "0")) if own.get("adv_id") == event["id"] else 0


def values_of_row(row: Mapping[str, Any]) -> Values:
    """Read a row the way a person reads it, without our marker."""
    first, last = row["datum"][:10], (row["datumBis"] or row["datum"])[:10]
    if row["dauertermin"]:
        start, end = first, last
    else:
        start, end = f"{first}T{row['uhrzeitVon'][:5]}", f"{last}T{row['uhrzeitBis'][:5]}"
    notes = (row["notiz"] or "").split("[G:")[0].rstrip()
    return {"start": start, "end": end, "text": row["text"] or "", "ort": row["ort"] or "", "notiz": notes}


def values_of_event(event: Mapping[str, Any]) -> Values:
    """Read an event the way a person reads it."""
    start, end = event["start"], event["end"]
    if "date" in start:
        times = start["date"], (date.fromisoformat(end["date"]) - timedelta(days=1)).isoformat()
    else:
        times = start["dateTime"][:16], end["dateTime"][:16]
    texts = (event.get(key, "") for key in ("summary", "location", "description"))
    return dict(zip(FIELDS, (*times, *texts), strict=True))


def row_times(start: str, end: str) -> Json:
    """Write times as Advoware does."""
    days = {"datum": f"{start[:10]}T00:00:00", "datumBis": f"{end[:10]}T00:00:00", "turnus": 0, "turnusArt": 0}
    if "T" not in start:
        return {**days, "dauertermin": 1, "uhrzeitVon": None, "uhrzeitBis": None}
    return {**days, "dauertermin": 0, "uhrzeitVon": f"{start[11:]}:00", "uhrzeitBis": f"{end[11:]}:00"}


def event_times(start: str, end: str) -> Json:
    """Write times as Google does."""
    if "T" not in start:
        after = (date.fromisoformat(end) + timedelta(days=1)).isoformat()
        return {"start": {"date": start}, "end": {"date": after}}
    zone = {"timeZone": "Europe/Berlin"}
    return {"start": {"dateTime": f"{start}:00", **zone}, "end": {"dateTime": f"{end}:00", **zone}}
