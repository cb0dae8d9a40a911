"""Urgency with reasons, office hours, spam that only flags, and when a machine may call."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from functions.leads.calling import may_call
from functions.leads.forms import read_form
from functions.leads.intake import decide
from functions.leads.office import BERLIN, Office
from functions.leads.reading import read_body
from functions.leads.spam import Crowd, score
from shared.settings.leads import OfficeSettings

OFFICE = Office.of(OfficeSettings())
TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=BERLIN)
FORM = {"typ": "vermieter", "nachname": "Groß", "email": "a@example.org", "nachricht": "Hallo", "thema": "kaution"}


def submission(**more):
    body = read_body(json.dumps(FORM | more).encode(), "application/json")
    return read_form(body, query_type=None, maps={}, received_at="2026-11-24T09:00:00+00:00", hosts=())


def verdict(crowd=Crowd(), **more):  # noqa: B008
    return decide(submission(**more), crowd, OFFICE, TUESDAY, released=False)


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({}, "normal (kein Hinweis auf Eile)"),
        ({"typ": "kontakt", "thema": ""}, "niedrig (Kontaktformular ohne Thema)"),
        ({"frist": "2026-11-26"}, "sofort (Frist in 2 Arbeitstagen)"),
        ({"frist": "2026-11-25"}, "sofort (Frist in 1 Arbeitstag)"),
        ({"frist": "2026-11-20"}, "sofort (Frist abgelaufen)"),
        ({"frist": "2026-12-04"}, "hoch (Frist in 8 Arbeitstagen)"),
        ({"frist": "2027-03-04"}, "normal (kein Hinweis auf Eile)"),
        (
            {"nachricht": "Ein Versäumnisurteil, der Gerichtsvollzieher"},
            "sofort (Wort Versäumnisurteil; Wort Gerichtsvollzieher)",
        ),
        ({"nachricht": "Mir wurde die Klage gestern zugestellt"}, "hoch (Klage zugestellt)"),
        ({"nachricht": "Mein Mieter zahlt seit 3 Monaten nicht"}, "hoch (Rückstand von mindestens zwei Mieten)"),
        ({"nachricht": "Er zahlt seit einem Monat nicht"}, "normal (kein Hinweis auf Eile)"),
        ({"nachricht": "Der Auszug war vor fünf Monaten"}, "hoch (Rückgabe vor mindestens vier Monaten)"),
        ({"nachricht": "Die Nebenkostenabrechnung für 2025 fehlt"}, "hoch (Abrechnung 2025 bald zwölf Monate alt)"),
        ({"nachricht": "Die Nebenkostenabrechnung für 2024 fehlt"}, "normal (kein Hinweis auf Eile)"),
        ({"nachricht": "Die Heizkostenabrechnung 2026 fehlt"}, "normal (kein Hinweis auf Eile)"),
    ],
)
def test_urgency_says_why(more, line):
    assert verdict(**more).urgency.line == line


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("level", "received", "due"),
    [
        ("sofort", "2026-11-24T10:00", "2026-11-24T10:00"),
        ("sofort", "2026-11-24T22:00", "2026-11-25T09:00"),
        ("hoch", "2026-11-24T10:00", "2026-11-24T14:00"),
        ("hoch", "2026-11-24T15:00", "2026-11-25T11:00"),
        ("normal", "2026-11-27T10:00", "2026-11-30T10:00"),
        ("normal", "2026-11-28T10:00", "2026-12-01T09:00"),
        ("niedrig", "2026-12-22T10:00", "2026-12-29T10:00"),
        ("normal", "2026-10-30T10:00", "2026-11-02T10:00"),
    ],
)
def test_due_times_lie_in_office_hours(level, received, due):
    """The 24th and 31st of December are closed, 25 and 26 are holidays, 31 October is one in Lower Saxony."""
    assert OFFICE.due(level, at(received)) == at(due)


def test_holidays_are_those_of_the_office_s_land():
    corpus = datetime(2026, 6, 4).date()
    assert OFFICE.is_working_day(corpus)
    assert not Office.of(OfficeSettings({"OFFICE_STATE": "BY"})).is_working_day(corpus)


@pytest.mark.parametrize(
    ("more", "crowd", "way"),
    [
        ({}, Crowd(), "crm"),
        ({"honeypot": "x"}, Crowd(), "spam"),
        ({"nachricht": "http://a http://b http://c [url=x]y[/url]"}, Crowd(), "spam"),
        ({"ausfuellzeit_s": 1, "nachricht": "<a href=x>y</a>"}, Crowd(), "spam"),
        ({"ausfuellzeit_s": 1}, Crowd(), "crm"),
        ({"nachricht": "Купить дешево прямо сейчас"}, Crowd(), "crm"),
        ({}, Crowd(50, 500, 300), "crm"),
    ],
)
def test_spam_takes_more_than_one_sign(more, crowd, way):
    assert verdict(crowd, **more).way == way


def test_a_doubtful_lead_is_shown_to_a_person():
    assert verdict(Crowd(50, 500, 300)).grounds[0].startswith("Spamverdacht: ")
    for crowd in (Crowd(in_hour=6), Crowd(in_day=21), Crowd(same_text=4)):
        assert verdict(crowd).grounds[0].startswith("Spamverdacht: ")
    assert verdict(Crowd(5, 20, 3)).grounds == ()
    assert score(submission(ausfuellzeit_s=1), Crowd()).reasons == ("unter 3 Sekunden ausgefüllt",)


CALL = {"rueckruf": "ja", "telefon": "0511 1234567"}


@pytest.mark.parametrize(
    ("more", "when", "allowed"),
    [
        (CALL, "2026-11-24T10:00", True),
        (CALL, "2026-11-24T19:59", True),
        (CALL, "2026-11-24T20:00", False),
        (CALL, "2026-11-28T10:00", False),
        (CALL, "2026-12-25T10:00", False),
        (CALL | {"rueckruf": "nein"}, "2026-11-24T10:00", False),
        ({"telefon": "0511 1234567"}, "2026-11-24T10:00", False),
        (CALL | {"telefon": "0900 1234567"}, "2026-11-24T10:00", False),
        (CALL | {"telefon": "+1 876 5551234"}, "2026-11-24T10:00", False),
        (CALL | {"typ": "mieter"}, "2026-11-24T10:00", False),
        (CALL | {"nachname": ""}, "2026-11-24T10:00", False),
    ],
)
def test_when_a_machine_may_call(more, when, allowed):
    hours = Office.of(OfficeSettings(), OfficeSettings().call_hours)
    assert may_call(submission(**more), verdict(**more), hours, at(when).astimezone(UTC)) is allowed
