"""What a German postal code (PLZ) says by its first two digits: the Land, and whether a big town can have it."""

from __future__ import annotations

from typing import Final

from shared.mapping.spelling import folded

# Areas that lie in one Land only; the others cross borders, and nothing is said of them.
_LANDS: Final = {
    "SN": "02 08 09",
    "BB": "03 15 16",
    "BE": "10 13",
    "MV": "18",
    "HH": "20",
    "SH": "24 25",
    "NI": "26 30 31",
    "NW": "32 33 40 41 42 44 45 46 47 50 52 58 59",
    "HE": "35 60 61",
    "RP": "54 56 67",
    "BW": "70 71 72 73 74 75 77 78 79",
    "BY": "80 81 82 83 84 85 86 87 90 91 92 93 94 95",
    "ST": "39",
    "TH": "98 99",
}
_LAND_OF: Final = {area: land for land, areas in _LANDS.items() for area in areas.split()}
_UNUSED: Final = frozenset({"05", "43", "62"})
_TOWNS: Final = {
    "berlin": "10 11 12 13 14",
    "hamburg": "20 21 22",
    "muenchen": "80 81",
    "koeln": "50 51",
    "frankfurt": "60 65 15",
    "stuttgart": "70",
    "duesseldorf": "40",
    "dortmund": "44",
    "leipzig": "04",
    "bremen": "27 28",
    "dresden": "01",
    "hannover": "30",
    "nuernberg": "90",
    "duisburg": "47",
    "bochum": "44",
    "wuppertal": "42",
    "bielefeld": "33",
    "bonn": "53",
    "karlsruhe": "76",
    "mannheim": "68",
    "augsburg": "86",
    "wiesbaden": "55 65",
    "braunschweig": "38",
    "chemnitz": "09",
    "kiel": "24",
    "aachen": "52",
    "magdeburg": "39",
    "luebeck": "23",
    "erfurt": "99",
    "rostock": "18",
    "kassel": "34",
    "potsdam": "14",
    "osnabrueck": "49",
    "heidelberg": "69",
    "wolfsburg": "38",
    "goettingen": "37",
    "hildesheim": "31",
    "celle": "29",
    "salzgitter": "38",
    "garbsen": "30",
    "langenhagen": "30",
    "laatzen": "30",
    "hameln": "31",
}


def land_of(plz: str | None) -> str | None:
    """Name the Land of a postal code as `NI`, where its area lies in one alone."""
    return _LAND_OF.get((plz or "")[:2])


def remark_on(plz: str | None, town: str | None) -> str | None:
    """Say what is odd about a place; small towns and post office boxes are in no list, so silence proves nothing."""
    if not plz:
        return None
    if plz[:2] in _UNUSED:
        return "plz_unbekannt"
    known = _TOWNS.get(folded(town or "").replace("-", " ").partition(" ")[0])
    return "plz_ort_abweichung" if known and plz[:2] not in known.split() else None
