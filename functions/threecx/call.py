"""Pure: one call out of everything that was said about it, in any order and as often as anybody likes.

A call is the set of its events; each answer below is a function of that set, so neither order nor repetition can
matter, and a further event never takes the state back. The second half says which statements speak of one call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from shared.domain.call import Consent, Event, Said, Status

T = TypeVar("T")
CLOSE = timedelta(seconds=60)
_FIRST_HAND = (Said.STARTED, Said.ENDED, Said.TRANSFERRED, Said.LOGGED, Said.REPORT, Said.DIALLED)
_LAST_WORD = (Said.ENDED, Said.LOGGED, Said.REPORT, Said.STARTED, Said.DIALLED)
_OVER = frozenset({Said.ENDED, Said.REPORT, Said.LOGGED})


@dataclass(frozen=True)
class Call:
    """A call as far as it is known."""

    events: frozenset[Event] = frozenset()

    def told(self, *events: Event) -> Call:
        """Add what was said."""
        return Call(self.events | frozenset(events))

    @property
    def status(self) -> Status:
        """Tell how far the call has come."""
        if any(event.failed for event in self.events):
            return Status.FAILED
        if any(event.said in _OVER for event in self.events):
            return Status.ENDED
        if self._of(Said.TRANSFERRED) or any(event.answered for event in self.events):
            return Status.CONNECTED
        return Status.RINGING if self._of(Said.STARTED) else Status.INITIATED

    @property
    def over(self) -> bool:
        """Tell whether the call has ended, one way or the other."""
        return self.status >= Status.ENDED

    @property
    def direction(self) -> str:
        """Say who called whom."""
        return self._pick(_FIRST_HAND, lambda event: event.direction) or "inbound"

    @property
    def number(self) -> str:
        """Give the outside party's number; empty when it was withheld."""
        return self._pick(_FIRST_HAND, lambda event: event.number) or ""

    @property
    def queue(self) -> str:
        """Name the queue through which it came."""
        return self._pick(_FIRST_HAND, lambda event: event.queue) or ""

    @property
    def agents(self) -> frozenset[str]:
        """List every extension that had to do with it."""
        named = {event.agent for event in self.events} | {event.moved_to for event in self.events}
        return frozenset(named - {""})

    @property
    def agent(self) -> str:
        """Name the extension to which the call belongs: after a transfer the last one, else who took it."""
        moves = sorted(self._of(Said.TRANSFERRED), key=lambda event: (event.at, event.moved_to))
        if moves:
            return moves[-1].moved_to
        return self._pick(_LAST_WORD, lambda event: event.agent, last=True) or ""

    @property
    def agent_email(self) -> str:
        """Give the e-mail address of that agent, where somebody has told it."""
        known = sorted(event.agent_email for event in self.events if event.agent == self.agent and event.agent_email)
        return known[0] if known else ""

    @property
    def answered(self) -> bool:
        """Tell whether the two sides spoke."""
        implied = any((event.duration_s or 0) > 0 for event in self.events if event.answered is None)
        return implied or bool(self._of(Said.TRANSFERRED)) or any(event.answered for event in self.events)

    @property
    def start(self) -> datetime:
        """Say when it began: as told, else as reported, else counted back from its end."""
        started = [event.at for event in self._of(Said.STARTED)]
        if started:
            return min(started)
        told = self._pick((Said.LOGGED, Said.REPORT, Said.DIALLED, Said.ENDED), lambda event: event.start)
        return told or min(begin_of(event) for event in self.events)

    @property
    def end(self) -> datetime | None:
        """Say when it ended; None while it goes on."""
        for said in (Said.ENDED, Said.LOGGED, Said.REPORT):
            ends = [event.at for event in self._of(said)]
            if ends:
                return max(*ends, self.start)
        return self.last if self.over else None

    @property
    def last(self) -> datetime:
        """Say when something was last said about it."""
        return max(event.at for event in self.events)

    @property
    def answered_at(self) -> datetime | None:
        """Say when the two sides began to speak, where the length of their talk is known."""
        length, end = self.duration_s, self.end
        return max(self.start, end - timedelta(seconds=length)) if self.answered and length and end else None

    @property
    def duration_s(self) -> float | None:
        """Say how long the two sides spoke."""
        return self._pick(_LAST_WORD, lambda event: event.duration_s, last=True)

    @property
    def consent(self) -> Consent:
        """Say what is known about consent to a recording."""
        return max((event.consent for event in self.events), default=Consent.NONE)

    @property
    def recording_id(self) -> str:
        """Name the recording."""
        return self._pick(_LAST_WORD, lambda event: event.recording_id, last=True) or ""

    @property
    def entity(self) -> tuple[str, str]:
        """Name the record that the phone system has shown for the number."""
        found = self._pick(_LAST_WORD, lambda event: (event.entity_type, event.entity_id) if event.entity_id else None)
        return found or ("", "")

    @property
    def start_is_known(self) -> bool:
        """Tell whether anything says when it began."""
        return any(event.said is Said.STARTED or event.start or event.duration_s for event in self.events)

    def _of(self, said: Said) -> list[Event]:
        return sorted((event for event in self.events if event.said is said), key=_order)

    def _pick(self, order: Iterable[Said], what: Callable[[Event], T | None], *, last: bool = False) -> T | None:
        """Ask the kinds of statements in their order of trust, and in each the first or the last that says anything."""
        for said in order:
            answers = [answer for event in self._of(said) if (answer := what(event)) not in (None, "")]
            if answers:
                return answers[-1 if last else 0]
        return None


