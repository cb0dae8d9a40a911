"""The cascade through the app and a worker: trigger, wait, plan, status, locks, and what each refuses."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from calendar_world import day, timed, today
from firm import firm
from processes import eventually

from sandbox.seed import firm as seeded

ROW = set(
    """kuerzel state last_started last_finished created updated deleted conflicts skipped failed held more
    advoware_calls google_calls duration_s error""".split()
)


@pytest.fixture
def running_firm(redis_server, tmp_path):
    with firm(redis_server, tmp_path) as opened:
        opened.advoware.load(*seeded(employees=3, appointments=12, today=today()))
        with opened.app(), opened.worker():
            yield opened


def names(firm) -> list[str]:
    return sorted(row["kuerzel"] for row in firm.get("/calendar/status").json()["employees"])


def test_the_cascade_fills_every_calendar_and_a_second_one_writes_nothing(running_firm):
    answer = running_firm.post("/calendar/sync", {"wait": True})
    rows = answer.json()["employees"]
    assert answer.status_code == 200
    assert [(row["state"], row["created"], row["google_calls"]) for row in rows] == [("ok", 12, 13)] * 3
    assert all(set(row) == ROW for row in rows)
    again = running_firm.post("/calendar/sync", {"kuerzel": "ALL", "wait": True}).json()["employees"]
    assert [(row["advoware_calls"], row["google_calls"], row["created"]) for row in again] == [(1, 1, 0)] * 3


def test_the_scheduler_starts_everybody_and_is_told_the_event(running_firm):
    answer = running_firm.post("/calendar/cron")
    assert (answer.status_code, answer.json()["topic"]) == (200, "calendar_sync_all")
    assert answer.json()["event_id"]
    eventually(lambda: len(names(running_firm)) == 3, 20)
    eventually(lambda: all(len(running_firm.events(name)) == 12 for name in names(running_firm)), 20)


def test_an_empty_body_means_everybody_and_one_kuerzel_means_one(running_firm):
    assert running_firm.post("/calendar/sync").json()["topic"] == "calendar_sync_all"
    eventually(lambda: names(running_firm), 10)
    one = names(running_firm)[0]
    assert running_firm.post("/calendar/sync", {"kuerzel": one}).json()["topic"] == "calendar_sync_employee"


def test_both_directions_arrive_through_the_whole_chain(running_firm):
    running_firm.post("/calendar/sync", {"wait": True})
    name = names(running_firm)[0]
    calendar = next(entry["id"] for entry in running_firm.google.calendars() if entry["summary"] == f"AW-{name}")
    event = running_firm.google.create_event(calendar, timed(9, summary="In Google angelegt"))
    number = running_firm.advoware.create(name, datum=day(4), datumBis=day(4), uhrzeitVon="08:00:00", text="Frist")
    row = running_firm.post("/calendar/sync", {"kuerzel": name, "wait": True}).json()
    assert (row["state"], row["created"]) == ("ok", 2)
    assert "In Google angelegt" in [entry["text"] for entry in running_firm.advoware.appointments(name)]
    running_firm.advoware.delete(number)
    running_firm.google.delete_event(calendar, event["id"])
    row = running_firm.post("/calendar/sync", {"kuerzel": name, "wait": True}).json()
    assert (row["state"], row["deleted"]) == ("ok", 2)
    assert len(running_firm.advoware.appointments(name)) == len(running_firm.events(name)) == 12


def test_a_plan_and_a_dry_run_write_nothing_and_create_no_calendar(running_firm):
    plan = running_firm.get("/calendar/plan").json()["employees"]
    assert [entry["created"] for entry in plan] == [12] * 3
    one = plan[0]["kuerzel"]
    dry = running_firm.post("/calendar/sync", {"kuerzel": one, "dry_run": True}).json()
    assert (dry["created"], len(dry["actions"])) == (12, 12)
    assert {key for action in dry["actions"] for key in action} == {"side", "action", "frNr", "google_id", "fields"}
    assert [entry for entry in running_firm.google.calendars() if entry["summary"].startswith("AW-")] == []
    assert running_firm.google.board.count("POST", "/calendars") == 0


def test_what_nobody_knows_is_refused_and_what_cannot_be_read_too(running_firm):
    assert running_firm.post("/calendar/sync", {"kuerzel": "NIX"}).status_code == 404
    assert running_firm.get("/calendar/plan?kuerzel=NIX").status_code == 404
    for body in ({"kuerzel": 5}, {"kuerzel": "A B"}, {"kuerzel": "A" * 11}, {"wait": "ja"}, {"dryrun": True}, [1]):
        answer = running_firm.post("/calendar/sync", body)
        assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
    name = running_firm.get("/calendar/plan").json()["employees"][0]["kuerzel"]
    for wrong in ("abc", "9F2C", "no hash at all", "ümlaut\x00"):
        answer = running_firm.post("/calendar/sync", {"kuerzel": name, "release": wrong})
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, "hold-unknown")


def test_a_dry_run_that_names_a_hash_releases_nothing(running_firm):
    running_firm.post("/calendar/sync", {"wait": True})
    name = names(running_firm)[0]
    for row in running_firm.advoware.appointments(name)[:8]:
        running_firm.advoware.delete(row["frNr"])
    held = running_firm.post("/calendar/sync", {"kuerzel": name, "wait": True}).json()["held"]
    asked = {"kuerzel": name, "release": held[0]["hash"], "wait": True}
    assert running_firm.post("/calendar/sync", asked | {"dry_run": True}).json()["held"] == held
    assert running_firm.post("/calendar/sync", {"kuerzel": name, "wait": True}).json()["held"] == held
    assert running_firm.post("/calendar/sync", asked).json()["deleted"] == 8


def test_a_stuck_lock_is_released_once(running_firm, redis_server):
    import redis

    client = redis.Redis.from_url(redis_server.url, db=1)
    client.set("calendar_sync:lock:XY", "somebody", px=300_000)
    unlock = f"{running_firm.url}/calendar/locks/XY"
    import requests

    assert [requests.delete(unlock, timeout=5).status_code for _ in range(2)] == [200, 404]
    assert not client.exists("calendar_sync:lock:XY")


def test_explicit_full_content_holds_for_one_run_only(running_firm):
    running_firm.post("/calendar/sync", {"wait": True})
    name = names(running_firm)[0]
    running_firm.post("/calendar/sync", {"kuerzel": name, "full_content": False, "wait": True})
    assert {event["summary"] for event in running_firm.events(name)} == {"Termin (Advoware)"}
    running_firm.post("/calendar/sync", {"kuerzel": name, "wait": True})
    assert "Termin (Advoware)" not in {event["summary"] for event in running_firm.events(name)}


def test_a_trigger_during_a_run_is_not_lost_and_many_become_one(running_firm):
    running_firm.post("/calendar/sync", {"wait": True})
    name = names(running_firm)[0]
    running_firm.google.board.forget_calls()
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: running_firm.post("/calendar/sync", {"kuerzel": name}), range(50)))
    time.sleep(2)
    assert 1 <= running_firm.google.board.count("GET", "/events") <= 20
    number = running_firm.advoware.create(name, datum=day(6), datumBis=day(6), uhrzeitVon="08:00:00", text="Spät")
    row = running_firm.post("/calendar/sync", {"kuerzel": name, "wait": True}).json()
    assert row["created"] == 1, number


def test_the_failure_of_one_employee_does_not_stop_the_others(running_firm):
    from sandbox.faults import Fault

    name = running_firm.get("/calendar/plan").json()["employees"][0]["kuerzel"]
    running_firm.advoware.board.add(Fault("html", path="/appointments", query=f"kuerzel={name}", times=None))
    rows = {row["kuerzel"]: row for row in running_firm.post("/calendar/sync", {"wait": True}).json()["employees"]}
    assert rows[name]["state"] == "failed"
    assert {row["state"] for other, row in rows.items() if other != name} == {"ok"}


def test_every_line_is_json_and_shows_no_content_and_no_initials(running_firm):
    running_firm.post("/calendar/sync", {"wait": True})
    rows = running_firm.get("/calendar/status").json()["employees"]
    texts = {entry["text"] for entry in running_firm.advoware.appointments()} | {
        entry["ort"] for entry in running_firm.advoware.appointments()
    }
    lines = running_firm.logs()
    assert any(line["event"] == "run_ended" for line in lines)
    written = "\n".join(path.read_text() for path in running_firm.directory.glob("*.log"))
    assert [text for text in texts if text and len(text) > 8 and text in written] == []
    assert [
        row["kuerzel"] for row in rows if f'"{row["kuerzel"]}"' in written or f"kuerzel={row['kuerzel']}" in written
    ] == []
