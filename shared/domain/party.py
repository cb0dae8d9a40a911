"""A party of the law firm: a person or a company, whichever system it was read from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Party:
    """What both systems can say about a party. None: this system says nothing about it; "": it says there is none."""

    name: str = ""
    first_name: str | None = None
    salutation: str | None = None
    title: str | None = None
    legal_form: str | None = None
    birth_date: date | str | None = None
    street: str | None = None
    postal_code: str | None = None
    city: str | None = None
    country: str | None = None
    email: str | None = None
    phone: str | None = None
    mobile: str | None = None
    other_emails: tuple[str, ...] = ()
    other_phones: tuple[str, ...] = ()

    @property
    def emails(self) -> tuple[str, ...]:
        """List every e-mail address."""
        return tuple(filter(None, (self.email, *self.other_emails)))

    @property
    def phones(self) -> tuple[str, ...]:
        """List every phone number."""
        return tuple(filter(None, (self.phone, self.mobile, *self.other_phones)))
