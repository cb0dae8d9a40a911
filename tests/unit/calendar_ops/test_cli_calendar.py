"""What `bitbylaw` does with calendars: sync, plan, audit, status, unlock."""

from __future__ import annotations

import json
import re

from calendar_world import PLACEHOLDER, private, termin, timed
from commands import Desk

from shared.state.calendar_history import RUNS


def plan_of(desk: Desk, *arguments: str) -> str:
    return desk.good("plan", "SB", *arguments)


def block(text: str, head: str) -> list[str]:
    """Give the fields below a line that begins like that."""
    lines = text.splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith(head))
    found = []
    for line in lines[place + 1 :]:
        if not line.startswith("    "):
            break
        found.append(re.sub(r" +", " ", line.strip()))
    return found


def test_a_plan_shows_what_would_be_created_with_its_values(desk):
    number = desk.firm.advoware.create("SB", **termin(1, "Verhandlung", ort="AG Hannover"))
    desk.firm.settle("KL")
    desk.firm.forget_calls()
    text = plan_of(desk)
    assert text.startswith("SB (in full): 1 created, 0 updated, 0 deleted")
    assert 'text "Verhandlung"' in block(text, f"+ google   {number}")
    assert desk.firm.writes() == []


def test_a_plan_shows_changes_field_by_field_with_old_and_new_values_on_either_side(desk):
    ours = desk.firm.advoware.create("SB", **termin(1, "alt", ort="Saal 1"))
    theirs = desk.firm.advoware.create("SB", **termin(2, "bleibt"))
    desk.firm.settle()
    desk.firm.advoware.edit(ours, text="neu")
    event = desk.firm.event_of(theirs)
    desk.firm.google.edit_event(desk.firm.calendar(), event["id"], **timed(2, "10:00", "12:30"))
    text = plan_of(desk)
    assert block(text, f"~ google   {ours}") == ['text "alt" → "neu"']
    (line,) = block(text, f"~ advoware {theirs}")
    assert re.fullmatch(r"end \S+T11:00 → \S+T12:30", line)


def test_a_plan_says_why_something_is_deleted(desk):
    gone = desk.firm.advoware.create("SB", **termin(1, "in Advoware gelöscht"))
    deleted = desk.firm.advoware.create("SB", **termin(2, "in Google gelöscht"))
    desk.firm.settle()
    event = desk.firm.event_of(deleted)
    desk.firm.advoware.delete(gone)
    desk.firm.google.delete_event(desk.firm.calendar(), event["id"])
    lines = plan_of(desk).splitlines()
    assert any(re.match(rf'- google   {gone} .*"in Advoware gelöscht" \(gone in Advoware\)', line) for line in lines)
    assert any(re.match(rf"- advoware {deleted} .*\(deleted in Google\)", line) for line in lines)


def test_in_anonymous_mode_no_text_of_either_side_is_shown(discreet):
    ours = discreet.firm.advoware.create("SB", **termin(1, "Meier ./. Schulz", ort="AG Hannover"))
    discreet.firm.settle()
    event = discreet.firm.event_of(ours)
    discreet.firm.google.edit_event(discreet.firm.calendar(), event["id"], summary="Meier im Klartext")
    discreet.firm.advoware.create("SB", **termin(2, "Räumung Groß"))
    discreet.firm.google.create_event(discreet.firm.calendar(), timed(3, summary="Privatissimum"))
    text = plan_of(discreet)
    assert "anonymous" in text
    assert block(text, f"~ google   {ours}") == [f'text ••• → "{PLACEHOLDER}"']
    assert not [word for word in ("Meier", "Schulz", "Hannover", "Räumung", "Privatissimum") if word in text]
    assert "text ••• " not in block(text, "+ google")


def test_what_is_left_alone_is_named_with_its_reason(desk):
    desk.firm.advoware.create("SB", **termin(1, "x"))
    desk.firm.settle()
    rule = ["RRULE:FREQ=WEEKLY;BYDAY=MO,WE"]
    desk.firm.google.create_event(desk.firm.calendar(), timed(2, summary="zweimal", recurrence=rule))
    assert "= 1 left alone: series that Advoware cannot hold" in plan_of(desk)


def test_a_plan_as_json_is_that_of_the_api(desk):
    number = desk.firm.advoware.create("SB", **termin(1, "Verhandlung"))
    row = json.loads(plan_of(desk, "--json"))
    assert (row["kuerzel"], row["created"], row["actions"][0]["frNr"]) == ("SB", 1, number)
    assert "Verhandlung" not in json.dumps(row)
    everybody = json.loads(desk.good("plan", "--json"))
    assert [each["kuerzel"] for each in everybody["employees"]] == ["KL", "SB"]


