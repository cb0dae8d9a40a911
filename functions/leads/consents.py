"""The proofs of consent: appended, never changed; a withdrawal is one more record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from functions.leads.contact import folded_email, read_phones
from functions.leads.identity import who
from functions.leads.submission import Submission
from shared.clock import Clock, iso
from shared.errors import InvalidRequestError

if TYPE_CHECKING:
    from shared.state.leads import LeadStore

PURPOSES: Final = ("datenschutzhinweis", "newsletter", "werbung_telefon", "weitergabe_kanzlei")
YEAR_S: Final = 366 * 86400
KEPT_S: Final = {"newsletter": 3 * YEAR_S, "werbung_telefon": 5 * YEAR_S}  # § 7a UWG: five years for the telephone
OTHERS_KEPT_S: Final = 3 * YEAR_S
FOR_AS_LONG_AS_IT_HOLDS: Final = frozenset({"newsletter"})


@dataclass(frozen=True)
class Consents:
    """Keeps, lists and withdraws what somebody agreed to."""

    store: Callable[[], LeadStore]
    clock: Clock

    def keep_all(self, lead_id: str, submission: Submission) -> None:
        """Keep what a form's boxes say, by the address and by each number, so that either finds it.

        The newsletter's is kept when its link was confirmed.
        """
        lead = submission.lead
        given = [each for each in lead.einwilligungen if each.erteilt and each.zweck != "newsletter"]
        for each in given:
            said = {**asdict(each), "formular": lead.quelle.formular, "lead_id": lead_id}
            for digest in who(self.store().vault, submission):
                self._append(digest, each.zweck, said)

    def keep_newsletter(self, email: str, proof: dict[str, Any]) -> None:
        """Keep both steps of a double opt-in for as long as the newsletter is sent."""
        self._append(self._digests(email, [])[0], "newsletter", {"zweck": "newsletter", "erteilt": True, **proof})

    def withdraw(self, purpose: str, *, email: str | None, phone: str | None) -> dict[str, Any]:
        """Add the record that a consent has ended; its proofs are kept for some years from now."""
        found = self._person(email, phone)
        ended = {"zweck": purpose, "erteilt": False, "zeitpunkt": iso(self.clock())}
        self._append(found[0], purpose, ended)
        for each in found:
            self.store().agreements.keep_proofs_for(each, purpose, KEPT_S.get(purpose, OTHERS_KEPT_S))
        return ended

    def listed(self, *, email: str | None, phone: str | None) -> list[dict[str, Any]]:
        """List what is proven of an address or number, the oldest first, each once."""
        found = self._person(email, phone)
        kept = self.store().agreements
        proofs = [proof for each in found for purpose in PURPOSES for proof in kept.proofs(each, purpose)]
        return [proof for at, proof in enumerate(proofs) if proof not in proofs[:at]]

    def _append(self, digest: str, purpose: str, document: dict[str, Any]) -> None:
        kept_s = None if purpose in FOR_AS_LONG_AS_IT_HOLDS else KEPT_S.get(purpose, OTHERS_KEPT_S)
        said = {name: value for name, value in document.items() if value is not None}
        self.store().agreements.keep_proof(digest, purpose, said, kept_s)

    def _person(self, email: str | None, phone: str | None) -> list[str]:
        if found := self._digests(email, read_phones(phone) if phone else []):
            return found
        raise InvalidRequestError("Eine E-Mail-Adresse oder eine gültige Telefonnummer ist nötig.")

    def _digests(self, email: str | None, numbers: list[str]) -> list[str]:
        vault = self.store().vault
        found = vault.digests("mail", folded_email(email).encode()) if email else []
        return found + [each for number in numbers for each in vault.digests("phone", number.encode())]
