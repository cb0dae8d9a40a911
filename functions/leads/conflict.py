"""Say whether a sender could be on the wrong side of one of the firm's matters: pure, over what searches brought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.mapping.spelling import folded, folded_street

Row = Mapping[str, Any]
FREE, HIT, OPEN = "frei", "treffer", "offen"
_FORMS: Final = frozenset("gmbh ag kg ohg ug gbr mbh co e v eg se dr prof herr frau firma und".split())
_CODES: Final = {
    **dict.fromkeys("aeijouy", "0"),
    "b": "1",
    **dict.fromkeys("fvw", "3"),
    **dict.fromkeys("gkq", "4"),
    "l": "5",
    **dict.fromkeys("mn", "6"),
    "r": "7",
    **dict.fromkeys("sz", "8"),
}


@dataclass(frozen=True)
class Query:
    """Whom and what to look for."""

    names: tuple[str, ...]
    opponent: str = ""
    street: str = ""
    plz: str = ""
    first_name: str = ""
    birthday: str = ""  # ISO

    @property
    def is_complete(self) -> bool:
        """Tell whether a search that finds nothing says that there is nothing."""
        return bool(self.opponent and self.street)


def bare(name: str) -> str:
    """Fold a name and leave out titles and legal forms."""
    return " ".join(word for word in folded(name).split() if word not in _FORMS)


def surname(name: str) -> str:
    """Give the word by which a register finds somebody: the last that is no title and no legal form."""
    words = [word for word in name.replace(",", " ").split() if bare(word)]
    return words[-1] if words else name


def is_named(name: str, text: str) -> bool:
    """Tell whether a text speaks of a name, also in another spelling that sounds the same."""
    wanted, words = bare(name).split(), bare(text).split()
    if not wanted or len(wanted[-1]) < 2:
        return False
    last = wanted[-1]
    return last in words or (len(last) > 3 and cologne(last) in {cologne(word) for word in words if len(word) > 3})


def opposed(query: Query, rows: Iterable[Row]) -> list[Row]:
    """List the matters in which the sender is the other side."""
    return [row for row in rows if _is_opponent(row) or any(is_named(name, _opposite(row)) for name in query.names)]


def represented(rows: Iterable[Row]) -> list[Row]:
    """List the matters in which the other side is our client; a role that is not told counts as one."""
    return [row for row in rows if _is_client(row) or not row.get("rolle")]


def about_object(query: Query, rows: Iterable[Row]) -> list[Row]:
    """List the matters about the same address."""
    wanted = folded_street(query.street)
    return [row for row in rows if wanted in folded_street(str(row.get("objekt") or "")) and _same_plz(query.plz, row)]


def parties_named(name: str, rows: Iterable[Row]) -> list[int]:
    """List the parties with a name."""
    wanted = set(bare(name).split())
    return [row["betNr"] for row in rows if wanted and _is_party(wanted, name, row)]


def parties_born(query: Query, rows: Iterable[Row]) -> list[int]:
    """List the parties with the sender's first name and birthday: surnames change."""
    wanted = folded(query.first_name)
    return [
        row["betNr"]
        for row in rows
        if str(row.get("geburtsdatum") or "")[:10] == query.birthday and folded(str(row.get("vorname") or "")) == wanted
    ]


def opposing(rows: Iterable[Row]) -> list[Row]:
    """List the matters in which a party is the other side."""
    return [row for row in rows if _is_opponent(row)]


def result(query: Query, hits: int, *, asked: bool) -> str:
    """Sum up: a hit counts always, its absence only when everything was asked and could be asked."""
    if hits:
        return HIT
    return FREE if asked and query.is_complete else OPEN


def _is_party(wanted: set[str], name: str, row: Row) -> bool:
    words = set(bare(f"{row.get('vorname') or ''} {row.get('name') or ''}").split())
    first = set(bare(str(row.get("vorname") or "")).split())
    surname = is_named(name, str(row.get("name") or ""))
    return wanted <= words or (surname and (len(wanted) == 1 or not first or bool(first & wanted)))


def _is_client(row: Row) -> bool:
    return folded(str(row.get("rolle") or "")).startswith(("mandant", "auftraggeber"))


def _same_plz(plz: str, row: Row) -> bool:
    text = str(row.get("objekt") or "")
    known = [word for word in text.replace(",", " ").split() if len(word) == 5 and word.isdigit()]
    return not plz or not known or plz in known


def _is_opponent(row: Row) -> bool:
    return folded(str(row.get("rolle") or "")).startswith("gegner")


def _opposite(row: Row) -> str:
    title = str(row.get("kurzrubrum") or "")
    return f"{title.partition('./.')[2] or title} {row.get('gegner') or ''}"


def cologne(word: str) -> str:
    """Write how a German word sounds (Kölner Phonetik)."""
    letters = "".join(char for char in folded(word) if char.isalpha())
    code = []
    for at, char in enumerate(letters):
        before, after = letters[at - 1 : at], letters[at + 1 : at + 2]
        code.append(_sound(char, before, after, first=at == 0))
    joined = [part for at, part in enumerate(code) if part and (at == 0 or part != code[at - 1])]
    text = "".join(joined)
    return text[:1] + text[1:].replace("0", "")


def _sound(char: str, before: str, after: str, *, first: bool) -> str:
    match char:
        case "p":
            return "3" if after == "h" else "1"
        case "d" | "t":
            return "8" if after in set("csz") else "2"
        case "x":
            return "8" if before in set("ckq") else "48"
        case "c":
            if first:
                return "4" if after in set("ahkloqrux") else "8"
            return "8" if before in set("sz") or after not in set("ahkoqux") else "4"
    return _CODES.get(char, "")
