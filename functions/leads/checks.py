"""Refuse what nobody could work with: an unknown type, nobody to answer to, a newsletter without consent."""

from __future__ import annotations

from functions.leads.errors import FieldError
from functions.leads.submission import Submission
from shared.domain.lead import NEWSLETTER


def require_usable(submission: Submission) -> None:
    """Raise what the sender has to hear; everything softer is for a person to look at."""
    lead = submission.lead
    if not submission.readable:
        return
    if not submission.type_known:
        raise FieldError("typ", "typ_unbekannt", "Unbekannter Formulartyp.")
    if not submission.reachable or (lead.typ == NEWSLETTER and not submission.given_email):
        field = "person.email" if submission.reachable else "person"
        raise FieldError(field, "kontakt_fehlt", "Bitte E-Mail oder Telefonnummer angeben.")
    only_mail = not lead.person.telefon or lead.typ == NEWSLETTER
    if submission.given_email and not lead.person.email and only_mail:
        raise FieldError(
            "person.email", "email_ungueltig", "Bitte eine gültige E-Mail-Adresse angeben.", submission.email_suggestion
        )
    if lead.typ == NEWSLETTER and not lead.consented("newsletter"):
        raise FieldError("einwilligungen", "einwilligung_fehlt", "Ohne Einwilligung kein Newsletter.")
