"""The screen pop in a real browser: each state, at 420 px and on a desk, by keyboard, hostile data, accessibility."""

import importlib.util
import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.faults import Fault
from sandbox.server import serve

NUMBER, SHARED_NUMBER, OPPONENT = "+495111234567", "+495117654321", "+495115550101"
EVIL = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>{{97*89}}</style>"


@pytest.fixture
def site(rig):
    with serve(rig.wsgi) as server:
        yield server.url


def pop(rig, site: str, **what: str) -> str:
    """Make a link as the webhook hands it out."""
    return site + rig.deps.links.screenpop(time.time(), **what).removeprefix("https://api.example")


def a_client(rig, text=str) -> str:
    """Enter somebody about whom everything is known; `text` may make each field hostile."""
    now = datetime.now(UTC)
    contact = rig.espocrm.add(
        "Contact",
        firstName=text("Anna"),
        lastName=text("Groß"),
        phoneNumber=NUMBER,
        accountName=text("Groß & Söhne"),
    )
    bet = rig.advoware.registry.create_party(vorname="Anna", name="Groß", telefon=NUMBER)
    rig.espocrm.add("CBeteiligte", lastName="Groß", betnr=str(bet), contactId=contact)
    rig.advoware.employee("SB", name=text("Berger"), vorname="Sabine")
    matter = {"kurzrubrum": text("Groß ./. Müller"), "objekt": text("Lange Str. 1"), "rolle": text("mandant")}
    rig.advoware.registry.create_matter("123/26", sachbearbeiter="SB", betNr=bet, **matter)
    day = (now + timedelta(days=3)).strftime("%Y-%m-%d")
    times = {"datum": day, "datumBis": day, "uhrzeitVon": "09:30:00", "uhrzeitBis": "11:00:00"}
    rig.advoware.create("SB", text=text("Verhandlung"), ort=text("AG Hannover"), notiz="Akte 123/26", **times)
    stamp = (now - timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S")
    link = {"parentType": "Contact", "parentId": contact, "assignedUserId": "u", "dateEnd": stamp}
    rig.espocrm.add("Task", name=text("Vollmacht anfordern"), **link)
    rig.espocrm.add("Call", name="x", dateStart=stamp, direction="Inbound", status="Not Held", **link)
    return contact


def a_matter_of_clara(rig) -> None:
    """Let one of two people with one number be a client."""
    clara = next(row["id"] for row in rig.espocrm.records.all("Contact") if row.get("firstName") == "Clara")
    bet = rig.advoware.registry.create_party(vorname="Clara", name="Ahrens")
    rig.espocrm.add("CBeteiligte", lastName="Ahrens", betnr=str(bet), contactId=clara)
    rig.advoware.registry.create_matter("201/26", kurzrubrum="Ahrens ./. Bau", sachbearbeiter="SB", betNr=bet)


def an_opponent(rig) -> None:
    """Enter somebody whom only Advoware knows, on the other side."""
    bet = rig.advoware.registry.create_party(vorname="Jörg", name="Müller", telefon=OPPONENT)
    matter = {"kurzrubrum": "Groß ./. Müller", "sachbearbeiter": "SB", "rolle": "gegner"}
    rig.advoware.registry.create_matter("123/26", betNr=bet, **matter)


def states(rig, site: str) -> dict[str, str]:
    """Bring about every state and give its link."""
    a_client(rig)
    for name in ("Bernd", "Clara"):
        rig.espocrm.add("Contact", firstName=name, lastName="Ahrens", phoneNumber=SHARED_NUMBER)
    a_matter_of_clara(rig)
    rig.espocrm.add("Account", name="Stadtwerke", phoneNumber="+4951143000")
    an_opponent(rig)
    now = datetime.now(UTC).isoformat()
    rig.event("call.started", "k1", caller=NUMBER, extension="102", timestamp=now)
    rig.event("call.started", "k2", caller="anonymous", extension="102", queue="800", timestamp=now)
    again = {"timestamp": "2026-11-20T09:05:00Z", "caller": "+493012345678", "extension": "102"}
    rig.event("call.ended", "k0", answered=False, **again)
    rig.work()
    return {
        "known": pop(rig, site, call_id="k1"),
        "opponent": pop(rig, site, number=OPPONENT),
        "likely": pop(rig, site, number="+4951143001234"),
        "several": pop(rig, site, number=SHARED_NUMBER),
        "unknown": pop(rig, site, number="+493012345678"),
        "withheld": pop(rig, site, call_id="k2"),
        "gone": pop(rig, site, call_id="k3"),
        "expired": pop(rig, site, number=NUMBER) + "x",
    }


SAYS = {
    "known": ("Anna Groß", "Mandant", "1 laufende Akte · S. Berger (SB)", "Groß ./. Müller", "In EspoCRM öffnen"),
    "likely": ("Stadtwerke", "vermutlich"),
    "opponent": ("Jörg Müller", "Gegner", "keine Auskunft", "Gegner in 123/26 · S. Berger (SB)"),
    "several": ("Bernd Ahrens", "Clara Ahrens", "Wer ruft an?", "2 mögliche", "Mandant 1 laufende Akte · SB"),
    "unknown": ("Unbekannte Nummer", "+49 30 12345678", "Kontakt anlegen", "Neuer Lead", "20.11.2026 10:05"),
    "withheld": ("Rufnummer unterdrückt", "Warteschlange 800"),
    "gone": ("Dieser Anruf ist nicht mehr bekannt",),
    "expired": ("Dieser Link ist abgelaufen",),
    "down": ("Gerade nicht abrufbar", "+49 511 1234567", "Noch einmal versuchen"),
}


def test_every_state_says_what_it_should_on_narrow_and_wide_screens(rig, site, page):
    links = states(rig, site) | {"down": pop(rig, site, number=NUMBER)}
    for state, url in links.items():
        if state == "down":
            let_everything_be_down(rig)
        for width in (420, 1280):
            page.size(width)
            page.open(url)
            text = page.js("document.body.innerText")
            for words in SAYS[state]:
                assert words in text, (state, words, text)
            assert page.js("document.documentElement.scrollWidth") <= width, (state, width)
            assert page.js("document.documentElement.lang") == "de"
            assert page.requests() == [url]
            assert [each for each in page.complaints() if "403" not in each] == []
            keep_a_picture(page, f"{state}-{width}")


def state_of(name: str) -> str:
    """Name the state that a page says of itself."""
    return {"likely": "guessed", "opponent": "opponent"}.get(name, name)


def let_everything_be_down(rig) -> None:
    for double in (rig.espocrm, rig.advoware):
        double.board.add(Fault("status", status=503, times=None))


def keep_a_picture(page, name: str) -> None:
    """Keep a picture for people, where they ask for it."""
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(exist_ok=True)
        page.screenshot(Path(folder) / f"{name}.png")


def test_name_role_and_matters_are_in_sight_at_420_pixels(rig, site, page):
    a_client(rig)
    page.size(420, 640)
    page.open(pop(rig, site, number=NUMBER))
    for what in ("h1", ".role", ".summary", ".number", ".button.main"):
        box = page.js(f"JSON.stringify(document.querySelector('{what}').getBoundingClientRect())")
        assert json.loads(box)["bottom"] < 640, what
    assert page.js("parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)") >= 28


def test_the_page_can_be_used_by_keyboard(rig, site, page):
    for name in ("Bernd", "Clara"):
        rig.espocrm.add("Contact", firstName=name, lastName="Ahrens", phoneNumber=SHARED_NUMBER)
    page.size(1280)
    page.open(pop(rig, site, number=SHARED_NUMBER))
    reached = []
    for _ in range(6):
        page.press("Tab")
        reached.append(page.js("document.activeElement.innerText.split('\\n')[0]"))
        if reached[-1] == "Clara Ahrens":
            break
    assert reached[-1] == "Clara Ahrens"
    assert page.js("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    keep_a_picture(page, "several-focus")
    page.events.clear()
    page.press("Enter")
    deadline = time.monotonic() + 10
    while page.js("document.readyState === 'complete' && document.querySelector('h1').innerText") != "Clara Ahrens":
        assert time.monotonic() < deadline, "the choice led nowhere"
        time.sleep(0.05)
    assert "pick=Contact" in page.js("location.search")


def test_hostile_data_in_every_field_stays_text(rig, site, page):
    a_client(rig, lambda text: f"{text}{EVIL}"[:100])
    rig.espocrm.add("Contact", firstName=EVIL, lastName=EVIL, phoneNumber=SHARED_NUMBER, accountName=EVIL)
    rig.espocrm.add("Account", name=EVIL, phoneNumber=SHARED_NUMBER)
    rig.espocrm.add("Lead", lastName=EVIL, phoneNumber=NUMBER, status="New")
    now = datetime.now(UTC).isoformat()
    rig.event("call.started", "k1", caller=NUMBER, extension=EVIL[:39], queue=EVIL[:39], timestamp=now)
    contact = next(row for row in rig.espocrm.records.all("Contact") if row["phoneNumber"] == NUMBER)
    pick = {"pick": f"Contact:{contact['id']}"}
    for what in ({"call_id": "k1"}, {"call_id": "k1", **pick}, {"number": SHARED_NUMBER}, {"number": EVIL}):
        page.open(pop(rig, site, **what))
        assert page.complaints() == []
        assert page.js("document.querySelectorAll('script, img, iframe, [onerror]').length") == 0
        assert "onerror" in page.js("document.body.innerText")
        assert "8633</" not in page.js("document.body.innerHTML")


def test_words_without_an_end_do_not_widen_the_page(rig, site, page):
    endless = "Donaudampfschifffahrtsgesellschaft" * 3
    a_client(rig, lambda text: f"{text}{endless}"[:100])
    for name in ("Bernd", "Clara"):
        rig.espocrm.add("Contact", firstName=name + endless[:80], lastName=endless[:90], phoneNumber=SHARED_NUMBER)
    rig.espocrm.add("Lead", lastName=endless[:90], phoneNumber=OPPONENT, description=f"Dringlichkeit: {endless}")
    now = datetime.now(UTC).isoformat()
    rig.event("call.started", "k1", caller=NUMBER, extension=endless[:40], queue=endless[:40], timestamp=now)
    page.size(420)
    for what in ({"call_id": "k1"}, {"number": SHARED_NUMBER}, {"number": OPPONENT}, {"number": endless[:60]}):
        page.open(pop(rig, site, **what))
        assert page.js("document.documentElement.scrollWidth") <= 420, what
        keep_a_picture(page, f"endless-{'-'.join(what.values())[:20]}")


def test_even_a_script_that_got_in_would_not_run(rig, site, page):
    page.open(pop(rig, site, number="+493012345678"))
    page.js("document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/x\">')")
    page.js(
        "(() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        " document.body.append(s); })()"
    )
    assert page.js("window.ran === undefined") is True
    assert len([each for each in page.complaints() if "Content Security Policy" in each]) >= 1


def test_axe_finds_nothing_serious_in_any_state_light_or_dark(rig, site, page):
    source = axe()
    for state, url in (states(rig, site) | {"down": pop(rig, site, number=NUMBER)}).items():
        if state == "down":
            let_everything_be_down(rig)
        for dark in (False, True):
            page.size(420 if dark else 1280, dark=dark)
            page.open(url)
            assert page.js("document.body.classList.contains('" + state_of(state) + "')")
            page.js(source)
            found = json.loads(page.js("axe.run().then(found => JSON.stringify(found.violations))"))
            grave = [each for each in found if each["impact"] in {"serious", "critical"}]
            keep_a_picture(page, f"{state}-{'420-dark' if dark else '1280-light'}")
            assert grave == [], (state, dark, [(each["id"], each["nodes"][0]["html"]) for each in grave])


def axe() -> str:
    """Read axe-core from the package that brings it."""
    spec = importlib.util.find_spec("axe_core_python")
    if spec is None and not os.environ.get("CI"):
        pytest.skip("axe-core-python is not installed")
    assert spec is not None
    assert spec.origin is not None
    return (Path(spec.origin).parent / "axe.min.js").read_text("utf-8")
