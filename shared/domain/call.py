"""The nouns of a phone call: what was said about it, and in which states it can be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum


class Status(IntEnum):
    """How far a call has come; it never goes back."""

    INITIATED = 0
    RINGING = 1
    CONNECTED = 2
    ENDED = 3
    FAILED = 4

    @property
    def word(self) -> str:
        """Give the word that stands in answers."""
        return self.name.lower()


class Consent(IntEnum):
    """What the other side said to being recorded; of two statements the more careful one holds."""

    NONE = 0
    ASKED = 1
    GIVEN = 2
    REFUSED = 3
    WITHDRAWN = 4

    @property
    def word(self) -> str:
        """Give the word that stands in answers."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str | None) -> Consent:
        """Read a word; one that nobody knows is no consent."""
        return cls[word.upper()] if word and word.upper() in cls.__members__ else cls.NONE


class Said(StrEnum):
    """Who told us something about a call, and what."""

    STARTED = "started"
    TRANSFERRED = "transferred"
    ENDED = "ended"
    REPORT = "report"
    LOGGED = "logged"
    DIALLED = "dialled"


@dataclass(frozen=True, order=True)
class Event:
    """One statement about one call; numbers are E.164, agents are extensions, what was not said is empty."""

    said: Said
    at: datetime
    direction: str = ""
    number: str = ""
    agent: str = ""
    queue: str = ""
    moved_to: str = ""
    answered: bool | None = None
    start: datetime | None = None
    duration_s: float | None = None
    recording_id: str = ""
    consent: Consent = Consent.NONE
    entity_type: str = ""
    entity_id: str = ""
    failed: bool = False
    agent_email: str = ""
