"""One lead in hand: what was read, what was judged, and what is said beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from functions.leads.intake import Verdict
from functions.leads.journey import Journey
from functions.leads.render import Facts
from functions.leads.submission import Submission


@dataclass(frozen=True)
class Work:
    """A lead on its way into EspoCRM; `others` are ids under which it may be there already."""

    journey: Journey
    submission: Submission
    verdict: Verdict
    facts: Facts
    others: tuple[str, ...] = ()
    given: bool = False

    @property
    def lead_id(self) -> str:
        """Name the submission."""
        return self.journey.lead_id

    @property
    def at(self) -> datetime:
        """Tell when it came."""
        return self.facts.received_at

    @property
    def repeats_since(self) -> datetime | None:
        """Tell since when something under one of the other ids is this very lead; None for ever."""
        return None if self.given else self.at

    @property
    def assigned(self) -> Mapping[str, Any]:
        """Give EspoCRM's attributes of who is responsible."""
        return self.facts.assigned
