"""Invent what hurts: clock changes, broken times, long and strange texts, the edges of the window."""

import unicodedata
from datetime import date, timedelta
from random import Random

from sandbox.seed.entry import ENDLESS, Termin, entry
from sandbox.seed.ordinary import monthly, weekly, yearly

LONG = "Ortstermin mit Sachverständigem wegen Feuchtigkeitsschäden, Schimmelbildung und Rissen im Treppenhaus; "
NOTE = "Bitte mitbringen:\r\n- Vollmacht\r\n- Übergabeprotokoll   \r\n\r\nStreitwert > 5.000 € & Kosten < 1.000 €\r\n"
STRANGE = 'Müller & Söhne GmbH "in Gründung" ./. O\'Neill – „Räumung“ <eilt> \\ 100 %'


def sundays(year: int) -> list[date]:
    """Name the two days of a year on which the clocks change."""
    ends = (date(year, 3, 31), date(year, 10, 31))
    return [end - timedelta(days=(end.weekday() + 1) % 7) for end in ends]


def clock_changes(first: date, last: date) -> list[Termin]:
    """Work in every night between two days in which an hour is missing or comes twice."""
    nights = [day for year in range(first.year, last.year + 1) for day in sundays(year) if first <= day <= last]
    return [
        entry(night, hours, text, "Serverraum")
        for night in nights
        for hours, text in (("02:30-03:00", "Wartung Server (Zeitumstellung)"), ("01:30-03:30", "Bereitschaft Nacht"))
    ]


def broken(day: date) -> list[Termin]:
    """Leave out or mix up times, as happens in real life."""
    yesterday = day - timedelta(days=1)
    return [
        entry(day, "-11:00", "Rückruf Gericht vor 11 Uhr"),
        entry(day, "14:15-", "Ende offen"),
        entry(day, "-", "Wiedervorlage ohne Uhrzeit"),
        entry(day, "15:00-14:00", "Vertippt: Ende vor Anfang"),
        entry(day, "10:00-11:00", "Vertippt: Tag verwechselt", last=yesterday),
        entry(day, "08:00-08:00", "Dauert keine Minute"),
    ]


def strange(day: date) -> list[Termin]:
    """Write what no form would expect."""
    decomposed = unicodedata.normalize("NFD", "Übergabe Schlüssel Größe 3-Zi.-Whg.")
    unknown = {"vorbereitungsDauer": "00:30:00", "raum": {"nr": 12, "etage": "EG"}, "farben": ["rot", "grün"]}
    return [
        entry(day, "09:00-10:30", STRANGE, "Straße des 17. Juni 1, 10623 Berlin", NOTE),
        entry(day, "11:00-12:00", (LONG * 8).strip("; "), "Baustelle", NOTE * 40),
        entry(day, "13:00-13:30", decomposed, unicodedata.normalize("NFD", "Göttingen")),
        entry(day, "16:00-17:00", "Vergleichsgespräch 🤝", "Videokonferenz", "", **unknown),
        entry(day, "17:00-17:30", "", "Hof", "ohne Betreff"),
    ]


def lasting(day: date) -> list[Termin]:
    """Last over midnight, over days, whole days in two spellings."""
    return [
        entry(day, "22:00-02:00", "Notdienst", last=day + timedelta(days=1)),
        entry(day, "20:00-00:00", "Sommerfest", last=day + timedelta(days=1)),
        entry(day, "14:00-12:00", "Anwaltstag", "Essen", last=day + timedelta(days=2)),
        entry(day, "-", "Urlaub", last=day + timedelta(days=2), dauertermin=1),
        entry(day, "00:00-23:59", "Fortbildung", "Hamburg", dauertermin=1),
    ]


def series(rng: Random, day: date) -> list[Termin]:
    """Repeat daily, weekly, monthly, yearly, and one for ever."""
    return [
        entry(day, "07:45-08:00", "Post durchsehen", last=day + timedelta(days=4), turnus=1, turnusArt=1),
        weekly(rng, day),
        monthly(rng, day),
        yearly(rng, day),
        entry(day, "08:00-08:30", "Jour fixe (endlos)", "Kanzlei", last=ENDLESS, turnus=1, turnusArt=2),
    ]


def special(rng: Random, first: date, last: date) -> list[Termin]:
    """List one of each for the window between two days, the edges included."""

    def any_day() -> date:
        return first + timedelta(days=rng.randint(40, (last - first).days - 10))

    edges = [entry(first, "00:00-01:00", "Erster Tag"), entry(last, "22:00-23:00", "Letzter Tag")]
    found = clock_changes(first, last) + broken(any_day()) + strange(any_day()) + lasting(any_day())
    return found + series(rng, any_day()) + edges
