"""What came of reading one body: the lead, what is remarkable about it, and what a person must look at."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from functions.leads.contact import folded_email
from shared.domain.lead import Lead


@dataclass(frozen=True)
class Remark:
    """Something about one field that the sender may want to know."""

    feld: str
    code: str


@dataclass(frozen=True)
class Submission:
    """A lead with the findings of the reading; `grounds` are the reasons for a person to look at it."""

    lead: Lead
    type_known: bool = True
    remarks: tuple[Remark, ...] = ()
    hints: tuple[Remark, ...] = ()  # for the office only
    grounds: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    given_email: str = ""
    given_phone: str = ""
    email_suggestion: str | None = None
    disposable: bool = False
    markup: bool = False
    readable: bool = True
    text: str = field(default="", repr=False)

    @property
    def emails(self) -> list[str]:
        """List the addresses that were given, folded; the one that is written to comes first."""
        given = [self.lead.person.email or "", *re.split(r"[\s,;]+", self.given_email)]
        return list(dict.fromkeys(folded_email(each) for each in given if "@" in each))

    @property
    def reachable(self) -> bool:
        """Tell whether anything that could be an address or a number was given."""
        return bool(self.lead.person.email or self.lead.person.telefon or self.given_email or self.given_phone)