def test_a_held_plan_says_why_and_passes_once_by_its_hash(desk):
    desk.set(CALENDAR_MAX_DELETES="2")
    numbers = [desk.firm.advoware.create("SB", **termin(n, f"Termin {n}")) for n in range(20)]
    desk.good("sync", "SB", "--wait")
    for number in numbers[:5]:
        desk.firm.advoware.delete(number)
    text = plan_of(desk)
    assert "! 5 deletions in google are held: more than the guard lets pass of 20 linked" in text
    mark = re.search(r"bitbylaw sync SB --release ([0-9a-f]+)", text).group(1)
    held = desk.call("sync", "SB", "--wait")
    assert held.exit_code == 1
    assert f"5 deletions to google held, hash {mark}" in held.stdout
    assert len(desk.firm.events()) == 20
    assert "hold-unknown" in desk.bad(3, "sync", "SB", "--release", "abc")
    desk.good("sync", "SB", "--release", mark, "--wait")
    assert len(desk.firm.events()) == 15
    desk.bad(3, "sync", "SB", "--release", mark)


def test_a_list_too_short_to_believe_holds_every_deletion_and_says_so(desk):
    numbers = [desk.firm.advoware.create("SB", **termin(n, f"Termin {n}")) for n in range(8)]
    desk.good("sync", "SB", "--wait")
    for number in numbers[:6]:
        desk.firm.advoware.delete(number)
    text = plan_of(desk)
    assert "! 6 deletions in google are held: Advoware's list is empty or below half of the 8 linked" in text
    mark = re.search(r"--release ([0-9a-f]+)", text).group(1)
    assert desk.call("sync", "SB", "--wait").exit_code == 1
    desk.good("sync", "SB", "--release", mark, "--wait")
    assert len(desk.firm.events()) == 2


def test_sync_runs_here_when_no_worker_does_and_shows_the_row(desk):
    desk.firm.advoware.create("SB", **termin(1, "Verhandlung"))
    out = desk.good("sync", "SB", "--wait")
    assert re.search(r"^SB .* ok +1 ", out, re.M)
    assert [event["summary"] for event in desk.firm.events()] == ["Verhandlung"]


def test_sync_of_everybody_runs_everybody(desk):
    for kuerzel in ("SB", "KL"):
        desk.firm.advoware.create(kuerzel, **termin(1, f"Termin {kuerzel}"))
    desk.good("sync", "--wait")
    assert [desk.firm.events(kuerzel)[0]["summary"] for kuerzel in ("SB", "KL")] == ["Termin SB", "Termin KL"]


def test_without_wait_a_run_is_only_asked_for(desk, state):
    assert "run asked for (event " in desk.good("sync", "SB")
    assert state.smembers("calendar_sync:sync_pending") == {"SB"}
    desk.good("sync")
    assert state.smembers("calendar_sync:sync_pending") == {"SB", "ALL"}


def test_a_dry_run_writes_nothing(desk):
    desk.firm.advoware.create("SB", **termin(1, "Verhandlung"))
    assert desk.good("sync", "SB", "--dry-run").startswith("SB (in full): 1 created")
    assert [entry for entry in desk.firm.google.calendars() if entry["summary"] == "AW-SB"] == []


def test_the_mode_can_be_chosen_for_one_run(desk):
    desk.firm.advoware.create("SB", **termin(1, "Verhandlung"))
    desk.good("sync", "SB", "--anonymous", "--wait")
    assert desk.firm.events()[0]["summary"] == PLACEHOLDER
    desk.good("sync", "SB", "--wait")
    assert desk.firm.events()[0]["summary"] == "Verhandlung"


def test_a_failed_run_ends_with_1_and_says_why(desk):
    desk.firm.advoware.create("SB", **termin(1, "Verhandlung"))
    desk.good("sync", "SB", "--wait")
    from sandbox.faults import Fault

    desk.firm.advoware.board.add(Fault("html", method="GET", path="^/appointments", times=9))
    result = desk.call("sync", "SB", "--wait")
    assert result.exit_code == 1
    assert "upstream-malformed" in result.stdout


def test_an_appointment_moved_from_sb_to_kl_leaves_one_calendar_and_enters_the_other(desk):
    number = desk.firm.advoware.create("SB", **termin(1, "Verhandlung"))
    desk.good("sync", "--wait")
    desk.firm.advoware.move(number, "KL")
    assert "(moved to somebody else in Advoware)" in plan_of(desk)
    desk.good("sync", "--wait")
    assert desk.firm.events("SB") == []
    assert [private(event)["adv_fr"] for event in desk.firm.events("KL")] == [str(number)]
    assert desk.firm.advoware.get(number)["anwalt"] == "KL"
    assert "in step" in desk.good("audit")


