"""What happens in one calendar is soon in the other, and a storm of notifications is one run."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

from calendar_world import private, termin, timed
from house import House
from processes import eventually, get


def test_the_first_poll_opens_a_channel_for_every_calendar(house: House):
    house.advoware.create("SB", **termin(1, "Verhandlung"))
    house.cron()
    eventually(lambda: len(house.channels("SB")) == len(house.channels("KL")) == 1, within_s=20)
    house.quiet()
    house.cron()
    house.quiet()
    assert [len(house.channels(kuerzel)) for kuerzel in ("SB", "KL")] == [1, 1]


def test_a_change_in_google_is_in_advoware_within_ten_seconds(house: House):
    event = next(each for each in house.google.events(house.calendar()) if each["summary"] == "Verhandlung")
    number = int(private(event)["adv_fr"])
    started = time.monotonic()
    house.google.edit_event(house.calendar(), event["id"], summary="Verhandlung verlegt", **timed(3, "14:00", "15:00"))
    eventually(lambda: house.advoware.get(number)["text"] == "Verhandlung verlegt", within_s=10)
    assert house.advoware.get(number)["uhrzeitVon"] == "14:00:00"
    created = house.google.create_event(house.calendar("KL"), timed(4, summary="Neu aus Google"))
    eventually(lambda: [row["text"] for row in house.advoware.appointments("KL")] == ["Neu aus Google"], within_s=10)
    assert time.monotonic() - started < 15
    house.quiet()
    assert house.google.event(house.calendar("KL"), created["id"])["summary"] == "Neu aus Google"


def test_a_change_in_advoware_is_in_google_after_the_next_poll(house: House):
    house.advoware.create("SB", **termin(5, "Aus Advoware"))
    house.cron()
    eventually(lambda: "Aus Advoware" in [each["summary"] for each in house.google.events(house.calendar())])
    house.quiet()


def test_fifty_notifications_within_a_second_make_one_run_and_at_most_one_more(house: House):
    def notify(n: int) -> list[int]:
        time.sleep(n % 8 * 0.02)
        return house.google.notify(house.calendar())

    house.quiet()
    before = house.runs()
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(notify, range(50)))
    assert time.monotonic() - started < 2
    assert answers == [[200]] * 50
    eventually(lambda: house.runs() > before)
    house.quiet()
    assert 1 <= house.runs() - before <= 2


def test_after_a_flush_the_next_poll_brings_push_back(house: House):
    house.state.flushall()
    house.cron()
    eventually(lambda: len(house.channels()) == 2, within_s=20)
    house.quiet()
    house.google.create_event(house.calendar(), timed(6, summary="Nach dem Verlust"))
    eventually(lambda: "Nach dem Verlust" in [row["text"] for row in house.advoware.appointments("SB")], within_s=10)
    house.quiet()


def test_a_forged_notification_starts_nothing(house: House):
    channel = house.channels()[0]
    before = house.runs()
    headers = {"X-Goog-Channel-ID": channel.id, "X-Goog-Channel-Token": "falsch", "X-Goog-Resource-State": "exists"}
    status, body, _ = get(f"{house.app}/calendar/push", headers, b"")
    assert status == 401
    assert json.loads(body)["type"].endswith("/unauthenticated")
    house.quiet()
    assert house.runs() == before


def test_the_operator_sees_it_all_from_the_command_line(house: House):
    house.cron()
    house.quiet()
    rows = {row["kuerzel"]: row["state"] for row in house.json("status")["employees"]}
    assert rows == {"SB": "ok", "KL": "ok"}
    assert house.json("status", "SB", "--history")["employees"][0]["runs"]
    assert house.json("plan", "SB")["actions"] == []
    assert [each["in_sync"] for each in house.json("audit")["employees"]] == [True, True]
    assert house.bitbylaw("deadletters").stdout == "none\n"
    assert json.loads(get(f"{house.app}/ops/deadletters")[1]) == {"deadletters": []}
    assert json.loads(get(f"{house.app}/ops/relay", body=b"")[1]) == {"relayed": 0, "unsent": 0}
    assert "Kalenderabgleich" in get(f"{house.app}/ops")[1].decode()


def test_the_doctor_finds_a_house_in_order_except_for_push_without_https(house: House):
    done = house.bitbylaw("doctor")
    bad = [line for line in done.stdout.splitlines() if line.startswith("bad")]
    assert [line.split()[1] for line in bad] == ["push"]
    assert done.returncode == 1


def test_sync_and_wait_gets_along_with_the_worker(house: House):
    house.advoware.create("SB", **termin(7, "Vom Amt"))
    done = house.bitbylaw("sync", "SB", "--wait")
    assert done.returncode == 0, done.stderr
    assert "Vom Amt" in [each["summary"] for each in house.google.events(house.calendar())]
    house.quiet()


def test_the_audit_ends_with_1_when_something_is_out_of_step(house: House, tmp_path):
    house.google.auto_notify = False
    try:
        event = next(each for each in house.google.events(house.calendar()) if each["summary"] == "Vom Amt")
        house.google.edit_event(house.calendar(), event["id"], location="anderswo")
        done = house.bitbylaw("audit", "--html", str(tmp_path / "a.html"), "--csv", str(tmp_path / "a.csv"))
    finally:
        house.google.auto_notify = True
    assert done.returncode == 1
    assert done.stderr == ""
    assert f"abweichend  {private(event)['adv_fr']}" in done.stdout
    assert ";Ort;" in (tmp_path / "a.csv").read_text(encoding="utf-8")
    assert "1 von 2" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_an_error_is_one_line_without_a_traceback(house: House):
    done = house.bitbylaw("plan", "XX")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "bitbylaw: no such employee [not-found]\n"
