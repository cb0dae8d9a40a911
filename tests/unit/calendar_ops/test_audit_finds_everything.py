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
KINDS = ("a_start", "a_end", "a_allday", "a_rrule", "a_text", "a_ort", "a_notiz", "a_gone", "a_new") + tuple(
    f"g_{name}" for name in ("start", "end", "allday", "rrule", "text", "ort", "notiz", "gone", "new", "twice")
)
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
    row = firm.advoware.get(number)
    calendar, name = firm.calendar(), firm.deps.settings.reader().ids.make(str(number))
    event = firm.google.event(calendar, name)
    all_day = "date" in event["start"]

    def edit(**changes: Any) -> None:
        firm.google.edit_event(calendar, name, **changes)

    match kind:
        case "a_start":
            firm.advoware.edit(number, **({"datum": day(0)} if row["dauertermin"] else {"uhrzeitVon": "00:05:00"}))
        case "a_end":
            firm.advoware.edit(number, **({"datumBis": day(364)} if row["dauertermin"] else {"uhrzeitBis": "23:55:00"}))
        case "a_allday":
            firm.advoware.edit(number, dauertermin=1 - row["dauertermin"])
        case "a_rrule":
            firm.advoware.edit(number, turnus=5, turnusArt=2, datumBis=day(360))
        case "a_text" | "a_ort" | "a_notiz":
            firm.advoware.edit(number, **{kind[2:]: "anders"})
        case "a_gone":
            firm.advoware.delete(number)
            return "only_in_google", name
        case "a_new":
            return "only_in_advoware", firm.advoware.create("SB", **termin(5, "neu"))
        case "g_start":
            edit(start={"date": day(0)[:10]} if all_day else moved(event["start"], "00:05"))
        case "g_end":
            edit(end={"date": day(366)[:10]} if all_day else moved(event["end"], "23:55"))
        case "g_allday":
            first = (event["start"].get("date") or event["start"]["dateTime"])[:10]
            point = {"start": moved(event["start"], "10:00"), "end": moved(event["start"], "11:00")}
            edit(recurrence=None, **(point if all_day else {"start": {"date": first}, "end": {"date": day(301)[:10]}}))
        case "g_rrule":
            edit(recurrence=["RRULE:FREQ=DAILY;INTERVAL=17"], **zoned(event))
        case "g_text":
            edit(summary="anders")
        case "g_ort":
            edit(location="anderswo")
        case "g_notiz":
            edit(description="<p>anders</p>")
        case "g_gone":
            firm.google.delete_event(calendar, name)
            return "only_in_advoware", number
        case "g_new":
            return "only_in_google", firm.google.create_event(calendar, timed(5, summary="neu"))["id"]
        case "g_twice":
            twin = name[:-1] + "1"
            props = {**private(event), "adv_id": twin}
            body = {
                key: event[key]
                for key in ("summary", "location", "description", "start", "end", "recurrence")
                if key in event
            }
            firm.google.create_event(calendar, {**body, "id": twin, "extendedProperties": {"private": props}})
            return "duplicates", number
    return kind[2:], number


def moved(point: dict[str, Any], clock_: str) -> dict[str, Any]:
    date = (point.get("date") or point["dateTime"])[:10]
    return {"dateTime": f"{date}T{clock_}:00", "timeZone": "Europe/Berlin"}


def zoned(event: dict[str, Any]) -> dict[str, Any]:
    return {key: event[key] for key in ("start", "end")}


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
shared = [name for name in sys.modules if name.startswith(("functions.calendar_sync.", "shared.mapping", "shared.domain"))]
print(sorted(name for name in shared if "audit" not in name))
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
