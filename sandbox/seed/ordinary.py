"""Invent what fills most calendars of a law firm."""

from datetime import date, timedelta
from random import Random

from sandbox.seed.entry import ENDLESS, Termin, entry, hours

COURTS = ["AG Hannover", "LG Hannover", "OLG Celle", "ArbG Hannover", "AG Hameln", "LG Göttingen", "VG Braunschweig"]
SURNAMES = ["Meier", "Schulz", "Groß", "Müller", "Yıldız", "Kröger", "Brändle", "Nowak", "Döring", "Weiß", "Öztürk"]
COMPANIES = [
    "Hausbau Süd GmbH",
    "Gebr. Böhm OHG",
    "WEG Lange Str. 1",
    "Stadtwerke Dörverden AG",
    "Café „Zur Mühle“ e.K.",
]
MATTERS = ["Räumung", "Mietminderung", "Kündigung", "Eigenbedarf", "Nebenkosten 2025", "Schönheitsreparaturen"]
DEADLINES = [
    "Berufungsbegründung",
    "Klageerwiderung",
    "Replik",
    "Wiedereinsetzung",
    "Streitwertbeschwerde",
    "Schriftsatz",
]


def versus(rng: Random) -> str:
    """Name two parties at law."""
    return f"{rng.choice(SURNAMES)} ./. {rng.choice(SURNAMES + COMPANIES)}"


def matter_number(rng: Random) -> str:
    """Invent a file number."""
    return f"{rng.randint(1, 999)}/{rng.randint(24, 26)}"


def hearing(rng: Random, day: date) -> Termin:
    """Go to court."""
    kind = rng.choice(("Verhandlung", "Güteverhandlung", "Beweisaufnahme", "Verkündung"))
    room = rng.choice(("Saal 12", "Saal 2.041", "Raum E 07", "Sitzungssaal III"))
    notiz = f"Akte {matter_number(rng)}\r\nAz. {rng.randint(1, 30)} C {rng.randint(100, 9999)}/26"
    return entry(day, hours(rng, 9, 15), f"{kind} {versus(rng)}", f"{rng.choice(COURTS)}, {room}", notiz)


def deadline(rng: Random, day: date) -> Termin:
    """Keep a Frist, which often has no time."""
    when = rng.choice(("-", "-", "12:00-12:00", "23:59-"))
    return entry(day, when, f"FRIST {rng.choice(DEADLINES)} {versus(rng)}", notiz=f"Akte {matter_number(rng)}")


def meeting(rng: Random, day: date) -> Termin:
    """Receive a client."""
    text = f"Bespr. {rng.choice(('Frau', 'Herr', 'Eheleute'))} {rng.choice(SURNAMES)} wg. {rng.choice(MATTERS)}"
    return entry(day, hours(rng), text, rng.choice(("Kanzlei", "Besprechungsraum 1", "beim Mandanten", "")))


def phone_call(rng: Random, day: date) -> Termin:
    """Ring somebody."""
    return entry(day, hours(rng), f"Tel. {rng.choice(SURNAMES)}", notiz=rng.choice((None, "", "dringend!")))


def absence(rng: Random, day: date) -> Termin:
    """Be away for whole days."""
    text = rng.choice(("Urlaub", "Fortbildung Mietrecht", "Fachanwaltslehrgang", "Messe Nürnberg", "Krank"))
    return entry(day, "-", text, last=day + timedelta(days=rng.choice((0, 0, 1, 4, 13))), dauertermin=1)


def weekly(rng: Random, day: date) -> Termin:
    """Meet every week or two for a while."""
    last = day + timedelta(days=rng.randint(14, 200))
    return entry(day, hours(rng), "Jour fixe", "Kanzlei", "", last=last, turnus=rng.choice((1, 1, 2)), turnusArt=2)


def monthly(rng: Random, day: date) -> Termin:
    """Meet every month or quarter; never on days that some months lack."""
    first = day.replace(day=min(day.day, 28))
    last = first + timedelta(days=rng.randint(40, 380))
    return entry(first, hours(rng), "Kanzleibesprechung", last=last, turnus=rng.choice((1, 3)), turnusArt=3)


def yearly(rng: Random, day: date) -> Termin:
    """Remember a birthday that began years ago and never ends."""
    first = day.replace(day=min(day.day, 28), year=day.year - rng.randint(1, 5))
    return entry(first, "-", f"Geburtstag {rng.choice(SURNAMES)}", last=ENDLESS, dauertermin=1, turnus=1, turnusArt=4)


WEIGHTS = {hearing: 30, deadline: 20, meeting: 26, phone_call: 12, absence: 5, weekly: 3, monthly: 3, yearly: 1}


def ordinary(rng: Random, day: date) -> Termin:
    """Invent any of these, as often as they happen."""
    (kind,) = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
    return kind(rng, day)
