"""Pure: from a number and records to who it is, rung by rung.

1 the same number · 2 the same number in a spelling of its own · 3 one is the end of the other, eight digits or more,
no other country · 4 an extension behind a firm's head number. The last two are only likely. What has fewer than
seven digits, is withheld or internal never matches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from shared.threecx.number import HOME_CODE, Kind, Number

EXACT, LIKELY = "exact", "vermutlich"
SHORTEST, SUFFIX = 7, 8
_RANK = {"Contact": 0, "Account": 1, "Lead": 2}
_GONE = frozenset({"Converted", "Dead"})
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Hit:
    """Somebody who may be on the line."""

    id: str
    type: str
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    email: str = ""
    url: str = ""
    match: str = EXACT

    @property
    def name(self) -> str:
        """Give the name by which people know them."""
        return " ".join(filter(None, (self.first_name, self.last_name))) or self.company

    def answer(self) -> dict[str, str]:
        """Write the hit as the lookup answers it."""
        return asdict(self)


def can_match(number: Number) -> bool:
    """Tell whether a number may be searched for at all."""
    return number.kind is Kind.OUTSIDE and len(number.national) >= SHORTEST


def exactly(number: Number) -> list[dict[str, Any]]:
    """Ask EspoCRM for the number in every spelling in which it may be stored."""
    digits, national = number.value[1:], number.national
    spelled = [digits, "00" + digits, *(["0" + national] if _is_home(number) else [])]
    items = [_item("equals", "phoneNumber", number.value)]
    items += [_item("equals", "phoneNumberNumeric", each) for each in spelled]
    return [{"type": "or", "value": items}]


def nearly(number: Number, *, firms: bool) -> list[dict[str, Any]]:
    """Ask EspoCRM for numbers that end like this one, or for head numbers in front of it."""
    national = number.national
    items = [_item("equals", "phoneNumberNumeric", each) for each in _ends(national)]
    if len(national) >= SUFFIX:
        items.append(_item("endsWith", "phoneNumberNumeric", national))
    if firms:
        items += [_item("equals", "phoneNumberNumeric", each) for each in _heads(number)]
    return [{"type": "or", "value": items}] if items else []


def rung(stored: Iterable[str], number: Number, *, firm: bool) -> str:
    """Say how well any of a record's numbers fits; empty for not at all."""
    found = {_rung(each, number, firm=firm) for each in stored}
    return EXACT if EXACT in found else LIKELY if LIKELY in found else ""


def is_active(row: Row) -> bool:
    """Leave out what has become something else or is over."""
    return row.get("status") not in _GONE and row.get("aktiv") is not False and not row.get("deleted")


def is_opted_out(row: Row, number: Number) -> bool:
    """Tell whether a record says of a number that nobody may call there."""
    data = row.get("phoneNumberData") or []
    told = [each for each in data if each.get("optOut")]
    return rung([str(each.get("phoneNumber") or "") for each in told], number, firm=False) == EXACT


def hit_of(kind: str, row: Row, url: str, match: str) -> Hit:
    """Read a record of EspoCRM as a hit."""
    firm = kind == "Account"
    return Hit(
        id=str(row.get("id") or ""),
        type=kind,
        first_name="" if firm else _text(row, "firstName"),
        last_name="" if firm else _text(row, "lastName") or _text(row, "name"),
        company=_text(row, "name") if firm else _text(row, "accountName"),
        email=_text(row, "emailAddress"),
        url=url,
        match=match,
    )


def hit_of_party(row: Row, url: str) -> Hit:
    """Read a party of Advoware as a hit; a legal form makes it a firm."""
    firm = bool(_text(row, "rechtsform"))
    return Hit(
        id=str(row.get("betNr") or ""),
        type="Beteiligte",
        first_name="" if firm else _text(row, "vorname"),
        last_name="" if firm else _text(row, "name"),
        company=_text(row, "name") if firm else "",
        email=_text(row, "email"),
        url=url,
    )


def ranked(hits: Iterable[Hit]) -> list[Hit]:
    """Order the hits, persons before firms before leads; likely ones count only where there is no certain one."""
    unique = list({(hit.type, hit.id): hit for hit in hits}.values())
    certain = [hit for hit in unique if hit.match == EXACT]
    known = {folded_name(hit) for hit in certain if hit.type != "Beteiligte"}
    kept = [hit for hit in certain or unique if hit.type != "Beteiligte" or folded_name(hit) not in known]
    return sorted(kept, key=lambda hit: (_RANK.get(hit.type, 3), hit.name.casefold(), hit.id))


def only_one(hits: Sequence[Hit]) -> Hit | None:
    """Choose the record to which a call belongs: certain, and the only one of its kind in front of all others."""
    first = [hit for hit in hits if hit.match == EXACT and hit.type in _RANK]
    best = [hit for hit in first if hit.type == first[0].type]
    return best[0] if len(best) == 1 else None


def folded_name(hit: Hit) -> str:
    """Compare names without regard to case, umlaut spelling and blanks."""
    text = hit.name.casefold()
    for old, new in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        text = text.replace(old, new)
    return " ".join(text.split())


def _rung(stored: str, number: Number, *, firm: bool) -> str:
    plain = re.sub(r"\D", "", stored.replace("(0)", ""))
    abroad = stored.strip().startswith("+") or plain.startswith("00")
    digits = plain.removeprefix("00")
    if digits == number.value[1:] and (abroad or _is_home(number)):
        return EXACT
    if _is_home(number) and plain == "0" + number.national:
        return EXACT
    if abroad and not digits.startswith(_country(number)):
        return ""
    if plain in _ends(number.national) or (len(number.national) >= SUFFIX and plain.endswith(number.national)):
        return LIKELY
    return LIKELY if firm and plain in _heads(number) else ""


def _ends(national: str) -> list[str]:
    """List the shorter numbers of which this one may be the long form."""
    return [national[-length:] for length in range(len(national) - 1, SUFFIX - 1, -1)]


def _heads(number: Number) -> list[str]:
    """List the head numbers of which this may be an extension: the stem itself, or the stem with its 0."""
    national = number.national
    stems = [national[:-cut] for cut in range(1, 5) if len(national) - cut >= SHORTEST - 1]
    heads = [*stems, *(stem + "0" for stem in stems)]
    heads = [head for head in dict.fromkeys(heads) if head != national and len(head) >= SHORTEST]
    country = _country(number)
    trunk = ["0" + head for head in heads] if _is_home(number) else []
    return [*(country + head for head in heads), *trunk]


def _is_home(number: Number) -> bool:
    return number.value.startswith("+" + HOME_CODE)


def _country(number: Number) -> str:
    return HOME_CODE if _is_home(number) else number.value[1:3]


def _item(kind: str, attribute: str, value: str) -> dict[str, Any]:
    return {"type": kind, "attribute": attribute, "value": value}


def _text(row: Row, key: str) -> str:
    value = row.get(key)
    return value.strip() if isinstance(value, str) else ""
