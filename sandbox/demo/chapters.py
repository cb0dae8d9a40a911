"""What happens in the demo, chapter by chapter."""

from __future__ import annotations

import time

import requests

from sandbox.demo.people import AdvowareUser, EspoCrmUser, GoogleUser
from sandbox.demo.story import APPOINTMENTS, EMPLOYEES, FIGURES, Story


def first_run(story: Story) -> None:
    """Fill ten empty calendars."""
    rows = story.cascade("First run: ten empty calendars are filled", EMPLOYEES * APPOINTMENTS)
    story.expect(all(row["state"] == "ok" for row in rows), "every run ended well")
    user, planned = GoogleUser(story.firm), EMPLOYEES * APPOINTMENTS
    calendars = {name: id_ for name, id_ in user.calendars().items() if name.startswith("AW-")}
    found = sum(len(user.events(id_)) for id_ in calendars.values())
    story.expect(len(calendars) == EMPLOYEES and found == planned, f"{len(calendars)} calendars hold {found} events")


def second_run(story: Story) -> None:
    """Show that nothing changes, and what that costs."""
    time.sleep(1.1)  # status times have whole seconds
    rows = story.cascade("Second run: nothing changed", 0)
    changed = sum(row[name] for row in rows for name in FIGURES[:6])
    one_each = all(row["advoware_calls"] == row["google_calls"] == 1 for row in rows)
    story.expect(changed == 0 and all(row["state"] == "ok" for row in rows), "nothing was written")
    story.expect(one_each, "each employee cost one list call to Advoware and one to Google")


def both_ways(story: Story) -> None:
    """Let people edit, create and delete on both sides."""
    kuerzel = story.rows()[0]["kuerzel"]
    google, advoware = GoogleUser(story.firm), AdvowareUser(story.firm)
    calendar = google.calendars()[f"AW-{kuerzel}"]
    numbers = {
        event["id"]: event["extendedProperties"]["private"]["adv_fr"]
        for event in google.events(calendar)
        if "recurrence" not in event and "dateTime" in event["start"]
    }
    (edited, number), (removed, removed_number), (moved, moved_number) = list(numbers.items())[:3]
    google.rename(calendar, edited, "In Google umbenannt")
    google.remove(calendar, removed)
    created = google.add(calendar, "In Google angelegt", 10)
    rows = {str(row["frNr"]): row for row in advoware.appointments(kuerzel)}
    advoware.move(rows[moved_number], "16:15:00", "17:45:00")
    story.console.print(
        f"\nTwo ways: in {kuerzel}'s calendars, people rename, delete and create in Google, move in Advoware"
    )
    row = story.run(kuerzel)
    story.expect(
        row["state"] == "ok",
        f"the run ended: {row['created']} created, {row['updated']} updated, {row['deleted']} deleted",
    )
    rows = {str(row["frNr"]): row for row in advoware.appointments(kuerzel)}
    story.expect(rows[number]["text"] == "In Google umbenannt", "the new title is in Advoware")
    story.expect(
        any(row["text"] == "In Google angelegt" for row in rows.values()), "the new appointment is in Advoware"
    )
    story.expect(removed_number not in rows, "the deleted appointment is gone from Advoware")
    events = {event["id"]: event for event in google.events(calendar)}
    story.expect("T16:15:00" in events[moved]["start"]["dateTime"], "the moved appointment has moved in Google")
    linked = events[created].get("extendedProperties", {}).get("private", {}).get("adv_fr")
    story.expect(bool(linked), "the new event knows its appointment")


def plan_and_audit(story: Story) -> None:
    """Show what a run would do, and compare both sides without the sync's help."""
    kuerzel = story.rows()[1]["kuerzel"]
    google, advoware = GoogleUser(story.firm), AdvowareUser(story.firm)
    calendar = google.calendars()[f"AW-{kuerzel}"]
    row = next(row for row in advoware.appointments(kuerzel) if row["uhrzeitVon"] and not row["turnus"])
    story.console.print(
        f"\nPlan before doing, for {kuerzel}: an appointment moved in Advoware, another created in Google"
    )
    advoware.move(row, "07:45:00", "08:45:00")
    google.add(calendar, "Noch nicht in Advoware", 12)
    _, text = story.command("plan", kuerzel)
    story.expect("1 created, 1 updated" in text, "the plan says what would be created and changed, field by field")
    code, _ = story.command("audit", kuerzel)
    story.expect(code == 1, "the audit, which shares no code with the sync, finds both sides out of step")
    story.run(kuerzel)
    code, _ = story.command("audit", kuerzel)
    story.expect(code == 0, "after a run the audit finds both sides in step")


def push(story: Story) -> None:
    """Show that a change in Google arrives by itself."""
    kuerzel = story.rows()[2]["kuerzel"]
    google, advoware = GoogleUser(story.firm), AdvowareUser(story.firm)
    calendar = google.calendars()[f"AW-{kuerzel}"]
    story.console.print(f"\nPush, for {kuerzel}: somebody creates an appointment in Google, nobody starts a run")
    requests.post(f"{story.firm.google}/switch/auto-notify", timeout=10).raise_for_status()
    google.add(calendar, "Von selbst angekommen", 15)
    took = story.within(10, lambda: "Von selbst angekommen" in {r["text"] for r in advoware.appointments(kuerzel)})
    story.expect(took is not None, f"it was in Advoware after {took or 10:.1f} s")


def party(story: Story) -> None:
    """Bring a party from EspoCRM to Advoware by webhooks."""
    crm, advoware = EspoCrmUser(story.firm), AdvowareUser(story.firm)

    def known() -> dict[str, str]:
        return next(iter(advoware.parties("Sommerfeldt")), {})

    story.console.print("\nA party in EspoCRM: created, moved house, deleted; signed webhooks tell us")
    entered = crm.enter(firstName="Ännchen", lastName="Sommerfeldt", addressCity="Hannover")
    took = story.within(20, known)
    story.expect(took is not None, f"it was in Advoware after {took or 20:.1f} s")
    crm.change(entered, addressCity="Göttingen")
    took = story.within(20, lambda: known().get("ort") == "Göttingen")
    story.expect(took is not None, f"its new town was there after {took or 20:.1f} s")
    crm.remove(entered)
    took = story.within(20, lambda: known().get("aktiv") is False)
    story.expect(took is not None, f"it was inactive after {took or 20:.1f} s, and is never deleted")
