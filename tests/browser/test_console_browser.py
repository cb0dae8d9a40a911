"""The console in a real browser, before an app in production, a worker, a durable Redis and doubles of everything."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "system"))

from calendar_world import termin
from console_rig import NAME, NUMBER, PARTY, PASSWORD, Firm, firm, follow, log_in, soon
from processes import eventually
from test_screenpop_browser import axe

from sandbox.faults import Fault

EVIL = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>{{7*7}}</pre>"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    with firm(tmp_path_factory.mktemp("console")) as made:
        for n in range(1, 9):
            made.advoware.create("SB", **termin(n, f"Besprechung {n}"))
        made.cron()
        yield made


@pytest.fixture
def inside(house: Firm, page) -> object:
    """Somebody who has given the password, before the overview."""
    page.size(1280)
    page.open(f"{house.url}/ops")
    if page.js("document.querySelector('#password') !== null"):
        log_in(page, house)
    return page


def text(page) -> str:
    return str(page.js("document.body.innerText"))


def check(page, name: str) -> None:
    """Hold a page to what every page promises, narrow and wide, light and dark; and keep a picture where wished."""
    source = axe()
    for width, dark in ((420, False), (1280, True)):
        page.size(width, dark=dark)
        assert page.js("document.documentElement.scrollWidth") <= width, (name, width)
        page.js(source)
        found = json.loads(page.js("axe.run().then(found => JSON.stringify(found.violations))"))
        grave = [each for each in found if each["impact"] in {"serious", "critical"}]
        assert grave == [], (name, dark, [(each["id"], each["nodes"][0]["html"]) for each in grave])
        if folder := os.environ.get("SCREENSHOTS"):
            Path(folder).mkdir(exist_ok=True)
            page.screenshot(Path(folder) / f"console-{name}-{width}{'-dark' * dark}.png")
    page.size(1280)
    assert page.js("document.querySelectorAll('img, iframe, [onerror], [onload], [onclick], [style]').length") == 0
    assert [each for each in page.complaints() if "status of 4" not in each and "status of 503" not in each] == []


def test_a_wrong_password_is_told_the_right_one_opens_by_keyboard(house, page):
    page.size(1280)
    page.open(f"{house.url}/ops")
    check(page, "login")
    log_in(page, house, "falsch")
    assert "Das Passwort stimmt nicht." in text(page)
    check(page, "wrong")
    assert page.js("document.activeElement.id") == "password"
    page.js(f"document.activeElement.value = {PASSWORD!r}; window.leaving = true")
    page.press("Enter")
    soon(page, "window.leaving === undefined && document.querySelector('#stand') !== null")
    assert "Ist alles im Takt?" in text(page)
    assert page.js("document.cookie") == ""
    page.press("Tab")
    assert page.js("document.activeElement.className") == "skip"


def test_in_step_the_page_says_so_and_loads_nothing_from_elsewhere(house, inside):
    house.cron()
    inside.open(f"{house.url}/ops")
    assert "Ja, alles ist im Takt." in text(inside)
    assert inside.js("[...document.querySelectorAll('#kalender .badge')].map(b => b.innerText)") == ["✓ in Takt"] * 2
    assert "gilt noch" in inside.js("document.querySelector('#gegenstellen').innerText")
    assert "bevor er bestätigt wird" in inside.js("document.querySelector('#redis').innerText")
    assert inside.requests() == [f"{house.url}/ops"]
    assert inside.js("document.documentElement.lang") == "de"
    check(inside, "in-step")


def test_one_employee_in_error_is_seen_at_once_and_mended_with_one_button(house, inside):
    fault = Fault("status", status=503, query="KL", times=None)
    house.advoware.board.add(fault)
    try:
        follow(inside, "document.querySelector('#lauf-KL').click()")
        assert "Der Lauf ist angestoßen." in text(inside)
        eventually(lambda: house.row("KL")["state"] == "failed" and house.idle(), within_s=60)
    finally:
        house.advoware.board.clear()
    inside.open(f"{house.url}/ops")
    assert "Nein, hier ist etwas aus dem Takt." in text(inside)
    assert "KL: Lauf gescheitert. Die Gegenstelle war nicht erreichbar" in text(inside)
    assert inside.js("document.querySelector('#k-KL .badge').innerText") == "✕ gescheitert"
    assert "Fehler 503" in inside.js("document.querySelector('#gegenstellen').innerText")
    check(inside, "failed")
    follow(inside, "document.querySelector('#k-KL th a').click()")
    assert "Läufe von KL" in text(inside)
    assert inside.js("document.querySelector('tbody tr .badge').innerText") == "✕ gescheitert"
    check(inside, "runs")
    follow(inside, "document.querySelector('nav a').click()")
    inside.js("document.querySelector('.findings a').click()")
    assert inside.js("location.hash") == "#k-KL"
    ended = house.ended()
    follow(inside, "document.querySelector('#lauf-KL').click()")
    eventually(lambda: house.ended() > ended and house.row("KL")["state"] == "ok", within_s=60)


def test_a_held_plan_is_looked_at_released_and_gone(house, inside):
    house.advoware.create("SB", **termin(20, EVIL))
    house.cron()
    rows = [row for row in house.advoware.appointments("SB") if row["text"].startswith("Besprechung")]
    for row in [*rows[:3], *(r for r in house.advoware.appointments("SB") if "onerror" in r["text"])]:
        house.advoware.delete(row["frNr"])
    house.cron()
    inside.open(f"{house.url}/ops")
    assert "SB: 4 Löschungen in Google warten auf Sie." in text(inside)
    check(inside, "held")
    follow(inside, "document.querySelector('#zurueckgehalten a').click()")
    plan = inside.js("document.querySelector('.plan').innerText")
    assert [rows[n]["text"] in plan for n in range(4)] == [True, True, True, False]
    assert "onerror" in plan
    assert "{{7*7}}" in plan
    check(inside, "plan")
    mark = house.row()["held"][0]["hash"]
    assert inside.js("document.querySelector('form button').innerText") == f"Plan {mark} einmal freigeben"
    ended = house.ended()
    follow(inside, "document.querySelector('form button').click()")
    assert "Freigegeben. Der Lauf ist angestoßen" in text(inside)
    eventually(lambda: house.ended() > ended and house.row()["state"] == "ok" and house.idle(), within_s=60)
    inside.open(f"{house.url}/ops")
    assert "Wartet auf Sie" not in text(inside)
    assert house.row()["deleted"] == 4


def test_an_empty_list_of_advoware_is_held_with_a_warning(house, inside):
    house.advoware.board.add(Fault("truncate", query="SB", path="appointments", keep=0, times=None))
    try:
        house.cron()
        inside.open(f"{house.url}/ops/plans/SB")
    finally:
        house.advoware.board.clear()
    assert "Advowares Liste war leer oder kaum halb so lang wie erwartet" in text(inside)
    check(inside, "short")
    house.cron()
    inside.open(f"{house.url}/ops")
    assert "Ja, alles ist im Takt." in text(inside)


def test_a_dead_letter_goes_back_to_work_and_is_gone(house, inside):
    house.give_up(PARTY, "party-unknown")
    house.give_up(PARTY[::-1], "upstream-rejected")
    inside.open(f"{house.url}/ops")
    assert "2 Einträge wurden aufgegeben." in text(inside)
    check(inside, "dead")
    follow(inside, "document.querySelector('#sehen-1').click()")
    assert "zu welcher betNr er gehört" in text(inside)
    check(inside, "letter")
    follow(inside, "document.querySelector('form.decide button').click()")
    assert "Der Eintrag ist wieder in Arbeit." in text(inside)
    assert "1 Eintrag wurde aufgegeben." in text(inside)
    follow(inside, "document.querySelector('#erneut-1').click()")
    assert "Nichts wurde aufgegeben." in text(inside)


def test_leads_and_calls_are_shown_without_names_and_whole_numbers(house, inside):
    house.hear()
    inside.open(f"{house.url}/ops")
    leads, calls = (inside.js(f"document.querySelector('#{place}').innerText") for place in ("leads", "anrufe"))
    assert "gerade eben" in leads
    assert "eingehend +49 ••• 67, klingelt oder läuft" in calls
    for personal in (NAME, "Erika", NUMBER, NUMBER[3:], "erika@"):
        assert personal not in inside.js("document.documentElement.outerHTML")


def test_a_form_without_its_token_is_refused(house, inside):
    house.give_up(PARTY, "upstream-rejected")
    inside.open(f"{house.url}/ops")
    inside.js("document.querySelectorAll('input[name=token]').forEach(each => each.remove())")
    follow(inside, "document.querySelector('#erneut-1').click()")
    assert "Dieses Formular gilt nicht mehr" in text(inside)
    check(inside, "refused")
    assert house.state().xlen("vmh:beteiligte:dead") == 1
    house.state().delete("vmh:beteiligte:dead")


def test_even_a_script_that_got_in_would_not_run(inside):
    inside.js(
        "(() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        " document.body.append(s); })()"
    )
    assert inside.js("window.ran === undefined") is True
    assert any("Content Security Policy" in each for each in inside.complaints())


def test_the_page_refreshes_itself_and_keeps_the_focus(house, inside):
    hook = "window.setInterval = (tick, every) => { window.tick = tick; window.every = every; }"
    added = inside.send("Page.addScriptToEvaluateOnNewDocument", source=hook)
    try:
        inside.open(f"{house.url}/ops")
        inside.js("document.querySelector('#lauf-SB').focus()")
        house.give_up(PARTY, "upstream-rejected")
        inside.js("window.tick()")
        soon(inside, "document.body.innerText.includes('1 Eintrag wurde aufgegeben.')")
        assert inside.js("window.every") == 30000
        assert inside.js("document.activeElement.id") == "lauf-SB"
        follow(inside, "document.querySelector('#erneut-1').click()")
        assert "wieder in Arbeit" in text(inside)
    finally:
        inside.send("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])


def test_everything_works_without_javascript(house, inside):
    house.give_up(PARTY, "upstream-rejected")
    inside.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        inside.open(f"{house.url}/ops")
        assert "aktualisiert sich" not in text(inside)
        inside.js("document.querySelector('#erneut-1').focus()")
        inside.press("Enter")
        soon(inside, "document.body.innerText.includes('wieder in Arbeit')")
    finally:
        inside.send("Emulation.setScriptExecutionDisabled", value=False)


def test_logging_out_ends_it_and_redis_down_is_told(house, inside):
    house.server.kill()
    inside.open(f"{house.url}/ops")
    assert "Redis ist nicht erreichbar" in text(inside)
    check(inside, "down")
    house.server.start()
    time.sleep(0.1)
    inside.open(f"{house.url}/ops")
    follow(inside, "document.querySelector('#abmelden').click()")
    assert inside.js("document.querySelector('#password') !== null")
