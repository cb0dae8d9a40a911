"""Pure: what figures, states and reasons are called on the console, in German."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from shared.domain.appointment import BERLIN

QUEUES: Final[Mapping[str, str]] = {
    "calendar_sync": "Kalenderabgleich",
    "vmh:beteiligte": "Beteiligte",
    "lead": "Leads",
    "threecx": "Anrufe",
}
UPSTREAMS: Final[Mapping[str, str]] = {
    "advoware": "Advoware",
    "google": "Google Kalender",
    "espocrm": "EspoCRM",
    "threecx": "3CX",
}
SIDES: Final[Mapping[str, str]] = {"to_google": "in Google", "to_advoware": "in Advoware"}
FAILURES: Final[Mapping[str, str]] = {
    "timeout": "keine Antwort in der Frist",
    "unreachable": "nicht erreichbar",
    "401": "Anmeldung abgelehnt (401)",
    "403": "Zugriff verweigert (403)",
    "429": "zu viele Aufrufe (429)",
}
REASONS: Final[Mapping[str, str]] = {
    "upstream-unavailable": "Die Gegenstelle war nicht erreichbar oder überlastet.",
    "upstream-timeout": "Die Gegenstelle hat nicht rechtzeitig geantwortet.",
    "upstream-authentication": "Die Gegenstelle nimmt unsere Anmeldung nicht an.",
    "upstream-rejected": "Die Gegenstelle lehnt genau diesen Datensatz ab.",
    "upstream-malformed": "Die Gegenstelle hat etwas Unbrauchbares geantwortet.",
    "advoware-no-token": "Advoware gibt gerade kein Token aus.",
    "google-no-token": "Google gibt gerade kein Token aus.",
    "google-quota-exhausted": "Googles Kontingent ist für heute verbraucht.",
    "google-calendar-gone": "Der Kalender ist in Google nicht mehr da; der nächste Lauf legt ihn an.",
    "espocrm-paused": "EspoCRM hat die Anmeldung abgelehnt; alle Aufrufe ruhen eine Minute.",
    "not-configured": "Es fehlen Einstellungen: bitbylaw doctor nennt sie.",
    "unavailable": "Redis war nicht erreichbar.",
    "internal": "Ein Fehler im Programm; das Protokoll nennt die Stelle.",
    "party-ambiguous": "Mehrere Beteiligte in Advoware kommen in Frage; hier muss jemand wählen.",
    "party-without-name": "Der Datensatz in EspoCRM hat keinen Namen.",
    "party-outcome-unknown": "Ob Advoware den Beteiligten angelegt hat, ist unbekannt; bitte dort nachsehen.",
    "party-unknown": "Gelöscht in EspoCRM, aber zu welcher betNr er gehört, ist nicht bekannt.",
    "betnr-unreadable": "Die betNr in EspoCRM ist keine Zahl.",
    "advoware-party-missing": "Die betNr gibt es in Advoware nicht.",
    "lead-undecipherable": "Kein Schlüssel öffnet diesen Lead: LEAD_ENCRYPTION_KEY prüfen.",
    "call-undecipherable": "Kein Schlüssel öffnet diesen Anruf: SIGNING_KEY prüfen.",
}
LEADS: Final[Mapping[str, str]] = {
    "angenommen": "noch nicht in EspoCRM",
    "bestaetigt": "in EspoCRM",
    "spam": "Spam, freigebbar",
    "gezaehlt": "Wiederholung, nur gezählt",
    "freigegeben": "freigegeben",
    "geloescht": "gelöscht",
    "unbestaetigt": "Newsletter, noch unbestätigt",
    "angemeldet": "Newsletter, angemeldet",
}
CALLS: Final[Mapping[str, str]] = {  # what says most comes last
    "dialled": "gewählt",
    "started": "klingelt oder läuft",
    "transferred": "weiterverbunden",
    "logged": "im Anrufprotokoll",
    "report": "vom Platz gemeldet",
    "ended": "beendet",
}
DIRECTIONS: Final[Mapping[str, str]] = {"inbound": "eingehend", "outbound": "ausgehend"}
_SHORT: Final = 18
_UNITS: Final = ((172_800, 86_400, "Tage"), (7_200, 3_600, "h"), (100, 60, "min"), (0, 1, "s"))


def span(seconds: float) -> str:
    """Say how long something is: 40 s, 5 min, 3 h, 4 Tage."""
    whole = max(0, int(seconds))
    _, unit, word = next(each for each in _UNITS if whole >= each[0])
    return f"{whole // unit} {word}"


def ago(moment: datetime | None, now: datetime) -> str:
    """Say how long ago something was."""
    if moment is None:
        return "noch nie"
    seconds = (now - moment).total_seconds()
    return "gerade eben" if seconds < 5 else "vor " + span(seconds).replace("Tage", "Tagen")


def at(moment: datetime, now: datetime) -> str:
    """Write a moment as the office's clocks show it; the day only when it is not today."""
    local = moment.astimezone(BERLIN)
    same = local.date() == now.astimezone(BERLIN).date()
    return local.strftime("%H:%M:%S" if same else "%d.%m.%Y %H:%M")


def read(text: str) -> datetime | None:
    """Read a moment as our answers write it; None when there is none."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
    except ValueError:
        return None


def short(name: str) -> str:
    """Cut a long id; its page shows the whole."""
    return name if len(name) <= _SHORT else name[: _SHORT - 1] + "…"


def masked(number: str) -> str:
    """Show of a phone number what tells it from others: its beginning and its last two digits."""
    if not number:
        return "unterdrückt"
    if len(number) < 8:
        return "intern"
    return f"{number[:3]} ••• {number[-2:]}"


def reason(slug: str) -> str:
    """Explain why something failed; what has no explanation keeps its name only."""
    return REASONS.get(slug, "")


def failure(why: str) -> str:
    """Say why a call to an upstream failed."""
    return FAILURES.get(why, f"Fehler {why}")


def count(number: int, one: str, many: str) -> str:
    """Write a number with its noun."""
    return f"1 {one}" if number == 1 else f"{number} {many}"
