"""Invent a few parties and the matters that connect them."""

from datetime import date
from typing import Any

Rows = list[dict[str, Any]]
PARTIES = [
    (815, "Frau", "Dr.", "Anna", "Groß", "", "1980-04-02", "anna@example.org", "+495111234567", ""),
    (816, "Herr", "", "Jörg", "Müller", "", "1975-11-30", "j.mueller@example.org", "0511 / 555 01 01", "0170 5550102"),
    (817, "Herr", "", "Jörg", "Müller", "", "2001-01-15", "joerg.jr@example.org", "", "+491705550103"),
    (818, "Firma", "", "", "Hausbau Süd GmbH", "GmbH", None, "info@hausbau-sued.example", "0049 511 5550104", ""),
    (819, "Frau", "", "Özlem", "Yıldız", "", "1990-07-21", "oezlem@example.org", "", "0151-5550105"),
    (820, "Firma", "", "", "WEG Lange Str. 1", "WEG", None, "", "0511 5550106", ""),
    (821, "Frau", "Prof. Dr.", "Élodie", "d'Orléans-Weiß", "", "1966-02-28", "elodie@example.org", "+33155501070", ""),
    (822, "Herr", "", "Karl", "Schulz", "", None, "", "", ""),
]
PARTY_FIELDS = (
    "betNr",
    "anrede",
    "titel",
    "vorname",
    "name",
    "rechtsform",
    "geburtsdatum",
    "email",
    "telefon",
    "mobil",
)
MATTERS = [
    (123, "Groß ./. Müller", "laufend", "SB", 815, "mandant", "Lange Str. 1, 30159 Hannover"),
    (123, "Groß ./. Müller", "laufend", "SB", 816, "gegner", "Lange Str. 1, 30159 Hannover"),
    (201, "Hausbau Süd GmbH ./. WEG Lange Str. 1", "laufend", "ÖZ", 818, "mandant", "Lange Str. 1, 30159 Hannover"),
    (201, "Hausbau Süd GmbH ./. WEG Lange Str. 1", "laufend", "ÖZ", 820, "gegner", "Lange Str. 1, 30159 Hannover"),
    (77, "Yıldız ./. Schulz", "abgelegt", "MK", 819, "mandant", "Am Maschsee 7, 30169 Hannover"),
    (77, "Yıldız ./. Schulz", "abgelegt", "MK", 822, "gegner", "Am Maschsee 7, 30169 Hannover"),
    (310, "d'Orléans-Weiß ./. Hausbau Süd GmbH", "laufend", "SB", 821, "mandant", "Göttinger Chaussee 12"),
    (310, "d'Orléans-Weiß ./. Hausbau Süd GmbH", "laufend", "SB", 818, "gegner", "Göttinger Chaussee 12"),
]
MATTER_FIELDS = ("aktenNr", "kurzrubrum", "status", "sachbearbeiter", "betNr", "rolle", "objekt")


def clients(*, today: date) -> tuple[Rows, Rows]:
    """List parties and matters: two of one name, a client who is an opponent elsewhere, phones in many spellings."""
    address = {"strasse": "Lange Str. 1", "plz": "30159", "ort": "Hannover", "land": "DE", "aktiv": True}
    parties = [{**dict(zip(PARTY_FIELDS, row, strict=True)), **address} for row in PARTIES]
    matters = [dict(zip(MATTER_FIELDS, row, strict=True)) for row in MATTERS]
    return parties, [{**row, "aktenNr": f"{row['aktenNr']}/{today:%y}"} for row in matters]
