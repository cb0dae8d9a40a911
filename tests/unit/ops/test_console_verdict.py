"""Is everything in step? One sentence for each thing that may not be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.ops import desk
from functions.ops.snapshot import Employee, Hold, Queue, Snapshot, Store, Upstream
from functions.ops.verdict import judge, state_of
from shared.state.work import QueueStats

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOLD = Hold("to_google", 4, "ab12")
EMPTY = QueueStats(0, 0, 0, 0, 0, 0.0)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def an_employee(kuerzel: str = "SB", state: str = "ok", **more) -> Employee:
    return Employee(kuerzel, state, **{"started": ago(minutes=3), "finished": ago(minutes=2), **more})


def queues(**change) -> list[Queue]:
    names = ("calendar_sync", "vmh:beteiligte", "lead", "threecx")
    return [Queue(name, EMPTY, 1) for name in names[:-1]] + [replace(Queue("threecx", EMPTY, 1), **change)]


def a_snapshot(**change) -> Snapshot:
    good = {"employees": [an_employee()], "queues": queues(), "upstreams": [Upstream("advoware", good=ago(minutes=2))]}
    return Snapshot(NOW, **{**good, **change})


def told(**change) -> list[tuple[str, str]]:
    return [(finding.level, finding.text) for finding in judge(a_snapshot(**change)).findings]


def test_when_everything_is_in_step_the_page_says_so_and_nothing_else():
    verdict = judge(a_snapshot())
    assert (verdict.level, verdict.answer, list(verdict.findings)) == ("ok", "Ja, alles ist im Takt.", [])


CASES = [
    ({"employees": [an_employee(state="failed", error="upstream-timeout")]}, "alarm", "SB: Lauf gescheitert. Die Gege"),
    ({"employees": [an_employee(state="failed", error="3 of the changes failed")]}, "alarm", "3 of the changes failed"),
    ({"employees": [an_employee(state="held", holds=[HOLD])]}, "warn", "SB: 4 Löschungen in Google warten auf Sie."),
    ({"employees": [an_employee(state="running")]}, "alarm", "SB: ein Lauf brach ab"),
    ({"employees": [an_employee(finished=ago(hours=3))]}, "alarm", "läuft der Zeitplaner?"),
    ({"employees": [an_employee("KL"), an_employee(finished=ago(hours=3))]}, "warn", "SB: letzter Lauf vor 3 h."),
    ({"employees": []}, "warn", "Es ist noch niemand bekannt."),
    ({"letters": [{"id": "1-0"}]}, "alarm", "1 Eintrag wurde aufgegeben."),
    ({"letters_complete": False}, "warn", "Die Cloud sagt gerade nicht"),
    ({"queues": queues(stats=replace(EMPTY, depth=1, oldest_age_s=400.0))}, "warn", "Anrufe: der älteste Eintrag"),
    ({"queues": queues(stats=replace(EMPTY, depth=1, oldest_age_s=1000.0))}, "alarm", "seit 16 min"),
    ({"queues": queues(workers=0)}, "alarm", "Kein Worker liest Anrufe."),
    (
        {"upstreams": [Upstream("google", good=ago(minutes=3), failed=ago(minutes=2), failure="503")]},
        "warn",
        "Fehler 503",
    ),
    (
        {"upstreams": [Upstream("google", good=ago(hours=1), failed=ago(minutes=2), failure="timeout")]},
        "alarm",
        "Frist",
    ),
    ({"upstreams": [Upstream("google", failed=ago(minutes=2), failure="401")]}, "alarm", "Anmeldung abgelehnt"),
    ({"upstreams": [Upstream("espocrm", missing=["ESPOCRM_API_KEY"])]}, "alarm", "EspoCRM: es fehlen Einstellungen"),
    ({"missing": ["LEAD_ENCRYPTION_KEY"]}, "alarm", "Nicht bereit, es fehlen Einstellungen (LEAD_ENCRYPTION_KEY)."),
    ({"store": Store(problems=["appendonly is no"])}, "warn", "Redis kann Bestätigtes verlieren: appendonly is no"),
    ({"store": Store(problems=["appendonly is no"]), "production": True}, "alarm", "appendonly is no"),
    ({"store": Store(written=False)}, "alarm", "nicht auf die Platte"),
]


@pytest.mark.parametrize(("change", "level", "words"), CASES, ids=[words for _, _, words in CASES])
def test_each_thing_out_of_step_is_told_with_its_level(change, level, words):
    assert [(each, words in text) for each, text in told(**change)] == [(level, True)]
    assert judge(a_snapshot(**change)).level == level


QUIET = [
    {"employees": [an_employee(state="running", lock_s=200.0)]},
    {"employees": [an_employee(state="running", started=ago(seconds=10))]},
    {"employees": [an_employee(state="held", holds=[replace(HOLD, released=True)])]},
    {"employees": [an_employee(), Employee("KL", "never")]},
    {"queues": queues(workers=None)},
    {"queues": queues(workers=0, stats=replace(EMPTY, processing=1))},
    {"upstreams": [Upstream("google", good=ago(minutes=2), failed=ago(minutes=3), failure="503")]},
    {"upstreams": [Upstream("espocrm", used=False, missing=["ESPOCRM_API_KEY"])]},
    {"store": Store(managed=True)},
]


@pytest.mark.parametrize("change", QUIET)
def test_what_mends_itself_or_is_meant_is_not_told(change):
    assert told(**change) == []


def test_a_missing_setting_is_told_once():
    upstream = Upstream("espocrm", missing=["ESPOCRM_API_KEY"])
    assert len(told(missing=["ESPOCRM_API_KEY"], upstreams=[upstream])) == 1


def test_alarms_stand_before_hints():
    levels = [level for level, _ in told(employees=[an_employee(state="held", holds=[HOLD])], letters=[{"id": "1-0"}])]
    assert levels == ["alarm", "warn"]


def test_every_finding_leads_to_a_place_that_the_page_has():
    template = (Path(desk.__file__).parent / "templates" / "console.html").read_text("utf-8")
    for change, _, _ in CASES:
        for finding in judge(a_snapshot(**change)).findings:
            assert f'id="{finding.place}"' in template or finding.place.startswith("k-")


@pytest.mark.parametrize(
    ("each", "state"),
    [
        (an_employee(), "ok"),
        (an_employee(finished=ago(hours=1)), "late"),
        (an_employee(finished=ago(hours=1), lock_s=9.0), "ok"),
        (an_employee(state="running"), "stuck"),
        (an_employee(state="held", holds=[HOLD]), "held"),
        (an_employee(state="held", holds=[replace(HOLD, released=True)]), "released"),
        (Employee("SB", "never"), "never"),
    ],
)
def test_the_state_on_the_page_says_more_than_the_row(each, state):
    assert state_of(each, NOW) == state
