"""Say how urgent a lead is, and why: words are hints, deadlines are reported and never computed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from shared.domain.lead import CONTACT, Lead

LEVELS: Final = ("sofort", "hoch", "normal", "niedrig")
PRIORITIES: Final = {"sofort": "Urgent", "hoch": "High", "normal": "Normal", "niedrig": "Low"}
_NUMBERS = {
    word: n for n, word in enumerate("null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf".split())
}
_COUNT = r"(\d{1,2}|" + "|".join(_NUMBERS) + r")"
_NOW: Final = {
    "Versäumnisurteil": r"vers(?:ä|ae)umnisurteil",
    "Vollstreckungsbescheid": r"vollstreckungsbescheid",
    "einstweilige Verfügung": r"einstweilige\w* verf(?:ü|ue)gung",
    "Räumungstermin": r"r(?:ä|ae)umungstermin|zwangsr(?:ä|ae)umung",
    "Gerichtsvollzieher": r"gerichtsvollzieher",
    "Gerichtstermin": r"gerichtstermin|verhandlungstermin",
    "Bedrohung": r"bedroh",
    "Brand": r"\bbrand\b|brandschaden|\bfeuer\b",
    "Wasser": r"wasserschaden|rohrbruch|wassereinbruch",
}
_SERVED = re.compile(r"klage\w*\b.{0,40}zugestellt|zugestellt\w*\b.{0,40}klage|klageschrift", re.DOTALL)
_ARREARS = re.compile(
    rf"seit\s+{_COUNT}e?n?\s+monat\w*\b.{{0,40}}(?:kein|nicht)|zahlt\b.{{0,20}}seit\s+{_COUNT}e?n?\s+monat"
    rf"|{_COUNT}\s+(?:monats)?miet(?:en|zahlungen)"
)
_RETURNED = re.compile(
    rf"(?:auszug|ausgezogen|r(?:ü|ue)ckgabe|zur(?:ü|ue)ckgegeben|(?:ü|ue)bergabe).{{0,60}}?vor\s+{_COUNT}e?n?\s+monat"
)
_RETURNED_BEFORE = re.compile(rf"vor\s+{_COUNT}e?n?\s+monat\w*.{{0,60}}?(?:ausgezogen|zur(?:ü|ue)ckgegeben)")
_SETTLEMENT = re.compile(r"abrechnung\w*\b[^\d\n]{0,30}(20\d\d)\b")
NEAR = timedelta(days=60)  # before twelve months after a calendar year have gone by (§ 556 (3) BGB)
NOW_DAYS, HIGH_DAYS, MONTHS_ARREARS, MONTHS_RETURNED = 3, 10, 2, 4


@dataclass(frozen=True)
class Urgency:
    """The level and what it rests on."""

    level: str
    reasons: tuple[str, ...]

    @property
    def line(self) -> str:
        """Write level and reasons as EspoCRM shows them."""
        return f"{self.level} ({'; '.join(self.reasons)})"


def judge(lead: Lead, today: date, working_days_until: Callable[[date], int]) -> Urgency:
    """Take the highest level that anything speaks for."""
    found = list(_signs(lead, today, working_days_until))
    if not found:
        low = lead.typ == CONTACT and lead.anliegen.thema is None
        return (
            Urgency("niedrig", ("Kontaktformular ohne Thema",))
            if low
            else Urgency("normal", ("kein Hinweis auf Eile",))
        )
    level = min((each for each, _ in found), key=LEVELS.index)
    return Urgency(level, tuple(reason for each, reason in found if each == level))


def higher(first: str, second: str) -> str:
    """Give the more urgent of two levels."""
    return min(first, second, key=lambda each: LEVELS.index(each) if each in LEVELS else len(LEVELS))


def _signs(lead: Lead, today: date, working_days_until: Callable[[date], int]) -> Iterator[tuple[str, str]]:
    if lead.anliegen.frist:
        yield from _deadline(working_days_until(date.fromisoformat(lead.anliegen.frist)))
    text = " ".join(filter(None, (lead.anliegen.betreff, lead.anliegen.beschreibung))).lower()
    for word, pattern in _NOW.items():
        if re.search(pattern, text):
            yield "sofort", f"Wort {word}"
    if _SERVED.search(text):
        yield "hoch", "Klage zugestellt"
    if _most(_ARREARS, text) >= MONTHS_ARREARS:
        yield "hoch", "Rückstand von mindestens zwei Mieten"
    if max(_most(_RETURNED, text), _most(_RETURNED_BEFORE, text)) >= MONTHS_RETURNED:
        yield "hoch", "Rückgabe vor mindestens vier Monaten"
    for year in dict.fromkeys(_SETTLEMENT.findall(text)):
        if _is_near(int(year), today):
            yield "hoch", f"Abrechnung {year} bald zwölf Monate alt"


def _is_near(year: int, today: date) -> bool:
    end = date(year + 1, 12, 31)
    return end - NEAR <= today <= end


def _deadline(days: int) -> Iterator[tuple[str, str]]:
    if days > HIGH_DAYS:
        return
    unit = "Arbeitstag" if days == 1 else "Arbeitstagen"
    yield "sofort" if days <= NOW_DAYS else "hoch", "Frist abgelaufen" if days < 0 else f"Frist in {days} {unit}"


def _most(pattern: re.Pattern[str], text: str) -> int:
    counts = [next(filter(None, match.groups()), "0") for match in pattern.finditer(text)]
    return max((int(each) if each.isdigit() else _NUMBERS.get(each, 0) for each in counts), default=0)