def begin_of(event: Event) -> datetime:
    """Say when a call began as far as one statement tells."""
    return event.start or event.at - timedelta(seconds=event.duration_s or 0)


def _order(event: Event) -> tuple[datetime, str]:
    return event.at, repr(event)


@dataclass(frozen=True)
class Entry:
    """What is stored under one key: a call with an id of its own, or a report that came without one."""

    key: str
    call: Call
    has_id: bool = True


@dataclass(frozen=True)
class Group:
    """All entries that speak of one real call; the first of `keys` names it."""

    keys: tuple[str, ...]
    call: Call
    has_id: bool


def grouped(entries: Iterable[Entry]) -> list[Group]:
    """Find the real calls behind the entries of one number: ids never merge, each report joins the nearest call."""
    all_entries = sorted(entries, key=lambda entry: (entry.call.start, entry.key))
    groups = {entry.key: [entry] for entry in all_entries if entry.has_id}
    joined = _assigned([entry for entry in all_entries if not entry.has_id], list(groups.values()))
    for report in (entry for entry in all_entries if not entry.has_id and entry.key not in joined):
        home = next((key for key, there in groups.items() if not there[0].has_id and _may_follow(report, there)), None)
        groups.setdefault(home or report.key, []).append(report)
    return [_group(there) for there in groups.values()]


def _assigned(reports: list[Entry], calls: list[list[Entry]]) -> set[str]:
    """Give each call with an id at most one report of each agent, the nearest pairs first."""
    pairs = [(_distance(report, there[0]), report, there) for report in reports for there in calls]
    pairs.sort(key=lambda pair: (_stranger(pair[1], pair[2][0]), pair[0], pair[2][0].key, pair[1].key))
    joined: set[str] = set()
    for distance, report, there in pairs:
        if distance > CLOSE or report.key in joined or not _may_join(report, there):
            continue
        there.append(report)
        joined.add(report.key)
    return joined


def _may_join(report: Entry, there: list[Entry]) -> bool:
    return not any(_same_report(report, other) for other in there[1:]) and _stranger(report, there[0]) < 2


def _same_report(report: Entry, other: Entry) -> bool:
    """Recognise what must speak of another call: a second row of the log, a second report by one agent."""
    both = {event.said for event in report.call.events} & {event.said for event in other.call.events}
    return Said.LOGGED in both or (report.call.agent == other.call.agent and bool(both))


def _stranger(report: Entry, entry: Entry) -> int:
    """Rank how well a report fits: 0 the same agent or queue, 1 nothing is known of them, 2 somebody else."""
    mine, theirs = report.call, entry.call
    if mine.agents & theirs.agents or (mine.queue and mine.queue == theirs.queue):
        return 0
    return 2 if theirs.agents or theirs.queue else 1


def _may_follow(report: Entry, there: list[Entry]) -> bool:
    """Join reports of one queue call, and what the log and the template say about the same agent."""
    if _distance(report, there[0]) > CLOSE or any(_same_report(report, other) for other in there):
        return False
    first = there[0].call
    same = report.call.agent == first.agent or any(report.call.agents & entry.call.agents for entry in there)
    return same or (bool(first.queue) and report.call.queue == first.queue)


def _distance(report: Entry, entry: Entry) -> timedelta:
    if entry.call.start_is_known:
        return abs(report.call.start - entry.call.start)
    return abs(report.call.last - entry.call.last)


def _group(there: list[Entry]) -> Group:
    first, *rest = there
    keys = (first.key, *sorted(entry.key for entry in rest))
    return Group(keys, first.call.told(*(event for entry in rest for event in entry.call.events)), first.has_id)
