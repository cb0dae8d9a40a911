"""Pure: is everything in step? What is not, the gravest first, each with the place of the page that tells more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from functions.ops.snapshot import Employee, Queue, Snapshot, Upstream
from functions.ops.words import QUEUES, SIDES, UPSTREAMS, ago, count, failure, reason, span

POLL_MISSED: Final = timedelta(minutes=35)  # two polls of a quarter of an hour, and some
OLD_S, TOO_OLD_S = 5 * 60, 15 * 60
OUTAGE: Final = timedelta(minutes=5)
Level = Literal["alarm", "warn"]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    level: Level
    text: str
    place: str


@dataclass(frozen=True)
class Verdict:
    """The answer to the one question of the page."""

    level: Literal["ok", "warn", "alarm"]
    answer: str
    findings: Sequence[Finding] = ()


def judge(seen: Snapshot) -> Verdict:
    """Say whether everything is in step."""
    parts = (
        _redis(seen),
        _workers(seen),
        _employees(seen),
        _letters(seen),
        _queues(seen),
        _settings(seen),
        _upstreams(seen),
    )
    found = [finding for part in parts for finding in part]
    found.sort(key=lambda finding: finding.level)  # alarm before warn, else as found
    alarms = sum(finding.level == "alarm" for finding in found)
    if alarms:
        return Verdict("alarm", "Nein, hier ist etwas aus dem Takt.", found)
    if found:
        return Verdict(
            "warn", "Fast. " + count(len(found), "Punkt braucht", "Punkte brauchen") + " einen Blick.", found
        )
    if not seen.employees:
        return Verdict("warn", "Noch war kein Lauf.", [Finding("warn", "Es ist noch niemand bekannt.", "kalender")])
    return Verdict("ok", "Ja, alles ist im Takt.")


def state_of(each: Employee, now: datetime) -> str:
    """Name an employee's state as the page shows it."""
    if each.state == "running" and not each.lock_s and each.started and now - each.started > timedelta(seconds=60):
        return "stuck"
    if each.state == "held" and each.holds and not each.waiting:
        return "released"
    if each.state == "ok" and each.finished and now - each.finished > POLL_MISSED and not each.lock_s:
        return "late"
    return each.state


def _employees(seen: Snapshot) -> Iterator[Finding]:
    states = {each.kuerzel: state_of(each, seen.now) for each in seen.employees}
    late = [each for each in seen.employees if states[each.kuerzel] == "late"]
    if late and len(late) == sum(each.finished is not None for each in seen.employees):
        newest = max(each.finished for each in late if each.finished)
        yield Finding("alarm", f"Der letzte Lauf war {ago(newest, seen.now)}: läuft der Zeitplaner?", "kalender")
        late = []
    for each in seen.employees:
        place = f"k-{each.kuerzel}"
        match states[each.kuerzel]:
            case "failed":
                why = reason(each.error) or each.error or "ohne Angabe"
                yield Finding("alarm", f"{each.kuerzel}: Lauf gescheitert. {why}", place)
            case "stuck":
                yield Finding("alarm", f"{each.kuerzel}: ein Lauf brach ab und hält keine Sperre mehr.", place)
            case "late" if each in late:
                yield Finding("warn", f"{each.kuerzel}: letzter Lauf {ago(each.finished, seen.now)}.", place)
            case _:
                pass
        for hold in each.waiting:
            what = count(hold.count, "Löschung", "Löschungen")
            verb = "wartet" if hold.count == 1 else "warten"
            yield Finding("warn", f"{each.kuerzel}: {what} {SIDES[hold.direction]} {verb} auf Sie.", "zurueckgehalten")


def _letters(seen: Snapshot) -> Iterator[Finding]:
    if seen.letters:
        what = count(len(seen.letters), "Eintrag wurde", "Einträge wurden")
        yield Finding("alarm", f"{what} aufgegeben.", "aufgegeben")
    if not seen.letters_complete:
        yield Finding("warn", "Die Cloud sagt gerade nicht, was sie aufgegeben hat.", "aufgegeben")


def _queues(seen: Snapshot) -> Iterator[Finding]:
    for queue in seen.queues:
        age = queue.stats.oldest_age_s
        if age > OLD_S:
            level: Level = "alarm" if age > TOO_OLD_S else "warn"
            yield Finding(level, f"{QUEUES[queue.name]}: der älteste Eintrag wartet seit {span(age)}.", "schlangen")


def _workers(seen: Snapshot) -> Iterator[Finding]:
    if missing := [queue for queue in seen.queues if nobody_reads(queue)]:
        names = "alle Schlangen" if len(missing) == len(seen.queues) else ", ".join(QUEUES[q.name] for q in missing)
        yield Finding("alarm", f"Kein Worker liest {names}.", "schlangen")


def nobody_reads(queue: Queue) -> bool:
    """Tell whether a queue that a worker should read has none."""
    return queue.workers == 0 and not queue.stats.processing


def _upstreams(seen: Snapshot) -> Iterator[Finding]:
    for each in seen.upstreams:
        title = UPSTREAMS[each.name]
        if each.used and each.missing:
            yield Finding("alarm", f"{title}: es fehlen Einstellungen ({', '.join(each.missing)}).", "gegenstellen")
        if each.failing and each.failed:
            level: Level = "alarm" if _is_outage(each) else "warn"
            text = f"{title}: {failure(each.failure)}, zuletzt {ago(each.failed, seen.now)}."
            yield Finding(level, text, "gegenstellen")


def _settings(seen: Snapshot) -> Iterator[Finding]:
    """Name what /ready misses, except where an upstream says it already."""
    told = {name for each in seen.upstreams if each.used for name in each.missing}
    if missing := [name for name in seen.missing if name not in told]:
        yield Finding("alarm", f"Nicht bereit, es fehlen Einstellungen ({', '.join(missing)}).", "gegenstellen")


def _is_outage(each: Upstream) -> bool:
    return each.good is None or (each.failed is not None and each.failed - each.good > OUTAGE)


def _redis(seen: Snapshot) -> Iterator[Finding]:
    level: Level = "alarm" if seen.production else "warn"
    for problem in seen.store.problems:
        yield Finding(level, f"Redis kann Bestätigtes verlieren: {problem}", "redis")
    if not seen.store.written:
        yield Finding("alarm", "Redis konnte zuletzt nicht auf die Platte schreiben.", "redis")