def test_audit_writes_page_and_table_and_its_code_says_whether_all_is_well(desk, tmp_path):
    number = desk.firm.advoware.create("SB", **termin(1, "Verhandlung"))
    desk.good("sync", "--wait")
    assert desk.good("audit", "SB").startswith("SB: in step, 1 compared")
    desk.firm.google.edit_event(desk.firm.calendar(), desk.firm.event_of(number)["id"], location="anderswo")
    page, cells = tmp_path / "out.html", tmp_path / "out.csv"
    result = desk.call("audit", "--html", str(page), "--csv", str(cells))
    assert result.exit_code == 1
    assert f"abweichend  {number}" in result.stdout
    assert "1 von 2 Kalendern mit Abweichungen" in page.read_text(encoding="utf-8")
    assert f"SB;abweichend;{number};" in cells.read_text(encoding="utf-8")
    assert cells.read_bytes().count(b"\r\n") == 2


def test_audit_as_json_is_that_of_the_api(desk):
    number = desk.firm.advoware.create("SB", **termin(1, "Verhandlung"))
    result = desk.call("audit", "SB", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["only_in_advoware"] == [number]


def test_the_history_keeps_the_last_50_runs_in_figures_the_newest_first(desk, state):
    desk.firm.advoware.create("SB", **termin(1, "Meier ./. Schulz"))
    desk.good("sync", "SB", "--wait")
    for _ in range(RUNS + 4):
        desk.firm.run()
    desk.firm.advoware.create("SB", **termin(2, "Groß"))
    desk.firm.run()
    (each,) = json.loads(desk.good("status", "SB", "--history", "--json"))["employees"]
    runs = each["runs"]
    assert len(runs) == RUNS == 50
    assert [runs[0]["created"], runs[1]["created"]] == [1, 0]
    assert {run["state"] for run in runs} == {"ok"}
    assert state.llen("calendar_sync:history:SB") == 50
    text = desk.good("status", "SB", "--history")
    assert text.splitlines()[0] == "SB: 50 runs"
    assert len(text.splitlines()) == 52
    assert not [word for word in ("Meier", "Schulz", "Groß") if word in text + json.dumps(runs)]


def test_status_shows_everybody_also_who_never_ran_and_asks_nobody(desk):
    desk.good("sync", "SB", "--wait")
    desk.firm.forget_calls()
    rows = {row["kuerzel"]: row["state"] for row in json.loads(desk.good("status", "--json"))["employees"]}
    assert rows == {"SB": "ok", "KL": "never"}
    assert re.search(r"^KL .*never", desk.good("status"), re.M)
    assert (desk.firm.advoware.board.calls, desk.firm.google.board.calls) == ([], [])


def test_before_anything_ran_status_says_so(desk):
    assert "nobody is known yet" in desk.good("status")
    assert json.loads(desk.good("status", "--json")) == {"employees": []}


def test_a_release_does_not_go_with_a_dry_run(desk):
    assert "--dry-run" in desk.bad(2, "sync", "SB", "--release", "abc", "--dry-run")


def test_unlock_frees_one_or_all_and_knows_when_there_is_nothing(desk, state):
    for kuerzel in ("SB", "KL", "XY"):
        state.set(f"calendar_sync:lock:{kuerzel}", "stuck")
    assert desk.good("unlock", "SB") == "SB: freed\n"
    assert "no lock of SB" in desk.bad(3, "unlock", "SB")
    assert desk.good("unlock", "--all") == "2 freed: KL, XY\n"
    assert state.keys("calendar_sync:lock:*") == []
    assert desk.good("unlock", "--all") == "0 freed\n"
    assert "name one employee" in desk.bad(2, "unlock")


def test_who_does_not_exist_is_said_in_one_line(desk):
    for command in (("sync", "XX"), ("plan", "XX"), ("audit", "XX"), ("status", "XX"), ("plan", "a:b*")):
        assert "no such employee" in desk.bad(3, *command)


def test_an_upstream_or_a_store_that_is_down_is_said_in_one_line(desk):
    desk.set(ADVOWARE_API_BASE_URL="http://127.0.0.1:9/")
    assert "could not be reached" in desk.bad(4, "plan", "SB")
    desk.set(REDIS_URL="redis://127.0.0.1:9")
    assert "Redis cannot be reached" in desk.bad(4, "status")
    desk.set(CALENDAR_PAST_DAYS="viele")
    assert "CALENDAR_PAST_DAYS" in desk.bad(4, "status")


def test_what_cannot_be_understood_is_one_line(desk):
    assert "No such command 'nosuch'" in desk.bad(2, "nosuch")
    assert "No such option" in desk.bad(2, "sync", "--nosuch")
    assert "FILE" in desk.good("audit", "--help")


def test_a_bug_is_one_line_too(desk, monkeypatch):
    def broken(*_arguments: object) -> None:
        raise RuntimeError("Anna Groß")

    monkeypatch.setattr("functions.calendar_sync.audit_run.audit_employee", broken)
    assert re.search(r"internal error: RuntimeError in test_cli_calendar\.py:\d+", desk.bad(70, "audit", "SB"))
