"""Work one lead off: read it, judge it, bring it to EspoCRM exactly once, forget what is personal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.leads.crm_steps import CrmSteps
from functions.leads.envelope import Envelope, Reader
from functions.leads.followup import FollowUp
from functions.leads.identity import what_is_said, who
from functions.leads.intake import Verdict, decide
from functions.leads.journey import ErasedError, Journey
from functions.leads.newsletter import Newsletter
from functions.leads.office import Office
from functions.leads.spam import Crowd
from functions.leads.submission import Submission
from shared import metrics
from shared.crypto import UnreadableError
from shared.events.task import PostponeError, SetAsideError, Task
from shared.last_look import looking
from shared.log import get_log

if TYPE_CHECKING:
    from shared.state.leads import LeadStore

log = get_log(__name__)
SAME_TEXT_S = 3600
BUSY_S = 0.3


@dataclass(frozen=True)
class Intake:
    """The subscriber of `lead.received`."""

    store: Callable[[], LeadStore]
    reader: Reader
    office: Office
    steps: CrmSteps
    follow_up: FollowUp
    newsletter: Newsletter
    spam_days: int
    settle_s: float
    erase: Callable[[str], None]

    def handle(self, task: Task) -> None:
        """Work off one lead; what nobody knows any more is done."""
        store = self.store()
        try:
            record = store.load(task.item)
        except UnreadableError as error:
            raise SetAsideError("lead-undecipherable") from error
        if record is None:
            store.set_open(task.item, None)
            return
        journey = Journey(store, record, task, self.settle_s)
        try:
            with looking(journey.look):
                journey.look()
                self._go_on(journey, record.payload)
        except ErasedError:
            self._clear_away(journey)

    def _clear_away(self, journey: Journey) -> None:
        """Erase what came of a lead that was erased in hand, and once more when nothing can arrive any more."""
        self.newsletter.forget(journey)
        self.erase(journey.lead_id)
        journey.store.set_open(journey.lead_id, None)
        if left_s := journey.open_s():
            raise PostponeError(left_s)

    def _go_on(self, journey: Journey, payload: bytes | None) -> None:
        if payload is None:
            self.follow_up.later(journey)
            return
        envelope = Envelope.from_bytes(payload)
        submission = self.reader.read(envelope)
        crowd = Crowd(*(int(journey.note(name) or 0) for name in ("hour", "day", "text")))
        released = bool(journey.note("released"))
        verdict = decide(submission, crowd, self.office, envelope.received_at, released=released)
        log.info("lead_judged", lead_id=journey.lead_id, action=verdict.way, state=verdict.urgency.level)
        metrics.LEADS.labels("judged", verdict.way).inc()
        journey.write(judged=verdict.way)
        match verdict.way:
            case "spam":
                self.store().keep_payload_for(journey.lead_id, self.spam_days)
                journey.write(state="spam")
            case "newsletter":
                self.newsletter.invite(journey, submission, envelope.received_at)
            case _:
                self._to_crm(journey, submission, envelope, verdict)

    def _to_crm(self, journey: Journey, submission: Submission, envelope: Envelope, verdict: Verdict) -> None:
        keys = who(self.store().vault, submission)
        if not journey.note("way") and self._is_repeat(journey, submission):
            journey.write(("payload",), state="gezaehlt")
            metrics.LEADS.labels("filed", "counted").inc()
            return
        with self.store().holding(keys, journey.lead_id) as held:
            if not held:
                raise PostponeError(BUSY_S)
            self._keep_consents(journey, submission, envelope)
            way = self.steps.carry(journey, submission, envelope, verdict)
        metrics.LEADS.labels("filed", way).inc()
        log.info("lead_in_espocrm", lead_id=journey.lead_id, outcome=way)
        self.follow_up.now(journey, submission, verdict)

    def _keep_consents(self, journey: Journey, submission: Submission, envelope: Envelope) -> None:
        """Prove what was agreed to before the form is dropped; a repeat may prove it twice, which harms nobody."""
        if not journey.note("consents"):
            self.newsletter.consents.keep_all(journey.lead_id, submission)
            self.newsletter.wish(journey, submission, envelope.received_at)
            journey.write(consents=1)

    def _is_repeat(self, journey: Journey, submission: Submission) -> bool:
        """Tell whether the same person said the same within the hour: counted, nothing more."""
        said = what_is_said(submission)
        if not said:
            return False
        name, *older = [f"text:{each}" for each in self.store().vault.digests("repeat", said)]
        return self.store().once(name, journey.lead_id, SAME_TEXT_S, older) != journey.lead_id
