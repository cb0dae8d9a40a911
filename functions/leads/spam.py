"""Score what looks like spam; it flags and never drops."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from functions.leads.submission import Submission

SPAM, SUSPECT = 5, 2
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
FASTEST_HUMAN_S, MANY_LINKS, PER_HOUR, PER_DAY, MANY_SENDERS = 3, 2, 5, 20, 3
LATIN_SHARE: Final = 0.1


@dataclass(frozen=True)
class Crowd:
    """What came from the same visitor, and how many senders sent the same text."""

    in_hour: int = 0
    in_day: int = 0
    same_text: int = 0


@dataclass(frozen=True)
class Score:
    """How much speaks for spam, and what."""

    points: int
    reasons: tuple[str, ...]

    @property
    def is_spam(self) -> bool:
        """Tell whether it is kept away from EspoCRM until a person releases it."""
        return self.points >= SPAM

    @property
    def is_suspect(self) -> bool:
        """Tell whether a person should look at it in EspoCRM."""
        return SUSPECT <= self.points < SPAM


def score(submission: Submission, crowd: Crowd) -> Score:
    """Add up the signs; no amount of ordinary traffic alone makes spam."""
    found = list(_signs(submission, crowd))
    return Score(sum(points for points, _ in found), tuple(reason for _, reason in found))


def _signs(submission: Submission, crowd: Crowd) -> Iterator[tuple[int, str]]:
    lead = submission.lead
    text = lead.anliegen.beschreibung or ""
    seconds = lead.technik.ausfuellzeit_s
    if lead.technik.honeypot:
        yield 5, "verstecktes Feld ausgefüllt"
    if seconds is not None and seconds < FASTEST_HUMAN_S:
        yield 3, "unter 3 Sekunden ausgefüllt"
    if len(_LINK.findall(text)) > MANY_LINKS:
        yield 3, "viele Links"
    if submission.markup:
        yield 3, "Auszeichnungen im Text"
    if _foreign_share(text) > 1 - LATIN_SHARE:
        yield 3, "fremde Schrift"
    if submission.disposable:
        yield 2, "Wegwerf-Adresse"
    if crowd.same_text > MANY_SENDERS:
        yield 2, "gleicher Text von mehreren Absendern"
    if crowd.in_hour > PER_HOUR or crowd.in_day > PER_DAY:
        yield 2, "viele Anfragen von einer Adresse"


def _foreign_share(text: str) -> float:
    letters = [char for char in text if char.isalpha()]
    if len(letters) < 10:
        return 0.0
    return sum(not unicodedata.name(char, "").startswith("LATIN") for char in letters) / len(letters)
