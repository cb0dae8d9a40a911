"""Name recordings that exist only a while after the call, and have those deleted to which nobody has agreed.

A phone system lists a recording some time after its call has ended. So we look again, ever later, for a day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.threecx.call import Call, Group
from shared.clock import Clock, utc_now
from shared.domain.call import Consent
from shared.errors import UpstreamError, UpstreamRejectedError
from shared.log import get_log
from shared.threecx.provider import Erased, Provider, RateLimitedError
from shared.threecx.store import Binding, CallStore

log = get_log(__name__)
LOOKS = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=4), timedelta(hours=24))
FORBIDDEN = frozenset({Consent.REFUSED, Consent.WITHDRAWN})


@dataclass(frozen=True)
class Recordings:
    """Looks after the recordings of calls."""

    store: CallStore
    provider: Callable[[], Provider]
    public_url: str = ""
    clock: Clock = utc_now

    def named(self, group: Group, last: Binding) -> str:
        """Name the recording; where nobody has told it, ask the phone system if we may listen. Empty for none yet."""
        known = group.call.recording_id or last.recording
        may_listen = max(group.call.consent, last.consent) is Consent.GIVEN
        if known or not (may_listen and group.call.answered and self._can_look()):
            return known
        found = self._found(group)
        if not found:
            self._later(group)
        return found

    def url(self, group: Group) -> str:
        """Give the address under which a recording is heard."""
        call_id = self._call_id(group)
        return f"{self.public_url}/threecx/calls/{call_id}/recording" if call_id else ""

    def erased(self, group: Group, last: Binding) -> bool:
        """Have a recording deleted to which nobody agreed (any more); one that is not there may still be written."""
        if not is_to_erase(last):
            return last.erased
        try:
            outcome = self.provider().erase(self._call_id(group), last.recording)
        except UpstreamRejectedError:
            outcome = Erased.BY_HAND
        settled = outcome is Erased.ABSENT and not self._later(group)
        log.info("recording_erased", granted=settled or outcome is Erased.DONE, outcome=outcome.value)
        return settled or outcome is Erased.DONE

    def _can_look(self) -> bool:
        return "log" in self.provider().capabilities

    def _found(self, group: Group) -> str:
        try:
            return self.provider().recording_of(self._call_id(group), group.call.number)
        except (UpstreamError, RateLimitedError) as error:
            log.warning("recording_unknown", slug=error.slug)
            return ""

    def _later(self, group: Group) -> bool:
        """Note when to look again, if that is still worth it."""
        when = next_look(group.call, self.clock())
        if when is not None:
            self.store.look_at(group.keys[0], when)
        return when is not None

    def _call_id(self, group: Group) -> str:
        return self.store.call_id(group.keys[0]) if group.has_id else ""


def is_to_erase(last: Binding) -> bool:
    """Tell whether there is a recording that must not be, and is not known to be deleted."""
    return bool(last.recording) and last.consent in FORBIDDEN and not last.erased


def next_look(call: Call, now: datetime) -> datetime | None:
    """Say when to look for a recording again; not at all a day after the call."""
    end = call.end or call.last
    return next((end + wait for wait in LOOKS if end + wait > now), None)
