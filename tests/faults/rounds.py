"""Everybody speaks at once: what each sender heard, and in the end each thing that was taken, once."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from calendar_world import termin, timed
from processes import eventually
from wired import ENTITY, Answer, Wired

COUNT = itertools.count(1)


@dataclass
class Round:
    """What was sent under one kind of trouble, and what each sender heard."""

    firm: Wired
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    records: list[str] = field(default_factory=list)
    leads: list[int] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)
    posted: list[str] = field(default_factory=list)
    refused: list[Callable[[], Answer]] = field(default_factory=list)

    def note(self, what: str, answer: Answer) -> Answer:
        self.answers.setdefault(what, []).append(answer)
        return answer

    def statuses(self, what: str) -> Counter[int]:
        return Counter(each.status for each in self.answers[what])

    def send(self) -> None:
        """Let every sender speak at once, and both calendars change."""
        number = next(COUNT)
        self.firm.advoware.create("SB", **termin(2 + number % 30, f"A{number}"))
        calendar = next(each["id"] for each in self.firm.google.calendars() if each["summary"] == "AW-SB")
        self.firm.google.create_event(calendar, timed(2 + number % 30, "12:00", "13:00", summary=f"G{number}"))
        callers = [self._lookup, self._dial, self._trigger, self._read, self._post]
        self._at_once([self._webhook, self._lead, self._call, *callers] * 2)

    def tell(self, times: int, threads: int = 6, pause_s: float = 0.0) -> None:
        """Send so many webhooks, leads and calls each."""

        def paused(job: Callable[[], None]) -> Callable[[], None]:
            return lambda: (job(), time.sleep(pause_s))[0]

        self._at_once([paused(job) for _ in range(times) for job in (self._webhook, self._lead, self._call)], threads)

    def _at_once(self, jobs: list[Callable[[], None]], threads: int = 16) -> None:
        with ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(job) for job in jobs]:
                done.result()

    def _webhook(self) -> None:
        number = next(COUNT)
        record = self.firm.espocrm.add(ENTITY, firstName="Person", lastName=f"Nr{number}", silent=True)
        self.records.append(record)
        self._tell("webhook", lambda: self.firm.webhook(record, "create"))

    def _lead(self) -> None:
        number = next(COUNT)
        self.leads.append(number)
        self._tell("lead", lambda: self.firm.lead(number))

    def _call(self) -> None:
        number = next(COUNT)
        at = (datetime.now(UTC) - timedelta(hours=3, minutes=20 * number)).isoformat(timespec="seconds")
        caller = f"+49511{number:07}"
        self.callers.append(caller)
        self._tell("call", lambda: self.firm.ended_call(f"t-{number}", caller, at))

    def _tell(self, what: str, send: Callable[[], Answer]) -> None:
        if self.note(what, send()).status != 200:
            self.refused.append(send)

    def _lookup(self) -> None:
        self.note("lookup", self.firm.lookup(f"+49512{next(COUNT):07}"))

    def _dial(self) -> None:
        body = {"number": f"+49513{next(COUNT):07}", "extension": "102", "mode": "manual"}
        self.note("dial", self.firm.call("POST", "/threecx/calls", json=body))

    def _trigger(self) -> None:
        self.note("trigger", self.firm.call("POST", "/calendar/sync", json={"kuerzel": "SB"}))

    def _read(self) -> None:
        self.note("read", self.firm.call("GET", "/advoware/employees"))

    def _post(self) -> None:
        text = f"P{next(COUNT)}"
        self.posted.append(text)
        body = {"anwalt": "SB", **termin(40, text)}
        self.note(text, self.note("post", self.firm.call("POST", "/advoware/appointments", json=body)))


def open_calendar(firm: Wired) -> None:
    """Let the first run make the calendar, in good weather."""
    if not firm.google.calendars():
        firm.advoware.create("SB", **termin(1, "first"))
        assert firm.call("POST", "/calendar/sync", json={"kuerzel": "SB", "wait": True}).json()["state"] == "ok"


def insist(round_: Round) -> None:
    """Do as the senders do: tell again what was not taken, until it is; what was taken nobody tells again."""
    for send in round_.refused:
        eventually(lambda send=send: send().status == 200, 30)


def in_step(firm: Wired) -> bool:
    """Tell whether both calendars say the same, each thing once."""
    calendar = next(each["id"] for each in firm.google.calendars() if each["summary"] == "AW-SB")
    left = sorted(row["text"] for row in firm.advoware.appointments("SB"))
    right = sorted(event["summary"] for event in firm.google.events(calendar))
    return left == right and len(set(left)) == len(left)


def in_step_soon(firm: Wired) -> bool:
    """Trigger a run as the scheduler would, and look."""
    if in_step(firm):
        return True
    firm.call("POST", "/calendar/sync", json={"kuerzel": "SB", "wait": True})
    return in_step(firm)


def reckon(round_: Round) -> None:
    """Find each thing that was acknowledged, once."""
    firm = round_.firm
    parties = Counter(row["name"] for row in firm.advoware.registry.parties())
    for record in round_.records:
        name = firm.espocrm.get(ENTITY, record)["lastName"]
        assert parties[name] == 1, (name, parties[name])
    rows = [str(row["description"]) for row in firm.espocrm.records.all("Lead")]
    for number in round_.leads:
        found = sum(f"Anliegen Nummer {number}\n" in f"{text}\n" for text in rows)
        assert found == 1, (number, found)
    names = Counter(str(row["name"]) for row in firm.espocrm.records.all("Call"))
    for caller in round_.callers:
        assert sum(count for name, count in names.items() if caller[3:] in name.replace(" ", "")) == 1, caller
    written = Counter(row["text"] for row in firm.advoware.appointments("SB"))
    for text in round_.posted:
        [answer] = round_.answers[text]
        assert written[text] <= 1, text
        assert answer.status != 201 or written[text] == 1, text
