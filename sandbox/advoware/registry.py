"""Keep the parties and matters, and find them as Advoware's searches do."""

import re
from threading import RLock
from typing import Any

from sandbox.advoware.answers import Json, Refused

BLANK_PARTY: Json = {
    **dict.fromkeys(("anrede", "titel", "vorname", "name", "rechtsform"), ""),
    "geburtsdatum": None,
    **dict.fromkeys(("strasse", "plz", "ort", "land", "email", "telefon", "mobil"), ""),
    "aktiv": True,
}
BLANK_MATTER: Json = {
    "aktenNr": "",
    "kurzrubrum": "",
    "status": "laufend",
    "sachbearbeiter": "",
    "betNr": None,
    "rolle": "mandant",
    "objekt": "",
}


def folded(text: object) -> str:
    """Ignore case and surplus blanks."""
    return " ".join(str(text).casefold().split())


def digits(number: object) -> str:
    """Read a German phone number in any spelling as digits with its country code."""
    plain = re.sub(r"\D", "", str(number))
    return plain[2:] if plain.startswith("00") else re.sub("^0", "49", plain)


def full_name(party: Json) -> str:
    """Join what a person would type to find a party."""
    return folded(f"{party['vorname']} {party['name']} {party['ort']} {party['email']}")


def is_party(party: Json, name: str, value: str) -> bool:
    """Say whether a party answers one search parameter."""
    match name:
        case "search":
            return folded(value) in full_name(party)
        case "email":
            return bool(value) and folded(party["email"]) == folded(value)
        case "telefon":
            return bool(digits(value)) and digits(value) in (digits(party["telefon"]), digits(party["mobil"]))
        case "betNr":
            return str(party["betNr"]) == value
    raise Refused(400, f"{name}: unknown search parameter")


class Registry:
    """All parties and matters of the firm; every write gives a party a new rowId."""

    def __init__(self) -> None:
        self._parties: dict[int, Json] = {}
        self._matters: list[Json] = []
        self._last, self._writes = 814, 0
        self._lock = RLock()

    def create_party(self, **fields: Any) -> int:
        """Enter a party and say its number."""
        with self._lock:
            bet_nr = int(fields.pop("betNr", None) or self._last + 1)
            self._last = max(self._last, bet_nr)
            self._parties[bet_nr] = {"betNr": bet_nr, **BLANK_PARTY, **fields, "rowId": self._row_id()}
            return bet_nr

    def edit_party(self, bet_nr: int, **fields: Any) -> None:
        """Change some fields of a party, as a person at the desk would."""
        with self._lock:
            self.replace_party(bet_nr, {**self.party(bet_nr), **fields})

    def replace_party(self, bet_nr: int, fields: Json) -> Json:
        """Put a whole object in the place of another, unless it was read too long ago."""
        with self._lock:
            if fields.get("rowId") != self.party(bet_nr)["rowId"]:
                raise Refused(409, f"party {bet_nr} was changed by somebody else")
            self._parties[bet_nr] = {**BLANK_PARTY, **fields, "betNr": bet_nr, "rowId": self._row_id()}
            return self.party(bet_nr)

    def delete_party(self, bet_nr: int) -> None:
        """Strike out a party."""
        with self._lock:
            self.party(bet_nr)
            del self._parties[bet_nr]

    def party(self, bet_nr: int) -> Json:
        """Read one party."""
        with self._lock:
            if bet_nr not in self._parties:
                raise Refused(404, f"party {bet_nr} does not exist")
            return dict(self._parties[bet_nr])

    def parties(self, **wanted: str) -> list[Json]:
        """List the parties that answer every search parameter."""
        with self._lock:
            rows = [dict(row) for row in self._parties.values()]
        return [row for row in rows if all(is_party(row, name, value) for name, value in wanted.items())]

    def create_matter(self, akten_nr: str, **fields: Any) -> None:
        """Enter a matter, one row per party and role."""
        with self._lock:
            self._matters.append({**BLANK_MATTER, **fields, "aktenNr": akten_nr})

    def matters(self, **wanted: str) -> list[Json]:
        """List the matters that answer every search parameter."""
        with self._lock:
            rows = [dict(row) for row in self._matters]
        return [row for row in rows if all(self._is_matter(row, name, value) for name, value in wanted.items())]

    def _is_matter(self, matter: Json, name: str, value: str) -> bool:
        match name:
            case "search":
                return folded(value) in folded(f"{matter['aktenNr']} {matter['kurzrubrum']} {matter['objekt']}")
            case "aktenNr" | "betNr":
                return str(matter[name]) == value
            case "gegner":
                return self._is_opponent(matter, value)
            case "objekt":
                return bool(value) and folded(value) in folded(matter["objekt"])
        raise Refused(400, f"{name}: unknown search parameter")

    def _is_opponent(self, matter: Json, value: str) -> bool:
        named = matter["kurzrubrum"].partition("./.")[2]
        if matter["rolle"] == "gegner" and matter["betNr"] in self._parties:
            named += " " + full_name(self._parties[matter["betNr"]])
        return bool(value) and folded(value) in folded(named)

    def _row_id(self) -> str:
        self._writes += 1
        return f"r{self._writes:06x}"
