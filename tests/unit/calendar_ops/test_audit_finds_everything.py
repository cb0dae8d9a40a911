"""The audit finds every planted difference and reports none where there is none."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import Any

import pytest
from calendar_world import World, day, private, termin, timed, world

from functions.calendar_sync.audit_run import audit_employee

PLANTED = 500
IN_ADVOWARE = ("start", "end", "allday", "rrule", "text", "ort", "notiz", "gone", "new")
IN_GOOGLE = (*IN_ADVOWARE, "twice")
KINDS = (*(f"a_{name}" for name in IN_ADVOWARE), *(f"g_{name}" for name in IN_GOOGLE))
HIDDEN = {"a_text", "a_ort", "a_notiz"}  # what an anonymous event does not show cannot differ


def clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def fill(firm: World, count: int) -> list[int]:
    """Enter appointments of all forms, among them both nights on which clocks change."""
    numbers = []
    for n in range(count):
        start = 420 + n % 40 * 10
        more: dict[str, Any] = {"ort": f"Saal {n}", "notiz": f"Akte {n}/26\r\nzweite Zeile  "}
        if n % 7 == 0:
            more |= {"dauertermin": 1, "datumBis": day(n % 300 + 2)}
        elif n % 11 == 0:
            more |= {"turnus": 1 + n % 3, "turnusArt": 1 + n % 4, "datumBis": day(n % 300 + 90)}
        elif n % 13 == 0:
            more |= {"turnus": 1, "turnusArt": 2, "datumBis": "2037-12-31T00:00:00"}
        numbers.append(
            firm.advoware.create("SB", **termin(n % 300 + 1, f"Termin {n}", clock(start), clock(start + 45), **more))
        )
    return numbers


def plant(firm: World, kind: str, number: int) -> tuple[str, Any]:
    """Change one side only; says where the audit has to name it."""
    side, _, what = kind.partition("_")
    return plant_in_advoware(firm, what, number) if side == "a" else plant_in_google(firm, what, number)


def plant_in_advoware(firm: World, what: str, number: int) -> tuple[str, Any]:
    row = firm.advoware.get(number)
    all_day = bool(row["dauertermin"])
    if what == "gone":
        firm.advoware.delete(number)
        return "only_in_google", firm.deps.settings.reader().ids.make(str(number))
    if what == "new":
        return "only_in_advoware", firm.advoware.create("SB", **termin(5, "neu"))
    changes: dict[str, Any] = {
        "start": {"datum": day(0)} if all_day else {"uhrzeitVon": "00:05:00"},
        "end": {"datumBis": day(364)} if all_day else {"uhrzeitBis": "23:55:00"},
        "allday": {"dauertermin": 1 - row["dauertermin"]},
        "rrule": {"turnus": 5, "turnusArt": 2, "datumBis": day(360)},
    }.get(what, {what: "anders"})
    firm.advoware.edit(number, **changes)
    return what, number


def plant_in_google(firm: World, what: str, number: int) -> tuple[str, Any]:
    calendar, name = firm.calendar(), firm.deps.settings.reader().ids.make(str(number))
    event = firm.google.event(calendar, name)
    match what:
        case "gone":
            firm.google.delete_event(calendar, name)
            return "only_in_advoware", number
        case "new":
            return "only_in_google", firm.google.create_event(calendar, timed(5, summary="neu"))["id"]
        case "twice":
            firm.google.create_event(calendar, twin_of(event))
            return "duplicates", number
    firm.google.edit_event(calendar, name, **edits(event)[what])
    return what, number


def edits(event: dict[str, Any]) -> dict[str, dict[str, Any]]:
    all_day = "date" in event["start"]
    first = (event["start"].get("date") or event["start"]["dateTime"])[:10]
    hours = {"start": moved(event["start"], "10:00"), "end": moved(event["start"], "11:00")}
    days = {"start": {"date": first}, "end": {"date": day(301)[:10]}}
    return {
        "start": {"start": {"date": day(0)[:10]} if all_day else moved(event["start"], "00:05")},
        "end": {"end": {"date": day(366)[:10]} if all_day else moved(event["end"], "23:55")},
        "allday": {"recurrence": None, **(hours if all_day else days)},
        "rrule": {"recurrence": ["RRULE:FREQ=DAILY;INTERVAL=17"], "start": event["start"], "end": event["end"]},
        "text": {"summary": "anders"},
        "ort": {"location": "anderswo"},
        "notiz": {"description": "<p>anders</p>"},
    }


def twin_of(event: dict[str, Any]) -> dict[str, Any]:
    """Build what a lost answer could leave: the same appointment once more, under the next generation's id."""
    twin = event["id"][:-1] + "1"
    kept = ("summary", "location", "description", "start", "end", "recurrence")
    props = {"private": {**private(event), "adv_id": twin}}
    return {**{key: event[key] for key in kept if key in event}, "id": twin, "extendedProperties": props}


def moved(point: dict[str, Any], clock_: str) -> dict[str, Any]:
    date = (point.get("date") or point["dateTime"])[:10]
    return {"dateTime": f"{date}T{clock_}:00", "timeZone": "Europe/Berlin"}


@pytest.mark.parametrize("full", [True, False], ids=["full", "anonymous"])
def test_all_of_500_planted_differences_are_found_and_nothing_else(state, full):
    with world(state, full=full, direct=True) as firm:
        numbers = fill(firm, PLANTED + 60)
        firm.settle()
        clean = audit_employee("SB", firm.deps)
        assert clean.row() == empty()
        assert clean.compared == len(numbers)

        chance = random.Random(7)
        chance.shuffle(numbers)
        kinds = [kind for kind in KINDS if full or kind not in HIDDEN]
        wanted = [plant(firm, kinds[n % len(kinds)], numbers[n]) for n in range(PLANTED)]
        row = audit_employee("SB", firm.deps).row()

        different = {each["frNr"]: each["fields"] for each in row["different"]}
        named = {
            "only_in_advoware": set(row["only_in_advoware"]),
            "only_in_google": set(row["only_in_google"]),
            "duplicates": {each["frNr"] for each in row["duplicates"]},
        }
        missed = [
            (where, what)
            for where, what in wanted
            if (where not in different.get(what, []) if where not in named else what not in named[where])
        ]
        assert missed == []
        assert not row["in_sync"]
        fields = {what for where, what in wanted if where not in named}
        assert set(different) == fields
        assert {key: len(value) for key, value in named.items()} == {
            key: sum(where == key for where, _ in wanted) for key in named
        }


def empty() -> dict[str, Any]:
    lists = ("only_in_advoware", "only_in_google", "different", "duplicates")
    return {"kuerzel": "SB", "in_sync": True, **{name: [] for name in lists}}


def test_the_audit_loads_no_code_of_the_sync():
    code = """
import sys
import functions.calendar_sync.audit, functions.calendar_sync.audit_run, functions.calendar_sync.audit_report
ours = ("functions.calendar_sync.", "shared.mapping", "shared.domain")
print(sorted(name for name in sys.modules if name.startswith(ours) and "audit" not in name))
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
