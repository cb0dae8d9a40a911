"""Until when the office has to act on a lead."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from shared.office_hours import BERLIN, OfficeHours
from shared.settings.leads import OfficeSettings

__all__ = ["BERLIN", "Office"]
HIGH_HOURS, NORMAL_DAYS, LOW_DAYS = 4, 1, 3


class Office(OfficeHours):
    """The firm's hours, and what each urgency means in them."""

    @classmethod
    def of(cls, settings: OfficeSettings, hours: str | None = None) -> Self:
        """Read the settings; `hours` may be those of the telephone."""
        return cls.read(hours or settings.hours, settings.state, settings.closed)

    def due(self, urgency: str, moment: datetime) -> datetime:
        """Say until when a person has to act on what came at this moment."""
        match urgency:
            case "sofort":
                return self.next_open(moment)
            case "hoch":
                return self.after(moment, timedelta(hours=HIGH_HOURS))
            case "normal":
                return self.after_days(moment, NORMAL_DAYS)
        return self.after_days(moment, LOW_DAYS)
