"""Name a submission: by its sender's key, else by what it says; always as a keyed hash."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from functions.leads.contact import folded_email
from functions.leads.submission import Submission
from shared.crypto import Vault

SLOT_S = 30 * 60
MOST = 16


@dataclass(frozen=True)
class Identity:
    """The id of a submission; `others` are ids under which the same one may be known already."""

    lead_id: str
    given: bool
    others: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()


def identify(vault: Vault, header_key: str | None, submission: Submission, raw: bytes, now_s: float) -> Identity:
    """Derive the id from the key that the sender gave, else from the content and its half hour."""
    key = (header_key or "").strip() or submission.lead.id
    if key:
        first, *older = [digest[:32] for digest in vault.digests("submission", key.encode())]
        return Identity(first, given=True, others=tuple(older))
    contents = vault.digests("content", _content(submission, raw))
    slot = int(now_s) // SLOT_S
    named = [_slotted(vault, content, at)[0] for at in (slot, slot - 1) for content in contents[:1]]
    older = [_slotted(vault, content, at)[n] for n, content in enumerate(contents) if n for at in (slot, slot - 1)]
    return Identity(named[0], given=False, others=(*named[1:], *older), contents=tuple(contents))


def _slotted(vault: Vault, content: str, slot: int) -> list[str]:
    return [digest[:32] for digest in vault.digests("submission", f"{content}|{slot}".encode())]


def _content(submission: Submission, raw: bytes) -> bytes:
    lead = submission.lead
    if not submission.readable or not submission.reachable:
        return b"raw|" + raw
    phone = submission.phones[0] if submission.phones else submission.given_phone
    mail = folded_email(lead.person.email or submission.given_email)
    return "|".join((lead.typ, mail, phone, folded_text(lead.anliegen.beschreibung or ""))).encode()


def who(vault: Vault, submission: Submission) -> list[str]:
    """Name the sender by each address and number that the form tells, as keyed hashes."""
    mails = [vault.digest("mail", each.encode()) for each in submission.emails]
    return [*mails, *(vault.digest("phone", each.encode()) for each in submission.phones)][:MOST]


def what_is_said(submission: Submission) -> bytes:
    """Write who said what, so that only what brings nothing new is equal; empty where either is missing."""
    lead, text = submission.lead, folded_text(submission.lead.anliegen.beschreibung or "")
    people = (*submission.emails, *submission.phones)
    if not text or not people:
        return b""
    concern = (lead.typ, lead.anliegen.thema, lead.objekt.line, lead.gegenseite.name, lead.anliegen.frist)
    agreed = (each.zweck for each in lead.einwilligungen if each.erteilt)
    wish = "ruf" if lead.kontaktwunsch.rueckruf else ""
    return "|".join((*people, *(each or "" for each in concern), wish, *agreed, text)).encode()


def folded_text(text: str) -> str:
    """Fold a text for comparison: case, blanks and spelling of characters do not count."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
