"""Pure: our lines in the description of a Call: written, read again, and joined with what already stands there.

The lines name the call (`Vorgang`), its number and who told what about it (`Gemeldet`), so that the same call is known
again when everything else has been forgotten. Whatever else people write stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from functions.threecx.call import Call, Entry, Group
from shared.clock import iso
from shared.domain.call import Consent, Event, Said

ID_LINE, NUMBER_LINE, TOLD_LINE = "Vorgang: ", "Nummer: ", "Gemeldet: "
CONSENT_LINE, AUDIO_LINE, QUEUE_LINE = "Einwilligung: ", "Aufzeichnung: ", "Warteschlange: "
MATCH_LINE, COURSE_LINE = "Zuordnung: ", "Verlauf: "
_ORDER = (NUMBER_LINE, MATCH_LINE, QUEUE_LINE, COURSE_LINE, CONSENT_LINE, AUDIO_LINE, TOLD_LINE, ID_LINE)
_OF_CONSENT = (CONSENT_LINE, AUDIO_LINE)
_WITHHELD = "unterdrückt"
_WORDS = {
    Said.STARTED: "Beginn",
    Said.TRANSFERRED: "Weiterleitung",
    Said.ENDED: "Ende",
    Said.REPORT: "Bericht",
    Said.LOGGED: "Anrufliste",
    Said.DIALLED: "Wahl",
}
_SAID = {word: said for said, word in _WORDS.items()}
_WITHOUT_ID = frozenset({Said.REPORT, Said.LOGGED})
_CONSENT = {
    Consent.ASKED: "angefragt",
    Consent.GIVEN: "erteilt",
    Consent.REFUSED: "abgelehnt",
    Consent.WITHDRAWN: "widerrufen",
}
_FORMAT = "%Y-%m-%d %H:%M:%S"
_APART = str.maketrans(",\n", "  ")
Lines = dict[str, list[str]]


@dataclass(frozen=True)
class Facts:
    """What the journal adds to the call itself."""

    match: str = ""
    audio_url: str = ""
    erased: bool = False
    recording_id: str = ""


def written(group: Group, facts: Facts) -> str:
    """Write all our lines."""
    call = group.call
    moves = sorted((event.at, event.moved_to) for event in call.events if event.moved_to)
    found: Lines = {
        NUMBER_LINE: [number_of(call)],
        MATCH_LINE: [facts.match],
        QUEUE_LINE: [call.queue],
        COURSE_LINE: [", ".join(f"{iso(at)} weitergeleitet an {to}" for at, to in moves)],
        CONSENT_LINE: [_consent(call)],
        AUDIO_LINE: [_audio(call, facts)],
        TOLD_LINE: [", ".join(sorted(sources(call)))],
        ID_LINE: list(group.keys),
    }
    return _text(found)


def merged(stored: str, ours: str) -> str:
    """Put our lines in the place of the earlier ones and leave all others."""
    return _joined(stored, _lines(ours))


def added(stored: str, ours: str) -> str:
    """Keep what stands there, because more was known then; add names, sources, and a consent that is more careful."""
    old, new = _lines(stored), _lines(ours)
    found = {**new, **old}
    if _word(new) > _word(old):
        found |= {prefix: new.get(prefix, []) for prefix in _OF_CONSENT}
    elif _word(new) == _word(old) and AUDIO_LINE in new:
        found[AUDIO_LINE] = new[AUDIO_LINE]
    found[ID_LINE] = list(dict.fromkeys([*old.get(ID_LINE, []), *new.get(ID_LINE, [])]))
    found[TOLD_LINE] = [", ".join(sorted(_told(old) | _told(new)))]
    return _joined(stored, found)


def knows_more(stored: Mapping[str, Any], told: Iterable[Call]) -> bool:
    """Tell whether a record was written by somebody who knew of statements that are forgotten now."""
    known = {source for call in told for source in sources(call)}
    return not _told(_lines(str(stored.get("description") or ""))) <= known


def remembered(stored: Mapping[str, Any]) -> list[Entry]:
    """Read a record as the entries that it was written from; nothing where our lines are missing."""
    lines, start = _lines(str(stored.get("description") or "")), read_stamp(stored.get("dateStart"))
    keys = sorted(lines.get(ID_LINE, []))
    if not keys or start is None or not lines.get(NUMBER_LINE):
        return []
    direction = "inbound" if stored.get("direction") == "Inbound" else "outbound"
    number, queue = _number(lines[NUMBER_LINE][0]), "".join(lines.get(QUEUE_LINE, []))
    told = [[*each.split(" ", 2), "", ""] for each in sorted(_told(lines))]
    events = {
        Event(_SAID[word], start, direction, number, agent, queue, start=start)
        for word, _, agent, *_ in told
        if word in _SAID
    }
    has_id = keys[0].startswith("c-")
    first = frozenset(event for event in events if not has_id or event.said not in _WITHOUT_ID)
    others = [
        Entry(f"{keys[0]}#{event.said}{event.agent}", Call(frozenset({event})), False) for event in events - first
    ]
    return [Entry(keys[0], Call(first), has_id), *others] if first else others


def number_in(stored: Mapping[str, Any]) -> str:
    """Read the number line of a record; empty where we have written none."""
    return "".join(_lines(str(stored.get("description") or "")).get(NUMBER_LINE, [])[:1])


def named_keys(stored: Mapping[str, Any]) -> list[str]:
    """Read which entries a record was written from."""
    return _lines(str(stored.get("description") or "")).get(ID_LINE, [])


def foreign_lines(stored: Mapping[str, Any]) -> list[str]:
    """Give what people have written beside our lines."""
    lines = str(stored.get("description") or "").splitlines()
    return [line for line in lines if line.strip() and not line.startswith(_ORDER)]


def without_match(text: str) -> str:
    """Take out the line that says whom it may have been."""
    return "\n".join(line for line in text.splitlines() if not line.startswith(MATCH_LINE))


def number_of(call: Call) -> str:
    """Write the number of a call, also where there is none."""
    return call.number or _WITHHELD


def sources(call: Call) -> frozenset[str]:
    """Say who told what about a call, and of which moment."""
    told = [(event, agent) for event in call.events for agent in {event.agent, event.moved_to or event.agent}]
    return frozenset(
        f"{_WORDS[event.said]} {event.at.astimezone(UTC):%H:%M:%S} {agent.translate(_APART)}".strip()
        for event, agent in told
    )


def stamp(moment: datetime) -> str:
    """Write a moment as EspoCRM does."""
    return moment.astimezone(UTC).strftime(_FORMAT)


def read_stamp(text: Any) -> datetime | None:
    """Read a moment of EspoCRM's."""
    try:
        return datetime.strptime(str(text)[:19], _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None


def _consent(call: Call) -> str:
    """Say which consent there is, since when, and who says so: it has to be proved later."""
    if call.consent is Consent.NONE:
        return ""
    said = min((event for event in call.events if event.consent is call.consent), key=lambda event: event.at)
    by = f"Nebenstelle {said.agent}" if said.agent else "Telefonanlage"
    return f"{_CONSENT[call.consent]} ({iso(said.at)}, gemeldet von {by})"


def _audio(call: Call, facts: Facts) -> str:
    if facts.audio_url:
        return facts.audio_url
    if not facts.recording_id or call.consent is Consent.GIVEN:
        return ""
    if call.consent in {Consent.NONE, Consent.ASKED}:
        return "gesperrt, keine Einwilligung"
    return f"gesperrt, {'gelöscht' if facts.erased else 'in der Telefonanlage zu löschen'}"


def _joined(stored: str, ours: Lines) -> str:
    theirs = [line for line in stored.splitlines() if not line.startswith(_ORDER)]
    text = "\n".join(theirs).strip("\n")
    return f"{text}\n{_text(ours)}" if text else _text(ours)


def _lines(text: str) -> Lines:
    found: Lines = {}
    for line in text.splitlines():
        for prefix in _ORDER:
            if line.startswith(prefix):
                found.setdefault(prefix, []).append(line.removeprefix(prefix))
    return found


def _text(lines: Lines) -> str:
    return "\n".join(prefix + " ".join(value.split()) for prefix in _ORDER for value in lines.get(prefix, []) if value)


def _told(lines: Lines) -> set[str]:
    return {each for value in lines.get(TOLD_LINE, []) for each in value.split(", ") if each}


def _word(lines: Lines) -> Consent:
    """Read the consent of which a line speaks."""
    said = "".join(lines.get(CONSENT_LINE, [])).partition(" ")[0]
    return next((consent for consent, word in _CONSENT.items() if word == said), Consent.NONE)


def _number(text: str) -> str:
    return "" if text == _WITHHELD else text
