"""Receive a lead: who sent it, what it says, one atomic note, an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from functions.leads.checks import require_usable
from functions.leads.envelope import Envelope, Reader
from functions.leads.errors import FieldError, IdempotencyError, StoreError
from functions.leads.identity import Identity, folded_text, identify, who
from functions.leads.proof import SIGNED, Proof
from functions.leads.spam import Crowd, score
from functions.leads.submission import Submission
from shared import metrics
from shared.clock import Clock
from shared.events.task import STOPPING
from shared.log import current, get_log
from shared.web.call import Call, json_response
from shared.web.problems import is_redis_error

if TYPE_CHECKING:
    from shared.crypto import Vault
    from shared.state.leads import Accepted, Arrival, LeadStore

log = get_log(__name__)
MAX_BODY_BYTES = 256 * 1024
Direct = Callable[[Submission, Identity, datetime], bool]


@dataclass(frozen=True)
class Receiver:
    """Takes leads in; `direct` gives one to EspoCRM at once when there is no store."""

    proof: Proof
    vault: Callable[[], Vault]
    store: Callable[[], LeadStore]
    reader: Reader
    rate_per_minute: int
    hand_off: Callable[[str], None]
    direct: Direct
    clock: Clock

    def receive(self, call: Call) -> Response:
        """Answer one submission; 200 only once it is kept."""
        raw, now = call.body(), self.clock()
        headers = call.request.headers
        sender = self.proof.require(raw, headers, call.query.get("token"), now.timestamp())
        if STOPPING.is_set():
            raise StoreError
        envelope = Envelope(raw, headers.get("Content-Type"), call.query.get("typ"), now)
        submission = self.reader.read(envelope)
        identity = identify(self.vault(), headers.get("Idempotency-Key"), submission, raw, now.timestamp())
        refusal = _refusal(submission)
        if refusal is not None:
            self._refuse(refusal, identity, raw)
        envelope = Envelope(raw, envelope.content_type, envelope.query_type, now, identity.others, identity.given)
        return self._keep(submission, identity, envelope, sender)

    def _keep(self, submission: Submission, identity: Identity, envelope: Envelope, sender: str) -> Response:
        answer = _answer(identity.lead_id, submission, sender)
        arrival = self._arrival(submission, identity, envelope, sender, answer)
        try:
            accepted = self.store().accept(arrival, self.rate_per_minute)
        except Exception as error:
            if not is_redis_error(error):
                raise
            return self._without_store(submission, identity, envelope.received_at, answer)
        metrics.LEADS.labels("received", accepted.kind).inc()
        if accepted.kind == "conflict":
            raise IdempotencyError
        log.info("lead_accepted", lead_id=accepted.lead_id, outcome=accepted.kind, mode=sender)
        if accepted.kind == "new":
            self.hand_off(accepted.lead_id)
        return _answered(accepted)

    def _without_store(
        self, submission: Submission, identity: Identity, at: datetime, answer: dict[str, Any]
    ) -> Response:
        log.warning("lead_store_unavailable", lead_id=identity.lead_id)
        if not self.direct(submission, identity, at):
            raise StoreError
        metrics.LEADS.labels("received", "direct").inc()
        log.info("lead_accepted", lead_id=identity.lead_id, outcome="direct")
        return json_response(answer)

    def _refuse(self, refusal: FieldError, identity: Identity, raw: bytes) -> None:
        """Say no, unless the key was used for something else before: that is told first."""
        known = None
        if identity.given:
            try:
                known = self._known(identity)
            except Exception as error:
                if not is_redis_error(error):
                    raise
        if known is not None and known not in self.vault().digests("body", raw):
            raise IdempotencyError
        metrics.LEADS.labels("received", refusal.code).inc()
        raise refusal

    def _known(self, identity: Identity) -> str | None:
        ids = (identity.lead_id, *identity.others)
        records = (self.store().load(each) for each in ids)
        return next((record.note("body") for record in records if record), None)

    def _arrival(
        self, submission: Submission, identity: Identity, envelope: Envelope, sender: str, answer: dict[str, Any]
    ) -> Arrival:
        from shared.state.leads import Arrival

        vault, visitor = self.vault(), submission.lead.technik.ip
        text = folded_text(submission.lead.anliegen.beschreibung or "")
        return Arrival(
            identity.lead_id,
            vault.digests("body", envelope.raw),
            envelope.to_bytes(),
            json.dumps(answer, ensure_ascii=False, separators=(",", ":")),
            identity.given,
            identity.others if identity.given else (),
            identity.contents,
            who(vault, submission),
            vault.digest("visitor", visitor.encode()) if visitor and not visitor.startswith(("127.", "::1")) else "",
            vault.digest("text", text.encode()) if text else "",
            sender,
            current("request_id"),
        )


def _refusal(submission: Submission) -> FieldError | None:
    try:
        require_usable(submission)
    except FieldError as error:
        return error
    return None


def _answer(lead_id: str, submission: Submission, sender: str) -> dict[str, Any]:
    """Tell remarks to our own sender only, which signs; a form plugin may show them to a visitor or a machine."""
    told = sender == SIGNED and not score(submission, Crowd()).is_spam
    remarks = [{"feld": each.feld, "code": each.code} for each in submission.remarks] if told else []
    return {"status": "angenommen", "id": lead_id, "hinweise": remarks}


def _answered(accepted: Accepted) -> Response:
    headers = {"Idempotent-Replayed": "true"} if accepted.kind == "replay" else None
    return json_response(json.loads(accepted.answer), headers=headers)
